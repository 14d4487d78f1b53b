//! From an 8-bit image to a network's input.

use super::{Answer, Sum};
use crate::error::Result;
use crate::op::{ChannelOrder, Normalize};
use crate::tensor::RgbImage;

/// [`Normalize`] of an image.
///
/// # Errors
/// As [`Normalize::output_shape`].
pub fn normalize(op: &Normalize, image: &RgbImage) -> Result<Answer> {
    let shape = op.output_shape(image.extent())?;
    let sum = |position: usize| {
        let [_, c, i, j] = shape.position(position);
        let channel = match op.order {
            ChannelOrder::Rgb => c,
            ChannelOrder::Bgr => 2 - c,
        };
        let byte = f32::from(image.data()[(i * shape.w + j) * 3 + channel]);
        Sum::of(0.0, [(byte, op.factor[c]), (-op.mean[c], op.factor[c])])
    };
    Ok(Answer::new(shape, (0..shape.elements()).map(sum).collect()))
}
