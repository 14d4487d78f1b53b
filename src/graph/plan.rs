//! Planning: in which order nodes run, how long each value is needed, and which values share a buffer. Nothing here
//! needs a device.

mod display;
mod halves;
mod layout;
mod lower;
mod order;
mod planned;
mod slots;
mod storage;
mod tail;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::{Edge, Graph};
use crate::error::{Error, Result};
use crate::gpu::{Caps, Elements, Storage};
use layout::Layout;
use storage::Storages;

pub(crate) use lower::Preferences;
pub use planned::PlannedNode;

/// How a graph runs on a device: printable, and what [`Session`](super::Session) follows.
///
/// Inputs and outputs keep their buffers for the whole run, so that an application may read and write them; everything
/// else gives its buffer to later values when its last reader is done.
///
/// ```
/// use switchback::{gpu::Caps, net::{Fcn, Head}};
/// let graph = Fcn::published(Head::Stride8, 21).labels_from_image([375, 500])?;
/// let plan = graph.plan(&Caps::WEBGPU)?; // or `gpu.caps()`
/// println!("{plan}");
/// let slowest = plan.nodes().iter().max_by_key(|node| node.executed_macs());
/// assert_eq!(slowest.map(|node| node.name()), Some("fc6"));
/// assert!(plan.live_bytes() <= plan.peak_bytes());
/// # Ok::<(), switchback::Error>(())
/// ```
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
        let preferences = Preferences { asked: &|_| None, tuning: None, elements, texels: None };
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

    /// Bytes of weights that stay on the device from run to run. What two nodes pack alike of one weight counts twice, and is
    /// there once.
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
