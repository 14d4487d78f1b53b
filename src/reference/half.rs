//! f16, the 16-bit float: rounding to it, and the bounds of what is computed from rounded operands.

use super::{Answer, Sum, conv_transpose2d, conv2d};
use crate::error::Result;
use crate::op::{Conv2d, ConvTranspose2d};
use crate::tensor::Tensor;

/// The largest finite f16.
pub const LARGEST_HALF: f32 = 65_504.0;

/// The smallest normal f16, 2^-14; devices may take what is smaller for zero.
const SMALLEST_NORMAL: f32 = 1.0 / 16_384.0;

/// The f16 nearest to `value`, ties to even. What is 65520 or more becomes infinite.
#[must_use]
pub fn half(value: f32) -> f32 {
    // An f16 has 10 bits behind the first; below 2^-14 it counts in steps of 2^-24.
    let exponent = ((value.to_bits() >> 23 & 0xff) as i32 - 127).max(-14);
    let step = 2_f64.powi(exponent - 10);
    let nearest = ((f64::from(value) / step).round_ties_even() * step) as f32;
    if nearest.abs() > LARGEST_HALF { f32::INFINITY.copysign(value) } else { nearest }
}

/// Every element rounded by [`half()`].
#[must_use]
pub fn half_tensor(tensor: &Tensor) -> Tensor {
    map(tensor, half)
}

/// How far an f16 that a device makes of `value` may be from it: WGSL lets a conversion take either neighbour, at most
/// 2^-10 of the value apart, and lets a number below 2^-14 count as zero.
pub(super) fn half_spread(value: f32) -> f32 {
    match value.abs() {
        0.0 => 0.0,
        small if small < SMALLEST_NORMAL => small + SMALLEST_NORMAL / 1024.0,
        _ if half(value) == value => 0.0,
        large => large / 1024.0,
    }
}

/// [`conv2d()`] of operands that a device rounds to f16, with products summed in f32, as matrix units do.
///
/// The weight is rounded by [`half()`] (once, by our own arithmetic), so the values are those of the rounded weight `w`. The
/// device rounds `x` itself, to either neighbour, and may take an operand below `2^-14` for zero: with `d` the most that an
/// `x` moves and `z` a weight that may vanish, a term moves by at most `d |w| + (|x| + d) |z|`, whose sum is the slack here.
/// Products of two f16 have 22 bits and are exact. Matrix units may cut sums off instead of rounding them, which doubles the
/// unit roundoff: the magnitude is doubled, the slack added to it since sums are of moved terms.
///
/// Small integers are f16 exactly, and the slack is zero.
///
/// # Errors
/// As [`Conv2d::output_shape`].
pub fn conv2d_half_operands(op: &Conv2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer> {
    let linear = Conv2d { relu: false, ..*op };
    half_operands(x, w, |w| conv2d(op, x, w, bias), |x, w| conv2d(&linear, x, w, None))
}

/// [`conv_transpose2d()`] of operands that a device rounds to f16, with products summed in f32: its terms are those of a
/// convolution, and the bound is derived as [`conv2d_half_operands`]'s.
///
/// # Errors
/// As [`ConvTranspose2d::output_shape`].
pub fn conv_transpose2d_half_operands(
    op: &ConvTranspose2d,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
) -> Result<Answer> {
    let linear = ConvTranspose2d { relu: false, ..*op };
    half_operands(x, w, |w| conv_transpose2d(op, x, w, bias), |x, w| conv_transpose2d(&linear, x, w, None))
}

/// The sums of an operator over a weight, with the slack by sums of its products alone.
fn half_operands(
    x: &Tensor,
    w: &Tensor,
    whole: impl Fn(&Tensor) -> Result<Answer>,
    products: impl Fn(&Tensor, &Tensor) -> Result<Answer>,
) -> Result<Answer> {
    let w = half_tensor(w);
    let answer = whole(&w)?;
    let moved = products(&map(x, half_spread), &map(&w, f32::abs))?;
    let seen = map(x, |x| x.abs() + half_spread(x));
    let vanished = products(&seen, &map(&w, |w| if w.abs() < SMALLEST_NORMAL { w.abs() } else { 0.0 }))?;
    let slack = moved.sums().iter().zip(vanished.sums()).map(|(moved, vanished)| moved.value + vanished.value);
    let widened = |(sum, slack): (&Sum, f64)| Sum { magnitude: 2.0 * (sum.magnitude + slack), slack, ..*sum };
    Ok(Answer::new(answer.shape(), answer.sums().iter().zip(slack).map(widened).collect()))
}

fn map(tensor: &Tensor, value: impl Fn(f32) -> f32) -> Tensor {
    Tensor::trusted(tensor.shape(), tensor.data().iter().copied().map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_with_ties_to_even() {
        let rows: [(f32, f32); 12] = [
            (0.0, 0.0),
            (2048.0, 2048.0),
            (2049.0, 2048.0),
            (2051.0, 2052.0),
            (65_519.0, 65_504.0),
            (65_520.0, f32::INFINITY),
            (f32::INFINITY, f32::INFINITY),
            (1.0 + 1.0 / 2048.0, 1.0),
            (1.0 + 3.0 / 2048.0, 1.0 + 1.0 / 512.0),
            // Subnormal: steps of 2^-24.
            (2.0_f32.powi(-24), 2.0_f32.powi(-24)),
            (2.0_f32.powi(-25), 0.0),
            (2.0_f32.powi(-25) * 1.5, 2.0_f32.powi(-24)),
        ];
        for (value, expected) in rows {
            assert_eq!((half(value), half(-value)), (expected, -expected), "{value}");
        }
        assert!(half(f32::NAN).is_nan());
    }

    #[test]
    fn a_device_may_take_either_neighbour() {
        assert_eq!(half_spread(7.0), 0.0);
        assert!(half_spread(1.0 + 1.0 / 4096.0) >= 1.0 / 1024.0);
        assert!(half_spread(2.0_f32.powi(-20)) >= 2.0_f32.powi(-20));
    }
}
