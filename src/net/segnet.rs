//! SegNet (Badrinarayanan, Kendall and Cipolla, *SegNet: a deep convolutional encoder-decoder architecture for image
//! segmentation*, 2017) and SegNet-Basic, as in the repository `alexgkendall/SegNet-Tutorial`.

mod basic;

pub use basic::SegNetBasic;

use super::Segmentation;
use super::layers::{ENCODER, STAGES, operand};
use super::norm::Norm;
use crate::error::Result;
use crate::graph::{Edge, GraphBuilder};
use crate::op::{Conv2d, MaxPool2d, Normalize, Rounding};
use crate::shape::Shape;
use crate::weights::{Weights, vgg};

/// What both networks pool with; the decoder unpools with its switches.
const POOL: MaxPool2d = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);

/// An encoder of VGG16's thirteen convolutions and a decoder that mirrors it, from poolings back through their switches:
/// scores for each class at every pixel of an image of any size.
///
/// Weights have Caffe's names: `conv1_1.weight`, `conv1_1.bias` ... `conv5_3`, `conv5_3_D` ... `conv1_1_D`, and for each
/// but the last a batch norm (`conv1_1_bn`) as `.scale` and `.shift`, as `.weight`, `.bias`, `.running_mean` and
/// `.running_var`, or not at all where the convolutions hold it already.
///
/// ```
/// use switchback::net::{SegNet, Segmentation};
/// let graph = SegNet::published(11).graph([1, 3, 360, 480].into())?;
/// assert_eq!(graph.cost().parameters, 29_449_355);
/// // As it runs, with the batch norms as part of the convolutions.
/// assert_eq!(graph.fold().graph().cost().macs, 106_712_432_640);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SegNet {
    input_channels: usize,
    /// Output channels of the encoder's layers.
    encoder: [usize; ENCODER],
    /// Output channels of the decoder's layers, each at the place of the encoder's that it mirrors.
    decoder: [usize; ENCODER],
    norm: Norm,
    preprocessing: Normalize,
}

impl SegNet {
    /// The full-size network of the paper with so many classes (11 for CamVid), batch norms as scale and shift: 29.4
    /// million parameters.
    #[must_use]
    pub fn published(classes: usize) -> Self {
        let mut encoder = [0; ENCODER];
        encoder.copy_from_slice(&super::layers::PUBLISHED[..ENCODER]);
        let mut decoder = [classes; ENCODER];
        decoder[1..].copy_from_slice(&encoder[..ENCODER - 1]);
        let (norm, preprocessing) = (Norm::FactorAndShift, Normalize::RAW_BGR);
        Self { input_channels: 3, encoder, decoder, norm, preprocessing }
    }

    /// The network that `weights` are for: channel widths, classes and the form of the batch norms come from them.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] that lists each missing, misshapen and unexpected tensor, with what was expected and found.
    pub fn from_weights(weights: &Weights) -> Result<Self> {
        let mut segnet = Self::published(11);
        let found = |name: String| operand(weights, &name);
        for layer in 0..ENCODER {
            segnet.encoder[layer] = found(encoder_name(layer)).map_or(segnet.encoder[layer], |shape| shape.n);
            segnet.decoder[layer] = found(decoder_name(layer)).map_or(segnet.decoder[layer], |shape| shape.n);
        }
        for layer in (1..ENCODER).filter(|&layer| stage_begins(layer)) {
            // What goes back through the switches of a pooling has to have its channels.
            segnet.decoder[layer] = segnet.encoder[layer - 1];
        }
        segnet.input_channels = found(encoder_name(0)).map_or(segnet.input_channels, |shape| shape.c);
        let names = (0..ENCODER).flat_map(|layer| [encoder_name(layer), decoder_name(layer)]);
        segnet.norm = Norm::read(names.map(|name| norm_name(&name)), weights);
        weights.check(segnet.title(), segnet.weights_required())?;
        Ok(segnet)
    }

    /// A slim network: every width but the classes' and the input's divided by `divisor`, at least 1.
    #[must_use]
    pub fn slimmed(mut self, divisor: usize) -> Self {
        for width in self.encoder.iter_mut().chain(&mut self.decoder[1..]) {
            *width = width.checked_div(divisor).unwrap_or(*width).max(1);
        }
        self
    }

    /// Sets what happens to an image first; [`Normalize::RAW_BGR`] unless told otherwise.
    #[must_use]
    pub fn preprocessed(mut self, preprocessing: Normalize) -> Self {
        self.preprocessing = preprocessing;
        self
    }

    /// Sets the epsilon of batch norms that are held as statistics; 1e-5, PyTorch's, unless told otherwise.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.norm = self.norm.epsilon(epsilon);
        self
    }

    /// The layers of the encoder, then those of the decoder, in the order of the computation: names and output channels.
    fn layers(&self) -> impl Iterator<Item = (String, usize)> {
        let encoder = (0..ENCODER).map(|layer| (encoder_name(layer), self.encoder[layer]));
        encoder.chain((0..ENCODER).rev().map(|layer| (decoder_name(layer), self.decoder[layer])))
    }

    /// A convolution, its batch norm and its ReLU.
    fn block(&self, g: &mut GraphBuilder, name: &str, x: Edge, width: usize) -> Result<Edge> {
        let x = g.conv2d(name, x, conv(), width)?;
        let x = self.norm.add(g, &norm_name(name), x)?;
        g.relu(&name.replace("conv", "relu"), x)
    }
}

impl Segmentation for SegNet {
    fn title(&self) -> &'static str {
        "SegNet"
    }

    fn classes(&self) -> usize {
        self.decoder[0]
    }

    fn input_channels(&self) -> usize {
        self.input_channels
    }

    fn preprocessing(&self) -> Normalize {
        self.preprocessing
    }

    fn scores_name(&self) -> &'static str {
        "conv1_1_D"
    }

    fn weights_required(&self) -> Vec<(String, Shape)> {
        let mut required = Vec::new();
        let mut channels = self.input_channels;
        for (name, width) in self.layers() {
            required.push((format!("{name}.weight"), Shape { n: width, c: channels, h: 3, w: 3 }));
            required.push((format!("{name}.bias"), Shape::vector(width)));
            if name != self.scores_name() {
                self.norm.require(&norm_name(&name), width, &mut required);
            }
            channels = width;
        }
        required
    }

    fn add_scores(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge> {
        let (mut x, mut layer, mut switches) = (data, 0, Vec::new());
        for (stage, convolutions) in STAGES.into_iter().enumerate() {
            for _ in 0..convolutions {
                x = self.block(g, &encoder_name(layer), x, self.encoder[layer])?;
                layer += 1;
            }
            let (pooled, from) = g.max_pool2d_switches(&format!("pool{}", stage + 1), x, POOL)?;
            switches.push(from);
            x = pooled;
        }
        for (stage, convolutions) in STAGES.into_iter().enumerate().rev() {
            x = g.max_unpool2d(&format!("upsample{}", stage + 1), x, switches[stage])?;
            for _ in 0..convolutions {
                layer -= 1;
                let (name, width) = (decoder_name(layer), self.decoder[layer]);
                x = match layer {
                    0 => g.conv2d(&name, x, conv(), width)?,
                    _ => self.block(g, &name, x, width)?,
                };
            }
        }
        Ok(x)
    }
}

fn conv() -> Conv2d {
    Conv2d::new([3, 3]).pad(1)
}

fn encoder_name(layer: usize) -> String {
    vgg::LAYERS[layer].0.to_owned()
}

fn decoder_name(layer: usize) -> String {
    format!("{}_D", vgg::LAYERS[layer].0)
}

fn norm_name(conv: &str) -> String {
    format!("{conv}_bn")
}

/// Whether a layer is the first of the encoder after a pooling, and so its mirror the last of the decoder before one is
/// undone.
fn stage_begins(layer: usize) -> bool {
    vgg::LAYERS[layer].0.ends_with("_1")
}
