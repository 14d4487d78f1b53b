"""The FCN family, stated once as data, with two evaluations: PyTorch and an ONNX model.

Names, pads, offsets and the order of operations are those of the published networks and of
pytorch-fcn: the first layer pads by 100, pools round up, skips are cropped to the upsampled map at
offsets 5 and 9, and the last map is cropped to the image at an offset that depends on the head.
"""

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from .onnx_runtime import IR_VERSION, OPSET

# VGG16's convolution names, block by block; a pool follows each block.
BLOCKS = tuple(
    tuple(f"conv{block}_{layer}" for layer in range(1, layers + 1))
    for block, layers in enumerate((2, 2, 3, 3, 3), 1)
)
FIRST_PAD = 100

# Head: the last upsampling layer, its stride, the crop to the image.
HEADS = {
    "32s": ("upscore", 32, 19),
    "16s": ("upscore16", 16, 27),
    "8s": ("upscore8", 8, 31),
    "8s-atonce": ("upscore8", 8, 31),
}
# Skips, coarse to fine: tap, crop offset, the upsampling before it, the at-once factor.
SKIPS = (("pool4", 5, "upscore2", 0.01), ("pool3", 9, "upscore_pool4", 0.0001))


def skips_of(head):
    return SKIPS[: {"32s": 0, "16s": 1}.get(head, 2)]


def weight_shapes(head, widths, fc, classes):
    """state_dict names and shapes, in order of definition."""
    shapes = {}

    def conv(name, inputs, outputs, kernel):
        shapes[f"{name}.weight"] = (outputs, inputs, kernel, kernel)
        shapes[f"{name}.bias"] = (outputs,)

    channels = 3
    for block, width in zip(BLOCKS, widths):
        for name in block:
            conv(name, channels, width, 3)
            channels = width
    conv("fc6", channels, fc, 7)
    conv("fc7", fc, fc, 1)
    conv("score_fr", fc, classes, 1)
    for tap, _, _, _ in skips_of(head):
        conv(f"score_{tap}", widths[int(tap[-1]) - 1], classes, 1)
    for _, _, name, _ in skips_of(head):
        shapes[f"{name}.weight"] = (classes, classes, 4, 4)
    last, stride, _ = HEADS[head]
    shapes[f"{last}.weight"] = (classes, classes, 2 * stride, 2 * stride)
    return shapes


def torch_maps(head, weights, image, precise=False):
    """Every named map of one forward pass, `scores` last."""
    dtype = torch.float64 if precise else torch.float32
    weights = {key: torch.from_numpy(np.array(value)).to(dtype) for key, value in weights.items()}
    maps = {}

    def conv(name, x, pad=0):
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=pad)

    def upsample(name, x, stride):
        return F.conv_transpose2d(x, weights[f"{name}.weight"], stride=stride)

    def crop(x, offset, like):
        return x[:, :, offset : offset + like.shape[2], offset : offset + like.shape[3]]

    with torch.no_grad():
        x = data = torch.from_numpy(np.array(image)).to(dtype)
        for number, block in enumerate(BLOCKS, 1):
            for name in block:
                x = F.relu(conv(name, x, FIRST_PAD if name == "conv1_1" else 1))
            x = maps[f"pool{number}"] = F.max_pool2d(x, 2, 2, ceil_mode=True)
        x = maps["fc6"] = F.relu(conv("fc6", x))
        x = maps["fc7"] = F.relu(conv("fc7", x))
        x = maps["score_fr"] = conv("score_fr", x)
        for tap, offset, name, factor in skips_of(head):
            x = maps[name] = upsample(name, x, 2)
            skip = maps[tap]
            if head == "8s-atonce":
                skip = skip * float(np.float32(factor))
            skip = maps[f"score_{tap}"] = crop(conv(f"score_{tap}", skip), offset, x)
            x = maps[f"fuse_{tap}"] = x + skip
        name, stride, offset = HEADS[head]
        maps["scores"] = crop(upsample(name, x, stride), offset, data)
    return {key: value.contiguous().numpy() for key, value in maps.items()}


def onnx_model(head, weights):
    """The same network as an ONNX model from `image` (N, 3, H, W) to `scores`, all sizes open."""
    nodes, constants = [], []
    constants += [numpy_helper.from_array(value, key) for key, value in weights.items()]

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(name, value):
        constants.append(numpy_helper.from_array(value, name))
        return name

    def conv(name, x, pad=0):
        operands = [x, f"{name}.weight", f"{name}.bias"]
        return node("Conv", operands, name, pads=[pad] * 4)

    def relu(x):
        return node("Relu", [x], f"{x}_relu")

    def upsample(name, x, stride):
        return node("ConvTranspose", [x, f"{name}.weight"], name, strides=[stride] * 2)

    def crop(x, offset, like, output):
        start = constant(f"{output}_start", np.array([offset] * 2, np.int64))
        axes = constant(f"{output}_axes", np.array([2, 3], np.int64))
        size = node("Shape", [like], f"{output}_size", start=2, end=4)
        end = node("Add", [start, size], f"{output}_end")
        return node("Slice", [x, start, end, axes], output)

    x = "image"
    for number, block in enumerate(BLOCKS, 1):
        for name in block:
            x = relu(conv(name, x, FIRST_PAD if name == "conv1_1" else 1))
        pool = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}
        x = node("MaxPool", [x], f"pool{number}", **pool)
    x = relu(conv("fc6", x))
    x = relu(conv("fc7", x))
    x = conv("score_fr", x)
    for tap, offset, name, factor in skips_of(head):
        x, skip = upsample(name, x, 2), tap
        if head == "8s-atonce":
            skip = node("Mul", [tap, constant(f"{tap}_factor", np.float32(factor))], f"{tap}_scaled")
        skip = conv(f"score_{tap}", skip)
        x = node("Add", [x, crop(skip, offset, x, f"score_{tap}c")], f"fuse_{tap}")
    name, stride, offset = HEADS[head]
    crop(upsample(name, x, stride), offset, "image", "scores")

    def value(name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", f"{name}_c", "h", "w"])

    graph = helper.make_graph(nodes, f"fcn{head}", [value("image")], [value("scores")], constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
