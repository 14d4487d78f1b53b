//! Rectification on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, params, part};
use crate::op::Relu;
use crate::shape::Shape;

const OP: &str = "relu";

static RELU: Kernel = Kernel {
    name: "elementwise/relu",
    parts: &[&INDEX, &part!("elementwise/relu.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&RELU];

params! {
    /// Uniforms of `elementwise/relu`; the shader says what they mean.
    struct Params {
        elements: u32,
    }
}

/// The dispatch for this operand.
///
/// # Errors
/// As [`Relu::output_shape`]; [`crate::Error::Limit`] where the operand exceeds a binding.
pub(crate) fn plan(input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = Relu.output_shape(input)?;
    check_binding(OP, "input", input, caps)?;
    let params = Params { elements: output.elements() as u32 };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&RELU, &[], &params, &operands, output.elements(), caps)?]))
}

impl Gpu {
    /// [`Relu`] of `x`.
    ///
    /// # Errors
    /// As [`Relu::output_shape`]; [`crate::Error::Limit`] where the operand exceeds a binding; the device's faults.
    pub fn relu(&self, x: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(x.shape(), self.caps())?, &[x], x.shape())
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan([2, 3, 5, 7].into(), &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&RELU, Params::FIELDS)], plans }
}
