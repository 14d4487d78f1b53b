"""`.pth` files, saved by `torch.save`, and what they hold.

Each is read back by `torch.load(weights_only=True)` before it is written down, save the two that it
refuses, as `why` says.
"""

import io
import tempfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from .decoder_runs import NETWORKS, make_weights
from .numbers import half_floats

ZIP = "_use_new_zipfile_serialization"


def all_files():
    """File name -> bytes, the index, and expected tensors (torch) by `name/tensor`."""
    files, index, expected = {}, [], {}
    for name, (file, make, why) in FILES.items():
        saved, tensors, options = make()
        files[file] = content = serialized(saved, file, **options)
        # These few are ours from the line before, so nothing foreign is unpickled.
        strict = name not in NOT_WEIGHTS_ONLY
        demand_same(name, torch.load(io.BytesIO(content), weights_only=strict), tensors)
        expected |= {f"{name}/{key}": value for key, value in tensors.items()}
        index.append(
            {
                "name": f"torch-{name}",
                "file": file,
                "format": "torch",
                "maker": "torch.save",
                "expect": EXPECT.get(name, "tensors"),
                "network": next((net for net in ("unet", "segnet-basic") if name.startswith(net)), None),
                "tensors": "foreign.safetensors",
                "prefix": f"{name}/",
                "names": None,
                "why": why,
            }
        )
    return files, index, expected


def serialized(value, file, by_path=False, **options):
    """What `torch.save` writes: `archive/...` into a stream, the file's stem into a path."""
    if not by_path:
        stream = io.BytesIO()
        torch.save(value, stream, **options)
        return (
            without_address(value, stream.getvalue())
            if options.get(ZIP, True) is False
            else stream.getvalue()
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        torch.save(value, path, **options)
        return path.read_bytes()


def without_address(value, content):
    """A legacy file names its one storage by its address: here it is always 7."""
    (tensor,) = value.values()
    address = str(tensor.untyped_storage()._cdata)
    named = [b"X" + len(key).to_bytes(4, "little") + key.encode() for key in (address, "7")]
    assert content.count(named[0]) == 2, "once where it is used, once in the list of keys"
    return content.replace(*named)


def demand_same(name, loaded, tensors):
    loaded = loaded.get("model_state_dict", loaded.get("state_dict", loaded))
    for key, value in tensors.items():
        if loaded[key].dtype != value.dtype or not torch.equal(loaded[key], value):
            raise ValueError(f"{name}: {key} does not come back")


def drawn(name, *shape):
    return torch.from_numpy(half_floats(f"torch/{name}", shape, 1.0))


def contiguous(tensors):
    """Copies that share nothing, in memory order."""
    return {
        key: value.detach().clone(memory_format=torch.contiguous_format)
        for key, value in tensors.items()
    }


def module():
    """A convolution, a batch norm and a transposed convolution, with counted batches."""
    net = torch.nn.Sequential(
        OrderedDict(
            conv1=torch.nn.Conv2d(3, 4, 3, bias=False),
            conv1_bn=torch.nn.BatchNorm2d(4),
            up=torch.nn.ConvTranspose2d(4, 2, 2, 2),
        )
    )
    for key, value in net.state_dict().items():
        if value.dtype == torch.int64:
            value.fill_(1234567)
        else:
            value.copy_(drawn(f"module/{key}", *value.shape).abs() + 0.25)
    return net


def bare():
    state = module().state_dict()
    return state, contiguous(state), {}


def plain_dict():
    tensors = {
        "größe.weight": drawn("plain/a", 2, 3),
        "": drawn("plain/b", 1),
        "a" * 300: drawn("plain/c", 2),
    }
    return tensors, contiguous(tensors), {}


def protocol_four():
    state = module().state_dict()
    return state, contiguous(state), {"pickle_protocol": 4}


def network_state(name, norms):
    """A network's weights in the order of its module, with the counters of its batch norms."""
    state = OrderedDict()
    for key, value in make_weights(name).items():
        state[key] = torch.from_numpy(value.copy())
        if key.endswith("running_var"):
            state[key.replace("running_var", "num_batches_tracked")] = torch.tensor(40000)
    assert len(state) == len(NETWORKS[name][0].weight_shapes()) + norms
    return state


def segnet_basic():
    state = network_state("segnet-basic", 8)
    return {"epoch": 3, "model_state_dict": state}, contiguous(state), {}


def checkpoint(best):
    """As pytorch-fcn's trainer saves one, with the optimizer's own tensors in the way."""
    state = network_state("unet", 10)
    learned = [
        key for key in state if not key.endswith(("running_mean", "running_var", "num_batches_tracked"))
    ]
    optimizer = {
        "state": {number: {"momentum_buffer": -state[key]} for number, key in enumerate(learned)},
        "param_groups": [
            {"lr": 1e-10, "momentum": 0.99, "dampening": 0, "weight_decay": 5e-4, "nesterov": False,
             "maximize": False, "foreach": None, "params": list(range(len(learned)))},
        ],
    }  # fmt: skip
    saved = {
        "epoch": 11,
        "iteration": 2**40,
        "arch": "UNet",
        "optim_state_dict": optimizer,
        "model_state_dict": state,
        "best_mean_iu": best,
    }
    return saved, contiguous(state), {"by_path": True}


def parallel():
    state = {f"module.{key}": value for key, value in module().state_dict().items()}
    return {"epoch": 3, "state_dict": state}, contiguous(state), {}


def half_precision():
    tensors = {
        "f32": drawn("types/f32", 3, 5),
        "f16": drawn("types/f16", 3, 5).half(),
        "bf16": drawn("types/bf16", 5, 3).bfloat16(),
        "f16_extremes": torch.tensor([65504.0, 6e-8, -6.1e-5, 0.0, -0.0]).half(),
        "bf16_extremes": torch.tensor([3e38, 1e-38, -9.2e-41, 0.0, -0.0]).bfloat16(),
        "counter": torch.tensor(2**53 + 1),
    }
    return tensors, contiguous(tensors), {}


def other_types():
    tensors = {
        "f64": drawn("types/f64", 2, 3).double() / 3,
        "i64": torch.tensor([[2**62, -1], [0, 1]]),
        "i32": torch.tensor([2**30, -7], dtype=torch.int32),
        "i16": torch.tensor([-32768, 7], dtype=torch.int16),
        "i8": torch.tensor([-128, 7], dtype=torch.int8),
        "u8": torch.tensor([255, 0, 7], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
    }
    return tensors, contiguous(tensors), {}


def views():
    whole = drawn("views/whole", 4, 6, 5)
    tensors = {
        "whole": whole,
        "transposed": whole.transpose(0, 2),
        "permuted": whole.permute(1, 2, 0),
        "every_other": whole[::2, 1::2, ::3],
        "column": whole[:, 2, 3],
        "offset": whole[1:3, 2:5],
        "one_value": whole[3, 5, 4],
        "overlapping": whole.flatten().unfold(0, 4, 2)[:6],
        "expanded": drawn("views/row", 1, 3).expand(4, 3),
        "channels_last": drawn("views/filter", 2, 3, 4, 5).contiguous(
            memory_format=torch.channels_last
        ),
        "parameter": torch.nn.Parameter(drawn("views/parameter", 2, 2)),
        "scalar": torch.tensor(0.75),
        "empty": torch.empty(0, 3),
        "rank_six": drawn("views/six", 2, 1, 2, 1, 2, 3),
    }
    tensors["again"] = tensors["whole"]
    return tensors, contiguous(tensors), {}


def legacy():
    tensors = {"weight": drawn("legacy/weight", 3, 2)}
    return tensors, contiguous(tensors), {ZIP: False}


FILES = {
    "bare": (
        "bare.pth",
        bare,
        "module.state_dict(): an OrderedDict with _metadata, batch norm counters in i64",
    ),
    "plain-dict": (
        "plain-dict.pth",
        plain_dict,
        "a dict; keys empty, not ASCII, and longer than 255 bytes",
    ),
    "protocol-4": (
        "protocol-4.pth",
        protocol_four,
        "pickle protocol 4: frames, short strings, MEMOIZE, "
        "STACK_GLOBAL. torch.load(weights_only=True) refuses it",
    ),
    "unet-checkpoint": (
        "unet-checkpoint.pth",
        lambda: checkpoint(0.625),
        "model_state_dict beside an optimizer, counters and strings; more than 256 memo entries",
    ),
    "segnet-basic-checkpoint": (
        "segnet-basic-checkpoint.pth",
        segnet_basic,
        "a network of the library's, so that a checkpoint can be run as it is",
    ),
    "unet-checkpoint-numpy": (
        "unet-checkpoint-numpy.pth.tar",
        lambda: checkpoint(np.float64(0.625)),
        "what pytorch-fcn's trainer really saves: best_mean_iu is a NumPy scalar, so the pickle calls "
        "numpy's scalar and dtype and _codecs.encode beside the weights. torch.load(weights_only=True) refuses it",
    ),
    "parallel": (
        "parallel.pth",
        parallel,
        "under state_dict, names with the module. of DataParallel: as widespread",
    ),
    "half-precision": (
        "half-precision.pth",
        half_precision,
        "f32, f16 and bf16 with subnormals; a counter past 2^53",
    ),
    "other-types": (
        "other-types.pth",
        other_types,
        "f64, integers and booleans, of which no weights are made",
    ),
    "views": (
        "views.pth",
        views,
        "views that share one storage, transposed, strided, at an offset, expanded with stride 0; channels_last; "
        "a Parameter; rank 0, rank 6, no elements; one tensor under two names",
    ),
    "legacy": (
        "legacy.pth",
        legacy,
        "before PyTorch 1.6: pickles one after another, no zip. Also the published files",
    ),
}
NOT_WEIGHTS_ONLY = {"unet-checkpoint-numpy", "protocol-4"}
EXPECT = dict.fromkeys(
    ("unet-checkpoint-numpy", "protocol-4", "parallel", "other-types"), "either"
)
