//! Class probabilities on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, loop_iterations, params, part, rounds_within};
use crate::op::SoftmaxChannels;
use crate::shape::Shape;

const OP: &str = "softmax_channels";

static SOFTMAX: Kernel = Kernel {
    name: "softmax_channels/direct",
    parts: &[&INDEX, &part!("softmax_channels/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&SOFTMAX];

params! {
    /// Uniforms of `softmax_channels/direct`; the shader says what they mean.
    struct Params {
        pixels: u32,
        channels: u32,
        plane: u32,
    }
}

/// The dispatch for this operand.
///
/// # Errors
/// As [`SoftmaxChannels::output_shape`]; [`crate::Error::Limit`] where the operand exceeds a binding.
pub(crate) fn plan(input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = SoftmaxChannels.output_shape(input)?;
    check_binding(OP, "input", input, caps)?;
    rounds_within(OP, 0, 3 * loop_iterations(&[input.c]), caps)?;
    let pixels = output.n * output.plane();
    let params = Params { pixels: pixels as u32, channels: output.c as u32, plane: output.plane() as u32 };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&SOFTMAX, &[], &params, &operands, pixels, caps)?]))
}

impl Gpu {
    /// [`SoftmaxChannels`] of `x`.
    ///
    /// # Errors
    /// As [`SoftmaxChannels::output_shape`]; [`crate::Error::Limit`] where the operand exceeds a binding; the device's
    /// faults.
    pub fn softmax_channels(&self, x: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(x.shape(), self.caps())?, &[x], x.shape())
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan([2, 3, 5, 7].into(), &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&SOFTMAX, Params::FIELDS)], plans }
}
