"""Writes DeconvNet's full-size .caffemodel, 252 million seeded weights in 1.0 GB, to measure what reading it takes.

    python full_size_caffemodel.py deconvnet.caffemodel
    /usr/bin/time -v switchback convert deconvnet.caffemodel deconvnet.safetensors
    /usr/bin/time -v switchback plan --model deconvnet --weights deconvnet.caffemodel --webgpu

Layers and extents are those of decoders/full_size.json. Blobs are as Caffe writes them: packed f32, legacy extents in
`layers` messages, batch norms folded into a factor and a shift. A one-off check, too heavy for the test suite; its result
is records/full-size-caffemodel.json.
"""

import json
import sys
from math import isqrt, prod
from pathlib import Path

import numpy as np

from maker import wire

KINDS = {"conv": 4, "deconv": 39, "batch_norm": 43}


def blob(shape, values):
    """num, channels, height, width and the packed numbers."""
    legacy = (1,) * (4 - len(shape)) + tuple(shape)
    extents = b"".join(wire.number(field, extent) for field, extent in enumerate(legacy, 1))
    return extents + wire.block(5, values.astype("<f4").tobytes())


def layers():
    """Name, kind and the extents of both blobs of every layer that has weights."""
    tables = json.loads((Path(__file__).parent / "decoders" / "full_size.json").read_text())
    (table,) = (table for name, table in tables.items() if name.startswith("deconvnet "))
    inputs = 3
    for name, kind, outputs, _, _, parameters, _ in table["rows"]:
        if kind == "batch_norm":
            yield name, kind, (1, outputs, 1, 1), (1, outputs, 1, 1)
        elif kind in KINDS:
            kernel = isqrt((parameters - outputs) // (inputs * outputs))
            ends = (inputs, outputs) if kind == "deconv" else (outputs, inputs)
            yield name, kind, (*ends, kernel, kernel), (outputs,)
            inputs = outputs


def main(path):
    generator = np.random.Generator(np.random.PCG64(1))
    count = 0
    with open(path, "wb") as file:
        file.write(wire.block(1, "DeconvNet"))
        for name, kind, weight, bias in layers():
            reach = np.float32(np.sqrt(6 / prod(weight[1:])))
            values = [(generator.random(prod(weight), np.float32) * 2 - 1) * reach, np.full(prod(bias), 0.01)]
            if kind == "batch_norm":
                values[0] = 1 + values[0] / 2
            count += sum(map(len, values))
            blobs = b"".join(wire.block(6, blob(*pair)) for pair in zip((weight, bias), values))
            file.write(wire.block(2, wire.block(4, name) + wire.number(5, KINDS[kind]) + blobs))
    assert count == 251_805_653, count
    print(f"{path}: {count} numbers, {Path(path).stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
