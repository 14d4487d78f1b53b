"""Is a peer's result right? Sampled cells against sums in f64, by the operators' definitions."""

import numpy as np

CELLS = 64
# Of the sum of magnitudes: Winograd's transforms and f32 sums pass, f16 and wrong layouts do not.
TOLERANCE = 1e-3
# Both operands and the result rounded to f16 take 2^-11 each; sums are in f32.
TOLERANCE_HALF = 2e-3


def check(workload, x, weight, output, element="f32"):
    """Raises where a sampled cell of `output` is wrong."""
    if tuple(output.shape) != workload.output:
        raise ValueError(f"{workload.name}: the output is {output.shape}, expected {workload.output}")
    generator = np.random.Generator(np.random.PCG64(2))
    cell = {"conv2d": conv2d, "conv_transpose2d": conv_transpose2d}[workload.op]
    for _ in range(CELLS):
        at = tuple(int(generator.integers(extent)) for extent in output.shape)
        expected, magnitude = cell(workload, x.astype(np.float64), weight, at)
        tolerance = TOLERANCE_HALF if element == "f16" else TOLERANCE
        if not abs(float(output[at]) - expected) <= tolerance * magnitude + 1e-6:
            raise ValueError(f"{workload.name}: output{at} is {output[at]}, expected {expected}")


def conv2d(workload, x, weight, at):
    n, o, row, column = at
    _, _, kh, kw = weight.shape
    top, left = row * workload.stride - workload.pad, column * workload.stride - workload.pad
    sums = 0.0, 0.0
    for i in range(kh):
        for j in range(kw):
            if 0 <= top + i < x.shape[2] and 0 <= left + j < x.shape[3]:
                sums = add(sums, x[n, :, top + i, left + j] * weight[o, :, i, j])
    return sums


def conv_transpose2d(workload, x, weight, at):
    n, o, row, column = at
    channels, outputs, kh, kw = weight.shape
    inputs = channels // workload.groups
    group = slice(o // outputs * inputs, (o // outputs + 1) * inputs)
    sums = 0.0, 0.0
    for i in range(kh):
        for j in range(kw):
            y, past_y = divmod(row + workload.pad - i, workload.stride)
            z, past_z = divmod(column + workload.pad - j, workload.stride)
            if not (past_y or past_z) and 0 <= y < x.shape[2] and 0 <= z < x.shape[3]:
                sums = add(sums, x[n, group, y, z] * weight[group, o % outputs, i, j])
    return sums


def add(sums, products):
    return sums[0] + products.sum(dtype=np.float64), sums[1] + np.abs(products).sum(dtype=np.float64)


def close(name, output, expected, element="f32"):
    """Raises where a whole network's scores are not those of another peer."""
    error = float(np.abs(output.astype(np.float64) - expected).max())
    # In f16 Switchback's scores of examples/digits are off by 6e-4 of the largest; two such differ by twice that, doubled for room.
    most = (4e-3 if element == "f16" else 1e-3) * float(np.abs(expected).max())
    if output.shape != expected.shape or not error <= most:
        raise ValueError(f"{name}: scores differ by {error}, allowed are {most}")
    return error


def close_but_for_ties(name, output, expected):
    """The same for a network that unpools: gives how many of its scores are others. A window of a pooling whose two largest
    cells are equal but for rounding has either for its switch, and what it moves reaches the scores around it: one switch
    of 68,480 made 0.15 % of SegNet-Basic's scores others."""
    most = 1e-3 * float(np.abs(expected).max())
    if output.shape != expected.shape:
        raise ValueError(f"{name}: scores of {output.shape}, expected {expected.shape}")
    others = int(np.count_nonzero(~(np.abs(output.astype(np.float64) - expected) <= most)))
    if others > expected.size // 100:
        raise ValueError(f"{name}: {others} of {expected.size} scores differ by more than {most}, allowed are 1 %")
    return others
