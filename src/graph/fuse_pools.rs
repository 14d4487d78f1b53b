//! Max poolings as the end of the convolution before them: the map between, often the largest value of a network, is then
//! never written.

use std::collections::HashMap;

use super::{Edge, Graph, Node, Operation, ValueType};
use crate::op::Cost;

impl Graph {
    /// The same network with every max pooling that alone reads a convolution's map made part of the convolution, where
    /// `fuses` says that this node can take the place of these two. The convolution keeps its node's name, outputs keep theirs.
    pub(super) fn with_pools_fused(&self, fuses: impl Fn(&Node, [usize; 2]) -> bool) -> Self {
        let readers = self.readers();
        let (mut nodes, mut gone) = (self.nodes.clone(), HashMap::new());
        for (position, node) in self.live_nodes() {
            let Some(pool) = readers.only(Edge { builder: self.id, node: position, port: 0 }) else { continue };
            if let Some(fused) = fused(node, &self.nodes[pool]).filter(|fused| fuses(fused, [position, pool])) {
                nodes[position] = fused;
                gone.insert(pool, position);
            }
        }
        self.merged(nodes, self.parameters.clone(), &gone)
    }
}

/// A convolution and the pooling of its map as one node.
fn fused(conv: &Node, pool: &Node) -> Option<Node> {
    let (conv_op, (pool_op, switches)) = match (&conv.operation, &pool.operation) {
        (&Operation::Conv2d(conv), &Operation::MaxPool2d(pool)) => (conv, (pool, false)),
        (&Operation::Conv2d(conv), &Operation::MaxPool2dSwitches(pool)) => (conv, (pool, true)),
        _ => return None,
    };
    let bytes = |outputs: &[ValueType]| outputs.iter().map(|output| output.bytes()).sum::<u64>();
    let cost =
        Cost { bytes: (conv.cost.bytes + bytes(&pool.outputs)).saturating_sub(bytes(&conv.outputs)), ..conv.cost };
    let operation = Operation::Conv2dMaxPool2d { conv: conv_op, pool: pool_op, switches };
    Some(Node { operation, outputs: pool.outputs.clone(), cost, ..conv.clone() })
}
