"""FCN-8s as one list of layers, from which the peers' models are written.

A layer is (op, name, inputs, attributes); a value has the name of the layer that makes it. Shapes are fixed, because
ncnn's crop wants them.
"""

from math import ceil, prod

import numpy as np

CONVOLUTIONS = (2, 2, 3, 3, 3)
PUBLISHED = {f"conv{s}_{i}": width for s, width in enumerate((64, 128, 256, 512, 512), 1) for i in (1, 2, 3)}
PUBLISHED |= {"fc6": 4096, "fc7": 4096}


def layers(extent, widths=PUBLISHED, classes=21):
    """The layers over a 1x3xHxW input `data` up to the scores `score`, and the extent of every value."""
    found, shapes = [], {"data": (3, *extent)}

    def add(op, name, inputs, shape, **attributes):
        found.append((op, name, inputs, attributes))
        shapes[name] = shape
        return name

    def conv(name, x, outputs, kernel, pad=0, relu=False):
        channels, h, w = shapes[x]
        shape = (outputs, h + 2 * pad - kernel + 1, w + 2 * pad - kernel + 1)
        return add("conv", name, [x], shape, channels=channels, outputs=outputs, kernel=kernel, pad=pad, relu=relu)

    def up(name, x, kernel, stride):
        channels, h, w = shapes[x]
        shape = (channels, (h - 1) * stride + kernel, (w - 1) * stride + kernel)
        return add("up", name, [x], shape, channels=channels, kernel=kernel, stride=stride)

    def crop(name, x, offset, like):
        return add("crop", name, [x], (shapes[x][0], *shapes[like][1:]), offset=offset)

    x = "data"
    for stage, count in enumerate(CONVOLUTIONS, 1):
        for i in range(1, count + 1):
            name = f"conv{stage}_{i}"
            x = conv(name, x, widths[name], 3, pad=100 if name == "conv1_1" else 1, relu=True)
        c, h, w = shapes[x]
        x = add("pool", f"pool{stage}", [x], (c, ceil(h / 2), ceil(w / 2)))
    x = conv("fc6", x, widths["fc6"], 7, relu=True)
    x = conv("fc7", x, widths["fc7"], 1, relu=True)
    x = conv("score_fr", x, classes, 1)
    for tap, offset, name in (("pool4", 5, "upscore2"), ("pool3", 9, "upscore_pool4")):
        x = up(name, x, 4, 2)
        skip = crop(f"score_{tap}c", conv(f"score_{tap}", tap, classes, 1), offset, x)
        x = add("add", f"fuse_{tap}", [x, skip], shapes[x])
    crop("score", up("upscore8", x, 16, 8), 31, "data")
    return found, shapes


def published_weights(seed=1):
    """Seeded weights of He's spread and bilinear upsampling, in pytorch-fcn's names: 134,489,759 numbers."""
    generator = np.random.Generator(np.random.PCG64(seed))
    weights = {}
    for op, name, _, of in layers((500, 500))[0]:
        if op == "conv":
            shape = (of["outputs"], of["channels"], of["kernel"], of["kernel"])
            spread = np.float32(np.sqrt(2 / prod(shape[1:])))
            weights[f"{name}.weight"] = generator.standard_normal(shape, np.float32) * spread
            weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)
        elif op == "up":
            weights[f"{name}.weight"] = bilinear(of["channels"], of["kernel"])
    return weights


def bilinear(channels, kernel):
    ramp = 1 - np.abs(np.arange(kernel) - (kernel - 1) / 2) / (kernel // 2)
    weight = np.zeros((channels, channels, kernel, kernel), np.float32)
    weight[range(channels), range(channels)] = np.outer(ramp, ramp)
    return weight


def widths_of(weights):
    """Output channels of every layer of a weight file, and the number of classes."""
    widths = {name: weights[f"{name}.weight"].shape[0] for name in PUBLISHED if f"{name}.weight" in weights}
    return widths, weights["score_fr.weight"].shape[0]
