//! Rectification.

use crate::error::Result;
use crate::op::Relu;
use crate::tensor::Tensor;

/// [`Relu`] of `x`: negative elements become zero, a NaN stays a NaN.
///
/// # Errors
/// As [`Relu::output_shape`].
pub fn relu(x: &Tensor) -> Result<Tensor> {
    let shape = Relu.output_shape(x.shape())?;
    Ok(Tensor::trusted(shape, x.data().iter().map(|&x| if x < 0.0 { 0.0 } else { x }).collect()))
}
