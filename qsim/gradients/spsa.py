"""Simultaneous perturbation: all parameters moved at once, in random directions (J. C. Spall, 1992)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.gradients.evaluations import Options, Streams, evaluation_ranges
from qsim.gradients.finite_difference import SHOT_STEP, checked_step, evaluate_at

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["estimate"]

FloatArray = npt.NDArray[np.float64]
#: Without shots only the third derivative limits it, and rounding.
_STEPS = {np.dtype(np.complex128): 1e-4, np.dtype(np.complex64): 1e-2}


def estimate(
    program: Program, values: FloatArray, columns: list[int], options: Options
) -> tuple[Any, Any, FloatArray, FloatArray]:
    """See `qsim.gradients.evaluate.METHODS`. The variances are those among the directions (NaN for one)."""
    default = _STEPS[program.dtype] if options.shots is None else SHOT_STEP
    half = default if options.step is None else checked_step(options.step)
    (batch, count), times = values.shape, options.directions
    streams = Streams(options.seed, batch)
    evaluate = evaluate_at(program, options, streams)
    everyone = np.arange(batch)
    out, out_variance = evaluate(values, everyone, np.zeros(batch, dtype=np.int64))
    slopes = np.zeros((batch, times, out.shape[1], count), dtype=out.dtype)
    signs = np.zeros((batch, times, count))
    for row, generator in enumerate(streams.generators):
        signs[row][:, columns] = 2.0 * generator.integers(0, 2, (times, len(columns))) - 1.0
    for part in evaluation_ranges(program, batch * times, 2 * count):
        rows, which = np.divmod(np.arange(part.start, part.stop), times)
        move = half * signs[rows, which]
        found, _ = evaluate(
            np.concatenate([values[rows] + move, values[rows] - move]),
            np.concatenate([rows, rows]),
            np.concatenate([1 + 2 * which, 2 + 2 * which]),
            2 * batch * times,
        )
        difference = (found[: len(rows)] - found[len(rows) :]) / (2 * half)
        slopes[rows, which] = difference[..., None] * signs[rows, which][:, None]
    mean = slopes.mean(axis=1)
    if times == 1:
        return out, mean, out_variance, np.full(mean.shape, np.nan)
    spread = (np.abs(slopes - mean[:, None]) ** 2).sum(axis=1) / (times - 1)
    return out, mean, out_variance, spread / times
