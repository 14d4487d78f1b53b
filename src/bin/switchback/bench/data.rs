//! Seeded operands: never zero, never all alike, the same in every run.

use switchback::{Result, Shape, Tensor};

/// Values in 0.0625 to 1 with either sign, a multiple of 2^-24.
///
/// Zeros and constants would let a device run faster than on real data, and hide a dropped term.
pub(super) fn tensor(shape: Shape, seed: u64) -> Result<Tensor> {
    // The 64-bit linear congruential generator of Knuth's MMIX; its high bits are used.
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    Tensor::from_fn(shape, |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let size = 0.0625 + 0.9375 * ((state >> 41) as f32 / (1 << 23) as f32);
        if state >> 40 & 1 == 0 { size } else { -size }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn values_are_seeded_and_neither_zero_nor_alike() {
        let shape = Shape::from([1, 2, 50, 50]);
        let first = tensor(shape, 1).unwrap();
        assert_eq!(first, tensor(shape, 1).unwrap());
        assert_ne!(first, tensor(shape, 2).unwrap());
        assert!(first.data().iter().all(|v| (0.0625..=1.0).contains(&v.abs())));
        let positive = first.data().iter().filter(|v| **v > 0.0).count();
        assert!((2300..2700).contains(&positive), "{positive} of 5000");
        let mut bits: Vec<u32> = first.data().iter().map(|v| v.to_bits()).collect();
        bits.sort_unstable();
        bits.dedup();
        assert!(bits.len() > 4900);
    }
}
