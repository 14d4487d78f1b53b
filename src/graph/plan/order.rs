//! In which order nodes run.

use std::collections::{HashMap, HashSet};

use super::storage::{self, Storages};
use crate::graph::{Edge, Graph, Operation};

/// Orders worth planning for: as the nodes were added, and the same but for nodes that shrink memory, which run as soon
/// as they can. The second spares a skip connection from lying around whole until its score is taken.
pub(super) fn candidates(graph: &Graph, storages: &Storages) -> [Vec<usize>; 2] {
    let is_input = |node: usize| *graph.nodes()[node].operation() == Operation::Input;
    let insertion: Vec<usize> = graph.live_nodes().map(|(node, _)| node).filter(|&node| !is_input(node)).collect();
    let shrinking = shrink_first(graph, storages, &insertion);
    [insertion, shrinking]
}

/// Of the nodes whose operands are there, the first that frees more bytes than it takes, or else the first.
fn shrink_first(graph: &Graph, storages: &Storages, insertion: &[usize]) -> Vec<usize> {
    let nodes = graph.nodes();
    // Inputs and results stay for the whole run, so nothing is won by being their last reader.
    let stays: HashSet<Edge> = graph.pinned().collect();
    let mut readers: HashMap<Edge, usize> = HashMap::new();
    for &edge in insertion.iter().flat_map(|&node| nodes[node].inputs()) {
        *readers.entry(edge).or_default() += 1;
    }
    let mut waiting = insertion.to_vec();
    let mut done: Vec<bool> = nodes.iter().map(|node| *node.operation() == Operation::Input).collect();
    let mut order = Vec::with_capacity(insertion.len());
    while !waiting.is_empty() {
        let ready = |&node: &usize| nodes[node].inputs().iter().all(|input| done[input.node()]);
        let shrinks = |&node: &usize| {
            let words = |edge: Edge| storage::words(graph.value_type(edge), storages.of(edge));
            let takes: u64 = graph.edges_of(node).map(|(edge, _)| words(edge)).sum();
            let reads: HashSet<Edge> = nodes[node].inputs().iter().copied().collect();
            let is_last = |edge: &Edge| readers[edge] == nodes[node].inputs().iter().filter(|e| *e == edge).count();
            let frees = reads.iter().filter(|edge| !stays.contains(edge) && is_last(edge));
            takes < frees.map(|&edge| words(edge)).sum()
        };
        // The first node that waits is ready always: those it reads were added before it.
        let next = waiting.iter().position(|node| ready(node) && shrinks(node)).unwrap_or(0);
        let node = waiting.remove(next);
        nodes[node].inputs().iter().for_each(|edge| *readers.entry(*edge).or_default() -= 1);
        done[node] = true;
        order.push(node);
    }
    order
}
