//! The nodes that normalise.

use super::{Checked, GraphBuilder, tensor};
use crate::error::{Error, Result};
use crate::graph::node::{Edge, Operation};
use crate::graph::parameter::Parameter;
use crate::op::{BatchNorm, LocalResponseNorm};
use crate::shape::Shape;

impl GraphBuilder {
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
        self.add_single(name, Operation::BatchNorm(op), &[x], parameters, |inputs, _| {
            let x = tensor("batch_norm", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x, [vector; 4])?, op.cost(x, [vector; 4])?))
        })
    }

    /// Local response normalisation across channels.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn local_response_norm(&mut self, name: &str, x: Edge, op: LocalResponseNorm) -> Result<Edge> {
        self.add_single(name, Operation::LocalResponseNorm(op), &[x], vec![], |inputs, _| {
            let x = tensor("local_response_norm", "input", inputs[0])?;
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?))
        })
    }
}
