"""Circuits and observables of PennyLane as qsim's, and back.

A wire that is an integer is the qubit of that number; other labels are numbered in the order in which they
appear. PennyLane's states have their first wire as the most significant bit of the index, qsim's qubit 0 is
the least significant one: with ``wire_order=list(reversed(wires))`` the indices agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qsim._extras import require

require(
    "pennylane",
    extra="pennylane",
    user="A conversion from or to PennyLane",
    name="PennyLane",
    at_least="0.45",
)

import pennylane as qml
from pennylane.operation import Operator
from pennylane.ops import CompositeOp, Conditional, MidMeasure, SProd
from pennylane.tape import QuantumScript
from pennylane.workflow import construct_tape

from qsim.circuit import Circuit
from qsim.converters.pennylane_export import tape_of
from qsim.converters.pennylane_gates import append, is_supported
from qsim.converters.pennylane_observables import observable_from, observable_to
from qsim.errors import ArgumentError, CircuitError
from qsim.observables import Observable, as_observable

__all__ = ["from_pennylane", "to_pennylane"]


def from_pennylane(obj: Any, *args: Any, wire_order: Sequence[Any] | None = None, **kwargs: Any) -> Any:
    """A circuit or an observable of PennyLane as one of qsim.

    Parameters
    ----------
    obj : QuantumScript, QNode or Operator
        A QNode is called with the arguments that follow. What a tape measures at its end is left out: convert
        the observables by themselves. An operator is an observable if it is Hermitian by its kind (Pauli
        words and their sums, ``Hermitian``, ``Projector``, ...); a gate such as ``qml.RX`` becomes a circuit.
    wire_order : sequence, optional
        The wires that are qubit 0, 1, ...; by default as the module says.

    Returns
    -------
    Circuit or Observable

    Raises
    ------
    CircuitError
        If an operation has no counterpart and PennyLane no decomposition of it.
    ObservableError
        If an observable is not Hermitian.

    Notes
    -----
    The circuit is equal to the tape, global phase included. A mid-circuit measurement writes the classical
    bit of its own number; a postselected one is refused, as circuits here have no postselection.

    Examples
    --------
    >>> import pennylane as qml
    >>> import qsim
    >>> tape = qml.tape.QuantumScript([qml.RX(0.5, 0), qml.CNOT([0, 1])])
    >>> qsim.from_pennylane(tape).count_ops()
    {'rx': 1, 'cx': 1}
    >>> qsim.from_pennylane(0.5 * qml.Z(0) @ qml.X(3))
    PauliSum({'Z0 X3': 0.5})
    """
    if isinstance(obj, qml.QNode):
        return _circuit(construct_tape(obj, level="user")(*args, **kwargs), wire_order)
    if args or kwargs:
        raise ArgumentError("Arguments for a circuit are for a QNode; a tape or an operator takes none.")
    if isinstance(obj, QuantumScript):
        return _circuit(obj, wire_order)
    if isinstance(obj, Operator):
        if _is_observable(obj):
            return observable_from(obj, _numbered(obj.wires, wire_order))
        return _circuit(QuantumScript([obj]), wire_order)
    raise TypeError(
        f"Argument `obj` must be a tape, a QNode or an operator of PennyLane, but is {type(obj).__name__}."
    )


def to_pennylane(obj: Any, *, params: Any = None, wires: Sequence[Any] | None = None) -> Any:
    """A circuit or an observable of qsim as one of PennyLane.

    Parameters
    ----------
    obj : Circuit, Observable, or a label such as ``"Z0 X1"``
    params : dict or array_like, optional
        Values of the circuit's parameters, as for `Circuit.bind`; PennyLane's tapes have numbers.
    wires : sequence, optional
        The wires for qubit 0, 1, ...; by default the numbers of the qubits.

    Returns
    -------
    QuantumScript or Operator
        A tape of operations without measurements at its end; ``tape.operations`` can be queued in a QNode by
        ``for op in tape.operations: qml.apply(op)``.

    Raises
    ------
    CircuitError
        If an operation, such as a loop, has no counterpart.
    UnboundParameterError
        If the circuit has parameters without values.

    Examples
    --------
    >>> import qsim
    >>> tape = qsim.to_pennylane(qsim.Circuit(2).h(0).crx(0.5, 0, 1))
    >>> tape.operations
    [H(0), CRX(0.5, wires=[0, 1])]
    >>> qsim.to_pennylane("Z0 X1")
    Z(0) @ X(1)
    """
    if isinstance(obj, Circuit):
        return tape_of(obj if params is None else obj.bind(params), _labels(wires, obj.num_qubits))
    if isinstance(obj, Observable | str | Mapping):
        if params is not None:
            raise ArgumentError("Argument `params` is for circuits; an observable has no parameters.")
        return observable_to(as_observable(obj), wires)
    raise TypeError(f"Argument `obj` must be a circuit or an observable, but is {type(obj).__name__}.")


def _is_observable(op: Any) -> bool:
    if op.pauli_rep is not None or isinstance(op, qml.Hermitian | qml.SparseHamiltonian | qml.Projector):
        return True
    return isinstance(op, CompositeOp | SProd | qml.Hadamard) and bool(op.is_verified_hermitian)


def _numbered(wires: Iterable[Any], wire_order: Sequence[Any] | None) -> dict[Any, int]:
    """The qubit of each wire."""
    labels = list(wires)
    if wire_order is not None:
        order = list(wire_order)
        missing = [w for w in labels if w not in order]
        if missing:
            raise ArgumentError(f"Argument `wire_order` must name every wire, but lacks {missing}.")
        if len(set(order)) != len(order):
            raise ArgumentError(f"Argument `wire_order` must name every wire once, but is {order}.")
        return {w: k for k, w in enumerate(order)}
    if all(isinstance(w, int) and w >= 0 for w in labels):
        return {w: int(w) for w in labels}
    return {w: k for k, w in enumerate(labels)}


def _circuit(tape: Any, wire_order: Sequence[Any] | None) -> Circuit:
    qubit_of = _numbered(tape.wires, wire_order)
    [tape], _ = qml.devices.preprocess.decompose(
        tape, is_supported, skip_initial_state_prep=True, name="qsim", error=CircuitError
    )
    tape = _numbers_only(tape)
    clbits = {op: k for k, op in enumerate(o for o in tape.operations if isinstance(o, MidMeasure))}
    size = len(wire_order) if wire_order is not None else max(qubit_of.values(), default=-1) + 1
    circuit = Circuit(size, len(clbits))
    for op in tape.operations:
        inner = op.base if isinstance(op, Conditional) else op
        if isinstance(inner, MidMeasure) and inner.postselect is not None:
            raise CircuitError("A postselected measurement has no counterpart in a circuit; remove it.")
        if op.batch_size is not None:
            raise CircuitError(
                f"Operation `{op.name}` has a batch of {op.batch_size} values, but a circuit has one. "
                "Convert the tapes of pennylane.transforms.broadcast_expand()."
            )
        params = [tuple(map(float, d)) if type(inner).__name__ == "SpecialUnitary" else d for d in inner.data]
        append(circuit, op, params, qubit_of, clbits)
    return circuit


def _numbers_only(tape: Any) -> Any:
    [converted], _ = qml.transforms.convert_to_numpy_parameters(tape)
    return converted


def _labels(wires: Sequence[Any] | None, num_qubits: int) -> list[Any]:
    labels = list(range(num_qubits)) if wires is None else list(wires)
    if len(labels) < num_qubits or len(set(labels)) != len(labels):
        raise ArgumentError(f"Argument `wires` must be {num_qubits} different labels, but is {labels}.")
    return labels
