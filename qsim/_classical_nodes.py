"""The nodes of classical expressions; `qsim.classical` evaluates, walks and prints them."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qsim import _classical_types as rules
from qsim._classical_types import ClassicalType, Value
from qsim.errors import ArgumentError, QubitError


class Expression:
    """Base of all classical expressions; builds larger ones with Python's operators.

    ``+ - * / % ** << >> & | ^ - ~ < <= > >=`` work as in OpenQASM 3; ``.eq()``, ``.ne()`` compare,
    `logical_and`, `logical_or` and `logical_not` combine conditions, ``x[i]`` is one bit of an integer.

    Examples
    --------
    >>> from qsim.classical import Bit, Variable, evaluate, logical_and
    >>> bit, count = Bit(0), Variable("count", "int", 8)
    >>> evaluate((count + 1).eq(3), [0], {"count": 2})
    True
    >>> evaluate(logical_and(bit, count < 5), [1], {"count": 2})
    True
    """

    __slots__ = ()

    def _binary(self, op: str, other: Any, swapped: bool = False) -> Any:
        if not isinstance(other, Expression | numbers.Real):
            return NotImplemented
        operand = as_expression(other)
        return Binary(op, operand, self) if swapped else Binary(op, self, operand)

    def __add__(self, other: Any) -> Any:
        return self._binary("+", other)

    def __radd__(self, other: Any) -> Any:
        return self._binary("+", other, True)

    def __sub__(self, other: Any) -> Any:
        return self._binary("-", other)

    def __rsub__(self, other: Any) -> Any:
        return self._binary("-", other, True)

    def __mul__(self, other: Any) -> Any:
        return self._binary("*", other)

    def __rmul__(self, other: Any) -> Any:
        return self._binary("*", other, True)

    def __truediv__(self, other: Any) -> Any:
        return self._binary("/", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._binary("/", other, True)

    def __mod__(self, other: Any) -> Any:
        return self._binary("%", other)

    def __rmod__(self, other: Any) -> Any:
        return self._binary("%", other, True)

    def __pow__(self, other: Any) -> Any:
        return self._binary("**", other)

    def __rpow__(self, other: Any) -> Any:
        return self._binary("**", other, True)

    def __lshift__(self, other: Any) -> Any:
        return self._binary("<<", other)

    def __rlshift__(self, other: Any) -> Any:
        return self._binary("<<", other, True)

    def __rshift__(self, other: Any) -> Any:
        return self._binary(">>", other)

    def __rrshift__(self, other: Any) -> Any:
        return self._binary(">>", other, True)

    def __and__(self, other: Any) -> Any:
        return self._binary("&", other)

    def __rand__(self, other: Any) -> Any:
        return self._binary("&", other, True)

    def __or__(self, other: Any) -> Any:
        return self._binary("|", other)

    def __ror__(self, other: Any) -> Any:
        return self._binary("|", other, True)

    def __xor__(self, other: Any) -> Any:
        return self._binary("^", other)

    def __rxor__(self, other: Any) -> Any:
        return self._binary("^", other, True)

    def __lt__(self, other: Any) -> Any:
        return self._binary("<", other)

    def __le__(self, other: Any) -> Any:
        return self._binary("<=", other)

    def __gt__(self, other: Any) -> Any:
        return self._binary(">", other)

    def __ge__(self, other: Any) -> Any:
        return self._binary(">=", other)

    def eq(self, other: Any) -> Binary:
        """The run-time comparison ``self == other``."""
        return Binary("==", self, as_expression(other))

    def ne(self, other: Any) -> Binary:
        """The run-time comparison ``self != other``."""
        return Binary("!=", self, as_expression(other))

    def __neg__(self) -> Unary:
        return Unary("-", self)

    def __invert__(self) -> Unary:
        return Unary("~", self)

    def __getitem__(self, index: Any) -> Binary:
        """One bit of a sized integer, angle or bit register; -1 is the last one."""
        return Binary("[]", self, as_expression(index))

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"Classical expression `{self}` cannot be iterated over before the circuit runs.")

    def __bool__(self) -> bool:
        raise TypeError(
            f"Classical expression `{self}` has no truth value before the circuit runs; "
            "use it as the condition of if_else() or while_loop()."
        )

    def __str__(self) -> str:
        from qsim.classical import to_text

        return to_text(self)

    @property
    def type(self) -> ClassicalType:
        """Type of the value, see `type_of`."""
        from qsim.classical import type_of

        return type_of(self)

    def to_json(self) -> Any:
        from qsim.classical import to_json

        return to_json(self)


@dataclass(frozen=True, slots=True)
class Bit(Expression):
    """One classical bit of the circuit."""

    index: int

    def __post_init__(self) -> None:
        _check_bit(self.index)


@dataclass(frozen=True, slots=True)
class Bits(Expression):
    """Several classical bits read as an unsigned number; ``indices[0]`` is the least significant."""

    indices: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "indices", tuple(self.indices))
        if not self.indices:
            raise ArgumentError("Argument `indices` must name at least one classical bit.")
        for index in self.indices:
            _check_bit(index)


@dataclass(frozen=True, slots=True)
class Variable(Expression):
    """A classical variable; `kind` is bool, bit, int, uint, float or angle, `size` its bits or None."""

    name: str
    kind: str
    size: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"Argument `name` must be a str, but is {type(self.name).__name__}.")
        if not isinstance(self.kind, str):
            raise TypeError(f"Argument `kind` must be a str, but is {type(self.kind).__name__}.")
        ClassicalType(self.kind, self.size)
        if not self.name:
            raise ArgumentError("Argument `name` must be a non-empty str.")


#: wide enough for every integer constant, before it is given its own type
_ANY_INT = ClassicalType("int", 4096)


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A constant. Without `kind`: bool, int or float as Python has it."""

    value: Value
    kind: str = ""
    size: int | None = None

    def __post_init__(self) -> None:
        value = self.value
        if not isinstance(value, bool | int | float):
            raise TypeError(f"Argument `value` must be a bool, int or float, but is {type(value).__name__}.")
        source = (
            rules.BOOL if isinstance(value, bool) else rules.FLOAT if isinstance(value, float) else _ANY_INT
        )
        kind = self.kind or source.kind
        if source.kind == "float" and not math.isfinite(value):
            raise ArgumentError(f"A classical constant must be finite, but is {value}.")
        value = rules.convert(value, source, ClassicalType(kind, self.size))
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "kind", kind)

    @classmethod
    def checked(cls, value: Value, kind: str, size: int | None = None) -> Literal:
        """A constant of a value that is known to fit its type."""
        literal = object.__new__(cls)
        object.__setattr__(literal, "value", value)
        object.__setattr__(literal, "kind", kind)
        object.__setattr__(literal, "size", size)
        return literal

    def __eq__(self, other: object) -> bool:
        # 1, True and 1.0 are equal in Python but different constants here
        return (
            isinstance(other, Literal)
            and (self.kind, self.size) == (other.kind, other.size)
            and self.value == other.value
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.size, self.value))


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """``-x``, ``~x`` or ``!x``."""

    op: str
    operand: Expression

    def __post_init__(self) -> None:
        _check_operator(self.op, rules.UNARY_OPERATORS)
        object.__setattr__(self, "operand", as_expression(self.operand))


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """``left op right``; `op` as OpenQASM writes it, e.g. ``"&&"`` or ``"**"``."""

    op: str
    left: Expression
    right: Expression

    def __post_init__(self) -> None:
        _check_operator(self.op, rules.BINARY_OPERATORS)
        object.__setattr__(self, "left", as_expression(self.left))
        object.__setattr__(self, "right", as_expression(self.right))


@dataclass(frozen=True, slots=True)
class Cast(Expression):
    """A value converted to another type."""

    kind: str
    size: int | None
    operand: Expression

    def __post_init__(self) -> None:
        ClassicalType(self.kind, self.size)
        object.__setattr__(self, "operand", as_expression(self.operand))


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A built-in function of OpenQASM 3, e.g. ``Call("popcount", (Bits((0, 1)),))``."""

    name: str
    arguments: tuple[Expression, ...]

    def __post_init__(self) -> None:
        arguments = tuple(as_expression(a) for a in self.arguments)
        object.__setattr__(self, "arguments", arguments)
        if self.name not in rules.FUNCTIONS:
            raise ArgumentError(
                f"Unknown function `{self.name}` (known: {', '.join(sorted(rules.FUNCTIONS))})."
            )
        if len(arguments) != rules.FUNCTIONS[self.name]:
            raise ArgumentError(
                f"Function `{self.name}` takes {rules.FUNCTIONS[self.name]} arguments, "
                f"but got {len(arguments)}."
            )


# -- making expressions ----------------------------------------------------------------------------
def as_expression(value: Any) -> Expression:
    """An expression from an expression or a number."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool | int | float):
        return Literal(value)
    if isinstance(value, numbers.Integral):
        return Literal(int(value))
    if hasattr(value, "item") and isinstance(value.item(), bool | int | float):  # a NumPy scalar
        return Literal(value.item())
    if isinstance(value, numbers.Real):
        return Literal(float(value))
    raise TypeError(f"A classical value must be an expression or a number, but is {type(value).__name__}.")


def _index(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"A classical bit must be an int, but is {type(value).__name__} ({value!r}).")
    return int(value)


def _check_bit(index: Any) -> None:
    if _index(index) < 0:
        raise QubitError(f"A classical bit must be at least 0, but is {index}.")


def _check_operator(op: str, known: frozenset[str]) -> None:
    if op not in known:
        raise ArgumentError(f"Unknown operator `{op}` (known: {', '.join(sorted(known))}).")
