"""Observables, between Qiskit and qsim."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.quantum_info import (
    DensityMatrix,
    Operator,
    Pauli,
    SparseObservable,
    SparsePauliOp,
    Statevector,
)

from qsim.bitstrings import MAX_MASK_BITS
from qsim.errors import ObservableError
from qsim.observables import Hermitian, PauliString, PauliSum, StateProjector, as_observable
from qsim.observables.base import Observable

__all__ = ["OBSERVABLES", "read_observable", "write_observable"]

OBSERVABLES = (SparsePauliOp, SparseObservable, Pauli, Operator, Statevector, DensityMatrix)
#: letters of SparseObservable's bit terms that are Pauli matrices -> (x, z)
_BIT_TERMS = {1: (0, 1), 2: (1, 0), 3: (1, 1)}


def read_observable(source: Any) -> Observable:
    """The observable of qsim that is the same; see `qsim.from_qiskit`."""
    if isinstance(source, SparseObservable):
        return _from_sparse_observable(source)
    if isinstance(source, Pauli):
        source = SparsePauliOp(source)
    if isinstance(source, SparsePauliOp):
        _check_size(source.num_qubits)
        if source.coeffs.dtype == object:
            raise ObservableError(
                "An observable must have numbers as coefficients, but this SparsePauliOp has parameters; "
                "use assign_parameters() first."
            )
        powers = 1 << np.arange(source.num_qubits, dtype=np.int64)
        return PauliSum.from_masks(
            source.paulis.x @ powers, source.paulis.z @ powers, np.real_if_close(source.coeffs)
        )
    if isinstance(source, Statevector):
        return StateProjector(source.data)
    return Hermitian(np.asarray(Operator(source).data))


def _from_sparse_observable(source: Any) -> PauliSum:
    _check_size(source.num_qubits)
    if np.any(np.asarray(source.bit_terms) > 3):  # projectors on eigenstates: each is two Pauli matrices
        source = source.as_paulis()
    letters, indices = np.asarray(source.bit_terms), np.asarray(source.indices)
    x_of, z_of = np.zeros(4, dtype=np.int64), np.zeros(4, dtype=np.int64)
    for letter, (x, z) in _BIT_TERMS.items():
        x_of[letter], z_of[letter] = x, z
    places = np.left_shift(1, indices.astype(np.int64))
    x, z = (_sums(of[letters] * places, source.boundaries) for of in (x_of, z_of))
    return PauliSum.from_masks(x, z, np.real_if_close(np.asarray(source.coeffs)))


def _sums(values: Any, bounds: Any) -> Any:
    """Sums of the stretches between bounds."""
    running = np.concatenate([[0], np.cumsum(values)])
    ends = np.asarray(bounds, dtype=np.int64)
    return running[ends[1:]] - running[ends[:-1]]


def _check_size(num_qubits: int) -> None:
    if num_qubits > MAX_MASK_BITS:
        raise ObservableError(
            f"An observable must act on at most {MAX_MASK_BITS} qubits, but this one acts on {num_qubits}."
        )


def write_observable(source: Any, num_qubits: int | None = None) -> Any:
    """The observable of Qiskit that is the same; see `qsim.to_qiskit`."""
    observable = as_observable(source)
    size = max(observable.num_qubits, 1) if num_qubits is None else num_qubits
    if size < observable.num_qubits:
        raise ObservableError(
            f"Argument `num_qubits` must be at least {observable.num_qubits}, the size of the observable, "
            f"but is {size}."
        )
    if not isinstance(observable, PauliSum):
        return Operator(np.asarray(observable.to_matrix(size)))
    terms = [(*_letters(string), string.coefficient) for string in observable]
    return SparsePauliOp.from_sparse_list(terms or [("", [], 0.0)], num_qubits=size)


def _letters(string: PauliString) -> tuple[str, list[int]]:
    places = [q for q in range(string.num_qubits) if (string.x_mask | string.z_mask) >> q & 1]
    letters = ["IXZY"[(string.x_mask >> q & 1) + 2 * (string.z_mask >> q & 1)] for q in places]
    return "".join(letters), places
