//! From labels to a picture.

use crate::error::Result;
use crate::op::{Colorize, Palette};
use crate::tensor::{Labels, RgbImage};

/// [`Colorize`] of a label map.
///
/// # Errors
/// As [`Colorize::output_shape`].
pub fn colorize(labels: &Labels, palette: &Palette) -> Result<RgbImage> {
    let shape = Colorize.output_shape(labels.shape())?;
    RgbImage::new(shape.extent(), labels.data().iter().flat_map(|&label| palette.0[usize::from(label)]).collect())
}
