//! The kernels of the implicit matrix products in register tiles: one for each form of the maps and each end of the sums.

use super::stages::STAGES;
use super::{Form, OP, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Caps, Kernel, Part};
use crate::kernel::max_pool2d::{BEST, MAXIMA_HALF};
use crate::kernel::{ACTIVATION, INDEX, LANES_8, NARROW, PLANES_HALF, TILE, WORDS_U64, part};

/// Loads of the implicit matrix product.
pub(in crate::kernel) static COLUMNS: Part = part!("conv2d/columns.wgsl");
/// Its weights, a vector a load or two words a load.
pub(in crate::kernel) static WEIGHTS: Part = part!("conv2d/weights.wgsl");
pub(in crate::kernel) static WEIGHTS_U64: Part = part!("conv2d/weights_u64.wgsl");
/// The weights of eight rows, loaded where they are used or gathered beforehand, a word a lane.
pub(in crate::kernel) static ROWS_LOADED: Part = part!("conv2d/rows_loaded.wgsl");
pub(in crate::kernel) static ROWS_GATHERED: Part = part!("conv2d/rows_gathered.wgsl");
/// Those of a block.
pub(in crate::kernel) static BLOCK_ROWS: Part = part!("conv2d/block_rows.wgsl");
/// Products with one vector of cells, and with two.
pub(in crate::kernel) static ONE_TILE: Part = part!("conv2d/one_tile.wgsl");
pub(in crate::kernel) static TWO_TILES: Part = part!("conv2d/two_tiles.wgsl");
/// The end of its register tiles.
pub(in crate::kernel) static STORE: Part = part!("conv2d/store.wgsl");
/// Uniforms, overrides and bindings of its kernels.
pub(super) static OPERANDS: Part = part!("conv2d/operands.wgsl");
pub(super) static OPERANDS_F32: Part = part!("conv2d/operands_f32.wgsl");
pub(super) static RESULT_F32: Part = part!("conv2d/result_f32.wgsl");
/// Which cells are computed.
pub(super) static IN_ROWS: Part = part!("conv2d/in_rows.wgsl");
/// The same for maps and weights in f16.
pub(super) static OPERANDS_HALF: Part = part!("conv2d/operands_half.wgsl");
static COLUMNS_HALF: Part = part!("conv2d/columns_half.wgsl");
pub(super) static RESULT_HALF: Part = part!("conv2d/result_half.wgsl");
static STORE_HALF: Part = part!("conv2d/store_half.wgsl");
/// The same with a pooling for an end.
pub(super) static IN_WINDOWS: Part = part!("conv2d/in_windows.wgsl");
pub(super) static STORE_POOLED: Part = part!("conv2d/store_half_pooled.wgsl");
static STORE_WINDOWS: Part = part!("conv2d/store_windows.wgsl");
/// Output channels as phases of another map, and the end of a register tile that stores them.
pub(in crate::kernel) static INTERLEAVED: Part = part!("conv_transpose2d/interleaved.wgsl");
static INTERLEAVE: Part = part!("conv_transpose2d/interleave.wgsl");
static INTERLEAVE_HALF: Part = part!("conv_transpose2d/interleave_half.wgsl");
static TILED_MAIN: Part = part!("conv2d/tiled.wgsl");
static STAGED_MAIN: Part = part!("conv2d/staged.wgsl");

pub(super) const BINDINGS: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write];
/// With the overflow words after the result.
pub(super) const BINDINGS_HALF: &[Access] =
    &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write];
/// With the switches after those.
pub(super) const BINDINGS_POOLED: &[Access] =
    &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write, Access::Write];

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

/// Kernels of the same parts but for those that divide the work.
macro_rules! tiled_and_staged {
    ($tiled:ident $tiled_name:literal, $staged:ident $staged_name:literal, $bindings:ident, [$($part:ident),*]) => {
        pub(super) static $tiled: Kernel = kernel(
            $tiled_name,
            &[&INDEX, &ACTIVATION, &TILE, &OPERANDS, $(&$part,)* &ROWS_LOADED, &ONE_TILE, &TILED_MAIN],
            $bindings,
        );
        pub(super) static $staged: Kernel = kernel(
            $staged_name,
            &[&STAGES, &INDEX, &ACTIVATION, &TILE, &OPERANDS, $(&$part,)* &STAGED_MAIN],
            $bindings,
        );
    };
}

tiled_and_staged!(
    TILED "conv2d/tiled", STAGED "conv2d/staged", BINDINGS,
    [OPERANDS_F32, WEIGHTS, COLUMNS, IN_ROWS, RESULT_F32, STORE]
);

/// The same with weights read two words at a time.
pub(super) static TILED_U64: Kernel = kernel(
    "conv2d/tiled_u64",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_F32,
        &WORDS_U64,
        &WEIGHTS_U64,
        &ROWS_LOADED,
        &ONE_TILE,
        &COLUMNS,
        &IN_ROWS,
        &RESULT_F32,
        &STORE,
        &TILED_MAIN,
    ],
    BINDINGS,
);

/// The same with cells in workgroup memory, for all of a workgroup's blocks.
pub(super) static TILED_SHARED: Kernel = kernel(
    "conv2d/tiled_shared",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_F32,
        &WORDS_U64,
        &WEIGHTS_U64,
        &ROWS_LOADED,
        &LANES_8,
        &TWO_TILES,
        &IN_ROWS,
        &RESULT_F32,
        &STORE,
        &part!("conv2d/tiled_shared.wgsl"),
    ],
    BINDINGS,
);

/// The same with two vectors of cells an invocation and everything gathered by words.
pub(super) static TILED_GATHERED: Kernel = kernel(
    "conv2d/tiled_gathered",
    &[
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_F32,
        &ROWS_GATHERED,
        &BLOCK_ROWS,
        &TWO_TILES,
        &COLUMNS,
        &IN_ROWS,
        &RESULT_F32,
        &STORE,
        &part!("conv2d/tiled_gathered.wgsl"),
    ],
    BINDINGS,
);

tiled_and_staged!(
    TILED_HALF "conv2d/tiled_half", STAGED_HALF "conv2d/staged_half", BINDINGS_HALF,
    [OPERANDS_HALF, COLUMNS_HALF, IN_ROWS, NARROW, RESULT_HALF, STORE_HALF]
);

tiled_and_staged!(
    TILED_HALF_F32 "conv2d/tiled_half_f32", STAGED_HALF_F32 "conv2d/staged_half_f32", BINDINGS,
    [OPERANDS_HALF, COLUMNS_HALF, IN_ROWS, RESULT_F32, STORE]
);

tiled_and_staged!(
    TILED_INTERLEAVED "conv2d/tiled_interleaved", STAGED_INTERLEAVED "conv2d/staged_interleaved", BINDINGS_HALF,
    [OPERANDS_HALF, COLUMNS_HALF, IN_ROWS, NARROW, INTERLEAVED, INTERLEAVE_HALF]
);

tiled_and_staged!(
    TILED_INTERLEAVED_F32 "conv2d/tiled_interleaved_f32", STAGED_INTERLEAVED_F32 "conv2d/staged_interleaved_f32", BINDINGS,
    [OPERANDS_HALF, COLUMNS_HALF, IN_ROWS, RESULT_F32, INTERLEAVED, INTERLEAVE]
);

tiled_and_staged!(
    TILED_HALF_POOLED "conv2d/tiled_half_pooled", STAGED_HALF_POOLED "conv2d/staged_half_pooled", BINDINGS_POOLED,
    [
        OPERANDS_HALF, COLUMNS_HALF, IN_WINDOWS, NARROW, RESULT_HALF, PLANES_HALF, BEST, MAXIMA_HALF,
        STORE_POOLED, STORE_WINDOWS
    ]
);

/// `STAGED` with output channels that are phases.
pub(super) static STAGED_PHASES: Kernel = kernel(
    "conv2d/staged_phases",
    &[
        &STAGES,
        &INDEX,
        &ACTIVATION,
        &TILE,
        &OPERANDS,
        &OPERANDS_F32,
        &WEIGHTS,
        &COLUMNS,
        &IN_ROWS,
        &RESULT_F32,
        &INTERLEAVED,
        &INTERLEAVE,
        &STAGED_MAIN,
    ],
    BINDINGS,
);

/// The kernel of a division for maps in such a form, whose output channels may be phases, on such a device.
///
/// # Errors
/// [`Error::Unsupported`] for phases of a map in f32 by `Tiled`, which `conv_transpose2d/phased` computes.
pub(super) fn kernel_for(variant: Variant, form: Form, phases: bool, caps: &Caps) -> Result<&'static Kernel> {
    Ok(match (variant, form, phases) {
        (Variant::Staged, Form::Words, true) => &STAGED_PHASES,
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
        (_, Form::Words, _) if caps.loads_pairs() => &TILED_U64,
        (_, Form::Words, _) => &TILED,
        (_, Form::Halves, false) => &TILED_HALF,
        (_, Form::HalvesToWords, false) => &TILED_HALF_F32,
        (_, Form::Halves, true) => &TILED_INTERLEAVED,
        (_, Form::HalvesToWords, true) => &TILED_INTERLEAVED_F32,
    })
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    let tiled = [
        &TILED,
        &TILED_U64,
        &TILED_SHARED,
        &TILED_GATHERED,
        &TILED_HALF,
        &TILED_HALF_F32,
        &TILED_INTERLEAVED,
        &TILED_INTERLEAVED_F32,
        &TILED_HALF_POOLED,
    ];
    let staged = [
        &STAGED,
        &STAGED_HALF,
        &STAGED_HALF_F32,
        &STAGED_PHASES,
        &STAGED_INTERLEAVED,
        &STAGED_INTERLEAVED_F32,
        &STAGED_HALF_POOLED,
    ];
    tiled.into_iter().chain(staged).map(|kernel| (kernel, super::product::Params::FIELDS)).collect()
}
