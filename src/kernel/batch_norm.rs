//! Batch normalisation on the device, for where it does not fold into the convolution before it.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuTensor, Kernel, KernelPlan};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, params, part};
use crate::op::BatchNorm;
use crate::shape::Shape;

const OP: &str = "batch_norm";

static BATCH_NORM: Kernel = Kernel {
    name: "batch_norm/direct",
    parts: &[&INDEX, &part!("batch_norm/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Read, Access::Read, Access::Read, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&BATCH_NORM];

params! {
    /// Uniforms of `batch_norm/direct`; the shader says what they mean.
    struct Params {
        elements: u32,
        channels: u32,
        plane: u32,
        epsilon: f32,
    }
}

/// The dispatch for these operands. Inputs: the map, then weight, bias, running mean and running variance.
///
/// # Errors
/// As [`BatchNorm::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding.
pub(crate) fn plan(op: &BatchNorm, input: Shape, vectors: [Shape; 4], caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(input, vectors)?;
    check_binding(OP, "input", input, caps)?;
    let params = Params {
        elements: output.elements() as u32,
        channels: output.c as u32,
        plane: output.plane() as u32,
        epsilon: op.epsilon,
    };
    let inputs = (0..=vectors.len()).map(Buffer::Input);
    let operands: Vec<Buffer> = inputs.chain([Buffer::Output(0)]).collect();
    let step = flat_step(&BATCH_NORM, &[], &params, &operands, output.elements(), caps)?;
    Ok(only_way(output.elements() as u64, vec![step]))
}

impl Gpu {
    /// [`BatchNorm`] of `x` by weight, bias, running mean and running variance, each `1 x C x 1 x 1`.
    ///
    /// # Errors
    /// As [`BatchNorm::output_shape`]; [`crate::Error::Limit`] where an operand exceeds a binding; the device's faults.
    pub fn batch_norm(&self, op: &BatchNorm, x: &GpuTensor, vectors: [&GpuTensor; 4]) -> Result<GpuTensor> {
        let plan = plan(op, x.shape(), vectors.map(GpuTensor::shape), self.caps())?;
        let inputs: Vec<_> = [x].into_iter().chain(vectors).collect();
        self.compute(OP, &plan, &inputs, x.shape())
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let plans = vec![plan(&BatchNorm::new(), [2, 3, 5, 7].into(), [Shape::vector(3); 4], &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&BATCH_NORM, Params::FIELDS)], plans }
}
