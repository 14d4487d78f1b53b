"""One peer, one workload, one process: checks the result, repeats the run, prints one line of JSON.

    python worker.py ncnn "conv 3x3 64->64 @112" --seconds 1
"""

import argparse
import json
import time
from functools import partial
from statistics import median
from types import SimpleNamespace

import numpy as np

import check
import decoders
import fcn8s
from workloads import DECODERS, FCN8S, WORKLOADS

FEWEST, MOST = 3, 200
SLOW = 20  # seconds: of a run that takes longer, one is timed


def peer(name):
    """The peer's module; loaded here, because none may be in a process that measures another."""
    match name:
        case "ncnn" | "ncnn-cpu":
            import peer_ncnn as module

            if name == "ncnn-cpu":
                names = ("prepare", "prepare_fcn8s", "describe")
                return SimpleNamespace(**{name: partial(getattr(module, name), vulkan=False) for name in names})
        case "onnxruntime":
            import peer_onnxruntime as module
        case "pytorch":
            import peer_pytorch as module
    return module


def load_weights(path, workload):
    if path is None:
        return fcn8s.published_weights() if workload is FCN8S else decoders.seeded_weights(workload.op)
    from safetensors.numpy import load_file

    return {name: value.astype("float32") for name, value in load_file(path).items()}


def repeat(seconds, run):
    """Times in milliseconds, after a run to warm up."""
    fewest = FEWEST if run() < SLOW else 1
    times, end = [], time.perf_counter() + seconds
    while len(times) < fewest or (time.perf_counter() < end and len(times) < MOST):
        times.append(1e3 * run())
    return times


def replayed(run, seconds):
    """A row's fields of times by replay of many calls; where the peer's library cannot capture them, why."""
    try:
        calls, replay = run.capture()
        times = repeat(seconds, replay)
    except RuntimeError as error:
        return {"replay_error": (str(error).splitlines() or ["?"])[0]}
    return {"replayed_min_ms": min(times), "replayed_median_ms": median(times), "calls_a_replay": calls}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=["ncnn", "ncnn-cpu", "onnxruntime", "pytorch"])
    parser.add_argument("workload", choices=WORKLOADS, metavar="WORKLOAD")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--weights", help="networks: safetensors in the published names instead of seeded numbers")
    parser.add_argument("--input", help="networks: .npy, 1x3xHxW")
    parser.add_argument("--save", help="networks: only run once and write the scores here (.npy)")
    parser.add_argument("--element", choices=["f32", "f16"], default="f32", help="f16: PyTorch only, in channels_last")
    parser.add_argument("--slim", type=int, default=1, help="networks that unpool: divisor of the widths")
    arguments = parser.parse_args()
    module, workload = peer(arguments.peer), WORKLOADS[arguments.workload]
    if arguments.element == "f16":
        if not hasattr(module, "in_half"):
            parser.error(f"{arguments.peer} runs in f32 only here")
        module.in_half()
    row = {"peer": arguments.peer, "workload": workload.name, **module.describe()}
    start = time.perf_counter()
    if workload is FCN8S or workload in DECODERS:
        if not hasattr(module, "prepare_fcn8s" if workload is FCN8S else "prepare_decoder"):
            print(json.dumps(row | {"unsupported": True}))
            return
        x = np.load(arguments.input) if arguments.input else workload.operands()[0]
        weights = load_weights(arguments.weights, workload)
        if workload is FCN8S:
            run = module.prepare_fcn8s(weights, x)
        else:
            run = module.prepare_decoder(workload.op, weights, x, arguments.slim)
        if arguments.save:
            np.save(arguments.save, run())
            return
    else:
        x, weight = workload.operands()
        run = module.prepare(workload, x, weight)
        if run is None:
            print(json.dumps(row | {"unsupported": True}))
            return
        output = run()
        if weight is not None:
            check.check(workload, x, weight, output, arguments.element)
    row["prepared_ms"] = 1e3 * (time.perf_counter() - start)

    def host():
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    times = repeat(arguments.seconds, host)
    row |= {"host_min_ms": min(times), "host_median_ms": median(times), "samples": len(times)}
    if hasattr(run, "device"):
        times = repeat(arguments.seconds, run.device)
        row |= {"device_min_ms": min(times), "device_median_ms": median(times)}
    if hasattr(run, "capture"):
        row |= replayed(run, arguments.seconds)
    print(json.dumps(row))


if __name__ == "__main__":
    main()
