//! Holding a workload's results to the reference before it is timed.
//!
//! Every node is checked on its own, from the operands that the device computed for it, so that rounding does not add up
//! and a whole network is checked by induction. Convolutions too large to be computed again are checked in windows of
//! their output (`window.rs`).

use std::collections::HashMap;

use switchback::gpu::Gpu;
use switchback::graph::{Node, Operation, Outputs, check_nodes_where};
use switchback::{Error, Graph, Tensor};

use super::window::Window;
use super::workload::Workload;
use crate::Result;
use crate::console::Progress;

/// Most multiply-adds of a node that is computed again in full.
const WHOLE: u64 = 200_000_000;

/// How each node was checked, by name.
pub(super) type Verified = HashMap<String, String>;

/// Checks each node behind `outputs`, which the device computed for the workload. Where they do not hold every value of
/// the graph, another run does, whose own outputs then have to be equal to them.
pub(super) fn run(gpu: &Gpu, workload: &Workload, outputs: &Outputs, progress: &Progress) -> Result<Verified> {
    let graph = workload.graph.with_every_output();
    if graph.outputs().all(|(name, _)| outputs.get(name).is_some()) {
        return check(&graph, workload, outputs, progress);
    }
    progress.doing(format_args!("{}: running with every value as an output", workload.label));
    let every = gpu.compile(&graph, &workload.weights)?.run(workload.inputs())?;
    if let Some((name, _)) = outputs.iter().find(|(name, value)| every.get(name) != Some(value)) {
        return Err(format!("{}: `{name}` differs between two runs of the same graph", workload.label).into());
    }
    check(&graph, workload, &every, progress)
}

fn check(graph: &Graph, workload: &Workload, outputs: &Outputs, progress: &Progress) -> Result<Verified> {
    let mut verified = HashMap::new();
    for node in graph.nodes().iter().filter(|node| is_large(node)) {
        progress.doing(format_args!("{}: verifying {}", workload.label, node.name()));
        let elements = windows(workload, node, outputs)?;
        let all = node.outputs().iter().map(|value| value.bytes() / 4).sum::<u64>();
        verified.insert(node.name().to_owned(), format!("{elements} of {all} elements against the reference"));
    }
    progress.doing(format_args!("{}: verifying", workload.label));
    for check in check_nodes_where(graph, &workload.weights, workload.inputs(), outputs, |node| !is_large(node))? {
        if let Some(mismatch) = check.mismatch {
            return Err(wrong(workload, &check.node, &mismatch));
        }
        verified.insert(check.node, "every element against the reference".to_owned());
    }
    Ok(verified)
}

fn is_large(node: &Node) -> bool {
    matches!(node.operation(), Operation::Conv2d(_) | Operation::ConvTranspose2d(_)) && node.cost().macs > WHOLE
}

/// Checks windows of a convolution's output; gives how many elements they cover.
fn windows(workload: &Workload, node: &Node, outputs: &Outputs) -> Result<usize> {
    let tensor =
        |name: &str| -> Result<&Tensor, Error> { workload.input(name).map_or_else(|| outputs.tensor(name), Ok) };
    let operands = workload.graph.operands(node);
    let x = tensor(operands.first().map_or("", |(name, _)| name))?;
    let y = outputs.tensor(node.name())?;
    let weights = workload.graph.weights_of(node);
    let mut weights = weights.iter().map(|(name, _)| workload.weights.tensor(name));
    let w = weights.next().ok_or("a convolution without a weight")??;
    let bias = weights.next().transpose()?;
    let mut elements = 0;
    let groups = match node.operation() {
        Operation::Conv2d(op) => op.groups,
        Operation::ConvTranspose2d(op) => op.groups,
        _ => 1,
    };
    for window in Window::samples(y.shape(), groups) {
        let expected = match node.operation() {
            Operation::Conv2d(op) => window.conv2d(op, x, &w, bias.as_ref())?,
            Operation::ConvTranspose2d(op) => window.conv_transpose2d(op, x, &w, bias.as_ref())?,
            other => return Err(format!("{} is not checked in windows", other.name()).into()),
        };
        let found = window.of(y, groups)?;
        expected.check(&found).map_err(|mismatch| wrong(workload, node.name(), &format!("{window:?}: {mismatch}")))?;
        elements += window.elements();
    }
    Ok(elements)
}

fn wrong(workload: &Workload, node: &str, mismatch: &str) -> Box<dyn std::error::Error> {
    format!("{}: `{node}` computes something else than the reference, so it is not timed: {mismatch}", workload.label)
        .into()
}
