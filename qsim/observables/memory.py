"""Refuse dense matrices that do not fit into the free memory, before they are allocated."""

from __future__ import annotations

from qsim.errors import MemoryBudgetError
from qsim.memory import format_bytes, free_memory

__all__ = ["require_dense", "require_sparse"]

# Below this nothing can go wrong, and asking the system would take longer than the work.
_ALWAYS_FINE = 1 << 26


def require_dense(num_qubits: int, *, copies: int = 2) -> None:
    """Raise `MemoryBudgetError` if `copies` dense complex128 matrices on `num_qubits` do not fit.

    Parameters
    ----------
    num_qubits : int
    copies : int
        How many arrays of ``4**num_qubits`` complex numbers exist at the peak.
    """
    needed = copies * 16 << (2 * num_qubits)
    free = _short_of(needed)
    if free is not None:
        fits = max(0, ((free // (16 * copies)).bit_length() - 1) // 2)
        raise MemoryBudgetError(
            f"A dense matrix on {num_qubits} qubits needs {format_bytes(needed)}, "
            f"{format_bytes(free)} is free (at most {fits} qubits fit). "
            f"Use `apply`, or `to_sparse` of a PauliSum."
        )


def require_sparse(num_qubits: int, entries_per_row: int) -> None:
    """Raise `MemoryBudgetError` if a CSR matrix with this many entries in each row does not fit."""
    # Values, column numbers and the permutation that sorts them, each before and after sorting.
    needed = (64 * entries_per_row + 8) << num_qubits
    free = _short_of(needed)
    if free is not None:
        raise MemoryBudgetError(
            f"A sparse matrix on {num_qubits} qubits with {entries_per_row} entries per row needs "
            f"{format_bytes(needed)}, {format_bytes(free)} is free. Use `apply`, which needs one state."
        )


def _short_of(needed: int) -> int | None:
    """The free memory, if it is less than `needed`."""
    if needed <= _ALWAYS_FINE:
        return None
    free = free_memory()
    return free if free is not None and needed > free else None
