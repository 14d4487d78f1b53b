//! Transposed convolution, `Cᵀ y`: every input cell scatters its value times the kernel.

use super::answer::round;
use super::sum::{Accumulate, Sum};
use super::{Answer, inside};
use crate::error::{Error, Result};
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

/// The weight of the convolution that a transposed one of stride 1 is: channels exchanged group by group, taps in reverse,
/// `f[o, c, u, v] = w[c, o, kh-1-u, kw-1-v]`.
///
/// # Errors
/// [`Error::Parameter`] if the groups do not divide the weight's input channels.
pub fn flipped_weight(w: &Tensor, groups: usize) -> Result<Tensor> {
    let shape = w.shape();
    if groups == 0 || !shape.n.is_multiple_of(groups) {
        return Err(Error::parameter("flipped weight", "groups", format!("a divisor of {}", shape.n), groups));
    }
    let group_inputs = shape.n / groups;
    Tensor::from_fn(Shape { n: shape.c * groups, c: group_inputs, ..shape }, |[o, c, u, v]| {
        let row = w.row([o / shape.c * group_inputs + c, o % shape.c, shape.h - 1 - u]);
        row[shape.w - 1 - v]
    })
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
