"""A golden case: one operator, its parameters, operands and expected results.

`Case.solve` asks every runtime that can express the case, demands that they agree, and decides what
is written down:

* a case is *exact* when every partial sum, in any order, is representable in f32; then all runtimes
  must give the same bits and a correct implementation must too;
* otherwise the stored result is PyTorch's in float64, rounded once to f32. It differs from the true
  value by half a unit in the last place, so an f64 oracle can be held to 2^-23 relative, and an f32
  kernel to its own error bound.
"""

from dataclasses import dataclass, field

import numpy as np

from . import literal, onnx_runtime, torch_runtime

RUNTIMES = {
    "pytorch": torch_runtime.run,
    "onnxruntime": onnx_runtime.run,
    "onnx-reference": onnx_runtime.run_reference,
    "numpy-literal": literal.run,
}


@dataclass
class Case:
    name: str
    op: str
    why: str
    params: dict
    inputs: dict
    # Typed-in results, for cases whose numbers come from a document.
    expected: dict = None
    # A choice on which frameworks differ, for the reader who chooses otherwise.
    contested: str = None
    # Filled in by `solve`: who computed the results, and who computed the same.
    source: str = ""
    outputs: dict = field(default_factory=dict)
    agrees: list = field(default_factory=list)
    exact: bool = True

    def solve(self):
        """Fills in the outputs; raises when two runtimes disagree."""
        answers = {name: run(self.op, self.params, self.inputs) for name, run in RUNTIMES.items()}
        answers = {name: answer for name, answer in answers.items() if answer is not None}
        if self.expected is not None:
            answers = {"numpy-literal": self.expected, **answers}
        if not answers:
            raise ValueError(f"{self.name}: no runtime can express this case")

        self.exact = is_exact(self.op, self.params, self.inputs)
        source = next(iter(answers))
        if not self.exact:
            if "pytorch" not in answers:
                raise ValueError(f"{self.name}: an inexact case needs PyTorch in float64")
            source = "pytorch"
            precise = torch_runtime.run(self.op, self.params, self.inputs, precise=True)
            answers["float64"] = {key: as_stored(value) for key, value in precise.items()}
        truth = answers["float64" if not self.exact else source]
        slack = 0.0 if self.exact else error_bound(self.op, self.params, self.inputs)
        for name, answer in answers.items():
            for key, value in truth.items():
                demand_equal(f"{self.name}: {name} against {source}: {key}", answer[key], value, slack)
        self.source = source
        self.agrees = sorted(set(answers) - {source, "float64"})
        self.outputs = {key: as_stored(value) for key, value in truth.items()}

    def record(self):
        """The case as JSON data; tensors are named `case/operand`."""
        record = {
            "name": self.name,
            "op": self.op,
            "runtime": self.source,
            "agrees": self.agrees,
            "exact": self.exact,
            "finite": all(np.isfinite(t).all() for t in self.tensors().values()),
            "params": self.params,
            "inputs": {key: f"{self.name}/{key}" for key in self.inputs},
            "outputs": {key: f"{self.name}/{key}" for key in self.outputs},
            "why": self.why,
        }
        if self.contested:
            record["contested"] = self.contested
        return record

    def tensors(self):
        named = {f"{self.name}/{key}": value for key, value in (self.inputs | self.outputs).items()}
        assert len(named) == len(self.inputs) + len(self.outputs), self.name
        return named


def as_stored(value):
    """float64 becomes f32, signed zeros become +0: goldens do not distinguish the zeros."""
    value = np.ascontiguousarray(value)
    if value.dtype in (np.float32, np.float64):
        with np.errstate(over="ignore", under="ignore"):
            value = value.astype(np.float32) + np.float32(0)
    return value


def demand_equal(what, found, wanted, slack):
    """Positive acceptance, element by element: NaN equals only NaN, infinities only themselves."""
    if found.shape != wanted.shape:
        raise ValueError(f"{what}: shape {found.shape}, wanted {wanted.shape}")
    with np.errstate(invalid="ignore"):
        close = np.abs(found.astype(np.float64) - wanted.astype(np.float64)) <= slack
    accepted = close | (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    if not accepted.all():
        worst = tuple(int(i) for i in np.argwhere(~accepted)[0])
        raise ValueError(
            f"{what}: {np.count_nonzero(~accepted)} of {found.size} differ, first at {worst}: "
            f"found {found[worst]}, wanted {wanted[worst]}"
        )


LINEAR = {"conv2d", "conv_transpose2d", "scale", "normalize"}
# These divide, take roots or exponentials.
ROUNDED = {"softmax_channels", "batch_norm", "lrn"}


def is_exact(op, params, inputs):
    """Whether every order of summation in f32 gives the same, exact result."""
    if op in ROUNDED:
        return False
    if op == "bilinear":
        size = params["kernel"][0]
        return ((size + 1) // 2).bit_count() == 1  # otherwise the ramp has thirds and the like
    if op not in LINEAR:
        return True  # these move, compare or add two numbers: one rounding at most
    if op == "scale" and "shift" not in inputs:
        return True  # one product, rounded once
    operands = {key: np.asarray(value, np.float64) for key, value in inputs.items()}
    if op == "normalize":
        operands |= {key: np.asarray(params[key]) for key in ("mean", "scale")}
    if not all(np.isfinite(value).all() for value in operands.values()):
        return True  # such cases keep their finite part to small integers
    weight = operands.get("weight", operands.get("scale"))
    offset = operands.get("bias", operands.get("shift", np.zeros(1)))
    # An offset that is taken off before the product counts with the input.
    x = np.append(operands["x"], operands.get("mean", 0.0))
    unit = min(granularity(x) * granularity(weight), granularity(offset))
    return float(np.max(magnitude(op, params, inputs))) / unit <= 2.0**24


def granularity(values):
    """The largest power of two, at most one, that divides every value."""
    unit = 1.0
    while np.any(np.mod(values / unit, 1.0)):
        unit /= 2.0
    return unit


def magnitude(op, params, inputs):
    """m = sum of |x w| + |b| for each output element, in float64."""
    if op == "normalize":
        mean, scale = np.abs(params["mean"]), np.abs(params["scale"])
        return ((np.max(np.abs(inputs["x"])) + mean) * scale).reshape(1, 3, 1, 1)
    positive = {key: np.abs(value) for key, value in inputs.items()}
    if op == "batch_norm":
        positive["running_mean"] = -positive["running_mean"]  # so that it adds up with the input
    positive_params = dict(params)
    if params.get("factor") is not None:
        positive_params["factor"] = abs(params["factor"])
    return torch_runtime.run(op, positive_params, positive, precise=True)["y"]


def error_bound(op, params, inputs):
    """How far an f32 evaluation may be from the float64 one: the usual bound on a sum of K terms."""
    if op == "bilinear":
        return 2.0**-23
    if op == "softmax_channels":
        return 2e-6
    if op == "lrn":
        return 2.0**-20 * np.abs(torch_runtime.run(op, params, inputs, precise=True)["y"])
    terms = 6 if op == "batch_norm" else 1
    if op == "conv2d":
        terms = int(np.prod(inputs["weight"].shape[1:]))
    if op == "conv_transpose2d":
        terms = int(inputs["weight"].shape[0] // params["groups"] * np.prod(params["kernel"]))
    m = magnitude(op, params, inputs)
    return 1.01 * (terms + 2) * 2.0**-24 * m + terms * 2.0**-126
