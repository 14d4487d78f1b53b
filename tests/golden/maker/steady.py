"""Finds the patches of a picture to redraw so that no run hangs by a hair; prints `touches.py`.

    python -m maker.steady > touches.py && mv touches.py maker/

Among tens of thousands of pooling windows some are all but tied, and there a last bit moves a switch
and with it a whole neighbourhood of the scores. Patches of 3x3 pixels beside such a window, or beside a
pixel with two classes as close, are redrawn and kept whenever fewer are left, until none is.
"""

import numpy as np
import torch

from . import decoder_runs, views
from .networks import normalized, picture
from .program import run

# Somewhat more than the generator demands.
LEAST = 1.25 * decoder_runs.LEAST_LEAD


def close_calls(net, weights, how, image, bounds):
    """(image, row, column, reach) of each window and pixel whose lead is under its bound."""
    precise = run(net, weights, normalized(image, how), precise=True)
    calls = []
    for pool in net.of_kind("pool"):
        if pool.name not in bounds:
            continue
        leads = decoder_runs.window_leads(precise.signed[pool.bottoms[0]], pool.params["ceil"])
        reach = 2 ** int(pool.name[-1])
        for n, _, row, column in torch.nonzero(leads < bounds[pool.name]).tolist():
            calls.append((n, row * reach, column * reach, reach))
    if "scores" in bounds:
        best, second = precise.maps["scores"].topk(2, 1).values.unbind(1)
        for n, row, column in torch.nonzero(best - second < bounds["scores"]).tolist():
            calls.append((n, row, column, 1))
    return calls


def touches(name, net, weights, how, image, pools, labels):
    x = normalized(image, how)
    precise = run(net, weights, x, precise=True)
    singles, _ = decoder_runs.f32_runs(net, weights, x)
    bounds = {pool.name: LEAST * decoder_runs.f32_error(pool, precise, singles) for pool in pools}
    if labels:
        errors = [float((one.maps["scores"] - precise.maps["scores"]).abs().max()) for one in singles]
        bounds["scores"] = LEAST * max(errors)
    found, seed = [], 0
    chance = np.random.Generator(np.random.PCG64(1))
    calls = close_calls(net, weights, how, image, bounds)
    while calls:
        number, row, column, reach = calls[chance.integers(len(calls))]
        row, column = (
            int(np.clip(start + chance.integers(-2, reach), 0, max(extent - 3, 0)))
            for start, extent in zip((row, column), image.shape[1:3])
        )
        seed += 1
        trial = image.copy()
        decoder_runs.touch(name, trial, number, row, column, seed)
        left = close_calls(net, weights, how, trial, bounds)
        if len(left) < len(calls):
            image, calls = trial, left
            found.append((number, row, column, seed))
    return tuple(found)


def all_touches():
    for net_name, *extent in decoder_runs.RUNS:
        net, how, _, _ = decoder_runs.NETWORKS[net_name]
        name = "x".join(map(str, [f"{net_name}-{extent[0]}", *extent[1:]]))
        weights = decoder_runs.make_weights(net_name)
        pools, labels = decoder_runs.pools_with_switches(net), net_name not in decoder_runs.UNLABELLED
        if extent[1] > 1:
            yield name, touches(name, net, weights, how, picture(name, *extent), pools, labels)
    for name, net, weights, how, image in views.forwards():
        yield name, touches(name, net, weights, how, image, net.of_kind("pool"), False)


def main():
    print(
        '"""Patches to redraw: image, row, column, seed. `steady` found them and writes this file."""\n'
    )
    print("TOUCHES = {")
    for name, found in all_touches():
        if found:
            print(f'    "{name}": (')
            for start in range(0, len(found), 5):
                print("        " + " ".join(f"{entry}," for entry in found[start : start + 5]))
            print("    ),")
    print("}")


if __name__ == "__main__":
    main()
