//! From an 8-bit image to a network's input, on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuImage, GpuTensor, Kernel, KernelPlan, Storage, Texels};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_binding, check_bytes, params, part};
use crate::op::{ChannelOrder, Normalize};
use crate::shape::Shape;

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
        columns: u32,
        row: u32,
        mean_0: f32,
        mean_1: f32,
        mean_2: f32,
        factor_0: f32,
        factor_1: f32,
        factor_2: f32,
    }
}

/// The dispatch for an image of `extent` (rows, columns) in one of its two forms: bytes of RGB, four a word, or texels.
///
/// # Errors
/// As [`Normalize::output_shape`]; [`crate::Error::Limit`] where the output exceeds a binding, or texels do, of which narrow images
/// have more; [`crate::Error::Operand`] for 2^31 texels and more.
pub(crate) fn plan(op: &Normalize, extent: [usize; 2], storage: Storage, caps: &Caps) -> Result<KernelPlan> {
    let output = op.output_shape(extent)?;
    check_binding(OP, "output", output, caps)?;
    let (texels, row) = (storage.texels(), Texels::words_per_row(output.w));
    if texels.is_some() {
        Shape { c: 1, w: row, ..output }.check(OP, "texels")?;
        check_bytes(OP, "image", 4 * storage.words(output), caps)?;
    }
    let ([mean_0, mean_1, mean_2], [factor_0, factor_1, factor_2]) = (op.mean, op.factor);
    let (pixels, columns, row) = (output.plane(), output.w as u32, row as u32);
    let params = Params { pixels: pixels as u32, columns, row, mean_0, mean_1, mean_2, factor_0, factor_1, factor_2 };
    let reversed = (op.order == ChannelOrder::Bgr) != (texels == Some(Texels::Bgra8));
    let constants = [("REVERSED", f64::from(reversed)), ("TEXELS", f64::from(texels.is_some()))];
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
        let plan = plan(op, image.extent(), Storage::Words, self.caps())?;
        let shape = op.output_shape(image.extent())?;
        let output = self.allocate(OP, shape.elements() as u64)?;
        self.execute(OP, &plan, &[image.buffer()], &[&output])?;
        Ok(GpuTensor::new(shape, output))
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    let storages = [Storage::Words, Storage::Texels(Texels::Rgba8), Storage::Texels(Texels::Bgra8)];
    let plans = |op| storages.map(|storage| plan(&op, [5, 7], storage, &Caps::WEBGPU));
    let plans = [Normalize::RAW, Normalize::CAFFE].into_iter().flat_map(plans).collect();
    crate::kernel::checks::Exhibit { params: vec![(&NORMALIZE, Params::FIELDS)], plans }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn texels_of_a_narrow_image_may_exceed_a_binding_and_what_can_be_counted() {
        let plan = |rows, storage, max_binding_bytes| {
            let caps = Caps { max_binding_bytes, max_buffer_bytes: max_binding_bytes, ..Caps::WEBGPU };
            plan(&Normalize::RAW, [rows, 1], storage, &caps)
        };
        let texels = Storage::Texels(Texels::Rgba8);
        assert!(plan(2, texels, 512).is_ok() && plan(3, Storage::Words, 512).is_ok());
        assert!(matches!(plan(3, texels, 512), Err(Error::Limit { needed: 768, available: 512, .. })));
        let rows = 1 << 25;
        assert!(plan(rows - 1, texels, u64::MAX).is_ok() && plan(rows, Storage::Words, u64::MAX).is_ok());
        assert!(matches!(plan(rows, texels, u64::MAX), Err(Error::Operand { .. })));
    }
}
