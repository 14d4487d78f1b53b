"""Runs full-size FCN-8s in ONNX Runtime on the CPU and compares Switchback's scores with it.

    python full_size_fcn8s.py make --weights fcn8s.safetensors --input image.npy --png image.png
    switchback segment image.png --weights fcn8s.safetensors --scores --out out
    python full_size_fcn8s.py run  --weights fcn8s.safetensors --input image.npy \
        --scores onnx.npy --compare out/image.scores.npy --record record.json

`make` writes seeded weights in pytorch-fcn's names (134,489,759 numbers, 538 MB), a seeded picture
and the 1x3x500x500 input made of it; any other weight file in those names does as well, f16 ones included. `run` prints one JSON
record; without --compare it holds the run alone. A one-off check, too heavy for the test suite.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from safetensors.numpy import load_file, save_file

from maker import fcn
from maker.networks import FCN_IMAGE, normalized, picture

WIDTHS, FC, CLASSES, SIZE = (64, 128, 256, 512, 512), 4096, 21, 500
PARAMETERS = 134_489_759


def make(arguments):
    """Seeded weights of He's spread and a seeded picture, reproducible with the pinned NumPy."""
    shapes = fcn.weight_shapes("8s", WIDTHS, FC, CLASSES)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == PARAMETERS
    generator = np.random.Generator(np.random.PCG64(arguments.seed))
    weights = {}
    for key, shape in shapes.items():
        fan_in = int(np.prod(shape[1:]))
        if key.startswith("upscore"):
            weights[key] = bilinear(shape)
        elif len(shape) == 1:
            weights[key] = generator.standard_normal(shape, np.float32) * np.float32(0.1)
        else:
            gain = {"conv1_1.weight": 0.25}.get(key, 1.0)
            spread = np.float32(gain * np.sqrt(2 / fan_in))
            weights[key] = generator.standard_normal(shape, np.float32) * spread
    save_file(weights, arguments.weights)
    image = picture(f"full-size-{arguments.seed}", 1, SIZE, SIZE)
    np.save(arguments.input, normalized(image, FCN_IMAGE))
    if arguments.png:
        Image.fromarray(image[0]).save(arguments.png)


def bilinear(shape):
    ramp = 1 - np.abs(np.arange(shape[2]) - (shape[2] - 1) / 2) / (shape[2] // 2)
    weight = np.zeros(shape, np.float32)
    weight[range(shape[0]), range(shape[0])] = np.outer(ramp, ramp)
    return weight


def run(arguments):
    weights = {key: value.astype(np.float32) for key, value in load_file(arguments.weights).items()}
    count = sum(value.size for value in weights.values())
    image = np.load(arguments.input).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    model = fcn.onnx_model("8s", weights).SerializeToString()
    del weights
    started = time.perf_counter()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    loaded = time.perf_counter()
    (scores,) = session.run(["scores"], {"image": image})
    finished = time.perf_counter()
    if arguments.scores:
        np.save(arguments.scores, scores)
    record = {
        "network": "fcn8s",
        "parameters": count,
        "input": list(image.shape),
        "onnxruntime": onnxruntime.__version__,
        "threads": arguments.threads,
        "load_seconds": round(loaded - started, 3),
        "run_seconds": round(finished - loaded, 3),
        "score_max_abs": float(np.abs(scores).max()),
        "classes_seen": len(np.unique(scores.argmax(1))),
    }
    if arguments.compare:
        record |= comparison(scores, np.load(arguments.compare))
    text = json.dumps(record)
    print(text)
    if arguments.record:
        Path(arguments.record).write_text(text + "\n")


def comparison(scores, other):
    """How far `other` is from `scores`; `widest_margin_lost` is the largest lead that was overturned."""
    if other.shape != scores.shape:
        raise SystemExit(f"shapes differ: {other.shape} against {scores.shape}")
    if not np.isfinite(other).all():
        raise SystemExit("the compared scores are not all finite")
    error = np.abs(other.astype(np.float64) - scores)
    ordered = np.sort(scores, 1)
    margin = ordered[:, -1] - ordered[:, -2]
    differ = scores.argmax(1) != other.argmax(1)
    return {
        "argmax_agreement": float(1 - differ.mean()),
        "argmax_differences": int(differ.sum()),
        "widest_margin_lost": float(margin[differ].max()) if differ.any() else 0.0,
        "max_abs_error": float(error.max()),
        "mean_abs_error": float(error.mean()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make", help="write seeded weights and an input")
    runner = commands.add_parser("run", help="run the network, compare scores")
    for command in (maker, runner):
        command.add_argument("--weights", required=True, help="safetensors, pytorch-fcn's names")
        command.add_argument("--input", required=True, help=".npy, 1x3xHxW, normalised f32")
    maker.add_argument("--seed", type=int, default=1)
    maker.add_argument("--png", help="where to write the picture that the input was made of")
    runner.add_argument("--scores", help="where to write ONNX Runtime's scores (.npy)")
    runner.add_argument("--compare", help="scores to compare (.npy, 1x21xHxW)")
    runner.add_argument("--record", help="where to write the JSON record")
    runner.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    {"make": make, "run": run}[arguments.command](arguments)


if __name__ == "__main__":
    main()
