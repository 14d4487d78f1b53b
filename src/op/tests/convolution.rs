//! Convolution and transposed convolution.
//!
//! R1 to R15 are the relationships of Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*.

use super::{Expected, check_rows};
use crate::op::{Conv2d, ConvTranspose2d};
use crate::shape::{Padding, Shape};

const HUGE: usize = 1 << 40;

#[test]
fn conv2d_output_shapes() {
    let conv = |k: usize| Conv2d::new([k, k]);
    // Square, from one channel to one.
    let squares = [
        ("R1: no padding, unit stride", 4, conv(3), Ok(2)),
        ("R2: padding, unit stride", 5, conv(4).pad(2), Ok(6)),
        ("R3: half padding keeps the extent", 5, conv(3).pad(1), Ok(5)),
        ("R4: full padding adds k - 1", 5, conv(3).pad(2), Ok(7)),
        ("R5: no padding, stride", 5, conv(3).stride([2, 2]), Ok(2)),
        ("R6: padding, stride", 5, conv(3).stride([2, 2]).pad(1), Ok(3)),
        ("R6: the last row and column go unused", 6, conv(3).stride([2, 2]).pad(1), Ok(3)),
        ("R15: dilation", 7, conv(3).dilation([2, 2]), Ok(3)),
        ("the kernel as large as the input", 7, conv(7), Ok(1)),
        ("the kernel as large as the padded input", 1, conv(5).pad(2), Ok(1)),
        (
            "a kernel larger than the padded input",
            2,
            conv(5).pad(1),
            Err("conv2d: input is 4, expected at least 5 rows with padding"),
        ),
        (
            "a dilated kernel larger than the padded input",
            2,
            conv(3).dilation([2, 2]).pad(1),
            Err("conv2d: input is 4, expected at least 5 rows with padding"),
        ),
    ]
    .map(|(because, input, op, expected)| (because, op, [1, 1, input, input], None, expected.map(|o| [1, 1, o, o])));
    let general: [(_, _, _, Option<Shape>, Expected); 14] = [
        ("rows unlike columns", Conv2d::new([2, 5]).stride([1, 2]), [1, 1, 4, 9], None, Ok([1, 1, 3, 3])),
        (
            "four borders",
            conv(3).pad(Padding { top: 0, bottom: 1, left: 2, right: 4 }),
            [1, 1, 4, 4],
            None,
            Ok([1, 1, 3, 8]),
        ),
        (
            "too few columns only",
            Conv2d::new([1, 5]),
            [1, 1, 4, 4],
            None,
            Err("conv2d: input is 4, expected at least 5 columns with padding"),
        ),
        (
            "no kernel",
            Conv2d::new([0, 1]),
            [1, 1, 4, 4],
            None,
            Err("conv2d: kernel is [0, 1], expected 1 to 32767 along each axis"),
        ),
        (
            "no stride",
            conv(1).stride([1, 0]),
            [1, 1, 4, 4],
            None,
            Err("conv2d: stride is [1, 0], expected 1 to 32767 along each axis"),
        ),
        (
            "no dilation",
            conv(1).dilation([0, 0]),
            [1, 1, 4, 4],
            None,
            Err("conv2d: dilation is [0, 0], expected 1 to 32767 along each axis"),
        ),
        (
            "a stride that overflows",
            conv(1).stride([usize::MAX, 1]),
            [1, 1, 4, 4],
            None,
            Err("conv2d: stride is [18446744073709551615, 1], expected 1 to 32767 along each axis"),
        ),
        (
            "a border that overflows",
            conv(1).pad(Padding { bottom: usize::MAX, ..Padding::NONE }),
            [1, 1, 4, 4],
            None,
            Err("conv2d: pad is (top 0, bottom 18446744073709551615, left 0, right 0), expected at most 32767 a side"),
        ),
        (
            "groups that do not divide",
            conv(1).groups(2),
            [1, 3, 4, 4],
            None,
            Err("conv2d: groups is 2, expected a divisor of 3 input and 1 output channels"),
        ),
        (
            "no groups",
            conv(1).groups(0),
            [1, 3, 4, 4],
            None,
            Err("conv2d: groups is 0, expected a divisor of 3 input and 1 output channels"),
        ),
        (
            "an empty input",
            conv(1),
            [1, 1, 0, 4],
            None,
            Err("conv2d: input is 1x1x0x4, expected at least one element along every axis"),
        ),
        (
            "an input that 32-bit indices cannot count",
            conv(1),
            [1, 1, HUGE, HUGE],
            None,
            Err("conv2d: input is 1x1x1099511627776x1099511627776, expected fewer than 2^31 elements"),
        ),
        ("a bias", conv(1), [1, 1, 4, 4], Some([1, 1, 1, 1].into()), Ok([1, 1, 4, 4])),
        (
            "a bias of another length",
            conv(1),
            [1, 1, 4, 4],
            Some([1, 2, 1, 1].into()),
            Err("conv2d: bias is 1x2x1x1, expected 1x1x1x1 (one value an output channel)"),
        ),
    ];
    check_rows(squares.into_iter().chain(general).map(|(because, op, input, bias, expected)| {
        let weight = Shape { n: 1, c: input[1], h: op.kernel[0], w: op.kernel[1] };
        (because, op.output_shape(input.into(), weight, bias), expected)
    }));
}

#[test]
fn conv2d_weight_shapes() {
    let op = Conv2d::new([3, 2]).groups(2);
    let rows: [(_, _, Expected); 5] = [
        ([6, 2, 3, 2], "six outputs of two channels each", Ok([1, 6, 3, 4])),
        ([6, 4, 3, 2], "all channels, though there are groups", Err("conv2d: weight is 6x4x3x2, expected 6x2x3x2")),
        ([6, 2, 2, 3], "rows and columns swapped", Err("conv2d: weight is 6x2x2x3, expected 6x2x3x2")),
        (
            [5, 2, 3, 2],
            "outputs that the groups do not divide",
            Err("conv2d: groups is 2, expected a divisor of 4 input and 5 output channels"),
        ),
        ([0, 2, 3, 2], "no outputs", Err("conv2d: weight is 0x2x3x2, expected at least one element along every axis")),
    ];
    check_rows(
        rows.map(|(w, because, expected)| (because, op.output_shape([1, 4, 5, 5].into(), w.into(), None), expected)),
    );
}

#[test]
fn conv_transpose2d_output_shapes() {
    let up = |k: usize| ConvTranspose2d::new([k, k]);
    let rows: [(_, _, _, Result<[usize; 2], _>); 32] = [
        ("R8: of no padding, unit stride", [2, 2], up(3), Ok([4, 4])),
        ("R9: of padding, unit stride", [6, 6], up(4).pad(2), Ok([5, 5])),
        ("R10: of half padding", [5, 5], up(3).pad(1), Ok([5, 5])),
        ("R11: of full padding", [7, 7], up(3).pad(2), Ok([5, 5])),
        ("R12: of no padding, stride", [2, 2], up(3).stride([2, 2]), Ok([5, 5])),
        ("R13: of padding, stride", [3, 3], up(3).stride([2, 2]).pad(1), Ok([5, 5])),
        ("R14: one more row and column", [3, 3], up(3).stride([2, 2]).pad(1).output_padding([1, 1]), Ok([6, 6])),
        ("R14: the same, by size", [3, 3], up(3).stride([2, 2]).pad(1).output_size([6, 6]), Ok([6, 6])),
        ("R15: dilation", [3, 3], up(3).dilation([2, 2]), Ok([7, 7])),
        ("FCN's upscore2", [16, 16], up(4).stride([2, 2]), Ok([34, 34])),
        ("FCN's upscore8", [70, 70], up(16).stride([8, 8]), Ok([568, 568])),
        ("FCN's upscore of 32s", [16, 16], up(64).stride([32, 32]), Ok([544, 544])),
        ("FCN-AlexNet's odd kernel", [16, 16], up(63).stride([32, 32]), Ok([543, 543])),
        ("DeconvNet's fc6-deconv", [1, 1], up(7), Ok([7, 7])),
        ("rows unlike columns", [2, 3], ConvTranspose2d::new([1, 4]).stride([3, 2]).output_padding([2, 0]), Ok([6, 8])),
        ("four borders", [3, 3], up(4).pad(Padding { top: 0, bottom: 1, left: 2, right: 3 }), Ok([5, 1])),
        (
            "a border that cuts off everything",
            [3, 3],
            up(2).pad(2),
            Err(
                "conv_transpose2d: pad is (top 2, bottom 2, left 2, right 2), expected a border that leaves some of the \
                 output's 4 rows",
            ),
        ),
        (
            "unless output padding brings a row back",
            [3, 3],
            up(2).stride([2, 2]).pad(3).output_padding([1, 1]),
            Ok([1, 1]),
        ),
        (
            "a border that cuts off everything, with a size asked for",
            [3, 3],
            up(2).pad([0, 2]).output_size([4, 4]),
            Err(
                "conv_transpose2d: pad is (top 0, bottom 0, left 2, right 2), expected a border that leaves some of the \
                 output's 4 columns",
            ),
        ),
        (
            "output padding as large as the stride",
            [3, 3],
            up(3).stride([2, 2]).output_padding([1, 2]),
            Err(
                "conv_transpose2d: output_padding is [1, 2], expected below 2 along the columns, the larger of stride and \
                 dilation",
            ),
        ),
        ("output padding up to the dilation", [3, 3], up(3).dilation([3, 3]).output_padding([2, 0]), Ok([11, 9])),
        (
            "a size below the smallest",
            [3, 3],
            up(3).stride([2, 2]).output_size([6, 7]),
            Err("conv_transpose2d: output_size is [6, 7], expected 7 to 8 rows"),
        ),
        (
            "a size beyond the largest",
            [3, 3],
            up(3).stride([2, 2]).output_size([7, 9]),
            Err("conv_transpose2d: output_size is [7, 9], expected 7 to 8 columns"),
        ),
        (
            "a size of nothing",
            [3, 3],
            up(2).stride([2, 2]).pad(3).output_size([0, 1]),
            Err("conv_transpose2d: output_size is [0, 1], expected 1 to 1 rows"),
        ),
        (
            "a size that overflows",
            [3, 3],
            up(3).output_size([usize::MAX, 5]),
            Err("conv_transpose2d: output_size is [18446744073709551615, 5], expected 5 to 5 rows"),
        ),
        (
            "output padding that overflows",
            [3, 3],
            up(3).output_padding([usize::MAX, 0]),
            Err(
                "conv_transpose2d: output_padding is [18446744073709551615, 0], expected below 1 along the rows, the larger \
                 of stride and dilation",
            ),
        ),
        (
            "one axis alone that 32-bit indices cannot count",
            [1 << 20, 1],
            up(1).stride([32_767, 1]),
            Err("conv_transpose2d: output is 34358657026 rows, expected fewer than 2^31 elements"),
        ),
        (
            "both axes together",
            [1 << 10, 1 << 10],
            up(1).stride([64, 64]),
            Err("conv_transpose2d: output is 1x1x65473x65473, expected fewer than 2^31 elements"),
        ),
        (
            "no stride",
            [3, 3],
            up(1).stride([0, 1]),
            Err("conv_transpose2d: stride is [0, 1], expected 1 to 32767 along each axis"),
        ),
        (
            "no groups",
            [3, 3],
            up(1).groups(0),
            Err("conv_transpose2d: groups is 0, expected a divisor of 1 input and 0 output channels"),
        ),
        (
            "more groups than channels",
            [3, 3],
            up(1).groups(usize::MAX),
            Err("conv_transpose2d: groups is 18446744073709551615, expected a divisor of 1 input and \
                 18446744073709551615 output channels"),
        ),
        (
            "an empty input",
            [0, 3],
            up(1),
            Err("conv_transpose2d: input is 1x1x0x3, expected at least one element along every axis"),
        ),
    ];
    check_rows(rows.map(|(because, [h, w], op, expected)| {
        let weight = Shape { n: 1, c: 1, h: op.kernel[0], w: op.kernel[1] };
        (because, op.output_shape([1, 1, h, w].into(), weight, None), expected.map(|[h, w]| [1, 1, h, w]))
    }));
}

#[test]
fn conv_transpose2d_weight_shapes() {
    let op = ConvTranspose2d::new([3, 2]).groups(2);
    let rows: [(_, _, _, Expected); 5] = [
        ([4, 3, 3, 2], None, "groups of two inputs and three outputs", Ok([1, 6, 7, 6])),
        (
            [6, 2, 3, 2],
            None,
            "the weight of an ordinary convolution",
            Err("conv_transpose2d: weight is 6x2x3x2, expected 4x2x3x2"),
        ),
        ([4, 3, 2, 3], None, "rows and columns swapped", Err("conv_transpose2d: weight is 4x3x2x3, expected 4x3x3x2")),
        ([4, 3, 3, 2], Some([1, 6, 1, 1]), "a bias over all groups", Ok([1, 6, 7, 6])),
        (
            [4, 3, 3, 2],
            Some([1, 3, 1, 1]),
            "a bias over one group",
            Err("conv_transpose2d: bias is 1x3x1x1, expected 1x6x1x1 (one value an output channel)"),
        ),
    ];
    check_rows(rows.map(|(weight, bias, because, expected)| {
        let found = op.output_shape([1, 4, 5, 5].into(), weight.into(), bias.map(Shape::from));
        (because, found, expected)
    }));
}

#[test]
fn a_convolution_and_its_adjoint_undo_each_others_extents() {
    for input in 1..12 {
        for kernel in 1..5 {
            for (stride, pad, dilation) in [(1, 0, 1), (1, 2, 2), (2, 0, 1), (2, 1, 1), (3, 1, 2), (4, 3, 1)] {
                let op = Conv2d::new([kernel, 1]).stride([stride, 1]).pad([pad, 0]).dilation([dilation, 1]);
                let weight = Shape::from([1, 1, kernel, 1]);
                let Ok(output) = op.output_shape([1, 1, input, 1].into(), weight, None) else { continue };
                let back = op.adjoint([input, 1]).output_shape(output, weight, None).unwrap();
                assert_eq!(back.h, input, "{op:?}");
                assert_eq!(op.adjoint([input, 1]).adjoint(), op);
            }
        }
    }
}
