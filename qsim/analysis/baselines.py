"""Cross-validated scores on the same folds: quantum kernels, and the classical methods they must beat."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from qsim.analysis._estimates import Estimate, bootstrap_weights, spread
from qsim.errors import ArgumentError

__all__ = [
    "Folds",
    "Score",
    "classical_scores",
    "estimator_score",
    "kernel_score",
    "make_folds",
    "paired_lead",
    "rbf_matrix",
    "small_fits",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: What is tried for each method; chosen inside the training part of each fold.
PENALTIES = (0.1, 1.0, 10.0, 100.0)
GAMMAS = (0.03, 0.1, 0.3, 1.0, 3.0)
#: Random Fourier features.
NUM_COMPONENTS = 200
#: Of a support vector machine: the good ones need a few thousand, hopeless ones would go on for ever.
_MAX_ITERATIONS = 20_000
_FEWEST_OF_A_CLASS, _FEWEST_ROWS = 4, 10

#: Fits to the targets of some rows and predicts those of others.
_Predict: TypeAlias = Callable[[IntArray, IntArray, Any], Any]
_Option: TypeAlias = tuple[Mapping[str, Any], _Predict]


@dataclass(frozen=True, eq=False)
class Folds:
    """How the data are split, for all methods alike.

    Attributes
    ----------
    X : ndarray, shape (rows, features)
    y : ndarray, shape (rows,)
    classification : bool
    outer : list of (train, test)
        Rows of each fold.
    inner : int
        Folds of the training part, on which settings are chosen.
    seed : int
    """

    X: FloatArray
    y: npt.NDArray[Any]
    classification: bool
    outer: list[tuple[IntArray, IntArray]]
    inner: int
    seed: int

    def inner_splitter(self) -> Any:
        from sklearn.model_selection import KFold, StratifiedKFold

        kind = StratifiedKFold if self.classification else KFold
        return kind(self.inner, shuffle=True, random_state=self.seed)


@dataclass(frozen=True, eq=False)
class Score:
    """A method's predictions for points it was not trained on.

    Attributes
    ----------
    name : str
    is_quantum : bool
    estimate : Estimate
        Accuracy, or R^2 of numbers; the interval is a bootstrap over the points.
    predictions : ndarray, shape (rows,)
    chosen : tuple of dict
        Settings chosen in each fold.
    seconds : float
    """

    name: str
    is_quantum: bool
    estimate: Estimate
    predictions: npt.NDArray[Any] = field(repr=False)
    chosen: tuple[Mapping[str, Any], ...] = field(repr=False)
    seconds: float = 0.0


@contextmanager
def small_fits() -> Iterator[None]:
    """For thousands of small fits: linear algebra on one thread, as more would wait for each other, and no
    checks of numbers that are checked already.
    """
    import sklearn.exceptions
    import sklearn.linear_model  # loads the libraries of linear algebra, which are limited from here
    from sklearn import config_context
    from threadpoolctl import threadpool_limits

    fast = config_context(assume_finite=True, skip_parameter_validation=True)
    with threadpool_limits(1), fast, warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        yield


def make_folds(X: FloatArray, y: npt.NDArray[Any], classification: bool, folds: int, seed: int) -> Folds:
    """Shuffled folds, stratified by class; fewer of them where a class has few points."""
    from sklearn.model_selection import KFold, StratifiedKFold

    if not classification:
        if len(y) < _FEWEST_ROWS:
            raise ArgumentError(f"Argument `X` must hold at least {_FEWEST_ROWS} rows, but has {len(y)}.")
        outer = list(KFold(folds, shuffle=True, random_state=seed).split(X))
        return Folds(X, y, False, outer, 3, seed)
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2:
        only = classes.tolist()[0]
        raise ArgumentError(f"Argument `y` must have at least 2 classes, but all of it is {only!r}.")
    fewest = int(counts.min())
    if fewest < _FEWEST_OF_A_CLASS:
        raise ArgumentError(
            f"Argument `y` must have at least {_FEWEST_OF_A_CLASS} points of each class, but has {fewest} of "
            f"{classes.tolist()[counts.argmin()]!r}. Leave the class out, or give more data."
        )
    folds = min(folds, fewest)
    outer = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, y))
    return Folds(X, y, True, outer, min(3, fewest - fewest // folds - 1), seed)


def kernel_score(
    name: str,
    matrices: Iterable[tuple[Mapping[str, Any], FloatArray]],
    folds: Folds,
    rng: np.random.Generator,
    confidence: float,
) -> Score:
    """A support vector machine on the best of some kernel matrices of all points.

    Parameters
    ----------
    matrices : iterable of (settings, matrix)
        Quantum kernels; the penalty C is chosen along with them.
    """
    listed = list(matrices)
    return _nested(name, True, lambda train: _machines(listed, folds), folds, rng, confidence)


def classical_scores(folds: Folds, rng: np.random.Generator, confidence: float) -> list[Score]:
    """Support vectors with an RBF kernel, a linear model, and random Fourier features, each tuned."""
    linear = "logistic regression" if folds.classification else "ridge regression"
    methods: list[tuple[str, Callable[[IntArray], Iterator[_Option]]]] = [
        ("RBF SVM", lambda train: _machines(_rbf_matrices(_scaled(folds, train)), folds)),
        (linear, lambda train: _linear_models(_scaled(folds, train), folds)),
        ("random features", lambda train: _random_features(_scaled(folds, train), folds)),
    ]
    return [_nested(name, False, options, folds, rng, confidence) for name, options in methods]


def _nested(
    name: str,
    is_quantum: bool,
    options: Callable[[IntArray], Iterator[_Option]],
    folds: Folds,
    rng: np.random.Generator,
    confidence: float,
) -> Score:
    """Chooses one of the options inside the training part of each fold, and predicts the rest of it."""
    start = time.perf_counter()
    parts, chosen = [], []
    for train, test in folds.outer:
        target, undo = _standardised(folds, train)
        splits = [
            (train[a], train[b]) for a, b in folds.inner_splitter().split(folds.X[train], folds.y[train])
        ]
        found = [
            (np.mean([_merit(folds, target[b], predict(a, b, target)) for a, b in splits]), settings, predict)
            for settings, predict in options(train)
        ]
        _, settings, predict = max(found, key=lambda option: option[0])
        parts.append(undo(predict(train, test, target)))
        chosen.append(settings)
    return _score(name, is_quantum, _assembled(folds, parts), tuple(chosen), folds, start, rng, confidence)


def _merit(folds: Folds, truth: npt.NDArray[Any], found: npt.NDArray[Any]) -> float:
    return float((truth == found).mean()) if folds.classification else -float(((truth - found) ** 2).mean())


def _scaled(folds: Folds, train: IntArray) -> FloatArray:
    """All points, with mean 0 and variance 1 of those in training; a constant column stays constant."""
    part = folds.X[train]
    width = part.std(axis=0)
    return np.asarray((folds.X - part.mean(axis=0)) / np.where(width > 0, width, 1.0))


def rbf_matrix(points: FloatArray, gamma: float) -> FloatArray:
    """``exp(-gamma |a - b|**2)`` of all pairs."""
    squares = (points**2).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * points @ points.T
    return np.asarray(np.exp(-gamma * np.maximum(distances, 0.0)))


def _rbf_matrices(points: FloatArray) -> Iterator[tuple[Mapping[str, Any], FloatArray]]:
    for gamma in GAMMAS:
        width = gamma / points.shape[1]
        yield {"gamma": width}, rbf_matrix(points, width)


def _machines(matrices: Iterable[tuple[Mapping[str, Any], FloatArray]], folds: Folds) -> Iterator[_Option]:
    from sklearn.svm import SVC, SVR

    machine = SVC if folds.classification else SVR

    def option(matrix: FloatArray, penalty: float) -> _Predict:
        def predict(a: IntArray, b: IntArray, target: Any) -> Any:
            made = machine(kernel="precomputed", C=penalty, cache_size=50, max_iter=_MAX_ITERATIONS)
            return made.fit(matrix[np.ix_(a, a)], target[a]).predict(matrix[np.ix_(b, a)])

        return predict

    for settings, matrix in matrices:
        for penalty in PENALTIES:
            yield {**settings, "C": penalty}, option(matrix, penalty)


def _linear_models(points: FloatArray, folds: Folds) -> Iterator[_Option]:
    from sklearn.linear_model import LogisticRegression, Ridge

    def option(penalty: float) -> _Predict:
        def predict(a: IntArray, b: IntArray, target: Any) -> Any:
            made = (
                LogisticRegression(C=penalty, max_iter=2000) if folds.classification else Ridge(1 / penalty)
            )
            return made.fit(points[a], target[a]).predict(points[b])

        return predict

    for penalty in PENALTIES:
        yield {"C": penalty}, option(penalty)


def _random_features(points: FloatArray, folds: Folds) -> Iterator[_Option]:
    from sklearn.kernel_approximation import RBFSampler
    from sklearn.linear_model import RidgeClassifierCV, RidgeCV

    made = RidgeClassifierCV if folds.classification else RidgeCV

    def option(waves: FloatArray) -> _Predict:
        def predict(a: IntArray, b: IntArray, target: Any) -> Any:  # the ridge chooses its penalty itself
            return made([1 / c for c in PENALTIES]).fit(waves[a], target[a]).predict(waves[b])

        return predict

    for gamma in GAMMAS:
        width = gamma / points.shape[1]
        sampler = RBFSampler(gamma=width, n_components=NUM_COMPONENTS, random_state=folds.seed)
        yield {"gamma": width}, option(sampler.fit_transform(points))


def estimator_score(
    name: str, estimator: Any, folds: Folds, rng: np.random.Generator, confidence: float
) -> Score:
    """An estimator of scikit-learn's kind as it is."""
    from sklearn.base import clone

    start = time.perf_counter()
    parts = [
        clone(estimator).fit(folds.X[train], folds.y[train]).predict(folds.X[test])
        for train, test in folds.outer
    ]
    return _score(name, True, _assembled(folds, parts), (), folds, start, rng, confidence)


def _standardised(folds: Folds, train: IntArray) -> tuple[Any, Callable[[Any], Any]]:
    """All targets on the scale that the penalties are for, by those in training; and the way back."""
    if folds.classification:
        return folds.y, lambda found: found
    mean, width = folds.y[train].mean(), folds.y[train].std() or 1.0
    return (folds.y - mean) / width, lambda found: found * width + mean


def _assembled(folds: Folds, parts: list[Any]) -> npt.NDArray[Any]:
    """Predictions of all folds in the order of the data."""
    out = np.empty(len(folds.y), dtype=folds.y.dtype if folds.classification else float)
    for (_, test), found in zip(folds.outer, parts, strict=True):
        out[test] = found
    return out


def merits(folds: Folds, predictions: npt.NDArray[Any], weights: FloatArray) -> FloatArray:
    """Accuracy or R^2 of predictions for each row of weights of the points."""
    if folds.classification:
        return np.asarray(weights @ (predictions == folds.y).astype(float))
    y = folds.y.astype(float) - folds.y.mean()
    variances = weights @ y**2 - (weights @ y) ** 2
    errors = weights @ (predictions - folds.y) ** 2
    return np.asarray(1 - errors / np.maximum(variances, np.finfo(float).tiny))


def _score(
    name: str,
    is_quantum: bool,
    predictions: npt.NDArray[Any],
    chosen: tuple[Mapping[str, Any], ...],
    folds: Folds,
    start: float,
    rng: np.random.Generator,
    confidence: float,
) -> Score:
    found = merits(folds, predictions, _weights(folds, rng))
    estimate = spread(found[0], found[1:], confidence)
    return Score(name, is_quantum, estimate, predictions, chosen, time.perf_counter() - start)


def paired_lead(
    scores: list[Score], folds: Folds, rng: np.random.Generator, confidence: float
) -> Estimate | None:
    """By how much the best quantum score leads the best classical one.

    Both are chosen again in each resample of the points, so the choice of the best is in the interval.
    """
    weights = _weights(folds, rng)
    sides = [
        [merits(folds, score.predictions, weights) for score in scores if score.is_quantum is side]
        for side in (True, False)
    ]
    if not all(sides):
        return None
    lead = np.max(sides[0], axis=0) - np.max(sides[1], axis=0)
    return spread(lead[0], lead[1:], confidence)


def _weights(folds: Folds, rng: np.random.Generator) -> FloatArray:
    """The points as they are, then resamples of them."""
    count = len(folds.y)
    return np.concatenate([np.full((1, count), 1 / count), bootstrap_weights(rng, count)])
