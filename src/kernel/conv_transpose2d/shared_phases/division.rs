//! Which kernel computes phases that share cells, and how it divides windows and blocks among workgroups.

use super::super::Problem;
use super::super::packed::Packing;
use super::super::phased::Onto;
use super::{ROWS, SHARED_PHASES, SHARED_PHASES_GATHERED, SHARED_PHASES_U64, STAGED};
use crate::gpu::{Caps, Kernel};
use crate::kernel::card::Card;
use crate::kernel::conv2d::sharing::{self, Sharing};
use crate::kernel::conv2d::tiled::{CELLS, SCATTERED, workgroup};

/// Pairs of cells around the windows of a workgroup of `conv_transpose2d/shared_phases_staged`, and channels of which
/// it holds them at a time.
const PAIRS: usize = 66;
const STAGE_CHANNELS: usize = 31;

/// Windows of an invocation of `conv_transpose2d/shared_phases_rows`, and the most blocks of a workgroup, which stage its cells.
const ROW_WINDOWS: u64 = 8;
const ROW_BLOCKS: u64 = 4;

/// How windows and blocks are divided.
pub(super) struct Division {
    pub(super) kernel: &'static Kernel,
    /// Runs of windows along a row, and of an image.
    pub(super) row_runs: u64,
    pub(super) runs: u64,
    /// Windows of a workgroup, and workgroups along those of an image.
    windows: u64,
    pub(super) run_tiles: u64,
    /// Blocks of a workgroup, and its invocations.
    pub(super) blocks: u64,
    pub(super) workgroup: u64,
}

impl Division {
    /// The one of less effort. A GPU's invocations are rows, unless each has to have all classes.
    pub(super) fn new(problem: &Problem<'_>, into: Onto, packing: &Packing, caps: &Caps) -> Self {
        if !caps.software && into == Onto::Channels {
            return Self::rows(problem, packing);
        }
        let gathered = Self::gathered(problem, caps);
        // A workgroup's blocks read the same cells, and come one after another in one dispatch.
        let shares = problem.op.groups == 1 && packing.runs(caps).is_ok_and(|runs| runs == 1);
        let Some(sharing) =
            Sharing::of(packing.blocks, 1, caps).filter(|&sharing| shares && ends(sharing, problem, caps))
        else {
            return gathered;
        };
        let staged = Self::staged(problem, sharing);
        let effort = |division: &Self| division.effort(problem, packing, Card::LARGE, caps);
        if effort(&staged) < effort(&gathered) { staged } else { gathered }
    }

    /// A block a workgroup, four windows an invocation.
    fn gathered(problem: &Problem<'_>, caps: &Caps) -> Self {
        let [rows, columns] = extent(problem);
        let (row_runs, lanes) = (columns.div_ceil(CELLS), workgroup(caps));
        let runs = rows * row_runs;
        Self {
            kernel: match caps.loads_pairs() {
                _ if caps.gathers_rows() => &SHARED_PHASES_GATHERED,
                true => &SHARED_PHASES_U64,
                false => &SHARED_PHASES,
            },
            row_runs,
            runs,
            windows: CELLS * lanes,
            run_tiles: runs.div_ceil(lanes),
            blocks: 1,
            workgroup: lanes,
        }
    }

    /// A row an invocation, in eight windows; blocks of one group share their cells.
    fn rows(problem: &Problem<'_>, packing: &Packing) -> Self {
        let [rows, columns] = extent(problem);
        let row_runs = columns.div_ceil(ROW_WINDOWS);
        // As many workgroups as with the most blocks each, and these alike.
        let blocks = packing.group_blocks.div_ceil(packing.group_blocks.div_ceil(ROW_BLOCKS));
        let blocks = if problem.op.groups == 1 { blocks } else { 1 };
        Self {
            kernel: &ROWS,
            row_runs,
            runs: rows * row_runs,
            windows: ROW_WINDOWS,
            run_tiles: rows * row_runs,
            blocks,
            workgroup: blocks * packing.rows,
        }
    }

    /// A block a subgroup, eight windows an invocation.
    fn staged(problem: &Problem<'_>, sharing: Sharing) -> Self {
        let [rows, columns] = extent(problem);
        // A row's first cell is also the one after the row before, where both are zero; elsewhere a window between the
        // two, which is not stored, keeps them apart.
        let outside = problem.op.pad.left < problem.op.stride[1] && columns > problem.input.w as u64;
        let row_runs = if outside { columns } else { columns + 1 };
        let runs = rows * row_runs;
        Self {
            kernel: &STAGED,
            row_runs,
            runs,
            windows: sharing::CELLS,
            run_tiles: runs.div_ceil(sharing::CELLS),
            blocks: sharing.subgroups,
            workgroup: sharing.workgroup(),
        }
    }

    /// Multiply-adds, those of windows beyond the last included.
    pub(super) fn products(&self, problem: &Problem<'_>, packing: &Packing) -> u64 {
        let windows = problem.output.n as u64 * self.run_tiles * self.windows;
        windows * packing.blocks * packing.rows * 4 * problem.group_inputs() as u64
    }

    /// What they take on a card, in multiply-adds of a register tile.
    pub(super) fn effort(&self, problem: &Problem<'_>, packing: &Packing, card: Card, caps: &Caps) -> f64 {
        let rate = match self.kernel {
            kernel if std::ptr::eq(kernel, &STAGED) => staging(self.blocks),
            kernel if std::ptr::eq(kernel, &ROWS) => BY_ROWS,
            _ => gathering(packing.rows, caps),
        };
        let workgroups = problem.output.n as u64 * packing.blocks.div_ceil(self.blocks) * self.run_tiles;
        let (invocations, sums) =
            ((workgroups * self.workgroup) as f64, self.windows * packing.rows * self.blocks / self.workgroup);
        let work = SCATTERED * rate * self.products(problem, packing) as f64 / invocations;
        card.dispatched(invocations, sums, work, caps)
    }
}

/// Whether the driver lets the loops of subgroups that share end.
fn ends(sharing: Sharing, problem: &Problem<'_>, caps: &Caps) -> bool {
    let stages = problem.group_inputs().div_ceil(STAGE_CHANNELS);
    let filling = PAIRS.div_ceil(sharing.workgroup() as usize);
    sharing.ends(stages as u64, &[filling, STAGE_CHANNELS], STAGE_CHANNELS, caps)
}

/// What a multiply-add takes with the loads for it. Where `phased` loads sixteen cells, this loads ten: five rows'
/// worth, or, by what was measured on a CPU driver, three in a tile of 24 rows, which is no slower a row than one of
/// 32.
fn gathering(rows: u64, caps: &Caps) -> f64 {
    let loads = if caps.software && rows == 24 { 3.0 } else { 5.0 };
    1.0 + loads / rows as f64
}

/// The same where so many blocks share their cells, which are staged once for all (measured on a CPU driver).
fn staging(blocks: u64) -> f64 {
    0.8 + 0.4 / blocks as f64
}

/// The same where an invocation reads one vector of weights and six of cells for 32 multiply-adds (H200: 21->21 k16 s8 @34 17 us, k64
/// s32 @16 59).
const BY_ROWS: f64 = 0.9;

/// Windows along each axis: between which cells of the input output cells lie.
fn extent(problem: &Problem<'_>) -> [u64; 2] {
    let (op, output) = (problem.op, problem.output.extent());
    [0, 1].map(|axis| {
        let (stride, before) = (op.stride[axis], op.pad.before()[axis]);
        ((before + output[axis] - 1) / stride - before / stride + 1) as u64
    })
}
