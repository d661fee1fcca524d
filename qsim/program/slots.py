"""Slots: the columns of `angles` that a tape refers to, and their derivatives.

All expressions of a circuit are evaluated for all rows of a batch at once in NumPy; the kernels see
numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._expression_nodes import children_first
from qsim._expression_rules import apply_operator, domain_text, partials
from qsim.errors import ParameterError
from qsim.parameters import MAX_ANGLE, Parameter, ParameterExpression, magnitude_text

__all__ = ["SlotAllocator", "SlotMap"]

FloatArray = npt.NDArray[np.float64]


class SlotAllocator:
    """Gives each parameter and each expression that is not affine in one parameter its slot."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = tuple(parameters)
        self._columns = {p: i for i, p in enumerate(self.parameters)}
        self._expressions: dict[ParameterExpression, int] = {}

    def angle(self, param: Any) -> tuple[int, float, float]:
        """``(slot, scale, shift)`` of a gate's parameter; slot -1 for a number."""
        if type(param) is float:
            return -1, 0.0, param
        affine = param.affine()
        if affine is not None and abs(affine[1]) <= MAX_ANGLE and abs(affine[2]) <= MAX_ANGLE:
            return self._columns[affine[0]], affine[1], affine[2]
        slot = self._expressions.setdefault(param, len(self.parameters) + len(self._expressions))
        return slot, 1.0, 0.0

    def slot_map(self) -> SlotMap:
        return SlotMap(self.parameters, tuple(self._expressions))


class SlotMap:
    """From the user's parameters to the columns of `angles` that the tape refers to.

    The first ``len(parameters)`` slots are the parameters themselves; an instruction whose angle is
    affine in one parameter reads that slot with a scale and a shift. Each other expression has a slot
    of its own behind them.

    Parameters
    ----------
    parameters : sequence of Parameter
        Order of the columns of the values.
    expressions : sequence of ParameterExpression
        The expressions that are not affine in one parameter.
    """

    __slots__ = ("_places", "_plan", "expressions", "parameters")

    def __init__(
        self, parameters: Sequence[Parameter], expressions: Sequence[ParameterExpression] = ()
    ) -> None:
        self.parameters = tuple(parameters)
        self.expressions = tuple(expressions)
        self._plan, self._places = _plan(self.expressions, {p: i for i, p in enumerate(self.parameters)})

    def __reduce__(self) -> tuple[Any, ...]:
        return (SlotMap, (self.parameters, self.expressions))

    @property
    def num_slots(self) -> int:
        return len(self.parameters) + len(self.expressions)

    def angles(self, values: FloatArray) -> FloatArray:
        """All slots for all rows.

        Parameters
        ----------
        values : ndarray, shape (batch, num_parameters), float64

        Returns
        -------
        ndarray, shape (batch, num_slots), float64

        Raises
        ------
        ParameterError
            If an expression is not finite for a row (a logarithm of a negative number, ...), or larger
            than an angle may be.
        """
        if not self.expressions:
            return values
        out = np.empty((values.shape[0], self.num_slots))
        out[:, : values.shape[1]] = values
        with np.errstate(all="ignore"):
            nodes = self._evaluate(values)
        for column, place in enumerate(self._places, values.shape[1]):
            out[:, column] = nodes[place]
        tail = out[:, values.shape[1] :]
        good = np.abs(tail) <= MAX_ANGLE  # False for NaN
        if not good.all():
            row, column = np.argwhere(~good)[0]
            raise ParameterError(
                f"Parameter expression `{self.expressions[column]}` must be "
                f"{magnitude_text(tail[row, column])} in row {row} of the values."
                f"{self._cause(self.expressions[column], values[row])}"
            )
        return out

    def _cause(self, expression: ParameterExpression, row: FloatArray) -> str:
        """A sentence on the first function in an expression whose argument lies outside its domain."""
        columns = {p: i for i, p in enumerate(self.parameters)}
        found: dict[int, Any] = {}
        for node in children_first([expression]):
            if isinstance(node, Parameter):
                found[id(node)] = row[columns[node]]
                continue
            args = tuple(np.float64(a if isinstance(a, float) else found[id(a)]) for a in node._args)
            with np.errstate(all="ignore"):
                found[id(node)] = apply_operator(node._op, args)
            if np.isfinite(args).all() and not np.isfinite(found[id(node)]):
                if node._op == "/":
                    return f" It divides by `{node._args[1]}`, which is 0."
                return domain_text(node._op, str(node._args[0]), float(args[0]))
        return ""

    def jacobian(self, values: FloatArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
        """Derivatives of the slots with respect to the parameters, as coordinates of a sparse matrix.

        Parameters
        ----------
        values : ndarray, shape (batch, num_parameters), float64

        Returns
        -------
        slots, columns : ndarray of int64, shape (nonzeros,)
        derivatives : ndarray, shape (batch, nonzeros), float64
            ``d slot[slots[k]] / d parameter[columns[k]]``.
        """
        count = len(self.parameters)
        slots, columns = list(range(count)), list(range(count))
        parts: list[Any] = [np.ones((values.shape[0], count))]
        with np.errstate(all="ignore"):
            nodes = self._evaluate(values)
            gradients = [self._gradient(place, nodes) for place in self._places]
        for slot, gradient in enumerate(gradients, count):
            for column, derivative in sorted(gradient.items()):
                slots.append(slot)
                columns.append(column)
                parts.append(np.broadcast_to(np.asarray(derivative, dtype=float), values.shape[:1])[:, None])
        return (
            np.array(slots, dtype=np.int64),
            np.array(columns, dtype=np.int64),
            np.concatenate(parts, axis=1),
        )

    def _evaluate(self, values: FloatArray) -> list[Any]:
        """The value of every node of the plan."""
        out: list[Any] = []
        for op, args in self._plan:
            if op == "param":
                out.append(values[:, args[0]])
            else:
                out.append(apply_operator(op, tuple(a if isinstance(a, float) else out[a] for a in args)))
        return out

    def _gradient(self, root: int, nodes: list[Any]) -> dict[int, Any]:
        """Derivatives of one node, as {column: derivative}, by the chain rule from the node downwards."""
        reached, stack = {root}, [root]
        while stack:
            op, args = self._plan[stack.pop()]
            inner = (
                () if op == "param" else (a for a in args if not isinstance(a, float) and a not in reached)
            )
            for place in list(inner):
                reached.add(place)
                stack.append(place)
        out: dict[int, Any] = {}
        weights: dict[int, Any] = {root: 1.0}
        for place in sorted(reached, reverse=True):  # every node after all that use it
            op, args = self._plan[place]
            if op == "param":
                out[args[0]] = weights[place]
                continue
            v = [np.float64(a) if isinstance(a, float) else nodes[a] for a in args]
            for factor, arg in zip(partials(op, v, not isinstance(args[-1], float)), args, strict=True):
                if not isinstance(arg, float):
                    weights[arg] = weights.get(arg, 0.0) + weights[place] * factor
        return out


def _plan(
    expressions: Sequence[ParameterExpression], columns: dict[Parameter, int]
) -> tuple[list[tuple[str, tuple[Any, ...]]], list[int]]:
    """(operator, arguments) of every node, equal ones once, and the place of each expression.

    An argument is a float or the place of a node before; that of ``"param"`` is a column of the values.
    """
    plan: list[tuple[str, tuple[Any, ...]]] = []
    known: dict[Any, int] = {}
    places: dict[int, int] = {}
    for node in children_first(expressions):
        if isinstance(node, Parameter):
            row: tuple[str, tuple[Any, ...]] = ("param", (columns[node],))
        else:
            row = (node._op, tuple(a if isinstance(a, float) else places[id(a)] for a in node._args))
        key = (*row, tuple(isinstance(a, float) for a in row[1]))  # the place 1 is not the number 1.0
        places[id(node)] = known.setdefault(key, len(plan))
        if places[id(node)] == len(plan):
            plan.append(row)
    return plan, [places[id(expression)] for expression in expressions]
