"""Tapes with boxes of autograd: values, and products with derivatives, closed under two derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, defvjp_argnums, primitive
from autograd.tracer import getval, isbox

from qsim.errors import GradientError
from qsim.pennylane.plan import Plan, Section
from qsim.pennylane.results import unpack
from qsim.pennylane.target import Target

__all__ = ["execute"]


def execute(plan: Plan, tape: Any) -> Any:
    """The results of a tape, as arrays or boxes."""
    data = [d for op in tape.operations for d in op.data]
    if plan.has_state:  # differentiated by as amplitudes, below
        count = len(tape.operations[0].data)
        data[:count] = map(getval, data[:count])
    rows = _rows(plan, *data)
    state = plan.amplitudes(tape)
    if isbox(state):
        found = [_values_from(rows, state, plan, section) for section in plan.sections]
        return unpack(plan, found, tape.batch_size)
    initial = None if state is None else np.asarray(state, dtype=complex)
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
                    f"Parameter {number - 1} of the tape is a matrix; there is no derivative by it on this "
                    "device. Mark it as requires_grad=False, or use diff_method='parameter-shift'."
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


# -- a state that is itself differentiated by --------------------------------------------------------
@primitive
def _values_from(rows: Any, state: Any, plan: Plan, section: Section) -> Any:
    """``E`` (rows, size) of rows of parameters and of the states they start from."""
    return Target(plan, section, np.asarray(state, dtype=complex)).expectation(np.asarray(rows))


@primitive
def _products_from(rows: Any, state: Any, cotangent: Any, plan: Plan, section: Section) -> Any:
    """``c . dE/dx`` of the rows' shape and ``c . dE/dstate`` of the state's, in a tuple."""
    initial = np.asarray(state, dtype=complex)
    slopes, before = Target(plan, section, initial).vjp_from(np.asarray(rows), _real(cotangent))
    by_rows = slopes if len(slopes) == len(rows) else slopes.sum(axis=0, keepdims=True)
    # autograd's derivative by a complex number is the conjugate of the steepest ascent
    by_state = np.conj(before if initial.ndim > 1 else before.sum(axis=0))
    return by_rows, by_state if np.iscomplexobj(state) else by_state.real


def _values_from_back(argnums: Sequence[int], _: Any, args: Any, __: Any) -> Any:
    def back(cotangent: Any) -> Any:
        found = _products_from(args[0], args[1], cotangent, *args[2:])
        return tuple(found[number] for number in argnums)

    return back


def _no_second(*_: Any) -> Any:
    raise GradientError(
        "A circuit that starts from a prepared state has no second derivatives on this device. Mark the "
        "state as requires_grad=False, or take only first derivatives."
    )


defvjp_argnums(_values_from, _values_from_back)
defvjp(_products_from, _no_second, _no_second, _no_second, argnums=[0, 1, 2])
