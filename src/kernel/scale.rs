//! A factor and a shift for each channel, on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, params, part};
use crate::op::Scale;
use crate::shape::Shape;

const OP: &str = "scale";

static SCALE: Kernel = Kernel {
    name: "scale/direct",
    parts: &[&INDEX, &part!("scale/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&SCALE];

params! {
    /// Uniforms of `scale/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        channels: u32,
        plane: u32,
    }
}

/// The dispatch for these operands. Inputs: the map, the factor, and the shift if there is one.
///
/// # Errors
/// As [`Scale::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding.
pub(crate) fn plan(input: Shape, factor: Shape, shift: Option<Shape>, caps: &Caps) -> Result<KernelPlan> {
    let output = Scale.output_shape(input, factor, shift)?;
    check_binding(OP, "input", input, caps)?;
    let params = Params { elements: output.elements() as u32, channels: output.c as u32, plane: output.plane() as u32 };
    let shift = shift.map_or(Buffer::Absent, |_| Buffer::Input(2));
    let constants = [("SHIFT", f64::from(shift != Buffer::Absent))];
    let operands = [Buffer::Input(0), Buffer::Input(1), shift, Buffer::Output(0)];
    let step = flat_step(&SCALE, &constants, &params, &operands, output.elements(), caps)?;
    Ok(only_way(output.elements() as u64, vec![step]))
}

impl Gpu {
    /// [`Scale`] of `x` by `factor`, shifted by `shift` if there is one; both are `1 x C x 1 x 1`.
    ///
    /// # Errors
    /// As [`Scale::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn scale(&self, x: &GpuTensor, factor: &GpuTensor, shift: Option<&GpuTensor>) -> Result<GpuTensor> {
        let plan = plan(x.shape(), factor.shape(), shift.map(GpuTensor::shape), self.caps())?;
        let inputs: Vec<_> = [x, factor].into_iter().chain(shift).collect();
        self.compute(OP, &plan, &inputs, x.shape())
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let (input, channels) = (Shape::from([2, 3, 5, 7]), Shape::vector(3));
    let plans = vec![
        plan(input, channels, None, &Caps::WEBGPU), //
        plan(input, channels, Some(channels), &Caps::WEBGPU),
    ];
    crate::kernel::checks::Exhibit { params: vec![(&SCALE, Params::FIELDS)], plans }
}
