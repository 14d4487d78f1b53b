//! Every kind of pixel that PNG and JPEG can hold, and files that are not images.
#![allow(clippy::unwrap_used, reason = "tests")]

use ::image::codecs::jpeg::JpegEncoder;
use ::image::{ExtendedColorType, ImageEncoder};
use png::{BitDepth, ColorType};

use super::*;

/// A PNG of 1 row and `width` columns over raw samples.
fn png(width: u32, colour: ColorType, depth: BitDepth, palette: Option<&[u8]>, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, 1);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if let Some(palette) = palette {
        encoder.set_palette(palette.to_owned());
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

fn jpeg(extent: [u32; 2], colour: ExtendedColorType, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 100).write_image(data, extent[1], extent[0], colour).unwrap();
    bytes
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    decode(bytes, "test").unwrap().data().to_vec()
}

fn refused(bytes: &[u8]) -> String {
    let error = decode(bytes, "photos/test.png").unwrap_err().to_string();
    assert!(error.starts_with("image photos/test.png: "), "{error}");
    error
}

#[test]
fn png_of_every_kind_becomes_rgb() {
    use BitDepth::{Eight, One, Sixteen, Two};
    let rgb = [1, 2, 3, 250, 251, 252];
    assert_eq!(decoded(&png(2, ColorType::Rgb, Eight, None, &rgb)), rgb);
    // 16 bits round to the nearest of v * 257.
    let deep = [0x00, 0x80, 0x01, 0x01, 0x80, 0x80];
    assert_eq!(decoded(&png(1, ColorType::Rgb, Sixteen, None, &deep)), [0, 1, 128]);
    assert_eq!(decoded(&png(2, ColorType::Grayscale, Eight, None, &[7, 200])), [7, 7, 7, 200, 200, 200]);
    assert_eq!(decoded(&png(1, ColorType::Grayscale, Sixteen, None, &[0x7F, 0xFF])), [127; 3]);
    assert_eq!(decoded(&png(3, ColorType::Grayscale, One, None, &[0b0100_0000]))[..6], [0, 0, 0, 255, 255, 255]);
    let palette = [9, 8, 7, 1, 2, 3, 30, 20, 10, 0, 0, 0];
    assert_eq!(decoded(&png(2, ColorType::Indexed, Two, Some(&palette), &[0b1001_0000])), [30, 20, 10, 1, 2, 3]);
    // Opaque keeps its colour, transparent shows white, half is in between.
    let alpha = [10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128];
    assert_eq!(decoded(&png(3, ColorType::Rgba, Eight, None, &alpha)), [10, 20, 30, 255, 255, 255, 127, 177, 255]);
    assert_eq!(decoded(&png(1, ColorType::GrayscaleAlpha, Eight, None, &[0, 0])), [255; 3]);
}

#[test]
fn extent_is_rows_and_columns() {
    let image = decode(&png(5, ColorType::Grayscale, BitDepth::Eight, None, &[0; 5]), "test").unwrap();
    assert_eq!(image.extent(), [1, 5]);
}

#[test]
fn jpeg_in_colour_and_gray() {
    let flat = [90_u8, 120, 150].repeat(64);
    let near = |bytes: Vec<u8>, expected: [u8; 3]| {
        let pixels = decoded(&bytes);
        assert_eq!(pixels.len(), 192);
        assert!(
            pixels.chunks(3).all(|p| p.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2)),
            "{:?}",
            &pixels[..3]
        );
    };
    near(jpeg([8, 8], ExtendedColorType::Rgb8, &flat), [90, 120, 150]);
    near(jpeg([8, 8], ExtendedColorType::L8, &[33; 64]), [33; 3]);
}

#[test]
fn exif_orientation_is_applied() {
    let upright = jpeg([8, 16], ExtendedColorType::L8, &[100; 128]);
    // An APP1 segment with one little-endian TIFF entry: tag 0x0112 (orientation), type SHORT, count 1, value 6.
    let exif = [b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".as_slice()].concat();
    let mut turned = upright[..2].to_vec();
    turned.extend([0xFF, 0xE1]);
    turned.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    turned.extend(&exif);
    turned.extend(&upright[2..]);
    assert_eq!(decode(&upright, "test").unwrap().extent(), [8, 16]);
    assert_eq!(decode(&turned, "test").unwrap().extent(), [16, 8]);
}

#[test]
fn what_is_no_usable_image_is_refused_by_name() {
    assert!(refused(b"").contains("is empty (0 bytes)"));
    assert!(refused(b"hello, world").contains("unknown format"));
    assert!(refused(b"GIF89a\x01\0\x01\0\0\0\0").contains("is Gif, expected PNG or JPEG"));
    let whole = png(64, ColorType::Rgb, BitDepth::Eight, None, &[77; 192]);
    for keep in [8, 20, 40, whole.len() / 2, whole.len() - 20] {
        assert!(refused(&whole[..keep]).contains("cannot be decoded"), "{keep} of {} bytes", whole.len());
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0xFF;
    refused(&flipped);
}

#[test]
fn zero_sized_and_enormous_images_are_refused() {
    let mut bytes = png(4, ColorType::Rgb, BitDepth::Eight, None, &[0; 12]);
    let mut with_extent = |rows: u32, columns: u32| {
        bytes[16..20].copy_from_slice(&columns.to_be_bytes());
        bytes[20..24].copy_from_slice(&rows.to_be_bytes());
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        refused(&bytes)
    };
    with_extent(1, 0);
    assert!(with_extent(1, 0x7FFF_FFFF).contains("512 MiB"));
    // No row is too long, but there are too many: the first square beyond 2^29 bytes, and the last within.
    assert!(with_extent(13_378, 13_378).contains("512 MiB"));
    assert!(!with_extent(13_377, 13_377).contains("512 MiB"));
    let mut bytes = jpeg([8, 8], ExtendedColorType::Rgb8, &[0; 192]);
    let frame = bytes.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]); // 60000x60000
    assert!(refused(&bytes).contains("512 MiB"));
}

#[test]
fn cmyk_is_refused() {
    // A frame header with four components after an Adobe segment, as image editors write it.
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xEE, 0x00, 0x0E];
    bytes.extend(b"Adobe\0\x64\0\0\0\0\x02");
    bytes.extend([0xFF, 0xFF, 0xC0, 0x00, 0x14, 8, 0, 1, 0, 1, 4]);
    bytes.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
    assert!(refused(&bytes).contains("is a CMYK JPEG"));
}

/// CRC-32 of PNG chunks (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// What has no end, or is longer than any photograph, is not read to its end.
#[test]
fn a_file_is_refused_by_its_beginning_or_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.png");
    for (begin, expected) in
        [(&png(1, ColorType::Grayscale, BitDepth::Eight, None, &[7])[..], TOO_LONG), (b"", "unknown")]
    {
        std::fs::write(&path, begin).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let error = load(&path).unwrap_err();
        assert!(matches!(error, Error::Image { .. }) && error.to_string().contains(expected), "{error}");
    }
    if cfg!(unix) {
        let error = load("/dev/zero").unwrap_err().to_string();
        assert!(error.contains("/dev/zero: is of an unknown format, expected PNG or JPEG"), "{error}");
    }
}
