//! Poolings and unpoolings.

use switchback::{MaxPool2d, MaxUnpool2d, Padding, Rounding};

use super::super::{PoolProblem, UnpoolProblem};

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
