"""Matrices, dense or SciPy sparse, on their way to Pauli terms or to CSR arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qsim._extras import require
from qsim.bitstrings import Order, check_order, reverse_bits
from qsim.errors import ObservableError
from qsim.observables import algebra
from qsim.observables.algebra import Terms
from qsim.observables.checks import check_finite, check_matrix, check_qubits, check_tolerance
from qsim.observables.memory import require_dense
from qsim.observables.transforms import decompose_entries, decompose_matrix

__all__ = [
    "Entries",
    "import_sparse",
    "is_sparse",
    "sparse_to_entries",
    "terms_of_entries",
    "terms_of_matrix",
]


class Entries(NamedTuple):
    """Entries of a 2**num_qubits square sparse matrix, each position once, sorted by row, then column."""

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    data: npt.NDArray[np.complex128]
    num_qubits: int


def import_sparse(user: str) -> Any:
    """The module `scipy.sparse`, or an `ImportError` that says how to get it."""
    return require("scipy.sparse", extra="scipy", user=f"`{user}`", name="SciPy")


def is_sparse(matrix: object) -> bool:
    """Whether `matrix` is a SciPy sparse matrix or array (SciPy itself is not imported)."""
    return hasattr(matrix, "tocoo") and hasattr(matrix, "nnz")


def sparse_to_entries(matrix: Any, order: Order = "little", name: str = "matrix") -> Entries:
    """Checked entries of a SciPy sparse or a dense matrix; duplicates added, zeros left out."""
    check_order(order)
    if is_sparse(matrix):
        shape = tuple(matrix.shape)
        size = shape[0] if len(shape) else 0
        if shape != (size, size) or size == 0 or size & (size - 1):
            raise ObservableError(
                f"Argument `{name}` must have shape (2**n, 2**n) for n qubits, but has shape {shape}."
            )
        coordinates = matrix.tocoo()
        values = np.asarray(coordinates.data)
        if values.dtype.kind not in "iufc":
            raise TypeError(f"Argument `{name}` must hold numbers, but has dtype {values.dtype}.")
        rows = np.asarray(coordinates.row, dtype=np.int64)
        columns = np.asarray(coordinates.col, dtype=np.int64)
        check_finite(values, name)
        data, num_qubits = values.astype(np.complex128), size.bit_length() - 1
    else:
        dense, num_qubits = check_matrix(matrix, name)
        rows, columns = (index.astype(np.int64) for index in np.nonzero(dense))
        data = dense[rows, columns]
    if order == "big":
        rows = reverse_bits(rows.astype(np.uint64), num_qubits).astype(np.int64)
        columns = reverse_bits(columns.astype(np.uint64), num_qubits).astype(np.int64)
    merged = algebra.merge(Terms(rows.astype(np.uint64), columns.astype(np.uint64), data), order="masks")
    return Entries(
        merged.x_masks.astype(np.int64), merged.z_masks.astype(np.int64), merged.coefficients, num_qubits
    )


def terms_of_entries(
    entries: Entries, qubits: Iterable[int] | None = None, atol: float | None = None
) -> Terms:
    """Pauli terms of a sparse matrix."""
    largest = float(np.abs(entries.data).max(initial=0.0))
    terms = decompose_entries(entries.rows, entries.columns, entries.data, entries.num_qubits)
    return _finish(terms, entries.num_qubits, qubits, atol, largest)


def terms_of_matrix(matrix: Any, qubits: Iterable[int] | None, atol: float | None, order: Order) -> Terms:
    """Pauli terms of a dense or sparse matrix, in the order of (x_mask, z_mask)."""
    check_order(order)
    if is_sparse(matrix):
        return terms_of_entries(sparse_to_entries(matrix, order), qubits, atol)
    array, num_qubits = check_matrix(matrix)
    require_dense(num_qubits, copies=4)
    if qubits is None:
        qubits = range(num_qubits)
    places = check_qubits(qubits, num_qubits)
    if order == "big":
        places = places[::-1]
    return _finish(decompose_matrix(array), num_qubits, places, atol, float(np.abs(array).max()))


def _finish(
    terms: Terms, num_qubits: int, qubits: Iterable[int] | None, atol: float | None, largest: float
) -> Terms:
    """Drop small terms, move them to their qubits, sort by masks."""
    limit = 1e-13 * largest if atol is None else check_tolerance(atol)
    x, z, c = terms.take(np.abs(terms.coefficients) > limit)
    # Rounding leaves imaginary parts of a Hermitian matrix's coefficients that mean nothing.
    c = np.where(np.abs(c.imag) <= 1e-15 * largest * max(1, num_qubits), c.real, c)
    if qubits is not None:
        places = check_qubits(qubits, num_qubits)
        x, z = algebra.remap_masks(x, places), algebra.remap_masks(z, places)
    by_mask = np.lexsort((z, x))
    return Terms(x, z, c).take(by_mask)
