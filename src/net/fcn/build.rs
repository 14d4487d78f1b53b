//! From the layers to a graph. Beside every value goes where its cells lie over the image, from which crops follow.

use super::head::{Head, Tap};
use super::{Fcn, NAMES};
use crate::error::Result;
use crate::graph::{Edge, Graph, GraphBuilder, Parameters};
use crate::net::CoordinateMap;
use crate::net::layers::{FC6, FC7, SCORE, STAGES};
use crate::op::{Conv2d, Crop, CropAdd, MaxPool2d, Rounding};
use crate::shape::Shape;

/// Border of the first convolution: enough that an image of a single pixel leaves `fc6` a whole window.
const FIRST_PAD: usize = 100;
/// Name of the node that gives the class scores.
const SCORES: &str = "score";

/// A value of the network, and where its cells lie over the image.
#[derive(Clone, Copy)]
struct Located {
    edge: Edge,
    map: CoordinateMap,
}

impl Fcn {
    /// The network over tensors of `shape`, already preprocessed: input `data`, output `score` (`N x classes x H x W`).
    ///
    /// Nodes have the published names (`conv1_1` ... `fc7`, `score_fr`, `upscore2`, `fuse_pool4`, ...).
    ///
    /// # Errors
    /// [`crate::Error::Operand`] for another number of channels, [`crate::Error::Node`] for a map that grows too large.
    pub fn graph(&self, shape: impl Into<Shape>) -> Result<Graph> {
        let shape = shape.into();
        self.check_input(shape)?;
        let mut g = Graph::builder();
        let data = g.input("data", shape)?;
        let scores = self.scores(&mut g, data)?;
        g.output(scores)?;
        g.build()
    }

    /// The network over an 8-bit RGB image of `extent` (rows, columns): input `image`, outputs `labels` (the class of
    /// each pixel) and `score`.
    ///
    /// # Errors
    /// As [`Fcn::graph`]; also for more than 256 classes, which labels cannot tell apart.
    pub fn graph_from_image(&self, extent: [usize; 2]) -> Result<Graph> {
        self.labelling(extent, true)
    }

    /// As [`Fcn::graph_from_image`] without the output `score`: one byte a pixel comes back from the device.
    ///
    /// # Errors
    /// As [`Fcn::graph_from_image`].
    pub fn labels_from_image(&self, extent: [usize; 2]) -> Result<Graph> {
        self.labelling(extent, false)
    }

    fn labelling(&self, extent: [usize; 2], with_scores: bool) -> Result<Graph> {
        let mut g = Graph::builder();
        let image = g.image("image", extent)?;
        let data = g.normalize("data", image, self.preprocessing)?;
        self.check_input(g.shape(data)?)?;
        let scores = self.scores(&mut g, data)?;
        let labels = g.argmax_channels("labels", scores)?;
        g.output(labels)?;
        if with_scores {
            g.output(scores)?;
        }
        g.build()
    }

    /// The network from `data` on. A tap is scored as soon as it is there, because scores take less room than the map.
    fn scores(&self, g: &mut GraphBuilder, data: Edge) -> Result<Edge> {
        let mut x = Located { edge: data, map: CoordinateMap::IDENTITY };
        let mut taps = Vec::new();
        let mut layer = 0;
        for (stage, convolutions) in STAGES.into_iter().enumerate() {
            for _ in 0..convolutions {
                let pad = if layer == 0 { FIRST_PAD } else { 1 };
                x = self.conv(g, layer, x, Conv2d::new([3, 3]).pad(pad).relu())?;
                layer += 1;
            }
            x = pool(g, stage + 1, x)?;
            if let Some(tap) = self.head.taps().iter().find(|tap| tap.pool == stage + 1) {
                taps.push((tap.fuse, self.score_tap(g, tap, x)?));
            }
        }
        x = self.conv(g, FC6, x, Conv2d::new([self.layers.fc6_kernel; 2]).relu())?;
        x = self.conv(g, FC7, x, Conv2d::new([1, 1]).relu())?;
        x = self.conv(g, SCORE, x, Conv2d::new([1, 1]))?;
        for step in 0..self.diagonal.len() {
            x = self.upsample(g, step, x)?;
            // Taps were met fine to coarse, and join coarse to fine; after the last step there is none left.
            if let Some((name, skip)) = taps.pop() {
                let op = CropAdd::new(skip.map.crop_offset(&x.map)?);
                x.edge = g.crop_add(name, x.edge, skip.edge, op)?;
            }
        }
        let offset = x.map.crop_offset(&CoordinateMap::IDENTITY)?;
        let extent = g.shape(data)?.extent();
        g.crop(SCORES, x.edge, Crop::new(offset, extent))
    }

    fn conv(&self, g: &mut GraphBuilder, layer: usize, x: Located, op: Conv2d) -> Result<Located> {
        let edge = g.conv2d(NAMES[layer], x.edge, op, self.layers.widths[layer])?;
        Ok(Located { edge, map: x.map.conv2d(&op) })
    }

    fn score_tap(&self, g: &mut GraphBuilder, tap: &Tap, x: Located) -> Result<Located> {
        let scaled = match self.head {
            Head::Stride8AtOnce => g.scale(tap.scale.0, x.edge, tap.scale.1, None)?,
            _ => x.edge,
        };
        let op = Conv2d::new([1, 1]);
        Ok(Located { edge: g.conv2d(tap.score, scaled, op, self.classes())?, map: x.map.conv2d(&op) })
    }

    fn upsample(&self, g: &mut GraphBuilder, step: usize, x: Located) -> Result<Located> {
        let up = &self.head.upsamplings()[step];
        let groups = if self.diagonal[step] { self.classes() } else { 1 };
        let op = up.op().groups(groups);
        let parameters = Parameters::named(up.name).without_bias();
        let edge = g.conv_transpose2d_with(up.name, x.edge, op, self.classes(), parameters)?;
        Ok(Located { edge, map: x.map.conv_transpose2d(&op) })
    }
}

fn pool(g: &mut GraphBuilder, number: usize, x: Located) -> Result<Located> {
    let op = MaxPool2d::new([2, 2]).rounding(Rounding::Caffe);
    let edge = g.max_pool2d(&format!("pool{number}"), x.edge, op)?;
    Ok(Located { edge, map: x.map.max_pool2d(&op) })
}
