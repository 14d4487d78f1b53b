//! Building a graph: every node is named, and every shape is checked as the node is added. The operators are in files of
//! their own, by kind.

mod convolution;
mod ends;
mod layout;
mod pooling;
mod values;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::insert::Checked;
use super::node::{Edge, Node, Operation, ValueType};
use super::parameter::Parameter;
use super::{Graph, Output};
use crate::error::{Error, Result};
use crate::op::{Cost, Normalize};
use crate::shape::Shape;

/// Distinguishes builders, so that an edge of another graph is refused instead of being taken for one of this.
static BUILDERS: AtomicU64 = AtomicU64::new(0);

/// A graph under construction.
///
/// Each method adds one node under a name that no other node has, checks what it is given, and returns handles to the
/// node's results. An error names the node and leaves the builder as it was.
#[derive(Debug)]
pub struct GraphBuilder {
    pub(super) id: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) by_name: HashMap<String, usize>,
    pub(super) parameters: Vec<Parameter>,
    outputs: Vec<Output>,
}

impl GraphBuilder {
    pub(super) fn new() -> Self {
        Self {
            id: BUILDERS.fetch_add(1, Ordering::Relaxed),
            nodes: Vec::new(),
            by_name: HashMap::new(),
            parameters: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// A builder that begins with these nodes and weights of a graph.
    pub(super) fn resume(nodes: Vec<Node>, parameters: Vec<Parameter>) -> Self {
        let mut builder = Self { nodes, parameters, ..Self::new() };
        for (position, node) in builder.nodes.iter_mut().enumerate() {
            node.inputs.iter_mut().for_each(|input| input.builder = builder.id);
            builder.by_name.insert(node.name.clone(), position);
        }
        builder
    }

    /// The edge here that an edge of the graph was which this builder began with.
    pub(crate) fn resumed(&self, edge: Edge) -> Edge {
        Edge { builder: self.id, ..edge }
    }

    /// The (first) result of a node that is there already; the switches of a pooling are `NODE.switches`.
    ///
    /// # Errors
    /// [`Error::Graph`] if there is none of this name.
    pub fn edge(&self, name: &str) -> Result<Edge> {
        let found = self.nodes.iter().enumerate().find_map(|(node, described)| {
            let port = (0..described.outputs.len()).find(|&port| described.value_name(port) == name)?;
            Some(Edge { builder: self.id, node, port })
        });
        found.ok_or_else(|| Error::Graph(format!("there is no node `{name}`")))
    }

    /// A tensor that each run is given.
    ///
    /// # Errors
    /// [`Error::Node`] for a name already taken or a shape that is empty or too large. The same holds for every method that
    /// adds a node; those that add operators also refuse edges of another builder and operands that do not fit.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>) -> Result<Edge> {
        let shape = shape.into();
        self.add_node(name, Operation::Input, &[], vec![], |_, _| {
            shape.check("input", "shape")?;
            Ok(Checked::tensor(shape, Cost::default()))
        })
    }

    /// An 8-bit RGB image of `extent` (rows, columns) that each run is given.
    ///
    /// # Errors
    /// As [`GraphBuilder::input`].
    pub fn image(&mut self, name: &str, extent: [usize; 2]) -> Result<Edge> {
        self.add_node(name, Operation::Input, &[], vec![], |_, _| {
            Normalize::RAW.output_shape(extent)?;
            Ok(Checked { outputs: vec![ValueType::Image { extent }], cost: Cost::default() })
        })
    }

    /// Declares a result of the graph. It has its node's name; the switches of a pooling are `NODE.switches`.
    ///
    /// # Errors
    /// [`Error::Graph`] for an edge of another builder or one that is an output already.
    pub fn output(&mut self, edge: Edge) -> Result<()> {
        self.value_type(edge)?;
        let name = self.nodes[edge.node].value_name(edge.port);
        if self.outputs.iter().any(|output| output.name == name) {
            return Err(Error::Graph(format!("`{name}` is an output already")));
        }
        self.outputs.push(Output { name, edge });
        Ok(())
    }

    /// Kind and shape of what flows along an edge.
    ///
    /// # Errors
    /// [`Error::Graph`] for an edge of another builder.
    pub fn value_type(&self, edge: Edge) -> Result<ValueType> {
        let node = self.nodes.get(edge.node).filter(|_| edge.builder == self.id);
        let value_type = node.and_then(|node| node.outputs.get(edge.port));
        value_type.copied().ok_or_else(|| Error::Graph("an edge belongs to another builder".to_owned()))
    }

    /// Shape of the tensor that flows along an edge.
    ///
    /// # Errors
    /// [`Error::Graph`] for an edge of another builder, or of one that carries no tensor.
    pub fn shape(&self, edge: Edge) -> Result<Shape> {
        match self.value_type(edge)? {
            ValueType::Tensor(shape) => Ok(shape),
            other => Err(Error::Graph(format!("`{}` is {other}, not a tensor", self.nodes[edge.node].name()))),
        }
    }

    /// The finished graph.
    ///
    /// # Errors
    /// [`Error::Graph`] if it has no output.
    pub fn build(self) -> Result<Graph> {
        Graph::assemble(self.id, self.nodes, self.parameters, self.outputs)
    }
}
