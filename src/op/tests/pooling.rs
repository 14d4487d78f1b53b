//! Max pooling and unpooling. R7 is relationship 7 of *A guide to convolution arithmetic for deep learning*.

use super::{Expected, check_rows};
use crate::op::{MaxPool2d, MaxUnpool2d, Rounding};
use crate::shape::Padding;

/// (rows, kernel, stride, pad) to the windows by the three rules, where they part (networks in the wild meet all of them).
#[test]
fn max_pool2d_rounding_rules() {
    const EMPTY: &str = "no cell";
    const RULES: [Rounding; 3] = [Rounding::Floor, Rounding::Ceil, Rounding::Caffe];
    let rows = [
        ([4, 2, 2, 0], [Ok(2), Ok(2), Ok(2)]),
        ([5, 2, 2, 0], [Ok(2), Ok(3), Ok(3)]),
        ([45, 2, 2, 0], [Ok(22), Ok(23), Ok(23)]),
        ([3, 2, 2, 1], [Ok(2), Ok(2), Ok(2)]),
        ([7, 2, 3, 1], [Ok(3), Ok(3), Ok(3)]),
        ([4, 1, 2, 0], [Ok(2), Ok(2), Err(EMPTY)]),
        ([2, 1, 2, 0], [Ok(1), Ok(1), Err(EMPTY)]),
        ([7, 2, 4, 0], [Ok(2), Ok(2), Err(EMPTY)]),
        ([5, 1, 3, 0], [Ok(2), Ok(2), Err(EMPTY)]),
        ([1, 2, 2, 0], [Err("at least 2"), Ok(1), Ok(1)]),
        ([1, 3, 2, 0], [Err("at least 3"), Err("at least 2"), Err("at least 2")]),
        ([2, 3, 1, 0], [Err("at least 3"), Err("at least 3"), Err("at least 3")]),
        ([5, 3, 1, 3], [Err(EMPTY), Err(EMPTY), Err(EMPTY)]),
    ];
    for ([rows, kernel, stride, pad], expected) in rows {
        for (rounding, expected) in RULES.into_iter().zip(expected) {
            let op = MaxPool2d::new([kernel, 1]).stride([stride, 1]).pad([pad, 0]).rounding(rounding);
            let what = format!("{rows} rows by {op:?}");
            match (op.output_shape([1, 1, rows, 1].into()), expected) {
                (Ok(found), Ok(windows)) => assert_eq!(found.h, windows, "{what}"),
                (Err(found), Err(part)) => assert!(found.to_string().contains(part), "{what}: {found}"),
                (found, expected) => panic!("{what}: {found:?}, expected {expected:?}"),
            }
        }
    }
}

#[test]
fn max_pool2d_output_shapes() {
    let pool = |k: usize| MaxPool2d::new([k, k]);
    let rows: [(_, _, _, Expected); 12] = [
        ("R7: no padding", [1, 1, 5, 5], pool(3).stride([1, 1]), Ok([1, 1, 3, 3])),
        ("the stride is the kernel unless given", [2, 3, 6, 9], pool(3), Ok([2, 3, 2, 3])),
        ("SegNet's pool4", [1, 512, 45, 60], pool(2).ceil(), Ok([1, 512, 23, 30])),
        ("SegNet's pool5", [1, 512, 23, 30], pool(2).ceil(), Ok([1, 512, 12, 15])),
        ("dilation", [1, 1, 7, 7], pool(3).stride([1, 1]).dilation([2, 3]), Ok([1, 1, 3, 1])),
        (
            "four borders",
            [1, 1, 4, 4],
            pool(3).stride([1, 1]).pad(Padding { top: 0, bottom: 1, left: 2, right: 1 }),
            Ok([1, 1, 3, 5]),
        ),
        (
            "a border wider than the window",
            [1, 1, 4, 4],
            pool(2).pad([0, 2]),
            Err(
                "max_pool2d with an empty window is not supported: window 0 of 4 along the columns holds no cell of the \
                 input; use less padding, or leave such windows out with Rounding::Ceil",
            ),
        ),
        (
            "a dilated window whose taps step over the input",
            [1, 1, 1, 1],
            MaxPool2d::new([2, 1]).stride([1, 1]).dilation([2, 1]).pad([1, 0]),
            Err("max_pool2d with an empty window is not supported: window 0 of 1 along the rows holds no cell of the \
                 input; use less padding, or leave such windows out with Rounding::Ceil"),
        ),
        (
            "a window larger than the input",
            [1, 1, 4, 4],
            pool(5),
            Err("max_pool2d: input is 4, expected at least 5 rows with padding"),
        ),
        (
            "no window",
            [1, 1, 4, 4],
            MaxPool2d::new([2, 0]),
            Err("max_pool2d: kernel is [2, 0], expected 1 to 32767 along each axis"),
        ),
        (
            "an empty input",
            [0, 1, 4, 4],
            pool(2),
            Err("max_pool2d: input is 0x1x4x4, expected at least one element along every axis"),
        ),
        (
            "an output that 32-bit indices cannot count",
            [1, 1 << 12, 1, 1],
            MaxPool2d::new([1001, 1001]).stride([1, 1]).pad(1000),
            Err("max_pool2d: output is 1x4096x1001x1001, expected fewer than 2^31 elements"),
        ),
    ];
    check_rows(rows.map(|(because, input, op, expected)| (because, op.output_shape(input.into()), expected)));
}

#[test]
fn max_pool2d_overlaps_exactly_where_two_windows_share_a_cell() {
    for kernel in 1..6 {
        for stride in 1..6 {
            for dilation in 1..5 {
                let op = MaxPool2d::new([kernel, 1]).stride([stride, 1]).dilation([dilation, 1]);
                let windows_of = |cell| (0..40).filter(|&w| op.window_contains([w, 0], [cell, 0])).count();
                let shared = (0..60).any(|cell| windows_of(cell) > 1);
                assert_eq!(op.overlaps(), shared, "{op:?}");
            }
        }
    }
}

#[test]
fn max_unpool2d_output_shapes() {
    let op = MaxUnpool2d::new();
    let rows: [(_, _, _, _, _, Expected); 7] = [
        ("SegNet's upsample5: 23 rows, not 24", op, [1, 2, 12, 15], [1, 2, 12, 15], [23, 30], Ok([1, 2, 23, 30])),
        ("SegNet's upsample4: 45 rows, not 46", op, [1, 2, 23, 30], [1, 2, 23, 30], [45, 60], Ok([1, 2, 45, 60])),
        ("a larger output", op.output_size([5, 7]), [1, 2, 2, 3], [1, 2, 2, 3], [4, 6], Ok([1, 2, 5, 7])),
        (
            "a smaller output",
            op.output_size([4, 5]),
            [1, 2, 2, 3],
            [1, 2, 2, 3],
            [4, 6],
            Err("max_unpool2d: output_size is [4, 5], expected at least [4, 6], the extent that was pooled"),
        ),
        (
            "switches of another pooling",
            op,
            [1, 2, 2, 3],
            [1, 2, 3, 2],
            [4, 6],
            Err("max_unpool2d: switches is 1x2x3x2, expected 1x2x2x3, the input's shape"),
        ),
        (
            "an empty origin",
            op,
            [1, 2, 2, 3],
            [1, 2, 2, 3],
            [0, 6],
            Err("max_unpool2d: output is 1x2x0x6, expected at least one element along every axis"),
        ),
        (
            "an output that 32-bit indices cannot count",
            op.output_size([usize::MAX, usize::MAX]),
            [1, 2, 2, 3],
            [1, 2, 2, 3],
            [4, 6],
            Err(
                "max_unpool2d: output is 1x2x18446744073709551615x18446744073709551615, expected fewer than 2^31 elements",
            ),
        ),
    ];
    check_rows(rows.map(|(because, op, input, switches, origin, expected)| {
        (because, op.output_shape(input.into(), switches.into(), origin), expected)
    }));
}
