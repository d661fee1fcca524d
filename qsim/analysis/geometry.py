"""Two kernels on the same data: can the one predict what the other cannot? (Huang et al., 2021)"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.analysis._inputs import check_kernel
from qsim.errors import ArgumentError

__all__ = ["GeometricDifference", "ModelComplexity", "geometric_difference", "model_complexity"]

FloatArray = npt.NDArray[np.float64]
#: Eigenvalues above minus this share of the largest count as rounding of zero.
_NEGATIVE = 1e-7
#: A kernel whose eigenvalues span more than this cannot be inverted in double precision.
_SINGULAR = 1e-13


@dataclass(frozen=True)
class GeometricDifference:
    """What `geometric_difference` finds; ``float(result)`` is g.

    Attributes
    ----------
    value : float
        g: whatever the targets, their model complexity for the classical kernel is at most ``g**2`` times
        that for the quantum kernel.
    training : float
        What regularisation adds to the bound: errors in training, up to ``sqrt(num_data)``. 0 without.
    num_data : int
    regularization : float
    """

    value: float
    training: float
    num_data: int
    regularization: float

    @property
    def relative(self) -> float:
        """``(value + training) / sqrt(num_data)``: an advantage needs it to be of order 1.

        The sum is the factor by which the classical bound of the error can exceed the quantum one.
        """
        return (self.value + self.training) / math.sqrt(self.num_data)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        training = f" + {self.training:.3g} in training" if self.regularization else ""
        return (
            f"geometric difference {self.value:.3g}{training}, {self.relative:.2g} of sqrt({self.num_data})"
        )


def geometric_difference(classical: Any, quantum: Any, regularization: float = 0.0) -> GeometricDifference:
    """The geometric difference ``g = sqrt(|| sqrt(K_Q) K_C^-1 sqrt(K_Q) ||)`` of two kernels [1]_.

    Parameters
    ----------
    classical, quantum : array_like, shape (N, N)
        Kernel matrices K_C and K_Q of the same data; each is scaled to trace N.
    regularization : float
        The lambda of kernel ridge regression. With it g is ``sqrt(|| sqrt(K_Q) sqrt(K_C) (K_C + lambda)^-2
        sqrt(K_C) sqrt(K_Q) ||)``, and errors in training are bounded by ``lambda sqrt(|| sqrt(K_Q) (K_C +
        lambda)^-2 sqrt(K_Q) ||)``.

    Returns
    -------
    GeometricDifference

    Raises
    ------
    ArgumentError
        A matrix is no kernel matrix; or K_C cannot be inverted and there is no regularisation.

    Notes
    -----
    O(N**3). The norm is the largest eigenvalue.

    References
    ----------
    .. [1] H.-Y. Huang, M. Broughton, M. Mohseni, R. Babbush, S. Boixo, H. Neven and J. R. McClean, Nat.
       Commun. 12, 2631 (2021), arXiv:2011.01938; with regularisation its supplementary section F.

    Examples
    --------
    >>> round(float(geometric_difference(np.eye(3), np.ones((3, 3)))), 6)  # sqrt(3)
    1.732051
    """
    values_c, vectors_c = _spectrum(classical, "classical")
    values_q, vectors_q = _spectrum(quantum, "quantum")
    if len(values_c) != len(values_q):
        raise ArgumentError(
            "Arguments `classical` and `quantum` must be kernel matrices of the same data, but have "
            f"{len(values_c)} and {len(values_q)} rows."
        )
    shift = _check_regularization(regularization, values_c, "classical")
    # the norm of A A^T is that of A squared, for A = sqrt(K_C) (K_C + lambda)^-1 sqrt(K_Q)
    mixed = (vectors_c.T @ vectors_q) * np.sqrt(values_q)
    value = float(np.linalg.norm((np.sqrt(values_c) / (values_c + shift))[:, None] * mixed, 2))
    training = 0.0
    if shift:
        training = float(shift * np.linalg.norm(mixed / (values_c + shift)[:, None], 2))
    return GeometricDifference(value, training, len(values_c), shift)


@dataclass(frozen=True)
class ModelComplexity:
    """What `model_complexity` finds; ``float(result)`` is s.

    Attributes
    ----------
    value : float
        s, the squared norm of the model that fits the targets.
    training : float
        The root mean square error in training that regularisation leaves. 0 without.
    num_data : int
    regularization : float
    """

    value: float
    training: float
    num_data: int
    regularization: float

    @property
    def bound(self) -> float:
        """``sqrt(s / N)`` plus the error in training: up to a constant, a bound of the prediction error."""
        return math.sqrt(self.value / self.num_data) + self.training

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"model complexity {self.value:.3g} for {self.num_data} data: error of order {self.bound:.2g}"


def model_complexity(kernel: Any, targets: Any, regularization: float = 0.0) -> ModelComplexity:
    """The model complexity ``s = y^T K^-1 y`` of targets for a kernel [1]_.

    Parameters
    ----------
    kernel : array_like, shape (N, N)
        Scaled to trace N.
    targets : array_like, shape (N,) or (N, outputs)
        Numbers; for classes, -1 and 1, or a column for each class. Complexities of columns are added up.
    regularization : float
        The lambda of kernel ridge regression; then ``s = y^T (K + lambda)^-1 K (K + lambda)^-1 y``.

    Returns
    -------
    ModelComplexity

    References
    ----------
    .. [1] H.-Y. Huang et al., Nat. Commun. 12, 2631 (2021), arXiv:2011.01938.

    Examples
    --------
    >>> float(model_complexity(np.eye(2), [1, -1]))
    2.0
    """
    values, vectors = _spectrum(kernel, "kernel")
    y = np.asarray(targets)
    if y.dtype.kind not in "iufb":
        raise TypeError(f"Argument `targets` must hold numbers, but is of type {y.dtype}.")
    if y.ndim not in (1, 2) or len(y) != len(values):
        raise ArgumentError(
            f"Argument `targets` must have shape ({len(values)},) or ({len(values)}, outputs), but has "
            f"{y.shape}."
        )
    if not np.isfinite(y).all():
        raise ArgumentError("Argument `targets` must be finite, but holds NaN or infinity.")
    shift = _check_regularization(regularization, values, "kernel")
    parts = (vectors.T @ y.reshape(len(y), -1).astype(float)) / (values + shift)[:, None]
    training = shift * math.sqrt(float((parts**2).sum()) / len(y))
    return ModelComplexity(float((values[:, None] * parts**2).sum()), training, len(y), shift)


def _spectrum(matrix: Any, name: str) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues, not negative, and eigenvectors of a kernel matrix scaled to trace N."""
    kernel = check_kernel(matrix, name)
    trace = float(np.trace(kernel))
    if trace <= 0:
        raise ArgumentError(f"Argument `{name}` must have a positive trace, but has {trace:.3g}.")
    values, vectors = np.linalg.eigh(kernel * (len(kernel) / trace))
    if values[0] < -_NEGATIVE * values[-1]:
        raise ArgumentError(
            f"Argument `{name}` must be positive semidefinite, but has the eigenvalue {values[0]:.3g} where "
            f"the largest is {values[-1]:.3g}. Repair it first: see qsim.quantum_kernels."
        )
    return np.clip(values, 0.0, None), vectors


def _check_regularization(regularization: Any, values: FloatArray, name: str) -> float:
    if isinstance(regularization, bool) or not isinstance(regularization, numbers.Real):
        raise TypeError(
            f"Argument `regularization` must be a number, but is {type(regularization).__name__}."
        )
    shift = float(regularization)
    if not 0 <= shift < math.inf:
        raise ArgumentError(
            f"Argument `regularization` must be finite and not negative, but is {regularization}."
        )
    if not shift and values[0] <= _SINGULAR * values[-1]:
        raise ArgumentError(
            f"Argument `{name}` must have an inverse, but its eigenvalues span {values[0]:.1g} to "
            f"{values[-1]:.3g}: data points are equal or too alike. Give regularization=1e-3 or so."
        )
    return shift
