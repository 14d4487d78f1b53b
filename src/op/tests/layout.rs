//! The operators that move, add and colour.

use super::{Expected, check_rows};
use crate::op::{
    Add, ArgmaxChannels, BatchNorm, Colorize, Concat, Cost, Crop, CropAdd, LocalResponseNorm, Normalize, Pad, Palette,
    Relu, Scale, Slice, SoftmaxChannels,
};
use crate::shape::{Padding, Shape};

#[test]
fn crop_and_pad_output_shapes() {
    let input = Shape::from([2, 3, 5, 7]);
    let border = Padding { top: 1, bottom: 2, left: 0, right: 4 };
    let rows: [(_, _, Expected); 9] = [
        ("all of it", Crop::new([0, 0], [5, 7]).output_shape(input), Ok([2, 3, 5, 7])),
        ("the last cell", Crop::new([4, 6], [1, 1]).output_shape(input), Ok([2, 3, 1, 1])),
        (
            "past the last row",
            Crop::new([4, 0], [2, 7]).output_shape(input),
            Err("crop: input is 5x7, expected at least 6x7 (offset [4, 0] + [2, 7])"),
        ),
        (
            "past the last column",
            Crop::new([0, 1], [5, 7]).output_shape(input),
            Err("crop: input is 5x7, expected at least 5x8 (offset [0, 1] + [5, 7])"),
        ),
        (
            "an offset that overflows",
            Crop::new([usize::MAX, 0], [5, 7]).output_shape(input),
            Err(
                "crop: input is 5x7, expected at least 18446744073709551615x7 (offset [18446744073709551615, 0] + [5, 7])",
            ),
        ),
        (
            "nothing",
            Crop::new([0, 0], [0, 7]).output_shape(input),
            Err("crop: output is 2x3x0x7, expected at least one element along every axis"),
        ),
        ("a border", Pad::new(border).output_shape(input), Ok([2, 3, 8, 11])),
        ("no border", Pad::new(0).output_shape(input), Ok([2, 3, 5, 7])),
        (
            "a border out of range",
            Pad::new(Padding { left: 32_768, ..border }).output_shape(input),
            Err("pad: padding is (top 1, bottom 2, left 32768, right 4), expected at most 32767 a side"),
        ),
    ];
    check_rows(rows);
}

#[test]
fn crop_add_output_shapes() {
    let [a, b] = [[1, 21, 34, 34], [1, 21, 44, 44]].map(Shape::from);
    let rows: [(_, _, Expected); 5] = [
        ("FCN's fuse_pool4", CropAdd::new([5, 5]).output_shape(a, b), Ok([1, 21, 34, 34])),
        ("the last offset that fits", CropAdd::new([10, 10]).output_shape(a, b), Ok([1, 21, 34, 34])),
        (
            "one more",
            CropAdd::new([10, 11]).output_shape(a, b),
            Err("crop_add: b is 44x44, expected at least 44x45 (offset [10, 11] + [34, 34])"),
        ),
        (
            "the operands swapped",
            CropAdd::new([5, 5]).output_shape(b, a),
            Err("crop_add: b is 34x34, expected at least 49x49 (offset [5, 5] + [44, 44])"),
        ),
        (
            "other channels",
            CropAdd::new([5, 5]).output_shape(a, b.with_channels(1)),
            Err("crop_add: b is 1x1x44x44, expected batch and channels of 1x21x34x34"),
        ),
    ];
    check_rows(rows);
}

#[test]
fn concat_and_slice_output_shapes() {
    let [a, b] = [[2, 3, 5, 7], [2, 4, 5, 7]].map(Shape::from);
    let rows: [(_, _, Expected); 10] = [
        ("one operand", Concat.output_shape(&[a]), Ok([2, 3, 5, 7])),
        ("three operands", Concat.output_shape(&[a, b, a]), Ok([2, 10, 5, 7])),
        ("no operand", Concat.output_shape(&[]), Err("concat: inputs is none, expected at least one")),
        (
            "other columns",
            Concat.output_shape(&[a, b.with_extent([5, 6])]),
            Err("concat: input 1 is 2x4x5x6, expected 2x3x5x7 but for the channels"),
        ),
        (
            "another batch",
            Concat.output_shape(&[a, Shape { n: 1, ..b }]),
            Err("concat: input 1 is 1x4x5x7, expected 2x3x5x7 but for the channels"),
        ),
        (
            "an empty operand",
            Concat.output_shape(&[a, b.with_channels(0)]),
            Err("concat: input 1 is 2x0x5x7, expected at least one element along every axis"),
        ),
        ("the last channel", Slice::new(2, 1).output_shape(a), Ok([2, 1, 5, 7])),
        (
            "past the last channel",
            Slice::new(2, 2).output_shape(a),
            Err("slice: input is 2x3x5x7, expected at least 4 channels"),
        ),
        (
            "a start that overflows",
            Slice::new(usize::MAX, 2).output_shape(a),
            Err("slice: input is 2x3x5x7, expected at least 18446744073709551615 channels"),
        ),
        (
            "no channel",
            Slice::new(1, 0).output_shape(a),
            Err("slice: output is 2x0x5x7, expected at least one element along every axis"),
        ),
    ];
    check_rows(rows);
}

#[test]
fn elementwise_and_channel_output_shapes() {
    let x = Shape::from([2, 3, 5, 7]);
    let [three, four] = [Shape::vector(3), Shape::vector(4)];
    let rows: [(_, _, Expected); 23] = [
        ("relu", Relu.output_shape(x), Ok([2, 3, 5, 7])),
        ("add", Add.output_shape(x, x), Ok([2, 3, 5, 7])),
        (
            "add does not broadcast",
            Add.output_shape(x, three),
            Err("add: b is 1x3x1x1, expected 2x3x5x7, the shape of a"),
        ),
        ("scale", Scale.output_shape(x, three, None), Ok([2, 3, 5, 7])),
        ("scale and shift", Scale.output_shape(x, three, Some(three)), Ok([2, 3, 5, 7])),
        ("a factor too many", Scale.output_shape(x, four, None), Err("scale: factor is 1x4x1x1, expected 1x3x1x1")),
        (
            "a shift too many",
            Scale.output_shape(x, three, Some(four)),
            Err("scale: shift is 1x4x1x1, expected 1x3x1x1"),
        ),
        ("batch norm", BatchNorm::new().output_shape(x, [three; 4]), Ok([2, 3, 5, 7])),
        ("an epsilon of zero", BatchNorm::new().epsilon(0.0).output_shape(x, [three; 4]), Ok([2, 3, 5, 7])),
        (
            "an epsilon below zero",
            BatchNorm::new().epsilon(-1e-5).output_shape(x, [three; 4]),
            Err("batch_norm: epsilon is -0.00001, expected a number from 0"),
        ),
        (
            "a variance too many",
            BatchNorm::new().output_shape(x, [three, three, three, four]),
            Err("batch_norm: running_var is 1x4x1x1, expected 1x3x1x1"),
        ),
        ("a window wider than the channels", LocalResponseNorm::new(5).output_shape(x), Ok([2, 3, 5, 7])),
        (
            "a window without a middle",
            LocalResponseNorm::new(4).output_shape(x),
            Err("local_response_norm: size is 4, expected an odd number up to 32767"),
        ),
        (
            "division by what may be zero",
            LocalResponseNorm::new(5).k(0.0).output_shape(x),
            Err("local_response_norm: k is 0, expected a number above 0"),
        ),
        (
            "a sum that may fall below zero",
            LocalResponseNorm::new(5).alpha(-1.0).output_shape(x),
            Err("local_response_norm: alpha is -1, expected a number from 0"),
        ),
        (
            "a power that is no number",
            LocalResponseNorm::new(5).beta(f32::NAN).output_shape(x),
            Err("local_response_norm: beta is NaN, expected a number from 0"),
        ),
        ("softmax", SoftmaxChannels.output_shape(x), Ok([2, 3, 5, 7])),
        ("argmax", ArgmaxChannels.output_shape(x), Ok([2, 1, 5, 7])),
        ("256 classes", ArgmaxChannels.output_shape(x.with_channels(256)), Ok([2, 1, 5, 7])),
        (
            "257 classes",
            ArgmaxChannels.output_shape(x.with_channels(257)),
            Err("argmax_channels: input is 2x257x5x7, expected at most 256 channels (labels are bytes)"),
        ),
        ("normalize", Normalize::CAFFE.output_shape([5, 7]), Ok([1, 3, 5, 7])),
        ("colorize", Colorize.output_shape([1, 1, 5, 7].into()), Ok([1, 3, 5, 7])),
        (
            "several label maps",
            Colorize.output_shape([2, 1, 5, 7].into()),
            Err("colorize: labels is 2x1x5x7, expected one map with one label a pixel, 1x1xHxW"),
        ),
    ];
    check_rows(rows);
}

#[test]
fn least_bytes_count_every_operand_once() {
    let x = Shape::from([1, 2, 3, 5]);
    let moved = |elements: u64| Cost { macs: 0, parameters: 0, bytes: 4 * elements };
    assert_eq!(Relu.cost(x).unwrap(), moved(60));
    assert_eq!(Add.cost(x, x).unwrap(), moved(90));
    assert_eq!(Crop::new([1, 2], [1, 1]).cost(x).unwrap(), moved(4));
    assert_eq!(Concat.cost(&[x, x]).unwrap(), moved(120));
    let huge = Shape::from([1, 1, 1 << 15, (1 << 16) - 1]);
    assert_eq!(Add.cost(huge, huge).unwrap().bytes, 12 * 0x7FFF_8000, "more than 2^32 bytes, on any target");
}

/// The first 21 are PASCAL VOC's classes.
#[test]
fn the_voc_palette() {
    let palette = Palette::voc();
    let classes: [[u8; 3]; 21] = [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
        [128, 0, 128],
        [0, 128, 128],
        [128, 128, 128],
        [64, 0, 0],
        [192, 0, 0],
        [64, 128, 0],
        [192, 128, 0],
        [64, 0, 128],
        [192, 0, 128],
        [64, 128, 128],
        [192, 128, 128],
        [0, 64, 0],
        [128, 64, 0],
        [0, 192, 0],
        [128, 192, 0],
        [0, 64, 128],
    ];
    assert_eq!(palette.0[..21], classes);
    assert_eq!(palette.0[255], [224, 224, 192], "void");
    let distinct: std::collections::HashSet<_> = palette.0.iter().collect();
    assert_eq!(distinct.len(), 256);
}
