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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::common::adapter;
    use crate::gpu::KernelPlan;
    use crate::kernel::convert;
    use crate::kernel::pairs::words_of;

    /// To f16 as to f32 and then to f16, beside a last odd channel too.
    #[test]
    fn both_forms_add_the_same() {
        let Some(gpu) = adapter::gpu() else { return };
        for (shape, parts, relu) in [([2, 3, 4, 5], 3, true), ([1, 4, 7, 3], 2, false), ([3, 1, 2, 9], 5, true)] {
            let shape = Shape::from(shape);
            let number = |i: usize| ((i * 7 + 3) % 17) as f32 - 8.0;
            let words = |count: usize| (0..count).map(|i| number(i).to_bits()).collect::<Vec<_>>();
            let (z, b) = (words(parts as usize * shape.elements()), words(shape.c));
            let summed = |form, output| {
                let operands = Operands { bias: Buffer::Input(1), output, form, ..Operands::with_bias(true) };
                sum(parts, Buffer::Input(0), &operands, relu, shape, gpu.caps()).unwrap()
            };
            let half = KernelPlan { run: vec![summed(Form::Halves, Buffer::Output(0))], ..KernelPlan::default() };
            let plain = KernelPlan {
                scratch: vec![crate::gpu::Scratch { words: shape.elements() as u64, persistent: false }],
                run: vec![
                    summed(Form::Words, Buffer::Scratch(0)),
                    convert::narrow(shape, Buffer::Scratch(0), Buffer::Output(0), gpu.caps()).unwrap(),
                ],
                ..KernelPlan::default()
            };
            let [one, other] =
                [half, plain].map(|plan| words_of(&gpu, &plan, &[&z, &b], &[Storage::Halves.words(shape)]));
            assert!(one == other, "{shape}");
        }
    }
}
