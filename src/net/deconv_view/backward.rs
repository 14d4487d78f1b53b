//! From an activation back to pixels: the nodes of a network in reverse, each by what undoes it.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::graph::{Edge, Graph, GraphBuilder, Node, Operation, Parameters, Weight};
use crate::op::{Conv2d, Crop, Pad, Slice};
use crate::shape::{Padding, Shape};

/// What a signal's nodes are called: the name of what they undo, after this.
const PREFIX: &str = "back/";

/// A network's nodes, and the signals that have come back to their results so far.
pub(super) struct Backward<'a> {
    network: &'a Graph,
    g: &'a mut GraphBuilder,
    /// The signal at each value, the sum of what its readers sent back.
    signals: HashMap<Edge, Edge>,
    /// How often two of them were added.
    sums: usize,
}

impl<'a> Backward<'a> {
    pub(super) fn new(network: &'a Graph, g: &'a mut GraphBuilder) -> Self {
        Self { network, g, signals: HashMap::new(), sums: 0 }
    }

    /// Sends `kept`, the signal at `layer`, back to the network's input, and gives the signal there.
    pub(super) fn run(mut self, layer: Edge, kept: Edge) -> Result<Edge> {
        self.signals.insert(layer, kept);
        let network = self.network;
        let mut pixels = None;
        for (position, node) in network.nodes().iter().enumerate().take(layer.node() + 1).rev() {
            let results: Vec<Edge> = network.edges_of(position).map(|(edge, _)| self.g.resumed(edge)).collect();
            let Some(signal) = results.first().and_then(|edge| self.signals.remove(edge)) else { continue };
            if matches!(node.operation(), Operation::Input | Operation::Normalize(_)) {
                pixels = Some(signal);
                continue;
            }
            self.undo(node, &results, signal).map_err(|error| error.at_node(node.name()))?;
        }
        pixels.ok_or_else(|| Error::Graph("nothing leads back from the layer to the network's input".to_owned()))
    }

    /// Sends a signal at a node's result back to what the node reads.
    fn undo(&mut self, node: &Node, results: &[Edge], signal: Edge) -> Result<()> {
        let name = format!("{PREFIX}{}", node.name());
        let operands: Vec<Edge> = node.inputs().iter().map(|&edge| self.g.resumed(edge)).collect();
        let x = operands.first().copied().ok_or_else(|| unsupported(node))?;
        match node.operation() {
            Operation::Conv2d(op) => {
                let (weight, shape) = (self.weight(node)?, self.g.shape(x)?);
                let rectified = self.g.relu(&format!("{name}.relu"), signal)?;
                let op = op.adjoint(shape.extent());
                let back = self.g.conv_transpose2d_with(&name, rectified, op, shape.c, Parameters::weight(weight))?;
                self.send(x, back)
            }
            Operation::ConvTranspose2d(op) => {
                let (weight, channels) = (self.weight(node)?, self.g.shape(x)?.c);
                let rectified = self.g.relu(&format!("{name}.relu"), signal)?;
                let op = Conv2d::new(op.kernel).stride(op.stride).pad(op.pad).dilation(op.dilation).groups(op.groups);
                let back = self.g.conv2d_with(&name, rectified, op, channels, Parameters::weight(weight))?;
                self.send(x, back)
            }
            Operation::MaxPool2dSwitches(_) => {
                let switches = results.get(1).copied().ok_or_else(|| unsupported(node))?;
                let back = self.g.max_unpool2d(&name, signal, switches)?;
                self.send(x, back)
            }
            // Rectification is undone by rectifying the signal, which each convolution before it does; normalisation across
            // channels is not undone (Zeiler and Fergus have none on the way back).
            Operation::Relu | Operation::LocalResponseNorm(_) => self.send(x, signal),
            Operation::Scale => {
                let back = self.g.scale(&name, signal, self.weight(node)?, None)?;
                self.send(x, back)
            }
            Operation::Crop(op) => {
                let border = border(op.offset, op.extent, self.g.shape(x)?);
                let back = self.g.pad(&name, signal, Pad::new(border))?;
                self.send(x, back)
            }
            Operation::Pad(op) => {
                let window = Crop::new(op.padding.before(), self.g.shape(x)?.extent());
                let back = self.g.crop(&name, signal, window)?;
                self.send(x, back)
            }
            Operation::CropAdd(op) => {
                let skip = operands.get(1).copied().ok_or_else(|| unsupported(node))?;
                let border = border(op.offset, self.g.shape(signal)?.extent(), self.g.shape(skip)?);
                let padded = self.g.pad(&format!("{name}.pad"), signal, Pad::new(border))?;
                let scaled = if op.scale == 1.0 { padded } else { self.g.scale(&name, padded, op.scale, None)? };
                self.send(skip, scaled)?;
                self.send(x, signal)
            }
            Operation::Add => operands.iter().try_for_each(|&operand| self.send(operand, signal)),
            Operation::Concat => {
                let mut start = 0;
                for (part, &operand) in operands.iter().enumerate() {
                    let channels = self.g.shape(operand)?.c;
                    let slice = Slice::new(start, channels);
                    let back = self.g.slice(&format!("{name}.{part}"), signal, slice)?;
                    self.send(operand, back)?;
                    start += channels;
                }
                Ok(())
            }
            _ => Err(unsupported(node)),
        }
    }

    /// Adds to the signal at a value; a value with several readers has the sum of what they send.
    fn send(&mut self, to: Edge, signal: Edge) -> Result<()> {
        let sum = match self.signals.get(&to) {
            None => signal,
            Some(&before) => {
                self.sums += 1;
                self.g.add(&format!("{PREFIX}sum {}", self.sums), before, signal)?
            }
        };
        self.signals.insert(to, sum);
        Ok(())
    }

    /// A node's weight, shared with it.
    fn weight(&self, node: &Node) -> Result<Weight> {
        let position = node.parameters().first().copied().ok_or_else(|| unsupported(node))?;
        let parameter = self.network.parameter(position);
        Ok(match parameter.constant() {
            Some(constant) => constant.clone().into(),
            None => parameter.name().into(),
        })
    }
}

/// The border that a crop cut off.
fn border([top, left]: [usize; 2], [rows, columns]: [usize; 2], whole: Shape) -> Padding {
    Padding { top, left, bottom: whole.h - top - rows, right: whole.w - left - columns }
}

fn unsupported(node: &Node) -> Error {
    Error::Unsupported {
        what: "a view back from behind this node".to_owned(),
        why: format!(
            "it is a {}, and views go back through convolutions, poolings and sums only",
            node.operation().name()
        ),
        way_out: "look at a layer before it".to_owned(),
    }
}
