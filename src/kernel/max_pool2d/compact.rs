//! Pooling with switches of two bits.

use super::{OP, Variant};
use crate::error::{Error, Result};
use crate::gpu::{Access, Buffer, COMPACT_WINDOWS, Caps, Kernel, KernelPlan, Part, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::{INDEX, RANK, params, part};
use crate::op::MaxPool2d;
use crate::shape::Shape;

static WORD: Part = part!("max_pool2d/compact.wgsl");

/// For rows that are whole vectors.
pub(super) static VECTORS: Kernel = Kernel {
    name: "max_pool2d/compact_vectors",
    parts: &[&INDEX, &RANK, &WORD, &part!("max_pool2d/compact_vectors.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

/// For any rows.
pub(super) static SCALARS: Kernel = Kernel {
    name: "max_pool2d/compact_scalars",
    parts: &[&INDEX, &RANK, &WORD, &part!("max_pool2d/compact_scalars.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of both kernels; `max_pool2d/compact.wgsl` says what they mean.
    pub(super) struct Params {
        words: u32,
        row_words: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
    }
}

/// # Errors
/// [`Error::Unsupported`] for windows whose switches two bits do not hold; [`Error::Limit`] as [`flat_step`].
pub(super) fn plan(op: &MaxPool2d, input: Shape, output: Shape, caps: &Caps) -> Result<KernelPlan> {
    if !Storage::holds_compactly(op) {
        return Err(Error::Unsupported {
            what: format!("{OP} with compact switches"),
            why: format!("two bits hold a cell of 2x2 windows of step 2 without border or dilation, not of {op:?}"),
            way_out: "use the variant switches".to_owned(),
        });
    }
    let words = Storage::Compact.words(output) as usize;
    let params = Params {
        words: words as u32,
        row_words: output.w.div_ceil(COMPACT_WINDOWS) as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
    };
    let kernel = if input.w.is_multiple_of(4) { &VECTORS } else { &SCALARS };
    let operands = [Buffer::Input(0), Buffer::Output(0), Buffer::Output(1)];
    let run = vec![flat_step(kernel, &[], &params, &operands, words, caps)?];
    Ok(KernelPlan { variant: Variant::CompactSwitches.name(), run, ..KernelPlan::default() })
}
