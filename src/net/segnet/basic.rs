//! SegNet-Basic: four layers down, four up.

use super::POOL;
use crate::error::Result;
use crate::graph::{Edge, GraphBuilder};
use crate::net::Segmentation;
use crate::net::layers::operand;
use crate::net::norm::Norm;
use crate::op::{Conv2d, LocalResponseNorm, Normalize};
use crate::shape::Shape;
use crate::weights::Weights;

/// Layers of the encoder, and of the decoder.
const LAYERS: usize = 4;
/// Names of the 1x1 convolution that scores: in SegNet-Tutorial's `Models` and in its `Example_Models`.
const CLASSIFIERS: [&str; 2] = ["conv_classifier", "dense_softmax_inner_prod"];

/// The smaller SegNet: local response normalisation, four 7x7 convolutions with poolings, and four back through their
/// switches, without ReLU in the decoder; an image of any size.
///
/// Weights have Caffe's names: `conv1` ... `conv4`, `conv_decode4` ... `conv_decode1`, each with a batch norm (`conv1_bn`)
/// in one of the forms of [`super::SegNet`], then `conv_classifier` or `dense_softmax_inner_prod`.
///
/// ```
/// use switchback::net::{SegNetBasic, Segmentation};
/// let graph = SegNetBasic::published(11).graph([1, 3, 360, 480].into())?;
/// assert_eq!(graph.cost().parameters, 1_416_587);
/// assert_eq!(graph.fold().graph().cost().macs, 59_188_838_400);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SegNetBasic {
    input_channels: usize,
    /// Output channels of `conv1` to `conv4`.
    encoder: [usize; LAYERS],
    /// Output channels of `conv_decode1` to `conv_decode4`.
    decoder: [usize; LAYERS],
    classes: usize,
    classifier: &'static str,
    norm: Norm,
    preprocessing: Normalize,
}

impl SegNetBasic {
    /// The full-size network with so many classes (11 for CamVid), batch norms as scale and shift: 1.4 million parameters.
    #[must_use]
    pub fn published(classes: usize) -> Self {
        Self {
            input_channels: 3,
            encoder: [64; LAYERS],
            decoder: [64; LAYERS],
            classes,
            classifier: CLASSIFIERS[0],
            norm: Norm::FactorAndShift,
            preprocessing: Normalize::RAW_BGR,
        }
    }

    /// The network that `weights` are for: channel widths, classes and the form of the batch norms come from them.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] that lists each missing, misshapen and unexpected tensor, with what was expected and found.
    pub fn from_weights(weights: &Weights) -> Result<Self> {
        let mut basic = Self::published(11);
        let found = |name: &str| operand(weights, name);
        for layer in 0..LAYERS {
            basic.encoder[layer] = found(&encoder_name(layer)).map_or(basic.encoder[layer], |shape| shape.n);
            basic.decoder[layer] = found(&decoder_name(layer)).map_or(basic.decoder[layer], |shape| shape.n);
        }
        // What goes back through the switches of a pooling has to have its channels.
        basic.decoder[1..].copy_from_slice(&basic.encoder[..LAYERS - 1]);
        basic.input_channels = found(&encoder_name(0)).map_or(basic.input_channels, |shape| shape.c);
        let named = CLASSIFIERS.into_iter().find_map(|name| Some((name, found(name)?.n)));
        (basic.classifier, basic.classes) = named.unwrap_or((basic.classifier, basic.classes));
        let names = (0..LAYERS).flat_map(|layer| [encoder_name(layer), decoder_name(layer)]);
        basic.norm = Norm::read(names.map(|name| super::norm_name(&name)), weights);
        weights.check(basic.title(), basic.weights_required())?;
        Ok(basic)
    }

    /// A slim network: every width but the classes' and the input's divided by `divisor`, at least 1.
    #[must_use]
    pub fn slimmed(mut self, divisor: usize) -> Self {
        for width in self.encoder.iter_mut().chain(&mut self.decoder) {
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

    /// A convolution and its batch norm.
    fn block(&self, g: &mut GraphBuilder, name: &str, x: Edge, width: usize) -> Result<Edge> {
        let x = g.conv2d(name, x, Conv2d::new([7, 7]).pad(3), width)?;
        self.norm.add(g, &super::norm_name(name), x)
    }
}

impl Segmentation for SegNetBasic {
    fn title(&self) -> &'static str {
        "SegNet-Basic"
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn input_channels(&self) -> usize {
        self.input_channels
    }

    fn preprocessing(&self) -> Normalize {
        self.preprocessing
    }

    fn scores_name(&self) -> &'static str {
        self.classifier
    }

    fn weights_required(&self) -> Vec<(String, Shape)> {
        let mut required = Vec::new();
        let mut channels = self.input_channels;
        let encoder = (0..LAYERS).map(|layer| (encoder_name(layer), self.encoder[layer]));
        let decoder = (0..LAYERS).rev().map(|layer| (decoder_name(layer), self.decoder[layer]));
        for (name, width) in encoder.chain(decoder) {
            required.push((format!("{name}.weight"), Shape { n: width, c: channels, h: 7, w: 7 }));
            required.push((format!("{name}.bias"), Shape::vector(width)));
            self.norm.require(&super::norm_name(&name), width, &mut required);
            channels = width;
        }
        required.push((format!("{}.weight", self.classifier), Shape { n: self.classes, c: channels, h: 1, w: 1 }));
        required.push((format!("{}.bias", self.classifier), Shape::vector(self.classes)));
        required
    }

    fn add_scores(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge> {
        let mut x = g.local_response_norm("norm", data, LocalResponseNorm::new(5))?;
        let mut switches = Vec::new();
        for layer in 0..LAYERS {
            x = self.block(g, &encoder_name(layer), x, self.encoder[layer])?;
            x = g.relu(&format!("relu{}", layer + 1), x)?;
            let (pooled, from) = g.max_pool2d_switches(&format!("pool{}", layer + 1), x, POOL)?;
            switches.push(from);
            x = pooled;
        }
        for layer in (0..LAYERS).rev() {
            x = g.max_unpool2d(&format!("upsample{}", layer + 1), x, switches[layer])?;
            x = self.block(g, &decoder_name(layer), x, self.decoder[layer])?;
        }
        g.conv2d(self.classifier, x, Conv2d::new([1, 1]), self.classes)
    }
}

fn encoder_name(layer: usize) -> String {
    format!("conv{}", layer + 1)
}

fn decoder_name(layer: usize) -> String {
    format!("conv_decode{}", layer + 1)
}
