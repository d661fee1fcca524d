"""What every observable can do: fit qubits, act on states, give expectation values and variances."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import Order, check_order
from qsim.errors import StateError
from qsim.observables.checks import ComplexArray, FloatArray, check_num_qubits
from qsim.observables.memory import require_dense

if TYPE_CHECKING:
    from qsim.observables.pauli_sum import PauliSum

__all__ = ["Observable", "real_inner", "squared_norm"]

# Reductions go through blocks of this many amplitudes: their temporaries stay in the cache, and the
# order of summation depends on nothing but the length of the state.
_BLOCK = 1 << 16


class Observable(ABC):
    """A Hermitian operator on some qubits (`PauliSum` may hold others too, see its `is_hermitian`).

    States are arrays of shape ``(..., 2**n)`` with qubit 0 the least significant bit of the last
    index; leading axes are batch axes. On qubits it does not name, an observable is the identity.
    """

    __slots__ = ()
    #: NumPy scalars leave ``2.0 * observable`` to the observable instead of looping over it.
    __array_ufunc__ = None

    @property
    @abstractmethod
    def qubits(self) -> tuple[int, ...]:
        """Qubits the observable acts on; for operators given by a matrix, in the matrix's order."""

    @property
    def num_qubits(self) -> int:
        """The smallest number of qubits the observable fits on: its highest qubit plus one."""
        return max(self.qubits, default=-1) + 1

    @property
    @abstractmethod
    def is_diagonal(self) -> bool:
        """Whether the observable is diagonal in the computational basis."""

    @abstractmethod
    def to_pauli_sum(self) -> PauliSum:
        """The same operator as a sum of Pauli strings."""

    @abstractmethod
    def _apply(self, states: ComplexArray) -> ComplexArray:
        """Operator times each row of `states`, shape (batch, 2**n); always a new array."""

    def require_qubits(self, num_qubits: int) -> None:
        """Raise `QubitError` unless the observable fits on `num_qubits` qubits.

        Examples
        --------
        >>> from qsim.observables import PauliSum
        >>> PauliSum("Z5").require_qubits(3)
        Traceback (most recent call last):
        ...
        qsim.errors.QubitError: Qubit 5 of the observable is out of range for 3 qubits (valid: 0 to 2).
        """
        check_num_qubits(num_qubits, self.num_qubits, largest=sys.maxsize)

    def apply(self, states: npt.ArrayLike) -> ComplexArray:
        """Apply the operator to states.

        Parameters
        ----------
        states : array_like, shape (..., 2**n)
            complex64 stays complex64, everything else becomes complex128.

        Returns
        -------
        ndarray, shape (..., 2**n)
            A new array; `states` is not changed.

        Raises
        ------
        StateError
            If the last axis of `states` is not a power of two.
        QubitError
            If the observable acts on a qubit the states do not have.

        Examples
        --------
        >>> from qsim.observables import PauliSum
        >>> PauliSum("X0").apply([0.8, 0.6j])
        array([0. +0.6j, 0.8+0.j ])
        """
        array, rows = self._check_states(states)
        return self._apply(rows).reshape(array.shape)

    def expectation(self, states: npt.ArrayLike) -> FloatArray:
        """Expectation values ``Re <psi|O|psi>`` of normalised states.

        Parameters
        ----------
        states : array_like, shape (..., 2**n)

        Returns
        -------
        ndarray, shape (...), float64

        Raises
        ------
        ObservableError
            If the operator is not Hermitian.
        StateError, QubitError
            As for `apply`.

        Examples
        --------
        >>> from qsim.observables import PauliSum
        >>> PauliSum("Z0").expectation([[1, 0], [0, 1]])
        array([ 1., -1.])
        """
        array, rows = self._check_states(states)
        return self._expectation(rows).reshape(array.shape[:-1])

    def variance(self, states: npt.ArrayLike) -> FloatArray:
        """Variances ``<O^2> - <O>^2`` in normalised states, computed as ``|| (O - <O>) psi ||^2``.

        Parameters
        ----------
        states : array_like, shape (..., 2**n)

        Returns
        -------
        ndarray, shape (...), float64
            Never negative, and free of the cancellation of the textbook difference.

        Raises
        ------
        ObservableError
            If the operator is not Hermitian.
        StateError, QubitError
            As for `apply`.

        Examples
        --------
        >>> from qsim.observables import PauliSum
        >>> PauliSum("X0").variance([[1, 0], [0.8, 0.6]])
        array([1.    , 0.0784])
        """
        array, rows = self._check_states(states)
        return self._variance(rows).reshape(array.shape[:-1])

    def to_matrix(self, num_qubits: int | None = None, order: Order = "little") -> npt.NDArray[np.complex128]:
        """Dense matrix over `num_qubits` qubits (default: as many as the observable needs).

        Parameters
        ----------
        num_qubits : int, optional
        order : {"little", "big"}
            Whether qubit 0 is the least or the most significant bit of the row and column index.

        Returns
        -------
        ndarray, shape (2**num_qubits, 2**num_qubits), complex128

        Raises
        ------
        MemoryBudgetError
            If the matrix does not fit into the free memory.

        Examples
        --------
        >>> from qsim.observables import Projector
        >>> Projector("1", qubits=[0]).to_matrix().real
        array([[0., 0.],
               [0., 1.]])
        """
        check_order(order)
        count = check_num_qubits(num_qubits, self.num_qubits)
        require_dense(count)
        return to_order(self._to_matrix(count), count, order)

    def _to_matrix(self, num_qubits: int) -> npt.NDArray[np.complex128]:
        columns = self._apply(np.eye(1 << num_qubits, dtype=np.complex128))
        return np.ascontiguousarray(columns.T, dtype=np.complex128)

    def _expectation(self, rows: ComplexArray) -> FloatArray:
        return real_inner(rows, self._apply(rows))

    def _variance(self, rows: ComplexArray) -> FloatArray:
        image = self._apply(rows)
        # Python floats and weak promotion would lose the batch axis, so the mean takes the rows' precision.
        mean = real_inner(rows, image).astype(rows.real.dtype)[:, np.newaxis]
        for start in range(0, rows.shape[1], _BLOCK):  # no third state
            block = slice(start, start + _BLOCK)
            image[:, block] -= mean * rows[:, block]
        return squared_norm(image)

    def _check_states(self, states: npt.ArrayLike) -> tuple[ComplexArray, ComplexArray]:
        """`states` as a complex array, and as its rows, shape (batch, 2**n)."""
        array: npt.NDArray[Any] = np.asarray(states)
        if array.dtype.kind not in "iufc":
            raise TypeError(f"Argument `states` must hold numbers, but has dtype {array.dtype}.")
        if array.dtype != np.complex64:
            array = array.astype(np.complex128, copy=False)
        size = array.shape[-1] if array.ndim else 0
        if size == 0 or size & (size - 1):
            raise StateError(
                f"Argument `states` must have shape (2**n,) or (batch, 2**n), but has shape {array.shape}."
            )
        self.require_qubits(size.bit_length() - 1)
        return array, array.reshape(-1, size)


def to_order(matrix: npt.NDArray[np.complex128], num_qubits: int, order: Order) -> npt.NDArray[np.complex128]:
    """Renumber rows and columns of a little-endian matrix (the same map leads back)."""
    if order == "little" or num_qubits < 2:
        return matrix
    shape = (2,) * num_qubits
    mirrored = np.arange(1 << num_qubits).reshape(shape).transpose().ravel()
    return np.ascontiguousarray(matrix[np.ix_(mirrored, mirrored)])


def real_inner(left: ComplexArray, right: ComplexArray) -> FloatArray:
    """Row by row ``Re <left|right>``, accumulated in double precision; shape (batch,)."""
    total = np.zeros(left.shape[0])
    for start in range(0, left.shape[1], _BLOCK):
        a, b = left[:, start : start + _BLOCK], right[:, start : start + _BLOCK]
        products = np.multiply(a.real, b.real, dtype=np.float64)
        products += np.multiply(a.imag, b.imag, dtype=np.float64)
        total += products.sum(axis=1)
    return total


def squared_norm(rows: ComplexArray) -> FloatArray:
    """Row by row ``<row|row>``, accumulated in double precision; shape (batch,)."""
    return real_inner(rows, rows)
