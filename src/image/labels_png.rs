//! Label maps as palette PNG: the pixel is the class index, the palette only shows it.

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use png::{BitDepth, ColorType};

use super::MOST_BYTES;
use crate::error::{Error, Result};
use crate::file::replace_file;
use crate::op::Palette;
use crate::tensor::Labels;

/// Reads a label map: the raw indices of a palette PNG, or the raw samples of a grayscale one, of at most 8 bits.
///
/// Colours are not looked up: PASCAL VOC's label maps are stored this way.
///
/// # Errors
/// [`Error::Io`] if the file cannot be opened; [`Error::Image`] if it is no PNG, damaged, holds colours, or more than
/// 536,870,912 pixels.
pub fn read_labels(path: impl AsRef<Path>) -> Result<Labels> {
    let path = path.as_ref();
    let refuse = |reason: String| Error::Image { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    let broken = |error: png::DecodingError| refuse(format!("cannot be read as a PNG label map: {error}"));
    let mut reader = png::Decoder::new(BufReader::new(file.take(MOST_BYTES))).read_info().map_err(broken)?;

    let (colour, depth) = (reader.info().color_type, reader.info().bit_depth);
    if !matches!(colour, ColorType::Indexed | ColorType::Grayscale) || depth == BitDepth::Sixteen {
        let found = format!("{}-bit {colour:?}", depth as u8);
        return Err(refuse(format!("is {found}, expected a label map: palette or grayscale, at most 8 bits")));
    }
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let pixels = u64::from(reader.info().width) * u64::from(reader.info().height);
    let bytes = reader.output_buffer_size().filter(|_| pixels <= MOST_BYTES);
    let too_large = || refuse(format!("has {height} rows and {width} columns, expected {MOST_BYTES} pixels at most"));
    let mut packed = vec![0; bytes.ok_or_else(too_large)?];
    reader.next_frame(&mut packed).map_err(broken)?;

    let row_bytes = packed.len() / height.max(1);
    let unpacked = packed.chunks(row_bytes.max(1)).flat_map(|row| unpack(row, depth as usize).take(width)).collect();
    Labels::new(1, [height, width], unpacked).map_err(|error| refuse(error.to_string()))
}

/// Samples of `bits` bits each, the first in the high bits of its byte.
fn unpack(row: &[u8], bits: usize) -> impl Iterator<Item = u8> {
    row.iter().flat_map(move |&byte| (0..8 / bits).map(move |i| (byte << (i * bits)) >> (8 - bits)))
}

/// Writes one label map as an 8-bit palette PNG whose pixels are the class indices.
///
/// # Errors
/// [`Error::Operand`] if `labels` holds more than one image; [`Error::Io`] if the file cannot be written.
pub fn write_labels(path: impl AsRef<Path>, labels: &Labels, palette: &Palette) -> Result<()> {
    if labels.count() != 1 {
        return Err(Error::operand("write_labels", "labels", "one image", format!("{} images", labels.count())));
    }
    write_png(path.as_ref(), labels.extent(), ColorType::Indexed, Some(palette), labels.data())
}

/// Writes 8-bit samples as a PNG.
pub(super) fn write_png(
    path: &Path,
    [height, width]: [usize; 2],
    colour: ColorType,
    palette: Option<&Palette>,
    data: &[u8],
) -> Result<()> {
    // A checked shape has fewer than 2^31 elements, so its extents fit.
    let (width, height) = (u32::try_from(width).unwrap_or(u32::MAX), u32::try_from(height).unwrap_or(u32::MAX));
    replace_file(path, |to| {
        let mut encoder = png::Encoder::new(to, width, height);
        encoder.set_color(colour);
        encoder.set_depth(BitDepth::Eight);
        if let Some(palette) = palette {
            encoder.set_palette(palette.0.concat());
        }
        let mut writer = encoder.write_header().map_err(io::Error::from)?;
        writer.write_image_data(data)?;
        writer.finish().map_err(io::Error::from)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn raw(path: &Path, size: [u32; 2], colour: ColorType, depth: BitDepth, data: &[u8]) {
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), size[1], size[0]);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == ColorType::Indexed {
            encoder.set_palette(vec![0; 48]);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
    }

    #[test]
    fn every_class_survives_and_shows_its_colour() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.png");
        let labels = Labels::new(1, [16, 16], (0..=255).collect()).unwrap();
        write_labels(&path, &labels, &Palette::voc()).unwrap();
        assert_eq!(read_labels(&path).unwrap(), labels);
        // A viewer sees VOC's colours.
        let shown = super::super::load(&path).unwrap();
        assert_eq!(shown.data()[3..6], [128, 0, 0]);
        assert_eq!(shown.data()[20 * 3..21 * 3], [0, 64, 128]);
        assert_eq!(shown.data()[255 * 3..], [224, 224, 192]);
    }

    #[test]
    fn small_depths_are_unpacked_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.png");
        for (colour, depth, data, expected) in [
            (ColorType::Indexed, BitDepth::Four, vec![0x12, 0x30, 0x45, 0x60], vec![1, 2, 3, 4, 5, 6]),
            (ColorType::Indexed, BitDepth::Two, vec![0b01_10_11_00, 0b11_00_01_00], vec![1, 2, 3, 3, 0, 1]),
            (ColorType::Grayscale, BitDepth::One, vec![0b1010_0000, 0b0110_0000], vec![1, 0, 1, 0, 1, 1]),
            (ColorType::Grayscale, BitDepth::Eight, vec![9, 8, 7, 6, 5, 255], vec![9, 8, 7, 6, 5, 255]),
        ] {
            raw(&path, [2, 3], colour, depth, &data);
            let labels = read_labels(&path).unwrap();
            assert_eq!((labels.extent(), labels.data()), ([2, 3], expected.as_slice()), "{colour:?} {depth:?}");
        }
    }

    #[test]
    fn photographs_are_no_label_maps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo.png");
        raw(&path, [1, 1], ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
        assert!(read_labels(&path).unwrap_err().to_string().contains("is 8-bit Rgb, expected a label map"));
        raw(&path, [1, 1], ColorType::Grayscale, BitDepth::Sixteen, &[1, 2]);
        assert!(read_labels(&path).unwrap_err().to_string().contains("is 16-bit Grayscale"));
        // One bit a pixel, of which none is there.
        let mut header = Vec::new();
        let mut encoder = png::Encoder::new(&mut header, 40_000, 40_000);
        encoder.set_depth(BitDepth::One);
        drop(encoder.write_header().unwrap());
        let end = header.len() - 12;
        std::fs::write(&path, [&header[..end], b"\0\0\0\x09IDAT"].concat()).unwrap();
        let error = read_labels(&path).unwrap_err().to_string();
        assert!(error.contains("has 40000 rows and 40000 columns, expected 536870912 pixels at most"), "{error}");
        std::fs::write(&path, b"\xFF\xD8\xFF").unwrap();
        assert!(read_labels(&path).unwrap_err().to_string().contains("cannot be read as a PNG"));
        let two = Labels::new(2, [1, 1], vec![0, 0]).unwrap();
        assert!(write_labels(&path, &two, &Palette::voc()).is_err());
    }
}
