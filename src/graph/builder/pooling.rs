//! Poolings, and back through their switches.

use super::GraphBuilder;
use crate::error::{Error, Result};
use crate::graph::insert::{Checked, tensor};
use crate::graph::node::{Edge, Operation, ValueType};
use crate::op::{MaxPool2d, MaxUnpool2d};

impl GraphBuilder {
    /// Max pooling.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_pool2d(&mut self, name: &str, x: Edge, op: MaxPool2d) -> Result<Edge> {
        self.add_map(name, Operation::MaxPool2d(op), x, |x| {
            Ok(Checked::tensor(op.output_shape(x)?, op.cost(x, false)?))
        })
    }

    /// Max pooling that also gives its switches, for [`GraphBuilder::max_unpool2d`].
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_pool2d_switches(&mut self, name: &str, x: Edge, op: MaxPool2d) -> Result<(Edge, Edge)> {
        let values = self.add_node(name, Operation::MaxPool2dSwitches(op), &[x], vec![], |inputs, _| {
            let x = tensor("max_pool2d", "input", inputs[0])?;
            let shape = op.output_shape(x)?;
            let switches = ValueType::Switches { shape, origin: x.extent(), pool: op };
            Ok(Checked { outputs: vec![ValueType::Tensor(shape), switches], cost: op.cost(x, true)? })
        })?;
        Ok((values, Edge { port: 1, ..values }))
    }

    /// Max unpooling to the extent that was pooled.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_unpool2d(&mut self, name: &str, x: Edge, switches: Edge) -> Result<Edge> {
        self.max_unpool2d_with(name, x, switches, MaxUnpool2d::new())
    }

    /// Max unpooling, perhaps to a larger extent.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn max_unpool2d_with(&mut self, name: &str, x: Edge, switches: Edge, op: MaxUnpool2d) -> Result<Edge> {
        self.add_node(name, Operation::MaxUnpool2d(op), &[x, switches], vec![], |inputs, _| {
            let x = tensor("max_unpool2d", "input", inputs[0])?;
            let ValueType::Switches { shape, origin, .. } = inputs[1] else {
                return Err(Error::operand("max_unpool2d", "switches", "pooling switches", inputs[1]));
            };
            Ok(Checked::tensor(op.output_shape(x, shape, origin)?, op.cost(x, shape, origin)?))
        })
    }
}
