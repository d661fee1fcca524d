"""Dual tapes: a state together with its derivative along a direction, as a state of one qubit more.

The new highest qubit is the *dual* qubit: amplitudes with it in 0 are ``psi``, with it in 1 the derivative
``dpsi`` along velocities ``v`` of the slots. A gate ``U(angle)`` acts on both halves, and behind it comes the
*nudge* ``1 + v |1><0| (x) E`` with the generator ``E = (dU/dangle) U^dagger``: the product rule. A velocity
reaches a tape as the sine of an angle of its own, so a nudge is an instruction like any other, and kernels
need to know nothing new.

The same nudge carries a cotangent ``(lambda, dlambda)`` backwards, because ``E`` is anti-Hermitian. So the
sweep over the reverse dual tape, with generators ``X (x) E``, is forward over adjoint: it gives the
derivatives of all first derivatives along the direction, for the price of a few gradients.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.program.reverse import (
    Family,
    Matrix,
    Pools,
    Reverse,
    Reverser,
    active_bits,
    family_data,
    generator_of,
)
from qsim.program.schedule import plan_segments
from qsim.program.tape import INSTRUCTION, Pattern, Tape

__all__ = ["Velocities", "dual_reverse_tape", "dual_tape"]

FloatArray = npt.NDArray[np.float64]
#: Diagonals on more qubits stay diagonals; on fewer each entry is a nudge behind controls.
_MAX_LISTED_TARGETS = 3
_RAISE = np.array([[0, 0], [1, 0]], dtype=complex)  # |1><0| of the dual qubit
_FLIP = np.array([[0, 1], [1, 0]], dtype=complex)


@dataclass(eq=False)
class Velocities:
    """The columns of angles behind those of the slots: what the nudges of a dual tape read.

    Attributes
    ----------
    first : int
        Number of slots of the circuit.
    columns : list
        ``(slot, scale, shift, level, function)``: the column is the arc sine of
        ``v[slot] * function(level * (scale * angle[slot] + shift))``.
    """

    first: int
    columns: list[tuple[int, float, float, float, str]] = field(default_factory=list)
    _known: dict[Any, int] = field(default_factory=dict)

    def column(
        self, slot: int, scale: float = 0.0, shift: float = 0.0, level: float = 0.0, function: str = "cos"
    ) -> int:
        """The column of a velocity, or of a velocity times a sine or cosine of the angle."""
        key = (slot, scale, shift, level, function)
        if key not in self._known:
            self._known[key] = self.first + len(self.columns)
            self.columns.append(key)
        return self._known[key]

    def angles(self, angles: FloatArray, velocities: FloatArray) -> FloatArray:
        """All columns, from the slots' angles and velocities of at most 1, both (batch, num_slots)."""
        out = np.empty((len(angles), self.first + len(self.columns)))
        out[:, : self.first] = angles
        if self.columns:
            slots, scales, shifts, levels, functions = zip(*self.columns, strict=True)
            chosen = list(slots)
            factors = velocities[:, chosen]
            if any(levels):  # some generators depend on their angles
                inner = np.array(levels) * (np.array(scales) * angles[:, chosen] + np.array(shifts))
                is_sine = np.array([function == "sin" for function in functions])
                factors = factors * np.where(is_sine, np.sin(inner), np.cos(inner))
            out[:, self.first :] = np.arcsin(np.clip(factors, -1.0, 1.0))
        return out


class _Nudger:
    """Makes the instructions of nudges in some pools."""

    def __init__(self, tape: Tape, pools: Pools, velocities: Velocities) -> None:
        self.tape, self.pools, self.velocities = tape, pools, velocities
        self.dual = tape.num_qubits  # the qubit
        self._generators: dict[tuple[int, int], Any] = {}
        self._data: dict[Any, tuple[Any, int]] = {}

    def targets(self, record: np.void) -> npt.NDArray[np.int32]:
        first = int(record["targets"])
        return self.tape.integers[first : first + int(record["num_targets"])]

    def generator(self, record: np.void) -> Matrix | Family | None:
        """As `generator_of`, once for the instructions of one gate."""
        key = (int(record["pattern"]), int(record["data"]))
        if key not in self._generators:
            self._generators[key] = generator_of(self.tape, record)
        made: Matrix | Family | None = self._generators[key]
        return made

    def nudge(self, record: np.void, sign: float) -> list[np.void]:
        """The instructions of ``1 + sign * v |1><0| (x) E`` for an instruction whose angle reads a slot."""
        slot, scale, shift = int(record["slot"]), float(record["scale"]), float(record["shift"])
        factor = sign * scale  # of the velocity of the slot
        if record["pattern"] == Pattern.PAULI_ROTATION:  # E = -i P / 2, and -i P is the rotation by pi
            on, off = self._controlled_pauli(record, np.pi), self._controlled_pauli(record, -np.pi)
            column = self.velocities.column(slot)
            return [on, self._dense(record, (), np.array([[1.0]]), -factor / 2, column), off]
        made = self.generator(record)
        if made is None:
            return []
        targets = self.targets(record)
        if isinstance(made, Family):
            out = []
            for level, cos, sin in real_terms(made):
                for function, part in (("cos", cos), ("sin", sin)):
                    if np.any(part):
                        column = self.velocities.column(slot, scale, shift, level, function)
                        out.append(self._dense(record, targets, part, factor, column))
            return out
        column = self.velocities.column(slot)
        size = float(np.abs(made).max())
        if made.ndim == 2:
            sources = _sources_of(made / size)
            if sources is None:
                return [self._dense(record, targets, made, factor, column)]
            # |1><0| (x) W of a unitary W is W, where the dual qubit is 1, after |1><0|
            phases = made[np.arange(len(made)), sources] / size
            back = np.argsort(sources)
            return [
                self._controlled(record, targets, phases[back].conj(), back),
                self._dense(record, (), np.array([[1.0]]), factor * size, column),
                self._controlled(record, targets, phases, sources),
            ]
        if len(targets) <= _MAX_LISTED_TARGETS:
            return [
                self._dense(record, (), np.array([[entry]]), factor, column, zip(targets, bits, strict=True))
                for entry, bits in zip(made, _bits(len(targets)), strict=True)
                if entry
            ]
        # a diagonal is the mean of two with phases only
        spread = np.arccos(np.clip(np.abs(made) / size, 0.0, 1.0))
        out = []
        for way in (1, -1):
            phases = np.exp(1j * (np.angle(made) + way * spread))
            out += [
                self._controlled(record, targets, phases.conj()),
                self._dense(record, (), np.array([[1.0]]), factor * size / 2, column),
                self._controlled(record, targets, phases),
            ]
        return out

    def _controlled_pauli(self, record: np.void, angle: float) -> np.void:
        out = self._on_dual(record)
        out["slot"], out["scale"], out["shift"] = -1, 0.0, angle
        out["targets"] = self.pools.put_integers(self.targets(record))
        return out

    def _controlled(self, record: np.void, targets: Any, entries: Matrix, sources: Any = ()) -> np.void:
        """A diagonal, or a permutation with phases, controlled by the dual qubit."""
        out = self._on_dual(record)
        out["pattern"] = int(Pattern.PERMUTATION if len(sources) else Pattern.DIAGONAL)
        out["slot"], out["scale"], out["shift"], out["num_terms"] = -1, 0.0, 0.0, 0
        out["targets"] = self.pools.put_integers([*targets, *sources])
        out["data"] = self.pools.put_constants(entries)
        return out

    def _on_dual(self, record: np.void, value: int = 1) -> np.void:
        """A copy, controlled by the dual qubit."""
        out: np.void = record.copy()
        out["ctrl_mask"] |= np.uint64(1 << self.dual)
        out["ctrl_value"] |= np.uint64(value << self.dual)
        return out

    def _dense(
        self,
        record: np.void,
        targets: Any,
        matrix: Matrix,
        factor: float,
        column: int,
        controls: Iterable[tuple[int, int]] = (),
    ) -> np.void:
        """``1 + sin(angles[column]) factor |1><0| (x) matrix``, behind further controls."""
        out = record.copy()
        for qubit, value in controls:
            out["ctrl_mask"] |= np.uint64(1 << int(qubit))
            out["ctrl_value"] |= np.uint64(value << int(qubit))
        k = len(targets) + 1
        out["pattern"], out["num_targets"], out["num_terms"] = int(Pattern.DENSE), k, 1
        out["x_mask"] = out["z_mask"] = 0
        out["slot"], out["scale"], out["shift"] = column, 1.0, 0.0
        out["targets"] = self.pools.put_integers([*targets, self.dual])
        key = (id(matrix), factor) if len(targets) else (complex(matrix[0, 0]), factor)
        if key not in self._data:
            slope = factor * np.kron(_RAISE, matrix)
            data = np.concatenate([np.eye(1 << k).ravel(), [1.0], np.zeros(4**k), slope.ravel()])
            self._data[key] = (matrix, self.pools.put_constants(data))  # the matrix keeps its id
        out["data"] = self._data[key][1]
        return out


def _sources_of(matrix: Matrix) -> npt.NDArray[np.int64] | None:
    """From where each amplitude comes, if a matrix only moves them and gives them phases."""
    nonzero = matrix != 0
    if (nonzero.sum(0) != 1).any() or (nonzero.sum(1) != 1).any():
        return None
    sources = nonzero.argmax(1)
    sizes = np.abs(matrix[np.arange(len(matrix)), sources])
    return sources if np.abs(sizes - 1).max() < 1e-12 else None


def _bits(count: int) -> list[tuple[int, ...]]:
    return [tuple(index >> k & 1 for k in range(count)) for index in range(1 << count)]


def real_terms(family: Family) -> list[tuple[float, Matrix, Matrix]]:
    """``(w, C, S)`` with ``E(angle) = sum C cos(w angle) + S sin(w angle)``, w >= 0."""
    size = max(1.0, float(np.abs(family.levels).max(initial=0.0)))
    parts: list[tuple[float, Matrix, Matrix]] = []
    for level, coefficient in zip(family.levels.tolist(), family.coefficients, strict=True):
        matrix = np.diag(coefficient) if coefficient.ndim == 1 else coefficient
        w = abs(level) if abs(level) > 1e-12 * size else 0.0
        found = next((part for part in parts if abs(part[0] - w) <= 1e-12 * size), None)
        if found is None:
            found = (w, np.zeros_like(matrix), np.zeros_like(matrix))
            parts.append(found)
        found[1][...] += matrix
        found[2][...] += 1j * matrix * np.sign(level)
    return [(w, _clean(cos), _clean(sin)) for w, cos, sin in parts]


def _clean(matrix: Matrix) -> Matrix:
    return np.where(np.abs(matrix) > 1e-13 * np.abs(matrix).max(initial=1.0), matrix, 0.0)


def dual_tape(tape: Tape, slots: Collection[int]) -> tuple[Tape, Velocities]:
    """The tape that makes a state and its derivative along velocities of some slots.

    Parameters
    ----------
    tape : Tape
        Of unitary instructions on n qubits.
    slots : collection of int

    Returns
    -------
    Tape, Velocities
        The tape has n + 1 qubits; its angles are made by `Velocities.angles`.
    """
    pools = Pools()
    pools.put_integers(tape.integers)  # what is copied keeps its offsets
    pools.put_constants(tape.constants)
    velocities = Velocities(tape.num_slots)
    nudger = _Nudger(tape, pools, velocities)
    records: list[np.void] = []
    for record in tape.instructions:
        records.append(record)
        if record["slot"] >= 0 and int(record["slot"]) in slots:
            records += nudger.nudge(record, 1.0)
    array = np.array(records, dtype=INSTRUCTION)
    integers, constants = pools.arrays()
    whole = set(np.flatnonzero(array["pattern"] == Pattern.PREPARE).tolist())
    segments = plan_segments(active_bits(array, integers), whole)
    for part in (array, integers, constants, segments):
        part.flags.writeable = False
    width = tape.num_slots + len(velocities.columns)
    return Tape(tape.num_qubits + 1, width, array, integers, constants, segments), velocities


class _DualReverser(Reverser):
    """The reverse tape of pairs ``(psi, dpsi)`` and ``(lambda, dlambda)``."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(tape)
        self.velocities = Velocities(tape.num_slots)
        self.nudger = _Nudger(tape, self.pools, self.velocities)
        self._crossed: dict[tuple[int, int], tuple[int, int, Any, int]] = {}

    def add_generator(self, original: np.void) -> None:
        """The overlap with ``X (x) E``, then the nudge backwards."""
        slot, weight = int(original["slot"]), float(original["scale"])
        dual = self.nudger.dual
        if original["pattern"] == Pattern.PAULI_ROTATION:
            record = original.copy()
            record["slot"], record["scale"], record["shift"] = -1, 0.0, np.pi
            record["x_mask"] |= np.uint64(1 << dual)
            record["targets"] = self.pools.put_integers(self.targets(original))
            self.emit(record, slot, weight / 2)
        else:
            made = self.nudger.generator(original)
            if made is None:
                return
            self._cross(original, made)
            if isinstance(made, Family):
                self._add_slopes(original, made)
        for nudge in self.nudger.nudge(original, -1.0):
            self.emit(nudge)

    def _cross(self, original: np.void, made: Matrix | Family) -> None:
        """The generator ``X (x) E``."""
        record = original.copy()
        targets = self.targets(original)
        key = (int(original["pattern"]), int(original["data"]))
        if key not in self._crossed:
            self._crossed[key] = self._make_crossed(made)
        pattern, terms, sources, data = self._crossed[key]
        record["pattern"], record["num_terms"], record["data"] = pattern, terms, data
        record["num_targets"] = len(targets) + 1
        record["targets"] = self.pools.put_integers([*targets, self.nudger.dual, *sources])
        if not terms:
            record["slot"], record["scale"], record["shift"] = -1, 0.0, 0.0
        self.emit(record, int(original["slot"]), float(original["scale"]))

    def _make_crossed(self, made: Matrix | Family) -> tuple[int, int, Any, int]:
        """(pattern, number of terms, sources, place of the data)."""
        if isinstance(made, Family):
            wide = np.array([np.kron(_FLIP, _square(c)) for c in made.coefficients])
            data = self.pools.put_constants(family_data(Family(made.levels, wide)))
            return int(Pattern.DENSE), len(made.levels), (), data
        if made.ndim == 1:  # a table may be long, and is a permutation with the flip
            sources = [*range(len(made), 2 * len(made)), *range(len(made))]
            return (
                int(Pattern.PERMUTATION),
                0,
                sources,
                self.pools.put_constants(np.concatenate([made, made])),
            )
        return self._constant_generator(np.kron(_FLIP, made), int(Pattern.DENSE))

    def _add_slopes(self, original: np.void, made: Family) -> None:
        """``2 Re <lambda| v (dE/dangle) psi>``, where the generator itself depends on the angle."""
        slot, scale, shift = (original[name].item() for name in ("slot", "scale", "shift"))
        for level, cos, sin in real_terms(made):
            for function, part in (("sin", -level * cos), ("cos", level * sin)):
                if not np.any(part):
                    continue
                record = self.nudger._on_dual(original, 0)
                k = int(original["num_targets"])
                record["pattern"], record["num_terms"] = int(Pattern.DENSE), 1
                record["slot"] = self.velocities.column(slot, scale, shift, level, function)
                record["scale"], record["shift"] = 1.0, 0.0
                record["targets"] = self.pools.put_integers(self.targets(original))
                zeros = np.zeros(4**k)
                data = np.concatenate([zeros, [1.0], zeros, part.ravel()])
                record["data"] = self.pools.put_constants(data)
                self.emit(record, slot, scale * scale)


def _square(entries: Matrix) -> Matrix:
    return np.diag(entries) if entries.ndim == 1 else entries


def dual_reverse_tape(tape: Tape, slots: Collection[int]) -> tuple[Reverse, Velocities]:
    """The reverse tape for second derivatives: of each slot's derivative, along velocities of some slots.

    A sweep over it from ``(psi, dpsi)`` with a cotangent ``(lambda, dlambda)`` gives, for each slot,
    the derivative of ``2 Re <lambda| d psi / d slot>`` along the velocities.

    Parameters
    ----------
    tape : Tape
        Of unitary instructions on n qubits.
    slots : collection of int
    """
    out = _DualReverser(tape)
    for record in tape.instructions[::-1]:
        if record["slot"] >= 0 and int(record["slot"]) in slots:
            out.add_generator(record)
        out.add_inverse(record)
    width = tape.num_slots + len(out.velocities.columns)
    out.tape = replace(tape, num_qubits=tape.num_qubits + 1, num_slots=width)
    return out.finish(), out.velocities
