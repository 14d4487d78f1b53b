//! Rectification on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan, Storage};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, check_bytes, params, part};
use crate::op::Relu;
use crate::shape::Shape;

const OP: &str = "relu";

static RELU: Kernel = Kernel {
    name: "relu/direct",
    parts: &[&INDEX, &part!("relu/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

static RELU_HALF: Kernel = Kernel {
    name: "relu/direct_half",
    parts: &[&INDEX, &part!("relu/direct_half.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&RELU, &RELU_HALF];

params! {
    /// Uniforms of `relu/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
    }
}

params! {
    /// Uniforms of `relu/direct_half`; the shader says what they mean.
    struct HalfParams {
        words: u32,
    }
}

/// The same in f16, [`Storage::Halves`].
///
/// # Errors
/// As [`plan`].
pub(crate) fn plan_half(input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let words = Storage::Halves.words(Relu.output_shape(input)?) as usize;
    check_bytes(OP, "input", 4 * words as u64, caps)?;
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&RELU_HALF, &[], &HalfParams { words: words as u32 }, &operands, words, caps)?]))
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
    let shape = Shape::from([2, 3, 5, 7]);
    let plans = vec![plan(shape, &Caps::WEBGPU), plan_half(shape, &Caps::WEBGPU)];
    let params = vec![(&RELU, Params::FIELDS), (&RELU_HALF, HalfParams::FIELDS)];
    crate::kernel::checks::Exhibit { params, plans }
}
