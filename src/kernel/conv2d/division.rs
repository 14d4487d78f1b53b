//! How the implicit matrix products of `conv2d/tiled` and `conv2d/staged` divide their work, and what that takes.

use super::sharing::{self, Sharing};
use super::stages::{STAGE_QUADS, Stages};
use super::tiled::{CELLS, SCATTERED, rows, workgroup};
use super::{Form, Problem, Variant};
use crate::gpu::{Caps, Scratch};
use crate::kernel::card::Card;

/// What a tap costs besides its loads and multiply-adds, for each of a tile's cells: where they are and whether they are inside
/// (measured by layers of few channels on a CPU driver).
const TAP: f64 = 100.0;

/// Rows of a block where many subgroups share cells, and the workgroups that there have to be, for several cores.
const TALL: u64 = 64;
const TALL_WORKGROUPS: u64 = 16;

/// What the product takes where an invocation gathers weights and eight cells, against four and weights that are loaded (measured on an
/// Emerald Rapids: fc7 0.62 and 0.79).
const GATHERED: f64 = 0.75;

/// Where `conv2d/tiled` has its cells and weights from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sources {
    /// An invocation loads its own four cells, and weights that are the same for all.
    Own,
    /// The subgroups of a workgroup share cells.
    Shared,
    /// An invocation gathers its own eight cells, and weights for the subgroup.
    Gathered,
}

/// How one of the kernels divides its work.
pub(super) struct Division {
    pub(super) variant: Variant,
    pub(super) sources: Sources,
    /// Whether a vector of weights has four rows of a channel, rather than four channels of a row.
    pub(super) four_rows: bool,
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
    /// Up to 32 channels of four cells an invocation, or up to 64 of eight where that is less effort.
    pub(super) fn tiled(problem: &Problem<'_>, form: Form, caps: &Caps) -> Self {
        let gathered = gathered_effort(problem, caps).filter(|_| form == Form::Words);
        if gathered.is_some_and(|effort| effort < own_effort(problem, Card::LARGE, caps)) {
            return Self::gathered(problem, caps);
        }
        let shared = shared(problem, caps)
            .filter(|_| form == Form::Words)
            .filter(|shared| shared.effort(problem) < own_effort(problem, Card::LARGE, caps));
        let rows = shared.map_or(rows(problem.group_outputs()), |shared| shared.rows);
        let sharing = shared.map(|shared| shared.sharing);
        let invocations = sharing.map_or(workgroup(caps), Sharing::workgroup);
        Self {
            variant: Variant::Tiled,
            sources: if sharing.is_some() { Sources::Shared } else { Sources::Own },
            four_rows: false,
            rows,
            blocks: sharing.map_or(1, |sharing| sharing.subgroups),
            cells: if sharing.is_some() { sharing::CELLS } else { CELLS * invocations },
            // Where cells are shared a weight serves 64, so that it may as well come from memory.
            quads: if caps.software && sharing.is_none() { cached_quads(rows, problem, form) } else { u64::MAX },
            parts: 1,
            scratch: vec![],
            constants: [("ROWS", rows as f64), ("WORKGROUP", invocations as f64)]
                .into_iter()
                .chain(sharing.map(|_| Sharing::constant(caps)))
                .collect(),
        }
    }

    /// Up to 32 channels of eight cells an invocation, by gathers.
    fn gathered(problem: &Problem<'_>, caps: &Caps) -> Self {
        let (rows, invocations) = (rows(problem.group_outputs()), workgroup(caps));
        Self {
            variant: Variant::Tiled,
            sources: Sources::Gathered,
            four_rows: false,
            rows,
            blocks: 1,
            cells: 2 * CELLS * invocations,
            // A weight serves 64 cells, so that it may as well come from memory.
            quads: u64::MAX,
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

    /// Up to 128 channels of 64 cells a workgroup, or 64 of 128, for sums in so many parts.
    pub(super) fn staged(problem: &Problem<'_>, parts: u64) -> Self {
        let &Problem { op, output, .. } = problem;
        let products = output.n as u64 * op.groups as u64 * parts;
        let stages = Stages::of(products, problem.group_outputs(), output.plane() as u64);
        Self {
            variant: Variant::Staged,
            sources: Sources::Own,
            four_rows: true,
            rows: stages.rows,
            blocks: 1,
            cells: stages.cells,
            quads: u64::MAX,
            parts: 1,
            scratch: vec![],
            constants: stages.constants(problem.weight.c as u64),
        }
    }
}

/// Words of four weights, or of a cell of four channels.
pub(super) fn vector_words(form: Form) -> u64 {
    if form == Form::Words { 4 } else { 2 }
}

/// Fours of input channels whose weights for a block stay in a quarter of a core's second-level cache (1 MiB, say) while all
/// cells pass, and whose planes, if they are small, stay in half of it while all blocks pass. Without this, fc6's and fc7's
/// weights come from memory once for every 32 cells. In f16, where a cut costs a map in f32 and the pooling at the end, weights
/// may take three eighths: what the 3x3 layers of 512 channels need.
fn cached_quads(rows: u64, problem: &Problem<'_>, form: Form) -> u64 {
    const CACHE_WORDS: u64 = (1 << 20) / 4;
    let words = vector_words(form);
    let share = if form == Form::Words { CACHE_WORDS / 4 } else { CACHE_WORDS / 8 * 3 };
    let weights = (share / (words * rows * problem.taps())).max(8);
    let planes = CACHE_WORDS / 2 / (words * problem.input.plane() as u64);
    // Planes of which not even 256 channels fit are not kept anyway.
    if planes < 64 { weights } else { weights.min(planes) }
}

/// What `conv2d/staged` takes on a card, sums in so many parts; comparable with the other variants' efforts. `None` on a CPU driver,
/// whose barriers cost more than they save.
pub(super) fn staged_effort(problem: &Problem<'_>, parts: u64, card: Card, caps: &Caps) -> Option<f64> {
    let &Problem { op, weight, output, .. } = problem;
    let (products, rows) = (output.n as u64 * op.groups as u64, problem.group_outputs());
    let cells = output.plane() as u64;
    let terms = weight.c.next_multiple_of(4 * STAGE_QUADS as usize) * op.kernel[0] * op.kernel[1];
    let effort = Stages::of(products * parts, rows, cells).effort(products * parts, rows, cells, card);
    (!caps.software).then(|| effort * terms as f64 / parts as f64 + card.dispatch(caps))
}

/// Subgroups that share cells, and the rows of a block of each.
#[derive(Clone, Copy)]
struct Shared {
    sharing: Sharing,
    rows: u64,
}

impl Shared {
    /// In blocks of so many rows, of one group, if there are enough blocks to share cells and enough channels to be worth
    /// staging.
    fn of(rows: u64, &Problem { op, weight, .. }: &Problem<'_>, caps: &Caps) -> Option<Self> {
        let (blocks, taps) = ((weight.n as u64).div_ceil(rows), op.kernel[0] * op.kernel[1]);
        let sharing = Sharing::of(blocks, 4, caps)?;
        let worth = op.groups == 1 && weight.c >= 32 && blocks >= 4;
        (worth && sharing.product_ends(taps, weight.c as u64, caps)).then_some(Self { sharing, rows })
    }

    /// Workgroups of a dispatch over all blocks.
    fn workgroups(self, &Problem { weight, output, .. }: &Problem<'_>) -> u64 {
        let blocks = (weight.n as u64).div_ceil(self.rows);
        output.n as u64 * (output.plane() as u64).div_ceil(sharing::CELLS) * blocks.div_ceil(self.sharing.subgroups)
    }

    /// What it takes. A tap costs each subgroup less than one with cells of its own, for cells are found once.
    fn effort(self, problem: &Problem<'_>) -> f64 {
        let term = self.sharing.rate() * (self.rows + 8) as f64;
        let (tap, taps) = (TAP / 4.0, problem.taps() as f64);
        let cell = taps * (term * problem.weight.c.next_multiple_of(4) as f64 + tap);
        tiles(problem, sharing::CELLS, self.rows) * cell
    }
}

/// How subgroups may share cells. 64 rows a block take a shader of twice the length: only where every subgroup of
/// [`TALL_WORKGROUPS`] has some.
fn shared(problem: &Problem<'_>, caps: &Caps) -> Option<Shared> {
    // Gathers take less.
    if caps.gathers_rows() {
        return None;
    }
    let channels = problem.weight.n as u64;
    let low = Shared::of(rows(channels), problem, caps)?;
    let tall = Shared::of(TALL, problem, caps)
        .filter(|tall| channels.div_ceil(TALL) >= tall.sharing.subgroups)
        .filter(|tall| tall.sharing == low.sharing && tall.workgroups(problem) >= TALL_WORKGROUPS)
        .filter(|tall| tall.effort(problem) < low.effort(problem));
    Some(tall.unwrap_or(low))
}

/// What `conv2d/tiled` takes on a card, in multiply-adds of its register tile; comparable with the other variants' efforts.
pub(super) fn effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> f64 {
    let shared = shared(problem, caps).map(|shared| shared.effort(problem));
    [shared, gathered_effort(problem, caps)].into_iter().flatten().fold(own_effort(problem, card, caps), f64::min)
}

/// The same by gathers, where there are some.
fn gathered_effort(problem: &Problem<'_>, caps: &Caps) -> Option<f64> {
    let rows = rows(problem.group_outputs());
    let tiles = tiles(problem, 2 * CELLS * workgroup(caps), rows);
    caps.gathers_rows().then(|| GATHERED * tiles * cell_effort(problem, rows))
}

/// The same where each invocation loads its own cells.
fn own_effort(problem: &Problem<'_>, card: Card, caps: &Caps) -> f64 {
    let rows = rows(problem.group_outputs());
    let invocations = tiles(problem, CELLS * workgroup(caps), rows) / CELLS as f64;
    card.dispatched(invocations, CELLS * rows, CELLS as f64 * cell_effort(problem, rows), caps)
}

/// What a cell of a block takes there.
fn cell_effort(problem: &Problem<'_>, rows: u64) -> f64 {
    let term = SCATTERED * (rows + 8) as f64;
    problem.taps() as f64 * (term * problem.weight.c.next_multiple_of(4) as f64 + TAP)
}

/// The cells of all blocks of so many rows, in whole workgroups of so many cells.
fn tiles(problem: &Problem<'_>, cells: u64, rows: u64) -> f64 {
    let &Problem { op, output, .. } = problem;
    let cells = output.n as u64 * (output.plane() as u64).next_multiple_of(cells);
    (cells * op.groups as u64 * problem.group_outputs().div_ceil(rows)) as f64
}
