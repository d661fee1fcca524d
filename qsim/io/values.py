"""Expressions of an OpenQASM 3 program while it is read, and the bits and qubits that indices select.

What is known while reading is computed at once (a `Literal`); an input is a `ParameterExpression`;
everything else stays an expression of `qsim.classical` that the circuit evaluates when it runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from qsim import _classical_types as rules
from qsim import parameters as parametric
from qsim._expression_rules import FUNCTIONS
from qsim.classical import (
    Binary,
    Call,
    Cast,
    ClassicalType,
    Literal,
    Unary,
    type_of,
)
from qsim.errors import ArgumentError, ParameterError, QasmError
from qsim.io import statements as st
from qsim.io.lexer import SourceMap
from qsim.io.scopes import CONSTANTS, Clbits, Qubits, Scopes, Var
from qsim.io.syntax import Node
from qsim.parameters import ParameterExpression

__all__ = ["NotConstantError", "Values"]

MAX_PHYSICAL_QUBIT = 10_000


class NotConstantError(QasmError):
    """A value is needed while reading, but is only known when the circuit runs."""


class Values(Scopes, ABC):
    """Expression evaluation; the interpreter's base."""

    def __init__(self, sources: SourceMap) -> None:
        super().__init__(sources)
        #: how integer division with a remainder is taken: "integer", "refuse" (gate angles), "real" (pow)
        self.division = "integer"
        self.physical: list[int] = []

    def not_constant(self, location: int, what: str) -> QasmError:
        found = self.error(
            location,
            f"{what} must be known when the program is read, but depends on run-time values.",
            "constant",
        )
        return NotConstantError(found.message, found.line, found.column, found.construct)

    # -- types and constants -------------------------------------------------------------------------
    def resolve_type(self, node: st.TypeNode, location: int) -> ClassicalType:
        size = None if node.size is None else self.constant_integer(node.size, "A size")
        try:
            return ClassicalType(node.kind, size)
        except ArgumentError as error:
            raise self.error(location, str(error), node.kind) from None

    def constant(self, node: Node, what: str) -> Literal:
        """The value of an expression that must be known while reading."""
        value = self.evaluate(node)
        if not isinstance(value, Literal):
            raise self.not_constant(node.location, what)
        return value

    def constant_integer(self, node: Node, what: str) -> int:
        value = self.constant(node, what)
        if value.kind in ("float", "angle"):
            raise self.error(node.location, f"{what} must be an integer, but is {value.value!r}.", "integer")
        return int(value.value)

    def coerce(self, value: Any, target: ClassicalType, location: int) -> Any:
        """A value converted for an assignment to a variable of type `target`."""
        if isinstance(value, ParameterExpression):
            if target.kind in ("float", "angle"):
                return value
            raise self.error(
                location, f"A value that depends on an input cannot become {target}.", str(target)
            )
        source = type_of(value)
        if source == target:
            return value
        lossy = source.kind == "float" and target.is_integer
        if lossy and not (isinstance(value, Literal) and value.value == int(value.value)):
            raise self.error(location, f"A float does not become {target} by itself; cast it.", str(target))
        if source.is_integer and target.kind == "bit" and isinstance(value, Literal):
            if not 0 <= value.value < 1 << target.width:
                raise self.error(location, f"Value {value.value} does not fit {target}.", str(target))
        elif source.is_integer and target.kind == "bit" and source.size != target.size:
            raise self.error(
                location, f"A value of type {source} does not become {target} by itself.", str(target)
            )
        return self.cast(value, target, location)

    def cast(self, value: Any, target: ClassicalType, location: int) -> Any:
        try:
            if isinstance(value, Literal):
                source = ClassicalType(value.kind, value.size)
                rules.check_cast(source, target)
                return Literal(rules.convert(value.value, source, target), target.kind, target.size)
            expression = Cast(target.kind, target.size, value)
            type_of(expression)
        except ArgumentError as error:
            raise self.error(location, str(error), str(target)) from None
        return expression

    # -- expressions ---------------------------------------------------------------------------------
    def evaluate(self, node: Node) -> Any:
        """A Literal, a ParameterExpression, or a run-time expression."""
        kind = node.kind
        if kind == "number":
            value = node.value
            if type(value) is float:
                return Literal.checked(value, "float")
            try:
                return Literal(value)
            except ArgumentError as error:
                raise self.error(node.location, str(error), "integer") from None
        if kind == "name":
            return self._name(node)
        if kind == "binary":
            left = self.evaluate(node.children[0])  # type: ignore[arg-type]
            if (
                isinstance(left, Literal)
                and node.value in ("&&", "||")
                and bool(left.value) == (node.value == "||")
            ):
                return Literal(bool(left.value))
            return self.binary(node.value, left, self.evaluate(node.children[1]), node.location)  # type: ignore[arg-type]
        if kind == "unary":
            return self._unary(node.value, self.evaluate(node.children[0]), node.location)  # type: ignore[arg-type]
        if kind == "call":
            return self._call(node)
        if kind == "cast":
            return self._cast(node)
        if kind == "index":
            return self._index(node)
        if kind == "bits":
            value, width = node.value
            return Literal(value, "bit", width)
        if kind == "measure":
            return self.measured(node)
        if kind == "timing":
            raise self.error(node.location, "A duration can only be used in `delay`.", "duration")
        raise self.error(node.location, "A qubit, range or set is not a value here.", kind)

    @abstractmethod
    def measured(self, node: Node) -> Any:
        """The value of ``measure q`` in an expression."""

    @abstractmethod
    def call_subroutine(self, symbol: st.Subroutine, arguments: Iterable[Node], location: int) -> Any:
        """What a subroutine returns."""

    def _name(self, node: Node) -> Any:
        name = node.value
        symbol = self.find(name)
        if symbol is None and name in CONSTANTS:
            return CONSTANTS[name]
        symbol = self.lookup(name, node.location)
        if isinstance(symbol, Var):
            if symbol.value is None:
                raise self.error(node.location, f"Variable `{name}` is read before it has a value.", name)
            return symbol.value
        if isinstance(symbol, Clbits):
            return symbol.expression
        what = {Qubits: "a qubit", st.Subroutine: "a subroutine"}.get(type(symbol), "a gate")
        raise self.error(node.location, f"`{name}` is {what}, not a value.", name)

    def binary(self, op: str, left: Any, right: Any, location: int) -> Any:
        """``left op right``."""
        try:
            if isinstance(left, ParameterExpression) or isinstance(right, ParameterExpression):
                return self._parametric_binary(op, left, right, location)
            if not (isinstance(left, Literal) and isinstance(right, Literal)):
                expression = Binary(op, left, right)
                type_of(expression)
                return expression
            a, b = rules.classical_type(left.kind, left.size), rules.classical_type(right.kind, right.size)
            whole = op == "/" and self.division != "integer" and a.is_integer and b.is_integer
            if whole and right.value and left.value % right.value:
                return self._inexact_division(left, right, location)
            kind = rules.binary_type(op, a, b)
            return Literal.checked(
                rules.binary_value(op, a, left.value, b, right.value), kind.kind, kind.size
            )
        except (ArgumentError, ParameterError) as error:
            raise self.error(location, str(error), op) from None

    def _inexact_division(self, left: Literal, right: Literal, location: int) -> Literal:
        if self.division == "real":
            return Literal(left.value / right.value)
        raise self.error(
            location,
            f"Integer division {left.value}/{right.value} has a remainder, which OpenQASM 3 drops; "
            f"write {left.value}.0/{right.value} if that is not meant.",
            "/",
        )

    def _parametric_binary(self, op: str, left: Any, right: Any, location: int) -> Any:
        operands = []
        for operand in (left, right):
            if isinstance(operand, Literal):
                operand = float(operand.value)
            elif not isinstance(operand, ParameterExpression):
                raise self.error(location, "An input cannot be combined with a run-time value.", op)
            operands.append(operand)
        a, b = operands
        if op == "+":
            return a + b
        if op == "-":
            return a - b
        if op == "*":
            return a * b
        if op == "/":
            if isinstance(b, float) and b == 0.0:
                raise self.error(location, "The right operand of `/` must not be zero.", op)
            return a / b
        if op == "**":
            return a**b
        raise self.error(location, f"Operator `{op}` does not apply to a value that depends on an input.", op)

    def _unary(self, op: str, operand: Any, location: int) -> Any:
        if isinstance(operand, ParameterExpression):
            if op == "-":
                return -operand
            raise self.error(
                location, f"Operator `{op}` does not apply to a value that depends on an input.", op
            )
        try:
            if isinstance(operand, Literal):
                kind = rules.classical_type(operand.kind, operand.size)
                result = rules.unary_type(op, kind)
                return Literal.checked(rules.unary_value(op, kind, operand.value), result.kind, result.size)
            expression = Unary(op, operand)
            type_of(expression)
            return expression
        except ArgumentError as error:
            raise self.error(location, str(error), op) from None

    def _call(self, node: Node) -> Any:
        name = node.value
        symbol = self.find(name)
        if isinstance(symbol, st.Subroutine):
            return self.call_subroutine(symbol, node.children, node.location)  # type: ignore[arg-type]
        if name == "sizeof":
            raise self.error(node.location, "`sizeof` is not supported.", "sizeof")
        if name not in rules.FUNCTIONS:
            known = ", ".join(sorted(rules.FUNCTIONS))
            raise self.error(node.location, f"Unknown function `{name}` (known: {known}).", name)
        arguments = [self.evaluate(child) for child in node.children]  # type: ignore[arg-type]
        try:
            if any(isinstance(a, ParameterExpression) for a in arguments):
                if name == "pow" and len(arguments) == 2:
                    return self._parametric_binary("**", arguments[0], arguments[1], node.location)
                if name in FUNCTIONS and len(arguments) == 1:
                    return getattr(parametric, name)(arguments[0])
                raise ArgumentError(f"Function `{name}` does not apply to a value that depends on an input.")
            if all(isinstance(a, Literal) for a in arguments):
                kind, value = rules.call(name, [(ClassicalType(a.kind, a.size), a.value) for a in arguments])
                assert value is not None
                return Literal(value, kind.kind, kind.size)
            expression = Call(name, tuple(arguments))
            type_of(expression)
            return expression
        except (ArgumentError, ParameterError) as error:
            raise self.error(node.location, str(error), name) from None

    def _cast(self, node: Node) -> Any:
        kind, size = node.value
        operand = node.children[0]
        assert operand is not None
        target = self.resolve_type(st.TypeNode(kind, size), node.location)
        value = self.evaluate(operand)
        if isinstance(value, ParameterExpression):
            if target in (rules.FLOAT, ClassicalType("float", 64), rules.ANGLE):
                return value
            raise self.error(
                node.location, f"A value that depends on an input cannot be cast to {target}.", kind
            )
        return self.cast(value, target, node.location)

    # -- indices -------------------------------------------------------------------------------------
    def positions(self, node: Node, size: int, name: str) -> tuple[tuple[int, ...], bool]:
        """Positions an index selects among `size`, and whether it is one position."""
        if node.kind == "set":
            members = [self.constant_integer(m, "An index") for m in node.children]  # type: ignore[arg-type]
            out = tuple(self._position(p, size, name, node.location) for p in members)
        elif node.kind == "range":
            out = self._range_positions(node, size, name)
        elif node.kind == "number" and type(node.value) is int and node.value < size:
            return (node.value,), True
        else:
            value = self.constant_integer(node, "An index")
            return (self._position(value, size, name, node.location),), True
        if not out:
            raise self.error(node.location, f"The index of `{name}` selects nothing.", "index")
        return out, False

    def _position(self, value: int, size: int, name: str, location: int) -> int:
        if not -size <= value < size:
            raise self.error(
                location,
                f"Index {value} is out of range for `{name}` (valid: {-size} to {size - 1}).",
                "index",
            )
        return value % size

    def _range_positions(self, node: Node, size: int, name: str) -> tuple[int, ...]:
        start, step, stop = (
            None if c is None else self.constant_integer(c, "An index") for c in node.children
        )
        step = 1 if step is None else step
        if step == 0:
            raise self.error(node.location, "The step of a range must not be zero.", "range")
        first = self._position((0 if step > 0 else -1) if start is None else start, size, name, node.location)
        last = self._position((-1 if step > 0 else 0) if stop is None else stop, size, name, node.location)
        return tuple(range(first, last + (1 if step > 0 else -1), step))

    def _index(self, node: Node) -> Any:
        base, index = node.children
        assert base is not None and index is not None
        symbol = self.find(base.value) if base.kind == "name" else None
        if isinstance(symbol, Qubits):
            raise self.error(node.location, f"`{base.value}` is a qubit register, not a value.", base.value)
        if isinstance(symbol, Clbits) or base.kind == "index":
            bits = self.select_bits(node)
            if bits is not None:
                return bits.expression
        value = self.evaluate(base)
        if isinstance(value, ParameterExpression):
            raise self.error(node.location, "Bits of an input cannot be taken.", "index")
        kind = type_of(value)
        if kind.size is None:
            raise self.error(
                node.location, f"A value of type {kind} has no bits to index; give it a size.", "index"
            )
        if index.kind not in ("set", "range"):
            return self.binary("[]", value, self.evaluate(index), node.location)
        places, _ = self.positions(index, kind.size, str(base.value or "the value"))
        width = len(places)
        parts = [
            self.binary(
                "<<",
                self.cast(
                    self.binary("[]", value, Literal(p), node.location),
                    ClassicalType("uint", width),
                    node.location,
                ),
                Literal(k),
                node.location,
            )
            for k, p in enumerate(places)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = self.binary("|", total, part, node.location)
        return self.cast(total, ClassicalType("bit", width), node.location)

    def select_bits(self, node: Node) -> Clbits | None:
        """Classical bits a name with constant indices stands for; None for anything else."""
        if node.kind == "name":
            symbol = self.lookup(node.value, node.location)
            return symbol if isinstance(symbol, Clbits) else None
        if node.kind != "index":
            return None
        base, index = node.children
        assert base is not None and index is not None
        inner = self.select_bits(base)
        if inner is None:
            return None
        if inner.single:
            raise self.error(node.location, "A single bit cannot be indexed.", "index")
        if index.kind not in ("set", "range") and not isinstance(self.evaluate(index), Literal):
            return None
        places, single = self.positions(index, len(inner.indices), _root_name(base))
        return Clbits(tuple(inner.indices[p] for p in places), single)

    def select_qubits(self, node: Node) -> Qubits:
        """Qubits an operand stands for."""
        if node.kind == "qubit":
            return Qubits((self._physical_qubit(node.value, node.location),), True)
        if node.kind == "name":
            symbol = self.lookup(node.value, node.location)
            if not isinstance(symbol, Qubits):
                raise self.error(
                    node.location, f"`{node.value}` is not a qubit or a qubit register.", node.value
                )
            return symbol
        if node.kind != "index":
            raise self.error(node.location, "Expected a qubit.", node.kind)
        base, index = node.children
        assert base is not None and index is not None
        inner = self.select_qubits(base)
        if inner.single:
            raise self.error(
                node.location, f"`{_root_name(base)}` is a single qubit and cannot be indexed.", "index"
            )
        places, single = self.positions(index, len(inner.indices), _root_name(base))
        return Qubits(tuple(inner.indices[p] for p in places), single)

    def _physical_qubit(self, number: int, location: int) -> int:
        if self.frame.kind == "gate":
            raise self.error(location, "A physical qubit cannot be used in a gate.", f"${number}")
        if number > MAX_PHYSICAL_QUBIT:
            raise self.error(location, f"Physical qubits go up to ${MAX_PHYSICAL_QUBIT}.", f"${number}")
        while len(self.physical) <= number:
            self.physical.append(self.builder.num_qubits)
            self.builder.num_qubits += 1
        return self.physical[number]


def _root_name(node: Node) -> str:
    while node.kind == "index" and node.children[0] is not None:
        node = node.children[0]
    return f"${node.value}" if node.kind == "qubit" else str(node.value)
