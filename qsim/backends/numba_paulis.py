"""Pauli sums as the tables the Numba kernels read: terms grouped by x_mask, in batches of bounded cost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.backends.numba_tape import MAX_QUBITS, count_bits
from qsim.errors import ArgumentError

__all__ = ["CompiledPaulis", "compile_paulis"]

#: Limits of one batch: what a kernel call does to one chunk of a state stays far below 0.2 s.
MAX_TERMS = 1 << 16
MAX_GROUPS = 256


class CompiledPaulis:
    """Pauli terms of several observables, sorted by x_mask; immutable once built.

    Attributes
    ----------
    groups : ndarray (num_groups, 5), int64
        x_mask, first term, end of terms, union of the z_masks, parts needed (1 real, 2 imaginary).
    terms : ndarray (num_terms, 3), int64
        z_mask, observable, 1 if the imaginary part is needed.
    coefficients : ndarray (num_terms,), float64
        With the sign that i**popcount(x & z) leaves.
    batches : list of (first group, end of groups)
    """

    def __init__(
        self,
        num_qubits: int,
        num_observables: int,
        groups: npt.NDArray[np.int64],
        terms: npt.NDArray[np.int64],
        coefficients: npt.NDArray[np.float64],
    ) -> None:
        self.num_qubits = num_qubits
        self.num_observables = num_observables
        self.groups = groups
        self.terms = terms
        self.coefficients = coefficients
        self.batches: list[tuple[int, int]] = []
        first = count = 0
        for g, size in enumerate((groups[:, 2] - groups[:, 1]).tolist()):
            if g > first and (count + size > MAX_TERMS or g - first >= MAX_GROUPS):
                self.batches.append((first, g))
                first, count = g, 0
            count += size
        if len(groups):
            self.batches.append((first, len(groups)))
        #: Nanoseconds for one amplitude, roughly
        self.cost = 2.5 * len(groups) + len(terms) / 64


def compile_paulis(
    num_qubits: int, x_masks: Any, z_masks: Any, coefficients: Any, offsets: Any
) -> CompiledPaulis:
    """Check and group the Pauli terms of ``len(offsets) - 1`` observables.

    Raises
    ------
    ArgumentError
        If lengths differ, a mask has a bit beyond `num_qubits`, or `offsets` do not cover the terms in order.
    """
    if not 0 <= num_qubits <= MAX_QUBITS:
        raise ArgumentError(f"Argument `num_qubits` must be 0 to {MAX_QUBITS}, but is {num_qubits}.")
    x_masks = np.ascontiguousarray(x_masks, dtype=np.uint64)
    z_masks = np.ascontiguousarray(z_masks, dtype=np.uint64)
    coefficients = np.ascontiguousarray(coefficients, dtype=np.float64)
    offsets = np.ascontiguousarray(offsets, dtype=np.int64)
    if x_masks.ndim != 1 or x_masks.shape != z_masks.shape or x_masks.shape != coefficients.shape:
        raise ArgumentError(
            "Arguments `x_masks`, `z_masks` and `coefficients` must be 1-D and equally long, but have shapes "
            f"{x_masks.shape}, {z_masks.shape} and {coefficients.shape}."
        )
    if ((x_masks | z_masks) >> np.uint64(num_qubits)).any():
        raise ArgumentError(
            f"Arguments `x_masks` and `z_masks` must have no bit beyond their {num_qubits} qubits."
        )
    if offsets.ndim != 1 or len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(x_masks):
        raise ArgumentError("Argument `offsets` must begin with 0 and end with the number of terms.")
    if (np.diff(offsets) < 0).any():
        raise ArgumentError("Argument `offsets` must not decrease.")

    x, z = x_masks.astype(np.int64), z_masks.astype(np.int64)
    observables = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((observables, x))
    x, z, observables, coefficients = x[order], z[order], observables[order], coefficients[order]
    turns = count_bits(x & z) & 3  # P has the factor i**turns: real parts +re, -im, -re, +im
    coefficients = np.where((turns == 1) | (turns == 2), -coefficients, coefficients)
    terms = np.stack([z, observables, turns & 1], axis=1).astype(np.int64)

    edges = np.append(np.flatnonzero(np.diff(x, prepend=-1)), len(x))  # a new x_mask begins
    pieces = [np.arange(a, b, MAX_TERMS) for a, b in pairwise(edges.tolist())]
    starts = np.concatenate([*pieces, np.zeros(0, np.int64)])
    groups = np.zeros((len(starts), 5), np.int64)
    if len(starts):
        groups[:, 0] = x[starts]
        groups[:, 1] = starts
        groups[:, 2] = np.append(starts[1:], len(x))
        groups[:, 3] = np.bitwise_or.reduceat(z, starts)
        groups[:, 4] = np.bitwise_or.reduceat(np.where(terms[:, 2] == 1, 2, 1), starts)
    return CompiledPaulis(num_qubits, len(offsets) - 1, groups, terms, coefficients)
