"""Circuits, operations and gates as plain dicts, lists and numbers, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from qsim._checks import check_qubits
from qsim.errors import ArgumentError, CircuitError, QsimError
from qsim.gates import Gate, GateSpec, get_gate
from qsim.operations import (
    Assign,
    Barrier,
    Break,
    Continue,
    Delay,
    ForLoop,
    GateOperation,
    IfElse,
    Kraus,
    Measure,
    Operation,
    Reset,
    Switch,
    WhileLoop,
)
from qsim.parameters import ParameterExpression, expression_from_json
from qsim.user_gates import USER_GATES, UserGate

if TYPE_CHECKING:
    from qsim.circuit import Circuit
    from qsim.classical import Variable

__all__ = [
    "circuit_from_json",
    "circuit_to_json",
    "gate_from_json",
    "gate_to_json",
    "operation_from_json",
    "operation_to_json",
]

JSON_FORMAT = 1


def _complex_list(array: npt.NDArray[np.complex128]) -> Any:
    return np.stack([array.real, array.imag], axis=-1).tolist()


def _complex_array(data: Any) -> npt.NDArray[np.complex128]:
    pairs = np.asarray(data, dtype=float)
    return np.ascontiguousarray(pairs[..., 0] + 1j * pairs[..., 1])


def _plain(value: Any) -> Any:
    """One of the things that make a gate, in types JSON has."""
    if isinstance(value, np.ndarray):
        if value.ndim == 3:
            return [_complex_list(matrix) for matrix in value]
        return _complex_list(value) if value.dtype.kind == "c" else value.tolist()
    if isinstance(value, Gate):
        return gate_to_json(value)
    if isinstance(value, tuple):
        return list(value)
    return value.to_dict() if hasattr(value, "to_dict") else value


def gate_to_json(gate: Gate) -> Any:
    """A table gate's name, or ``{"type": class, ...what makes it}``."""
    if isinstance(gate, GateSpec):
        return gate.name
    if not isinstance(gate, UserGate) or type(gate).__name__ not in USER_GATES:
        raise CircuitError(f"Gate `{gate.name}` of type {type(gate).__name__} cannot be written as JSON.")
    return {"type": type(gate).__name__, **{name: _plain(value) for name, value in gate._data().items()}}


def gate_from_json(data: Any) -> Gate:
    """The inverse of `gate_to_json`."""
    from qsim.circuit import Circuit
    from qsim.observables import PauliSum

    if isinstance(data, str):
        return get_gate(data)
    fields = dict(data)
    kind = fields.pop("type", None)
    if kind not in USER_GATES:
        raise ArgumentError(
            f"A gate in JSON must have one of the types {', '.join(USER_GATES)}, but has {kind!r}."
        )
    readers: dict[str, Callable[[Any], Any]] = dict.fromkeys(
        ("matrix", "entries", "generator", "amplitudes"), _complex_array
    )
    readers["generators"] = lambda matrices: [_complex_array(matrix) for matrix in matrices]
    readers |= {"circuit": Circuit.from_dict, "pauli_sum": PauliSum.from_dict, "gate": gate_from_json}
    return USER_GATES[kind](**{name: readers.get(name, lambda v: v)(value) for name, value in fields.items()})


def operation_to_json(op: Operation) -> Any:
    """Plain dicts, lists and numbers that `operation_from_json` reads."""
    from qsim import classical

    def param(p: Any) -> Any:
        if isinstance(p, classical.Expression):
            return {"classical": classical.to_json(p)}
        return p.to_json() if isinstance(p, ParameterExpression) else p

    if isinstance(op, GateOperation):
        out: dict[str, Any] = {"gate": gate_to_json(op.gate), "qubits": list(op.targets)}
        if op.params:
            out["params"] = [param(p) for p in op.params]
        if op.controls:
            out["controls"], out["control_values"] = list(op.controls), list(op.control_values)
        return out
    out = {"op": op.name}
    if isinstance(op, Measure):
        out |= {"qubit": op.qubit, "clbit": op.clbit}
    elif isinstance(op, Reset):
        out |= {"qubit": op.qubit}
    elif isinstance(op, Barrier):
        out |= {"qubits": list(op.qubits)}
    elif isinstance(op, Delay):
        out |= {"qubits": list(op.qubits), "duration": op.duration, "unit": op.unit}
    elif isinstance(op, Kraus):
        out |= {"qubits": list(op.qubits), "matrices": [_complex_list(m) for m in op.matrices]}
    elif isinstance(op, IfElse | WhileLoop):
        out |= {"condition": classical.to_json(op.condition), "bodies": [b.to_dict() for b in op.bodies]}
    elif isinstance(op, ForLoop):
        values: Any = op.values
        if isinstance(values, range):
            values = {"range": [values.start, values.stop, values.step]}
        elif isinstance(values, tuple):
            values = {"list": [param(v) for v in values]}
        else:
            values = {"classical": classical.to_json(values)}
        variable = None if op.variable is None else classical.to_json(op.variable)
        out |= {"variable": variable, "values": values, "bodies": [op.body.to_dict()]}
    elif isinstance(op, Switch):
        out |= {
            "subject": classical.to_json(op.subject),
            "cases": [list(values) for values, _ in op.cases],
            "bodies": [b.to_dict() for b in op.bodies],
        }
    elif isinstance(op, Assign):
        out |= {"target": classical.to_json(op.target), "value": classical.to_json(op.value)}
    return out


def operation_from_json(data: Mapping[str, Any]) -> Operation:
    """The inverse of `operation_to_json`."""
    from qsim import classical
    from qsim.circuit import Circuit

    def param(p: Any) -> Any:
        return classical.from_json(p["classical"]) if isinstance(p, dict) else expression_from_json(p)

    if not isinstance(data, Mapping):
        raise ArgumentError(f"An operation in JSON must be an object, but is {data!r}.")
    if "gate" in data:
        return GateOperation(
            gate_from_json(data["gate"]),
            tuple(param(p) for p in data.get("params", ())),
            tuple(data["qubits"]),
            tuple(data.get("controls", ())),
            tuple(data.get("control_values", ())),
        )
    kind = data.get("op")
    bodies = [Circuit.from_dict(b) for b in data.get("bodies", ())]
    if kind == "measure":
        return Measure(data["qubit"], data["clbit"])
    if kind == "reset":
        return Reset(data["qubit"])
    if kind == "barrier":
        return Barrier(tuple(data["qubits"]))
    if kind == "delay":
        return Delay(data["duration"], data["unit"], tuple(data["qubits"]))
    if kind == "kraus":
        return Kraus([_complex_array(m) for m in data["matrices"]], tuple(data["qubits"]))
    if kind == "if_else":
        return IfElse(classical.from_json(data["condition"]), *bodies)
    if kind == "while_loop":
        return WhileLoop(classical.from_json(data["condition"]), bodies[0])
    if kind == "for_loop":
        values: Any = data["values"]
        if "range" in values:
            values = range(*values["range"])
        else:
            values = (
                tuple(v if isinstance(v, int | float) else param(v) for v in values["list"])
                if "list" in values
                else classical.from_json(values["classical"])
            )
        variable = None if data["variable"] is None else classical.from_json(data["variable"])
        return ForLoop(variable, values, bodies[0])
    if kind == "switch":
        cases = [(tuple(values), body) for values, body in zip(data["cases"], bodies, strict=False)]
        return Switch(
            classical.from_json(data["subject"]),
            cases,
            bodies[len(cases)] if len(bodies) > len(cases) else None,
        )
    if kind == "assign":
        return Assign(classical.from_json(data["target"]), classical.from_json(data["value"]))
    if kind in ("break", "continue"):
        return Break() if kind == "break" else Continue()
    raise ArgumentError(f"An operation in JSON must have a known `op`, but has {kind!r}.")


def circuit_to_json(circuit: Circuit) -> dict[str, Any]:
    """See `Circuit.to_dict`."""
    from qsim import classical

    return {
        "format": JSON_FORMAT,
        "name": circuit.name,
        "num_qubits": circuit.num_qubits,
        "num_clbits": circuit.num_clbits,
        "quantum_registers": {k: list(v) for k, v in circuit.quantum_registers.items()},
        "classical_registers": {k: list(v) for k, v in circuit.classical_registers.items()},
        **({"scratch_clbits": sorted(circuit.scratch_clbits)} if circuit.scratch_clbits else {}),
        "variables": [[classical.to_json(v), initial] for v, initial in circuit.variables.items()],
        "operations": [operation_to_json(op) for op in circuit.operations],
    }


def circuit_from_json(data: Any, kind: type[Circuit]) -> Circuit:
    """The inverse of `circuit_to_json`: a circuit of class `kind`."""
    if not isinstance(data, Mapping) or data.get("format") != JSON_FORMAT:
        raise ArgumentError(f"Argument `data` must be a circuit of JSON format {JSON_FORMAT}, but is not.")
    try:
        return _read_circuit(data, kind)
    except QsimError:
        raise
    except KeyError as error:
        detail = f"has no `{error.args[0]}` where one is needed"
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        detail = f"cannot be read: {str(error).rstrip('.')}"
    raise ArgumentError(f"Argument `data` must be a circuit as `to_dict` gives it, but {detail}.")


def _read_circuit(data: Mapping[str, Any], kind: type[Circuit]) -> Circuit:
    from qsim import classical

    out = kind(data["num_qubits"], data["num_clbits"], data.get("name"))
    out.quantum_registers = {
        name: check_qubits(places, out.num_qubits, context=f" in register `{name}`")
        for name, places in data.get("quantum_registers", {}).items()
    }
    out.classical_registers = {
        name: check_qubits(
            places, out.num_clbits, "Classical bit", "classical bits", f" in register `{name}`"
        )
        for name, places in data.get("classical_registers", {}).items()
    }
    out.scratch_clbits = frozenset(
        check_qubits(data.get("scratch_clbits", ()), out.num_clbits, "Classical bit", "classical bits")
    )
    for variable, initial in data.get("variables", ()):
        out.variables[cast("Variable", classical.from_json(variable))] = initial
    for operation in data["operations"]:
        out.append_operation(operation_from_json(operation))
    return out
