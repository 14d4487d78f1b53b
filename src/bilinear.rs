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
