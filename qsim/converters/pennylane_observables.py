"""PennyLane's observables as qsim's, and back."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.ops import CompositeOp, Prod, SProd, Sum

from qsim.converters.pennylane_gates import content
from qsim.errors import ObservableError
from qsim.observables import (
    Diagonal,
    Hermitian,
    Observable,
    PauliString,
    PauliSum,
    Projector,
    SparseMatrix,
    StateProjector,
)

__all__ = ["key_of_observable", "observable_from", "observable_to"]

#: Sums and products of matrices on so many wires become Pauli sums; a matrix of k has up to 4**k terms.
MAX_EXPANDED_WIRES = 6


def observable_from(op: Any, qubit_of: Mapping[Any, int], num_qubits: int | None = None) -> Observable:
    """An observable of PennyLane as one of qsim.

    Parameters
    ----------
    op : Operator
    qubit_of : mapping
        The qubit of each wire.
    num_qubits : int, optional
        Needed for a `SparseHamiltonian` that does not act on all qubits.

    Raises
    ------
    ObservableError
        If the operator is not Hermitian or of a kind that has no counterpart.
    """
    if op.pauli_rep is not None:
        return _from_sentence(op.pauli_rep, qubit_of)
    name = type(op).__name__
    qubits = [qubit_of[w] for w in op.wires]
    if name == "Hadamard":
        root = float(np.sqrt(0.5))
        return PauliSum({f"X{qubits[0]}": root, f"Z{qubits[0]}": root})
    if name == "Hermitian":
        return Hermitian(np.asarray(op.data[0]), qubits, order="big")
    if name in ("Projector", "BasisStateProjector"):
        return Projector(dict(zip(qubits, np.asarray(op.data[0], dtype=int).tolist(), strict=True)))
    if name == "StateVectorProjector":
        return StateProjector(np.asarray(op.data[0]), qubits, order="big")
    if name == "SparseHamiltonian":
        return _from_sparse(op, qubit_of, num_qubits)
    if isinstance(op, CompositeOp | SProd):
        whole = _expanded(op, qubit_of)
        if whole is not None:
            return whole
    if op.has_matrix and len(op.wires) <= 10:
        return Hermitian(np.asarray(op.matrix()), qubits, order="big")
    raise ObservableError(
        f"Observable `{op.name}` of PennyLane on {len(qubits)} wires has no counterpart here."
    )


def _from_sentence(sentence: Any, qubit_of: Mapping[Any, int]) -> PauliSum:
    terms: list[tuple[str, float]] = []
    for word, coefficient in sentence.items():
        value = complex(coefficient)
        if abs(value.imag) > 1e-12 * max(1.0, abs(value)):
            raise ObservableError(
                f"An observable must be Hermitian, but its term {word} has the coefficient {value}."
            )
        terms.append((" ".join(f"{letter}{qubit_of[w]}" for w, letter in word.items()), value.real))
    return PauliSum(terms)


def _from_sparse(op: Any, qubit_of: Mapping[Any, int], num_qubits: int | None) -> Observable:
    count = max(qubit_of[w] for w in op.wires) + 1 if num_qubits is None else num_qubits
    wire_of = {qubit_of[w]: w for w in op.wires}
    # idle qubits get names of their own; the first wire of the order is the most significant
    order = [wire_of.get(q, ("idle", q)) for q in reversed(range(count))]
    return SparseMatrix(op.sparse_matrix(wire_order=order))


def _expanded(op: Any, qubit_of: Mapping[Any, int]) -> PauliSum | None:
    """The Pauli sum of an observable made of others; None if a part has too many wires or no such sum."""
    if isinstance(op, Sum | Prod):
        parts: list[Any] = [_expanded(part, qubit_of) for part in op.operands]
        if any(part is None for part in parts):
            return None
        join: Callable[[Any, Any], Any] = operator.add if isinstance(op, Sum) else operator.matmul
        joined: PauliSum = functools.reduce(join, parts)
        return joined
    if isinstance(op, SProd):
        scalar = complex(op.scalar)
        base = None if scalar.imag else _expanded(op.base, qubit_of)
        return None if base is None else base * scalar.real
    if isinstance(op, CompositeOp) or len(op.wires) > MAX_EXPANDED_WIRES:
        return None
    part = observable_from(op, qubit_of)
    if isinstance(part, PauliSum):
        return part
    found: PauliSum = part.to_pauli_sum()
    return found


def key_of_observable(op: Any) -> Any:
    """Something hashable that observables share if they are the same, number by number."""
    if op.pauli_rep is not None:
        return tuple((word, complex(coefficient)) for word, coefficient in op.pauli_rep.items())
    if isinstance(op, CompositeOp):
        return type(op), tuple(map(key_of_observable, op.operands))
    if isinstance(op, SProd):
        return complex(op.scalar), key_of_observable(op.base)
    return op.hash, tuple(map(content, op.data))


# -- to PennyLane ----------------------------------------------------------------------------------
def observable_to(observable: Observable, wires: Any = None) -> Any:
    """An observable of qsim as one of PennyLane; see `to_pennylane`."""

    def wire(qubit: int) -> Any:
        return qubit if wires is None else wires[qubit]

    if isinstance(observable, PauliString):
        word, scale = _word(observable, wire), float(np.real(observable.coefficient))
        return word if scale == 1 else qml.s_prod(scale, word)
    if isinstance(observable, PauliSum):
        terms = list(observable)
        if len(terms) == 1:
            return observable_to(terms[0], wires)
        coefficients = [float(np.real(term.coefficient)) for term in terms]
        return qml.Hamiltonian(coefficients, [_word(term, wire) for term in terms])
    if isinstance(observable, Hermitian):
        return qml.Hermitian(observable.matrix, wires=[wire(q) for q in reversed(observable.qubits)])
    if isinstance(observable, Projector):
        return qml.Projector(list(observable.bits), wires=[wire(q) for q in observable.qubits])
    if isinstance(observable, StateProjector):
        return qml.Projector(observable.amplitudes, wires=[wire(q) for q in reversed(observable.qubits)])
    if isinstance(observable, Diagonal):
        matrix = np.diag(np.asarray(observable.values))
        return qml.Hermitian(matrix, wires=[wire(q) for q in reversed(observable.qubits)])
    if isinstance(observable, SparseMatrix):
        labels = [wire(q) for q in reversed(range(observable.num_qubits))]
        import scipy.sparse  # PennyLane takes no sparse arrays, only matrices

        return qml.SparseHamiltonian(scipy.sparse.csr_matrix(observable.to_sparse()), wires=labels)
    raise ObservableError(f"Observable `{type(observable).__name__}` has no counterpart in PennyLane.")


def _word(string: PauliString, wire: Callable[[int], Any]) -> Any:
    """The product of the letters of a string, without its coefficient."""
    factors = []
    for q in string.qubits:
        x, z = string.x_mask >> q & 1, string.z_mask >> q & 1
        factors.append((qml.Y if x and z else qml.X if x else qml.Z)(wire(q)))
    return qml.prod(*factors) if len(factors) > 1 else factors[0] if factors else qml.Identity(wire(0))
