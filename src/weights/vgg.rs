//! VGG16's weights under torchvision's names, as the starting point of fully convolutional networks.
//!
//! A fully connected layer over `C x k x k` maps is a convolution with a `k x k` kernel that happens to be applied once;
//! over a larger image the same convolution gives a map (Long, Shelhamer and Darrell 2015, section 3.1). Torchvision
//! flattens in the order channel, row, column, so that the weights need a reshape and no transposition. Files whose
//! network flattened channels last (TensorFlow's) would need one, and cannot be told apart by their shapes.
//!
//! Names say nothing about preprocessing. FCN was trained from the Caffe model's weights, which want BGR from 0 to 255
//! less the mean ([`crate::Normalize::CAFFE`]); pytorch-fcn's `vgg16_from_caffe` holds those under torchvision's names.
//! Torchvision's own weights want RGB with [`crate::Normalize::TORCHVISION`]; mixed up, both run and label badly.

use super::{Entry, Weights};
use crate::error::{Error, Result};

/// The convolutions that FCN takes over, first to last: Caffe's name (and pytorch-fcn's), and torchvision's.
pub const LAYERS: [(&str, &str); 15] = [
    ("conv1_1", "features.0"),
    ("conv1_2", "features.2"),
    ("conv2_1", "features.5"),
    ("conv2_2", "features.7"),
    ("conv3_1", "features.10"),
    ("conv3_2", "features.12"),
    ("conv3_3", "features.14"),
    ("conv4_1", "features.17"),
    ("conv4_2", "features.19"),
    ("conv4_3", "features.21"),
    ("conv5_1", "features.24"),
    ("conv5_2", "features.26"),
    ("conv5_3", "features.28"),
    ("fc6", "classifier.0"),
    ("fc7", "classifier.3"),
];

/// The last layer: class scores of the whole image, which FCN replaces by its own.
pub const CLASSIFIER: &str = "classifier.6";

/// Name of the last layer in Caffe's model; FCN has none of that name.
const CAFFES_CLASSIFIER: &str = "fc8";

/// Whether these are the weights of Caffe's own model: `conv1_1` ... `fc7`, `fc8`. They want [`crate::Normalize::CAFFE`].
#[must_use]
pub fn has_caffe_names(weights: &Weights) -> bool {
    weights.get(&format!("{CAFFES_CLASSIFIER}.weight")).is_some()
}

/// The weights of Caffe's own model under torchvision's names; others stay as they are. Caffe flattens in the order channel,
/// row, column too, so that nothing is transposed. Values are shared with `weights`, not copied.
///
/// # Errors
/// None that weights can cause.
pub fn torchvision_names(weights: &Weights) -> Result<Weights> {
    let mut renamed = weights.clone();
    if !has_caffe_names(weights) {
        return Ok(renamed);
    }
    for (caffe, torchvision) in LAYERS.into_iter().chain([(CAFFES_CLASSIFIER, CLASSIFIER)]) {
        for part in ["weight", "bias"] {
            let from = format!("{caffe}.{part}");
            if renamed.get(&from).is_some() {
                renamed.rename(&from, format!("{torchvision}.{part}"))?;
            }
        }
    }
    Ok(renamed)
}

/// The weights with the three fully connected layers as convolutions, still under torchvision's names: `classifier.0`
/// becomes `O x C x k x k` over the `C` channels of `features.28`, `classifier.3` and `classifier.6` `O x I x 1 x 1`.
/// Layers that are convolutions already stay as they are, and none is asked for. Values are shared with `weights`, not copied.
///
/// # Errors
/// [`Error::Weights`] if `features.28` is missing, or `classifier.0` has no square kernel over its channels.
pub fn fully_convolutional(weights: &Weights) -> Result<Weights> {
    let mut convolutional = weights.clone();
    let channels = weights.shape("features.28.weight")?.n;
    for (layer, inputs_are_maps) in [("classifier.0", true), ("classifier.3", false), (CLASSIFIER, false)] {
        let name = format!("{layer}.weight");
        let Some(&[outputs, columns]) = weights.get(&name).map(Entry::shape) else { continue };
        let shape = if inputs_are_maps {
            let Some(kernel) = square_root(columns, channels) else {
                let expected = format!("{channels} x k x k columns for the channels of `features.28`");
                return Err(Error::Weights(format!("`{name}` is {outputs}x{columns}, expected {expected}")));
            };
            [outputs, channels, kernel, kernel]
        } else {
            [outputs, columns, 1, 1]
        };
        convolutional.reshape(&name, &shape)?;
    }
    Ok(convolutional)
}

/// What FCN takes over: the convolutions up to `fc7` under Caffe's names, without the class scores. `weights` have
/// torchvision's names or those of Caffe's model; values are shared with them, not copied.
///
/// # Errors
/// As [`fully_convolutional`], and [`Error::Weights`] for any layer that is missing.
pub fn backbone(weights: &Weights) -> Result<Weights> {
    let mut backbone = fully_convolutional(&torchvision_names(weights)?)?;
    for (caffe, torchvision) in LAYERS {
        for part in ["weight", "bias"] {
            backbone.rename(&format!("{torchvision}.{part}"), format!("{caffe}.{part}"))?;
        }
    }
    for part in ["weight", "bias"] {
        backbone.remove(&format!("{CLASSIFIER}.{part}"));
    }
    Ok(backbone)
}

/// The `k` with `columns = channels * k * k`.
fn square_root(columns: usize, channels: usize) -> Option<usize> {
    let cells = columns.checked_div(channels).filter(|cells| cells * channels == columns)?;
    let root = cells.isqrt();
    (root > 0 && root * root == cells).then_some(root)
}
