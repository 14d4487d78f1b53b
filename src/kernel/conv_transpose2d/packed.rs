//! The weight of a transposed convolution packed once: blocks of output channels, group by group, whose input channels lie
//! together in fours.

use super::{OP, Problem};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, Caps, Kernel, KernelPlan, Operand, Part, Scratch, Step, fold_workgroups};
use crate::kernel::conv2d::tiled::rows;
use crate::kernel::shards::Shard;
use crate::kernel::{HALF, INDEX, WORKGROUP, params, part};

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

params! {
    /// Uniforms of `conv_transpose2d/pack`; the shader says what they mean.
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

/// How a weight falls into blocks of `rows` output channels.
pub(super) struct Packing {
    pub(super) rows: u64,
    pub(super) group_outputs: u64,
    /// Blocks of a group, and of all.
    pub(super) group_blocks: u64,
    pub(super) blocks: u64,
    /// Groups of four input channels.
    pub(super) quads: u64,
    pub(super) taps: u64,
    /// Whether weights are packed as f16.
    half: bool,
}

impl Packing {
    pub(super) fn of(problem: &Problem<'_>) -> Self {
        let group_outputs = problem.weight.c as u64;
        let rows = rows(group_outputs);
        let group_blocks = group_outputs.div_ceil(rows);
        Self {
            rows,
            group_outputs,
            group_blocks,
            blocks: group_blocks * problem.op.groups as u64,
            quads: (problem.group_inputs() as u64).div_ceil(4),
            taps: problem.weight.plane() as u64,
            half: false,
        }
    }

    /// Vectors of four packed weights in a block.
    fn block_vectors(&self) -> u64 {
        self.rows * self.quads * self.taps
    }

    /// Words of a block's packed weights.
    fn block_words(&self) -> u64 {
        if self.half { 2 * self.block_vectors() } else { 4 * self.block_vectors() }
    }

    /// Into how many runs of blocks [`packed`] divides a weight.
    ///
    /// # Errors
    /// As [`packed`].
    pub(super) fn runs(problem: &Problem<'_>, half: bool, caps: &Caps) -> Result<u64> {
        let packing = Self { half, ..Self::of(problem) };
        Ok(packing.blocks.div_ceil(packing.blocks_a_binding(caps)?))
    }

    /// Blocks whose packed weights one binding holds.
    ///
    /// # Errors
    /// [`Error::Limit`] where that is none.
    fn blocks_a_binding(&self, caps: &Caps) -> Result<u64> {
        let words = caps.max_binding_bytes.min(caps.max_buffer_bytes) / 4;
        match words / self.block_words() {
            0 => Err(Error::Limit {
                what: format!("{OP} with packed weights: those of {} output channels", self.rows),
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

/// Packs the weight, as f16 if that is wanted, into a persistent scratch buffer for each run of blocks; `step` gives the dispatch that reads it.
///
/// Where one binding does not hold the weight as it is, each run is packed in several dispatches, one for each shard of
/// its input channels.
///
/// # Errors
/// [`Error::Limit`] where a binding does not hold one input channel's weights, or one block's packed ones.
pub(super) fn packed(
    problem: &Problem<'_>,
    half: bool,
    caps: &Caps,
    step: impl Fn(&Packing, &Run) -> Result<Step>,
) -> Result<KernelPlan> {
    let packing = Packing { half, ..Packing::of(problem) };
    let shards = problem.rows(u64::MAX).shards(caps)?;
    let a_binding = packing.blocks_a_binding(caps)?;
    let mut plan = KernelPlan { half_weight: half, ..KernelPlan::default() };
    for first_block in (0..packing.blocks).step_by(a_binding as usize) {
        let blocks = a_binding.min(packing.blocks - first_block);
        let run = Run { first_block, blocks, packed: Buffer::Scratch(plan.scratch.len()) };
        plan.scratch.push(Scratch { words: blocks * packing.block_words(), persistent: true });
        let first_group = first_block / packing.group_blocks;
        let last_group = (first_block + blocks - 1) / packing.group_blocks;
        for shard in &shards {
            if shard.first_group <= last_group && first_group < shard.first_group + shard.groups {
                plan.prepare.push(pack(problem, &packing, &run, shard, shards.len() == 1, caps)?);
            }
        }
        plan.run.push(step(&packing, &run)?);
    }
    Ok(plan)
}

/// Packs what a shard of the weight has for a run of blocks.
fn pack(problem: &Problem<'_>, packing: &Packing, run: &Run, shard: &Shard, whole: bool, caps: &Caps) -> Result<Step> {
    let vectors = run.blocks * packing.block_vectors();
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
    let weight = Operand { buffer: Buffer::Input(1), words: (!whole).then(|| shard.words.clone()) };
    Ok(Step {
        kernel: if packing.half { &PACK_HALF } else { &PACK },
        constants: vec![("ROWS", packing.rows as f64), ("WORKGROUP", f64::from(WORKGROUP))],
        params: bytemuck::bytes_of(&params).to_vec(),
        operands: vec![weight, run.packed.into()],
        workgroups: fold_workgroups(vectors.div_ceil(u64::from(WORKGROUP)), caps)?,
    })
}
