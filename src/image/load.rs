//! Photographs: PNG or JPEG to 8-bit RGB.

use std::fs::File;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation};

use super::MOST_BYTES;
use crate::error::{Error, Result};
use crate::tensor::RgbImage;

/// Bytes by which a file's format is told.
const BEGIN: u64 = 64;

const TOO_LONG: &str = "is a file of more than 512 MiB; scale it down first";
const TOO_LARGE: &str = "would decode to more than 512 MiB; scale it down first";

/// Reads a PNG or JPEG file, told apart by content, as 8-bit RGB.
///
/// 16-bit samples are rounded to 8, grayscale is repeated into three channels, palettes are looked up, transparency is
/// laid over white, and an EXIF orientation is applied, so that the image is what viewers show. Colour profiles are
/// not applied.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Image`] if it is empty, damaged, of another format, 0 pixels
/// large, CMYK, or of more than 512 MiB, as it is or decoded.
pub fn load(path: impl AsRef<Path>) -> Result<RgbImage> {
    let path = path.as_ref();
    let bytes = read(path).map_err(|error| Error::io(path, error))?;
    let bytes = bytes.map_err(|reason| Error::Image { path: path.to_owned(), reason })?;
    decode(&bytes, path)
}

/// The bytes of an image's file, or why it is none: of what is of another format, or too long, hardly any are read.
fn read(path: &Path) -> io::Result<Result<Vec<u8>, String>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(BEGIN).read_to_end(&mut bytes)?;
    if let Err(reason) = format_of(&bytes) {
        return Ok(Err(reason));
    }
    let known = file.metadata()?.len();
    if known <= MOST_BYTES {
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    }
    let is_short = known.max(bytes.len() as u64) <= MOST_BYTES;
    Ok(if is_short { Ok(bytes) } else { Err(TOO_LONG.to_owned()) })
}

/// Decodes the bytes of a PNG or JPEG file as [`load`] does; `name` is for messages.
///
/// # Errors
/// [`Error::Image`] as [`load`].
pub fn decode(bytes: &[u8], name: impl AsRef<Path>) -> Result<RgbImage> {
    rgb(bytes).map_err(|reason| Error::Image { path: name.as_ref().to_owned(), reason })
}

fn rgb(bytes: &[u8]) -> Result<RgbImage, String> {
    let format = format_of(bytes)?;
    if format == ImageFormat::Jpeg && jpeg_components(bytes) == Some(4) {
        // Adobe's files hold inverted inks, others do not, and no marker tells for sure.
        return Err("is a CMYK JPEG, expected RGB or grayscale; convert it first, as in \
                    `magick in.jpg -colorspace sRGB out.jpg`"
            .to_owned());
    }
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(format!("has {height} rows and {width} columns, expected at least one of each"));
    }
    if decoder.total_bytes() > MOST_BYTES {
        return Err(TOO_LARGE.to_owned());
    }
    // A damaged EXIF block is no reason to refuse the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(explain)?;
    image.apply_orientation(orientation);
    let image = if image.color().has_alpha() { over_white(&image) } else { image.into_rgb8() };
    let extent = [image.height() as usize, image.width() as usize];
    RgbImage::new(extent, image.into_raw()).map_err(|error| error.to_string())
}

fn format_of(bytes: &[u8]) -> Result<ImageFormat, String> {
    const WAY_OUT: &str = "expected PNG or JPEG; convert it first";
    if bytes.is_empty() {
        return Err("is empty (0 bytes), expected PNG or JPEG".to_owned());
    }
    match ::image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        Ok(other) => Err(format!("is {other:?}, {WAY_OUT}")),
        Err(_) => Err(format!("is of an unknown format, {WAY_OUT}")),
    }
}

fn explain(error: ImageError) -> String {
    match error {
        ImageError::Limits(_) => TOO_LARGE.to_owned(),
        other => format!("cannot be decoded: {other}"),
    }
}

/// `alpha * colour + (1 - alpha) * white`, rounded.
fn over_white(image: &DynamicImage) -> ::image::RgbImage {
    let image = image.to_rgba8();
    ::image::RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, alpha] = image.get_pixel(x, y).0;
        ::image::Rgb([r, g, b].map(|colour| super::overlay::mix(255, colour, alpha)))
    })
}

/// Colour components by the frame header (ITU T.81, B.2.2), if there is one where there should be.
fn jpeg_components(bytes: &[u8]) -> Option<u8> {
    let mut at = 2; // after the start-of-image marker
    loop {
        let &[0xFF, marker, high, low] = bytes.get(at..at + 4)? else { return None };
        match marker {
            0xFF => at += 1, // fill byte
            // Frame headers: all of 0xC0..0xCF but the tables for Huffman and arithmetic coding and the reserved JPG.
            0xC0..=0xCF if ![0xC4, 0xC8, 0xCC].contains(&marker) => return bytes.get(at + 9).copied(),
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
}

#[cfg(test)]
mod tests;
