"""Support vector machines and kernel ridge regression on quantum kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import SVC, SVR
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from qsim.quantum_kernels import QuantumKernel
from qsim.sklearn.base import KernelMachine, check_no_map, merged_rows, row_weights

__all__ = ["QSVC", "QSVR", "QuantumKernelRidge"]

FloatArray = npt.NDArray[np.float64]


class QSVC(ClassifierMixin, KernelMachine):  # type: ignore[misc]
    """Support vector classification with a quantum kernel: `sklearn.svm.SVC` on its kernel matrix.

    Parameters
    ----------
    feature_map : str, Circuit or callable, optional
        See `qsim.quantum_kernels.FidelityKernel`. By default rotations ``RY(x_i)``: one on each qubit for up
        to ten features, layers of them with CZ in between for more.
    params : dict, optional
        Values of the feature map's trainable parameters; those not given are drawn with `random_state`.
    kernel : {"fidelity", "projected"} or QuantumKernel, default "fidelity"
        A kernel of `qsim.quantum_kernels` has a feature map of its own, and those above are not used.
    bandwidth : float, default 1.0
        Data are multiplied by this before they are encoded: the smaller, the wider the kernel.
    gamma : float or "scale", default 1.0
        Of the projected kernel.
    C, class_weight, shrinking, tol, cache_size, max_iter, decision_function_shape, break_ties
        As for `sklearn.svm.SVC`.
    random_state : int, RandomState or None
        Of the parameters that are drawn.
    precision, threads, max_memory
        As for `qsim.quantum_kernels.FidelityKernel`.

    Attributes
    ----------
    kernel_ : QuantumKernel
    classes_ : ndarray
    support_ : ndarray
        Rows of the support vectors.
    svc_ : sklearn.svm.SVC
        The fitted machine, with ``kernel="precomputed"``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> QSVC(bandwidth=0.5).fit(X, y).score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        feature_map: Any = None,
        *,
        params: Mapping[Any, Any] | None = None,
        kernel: str | QuantumKernel = "fidelity",
        bandwidth: float = 1.0,
        gamma: float | str = 1.0,
        C: float = 1.0,
        class_weight: Any = None,
        shrinking: bool = True,
        tol: float = 1e-3,
        cache_size: float = 200,
        max_iter: int = -1,
        decision_function_shape: str = "ovr",
        break_ties: bool = False,
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
        self.C = C
        self.class_weight = class_weight
        self.shrinking = shrinking
        self.tol = tol
        self.cache_size = cache_size
        self.max_iter = max_iter
        self.decision_function_shape = decision_function_shape
        self.break_ties = break_ties
        self.random_state = random_state
        self.precision = precision
        self.threads = threads
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> QSVC:
        """Fit to data (rows, features) and labels (rows,)."""
        X, y = self._start(X, y)
        check_classification_targets(y)
        rows, weights = merged_rows(X, y, sample_weight)
        self.svc_ = SVC(
            kernel="precomputed",
            C=self.C,
            class_weight=_class_weights(self.class_weight, y[rows], weights),
            shrinking=self.shrinking,
            tol=self.tol,
            cache_size=self.cache_size,
            max_iter=self.max_iter,
            decision_function_shape=self.decision_function_shape,
            break_ties=self.break_ties,
        ).fit(self._gram(X[rows]), y[rows], weights)
        self.classes_ = self.svc_.classes_
        self.support_ = rows[self.svc_.support_]
        self.n_iter_ = self.svc_.n_iter_
        return self

    def predict(self, X: Any) -> Any:
        """Labels (rows,) of data."""
        check_is_fitted(self)
        return self.svc_.predict(self._against(X, self.svc_.support_))

    def decision_function(self, X: Any) -> FloatArray:
        """Signed distances, as those of `sklearn.svm.SVC`."""
        check_is_fitted(self)
        return np.asarray(self.svc_.decision_function(self._against(X, self.svc_.support_)))


def _class_weights(class_weight: Any, y: Any, weights: FloatArray) -> Any:
    """What `class_weight` is for rows that stand for several: "balanced" by the sums of their weights."""
    if not isinstance(class_weight, str) or class_weight != "balanced":
        return class_weight
    classes, group = np.unique(y, return_inverse=True)
    totals = np.bincount(group, weights)
    return dict(zip(classes.tolist(), (totals.sum() / (len(classes) * totals)).tolist(), strict=True))


class QSVR(RegressorMixin, KernelMachine):  # type: ignore[misc]
    """Support vector regression with a quantum kernel: `sklearn.svm.SVR` on its kernel matrix.

    Parameters
    ----------
    feature_map, params, kernel, bandwidth, gamma, random_state, precision, threads, max_memory
        As for `QSVC`.
    C, epsilon, shrinking, tol, cache_size, max_iter
        As for `sklearn.svm.SVR`.

    Attributes
    ----------
    kernel_ : QuantumKernel
    support_ : ndarray
        Rows of the support vectors.
    svr_ : sklearn.svm.SVR
        The fitted machine, with ``kernel="precomputed"``.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-3, 3, 40).reshape(-1, 1)
    >>> QSVR(C=10.0).fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.95
    True
    """

    def __init__(
        self,
        feature_map: Any = None,
        *,
        params: Mapping[Any, Any] | None = None,
        kernel: str | QuantumKernel = "fidelity",
        bandwidth: float = 1.0,
        gamma: float | str = 1.0,
        C: float = 1.0,
        epsilon: float = 0.1,
        shrinking: bool = True,
        tol: float = 1e-3,
        cache_size: float = 200,
        max_iter: int = -1,
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
        self.C = C
        self.epsilon = epsilon
        self.shrinking = shrinking
        self.tol = tol
        self.cache_size = cache_size
        self.max_iter = max_iter
        self.random_state = random_state
        self.precision = precision
        self.threads = threads
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> QSVR:
        """Fit to data (rows, features) and targets (rows,)."""
        X, y = self._start(X, y, y_numeric=True)
        rows, weights = merged_rows(X, y, sample_weight)
        self.svr_ = SVR(
            kernel="precomputed",
            C=self.C,
            epsilon=self.epsilon,
            shrinking=self.shrinking,
            tol=self.tol,
            cache_size=self.cache_size,
            max_iter=self.max_iter,
        ).fit(self._gram(X[rows]), y[rows], weights)
        self.support_ = rows[self.svr_.support_]
        self.n_iter_ = self.svr_.n_iter_
        return self

    def predict(self, X: Any) -> FloatArray:
        """Targets (rows,) of data."""
        check_is_fitted(self)
        return np.asarray(self.svr_.predict(self._against(X, self.svr_.support_)))


class QuantumKernelRidge(RegressorMixin, KernelMachine):  # type: ignore[misc]
    """Ridge regression with a quantum kernel: `sklearn.kernel_ridge.KernelRidge` on its kernel matrix.

    Parameters
    ----------
    alpha : float, default 1.0
        Strength of the regularisation.
    feature_map, params, kernel, bandwidth, gamma, random_state, precision, threads, max_memory
        As for `QSVC`.

    Attributes
    ----------
    kernel_ : QuantumKernel
    dual_coef_ : ndarray, shape (rows,) or (rows, targets)

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-3, 3, 40).reshape(-1, 1)
    >>> QuantumKernelRidge(alpha=1e-3).fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.99
    True
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        feature_map: Any = None,
        params: Mapping[Any, Any] | None = None,
        kernel: str | QuantumKernel = "fidelity",
        bandwidth: float = 1.0,
        gamma: float | str = 1.0,
        random_state: Any = None,
        precision: str | None = None,
        threads: int | None = None,
        max_memory: int | None = None,
    ) -> None:
        self.alpha = alpha
        self.feature_map = feature_map
        self.params = params
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.gamma = gamma
        self.random_state = random_state
        self.precision = precision
        self.threads = threads
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> QuantumKernelRidge:
        """Fit to data (rows, features) and targets (rows,) or (rows, targets)."""
        check_no_map(self.alpha, "alpha")
        X, y = self._start(X, y, y_numeric=True, multi_output=True)
        weights = None if sample_weight is None else row_weights(sample_weight, X)
        fitted = KernelRidge(alpha=self.alpha, kernel="precomputed").fit(self._gram(X), y, weights)
        self.dual_coef_ = fitted.dual_coef_
        return self

    def predict(self, X: Any) -> FloatArray:
        """Targets (rows,) or (rows, targets) of data."""
        check_is_fitted(self)
        return np.asarray(self._against(X) @ self.dual_coef_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
