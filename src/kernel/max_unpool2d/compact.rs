//! Gathering by switches of two bits.

use super::OP;
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, COMPACT_WINDOWS, Caps, Kernel, Part, Step, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, params, part};
use crate::op::MaxPool2d;
use crate::shape::Shape;

static BLOCK: Part = part!("max_unpool2d/compact.wgsl");

/// For rows that are whole vectors.
pub(super) static VECTORS: Kernel = Kernel {
    name: "max_unpool2d/compact_vectors",
    parts: &[&INDEX, &BLOCK, &part!("max_unpool2d/compact_vectors.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// For any rows.
pub(super) static SCALARS: Kernel = Kernel {
    name: "max_unpool2d/compact_scalars",
    parts: &[&INDEX, &BLOCK, &part!("max_unpool2d/compact_scalars.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of both kernels; `max_unpool2d/compact.wgsl` says what they mean.
    pub(super) struct Params {
        blocks: u32,
        row_blocks: u32,
        window_rows: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
    }
}

/// # Errors
/// [`Error::Unsupported`] for windows whose switches two bits do not hold, and for an output of another extent than the
/// planes that were pooled; [`Error::Limit`] as [`flat_step`].
pub(super) fn gather(input: Shape, output: Shape, origin: [usize; 2], pool: &MaxPool2d, caps: &Caps) -> Result<Step> {
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
    let blocks = output.n * output.c * window_rows * row_blocks;
    let params = Params {
        blocks: blocks as u32,
        row_blocks: row_blocks as u32,
        window_rows: window_rows as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
    };
    let kernel = if output.w.is_multiple_of(4) { &VECTORS } else { &SCALARS };
    flat_step(kernel, &[], &params, &[Buffer::Input(0), Buffer::Input(1), Buffer::Output(0)], blocks, caps)
}
