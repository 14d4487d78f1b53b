//! Local response normalisation across channels.

use super::{Cost, MAX_PARAMETER};
use crate::error::{Error, Result};
use crate::shape::Shape;

const OP: &str = "local_response_norm";

/// `y[n,c,i,j] = x[n,c,i,j] / (k + alpha / size * sum_d x[n,d,i,j]^2) ^ beta`, the sum over the `size` channels around
/// `c` that there are (Krizhevsky et al. 2012; the division by `size` is Caffe's and PyTorch's).
///
/// ```
/// use switchback::LocalResponseNorm;
/// let alexnet = LocalResponseNorm::new(5);
/// assert_eq!((alexnet.alpha, alexnet.beta, alexnet.k), (1e-4, 0.75, 1.0));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct LocalResponseNorm {
    /// Channels of the window, an odd number; the channel itself is in the middle.
    pub size: usize,
    /// Factor of the mean square.
    pub alpha: f32,
    /// The power.
    pub beta: f32,
    /// Added to the mean square, so that nothing is divided by zero.
    pub k: f32,
}

impl LocalResponseNorm {
    /// Over so many channels with AlexNet's numbers, Caffe's and PyTorch's defaults: alpha 1e-4, beta 0.75, k 1.
    #[must_use]
    pub const fn new(size: usize) -> Self {
        Self { size, alpha: 1e-4, beta: 0.75, k: 1.0 }
    }

    /// Sets the factor of the mean square.
    #[must_use]
    pub const fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the power.
    #[must_use]
    pub const fn beta(mut self, beta: f32) -> Self {
        self.beta = beta;
        self
    }

    /// Sets what is added to the mean square.
    #[must_use]
    pub const fn k(mut self, k: f32) -> Self {
        self.k = k;
        self
    }

    /// The factor of each square: `alpha / size`.
    pub(crate) fn square_factor(&self) -> f32 {
        self.alpha / self.size as f32
    }

    /// The input's shape.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an even size, an alpha or beta below 0, or a k that is not above 0; [`Error::Operand`] for
    /// an empty input.
    pub fn output_shape(&self, input: Shape) -> Result<Shape> {
        if self.size.is_multiple_of(2) || self.size > MAX_PARAMETER {
            return Err(Error::parameter(OP, "size", format!("an odd number up to {MAX_PARAMETER}"), self.size));
        }
        for (name, value) in [("alpha", self.alpha), ("beta", self.beta)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::parameter(OP, name, "a number from 0", value));
            }
        }
        if !(self.k > 0.0 && self.k.is_finite()) {
            return Err(Error::parameter(OP, "k", "a number above 0", self.k));
        }
        input.check(OP, "input")?;
        Ok(input)
    }

    /// Least bytes.
    ///
    /// # Errors
    /// As [`LocalResponseNorm::output_shape`].
    pub fn cost(&self, input: Shape) -> Result<Cost> {
        Ok(Cost::moving([input, self.output_shape(input)?]))
    }
}
