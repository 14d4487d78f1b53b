//! How a node gets into a graph under construction: its name, its operands and its weights are checked before anything
//! changes.

use super::builder::GraphBuilder;
use super::node::{Edge, Node, Operation, ValueType};
use super::parameter::{Parameter, Parameters};
use crate::error::{Error, Result};
use crate::op::Cost;
use crate::shape::Shape;

/// What an operator says about a new node.
pub(super) struct Checked {
    pub(super) outputs: Vec<ValueType>,
    pub(super) cost: Cost,
}

impl Checked {
    pub(super) fn tensor(shape: Shape, cost: Cost) -> Self {
        Self { outputs: vec![ValueType::Tensor(shape)], cost }
    }
}

impl GraphBuilder {
    /// Adds a node once `check` has seen the kinds and shapes of its inputs and the shapes of its parameters; gives its
    /// first result.
    pub(super) fn add_node(
        &mut self,
        name: &str,
        operation: Operation,
        inputs: &[Edge],
        parameters: Vec<Parameter>,
        check: impl FnOnce(&[ValueType], &[Shape]) -> Result<Checked>,
    ) -> Result<Edge> {
        let at_node = |error: Error| error.at_node(name);
        if name.is_empty() {
            return Err(Error::Graph(format!("a {} node has an empty name", operation.name())));
        }
        if let Some(&taken) = self.by_name.get(name) {
            let taken = self.nodes[taken].operation.name();
            return Err(at_node(Error::Graph(format!("the name is taken already ({taken})"))));
        }
        let types = inputs.iter().map(|&edge| self.value_type(edge)).collect::<Result<Vec<_>>>().map_err(at_node)?;
        let shapes: Vec<Shape> = parameters.iter().map(Parameter::shape).collect();
        let Checked { outputs, cost } = check(&types, &shapes).map_err(at_node)?;
        self.check_shared(&parameters).map_err(at_node)?;

        let parameters = parameters.into_iter().map(|parameter| self.intern(parameter)).collect();
        let node = self.nodes.len();
        self.by_name.insert(name.to_owned(), node);
        self.nodes.push(Node { name: name.to_owned(), operation, inputs: inputs.to_vec(), parameters, outputs, cost });
        Ok(Edge { builder: self.id, node, port: 0 })
    }

    /// Adds a node of one tensor, without parameters, once `check` has seen its shape.
    pub(super) fn add_map(
        &mut self,
        name: &str,
        operation: Operation,
        x: Edge,
        check: impl FnOnce(Shape) -> Result<Checked>,
    ) -> Result<Edge> {
        let op = operation.name();
        self.add_node(name, operation, &[x], vec![], |inputs, _| check(tensor(op, "input", inputs[0])?))
    }

    /// Weight and bias of a convolution between `expected` shapes.
    pub(super) fn convolution_parameters(
        &self,
        node: &str,
        op: &'static str,
        expected: Result<Shape>,
        output_channels: usize,
        parameters: Parameters,
    ) -> Result<Vec<Parameter>> {
        let at_node = |error: Error| error.at_node(node);
        let expected = expected.map_err(at_node)?;
        let weight = Parameter::new(format!("{node}.weight"), expected, parameters.weight).map_err(at_node)?;
        if weight.shape() != expected {
            return Err(at_node(Error::operand(op, "weight", expected, weight.shape())));
        }
        let mut all = vec![weight];
        if let Some(bias) = parameters.bias {
            let bias = Parameter::new(format!("{node}.bias"), Shape::vector(output_channels), bias);
            all.push(bias.map_err(at_node)?);
        }
        Ok(all)
    }

    /// Refuses a weight that is shared under two shapes.
    fn check_shared(&self, parameters: &[Parameter]) -> Result<()> {
        for parameter in parameters {
            if let Some(shared) = self.find(parameter).filter(|shared| shared.1.shape() != parameter.shape()) {
                let (name, before, now) = (parameter.name(), shared.1.shape(), parameter.shape());
                return Err(Error::Weights(format!("`{name}` is {now} here and {before} in another node")));
            }
        }
        Ok(())
    }

    /// The position of a parameter, after adding it unless another node brought it already.
    fn intern(&mut self, parameter: Parameter) -> usize {
        if let Some((position, _)) = self.find(&parameter) {
            return position;
        }
        self.parameters.push(parameter);
        self.parameters.len() - 1
    }

    /// The parameter of this one's name, if both come from the weight file.
    fn find(&self, parameter: &Parameter) -> Option<(usize, &Parameter)> {
        let shared = |other: &Parameter| other.constant().is_none() && other.name() == parameter.name();
        self.parameters.iter().enumerate().find(|(_, other)| parameter.constant().is_none() && shared(other))
    }

    pub(super) fn tensor(&self, edge: Edge, op: &'static str, operand: &str) -> Result<Shape> {
        tensor(op, operand, self.value_type(edge)?)
    }
}

/// The shape of an operand that has to be a tensor.
pub(super) fn tensor(op: &'static str, operand: &str, found: ValueType) -> Result<Shape> {
    match found {
        ValueType::Tensor(shape) => Ok(shape),
        other => Err(Error::operand(op, operand, "a tensor", other)),
    }
}
