//! Convolutions, plain and transposed, with the weights that they read.

use super::GraphBuilder;
use crate::error::Result;
use crate::graph::insert::{Checked, tensor};
use crate::graph::node::{Edge, Operation};
use crate::graph::parameter::Parameters;
use crate::op::{Conv2d, ConvTranspose2d};

impl GraphBuilder {
    /// A convolution with the weights `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn conv2d(&mut self, name: &str, x: Edge, op: Conv2d, output_channels: usize) -> Result<Edge> {
        self.conv2d_with(name, x, op, output_channels, Parameters::named(name))
    }

    /// A convolution with weights from elsewhere, perhaps shared with other nodes.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`]; also for a weight name that another node uses with another shape.
    pub fn conv2d_with(
        &mut self,
        name: &str,
        x: Edge,
        op: Conv2d,
        output_channels: usize,
        parameters: Parameters,
    ) -> Result<Edge> {
        let expected = self.tensor(x, "conv2d", "input").and_then(|x| op.weight_shape(x.c, output_channels));
        let parameters = self.convolution_parameters(name, "conv2d", expected, output_channels, parameters)?;
        self.add_node(name, Operation::Conv2d(op), &[x], parameters, |inputs, parameters| {
            let (x, weight) = (tensor("conv2d", "input", inputs[0])?, parameters[0]);
            let bias = parameters.get(1).copied();
            Ok(Checked::tensor(op.output_shape(x, weight, bias)?, op.cost(x, weight, bias)?))
        })
    }

    /// A transposed convolution with the weights `NAME.weight` and `NAME.bias`.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn conv_transpose2d(
        &mut self,
        name: &str,
        x: Edge,
        op: ConvTranspose2d,
        output_channels: usize,
    ) -> Result<Edge> {
        self.conv_transpose2d_with(name, x, op, output_channels, Parameters::named(name))
    }

    /// A transposed convolution with weights from elsewhere, perhaps those of the convolution it is the transpose of.
    ///
    /// # Errors
    /// As [`GraphBuilder::conv2d_with`].
    pub fn conv_transpose2d_with(
        &mut self,
        name: &str,
        x: Edge,
        op: ConvTranspose2d,
        output_channels: usize,
        parameters: Parameters,
    ) -> Result<Edge> {
        let expected = self.tensor(x, "conv_transpose2d", "input").and_then(|x| op.weight_shape(x.c, output_channels));
        let parameters =
            self.convolution_parameters(name, "conv_transpose2d", expected, output_channels, parameters)?;
        self.add_node(name, Operation::ConvTranspose2d(op), &[x], parameters, |inputs, parameters| {
            let (x, weight) = (tensor("conv_transpose2d", "input", inputs[0])?, parameters[0]);
            let bias = parameters.get(1).copied();
            Ok(Checked::tensor(op.output_shape(x, weight, bias)?, op.cost(x, weight, bias)?))
        })
    }
}
