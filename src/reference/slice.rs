//! A run of channels.

use crate::error::Result;
use crate::op::Slice;
use crate::tensor::Tensor;

/// [`Slice`] of `x`.
///
/// # Errors
/// As [`Slice::output_shape`].
pub fn slice(op: &Slice, x: &Tensor) -> Result<Tensor> {
    Tensor::from_fn(op.output_shape(x.shape())?, |[n, c, i, j]| x.data()[x.shape().index([n, c + op.start, i, j])])
}
