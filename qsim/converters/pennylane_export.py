"""Circuits of qsim as tapes of PennyLane."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.ops import Conditional, MeasurementValue, MidMeasure
from pennylane.tape import QuantumScript
from pennylane.wires import Wires

from qsim import classical
from qsim.circuit import Circuit
from qsim.converters.pennylane_gates import MAX_MATRIX_WIRES, table_gate
from qsim.errors import CircuitError, UnboundParameterError
from qsim.operations import Barrier, Delay, GateOperation, IfElse, Kraus, Measure, Operation, Reset, Switch
from qsim.user_gates import DiagonalGate, PauliRotationGate, PrepareGate, UnitaryGate

__all__ = ["tape_of"]

#: Where several classes are the same gate, the one to write.
_PREFERRED = ("PhaseShift", "ControlledPhaseShift", "SISWAP", "CNOT", "Toffoli")


@functools.cache
def _classes() -> dict[str, Any]:
    """From the name of a gate of the table to PennyLane's class."""
    names = [*_PREFERRED, *sorted(qml.ops.__all__ if hasattr(qml.ops, "__all__") else dir(qml.ops))]
    found: dict[str, Any] = {}
    for name in names:
        cls = getattr(qml, name, None)
        if isinstance(cls, type) and issubclass(cls, qml.operation.Operator):
            gate = table_gate(cls)
            if gate is not None:
                found.setdefault(gate, cls)
    return found


def tape_of(circuit: Circuit, wires: Sequence[Any]) -> QuantumScript:
    """The tape of a circuit without parameters; `wires` are the labels of its qubits."""
    if circuit.parameters:
        names = ", ".join(p.name for p in circuit.parameters)
        raise UnboundParameterError(
            f"The circuit has parameters without values: {names}. Pass `params`, or bind them first."
        )
    measured: dict[int, MidMeasure] = {}
    out: list[Any] = []
    for operation in circuit.operations:
        out += _operations(operation, wires, measured)
    return QuantumScript(out)


def _operations(operation: Operation, wires: Sequence[Any], measured: dict[int, MidMeasure]) -> list[Any]:
    if isinstance(operation, GateOperation):
        if operation.has_run_time_params:
            raise CircuitError(
                f"Gate `{operation.name}` has a parameter known only at run time, as PennyLane has none."
            )
        return _gates(operation, wires)
    if isinstance(operation, Measure):
        measured[operation.clbit] = _measurement(wires[operation.qubit])
        return [measured[operation.clbit]]
    if isinstance(operation, Reset):
        return [_measurement(wires[operation.qubit], reset=True)]
    if isinstance(operation, Barrier):
        return [qml.Barrier([wires[q] for q in operation.qubits])]
    if isinstance(operation, Delay):
        return []
    if isinstance(operation, Kraus):
        return [
            qml.QubitChannel(list(operation.matrices), wires=[wires[q] for q in reversed(operation.qubits)])
        ]
    if isinstance(operation, IfElse):
        cases = [(operation.condition, lambda v: bool(v), operation.then_body)]
        if operation.else_body is not None:
            cases.append((operation.condition, lambda v: not v, operation.else_body))
        return _conditionals(cases, wires, measured)
    if isinstance(operation, Switch):
        listed: list[Any] = [
            (operation.subject, functools.partial(_is_in, values), body) for values, body in operation.cases
        ]
        if operation.default is not None:
            known = tuple(v for values, _ in operation.cases for v in values)
            listed.append((operation.subject, lambda v: int(v) not in known, operation.default))
        return _conditionals(listed, wires, measured)
    raise CircuitError(f"Operation `{operation.name}` has no counterpart in PennyLane.")


def _measurement(wire: Any, reset: bool = False) -> MidMeasure:
    """A measurement that is equal to no other, as those of ``qml.measure`` are."""
    return MidMeasure(Wires(wire), reset=reset, meas_uid=str(uuid.uuid4()))


def _is_in(values: tuple[int, ...], value: Any) -> bool:
    return int(value) in values


def _conditionals(
    cases: Sequence[tuple[Any, Callable[[Any], bool], Circuit]],
    wires: Sequence[Any],
    measured: dict[int, MidMeasure],
) -> list[Any]:
    """Conditional operations; a bit that was not measured is 0."""
    out: list[Any] = []
    for expression, holds, body in cases:
        if classical.variables_of(expression):
            raise CircuitError("A condition on a classical variable has no counterpart in PennyLane.")
        bits = [c for c in classical.bits_of(expression) if c in measured]
        value = MeasurementValue(
            [measured[c] for c in bits], functools.partial(_holds, expression, holds, bits)
        )
        for inner in body.operations:
            if not isinstance(inner, GateOperation | Barrier):
                raise CircuitError(
                    f"Operation `{inner.name}` under a condition has no counterpart in PennyLane."
                )
            for op in _operations(inner, wires, measured):
                if bits:
                    out.append(Conditional(value, op))
                elif value.processing_fn():
                    out.append(op)
    return out


def _holds(expression: Any, holds: Callable[[Any], bool], bits: Sequence[int], *outcomes: Any) -> Any:
    """Whether a condition holds for outcomes, which may be arrays of them."""
    arrays = np.broadcast_arrays(*outcomes) if outcomes else []
    if arrays and arrays[0].ndim:
        rows = [a.reshape(-1) for a in arrays]
        flat = [_holds(expression, holds, bits, *(int(r[k]) for r in rows)) for k in range(len(rows[0]))]
        return np.array(flat, dtype=bool).reshape(arrays[0].shape)
    values = [0] * (max(classical.bits_of(expression), default=-1) + 1)
    for bit, outcome in zip(bits, outcomes, strict=True):
        values[bit] = int(outcome)
    return holds(classical.evaluate(expression, values))


def _gates(operation: GateOperation, wires: Sequence[Any]) -> list[Any]:
    params = tuple(float(p) for p in operation.params)
    targets = [wires[q] for q in operation.targets]
    out = _gate(operation.gate, params, targets)
    if operation.controls:
        controls = [wires[q] for q in operation.controls]
        values = [bool(v) for v in operation.control_values]
        out = [qml.ctrl(op, control=controls, control_values=values) for op in out]
    return out


def _gate(gate: Any, params: tuple[float, ...], wires: list[Any]) -> list[Any]:
    cls = _classes().get(gate.name) if not hasattr(gate, "circuit") else None
    if cls is not None:
        return [cls(*params, wires=wires)]
    if gate.name == "gphase":
        return [qml.GlobalPhase(-params[0])]
    if gate.name == "id":
        return [qml.Identity(wires)]
    if isinstance(gate, PauliRotationGate):
        return [qml.PauliRot(params[0], gate.label, wires=wires[::-1])]
    if isinstance(gate, DiagonalGate):
        return [qml.DiagonalQubitUnitary(np.asarray(gate.entries), wires=wires[::-1])]
    inverse, back = gate.inverse(params) if not isinstance(gate, UnitaryGate | PrepareGate) else (gate, ())
    if inverse.name in _classes() and inverse.name != gate.name:
        return [qml.adjoint(_classes()[inverse.name](*(float(p) for p in back), wires=wires))]
    parts = gate.decompose(params)
    if parts is not None:
        return [op for part in parts for op in _gate(part.gate, part.params, [wires[k] for k in part.qubits])]
    if gate.num_qubits > MAX_MATRIX_WIRES:
        raise CircuitError(
            f"Gate `{gate.name}` goes to PennyLane as a matrix, for at most {MAX_MATRIX_WIRES} qubits, but "
            f"acts on {gate.num_qubits}."
        )
    return [qml.QubitUnitary(gate.matrix(*params), wires=wires[::-1])]
