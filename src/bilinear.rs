//! Bilinear kernels for upsampling by transposed convolution.

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;

const OP: &str = "bilinear_weight";

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

/// The weight of a [`crate::ConvTranspose2d`] that upsamples each channel bilinearly on its own: the outer product of two
/// filters, on the channel diagonal of a dense weight `C x C x kh x kw` or in each plane of a grouped one `C x 1 x kh x kw`
/// (with as many groups as channels), and zero elsewhere.
///
/// # Errors
/// [`Error::Operand`] for any other shape, and for one that is empty or too large.
pub fn bilinear_weight(shape: impl Into<Shape>) -> Result<Tensor> {
    let shape = shape.into();
    shape.check(OP, "weight")?;
    if shape.c != shape.n && shape.c != 1 {
        let expected = "as many output as input channels, or one (with groups)";
        return Err(Error::operand(OP, "weight", expected, shape));
    }
    let (rows, columns) = (bilinear_filter(shape.h), bilinear_filter(shape.w));
    let on_diagonal = |i, o| i == o || shape.c == 1;
    Tensor::from_fn(shape, |[i, o, y, x]| if on_diagonal(i, o) { (rows[y] * columns[x]) as f32 } else { 0.0 })
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
        let plane = [1., 3., 3., 1., 3., 9., 9., 3., 3., 9., 9., 3., 1., 3., 3., 1.].map(|n| n / 16.0_f32);
        for (position, found) in bilinear_weight([3, 3, 4, 4])?.data().chunks_exact(16).enumerate() {
            assert_eq!(found, if position % 4 == 0 { plane } else { [0.0; 16] }, "plane {position}");
        }
        assert!(bilinear_weight([3, 1, 4, 4])?.data().chunks_exact(16).all(|found| found == plane));
        assert_eq!(bilinear_weight([1, 1, 1, 4])?.data(), [0.25, 0.75, 0.75, 0.25]);
        Ok(())
    }

    #[test]
    fn other_weights_are_refused_before_anything_is_allocated() {
        let huge = usize::MAX;
        for shape in
            [[0, 0, 4, 4], [3, 3, 0, 4], [1, 1, huge, 1], [huge, huge, 1, 1], [1 << 12, 1 << 12, 16, 16], [4, 2, 4, 4]]
        {
            assert!(bilinear_weight(shape).is_err(), "{shape:?}");
        }
    }
}
