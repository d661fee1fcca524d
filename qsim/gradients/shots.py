"""Observables estimated from shots: which bases to sample, and means with their variances.

Terms of all observables that agree on every qubit, or are I there, share a basis and its samples. So a
circuit is simulated once, and sampled once for each basis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.gates import get_gate
from qsim.observables import Diagonal, Observable, PauliSum, Projector
from qsim.observables.algebra import Terms, concatenate, group_qubit_wise, merge
from qsim.observables.diagonal import diagonal_values
from qsim.operations import GateOperation
from qsim.program.lower import TapeBuilder
from qsim.program.slots import SlotAllocator

if TYPE_CHECKING:
    from qsim.backends.base import Backend

__all__ = ["ShotPlan"]

FloatArray = npt.NDArray[np.float64]
#: Up to this many basis states the values of all observables are tabulated.
_MAX_TABLE = 1 << 12


@dataclass(eq=False)
class _Basis:
    """One basis: what turns it into the computational one, and what is read off the outcomes."""

    rotation: Any
    masks: npt.NDArray[np.uint64]
    coefficients: FloatArray  # (num_observables, num_masks)
    diagonals: list[tuple[int, Observable]]
    table: FloatArray | None = None

    def values(self, outcomes: npt.NDArray[np.uint64]) -> FloatArray:
        """The observables' values at outcomes, (num_observables, len(outcomes))."""
        signs = 1.0 - 2.0 * (np.bitwise_count(outcomes[None] & self.masks[:, None]) & 1)
        out: FloatArray = np.einsum("ot,ts->os", self.coefficients, signs)
        for k, observable in self.diagonals:
            out[k] += diagonal_values(observable, outcomes)
        return out


class ShotPlan:
    """How to estimate some observables.

    Parameters
    ----------
    backend : Backend
    observables : sequence of Observable
    num_qubits : int
    """

    def __init__(self, backend: Backend, observables: Sequence[Observable], num_qubits: int) -> None:
        self._backend, self._num_qubits = backend, num_qubits
        count = len(observables)
        self.constants = np.zeros(count)
        owners: list[npt.NDArray[np.int64]] = []
        parts: list[Terms] = []
        diagonals: list[tuple[int, Observable]] = []
        for k, observable in enumerate(observables):
            if isinstance(observable, Diagonal | Projector):
                diagonals.append((k, observable))
                continue
            # what has no basis of its own is measured as a sum of Pauli strings
            own = observable if isinstance(observable, PauliSum) else observable.to_pauli_sum()
            x, z, c = own.real_terms()
            identity = (x | z) == 0
            self.constants[k] += c[identity].sum()
            parts.append(Terms(x[~identity], z[~identity], c[~identity].astype(complex)))
            owners.append(np.full(len(parts[-1].x_masks), k))
        terms = concatenate(parts)
        owner = np.concatenate([np.zeros(0, np.int64), *owners])
        # each string once, with the largest of its coefficients, decides about the bases
        strings = merge(Terms(terms.x_masks, terms.z_masks, np.abs(terms.coefficients).astype(complex)))
        groups = group_qubit_wise(strings)
        place = {
            (int(x), int(z)): int(g) for x, z, g in zip(strings.x_masks, strings.z_masks, groups, strict=True)
        }
        of_term = np.array(
            [place[int(x), int(z)] for x, z in zip(terms.x_masks, terms.z_masks, strict=True)], dtype=np.int64
        )
        self.bases: list[_Basis] = []
        for group in range(int(groups.max(initial=-1)) + 1):
            chosen = of_term == group
            x, z = terms.x_masks[chosen], terms.z_masks[chosen]
            masks, where = np.unique(x | z, return_inverse=True)
            coefficients = np.zeros((count, len(masks)))
            np.add.at(coefficients, (owner[chosen], where), terms.coefficients[chosen].real)
            all_x, all_z = int(np.bitwise_or.reduce(x)), int(np.bitwise_or.reduce(z))
            own_diagonals: list[tuple[int, Observable]] = []
            if not all_x:
                own_diagonals, diagonals = diagonals, []
            self.bases.append(_Basis(self._rotation(all_x, all_z), masks, coefficients, own_diagonals))
        if diagonals:
            nothing = np.zeros(0, np.uint64)
            self.bases.append(_Basis(None, nothing, np.zeros((count, 0)), diagonals))
        if 1 << num_qubits <= _MAX_TABLE:
            outcomes = np.arange(1 << num_qubits, dtype=np.uint64)
            for basis in self.bases:
                basis.table = basis.values(outcomes)

    def _rotation(self, x_mask: int, z_mask: int) -> Any:
        """A tape that takes X and Y of some qubits to Z; None for none."""
        if not x_mask:
            return None
        builder = TapeBuilder(self._num_qubits, SlotAllocator(()))
        for q in range(self._num_qubits):
            if x_mask >> q & 1:
                names = ("sdg", "h") if z_mask >> q & 1 else ("h",)
                for name in names:
                    builder.add(GateOperation(get_gate(name), (), (q,)))
        return self._backend.compile(builder.finish(0), fuse=False)

    def estimate(
        self, states: Any, keys: npt.NDArray[np.uint64], shots: int, threads: int
    ) -> tuple[FloatArray, FloatArray]:
        """Means of all observables over shots, and the variances of these means.

        Parameters
        ----------
        states : ndarray, shape (rows, 2**n)
        keys : ndarray of uint64, shape (rows, number of bases)
            Of the streams that decide the outcomes.
        shots : int
            For each basis.

        Returns
        -------
        means, variances : ndarray, shape (rows, num_observables)
            Unbiased both (NaN for the variance of a single shot).
        """
        rows = len(states)
        means, variances = np.tile(self.constants, (rows, 1)), np.zeros((rows, len(self.constants)))
        for place, basis in enumerate(self.bases):
            turned = states
            if basis.rotation is not None:
                turned = states.copy()
                self._backend.apply(basis.rotation, turned, np.zeros((1, 0)), threads)
            for row in range(rows):
                outcomes = self._backend.sample(turned[row], int(keys[row, place]), shots, threads)
                if basis.table is not None:
                    values, counts = basis.table, np.bincount(outcomes, minlength=basis.table.shape[1])
                else:
                    distinct, counts = np.unique(outcomes, return_counts=True)
                    values = basis.values(distinct.astype(np.uint64))
                mean = np.einsum("os,s->o", values, counts / shots)
                means[row] += mean
                if shots > 1:
                    spread = np.einsum("os,s->o", (values - mean[:, None]) ** 2, counts / (shots - 1))
                    variances[row] += spread / shots
                else:
                    variances[row] = np.nan
        return means, variances
