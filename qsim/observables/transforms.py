"""Pauli terms against amplitudes and matrices: apply, expand to a matrix, decompose a matrix.

All of it rests on one picture. The terms that share an x_mask move amplitude b to b ^ x_mask, and
together multiply it by ``d[b] = sum_t c_t i^|x & z_t| (-1)^|b & z_t|``. So d is a Walsh-Hadamard
transform of the coefficients, and the way back from a matrix is the same transform of its x-th
"diagonal" ``M[b ^ x, b]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.observables.algebra import POWERS_OF_I, Terms, concatenate
from qsim.observables.checks import ComplexArray

__all__ = [
    "apply_terms",
    "decompose_diagonal",
    "decompose_entries",
    "decompose_matrix",
    "sparse_entries",
    "terms_to_matrix",
    "walsh_hadamard",
]

# Amplitudes per block: signs, phases and products of a block stay in the second-level cache.
_BLOCK_BITS = 14


def walsh_hadamard(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Unnormalised transform ``out[..., z] = sum_b (-1)^|b & z| values[..., b]`` of the last axis.

    The last axis must be a power of two; `values` is overwritten and returned. O(N log N).

    Examples
    --------
    >>> walsh_hadamard(np.array([1.0, 2.0, 3.0, 4.0]))
    array([10., -2., -4.,  0.])
    """
    lead, size = values.shape[:-1], values.shape[-1]
    half = 1
    while half < size:
        pairs = values.reshape(*lead, size // (2 * half), 2, half)
        even, odd = pairs[..., 0, :], pairs[..., 1, :]
        difference = even - odd
        even += odd
        odd[...] = difference
        half *= 2
    return values


def apply_terms(terms: Terms, states: ComplexArray) -> ComplexArray:
    """Sum of Pauli terms times each row of `states`, shape (batch, 2**n); a new array.

    O(num_terms * 2**n) at most; groups of more terms than log2 of the block length cost a
    Walsh-Hadamard transform instead.
    """
    out = np.zeros_like(states)
    num_qubits = states.shape[1].bit_length() - 1
    block_bits = min(num_qubits, _BLOCK_BITS)
    shape = (len(states), 1 << (num_qubits - block_bits), 1 << block_bits)
    source, target = states.reshape(shape), out.reshape(shape)
    low = np.arange(1 << block_bits)
    for x_mask, z_masks, coefficients in _groups(terms):
        signs = _BlockSigns(z_masks, coefficients, block_bits)
        x_high, moved = x_mask >> block_bits, low ^ (x_mask & ((1 << block_bits) - 1))
        for block in range(shape[1]):
            factors = signs.block(block).astype(_factor_dtype(signs.dtype, states.dtype), copy=False)
            product = source[:, block] * factors
            # new[b ^ x] = d[b] old[b], read from the side of the result
            target[:, block ^ x_high] += product if x_mask == 0 else product[:, moved]
    return out


def terms_to_matrix(terms: Terms, num_qubits: int) -> npt.NDArray[np.complex128]:
    """Dense matrix of a sum of Pauli terms; O(4**n + min(num_terms, n * num_groups) * 2**n)."""
    size = 1 << num_qubits
    matrix = np.zeros((size, size), dtype=np.complex128)
    index = np.arange(size)
    for x_mask, z_masks, coefficients in _groups(terms):
        matrix[index ^ x_mask, index] += _diagonal(z_masks, coefficients, num_qubits)
    return matrix


def sparse_entries(
    terms: Terms, num_qubits: int
) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """CSR arrays ``(data, indices, indptr)`` of a sum of Pauli terms, columns ascending in each row.

    Every row has one entry per distinct x_mask, some of which may be zero.
    """
    size = 1 << num_qubits
    index = np.arange(size)
    groups = list(_groups(terms))
    data = np.empty((size, len(groups)), dtype=np.complex128)
    indices = np.empty((size, len(groups)), dtype=np.int64)
    for column, (x_mask, z_masks, coefficients) in enumerate(groups):
        indices[:, column] = index ^ x_mask
        data[:, column] = _diagonal(z_masks, coefficients, num_qubits)[indices[:, column]]
    ascending = np.argsort(indices, axis=1)
    indices = np.take_along_axis(indices, ascending, axis=1)
    data = np.take_along_axis(data, ascending, axis=1)
    return data.ravel(), indices.ravel(), np.arange(size + 1, dtype=np.int64) * len(groups)


def decompose_matrix(matrix: npt.NDArray[np.complex128]) -> Terms:
    """All 4**n Pauli coefficients of a 2**n by 2**n matrix, zeros included; O(n 4**n)."""
    size = len(matrix)
    index = np.arange(size)
    x_masks = index[:, np.newaxis]
    # Row x: the x-th diagonal, then its transform.
    values: npt.NDArray[np.complex128] = walsh_hadamard(matrix[index ^ x_masks, index])
    values /= size
    x = np.repeat(index.astype(np.uint64), size)
    z = np.tile(index.astype(np.uint64), size)
    return Terms(x, z, _undo_phase(x, z, values.ravel()))


def decompose_entries(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    data: npt.NDArray[np.complex128],
    num_qubits: int,
) -> Terms:
    """Pauli coefficients of a sparse matrix from its entries; O(n 2**n) for each distinct row ^ column."""
    size = 1 << num_qubits
    by_x = np.argsort(rows ^ columns, kind="stable")
    rows, columns, data = rows[by_x], columns[by_x], data[by_x]
    x_of_entry = rows ^ columns
    parts = []
    for start, stop in _runs(x_of_entry):
        diagonal = np.zeros(size, dtype=np.complex128)
        np.add.at(diagonal, columns[start:stop], data[start:stop])
        x_mask = int(x_of_entry[start])
        part = decompose_diagonal(diagonal, x_mask)
        parts.append(part.take(part.coefficients != 0))
    return concatenate(parts)


def decompose_diagonal(diagonal: npt.NDArray[Any], x_mask: int = 0) -> Terms:
    """All 2**n Pauli coefficients with one x_mask, from the entries ``M[b ^ x_mask, b]``; O(n 2**n)."""
    size = len(diagonal)
    values: npt.NDArray[np.complex128] = walsh_hadamard(diagonal.astype(np.complex128))
    values /= size
    z = np.arange(size, dtype=np.uint64)
    x = np.full(size, x_mask, dtype=np.uint64)
    return Terms(x, z, _undo_phase(x, z, values))


def _undo_phase(
    x: npt.NDArray[np.uint64], z: npt.NDArray[np.uint64], values: npt.NDArray[np.complex128]
) -> npt.NDArray[np.complex128]:
    """Coefficients of P = i^|x & z| X^x Z^z from those of X^x Z^z."""
    exponent = -np.bitwise_count(x & z).astype(np.int16) & 3
    return np.asarray(values * POWERS_OF_I[exponent])


def _groups(terms: Terms) -> Iterator[tuple[int, npt.NDArray[np.uint64], npt.NDArray[np.number[Any]]]]:
    """``(x_mask, z_masks, coefficients of X^x Z^z)`` per distinct x_mask; real if they all are."""
    x, z, c = terms
    by_x = np.argsort(x, kind="stable")
    x, z, c = x[by_x], z[by_x], c[by_x]
    c = c * POWERS_OF_I[np.bitwise_count(x & z) & 3]
    for start, stop in _runs(x):
        values: npt.NDArray[np.number[Any]] = c[start:stop]
        if not np.any(values.imag):
            values = np.ascontiguousarray(values.real)
        yield int(x[start]), z[start:stop], values


def _runs(values: npt.NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Start and stop of each run of equal values in a sorted array."""
    if len(values) == 0:
        return
    ends = [*(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    yield from zip([0, *ends[:-1]], ends, strict=True)


def _diagonal(
    z_masks: npt.NDArray[np.uint64], coefficients: npt.NDArray[np.number[Any]], num_qubits: int
) -> npt.NDArray[np.number[Any]]:
    """``d[b] = sum_t c_t (-1)^|b & z_t|`` for all b of `num_qubits` bits."""
    block_bits = min(num_qubits, _BLOCK_BITS)
    signs = _BlockSigns(z_masks, coefficients, block_bits)
    diagonal = np.empty((1 << (num_qubits - block_bits), 1 << block_bits), dtype=signs.dtype)
    for block in range(len(diagonal)):
        diagonal[block] = signs.block(block)
    return diagonal.ravel()


def _factor_dtype(factors: np.dtype[Any], states: np.dtype[Any]) -> np.dtype[Any]:
    """Precision of the states, real or complex as the factors are."""
    if states == np.complex64:
        return np.dtype(np.complex64 if factors.kind == "c" else np.float32)
    return factors


class _BlockSigns:
    """``sum_t c_t (-1)^|b & z_t|`` for blocks of 2**block_bits consecutive b."""

    def __init__(
        self, z_masks: npt.NDArray[np.uint64], coefficients: npt.NDArray[np.number[Any]], block_bits: int
    ) -> None:
        self.dtype = coefficients.dtype
        self._coefficients = coefficients
        self._size = 1 << block_bits
        self._z_low = z_masks & np.uint64(self._size - 1)
        self._z_high = z_masks >> np.uint64(block_bits)
        self._table: npt.NDArray[np.float64] | None = None
        if len(z_masks) <= block_bits:  # else a transform of the block is cheaper than a sum over terms
            low = np.arange(self._size, dtype=np.uint64)
            self._table = _signs(low & self._z_low[:, np.newaxis])
        # Terms on the low qubits alone give every block the same factors.
        self._same = None if np.any(self._z_high) else self._compute(0)

    def block(self, block: int) -> npt.NDArray[np.number[Any]]:
        return self._compute(block) if self._same is None else self._same

    def _compute(self, block: int) -> npt.NDArray[np.number[Any]]:
        coefficients = self._coefficients
        if block:
            coefficients = coefficients * _signs(self._z_high & np.uint64(block))
        if self._table is not None:
            return np.asarray(coefficients @ self._table)
        buckets = np.zeros(self._size, dtype=self.dtype)
        np.add.at(buckets, self._z_low, coefficients)
        return walsh_hadamard(buckets)


def _signs(masked: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """``(-1)^(number of ones)``."""
    return 1.0 - 2.0 * (np.bitwise_count(masked) & 1).astype(np.float64)
