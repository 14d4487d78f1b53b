//! A network's ends: from an image to its input, from scores to probabilities, labels and a picture.

use super::GraphBuilder;
use crate::error::{Error, Result};
use crate::graph::insert::{Checked, tensor};
use crate::graph::node::{Edge, Operation, ValueType};
use crate::op::{ArgmaxChannels, Colorize, Normalize, Palette, SoftmaxChannels};
use crate::shape::Shape;

impl GraphBuilder {
    /// A network's input from an 8-bit image.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn normalize(&mut self, name: &str, image: Edge, op: Normalize) -> Result<Edge> {
        self.add_node(name, Operation::Normalize(op), &[image], vec![], |inputs, _| {
            let ValueType::Image { extent } = inputs[0] else {
                return Err(Error::operand("normalize", "image", "an 8-bit RGB image", inputs[0]));
            };
            Ok(Checked::tensor(op.output_shape(extent)?, op.cost(extent)?))
        })
    }

    /// Class probabilities from scores.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn softmax_channels(&mut self, name: &str, x: Edge) -> Result<Edge> {
        self.add_map(name, Operation::SoftmaxChannels, x, |x| {
            Ok(Checked::tensor(SoftmaxChannels.output_shape(x)?, SoftmaxChannels.cost(x)?))
        })
    }

    /// The class of each pixel from scores.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn argmax_channels(&mut self, name: &str, x: Edge) -> Result<Edge> {
        self.add_node(name, Operation::ArgmaxChannels, &[x], vec![], |inputs, _| {
            let x = tensor("argmax_channels", "input", inputs[0])?;
            let shape = ArgmaxChannels.output_shape(x)?;
            let labels = ValueType::Labels { count: shape.n, extent: shape.extent() };
            Ok(Checked { outputs: vec![labels], cost: ArgmaxChannels.cost(x)? })
        })
    }

    /// A picture of the labels of one image.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn colorize(&mut self, name: &str, labels: Edge, palette: Palette) -> Result<Edge> {
        self.add_node(name, Operation::Colorize(Box::new(palette)), &[labels], vec![], |inputs, _| {
            let ValueType::Labels { count, extent } = inputs[0] else {
                return Err(Error::operand("colorize", "labels", "a label map", inputs[0]));
            };
            let cost = Colorize.cost(Shape { n: count, c: 1, h: extent[0], w: extent[1] })?;
            Ok(Checked { outputs: vec![ValueType::Image { extent }], cost })
        })
    }
}
