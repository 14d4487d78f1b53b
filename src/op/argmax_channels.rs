//! The class of each pixel.

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// The channel with the largest value at each pixel; among equal values the first wins, and a NaN never does (a pixel of
/// NaN alone gets class 0). The result is one byte a pixel ([`crate::Labels`]).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ArgmaxChannels;

impl ArgmaxChannels {
    /// Validates the operand and gives the label maps' shape, `N x 1 x H x W`.
    ///
    /// # Errors
    /// [`Error::Operand`] for an empty input or more than 256 channels, which a byte cannot number.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        input.check("argmax_channels", "input")?;
        if input.c > 256 {
            return Err(Error::operand("argmax_channels", "input", "at most 256 channels (labels are bytes)", input));
        }
        Ok(input.with_channels(1))
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`ArgmaxChannels::output_shape`].
    pub fn cost(&self, input: Shape) -> Result<Cost> {
        let output = self.output_shape(input)?;
        let bytes = 4 * input.elements() as u64 + output.elements() as u64;
        Ok(Cost { macs: 0, parameters: 0, bytes })
    }
}
