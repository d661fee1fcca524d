"""Levels of gates as functions of features: of single gates, or together of those that commute.

Gates one after the other whose generators commute are one gate. Its levels are those of the sum of
generators, fewer than the sums of levels where generators depend on each other: the exponentials of XX, YY
and ZZ with the same angle have the levels of a Heisenberg coupling, two and not eight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from qsim.program.reverse import Family, family_of, generator_of, levels_of
from qsim.program.tape import Pattern, Tape

__all__ = ["level_vectors"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
#: Gates are taken together on at most so many qubits; beside them, only diagonal ones.
_MAX_DENSE_QUBITS, _MAX_DIAGONAL_QUBITS = 5, 12
#: More distinct levels than this are no longer listed together.
_MAX_LEVELS = 2000
_ROUNDING = 1e-10
_PAULI = {
    (0, 0): np.eye(2, dtype=complex),
    (1, 0): np.array([[0, 1], [1, 0]], dtype=complex),
    (1, 1): np.array([[0, -1j], [1j, 0]]),
    (0, 1): np.diag([1.0 + 0j, -1.0]),
}


def level_vectors(
    tape: Tape, direction: Callable[[np.void], FloatArray | None], merged: Callable[[FloatArray], FloatArray]
) -> list[FloatArray]:
    """Levels of each gate that depends on features, or of several that are one: arrays (levels, features).

    Parameters
    ----------
    direction : callable
        The coefficients of the features in an instruction's angle; None if it does not depend on them.
    merged : callable
        Distinct rows of an array.
    """
    out: list[FloatArray] = []
    run: list[tuple[np.void, FloatArray]] = []
    for record in tape.instructions:
        own = direction(record)
        if own is not None and _joins(tape, run, record):
            run.append((record, own))
            continue
        out += _of_run(tape, run, merged)
        run = [] if own is None else [(record, own)]
    return out + _of_run(tape, run, merged)


def _joins(tape: Tape, run: list[tuple[np.void, FloatArray]], record: np.void) -> bool:
    """Whether an instruction commutes with all of a run, as far as this is looked at."""
    if run and (_is_exponential(tape, record) and _is_exponential(tape, run[0][0])):
        return all(_commute(tape, record, other) for other, _ in run)
    return not run


def _is_exponential(tape: Tape, record: np.void) -> bool:
    """Whether it is ``exp(angle E)`` with a constant E, on few enough qubits to look at."""
    if len(_qubits(tape, record)) > _MAX_DENSE_QUBITS:
        return False
    if record["pattern"] == Pattern.PAULI_ROTATION:
        return True
    if isinstance(generator_of(tape, record), Family):
        return False
    start = family_of(tape, record).at(0.0)
    return bool(np.abs(start - (np.eye(len(start)) if start.ndim == 2 else 1.0)).max() < _ROUNDING)


def _commute(tape: Tape, first: np.void, second: np.void) -> bool:
    if not set(_qubits(tape, first)) & set(_qubits(tape, second)) or (
        _is_diagonal(first) and _is_diagonal(second)
    ):
        return True
    qubits = sorted({*_qubits(tape, first), *_qubits(tape, second)})
    if len(qubits) > 2 * _MAX_DENSE_QUBITS - 1:
        return False
    a, b = _hermitian(tape, first, qubits), _hermitian(tape, second, qubits)
    return bool(np.abs(a @ b - b @ a).max() < _ROUNDING)


def _of_run(
    tape: Tape, run: list[tuple[np.void, FloatArray]], merged: Callable[[FloatArray], FloatArray]
) -> list[FloatArray]:
    """Levels of the gates of a run; those that share qubits are taken together."""
    out: list[FloatArray] = []
    for group in _groups(tape, run):
        together = _together(tape, group, merged) if len(group) > 1 else None
        if together is not None:
            out.append(together)
        else:
            out += [np.multiply.outer(levels_of(tape, record), own) for record, own in group]
    return out


def _groups(tape: Tape, run: list[tuple[np.void, FloatArray]]) -> list[list[tuple[np.void, FloatArray]]]:
    """Gates connected by qubits that they share."""
    groups: list[tuple[set[int], list[tuple[np.void, FloatArray]]]] = []
    for gate in run:
        qubits, members = set(_qubits(tape, gate[0])), [gate]
        rest = []
        for group in groups:
            if group[0] & qubits:
                qubits |= group[0]
                members = group[1] + members
            else:
                rest.append(group)
        groups = [*rest, (qubits, members)]
    return [members for _, members in groups]


def _together(
    tape: Tape, group: list[tuple[np.void, FloatArray]], merged: Callable[[FloatArray], FloatArray]
) -> FloatArray | None:
    """Levels of commuting gates as one gate; None where that is too large to look at."""
    qubits = sorted({q for record, _ in group for q in _qubits(tape, record)})
    size = 1 << len(qubits)
    out = np.zeros((size, len(group[0][1])))
    if all(_is_diagonal(record) for record, _ in group) and len(qubits) <= _MAX_DIAGONAL_QUBITS:
        for record, own in group:
            out += np.multiply.outer(_diagonal(tape, record, qubits), own)
    elif len(qubits) <= _MAX_DENSE_QUBITS:
        matrices = [_hermitian(tape, record, qubits) for record, _ in group]
        # a sum with generic factors has only the common eigenvectors
        factors = np.random.default_rng(0).uniform(1, 2, len(group))
        vectors = np.linalg.eigh(np.tensordot(factors, np.array(matrices), 1))[1]
        for matrix, (_, own) in zip(matrices, group, strict=True):
            levels = np.real(np.einsum("ia,ij,ja->a", vectors.conj(), matrix, vectors))
            out += np.multiply.outer(levels, own)
    else:
        return None
    distinct = merged(out)
    return distinct if len(distinct) <= _MAX_LEVELS else None


def _is_diagonal(record: np.void) -> bool:
    if record["pattern"] == Pattern.PAULI_ROTATION:
        return not record["x_mask"]
    return bool(record["pattern"] == Pattern.DIAGONAL)


def _qubits(tape: Tape, record: np.void) -> list[int]:
    """Targets and controls."""
    mask = int(record["ctrl_mask"])
    for q in _targets(tape, record):
        mask |= 1 << q
    return [q for q in range(tape.num_qubits) if mask >> q & 1]


def _targets(tape: Tape, record: np.void) -> list[int]:
    if record["pattern"] == Pattern.PAULI_ROTATION:
        mask = int(record["x_mask"]) | int(record["z_mask"])
        return [q for q in range(tape.num_qubits) if mask >> q & 1]
    first = int(record["targets"])
    return [int(q) for q in tape.integers[first : first + int(record["num_targets"])]]


def _generator(tape: Tape, record: np.void) -> ComplexArray:
    """G of ``exp(i angle G)`` on the targets, as a matrix or a diagonal."""
    if record["pattern"] != Pattern.PAULI_ROTATION:
        found = generator_of(tape, record)
        if found is None:
            return np.zeros(1 << int(record["num_targets"]), dtype=complex)
        assert not isinstance(found, Family)
        return np.asarray(-1j * found)
    matrix: ComplexArray = np.ones((1, 1), dtype=complex)
    for q in _targets(tape, record):
        pauli = _PAULI[int(record["x_mask"]) >> q & 1, int(record["z_mask"]) >> q & 1]
        matrix = np.kron(pauli, matrix)
    return np.asarray(matrix / -2, dtype=complex)


def _places(tape: Tape, record: np.void, qubits: Sequence[int]) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """For each basis state of some qubits: the index of the targets, and whether the controls are on."""
    index = np.arange(1 << len(qubits))
    bit = {q: index >> k & 1 for k, q in enumerate(qubits)}
    local = np.zeros(len(index), dtype=np.int64)
    for k, q in enumerate(_targets(tape, record)):
        local |= bit[q] << k
    active = np.ones(len(index))
    for q in _qubits(tape, record):
        if int(record["ctrl_mask"]) >> q & 1:
            active *= bit[q] == (int(record["ctrl_value"]) >> q & 1)
    return local, active


def _diagonal(tape: Tape, record: np.void, qubits: Sequence[int]) -> FloatArray:
    """The levels of a diagonal gate at the basis states of some qubits."""
    local, active = _places(tape, record, qubits)
    own = _generator(tape, record)
    own = np.diag(own) if own.ndim == 2 else own
    return np.asarray(np.real(own)[local] * active)


def _hermitian(tape: Tape, record: np.void, qubits: Sequence[int]) -> ComplexArray:
    """The generator of a gate as a matrix on some qubits."""
    local, active = _places(tape, record, qubits)
    own = _generator(tape, record)
    own = np.diag(own) if own.ndim == 1 else own
    mask = sum(1 << k for k, q in enumerate(qubits) if q in _targets(tape, record))
    rest = np.arange(1 << len(qubits)) & ~mask
    same = rest[:, None] == rest[None, :]
    return np.asarray(np.where(same, own[local[:, None], local[None, :]], 0.0) * active[:, None])
