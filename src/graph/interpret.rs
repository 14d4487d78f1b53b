//! Running a graph on the CPU by the reference operators: the oracle for whole networks, and what runs where there is no
//! adapter.

use std::collections::HashMap;

use super::evaluate::{evaluate, parameters, values};
use super::{Arithmetic, Edge, Graph, Inputs, Node, Operation, Outputs, PlannedNode, ValueRef};
use crate::error::{Error, Result};
use crate::tensor::Value;
use crate::weights::Weights;

/// Runs the graph on the CPU; see [`interpret_with`].
///
/// # Errors
/// [`Error::Weights`] for missing or misshapen weights, [`Error::Graph`] or [`Error::Node`] for inputs that are missing
/// or do not fit.
pub fn interpret<'a>(graph: &Graph, weights: &Weights, inputs: impl Into<Inputs<'a>>) -> Result<Outputs> {
    interpret_with(graph, weights, inputs, |_, _| {})
}

/// Runs the graph on the CPU in the order in which its nodes were added, and calls `observe` after each with the node
/// and its results: to show progress, or to look at a value inside the network.
///
/// Each node's sums are in f64 and its results are rounded to f32. A value is dropped after its last reader.
///
/// # Errors
/// As [`interpret`].
pub fn interpret_with<'a>(
    graph: &Graph,
    weights: &Weights,
    inputs: impl Into<Inputs<'a>>,
    mut observe: impl FnMut(&Node, &[Value]),
) -> Result<Outputs> {
    let given: HashMap<Edge, ValueRef> = inputs.into().bind(graph)?.into_iter().collect();
    graph.check_weights(weights)?;
    let mut last_reader: HashMap<Edge, usize> = HashMap::new();
    for (position, node) in graph.live_nodes() {
        last_reader.extend(node.inputs().iter().map(|&edge| (edge, position)));
    }
    last_reader.extend(graph.results().iter().map(|output| (output.edge, usize::MAX)));

    let mut computed: HashMap<Edge, Value> = HashMap::new();
    for (position, node) in graph.live_nodes().filter(|(_, node)| *node.operation() != Operation::Input) {
        let inputs =
            node.inputs().iter().map(|&edge| find(graph, &given, &computed, edge)).collect::<Result<Vec<_>>>()?;
        let results = values(node, &inputs, &parameters(graph, node, weights)?)?;
        observe(node, &results);
        computed.extend(graph.edges_of(position).map(|(edge, _)| edge).zip(results));
        computed.retain(|edge, _| last_reader.get(edge).is_some_and(|&last| last > position));
    }
    let result = |output: &super::Output| {
        let value = find(graph, &given, &computed, output.edge)?;
        Ok((output.name.clone(), value.to_value()))
    };
    graph.results().iter().map(result).collect()
}

fn find<'v>(
    graph: &Graph,
    given: &HashMap<Edge, ValueRef<'v>>,
    computed: &'v HashMap<Edge, Value>,
    edge: Edge,
) -> Result<ValueRef<'v>> {
    let value = given.get(&edge).copied().or_else(|| computed.get(&edge).map(ValueRef::from));
    value.ok_or_else(|| Error::Graph(format!("the value of `{}` is not known", graph.nodes()[edge.node()].name())))
}

/// The reference's verdict on one node.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct NodeCheck {
    /// The node's name.
    pub node: String,
    /// What is wrong with its results; `None` if nothing is.
    pub mismatch: Option<String>,
}

/// Holds each node of a run to the reference on its own: from the operands that the run itself computed, so that the
/// rounding of earlier nodes does not blur the verdict on later ones. Sums must keep their bound, everything else must
/// be equal.
///
/// The bound is that of plain sums; [`Session::check_nodes`](super::Session::check_nodes) knows which nodes of a run
/// were computed otherwise. Checked are the nodes whose operands and results are all among the graph's inputs and
/// outputs; declare every value an output to have every node checked.
///
/// # Errors
/// As [`interpret`].
pub fn check_nodes<'a>(
    graph: &Graph,
    weights: &Weights,
    inputs: impl Into<Inputs<'a>>,
    outputs: &Outputs,
) -> Result<Vec<NodeCheck>> {
    check_nodes_where(graph, weights, inputs, outputs, |_| true)
}

/// As [`check_nodes`], of the nodes that `which` picks.
///
/// # Errors
/// As [`interpret`].
pub fn check_nodes_where<'a>(
    graph: &Graph,
    weights: &Weights,
    inputs: impl Into<Inputs<'a>>,
    outputs: &Outputs,
    which: impl Fn(&Node) -> bool,
) -> Result<Vec<NodeCheck>> {
    check(graph, weights, inputs.into(), outputs, which, |_| Arithmetic::default())
}

/// As [`check_nodes_where`], each node by the bound of the kernels that `planned` says computed it.
///
/// # Errors
/// As [`interpret`].
pub fn check_planned_nodes<'a>(
    graph: &Graph,
    planned: &[PlannedNode],
    weights: &Weights,
    inputs: impl Into<Inputs<'a>>,
    outputs: &Outputs,
    which: impl Fn(&Node) -> bool,
) -> Result<Vec<NodeCheck>> {
    let arithmetic = |node: &Node| {
        let planned = planned.iter().find(|planned| planned.name() == node.name());
        planned.map_or_else(Arithmetic::default, PlannedNode::arithmetic)
    };
    check(graph, weights, inputs.into(), outputs, which, arithmetic)
}

/// Checks nodes; `arithmetic` says how each was computed, and so which bound it keeps.
pub(super) fn check(
    graph: &Graph,
    weights: &Weights,
    inputs: Inputs,
    outputs: &Outputs,
    which: impl Fn(&Node) -> bool,
    arithmetic: impl Fn(&Node) -> Arithmetic,
) -> Result<Vec<NodeCheck>> {
    let mut known: HashMap<Edge, ValueRef> = inputs.bind(graph)?.into_iter().collect();
    graph.check_weights(weights)?;
    for output in graph.results() {
        let value = outputs.get(&output.name);
        let value = value.ok_or_else(|| Error::Graph(format!("there is no output `{}` to check", output.name)))?;
        let (expected, found) = (graph.value_type(output.edge), ValueRef::from(value).value_type());
        if found != expected {
            return Err(Error::operand("check", "output", expected, found).at_node(&output.name));
        }
        known.insert(output.edge, value.into());
    }
    let mut checks = Vec::new();
    for (position, node) in graph.live_nodes().filter(|(_, node)| *node.operation() != Operation::Input && which(node))
    {
        let operands = node.inputs().iter().map(|edge| known.get(edge).copied()).collect::<Option<Vec<_>>>();
        let results = graph.edges_of(position).map(|(edge, _)| known.get(&edge).copied()).collect::<Option<Vec<_>>>();
        let (Some(operands), Some(results)) = (operands, results) else { continue };
        let expected = evaluate(node, &operands, &parameters(graph, node, weights)?, arithmetic(node))?;
        let mismatch = expected.iter().zip(results).find_map(|(expected, found)| expected.mismatch(found));
        checks.push(NodeCheck { node: node.name().to_owned(), mismatch });
    }
    Ok(checks)
}
