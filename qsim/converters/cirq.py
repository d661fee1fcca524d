"""Circuits and observables of Cirq: `qsim.from_cirq` and `qsim.to_cirq`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qsim._extras import require

require("cirq", extra="cirq", user="The converter of Cirq's circuits", name="Cirq", at_least="1.5")

import cirq

from qsim.circuit import Circuit
from qsim.converters.cirq_export import write_circuit
from qsim.converters.cirq_import import check_qubits_only, read_circuit
from qsim.errors import ArgumentError, ObservableError, QubitError
from qsim.observables import PauliString, PauliSum

__all__ = ["from_cirq", "to_cirq"]

_LETTERS = {cirq.X: (1, 0), cirq.Y: (1, 1), cirq.Z: (0, 1), cirq.I: (0, 0)}


def from_cirq(obj: Any, qubit_order: Any = None) -> Any:
    """A circuit or an observable of Cirq as one of qsim.

    Parameters
    ----------
    obj : cirq.Circuit, cirq.FrozenCircuit, cirq.PauliString or cirq.PauliSum
    qubit_order : cirq.QubitOrder or sequence of cirq.Qid, optional
        The first becomes qubit 0, and so on. By default ``LineQubit(k)`` becomes qubit k; a circuit of other
        qubits has them in Cirq's order, and an observable of others needs the argument, as it need not name
        all qubits of a circuit.

    Returns
    -------
    Circuit, PauliString or PauliSum
        Symbols are parameters of the same names, measurement keys are classical registers.

    Raises
    ------
    CircuitError
        If an operation has no form here (the message names it), or a qubit is a qudit.
    ObservableError
        If an observable has symbols.
    TypeError
        If `obj` is of another kind.

    Notes
    -----
    Exact, with global phase. What the gate table lacks is taken apart by `cirq.decompose_once`, or becomes a
    matrix or a channel. Qubit 0 is the least significant bit of an index here and the first qubit the most
    significant one in Cirq, so state vectors are equal if `qubit_order` is Cirq's order reversed.

    A measurement with an inverted qubit becomes X, the measurement and another X, which is left out if
    nothing follows on the qubit: `qsim.statevector` of such a circuit has the qubit flipped.

    Examples
    --------
    >>> import cirq
    >>> a, b = cirq.LineQubit.range(2)
    >>> from_cirq(cirq.Circuit(cirq.H(a), cirq.CNOT(a, b))).count_ops()
    Counter({'h': 1, 'cx': 1})
    >>> from_cirq(cirq.Z(a) * cirq.X(b))
    PauliString('Z0 X1')
    """
    if isinstance(obj, cirq.AbstractCircuit):
        qubits = _circuit_qubits(obj, qubit_order)
        check_qubits_only(qubits)
        return read_circuit(obj, qubits)[0]
    if isinstance(obj, cirq.PauliString):
        places = _places(obj.qubits, qubit_order)
        return _string(obj, places)
    if isinstance(obj, cirq.PauliSum):
        places = _places(obj.qubits, qubit_order)
        return PauliSum([_string(term, places) for term in obj])
    raise TypeError(
        f"Argument `obj` must be a circuit, PauliString or PauliSum of Cirq, but is {type(obj).__name__}."
    )


def to_cirq(obj: Any, qubits: Sequence[Any] | None = None) -> Any:
    """A circuit or an observable of qsim as one of Cirq.

    Parameters
    ----------
    obj : Circuit, PauliString or PauliSum
    qubits : sequence of cirq.Qid, optional
        What qubit 0, 1, ... become; by default ``cirq.LineQubit(0)``, ``LineQubit(1)``, ...

    Returns
    -------
    cirq.Circuit, cirq.PauliString or cirq.PauliSum

    Raises
    ------
    CircuitError
        If an operation has no form in Cirq: loops that depend on outcomes, variables, conditions that are no
        comparison of measured bits with a number. The message names it.
    TypeError
        If `obj` is of another kind.

    Examples
    --------
    >>> print(to_cirq(Circuit(2).h(0).cx(0, 1)))
    0: ───H───@───
              │
    1: ───────X───
    >>> print(to_cirq(PauliSum({"Z0 Z1": 0.5, "X2": -1})))
    0.500*Z(q(0))*Z(q(1))-X(q(2))
    """
    count = getattr(obj, "num_qubits", 0)
    given = cirq.LineQubit.range(count) if qubits is None else list(qubits)
    if len(given) < count or len(set(given)) != len(given):
        raise ArgumentError(
            f"Argument `qubits` must name {count} different qubits, but names {len(set(given))}."
        )
    if isinstance(obj, Circuit):
        return write_circuit(obj, given)
    if isinstance(obj, PauliString):
        return _cirq_string(obj, given)
    if isinstance(obj, PauliSum):
        return cirq.PauliSum.from_pauli_strings([_cirq_string(term, given) for term in obj])
    raise TypeError(
        f"Argument `obj` must be a Circuit, PauliString or PauliSum, but is {type(obj).__name__}."
    )


def _circuit_qubits(circuit: Any, qubit_order: Any) -> tuple[Any, ...]:
    present = circuit.all_qubits()
    if qubit_order is not None:
        return tuple(cirq.QubitOrder.as_qubit_order(qubit_order).order_for(present))
    if all(isinstance(q, cirq.LineQubit) and q.x >= 0 for q in present):
        return tuple(cirq.LineQubit.range(max((q.x + 1 for q in present), default=0)))
    return tuple(cirq.QubitOrder.DEFAULT.order_for(present))


def _places(qubits: Iterable[Any], qubit_order: Any) -> dict[Any, int]:
    present = list(qubits)
    if qubit_order is None:
        for qubit in present:
            if not isinstance(qubit, cirq.LineQubit) or qubit.x < 0:
                raise ArgumentError(
                    f"Argument `qubit_order` must name the circuit's qubits, as `{qubit!r}` has no number."
                )
        return {qubit: qubit.x for qubit in present}
    if isinstance(qubit_order, cirq.QubitOrder):
        order: Sequence[Any] = qubit_order.order_for(present)
    else:
        order = list(qubit_order)
    places = {qubit: place for place, qubit in enumerate(order)}
    missing = [qubit for qubit in present if qubit not in places]
    if missing:
        raise QubitError(f"Argument `qubit_order` must name every qubit, but lacks `{missing[0]!r}`.")
    return places


def _string(string: Any, places: dict[Any, int]) -> PauliString:
    if cirq.is_parameterized(string):
        raise ObservableError(f"An observable must have numbers as coefficients, but `{string}` has symbols.")
    x = z = 0
    for qubit, letter in string.items():
        flips, signs = _LETTERS[letter]
        x |= flips << places[qubit]
        z |= signs << places[qubit]
    return PauliString.from_masks(x, z, complex(string.coefficient))


def _cirq_string(string: PauliString, qubits: Sequence[Any]) -> Any:
    letters = {
        qubits[q]: "IXZY"[(string.x_mask >> q & 1) + 2 * (string.z_mask >> q & 1)] for q in string.qubits
    }
    return cirq.PauliString(letters, coefficient=string.coefficient)
