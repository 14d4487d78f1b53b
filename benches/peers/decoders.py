"""The networks that unpool, each as one list of layers over values in a row, with batch norms part of the convolutions.

A layer is (op, name, outputs, kernel, pad, relu); "pool" and "unpool" halve and restore the extent by switches that are
named by their number.
"""

from math import prod

import numpy as np

WIDTHS = (64, 128, 256, 512, 512)
COUNTS = (2, 2, 3, 3, 3)


def segnet(divisor=1):
    widths = [width // divisor for width in WIDTHS]
    layers = encoder(widths)
    for stage in range(5, 0, -1):
        layers.append(("unpool", stage))
        for i in range(COUNTS[stage - 1], 0, -1):
            # The last of a stage has the channels of the stage before; the very last scores.
            outputs = widths[stage - 1] if i > 1 else widths[stage - 2] if stage > 1 else 11
            layers.append(("conv", f"conv{stage}_{i}_D", outputs, 3, 1, (stage, i) != (1, 1)))
    return layers


def segnet_basic(divisor=1):
    width, layers = 64 // divisor, [("lrn",)]
    for i in range(1, 5):
        layers += [("conv", f"conv{i}", width, 7, 3, True), ("pool", i)]
    for i in range(4, 0, -1):
        layers += [("unpool", i), ("conv", f"conv_decode{i}", width, 7, 3, False)]
    return [*layers, ("conv", "conv_classifier", 11, 1, 0, False)]


def deconvnet(divisor=1):
    widths, fc = [width // divisor for width in WIDTHS], 4096 // divisor
    layers = encoder(widths)
    layers += [("conv", "fc6", fc, 7, 0, True), ("conv", "fc7", fc, 1, 0, True)]
    layers += [("up", "fc6-deconv", widths[4], 7, 0, True)]
    for stage in range(5, 0, -1):
        layers.append(("unpool", stage))
        for i in range(1, COUNTS[stage - 1] + 1):
            last = i == COUNTS[stage - 1]
            outputs = widths[max(stage - 2, 0)] if last else widths[stage - 1]
            layers.append(("up", f"deconv{stage}_{i}", outputs, 3, 1, True))
    return [*layers, ("conv", "seg-score-voc", 21, 1, 0, False)]


def encoder(widths):
    layers = []
    for stage, (count, width) in enumerate(zip(COUNTS, widths), 1):
        layers += [("conv", f"conv{stage}_{i}", width, 3, 1, True) for i in range(1, count + 1)]
        layers.append(("pool", stage))
    return layers


NETWORKS = {"segnet": segnet, "segnet-basic": segnet_basic, "deconvnet": deconvnet}


def seeded_weights(network, divisor=1, seed=1):
    """Weights of He's spread in the published names, without batch norms."""
    generator = np.random.Generator(np.random.PCG64(seed))
    weights, channels = {}, 3
    for op, *of in NETWORKS[network](divisor):
        if op in ("conv", "up"):
            name, outputs, kernel, *_ = of
            ends = (channels, outputs) if op == "up" else (outputs, channels)
            shape = (*ends, kernel, kernel)
            spread = np.float32(np.sqrt(2 / (channels * prod(shape[2:]))))
            weights[f"{name}.weight"] = generator.standard_normal(shape, np.float32) * spread
            weights[f"{name}.bias"] = np.full(outputs, 0.01, np.float32)
            channels = outputs
    return weights
