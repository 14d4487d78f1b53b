//! Transposed convolutions.

use switchback::{ConvTranspose2d, Padding};

use super::super::ConvProblem;

/// Named transposed convolutions.
pub(crate) fn conv_transpose2d_cases() -> Vec<ConvProblem<ConvTranspose2d>> {
    let plain = ConvProblem {
        because: "the textbook case: 3x3 under 2x2",
        op: ConvTranspose2d::new([3, 3]),
        input: [1, 1, 2, 2],
        output_channels: 1,
        bias: false,
    };
    let ragged = ConvProblem { input: [1, 3, 7, 11], output_channels: 5, bias: true, ..plain };
    vec![
        plain.clone(),
        ConvProblem { because: "one pixel, one tap", op: ConvTranspose2d::new([1, 1]), input: [1, 1, 1, 1], ..plain },
        ConvProblem {
            because: "one pixel spreads to the kernel: DeconvNet's fc6-deconv",
            op: ConvTranspose2d::new([7, 5]),
            input: [1, 4, 1, 1],
            ..ragged
        },
        ConvProblem {
            because: "FCN's upscore: kernel twice the stride, four taps a cell, no bias",
            op: ConvTranspose2d::new([4, 4]).stride([2, 2]),
            bias: false,
            ..ragged
        },
        ConvProblem {
            because: "kernel twice the stride with half a stride cut off",
            op: ConvTranspose2d::new([8, 4]).stride([4, 2]).pad([2, 1]),
            ..ragged
        },
        ConvProblem {
            because: "stride 1 with same padding and ReLU: DeconvNet's deconv",
            op: ConvTranspose2d::new([3, 3]).pad(1).relu(),
            ..ragged
        },
        ConvProblem {
            because: "stride 1 with a kernel of several pieces of 4x4 taps and a border of its own on every side",
            op: ConvTranspose2d::new([7, 5]).pad(Padding { top: 3, bottom: 2, left: 0, right: 1 }).relu(),
            ..ragged
        },
        ConvProblem {
            because: "stride 1 with a kernel whose sides differ by four taps",
            op: ConvTranspose2d::new([2, 6]).pad(Padding { top: 1, bottom: 0, left: 3, right: 4 }).groups(3),
            input: [2, 6, 9, 10],
            output_channels: 9,
            ..ragged
        },
        ConvProblem {
            because: "kernel not a multiple of the stride: cells differ in their number of taps",
            op: ConvTranspose2d::new([3, 5]).stride([2, 3]),
            ..ragged
        },
        ConvProblem {
            because: "stride larger than the kernel: cells without any tap hold the bias",
            op: ConvTranspose2d::new([2, 3]).stride([5, 4]),
            ..ragged
        },
        ConvProblem {
            because: "stride larger than the kernel, with more rows asked for",
            op: ConvTranspose2d::new([1, 2]).stride([3, 4]).output_padding([2, 3]),
            ..ragged
        },
        ConvProblem {
            because: "output padding uncovers what padding cut off",
            op: ConvTranspose2d::new([3, 3]).stride([2, 2]).pad(1).output_padding([1, 0]),
            ..ragged
        },
        ConvProblem {
            because: "an explicit size, unlike rows and columns",
            op: ConvTranspose2d::new([3, 3]).stride([3, 2]).pad(1).output_size([21, 22]),
            ..ragged
        },
        ConvProblem {
            because: "another border cut off every side",
            op: ConvTranspose2d::new([4, 5]).stride([2, 3]).pad(Padding { top: 0, bottom: 3, left: 2, right: 1 }),
            ..ragged
        },
        ConvProblem {
            because: "a border wider than the kernel's reach: whole input rows are cut off",
            op: ConvTranspose2d::new([2, 2]).pad(Padding { top: 3, bottom: 2, left: 4, right: 3 }),
            ..ragged
        },
        ConvProblem {
            because: "dilation without a common factor with the stride",
            op: ConvTranspose2d::new([3, 2]).stride([2, 3]).dilation([3, 2]),
            ..ragged
        },
        ConvProblem {
            because: "dilation and stride share a factor: some cells have no tap",
            op: ConvTranspose2d::new([3, 3]).stride([2, 4]).dilation([4, 2]).pad(1),
            ..ragged
        },
        ConvProblem {
            because: "dilation larger than the stride allows a larger output padding",
            op: ConvTranspose2d::new([2, 3]).dilation([3, 2]).output_padding([2, 1]),
            ..ragged
        },
        ConvProblem {
            because: "groups",
            op: ConvTranspose2d::new([3, 3]).stride([2, 2]).groups(3),
            input: [1, 6, 5, 7],
            output_channels: 9,
            ..ragged
        },
        ConvProblem {
            because: "kernel twice the stride, but dilated: its phases have other taps",
            op: ConvTranspose2d::new([4, 6]).stride([2, 3]).dilation([3, 2]),
            ..ragged
        },
        ConvProblem {
            because: "depthwise, kernel twice the stride, but dilated",
            op: ConvTranspose2d::new([4, 6]).stride([2, 3]).dilation([1, 2]).groups(7),
            input: [1, 7, 5, 3],
            output_channels: 7,
            ..ragged
        },
        ConvProblem {
            because: "groups at stride 1, dilated, with more rows asked for: a flipped kernel",
            op: ConvTranspose2d::new([3, 2]).dilation([2, 3]).groups(3).pad([1, 2]).output_padding([1, 2]).relu(),
            input: [2, 6, 5, 7],
            output_channels: 9,
            ..ragged
        },
        ConvProblem {
            because: "groups at stride 1 whose sums are long enough to be cut into parts",
            op: ConvTranspose2d::new([3, 2]).groups(2).pad([1, 0]).relu(),
            input: [2, 70, 5, 7],
            output_channels: 6,
            ..ragged
        },
        ConvProblem {
            because: "one pixel, with everything else at once: a matrix product",
            op: ConvTranspose2d::new([3, 4])
                .stride([2, 5])
                .dilation([3, 2])
                .groups(2)
                .pad([1, 3])
                .output_padding([2, 4]),
            input: [2, 6, 1, 1],
            output_channels: 10,
            ..ragged
        },
        ConvProblem {
            because: "depthwise: bilinear upsampling's shape",
            op: ConvTranspose2d::new([4, 4]).stride([2, 2]).pad(1).groups(7),
            input: [1, 7, 5, 3],
            output_channels: 7,
            bias: false,
        },
        ConvProblem {
            because: "batch, with everything else at once",
            op: ConvTranspose2d::new([3, 2])
                .stride([2, 3])
                .dilation([3, 1])
                .groups(2)
                .pad(Padding { top: 2, bottom: 1, left: 0, right: 2 })
                .output_padding([1, 2])
                .relu(),
            input: [2, 4, 5, 7],
            output_channels: 6,
            ..ragged
        },
        ConvProblem {
            because: "one row",
            op: ConvTranspose2d::new([1, 3]).stride([1, 2]),
            input: [1, 2, 1, 31],
            ..ragged
        },
        ConvProblem {
            because: "one column",
            op: ConvTranspose2d::new([3, 1]).stride([2, 1]),
            input: [1, 2, 31, 1],
            ..ragged
        },
        ConvProblem {
            because: "more channels than a tile of any kernel, not a multiple of four",
            op: ConvTranspose2d::new([4, 4]).stride([2, 2]),
            input: [1, 67, 3, 5],
            output_channels: 71,
            bias: true,
        },
    ]
}
