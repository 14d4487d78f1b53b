"""The operator cases. Each exists for the branch or the trap that its `why` names.

Extents are prime and unequal where nothing else is asked, and data are small integers, so that a
swapped axis, a dropped term or a shift by one shows in exact numbers.
"""

import numpy as np

from .case import Case
from .geometry import pads, window
from .numbers import distinct, floats, integers

INF, NAN = float("inf"), float("nan")


def literal(rows, dtype=np.float32):
    """A 1x1xHxW tensor from text: rows by '/', numbers by blanks."""
    return np.array([[float(v) for v in row.split()] for row in rows.split("/")], dtype)[None, None]


def positive(name, shape):
    return integers(name, shape, 1, 8)


def all_cases():
    cases = [
        *conv2d(), *conv2d_figures(), *conv_transpose2d(), *conv_transpose2d_figures(),
        *max_pool2d(), *max_pool2d_roundings(), *max_unpool2d(), *pointwise(), *moving(),
        *scoring(), *images(), *bilinear(),
    ]  # fmt: skip
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases share a name"
    return cases


# --- convolution -------------------------------------------------------------------------------


def conv_case(name, why, x, out, kernel, stride=1, pad=0, dilation=1, groups=1, relu=False,
              bias=True, draw=integers, **more):  # fmt: skip
    """A convolution with drawn operands; `x` is the input's shape, or the input itself."""
    name = f"conv2d_{name}"
    params = window(kernel, stride, pad, dilation) | {"groups": groups, "relu": relu}
    x = draw(f"{name}/x", x) if isinstance(x, (list, tuple)) else x
    shape = [out, x.shape[1] // groups, *params["kernel"]]
    inputs = {"x": x, "weight": draw(f"{name}/weight", shape)}
    if bias:
        inputs["bias"] = draw(f"{name}/bias", [out])
    return Case(name, "conv2d", why, params, inputs, **more)


def conv2d():
    infinite = integers("conv2d_infinity_stays_local/x", [1, 2, 7, 9])
    infinite[0, 1, 3, 4] = INF
    invalid = integers("conv2d_nan_stays_local/x", [1, 2, 7, 9])
    invalid[0, 0, 0, 8] = NAN
    ramp = floats("conv2d_float_cancellation/x", [1, 8, 9, 7])
    cancelling = np.concatenate([ramp * 1000, ramp * -1000], 1)
    yield from (
        conv_case("single_pixel", "1x1 map, 1x1 kernel: every loop runs once", [1, 1, 1, 1], 1, 1),
        conv_case("single_pixel_padded", "1x1 map under a 3x3 kernel: only the centre tap counts", [1, 2, 1, 1], 3, 3, pad=1),
        conv_case("prime_extents", "prime, unequal extents and channel counts", [1, 3, 17, 13], 5, 3, pad=1),
        conv_case("relu", "the fused activation", [1, 3, 11, 7], 4, 3, pad=1, relu=True),
        conv_case("relu_float", "the fused activation after an inexact sum", [1, 3, 11, 7], 4, 3, pad=1, relu=True, draw=floats),
        conv_case("no_bias", "the bias operand is absent", [1, 3, 5, 7], 2, 3, bias=False),
        conv_case("no_bias_relu", "absent bias together with the activation", [1, 3, 5, 7], 2, 3, bias=False, relu=True),
        conv_case("batch", "two images must not share a plane offset", [2, 3, 7, 5], 4, 3, pad=1),
        conv_case("batch_groups", "batch and group offsets together", [3, 4, 5, 7], 6, 3, pad=1, groups=2),
        conv_case("groups", "two groups of unequal in and out counts", [1, 6, 7, 5], 4, 3, groups=2),
        conv_case("groups_three_relu", "an odd group count", [1, 9, 5, 6], 3, 2, groups=3, relu=True),
        conv_case("depthwise", "one input channel a group", [1, 5, 9, 7], 5, 3, pad=1, groups=5),
        conv_case("depthwise_multiplier", "two outputs from each input channel", [1, 3, 7, 8], 6, 3, groups=3),
        conv_case("depthwise_stride_dilation", "depthwise with every other parameter", [2, 3, 13, 11], 3, [3, 2], stride=[2, 3], pad=pads(2, 1, 0, 3), dilation=[2, 3], groups=3),
        conv_case("pointwise", "1x1 kernel: a matrix product over pixels", [2, 7, 13, 11], 5, 1),
        conv_case("pointwise_relu", "1x1 kernel with the activation", [1, 7, 3, 5], 9, 1, relu=True),
        conv_case("pointwise_stride", "1x1 kernel that skips pixels", [1, 4, 9, 8], 3, 1, stride=2),
        conv_case("pointwise_stride_three", "1x1 kernel, unequal strides", [1, 2, 10, 11], 3, 1, stride=[3, 2]),
        conv_case("pointwise_padded", "1x1 kernel with padding: the border is the bias alone", [1, 2, 3, 4], 3, 1, pad=pads(1, 2, 0, 1)),
        conv_case("stride_exceeds_kernel", "input rows and columns that no window reads", [1, 2, 13, 11], 3, 2, stride=3),
        conv_case("stride_leftover", "last row and column unused", [1, 2, 6, 8], 2, 3, stride=2, pad=1),
        conv_case("stride_unequal", "unequal strides and kernel sides", [1, 2, 11, 13], 3, [2, 5], stride=[2, 1]),
        conv_case("kernel_row", "a 1x5 kernel", [1, 2, 3, 11], 2, [1, 5], pad=pads(0, 0, 2, 2)),
        conv_case("kernel_column", "a 5x1 kernel", [1, 2, 11, 3], 2, [5, 1], pad=pads(2, 2, 0, 0)),
        conv_case("kernel_even", "an even kernel has no centre", [1, 2, 5, 5], 3, 4, pad=2),
        conv_case("kernel_is_map", "kernel as large as the map: one output", [1, 3, 5, 7], 4, [5, 7]),
        conv_case("kernel_is_padded_map", "kernel larger than the map, not than the padded map", [1, 2, 2, 3], 3, 5, pad=2),
        conv_case("dilation", "gaps between taps", [1, 2, 11, 13], 3, 3, dilation=2),
        conv_case("dilation_unequal", "unequal dilation, unequal kernel", [1, 2, 13, 11], 2, [2, 3], dilation=[3, 2]),
        conv_case("dilation_stride_pad", "dilation, stride and padding interact in every index", [1, 3, 14, 11], 4, 3, stride=2, pad=2, dilation=2),
        conv_case("dilation_groups", "dilated grouped", [1, 4, 11, 9], 4, 3, pad=3, dilation=3, groups=2),
        conv_case("pad_asymmetric", "four different pads", [1, 2, 5, 7], 3, 3, pad=pads(2, 0, 1, 3)),
        conv_case("pad_asymmetric_stride", "four different pads under a stride", [1, 2, 7, 5], 3, 3, stride=2, pad=pads(0, 2, 3, 1)),
        conv_case("pad_one_side", "padding at the end only", [1, 2, 4, 4], 2, 2, pad=pads(0, 1, 0, 1)),
        conv_case("pad_full", "pad = kernel - 1: the map grows", [1, 2, 5, 4], 2, 3, pad=2),
        conv_case("pad_exceeds_kernel", "windows wholly in the padding give the bias alone", [1, 2, 3, 2], 2, 3, pad=5),
        conv_case("pad_far_larger_than_map", "as FCN's first layer on a tiny image", [1, 3, 1, 2], 2, 3, pad=20, relu=True),
        conv_case("winograd_tiles_1x1", "3x3 stride 1 pad 1: less than one tile", [1, 4, 1, 1], 4, 3, pad=1),
        conv_case("winograd_tiles_2x3", "3x3 stride 1 pad 1: a partial tile in one axis", [1, 4, 2, 3], 4, 3, pad=1),
        conv_case("winograd_tiles_4x4", "3x3 stride 1 pad 1: exact tiles", [1, 4, 4, 4], 4, 3, pad=1),
        conv_case("winograd_tiles_5x7", "3x3 stride 1 pad 1: partial tiles in both axes", [2, 5, 5, 7], 3, 3, pad=1),
        conv_case("winograd_valid", "3x3 stride 1 without padding", [1, 4, 9, 8], 4, 3),
        conv_case("winograd_float", "3x3 stride 1 pad 1 on fractions", [1, 16, 9, 10], 8, 3, pad=1, draw=floats),
        conv_case("channels_past_tile", "channel counts one past a power of two", [1, 33, 9, 10], 17, 3, pad=1),
        conv_case("channels_many", "a long sum: 67 channels", [1, 67, 5, 5], 3, 3, pad=1),
        conv_case("channels_out_many", "65 outputs from one input", [1, 1, 5, 4], 65, 3, pad=1),
        conv_case("wide", "a row longer than a workgroup", [1, 2, 2, 131], 2, 3, pad=1),
        conv_case("tall", "a column longer than a workgroup", [1, 2, 131, 2], 2, 3, pad=1),
        conv_case("fully_connected", "VGG's fc6 as a convolution: 7x7 over a slightly larger map", [1, 8, 7, 9], 11, 7, relu=True),
        conv_case("large_kernel_stride", "AlexNet's first layer: 11x11 stride 4", [1, 3, 23, 27], 2, 11, stride=4, pad=2),
        conv_case("float", "fractions: the sum rounds", [1, 5, 9, 11], 4, 3, pad=1, draw=floats),
        conv_case("float_dilated_groups", "fractions through the general path", [2, 4, 13, 9], 6, [3, 2], stride=[1, 2], pad=pads(3, 1, 2, 0), dilation=[2, 3], groups=2, draw=floats),
        conv_case("float_long_sum", "800 terms of fractions", [1, 32, 5, 6], 3, 5, draw=floats),
        conv_case("float_cancellation", "large terms of both signs: the bound must follow |x w|, not the result", cancelling, 2, 3, draw=floats),
        conv_case("infinity_stays_local", "an infinity reaches its own windows only; padding must not be a product with it", infinite, 2, 3, pad=1),
        conv_case("nan_stays_local", "a NaN in a corner reaches its own windows only", invalid, 2, 3, pad=1),
    )  # fmt: skip


FIGURE_X = literal("3 3 2 1 0 / 0 0 1 3 1 / 3 1 2 2 3 / 2 0 0 2 2 / 2 0 0 0 1")
FIGURE_W = literal("0 1 2 / 2 2 0 / 0 1 2")
VALID = "12 12 17 / 10 17 19 / 9 6 14"


def figure(op, name, why, x, weight, y, **params):
    """A single-channel case whose result is typed in."""
    relu_groups = {"groups": 1, "relu": False}
    if op == "conv_transpose2d":
        relu_groups |= {"output_padding": params.pop("output_padding", [0, 0]), "output_size": None}
    params = window(weight.shape[2:], **params) | relu_groups
    params["kernel"] = list(weight.shape[2:])
    return Case(f"{op}_{name}", op, why, params, {"x": x, "weight": weight}, {"y": literal(y)})


def conv2d_figures():
    same = "6 14 17 11 3 / 14 12 12 17 11 / 8 10 17 19 13 / 11 9 6 14 12 / 6 4 4 6 4"
    source = "A guide to convolution arithmetic"
    yield from (
        figure("conv2d", "figure_valid", f"{source}: 3x3 over 5x5; the kernel is not flipped", FIGURE_X, FIGURE_W, VALID),
        figure("conv2d", "figure_stride_pad", f"{source}: 3x3 stride 2 pad 1 over 5x5", FIGURE_X, FIGURE_W, "6 17 3 / 8 17 13 / 6 4 4", stride=2, pad=1),
        figure("conv2d", "figure_same", "the same operands with pad 1", FIGURE_X, FIGURE_W, same, pad=1),
    )  # fmt: skip
    shapes = (
        ("no_padding_no_strides", 4, 2, 3, 1, 0, 1),
        ("arbitrary_padding_no_strides", 5, 6, 4, 1, 2, 1),
        ("same_padding_no_strides", 5, 5, 3, 1, 1, 1),
        ("full_padding_no_strides", 5, 7, 3, 1, 2, 1),
        ("no_padding_strides", 5, 2, 3, 2, 0, 1),
        ("padding_strides", 5, 3, 3, 2, 1, 1),
        ("padding_strides_odd", 6, 3, 3, 2, 1, 1),
        ("dilation", 7, 3, 3, 1, 0, 2),
    )
    for name, extent, out, kernel, stride, pad, dilation in shapes:
        yield conv_case(
            f"arithmetic_{name}", f"{source}: {extent} to {out}", [1, 1, extent, extent], 1,
            kernel, stride, pad, dilation, bias=False,
        )  # fmt: skip


# --- transposed convolution --------------------------------------------------------------------


def transpose_case(name, why, x, out, kernel, stride=1, pad=0, dilation=1, groups=1, relu=False,
                   bias=True, output_padding=0, output_size=None, draw=integers, weight=None,
                   **more):  # fmt: skip
    """A transposed convolution; `out` counts all output channels, weights are (in, out/groups)."""
    name = f"conv_transpose2d_{name}"
    params = window(kernel, stride, pad, dilation) | {"groups": groups, "relu": relu}
    if isinstance(output_padding, int):
        output_padding = [output_padding, output_padding]
    params["output_padding"] = None if output_size else output_padding
    params["output_size"] = output_size
    if weight is None:
        weight = draw(f"{name}/weight", [x[1], out // groups, *params["kernel"]])
    inputs = {"x": draw(f"{name}/x", x), "weight": weight}
    if bias:
        inputs["bias"] = draw(f"{name}/bias", [out])
    return Case(name, "conv_transpose2d", why, params, inputs, **more)


def conv_transpose2d():
    yield from (
        transpose_case("single_pixel", "1x1 map, 1x1 kernel", [1, 1, 1, 1], 1, 1, draw=positive),
        transpose_case("stamp", "1x1 map: the output is the weight times one number", [1, 3, 1, 1], 2, [3, 5]),
        transpose_case("prime_extents", "prime, unequal extents and channels", [1, 3, 7, 11], 5, 3),
        transpose_case("same", "3x3 stride 1 pad 1, DeconvNet's decoder layer", [1, 6, 7, 5], 4, 3, pad=1, relu=True),
        transpose_case("fully_connected", "DeconvNet's fc6-deconv: 7x7 from a 1x1 map", [1, 11, 1, 1], 6, 7),
        transpose_case("relu", "the fused activation", [1, 3, 5, 7], 4, 4, stride=2, relu=True),
        transpose_case("no_bias", "the bias operand is absent", [1, 3, 5, 7], 4, 4, stride=2, bias=False),
        transpose_case("batch", "two images", [2, 3, 4, 5], 2, 4, stride=2, pad=1),
        transpose_case("batch_groups", "batch and group offsets together", [2, 4, 3, 5], 6, 3, stride=2, groups=2),
        transpose_case("groups_three", "an odd group count: weight axis 1 counts outputs of one group", [1, 6, 4, 3], 9, 3, stride=2, pad=1, groups=3),
        transpose_case("depthwise", "one channel a group", [1, 5, 5, 3], 5, 4, stride=2, groups=5, bias=False),
        transpose_case("depthwise_multiplier", "two outputs from each input channel", [1, 3, 4, 5], 6, 3, stride=2, groups=3),
        transpose_case("fcn_k4_s2", "FCN's upscore2 with dense weights", [1, 5, 6, 7], 5, 4, stride=2, bias=False),
        transpose_case("fcn_k16_s8", "FCN-8s's last layer with dense weights", [1, 3, 2, 3], 3, 16, stride=8, bias=False),
        transpose_case("fcn_k32_s16", "FCN-16s's last layer", [1, 2, 2, 1], 2, 32, stride=16, bias=False),
        transpose_case("fcn_k64_s32", "FCN-32s's last layer on a 1x1 map", [1, 2, 1, 1], 2, 64, stride=32, bias=False),
        transpose_case("k63_s32", "FCN-AlexNet's: an odd kernel", [1, 1, 2, 1], 1, 63, stride=32, bias=False),
        transpose_case("bilinear_dense", "a bilinear filter on the channel diagonal", [1, 3, 4, 5], 3, 4, stride=2, bias=False, weight=filter_of(4, 3, "dense")),
        transpose_case("bilinear_depthwise", "the same filter, depthwise", [1, 3, 4, 5], 3, 4, stride=2, groups=3, bias=False, weight=filter_of(4, 3, "depthwise")),
        transpose_case("bilinear_k16_s8", "bilinear by eight with pad 4: the interior is a half-pixel resize", [1, 2, 3, 4], 2, 16, stride=8, pad=4, groups=2, bias=False, weight=filter_of(16, 2, "depthwise")),
        transpose_case("stride_equals_kernel", "tiles without overlap", [1, 2, 3, 4], 3, 2, stride=2),
        transpose_case("stride_exceeds_kernel", "gaps that no tap reaches hold the bias", [1, 2, 4, 3], 3, 2, stride=3),
        transpose_case("stride_exceeds_kernel_relu", "gaps of negative bias become zero", [1, 2, 3, 3], 2, 1, stride=3, relu=True),
        transpose_case("stride_unequal", "unequal strides and kernel sides", [1, 2, 3, 7], 3, [5, 2], stride=[1, 2]),
        transpose_case("kernel_not_multiple", "3x3 stride 2: phases with different tap counts", [1, 3, 5, 4], 2, 3, stride=2),
        transpose_case("kernel_five_stride_three", "5x5 stride 3: phases with different tap counts", [1, 2, 3, 4], 2, 5, stride=3, pad=1),
        transpose_case("pad", "pads trim the scattered map", [1, 2, 5, 3], 3, 4, stride=2, pad=1),
        transpose_case("pad_asymmetric", "four different pads", [1, 2, 4, 5], 3, 5, stride=2, pad=pads(3, 0, 1, 2)),
        transpose_case("pad_past_kernel", "pads larger than kernel - 1 drop input pixels", [1, 2, 6, 7], 2, 3, stride=2, pad=3),
        transpose_case("dilation", "gaps between taps", [1, 2, 5, 4], 3, 3, dilation=2),
        transpose_case("dilation_unequal", "unequal dilation under a stride", [1, 2, 4, 3], 3, [2, 3], stride=[3, 2], dilation=[2, 3]),
        transpose_case("dilation_groups_pad", "the general path", [2, 4, 5, 3], 6, [3, 2], stride=[2, 3], pad=pads(1, 2, 0, 3), dilation=[3, 2], groups=2),
        transpose_case("output_padding", "the added row and column lie inside the scattered map", [1, 2, 3, 4], 3, 3, stride=2, pad=1, output_padding=1),
        transpose_case("output_padding_row", "one axis only", [1, 2, 3, 4], 3, 3, stride=2, pad=1, output_padding=[1, 0]),
        transpose_case("output_padding_outside", "no pad: the added row and column hold the bias", [1, 2, 3, 2], 3, 3, stride=2, output_padding=1),
        transpose_case("output_padding_two", "stride 3 allows two", [1, 2, 3, 2], 3, 3, stride=3, pad=1, output_padding=2),
        transpose_case("output_padding_dilation", "dilation 3 allows two at stride 1", [1, 2, 5, 4], 2, 3, pad=1, dilation=3, output_padding=2),
        transpose_case("output_padding_asymmetric", "with four different pads", [1, 2, 4, 3], 2, 4, stride=3, pad=pads(2, 1, 0, 3), output_padding=[2, 1]),
        transpose_case("output_padding_groups", "with groups and dilation", [1, 4, 3, 4], 4, 3, stride=2, pad=2, dilation=2, groups=2, output_padding=1),
        transpose_case("output_size_smallest", "23x30 to 45x59: the smallest of two possible sizes", [1, 1, 23, 30], 1, 3, stride=2, pad=1, output_size=[45, 59]),
        transpose_case("output_size_largest", "23x30 to 46x60: the largest", [1, 1, 23, 30], 1, 3, stride=2, pad=1, output_size=[46, 60]),
        transpose_case("output_size_mixed", "the size decides each axis by itself", [1, 2, 4, 5], 3, 3, stride=[3, 2], pad=1, output_size=[12, 9]),
        transpose_case("channels_past_tile", "channel counts one past a power of two", [1, 33, 3, 4], 17, 4, stride=2, pad=1),
        transpose_case("channels_out_many", "65 outputs from two inputs", [1, 2, 3, 2], 65, 2, stride=2),
        transpose_case("wide", "a row longer than a workgroup", [1, 2, 1, 67], 2, [2, 4], stride=[1, 2]),
        transpose_case("tall", "a column longer than a workgroup", [1, 2, 67, 1], 2, [4, 2], stride=[2, 1]),
        transpose_case("float", "fractions: the sum rounds", [1, 5, 5, 6], 4, 4, stride=2, draw=floats),
        transpose_case("float_general", "fractions through the general path", [2, 4, 5, 6], 6, [3, 4], stride=[2, 3], pad=pads(1, 0, 2, 1), dilation=[2, 1], groups=2, output_padding=[1, 2], draw=floats, relu=True),
    )  # fmt: skip


def filter_of(size, channels, layout):
    """The bilinear filter as weights."""
    case = Case("", "bilinear", "", bilinear_params(size, channels, layout), {})
    case.solve()
    return case.outputs["y"]


def conv_transpose2d_figures():
    x, w = literal("1 2 / 3 4"), literal("1 2 3 / 4 5 6 / 7 8 9")
    ones = literal("1 1 1 / 1 1 1 / 1 1 1")
    tiles = "1 2 3 2 4 6 / 4 5 6 8 10 12 / 7 8 9 14 16 18 / 3 6 9 4 8 12 / 12 15 18 16 20 24 / 21 24 27 28 32 36"
    stride2 = "1 2 5 4 6 / 4 5 14 10 12 / 10 14 36 24 30 / 12 15 34 20 24 / 21 24 55 32 36"
    extended = "1 2 5 4 6 0 / 4 5 14 10 12 0 / 10 14 36 24 30 0 / 12 15 34 20 24 0 / 21 24 55 32 36 0 / 0 0 0 0 0 0"
    back = "0 12 36 41 34 / 24 58 95 87 38 / 20 75 132 105 62 / 18 40 77 81 38 / 0 9 24 26 28"
    dilated = "1 2 2 4 3 6 / 3 4 6 8 9 12 / 4 8 5 10 6 12 / 12 16 15 20 18 24 / 7 14 8 16 9 18 / 21 28 24 32 27 36"
    sums = "0 1 3 3 2 / 3 8 15 12 7 / 9 21 36 27 15 / 9 20 33 24 13 / 6 13 21 15 8"
    op = "conv_transpose2d"
    yield from (
        figure(op, "figure_valid_back", "the guide's valid output scattered back: C transposed, the kernel not flipped", literal(VALID), FIGURE_W, back),
        figure(op, "literal_s1", "stride 1", x, w, "1 4 7 6 / 7 23 33 24 / 19 53 63 42 / 21 52 59 36"),
        figure(op, "literal_s2", "stride 2", x, w, stride2, stride=2),
        figure(op, "literal_s2_p1", "stride 2, pad 1", x, w, "5 14 10 / 14 36 24 / 15 34 20", stride=2, pad=1),
        figure(op, "literal_s2_p1_extra1", "output padding shows what the pad trimmed, not zeros", x, w, "5 14 10 12 / 14 36 24 30 / 15 34 20 24 / 24 55 32 36", stride=2, pad=1, output_padding=[1, 1]),
        figure(op, "literal_s2_extra1", "without a pad output padding adds zeros", x, w, extended, stride=2, output_padding=[1, 1]),
        figure(op, "literal_s3", "stride 3: tiles side by side", x, w, tiles, stride=3),
        figure(op, "literal_d2", "dilation 2", x, w, dilated, dilation=2),
        figure(op, "literal_ones", "the ONNX node test: 0..8 under ones", literal("0 1 2 / 3 4 5 / 6 7 8"), ones, sums),
    )  # fmt: skip
    shapes = (
        ("no_padding_no_strides", 2, 4, 3, 1, 0, 0),
        ("arbitrary_padding_no_strides", 6, 5, 4, 1, 2, 0),
        ("same_padding_no_strides", 5, 5, 3, 1, 1, 0),
        ("full_padding_no_strides", 7, 5, 3, 1, 2, 0),
        ("no_padding_strides", 2, 5, 3, 2, 0, 0),
        ("padding_strides", 3, 5, 3, 2, 1, 0),
        ("padding_strides_odd", 3, 6, 3, 2, 1, 1),
    )
    for name, extent, out, kernel, stride, pad, extra in shapes:
        yield transpose_case(
            f"arithmetic_{name}", f"A guide to convolution arithmetic, transposed: {extent} to {out}",
            [1, 1, extent, extent], 1, kernel, stride, pad, bias=False, output_padding=extra,
        )  # fmt: skip


# --- max pooling -------------------------------------------------------------------------------


def pool_case(name, why, x, kernel, stride=None, pad=0, dilation=1, rounding="floor", **more):
    """A pooling with switches; `x` is a shape to fill with distinct numbers, or the input."""
    name = f"max_pool2d_{name}"
    params = window(kernel, kernel if stride is None else stride, pad, dilation)
    params["rounding"] = rounding
    x = distinct(f"{name}/x", x) if isinstance(x, (list, tuple)) else np.asarray(x, np.float32)
    return Case(name, "max_pool2d", why, params, {"x": x}, **more)


def max_pool2d():
    count = np.arange(1, 26, dtype=np.float32).reshape(1, 1, 5, 5)
    few = integers("max_pool2d_ties_integers/x", [1, 2, 12, 10], 0, 2)
    zeros = np.zeros((1, 1, 4, 4))
    signed = literal("-0 0 0 -0 / 0 -0 -0 0 / -1 -0 -5 -0 / 0 -2 -0 -3")
    lowest = np.full((1, 1, 5, 4), np.finfo(np.float32).min, np.float32)
    nothing = np.full((1, 1, 5, 4), -INF)
    some = literal("-inf -inf -inf 1 / -inf -inf -inf -inf / -inf -2 3 inf / 4 -inf -inf inf")
    nan_order = literal("1 nan 2 3 / nan 5 -inf -inf / -inf -inf nan 1 / -inf -inf 2 nan")
    nan_overlap = integers("max_pool2d_nan_overlapping/x", [1, 2, 7, 9])
    nan_overlap[0, 0, 3, 4] = nan_overlap[0, 1, 0, 0] = nan_overlap[0, 1, 6, 8] = NAN
    negative = -distinct("max_pool2d_negative_padded/x", [1, 2, 5, 6])
    onnx_ceil = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    best = {"y": literal("7 9 10 / 17 19 20 / 22 24 25"), "switches": literal("6 8 9 / 16 18 19 / 21 23 24", np.int64)}  # fmt: skip
    yield from (
        pool_case("single_pixel", "1x1 map, 1x1 window", [1, 1, 1, 1], 1),
        pool_case("prime_extents", "prime, unequal extents: floor leaves a row and a column out", [1, 3, 17, 13], 2),
        pool_case("prime_extents_ceil", "the same with a last partial window", [1, 3, 17, 13], 2, rounding="ceil"),
        pool_case("batch", "switches count within their own plane, not the tensor", [2, 3, 6, 8], 2),
        pool_case("ceil_5x5", "1..25 by two, rounded up: partial windows at the end", count, 2, rounding="ceil", expected=best),
        pool_case("ceil_1x1", "a window that holds one pixel", [1, 2, 1, 1], 2, rounding="ceil"),
        pool_case("ceil_45x60", "SegNet's odd stage", [1, 1, 45, 60], 2, rounding="ceil"),
        pool_case("vgg_16x16", "the window every VGG has", [1, 2, 16, 16], 2),
        pool_case("overlapping", "3x3 stride 2: two windows may name one pixel", [1, 2, 9, 11], 3, 2),
        pool_case("overlapping_pad", "with padding", [1, 2, 9, 10], 3, 2, 1),
        pool_case("overlapping_ceil", "3x3 stride 2 rounded up", [1, 2, 8, 10], 3, 2, rounding="ceil"),
        pool_case("stride_one", "3x3 stride 1", [1, 1, 7, 6], 3, 1),
        pool_case("stride_exceeds_kernel", "pixels that no window reads", [1, 2, 11, 13], 2, 3),
        pool_case("stride_exceeds_kernel_ceil", "the last window may start past the input and is dropped", [1, 2, 7, 8], [1, 2], [2, 3], rounding="ceil"),
        pool_case("kernel_unequal", "unequal kernel and stride", [1, 2, 9, 11], [3, 2], [2, 1]),
        pool_case("kernel_is_map", "one window", [1, 3, 5, 7], [5, 7]),
        pool_case("pad", "a padding cell is never chosen", [1, 2, 5, 7], 2, 2, 1),
        pool_case("pad_ceil", "padding with a last partial window", [1, 2, 6, 7], 3, 2, 1, rounding="ceil"),
        pool_case("negative_padded", "all below zero: padding is not a zero", negative, 3, 2, 1),
        pool_case("pad_asymmetric", "four different pads", [1, 2, 6, 5], 4, [2, 1], pads(2, 0, 1, 2)),
        pool_case("pad_asymmetric_ceil", "four different pads, rounded up", [1, 1, 6, 7], 3, 2, pads(0, 1, 1, 0), rounding="ceil"),
        pool_case("dilation", "gaps in the window", [1, 2, 9, 8], 2, 1, dilation=2),
        pool_case("dilation_pad_ceil", "dilated, padded, rounded up", [1, 2, 10, 9], [3, 2], [2, 3], 1, [2, 3], "ceil"),
        pool_case("dilation_unequal", "unequal dilation", [1, 1, 11, 9], 3, 2, 0, [1, 3]),
        pool_case("wide", "a row longer than a workgroup", [1, 1, 2, 263], 2),
        pool_case("ties_zeros", "all zeros: the first of each window", zeros, 2, expected={"y": literal("0 0 / 0 0"), "switches": literal("0 2 / 8 10", np.int64)}),
        pool_case("ties_zeros_overlapping", "all zeros under 3x3 stride 2 pad 1", zeros, 3, 2, 1, expected={"y": literal("0 0 / 0 0"), "switches": literal("0 1 / 4 5", np.int64)}),
        pool_case("ties_equal", "all seven: the first of each window", np.full((2, 2, 5, 7), 7), 3, 2, rounding="ceil"),
        pool_case("ties_integers", "few values, so most windows tie", few, 3, 2, 1),
        pool_case("ties_signed_zeros", "the zeros of both signs are equal: the first stays", signed, 2),
        pool_case("lowest_finite", "windows of the lowest finite value must still choose a pixel", lowest, 2, rounding="ceil"),
        pool_case("infinite_nothing", "windows of -inf choose their first pixel", nothing, 2, rounding="ceil"),
        pool_case("infinite_nothing_padded", "the first pixel of a window is not its first cell", nothing, 3, 2, 1),
        pool_case("infinite_some", "-inf beside numbers, and +inf ties", some, 2),
        pool_case("nan_last_wins", "a NaN is chosen, and of several the last", nan_order, 2),
        pool_case("nan_overlapping", "one NaN reaches every window that holds it", nan_overlap, 3, 2, 1),
        pool_case("float", "fractions of both signs", floats("max_pool2d_float/x", [1, 3, 9, 7]), 3, 2, 1),
        pool_case("onnx_ceil", "the ONNX node test: 3x3 stride 2 rounded up over 1..16", onnx_ceil, 3, 2, rounding="ceil", expected={"y": literal("11 12 / 15 16"), "switches": literal("10 11 / 14 15", np.int64)}),
        pool_case("figure_values", "A guide to convolution arithmetic: 3x3 stride 1", FIGURE_X, 3, 1),
    )  # fmt: skip


def max_pool2d_roundings():
    """Where the rules for the last window part; an axis that is not asked about has one window."""
    rows = ((3, 2, 2, 1), (7, 2, 3, 1), (4, 1, 2, 0), (2, 1, 2, 0), (7, 2, 4, 0), (5, 1, 3, 0))
    for extent, kernel, stride, pad in rows:
        for rounding in ("floor", "ceil", "caffe"):
            x = distinct(f"max_pool2d_rounding/{extent}", [1, 1, extent, 2])
            empty = rounding == "caffe" and pad == 0
            yield pool_case(
                f"rounding_{rounding}_{extent}_{kernel}_{stride}_{pad}",
                f"extent {extent}, kernel {kernel}, stride {stride}, pad {pad}: the rules give different counts",
                x, [kernel, 2], [stride, 2], pads(pad, pad, 0, 0), rounding=rounding,
                contested="Caffe's last window covers no pixel here: value -FLT_MAX, switch -1"
                if empty else None,
            )  # fmt: skip
    yield pool_case(
        "rounding_caffe_vgg", "without overlap Caffe's rule is the ceil rule", [1, 2, 7, 9], 2,
        rounding="caffe",
    )  # fmt: skip
    yield pool_case(
        "rounding_caffe_pad", "with padding Caffe drops the same window", [1, 2, 8, 9], 3, 2, 1,
        rounding="caffe",
    )  # fmt: skip


# --- max unpooling -----------------------------------------------------------------------------


def unpool_case(name, why, origin, kernel, stride=None, pad=0, rounding="floor", batch=1,
                channels=1, output_size=None, pooled=None, **more):  # fmt: skip
    """Switches from pooling a drawn map of extent `origin`; the values put back are other ones."""
    source = pool_case(
        f"of_{name}", "", [batch, channels, *origin] if pooled is None else pooled,
        kernel, stride, pad, 1, rounding,
    )  # fmt: skip
    source.solve()
    name = f"max_unpool2d_{name}"
    switches = source.outputs["switches"]
    params = {key: source.params[key] for key in ("kernel", "stride", "pad")}
    params |= {"origin": list(origin), "output_size": list(output_size or origin)}
    inputs = {"x": integers(f"{name}/x", switches.shape, -99, 99), "switches": switches}
    return Case(name, "max_unpool2d", why, params, inputs, **more)


def max_unpool2d():
    numbered = np.arange(20, dtype=np.float32).reshape(1, 1, 4, 5)
    sixteen = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    yield from (
        unpool_case("single_pixel", "1x1 to 1x1", [1, 1], 1),
        unpool_case("even", "extents that the window divides", [6, 8], 2, channels=2),
        unpool_case("batch", "switches count within their own plane", [6, 4], 2, batch=2, channels=3),
        unpool_case("odd_floor", "5x7 pooled down: the origin, not twice the pooled extent", [5, 7], 2, channels=2),
        unpool_case("odd_ceil", "5x7 pooled up", [5, 7], 2, rounding="ceil", channels=2),
        unpool_case("segnet_45", "45x60 to 23x30 and back", [45, 60], 2, rounding="ceil"),
        unpool_case("segnet_23", "23x30 to 12x15 and back", [23, 30], 2, rounding="ceil"),
        unpool_case("width_trap", "4x5: decoding with width 4 would put 6 at row 1, column 2", [4, 5], 2, pooled=numbered),
        unpool_case("overlapping", "two windows name one pixel: the last in raster order stays", [7, 9], 3, 2, channels=2),
        unpool_case("overlapping_one_peak", "one pixel wins every window; all but the last value is lost", [5, 5], 3, 1, pooled=peak(5, 5, 2, 2)),
        unpool_case("overlapping_pad", "overlap and padding", [8, 7], 3, 2, 1, channels=2),
        unpool_case("stride_exceeds_kernel", "cells that no window read stay zero", [7, 11], 2, 3, channels=2),
        unpool_case("pad", "a padded pool's switches", [5, 7], 2, 2, 1, channels=2),
        unpool_case("larger_output", "row and column are kept in a larger map; the rest is zero", [4, 4], 2, output_size=[5, 5], pooled=sixteen),
        unpool_case("larger_output_wide", "larger in one axis only", [6, 4], 2, output_size=[6, 7], channels=2, batch=2),
        unpool_case("larger_output_odd", "an odd origin in a larger map", [5, 7], 2, rounding="ceil", output_size=[6, 8], channels=2),
    )  # fmt: skip


def peak(height, width, row, column):
    x = np.zeros((1, 1, height, width), np.float32)
    x[0, 0, row, column] = 1
    return x


# --- one element at a time ---------------------------------------------------------------------


def pointwise():
    def draw(name, shape=(2, 3, 5, 7)):
        return integers(name, shape)

    special = literal("-inf -1 -0 0 1 inf nan")
    plain = {"factor": None, "relu": False}
    yield from (
        Case("relu_integers", "relu", "both signs and zeros", {}, {"x": draw("relu_integers/x")}),
        Case("relu_special", "relu", "infinities, zeros of both signs, NaN stays NaN", {}, {"x": special}),
        Case("add_integers", "add", "FCN's fusion of two scores", {"relu": False}, {"x": draw("add/x"), "other": draw("add/other")}),
        Case("add_relu", "add", "the fused activation", {"relu": True}, {"x": draw("add_relu/x"), "other": draw("add_relu/other")}),
        Case("add_float", "add", "one rounding: the same bits everywhere", {"relu": False}, {"x": floats("add_float/x", [1, 2, 5, 7]), "other": floats("add_float/other", [1, 2, 5, 7], -1e-3, 1e-3)}),
        Case("scale_at_once_pool4", "scale", "FCN-8s at-once scales pool4 by 0.01; the factor is the f32 nearest to it", {"factor": 0.01, "relu": False}, {"x": draw("scale_at_once/x")}),
        Case("scale_at_once_pool3", "scale", "and pool3 by 0.0001", {"factor": 0.0001, "relu": False}, {"x": draw("scale_at_once/x")}),
        Case("scale_negative_factor", "scale", "a sign change", {"factor": -0.5, "relu": False}, {"x": draw("scale_negative/x")}),
        Case("scale_channels", "scale", "one factor a channel, batch 2", plain, {"x": draw("scale_channels/x"), "scale": draw("scale_channels/scale", [3])}),
        Case("scale_shift", "scale", "folded batch normalisation: scale and shift", plain, {"x": draw("scale_shift/x"), "scale": draw("scale_shift/scale", [3]), "shift": draw("scale_shift/shift", [3])}),
        Case("scale_shift_relu", "scale", "with the activation", {"factor": None, "relu": True}, {"x": draw("scale_relu/x"), "scale": draw("scale_relu/scale", [3]), "shift": draw("scale_relu/shift", [3])}),
        Case("scale_shift_float", "scale", "fractions: one or two roundings", plain, {"x": floats("scale_float/x", [2, 3, 5, 7]), "scale": floats("scale_float/scale", [3]), "shift": floats("scale_float/shift", [3])}),
    )  # fmt: skip


# --- moving data -------------------------------------------------------------------------------


def moving():
    def draw(name, *shape):
        return distinct(name, list(shape))

    def crop(name, why, x, offset, size):
        return Case(f"crop_{name}", "crop", why, {"offset": offset, "size": size}, {"x": x})

    def crop_add(name, why, shape, skip, offset):
        inputs = {"x": draw(f"crop_add_{name}/x", *shape), "skip": draw(f"crop_add_{name}/skip", *skip)}
        return Case(f"crop_add_{name}", "crop_add", why, {"offset": offset}, inputs)

    def concat(name, why, *shapes):
        parts = {f"x{i}": draw(f"concat_{name}/{i}", *shape) for i, shape in enumerate(shapes)}
        return Case(f"concat_{name}", "concat", why, {}, parts)

    def cut(name, why, x, start, count):
        return Case(f"slice_{name}", "slice", why, {"start": start, "count": count}, {"x": x})

    yield from (
        crop("whole", "nothing is cut", draw("crop_whole/x", 1, 2, 3, 5), [0, 0], [3, 5]),
        crop("interior", "unequal offsets", draw("crop_interior/x", 2, 3, 11, 13), [2, 5], [7, 3]),
        crop("end", "the window touches the far corner", draw("crop_end/x", 1, 2, 7, 9), [4, 6], [3, 3]),
        crop("not_centred", "FCN-8s: offset 31 of 88, not the centre 43", draw("crop_fcn/x", 1, 1, 88, 88), [31, 31], [1, 1]),
        Case("pad_zero", "pad", "nothing is added", {"pad": pads(0)}, {"x": draw("pad_zero/x", 1, 2, 3, 5)}),
        Case("pad_asymmetric", "pad", "four different pads, batch 2", {"pad": pads(1, 3, 0, 2)}, {"x": draw("pad_asymmetric/x", 2, 2, 3, 5)}),
        Case("pad_far_larger_than_map", "pad", "a 1x1 map in a large frame", {"pad": pads(9, 7, 8, 11)}, {"x": draw("pad_large/x", 1, 2, 1, 1)}),
        crop_add("pool4", "FCN's offset 5", [1, 5, 4, 6], [1, 5, 13, 15], [5, 5]),
        crop_add("pool3", "FCN's offset 9", [1, 5, 10, 12], [1, 5, 25, 26], [9, 9]),
        crop_add("unequal_offsets", "batch 2, offsets that differ", [2, 3, 5, 7], [2, 3, 9, 11], [1, 4]),
        crop_add("same_extent", "offset 0: a plain sum", [1, 2, 3, 5], [1, 2, 3, 5], [0, 0]),
        concat("two", "the split point follows the first operand", [1, 2, 3, 5], [1, 3, 3, 5]),
        concat("three_batch", "batch 2: images interleave", [2, 1, 4, 3], [2, 3, 4, 3], [2, 2, 4, 3]),
        cut("first", "the first channels", draw("slice_first/x", 1, 5, 3, 4), 0, 2),
        cut("middle_batch", "batch 2, channels in the middle", draw("slice_middle/x", 2, 7, 3, 4), 2, 3),
        cut("last_one", "one channel at the end", draw("slice_last/x", 1, 5, 3, 4), 4, 1),
    )  # fmt: skip


# --- scores ------------------------------------------------------------------------------------


def scoring():
    def softmax(name, why, x):
        return Case(f"softmax_channels_{name}", "softmax_channels", why, {}, {"x": x})

    def argmax(name, why, x, **more):
        return Case(f"argmax_channels_{name}", "argmax_channels", why, {}, {"x": x}, **more)

    scores = floats("scores", [2, 21, 5, 7], -20, 20)
    mixed = floats("softmax_channels_minus_infinity/x", [1, 4, 3, 5], -3, 3)
    mixed[0, 2] = mixed[0, 0, 1, 1] = -INF
    ties = integers("argmax_channels_ties/x", [1, 21, 7, 9], 0, 3)
    invalid = integers("argmax_channels_nan/x", [1, 5, 2, 3])
    invalid[0, 3, 0, 0] = invalid[0, 1, 1, 2] = invalid[0, 4, 1, 2] = NAN
    nothing = np.full((1, 3, 2, 3), -INF, np.float32)
    ramp = np.arange(256, dtype=np.float32)[None, :, None, None] * np.ones((1, 256, 1, 2), np.float32)
    ramp[0, :, 0, 1] = -ramp[0, :, 0, 1]
    yield from (
        softmax("voc", "21 classes, batch 2", scores),
        softmax("one_channel", "one class: ones", floats("softmax_one/x", [1, 1, 2, 3])),
        softmax("equal", "equal scores share evenly", np.zeros((1, 5, 2, 3), np.float32)),
        softmax("large", "exp would overflow without taking the maximum off", floats("softmax_large/x", [1, 5, 3, 4], 900, 1000)),
        softmax("far_apart", "all but one vanish", floats("softmax_far/x", [1, 3, 3, 4], -1, 1) * 5000),
        softmax("minus_infinity", "-inf has probability zero", mixed),
        argmax("voc", "21 classes, batch 2", scores),
        argmax("one_channel", "one class: zeros", floats("argmax_one/x", [1, 1, 2, 3])),
        argmax("ties", "equal scores: the lowest class", ties),
        argmax("negative", "all below zero", floats("argmax_negative/x", [1, 7, 3, 5], -9, -1)),
        argmax("nothing", "-inf everywhere: class 0", nothing),
        argmax("256_classes", "labels 255 and 0 both fit a byte", ramp),
        argmax("nan", "PyTorch counts NaN as the largest; of several the first", invalid, contested="NaN scores: PyTorch picks the first NaN, ONNX leaves it open"),
    )  # fmt: skip


# --- images and filters ------------------------------------------------------------------------


def images():
    def normalize(name, why, shape, order, mean, scale):
        x = integers(f"normalize_{name}/x", shape, 0, 255).astype(np.uint8)
        params = {"order": order, "mean": mean, "scale": scale}
        return Case(f"normalize_{name}", "normalize", why, params, {"x": x})

    ones = [1.0, 1.0, 1.0]
    torchvision = [1 / (255 * s) for s in (0.229, 0.224, 0.225)]
    yield from (
        normalize("exact", "BGR, means that f32 holds", [5, 7, 3], "bgr", [104.0, 116.5, 122.75], ones),
        normalize("exact_rgb_scale", "RGB with a power-of-two scale, odd extents", [7, 3, 3], "rgb", [123.5, 116.75, 104.0], [1 / 64] * 3),
        normalize("fcn", "the published FCN's means", [11, 13, 3], "bgr", [104.00698793, 116.66876762, 122.67891434], ones),
        normalize("single_pixel", "3 bytes: not a whole word", [1, 1, 3], "bgr", [104.0, 116.5, 122.75], ones),
        normalize("torchvision", "RGB, mean and deviation in units of 255", [5, 6, 3], "rgb", [123.675, 116.28, 103.53], torchvision),
        normalize("raw", "SegNet: BGR, nothing taken off", [4, 5, 3], "bgr", [0.0, 0.0, 0.0], ones),
    )  # fmt: skip


def bilinear_params(size, channels, layout):
    return {"kernel": [size, size], "channels": channels, "layout": layout}


def bilinear():
    def typed(size, *row):
        ramp = np.array(row, np.float64)
        return {"y": np.outer(ramp, ramp)[None, None]}

    fifteen = [*range(1, 16, 2), *range(15, 0, -2)]
    rows = (
        (3, 1, "dense", typed(3, 0.5, 1, 0.5), "odd"),
        (4, 1, "dense", typed(4, 0.25, 0.75, 0.75, 0.25), "FCN's upscore2"),
        (5, 1, "dense", typed(5, 1 / 3, 2 / 3, 1, 2 / 3, 1 / 3), "odd: thirds round"),
        (6, 1, "dense", None, "even, but not a power of two"),
        (8, 1, "dense", typed(8, *(n / 8 for n in (1, 3, 5, 7, 7, 5, 3, 1))), "by four"),
        (16, 1, "dense", typed(16, *(n / 16 for n in fifteen)), "FCN-8s's last layer"),
        (1, 1, "dense", typed(1, 1), "the identity"),
        (4, 3, "dense", None, "the filter lies on the channel diagonal, zeros beside it"),
        (4, 3, "depthwise", None, "one plane a channel"),
        (63, 1, "dense", None, "FCN-AlexNet's: the centre weight is 1"),
    )
    for size, channels, layout, expected, why in rows:
        yield Case(
            f"bilinear_k{size}_c{channels}_{layout}", "bilinear", why,
            bilinear_params(size, channels, layout), {}, expected,
        )  # fmt: skip
