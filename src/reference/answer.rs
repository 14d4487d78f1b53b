//! What the reference answers, and the comparison that everything else is held to.

use std::fmt;

use super::Sum;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// An operator's result in f64, with the bound within which an f32 result is right.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    shape: Shape,
    sums: Vec<Sum>,
}

impl Answer {
    /// Pairs a shape with its elements in NCHW order; the operators of this module see to it that they fit.
    pub(super) fn new(shape: Shape, sums: Vec<Sum>) -> Self {
        debug_assert_eq!(shape.elements(), sums.len());
        Self { shape, sums }
    }

    /// Its extents.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Its elements in NCHW order.
    #[must_use]
    pub fn sums(&self) -> &[Sum] {
        &self.sums
    }

    /// The values, rounded to f32.
    #[must_use]
    pub fn tensor(&self) -> Tensor {
        round(self.shape, self.sums.iter().map(|sum| sum.value))
    }

    /// The same values without tolerance: for operands whose sums f32 holds exactly, such as small integers, among which a
    /// term too few or too many could be smaller than the bound on rounding.
    #[must_use]
    pub fn exact(&self) -> Self {
        Self::from(&self.tensor())
    }

    /// The same values, kept in f16 afterwards: to a bound `e` comes what the rounding of anything within it may add, at most
    /// `2^-10 (|value| + e)` by a conversion that takes either neighbour, or `2^-14` where a device takes what is smaller for
    /// zero. Nothing comes to a value without a bound that f16 holds exactly.
    #[must_use]
    pub fn in_half(mut self) -> Self {
        for sum in &mut self.sums {
            let bound = sum.bound();
            let exact = bound == 0.0 && super::half::half_spread(sum.value as f32) == 0.0;
            if !exact {
                sum.slack += ((sum.value.abs() + bound) / 1024.0).max(1.0 / 16_384.0);
            }
        }
        self
    }

    /// Whether `found` has the same shape and every element within its bound ([`Answer::check`] tells what differs).
    #[must_use]
    pub fn matches(&self, found: &Tensor) -> bool {
        self.check(found).is_ok()
    }

    /// Compares every element of `found`: a number must lie within [`Sum::bound`] of the value; where the value is a NaN
    /// or, as f32, infinite, `found` must be the same.
    ///
    /// # Errors
    /// The [`Mismatch`], which displays the worst element.
    pub fn check(&self, found: &Tensor) -> Result<(), Mismatch> {
        if found.shape() != self.shape {
            return Err(Mismatch::Shape { expected: self.shape, found: found.shape() });
        }
        let mut count = 0;
        let mut worst: Option<(f64, usize)> = None;
        for (position, (sum, &found)) in self.sums.iter().zip(found.data()).enumerate() {
            if let Some(excess) = excess(sum, found) {
                count += 1;
                if worst.is_none_or(|(most, _)| excess > most) {
                    worst = Some((excess, position));
                }
            }
        }
        worst.map_or(Ok(()), |(_, position)| {
            let Sum { value, .. } = self.sums[position];
            let index = self.shape.position(position);
            let bound = self.sums[position].bound();
            Err(Mismatch::Elements { count, index, expected: value, found: found.data()[position], bound })
        })
    }
}

/// An answer without tolerance, for results that are only moved: everything must be equal, a NaN to a NaN.
impl From<&Tensor> for Answer {
    fn from(tensor: &Tensor) -> Self {
        let exact = |&value: &f32| Sum { value: f64::from(value), magnitude: 0.0, terms: 0, slack: 0.0 };
        Self { shape: tensor.shape(), sums: tensor.data().iter().map(exact).collect() }
    }
}

/// `None` if `found` is right, otherwise how many bounds it is off. Acceptance is written positively, so that a NaN, for
/// which every comparison is false, is refused.
fn excess(sum: &Sum, found: f32) -> Option<f64> {
    let rounded = sum.value as f32;
    let difference = (f64::from(found) - sum.value).abs();
    let right = if rounded.is_finite() {
        let bound = sum.bound();
        bound.is_finite() && difference <= bound || found == rounded
    } else {
        found == rounded || found.is_nan() && rounded.is_nan()
    };
    let off = difference / sum.bound().max(f64::MIN_POSITIVE);
    (!right).then_some(if off.is_nan() { f64::INFINITY } else { off })
}

/// f64 values rounded to f32.
pub(super) fn round(shape: Shape, values: impl Iterator<Item = f64>) -> Tensor {
    Tensor::trusted(shape, values.map(|value| value as f32).collect())
}

/// How a result differs from the reference.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mismatch {
    /// Another shape.
    Shape {
        /// The reference's.
        expected: Shape,
        /// The result's.
        found: Shape,
    },
    /// Elements outside their bounds.
    Elements {
        /// How many.
        count: usize,
        /// Which of them is the most bounds away: batch, channel, row, column.
        index: [usize; 4],
        /// The reference's value there.
        expected: f64,
        /// The result's value there.
        found: f32,
        /// How far apart they may be.
        bound: f64,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { expected, found } => write!(f, "shape {found}, expected {expected}"),
            Self::Elements { count, index: [n, c, y, x], expected, found, bound } => write!(
                f,
                "{count} wrong elements, the worst at [{n}, {c}, {y}, {x}]: {found}, expected {expected} within {bound:.3e}"
            ),
        }
    }
}

impl std::error::Error for Mismatch {}
