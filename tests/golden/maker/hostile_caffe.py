"""`.caffemodel` files that are hostile, broken, or something else altogether: all to be refused."""

import numpy as np
from google.protobuf.message import DecodeError

from . import wire
from .caffe_files import NetParameter
from .wire import block, floats, number, tag, varint

SHAPE = block(7, block(1, varint(2) + varint(3)))
SIX = block(5, floats(0.5, -1.0, 2.0, -0.25, 3.0, 0.125))


def layer(*blobs, name="conv1"):
    return block(1, name) + block(2, "Convolution") + b"".join(block(7, blob) for blob in blobs)


def net(*layers):
    return block(1, "net") + b"".join(block(100, one) for one in layers)


def shaped(*extents):
    return block(7, block(1, b"".join(varint(extent) for extent in extents)))


def all_files():
    """File name -> bytes, and the index."""
    files, index = {}, []
    for name, names, why, content in (*broken(), *lying(), *others()):
        if name in {entry[0] for entry in broken()} - {"name-not-utf8"} and parses(content):
            raise ValueError(f"{name}: protobuf reads it")
        files[f"hostile/{name}.caffemodel"] = content
        index.append(
            {
                "name": f"caffe-{name}",
                "file": f"hostile/{name}.caffemodel",
                "format": "caffe",
                "maker": "by hand",
                "expect": "refusal",
                "network": None,
                "tensors": None,
                "prefix": None,
                "names": names,
                "why": why,
            }
        )
    return files, index


def parses(content):
    try:
        NetParameter.FromString(content)
    except DecodeError:
        return False
    return True


def broken():
    """No protobuf, by protobuf's own word."""
    good = net(layer(SHAPE + SIX))
    depth = 25_000
    yield "truncated", None, "cut within a blob", good[:-9]
    yield "cut-in-tag", None, "cut within a field's number", net(layer(SHAPE + SIX)) + b"\x80"
    yield (
        "length-past-end",
        None,
        "a layer of 2 GiB in a file of a few bytes",
        tag(100, wire.BYTES) + varint(2**31) + good,
    )
    yield (
        "length-overflows",
        None,
        "a length of 2^64 - 1",
        tag(100, wire.BYTES) + varint(2**64 - 1) + good,
    )
    inner = block(1, "conv1") + tag(7, wire.BYTES) + varint(500) + SIX
    yield "blob-past-layer", "conv1", "a blob longer than the layer around it", net(inner) + bytes(600)
    yield "varint-endless", None, "a number of eleven bytes", b"\xff" * 11 + good
    yield "wire-type-6", None, "a field of a type that does not exist", tag(9, 6) + good
    yield "field-zero", None, "a field numbered nought", tag(0, wire.VARINT) + b"\x01" + good
    yield (
        "groups-deep",
        None,
        "groups in groups, 25,000 deep",
        tag(15, wire.START_GROUP) * depth + tag(15, wire.END_GROUP) * depth,
    )
    yield (
        "group-open",
        None,
        "a group that does not end",
        good + tag(15, wire.START_GROUP) + number(1, 5),
    )
    yield "group-ends", None, "the end of a group that did not begin", good + tag(15, wire.END_GROUP)
    crossed = [
        tag(15, wire.START_GROUP),
        tag(16, wire.START_GROUP),
        tag(15, wire.END_GROUP),
        tag(16, wire.END_GROUP),
    ]
    yield "groups-crossed", None, "groups that end in the wrong order", good + b"".join(crossed)
    yield (
        "name-not-utf8",
        None,
        "a layer's name is no text",
        net(layer(SHAPE + SIX, name=b"\xff\xfeconv")),
    )


def lying():
    """Protobuf, but no weights."""
    blobs = {
        "shape-overflows": ("2^33 x 2^33 numbers, six there", shaped(2**33, 2**33) + SIX),
        "shape-wraps": (
            "2^32 x 2^32 + 6 by a product that wraps: none, six there",
            shaped(2**32, 2**32) + SIX,
        ),
        "shape-huge": ("2^40 numbers, six there", shaped(2**40) + SIX),
        "shape-negative": ("an extent of -1", shaped(-1, -6) + SIX),
        "shape-zero": ("an extent of nought", shaped(0, 3)),
        "shape-short": ("2x3 numbers, five there", SHAPE + block(5, floats(1, 2, 3, 4, 5))),
        "shape-long": ("2x3 numbers, seven there", SHAPE + block(5, floats(1, 2, 3, 4, 5, 6, 7))),
        "shape-missing": ("six numbers and no shape", SIX),
        "data-missing": ("a shape and no numbers", SHAPE),
        "data-ragged": ("23 bytes of numbers", SHAPE + block(5, bytes(23))),
        "double-ragged": ("44 bytes of doubles", SHAPE + block(8, bytes(44))),
        "old-shape-part": ("only a width: the other extents are nought", number(4, 6) + SIX),
        "old-shape-negative": (
            "num is -1",
            number(1, -1) + number(2, 1) + number(3, 2) + number(4, 3) + SIX,
        ),
        "axes-40": ("40 axes, where Caffe allows 32", shaped(*[1] * 38, 2, 3) + SIX),
        "nan": ("NaN among the weights", SHAPE + block(5, floats(1, 2, np.nan, 4, 5, 6))),
        "infinite": ("an infinity among the weights", SHAPE + block(5, floats(1, 2, np.inf, 4, 5, 6))),
        "double-too-large": (
            "a double beyond f32",
            SHAPE + block(8, wire.doubles(1, 2, 1e300, 4, 5, 6)),
        ),
    }
    for name, (why, blob) in blobs.items():
        yield name, "conv1", why, net(layer(blob))
    yield (
        "named-twice",
        "conv1",
        "two layers with weights of one name",
        net(layer(SHAPE + SIX), layer(SHAPE + SIX)),
    )
    yield "unnamed", None, "a layer with weights and without a name", net(block(7, SHAPE + SIX))
    yield "blobs-many", "conv1", "a convolution with 300 blobs", net(layer(*[SHAPE + SIX] * 300))
    yield "no-weights", None, "a network without any weights", net(layer(), layer(name="conv2"))
    v0 = block(1, "conv1") + block(2, "conv") + block(50, SHAPE + SIX)
    yield (
        "v0",
        "V0",
        "the format before the old one: a V0 layer within a V1 layer",
        block(2, block(1, v0)),
    )


def others():
    """What people have under that name."""
    text = b'name: "net"\nlayer {\n  name: "conv1"\n  type: "Convolution"\n}\n'
    yield "no-bytes", None, "an empty file", b""
    yield "prototxt", "prototxt", "the text beside the weights", text
    yield "hdf5", "HDF5", "a snapshot in HDF5, Caffe's other format", b"\x89HDF\r\n\x1a\n" + bytes(40)
    yield (
        "web-page",
        None,
        "a download that was a page",
        b"<!DOCTYPE html><html><title>404</title></html>\n",
    )
    yield "zip", "zip", "a PyTorch file under another name", b"PK\x03\x04" + bytes(60)
    yield "zeros", None, "a kibibyte of zeros", bytes(1024)
