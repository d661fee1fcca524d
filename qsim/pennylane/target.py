"""A section of a plan as a function of rows of all parameters, with the derivatives interfaces ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import GradientError
from qsim.pennylane.plan import Plan, Section

__all__ = ["Target"]

FloatArray = npt.NDArray[np.float64]


class Target:
    """Values (rows, size) of rows of all parameters of a plan; methods named as those of a Program.

    Parameters
    ----------
    plan : Plan
    section : Section
    initial : ndarray, optional
        The states to start from.
    """

    def __init__(self, plan: Plan, section: Section, initial: Any = None) -> None:
        self._plan, self._section, self._initial = plan, section, initial
        self.size = section.size

    def expectation(self, rows: FloatArray) -> FloatArray:
        return self._section.values(self._own(rows), self._initial)

    def vjp(self, rows: FloatArray, cotangents: FloatArray) -> tuple[Any, FloatArray]:
        """Values and (rows, parameters)."""
        values, slopes, *_ = self._section.vjp(self._own(rows), cotangents, self._initial)
        return values, self._plan.full(slopes)

    def vjp_from(self, rows: FloatArray, cotangents: FloatArray) -> tuple[FloatArray, Any]:
        """Products by the rows, (rows, parameters), and by the initial states, (rows, 2**n)."""
        _, slopes, before = self._section.vjp(self._own(rows), cotangents, self._initial)
        return self._plan.full(slopes), before

    def vjps(self, rows: FloatArray, cotangents: FloatArray) -> tuple[Any, FloatArray]:
        """Values and, for cotangents (count, rows, size), their products (count, rows, parameters).

        Not fewer than there are numbers are multiplied with the Jacobian; others are taken one by one.
        """
        if len(cotangents) > 1 and len(cotangents) >= self.size:
            values, slopes = self.value_and_gradient(rows)
            return values, np.einsum("kbs,bsp->kbp", cotangents, slopes)
        if not len(cotangents):
            values = self.expectation(rows)
            return values, np.zeros((0, len(rows), rows.shape[1]))
        pairs = [self.vjp(rows, cotangent) for cotangent in cotangents]
        return pairs[0][0], np.stack([slopes for _, slopes in pairs])

    def jvp(self, rows: FloatArray, tangents: FloatArray) -> tuple[Any, FloatArray]:
        """Values and their changes, (rows, size)."""
        if self._initial is None:
            return self._section.jvp(self._own(rows), self._own(tangents))
        values, slopes = self.value_and_gradient(rows)
        return values, np.einsum("bsp,bp->bs", slopes, tangents)

    def value_and_gradient(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values and (rows, size, parameters)."""
        if self._initial is None:
            values, slopes = self._section.jacobian(self._own(rows))
            return values, self._plan.full(slopes)
        found, values = [], None
        count = max(len(rows), len(self._initial) if self._initial.ndim > 1 else 1)
        for k in range(self.size):  # one cotangent for each number
            unit = np.zeros((count, self.size))
            unit[:, k] = 1.0
            values, slope = self.vjp(rows, unit)
            found.append(slope)
        return np.asarray(values), np.stack(found, axis=1)

    def hvp(self, rows: FloatArray, vectors: FloatArray, cotangent: FloatArray) -> FloatArray:
        """The Hessian of the product with a cotangent, times vectors, (rows, parameters)."""
        if self._initial is not None:
            raise GradientError(
                "A circuit that starts from a prepared state has no second derivatives on this device; "
                "use diff_method='parameter-shift' and max_diff=2."
            )
        found = self._plan.full(self._section.hvp(self._own(rows), self._own(vectors), cotangent))
        found[~vectors.any(axis=1)] = 0.0  # as a linear function gives, without the core's rounding
        return found

    def _own(self, rows: FloatArray) -> FloatArray:
        """The columns that the program has."""
        chosen = self._plan.chosen
        return rows if chosen is None else np.ascontiguousarray(rows[:, chosen])
