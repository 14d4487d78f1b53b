//! Crop, scale and add in one step.

use super::{Answer, Sum};
use crate::error::Result;
use crate::op::CropAdd;
use crate::tensor::Tensor;

/// [`CropAdd`] of `a` and the larger `b`.
///
/// # Errors
/// As [`CropAdd::output_shape`].
pub fn crop_add(op: &CropAdd, a: &Tensor, b: &Tensor) -> Result<Answer> {
    let shape = op.output_shape(a.shape(), b.shape())?;
    let sum = |(position, &a): (usize, &f32)| {
        let [n, c, i, j] = shape.position(position);
        let b = b.data()[b.shape().index([n, c, i + op.offset[0], j + op.offset[1]])];
        Sum::of(a, [(b, op.scale)])
    };
    Ok(Answer::new(shape, a.data().iter().enumerate().map(sum).collect()))
}
