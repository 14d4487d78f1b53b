//! A factor and a shift for each channel.

use super::{Answer, Sum};
use crate::error::Result;
use crate::op::Scale;
use crate::tensor::Tensor;

/// [`Scale`] of `x` by `factor`, plus an optional `shift`.
///
/// # Errors
/// As [`Scale::output_shape`].
pub fn scale(x: &Tensor, factor: &Tensor, shift: Option<&Tensor>) -> Result<Answer> {
    let shape = Scale.output_shape(x.shape(), factor.shape(), shift.map(Tensor::shape))?;
    let sum = |(position, &x): (usize, &f32)| {
        let [_, c, _, _] = shape.position(position);
        Sum::of(shift.map_or(0.0, |shift| shift.data()[c]), [(x, factor.data()[c])])
    };
    Ok(Answer::new(shape, x.data().iter().enumerate().map(sum).collect()))
}
