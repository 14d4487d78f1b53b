//! Weights as f16 in the order in which the product on matrix units takes them.

use super::super::blocks::{Blocks, Run};
use super::division::{Division, Work};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Step};
use crate::kernel::flat::flat_step;
use crate::kernel::{HALF, INDEX, params, part};

pub(in super::super) static PACK: Kernel = Kernel {
    name: "conv2d/pack_cooperative",
    parts: &[&INDEX, &HALF, &part!("conv2d/pack_cooperative.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv2d/pack_cooperative`; the shader says what they mean.
    struct PackParams {
        weight_offset: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        taps: u32,
        first_block: u32,
        first_channel: u32,
        words: u32,
    }
}

/// Packs a run of blocks of a weight for such a division of such work.
///
/// # Errors
/// As [`flat_step`].
pub(super) fn step(
    division: &Division,
    work: &Work,
    (blocks, run): (&Blocks, &Run),
    weight: Buffer,
    packed: Buffer,
    caps: &Caps,
) -> Result<Step> {
    let words = run.blocks * blocks.block_words;
    let params = PackParams {
        weight_offset: run.offset as u32,
        group_inputs: work.group_inputs as u32,
        group_outputs: blocks.group_outputs as u32,
        group_blocks: blocks.group_blocks() as u32,
        taps: work.taps() as u32,
        first_block: run.first_block as u32,
        first_channel: run.first_channel as u32,
        words: words as u32,
    };
    let constants = [("ROWS", blocks.rows), ("STEP", division.step), ("TILE", division.tile)];
    let constants = constants.map(|(name, value)| (name, value as f64));
    flat_step(&PACK, &constants, &params, &[run.part_of(weight), packed.into()], words as usize, caps)
}

#[cfg(test)]
pub(super) fn params_exhibited() -> crate::kernel::checks::ParamsExhibit {
    (&PACK, PackParams::FIELDS)
}
