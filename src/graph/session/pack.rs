//! What the dispatches of a session read besides activations: weights as they are in the file, or packed once by a
//! kernel's own dispatches.

use std::collections::{HashMap, HashSet};

use super::resident::{Mover, Resident, bound_by, bound_words};
use crate::error::{Error, Result};
use crate::gpu::{Buffer, BufferRange, Gpu, GpuBuffer, Operand, Scratch, wgpu};
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

/// Moves the weights to the device and packs them, node by node.
///
/// A weight that is only packed, by one node, is there no longer than the dispatch that packs it: of one that takes
/// several dispatches, only what the present one reads. What several nodes share is freed after the last of them. So
/// the device never holds all weights twice.
pub(super) async fn pack(gpu: &Gpu, graph: &Graph, plan: &Plan, weights: &Weights) -> Result<PackedWeights> {
    let steps = plan.nodes();
    let read_by_runs: HashSet<usize> =
        steps.iter().flat_map(|planned| graph.nodes()[planned.node].resident_parameters(&planned.kernel)).collect();
    let readers = |parameter: usize, steps: &[PlannedNode]| {
        steps.iter().filter(|planned| graph.nodes()[planned.node].parameters().contains(&parameter)).count()
    };
    let mut bound = bound_words(graph, steps);
    bound.retain(|&parameter, _| read_by_runs.contains(&parameter) || readers(parameter, steps) > 1);
    let rounded = steps.iter().filter(|planned| planned.kernel.half_weight);
    let first = |planned: &PlannedNode| graph.nodes()[planned.node].parameters().first().copied();
    let halves = rounded.filter_map(first).map(|position| graph.parameter(position).name().to_owned()).collect();
    let mut packer = Packer { gpu, graph, mover: Mover::new(gpu, weights, halves) };
    let mut all = PackedWeights { raw: HashMap::new(), packed: Vec::with_capacity(steps.len()) };
    for (step, planned) in steps.iter().enumerate() {
        let at_node = |error: Error| error.at_node(planned.name());
        for &parameter in graph.nodes()[planned.node].parameters() {
            if let Some(words) = bound.remove(&parameter) {
                let resident = packer.mover.upload(graph.parameter(parameter), words).await.map_err(at_node)?;
                all.raw.insert(parameter, resident);
            }
        }
        let packed = packer.prepare(planned, &all.raw).await.map_err(at_node)?;
        all.packed.push(packed);
        all.raw.retain(|&parameter, _| read_by_runs.contains(&parameter) || readers(parameter, &steps[step + 1..]) > 0);
        if !planned.kernel.prepare.is_empty() {
            // What was freed is pooled, and would lie there beside the packed form.
            packer.mover.settle().await?;
            gpu.trim()?;
        }
    }
    packer.mover.settle().await?;
    Ok(all)
}

struct Packer<'a> {
    gpu: &'a Gpu,
    graph: &'a Graph,
    mover: Mover<'a>,
}

impl Packer<'_> {
    /// Runs a kernel plan's `prepare`; gives the temporaries that runs read.
    async fn prepare(
        &mut self,
        planned: &PlannedNode,
        raw: &HashMap<usize, Resident>,
    ) -> Result<Vec<Option<GpuBuffer>>> {
        let (kernel, name, node) = (&planned.kernel, planned.name(), &self.graph.nodes()[planned.node]);
        if kernel.prepare.is_empty() {
            return Ok(vec![None; kernel.scratch.len()]);
        }
        let allocate = |scratch: &Scratch| self.gpu.allocate(name, scratch.words);
        let scratch = kernel.scratch.iter().map(allocate).collect::<Result<Vec<_>>>()?;
        for step in &kernel.prepare {
            let mut passing = HashMap::new();
            for (parameter, words) in bound_by(self.graph, node, step) {
                if !raw.contains_key(&parameter) {
                    let resident = self.mover.upload(self.graph.parameter(parameter), words).await?;
                    passing.insert(parameter, resident);
                }
            }
            let resolve = |operand: &Operand| {
                let found = match operand.buffer {
                    Buffer::Input(position) => {
                        let parameter = node.parameter_at(position);
                        parameter.and_then(|p| raw.get(&p).or_else(|| passing.get(&p))?.find(operand))
                    }
                    Buffer::Scratch(position) => scratch.get(position).map(|s| s.whole().narrow(operand.words.clone())),
                    _ => None,
                };
                found.ok_or_else(|| unknown(operand))
            };
            let bound = self.gpu.prepare_step(name, step, resolve)?;
            self.gpu.submit(name, |encoder| {
                bound.record(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
            })?;
        }
        let kept = scratch.into_iter().zip(&kernel.scratch);
        Ok(kept.map(|(buffer, scratch)| scratch.persistent.then_some(buffer)).collect())
    }
}

/// A kernel plan names an operand that its node does not have: a defect of the kernel.
pub(super) fn unknown(operand: &Operand) -> Error {
    Error::operand("session", "operand", "one of the node's", format!("{operand:?}"))
}
