"""Writer of OpenQASM 2: gates of qelib1.inc only, numbers only, no global phase.

A controlled gate is written by name where it has one, else exactly through multi-controlled phases and
X gates; the phase that is left out is that of the whole circuit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from qsim.circuit import Circuit
from qsim.classical import Binary, Bit, Bits, Literal, Unary
from qsim.errors import ArgumentError, QasmError
from qsim.gates import GATES, GateSpec
from qsim.io.decompose import parts_of, zyz_angles
from qsim.io.export import _unwrapped, refuse
from qsim.io.library import QELIB1
from qsim.io.naming import Names, Registers
from qsim.io.numbers import number_text
from qsim.operations import Barrier, GateOperation, IfElse, Measure, Operation, Reset
from qsim.parameters import ParameterExpression

__all__ = ["Writer2"]

MAX_CONTROLS = 10
MAX_STATEMENTS = 5_000_000

#: gate of the table -> name in qelib1.inc (u0, a wait, is left out: readers disagree on its parameter)
_DIRECT = {gate: name for name, gate in reversed(QELIB1.items()) if name not in ("u0", "u1", "u3", "cu1")}
#: gates of the table that are another one behind leading controls
_CONTROLLED = {
    "cx": ("x", 1),
    "ccx": ("x", 2),
    "c3x": ("x", 3),
    "c4x": ("x", 4),
    "c3sx": ("sx", 3),
    "cz": ("z", 1),
    "ccz": ("z", 2),
    "cswap": ("swap", 1),
    **{f"c{name}": (name, 1) for name in ("y", "h", "s", "sdg", "sx", "sxdg", "p", "rx", "ry", "rz")},
}
_NAMED = {
    "x": ("cx", "ccx", "c3x", "c4x"),
    "sx": ("csx", "", "c3sqrtx"),
    "swap": ("cswap",),
    **{name: (f"c{name}",) for name in ("y", "z", "h", "p", "rx", "ry", "rz")},
}
_PHASES = {"z": math.pi, "s": math.pi / 2, "sdg": -math.pi / 2, "t": math.pi / 4, "tdg": -math.pi / 4}

Statement = tuple[str, tuple[float, ...], tuple[int, ...]]


class Writer2:
    """Writes one circuit as OpenQASM 2."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        names = Names(2)
        self.quantum = Registers(circuit.num_qubits, circuit.quantum_registers, names, "q")
        conditions = list(_condition_bits(circuit.operations))
        self.classical = Registers(circuit.num_clbits, circuit.classical_registers, names, "c", conditions)
        self.count = 0

    def text(self) -> str:
        """The whole program."""
        if self.circuit.parameters:
            names = ", ".join(p.name for p in self.circuit.parameters)
            raise QasmError(
                f"OpenQASM 2 has no inputs, but the circuit has free parameters: {names}. "
                "Bind them, or use version=3.",
                0,
                0,
                "parameter",
            )
        lines = ["OPENQASM 2.0;", 'include "qelib1.inc";']
        lines.extend(f"qreg {name}[{len(own)}];" for name, own in self.quantum.registers.items())
        lines.extend(f"creg {name}[{len(own)}];" for name, own in self.classical.registers.items())
        for op in self.circuit.operations:
            self._operation(op, "", lines)
        return "\n".join([*lines, ""])

    def _operation(self, op: Operation, prefix: str, out: list[str]) -> None:
        place = self.quantum.places.__getitem__
        if isinstance(op, GateOperation):
            for name, params, qubits in self.gate(op):
                listed = f"({','.join(map(number_text, params))})" if params else ""
                out.append(f"{prefix}{name}{listed} {','.join(map(place, qubits))};")
                self.count += 1
                if self.count > MAX_STATEMENTS:
                    raise refuse(op.name, f"the circuit needs more than {MAX_STATEMENTS} statements")
        elif isinstance(op, Measure):
            out.append(f"{prefix}measure {place(op.qubit)} -> {self.classical.places[op.clbit]};")
        elif isinstance(op, Reset):
            out.append(f"{prefix}reset {place(op.qubit)};")
        elif isinstance(op, Barrier) and not prefix:
            if op.qubits:
                out.append(f"barrier {','.join(map(place, op.qubits))};")
        elif isinstance(op, IfElse) and not prefix:
            self._conditional(op, out)
        else:
            raise refuse(op.name, "version 2 has no such operation", " Use version=3.")

    def _conditional(self, op: IfElse, out: list[str]) -> None:
        condition = _register_condition(op.condition)
        register = None if condition is None else self.classical.whole(condition[0])
        if condition is None or register is None or op.else_body is not None:
            raise refuse(
                op.name,
                "version 2 can only compare a whole register with a number, and has no else",
                " Use version=3.",
            )
        operations = [inner for inner in op.then_body.operations if not isinstance(inner, Barrier)]
        for number, inner in enumerate(operations):
            written = isinstance(inner, Measure) and inner.clbit in condition[0]
            if written and number + 1 < len(operations):
                raise refuse(op.name, "its body changes the register it depends on", " Use version=3.")
            self._operation(inner, f"if({register}=={condition[1]}) ", out)

    # -- gates -------------------------------------------------------------------------------------
    def gate(self, op: GateOperation) -> Iterator[Statement]:
        """Statements of a gate, exact up to the phase of the whole circuit."""
        op = _unwrapped(op)
        params = tuple(self._number(op, p) for p in op.params)
        name = op.gate.name if isinstance(op.gate, GateSpec) and GATES.get(op.gate.name) is op.gate else ""
        if not op.controls:
            if name in _DIRECT:
                yield _DIRECT[name], params, op.targets
                return
            if name == "gphase":
                return
        if name in _CONTROLLED:
            base, count = _CONTROLLED[name]
            op = GateOperation(
                GATES[base],
                params,
                op.targets[count:],
                op.controls + op.targets[:count],
                op.control_values + (1,) * count,
            )
            name = base
        if len(op.controls) > MAX_CONTROLS:
            raise refuse(
                op.name,
                f"version 2 needs too many gates for more than {MAX_CONTROLS} controls",
                " Use version=3.",
            )
        zeros = [q for q, value in zip(op.controls, op.control_values, strict=True) if not value]
        yield from (("x", (), (q,)) for q in zeros)
        yield from self._controlled(op, name, params)
        yield from (("x", (), (q,)) for q in zeros)

    def _number(self, op: GateOperation, value: Any) -> float:
        if isinstance(value, ParameterExpression) or not isinstance(value, int | float):
            raise refuse(
                op.name, f"version 2 has only numbers as parameters, not `{value}`", " Use version=3."
            )
        return float(value)

    def _controlled(self, op: GateOperation, name: str, params: tuple[float, ...]) -> Iterator[Statement]:
        """A gate behind controls that must all be 1."""
        controls, targets = op.controls, op.targets
        named = _NAMED.get(name, ())
        if 0 < len(controls) <= len(named) and named[len(controls) - 1]:
            yield named[len(controls) - 1], params, controls + targets
        elif name == "gphase":
            yield from _phase(params[0], controls)
        elif name == "p" or name in _PHASES:
            yield from _phase(params[0] if name == "p" else _PHASES[name], controls + targets)
        elif name == "x":
            yield from _flip(controls, targets[0])
        elif name == "swap":
            first, second = targets
            yield "cx", (), (second, first)
            yield from _flip((*controls, first), second)
            yield "cx", (), (second, first)
        elif name in ("rz", "ry"):
            yield from _half_angles(name, params[0], controls, targets[0])
        elif name and op.gate.num_qubits == 1 and op.gate.decompose(params) is None:
            alpha, beta, gamma, delta = zyz_angles(op.gate.target_matrix(*params))
            for axis, angle in (("rz", delta), ("ry", gamma), ("rz", beta)):
                if angle:
                    yield from _half_angles(axis, angle, controls, targets[0])
            if alpha:
                yield from _phase(alpha, controls)
        else:
            yield from self._parts(op, params)

    def _parts(self, op: GateOperation, params: tuple[float, ...]) -> Iterator[Statement]:
        try:
            parts = parts_of(op.gate, params)
        except ArgumentError as error:
            raise refuse(op.gate.name, str(error)) from None
        for part in parts:
            yield from self.gate(
                GateOperation(
                    part.gate,
                    part.params,
                    tuple(op.targets[q] for q in part.targets),
                    op.controls + tuple(op.targets[q] for q in part.controls),
                    (1,) * len(op.controls) + part.control_values,
                )
            )


def _phase(angle: float, qubits: Sequence[int]) -> Iterator[Statement]:
    """exp(i angle) where all qubits are 1."""
    if not qubits:
        return
    if len(qubits) <= 2:
        yield ("p", "cp")[len(qubits) - 1], (angle,), tuple(qubits)
        return
    *rest, middle, last = qubits
    yield "cp", (angle / 2,), (middle, last)
    yield from _flip(rest, middle)
    yield "cp", (-angle / 2,), (middle, last)
    yield from _flip(rest, middle)
    yield from _phase(angle / 2, [*rest, last])


def _flip(controls: Sequence[int], target: int) -> Iterator[Statement]:
    """X behind any number of controls."""
    if len(controls) <= 4:
        yield ("x", "cx", "ccx", "c3x", "c4x")[len(controls)], (), (*controls, target)
        return
    yield "h", (), (target,)
    yield from _phase(math.pi, [*controls, target])
    yield "h", (), (target,)


def _half_angles(axis: str, angle: float, controls: Sequence[int], target: int) -> Iterator[Statement]:
    """RY or RZ behind controls: X turns the second half around."""
    if len(controls) <= 1:
        yield ("", "c")[len(controls)] + axis, (angle,), (*controls, target)
        return
    for half in (angle / 2, -angle / 2):
        yield axis, (half,), (target,)
        yield from _flip(controls, target)


# -- conditions ------------------------------------------------------------------------------------
def _register_condition(condition: Any) -> tuple[tuple[int, ...], int] | None:
    """``(bits, number)`` if a condition compares classical bits with a number."""
    if isinstance(condition, Bit):
        return (condition.index,), 1
    if isinstance(condition, Unary) and condition.op == "!" and isinstance(condition.operand, Bit):
        return (condition.operand.index,), 0
    if isinstance(condition, Binary) and condition.op == "==":
        for subject, number in ((condition.left, condition.right), (condition.right, condition.left)):
            if isinstance(number, Literal) and isinstance(number.value, int) and number.value >= 0:
                if isinstance(subject, Bits):
                    return subject.indices, int(number.value)
                if isinstance(subject, Bit):
                    return (subject.index,), int(number.value)
    return None


def _condition_bits(operations: Sequence[Operation]) -> Iterator[tuple[int, ...]]:
    for op in operations:
        if isinstance(op, IfElse):
            condition = _register_condition(op.condition)
            if condition is not None:
                yield condition[0]
