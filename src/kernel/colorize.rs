//! From labels to a picture, on the device.

use crate::error::Result;
use crate::gpu::{Access, Buffer, Caps, Gpu, GpuImage, GpuLabels, Kernel, KernelPlan, Storage, Texels, words_of_bytes};
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
    columns: u32,
    row: u32,
    palette: [u32; 256],
}

/// The dispatch for a label map of shape `1 x 1 x H x W`, packed four labels a word, to a picture in one of its two forms.
///
/// # Errors
/// As [`Colorize::output_shape`]; [`crate::Error::Limit`] where the picture exceeds a binding; [`crate::Error::Operand`] for
/// 2^31 texels and more, of which a narrow picture has up to 64 a pixel.
pub(crate) fn plan(labels: Shape, palette: &Palette, storage: Storage, caps: &Caps) -> Result<KernelPlan> {
    let output = Colorize.output_shape(labels)?;
    let (pixels, row) = (output.plane(), Texels::words_per_row(output.w));
    let texels = storage.texels();
    let words = if texels.is_some() {
        Shape { w: row, ..labels }.check(OP, "texels")?;
        storage.words(output)
    } else {
        words_of_bytes(output.elements())
    };
    check_bytes(OP, format_args!("picture of {}x{}", output.h, output.w), 4 * words, caps)?;
    let colour = |rgb @ [r, g, b]: [u8; 3]| texels.map_or([r, g, b, 0], |texels| texels.of_pixel(rgb));
    let params = Params {
        pixels: pixels as u32,
        words: words as u32,
        columns: output.w as u32,
        row: row as u32,
        palette: palette.0.map(|rgb| u32::from_le_bytes(colour(rgb))),
    };
    let constants = [("TEXELS", f64::from(texels.is_some()))];
    let invocations = if texels.is_some() { words as usize / 4 } else { pixels.div_ceil(4) };
    let operands = [Buffer::Input(0), Buffer::Output(0)];
    Ok(only_way(0, vec![flat_step(&COLORIZE, &constants, &params, &operands, invocations, caps)?]))
}

impl Gpu {
    /// [`Colorize`] of one label map.
    ///
    /// # Errors
    /// As [`Colorize::output_shape`]; [`crate::Error::Limit`] where the picture exceeds a binding; the device's faults.
    pub fn colorize(&self, labels: &GpuLabels, palette: &Palette) -> Result<GpuImage> {
        let [h, w] = labels.extent();
        let shape = Shape { n: labels.count(), c: 1, h, w };
        let plan = plan(shape, palette, Storage::Words, self.caps())?;
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
        ("columns", "u32", core::mem::offset_of!(Params, columns)),
        ("row", "u32", core::mem::offset_of!(Params, row)),
        ("palette", "array", core::mem::offset_of!(Params, palette)),
    ];
    let plan = |storage| plan([1, 1, 5, 7].into(), &Palette::voc(), storage, &Caps::WEBGPU);
    let plans = [Storage::Words, Storage::Texels(Texels::Rgba8)].map(plan).into();
    crate::kernel::checks::Exhibit { params: vec![(&COLORIZE, FIELDS)], plans }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;
    use crate::common::adapter;
    use crate::error::Error;
    use crate::tensor::Labels;

    #[test]
    fn the_last_word_is_filled_with_zeros() {
        let Some(gpu) = adapter::gpu() else { return };
        let labels = gpu.upload_labels(&Labels::new(1, [1, 3], vec![0; 3]).unwrap()).unwrap();
        let picture = gpu.colorize(&labels, &Palette([[0x11, 0x22, 0x33]; 256])).unwrap();
        let words: Vec<u32> = pollster::block_on(gpu.read("picture", picture.buffer(), 3)).unwrap();
        assert_eq!(words, [0x1133_2211, 0x2211_3322, 0x0000_0033]);
    }

    #[test]
    fn rows_of_texels_are_opaque_and_filled_up_with_zeros() {
        let Some(gpu) = adapter::gpu() else { return };
        let mut palette = Palette::voc();
        (palette.0[0], palette.0[1]) = ([0x11, 0x22, 0x33], [0x44, 0x55, 0x66]);
        // 66 columns: rows begin within a word of labels.
        let data: Vec<u8> = (0..3 * 66).map(|pixel| u8::from(pixel % 5 == 0)).collect();
        let labels = gpu.upload_labels(&Labels::new(1, [3, 66], data.clone()).unwrap()).unwrap();
        for (texels, colours) in
            [(Texels::Rgba8, [0xff33_2211, 0xff66_5544]), (Texels::Bgra8, [0xff11_2233, 0xff44_5566])]
        {
            let plan = plan([1, 1, 3, 66].into(), &palette, Storage::Texels(texels), gpu.caps()).unwrap();
            let picture = gpu.allocate(OP, 3 * 128).unwrap();
            gpu.execute(OP, &plan, &[labels.buffer()], &[&picture]).unwrap();
            let words: Vec<u32> = pollster::block_on(gpu.read("picture", &picture, 3 * 128)).unwrap();
            for (row, labels) in words.chunks_exact(128).zip(data.chunks_exact(66)) {
                assert!(row[..66].iter().copied().eq(labels.iter().map(|&label| colours[usize::from(label)])));
                assert_eq!(row[66..], [0; 62], "{texels:?}");
            }
        }
    }

    #[test]
    fn texels_of_a_narrow_picture_may_exceed_a_binding_and_what_can_be_counted() {
        let plan = |rows, storage, max_binding_bytes| {
            let caps = Caps { max_binding_bytes, max_buffer_bytes: max_binding_bytes, ..Caps::WEBGPU };
            plan([1, 1, rows, 1].into(), &Palette::voc(), storage, &caps)
        };
        let texels = Storage::Texels(Texels::Bgra8);
        assert!(plan(2, texels, 512).is_ok() && plan(3, Storage::Words, 512).is_ok());
        assert!(matches!(plan(3, texels, 512), Err(Error::Limit { needed: 768, available: 512, .. })));
        let rows = 1 << 25;
        assert!(plan(rows - 1, texels, u64::MAX).is_ok() && plan(rows, Storage::Words, u64::MAX).is_ok());
        assert!(matches!(plan(rows, texels, u64::MAX), Err(Error::Operand { .. })));
    }
}
