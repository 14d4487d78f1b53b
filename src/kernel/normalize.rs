//! From an 8-bit image to a network's input, on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuImage, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, params, part};
use crate::op::{ChannelOrder, Normalize};

const OP: &str = "normalize";

static NORMALIZE: Kernel = Kernel {
    name: "normalize/direct",
    parts: &[&INDEX, &part!("normalize/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&NORMALIZE];

params! {
    /// Uniforms of `normalize/direct`; the shader says what they mean.
    struct Params {
        pixels: u32,
        mean_0: f32,
        mean_1: f32,
        mean_2: f32,
        factor_0: f32,
        factor_1: f32,
        factor_2: f32,
    }
}

/// The dispatch for an RGB image of `extent` (rows, columns), packed four bytes a word.
///
/// # Errors
/// As [`Normalize::output_shape`]; [`crate::Error::Limit`] where the output exceeds a binding.
pub(crate) fn plan(op: &Normalize, extent: [usize; 2], caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(extent)?;
    check_binding(OP, "output", output, caps)?;
    let ([mean_0, mean_1, mean_2], [factor_0, factor_1, factor_2]) = (op.mean, op.factor);
    let pixels = output.plane();
    let params = Params { pixels: pixels as u32, mean_0, mean_1, mean_2, factor_0, factor_1, factor_2 };
    let constants = [("BGR", f64::from(op.order == ChannelOrder::Bgr))];
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    let step = flat_step(&NORMALIZE, &constants, &params, &operands, pixels, caps)?;
    Ok(only_way(output.elements() as u64, vec![step]))
}

impl Gpu {
    /// [`Normalize`] of an image: a network's input.
    ///
    /// # Errors
    /// As [`Normalize::output_shape`]; [`crate::Error::Limit`] where the output exceeds a binding; the device's faults.
    pub fn normalize(&self, op: &Normalize, image: &GpuImage) -> Result<GpuTensor> {
        let plan = plan(op, image.extent(), self.caps())?;
        let shape = op.output_shape(image.extent())?;
        let output = self.allocate(OP, shape.elements() as u64)?;
        self.execute(OP, &plan, &[image.buffer()], &[&output])?;
        Ok(GpuTensor::new(shape, output))
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = [Normalize::RAW, Normalize::CAFFE].map(|op| plan(&op, [5, 7], &Caps::WEBGPU)).into();
    crate::kernel::checks::Exhibit { params: vec![(&NORMALIZE, Params::FIELDS)], plans }
}
