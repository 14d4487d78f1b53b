//! Which values and temporaries share a buffer, for one order of the nodes.

use std::collections::{BTreeSet, HashMap};

use super::super::{Edge, Graph, Node};
use super::slots::{self, Block, Slots};
use super::storage::{self, Storages};
use super::{Plan, PlannedNode};
use crate::gpu::{Buffer, KernelPlan};

/// What lies in a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    Value(Edge),
    /// A temporary of a node's kernel plan: node, position.
    Scratch(usize, usize),
}

/// An order with the buffers that it takes.
pub(super) struct Layout {
    order: Vec<usize>,
    contents: Vec<Content>,
    blocks: Vec<Block>,
    pub(super) slots: Slots,
}

impl Layout {
    /// The values and temporaries of a graph whose nodes run in this order, each in the buffer that it shares.
    pub(super) fn of(
        graph: &Graph,
        kernels: &HashMap<usize, KernelPlan>,
        storages: &Storages,
        order: Vec<usize>,
    ) -> Self {
        let end = order.len().saturating_sub(1);
        let mut contents = Vec::new();
        let mut blocks: Vec<Block> = Vec::new();
        let mut block_of: HashMap<Edge, usize> = HashMap::new();
        let mut push = |content, bytes, first, last| {
            contents.push(content);
            blocks.push(Block { bytes, first, last });
            blocks.len() - 1
        };
        let bytes = |edge, value_type| 4 * storage::words(value_type, storages.of(edge));
        for edge in graph.input_edges() {
            push(Content::Value(edge), bytes(edge, graph.value_type(edge)), 0, end);
        }
        for (step, &node) in order.iter().enumerate() {
            for (edge, value_type) in graph.edges_of(node) {
                block_of.insert(edge, push(Content::Value(edge), bytes(edge, value_type), step, step));
            }
            for (position, scratch) in kernels[&node].scratch.iter().enumerate() {
                if rewritten_by_runs(&kernels[&node], position) {
                    push(Content::Scratch(node, position), 4 * scratch.words, step, step);
                }
            }
        }
        for (step, &node) in order.iter().enumerate() {
            for block in graph.nodes()[node].inputs().iter().filter_map(|edge| block_of.get(edge)) {
                blocks[*block].last = step;
            }
        }
        for block in graph.results().iter().filter_map(|output| block_of.get(&output.edge)) {
            blocks[*block].last = end;
        }
        let slots = slots::assign(&blocks);
        Self { order, contents, blocks, slots }
    }

    pub(super) fn into_plan(self, graph: &Graph, mut kernels: HashMap<usize, KernelPlan>, storages: Storages) -> Plan {
        let slot_of = |wanted: Content| {
            let block = self.contents.iter().position(|&content| content == wanted);
            block.map(|block| self.slots.of[block])
        };
        let weight_bytes = weight_bytes(graph, &kernels);
        let plan_node = |&node: &usize| {
            let described = &graph.nodes()[node];
            let kernel = kernels.remove(&node).unwrap_or_default();
            let scratch = (0..kernel.scratch.len()).map(|s| slot_of(Content::Scratch(node, s))).collect::<Vec<_>>();
            let outputs = graph.edges_of(node).filter_map(|(edge, _)| slot_of(Content::Value(edge)));
            PlannedNode {
                node,
                name: described.name().to_owned(),
                operator: described.operation().name(),
                outputs: described.outputs().to_vec(),
                storages: graph.edges_of(node).map(|(edge, _)| storages.of(edge)).collect(),
                slots: outputs.chain(scratch.iter().flatten().copied()).collect(),
                cost: described.cost(),
                least_bytes: storages.least_bytes(graph, node, &kernel),
                kernel,
                scratch,
            }
        };
        let value = |(content, &slot): (&Content, &usize)| match content {
            Content::Value(edge) => Some((*edge, slot)),
            Content::Scratch(..) => None,
        };
        Plan {
            steps: self.order.iter().map(plan_node).collect(),
            values: self.contents.iter().zip(&self.slots.of).filter_map(value).collect(),
            live_bytes: slots::largest_live_set(&self.blocks),
            slots: self.slots.sizes,
            storages,
            weight_bytes,
            parameters: graph.cost().parameters,
        }
    }
}

/// Whether a temporary is written anew by every run, and so takes part in sharing; the others hold packed weights, or
/// serve their making alone.
fn rewritten_by_runs(kernel: &KernelPlan, scratch: usize) -> bool {
    let used = kernel.run.iter().flat_map(|step| &step.operands).any(|o| o.buffer == Buffer::Scratch(scratch));
    used && !kernel.scratch[scratch].persistent
}

/// Bytes of what stays on the device from run to run: weights that dispatches of a run read, and packed ones.
fn weight_bytes(graph: &Graph, kernels: &HashMap<usize, KernelPlan>) -> u64 {
    let mut read: BTreeSet<usize> = BTreeSet::new();
    let mut packed = 0;
    for (&node, kernel) in kernels {
        read.extend(graph.nodes()[node].resident_parameters(kernel));
        packed +=
            kernel.scratch.iter().filter(|scratch| scratch.persistent).map(|scratch| 4 * scratch.words).sum::<u64>();
    }
    packed + read.iter().map(|&parameter| 4 * graph.parameter(parameter).shape().elements() as u64).sum::<u64>()
}

impl Node {
    /// The weights that dispatches of a run read, as positions among the graph's parameters.
    pub(crate) fn resident_parameters(&self, kernel: &KernelPlan) -> impl Iterator<Item = usize> {
        let operands = kernel.run.iter().flat_map(|step| &step.operands);
        operands.filter_map(|operand| match operand.buffer {
            Buffer::Input(position) => self.parameter_at(position),
            _ => None,
        })
    }
}
