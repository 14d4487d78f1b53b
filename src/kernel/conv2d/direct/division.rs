//! Which kernel computes a convolution by its definition, how it divides cells and channels, and what that takes.

use super::super::choice::load;
use super::super::tiled::workgroup;
use super::super::{Form, OP, Problem, not_in_half};
use super::{
    DIRECT, DIRECT_STAGED, DIRECT_STAGED_HALF, DIRECT_STAGED_HALF_F32, MOST_CHANNELS, STAGED_CHANNELS, runs_of_inputs,
    taps_inside, taps_reached,
};
use crate::error::Result;
use crate::gpu::{Caps, Kernel};
use crate::kernel::card::Card;
use crate::kernel::{WORKGROUP, channel_block, check_binding};

/// Rows of cells that an invocation of `conv2d/direct_staged` has, and invocations of a workgroup (H200, conv1_1: 69 us by 128, 72 by
/// 256; 32 channels 82, four rows 84).
const STAGED_ROWS: u64 = 2;
const STAGED_WORKGROUP: u32 = 128;

/// The most terms of which a workgroup holds the weights of its channels: in 16 KiB.
const STAGED_TERMS: u64 = 256;

/// How cells and channels are divided.
pub(super) struct Division {
    pub(super) kernel: &'static Kernel,
    /// Output channels of an invocation, and rows of cells.
    pub(super) channels: u64,
    rows: u64,
    pub(super) workgroup: u32,
    /// Input channels of a word of the map.
    word_channels: u64,
    /// Input channels whose weights are staged at a time; none by `conv2d/direct`.
    piece: Option<u64>,
}

impl Division {
    /// By staged weights where these are worth staging, the only way in f16.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a map in f16 that they are not for.
    pub(super) fn of(problem: &Problem<'_>, form: Form, caps: &Caps) -> Result<Self> {
        match Self::staged(problem, form, caps).filter(|staged| staged.is_worth(problem, caps)) {
            Some(staged) => Ok(staged),
            None if form == Form::Words => Ok(Self::plain(problem)),
            None => Err(not_in_half(OP, "variant direct stages weights there, and these are not worth staging")),
        }
    }

    /// A few channels of one cell an invocation.
    pub(super) fn plain(problem: &Problem<'_>) -> Self {
        let channels = channel_block(problem.group_outputs(), MOST_CHANNELS);
        Self { kernel: &DIRECT, channels, rows: 1, workgroup: WORKGROUP, word_channels: 1, piece: None }
    }

    /// More channels of two cells, by weights in workgroup memory, where those of a word of the map fit it and a driver lets the loops
    /// end; in f16 where one binding holds all weights, for cut anywhere they would share words of the result.
    pub(super) fn staged(problem: &Problem<'_>, form: Form, caps: &Caps) -> Option<Self> {
        let inputs = problem.weight.c;
        let (kernel, word_channels) = match form {
            Form::Words => (&DIRECT_STAGED, 1),
            Form::Halves => (&DIRECT_STAGED_HALF, 2),
            Form::HalvesToWords => (&DIRECT_STAGED_HALF_F32, 2),
        };
        let fit = STAGED_TERMS / problem.taps();
        let piece = if inputs as u64 <= fit { inputs as u64 } else { fit / word_channels * word_channels };
        let ends = || runs_of_inputs(inputs, problem.op.kernel, caps).is_ok_and(|runs| runs.len() == 1);
        let whole = || form == Form::Words || check_binding(OP, "weight", problem.weight, caps).is_ok();
        (piece > 0 && ends() && whole()).then_some(Self {
            kernel,
            channels: STAGED_CHANNELS,
            rows: STAGED_ROWS,
            workgroup: STAGED_WORKGROUP,
            word_channels,
            piece: Some(piece),
        })
    }

    /// Whether weights are worth staging: on GPUs, where a group has more channels than an invocation of the other computes, and a
    /// plane cells for half of a workgroup.
    fn is_worth(&self, problem: &Problem<'_>, caps: &Caps) -> bool {
        let is_filled = 2 * self.invocations(problem) >= u64::from(self.workgroup);
        !caps.software && problem.group_outputs() > MOST_CHANNELS && is_filled
    }

    /// Overrides but for those of the operator.
    pub(super) fn constants(&self, problem: &Problem<'_>, accumulate: bool) -> Vec<(&'static str, f64)> {
        let workgroup = ("WORKGROUP", f64::from(self.workgroup));
        match self.piece {
            Some(piece) => {
                let staged = piece * problem.taps() * self.channels / 4;
                vec![workgroup, ("PIECE", piece as f64), ("STAGED", staged as f64)]
            }
            None => vec![workgroup, ("CHANNELS", self.channels as f64), ("ACCUMULATE", f64::from(accumulate))],
        }
    }

    /// Invocations with cells of a plane.
    fn invocations(&self, problem: &Problem<'_>) -> u64 {
        (problem.output.h as u64).div_ceil(self.rows) * problem.output.w as u64
    }

    /// Workgroups along the cells of a plane.
    pub(super) fn cell_tiles(&self, problem: &Problem<'_>) -> u64 {
        self.invocations(problem).div_ceil(u64::from(self.workgroup))
    }

    /// Multiply-adds: channels rounded up to tiles; by `conv2d/direct` taps inside the input only, which another visits with those
    /// around them.
    pub(super) fn macs(&self, problem: &Problem<'_>) -> u64 {
        let &Problem { op, weight, output, .. } = problem;
        let channels = op.groups as u64 * problem.group_outputs().next_multiple_of(self.channels);
        let cells = match self.piece {
            Some(_) => self.rows * self.invocations(problem) * problem.taps(),
            None => taps_inside(problem, 0).saturating_mul(taps_inside(problem, 1)),
        };
        (output.n as u64 * channels * weight.c as u64).saturating_mul(cells)
    }

    /// What it takes on a card, in multiply-adds of a register tile.
    pub(super) fn effort(&self, problem: &Problem<'_>, card: Card, caps: &Caps) -> f64 {
        let &Problem { op, weight, output, .. } = problem;
        let tiles = output.n as u64 * op.groups as u64 * problem.group_outputs().div_ceil(self.channels);
        let lanes = if self.piece.is_some() { u64::from(self.workgroup) } else { workgroup(caps) };
        let invocations = (tiles * self.invocations(problem).next_multiple_of(lanes)) as f64;
        let channels = self.channels as f64;
        let work = if self.piece.is_some() {
            let terms = (weight.c as u64 * problem.taps()) as f64;
            let words = (weight.c as u64).div_ceil(self.word_channels) as f64;
            self.rows as f64 * (STAGED_TERM * channels * terms + load(caps) * words)
        } else {
            // Taps at which no window is inside the map are not visited.
            let taps = [0, 1].map(|axis| taps_reached(problem, axis));
            (weight.c * taps[0] * taps[1]) as f64 * (channels + load(caps))
        };
        card.dispatched(invocations, self.channels * self.rows, work, caps)
    }
}

/// What a multiply-add by staged weights takes, with its share of loads that do not wait for a word's first, and of stores: a quarter
/// more than FCN-8s' conv1_1 says, which takes 69 us on an H200, so that longer sums than its 27 terms, of which none was measured, are
/// not taken from minimal filtering for little. In f16, of which nothing was measured, stores are half as many.
const STAGED_TERM: f64 = 1.45;
