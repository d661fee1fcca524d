"""Observables given by a sparse matrix over all qubits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import Order
from qsim.observables.base import Observable
from qsim.observables.checks import ComplexArray, check_hermitian, hermitian_tolerance
from qsim.observables.matrices import Entries, import_sparse, is_sparse, sparse_to_entries, terms_of_entries
from qsim.observables.pauli_sum import PauliSum

__all__ = ["SparseMatrix"]

# Entries whose products are formed at a time where SciPy is absent.
_ENTRIES_AT_ONCE = 1 << 20


class SparseMatrix(Observable):
    """A sparse Hermitian matrix over qubits 0 to n - 1.

    Parameters
    ----------
    matrix : SciPy sparse matrix or array, or array_like, shape (2**n, 2**n)
        Copied as CSR arrays, complex128; duplicates are added, zeros left out.
    order : {"little", "big"}
        Whether qubit 0 is the least or the most significant bit of the row and column index.

    Raises
    ------
    ObservableError
        If the matrix is not Hermitian (to 1e-10, relative to its largest entry; 1e-5 in single
        precision), not square of size 2**n, or holds NaN or infinity.

    Notes
    -----
    `apply` is O(nnz) per state. It uses SciPy where it is installed; the answers do not depend on it.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> hopping = SparseMatrix(csr_array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 3]]))
    >>> hopping
    <SparseMatrix on 2 qubits, 3 entries>
    >>> print(hopping.expectation([0.6, 0.8, 0.0, 0.0]).round(12))
    0.96
    """

    __slots__ = ("_columns", "_data", "_num_qubits", "_row_starts")

    def __init__(self, matrix: Any, *, order: Order = "little") -> None:
        entries = sparse_to_entries(matrix, order)
        rows, columns, data, self._num_qubits = entries
        dtype = matrix.dtype if is_sparse(matrix) else np.asarray(matrix).dtype
        largest = float(np.abs(data).max(initial=0.0))
        # If the pattern is symmetric, entry j of the transpose, so sorted, has the position of entry j.
        by_column = np.lexsort((rows, columns))
        if np.array_equal(columns[by_column], rows) and np.array_equal(rows[by_column], columns):
            difference = float(np.abs(data - data[by_column].conj()).max(initial=0.0))
        else:
            difference = _asymmetry(entries)
        check_hermitian(difference, hermitian_tolerance(np.dtype(dtype), largest))
        self._columns, self._data = columns, data
        self._row_starts = np.searchsorted(rows, np.arange((1 << self._num_qubits) + 1)).astype(np.int64)
        for values in (self._columns, self._data, self._row_starts):
            values.flags.writeable = False

    @property
    def data(self) -> npt.NDArray[np.complex128]:
        """Entries, row after row; shape (nnz,), read-only."""
        return self._data

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """Column of each entry, ascending in each row; shape (nnz,), read-only."""
        return self._columns

    @property
    def indptr(self) -> npt.NDArray[np.int64]:
        """Row r has the entries ``indptr[r]`` to ``indptr[r + 1]``; shape (2**n + 1,), read-only."""
        return self._row_starts

    @property
    def nnz(self) -> int:
        """Number of entries."""
        return len(self._data)

    @property
    def qubits(self) -> tuple[int, ...]:
        """0 to n - 1."""
        return tuple(range(self._num_qubits))

    @property
    def is_diagonal(self) -> bool:
        """Whether all entries are on the diagonal."""
        return np.array_equal(self._rows(), self._columns)

    def to_pauli_sum(self) -> PauliSum:
        """Pauli decomposition, O(n 2**n) for each distinct ``row ^ column``."""
        entries = Entries(self._rows(), self._columns, self._data, self._num_qubits)
        return PauliSum.from_masks(*terms_of_entries(entries))

    def to_sparse(self) -> Any:
        """SciPy CSR array of shape (2**n, 2**n).

        Raises
        ------
        ImportError
            If SciPy is not installed.
        """
        sparse = import_sparse("SparseMatrix.to_sparse")
        size = 1 << self._num_qubits
        arrays = (self._data.copy(), self._columns.copy(), self._row_starts.copy())
        return sparse.csr_array(arrays, shape=(size, size))

    def _rows(self) -> npt.NDArray[np.int64]:
        return np.repeat(np.arange(1 << self._num_qubits), np.diff(self._row_starts))

    def _apply(self, states: ComplexArray) -> ComplexArray:
        size = 1 << self._num_qubits
        vectors = states.reshape(-1, size)
        data = self._data.astype(states.dtype, copy=False)
        try:
            sparse = import_sparse("SparseMatrix.apply")
        except ImportError:
            return self._apply_with_numpy(vectors, data).reshape(states.shape)
        matrix = sparse.csr_array((data, self._columns, self._row_starts), shape=(size, size))
        image: ComplexArray = np.ascontiguousarray((matrix @ vectors.T).T)
        return image.reshape(states.shape)

    def _apply_with_numpy(self, vectors: ComplexArray, data: ComplexArray) -> ComplexArray:
        image = np.zeros_like(vectors)
        filled = np.flatnonzero(np.diff(self._row_starts))  # reduceat has no notion of an empty row
        starts = self._row_starts[filled]
        ends = self._row_starts[filled + 1]
        first = 0
        while first < len(filled):
            last = max(first + 1, int(np.searchsorted(ends, starts[first] + _ENTRIES_AT_ONCE, side="right")))
            piece = slice(int(starts[first]), int(ends[last - 1]))
            products = vectors[:, self._columns[piece]] * data[piece]
            image[:, filled[first:last]] = np.add.reduceat(products, starts[first:last] - piece.start, axis=1)
            first = last
        return image

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseMatrix):
            return NotImplemented
        return (
            np.array_equal(self._row_starts, other._row_starts)
            and np.array_equal(self._columns, other._columns)
            and np.array_equal(self._data, other._data)
        )

    def __hash__(self) -> int:
        return hash((self._num_qubits, self._columns.tobytes(), (self._data + 0.0).tobytes()))

    def __repr__(self) -> str:
        return f"<SparseMatrix on {self._num_qubits} qubits, {self.nnz} entries>"

    def __reduce__(self) -> tuple[Any, ...]:
        state = (self._num_qubits, self._row_starts, self._columns, self._data)
        return _restore, state


def _restore(
    num_qubits: int,
    row_starts: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    data: npt.NDArray[np.complex128],
) -> SparseMatrix:
    """Unpickle without the checks of the constructor."""
    observable = SparseMatrix.__new__(SparseMatrix)
    observable._num_qubits = num_qubits
    observable._row_starts, observable._columns, observable._data = row_starts, columns, data
    for values in (row_starts, columns, data):
        values.flags.writeable = False
    return observable


def _asymmetry(entries: Entries) -> float:
    """Largest ``|M - M^dagger|`` of a matrix whose pattern is not symmetric."""
    size = 1 << entries.num_qubits
    keys = np.concatenate([entries.rows * size + entries.columns, entries.columns * size + entries.rows])
    values = np.concatenate([entries.data, -entries.data.conj()])
    by_key = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[by_key], prepend=-1))
    return float(np.abs(np.add.reduceat(values[by_key], starts)).max(initial=0.0))
