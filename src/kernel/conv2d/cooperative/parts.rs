//! The end of sums on matrix units that were taken in parts: these are added in order, so that every run gives the same.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Step, Storage};
use crate::kernel::conv2d::split_k;
use crate::kernel::conv2d::{Form, Operands};
use crate::kernel::flat::flat_step;
use crate::kernel::{ACTIVATION, INDEX, NARROW, params, part};
use crate::shape::Shape;

pub(in crate::kernel::conv2d) static SUM_PARTS_HALF: Kernel = Kernel {
    name: "conv2d/sum_parts_half",
    parts: &[&INDEX, &ACTIVATION, &NARROW, &part!("conv2d/sum_parts_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of `conv2d/sum_parts_half`; the shader says what they mean.
    pub(super) struct Params {
        elements: u32,
        words: u32,
        plane_cells: u32,
        channels: u32,
        parts: u32,
    }
}

/// Adds `parts` of the sums, which lie in `z` one after the other, with what follows them.
///
/// # Errors
/// [`crate::Error::Limit`] where a dispatch does not hold them.
pub(super) fn sum(parts: u64, z: Buffer, operands: &Operands, relu: bool, output: Shape, caps: &Caps) -> Result<Step> {
    if operands.form != Form::Halves {
        return split_k::sum(parts, z, operands, relu, output, caps);
    }
    let words = Storage::Halves.words(output) as usize;
    let params = Params {
        elements: output.elements() as u32,
        words: words as u32,
        plane_cells: output.plane() as u32,
        channels: output.c as u32,
        parts: parts as u32,
    };
    let constants = [("BIAS", f64::from(operands.bias != Buffer::Absent)), ("RELU", f64::from(relu))];
    let bound = [z, operands.bias, operands.output, Buffer::Overflow];
    flat_step(&SUM_PARTS_HALF, &constants, &params, &bound, words, caps)
}
