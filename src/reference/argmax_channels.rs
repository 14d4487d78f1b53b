//! The class of each pixel.

use crate::error::Result;
use crate::op::ArgmaxChannels;
use crate::tensor::{Labels, Tensor};

/// [`ArgmaxChannels`] of `x`.
///
/// # Errors
/// As [`ArgmaxChannels::output_shape`].
pub fn argmax_channels(x: &Tensor) -> Result<Labels> {
    let input = x.shape();
    let shape = ArgmaxChannels.output_shape(input)?;
    let label = |pixel: usize| {
        let [n, _, i, j] = shape.position(pixel);
        let score = |c| x.data()[input.index([n, c, i, j])];
        let numbers = (0..input.c).filter(|&c| !score(c).is_nan());
        numbers.reduce(|best, c| if score(c) > score(best) { c } else { best }).unwrap_or(0) as u8
    };
    Labels::new(shape.n, shape.extent(), (0..shape.elements()).map(label).collect())
}
