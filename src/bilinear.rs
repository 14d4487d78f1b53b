//! Bilinear kernels for upsampling by transposed convolution.

use crate::error::Result;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The one-dimensional bilinear filter of `kernel` taps: `1 - |i - centre| / f` with `f = floor((kernel + 1) / 2)` and
/// `centre = f - 1` for an odd kernel, `f - 0.5` for an even one (`fcn.berkeleyvision.org`'s `surgery.py`).
///
/// With `kernel = 2 * stride` the taps that reach one output cell sum to 1.
#[must_use]
pub fn bilinear_filter(kernel: usize) -> Vec<f64> {
    let f = kernel.div_ceil(2) as f64;
    let centre = if kernel % 2 == 1 { f - 1.0 } else { f - 0.5 };
    (0..kernel).map(|i| 1.0 - (i as f64 - centre).abs() / f).collect()
}

/// The weight `channels x channels x kernel x kernel` of a [`crate::ConvTranspose2d`] that upsamples each channel
/// bilinearly on its own: the filter's outer product on the channel diagonal, zero elsewhere.
///
/// # Errors
/// [`crate::Error::Operand`] if it is empty or too large.
pub fn bilinear_weight(channels: usize, kernel: usize) -> Result<Tensor> {
    let shape = Shape::from([channels, channels, kernel, kernel]);
    shape.check("bilinear", "weight")?;
    let filter = bilinear_filter(kernel);
    let tap = |[i, o, y, x]: [usize; 4]| if i == o { (filter[y] * filter[x]) as f32 } else { 0.0 };
    Tensor::from_fn(shape, tap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_the_published_sizes() {
        let rows: [(usize, &[f64]); 6] = [
            (1, &[1.0]),
            (2, &[0.5, 0.5]),
            (3, &[0.5, 1.0, 0.5]),
            (4, &[0.25, 0.75, 0.75, 0.25]),
            (8, &[0.125, 0.375, 0.625, 0.875, 0.875, 0.625, 0.375, 0.125]),
            (16, &[1., 3., 5., 7., 9., 11., 13., 15., 15., 13., 11., 9., 7., 5., 3., 1.].map(|n| n / 16.0)),
        ];
        for (kernel, filter) in rows {
            assert_eq!(bilinear_filter(kernel), filter, "{kernel} taps");
        }
        let thirds = bilinear_filter(5);
        let expected = [1.0 / 3.0, 2.0 / 3.0, 1.0, 2.0 / 3.0, 1.0 / 3.0];
        assert!(thirds.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15), "{thirds:?}");
        let alexnet = bilinear_filter(63);
        assert_eq!((alexnet[31], alexnet.iter().sum::<f64>()), (1.0, 32.0));
    }

    /// Kernel twice the stride: the two taps that reach a cell, one stride apart, share out its weight.
    #[test]
    fn filters_are_a_partition_of_unity() {
        for stride in [1, 2, 4, 8, 16, 32] {
            let filter = bilinear_filter(2 * stride);
            assert!((0..stride).all(|tap| filter[tap] + filter[tap + stride] == 1.0), "stride {stride}");
        }
    }

    #[test]
    fn weights_lie_on_the_channel_diagonal() -> Result<()> {
        let weight = bilinear_weight(3, 4)?;
        assert_eq!(weight.shape(), Shape::from([3, 3, 4, 4]));
        let plane = [1., 3., 3., 1., 3., 9., 9., 3., 3., 9., 9., 3., 1., 3., 3., 1.].map(|n| n / 16.0_f32);
        for (position, found) in weight.data().chunks_exact(16).enumerate() {
            assert_eq!(found, if position % 4 == 0 { plane } else { [0.0; 16] }, "plane {position}");
        }
        Ok(())
    }

    #[test]
    fn impossible_weights_are_refused_before_anything_is_allocated() {
        for (channels, kernel) in [(0, 4), (3, 0), (1, usize::MAX), (usize::MAX, 1), (1 << 10, 1 << 10)] {
            assert!(bilinear_weight(channels, kernel).is_err(), "{channels} channels, {kernel} taps");
        }
    }
}
