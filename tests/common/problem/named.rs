//! Cases by name: each says which branch it exists for.

use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, MaxUnpool2d, Padding, Rounding};

use super::{ConvProblem, PoolProblem, UnpoolProblem};

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

/// Named poolings. Five channels or more get every kind of plane of [`Random::ties`].
pub(crate) fn max_pool2d_cases() -> Vec<PoolProblem> {
    let plain = PoolProblem { because: "2x2 without remainder", op: MaxPool2d::new([2, 2]), input: [1, 5, 6, 10] };
    let caffe = |kernel| MaxPool2d::new(kernel).rounding(Rounding::Caffe);
    vec![
        plain.clone(),
        PoolProblem { because: "2x2 in rows of whole vectors", input: [2, 5, 6, 12], ..plain },
        PoolProblem { because: "one pixel", op: MaxPool2d::new([1, 1]), input: [1, 5, 1, 1] },
        PoolProblem { because: "floor drops the remainder", input: [1, 5, 7, 11], ..plain },
        PoolProblem { because: "ceil keeps it in partial windows", op: plain.op.ceil(), input: [1, 5, 7, 11] },
        PoolProblem { because: "VGG's pooling in FCN: Caffe's rule", op: caffe([2, 2]), input: [1, 5, 11, 13] },
        PoolProblem {
            because: "one window over one pixel smaller than the window",
            op: MaxPool2d::new([2, 2]).pad(Padding { top: 0, bottom: 1, left: 0, right: 1 }),
            input: [1, 5, 1, 1],
        },
        PoolProblem {
            because: "PyTorch's rule drops a last window that starts past the input",
            op: MaxPool2d::new([2, 2]).stride([3, 3]).pad(1).ceil(),
            input: [1, 5, 7, 13],
        },
        PoolProblem {
            because: "Caffe's rule drops it too where there is padding",
            op: caffe([2, 2]).stride([3, 2]).pad(1),
            input: [1, 5, 7, 3],
        },
        PoolProblem {
            because: "overlapping windows: one cell wins several",
            op: MaxPool2d::new([3, 3]).stride([2, 2]).ceil(),
            input: [1, 5, 11, 13],
        },
        PoolProblem {
            because: "overlap with padding: a padded cell must never win, nor be indexed",
            op: MaxPool2d::new([3, 3]).stride([1, 2]).pad(1),
            input: [2, 5, 7, 5],
        },
        PoolProblem {
            because: "stride larger than the window skips cells",
            op: MaxPool2d::new([2, 3]).stride([5, 4]),
            input: [1, 5, 13, 17],
        },
        PoolProblem {
            because: "dilated windows interleave",
            op: MaxPool2d::new([2, 3]).stride([2, 1]).dilation([3, 2]),
            input: [1, 5, 11, 13],
        },
        PoolProblem {
            because: "another border on every side",
            op: MaxPool2d::new([4, 5]).stride([2, 3]).pad(Padding { top: 0, bottom: 3, left: 2, right: 1 }),
            input: [1, 5, 11, 7],
        },
        PoolProblem { because: "the whole plane", op: MaxPool2d::new([7, 5]), input: [2, 5, 7, 5] },
        PoolProblem { because: "one row", op: MaxPool2d::new([1, 3]), input: [1, 5, 1, 31] },
        PoolProblem { because: "one column", op: MaxPool2d::new([3, 1]).ceil(), input: [1, 5, 31, 1] },
    ]
}

/// The unpooling of every named pooling, and named ones of larger outputs.
pub(crate) fn max_unpool2d_cases() -> Vec<UnpoolProblem> {
    let op = MaxUnpool2d::new();
    let mut cases: Vec<_> =
        max_pool2d_cases().into_iter().map(|pool| UnpoolProblem { because: pool.because, pool, op }).collect();
    let odd = |input| PoolProblem { because: "2x2 that keeps a remainder", op: MaxPool2d::new([2, 2]).ceil(), input };
    cases.push(UnpoolProblem {
        because: "SegNet's upsample5: back to an odd extent, not to twice the input",
        pool: odd([1, 5, 23, 30]),
        op,
    });
    cases.push(UnpoolProblem {
        because: "a larger output: switches keep their row and column",
        pool: odd([2, 5, 7, 5]),
        op: op.output_size([11, 13]),
    });
    cases.push(UnpoolProblem {
        because: "a larger output of an overlapping pooling",
        pool: PoolProblem {
            because: "overlap",
            op: MaxPool2d::new([3, 3]).stride([2, 2]).pad(1),
            input: [1, 5, 7, 11],
        },
        op: op.output_size([7, 13]),
    });
    cases
}
