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
    let least = Work {
        images: 1,
        groups: 1,
        group_inputs: 1,
        group_outputs: 1,
        extent: [1, 1],
        kernel: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        in_parts: false,
    };
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
    Division::of(cooperative, work, caps)
        .ok_or_else(|| format!("the device's workgroups and their memory hold no products of {cooperative}"))
}

/// What it takes on a card; comparable with the other variants' efforts. `None` where it does not apply.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> Option<f64> {
    let work = Work::of(problem, true);
    division(&work, caps).ok().map(|division| division.effort(&work, card, caps))
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
    // With a pooling as without, so that their sums are the same.
    let work = Work::of(problem, operands.interleave.is_none());
    let division = division(&work, caps).map_err(|why| unsupported(OP, why))?;
    divided(&division, &work, problem, operands, caps)
}

/// The same, the work divided so.
///
/// # Errors
/// As [`plan`].
fn divided(
    division: &Division,
    work: &Work,
    problem: &Problem<'_>,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let &Problem { op, input, output, .. } = problem;
    let mut plan = KernelPlan { variant: Variant::Cooperative.name(), half_weight: true, ..KernelPlan::default() };
    if operands.form == Form::Words {
        plan.run.push(convert::check_range(input, operands.input, caps)?);
    }
    let end = match operands.pooling {
        Some(_) if operands.form != Form::Halves => return Err(Pooling::refused("the map is f32".to_owned())),
        pooling => pooling.map(|pooling| pooling.end_in_windows(&mut plan, output, caps)).transpose()?,
    };
    let rows = division.rows();
    let (stages, part_stages) = (division.stages(work), division.part_stages(work, caps));
    let parts = division.parts(work, caps);
    if parts > 1 && end.is_some() {
        return Err(Pooling::refused("the sums are taken in parts".to_owned()));
    }
    let rounds = [part_stages, division.taps[0], division.taps[1] / division.tap_run];
    rounds_within(OP, 0, loop_iterations(&rounds.map(|n| usize::try_from(n).unwrap_or(usize::MAX))), caps)?;
    let blocks = Blocks {
        rows,
        groups: work.groups,
        group_outputs: work.group_outputs,
        row_words: work.group_inputs * work.taps(),
        block_words: rows * division.step * stages * division.stage_taps() / 2,
    };
    // Bias, ReLU and rounding are for the whole sums.
    let to = if parts > 1 {
        let output = plan.temporary(parts * output.elements() as u64);
        let form = if operands.form == Form::Words { Form::Words } else { Form::HalvesToWords };
        Operands { bias: Buffer::Absent, output, form, ..operands }
    } else {
        operands
    };
    let cell_tiles = division.cell_tiles(work);
    let multiplication = Multiplication {
        division: *division,
        problem,
        operands: to,
        blocks,
        end,
        cell_tiles,
        parts,
        part_stages,
        caps,
    };
    let ahead = division.words_ahead();
    let most = caps.max_binding_bytes.min(caps.max_buffer_bytes).saturating_sub(4 * ahead);
    for run in blocks.runs(&Caps { max_binding_bytes: most, ..*caps })? {
        let packed = plan.persistent(run.blocks * blocks.block_words + ahead);
        plan.prepare.push(pack::step(division, work, (&blocks, &run), to.weight, packed, caps)?);
        plan.run.push(multiplication.step(&run, packed)?);
        plan.executed_macs += multiplication.tiles(&run) * division.cells() * 2 * blocks.block_words;
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
    /// Tiles of a plane's cells.
    cell_tiles: u64,
    /// Parts of a sum, and stages of one.
    parts: u64,
    part_stages: u64,
    caps: &'a Caps,
}

impl Multiplication<'_> {
    /// Workgroups of a part of a run's sums.
    fn tiles(&self, run: &Run) -> u64 {
        self.problem.output.n as u64 * run.blocks * self.cell_tiles
    }

    fn step(&self, run: &Run, packed: Buffer) -> Result<Step> {
        let &Self { division, problem, operands, ref blocks, cell_tiles, parts, part_stages, .. } = self;
        let &Problem { op, weight, .. } = problem;
        let tiles = self.tiles(run);
        let quads = 0..(weight.c as u64).div_ceil(4);
        let params = Params::of(problem, operands.interleave, blocks, run, [cell_tiles, tiles]).summing(
            quads,
            parts,
            part_stages * division.step / 4,
        );
        let own = [
            ("BIAS", u64::from(operands.bias != Buffer::Absent)),
            ("RELU", u64::from(op.relu && parts == 1)),
            ("LANES", division.lanes),
            ("ROW_GROUPS", division.row_groups),
            ("COLUMN_GROUPS", division.column_groups),
            ("MATRICES", division.matrices),
            ("STEP", division.step),
            ("TAP_ROWS", division.taps[0]),
            ("TAP_COLUMNS", division.taps[1]),
            ("TAP_RUN", division.tap_run),
            ("PATCH_ROWS", division.patch[0]),
            ("PATCH_COLUMNS", division.patch[1]),
            ("BUFFERS", division.buffers),
            ("TAIL", u64::from(!(weight.c as u64).is_multiple_of(division.step))),
            ("STAGED", division.staged()),
            ("SUMS", division.sums()),
        ]
        .map(|(name, value)| (name, value as f64));
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
