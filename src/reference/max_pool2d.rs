//! Max pooling with switches.

use super::{Answer, Sum, inside};
use crate::error::Result;
use crate::op::MaxPool2d;
use crate::shape::Shape;
use crate::tensor::{Switches, Tensor};

/// [`MaxPool2d`] of `x`: the maxima, and where in their planes they were.
///
/// # Errors
/// As [`MaxPool2d::output_shape`].
pub fn max_pool2d(op: &MaxPool2d, x: &Tensor) -> Result<(Tensor, Switches)> {
    let input = x.shape();
    let shape = op.output_shape(input)?;
    let mut maxima = Vec::with_capacity(shape.elements());
    let mut switches = Vec::with_capacity(shape.elements());
    for plane in x.data().chunks_exact(input.plane()) {
        for i in 0..shape.h {
            for j in 0..shape.w {
                let winner = window(op, input, i, j).reduce(|best, cell| {
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

/// Cells of a plane in the window of output cell (i, j), in raster order.
fn window(op: &MaxPool2d, input: Shape, i: usize, j: usize) -> impl Iterator<Item = usize> {
    let ([sy, sx], [dy, dx], [top, left], columns) = (op.stride, op.dilation, op.pad.before(), op.kernel[1]);
    let rows = inside(op.kernel[0], dy, i * sy, top, input.h).map(move |u| i * sy + u * dy - top);
    rows.flat_map(move |y| {
        inside(columns, dx, j * sx, left, input.w).map(move |v| y * input.w + j * sx + v * dx - left)
    })
}

/// [`MaxPool2d`] of a map of sums, each maximum with the bound that pooling keeps whose operand kept those of the sums.
///
/// The largest of some numbers, none of them off by more than `b`, is not off by more than `b`. So a maximum has the value of
/// the largest sum, and the magnitude, terms and slack of whichever sum of its window has most.
///
/// # Errors
/// As [`MaxPool2d::output_shape`].
pub fn max_pool2d_sums(op: &MaxPool2d, map: &Answer) -> Result<Answer> {
    let shape = op.output_shape(map.shape())?;
    let mut maxima = Vec::with_capacity(shape.elements());
    for plane in map.sums().chunks_exact(map.shape().plane()) {
        for i in 0..shape.h {
            for j in 0..shape.w {
                let largest = window(op, map.shape(), i, j).map(|cell| plane[cell]).reduce(|best, next| {
                    let wins = next.value > best.value || next.value.is_nan();
                    let value = if wins { next.value } else { best.value };
                    Sum {
                        value,
                        magnitude: best.magnitude.max(next.magnitude),
                        terms: best.terms.max(next.terms),
                        slack: best.slack.max(next.slack),
                    }
                });
                maxima.push(largest.unwrap_or_default());
            }
        }
    }
    Ok(Answer::new(shape, maxima))
}

/// What is wrong with the switches of such a pooling, if anything: each has to name a cell of its window than which no other
/// was certainly larger, whichever way all were rounded.
pub(crate) fn switches_of_sums(op: &MaxPool2d, map: &Answer, found: &Switches) -> Option<String> {
    let (input, shape) = (map.shape(), found.shape());
    let certainly_larger = |plane: &[Sum], other: usize, cell: usize| {
        let (o, c) = (&plane[other], &plane[cell]);
        let nan = o.value.is_nan() && (!c.value.is_nan() || other > cell);
        nan || o.value - o.bound() > c.value + c.bound()
    };
    let wrong = |&(position, &cell): &(usize, &u32)| {
        let [n, c, i, j] = shape.position(position);
        let plane = &map.sums()[(n * input.c + c) * input.plane()..][..input.plane()];
        let cell = cell as usize;
        !window(op, input, i, j).any(|own| own == cell)
            || window(op, input, i, j).any(|other| certainly_larger(plane, other, cell))
    };
    let (position, cell) = found.indices().iter().enumerate().find(wrong)?;
    Some(format!("the switch at {:?} is {cell}, which is not where its window is largest", shape.position(position)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Sums of one term; a term of magnitude 1 may be off by 3.03 * 2^-24.
    fn map(values: [f64; 4]) -> Answer {
        Answer::new(
            [1, 1, 2, 2].into(),
            values.map(|value| Sum { value, magnitude: 1.0, terms: 1, slack: 0.0 }).to_vec(),
        )
    }

    fn switches(cell: u32) -> Switches {
        Switches::trusted([1, 1, 1, 1].into(), [2, 2], MaxPool2d::new([2, 2]), vec![cell])
    }

    #[test]
    fn a_maximum_of_sums_has_the_widest_bound_of_its_window() {
        let mut sums = map([1.0, 4.0, 3.0, 2.0]).sums().to_vec();
        sums[3] = Sum { value: 2.0, magnitude: 9.0, terms: 7, slack: 0.0 };
        let op = MaxPool2d::new([2, 2]);
        let maxima = max_pool2d_sums(&op, &Answer::new([1, 1, 2, 2].into(), sums)).unwrap();
        assert_eq!(maxima.sums(), [Sum { value: 4.0, magnitude: 9.0, terms: 7, slack: 0.0 }]);
        assert!(max_pool2d_sums(&op, &map([f64::NAN, 4.0, 3.0, 2.0])).unwrap().sums()[0].value.is_nan());
    }

    #[test]
    fn a_switch_may_name_any_cell_that_rounding_can_make_the_largest() {
        let op = MaxPool2d::new([2, 2]);
        let close = 4.0 - 6.0 / f64::from(1 << 24);
        let rows = [
            ([1.0, 4.0, close, 2.0], [false, true, true, false]),
            ([1.0, 4.0, close - 1e-6, 2.0], [false, true, false, false]),
            ([f64::NAN, 4.0, f64::NAN, 2.0], [false, false, true, false]),
            ([0.0; 4], [true; 4]),
        ];
        for (values, right) in rows {
            let found = [0, 1, 2, 3].map(|cell| switches_of_sums(&op, &map(values), &switches(cell)).is_none());
            assert_eq!(found, right, "{values:?}");
        }
        assert!(switches_of_sums(&op, &map([0.0; 4]), &switches(4)).is_some());
    }
}
