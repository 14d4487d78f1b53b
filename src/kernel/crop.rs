//! Cropping on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, PLACE, check_binding, params, part};
use crate::op::Crop;
use crate::shape::Shape;

const OP: &str = "crop";

static CROP: Kernel = Kernel {
    name: "crop/direct",
    parts: &[&INDEX, &PLACE, &part!("crop/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&CROP];

params! {
    /// Uniforms of `crop/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        in_h: u32,
        in_w: u32,
        out_h: u32,
        out_w: u32,
        row: u32,
        column: u32,
    }
}

/// The dispatch for this operand.
///
/// # Errors
/// As [`Crop::output_shape`]; [`crate::Error::Limit`] where the input exceeds a binding.
pub(crate) fn plan(op: &Crop, input: Shape, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input)?;
    check_binding(OP, "input", input, caps)?;
    let params = Params {
        elements: output.elements() as u32,
        in_h: input.h as u32,
        in_w: input.w as u32,
        out_h: output.h as u32,
        out_w: output.w as u32,
        row: op.offset[0] as u32,
        column: op.offset[1] as u32,
    };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&CROP, &[], &params, &operands, output.elements(), caps)?]))
}

impl Gpu {
    /// [`Crop`] of `x`.
    ///
    /// # Errors
    /// As [`Crop::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn crop(&self, op: &Crop, x: &GpuTensor) -> Result<GpuTensor> {
        self.compute(OP, &plan(op, x.shape(), self.caps())?, &[x], op.output_shape(x.shape())?)
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan(&Crop::new([1, 2], [3, 4]), [2, 3, 5, 7].into(), &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&CROP, Params::FIELDS)], plans }
}
