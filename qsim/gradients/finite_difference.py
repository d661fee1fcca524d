"""Central differences: an approximation for comparison, and for what no exact method can differentiate."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["values_and_jacobian"]

FloatArray = npt.NDArray[np.float64]
#: Where rounding and the error of the formula are about equal, for parameters of order 1.
_STEPS = {np.dtype(np.complex128): 1e-5, np.dtype(np.complex64): 1e-2}
_ROWS = 4096


def values_and_jacobian(
    program: Program, values: FloatArray, columns: list[int], step: float | None
) -> tuple[FloatArray, FloatArray]:
    """Values (batch, num_observables) and derivatives (batch, num_observables, num_parameters)."""
    half = _STEPS[program.dtype] if step is None else _checked(step)
    batch, count = values.shape
    many = program if not program._is_single else program.with_observables(list(program.observables))
    out = many.expectation(values)
    jacobian = np.zeros((batch, len(program.observables), count))
    shifts = np.zeros((2 * len(columns), count))
    for k, column in enumerate(columns):
        shifts[2 * k : 2 * k + 2, column] = half, -half
    per_step = max(1, _ROWS // max(1, len(shifts)))
    for first in range(0, batch, per_step) if columns else ():
        part = values[first : first + per_step]
        shifted = (part[:, None, :] + shifts).reshape(-1, count)
        found = many.expectation(shifted).reshape(len(part), len(columns), 2, -1)
        # the values that were reached, not those that were meant: their difference is free of rounding
        reached = shifted.reshape(len(part), len(columns), 2, count)[:, np.arange(len(columns)), :, columns]
        width = (reached[..., 0] - reached[..., 1]).T
        slopes = (found[:, :, 0] - found[:, :, 1]) / width[..., None]
        jacobian[first : first + per_step, :, columns] = slopes.transpose(0, 2, 1)
    return out, jacobian


def _checked(step: float) -> float:
    if isinstance(step, bool) or not isinstance(step, numbers.Real):
        raise TypeError(f"Argument `step` must be a real number, but is {type(step).__name__}.")
    if not 0 < step < np.inf:
        raise ArgumentError(f"Argument `step` must be positive and finite, but is {step}.")
    return float(step)
