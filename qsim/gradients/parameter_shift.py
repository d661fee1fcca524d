"""Parameter-shift rules for any frequencies (Wierichs, Izaac, Wang and Lin, arXiv:2107.12390).

As a function of the angle of one gate, an expectation value is a trigonometric polynomial whose frequencies
are the gaps between the levels ``w`` of the gate's matrix ``sum_w A_w exp(i w angle)``. With R of them,
differences at R shifts determine the derivative. Each gate is shifted for itself, so a parameter may occur in
many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.errors import GradientError
from qsim.gradients.evaluate import require_unitary, to_parameters, wanted_slots
from qsim.observables import PauliSum
from qsim.program.reverse import levels_of
from qsim.program.tape import Tape

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["frequencies_of", "shift_rule", "values_and_jacobian"]

FloatArray = npt.NDArray[np.float64]
#: Gaps closer than this, relative to the largest, are one frequency.
_SAME = 1e-10
#: The sum of a rule's coefficients, over the largest frequency, above which it amplifies rounding too much.
_MAX_AMPLIFICATION = 1e5
#: Limits of what is evaluated at once.
_ROWS, _ANGLE_BYTES = 1 << 14, 1 << 26


@dataclass(frozen=True, eq=False)
class _Shifts:
    """A tape in which every gate has an angle of its own, and what to evaluate of it.

    The angles are ``scale * angles[slot] + shift``. Evaluation k shifts angle ``gates[k]`` by ``shifts[k]``,
    and counts with ``coefficients[k]``.
    """

    handle: Any
    slots: npt.NDArray[np.int64]
    scales: FloatArray
    offsets: FloatArray
    gates: npt.NDArray[np.int64]
    shifts: FloatArray
    coefficients: FloatArray


def values_and_jacobian(
    program: Program, values: FloatArray, columns: list[int], step: float | None
) -> tuple[FloatArray, FloatArray]:
    """Values (batch, num_observables) and derivatives (batch, num_observables, num_parameters)."""
    require_unitary(program, "parameter_shift")
    angles = program._slots.angles(values)
    plan = program._derive(("parameter_shift", *columns), lambda: _make_plan(program, columns))
    batch, count = len(values), len(program.observables)
    if plan is None:
        out = _expectations(program, None, angles)
        return out, np.zeros((batch, count, values.shape[1]))
    own = np.ascontiguousarray(angles[:, plan.slots] * plan.scales + plan.offsets)
    num = len(plan.gates)
    out = np.empty((batch, count))
    by_slot = np.zeros((batch, count, program._slots.num_slots))
    at_once = max(1, min(_ROWS, _ANGLE_BYTES // (8 * max(1, own.shape[1]))))
    for first in range(0, batch, at_once):
        out[first : first + at_once] = _expectations(program, plan.handle, own[first : first + at_once])
    # all evaluations of all rows are one batch, in as many pieces as memory asks for
    for first in range(0, batch * num, at_once):
        rows, terms = np.divmod(np.arange(first, min(first + at_once, batch * num)), num)
        shifted = own[rows]
        shifted[np.arange(len(rows)), plan.gates[terms]] += plan.shifts[terms]
        found = _expectations(program, plan.handle, shifted)
        gates = plan.gates[terms]
        weights = plan.coefficients[terms] * plan.scales[gates]
        np.add.at(by_slot.transpose(0, 2, 1), (rows, plan.slots[gates]), weights[:, None] * found)
    return out, to_parameters(program, values, by_slot, columns)


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
            "keeps its accuracy. Use method='adjoint'."
        )
    shifts, coefficients = best
    return np.concatenate([shifts, -shifts]), np.concatenate([coefficients, -coefficients])


def _make_plan(program: Program, columns: list[int]) -> _Shifts | None:
    """None where no gate depends on these parameters."""
    if not program._code.tapes:
        return None
    tape, wanted = program._code.tapes[0], wanted_slots(program, columns)
    records = tape.instructions.copy()
    places = np.flatnonzero(records["slot"] >= 0)
    if not len(places):
        return None
    slots = records["slot"][places].astype(np.int64)
    scales, offsets = records["scale"][places].copy(), records["shift"][places].copy()
    records["slot"][places] = np.arange(len(places))
    records["scale"][places], records["shift"][places] = 1.0, 0.0
    unrolled = Tape(tape.num_qubits, len(places), records, tape.integers, tape.constants, tape.segments)
    rules: dict[tuple[float, ...], tuple[FloatArray, FloatArray]] = {}
    gates: list[int] = []
    parts: list[tuple[FloatArray, FloatArray]] = []
    for gate, place in enumerate(places):
        if int(slots[gate]) not in wanted:
            continue
        frequencies = frequencies_of(levels_of(tape, records[place]))
        if not frequencies:
            continue
        if frequencies not in rules:
            rules[frequencies] = shift_rule(np.array(frequencies))
        parts.append(rules[frequencies])
        gates += [gate] * len(parts[-1][0])
    if not parts:
        return None
    shifts, coefficients = (np.concatenate([part[k] for part in parts]) for k in range(2))
    handle = program._backend.compile(unrolled, fuse=program.fuse)
    return _Shifts(handle, slots, scales, offsets, np.array(gates, dtype=np.int64), shifts, coefficients)


def _expectations(program: Program, handle: Any, angles: FloatArray) -> FloatArray:
    """All observables, (rows, num_observables); `handle` None: the program's own tape."""
    backend, threads = program._backend, program.threads
    if handle is None:
        return program._expectations(program._run(angles, None, len(angles)))
    if all(isinstance(o, PauliSum) for o in program.observables):
        return backend.run_expectation(handle, program._paulis, angles, program.dtype, threads)
    out = np.empty((len(angles), len(program.observables)))
    rows = program._rows_per_chunk()
    for first in range(0, len(angles), rows):
        part = np.ascontiguousarray(angles[first : first + rows])
        states: Any = np.empty((len(part), 1 << program.num_qubits), dtype=program.dtype)
        backend.run(handle, states, part, threads)
        out[first : first + rows] = program._expectations(states)
    return out
