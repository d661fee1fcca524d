"""Arithmetic of many Pauli strings at once, on arrays of masks and coefficients.

A term is ``c * P`` with the Hermitian Pauli product ``P = i^|x & z| X^x Z^z`` (a Y where both masks
have a bit), so ``P_1 P_2 = i^k P_12`` with masks ``x_1 ^ x_2``, ``z_1 ^ z_2`` and
``k = |x_1 & z_1| + |x_2 & z_2| + 2 |z_1 & x_2| - |x_12 & z_12|``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from qsim.observables.checks import MaskArray

__all__ = [
    "POWERS_OF_I",
    "Terms",
    "anticommute",
    "concatenate",
    "group_general",
    "group_qubit_wise",
    "merge",
    "phase_exponent",
    "product",
    "remap_masks",
]

#: ``i^k`` for k = 0..3; multiplying by one of them is exact.
POWERS_OF_I = np.array([1, 1j, -1, -1j], dtype=np.complex128)
_POWERS_OF_I = (1 + 0j, 1j, -1 + 0j, -1j)

# A product forms this many pairs of terms at a time, then merges equal strings: 2**20 pairs take 40 MB.
_PAIRS_AT_ONCE = 1 << 20


class Terms(NamedTuple):
    """Parallel arrays of terms, all of shape (num_terms,)."""

    x_masks: MaskArray
    z_masks: MaskArray
    coefficients: npt.NDArray[np.complex128]

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> Terms:
        """The terms an index, a mask or a slice picks."""
        return Terms(self.x_masks[index], self.z_masks[index], self.coefficients[index])


def phase_exponent(x1: int, z1: int, x2: int, z2: int) -> complex:
    """Phase ``i^k`` of the product of two strings given as Python integers."""
    exponent = (x1 & z1).bit_count() + (x2 & z2).bit_count() + 2 * (z1 & x2).bit_count()
    return _POWERS_OF_I[(exponent - ((x1 ^ x2) & (z1 ^ z2)).bit_count()) % 4]


def anticommute(x1: MaskArray, z1: MaskArray, x2: MaskArray, z2: MaskArray) -> npt.NDArray[np.bool_]:
    """Whether strings anticommute: they differ, both not identity, on an odd number of qubits."""
    return (np.bitwise_count((x1 & z2) ^ (z1 & x2)) & 1).astype(np.bool_)


def concatenate(parts: list[Terms]) -> Terms:
    """The terms of several sums, one after the other."""
    if not parts:
        empty = np.empty(0, np.uint64)
        return Terms(empty, empty, np.empty(0, np.complex128))
    return Terms(
        np.concatenate([part.x_masks for part in parts]),
        np.concatenate([part.z_masks for part in parts]),
        np.concatenate([part.coefficients for part in parts]),
    )


def merge(terms: Terms, *, atol: float = 0.0, order: Literal["appearance", "masks"] = "appearance") -> Terms:
    """Add the coefficients of equal strings and drop those of magnitude at most `atol`.

    O(num_terms log num_terms). The result is in order of first appearance, or of (x_mask, z_mask).
    """
    x, z, c = terms
    by_mask = np.lexsort((z, x))  # stable: within a string, terms are added in the order given
    x, z, c = x[by_mask], z[by_mask], c[by_mask]
    new = np.empty(len(x), dtype=np.bool_)
    new[:1] = True
    np.logical_or(x[1:] != x[:-1], z[1:] != z[:-1], out=new[1:])
    starts = np.flatnonzero(new)
    if len(starts) < len(x):
        with np.errstate(over="ignore", invalid="ignore"):  # PauliSum raises for infinite coefficients
            c = np.add.reduceat(c, starts)
        x, z = x[starts], z[starts]
        by_mask = by_mask[starts]
    keep = ~(np.abs(c) <= atol)  # NaN stays, for whoever checks
    if not keep.all():
        x, z, c, by_mask = x[keep], z[keep], c[keep], by_mask[keep]
    if order == "appearance":
        back = np.argsort(by_mask)
        x, z, c = x[back], z[back], c[back]
    return Terms(x, z, c)


def product(left: Terms, right: Terms, pairs: Literal["all", "commuting", "anticommuting"] = "all") -> Terms:
    """Merged product of two sums, over all pairs of terms or only the (anti)commuting ones.

    O(n m) pairs, formed in pieces; commutator and anticommutator are twice a sum over half the
    pairs, so terms that cancel are never formed.
    """
    rows = max(1, _PAIRS_AT_ONCE // max(1, len(right.x_masks)))
    x2, z2, c2 = right.x_masks[np.newaxis], right.z_masks[np.newaxis], right.coefficients[np.newaxis]
    y2 = np.bitwise_count(x2 & z2).astype(np.int16)
    parts = []
    for start in range(0, len(left.x_masks), rows):
        some = left.take(slice(start, start + rows))
        x1, z1, c1 = (
            some.x_masks[:, np.newaxis],
            some.z_masks[:, np.newaxis],
            some.coefficients[:, np.newaxis],
        )
        x, z = x1 ^ x2, z1 ^ z2
        exponent = np.bitwise_count(x1 & z1).astype(np.int16) + y2
        exponent = exponent + 2 * np.bitwise_count(z1 & x2).astype(np.int16)
        exponent -= np.bitwise_count(x & z)
        with np.errstate(over="ignore", invalid="ignore"):
            coefficients = c1 * c2 * POWERS_OF_I[exponent & 3]
        piece = Terms(x.ravel(), z.ravel(), coefficients.ravel())
        if pairs != "all":
            odd = anticommute(x1, z1, x2, z2).ravel()
            piece = piece.take(odd if pairs == "anticommuting" else ~odd)
        parts.append(merge(piece))
    return parts[0] if len(parts) == 1 else merge(concatenate(parts))


def remap_masks(masks: MaskArray, qubits: tuple[int, ...]) -> MaskArray:
    """Move bit j of every mask to bit ``qubits[j]``."""
    moved = np.zeros_like(masks)
    for bit, qubit in enumerate(qubits):
        moved |= ((masks >> np.uint64(bit)) & np.uint64(1)) << np.uint64(qubit)
    return moved


def group_qubit_wise(terms: Terms) -> npt.NDArray[np.intp]:
    """Group number of each term, so that within a group all letters on a qubit agree (or are I).

    Greedy first fit, largest coefficients first; O(num_terms * num_groups).
    """
    x, z, c = terms
    groups = np.empty(len(x), dtype=np.intp)
    basis_x, basis_z = np.zeros(len(x), np.uint64), np.zeros(len(x), np.uint64)  # letters a group has so far
    count = 0
    for term in np.argsort(-np.abs(c), kind="stable"):
        bx, bz = basis_x[:count], basis_z[:count]
        clash = ((bx ^ x[term]) | (bz ^ z[term])) & (bx | bz) & (x[term] | z[term])
        fitting = clash == 0
        group = int(fitting.argmax()) if count and fitting.any() else count
        count = max(count, group + 1)
        groups[term] = group
        basis_x[group] |= x[term]
        basis_z[group] |= z[term]
    return groups


def group_general(terms: Terms) -> npt.NDArray[np.intp]:
    """Group number of each term, so that all strings of a group commute.

    Greedy first fit, largest coefficients first; O(num_terms**2) bit operations.
    """
    by_size = np.argsort(-np.abs(terms.coefficients), kind="stable")
    x, z, _ = terms.take(by_size)
    groups = np.empty(len(x), dtype=np.intp)
    taken = np.zeros(len(x) + 1, dtype=np.bool_)  # groups that hold a string the next one anticommutes with
    for term in range(len(x)):
        blocked = groups[:term][anticommute(x[:term], z[:term], x[term], z[term])]
        taken[blocked] = True
        groups[term] = int(taken.argmin())
        taken[blocked] = False
    result = np.empty_like(groups)
    result[by_size] = groups
    return result
