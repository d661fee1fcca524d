"""From qsim's circuits to Qiskit's: an operation at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatchmethod
from typing import Any

import numpy as np
from qiskit.circuit import (
    CASE_DEFAULT,
    BreakLoopOp,
    ClassicalRegister,
    Clbit,
    ContinueLoopOp,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
    library,
)
from qiskit.circuit import Parameter as QiskitParameter
from qiskit.circuit.classical import expr
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.quantum_info import Kraus as QiskitKraus
from qiskit.quantum_info import Pauli

from qsim import classical, user_gates
from qsim import operations as ops
from qsim.circuit import Circuit
from qsim.converters.qiskit_classical import type_of_variable, write_condition, write_expression
from qsim.converters.qiskit_parameters import ParameterWriter
from qsim.errors import ArgumentError, CircuitError, UnknownGateError
from qsim.gates import GATES, Gate, GateSpec
from qsim.io.decompose import parts_of
from qsim.parameters import ParameterExpression

__all__ = ["write_circuit"]

#: Matrices up to this size are written as such, where Qiskit has no gate of the name.
_MAX_MATRIX_QUBITS = 10
#: Names of the table for gates that Qiskit has under another one.
_CLASSES = {
    name: gate.base_class for name, gate in get_standard_gate_name_mapping().items() if name in GATES
} | {"c3x": library.C3XGate, "c4x": library.C4XGate}
_BY_SPEC = {GATES[name]: cls for name, cls in _CLASSES.items()}


def write_circuit(circuit: Circuit, parameters: Iterable[Any] | None = None) -> Any:
    """The circuit of Qiskit that does the same; see `qsim.to_qiskit`."""
    out = _registers(circuit)
    _Writer(out, ParameterWriter(parameters), {}).add(circuit, declare=True)
    return out


def _registers(circuit: Circuit) -> Any:
    if not circuit.quantum_registers and not circuit.classical_registers:
        return QuantumCircuit(circuit.num_qubits, circuit.num_clbits, name=circuit.name)
    qubits: list[Any] = _bits(circuit.num_qubits, circuit.quantum_registers, Qubit, QuantumRegister)
    clbits: list[Any] = _bits(circuit.num_clbits, circuit.classical_registers, Clbit, ClassicalRegister)
    return QuantumCircuit(*qubits, *clbits, name=circuit.name)


def _bits(count: int, registers: dict[str, tuple[int, ...]], bit: Any, register: Any) -> list[Any]:
    """All bits, then the registers over them; or registers alone, if these are all bits in order."""
    if [i for indices in registers.values() for i in indices] == list(range(count)):
        return [register(len(indices), name) for name, indices in registers.items()]
    if not registers and count:
        return [register(count, "q" if bit is Qubit else "c")]
    bits = [bit() for _ in range(count)]
    return [
        bits,
        *(register(name=name, bits=[bits[i] for i in indices]) for name, indices in registers.items()),
    ]


class _Writer:
    """Appends operations to a Qiskit circuit whose bits have the same numbers."""

    def __init__(self, out: Any, parameters: ParameterWriter, variables: dict[str, Any]) -> None:
        self.out, self.parameters, self.variables = out, parameters, variables

    def add(self, circuit: Circuit, declare: bool = False) -> None:
        if declare:
            for variable, initial in circuit.variables.items():
                self._declare(variable, initial)
        for operation in circuit.operations:
            self.operation(operation)

    def _declare(self, variable: classical.Variable, initial: Any) -> None:
        kind = type_of_variable(variable)
        if initial is None:
            found = expr.Var.new(variable.name, kind)
            self.out.add_uninitialized_var(found)
        else:
            found = self.out.add_var(variable.name, expr.Value(initial, kind))
        self.variables[variable.name] = found

    def body(self, circuit: Circuit) -> Any:
        """A block over all bits of the circuit."""
        out = QuantumCircuit(
            self.out.qubits,
            self.out.clbits,
            *self.out.qregs,
            *self.out.cregs,
            captures=self._captured(circuit),
        )
        inside = _Writer(out, self.parameters, self.variables)
        inside.add(circuit)
        for register in out.cregs:
            if register not in self.out.cregs:
                self.out.add_register(register)
        return out

    def _captured(self, circuit: Circuit) -> list[Any]:
        names: dict[str, None] = {}

        def visit(inner: Circuit) -> None:
            for operation in inner.operations:
                for expression in getattr(operation, "expressions", ()):
                    names.update(dict.fromkeys(v.name for v in classical.variables_of(expression)))
                for body in operation.bodies:
                    visit(body)

        visit(circuit)
        return [self.variables[name] for name in names if name in self.variables]

    # -- gates ---------------------------------------------------------------------------------------
    def _append_gate(self, operation: ops.GateOperation) -> None:
        params = tuple(self.parameters.write(p) for p in operation.params)
        if operation.gate is GATES["gphase"] and not operation.controls:
            self.out.global_phase += params[0]
            return
        gate = self.gate(operation.gate, operation.params, params)
        if operation.controls:
            state = sum(v << k for k, v in enumerate(operation.control_values))
            gate = _controlled(gate, len(operation.controls), state)
        self.out.append(gate, list(operation.qubits))

    def gate(self, gate: Gate, own: Sequence[Any], params: Sequence[Any]) -> Any:
        """The gate of Qiskit; `own` are its parameters in qsim, `params` in Qiskit."""
        if isinstance(gate, GateSpec):
            return self._spec(gate, own, params)
        if isinstance(gate, user_gates.UnitaryGate):
            if not gate.check:
                raise CircuitError(
                    f"Gate `{gate.name}` was made with check=False; Qiskit has unitary gates only."
                )
            inner = library.UnitaryGate(gate.target_matrix(), label=gate.name)
            return inner.control(gate.num_controls) if gate.num_controls else inner
        if isinstance(gate, user_gates.DiagonalGate):
            return library.DiagonalGate(gate.entries.tolist())
        if isinstance(gate, user_gates.PauliRotationGate):
            return library.PauliEvolutionGate(Pauli(gate.label), time=params[0] / 2)
        if isinstance(gate, user_gates.GeneratorGate):
            return library.HamiltonianGate(gate.generator, params[0], label=gate.name)
        if isinstance(gate, user_gates.PrepareGate):
            return library.StatePreparation(gate.amplitudes, inverse=gate.inverted)
        if isinstance(gate, user_gates.ControlledGate):
            state = sum(v << k for k, v in enumerate(gate.control_values))
            return _controlled(self.gate(gate.gate, own, params), len(gate.control_values), state)
        return self._composed(gate, own)

    def _spec(self, gate: GateSpec, own: Sequence[Any], params: Sequence[Any]) -> Any:
        if gate in _BY_SPEC:
            return _BY_SPEC[gate](*params)
        symbolic = any(isinstance(p, ParameterExpression | classical.Expression) for p in own)
        if not symbolic and gate.decompose(tuple(own)) is None:
            inner = library.UnitaryGate(gate.target_matrix(*own), label=gate.name)
            return inner.control(gate.num_controls) if gate.num_controls else inner
        return self._composed(gate, own)

    def _composed(self, gate: Gate, own: Sequence[Any]) -> Any:
        """A gate of Qiskit made of others, under the same name."""
        out = QuantumCircuit(gate.num_qubits, name=gate.name)
        writer = _Writer(out, self.parameters, {})
        try:
            parts = parts_of(gate, tuple(own))
        except ArgumentError as error:
            raise UnknownGateError(f"Gate `{gate.name}` cannot be written for Qiskit: {error}.") from error
        for part in parts:
            writer._append_gate(part)
        return out.to_gate()

    @singledispatchmethod
    def operation(self, operation: Any) -> None:
        """Append an operation."""
        raise CircuitError(f"Operation `{operation.name}` has no counterpart in Qiskit.")

    @operation.register
    def _(self, operation: ops.GateOperation) -> None:
        self._append_gate(operation)

    @operation.register
    def _(self, operation: ops.Measure) -> None:
        self.out.measure(operation.qubit, operation.clbit)

    @operation.register
    def _(self, operation: ops.Reset) -> None:
        self.out.reset(operation.qubit)

    @operation.register
    def _(self, operation: ops.Barrier) -> None:
        self.out.barrier(list(operation.qubits))

    @operation.register
    def _(self, operation: ops.Delay) -> None:
        duration = int(operation.duration) if operation.unit == "dt" else operation.duration
        for qubit in operation.qubits:
            self.out.delay(duration, qubit, unit=operation.unit)

    @operation.register
    def _(self, operation: ops.Kraus) -> None:
        self.out.append(QiskitKraus(list(operation.matrices)).to_instruction(), list(operation.qubits))

    # -- classical control ---------------------------------------------------------------------------
    @operation.register
    def _(self, operation: ops.Assign) -> None:
        target = operation.target
        if isinstance(target, classical.Bit | classical.Bits | classical.Variable):
            lvalue = write_expression(target, self.out, self.variables)
            value = write_expression(operation.value, self.out, self.variables)
            if value.type != lvalue.type:
                value = expr.cast(value, lvalue.type)
            self.out.store(lvalue, value)

    @operation.register
    def _(self, operation: ops.IfElse) -> None:
        bodies = [self.body(body) for body in operation.bodies]
        condition = write_condition(operation.condition, self.out, self.variables)
        if len(bodies) == 1:
            self.out.if_test(condition, bodies[0], self.out.qubits, self.out.clbits)
        else:
            self.out.if_else(condition, *bodies, self.out.qubits, self.out.clbits)

    @operation.register
    def _(self, operation: ops.WhileLoop) -> None:
        body = self.body(operation.body)
        condition = write_condition(operation.condition, self.out, self.variables)
        self.out.while_loop(condition, body, self.out.qubits, self.out.clbits)

    @operation.register
    def _(self, operation: ops.Switch) -> None:
        subject = write_expression(operation.subject, self.out, self.variables)
        cases: list[tuple[Any, Any]] = [(values, self.body(body)) for values, body in operation.cases]
        if operation.default is not None:
            cases.append((CASE_DEFAULT, self.body(operation.default)))
        self.out.switch(subject, cases, self.out.qubits, self.out.clbits)

    @operation.register
    def _(self, operation: ops.ForLoop) -> None:
        values = operation.values
        if not isinstance(values, range):
            if not isinstance(values, tuple) or not all(isinstance(v, int | np.integer) for v in values):
                raise CircuitError("A for loop of Qiskit runs over integers that are known beforehand.")
            values = tuple(int(v) for v in values)
        parameter = None
        if operation.variable is not None:
            parameter = QiskitParameter(operation.variable.name)
            self.parameters.loops[operation.variable.name] = parameter
        body = self.body(operation.body)
        if operation.variable is not None:
            del self.parameters.loops[operation.variable.name]
            if parameter not in body.parameters:
                parameter = None
        self.out.for_loop(values, parameter, body, self.out.qubits, self.out.clbits)

    @operation.register
    def _(self, operation: ops.Break) -> None:
        self.out.append(
            BreakLoopOp(self.out.num_qubits, self.out.num_clbits), self.out.qubits, self.out.clbits
        )

    @operation.register
    def _(self, operation: ops.Continue) -> None:
        self.out.append(
            ContinueLoopOp(self.out.num_qubits, self.out.num_clbits), self.out.qubits, self.out.clbits
        )


def _controlled(gate: Any, count: int, state: int) -> Any:
    return gate.control(count, ctrl_state=state)
