"""Loops of an OpenQASM 3 program: carried out while reading where they can be, else kept as loops."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from qsim.classical import (
    Binary,
    ClassicalType,
    Expression,
    Literal,
    type_of,
)
from qsim.io import statements as st
from qsim.io.actions import Actions
from qsim.io.scopes import Var
from qsim.io.signals import (
    BreakSignal,
    ContinueSignal,
    EndSignal,
    Loop,
    NeedLoop,
    ReturnSignal,
    StopSignal,
)
from qsim.io.syntax import Node
from qsim.io.values import NotConstantError
from qsim.operations import (
    Assign,
    Break,
    Continue,
    ForLoop,
    Operation,
    Switch,
    WhileLoop,
)
from qsim.parameters import ParameterExpression

__all__ = ["Loops"]

#: statements carried out while reading; a program that needs more does not end in reasonable time
MAX_STEPS = 1_000_000
#: a loop of more turns than this stays a loop if its body can do without the index
MAX_UNROLLED = 100_000


class Loops(Actions):
    """Execution of loops; what runs the statements in them is the interpreter."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.loops: list[Loop] = []
        self.steps = 0

    @abstractmethod
    def run_block(self, body: Sequence[st.Statement], after: Sequence[st.Statement] | None = None) -> bool:
        """Carry out the statements of a scope; see `Interpreter.run_block`."""

    def count_step(self, location: int) -> None:
        """Refuse a program that goes on for too long."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise self.error(
                location, f"The program does not end within {MAX_STEPS} statements while it is read.", "loop"
            )

    def _condition(self, node: Node, what: str) -> Any:
        value = self.evaluate(node)
        if isinstance(value, ParameterExpression):
            raise self.error(node.location, f"The condition of `{what}` cannot depend on an input.", what)
        return value

    def _run_time_body(
        self, body: Sequence[st.Statement], names: dict[str, Any] | None = None
    ) -> list[Operation]:
        """Operations of a body of a structured operation."""
        saved, self.builder.operations = self.builder.operations, []
        self.level += 1
        self.scopes.append(dict(names or {}))
        try:
            self.run_block(body)
        except StopSignal:
            pass
        except (ReturnSignal, EndSignal):
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
        for scope, saved in zip(self.scopes, scopes, strict=True):
            put_back(scope, saved)
        del self.builder.operations[count:]
        self.builder.variables = dict(declared)

    def _while(self, statement: st.While) -> None:
        snapshot = self._snapshot()
        try:
            if self._unroll_while(statement):
                return
        except NeedLoop:
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
        loop = Loop(self.level, kept=False)
        self.loops.append(loop)
        try:
            while True:
                condition = self._condition(statement.condition, "while")
                if not isinstance(condition, Literal):
                    return False
                self.count_step(statement.location)
                if not condition.value:
                    return True
                if not self._turn(statement.body, {}, statement.location):
                    return True
        finally:
            self.loops.pop()

    def _turn(self, body: list[st.Statement], names: dict[str, Any], location: int) -> bool:
        """One turn of a loop that is carried out; False if it was the last."""
        self.count_step(location)
        self.scopes.append(names)
        try:
            self.run_block(body)
        except ContinueSignal:
            pass
        except BreakSignal:
            return False
        finally:
            self.scopes.pop()
        return True

    def _kept_body(self, body: list[st.Statement], names: dict[str, Any]) -> list[Operation]:
        """The body of a loop that stays a loop."""
        self.loops.append(Loop(self.level + 1, kept=True))
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
            except NeedLoop:
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
            members = [self.evaluate(child) for child in node.children]  # type: ignore[arg-type]
            for number, member in enumerate(members):
                if isinstance(member, Expression) and not isinstance(member, Literal):
                    # as it is before the first turn, whatever the body does to it
                    place = statement.location + 1 + number
                    members[number] = self._copied(member, statement.name, type_of(member), place)
            return members
        value = self.evaluate(node)
        kind = None if isinstance(value, ParameterExpression) else type_of(value)
        if kind is None or kind.kind != "bit" or kind.size is None:
            raise self.error(node.location, "A loop must be over a range, a set or a bit register.", "for")
        if isinstance(value, Literal):
            return [Literal(int(value.value) >> k & 1, "bit") for k in range(kind.size)]
        copy = self._copied(value, "loop_bits", kind, statement.location)
        return [self.binary("[]", copy, Literal(k), node.location) for k in range(kind.size)]

    def _loop_value(self, value: Any, kind: ClassicalType, location: int) -> Any:
        return self.coerce(Literal(value) if isinstance(value, int) else value, kind, location)

    def _unroll_for(self, statement: st.For, kind: ClassicalType, values: Sequence[Any]) -> None:
        self.loops.append(Loop(self.level, kept=False))
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
        last = self.storage(Var("last", wide, None, self.level, -1 - location))
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
            raise EndSignal
        if not self.loops:
            raise self.error(statement.location, f"`{statement.kind}` is outside of a loop.", statement.kind)
        loop = self.loops[-1]
        if loop.kept:
            self.builder.operations.append(Break() if statement.kind == "break" else Continue())
            raise StopSignal
        if self.level > loop.level:
            raise NeedLoop
        raise BreakSignal if statement.kind == "break" else ContinueSignal


def put_back(scope: dict[str, Any], saved: dict[str, Any]) -> None:
    """Make a scope what it was, in place."""
    scope.clear()
    scope.update(saved)


def inner_bodies(statement: st.Statement) -> list[Sequence[st.Statement]]:
    """Statements inside a statement."""
    if isinstance(statement, st.If):
        return [statement.then_body, statement.else_body or ()]
    if isinstance(statement, st.For | st.While | st.Block):
        return [statement.body]
    if isinstance(statement, st.SwitchStatement):
        return [*(body for _, body in statement.cases), statement.default or ()]
    return []


def _is_integer(value: Expression) -> bool:
    return type_of(value).kind not in ("float", "angle")


def _assigned(body: Iterable[st.Statement], names: dict[str, None]) -> None:
    """Collect the names that statements assign."""
    for statement in body:
        if isinstance(statement, st.Assignment):
            target = statement.target
            while target.kind == "index" and target.children[0] is not None:
                target = target.children[0]
            names[target.value] = None
        for inner in inner_bodies(statement):
            _assigned(inner, names)
