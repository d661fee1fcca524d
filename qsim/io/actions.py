"""Declarations, assignments and quantum statements of an OpenQASM 3 program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qsim import _classical_types as rules
from qsim.classical import (
    ClassicalType,
    Expression,
    Literal,
    Unary,
    Variable,
)
from qsim.errors import ArgumentError
from qsim.io import statements as st
from qsim.io.gatecalls import GateCalls
from qsim.io.scopes import Clbits, DefinedGate, Qubits, Var
from qsim.io.syntax import Node
from qsim.operations import (
    Assign,
    Barrier,
    Delay,
    Measure,
    Reset,
)
from qsim.parameters import Parameter, ParameterExpression

__all__ = ["Actions"]


#: statements that may be in the body of a gate
IN_GATES = (
    st.GateCall,
    st.BarrierStatement,
    st.DelayStatement,
    st.For,
    st.While,
    st.If,
    st.Block,
    st.Jump,
    st.SwitchStatement,
    st.Evaluation,
)


class Actions(GateCalls):
    """Statements without statements inside."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        #: qubits of each declaration: what follows a run-time `end` is read on both sides of it
        self._registers: dict[int, tuple[int, ...]] = {}

    # -- declarations --------------------------------------------------------------------------------
    def _qubits(self, statement: st.QubitDeclaration) -> None:
        if self.frame.kind != "program" or len(self.scopes) > 1:
            raise self.error(statement.location, "Qubits can only be declared at the top level.", "qubit")
        size = 1 if statement.size is None else self.constant_integer(statement.size, "A size")
        if size < 1:
            raise self.error(
                statement.location, f"A register must have at least 1 qubit, but has {size}.", "qubit"
            )
        register = Qubits((), statement.size is None)
        self.declare(statement.name, register, statement.location)
        try:
            if statement.location not in self._registers:
                self._registers[statement.location] = self.builder.add_qubits(statement.name, size)
            register.indices = self._registers[statement.location]
        except ArgumentError as error:
            raise self.error(statement.location, str(error), "qubit") from None

    def _classical(self, statement: st.ClassicalDeclaration) -> None:
        kind = self.resolve_type(statement.type, statement.location)
        name, location = statement.name, statement.location
        value = None
        if statement.const:
            assert statement.value is not None
            value = self.coerce(self.constant(statement.value, "A constant"), kind, location)
            self.declare(name, Var(name, kind, value, self.level, location, const=True), location)
            return
        if kind.kind == "bit":
            self._declare_bits(statement, kind)
            return
        if statement.value is not None:
            value = self.coerce(self.evaluate(statement.value), kind, location)
        var = Var(name, kind, None, self.level, location)
        self.declare(name, var, location)
        if value is not None:
            self._store(var, value)

    def _declare_bits(self, statement: st.ClassicalDeclaration, kind: ClassicalType) -> None:
        node = statement.value
        if node is not None and node.kind == "measure":
            qubits = self.select_qubits(node.children[0])  # type: ignore[arg-type]
            indices, _ = self.new_clbits(statement.name, kind.width, statement.location)
            bits = Clbits(indices, kind.size is None)
            self._measure_into(qubits, bits, node.location)
        else:
            value = None if node is None else self.coerce(self.evaluate(node), kind, statement.location)
            indices, fresh = self.new_clbits(statement.name, kind.width, statement.location)
            bits = Clbits(indices, kind.size is None)
            unset = fresh and self.level == 0 and isinstance(value, Literal) and not value.value
            if value is not None and not unset:
                self.builder.operations.append(Assign(bits.expression, value))
        self.declare(statement.name, bits, statement.location)

    def _input_output(self, statement: st.InputOutput) -> None:
        kind, name, location = (
            self.resolve_type(statement.type, statement.location),
            statement.name,
            statement.location,
        )
        if len(self.scopes) > 1:
            raise self.error(location, "`input` and `output` can only be declared at the top level.", "input")
        if not statement.is_input:
            if kind.kind == "bit":
                indices, _ = self.new_clbits(name, kind.width, location)
                self.declare(name, Clbits(indices, kind.size is None), location)
            else:
                self.declare(name, Var(name, kind, None, self.level, location), location)
            return
        if kind.kind not in ("float", "angle"):
            raise self.error(
                location, f"Input of type {kind} is not supported; only float and angle are.", "input"
            )
        self.declare(name, Var(name, kind, Parameter(name), self.level, location, const=True), location)

    def _alias(self, statement: st.Alias) -> None:
        parts: list[Any] = []
        for node in statement.parts:
            bits = None
            if self._is_classical(node):
                bits = self.select_bits(node)
                if bits is None:
                    raise self.error(node.location, "An alias must be of qubits or classical bits.", "let")
            parts.append(self.select_qubits(node) if bits is None else bits)
        if len({type(part) for part in parts}) > 1:
            raise self.error(statement.location, "An alias cannot join qubits and classical bits.", "let")
        indices = tuple(i for part in parts for i in part.indices)
        if len(set(indices)) != len(indices):
            raise self.error(statement.location, "An alias names the same (qu)bit twice.", "let")
        single = len(parts) == 1 and parts[0].single
        self.declare(statement.name, type(parts[0])(indices, single), statement.location)

    def _is_classical(self, node: Node) -> bool:
        while node.kind == "index" and node.children[0] is not None:
            node = node.children[0]
        return node.kind == "name" and isinstance(self.find(node.value), Clbits | Var)

    def _define_gate(self, statement: st.GateDefinition) -> None:
        if self.frame.kind != "program" or len(self.scopes) > 1:
            raise self.error(
                statement.location, "Gates can only be defined at the top level.", "gate definition"
            )
        self._check_gates(statement.body, statement.name)
        self.declare(statement.name, DefinedGate(statement), statement.location)

    def not_in_gates(self, statement: st.Statement) -> Exception:
        return self.error(
            statement.location,
            "Only gates and loops over them can be in the body of a gate.",
            "gate definition",
        )

    def _check_gates(self, body: Iterable[st.Statement], name: str) -> None:
        """Gates in a body must be defined before it: so no gate can call itself."""
        for statement in body:
            if not isinstance(statement, IN_GATES):
                raise self.not_in_gates(statement)
            if isinstance(statement, st.GateCall) and statement.name != "gphase":
                if statement.name == name:
                    raise self.error(statement.location, f"Gate `{name}` calls itself.", name)
                self.gate(statement.name, statement.location)
            elif isinstance(statement, st.For | st.Block | st.While):
                self._check_gates(statement.body, name)
            elif isinstance(statement, st.If):
                self._check_gates([*statement.then_body, *(statement.else_body or ())], name)

    def _define_subroutine(self, statement: st.Subroutine) -> None:
        if self.frame.kind != "program" or len(self.scopes) > 1:
            raise self.error(statement.location, "Subroutines can only be defined at the top level.", "def")
        self.declare(statement.name, statement, statement.location)

    # -- assignment ----------------------------------------------------------------------------------
    def _store(self, var: Var, value: Any) -> None:
        """Give a variable a value that already has its type."""
        if isinstance(value, Literal | ParameterExpression) and var.level == self.level:
            var.value = value
            return
        if isinstance(value, ParameterExpression):
            raise self.error(
                var.location,
                f"Variable `{var.name}` cannot get a value that depends on an input here.",
                var.name,
            )
        variable = self.storage(var)
        self.builder.variables.setdefault(variable, 0)
        self.builder.operations.append(Assign(variable, value))
        var.value = variable

    def _assign(self, statement: st.Assignment) -> None:
        target, location = statement.target, statement.location
        bits = self.select_bits(target) if self._is_classical(target) else None
        if bits is not None and statement.value.kind == "measure" and not statement.op:
            self._measure_into(self.select_qubits(statement.value.children[0]), bits, location)  # type: ignore[arg-type]
            return
        value = self.evaluate(statement.value)
        if statement.op:
            value = self.binary(statement.op, self.evaluate(target), value, location)
        if bits is not None:
            self.builder.operations.append(Assign(bits.expression, self.coerce(value, bits.type, location)))
            return
        if target.kind == "name":
            self._store(self._variable(target), self.coerce(value, self._variable(target).type, location))
        else:
            self._assign_bits(target, value, location)

    def _variable(self, node: Node) -> Var:
        symbol = self.lookup(node.value, node.location) if node.kind == "name" else None
        if not isinstance(symbol, Var):
            raise self.error(
                node.location, "Only variables and classical bits can be assigned.", "assignment"
            )
        if symbol.const:
            raise self.error(node.location, f"Constant `{symbol.name}` cannot be assigned.", symbol.name)
        return symbol

    def _assign_bits(self, target: Node, value: Any, location: int) -> None:
        """Assign bits of a sized variable, or the bit of a register at a run-time index."""
        base, index = target.children
        assert base is not None and index is not None
        register = self.select_bits(base) if self._is_classical(base) else None
        whole = register.type if register else self._variable(base).type
        if whole.size is None:
            raise self.error(
                location, f"A value of type {whole} has no bits to assign; give it a size.", "index"
            )
        width = whole.size
        word = ClassicalType("uint", width)

        def as_word(operand: Any) -> Any:
            pattern = (
                self.cast(operand, ClassicalType("bit", width), location)
                if whole.kind == "angle"
                else operand
            )
            return self.cast(pattern, word, location)

        pattern = as_word(register.expression if register else self.evaluate(base))
        if index.kind in ("set", "range"):
            places, _ = self.positions(index, width, str(base.value))
            bits = self.coerce(value, ClassicalType("bit", len(places)), location)
            shifts: list[tuple[Any, Any]] = [
                (Literal(place), self.binary("[]", bits, Literal(k), location))
                for k, place in enumerate(places)
            ]
        else:
            place = self.evaluate(index)
            if isinstance(place, Literal):
                (position,), _ = self.positions(index, width, str(base.value))
                place = Literal(position)
            shifts = [(place, self.coerce(value, rules.BIT, location))]
        for shift, bit in shifts:
            mask = self._complement(self.binary("<<", Literal(1, "uint", width), shift, location), location)
            moved = self.binary("<<", self.cast(bit, word, location), shift, location)
            pattern = self.binary("|", self.binary("&", pattern, mask, location), moved, location)
        if whole.kind == "angle":
            pattern = self.cast(pattern, ClassicalType("bit", width), location)
        result = self.cast(pattern, whole, location)
        if register:
            self.builder.operations.append(Assign(register.expression, result))
        else:
            self._store(self._variable(base), result)

    def _complement(self, operand: Any, location: int) -> Any:
        if isinstance(operand, Literal):
            kind = ClassicalType(operand.kind, operand.size)
            return Literal(rules.unary_value("~", kind, operand.value), kind.kind, kind.size)
        return Unary("~", operand)

    # -- quantum statements --------------------------------------------------------------------------
    def measured(self, node: Node) -> Any:
        """The value of ``measure q`` in an expression: bits of its own."""
        self._no_gate(node.location, "measure")
        qubits = self.select_qubits(node.children[0])  # type: ignore[arg-type]
        indices, _ = self.new_clbits("measured", len(qubits.indices), node.location, scratch=True)
        bits = Clbits(indices, qubits.single)
        self._measure_into(qubits, bits, node.location)
        return bits.expression

    def _no_gate(self, location: int, name: str) -> None:
        if self.frame.kind == "gate":
            raise self.error(location, f"`{name}` cannot be in the body of a gate.", name)

    def _measure_into(self, qubits: Qubits, bits: Clbits, location: int) -> None:
        self._no_gate(location, "measure")
        if len(qubits.indices) != len(bits.indices):
            raise self.error(
                location,
                f"A measurement needs as many classical bits as qubits, but has {len(bits.indices)} and "
                f"{len(qubits.indices)}.",
                "measure",
            )
        self.builder.operations.extend(map(Measure, qubits.indices, bits.indices))

    def _measure(self, statement: st.Measurement) -> None:
        qubits = self.select_qubits(statement.operand)
        if statement.target is None:
            indices, _ = self.new_clbits("measured", len(qubits.indices), statement.location, scratch=True)
            self._measure_into(qubits, Clbits(indices, False), statement.location)
            return
        bits = self.select_bits(statement.target)
        if bits is None:
            raise self.error(
                statement.target.location, "A measurement needs classical bits as its target.", "measure"
            )
        self._measure_into(qubits, bits, statement.location)

    def _reset(self, statement: st.ResetStatement) -> None:
        self.builder.operations.extend(map(Reset, self.select_qubits(statement.operand).indices))

    def _selected(self, nodes: list[Node], what: str, location: int) -> tuple[int, ...]:
        if not nodes:
            return tuple(range(self.builder.num_qubits))
        out = tuple(i for node in nodes for i in self.select_qubits(node).indices)
        if len(set(out)) != len(out):
            raise self.error(location, f"`{what}` names a qubit twice.", what)
        return out

    def _barrier(self, statement: st.BarrierStatement) -> None:
        if self.frame.kind == "gate":
            return  # gates are expanded, and a barrier does nothing to a state
        self.builder.operations.append(
            Barrier(self._selected(statement.operands, "barrier", statement.location))
        )

    def _delay(self, statement: st.DelayStatement) -> None:
        if self.frame.kind == "gate":
            return
        duration, unit = self._duration(statement.duration)
        if duration < 0:
            raise self.error(statement.location, "A delay must not be negative.", "delay")
        qubits = self._selected(statement.operands, "delay", statement.location)
        self.builder.operations.append(Delay(duration, unit, qubits))

    def _duration(self, node: Node) -> tuple[float, str]:
        if node.kind == "timing":
            number, unit = node.value
            return number, "us" if unit in ("µs", "μs") else unit
        if node.kind == "binary" and node.value == "*":
            left, right = node.children
            assert left is not None and right is not None
            factor, time = (left, right) if right.kind == "timing" else (right, left)
            if time.kind == "timing":
                number, unit = self._duration(time)
                return number * float(self.constant(factor, "A duration").value), unit
        raise self.error(
            node.location, "A delay must be a number with a unit, as in delay[100ns].", "duration"
        )

    def _copied(self, value: Expression, name: str, kind: ClassicalType, location: int) -> Variable:
        """A run-time value kept as it is now."""
        variable = self.storage(Var(name, kind, None, self.level, -1 - location))
        self.builder.variables.setdefault(variable, 0)
        self.builder.operations.append(Assign(variable, value))
        return variable
