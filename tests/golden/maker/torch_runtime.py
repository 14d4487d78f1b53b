"""The operators in PyTorch. `run` returns None for what PyTorch cannot express."""

import numpy as np
import torch
import torch.nn.functional as F

from .geometry import is_symmetric

torch.set_num_threads(1)


def run(op, params, inputs, precise=False):
    """Evaluates `op` in float32, or in float64 when `precise`."""
    tensors = {key: torch.from_numpy(np.array(value)) for key, value in inputs.items()}
    if precise:
        tensors = {k: t.double() if t.is_floating_point() else t for k, t in tensors.items()}
    with torch.no_grad():
        outputs = OPERATORS[op](params, **tensors)
    return outputs and {key: value.numpy() for key, value in outputs.items()}


def _activate(params, y):
    return {"y": F.relu(y) if params["relu"] else y}


def _ltrb(pad):
    """Pads in the order of F.pad: last axis first."""
    return (pad["left"], pad["right"], pad["top"], pad["bottom"])


def conv2d(params, x, weight, bias=None):
    x = F.pad(x, _ltrb(params["pad"]))
    y = F.conv2d(x, weight, bias, params["stride"], 0, params["dilation"], params["groups"])
    return _activate(params, y)


def conv_transpose2d(params, x, weight, bias=None):
    pad = params["pad"]
    symmetric = is_symmetric(pad)
    module = torch.nn.ConvTranspose2d(
        weight.shape[0],
        weight.shape[1] * params["groups"],
        params["kernel"],
        params["stride"],
        (pad["top"], pad["left"]) if symmetric else 0,
        params["output_padding"] or 0,
        params["groups"],
        bias is not None,
        params["dilation"],
        dtype=x.dtype,
    )
    module.weight.copy_(weight)
    if bias is not None:
        module.bias.copy_(bias)
    if params["output_size"] is not None:
        assert symmetric, "PyTorch takes an output size with symmetric pads only"
        return _activate(params, module(x, params["output_size"]))
    y = module(x)
    if not symmetric:
        y = y[:, :, pad["top"] : y.shape[2] - pad["bottom"], pad["left"] : y.shape[3] - pad["right"]]
    return _activate(params, y)


def max_pool2d(params, x):
    pad, rounding = params["pad"], params["rounding"]
    if rounding == "caffe":
        return None
    if is_symmetric(pad):
        y, switches = F.max_pool2d(
            x, params["kernel"], params["stride"], (pad["top"], pad["left"]),
            params["dilation"], rounding == "ceil", return_indices=True,
        )  # fmt: skip
        return {"y": y, "switches": switches}
    if rounding == "ceil":
        return None  # its rule for the last window looks at the begin pad, which F.pad hides
    wide = F.pad(x, _ltrb(pad), value=-float("inf"))
    y, flat = F.max_pool2d(
        wide, params["kernel"], params["stride"], 0, params["dilation"], return_indices=True
    )
    row, column = flat // wide.shape[3] - pad["top"], flat % wide.shape[3] - pad["left"]
    return {"y": y, "switches": row * x.shape[3] + column}


def max_unpool2d(params, x, switches):
    if params["output_size"] != params["origin"]:
        return None  # PyTorch would decode the switches with the output's width
    y = F.max_unpool2d(
        x, switches, params["kernel"], params["stride"],
        (params["pad"]["top"], params["pad"]["left"]), params["output_size"],
    )  # fmt: skip
    return {"y": y}


def relu(params, x):
    return {"y": F.relu(x)}


def add(params, x, other):
    return _activate(params, x + other)


def crop(params, x):
    (top, left), (height, width) = params["offset"], params["size"]
    return {"y": x[:, :, top : top + height, left : left + width]}


def pad(params, x):
    return {"y": F.pad(x, _ltrb(params["pad"]))}


def crop_add(params, x, skip):
    window = {"offset": params["offset"], "size": x.shape[2:]}
    return {"y": x + crop(window, skip)["y"]}


def concat(params, **parts):
    return {"y": torch.cat(list(parts.values()), 1)}


def slice_channels(params, x):
    return {"y": x[:, params["start"] : params["start"] + params["count"]]}


def scale(params, x, scale=None, shift=None):
    if params["factor"] is not None:
        return {"y": x * float(np.float32(params["factor"]))}
    y = x * scale[None, :, None, None]
    return _activate(params, y if shift is None else y + shift[None, :, None, None])


def batch_norm(params, x, weight, bias, running_mean, running_var):
    y = F.batch_norm(x, running_mean, running_var, weight, bias, training=False, eps=params["eps"])
    return _activate(params, y)


def lrn(params, x):
    return {"y": F.local_response_norm(x, params["size"], params["alpha"], params["beta"], params["k"])}


def softmax_channels(params, x):
    return {"y": torch.softmax(x, 1)}


def argmax_channels(params, x):
    return {"y": torch.argmax(x, 1).to(torch.uint8)}


def normalize(params, x):
    order = {"rgb": [0, 1, 2], "bgr": [2, 1, 0]}[params["order"]]
    mean, scale = (torch.tensor(params[key], dtype=torch.float64) for key in ("mean", "scale"))
    y = (x[:, :, order].double() - mean) * scale
    return {"y": y.permute(2, 0, 1)[None].contiguous()}


def bilinear(params):
    """The published filter, as pytorch-fcn writes it on the channel diagonal."""
    (size, _), channels = params["kernel"], params["channels"]
    factor = (size + 1) // 2
    centre = factor - 1 if size % 2 else factor - 0.5
    ramp = 1 - torch.abs(torch.arange(size, dtype=torch.float64) - centre) / factor
    plane = torch.outer(ramp, ramp)
    if params["layout"] == "depthwise":
        return {"y": plane.expand(channels, 1, size, size).contiguous()}
    dense = torch.zeros(channels, channels, size, size, dtype=torch.float64)
    dense[range(channels), range(channels)] = plane
    return {"y": dense}


OPERATORS = {
    "conv2d": conv2d,
    "conv_transpose2d": conv_transpose2d,
    "max_pool2d": max_pool2d,
    "max_unpool2d": max_unpool2d,
    "relu": relu,
    "add": add,
    "crop": crop,
    "pad": pad,
    "crop_add": crop_add,
    "concat": concat,
    "slice": slice_channels,
    "scale": scale,
    "batch_norm": batch_norm,
    "lrn": lrn,
    "softmax_channels": softmax_channels,
    "argmax_channels": argmax_channels,
    "normalize": normalize,
    "bilinear": bilinear,
}
