//! From the layers to a graph. Beside every value goes where its cells lie over the image, from which crops follow.

use super::head::Tap;
use super::{Fcn, Head, NAMES};
use crate::error::Result;
use crate::graph::{Edge, Graph, GraphBuilder};
use crate::net::Segmentation;
use crate::net::layers::{FC6, FC7, SCORE, STAGES};
use crate::net::located::Located;
use crate::op::{Conv2d, CropAdd, MaxPool2d, Normalize, Rounding};
use crate::shape::Shape;

/// Border of the first convolution: enough that an image of a single pixel leaves `fc6` a whole window.
const FIRST_PAD: usize = 100;
/// Name of the node that gives the class scores.
const SCORES: &str = "score";

impl Segmentation for Fcn {
    fn title(&self) -> &'static str {
        self.head.title()
    }

    fn classes(&self) -> usize {
        self.classes()
    }

    fn input_channels(&self) -> usize {
        self.layers.input_channels
    }

    fn preprocessing(&self) -> Normalize {
        self.preprocessing
    }

    fn scores_name(&self) -> &'static str {
        SCORES
    }

    fn weights_required(&self) -> Vec<(String, Shape)> {
        self.weights_required()
    }

    /// A tap is scored as soon as it is there, because scores take less room than the map.
    fn add_scores(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge> {
        let mut x = Located::image(data);
        let mut taps = Vec::new();
        let mut layer = 0;
        for (stage, convolutions) in STAGES.into_iter().enumerate() {
            for _ in 0..convolutions {
                let pad = if layer == 0 { FIRST_PAD } else { 1 };
                x = self.conv(g, layer, x, Conv2d::new([3, 3]).pad(pad).relu())?;
                layer += 1;
            }
            x = x.max_pool2d(g, &format!("pool{}", stage + 1), MaxPool2d::new([2, 2]).rounding(Rounding::Caffe))?;
            if let Some(tap) = self.head.taps().iter().find(|tap| tap.pool == stage + 1) {
                taps.push((tap.fuse, self.score_tap(g, tap, x)?));
            }
        }
        x = self.conv(g, FC6, x, Conv2d::new([self.layers.fc6_kernel; 2]).relu())?;
        x = self.conv(g, FC7, x, Conv2d::new([1, 1]).relu())?;
        x = self.conv(g, SCORE, x, Conv2d::new([1, 1]))?;
        for (up, &diagonal) in self.head.upsamplings().iter().zip(&self.diagonal) {
            let groups = if diagonal { self.classes() } else { 1 };
            x = x.upsample(g, up.name, up.op().groups(groups), self.classes())?;
            // Taps were met fine to coarse, and join coarse to fine; after the last step there is none left.
            if let Some((name, skip)) = taps.pop() {
                let op = CropAdd::new(skip.map.crop_offset(&x.map)?);
                x.edge = g.crop_add(name, x.edge, skip.edge, op)?;
            }
        }
        x.crop_to_image(g, SCORES, data)
    }
}

impl Fcn {
    /// The network over tensors of `shape`, already preprocessed: input `data`, output `score` (`N x classes x H x W`).
    ///
    /// Nodes have the published names (`conv1_1` ... `fc7`, `score_fr`, `upscore2`, `fuse_pool4`, ...).
    ///
    /// # Errors
    /// [`crate::Error::Operand`] for another number of channels, [`crate::Error::Node`] for a map that grows too large.
    pub fn graph(&self, shape: impl Into<Shape>) -> Result<Graph> {
        Segmentation::graph(self, shape.into())
    }

    /// The network over an 8-bit RGB image of `extent` (rows, columns): input `image`, outputs `labels` (the class of
    /// each pixel) and `score`.
    ///
    /// # Errors
    /// As [`Fcn::graph`]; also for more than 256 classes, which labels cannot tell apart.
    pub fn graph_from_image(&self, extent: [usize; 2]) -> Result<Graph> {
        Segmentation::graph_from_image(self, extent)
    }

    /// As [`Fcn::graph_from_image`] without the output `score`: one byte a pixel comes back from the device.
    ///
    /// # Errors
    /// As [`Fcn::graph_from_image`].
    pub fn labels_from_image(&self, extent: [usize; 2]) -> Result<Graph> {
        Segmentation::labels_from_image(self, extent)
    }

    fn conv(&self, g: &mut GraphBuilder, layer: usize, x: Located, op: Conv2d) -> Result<Located> {
        x.conv2d(g, NAMES[layer], op, self.layers.widths[layer])
    }

    fn score_tap(&self, g: &mut GraphBuilder, tap: &Tap, x: Located) -> Result<Located> {
        let scaled = match self.head {
            Head::Stride8AtOnce => g.scale(tap.scale.0, x.edge, tap.scale.1, None)?,
            _ => x.edge,
        };
        Located { edge: scaled, ..x }.conv2d(g, tap.score, Conv2d::new([1, 1]), self.classes())
    }
}
