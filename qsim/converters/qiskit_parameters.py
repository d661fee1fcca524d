"""Parameters and expressions of them, between Qiskit and qsim."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from qiskit.circuit import Parameter as QiskitParameter
from qiskit.circuit import ParameterExpression as QiskitExpression
from qiskit.circuit import ParameterVector as QiskitVector
from qiskit.circuit import ParameterVectorElement

from qsim import parameters as own
from qsim._expression_nodes import fold
from qsim.classical import Call, Expression, Variable
from qsim.errors import ParameterError

__all__ = ["MixedParameters", "ParameterReader", "ParameterWriter"]


class MixedParameters(Exception):
    """An expression depends on a loop's parameter and on others: known only when the loop is unrolled."""


def _function(name: str) -> Callable[[Any], Any]:
    """A function of an expression of parameters, or of a classical one."""

    def function(x: Any) -> Any:
        return Call(name, (x,)) if isinstance(x, Expression) else getattr(own, name)(x)

    return function


_sqrt = _function("sqrt")

#: operation of a Qiskit expression -> what it does
_UNARY: dict[str, Callable[[Any], Any]] = {
    **{"SIN": _function("sin"), "COS": _function("cos"), "TAN": _function("tan")},
    **{"ASIN": _function("arcsin"), "ACOS": _function("arccos"), "ATAN": _function("arctan")},
    **{"EXP": _function("exp"), "LOG": _function("log"), "CONJ": lambda x: x},
    "ABS": lambda x: _sqrt(x * x),
    "SIGN": lambda x: x / _sqrt(x * x),
}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "ADD": lambda a, b: a + b,
    "SUB": lambda a, b: a - b,
    "MUL": lambda a, b: a * b,
    "DIV": lambda a, b: a / b,
    "POW": lambda a, b: a**b,
    "RSUB": lambda a, b: b - a,
    "RDIV": lambda a, b: b / a,
    "RPOW": lambda a, b: b**a,
}


@functools.lru_cache(maxsize=4096)
def _numbered(place: int) -> own.Parameter:
    return own.Parameter(f"number[{place}]")


class ParameterReader:
    """Qiskit's parameters as qsim's, by their names.

    Attributes
    ----------
    loops : dict
        Parameter of a loop that is being read -> the classical variable that holds its value.
    values : dict
        Parameter of a loop that is being unrolled -> its value.
    numbers : list of float, optional
        Where numbers of standard gates are collected, with parameters ``number[0]``, ... in their place.
    """

    def __init__(self, numbers: list[float] | None = None) -> None:
        self.numbers = numbers
        self.loops: dict[Any, Variable] = {}
        self.values: dict[Any, float] = {}
        self._vectors: dict[str, own.ParameterVector] = {}

    def read(self, value: Any) -> Any:
        """A float, an expression of qsim, or one of classical values where a loop's parameter decides."""
        if isinstance(value, QiskitExpression):
            return self._expression(value)
        if isinstance(value, numbers.Real):
            return float(value)
        if isinstance(value, numbers.Complex) and not value.imag:
            return float(value.real)
        raise ParameterError(
            f"A parameter of a Qiskit gate must be a real number or an expression, but is {value!r}."
        )

    def angle(self, value: Any) -> Any:
        """The parameter of a standard gate: as `read`, but for numbers that are collected."""
        found = value if type(value) is float else self.read(value)
        if self.numbers is None or type(found) is not float:
            return found
        self.numbers.append(found)
        return _numbered(len(self.numbers) - 1)

    def _expression(self, expression: Any) -> Any:
        if not expression.parameters:
            return self.read(expression.numeric())
        if isinstance(expression, QiskitParameter):
            return self._symbol(expression)
        known = set(expression.parameters) - self.values.keys()
        inside = known & self.loops.keys()
        if inside and inside != known:
            raise MixedParameters
        stack: list[Any] = []
        for step in expression._qpy_replay:
            name = str(step.op).rpartition(".")[2]
            if name in _BINARY:
                right = stack.pop() if step.rhs is None else self._operand(step.rhs)
                left = stack.pop() if step.lhs is None else self._operand(step.lhs)
                stack.append(_BINARY[name](left, right))
            elif name in _UNARY:
                stack.append(_UNARY[name](stack.pop() if step.lhs is None else self._operand(step.lhs)))
            else:
                raise ParameterError(f"Qiskit's expression `{expression}` holds {name}, which qsim has not.")
        return stack.pop() if stack else self._constant(expression)

    def _constant(self, expression: Any) -> Any:
        """A number that Qiskit still gives parameters, such as ``0 * x``; so does qsim."""
        names = list(expression.parameters)
        found: Any = float(expression.bind(dict.fromkeys(names, 0.0)).numeric())
        for name in names:
            found = 0.0 * self._symbol(name) + found
        return found

    def _operand(self, value: Any) -> Any:
        return self._expression(value) if isinstance(value, QiskitExpression) else self.read(value)

    def _symbol(self, parameter: Any) -> Any:
        if parameter in self.values:
            return self.values[parameter]
        if parameter in self.loops:
            return self.loops[parameter]
        if isinstance(parameter, ParameterVectorElement):
            vector = parameter.vector
            if len(self._vectors.get(vector.name, ())) != len(vector):
                self._vectors[vector.name] = own.ParameterVector(vector.name, len(vector))
            return self._vectors[vector.name][parameter.index]
        return own.Parameter(parameter.name)


class ParameterWriter:
    """qsim's parameters as Qiskit's: those given where one has the name, else new ones."""

    def __init__(self, given: Iterable[Any] | None = None) -> None:
        self._known = {parameter.name: parameter for parameter in given or ()}
        #: name of a loop's variable -> its parameter
        self.loops: dict[str, Any] = {}

    def write(self, value: Any) -> Any:
        """A number, or an expression of Qiskit."""
        if isinstance(value, own.ParameterExpression):
            return fold(value, self._node)
        if isinstance(value, Expression):
            from qsim.converters.qiskit_classical import angle_of

            return angle_of(value, self.loops)
        return value

    def _node(self, node: Any, inner: list[Any]) -> Any:
        if isinstance(node, own.Parameter):
            return self._symbol(node)
        if node._op in _QISKIT_OPERATIONS:
            return _QISKIT_OPERATIONS[node._op](*inner)
        raise ParameterError(
            f"Qiskit's expressions have no {getattr(node._op, '__name__', node._op)}; bind the parameters "
            f"{', '.join(f'`{p.name}`' for p in node.parameters)} first."
        )

    def _symbol(self, parameter: own.Parameter) -> Any:
        if parameter.name not in self._known:
            if parameter.vector is None or parameter.vector_length is None:
                self._known[parameter.name] = QiskitParameter(parameter.name)
            else:
                elements = QiskitVector(parameter.vector[0], parameter.vector_length)
                for element in elements:
                    self._known.setdefault(element.name, element)
        return self._known[parameter.name]


def _apply(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(x, name)() if isinstance(x, QiskitExpression) else float(getattr(np, name)(x))


_QISKIT_OPERATIONS: dict[Any, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "neg": lambda a: -a,
    "sqrt": lambda a: a**0.5,
    **{name: _apply(name) for name in ("sin", "cos", "tan", "exp", "log")},
    **{name: _apply(name) for name in ("arcsin", "arccos", "arctan")},
}
