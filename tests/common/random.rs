//! Seeded test data.

use switchback::{Shape, Tensor};

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers everywhere, for ever.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number of `least..=most`.
    pub(crate) fn integer(&mut self, least: i32, most: i32) -> i32 {
        least + (self.bits() % (most - least + 1) as u64) as i32
    }

    /// Whole numbers of -8..=8. Their products sum without rounding in f32 (up to 2^18 of them), so that results must be
    /// equal bit for bit and a term that is dropped or counted twice cannot hide behind a tolerance.
    pub(crate) fn integers(&mut self, shape: impl Into<Shape>) -> Tensor {
        Tensor::from_fn(shape, |_| self.integer(-8, 8) as f32).unwrap()
    }

    /// The same with a NaN, an infinity, a zero below zero or a subnormal here and there.
    pub(crate) fn specials(&mut self, shape: impl Into<Shape>) -> Tensor {
        const SPECIAL: [f32; 5] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e-40];
        let value = |random: &mut Self| match random.integer(0, 199) {
            special @ 0..5 => SPECIAL[special as usize],
            _ => random.integer(-8, 8) as f32,
        };
        Tensor::from_fn(shape, |_| value(self)).unwrap()
    }

    /// Numbers of -1..1 with full mantissas.
    pub(crate) fn reals(&mut self, shape: impl Into<Shape>) -> Tensor {
        Tensor::from_fn(shape, |_| (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0).unwrap()
    }

    /// Data that pooling gets wrong: planes of few values, so that most maxima are tied; planes of one value; planes of
    /// the lowest finite number, which a careless start value beats; rising and falling planes, where the last or first
    /// cell of every window wins.
    pub(crate) fn ties(&mut self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        Tensor::from_fn(shape, |[n, c, y, x]| match (n * shape.c + c) % 5 {
            0 => self.integer(-2, 1) as f32,
            1 => -3.0,
            2 => [f32::MIN, f32::MIN, f32::MIN, -1.0][(self.bits() % 4) as usize],
            3 => (y * shape.w + x) as f32,
            _ => -((y * shape.w + x) as f32),
        })
        .unwrap()
    }

    /// Bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.bits() as u8).collect()
    }
}
