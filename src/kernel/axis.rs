//! Arithmetic along one axis of a sliding window.

/// Pairs of a position and a tap for which `before <= position * stride + tap * dilation < before + cells`: the taps
/// that a convolution's windows have inside the input (positions are the output's, cells the input's), or those of a
/// transposed one that land inside the output (the other way round).
pub(crate) fn pairs_inside(
    positions: usize,
    stride: usize,
    taps: usize,
    dilation: usize,
    before: usize,
    cells: usize,
) -> u64 {
    // Positions whose window has tap `tap` short of `limit`.
    let short_of =
        |limit: usize, tap: usize| limit.saturating_sub(tap * dilation).div_ceil(stride).min(positions) as u64;
    (0..taps).map(|tap| short_of(before + cells, tap) - short_of(before, tap)).sum()
}

pub(crate) fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The number below `modulus` that times `a` leaves remainder 1 (0 for modulus 1), if `a` shares no factor with it; by
/// Euclid's extended algorithm.
pub(crate) fn inverse_modulo(a: usize, modulus: usize) -> usize {
    let modulus = modulus as i64;
    let (mut previous, mut current) = ((modulus, 0), (a as i64 % modulus, 1));
    while current.0 != 0 {
        let quotient = previous.0 / current.0;
        (previous, current) = (current, (previous.0 - quotient * current.0, previous.1 - quotient * current.1));
    }
    previous.1.rem_euclid(modulus) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_those_counted_one_by_one() {
        for (positions, stride, taps, dilation, before, cells) in
            [(5, 1, 3, 1, 1, 5), (4, 3, 2, 5, 0, 11), (7, 2, 4, 3, 9, 2), (1, 1, 1, 1, 4, 1), (6, 4, 5, 2, 3, 17)]
        {
            let inside =
                |position: usize, tap: usize| (before..before + cells).contains(&(position * stride + tap * dilation));
            let counted = (0..positions).flat_map(|p| (0..taps).map(move |t| (p, t))).filter(|&(p, t)| inside(p, t));
            assert_eq!(pairs_inside(positions, stride, taps, dilation, before, cells), counted.count() as u64);
        }
    }

    #[test]
    fn inverses_invert() {
        for modulus in 1..40 {
            for a in (1..80).filter(|&a| greatest_common_divisor(a, modulus) == 1) {
                let inverse = inverse_modulo(a, modulus);
                assert!(inverse < modulus && a * inverse % modulus == 1 % modulus, "{a} modulo {modulus}");
            }
        }
    }
}
