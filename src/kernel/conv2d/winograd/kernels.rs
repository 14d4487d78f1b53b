//! The kernels of minimal filtering: transforms of input, weight and products, and the products.

use crate::gpu::{Access, Kernel, Part};
use crate::kernel::conv2d::forms::{BLOCK_ROWS, ONE_TILE, ROWS_GATHERED, ROWS_LOADED, TWO_TILES, WEIGHTS, WEIGHTS_U64};
use crate::kernel::conv2d::stages::STAGES;
use crate::kernel::{ACTIVATION, INDEX, LANES_8, RANK, TILE, VECTORS_U64, WORDS_U64, params, part};

const IN: &[Access] = &[Access::Uniform, Access::Read, Access::Write];
const INS: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Write];
const POOLED: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Write, Access::Write];

/// Uniforms and operands of the first dispatch, for kernels in one piece, and of the transforms of weights.
static SOURCE_CELLS: Part = part!("conv2d/winograd_cells.wgsl");
static SOURCE_KERNELS: Part = part!("conv2d/winograd_kernels.wgsl");
/// Uniforms and operands of the last dispatch.
static INVERSE: Part = part!("conv2d/inverse.wgsl");
/// Its end, for a map.
static CELLS: Part = part!("conv2d/cells.wgsl");
/// Its end, for the map's maxima.
static MAXIMA: Part = part!("conv2d/maxima.wgsl");
/// Uniforms of the products.
static OPERANDS: Part = part!("conv2d/winograd_operands.wgsl");
/// Their end.
static STORE: Part = part!("conv2d/winograd_store.wgsl");
static PRODUCT_MAIN: Part = part!("conv2d/winograd_product.wgsl");
static SHARED_MAIN: Part = part!("conv2d/winograd_product_shared.wgsl");
static NARROW_MAIN: Part = part!("conv2d/winograd_product_narrow.wgsl");
static F2_INVERSE: Part = part!("conv2d/winograd_f2_output.wgsl");
static F4_INVERSE: Part = part!("conv2d/winograd_f4_output.wgsl");
static PIECES_INVERSE: Part = part!("conv2d/winograd_pieces_output.wgsl");
static EIGHT_INVERSE: Part = part!("conv2d/winograd_eight_inverse.wgsl");
static EIGHT_MAIN: Part = part!("conv2d/winograd_eight_output.wgsl");
/// What its tiles give, cell by cell and window by window.
static EIGHT_CELLS: Part = part!("conv2d/winograd_eight_cells.wgsl");
static EIGHT_WINDOWS: Part = part!("conv2d/winograd_eight_windows.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

pub(in crate::kernel::conv2d) static F2_INPUT: Kernel =
    kernel("conv2d/winograd_f2_input", &[&INDEX, &SOURCE_CELLS, &part!("conv2d/winograd_f2_input.wgsl")], IN);
pub(in crate::kernel::conv2d) static F2_WEIGHT: Kernel =
    kernel("conv2d/winograd_f2_weight", &[&INDEX, &SOURCE_KERNELS, &part!("conv2d/winograd_f2_weight.wgsl")], IN);
pub(in crate::kernel::conv2d) static F2_OUTPUT: Kernel =
    kernel("conv2d/winograd_f2_output", &[&INDEX, &ACTIVATION, &INVERSE, &CELLS, &F2_INVERSE], INS);
pub(in crate::kernel::conv2d) static F2_POOLED: Kernel =
    kernel("conv2d/winograd_f2_output_pooled", &[&INDEX, &ACTIVATION, &RANK, &INVERSE, &MAXIMA, &F2_INVERSE], POOLED);
pub(in crate::kernel::conv2d) static F4_INPUT: Kernel =
    kernel("conv2d/winograd_f4_input", &[&INDEX, &SOURCE_CELLS, &part!("conv2d/winograd_f4_input.wgsl")], IN);
pub(in crate::kernel::conv2d) static F4_WEIGHT: Kernel =
    kernel("conv2d/winograd_f4_weight", &[&INDEX, &SOURCE_KERNELS, &part!("conv2d/winograd_f4_weight.wgsl")], IN);
pub(in crate::kernel::conv2d) static F4_OUTPUT: Kernel =
    kernel("conv2d/winograd_f4_output", &[&INDEX, &ACTIVATION, &INVERSE, &CELLS, &F4_INVERSE], INS);
pub(in crate::kernel::conv2d) static F4_POOLED: Kernel =
    kernel("conv2d/winograd_f4_output_pooled", &[&INDEX, &ACTIVATION, &RANK, &INVERSE, &MAXIMA, &F4_INVERSE], POOLED);
pub(in crate::kernel::conv2d) static PIECES_INPUT: Kernel =
    kernel("conv2d/winograd_pieces_input", &[&INDEX, &part!("conv2d/winograd_pieces_input.wgsl")], IN);
pub(in crate::kernel::conv2d) static PIECES_WEIGHT: Kernel = kernel(
    "conv2d/winograd_pieces_weight",
    &[&INDEX, &SOURCE_KERNELS, &part!("conv2d/winograd_pieces_weight.wgsl")],
    IN,
);
pub(in crate::kernel::conv2d) static PIECES_OUTPUT: Kernel =
    kernel("conv2d/winograd_pieces_output", &[&INDEX, &ACTIVATION, &INVERSE, &CELLS, &PIECES_INVERSE], INS);
pub(in crate::kernel::conv2d) static PIECES_POOLED: Kernel = kernel(
    "conv2d/winograd_pieces_output_pooled",
    &[&INDEX, &ACTIVATION, &RANK, &INVERSE, &MAXIMA, &PIECES_INVERSE],
    POOLED,
);
pub(in crate::kernel::conv2d) static EIGHT_INPUT: Kernel =
    kernel("conv2d/winograd_eight_input", &[&INDEX, &SOURCE_CELLS, &part!("conv2d/winograd_eight_input.wgsl")], IN);
pub(in crate::kernel::conv2d) static EIGHT_WEIGHT: Kernel =
    kernel("conv2d/winograd_eight_weight", &[&INDEX, &SOURCE_KERNELS, &part!("conv2d/winograd_eight_weight.wgsl")], IN);
pub(in crate::kernel::conv2d) static EIGHT_OUTPUT: Kernel = kernel(
    "conv2d/winograd_eight_output",
    &[&INDEX, &ACTIVATION, &INVERSE, &EIGHT_INVERSE, &CELLS, &EIGHT_CELLS, &EIGHT_MAIN],
    INS,
);
/// By way of workgroup memory, for GPUs.
pub(in crate::kernel::conv2d) static EIGHT_OUTPUT_STAGED: Kernel = kernel(
    "conv2d/winograd_eight_output_staged",
    &[&INDEX, &ACTIVATION, &INVERSE, &EIGHT_INVERSE, &part!("conv2d/winograd_eight_output_staged.wgsl")],
    INS,
);
pub(in crate::kernel::conv2d) static EIGHT_POOLED: Kernel = kernel(
    "conv2d/winograd_eight_output_pooled",
    &[&INDEX, &ACTIVATION, &RANK, &INVERSE, &EIGHT_INVERSE, &MAXIMA, &EIGHT_WINDOWS, &EIGHT_MAIN],
    POOLED,
);
pub(in crate::kernel::conv2d) static PRODUCT: Kernel = kernel(
    "conv2d/winograd_product",
    &[&INDEX, &TILE, &OPERANDS, &WEIGHTS, &ROWS_LOADED, &ONE_TILE, &STORE, &PRODUCT_MAIN],
    INS,
);
/// The same with two weights a load.
pub(in crate::kernel::conv2d) static PRODUCT_U64: Kernel = kernel(
    "conv2d/winograd_product_u64",
    &[&INDEX, &TILE, &OPERANDS, &WORDS_U64, &WEIGHTS_U64, &ROWS_LOADED, &ONE_TILE, &STORE, &PRODUCT_MAIN],
    INS,
);
/// With two tiles an invocation, and weights loaded or gathered.
pub(in crate::kernel::conv2d) static NARROW: Kernel = kernel(
    "conv2d/winograd_product_narrow",
    &[&INDEX, &OPERANDS, &WEIGHTS, &ROWS_LOADED, &BLOCK_ROWS, &NARROW_MAIN],
    INS,
);
pub(in crate::kernel::conv2d) static NARROW_U64: Kernel = kernel(
    "conv2d/winograd_product_narrow_u64",
    &[&INDEX, &OPERANDS, &WORDS_U64, &WEIGHTS_U64, &ROWS_LOADED, &BLOCK_ROWS, &NARROW_MAIN],
    INS,
);
pub(in crate::kernel::conv2d) static NARROW_GATHERED: Kernel = kernel(
    "conv2d/winograd_product_narrow_gathered",
    &[&INDEX, &OPERANDS, &ROWS_GATHERED, &BLOCK_ROWS, &NARROW_MAIN],
    INS,
);
/// With eight tiles an invocation, everything gathered by words.
pub(in crate::kernel::conv2d) static GATHERED: Kernel = kernel(
    "conv2d/winograd_product_gathered",
    &[
        &INDEX,
        &TILE,
        &OPERANDS,
        &ROWS_GATHERED,
        &BLOCK_ROWS,
        &TWO_TILES,
        &STORE,
        &part!("conv2d/winograd_product_gathered.wgsl"),
    ],
    INS,
);
/// With tiles in workgroup memory, for all of a workgroup's blocks.
pub(in crate::kernel::conv2d) static SHARED: Kernel = kernel(
    "conv2d/winograd_product_shared",
    &[
        &INDEX,
        &TILE,
        &WORDS_U64,
        &VECTORS_U64,
        &LANES_8,
        &OPERANDS,
        &WEIGHTS_U64,
        &ROWS_LOADED,
        &TWO_TILES,
        &SHARED_MAIN,
    ],
    INS,
);

/// With both operands in workgroup memory, for GPUs.
pub(in crate::kernel::conv2d) static STAGED: Kernel = kernel(
    "conv2d/winograd_product_staged",
    &[&STAGES, &INDEX, &TILE, &OPERANDS, &WEIGHTS, &part!("conv2d/winograd_product_staged.wgsl")],
    INS,
);

params! {
    /// Uniforms of `conv2d/winograd_pieces_input`; the shader says what they mean.
    pub(super) struct PiecesInputParams {
        in_channels: u32,
        in_h: u32,
        in_w: u32,
        pad_top: u32,
        pad_left: u32,
        width: u32,
        quarter: u32,
        image_rows: u32,
        first_row: u32,
        tiles: u32,
        channels: u32,
        group_inputs: u32,
        group_channels: u32,
    }
}

params! {
    /// Uniforms of `conv2d/winograd_f2_input`, `winograd_f4_input` and `winograd_eight_input`; the shaders say what they mean.
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
        source_tiles: u32,
        tiles: u32,
        positions: u32,
        source_width: u32,
        width: u32,
        piece_rows: u32,
        piece_columns: u32,
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
        (&PIECES_INPUT, PiecesInputParams::FIELDS),
        (&EIGHT_INPUT, InputParams::FIELDS),
        (&F2_WEIGHT, WeightParams::FIELDS),
        (&F4_WEIGHT, WeightParams::FIELDS),
        (&PIECES_WEIGHT, WeightParams::FIELDS),
        (&EIGHT_WEIGHT, WeightParams::FIELDS),
        (&F2_OUTPUT, OutputParams::FIELDS),
        (&F4_OUTPUT, OutputParams::FIELDS),
        (&F2_POOLED, OutputParams::FIELDS),
        (&F4_POOLED, OutputParams::FIELDS),
        (&PIECES_OUTPUT, OutputParams::FIELDS),
        (&PIECES_POOLED, OutputParams::FIELDS),
        (&EIGHT_OUTPUT, OutputParams::FIELDS),
        (&EIGHT_OUTPUT_STAGED, OutputParams::FIELDS),
        (&EIGHT_POOLED, OutputParams::FIELDS),
        (&PRODUCT, ProductParams::FIELDS),
        (&PRODUCT_U64, ProductParams::FIELDS),
        (&NARROW, ProductParams::FIELDS),
        (&NARROW_U64, ProductParams::FIELDS),
        (&NARROW_GATHERED, ProductParams::FIELDS),
        (&GATHERED, ProductParams::FIELDS),
        (&SHARED, ProductParams::FIELDS),
        (&STAGED, ProductParams::FIELDS),
    ]
}
