//! The end of sums that were taken in parts: these are added in order, so that every run gives the same.

use super::{Form, Operands};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Part, Step, Storage};
use crate::kernel::flat::flat_step;
use crate::kernel::{ACTIVATION, INDEX, NARROW, params, part};
use crate::shape::Shape;

static PARTS: Part = part!("conv2d/parts.wgsl");

pub(super) static SUM_PARTS: Kernel = Kernel {
    name: "conv2d/sum_parts",
    parts: &[&INDEX, &ACTIVATION, &PARTS, &part!("conv2d/sum_parts.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The same to a map in f16.
pub(super) static SUM_PARTS_HALF: Kernel = Kernel {
    name: "conv2d/sum_parts_half",
    parts: &[&INDEX, &ACTIVATION, &PARTS, &NARROW, &part!("conv2d/sum_parts_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of both; `conv2d/parts.wgsl` says what they mean.
    struct Params {
        words: u32,
        elements: u32,
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
    let (kernel, storage) = match operands.form {
        Form::Halves => (&SUM_PARTS_HALF, Storage::Halves),
        _ => (&SUM_PARTS, Storage::Words),
    };
    let words = storage.words(output);
    let params = Params {
        words: words as u32,
        elements: output.elements() as u32,
        plane_cells: output.plane() as u32,
        channels: output.c as u32,
        parts: parts as u32,
    };
    let constants = [("BIAS", f64::from(operands.bias != Buffer::Absent)), ("RELU", f64::from(relu))];
    let mut bound = vec![z, operands.bias, operands.output];
    bound.extend((operands.form == Form::Halves).then_some(Buffer::Overflow));
    flat_step(kernel, &constants, &params, &bound, words as usize, caps)
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    vec![(&SUM_PARTS, Params::FIELDS), (&SUM_PARTS_HALF, Params::FIELDS)]
}
