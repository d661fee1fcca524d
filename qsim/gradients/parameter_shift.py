"""Parameter-shift rules for any frequencies (Wierichs, Izaac, Wang and Lin, arXiv:2107.12390).

As a function of the angle of one gate, an expectation value is a trigonometric polynomial whose frequencies
are the gaps between the levels ``w`` of the gate's matrix ``sum_w A_w exp(i w angle)``. With R of them,
differences at R shifts determine the derivative. Each gate is shifted for itself, so a parameter may occur in
many; but where all gates of a parameter, as one function of it, have few frequencies, they are shifted
together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.errors import GradientError
from qsim.gradients.evaluate import require_unitary, to_parameters, wanted_slots
from qsim.gradients.evaluations import Evaluations, Options, Streams, evaluation_ranges
from qsim.gradients.runner import Runner
from qsim.program.reverse import family_of, levels_of
from qsim.program.tape import Pattern, Tape

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = [
    "cached_rule",
    "distinct_levels",
    "estimate",
    "estimate_slots",
    "frequencies_of",
    "parameter_frequencies",
    "shift_rule",
    "unroll_angles",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Gaps closer than this, relative to the largest, are one frequency.
_SAME = 1e-10
#: The sum of a rule's coefficients, over the largest frequency, above which it amplifies rounding too much.
_MAX_AMPLIFICATION = 1e5
#: A parameter with more levels has a rule for each of its gates.
_MAX_LEVELS = 200
#: Levels of diagonal gates are looked up on at most this many qubits.
_MAX_RUN_QUBITS = 16


@dataclass(frozen=True, eq=False)
class _Shifts:
    """A tape in which every gate has an angle of its own, and what to evaluate of it.

    The angles are ``scale * angles[slot] + shift``. Evaluation k moves the angles ``gates[first[k]:first[k +
    1]]`` by ``shifts[first[k]:first[k + 1]]``, and counts with ``coefficients[k]`` for slot ``of_slot[k]``.
    """

    runner: Runner
    slots: IntArray
    scales: FloatArray
    offsets: FloatArray
    first: IntArray
    gates: IntArray
    shifts: FloatArray
    of_slot: IntArray
    coefficients: FloatArray

    def moved(self, own: FloatArray, terms: IntArray) -> FloatArray:
        """Angles of the evaluations `terms`, one for each row of `own`, which is changed."""
        counts = self.first[terms + 1] - self.first[terms]
        rows = np.repeat(np.arange(len(terms)), counts)
        inside = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(self.first[terms], counts) + inside
        own[rows, self.gates[places]] += self.shifts[places]
        return own


def estimate(
    program: Program, values: FloatArray, columns: list[int], options: Options
) -> tuple[Any, Any, FloatArray, FloatArray]:
    """See `qsim.gradients.evaluate.METHODS`."""
    streams = None if options.shots is None else Streams(options.seed, len(values))
    wanted = wanted_slots(program, columns)
    return estimate_slots(program, values, columns, options, streams, wanted, "parameter_shift")[:4]


def estimate_slots(
    program: Program,
    values: FloatArray,
    columns: list[int],
    options: Options,
    streams: Streams | None,
    wanted: frozenset[int],
    method: str,
) -> tuple[Any, Any, FloatArray, FloatArray, int]:
    """The same for the slots `wanted` alone; and how many evaluations of each row have random numbers now."""
    require_unitary(program, method)
    measurement = options.measurement
    if measurement is not None and measurement.degree != 2:
        raise GradientError(
            f"Method {method!r} needs what is linear in the density matrix, but {measurement!r} is "
            "not. Use method='adjoint' or 'finite_difference'."
        )
    angles = program._slots.angles(values)
    plan = program._derive((method, "slots", *columns), lambda: _make_plan(program, wanted))
    batch = len(values)
    everyone, zeros = np.arange(batch), np.zeros(batch, dtype=np.int64)
    if plan is None:
        evaluate = Evaluations(program, options, streams)
        out, out_variance = evaluate(angles, everyone, zeros)
        slopes = np.zeros((*out.shape, values.shape[1]))
        return out, slopes.astype(out.dtype), out_variance, slopes, 1
    evaluate = Evaluations(program, options, streams, plan.runner)
    own = np.ascontiguousarray(angles[:, plan.slots] * plan.scales + plan.offsets)
    num = len(plan.coefficients)
    out, out_variance = evaluate(own, everyone, zeros)
    by_slot = np.zeros((*out.shape, program._slots.num_slots), dtype=out.dtype)
    variance = np.zeros(by_slot.shape)
    # all evaluations of all rows are one batch, in as many pieces as memory asks for
    for part in evaluation_ranges(program, batch * num, own.shape[1]):
        rows, terms = np.divmod(np.arange(part.start, part.stop), num)
        found, noise = evaluate(plan.moved(own[rows], terms), rows, 1 + terms, batch * num)
        weights = plan.coefficients[terms][:, None]
        places = (rows, plan.of_slot[terms])
        np.add.at(by_slot.transpose(0, 2, 1), places, weights * found)
        if options.shots is not None:
            np.add.at(variance.transpose(0, 2, 1), places, weights**2 * noise)
    jacobian = to_parameters(program, values, by_slot, columns)
    variances = to_parameters(program, values, variance, columns, squared=True)
    return out, jacobian, out_variance, variances, 1 + num


def frequencies_of(levels: FloatArray) -> tuple[float, ...]:
    """The distinct gaps between levels, ascending.

    Examples
    --------
    >>> frequencies_of(np.array([-0.5, 0.5, 0.0]))
    (0.5, 1.0)
    """
    gaps = np.sort(np.abs(np.subtract.outer(levels, levels)).ravel())
    return tuple(gaps[np.diff(gaps, prepend=0.0) > _SAME * gaps.max(initial=0.0)].tolist())


def shift_rule(frequencies: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shifts ``s`` and coefficients ``c`` with ``f'(x) = sum_k c_k f(x + s_k)``.

    For every f whose frequencies are among those given. Equidistant frequencies have the rule with
    equidistant shifts of arXiv:2107.12390; for others shifts of the same pattern serve, on the scale that
    keeps the coefficients smallest.

    Parameters
    ----------
    frequencies : ndarray, shape (R,)
        Positive and distinct.

    Returns
    -------
    shifts, coefficients : ndarray, shape (2 * R,)

    Examples
    --------
    >>> shifts, coefficients = shift_rule(np.array([1.0]))
    >>> print((shifts / np.pi).round(6), coefficients.round(6))
    [ 0.5 -0.5] [ 0.5 -0.5]
    """
    w = np.sort(np.asarray(frequencies, dtype=float))
    count = len(w)
    pattern = (2 * np.arange(1, count + 1) - 1) * np.pi / (2 * count)
    scales = [count / w[-1]]  # exactly right for w, 2 w, ..., R w
    if not np.allclose(w, w[-1] * np.arange(1, count + 1) / count, rtol=1e-9, atol=0):
        scales += (np.geomspace(0.5, 4.0, 64) * count / w[-1]).tolist()
        scales += (np.geomspace(0.5, 2.0, 16) / w[0]).tolist()
    best: FloatArray | None = None
    for scale in scales:
        shifts = pattern * scale
        matrix = 2 * np.sin(np.multiply.outer(w, shifts))
        if np.linalg.cond(matrix) > 1e12:
            continue
        coefficients = np.linalg.solve(matrix, w)
        if best is None or np.abs(coefficients).sum() < np.abs(best[1]).sum():
            best = np.array([shifts, coefficients])
    if best is None or np.abs(best[1]).sum() > _MAX_AMPLIFICATION * w[-1]:
        raise GradientError(
            f"A gate with the {count} frequencies {w[0]:.9g} to {w[-1]:.9g} has no parameter-shift rule that "
            "keeps its accuracy."
        )
    shifts, coefficients = best
    return np.concatenate([shifts, -shifts]), np.concatenate([coefficients, -coefficients])


def unroll_angles(tape: Tape) -> tuple[Tape, IntArray, FloatArray, FloatArray, IntArray]:
    """A tape in which every instruction with a slot has one of its own.

    Returns
    -------
    Tape, slots, scales, offsets, places
        The angle of instruction ``places[k]`` is slot k of the new tape, and
        ``scales[k] * angles[slots[k]] + offsets[k]`` of the old.
    """
    records = tape.instructions.copy()
    places = np.flatnonzero(records["slot"] >= 0)
    slots = records["slot"][places].astype(np.int64)
    scales, offsets = records["scale"][places].copy(), records["shift"][places].copy()
    records["slot"][places] = np.arange(len(places))
    records["scale"][places], records["shift"][places] = 1.0, 0.0
    unrolled = Tape(tape.num_qubits, len(places), records, tape.integers, tape.constants, tape.segments)
    return unrolled, slots, scales, offsets, places


def _make_plan(program: Program, wanted: frozenset[int]) -> _Shifts | None:
    """None where no gate depends on these slots."""
    if not program._code.tapes:
        return None
    tape = program._code.tapes[0]
    unrolled, slots, scales, offsets, places = unroll_angles(tape)
    gates = {int(slot): np.flatnonzero(slots == slot) for slot in np.unique(slots) if int(slot) in wanted}
    rules: list[_Rule] = []
    for slot, own in gates.items():
        levels = [levels_of(tape, tape.instructions[places[gate]]) for gate in own]
        rules += _rules_of(program, slot, places[own], own, scales, levels)
    if not rules:
        return None
    lengths = [len(rule.gates) for rule in rules for _ in rule.shifts]
    return _Shifts(
        Runner(program, unrolled),
        slots,
        scales,
        offsets,
        np.cumsum([0, *lengths]),
        np.concatenate([rule.gates for rule in rules for _ in rule.shifts]),
        np.concatenate([rule.factors * shift for rule in rules for shift in rule.shifts]),
        np.array([rule.slot for rule in rules for _ in rule.shifts], dtype=np.int64),
        np.concatenate([rule.coefficients for rule in rules]),
    )


@dataclass(frozen=True, eq=False)
class _Rule:
    """Move the angles of some gates by ``factors * shift`` for each shift."""

    slot: int
    gates: IntArray
    factors: FloatArray
    shifts: FloatArray
    coefficients: FloatArray


def _rules_of(
    program: Program,
    slot: int,
    places: IntArray,
    gates: IntArray,
    scales: FloatArray,
    levels: list[FloatArray],
) -> list[_Rule]:
    """A rule for each gate of a slot, or one for all of them where that has fewer evaluations."""
    each: list[_Rule] = []
    for gate, place, own in zip(gates, places.tolist(), levels, strict=True):
        frequencies = frequencies_of(own)
        if frequencies and scales[gate]:
            try:
                shifts, coefficients = cached_rule(frequencies)
            except GradientError as error:
                raise GradientError(
                    f"{error} This is {program._code.gate_text(place)}: use method='adjoint', "
                    "'hadamard_test' or 'finite_difference'."
                ) from None
            one = np.array([gate])
            each.append(_Rule(slot, one, np.ones(1), shifts, coefficients * scales[gate]))
    if len(each) < 2:
        return each
    total = _levels_together(program._code.tapes[0], places, scales[gates], levels)
    if total is None:
        return each
    frequencies = frequencies_of(total)
    if not frequencies:
        return []
    if 2 * len(frequencies) >= sum(len(rule.shifts) for rule in each):
        return each
    try:
        shifts, coefficients = cached_rule(frequencies)
    except GradientError:  # it would amplify rounding
        return each
    return [_Rule(slot, gates, scales[gates], shifts, coefficients)]


@lru_cache(maxsize=256)
def cached_rule(frequencies: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    shifts, coefficients = shift_rule(np.array(frequencies))
    shifts.flags.writeable = coefficients.flags.writeable = False
    return shifts, coefficients


def _levels_together(
    tape: Tape, places: IntArray, scales: FloatArray, levels: list[FloatArray]
) -> FloatArray | None:
    """Levels of all gates of a slot as functions of the slot: sums with one level of each gate.

    Diagonal gates with nothing but diagonal gates in between are one gate, whose levels are those that some
    basis state has: a ring of n phases has half as many as n single ones. None where there are too many.
    """
    total = np.zeros(1)
    last = 0
    run: list[int] = []
    diagonal = [_is_diagonal(record) for record in tape.instructions]
    for k, place in enumerate(places.tolist()):
        if diagonal[place]:
            if run and not all(diagonal[last:place]):
                total = _sums(total, _levels_of_run(tape, run, places, scales, levels))
                run = []
            run.append(k)
            last = place
        else:
            total = _sums(total, scales[k] * levels[k])
        if len(total) > _MAX_LEVELS:
            return None
    if run:
        total = _sums(total, _levels_of_run(tape, run, places, scales, levels))
    return total if len(total) <= _MAX_LEVELS else None


def _is_diagonal(record: np.void) -> bool:
    if record["pattern"] == Pattern.PAULI_ROTATION:
        return not record["x_mask"]
    return bool(record["pattern"] == Pattern.DIAGONAL)


def distinct_levels(levels: FloatArray) -> FloatArray:
    """Ascending, those equal up to rounding once."""
    ordered = np.sort(levels)
    scale = max(1.0, float(np.abs(ordered).max(initial=0.0)))
    return ordered[np.diff(ordered, prepend=-np.inf) > _SAME * scale]


def _sums(first: FloatArray, second: FloatArray) -> FloatArray:
    return distinct_levels(np.add.outer(first, second).ravel())


def _levels_of_run(
    tape: Tape, run: list[int], places: IntArray, scales: FloatArray, levels: list[FloatArray]
) -> FloatArray:
    """Levels of a product of diagonal gates."""
    records = [tape.instructions[places[k]] for k in run]
    mask = 0
    for record in records:
        mask |= _mask_of(tape, record) | int(record["ctrl_mask"])
    qubits = [q for q in range(tape.num_qubits) if mask >> q & 1]
    if len(qubits) <= _MAX_RUN_QUBITS:
        index = np.zeros(1 << len(qubits), dtype=np.uint64)  # basis states of these qubits, the others in 0
        for k, q in enumerate(qubits):
            index |= (np.arange(len(index), dtype=np.uint64) >> np.uint64(k) & np.uint64(1)) << np.uint64(q)
        own = [_levels_at(tape, record, index) for record in records]
        if all(levels is not None for levels in own):
            return distinct_levels(sum(scales[k] * levels for k, levels in zip(run, own, strict=True)))
    out = np.zeros(1)
    for k in run:
        out = _sums(out, scales[k] * levels[k])
        if len(out) > _MAX_LEVELS:
            break
    return out


def _levels_at(tape: Tape, record: np.void, index: npt.NDArray[np.uint64]) -> FloatArray | None:
    """The level of a diagonal gate at each basis state; None if there it has several."""
    if record["pattern"] == Pattern.PAULI_ROTATION:
        out = np.asarray((np.bitwise_count(index & record["z_mask"]) & 1) - 0.5)
    else:
        family = family_of(tape, record)
        present = np.abs(family.coefficients) > 1e-12
        if (present.sum(axis=0) != 1).any():
            return None
        first, k = int(record["targets"]), int(record["num_targets"])
        local = np.zeros(index.shape, dtype=np.int64)
        for j, q in enumerate(tape.integers[first : first + k].tolist()):
            local |= (index >> np.uint64(q) & np.uint64(1)).astype(np.int64) << j
        out = family.levels[present.argmax(axis=0)][local]
    return np.where(index & record["ctrl_mask"] == record["ctrl_value"], out, 0.0)


def _mask_of(tape: Tape, record: np.void) -> int:
    if record["pattern"] == Pattern.PAULI_ROTATION:
        return int(record["z_mask"])
    first = int(record["targets"])
    return sum(1 << int(q) for q in tape.integers[first : first + int(record["num_targets"])])


def parameter_frequencies(program: Program, column: int) -> FloatArray:
    """The frequencies of an expectation value as a function of one parameter, ascending.

    Raises
    ------
    GradientError
        If the parameter stands in an expression that is not affine in it, or the frequencies are too many.
    """
    name = program.parameters[column].name
    if wanted_slots(program, [column]) != {column}:
        raise GradientError(
            f"Parameter `{name}` stands in an expression that is not affine in it, so that no expectation "
            "value is a trigonometric polynomial of it. Use an optimiser that follows the gradient."
        )
    require_unitary(program, "frequencies")
    if not program._code.tapes:
        return np.zeros(0)
    tape = program._code.tapes[0]
    places = np.flatnonzero(tape.instructions["slot"] == column)
    levels = [levels_of(tape, tape.instructions[place]) for place in places]
    total = _levels_together(tape, places, tape.instructions["scale"][places], levels)
    if total is None:
        raise GradientError(
            f"An expectation value has too many frequencies as a function of parameter `{name}`. Use an "
            "optimiser that follows the gradient."
        )
    return np.array(frequencies_of(total))
