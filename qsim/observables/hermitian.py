"""Observables given by a dense matrix, or by a state to project on, on a few qubits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
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

__all__ = ["Hermitian", "StateProjector", "apply_on_qubits", "column_pieces", "resolve_qubits", "show_array"]


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
        matrix = self._matrix.T.astype(states.dtype)
        return apply_on_qubits(states, self._qubits, lambda columns: columns @ matrix)

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
        amplitudes = self._amplitudes.astype(states.dtype)
        return apply_on_qubits(
            states, self._qubits, lambda columns: self._overlaps(columns)[..., np.newaxis] * amplitudes
        )

    def _expectation(self, rows: ComplexArray) -> FloatArray:
        total = np.zeros(len(rows))
        for columns, _ in column_pieces(rows, self._qubits):
            total += squared_norm(self._overlaps(columns))
        return total

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


#: Amplitudes of a state that are gathered at once.
_PIECE = 1 << 16


def column_pieces(states: ComplexArray, qubits: tuple[int, ...]) -> Iterator[tuple[ComplexArray, Any]]:
    """Columns (batch, some, 2**k) with `qubits` as the last index, and the place of each piece in a cube.

    A piece is what some values of the highest other qubits leave: a copy, of few amplitudes.
    """
    batch, size = states.shape
    num_qubits = size.bit_length() - 1
    cube = states.reshape((batch,) + (2,) * num_qubits)
    axes, last = _axes(num_qubits, qubits)
    free = [axis for axis in range(1, num_qubits + 1) if axis not in axes]
    cut = free[: max(0, num_qubits - _PIECE.bit_length() + 1)]
    for values in product((0, 1), repeat=len(cut)):
        place: list[slice] = [slice(None)] * (num_qubits + 1)
        for axis, value in zip(cut, values, strict=True):
            place[axis] = slice(value, value + 1)
        piece = np.moveaxis(cube[tuple(place)], axes, last)
        yield piece.reshape(batch, -1, 1 << len(qubits)), tuple(place)


def apply_on_qubits(
    states: ComplexArray, qubits: tuple[int, ...], function: Callable[[ComplexArray], ComplexArray]
) -> ComplexArray:
    """A function of columns (batch, some, 2**k) applied to all of them; little beside the result is held."""
    out = np.empty_like(states, order="C")
    num_qubits = states.shape[1].bit_length() - 1
    cube = out.reshape((len(states),) + (2,) * num_qubits)
    axes, last = _axes(num_qubits, qubits)
    for columns, place in column_pieces(states, qubits):
        target = np.moveaxis(cube[place], axes, last)
        target[...] = function(columns).reshape(target.shape)
    return out


def _axes(num_qubits: int, qubits: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Axes of the qubits in a cube whose axis 0 is the batch and whose last is qubit 0; and the last axes."""
    count = len(qubits)
    return [num_qubits - q for q in reversed(qubits)], list(range(num_qubits + 1 - count, num_qubits + 1))


def show_array(array: npt.NDArray[Any]) -> str:
    """The entries if they are few, else the shape: what a repr shows."""
    if array.size > 16:
        return (
            f"<{' x '.join(map(str, array.shape))} matrix>" if array.ndim == 2 else f"<{array.size} values>"
        )
    if array.dtype.kind == "c" and not np.any(array.imag):
        array = array.real
    return repr(array.tolist())
