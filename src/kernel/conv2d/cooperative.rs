//! `Variant::Cooperative`: an implicit matrix product on matrix units, operands rounded to f16 and summed in f32.

mod division;
pub(super) mod kernels;
pub(super) mod pack;
mod trial;

use super::blocks::{Blocks, Run};
use super::pooled::{End, Pooling};
use super::product::{Params, bindings, ending};
use super::{Form, OP, Operands, Problem, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, Kernel, KernelPlan, Step, fold_workgroups};
use crate::kernel::card::Card;
use crate::kernel::flat::window_constants;
use crate::kernel::{convert, loop_iterations, rounds_within};
#[cfg(not(target_arch = "wasm32"))]
use crate::shape::Shape;
use division::{Division, Work};

impl Division {
    fn kernel(&self, form: Form, phases: bool) -> &'static Kernel {
        match (self.tile, form, phases) {
            (16, Form::Words, false) => &kernels::SIXTEEN,
            (16, Form::Halves, false) => &kernels::SIXTEEN_HALF,
            (16, Form::HalvesToWords, false) => &kernels::SIXTEEN_HALF_F32,
            (16, Form::Words, true) => &kernels::SIXTEEN_INTERLEAVED,
            (16, Form::Halves, true) => &kernels::SIXTEEN_HALF_INTERLEAVED,
            (16, Form::HalvesToWords, true) => &kernels::SIXTEEN_HALF_F32_INTERLEAVED,
            (_, Form::Words, false) => &kernels::EIGHT,
            (_, Form::Halves, false) => &kernels::EIGHT_HALF,
            (_, Form::HalvesToWords, false) => &kernels::EIGHT_HALF_F32,
            (_, Form::Words, true) => &kernels::EIGHT_INTERLEAVED,
            (_, Form::Halves, true) => &kernels::EIGHT_HALF_INTERLEAVED,
            (_, Form::HalvesToWords, true) => &kernels::EIGHT_HALF_F32_INTERLEAVED,
        }
    }

    fn pooled_kernel(&self) -> &'static Kernel {
        if self.tile == 16 { &kernels::SIXTEEN_HALF_POOLED } else { &kernels::EIGHT_HALF_POOLED }
    }
}

/// Refuses a device without matrix units for an operator.
///
/// # Errors
/// [`Error::Unsupported`] that says what it lacks, and what would be taken instead.
pub(in crate::kernel) fn check_device(op: &'static str, caps: &Caps) -> Result<()> {
    let least = Work { images: 1, groups: 1, group_inputs: 1, group_outputs: 1, cells: 1, taps: 1, in_parts: false };
    division(&least, caps).map(|_| ()).map_err(|why| unsupported(op, why))
}

/// The division for this device, or what the device lacks.
fn division(work: &Work, caps: &Caps) -> std::result::Result<Division, String> {
    let Some(cooperative) = caps.cooperative.filter(|_| caps.f16) else {
        let features = "EXPERIMENTAL_COOPERATIVE_MATRIX and SHADER_F16";
        return Err(format!(
            "the device was opened without {features}, or has no square products of f16 into f32 in subgroups of one size"
        ));
    };
    Division::of(cooperative, work, caps).ok_or_else(|| format!("it is not written out for products of {cooperative}"))
}

/// What a multiply-add takes, against those of the largest staged workgroup, and a sum besides, which goes by way of workgroup memory: an
/// H200's times for FCN-8s' layers (docs/CHOICES.md).
const RATE: f64 = 0.2;
const SUM: f64 = 90.0;

/// What it takes on a card, sums whole; comparable with the other variants' efforts. `None` where it does not apply.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> Option<f64> {
    let work = Work::of(problem, false);
    let division = division(&work, caps).ok()?;
    let workgroups = division.workgroups(&work);
    let sums = (workgroups * division.rows() * division.cells()) as f64;
    let terms = (division.steps(&work) * division.step) as f64;
    Some(sums * (RATE * terms + SUM) * card.idle_of_staged(workgroups, 1) + card.dispatch(caps))
}

fn unsupported(op: &'static str, why: String) -> Error {
    let instead = match op {
        "conv_transpose2d" => "phased, flipped-winograd-f2, interpolate or product",
        _ => "staged or winograd-f4 on a GPU, tiled or winograd-f4 elsewhere",
    };
    Error::Unsupported {
        what: format!("{op} variant {}", Variant::Cooperative.name()),
        why,
        way_out: format!("ask for no variant, which takes {instead}, by shape"),
    }
}

/// A plan of an eager call, whose weight lies on the device: it is looked at too before it is packed. (A session looks
/// at weights while it moves them.)
///
/// # Errors
/// [`Error::Limit`] where a dispatch does not hold the weight.
#[cfg(not(target_arch = "wasm32"))]
pub(in crate::kernel) fn with_weight_checked(mut plan: KernelPlan, weight: Shape, caps: &Caps) -> Result<KernelPlan> {
    if plan.variant == Variant::Cooperative.name() {
        plan.prepare.insert(0, convert::check_range(weight, Buffer::Input(1), caps)?);
    }
    Ok(plan)
}

/// Packs the weight as f16 into a persistent scratch buffer for each run of blocks; then a dispatch for each.
///
/// # Errors
/// [`Error::Unsupported`] where the device has no such matrices; [`Error::Limit`] where not even one block of weights fits a
/// binding.
pub(super) fn plan(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    let &Problem { op, input, output, .. } = problem;
    let mut plan = KernelPlan { variant: Variant::Cooperative.name(), half_weight: true, ..KernelPlan::default() };
    if operands.form == Form::Words {
        plan.run.push(convert::check_range(input, operands.input, caps)?);
    }
    let end = match operands.pooling {
        Some(_) if operands.form != Form::Halves => return Err(Pooling::refused("the map is f32".to_owned())),
        pooling => pooling.map(|pooling| pooling.end_in_windows(&mut plan, output, caps)).transpose()?,
    };
    // With a pooling as without, so that their sums are the same.
    let work = Work::of(problem, operands.interleave.is_none());
    let division = division(&work, caps).map_err(|why| unsupported(OP, why))?;
    let (rows, steps) = (division.rows(), division.steps(&work));
    let part_steps = division.part_steps(&work, caps);
    let parts = steps.div_ceil(part_steps);
    if parts > 1 && end.is_some() {
        return Err(Pooling::refused("the sums are taken in parts".to_owned()));
    }
    let rounds = [part_steps, division.step / division.tile].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    rounds_within(OP, 0, loop_iterations(&rounds), caps)?;
    let blocks = Blocks {
        rows,
        groups: work.groups,
        group_outputs: work.group_outputs,
        row_words: work.group_inputs * work.taps,
        block_words: rows * division.step * steps / 2,
    };
    // Bias, ReLU and rounding are for the whole sums.
    let to = if parts > 1 {
        let output = plan.temporary(parts * output.elements() as u64);
        let form = if operands.form == Form::Words { Form::Words } else { Form::HalvesToWords };
        Operands { bias: Buffer::Absent, output, form, ..operands }
    } else {
        operands
    };
    let cell_tiles = (end.as_ref().map_or(output, End::windows).plane() as u64).div_ceil(division.cells());
    let multiplication =
        Multiplication { division, problem, operands: to, blocks, end, cell_tiles, parts, part_steps, caps };
    for run in blocks.runs(caps)? {
        let packed = plan.persistent(run.blocks * blocks.block_words);
        let step = division.step;
        plan.prepare.push(pack::step([work.group_inputs, work.taps, step], (&blocks, &run), to.weight, packed, caps)?);
        plan.run.push(multiplication.step(&run, packed)?);
        plan.executed_macs += multiplication.tiles(&run) * division.cells() * rows * steps * division.step;
    }
    if parts > 1 {
        plan.run.push(super::parts::sum(parts, to.output, &operands, op.relu, output, caps)?);
    }
    Ok(plan)
}

/// A product over packed weights, but for the run of blocks of a dispatch.
struct Multiplication<'a> {
    division: Division,
    problem: &'a Problem<'a>,
    operands: Operands,
    blocks: Blocks,
    end: Option<End>,
    /// Workgroups along a plane's cells.
    cell_tiles: u64,
    /// Parts of a sum, and steps of one.
    parts: u64,
    part_steps: u64,
    caps: &'a Caps,
}

impl Multiplication<'_> {
    /// Workgroups of a part of a run's sums.
    fn tiles(&self, run: &Run) -> u64 {
        self.problem.output.n as u64 * run.blocks * self.cell_tiles
    }

    fn step(&self, run: &Run, packed: Buffer) -> Result<Step> {
        let &Self { division, problem, operands, ref blocks, cell_tiles, parts, part_steps, .. } = self;
        let &Problem { op, weight, .. } = problem;
        let tiles = self.tiles(run);
        let quads = 0..(weight.c as u64).div_ceil(4);
        let params = Params::of(problem, operands.interleave, blocks, run, [cell_tiles, tiles]).summing(
            quads,
            parts,
            part_steps * division.step / 4,
        );
        let own = [
            ("BIAS", f64::from(operands.bias != Buffer::Absent)),
            ("RELU", f64::from(op.relu && parts == 1)),
            ("LANES", division.lanes as f64),
            ("ROW_GROUPS", division.row_groups as f64),
            ("COLUMN_GROUPS", division.column_groups as f64),
            ("STEP", division.step as f64),
            ("BUFFERS", division.buffers as f64),
            ("STAGED", division.staged() as f64),
            ("SUMS", division.sums() as f64),
        ];
        let window = window_constants(op.kernel, op.stride, op.dilation);
        let kernel = match &self.end {
            Some(_) => division.pooled_kernel(),
            None => division.kernel(operands.form, operands.interleave.is_some()),
        };
        Ok(Step {
            kernel,
            constants: [window.as_slice(), &own, &ending(operands.interleave, self.end.as_ref())].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bindings(&operands, packed, self.end.as_ref()),
            workgroups: fold_workgroups(parts * tiles, self.caps)?,
        })
    }
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    let kernels = [
        &kernels::EIGHT,
        &kernels::EIGHT_HALF,
        &kernels::EIGHT_HALF_F32,
        &kernels::EIGHT_INTERLEAVED,
        &kernels::EIGHT_HALF_INTERLEAVED,
        &kernels::EIGHT_HALF_F32_INTERLEAVED,
        &kernels::SIXTEEN,
        &kernels::SIXTEEN_HALF,
        &kernels::SIXTEEN_HALF_F32,
        &kernels::SIXTEEN_INTERLEAVED,
        &kernels::SIXTEEN_HALF_INTERLEAVED,
        &kernels::SIXTEEN_HALF_F32_INTERLEAVED,
        &kernels::EIGHT_HALF_POOLED,
        &kernels::SIXTEEN_HALF_POOLED,
    ];
    kernels.map(|kernel| (kernel, Params::FIELDS)).into_iter().chain([pack::params_exhibited()]).collect()
}
