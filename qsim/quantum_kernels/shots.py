"""Shot noise: what a finite number of measurements would make of exact kernel values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError

__all__ = ["check_test", "emulate_shots"]

_TESTS = ("inversion", "swap")


def check_test(test: Any) -> str:
    if test not in _TESTS:
        raise ArgumentError(f"Argument `test` must be 'inversion' or 'swap', but is {test!r}.")
    return str(test)


def emulate_shots(
    kernel: Any, shots: int, *, seed: Any = None, symmetric: bool | None = None, test: str = "inversion"
) -> npt.NDArray[np.float64]:
    """What a finite number of shots would estimate in place of exact fidelities.

    Parameters
    ----------
    kernel : array_like, shape (rows, columns)
        Exact fidelities, between 0 and 1.
    shots : int
        For each entry, at least 1.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
    symmetric : bool, optional
        Whether one half is drawn and mirrored, with a diagonal that is known to be 1, as one would measure a
        matrix of one data set. By default, whether the matrix is square and symmetric.
    test : {"inversion", "swap"}
        The encoding of one point followed by the inverse of the other's gives all zeros with the probability
        ``k``. The swap test gives 0 with ``(1 + k) / 2``, so its estimates scatter more and may be negative.

    Returns
    -------
    ndarray, shape (rows, columns)

    Examples
    --------
    >>> import numpy as np
    >>> emulate_shots(np.array([[1.0, 0.25], [0.25, 1.0]]), shots=100, seed=1)
    array([[1.  , 0.32],
           [0.32, 1.  ]])
    """
    shots = check_count(shots, "shots", 1)
    check_test(test)
    k = np.asarray(kernel, dtype=np.float64)
    if k.ndim != 2:
        raise ArgumentError(f"Argument `kernel` must be a matrix, but has shape {k.shape}.")
    if not ((k >= -1e-6) & (k <= 1 + 1e-6)).all():
        raise ArgumentError("Argument `kernel` must hold fidelities, between 0 and 1, but does not.")
    is_square = k.shape[0] == k.shape[1]
    if symmetric is None:
        symmetric = is_square and bool(np.allclose(k, k.T))
    elif symmetric and not is_square:
        raise ArgumentError(f"Argument `kernel` must be square to be symmetric, but has shape {k.shape}.")
    chance = np.clip(k, 0, 1)
    if test == "swap":
        chance = (1 + chance) / 2
    drawn: npt.NDArray[np.float64] = np.random.default_rng(seed).binomial(shots, chance) / shots
    if test == "swap":
        drawn = 2 * drawn - 1
    if symmetric:
        upper = np.triu(drawn, 1)
        drawn = upper + upper.T
        np.fill_diagonal(drawn, 1)
    return drawn
