//! A run of channels, on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, params, part};
use crate::op::Slice;
use crate::shape::Shape;

const OP: &str = "slice";

static SLICE: Kernel = Kernel {
    name: "slice/direct",
    parts: &[&INDEX, &part!("slice/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&SLICE];

params! {
    /// Uniforms of `slice/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        x_image: u32,
        y_image: u32,
        first: u32,
    }
}

/// The dispatch for this operand.
///
/// # Errors
/// As [`Slice::output_shape`]; [`crate::Error::Limit`] where the input exceeds a binding.
pub(crate) fn plan(op: &Slice, input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input)?;
    check_binding(OP, "input", input, caps)?;
    let params = Params {
        elements: output.elements() as u32,
        x_image: (input.c * input.plane()) as u32,
        y_image: (output.c * output.plane()) as u32,
        first: (op.start * input.plane()) as u32,
    };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&SLICE, &[], &params, &operands, output.elements(), caps)?]))
}

impl Gpu {
    /// [`Slice`] of `x`.
    ///
    /// # Errors
    /// As [`Slice::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn slice(&self, op: &Slice, x: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(op, x.shape(), self.caps())?, &[x], op.output_shape(x.shape())?)
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan(&Slice::new(1, 2), [2, 4, 5, 7].into(), &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&SLICE, Params::FIELDS)], plans }
}
