"""Central differences: an approximation for comparison, and for what no exact method can differentiate."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError, GradientError
from qsim.gradients.evaluations import Evaluations, Options, Streams, evaluation_ranges

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["checked_step", "estimate", "evaluate_at"]

FloatArray = npt.NDArray[np.float64]
#: Where rounding and the error of the formula are about equal, for parameters of order 1.
_STEPS = {np.dtype(np.complex128): 1e-5, np.dtype(np.complex64): 1e-2}
#: With shots the noise is divided by the step.
SHOT_STEP = 0.1


def estimate(
    program: Program, values: FloatArray, columns: list[int], options: Options
) -> tuple[Any, Any, FloatArray, FloatArray]:
    """See `qsim.gradients.evaluate.METHODS`."""
    default = _STEPS[program.dtype] if options.shots is None else SHOT_STEP
    half = default if options.step is None else checked_step(options.step)
    batch, count = values.shape
    evaluate = evaluate_at(program, options, None if options.shots is None else Streams(options.seed, batch))
    everyone = np.arange(batch)
    out, out_variance = evaluate(values, everyone, np.zeros(batch, dtype=np.int64))
    jacobian = np.zeros((batch, out.shape[1], count), dtype=out.dtype)
    variance = np.zeros((batch, out.shape[1], count))
    chosen = np.array(columns, dtype=np.int64)
    for part in evaluation_ranges(program, batch * len(chosen), 2 * count):
        rows, places = np.divmod(np.arange(part.start, part.stop), len(chosen))
        column = chosen[places]
        up, down, here = values[rows], values[rows], np.arange(len(rows))
        up[here, column] += half
        down[here, column] -= half
        found, noise = evaluate(
            np.concatenate([up, down]),
            np.concatenate([rows, rows]),
            np.concatenate([1 + 2 * places, 2 + 2 * places]),
            2 * batch * len(chosen),
        )
        width = (up[here, column] - down[here, column])[:, None]  # free of the rounding of values and step
        jacobian[rows, :, column] = (found[: len(rows)] - found[len(rows) :]) / width
        variance[rows, :, column] = (noise[: len(rows)] + noise[len(rows) :]) / width**2
    return out, jacobian, out_variance, variance


def evaluate_at(program: Program, options: Options, streams: Streams | None) -> Any:
    """A function of values of the parameters, with the other arguments of `Evaluations`."""
    code = program._code
    if code.is_static and code.keeps_norm:
        evaluations = Evaluations(program, options, streams)
        return lambda values, *places: evaluations(program._slots.angles(values), *places)
    if options.shots is not None or options.measurement is not None:
        what = (
            "Shots of a gradient"
            if options.measurement is None
            else f"A derivative of {options.measurement!r}"
        )
        raise GradientError(
            f"{what} needs a circuit of unitary gates up to its read-out, but this one {code.obstacle()}. "
            "Use method='finite_difference' for exact expectation values."
        )
    several = program.with_observables(list(program.observables))

    def expectation(values: FloatArray, *places: Any) -> tuple[Any, FloatArray]:
        found = several.expectation(values)
        return found, np.zeros(found.shape)

    return expectation


def checked_step(step: Any) -> float:
    if isinstance(step, bool) or not isinstance(step, numbers.Real):
        raise TypeError(f"Argument `step` must be a real number, but is {type(step).__name__}.")
    if not 0 < float(step) < np.inf:
        raise ArgumentError(f"Argument `step` must be positive and finite, but is {step}.")
    return float(step)
