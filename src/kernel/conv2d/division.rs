//! How the implicit matrix products of `conv2d/tiled` and `conv2d/staged` divide their work, and what that takes.

use super::sharing::{self, Sharing};
use super::tiled::{CELLS, SCATTERED, rows, workgroup};
use super::{Form, Variant};
use crate::gpu::{Caps, Scratch};
use crate::op::Conv2d;
use crate::shape::Shape;

/// Whole stages of input channels, in fours, of which `conv2d/staged` loads the weights at once.
pub(super) const STAGE_QUADS: u64 = 4;

/// What a tap costs besides its loads and multiply-adds, for each of a tile's cells: where they are and whether they are inside
/// (measured by layers of few channels on a CPU driver).
const TAP: f64 = 100.0;

/// How one of the kernels divides its work.
pub(super) struct Division {
    pub(super) variant: Variant,
    /// Whether the subgroups of a workgroup share cells.
    pub(super) shared: bool,
    /// Output channels of a block, and blocks and cells of a workgroup.
    pub(super) rows: u64,
    pub(super) blocks: u64,
    pub(super) cells: u64,
    /// Fours of input channels that one dispatch sums over.
    pub(super) quads: u64,
    /// Parts of the sums within a dispatch, each by its own workgroups.
    pub(super) parts: u64,
    /// Temporaries with which the plan begins.
    pub(super) scratch: Vec<Scratch>,
    /// Overrides that say so, where the kernel does not fix them.
    pub(super) constants: Vec<(&'static str, f64)>,
}

impl Division {
    /// Up to 32 channels of four cells an invocation, or of eight where that is less effort.
    pub(super) fn tiled(op: &Conv2d, [input, weight, output]: [Shape; 3], form: Form, caps: &Caps) -> Self {
        let rows = rows((weight.n / op.groups) as u64);
        let sharing = sharing(op, weight, caps)
            .filter(|_| form == Form::Words)
            .filter(|&sharing| shared_effort(sharing, op, weight, output) < own_effort(op, weight, output, caps));
        let invocations = sharing.map_or(workgroup(caps), Sharing::workgroup);
        Self {
            variant: Variant::Tiled,
            shared: sharing.is_some(),
            rows,
            blocks: sharing.map_or(1, |sharing| sharing.subgroups),
            cells: if sharing.is_some() { sharing::CELLS } else { CELLS * invocations },
            quads: match sharing {
                Some(sharing) => shared_quads(rows * sharing.subgroups, op),
                None if caps.software => cached_quads(rows, op, input, form),
                None => u64::MAX,
            },
            parts: 1,
            scratch: vec![],
            constants: vec![("ROWS", rows as f64), ("WORKGROUP", invocations as f64)],
        }
    }

    /// The same with each sum in so many parts, one after the other in a temporary.
    pub(super) fn in_parts(self, variant: Variant, parts: u64, temporary: Scratch) -> Self {
        Self { variant, parts, scratch: vec![temporary], ..self }
    }

    /// Fours of input channels in a part: whole stages.
    pub(super) fn part_quads(&self, quads: u64) -> u64 {
        if self.parts == 1 { quads } else { quads.div_ceil(self.parts).next_multiple_of(STAGE_QUADS) }
    }

    /// 64 channels of 128 cells a workgroup, as the shader fixes them.
    pub(super) fn staged() -> Self {
        Self {
            variant: Variant::Staged,
            shared: false,
            rows: 64,
            blocks: 1,
            cells: 128,
            quads: u64::MAX,
            parts: 1,
            scratch: vec![],
            constants: vec![],
        }
    }
}

/// Words of four weights, or of a cell of four channels.
pub(super) fn vector_words(form: Form) -> u64 {
    if form == Form::Words { 4 } else { 2 }
}

/// Fours of input channels whose weights for a block stay in a quarter of a core's second-level cache (1 MiB, say) while
/// all cells pass, and whose planes, if they are small, stay in half of it while all blocks pass. Without this, fc6's and
/// fc7's weights come from memory once for every 32 cells. In f16, where a cut costs a map in f32 and the pooling at the end, weights may
/// take three eighths: what the 3x3 layers of 512 channels need.
fn cached_quads(rows: u64, op: &Conv2d, input: Shape, form: Form) -> u64 {
    const CACHE_WORDS: u64 = (1 << 20) / 4;
    let taps = (op.kernel[0] * op.kernel[1]) as u64;
    let words = vector_words(form);
    let share = if form == Form::Words { CACHE_WORDS / 4 } else { CACHE_WORDS / 8 * 3 };
    let weights = (share / (words * rows * taps)).max(8);
    let planes = CACHE_WORDS / 2 / (words * input.plane() as u64);
    // Planes of which not even 256 channels fit are not kept anyway.
    if planes < 64 { weights } else { weights.min(planes) }
}

/// Fours of input channels whose weights for so many rows of a workgroup take 2 MB or, if that is more, whole stages' do: they come from
/// memory once for all cells, and more of them at a time make fewer sums to add up. Between 0.5 and 8 MB fc7 takes the same but for a few per cent.
fn shared_quads(rows: u64, op: &Conv2d) -> u64 {
    let taps = (op.kernel[0] * op.kernel[1]) as u64;
    ((2 << 20) / (16 * rows * taps)).max(16)
}

/// What `conv2d/staged` takes on a GPU; comparable with the other variants' efforts. `None` on a CPU driver, whose barriers
/// cost more than they save.
pub(super) fn staged_effort(op: &Conv2d, weight: Shape, output: Shape, caps: &Caps) -> Option<f64> {
    let Division { rows, cells, .. } = Division::staged();
    let channels = op.groups as u64 * ((weight.n / op.groups) as u64).next_multiple_of(rows);
    let cells = output.n as u64 * (output.plane() as u64).next_multiple_of(cells);
    let terms = weight.c.next_multiple_of(16) * op.kernel[0] * op.kernel[1];
    (!caps.software).then(|| (cells * channels) as f64 * terms as f64)
}

/// The subgroups that may share cells: of one group, whose blocks are enough to share them and whose channels to be worth staging.
fn sharing(op: &Conv2d, weight: Shape, caps: &Caps) -> Option<Sharing> {
    let blocks = (weight.n as u64).div_ceil(rows(weight.n as u64));
    let worth = op.groups == 1 && weight.c >= 32 && blocks >= 4;
    let taps = op.kernel[0] * op.kernel[1];
    Sharing::of(blocks, 4, caps).filter(|sharing| worth && sharing.product_ends(taps, weight.c as u64, caps))
}

/// What `conv2d/tiled` takes, in multiply-adds of its register tile; comparable with the other variants' efforts.
pub(super) fn effort(op: &Conv2d, weight: Shape, output: Shape, caps: &Caps) -> f64 {
    let own = own_effort(op, weight, output, caps);
    sharing(op, weight, caps).map_or(own, |sharing| own.min(shared_effort(sharing, op, weight, output)))
}

/// The same where each invocation loads its own cells.
fn own_effort(op: &Conv2d, weight: Shape, output: Shape, caps: &Caps) -> f64 {
    let term = |rows: u64| SCATTERED * (rows + 8) as f64;
    let (cells, taps) = (CELLS * workgroup(caps), (op.kernel[0] * op.kernel[1]) as f64);
    tiles(op, weight, output, cells, |rows| taps * (term(rows) * weight.c.next_multiple_of(4) as f64 + TAP))
}

/// The same where subgroups share them. A tap costs each of them less, for cells are found once.
fn shared_effort(sharing: Sharing, op: &Conv2d, weight: Shape, output: Shape) -> f64 {
    let term = |rows: u64| sharing.rate() * (rows + 8) as f64;
    let (tap, taps) = (TAP / 4.0, (op.kernel[0] * op.kernel[1]) as f64);
    tiles(op, weight, output, sharing::CELLS, |rows| taps * (term(rows) * weight.c.next_multiple_of(4) as f64 + tap))
}

/// What the cells of all blocks take, in whole workgroups of so many, from what one takes with the rows of a block.
fn tiles(op: &Conv2d, weight: Shape, output: Shape, cells: u64, cell: impl Fn(u64) -> f64) -> f64 {
    let group_outputs = (weight.n / op.groups) as u64;
    let rows = rows(group_outputs);
    let cells = output.n as u64 * (output.plane() as u64).next_multiple_of(cells);
    (cells * op.groups as u64 * group_outputs.div_ceil(rows)) as f64 * cell(rows)
}
