//! [`Variant::SharedPhases`](super::Variant::SharedPhases): phases of a kernel of twice the stride, from cells loaded once for
//! several of them.

mod division;

use super::packed::{Packing, Run, packed};
use super::phased::Onto;
use super::{BEST_OF_TILE, OP, Problem, ROW};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Step, fold_workgroups};
use crate::kernel::argmax_channels::BEST;
use crate::kernel::card::Card;
use crate::kernel::conv2d::forms::{
    BLOCK_ROWS, COLUMNS, ONE_TILE, ROWS_GATHERED, ROWS_LOADED, TWO_TILES, WEIGHTS, WEIGHTS_U64,
};
use crate::kernel::conv2d::sharing::Sharing;
use crate::kernel::{ACTIVATION, INDEX, LANES_8, RANK, TILE, WORDS_U64, loop_iterations, params, part, rounds_within};
use division::Division;

static OPERANDS: Part = part!("conv_transpose2d/shared_phases_operands.wgsl");
static STORE: Part = part!("conv_transpose2d/shared_phases_store.wgsl");
static MAIN: Part = part!("conv_transpose2d/shared_phases.wgsl");
static STAGED_MAIN: Part = part!("conv_transpose2d/shared_phases_staged.wgsl");
static ROWS_MAIN: Part = part!("conv_transpose2d/shared_phases_rows.wgsl");

/// The kernel of a name, with weights read in some way and its last parts.
macro_rules! kernel {
    ($name:literal, [$($weights:ident),*], $($main:ident),*) => {
        Kernel {
            name: $name,
            parts: &[
                &INDEX, &ACTIVATION, &RANK, &TILE, $(&$weights,)* &OPERANDS, &BEST, &BEST_OF_TILE, &ROW, &STORE, $(&$main,)*
            ],
            bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
            needs_float_atomics: false,
        }
    };
}

pub(super) static SHARED_PHASES: Kernel =
    kernel!("conv_transpose2d/shared_phases", [WEIGHTS, ROWS_LOADED, BLOCK_ROWS, ONE_TILE], COLUMNS, MAIN);
/// The same with weights read two words at a time.
pub(super) static SHARED_PHASES_U64: Kernel = kernel!(
    "conv_transpose2d/shared_phases_u64",
    [WORDS_U64, WEIGHTS_U64, ROWS_LOADED, BLOCK_ROWS, ONE_TILE],
    COLUMNS,
    MAIN
);
/// The same with weights gathered, a word a lane.
pub(super) static SHARED_PHASES_GATHERED: Kernel =
    kernel!("conv_transpose2d/shared_phases_gathered", [ROWS_GATHERED, BLOCK_ROWS, ONE_TILE], COLUMNS, MAIN);
/// With cells in workgroup memory, for all of a workgroup's blocks.
pub(super) static STAGED: Kernel = kernel!(
    "conv_transpose2d/shared_phases_staged",
    [WORDS_U64, LANES_8, WEIGHTS_U64, ROWS_LOADED, TWO_TILES],
    STAGED_MAIN
);
/// An invocation a row, for GPUs.
pub(super) static ROWS: Kernel = kernel!("conv_transpose2d/shared_phases_rows", [], ROWS_MAIN);

params! {
    /// Uniforms of all of them; `conv_transpose2d/shared_phases_operands.wgsl` says what they mean.
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
        row_runs: u32,
        runs: u32,
        run_tiles: u32,
        tiles: u32,
    }
}

/// The most classes of which an invocation has all scores: rows of a block.
const MOST_CLASSES: usize = 32;

/// Whether every phase has two taps a side, in neighbouring cells.
pub(super) fn applies(problem: &Problem<'_>) -> bool {
    let op = problem.op;
    (0..2).all(|axis| op.kernel[axis] == 2 * op.stride[axis]) && op.dilation == [1, 1]
}

/// Whether an invocation has all scores of a pixel.
pub(super) fn holds_classes(problem: &Problem<'_>) -> bool {
    problem.op.groups == 1 && problem.output.c <= MOST_CLASSES
}

/// Packs the weight, then one dispatch for each run of its blocks.
///
/// # Errors
/// [`Error::Unsupported`] for other kernels than twice the stride or a dilation, and where the driver would cut the loop short;
/// [`Error::Limit`] as [`packed`].
pub(super) fn plan(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    plan_into(problem, Onto::Channels, caps)
}

/// As [`plan`], but for the class of each pixel, a word each, in the scratch buffer after those of this plan; needs
/// [`holds_classes`].
pub(super) fn plan_classes(problem: &Problem<'_>, caps: &Caps) -> Result<KernelPlan> {
    plan_into(problem, Onto::Classes, caps)
}

fn plan_into(problem: &Problem<'_>, into: Onto, caps: &Caps) -> Result<KernelPlan> {
    if !applies(problem) {
        let op = problem.op;
        return Err(Error::Unsupported {
            what: format!("{OP} in phases that share their cells"),
            why: format!(
                "that is for kernels of twice the stride and dilation 1, not for kernel {:?}, stride {:?}, dilation {:?}",
                op.kernel, op.stride, op.dilation
            ),
            way_out: "use phased, or none, which chooses by shape".to_owned(),
        });
    }
    rounds_within(OP, 0, loop_iterations(&[problem.group_inputs()]), caps)?;
    let packing = Packing::shared_phases(problem, into != Onto::Channels, caps);
    let division = Division::new(problem, into, &packing, caps);
    let plan = packed(problem, &packing, caps, |run| multiply(problem, &packing, &division, run, into, caps))?;
    Ok(KernelPlan { executed_macs: division.products(problem, &packing), ..plan })
}

/// Computes the rows of a run of blocks.
fn multiply(
    problem: &Problem<'_>,
    packing: &Packing,
    division: &Division,
    run: &Run,
    into: Onto,
    caps: &Caps,
) -> Result<Step> {
    let &Problem { op, input, output, .. } = problem;
    let &Division { kernel, row_runs, runs, run_tiles, workgroup, .. } = division;
    let tiles = output.n as u64 * run.blocks.div_ceil(division.blocks) * run_tiles;
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
        row_runs: row_runs as u32,
        runs: runs as u32,
        run_tiles: run_tiles as u32,
        tiles: tiles as u32,
    };
    let constants = [
        ("SY", op.stride[0] as f64),
        ("SX", op.stride[1] as f64),
        ("BIAS", f64::from(problem.bias)),
        ("RELU", f64::from(op.relu)),
        ("ARGMAX", f64::from(into != Onto::Channels)),
        ("ROWS", packing.rows as f64),
        ("WORKGROUP", workgroup as f64),
    ];
    let sharing = std::ptr::eq(kernel, &STAGED).then(|| Sharing::constant(caps));
    Ok(Step {
        kernel,
        constants: constants.into_iter().chain(sharing).collect(),
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: [Buffer::Input(0), run.packed, problem.bias(), into.result(packing, caps)?].map(Into::into).to_vec(),
        workgroups: fold_workgroups(tiles, caps)?,
    })
}

/// What it takes on a card, in multiply-adds of a register tile; comparable with the other variants' efforts. `None` for other kernels.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> Option<f64> {
    let packing = Packing::shared_phases(problem, false, caps);
    let division = || Division::new(problem, Onto::Channels, &packing, caps);
    applies(problem).then(|| division().effort(problem, &packing, card, caps))
}
