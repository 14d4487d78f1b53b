"""Output extents along one axis, asked of PyTorch: tables for the size formulas, refusals included.

A null output is PyTorch's refusal: an extent below one, or an output padding that is not smaller
than stride or dilation. Pooling rows keep to pads of at most half the kernel, beyond which PyTorch
refuses by a rule of its own. `caffe` is the rule of `literal.pool_extent`, null under dilation, which
Caffe has not, and where there is no window; `caffe_empty` says that its last window covers no pixel.
"""

from itertools import product

import torch
import torch.nn.functional as F

from .literal import pool_extent

EXTENTS = (1, 2, 3, 4, 5, 6, 7, 8, 13)


def all_tables():
    return {
        "conv2d": table(
            ("input", "kernel", "stride", "pad", "dilation", "output"),
            (
                (*row, extent_of(conv2d, *row))
                for row in product(EXTENTS, (1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (1, 2))
            ),
        ),
        "conv_transpose2d": table(
            ("input", "kernel", "stride", "pad", "dilation", "output_padding", "output"),
            (
                (*row, extent_of(conv_transpose2d, *row))
                for row in product((1, 2, 3, 5, 8), (1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (1, 2), (0, 1, 2))
            ),
        ),
        "max_pool2d": table(
            ("input", "kernel", "stride", "pad", "dilation", "floor", "ceil", "caffe", "caffe_empty"),
            pool_rows(),
        ),
    }  # fmt: skip


def table(columns, rows):
    return {"columns": columns, "rows": [list(row) for row in rows]}


def extent_of(operator, *row):
    """The output's extent, or None where PyTorch refuses."""
    try:
        return operator(*row)
    except RuntimeError:
        return None


def conv2d(extent, kernel, stride, pad, dilation):
    x, weight = torch.ones(1, 1, extent, 1), torch.ones(1, 1, kernel, 1)
    return F.conv2d(x, weight, None, (stride, 1), (pad, 0), (dilation, 1)).shape[2]


def conv_transpose2d(extent, kernel, stride, pad, dilation, output_padding):
    x, weight = torch.ones(1, 1, extent, 1), torch.ones(1, 1, kernel, 1)
    return F.conv_transpose2d(
        x, weight, None, (stride, 1), (pad, 0), (output_padding, 0), 1, (dilation, 1)
    ).shape[2]


def max_pool2d(extent, kernel, stride, pad, dilation, ceil):
    x = torch.ones(1, 1, extent, 1)
    return F.max_pool2d(x, (kernel, 1), (stride, 1), (pad, 0), (dilation, 1), ceil).shape[2]


def pool_rows():
    for row in product(EXTENTS, (1, 2, 3, 4), (1, 2, 3, 4), (0, 1, 2), (1, 2)):
        extent, kernel, stride, pad, dilation = row
        if pad > kernel // 2:
            continue
        floor, ceil = (extent_of(max_pool2d, *row, mode) for mode in (False, True))
        for rule, theirs in (("floor", floor), ("ceil", ceil)):
            ours = pool_extent(extent, kernel, stride, pad, pad, dilation, rule)
            if theirs != (ours if ours > 0 else None):
                raise ValueError(f"the literal {rule} rule gives {ours}, PyTorch {theirs}: {row}")
        caffe = pool_extent(extent, kernel, stride, pad, pad, dilation, "caffe")
        if dilation > 1 or caffe < 1:
            yield *row, floor, ceil, None, None
        else:
            yield *row, floor, ceil, caffe, (caffe - 1) * stride - pad >= extent
