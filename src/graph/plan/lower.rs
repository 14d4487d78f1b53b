//! Which dispatches each node takes.

use std::collections::HashMap;

use crate::error::Result;
use crate::gpu::{Caps, KernelPlan};
use crate::graph::{Graph, Node, Operation};
use crate::shape::Shape;

/// Kernel variants to be preferred, by operator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preferences {}

pub(super) fn kernels(graph: &Graph, caps: &Caps, preferences: &Preferences) -> Result<HashMap<usize, KernelPlan>> {
    Ok(graph.live_nodes().map(|(node, _)| (node, KernelPlan::default())).collect())
}
