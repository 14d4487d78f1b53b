//! What computes each value by itself, or from those at its place.

use super::GraphBuilder;
use crate::error::{Error, Result};
use crate::graph::insert::{Checked, tensor};
use crate::graph::node::{Edge, Operation};
use crate::graph::parameter::{Parameter, Weight};
use crate::op::{Add, BatchNorm, CropAdd, LocalResponseNorm, Relu, Scale};
use crate::shape::Shape;

impl GraphBuilder {
    /// `max(x, 0)`.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn relu(&mut self, name: &str, x: Edge) -> Result<Edge> {
        self.add_map(name, Operation::Relu, x, |x| Ok(Checked::tensor(Relu.output_shape(x)?, Relu.cost(x)?)))
    }

    /// `a + b`, of one shape.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn add(&mut self, name: &str, a: Edge, b: Edge) -> Result<Edge> {
        self.add_node(name, Operation::Add, &[a, b], vec![], |inputs, _| {
            let (a, b) = (tensor("add", "a", inputs[0])?, tensor("add", "b", inputs[1])?);
            Ok(Checked::tensor(Add.output_shape(a, b)?, Add.cost(a, b)?))
        })
    }

    /// `a` plus `b` cropped down to it: a skip connection.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn crop_add(&mut self, name: &str, a: Edge, b: Edge, op: CropAdd) -> Result<Edge> {
        self.add_node(name, Operation::CropAdd(op), &[a, b], vec![], |inputs, _| {
            let (a, b) = (tensor("crop_add", "a", inputs[0])?, tensor("crop_add", "b", inputs[1])?);
            Ok(Checked::tensor(op.output_shape(a, b)?, op.cost(a, b)?))
        })
    }

    /// A factor and perhaps a shift for each channel: names in the weight file, tensors `1 x C x 1 x 1`, or one number
    /// for all channels.
    ///
    /// ```
    /// # let mut g = switchback::Graph::builder();
    /// # let pool3 = g.input("pool3", [1, 256, 88, 88])?;
    /// let scaled = g.scale("scale_pool3", pool3, 0.0001, None)?;
    /// let learned = g.scale("norm", scaled, "norm.weight", Some("norm.bias".into()))?;
    /// # Ok::<(), switchback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn scale(&mut self, name: &str, x: Edge, factor: impl Into<Weight>, shift: Option<Weight>) -> Result<Edge> {
        let at_node = |error: Error| error.at_node(name);
        let vector = Shape::vector(self.tensor(x, "scale", "input").map_err(at_node)?.c);
        let mut parameters = vec![Parameter::new(format!("{name}.factor"), vector, factor.into()).map_err(at_node)?];
        if let Some(shift) = shift {
            parameters.push(Parameter::new(format!("{name}.shift"), vector, shift).map_err(at_node)?);
        }
        self.add_node(name, Operation::Scale, &[x], parameters, |inputs, parameters| {
            let (x, shift) = (tensor("scale", "input", inputs[0])?, parameters.get(1).copied());
            Ok(Checked::tensor(Scale.output_shape(x, parameters[0], shift)?, Scale.cost(x, parameters[0], shift)?))
        })
    }

    /// Batch normalisation with the weights `NAME.weight`, `NAME.bias`, `NAME.running_mean` and `NAME.running_var`,
    /// PyTorch's names. Compiling makes it part of the convolution before it, if nothing else reads that
    /// ([`Graph::fold`](crate::graph::Graph::fold)).
    ///
    /// ```
    /// # use switchback::{BatchNorm, Conv2d, Graph, Parameters};
    /// let mut g = Graph::builder();
    /// let x = g.input("x", [1, 3, 37, 53])?;
    /// let x = g.conv2d_with("conv", x, Conv2d::new([3, 3]).pad(1), 8, Parameters::named("conv").without_bias())?;
    /// let x = g.batch_norm("norm", x, BatchNorm::new())?;
    /// g.relu("relu", x)?;
    /// # Ok::<(), switchback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn batch_norm(&mut self, name: &str, x: Edge, op: BatchNorm) -> Result<Edge> {
        let at_node = |error: Error| error.at_node(name);
        let vector = Shape::vector(self.tensor(x, "batch_norm", "input").map_err(at_node)?.c);
        let part = |part: &str| Parameter::new(format!("{name}.{part}"), vector, format!("{name}.{part}").into());
        let parameters = BatchNorm::PARTS.into_iter().map(part).collect::<Result<Vec<_>>>().map_err(at_node)?;
        self.add_node(name, Operation::BatchNorm(op), &[x], parameters, |inputs, _| {
            let x = tensor("batch_norm", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x, [vector; 4])?, op.cost(x, [vector; 4])?))
        })
    }

    /// Local response normalisation across channels.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn local_response_norm(&mut self, name: &str, x: Edge, op: LocalResponseNorm) -> Result<Edge> {
        self.add_map(name, Operation::LocalResponseNorm(op), x, |x| {
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?))
        })
    }
}
