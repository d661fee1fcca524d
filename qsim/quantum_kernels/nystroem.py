"""Nystroem features: a kernel matrix of many rows from the columns of a few landmarks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError
from qsim.quantum_kernels.base import QuantumKernel
from qsim.quantum_kernels.encoding import check_data

__all__ = ["NystroemFeatures"]

FloatArray = npt.NDArray[np.float64]


class NystroemFeatures:
    """Features whose inner products are the kernel, exactly on landmarks and approximately elsewhere.

    ``features(X) = K(X, Z) K(Z, Z)**(-1/2)`` for landmarks ``Z``: linear models on them take time linear in
    the number of rows [1]_.

    Parameters
    ----------
    kernel : QuantumKernel
    landmarks : array_like, shape (count, features), or int
        The landmarks themselves, or how many rows of the data given to `fit` are drawn as such.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
        Of the draw.

    Attributes
    ----------
    landmarks : ndarray, shape (count, features), or int
    rows : ndarray or None
        Which rows of the data were drawn.

    References
    ----------
    .. [1] C. Williams and M. Seeger, NIPS 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from qsim.quantum_kernels import FidelityKernel
    >>> X = np.random.default_rng(0).uniform(size=(50, 2))
    >>> kernel = FidelityKernel("angle")
    >>> features = NystroemFeatures(kernel, 9, seed=1).fit(X)(X)
    >>> bool(np.abs(features @ features.T - kernel(X)).max() < 1e-6)  # 9 dimensions hold it all
    True
    """

    def __init__(self, kernel: QuantumKernel, landmarks: Any, *, seed: Any = None) -> None:
        if not isinstance(kernel, QuantumKernel):
            raise TypeError(f"Argument `kernel` must be a QuantumKernel, but is {type(kernel).__name__}.")
        self.kernel, self.seed = kernel, seed
        self.rows: npt.NDArray[np.int64] | None = None
        self._root: FloatArray | None = None
        if np.ndim(landmarks) == 0:
            self.landmarks: Any = check_count(landmarks, "landmarks", 1)
        else:
            self._set(check_data(landmarks, "landmarks"))

    def fit(self, X: Any) -> NystroemFeatures:
        """Draw the landmarks from data (rows, features) if only their number was given."""
        data = check_data(X)
        if np.ndim(self.landmarks) == 0:
            if len(data) < self.landmarks:
                raise ArgumentError(
                    f"Argument `X` must have {self.landmarks} rows, the number of landmarks, but has "
                    f"{len(data)}."
                )
            drawn = np.random.default_rng(self.seed).choice(len(data), self.landmarks, replace=False)
            self.rows = np.sort(drawn)
            self._set(data[self.rows])
        return self

    def _set(self, landmarks: FloatArray) -> None:
        if not len(landmarks):
            raise ArgumentError("Argument `landmarks` must have a row, but has none.")
        self.landmarks = landmarks
        matrix = self.kernel(landmarks)
        levels, vectors = np.linalg.eigh(matrix.astype(np.float64, copy=False))
        kept = levels > len(levels) * np.finfo(matrix.dtype).eps * levels[-1]  # the others are rounding
        roots = np.divide(1, np.sqrt(np.maximum(levels, 0)), out=np.zeros_like(levels), where=kept)
        self._root = (vectors * roots) @ vectors.T

    def __call__(self, X: Any) -> FloatArray:
        """Features of data, shape (rows, landmarks)."""
        if self._root is None:
            raise ArgumentError("The landmarks are not chosen yet: call fit() with data first.")
        return np.asarray(self.kernel(X, self.landmarks) @ self._root)
