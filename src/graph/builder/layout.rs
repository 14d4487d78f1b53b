//! What only moves values: windows, borders, runs of channels.

use super::GraphBuilder;
use crate::error::Result;
use crate::graph::insert::{Checked, tensor};
use crate::graph::node::{Edge, Operation};
use crate::op::{Concat, Crop, Pad, Slice};

impl GraphBuilder {
    /// A window of each plane.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn crop(&mut self, name: &str, x: Edge, op: Crop) -> Result<Edge> {
        self.add_map(name, Operation::Crop(op), x, |x| Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?)))
    }

    /// A border of zeros around each plane.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn pad(&mut self, name: &str, x: Edge, op: Pad) -> Result<Edge> {
        self.add_map(name, Operation::Pad(op), x, |x| Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?)))
    }

    /// The channels of several tensors, one after the other.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn concat(&mut self, name: &str, inputs: &[Edge]) -> Result<Edge> {
        self.add_node(name, Operation::Concat, inputs, vec![], |inputs, _| {
            let shape = |(position, &input)| tensor("concat", &format!("input {position}"), input);
            let inputs = inputs.iter().enumerate().map(shape).collect::<Result<Vec<_>>>()?;
            Ok(Checked::tensor(Concat.output_shape(&inputs)?, Concat.cost(&inputs)?))
        })
    }

    /// A run of channels.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn slice(&mut self, name: &str, x: Edge, op: Slice) -> Result<Edge> {
        self.add_map(name, Operation::Slice(op), x, |x| Ok(Checked::tensor(op.output_shape(x)?, op.cost(x)?)))
    }
}
