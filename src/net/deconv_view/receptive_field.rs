//! Which part of a network's input an activation depends on.

use std::collections::HashMap;

use crate::graph::{Graph, Operation};
use crate::net::Region;
use crate::shape::Padding;

/// Cells along rows or columns, first and last; they may lie beyond the map.
type Span = [i64; 2];

/// A window along rows and columns.
#[derive(Clone, Copy)]
struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    pad: Padding,
    dilation: [usize; 2],
}

/// The smallest rectangle of the network's input that a cell of a layer's map depends on; it reaches beyond the image where
/// padding does. `None` if there is no such layer or nothing leads to it from an input.
pub(super) fn receptive_field(graph: &Graph, layer: &str, cell: [usize; 2]) -> Option<Region> {
    let last = graph.nodes().iter().position(|node| node.name() == layer)?;
    let mut read: HashMap<usize, [Span; 2]> = HashMap::from([(last, cell.map(|at| [at as i64; 2]))]);
    let mut field = None;
    for (position, node) in graph.nodes().iter().enumerate().take(last + 1).rev() {
        let Some(spans) = read.remove(&position) else { continue };
        if matches!(node.operation(), Operation::Input | Operation::Normalize(_)) {
            field = Some(spans);
            continue;
        }
        for (operand, edge) in node.inputs().iter().enumerate() {
            let Some(spans) = behind(node.operation(), operand, spans) else { continue };
            let union = |other: &[Span; 2]| [0, 1].map(|axis| join(spans[axis], other[axis]));
            let joined = read.get(&edge.node()).map_or(spans, union);
            read.insert(edge.node(), joined);
        }
    }
    let [rows, columns] = field?;
    let cells = |[first, last]: Span| u32::try_from(last - first + 1).ok();
    Some(Region {
        top: rows[0].try_into().ok()?,
        left: columns[0].try_into().ok()?,
        rows: cells(rows)?,
        columns: cells(columns)?,
    })
}

fn join(a: Span, b: Span) -> Span {
    [a[0].min(b[0]), a[1].max(b[1])]
}

/// What an operator reads of an operand for these rows and columns of its result; `None` if nothing.
fn behind(operation: &Operation, operand: usize, spans: [Span; 2]) -> Option<[Span; 2]> {
    let shifted = |by: [i64; 2]| Some([0, 1].map(|axis| spans[axis].map(|cell| cell + by[axis])));
    let offset = |by: [usize; 2]| by.map(|cells| cells as i64);
    match operation {
        Operation::Conv2d(op) => {
            let window = Window { kernel: op.kernel, stride: op.stride, pad: op.pad, dilation: op.dilation };
            Some([0, 1].map(|axis| window.gathers(axis, spans[axis])))
        }
        Operation::MaxPool2d(op) | Operation::MaxPool2dSwitches(op) => {
            let window = Window { kernel: op.kernel, stride: op.stride, pad: op.pad, dilation: op.dilation };
            Some([0, 1].map(|axis| window.gathers(axis, spans[axis])))
        }
        Operation::ConvTranspose2d(op) => {
            let window = Window { kernel: op.kernel, stride: op.stride, pad: op.pad, dilation: op.dilation };
            let spans = [0, 1].map(|axis| window.scatters(axis, spans[axis]));
            spans.iter().all(|[first, last]| first <= last).then_some(spans)
        }
        Operation::Crop(op) => shifted(offset(op.offset)),
        Operation::Pad(op) => shifted(offset(op.padding.before()).map(|cells| -cells)),
        Operation::CropAdd(op) if operand == 1 => shifted(offset(op.offset)),
        _ => Some(spans),
    }
}

impl Window {
    fn axis(&self, axis: usize) -> [i64; 3] {
        let reach = (self.kernel[axis] - 1) * self.dilation[axis];
        [self.stride[axis], self.pad.before()[axis], reach].map(|cells| cells as i64)
    }

    /// The cells that a convolution or pooling looks at.
    fn gathers(&self, axis: usize, [first, last]: Span) -> Span {
        let [stride, before, reach] = self.axis(axis);
        [first * stride - before, last * stride - before + reach]
    }

    /// The cells whose products a transposed convolution adds up there: `i` reaches `i stride - before` and `reach` more.
    fn scatters(&self, axis: usize, [first, last]: Span) -> Span {
        let [stride, before, reach] = self.axis(axis);
        let least = -(reach - first - before).div_euclid(stride);
        [least, (last + before).div_euclid(stride)]
    }
}
