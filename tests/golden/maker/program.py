"""A network as a list of layers between named blobs, in Caffe's manner, and its PyTorch evaluation.

A layer may write the blob it reads, as batch norm and ReLU do in the published files, so that a blob
goes by its convolution's name and holds what the last of them left. `maps` reports the blobs.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Layer:
    kind: str
    name: str
    bottoms: tuple
    top: str
    params: dict = field(default_factory=dict)


class Program:
    """Layers in order, and the channels of each blob. The methods append a layer, return its top."""

    def __init__(self, name, image_channels=3, eps=None):
        self.name, self.layers, self.eps = name, [], eps
        self.channels = {"data": image_channels}

    def _append(self, kind, name, bottoms, top, channels, **params):
        self.layers.append(Layer(kind, name, tuple(bottoms), top, params))
        self.channels[top] = channels
        return top

    def conv(
        self, name, x, outputs, kernel, pad=0, stride=1, groups=1, bias=True, top=None, kind="conv"
    ):
        """`kind` "deconv" transposes it; the weight is then (in, out / groups, k, k)."""
        given = {"kernel": kernel, "pad": pad, "stride": stride, "groups": groups, "bias": bias}
        given |= {"inputs": self.channels[x], "outputs": outputs}
        return self._append(kind, name, [x], top or name, outputs, **given)

    def deconv(self, name, x, outputs, kernel, **rest):
        return self.conv(name, x, outputs, kernel, kind="deconv", **rest)

    def batch_norm(self, name, x):
        return self._append("batch_norm", name, [x], x, self.channels[x])

    def relu(self, name, x):
        return self._append("relu", name, [x], x, self.channels[x])

    def lrn(self, name, x, size=5, alpha=1e-4, beta=0.75):
        return self._append("lrn", name, [x], name, self.channels[x], size=size, alpha=alpha, beta=beta)

    def pool(self, name, x, kernel=2, stride=2, ceil=True):
        """Also writes `NAME_mask`, the switches."""
        given = {"kernel": kernel, "stride": stride, "ceil": ceil}
        return self._append("pool", name, [x], name, self.channels[x], **given)

    def unpool(self, name, x, pool, top=None):
        """Back to the extent that `pool` read."""
        origin = next(layer.bottoms[0] for layer in self.layers if layer.name == pool)
        bottoms = [x, f"{pool}_mask", origin]
        return self._append("unpool", name, bottoms, top or name, self.channels[x])

    def crop(self, name, x, like, offset):
        return self._append("crop", name, [x, like], name, self.channels[x], offset=offset)

    def pad_to(self, name, x, like):
        """Zeros around x up to the extent of `like`, an odd one more at the bottom and on the right."""
        return self._append("pad_to", name, [x, like], name, self.channels[x])

    def concat(self, name, *parts):
        return self._append("concat", name, parts, name, sum(self.channels[part] for part in parts))

    def of_kind(self, *kinds):
        return [layer for layer in self.layers if layer.kind in kinds]

    def weight_shapes(self, folded=False):
        """Names and shapes in order; `folded` batch norms hold `scale` and `shift` alone."""
        parts = ("scale", "shift") if folded else ("weight", "bias", "running_mean", "running_var")
        shapes = {}
        for layer in self.layers:
            if layer.kind in ("conv", "deconv"):
                shapes[f"{layer.name}.weight"] = filter_shape(layer)
                if layer.params["bias"]:
                    shapes[f"{layer.name}.bias"] = (layer.params["outputs"],)
            if layer.kind == "batch_norm":
                shapes |= {f"{layer.name}.{part}": (self.channels[layer.top],) for part in parts}
        return shapes


def filter_shape(layer):
    p = layer.params
    first, second = (p["outputs"], p["inputs"]) if layer.kind == "conv" else (p["inputs"], p["outputs"])
    return (first, second // p["groups"], p["kernel"], p["kernel"])


@dataclass
class Run:
    """`maps` holds each blob as it was left, `signed` as it was before a ReLU wrote it."""

    maps: dict
    signed: dict


def run(program, weights, image, precise=False, observe=None):
    """One forward pass; `observe(layer, x)` is called with each batch norm's input beforehand."""
    dtype = torch.float64 if precise else torch.float32
    tensors = {}

    def weight(name):
        if name not in tensors and name in weights:
            value = weights[name]
            tensors[name] = (
                value if torch.is_tensor(value) else torch.from_numpy(np.array(value)).to(dtype)
            )
        return tensors.get(name)

    blobs = {"data": image if torch.is_tensor(image) else torch.from_numpy(np.array(image)).to(dtype)}
    signed = {}
    with torch.no_grad():
        for layer in program.layers:
            x = blobs[layer.bottoms[0]]
            if layer.kind == "batch_norm" and observe:
                observe(layer, x)
            if layer.kind == "relu":
                signed[layer.top] = x
            others = [blobs[name] for name in layer.bottoms[1:]]
            y = KINDS[layer.kind](
                layer, lambda part: weight(f"{layer.name}.{part}"), program.eps, x, *others
            )
            if layer.kind == "pool":
                y, blobs[f"{layer.top}_mask"] = y
            blobs[layer.top] = y
    return Run(blobs, signed)


def _conv(layer, weight, eps, x):
    p = layer.params
    return F.conv2d(x, weight("weight"), weight("bias"), p["stride"], p["pad"], 1, p["groups"])


def _deconv(layer, weight, eps, x):
    p = layer.params
    return F.conv_transpose2d(
        x, weight("weight"), weight("bias"), p["stride"], p["pad"], 0, p["groups"]
    )


def _batch_norm(layer, weight, eps, x):
    if weight("scale") is not None:
        return x * weight("scale")[None, :, None, None] + weight("shift")[None, :, None, None]
    parts = (weight(part) for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, *parts, training=False, eps=eps)


def _lrn(layer, weight, eps, x):
    p = layer.params
    return F.local_response_norm(x, p["size"], p["alpha"], p["beta"], 1.0)


def _pool(layer, weight, eps, x):
    p = layer.params
    return F.max_pool2d(x, p["kernel"], p["stride"], ceil_mode=p["ceil"], return_indices=True)


def _unpool(layer, weight, eps, x, mask, origin):
    return F.max_unpool2d(x, mask, 2, 2, 0, origin.shape[2:])


def _crop(layer, weight, eps, x, like):
    start = layer.params["offset"]
    return x[:, :, start : start + like.shape[2], start : start + like.shape[3]]


def _pad_to(layer, weight, eps, x, like):
    rows, columns = (like.shape[axis] - x.shape[axis] for axis in (2, 3))
    return F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


KINDS = {
    "conv": _conv,
    "deconv": _deconv,
    "batch_norm": _batch_norm,
    "relu": lambda layer, weight, eps, x: F.relu(x),
    "lrn": _lrn,
    "pool": _pool,
    "unpool": _unpool,
    "crop": _crop,
    "pad_to": _pad_to,
    "concat": lambda layer, weight, eps, *parts: torch.cat(parts, 1),
}


def folded(program, weights):
    """The same weights with every batch norm as the one product and sum it amounts to.

    scale = weight / sqrt(running_var + eps), shift = bias - running_mean scale, in float64, rounded.
    """
    found = {key: weights[key] for key in weights if key in program.weight_shapes(folded=True)}
    for layer in program.of_kind("batch_norm"):
        parts = ("weight", "bias", "running_mean", "running_var")
        gain, bias, mean, variance = (
            weights[f"{layer.name}.{part}"].astype(np.float64) for part in parts
        )
        scale = gain / np.sqrt(variance + program.eps)
        found[f"{layer.name}.scale"] = scale.astype(np.float32)
        found[f"{layer.name}.shift"] = (bias - mean * scale).astype(np.float32)
    return {key: found[key] for key in program.weight_shapes(folded=True)}


def absorbed(program, weights):
    """Folded weights with each batch norm inside the convolution before it: filters and biases alone.

    W' = W scale and b' = b scale + shift by output channel, in float64, rounded.
    """
    found = dict(weights)
    for before, layer in zip(program.layers, program.layers[1:]):
        if layer.kind != "batch_norm":
            continue
        scale, shift = (
            found.pop(f"{layer.name}.{part}").astype(np.float64) for part in ("scale", "shift")
        )
        axes = (-1, 1, 1, 1) if before.kind == "conv" else (1, -1, 1, 1)
        bias = found.get(f"{before.name}.bias", np.zeros(len(scale)))
        found[f"{before.name}.weight"] = (found[f"{before.name}.weight"] * scale.reshape(axes)).astype(
            np.float32
        )
        found[f"{before.name}.bias"] = (bias * scale + shift).astype(np.float32)
    return found


def parameter_count(program):
    return sum(int(np.prod(shape)) for shape in program.weight_shapes(folded=True).values())
