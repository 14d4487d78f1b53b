//! Class probabilities.

use super::{Answer, Sum};
use crate::error::Result;
use crate::op::SoftmaxChannels;
use crate::tensor::Tensor;

/// [`SoftmaxChannels`] of `x`.
///
/// Its bound is not that of a sum of products. In units of `2^-24`: rounding `d = x - max` moves `exp(d)` by `|d|`; WGSL
/// grants `exp` an error of `3 + 2 |d|` ulp, the sum of `C` terms `C - 1` roundings, and a division 2.5 ulp, one ulp
/// being at most two units. The numerator's error is its own, the denominator's the mean of its terms', weighted by
/// their share, which is the result. Beyond `|d| = 128`, `exp(d)` is zero in f32 anyway.
///
/// # Errors
/// As [`SoftmaxChannels::output_shape`].
pub fn softmax_channels(x: &Tensor) -> Result<Answer> {
    let shape = SoftmaxChannels.output_shape(x.shape())?;
    let mut sums = vec![Sum::default(); shape.elements()];
    for pixel in 0..shape.n * shape.plane() {
        let (n, cell) = (pixel / shape.plane(), pixel % shape.plane());
        let place = |c: usize| (n * shape.c + c) * shape.plane() + cell;
        let score = |c: usize| f64::from(x.data()[place(c)]);
        let largest = (0..shape.c).map(score).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = (0..shape.c).map(|c| (score(c) - largest).exp()).sum();
        let share = |c: usize| (score(c) - largest).exp() / total;
        let exp_error = |c: usize| 6.0 + 5.0 * (largest - score(c)).min(128.0);
        let total_error: f64 = (0..shape.c).map(|c| share(c) * exp_error(c)).sum::<f64>() + (shape.c - 1) as f64;
        for c in 0..shape.c {
            let terms = (exp_error(c) + total_error + 5.0).ceil() as u32;
            sums[place(c)] = Sum { value: share(c), magnitude: share(c), terms, slack: 0.0 };
        }
    }
    Ok(Answer::new(shape, sums))
}
