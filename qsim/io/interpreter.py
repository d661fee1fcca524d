"""Execution of an OpenQASM 3 program while it is read: from statements to operations.

Loops and branches that the program itself decides are carried out here. Those that depend on
measurements become structured operations; a variable that such a body changes lives at run time from
then on. A loop that a run-time `break` or `continue` leaves is kept as a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qsim import _classical_types as rules
from qsim.classical import (
    Binary,
    ClassicalType,
    Expression,
    Literal,
    Unary,
    Variable,
    bits_of,
    type_of,
)
from qsim.errors import ArgumentError
from qsim.io import statements as st
from qsim.io.gatecalls import GateCalls
from qsim.io.syntax import Node
from qsim.io.values import Clbits, DefinedGate, Frame, NotConstantError, Qubits, Var
from qsim.operations import (
    Assign,
    Barrier,
    Break,
    Continue,
    Delay,
    ForLoop,
    IfElse,
    Measure,
    Operation,
    Reset,
    Switch,
    WhileLoop,
)
from qsim.parameters import Parameter, ParameterExpression

__all__ = ["Interpreter"]

#: statements carried out while reading; a program that needs more does not end in reasonable time
MAX_STEPS = 3_000_000
MAX_CALL_DEPTH = 20
#: a loop of more turns than this stays a loop if its body can do without the index
MAX_UNROLLED = 100_000


class _Signal(Exception):
    """A jump carried out while reading."""


class _BreakSignal(_Signal):
    pass


class _ContinueSignal(_Signal):
    pass


class _EndSignal(_Signal):
    pass


class _StopSignal(_Signal):
    """Nothing after a run-time jump is reached in its block."""


class _ReturnSignal(_Signal):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class _NeedLoop(_Signal):
    """A loop that was being unrolled is left by a run-time jump: it must be kept as a loop."""


class _Loop:
    __slots__ = ("kept", "level")

    def __init__(self, level: int, kept: bool) -> None:
        self.level = level
        self.kept = kept


class Interpreter(GateCalls):
    """Runs statements one after another."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.loops: list[_Loop] = []
        self.steps = 0

    # -- statements ----------------------------------------------------------------------------------
    def execute(self, statement: st.Statement) -> None:
        """Carry out one statement; exits and branches that may exit belong to `run_block`."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self.error(
                statement.location,
                f"The program does not end within {MAX_STEPS} statements while it is read.",
                "loop",
            )
        method = _METHODS.get(type(statement))
        assert method is not None, type(statement)
        if self.frame.kind == "gate" and not isinstance(statement, _IN_GATES):
            raise self.error(
                statement.location,
                "Only gates and loops over them can be in the body of a gate.",
                "gate definition",
            )
        method(self, statement)

    def run_block(self, body: Sequence[st.Statement], after: Sequence[st.Statement] | None = None) -> bool:
        """Carry out the statements of a scope.

        `after` is what follows the block up to the end of the program or subroutine, or None inside of
        a loop. A run-time branch that may return or end takes what follows it into both of its sides;
        the result says whether that has happened.
        """
        for number, statement in enumerate(body):
            if isinstance(statement, st.If | st.Block | st.SwitchStatement) and _may_exit(statement):
                rest = None if after is None else [*body[number + 1 :], *after]
                if self._run_exiting(statement, rest):
                    return True
            else:
                self.execute(statement)
        return False

    def run_gate_body(self, body: list[st.Statement]) -> None:
        loops, self.loops = self.loops, []
        self.run_block(body)
        self.loops = loops

    def _scoped(self, body: Sequence[st.Statement], after: Sequence[st.Statement] | None = None) -> bool:
        self.scopes.append({})
        try:
            return self.run_block(body, after)
        finally:
            self.scopes.pop()

    def _run_time_body(
        self, body: Sequence[st.Statement], names: dict[str, Any] | None = None
    ) -> list[Operation]:
        """Operations of a body of a structured operation."""
        saved, self.builder.operations = self.builder.operations, []
        self.level += 1
        self.scopes.append(dict(names or {}))
        try:
            self.run_block(body)
        except _StopSignal:
            pass
        except (_ReturnSignal, _EndSignal):
            where = body[0].location if body else 0
            raise self.error(
                where, "`return` and `end` inside a run-time loop or switch are not supported.", "return"
            ) from None
        finally:
            operations, self.builder.operations = self.builder.operations, saved
            self.level -= 1
            self.scopes.pop()
        return operations

    def _materialize(self, *bodies: Sequence[st.Statement] | None) -> None:
        """Give run-time storage to all outer variables that the bodies assign."""
        names: dict[str, None] = {}
        for body in bodies:
            _assigned(body or (), names)
        for name in names:
            symbol = self.find(name)
            if isinstance(symbol, Var) and not symbol.const:
                self.to_run_time(symbol)

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
            register.indices = self.builder.add_qubits(statement.name, size)
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

    def _check_gates(self, body: Iterable[st.Statement], name: str) -> None:
        """Gates in a body must be defined before it: so no gate can call itself."""
        for statement in body:
            if isinstance(statement, st.GateCall) and statement.name != "gphase":
                if statement.name == name:
                    raise self.error(statement.location, f"Gate `{name}` calls itself.", name)
                self.lookup(statement.name, statement.location)
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
        indices, _ = self.new_clbits("measured", len(qubits.indices), node.location)
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
            indices, _ = self.new_clbits("measured", len(qubits.indices), statement.location)
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

    # -- branches ------------------------------------------------------------------------------------
    def _condition(self, node: Node, what: str) -> Any:
        value = self.evaluate(node)
        if isinstance(value, ParameterExpression):
            raise self.error(node.location, f"The condition of `{what}` cannot depend on an input.", what)
        return value

    def _if(self, statement: st.If) -> None:
        condition = self._condition(statement.condition, "if")
        if isinstance(condition, Literal):
            self._scoped(statement.then_body if condition.value else statement.else_body or ())
            return
        self._materialize(statement.then_body, statement.else_body)
        bodies = [self.builder.body(self._run_time_body(statement.then_body))]
        if statement.else_body is not None:
            bodies.append(self.builder.body(self._run_time_body(statement.else_body)))
        self.builder.operations.append(IfElse(condition, *bodies))

    def _block(self, statement: st.Block) -> None:
        self._scoped(statement.body)

    def _run_exiting(self, statement: st.Statement, rest: list[st.Statement] | None) -> bool:
        """A branch or block that may return or end, together with what follows it."""
        if isinstance(statement, st.Block):
            return self._scoped(statement.body, rest)
        if not isinstance(statement, st.If):
            self.execute(statement)
            return False
        self.steps += 1
        condition = self._condition(statement.condition, "if")
        if isinstance(condition, Literal):
            return self._scoped(statement.then_body if condition.value else statement.else_body or (), rest)
        if rest is None:
            raise self.error(
                statement.location,
                "`return` and `end` inside a run-time loop or switch are not supported.",
                "return",
            )
        sides: list[Sequence[st.Statement]] = [statement.then_body, statement.else_body or ()]
        self._materialize(*sides, rest)
        bodies = [self.builder.body(self._exiting_side(side, rest, statement.location)) for side in sides]
        self.builder.operations.append(IfElse(condition, *bodies))
        return True

    def _exiting_side(
        self, side: Sequence[st.Statement], rest: Sequence[st.Statement], location: int
    ) -> list[Operation]:
        saved, self.builder.operations = self.builder.operations, []
        scope = dict(self.scopes[-1])
        self.level += 1
        try:
            if not self._scoped(side, rest):
                self.run_block(rest, ())
        except _ReturnSignal as signal:
            self._store_result(signal.value, location)
        except _EndSignal:
            if self.frame.kind == "def":
                raise self.error(
                    location, "`end` in a run-time branch of a subroutine is not supported.", "end"
                ) from None
        except _StopSignal:
            pass
        finally:
            operations, self.builder.operations = self.builder.operations, saved
            self.level -= 1
            self.scopes[-1] = scope
        return operations

    def _switch(self, statement: st.SwitchStatement) -> None:
        subject = self._condition(statement.subject, "switch")
        kind = type_of(subject)
        if kind.kind in ("float", "angle"):
            raise self.error(statement.location, f"A switch needs an integer, but has {kind}.", "switch")
        seen: set[int] = set()
        cases: list[tuple[tuple[int, ...], list[st.Statement]]] = []
        for nodes, body in statement.cases:
            values = tuple(self.constant_integer(node, "A case") for node in nodes)
            for node, value in zip(nodes, values, strict=True):
                if value in seen:
                    raise self.error(node.location, f"Case {value} occurs twice in a switch.", "switch")
                seen.add(value)
            cases.append((values, body))
        if isinstance(subject, Literal):
            chosen = next((body for values, body in cases if int(subject.value) in values), statement.default)
            self._scoped(chosen or ())
            return
        self._materialize(*(body for _, body in cases), statement.default)
        made = [(values, self.builder.body(self._run_time_body(body))) for values, body in cases]
        default = (
            None if statement.default is None else self.builder.body(self._run_time_body(statement.default))
        )
        self.builder.operations.append(Switch(subject, made, default))

    # -- loops ---------------------------------------------------------------------------------------
    def _snapshot(self) -> Any:
        variables = [
            (symbol, symbol.value)
            for scope in self.scopes
            for symbol in scope.values()
            if isinstance(symbol, Var)
        ]
        builder = self.builder
        return (
            variables,
            [dict(scope) for scope in self.scopes],
            len(builder.operations),
            dict(builder.variables),
            self.phase,
        )

    def _restore(self, snapshot: Any) -> None:
        variables, scopes, count, declared, self.phase = snapshot
        for symbol, value in variables:
            symbol.value = value
        self.scopes[:] = [dict(scope) for scope in scopes]
        del self.builder.operations[count:]
        self.builder.variables = dict(declared)

    def _while(self, statement: st.While) -> None:
        snapshot = self._snapshot()
        try:
            if self._unroll_while(statement):
                return
        except _NeedLoop:
            pass
        self._restore(snapshot)
        self._materialize(statement.body)
        count = len(self.builder.operations)
        condition = self._condition(statement.condition, "while")
        if len(self.builder.operations) != count:
            raise self.error(
                statement.location,
                "A condition that measures is not supported in `while`; measure in the body.",
                "while",
            )
        body = self._kept_body(statement.body, {})
        self.builder.operations.append(WhileLoop(condition, self.builder.body(body)))

    def _unroll_while(self, statement: st.While) -> bool:
        """Carry the loop out; False if its condition is only known at run time."""
        loop = _Loop(self.level, kept=False)
        self.loops.append(loop)
        try:
            while True:
                condition = self._condition(statement.condition, "while")
                if not isinstance(condition, Literal):
                    return False
                self.steps += 1
                if not condition.value:
                    return True
                if not self._turn(statement.body, {}, statement.location):
                    return True
        finally:
            self.loops.pop()

    def _turn(self, body: list[st.Statement], names: dict[str, Any], location: int) -> bool:
        """One turn of a loop that is carried out; False if it was the last."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self.error(
                location, f"The program does not end within {MAX_STEPS} statements while it is read.", "loop"
            )
        self.scopes.append(names)
        try:
            self.run_block(body)
        except _ContinueSignal:
            pass
        except _BreakSignal:
            return False
        finally:
            self.scopes.pop()
        return True

    def _kept_body(self, body: list[st.Statement], names: dict[str, Any]) -> list[Operation]:
        """The body of a loop that stays a loop."""
        self.loops.append(_Loop(self.level + 1, kept=True))
        try:
            return self._run_time_body(body, names)
        finally:
            self.loops.pop()

    def _for(self, statement: st.For) -> None:
        kind = self.resolve_type(statement.type, statement.location)
        node = statement.values
        values = self._loop_values(node, statement)
        if values is None:
            self._run_time_for(statement, kind)
            return
        if self.frame.kind == "gate" or len(values) <= MAX_UNROLLED:
            snapshot = self._snapshot()
            try:
                self._unroll_for(statement, kind, values)
                return
            except _NeedLoop:
                self._restore(snapshot)
        self._keep_for(statement, kind, values)

    def _loop_values(self, node: Node, statement: st.For) -> Sequence[Any] | None:
        """All values of a loop, or None if they are only known at run time."""
        if node.kind == "range":
            parts = [None if child is None else self.evaluate(child) for child in node.children]
            if parts[0] is None or parts[2] is None:
                raise self.error(node.location, "The range of a loop needs a start and a stop.", "range")
            for part in parts:
                if isinstance(part, ParameterExpression) or (part is not None and not _is_integer(part)):
                    raise self.error(node.location, "The range of a loop must be of integers.", "range")
            if not all(part is None or isinstance(part, Literal) for part in parts):
                return None
            start, step, stop = (None if part is None else int(part.value) for part in parts)
            assert start is not None and stop is not None
            step = 1 if step is None else step
            if step == 0:
                raise self.error(node.location, "The step of a range must not be zero.", "range")
            return range(start, stop + (1 if step > 0 else -1), step)
        if node.kind == "set":
            return [self.evaluate(child) for child in node.children]  # type: ignore[arg-type]
        value = self.evaluate(node)
        kind = None if isinstance(value, ParameterExpression) else type_of(value)
        if kind is None or kind.kind != "bit" or kind.size is None:
            raise self.error(node.location, "A loop must be over a range, a set or a bit register.", "for")
        if isinstance(value, Literal):
            return [Literal(int(value.value) >> k & 1, "bit") for k in range(kind.size)]
        copy = self._copied(value, "loop_bits", kind, statement.location)
        return [self.binary("[]", copy, Literal(k), node.location) for k in range(kind.size)]

    def _copied(self, value: Expression, name: str, kind: ClassicalType, location: int) -> Variable:
        """A run-time value kept as it is now."""
        variable = self.storage(Var(name, kind, None, self.level, -1 - location))
        self.builder.variables.setdefault(variable, 0)
        self.builder.operations.append(Assign(variable, value))
        return variable

    def _loop_value(self, value: Any, kind: ClassicalType, location: int) -> Any:
        return self.coerce(Literal(value) if isinstance(value, int) else value, kind, location)

    def _unroll_for(self, statement: st.For, kind: ClassicalType, values: Sequence[Any]) -> None:
        self.loops.append(_Loop(self.level, kept=False))
        try:
            for value in values:
                var = Var(statement.name, kind, None, self.level, statement.location)
                stored = self._loop_value(value, kind, statement.location)
                if isinstance(stored, Literal | ParameterExpression):
                    var.value = stored
                else:
                    self._store(var, stored)
                if not self._turn(statement.body, {statement.name: var}, statement.location):
                    break
        finally:
            self.loops.pop()

    def _keep_for(self, statement: st.For, kind: ClassicalType, values: Sequence[Any]) -> None:
        """A loop over known values that is left by a run-time jump, or is too long to be unrolled."""
        snapshot = self._snapshot()
        location = statement.location
        try:
            numbers = (
                [self._loop_value(v, kind, location) for v in values]
                if not isinstance(values, range)
                else None
            )
            if numbers is not None and not all(isinstance(v, Literal) for v in numbers):
                raise self.not_constant(location, "The values of this loop")
            self._materialize(statement.body)
            var = Var(statement.name, kind, None, self.level + 1, location)
            var.value = self.storage(var)
            self.builder.variables.setdefault(var.value, 0)
            body = self._kept_body(statement.body, {statement.name: var})
            plain: Any = values if numbers is None else tuple(v.value for v in numbers)
            self.builder.operations.append(ForLoop(var.value, plain, self.builder.body(body)))
            return
        except NotConstantError:
            if len(values) > MAX_UNROLLED:
                raise self.error(
                    location,
                    f"A loop of {len(values)} turns needs its index while it is read; "
                    f"at most {MAX_UNROLLED} turns are unrolled.",
                    "for",
                ) from None
            self._restore(snapshot)
        self._materialize(statement.body)
        index = self.storage(Var("turn", ClassicalType("uint", 32), None, self.level, -1 - location))
        self.builder.variables.setdefault(index, 0)
        cases = []
        for number, value in enumerate(values):
            var = Var(statement.name, kind, self._loop_value(value, kind, location), self.level + 2, location)
            self.level += 1
            cases.append(
                ((number,), self.builder.body(self._kept_body(statement.body, {statement.name: var})))
            )
            self.level -= 1
        switch = self.builder.body([Switch(index, cases)])
        self.builder.operations.append(ForLoop(index, range(len(values)), switch))

    def _run_time_for(self, statement: st.For, kind: ClassicalType) -> None:
        """A loop over a range with run-time bounds: a while loop with a counter of its own."""
        location = statement.location
        start, step, stop = (None if c is None else self.evaluate(c) for c in statement.values.children)
        step = Literal(1) if step is None else step
        if not isinstance(step, Literal) or step.value == 0:
            raise self.error(location, "The step of a range must be a constant other than zero.", "range")
        wide = ClassicalType("int", 64)
        counter = self._copied(self.cast(start, wide, location), "counter", wide, location)
        last = self.storage(Var("last", wide, None, self.level, -2_000_000_000 - location))
        self.builder.variables.setdefault(last, 0)
        self.builder.operations.append(Assign(last, self.cast(stop, wide, location)))
        self._materialize(statement.body)
        var = Var(statement.name, kind, None, self.level + 1, location)
        var.value = self.storage(var)
        self.builder.variables.setdefault(var.value, 0)
        body = self._kept_body(statement.body, {statement.name: var})
        # the counter moves on before the body, so that `continue` does not skip it
        head: list[Operation] = [
            Assign(var.value, self.cast(counter, kind, location)),
            Assign(counter, Binary("+", counter, step)),
        ]
        condition = Binary("<=" if step.value > 0 else ">=", counter, last)
        self.builder.operations.append(WhileLoop(condition, self.builder.body(head + body)))

    def _jump(self, statement: st.Jump) -> None:
        if statement.kind == "end":
            if self.level > self.frame.level and self.loops:
                raise self.error(
                    statement.location, "`end` inside a run-time loop or switch is not supported.", "end"
                )
            raise _EndSignal
        if not self.loops:
            raise self.error(statement.location, f"`{statement.kind}` is outside of a loop.", statement.kind)
        loop = self.loops[-1]
        if loop.kept:
            self.builder.operations.append(Break() if statement.kind == "break" else Continue())
            raise _StopSignal
        if self.level > loop.level:
            raise _NeedLoop
        raise _BreakSignal if statement.kind == "break" else _ContinueSignal

    # -- subroutines ---------------------------------------------------------------------------------
    def _evaluation(self, statement: st.Evaluation) -> None:
        node = statement.value
        if node.kind == "call" and node.value == "gphase":
            self.gate_call(st.GateCall(statement.location, "gphase", list(node.children), []))  # type: ignore[arg-type]
            return
        symbol = self.find(node.value)
        if not isinstance(symbol, st.Subroutine):
            raise self.error(
                node.location, f"`{node.value}` is not a subroutine; a gate needs qubits.", str(node.value)
            )
        self.call_subroutine(symbol, node.children, node.location)  # type: ignore[arg-type]

    def call_subroutine(self, symbol: st.Subroutine, arguments: Iterable[Node], location: int) -> Any:
        """Carry out the body of a subroutine in place; the value it returns."""
        self._no_gate(location, symbol.name)
        nodes = list(arguments)
        if len(nodes) != len(symbol.arguments):
            raise self.error(
                location,
                f"Subroutine `{symbol.name}` takes {len(symbol.arguments)} arguments, but got {len(nodes)}.",
                symbol.name,
            )
        if self.depth >= MAX_CALL_DEPTH:
            raise self.error(
                location, f"Subroutines are nested more than {MAX_CALL_DEPTH} levels deep.", symbol.name
            )
        scope: dict[str, Any] = {}
        used: list[int] = []
        for node, (kind_node, name) in zip(nodes, symbol.arguments, strict=True):
            scope[name] = self._argument(node, kind_node, name, symbol.location + len(scope) + 1)
            if isinstance(scope[name], Qubits):
                used.extend(scope[name].indices)
        if len(set(used)) != len(used):
            raise self.error(location, f"Subroutine `{symbol.name}` gets the same qubit twice.", symbol.name)
        returns = None if symbol.returns is None else self.resolve_type(symbol.returns, symbol.location)
        saved = (self.scopes, self.frame, self.loops, self.division)
        self.scopes, self.loops, self.division = [self.scopes[0], scope], [], "integer"
        self.frame = frame = Frame("def", self.level, returns, None, symbol.location)
        self.depth += 1
        value = None
        try:
            self.run_block(symbol.body, ())
        except _ReturnSignal as signal:
            value = signal.value
        finally:
            self.scopes, self.frame, self.loops, self.division = saved
            self.depth -= 1
        if frame.result is not None:
            return self._settled(frame.result, symbol, location)
        if value is None and returns is not None:
            raise self.error(location, f"Subroutine `{symbol.name}` returns no value.", symbol.name)
        return Literal(0) if value is None else self._settled(value, symbol, location)

    def _settled(self, value: Any, symbol: st.Subroutine, location: int) -> Any:
        """A returned value that later calls of the same subroutine cannot change."""
        if isinstance(value, Literal | ParameterExpression) or not (bits_of(value) or _has_variables(value)):
            return value
        return self._copied(value, f"{symbol.name}_value", type_of(value), location)

    def _argument(self, node: Node, kind_node: st.TypeNode, name: str, location: int) -> Any:
        if kind_node.kind == "qubit":
            qubits = self.select_qubits(node)
            size = None if kind_node.size is None else self.constant_integer(kind_node.size, "A size")
            if len(qubits.indices) != (size or 1) or (size is None and not qubits.single):
                raise self.error(
                    node.location,
                    f"Argument `{name}` needs {size or 1} qubits, but gets {len(qubits.indices)}.",
                    name,
                )
            return Qubits(qubits.indices, size is None)
        kind = self.resolve_type(kind_node, node.location)
        value = self.coerce(self.evaluate(node), kind, node.location)
        var = Var(name, kind, None, self.level, location)
        self.depth += 1
        self._store(var, value)
        self.depth -= 1
        return var

    def _return(self, statement: st.Return) -> None:
        frame, location = self.frame, statement.location
        if frame.kind != "def":
            raise self.error(location, "`return` is outside of a subroutine.", "return")
        value = None if statement.value is None else self.evaluate(statement.value)
        if (value is None) != (frame.returns is None):
            what = "needs a value" if value is None else "cannot have a value here"
            raise self.error(location, f"`return` {what}.", "return")
        if value is not None and frame.returns is not None:
            value = self.coerce(value, frame.returns, location)
        if self.level > frame.level and self.loops:
            raise self.error(
                location, "`return` inside a run-time loop or switch is not supported.", "return"
            )
        raise _ReturnSignal(value)

    def _store_result(self, value: Any, location: int) -> None:
        frame = self.frame
        if value is None or frame.returns is None:
            return
        if isinstance(value, ParameterExpression):
            raise self.error(
                location, "A run-time branch cannot return a value that depends on an input.", "return"
            )
        if frame.result is None:
            frame.result = self.storage(Var("result", frame.returns, None, frame.level, -1 - frame.location))
            self.builder.variables.setdefault(frame.result, 0)
        self.builder.operations.append(Assign(frame.result, value))


def _is_integer(value: Expression) -> bool:
    return type_of(value).kind not in ("float", "angle")


def _has_variables(value: Expression) -> bool:
    from qsim.classical import variables_of

    return bool(variables_of(value))


def _bodies(statement: st.Statement) -> list[Sequence[st.Statement]]:
    if isinstance(statement, st.If):
        return [statement.then_body, statement.else_body or ()]
    if isinstance(statement, st.For | st.While | st.Block):
        return [statement.body]
    if isinstance(statement, st.SwitchStatement):
        return [*(body for _, body in statement.cases), statement.default or ()]
    return []


def _may_exit(statement: st.Statement) -> bool:
    """Whether a statement contains `return` or `end`."""
    if isinstance(statement, st.Return) or (isinstance(statement, st.Jump) and statement.kind == "end"):
        return True
    return any(_may_exit(inner) for body in _bodies(statement) for inner in body)


def _assigned(body: Iterable[st.Statement], names: dict[str, None]) -> None:
    """Collect the names that statements assign."""
    for statement in body:
        if isinstance(statement, st.Assignment):
            target = statement.target
            while target.kind == "index" and target.children[0] is not None:
                target = target.children[0]
            names[target.value] = None
        for inner in _bodies(statement):
            _assigned(inner, names)


_METHODS: dict[type, Any] = {
    st.GateCall: Interpreter.gate_call,
    st.QubitDeclaration: Interpreter._qubits,
    st.ClassicalDeclaration: Interpreter._classical,
    st.InputOutput: Interpreter._input_output,
    st.Alias: Interpreter._alias,
    st.Assignment: Interpreter._assign,
    st.Measurement: Interpreter._measure,
    st.ResetStatement: Interpreter._reset,
    st.BarrierStatement: Interpreter._barrier,
    st.DelayStatement: Interpreter._delay,
    st.If: Interpreter._if,
    st.Block: Interpreter._block,
    st.For: Interpreter._for,
    st.While: Interpreter._while,
    st.SwitchStatement: Interpreter._switch,
    st.Jump: Interpreter._jump,
    st.Return: Interpreter._return,
    st.Evaluation: Interpreter._evaluation,
    st.GateDefinition: Interpreter._define_gate,
    st.Subroutine: Interpreter._define_subroutine,
}
_IN_GATES = (
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
