//! In which form the elements of a value lie in a buffer.

use half::f16;

use crate::gpu::Texels;
use crate::op::MaxPool2d;
use crate::shape::{Padding, Shape};

/// The form of a value on the device. Whoever reads a value knows its form from the plan; nothing in the buffer says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Storage {
    /// A 32-bit word an element: an f32, or a switch as a flat index into its plane. Bytes of labels and images, four to a
    /// word.
    #[default]
    Words,
    /// Switches of 2x2 windows that do not overlap, two bits each: which of its window's cells is meant, 0 to 3 in raster
    /// order. A word holds 16 windows of a row of the pooled map, the first in its lowest bits; each row begins with a word
    /// of its own, bits past its last window are 0.
    Compact,
    /// An f16 an element, two channels a word: planes of words, `N x ceil(C/2) x H x W`, the even channel in the lower half.
    /// The upper half of a last odd channel's words is 0.
    Halves,
    /// A pixel of an image a word, each row from a multiple of 64 words on. What fills rows up is 0 where a kernel wrote it.
    Texels(Texels),
}

/// Windows in a word of [`Storage::Compact`].
pub(crate) const COMPACT_WINDOWS: usize = 16;

impl Storage {
    /// 4-byte words that a value of so many elements takes.
    pub(crate) fn words(self, shape: Shape) -> u64 {
        let words = match self {
            Self::Words => shape.elements(),
            Self::Halves => self.planes(shape) * shape.plane(),
            Self::Compact => self.planes(shape) * shape.h * shape.w.div_ceil(COMPACT_WINDOWS),
            // Up to 64 times as many as the image has pixels.
            Self::Texels(_) => return (shape.n * shape.h) as u64 * Texels::words_per_row(shape.w) as u64,
        };
        words as u64
    }

    /// Planes of words of a map of this shape: one a channel, or two channels, or all.
    pub(crate) fn planes(self, shape: Shape) -> usize {
        match self {
            Self::Words | Self::Compact => shape.n * shape.c,
            Self::Halves => shape.n * shape.c.div_ceil(2),
            Self::Texels(_) => shape.n,
        }
    }

    /// The order of bytes in [`Storage::Texels`].
    pub(crate) fn texels(self) -> Option<Texels> {
        match self {
            Self::Texels(texels) => Some(texels),
            Self::Words | Self::Compact | Self::Halves => None,
        }
    }

    /// Whether [`Storage::Compact`] can hold the switches of a pooling.
    pub(crate) fn holds_compactly(pool: &MaxPool2d) -> bool {
        (pool.kernel, pool.stride, pool.dilation, pool.pad) == ([2, 2], [2, 2], [1, 1], Padding::NONE)
    }
}

/// Switches from their compact form, for planes of `origin_w` columns.
pub(crate) fn from_compact(words: &[u32], shape: Shape, origin_w: usize) -> Vec<u32> {
    let row_words = shape.w.div_ceil(COMPACT_WINDOWS);
    let switch = |position| {
        let [n, c, i, j] = shape.position(position);
        let word = words[((n * shape.c + c) * shape.h + i) * row_words + j / COMPACT_WINDOWS];
        let cell = (word >> (2 * (j % COMPACT_WINDOWS))) as usize % 4;
        ((2 * i + cell / 2) * origin_w + 2 * j + cell % 2) as u32
    };
    (0..shape.elements()).map(switch).collect()
}

/// f32 NCHW as [`Storage::Halves`], each to the nearest.
pub(crate) fn to_halves(data: &[f32], shape: Shape) -> Vec<u32> {
    let plane = shape.plane();
    let image = |image: &[f32]| -> Vec<u32> {
        let pair = |channels: &[f32]| -> Vec<u32> {
            let (even, odd) = channels.split_at(plane);
            let bits = |value: f32| u32::from(f16::from_f32(value).to_bits());
            let word = |(cell, &even): (usize, &f32)| bits(even) | odd.get(cell).map_or(0, |&odd| bits(odd)) << 16;
            even.iter().enumerate().map(word).collect()
        };
        image.chunks(2 * plane).flat_map(pair).collect()
    };
    data.chunks(shape.c * plane).flat_map(image).collect()
}

/// f32 NCHW from [`Storage::Halves`].
pub(crate) fn from_halves(words: &[u32], shape: Shape) -> Vec<f32> {
    let plane = shape.plane();
    let element = |position: usize| {
        let (image, channel, cell) = (position / plane / shape.c, position / plane % shape.c, position % plane);
        let word = words[(image * shape.c.div_ceil(2) + channel / 2) * plane + cell];
        f16::from_bits((word >> (channel % 2 * 16)) as u16).to_f32()
    };
    (0..shape.elements()).map(element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_begins_with_a_word_of_its_own() {
        for (width, words) in [(1, 1), (15, 1), (16, 1), (17, 2), (32, 2), (33, 3)] {
            assert_eq!(Storage::Compact.words([2, 3, 5, width].into()), 2 * 3 * 5 * words);
        }
    }

    #[test]
    fn halves_there_and_back() {
        for shape in [[1, 1, 1, 1], [2, 3, 2, 5], [3, 4, 1, 3]].map(Shape::from) {
            let data: Vec<f32> = (0..shape.elements()).map(|i| i as f32 * 0.5 - 7.0).collect();
            let words = to_halves(&data, shape);
            assert_eq!(words.len() as u64, Storage::Halves.words(shape));
            assert_eq!(from_halves(&words, shape), data);
        }
        assert_eq!(to_halves(&[1.0, -2.0, 0.5], [1, 3, 1, 1].into()), [0xc000_3c00, 0x0000_3800]);
    }

    #[test]
    fn cells_are_found_in_their_rows() {
        // Two rows of 17 windows over a plane of 34 columns: cell j % 4 of each window in the first row, 3 in the second.
        let shape = Shape::from([1, 1, 2, 17]);
        let first = (0..16).fold(0, |word, j| word | (j % 4) << (2 * j));
        let switches = from_compact(&[first, 0, u32::MAX, 3], shape, 34);
        assert_eq!(switches[..5], [0, 3, 34 + 4, 34 + 7, 8]);
        assert_eq!((switches[16], switches[17], switches[33]), (32, 3 * 34 + 1, 3 * 34 + 33));
    }
}
