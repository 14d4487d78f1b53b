//! Batch normalisation by running statistics.

use super::{Answer, Sum};
use crate::error::Result;
use crate::op::BatchNorm;
use crate::tensor::Tensor;

/// Roundings on the way of a term, in units of `2^-24`: one of the subtraction; of the factor `weight / sqrt(variance +
/// epsilon)` half of epsilon's and of the sum's, four of `inverseSqrt` (WGSL grants it 2 ulp, an ulp being at most two
/// units) and one of the product; then one product and one sum.
const ROUNDINGS: u32 = 8;

/// [`BatchNorm`] of `x` by weight, bias, running mean and running variance.
///
/// Its bound counts the terms of `(x - mean) * factor + bias`: however far a mean is from zero, what it leaves of `x` is
/// rounded once.
///
/// # Errors
/// As [`BatchNorm::output_shape`].
pub fn batch_norm(op: &BatchNorm, x: &Tensor, vectors: [&Tensor; 4]) -> Result<Answer> {
    let shape = op.output_shape(x.shape(), vectors.map(Tensor::shape))?;
    let channels: Vec<[f64; 3]> = (0..shape.c)
        .map(|c| {
            let [weight, bias, mean, variance] = vectors.map(|vector| vector.data()[c]);
            let (factor, _) = op.factor_and_shift([weight, bias, mean, variance]);
            [mean.into(), factor, bias.into()]
        })
        .collect();
    let sum = |(position, &x): (usize, &f32)| {
        let [_, c, _, _] = shape.position(position);
        let [mean, factor, bias] = channels[c];
        let product = (f64::from(x) - mean) * factor;
        Sum { value: product + bias, magnitude: product.abs() + bias.abs(), terms: ROUNDINGS, slack: 0.0 }
    };
    Ok(Answer::new(shape, x.data().iter().enumerate().map(sum).collect()))
}
