"""The stochastic parameter-shift rule (L. Banchi and G. E. Crooks, Quantum 5, 386 (2021), arXiv:2005.10299).

The derivative of ``U = exp(-i H)``, ``H = sum_j theta_j G_j``, by theta_j is the average over s from 0 to 1
of ``exp(-i (1 - s) H) (-i G_j) exp(-i s H)``. So for each Pauli string of G_j a rotation by a shift stands
between the gate at the share s of its parameters and the gate at the share 1 - s, with s drawn at random: an
unbiased estimate from gates of the same kind. All other gates follow their parameter-shift rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.generator_sum import Component, GeneratorSumGate
from qsim.gradients.evaluate import wanted_slots
from qsim.gradients.evaluations import Evaluations, Options, Streams, evaluation_ranges
from qsim.gradients.parameter_shift import cached_rule, estimate_slots, frequencies_of, unroll_angles
from qsim.gradients.runner import Runner
from qsim.parameters import ParameterExpression
from qsim.program.reverse import active_bits, levels_of
from qsim.program.schedule import plan_segments
from qsim.program.slots import SlotMap
from qsim.program.tape import Pattern, Tape

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["estimate"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Place:
    """One gate in the unrolled tape, whose held run stands once more behind its rotations.

    Evaluation k turns rotation ``angles[k]`` by ``shifts[k]`` and counts with ``coefficients[k]`` for
    argument ``arguments[k]`` of the gate; `shares` and `rests` are the angles of the two held runs.
    """

    gate: GeneratorSumGate
    thetas: tuple[Any, ...]
    shares: IntArray
    rests: IntArray
    angles: IntArray
    shifts: FloatArray
    coefficients: FloatArray
    arguments: IntArray


@dataclass(frozen=True, eq=False)
class _Plan:
    """The tape, how its angles follow from the slots, and its gates."""

    runner: Runner
    slots: IntArray
    scales: FloatArray
    offsets: FloatArray
    num_angles: int
    places: list[_Place]


def estimate(
    program: Program, values: FloatArray, columns: list[int], options: Options
) -> tuple[Any, Any, FloatArray, FloatArray]:
    """See `qsim.gradients.evaluate.METHODS`. The variances are those among draws of s (NaN for one)."""
    batch, times = len(values), options.directions
    streams = Streams(options.seed, batch)
    wanted = wanted_slots(program, columns)
    count = len(program.parameters)
    moving = {s for s, e in enumerate(program._slots.expressions, count) if _component(e) is not None}
    out, jacobian, out_variance, variance, done = estimate_slots(
        program, values, columns, options, streams, wanted - moving, "stochastic_shift"
    )
    made = program._derive(("stochastic_shift", *columns), lambda: (_make_plan(program, columns),))
    plan: _Plan | None = made[0]
    if plan is None:
        return out, jacobian, out_variance, variance
    evaluate = Evaluations(program, options, streams, plan.runner)
    angles = program._slots.angles(values)
    base = np.zeros((batch, plan.num_angles))
    base[:, : len(plan.slots)] = angles[:, plan.slots] * plan.scales + plan.offsets
    by_draw = np.zeros((batch, times, out.shape[1], values.shape[1]), dtype=out.dtype)
    for place in plan.places:
        s = np.array([generator.random(times) for generator in streams.generators]).reshape(batch, times)
        thetas, slopes = _arguments(program, place, values, columns)
        terms = len(place.shifts)
        total = batch * times * terms
        for part in evaluation_ranges(program, total, plan.num_angles):
            rows, which = np.divmod(np.arange(part.start, part.stop), times * terms)
            draws, term = np.divmod(which, terms)
            own = base[rows]
            share = s[rows, draws][:, None]
            own[:, place.shares] = place.gate.held_angles(share * thetas[rows])
            own[:, place.rests] = place.gate.held_angles((1 - share) * thetas[rows])
            own[np.arange(len(rows)), place.angles[term]] += place.shifts[term]
            found, _ = evaluate(own, rows, done + which, total)
            weights = place.coefficients[term, None] * slopes[rows, place.arguments[term]]
            np.add.at(by_draw, (rows, draws), found[:, :, None] * weights[:, None, :])
        done += times * terms
    mean = by_draw.mean(axis=1)
    if times == 1:
        return out, jacobian + mean, out_variance, np.full(variance.shape, np.nan)
    spread = (np.abs(by_draw - mean[:, None]) ** 2).sum(axis=1) / (times - 1)
    return out, jacobian + mean, out_variance, variance + spread / times


def _component(expression: Any) -> Component | None:
    """What a moving angle is of; None for other expressions."""
    if expression._op == "*":  # that of the identity is a phase, with a factor
        expression = expression._args[-1]
    found = getattr(expression, "_op", None)
    return found if isinstance(found, Component) and found.kind == "moving" else None


def _arguments(
    program: Program, place: _Place, values: FloatArray, columns: list[int]
) -> tuple[FloatArray, FloatArray]:
    """Parameters of a gate, (batch, arguments), and their derivatives by the circuit's, with these behind."""
    count = len(program.parameters)
    own = SlotMap(program.parameters, [t for t in place.thetas if isinstance(t, ParameterExpression)])
    found, (slots, places, derivatives) = own.angles(values), own.jacobian(values)
    thetas = np.empty((len(values), len(place.thetas)))
    slopes = np.zeros((len(values), len(place.thetas), count))
    column = count
    for j, theta in enumerate(place.thetas):
        if not isinstance(theta, ParameterExpression):
            thetas[:, j] = theta
            continue
        thetas[:, j] = found[:, column]
        chosen = (slots == column) & np.isin(places, columns)
        slopes[:, j, places[chosen]] = derivatives[:, chosen]
        column += 1
    return thetas, slopes


def _make_plan(program: Program, columns: list[int]) -> _Plan | None:
    """None where no such gate depends on these parameters."""
    if not program._code.tapes:
        return None
    tape = program._code.tapes[0]
    expressions = dict(enumerate(program._slots.expressions, len(program.parameters)))
    chosen = {program.parameters[c] for c in columns}
    unrolled, slots, scales, offsets, where = unroll_angles(tape)
    angle_of = {int(place): k for k, place in enumerate(where)}
    records: list[np.void] = []
    places: list[_Place] = []
    num_angles, i = len(slots), 0
    while i < len(tape.instructions):
        expression = expressions.get(int(tape.instructions[i]["slot"]))
        first = getattr(expression, "_op", None)
        if not isinstance(first, Component):
            records.append(unrolled.instructions[i])
            i += 1
            continue
        gate, thetas = first.gate, expression._args  # type: ignore[union-attr]
        num_held = 4**gate.num_qubits
        whole = range(i, i + num_held + len(gate.strings))
        held, moving = whole[:num_held], whole[num_held:]
        records += [unrolled.instructions[k] for k in whole]
        i = whole.stop
        if not any(isinstance(t, ParameterExpression) and chosen.intersection(t.parameters) for t in thetas):
            continue
        order = [expressions[int(tape.instructions[k]["slot"])]._op.index for k in held]
        rests = np.empty(num_held, dtype=np.int64)
        shares = np.empty(num_held, dtype=np.int64)
        for index, k in zip(order, held, strict=True):
            again = unrolled.instructions[k].copy()
            again["slot"], rests[index], shares[index] = num_angles, num_angles, angle_of[k]
            records.append(again)
            num_angles += 1
        rules = []
        for k, (label, strengths) in zip(moving, gate.parts_of_generators(), strict=True):
            frequencies = frequencies_of(levels_of(tape, tape.instructions[k]))
            if not frequencies:  # a global phase
                continue
            shifts, coefficients = cached_rule(frequencies)
            factor = 2.0 if label.strip("I") else -1.0  # rotations have half the angle
            for j, strength in enumerate(strengths):
                if strength:
                    rules += [
                        (angle_of[k], shift, c * factor * strength, j)
                        for shift, c in zip(shifts.tolist(), coefficients.tolist(), strict=True)
                    ]
        if rules:
            angles, shifted, weights, arguments = (np.array(part) for part in zip(*rules, strict=True))
            places.append(_Place(gate, thetas, shares, rests, angles, shifted, weights, arguments))
    if not places:
        return None
    array = np.array(records, dtype=tape.instructions.dtype)
    whole_states = set(np.flatnonzero(array["pattern"] == Pattern.PREPARE).tolist())
    segments = plan_segments(active_bits(array, tape.integers), whole_states)
    wide = Tape(tape.num_qubits, num_angles, array, tape.integers, tape.constants, segments)
    return _Plan(Runner(program, wide), slots, scales, offsets, num_angles, places)
