//! Sum of two tensors.

use super::{Answer, Sum};
use crate::error::Result;
use crate::op::Add;
use crate::tensor::Tensor;

/// [`Add`] of `a` and `b`.
///
/// # Errors
/// As [`Add::output_shape`].
pub fn add(a: &Tensor, b: &Tensor) -> Result<Answer> {
    let shape = Add.output_shape(a.shape(), b.shape())?;
    Ok(Answer::new(shape, a.data().iter().zip(b.data()).map(|(&a, &b)| Sum::of(a, [(b, 1.0)])).collect()))
}
