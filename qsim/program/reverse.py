"""The reverse tape: what undoes a circuit from its end, with the generators of its parameters on the way.

An instruction ``U(angle)`` becomes its inverse; where its angle reads a slot, the generator
``E = (dU/dangle) U^dagger`` comes before that. With a state ``psi`` behind ``U`` and a cotangent ``lambda``
pulled back to the same place, the slot's derivative gains ``2 Re <lambda| E psi>``. Both kinds are
instructions like any other, so kernels need to know nothing new.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.program.schedule import plan_segments
from qsim.program.tape import INSTRUCTION, Pattern, Tape

__all__ = ["GENERIC_ANGLES", "Family", "Reverse", "family_of", "levels_of", "reverse_tape"]

Matrix = npt.NDArray[np.complex128]
#: Coefficients and entries below this are rounding, relative to the largest.
_DUST = 1e-13
#: Where a generator is compared with itself to see whether it depends on the angle.
GENERIC_ANGLES = (0.0, 0.7310585, -1.2689414)


@dataclass(frozen=True, eq=False)
class Reverse:
    """A tape that undoes another one, and what its instructions are.

    Attributes
    ----------
    tape : Tape
    slots : ndarray of int32
        -1: an inverse, to be applied. Else a generator: the derivative by this slot grows by
        ``2 * weights[i] * Re <lambda| E psi>``. It is zero, not the identity, where its controls do not
        match.
    weights : ndarray of float64
    """

    tape: Tape
    slots: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]


@dataclass(slots=True)
class Family:
    """``sum_w coefficients[w] * exp(i w angle)``: a parametrised instruction's matrix, or its diagonal."""

    levels: npt.NDArray[np.float64]
    coefficients: Matrix  # (level, entries...)

    def at(self, angle: float) -> Matrix:
        return np.asarray(np.tensordot(np.exp(1j * self.levels * angle), self.coefficients, 1))

    def derivative(self) -> Family:
        return Family(self.levels, np.einsum("w,w...->w...", 1j * self.levels, self.coefficients))

    def times_adjoint(self, other: Family) -> Family:
        """Products ``self @ other^dagger``, equal levels merged."""
        levels = np.subtract.outer(self.levels, other.levels).ravel()
        products = np.array([_product(a, b) for a in self.coefficients for b in other.coefficients])
        order = np.argsort(levels)
        levels, products = levels[order], products[order]
        is_new = np.diff(levels, prepend=-np.inf) > _DUST * np.abs(levels).max(initial=0.0)
        merged = np.add.reduceat(products, np.flatnonzero(is_new))
        return _without_dust(Family(levels[is_new], merged))


def _product(a: Matrix, b: Matrix) -> Matrix:
    return a * b.conj() if a.ndim == 1 else a @ b.conj().T


def _without_dust(family: Family) -> Family:
    size = np.abs(family.coefficients).reshape(len(family.levels), -1).max(1)
    kept = size > _DUST * size.max(initial=1.0)
    return Family(family.levels[kept], family.coefficients[kept])


def family_of(tape: Tape, record: np.void) -> Family:
    """The matrices of a diagonal or dense instruction with terms."""
    k, data = int(record["num_targets"]), int(record["data"])
    dense = record["pattern"] == Pattern.DENSE
    shape = (1 << k, 1 << k) if dense else (1 << k,)
    size = 1 << (2 * k if dense else k)
    levels, coefficients = [0.0], [tape.constants[data : data + size]]
    position = data + size
    for _ in range(int(record["num_terms"])):
        omega = float(tape.constants[position].real)
        cos, sin = tape.constants[position + 1 : position + 1 + 2 * size].reshape(2, size)
        levels += [omega, -omega]
        coefficients += [(cos - 1j * sin) / 2, (cos + 1j * sin) / 2]
        position += 1 + 2 * size
    return _without_dust(Family(np.array(levels), np.array(coefficients).reshape(-1, *shape)))


def levels_of(tape: Tape, record: np.void) -> npt.NDArray[np.float64]:
    """The w of ``exp(i w angle)`` in the matrix of a parametrised instruction, controls included."""
    if record["pattern"] == Pattern.PAULI_ROTATION:
        levels = np.array([-0.5, 0.5])
    else:
        levels = family_of(tape, record).levels
    return np.append(levels, 0.0) if record["ctrl_mask"] else levels


class _Pools:
    """Collects the numbers of the new tape."""

    def __init__(self) -> None:
        self.integers: list[npt.NDArray[np.int32]] = []
        self.constants: list[Matrix] = []
        self.num_integers = self.num_constants = 0

    def put_integers(self, values: Any) -> int:
        offset = self.num_integers
        self.integers.append(np.asarray(values, dtype=np.int32))
        self.num_integers += len(self.integers[-1])
        return offset

    def put_constants(self, values: Any) -> int:
        offset = self.num_constants
        self.constants.append(np.asarray(values, dtype=complex))
        self.num_constants += len(self.constants[-1])
        return offset


class _Reverser:
    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.pools = _Pools()
        self.records: list[np.void] = []
        self.slots: list[int] = []
        self.weights: list[float] = []
        # what instructions of one gate share is made once: (pattern, data) -> place in the new pools
        self._inverse_data: dict[tuple[int, int], int] = {}
        self._generators: dict[tuple[int, int], tuple[int, int, Any, int] | None] = {}

    def targets(self, record: np.void) -> npt.NDArray[np.int32]:
        first = int(record["targets"])
        return self.tape.integers[first : first + int(record["num_targets"])]

    def emit(self, record: np.void, slot: int = -1, weight: float = 0.0) -> None:
        self.records.append(record)
        self.slots.append(slot)
        self.weights.append(weight)

    # -- inverses --------------------------------------------------------------------------------
    def add_inverse(self, original: np.void) -> None:
        record = original.copy()
        pattern, k = int(record["pattern"]), int(record["num_targets"])
        integers = self.targets(original)
        if pattern == Pattern.PAULI_ROTATION:
            record["scale"], record["shift"] = -record["scale"], -record["shift"]
        else:
            if pattern == Pattern.PERMUTATION:
                first = int(original["targets"]) + k
                sources = self.tape.integers[first : first + (1 << k)]
                integers = np.concatenate([integers, np.argsort(sources).astype(np.int32)])
            key = (pattern, int(original["data"]))
            if pattern == Pattern.PERMUTATION:  # the sources are not shared as the data are
                record["data"] = self.pools.put_constants(self._inverse_entries(original))
            else:
                if key not in self._inverse_data:
                    self._inverse_data[key] = self.pools.put_constants(self._inverse_entries(original))
                record["data"] = self._inverse_data[key]
        record["targets"] = self.pools.put_integers(integers)
        self.emit(record)

    def _inverse_entries(self, record: np.void) -> Matrix:
        pattern, k, data = int(record["pattern"]), int(record["num_targets"]), int(record["data"])
        constants = self.tape.constants
        if pattern == Pattern.PERMUTATION:
            first = int(record["targets"]) + k
            order = np.argsort(self.tape.integers[first : first + (1 << k)])
            return np.asarray(constants[data : data + (1 << k)].conj()[order])
        if pattern == Pattern.PREPARE:  # phase (1 - 2 w w^dagger)
            out = constants[data : data + 1 + (1 << k)].copy()
            out[0] = out[0].conj()
            return out
        size = 1 << (2 * k if pattern == Pattern.DENSE else k)

        def adjoint(entries: Matrix) -> Matrix:
            if pattern == Pattern.DIAGONAL:
                return entries.conj()
            return np.asarray(entries.reshape(1 << k, 1 << k).conj().T).ravel()

        pieces, position = [adjoint(constants[data : data + size])], data + size
        for _ in range(int(record["num_terms"])):
            cos, sin = constants[position + 1 : position + 1 + 2 * size].reshape(2, size)
            pieces += [constants[position : position + 1], adjoint(cos), adjoint(sin)]
            position += 1 + 2 * size
        return np.concatenate(pieces)

    # -- generators ------------------------------------------------------------------------------
    def add_generator(self, original: np.void) -> None:
        record = original.copy()
        slot, weight = int(original["slot"]), float(original["scale"])
        if original["pattern"] == Pattern.PAULI_ROTATION:  # -i P / 2, and -i P is the rotation by pi
            record["slot"], record["scale"], record["shift"] = -1, 0.0, np.pi
            self.emit(record, slot, weight / 2)
            return
        key = (int(original["pattern"]), int(original["data"]))
        if key not in self._generators:
            self._generators[key] = self._make_generator(original)
        made = self._generators[key]
        if made is None:
            return
        pattern, num_terms, sources, data = made
        record["pattern"], record["num_terms"], record["data"] = pattern, num_terms, data
        if not num_terms:
            record["slot"], record["scale"], record["shift"] = -1, 0.0, 0.0
        record["targets"] = self.pools.put_integers(np.concatenate([self.targets(original), sources]))
        self.emit(record, slot, weight)

    def _make_generator(self, record: np.void) -> tuple[int, int, Any, int] | None:
        """(pattern, number of terms, sources, place of the data) of a generator; None if it is zero."""
        family = family_of(self.tape, record)
        slope = family.derivative()
        values = [_product(slope.at(angle), family.at(angle)) for angle in GENERIC_ANGLES]
        size = max(float(np.abs(v).max()) for v in values)
        if size == 0.0:
            return None
        rounding = _DUST * size * (1 + float(np.abs(family.levels).max()))  # that of phases grows with them
        if all(np.abs(v - values[0]).max() <= rounding for v in values):
            matrix = np.where(np.abs(values[0]) > _DUST * size, values[0], 0.0)
            return self._constant_generator(matrix, int(record["pattern"]))
        products = slope.times_adjoint(family)
        zero = np.zeros(products.coefficients[0].size)
        pieces: list[Any] = [zero]
        for level, coefficient in zip(products.levels, products.coefficients, strict=True):
            entries = coefficient.ravel()  # exp(i w angle) = cos(w angle) + i sin(w angle)
            pieces += [[level], entries, 1j * entries]
        data = self.pools.put_constants(np.concatenate(pieces))
        return int(record["pattern"]), len(products.levels), (), data

    def _constant_generator(self, matrix: Matrix, pattern: int) -> tuple[int, int, Any, int]:
        if matrix.ndim == 1:
            return pattern, 0, (), self.pools.put_constants(matrix)
        if not np.any(matrix[~np.eye(len(matrix), dtype=bool)]):
            return int(Pattern.DIAGONAL), 0, (), self.pools.put_constants(np.diag(matrix))
        nonzero = matrix != 0
        if (nonzero.sum(0) == 1).all() and (nonzero.sum(1) == 1).all():
            sources = nonzero.argmax(1)
            entries = matrix[np.arange(len(matrix)), sources]
            return int(Pattern.PERMUTATION), 0, sources, self.pools.put_constants(entries)
        return pattern, 0, (), self.pools.put_constants(matrix.ravel())

    # -- the tape --------------------------------------------------------------------------------
    def finish(self) -> Reverse:
        count = max((i + 1 for i, slot in enumerate(self.slots) if slot >= 0), default=0)
        records = np.array(
            self.records[:count], dtype=INSTRUCTION
        )  # nothing reads the states behind the last
        pools = self.pools
        integers = np.concatenate([np.zeros(0, np.int32), *pools.integers])
        constants = np.ascontiguousarray(np.concatenate([np.zeros(0, complex), *pools.constants]))
        active = []
        for record in records:
            mask = 0
            if record["pattern"] == Pattern.PAULI_ROTATION:
                mask = int(record["x_mask"])
            elif record["pattern"] in (Pattern.DENSE, Pattern.PERMUTATION):
                first = int(record["targets"])
                for q in integers[first : first + int(record["num_targets"])]:
                    mask |= 1 << int(q)
            active.append(mask)
        whole = set(np.flatnonzero(records["pattern"] == Pattern.PREPARE).tolist())
        tape = Tape(
            self.tape.num_qubits,
            self.tape.num_slots,
            records,
            integers,
            constants,
            plan_segments(active, whole),
        )
        out = Reverse(
            tape, np.array(self.slots[:count], dtype=np.int32), np.array(self.weights[:count], dtype=float)
        )
        for array in (
            tape.instructions,
            tape.integers,
            tape.constants,
            tape.segments,
            out.slots,
            out.weights,
        ):
            array.flags.writeable = False
        return out


def reverse_tape(tape: Tape, slots: Collection[int]) -> Reverse:
    """The reverse tape for derivatives by some slots.

    Parameters
    ----------
    tape : Tape
        Of unitary instructions.
    slots : collection of int

    Notes
    -----
    The generator of a one-parameter group ``exp(-i angle G)`` is the constant ``-i G``. That of any other
    gate is a trigonometric polynomial like the gate itself, whose frequencies are differences of the gate's.
    """
    out = _Reverser(tape)
    for record in tape.instructions[::-1]:
        if record["slot"] >= 0 and int(record["slot"]) in slots:
            out.add_generator(record)
        out.add_inverse(record)
    return out.finish()
