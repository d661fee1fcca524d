"""Gram matrices of states: matrix products, in tiles where memory asks for it."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from qsim.errors import MemoryBudgetError
from qsim.memory import check_free_memory, format_bytes
from qsim.quantum_kernels.parallel import run_all

__all__ = ["StateRows", "fidelities", "fidelity_gram", "symmetric_fidelities"]

RealArray = npt.NDArray[np.floating[Any]]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: Rows of the product that is held before its absolute square is taken.
_ROWS = 1024
#: Pieces of these, one for each thread.
_PIECES = 16
#: Rows of a symmetric product that are squared at a time, and amplitudes of which it is a sum.
_SQUARED, _AMPLITUDES = 32, 1024
#: Complex products that take less time than to start a thread and to wake its processor.
_ALONE = 1 << 24
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


def fidelity_gram(left: StateRows, right: StateRows | None, max_memory: int, threads: int = 1) -> RealArray:
    """``|<a_i|b_j>|**2`` for all pairs, or all pairs of `left` with itself.

    Parameters
    ----------
    left : StateRows
    right : StateRows, optional
        None: the matrix is symmetric, and one half is computed.
    max_memory : int
        Bytes for states and products, beside the result.
    threads : int

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
    needed = rows * (size + min(size, _AMPLITUDES * left.dtype.itemsize))
    needed += (2 * rows + _SQUARED) * rows * real.itemsize
    if right is None and needed <= max_memory:
        _keep_heap(needed)
        symmetric_fidelities(left.states(0, rows), out, threads)
        return out
    held, streamed, at_once = _block_sizes(rows, columns, size, real.itemsize, max_memory)
    for first in range(0, rows, held):
        stop = min(rows, first + held)
        block = left.states(first, stop)
        for begin in range(first if right is None else 0, columns, streamed):
            end = min(columns, begin + streamed)
            if right is not None:
                fidelities(block, right.states(begin, end), out[first:stop, begin:end], at_once, threads)
            elif end <= stop:  # the block has them, and what is left of the diagonal is known
                piece = slice(begin - first, end - first)
                fidelities(block[: end - first], block[piece], out[first:end, begin:end], at_once, threads)
            else:
                fidelities(block, left.states(begin, end), out[first:stop, begin:end], at_once, threads)
        del block  # before the next one is made
    if right is None:
        _mirror(out)
    return out


def _mirror(out: RealArray) -> None:
    """Copy what is above the diagonal below it, and ones onto it, in place."""
    for first in range(0, len(out), _STREAMED):
        stop = first + _STREAMED
        out[stop:, first:stop] = out[first:stop, stop:].T
        upper = np.triu(out[first:stop, first:stop], 1)
        out[first:stop, first:stop] = upper + upper.T
    np.fill_diagonal(out, 1)


def _keep_heap(size: int) -> None:
    """Have the C library's heap keep so much when it is freed.

    glibc gives freed memory back to the system above twice the largest block that it has seen freed (of up to
    32 MiB), and asks for it again, page by page, in the next call: more time than a small matrix takes.
    """
    np.empty(min(size, 31 << 20), dtype=np.uint8)


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


def symmetric_fidelities(states: ComplexArray, out: RealArray, threads: int = 1) -> None:
    """``|<a_i|a_j>|**2`` for all pairs, by half the work of the product of two different sets.

    With real and imaginary parts ``P`` and ``Q`` the real part of the overlaps is ``P P^T + Q Q^T``, a
    symmetric product, and the imaginary part is ``M - M^T`` with ``M = P Q^T``: tasks of equal size.
    """
    real = states.view(states.real.dtype)
    mixed = np.empty_like(out)

    def symmetric() -> None:
        np.matmul(real, real.T, out=out)  # NumPy sees that this is symmetric, and does one half

    def antisymmetric() -> None:
        size = states.shape[1]
        for first in range(0, size, _AMPLITUDES):  # copies of a part stay in cache
            part = states[:, first : first + _AMPLITUDES]
            left, right = np.ascontiguousarray(part.real), np.ascontiguousarray(part.imag).T
            if first:
                np.add(mixed, left @ right, out=mixed)
            else:
                np.matmul(left, right, out=mixed)

    run_all([antisymmetric, symmetric], threads if out.size * states.shape[1] > _ALONE else 1)
    for first in range(0, len(out), _SQUARED):  # pieces that stay in cache
        here = out[first : first + _SQUARED]
        part = mixed[first : first + _SQUARED] - mixed[:, first : first + _SQUARED].T
        part *= part
        here *= here
        here += part
        np.minimum(here, 1, out=here)  # rounding
    np.fill_diagonal(out, 1)


def fidelities(
    left: ComplexArray, right: ComplexArray, out: RealArray, at_once: int = _ROWS, threads: int = 1
) -> None:
    """``|<a_i|b_j>|**2`` of states (rows, 2**n) and (columns, 2**n), by products of `at_once` rows."""
    turned = right.conj().T

    def task(rows: slice) -> None:
        product = left[rows] @ turned
        part = out[rows]
        np.multiply(product.real, product.real, out=part)
        part += np.square(product.imag)
        np.minimum(part, 1, out=part)  # rounding

    threads = min(threads, _PIECES) if out.size * left.shape[1] > _ALONE else 1
    each = max(1, at_once // _PIECES)  # whatever the number of threads, so that no bit depends on it
    pieces = [slice(first, first + each) for first in range(0, len(left), each)]
    run_all([partial(task, piece) for piece in pieces], threads)
