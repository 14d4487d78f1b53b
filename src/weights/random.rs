//! Seeded random weights: for tests, benchmarks and plans of networks for which there is no file.

use super::{Weights, stored_shape};
use crate::error::Result;
use crate::shape::Shape;

impl Weights {
    /// Random weights for `requirements` (name and operand shape), scaled so that activations neither grow nor fade.
    ///
    /// A weight is uniform within `sqrt(6 / fan_in)` of zero, where `fan_in` counts all axes but the first: the variance
    /// `2 / fan_in` of He et al. 2015 for networks of ReLUs. A name that ends in `.bias`, `.shift` or `.running_mean` is
    /// uniform within 0.1. What multiplies a channel (`.running_var`, `.scale`, a vector that ends in `.weight`) is uniform
    /// between 0.5 and 1.5.
    /// The values of a tensor depend on the seed, its name and its shape alone, not on the other requirements.
    ///
    /// # Errors
    /// [`crate::Error::Operand`] for a shape that is empty or too large.
    pub fn random<N: AsRef<str>>(requirements: impl IntoIterator<Item = (N, Shape)>, seed: u64) -> Result<Self> {
        let mut weights = Self::new();
        for (name, shape) in requirements {
            let name = name.as_ref();
            shape.check("random weights", name)?;
            let (middle, reach) = spread(name, shape);
            let mut random = SplitMix64::new(seed ^ fnv1a(name));
            let mut bytes = Vec::with_capacity(4 * shape.elements());
            for _ in 0..shape.elements() {
                bytes.extend(((middle + random.signed_unit() * reach) as f32).to_le_bytes());
            }
            weights.insert_owned(name.to_owned(), stored_shape(name, shape), bytes);
        }
        Ok(weights)
    }
}

/// The middle of a weight's values, and how far they are from it at most.
fn spread(name: &str, shape: Shape) -> (f64, f64) {
    let is_vector = shape == Shape::vector(shape.c);
    match name.rsplit('.').next() {
        Some("bias" | "shift" | "running_mean") => (0.0, 0.1),
        Some("scale" | "running_var") => (1.0, 0.5),
        Some("weight") if is_vector => (1.0, 0.5),
        _ => (0.0, (6.0 / (shape.c * shape.plane()) as f64).sqrt()),
    }
}

/// SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014): a counter through a mixer.
struct SplitMix64(u64);

impl SplitMix64 {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[-1, 1)`, a multiple of 2^-52.
    fn signed_unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// 64-bit FNV-1a hash, so that each name has its own stream.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// First outputs of the published generator for seed 1234567 (`splitmix64.c` by Vigna).
    #[test]
    fn splitmix64_gives_the_published_sequence() {
        let mut random = SplitMix64::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected, [random.next(), random.next(), random.next()]);
    }

    #[test]
    fn a_tensor_depends_on_its_own_name_only() {
        let shape = Shape::from([4, 3, 3, 3]);
        let alone = Weights::random([("b.weight", shape)], 7).unwrap();
        let together = Weights::random([("a.weight", shape), ("b.weight", shape)], 7).unwrap();
        assert_eq!(alone.tensor("b.weight").unwrap(), together.tensor("b.weight").unwrap());
        assert_ne!(together.tensor("a.weight").unwrap(), together.tensor("b.weight").unwrap());
    }

    #[test]
    fn variance_is_two_over_fan_in() {
        let weights = Weights::random([("w", Shape::from([64, 32, 3, 3]))], 1).unwrap();
        let values = weights.tensor("w").unwrap().into_data();
        let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / values.len() as f64;
        let expected = 2.0 / (32.0 * 9.0);
        assert!((variance / expected - 1.0).abs() < 0.03, "{variance} for {expected}");
    }
}
