"""From Qiskit's circuits to qsim's: an instruction at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatchmethod
from typing import Any

import numpy as np
from qiskit.circuit import (
    CASE_DEFAULT,
    AnnotatedOperation,
    Barrier,
    BreakLoopOp,
    ContinueLoopOp,
    ControlFlowOp,
    ControlledGate,
    ControlModifier,
    Delay,
    ForLoopOp,
    Gate,
    IfElseOp,
    Instruction,
    InverseModifier,
    Measure,
    PowerModifier,
    QuantumCircuit,
    Reset,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
    library,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.synthesis import ProductFormula

from qsim.circuit import Circuit
from qsim.classical import Variable
from qsim.converters.qiskit_classical import ExpressionReader, kind_of
from qsim.converters.qiskit_parameters import MixedParameters, ParameterReader
from qsim.errors import CircuitError, UnknownGateError
from qsim.gates import GATES
from qsim.operations import GateOperation

__all__ = ["read_circuit"]

_DELAY_UNITS = {"ps": ("ns", 1e-3)}
#: name -> class of Qiskit's standard gates: another gate may have the name, too
_STANDARD = {name: gate.base_class for name, gate in get_standard_gate_name_mapping().items()}


def read_circuit(source: Any, numbers: list[float] | None = None) -> Circuit:
    """The circuit of qsim that does the same; see `qsim.from_qiskit`.

    With a list of `numbers` those of standard gates are appended to it, and parameters stand in their place:
    circuits that differ in these numbers alone become equal.
    """
    for variable in source.iter_input_vars():
        raise CircuitError(
            f"Variable `{variable.name}` is an input of the circuit, which qsim has not; declare it with "
            "add_var() and a value."
        )
    out = Circuit(source.num_qubits, source.num_clbits, source.name)
    for register in source.qregs:
        out.quantum_registers[register.name] = tuple(source.find_bit(bit).index for bit in register)
    for register in source.cregs:
        out.classical_registers[register.name] = tuple(source.find_bit(bit).index for bit in register)
    places = dict(zip(source.clbits, range(source.num_clbits), strict=True))
    reader = _Reader(out, places, ParameterReader(numbers), {})
    reader.clean = set(range(source.num_qubits))
    reader.add(source, range(source.num_qubits))
    return out


class _Reader:
    """Appends instructions to a circuit.

    Attributes
    ----------
    out : Circuit
    clbits : dict
        Number of each classical bit of the scope that is read.
    clean : set of int
        Qubits that are known to be in |0>, on which a preparation is no more than its first column.
    """

    def __init__(
        self,
        out: Circuit,
        clbits: Mapping[Any, int],
        parameters: ParameterReader,
        variables: dict[Any, Variable],
    ) -> None:
        self.out, self.clbits, self.parameters, self.variables = out, clbits, parameters, variables
        self.clean: set[int] = set()

    @property
    def expressions(self) -> ExpressionReader:
        return ExpressionReader(self.clbits, self.variables)

    def add(self, source: Any, qubits: Sequence[int]) -> None:
        """Append what a Qiskit circuit holds; its qubit k is ``qubits[k]``, and it may have fewer."""
        place = dict(zip(source.qubits, qubits, strict=False))
        for variable in source.iter_declared_vars():
            self.declare(variable)
        if source.global_phase != 0:
            self.out.append("gphase", (self.parameters.read(source.global_phase),), ())
        for instruction in source.data:
            where = tuple(place[q] for q in instruction.qubits)
            if instruction.is_standard_gate() and instruction.name in GATES:
                # the common case, without an object for the gate
                params = tuple(self.parameters.angle(p) for p in instruction.params)
                self.out._gate(GATES[instruction.name], params, where)
            else:
                operation = instruction.operation
                self.operation(operation, where, instruction.clbits)
                if isinstance(operation, Barrier | Delay | Reset) or _is_inlined(operation):
                    continue
            self.clean.difference_update(where)

    def declare(self, variable: Any) -> None:
        """Declare a variable of a scope; it has no value before it is stored to."""
        kind, size = kind_of(variable.type)
        name, taken = variable.name, {v.name for v in self.variables.values()}
        count = 1
        while name in taken:
            name, count = f"{variable.name}_{count}", count + 1
        self.variables[variable] = self.out.declare(name, kind, size, None)

    def part(self, num_qubits: int) -> _Reader:
        """A reader of gates on qubits of their own."""
        return _Reader(Circuit(num_qubits), {}, self.parameters, {})

    def gates_of(self, operation: Any, num_qubits: int) -> Circuit:
        """An operation that is made of gates, as a circuit."""
        part = self.part(num_qubits)
        part.operation(operation, tuple(range(num_qubits)), ())
        return part.out

    def body(self, source: Any, qubits: Sequence[int], clbits: Sequence[Any]) -> Circuit:
        """A block of classical control: its bits are those of the instruction, one by one."""
        numbers = {**self.clbits, **{b: self.clbits[c] for b, c in zip(source.clbits, clbits, strict=True)}}
        out = Circuit(self.out.num_qubits, self.out.num_clbits)
        reader = _Reader(out, numbers, self.parameters, self.variables)
        reader.add(source, qubits)
        return out

    # -- operations ----------------------------------------------------------------------------------
    @singledispatchmethod
    def operation(self, operation: Any, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        """Append an operation on these qubits and classical bits of the scope."""
        raise UnknownGateError(
            f"Qiskit's operation `{operation.name}` ({type(operation).__name__}) has no counterpart in qsim; "
            "decompose() or transpile the circuit first."
        )

    @operation.register
    def _(self, operation: Instruction, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        if operation.name == "kraus" and all(isinstance(m, np.ndarray) for m in operation.params):
            self.out.kraus(operation.params, qubits)
            self.clean.difference_update(qubits)
            return
        definition = operation.definition
        if definition is None:
            raise UnknownGateError(
                f"Qiskit's operation `{operation.name}` ({type(operation).__name__}) has neither a "
                "definition nor a counterpart in qsim."
            )
        numbers = {b: self.clbits[c] for b, c in zip(definition.clbits, clbits, strict=True)}
        inside = _Reader(self.out, numbers, self.parameters, self.variables)
        inside.clean = self.clean
        inside.add(definition, qubits)

    @operation.register
    def _(self, operation: Gate, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        spec = GATES.get(operation.name)
        if spec is not None and operation.base_class is _STANDARD.get(operation.name):
            self.out._gate(spec, tuple(self.parameters.read(p) for p in operation.params), qubits)
        elif operation.name == "pauli_product_rotation" and hasattr(operation, "pauli"):  # not in Qiskit 2.0
            label, angle = operation.pauli().to_label(), self.parameters.read(operation.params[0])
            self.out.pauli_rotation(-angle if label[0] == "-" else angle, label.lstrip("-"), qubits)
        else:
            self.by_definition(operation, qubits)

    def by_definition(self, operation: Any, qubits: tuple[int, ...]) -> None:
        """Append a gate made of the gates that Qiskit makes it of, under its name."""
        if operation.definition is None:
            try:
                matrix = operation.to_matrix()
            except Exception as error:  # whatever the gate's own class raises
                raise UnknownGateError(
                    f"Qiskit's gate `{operation.name}` ({type(operation).__name__}) has no definition, no "
                    "matrix, and no counterpart in qsim."
                ) from error
            self.out.unitary(matrix, qubits, name=operation.name)
            return
        part = self.part(len(qubits))
        part.add(operation.definition, range(len(qubits)))
        self.out.append(part.out.to_gate(operation.name), (), qubits)

    @operation.register
    def _(self, operation: ControlledGate, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        count, base = operation.num_ctrl_qubits, operation.base_gate
        has_phase = isinstance(base, library.UGate) and len(base.params) != 3  # of its CUGate
        if has_phase or isinstance(operation, library.CUGate) or count + base.num_qubits != len(qubits):
            # with a phase that the base gate has not, or with qubits to help
            self.by_definition(operation, qubits)
            return
        values = tuple(int(operation.ctrl_state) >> k & 1 for k in range(count))
        self.controlled(self.gates_of(base, base.num_qubits), count, values, qubits)

    def controlled(
        self, inner: Circuit, count: int, values: tuple[int, ...], qubits: tuple[int, ...]
    ) -> None:
        """Append gates on the last qubits behind controls on the first."""
        for part in inner.operations:
            if isinstance(part, GateOperation):
                moved = part.remap(lambda q: qubits[count + q], lambda c: c)
                self.out.append_operation(moved.with_control(qubits[:count], values))

    @operation.register
    def _(self, operation: AnnotatedOperation, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        inner = self.gates_of(operation.base_op, operation.base_op.num_qubits)
        for modifier in operation.modifiers:
            if isinstance(modifier, InverseModifier):
                inner = inner.inverse()
            elif isinstance(modifier, PowerModifier):
                inner = inner.power(modifier.power)
            elif isinstance(modifier, ControlModifier):
                values = tuple(modifier.ctrl_state >> k & 1 for k in range(modifier.num_ctrl_qubits))
                inner = inner.control(modifier.num_ctrl_qubits, values)
            else:
                raise UnknownGateError(f"Qiskit's modifier {modifier!r} has no counterpart in qsim.")
        self.controlled(inner, 0, (), qubits)

    # -- gates with data -----------------------------------------------------------------------------
    @operation.register
    def _(self, operation: library.UnitaryGate, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.unitary(operation.params[0], qubits, name=operation.label or operation.name)

    @operation.register
    def _(self, operation: library.DiagonalGate, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.diagonal(operation.params, qubits)

    @operation.register
    def _(self, operation: library.HamiltonianGate, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        matrix, time = operation.params
        self.out.generator(matrix, self.parameters.read(time), qubits, name=operation.name)

    @operation.register
    def _(self, operation: library.PauliGate, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.pauli(operation.params[0], qubits)

    @operation.register
    def _(
        self, operation: library.PauliEvolutionGate, qubits: tuple[int, ...], clbits: Sequence[Any]
    ) -> None:
        formula = operation.synthesis
        steps = formula.expand(operation) if isinstance(formula, ProductFormula) else None
        if steps is None or any(set(step[0]) - set("IXYZ") for step in steps):
            self.by_definition(operation, qubits)
            return
        for letters, places, angle in steps:
            value = self.parameters.read(angle)
            if letters.strip("I"):
                self.out.pauli_rotation(value, letters[::-1], tuple(qubits[k] for k in places))
            else:
                self.out.append("gphase", (value * -0.5,), ())

    @operation.register
    def _(self, operation: library.StatePreparation, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        amplitudes = operation.params
        is_list = len(amplitudes) == 1 << len(qubits) and not any(isinstance(a, str) for a in amplitudes)
        if is_list and self.clean.issuperset(qubits) and not getattr(operation, "_inverse", False):
            self.out.prepare(amplitudes, qubits, normalize=True)
            return
        # elsewhere than on |0...0> all columns count, and they are Qiskit's own
        self.by_definition(operation, qubits)

    # -- what is no gate -----------------------------------------------------------------------------
    @operation.register
    def _(self, operation: Measure, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.measure(qubits, [self.clbits[c] for c in clbits])

    @operation.register
    def _(self, operation: Reset, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.reset(qubits)
        self.clean.update(qubits)

    @operation.register
    def _(self, operation: Barrier, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.barrier(qubits)

    @operation.register
    def _(self, operation: Delay, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        duration = operation.duration
        if not isinstance(duration, int | float):
            raise CircuitError(
                f"A delay must last a number of {', '.join(('s', 'ms', 'us', 'ns', 'ps', 'dt'))}, but lasts "
                f"{duration}. Bind its parameters, or remove the delay."
            )
        unit, factor = _DELAY_UNITS.get(operation.unit, (operation.unit, 1.0))
        self.out.delay(duration * factor, qubits, unit)

    @operation.register
    def _(self, operation: Store, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        if isinstance(operation.lvalue, expr.Index):
            self._store_bit(operation)
            return
        self.out.assign(self.expressions.read(operation.lvalue), self.expressions.read(operation.rvalue))

    def _store_bit(self, operation: Any) -> None:
        target, index = operation.lvalue.target, operation.lvalue.index
        if not isinstance(target, expr.Var) or target.standalone or not isinstance(index, expr.Value):
            raise CircuitError(
                f"A value can be stored in a bit of a register, but not in {operation.lvalue!r}; store the "
                "whole variable."
            )
        self.out.assign(self.clbits[target.var[index.value]], self.expressions.read(operation.rvalue))

    # -- classical control ---------------------------------------------------------------------------
    @operation.register
    def _(self, operation: ControlFlowOp, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        if len(operation.blocks) != 1 or operation.name != "box":
            raise UnknownGateError(f"Qiskit's `{operation.name}` has no counterpart in qsim.")
        block = operation.blocks[0]
        numbers = {**self.clbits, **{b: self.clbits[c] for b, c in zip(block.clbits, clbits, strict=True)}}
        _Reader(self.out, numbers, self.parameters, self.variables).add(block, qubits)

    @operation.register
    def _(self, operation: IfElseOp, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        bodies = [self.body(block, qubits, clbits) for block in operation.blocks]
        self.out.if_else(self.expressions.condition(operation.condition), *bodies)

    @operation.register
    def _(self, operation: WhileLoopOp, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        body = self.body(operation.blocks[0], qubits, clbits)
        self.out.while_loop(self.expressions.condition(operation.condition), body)

    @operation.register
    def _(self, operation: SwitchCaseOp, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        cases: list[tuple[Any, Circuit]] = []
        default = None
        for values, block in operation.cases_specifier():
            body = self.body(block, qubits, clbits)
            numbers = [int(v) for v in values if v is not CASE_DEFAULT]
            if len(numbers) != len(values):
                default = body
            if numbers:
                cases.append((numbers, body))
        subject = self.expressions.read(operation.target)
        self.out.switch(subject, cases, default)

    @operation.register
    def _(self, operation: ForLoopOp, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        values, parameter, block = operation.params
        values = values if isinstance(values, range) else tuple(values)
        if parameter is None:
            self.out.for_loop(values, self.body(block, qubits, clbits))
            return
        variable = Variable(self._loop_name(parameter.name), "float", 64)
        before = copy.copy(self.variables)
        try:
            self.parameters.loops[parameter] = variable
            body = self.body(block, qubits, clbits)
        except MixedParameters:
            self.variables.clear()
            self.variables.update(before)
            del self.parameters.loops[parameter]
            self._unroll(values, parameter, block, qubits, clbits)
            return
        del self.parameters.loops[parameter]
        self.out.for_loop(values, body, variable)

    def _loop_name(self, name: str) -> str:
        taken = {v.name for v in (*self.variables.values(), *self.parameters.loops.values())}
        while name in taken:
            name += "_"
        return name

    def _unroll(
        self, values: Iterable[int], parameter: Any, block: Any, qubits: Sequence[int], clbits: Sequence[Any]
    ) -> None:
        if _jumps(block):
            raise CircuitError(
                f"A loop that is left by break or continue cannot mix its parameter `{parameter.name}` with "
                "others in one expression; bind the others, or unroll it."
            )
        numbers = {**self.clbits, **{b: self.clbits[c] for b, c in zip(block.clbits, clbits, strict=True)}}
        for value in values:
            self.parameters.values[parameter] = float(value)
            _Reader(self.out, numbers, self.parameters, self.variables).add(block, qubits)
        self.parameters.values.pop(parameter, None)

    @operation.register
    def _(self, operation: BreakLoopOp, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.break_loop()

    @operation.register
    def _(self, operation: ContinueLoopOp, qubits: tuple[int, ...], clbits: Sequence[Any]) -> None:
        self.out.continue_loop()


def _is_inlined(operation: Any) -> bool:
    """Whether what an operation is made of stands in its place, and has said what it left clean."""
    return isinstance(operation, Instruction) and not isinstance(operation, Gate | ControlFlowOp | Measure)


def _jumps(block: QuantumCircuit) -> bool:
    """Whether a block of a loop leaves this loop, or this turn of it."""
    for instruction in block.data:
        operation = instruction.operation
        if isinstance(operation, BreakLoopOp | ContinueLoopOp):
            return True
        is_loop = isinstance(operation, ForLoopOp | WhileLoopOp)
        if isinstance(operation, ControlFlowOp) and not is_loop and any(map(_jumps, operation.blocks)):
            return True
    return False
