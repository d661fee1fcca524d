"""Observables given by a dense matrix, or by a state to project on, on a few qubits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import Order, check_order
from qsim.errors import StateError
from qsim.observables.base import Observable, squared_norm
from qsim.observables.checks import (
    ComplexArray,
    FloatArray,
    check_finite,
    check_hermitian,
    check_matrix,
    check_qubits,
    hermitian_tolerance,
    number_array,
)
from qsim.observables.pauli_sum import PauliSum

__all__ = ["Hermitian", "StateProjector", "gather_qubits", "resolve_qubits", "show_array"]


class Hermitian(Observable):
    """A dense Hermitian matrix on k qubits.

    Parameters
    ----------
    matrix : array_like, shape (2**k, 2**k)
        Copied; complex128. What is left of ``matrix - matrix^dagger`` by rounding is removed.
    qubits : iterable of int, optional
        The k qubits; the first is the least significant bit of the matrix's index. Default: 0 to
        k - 1.
    order : {"little", "big"}
        ``"big"``: the first of `qubits` is the most significant bit instead.

    Raises
    ------
    ObservableError
        If the matrix is not Hermitian (to 1e-10, relative to its largest entry; 1e-5 in single
        precision), not square of size 2**k, holds NaN or infinity, or the number of qubits differs.
    QubitError
        If a qubit is out of range or named twice.

    Examples
    --------
    >>> observable = Hermitian([[0, 1], [1, 0]], qubits=[2])
    >>> observable.to_pauli_sum()
    PauliSum({'X2': 1.0})
    """

    __slots__ = ("_matrix", "_qubits")

    def __init__(
        self, matrix: npt.ArrayLike, qubits: Iterable[int] | int | None = None, *, order: Order = "little"
    ) -> None:
        check_order(order)
        array, num_targets = check_matrix(matrix)
        adjoint = array.conj().T
        largest = float(np.abs(array).max())
        tolerance = hermitian_tolerance(np.asarray(matrix).dtype, largest)
        check_hermitian(float(np.abs(array - adjoint).max()), tolerance)
        self._matrix = (array + adjoint) / 2
        self._matrix.flags.writeable = False
        self._qubits = resolve_qubits(qubits, num_targets, order)

    @property
    def matrix(self) -> npt.NDArray[np.complex128]:
        """The matrix on `qubits`, the first of them least significant; read-only."""
        return self._matrix

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits the matrix acts on; the first is the least significant bit of its index."""
        return self._qubits

    @property
    def is_diagonal(self) -> bool:
        """Whether no entry off the diagonal is other than zero."""
        return bool(np.count_nonzero(self._matrix) == np.count_nonzero(self._matrix.diagonal()))

    def to_pauli_sum(self) -> PauliSum:
        """Pauli decomposition, O(k 4**k)."""
        return PauliSum.from_matrix(self._matrix, qubits=self._qubits)

    def _apply(self, states: ComplexArray) -> ComplexArray:
        columns, restore = gather_qubits(states, self._qubits)
        return restore(columns @ self._matrix.T.astype(states.dtype))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hermitian):
            return NotImplemented
        return self._qubits == other._qubits and np.array_equal(self._matrix, other._matrix)

    def __hash__(self) -> int:
        return hash((self._qubits, (self._matrix + 0.0).tobytes()))

    def __repr__(self) -> str:
        return f"Hermitian({show_array(self._matrix)}, qubits={list(self._qubits)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._matrix, self._qubits)


class StateProjector(Observable):
    """The projector ``|phi><phi|`` on a state of k qubits; its expectation value is a fidelity.

    Parameters
    ----------
    amplitudes : array_like, shape (2**k,)
        Normalised; copied, complex128.
    qubits : iterable of int, optional
        The k qubits; the first is the least significant bit of the index. Default: 0 to k - 1.
    normalize : bool, default False
        Divide `amplitudes` by their norm.
    order : {"little", "big"}
        ``"big"``: the first of `qubits` is the most significant bit instead.

    Raises
    ------
    StateError
        If the amplitudes are not normalised, all zero, or not 2**k many.
    ObservableError
        If they hold NaN or infinity, or the number of qubits differs.
    QubitError
        If a qubit is out of range or named twice.

    Examples
    --------
    >>> plus = StateProjector([1, 1], qubits=[0], normalize=True)
    >>> print(plus.expectation([1, 0]).round(12))
    0.5
    """

    __slots__ = ("_amplitudes", "_qubits")

    def __init__(
        self,
        amplitudes: npt.ArrayLike,
        qubits: Iterable[int] | int | None = None,
        *,
        normalize: bool = False,
        order: Order = "little",
    ) -> None:
        check_order(order)
        array = number_array(amplitudes, "amplitudes")
        size = array.shape[0] if array.ndim == 1 else 0
        if size == 0 or size & (size - 1):
            raise StateError(
                f"Argument `amplitudes` must have shape (2**k,) for k qubits, but has shape {array.shape}."
            )
        check_finite(array, "amplitudes")
        vector = np.array(array, dtype=np.complex128)
        norm = float(np.linalg.norm(vector))
        if normalize and norm > 0:
            vector /= norm
        elif abs(norm - 1) > (1e-5 if array.dtype == np.complex64 else 1e-8):
            way_out = " Pass normalize=True to divide by the norm." if norm > 0 else ""
            raise StateError(f"Argument `amplitudes` must have norm 1, but has norm {norm:.6g}.{way_out}")
        vector.flags.writeable = False
        self._amplitudes = vector
        self._qubits = resolve_qubits(qubits, size.bit_length() - 1, order)

    @property
    def amplitudes(self) -> npt.NDArray[np.complex128]:
        """Amplitudes of the state, the first of `qubits` least significant; read-only."""
        return self._amplitudes

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits of the state; the first is the least significant bit of its index."""
        return self._qubits

    @property
    def is_diagonal(self) -> bool:
        """Whether the state is a basis state."""
        return bool(np.count_nonzero(self._amplitudes) == 1)

    def to_pauli_sum(self) -> PauliSum:
        """Pauli decomposition, O(k 4**k)."""
        matrix = np.outer(self._amplitudes, self._amplitudes.conj())
        return PauliSum.from_matrix(matrix, qubits=self._qubits)

    def _overlaps(self, columns: ComplexArray) -> ComplexArray:
        overlaps: ComplexArray = columns @ self._amplitudes.conj().astype(columns.dtype)
        return overlaps

    def _apply(self, states: ComplexArray) -> ComplexArray:
        columns, restore = gather_qubits(states, self._qubits)
        return restore(self._overlaps(columns)[..., np.newaxis] * self._amplitudes.astype(states.dtype))

    def _expectation(self, rows: ComplexArray) -> FloatArray:
        columns, _ = gather_qubits(rows, self._qubits)
        return squared_norm(self._overlaps(columns))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StateProjector):
            return NotImplemented
        return self._qubits == other._qubits and np.array_equal(self._amplitudes, other._amplitudes)

    def __hash__(self) -> int:
        return hash((self._qubits, (self._amplitudes + 0.0).tobytes()))

    def __repr__(self) -> str:
        return f"StateProjector({show_array(self._amplitudes)}, qubits={list(self._qubits)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._amplitudes, self._qubits)


def resolve_qubits(qubits: Iterable[int] | int | None, num_targets: int, order: Order) -> tuple[int, ...]:
    """Checked qubits, least significant first."""
    resolved = check_qubits(range(num_targets) if qubits is None else qubits, num_targets)
    return resolved if order == "little" else resolved[::-1]


def gather_qubits(
    states: ComplexArray, qubits: tuple[int, ...]
) -> tuple[ComplexArray, Callable[[ComplexArray], ComplexArray]]:
    """States of shape (batch, rest, 2**k) with `qubits` as the last index, and the way back.

    Qubits 0 to k - 1 in order need no copy.
    """
    num_targets = len(qubits)
    batch, size = states.shape
    if qubits == tuple(range(num_targets)):
        return states.reshape(batch, -1, 1 << num_targets), lambda columns: columns.reshape(states.shape)
    num_qubits = size.bit_length() - 1
    cube = states.reshape((batch,) + (2,) * num_qubits)
    axes = [num_qubits - qubit for qubit in reversed(qubits)]  # axis 0 is the batch, the last axis qubit 0
    last = list(range(num_qubits + 1 - num_targets, num_qubits + 1))
    moved = np.moveaxis(cube, axes, last)

    def restore(columns: ComplexArray) -> ComplexArray:
        back = np.moveaxis(columns.reshape(moved.shape), last, axes)
        return np.ascontiguousarray(back).reshape(states.shape)

    return moved.reshape(batch, -1, 1 << num_targets), restore


def show_array(array: npt.NDArray[Any]) -> str:
    """The entries if they are few, else the shape: what a repr shows."""
    if array.size > 16:
        return (
            f"<{' x '.join(map(str, array.shape))} matrix>" if array.ndim == 2 else f"<{array.size} values>"
        )
    if array.dtype.kind == "c" and not np.any(array.imag):
        array = array.real
    return repr(array.tolist())
