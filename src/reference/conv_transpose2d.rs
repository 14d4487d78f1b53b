//! Transposed convolution, `Cᵀ y`: every input cell scatters its value times the kernel.

use super::answer::round;
use super::sum::{Accumulate, Sum};
use super::{Answer, inside};
use crate::error::Result;
use crate::op::ConvTranspose2d;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// [`ConvTranspose2d`] of input `x`, weight `w` and an optional bias.
///
/// # Errors
/// As [`ConvTranspose2d::output_shape`].
pub fn conv_transpose2d(op: &ConvTranspose2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer> {
    let shape = op.output_shape(x.shape(), w.shape(), bias.map(Tensor::shape))?;
    Ok(Answer::new(shape, sums::<Sum>(op, shape, x, w, bias)))
}

/// The values of [`conv_transpose2d`] alone, rounded to f32, in a fraction of the time.
///
/// # Errors
/// As [`ConvTranspose2d::output_shape`].
pub fn conv_transpose2d_values(op: &ConvTranspose2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let shape = op.output_shape(x.shape(), w.shape(), bias.map(Tensor::shape))?;
    Ok(round(shape, sums::<f64>(op, shape, x, w, bias).into_iter()))
}

/// Scatters each input row, tap by tap, over the output row that the tap reaches.
fn sums<S: Accumulate>(op: &ConvTranspose2d, shape: Shape, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Vec<S> {
    let (input, weight) = (x.shape(), w.shape());
    let ([sy, sx], [dy, dx], [top, left]) = (op.stride, op.dilation, op.pad.before());
    let mut sums = vec![S::default(); shape.elements()];
    for (plane, sums) in sums.chunks_exact_mut(shape.plane()).enumerate() {
        let (n, o) = (plane / shape.c, plane % shape.c);
        let (group, o_in_group) = (o / weight.c, o % weight.c);
        sums.fill(S::start(bias.map_or(0.0, |b| b.data()[o])));
        for c in (0..input.c / op.groups).map(|c| group * (input.c / op.groups) + c) {
            for i in 0..input.h {
                let x_row = x.row([n, c, i]);
                for u in inside(weight.h, dy, i * sy, top, shape.h) {
                    let y_row = &mut sums[(i * sy + u * dy - top) * shape.w..][..shape.w];
                    for (v, &tap) in w.row([c, o_in_group, u]).iter().enumerate() {
                        let columns = inside(input.w, sx, v * dx, left, shape.w);
                        if !columns.is_empty() {
                            let reached = y_row[columns.start * sx + v * dx - left..].iter_mut().step_by(sx);
                            reached.zip(&x_row[columns]).for_each(|(sum, &x)| sum.add_product(x, tap));
                        }
                    }
                }
            }
        }
        if op.relu {
            sums.iter_mut().for_each(S::relu);
        }
    }
    sums
}
