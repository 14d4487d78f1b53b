"""Runs the same workloads through Switchback and its peers on one adapter and prints one table.

    python compare.py --switchback ../../target/release/switchback --json record.jsonl

Every measurement is a process of its own, one at a time; rounds go through all peers, so that a disturbance does not
hit one alone. Times are from operands in host memory to results in host memory, by wall clock; where a peer can say how
long the device worked, a second table compares that: of many runs in a row, divided by their number, where a peer can do so.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from math import floor, log10
from pathlib import Path

import numpy as np

import check
import decoders
import fcn8s
from workloads import DECODERS, FCN8S, NETWORKS, WORKLOADS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Peers that compute on the same kind of device as Switchback; the others are there for scale.
RIVALS = ("ncnn", "onnxruntime", "burn", "pytorch cuda")
LIMIT = 600
# What a table compares, the first that a row has: calls that are replayed, as Switchback's runs of a pass are, before single ones.
CLOCKS = {"host": ["host_min_ms"], "device": ["replayed_min_ms", "device_min_ms"]}


class Bench:
    """What is measured with what."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.element = ["--element", arguments.element]

    def weights(self, network):
        """The file that every peer reads: seeded numbers, made when it is first asked for."""
        if network is FCN8S and self.arguments.weights:
            return self.arguments.weights
        path = self.folder / f"{network.op}.safetensors"
        if not path.exists():
            from safetensors.numpy import save_file

            save_file(fcn8s.published_weights() if network is FCN8S else decoders.seeded_weights(network.op), path)
        return str(path)

    def measure(self, peer, workload):
        """A row, or one that says why there is none."""
        if (peer == "burn" and workload in NETWORKS) or (peer not in ("switchback", "pytorch") and workload in DECODERS):
            return {"peer": peer, "workload": workload.name, "unsupported": True}
        command = self.command(peer, workload)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, cwd=HERE)
        except subprocess.TimeoutExpired:
            return {"peer": peer, "workload": workload.name, "error": f"took more than {LIMIT} s"}
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
            return {"peer": peer, "workload": workload.name, "error": last[:300]}
        row = switchback_row(workload, lines) if peer == "switchback" else lines[-1] | {"workload": workload.name}
        if peer == "burn" and workload.weight:
            output = np.fromfile(self.folder / "output", "<f4").reshape(workload.output)
            check.check(workload, *workload.operands(), output)
        if peer == "pytorch" and not row.get("adapter", "CPU").startswith("CPU"):
            row["peer"] = "pytorch cuda"
        return row

    def command(self, peer, workload):
        seconds = ["--seconds", str(self.arguments.seconds)]
        weights = ["--weights", self.weights(workload)] if workload in NETWORKS else []
        if peer == "switchback":
            command = [self.arguments.switchback, "bench", "--json", "-", "--whole", *seconds]
            return [*command, *switchback_words(workload), *weights, *self.element]
        if peer == "burn":
            for name, values in zip(("x", "weight"), workload.operands()):
                if values is not None:
                    values.astype("<f4").tofile(self.folder / name)
            return [self.arguments.burn, *burn_words(workload), str(self.arguments.seconds), str(self.folder)]
        python = self.arguments.pytorch if peer == "pytorch" else sys.executable
        return [python, "worker.py", peer, workload.name, *seconds, *weights, *self.element]


def switchback_words(workload):
    """The workload on `switchback bench`'s command line."""
    if workload in NETWORKS:
        return [workload.op, "--size", "x".join(map(str, workload.input[2:]))]
    op = {"max_pool2d_switches": "max_pool2d"}.get(workload.op, workload.op)
    words = [op, "--input", "x".join(map(str, workload.input))]
    if workload.weight:
        words += ["--weight", "x".join(map(str, workload.weight)), "--groups", str(workload.groups)]
        words += ["--pad", str(workload.pad), "--stride", str(workload.stride)]
    else:
        words += ["--kernel", "2"]
    return words + (["--variant", "switches"] if workload.op == "max_pool2d_switches" else [])


def burn_words(workload):
    numbers = [*workload.input, *(workload.weight or (0, 0, 0, 0)), workload.stride, workload.pad, workload.groups]
    return [workload.op, *map(str, numbers)]


def switchback_row(workload, lines):
    *nodes, whole = lines
    row = {"peer": "switchback", "workload": workload.name, "adapter": whole["adapter"], "driver": whole["driver"]}
    row |= {"verified": whole["verified"], "samples": whole["samples"]}
    row |= {"host_min_ms": whole["min_ms"], "host_median_ms": whole["median_ms"]}
    if workload in NETWORKS:
        row["peak_bytes"] = whole["peak_bytes"]
        row["unpooling_share"] = sum(node["time_share"] for node in nodes if node["op"] == "max_unpool2d")
        row["nodes"] = {node["label"]: [node["variant"], round(node["median_ms"], 3)] for node in nodes}
        measured = nodes
    else:
        measured = [node for node in nodes if node["op"] == workload.op.removesuffix("_switches")]
        row["variant"] = measured[-1]["variant"]
        row["runs_a_pass"] = measured[-1]["runs_a_pass"]
        single = ("single_min_ms", "single_median_ms")
        row |= {field: measured[-1][field] for field in single if measured[-1][field] is not None}
    if workload.op == "max_unpool2d":
        # The whole run is that of a pooling and its unpooling.
        del row["host_min_ms"], row["host_median_ms"]
    if measured[-1]["timer"] == "gpu timestamps":
        row["device_min_ms"] = sum(node["min_ms"] for node in measured)
        row["device_median_ms"] = sum(node["median_ms"] for node in measured)
    return row


def best_of(rows):
    """Rounds of one peer and workload as one row: the best of all, the median of the rounds' medians."""
    good = [row for row in rows if "error" not in row and "unsupported" not in row]
    if not good:
        return rows[-1]
    merged = dict(good[-1])
    for clock in ("host", "device", "single", "replayed"):
        timed = [row for row in good if f"{clock}_min_ms" in row]
        if timed:
            merged[f"{clock}_min_ms"] = min(row[f"{clock}_min_ms"] for row in timed)
            medians = sorted(row[f"{clock}_median_ms"] for row in timed)
            merged[f"{clock}_median_ms"] = medians[len(medians) // 2]
    return merged | {"rounds": len(good)}


def table(rows, peers, clock):
    """Best time of each peer, its rate where there are multiply-adds, and how far ahead Switchback is."""
    print(f"\nBest of many, {'host to host' if clock == 'host' else 'on the device'}: ms (effective GFLOP/s)\n")
    called = []
    print("| workload | " + " | ".join(peers) + " | ahead of the best peer |")
    print("|---" * (len(peers) + 2) + "|")
    for name, workload in WORKLOADS.items():
        cells, times = [], {}
        for peer in peers:
            row = next((row for row in rows if row["peer"] == peer and row["workload"] == name), {})
            field = next((field for field in CLOCKS[clock] if field in row), None)
            if field is None:
                cells.append("failed" if "error" in row else "-")
                continue
            time = times[peer] = row[field]
            rate = f" ({workload.flops / time / 1e6:.1f})" if workload.flops else ""
            alone = field == "device_min_ms" and "replay_error" in row
            if alone:
                called.append(f"{name}: {row['replay_error']}")
            cells.append(f"{digits(time)}{rate}{' *' if alone else ''}")
        rivals = [time for peer, time in times.items() if peer in RIVALS]
        ours = times.get("switchback")
        ahead = f"{min(rivals) / ours:.2f} x" if rivals and ours else "-"
        if times:
            print(f"| {name} | " + " | ".join(cells) + f" | {ahead} |")
    if called:
        print("\n`*`: one call, the device's wait for its launch included; why it was not replayed:\n")
        print("\n".join(f"- {line}" for line in called))


def digits(time):
    """Three of them at least: on a large GPU milliseconds have thousandths that count."""
    return f"{time:.{max(2 - floor(log10(time)), 0) if time > 0 else 2}f}"


def agree(arguments, folder):
    """The slim FCN-8s of examples/digits through every peer: the scores of a photograph must agree."""
    from PIL import Image

    digits, python = ROOT / "examples" / "digits", sys.executable
    weights, scene = digits / "fcn8s-digits.safetensors", digits / "scene-1.png"
    pixels = np.asarray(Image.open(scene).convert("RGB"), np.float32)[:, :, ::-1]
    data = (pixels - np.float32([104.00699, 116.66877, 122.67892])).transpose(2, 0, 1)[None]
    np.save(folder / "data.npy", np.ascontiguousarray(data))
    segment = [arguments.switchback, "segment", scene, "--weights", weights, "--out", folder, "--scores"]
    element = ["--element", arguments.element]
    subprocess.run([*segment, *element], check=True, capture_output=True)
    expected = np.load(folder / "scene-1.scores.npy")
    for peer in arguments.peers:
        if peer in ("switchback", "burn"):
            continue
        interpreter = arguments.pytorch if peer == "pytorch" else python
        saved = folder / f"{peer}.npy"
        words = [peer, FCN8S.name, "--weights", weights, "--input", folder / "data.npy", "--save", saved]
        done = subprocess.run([interpreter, "worker.py", *words, *element], cwd=HERE, capture_output=True, text=True)
        if done.returncode:
            print(f"agreement: {peer} failed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
            continue
        error = check.close(peer, np.load(saved), expected, arguments.element)
        print(f"agreement: {peer}'s scores differ by at most {error:.2e} of {np.abs(expected).max():.1f}")


def agree_decoders(arguments, folder):
    """Slim networks that unpool through PyTorch: the scores of a photograph must be Switchback's."""
    from PIL import Image
    from safetensors.numpy import save_file

    scene = ROOT / "examples" / "digits" / "scene-6.png"
    for network in (workload for workload in DECODERS if workload.name in arguments.workloads):
        weights, divisor = folder / "slim.safetensors", 16
        save_file(decoders.seeded_weights(network.op, divisor), weights)
        pixels = np.asarray(Image.open(scene).convert("RGB"), np.float32)[:, :, ::-1]
        mean = np.float32([104.00699, 116.66877, 122.67892] if network.op == "deconvnet" else [0, 0, 0])
        np.save(folder / "data.npy", np.ascontiguousarray((pixels - mean).transpose(2, 0, 1)[None]))
        segment = [arguments.switchback, "segment", scene, "--model", network.op, "--weights", weights]
        subprocess.run([*segment, "--out", folder, "--scores"], check=True, capture_output=True)
        expected, saved = np.load(folder / "scene-6.scores.npy"), folder / "pytorch.npy"
        words = ["pytorch", network.name, "--weights", weights, "--slim", str(divisor), "--input", folder / "data.npy"]
        subprocess.run([arguments.pytorch, "worker.py", *words, "--save", saved], cwd=HERE, check=True, capture_output=True)
        others = check.close_but_for_ties("pytorch", np.load(saved), expected)
        print(f"agreement: {network.name}: {others} of {expected.size} scores are others in PyTorch, for ties of switches")


def processor():
    """The processor's name, which decides what a software driver's compiler makes of a kernel; its architecture where it has none."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--switchback", default=str(ROOT / "target" / "release" / "switchback"))
    parser.add_argument("--burn", type=os.path.abspath, help="the program built in burn/; left out by default: its tuning takes minutes")
    parser.add_argument("--pytorch", default=sys.executable, help="a Python that has PyTorch, if this one has not")
    parser.add_argument("--peers", help="in this order; switchback,ncnn,onnxruntime,pytorch, in f16 switchback,pytorch")
    parser.add_argument("--element", choices=["f32", "f16"], default="f32", help="f16: Switchback and PyTorch only, in channels_last")
    parser.add_argument("--workloads", default="", help="only those whose name contains one of these, comma-separated")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement, besides preparation")
    parser.add_argument("--weights", help="FCN-8s: safetensors in pytorch-fcn's names instead of seeded numbers")
    parser.add_argument("--json", help="append one line a peer and workload to this file")
    parser.add_argument("--no-agreement", action="store_true", help="leave out the comparison of scores")
    arguments = parser.parse_args()
    arguments.switchback = os.path.abspath(arguments.switchback)
    every = "switchback,pytorch" if arguments.element == "f16" else "switchback,ncnn,onnxruntime,pytorch"
    arguments.peers = (arguments.peers or every).split(",") + (["burn"] if arguments.burn else [])
    if arguments.element == "f16" and not {"switchback", "pytorch"} >= set(arguments.peers):
        parser.error("in f16 there are Switchback and PyTorch only")
    wanted = [word for word in arguments.workloads.split(",") if word]
    arguments.workloads = [name for name in WORKLOADS if not wanted or any(word in name for word in wanted)]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if not arguments.no_agreement:
            agree(arguments, folder)
            # In f16 the networks that unpool differ by switches of near ties (docs/HALF.md); each node is checked by itself.
            if {"switchback", "pytorch"} <= set(arguments.peers) and arguments.element == "f32":
                agree_decoders(arguments, folder)
        bench, rows = Bench(arguments, folder), []
        for name in arguments.workloads:
            rounds = {peer: [] for peer in arguments.peers}
            for _ in range(1 if WORKLOADS[name] in NETWORKS else arguments.rounds):
                for peer, found in rounds.items():
                    # What failed or is not there once will be so again.
                    if not found or "host_min_ms" in found[-1] or "device_min_ms" in found[-1]:
                        found.append(bench.measure(peer, WORKLOADS[name]))
            for found in rounds.values():
                row = best_of(found)
                print(json.dumps(row), file=sys.stderr, flush=True)
                rows.append(row)
    if arguments.json:
        stamp = {"date": datetime.date.today().isoformat(), "element": arguments.element, "cpu": processor(), "cores": os.cpu_count()}
        with open(arguments.json, "a") as file:
            file.writelines(json.dumps(stamp | row) + "\n" for row in rows)
    peers = list(dict.fromkeys(row["peer"] for row in rows))
    table(rows, peers, "host")
    if any("device_min_ms" in row for row in rows):
        table(rows, [peer for peer in peers if any(row["peer"] == peer and "device_min_ms" in row for row in rows)], "device")


if __name__ == "__main__":
    main()
