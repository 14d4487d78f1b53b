//! Which dispatches each node takes.

use std::collections::HashMap;
use std::str::FromStr;

use super::storage::Storages;
use crate::error::{Error, Result};
use crate::gpu::{Caps, Elements, KernelPlan, Storage, Texels, Tuning};
use crate::graph::{Graph, Node, Operation, ValueType};
use crate::kernel;
use crate::kernel::conv2d::Pooling;
use crate::kernel::{max_pool2d, max_unpool2d};
use crate::shape::Shape;

/// Kernel variants to be preferred to those that follow from shapes and device.
pub(crate) struct Preferences<'a> {
    /// What the caller wants for an operator, if anything.
    pub(crate) asked: &'a dyn Fn(&str) -> Option<&'static str>,
    /// What was measured to be the fastest, where the caller wants nothing.
    pub(crate) tuning: Option<&'a Tuning>,
    /// What weights and activations are kept in.
    pub(crate) elements: &'a Elements,
    /// How images lie that the caller gives or takes: three bytes a pixel if `None`.
    pub(crate) texels: Option<Texels>,
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
    (preferences.asked)("conv_transpose2d")
        .map_or(Ok(()), |variant| kernel::conv_transpose2d::check_device(variant, caps))?;
    let nodes = graph.live_nodes().filter(|(_, node)| *node.operation() != Operation::Input);
    let lower = |(position, _)| Ok((position, lower(graph, position, storages, caps, preferences)?));
    nodes.map(lower).collect()
}

/// The kernel plan of a node.
fn lower(
    graph: &Graph,
    position: usize,
    storages: &Storages,
    caps: &Caps,
    preferences: &Preferences<'_>,
) -> Result<KernelPlan> {
    let node = &graph.nodes()[position];
    let operands = Operands::of(graph, node).stored(graph, position, storages);
    let plan = match node.operation() {
        operation if operands.any_half() => {
            let half_weights = graph.weights_may_be_half(node, preferences.elements);
            operands.plan_half(operation, half_weights, caps, preferences.asked_for(operation))
        }
        Operation::Conv2dMaxPool2d { .. } => pooled(graph, node, &operands, caps, preferences),
        operation => chosen(graph, node, operation, &operands, caps, preferences),
    };
    plan.map_err(|error| error.at_node(node.name()))
}

/// Whether a convolution with a pooling, which is to replace these two in a graph whose values have such forms, can be
/// planned.
pub(super) fn can_pool(
    graph: &Graph,
    node: &Node,
    [conv, pool]: [usize; 2],
    storages: &Storages,
    caps: &Caps,
    preferences: &Preferences<'_>,
) -> bool {
    let forms = |position| graph.edges_of(position).map(|(edge, _)| storages.of(edge)).collect::<Vec<_>>();
    let operands = Operands { output_storages: forms(pool), ..Operands::of(graph, node).stored(graph, conv, storages) };
    let map_is_half = forms(conv).contains(&Storage::Halves);
    match (map_is_half, operands.any_half()) {
        (false, false) => pooled(graph, node, &operands, caps, preferences).is_ok(),
        (true, true) => {
            let half_weights = graph.weights_may_be_half(node, preferences.elements);
            operands.can_pool_half(node.operation(), half_weights, caps, preferences.asked_for(node.operation()))
        }
        // What was to stay in f32 is not rounded on its way.
        _ => false,
    }
}

impl Preferences<'_> {
    /// The variant that the caller wants for an operation, a convolution's for one that ends in a pooling.
    fn asked_for(&self, operation: &Operation) -> Option<&'static str> {
        match operation {
            Operation::Conv2dMaxPool2d { conv, .. } => (self.asked)(Operation::Conv2d(*conv).name()),
            operation => (self.asked)(operation.name()),
        }
    }
}

/// The plan of a convolution with a pooling, by the variant that the convolution has by itself.
fn pooled(
    graph: &Graph,
    node: &Node,
    operands: &Operands,
    caps: &Caps,
    preferences: &Preferences<'_>,
) -> Result<KernelPlan> {
    let &Operation::Conv2dMaxPool2d { conv, pool, switches } = node.operation() else {
        return Err(unfit(node.operation(), "a convolution with a pooling"));
    };
    let alone = Operation::Conv2d(conv);
    let variant = chosen(graph, node, &alone, operands, caps, preferences)?.variant;
    let form = operands.output_storages.get(1).copied().unwrap_or_default();
    let pooling = Pooling { op: pool, switches: switches.then_some(form) };
    let shapes = (operands.tensor(&alone, 0)?, operands.weight(&alone)?, operands.bias());
    kernel::conv2d::plan_pooled(&conv, pooling, shapes, variant.parse()?, caps)
}

/// The plan of one operator on a node's operands, by the variant that is asked for, measured or follows from the shapes.
fn chosen(
    graph: &Graph,
    node: &Node,
    operation: &Operation,
    operands: &Operands,
    caps: &Caps,
    preferences: &Preferences<'_>,
) -> Result<KernelPlan> {
    let asked = (preferences.asked)(operation.name());
    let tuned = || graph.tuned(node, operation, operands, caps, preferences.tuning?);
    match asked.is_none().then(tuned).flatten() {
        Some(plan) => Ok(plan),
        None => operands.plan(operation, caps, asked),
    }
}

impl Graph {
    /// What a node computes, of which shapes, on one line.
    pub(crate) fn problem(&self, node: &Node) -> String {
        self.problem_of(node, node.operation())
    }

    /// What an operator would compute on a node's operands.
    fn problem_of(&self, node: &Node, operation: &Operation) -> String {
        let inputs = node.inputs().iter().map(|&edge| self.value_type(edge).to_string());
        let parameters = node.parameters().iter().map(|&position| self.parameter(position).shape().to_string());
        let operands: Vec<String> = inputs.chain(parameters).collect();
        format!("{operation:?} of {}", operands.join(", "))
    }

    /// A node's plan by the measured variant, if there is one that applies.
    fn tuned(
        &self,
        node: &Node,
        operation: &Operation,
        operands: &Operands,
        caps: &Caps,
        tuning: &Tuning,
    ) -> Option<KernelPlan> {
        let variant = tuning.variant(&self.problem_of(node, operation))?;
        let plan = operands.plan_by(operation, caps, variant);
        plan.inspect_err(|error| log::warn!("the tuning of node `{}` is ignored: {error}", node.name())).ok()
    }
}

/// Kinds and shapes of what a node reads, and the forms of what it reads and writes.
pub(super) struct Operands {
    pub(super) inputs: Vec<ValueType>,
    pub(super) parameters: Vec<Shape>,
    pub(super) input_storages: Vec<Storage>,
    pub(super) output_storages: Vec<Storage>,
    pub(super) outputs: Vec<ValueType>,
}

impl Operands {
    /// Those of a node, everything in words.
    fn of(graph: &Graph, node: &Node) -> Self {
        let inputs = node.inputs().iter().map(|&edge| graph.value_type(edge)).collect();
        let parameters = node.parameters().iter().map(|&position| graph.parameter(position).shape()).collect();
        let outputs = node.outputs().to_vec();
        Self { inputs, parameters, input_storages: Vec::new(), output_storages: Vec::new(), outputs }
    }

    /// The same in the forms that a graph's values have.
    fn stored(self, graph: &Graph, position: usize, storages: &Storages) -> Self {
        let input_storages = graph.nodes()[position].inputs().iter().map(|&edge| storages.of(edge)).collect();
        let output_storages = graph.edges_of(position).map(|(edge, _)| storages.of(edge)).collect();
        Self { input_storages, output_storages, ..self }
    }

    /// The plan by this variant of a convolution and no other.
    ///
    /// # Errors
    /// As the operator's own plan, where the variant is not for these operands.
    fn plan_by(&self, operation: &Operation, caps: &Caps, variant: &str) -> Result<KernelPlan> {
        match operation {
            Operation::Conv2d(op) => {
                let (x, weight, bias) = (self.tensor(operation, 0)?, self.weight(operation)?, self.bias());
                kernel::conv2d::plan(op, x, weight, bias, Some(variant.parse()?), caps)
            }
            Operation::ConvTranspose2d(op) => {
                let (x, weight, bias) = (self.tensor(operation, 0)?, self.weight(operation)?, self.bias());
                kernel::conv_transpose2d::plan(op, x, weight, bias, Some(variant.parse()?), caps)
            }
            _ => self.plan(operation, caps, Some(variant)),
        }
    }

    pub(super) fn plan(&self, operation: &Operation, caps: &Caps, preferred: Option<&str>) -> Result<KernelPlan> {
        match operation {
            Operation::Input | Operation::Conv2dMaxPool2d { .. } => Err(unfit(operation, "an operator by itself")),
            Operation::Conv2d(op) => {
                let (x, weight, bias) = (self.tensor(operation, 0)?, self.weight(operation)?, self.bias());
                prefer(preferred, |variant| kernel::conv2d::plan(op, x, weight, bias, variant, caps))
            }
            Operation::ConvTranspose2d(op) => {
                let (x, weight, bias) = (self.tensor(operation, 0)?, self.weight(operation)?, self.bias());
                prefer(preferred, |variant| kernel::conv_transpose2d::plan(op, x, weight, bias, variant, caps))
            }
            Operation::MaxPool2d(op) => {
                max_pool2d::plan(op, self.tensor(operation, 0)?, max_pool2d::Variant::Values, caps)
            }
            Operation::MaxPool2dSwitches(op) => {
                max_pool2d::plan(op, self.tensor(operation, 0)?, self.switches_variant(), caps)
            }
            Operation::MaxUnpool2d(op) => {
                let (x, switches) = (self.tensor(operation, 0)?, self.switches(operation)?);
                prefer(preferred, |variant| max_unpool2d::plan(op, x, switches, variant, caps))
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
                kernel::conv_transpose2d::plan_classes(op, x, weight, bias, false, caps)
            }
            Operation::Normalize(op) => match self.inputs.first() {
                Some(&ValueType::Image { extent }) => {
                    let storage = self.input_storages.first().copied().unwrap_or_default();
                    kernel::normalize::plan(op, extent, storage, caps)
                }
                _ => Err(unfit(operation, "an 8-bit image")),
            },
            Operation::Colorize(palette) => match self.inputs.first() {
                Some(&ValueType::Labels { count, extent: [h, w] }) => {
                    let storage = self.output_storages.first().copied().unwrap_or_default();
                    kernel::colorize::plan(Shape { n: count, c: 1, h, w }, palette, storage, caps)
                }
                _ => Err(unfit(operation, "labels")),
            },
        }
    }

    pub(super) fn tensor(&self, operation: &Operation, position: usize) -> Result<Shape> {
        match self.inputs.get(position) {
            Some(&ValueType::Tensor(shape)) => Ok(shape),
            _ => Err(unfit(operation, "a tensor")),
        }
    }

    /// The pooling that gives switches in their form.
    pub(super) fn switches_variant(&self) -> max_pool2d::Variant {
        match self.output_storages.get(1) {
            Some(Storage::Compact) => max_pool2d::Variant::CompactSwitches,
            _ => max_pool2d::Variant::Switches,
        }
    }

    /// The switches that an unpooling reads.
    pub(super) fn switches(&self, operation: &Operation) -> Result<max_unpool2d::Source<'_>> {
        match (self.inputs.get(1), self.input_storages.get(1)) {
            (Some(&ValueType::Switches { shape, origin, ref pool }), Some(&storage)) => {
                Ok(max_unpool2d::Source { shape, origin, pool, storage })
            }
            _ => Err(unfit(operation, "switches")),
        }
    }

    pub(super) fn weight(&self, operation: &Operation) -> Result<Shape> {
        self.parameters.first().copied().ok_or_else(|| unfit(operation, "a weight"))
    }

    pub(super) fn bias(&self) -> Option<Shape> {
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
