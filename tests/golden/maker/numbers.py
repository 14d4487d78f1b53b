"""Seeded numbers that do not depend on any library's generator.

Every tensor is drawn from its own stream, seeded by the tensor's name: adding or reordering cases
changes no other case. The stream is SplitMix64 with a counter, so it is the same on every machine
and in every version of NumPy.
"""

import hashlib

import numpy as np

_GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def _words(name, count):
    """`count` 64-bit words of the stream called `name`."""
    seed = np.uint64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))
    with np.errstate(over="ignore"):
        z = seed + np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN_GAMMA
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _unit(name, shape):
    """Float64 in [0, 1), multiples of 2^-24."""
    words = _words(name, int(np.prod(shape)))
    return (words >> np.uint64(40)).astype(np.float64).reshape(shape) / 2.0**24


def integers(name, shape, low=-8, high=8):
    """Whole numbers in low..=high as f32: sums of their products are exact in f32."""
    return np.floor(low + _unit(name, shape) * (high - low + 1)).astype(np.float32)


def floats(name, shape, low=-1.0, high=1.0):
    """f32 spread evenly over [low, high)."""
    return (low + _unit(name, shape) * (high - low)).astype(np.float32)


def half_floats(name, shape, deviation):
    """Even spread with this standard deviation, each number exact in f16 and so also in f32."""
    return (floats(name, shape) * np.float32(deviation * np.sqrt(3.0))).astype(np.float16).astype(
        np.float32
    )


def distinct(name, shape):
    """The numbers 1..count in shuffled order as f32: no two equal, so no maximum is tied."""
    order = np.argsort(_words(name, int(np.prod(shape))), kind="stable")
    values = np.empty(order.size, np.float32)
    values[order] = np.arange(1, order.size + 1)
    return values.reshape(shape)
