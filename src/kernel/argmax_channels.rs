//! The class of each pixel, on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuLabels, GpuTensor, Kernel, KernelPlan, Part, Step, words_of_bytes};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, RANK, check_binding, params, part, rounds_within};
use crate::op::ArgmaxChannels;
use crate::shape::Shape;

const OP: &str = "argmax_channels";

/// The class so far, for kernels whose channels come one after another.
pub(super) static BEST: Part = part!("argmax_channels/best.wgsl");

static ARGMAX: Kernel = Kernel {
    name: "argmax_channels/direct",
    parts: &[&INDEX, &RANK, &part!("argmax_channels/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

static PACK_LABELS: Kernel = Kernel {
    name: "argmax_channels/pack_labels",
    parts: &[&INDEX, &part!("argmax_channels/pack_labels.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&ARGMAX, &PACK_LABELS];

params! {
    /// Uniforms of `argmax_channels/pack_labels`; the shader says what they mean.
    struct PackParams {
        words: u32,
        pixels: u32,
    }
}

params! {
    /// Uniforms of `argmax_channels/direct`; the shader says what they mean.
    struct Params {
        words: u32,
        pixels: u32,
        channels: u32,
        plane: u32,
    }
}

/// The dispatch for this operand. The output is labels: four pixels a word.
///
/// # Errors
/// As [`ArgmaxChannels::output_shape`]; [`crate::Error::Limit`] where the input exceeds a binding.
pub(crate) fn plan(input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let pixels = ArgmaxChannels.output_shape(input)?.elements();
    check_binding(OP, "input", input, caps)?;
    rounds_within(OP, 0, input.c as u64, caps)?;
    let words = pixels.div_ceil(4);
    let params =
        Params { words: words as u32, pixels: pixels as u32, channels: input.c as u32, plane: input.plane() as u32 };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&ARGMAX, &[], &params, &operands, words, caps)?]))
}

/// Packs classes, a word a pixel, into labels.
///
/// # Errors
/// As [`flat_step`].
pub(super) fn pack_labels(classes: Buffer, labels: Buffer, pixels: usize, caps: &Caps) -> Result<Step> {
    let words = pixels.div_ceil(4);
    let params = PackParams { words: words as u32, pixels: pixels as u32 };
    flat_step(&PACK_LABELS, &[], &params, &[classes, labels], words, caps)
}

impl Gpu {
    /// [`ArgmaxChannels`] of `x`: a label map an image.
    ///
    /// # Errors
    /// As [`ArgmaxChannels::output_shape`]; [`crate::Error::Limit`] where the input exceeds a binding; the device's
    /// faults.
    pub fn argmax_channels(&self, x: &GpuTensor) -> Result<GpuLabels> {
        let plan = plan(x.shape(), self.caps())?;
        let shape = ArgmaxChannels.output_shape(x.shape())?;
        let labels = self.allocate(OP, words_of_bytes(shape.elements()))?;
        self.execute(OP, &plan, &[x.buffer()], &[&labels])?;
        Ok(GpuLabels::new(shape.n, shape.extent(), labels))
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let pack = pack_labels(Buffer::Input(0), Buffer::Output(0), 35, &Caps::WEBGPU);
    let plans = vec![plan([2, 3, 5, 7].into(), &Caps::WEBGPU), pack.map(|step| only_way(0, vec![step]))];
    crate::kernel::checks::Exhibit {
        params: vec![(&ARGMAX, Params::FIELDS), (&PACK_LABELS, PackParams::FIELDS)],
        plans,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use crate::common::adapter;
    use crate::tensor::Tensor;

    #[test]
    fn the_last_word_is_filled_with_zeros() {
        let Some(gpu) = adapter::gpu() else { return };
        let x = Tensor::from_fn([1, 3, 1, 5], |[_, c, _, _]| c as f32).unwrap();
        let labels = gpu.argmax_channels(&gpu.upload(&x).unwrap()).unwrap();
        let words: Vec<u32> = pollster::block_on(gpu.read("labels", labels.buffer(), 2)).unwrap();
        assert_eq!(words, [0x0202_0202, 0x0000_0002]);
    }
}
