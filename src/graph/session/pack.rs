//! What the dispatches of a session read besides activations: weights as they are in the file, or packed once by a
//! kernel's own dispatches.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::kept::Kept;
use super::recipe::{Placed, Recipe};
use super::resident::{Mover, Resident, bound_words};
use super::source::Source;
use crate::error::{Error, Result};
use crate::gpu::{Buffer, BufferRange, Gpu, GpuBuffer, Operand, Scratch, wgpu};
use crate::graph::{Graph, Node, Plan, PlannedNode};
use crate::weights::Weights;

/// The weights of a session, some of which others may read too.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedWeights {
    /// Those that dispatches of a run read as they are, by position among the graph's parameters.
    raw: HashMap<usize, Arc<Resident>>,
    /// The packed ones, by position of the planned node.
    packed: HashMap<usize, OfNode>,
}

/// The packed weights of a node.
#[derive(Clone, Debug)]
struct OfNode {
    packed: Arc<Packed>,
    /// Of each of the recipe's temporaries, the position among the kernel plan's.
    scratch: Vec<usize>,
}

/// What a recipe made.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) recipe: Recipe,
    /// Its persistent temporaries, by their position.
    kept: Vec<Option<GpuBuffer>>,
}

impl PackedWeights {
    /// The weight that an operand of a planned node names, or `None` if it names none.
    pub(super) fn find(&self, node: &Node, step: usize, operand: &Operand) -> Option<BufferRange<'_>> {
        match operand.buffer {
            Buffer::Input(position) => self.raw.get(&node.parameter_at(position)?)?.find(operand),
            Buffer::Scratch(position) => {
                let OfNode { packed, scratch } = self.packed.get(&step)?;
                let place = scratch.iter().position(|&other| other == position)?;
                let buffer = packed.kept.get(place)?.as_ref()?;
                Some(buffer.whole().narrow(operand.words.clone()))
            }
            _ => None,
        }
    }
}

/// Moves the weights to the device and packs them, node by node, but for what is `kept` there already.
///
/// A weight that is only packed, by one node, is there no longer than the dispatch that packs it: of one that takes
/// several dispatches, only what the present one reads. What several nodes share is freed after the last of them. So
/// the device never holds all weights twice. What only the session before read is freed first.
pub(super) async fn pack(
    gpu: &Gpu,
    graph: &Graph,
    plan: &Plan,
    weights: &Weights,
    kept: &mut Kept,
) -> Result<PackedWeights> {
    let mut packer = Packer { gpu, mover: Mover::new(gpu, weights) };
    let mut wanted = Wanted::of(graph, plan, weights, &packer.mover)?;
    let mut all = wanted.take(kept);
    kept.last = all.clone();
    for (step, planned) in plan.nodes().iter().enumerate() {
        let at_node = |error: Error| error.at_node(planned.name());
        for &parameter in graph.nodes()[planned.node].parameters() {
            let missing = !all.raw.contains_key(&parameter) && wanted.whole(parameter);
            if let Some((source, runs)) = wanted.raw.get(&parameter).filter(|_| missing) {
                let resident = packer.mover.upload(source, runs.clone()).await.map_err(at_node)?;
                all.raw.insert(parameter, kept.raw.add(resident));
            }
        }
        if let Some(Placed { recipe, parameters, scratch }) = wanted.recipes.remove(&step) {
            let packed = match kept.packed_by(&recipe) {
                // By an earlier node, of a weight that both read.
                Some(packed) => packed,
                None => {
                    let packed = packer.make(planned.name(), recipe, &parameters, &all.raw).await.map_err(at_node)?;
                    kept.packed.add(packed)
                }
            };
            all.packed.insert(step, OfNode { packed, scratch });
            all.raw.retain(|parameter, _| wanted.read_by_runs.contains(parameter) || wanted.packers(*parameter) > 0);
            // What was freed is pooled, and would lie there beside the packed form.
            packer.mover.settle().await?;
            gpu.trim()?;
        }
    }
    packer.mover.settle().await?;
    kept.last = all.clone();
    Ok(all)
}

/// What a session reads, and how it is made.
struct Wanted {
    /// Each weight as it is, in the runs of words that dispatches bind, by position among the graph's parameters.
    raw: HashMap<usize, (Source, Vec<Range<u64>>)>,
    /// Which of them dispatches of a run read.
    read_by_runs: HashSet<usize>,
    /// What is yet to be packed, by position of the planned node.
    recipes: HashMap<usize, Placed>,
}

impl Wanted {
    fn of(graph: &Graph, plan: &Plan, weights: &Weights, mover: &Mover<'_>) -> Result<Self> {
        let steps = plan.nodes();
        let node = |planned: &PlannedNode| &graph.nodes()[planned.node];
        let rounded = steps.iter().filter(|planned| planned.kernel.half_weight);
        let halves: HashSet<usize> =
            rounded.filter_map(|planned| node(planned).parameters().first().copied()).collect();
        let (mut raw, mut recipes) = (HashMap::new(), HashMap::new());
        let mut bound = bound_words(graph, steps);
        for (step, planned) in steps.iter().enumerate() {
            let at_node = |error: Error| error.at_node(planned.name());
            for &parameter in node(planned).parameters() {
                if let Some(words) = bound.remove(&parameter) {
                    let source = Source::of(graph.parameter(parameter), weights, halves.contains(&parameter));
                    let runs = mover.runs(&source, words).map_err(at_node)?;
                    raw.insert(parameter, (source, runs));
                }
            }
            if let Some(placed) = Placed::of(graph, planned, weights).map_err(at_node)? {
                recipes.insert(step, placed);
            }
        }
        let resident = |planned: &PlannedNode| node(planned).resident_parameters(&planned.kernel).collect::<Vec<_>>();
        Ok(Self { raw, read_by_runs: steps.iter().flat_map(resident).collect(), recipes })
    }

    /// What of it is kept already, which is wanted no more.
    fn take(&mut self, kept: &Kept) -> PackedWeights {
        let find = |&parameter: &usize| {
            let (source, runs) = self.raw.get(&parameter)?;
            Some((parameter, kept.raw.find(|resident| resident.is(source, runs))?))
        };
        let raw = self.read_by_runs.iter().filter_map(find).collect();
        let mut packed = HashMap::new();
        self.recipes.retain(|&step, Placed { recipe, scratch, .. }| {
            let found = kept.packed_by(recipe).map(|packed| OfNode { packed, scratch: scratch.clone() });
            found.map(|found| packed.insert(step, found)).is_none()
        });
        PackedWeights { raw, packed }
    }

    /// How many nodes are yet to pack a weight.
    fn packers(&self, parameter: usize) -> usize {
        self.recipes.values().filter(|placed| placed.parameters.contains(&parameter)).count()
    }

    /// Whether a weight has to be there as a whole: for runs, or for several nodes to pack it.
    fn whole(&self, parameter: usize) -> bool {
        self.read_by_runs.contains(&parameter) || self.packers(parameter) > 1
    }
}

struct Packer<'a> {
    gpu: &'a Gpu,
    mover: Mover<'a>,
}

impl Packer<'_> {
    /// Makes packed weights for a node; those of its weights that are there as they are lie in `raw`.
    async fn make(
        &mut self,
        node: &str,
        recipe: Recipe,
        parameters: &[usize],
        raw: &HashMap<usize, Arc<Resident>>,
    ) -> Result<Packed> {
        let allocate = |scratch: &Scratch| self.gpu.allocate(node, scratch.words);
        let scratch = recipe.scratch.iter().map(allocate).collect::<Result<Vec<_>>>()?;
        for step in &recipe.steps {
            let mut passing = HashMap::new();
            for (weight, words) in recipe.bound_by(step) {
                if !raw.contains_key(&parameters[weight]) {
                    let source = &recipe.weights[weight];
                    let runs = self.mover.runs(source, words)?;
                    passing.insert(weight, self.mover.upload(source, runs).await?);
                }
            }
            let resolve = |operand: &Operand| {
                let found = match operand.buffer {
                    Buffer::Input(weight) => {
                        let whole = parameters.get(weight).and_then(|parameter| raw.get(parameter)).map(Arc::as_ref);
                        whole.or_else(|| passing.get(&weight)).and_then(|resident| resident.find(operand))
                    }
                    Buffer::Scratch(position) => scratch.get(position).map(|s| s.whole().narrow(operand.words.clone())),
                    _ => None,
                };
                found.ok_or_else(|| unknown(operand))
            };
            let bound = self.gpu.prepare_step(node, step, resolve)?;
            self.gpu.submit(node, |encoder| {
                bound.record(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
            })?;
        }
        let kept = scratch.into_iter().zip(&recipe.scratch);
        let kept = kept.map(|(buffer, scratch)| scratch.persistent.then_some(buffer)).collect();
        Ok(Packed { recipe, kept })
    }
}

/// A kernel plan names an operand that its node does not have: a defect of the kernel.
pub(super) fn unknown(operand: &Operand) -> Error {
    Error::operand("session", "operand", "one of the node's", format!("{operand:?}"))
}
