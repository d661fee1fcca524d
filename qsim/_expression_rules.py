"""What each operator of a parameter expression means: its value, its derivative, what it leaves affine.

The rules take numbers, arrays and expressions alike: NumPy's functions do, and so do the operators of Python.
Of an expression's node they need its operator ``_op`` and its arguments ``_args`` (see `_expression_nodes`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qsim.parameters import Parameter

__all__ = [
    *("FUNCTIONS", "TWO_ARGUMENTS", "affine", "affine_by_recursion", "apply_operator", "domain_text"),
    *("nonzero", "partials", "slope"),
]

#: name -> (function, derivative), both of arrays and of expressions
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "tan": (np.tan, lambda x: 1.0 / np.cos(x) ** 2),
    "arcsin": (np.arcsin, lambda x: 1.0 / np.sqrt(1.0 - x * x)),
    "arccos": (np.arccos, lambda x: -1.0 / np.sqrt(1.0 - x * x)),
    "arctan": (np.arctan, lambda x: 1.0 / (1.0 + x * x)),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1.0 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
}
_DATA = " `qsim.feature_maps.scale` maps data into the domain of a feature map."
#: what a function takes, and a way out, for messages
_DOMAINS = {
    "arcsin": ("in [-1, 1]", _DATA),
    "arccos": ("in [-1, 1]", _DATA),
    "log": ("above 0", ""),
    "sqrt": ("of at least 0", ""),
}
#: functions of two arguments
TWO_ARGUMENTS = ("arctan2",)


def domain_text(op: str, argument: str, value: float) -> str:
    """A sentence on what a function takes and was given; empty for operators that have no such limits."""
    if op not in _DOMAINS:
        return ""
    domain, way_out = _DOMAINS[op]
    given = "it got" if argument == repr(value) else f"`{argument}` is"
    return f" `{op}` takes numbers {domain}, but {given} {value}.{way_out}"


def apply_operator(op: Any, args: tuple[Any, ...]) -> Any:
    """The value of an operator or function of the table, or of a function with `partial`s of its own."""
    if op == "+":
        return args[0] + args[1]
    if op == "-":
        return args[0] - args[1]
    if op == "*":
        return args[0] * args[1]
    if op == "/":
        return args[0] / args[1]
    if op == "**":
        return args[0] ** args[1]
    if op == "neg":
        return -args[0]
    if op == "arctan2":
        return np.arctan2(args[0], args[1])
    return FUNCTIONS[op][0](args[0]) if op in FUNCTIONS else op(*args)


def partials(op: Any, v: list[Any], exponent_varies: bool) -> list[Any]:
    """Derivative of a node with respect to each of its arguments."""
    if op in ("+", "-"):
        return [1.0, 1.0 if op == "+" else -1.0]
    if op == "*":
        return [v[1], v[0]]
    if op == "/":
        return [1.0 / v[1], -v[0] / (v[1] * v[1])]
    if op == "**":
        # x**0 is 1 also at x = 0, where 0 * x**-1 would not be 0; and x**y log x tends to 0 for y > 0. The
        # latter is only formed where the exponent depends on a parameter.
        x, y = v
        by_base = np.where(y == 0.0, 0.0, y * x ** (y - 1.0))
        return [by_base, np.where((x == 0.0) & (y > 0.0), 0.0, x**y * np.log(x)) if exponent_varies else 0.0]
    if op == "neg":
        return [-1.0]
    if op == "arctan2":
        square = v[0] * v[0] + v[1] * v[1]
        return [v[1] / square, -v[0] / square]
    return [FUNCTIONS[op][1](v[0])] if op in FUNCTIONS else [op.partial(j, v) for j in range(len(v))]


def nonzero(value: Any) -> bool:
    """Whether a term is to be kept: an expression, or a number other than 0."""
    return not (isinstance(value, float) and value == 0.0)


def slope(op: Any, args: tuple[Any, ...], slopes: list[Any]) -> Any:
    """Derivative of a node from its arguments and theirs; terms that are zero are left out."""
    left, right = args[0], args[-1]
    d_left, d_right = slopes[0], slopes[-1]
    if op == "neg":
        return -d_left
    if op in FUNCTIONS:
        return d_left * FUNCTIONS[op][1](left)
    terms: list[Any] = []
    if op in ("+", "-"):
        terms = [d_left, d_right if op == "+" else -d_right]
    elif op == "*":
        terms = [d_left * right if nonzero(d_left) else 0.0, left * d_right if nonzero(d_right) else 0.0]
    elif op == "/":
        terms = [
            d_left / right if nonzero(d_left) else 0.0,
            -(left * d_right / right**2) if nonzero(d_right) else 0.0,
        ]
    elif op == "arctan2":
        square = left * left + right * right
        terms = [
            right * d_left / square if nonzero(d_left) else 0.0,
            -(left * d_right / square) if nonzero(d_right) else 0.0,
        ]
    elif op != "**":
        inner = [(op.partial(j, args), d) for j, d in enumerate(slopes) if nonzero(d)]
        terms = [outer * d if nonzero(outer) else 0.0 for outer, d in inner]
    else:
        # the factor in front first: x**0 has slope 0 also where x**-1 has no value
        by_base = nonzero(d_left) and nonzero(right)
        terms = [
            right * left ** (right - 1.0) * d_left if by_base else 0.0,
            left**right * np.log(left) * d_right if nonzero(d_right) else 0.0,
        ]
    kept = [term for term in terms if nonzero(term)]
    total = kept[0] if kept else 0.0
    for term in kept[1:]:
        is_minus = not isinstance(term, float) and term._op == "neg"
        total = total - term._args[0] if is_minus else total + term
    return total


def affine_by_recursion(node: Any, levels: int) -> Any:
    """``(parameter, scale, shift)`` of ``scale * parameter + shift``; a constant's value; or None.

    By recursion, the quick way for an expression of few levels; a RecursionError for one of more.
    """
    if isinstance(node, float):
        return node
    if node._op == "param":
        return (node, 1.0, 0.0)
    if not levels:
        raise RecursionError
    return affine(node, [affine_by_recursion(arg, levels - 1) for arg in node._args])


def affine(node: Any, inner: list[Any]) -> tuple[Parameter, float, float] | None:
    """``(parameter, scale, shift)`` of a node from those of its arguments; None if there is none."""
    if node._op == "param":
        return (node, 1.0, 0.0)
    op = node._op
    left, right = inner[0], inner[-1]
    if left is None or right is None or not (isinstance(left, tuple) or isinstance(right, tuple)):
        return None
    if op == "neg":
        return left[0], -left[1], -left[2]
    if op in ("+", "-"):
        sign = 1.0 if op == "+" else -1.0
        if isinstance(right, float):
            return left[0], left[1], left[2] + sign * right
        if isinstance(left, float):
            return right[0], sign * right[1], left + sign * right[2]
        if left[0] == right[0]:
            return left[0], left[1] + sign * right[1], left[2] + sign * right[2]
        return None
    if op == "*" and isinstance(left, float):
        return right[0], right[1] * left, right[2] * left
    if op == "*" and isinstance(right, float):
        return left[0], left[1] * right, left[2] * right
    if op == "/" and isinstance(right, float) and right:
        return left[0], left[1] / right, left[2] / right
    return None
