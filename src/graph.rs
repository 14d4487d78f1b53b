//! Networks as graphs of named nodes: built and checked here, planned, interpreted on the CPU, run on the GPU.
//!
//! A [`Graph`] holds operators, shapes and the names of weights, no data. [`GraphBuilder`] makes one and checks every
//! shape as a node is added.
//!
//! ```
//! use switchback::{Conv2d, Graph, MaxPool2d};
//! let mut g = Graph::builder();
//! let x = g.input("image", [1, 3, 96, 64])?;
//! let c = g.conv2d("conv1", x, Conv2d::new([3, 3]).pad(1).relu(), 32)?;
//! let (p, switches) = g.max_pool2d_switches("pool1", c, MaxPool2d::new([2, 2]))?;
//! let u = g.max_unpool2d("unpool1", p, switches)?;
//! g.output(u)?;
//! let graph = g.build()?;
//! assert_eq!(graph.weights_required()[0].0, "conv1.weight");
//! # Ok::<(), switchback::Error>(())
//! ```

mod arithmetic;
mod builder;
mod diagonal;
mod evaluate;
mod fold;
mod fuse_pools;
mod insert;
mod inspect;
mod interpret;
mod merge;
mod node;
mod parameter;
mod plan;
mod session;
mod values;

pub use arithmetic::Arithmetic;
pub use builder::GraphBuilder;
pub use fold::Folded;
pub use interpret::{NodeCheck, check_nodes, check_nodes_where, check_planned_nodes, interpret, interpret_with};
pub use node::{Edge, Node, Operation, ValueType};
pub use parameter::{Parameter, Parameters, Weight};
pub use plan::{Plan, PlannedNode};
pub use session::{GpuWeights, NodeTime, Profile, Session, Trial};
pub use values::{Inputs, Outputs, ValueRef};

use crate::error::{Error, Result};
use crate::op::Cost;
use crate::shape::Shape;
use crate::weights::Weights;

/// A network: nodes in an order in which each comes after those it reads, and the values that are its results.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The builder's, which its edges carry.
    id: u64,
    nodes: Vec<Node>,
    parameters: Vec<Parameter>,
    outputs: Vec<Output>,
    /// Whether a node has a part in any output, for each node.
    live: Vec<bool>,
}

/// A result of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) edge: Edge,
}

impl Graph {
    /// An empty graph to add nodes to.
    #[must_use]
    pub fn builder() -> GraphBuilder {
        GraphBuilder::new()
    }

    /// All nodes, inputs included, in the order in which they were added.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name() == name)
    }

    /// Names and types of the inputs that the outputs depend on, in the order in which they were added.
    pub fn inputs(&self) -> impl Iterator<Item = (&str, ValueType)> {
        self.input_edges().map(|edge| (self.nodes[edge.node].name(), self.value_type(edge)))
    }

    /// Names and types of the outputs, in the order in which they were declared. An output has its node's name; the
    /// switches of a pooling are `NODE.switches`.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, ValueType)> {
        self.outputs.iter().map(|output| (output.name.as_str(), self.value_type(output.edge)))
    }

    /// The same network with these nodes' (first) results as outputs in place of its own: for a look inside.
    ///
    /// # Errors
    /// [`Error::Graph`] for no names, for a name twice, and for one that no node has.
    pub fn with_outputs<N: AsRef<str>>(&self, names: impl IntoIterator<Item = N>) -> Result<Self> {
        let mut outputs: Vec<Output> = Vec::new();
        for name in names {
            let name = name.as_ref();
            let node = self.nodes.iter().position(|node| node.name() == name);
            let node = node.ok_or_else(|| Error::Graph(format!("there is no node `{name}`")))?;
            if outputs.iter().any(|output| output.name == name) {
                return Err(Error::Graph(format!("`{name}` is an output already")));
            }
            outputs.push(Output { name: name.to_owned(), edge: Edge { builder: self.id, node, port: 0 } });
        }
        Self::assemble(self.id, self.nodes.clone(), self.parameters.clone(), outputs)
    }

    /// A graph of these outputs and all that they depend on.
    fn assemble(id: u64, nodes: Vec<Node>, parameters: Vec<Parameter>, outputs: Vec<Output>) -> Result<Self> {
        if outputs.is_empty() {
            return Err(Error::Graph("no outputs; declare at least one with `output`".to_owned()));
        }
        let mut live = vec![false; nodes.len()];
        for output in &outputs {
            live[output.edge.node] = true;
        }
        // Nodes come after those they read, so that one pass backwards reaches everything.
        for (position, node) in nodes.iter().enumerate().rev() {
            if live[position] {
                node.inputs.iter().for_each(|input| live[input.node] = true);
            }
        }
        Ok(Self { id, nodes, parameters, outputs, live })
    }

    /// Names and shapes of the weights that the outputs depend on, each once, in the order of first use.
    ///
    /// In a weight file a bias `1 x C x 1 x 1` is a vector of C; a fully connected layer's `O x I` serves as
    /// `O x I x 1 x 1`.
    #[must_use]
    pub fn weights_required(&self) -> Vec<(&str, Shape)> {
        let named = self.live_parameters().filter(|(_, parameter)| parameter.constant().is_none());
        named.map(|(_, parameter)| (parameter.name(), parameter.shape())).collect()
    }

    /// Multiply-adds, parameters and least bytes of all that the outputs depend on. A shared weight is one parameter.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let total: Cost = self.live_nodes().map(|(_, node)| node.cost()).sum();
        let parameters = self.live_parameters().map(|(_, parameter)| parameter.shape().elements() as u64).sum();
        Cost { parameters, ..total }
    }

    /// Refuses weights of which some are missing or misshapen; more than are needed are no fault.
    pub(crate) fn check_weights(&self, weights: &Weights) -> Result<()> {
        weights.check_present("this graph", self.weights_required())
    }

    /// The results of the inputs that have a part in an output.
    pub(crate) fn input_edges(&self) -> impl Iterator<Item = Edge> {
        let inputs = self.live_nodes().filter(|(_, node)| *node.operation() == Operation::Input);
        inputs.map(|(node, _)| Edge { builder: self.id, node, port: 0 })
    }

    /// The results of a node.
    pub(crate) fn edges_of(&self, node: usize) -> impl Iterator<Item = (Edge, ValueType)> {
        let outputs = self.nodes[node].outputs().iter().enumerate();
        outputs.map(move |(port, &value_type)| (Edge { builder: self.id, node, port }, value_type))
    }

    /// Nodes that have a part in an output, with their positions.
    pub(crate) fn live_nodes(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(|&(position, _)| self.live[position])
    }

    /// Parameters that have a part in an output, with their positions, each once.
    pub(crate) fn live_parameters(&self) -> impl Iterator<Item = (usize, &Parameter)> {
        let mut used = vec![false; self.parameters.len()];
        for &parameter in self.live_nodes().flat_map(|(_, node)| node.parameters()) {
            used[parameter] = true;
        }
        self.parameters.iter().enumerate().filter(move |&(position, _)| used[position])
    }

    /// A weight by its position.
    pub(crate) fn parameter(&self, position: usize) -> &Parameter {
        &self.parameters[position]
    }

    /// The results.
    pub(crate) fn results(&self) -> &[Output] {
        &self.outputs
    }

    /// What flows along an edge of this graph.
    pub(crate) fn value_type(&self, edge: Edge) -> ValueType {
        self.nodes[edge.node()].outputs()[edge.port()]
    }
}
