"""Variational models: circuits with trained weights, and a linear layer on what is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps import check_data
from qsim.optimize import Adam, minimize
from qsim.program.program import Program
from qsim.program.program import compile as compile_circuit
from qsim.sklearn.base import check_bandwidth
from qsim.sklearn.model_circuits import WEIGHTS, model_circuit

__all__ = ["QNNClassifier", "QNNRegressor"]

FloatArray = npt.NDArray[np.float64]
#: (scores, targets) -> the mean loss, and its derivative by the scores
Loss = Callable[[FloatArray, FloatArray], tuple[float, FloatArray]]

#: Spread of first weights around their centres.
_SPREAD = 0.3


class _Network(BaseEstimator):  # type: ignore[misc]
    """Base of the variational models: circuit, training and scores."""

    _program: Program

    def __init__(
        self,
        feature_map: Any = None,
        *,
        ansatz: Any = None,
        num_layers: int = 3,
        observables: Any = None,
        bandwidth: float = 1.0,
        epochs: int = 50,
        batch_size: int = 32,
        learning_rate: float = 0.05,
        random_state: Any = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.feature_map = feature_map
        self.ansatz = ansatz
        self.num_layers = num_layers
        self.observables = observables
        self.bandwidth = bandwidth
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.precision = precision
        self.threads = threads

    def _train(self, X: FloatArray, targets: FloatArray, loss: Loss) -> None:
        """Fit weights of circuit and linear layer to targets (rows, scores)."""
        epochs, size = check_count(self.epochs, "epochs", 1), check_count(self.batch_size, "batch_size", 1)
        layers = check_count(self.num_layers, "num_layers", 1)
        check_bandwidth(self.bandwidth)
        if not self.learning_rate > 0:
            raise ArgumentError(f"Parameter `learning_rate` must be positive, but is {self.learning_rate}.")
        seed = int(check_random_state(self.random_state).randint(2**31))
        X = X * self.bandwidth
        self._check_domain(X)
        circuit, centers = model_circuit(self.feature_map, self.ansatz, X.shape[1], layers)
        observables = self.observables
        if observables is None:
            observables = [f"Z{q}" for q in range(circuit.num_qubits)]
        elif not isinstance(observables, list | tuple):
            observables = [observables]
        options: dict[str, Any] = {"precision": self.precision, "threads": self.threads}
        program = self._program = compile_circuit(circuit, list(observables), **options)
        size, scores, measured = min(size, len(X)), targets.shape[1], len(observables)
        per_epoch = -(-len(X) // size)

        def step_loss(vector: FloatArray, step: int) -> tuple[float, FloatArray]:
            epoch, part = divmod(step, per_epoch)
            order = np.random.default_rng([seed, epoch]).permutation(len(X))
            rows = order[part * size : (part + 1) * size]
            own, matrix, offsets = self._split(vector, scores, measured)
            params = {"x": X[rows], WEIGHTS: own}
            values = program.expectation(params)
            value, slope = loss(values @ matrix.T + offsets, targets[rows])
            parts = [(slope.T @ values).ravel(), slope.sum(axis=0)]
            if len(own):
                _, gradient = program.vjp(params, slope @ matrix, wrt=WEIGHTS)
                parts.insert(0, np.asarray(gradient[WEIGHTS]).sum(axis=0))
            return value, np.concatenate(parts)

        generator = np.random.default_rng(seed)
        first = np.concatenate(
            [
                centers + generator.normal(scale=_SPREAD, size=len(centers)),
                generator.normal(scale=1 / np.sqrt(measured), size=scores * measured),
                np.zeros(scores),
            ]
        )
        result = minimize(step_loss, first, Adam(self.learning_rate), steps=epochs * per_epoch)
        assert result.state is not None
        self.weights_, self.coef_, self.intercept_ = self._split(result.state.x, scores, measured)
        self.num_qubits_ = circuit.num_qubits
        self.loss_curve_ = np.array(result.values).reshape(epochs, per_epoch).mean(axis=1).tolist()
        self.n_iter_ = epochs

    @staticmethod
    def _split(vector: FloatArray, scores: int, measured: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Weights of the circuit, matrix and offsets of the linear layer."""
        head = len(vector) - scores * (measured + 1)
        own, matrix, offsets = np.split(vector, [head, head + scores * measured])
        return own, matrix.reshape(scores, measured), offsets

    def _check_domain(self, X: FloatArray) -> None:
        if self.feature_map is not None and not isinstance(self.feature_map, Circuit):
            check_data(X, self.feature_map)

    def _scores(self, X: Any) -> FloatArray:
        """Scores of new data, shape (rows, scores)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False) * self.bandwidth
        self._check_domain(X)
        params = {"x": X, **({WEIGHTS: self.weights_} if len(self.weights_) else {})}
        return np.asarray(self._program.expectation(params) @ self.coef_.T + self.intercept_)


def _cross_entropy(scores: FloatArray, right: FloatArray) -> tuple[float, FloatArray]:
    chances = _softmax(scores)
    likely = np.maximum((chances * right).sum(axis=1), np.finfo(float).tiny)
    return float(-np.log(likely).mean()), (chances - right) / len(scores)


def _squared_error(scores: FloatArray, targets: FloatArray) -> tuple[float, FloatArray]:
    miss = scores - targets
    return float((miss**2).sum(axis=1).mean() / 2), miss / len(scores)


def _softmax(scores: FloatArray) -> FloatArray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


class QNNClassifier(ClassifierMixin, _Network):  # type: ignore[misc]
    """A variational classifier: layers of encodings and weights, and a linear layer on expectation values.

    Trained by Adam on the cross entropy of mini-batches; each gradient is one batched adjoint sweep.

    Parameters
    ----------
    feature_map : str, Circuit or callable, optional
        The encoding of each layer. By default rotations ``RY(w x + w') RZ(w'')`` with trained factors and
        offsets, on at least 2 and at most 10 qubits, and rings of CZ [1]_.
    ansatz : str, Circuit or callable, optional
        Weights behind each encoding: the name of one of `qsim.ansatz`, a circuit, or a function of the number
        of qubits. By default none behind the default encoding, else rotations RY and RZ and a ring of CZ.
    num_layers : int, default 3
    observables : list of observables, optional
        What is measured; Z of each qubit by default.
    bandwidth : float, default 1.0
        Data are multiplied by this before they are encoded.
    epochs : int, default 50
    batch_size : int, default 32
    learning_rate : float, default 0.05
    random_state : int, RandomState or None
        Of first weights and of the order of the data.
    precision, threads
        See `qsim.compile`.

    Attributes
    ----------
    classes_ : ndarray
    weights_ : ndarray
        Of the circuit.
    coef_, intercept_ : ndarray, shape (classes, observables) and (classes,)
        Of the linear layer.
    loss_curve_ : list of float
        The mean loss of each epoch.
    n_iter_ : int
        Epochs made.

    References
    ----------
    .. [1] A. Perez-Salinas et al., Quantum 4, 226 (2020), arXiv:1907.02085.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> X, y = make_moons(100, noise=0.1, random_state=0)
    >>> QNNClassifier(random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    def fit(self, X: Any, y: Any) -> QNNClassifier:
        """Train on data (rows, features) and labels (rows,)."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, group = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ArgumentError(
                "Argument `y` must hold two classes or more, but has one class: "
                f"{self.classes_.tolist()[0]!r}."
            )
        self._train(X, np.eye(len(self.classes_))[group], _cross_entropy)
        return self

    def decision_function(self, X: Any) -> FloatArray:
        """Scores before the softmax: (rows, classes), or the difference of both, (rows,), for two."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the classes, shape (rows, classes)."""
        return _softmax(self._scores(X))

    def predict(self, X: Any) -> Any:
        """Labels (rows,) of data."""
        scores = self._scores(X)
        return self.classes_[scores.argmax(axis=1)]


class QNNRegressor(RegressorMixin, _Network):  # type: ignore[misc]
    """A variational regressor: layers of encodings and weights, and a linear layer on expectation values.

    Trained by Adam on the squared error of mini-batches, for targets of mean 0 and variance 1.

    Parameters
    ----------
    feature_map, ansatz, num_layers, observables, bandwidth, epochs, batch_size, learning_rate, random_state,
    \
precision, threads
        As for `QNNClassifier`.

    Attributes
    ----------
    weights_ : ndarray
        Of the circuit.
    coef_, intercept_ : ndarray, shape (targets, observables) and (targets,)
        Of the linear layer, for scaled targets.
    loss_curve_ : list of float
        The mean loss of each epoch.
    n_iter_ : int
        Epochs made.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-2, 2, 60).reshape(-1, 1)
    >>> QNNRegressor(random_state=0).fit(X, np.sin(2 * X[:, 0])).score(X, np.sin(2 * X[:, 0])) > 0.95
    True
    """

    def fit(self, X: Any, y: Any) -> QNNRegressor:
        """Train on data (rows, features) and targets (rows,) or (rows, targets)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, multi_output=True)
        y = np.asarray(y, dtype=np.float64)
        self._is_one_target = y.ndim == 1
        targets = y.reshape(len(y), -1)
        self._mean, spread = targets.mean(axis=0), targets.std(axis=0)
        self._scale = np.where(spread > 0, spread, 1.0)
        self._train(X, (targets - self._mean) / self._scale, _squared_error)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Targets (rows,) or (rows, targets) of data."""
        scores = self._scores(X)
        found = scores * self._scale + self._mean
        return np.asarray(found[:, 0] if self._is_one_target else found)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
