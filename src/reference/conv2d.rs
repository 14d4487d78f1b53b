//! Convolution, `C x`.

use super::answer::round;
use super::sum::{Accumulate, Sum};
use super::{Answer, inside};
use crate::error::Result;
use crate::op::Conv2d;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// [`Conv2d`] of input `x`, weight `w` and an optional bias.
///
/// # Errors
/// As [`Conv2d::output_shape`].
pub fn conv2d(op: &Conv2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer> {
    let shape = op.output_shape(x.shape(), w.shape(), bias.map(Tensor::shape))?;
    Ok(Answer::new(shape, sums::<Sum>(op, shape, x, w, bias)))
}

/// The values of [`conv2d`] alone, rounded to f32, in a fraction of the time.
///
/// # Errors
/// As [`Conv2d::output_shape`].
pub fn conv2d_values(op: &Conv2d, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let shape = op.output_shape(x.shape(), w.shape(), bias.map(Tensor::shape))?;
    Ok(round(shape, sums::<f64>(op, shape, x, w, bias).into_iter()))
}

/// Adds to each output row, tap by tap, the input row that the tap sees: the innermost loop runs along both.
fn sums<S: Accumulate>(op: &Conv2d, shape: Shape, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Vec<S> {
    let (input, weight) = (x.shape(), w.shape());
    let ([sy, sx], [dy, dx], [top, left]) = (op.stride, op.dilation, op.pad.before());
    let mut sums = vec![S::default(); shape.elements()];
    for (row, sums) in sums.chunks_exact_mut(shape.w).enumerate() {
        let [n, o, i, _] = shape.position(row * shape.w);
        let first_channel = o / (shape.c / op.groups) * weight.c;
        sums.fill(S::start(bias.map_or(0.0, |b| b.data()[o])));
        for c in 0..weight.c {
            for u in inside(weight.h, dy, i * sy, top, input.h) {
                let x_row = x.row([n, first_channel + c, i * sy + u * dy - top]);
                for (v, &tap) in w.row([o, c, u]).iter().enumerate() {
                    let columns = inside(shape.w, sx, v * dx, left, input.w);
                    if !columns.is_empty() {
                        let seen = &x_row[columns.start * sx + v * dx - left..];
                        add_products(&mut sums[columns], seen, sx, tap);
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

/// `sums[j] += x[j * stride] * tap`.
fn add_products<S: Accumulate>(sums: &mut [S], x: &[f32], stride: usize, tap: f32) {
    if stride == 1 {
        // By far the most common, and a plain slice is what compilers vectorise.
        sums.iter_mut().zip(x).for_each(|(sum, &x)| sum.add_product(x, tap));
    } else {
        sums.iter_mut().zip(x.iter().step_by(stride)).for_each(|(sum, &x)| sum.add_product(x, tap));
    }
}
