"""What a unit responds to, after Zeiler and Fergus: one activation sent back down to the pixels.

All but one activation of a layer are set to zero. Then, layer by layer downwards: at a pool, unpooling
with the switches of the forward pass; at a convolution, ReLU on the signal and the layer's own filters
transposed, without their biases. The signal that leaves the first layer is the map of the pixels.
"""

import numpy as np
import torch
import torch.nn.functional as F

from . import decoder_runs, networks
from .case import as_stored
from .decoders import EPS
from .fcn import BLOCKS
from .networks import normalized, picture
from .program import Program, absorbed, folded, run
from .touches import TOUCHES
from .vgg import FEATURES

# Network, batch, height, width, and the layers whose units are shown.
RUNS = (
    ("vgg16", 1, 61, 75, ("conv2_2", "conv4_3", "conv5_3")),
    ("segnet", 1, 45, 59, ("conv3_3", "conv5_2")),
)
WEIGHTS = {"vgg16": "../networks/vgg16.safetensors", "segnet": "segnet.safetensors"}


def vgg_program():
    """The convolutions of VGG16, in torchvision's names, with floor pools."""
    net = Program("vgg16")
    x = "data"
    for number, (names, indices) in enumerate(zip(BLOCKS, FEATURES), 1):
        for top, index in zip(names, indices):
            x = net.conv(f"features.{index}", x, networks.WIDTHS[number - 1], 3, pad=1, top=top)
            x = net.relu(f"features.{index + 1}", x)
        x = net.pool(f"pool{number}", x, ceil=False)
    return net


def forwards():
    """(name, program, weights, normalisation, picture) of each network that is looked into.

    SegNet's encoder is looked into with its batch norms absorbed: a layer's filter is then what the
    convolution and the batch norm do together.
    """
    for net_name, *extent, _ in RUNS:
        name = "x".join(map(str, [f"view-{net_name}-{extent[0]}", *extent[1:]]))
        if net_name == "vgg16":
            net, how, weights = vgg_program(), networks.VGG_IMAGE, networks.vgg_weights()
        else:
            full, how, _, _ = decoder_runs.NETWORKS[net_name]
            weights = absorbed(full, folded(full, decoder_runs.make_weights(net_name)))
            net = decoder_runs.bare(full)
            net.layers = [
                layer for layer in net.layers if layer.name.startswith(("conv", "relu", "pool"))
            ]
            net.layers = [layer for layer in net.layers if not layer.name.endswith("_D")]
        yield name, net, weights, how, picture(name, *extent)


def all_files():
    files, index = {}, []
    for (net_name, *_, layers), (name, net, weights, how, image) in zip(RUNS, forwards()):
        for number, row, column, seed in TOUCHES.get(name, ()):
            decoder_runs.touch(name, image, number, row, column, seed)
        x = normalized(image, how)
        precise = run(net, weights, x, precise=True)
        singles, _ = decoder_runs.f32_runs(net, weights, x)
        lead = decoder_runs.switch_lead(name, net.of_kind("pool"), precise, singles)
        files[f"{name}.safetensors"] = tensors = {"image": image}
        for pool in net.of_kind("pool"):
            tensors[f"{pool.name}_mask"] = precise.maps[f"{pool.name}_mask"].numpy()
        for top in layers:
            maps, entry = view(f"{name}-{top}", net, weights, precise, singles[0], top)
            tensors |= {f"{top}/{key}": value for key, value in maps.items()}
            index.append(
                {
                    "name": f"{name}-{top}",
                    "family": "view",
                    "network": net_name,
                    "runtime": "pytorch",
                    "agrees": ["pytorch-autograd"],
                    "weights": WEIGHTS[net_name],
                    "maps": f"{name}.safetensors",
                    "prefix": f"{top}/",
                    "normalize": how,
                    "eps": EPS if net_name == "segnet" else None,
                    "switch_lead": lead,
                    **entry,
                }
            )
    return files, index


def view(name, net, weights, precise, single, top):
    """The maps of one unit of the layer that wrote `top`, and its part of the index."""
    layer = next(layer for layer in net.layers if layer.top == top)
    unit, row, column = clearest_unit(name, precise.maps[top], single.maps[top])
    answers = {}
    for mode, forward in (("precise", precise), ("single", single)):
        kept = torch.zeros_like(forward.maps[top])
        kept[0, unit, row, column] = forward.maps[top][0, unit, row, column]
        answers[mode] = back(net, weights, forward, layer, kept)
    truth, rough = answers["precise"], answers["single"]
    other = by_autograd(net, weights, precise, layer, truth["kept"])
    if not torch.allclose(other, truth["pixels"], 1e-12, 1e-12):
        raise ValueError(f"{name}: autograd gives another map of pixels")
    about = {}
    for key, value in truth.items():
        strayed = float((rough[key] - value).abs().max())
        about[key] = {
            "shape": list(value.shape),
            "max_abs": float(f"{value.abs().max():.3g}"),
            "f32_error": float(2.0 ** np.ceil(np.log2(strayed))) if strayed else 0.0,
        }
    if torch.count_nonzero(truth["pixels"]) < 100:
        raise ValueError(f"{name}: the signal dies on its way down")
    entry = {
        "layer": top,
        "filter": f"{layer.name}.weight",
        "unit": unit,
        "position": [row, column],
        "about": about,
    }
    return {key: as_stored(value.numpy()) for key, value in truth.items()}, entry


def clearest_unit(name, activations, rough):
    """The unit whose largest activation leads the most, and its row and column."""
    best, where = activations[0].flatten(1).topk(2, 1)
    unit = int((best[:, 0] - best[:, 1]).argmax())
    lead = float(best[unit, 0] - best[unit, 1])
    if lead < decoder_runs.LEAST_LEAD * float((activations - rough).abs().max()):
        raise ValueError(f"{name}: the maximum of unit {unit} is not certain")
    return unit, *divmod(int(where[unit, 0]), activations.shape[3])


def back(net, weights, forward, layer, kept):
    """`kept` sent down to the pixels, and the signal that reaches each pool on the way."""
    signals = {"kept": kept}
    signal = kept
    for below in reversed(net.layers[: net.layers.index(layer) + 1]):
        if below.kind == "pool":
            signals[f"at_{below.name}"] = signal
            origin = forward.maps[below.bottoms[0]].shape[2:]
            signal = F.max_unpool2d(signal, forward.maps[f"{below.name}_mask"], 2, 2, 0, origin)
        if below.kind == "conv":
            filters = torch.from_numpy(weights[f"{below.name}.weight"]).to(signal.dtype)
            signal = F.conv_transpose2d(F.relu(signal), filters, padding=below.params["pad"])
    return signals | {"pixels": signal}


class SignalReLU(torch.autograd.Function):
    """ReLU forwards and, instead of its gradient, ReLU on the signal backwards."""

    @staticmethod
    def forward(context, x):
        return F.relu(x)

    @staticmethod
    def backward(context, signal):
        return F.relu(signal)


def by_autograd(net, weights, forward, layer, kept):
    """The same map of pixels as the gradient of a network whose ReLU is `SignalReLU`."""
    pixels = forward.maps["data"].clone().requires_grad_()
    x = pixels
    for above in net.layers:
        if above.kind == "conv":
            filters, bias = (
                torch.from_numpy(weights[f"{above.name}.{part}"]).double()
                for part in ("weight", "bias")
            )
            x = F.conv2d(x, filters, bias, padding=above.params["pad"])
        elif above.kind == "pool":
            x = F.max_pool2d(x, 2, 2, ceil_mode=above.params["ceil"])
        else:
            x = SignalReLU.apply(x)
            if above.top == layer.top:
                break
    return torch.autograd.grad(x, pixels, kept)[0]
