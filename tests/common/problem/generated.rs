//! Random parameters that go together.

use proptest::prelude::*;
use switchback::{Conv2d, ConvTranspose2d, MaxPool2d, MaxUnpool2d, Padding, Rounding};

use super::{ConvProblem, PoolProblem, UnpoolProblem};

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
