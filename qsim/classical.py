"""Run-time classical values: what a circuit computes while it runs, from measured bits and variables.

An expression is an immutable tree of `Bit`, `Bits`, `Variable`, `Literal`, `Unary`, `Binary`, `Cast` and
`Call`. Python operators build it; types and arithmetic are those of OpenQASM 3 (integers of a given
size wrap around, ``/`` of integers truncates, angles live on a circle). ``==`` compares two expressions
as Python objects, so write ``a.eq(b)`` for the comparison that happens at run time.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from qsim import _classical_types as rules
from qsim._checks import counted
from qsim._classical_nodes import (
    Binary,
    Bit,
    Bits,
    Call,
    Cast,
    Expression,
    Literal,
    Unary,
    Variable,
    _index,
    as_expression,
)
from qsim._classical_types import ClassicalType, Value
from qsim.errors import ArgumentError, QubitError

__all__ = [
    "Binary",
    "Bit",
    "Bits",
    "Call",
    "Cast",
    "ClassicalType",
    "Expression",
    "Literal",
    "Unary",
    "Variable",
    "as_condition",
    "as_expression",
    "bits_of",
    "evaluate",
    "from_json",
    "logical_and",
    "logical_not",
    "logical_or",
    "map_bits",
    "to_json",
    "to_text",
    "type_of",
    "variables_of",
]


def logical_and(left: Any, right: Any) -> Binary:
    """``left && right``."""
    return Binary("&&", as_expression(left), as_expression(right))


def logical_or(left: Any, right: Any) -> Binary:
    """``left || right``."""
    return Binary("||", as_expression(left), as_expression(right))


def logical_not(operand: Any) -> Unary:
    """``!operand``."""
    return Unary("!", as_expression(operand))


def as_condition(condition: Any, num_clbits: int) -> Expression:
    """A condition from what a Python user finds natural to write.

    Parameters
    ----------
    condition : Expression or tuple
        ``(clbit, 0 or 1)``, ``(tuple of clbits, int)`` where the first bit is the least significant, a
        `Bit`, or any expression.
    num_clbits : int
        Classical bits of the circuit.

    Returns
    -------
    Expression

    Raises
    ------
    QubitError
        If a classical bit is out of range.
    ArgumentError
        If the value does not fit the bits, or the types in the expression do not fit.
    """
    if isinstance(condition, tuple) and len(condition) == 2:
        subject, value = condition
        if isinstance(subject, Bit):
            subject = subject.index
        if isinstance(subject, Bits):
            subject = subject.indices
        if isinstance(subject, Expression):
            raise TypeError(
                "A condition (x, value) must name classical bits; write x.eq(value) for an expression."
            )
        single = not isinstance(subject, Iterable)
        width = 1 if single else len(tuple(subject))
        if not isinstance(value, numbers.Integral) and not isinstance(value, bool):
            raise TypeError(f"The value of a condition must be an int, but is {type(value).__name__}.")
        if not 0 <= int(value) < 1 << width:
            raise ArgumentError(
                f"The value of a condition on {counted(width, 'classical bit')} must be 0 to "
                f"{(1 << width) - 1}, but is {value}."
            )
        if single:
            bit = Bit(_index(subject))
            expression: Expression = bit if value else logical_not(bit)
        else:
            # an int without a size has 64 bits
            number = Literal(int(value)) if value < 1 << 63 else Literal(int(value), "uint", width)
            expression = Binary("==", Bits(tuple(_index(i) for i in subject)), number)
    elif isinstance(condition, Expression):
        expression = condition
    else:
        hint = (
            " `==` and `!=` compare expressions as Python objects; write a.eq(b) or a.ne(b)."
            if isinstance(condition, bool)
            else ""
        )
        raise TypeError(
            "A condition must be (clbit, value), (clbits, value) or a classical expression, "
            f"but is {type(condition).__name__} ({condition!r}).{hint}"
        )
    for index in bits_of(expression):
        if index >= num_clbits:
            valid = f"valid: 0 to {num_clbits - 1}" if num_clbits else "it has none"
            raise QubitError(
                f"Classical bit {index} is out of range for a circuit of "
                f"{counted(num_clbits, 'classical bit')} "
                f"({valid})."
            )
    type_of(expression)
    return expression


# -- walking ---------------------------------------------------------------------------------------
def _children(node: Expression) -> tuple[Expression, ...]:
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Unary | Cast):
        return (node.operand,)
    return node.arguments if isinstance(node, Call) else ()


def _walk(expression: Expression) -> Iterator[Expression]:
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(_children(node)))


def bits_of(expression: Any) -> tuple[int, ...]:
    """Classical bits an expression reads, each once, in order of appearance."""
    found: dict[int, None] = {}
    for node in _walk(as_expression(expression)):
        if isinstance(node, Bit):
            found[node.index] = None
        elif isinstance(node, Bits):
            found.update(dict.fromkeys(node.indices))
    return tuple(found)


def variables_of(expression: Any) -> tuple[Variable, ...]:
    """Variables an expression reads, each once, in order of appearance."""
    return tuple(dict.fromkeys(n for n in _walk(as_expression(expression)) if isinstance(n, Variable)))


def map_bits(expression: Any, function: Callable[[int], int]) -> Any:
    """The same expression over other classical bits."""
    node = expression
    if isinstance(node, Bit):
        return Bit(function(node.index))
    if isinstance(node, Bits):
        return Bits(tuple(map(function, node.indices)))
    if isinstance(node, Unary):
        return Unary(node.op, map_bits(node.operand, function))
    if isinstance(node, Binary):
        return Binary(node.op, map_bits(node.left, function), map_bits(node.right, function))
    if isinstance(node, Cast):
        return Cast(node.kind, node.size, map_bits(node.operand, function))
    if isinstance(node, Call):
        return Call(node.name, tuple(map_bits(a, function) for a in node.arguments))
    return node


def type_of(expression: Expression) -> ClassicalType:
    """Type of the value of an expression.

    Raises
    ------
    ArgumentError
        If operand types do not fit an operator, a cast or a function.
    """
    node = expression
    if isinstance(node, Bit):
        return rules.BIT
    if isinstance(node, Bits):
        return rules.classical_type("bit", len(node.indices))
    if isinstance(node, Variable | Literal):
        return rules.classical_type(node.kind, node.size)
    if isinstance(node, Binary):
        return rules.binary_type(node.op, type_of(node.left), type_of(node.right))
    if isinstance(node, Unary):
        return rules.unary_type(node.op, type_of(node.operand))
    if isinstance(node, Cast):
        target = rules.classical_type(node.kind, node.size)
        rules.check_cast(type_of(node.operand), target)
        return target
    if isinstance(node, Call):
        return rules.call(node.name, [(type_of(a), None) for a in node.arguments])[0]
    raise TypeError(f"A classical value must be an expression, but is {type(node).__name__}.")


def evaluate(expression: Any, bits: Sequence[Any], variables: Mapping[str, Any] | None = None) -> Value:
    """The value of an expression while a circuit runs.

    Parameters
    ----------
    expression : Expression or number
    bits : sequence of 0 and 1
        Values of the classical bits, indexed by classical bit.
    variables : dict, optional
        Variable name to value (bool, int or float; angles in radians).

    Returns
    -------
    bool, int or float

    Raises
    ------
    ArgumentError
        Division by zero, overflow, a function outside its domain, or a variable without a value.
    """
    return _evaluate(as_expression(expression), bits, variables or {})[1]


def _evaluate(
    node: Expression, bits: Sequence[Any], variables: Mapping[str, Any]
) -> tuple[ClassicalType, Value]:
    if isinstance(node, Bit):
        return rules.BIT, int(bits[node.index])
    if isinstance(node, Bits):
        value = 0
        for position, index in enumerate(node.indices):
            if bits[index]:
                value |= 1 << position
        return rules.classical_type("bit", len(node.indices)), value
    if isinstance(node, Literal):
        return rules.classical_type(node.kind, node.size), node.value
    if isinstance(node, Variable):
        if node.name not in variables:
            raise ArgumentError(f"Classical variable `{node.name}` is read before it has a value.")
        return rules.classical_type(node.kind, node.size), variables[node.name]
    if isinstance(node, Binary):
        left, a = _evaluate(node.left, bits, variables)
        if node.op == "&&" and a == 0:  # the right side may be undefined where the left one decides
            return rules.BOOL, False
        if node.op == "||" and a != 0:
            return rules.BOOL, True
        right, b = _evaluate(node.right, bits, variables)
        return rules.binary_type(node.op, left, right), rules.binary_value(node.op, left, a, right, b)
    if isinstance(node, Unary):
        kind, x = _evaluate(node.operand, bits, variables)
        return rules.unary_type(node.op, kind), rules.unary_value(node.op, kind, x)
    if isinstance(node, Cast):
        kind, x = _evaluate(node.operand, bits, variables)
        target = rules.classical_type(node.kind, node.size)
        return target, rules.convert(x, kind, target)
    assert isinstance(node, Call)
    result, outcome = rules.call(node.name, [_evaluate(a, bits, variables) for a in node.arguments])
    assert outcome is not None
    return result, outcome


def converted(
    expression: Any, target: ClassicalType, bits: Sequence[Any], variables: Mapping[str, Any]
) -> Value:
    """The value of an expression as another type: what an assignment stores."""
    kind, value = _evaluate(as_expression(expression), bits, variables)
    return rules.convert(value, kind, target)


# -- text and JSON ---------------------------------------------------------------------------------
_PRECEDENCE = {
    op: level
    for level, ops in enumerate(
        (
            ("||",),
            ("&&",),
            ("|",),
            ("^",),
            ("&",),
            ("==", "!="),
            ("<", "<=", ">", ">="),
            ("<<", ">>"),
            ("+", "-"),
            ("*", "/", "%"),
            ("unary",),
            ("**",),
        ),
        start=1,
    )
    for op in ops
}


def to_text(
    expression: Any,
    bit: Callable[[int], str] | None = None,
    bits: Callable[[tuple[int, ...]], str] | None = None,
    variable: Callable[[Variable], str] | None = None,
) -> str:
    """An expression as OpenQASM 3 writes it.

    Parameters
    ----------
    expression : Expression
    bit, bits, variable : callable, optional
        How to write a classical bit, several of them, and a variable; by default ``c[0]``,
        ``c[{0, 1}]`` and the variable's name.
    """
    name_bit = bit or (lambda index: f"c[{index}]")
    name_bits = bits or (lambda indices: f"c[{{{', '.join(map(str, indices))}}}]")

    def text(node: Expression, outer: int) -> str:
        if isinstance(node, Bit):
            return name_bit(node.index)
        if isinstance(node, Bits):
            return name_bits(node.indices)
        if isinstance(node, Variable):
            return variable(node) if variable else node.name
        if isinstance(node, Literal):
            return _literal_text(node, outer)
        if isinstance(node, Cast):
            return f"{ClassicalType(node.kind, node.size)}({text(node.operand, 0)})"
        if isinstance(node, Call):
            return f"{node.name}({', '.join(text(a, 0) for a in node.arguments)})"
        if isinstance(node, Unary):
            level = _PRECEDENCE["unary"]
            inner = f"{node.op}{text(node.operand, level)}"
        else:
            assert isinstance(node, Binary)
            if node.op == "[]":
                return f"{text(node.left, 99)}[{text(node.right, 0)}]"
            level = _PRECEDENCE[node.op]
            right_first = node.op == "**"
            left, right = text(node.left, level + right_first), text(node.right, level + (not right_first))
            inner = f"{left} {node.op} {right}"
        return f"({inner})" if level < outer else inner

    return text(as_expression(expression), 0)


def _literal_text(node: Literal, outer: int) -> str:
    if node.kind == "bool":
        return "true" if node.value else "false"
    if node.kind == "bit":
        return f"bit({int(node.value)})" if node.size is None else f'"{int(node.value):0{node.size}b}"'
    plain = repr(node.value)
    if node.kind in ("int", "float") and node.size is None:
        return f"({plain})" if plain.startswith("-") and outer else plain
    return f"{ClassicalType(node.kind, node.size)}({plain})"


def to_json(expression: Any) -> Any:
    """Nested lists that `from_json` reads."""
    node = as_expression(expression)
    if isinstance(node, Bit):
        return ["bit", node.index]
    if isinstance(node, Bits):
        return ["bits", list(node.indices)]
    if isinstance(node, Variable):
        return ["variable", node.name, node.kind, node.size]
    if isinstance(node, Literal):
        return ["literal", node.value, node.kind, node.size]
    if isinstance(node, Unary):
        return ["unary", node.op, to_json(node.operand)]
    if isinstance(node, Binary):
        return ["binary", node.op, to_json(node.left), to_json(node.right)]
    if isinstance(node, Cast):
        return ["cast", node.kind, node.size, to_json(node.operand)]
    assert isinstance(node, Call)
    return ["call", node.name, *(to_json(a) for a in node.arguments)]


def from_json(data: Any) -> Expression:
    """The inverse of `to_json`.

    Raises
    ------
    ArgumentError
        If the data is not an expression.
    """
    match data:
        case ["bit", index]:
            return Bit(index)
        case ["bits", [*indices]]:
            return Bits(tuple(indices))
        case ["variable", name, kind, size]:
            return Variable(name, kind, size)
        case ["literal", value, kind, size]:
            return Literal(value, kind, size)
        case ["unary", op, operand]:
            return Unary(op, from_json(operand))
        case ["binary", op, left, right]:
            return Binary(op, from_json(left), from_json(right))
        case ["cast", kind, size, operand]:
            return Cast(kind, size, from_json(operand))
        case ["call", name, *arguments]:
            return Call(name, tuple(from_json(a) for a in arguments))
    raise ArgumentError(f"Argument `data` must be a classical expression, but is {data!r}.")
