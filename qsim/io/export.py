"""Writers of OpenQASM: what both versions share, and version 3.

Version 3 writes each gate that stdgates.inc lacks as a `gate` definition made of gates it has, and
further controls as modifiers. `u2` and `u3` of stdgates.inc differ from qsim's by a phase, so they are
not used: `u` is defined from `p` and `ry`, which every reader takes to mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qsim.circuit import Circuit
from qsim.classical import Bits, Expression, Variable, bits_of, to_text, type_of
from qsim.errors import ArgumentError, QasmError
from qsim.gates import Gate, GateSpec
from qsim.io.decompose import parts_of
from qsim.io.naming import Names, Registers
from qsim.io.numbers import number_text, parameter_text
from qsim.operations import (
    Assign,
    Barrier,
    Break,
    Continue,
    Delay,
    ForLoop,
    GateOperation,
    IfElse,
    Measure,
    Operation,
    Reset,
    Switch,
    WhileLoop,
)
from qsim.parameters import Parameter, ParameterExpression
from qsim.user_gates import CircuitGate, ControlledGate, GeneratorSumGate, UnitaryGate

__all__ = ["Writer3", "export"]

#: gates of the table that stdgates.inc defines with the same meaning, phase included
_DIRECT = {
    name: name
    for name in [
        "id",
        "x",
        "y",
        "z",
        "h",
        "s",
        "sdg",
        "t",
        "tdg",
        "sx",
        "rx",
        "ry",
        "rz",
        "p",
        "cx",
        "cy",
        "cz",
        "ch",
        "cp",
        "crx",
        "cry",
        "crz",
        "cu",
        "swap",
        "ccx",
        "cswap",
        "gphase",
    ]
}
MAX_STATEMENTS = 5_000_000


def export(circuit: Circuit, version: int) -> str:
    """OpenQASM text of a circuit; see `qsim.io.dumps`."""
    if version == 2:
        from qsim.io.export2 import Writer2

        return Writer2(circuit).text()
    return Writer3(circuit).text()


def refuse(operation: str, why: str, hint: str = "") -> QasmError:
    """The error of an operation that a language cannot express."""
    return QasmError(f"Operation `{operation}` cannot be written as OpenQASM: {why}.{hint}", 0, 0, operation)


class Writer3:
    """Writes one circuit as OpenQASM 3."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.names = Names(3)
        self.quantum = Registers(circuit.num_qubits, circuit.quantum_registers, self.names, "q")
        #: bits that are measured into and never used: their measurements are written without a target
        self.unused = _unused_scratch(circuit)
        self.classical = Registers(circuit.num_clbits, _with_scratch(circuit), self.names, "c")
        self.variables = {v: self.names.new(v.name, "x") for v in circuit.variables}
        self.inputs: dict[Parameter, str] = {}
        self.definitions: list[str] = []
        self.aliases: dict[tuple[int, ...], str] = {}
        self.version = "3.0"
        self._gate_names: dict[Any, str] = {}

    def text(self) -> str:
        """The whole program."""
        for parameter in self.circuit.parameters:
            self.inputs[parameter] = self.names.new(parameter.name, "theta")
        body: list[str] = []
        # A reader takes bits declared at the top level for outcomes, those of a block for the program's own.
        scratch = self.circuit.scratch_clbits - self.unused
        inner = bool(scratch) or any(v.kind == "bit" for v in self.variables)
        indent = "  " if inner else ""
        self.block(self.circuit.operations, indent, body)
        lines = [f"OPENQASM {self.version};", 'include "stdgates.inc";']
        lines.extend(f"input float[64] {name};" for name in self.inputs.values())
        lines.extend(self.definitions)
        lines.extend(f"qubit[{len(own)}] {name};" for name, own in self.quantum.registers.items())
        own_lines: list[str] = []
        for name, own in self.classical.registers.items():
            if not self.unused.issuperset(own):
                (own_lines if scratch.issuperset(own) else lines).append(f"bit[{len(own)}] {name};")
        for indices, name in self.aliases.items():
            own_lines.append(f"let {name} = {' ++ '.join(self.classical.places[i] for i in indices)};")
        for variable, name in self.variables.items():
            own_lines.append(self._declaration(variable, name, self.circuit.variables[variable]))
        body = [*(indent + line for line in own_lines), *body]
        return "\n".join([*lines, *(["{", *body, "}"] if inner else body), ""])

    def _declaration(self, variable: Variable, name: str, initial: Any) -> str:
        kind = variable.kind if variable.size is None else f"{variable.kind}[{variable.size}]"
        if variable.kind == "bit" and variable.size is not None:
            return f'{kind} {name} = "{int(initial):0{variable.size}b}";'
        if variable.kind == "bool":
            return f"{kind} {name} = {'true' if initial else 'false'};"
        real = variable.kind in ("float", "angle")
        return f"{kind} {name} = {number_text(float(initial)) if real else int(initial)};"

    # -- gates -------------------------------------------------------------------------------------
    def gate_statement(self, op: GateOperation, place: Callable[[int], str]) -> str:
        """One gate call with its modifiers."""
        op = _unwrapped(op)
        gate = op.gate
        if isinstance(gate, GeneratorSumGate) and all(isinstance(p, float) for p in op.params):
            gate = UnitaryGate(gate.target_matrix(*op.params), gate.name)
            op = GateOperation(gate, (), op.targets, op.controls, op.control_values)
        direct = _DIRECT.get(gate.name) if isinstance(gate, GateSpec) else None
        extra: tuple[Any, ...] = ()
        if direct is None:
            direct, extra = self._defined(gate)
        params = (*op.params, *extra)
        listed = f"({', '.join(map(self.parameter, params))})" if params else ""
        operands = ", ".join(place(q) for q in (*op.controls, *op.targets))
        return f"{_modifiers(op.control_values)}{direct}{listed}{' ' if operands else ''}{operands};"

    def parameter(self, value: Any) -> str:
        """A gate parameter."""
        if isinstance(value, ParameterExpression):
            return parameter_text(value, self._input)
        if isinstance(value, Expression):
            return self.expression(value)
        return number_text(float(value))

    def _input(self, parameter: Parameter) -> str:
        name = self.inputs.get(parameter)
        if name is None:
            name = self.inputs[parameter] = self.names.new(parameter.name, "theta")
        return name

    def _defined(self, gate: Gate) -> tuple[str, tuple[Any, ...]]:
        """Name of a gate's definition (written once), and parameters beyond the gate's own."""
        free = gate.free_parameters if isinstance(gate, CircuitGate) else ()
        key: Any = gate
        name = self._gate_names.get(key)
        if name is None:
            symbols = tuple(Parameter(f"p{k}") for k in range(gate.num_params))
            try:
                parts = parts_of(gate, symbols)
            except ArgumentError as error:
                raise refuse(gate.name, str(error)) from None
            params = {symbol: f"p{k}" for k, symbol in enumerate(symbols)}
            params.update({symbol: f"p{len(params) + k}" for k, symbol in enumerate(free)})
            saved, self.inputs = self.inputs, dict(params)
            if not gate.num_qubits:
                raise refuse(gate.name, "a gate needs at least one qubit")
            body = [f"  {self.gate_statement(part, lambda q: f'q{q}')}" for part in parts]
            self.inputs = saved
            if len(body) > MAX_STATEMENTS:
                raise refuse(gate.name, f"it needs more than {MAX_STATEMENTS} statements")
            name = self._gate_names[key] = self.names.new(gate.name, "gate")
            listed = f"({', '.join(params.values())})" if params else ""
            qubits = ", ".join(f"q{k}" for k in range(gate.num_qubits))
            self.definitions.append("\n".join([f"gate {name}{listed} {qubits} {{", *body, "}"]))
        return name, free

    # -- classical ---------------------------------------------------------------------------------
    def expression(self, value: Any) -> str:
        """A run-time classical expression."""
        return to_text(value, self.classical.places.__getitem__, self._bits, self._variable)

    def _bits(self, indices: tuple[int, ...]) -> str:
        """Several classical bits as one value or assignment target."""
        whole = self.classical.whole(indices)
        if whole is not None:
            return whole
        if indices not in self.aliases:
            self.aliases[indices] = self.names.new("bits", "bits")
        return self.aliases[indices]

    def _variable(self, variable: Variable) -> str:
        if variable not in self.variables:
            raise refuse("variable", f"classical variable `{variable.name}` is not declared in the circuit")
        return self.variables[variable]

    # -- operations --------------------------------------------------------------------------------
    def block(self, operations: Sequence[Operation], indent: str, out: list[str]) -> None:
        """Statements of a list of operations."""
        place = self.quantum.places.__getitem__
        for op in operations:
            if isinstance(op, GateOperation):
                out.append(indent + self.gate_statement(op, place))
            elif isinstance(op, Measure):
                target = "" if op.clbit in self.unused else f"{self.classical.places[op.clbit]} = "
                out.append(f"{indent}{target}measure {place(op.qubit)};")
            elif isinstance(op, Reset):
                out.append(f"{indent}reset {place(op.qubit)};")
            elif isinstance(op, Barrier):
                if op.qubits:
                    out.append(f"{indent}barrier {', '.join(map(place, op.qubits))};")
            elif isinstance(op, Delay):
                if op.qubits:
                    qubits = ", ".join(map(place, op.qubits))
                    out.append(f"{indent}delay[{op.duration!r}{op.unit}] {qubits};")
            else:
                self._structured(op, indent, out)

    def _structured(self, op: Operation, indent: str, out: list[str]) -> None:
        if isinstance(op, Assign):
            out.append(f"{indent}{self.expression(op.target)} = {self.expression(op.value)};")
        elif isinstance(op, Break | Continue):
            out.append(f"{indent}{op.name};")
        elif isinstance(op, IfElse):
            out.append(f"{indent}if ({self.expression(op.condition)}) {{")
            self.block(op.then_body.operations, indent + "  ", out)
            if op.else_body is not None:
                out.append(f"{indent}}} else {{")
                self.block(op.else_body.operations, indent + "  ", out)
            out.append(f"{indent}}}")
        elif isinstance(op, WhileLoop):
            out.append(f"{indent}while ({self.expression(op.condition)}) {{")
            self.block(op.body.operations, indent + "  ", out)
            out.append(f"{indent}}}")
        elif isinstance(op, ForLoop):
            self._for_loop(op, indent, out)
        elif isinstance(op, Switch):
            self._switch(op, indent, out)
        else:
            hint = " Leave channels out of what is exported." if op.name == "kraus" else ""
            raise refuse(op.name, "the language has no such operation", hint)

    def _for_loop(self, op: ForLoop, indent: str, out: list[str]) -> None:
        values = op.values
        turn = self.names.new("turn", "turn")
        if isinstance(values, range):
            if not values:
                return
            kind, listed = "int", f"[{values[0]}:{values.step}:{values[-1]}]"
        elif isinstance(values, tuple):
            if not values:
                return
            kind = "float" if any(map(_is_real, values)) else "int"
            listed = f"{{{', '.join(self._loop_value(v, kind) for v in values)}}}"
        elif isinstance(values, Bits):
            kind, listed = "bit", self._bits(values.indices)
        else:
            kind, listed = "bit", self.expression(values)
        out.append(f"{indent}for {kind} {turn} in {listed} {{")
        if op.variable is not None:
            # the variable keeps its last value after the loop, which the loop's own name would not
            out.append(f"{indent}  {self._variable(op.variable)} = {turn};")
        self.block(op.body.operations, indent + "  ", out)
        out.append(f"{indent}}}")

    def _loop_value(self, value: Any, kind: str) -> str:
        if isinstance(value, Expression):
            return self.expression(value)
        return number_text(float(value)) if kind == "float" else str(int(value))

    def _switch(self, op: Switch, indent: str, out: list[str]) -> None:
        self.version = "3.1"
        out.append(f"{indent}switch ({self.expression(op.subject)}) {{")
        seen: set[int] = set()
        for values, body in op.cases:
            fresh = [v for v in dict.fromkeys(values) if v not in seen]  # an earlier case takes a value
            seen.update(fresh)
            if fresh:
                out.append(f"{indent}  case {', '.join(map(str, fresh))} {{")
                self.block(body.operations, indent + "    ", out)
                out.append(f"{indent}  }}")
        if op.default is not None:
            out.append(f"{indent}  default {{")
            self.block(op.default.operations, indent + "    ", out)
            out.append(f"{indent}  }}")
        out.append(f"{indent}}}")


def _is_real(value: Any) -> bool:
    """Whether a number or the value of an expression is no integer by its type."""
    if isinstance(value, Expression):
        return type_of(value).kind in ("float", "angle")
    return isinstance(value, float)


def _with_scratch(circuit: Circuit) -> dict[str, tuple[int, ...]]:
    """The classical registers, and one for the bits that are no outcomes."""
    registers = dict(circuit.classical_registers)
    if not circuit.scratch_clbits:
        return registers
    if not registers:
        registers["c"] = tuple(c for c in range(circuit.num_clbits) if c not in circuit.scratch_clbits)
    unused = _unused_scratch(circuit)
    for name, bits in (("scratch", circuit.scratch_clbits - unused), ("unused", unused)):
        while name in registers:
            name += "_"
        registers[name] = tuple(sorted(bits))
    return {name: bits for name, bits in registers.items() if bits}


def _unused_scratch(circuit: Circuit) -> frozenset[int]:
    """Scratch bits that measurements write and nothing else mentions."""
    used: set[int] = set()

    def visit(operations: Sequence[Operation]) -> None:
        for op in operations:
            for body in op.bodies:
                visit(body.operations)
            if isinstance(op, GateOperation):
                used.update(op.clbits)
            for expression in getattr(op, "expressions", ()):
                used.update(bits_of(expression))

    if circuit.scratch_clbits:
        visit(circuit.operations)
    return circuit.scratch_clbits - used


def _modifiers(values: Sequence[int]) -> str:
    """``ctrl(2) @ negctrl @ `` for control values 1, 1, 0."""
    out: list[str] = []
    start = 0
    while start < len(values):
        stop = start
        while stop < len(values) and values[stop] == values[start]:
            stop += 1
        count = f"({stop - start})" if stop - start > 1 else ""
        out.append(f"{'ctrl' if values[start] else 'negctrl'}{count} @ ")
        start = stop
    return "".join(out)


def _unwrapped(op: GateOperation) -> GateOperation:
    """Controls that are part of a gate as controls of the operation."""
    gate = op.gate
    while True:
        if isinstance(gate, ControlledGate):
            values, inner = gate.control_values, gate.gate
        elif isinstance(gate, UnitaryGate) and gate.num_controls and gate.check:
            values = (1,) * gate.num_controls
            inner = UnitaryGate(gate.const, gate.name)
        else:
            return op
        count = len(values)
        op = GateOperation(
            inner,
            op.params,
            op.targets[count:],
            op.controls + op.targets[:count],
            op.control_values + tuple(values),
        )
        gate = inner
