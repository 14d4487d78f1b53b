//! The reference against numbers from the literature, small enough to be worked out by hand.

use switchback::reference::{conv_transpose2d, conv2d, max_pool2d, max_unpool2d, toeplitz::Toeplitz};
use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, MaxUnpool2d, Switches, Tensor};

/// One plane, written as its rows: `"1 2 / 3 4"`.
fn plane(text: &str) -> Tensor {
    let rows: Vec<Vec<f32>> =
        text.split('/').map(|row| row.split_whitespace().map(|n| n.parse().unwrap()).collect()).collect();
    Tensor::new([1, 1, rows.len(), rows[0].len()], rows.concat()).unwrap()
}

/// The numeric figures of Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*.
mod guide {
    use super::*;

    fn input() -> Tensor {
        plane("3 3 2 1 0 / 0 0 1 3 1 / 3 1 2 2 3 / 2 0 0 2 2 / 2 0 0 0 1")
    }

    fn kernel() -> Tensor {
        plane("0 1 2 / 2 2 0 / 0 1 2")
    }

    #[test]
    fn convolutions() {
        let rows = [
            (Conv2d::new([3, 3]), "12 12 17 / 10 17 19 / 9 6 14"),
            (Conv2d::new([3, 3]).stride([2, 2]).pad(1), "6 17 3 / 8 17 13 / 6 4 4"),
            (Conv2d::new([3, 3]).pad(1), "6 14 17 11 3 / 14 12 12 17 11 / 8 10 17 19 13 / 11 9 6 14 12 / 6 4 4 6 4"),
        ];
        for (op, expected) in rows {
            assert_eq!(conv2d(&op, &input(), &kernel(), None).unwrap().tensor(), plane(expected), "{op:?}");
        }
    }

    #[test]
    fn max_pooling() {
        let (maxima, _) = max_pool2d(&MaxPool2d::new([3, 3]).stride([1, 1]), &input()).unwrap();
        assert_eq!(maxima, plane("3 3 3 / 3 3 3 / 3 2 3"));
    }

    #[test]
    fn a_transposed_convolution_recovers_the_shape_but_not_the_values() {
        let down = Conv2d::new([3, 3]);
        let small = conv2d(&down, &input(), &kernel(), None).unwrap().tensor();
        let back = conv_transpose2d(&down.adjoint([5, 5]), &small, &kernel(), None).unwrap().tensor();
        assert_eq!(back.shape(), input().shape());
        assert_ne!(back, input());
        let expected = plane("0 12 36 41 34 / 24 58 95 87 38 / 20 75 132 105 62 / 18 40 77 81 38 / 0 9 24 26 28");
        assert_eq!(back, expected);
    }

    /// Section 4.1: a 3x3 kernel over a 4x4 input is a 4x16 matrix with nine weights a row.
    #[test]
    fn convolution_as_a_matrix() {
        let w = plane("1 2 3 / 4 5 6 / 7 8 9");
        let matrix = Toeplitz::new(&Conv2d::new([3, 3]), [1, 1, 4, 4], &w).unwrap();
        assert_eq!(matrix.size(), [4, 16]);
        let mut dense = [[0.0; 16]; 4];
        for entry in matrix.entries() {
            dense[entry.row][entry.column] += entry.weight;
        }
        let expected = [
            [1., 2., 3., 0., 4., 5., 6., 0., 7., 8., 9., 0., 0., 0., 0., 0.],
            [0., 1., 2., 3., 0., 4., 5., 6., 0., 7., 8., 9., 0., 0., 0., 0.],
            [0., 0., 0., 0., 1., 2., 3., 0., 4., 5., 6., 0., 7., 8., 9., 0.],
            [0., 0., 0., 0., 0., 1., 2., 3., 0., 4., 5., 6., 0., 7., 8., 9.],
        ];
        assert_eq!(dense, expected);
    }
}

#[test]
fn transposed_convolutions() {
    let op = ConvTranspose2d::new([3, 3]);
    let rows = [
        (op, "1 4 7 6 / 7 23 33 24 / 19 53 63 42 / 21 52 59 36"),
        (op.stride([2, 2]), "1 2 5 4 6 / 4 5 14 10 12 / 10 14 36 24 30 / 12 15 34 20 24 / 21 24 55 32 36"),
        (op.stride([2, 2]).pad(1), "5 14 10 / 14 36 24 / 15 34 20"),
        // Output padding uncovers a row and column that the border had cut off: real values, not zeros.
        (op.stride([2, 2]).pad(1).output_padding([1, 1]), "5 14 10 12 / 14 36 24 30 / 15 34 20 24 / 24 55 32 36"),
        // Without a border there is nothing to uncover.
        (
            op.stride([2, 2]).output_padding([1, 1]),
            "1 2 5 4 6 0 / 4 5 14 10 12 0 / 10 14 36 24 30 0 / 12 15 34 20 24 0 / 21 24 55 32 36 0 / 0 0 0 0 0 0",
        ),
        (
            op.stride([3, 3]),
            "1 2 3 2 4 6 / 4 5 6 8 10 12 / 7 8 9 14 16 18 / 3 6 9 4 8 12 / 12 15 18 16 20 24 / 21 24 27 28 32 36",
        ),
        (
            op.dilation([2, 2]),
            "1 2 2 4 3 6 / 3 4 6 8 9 12 / 4 8 5 10 6 12 / 12 16 15 20 18 24 / 7 14 8 16 9 18 / 21 28 24 32 27 36",
        ),
    ];
    let (x, w) = (plane("1 2 / 3 4"), plane("1 2 3 / 4 5 6 / 7 8 9"));
    for (op, expected) in rows {
        assert_eq!(conv_transpose2d(&op, &x, &w, None).unwrap().tensor(), plane(expected), "{op:?}");
    }
}

/// ONNX's node test `convtranspose`.
#[test]
fn transposed_convolution_of_a_ramp() {
    let found = conv_transpose2d(
        &ConvTranspose2d::new([3, 3]),
        &plane("0 1 2 / 3 4 5 / 6 7 8"),
        &Tensor::full([1, 1, 3, 3], 1.0).unwrap(),
        None,
    );
    let expected = plane("0 1 3 3 2 / 3 8 15 12 7 / 9 21 36 27 15 / 9 20 33 24 13 / 6 13 21 15 8");
    assert_eq!(found.unwrap().tensor(), expected);
}

#[test]
fn pooling_switches() {
    let ramp = Tensor::from_fn([1, 1, 5, 5], |[_, _, y, x]| (5 * y + x + 1) as f32).unwrap();
    let zeros = Tensor::zeros([1, 1, 4, 4]).unwrap();
    let with_nan = plane("1 nan 3 / nan 5 6 / 7 8 9");
    let pool = |k: usize, s: usize| MaxPool2d::new([k, k]).stride([s, s]);
    let rows: [(_, _, _, &[u32]); 5] = [
        ("the last windows are partial", pool(2, 2).ceil(), &ramp, &[6, 8, 9, 16, 18, 19, 21, 23, 24]),
        ("the first of equal cells", pool(2, 2), &zeros, &[0, 2, 8, 10]),
        ("never a padded cell", pool(3, 2).pad(1), &zeros, &[0, 1, 4, 5]),
        ("the last of two NaN", pool(2, 1), &with_nan, &[3, 1, 3, 8]),
        ("the lowest number beats the border", pool(3, 3).pad(1), &Tensor::full([1, 1, 2, 2], f32::MIN).unwrap(), &[0]),
    ];
    for (because, op, x, expected) in rows {
        let (maxima, switches) = max_pool2d(&op, x).unwrap();
        assert_eq!(switches.indices(), expected, "{because}");
        let chosen = expected.iter().map(|&cell| x.data()[cell as usize].to_bits());
        assert!(maxima.data().iter().map(|value| value.to_bits()).eq(chosen), "{because}: {maxima:?}");
    }
}

#[test]
fn unpooling_decodes_switches_with_the_width_that_was_pooled() {
    let pool = MaxPool2d::new([2, 2]);
    let (narrow, wide) = ([4, 4], [4, 5]);
    let values = plane("1 2 / 3 4");
    // ONNX's node test `maxunpool_export_with_output_shape`: switches into 4x4, output 5x5.
    let switches = Switches::new([1, 1, 2, 2], narrow, pool, vec![5, 7, 13, 15]).unwrap();
    let found = max_unpool2d(&MaxUnpool2d::new().output_size([5, 5]), &values, &switches).unwrap();
    assert_eq!(found, plane("0 0 0 0 0 / 0 1 0 2 0 / 0 0 0 0 0 / 0 3 0 4 0 / 0 0 0 0 0"));
    // A column that no window covers, which a library that only knows the input's extent gets wrong.
    let switches = Switches::new([1, 1, 2, 2], wide, pool, vec![6, 8, 16, 18]).unwrap();
    let found = max_unpool2d(&MaxUnpool2d::new(), &values, &switches).unwrap();
    assert_eq!(found, plane("0 0 0 0 0 / 0 1 0 2 0 / 0 0 0 0 0 / 0 3 0 4 0"));
}

#[test]
fn of_several_values_for_one_cell_the_last_stays() {
    let pool = MaxPool2d::new([3, 3]).stride([1, 1]);
    let peak = plane("0 0 0 0 / 0 0 9 0 / 0 0 0 0 / 0 0 0 0");
    let (_, switches) = max_pool2d(&pool, &peak).unwrap();
    assert_eq!(switches.indices(), [6; 4]);
    let found = max_unpool2d(&MaxUnpool2d::new(), &plane("1 2 / 3 4"), &switches).unwrap();
    assert_eq!(found, plane("0 0 0 0 / 0 0 4 0 / 0 0 0 0 / 0 0 0 0"));
}
