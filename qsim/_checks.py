"""Checks of arguments, and one grammar for their messages: what must hold, then what was given."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError, QubitError

__all__ = [
    "check_count",
    "check_finite",
    "check_numbers",
    "check_qubits",
    "check_square_power_of_two",
    "check_unitary",
    "counted",
    "range_text",
    "to_float",
]


def counted(number: int, noun: str) -> str:
    """``1 qubit``, ``2 qubits``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def range_text(count: int) -> str:
    """``valid: 0 to 5`` for the message of an index out of range."""
    return f"valid: 0 to {count - 1}" if count else "it has none"


def check_index(value: Any, count: int, what: str = "Qubit", whole: str = "qubits") -> int:
    """An index 0 <= value < count; negative numbers, bool, float and text are refused."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{what} must be an int, but is {type(value).__name__} ({value!r}).")
    index = operator.index(value)
    if not 0 <= index < count:
        raise QubitError(
            f"{what} {index} is out of range for a circuit of {counted(count, whole.removesuffix('s'))} "
            f"({range_text(count)})."
        )
    return index


def check_qubits(
    qubits: Any, count: int, what: str = "Qubit", whole: str = "qubits", context: str = ""
) -> tuple[int, ...]:
    """Distinct indices in range, from one index or an iterable of them."""
    if isinstance(qubits, str | bytes) or (not isinstance(qubits, Iterable) and not _is_index(qubits)):
        raise TypeError(f"{what} must be an int or several, but is {type(qubits).__name__} ({qubits!r}).")
    out = tuple(
        check_index(q, count, what, whole) for q in (qubits if isinstance(qubits, Iterable) else (qubits,))
    )
    if len(set(out)) != len(out):
        twice = next(q for q in out if out.count(q) > 1)
        raise QubitError(f"{what} {twice} is named twice{context}; they must differ.")
    return out


def is_list_of_qubits(value: Any, count: int) -> bool:
    """Whether somebody may have meant qubits: several distinct indices in range, and nothing else."""
    if not isinstance(value, list | tuple | range | np.ndarray) or not len(value):
        return False
    indices = list(value)
    return all(_is_index(q) and 0 <= q < count for q in indices) and len(set(indices)) == len(indices)


def check_count(value: Any, name: str, minimum: int = 0, maximum: int | None = None) -> int:
    """An int of at least `minimum` (and at most `maximum`)."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"Argument `{name}` must be an int, but is {type(value).__name__} ({value!r}).")
    number = operator.index(value)
    if number < minimum:
        raise ArgumentError(f"Argument `{name}` must be at least {minimum}, but is {number}.")
    if maximum is not None and number > maximum:
        raise ArgumentError(f"Argument `{name}` must be at most {maximum}, but is {number}.")
    return number


def to_float(value: Any) -> float:
    """The value as a float; an int beyond its range is infinite, for the check that follows to refuse."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def check_finite(array: npt.NDArray[Any], name: str) -> None:
    if not np.isfinite(array).all():
        raise ArgumentError(f"Argument `{name}` must be finite, but holds NaN or infinity.")


def check_numbers(values: Any, name: str, what: str) -> npt.NDArray[np.complex128]:
    """The values as a new complex array; None, text, bool and objects are refused, not read as NaN."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different length
        array = np.array(None)
    if array.dtype.kind not in "iufc":
        raise TypeError(f"Argument `{name}` must be {what}, but is {_kind(values)}.")
    return np.array(array, dtype=complex, order="C")


def _kind(values: Any) -> str:
    return f"of type {values.dtype}" if isinstance(values, np.ndarray) else type(values).__name__


def check_square_power_of_two(matrix: Any, name: str) -> npt.NDArray[np.complex128]:
    """A finite complex matrix of shape (2**k, 2**k), k >= 1, as a new read-only array."""
    m = check_numbers(matrix, name, "a matrix of numbers")
    size = m.shape[0] if m.ndim else 0
    if m.ndim != 2 or m.shape[0] != m.shape[1] or size < 2 or size & (size - 1):
        raise ArgumentError(
            f"Argument `{name}` must have shape (2**k, 2**k) with k >= 1, but has shape {m.shape}."
        )
    check_finite(m, name)
    m.flags.writeable = False
    return m


UNITARY_TOLERANCE = 1e-8


def distance_from_unitary(matrix: npt.NDArray[np.complex128]) -> float:
    """The largest entry of U U^dagger - 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        distance = float(np.abs(matrix @ matrix.conj().T - np.eye(len(matrix))).max())
    return distance if distance >= 0 else float("inf")


def check_unitary(matrix: npt.NDArray[np.complex128], name: str) -> None:
    distance = distance_from_unitary(matrix)
    if distance > UNITARY_TOLERANCE:
        raise ArgumentError(
            f"Argument `{name}` must be unitary, but U U^dagger differs from the identity by up to "
            f"{distance:.1e}. "
            "Pass check=False to apply it all the same."
        )


def _is_index(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
