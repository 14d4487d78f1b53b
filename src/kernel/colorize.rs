//! From labels to a picture, on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuImage, GpuLabels, Kernel, KernelPlan, words_of_bytes};
use crate::kernel::flat::{flat_step, only_way};
use crate::kernel::{INDEX, check_bytes, part};
use crate::op::{Colorize, Palette};
use crate::shape::Shape;

const OP: &str = "colorize";

static COLORIZE: Kernel = Kernel {
    name: "colorize/direct",
    parts: &[&INDEX, &part!("colorize/direct.wgsl")],
    bindings: &[Access::Uniform, Access::Read, Access::Write],
    needs_float_atomics: false,
};

pub(crate) static KERNELS: &[&Kernel] = &[&COLORIZE];

/// Uniforms of `colorize/direct`; the shader says what they mean.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    pixels: u32,
    words: u32,
    unused_0: u32,
    unused_1: u32,
    palette: [u32; 256],
}

/// The dispatch for a label map of shape `1 x 1 x H x W`, packed four labels a word.
///
/// # Errors
/// As [`Colorize::output_shape`]; [`crate::Error::Limit`] where the picture exceeds a binding.
pub(crate) fn plan(labels: Shape, palette: &Palette, caps: &Caps) -> Result<KernelPlan> {
    let output = Colorize.output_shape(labels)?;
    check_bytes(OP, format_args!("picture of {}x{}", output.h, output.w), output.elements() as u64, caps)?;
    let pixels = output.plane();
    let params = Params {
        pixels: pixels as u32,
        words: output.elements().div_ceil(4) as u32,
        unused_0: 0,
        unused_1: 0,
        palette: palette.0.map(|[r, g, b]| u32::from_le_bytes([r, g, b, 0])),
    };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&COLORIZE, &[], &params, &operands, pixels.div_ceil(4), caps)?]))
}

impl Gpu {
    /// [`Colorize`] of one label map.
    ///
    /// # Errors
    /// As [`Colorize::output_shape`]; [`crate::Error::Limit`] where the picture exceeds a binding; the device's faults.
    pub fn colorize(&self, labels: &GpuLabels, palette: &Palette) -> Result<GpuImage> {
        let [h, w] = labels.extent();
        let shape = Shape { n: labels.count(), c: 1, h, w };
        let plan = plan(shape, palette, self.caps())?;
        let picture = self.allocate(OP, words_of_bytes(Colorize.output_shape(shape)?.elements()))?;
        self.execute(OP, &plan, &[labels.buffer()], &[&picture])?;
        Ok(GpuImage::new(labels.extent(), picture))
    }
}

#[cfg(test)]
pub(crate) fn exhibit() -> crate::kernel::checks::Exhibit {
    const FIELDS: &[(&str, &str, usize)] = &[
        ("pixels", "u32", core::mem::offset_of!(Params, pixels)),
        ("words", "u32", core::mem::offset_of!(Params, words)),
        ("unused_0", "u32", core::mem::offset_of!(Params, unused_0)),
        ("unused_1", "u32", core::mem::offset_of!(Params, unused_1)),
        ("palette", "array", core::mem::offset_of!(Params, palette)),
    ];
    let plans = vec![plan([1, 1, 5, 7].into(), &Palette::voc(), &Caps::WEBGPU)];
    crate::kernel::checks::Exhibit { params: vec![(&COLORIZE, FIELDS)], plans }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;
    use crate::common::adapter;
    use crate::tensor::Labels;

    #[test]
    fn the_last_word_is_filled_with_zeros() {
        let Some(gpu) = adapter::gpu() else { return };
        let labels = gpu.upload_labels(&Labels::new(1, [1, 3], vec![0; 3]).unwrap()).unwrap();
        let picture = gpu.colorize(&labels, &Palette([[0x11, 0x22, 0x33]; 256])).unwrap();
        let words: Vec<u32> = pollster::block_on(gpu.read("picture", picture.buffer(), 3)).unwrap();
        assert_eq!(words, [0x1133_2211, 0x2211_3322, 0x0000_0033]);
    }
}
