//! Pooling with switches of two bits.

use super::pairs::PAIR;
use super::{BEST, MAXIMA_F32, MAXIMA_HALF, OP, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, COMPACT_WINDOWS, Caps, Kernel, KernelPlan, Part, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::two_by_two::{self, TWO_BY_TWO, UPPER_ROW, is_pairs};
use crate::kernel::{INDEX, PLANES_F32, PLANES_HALF, VECTORS, VECTORS_U64, params, part};
use crate::op::MaxPool2d;
use crate::shape::Shape;

static BLOCK: Part = part!("max_pool2d/compact.wgsl");

static BY_VECTORS: Part = part!("max_pool2d/compact_vectors.wgsl");

static BY_SCALARS: Part = part!("max_pool2d/compact_scalars.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part]) -> Kernel {
    let bindings = &[Access::Uniform, Access::Read, Access::Write, Access::Write];
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

/// For rows that are whole vectors.
static VECTORS_F32: Kernel =
    kernel("max_pool2d/compact_vectors", &[&INDEX, &PLANES_F32, &VECTORS, &BEST, &MAXIMA_F32, &BLOCK, &BY_VECTORS]);

/// For rows of maps in f16 that are whole vectors.
static VECTORS_HALF: Kernel = kernel(
    "max_pool2d/compact_vectors_half",
    &[&INDEX, &PLANES_HALF, &VECTORS, &BEST, &MAXIMA_HALF, &BLOCK, &BY_VECTORS],
);

/// The same two with words read and written as integers of 64 bits.
static VECTORS_F32_U64: Kernel = kernel(
    "max_pool2d/compact_vectors_u64",
    &[&INDEX, &PLANES_F32, &VECTORS_U64, &BEST, &MAXIMA_F32, &BLOCK, &BY_VECTORS],
);
static VECTORS_HALF_U64: Kernel = kernel(
    "max_pool2d/compact_vectors_half_u64",
    &[&INDEX, &PLANES_HALF, &VECTORS_U64, &BEST, &MAXIMA_HALF, &BLOCK, &BY_VECTORS],
);

/// For any rows.
static SCALARS_F32: Kernel =
    kernel("max_pool2d/compact_scalars", &[&INDEX, &PLANES_F32, &BEST, &MAXIMA_F32, &BLOCK, &BY_SCALARS]);

/// For any rows of maps in f16.
static SCALARS_HALF: Kernel =
    kernel("max_pool2d/compact_scalars_half", &[&INDEX, &PLANES_HALF, &BEST, &MAXIMA_HALF, &BLOCK, &BY_SCALARS]);

pub(super) static KERNELS: [&Kernel; 6] =
    [&VECTORS_F32, &VECTORS_HALF, &VECTORS_F32_U64, &VECTORS_HALF_U64, &SCALARS_F32, &SCALARS_HALF];

static BY_ROWS: Part = part!("max_pool2d/compact_rows.wgsl");

/// For even planes of such rows by a CPU driver whose subgroups have eight lanes, in f32 and in f16.
static ROWS_F32: Kernel = kernel(
    "max_pool2d/compact_rows",
    &[&INDEX, &PLANES_F32, &VECTORS_U64, &BEST, &MAXIMA_F32, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &BY_ROWS],
);
static ROWS_HALF: Kernel = kernel(
    "max_pool2d/compact_rows_half",
    &[&INDEX, &PLANES_HALF, &VECTORS_U64, &BEST, &MAXIMA_HALF, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &BY_ROWS],
);

pub(super) static BY_ROWS_KERNELS: [&Kernel; 2] = [&ROWS_F32, &ROWS_HALF];

params! {
    /// Uniforms of all of them; `max_pool2d/compact.wgsl` says what they mean.
    pub(super) struct Params {
        blocks: u32,
        row_blocks: u32,
        channels: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
    }
}

/// The dispatch for maps in such a form.
///
/// # Errors
/// [`Error::Unsupported`] for windows whose switches two bits do not hold; [`Error::Limit`] as [`flat_step`].
pub(super) fn plan(op: &MaxPool2d, input: Shape, output: Shape, maps: Storage, caps: &Caps) -> Result<KernelPlan> {
    if !Storage::holds_compactly(op) {
        return Err(Error::Unsupported {
            what: format!("{OP} with compact switches"),
            why: format!("two bits hold a cell of 2x2 windows of step 2 without border or dilation, not of {op:?}"),
            way_out: "use the variant switches".to_owned(),
        });
    }
    let operands = [Buffer::Input(0), Buffer::Output(0), Buffer::Output(1)];
    let planned =
        |step| Ok(KernelPlan { variant: Variant::CompactSwitches.name(), run: vec![step], ..KernelPlan::default() });
    if is_pairs(op, input.extent()) && caps.shares_cells() {
        let kernel = if maps == Storage::Halves { &ROWS_HALF } else { &ROWS_F32 };
        if let Some(step) = two_by_two::by_rows(OP, kernel, &[], &operands, (output, maps), caps)? {
            return planned(step);
        }
    }
    let row_blocks = output.w.div_ceil(COMPACT_WINDOWS);
    let blocks = maps.planes(output) * output.h * row_blocks;
    let params = Params {
        blocks: blocks as u32,
        row_blocks: row_blocks as u32,
        channels: output.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
    };
    let [words, halves] = match input.w.is_multiple_of(4) {
        true if caps.loads_pairs() => [&VECTORS_F32_U64, &VECTORS_HALF_U64],
        true => [&VECTORS_F32, &VECTORS_HALF],
        false => [&SCALARS_F32, &SCALARS_HALF],
    };
    let kernel = if maps == Storage::Halves { halves } else { words };
    planned(flat_step(kernel, &[], &params, &operands, blocks, caps)?)
}
