//! Images as a texture's rows have them in a buffer: four bytes a pixel.

use std::fmt;

/// A row of texels begins at a multiple of so many words: 256 bytes, which WebGPU asks of copies between textures and buffers.
const ROW_WORDS: usize = 64;

/// The order of a pixel's four bytes in images that lie on the device as copies from and to textures have them; see
/// [`Gpu::with_texels`](crate::Gpu::with_texels).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Texels {
    /// Red, green, blue, alpha: of textures whose format is `rgba8unorm` or `rgba8unorm-srgb`.
    Rgba8,
    /// Blue, green, red, alpha: of `bgra8unorm` and `bgra8unorm-srgb`, as many cameras and surfaces have it.
    Bgra8,
}

/// `rgba8 texels`, `bgra8 texels`.
impl fmt::Display for Texels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rgba8 => "rgba8 texels",
            Self::Bgra8 => "bgra8 texels",
        })
    }
}

impl Texels {
    /// Bytes from the begin of a row to that of the next, for an image of so many columns: four a column, filled up to a
    /// multiple of 256. What `TexelCopyBufferLayout` calls `bytes_per_row`.
    ///
    /// ```
    /// use switchback::gpu::Texels;
    /// assert_eq!([64, 65, 187].map(Texels::bytes_per_row), [256, 512, 768]);
    /// ```
    #[must_use]
    pub const fn bytes_per_row(columns: u32) -> u32 {
        let bytes = 4 * ROW_WORDS as u32;
        columns.div_ceil(ROW_WORDS as u32).saturating_mul(bytes)
    }

    /// Words, of a texel each, from the begin of a row to that of the next.
    pub(crate) const fn words_per_row(columns: usize) -> usize {
        columns.next_multiple_of(ROW_WORDS)
    }

    /// Places of red, green and blue among a pixel's bytes.
    const fn rgb(self) -> [usize; 3] {
        match self {
            Self::Rgba8 => [0, 1, 2],
            Self::Bgra8 => [2, 1, 0],
        }
    }

    /// A pixel's bytes, opaque.
    pub(crate) fn of_pixel(self, rgb: [u8; 3]) -> [u8; 4] {
        let [first, second, third] = self.rgb().map(|place| rgb[place]);
        [first, second, third, u8::MAX]
    }

    /// Bytes `r g b r g b ..` of rows of so many columns as texels, opaque ones; what fills a row up is zero.
    pub(crate) fn of_rgb(self, pixels: &[u8], columns: usize) -> Vec<u8> {
        let (rows, bytes_per_row) = (pixels.chunks_exact(3 * columns), 4 * Self::words_per_row(columns));
        let mut texels = vec![0; rows.len() * bytes_per_row];
        for (row, pixels) in texels.chunks_exact_mut(bytes_per_row).zip(rows) {
            for (texel, &rgb) in row.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks().0) {
                *texel = self.of_pixel(rgb);
            }
        }
        texels
    }

    /// The other way round, without alpha.
    pub(crate) fn to_rgb(self, texels: &[u8], columns: usize) -> Vec<u8> {
        let rows = texels.chunks_exact(4 * Self::words_per_row(columns));
        let mut pixels = vec![0; rows.len() * 3 * columns];
        for (pixels, row) in pixels.chunks_exact_mut(3 * columns).zip(rows) {
            for (pixel, texel) in pixels.as_chunks_mut().0.iter_mut().zip(row.as_chunks::<4>().0) {
                *pixel = self.rgb().map(|place| texel[place]);
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_at_multiples_of_256_bytes() {
        let rgb = [1, 2, 3, 4, 5, 6];
        let rows = [(Texels::Rgba8, [1, 2, 3, 255], [4, 5, 6, 255]), (Texels::Bgra8, [3, 2, 1, 255], [6, 5, 4, 255])];
        for (texels, first, second) in rows {
            let below = texels.of_rgb(&rgb, 1);
            assert_eq!((below.len(), &below[..4], &below[256..260]), (512, &first[..], &second[..]));
            assert_eq!(below[4..256], [0; 252]);
            let beside = texels.of_rgb(&rgb, 2);
            assert_eq!((beside.len(), &beside[..8]), (256, &[first, second].concat()[..]));
        }
    }

    #[test]
    fn there_and_back() {
        for texels in [Texels::Rgba8, Texels::Bgra8] {
            for (rows, columns) in [(1, 1), (3, 63), (2, 64), (5, 65), (1, 200)] {
                let rgb: Vec<u8> = (0..3 * rows * columns).map(|at| (at % 251) as u8).collect();
                let bytes = texels.of_rgb(&rgb, columns);
                assert_eq!(bytes.len(), rows * Texels::bytes_per_row(columns as u32) as usize);
                assert_eq!(texels.to_rgb(&bytes, columns), rgb);
            }
        }
    }

    #[test]
    fn rows_beyond_what_can_be_counted_saturate() {
        assert_eq!(Texels::bytes_per_row(u32::MAX), u32::MAX);
        assert_eq!(Texels::bytes_per_row(0), 0);
    }
}
