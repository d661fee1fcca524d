"""Classical models that stand in for a quantum one: trigonometric polynomials and random Fourier features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.analysis._estimates import Estimate, bootstrap_weights, check_confidence, spread
from qsim.analysis._inputs import check_data, feature_matrix, generator, unitary_program
from qsim.analysis.fourier import parted
from qsim.analysis.spectrum import feature_columns, fourier_spectrum, gate_differences
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, ParameterError
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ClassicalSurrogate", "SurrogateFit", "classical_surrogate", "stand_in"]

FloatArray = npt.NDArray[np.float64]
#: Ridge of the exact fit, beside a mean square of 1 for each wave: rounding of the model, nothing more.
_RIDGE = 1e-14
#: What the fit of random features chooses from.
_RIDGES = (1e-8, 1e-6, 1e-4, 1e-2)
#: How far points near the data are from them, in standard deviations of each feature.
_NEAR = 0.3
_WIDTHS = (0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True, eq=False)
class SurrogateFit:
    """A sum of waves fitted to a model: ``f(x) = sum_k a_k cos(w_k . x) + b_k sin(w_k . x)``.

    Attributes
    ----------
    frequencies : ndarray, shape (count, d)
        One of each pair of opposite ones, and zero.
    coefficients : ndarray, shape (2 * count,)
        a, then b.
    r2 : Estimate
        Share of the model's variance that it explains at points not used in the fit.
    """

    frequencies: FloatArray
    coefficients: FloatArray
    r2: Estimate

    def __call__(self, X: Any) -> FloatArray:
        """Values at points, shape (points, d)."""
        points = check_data(X, "X", least=0)
        if points.shape[1] != self.frequencies.shape[1]:
            raise ArgumentError(
                f"Argument `X` must have {self.frequencies.shape[1]} columns, but has {points.shape[1]}."
            )
        return np.asarray(_waves(points, self.frequencies) @ self.coefficients)


@dataclass(frozen=True, eq=False)
class ClassicalSurrogate:
    """What `classical_surrogate` finds.

    Attributes
    ----------
    trigonometric : SurrogateFit or None
        With all frequencies of the circuit; None if it has none of its own, or too many.
    random : SurrogateFit
        With frequencies at random.
    num_points : int
        Evaluations of the model that were used.
    test_values, test_fits : ndarray, shape (points,)
        The model and the better fit at the points of the test.
    """

    trigonometric: SurrogateFit | None
    random: SurrogateFit
    num_points: int
    test_values: FloatArray
    test_fits: FloatArray

    @property
    def best(self) -> SurrogateFit:
        """The fit with the larger R^2."""
        if self.trigonometric is None or self.random.r2.value > self.trigonometric.r2.value:
            return self.random
        return self.trigonometric

    @property
    def r2(self) -> Estimate:
        """Of the better fit."""
        return self.best.r2

    def __call__(self, X: Any) -> FloatArray:
        """The better fit at points, shape (points, d)."""
        return self.best(X)

    def __str__(self) -> str:
        exact = "none"
        if self.trigonometric is not None:
            exact = f"R^2 {self.trigonometric.r2} with {2 * len(self.trigonometric.frequencies) - 1} numbers"
        return (
            f"classical surrogate from {self.num_points} evaluations: trigonometric {exact}; random features "
            f"R^2 {self.random.r2} with {2 * len(self.random.frequencies) - 1} numbers"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_surrogate`."""
        from qsim.analysis.plots import plot_surrogate

        return plot_surrogate(self, ax)


def classical_surrogate(
    circuit: Circuit,
    observable: Any,
    weights: Mapping[Any, Any] | None = None,
    X: Any = None,
    *,
    features: Any = None,
    num_random_features: int = 200,
    max_frequencies: int = 1000,
    num_test: int = 500,
    confidence: float = 0.95,
    seed: Any = None,
    **settings: Any,
) -> ClassicalSurrogate:
    """Fits classical models to a quantum one, and tells how much of it they explain [1]_ [2]_.

    A model whose angles are affine in its features is a trigonometric polynomial of known frequencies. If
    they are few, evaluations of it determine it, and no quantum computer is needed for predictions. Random
    Fourier features serve any model.

    Parameters
    ----------
    circuit, features, settings
        As for `qsim.analysis.fourier_spectrum`.
    observable
        One, as for `qsim.expectation`.
    weights : dict, optional
        One value for each parameter that is no feature.
    X : array_like, shape (rows, features), optional
        Data at which the surrogate is tested; it is fitted to points of their range, half of them near a data
        point. Without it, points are drawn from one period, or from [-pi, pi] where there is no period.
    num_random_features : int
        Random frequencies: those of random paths through the circuit, or normal ones of several widths,
        whichever fit better.
    max_frequencies : int
        With more pairs of frequencies than this there is no trigonometric fit.
    num_test : int
        Points of the test where there is no `X`.
    confidence : float
        Of the intervals of R^2, a bootstrap over the points of the test.
    seed

    Returns
    -------
    ClassicalSurrogate

    Raises
    ------
    UnboundParameterError
        A parameter is neither a feature nor in `weights`.

    Notes
    -----
    Fits are least squares to two evaluations for each number of the fit: O(max_frequencies**3) time. That of
    random features has a ridge, chosen with a quarter of the points held back.

    References
    ----------
    .. [1] F. J. Schreiber, J. Eisert and J. J. Meyer, Phys. Rev. Lett. 131, 100803 (2023), arXiv:2206.11740.
    .. [2] J. Landman, S. Thabet, C. Dalyac, H. Mhiri and E. Kashefi, arXiv:2210.13200; R. Sweke et al.,
       Quantum 9, 1640 (2025), arXiv:2309.11647.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> x, t = ParameterVector("x", 2), ParameterVector("theta", 2)
    >>> model = Circuit(2).rx(x[0], 0).rx(x[1], 1).ry(t[0], 0).ry(t[1], 1).cz(0, 1).rx(x[0], 0)
    >>> found = classical_surrogate(model, "Z0", {"theta": [0.3, 0.4]}, seed=1)
    >>> found.trigonometric.r2.value > 0.999
    True
    """
    num_random_features = check_count(num_random_features, "num_random_features", 1)
    max_frequencies = check_count(max_frequencies, "max_frequencies", 0)
    num_test = check_count(num_test, "num_test", 2)
    confidence = check_confidence(confidence)
    rng = generator(seed)
    circuit, program, columns, held, batched = parted(
        circuit, observable, weights, features, Simulator(**settings)
    )
    if batched:
        raise ArgumentError("Argument `weights` must hold one value for each parameter, but has a batch.")
    if not columns:
        raise ArgumentError("Argument `circuit` must have features, but has none.")
    data = None if X is None else feature_matrix(X, columns)

    def model(points: FloatArray) -> FloatArray:
        rows = np.repeat(held, len(points), axis=0)
        rows[:, columns] = points
        return np.asarray(program.expectation(rows))

    return stand_in(
        model,
        circuit,
        data,
        rng,
        features=[program.parameters[column] for column in columns],
        num_random_features=num_random_features,
        max_frequencies=max_frequencies,
        num_test=num_test,
        confidence=confidence,
        **settings,
    )


def stand_in(
    model: Callable[[FloatArray], FloatArray],
    circuit: Circuit,
    X: FloatArray | None,
    rng: np.random.Generator,
    *,
    features: Any = None,
    num_random_features: int,
    max_frequencies: int,
    num_test: int = 500,
    confidence: float,
    **settings: Any,
) -> ClassicalSurrogate:
    """See `classical_surrogate`: of any function that is quadratic in the states of a circuit.

    Parameters
    ----------
    model : callable
        From points (rows, features) to values (rows,).
    circuit : Circuit
        Whose angles tell the frequencies.
    """
    program = unitary_program(circuit, Simulator(**settings), "classical_surrogate")
    columns = feature_columns(program, features)
    gates: list[tuple[FloatArray, FloatArray]] | None = None
    listed: FloatArray | None = None
    try:
        gates = gate_differences(program, columns)
        own = fourier_spectrum(circuit, [program.parameters[k] for k in columns], **settings).frequencies
        listed = own[len(own) // 2 :]  # zero and one of each pair of opposite ones
    except ParameterError:  # angles are not affine in the features
        pass
    except ArgumentError:  # more frequencies than can be listed
        pass
    if listed is not None and len(listed) > max_frequencies:
        listed = None
    low, high = _box(X, gates or [], len(columns))
    tests = rng.uniform(low, high, size=(num_test, len(columns))) if X is None else X
    count = max(num_random_features, 0 if listed is None else len(listed))
    points = rng.uniform(low, high, size=(4 * count, len(columns)))
    if X is not None:  # half of them near the data
        near = X[rng.integers(len(X), size=2 * count)]
        near = near + rng.normal(size=near.shape) * (_NEAR * X.std(axis=0))
        if gates is None:  # angles may have a domain, and the data are known to lie in it
            near = np.clip(near, low, high)
        points[::2] = near
    values, truths = model(points), model(tests)
    exact = None if listed is None else exact_fit(points, values, tests, truths, listed, rng, confidence)
    choices = _normal(points, num_random_features, rng)
    if gates is not None:
        choices.append(_paths(gates, num_random_features, len(columns), rng))
    random = random_fit(points, values, tests, truths, choices, rng, confidence)
    better = random if exact is None or random.r2.value > exact.r2.value else exact
    return ClassicalSurrogate(exact, random, len(points), truths, better(tests))


def exact_fit(
    points: FloatArray,
    values: FloatArray,
    tests: FloatArray,
    truths: FloatArray,
    frequencies: FloatArray,
    rng: np.random.Generator,
    confidence: float,
) -> SurrogateFit:
    """Waves of all frequencies there are, fitted to values at points and tested at others."""
    coefficients = _ridge(_waves(points, frequencies), values, (_RIDGE,))[0]
    return _tested(frequencies, coefficients, tests, truths, rng, confidence)


def random_fit(
    points: FloatArray,
    values: FloatArray,
    tests: FloatArray,
    truths: FloatArray,
    choices: Sequence[FloatArray],
    rng: np.random.Generator,
    confidence: float,
) -> SurrogateFit:
    """Waves of some frequencies; which choice of them, and which ridge, a quarter of the points decides."""
    cut = 3 * len(points) // 4
    best = (np.inf, choices[0], _RIDGES[0])
    for frequencies in choices:
        waves = _waves(points, frequencies)
        for ridge, found in zip(_RIDGES, _ridge(waves[:cut], values[:cut], _RIDGES), strict=True):
            error = float(((waves[cut:] @ found - values[cut:]) ** 2).mean())
            if error < best[0]:
                best = (error, frequencies, ridge)
    _, frequencies, ridge = best
    coefficients = _ridge(_waves(points, frequencies), values, (ridge,))[0]
    return _tested(frequencies, coefficients, tests, truths, rng, confidence)


def _ridge(waves: FloatArray, values: FloatArray, ridges: Sequence[float]) -> list[FloatArray]:
    """Coefficients of ridge regressions, whose penalties are per point."""
    levels, vectors = np.linalg.eigh(waves.T @ waves / len(waves))
    parts = vectors.T @ (waves.T @ values / len(waves))
    return [vectors @ (parts / (np.maximum(levels, 0.0) + ridge)) for ridge in ridges]


def _tested(
    frequencies: FloatArray,
    coefficients: FloatArray,
    tests: FloatArray,
    truths: FloatArray,
    rng: np.random.Generator,
    confidence: float,
) -> SurrogateFit:
    missed = (truths - _waves(tests, frequencies) @ coefficients) ** 2
    return SurrogateFit(frequencies, coefficients, _r_squared(truths, missed, rng, confidence))


def _normal(points: FloatArray, count: int, rng: np.random.Generator) -> list[FloatArray]:
    """Normal frequencies, those of Gaussian kernels, of several widths around the spread of the points."""
    shapes = rng.normal(size=(count, points.shape[1])) / np.maximum(points.std(axis=0), 1e-12)
    shapes[0] = 0.0
    return [width / np.sqrt(points.shape[1]) * shapes for width in _WIDTHS]


def _waves(points: FloatArray, frequencies: FloatArray) -> FloatArray:
    phases = points @ frequencies.T
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1)


def _r_squared(
    truths: FloatArray, missed: FloatArray, rng: np.random.Generator, confidence: float
) -> Estimate:
    """1 - error / variance, 1 where both are rounding, with its bootstrap interval."""
    weights = np.concatenate(
        [np.full((1, len(truths)), 1 / len(truths)), bootstrap_weights(rng, len(truths))]
    )
    centred = truths - truths.mean()
    variances = weights @ centred**2 - (weights @ centred) ** 2
    errors = weights @ missed
    nothing = 1e-20 + 1e-24 * float((truths**2).mean())
    found = 1 - np.where(errors <= nothing, 0.0, errors / np.maximum(variances, nothing))
    return spread(found[0], found[1:], confidence)


def _box(X: FloatArray | None, gates: Any, size: int) -> tuple[FloatArray, FloatArray]:
    """Where to draw points: the range of the data, else one period, else [-pi, pi]."""
    if X is not None:
        return X.min(axis=0), X.max(axis=0)
    high = np.full(size, np.pi)
    for k in range(size):
        own = np.concatenate([np.abs(steps[:, k]) for steps, _ in gates] or [np.zeros(0)])
        own = own[own > 0]
        if len(own):
            high[k] = np.pi / own.min()
    return -high, high


def _paths(gates: Any, count: int, size: int, rng: np.random.Generator) -> FloatArray:
    """Zero and frequencies of random pairs of paths, one of each pair of opposite ones, each once."""
    out = np.zeros((count, size))
    for steps, weights in gates:
        out[1:] += steps[rng.choice(len(steps), size=count - 1, p=weights / weights.sum())]
    signs = np.sign(out)
    first = np.where(signs.any(axis=1), (signs != 0).argmax(axis=1), 0)
    out *= np.where(np.take_along_axis(signs, first[:, None], axis=1) < 0, -1.0, 1.0)
    return np.unique(out.round(9), axis=0)
