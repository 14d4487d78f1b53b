//! FCN-32s on AlexNet (Shelhamer, Long and Darrell 2017), as `voc-fcn-alexnet` in `shelhamer/fcn.berkeleyvision.org`.

use super::Segmentation;
use super::layers::operand;
use super::located::Located;
use crate::error::Result;
use crate::graph::{Edge, GraphBuilder};
use crate::op::{Conv2d, ConvTranspose2d, LocalResponseNorm, MaxPool2d, Normalize, Rounding};
use crate::shape::Shape;
use crate::weights::Weights;

/// Layer names but the upsampling's; the last gives the class scores.
const NAMES: [&str; 8] = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "score_fr"];
/// Kernels of these layers.
const KERNELS: [usize; 8] = [11, 5, 3, 3, 3, 6, 1, 1];
/// Channel groups of these layers: AlexNet ran on two devices.
const GROUPS: [usize; 8] = [1, 2, 1, 2, 2, 1, 1, 1];
/// Position of the class scores.
const SCORE: usize = 7;
/// The upsampling, back to the image in one step.
const UPSCORE: &str = "upscore";
/// Its odd kernel, so that a bilinear filter has a middle.
const UPSCORE_KERNEL: usize = 63;
const UPSCORE_STRIDE: usize = 32;

/// FCN-AlexNet: AlexNet with its fully connected layers as convolutions, and scores for each class at every pixel of an
/// image of any size.
///
/// Weights have Caffe's names: `conv1` ... `conv5`, `fc6`, `fc7`, `score_fr`, and `upscore` (`C x C x 63 x 63`, or one
/// filter a channel).
///
/// ```
/// use switchback::net::{FcnAlexNet, Segmentation};
/// let graph = FcnAlexNet::published(21).graph([1, 3, 500, 500].into())?;
/// let upscore = graph.node("upscore").map(|node| node.outputs()[0].to_string());
/// assert_eq!(upscore.as_deref(), Some("1x21x543x543"));
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FcnAlexNet {
    input_channels: usize,
    widths: [usize; NAMES.len()],
    /// Whether the upsampling has one filter a channel.
    diagonal: bool,
    preprocessing: Normalize,
}

impl FcnAlexNet {
    /// The full-size network with so many classes (21 for PASCAL VOC), dense upsampling.
    #[must_use]
    pub fn published(classes: usize) -> Self {
        let widths = [96, 256, 384, 384, 256, 4096, 4096, classes];
        Self { input_channels: 3, widths, diagonal: false, preprocessing: Normalize::CAFFE }
    }

    /// The network that `weights` are for: channel widths, classes and the kind of upsampling come from them.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] that lists each missing, misshapen and unexpected tensor, with what was expected and found.
    pub fn from_weights(weights: &Weights) -> Result<Self> {
        let mut network = Self::published(21);
        for (width, name) in network.widths.iter_mut().zip(NAMES) {
            *width = operand(weights, name).map_or(*width, |shape| shape.n);
        }
        network.input_channels = operand(weights, NAMES[0]).map_or(network.input_channels, |shape| shape.c);
        network.diagonal = operand(weights, UPSCORE).is_some_and(|shape| shape.c == 1);
        weights.check(network.title(), network.weights_required())?;
        Ok(network)
    }

    /// A slim network: every width but the classes' and the input's divided by `divisor`, rounded to whole groups.
    #[must_use]
    pub fn slimmed(mut self, divisor: usize) -> Self {
        for width in &mut self.widths[..SCORE] {
            *width = (*width / 2).checked_div(divisor).unwrap_or(*width / 2).max(1) * 2;
        }
        self
    }

    /// Sets what happens to an image first; [`Normalize::CAFFE`] unless told otherwise.
    #[must_use]
    pub fn preprocessed(mut self, preprocessing: Normalize) -> Self {
        self.preprocessing = preprocessing;
        self
    }

    fn conv(&self, g: &mut GraphBuilder, layer: usize, x: Located) -> Result<Located> {
        let op = Conv2d::new([KERNELS[layer]; 2]).groups(GROUPS[layer]);
        let op = match layer {
            // A border wide enough that an image of a single pixel leaves `fc6` a whole window.
            0 => op.stride([4, 4]).pad(100),
            1..5 => op.pad(KERNELS[layer] / 2),
            _ => op,
        };
        let op = if layer == SCORE { op } else { op.relu() };
        x.conv2d(g, NAMES[layer], op, self.widths[layer])
    }
}

impl Segmentation for FcnAlexNet {
    fn title(&self) -> &'static str {
        "FCN-AlexNet"
    }

    fn classes(&self) -> usize {
        self.widths[SCORE]
    }

    fn input_channels(&self) -> usize {
        self.input_channels
    }

    fn preprocessing(&self) -> Normalize {
        self.preprocessing
    }

    fn scores_name(&self) -> &'static str {
        "score"
    }

    fn weights_required(&self) -> Vec<(String, Shape)> {
        let mut required = Vec::new();
        let mut channels = self.input_channels;
        for (layer, (name, &width)) in NAMES.iter().zip(&self.widths).enumerate() {
            let kernel = KERNELS[layer];
            required.push((
                format!("{name}.weight"),
                Shape { n: width, c: channels / GROUPS[layer], h: kernel, w: kernel },
            ));
            required.push((format!("{name}.bias"), Shape::vector(width)));
            channels = width;
        }
        let filters = if self.diagonal { 1 } else { self.classes() };
        let weight = Shape { n: self.classes(), c: filters, h: UPSCORE_KERNEL, w: UPSCORE_KERNEL };
        required.push((format!("{UPSCORE}.weight"), weight));
        required
    }

    fn add_scores(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge> {
        let pool = MaxPool2d::new([3, 3]).stride([2, 2]).rounding(Rounding::Caffe);
        let mut x = Located::image(data);
        for layer in 0..=SCORE {
            x = self.conv(g, layer, x)?;
            let number = layer + 1;
            if [1, 2, 5].contains(&number) {
                x = x.max_pool2d(g, &format!("pool{number}"), pool)?;
            }
            if number <= 2 {
                x.edge = g.local_response_norm(&format!("norm{number}"), x.edge, LocalResponseNorm::new(5))?;
            }
        }
        let groups = if self.diagonal { self.classes() } else { 1 };
        let op = ConvTranspose2d::new([UPSCORE_KERNEL; 2]).stride([UPSCORE_STRIDE; 2]).groups(groups);
        let x = x.upsample(g, UPSCORE, op, self.classes())?;
        x.crop_to_image(g, self.scores_name(), data)
    }
}
