"""Tapes with boxes of autograd: values, and products with derivatives, closed under two derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, defvjp_argnums, primitive

from qsim.errors import GradientError
from qsim.pennylane.plan import Plan
from qsim.pennylane.results import unpack
from qsim.pennylane.target import Target

__all__ = ["execute"]


def execute(plan: Plan, tape: Any) -> Any:
    """The results of a tape, as arrays or boxes."""
    data = [d for op in tape.operations for d in op.data]
    rows = _rows(plan, *data)
    initial = plan.initial(tape)
    values = [_values(rows, Target(plan, section, initial)) for section in plan.sections]
    return unpack(plan, values, tape.batch_size)


@primitive
def _rows(plan: Plan, *data: Any) -> Any:
    """Rows (1 or batch, parameters) of the numbers of a tape."""
    return plan.full_rows([np.asarray(d) if hasattr(d, "shape") else d for d in data])


def _rows_back(argnums: Sequence[int], _: Any, args: Any, __: Any) -> Any:
    plan, data = args[0], args[1:]

    def back(slopes: Any) -> Any:
        sums = anp.sum(slopes, axis=0)
        out = []
        for number in argnums:
            column, datum = plan.columns[number - 1], data[number - 1]
            if column is None:
                raise GradientError(
                    f"Parameter {number - 1} of the tape is a matrix or a state; there is no derivative "
                    "by it on this device."
                )
            source = slopes if np.ndim(datum) > len(column.shape) else sums
            part = source[..., column.start : column.stop] if column.shape else source[..., column.start]
            out.append(part)
        return tuple(out)

    return back


defvjp_argnums(_rows, _rows_back)


@primitive
def _values(rows: Any, target: Target) -> Any:
    """``E`` (rows, size)."""
    return target.expectation(np.asarray(rows))


@primitive
def _products(rows: Any, cotangent: Any, target: Target) -> Any:
    """``c . dE/dx`` (rows, parameters)."""
    found = target.vjp(np.asarray(rows), _real(cotangent))[1]
    return found if len(found) == len(rows) else found.sum(axis=0, keepdims=True)


@primitive
def _pushed(rows: Any, tangent: Any, target: Target) -> Any:
    """``dE/dx . t`` (rows, size)."""
    return target.jvp(np.asarray(rows), _real(tangent))[1]


@primitive
def _curvature(rows: Any, tangent: Any, cotangent: Any, target: Target) -> Any:
    """``c . d2E/dx2 . t`` (rows, parameters)."""
    return target.hvp(np.asarray(rows), _real(tangent), _real(cotangent))


def _real(array: Any) -> Any:
    return np.ascontiguousarray(np.real(array), dtype=np.float64)


def _no_third(*_: Any) -> Any:
    raise GradientError(
        "Exact derivatives on this device are of first and second order; a third was asked for."
    )


defvjp(_values, lambda _, rows, target: lambda c: _products(rows, c, target), argnums=[0])
defvjp(
    _products,
    lambda _, rows, cotangent, target: lambda v: _curvature(rows, v, cotangent, target),
    lambda _, rows, cotangent, target: lambda v: _pushed(rows, v, target),
    argnums=[0, 1],
)
defvjp(
    _pushed,
    lambda _, rows, tangent, target: lambda c: _curvature(rows, tangent, c, target),
    lambda _, rows, tangent, target: lambda c: _products(rows, c, target),
    argnums=[0, 1],
)
defvjp(_curvature, _no_third, _no_third, _no_third, argnums=[0, 1, 2])
