//! A window of every plane.

use crate::error::Result;
use crate::op::Crop;
use crate::tensor::Tensor;

/// [`Crop`] of `x`.
///
/// # Errors
/// As [`Crop::output_shape`].
pub fn crop(op: &Crop, x: &Tensor) -> Result<Tensor> {
    let [row, column] = op.offset;
    Tensor::from_fn(op.output_shape(x.shape())?, |[n, c, i, j]| x.data()[x.shape().index([n, c, i + row, j + column])])
}
