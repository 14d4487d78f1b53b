//! Looking inside: what a node reads, and a graph whose every value can be read back.

use super::{Edge, Graph, Node, Operation, Output, ValueType};

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
