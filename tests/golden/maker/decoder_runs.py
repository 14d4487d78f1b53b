"""Slim runs of the networks with a decoder: weights in both forms of batch norm, maps, scores.

A batch norm's statistics are those of its input over a few seeded pictures, so that every layer's
activations keep a natural spread. Convolution weights and statistics are exact in f16.
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F

from . import program_onnx
from .decoders import FULL, deconvnet, fcn_alexnet, segnet, segnet_basic, unet
from .networks import FCN_IMAGE, described, draw, labels_of, normalized, picture
from .numbers import floats, integers
from .program import absorbed, folded, run
from .touches import TOUCHES

# SegNet reads raw bytes, blue first.
RAW_IMAGE = {"order": "bgr", "mean": [0.0] * 3, "scale": [1.0] * 3}
UNET_IMAGE = {"order": "rgb", "mean": [0.0] * 3, "scale": [1 / 255] * 3}

# Weight file: the program, the image's normalisation, the extent of the pictures for its statistics,
# gains by layer.
NETWORKS = {
    "segnet": (segnet((4, 6, 8, 10, 10), 5), RAW_IMAGE, (45, 59), {"conv1_1": 1 / 64}),
    "segnet-basic": (segnet_basic(5, 5), RAW_IMAGE, (45, 59), {}),
    "deconvnet": (deconvnet((3, 4, 6, 8, 8), 12, 3), FCN_IMAGE, (224, 224), {"conv1_1": 1 / 64}),
    "fcn-alexnet": (
        fcn_alexnet((6, 8, 10, 8, 6), 12, 3),
        FCN_IMAGE,
        (33, 47),
        {"fc7": 1.5, "score_fr": 0.25},
    ),
    "unet": (unet((4, 6, 8), 3), UNET_IMAGE, (37, 53), {}),
}
CALIBRATION = 6

RUNS = (
    ("segnet", 1, 45, 59),
    ("segnet", 2, 23, 37),
    ("segnet", 1, 32, 64),
    ("segnet", 1, 1, 1),
    ("segnet-basic", 1, 45, 59),
    ("segnet-basic", 2, 23, 37),
    ("deconvnet", 1, 224, 224),
    ("fcn-alexnet", 1, 33, 47),
    ("fcn-alexnet", 1, 1, 1),
    ("unet", 1, 37, 53),
    ("unet", 2, 16, 24),
)
KEPT = {
    "segnet": (
        *(
            "pool1",
            "pool3",
            "pool5",
            "pool1_mask",
            "pool2_mask",
            "pool3_mask",
            "pool4_mask",
            "pool5_mask",
        ),
        *(
            "pool5_D",
            "conv5_1_D",
            "pool4_D",
            "conv4_1_D",
            "pool3_D",
            "conv3_1_D",
            "conv2_1_D",
            "scores",
        ),
    ),
    "segnet-basic": (
        *("norm", "pool1", "pool4", "pool1_mask", "pool2_mask", "pool3_mask", "pool4_mask"),
        *("upsample4", "conv_decode4", "conv_decode3", "scores"),
    ),
    "deconvnet": (
        *("pool3", "pool5", "pool3_mask", "pool4_mask", "pool5_mask", "fc6", "fc7", "fc6-deconv"),
        *("unpool5", "deconv5_3", "deconv4_3", "scores"),
    ),
    "fcn-alexnet": ("pool1", "norm1", "norm2", "conv4", "pool5", "fc6", "fc7", "score_fr", "scores"),
    "unet": ("down2", "down2.maxpool_conv.1.double_conv.3", "up1.concat", "up2.up", "scores"),
}
# The least lead of a pooling window's winner and of a pixel's class, in units of what PyTorch's f32
# strays there.
LEAST_LEAD = 32
# 29 layers and 50176 pixels: some are always too close for their label to be certain.
UNLABELLED = {"deconvnet"}


def all_files():
    """File name -> tensors, and the index that describes them."""
    files, index = {}, []
    weights = {name: make_weights(name) for name in NETWORKS}
    for name, tensors in weights.items():
        files[f"{name}.safetensors"] = tensors
        if NETWORKS[name][0].of_kind("batch_norm"):
            files[f"{name}-folded.safetensors"] = folded(NETWORKS[name][0], tensors)
    for name, batch, height, width in RUNS:
        tensors, entry = make_run(name, weights[name], batch, height, width)
        files[entry["maps"]] = tensors
        index.append(entry)
    return files, index


@cache
def make_weights(name):
    net, image, extent, gains = NETWORKS[name]
    shapes = net.weight_shapes()
    norms = {layer.name for layer in net.of_kind("batch_norm")}
    weights = draw(
        name, {key: shape for key, shape in shapes.items() if layer_of(key) not in norms}, gains
    )
    for number, layer in enumerate(net.of_kind("batch_norm")):
        channels = (net.channels[layer.top],)
        gain = floats(f"{name}/{layer.name}.weight", channels, 0.5, 1.5)
        gain[
            floats(f"{name}/{layer.name}.sign", channels, 0, 1) < 0.2
        ] *= -1  # a fold must keep the sign
        weights[f"{layer.name}.weight"] = halves(gain)
        weights[f"{layer.name}.bias"] = halves(
            floats(f"{name}/{layer.name}.bias", channels, -0.25, 0.75)
        )
        if number % 3 == 2:  # a channel with so little variance that eps counts
            quiet(net, layer, weights)
    if name == "fcn-alexnet":
        weights["upscore.weight"] = bilinear(shapes["upscore.weight"])

    pictures = picture(f"{name}/statistics", CALIBRATION, *extent)
    sample = normalized(pictures, image)

    def measure(layer, x):
        weights[f"{layer.name}.running_mean"] = halves(x.mean((0, 2, 3)).numpy())
        weights[f"{layer.name}.running_var"] = halves(x.var((0, 2, 3), unbiased=False).numpy())

    # Seeded weights alone let one class win everywhere: bring every class's mean score to zero.
    last = net.of_kind("conv")[-1].name
    weights[f"{last}.bias"] = np.zeros(net.channels["scores"], np.float32)
    maps = run(net, weights, sample, precise=True, observe=measure).maps
    top = maps["score_fr" if name == "fcn-alexnet" else "scores"].numpy()
    weights[f"{last}.bias"] = halves(-top.mean((0, 2, 3)))
    return {key: weights[key] for key in shapes}


def layer_of(key):
    return key.rsplit(".", 1)[0]


def halves(values):
    """Rounded to f16, as f32."""
    return np.asarray(values).astype(np.float16).astype(np.float32)


def quiet(net, norm, weights):
    """Divides by 64 the filter and the bias of the first channel that `norm` reads."""
    conv = next(layer for layer in net.of_kind("conv", "deconv") if layer.top == norm.top)
    filters = weights[f"{conv.name}.weight"]
    for values in (
        filters if conv.kind == "conv" else filters.swapaxes(0, 1),
        weights.get(f"{conv.name}.bias"),
    ):
        if values is not None:
            values[0] = halves(values[0] / 64)


def bilinear(shape):
    """The published diagonal for an odd kernel."""
    half = shape[2] // 2 + 1
    ramp = 1 - np.abs(np.arange(shape[2]) - (half - 1)) / half
    weight = np.zeros(shape, np.float32)
    weight[range(shape[0]), range(shape[0])] = np.outer(ramp, ramp)
    return weight


def run_picture(net_name, batch, height, width):
    """The run's name and its picture, with the patches redrawn that `steady` found."""
    name = f"{net_name}-{batch}x{height}x{width}"
    image = picture(name, batch, height, width)
    for number, row, column, seed in TOUCHES.get(name, ()):
        touch(name, image, number, row, column, seed)
    return name, image


def touch(name, image, number, row, column, seed):
    patch = image[number, row : row + 3, column : column + 3]
    patch[:] = integers(f"{name}/touch/{seed}", patch.shape, 0, 255)


def f32_runs(net, weights, x):
    """PyTorch's f32 passes over every form of the weights, and the forms."""
    forms = [weights]
    if net.of_kind("batch_norm"):
        forms += [folded(net, weights), absorbed(net, folded(net, weights))]
    nets = [net, net, bare(net)]
    return [run(one, form, x) for one, form in zip(nets, forms)], forms


def make_run(net_name, weights, batch, height, width):
    net, how, _, _ = NETWORKS[net_name]
    name, image = run_picture(net_name, batch, height, width)
    x = normalized(image, how)
    precise = run(net, weights, x, precise=True)
    singles, forms = f32_runs(net, weights, x)
    masks = [key for key in KEPT[net_name] if key.endswith("_mask")]
    truth = {key: precise.maps[key].numpy() for key in KEPT[net_name] if key not in masks}
    strayed = {key: furthest(precise.maps, singles, key) for key in truth}
    maps, about = described(name, truth, strayed, alive=0.04)
    for key in masks:
        maps[key] = precise.maps[key].numpy()
        if any(not torch.equal(single.maps[key], precise.maps[key]) for single in singles):
            raise ValueError(f"{name}: {key} depends on the precision")
    margin = None
    if net_name not in UNLABELLED:
        maps["labels"], margin = labels_of(name, truth["scores"], about["scores"]["f32_error"])
        if height * width > 1 and len(np.unique(maps["labels"])) < 3:
            raise ValueError(f"{name}: only classes {np.unique(maps['labels'])} appear")
    for form in forms[:2]:
        answer = program_onnx.scores(net, form, x)
        worst = float(np.abs(answer - truth["scores"]).max())
        if worst > 4 * about["scores"]["f32_error"]:
            raise ValueError(f"{name}: ONNX Runtime strays by {worst}")

    entry = {
        "name": name,
        "family": net_name,
        "runtime": "pytorch",
        "agrees": ["onnxruntime"],
        "weights": f"{net_name}.safetensors",
        "folded": f"{net_name}-folded.safetensors" if len(forms) > 1 else None,
        "maps": f"{name}.safetensors",
        "normalize": how,
        "eps": net.eps,
        "classes": net.channels["scores"],
        "min_margin": margin,
        "switch_lead": switch_lead(name, pools_with_switches(net), precise, singles),
        "about": about,
    }
    return {"image": image, **maps}, entry


def bare(net):
    """The network without its batch norms, for absorbed weights."""
    copy = type(net)(net.name)
    copy.layers = [layer for layer in net.layers if layer.kind != "batch_norm"]
    # An absorbed convolution has a bias even where there was none.
    copy.channels = net.channels
    return copy


def furthest(precise, singles, key):
    """Of the f32 passes the map that strays furthest."""
    return max(
        (s.maps[key].numpy() for s in singles), key=lambda m: np.abs(m - precise[key].numpy()).max()
    )


def switch_lead(name, pools, precise, singles):
    """How safe the switches are: the least lead over all windows, in units of the f32 error there."""
    least = np.inf
    for pool in pools:
        leads = window_leads(precise.signed[pool.bottoms[0]], pool.params["ceil"])
        least = min(least, float(leads.min()) / f32_error(pool, precise, singles))
    if least < LEAST_LEAD:
        raise ValueError(f"{name}: a pooling window is decided by {least:.1f} times the f32 error")
    return float(f"{least:.3g}") if np.isfinite(least) else None


def pools_with_switches(net):
    used = {layer.bottoms[1].removesuffix("_mask") for layer in net.of_kind("unpool")}
    return [layer for layer in net.of_kind("pool") if layer.name in used]


def f32_error(pool, precise, singles):
    """How far f32 strays before the ReLU that a pool reads."""
    blob = pool.bottoms[0]
    return max(float((single.signed[blob] - precise.signed[blob]).abs().max()) for single in singles)


def window_leads(signed, ceil):
    """(N, C, rows, columns): the lead of each 2x2 window of a map that is given before its ReLU.

    That is how far the winner is ahead or, where ReLU leaves only zeros and the first of them wins, how
    far the best is from becoming positive. A window of one pixel has an infinite lead.
    """
    rows, columns = (extent % 2 for extent in signed.shape[2:])
    if ceil:
        signed = F.pad(signed, (0, columns, 0, rows), value=-float("inf"))
    else:
        signed = signed[:, :, : signed.shape[2] - rows, : signed.shape[3] - columns]
    batch, channels, height, width = signed.shape
    cells = F.unfold(signed.flatten(0, 1)[:, None], 2, stride=2)
    best, second = cells.topk(2, 1).values.unbind(1)
    lead = torch.where(best > 0, best - second.clamp(min=0), -best)
    lead[second == -float("inf")] = float("inf")
    return lead.reshape(batch, channels, height // 2, width // 2)


def full_size_tables():
    """Rows of every layer of the published sizes, from PyTorch's shapes; totals as published."""
    tables = {}
    for name, (net, (height, width), parameters, macs) in FULL.items():
        shapes = net.weight_shapes(folded=True)
        weights = {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}
        maps = run(net, weights, torch.empty(1, 3, height, width, device="meta")).maps
        rows = []
        for layer in net.layers:
            own = sum(
                int(np.prod(shape)) for key, shape in shapes.items() if layer_of(key) == layer.name
            )
            rows.append(
                [layer.name, layer.kind, *maps[layer.top].shape[1:], own, multiply_adds(layer, maps)]
            )
        assert [sum(row[5] for row in rows), sum(row[6] for row in rows)] == [parameters, macs], name
        columns = ["layer", "kind", "channels", "height", "width", "parameters", "multiply_adds"]
        tables[f"{name} {height}x{width}"] = {"columns": columns, "rows": rows}
    return tables


def multiply_adds(layer, maps):
    if layer.kind not in ("conv", "deconv"):
        return 0
    p = layer.params
    each = p["kernel"] ** 2 // p["groups"]
    if layer.kind == "conv":
        return maps[layer.top].numel() * p["inputs"] * each
    return maps[layer.bottoms[0]].numel() * p["outputs"] * each
