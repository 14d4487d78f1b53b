"""Cases of the two normalisations: batch norm from running statistics, and Caffe's LRN across channels.

In the manner of `operators`; both divide or take a root, so no case is exact.
"""

import numpy as np

from .case import Case
from .numbers import floats, integers


def all_cases():
    return [*batch_norm(), *local_response_norm()]


def vector(*values):
    return np.array(values, np.float32)


def batch_norm_case(name, why, shape, eps=1e-5, relu=False, x=None, **statistics):
    """Batch norm with drawn statistics where none are given; variances are at least a quarter."""
    name = f"batch_norm_{name}"
    inputs = {"x": integers(f"{name}/x", shape) if x is None else x}
    spread = {"weight": (-1.5, 1.5), "bias": (-1, 1), "running_mean": (-4, 4), "running_var": (0.25, 9)}
    for key, (low, high) in spread.items():
        inputs[key] = statistics.get(key, floats(f"{name}/{key}", [shape[1]], low, high))
    return Case(name, "batch_norm", why, {"eps": eps, "relu": relu}, inputs)


def batch_norm():
    infinite = integers("batch_norm_infinity_and_nan_stay_local/x", [1, 2, 3, 5])
    infinite[0, 0, 1, 2], infinite[0, 1, 2, 4] = np.inf, np.nan
    yield from (
        batch_norm_case("single_value", "one channel, one pixel", [1, 1, 1, 1]),
        batch_norm_case("channels", "each channel has its own statistics", [1, 5, 3, 7]),
        batch_norm_case("batch", "images share the statistics", [3, 4, 5, 2]),
        batch_norm_case("relu", "ReLU after it", [1, 4, 5, 3], relu=True),
        batch_norm_case("many_channels", "more channels than a workgroup has threads", [1, 300, 1, 3]),
        batch_norm_case("wide", "more pixels than a workgroup has threads", [1, 2, 19, 37]),
        batch_norm_case(
            "negative_gain", "a sign in the gain turns the map over before ReLU", [1, 3, 4, 5], relu=True,
            weight=vector(-1, -0.5, 2),
        ),
        batch_norm_case(
            "zero_gain", "a gain of nought leaves the bias", [1, 2, 3, 3], weight=vector(0, 1), bias=vector(3, -2)
        ),
        batch_norm_case(
            "eps_counts", "variances around eps: leaving it out, or adding it outside the root, shows",
            [1, 4, 3, 5], running_var=vector(0, 1e-6, 1e-5, 1e-4),
        ),
        batch_norm_case(
            "eps_of_the_scripts", "1e-9, with which SegNet's and DeconvNet's scripts fold", [1, 3, 3, 5], eps=1e-9,
            running_var=vector(0, 1e-9, 1e-6),
        ),
        batch_norm_case(
            "eps_large", "1e-3, another framework's default", [1, 3, 3, 5], eps=1e-3, running_var=vector(0, 1e-3, 1)
        ),
        batch_norm_case(
            "far_mean", "raw bytes around 128: what remains after the mean is small", [1, 3, 5, 7],
            x=integers("batch_norm_far_mean/x", [1, 3, 5, 7], 118, 138), running_mean=vector(128.25, 127.5, 130),
            running_var=vector(36, 0.5, 2),
        ),
        batch_norm_case(
            "infinity_and_nan_stay_local", "a pixel that is not finite spoils no other", [1, 2, 3, 5], x=infinite
        ),
    )  # fmt: skip


def lrn_case(name, why, x, size=5, alpha=1e-4, beta=0.75, k=1.0, low=-8, high=8):
    name = f"lrn_{name}"
    x = integers(f"{name}/x", x, low, high) if isinstance(x, (list, tuple)) else x
    return Case(name, "lrn", why, {"size": size, "alpha": alpha, "beta": beta, "k": k}, {"x": x})


def local_response_norm():
    yield from (
        lrn_case("single_value", "one channel, one pixel", [1, 1, 1, 1], low=200, high=250),
        lrn_case("raw_image", "SegNet-Basic's first layer: three channels, fewer than the window", [1, 3, 5, 7],
                 low=0, high=255),
        lrn_case("window_moves", "seven channels: the window is cut at both ends", [1, 7, 3, 5], low=-300, high=300),
        lrn_case("divides_by_size", "alpha over size: an alpha of 5 is a sum with factor 1", [1, 8, 3, 4], alpha=5.0),
        lrn_case("offset", "k is added, not multiplied", [1, 6, 3, 4], alpha=1.0, k=2.0),
        lrn_case("size_one", "a window of the channel alone", [1, 4, 3, 3], size=1, alpha=1.0),
        lrn_case("size_three", "another size and power", [1, 6, 4, 3], size=3, alpha=0.5, beta=0.5),
        lrn_case("size_beyond_channels", "nine over two channels, still divided by nine", [1, 2, 3, 4], size=9,
                 alpha=3.0),
        lrn_case("batch", "images do not mix, and channels do not run into the next image", [3, 3, 2, 5], alpha=2.0),
        lrn_case("zeros", "nothing to divide by but k", np.zeros([1, 3, 2, 2], np.float32), alpha=1.0),
        lrn_case("large", "squares of ten thousands", [1, 5, 3, 3], low=-30000, high=30000),
        lrn_case("many_channels", "more channels than a workgroup has threads", [1, 150, 1, 3], alpha=5.0),
    )  # fmt: skip
