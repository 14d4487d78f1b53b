//! A border of zeros around every plane.

use crate::error::Result;
use crate::op::Pad;
use crate::tensor::Tensor;

/// [`Pad`] of `x`.
///
/// # Errors
/// As [`Pad::output_shape`].
pub fn pad(op: &Pad, x: &Tensor) -> Result<Tensor> {
    let [top, left] = op.padding.before();
    Tensor::from_fn(op.output_shape(x.shape())?, |[n, c, i, j]| {
        let source = i.checked_sub(top).zip(j.checked_sub(left));
        source.and_then(|(i, j)| x.get([n, c, i, j])).unwrap_or(0.0)
    })
}
