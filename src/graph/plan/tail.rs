//! The end of a network that labels pixels: where only the labels of a last upsampling are wanted, its scores, the largest
//! map of all, need not be written.

use std::collections::HashMap;

use super::Preferences;
use crate::gpu::Caps;
use crate::graph::merge::Readers;
use crate::graph::{Graph, Node, Operation, ValueType};
use crate::kernel;
use crate::op::{ConvTranspose2d, Cost, Crop};
use crate::shape::Shape;

/// A transposed convolution, cropped perhaps, of which nothing but labels is read.
struct Tail {
    conv: usize,
    crop: Option<usize>,
    labels: usize,
}

impl Graph {
    /// Makes one node of each transposed convolution, the crop after it, and the argmax of their channels, where nothing else
    /// reads the scores and the variant that the convolution takes in f32, on this device and at these shapes, has all scores of a
    /// pixel at hand. It goes by the argmax's name. The labels are the same, bit for bit, but for dense weights and a map in f16:
    /// there is no such kernel for f16, so the map is widened and weights are not rounded, which the operators apart do. Where the
    /// caller wants a certain variant of one of the operators, they stay apart.
    pub(crate) fn with_tails_in_one(&self, caps: &Caps, preferences: &Preferences<'_>) -> Self {
        if ["conv_transpose2d", "argmax_channels"].into_iter().any(|op| (preferences.asked)(op).is_some()) {
            return self.clone();
        }
        let readers = self.readers();
        let (mut nodes, mut gone) = (self.nodes.clone(), HashMap::new());
        for (labels, _) in self.live_nodes() {
            let Some(tail) = self.tail(labels, &readers) else { continue };
            if let Some(joined) = self.joined(&tail, caps, preferences) {
                nodes[labels] = joined;
                gone.extend([Some(tail.conv), tail.crop].into_iter().flatten().map(|node| (node, labels)));
            }
        }
        self.merged(nodes, self.parameters.clone(), &gone)
    }

    /// The tail that ends in this node.
    fn tail(&self, labels: usize, readers: &Readers) -> Option<Tail> {
        if *self.nodes[labels].operation() != Operation::ArgmaxChannels {
            return None;
        }
        let before = self.only_operand(labels, readers)?;
        let crop = matches!(self.nodes[before].operation(), Operation::Crop(_)).then_some(before);
        let conv = crop.map_or(Some(before), |crop| self.only_operand(crop, readers))?;
        matches!(self.nodes[conv].operation(), Operation::ConvTranspose2d(_)).then_some(Tail { conv, crop, labels })
    }

    /// The one node that a node reads, if nobody else reads what that gives.
    fn only_operand(&self, node: usize, readers: &Readers) -> Option<usize> {
        let &[edge] = self.nodes[node].inputs() else { return None };
        readers.only(edge).map(|_| edge.node())
    }

    /// One node for a tail, if a kernel does it.
    fn joined(&self, tail: &Tail, caps: &Caps, preferences: &Preferences<'_>) -> Option<Node> {
        let (conv, labels) = (&self.nodes[tail.conv], &self.nodes[tail.labels]);
        let Operation::ConvTranspose2d(op) = *conv.operation() else { return None };
        let scores = conv.outputs().first()?.tensor()?;
        let input = self.value_type(*conv.inputs().first()?).tensor()?;
        let shapes: Vec<Shape> = conv.parameters().iter().map(|&position| self.parameter(position).shape()).collect();
        let (weight, bias) = (*shapes.first()?, shapes.get(1).copied());
        let fused = match tail.crop.map(|crop| self.nodes[crop].operation()) {
            Some(Operation::Crop(crop)) => cropped(op, scores, *crop),
            _ => op,
        };
        let ValueType::Labels { count, extent } = *labels.outputs().first()? else { return None };
        let output = fused.output_shape(input, weight, bias).ok()?;
        if (output.n, output.extent()) != (count, extent) {
            return None;
        }
        let apart = kernel::conv_transpose2d::plan(&op, input, weight, bias, None, caps).ok()?;
        let tuned = preferences.tuning.and_then(|tuning| tuning.variant(&self.problem(conv)));
        let planned = kernel::conv_transpose2d::plan_classes(&fused, input, weight, bias, false, caps).ok()?;
        if planned.variant != tuned.unwrap_or(apart.variant) {
            return None;
        }
        let read = input.elements() + shapes.iter().map(|shape| shape.elements()).sum::<usize>();
        let bytes = 4 * read as u64 + labels.outputs().first()?.bytes();
        Some(Node {
            name: labels.name.clone(),
            operation: Operation::ConvTranspose2dArgmax(fused),
            outputs: labels.outputs.clone(),
            cost: Cost { bytes, ..op.cost(input, weight, bias).ok()? },
            ..conv.clone()
        })
    }
}

/// A transposed convolution that computes just a window of another's output: a wider border is cut off.
fn cropped(
    op: ConvTranspose2d,
    output: Shape,
    Crop { offset: [row, column], extent: [h, w] }: Crop,
) -> ConvTranspose2d {
    let mut pad = op.pad;
    pad.top += row;
    pad.bottom += output.h - row - h;
    pad.left += column;
    pad.right += output.w - column - w;
    op.pad(pad).output_size([h, w])
}
