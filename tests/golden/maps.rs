//! Maps of PyTorch's, and how far ours may stray from them.

use serde::Deserialize;
use switchback::Tensor;

use crate::file::File;

/// From the image's bytes to a network's input.
#[derive(Deserialize, Clone)]
pub(crate) struct Preprocessing {
    order: String,
    mean: [f64; 3],
    scale: [f64; 3],
}

/// What the index says about a map.
#[derive(Deserialize)]
pub(crate) struct About {
    /// How far PyTorch's own f32 pass strayed, up to a power of two.
    pub(crate) f32_error: f64,
}

impl Preprocessing {
    /// The input of a run over one or several images: `(byte - mean) scale` in f64, rounded once.
    pub(crate) fn input(&self, file: &File) -> Tensor {
        let (shape, bytes) = file.bytes("image");
        let [n, h, w, 3] = *shape else { panic!("{shape:?}") };
        Tensor::from_fn([n, 3, h, w], |[n, c, y, x]| {
            let channel = if self.order == "bgr" { 2 - c } else { c };
            let byte = f64::from(bytes[((n * h + y) * w + x) * 3 + channel]);
            ((byte - self.mean[c]) * self.scale[c]) as f32
        })
        .unwrap()
    }
}

/// How far `found` strays from `expected` at most, in multiples of `error`; refuses more than `leeway`.
pub(crate) fn strays(expected: &Tensor, found: &Tensor, error: f64, leeway: f64) -> Result<f64, String> {
    if expected.shape() != found.shape() {
        return Err(format!("{} for {}", found.shape(), expected.shape()));
    }
    let mut worst = 0.0_f64;
    for (position, (&found, &expected)) in found.data().iter().zip(expected.data()).enumerate() {
        let difference = (f64::from(found) - f64::from(expected)).abs();
        let sound = difference <= leeway * error;
        if !sound {
            let times = difference / error;
            return Err(format!("{found} for {expected} at {position}, {times} times f32's own error"));
        }
        worst = worst.max(if error > 0.0 { difference / error } else { 0.0 });
    }
    Ok(worst)
}
