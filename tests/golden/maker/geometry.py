"""The parameter records of the operators, spelt as Switchback spells them."""


def pads(top=0, bottom=None, left=None, right=None):
    """`pads(1)` is one on every side; `pads(1, 0, 2, 3)` is top, bottom, left, right."""
    if bottom is None:
        bottom = left = right = top
    return {"top": top, "bottom": bottom, "left": left, "right": right}


def is_symmetric(pad):
    return pad["top"] == pad["bottom"] and pad["left"] == pad["right"]


def window(kernel, stride=1, pad=0, dilation=1):
    """The fields that every sliding-window operator has."""
    return {
        "kernel": pair(kernel),
        "stride": pair(stride),
        "pad": pad if isinstance(pad, dict) else pads(pad),
        "dilation": pair(dilation),
    }


def pair(value):
    """A number for both axes, or [vertical, horizontal]."""
    return list(value) if isinstance(value, (list, tuple)) else [value, value]


def transposed_extent(extent, kernel, stride, begin, end, dilation):
    """The smallest output extent of a transposed convolution along one axis."""
    return stride * (extent - 1) + dilation * (kernel - 1) + 1 - begin - end
