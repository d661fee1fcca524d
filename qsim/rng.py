"""Seeds: one stream of random numbers for each row of a batch, whatever backend or thread runs it.

A row has a generator, keyed by the seed and the row. Each read-out takes one number from it, the key of a
stream of SplitMix64; shot i of the read-out is decided by number i of that stream.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError

__all__ = ["numbered_keys", "root_sequence", "row_generator", "stream_key", "uniforms"]


def root_sequence(seed: Any) -> np.random.SeedSequence:
    """The root of all streams of one call.

    Parameters
    ----------
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
        None takes entropy from the system. A generator is advanced by one draw.

    Raises
    ------
    TypeError, ArgumentError
    """
    if seed is None:
        return np.random.SeedSequence()
    if isinstance(seed, np.random.SeedSequence):
        return seed
    if isinstance(seed, np.random.Generator):
        return np.random.SeedSequence(int(seed.integers(1 << 63)))
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, numbers.Integral):
        raise TypeError(
            f"Argument `seed` must be None, an int, a SeedSequence or a Generator, but is "
            f"{type(seed).__name__}."
        )
    if seed < 0:
        raise ArgumentError(f"Argument `seed` must not be negative, but is {seed}.")
    return np.random.SeedSequence(int(seed))


def row_generator(root: np.random.SeedSequence, row: int) -> np.random.Generator:
    """The generator of one row of a batch: Philox, keyed by the root and the row."""
    sequence = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, row))
    return np.random.Generator(np.random.Philox(sequence))


def stream_key(generator: np.random.Generator) -> int:
    """The key of the next stream."""
    return int(generator.integers(1 << 64, dtype=np.uint64))


def uniforms(key: int, count: int) -> npt.NDArray[np.float64]:
    """The first numbers in [0, 1) of a stream: what the backends look up when they sample.

    References
    ----------
    .. [1] G. L. Steele, D. Lea and C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    return (
        _split_mix(np.uint64(key), np.arange(1, count + 1, dtype=np.uint64)) >> np.uint64(11)
    ) * np.float64(2.0**-53)


def numbered_keys(key: npt.NDArray[np.uint64], numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Keys of streams: those with these numbers in the streams `key`, which broadcast with them."""
    return _split_mix(key, numbers.astype(np.uint64) + np.uint64(1))


def _split_mix(key: Any, counts: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    z = counts * np.uint64(0x9E3779B97F4A7C15)
    z += key
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.asarray(z)
