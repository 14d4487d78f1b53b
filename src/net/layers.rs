//! The sixteen convolutions that VGG16 and every FCN on it have in common, with widths taken from their weights.

use crate::shape::Shape;
use crate::weights::Weights;

/// Number of convolutions: thirteen in five stages, two that were fully connected, and the class scores.
pub(super) const LAYERS: usize = 16;
/// Number of the convolutions before what was fully connected.
pub(super) const ENCODER: usize = 13;
/// Convolutions of each stage; a 2x2 pooling follows each.
pub(super) const STAGES: [usize; 5] = [2, 2, 3, 3, 3];
/// Position of the first layer that was fully connected.
pub(super) const FC6: usize = ENCODER;
/// Position of the second.
pub(super) const FC7: usize = 14;
/// Position of the class scores.
pub(super) const SCORE: usize = 15;

/// Output channels as published; the class scores' are the caller's.
pub(super) const PUBLISHED: [usize; SCORE] =
    [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512, 4096, 4096];

/// Shape of a layer's weight, if it is there with a rank that a layer can have.
pub(super) fn operand(weights: &Weights, layer: &str) -> Option<Shape> {
    weights.get(&format!("{layer}.weight"))?.operand_shape()
}

/// Channels and kernels of the sixteen convolutions.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) input_channels: usize,
    /// Output channels of each layer.
    pub(super) widths: [usize; LAYERS],
    /// Rows and columns of the kernel that was a fully connected layer.
    pub(super) fc6_kernel: usize,
}

impl Layers {
    /// As published, over three channels.
    pub(super) fn published(classes: usize) -> Self {
        let mut widths = [classes; LAYERS];
        widths[..SCORE].copy_from_slice(&PUBLISHED);
        Self { input_channels: 3, widths, fc6_kernel: 7 }
    }

    /// The widths that `weights` have under these layer `names`; as published where a layer is missing or has another
    /// rank, which a comparison with [`Layers::required`] then shows.
    pub(super) fn read(names: &[&str; LAYERS], weights: &Weights, classes: usize) -> Self {
        let mut layers = Self::published(classes);
        let found = |layer: &str| operand(weights, layer);
        for (width, name) in layers.widths.iter_mut().zip(names) {
            *width = found(name).map_or(*width, |shape| shape.n);
        }
        layers.input_channels = found(names[0]).map_or(layers.input_channels, |shape| shape.c);
        layers.fc6_kernel = found(names[FC6]).map_or(layers.fc6_kernel, |shape| shape.h);
        layers
    }

    /// Divides every width but the classes' and the input's, down to 1 at least.
    pub(super) fn slim(&mut self, divisor: usize) {
        for width in &mut self.widths[..SCORE] {
            *width = width.checked_div(divisor).unwrap_or(*width).max(1);
        }
    }

    /// Names and shapes of all weights and biases.
    pub(super) fn required(&self, names: &[&str; LAYERS]) -> Vec<(String, Shape)> {
        let mut required = Vec::with_capacity(2 * LAYERS);
        let mut channels = self.input_channels;
        for (layer, (name, &width)) in names.iter().zip(&self.widths).enumerate() {
            let kernel = match layer {
                ..FC6 => 3,
                FC6 => self.fc6_kernel,
                _ => 1,
            };
            required.push((format!("{name}.weight"), Shape { n: width, c: channels, h: kernel, w: kernel }));
            required.push((format!("{name}.bias"), Shape::vector(width)));
            channels = width;
        }
        required
    }
}
