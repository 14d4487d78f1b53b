//! [`Variant::Phased`](super::Variant::Phased): each output phase a dense convolution in register tiles, over weights
//! packed once.

use std::collections::BTreeMap;

use super::gather::{most_taps, phase_constants};
use super::packed::{Packing, Run, packed};
use super::{BEST_OF_TILE, OP, Problem};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Step, fold_workgroups};
use crate::kernel::argmax_channels::BEST;
use crate::kernel::axis::{greatest_common_divisor, inverse_modulo};
use crate::kernel::card::Card;
use crate::kernel::conv2d::forms::{
    BLOCK_ROWS, COLUMNS, ONE_TILE, ROWS_GATHERED, ROWS_LOADED, STORE, WEIGHTS, WEIGHTS_U64,
};
use crate::kernel::conv2d::tiled::{CELLS, SCATTERED, workgroup};
use crate::kernel::flat::window_constants;
use crate::kernel::{ACTIVATION, INDEX, RANK, TILE, WORDS_U64, loop_iterations, params, part, rounds_within};

static PHASE: Part = part!("conv_transpose2d/phase.wgsl");
static MAIN: Part = part!("conv_transpose2d/phased.wgsl");

/// The kernel with weights read in some way.
macro_rules! with_weights {
    ($name:literal, $($weights:ident),*) => {
        Kernel {
            name: $name,
            parts: &[&INDEX, &ACTIVATION, &RANK, &TILE, $(&$weights,)* &BLOCK_ROWS, &ONE_TILE, &COLUMNS, &STORE, &BEST, &BEST_OF_TILE, &PHASE, &MAIN],
            bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
            needs_float_atomics: false,
        }
    };
}

pub(super) static PHASED: Kernel = with_weights!("conv_transpose2d/phased", WEIGHTS, ROWS_LOADED);
/// The same with weights read two words at a time.
pub(super) static PHASED_U64: Kernel =
    with_weights!("conv_transpose2d/phased_u64", WORDS_U64, WEIGHTS_U64, ROWS_LOADED);
/// The same with weights gathered, a word a lane.
pub(super) static PHASED_GATHERED: Kernel = with_weights!("conv_transpose2d/phased_gathered", ROWS_GATHERED);

/// The kernel for such a device.
fn kernel(caps: &Caps) -> &'static Kernel {
    match caps.loads_pairs() {
        _ if caps.gathers_rows() => &PHASED_GATHERED,
        true => &PHASED_U64,
        false => &PHASED,
    }
}

params! {
    /// Uniforms of `conv_transpose2d/phased`; the shader says what they mean.
    pub(super) struct Params {
        in_channels: u32,
        in_h: u32,
        in_w: u32,
        out_channels: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        first_block: u32,
        blocks: u32,
        phases_h: u32,
        phases_w: u32,
        cell_tiles: u32,
        tiles: u32,
    }
}

/// Packs the weight, then one dispatch for each run of its blocks.
///
/// # Errors
/// As [`packed`]; [`Error::Unsupported`](crate::Error::Unsupported) where the driver would cut the loops short.
pub(super) fn plan(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    plan_into(problem, Onto::Channels, caps)
}

/// As [`plan`], but for the class of each pixel, a word each, in the scratch buffer after those of this plan; needs
/// [`in_one_block`].
pub(super) fn plan_classes(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    plan_into(problem, Onto::Classes, caps)
}

/// What the register tiles become.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Onto {
    /// The output.
    Channels,
    /// The class of each pixel.
    Classes,
}

impl Onto {
    /// Where they go: behind the packed weights, if not into the output.
    pub(super) fn result(self, packing: &Packing, caps: &Caps) -> Result<Buffer> {
        Ok(match self {
            Self::Channels => Buffer::Output(0),
            Self::Classes => Buffer::Scratch(packing.runs(caps)? as usize),
        })
    }
}

fn plan_into(problem: &Problem<'_>, into: Onto, caps: &Caps) -> Result<KernelPlan> {
    let [rows, columns] = most_taps(problem.op);
    rounds_within(OP, 0, loop_iterations(&[rows, columns, problem.group_inputs().div_ceil(4)]), caps)?;
    let packing = Packing::of(problem);
    let plan = packed(problem, &packing, caps, |run| multiply(problem, &packing, run, into, caps))?;
    Ok(KernelPlan { executed_macs: products(problem, &packing, caps), ..plan })
}

/// Whether one block has all channels.
pub(super) fn in_one_block(problem: &Problem<'_>) -> bool {
    Packing::of(problem).blocks == 1
}

/// Phases along each axis.
fn phase_counts(Problem { op, output, .. }: &Problem<'_>) -> [usize; 2] {
    [op.stride[0].min(output.h), op.stride[1].min(output.w)]
}

/// Workgroups along a phase's cells. Phases differ by at most a row and a column; the first is the largest.
fn cell_tiles(Problem { op, output, .. }: &Problem<'_>, caps: &Caps) -> u64 {
    let phase_cells = (output.h.div_ceil(op.stride[0]) * output.w.div_ceil(op.stride[1])) as u64;
    phase_cells.div_ceil(CELLS * workgroup(caps))
}

/// Workgroups that compute a block: its cells in all phases and images.
fn workgroups_a_block(problem: &Problem<'_>, caps: &Caps) -> u64 {
    let [phases_h, phases_w] = phase_counts(problem);
    problem.output.n as u64 * (phases_h * phases_w) as u64 * cell_tiles(problem, caps)
}

/// Computes the output channels of a run of blocks.
fn multiply(problem: &Problem<'_>, packing: &Packing, run: &Run, into: Onto, caps: &Caps) -> Result<Step> {
    let &Problem { op, input, output, .. } = problem;
    let ([phases_h, phases_w], cell_tiles) = (phase_counts(problem), cell_tiles(problem, caps));
    let tiles = run.blocks * workgroups_a_block(problem, caps);
    let params = Params {
        in_channels: input.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_channels: output.c as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.pad.top as u32,
        pad_left: op.pad.left as u32,
        group_inputs: problem.group_inputs() as u32,
        group_outputs: packing.group_outputs as u32,
        group_blocks: packing.group_blocks as u32,
        first_block: run.first_block as u32,
        blocks: run.blocks as u32,
        phases_h: phases_h as u32,
        phases_w: phases_w as u32,
        cell_tiles: cell_tiles as u32,
        tiles: tiles as u32,
    };
    let own = [
        ("BIAS", f64::from(problem.bias)),
        ("ACCUMULATE", 0.0),
        ("RELU", f64::from(op.relu)),
        ("ARGMAX", f64::from(into != Onto::Channels)),
        ("ROWS", packing.rows as f64),
        ("WORKGROUP", workgroup(caps) as f64),
    ];
    let window = window_constants(op.kernel, op.stride, op.dilation);
    let operands = [Buffer::Input(0), run.packed, problem.bias(), into.result(packing, caps)?];
    Ok(Step {
        kernel: kernel(caps),
        constants: [window.as_slice(), &phase_constants(op), &own].concat(),
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: operands.map(Into::into).to_vec(),
        workgroups: fold_workgroups(tiles, caps)?,
    })
}

/// Multiply-adds of the register tiles, what lies past the last cell, row and channel included.
fn products(problem: &Problem<'_>, packing: &Packing, caps: &Caps) -> u64 {
    windows(problem, caps).saturating_mul(packing.blocks * packing.rows * 4 * packing.quads)
}

/// What `conv_transpose2d/phased` takes on a card, in multiply-adds of its register tile; comparable with the other variants'
/// efforts and those of convolutions.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> f64 {
    let packing = Packing::of(problem);
    let invocations = (packing.blocks * workgroups_a_block(problem, caps) * workgroup(caps)) as f64;
    let terms = SCATTERED * windows(problem, caps) as f64 * (packing.blocks * 4 * packing.quads) as f64;
    let work = terms * (packing.rows + 8) as f64 / invocations;
    card.dispatched(invocations, CELLS * packing.rows, work, caps)
}

/// Cells times taps, summed over phases and images, cells rounded up to workgroups.
fn windows(problem: &Problem<'_>, caps: &Caps) -> u64 {
    let [rows, columns] = [0, 1].map(|axis| phases(problem, axis));
    let mut windows = 0_u64;
    for (&(row_taps, row_cells), row_phases) in &rows {
        for (&(column_taps, column_cells), column_phases) in &columns {
            let cells = (row_cells * column_cells).next_multiple_of(CELLS * workgroup(caps));
            windows = windows.saturating_add(row_phases * column_phases * row_taps * column_taps * cells);
        }
    }
    windows.saturating_mul(problem.output.n as u64)
}

/// How many phases along an axis have so many taps and so many cells.
fn phases(problem: &Problem<'_>, axis: usize) -> BTreeMap<(u64, u64), u64> {
    let (kernel, stride, dilation) = (problem.op.kernel[axis], problem.op.stride[axis], problem.op.dilation[axis]);
    let (before, cells) = (problem.op.pad.before()[axis], problem.output.extent()[axis]);
    let g = greatest_common_divisor(stride, dilation);
    let step = stride / g;
    let inverse = inverse_modulo(dilation / g, step);
    let mut phases = BTreeMap::new();
    for phase in 0..stride.min(cells) {
        let residue = (phase + before) % stride;
        let first = residue / g * inverse % step;
        let taps = if residue.is_multiple_of(g) { kernel.saturating_sub(first).div_ceil(step) } else { 0 };
        *phases.entry((taps as u64, (cells - phase).div_ceil(stride) as u64)).or_default() += 1;
    }
    phases
}
