"""Checks of the arguments of observables, and the words of their errors."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import MAX_MASK_BITS
from qsim.errors import ObservableError, QubitError

__all__ = [
    "HERMITIAN_TOLERANCE",
    "ComplexArray",
    "FloatArray",
    "MaskArray",
    "check_coefficient",
    "check_finite",
    "check_hermitian",
    "check_matrix",
    "check_num_qubits",
    "check_qubit",
    "check_qubits",
    "check_tolerance",
    "hermitian_tolerance",
    "number_array",
    "real_array",
]

ComplexArray: TypeAlias = npt.NDArray[np.complexfloating[Any, Any]]
FloatArray: TypeAlias = npt.NDArray[np.float64]
MaskArray: TypeAlias = npt.NDArray[np.uint64]

#: An operator counts as Hermitian if it differs from its adjoint by no more than this, relative to
#: its largest entry (or to 1, if that is larger). Rounding of long products stays far below it.
HERMITIAN_TOLERANCE = 1e-10

_BOOLS = (bool, np.bool_)


def check_coefficient(value: object, what: str = "Argument `coefficient`") -> complex:
    """Return `value` as a finite complex number; `what` is the subject of the error's sentence."""
    if isinstance(value, _BOOLS) or not isinstance(value, numbers.Complex):
        shown = f" ({value!r})" if isinstance(value, bool | np.bool_ | str) else ""
        raise TypeError(f"{what} must be a real or complex number, but is {type(value).__name__}{shown}.")
    try:
        number = complex(value)
    except OverflowError:  # an int beyond the range of a float
        number = complex(math.inf)
    if number - number != 0:  # true only for NaN and infinity
        raise ObservableError(f"{what} must be finite, but is {value}.")
    return number


def _check_int(value: object, what: str) -> int:
    if isinstance(value, _BOOLS) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{what} must be an int, but is {type(value).__name__} ({value!r}).")
    return operator.index(value)


def check_qubit(qubit: object, what: str = "A qubit") -> int:
    """Return `qubit` as an int in ``[0, 63)``."""
    index = _check_int(qubit, what)
    if not 0 <= index < MAX_MASK_BITS:
        raise QubitError(
            f"Qubit {index} is out of range for an observable (valid: 0 to {MAX_MASK_BITS - 1})."
        )
    return index


def check_qubits(qubits: object, count: int | None = None) -> tuple[int, ...]:
    """Return `qubits` as distinct ints; `count` of them, if given. One int stands for ``(int,)``."""
    if isinstance(qubits, str) or not isinstance(qubits, Iterable):
        qubits = (qubits,)
    indices = tuple(check_qubit(qubit, "Each of `qubits`") for qubit in qubits)
    if len(set(indices)) != len(indices):
        twice = next(qubit for qubit in indices if indices.count(qubit) > 1)
        raise QubitError(f"Argument `qubits` must be distinct, but has qubit {twice} twice: {indices}.")
    if count is not None and len(indices) != count:
        raise ObservableError(
            f"Argument `qubits` must have {count} entries, as many as the operator acts on, "
            f"but has {len(indices)}: {indices}."
        )
    return indices


def check_num_qubits(num_qubits: object, needed: int, largest: int = MAX_MASK_BITS) -> int:
    """Return `num_qubits` (None: `needed`) after checking that it is at least `needed`."""
    if num_qubits is None:
        num_qubits = needed
    count = _check_int(num_qubits, "Argument `num_qubits`")
    if count < 0:
        raise ObservableError(f"Argument `num_qubits` must not be negative, but is {count}.")
    if count < needed:
        valid = f" (valid: 0 to {count - 1})" if count else ""
        noun = "qubit" if count == 1 else "qubits"
        raise QubitError(f"Qubit {needed - 1} of the observable is out of range for {count} {noun}{valid}.")
    if count > largest:
        raise ObservableError(f"Argument `num_qubits` must be at most {largest} here, but is {count}.")
    return count


def check_tolerance(atol: object) -> float:
    """Return `atol` as a float, not negative and not NaN."""
    if isinstance(atol, _BOOLS) or not isinstance(atol, numbers.Real):
        raise TypeError(f"Argument `atol` must be a real number, but is {type(atol).__name__} ({atol!r}).")
    tolerance = float(atol)
    if not tolerance >= 0:  # NaN too
        raise ObservableError(f"Argument `atol` must be at least 0, but is {atol}.")
    return tolerance


def check_finite(values: npt.NDArray[Any], name: str) -> None:
    """Raise `ObservableError` if an entry is NaN or infinite."""
    finite = np.isfinite(values)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        index = ", ".join(map(str, where))
        raise ObservableError(f"Argument `{name}` must be finite, but has {values[where]} at [{index}].")


def number_array(values: object, name: str) -> npt.NDArray[Any]:
    """Return `values` as an array of real or complex numbers; bools and objects raise `TypeError`."""
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ObservableError(f"Argument `{name}` must be a regular array of numbers: {error}.") from None
    if array.dtype.kind not in "iufc":
        raise TypeError(f"Argument `{name}` must hold numbers, but has dtype {array.dtype}.")
    return array


def real_array(values: object, name: str) -> FloatArray:
    """Return `values` as a new float64 array of finite numbers; imaginary parts raise."""
    array = number_array(values, name)
    check_finite(array, name)
    if array.dtype.kind == "c":
        largest = float(np.abs(array.imag).max(initial=0.0))
        if largest > HERMITIAN_TOLERANCE * max(1.0, float(np.abs(array).max(initial=0.0))):
            raise ObservableError(
                f"Argument `{name}` must be real, but has imaginary parts up to {largest:.1e}."
            )
        array = array.real
    return np.array(array, dtype=np.float64)


def check_matrix(matrix: object, name: str = "matrix") -> tuple[npt.NDArray[np.complex128], int]:
    """Return `matrix` as a new complex128 array and k, where its shape is (2**k, 2**k)."""
    array = number_array(matrix, name)
    rows = array.shape[0] if array.ndim else 0
    if array.ndim != 2 or array.shape != (rows, rows) or rows == 0 or rows & (rows - 1):
        raise ObservableError(
            f"Argument `{name}` must have shape (2**k, 2**k) for k qubits, but has shape {array.shape}."
        )
    check_finite(array, name)
    return np.array(array, dtype=np.complex128), rows.bit_length() - 1


def hermitian_tolerance(dtype: np.dtype[Any], largest: float) -> float:
    """How far an operator with entries up to `largest` may be from its adjoint.

    Entries in single precision carry rounding errors of about 1e-7, so they get more room.
    """
    single = dtype in (np.dtype(np.complex64), np.dtype(np.float32), np.dtype(np.float16))
    return (1e-5 if single else HERMITIAN_TOLERANCE) * max(1.0, largest)


def check_hermitian(difference: float, tolerance: float, name: str = "matrix") -> None:
    """Raise `ObservableError` if ``difference = max |M - M^dagger|`` exceeds `tolerance`."""
    if difference > tolerance:
        raise ObservableError(
            f"Argument `{name}` must be Hermitian, but differs from its adjoint by up to {difference:.1e}. "
            f"Use (M + M.conj().T) / 2 for its Hermitian part."
        )
