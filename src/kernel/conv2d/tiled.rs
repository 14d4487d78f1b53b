//! `Variant::Tiled` and `Staged`: an implicit matrix product in register tiles, over weights packed once.

use super::blocks::Blocks;
use super::forms::{STAGED_HALF_POOLED, TILED_HALF_POOLED, kernel_for};
use super::pooled::{End, Pooling};
use super::product::Params;
use super::{Form, Interleave, OP, Operands, Variant, pack};
use crate::error::Result;
use crate::gpu::{Buffer, Caps, KernelPlan, Operand, Scratch, Step, fold_workgroups};
use crate::kernel::flat::window_constants;
use crate::kernel::{convert, loop_iterations, rounds_within};
use crate::op::Conv2d;
use crate::shape::Shape;

/// Whole stages of input channels, in fours, of which `conv2d/staged` loads the weights at once.
pub(super) const STAGE_QUADS: u64 = 4;

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

/// What a tap costs besides its loads and multiply-adds, for each of a tile's cells: where they are and whether they are inside
/// (measured by layers of few channels on a CPU driver).
const TAP: f64 = 100.0;

/// How one of the two kernels divides its work.
pub(super) struct Division {
    variant: Variant,
    /// Output channels of a block.
    rows: u64,
    /// Cells of a workgroup.
    cells: u64,
    /// Fours of input channels that one dispatch sums over.
    quads: u64,
    /// Parts of the sums within a dispatch, each by its own workgroups.
    parts: u64,
    /// Temporaries with which the plan begins.
    scratch: Vec<Scratch>,
    /// Overrides that say so, where the kernel does not fix them.
    constants: Vec<(&'static str, f64)>,
}

impl Division {
    /// Up to 32 channels of four cells an invocation.
    fn tiled(op: &Conv2d, input: Shape, weight: Shape, form: Form, caps: &Caps) -> Self {
        let (rows, lanes) = (rows((weight.n / op.groups) as u64), workgroup(caps));
        let quads = if caps.software { cached_quads(rows, op, input, form) } else { u64::MAX };
        let constants = vec![("ROWS", rows as f64), ("WORKGROUP", lanes as f64)];
        Self { variant: Variant::Tiled, rows, cells: CELLS * lanes, quads, parts: 1, scratch: vec![], constants }
    }

    /// The same with each sum in so many parts, one after the other in a temporary.
    pub(super) fn in_parts(self, variant: Variant, parts: u64, temporary: Scratch) -> Self {
        Self { variant, parts, scratch: vec![temporary], ..self }
    }

    /// Fours of input channels in a part: whole stages.
    fn part_quads(&self, quads: u64) -> u64 {
        if self.parts == 1 { quads } else { quads.div_ceil(self.parts).next_multiple_of(STAGE_QUADS) }
    }

    /// 64 channels of 128 cells a workgroup, as the shader fixes them.
    pub(super) fn staged() -> Self {
        Self {
            variant: Variant::Staged,
            rows: 64,
            cells: 128,
            quads: u64::MAX,
            parts: 1,
            scratch: vec![],
            constants: vec![],
        }
    }
}

/// Words of four weights, or of a cell of four channels.
fn vector_words(form: Form) -> u64 {
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

/// What `conv2d/staged` takes on a GPU; comparable with the other variants' efforts. `None` on a CPU driver, whose barriers
/// cost more than they save.
pub(super) fn staged_effort(op: &Conv2d, weight: Shape, output: Shape, caps: &Caps) -> Option<f64> {
    let Division { rows, cells, .. } = Division::staged();
    let channels = op.groups as u64 * ((weight.n / op.groups) as u64).next_multiple_of(rows);
    let cells = output.n as u64 * (output.plane() as u64).next_multiple_of(cells);
    let terms = weight.c.next_multiple_of(16) * op.kernel[0] * op.kernel[1];
    (!caps.software).then(|| (cells * channels) as f64 * terms as f64)
}

/// What `conv2d/tiled` takes, in multiply-adds of its register tile; comparable with the other variants' efforts.
pub(super) fn effort(op: &Conv2d, weight: Shape, output: Shape, caps: &Caps) -> f64 {
    let group_outputs = (weight.n / op.groups) as u64;
    let rows = rows(group_outputs);
    let cells = output.n as u64 * (output.plane() as u64).next_multiple_of(CELLS * workgroup(caps));
    let taps = (op.kernel[0] * op.kernel[1]) as f64;
    let tiles = (cells * op.groups as u64 * group_outputs.div_ceil(rows)) as f64;
    tiles * taps * (SCATTERED * (rows + 8) as f64 * weight.c.next_multiple_of(4) as f64 + TAP)
}

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
    let division = Division::tiled(op, input, weight, operands.form, caps);
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
    divided(&Division::staged(), op, input, weight, output, operands, caps)
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
        let tiles = output.n as u64 * run.blocks * cell_tiles;
        let window = window_constants(op.kernel, op.stride, op.dilation);
        for first_quad in (0..quads).step_by(usize::try_from(division.quads).unwrap_or(usize::MAX)) {
            let end_quad = first_quad.saturating_add(division.quads).min(quads);
            let last = end_quad == quads;
            let params = Params::of(op, [input, weight, output], operands.interleave, &blocks, &run, cell_tiles)
                .summing(first_quad..end_quad, division.parts, division.part_quads(quads));
            let bias = if last { operands.bias } else { Buffer::Absent };
            let epilogue = [("BIAS", f64::from(bias != Buffer::Absent)), ("RELU", f64::from(op.relu && last))];
            // What is stored in f16 is a whole sum.
            let added = (form != Form::Halves).then_some(("ACCUMULATE", f64::from(first_quad > 0)));
            let mut bound = vec![operands.input, packed, bias, result];
            bound.extend((form == Form::Halves).then_some(Buffer::Overflow));
            bound.extend(end.as_ref().map(|end| end.switches));
            let kernel = match (division.variant, pooling) {
                (variant, None) => kernel_for(variant, form, phases.is_some(), caps.loads_pairs())?,
                (Variant::Staged, Some(_)) => &STAGED_HALF_POOLED,
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
        plan.executed_macs += tiles * division.cells * rows * quads * 4 * taps;
    }
    if result != operands.output {
        plan.run.push(convert::narrow(stored, result, operands.output, caps)?);
    }
    Ok(plan)
}
