"""What a gate is, in the form cheapest for lanes: exponentials of Pauli strings, a move of bits, or a matrix.

A string is ``(x, z, h)``: ``h`` times the product of X where `x` has a bit, Z where `z` has, and Y where both
have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from qsim.program.reverse import GENERIC_ANGLES, Family

__all__ = ["MAX_MATRIX", "Move", "Strings", "Unsupported", "analyse", "exponential", "odd", "xor_of"]

Matrix = npt.NDArray[np.complex128]

_DUST = 1e-14
#: A diagonal on so many qubits becomes as many phases as it has entries.
_MAX_DIAGONAL = 8
MAX_MATRIX = 3
_MAX_GENERATOR = 4


class Unsupported(Exception):
    """The tape has an instruction that lanes do not run."""


def xor_of(masks: Sequence[int], bits: int) -> int:
    out = 0
    while bits:
        out ^= masks[(bits & -bits).bit_length() - 1]
        bits &= bits - 1
    return out


def odd(mask: int) -> int:
    return mask.bit_count() & 1


def exponential(family: Family) -> tuple[list[tuple[int, int, float]] | None, Matrix | None]:
    """Strings (x, z, h) and a constant V such that the matrix at any angle is ``prod exp(-i angle h P) V``.

    V is None for the identity. No strings, but None: it has no such form.
    """
    matrices = [_square(family.at(angle)) for angle in (0.0, *GENERIC_ANGLES[1:])]
    rest = None if np.abs(matrices[0] - np.eye(len(matrices[0]))).max() < _DUST else matrices[0]
    if not family.levels.any():
        return [], matrices[0]
    slope = family.derivative()
    slopes = [_square(slope.at(angle)) for angle in (0.0, *GENERIC_ANGLES[1:])]
    generators = [1j * s @ m.conj().T for s, m in zip(slopes, matrices, strict=True)]
    rounding = _DUST * (1.0 + float(np.abs(family.levels).max()))
    constant = all(np.abs(g - generators[0]).max() < rounding for g in generators)
    unitary = all(np.abs(m @ m.conj().T - np.eye(len(m))).max() < _DUST for m in matrices)
    diagonal = not np.any(generators[0][~np.eye(len(generators[0]), dtype=bool)])
    limit = 1 << (_MAX_DIAGONAL if diagonal else _MAX_GENERATOR)
    if not constant or not unitary or len(generators[0]) > limit:
        return None, None
    terms = _strings_of(generators[0])
    for (x, z, _), (other_x, other_z, _) in combinations(terms, 2):
        if odd(x & other_z) != odd(z & other_x):
            return None, None
    return terms, rest


@dataclass(frozen=True, slots=True)
class Strings:
    """``prod exp(-i h P)`` of commuting strings (x, z, h), or of any in this order."""

    terms: list[tuple[int, int, float]]


@dataclass(frozen=True, slots=True)
class Move:
    """An affine map of bits, then phases: what flips each new bit, which old bits it is the parity of."""

    images: list[int]
    parities: list[int]
    flips: int
    terms: list[tuple[int, int, float]]


def analyse(matrix: Matrix, values: tuple[int, ...]) -> Strings | Move | Matrix:
    """The cheapest form of a constant behind controls of these values; strings leave the controls out."""
    dim, num_controls = len(matrix), len(values)
    diagonal = np.diag(matrix)
    if _is_unit(diagonal) and np.abs(matrix - np.diag(diagonal)).max() < _DUST:
        if dim << num_controls > 1 << _MAX_DIAGONAL:
            raise Unsupported
        return Strings(_strings_of(np.diag(-np.angle(diagonal))))
    if dim << num_controls <= 1 << MAX_MATRIX:
        move = _as_move(matrix, values)
        if move is not None:
            return move
    if dim == 2 and not values and np.abs(matrix @ matrix.conj().T - np.eye(2)).max() < _DUST:
        return Strings(_euler(matrix))
    return matrix


def _is_unit(entries: Matrix) -> bool:
    return bool(np.all(np.abs(np.abs(entries) - 1.0) < _DUST))


def _as_move(matrix: Matrix, values: tuple[int, ...]) -> Move | None:
    inner = len(matrix)
    k = inner.bit_length() - 1 + len(values)
    dim, first = 1 << k, inner * sum(value << i for i, value in enumerate(values))
    full = np.eye(dim, dtype=complex)
    full[first : first + inner, first : first + inner] = matrix
    big = np.abs(full) > _DUST
    if not ((big.sum(0) == 1).all() and (big.sum(1) == 1).all()):
        return None
    sources = big.argmax(1).tolist()
    phases = full[np.arange(dim), sources]
    images = [sources[1 << i] ^ sources[0] for i in range(k)]
    affine = all(sources[j] == xor_of(images, j) ^ sources[0] for j in range(dim))
    if not affine or not _is_unit(phases):
        return None
    inverse = [sources.index(j) for j in range(dim)]
    differences = [inverse[1 << j] ^ inverse[0] for j in range(k)]
    parities = [sum((d >> i & 1) << j for j, d in enumerate(differences)) for i in range(k)]
    return Move(images, parities, inverse[0], _strings_of(np.diag(-np.angle(phases))))


def _euler(u: Matrix) -> list[tuple[int, int, float]]:
    """Strings Z, Y, Z and the identity whose exponentials, in this order, make a unitary of one qubit."""
    turn = float(np.arctan2(abs(u[1, 0]), abs(u[0, 0])))
    down, up = float(np.angle(u[1, 0])), float(np.angle(-u[0, 1]))
    if abs(u[0, 0]) > _DUST:
        left, right = float(np.angle(u[0, 0])), float(np.angle(u[1, 1]))
        shift, total = (left + right) / 2, right - left
        difference = 2 * (down - shift)
    else:
        shift, total, difference = (down + up) / 2, 0.0, down - up
    return [(0, 1, (total - difference) / 4), (1, 1, turn), (0, 1, (total + difference) / 4), (0, 0, -shift)]


def _square(entries: Matrix) -> Matrix:
    return np.diag(entries) if entries.ndim == 1 else entries


def _strings_of(matrix: Matrix) -> list[tuple[int, int, float]]:
    """Pauli strings (x, z, coefficient) of a Hermitian matrix."""
    dim = len(matrix)
    index = np.arange(dim)
    signs = 1.0 - 2.0 * (np.bitwise_count(index[:, None] & index) & 1)
    out = []
    for x in range(dim):
        entries = matrix[index, index ^ x]
        if not np.any(np.abs(entries) > 1e-16):
            continue
        for z, total in enumerate((signs @ entries).tolist()):
            h = (total * 1j ** ((x & z).bit_count() & 3)).real / dim
            if abs(h) > 1e-15:
                out.append((x, z, h))
    return out
