//! The bound that a 3x3 convolution by Winograd's minimal filtering must keep, which is wider than the plain one.

use super::{Answer, Sum, conv2d, flipped_weight};
use crate::error::{Error, Result};
use crate::op::{Conv2d, ConvTranspose2d};
use crate::tensor::Tensor;

/// The matrices of F(m x m, 3x3): rows of `B^T`, `G` and `A^T` (Lavin and Gray, 2015, section 4.1).
struct Filtering {
    input: &'static [&'static [f64]],
    weight: &'static [[f64; 3]],
    output: &'static [&'static [f64]],
}

const F2: Filtering = Filtering {
    input: &[&[1., 0., -1., 0.], &[0., 1., 1., 0.], &[0., -1., 1., 0.], &[0., 1., 0., -1.]],
    weight: &[[1., 0., 0.], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0., 0., 1.]],
    output: &[&[1., 1., 1., 0.], &[0., 1., -1., -1.]],
};

const F4: Filtering = Filtering {
    input: &[
        &[4., 0., -5., 0., 1., 0.],
        &[0., -4., -4., 1., 1., 0.],
        &[0., 4., -4., -1., 1., 0.],
        &[0., -2., -1., 2., 1., 0.],
        &[0., 2., -1., -2., 1., 0.],
        &[0., 4., 0., -5., 0., 1.],
    ],
    weight: &[
        [1. / 4., 0., 0.],
        [-1. / 6., -1. / 6., -1. / 6.],
        [-1. / 6., 1. / 6., -1. / 6.],
        [1. / 24., 1. / 12., 1. / 6.],
        [1. / 24., -1. / 12., 1. / 6.],
        [0., 0., 1.],
    ],
    output: &[
        &[1., 1., 1., 1., 1., 0.],
        &[0., 1., -1., 2., -2., 0.],
        &[0., 1., 1., 4., 4., 0.],
        &[0., 1., -1., 8., -8., 1.],
    ],
};

/// [`conv2d()`] with the bound for F(2x2, 3x3) or F(4x4, 3x3), `cells` being 2 or 4: the values are the same.
///
/// Filtering computes `A^T [ (G g G^T) * (B^T z B) ] A`, summed over input channels. Written out it is a sum of products
/// of one entry each of the three matrices (twice), one weight and one cell; the magnitude here is the sum of their
/// absolute values, that is the same formula over absolute values. No term passes more than 2 roundings in each of the
/// two passes of the input's transform, 3 in each of the weight's and of the output's, one for each input channel of a group
/// and one for the bias: `C + 17`, which takes the place of `K` in [`Sum::bound`].
///
/// # Errors
/// As [`Conv2d::output_shape`]; [`Error::Parameter`] for another kernel, stride, dilation or `cells`.
pub fn conv2d_minimal_filtering(
    op: &Conv2d,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    cells: usize,
) -> Result<Answer> {
    const OP: &str = "minimal filtering";
    let Filtering { input, weight, output } = match cells {
        2 => F2,
        4 => F4,
        _ => return Err(Error::parameter(OP, "cells", "2 or 4", cells)),
    };
    if (op.kernel, op.stride, op.dilation) != ([3, 3], [1, 1], [1, 1]) {
        return Err(Error::parameter(OP, "kernel", "3x3, stride 1, dilation 1", format!("{op:?}")));
    }
    let answer = conv2d(op, x, w, bias)?;
    let shape = answer.shape();
    let (positions, inputs) = (input.len(), w.shape().c);
    let cell = |n, c, y: usize, x_: usize| {
        let inside = y.checked_sub(op.pad.top).zip(x_.checked_sub(op.pad.left));
        inside.and_then(|(y, x_)| x.get([n, c, y, x_])).map_or(0.0, |value| f64::from(value.abs()))
    };
    let tap = |o, c, v, u| w.get([o, c, v, u]).map_or(0.0, |value| f64::from(value.abs()));
    let sums = (0..shape.elements()).map(|position| {
        let [n, o, i, j] = shape.position(position);
        let first = o / (shape.c / op.groups) * inputs;
        let (corner, within) = ([i / cells * cells, j / cells * cells], [i % cells, j % cells]);
        let mut magnitude = bias.map_or(0.0, |bias| f64::from(bias.data()[o].abs()));
        for (p, q) in (0..positions).flat_map(|p| (0..positions).map(move |q| (p, q))) {
            let factor = output[within[0]][p].abs() * output[within[1]][q].abs();
            if factor == 0.0 {
                continue;
            }
            for c in 0..inputs {
                let kernel = sandwich(&weight[p], &weight[q], |v, u| tap(o, c, v, u));
                let tile = sandwich(input[p], input[q], |y, x_| cell(n, first + c, corner[0] + y, corner[1] + x_));
                magnitude += factor * kernel * tile;
            }
        }
        let terms = (inputs + 17) as u32;
        Sum { value: answer.sums()[position].value, magnitude, terms, slack: 0.0 }
    });
    Ok(Answer::new(shape, sums.collect()))
}

/// [`conv_transpose2d()`](super::conv_transpose2d()) with the bound for F(2x2, 3x3) or F(4x4, 3x3) of the convolution that it
/// is ([`ConvTranspose2d::as_convolution`]).
///
/// # Errors
/// As [`ConvTranspose2d::output_shape`]; [`Error::Parameter`] where there is no such convolution, or for another kernel,
/// dilation, groups or `cells`.
pub fn conv_transpose2d_minimal_filtering(
    op: &ConvTranspose2d,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    cells: usize,
) -> Result<Answer> {
    op.output_shape(x.shape(), w.shape(), bias.map(Tensor::shape))?;
    let convolution = op.as_convolution(x.shape());
    let convolution = convolution.ok_or_else(|| {
        Error::parameter("minimal filtering", "stride", "1, and a border within the kernel", format!("{op:?}"))
    })?;
    conv2d_minimal_filtering(&convolution, x, &flipped_weight(w, op.groups)?, bias, cells)
}

/// `sum_{i,j} |left[i]| |right[j]| value(i, j)`: an entry of `|L| V |R|^T`.
fn sandwich(left: &[f64], right: &[f64], value: impl Fn(usize, usize) -> f64) -> f64 {
    let row = |i: usize| -> f64 { right.iter().enumerate().map(|(j, factor)| factor.abs() * value(i, j)).sum() };
    left.iter().enumerate().map(|(i, factor)| factor.abs() * row(i)).sum()
}
