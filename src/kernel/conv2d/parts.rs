//! The end of sums that were taken in parts: these are added in order, so that every run gives the same.

use super::{Form, Operands};
use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Kernel, Part, Step, Storage};
use crate::kernel::flat::flat_step_of;
use crate::kernel::{ACTIVATION, INDEX, NARROW, WORKGROUP, params, part};
use crate::shape::Shape;

static PARTS: Part = part!("conv2d/parts.wgsl");
static SCALARS: Part = part!("conv2d/parts_scalars.wgsl");
static VECTORS: Part = part!("conv2d/parts_vectors.wgsl");
static MAIN: Part = part!("conv2d/sum_parts.wgsl");

pub(super) static SUM_PARTS: Kernel = Kernel {
    name: "conv2d/sum_parts",
    parts: &[&INDEX, &ACTIVATION, &PARTS, &SCALARS, &MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The same by fours, where a plane has whole ones.
pub(super) static SUM_PARTS_VECTORS: Kernel = Kernel {
    name: "conv2d/sum_parts_vectors",
    parts: &[&INDEX, &ACTIVATION, &PARTS, &VECTORS, &MAIN],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

/// The same to a map in f16.
pub(super) static SUM_PARTS_HALF: Kernel = Kernel {
    name: "conv2d/sum_parts_half",
    parts: &[&INDEX, &ACTIVATION, &PARTS, &SCALARS, &NARROW, &part!("conv2d/sum_parts_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Write, Access::Write],
    needs_float_atomics: false,
};

params! {
    /// Uniforms of all of them; `conv2d/parts.wgsl` says what they mean.
    struct Params {
        words: u32,
        elements: u32,
        plane_cells: u32,
        channels: u32,
        parts: u32,
    }
}

/// Invocations of a workgroup: on a GPU as many as WebGPU guarantees, of which a multiprocessor has enough at a time to keep memory busy
/// (H200: four parts of 4096 channels @16, fc7's, 12.1 us by 64, 5.0 by 256; 4.4 with four sums each).
fn workgroup(caps: &Caps) -> u32 {
    if caps.software { WORKGROUP } else { 256 }
}

/// Adds `parts` of the sums, which lie in `z` one after the other, with what follows them.
///
/// # Errors
/// [`crate::Error::Limit`] where a dispatch does not hold them.
pub(super) fn sum(parts: u64, z: Buffer, operands: &Operands, relu: bool, output: Shape, caps: &Caps) -> Result<Step> {
    let (kernel, storage, at_once) = match operands.form {
        Form::Halves => (&SUM_PARTS_HALF, Storage::Halves, 1),
        _ if output.plane().is_multiple_of(4) => (&SUM_PARTS_VECTORS, Storage::Words, 4),
        _ => (&SUM_PARTS, Storage::Words, 1),
    };
    let words = storage.words(output) as usize / at_once;
    let params = Params {
        words: words as u32,
        elements: (output.elements() / at_once) as u32,
        plane_cells: (output.plane() / at_once) as u32,
        channels: output.c as u32,
        parts: parts as u32,
    };
    let constants = [("BIAS", f64::from(operands.bias != Buffer::Absent)), ("RELU", f64::from(relu))];
    let mut bound = vec![z, operands.bias, operands.output];
    bound.extend((operands.form == Form::Halves).then_some(Buffer::Overflow));
    flat_step_of(workgroup(caps), kernel, &constants, &params, &bound, words, caps)
}

#[cfg(test)]
pub(super) fn params_exhibited() -> Vec<crate::kernel::checks::ParamsExhibit> {
    [&SUM_PARTS, &SUM_PARTS_VECTORS, &SUM_PARTS_HALF].map(|kernel| (kernel, Params::FIELDS)).to_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::common::adapter;
    use crate::gpu::KernelPlan;
    use crate::kernel::convert;
    use crate::kernel::pairs::words_of;

    /// A shape, parts, and whether there is a ReLU: planes of whole fours and of others.
    const SUMS: [([usize; 4], u64, bool); 5] = [
        ([2, 3, 4, 5], 3, true),
        ([1, 4, 7, 3], 2, false),
        ([3, 1, 2, 9], 5, true),
        ([2, 37, 4, 3], 4, true),
        ([1, 9, 14, 14], 7, false),
    ];

    fn number(i: usize) -> f32 {
        ((i * 7 + 3) % 97) as f32 / 13.0 - 3.0
    }

    fn words(count: usize) -> Vec<u32> {
        (0..count).map(|i| number(i).to_bits()).collect()
    }

    fn summed(form: Form, output: Buffer, (parts, relu): (u64, bool), shape: Shape, caps: &Caps) -> Step {
        let operands = Operands { bias: Buffer::Input(1), output, form, ..Operands::with_bias(true) };
        sum(parts, Buffer::Input(0), &operands, relu, shape, caps).unwrap()
    }

    /// By fours and one by one, in workgroups for GPUs and for CPU drivers.
    #[test]
    fn parts_are_added_in_order() {
        let Some(gpu) = adapter::gpu() else { return };
        for (shape, parts, relu) in SUMS {
            let shape = Shape::from(shape);
            let (z, b) = (words(parts as usize * shape.elements()), words(shape.c));
            let element = |i: usize| {
                let sum = (0..parts as usize).fold(0.0, |sum, k| sum + number(k * shape.elements() + i));
                let sum = sum + number(i / shape.plane() % shape.c);
                if relu && sum < 0.0 { 0.0 } else { sum }
            };
            let expected: Vec<u32> = (0..shape.elements()).map(|i| element(i).to_bits()).collect();
            for software in [false, true] {
                let caps = Caps { software, ..*gpu.caps() };
                let step = summed(Form::Words, Buffer::Output(0), (parts, relu), shape, &caps);
                assert_eq!(step.kernel == &SUM_PARTS_VECTORS, shape.plane().is_multiple_of(4), "{shape}");
                let plan = KernelPlan { run: vec![step], ..KernelPlan::default() };
                let found = words_of(&gpu, &plan, &[&z, &b], &[shape.elements() as u64]);
                assert!(found == [expected.clone()], "{shape}");
            }
        }
    }

    /// To f16 as to f32 and then to f16, beside a last odd channel too.
    #[test]
    fn both_forms_add_the_same() {
        let Some(gpu) = adapter::gpu() else { return };
        for (shape, parts, relu) in SUMS {
            let shape = Shape::from(shape);
            let (z, b) = (words(parts as usize * shape.elements()), words(shape.c));
            let summed = |form, output| summed(form, output, (parts, relu), shape, gpu.caps());
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
