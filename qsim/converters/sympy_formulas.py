"""Formulas of SymPy and of qsim, into each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy

from qsim import parameters
from qsim._expression_nodes import fold
from qsim.errors import ParameterError
from qsim.parameters import Parameter, ParameterExpression

__all__ = ["from_sympy", "to_sympy"]

_FUNCTIONS: dict[Any, tuple[str, Callable[..., Any]]] = {
    getattr(sympy, theirs): (ours, getattr(parameters, ours))
    for theirs, ours in {
        **{name: name for name in ("sin", "cos", "tan", "exp", "log")},
        **{"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"},
    }.items()
}
_TO_SYMPY: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "neg": lambda a: -a,
    "sqrt": sympy.sqrt,
    **{ours: theirs for theirs, (ours, _) in _FUNCTIONS.items()},
}


def from_sympy(formula: Any) -> float | ParameterExpression:
    """A number or an expression of parameters named as the symbols are.

    Parameters
    ----------
    formula : number or sympy.Basic

    Raises
    ------
    ParameterError
        If a function or number in it is none of real formulas that qsim has; the message names it.
    """
    if not isinstance(formula, sympy.Basic):
        return float(formula)
    if isinstance(formula, sympy.Symbol):
        return Parameter(formula.name)
    if formula.is_number:
        value = complex(formula)
        if value.imag or not math.isfinite(value.real):
            raise ParameterError(f"A formula must be of finite real numbers, but `{formula}` is none.")
        return value.real
    if isinstance(formula, sympy.Add | sympy.Mul):
        total, *others = map(from_sympy, formula.args)
        for other in others:
            total = total + other if isinstance(formula, sympy.Add) else total * other
        return total
    if isinstance(formula, sympy.Pow):
        base, exponent = formula.args
        if exponent == sympy.Rational(1, 2):
            return _real(parameters.sqrt(from_sympy(base)))
        if exponent == -1:
            return _real(1.0 / from_sympy(base))
        return _real(from_sympy(base) ** from_sympy(exponent))
    known = _FUNCTIONS.get(formula.func)
    if known is None:
        raise ParameterError(
            f"The formula `{formula}` has `{formula.func.__name__}`, which formulas of qsim have not. "
            "Give its symbols numbers first."
        )
    return _real(known[1](*map(from_sympy, formula.args)))


def _real(value: Any) -> float | ParameterExpression:
    return value if isinstance(value, ParameterExpression) else float(value)


def to_sympy(value: Any) -> Any:
    """A number as it is, an expression as a SymPy formula of symbols named as its parameters are.

    Raises
    ------
    ParameterError
        If the expression holds a function that is not one of `qsim.parameters`.
    """
    if not isinstance(value, ParameterExpression):
        return value

    def build(node: Any, inner: list[Any]) -> Any:
        if node._op == "param":
            return sympy.Symbol(node.name)
        if node._op not in _TO_SYMPY:
            raise ParameterError(f"The formula `{value}` has no form in SymPy. Bind its parameters first.")
        return _TO_SYMPY[node._op](*inner)

    return fold(value, build)
