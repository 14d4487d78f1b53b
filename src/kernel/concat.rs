//! Concatenation of channels on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, params, part};
use crate::op::Concat;
use crate::shape::Shape;

const OP: &str = "concat";

static CONCAT: Kernel = Kernel {
    name: "concat/direct",
    parts: &[&INDEX, &part!("concat/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&CONCAT];

params! {
    /// Uniforms of `concat/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        x_image: u32,
        y_image: u32,
        first: u32,
    }
}

/// One dispatch for each of these operands.
///
/// # Errors
/// As [`Concat::output_shape`]; [`crate::Error::Limit`] where the output exceeds a binding.
pub(crate) fn plan(inputs: &[Shape], caps: &Caps) -> Result<KernelPlan> {
    let output = Concat.output_shape(inputs)?;
    check_binding(OP, "output", output, caps)?;
    let mut first = 0;
    let mut run = Vec::with_capacity(inputs.len());
    for (position, input) in inputs.iter().enumerate() {
        let params = Params {
            elements: input.elements() as u32,
            x_image: (input.c * input.plane()) as u32,
            y_image: (output.c * output.plane()) as u32,
            first: (first * output.plane()) as u32,
        };
        let operands = [Buffer::Input(position), Buffer::Output(0)];
        run.push(flat_step(&CONCAT, &[], &params, &operands, input.elements(), caps)?);
        first += input.c;
    }
    Ok(only_way(0, run))
}

impl Gpu {
    /// [`Concat`] of the inputs' channels.
    ///
    /// # Errors
    /// As [`Concat::output_shape`]; [`crate::Error::Limit`] where the output exceeds a binding; the device's faults.
    pub fn concat(&self, inputs: &[&GpuTensor]) -> Result<GpuTensor> {
        let shapes: Vec<_> = inputs.iter().map(|input| input.shape()).collect();
        self.compute(OP, &plan(&shapes, self.caps())?, inputs, Concat.output_shape(&shapes)?)
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan(&[[2, 3, 5, 7].into(), [2, 1, 5, 7].into()], &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&CONCAT, Params::FIELDS)], plans }
}
