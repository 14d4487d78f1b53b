//! Labels over the photograph they belong to.

use std::path::Path;

use png::ColorType;

use super::labels_png::write_png;
use crate::error::{Error, Result};
use crate::op::Palette;
use crate::tensor::{Labels, RgbImage};

/// Blends each pixel with its label's colour: `opacity * colour + (1 - opacity) * image`, rounded; a class whose
/// colour is black (VOC's background, CamVid's unlabelled) shows the image alone. `opacity` is in 0 to 1 and resolved to 255
/// steps.
///
/// # Errors
/// [`Error::Parameter`] for an opacity outside 0 to 1; [`Error::Operand`] if `labels` is not one map of the image's
/// extent.
pub fn overlay(image: &RgbImage, labels: &Labels, palette: &Palette, opacity: f32) -> Result<RgbImage> {
    const OP: &str = "overlay";
    if !(0.0..=1.0).contains(&opacity) {
        return Err(Error::parameter(OP, "opacity", "0 to 1", opacity));
    }
    if labels.count() != 1 || labels.extent() != image.extent() {
        let found = format!("{} of {:?}", labels.count(), labels.extent());
        return Err(Error::operand(OP, "labels", format!("one map of {:?} (rows, columns)", image.extent()), found));
    }
    let opacity = (opacity * 255.0).round() as u8;
    let pixels = image.data().chunks_exact(3).zip(labels.data());
    let blended = pixels.flat_map(|(pixel, &label)| {
        let colour = palette.0[usize::from(label)];
        let opacity = if colour == [0; 3] { 0 } else { opacity };
        [0, 1, 2].map(|c| mix(pixel[c], colour[c], opacity))
    });
    RgbImage::new(image.extent(), blended.collect())
}

/// Writes an RGB image as PNG.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written.
pub fn write_rgb(path: impl AsRef<Path>, image: &RgbImage) -> Result<()> {
    write_png(path.as_ref(), image.extent(), ColorType::Rgb, None, image.data())
}

/// `below + (above - below) * opacity / 255`, rounded to nearest.
pub(super) fn mix(below: u8, above: u8, opacity: u8) -> u8 {
    let opacity = u32::from(opacity);
    let sum = u32::from(above) * opacity + u32::from(below) * (255 - opacity);
    ((sum + 127) / 255) as u8 // at most 255: a weighted mean of bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn blends_classes_and_leaves_the_background() {
        let image = RgbImage::new([1, 3], vec![10, 20, 30, 100, 100, 100, 0, 0, 0]).unwrap();
        let labels = Labels::new(1, [1, 3], vec![0, 1, 255]).unwrap();
        let half = overlay(&image, &labels, &Palette::voc(), 0.5).unwrap();
        assert_eq!(half.data(), [10, 20, 30, 114, 50, 50, 112, 112, 96]);
        assert_eq!(overlay(&image, &labels, &Palette::voc(), 0.0).unwrap(), image);
        let full = overlay(&image, &labels, &Palette::voc(), 1.0).unwrap();
        assert_eq!(full.data(), [10, 20, 30, 128, 0, 0, 224, 224, 192]);
    }

    #[test]
    fn a_first_class_with_a_colour_is_no_background() {
        let image = RgbImage::new([1, 2], vec![9; 6]).unwrap();
        let labels = Labels::new(1, [1, 2], vec![0, 11]).unwrap();
        let palette = crate::Dataset::CamVid.palette();
        assert_eq!(overlay(&image, &labels, &palette, 1.0).unwrap().data(), [128, 128, 128, 9, 9, 9]);
    }

    #[test]
    fn mixing_is_exact_at_both_ends_and_never_leaves_the_interval() {
        for below in [0, 1, 127, 254, 255] {
            for above in [0, 3, 128, 255] {
                assert_eq!((mix(below, above, 0), mix(below, above, 255)), (below, above));
                let between = below.min(above)..=below.max(above);
                assert!((0..=255).all(|opacity| between.contains(&mix(below, above, opacity))));
            }
        }
    }

    #[test]
    fn refuses_other_extents_and_opacities() {
        let image = RgbImage::new([2, 1], vec![0; 6]).unwrap();
        let turned = Labels::new(1, [1, 2], vec![0; 2]).unwrap();
        assert!(overlay(&image, &turned, &Palette::voc(), 0.5).unwrap_err().to_string().contains("[2, 1]"));
        let labels = Labels::new(1, [2, 1], vec![0; 2]).unwrap();
        for opacity in [-0.1, 1.1, f32::NAN] {
            assert!(overlay(&image, &labels, &Palette::voc(), opacity).is_err());
        }
    }
}
