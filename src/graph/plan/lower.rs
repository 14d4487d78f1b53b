//! Which dispatches each node takes.

use std::collections::HashMap;
use std::str::FromStr;

use super::storage::Storages;
use crate::error::{Error, Result};
use crate::gpu::{Caps, KernelPlan, Storage, Tuning};
use crate::graph::{Graph, Node, Operation, ValueType};
use crate::kernel;
use crate::shape::Shape;

/// Kernel variants to be preferred to those that follow from shapes and device.
pub(crate) struct Preferences<'a> {
    /// What the caller wants for an operator, if anything.
    pub(crate) asked: &'a dyn Fn(&str) -> Option<&'static str>,
    /// What was measured to be the fastest, where the caller wants nothing.
    pub(crate) tuning: Option<&'a Tuning>,
}

/// The kernel plan of each live node that is no input.
pub(super) fn kernels(
    graph: &Graph,
    storages: &Storages,
    caps: &Caps,
    preferences: &Preferences<'_>,
) -> Result<HashMap<usize, KernelPlan>> {
    // Other variants are passed over where they do not apply; one for which the device lacks the means would never apply.
    (preferences.asked)("conv2d").map_or(Ok(()), |variant| kernel::conv2d::check_device(variant, caps))?;
    let nodes = graph.live_nodes().filter(|(_, node)| *node.operation() != Operation::Input);
    let lower = |(position, node): (usize, &Node)| {
        let operands = Operands::of(graph, storages, position);
        let asked = (preferences.asked)(node.operation().name());
        let tuned = || graph.tuned(node, &operands, caps, preferences.tuning?);
        let plan = match asked.is_none().then(tuned).flatten() {
            Some(plan) => plan,
            None => operands.plan(node.operation(), caps, asked).map_err(|error| error.at_node(node.name()))?,
        };
        Ok((position, plan))
    };
    nodes.map(lower).collect()
}

impl Graph {
    /// What a node computes, of which shapes, on one line.
    pub(crate) fn problem(&self, node: &Node) -> String {
        let inputs = node.inputs().iter().map(|&edge| self.value_type(edge).to_string());
        let parameters = node.parameters().iter().map(|&position| self.parameter(position).shape().to_string());
        let operands: Vec<String> = inputs.chain(parameters).collect();
        format!("{:?} of {}", node.operation(), operands.join(", "))
    }

    /// A node's plan by the measured variant, if there is one that applies.
    fn tuned(&self, node: &Node, operands: &Operands, caps: &Caps, tuning: &Tuning) -> Option<KernelPlan> {
        let variant = tuning.variant(&self.problem(node))?;
        let plan = operands.plan(node.operation(), caps, Some(variant));
        plan.inspect_err(|error| log::warn!("the tuning of node `{}` is ignored: {error}", node.name())).ok()
    }
}

/// Kinds and shapes of what a node reads, and the forms of what it reads and writes.
struct Operands {
    inputs: Vec<ValueType>,
    parameters: Vec<Shape>,
    input_storages: Vec<Storage>,
    output_storages: Vec<Storage>,
}

impl Operands {
    fn of(graph: &Graph, storages: &Storages, position: usize) -> Self {
        let node = &graph.nodes()[position];
        let inputs = node.inputs().iter().map(|&edge| graph.value_type(edge)).collect();
        let parameters = node.parameters().iter().map(|&position| graph.parameter(position).shape()).collect();
        let input_storages = node.inputs().iter().map(|&edge| storages.of(edge)).collect();
        let output_storages = graph.edges_of(position).map(|(edge, _)| storages.of(edge)).collect();
        Self { inputs, parameters, input_storages, output_storages }
    }

    fn plan(&self, operation: &Operation, caps: &Caps, preferred: Option<&str>) -> Result<KernelPlan> {
        match operation {
            Operation::Input => Err(unfit(operation, "an operator")),
            Operation::Conv2d(op) => {
                let (x, weight, bias) = (self.tensor(operation, 0)?, self.weight(operation)?, self.bias());
                prefer(preferred, |variant| kernel::conv2d::plan(op, x, weight, bias, variant, caps))
            }
            Operation::ConvTranspose2d(op) => {
                let (x, weight, bias) = (self.tensor(operation, 0)?, self.weight(operation)?, self.bias());
                prefer(preferred, |variant| kernel::conv_transpose2d::plan(op, x, weight, bias, variant, caps))
            }
            Operation::MaxPool2d(op) => {
                kernel::max_pool2d::plan(op, self.tensor(operation, 0)?, kernel::max_pool2d::Variant::Values, caps)
            }
            Operation::MaxPool2dSwitches(op) => {
                let variant = match self.output_storages.get(1) {
                    Some(Storage::Compact) => kernel::max_pool2d::Variant::CompactSwitches,
                    _ => kernel::max_pool2d::Variant::Switches,
                };
                kernel::max_pool2d::plan(op, self.tensor(operation, 0)?, variant, caps)
            }
            Operation::MaxUnpool2d(op) => {
                let x = self.tensor(operation, 0)?;
                let (Some(&ValueType::Switches { shape, origin, ref pool }), Some(&storage)) =
                    (self.inputs.get(1), self.input_storages.get(1))
                else {
                    return Err(unfit(operation, "switches"));
                };
                let switches = kernel::max_unpool2d::Source { shape, origin, pool, storage };
                prefer(preferred, |variant| kernel::max_unpool2d::plan(op, x, switches, variant, caps))
            }
            Operation::Relu => kernel::relu::plan(self.tensor(operation, 0)?, caps),
            Operation::Add => kernel::add::plan(self.tensor(operation, 0)?, self.tensor(operation, 1)?, caps),
            Operation::Crop(op) => kernel::crop::plan(op, self.tensor(operation, 0)?, caps),
            Operation::Pad(op) => kernel::pad::plan(op, self.tensor(operation, 0)?, caps),
            Operation::CropAdd(op) => {
                kernel::crop_add::plan(op, self.tensor(operation, 0)?, self.tensor(operation, 1)?, caps)
            }
            Operation::Concat => {
                let shape = |position| self.tensor(operation, position);
                kernel::concat::plan(&(0..self.inputs.len()).map(shape).collect::<Result<Vec<_>>>()?, caps)
            }
            Operation::Slice(op) => kernel::slice::plan(op, self.tensor(operation, 0)?, caps),
            Operation::Scale => {
                kernel::scale::plan(self.tensor(operation, 0)?, self.weight(operation)?, self.bias(), caps)
            }
            Operation::BatchNorm(op) => {
                let vectors = <[Shape; 4]>::try_from(self.parameters.as_slice());
                let vectors = vectors.map_err(|_| unfit(operation, "four vectors"))?;
                kernel::batch_norm::plan(op, self.tensor(operation, 0)?, vectors, caps)
            }
            Operation::LocalResponseNorm(op) => kernel::local_response_norm::plan(op, self.tensor(operation, 0)?, caps),
            Operation::SoftmaxChannels => kernel::softmax_channels::plan(self.tensor(operation, 0)?, caps),
            Operation::ArgmaxChannels => kernel::argmax_channels::plan(self.tensor(operation, 0)?, caps),
            Operation::ConvTranspose2dArgmax(op) => {
                let (x, weight, bias) = (self.tensor(operation, 0)?, self.weight(operation)?, self.bias());
                kernel::conv_transpose2d::plan_classes(op, x, weight, bias, caps)
            }
            Operation::Normalize(op) => match self.inputs.first() {
                Some(&ValueType::Image { extent }) => kernel::normalize::plan(op, extent, caps),
                _ => Err(unfit(operation, "an 8-bit image")),
            },
            Operation::Colorize(palette) => match self.inputs.first() {
                Some(&ValueType::Labels { count, extent: [h, w] }) => {
                    kernel::colorize::plan(Shape { n: count, c: 1, h, w }, palette, caps)
                }
                _ => Err(unfit(operation, "labels")),
            },
        }
    }

    fn tensor(&self, operation: &Operation, position: usize) -> Result<Shape> {
        match self.inputs.get(position) {
            Some(&ValueType::Tensor(shape)) => Ok(shape),
            _ => Err(unfit(operation, "a tensor")),
        }
    }

    fn weight(&self, operation: &Operation) -> Result<Shape> {
        self.parameters.first().copied().ok_or_else(|| unfit(operation, "a weight"))
    }

    fn bias(&self) -> Option<Shape> {
        self.parameters.get(1).copied()
    }
}

/// The preferred variant's plan; the default's where that variant does not do these operands, or none is preferred.
fn prefer<V: FromStr<Err = Error>>(
    preferred: Option<&str>,
    plan: impl Fn(Option<V>) -> Result<KernelPlan>,
) -> Result<KernelPlan> {
    match preferred.map(|name| plan(Some(name.parse()?))) {
        None => plan(None),
        Some(Err(error)) if error.is_unsupported() => plan(None),
        Some(result) => result,
    }
}

fn unfit(operation: &Operation, expected: &str) -> Error {
    Error::operand(operation.name(), "operand", expected, "another kind of value")
}
