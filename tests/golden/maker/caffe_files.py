"""`.caffemodel` files, written by Python protobuf from `caffe.proto`, new layer format and old.

New: `layer` messages whose blobs carry a `shape`. Old: `layers` messages (V1) whose blobs carry num,
channels, height and width, a bias being 1x1x1xC. Layers without weights are there too, as Caffe writes
them: data, ReLU, pools, splits. Expected tensors are those the slim networks' goldens hold.
"""

import tempfile
from pathlib import Path

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

from . import wire
from .decoder_runs import NETWORKS, make_weights
from .fcn import BLOCKS
from .networks import fcn_weights
from .program import absorbed, folded

# Kind in a program: type in the new format, in the old one.
TYPES = {
    "conv": ("Convolution", "CONVOLUTION"),
    "deconv": ("Deconvolution", "DECONVOLUTION"),
    "batch_norm": ("BN", "BN"),
    "relu": ("ReLU", "RELU"),
    "pool": ("Pooling", "POOLING"),
    "unpool": ("Upsample", "UNPOOLING"),
    "split": ("Split", "SPLIT"),
    "drop": ("Dropout", "DROPOUT"),
    "crop": ("Crop", "CROP"),
    "add": ("Eltwise", "ELTWISE"),
}


def compiled():
    """The message classes of `caffe.proto`."""
    schema = Path(__file__).with_name("caffe.proto")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "schema"
        arguments = ["protoc", f"-I{schema.parent}", f"--descriptor_set_out={out}", schema.name]
        if protoc.main(arguments) != 0:
            raise ValueError("caffe.proto does not compile")
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClassesForFiles([schema.name], pool)


MESSAGES = {name.removeprefix("caffe."): kind for name, kind in compiled().items()}
NetParameter = MESSAGES["NetParameter"]


def all_files():
    """File name -> bytes, the index, and expected tensors that no other file holds."""
    fcn8s = fcn_weights("fcn8s", "8s", "bilinear")
    segnet, deconvnet = NETWORKS["segnet"][0], NETWORKS["deconvnet"][0]
    segnet_weights = folded(segnet, make_weights("segnet"))
    deconvnet_weights = folded(deconvnet, make_weights("deconvnet"))
    zeros = {key: np.zeros_like(value) for key, value in segnet_weights.items() if "_bn." in key}
    nets = {
        "fcn8s": (list(fcn8s_layers(fcn8s)), fcn8s, "../networks/fcn8s.safetensors"),
        "segnet": (
            list(program_layers(segnet)),
            segnet_weights,
            "../decoders/segnet-folded.safetensors",
        ),
        "deconvnet": (
            list(program_layers(deconvnet)),
            deconvnet_weights,
            "../decoders/deconvnet-folded.safetensors",
        ),
    }
    files, index = {}, []
    for name, (layers, weights, tensors) in nets.items():
        for form in ("new", "old"):
            content = net(name, layers, weights, form == "old").SerializeToString(deterministic=True)
            files[f"{name}-{form}.caffemodel"] = content
            why = {
                "new": "`layer` messages, blobs with a shape",
                "old": "`layers` messages, blobs with num, channels, height and width",
            }[form]
            index.append(record(f"{name}-{form}", name, tensors, "", why))
    merged = absorbed(segnet, segnet_weights) | zeros
    content = net("segnet", program_layers(segnet), merged, False).SerializeToString(deterministic=True)
    files["segnet-absorbed.caffemodel"] = content
    why = (
        "what SegNet's BN-absorber.py saves: filters that hold their batch norm, and the batch norms still there "
        "with scale and shift all zero. Taken as they stand, every map is zero; skipped, the scores are segnet's"
    )
    index.append(record("segnet-absorbed", "segnet", None, None, why) | {"expect": "either"})
    files["odd.caffemodel"], tensors = odd()
    why = "encodings that protobuf allows and Caffe's own writer does not choose; see maker/caffe_files.py"
    index.append(
        record("odd", None, "foreign.safetensors", "odd/", why) | {"maker": "by hand, read by protobuf"}
    )
    return files, index, tensors


def record(name, network, tensors, prefix, why):
    return {
        "name": f"caffe-{name}",
        "file": f"{name}.caffemodel",
        "format": "caffe",
        "maker": "protobuf",
        "expect": "tensors",
        "network": network,
        "tensors": tensors,
        "prefix": prefix,
        "names": None,
        "why": why,
    }


def program_layers(program):
    """(kind, name, bottoms, top, parameters) of each layer."""
    for layer in program.layers:
        top = layer.name if layer.top == "scores" else layer.top
        yield layer.kind, layer.name, layer.bottoms[:2], top, layer.params


def fcn8s_layers(weights):
    """FCN-8s as its net.py states it, with the splits that Caffe inserts for the skips."""

    def conv(name, bottom, pad=0, stride=1, kind="conv"):
        shape = weights[f"{name}.weight"].shape
        given = {
            "outputs": shape[kind == "deconv"],
            "kernel": shape[2],
            "pad": pad,
            "stride": stride,
            "groups": 1,
        }
        return kind, name, (bottom,), name, given | {"bias": f"{name}.bias" in weights}

    x = "data"
    for number, block in enumerate(BLOCKS, 1):
        for name in block:
            yield conv(name, x, 100 if name == "conv1_1" else 1)
            x = name
            yield "relu", name.replace("conv", "relu"), (x,), x, {}
        yield "pool", f"pool{number}", (x,), f"pool{number}", {"kernel": 2, "stride": 2}
        x = f"pool{number}"
        if number in (3, 4):
            yield "split", f"{x}_{x}_0_split", (x,), f"{x}_{x}_0_split_0", {}
            x = f"{x}_{x}_0_split_0"
    for number in (6, 7):
        yield conv(f"fc{number}", x)
        x = f"fc{number}"
        yield "relu", f"relu{number}", (x,), x, {}
        yield "drop", f"drop{number}", (x,), x, {}
    yield conv("score_fr", x)
    x = "score_fr"
    for pool, offset, up in (("pool4", 5, "upscore2"), ("pool3", 9, "upscore_pool4")):
        yield conv(up, x, stride=2, kind="deconv")
        yield conv(f"score_{pool}", f"{pool}_{pool}_0_split_1")
        yield "crop", f"score_{pool}c", (f"score_{pool}", up), f"score_{pool}c", {"offset": offset}
        yield "add", f"fuse_{pool}", (up, f"score_{pool}c"), f"fuse_{pool}", {}
        x = f"fuse_{pool}"
    yield conv("upscore8", x, stride=8, kind="deconv")
    yield "crop", "score", ("upscore8", "data"), "score", {"offset": 31}


def net(name, layers, weights, old):
    message = NetParameter(name=name, input=["data"], input_dim=[1, 3, 224, 224])
    for kind, layer_name, bottoms, top, params in layers:
        entry = (message.layers if old else message.layer).add(
            name=layer_name, bottom=bottoms, top=[top]
        )
        new_type, old_type = TYPES[kind]
        entry.type = type(entry).LayerType.Value(old_type) if old else new_type
        if not old:
            entry.phase = 1
        describe(entry, kind, params, old)
        parts = ("scale", "shift") if kind == "batch_norm" else ("weight", "bias")
        for part in parts:
            if f"{layer_name}.{part}" in weights:
                put(entry.blobs.add(), weights[f"{layer_name}.{part}"], kind, old)
    return message


def describe(entry, kind, params, old):
    """The parameters that Caffe writes beside the blobs; a reader of weights passes over them."""
    if kind in ("conv", "deconv"):
        into = entry.convolution_param
        into.num_output, into.kernel_size, into.pad = params["outputs"], params["kernel"], params["pad"]
        into.stride, into.group, into.bias_term = params["stride"], params["groups"], params["bias"]
        if old:
            entry.blobs_lr.extend([1, 2])
            entry.weight_decay.extend([1, 0])
        else:
            entry.param.add(lr_mult=1, decay_mult=1)
    if kind == "pool":
        entry.pooling_param.pool, entry.pooling_param.kernel_size = 0, params["kernel"]
        entry.pooling_param.stride = params["stride"]
        entry.top.append(f"{entry.name}_mask")
    if kind == "batch_norm" and old:
        # The new format's files say LEARN, the default: the script that folds the statistics saves the
        # training net. Only what the blobs hold tells; nothing in the file does.
        entry.bn_param.bn_mode = 1
    if kind == "unpool" and old:
        entry.unpooling_param.kernel_size = entry.unpooling_param.stride = 2
    if kind == "unpool" and not old:
        entry.upsample_param.scale = 2
    if kind == "crop" and not old:
        entry.crop_param.axis = 2
        entry.crop_param.offset.append(params["offset"])


def put(blob, values, kind, old):
    shape = list(values.shape)
    if kind == "batch_norm":
        shape = [1, *shape, 1, 1]
    if old:
        blob.num, blob.channels, blob.height, blob.width = [1] * (4 - len(shape)) + shape
    else:
        blob.shape.dim.extend(shape)
    blob.data.extend(values.ravel().tolist())


def odd():
    """Layers whose blobs are encoded in every legal way, and what protobuf reads from them."""
    shape = wire.block(7, wire.block(1, wire.varint(2) + wire.varint(3)))
    six = (0.5, -1.0, 2.0, -0.25, 3.0, 0.125)
    packed = wire.block(5, wire.floats(*six))
    old_shape = b"".join(wire.number(field, extent) for field, extent in enumerate((1, 1, 2, 3), 1))
    each = b"".join(wire.tag(5, wire.FIXED32) + wire.floats(value) for value in six)
    runs = wire.block(5, wire.floats(*six[:2])) + wire.tag(5, wire.FIXED32) + wire.floats(six[2])
    runs += wire.block(5, b"") + wire.block(5, wire.floats(*six[3:]))
    tenths = [0.1 * k for k in range(1, 7)]
    unknown = (
        *(
            wire.number(900, 2**64 - 1),
            wire.tag(901, wire.FIXED64) + bytes(8),
            wire.block(902, b"\xff" * 200),
        ),
        *(
            wire.tag(903, wire.START_GROUP),
            wire.number(1, 5),
            wire.block(2, "inside"),
            wire.tag(903, wire.END_GROUP),
        ),
        wire.tag(904, wire.FIXED32) + bytes(4),
    )
    blobs = {
        "packed": shape + packed,
        "data_before_shape": packed + shape,
        "unpacked": shape + each,
        "runs": shape + runs,
        "shape_unpacked": wire.block(7, wire.number(1, 2) + wire.number(1, 3)) + packed,
        "shape_in_parts": wire.block(7, wire.number(1, 2)) + packed + wire.block(7, wire.number(1, 3)),
        "with_diff": shape + packed + wire.block(6, wire.floats(*[9.0] * 6)),
        "double": shape + wire.block(8, wire.doubles(*tenths)),
        "double_and_single": shape + packed + wire.block(8, wire.doubles(*tenths)),
        "old_shape_wins": shape + old_shape + packed,
        "scalar": wire.block(7, b"") + wire.block(5, wire.floats(7.0)),
        "unknown_fields": unknown[0] + shape + b"".join(unknown[1:]) + packed,
        "long_varints": wire.block(7, wire.block(1, b"\x82\x80\x80\x00" + b"\x83\x00")) + packed,
    }
    layers = [
        wire.block(1, name) + wire.block(2, "InnerProduct") + wire.block(7, blob)
        for name, blob in blobs.items()
    ]
    layers.append(
        wire.block(7, shape + packed) + wire.block(2, "InnerProduct") + wire.block(1, "blobs_first")
    )
    layers.append(
        wire.block(1, "renamed_from") + wire.block(7, shape + packed) + wire.block(1, "renamed_to")
    )
    layers.append(wire.block(1, "unknown_in_layer") + b"".join(unknown) + wire.block(7, shape + packed))
    layers.append(
        wire.block(1, "two_blobs") + wire.block(7, shape + packed) + wire.block(7, blobs["scalar"])
    )
    layers.append(wire.block(1, "no_blobs") + wire.block(2, "ReLU"))
    content = b"".join(wire.block(100, layer) for layer in layers)
    content = wire.block(1, "first half") + content + b"".join(unknown) + wire.block(1, "second half")

    tensors = {}
    for layer in NetParameter.FromString(content).layer:
        for number, blob in enumerate(layer.blobs):
            tensors[f"odd/{layer.name}/{number}"] = read(blob)
    assert len(tensors) == len(blobs) + 5
    return content, tensors


def read(blob):
    """A blob as Caffe's Blob::FromProto takes it: the old extents and the doubles win."""
    old = [blob.num, blob.channels, blob.height, blob.width]
    shape = (
        old
        if any(blob.HasField(name) for name in ("num", "channels", "height", "width"))
        else blob.shape.dim
    )
    values = blob.double_data or blob.data
    return np.array(values, np.float64).astype(np.float32).reshape(list(shape))
