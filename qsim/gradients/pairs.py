"""Hessians by pairs of gates: the tangent of every gate, and one sweep back for all of them.

With ``T_j`` the derivative of the final state by the angle of gate j and ``lambda`` the cotangent, the second
derivative by the angles of gates j and i, i not before j, is
``2 Re <d lambda_j|T_i> + 2 Re <lambda|E_i T_j>``, both of the latter pulled back to gate i. As ``E_i`` is
anti-Hermitian, a sweep from the state ``lambda`` with all ``T_j`` as cotangents gives the second term with
its sign turned. This takes a few runs of the circuit for each gate with a parameter, fewer than a dual state
would; but generators must not depend on their angles, and all tangents are held at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.gradients.evaluate import wanted_slots
from qsim.gradients.overlaps import real_overlaps
from qsim.gradients.parameter_shift import cached_rule, distinct_levels, unroll_angles
from qsim.gradients.runner import Runner
from qsim.gradients.states import chunks
from qsim.program.reverse import Family, Reverse, generator_of, levels_of, reverse_tape
from qsim.program.tape import Pattern

if TYPE_CHECKING:
    from qsim.measurements import Measurement
    from qsim.program.program import Program

__all__ = ["second_by_slots"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
IntArray = npt.NDArray[np.int64]
#: Tangents and their images of one row that are held at once.
_MAX_BYTES = 1 << 28
#: A dual state for each parameter costs this many times a gate here.
_GATES_PER_PARAMETER = 4


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The unrolled tape and its reverse, and the shifted runs whose sums are tangents.

    The tangent of gate ``of[k]`` gains ``coefficients[k]`` times the state at its angle plus ``shifts[k]``;
    `gates` are the angles of the tangents, in the circuit's order. ``later[i, j]`` is 1 where gate i stands
    behind gate j, and 1/2 on the diagonal.
    """

    runner: Runner
    reverse: Reverse
    reverse_handle: Any
    slots: IntArray
    scales: FloatArray
    offsets: FloatArray
    gates: IntArray
    of: IntArray
    shifts: FloatArray
    coefficients: FloatArray
    later: FloatArray


def second_by_slots(
    program: Program, measurement: Measurement, values: FloatArray, columns: list[int], weights: Any
) -> FloatArray | None:
    """Second derivatives by pairs of slots, (batch, count, slots, slots); None where duals serve better."""
    if not program._code.tapes or not columns:
        return None
    (plan,) = program._derive(("pairs", *columns), lambda: (_make_pairs(program, columns),))
    if plan is None:
        return None
    size = math.prod(measurement.shape(program)) if weights is None else 1
    count, num_slots = len(plan.gates), program._slots.num_slots
    copies = count * (2 + size) + 2 * size + 4
    if program._state_bytes(copies) > _MAX_BYTES:
        return None
    if program.max_memory is not None:
        # and what lives for a moment only: shifted runs, images of all tangents
        copies += len(plan.of) + count * (1 + measurement.copies(program))
        if program._state_bytes(copies) + program._group_bytes() > program.max_memory:
            return None
    angles = program._slots.angles(values)
    own = np.ascontiguousarray(angles[:, plan.slots] * plan.scales + plan.offsets)
    out = np.empty((len(values), size, count, count))
    for part in chunks(program, len(values), copies):
        out[part] = _by_gates(program, measurement, plan, own[part], part, weights)
    slots, scales = plan.slots[plan.gates], plan.scales[plan.gates]
    if (scales != 1).any():
        out *= np.multiply.outer(scales, scales)
    if count == num_slots and (slots == np.arange(count)).all():  # a gate for each slot
        return out
    by_slot = np.zeros((num_slots, num_slots, len(values), size))
    np.add.at(by_slot, (slots[:, None], slots[None, :]), np.moveaxis(out, (2, 3), (0, 1)))
    return np.ascontiguousarray(np.moveaxis(by_slot, (0, 1), (2, 3)))


def _by_gates(
    program: Program, measurement: Measurement, plan: _Pairs, own: FloatArray, part: slice, weights: Any
) -> FloatArray:
    """Second derivatives by pairs of gates, (rows, count, gates, gates)."""
    from qsim.gradients.derivatives import pulled_of, slope_of

    rows, count = len(own), len(plan.gates)
    states, tangents = _tangents(program, plan, own)
    numbers = np.arange(part.start, part.stop)
    here = pulled_of(measurement, program, numbers, None if weights is None else weights[part])
    each = pulled_of(
        measurement,
        program,
        np.repeat(numbers, count),
        None if weights is None else np.repeat(weights[part], count, axis=0),
    )
    cotangents = here(states)
    slopes = slope_of(each, measurement.degree)(
        np.repeat(states, count, axis=0), tangents.reshape(rows * count, -1)
    )
    size = cotangents.shape[1]
    slopes = slopes.reshape(rows, count, size, -1)
    out = np.empty((rows, size, count, count))
    for k in range(size):
        gram = 2 * real_overlaps(slopes[:, :, k], tangents)
        swept = program._backend.sweep_back(
            plan.reverse_handle,
            plan.reverse,
            np.ascontiguousarray(cotangents[:, k]),
            tangents.copy(),
            own,
            program.threads,
        )
        second = -swept[:, :, plan.gates].swapaxes(1, 2)  # [i, j]
        below = second * plan.later
        out[:, k] = gram + below + below.swapaxes(1, 2)
    return out


def _tangents(program: Program, plan: _Pairs, own: FloatArray) -> tuple[ComplexArray, ComplexArray]:
    """States (rows, 2**n) and derivatives by the angles of gates (rows, gates, 2**n)."""
    rows, runs, size = len(own), len(plan.of), 1 << program.num_qubits
    states = plan.runner.states(program, own, 1)
    moved = np.repeat(own, runs, axis=0)
    terms = np.tile(np.arange(runs), rows)
    moved[np.arange(len(moved)), plan.gates[plan.of[terms]]] += plan.shifts[terms]
    shifted = plan.runner.states(program, moved, runs)
    shifted *= plan.coefficients[terms].astype(states.real.dtype)[:, None]
    parts = shifted.reshape(rows, runs, size)
    if runs == len(plan.gates):
        return states, parts
    first = np.flatnonzero(np.diff(plan.of, prepend=-1))
    return states, np.add.reduceat(parts, first, axis=1)


def _make_pairs(program: Program, columns: list[int]) -> _Pairs | None:
    tape, wanted = program._code.tapes[0], wanted_slots(program, columns)
    unrolled, slots, scales, offsets, places = unroll_angles(tape)
    gates = np.array([k for k, slot in enumerate(slots.tolist()) if slot in wanted], dtype=np.int64)
    if not len(gates) or len(gates) > _GATES_PER_PARAMETER * len(columns):
        return None
    of: list[int] = []
    shifts: list[float] = []
    coefficients: list[float] = []
    for k, gate in enumerate(gates.tolist()):
        record = tape.instructions[places[gate]]
        if record["pattern"] != Pattern.PAULI_ROTATION and isinstance(generator_of(tape, record), Family):
            return None
        levels = np.abs(levels_of(tape, record))
        distinct = distinct_levels(levels[levels > 1e-12])
        if len(distinct) == 1 and (levels > 1e-12).all():  # a quarter of a wave on is the derivative
            rule = (np.array([np.pi / (2 * distinct[0])]), np.array([distinct[0]]))
        elif len(distinct) <= 3:
            rule = cached_rule(tuple(distinct.tolist())) if len(distinct) else (np.zeros(1), np.zeros(1))
        else:
            return None
        of += [k] * len(rule[0])
        shifts += rule[0].tolist()
        coefficients += rule[1].tolist()
    reverse = reverse_tape(unrolled, set(gates.tolist()))
    return _Pairs(
        Runner(program, unrolled),
        reverse,
        program._backend.compile(reverse.tape, fuse=False),
        slots,
        scales,
        offsets,
        gates,
        np.array(of, dtype=np.int64),
        np.array(shifts),
        np.array(coefficients),
        np.tril(np.ones((len(gates), len(gates))), -1) + np.eye(len(gates)) / 2,
    )
