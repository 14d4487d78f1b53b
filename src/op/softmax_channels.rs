//! Class probabilities from scores.

use super::Cost;
use crate::error::Result;
use crate::shape::Shape;

/// `y[n,c,i,j] = exp(x[n,c,i,j] - m) / sum_k exp(x[n,k,i,j] - m)` with `m` the largest score of the pixel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SoftmaxChannels;

impl SoftmaxChannels {
    /// The input's shape.
    ///
    /// # Errors
    /// [`crate::Error::Operand`] for an empty input.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        input.check("softmax_channels", "input")?;
        Ok(input)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`SoftmaxChannels::output_shape`].
    pub fn cost(&self, input: Shape) -> Result<Cost> {
        Ok(Cost::moving([input, self.output_shape(input)?]))
    }
}
