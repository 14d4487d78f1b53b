//! `Variant::Cooperative`: an implicit matrix product on matrix units, operands rounded to f16 and summed in f32.

mod division;
pub(super) mod kernels;
mod trial;

use super::blocks::Blocks;
use super::pooled::{End, Pooling};
use super::product::Params;
use super::{Form, Interleave, OP, Operands, Variant, parts};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Operand, Scratch, Step, fold_workgroups};
use crate::kernel::card::Card;
use crate::kernel::flat::window_constants;
use crate::kernel::{HALF, INDEX, WORKGROUP, convert, loop_iterations, params, part, rounds_within};
use crate::op::Conv2d;
use crate::shape::Shape;

pub(super) static PACK: Kernel = Kernel {
    name: "conv2d/pack_cooperative",
    parts: &[&INDEX, &HALF, &part!("conv2d/pack_cooperative.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv2d/pack_cooperative`; the shader says what they mean.
    struct PackParams {
        weight_offset: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        taps: u32,
        first_block: u32,
        first_channel: u32,
        words: u32,
    }
}

use division::{Division, Problem};

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
    let least = Problem { images: 1, groups: 1, group_inputs: 1, group_outputs: 1, cells: 1, taps: 1, in_parts: false };
    division(&least, caps).map(|_| ()).map_err(|why| unsupported(op, why))
}

/// The division for this device, or what the device lacks.
fn division(problem: &Problem, caps: &Caps) -> std::result::Result<Division, String> {
    let Some(cooperative) = caps.cooperative.filter(|_| caps.f16) else {
        let features = "EXPERIMENTAL_COOPERATIVE_MATRIX and SHADER_F16";
        return Err(format!(
            "the device was opened without {features}, or has no square products of f16 into f32 in subgroups of one size"
        ));
    };
    Division::of(cooperative, problem, caps)
        .ok_or_else(|| format!("it is not written out for products of {cooperative}"))
}

/// What a multiply-add takes, against those of the largest staged workgroup (H200: up to 71 TMAC/s, in FCN-8s' fc6, beside 17).
const RATE: f64 = 0.25;

/// What it takes on a card, sums whole; comparable with the other variants' efforts. `None` where it does not apply.
pub(super) fn effort(op: &Conv2d, weight: Shape, output: Shape, card: Card, caps: &Caps) -> Option<f64> {
    let problem = Problem {
        images: output.n as u64,
        groups: op.groups as u64,
        group_inputs: weight.c as u64,
        group_outputs: (weight.n / op.groups) as u64,
        cells: output.plane() as u64,
        taps: weight.plane() as u64,
        in_parts: false,
    };
    let division = division(&problem, caps).ok()?;
    let workgroups = division.workgroups(&problem);
    let executed = workgroups * division.rows() * division.cells() * division.steps(&problem) * division.step;
    Some(RATE * executed as f64 * card.idle_of_staged(workgroups) + card.dispatch(caps))
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
pub(super) fn plan(
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let (groups, taps) = (op.groups as u64, (op.kernel[0] * op.kernel[1]) as u64);
    let group_outputs = weight.n as u64 / groups;
    let mut plan = KernelPlan { variant: Variant::Cooperative.name(), half_weight: true, ..KernelPlan::default() };
    let window = window_constants(op.kernel, op.stride, op.dilation);
    let phases = operands.interleave.map(Interleave::constants);
    if operands.form == Form::Words {
        plan.run.push(convert::check_range(input, operands.input, caps)?);
    }
    let end = match operands.pooling {
        Some(_) if operands.form != Form::Halves => return Err(Pooling::refused("the map is f32".to_owned())),
        pooling => pooling.map(|pooling| pooling.end_in_windows(&mut plan, output, caps)).transpose()?,
    };
    let computed = end.as_ref().map_or(output, End::windows);
    let problem = Problem {
        images: output.n as u64,
        groups,
        group_inputs: weight.c as u64,
        group_outputs,
        // With a pooling as without, so that their sums are the same.
        cells: output.plane() as u64,
        taps,
        in_parts: phases.is_none(),
    };
    let division = division(&problem, caps).map_err(|why| unsupported(OP, why))?;
    let (rows, steps) = (division.rows(), division.steps(&problem));
    let part_steps = division.part_steps(&problem, caps);
    let parts = steps.div_ceil(part_steps);
    if parts > 1 && end.is_some() {
        return Err(Pooling::refused("the sums are taken in parts".to_owned()));
    }
    let rounds = [part_steps, division.step / division.tile].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    rounds_within(OP, 0, loop_iterations(&rounds), caps)?;
    let row_words = weight.c as u64 * taps;
    let blocks = Blocks { rows, groups, group_outputs, row_words, block_words: rows * division.step * steps / 2 };
    // Bias, ReLU and rounding are for the whole sums.
    let partial = (parts > 1).then(|| {
        plan.scratch.push(Scratch { words: parts * output.elements() as u64, persistent: false });
        let form = if operands.form == Form::Words { Form::Words } else { Form::HalvesToWords };
        let output = Buffer::Scratch(plan.scratch.len() - 1);
        Operands { bias: Buffer::Absent, output, form, ..operands }
    });
    let to = partial.unwrap_or(operands);
    let runs = blocks.runs(caps)?;
    let whole = runs.len() == 1;
    for run in runs {
        let packed = Buffer::Scratch(plan.scratch.len());
        let words = run.blocks * blocks.block_words;
        plan.scratch.push(Scratch { words, persistent: true });
        let pack = PackParams {
            weight_offset: run.offset as u32,
            group_inputs: weight.c as u32,
            group_outputs: group_outputs as u32,
            group_blocks: blocks.group_blocks() as u32,
            taps: taps as u32,
            first_block: run.first_block as u32,
            first_channel: run.first_channel as u32,
            words: words as u32,
        };
        plan.prepare.push(Step {
            kernel: &PACK,
            constants: vec![("ROWS", rows as f64), ("STEP", division.step as f64), ("WORKGROUP", f64::from(WORKGROUP))],
            params: bytemuck::bytes_of(&pack).to_vec(),
            operands: vec![
                Operand { buffer: operands.weight, words: (!whole).then(|| run.words.clone()) },
                packed.into(),
            ],
            workgroups: fold_workgroups(words.div_ceil(u64::from(WORKGROUP)), caps)?,
        });
        let cell_tiles = (computed.plane() as u64).div_ceil(division.cells());
        let tiles = output.n as u64 * run.blocks * cell_tiles;
        let params = Params::of(op, [input, weight, output], operands.interleave, &blocks, &run, [cell_tiles, tiles])
            .summing(0..(weight.c as u64).div_ceil(4), parts, part_steps * division.step / 4);
        let constants = [
            ("BIAS", f64::from(to.bias != Buffer::Absent)),
            ("RELU", f64::from(op.relu && parts == 1)),
            ("LANES", division.lanes as f64),
            ("ROW_GROUPS", division.row_groups as f64),
            ("COLUMN_GROUPS", division.column_groups as f64),
            ("STEP", division.step as f64),
            ("BUFFERS", division.buffers as f64),
            ("STAGED", division.staged() as f64),
            ("SUMS", division.sums() as f64),
        ];
        let mut bound = vec![to.input, packed, to.bias, to.output];
        bound.extend((to.form == Form::Halves).then_some(Buffer::Overflow));
        bound.extend(end.as_ref().map(|end| end.switches));
        let (kernel, ending): (_, &[_]) = match (&phases, &end) {
            (_, Some(end)) => (division.pooled_kernel(), &end.constants),
            (Some(phases), _) => (division.kernel(to.form, true), phases),
            _ => (division.kernel(to.form, false), &[]),
        };
        plan.run.push(Step {
            kernel,
            constants: [window.as_slice(), &constants, ending].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bound.into_iter().map(Into::into).collect(),
            workgroups: fold_workgroups(parts * tiles, caps)?,
        });
        plan.executed_macs += tiles * division.cells() * rows * steps * division.step;
    }
    if let Some(Operands { output: z, .. }) = partial {
        plan.run.push(parts::sum(parts, z, &operands, op.relu, output, caps)?);
    }
    Ok(plan)
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
    kernels.map(|kernel| (kernel, Params::FIELDS)).into_iter().chain([(&PACK, PackParams::FIELDS)]).collect()
}
