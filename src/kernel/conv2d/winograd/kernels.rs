//! The kernels of minimal filtering: transforms of input, weight and products, and the products.

use super::super::Variant;
use crate::gpu::{Access, Kernel, Part};
use crate::kernel::{ACTIVATION, INDEX, RANK, TILE, WORDS_U64, params, part};

/// One of the two transforms: its output tile and its kernels.
pub(in crate::kernel::conv2d) struct Transform {
    pub(super) variant: Variant,
    /// Output cells of a tile along each axis.
    pub(super) cells: usize,
    pub(super) input: &'static Kernel,
    pub(super) weight: &'static Kernel,
    pub(super) output: &'static Kernel,
    /// `output` with a max pooling after it.
    pub(super) pooled_output: &'static Kernel,
}

impl Transform {
    /// Positions of a transformed tile.
    pub(super) fn positions(&self) -> u64 {
        ((self.cells + 2) * (self.cells + 2)) as u64
    }
}

const IN: &[Access] = &[Access::Uniform, Access::Read, Access::Write];
const INS: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Write];
const POOLED: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Write, Access::Write];

/// Uniforms and operands of the last dispatch.
static INVERSE: Part = part!("conv2d/inverse.wgsl");
/// Its end, for a map.
static CELLS: Part = part!("conv2d/cells.wgsl");
/// Its end, for the map's maxima.
static MAXIMA: Part = part!("conv2d/maxima.wgsl");
/// Loads of the products.
static PLAIN: Part = part!("conv2d/winograd_operands.wgsl");
static PAIRS: Part = part!("conv2d/winograd_operands_u64.wgsl");
static PRODUCT_MAIN: Part = part!("conv2d/winograd_product.wgsl");
static F2_INVERSE: Part = part!("conv2d/winograd_f2_output.wgsl");
static F4_INVERSE: Part = part!("conv2d/winograd_f4_output.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

pub(in crate::kernel::conv2d) static F2_INPUT: Kernel =
    kernel("conv2d/winograd_f2_input", &[&INDEX, &part!("conv2d/winograd_f2_input.wgsl")], IN);
pub(in crate::kernel::conv2d) static F2_WEIGHT: Kernel =
    kernel("conv2d/winograd_f2_weight", &[&INDEX, &part!("conv2d/winograd_f2_weight.wgsl")], IN);
pub(in crate::kernel::conv2d) static F2_OUTPUT: Kernel =
    kernel("conv2d/winograd_f2_output", &[&INDEX, &ACTIVATION, &INVERSE, &CELLS, &F2_INVERSE], INS);
pub(in crate::kernel::conv2d) static F2_POOLED: Kernel =
    kernel("conv2d/winograd_f2_output_pooled", &[&INDEX, &ACTIVATION, &RANK, &INVERSE, &MAXIMA, &F2_INVERSE], POOLED);
pub(in crate::kernel::conv2d) static F4_INPUT: Kernel =
    kernel("conv2d/winograd_f4_input", &[&INDEX, &part!("conv2d/winograd_f4_input.wgsl")], IN);
pub(in crate::kernel::conv2d) static F4_WEIGHT: Kernel =
    kernel("conv2d/winograd_f4_weight", &[&INDEX, &part!("conv2d/winograd_f4_weight.wgsl")], IN);
pub(in crate::kernel::conv2d) static F4_OUTPUT: Kernel =
    kernel("conv2d/winograd_f4_output", &[&INDEX, &ACTIVATION, &INVERSE, &CELLS, &F4_INVERSE], INS);
pub(in crate::kernel::conv2d) static F4_POOLED: Kernel =
    kernel("conv2d/winograd_f4_output_pooled", &[&INDEX, &ACTIVATION, &RANK, &INVERSE, &MAXIMA, &F4_INVERSE], POOLED);
pub(in crate::kernel::conv2d) static PRODUCT: Kernel =
    kernel("conv2d/winograd_product", &[&INDEX, &TILE, &PLAIN, &PRODUCT_MAIN], INS);
/// The same with two words a load.
pub(in crate::kernel::conv2d) static PRODUCT_U64: Kernel =
    kernel("conv2d/winograd_product_u64", &[&INDEX, &TILE, &WORDS_U64, &PAIRS, &PRODUCT_MAIN], INS);

/// F(2x2, 3x3): 2.25 times fewer products, exact on small integers.
pub(in crate::kernel::conv2d) static F2: Transform = Transform {
    variant: Variant::WinogradF2,
    cells: 2,
    input: &F2_INPUT,
    weight: &F2_WEIGHT,
    output: &F2_OUTPUT,
    pooled_output: &F2_POOLED,
};
/// F(4x4, 3x3): 4 times fewer products.
pub(in crate::kernel::conv2d) static F4: Transform = Transform {
    variant: Variant::WinogradF4,
    cells: 4,
    input: &F4_INPUT,
    weight: &F4_WEIGHT,
    output: &F4_OUTPUT,
    pooled_output: &F4_POOLED,
};

params! {
    /// Uniforms of `conv2d/winograd_*_input`; the shaders say what they mean.
    pub(super) struct InputParams {
        in_channels: u32,
        in_h: u32,
        in_w: u32,
        pad_top: u32,
        pad_left: u32,
        tile_columns: u32,
        image_tiles: u32,
        first_tile: u32,
        last_tile: u32,
        tiles: u32,
        channels: u32,
        group_inputs: u32,
        group_channels: u32,
    }
}

params! {
    /// Uniforms of `conv2d/winograd_*_weight`; the shaders say what they mean.
    pub(super) struct WeightParams {
        weight_offset: u32,
        group_inputs: u32,
        group_outputs: u32,
        group_blocks: u32,
        first_block: u32,
        first_channel: u32,
        kernels: u32,
    }
}

params! {
    /// Uniforms of `conv2d/winograd_product`; the shader says what they mean.
    pub(super) struct ProductParams {
        channels: u32,
        rows: u32,
        tiles: u32,
        positions: u32,
        group_channels: u32,
        group_blocks: u32,
        first_block: u32,
        blocks: u32,
        tile_groups: u32,
        groups: u32,
    }
}

params! {
    /// Uniforms of `conv2d/winograd_*_output`; the shaders say what they mean.
    pub(super) struct OutputParams {
        out_channels: u32,
        out_h: u32,
        out_w: u32,
        pooled_h: u32,
        pooled_w: u32,
        tile_columns: u32,
        image_tiles: u32,
        first_tile: u32,
        count: u32,
        tiles: u32,
        channels: u32,
        group_outputs: u32,
        group_rows: u32,
    }
}

#[cfg(test)]
pub(in crate::kernel::conv2d) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    vec![
        (&F2_INPUT, InputParams::FIELDS),
        (&F4_INPUT, InputParams::FIELDS),
        (&F2_WEIGHT, WeightParams::FIELDS),
        (&F4_WEIGHT, WeightParams::FIELDS),
        (&F2_OUTPUT, OutputParams::FIELDS),
        (&F4_OUTPUT, OutputParams::FIELDS),
        (&F2_POOLED, OutputParams::FIELDS),
        (&F4_POOLED, OutputParams::FIELDS),
        (&PRODUCT, ProductParams::FIELDS),
        (&PRODUCT_U64, ProductParams::FIELDS),
    ]
}
