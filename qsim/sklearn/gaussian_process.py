"""Gaussian processes whose covariance is a quantum kernel."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, WhiteKernel
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from qsim.quantum_kernels import QuantumKernel
from qsim.sklearn.base import KernelMachine

__all__ = ["Covariance", "QuantumGaussianProcessClassifier", "QuantumGaussianProcessRegressor"]

FloatArray = npt.NDArray[np.float64]


class Covariance(Kernel):  # type: ignore[misc]
    """A quantum kernel as a covariance function of `sklearn.gaussian_process`.

    It has no hyperparameters of its own, and is added to and multiplied with others:
    ``ConstantKernel() * Covariance(kernel) + WhiteKernel()``. The matrix of the data last seen is kept, as
    fitting asks for it again with every choice of the others' hyperparameters.

    Parameters
    ----------
    kernel : QuantumKernel

    Examples
    --------
    >>> import numpy as np
    >>> from qsim.quantum_kernels import FidelityKernel
    >>> covariance = ConstantKernel(2.0) * Covariance(FidelityKernel("angle"))
    >>> covariance(np.array([[0.0], [np.pi / 2]])).round(6)
    array([[2., 1.],
           [1., 2.]])
    """

    def __init__(self, kernel: QuantumKernel) -> None:
        self.kernel = kernel

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """The covariance matrix; with `eval_gradient` also its derivatives by hyperparameters, of which it
        has none."""
        if Y is not None:
            return self.kernel(X, Y).astype(np.float64, copy=False)
        seen = getattr(self, "_seen", None)
        if seen is None or not np.array_equal(seen[0], X):
            self._seen = seen = (np.array(X), self.kernel(X).astype(np.float64, copy=False))
        matrix = seen[1].copy()
        return (matrix, np.empty((*matrix.shape, 0))) if eval_gradient else matrix

    def diag(self, X: Any) -> FloatArray:
        """Variances, shape (rows,)."""
        return self.kernel.diag(X).astype(np.float64, copy=False)

    def is_stationary(self) -> bool:
        """Whether values depend on differences of points only: not so in general."""
        return False

    def __getstate__(self) -> dict[str, Any]:
        return {"kernel": self.kernel}

    def __repr__(self) -> str:
        return f"Covariance({self.kernel!r})"


#: Rows up to which factors of the matrix are computed by one thread: several wait for each other, on a busy
#: machine many times longer than one works.
_ONE_THREAD_ROWS = 1000


@contextmanager
def _fitting(rows: int) -> Iterator[None]:
    """Without warnings about amplitude or noise at a bound: noise of 0 is an honest answer, not a failure."""
    limits = {"limits": 1 if rows <= _ONE_THREAD_ROWS else None, "user_api": "blas"}
    with warnings.catch_warnings(), threadpool_limits(**limits):
        warnings.filterwarnings("ignore", "The optimal value found for dimension", ConvergenceWarning)
        yield


class QuantumGaussianProcessRegressor(RegressorMixin, KernelMachine):  # type: ignore[misc]
    """Gaussian process regression with the covariance ``a k(x, y) + noise``, `k` a quantum kernel.

    Amplitude and noise are those of the greatest marginal likelihood.

    Parameters
    ----------
    feature_map, params, kernel, bandwidth, gamma, precision, threads, max_memory
        As for `QSVC`.
    alpha : float, default 1e-8
        Added to the diagonal, beside the noise that is fitted.
    noise : float, default 1e-2
        Variance of the noise to begin with, in units of that of the targets.
    optimizer : "fmin_l_bfgs_b", callable or None
        As for `sklearn.gaussian_process.GaussianProcessRegressor`; None leaves amplitude and noise.
    n_restarts_optimizer : int, default 0
    normalize_y : bool, default True
        Fit to targets of mean 0 and variance 1.
    random_state : int, RandomState or None
        Of restarts, of samples, and of the feature map's parameters that are drawn.

    Attributes
    ----------
    kernel_ : QuantumKernel
    regressor_ : sklearn.gaussian_process.GaussianProcessRegressor

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-3, 3, 20).reshape(-1, 1)
    >>> model = QuantumGaussianProcessRegressor().fit(X, np.sin(X[:, 0]))
    >>> mean, deviation = model.predict([[0.5]], return_std=True)
    >>> bool(abs(mean[0] - np.sin(0.5)) < 0.01), deviation.shape
    (True, (1,))
    """

    def __init__(
        self,
        feature_map: Any = None,
        *,
        params: Mapping[Any, Any] | None = None,
        kernel: str | QuantumKernel = "fidelity",
        bandwidth: float = 1.0,
        gamma: float | str = 1.0,
        alpha: float = 1e-8,
        noise: float = 1e-2,
        optimizer: Any = "fmin_l_bfgs_b",
        n_restarts_optimizer: int = 0,
        normalize_y: bool = True,
        random_state: Any = None,
        precision: str | None = None,
        threads: int | None = None,
        max_memory: int | None = None,
    ) -> None:
        self.feature_map = feature_map
        self.params = params
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.gamma = gamma
        self.alpha = alpha
        self.noise = noise
        self.optimizer = optimizer
        self.n_restarts_optimizer = n_restarts_optimizer
        self.normalize_y = normalize_y
        self.random_state = random_state
        self.precision = precision
        self.threads = threads
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any) -> QuantumGaussianProcessRegressor:
        """Fit to data (rows, features) and targets (rows,) or (rows, targets)."""
        X, y = self._start(X, y, y_numeric=True, multi_output=True)
        covariance = ConstantKernel(1.0, (1e-3, 1e5)) * Covariance(self.kernel_)
        self.regressor_ = GaussianProcessRegressor(
            covariance + WhiteKernel(self.noise, (1e-8, 1e2)),
            alpha=self.alpha,
            optimizer=self.optimizer,
            n_restarts_optimizer=self.n_restarts_optimizer,
            normalize_y=self.normalize_y,
            random_state=self.random_state,
        )
        with _fitting(len(X)):
            self.regressor_.fit(X, y)
        return self

    def predict(self, X: Any, return_std: bool = False, return_cov: bool = False) -> Any:
        """Means (rows,), with `return_std` also deviations (rows,), with `return_cov` covariances."""
        X = self._checked(X)
        return self.regressor_.predict(X, return_std=return_std, return_cov=return_cov)

    def sample_y(self, X: Any, n_samples: int = 1, random_state: Any = 0) -> FloatArray:
        """Draws from the process at data (rows, features), shape (rows, n_samples)."""
        X = self._checked(X)
        return np.asarray(self.regressor_.sample_y(X, n_samples, random_state))

    def log_marginal_likelihood(self) -> float:
        """Of the amplitude and noise that were chosen."""
        check_is_fitted(self)
        return float(self.regressor_.log_marginal_likelihood_value_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class QuantumGaussianProcessClassifier(ClassifierMixin, KernelMachine):  # type: ignore[misc]
    """Gaussian process classification with the covariance ``a k(x, y)``, `k` a quantum kernel.

    The amplitude is that of the greatest (approximate) marginal likelihood.

    Parameters
    ----------
    feature_map, params, kernel, bandwidth, gamma, precision, threads, max_memory
        As for `QSVC`.
    optimizer, n_restarts_optimizer, max_iter_predict, multi_class
        As for `sklearn.gaussian_process.GaussianProcessClassifier`.
    random_state : int, RandomState or None
        Of restarts, and of the feature map's parameters that are drawn.

    Attributes
    ----------
    kernel_ : QuantumKernel
    classes_ : ndarray
    classifier_ : sklearn.gaussian_process.GaussianProcessClassifier

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = QuantumGaussianProcessClassifier(bandwidth=0.5).fit(X, y)
    >>> model.score(X, y) > 0.9, model.predict_proba(X[:2]).shape
    (True, (2, 3))
    """

    def __init__(
        self,
        feature_map: Any = None,
        *,
        params: Mapping[Any, Any] | None = None,
        kernel: str | QuantumKernel = "fidelity",
        bandwidth: float = 1.0,
        gamma: float | str = 1.0,
        optimizer: Any = "fmin_l_bfgs_b",
        n_restarts_optimizer: int = 0,
        max_iter_predict: int = 100,
        multi_class: str = "one_vs_rest",
        random_state: Any = None,
        precision: str | None = None,
        threads: int | None = None,
        max_memory: int | None = None,
    ) -> None:
        self.feature_map = feature_map
        self.params = params
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.gamma = gamma
        self.optimizer = optimizer
        self.n_restarts_optimizer = n_restarts_optimizer
        self.max_iter_predict = max_iter_predict
        self.multi_class = multi_class
        self.random_state = random_state
        self.precision = precision
        self.threads = threads
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any) -> QuantumGaussianProcessClassifier:
        """Fit to data (rows, features) and labels (rows,)."""
        X, y = self._start(X, y)
        check_classification_targets(y)
        self.classifier_ = GaussianProcessClassifier(
            ConstantKernel(1.0, (1e-3, 1e5)) * Covariance(self.kernel_),
            optimizer=self.optimizer,
            n_restarts_optimizer=self.n_restarts_optimizer,
            max_iter_predict=self.max_iter_predict,
            multi_class=self.multi_class,
            random_state=self.random_state,
        )
        with _fitting(len(X)):
            self.classifier_.fit(X, y)
        self.classes_ = self.classifier_.classes_
        return self

    def predict(self, X: Any) -> Any:
        """Labels (rows,) of data."""
        X = self._checked(X)
        return self.classifier_.predict(X)

    def predict_proba(self, X: Any) -> FloatArray:
        """Probabilities of the classes, shape (rows, classes)."""
        X = self._checked(X)
        return np.asarray(self.classifier_.predict_proba(X))
