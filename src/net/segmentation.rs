//! What the networks that label pixels have in common.

use crate::error::{Error, Result};
use crate::graph::{Edge, Graph, GraphBuilder};
use crate::op::Normalize;
use crate::shape::Shape;

/// A network that gives a score for each class at every pixel.
///
/// ```
/// use switchback::net::{Fcn, Head, SegNet, Segmentation};
/// let networks: [Box<dyn Segmentation>; 2] =
///     [Box::new(Fcn::published(Head::Stride8, 21)), Box::new(SegNet::published(11))];
/// for network in networks {
///     let graph = network.labels_from_image([61, 47])?;
///     assert_eq!(graph.outputs().next().map(|(name, _)| name), Some("labels"));
/// }
/// # Ok::<(), switchback::Error>(())
/// ```
pub trait Segmentation {
    /// Its name in the literature.
    fn title(&self) -> &'static str;

    /// Number of classes it tells apart.
    fn classes(&self) -> usize;

    /// Channels of its input.
    fn input_channels(&self) -> usize;

    /// What [`Segmentation::graph_from_image`] does to the image first.
    fn preprocessing(&self) -> Normalize;

    /// Name of the node that gives the scores: the one output of [`Segmentation::graph`].
    fn scores_name(&self) -> &'static str;

    /// Names and shapes of its weights, in the order of the computation.
    fn weights_required(&self) -> Vec<(String, Shape)>;

    /// Adds the network to a graph, from its preprocessed input to the scores.
    ///
    /// # Errors
    /// [`Error::Operand`] for an input that it cannot take; [`Error::Node`] for a map that grows too large or a node's
    /// name that is taken.
    fn add_scores(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge>;

    /// The network over tensors of `shape`, already preprocessed: input `data`, output [`Segmentation::scores_name`]
    /// (`N x classes x H x W`).
    ///
    /// # Errors
    /// [`Error::Operand`] for another number of channels, [`Error::Node`] for a map that grows too large.
    fn graph(&self, shape: Shape) -> Result<Graph> {
        check_channels(self.title(), self.input_channels(), shape)?;
        let mut g = Graph::builder();
        let data = g.input("data", shape)?;
        let scores = self.add_scores(&mut g, data)?;
        g.output(scores)?;
        g.build()
    }

    /// The network over an 8-bit RGB image of `extent` (rows, columns): input `image`, outputs `labels` (the class of
    /// each pixel) and the scores.
    ///
    /// # Errors
    /// As [`Segmentation::graph`]; also for more than 256 classes, which labels cannot tell apart.
    fn graph_from_image(&self, extent: [usize; 2]) -> Result<Graph> {
        let (mut g, labels, scores) = labelling(self, extent)?;
        g.output(labels)?;
        g.output(scores)?;
        g.build()
    }

    /// As [`Segmentation::graph_from_image`] without the scores: one byte a pixel comes back from the device.
    ///
    /// # Errors
    /// As [`Segmentation::graph_from_image`].
    fn labels_from_image(&self, extent: [usize; 2]) -> Result<Graph> {
        let (mut g, labels, _) = labelling(self, extent)?;
        g.output(labels)?;
        g.build()
    }
}

/// A graph from an image to labels and scores, neither of them an output yet.
fn labelling(network: &(impl Segmentation + ?Sized), extent: [usize; 2]) -> Result<(GraphBuilder, Edge, Edge)> {
    let mut g = Graph::builder();
    let image = g.image("image", extent)?;
    let data = g.normalize("data", image, network.preprocessing())?;
    check_channels(network.title(), network.input_channels(), g.shape(data)?)?;
    let scores = network.add_scores(&mut g, data)?;
    let labels = g.argmax_channels("labels", scores)?;
    Ok((g, labels, scores))
}

fn check_channels(title: &'static str, channels: usize, input: Shape) -> Result<()> {
    if input.c == channels {
        return Ok(());
    }
    Err(Error::operand(title, "input", format!("N x {channels} x H x W"), input))
}
