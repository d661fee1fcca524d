"""From what people write to observables: labels, dictionaries and matrices are accepted everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from qsim.observables.base import Observable
from qsim.observables.hermitian import Hermitian
from qsim.observables.matrices import is_sparse
from qsim.observables.pauli_string import PauliString
from qsim.observables.pauli_sum import PauliSum
from qsim.observables.sparse_matrix import SparseMatrix

__all__ = ["ObservableLike", "as_observable", "as_observables"]

#: What functions that take an observable accept.
ObservableLike: TypeAlias = "Observable | str | Mapping[str, complex] | npt.NDArray[np.number]"


def as_observable(value: ObservableLike) -> Observable:
    """Observable from what users pass for one.

    Parameters
    ----------
    value : Observable, str, mapping, ndarray or SciPy sparse
        A `PauliString`, a label and a dictionary of labels become a `PauliSum`; a square array
        becomes a `Hermitian` on qubits 0 to k - 1; a SciPy matrix becomes a `SparseMatrix`. Any
        other observable is returned as it is.

    Returns
    -------
    Observable
        Never a `PauliString`.

    Raises
    ------
    TypeError
        If `value` is of another kind.
    ObservableError, QubitError
        If a label cannot be read, or a matrix is not Hermitian.

    Examples
    --------
    >>> as_observable("Z0 Z1")
    PauliSum({'Z0 Z1': 1.0})
    >>> as_observable(np.array([[1, 0], [0, -1]]))
    Hermitian([[1.0, 0.0], [0.0, -1.0]], qubits=[0])
    """
    if isinstance(value, PauliString):
        return value.to_pauli_sum()
    if isinstance(value, Observable):
        return value
    if isinstance(value, str | Mapping):
        return PauliSum(value)
    if is_sparse(value):
        return SparseMatrix(value)
    if isinstance(value, np.ndarray):
        return Hermitian(value)
    raise TypeError(
        f"An observable must be a PauliSum, PauliString, Hermitian, Projector, Diagonal or SparseMatrix, "
        f"a label such as 'Z0 Z1', a dictionary of labels and coefficients, or a matrix, "
        f"but is {_kind(value)}."
    )


def _kind(value: object) -> str:
    """What it is, and where a measurement belongs."""
    kind = value if isinstance(value, type) else type(value)
    is_class, name = kind is value, kind.__name__
    if not (hasattr(value, "pull") and hasattr(value, "push")):
        return f"the class {name}" if is_class else name
    made = f"{name}(...)" if is_class else repr(value)
    return (
        f"the {'class of a measurement' if is_class else 'measurement'} {name}. Give {made} to "
        "qsim.value_and_gradient, vjp, jvp or hessian in the observable's place, or as `measurement=` to "
        "these methods of a Program"
    )


def as_observables(
    value: ObservableLike | list[ObservableLike] | tuple[ObservableLike, ...],
) -> tuple[tuple[Observable, ...], bool]:
    """Observables from one or from a list or tuple of them, and whether it was one.

    Examples
    --------
    >>> as_observables("Z0")
    ((PauliSum({'Z0': 1.0}),), True)
    >>> as_observables(["Z0", "X1"])
    ((PauliSum({'Z0': 1.0}), PauliSum({'X1': 1.0})), False)
    """
    if isinstance(value, list | tuple):
        return tuple(as_observable(item) for item in value), False
    return (as_observable(value),), True
