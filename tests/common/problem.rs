//! Operators with awkward parameters: named cases, each with the reason why it is there, and generators of more.
//!
//! Extents are prime and rows differ from columns, so that a swapped axis or a missing remainder shows.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use switchback::reference::{self, Answer};
use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, MaxUnpool2d, Padding, Result, Rounding, Shape, Switches, Tensor};

use super::random::Random;

/// So many generated problems, the same ones in every run.
pub(crate) fn proptest_config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() }
}

/// A convolution or transposed convolution to be tried.
#[derive(Clone, Debug)]
pub(crate) struct ConvProblem<Op> {
    /// The branch that it exists for.
    pub(crate) because: &'static str,
    pub(crate) op: Op,
    pub(crate) input: [usize; 4],
    pub(crate) output_channels: usize,
    pub(crate) bias: bool,
}

/// The operands of a [`ConvProblem`].
#[derive(Clone, Debug)]
pub(crate) struct ConvOperands {
    pub(crate) x: Tensor,
    pub(crate) w: Tensor,
    pub(crate) bias: Option<Tensor>,
}

/// What [`Conv2d`] and [`ConvTranspose2d`] have in common.
pub(crate) trait Convolution: Copy + std::fmt::Debug {
    fn weight_shape(&self, input_channels: usize, output_channels: usize) -> Result<Shape>;
    fn output_shape(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Shape>;
    fn has_relu(&self) -> bool;
    fn without_relu(self) -> Self;
    fn reference(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer>;
    fn reference_values(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor>;
}

macro_rules! convolution {
    ($op:ty, $reference:path, $reference_values:path) => {
        impl Convolution for $op {
            fn weight_shape(&self, input_channels: usize, output_channels: usize) -> Result<Shape> {
                self.weight_shape(input_channels, output_channels)
            }
            fn output_shape(&self, input: Shape, weight: Shape, bias: Option<Shape>) -> Result<Shape> {
                self.output_shape(input, weight, bias)
            }
            fn has_relu(&self) -> bool {
                self.relu
            }
            fn without_relu(mut self) -> Self {
                self.relu = false;
                self
            }
            fn reference(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Answer> {
                $reference(self, x, w, bias)
            }
            fn reference_values(&self, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
                $reference_values(self, x, w, bias)
            }
        }
    };
}

convolution!(Conv2d, reference::conv2d, reference::conv2d_values);
convolution!(ConvTranspose2d, reference::conv_transpose2d, reference::conv_transpose2d_values);

impl<Op: Convolution> ConvProblem<Op> {
    pub(crate) fn weight_shape(&self) -> Result<Shape> {
        self.op.weight_shape(self.input[1], self.output_channels)
    }

    /// Fails for parameters that do not go together, which generators skip.
    pub(crate) fn output_shape(&self) -> Result<Shape> {
        let bias = self.bias.then_some(Shape::vector(self.output_channels));
        self.op.output_shape(self.input.into(), self.weight_shape()?, bias)
    }

    /// Operands whose results are exact ([`Random::integers`]).
    pub(crate) fn integers(&self, seed: u64) -> ConvOperands {
        self.operands(|shape, random| random.integers(shape), seed)
    }

    /// Operands whose results round ([`Random::reals`]).
    pub(crate) fn reals(&self, seed: u64) -> ConvOperands {
        self.operands(|shape, random| random.reals(shape), seed)
    }

    fn operands(&self, values: impl Fn(Shape, &mut Random) -> Tensor, seed: u64) -> ConvOperands {
        let mut random = Random::new(seed);
        let x = values(self.input.into(), &mut random);
        let w = values(self.weight_shape().unwrap(), &mut random);
        let bias = self.bias.then(|| values(Shape::vector(self.output_channels), &mut random));
        ConvOperands { x, w, bias }
    }
}

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

/// A max pooling to be tried, on data of [`Random::ties`].
#[derive(Clone, Debug)]
pub(crate) struct PoolProblem {
    /// The branch that it exists for.
    pub(crate) because: &'static str,
    pub(crate) op: MaxPool2d,
    pub(crate) input: [usize; 4],
}

impl PoolProblem {
    pub(crate) fn input(&self, seed: u64) -> Tensor {
        Random::new(seed).ties(self.input)
    }
}

/// Named poolings. Five channels or more get every kind of plane of [`Random::ties`].
pub(crate) fn max_pool2d_cases() -> Vec<PoolProblem> {
    let plain = PoolProblem { because: "2x2 without remainder", op: MaxPool2d::new([2, 2]), input: [1, 5, 6, 10] };
    let caffe = |kernel| MaxPool2d::new(kernel).rounding(Rounding::Caffe);
    vec![
        plain.clone(),
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

/// An unpooling to be tried, with the switches of a pooling over [`Random::ties`].
#[derive(Clone, Debug)]
pub(crate) struct UnpoolProblem {
    /// The branch that it exists for.
    pub(crate) because: &'static str,
    pub(crate) pool: PoolProblem,
    pub(crate) op: MaxUnpool2d,
}

impl UnpoolProblem {
    /// Non-zero values, and the switches that say where they go.
    pub(crate) fn operands(&self, seed: u64) -> (Tensor, Switches) {
        let (pooled, switches) = reference::max_pool2d(&self.pool.op, &self.pool.input(seed)).unwrap();
        let mut random = Random::new(seed + 1);
        let values = Tensor::from_fn(pooled.shape(), |_| random.integer(1, 16) as f32 - 16.5).unwrap();
        (values, switches)
    }
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

const EXTENTS: [usize; 9] = [1, 2, 3, 5, 7, 11, 13, 17, 19];

prop_compose! {
    fn pair(least: usize, most: usize)(rows in least..=most, columns in least..=most) -> [usize; 2] {
        [rows, columns]
    }
}

prop_compose! {
    fn border(most: usize)([top, bottom] in pair(0, most), [left, right] in pair(0, most)) -> Padding {
        Padding { top, bottom, left, right }
    }
}

prop_compose! {
    /// Batch 1 or 2 and prime extents.
    fn images()(
        n in 1_usize..=2, h in prop::sample::select(&EXTENTS[..]), w in prop::sample::select(&EXTENTS[..])
    ) -> [usize; 3] {
        [n, h, w]
    }
}

prop_compose! {
    /// Groups, input and output channels.
    fn channels()(groups in 1_usize..=3, [cin, cout] in pair(1, 4)) -> [usize; 3] {
        [groups, groups * cin, groups * cout]
    }
}

prop_compose! {
    fn any_conv2d()(
        [n, h, w] in images(), [groups, cin, cout] in channels(), kernel in pair(1, 5), stride in pair(1, 4),
        dilation in pair(1, 3), pad in border(5), bias: bool, relu: bool
    ) -> ConvProblem<Conv2d> {
        let op = Conv2d::new(kernel).stride(stride).dilation(dilation).pad(pad).groups(groups);
        let op = if relu { op.relu() } else { op };
        ConvProblem { because: "generated", op, input: [n, cin, h, w], output_channels: cout, bias }
    }
}

prop_compose! {
    fn any_conv_transpose2d()(
        [n, h, w] in images(), [groups, cin, cout] in channels(), kernel in pair(1, 5), stride in pair(1, 4),
        dilation in pair(1, 3), pad in border(5), more in pair(0, 3), bias: bool, relu: bool
    ) -> ConvProblem<ConvTranspose2d> {
        let op = ConvTranspose2d::new(kernel).stride(stride).dilation(dilation).pad(pad).groups(groups);
        let op = op.output_padding(more);
        let op = if relu { op.relu() } else { op };
        ConvProblem { because: "generated", op, input: [n, cin, h, w], output_channels: cout, bias }
    }
}

prop_compose! {
    fn any_max_pool2d()(
        [n, h, w] in images(), kernel in pair(1, 4), stride in pair(1, 5), dilation in pair(1, 3), pad in border(2),
        rounding in prop::sample::select(&[Rounding::Floor, Rounding::Ceil, Rounding::Caffe][..])
    ) -> PoolProblem {
        let op = MaxPool2d::new(kernel).stride(stride).dilation(dilation).pad(pad).rounding(rounding);
        PoolProblem { because: "generated", op, input: [n, 5, h, w] }
    }
}

/// Convolutions of random parameters that go together.
pub(crate) fn conv2d_problems() -> impl Strategy<Value = ConvProblem<Conv2d>> {
    any_conv2d().prop_filter("an output", |problem| problem.output_shape().is_ok())
}

/// Transposed convolutions of random parameters that go together.
pub(crate) fn conv_transpose2d_problems() -> impl Strategy<Value = ConvProblem<ConvTranspose2d>> {
    any_conv_transpose2d().prop_filter("an output", |problem| problem.output_shape().is_ok())
}

/// Poolings of random parameters that go together.
pub(crate) fn max_pool2d_problems() -> impl Strategy<Value = PoolProblem> {
    any_max_pool2d().prop_filter("windows with cells", |problem| problem.op.output_shape(problem.input.into()).is_ok())
}

/// Unpoolings of random poolings, some to a larger extent.
pub(crate) fn max_unpool2d_problems() -> impl Strategy<Value = UnpoolProblem> {
    (max_pool2d_problems(), pair(0, 3), any::<bool>()).prop_map(|(pool, more, larger)| {
        let op = MaxUnpool2d::new();
        let op = if larger { op.output_size([pool.input[2] + more[0], pool.input[3] + more[1]]) } else { op };
        UnpoolProblem { because: "generated", pool, op }
    })
}
