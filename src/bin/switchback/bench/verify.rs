//! Holding a workload's results to the reference before it is timed.
//!
//! Every node is checked on its own, from the operands that the device computed for it, so that rounding does not add up
//! and a whole network is checked by induction. Convolutions too large to be computed again are checked in windows of
//! their output (`window.rs`), each kernel variant by its own bound.

use std::collections::HashMap;

use switchback::graph::{Arithmetic, GpuWeights, Node, Operation, Outputs, PlannedNode, Session, check_planned_nodes};
use switchback::reference::{Answer, Mismatch};
use switchback::{Conv2d, ConvTranspose2d, Error, Graph, Tensor, Value};

use super::window::Window;
use super::workload::Workload;
use crate::Result;
use crate::console::Progress;

/// Most multiply-adds of a node that is computed again in full.
const WHOLE: u64 = 200_000_000;

/// The same for minimal filtering, whose bound takes far more work than its values.
const WHOLE_FILTERING: u64 = 1_000_000;

/// How each node was checked, by name.
pub(super) type Verified = HashMap<String, String>;

/// Checks each node behind `outputs`, which `session` computed for the workload with these weights. Where they do not hold
/// every value of the graph, another run does, whose own outputs then have to be equal to them, unless other kernels than that
/// run's rounded otherwise.
pub(super) fn run(
    mut weights: GpuWeights,
    session: &Session,
    workload: &Workload,
    outputs: &Outputs,
    progress: &Progress,
) -> Result<Verified> {
    let graph = workload.graph.with_every_output();
    if graph.outputs().all(|(name, _)| outputs.get(name).is_some()) {
        return check(&graph, session.plan().nodes(), workload, outputs, progress);
    }
    progress.doing(format_args!("{}: running with every value as an output", workload.label));
    let mut open = weights.compile(&graph)?;
    let every = open.run(workload.inputs())?;
    for (name, value) in outputs.iter().filter(|(name, value)| every.get(name) != Some(value)) {
        if !session.plan().node(name).is_some_and(PlannedNode::via_f32) {
            return Err(format!("{}: `{name}` differs between two runs of the same graph", workload.label).into());
        }
        check_alone(session, workload, name, value, &every)?;
    }
    check(&graph, open.plan().nodes(), workload, &every, progress)
}

/// Checks an output that other kernels computed than those of the run which gave `every` value, from the operands that both
/// have: labels in one pass of a map in f16, by weights in f32 where operators apart round them.
fn check_alone(session: &Session, workload: &Workload, name: &str, value: &Value, every: &Outputs) -> Result {
    let graph = session.graph();
    let node = graph.node(name).ok_or_else(|| format!("there is no node `{name}`"))?;
    let operands: Vec<String> = graph.operands(node).into_iter().map(|(operand, _)| operand).collect();
    let alone = graph.with_outputs(operands.iter().map(String::as_str).chain([name]))?;
    let of_operand = |operand: &String| every.get(operand).map(|found| (operand.clone(), found.clone()));
    let known = operands.iter().filter_map(of_operand).chain([(name.to_owned(), value.clone())]).collect();
    let only = |other: &Node| other.name() == name;
    let (plan, weights) = (session.plan().nodes(), &workload.weights);
    let checks = check_planned_nodes(&alone, plan, weights, workload.inputs(), &known, only)?;
    match checks.into_iter().next() {
        Some(check) => check.mismatch.map_or(Ok(()), |mismatch| Err(wrong(workload, name, &mismatch))),
        None => Err(format!("{}: `{name}` was not checked", workload.label).into()),
    }
}

fn check(
    graph: &Graph,
    planned: &[PlannedNode],
    workload: &Workload,
    outputs: &Outputs,
    progress: &Progress,
) -> Result<Verified> {
    let mut verified = HashMap::new();
    for plan in planned {
        let Some(node) = graph.node(plan.name()).filter(|node| is_convolution(node)) else { continue };
        progress.doing(format_args!("{}: verifying {}", workload.label, node.name()));
        verified.insert(
            node.name().to_owned(),
            Convolution::of(workload, node, plan.arithmetic(), outputs)?.check(workload)?,
        );
    }
    progress.doing(format_args!("{}: verifying", workload.label));
    let others = |node: &Node| !is_convolution(node);
    for check in check_planned_nodes(graph, planned, &workload.weights, workload.inputs(), outputs, others)? {
        if let Some(mismatch) = check.mismatch {
            return Err(wrong(workload, &check.node, &mismatch));
        }
        verified.insert(check.node, EVERY_ELEMENT.to_owned());
    }
    Ok(verified)
}

const EVERY_ELEMENT: &str = "every element against the reference";

fn is_convolution(node: &Node) -> bool {
    matches!(node.operation(), Operation::Conv2d(_) | Operation::ConvTranspose2d(_))
}

/// A convolution of either kind, with what it read and what it gave.
struct Convolution<'a> {
    node: &'a Node,
    x: &'a Tensor,
    w: Tensor,
    bias: Option<Tensor>,
    y: &'a Tensor,
    /// How the variant computes.
    arithmetic: Arithmetic,
}

impl<'a> Convolution<'a> {
    fn of(workload: &'a Workload, node: &'a Node, arithmetic: Arithmetic, outputs: &'a Outputs) -> Result<Self> {
        let operands = workload.graph.operands(node);
        let name = operands.first().map_or("", |(name, _)| name);
        let x = workload.input(name).map_or_else(|| outputs.tensor(name), Ok)?;
        let weights = workload.graph.weights_of(node);
        let mut weights = weights.iter().map(|(name, _)| workload.weights.tensor(name));
        let w = weights.next().ok_or("a convolution without a weight")??;
        let bias = weights.next().transpose()?;
        Ok(Self { node, x, w, bias, y: outputs.tensor(node.name())?, arithmetic })
    }

    /// Checks the whole output, or windows of a large one; gives what was checked.
    fn check(&self, workload: &Workload) -> Result<String> {
        let wrong =
            |place: String, mismatch: Mismatch| wrong(workload, self.node.name(), &format!("{place}{mismatch}"));
        if self.node.cost().macs <= if self.arithmetic.filtering.is_some() { WHOLE_FILTERING } else { WHOLE } {
            self.whole()?.check(self.y).map_err(|mismatch| wrong(String::new(), mismatch))?;
            return Ok(EVERY_ELEMENT.to_owned());
        }
        let groups = match self.node.operation() {
            Operation::Conv2d(op) => op.groups,
            Operation::ConvTranspose2d(op) => op.groups,
            _ => 1,
        };
        let tile = self.arithmetic.filtering.map_or(Window::PLAIN, |axes| axes.map(|[cells, _]| cells));
        let mut elements = 0;
        for window in Window::samples(self.y.shape(), groups, tile) {
            let found = window.of(self.y, groups)?;
            self.part(&window)?.check(&found).map_err(|mismatch| wrong(format!("in {window:?}, "), mismatch))?;
            elements += window.elements();
        }
        Ok(format!("{elements} of {} elements against the reference", self.y.shape().elements()))
    }

    fn whole(&self) -> Result<Answer, Error> {
        let (x, w, bias) = (self.x, &self.w, self.bias.as_ref());
        match self.node.operation() {
            Operation::Conv2d(op) => self.conv2d(op, x, w, bias),
            Operation::ConvTranspose2d(op) => self.conv_transpose2d(op, x, w, bias),
            other => Err(unexpected(other)),
        }
    }

    fn part(&self, window: &Window) -> Result<Answer, Error> {
        let (operands, bias) = ([self.x, &self.w], self.bias.as_ref());
        match self.node.operation() {
            Operation::Conv2d(op) => window.conv2d(op, operands, bias, |op, x, w, bias| self.conv2d(op, x, w, bias)),
            Operation::ConvTranspose2d(op) => {
                window.conv_transpose2d(op, operands, bias, |op, x, w, bias| self.conv_transpose2d(op, x, w, bias))
            }
            other => Err(unexpected(other)),
        }
    }

    /// The reference with the variant's bound.
    fn conv2d(&self, op: &Conv2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer, Error> {
        self.arithmetic.conv2d(op, x, w, bias)
    }

    /// The same for a transposed convolution.
    fn conv_transpose2d(
        &self,
        op: &ConvTranspose2d,
        x: &Tensor,
        w: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Answer, Error> {
        self.arithmetic.conv_transpose2d(op, x, w, bias)
    }
}

fn unexpected(operation: &Operation) -> Error {
    Error::Graph(format!("{} is no convolution", operation.name()))
}

fn wrong(workload: &Workload, node: &str, mismatch: &str) -> Box<dyn std::error::Error> {
    format!("{}: `{node}` computes something else than the reference, so it is not timed: {mismatch}", workload.label)
        .into()
}
