"""Observables: Pauli strings and sums, dense and sparse Hermitian matrices, projectors, diagonals."""

from __future__ import annotations

from qsim.observables.base import Observable
from qsim.observables.convert import ObservableLike, as_observable, as_observables
from qsim.observables.diagonal import Diagonal, Projector
from qsim.observables.hermitian import Hermitian, StateProjector
from qsim.observables.pauli_string import PauliString
from qsim.observables.pauli_sum import PauliSum
from qsim.observables.sparse_matrix import SparseMatrix

__all__ = [
    "Diagonal",
    "Hermitian",
    "Observable",
    "ObservableLike",
    "PauliString",
    "PauliSum",
    "Projector",
    "SparseMatrix",
    "StateProjector",
    "as_observable",
    "as_observables",
]
