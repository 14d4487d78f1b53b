//! Local response normalisation on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, params, part};
use crate::op::LocalResponseNorm;
use crate::shape::Shape;

const OP: &str = "local_response_norm";

static LOCAL_RESPONSE_NORM: Kernel = Kernel {
    name: "local_response_norm/direct",
    parts: &[&INDEX, &part!("local_response_norm/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&LOCAL_RESPONSE_NORM];

params! {
    /// Uniforms of `local_response_norm/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        channels: u32,
        plane: u32,
        square_factor: f32,
        k: f32,
        beta: f32,
    }
}

/// The dispatch for this operand.
///
/// # Errors
/// As [`LocalResponseNorm::output_shape`]; [`crate::Error::Limit`] where the operand exceeds a binding.
pub(crate) fn plan(op: &LocalResponseNorm, input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input)?;
    check_binding(OP, "input", input, caps)?;
    let params = Params {
        elements: output.elements() as u32,
        channels: output.c as u32,
        plane: output.plane() as u32,
        square_factor: op.square_factor(),
        k: op.k,
        beta: op.beta,
    };
    let constants = [("REACH", (op.size / 2) as f64)];
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    let step = flat_step(&LOCAL_RESPONSE_NORM, &constants, &params, &operands, output.elements(), caps)?;
    Ok(only_way(0, vec![step]))
}

impl Gpu {
    /// [`LocalResponseNorm`] of `x`.
    ///
    /// # Errors
    /// As [`LocalResponseNorm::output_shape`]; [`crate::Error::Limit`] where the operand exceeds a binding; the device's
    /// faults.
    pub fn local_response_norm(&self, op: &LocalResponseNorm, x: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(op, x.shape(), self.caps())?, &[x], x.shape())
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan(&LocalResponseNorm::new(5), [2, 7, 3, 5].into(), &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&LOCAL_RESPONSE_NORM, Params::FIELDS)], plans }
}
