"""What the estimators share: checked data, and a kernel made in `fit` from plain parameters."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.parameters import ParameterVector
from qsim.quantum_kernels import Encoder, FidelityKernel, ProjectedKernel, QuantumKernel

__all__ = [
    "KernelMachine",
    "MapEstimator",
    "check_bandwidth",
    "check_no_map",
    "drawn_params",
    "layered_angles",
    "merged_rows",
    "row_weights",
]

FloatArray = npt.NDArray[np.float64]


#: Qubits of the feature map that estimators have by default.
DEFAULT_QUBITS = 10


def layered_angles(num_features: int, max_qubits: int = DEFAULT_QUBITS) -> Circuit:
    """The map that estimators have by default: rotations ``RY(x_i)``, on as few qubits as data may ask for.

    Up to `max_qubits` features it is `qsim.feature_maps.angle`. More features make more layers of rotations,
    with a ring of CZ between them, so the cost grows with the number of features and not exponentially.
    """
    x = ParameterVector("x", num_features)
    n = min(num_features, max_qubits)
    circuit = Circuit(n, name="layered_angles")
    for first in range(0, num_features, n):
        if first:
            for q in range(n if n > 2 else n - 1):
                circuit.cz(q, (q + 1) % n)
        for i in range(first, min(num_features, first + n)):
            circuit.ry(x[i], i - first)
    return circuit


def drawn_params(encoder: Encoder, num_features: int, random_state: Any) -> dict[str, Any]:
    """Values of the parameters of a map that have none, uniform on a circle."""
    given = set(encoder.params)
    missing = [
        p
        for p in encoder.weights(num_features)
        if not given & {p, p.name, p.vector[0] if p.vector is not None else p.name}
    ]
    drawn = check_random_state(random_state).uniform(0, 2 * np.pi, len(missing))
    return {p.name: value for p, value in zip(missing, drawn.tolist(), strict=True)}


def check_bandwidth(bandwidth: Any) -> None:
    """A positive number, before data are multiplied by it."""
    if isinstance(bandwidth, bool) or not isinstance(bandwidth, numbers.Real):
        raise TypeError(
            f"Parameter `bandwidth` must be a number, but is {bandwidth!r}. A search over a grid finds a "
            "good one (`sklearn.model_selection.GridSearchCV`)."
        )
    if not 0 < float(bandwidth) < np.inf:
        raise ArgumentError(f"Parameter `bandwidth` must be positive, but is {bandwidth}.")


def check_no_map(value: Any, name: str) -> None:
    """That the first parameter, a number as in scikit-learn, was not taken for the feature map."""
    if isinstance(value, str | Circuit):
        raise TypeError(
            f"Parameter `{name}` must be a number, but is {value!r}. The feature map is given as "
            "feature_map=..."
        )


class MapEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators with a feature map; the number of qubits follows from the data in `fit`."""

    feature_map: Any
    params: Mapping[Any, Any] | None
    bandwidth: float
    random_state: Any
    precision: str | None
    threads: int | None

    def _chosen_map(self) -> Any:
        return layered_angles if self.feature_map is None else self.feature_map

    def _make_encoder(self, num_features: int) -> Encoder:
        """The feature map, with values for all of its weights."""
        options: dict[str, Any] = {"precision": self.precision, "threads": self.threads}
        encoder = Encoder(self._chosen_map(), self.params, **options)
        drawn = drawn_params(encoder, num_features, self.random_state)
        return encoder.with_params({**encoder.params, **drawn}) if drawn else encoder


class KernelMachine(MapEstimator):
    """Base of the estimators that are a kernel method of scikit-learn on a quantum kernel."""

    kernel: str | QuantumKernel
    gamma: float | str
    max_memory: int | None

    def _make_kernel(self, X: FloatArray) -> QuantumKernel:
        """The kernel that the parameters describe, with values for all of the feature map's weights."""
        feature_map = self._chosen_map()
        options: dict[str, Any] = {"precision": self.precision, "threads": self.threads}
        options["max_memory"] = self.max_memory
        kernel: QuantumKernel
        if isinstance(self.kernel, QuantumKernel):
            kernel = self.kernel
        elif self.kernel == "fidelity":
            kernel = FidelityKernel(feature_map, self.params, **options)
        elif self.kernel == "projected":
            kernel = ProjectedKernel(feature_map, self.params, gamma=self.gamma, **options)
        else:
            raise ArgumentError(
                "Parameter `kernel` must be 'fidelity', 'projected' or a kernel of qsim.quantum_kernels, but "
                f"is {self.kernel!r}."
            )
        drawn = drawn_params(kernel.encoder, X.shape[1], self.random_state)
        kernel = kernel.with_params({**kernel.params, **drawn}) if drawn else kernel
        if isinstance(kernel, ProjectedKernel) and kernel.gamma == "scale":
            kernel = kernel.with_gamma(kernel.scale_gamma(X))
        return kernel

    def _start(self, X: Any, y: Any, **checks: Any) -> tuple[FloatArray, Any]:
        """Checked data, scaled, and targets; makes the kernel."""
        X, y = validate_data(self, X, y, dtype=np.float64, **checks)
        check_bandwidth(self.bandwidth)
        X = X * self.bandwidth
        self.kernel_ = self._make_kernel(X)
        return X, y

    def _start_unsupervised(self, X: Any) -> FloatArray:
        """Checked data, scaled; makes the kernel."""
        X = validate_data(self, X, dtype=np.float64)
        check_bandwidth(self.bandwidth)
        X = np.asarray(X * self.bandwidth)
        self.kernel_ = self._make_kernel(X)
        return np.asarray(X)

    def _gram(self, X: FloatArray) -> FloatArray:
        """The kernel matrix of the data that `fit` keeps."""
        self.X_fit_ = X
        return np.asarray(self.kernel_(X), dtype=np.float64)

    def _checked(self, X: Any) -> FloatArray:
        """New data, checked against that of `fit` and scaled."""
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False) * self.bandwidth)

    def _against(self, X: Any, columns: Any = None) -> FloatArray:
        """Kernel values of new data with that of `fit`, or some rows of it; the others are left 0."""
        X = self._checked(X)
        if columns is None:
            return np.asarray(self.kernel_(X, self.X_fit_), dtype=np.float64)
        out = np.zeros((len(X), len(self.X_fit_)))
        if len(columns):
            out[:, columns] = self.kernel_(X, self.X_fit_[columns])
        return out


def row_weights(sample_weight: Any, X: FloatArray) -> FloatArray:
    """Checked weights of rows; ones where there are none."""
    weights: FloatArray = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weights.any():
        raise ArgumentError("Argument `sample_weight` must be positive for some row, but is 0 for all.")
    return weights


def merged_rows(
    X: FloatArray, y: npt.NDArray[Any], sample_weight: Any
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Rows that differ in data or target and have a weight: one row of each, and the sum of its weights.

    The solver of the support vector machines mixes up rows if some weigh nothing, and takes another path to
    another approximate solution if rows are repeated instead of weighted. Not so after this.
    """
    weights = row_weights(sample_weight, X)
    kept = np.flatnonzero(weights)
    table = np.column_stack([X, np.unique(y, return_inverse=True)[1] if y.dtype.kind in "OUS" else y])[kept]
    _, first, group = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return kept[first], np.bincount(group.ravel(), weights[kept]).astype(np.float64, copy=False)
