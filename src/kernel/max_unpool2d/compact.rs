//! Gathering by switches of two bits.

use super::OP;
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, COMPACT_WINDOWS, Caps, Kernel, Part, Step, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, PLANES_F32, PLANES_HALF, params, part};
use crate::op::MaxPool2d;
use crate::shape::Shape;

static BLOCK: Part = part!("max_unpool2d/compact.wgsl");

static BY_VECTORS: Part = part!("max_unpool2d/compact_vectors.wgsl");

static BY_SCALARS: Part = part!("max_unpool2d/compact_scalars.wgsl");

/// For rows that are whole vectors.
pub(super) static VECTORS: Kernel = Kernel {
    name: "max_unpool2d/compact_vectors",
    parts: &[&INDEX, &PLANES_F32, &BLOCK, &BY_VECTORS],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// For any rows.
pub(super) static SCALARS: Kernel = Kernel {
    name: "max_unpool2d/compact_scalars",
    parts: &[&INDEX, &PLANES_F32, &BLOCK, &BY_SCALARS],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// For rows of maps in f16 that are whole vectors.
pub(super) static VECTORS_HALF: Kernel = Kernel {
    name: "max_unpool2d/compact_vectors_half",
    parts: &[&INDEX, &PLANES_HALF, &BLOCK, &BY_VECTORS],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// For any rows of maps in f16.
pub(super) static SCALARS_HALF: Kernel = Kernel {
    name: "max_unpool2d/compact_scalars_half",
    parts: &[&INDEX, &PLANES_HALF, &BLOCK, &BY_SCALARS],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of all of them; `max_unpool2d/compact.wgsl` says what they mean.
    pub(super) struct Params {
        blocks: u32,
        row_blocks: u32,
        window_rows: u32,
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
    let window_rows = output.h.div_ceil(2);
    let row_blocks = output.w.div_ceil(2 * COMPACT_WINDOWS);
    let blocks = maps.planes(output) * window_rows * row_blocks;
    let params = Params {
        blocks: blocks as u32,
        row_blocks: row_blocks as u32,
        window_rows: window_rows as u32,
        channels: output.c as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
    };
    let kernel = match (maps == Storage::Halves, output.w.is_multiple_of(4)) {
        (false, true) => &VECTORS,
        (false, false) => &SCALARS,
        (true, true) => &VECTORS_HALF,
        (true, false) => &SCALARS_HALF,
    };
    flat_step(kernel, &[], &params, &[Buffer::Input(0), Buffer::Input(1), Buffer::Output(0)], blocks, caps)
}
