//! Median, minimum and spread of repeated measurements.

/// Figures of some samples, in their unit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Statistics {
    /// The middle sample; of an even number the mean of the two in the middle.
    pub(super) median: f64,
    /// The smallest sample.
    pub(super) min: f64,
    /// Median absolute deviation from the median: a spread that a few disturbed samples do not move.
    pub(super) mad: f64,
    /// How many there were.
    pub(super) samples: usize,
}

impl Statistics {
    /// Of these samples; `None` if there are none or one is not finite.
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        if samples.iter().any(|sample| !sample.is_finite()) {
            return None;
        }
        let middle = median(samples)?;
        let deviations: Vec<f64> = samples.iter().map(|sample| (sample - middle).abs()).collect();
        let min = samples.iter().copied().fold(f64::INFINITY, f64::min);
        Some(Self { median: middle, min, mad: median(&deviations)?, samples: samples.len() })
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_and_even_counts() {
        let odd = Statistics::of(&[3.0, 1.0, 10.0]);
        assert_eq!(odd, Some(Statistics { median: 3.0, min: 1.0, mad: 2.0, samples: 3 }));
        let even = Statistics::of(&[4.0, 1.0, 2.0, 8.0]);
        assert_eq!(even, Some(Statistics { median: 3.0, min: 1.0, mad: 1.5, samples: 4 }));
        let one = Statistics::of(&[5.0]);
        assert_eq!(one, Some(Statistics { median: 5.0, min: 5.0, mad: 0.0, samples: 1 }));
    }

    #[test]
    fn an_outlier_moves_neither_median_nor_spread() {
        let calm = Statistics::of(&[10.0, 11.0, 12.0, 13.0, 14.0]);
        let disturbed = Statistics::of(&[10.0, 11.0, 12.0, 13.0, 9999.0]);
        assert_eq!(calm.map(|s| (s.median, s.mad)), disturbed.map(|s| (s.median, s.mad)));
    }

    #[test]
    fn nothing_comes_of_nothing_or_of_nan() {
        assert_eq!(Statistics::of(&[]), None);
        assert_eq!(Statistics::of(&[1.0, f64::NAN]), None);
        assert_eq!(Statistics::of(&[f64::INFINITY]), None);
    }
}
