"""What a report is about: checked data, and a model in any of its forms as kernels and a circuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count, counted
from qsim.analysis._inputs import check_data, check_targets, data_columns, is_classification
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.parameters import Parameter

__all__ = ["Subject", "read_data", "read_subject"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Subject:
    """What the report is about, as kernels and a circuit with values of its weights.

    Kernels have the weights that were given, or drawn; `weights` are those that were trained, if any were.
    """

    name: str
    circuit: Circuit
    fidelity: Any
    projected: Any
    columns: list[int]
    trainable: tuple[Parameter, ...]
    weights: dict[Any, Any]
    estimator: Any
    notes: tuple[str, ...]
    #: whether data are integers, which no bandwidth may scale
    is_integer: bool

    def drawing(self, data: FloatArray) -> Any:
        """Draws features from the data, and weights uniformly."""

        def draw(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
            values = rng.uniform(0, 2 * np.pi, size=shape)
            values[:, self.columns] = data[rng.integers(len(data), size=shape[0])]
            return values

        return draw


def read_data(
    X: Any, y: Any, task: str | None, max_samples: int, seed: int
) -> tuple[FloatArray, npt.NDArray[Any], bool, list[str]]:
    """Checked data, thinned out where they are many, and notes on them."""
    data = check_data(X, least=4)
    targets = check_targets(y, len(data))
    if task not in (None, "classification", "regression"):
        raise ArgumentError(f"Argument `task` must be 'classification' or 'regression', but is {task!r}.")
    classification = is_classification(targets) if task is None else task == "classification"
    if not classification:
        if targets.dtype.kind not in "iuf":
            raise TypeError(
                f"Argument `y` must hold numbers for a regression, but is of type {targets.dtype}."
            )
        targets = targets.astype(float)
        if np.ptp(targets) == 0:
            raise ArgumentError(f"Argument `y` must vary, but all of it is {targets[0]:g}.")
    constant = np.flatnonzero(np.ptp(data, axis=0) == 0)
    if len(constant) == data.shape[1]:
        raise ArgumentError("Argument `X` must vary, but all of its columns are constant.")
    notes = []
    if len(constant):
        notes.append(
            f"Constant in all rows, so that it tells nothing: {', '.join(f'column {k}' for k in constant)}."
        )
    max_samples = check_count(max_samples, "max_samples", 10)
    if len(data) > max_samples:
        from sklearn.model_selection import train_test_split

        classes = np.unique(targets, return_counts=True)[1] if classification else np.array([2])
        even = targets if classification and classes.min() > 1 and len(classes) <= max_samples // 2 else None
        rows = train_test_split(
            np.arange(len(data)), train_size=max_samples, random_state=seed, stratify=even
        )[0]
        notes.append(f"{max_samples} of {len(data)} points, chosen at random (max_samples).")
        data, targets = data[rows], targets[rows]
    return data, targets, classification, notes


def read_subject(
    model: Any, data: FloatArray, y: npt.NDArray[Any], weights: Any, seed: int, settings: dict[str, Any]
) -> Subject:
    from qsim import feature_maps
    from qsim.quantum_kernels import FidelityKernel, ProjectedKernel, QuantumKernel

    num_features = data.shape[1]
    estimator, kernel = None, model
    params: dict[Any, Any] = dict(weights or {})
    trained: dict[Any, Any] = {}
    if hasattr(model, "fit") and hasattr(model, "predict"):
        estimator, fitted = model, _fitted(model, data, y)
        kernel = getattr(fitted, "kernel_", None)
    is_integer = False
    if isinstance(kernel, QuantumKernel):
        is_integer = feature_maps.get(kernel.feature_map).integer
        circuit = kernel.circuit(num_features)
        params = {**kernel.params, **params}
        name = type(estimator or kernel).__name__ + (f" with {circuit.name}" if circuit.name else "")
    elif estimator is not None:
        circuit, trained = _network_circuit(fitted, num_features)
        name = type(estimator).__name__
    else:
        record = feature_maps.get(model)
        circuit, name, is_integer = record(num_features), record.name, record.integer
    columns = data_columns(circuit.parameters)
    if len(columns) != num_features:
        raise ArgumentError(
            f"Argument `X` must have {counted(len(columns), 'column')}, one for each feature of the circuit, "
            f"but has {num_features}."
        )
    trainable = tuple(p for k, p in enumerate(circuit.parameters) if k not in columns)
    given = {key if isinstance(key, str) else key.name for key in params}
    missing = [p for p in trainable if p.name not in given and (p.vector or (p.name,))[0] not in given]
    drawn = np.random.default_rng([seed, 1]).uniform(0, 2 * np.pi, len(missing))
    params |= {p.name: float(value) for p, value in zip(missing, drawn, strict=True)}
    notes: tuple[str, ...] = ()
    if missing:
        kernels = (
            " for the kernels: trained on all points, they would have seen the answers" if trained else ""
        )
        notes = (
            f"{len(missing)} of {len(trainable)} weights were drawn at random, and not trained{kernels}.",
        )
    fidelity = FidelityKernel(circuit, params, **settings)
    projected = ProjectedKernel(circuit, params, gamma=1.0, **settings)
    values = {**params, **trained}
    return Subject(
        name, circuit, fidelity, projected, columns, trainable, values, estimator, notes, is_integer
    )


def _fitted(model: Any, data: FloatArray, y: npt.NDArray[Any]) -> Any:
    """A trained copy of an estimator."""
    from sklearn.base import clone

    return clone(model).fit(data, y)


def _network_circuit(fitted: Any, num_features: int) -> tuple[Circuit, dict[Any, Any]]:
    """The circuit of a trained variational model, and its weights."""
    from qsim.sklearn import QNNClassifier, QNNRegressor
    from qsim.sklearn.model_circuits import WEIGHTS, model_circuit

    if not isinstance(fitted, QNNClassifier | QNNRegressor):
        raise TypeError(
            "Argument `model` must be an estimator with a quantum kernel or circuit, but is "
            f"{type(fitted).__name__}. Give its circuit, to learn about that."
        )
    circuit, _ = model_circuit(fitted.feature_map, fitted.ansatz, num_features, fitted.num_layers)
    return circuit, {f"{WEIGHTS}[{k}]": float(value) for k, value in enumerate(fitted.weights_)}
