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
#: Limits of what is evaluated at once.
_ROWS, _VALUE_BYTES = 1 << 13, 1 << 26


def values_and_jacobian(
    program: Program, values: FloatArray, columns: list[int], step: float | None
) -> tuple[FloatArray, FloatArray]:
    """Values (batch, num_observables) and derivatives (batch, num_observables, num_parameters)."""
    half = _STEPS[program.dtype] if step is None else _checked(step)
    batch, count = values.shape
    several = program.with_observables(list(program.observables))
    out = several.expectation(values)
    jacobian = np.zeros((batch, len(program.observables), count))
    chosen = np.array(columns, dtype=np.int64)
    at_once = max(1, min(_ROWS, _VALUE_BYTES // (16 * max(1, count))))
    for first in range(0, batch * len(chosen), at_once):
        pairs = np.arange(first, min(first + at_once, batch * len(chosen)))
        rows, column = pairs // len(chosen), chosen[pairs % len(chosen)]
        up, down, here = values[rows], values[rows], np.arange(len(rows))
        up[here, column] += half
        down[here, column] -= half
        found = several.expectation(np.concatenate([up, down]))
        width = up[here, column] - down[here, column]  # free of the rounding of values and step
        jacobian[rows, :, column] = (found[: len(rows)] - found[len(rows) :]) / width[:, None]
    return out, jacobian


def _checked(step: float) -> float:
    if isinstance(step, bool) or not isinstance(step, numbers.Real):
        raise TypeError(f"Argument `step` must be a real number, but is {type(step).__name__}.")
    if not 0 < step < np.inf:
        raise ArgumentError(f"Argument `step` must be positive and finite, but is {step}.")
    return float(step)
