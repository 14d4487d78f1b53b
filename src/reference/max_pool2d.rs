//! Max pooling with switches.

use super::inside;
use crate::error::Result;
use crate::op::MaxPool2d;
use crate::tensor::{Switches, Tensor};

/// [`MaxPool2d`] of `x`: the maxima, and where in their planes they were.
///
/// # Errors
/// As [`MaxPool2d::output_shape`].
pub fn max_pool2d(op: &MaxPool2d, x: &Tensor) -> Result<(Tensor, Switches)> {
    let input = x.shape();
    let shape = op.output_shape(input)?;
    let ([sy, sx], [dy, dx], [top, left]) = (op.stride, op.dilation, op.pad.before());
    let mut maxima = Vec::with_capacity(shape.elements());
    let mut switches = Vec::with_capacity(shape.elements());
    for plane in x.data().chunks_exact(input.plane()) {
        for i in 0..shape.h {
            for j in 0..shape.w {
                let rows = inside(op.kernel[0], dy, i * sy, top, input.h).map(|u| i * sy + u * dy - top);
                let cells = rows.flat_map(|y| {
                    inside(op.kernel[1], dx, j * sx, left, input.w).map(move |v| y * input.w + j * sx + v * dx - left)
                });
                let winner = cells.reduce(|best, cell| {
                    let wins = plane[cell] > plane[best] || plane[cell].is_nan();
                    if wins { cell } else { best }
                });
                let winner = winner.unwrap_or_default(); // `output_shape` has refused windows without a cell
                maxima.push(plane[winner]);
                switches.push(winner as u32);
            }
        }
    }
    Ok((Tensor::trusted(shape, maxima), Switches::trusted(shape, input.extent(), *op, switches)))
}
