//! VGG16 (Simonyan and Zisserman 2015) as torchvision has it, made fully convolutional.

use super::layers::{FC6, FC7, LAYERS, Layers, SCORE, STAGES};
use crate::error::{Error, Result};
use crate::graph::{Edge, Graph, GraphBuilder};
use crate::op::{Conv2d, MaxPool2d, Normalize};
use crate::shape::Shape;
use crate::weights::{Weights, vgg};

/// Layer names, torchvision's.
const NAMES: [&str; LAYERS] = {
    let mut names = [vgg::CLASSIFIER; LAYERS];
    let mut layer = 0;
    while layer < SCORE {
        names[layer] = vgg::LAYERS[layer].1;
        layer += 1;
    }
    names
};

/// Torchvision's names of the poolings.
const POOLS: [&str; 5] = ["features.4", "features.9", "features.16", "features.23", "features.30"];

/// VGG16 with its classifier as convolutions: class scores for every 224x224 window of an image, 32 pixels apart.
///
/// An image of 224x224 gives a 1x1 map, torchvision's answer; one of `H x W` a map of `H/32 - 6` by `W/32 - 6`, rounded
/// down. Torchvision's own model instead pools a larger image's features down to 7x7 and gives one answer for all of it.
/// The padding of the convolutions makes a cell of the map differ from the answer for its window cut out alone.
///
/// ```
/// use switchback::net::Vgg16;
/// let graph = Vgg16::published(1000).graph([1, 3, 224, 224])?;
/// assert_eq!(graph.cost().parameters, 138_357_544);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Vgg16 {
    layers: Layers,
}

impl Vgg16 {
    /// The full-size network with so many classes (1000 for ImageNet): 138 million parameters.
    #[must_use]
    pub fn published(classes: usize) -> Self {
        Self { layers: Layers::published(classes) }
    }

    /// The network that `weights` are for, as [`vgg::fully_convolutional`] makes them; channel widths, classes and the
    /// kernel of `classifier.0` come from their shapes.
    ///
    /// # Errors
    /// [`Error::Weights`] that lists each missing, misshapen and unexpected tensor, with what was expected and found.
    pub fn from_weights(weights: &Weights) -> Result<Self> {
        let vgg16 = Self { layers: Layers::read(&NAMES, weights, 1000) };
        weights.check("VGG16 (with `weights::vgg::fully_convolutional`)", vgg16.weights_required())?;
        Ok(vgg16)
    }

    /// A slim network: every width but the classes' and the input's divided by `divisor`, at least 1.
    #[must_use]
    pub fn slimmed(mut self, divisor: usize) -> Self {
        self.layers.slim(divisor);
        self
    }

    /// The node that goes by this name in Caffe's model (`conv1_1` ... `conv5_3`, `pool1` ... `pool5`, `fc6` ... `fc8`);
    /// other names stay.
    #[must_use]
    pub fn node_name(layer: &str) -> &str {
        let convolution = vgg::LAYERS.iter().find(|(caffe, _)| *caffe == layer).map(|(_, node)| *node);
        let pool =
            || layer.strip_prefix("pool")?.parse().ok().and_then(|number: usize| POOLS.get(number.checked_sub(1)?));
        convolution.or_else(|| pool().copied()).unwrap_or(if layer == "fc8" { vgg::CLASSIFIER } else { layer })
    }

    /// Number of classes it tells apart.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.layers.widths[SCORE]
    }

    /// Names and shapes of its weights, in the order of the computation.
    #[must_use]
    pub fn weights_required(&self) -> Vec<(String, Shape)> {
        self.layers.required(&NAMES)
    }

    /// The network over tensors of `shape`, already preprocessed: input `data`, output `classifier.6` (the map of class
    /// scores). Nodes have torchvision's names; a ReLU belongs to the convolution before it.
    ///
    /// # Errors
    /// [`Error::Operand`] for another number of channels or an image too small for the classifier,
    /// [`Error::Node`] for a map that grows too large.
    pub fn graph(&self, shape: impl Into<Shape>) -> Result<Graph> {
        let mut g = Graph::builder();
        let data = g.input("data", shape)?;
        self.build(g, data)
    }

    /// The network over an 8-bit RGB image of `extent` (rows, columns): input `image`, output `classifier.6`.
    ///
    /// Weights do not say how to preprocess; torchvision's own want [`Normalize::TORCHVISION`], those converted from the
    /// Caffe model [`Normalize::CAFFE`].
    ///
    /// # Errors
    /// As [`Vgg16::graph`].
    pub fn graph_from_image(&self, extent: [usize; 2], preprocessing: Normalize) -> Result<Graph> {
        let mut g = Graph::builder();
        let image = g.image("image", extent)?;
        let data = g.normalize("data", image, preprocessing)?;
        self.build(g, data)
    }

    /// The convolutions alone, over tensors of `shape`, however small: input `data`, output `features.30` (the last
    /// pooling). For [`DeconvView`](super::DeconvView), which looks at any of its nodes.
    ///
    /// # Errors
    /// As [`Vgg16::graph`], but for the least extent.
    pub fn features(&self, shape: impl Into<Shape>) -> Result<Graph> {
        let mut g = Graph::builder();
        let data = g.input("data", shape)?;
        self.build_features(g, data)
    }

    /// The convolutions alone, over an 8-bit RGB image of `extent` (rows, columns): input `image`, output `features.30`.
    ///
    /// # Errors
    /// As [`Vgg16::features`].
    pub fn features_from_image(&self, extent: [usize; 2], preprocessing: Normalize) -> Result<Graph> {
        let mut g = Graph::builder();
        let image = g.image("image", extent)?;
        let data = g.normalize("data", image, preprocessing)?;
        self.build_features(g, data)
    }

    fn build_features(&self, mut g: GraphBuilder, data: Edge) -> Result<Graph> {
        let (input, channels) = (g.shape(data)?, self.layers.input_channels);
        if input.c != channels {
            return Err(Error::operand("VGG16", "input", format!("N x {channels} x H x W"), input));
        }
        let features = self.add_features(&mut g, data)?;
        g.output(features)?;
        g.build()
    }

    fn build(&self, mut g: GraphBuilder, data: Edge) -> Result<Graph> {
        self.check_input(g.shape(data)?)?;
        let mut x = self.add_features(&mut g, data)?;
        x = self.conv(&mut g, FC6, x, Conv2d::new([self.layers.fc6_kernel; 2]).relu())?;
        x = self.conv(&mut g, FC7, x, Conv2d::new([1, 1]).relu())?;
        x = self.conv(&mut g, SCORE, x, Conv2d::new([1, 1]))?;
        g.output(x)?;
        g.build()
    }

    fn add_features(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge> {
        let (mut x, mut layer) = (data, 0);
        for (pool, convolutions) in POOLS.into_iter().zip(STAGES) {
            for _ in 0..convolutions {
                x = self.conv(g, layer, x, Conv2d::new([3, 3]).pad(1).relu())?;
                layer += 1;
            }
            x = g.max_pool2d(pool, x, MaxPool2d::new([2, 2]))?;
        }
        Ok(x)
    }

    fn conv(&self, g: &mut GraphBuilder, layer: usize, x: Edge, op: Conv2d) -> Result<Edge> {
        g.conv2d(NAMES[layer], x, op, self.layers.widths[layer])
    }

    fn check_input(&self, input: Shape) -> Result<()> {
        let channels = self.layers.input_channels;
        let least = self.layers.fc6_kernel.saturating_mul(1 << STAGES.len());
        if input.c == channels && input.h >= least && input.w >= least {
            return Ok(());
        }
        Err(Error::operand("VGG16", "input", format!("N x {channels} x H x W with H and W at least {least}"), input))
    }
}
