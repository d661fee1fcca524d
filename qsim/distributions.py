"""Distributions of outcomes as dictionaries: bitstring to probability, the likeliest first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from qsim.bitstrings import Order, check_order, format_bitstring
from qsim.errors import ArgumentError

__all__ = ["distribution_from_array", "distribution_from_outcomes"]


def distribution_from_array(
    probabilities: npt.ArrayLike, *, cutoff: float = 0.0, order: Order = "little"
) -> dict[str, float]:
    """Dictionary of the outcomes whose probability exceeds a cutoff.

    Parameters
    ----------
    probabilities : array_like, shape (2**num_bits,), float64
        Probability of each outcome.
    cutoff : float, default 0
        Outcomes of at most this probability are left out.
    order : {"little", "big"}
        Where bit 0 stands in the bitstrings: last or first.

    Returns
    -------
    dict of str to float
        By descending probability, then by bitstring.

    Examples
    --------
    >>> distribution_from_array([0.25, 0.0, 0.5, 0.25])
    {'10': 0.5, '00': 0.25, '11': 0.25}
    """
    try:
        table = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"Argument `probabilities` must be real numbers, but is {type(probabilities).__name__}."
        ) from None
    if table.ndim != 1 or len(table) == 0 or len(table) & (len(table) - 1):
        raise ArgumentError(
            f"Argument `probabilities` must have shape (2**num_bits,), but has shape {table.shape}."
        )
    outcomes = np.flatnonzero(table > cutoff)
    weights = dict(zip(outcomes.tolist(), table[outcomes].tolist(), strict=True))
    return distribution_from_outcomes(weights, len(table).bit_length() - 1, cutoff=cutoff, order=order)


def distribution_from_outcomes(
    weights: Mapping[int, float], num_bits: int, *, cutoff: float = 0.0, order: Order = "little"
) -> dict[str, float]:
    """Dictionary of bitstrings from a mapping of outcomes, as integers, to probabilities.

    Parameters
    ----------
    weights : mapping of int to float
        Outcomes of any number of bits.
    num_bits : int
    cutoff : float, default 0
        Outcomes of at most this probability are left out.
    order : {"little", "big"}
        Where bit 0 stands in the bitstrings: last or first.

    Returns
    -------
    dict of str to float
        By descending probability, then by bitstring.

    Examples
    --------
    >>> distribution_from_outcomes({0: 0.25, 2: 0.75}, 2)
    {'10': 0.75, '00': 0.25}
    """
    check_order(order)
    pairs = [
        (format_bitstring(outcome, num_bits, order), float(weight))
        for outcome, weight in weights.items()
        if weight > cutoff
    ]
    pairs.sort(key=lambda pair: (-pair[1], pair[0]))
    return dict(pairs)
