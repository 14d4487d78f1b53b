"""Slim networks: the published wiring with few channels and seeded weights.

Weights are exact in f16, so that a half-precision path reads the same network. Maps are PyTorch's in
float64 rounded once to f32; beside each the index records how far PyTorch's own f32 pass strayed.
"""

import numpy as np

from . import fcn, onnx_runtime, torch_runtime, vgg
from .case import as_stored
from .numbers import half_floats, integers

WIDTHS, FC, CLASSES = (4, 6, 8, 10, 10), 12, 5
# The means of pytorch-fcn, blue first.
FCN_IMAGE = {"order": "bgr", "mean": [104.00698793, 116.66876762, 122.67891434], "scale": [1.0] * 3}
# Exact in f32, so that the input can be made from the bytes without a rounding.
VGG_IMAGE = {"order": "rgb", "mean": [123.5, 116.75, 104.0], "scale": [1 / 64] * 3}

# Weight file: head, and whether the upsampling layers are bilinear or learned (dense).
FCN_WEIGHTS = {
    "fcn32s": ("32s", "bilinear"),
    "fcn16s": ("16s", "learned"),
    "fcn8s": ("8s", "bilinear"),
    "fcn8s-atonce": ("8s-atonce", "learned"),
}
# Weight file, batch, height, width.
FCN_RUNS = (
    ("fcn32s", 1, 1, 1),
    ("fcn32s", 1, 33, 47),
    ("fcn16s", 1, 61, 29),
    ("fcn8s", 1, 1, 1),
    ("fcn8s", 1, 33, 47),
    ("fcn8s", 1, 61, 29),
    ("fcn8s", 2, 17, 23),
    ("fcn8s-atonce", 1, 61, 29),
)
FCN_MAPS = ("pool3", "pool4", "fc7", "score_fr", "upscore2", "upscore_pool4", "scores")
VGG_CLASSES, VGG_SIZE, VGG_SIDE = 7, (257, 300), 224


def all_files():
    """File name -> tensors, and the index that describes them."""
    files, index = {}, []
    weights = {}
    for name, (head, upsampling) in FCN_WEIGHTS.items():
        weights[name] = files[f"{name}.safetensors"] = fcn_weights(name, head, upsampling)
    for name, batch, height, width in FCN_RUNS:
        tensors, entry = fcn_run(name, weights[name], batch, height, width)
        files[entry["maps"]] = tensors
        index.append(entry)
    files["vgg16.safetensors"] = vgg_weights()
    tensors, entry = vgg_run(files["vgg16.safetensors"])
    files[entry["maps"]] = tensors
    index.append(entry)
    return files, index


def draw(net, shapes, gains):
    """He's spread, times a gain by layer name; a third of a unit for biases."""
    weights = {}
    for key, shape in shapes.items():
        layer = key.rsplit(".", 1)[0]
        fan_in = int(np.prod(shape[1:]))
        deviation = np.sqrt(2.0 / fan_in) * gains.get(layer, 1.0) if len(shape) > 1 else 0.3
        weights[key] = half_floats(f"{net}/{key}", shape, float(deviation))
    return weights


def fcn_weights(name, head, upsampling):
    # An input of deviation 70 is brought to about 30; at-once scores undo their taps' factors.
    gains = {"conv1_1": 1 / 2, "fc6": 1.5, "fc7": 1.5, "score_fr": 2.0}
    if head == "8s-atonce":
        gains |= {"score_pool4": 100.0, "score_pool3": 10000.0}
    shapes = fcn.weight_shapes(head, WIDTHS, FC, CLASSES)
    weights = draw(name, shapes, gains)
    for key, shape in shapes.items():
        if not key.startswith("upscore"):
            continue
        size = shape[2]
        if upsampling == "learned":
            # Each output pixel sums 2x2 taps of every class: keep its spread.
            weights[key] = half_floats(f"{name}/{key}", shape, (CLASSES * 4) ** -0.5)
        else:
            params = {"kernel": [size, size], "channels": CLASSES, "layout": "dense"}
            weights[key] = as_stored(torch_runtime.run("bilinear", params, {})["y"])

    # Seeded weights alone let one class win everywhere. Biases that bring every class's mean score
    # over one picture to zero make the picture decide.
    taps = [key.removesuffix(".bias") for key in shapes if key.startswith("score_") and "bias" in key]
    for tap in taps:
        weights[f"{tap}.bias"] = np.zeros(CLASSES, np.float32)
    sample = normalized(picture(f"{name}-1x33x47", 1, 33, 47), FCN_IMAGE)
    maps = fcn.torch_maps(head, weights, sample, precise=True)
    for tap in taps:
        mean = maps[tap].mean((0, 2, 3))
        weights[f"{tap}.bias"] = (-mean).astype(np.float16).astype(np.float32)
    return weights


def picture(name, batch, height, width):
    """Coloured blocks under noise, as bytes (N, H, W, 3)."""
    rows, columns = -(-height // 11), -(-width // 11)
    blocks = integers(f"{name}/blocks", (batch, rows, columns, 3), 0, 191)
    blocks = blocks.repeat(11, 1).repeat(11, 2)[:, :height, :width]
    return (blocks + integers(f"{name}/noise", blocks.shape, 0, 64)).astype(np.uint8)


def normalized(image, params):
    planes = [torch_runtime.run("normalize", params, {"x": one})["y"] for one in image]
    return as_stored(np.concatenate(planes))


def described(name, precise, single, alive=0.2):
    """The maps to store, and what the index says of each; less than `alive` of a map must be zero."""
    maps = {key: as_stored(value) for key, value in precise.items()}
    about = {}
    for key, value in maps.items():
        strayed = float(np.abs(single[key] - precise[key]).max())
        about[key] = {
            "shape": list(value.shape),
            "max_abs": float(f"{np.abs(value).max():.3g}"),
            "f32_error": float(2.0 ** np.ceil(np.log2(strayed))) if strayed else 0.0,
        }
        if not 0.5 < about[key]["max_abs"] < 500:
            raise ValueError(f"{name}: {key} has an unfit range: {about[key]}")
        if np.count_nonzero(value) < alive * value.size:
            raise ValueError(f"{name}: {key} is mostly dead")
    return maps, about


def labels_of(name, scores, tolerance):
    """argmax over channels and the smallest lead of a winner, which no f32 error may bridge."""
    ordered = np.sort(scores, 1)
    margin = float((ordered[:, -1] - ordered[:, -2]).min())
    if margin < 16 * tolerance:
        raise ValueError(f"{name}: two classes are {margin} apart, f32 strays by {tolerance}")
    return scores.argmax(1).astype(np.uint8), float(f"{margin:.3g}")


def fcn_run(net, weights, batch, height, width):
    head, upsampling = FCN_WEIGHTS[net]
    name = f"{net}-{batch}x{height}x{width}"
    image = picture(name, batch, height, width)
    x = normalized(image, FCN_IMAGE)
    single, precise = (fcn.torch_maps(head, weights, x, mode) for mode in (False, True))
    kept = [key for key in FCN_MAPS if key in precise]
    maps, about = described(name, *({key: maps[key] for key in kept} for maps in (precise, single)))
    labels, margin = labels_of(name, maps["scores"], about["scores"]["f32_error"])
    if height * width > 1 and len(np.unique(labels)) < 3:
        raise ValueError(f"{name}: only classes {np.unique(labels)} appear")

    model = fcn.onnx_model(head, weights)
    (scores,) = onnx_runtime.runtime(model, {"image": x})
    strayed = float(np.abs(scores - precise["scores"]).max())
    if strayed > 4 * about["scores"]["f32_error"]:
        raise ValueError(f"{name}: ONNX Runtime strays by {strayed}")

    entry = {
        "name": name,
        "family": "fcn",
        "head": head,
        "upsampling": upsampling,
        "runtime": "pytorch",
        "agrees": ["onnxruntime"],
        "weights": f"{net}.safetensors",
        "maps": f"{name}.safetensors",
        "normalize": FCN_IMAGE,
        "classes": CLASSES,
        "min_margin": margin,
        "about": about,
    }
    return {"image": image, "input": x, **maps, "labels": labels}, entry


def vgg_weights():
    gains = {"features.0": 4.0, "classifier.0": 1.5, "classifier.3": 1.5, "classifier.6": 2.0}
    return draw("vgg16", vgg.weight_shapes(WIDTHS, FC, VGG_CLASSES), gains)


def vgg_run(weights):
    """Class scores as a map over a larger image, and as published over its top left 224x224."""
    name = f"vgg16-1x{VGG_SIZE[0]}x{VGG_SIZE[1]}"
    image = picture(name, 1, *VGG_SIZE)
    x = normalized(image, VGG_IMAGE)
    corner = x[:, :, :VGG_SIDE, :VGG_SIDE]

    def maps_of(precise):
        maps = vgg.torch_maps(weights, x, True, precise)
        maps["scores_224"] = vgg.torch_maps(weights, corner, False, precise)["scores"]
        return {key: maps[key] for key in ("pool3", "pool5", "fc7", "scores", "scores_224")}

    precise = maps_of(True)
    as_map = vgg.torch_maps(weights, corner, True, True)["scores"]
    if not np.allclose(as_map[:, :, 0, 0], precise["scores_224"], 1e-12, 1e-12):
        raise ValueError(f"{name}: the linear layers and the convolution disagree")
    maps, about = described(name, precise, maps_of(False))
    labels, margin = labels_of(name, maps["scores"], about["scores"]["f32_error"])
    del maps["pool3"]  # checked, but too large to keep
    entry = {
        "name": name,
        "family": "vgg16",
        "runtime": "pytorch",
        "agrees": [],
        "weights": "vgg16.safetensors",
        "maps": f"{name}.safetensors",
        "normalize": VGG_IMAGE,
        "classes": VGG_CLASSES,
        "min_margin": margin,
        "about": {key: about[key] for key in maps},
    }
    return {"image": image, **maps, "labels": labels}, entry
