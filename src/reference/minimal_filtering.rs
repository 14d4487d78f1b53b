//! The bound that a convolution by Winograd's minimal filtering must keep, which is wider than the plain one.

mod matrices;

use super::{Answer, Sum, conv2d, flipped_weight};
use crate::error::{Error, Result};
use crate::op::{Conv2d, ConvTranspose2d};
use crate::shape::Shape;
use crate::tensor::Tensor;
use matrices::{Filtering, Rows};

/// [`conv2d()`] with the bound for minimal filtering F(m x m', r x r'), given as `[[m, r], [m', r']]`, along rows and
/// along columns: `[2, 3]` and `[4, 3]` (3 taps), `[4, 4]` (any number, in pieces of 4) and `[9 - r, r]` (r taps, 2 to
/// 7). The values are the same.
///
/// Filtering computes `A^T [ (G g G^T) * (B^T z B) ] A`, summed over input channels and over the pieces g of the
/// kernel, each with the cells z under it (the matrices left and right being those of either axis); taps past the
/// kernel are zero. Written out it is a sum of products of one entry each of the three matrices (twice), one weight and
/// one cell; the magnitude here is the sum of their absolute values, that is the same formula over absolute values.
/// (Where `B^T` is a product of two matrices, of one entry of each: a cell may come to a position by two ways.) A term
/// passes, beside the rounding of its product, at most a + b + c roundings for each axis, P and one for the bias, with
/// a, b, c those of one pass of the input's, the weight's and the output's transform and P the input channels of a
/// group, for every piece: `P + 11` for F(2x2, 3x3), `P + 19` for F(4x4, 3x3), `P + 23` for F(4x4, 4x4) and F(6x6,
/// 3x3), `P + 27` for F(2x2, 7x7) take the place of `K` in [`Sum::bound`].
///
/// # Errors
/// As [`Conv2d::output_shape`]; [`Error::Parameter`] for another kernel, stride, dilation or `filtering`.
pub fn conv2d_minimal_filtering(
    op: &Conv2d,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    filtering: [[usize; 2]; 2],
) -> Result<Answer> {
    const OP: &str = "minimal filtering";
    let matrices = filtering.map(matrices::filtering);
    let [Some(by_rows), Some(by_columns)] = &matrices else {
        let expected = "[2, 3], [4, 3], [4, 4] or [9 - r, r] with r from 2 to 7, for each axis";
        return Err(Error::parameter(OP, "filtering", expected, format!("{filtering:?}")));
    };
    let axes = [by_rows, by_columns];
    let (cells, taps) = (filtering.map(|[cells, _]| cells), filtering.map(|[_, taps]| taps));
    let serves = |axis: usize| axes[axis].in_pieces || op.kernel[axis] == taps[axis];
    if (op.stride, op.dilation) != ([1, 1], [1, 1]) || !(serves(0) && serves(1)) {
        let length = |axis: usize| if axes[axis].in_pieces { "any".to_owned() } else { taps[axis].to_string() };
        let expected = format!("{}x{}, stride 1, dilation 1", length(0), length(1));
        return Err(Error::parameter(OP, "kernel", &expected, format!("{op:?}")));
    }
    let answer = conv2d(op, x, w, bias)?;
    let shape = answer.shape();
    let (input, inputs) = (axes.map(Filtering::input_magnitudes), w.shape().c);
    let positions = input.each_ref().map(Vec::len);
    let pieces = [0, 1].map(|axis| op.kernel[axis].div_ceil(taps[axis]));
    let tap = |position| w.get(position).map_or(0.0, |value| f64::from(value.abs()));
    let kernels = Table::new(w.shape().with_extent(pieces), |[o, c, i, j]| {
        sandwich(axes.map(|axis| &axis.weight), |v, u| tap([o, c, i * taps[0] + v, j * taps[1] + u]))
    });
    let cell = |n, c, y: usize, x_: usize| {
        let inside = y.checked_sub(op.pad.top).zip(x_.checked_sub(op.pad.left));
        inside.and_then(|(y, x_)| x.get([n, c, y, x_])).map_or(0.0, |value| f64::from(value.abs()))
    };
    let grid = [0, 1].map(|axis| shape.extent()[axis].div_ceil(cells[axis]) + pieces[axis] - 1);
    let tiles = Table::new(x.shape().with_extent(grid), |[n, c, i, j]| {
        sandwich(input.each_ref(), |y, x_| cell(n, c, i * cells[0] + y, j * cells[1] + x_))
    });
    let passes: u32 = axes.iter().flat_map(|axis| axis.roundings).sum();
    let sums = (0..shape.elements()).map(|position| {
        let [n, o, i, j] = shape.position(position);
        let first = o / (shape.c / op.groups) * inputs;
        let mut products = vec![0.0; positions[0] * positions[1]];
        for [_, c, below, right] in (0..inputs * pieces[0] * pieces[1]).map(|at| kernels.shape.position(at)) {
            let tile = tiles.entry([n, first + c, i / cells[0] + below, j / cells[1] + right]);
            for ((sum, u), d) in products.iter_mut().zip(kernels.entry([o, c, below, right])).zip(tile) {
                *sum += u * d;
            }
        }
        let [rows, columns] = [&by_rows.output[i % cells[0]], &by_columns.output[j % cells[1]]];
        let factor = |p: usize, q: usize| rows[p].abs() * columns[q].abs();
        let terms = (0..products.len()).map(|at| factor(at / positions[1], at % positions[1]) * products[at]);
        let bias = bias.map_or(0.0, |bias| f64::from(bias.data()[o].abs()));
        let roundings = (inputs * pieces[0] * pieces[1]) as u32 + passes + 1;
        let Sum { value, .. } = answer.sums()[position];
        Sum { value, magnitude: bias + terms.sum::<f64>(), terms: roundings, slack: 0.0 }
    });
    Ok(Answer::new(shape, sums.collect()))
}

/// [`conv_transpose2d()`](super::conv_transpose2d()) with the bound for minimal filtering `[[m, r], [m', r']]` of the
/// convolution that it is ([`ConvTranspose2d::as_convolution`]).
///
/// # Errors
/// As [`ConvTranspose2d::output_shape`]; [`Error::Parameter`] where there is no such convolution, or for another kernel,
/// dilation, groups or `filtering`.
pub fn conv_transpose2d_minimal_filtering(
    op: &ConvTranspose2d,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    filtering: [[usize; 2]; 2],
) -> Result<Answer> {
    op.output_shape(x.shape(), w.shape(), bias.map(Tensor::shape))?;
    let convolution = op.as_convolution(x.shape());
    let convolution = convolution.ok_or_else(|| {
        Error::parameter("minimal filtering", "stride", "1, and a border within the kernel", format!("{op:?}"))
    })?;
    conv2d_minimal_filtering(&convolution, x, &flipped_weight(w, op.groups)?, bias, filtering)
}

/// A transformed tile or piece, row by row, for each position of a shape.
struct Table {
    shape: Shape,
    entries: Vec<Vec<f64>>,
}

impl Table {
    fn new(shape: Shape, entry: impl Fn([usize; 4]) -> Vec<f64>) -> Self {
        Self { shape, entries: (0..shape.elements()).map(|at| entry(shape.position(at))).collect() }
    }

    fn entry(&self, position: [usize; 4]) -> &[f64] {
        &self.entries[self.shape.index(position)]
    }
}

/// `|L| V |R|^T` for two matrices by rows, row by row.
fn sandwich([left, right]: [&Rows; 2], value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let sum = |row: &[f64], value: &dyn Fn(usize) -> f64| -> f64 {
        row.iter().enumerate().map(|(at, factor)| factor.abs() * value(at)).sum()
    };
    let entry = |p: &[f64], q: &[f64]| sum(p, &|i| sum(q, &|j| value(i, j)));
    left.iter().flat_map(|p| right.iter().map(move |q| (p, q))).map(|(p, q)| entry(p, q)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn tensor(shape: [usize; 4], seed: usize) -> Tensor {
        let mut state = seed;
        Tensor::from_fn(shape, |_| {
            state = (state * 1_103_515_245 + 12_345) % (1 << 31);
            (state >> 16) as f32 % 17.0 - 8.0
        })
        .unwrap()
    }

    /// On small integers, where one product moves a sum by one at least.
    #[test]
    fn a_dropped_tap_is_outside_the_bound() {
        let alike = |sizes| [sizes, sizes];
        for (filtering, kernel) in [
            (alike([2, 3]), [3, 3]),
            (alike([4, 3]), [3, 3]),
            (alike([4, 4]), [7, 7]),
            (alike([4, 4]), [5, 8]),
            (alike([4, 4]), [4, 6]),
            (alike([6, 3]), [3, 3]),
            (alike([5, 4]), [4, 4]),
            (alike([4, 5]), [5, 5]),
            (alike([3, 6]), [6, 6]),
            (alike([2, 7]), [7, 7]),
            ([[7, 2], [2, 7]], [2, 7]),
            ([[6, 3], [4, 5]], [3, 5]),
        ] {
            let op = Conv2d::new(kernel).pad(2);
            let (x, w) = (tensor([1, 2, 9, 10], 1), tensor([3, 2, kernel[0], kernel[1]], 2));
            let answer = conv2d_minimal_filtering(&op, &x, &w, None, filtering).unwrap();
            let plain = conv2d(&op, &x, &w, None).unwrap();
            answer.check(&plain.tensor()).unwrap();
            assert!(answer.sums().iter().zip(plain.sums()).all(|(it, plain)| it.bound() >= plain.bound()));
            for tap in 0..w.data().len() {
                let mut without = w.clone();
                if w.data()[tap] == 0.0 {
                    continue;
                }
                without.data_mut()[tap] = 0.0;
                let wrong = conv2d(&op, &x, &without, None).unwrap().tensor();
                assert!(answer.check(&wrong).is_err(), "{filtering:?} {kernel:?} without tap {tap}");
            }
        }
    }

    #[test]
    fn other_convolutions_are_refused() {
        let (x, w) = (tensor([1, 1, 8, 8], 1), tensor([1, 1, 5, 5], 2));
        let refused =
            |op: Conv2d, filtering| conv2d_minimal_filtering(&op, &x, &w, None, filtering).unwrap_err().to_string();
        let op = Conv2d::new([5, 5]);
        assert!(refused(op, [[4, 3], [4, 3]]).contains("3x3"));
        assert!(refused(op, [[4, 4], [6, 3]]).contains("anyx3"));
        assert!(refused(op, [[4, 5], [3, 3]]).contains("[4, 4]"));
        assert!(refused(op.stride([1, 2]), [[4, 4], [4, 4]]).contains("stride 1"));
        assert!(refused(op.dilation([2, 1]), [[4, 4], [4, 4]]).contains("dilation 1"));
    }
}
