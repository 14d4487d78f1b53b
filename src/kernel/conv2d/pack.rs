//! Weights in the order in which the implicit matrix products in register tiles read them.

use super::Form;
use super::blocks::{Blocks, Run};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Part, Step};
use crate::kernel::flat::flat_step;
use crate::kernel::{HALF, INDEX, params, part};

static PACK_MAIN: Part = part!("conv2d/pack.wgsl");
static PACKED_F32: Part = part!("conv2d/packed_f32.wgsl");
static PACKED_HALF: Part = part!("conv2d/packed_half.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part]) -> Kernel {
    Kernel { name, parts, bindings: &[Access::Uniform, Access::Read, Access::Write], needs_float_atomics: false }
}

pub(super) static PACK: Kernel = kernel("conv2d/pack", &[&INDEX, &PACKED_F32, &PACK_MAIN]);
pub(super) static PACK_HALF: Kernel = kernel("conv2d/pack_half", &[&INDEX, &HALF, &PACKED_HALF, &PACK_MAIN]);

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

/// What a packed weight is made of.
pub(super) struct Vectors {
    /// The form of the map that is read with them.
    pub(super) form: Form,
    /// Whether a vector has four rows of one input channel, or four channels of one row.
    pub(super) four_rows: bool,
}

/// Packs a run of blocks of a weight with so many input channels a group and taps.
///
/// # Errors
/// As [`flat_step`].
pub(super) fn step(
    [inputs, taps]: [u64; 2],
    (blocks, run): (&Blocks, &Run),
    Vectors { form, four_rows }: Vectors,
    weight: Buffer,
    packed: Buffer,
    caps: &Caps,
) -> Result<Step> {
    let vectors = run.blocks * blocks.rows * inputs.div_ceil(4) * taps;
    let params = PackParams {
        weight_offset: run.offset as u32,
        group_inputs: inputs as u32,
        group_outputs: blocks.group_outputs as u32,
        group_blocks: blocks.group_blocks() as u32,
        taps: taps as u32,
        first_block: run.first_block as u32,
        first_channel: run.first_channel as u32,
        vectors: vectors as u32,
    };
    let kernel = if form == Form::Words { &PACK } else { &PACK_HALF };
    let operands = [run.part_of(weight), packed.into()];
    let constants = [("ROWS", blocks.rows as f64), ("FOUR_ROWS", f64::from(four_rows))];
    flat_step(kernel, &constants, &params, &operands, vectors as usize, caps)
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    [&PACK, &PACK_HALF].map(|pack| (pack, PackParams::FIELDS)).into()
}
