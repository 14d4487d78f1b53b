//! What the dispatches of a session read besides activations: weights as they are in the file, or packed once by a
//! kernel's own dispatches.

use std::collections::{HashMap, HashSet};

use super::resident::{Mover, Resident, bound_words};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, BufferRange, Gpu, GpuBuffer, Operand, wgpu};
use crate::graph::{Graph, Node, Plan, PlannedNode};
use crate::weights::Weights;

/// The weights of a session.
#[derive(Debug)]
pub(super) struct PackedWeights {
    /// Those that dispatches of a run read as they are, by position among the graph's parameters.
    raw: HashMap<usize, Resident>,
    /// The packed ones of each planned node, by position among its kernel plan's temporaries.
    packed: Vec<Vec<Option<GpuBuffer>>>,
}

impl PackedWeights {
    /// The weight that an operand of a planned node names, or `None` if it names none.
    pub(super) fn find(&self, node: &Node, step: usize, operand: &Operand) -> Option<BufferRange<'_>> {
        match operand.buffer {
            Buffer::Input(position) => self.raw.get(&node.parameter_at(position)?)?.find(operand),
            Buffer::Scratch(position) => {
                let packed = self.packed[step].get(position)?.as_ref()?;
                Some(packed.whole().narrow(operand.words.clone()))
            }
            _ => None,
        }
    }
}

/// Moves the weights to the device and packs them, node by node: what only packing reads is freed as soon as the last
/// node that shares it is done, so that the device never holds all weights twice.
pub(super) async fn pack(gpu: &Gpu, graph: &Graph, plan: &Plan, weights: &Weights) -> Result<PackedWeights> {
    let steps = plan.nodes();
    let mut bound = bound_words(graph, steps);
    let read_by_runs: HashSet<usize> =
        steps.iter().flat_map(|planned| graph.nodes()[planned.node].resident_parameters(&planned.kernel)).collect();
    let mut mover = Mover::new(gpu, weights);
    let mut all = PackedWeights { raw: HashMap::new(), packed: Vec::with_capacity(steps.len()) };
    for (step, planned) in steps.iter().enumerate() {
        let at_node = |error: Error| error.at_node(planned.name());
        let node = &graph.nodes()[planned.node];
        for &parameter in node.parameters() {
            if let Some(words) = bound.remove(&parameter) {
                let resident = mover.upload(graph.parameter(parameter), words).await.map_err(at_node)?;
                all.raw.insert(parameter, resident);
            }
        }
        let packed = prepare(gpu, node, planned, &all.raw).map_err(at_node)?;
        all.packed.push(packed);

        let shared = |parameter: &usize| {
            steps[step + 1..].iter().any(|later| graph.nodes()[later.node].parameters().contains(parameter))
        };
        let before = all.raw.len();
        all.raw.retain(|parameter, _| read_by_runs.contains(parameter) || shared(parameter));
        if all.raw.len() < before {
            // What was freed is pooled, and would lie there beside the packed form.
            mover.settle().await?;
            gpu.trim()?;
        }
    }
    mover.settle().await?;
    Ok(all)
}

/// Runs a kernel plan's `prepare`; gives the temporaries that runs read.
fn prepare(
    gpu: &Gpu,
    node: &Node,
    planned: &PlannedNode,
    raw: &HashMap<usize, Resident>,
) -> Result<Vec<Option<GpuBuffer>>> {
    let kernel = &planned.kernel;
    if kernel.prepare.is_empty() {
        return Ok(vec![None; kernel.scratch.len()]);
    }
    let name = planned.name();
    let scratch = kernel.scratch.iter().map(|scratch| gpu.allocate(name, scratch.words)).collect::<Result<Vec<_>>>()?;
    let resolve = |operand: &Operand| {
        let found = match operand.buffer {
            Buffer::Input(position) => node.parameter_at(position).and_then(|p| raw.get(&p)?.find(operand)),
            Buffer::Scratch(position) => scratch.get(position).map(|s| s.whole().narrow(operand.words.clone())),
            _ => None,
        };
        found.ok_or_else(|| unknown(operand))
    };
    let steps = kernel.prepare.iter().map(|step| gpu.prepare_step(name, step, resolve)).collect::<Result<Vec<_>>>()?;
    gpu.submit(name, |encoder| {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        steps.iter().for_each(|step| step.record(&mut pass));
    })?;
    let kept = scratch.into_iter().zip(&kernel.scratch);
    Ok(kept.map(|(buffer, scratch)| scratch.persistent.then_some(buffer)).collect())
}

/// A kernel plan names an operand that its node does not have: a defect of the kernel.
pub(super) fn unknown(operand: &Operand) -> Error {
    Error::operand("session", "operand", "one of the node's", format!("{operand:?}"))
}
