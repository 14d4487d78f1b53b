//! FCN-32s, FCN-16s, FCN-8s and FCN-8s-at-once (Shelhamer, Long and Darrell, *Fully convolutional networks for semantic
//! segmentation*, 2017), as in the repository `shelhamer/fcn.berkeleyvision.org`.

mod build;
mod head;
mod start;

pub use head::Head;

use super::layers::{LAYERS, Layers, SCORE};
use crate::error::Result;
use crate::op::Normalize;
use crate::shape::Shape;
use crate::weights::{Weights, vgg};

/// Layer names, Caffe's and pytorch-fcn's.
const NAMES: [&str; LAYERS] = {
    let mut names = ["score_fr"; LAYERS];
    let mut layer = 0;
    while layer < SCORE {
        names[layer] = vgg::LAYERS[layer].0;
        layer += 1;
    }
    names
};

/// A fully convolutional network on VGG16: scores for each class at every pixel of an image of any size.
///
/// Weights have pytorch-fcn's names: `conv1_1.weight`, `conv1_1.bias` ... `fc7`, `score_fr`, then by head `upscore` (32s);
/// `score_pool4`, `upscore2`, `upscore16` (16s); `score_pool4`, `score_pool3`, `upscore2`, `upscore_pool4`, `upscore8` (8s).
/// An upsampling weight is dense (`C x C x k x k`, as published) or one filter a channel (`C x 1 x k x k`); whether its
/// values are bilinear or learned makes no difference here.
///
/// ```
/// use switchback::net::{Fcn, Head};
/// let graph = Fcn::published(Head::Stride8, 21).graph([1, 3, 500, 500])?;
/// assert_eq!(graph.cost().parameters, 134_489_759);
/// assert_eq!(graph.cost().macs, 181_529_034_048);
/// # Ok::<(), switchback::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fcn {
    head: Head,
    layers: Layers,
    /// Whether each of the head's upsamplings, coarse to fine, has one filter a channel.
    diagonal: Vec<bool>,
    preprocessing: Normalize,
}

impl Fcn {
    /// The full-size network of the paper with so many classes (21 for PASCAL VOC), dense upsampling: 134 million
    /// parameters. For planning, benchmarks and [`Weights::random`].
    #[must_use]
    pub fn published(head: Head, classes: usize) -> Self {
        let diagonal = vec![false; head.upsamplings().len()];
        Self { head, layers: Layers::published(classes), diagonal, preprocessing: Normalize::CAFFE }
    }

    /// The network that `weights` are for: channel widths, classes, `fc6`'s kernel and the kind of upsampling come from
    /// their shapes.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] that lists each missing, misshapen and unexpected tensor, with what was expected and found.
    pub fn from_weights(head: Head, weights: &Weights) -> Result<Self> {
        let layers = Layers::read(&NAMES, weights, 21);
        let is_diagonal = |name: &str| {
            weights.get(&format!("{name}.weight")).is_some_and(|entry| matches!(*entry.shape(), [_, 1, _, _]))
        };
        let diagonal = head.upsamplings().iter().map(|up| is_diagonal(up.name)).collect();
        let fcn = Self { head, layers, diagonal, preprocessing: Normalize::CAFFE };
        weights.check(head.title(), fcn.weights_required())?;
        Ok(fcn)
    }

    /// A slim network: every width but the classes' and the input's divided by `divisor`, at least 1.
    #[must_use]
    pub fn slimmed(mut self, divisor: usize) -> Self {
        self.layers.slim(divisor);
        self
    }

    /// Sets what [`Fcn::graph_from_image`] does to the image first; [`Normalize::CAFFE`] unless told otherwise.
    #[must_use]
    pub fn preprocessed(mut self, preprocessing: Normalize) -> Self {
        self.preprocessing = preprocessing;
        self
    }

    /// Its upsampling path.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Number of classes it tells apart.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.layers.widths[SCORE]
    }

    /// Names and shapes of its weights, in the order of the computation.
    #[must_use]
    pub fn weights_required(&self) -> Vec<(String, Shape)> {
        let mut required = self.layers.required(&NAMES);
        let classes = self.classes();
        for tap in self.head.taps() {
            let weight = Shape { n: classes, c: self.layers.widths[tap.layer], h: 1, w: 1 };
            required.push((format!("{}.weight", tap.score), weight));
            required.push((format!("{}.bias", tap.score), Shape::vector(classes)));
        }
        for (up, &diagonal) in self.head.upsamplings().iter().zip(&self.diagonal) {
            let filters = if diagonal { 1 } else { classes };
            let weight = Shape { n: classes, c: filters, h: up.kernel(), w: up.kernel() };
            required.push((format!("{}.weight", up.name), weight));
        }
        required
    }
}
