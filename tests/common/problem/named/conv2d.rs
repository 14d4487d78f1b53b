//! Convolutions.

use switchback::{Conv2d, Padding};

use super::super::ConvProblem;

/// Named convolutions.
pub(crate) fn conv2d_cases() -> Vec<ConvProblem<Conv2d>> {
    let plain = ConvProblem {
        because: "the textbook case: 3x3 over 4x4",
        op: Conv2d::new([3, 3]),
        input: [1, 1, 4, 4],
        output_channels: 1,
        bias: false,
    };
    let ragged = ConvProblem { input: [1, 3, 13, 17], output_channels: 5, bias: true, ..plain };
    vec![
        plain.clone(),
        ConvProblem { because: "one pixel, one tap", op: Conv2d::new([1, 1]), input: [1, 1, 1, 1], ..plain },
        ConvProblem {
            because: "one pixel in a border wider than the kernel: some windows hold zeros only",
            op: Conv2d::new([3, 3]).pad(4),
            input: [1, 2, 1, 1],
            bias: true,
            ..plain
        },
        ConvProblem { because: "bias, several channels, no padding", op: Conv2d::new([3, 3]), ..ragged },
        ConvProblem { because: "same padding with ReLU: VGG's layer", op: Conv2d::new([3, 3]).pad(1).relu(), ..ragged },
        ConvProblem { because: "pointwise", op: Conv2d::new([1, 1]), ..ragged },
        ConvProblem {
            because: "pointwise with a stride: fewer outputs than inputs",
            op: Conv2d::new([1, 1]).stride([2, 3]),
            ..ragged
        },
        ConvProblem { because: "kernel rows differ from columns", op: Conv2d::new([2, 5]), ..ragged },
        ConvProblem { because: "even kernel", op: Conv2d::new([4, 4]).pad([1, 2]), ..ragged },
        ConvProblem {
            because: "stride larger than the kernel skips cells",
            op: Conv2d::new([2, 3]).stride([3, 5]),
            ..ragged
        },
        ConvProblem {
            because: "the stride does not divide the slack: last rows and columns unused",
            op: Conv2d::new([3, 3]).stride([2, 3]).pad(1),
            input: [1, 3, 6, 9],
            ..ragged
        },
        ConvProblem {
            because: "another border on every side",
            op: Conv2d::new([3, 3]).pad(Padding { top: 0, bottom: 3, left: 2, right: 1 }),
            ..ragged
        },
        ConvProblem { because: "dilation", op: Conv2d::new([3, 2]).dilation([2, 5]).pad(3), ..ragged },
        ConvProblem {
            because: "dilation and stride share a factor",
            op: Conv2d::new([3, 3]).dilation([2, 4]).stride([4, 2]).pad(4),
            ..ragged
        },
        ConvProblem {
            because: "groups",
            op: Conv2d::new([3, 3]).groups(3).pad(1),
            input: [1, 6, 7, 11],
            output_channels: 9,
            ..ragged
        },
        ConvProblem {
            because: "groups of 3x3 kernels with odd fours of input channels and odd blocks of output channels",
            op: Conv2d::new([3, 3]).groups(3).pad([1, 2]).relu(),
            input: [2, 15, 6, 9],
            output_channels: 33,
            ..ragged
        },
        ConvProblem {
            because: "a kernel of two by two pieces of 4x4 taps, the last ones short of one: SegNet-Basic's layer",
            op: Conv2d::new([7, 7]).pad(3).relu(),
            input: [1, 5, 13, 18],
            ..ragged
        },
        ConvProblem {
            because: "pieces of which the last have one tap, in a batch whose images end within a strip of tiles",
            op: Conv2d::new([5, 5]).pad(2),
            input: [3, 2, 9, 6],
            ..ragged
        },
        ConvProblem { because: "pieces of half their taps", op: Conv2d::new([6, 6]).pad([3, 2]).relu(), ..ragged },
        ConvProblem {
            because: "pieces without a gap, over exact tiles",
            op: Conv2d::new([8, 8]).pad(Padding { top: 4, bottom: 3, left: 3, right: 4 }),
            input: [1, 3, 12, 16],
            ..ragged
        },
        ConvProblem {
            because: "kernel rows and columns of other taps in their last pieces, in groups of a channel more than a four",
            op: Conv2d::new([5, 7]).groups(3).pad([1, 4]),
            input: [2, 15, 8, 11],
            output_channels: 27,
            ..ragged
        },
        ConvProblem {
            because: "three by four pieces, in a border wider than the kernel",
            op: Conv2d::new([9, 13]).pad(Padding { top: 9, bottom: 0, left: 14, right: 2 }),
            input: [1, 2, 3, 5],
            ..ragged
        },
        ConvProblem {
            because: "several strips of tiles, whose pieces reach into the next, and images of which one begins within a strip",
            op: Conv2d::new([5, 1]).pad([2, 0]),
            input: [2, 512, 44, 2],
            output_channels: 1,
            bias: true,
        },
        ConvProblem {
            because: "whole tiles of 8x8 cells, of which the output takes six rows and four columns",
            op: Conv2d::new([3, 5]).pad(Padding { top: 1, bottom: 1, left: 2, right: 2 }),
            input: [1, 3, 12, 16],
            ..ragged
        },
        ConvProblem {
            because: "sides of the fewest and of the most taps of a tile of 8x8 cells, in groups of a channel less than a four",
            op: Conv2d::new([2, 7]).groups(3).pad(Padding { top: 1, bottom: 0, left: 5, right: 3 }).relu(),
            input: [2, 9, 15, 5],
            output_channels: 15,
            ..ragged
        },
        ConvProblem {
            because: "several strips of tiles of 8x8 cells, images of which one begins within a strip",
            op: Conv2d::new([6, 4]).pad([3, 1]),
            input: [3, 256, 17, 13],
            output_channels: 2,
            bias: true,
        },
        ConvProblem {
            because: "depthwise",
            op: Conv2d::new([5, 3]).groups(7).pad([2, 1]),
            input: [1, 7, 11, 5],
            output_channels: 7,
            ..ragged
        },
        ConvProblem {
            because: "depthwise with two outputs a channel",
            op: Conv2d::new([3, 3]).groups(3).stride([2, 1]),
            output_channels: 6,
            ..ragged
        },
        ConvProblem {
            because: "batch, with everything else at once",
            op: Conv2d::new([3, 2])
                .stride([2, 3])
                .dilation([2, 1])
                .groups(2)
                .pad(Padding { top: 2, bottom: 1, left: 0, right: 3 })
                .relu(),
            input: [2, 4, 11, 7],
            output_channels: 6,
            ..ragged
        },
        ConvProblem {
            because: "the kernel covers the whole input: a fully connected layer",
            op: Conv2d::new([7, 5]),
            input: [2, 5, 7, 5],
            output_channels: 11,
            ..ragged
        },
        ConvProblem {
            because: "the kernel covers the whole input, in groups of more than eight channels, with a stride that takes no step",
            op: Conv2d::new([3, 7]).groups(3).stride([2, 1]).relu(),
            input: [3, 6, 3, 7],
            output_channels: 33,
            ..ragged
        },
        ConvProblem { because: "one row", op: Conv2d::new([1, 3]).pad([0, 1]), input: [1, 2, 1, 31], ..ragged },
        ConvProblem { because: "one column", op: Conv2d::new([3, 1]).pad([1, 0]), input: [1, 2, 31, 1], ..ragged },
        ConvProblem {
            because: "more channels than a tile of any kernel, not a multiple of four",
            op: Conv2d::new([3, 3]).pad(1),
            input: [1, 67, 5, 7],
            output_channels: 71,
            bias: true,
        },
        ConvProblem {
            because: "a sum so long that tiled cuts it into several dispatches, the last of them shorter: FCN's fc6",
            op: Conv2d::new([7, 7]).pad(1).relu(),
            input: [1, 94, 6, 7],
            output_channels: 29,
            bias: true,
        },
        ConvProblem {
            because: "more columns than a tile of any kernel",
            op: Conv2d::new([3, 3]).pad(1),
            input: [1, 2, 3, 211],
            ..ragged
        },
    ]
}
