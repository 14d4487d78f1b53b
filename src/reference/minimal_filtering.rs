//! The bound that a convolution by Winograd's minimal filtering must keep, which is wider than the plain one.

use super::{Answer, Sum, conv2d, flipped_weight};
use crate::error::{Error, Result};
use crate::op::{Conv2d, ConvTranspose2d};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The matrices of F(m x m, r x r), m output cells and r taps a side, as they are applied.
struct Filtering {
    /// Rows of the matrices whose product, the last one leftmost, is `B^T`.
    input: &'static [&'static [&'static [f64]]],
    /// Rows of `G` and of `A^T`.
    weight: &'static [&'static [f64]],
    output: &'static [&'static [f64]],
    /// Most roundings of a number on its way through one pass of the input's, of the weight's and of the output's transform.
    roundings: [u32; 3],
}

/// Lavin and Gray (2015), section 4.1.
const F2_3: Filtering = Filtering {
    input: &[&[&[1., 0., -1., 0.], &[0., 1., 1., 0.], &[0., -1., 1., 0.], &[0., 1., 0., -1.]]],
    weight: &[&[1., 0., 0.], &[0.5, 0.5, 0.5], &[0.5, -0.5, 0.5], &[0., 0., 1.]],
    output: &[&[1., 1., 1., 0.], &[0., 1., -1., -1.]],
    // Halves are exact.
    roundings: [1, 2, 2],
};

/// The same.
const F4_3: Filtering = Filtering {
    input: &[&[
        &[4., 0., -5., 0., 1., 0.],
        &[0., -4., -4., 1., 1., 0.],
        &[0., 4., -4., -1., 1., 0.],
        &[0., -2., -1., 2., 1., 0.],
        &[0., 2., -1., -2., 1., 0.],
        &[0., 4., 0., -5., 0., 1.],
    ]],
    weight: &[
        &[1. / 4., 0., 0.],
        &[-1. / 6., -1. / 6., -1. / 6.],
        &[-1. / 6., 1. / 6., -1. / 6.],
        &[1. / 24., 1. / 12., 1. / 6.],
        &[1. / 24., -1. / 12., 1. / 6.],
        &[0., 0., 1.],
    ],
    output: &[
        &[1., 1., 1., 1., 1., 0.],
        &[0., 1., -1., 2., -2., 0.],
        &[0., 1., 1., 4., 4., 0.],
        &[0., 1., -1., 8., -8., 1.],
    ],
    // A product with 5 may be rounded before it is added, for not every device fuses the two.
    roundings: [3, 3, 3],
};

/// By Cook's and Toom's construction from the points 0, 1, -1, 2, -2, 1/4 and infinity: row p of `G` is `(1, p, p^2, p^3) / N`
/// with `N` the product of p's distances from the other finite points, row p of `B^T` the coefficients of the polynomial whose roots
/// are those, column p of `A^T` again `(1, p, p^2, p^3)`. Of some hundred triples beside 0, 1, -1 and infinity that were tried, none has
/// a smaller bound, and only such as need a division in the input's transform err less, by a tenth.
const F4_4: Filtering = Filtering {
    // All polynomials but that of 1/4 itself have the root 1/4: they are those of F(4x4, 3x3), over differences.
    input: &[
        &[
            &[-0.25, 1., 0., 0., 0., 0., 0.],
            &[0., -0.25, 1., 0., 0., 0., 0.],
            &[0., 0., -0.25, 1., 0., 0., 0.],
            &[0., 0., 0., -0.25, 1., 0., 0.],
            &[0., 0., 0., 0., -0.25, 1., 0.],
            &[0., 0., 0., 0., 0., -0.25, 1.],
            &[0., 4., 0., -5., 0., 1., 0.],
        ],
        &[
            &[4., 0., -5., 0., 1., 0., 0.],
            &[0., -4., -4., 1., 1., 0., 0.],
            &[0., 4., -4., -1., 1., 0., 0.],
            &[0., -2., -1., 2., 1., 0., 0.],
            &[0., 2., -1., -2., 1., 0., 0.],
            &[0., 0., 0., 0., 0., 0., 1.],
            &[0., 4., 0., -5., 0., 1., 0.],
        ],
    ],
    weight: &[
        &[-1., 0., 0., 0.],
        &[-2. / 9., -2. / 9., -2. / 9., -2. / 9.],
        &[2. / 15., -2. / 15., 2. / 15., -2. / 15.],
        &[1. / 42., 2. / 42., 4. / 42., 8. / 42.],
        &[-1. / 54., 2. / 54., -4. / 54., 8. / 54.],
        &[1024. / 945., 256. / 945., 64. / 945., 16. / 945.],
        &[0., 0., 0., 1.],
    ],
    output: &[
        &[1., 1., 1., 1., 1., 1., 0.],
        &[0., 1., -1., 2., -2., 1. / 4., 0.],
        &[0., 1., 1., 4., 4., 1. / 16., 0.],
        &[0., 1., -1., 8., -8., 1. / 64., 1.],
    ],
    // A factor of a row of G is rounded itself, and so is the product with it.
    roundings: [4, 4, 3],
};

/// [`conv2d()`] with the bound for minimal filtering F(m x m, r x r), given as `[m, r]`: `[2, 3]`, `[4, 3]` (kernels of 3x3), or
/// `[4, 4]` (a kernel of any size in pieces of 4x4 taps). The values are the same.
///
/// Filtering computes `A^T [ (G g G^T) * (B^T z B) ] A`, summed over input channels and over the pieces g of the kernel, each with the
/// cells z under it; taps past the kernel are zero. Written out it is a sum of products
/// of one entry each of the three matrices (twice), one weight and one cell; the magnitude here is the sum of their
/// absolute values, that is the same formula over absolute values. (Where `B^T` is a product of two matrices, of one entry of each: a
/// cell may come to a position by two ways.) A term passes, beside the rounding of its product, at most 2 (a + b + c) + P roundings and
/// one for the bias, with a, b, c those of one pass of the input's, the weight's and the output's transform and P the input
/// channels of a group, for every piece: `P + 11` for F(2x2, 3x3), `P + 19` for F(4x4, 3x3), `P + 23` for F(4x4, 4x4) take the place
/// of `K` in [`Sum::bound`].
///
/// # Errors
/// As [`Conv2d::output_shape`]; [`Error::Parameter`] for another kernel, stride, dilation or `filtering`.
pub fn conv2d_minimal_filtering(
    op: &Conv2d,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    filtering: [usize; 2],
) -> Result<Answer> {
    const OP: &str = "minimal filtering";
    let [cells, taps] = filtering;
    let Filtering { input, weight, output, roundings } = match filtering {
        [2, 3] => F2_3,
        [4, 3] => F4_3,
        [4, 4] => F4_4,
        _ => return Err(Error::parameter(OP, "filtering", "[2, 3], [4, 3] or [4, 4]", format!("{filtering:?}"))),
    };
    if (op.stride, op.dilation) != ([1, 1], [1, 1]) || cells != taps && op.kernel != [taps, taps] {
        let kernel = if cells == taps { "of any size".to_owned() } else { format!("{taps}x{taps}") };
        let expected = format!("{kernel}, stride 1, dilation 1");
        return Err(Error::parameter(OP, "kernel", &expected, format!("{op:?}")));
    }
    let answer = conv2d(op, x, w, bias)?;
    let shape = answer.shape();
    let (input, inputs) = (magnitudes(input), w.shape().c);
    let positions = input.len();
    let pieces = op.kernel.map(|length| length.div_ceil(taps));
    let tap = |position| w.get(position).map_or(0.0, |value| f64::from(value.abs()));
    let kernels = Table::new(w.shape().with_extent(pieces), |[o, c, i, j]| {
        sandwich(weight, |v, u| tap([o, c, i * taps + v, j * taps + u]))
    });
    let cell = |n, c, y: usize, x_: usize| {
        let inside = y.checked_sub(op.pad.top).zip(x_.checked_sub(op.pad.left));
        inside.and_then(|(y, x_)| x.get([n, c, y, x_])).map_or(0.0, |value| f64::from(value.abs()))
    };
    let grid = [0, 1].map(|axis| shape.extent()[axis].div_ceil(cells) + pieces[axis] - 1);
    let tiles = Table::new(x.shape().with_extent(grid), |[n, c, i, j]| {
        sandwich(&input, |y, x_| cell(n, c, i * cells + y, j * cells + x_))
    });
    let sums = (0..shape.elements()).map(|position| {
        let [n, o, i, j] = shape.position(position);
        let first = o / (shape.c / op.groups) * inputs;
        let mut products = vec![0.0; positions * positions];
        for [_, c, below, right] in (0..inputs * pieces[0] * pieces[1]).map(|at| kernels.shape.position(at)) {
            let tile = tiles.entry([n, first + c, i / cells + below, j / cells + right]);
            for ((sum, u), d) in products.iter_mut().zip(kernels.entry([o, c, below, right])).zip(tile) {
                *sum += u * d;
            }
        }
        let factor = |p: usize, q: usize| output[i % cells][p].abs() * output[j % cells][q].abs();
        let terms = (0..products.len()).map(|at| factor(at / positions, at % positions) * products[at]);
        let bias = bias.map_or(0.0, |bias| f64::from(bias.data()[o].abs()));
        let roundings = (inputs * pieces[0] * pieces[1]) as u32 + 2 * roundings.iter().sum::<u32>() + 1;
        let Sum { value, .. } = answer.sums()[position];
        Sum { value, magnitude: bias + terms.sum::<f64>(), terms: roundings, slack: 0.0 }
    });
    Ok(Answer::new(shape, sums.collect()))
}

/// [`conv_transpose2d()`](super::conv_transpose2d()) with the bound for minimal filtering `[m, r]` of the convolution that it
/// is ([`ConvTranspose2d::as_convolution`]).
///
/// # Errors
/// As [`ConvTranspose2d::output_shape`]; [`Error::Parameter`] where there is no such convolution, or for another kernel,
/// dilation, groups or `filtering`.
pub fn conv_transpose2d_minimal_filtering(
    op: &ConvTranspose2d,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    filtering: [usize; 2],
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

/// `|M| V |M|^T` for a matrix by rows, row by row.
fn sandwich<R: AsRef<[f64]>>(matrix: &[R], value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let sum = |row: &R, value: &dyn Fn(usize) -> f64| -> f64 {
        row.as_ref().iter().enumerate().map(|(at, factor)| factor.abs() * value(at)).sum()
    };
    let entry = |p: &R, q: &R| sum(p, &|i| sum(q, &|j| value(i, j)));
    matrix.iter().flat_map(|p| matrix.iter().map(move |q| (p, q))).map(|(p, q)| entry(p, q)).collect()
}

/// Rows of the product of matrices over absolute values, the last one leftmost.
fn magnitudes(matrices: &[&[&[f64]]]) -> Vec<Vec<f64>> {
    let absolute = |rows: &[&[f64]]| -> Vec<Vec<f64>> {
        rows.iter().map(|row| row.iter().map(|entry| entry.abs()).collect()).collect()
    };
    product(matrices.iter().map(|rows| absolute(rows)))
}

/// The product of matrices, given by rows, the last one leftmost.
fn product(matrices: impl Iterator<Item = Vec<Vec<f64>>>) -> Vec<Vec<f64>> {
    let times = |right: Vec<Vec<f64>>, left: Vec<Vec<f64>>| {
        let columns = right.first().map_or(0, Vec::len);
        let entry =
            |row: &[f64], column: usize| row.iter().zip(&right).map(|(factor, below)| factor * below[column]).sum();
        left.iter().map(|row| (0..columns).map(|column| entry(row, column)).collect()).collect()
    };
    matrices.reduce(times).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Entry (i, c, k) of `sum_p A^T[i][p] B^T[p][c] G[p][k]` says what cell c and tap k add to output i: 1 where c = i + k.
    #[test]
    fn the_matrices_make_a_convolution() {
        for (name, filtering) in [("F(2, 3)", F2_3), ("F(4, 3)", F4_3), ("F(4, 4)", F4_4)] {
            let rows = |rows: &&[&[f64]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
            let input = product(filtering.input.iter().map(rows));
            let taps = filtering.weight[0].len();
            assert_eq!(
                (input[0].len(), input.len()),
                (filtering.output.len() + taps - 1, filtering.weight.len()),
                "{name}"
            );
            for (i, output) in filtering.output.iter().enumerate() {
                for (c, k) in (0..input[0].len()).flat_map(|c| (0..taps).map(move |k| (c, k))) {
                    let terms = (0..input.len()).map(|p| output[p] * input[p][c] * filtering.weight[p][k]);
                    let expected = if c == i + k { 1.0 } else { 0.0 };
                    assert!((terms.sum::<f64>() - expected).abs() < 1e-14, "{name}: output {i}, cell {c}, tap {k}");
                }
            }
        }
    }

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
        for (filtering, kernel) in
            [([2, 3], [3, 3]), ([4, 3], [3, 3]), ([4, 4], [7, 7]), ([4, 4], [5, 8]), ([4, 4], [4, 6])]
        {
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
        assert!(refused(op, [4, 3]).contains("3x3"));
        assert!(refused(op, [6, 3]).contains("[4, 4]"));
        assert!(refused(op.stride([1, 2]), [4, 4]).contains("stride 1"));
        assert!(refused(op.dilation([2, 1]), [4, 4]).contains("dilation 1"));
    }
}
