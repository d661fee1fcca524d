"""Circuits of qsim as circuits of Cirq."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cirq
import sympy

from qsim import classical
from qsim.circuit import Circuit
from qsim.converters.sympy_formulas import to_sympy
from qsim.errors import ArgumentError, CircuitError
from qsim.gates import GateSpec
from qsim.io.decompose import parts_of
from qsim.operations import (
    Barrier,
    Delay,
    GateOperation,
    IfElse,
    Kraus,
    Measure,
    Operation,
    Reset,
)
from qsim.parameters import ParameterExpression
from qsim.program.unroll import unroll
from qsim.user_gates import ControlledGate, DiagonalGate, PauliRotationGate

__all__ = ["write_circuit"]

#: A gate on more qubits than this that has no other form is taken apart instead of being a matrix.
_MAX_MATRIX_QUBITS = 6

_CONSTANT: dict[str, Any] = {
    **{"id": cirq.I, "x": cirq.X, "y": cirq.Y, "z": cirq.Z, "h": cirq.H},
    **{"s": cirq.S, "sdg": cirq.S**-1, "t": cirq.T, "tdg": cirq.T**-1},
    **{"sx": cirq.X**0.5, "sxdg": cirq.X**-0.5, "sy": cirq.Y**0.5, "sydg": cirq.Y**-0.5},
    **{"cx": cirq.CX, "cy": cirq.ControlledGate(cirq.Y), "cz": cirq.CZ, "ch": cirq.ControlledGate(cirq.H)},
    **{"cs": cirq.CZ**0.5, "csdg": cirq.CZ**-0.5, "csx": cirq.CX**0.5, "csxdg": cirq.CX**-0.5},
    **{"swap": cirq.SWAP, "iswap": cirq.ISWAP, "iswapdg": cirq.ISWAP**-1},
    **{"siswap": cirq.ISWAP**0.5, "siswapdg": cirq.ISWAP**-0.5},
    **{"ccx": cirq.CCX, "ccz": cirq.CCZ, "cswap": cirq.CSWAP},
}


def _rotation(gate: Any) -> Callable[..., Any]:
    return lambda theta: gate(exponent=theta / _pi(theta), global_shift=-0.5)


def _power(gate: Any, factor: float = 1.0) -> Callable[..., Any]:
    return lambda theta: gate(exponent=factor * theta / _pi(theta))


def _pi(angle: Any) -> Any:
    return sympy.pi if isinstance(angle, sympy.Basic) else math.pi


def _controlled(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda theta: cirq.ControlledGate(make(theta))


#: gates of one or more parameters: a function of them that gives Cirq's gate
_PARAMETRIC: dict[str, Callable[..., Any]] = {
    **{"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz, "p": _power(cirq.ZPowGate)},
    **{"crx": _controlled(cirq.rx), "cry": _controlled(cirq.ry), "crz": _controlled(cirq.rz)},
    **{"cp": _power(cirq.CZPowGate), "ising_xy": _power(cirq.ISwapPowGate), "fsim": cirq.FSimGate},
    **{"rxx": _rotation(cirq.XXPowGate), "ryy": _rotation(cirq.YYPowGate), "rzz": _rotation(cirq.ZZPowGate)},
    "gphase": lambda phi: cirq.GlobalPhaseGate(
        sympy.exp(sympy.I * phi) if isinstance(phi, sympy.Basic) else cmath.exp(1j * phi)
    ),
    "r": lambda theta, phi: cirq.PhasedXPowGate(
        exponent=theta / _pi(theta), phase_exponent=phi / _pi(phi), global_shift=-0.5
    ),
}


def write_circuit(circuit: Circuit, qubits: Sequence[Any]) -> Any:
    """A circuit of Cirq in which qubit k is ``qubits[k]``."""
    writer = _Writer(circuit, qubits)
    operations = [cirq_op for op in writer.operations() for cirq_op in writer.operation(op)]
    return cirq.Circuit(operations)


class _Writer:
    """Translates operations in order.

    Attributes
    ----------
    keys : dict
        Classical bit -> (measurement key, place of the bit in it from the right) where it was measured last.
    """

    def __init__(self, circuit: Circuit, qubits: Sequence[Any]) -> None:
        self.circuit, self.qubits = circuit, list(qubits)
        self.keys: dict[int, tuple[str, int]] = {}
        self.used: dict[str, int] = {}
        self.registers = {bits: name for name, bits in circuit.classical_registers.items()}
        self.names = {
            bit: f"{name}[{k}]"
            for name, bits in circuit.classical_registers.items()
            for k, bit in enumerate(bits)
        }

    def operations(self) -> Iterator[Operation | list[Measure]]:
        """The operations, and runs of measurements that fill a classical register as one list."""
        listed = list(unroll(self.circuit).operations)
        place = 0
        while place < len(listed):
            run = list(_run_of_measurements(listed, place))
            count = next(
                (n for n in range(len(run), 0, -1) if tuple(op.clbit for op in run[:n]) in self.registers), 0
            )
            if count:
                yield run[:count]
            else:
                yield listed[place]
            place += max(1, count)

    def operation(self, op: Operation | list[Measure]) -> Iterator[Any]:
        if isinstance(op, GateOperation):
            yield from self.gate(op)
        elif isinstance(op, list):
            yield self.measure(self.registers[tuple(m.clbit for m in op)], op)
        elif isinstance(op, Measure):
            yield self.measure(self.names.get(op.clbit, f"c[{op.clbit}]"), [op])
        elif isinstance(op, Reset):
            yield cirq.reset(self.qubits[op.qubit])
        elif isinstance(op, Kraus):
            yield cirq.KrausChannel(list(op.matrices)).on(*self.on(op.qubits)[::-1])
        elif isinstance(op, Delay):
            yield from self.delay(op)
        elif isinstance(op, IfElse):
            yield from self.conditional(op)
        elif not isinstance(op, Barrier):
            raise CircuitError(
                f"Operation `{op.name}` has no form in Cirq; gates, measurements, resets, channels and "
                "conditions on measured bits have one."
            )

    def on(self, qubits: Sequence[int]) -> list[Any]:
        return [self.qubits[q] for q in qubits]

    # -- gates -------------------------------------------------------------------------------------
    def gate(self, op: GateOperation) -> Iterator[Any]:
        if op.has_run_time_params:
            raise CircuitError(
                f"Gate `{op.name}` has a classical parameter, known only while the circuit runs, "
                "which has no form in Cirq."
            )
        gate, targets = _cirq_gate(op)
        if gate is not None:
            done = gate.on(*self.on(targets))
            if op.controls:
                done = done.controlled_by(*self.on(op.controls), control_values=list(op.control_values))
            yield done
            return
        try:
            parts = parts_of(op.gate, op.params)
        except ArgumentError as error:
            raise CircuitError(f"Gate `{op.name}` has no form in Cirq: {error}.") from None
        for part in parts:
            moved = part.remap(op.targets.__getitem__, lambda c: c)
            yield from self.gate(moved.with_control(op.controls, op.control_values))

    def delay(self, op: Delay) -> Iterator[Any]:
        if op.unit == "dt":
            raise CircuitError("A delay in `dt` has no form in Cirq, whose durations are in seconds.")
        scale = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}[op.unit]
        for qubit in self.on(op.qubits):
            yield cirq.wait(qubit, nanos=op.duration * scale)

    # -- measurement and classical control -----------------------------------------------------------
    def measure(self, name: str, operations: Sequence[Measure]) -> Any:
        count = self.used[name] = self.used.get(name, 0) + 1
        key = name if count == 1 else f"{name}_{count - 1}"
        for place, op in enumerate(reversed(operations)):
            self.keys[op.clbit] = (key, place)
        return cirq.measure(*(self.qubits[op.qubit] for op in operations), key=key)

    def conditional(self, op: IfElse) -> Iterator[Any]:
        found = _comparison(op.condition)
        if found is None:
            raise CircuitError(
                f"The condition `{op.condition}` has no form in Cirq; comparisons of measured bits with a "
                "number have one."
            )
        bits, value, equal = found
        wanted = {bit: value >> k & 1 for k, bit in enumerate(bits)}
        never = {bit for bit in bits if bit not in self.keys}  # these are 0
        if any(wanted.pop(bit) for bit in never):
            wanted, equal = {}, not equal
        yield from self.branches(op, wanted, equal)

    def branches(self, op: IfElse, wanted: dict[int, int], equal: bool) -> Iterator[Any]:
        """The bodies under conditions; `wanted` is the values of measured bits, or empty for "always"."""
        for body, holds in ((op.then_body, equal), (op.else_body, not equal)):
            if body is None:
                continue
            conditions = self.conditions(wanted, holds, op)
            for inner in body.operations:
                if not isinstance(inner, GateOperation | Barrier | Delay | Reset):
                    raise CircuitError(
                        f"Operation `{inner.name}` under a condition has no form in Cirq; gates and resets "
                        "have one."
                    )
                for cirq_op in self.operation(inner):
                    if conditions is not None:
                        yield cirq_op.with_classical_controls(*conditions) if conditions else cirq_op

    def conditions(self, wanted: dict[int, int], holds: bool, op: IfElse) -> list[Any] | None:
        """All of these must hold; None if that is never."""
        if not wanted:
            return [] if holds else None
        masks: dict[str, tuple[int, int]] = {}
        for bit, value in wanted.items():
            key, place = self.keys[bit]
            mask, target = masks.get(key, (0, 0))
            masks[key] = mask | 1 << place, target | value << place
        if not holds and len(masks) > 1:
            raise CircuitError(
                f"The condition `{op.condition}` compares bits of several measurements, and what is done "
                "where it does not hold has no form in Cirq. Measure them into one register."
            )
        return [
            cirq.BitMaskKeyCondition(key, bitmask=mask, target_value=target, equal_target=holds)
            for key, (mask, target) in masks.items()
        ]


def _run_of_measurements(operations: Sequence[Operation], first: int) -> Iterator[Measure]:
    """The measurements in a row from one on, as long as qubits and bits differ."""
    seen: set[Any] = set()
    for op in operations[first:]:
        if not isinstance(op, Measure) or ("q", op.qubit) in seen or ("c", op.clbit) in seen:
            return
        seen |= {("q", op.qubit), ("c", op.clbit)}
        yield op


def _cirq_gate(op: GateOperation) -> tuple[Any, tuple[int, ...]]:
    """Cirq's gate, or None, and the qubits it acts on in Cirq's order."""
    gate, params, targets = op.gate, op.params, op.targets
    if isinstance(gate, ControlledGate):
        return None, ()
    if isinstance(gate, GateSpec):
        if gate.name in _CONSTANT:
            return _CONSTANT[gate.name], targets
        if gate.name in _PARAMETRIC:
            return _PARAMETRIC[gate.name](*map(to_sympy, params)), targets
    if isinstance(gate, PauliRotationGate) and set(gate.label) - {"I"}:
        # without letters I, which Cirq's decomposition of the phasor takes for others
        acting = [(q, c) for q, c in zip(targets, reversed(gate.label), strict=True) if c != "I"]
        angle = to_sympy(params[0])
        half = angle / (2 * _pi(angle))
        string = cirq.DensePauliString("".join(letter for _, letter in acting))
        phasor = cirq.PauliStringPhasorGate(string, exponent_neg=half, exponent_pos=-half)
        return phasor, tuple(q for q, _ in acting)
    if any(isinstance(p, ParameterExpression) for p in params) or gate.decompose(params) is not None:
        return None, ()
    if isinstance(gate, DiagonalGate):
        return cirq.DiagonalGate([cmath.phase(entry) for entry in gate.entries]), targets[::-1]
    own = gate.num_qubits - gate.num_controls
    if 0 < own <= _MAX_MATRIX_QUBITS and gate.keeps_norm:
        matrix = cirq.MatrixGate(gate.target_matrix(*params), name=gate.name)
        controls, inner = targets[: gate.num_controls], targets[gate.num_controls :]
        if not controls:
            return matrix, inner[::-1]
        return cirq.ControlledGate(matrix, len(controls)), controls + inner[::-1]
    return None, ()


def _comparison(condition: Any) -> tuple[tuple[int, ...], int, bool] | None:
    """``(bits, value, equal)`` of ``bits == value`` or ``bits != value``, the first bit least significant."""
    equal = True
    while isinstance(condition, classical.Unary) and condition.op == "!":
        condition, equal = condition.operand, not equal
    if isinstance(condition, classical.Bit):
        return (condition.index,), 1, equal
    if isinstance(condition, classical.Binary) and condition.op in ("==", "!="):
        left, right = condition.left, condition.right
        if isinstance(left, classical.Literal):
            left, right = right, left
        bits = (left.index,) if isinstance(left, classical.Bit) else getattr(left, "indices", None)
        if (
            bits is not None
            and isinstance(right, classical.Literal)
            and 0 <= int(right.value) < 1 << len(bits)
        ):
            return tuple(bits), int(right.value), equal == (condition.op == "==")
    return None
