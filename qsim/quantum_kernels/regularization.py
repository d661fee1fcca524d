"""Repairs of kernel matrices that shots, noise or rounding have made indefinite."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError
from qsim.quantum_kernels.alignment import check_square

__all__ = ["mitigate_depolarizing", "regularize"]

FloatArray = npt.NDArray[np.float64]

METHODS = ("threshold", "shift", "flip", "nearest", "tikhonov")
#: Of the alternating projections: when to stop.
_TOLERANCE, _MAX_STEPS = 1e-12, 1000


def regularize(kernel: Any, method: str = "threshold", *, strength: float = 1e-6) -> FloatArray:
    """A positive semidefinite matrix near a symmetric one.

    Parameters
    ----------
    kernel : array_like, shape (rows, rows)
    method : {"threshold", "shift", "flip", "nearest", "tikhonov"}
        * "threshold": negative eigenvalues become 0: the nearest positive semidefinite matrix in Frobenius
          norm;
        * "shift": the least eigenvalue is subtracted from the diagonal if it is negative [1]_;
        * "flip": negative eigenvalues change their sign;
        * "nearest": the nearest positive semidefinite matrix with the same diagonal, by alternating
          projections [2]_;
        * "tikhonov": `strength` is added to the diagonal, whatever the eigenvalues.
    strength : float
        For "tikhonov", at least 0.

    Returns
    -------
    ndarray, shape (rows, rows)
        New, symmetric. A positive semidefinite matrix stays as it is, but for "tikhonov".

    Notes
    -----
    O(rows**3); "nearest" takes that for each of up to some hundred steps.

    References
    ----------
    .. [1] T. Hubregtsen et al., Phys. Rev. A 106, 042431 (2022), arXiv:2105.02276.
    .. [2] N. J. Higham, IMA J. Numer. Anal. 22, 329 (2002).

    Examples
    --------
    >>> import numpy as np
    >>> noisy = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.9], [0.1, 0.9, 1.0]])
    >>> bool(np.linalg.eigvalsh(noisy)[0] < 0), bool(np.linalg.eigvalsh(regularize(noisy))[0] > -1e-12)
    (True, True)
    """
    k = check_square(kernel)
    if method not in METHODS:
        raise ArgumentError(f"Argument `method` must be one of {', '.join(METHODS)}, but is {method!r}.")
    k = (k + k.T) / 2
    if method == "tikhonov":
        if not 0 <= strength < np.inf:
            raise ArgumentError(f"Argument `strength` must be 0 or more, but is {strength}.")
        return np.asarray(k + strength * np.eye(len(k)))
    levels, vectors = np.linalg.eigh(k)
    if levels[0] >= 0:
        return k
    if method == "shift":
        return np.asarray(k - levels[0] * np.eye(len(k)))
    if method == "nearest":
        return _nearest(k)
    return _rebuilt(np.maximum(levels, 0) if method == "threshold" else np.abs(levels), vectors)


def _rebuilt(levels: FloatArray, vectors: FloatArray) -> FloatArray:
    out = (vectors * levels) @ vectors.T
    return np.asarray((out + out.T) / 2)


def _nearest(k: FloatArray) -> FloatArray:
    """Higham's alternating projections, with Dykstra's correction, onto cone and diagonal."""
    diagonal = k.diagonal().copy()
    if (diagonal < 0).any():
        raise ArgumentError(
            "Argument `kernel` must have no negative number on its diagonal for 'nearest', as no positive "
            "semidefinite matrix has; use 'threshold'."
        )
    now, correction = k, np.zeros_like(k)
    for _ in range(_MAX_STEPS):
        levels, vectors = np.linalg.eigh(now - correction)
        inside = _rebuilt(np.maximum(levels, 0), vectors)
        correction = inside - (now - correction)
        change = float(np.abs(inside.diagonal() - diagonal).max())
        now = inside.copy()
        np.fill_diagonal(now, diagonal)
        if change < _TOLERANCE * max(1.0, float(diagonal.max())):
            break
    # positive semidefinite for certain, and the diagonal restored by a congruence that keeps it so
    scale = np.sqrt(np.divide(diagonal, inside.diagonal(), out=np.zeros_like(diagonal), where=diagonal > 0))
    return np.asarray(inside * scale[:, None] * scale)


def mitigate_depolarizing(kernel: Any, num_qubits: int, *, method: str = "single") -> FloatArray:
    """Undo global depolarising noise, whose strength the measured diagonal tells [1]_.

    If each state is mixed with the identity, ``rho -> (1 - p) rho + p 1 / 2**n``, a fidelity becomes
    ``(1 - p_i)(1 - p_j) k + (1 - (1 - p_i)(1 - p_j)) / 2**n``, and on the diagonal ``k`` is 1.

    Parameters
    ----------
    kernel : array_like, shape (rows, rows)
        Measured, with its diagonal.
    num_qubits : int
    method : {"single", "average", "split"}
        The noise is taken from the first diagonal entry, from their mean, or for each row from its own.

    Returns
    -------
    ndarray, shape (rows, rows)
        The diagonal is 1 where it was used.

    References
    ----------
    .. [1] T. Hubregtsen et al., Phys. Rev. A 106, 042431 (2022), arXiv:2105.02276.

    Examples
    --------
    >>> import numpy as np
    >>> exact = np.array([[1.0, 0.3], [0.3, 1.0]])
    >>> noisy = 0.8 * exact + 0.2 / 4
    >>> bool(np.allclose(mitigate_depolarizing(noisy, 2), exact))
    True
    """
    k = check_square(kernel)
    mixed = 0.5 ** check_count(num_qubits, "num_qubits", 1)
    diagonal = k.diagonal()
    if method == "single":
        seen = np.full(len(k), diagonal[0])
    elif method == "average":
        seen = np.full(len(k), diagonal.mean())
    elif method == "split":
        seen = diagonal
    else:
        raise ArgumentError(f"Argument `method` must be 'single', 'average' or 'split', but is {method!r}.")
    if not (seen > mixed).all():
        raise ArgumentError(
            f"Argument `kernel` must have a diagonal above 1 / 2**num_qubits = {mixed:.3g}, that of a "
            "state of "
            f"noise alone, but has {float(seen.min()):.3g}."
        )
    kept = np.sqrt((seen - mixed) / (1 - mixed))
    both = kept[:, None] * kept
    return np.asarray((k - mixed * (1 - both)) / both)
