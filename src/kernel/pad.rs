//! Zero padding on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, PLACE, check_binding, params, part};
use crate::op::Pad;
use crate::shape::Shape;

const OP: &str = "pad";

static PAD: Kernel = Kernel {
    name: "pad/direct",
    parts: &[&INDEX, &PLACE, &part!("pad/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&PAD];

params! {
    /// Uniforms of `pad/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        pad_top: u32,
        pad_left: u32,
    }
}

/// The dispatch for this operand.
///
/// # Errors
/// As [`Pad::output_shape`]; [`crate::Error::Limit`] where the output exceeds a binding.
pub(crate) fn plan(op: &Pad, input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input)?;
    check_binding(OP, "output", output, caps)?;
    let params = Params {
        elements: output.elements() as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        pad_top: op.padding.top as u32,
        pad_left: op.padding.left as u32,
    };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&PAD, &[], &params, &operands, output.elements(), caps)?]))
}

impl Gpu {
    /// [`Pad`] of `x`.
    ///
    /// # Errors
    /// As [`Pad::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn pad(&self, op: &Pad, x: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(op, x.shape(), self.caps())?, &[x], op.output_shape(x.shape())?)
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan(&Pad::new([1, 2]), [2, 3, 5, 7].into(), &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&PAD, Params::FIELDS)], plans }
}
