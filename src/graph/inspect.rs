//! Looking inside: what a node reads, and a graph whose every value can be read back.

use super::{Edge, Graph, GraphBuilder, Node, Operation, Output, ValueType};
use crate::error::Result;

impl Graph {
    /// Names and types of what a node of this graph reads, in the operator's order. A value has the name that it has (or
    /// would have) as an output; an input its own.
    #[must_use]
    pub fn operands(&self, node: &Node) -> Vec<(String, ValueType)> {
        node.inputs().iter().map(|&edge| (self.value_name(edge), self.value_type(edge))).collect()
    }

    /// Names and shapes of the weights a node of this graph reads: weight and bias, or factor and shift.
    #[must_use]
    pub fn weights_of(&self, node: &Node) -> Vec<(&str, crate::Shape)> {
        let parameters = node.parameters().iter().map(|&position| self.parameter(position));
        parameters.map(|parameter| (parameter.name(), parameter.shape())).collect()
    }

    /// The same graph with every value that its outputs depend on as an output, in the order of computation, so that
    /// each can be read back and checked ([`super::check_nodes`]). Its plan shares no buffers.
    #[must_use]
    pub fn with_every_output(&self) -> Self {
        let computed = self.live_nodes().filter(|(_, node)| *node.operation() != Operation::Input);
        let edges = computed.flat_map(|(position, _)| self.edges_of(position)).map(|(edge, _)| edge);
        let outputs = edges.map(|edge| Output { name: self.value_name(edge), edge }).collect();
        Self { outputs, ..self.clone() }
    }

    /// The same graph with the switches of every pooling as a value of its own.
    pub(crate) fn with_switches(&self) -> Result<Self> {
        let mut graph = self.clone();
        for position in 0..graph.nodes.len() {
            let Operation::MaxPool2d(op) = graph.nodes[position].operation else { continue };
            let ValueType::Tensor(x) = self.value_type(self.nodes[position].inputs[0]) else { continue };
            let node = &mut graph.nodes[position];
            let (shape, origin) = (op.output_shape(x)?, x.extent());
            node.operation = Operation::MaxPool2dSwitches(op);
            node.outputs = vec![ValueType::Tensor(shape), ValueType::Switches { shape, origin, pool: op }];
            node.cost = op.cost(x, true)?;
        }
        Ok(graph)
    }

    /// A builder that goes on from this graph: its nodes and weights are there, its outputs are not declared.
    /// [`GraphBuilder::edge`] finds what new nodes are to read.
    ///
    /// ```
    /// use switchback::net::{Fcn, Head};
    /// let mut g = Fcn::published(Head::Stride32, 21).graph([1, 3, 64, 64])?.extend();
    /// let features = g.edge("fc7")?;
    /// g.output(features)?;
    /// assert_eq!(g.build()?.outputs().next().map(|(name, _)| name), Some("fc7"));
    /// # Ok::<(), switchback::Error>(())
    /// ```
    #[must_use]
    pub fn extend(&self) -> GraphBuilder {
        GraphBuilder::resume(self.nodes.clone(), self.parameters.clone())
    }

    fn value_name(&self, edge: Edge) -> String {
        self.nodes()[edge.node()].value_name(edge.port())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::{Conv2d, Graph, MaxPool2d};

    #[test]
    fn every_value_has_a_name_and_a_reader_finds_it() {
        let mut g = Graph::builder();
        let x = g.input("x", [1, 1, 4, 4]).unwrap();
        let c = g.conv2d("conv", x, Conv2d::new([1, 1]), 2).unwrap();
        let (p, s) = g.max_pool2d_switches("pool", c, MaxPool2d::new([2, 2])).unwrap();
        let u = g.max_unpool2d("unpool", p, s).unwrap();
        g.relu("dead", x).unwrap();
        g.output(u).unwrap();
        let graph = g.build().unwrap();
        let open = graph.with_every_output();
        let names: Vec<&str> = open.outputs().map(|(name, _)| name).collect();
        assert_eq!(names, ["conv", "pool", "pool.switches", "unpool"]);
        let operands = |node| graph.operands(graph.node(node).unwrap()).into_iter().map(|(name, _)| name);
        assert_eq!(operands("unpool").collect::<Vec<_>>(), ["pool", "pool.switches"]);
        assert_eq!(operands("conv").collect::<Vec<_>>(), ["x"]);
        let weights = graph.weights_of(graph.node("conv").unwrap());
        assert_eq!(weights, [("conv.weight", [2, 1, 1, 1].into()), ("conv.bias", [1, 2, 1, 1].into())]);
    }
}
