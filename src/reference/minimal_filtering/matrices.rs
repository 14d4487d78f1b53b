//! The matrices of minimal filtering F(m, r), along one axis.

/// Rows of a matrix.
pub(super) type Rows = Vec<Vec<f64>>;

/// The matrices of F(m, r), m output cells and r taps, as they are applied.
pub(super) struct Filtering {
    /// The matrices whose product, the last one leftmost, is `B^T`.
    input: Vec<Rows>,
    /// `G` and `A^T`.
    pub(super) weight: Rows,
    pub(super) output: Rows,
    /// Most roundings of a number on its way through one pass of the input's, of the weight's and of the output's transform.
    pub(super) roundings: [u32; 3],
    /// Whether it serves a kernel of any number of taps, in pieces of r.
    pub(super) in_pieces: bool,
}

/// Those of F(m, r) for `[m, r]`, where there is one.
pub(super) fn filtering(sizes: [usize; 2]) -> Option<Filtering> {
    match sizes {
        [2, 3] => Some(f2_3()),
        [4, 3] => Some(f4_3()),
        [4, 4] => Some(f4_4()),
        [cells @ 2..=7, taps] if cells + taps == 9 => Some(eight(taps)),
        _ => None,
    }
}

/// Lavin and Gray (2015), section 4.1.
fn f2_3() -> Filtering {
    let input = rows([[1., 0., -1., 0.], [0., 1., 1., 0.], [0., -1., 1., 0.], [0., 1., 0., -1.]]);
    Filtering {
        input: vec![input],
        weight: rows([[1., 0., 0.], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0., 0., 1.]]),
        output: rows([[1., 1., 1., 0.], [0., 1., -1., -1.]]),
        // Halves are exact.
        roundings: [1, 2, 2],
        in_pieces: false,
    }
}

/// The same.
fn f4_3() -> Filtering {
    let input = rows([
        [4., 0., -5., 0., 1., 0.],
        [0., -4., -4., 1., 1., 0.],
        [0., 4., -4., -1., 1., 0.],
        [0., -2., -1., 2., 1., 0.],
        [0., 2., -1., -2., 1., 0.],
        [0., 4., 0., -5., 0., 1.],
    ]);
    Filtering {
        input: vec![input],
        weight: rows([
            [1. / 4., 0., 0.],
            [-1. / 6., -1. / 6., -1. / 6.],
            [-1. / 6., 1. / 6., -1. / 6.],
            [1. / 24., 1. / 12., 1. / 6.],
            [1. / 24., -1. / 12., 1. / 6.],
            [0., 0., 1.],
        ]),
        output: rows([
            [1., 1., 1., 1., 1., 0.],
            [0., 1., -1., 2., -2., 0.],
            [0., 1., 1., 4., 4., 0.],
            [0., 1., -1., 8., -8., 1.],
        ]),
        // A product with 5 may be rounded before it is added, for not every device fuses the two.
        roundings: [3, 3, 3],
        in_pieces: false,
    }
}

/// By Cook's and Toom's construction from the points 0, 1, -1, 2, -2, 1/4 and infinity: row p of `G` is `(1, p, p^2,
/// p^3) / N` with `N` the product of p's distances from the other finite points, row p of `B^T` the coefficients of the
/// polynomial whose roots are those, column p of `A^T` again `(1, p, p^2, p^3)`. Of some hundred triples beside 0, 1,
/// -1 and infinity that were tried, none has a smaller bound, and only such as need a division in the input's transform
/// err less, by a tenth.
fn f4_4() -> Filtering {
    // All polynomials but that of 1/4 itself have the root 1/4: they are those of F(4x4, 3x3), over differences.
    let differences = rows([
        [-0.25, 1., 0., 0., 0., 0., 0.],
        [0., -0.25, 1., 0., 0., 0., 0.],
        [0., 0., -0.25, 1., 0., 0., 0.],
        [0., 0., 0., -0.25, 1., 0., 0.],
        [0., 0., 0., 0., -0.25, 1., 0.],
        [0., 0., 0., 0., 0., -0.25, 1.],
        [0., 4., 0., -5., 0., 1., 0.],
    ]);
    let of_differences = rows([
        [4., 0., -5., 0., 1., 0., 0.],
        [0., -4., -4., 1., 1., 0., 0.],
        [0., 4., -4., -1., 1., 0., 0.],
        [0., -2., -1., 2., 1., 0., 0.],
        [0., 2., -1., -2., 1., 0., 0.],
        [0., 0., 0., 0., 0., 0., 1.],
        [0., 4., 0., -5., 0., 1., 0.],
    ]);
    Filtering {
        input: vec![differences, of_differences],
        weight: rows([
            [-1., 0., 0., 0.],
            [-2. / 9., -2. / 9., -2. / 9., -2. / 9.],
            [2. / 15., -2. / 15., 2. / 15., -2. / 15.],
            [1. / 42., 2. / 42., 4. / 42., 8. / 42.],
            [-1. / 54., 2. / 54., -4. / 54., 8. / 54.],
            [1024. / 945., 256. / 945., 64. / 945., 16. / 945.],
            [0., 0., 0., 1.],
        ]),
        output: rows([
            [1., 1., 1., 1., 1., 1., 0.],
            [0., 1., -1., 2., -2., 1. / 4., 0.],
            [0., 1., 1., 4., 4., 1. / 16., 0.],
            [0., 1., -1., 8., -8., 1. / 64., 1.],
        ]),
        // A factor of a row of G is rounded itself, and so is the product with it.
        roundings: [4, 4, 3],
        in_pieces: true,
    }
}

/// F(9 - r, r) by the same construction from the points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity: `B^T` and the `N`
/// depend on the points alone, `G` has their powers below r, `A^T` those below 9 - r. (Both polynomial and `N` of the
/// point 0 have the other sign.)
fn eight(taps: usize) -> Filtering {
    const POINTS: [(f64, f64); 7] =
        [(0., 1.), (1., -9. / 2.), (-1., -9. / 2.), (2., 90.), (-2., 90.), (1. / 2., 45. / 32.), (-1. / 2., 45. / 32.)];
    let input = rows([
        [1., 0., -21. / 4., 0., 21. / 4., 0., -1., 0.],
        [0., 1., 1., -17. / 4., -17. / 4., 1., 1., 0.],
        [0., -1., 1., 17. / 4., -17. / 4., -1., 1., 0.],
        [0., 1. / 2., 1. / 4., -5. / 2., -5. / 4., 2., 1., 0.],
        [0., -1. / 2., 1. / 4., 5. / 2., -5. / 4., -2., 1., 0.],
        [0., 2., 4., -5. / 2., -5., 1. / 2., 1., 0.],
        [0., -2., 4., 5. / 2., -5., -1. / 2., 1., 0.],
        [0., -1., 0., 21. / 4., 0., -21. / 4., 0., 1.],
    ]);
    let cells = 9 - taps;
    let last = |length: usize| (0..length).map(|power| if power + 1 == length { 1. } else { 0. }).collect();
    let powers = |point: f64, length: usize| (0..length).map(move |power| point.powi(power as i32));
    let of_weight = POINTS.iter().map(|&(point, n)| powers(point, taps).map(|power| power / n).collect());
    // Columns of `A^T`, by points.
    let columns: Rows = POINTS.iter().map(|&(point, _)| powers(point, cells).collect()).chain([last(cells)]).collect();
    // The longer of the sums of even and odd powers, the sum of both, a factor that is rounded and the product with it.
    let of_weight_roundings = (taps.div_ceil(2) - 1 + 1 + 2) as u32;
    Filtering {
        input: vec![input],
        weight: of_weight.chain([last(taps)]).collect(),
        output: (0..cells).map(|i| columns.iter().map(|column| column[i]).collect()).collect(),
        // A product with 5/4, 5/2, 17/4 or 5, and three sums.
        roundings: [4, of_weight_roundings, 3],
        in_pieces: false,
    }
}

impl Filtering {
    /// `B^T` over absolute values: where it is a product, of those of its factors.
    pub(super) fn input_magnitudes(&self) -> Rows {
        let absolute = |rows: &Rows| rows.iter().map(|row| row.iter().map(|entry| entry.abs()).collect()).collect();
        product(self.input.iter().map(absolute))
    }
}

fn rows<const COLUMNS: usize, const ROWS: usize>(rows: [[f64; COLUMNS]; ROWS]) -> Rows {
    rows.iter().map(|row| row.to_vec()).collect()
}

/// The product of matrices, the last one leftmost.
fn product(matrices: impl Iterator<Item = Rows>) -> Rows {
    let times = |right: Rows, left: Rows| {
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
        let eights = (2..=7).map(|taps| [9 - taps, taps]);
        for sizes @ [cells, taps] in [[2, 3], [4, 3], [4, 4]].into_iter().chain(eights) {
            let filtering = filtering(sizes).unwrap();
            let input = product(filtering.input.iter().cloned());
            assert_eq!((filtering.output.len(), filtering.weight[0].len()), (cells, taps));
            assert_eq!((input[0].len(), input.len()), (cells + taps - 1, filtering.weight.len()), "{sizes:?}");
            for (i, output) in filtering.output.iter().enumerate() {
                for (c, k) in (0..input[0].len()).flat_map(|c| (0..taps).map(move |k| (c, k))) {
                    let terms = (0..input.len()).map(|p| output[p] * input[p][c] * filtering.weight[p][k]);
                    let expected = if c == i + k { 1.0 } else { 0.0 };
                    assert!((terms.sum::<f64>() - expected).abs() < 1e-14, "{sizes:?}: output {i}, cell {c}, tap {k}");
                }
            }
        }
        assert!([[3, 3], [8, 1], [1, 8], [9, 0]].into_iter().all(|sizes| filtering(sizes).is_none()));
    }
}
