"""Reduced density matrices and what follows from them: purity, entropies, mutual information."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError
from qsim.observables.hermitian import column_pieces

__all__ = ["entropy_of", "purity_of", "reduced_density_matrix", "renyi_of"]

ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
FloatArray = npt.NDArray[np.float64]


def reduced_density_matrix(
    states: ComplexArray, qubits: Sequence[int] | npt.NDArray[np.int32]
) -> ComplexArray:
    """Density matrices of some qubits of pure states, the others traced out.

    Parameters
    ----------
    states : ndarray, shape (batch, 2**n)
    qubits : sequence of int
        The first is the least significant bit of the result's indices.

    Returns
    -------
    ndarray, shape (batch, 2**k, 2**k), complex128
    """
    size = 1 << len(qubits)
    out = np.zeros((len(states), size, size), dtype=complex)
    for columns, _ in column_pieces(states, tuple(int(q) for q in qubits)):
        parts = columns.astype(complex, copy=False)
        out += parts.swapaxes(1, 2) @ parts.conj()
    return out


def purity_of(matrices: ComplexArray) -> FloatArray:
    """Tr rho**2 of each matrix."""
    return np.real(np.einsum("bij,bji->b", matrices, matrices))


def _spectrum(matrices: ComplexArray) -> FloatArray:
    return np.clip(np.linalg.eigvalsh(matrices), 0.0, None)


def entropy_of(matrices: ComplexArray, base: float = 2.0) -> FloatArray:
    """Von Neumann entropy -Tr rho log rho of each matrix, in units of log(`base`)."""
    p = _spectrum(matrices)
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)
    return np.asarray(np.abs((p * logs).sum(-1)) / np.log(base))


def renyi_of(matrices: ComplexArray, alpha: float, base: float = 2.0) -> FloatArray:
    """Renyi entropy log(Tr rho**alpha) / (1 - alpha) of each matrix, in units of log(`base`).

    The limits are taken at alpha = 0 (log of the rank), 1 (von Neumann) and infinity.
    """
    if not alpha >= 0:
        raise ArgumentError(f"Argument `alpha` must be at least 0, but is {alpha}.")
    if alpha == 1:
        return entropy_of(matrices, base)
    p = _spectrum(matrices)
    if alpha < 1:  # a small power would make rounding as large as an eigenvalue
        p[p < 1e-12] = 0.0
    if alpha == 0:
        return np.asarray(np.log((p > 0).sum(-1)) / np.log(base))
    if np.isinf(alpha):
        return np.asarray(np.abs(np.log(p.max(-1))) / np.log(base))
    return np.asarray(np.abs(np.log((p**alpha).sum(-1)) / (1 - alpha)) / np.log(base))
