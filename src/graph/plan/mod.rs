//! Planning: in which order nodes run, how long each value is needed, and which values share a buffer. Nothing here
//! needs a device.

mod display;
mod halves;
mod lower;
mod order;
mod slots;
mod storage;
mod tail;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use super::{Arithmetic, Edge, Graph, Node, ValueType};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, Caps, Elements, KernelPlan, Storage};
use crate::kernel;
use crate::op::Cost;
use slots::{Block, Slots};
use storage::Storages;

pub(crate) use lower::Preferences;

/// How a graph runs on a device: printable, and what [`Session`](super::Session) follows.
///
/// Inputs and outputs keep their buffers for the whole run, so that an application may read and write them; everything
/// else gives its buffer to later values when its last reader is done.
#[derive(Clone, Debug)]
pub struct Plan {
    steps: Vec<PlannedNode>,
    /// Bytes of each slot: the buffers that a session makes.
    slots: Vec<u64>,
    /// The slot in which each value lies.
    values: HashMap<Edge, usize>,
    /// The form in which each value lies there.
    storages: Storages,
    live_bytes: u64,
    weight_bytes: u64,
    parameters: u64,
}

/// One node of a plan.
#[derive(Clone, Debug)]
pub struct PlannedNode {
    /// Its position in the graph.
    pub(super) node: usize,
    name: String,
    operator: &'static str,
    outputs: Vec<ValueType>,
    storages: Vec<Storage>,
    /// The slots of the outputs, then those of the temporaries.
    slots: Vec<usize>,
    cost: Cost,
    least_bytes: u64,
    pub(super) kernel: KernelPlan,
    /// The slot of each of the kernel plan's temporaries that every run writes.
    pub(super) scratch: Vec<Option<usize>>,
}

impl Graph {
    /// Plans the graph, [folded](Graph::fold), for a device of such limits: kernels, order, lifetimes and buffers. Max
    /// poolings of 2x2 windows become the end of a convolution, by minimal filtering or in f16, whose map nothing else reads.
    ///
    /// # Errors
    /// [`Error::Node`] round what a node's kernels say, such as
    /// [`Error::Limit`] for a value that exceeds a buffer or a binding.
    pub fn plan(&self, caps: &Caps) -> Result<Plan> {
        self.plan_in(caps, &Elements::f32())
    }

    /// The same with weights and activations in such elements.
    ///
    /// # Errors
    /// As [`Graph::plan`]; [`Error::Graph`] where a name to be kept in f32 is none of this graph.
    pub fn plan_in(&self, caps: &Caps, elements: &Elements) -> Result<Plan> {
        self.check_elements(elements)?;
        let preferences = Preferences { asked: &|_| None, tuning: None, elements };
        self.fold().graph().fused_for(caps, &preferences).plan_with(caps, &preferences)
    }

    /// Refuses names to be kept in f32 that are none of a node or a weight.
    pub(crate) fn check_elements(&self, elements: &Elements) -> Result<()> {
        let known = |name: &str| {
            self.nodes().iter().any(|node| node.name() == name)
                || self.parameters.iter().any(|parameter| parameter.name() == name)
        };
        match elements.unknown(known) {
            None => Ok(()),
            Some(name) => Err(Error::Graph(format!("there is no node or weight `{name}` to keep in f32"))),
        }
    }

    /// The same network with what can be one dispatch on such a device as one node: a convolution and the max pooling of its map,
    /// a last upsampling and its labels.
    pub(crate) fn fused_for(&self, caps: &Caps, preferences: &Preferences<'_>) -> Self {
        self.with_pools_fused_for(caps, preferences).with_tails_in_one(caps, preferences)
    }

    /// The same network with every max pooling that alone reads a convolution's map made part of the convolution, where the
    /// convolution's kernel on such a device can end in one.
    fn with_pools_fused_for(&self, caps: &Caps, preferences: &Preferences<'_>) -> Self {
        let storages = Storages::choose(self, preferences);
        self.with_pools_fused(|node, places| lower::can_pool(self, node, places, &storages, caps, preferences))
    }

    /// Plans a graph that is folded already, with kernel variants that are to be preferred.
    pub(crate) fn plan_with(&self, caps: &Caps, preferences: &Preferences<'_>) -> Result<Plan> {
        let storages = Storages::choose(self, preferences);
        let kernels = lower::kernels(self, &storages, caps, preferences)?;
        let layout = |order| Layout::of(self, &kernels, &storages, order);
        let [insertion, shrinking] = order::candidates(self, &storages).map(layout);
        let best = if shrinking.slots.bytes() < insertion.slots.bytes() { shrinking } else { insertion };
        Ok(best.into_plan(self, kernels, storages))
    }

    /// Values that keep their place for the whole run: the inputs and the results.
    fn pinned(&self) -> impl Iterator<Item = Edge> {
        self.input_edges().chain(self.results().iter().map(|output| output.edge))
    }
}

impl Plan {
    /// Bytes of the buffers that a run works in: inputs, outputs, all values between, temporaries.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.slots.iter().sum()
    }

    /// The most bytes that are needed at once by any one node: no plan in this order could do with less.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Bytes of weights that stay on the device from run to run.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        self.weight_bytes
    }

    /// The nodes in the order in which they run.
    #[must_use]
    pub fn nodes(&self) -> &[PlannedNode] {
        &self.steps
    }

    /// The node of this name, if it has a part in an output.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&PlannedNode> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Bytes of each buffer that values share.
    #[must_use]
    pub fn slots(&self) -> &[u64] {
        &self.slots
    }

    /// The slot in which a value lies.
    pub(crate) fn slot(&self, edge: Edge) -> usize {
        self.values[&edge]
    }

    /// In which form a value lies there.
    pub(crate) fn storage(&self, edge: Edge) -> Storage {
        self.storages.of(edge)
    }

    /// 4-byte words that a value of the planned graph takes in its slot.
    pub(crate) fn words(&self, graph: &Graph, edge: Edge) -> u64 {
        storage::words(graph.value_type(edge), self.storages.of(edge))
    }
}

impl PlannedNode {
    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operator's name.
    #[must_use]
    pub fn operator(&self) -> &'static str {
        self.operator
    }

    /// Kinds and shapes of its results.
    #[must_use]
    pub fn outputs(&self) -> &[ValueType] {
        &self.outputs
    }

    /// In which form each of its results lies on the device.
    #[must_use]
    pub fn storages(&self) -> &[Storage] {
        &self.storages
    }

    /// Bytes that its results take on the device.
    #[must_use]
    pub fn output_bytes(&self) -> u64 {
        self.outputs.iter().zip(&self.storages).map(|(&output, &storage)| 4 * storage::words(output, storage)).sum()
    }

    /// Multiply-adds, parameters and least bytes by the operator's definition.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Bytes of the definition, each operand read once and each result written once, in the forms in which they are kept.
    #[must_use]
    pub fn least_bytes(&self) -> u64 {
        self.least_bytes
    }

    /// The kernel variant that was chosen.
    #[must_use]
    pub fn variant(&self) -> &'static str {
        self.kernel.variant
    }

    /// `[m, r]` along rows and along columns where it computes by minimal filtering F(m x m', r x r'), m cells from r taps of the kernel or
    /// of its pieces.
    #[must_use]
    pub fn minimal_filtering(&self) -> Option<[[usize; 2]; 2]> {
        self.kernel.filtering
    }

    /// Whether its products are those of matrix units.
    #[must_use]
    pub fn on_matrix_units(&self) -> bool {
        use kernel::{conv_transpose2d::Variant as Transposed, conv2d::Variant};
        match self.operator {
            "conv2d" | "conv2d+max_pool2d" => self.variant() == Variant::Cooperative.name(),
            "conv_transpose2d" => self.variant() == Transposed::Cooperative.name(),
            _ => false,
        }
    }

    /// How its kernels compute.
    #[must_use]
    pub fn arithmetic(&self) -> Arithmetic {
        Arithmetic {
            filtering: self.minimal_filtering(),
            half_operands: self.kernel.half_weight,
            half_result: self.storages().first() == Some(&Storage::Halves),
        }
    }

    /// Whether its kernels are those for f32, between conversions from and to f16.
    #[must_use]
    pub fn via_f32(&self) -> bool {
        self.kernel.via_f32
    }

    /// Multiply-adds that its kernels execute.
    #[must_use]
    pub fn executed_macs(&self) -> u64 {
        self.kernel.executed_macs
    }
}

/// What lies in a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    Value(Edge),
    /// A temporary of a node's kernel plan: node, position.
    Scratch(usize, usize),
}

/// An order with the buffers that it takes.
struct Layout {
    order: Vec<usize>,
    contents: Vec<Content>,
    blocks: Vec<Block>,
    slots: Slots,
}

impl Layout {
    fn of(graph: &Graph, kernels: &HashMap<usize, KernelPlan>, storages: &Storages, order: Vec<usize>) -> Self {
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

    fn into_plan(self, graph: &Graph, mut kernels: HashMap<usize, KernelPlan>, storages: Storages) -> Plan {
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
