"""Data sets made for quantum models; real ones come from scikit-learn."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError
from qsim.rng import root_sequence
from qsim.testing import random_unitary

__all__ = ["ad_hoc"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Points that are drawn at once, and how many at most for each one asked for.
_AT_ONCE, _PATIENCE = 1024, 2000


def ad_hoc(
    num_samples: int = 40, *, num_features: int = 2, gap: float = 0.3, seed: Any = None
) -> tuple[FloatArray, IntArray]:
    """The ad-hoc data set of Havlicek et al., which the ZZ feature map separates by construction [1]_.

    Points are uniform in (0, 2 pi]**d. With |psi(x)> the state of ``qsim.feature_maps.zz(d, reps=2)`` and V a
    random unitary, the label is the sign of ``<psi(x)| V^dagger (Z...Z) V |psi(x)>``; points where it lies
    between -gap and gap are left out.

    Parameters
    ----------
    num_samples : int
        Half of them of each label; of -1 one more if odd.
    num_features : int
        d, the number of qubits; 2 in the paper.
    gap : float
        0.3 in the paper. The values shrink with d, so more features need a smaller gap.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
        Of V and of the points. Draw training and test points by one call, as another seed has another V.

    Returns
    -------
    X : ndarray, shape (num_samples, d)
    y : ndarray of int, shape (num_samples,)
        -1 and 1, in random order.

    Raises
    ------
    ArgumentError
        The gap leaves too few points.

    Notes
    -----
    The paper's map is the complex conjugate of ours, with the same fidelities; V absorbs the difference.

    References
    ----------
    .. [1] V. Havlicek et al., Nature 567, 209 (2019), arXiv:1804.11326.

    Examples
    --------
    >>> X, y = ad_hoc(40, seed=7)
    >>> X.shape, int((y == 1).sum())
    ((40, 2), 20)
    """
    from qsim.feature_maps import zz
    from qsim.program.program import compile as compile_circuit

    num_samples = check_count(num_samples, "num_samples", 2)
    num_features = check_count(num_features, "num_features", 2, 12)
    if isinstance(gap, bool) or not isinstance(gap, numbers.Real):
        raise TypeError(f"Argument `gap` must be a number, but is {type(gap).__name__}.")
    if not 0 <= gap < 1:
        raise ArgumentError(f"Argument `gap` must be at least 0 and below 1, but is {gap}.")
    rng = np.random.Generator(np.random.Philox(root_sequence(seed)))
    turned = random_unitary(num_features, rng)
    parity = 1.0 - 2.0 * (np.bitwise_count(np.arange(1 << num_features, dtype=np.uint64)) & 1)
    program = compile_circuit(zz(num_features, reps=2))
    wanted = {-1: num_samples - num_samples // 2, 1: num_samples // 2}
    kept: dict[int, list[FloatArray]] = {-1: [], 1: []}
    for _ in range(max(1, _PATIENCE * num_samples // _AT_ONCE)):
        points = 2 * math.pi * (1 - rng.uniform(size=(_AT_ONCE, num_features)))  # without 0, with 2 pi
        states = program.statevector({"x": points})
        values = np.abs(states @ turned.T) ** 2 @ parity
        for label in wanted:
            kept[label].append(points[label * values >= max(gap, np.finfo(float).tiny)])
        if all(sum(map(len, kept[label])) >= count for label, count in wanted.items()):
            break
    else:
        found = min(sum(map(len, parts)) for parts in kept.values())
        raise ArgumentError(
            f"Argument `gap` must leave {wanted[-1]} points of each label, but a gap of {gap} for "
            f"{num_features} features left {found} among {_PATIENCE * num_samples}. Use a smaller gap."
        )
    X = np.concatenate([np.concatenate(kept[label])[:count] for label, count in wanted.items()])
    y = np.repeat(np.array(list(wanted)), list(wanted.values()))
    order = rng.permutation(num_samples)
    return X[order], y[order].astype(np.int64)
