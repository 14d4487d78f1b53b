//! `Variant::Tiled` and `Staged`: an implicit matrix product in register tiles, over weights packed once.

use std::ops::Range;

use super::blocks::{Blocks, Run};
use super::division::{Division, Sources, vector_words};
use super::forms::{STAGED_HALF_POOLED, TILED_GATHERED, TILED_HALF_POOLED, TILED_SHARED, kernel_for};
use super::pooled::{End, Pooling};
use super::product::{Params, bindings, ending};
use super::{Form, OP, Operands, Problem, Variant, pack};
use crate::error::Result;
use crate::gpu::{Buffer, Caps, Kernel, KernelPlan, Step, fold_workgroups};
use crate::kernel::flat::window_constants;
use crate::kernel::{convert, loop_iterations, rounds_within};

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
pub(super) fn check_loops(&Problem { op, weight, .. }: &Problem<'_>, caps: &Caps) -> Result<()> {
    rounds_within(OP, 0, loop_iterations(&[op.kernel[0], op.kernel[1], weight.c.div_ceil(4)]), caps)?;
    Ok(())
}

/// The plan of [`Variant::Tiled`].
///
/// # Errors
/// [`Error::Limit`] where not even one block of weights fits a binding.
pub(super) fn plan(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    divided(&Division::tiled(problem, operands.form, caps), problem, operands, caps)
}

/// The plan of [`Variant::Staged`].
///
/// # Errors
/// As [`plan`].
pub(super) fn plan_staged(problem: &Problem<'_>, operands: Operands, caps: &Caps) -> Result<KernelPlan> {
    divided(&Division::staged(problem, 1), problem, operands, caps)
}

/// Packs the weight into a persistent scratch buffer for each run of blocks; then for each run a dispatch for each of the
/// division's cuts of the sum. What is cut is added up in f32 whatever the result's form; it cannot end in a pooling.
pub(super) fn divided(
    division: &Division,
    problem: &Problem<'_>,
    operands: Operands,
    caps: &Caps,
) -> Result<KernelPlan> {
    let &Problem { op, weight, output, .. } = problem;
    let taps = problem.taps();
    let quads = (weight.c as u64).div_ceil(4);
    let Operands { form, pooling, .. } = operands;
    let blocks = Blocks {
        rows: division.rows,
        groups: op.groups as u64,
        group_outputs: problem.group_outputs(),
        row_words: weight.c as u64 * taps,
        block_words: vector_words(form) * division.rows * quads * taps,
    };
    check_loops(problem, caps)?;
    let scratch = division.scratch.clone();
    let mut plan = KernelPlan { variant: division.variant.name(), scratch, ..KernelPlan::default() };
    if pooling.is_some() && (form != Form::Halves || division.quads < quads || division.parts > 1) {
        return Err(Pooling::refused("the sum is made in several dispatches, or in f32".to_owned()));
    }
    let stored = operands.interleave.map_or(output, |interleave| interleave.output);
    let to = match form {
        Form::Halves if division.quads < quads => {
            let output = plan.temporary(stored.elements() as u64);
            Operands { form: Form::HalvesToWords, output, ..operands }
        }
        _ => operands,
    };
    let end = pooling.map(|pooling| pooling.end_in_windows(&mut plan, output, caps)).transpose()?;
    let cells = end.as_ref().map_or(output, End::windows).plane() as u64;
    let cell_tiles = cells.div_ceil(division.cells);
    let multiplication = Multiplication { division, problem, operands: to, blocks, end, cell_tiles, caps };
    for run in blocks.runs(caps)? {
        let packed = plan.persistent(run.blocks * blocks.block_words);
        plan.prepare.push(pack::step(
            [weight.c as u64, taps],
            (&blocks, &run),
            pack::Vectors { form: to.form, four_rows: division.four_rows },
            to.weight,
            packed,
            caps,
        )?);
        for first_quad in (0..quads).step_by(usize::try_from(division.quads).unwrap_or(usize::MAX)) {
            let end_quad = first_quad.saturating_add(division.quads).min(quads);
            plan.run.push(multiplication.step(&run, packed, first_quad..end_quad)?);
        }
        let tiles = output.n as u64 * run.blocks * cell_tiles;
        plan.executed_macs += tiles * division.cells * division.rows * quads * 4 * taps;
    }
    if to.output != operands.output {
        plan.run.push(convert::narrow(stored, to.output, operands.output, caps)?);
    }
    Ok(plan)
}

/// A product over packed weights, but for the run of blocks and the input channels of a dispatch.
struct Multiplication<'a> {
    division: &'a Division,
    problem: &'a Problem<'a>,
    operands: Operands,
    blocks: Blocks,
    end: Option<End>,
    /// Workgroups along a plane's cells.
    cell_tiles: u64,
    caps: &'a Caps,
}

impl Multiplication<'_> {
    /// The dispatch of a run of blocks over these fours of input channels; it adds to what those before it summed, and the last
    /// ends the sums.
    fn step(&self, run: &Run, packed: Buffer, quads: Range<u64>) -> Result<Step> {
        let &Self { division, problem, operands, ref blocks, cell_tiles, caps, .. } = self;
        let &Problem { op, weight, output, .. } = problem;
        let all = (weight.c as u64).div_ceil(4);
        let (is_first, is_last) = (quads.start == 0, quads.end == all);
        let tiles = output.n as u64 * run.blocks.div_ceil(division.blocks) * cell_tiles;
        let params = Params::of(problem, operands.interleave, blocks, run, [cell_tiles, tiles]).summing(
            quads,
            division.parts,
            division.part_quads(all),
        );
        let bias = if is_last { operands.bias } else { Buffer::Absent };
        let epilogue = [("BIAS", f64::from(bias != Buffer::Absent)), ("RELU", f64::from(op.relu && is_last))];
        // What is stored in f16 is a whole sum.
        let added = (operands.form != Form::Halves).then_some(("ACCUMULATE", f64::from(!is_first)));
        let window = window_constants(op.kernel, op.stride, op.dilation);
        let ending = ending(operands.interleave, self.end.as_ref());
        Ok(Step {
            kernel: self.kernel()?,
            constants: [window.as_slice(), &epilogue, added.as_slice(), &division.constants, &ending].concat(),
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: bindings(&Operands { bias, ..operands }, packed, self.end.as_ref()),
            workgroups: fold_workgroups(division.parts * tiles, caps)?,
        })
    }

    fn kernel(&self) -> Result<&'static Kernel> {
        let Operands { form, interleave, .. } = self.operands;
        match (self.division.variant, &self.end) {
            (_, None) if self.division.sources == Sources::Shared => Ok(&TILED_SHARED),
            (_, None) if self.division.sources == Sources::Gathered => Ok(&TILED_GATHERED),
            (variant, None) => kernel_for(variant, form, interleave.is_some(), self.caps),
            (Variant::Staged, Some(_)) => Ok(&STAGED_HALF_POOLED),
            (_, Some(_)) => Ok(&TILED_HALF_POOLED),
        }
    }
}
