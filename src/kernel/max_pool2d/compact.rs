//! Pooling with switches of two bits.

use super::{BEST, MAXIMA_F32, MAXIMA_HALF, OP, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, COMPACT_WINDOWS, Caps, Kernel, KernelPlan, Part, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, PLANES_F32, PLANES_HALF, RANK, RANK_HALF, params, part};
use crate::op::MaxPool2d;
use crate::shape::Shape;

static BLOCK: Part = part!("max_pool2d/compact.wgsl");

static BY_VECTORS: Part = part!("max_pool2d/compact_vectors.wgsl");

static BY_SCALARS: Part = part!("max_pool2d/compact_scalars.wgsl");

/// For rows that are whole vectors.
pub(super) static VECTORS: Kernel = Kernel {
    name: "max_pool2d/compact_vectors",
    parts: &[&INDEX, &RANK, &PLANES_F32, &BEST, &MAXIMA_F32, &BLOCK, &BY_VECTORS],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

/// For any rows.
pub(super) static SCALARS: Kernel = Kernel {
    name: "max_pool2d/compact_scalars",
    parts: &[&INDEX, &RANK, &PLANES_F32, &BEST, &MAXIMA_F32, &BLOCK, &BY_SCALARS],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

/// For rows of maps in f16 that are whole vectors.
pub(super) static VECTORS_HALF: Kernel = Kernel {
    name: "max_pool2d/compact_vectors_half",
    parts: &[&INDEX, &RANK_HALF, &PLANES_HALF, &BEST, &MAXIMA_HALF, &BLOCK, &BY_VECTORS],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

/// For any rows of maps in f16.
pub(super) static SCALARS_HALF: Kernel = Kernel {
    name: "max_pool2d/compact_scalars_half",
    parts: &[&INDEX, &RANK_HALF, &PLANES_HALF, &BEST, &MAXIMA_HALF, &BLOCK, &BY_SCALARS],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

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
    let kernel = match (maps == Storage::Halves, input.w.is_multiple_of(4)) {
        (false, true) => &VECTORS,
        (false, false) => &SCALARS,
        (true, true) => &VECTORS_HALF,
        (true, false) => &SCALARS_HALF,
    };
    let operands = [Buffer::Input(0), Buffer::Output(0), Buffer::Output(1)];
    let run = vec![flat_step(kernel, &[], &params, &operands, blocks, caps)?];
    Ok(KernelPlan { variant: Variant::CompactSwitches.name(), run, ..KernelPlan::default() })
}
