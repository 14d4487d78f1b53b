//! Sums of products in f64, with or without what bounds their f32 rounding.

/// A sum `b + x1*w1 + ... + xK*wK` and what bounds its rounding when f32 computes it in any order.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Sum {
    /// The sum.
    pub value: f64,
    /// `|b| + |x1*w1| + ... + |xK*wK|`.
    pub magnitude: f64,
    /// `K`.
    pub terms: u32,
    /// What rounding the operands or the result to f16 may add: zero where everything is f32.
    pub slack: f64,
}

impl Sum {
    /// `bias + x1*w1 + ...` of the given pairs.
    pub(super) fn of<const K: usize>(bias: f32, products: [(f32, f32); K]) -> Self {
        let mut sum = Self::start(bias);
        products.into_iter().for_each(|(x, w)| sum.add_product(x, w));
        sum
    }

    /// How far an f32 result may be from the value: `1.01 (K + 2) u m + K t`, and the slack, with `u = 2^-24` the unit
    /// roundoff and `t = 2^-126` the smallest normal number.
    ///
    /// K products and K additions, the bias's among them, are at most `K + 1` roundings on the way of any one term, so
    /// the error is at most `((1 + u)^(K+1) - 1) m`, which is below `1.01 (K + 1) u m` for all `K u < 0.01` (Higham,
    /// *Accuracy and Stability of Numerical Algorithms*, lemma 3.1); one more `u m` pays for a rounding of the f64 value.
    /// WGSL lets a device flush subnormal products to zero, at a cost of `t` each.
    #[must_use]
    pub fn bound(&self) -> f64 {
        let unit_roundoff = f64::from(f32::EPSILON) / 2.0;
        let terms = f64::from(self.terms);
        1.01 * (terms + 2.0) * unit_roundoff * self.magnitude + terms * f64::from(f32::MIN_POSITIVE) + self.slack
    }
}

/// What a loop over products adds up: a bare f64, or a [`Sum`] for three times the work.
pub(super) trait Accumulate: Copy + Default {
    /// A sum of no products yet.
    fn start(bias: f32) -> Self;
    /// Adds one product; the product of two f32 is exact in f64.
    fn add_product(&mut self, x: f32, w: f32);
    /// Negative values become zero; a NaN stays a NaN. The bound stands, since ReLU brings no two numbers further apart.
    fn relu(&mut self);
}

impl Accumulate for f64 {
    fn start(bias: f32) -> Self {
        bias.into()
    }

    fn add_product(&mut self, x: f32, w: f32) {
        *self += Self::from(x) * Self::from(w);
    }

    fn relu(&mut self) {
        if *self < 0.0 {
            *self = 0.0;
        }
    }
}

impl Accumulate for Sum {
    fn start(bias: f32) -> Self {
        Self { value: bias.into(), magnitude: bias.abs().into(), terms: 0, slack: 0.0 }
    }

    fn add_product(&mut self, x: f32, w: f32) {
        let product = f64::from(x) * f64::from(w);
        self.value += product;
        self.magnitude += product.abs();
        self.terms += 1;
    }

    fn relu(&mut self) {
        self.value.relu();
    }
}
