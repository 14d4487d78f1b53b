"""Rules written out in NumPy where no runtime at hand follows them, or to have a third opinion.

* Max pooling with all three rules for the last window, among them Caffe's, window by window.
* Unpooling where a switch keeps its row and column whatever the size of the map it is put into.
"""

import numpy as np

LOWEST = np.finfo(np.float32).min


def run(op, params, inputs):
    rule = {"max_pool2d": max_pool2d, "max_unpool2d": max_unpool2d}.get(op)
    return rule(params, **inputs) if rule else None


def pool_extent(extent, kernel, stride, begin, end, dilation, rounding):
    """How many windows fit along one axis.

    floor  whole windows only.
    ceil   PyTorch and ONNX: also a last partial one, unless it would start past the input.
    caffe  the same, but a window past the input is dropped only where there is padding, so
           without padding Caffe can have a window that covers nothing.
    """
    span = extent + begin + end - dilation * (kernel - 1) - 1
    if rounding == "floor":
        return span // stride + 1
    count = -(-span // stride) + 1
    if (rounding == "ceil" or begin > 0) and (count - 1) * stride >= extent + begin:
        count -= 1
    return count


def max_pool2d(params, x):
    batch, channels, height, width = x.shape
    pad, (kh, kw) = params["pad"], params["kernel"]
    (sh, sw), (dh, dw) = params["stride"], params["dilation"]
    rounding = params["rounding"]
    rows = pool_extent(height, kh, sh, pad["top"], pad["bottom"], dh, rounding)
    columns = pool_extent(width, kw, sw, pad["left"], pad["right"], dw, rounding)
    y = np.full((batch, channels, rows, columns), LOWEST, np.float32)
    switches = np.full(y.shape, -1, np.int64)
    for n, c, i, j in np.ndindex(*y.shape):
        best = None
        for a, b in np.ndindex(kh, kw):
            row, column = i * sh - pad["top"] + a * dh, j * sw - pad["left"] + b * dw
            if 0 <= row < height and 0 <= column < width:
                value = x[n, c, row, column]
                # Strictly greater: the first of equals stays. A NaN replaces whatever there is,
                # and only another NaN replaces a NaN.
                if best is None or value > best or np.isnan(value):
                    best = value
                    y[n, c, i, j], switches[n, c, i, j] = value, row * width + column
    return {"y": y, "switches": switches}


def max_unpool2d(params, x, switches):
    y = np.zeros((*x.shape[:2], *params["output_size"]), np.float32)
    for n, c, i, j in np.ndindex(*x.shape):  # raster order: the last of equals stays
        row, column = divmod(int(switches[n, c, i, j]), params["origin"][1])
        y[n, c, row, column] = x[n, c, i, j]
    return {"y": y}
