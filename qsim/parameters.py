"""Symbolic parameters and expressions of them.

An expression is an immutable tree. The kernels never see one: `qsim.program.slots` evaluates all
expressions of a circuit for all rows of a batch in NumPy, with exact derivatives for the chain rule.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from qsim._checks import to_float
from qsim._expression_nodes import PRECEDENCE, children_first, fold, same_structure, to_text, tree_size
from qsim._expression_rules import (
    FUNCTIONS,
    TWO_ARGUMENTS,
    affine,
    affine_by_recursion,
    apply_operator,
    domain_text,
    nonzero,
    slope,
)
from qsim.errors import ArgumentError, ParameterError, UnboundParameterError
from qsim.memory import check_free_memory

#: Larger angles are refused as not finite is: a kernel may multiply an angle, and must not overflow.
MAX_ANGLE = 1e100

__all__ = [
    "Parameter",
    "ParameterExpression",
    "ParameterValue",
    "ParameterVector",
    "arccos",
    "arcsin",
    "arctan",
    "arctan2",
    "cos",
    "exp",
    "log",
    "sin",
    "sqrt",
    "tan",
]

ParameterValue = Union[float, "ParameterExpression"]

_UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a * b,
    np.divide: lambda a, b: a / b,
    np.power: lambda a, b: a**b,
    np.negative: lambda a: -a,
    np.positive: lambda a: a,
    np.arctan2: lambda a, b: arctan2(a, b),
}
_UFUNC_NAMES = {getattr(np, name): name for name in FUNCTIONS}
#: Expressions up to this size are walked without keeping record of what was seen.
_FEW_NODES = 64
_FEW_LEVELS = 6
#: Trees up to this size and depth are nested lists in JSON, whose readers recurse.
_NESTED_JSON = (1000, 50)


class ParameterExpression:
    """A real function of parameters, built with ``+ - * / **`` and the functions of this module.

    NumPy functions work too: ``np.sin(theta)`` equals ``qsim.sin(theta)``. Expressions are immutable,
    hashable and compare by structure; two parameters of one name are the same parameter.

    Examples
    --------
    >>> x = ParameterVector("x", 2)
    >>> phi = (np.pi - x[0]) * (np.pi - x[1])
    >>> phi.evaluate({"x[0]": np.pi - 1.0, "x[1]": np.pi - 2.0})
    2.0
    >>> phi.parameters
    (Parameter('x[0]'), Parameter('x[1]'))
    """

    __slots__ = ("_args", "_hash", "_op")
    _op: Any  # the name of an operator or function, or a function with partial derivatives of its own
    _args: tuple[Any, ...]
    _hash: int

    def __init__(self, op: Any, args: tuple[Any, ...]) -> None:
        self._op = op
        self._args = args
        self._hash = hash((op, args))

    # -- structure -------------------------------------------------------------------------------
    @property
    def is_held(self) -> bool:
        """Whether derivatives take the expression for a constant (see `qsim.generator_sum`)."""
        return getattr(self._op, "is_held", False)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the expression, each once, in order of appearance."""
        found: dict[Parameter, None] = {}
        stack: list[Any] = [self]
        for _ in range(_FEW_NODES):  # most expressions are small, and circuits have many
            node = stack.pop()
            if isinstance(node, Parameter):
                found[node] = None
            elif not isinstance(node, float):
                stack.extend(reversed(node._args))
            if not stack:
                return tuple(found)
        return tuple(dict.fromkeys(n for n in children_first([self]) if isinstance(n, Parameter)))

    def affine(self) -> tuple[Parameter, float, float] | None:
        """``(parameter, scale, shift)`` if the expression is ``scale * parameter + shift``, else None."""
        found: tuple[Parameter, float, float] | None
        try:
            found = affine_by_recursion(self, _FEW_LEVELS)
        except RecursionError:
            found = fold(self, affine)
        return found

    def bind(self, values: Mapping[Parameter | str, ParameterValue]) -> ParameterValue:
        """Replace parameters by numbers or expressions; parameters without a value stay.

        Parameters
        ----------
        values : dict
            Parameter (or its name) to a float or another expression.

        Returns
        -------
        float or ParameterExpression
        """

        def bound(node: ParameterExpression, args: list[Any]) -> Any:
            return node.bind(values) if isinstance(node, Parameter) else _build(node._op, tuple(args))

        result: ParameterValue = fold(self, bound)
        return result

    def evaluate(self, values: Mapping[Parameter | str, float]) -> float:
        """The value of the expression; every parameter needs a number.

        Raises
        ------
        UnboundParameterError
            If a parameter has no value.
        """
        bound = self.bind(values)
        if isinstance(bound, ParameterExpression):
            missing = ", ".join(f"`{p.name}`" for p in bound.parameters)
            raise UnboundParameterError(
                f"Argument `values` must name every parameter, but has none for {missing}."
            )
        return bound

    def derivative(self, parameter: Parameter | str) -> ParameterValue:
        """The exact derivative with respect to a parameter, as an expression.

        Parameters
        ----------
        parameter : Parameter or str
            Itself or its name; 0 is the answer if the expression does not hold it.

        Returns
        -------
        float or ParameterExpression

        Notes
        -----
        Forward differentiation; the result has a few nodes for each node of the expression, which it shares.

        Examples
        --------
        >>> t = Parameter("t")
        >>> print((sin(2 * t) / t).derivative(t))
        2*cos(2*t)/t - sin(2*t)/t**2
        """
        if not isinstance(parameter, Parameter | str):
            raise TypeError(
                f"Argument `parameter` must be a Parameter or its name, but is {type(parameter).__name__}."
            )
        name = parameter.name if isinstance(parameter, Parameter) else parameter

        def slope_of(node: ParameterExpression, inner: list[Any]) -> Any:
            if isinstance(node, Parameter):
                return 1.0 if node.name == name else 0.0
            # what stands for itself in `fold` is a constant
            slopes = [0.0 if isinstance(arg, float) else d for arg, d in zip(node._args, inner, strict=True)]
            return slope(node._op, node._args, slopes) if any(nonzero(d) for d in slopes) else 0.0

        result: ParameterValue = fold(self, slope_of)
        return result

    # -- arithmetic ------------------------------------------------------------------------------
    def __add__(self, other: Any) -> Any:
        return _binary("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _binary("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _binary("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _binary("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _binary("/", other, self)

    def __pow__(self, other: Any) -> Any:
        return _binary("**", self, other)

    def __rpow__(self, other: Any) -> Any:
        return _binary("**", other, self)

    def __neg__(self) -> Any:
        return _build("neg", (self,))

    def __pos__(self) -> ParameterExpression:
        return self

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        operation: Callable[..., Any] | None = _UFUNCS.get(ufunc)
        if operation is None and ufunc in _UFUNC_NAMES:
            name = _UFUNC_NAMES[ufunc]
            operation = _function(name)
        if operation is None or method != "__call__" or kwargs:
            return NotImplemented
        if any(isinstance(x, np.ndarray) and x.ndim for x in inputs):
            arrays = np.broadcast_arrays(*(x if isinstance(x, np.ndarray) else _as_object(x) for x in inputs))
            out = np.empty(arrays[0].shape, dtype=object)
            for index in np.ndindex(out.shape):
                out[index] = operation(*(a[index] for a in arrays))
            return out
        return operation(*(x.item() if isinstance(x, np.ndarray | np.generic) else x for x in inputs))

    # -- comparison, copies, text ------------------------------------------------------------------
    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, ParameterExpression) or isinstance(other, Parameter):
            return False
        return self._hash == other._hash and same_structure(self, other)

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return (_from_rows, (_to_rows(self), {p.name: p.vector_length for p in self.parameters}))

    def __bool__(self) -> bool:
        raise TypeError(f"Parameter expression `{self}` has no truth value before it is bound.")

    def __float__(self) -> float:
        names = ", ".join(f"`{p.name}`" for p in self.parameters)
        raise TypeError(f"Parameter expression `{self}` has no numeric value: bind {names} first.")

    def __repr__(self) -> str:
        return f"ParameterExpression({self})"

    def __str__(self) -> str:
        return to_text(self)

    def to_json(self) -> Any:
        """Nested lists ``[operator, arguments...]`` with parameters as ``["param", name]``.

        A deep or large expression is ``["nodes", [...]]`` instead: a list of its nodes, in which
        ``["node", k]`` stands for the one before at position k.
        """
        if all(size <= limit for size, limit in zip(tree_size(self), _NESTED_JSON, strict=True)):
            return fold(self, lambda node, inner: [node._op, *(inner or node._args)])
        return [
            "nodes",
            [[op, *(["node", a] if isinstance(a, int) else a for a in args)] for op, args in _to_rows(self)],
        ]


class Parameter(ParameterExpression):
    """A named real number that gets its value when a circuit is run.

    Parameters
    ----------
    name : str
        Any non-empty text. Parameters of the same name are equal.
    """

    __slots__ = ("name", "vector", "vector_length")
    name: str
    #: the vector this is an element of, as (name, index), or None
    vector: tuple[str, int] | None
    #: length of that vector if it was made by `ParameterVector`
    vector_length: int | None

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"Argument `name` must be a str, but is {type(name).__name__}.")
        if not name:
            raise ArgumentError("Argument `name` must not be empty.")
        self.name = name
        head, bracket, tail = name.partition("[")
        is_element = bool(head) and bool(bracket) and tail[:-1].isdecimal() and tail.endswith("]")
        self.vector = (head, int(tail[:-1])) if is_element else None
        self.vector_length = None
        self._op, self._args, self._hash = "param", (name,), hash(("param", name))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (self,)

    def affine(self) -> tuple[Parameter, float, float]:
        return (self, 1.0, 0.0)

    def bind(self, values: Mapping[Parameter | str, ParameterValue]) -> ParameterValue:
        key = self.name if self.name in values else self
        if key not in values:
            return self
        value = values[key]
        if isinstance(value, ParameterExpression):
            return value
        return _as_number(value, self.name)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Parameter) and self.name == other.name)

    __hash__ = ParameterExpression.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return (_parameter, (self.name, self.vector_length))

    def __repr__(self) -> str:
        return f"Parameter({self.name!r})"

    def to_json(self) -> Any:
        return ["param", self.name]


#: of an element of a `ParameterVector`, about
_BYTES_OF_PARAMETER = 300


class ParameterVector(Sequence[Parameter]):
    """`length` parameters named ``name[0]``, ``name[1]``, ...

    Examples
    --------
    >>> x = ParameterVector("x", 3)
    >>> x[1], len(x)
    (Parameter('x[1]'), 3)
    """

    __slots__ = ("_elements", "name")
    name: str
    _elements: tuple[Parameter, ...]

    def __init__(self, name: str, length: int) -> None:
        if isinstance(length, bool) or not isinstance(length, numbers.Integral):
            raise TypeError(f"Argument `length` must be an int, but is {type(length).__name__}.")
        if length < 0:
            raise ArgumentError(f"Argument `length` must not be negative, but is {length}.")
        check_free_memory(_BYTES_OF_PARAMETER * int(length), f"Argument `length` is {length}, so the vector")
        self.name = Parameter(name).name
        self._elements = tuple(_parameter(f"{name}[{i}]", int(length)) for i in range(int(length)))

    def __getitem__(self, index: Any) -> Any:
        return self._elements[index]

    def __len__(self) -> int:
        return len(self._elements)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._elements)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParameterVector) and (self.name, len(self)) == (other.name, len(other))

    def __hash__(self) -> int:
        return hash((self.name, len(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (ParameterVector, (self.name, len(self)))

    def __repr__(self) -> str:
        return f"ParameterVector({self.name!r}, {len(self)})"


def expression_from_json(data: Any) -> ParameterValue:
    """The inverse of `ParameterExpression.to_json`; plain numbers pass through."""
    if isinstance(data, list) and len(data) == 2 and data[0] == "nodes" and isinstance(data[1], list):
        nodes: list[ParameterValue] = []
        for row in data[1]:
            nodes.append(_node_from_json(row, nodes))
        if nodes:
            return nodes[-1]
    return _node_from_json(data, [])


def _node_from_json(data: Any, nodes: list[ParameterValue]) -> ParameterValue:
    if not isinstance(data, list):
        return _as_number(data, "data")
    if len(data) == 2 and data[0] == "param":
        return Parameter(data[1])
    if len(data) == 2 and data[0] == "node" and data[1] in range(len(nodes)):
        return nodes[data[1]]
    known = (*PRECEDENCE, *FUNCTIONS, *TWO_ARGUMENTS)
    count = 1 if data and (data[0] in FUNCTIONS or data[0] == "neg") else 2
    if not data or data[0] not in known or len(data) != count + 1:
        raise ArgumentError(f"Argument `data` must be a parameter expression, but holds {str(data)[:80]}.")
    built: ParameterValue = _build(data[0], tuple(_node_from_json(item, nodes) for item in data[1:]))
    return built


def _to_rows(expression: ParameterExpression) -> list[tuple[str, tuple[Any, ...]]]:
    """(operator, arguments) of each node, arguments before their users; an int names a row before."""
    rows: list[tuple[str, tuple[Any, ...]]] = []
    places: dict[int, int] = {}
    for node in children_first([expression]):
        if isinstance(node, Parameter):
            rows.append(("param", (node.name,)))
        else:
            args = (a if isinstance(a, float) else places[id(a)] for a in node._args)
            rows.append((node._op, tuple(args)))
        places[id(node)] = len(rows) - 1
    return rows


def _from_rows(rows: list[tuple[str, tuple[Any, ...]]], lengths: Mapping[str, int | None]) -> Any:
    """The inverse of `_to_rows`."""
    nodes: list[Any] = []
    for op, args in rows:
        if op == "param":
            nodes.append(_parameter(args[0], lengths[args[0]]))
        else:
            nodes.append(
                ParameterExpression(op, tuple(a if isinstance(a, float) else nodes[a] for a in args))
            )
    return nodes[-1]


def _function(name: str) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        if isinstance(x, ParameterExpression):
            return _build(name, (x,))
        return FUNCTIONS[name][0](x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"``{name}`` of a number, an array or a parameter expression (radians where it is an angle)."
    )
    return function


sin = _function("sin")
cos = _function("cos")
tan = _function("tan")
arcsin = _function("arcsin")
arccos = _function("arccos")
arctan = _function("arctan")


def arctan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y), in (-pi, pi] and 0 at the origin; of numbers, arrays or expressions.

    Notes
    -----
    The derivative has no value at the origin.
    """
    if isinstance(y, ParameterExpression) or isinstance(x, ParameterExpression):
        return _binary("arctan2", y, x)
    return np.arctan2(y, x)


exp = _function("exp")
log = _function("log")
sqrt = _function("sqrt")


def _parameter(name: str, vector_length: int | None) -> Parameter:
    parameter = Parameter(name)
    parameter.vector_length = vector_length
    return parameter


# -- building ------------------------------------------------------------------------------------
def _as_object(value: Any) -> npt.NDArray[np.object_]:
    out = np.empty((), dtype=object)
    out[()] = value
    return out


def _as_number(value: Any, name: str) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
            value = value.item()
        else:
            raise TypeError(f"Parameter `{name}` must be a real number, but is {type(value).__name__}.")
    number = to_float(value)
    if not -MAX_ANGLE <= number <= MAX_ANGLE:
        raise ParameterError(f"Parameter `{name}` must be {magnitude_text(number)}.")
    return number


def magnitude_text(value: float) -> str:
    """What a number outside ``[-MAX_ANGLE, MAX_ANGLE]``, or NaN, must be, and is."""
    wanted = f"at most {MAX_ANGLE:g} in magnitude" if math.isfinite(value) else "finite"
    return f"{wanted}, but is {value}"


def _binary(op: str, left: Any, right: Any) -> Any:
    operands = []
    for operand in (left, right):
        if not isinstance(operand, ParameterExpression):
            if isinstance(operand, bool | np.bool_) or not isinstance(operand, numbers.Real):
                return NotImplemented
            operand = to_float(operand)
            if not math.isfinite(operand):
                raise ParameterError(
                    f"A constant in a parameter expression must be finite, but is {operand}."
                )
        operands.append(operand)
    return _build(op, tuple(operands))


def _build(op: str, args: tuple[Any, ...]) -> Any:
    """The node, or its value if all arguments are numbers; drops neutral elements."""
    if all(isinstance(arg, float) for arg in args):
        with np.errstate(all="ignore"):
            value = float(apply_operator(op, tuple(np.float64(arg) for arg in args)))
        if not math.isfinite(value):
            raise ParameterError(
                f"A parameter expression must be finite, but "
                f"`{to_text(ParameterExpression(op, args))}` is {value}."
                f"{domain_text(op, repr(args[0]), args[0])}"
            )
        return value
    if len(args) == 2:
        left, right = args
        if (right == 0.0 and op in ("+", "-")) or (right == 1.0 and op in ("*", "/", "**")):
            return left
        if (left == 0.0 and op == "+") or (left == 1.0 and op == "*"):
            return right
    return ParameterExpression(op, args)
