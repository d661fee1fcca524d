"""Seeds: one stream of random numbers for each row of a batch, whatever backend or thread runs it."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from qsim.errors import ArgumentError

__all__ = ["root_sequence", "row_generator"]


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
