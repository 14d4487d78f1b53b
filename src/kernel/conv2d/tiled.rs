//! `Variant::Tiled` and `Staged`: an implicit matrix product in register tiles, over weights packed once.

use super::blocks::Blocks;
use super::division::{Division, vector_words};
use super::forms::{STAGED_HALF_POOLED, TILED_HALF_POOLED, TILED_SHARED, kernel_for};
use super::pooled::{End, Pooling};
use super::product::Params;
use super::{Form, Interleave, OP, Operands, Variant, pack};
use crate::error::Result;
use crate::gpu::{Buffer, Caps, KernelPlan, Operand, Scratch, Step, fold_workgroups};
use crate::kernel::flat::window_constants;
use crate::kernel::{convert, loop_iterations, rounds_within};
use crate::op::Conv2d;
use crate::shape::Shape;

/// Cells of an invocation: a vector.
pub(in crate::kernel) const CELLS: u64 = 4;

/// Invocations of a workgroup: the lanes of a CPU driver. On a GPU a warp's worth shares the weights it loads.
pub(in crate::kernel) fn workgroup(caps: &Caps) -> u64 {
    if caps.software { 8 } else { 32 }
}

/// Rows of a block, 8 to 32, for a group of so many output channels: the fewest rows computed, loads of the other operand
/// counted as eight rows a block (an estimate for CPU drivers).
pub(in crate::kernel) fn rows(group_outputs: u64) -> u64 {
    let cost = |rows: &u64| group_outputs.div_ceil(*rows) * (rows + 8);
    [32, 24, 16, 8].into_iter().min_by_key(cost).unwrap_or(8)
}

/// The loads of four scattered cells, with their bounds, against the aligned vectors of a Winograd product.
pub(in crate::kernel) const SCATTERED: f64 = 1.2;

/// Refuses a kernel and channels over which a driver would not let the loops of `conv2d/tiled` end.
///
/// # Errors
/// [`Error::Unsupported`].
pub(super) fn check_loops(op: &Conv2d, weight: Shape, caps: &Caps) -> Result<()> {
    rounds_within(OP, 0, loop_iterations(&[op.kernel[0], op.kernel[1], weight.c.div_ceil(4)]), caps)?;
    Ok(())
}

/// The plan of [`Variant::Tiled`].
///
/// # Errors
/// [`Error::Limit`] where not even one block of weights fits a binding.
pub(super) fn plan(
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let division = Division::tiled(op, [input, weight, output], operands.form, caps);
    divided(&division, op, input, weight, output, operands, caps)
}

/// The plan of [`Variant::Staged`].
///
/// # Errors
/// As [`plan`].
pub(super) fn plan_staged(
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    divided(&Division::staged(op, weight, output, 1, caps), op, input, weight, output, operands, caps)
}

/// Packs the weight into a persistent scratch buffer for each run of blocks; then for each run a dispatch for each of the
/// division's cuts of the sum. What is cut is added up in f32 whatever the result's form; it cannot end in a pooling.
pub(super) fn divided(
    division: &Division,
    op: &Conv2d,
    input: Shape,
    weight: Shape,
    output: Shape,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let (groups, taps) = (op.groups as u64, (op.kernel[0] * op.kernel[1]) as u64);
    let group_outputs = weight.n as u64 / groups;
    let quads = (weight.c as u64).div_ceil(4);
    let rows = division.rows;
    let form = operands.form;
    let block_vectors = rows * quads * taps;
    let row_words = weight.c as u64 * taps;
    let blocks = Blocks { rows, groups, group_outputs, row_words, block_words: vector_words(form) * block_vectors };
    check_loops(op, weight, caps)?;
    let scratch = division.scratch.clone();
    let mut plan = KernelPlan { variant: division.variant.name(), scratch, ..KernelPlan::default() };
    let stored = operands.interleave.map_or(output, |interleave| interleave.output);
    let phases = operands.interleave.map(Interleave::constants);
    let pooling = operands.pooling;
    if pooling.is_some() && (form != Form::Halves || division.quads < quads || division.parts > 1) {
        return Err(Pooling::refused("the sum is made in several dispatches, or in f32".to_owned()));
    }
    let (form, result) = match form {
        Form::Halves if division.quads < quads => {
            plan.scratch.push(Scratch { words: stored.elements() as u64, persistent: false });
            (Form::HalvesToWords, Buffer::Scratch(0))
        }
        _ => (form, operands.output),
    };
    let end = pooling.map(|pooling| pooling.end_in_windows(&mut plan, output, caps)).transpose()?;
    let computed = end.as_ref().map_or(output, End::windows);
    let runs = blocks.runs(caps)?;
    let whole = runs.len() == 1;
    for run in runs {
        let packed = Buffer::Scratch(plan.scratch.len());
        let words = run.blocks * blocks.block_words;
        plan.scratch.push(Scratch { words, persistent: true });
        let raw = Operand { buffer: operands.weight, words: (!whole).then(|| run.words.clone()) };
        plan.prepare.push(pack::step([weight.c as u64, taps], (&blocks, &run), form, raw, packed, caps)?);
        let cell_tiles = (computed.plane() as u64).div_ceil(division.cells);
        let tiles = output.n as u64 * run.blocks.div_ceil(division.blocks) * cell_tiles;
        let window = window_constants(op.kernel, op.stride, op.dilation);
        for first_quad in (0..quads).step_by(usize::try_from(division.quads).unwrap_or(usize::MAX)) {
            let end_quad = first_quad.saturating_add(division.quads).min(quads);
            let last = end_quad == quads;
            let params =
                Params::of(op, [input, weight, output], operands.interleave, &blocks, &run, [cell_tiles, tiles])
                    .summing(first_quad..end_quad, division.parts, division.part_quads(quads));
            let bias = if last { operands.bias } else { Buffer::Absent };
            let epilogue = [("BIAS", f64::from(bias != Buffer::Absent)), ("RELU", f64::from(op.relu && last))];
            // What is stored in f16 is a whole sum.
            let added = (form != Form::Halves).then_some(("ACCUMULATE", f64::from(first_quad > 0)));
            let mut bound = vec![operands.input, packed, bias, result];
            bound.extend((form == Form::Halves).then_some(Buffer::Overflow));
            bound.extend(end.as_ref().map(|end| end.switches));
            let kernel = match (division.variant, pooling) {
                (_, None) if division.shared => &TILED_SHARED,
                (variant, None) => kernel_for(variant, form, phases.is_some(), caps)?,
                (Variant::Staged, Some(_)) => STAGED_HALF_POOLED.on(caps),
                (_, Some(_)) => &TILED_HALF_POOLED,
            };
            let ending: &[_] = match (&phases, &end) {
                (Some(phases), _) => phases,
                (_, Some(end)) => &end.constants,
                _ => &[],
            };
            plan.run.push(Step {
                kernel,
                constants: [window.as_slice(), &epilogue, added.as_slice(), &division.constants, ending].concat(),
                params: bytemuck::bytes_of(&params).to_vec(),
                operands: bound.into_iter().map(Into::into).collect(),
                workgroups: fold_workgroups(division.parts * tiles, caps)?,
            });
        }
        plan.executed_macs += output.n as u64 * run.blocks * cell_tiles * division.cells * rows * quads * 4 * taps;
    }
    if result != operands.output {
        plan.run.push(convert::narrow(stored, result, operands.output, caps)?);
    }
    Ok(plan)
}
