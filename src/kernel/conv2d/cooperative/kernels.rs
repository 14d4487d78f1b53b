//! The kernels of the products on matrix units: one for each size of the matrices, form of the maps and end of the sums.

use crate::gpu::{Access, Kernel, Part};
use crate::kernel::conv2d::forms::{BINDINGS_POOLED, IN_WINDOWS, INTERLEAVED, OPERANDS, RESULT_HALF, STORE_POOLED};
use crate::kernel::max_pool2d::{BEST, MAXIMA_HALF};
use crate::kernel::{ACTIVATION, MATRIX_8, MATRIX_16, NARROW, PLANES_HALF, part};

static MAIN: Part = part!("conv2d/cooperative.wgsl");

const BINDINGS: &[Access] = &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write];
/// With the overflow words after the result.
const BINDINGS_HALF: &[Access] =
    &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write, Access::Write];

static CELLS: Part = part!("conv2d/cooperative_cells.wgsl");
static CELLS_HALF: Part = part!("conv2d/cooperative_cells_half.wgsl");
static STORE: Part = part!("conv2d/cooperative_store.wgsl");
static STORE_HALF: Part = part!("conv2d/cooperative_store_half.wgsl");
static STORE_WINDOWS: Part = part!("conv2d/cooperative_store_windows.wgsl");
static INTERLEAVE: Part = part!("conv_transpose2d/interleave_matrices.wgsl");
static INTERLEAVE_HALF: Part = part!("conv_transpose2d/interleave_matrices_half.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part], bindings: &'static [Access]) -> Kernel {
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

/// Two kernels of the same parts but for the first, the size of the matrices.
macro_rules! by_eight_and_by_sixteen {
    ($eight:ident $eight_name:literal, $sixteen:ident $sixteen_name:literal, $bindings:ident, [$($part:ident),*]) => {
        pub(in crate::kernel::conv2d) static $eight: Kernel =
            kernel($eight_name, &[&MATRIX_8, &ACTIVATION, &OPERANDS, $(&$part,)* &MAIN], $bindings);
        pub(in crate::kernel::conv2d) static $sixteen: Kernel =
            kernel($sixteen_name, &[&MATRIX_16, &ACTIVATION, &OPERANDS, $(&$part,)* &MAIN], $bindings);
    };
}

by_eight_and_by_sixteen!(
    EIGHT "conv2d/cooperative_8", SIXTEEN "conv2d/cooperative_16", BINDINGS,
    [CELLS, STORE]
);

by_eight_and_by_sixteen!(
    EIGHT_HALF "conv2d/cooperative_8_half", SIXTEEN_HALF "conv2d/cooperative_16_half", BINDINGS_HALF,
    [CELLS_HALF, NARROW, RESULT_HALF, STORE_HALF]
);

by_eight_and_by_sixteen!(
    EIGHT_HALF_F32 "conv2d/cooperative_8_half_f32", SIXTEEN_HALF_F32 "conv2d/cooperative_16_half_f32", BINDINGS,
    [CELLS_HALF, STORE]
);

by_eight_and_by_sixteen!(
    EIGHT_INTERLEAVED "conv2d/cooperative_8_interleaved", SIXTEEN_INTERLEAVED "conv2d/cooperative_16_interleaved", BINDINGS,
    [CELLS, INTERLEAVED, INTERLEAVE]
);

by_eight_and_by_sixteen!(
    EIGHT_HALF_INTERLEAVED "conv2d/cooperative_8_half_interleaved",
    SIXTEEN_HALF_INTERLEAVED "conv2d/cooperative_16_half_interleaved", BINDINGS_HALF,
    [CELLS_HALF, NARROW, INTERLEAVED, INTERLEAVE_HALF]
);

by_eight_and_by_sixteen!(
    EIGHT_HALF_F32_INTERLEAVED "conv2d/cooperative_8_half_f32_interleaved",
    SIXTEEN_HALF_F32_INTERLEAVED "conv2d/cooperative_16_half_f32_interleaved", BINDINGS,
    [CELLS_HALF, INTERLEAVED, INTERLEAVE]
);

by_eight_and_by_sixteen!(
    EIGHT_HALF_POOLED "conv2d/cooperative_8_half_pooled", SIXTEEN_HALF_POOLED "conv2d/cooperative_16_half_pooled",
    BINDINGS_POOLED,
    [
        CELLS_HALF, IN_WINDOWS, NARROW, RESULT_HALF, PLANES_HALF, BEST, MAXIMA_HALF, STORE_POOLED,
        STORE_WINDOWS
    ]
);
