"""VGG16 in torchvision's names: as published, ending in linear layers, and as a convolution."""

import numpy as np
import torch
import torch.nn.functional as F

# Index of each convolution within torchvision's `features`; a floor pool follows each block.
FEATURES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
CLASSIFIER = (0, 3, 6)


def weight_shapes(widths, fc, classes):
    """state_dict names and shapes; `classifier.0` reads 7x7 maps flattened channel by channel."""
    shapes, channels = {}, 3
    for block, width in zip(FEATURES, widths):
        for index in block:
            shapes[f"features.{index}.weight"] = (width, channels, 3, 3)
            shapes[f"features.{index}.bias"] = (width,)
            channels = width
    sizes = (channels * 49, fc, fc, classes)
    for index, inputs, outputs in zip(CLASSIFIER, sizes, sizes[1:]):
        shapes[f"classifier.{index}.weight"] = (outputs, inputs)
        shapes[f"classifier.{index}.bias"] = (outputs,)
    return shapes


def torch_maps(weights, image, convolutional, precise=False):
    """Named maps; `scores` is (N, classes) from the linear layers, (N, classes, h, w) otherwise."""
    dtype = torch.float64 if precise else torch.float32
    weights = {key: torch.from_numpy(np.array(value)).to(dtype) for key, value in weights.items()}
    maps = {}
    with torch.no_grad():
        x = torch.from_numpy(np.array(image)).to(dtype)
        for number, block in enumerate(FEATURES, 1):
            for index in block:
                name = f"features.{index}"
                x = F.relu(F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1))
            x = maps[f"pool{number}"] = F.max_pool2d(x, 2, 2)
        if not convolutional:
            x = x.flatten(1)
        for index, result in zip(CLASSIFIER, ("fc6", "fc7", "scores")):
            weight, bias = (weights[f"classifier.{index}.{part}"] for part in ("weight", "bias"))
            if convolutional:
                side = 7 if index == 0 else 1
                x = F.conv2d(x, weight.reshape(len(weight), -1, side, side), bias)
            else:
                x = F.linear(x, weight, bias)
            x = maps[result] = x if result == "scores" else F.relu(x)
    return {key: value.contiguous().numpy() for key, value in maps.items()}
