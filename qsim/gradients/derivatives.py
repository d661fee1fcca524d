"""Products with Jacobians and Hessians, and these themselves, for everything a state can be asked.

`vjp` pulls one cotangent back; `jvp` pushes one tangent forward, as a dual state; `hvp` is forward over
adjoint, the backward sweep of a dual state; a Hessian is one such product for each parameter, all of them one
batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError, GradientError
from qsim.gradients.chain import second_derivatives, velocities_of
from qsim.gradients.evaluate import Request, read_request, require_unitary, to_parameters
from qsim.gradients.pairs import second_by_slots
from qsim.gradients.states import (
    chunks,
    chunks_back,
    final_states,
    pull_back,
    push_forward,
    second_pull_back,
    undo,
)
from qsim.measurements import Expectation, Measurement, images_of
from qsim.program.execution import common_batch

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = [
    "hessian",
    "hvp",
    "jvp",
    "measured_jacobian",
    "measured_values",
    "pulled_of",
    "slope_of",
    "tangent_states",
    "vjp",
    "with_slope",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
RowArray = npt.NDArray[np.int64]


def vjp(
    program: Program,
    measurement: Measurement,
    params: Any,
    cotangent: Any,
    wrt: Any,
    initial_state: Any = None,
) -> tuple[Any, ...]:
    """See `qsim.vjp`."""
    program, request = _prepared(program, measurement, params, wrt, "vjp")
    initial, states_batched = program._initial(initial_state, False)
    if initial is not None:
        batch = common_batch(len(request.values), len(initial))
        values = np.ascontiguousarray(np.broadcast_to(request.values, (batch, request.values.shape[1])))
        request = replace(request, values=values, batched=request.batched or states_batched)
        measurement.check_batch(batch)
    values = request.values
    weights = _cotangent(program, measurement, request, cotangent)
    angles = program._slots.angles(values)
    out = np.empty((len(values), *measurement.shape(program)), dtype=_dtype(measurement))
    by_slot = np.zeros((len(values), 1, program._slots.num_slots))
    before: ComplexArray = np.empty((0 if initial is None else len(values), 1 << program.num_qubits), complex)
    copies = measurement.copies(program) + (3 if initial is None else 5)
    held = out.nbytes + before.nbytes
    for part in chunks_back(program, len(values), copies, 1, held, initial is None):
        rows = np.arange(part.start, part.stop)
        states = final_states(program, angles, part, initial)
        out[part] = measurement.evaluate(program, states, rows)
        pulled = measurement.pull(program, states, rows, weights[part])
        if initial is not None:  # 2 Re <lambda|d psi> is Re <cotangent|d psi>
            before[part] = 2 * undo(program, angles[part], pulled)
        by_slot[part] = pull_back(
            program, angles[part], states, pulled[:, None], request.columns, len(values), initial is None
        )
    gradient = to_parameters(program, values, by_slot, request.columns)[:, 0]
    if initial is None:
        return request.value(out), request.gradient(gradient)
    return request.value(out), request.gradient(gradient), request.value(before)


def jvp(program: Program, measurement: Measurement, params: Any, tangent: Any, wrt: Any) -> tuple[Any, Any]:
    """See `qsim.jvp`."""
    program, request = _prepared(program, measurement, params, wrt, "jvp")
    directions, columns = request.vector(program, tangent, "tangent")
    values = request.values
    out = np.empty((len(values), *measurement.shape(program)), dtype=_dtype(measurement))
    change = np.empty_like(out)
    angles = program._slots.angles(values)
    velocities = velocities_of(program, values, directions, columns)
    for part in chunks(program, len(values), 4 + measurement.copies(program), 2 * out.nbytes):
        rows = np.arange(part.start, part.stop)
        states, tangents = push_forward(program, angles[part], velocities[part], columns)
        out[part] = measurement.evaluate(program, states, rows)
        change[part] = measurement.push(program, states, rows, tangents)
    return request.value(out), request.value(change)


def measured_values(program: Program, measurement: Measurement, params: Any) -> Any:
    """The value of a measurement, (*shape) or (batch, *shape)."""
    program, request = _prepared(program, measurement, params, None, "value")
    out = np.empty((len(request.values), *measurement.shape(program)), dtype=_dtype(measurement))
    angles = program._slots.angles(request.values)
    for part in chunks(program, len(out), 1 + measurement.copies(program), out.nbytes):
        states = final_states(program, angles, part)
        out[part] = measurement.evaluate(program, states, np.arange(part.start, part.stop))
    return request.value(out)


def measured_jacobian(program: Program, measurement: Measurement, request: Request) -> tuple[Any, Any]:
    """Values (batch, *shape) and derivatives (batch, *shape, num_parameters) of a measurement.

    Sweeps back one cotangent for each number of the value where these are fewer than the parameters, else
    pushes one tangent forward for each parameter.
    """
    values, columns = request.values, request.columns
    shape = measurement.shape(program)
    size, batch = math.prod(shape), len(values)
    out = np.empty((batch, *shape), dtype=_dtype(measurement))
    jacobian = np.zeros((batch, *shape, values.shape[1]), dtype=_dtype(measurement))
    if measurement.is_complex or size > len(columns):
        own, held = measurement.copies(program), out.nbytes + jacobian.nbytes
        for rows, places, states, tangents in tangent_states(program, values, columns, held, own):
            jacobian[rows, ..., places] = measurement.push(program, states, rows, tangents)
        angles = program._slots.angles(values)
        for part in chunks(program, batch, 1 + own, held):
            states = final_states(program, angles, part)
            out[part] = measurement.evaluate(program, states, np.arange(part.start, part.stop))
        return out, jacobian
    angles = program._slots.angles(values)
    by_slot = np.zeros((batch, size, program._slots.num_slots))
    for part in chunks_back(program, batch, 3 * size + 2 + measurement.copies(program), size):
        rows = np.arange(part.start, part.stop)
        states = final_states(program, angles, part)
        out[part] = measurement.evaluate(program, states, rows)
        pulled = pulled_of(measurement, program, rows, None)(states)
        by_slot[part] = pull_back(program, angles[part], states, pulled, columns, batch)
    found = to_parameters(program, values, by_slot, columns)
    return out, found.reshape(batch, *shape, values.shape[1])


def tangent_states(
    program: Program, values: FloatArray, columns: list[int], held: int = 0, own: int = 0
) -> Any:
    """Pieces ``(rows, columns, states, tangents)`` of all derivatives of the states by parameters.

    Each piece is a part of the batch (batch) x (parameters), in this order. The caller holds `held` bytes,
    and makes `own` states of each row of a piece.
    """
    batch, count = len(values), len(columns)
    chosen = np.array(columns, dtype=np.int64)
    angles = program._slots.angles(values)
    for part in chunks(program, batch * count, 5 + own, held):
        rows, which = np.divmod(np.arange(part.start, part.stop), count)
        directions = np.zeros((len(rows), values.shape[1]))
        directions[np.arange(len(rows)), chosen[which]] = 1.0
        velocities = velocities_of(program, values[rows], directions, columns)
        states, tangents = push_forward(program, angles[rows], velocities, columns)
        yield rows, chosen[which], states, tangents


# -- second order ----------------------------------------------------------------------------------
def hvp(
    program: Program, measurement: Measurement, params: Any, vector: Any, wrt: Any, cotangent: Any = None
) -> Any:
    """See `qsim.hvp`."""
    program, request = _prepared(program, measurement, params, wrt, "hvp")
    weights = _contracted(program, measurement, request, cotangent, "hvp")
    directions, moved = request.vector(program, vector, "vector")
    values = request.values
    rows = np.arange(len(values))
    # what the vector moves may lie outside `wrt`, if it is a dict
    columns = sorted({*request.columns, *moved})
    found = _along(program, measurement, values, rows, directions, columns, weights)
    if program._slots.expressions:
        first = _slopes_by_slot(program, measurement, values, columns, weights)
        slots, ones, twos, bends = second_derivatives(program, values, columns)
        terms = first[..., slots] * (bends * directions[:, twos])[:, None]
        np.add.at(np.moveaxis(found, -1, 0), ones, np.moveaxis(terms, -1, 0))
    return request.gradient(_shaped(program, measurement, found, weights))


def hessian(program: Program, measurement: Measurement, params: Any, wrt: Any, cotangent: Any = None) -> Any:
    """See `qsim.hessian`."""
    program, request = _prepared(program, measurement, params, wrt, "hessian")
    weights = _contracted(program, measurement, request, cotangent, "hessian")
    values, columns = request.values, request.columns
    batch, count, chosen = len(values), len(columns), np.array(columns, dtype=np.int64)
    size = math.prod(measurement.shape(program)) if weights is None else 1
    out = np.zeros((batch, size, values.shape[1], values.shape[1]))
    pairs = second_by_slots(program, measurement, values, columns, weights)
    if pairs is not None:
        out = pairs
        for _ in range(2):
            flat = out.reshape(batch, size * out.shape[2], out.shape[3])
            found = to_parameters(program, values, flat, columns)
            out = found.reshape(batch, size, out.shape[2], values.shape[1]).swapaxes(-1, -2)
    else:
        # all directions of all rows are one batch
        for part in chunks(program, batch * count, _second_copies(program, measurement, size)):
            rows, which = np.divmod(np.arange(part.start, part.stop), count)
            directions = np.zeros((len(rows), values.shape[1]))
            directions[np.arange(len(rows)), chosen[which]] = 1.0
            own = None if weights is None else weights[rows]
            found = _along(program, measurement, values[rows], rows, directions, columns, own)
            out[rows, :, chosen[which]] = found
    if program._slots.expressions:
        first = _slopes_by_slot(program, measurement, values, columns, weights)
        slots, ones, twos, bends = second_derivatives(program, values, columns)
        terms = first[..., slots] * bends[:, None]
        np.add.at(np.moveaxis(out, (-2, -1), (0, 1)), (ones, twos), np.moveaxis(terms, -1, 0))
    out = (out + out.swapaxes(-1, -2)) / 2  # they differ by rounding
    return request.matrix(_shaped(program, measurement, out, weights))


def _along(
    program: Program,
    measurement: Measurement,
    values: FloatArray,
    rows: RowArray,
    directions: FloatArray,
    columns: list[int],
    weights: Any,
) -> FloatArray:
    """Derivatives along directions of the gradient by the slots' velocities; no bends of the slots."""
    angles = program._slots.angles(values)
    velocities = velocities_of(program, values, directions, columns)
    size = math.prod(measurement.shape(program)) if weights is None else 1
    by_slot = np.zeros((len(values), size, program._slots.num_slots))
    for part in chunks(program, len(values), _second_copies(program, measurement, size)):
        own = None if weights is None else weights[part]
        pulled = pulled_of(measurement, program, rows[part], own)
        by_slot[part] = second_pull_back(
            program, angles[part], velocities[part], columns, with_slope(pulled, measurement.degree)
        )
    out: FloatArray = to_parameters(program, values, by_slot, columns)
    return out


def _second_copies(program: Program, measurement: Measurement, size: int) -> int:
    """States a row needs for `_along`: the dual state, its halves, `size` dual cotangents and their parts."""
    return 4 + (4 if measurement.degree < 4 else 8) * size + measurement.copies(program)


def _slopes_by_slot(
    program: Program, measurement: Measurement, values: FloatArray, columns: list[int], weights: Any
) -> FloatArray:
    """First derivatives by the slots, (batch, count, num_slots)."""
    angles = program._slots.angles(values)
    size = math.prod(measurement.shape(program)) if weights is None else 1
    out = np.zeros((len(values), size, program._slots.num_slots))
    for part in chunks_back(program, len(values), 3 * size + 2 + measurement.copies(program), size):
        rows = np.arange(part.start, part.stop)
        states = final_states(program, angles, part)
        own = None if weights is None else weights[part]
        pulled = pulled_of(measurement, program, rows, own)(states)
        out[part] = pull_back(program, angles[part], states, pulled, columns, len(values))
    return out


def pulled_of(
    measurement: Measurement, program: Program, rows: RowArray, weights: Any
) -> Callable[[ComplexArray], ComplexArray]:
    """From states to cotangents (rows, count, 2**n): one for `weights`, else one for each number measured."""
    shape = measurement.shape(program)
    if weights is not None:
        return lambda states: measurement.pull(program, states, rows, weights)[:, None]
    if isinstance(measurement, Expectation):
        return lambda states: images_of(program, states)
    size = math.prod(shape)
    units = np.tile(np.eye(size).reshape(size, *shape), (len(rows), *(1,) * len(shape)))

    def pulled(states: ComplexArray) -> ComplexArray:
        repeated = np.repeat(states, size, axis=0)
        out = measurement.pull(program, repeated, np.repeat(rows, size), units)
        return out.reshape(len(states), size, -1)

    return pulled


def with_slope(pulled: Callable[[ComplexArray], ComplexArray], degree: int) -> Any:
    """Cotangents of states, and how they change along tangents."""
    slope = slope_of(pulled, degree)
    return lambda states, tangents: (pulled(states), slope(states, tangents))


def slope_of(pulled: Callable[[ComplexArray], ComplexArray], degree: int) -> Any:
    """How cotangents of states change along tangents.

    A cotangent is a polynomial of one degree less than the value. Its derivative is its value at the tangent
    where it is linear; differences of fourth order are exact where it is cubic.
    """

    def slope(states: ComplexArray, tangents: ComplexArray) -> ComplexArray:
        if degree == 1:
            return np.zeros_like(pulled(tangents))
        if degree == 2:
            return pulled(tangents)
        norms = np.linalg.norm(tangents, axis=1).max(initial=1.0)
        h = states.real.dtype.type(0.5 / norms)
        near = pulled(states + h * tangents) - pulled(states - h * tangents)
        far = pulled(states + 2 * h * tangents) - pulled(states - 2 * h * tangents)
        return (8 * near - far) / (12 * h)

    return slope


# -- small things ----------------------------------------------------------------------------------
def _prepared(
    program: Program, measurement: Measurement, params: Any, wrt: Any, what: str
) -> tuple[Program, Request]:
    require_unitary(program, what)
    program = measurement.attach(program)
    request = read_request(program, params, wrt)
    measurement.check_batch(len(request.values))
    return program, request


def _dtype(measurement: Measurement) -> Any:
    return complex if measurement.is_complex else float


def _cotangent(program: Program, measurement: Measurement, request: Request, given: Any) -> Any:
    """Cotangents of the value, (batch, *shape); one without the axis of the batch serves all rows."""
    shape, batch = measurement.shape(program), len(request.values)
    try:
        array = np.asarray(given)
    except ValueError:
        array = np.array(None)
    kinds = "iufc" if measurement.is_complex else "iuf"
    if array.dtype.kind not in kinds:
        kind = "complex" if measurement.is_complex else "real"
        found = "" if array.dtype.kind in "OSU" else f" of type {array.dtype}"
        raise TypeError(f"Argument `cotangent` must be {kind} numbers, but is {type(given).__name__}{found}.")
    if array.shape not in (shape, (batch, *shape)):
        expected = (batch, *shape) if request.batched else shape
        raise ArgumentError(
            f"Argument `cotangent` must have the shape of the value, {expected}, but has shape {array.shape}."
        )
    if not np.isfinite(array).all():
        raise ArgumentError("Argument `cotangent` must be finite, but holds NaN or infinity.")
    return np.broadcast_to(array.astype(_dtype(measurement)), (batch, *shape))


def _contracted(program: Program, measurement: Measurement, request: Request, given: Any, what: str) -> Any:
    if given is not None:
        return _cotangent(program, measurement, request, given)
    if measurement.is_complex:
        raise GradientError(
            f"Function `{what}` needs a real value, but {measurement!r} is complex. Pass `cotangent` to "
            "differentiate the real part of its product with the value."
        )
    return None


def _shaped(program: Program, measurement: Measurement, found: Any, weights: Any) -> Any:
    """From (batch, count, ...) to (batch, *shape, ...)."""
    if weights is not None:
        return found[:, 0]
    shape = measurement.shape(program)
    return found.reshape(len(found), *shape, *found.shape[2:])
