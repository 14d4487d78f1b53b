//! Kernels for nodes some of whose maps are f16: their own where there are such, else those for f32 between conversions.

use std::str::FromStr;

use super::lower::Operands;
use crate::error::{Error, Result};
use crate::gpu::{Caps, Elements, KernelPlan, Storage};
use crate::graph::{Graph, Node, Operation, ValueType};
use crate::kernel;
use crate::kernel::conv2d::{Form, Pooling};
use crate::kernel::{max_pool2d, max_unpool2d};
use crate::op::Slice;
use crate::shape::Shape;

impl Graph {
    /// Whether no weight of a node is to be kept in f32.
    pub(super) fn weights_may_be_half(&self, node: &Node, elements: &Elements) -> bool {
        node.parameters().iter().all(|&position| elements.halves(self.parameter(position).name()))
    }
}

impl Operands {
    /// Whether any map that is read or written is f16.
    pub(super) fn any_half(&self) -> bool {
        self.input_storages.iter().chain(&self.output_storages).any(|&storage| storage == Storage::Halves)
    }

    /// The plan of such a node. Variants that have no kernels for f16 run in f32, and so does, where none is asked for, what a
    /// limit keeps from those that have: f32 has kernels that split what f16's do not.
    pub(super) fn plan_half(
        &self,
        operation: &Operation,
        half_weights: bool,
        caps: &Caps,
        preferred: Option<&str>,
    ) -> Result<KernelPlan> {
        match self.own_kernels(operation, half_weights, caps, preferred) {
            Some(Err(error)) if error.is_unsupported() => {}
            Some(Err(Error::Limit { .. })) if preferred.is_none() => {}
            Some(result) => return result,
            None => {}
        }
        let halves = |values: &[ValueType], storages: &[Storage]| -> Vec<(usize, Shape)> {
            let tensors =
                values.iter().zip(storages).enumerate().filter(|(_, (_, storage))| **storage == Storage::Halves);
            tensors.filter_map(|(position, (value, _))| Some((position, value.tensor()?))).collect()
        };
        let plan = self.plan(operation, caps, preferred)?;
        let (inputs, outputs) =
            (halves(&self.inputs, &self.input_storages), halves(&self.outputs, &self.output_storages));
        kernel::convert::through_f32(plan, &inputs, &outputs, caps)
    }

    /// Whether a convolution that ends in a pooling has a kernel for such maps.
    pub(super) fn can_pool_half(
        &self,
        operation: &Operation,
        half_weights: bool,
        caps: &Caps,
        preferred: Option<&str>,
    ) -> bool {
        matches!(self.own_kernels(operation, half_weights, caps, preferred), Some(Ok(_)))
    }

    /// The plan by kernels for f16; `None` where the operator has none for such operands.
    fn own_kernels(
        &self,
        operation: &Operation,
        half_weights: bool,
        caps: &Caps,
        preferred: Option<&str>,
    ) -> Option<Result<KernelPlan>> {
        // What was to stay in f32 is not rounded on its way in.
        if *self.input_storages.first()? != Storage::Halves {
            return None;
        }
        match operation {
            Operation::Conv2d(_) | Operation::ConvTranspose2d(_) | Operation::Conv2dMaxPool2d { .. }
                if !half_weights =>
            {
                None
            }
            Operation::Conv2d(op) => {
                let form = self.result_form()?;
                Some(kernel::conv2d::plan_half(op, self.convolved()?, form, wish(preferred)?, caps))
            }
            Operation::ConvTranspose2d(op) => {
                let form = self.result_form()?;
                Some(kernel::conv_transpose2d::plan_half(op, self.convolved()?, form, wish(preferred)?, caps))
            }
            &Operation::Conv2dMaxPool2d { conv, pool, switches } => {
                if self.result_form()? != Form::Halves {
                    return None;
                }
                let form = self.output_storages.get(1).copied().unwrap_or_default();
                let pooling = Pooling { op: pool, switches: switches.then_some(form) };
                Some(kernel::conv2d::plan_half_pooled(&conv, pooling, self.convolved()?, wish(preferred)?, caps))
            }
            Operation::ConvTranspose2dArgmax(op) => {
                let (x, weight, bias) = self.convolved()?;
                Some(kernel::conv_transpose2d::plan_classes(op, x, weight, bias, true, caps))
            }
            _ if self.any_map_in_f32() => None,
            _ => self.kernels_from_half_to_half(operation, caps, preferred),
        }
    }

    /// The same for an operator without weights, all of whose maps are f16.
    fn kernels_from_half_to_half(
        &self,
        operation: &Operation,
        caps: &Caps,
        preferred: Option<&str>,
    ) -> Option<Result<KernelPlan>> {
        let tensor = |position: usize| self.inputs.get(position)?.tensor();
        let x = tensor(0)?;
        // What only moves words moves pairs of channels.
        let pairs = in_pairs(x);
        Some(match operation {
            Operation::Relu => kernel::relu::plan_half(x, caps),
            Operation::Add => kernel::add::plan_half(x, tensor(1)?, caps),
            Operation::CropAdd(op) => kernel::crop_add::plan_half(op, x, tensor(1)?, caps),
            Operation::Crop(op) => kernel::crop::plan(op, pairs, caps),
            Operation::Pad(op) => kernel::pad::plan(op, pairs, caps),
            Operation::Concat => {
                let shapes = (0..self.inputs.len()).map(tensor).collect::<Option<Vec<_>>>()?;
                let (_, all_but_last) = shapes.split_last()?;
                if all_but_last.iter().any(|shape| shape.c % 2 != 0) {
                    return None;
                }
                kernel::concat::plan(&shapes.into_iter().map(in_pairs).collect::<Vec<_>>(), caps)
            }
            Operation::Slice(op) if op.start % 2 == 0 && (op.channels % 2 == 0 || op.start + op.channels == x.c) => {
                kernel::slice::plan(&Slice::new(op.start / 2, op.channels.div_ceil(2)), pairs, caps)
            }
            Operation::MaxPool2d(op) => max_pool2d::plan_half(op, x, max_pool2d::Variant::Values, caps),
            Operation::MaxPool2dSwitches(op) => max_pool2d::plan_half(op, x, self.switches_variant(), caps),
            Operation::MaxUnpool2d(op) => {
                max_unpool2d::plan_half(op, x, self.switches(operation).ok()?, wish(preferred)?, caps)
            }
            _ => return None,
        })
    }

    /// The shapes of a convolution's map, weight and bias.
    fn convolved(&self) -> Option<(Shape, Shape, Option<Shape>)> {
        Some((self.inputs.first()?.tensor()?, *self.parameters.first()?, self.bias()))
    }

    /// The form of a convolution's maps, of which the one that it reads is f16.
    fn result_form(&self) -> Option<Form> {
        Some(if *self.output_storages.first()? == Storage::Halves { Form::Halves } else { Form::HalvesToWords })
    }

    /// Whether any map that is read or written is f32.
    fn any_map_in_f32(&self) -> bool {
        let inputs = self.inputs.iter().zip(&self.input_storages);
        let mut maps =
            inputs.chain(self.outputs.iter().zip(&self.output_storages)).filter(|(value, _)| value.tensor().is_some());
        maps.any(|(_, &storage)| storage != Storage::Halves)
    }
}

/// The variant of this name, if one is preferred; `None` where the operator has no such variant.
fn wish<V: FromStr>(preferred: Option<&str>) -> Option<Option<V>> {
    preferred.map(str::parse).transpose().ok()
}

/// A map in f16 as one of words.
fn in_pairs(shape: Shape) -> Shape {
    shape.with_channels(shape.c.div_ceil(2))
}
