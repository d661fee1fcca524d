"""Circuits of Cirq as circuits of qsim."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import cirq
import numpy as np
import sympy

from qsim import classical
from qsim.circuit import Circuit
from qsim.converters.cirq_gates import diagonal_angles, nearly_unitary, parts_of, turns
from qsim.errors import CircuitError
from qsim.gates import GATES
from qsim.parameters import ParameterExpression
from qsim.user_gates import PauliRotationGate

__all__ = ["check_qubits_only", "read_circuit"]

#: A matrix on more qubits than this is not made of an operation that has no other form.
_MAX_MATRIX_QUBITS = 10
_MAX_DEPTH = 200


def check_qubits_only(qubits: Sequence[Any]) -> None:
    """Refuse qudits by name."""
    for qubit in qubits:
        if qubit.dimension != 2:
            raise CircuitError(
                f"Qubits must have two levels, but `{qubit!r}` has {qubit.dimension}. qsim has no qudits."
            )


def read_circuit(circuit: Any, qubits: Sequence[Any]) -> tuple[Circuit, dict[str, list[tuple[int, ...]]]]:
    """A circuit of Cirq, and the bits of each measurement key; ``qubits[k]`` becomes qubit k.

    A key has the bits of each time it is measured, in order.

    Raises
    ------
    CircuitError
        If an operation has no form here; the message names it.
    """
    places = {qubit: place for place, qubit in enumerate(qubits)}
    reader = _Reader(Circuit(len(qubits)), places, {})
    moments = list(circuit)
    last = {qubit: number for number, moment in enumerate(moments) for qubit in moment.qubits}
    for number, moment in enumerate(moments):
        for operation in moment:
            reader.is_last = all(last[qubit] == number for qubit in operation.qubits)
            reader.operation(operation)
    reader.finish()
    return reader.circuit, reader.keys


class _Reader:
    """Appends operations to `circuit`.

    Attributes
    ----------
    places : dict
        Cirq's qubit -> number here.
    is_last : bool
        Whether nothing follows the operation on its qubits.
    phase : float
        Global phase that has gathered.
    keys : dict
        Measurement key -> the classical bits of each time it is measured.
    """

    def __init__(self, circuit: Circuit, places: dict[Any, int], keys: dict[str, list[tuple[int, ...]]]):
        self.circuit, self.places, self.keys = circuit, places, keys
        self.is_last = False
        self.phase = 0.0
        self.depth = 0

    def finish(self) -> None:
        """Append the global phase that has gathered."""
        phase = math.remainder(self.phase, 2 * math.pi)
        if abs(phase) > 1e-15:
            self.circuit.append("gphase", (phase,), ())

    def emit(
        self,
        name: str,
        params: Any,
        qubits: tuple[int, ...],
        controls: tuple[int, ...] = (),
        values: tuple[int, ...] = (),
    ) -> None:
        if name == "gphase" and not controls and not isinstance(params[0], ParameterExpression):
            self.phase += params[0]
        elif controls:
            self.circuit.append(name, params, qubits, controls=controls, control_values=values)
        else:
            self.circuit.append(name, params, qubits)

    # -- one operation -----------------------------------------------------------------------------
    def operation(self, op: Any, controls: tuple[int, ...] = (), values: tuple[int, ...] = ()) -> None:
        """Append an operation behind controls that must have these values."""
        op = op.untagged
        if op.classical_controls:
            return self.conditional(op)
        if isinstance(op, cirq.ControlledOperation):
            return self.controlled(op.controls, op.sub_operation, op.control_values, controls, values)
        gate = op.gate
        if isinstance(gate, cirq.ControlledGate):
            count = gate.num_controls()
            inner = gate.sub_gate.on(*op.qubits[count:])
            return self.controlled(op.qubits[:count], inner, gate.control_values, controls, values)
        targets = tuple(self.place(qubit, op) for qubit in op.qubits)
        parts = None if gate is None else parts_of(gate)
        if parts is not None:
            for name, params, positions, outer in parts:
                more = len(positions) - GATES[name].num_qubits
                extra = tuple(targets[p] for p in positions[:more])
                own = tuple(targets[p] for p in positions[more:])
                if outer:
                    self.emit(name, params, own)
                else:
                    self.emit(name, params, own, controls + extra, values + (1,) * more)
        elif not self.special(op, targets, controls, values):
            self.generic(op, targets, controls, values)

    def place(self, qubit: Any, op: Any) -> int:
        if qubit not in self.places:
            raise CircuitError(
                f"Operation `{op!r}` acts on `{qubit!r}`, which is not among the circuit's qubits."
            )
        return self.places[qubit]

    def controlled(
        self, controls: Any, inner: Any, wanted: Any, outer: tuple[int, ...], outer_values: tuple[int, ...]
    ) -> None:
        own = tuple(self.place(qubit, inner) for qubit in controls)
        products = [tuple(values) for values in wanted.expand()]
        if isinstance(wanted, cirq.ProductOfSums):  # a control that may have either value is none
            chosen = [k for k, allowed in enumerate(wanted) if len(set(allowed)) == 1]
            own = tuple(own[k] for k in chosen)
            products = [tuple(products[0][k] for k in chosen)]
        for values in products:
            self.operation(inner, outer + own, outer_values + tuple(map(int, values)))

    def special(
        self, op: Any, targets: tuple[int, ...], controls: tuple[int, ...], values: tuple[int, ...]
    ) -> bool:
        """Append an operation with data of its own; False if it is none of those known."""
        gate = op.gate
        if isinstance(gate, cirq.PauliStringPhasorGate):
            self.phasor(gate, targets, controls, values)
        elif isinstance(gate, cirq.BaseDensePauliString):
            coefficient = complex(gate.coefficient)
            if abs(abs(coefficient) - 1) > 1e-8:
                raise CircuitError(f"Operation `{op!r}` is no unitary: its coefficient is {coefficient}.")
            for letter, target in zip(gate.pauli_mask, targets, strict=True):
                if letter:
                    self.emit("_xyz"[letter], (), (target,), controls, values)
            self.emit("gphase", (float(np.angle(coefficient)),), (), controls, values)
        elif (angles := diagonal_angles(gate)) is not None:
            self.diagonal(angles, targets, controls, values)
        elif isinstance(gate, cirq.MatrixGate):
            self.matrix(cirq.unitary(gate), targets, controls, values)
        elif controls:
            return False
        elif isinstance(gate, cirq.MeasurementGate):
            self.measure(gate, targets)
        elif isinstance(gate, cirq.ResetChannel):
            self.circuit.reset(targets)
        elif isinstance(gate, cirq.StatePreparationChannel):
            self.circuit.initialize(gate.state, targets[::-1], normalize=True)
        else:
            return False
        return True

    def phasor(self, gate: Any, targets: Any, controls: Any, values: Any) -> None:
        """exp(i pi a) where the Pauli string is 1 and exp(i pi b) where it is -1."""
        string = gate.dense_pauli_string
        plus, minus = turns(gate.exponent_pos), turns(gate.exponent_neg)
        if complex(string.coefficient).real < 0:
            plus, minus = minus, plus
        letters = "".join("IXYZ"[letter] for letter in string.pauli_mask)
        acting = tuple(t for t, letter in zip(targets, letters, strict=True) if letter != "I")
        rotation = PauliRotationGate(letters.replace("I", "")[::-1])
        if acting:
            self.circuit.append(
                rotation, (minus - plus,), acting, controls=controls, control_values=values or None
            )
            self.emit("gphase", ((minus + plus) / 2,), (), controls, values)
        else:
            self.emit("gphase", (plus,), (), controls, values)

    def diagonal(self, angles: list[Any], targets: Any, controls: Any, values: Any) -> None:
        if not any(isinstance(angle, ParameterExpression) for angle in angles):
            entries = np.exp(1j * np.array(angles, dtype=float))
            self.circuit.diagonal(entries, targets[::-1], controls=controls, control_values=values or None)
            return
        for digits, angle in zip(itertools.product((0, 1), repeat=len(targets)), angles, strict=True):
            self.emit("gphase", (angle,), (), controls + targets, values + digits)

    def matrix(self, matrix: Any, targets: Any, controls: Any, values: Any) -> None:
        if not targets:
            self.emit("gphase", (float(np.angle(matrix[0, 0])),), (), controls, values)
            return
        self.circuit.unitary(
            nearly_unitary(matrix), targets[::-1], controls=controls, control_values=values or None
        )

    def generic(self, op: Any, targets: Any, controls: Any, values: Any) -> None:
        """An operation by its matrix, by what Cirq decomposes it into, or by its Kraus operators."""
        if isinstance(op, cirq.CircuitOperation) and op.repeat_until is not None:
            raise CircuitError(
                f"Operation `{op!r}` repeats until a condition holds, which has no form here. "
                "Run it with qsim.cirq.QsimSimulator, or use while_loop() of a qsim Circuit."
            )
        symbolic = cirq.is_parameterized(op)
        if not symbolic and len(targets) <= 2 and self.by_matrix(op, targets, controls, values):
            return
        parts = None if self.depth > _MAX_DEPTH else cirq.decompose_once(op, None)
        if parts is not None and all(q in self.places for part in parts for q in part.qubits):
            self.depth += 1
            self.is_last = False  # other parts may follow
            for part in parts:
                self.operation(part, controls, values)
            self.depth -= 1
            return
        few = len(targets) <= _MAX_MATRIX_QUBITS
        if not symbolic and few and self.by_matrix(op, targets, controls, values):
            return
        channel = None if symbolic or controls or not few else cirq.kraus(op, None)
        if channel is None or cirq.is_measurement(op):
            raise CircuitError(
                f"Operation `{op!r}` has no form here: it is no gate that qsim knows"
                f"{', has symbols' if symbolic else ''}, and Cirq neither decomposes it nor gives a matrix."
            )
        self.circuit.kraus(channel, targets[::-1])

    def by_matrix(self, op: Any, targets: Any, controls: Any, values: Any) -> bool:
        matrix = cirq.unitary(op, None)
        if matrix is None:
            return False
        self.matrix(matrix, targets, controls, values)
        return True

    # -- measurement and classical control -----------------------------------------------------------
    def measure(self, gate: Any, targets: tuple[int, ...]) -> None:
        key = cirq.measurement_key_name(gate)
        if gate.confusion_map:
            raise CircuitError(
                f"The measurement of `{key}` has a confusion map, which has no form here. "
                "Run it with qsim.cirq.QsimSimulator."
            )
        first = self.circuit.num_clbits
        bits = tuple(range(first, first + len(targets)))
        self.circuit.num_clbits += len(targets)
        measured = self.keys.setdefault(key, [])
        self.circuit.classical_registers[f"{key}_{len(measured)}" if measured else key] = bits
        measured.append(bits)
        inverted = [t for t, mask in zip(targets, gate.full_invert_mask(), strict=True) if mask]
        for target in inverted:
            self.emit("x", (), (target,))
        self.circuit.measure(targets, bits)
        if not self.is_last:
            for target in inverted:
                self.emit("x", (), (target,))

    def conditional(self, op: Any) -> None:
        conditions = [self.condition(condition, op) for condition in op.classical_controls]
        body = Circuit(self.circuit.num_qubits, self.circuit.num_clbits)
        reader = _Reader(body, self.places, self.keys)
        reader.operation(op.without_classical_controls())
        if body.num_clbits > self.circuit.num_clbits:
            raise CircuitError(f"Operation `{op!r}` measures under a condition, which has no form here.")
        reader.finish()
        condition = conditions[0]
        for other in conditions[1:]:
            condition = classical.logical_and(condition, other)
        self.circuit.if_else(condition, body)

    def register(self, key: Any, index: int, op: Any) -> tuple[int, ...]:
        """The bits of a key, the first measured qubit's first."""
        measured = self.keys.get(str(key), [])
        if not -len(measured) <= index < len(measured):
            raise CircuitError(f"Operation `{op!r}` depends on `{key}`, which is not measured before it.")
        return measured[index]

    def condition(self, condition: Any, op: Any) -> Any:
        if isinstance(condition, cirq.KeyCondition):
            bits = self.register(condition.key, condition.index, op)
            return classical.Bits(bits[::-1]).ne(0)
        if isinstance(condition, cirq.BitMaskKeyCondition):
            bits = self.register(condition.key, condition.index, op)
            mask = (1 << len(bits)) - 1 if condition.bitmask is None else condition.bitmask
            chosen = [bit for place, bit in enumerate(bits[::-1]) if mask >> place & 1]
            squeezed = sum(
                (condition.target_value >> place & 1) << k
                for k, place in enumerate(p for p in range(len(bits)) if mask >> p & 1)
            )
            if not chosen or condition.target_value & ~mask:
                raise CircuitError(f"The condition `{condition}` holds always or never; leave it out.")
            value = classical.Bits(tuple(chosen))
            return value.eq(squeezed) if condition.equal_target else value.ne(squeezed)
        if isinstance(condition, cirq.SympyCondition):
            return self.truth(condition.expr, op)
        raise CircuitError(f"The condition `{condition!r}` has no form here.")

    def truth(self, formula: Any, op: Any) -> Any:
        """A formula of keys as a condition."""
        kinds = {sympy.And: classical.logical_and, sympy.Or: classical.logical_or}
        if type(formula) in kinds:
            out, *others = (self.truth(part, op) for part in formula.args)
            for other in others:
                out = kinds[type(formula)](out, other)
            return out
        if isinstance(formula, sympy.Not):
            return classical.logical_not(self.truth(formula.args[0], op))
        if isinstance(formula, sympy.Xor):
            out, *others = (self.truth(part, op) for part in formula.args)
            for other in others:
                out = classical.logical_or(
                    classical.logical_and(out, classical.logical_not(other)),
                    classical.logical_and(classical.logical_not(out), other),
                )
            return out
        value = self.number(formula, op)
        return value if isinstance(formula, sympy.core.relational.Relational) else value.ne(0)

    def number(self, formula: Any, op: Any) -> Any:
        """An integer formula of keys."""
        if isinstance(formula, sympy.Integer):
            return classical.Literal(int(formula))
        if isinstance(formula, sympy.Indexed):
            bits = self.register(formula.base.name, -1, op)
            return classical.Cast("int", 64, classical.Bits((bits[int(formula.indices[0])],)))
        if isinstance(formula, sympy.Symbol):
            return classical.Cast("int", 64, classical.Bits(self.register(formula.name, -1, op)[::-1]))
        relations = {
            sympy.Eq: lambda a, b: a.eq(b),
            sympy.Ne: lambda a, b: a.ne(b),
            sympy.Lt: lambda a, b: a < b,
            sympy.Le: lambda a, b: a <= b,
            sympy.Gt: lambda a, b: a > b,
            sympy.Ge: lambda a, b: a >= b,
            sympy.Add: lambda a, b: a + b,
            sympy.Mul: lambda a, b: a * b,
        }
        if type(formula) not in relations:
            raise CircuitError(f"The condition `{formula}` of `{op!r}` has no form here.")
        out, *others = (self.number(part, op) for part in formula.args)
        for other in others:
            out = relations[type(formula)](out, other)
        return out
