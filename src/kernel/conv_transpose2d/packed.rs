//! The weight of a transposed convolution packed once: blocks of rows, group by group, in the order in which a variant's
//! loop reads them.

use super::{OP, Problem, ROW};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Part, Step};
use crate::kernel::conv2d::tiled::rows;
use crate::kernel::flat::flat_step;
use crate::kernel::shards::Shard;
use crate::kernel::{HALF, INDEX, params, part};

static MAIN: Part = part!("conv_transpose2d/pack.wgsl");

pub(super) static PACK: Kernel = Kernel {
    name: "conv_transpose2d/pack",
    parts: &[&INDEX, &part!("conv_transpose2d/packed_f32.wgsl"), &MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(super) static PACK_HALF: Kernel = Kernel {
    name: "conv_transpose2d/pack_half",
    parts: &[&INDEX, &HALF, &part!("conv_transpose2d/packed_half.wgsl"), &MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(super) static PACK_SHARED_PHASES: Kernel = Kernel {
    name: "conv_transpose2d/pack_shared_phases",
    parts: &[&INDEX, &ROW, &part!("conv_transpose2d/pack_shared_phases.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of both kernels; the shaders say what they mean.
    pub(super) struct PackParams {
        weight_offset: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        taps: u32,
        first_block: u32,
        first_input: u32,
        inputs: u32,
        vectors: u32,
    }
}

/// Rows of a block of so many phases of channels. On GPUs, where an invocation has one, the lanes of most. On CPU drivers 24 in
/// place of 32 where that pads no more: beyond it the loop's body outgrows a processor's cache of decoded instructions.
fn rows_of_phases(phases: u64, caps: &Caps) -> u64 {
    let smaller = phases.next_multiple_of(24) <= phases.next_multiple_of(32);
    match rows(phases) {
        _ if !caps.software => 32,
        32 if smaller => 24,
        rows => rows,
    }
}

/// How a weight falls into blocks of `rows` rows.
pub(super) struct Packing {
    /// The kernel that packs, and its overrides but for the workgroup.
    kernel: &'static Kernel,
    constants: Vec<(&'static str, f64)>,
    /// Vectors of four packed weights in a block.
    block_vectors: u64,
    /// Whether weights are packed as f16.
    half: bool,
    pub(super) rows: u64,
    pub(super) group_outputs: u64,
    /// Blocks of a group, and of all.
    pub(super) group_blocks: u64,
    pub(super) blocks: u64,
    /// Groups of four input channels.
    pub(super) quads: u64,
    taps: u64,
}

impl Packing {
    /// Rows are output channels, input channels lie together in fours, in f32.
    pub(super) fn of(problem: &Problem<'_>) -> Self {
        Self::in_rows(problem, rows(problem.weight.c as u64))
    }

    /// The same in blocks of so many rows: 8, 16, 24 or 32.
    pub(super) fn in_rows(problem: &Problem<'_>, rows: u64) -> Self {
        let channels = problem.weight.c as u64;
        let quads = (problem.group_inputs() as u64).div_ceil(4);
        let taps = problem.weight.plane() as u64;
        let constants = vec![("ROWS", rows as f64)];
        Self::in_blocks(problem, (&PACK, constants), rows, channels.div_ceil(rows), rows * quads * taps)
    }

    /// As [`Packing::of`], in f16.
    pub(super) fn in_half(problem: &Problem<'_>) -> Self {
        Self { kernel: &PACK_HALF, half: true, ..Self::of(problem) }
    }

    /// Rows are phases of output channels, four taps lie together. A block is of rows in order, or if `classes` of all
    /// channels of one phase, up to 32.
    pub(super) fn shared_phases(problem: &Problem<'_>, classes: bool, caps: &Caps) -> Self {
        let (channels, [sy, sx]) = (problem.weight.c as u64, problem.op.stride);
        let phases = (sy * sx) as u64;
        let rows = if classes { channels.next_multiple_of(8) } else { rows_of_phases(phases * channels, caps) };
        let group_blocks = if classes { phases } else { (phases * channels).div_ceil(rows) };
        let strides = [("SY", sy as f64), ("SX", sx as f64)];
        let constants = [strides, [("ROWS", rows as f64), ("ARGMAX", f64::from(classes))]].concat();
        let vectors = rows * problem.group_inputs() as u64;
        Self::in_blocks(problem, (&PACK_SHARED_PHASES, constants), rows, group_blocks, vectors)
    }

    fn in_blocks(
        problem: &Problem<'_>,
        (kernel, constants): (&'static Kernel, Vec<(&'static str, f64)>),
        rows: u64,
        group_blocks: u64,
        block_vectors: u64,
    ) -> Self {
        Self {
            kernel,
            constants,
            block_vectors,
            half: false,
            rows,
            group_outputs: problem.weight.c as u64,
            group_blocks,
            blocks: group_blocks * problem.op.groups as u64,
            quads: (problem.group_inputs() as u64).div_ceil(4),
            taps: problem.weight.plane() as u64,
        }
    }

    /// Words of a block's packed weights.
    fn block_words(&self) -> u64 {
        if self.half { 2 * self.block_vectors } else { 4 * self.block_vectors }
    }

    /// Into how many runs of blocks [`packed`] divides a weight.
    ///
    /// # Errors
    /// As [`packed`].
    pub(super) fn runs(&self, caps: &Caps) -> Result<u64> {
        Ok(self.blocks.div_ceil(self.blocks_a_binding(caps)?))
    }

    /// Blocks whose packed weights one binding holds.
    ///
    /// # Errors
    /// [`Error::Limit`] where that is none.
    fn blocks_a_binding(&self, caps: &Caps) -> Result<u64> {
        let words = caps.max_binding_bytes.min(caps.max_buffer_bytes) / 4;
        match words / self.block_words() {
            0 => Err(Error::Limit {
                what: format!("{OP} with packed weights: those of {} rows", self.rows),
                needed: 4 * self.block_words(),
                available: 4 * words,
                unit: "bytes a binding",
                way_out: "use gather, or none, which chooses by shape and limits".to_owned(),
            }),
            blocks => Ok(blocks.min(self.blocks)),
        }
    }
}

/// A run of blocks whose packed weights one binding holds.
pub(super) struct Run {
    pub(super) first_block: u64,
    pub(super) blocks: u64,
    pub(super) packed: Buffer,
}

/// Packs the weight into a persistent scratch buffer for each run of blocks; `step` gives the dispatch that reads it.
///
/// Where one binding does not hold the weight as it is, each run is packed in several dispatches, one for each shard of
/// its input channels.
///
/// # Errors
/// [`Error::Limit`] where a binding does not hold one input channel's weights, or one block's packed ones.
pub(super) fn packed(
    problem: &Problem<'_>,
    packing: &Packing,
    caps: &Caps,
    step: impl Fn(&Run) -> Result<Step>,
) -> Result<KernelPlan> {
    let shards = problem.rows(u64::MAX).shards(caps)?;
    let a_binding = packing.blocks_a_binding(caps)?;
    let mut plan = KernelPlan { half_weight: packing.half, ..KernelPlan::default() };
    for first_block in (0..packing.blocks).step_by(a_binding as usize) {
        let blocks = a_binding.min(packing.blocks - first_block);
        let run = Run { first_block, blocks, packed: plan.persistent(blocks * packing.block_words()) };
        let first_group = first_block / packing.group_blocks;
        let last_group = (first_block + blocks - 1) / packing.group_blocks;
        for shard in &shards {
            if shard.first_group <= last_group && first_group < shard.first_group + shard.groups {
                plan.prepare.push(pack(problem, packing, &run, shard, caps)?);
            }
        }
        plan.run.push(step(&run)?);
    }
    Ok(plan)
}

/// Packs what a shard of the weight has for a run of blocks.
fn pack(problem: &Problem<'_>, packing: &Packing, run: &Run, shard: &Shard, caps: &Caps) -> Result<Step> {
    let vectors = run.blocks * packing.block_vectors;
    let params = PackParams {
        weight_offset: shard.offset as u32,
        group_inputs: problem.group_inputs() as u32,
        group_outputs: packing.group_outputs as u32,
        group_blocks: packing.group_blocks as u32,
        taps: packing.taps as u32,
        first_block: run.first_block as u32,
        first_input: shard.first_row as u32,
        inputs: (shard.groups * shard.group_rows) as u32,
        vectors: vectors as u32,
    };
    let operands = [shard.part_of(Buffer::Input(1)), run.packed.into()];
    flat_step(packing.kernel, &packing.constants, &params, &operands, vectors as usize, caps)
}
