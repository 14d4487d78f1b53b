//! Batch normalisation as networks in use have it: by the statistics that training left behind.

use super::Cost;
use crate::error::{Error, Result};
use crate::shape::Shape;

const OP: &str = "batch_norm";

/// `y[n,c,i,j] = (x[n,c,i,j] - mean[c]) / sqrt(variance[c] + epsilon) * weight[c] + bias[c]` (Ioffe and Szegedy 2015).
///
/// The four vectors are `1 x C x 1 x 1`, in PyTorch's order: weight, bias, running mean, running variance; no variance is
/// negative. Files that hold the one factor and shift that this amounts to want [`super::Scale`] instead.
///
/// ```
/// use switchback::BatchNorm;
/// let caffe = BatchNorm::new().epsilon(1e-9);
/// let (x, vector) = ([1, 64, 360, 480].into(), [1, 64, 1, 1].into());
/// assert_eq!(caffe.output_shape(x, [vector; 4])?, x);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct BatchNorm {
    /// Added to each variance.
    pub epsilon: f32,
}

impl BatchNorm {
    /// Names of the four vectors, PyTorch's.
    pub const PARTS: [&'static str; 4] = ["weight", "bias", "running_mean", "running_var"];

    /// With PyTorch's epsilon, 1e-5.
    #[must_use]
    pub const fn new() -> Self {
        Self { epsilon: 1e-5 }
    }

    /// Sets what is added to each variance.
    #[must_use]
    pub const fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Validates the operands and gives the output's shape, the input's.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an epsilon that is negative or no number; [`Error::Operand`] if one of the vectors is not
    /// one value a channel.
    pub fn output_shape(&self, input: Shape, vectors: [Shape; 4]) -> Result<Shape> {
        if !(self.epsilon >= 0.0 && self.epsilon.is_finite()) {
            return Err(Error::parameter(OP, "epsilon", "a number from 0", self.epsilon));
        }
        input.check(OP, "input")?;
        for (operand, found) in Self::PARTS.into_iter().zip(vectors) {
            if found != Shape::vector(input.c) {
                return Err(Error::operand(OP, operand, Shape::vector(input.c), found));
            }
        }
        Ok(input)
    }

    /// One multiply-add an element, parameters and least bytes.
    ///
    /// # Errors
    /// As [`BatchNorm::output_shape`].
    pub fn cost(&self, input: Shape, vectors: [Shape; 4]) -> Result<Cost> {
        let elements = self.output_shape(input, vectors)?.elements() as u64;
        let parameters = 4 * input.c as u64;
        Ok(Cost { macs: elements, parameters, bytes: 4 * (2 * elements + parameters) })
    }

    /// The factor and the shift that one channel's statistics amount to: `factor * x + shift` is the definition, but for
    /// rounding.
    pub(crate) fn factor_and_shift(&self, [weight, bias, mean, variance]: [f32; 4]) -> (f64, f64) {
        let factor = f64::from(weight) / (f64::from(variance) + f64::from(self.epsilon)).sqrt();
        (factor, f64::from(bias) - f64::from(mean) * factor)
    }
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self::new()
    }
}
