//! Gathering by switches of two bits.

use super::{OP, PAIR};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, COMPACT_WINDOWS, Caps, Kernel, Part, Step, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::two_by_two::{self, TWO_BY_TWO, UPPER_ROW, is_pairs};
use crate::kernel::{INDEX, PLANES_F32, PLANES_HALF, VECTORS, VECTORS_U64, params, part};
use crate::op::MaxPool2d;
use crate::shape::Shape;

static BLOCK: Part = part!("max_unpool2d/compact.wgsl");

static BY_VECTORS: Part = part!("max_unpool2d/compact_vectors.wgsl");

static BY_SCALARS: Part = part!("max_unpool2d/compact_scalars.wgsl");

const fn kernel(name: &'static str, parts: &'static [&'static Part]) -> Kernel {
    let bindings = &[Access::Uniform, Access::Read, Access::Read, Access::Write];
    Kernel { name, parts, bindings, needs_float_atomics: false }
}

/// For rows that are whole vectors.
static VECTORS_F32: Kernel =
    kernel("max_unpool2d/compact_vectors", &[&INDEX, &PLANES_F32, &VECTORS, &BLOCK, &BY_VECTORS]);

/// For rows of maps in f16 that are whole vectors.
static VECTORS_HALF: Kernel =
    kernel("max_unpool2d/compact_vectors_half", &[&INDEX, &PLANES_HALF, &VECTORS, &BLOCK, &BY_VECTORS]);

/// The same two with words read and written as integers of 64 bits.
static VECTORS_F32_U64: Kernel =
    kernel("max_unpool2d/compact_vectors_u64", &[&INDEX, &PLANES_F32, &VECTORS_U64, &BLOCK, &BY_VECTORS]);
static VECTORS_HALF_U64: Kernel =
    kernel("max_unpool2d/compact_vectors_half_u64", &[&INDEX, &PLANES_HALF, &VECTORS_U64, &BLOCK, &BY_VECTORS]);

/// For any rows.
static SCALARS_F32: Kernel = kernel("max_unpool2d/compact_scalars", &[&INDEX, &PLANES_F32, &BLOCK, &BY_SCALARS]);

/// For any rows of maps in f16.
static SCALARS_HALF: Kernel = kernel("max_unpool2d/compact_scalars_half", &[&INDEX, &PLANES_HALF, &BLOCK, &BY_SCALARS]);

pub(super) static KERNELS: [&Kernel; 6] =
    [&VECTORS_F32, &VECTORS_HALF, &VECTORS_F32_U64, &VECTORS_HALF_U64, &SCALARS_F32, &SCALARS_HALF];

static BY_ROWS: Part = part!("max_unpool2d/compact_rows.wgsl");

/// For even planes of such rows by a CPU driver, in f32 and in f16.
static ROWS_F32: Kernel =
    kernel("max_unpool2d/compact_rows", &[&INDEX, &PLANES_F32, &VECTORS_U64, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &BY_ROWS]);
static ROWS_HALF: Kernel = kernel(
    "max_unpool2d/compact_rows_half",
    &[&INDEX, &PLANES_HALF, &VECTORS_U64, &TWO_BY_TWO, &UPPER_ROW, &PAIR, &BY_ROWS],
);

pub(super) static BY_ROWS_KERNELS: [&Kernel; 2] = [&ROWS_F32, &ROWS_HALF];

params! {
    /// Uniforms of all of them; `max_unpool2d/compact.wgsl` says what they mean.
    pub(super) struct Params {
        invocations: u32,
        row_blocks: u32,
        window_rows: u32,
        channels: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
    }
}

/// Windows of an invocation: on a CPU driver all whose switches are in a word; on a GPU two, so that neighbours write
/// neighbouring cells.
fn windows(caps: &Caps) -> usize {
    if caps.software { COMPACT_WINDOWS } else { 2 }
}

/// The dispatch for maps in such a form.
///
/// # Errors
/// [`Error::Unsupported`] for windows whose switches two bits do not hold, and for an output of another extent than the
/// planes that were pooled; [`Error::Limit`] as [`flat_step`].
pub(super) fn gather(
    [input, output]: [Shape; 2],
    origin: [usize; 2],
    pool: &MaxPool2d,
    maps: Storage,
    caps: &Caps,
) -> Result<Step> {
    if !Storage::holds_compactly(pool) || output.extent() != origin {
        return Err(Error::Unsupported {
            what: format!("{OP} by compact switches of {pool:?} into {}x{}", output.h, output.w),
            why: format!(
                "they are for 2x2 windows of step 2, back to the {}x{} that were pooled",
                origin[0], origin[1]
            ),
            way_out: "make the switches by the variant switches".to_owned(),
        });
    }
    let operands = [Buffer::Input(0), Buffer::Input(1), Buffer::Output(0)];
    if is_pairs(pool, origin) && caps.loads_pairs() {
        let kernel = if maps == Storage::Halves { &ROWS_HALF } else { &ROWS_F32 };
        if let Some(step) = two_by_two::by_rows(OP, kernel, &[], &operands, (input, maps), caps)? {
            return Ok(step);
        }
    }
    let window_rows = output.h.div_ceil(2);
    let row_blocks = output.w.div_ceil(2 * COMPACT_WINDOWS);
    let windows = windows(caps);
    let invocations = maps.planes(output) * window_rows * row_blocks * (COMPACT_WINDOWS / windows);
    let params = Params {
        invocations: invocations as u32,
        row_blocks: row_blocks as u32,
        window_rows: window_rows as u32,
        channels: output.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
    };
    let [words, halves] = match output.w.is_multiple_of(4) {
        true if caps.loads_pairs() => [&VECTORS_F32_U64, &VECTORS_HALF_U64],
        true => [&VECTORS_F32, &VECTORS_HALF],
        false => [&SCALARS_F32, &SCALARS_HALF],
    };
    let kernel = if maps == Storage::Halves { halves } else { words };
    flat_step(kernel, &[("WINDOWS", windows as f64)], &params, &operands, invocations, caps)
}
