//! `Variant::Tiled` and `Staged`: an implicit matrix product in register tiles, over weights packed once.

use super::product::Params;
use super::{Form, Interleave, OP, Operands, Pooling, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Operand, Part, Scratch, Step, Storage, fold_workgroups};
use crate::kernel::flat::window_constants;
use crate::kernel::max_pool2d::{BEST, MAXIMA_HALF};
use crate::kernel::{
    ACTIVATION, HALF, INDEX, NARROW, PLANES_HALF, RANK_HALF, TILE, WORKGROUP, convert, loop_iterations, params, part,
    rounds_within, zero,
};
use crate::op::{Conv2d, Rounding};
use crate::shape::Shape;

/// Loads of the implicit matrix product.
pub(in crate::kernel) static COLUMNS: Part = part!("conv2d/columns.wgsl");
/// The end of its register tiles.
pub(in crate::kernel) static STORE: Part = part!("conv2d/store.wgsl");
/// Uniforms, overrides and bindings of its kernels.
pub(super) static OPERANDS: Part = part!("conv2d/operands.wgsl");
static OPERANDS_F32: Part = part!("conv2d/operands_f32.wgsl");
static RESULT_F32: Part = part!("conv2d/result_f32.wgsl");
/// Which cells an invocation computes.
static IN_ROWS: Part = part!("conv2d/in_rows.wgsl");
/// The same for maps and weights in f16.
static OPERANDS_HALF: Part = part!("conv2d/operands_half.wgsl");
static COLUMNS_HALF: Part = part!("conv2d/columns_half.wgsl");
static RESULT_HALF: Part = part!("conv2d/result_half.wgsl");
static STORE_HALF: Part = part!("conv2d/store_half.wgsl");
/// The same with a pooling for an end.
static IN_WINDOWS: Part = part!("conv2d/in_windows.wgsl");
static STORE_POOLED: Part = part!("conv2d/store_half_pooled.wgsl");
static TILED_MAIN: Part = part!("conv2d/tiled.wgsl");
static STAGED_MAIN: Part = part!("conv2d/staged.wgsl");
static PACK_MAIN: Part = part!("conv2d/pack.wgsl");

const BINDINGS: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write];
const BINDINGS_HALF: &[Access] =
    &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write];

const BINDINGS_POOLED: &[Access] =
    &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write, Access::Write];

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

pub(super) static TILED: Kernel = kernel(
    "conv2d/tiled",
    &[&INDEX, &ACTIVATION, &TILE, &OPERANDS, &OPERANDS_F32, &COLUMNS, &IN_ROWS, &RESULT_F32, &STORE, &TILED_MAIN],
    BINDINGS,
);

pub(super) static TILED_HALF: Kernel = kernel(
    "conv2d/tiled_half",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_HALF,
        &COLUMNS_HALF,
        &IN_ROWS,
        &NARROW,
        &RESULT_HALF,
        &STORE_HALF,
        &TILED_MAIN,
    ],
    BINDINGS_HALF,
);

pub(super) static TILED_HALF_F32: Kernel = kernel(
    "conv2d/tiled_half_f32",
    &[&INDEX, &ACTIVATION, &TILE, &OPERANDS, &OPERANDS_HALF, &COLUMNS_HALF, &IN_ROWS, &RESULT_F32, &STORE, &TILED_MAIN],
    BINDINGS,
);

pub(super) static STAGED: Kernel = kernel(
    "conv2d/staged",
    &[&INDEX, &ACTIVATION, &TILE, &OPERANDS, &OPERANDS_F32, &COLUMNS, &IN_ROWS, &RESULT_F32, &STORE, &STAGED_MAIN],
    BINDINGS,
);

pub(super) static STAGED_HALF: Kernel = kernel(
    "conv2d/staged_half",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_HALF,
        &COLUMNS_HALF,
        &IN_ROWS,
        &NARROW,
        &RESULT_HALF,
        &STORE_HALF,
        &STAGED_MAIN,
    ],
    BINDINGS_HALF,
);

pub(super) static STAGED_HALF_F32: Kernel = kernel(
    "conv2d/staged_half_f32",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_HALF,
        &COLUMNS_HALF,
        &IN_ROWS,
        &RESULT_F32,
        &STORE,
        &STAGED_MAIN,
    ],
    BINDINGS,
);

/// Output channels as phases of another map, and the end of a register tile that stores them.
pub(in crate::kernel) static INTERLEAVED: Part = part!("conv_transpose2d/interleaved.wgsl");
static INTERLEAVE: Part = part!("conv_transpose2d/interleave.wgsl");
static INTERLEAVE_HALF: Part = part!("conv_transpose2d/interleave_half.wgsl");

pub(super) static TILED_INTERLEAVED: Kernel = kernel(
    "conv2d/tiled_interleaved",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_HALF,
        &COLUMNS_HALF,
        &IN_ROWS,
        &NARROW,
        &INTERLEAVED,
        &INTERLEAVE_HALF,
        &TILED_MAIN,
    ],
    BINDINGS_HALF,
);

pub(super) static TILED_INTERLEAVED_F32: Kernel = kernel(
    "conv2d/tiled_interleaved_f32",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_HALF,
        &COLUMNS_HALF,
        &IN_ROWS,
        &RESULT_F32,
        &INTERLEAVED,
        &INTERLEAVE,
        &TILED_MAIN,
    ],
    BINDINGS,
);

pub(super) static STAGED_INTERLEAVED: Kernel = kernel(
    "conv2d/staged_interleaved",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_HALF,
        &COLUMNS_HALF,
        &IN_ROWS,
        &NARROW,
        &INTERLEAVED,
        &INTERLEAVE_HALF,
        &STAGED_MAIN,
    ],
    BINDINGS_HALF,
);

pub(super) static STAGED_INTERLEAVED_F32: Kernel = kernel(
    "conv2d/staged_interleaved_f32",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_HALF,
        &COLUMNS_HALF,
        &IN_ROWS,
        &RESULT_F32,
        &INTERLEAVED,
        &INTERLEAVE,
        &STAGED_MAIN,
    ],
    BINDINGS,
);

#[rustfmt::skip]
pub(super) static TILED_HALF_POOLED: Kernel = kernel(
    "conv2d/tiled_half_pooled",
    &[
        &INDEX, &ACTIVATION, &TILE, &OPERANDS, &OPERANDS_HALF, &COLUMNS_HALF, &IN_WINDOWS, &NARROW, &RESULT_HALF,
        &RANK_HALF, &PLANES_HALF, &BEST, &MAXIMA_HALF, &STORE_POOLED, &TILED_MAIN,
    ],
    BINDINGS_POOLED,
);

#[rustfmt::skip]
pub(super) static STAGED_HALF_POOLED: Kernel = kernel(
    "conv2d/staged_half_pooled",
    &[
        &INDEX, &ACTIVATION, &TILE, &OPERANDS, &OPERANDS_HALF, &COLUMNS_HALF, &IN_WINDOWS, &NARROW, &RESULT_HALF,
        &RANK_HALF, &PLANES_HALF, &BEST, &MAXIMA_HALF, &STORE_POOLED, &STAGED_MAIN,
    ],
    BINDINGS_POOLED,
);

const PACK_BINDINGS: &[Access] = &[Access::Uniform, Access::Read, Access::Write];

static PACKED_F32: Part = part!("conv2d/packed_f32.wgsl");
static PACKED_HALF: Part = part!("conv2d/packed_half.wgsl");

pub(super) static PACK: Kernel = kernel("conv2d/pack", &[&INDEX, &PACKED_F32, &PACK_MAIN], PACK_BINDINGS);
pub(super) static PACK_HALF: Kernel =
    kernel("conv2d/pack_half", &[&INDEX, &HALF, &PACKED_HALF, &PACK_MAIN], PACK_BINDINGS);

/// Whole stages of input channels, in fours, of which `conv2d/staged` loads the weights at once.
pub(super) const STAGE_QUADS: u64 = 4;

params! {
    /// Uniforms of `conv2d/pack`; the shader says what they mean.
    struct PackParams {
        weight_offset: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        taps: u32,
        first_block: u32,
        first_channel: u32,
        vectors: u32,
    }
}

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
    fn tiled(op: &Conv2d, input: Shape, weight: Shape, caps: &Caps) -> Self {
        let (rows, lanes) = (rows((weight.n / op.groups) as u64), workgroup(caps));
        let quads = if caps.software { cached_quads(rows, op, input) } else { u64::MAX };
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

/// The kernel of a division for maps in such a form, whose output channels may be phases.
///
/// # Errors
/// [`Error::Unsupported`] for phases of a map in f32, which `conv_transpose2d/phased` computes.
fn kernel_for(variant: Variant, form: Form, phases: bool) -> Result<&'static Kernel> {
    Ok(match (variant, form, phases) {
        (_, Form::Words, true) => {
            return Err(Error::Unsupported {
                what: format!("{OP} to phases by {}", variant.name()),
                why: "its maps are f32".to_owned(),
                way_out: "use the phased variant of conv_transpose2d".to_owned(),
            });
        }
        (Variant::Staged | Variant::SplitK, Form::Words, _) => &STAGED,
        (Variant::Staged, Form::Halves, false) => &STAGED_HALF,
        (Variant::Staged, Form::HalvesToWords, false) => &STAGED_HALF_F32,
        (Variant::Staged, Form::Halves, true) => &STAGED_INTERLEAVED,
        (Variant::Staged, Form::HalvesToWords, true) => &STAGED_INTERLEAVED_F32,
        (_, Form::Words, _) => &TILED,
        (_, Form::Halves, false) => &TILED_HALF,
        (_, Form::HalvesToWords, false) => &TILED_HALF_F32,
        (_, Form::Halves, true) => &TILED_INTERLEAVED,
        (_, Form::HalvesToWords, true) => &TILED_INTERLEAVED_F32,
    })
}

/// Fours of input channels whose weights for a block stay in a quarter of a core's second-level cache (1 MiB, say) while
/// all cells pass, and whose planes, if they are small, stay in half of it while all blocks pass. Without this, fc6's and
/// fc7's weights come from memory once for every 32 cells.
fn cached_quads(rows: u64, op: &Conv2d, input: Shape) -> u64 {
    const CACHE_WORDS: u64 = (1 << 20) / 4;
    let taps = (op.kernel[0] * op.kernel[1]) as u64;
    let weights = (CACHE_WORDS / 4 / (4 * rows * taps)).max(8);
    let planes = CACHE_WORDS / 2 / (4 * input.plane() as u64);
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

/// A run of blocks whose weights, raw and packed, each fit a binding.
pub(super) struct Run {
    pub(super) first_block: u64,
    pub(super) blocks: u64,
    pub(super) first_channel: u64,
    /// Words of the raw weight, from where bindings can start.
    pub(super) words: std::ops::Range<u64>,
    /// Word of the binding at which the first channel's row starts.
    pub(super) offset: u64,
}

/// How a weight's output channels fall into blocks of `rows`, group by group.
#[derive(Clone, Copy)]
pub(super) struct Blocks {
    pub(super) rows: u64,
    pub(super) groups: u64,
    pub(super) group_outputs: u64,
    /// Words of one channel's raw weights.
    pub(super) row_words: u64,
    /// Words of one block's packed weights.
    pub(super) block_words: u64,
}

impl Blocks {
    pub(super) fn group_blocks(&self) -> u64 {
        self.group_outputs.div_ceil(self.rows)
    }

    /// The first output channel of a block, counted over all groups.
    fn channel(&self, block: u64) -> u64 {
        let per_group = self.group_blocks();
        block / per_group * self.group_outputs + (block % per_group * self.rows).min(self.group_outputs)
    }

    /// The fewest runs of blocks.
    ///
    /// # Errors
    /// [`Error::Limit`] where not even one block fits a binding.
    pub(super) fn runs(&self, caps: &Caps) -> Result<Vec<Run>> {
        let most_words = caps.max_binding_bytes.min(caps.max_buffer_bytes) / 4;
        let alignment = u64::from(caps.storage_alignment / 4).max(1);
        let all = self.groups * self.group_blocks();
        let raw = self.rows * self.row_words + alignment - 1;
        let most =
            (most_words / self.block_words).min(most_words.saturating_sub(alignment - 1) / (raw + 1 - alignment));
        if most == 0 {
            return Err(Error::Limit {
                what: format!("{OP}: the weights of {} output channels", self.rows),
                needed: 4 * self.block_words.max(raw),
                available: 4 * most_words,
                unit: "bytes a binding",
                way_out: "use the direct variant, or an adapter and limits that allow more".to_owned(),
            });
        }
        let run = |first_block: u64| {
            let blocks = most.min(all - first_block);
            let first_channel = self.channel(first_block);
            let start = first_channel * self.row_words;
            let end = self.channel(first_block + blocks) * self.row_words;
            let offset = start % alignment;
            Run { first_block, blocks, first_channel, words: start - offset..end, offset }
        };
        Ok((0..all).step_by(most as usize).map(run).collect())
    }
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
    let division = Division::tiled(op, input, weight, caps);
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
    // Vectors of four weights, and the words of one.
    let (block_vectors, vector_words) = (rows * quads * taps, if form == Form::Words { 4 } else { 2 });
    let row_words = weight.c as u64 * taps;
    let blocks = Blocks { rows, groups, group_outputs, row_words, block_words: vector_words * block_vectors };
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
    let (computed, ending, switches) = match pooling {
        None => (output, Vec::new(), None),
        Some(pooling) => pooled_end(&mut plan, pooling, output, operands.switches, caps)?,
    };
    let runs = blocks.runs(caps)?;
    let whole = runs.len() == 1;
    for run in runs {
        let packed = Buffer::Scratch(plan.scratch.len());
        let words = run.blocks * blocks.block_words;
        plan.scratch.push(Scratch { words, persistent: true });
        let pack = PackParams {
            weight_offset: run.offset as u32,
            group_inputs: weight.c as u32,
            group_outputs: group_outputs as u32,
            group_blocks: blocks.group_blocks() as u32,
            taps: taps as u32,
            first_block: run.first_block as u32,
            first_channel: run.first_channel as u32,
            vectors: (run.blocks * block_vectors) as u32,
        };
        plan.prepare.push(Step {
            kernel: if form == Form::Words { &PACK } else { &PACK_HALF },
            constants: vec![("ROWS", rows as f64), ("WORKGROUP", f64::from(WORKGROUP))],
            params: bytemuck::bytes_of(&pack).to_vec(),
            operands: vec![
                Operand { buffer: operands.weight, words: (!whole).then(|| run.words.clone()) },
                packed.into(),
            ],
            workgroups: fold_workgroups((run.blocks * block_vectors).div_ceil(u64::from(WORKGROUP)), caps)?,
        });
        let cell_tiles = (computed.plane() as u64).div_ceil(division.cells);
        let tiles = output.n as u64 * run.blocks * cell_tiles;
        let window = window_constants(op.kernel, op.stride, op.dilation);
        for first_quad in (0..quads).step_by(usize::try_from(division.quads).unwrap_or(usize::MAX)) {
            let end_quad = first_quad.saturating_add(division.quads).min(quads);
            let last = end_quad == quads;
            let params = Params::of(op, [input, weight, output], operands.interleave, &blocks, &run, cell_tiles)
                .summing(first_quad..end_quad, division.parts, division.part_quads(quads));
            let bias = if last { operands.bias } else { Buffer::Absent };
            let epilogue = [
                ("BIAS", f64::from(bias != Buffer::Absent)),
                ("RELU", f64::from(op.relu && last)),
                ("ACCUMULATE", f64::from(first_quad > 0)),
            ];
            let mut bound = vec![operands.input, packed, bias, result];
            bound.extend((form == Form::Halves).then_some(Buffer::Overflow));
            bound.extend(switches);
            let kernel = match (division.variant, pooling) {
                (variant, None) => kernel_for(variant, form, phases.is_some())?,
                (Variant::Staged, Some(_)) => &STAGED_HALF_POOLED,
                (_, Some(_)) => &TILED_HALF_POOLED,
            };
            let ending = phases.as_ref().map_or(ending.as_slice(), |phases| phases);
            plan.run.push(Step {
                kernel,
                constants: [window.as_slice(), &epilogue, &division.constants, ending].concat(),
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

/// What the kernels with a pooling for an end need besides: the cells that they compute, overrides, and a buffer for the switches,
/// which dispatches name whether or not they write them.
#[allow(clippy::type_complexity, reason = "one caller, which takes it apart")]
fn pooled_end(
    plan: &mut KernelPlan,
    pooling: Pooling,
    output: Shape,
    switches: Buffer,
    caps: &Caps,
) -> Result<(Shape, Vec<(&'static str, f64)>, Option<Buffer>)> {
    let pooled = pooling.op.output_shape(output)?;
    let compact = pooling.switches == Some(Storage::Compact);
    let switches = match pooling.switches {
        Some(_) => switches,
        None => {
            plan.scratch.push(Scratch { words: 1, persistent: false });
            Buffer::Scratch(plan.scratch.len() - 1)
        }
    };
    if compact {
        plan.run.push(zero::step(switches, Storage::Compact.words(pooled) as usize, caps)?);
    }
    let constants = vec![
        ("PARTIAL", f64::from(pooling.op.rounding != Rounding::Floor)),
        ("SWITCHES", f64::from(pooling.switches.is_some())),
        ("COMPACT", f64::from(compact)),
    ];
    Ok((pooled.with_extent([2 * pooled.h, 2 * pooled.w]), constants, Some(switches)))
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    let kernels = [
        &TILED,
        &TILED_HALF,
        &TILED_HALF_F32,
        &TILED_INTERLEAVED,
        &TILED_INTERLEAVED_F32,
        &STAGED,
        &STAGED_HALF,
        &STAGED_HALF_F32,
        &STAGED_INTERLEAVED,
        &STAGED_INTERLEAVED_F32,
        &TILED_HALF_POOLED,
        &STAGED_HALF_POOLED,
    ];
    let packs = [&PACK, &PACK_HALF].map(|pack| (pack, PackParams::FIELDS));
    kernels.map(|kernel| (kernel, Params::FIELDS)).into_iter().chain(packs).collect()
}
