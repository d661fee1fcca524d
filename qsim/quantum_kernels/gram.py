"""Gram matrices of states: matrix products, in tiles where memory asks for it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from qsim.errors import MemoryBudgetError
from qsim.memory import check_free_memory, format_bytes

__all__ = ["StateRows", "fidelities", "fidelity_gram", "symmetric_fidelities"]

RealArray = npt.NDArray[np.floating[Any]]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: Rows of the product that is held before its absolute square is taken.
_ROWS = 512
#: States that are streamed past a block that is held: enough for the matrix product to be efficient.
_STREAMED = 128


class StateRows(Protocol):
    """Where states come from: encoded when asked for, or kept."""

    @property
    def count(self) -> int: ...

    @property
    def state_bytes(self) -> int: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def states(self, first: int, stop: int) -> ComplexArray: ...


def fidelity_gram(left: StateRows, right: StateRows | None, max_memory: int) -> RealArray:
    """``|<a_i|b_j>|**2`` for all pairs, or all pairs of `left` with itself.

    Parameters
    ----------
    left : StateRows
    right : StateRows, optional
        None: the matrix is symmetric, and one half is computed.
    max_memory : int
        Bytes for states and products, beside the result.

    Returns
    -------
    ndarray, shape (left.count, right.count)
        float64, or float32 for states in single precision.

    Notes
    -----
    O(rows * columns * 2**n) multiplications, half of that where it is symmetric. Where the states do not all
    fit, a block of rows is held and the others are streamed past it, so states are made again for each block.
    """
    real = np.dtype(np.float32 if left.dtype == np.complex64 else np.float64)
    rows, columns = left.count, left.count if right is None else right.count
    check_free_memory(
        rows * columns * real.itemsize,
        f"A kernel matrix of {rows} by {columns}",
        "Use fewer rows, or nystroem features.",
    )
    out = np.empty((rows, columns), dtype=real)
    if not out.size:
        return out
    size = left.state_bytes
    if right is None and 2 * rows * size + (rows + 2 * _ROWS) * rows * real.itemsize <= max_memory:
        symmetric_fidelities(left.states(0, rows), out)
        return out
    held, streamed, at_once = _block_sizes(rows, columns, size, real.itemsize, max_memory)
    for first in range(0, rows, held):
        stop = min(rows, first + held)
        block = left.states(first, stop)
        for begin in range(first if right is None else 0, columns, streamed):
            end = min(columns, begin + streamed)
            if right is not None:
                fidelities(block, right.states(begin, end), out[first:stop, begin:end], at_once)
            elif end <= stop:  # the block has them, and what is left of the diagonal is known
                piece = slice(begin - first, end - first)
                fidelities(block[: end - first], block[piece], out[first:end, begin:end], at_once)
            else:
                fidelities(block, left.states(begin, end), out[first:stop, begin:end], at_once)
        del block  # before the next one is made
        if right is None:
            out[stop:, first:stop] = out[first:stop, stop:].T
            upper = np.triu(out[first:stop, first:stop], 1)
            out[first:stop, first:stop] = upper + upper.T
    if right is None:
        np.fill_diagonal(out, 1)
    return out


def _block_sizes(rows: int, columns: int, size: int, real_size: int, max_memory: int) -> tuple[int, int, int]:
    """Rows to hold, rows to stream past them with a conjugate copy, and rows of a product at a time."""
    streamed = max(1, min(_STREAMED, columns, max_memory // (16 * size)))
    # a complex number and two squares
    at_once = max(1, min(_ROWS, max_memory // (8 * 4 * real_size * streamed)))
    left = max_memory - 2 * streamed * size - at_once * streamed * 4 * real_size
    held = min(rows, left // size)
    if held < 1:
        raise MemoryBudgetError(
            f"Argument `max_memory` is {format_bytes(max_memory)}, but three states need "
            f"{format_bytes(3 * size)} and their products a little more. Allow more, or use "
            "precision='single' or fewer qubits."
        )
    return held, streamed, at_once


def symmetric_fidelities(states: ComplexArray, out: RealArray) -> None:
    """``|<a_i|a_j>|**2`` for all pairs, by half the work of the product of two different sets.

    With real and imaginary parts ``P`` and ``Q`` the real part of the overlaps is ``P P^T + Q Q^T``, a
    symmetric product, and the imaginary part is ``M - M^T`` with ``M = P Q^T``.
    """
    real = states.view(states.real.dtype)
    np.matmul(real, real.T, out=out)  # NumPy sees that this is symmetric, and does one half
    out *= out
    mixed = np.ascontiguousarray(states.real) @ np.ascontiguousarray(states.imag).T
    for first in range(0, len(out), _ROWS):
        part = mixed[first : first + _ROWS] - mixed[:, first : first + _ROWS].T
        part *= part
        out[first : first + _ROWS] += part
    np.minimum(out, 1, out=out)  # rounding
    np.fill_diagonal(out, 1)


def fidelities(left: ComplexArray, right: ComplexArray, out: RealArray, at_once: int = _ROWS) -> None:
    """``|<a_i|b_j>|**2`` of states (rows, 2**n) and (columns, 2**n), by products of `at_once` rows."""
    turned = right.conj().T
    for first in range(0, len(left), at_once):
        product = left[first : first + at_once] @ turned
        part = out[first : first + at_once]
        np.multiply(product.real, product.real, out=part)
        part += np.square(product.imag)
    np.minimum(out, 1, out=out)  # rounding
