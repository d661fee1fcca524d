"""Arrays of Pauli terms from what users write: labels, dictionaries, lists, masks."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import MAX_MASK_BITS, Order
from qsim.errors import ObservableError, QubitError
from qsim.observables.algebra import Terms
from qsim.observables.checks import (
    MaskArray,
    check_coefficient,
    check_finite,
    check_num_qubits,
    check_qubit,
    check_qubits,
    number_array,
)
from qsim.observables.labels import is_dense, parse_label, sparse_label
from qsim.observables.pauli_operator import PauliOperator
from qsim.observables.pauli_string import PauliString

__all__ = [
    "PauliTerms",
    "finite_terms",
    "frozen_terms",
    "mask_map",
    "operand_terms",
    "read_terms",
    "summand_terms",
    "terms_from_arrays",
]

#: What a `PauliSum` is built from.
PauliTerms: TypeAlias = (
    PauliOperator
    | str
    | Mapping[str, complex]
    | Mapping[PauliString, complex]
    | Iterable[PauliString | str | tuple[str | PauliString, complex]]
)


def frozen_terms(terms: Terms) -> Terms:
    """The same arrays, read-only, so that a sum can hand them out."""
    for values in terms:
        values.flags.writeable = False
    return terms


def finite_terms(terms: Terms) -> Terms:
    """The same terms, after checking that no coefficient has overflowed."""
    if not np.isfinite(terms.coefficients).all():
        raise ObservableError("The coefficients of a PauliSum must be finite, but one overflows.")
    return terms


def operand_terms(other: object) -> Terms:
    """Terms of the other operand of a product or a comparison."""
    if isinstance(other, PauliOperator):
        return other.terms()
    raise TypeError(f"Argument `other` must be a PauliSum or a PauliString, but is {type(other).__name__}.")


def summand_terms(other: object) -> Terms | None:
    """Terms of what may stand beside + and -; a number is that multiple of the identity."""
    if isinstance(other, PauliOperator):
        return other.terms()
    if isinstance(other, numbers.Number):
        zero = np.zeros(1, np.uint64)
        return Terms(zero, zero, np.array([check_coefficient(other, "The summand")]))
    return None


def read_terms(terms: PauliTerms, order: Order, num_qubits: int | None) -> Terms:
    """Terms as the constructor of `PauliSum` takes them."""
    if isinstance(terms, PauliOperator):
        return terms.terms()
    length = None if num_qubits is None else check_num_qubits(num_qubits, 0)
    dense_text: str | None = None
    x_masks: list[int] = []
    z_masks: list[int] = []
    coefficients: list[complex] = []
    for label, value in _pairs(terms):
        if isinstance(label, PauliString):
            x, z = label.x_mask, label.z_mask
            coefficient = label.coefficient * check_coefficient(value, f"The coefficient of {label!r}")
        else:
            x, z = parse_label(label, order, length)
            coefficient = check_coefficient(value, f"The coefficient of {label!r}")
            if is_dense(label):
                dense_text = _same_length(label.strip(), dense_text, sparse_label(x, z))
        x_masks.append(x)
        z_masks.append(z)
        coefficients.append(coefficient)
    arrays = np.array(x_masks, dtype=np.uint64), np.array(z_masks, dtype=np.uint64)
    return finite_terms(Terms(*arrays, np.array(coefficients, dtype=np.complex128)))


def _pairs(terms: Any) -> Iterable[tuple[Any, Any]]:
    """Pairs of a label (or `PauliString`) and a coefficient."""
    if isinstance(terms, str):
        return [(terms, 1.0)]
    if isinstance(terms, Mapping):
        return terms.items()
    if isinstance(terms, Iterable) and not isinstance(terms, bytes | np.ndarray):
        return (_pair(item) for item in terms)
    raise TypeError(
        f"Argument `terms` must be a dictionary of labels and coefficients, a list of terms, or a label, "
        f"but is {type(terms).__name__}."
    )


def _pair(item: Any) -> tuple[Any, Any]:
    if isinstance(item, str | PauliString):
        return item, 1.0
    if isinstance(item, tuple | list) and len(item) == 2:
        return item[0], item[1]
    raise TypeError(f"A term must be a label, a PauliString or a pair (label, coefficient), but is {item!r}.")


def _same_length(text: str, before: str | None, sparse: str) -> str:
    if before is not None and len(text) != len(before):
        raise ObservableError(
            f"Dense labels of one sum must have the same length, but {before!r} has {len(before)} letters "
            f"and {text!r} has {len(text)}. Sparse labels such as {sparse!r} need no length."
        )
    return text


def terms_from_arrays(x_masks: npt.ArrayLike, z_masks: npt.ArrayLike, coefficients: npt.ArrayLike) -> Terms:
    """Checked copies of arrays of terms."""
    x, z = _mask_array(x_masks, "x_masks"), _mask_array(z_masks, "z_masks")
    c = number_array(coefficients, "coefficients") if np.size(coefficients) else np.empty(0)
    if not x.shape == z.shape == c.shape or x.ndim != 1:
        raise ObservableError(
            f"Arguments `x_masks`, `z_masks` and `coefficients` must have the same shape (num_terms,), "
            f"but have shapes {x.shape}, {z.shape} and {c.shape}."
        )
    check_finite(c, "coefficients")
    return Terms(x, z, np.array(c, dtype=np.complex128))


def _mask_array(masks: npt.ArrayLike, name: str) -> MaskArray:
    array = np.asarray(masks)
    if array.size == 0:
        return np.empty(array.shape, np.uint64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"Argument `{name}` must hold integers, but has dtype {array.dtype}.")
    if np.any(array < 0) or np.any(array.astype(np.uint64) >> np.uint64(MAX_MASK_BITS)):
        raise QubitError(f"Argument `{name}` must hold masks in [0, 2**{MAX_MASK_BITS}), one bit per qubit.")
    return array.astype(np.uint64)


def mask_map(qubits: Iterable[int] | Mapping[int, int], num_qubits: int, support: int) -> tuple[int, ...]:
    """Where each of `num_qubits` qubits goes, from a sequence or from a mapping of those that move."""
    if isinstance(qubits, Mapping):
        moves = {
            check_qubit(source, "A qubit of the mapping"): check_qubit(target, "A target of the mapping")
            for source, target in qubits.items()
        }
        targets = tuple(moves.get(qubit, qubit) for qubit in range(num_qubits))
    else:
        targets = check_qubits(qubits)
        if len(targets) < num_qubits:
            raise QubitError(
                f"Argument `qubits` must have {num_qubits} entries, one for each qubit of the observable, "
                f"but has {len(targets)}."
            )
    used = [targets[qubit] for qubit in range(num_qubits) if support >> qubit & 1]
    if len(set(used)) != len(used):
        twice = next(target for target in used if used.count(target) > 1)
        raise QubitError(f"Argument `qubits` must be one to one, but two qubits would go to qubit {twice}.")
    return targets[:num_qubits]
