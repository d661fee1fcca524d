"""Lane programs: what a tape does, as turns and phases, for batches whose members are lanes of a register.

Flips, CX and SWAP and their kin move nothing: a *frame* keeps, for each qubit, the xor ``x`` of an index that
flips it, and the mask ``z`` whose parity is its value. In a frame every gate that is ``exp(-i angle H)`` with
commuting Pauli strings in H, times a constant, becomes

* **turns**: pairs ``(index, index ^ x)``, the first of even parity under ``z``, go to
  ``(a cos - b sin, a sin + b cos)``: strings with an odd number of Y, and others between phases;
* **phases** ``exp(i angle (-1)**parity(index & z))``: strings of Z;
* **matrices**: constants on up to three qubits that are neither.

All angles are linear in the slots, and so are their derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.observables import PauliSum
from qsim.program.gate_forms import MAX_MATRIX, Move, Strings, Unsupported, analyse, exponential, odd, xor_of
from qsim.program.reverse import family_of
from qsim.program.tape import Pattern, Tape

__all__ = ["MAX_LANE_QUBITS", "LaneProgram", "lane_program", "lane_tables", "split_phases"]

Matrix = npt.NDArray[np.complex128]

#: Above this many qubits a register's worth of states does not stay in a core's cache.
MAX_LANE_QUBITS = 14
MIX, PHASES, MATRIX = range(3)
#: So many signs may differ between the tables of a step of phases; as in csrc/execute/lane_program.cpp.
MAX_PATTERNS = 2
#: How far a gate may move forward, in steps.
_MAX_STEPS_BACK = 32
# Nanoseconds, measured in double precision and registers of 8 lanes. Of a group of lanes, by amplitude: a
# pass of turns or of phases from short lists; phases from one long list that stays in cache, or does not; a
# matrix on 1, 2 or 3 qubits; and of any step.
_PASS, _LONG_PHASES, _MATRICES, _STEP = 3.5, (10.0, 19.0), (2.5, 6.7, 14.5), 100.0
_LONG_QUBITS = 10
# Of one row: by amplitude, a dense matrix on 1, 2, ... qubits and anything else, and what controls leave of
# it at least; of any instruction; and of an entry of a matrix with a parameter.
_DENSE, _OTHER, _LEAST, _INSTRUCTION, _ENTRY = (0.42, 0.65, 1.5, 4.2), 0.28, 0.2, 60.0, 5.0
_MAX_RATIO = 7.0  # a group this much slower than a row gains nothing from its 8 lanes


@dataclass(slots=True)
class _Angle:
    """``constant + sum of weights[slot] * slot``."""

    constant: float = 0.0
    weights: dict[int, float] = field(default_factory=dict)

    def times(self, factor: float) -> _Angle:
        return _Angle(self.constant * factor, {slot: w * factor for slot, w in self.weights.items()})

    def add(self, other: _Angle) -> None:
        self.constant += other.constant
        for slot, weight in other.weights.items():
            self.weights[slot] = self.weights.get(slot, 0.0) + weight


@dataclass(slots=True)
class _Step:
    kind: int
    #: MIX: (x, z); PHASES: (0, z); either to its angle
    angles: dict[tuple[int, int], _Angle] = field(default_factory=dict)
    #: MIX: every x; PHASES: every z; MATRIX: x of its targets ...
    first_masks: list[int] = field(default_factory=list)
    #: ... and z of targets and controls
    second_masks: list[int] = field(default_factory=list)
    basis: int = 0  # PHASES: row of the list of bases
    matrix: int = 0


@dataclass(frozen=True, eq=False)
class LaneProgram:
    """Flat arrays of a lane program; what the kernels take.

    Attributes
    ----------
    num_qubits, num_slots : int
    constants, first, slots, weights : ndarray
        Angle i is ``constants[i]`` plus ``weights[t] * angles[slots[t]]`` over the terms
        ``first[i]:first[i + 1]``. First come the angles of turns, then those of phases.
    steps : ndarray (num_steps, 4), int32
        Kind (0 turns, 1 phases, 2 a matrix), range of the turns or phases, and row of `bases` or
        `matrices`. The turns of a step act on different qubits.
    turns : ndarray (num_turns, 2), uint32
        x and z.
    phases : ndarray, uint32
        Bit q of a mask: whether column q of the step's basis changes the sign.
    bases : ndarray (num_bases, num_qubits), uint32
    matrices : ndarray (num_matrices, 4), int32
        Targets, controls, row of the first of them in `matrix_qubits`, place of the entries.
    matrix_qubits : ndarray (count, 3), uint32
        x, z and the parity that means 0 (of a target) or that it acts (of a control).
    entries : ndarray, complex128
    columns : ndarray (num_qubits,), uint32
        x of each qubit at the end; its z is in `rows`, flipped if its bit in `flips` is set.
    rows : ndarray (num_qubits,), uint32
    flips, origin : int
        `origin` is the index of |0...0> at the end.
    rows_worth : float
        How many rows one by one take the time of a group of lanes, by a model; infinite if lanes gain
        nothing.
    """

    num_qubits: int
    num_slots: int
    constants: npt.NDArray[np.float64]
    first: npt.NDArray[np.int32]
    slots: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]
    steps: npt.NDArray[np.int32]
    turns: npt.NDArray[np.uint32]
    phases: npt.NDArray[np.uint32]
    bases: npt.NDArray[np.uint32]
    matrices: npt.NDArray[np.int32]
    matrix_qubits: npt.NDArray[np.uint32]
    entries: Matrix
    columns: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.uint32]
    flips: int
    origin: int
    rows_worth: float


def lane_program(tape: Tape, *, from_zero: bool) -> LaneProgram | None:
    """The lane program of a tape; None if it has instructions that lanes do not run.

    Parameters
    ----------
    tape : Tape
    from_zero : bool
        Whether it will start from ``|0...0>``, where phases are one global phase.

    Notes
    -----
    O(number of instructions times the steps they may pass), no matter how big the state is. Lanes run no
    amplitude preparations, constant matrices on more than three qubits, or gates whose generator depends on
    their parameter.
    """
    if tape.num_qubits > MAX_LANE_QUBITS:
        return None
    planner = _Planner(tape, from_zero)
    try:
        for number, record in enumerate(tape.instructions.tolist()):
            planner.add(number, record)
    except Unsupported:
        return None
    return planner.finish()


def lane_tables(
    program: LaneProgram, observables: Sequence[PauliSum]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint32], Matrix]:
    """Observables as ``(O psi)[b] = sum of table[b] * psi[b ^ x]``, at the end of a lane program.

    Returns
    -------
    numbers : ndarray (count,), int32
        Which observable each entry belongs to.
    x_masks : ndarray (count,), uint32
    tables : ndarray (count, 2**n), complex128
    """
    n, columns = program.num_qubits, program.columns.tolist()
    rows = program.rows.tolist()
    spectra: dict[tuple[int, int], Matrix] = {}
    for number, observable in enumerate(observables):
        for x, z, c in zip(*(part.tolist() for part in observable.real_terms()), strict=True):
            turn = (-1j) ** ((x & z).bit_count() & 3)
            sign = -1.0 if (z & program.flips).bit_count() & 1 else 1.0
            key = number, xor_of(columns, x)
            if key not in spectra:
                spectra[key] = np.zeros(1 << n, dtype=complex)
            spectra[key][xor_of(rows, z)] += c * sign * turn
    tables = np.array(list(spectra.values()), dtype=complex).reshape(len(spectra), 1 << n)
    for bit in range(n):  # the signs are a Walsh-Hadamard transform
        halves = tables.reshape(len(spectra), 1 << (n - 1 - bit), 2, 1 << bit)
        halves[:, :, 0], halves[:, :, 1] = halves.sum(axis=2), halves[:, :, 0] - halves[:, :, 1]
    numbers = np.array([number for number, _ in spectra], dtype=np.int32)
    return numbers, np.array([x for _, x in spectra], dtype=np.uint32), tables


def _any_odd(masks: list[int], mask: int) -> bool:
    """Whether any of the masks has an odd number of bits in common with one."""
    for other in masks:  # noqa: SIM110 - several times faster than any()
        if (other & mask).bit_count() & 1:
            return True
    return False


class _Planner:
    def __init__(self, tape: Tape, from_zero: bool) -> None:
        n = tape.num_qubits
        self.tape, self.from_zero = tape, from_zero
        self.x = [1 << q for q in range(n)]  # the frame
        self.z = [1 << q for q in range(n)]
        self.flips = 0  # qubits that are 1 where the parity is even
        self.steps: list[_Step] = []
        self.bases: list[tuple[int, ...]] = []
        self.matrices: list[tuple[int, int, int, int]] = []
        self.matrix_qubits: list[tuple[int, int, int]] = []
        self.entries: list[Matrix] = []
        self.integers: list[int] = tape.integers.tolist()
        self.global_phase = _Angle()
        self._known: dict[Any, Any] = {}  # what instructions of one gate share
        self._entries: dict[Any, int] = {}  # where their matrices are

    # -- instructions ----------------------------------------------------------------------------
    def add(self, number: int, record: tuple[Any, ...]) -> None:
        pattern, k, num_terms, slot, mask, value, x_mask, z_mask, first, _, data, scale, shift = record
        controls = _bits_of(mask, value)
        angle = _Angle(shift, {slot: scale} if slot >= 0 else {})
        if pattern == Pattern.PAULI_ROTATION:
            self._rotate([(x_mask, z_mask, 0.5)], angle, controls)
            return
        if pattern == Pattern.PREPARE:
            raise Unsupported
        targets = self.integers[first : first + k]
        if pattern == Pattern.PERMUTATION:
            if k > MAX_MATRIX:
                raise Unsupported
            sources = self.integers[first + k : first + k + (1 << k)]
            self._constant((data, *sources), targets, controls, lambda: self._permutation(sources, data))
            return
        key = pattern, data
        if key not in self._known:
            self._known[key] = self._exponential(number, pattern, k, num_terms, data)
        terms, rest = self._known[key]
        if terms is None:
            raise Unsupported
        if rest is not None:
            self._constant(key, targets, controls, lambda: rest)
        if terms and (angle.weights or angle.constant):
            spread = [(_placed(x, targets), _placed(z, targets), h) for x, z, h in terms]
            self._rotate(spread, angle, controls)

    def _exponential(self, number: int, pattern: int, k: int, num_terms: int, data: int) -> Any:
        size = 1 << (2 * k if pattern == Pattern.DENSE else k)
        entries = self.tape.constants[data : data + size + num_terms * (1 + 2 * size)]
        return _shared(
            (pattern, k, num_terms),
            entries,
            lambda: exponential(family_of(self.tape, self.tape.instructions[number])),
        )

    def _permutation(self, sources: list[int], data: int) -> Matrix:
        matrix = np.zeros((len(sources), len(sources)), dtype=complex)
        matrix[np.arange(len(sources)), sources] = self.tape.constants[data : data + len(sources)]
        return matrix

    def _rotate(
        self, terms: list[tuple[int, int, float]], angle: _Angle, controls: list[tuple[int, int]]
    ) -> None:
        """``exp(-i angle h P)`` for each string (x, z, h), where all controls match."""
        share = 0.5 ** len(controls)
        for x, z, h in terms:
            for chosen in _subsets(controls):
                sign = -1.0 if sum(value for _, value in chosen) & 1 else 1.0
                extra = sum(1 << q for q, _ in chosen)
                self._string(x, z ^ extra, angle.times(h * share * sign))

    def _string(self, x: int, z: int, angle: _Angle) -> None:
        """``exp(-i angle P)`` of one string, in the qubits' own names."""
        y = (x & z).bit_count() & 3
        new_x, new_z = xor_of(self.x, x), xor_of(self.z, z)
        sign = -1.0 if odd(z & self.flips) else 1.0
        if not x:
            self._phase(new_z, angle.times(-sign))
        elif y & 1:
            self._turn(new_x, new_z, angle.times(sign if y == 1 else -sign))
        else:  # with a phase before and its inverse behind, the number of Y is odd
            other = self.z[(x & -x).bit_length() - 1]
            self._phase(other, _Angle(np.pi / 4))
            self._turn(new_x, new_z ^ other, angle.times(-sign if y == 0 else sign))
            self._phase(other, _Angle(-np.pi / 4))

    # -- constants -------------------------------------------------------------------------------
    def _constant(
        self, key: Any, targets: list[int], controls: list[tuple[int, int]], matrix: Callable[[], Matrix]
    ) -> None:
        """A constant; those of equal `key` and control values have the same matrix."""
        values = tuple(value for _, value in controls)
        known = self._known.get((key, values))
        if known is None:
            whole = matrix()
            known = _shared(("constant", len(whole), values), whole, lambda: analyse(whole, values))
            self._known[key, values] = known
        qubits = targets + [q for q, _ in controls]
        if isinstance(known, Strings):
            self._rotate(
                [(_placed(x, targets), _placed(z, targets), h) for x, z, h in known.terms],
                _Angle(1.0),
                controls,
            )
        elif isinstance(known, Move):
            self._move(known, qubits)
            self._rotate([(0, _placed(z, qubits), h) for _, z, h in known.terms], _Angle(1.0), [])
        elif len(targets) > MAX_MATRIX or not self.tape.num_qubits:
            raise Unsupported
        else:
            place = self._entries.setdefault((key, values), sum(m.size for m in self.entries))
            if place == sum(m.size for m in self.entries):
                self.entries.append(known.ravel())
            self.matrices.append((len(targets), len(controls), len(self.matrix_qubits), place))
            for q, value in zip(qubits, (0,) * len(targets) + values, strict=True):
                self.matrix_qubits.append((self.x[q], self.z[q], value ^ (self.flips >> q & 1)))
            x, z = [self.x[q] for q in targets], [self.z[q] for q in qubits]
            self.steps.append(_Step(MATRIX, first_masks=x, second_masks=z, matrix=len(self.matrices) - 1))

    def _move(self, move: Move, qubits: list[int]) -> None:
        x, z = [self.x[q] for q in qubits], [self.z[q] for q in qubits]
        flips = _gathered(self.flips, qubits)
        for i, q in enumerate(qubits):
            self.x[q], self.z[q] = xor_of(x, move.images[i]), xor_of(z, move.parities[i])
            bit = odd(move.parities[i] & flips) ^ (move.flips >> i & 1)
            self.flips = self.flips & ~(1 << q) | bit << q

    # -- steps -----------------------------------------------------------------------------------
    def _phase(self, z: int, angle: _Angle) -> None:
        """To the first step of phases that it reaches without passing a turn it does not commute with."""
        if not angle.weights and abs(angle.constant) < 1e-16:
            return
        place = None
        for step in self.steps[: -_MAX_STEPS_BACK - 1 : -1]:
            if step.kind == PHASES:
                place = step
            elif _any_odd(step.first_masks, z):
                break
        else:
            if self.from_zero and len(self.steps) <= _MAX_STEPS_BACK:
                self.global_phase.add(angle)  # index 0 has even parity
                return
        if place is None:
            place = self._new_phases()
        self._add_phase(place, z, angle)

    def _add_phase(self, step: _Step, z: int, angle: _Angle) -> None:
        if (0, z) not in step.angles:
            step.angles[0, z] = _Angle()
            step.first_masks.append(z)
        step.angles[0, z].add(angle)

    def _new_phases(self) -> _Step:
        basis = tuple(self.x)
        if not self.bases or self.bases[-1] != basis:
            self.bases.append(basis)
        self.steps.append(_Step(PHASES, basis=len(self.bases) - 1))
        return self.steps[-1]

    def _turn(self, x: int, z: int, angle: _Angle) -> None:
        """To the first step of turns it reaches whose qubits are not its own."""
        place = None
        for step in self.steps[: -_MAX_STEPS_BACK - 1 : -1]:
            if step.kind == PHASES:
                if _any_odd(step.first_masks, x):
                    break
                continue
            if step.kind == MATRIX:
                if _any_odd(step.first_masks, z) or _any_odd(step.second_masks, x):
                    break
                continue
            if (x, z) in step.angles:
                step.angles[x, z].add(angle)
                return
            crossings = [(odd(x & other_z), odd(z & other_x)) for other_x, other_z in step.angles]
            if not any(a or b for a, b in crossings):
                place = step
            elif any(a != b for a, b in crossings):
                break
        if place is None:
            self.steps.append(_Step(MIX))
            place = self.steps[-1]
        place.angles[x, z] = angle
        place.first_masks.append(x)

    def finish(self) -> LaneProgram:
        if self.global_phase.weights or self.global_phase.constant:
            phases = next((step for step in reversed(self.steps) if step.kind == PHASES), None)
            self._add_phase(phases or self._new_phases(), 0, self.global_phase)
        rows: list[tuple[int, int, int, int]] = []
        turns: list[tuple[int, int]] = []
        phases_out: list[int] = []
        angles: tuple[list[_Angle], list[_Angle]] = ([], [])
        for step in self.steps:
            if step.kind == MATRIX:
                rows.append((MATRIX, 0, 0, step.matrix))
                continue
            out: list[Any] = turns if step.kind == MIX else phases_out
            first = len(out)
            basis = self.bases[step.basis] if step.kind == PHASES else ()
            for (x, z), angle in step.angles.items():
                if not angle.weights and abs(angle.constant) < 1e-16:
                    continue
                out.append((x, z) if step.kind == MIX else _in_basis(z, basis))
                angles[step.kind].append(angle)
            if len(out) > first:
                rows.append((step.kind, first, len(out), step.basis))
        every = angles[MIX] + angles[PHASES]
        first_terms = np.cumsum([0, *(len(a.weights) for a in every)], dtype=np.int32)
        origin = xor_of(self.x, self.flips)
        return LaneProgram(
            self.tape.num_qubits,
            self.tape.num_slots,
            np.array([a.constant for a in every], dtype=float),
            first_terms,
            np.array([slot for a in every for slot in a.weights], dtype=np.int32),
            np.array([w for a in every for w in a.weights.values()], dtype=float),
            np.array(rows, dtype=np.int32).reshape(-1, 4),
            np.array(turns, dtype=np.uint32).reshape(-1, 2),
            np.array(phases_out, dtype=np.uint32),
            np.array(self.bases, dtype=np.uint32).reshape(len(self.bases), self.tape.num_qubits),
            np.array(self.matrices, dtype=np.int32).reshape(-1, 4),
            np.array(self.matrix_qubits, dtype=np.uint32).reshape(-1, 3),
            np.concatenate([np.zeros(0, dtype=complex), *self.entries]),
            np.array(self.x, dtype=np.uint32),
            np.array(self.z, dtype=np.uint32),
            self.flips,
            origin,
            self._rows_worth(rows, phases_out),
        )

    def _rows_worth(self, rows: list[tuple[int, int, int, int]], masks: list[int]) -> float:
        n = self.tape.num_qubits
        group = 0.0
        for kind, first, last, place in rows:
            if kind == MATRIX:
                k, num_controls = self.matrices[place][:2]
                cost = max(_MATRICES[k - 1] / (1 << num_controls), _PASS / 2)
            elif kind == MIX:
                cost = _PASS * -(-(last - first) // 4)
            else:
                is_long = split_phases(masks[first:last], n)[0] == n > 1
                cost = _LONG_PHASES[n >= _LONG_QUBITS] if is_long else _PASS
            group += _STEP + cost * (1 << n)
        row = 0.0
        for pattern, k, num_terms, mask in self.tape.instructions[
            ["pattern", "num_targets", "num_terms", "ctrl_mask"]
        ].tolist():
            dense = pattern == Pattern.DENSE
            cost = _DENSE[min(k, len(_DENSE)) - 1] if dense else _OTHER
            row += _INSTRUCTION + max(cost / (1 << mask.bit_count()), _LEAST) * (1 << n)
            if dense and num_terms:
                row += _ENTRY * (1 << 2 * k)
        ratio = group / row if row else 0.0
        return ratio if ratio < _MAX_RATIO else float("inf")


#: What gates are made of, the same in every circuit.
_SHARED: dict[Any, Any] = {}
_MAX_SHARED = 1000
_MAX_SHARED_ENTRIES = 128


def _shared(kind: tuple[Any, ...], entries: Matrix, make: Callable[[], Any]) -> Any:
    """What `make` finds out about some numbers, kept for the next circuit."""
    if entries.size > _MAX_SHARED_ENTRIES:
        return make()
    key = (*kind, entries.tobytes())
    if key not in _SHARED:
        if len(_SHARED) >= _MAX_SHARED:
            return make()
        _SHARED[key] = make()
    return _SHARED[key]


def _placed(bits: int, targets: list[int]) -> int:
    return sum((bits >> i & 1) << q for i, q in enumerate(targets))


def split_phases(masks: list[int], num_qubits: int) -> tuple[int, list[int]]:
    """Low bits of the two lists of a step of phases; high parts of the masks that have bits in both.

    One list has all bits if these parts are too many.
    """
    low_bits = (num_qubits + 1) // 2
    low = (1 << low_bits) - 1
    patterns = list(dict.fromkeys(mask >> low_bits for mask in masks if mask & low and mask >> low_bits))
    return (low_bits, patterns) if len(patterns) <= MAX_PATTERNS else (num_qubits, [])


def _in_basis(z: int, columns: Sequence[int]) -> int:
    return sum(odd(x & z) << q for q, x in enumerate(columns))


def _gathered(mask: int, qubits: list[int]) -> int:
    return sum((mask >> q & 1) << i for i, q in enumerate(qubits))


def _bits_of(mask: int, value: int) -> list[tuple[int, int]]:
    """Qubits of a mask, and their values."""
    return [(q, value >> q & 1) for q in range(mask.bit_length()) if mask >> q & 1]


def _subsets(items: list[Any]) -> Iterator[tuple[Any, ...]]:
    for size in range(len(items) + 1):
        yield from combinations(items, size)
