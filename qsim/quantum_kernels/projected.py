"""Projected kernels: data points compared by what their states look like on a few qubits at a time."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError, GradientError
from qsim.memory import check_free_memory
from qsim.observables import PauliSum
from qsim.program.program import Program
from qsim.quantum_kernels.base import QuantumKernel
from qsim.quantum_kernels.dataset import EncodedDataset, Rows, as_rows

__all__ = ["ProjectedKernel"]

FloatArray = npt.NDArray[np.float64]

KINDS = ("rbf", "linear")
#: Rows of a Gram matrix whose exponent is computed at a time.
_ROWS = 512


class ProjectedKernel(QuantumKernel):
    """Kernels of the reduced density matrices of the states: the projected quantum kernels of [1]_.

    With ``rho_K(x)`` the reduced density matrix on the qubits ``K``, and sums over all sets ``K`` of `order`
    qubits:

    * ``"rbf"``: ``exp(-gamma sum_K ||rho_K(x) - rho_K(y)||_F**2)``
    * ``"linear"``: ``sum_K Tr(rho_K(x) rho_K(y))``

    Parameters
    ----------
    feature_map, params
        As for `FidelityKernel`.
    kind : {"rbf", "linear"}
    order : int, default 1
        Qubits of each reduced density matrix.
    gamma : float or "scale", default 1.0
        Of the RBF kernel. "scale" divides 1 by the variance of the Pauli features times their number, as
        scikit-learn's RBF kernel does; it is that of `X` in ``kernel(X, Y)``, so kernels of other data need
        the number: see `scale_gamma`.
    max_memory, backend, precision, threads
        As for `FidelityKernel`.

    Notes
    -----
    The squared distance of reduced density matrices is that of their Pauli expectation values over
    ``2**order``, and a string on ``w`` qubits is in ``binomial(n - w, order - w)`` of the sets. So these
    kernels are a linear and an RBF kernel of weighted expectation values, ``3 n`` for ``order=1``.

    References
    ----------
    .. [1] H.-Y. Huang et al., Nature Communications 12, 2631 (2021), arXiv:2011.01938.

    Examples
    --------
    >>> import numpy as np
    >>> import qsim
    >>> x = qsim.ParameterVector("x", 1)
    >>> kernel = ProjectedKernel(qsim.Circuit(1).ry(x[0], 0))
    >>> bool(np.isclose(kernel([[0.0]], [[0.3]])[0, 0], np.exp(-(1 - np.cos(0.3)))))
    True
    """

    def __init__(
        self,
        feature_map: Any,
        params: Mapping[Any, Any] | None = None,
        *,
        kind: str = "rbf",
        order: int = 1,
        gamma: float | str = 1.0,
        max_memory: int | None = None,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(
            feature_map,
            params,
            max_memory=max_memory,
            backend=backend,
            precision=precision,
            threads=threads,
        )
        if kind not in KINDS:
            raise ArgumentError(f"Argument `kind` must be 'rbf' or 'linear', but is {kind!r}.")
        self.kind = kind
        self.order = check_count(order, "order", 1)
        self.gamma = _checked_gamma(gamma)

    def strings(self, num_features: int) -> tuple[PauliSum, ...]:
        """The Pauli strings measured, on at most `order` qubits and without the identity."""
        return self._measured(num_features)[0].observables  # type: ignore[return-value]

    def features(self, X: Any) -> FloatArray:
        """Weighted Pauli expectation values, shape (rows, strings), whose distances are those of the states.

        ``||features(x) - features(y)||**2`` is ``sum_K ||rho_K(x) - rho_K(y)||_F**2``.
        """
        return self._features_of(as_rows(self.encoder, X))

    def _features_of(self, source: Rows) -> FloatArray:
        program, scales = self._measured(source.X.shape[1])
        out = np.empty((source.count, len(scales)))
        rows = max(1, self.max_memory // (2 * program.dtype.itemsize << program.num_qubits))
        for first in range(0, source.count, rows):
            part = slice(first, first + rows)
            if isinstance(source, EncodedDataset):
                states = np.ascontiguousarray(source.states(first, first + rows))
                out[part] = program._expectations(states) * scales
            else:
                out[part] = program.expectation(self.encoder.bind(source.X[part])) * scales
        return out

    def scale_gamma(self, X: Any) -> float:
        """The `gamma` that "scale" stands for, from the features of some data."""
        return _scale(self.features(X))

    def with_gamma(self, gamma: float | str) -> ProjectedKernel:
        """The same kernel with another `gamma`."""
        other = copy.copy(self)
        other.gamma = _checked_gamma(gamma)
        return other

    def diag(self, X: Any) -> FloatArray:
        """``k(x, x)``, shape (rows,): 1 for the RBF kernel, the purities' sum for the linear one."""
        if self.kind == "rbf":
            return np.ones(len(X))
        features = self.features(X)
        return np.asarray((features**2).sum(axis=1) + _identity_share(features.shape[1], self.order))

    def _kernel(self, X: Any, Y: Any = None) -> FloatArray:
        left, right = self._rows(X, Y)
        return self._of_features(self._features_of(left), None if right is None else self._features_of(right))

    def _of_features(self, left: FloatArray, right: FloatArray | None) -> FloatArray:
        is_symmetric = right is None
        right = left if right is None else right
        check_free_memory(
            8 * len(left) * len(right),
            f"A kernel matrix of {len(left)} by {len(right)}",
            "Use fewer rows, or NystroemFeatures.",
        )
        out: FloatArray = left @ right.T
        if self.kind == "linear":
            out += _identity_share(left.shape[1], self.order)
            return out
        gamma = _scale(left) if isinstance(self.gamma, str) else self.gamma
        ones, twos = (left**2).sum(axis=1), (right**2).sum(axis=1)
        for first in range(0, len(out), _ROWS):
            part = out[first : first + _ROWS]
            part *= -2
            part += ones[first : first + _ROWS, None]
            part += twos
            np.maximum(part, 0, out=part)  # rounding
            part *= -gamma
            np.exp(part, out=part)
        if is_symmetric:
            np.fill_diagonal(out, 1)
        return out

    def _measured(self, num_features: int) -> tuple[Program, FloatArray]:
        """The program that measures all strings, and the factor of each."""
        program = self.encoder.program(num_features)

        def make() -> tuple[Program, FloatArray]:
            n = program.num_qubits
            if self.order > n:
                raise ArgumentError(
                    f"Argument `order` must be at most the number of qubits, {n}, but is {self.order}."
                )
            found = [
                (f"{' '.join(f'{p}{q}' for p, q in zip(paulis, qubits, strict=True))}", size)
                for size in range(1, self.order + 1)
                for qubits in combinations(range(n), size)
                for paulis in product("XYZ", repeat=size)
            ]
            weights = [math.comb(n - size, self.order - size) / 2**self.order for _, size in found]
            return program.with_observables([PauliSum({text: 1.0}) for text, _ in found]), np.sqrt(weights)

        made: tuple[Program, FloatArray] = program._derive(("projected", self.order), make)
        return made

    # -- derivatives -----------------------------------------------------------------------------
    def _embedding(self, num_features: int) -> tuple[Program, None, FloatArray]:
        program, scales = self._measured(num_features)
        return program, None, scales

    def _embed(self, X: FloatArray) -> FloatArray:
        if self.kind == "rbf" and isinstance(self.gamma, str):
            raise GradientError(
                "A kernel whose `gamma` is 'scale' has no derivatives here, as the weights change it too. "
                "Use "
                "kernel.with_gamma(kernel.scale_gamma(X))."
            )
        return self.features(X)

    def _value(self, a: FloatArray, b: FloatArray | None) -> FloatArray:
        return self._of_features(a, b)

    def _push(self, a: FloatArray, da: FloatArray, b: FloatArray | None, db: FloatArray | None) -> FloatArray:
        other, change = (a, da) if b is None or db is None else (b, db)
        crossed = da @ other.T + a @ change.T
        if self.kind == "linear":
            return crossed
        own, others = (a * da).sum(axis=1), (other * change).sum(axis=1)
        return np.asarray(-2 * float(self.gamma) * self._value(a, b) * (own[:, None] + others - crossed))

    def _pull(
        self, a: FloatArray, b: FloatArray | None, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray | None]:
        if self.kind == "rbf":
            weights = -2 * float(self.gamma) * weights * self._value(a, b)
        if b is None:
            weights = weights + weights.T
            return (weights @ a if self.kind == "linear" else _spread(weights, a, a)), None
        if self.kind == "linear":
            return weights @ b, weights.T @ a
        return _spread(weights, a, b), _spread(weights.T, b, a)

    def __repr__(self) -> str:
        return f"ProjectedKernel({self.feature_map!r}, kind={self.kind!r}, order={self.order})"


def _identity_share(strings: int, order: int) -> float:
    """What the identity adds to the linear kernel: ``binomial(n, order) / 2**order``."""
    n = order
    while sum(3**size * math.comb(n, size) for size in range(1, order + 1)) < strings:
        n += 1
    return math.comb(n, order) * 0.5**order


def _spread(weights: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """``sum_j w_ij (a_i - b_j)``."""
    return np.asarray(weights.sum(axis=1)[:, None] * a - weights @ b)


def _scale(features: FloatArray) -> float:
    variance = features.var() * features.shape[1] if features.size else 0.0
    return 1 / float(variance) if variance > 0 else 1.0


def _checked_gamma(gamma: Any) -> float | str:
    if gamma == "scale":
        return "scale"
    try:
        value = float(gamma)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 < value < math.inf or isinstance(gamma, bool | np.bool_):
        raise ArgumentError(f"Argument `gamma` must be a positive number or 'scale', but is {gamma!r}.")
    return value
