//! Local response normalisation across channels.

use super::{Answer, Sum};
use crate::error::Result;
use crate::op::LocalResponseNorm;
use crate::tensor::Tensor;

/// [`LocalResponseNorm`] of `x`.
///
/// Its bound is not that of a sum of products. In units of `2^-24`, with `s` the sum under the power, of `W` squares, and
/// `t = beta log2 s`: `s` is off by `W + 4` of itself, which the power turns into `beta (W + 4)`. WGSL computes the power
/// as `exp2(beta log2 s)` and grants `log2` an error of 3 ulp (6 units of `log2 s`) or, for `s` around 1, of `2^-21` (8
/// units); these and the rounding of the product `t` reach the result times `ln 2`. `exp2` is granted `3 + 2 |t|` ulp, an
/// ulp being at most two units. The last product is one more.
///
/// # Errors
/// As [`LocalResponseNorm::output_shape`].
pub fn local_response_norm(op: &LocalResponseNorm, x: &Tensor) -> Result<Answer> {
    let shape = op.output_shape(x.shape())?;
    let (reach, beta) = (op.size / 2, f64::from(op.beta));
    let square_factor = f64::from(op.alpha) / op.size as f64;
    let sum = |(position, &value): (usize, &f32)| {
        let [n, c, i, j] = shape.position(position);
        let window = c.saturating_sub(reach)..shape.c.min(c + reach + 1);
        let square = |d: usize| f64::from(x.data()[shape.index([n, d, i, j])]).powi(2);
        let squares: f64 = window.clone().map(square).sum();
        let scale = f64::from(op.k) + square_factor * squares;
        let value = f64::from(value) * scale.powf(-beta);
        let (logarithm, power) = (scale.log2().abs(), (beta * scale.log2()).abs());
        let of_sum = beta * (window.len() + 4) as f64;
        let of_logarithm = std::f64::consts::LN_2 * (beta * (8.0 + 6.0 * logarithm) + power);
        let terms = (of_sum + of_logarithm + 6.0 + 4.0 * power + 1.0).ceil() as u32;
        Sum { value, magnitude: value.abs(), terms, slack: 0.0 }
    };
    Ok(Answer::new(shape, x.data().iter().enumerate().map(sum).collect()))
}
