"""Numbers that come from samples, with the interval they are known to."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError

__all__ = ["Estimate", "bootstrap_weights", "check_confidence", "mean_estimate", "normal_estimate", "spread"]

FloatArray = npt.NDArray[np.float64]
#: Resamples of a bootstrap: enough for the second digit of an interval's ends.
NUM_RESAMPLES = 1000


@dataclass(frozen=True)
class Estimate:
    """A number and the interval that holds it with some confidence.

    Attributes
    ----------
    value, low, high : float
    confidence : float
        Share of intervals made this way that hold the true number.

    Examples
    --------
    >>> print(Estimate(0.91234, 0.901, 0.9251))
    0.912 [0.901, 0.925]
    """

    value: float
    low: float
    high: float
    confidence: float = 0.95

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def check_confidence(confidence: Any) -> float:
    """A probability strictly between 0 and 1."""
    if isinstance(confidence, bool) or not isinstance(confidence, numbers.Real):
        raise TypeError(f"Argument `confidence` must be a number, but is {type(confidence).__name__}.")
    share = float(confidence)
    if not 0 < share < 1:
        raise ArgumentError(f"Argument `confidence` must lie between 0 and 1, but is {confidence}.")
    return share


def bootstrap_weights(rng: np.random.Generator, size: int, resamples: int = NUM_RESAMPLES) -> FloatArray:
    """How often each of `size` samples is drawn in each resample, over `size`: shape (resamples, size).

    The product with the samples gives the means of all resamples at once.
    """
    return rng.multinomial(size, np.full(size, 1 / size), size=resamples) / size


def spread(value: float, resampled: FloatArray, confidence: float) -> Estimate:
    """The percentile interval of resampled values around the value found."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high), confidence)


def mean_estimate(samples: FloatArray, rng: np.random.Generator, confidence: float) -> Estimate:
    """The mean of independent samples with its bootstrap interval."""
    means = bootstrap_weights(rng, len(samples)) @ samples
    return spread(float(samples.mean()), means, confidence)


def normal_estimate(value: float, error: float, confidence: float) -> Estimate:
    """A value whose standard error is known."""
    width = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Estimate(float(value), float(value - width), float(value + width), confidence)
