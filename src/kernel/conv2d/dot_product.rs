//! `Variant::DotProduct`: a kernel that covers its map, so that each result is one product of two rows of memory.

use super::blocks::Blocks;
use super::{Form, OP, Operands, Problem, Variant, not_in_half, pack};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Step, Storage, fold_workgroups};
use crate::kernel::card::Card;
use crate::kernel::shards::{Rows, Shard};
use crate::kernel::{ACTIVATION, INDEX, convert, params, part, rounds_within};
use crate::op::Conv2d;

/// Output channels of a workgroup, as the shader writes them out.
const CHANNELS: u64 = 8;

static MAIN: Part = part!("conv2d/dot_product.wgsl");
static F32: Part = part!("conv2d/dot_product_f32.wgsl");
static HALF: Part = part!("conv2d/dot_product_half.wgsl");

const BINDINGS: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write];

pub(super) static DOT_PRODUCT: Kernel = Kernel {
    name: "conv2d/dot_product",
    parts: &[&INDEX, &ACTIVATION, &F32, &MAIN],
    bindings: BINDINGS,
    needs_float_atomics: false,
};

pub(super) static DOT_PRODUCT_HALF: Kernel = Kernel {
    name: "conv2d/dot_product_half",
    parts: &[&INDEX, &ACTIVATION, &HALF, &MAIN],
    bindings: BINDINGS,
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv2d/dot_product`; the shader says what they mean.
    struct Params {
        row_terms: u32,
        weight_offset: u32,
        images: u32,
        image_words: u32,
        group_words: u32,
        plane: u32,
        out_channels: u32,
        group_rows: u32,
        group_tiles: u32,
        first_group: u32,
        first_channel: u32,
        tiles: u32,
    }
}

/// Invocations that share a row: the lanes of a CPU driver; on a GPU so many that the loads under way keep its memory busy. By 64,
/// fc6 of DeconvNet has 1 MB of loads under way, and reached 1.7 TB/s on an H100, which copies at 2.4 to 2.9.
fn lanes(caps: &Caps) -> u64 {
    if caps.software { 8 } else { 256 }
}

/// # Errors
/// [`Error::Unsupported`] where the kernel does not cover the map, or a driver would cut the sums short.
fn check(&Problem { op, input, weight, .. }: &Problem<'_>, caps: &Caps) -> Result<()> {
    let dilated = (0..2).any(|axis| op.kernel[axis] > 1 && op.dilation[axis] > 1);
    let padded = op.pad.before() != [0, 0] || op.pad.after() != [0, 0];
    if op.kernel != input.extent() || padded || dilated {
        return Err(Error::Unsupported {
            what: format!("{OP} variant {}", Variant::DotProduct.name()),
            why: format!(
                "it is for a kernel that covers the map, without padding or dilation, not for {:?} over {input}",
                op.kernel
            ),
            way_out: "use the tiled variant, or none, which chooses by shape".to_owned(),
        });
    }
    let row = (weight.elements() / weight.n) as u64;
    rounds_within(OP, lanes(caps), row.div_ceil(lanes(caps)), caps)?;
    Ok(())
}

/// What a weight costs that is read once, in multiply-adds of a register tile: measured on a CPU driver by DeconvNet's fc6 and
/// fc7, where memory is the limit. On GPUs, where it is the limit too, an estimate.
const STREAMED: f64 = 12.0;

/// What it takes on a card, in multiply-adds of a register tile, in whole blocks of channels and shares of a row. `None` where it
/// does not apply.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> Option<f64> {
    check(problem, caps).ok()?;
    let &Problem { op, input, weight, .. } = problem;
    let group_tiles = problem.group_outputs().div_ceil(CHANNELS);
    let invocations = (input.n * op.groups) as u64 * group_tiles * lanes(caps);
    let share = (weight.c as u64 * weight.plane() as u64).div_ceil(lanes(caps));
    Some(card.dispatched(invocations as f64, CHANNELS, STREAMED * (CHANNELS * share) as f64, caps))
}

/// One dispatch a shard of the weight.
///
/// # Errors
/// [`Error::Unsupported`] where the kernel does not cover the map; [`Error::Limit`] where one output channel's weights exceed a
/// binding.
pub(super) fn plan(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    check(problem, caps)?;
    let &Problem { op, input, weight, output } = problem;
    let groups = op.groups as u64;
    let group_rows = weight.n as u64 / groups;
    let row_words = (weight.elements() / weight.n) as u64;
    let what = "conv2d: the weight of one output channel";
    let shards = Rows { what, groups, group_rows, words: row_words, most_group_rows: group_rows }.shards(caps)?;
    let tiles = |shard: &Shard| input.n as u64 * shard.groups * shard.group_rows.div_ceil(CHANNELS);
    let step = |shard: &Shard| {
        let params = Params {
            row_terms: row_words as u32,
            weight_offset: shard.offset as u32,
            images: input.n as u32,
            image_words: (groups * row_words) as u32,
            group_words: row_words as u32,
            plane: input.plane() as u32,
            out_channels: output.c as u32,
            group_rows: shard.group_rows as u32,
            group_tiles: shard.group_rows.div_ceil(CHANNELS) as u32,
            first_group: shard.first_group as u32,
            first_channel: shard.first_row as u32,
            tiles: tiles(shard) as u32,
        };
        let constants = constants(op, operands, caps);
        Ok(Step {
            kernel: &DOT_PRODUCT,
            constants,
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: vec![
                operands.input.into(),
                shard.part_of(operands.weight),
                operands.bias.into(),
                operands.output.into(),
            ],
            workgroups: fold_workgroups(tiles(shard), caps)?,
        })
    };
    let executed_macs = shards.iter().map(|shard| tiles(shard) * CHANNELS * row_words).sum();
    let run = shards.iter().map(step).collect::<Result<_>>()?;
    Ok(KernelPlan { variant: Variant::DotProduct.name(), executed_macs, run, ..KernelPlan::default() })
}

/// Overrides.
fn constants(op: &Conv2d, operands: Operands, caps: &Caps) -> Vec<(&'static str, f64)> {
    let bias = operands.bias != Buffer::Absent;
    vec![("BIAS", f64::from(bias)), ("RELU", f64::from(op.relu)), ("WORKGROUP", lanes(caps) as f64)]
}

/// Whether [`plan_half`] is for such a convolution.
pub(super) fn applies_in_half(problem: &Problem<'_>, caps: &Caps) -> bool {
    problem.op.groups == 1 && check(problem, caps).is_ok()
}

/// The same for a map in f16: packs the weight in f16 into a persistent scratch buffer for each run of channels that a binding
/// holds, then a dispatch each. A result in f16, which is small, is converted last.
///
/// # Errors
/// As [`plan`]; [`Error::Unsupported`] for more than one group.
pub(super) fn plan_half(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    check(problem, caps)?;
    let &Problem { op, input, weight, output } = problem;
    if op.groups > 1 {
        return Err(not_in_half(OP, "variant dot-product is for one group there"));
    }
    let (inputs, taps, outputs) = (weight.c as u64, weight.plane() as u64, weight.n as u64);
    let row_terms = taps * inputs.div_ceil(4);
    let blocks =
        Blocks { rows: 1, groups: 1, group_outputs: outputs, row_words: inputs * taps, block_words: 2 * row_terms };
    let runs = blocks.runs(caps)?;
    let mut plan = KernelPlan { variant: Variant::DotProduct.name(), half_weight: true, ..KernelPlan::default() };
    let result = match operands.form {
        Form::Halves => plan.temporary(output.elements() as u64),
        _ => operands.output,
    };
    let group_words = Storage::Halves.words(input) / input.n as u64;
    for run in runs {
        let packed = plan.persistent(run.blocks * blocks.block_words);
        plan.prepare.push(pack::step(
            [inputs, taps],
            (&blocks, &run),
            pack::Vectors { form: Form::Halves, four_rows: false },
            operands.weight,
            packed,
            caps,
        )?);
        let group_tiles = run.blocks.div_ceil(CHANNELS);
        let tiles = input.n as u64 * group_tiles;
        let params = Params {
            row_terms: row_terms as u32,
            weight_offset: 0,
            images: input.n as u32,
            image_words: group_words as u32,
            group_words: group_words as u32,
            plane: input.plane() as u32,
            out_channels: output.c as u32,
            group_rows: run.blocks as u32,
            group_tiles: group_tiles as u32,
            first_group: 0,
            first_channel: run.first_channel as u32,
            tiles: tiles as u32,
        };
        plan.run.push(Step {
            kernel: &DOT_PRODUCT_HALF,
            constants: constants(op, operands, caps),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: [operands.input, packed, operands.bias, result].map(Into::into).to_vec(),
            workgroups: fold_workgroups(tiles, caps)?,
        });
        plan.executed_macs += tiles * CHANNELS * row_terms * 4;
    }
    if result != operands.output {
        plan.run.push(convert::narrow(output, result, operands.output, caps)?);
    }
    Ok(plan)
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    vec![(&DOT_PRODUCT, Params::FIELDS), (&DOT_PRODUCT_HALF, Params::FIELDS)]
}
