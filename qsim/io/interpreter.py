"""Execution of an OpenQASM 3 program while it is read: from statements to operations.

Loops and branches that the program itself decides are carried out here. Those that depend on
measurements become structured operations; a variable that such a body changes lives at run time from
then on. A loop that a run-time `break` or `continue` leaves is kept as a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qsim.classical import (
    Literal,
    bits_of,
    type_of,
    variables_of,
)
from qsim.io import statements as st
from qsim.io.actions import IN_GATES
from qsim.io.loops import Loops, inner_bodies, put_back
from qsim.io.scopes import Frame, Qubits, Var
from qsim.io.signals import (
    EndSignal,
    ReturnSignal,
    StopSignal,
)
from qsim.io.syntax import Node
from qsim.operations import (
    Assign,
    IfElse,
    Operation,
    Switch,
)
from qsim.parameters import ParameterExpression

__all__ = ["Interpreter", "may_exit"]

MAX_CALL_DEPTH = 20


class Interpreter(Loops):
    """Runs statements one after another."""

    # -- statements ----------------------------------------------------------------------------------
    def execute(self, statement: st.Statement) -> None:
        """Carry out one statement; exits and branches that may exit belong to `run_block`."""
        self.count_step(statement.location)
        method = _METHODS.get(type(statement))
        assert method is not None, type(statement)
        if self.frame.kind == "gate" and not isinstance(statement, IN_GATES):
            raise self.not_in_gates(statement)
        method(self, statement)

    def run_block(self, body: Sequence[st.Statement], after: Sequence[st.Statement] | None = None) -> bool:
        """Carry out the statements of a scope.

        `after` is what follows the block up to the end of the program or subroutine, or None inside of
        a loop. A run-time branch that may return or end takes what follows it into both of its sides;
        the result says whether that has happened.
        """
        for number, statement in enumerate(body):
            if isinstance(statement, st.If | st.Block | st.SwitchStatement) and may_exit(statement):
                rest = None if after is None else [*body[number + 1 :], *after]
                if self._run_exiting(statement, rest):
                    return True
            else:
                self.execute(statement)
        return False

    def run_gate_body(self, body: list[st.Statement]) -> None:
        loops, self.loops = self.loops, []
        try:
            self.run_block(body)
        finally:
            self.loops = loops

    def _scoped(self, body: Sequence[st.Statement], after: Sequence[st.Statement] | None = None) -> bool:
        self.scopes.append({})
        try:
            return self.run_block(body, after)
        finally:
            self.scopes.pop()

    # -- branches ------------------------------------------------------------------------------------
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
        self.count_step(statement.location)
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
        except ReturnSignal as signal:
            self._store_result(signal.value, location)
        except EndSignal:
            if self.frame.kind == "def":
                raise self.error(
                    location, "`end` in a run-time branch of a subroutine is not supported.", "end"
                ) from None
        except StopSignal:
            pass
        finally:
            operations, self.builder.operations = self.builder.operations, saved
            self.level -= 1
            put_back(self.scopes[-1], scope)
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
        except ReturnSignal as signal:
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
        if isinstance(value, Literal | ParameterExpression) or not (bits_of(value) or variables_of(value)):
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
        raise ReturnSignal(value)

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


def may_exit(statement: st.Statement) -> bool:
    """Whether a statement contains `return` or `end`."""
    if isinstance(statement, st.Return) or (isinstance(statement, st.Jump) and statement.kind == "end"):
        return True
    return any(may_exit(inner) for body in inner_bodies(statement) for inner in body)


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
