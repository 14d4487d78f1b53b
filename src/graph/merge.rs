//! Nodes that become part of others: who reads what, and the graph that is left.

use std::collections::HashMap;

use super::parameter::Parameter;
use super::{Edge, Graph, Node, Output};

/// The nodes that read each value, a node that reads it twice twice.
pub(super) struct Readers(HashMap<Edge, Vec<Reader>>);

#[derive(Clone, Copy)]
enum Reader {
    Node(usize),
    /// The caller: the value is a result of the graph.
    Caller,
}

impl Readers {
    /// The one node that reads a value, if there is just one and the value is no output.
    pub(super) fn only(&self, edge: Edge) -> Option<usize> {
        match self.0.get(&edge).map(Vec::as_slice) {
            Some(&[Reader::Node(reader)]) => Some(reader),
            _ => None,
        }
    }
}

impl Graph {
    /// Who reads what.
    pub(super) fn readers(&self) -> Readers {
        let mut readers: HashMap<Edge, Vec<Reader>> = HashMap::new();
        for (position, node) in self.live_nodes() {
            node.inputs().iter().for_each(|&edge| readers.entry(edge).or_default().push(Reader::Node(position)));
        }
        self.outputs.iter().for_each(|output| readers.entry(output.edge).or_default().push(Reader::Caller));
        Readers(readers)
    }

    /// This graph with other nodes at the same positions, of which those in `gone` are part of another: whoever read their
    /// results reads that one's. Nodes that have no part in an output are dropped.
    pub(super) fn merged(&self, nodes: Vec<Node>, parameters: Vec<Parameter>, gone: &HashMap<usize, usize>) -> Self {
        let live: Vec<usize> = self.live_nodes().map(|(position, _)| position).collect();
        let kept = live.into_iter().filter(|position| !gone.contains_key(position));
        let place: HashMap<usize, usize> = kept.clone().enumerate().map(|(new, old)| (old, new)).collect();
        let moved = |edge: Edge| Edge { node: place[gone.get(&edge.node).unwrap_or(&edge.node)], ..edge };
        let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
        let mut nodes: Vec<Node> = kept.filter_map(|position| nodes[position].take()).collect();
        nodes.iter_mut().flat_map(|node| &mut node.inputs).for_each(|input| *input = moved(*input));
        let output = |output: &Output| Output { name: output.name.clone(), edge: moved(output.edge) };
        let outputs = self.outputs.iter().map(output).collect();
        let live = vec![true; nodes.len()];
        Self { id: self.id, nodes, parameters, outputs, live }
    }
}
