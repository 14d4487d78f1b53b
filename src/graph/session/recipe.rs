//! How a node's packed weights are made, apart from the node: what two sessions may share.

use super::pack::unknown;
use super::resident::{Bound, bound_by};
use super::source::Source;
use crate::error::Result;
use crate::gpu::{Buffer, Scratch, Step};
use crate::graph::{Graph, PlannedNode};
use crate::weights::Weights;

/// All that packed weights follow from: equal ones make the same words, whatever the graph, the node and its extent.
#[derive(PartialEq, Debug)]
pub(super) struct Recipe {
    /// What its dispatches call inputs.
    pub(super) weights: Vec<Source>,
    /// What they call temporaries.
    pub(super) scratch: Vec<Scratch>,
    pub(super) steps: Vec<Step>,
}

/// A recipe at its place: whose operands a node's are.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) recipe: Recipe,
    /// Of each of its weights, the position among the graph's parameters.
    pub(super) parameters: Vec<usize>,
    /// Of each of its temporaries, the position among the kernel plan's.
    pub(super) scratch: Vec<usize>,
}

impl Placed {
    /// The recipe of a node's `prepare`, which has its weights and temporaries in the order of their first use; none where
    /// nothing is prepared.
    pub(super) fn of(graph: &Graph, planned: &PlannedNode, weights: &Weights) -> Result<Option<Self>> {
        let (kernel, node) = (&planned.kernel, &graph.nodes()[planned.node]);
        let (mut parameters, mut scratch, mut steps) = (Vec::new(), Vec::new(), kernel.prepare.clone());
        for operand in steps.iter_mut().flat_map(|step| &mut step.operands) {
            operand.buffer = match operand.buffer {
                Buffer::Input(position) => {
                    let parameter = node.parameter_at(position).ok_or_else(|| unknown(operand))?;
                    Buffer::Input(place(&mut parameters, parameter))
                }
                Buffer::Scratch(position) => Buffer::Scratch(place(&mut scratch, position)),
                other => other,
            }
        }
        let source = |&parameter: &usize| {
            let half = kernel.half_weight && node.parameters().first() == Some(&parameter);
            Source::of(graph.parameter(parameter), weights, half)
        };
        let recipe = Recipe {
            weights: parameters.iter().map(source).collect(),
            scratch: scratch.iter().filter_map(|&position| kernel.scratch.get(position).copied()).collect(),
            steps,
        };
        Ok((!recipe.steps.is_empty()).then_some(Self { recipe, parameters, scratch }))
    }
}

impl Recipe {
    /// The words of each weight, by position among the recipe's, that one of its dispatches binds.
    pub(super) fn bound_by(&self, step: &Step) -> Bound {
        bound_by(step, |position| self.weights.get(position).map(|weight| (position, weight.words())))
    }
}

/// The position of an item, which is put at the end if it is not there.
fn place(items: &mut Vec<usize>, item: usize) -> usize {
    items.iter().position(|&other| other == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
}
