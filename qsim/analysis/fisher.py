"""How many directions of its weights a model really uses: Fisher information, its spectrum and dimension."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.analysis._estimates import bootstrap_weights, check_confidence
from qsim.analysis._inputs import (
    UNIFORM,
    Draw,
    check_sizes,
    columns_named,
    counted_columns,
    data_columns,
    draw_rows,
    feature_matrix,
    generator,
    unitary_program,
)
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.program.program import Program
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "EffectiveDimension",
    "FisherSpectrum",
    "QFIMRank",
    "effective_dimension",
    "fisher_spectrum",
    "qfim_rank",
]

FloatArray = npt.NDArray[np.float64]
#: Values this close to +1 and -1 have an outcome too rare to say anything.
_EDGE = 1e-12
#: A trace below this is rounding.
_NOTHING = 1e-20
#: Bytes of Fisher matrices of single data points at once.
_MATRIX_BYTES = 1 << 26
_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class FisherSpectrum:
    """What `fisher_spectrum` finds.

    Attributes
    ----------
    matrices : ndarray, shape (num_samples, P, P)
        Fisher information of the P weights, averaged over the data, for each draw of the weights.
    eigenvalues : ndarray, shape (num_samples, P)
        Ascending.
    weights : tuple of str
        Names of the weights.
    """

    matrices: FloatArray
    eigenvalues: FloatArray
    weights: tuple[str, ...]

    @property
    def normalized(self) -> FloatArray:
        """Eigenvalues of ``P F / mean Tr F``: their mean is 1."""
        trace = float(self.eigenvalues.sum(axis=1).mean())
        if trace <= _NOTHING:
            raise ArgumentError(
                "The Fisher information is zero for all weights drawn: no outcome depends on a weight. Ask "
                "for another observable, or other qubits."
            )
        return self.eigenvalues * (len(self.weights) / trace)

    def share_near_zero(self, threshold: float = 1e-4) -> float:
        """The share of normalised eigenvalues below `threshold`: directions in which nothing happens."""
        return float((self.normalized < threshold).mean())

    def __str__(self) -> str:
        count = len(self.weights)
        return (
            f"Fisher spectrum of {count} weights, {len(self.eigenvalues)} draws: "
            f"{100 * self.share_near_zero():.0f} % of the eigenvalues near zero, largest "
            f"{self.normalized.max():.3g} times the mean"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_fisher_spectrum`."""
        from qsim.analysis.plots import plot_fisher_spectrum

        return plot_fisher_spectrum(self, ax)


def fisher_spectrum(
    circuit: Circuit,
    X: Any = None,
    *,
    observable: Any = None,
    qubits: Any = None,
    num_samples: int = 100,
    draw: Draw = UNIFORM,
    fixed: Mapping[Any, Any] | None = None,
    features: Any = None,
    seed: Any = None,
    **settings: Any,
) -> FisherSpectrum:
    """Classical Fisher information of a model's weights and its eigenvalues, for weights at random [1]_.

    ``F(theta) = mean_x sum_y dp dp^T / p`` with ``p = p(y | x, theta)`` the probability of outcome y.

    Parameters
    ----------
    circuit : Circuit
        Of unitary gates.
    X : array_like, shape (rows, features), optional
        Data over which to average. It may be left out where there are no features.
    observable : observable, optional
        With values between -1 and 1; the outcomes are +1 and -1 with probabilities ``(1 +- <O>) / 2``.
    qubits : sequence of int, optional
        Instead of an observable: the outcomes are the basis states of these; of all qubits by default.
    num_samples : int
        Draws of the weights.
    draw, fixed, seed, settings
        As for `qsim.analysis.expressibility`. Parameters in `fixed` are no weights.
    features : name, Parameter, ParameterVector or several, optional
        What takes the data; the vector ``x`` by default.

    Returns
    -------
    FisherSpectrum

    Notes
    -----
    All pairs of data and weights are one batch: adjoint derivatives for an observable, tangents of the state
    for probabilities, which takes O(weights) more. Outcomes with a probability below 1e-14 are left out.

    References
    ----------
    .. [1] A. Abbas, D. Sutter, C. Zoufal, A. Lucchi, A. Figalli and S. Woerner, Nat. Comput. Sci. 1, 403
       (2021), arXiv:2011.00027.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> t = ParameterVector("theta", 2)
    >>> circuit = Circuit(1).ry(t[0], 0).rz(t[1], 0)  # the second has no effect on probabilities
    >>> fisher_spectrum(circuit, num_samples=3, seed=1).eigenvalues.round(9)
    array([[0., 1.],
           [0., 1.],
           [0., 1.]])
    """
    if observable is not None and qubits is not None:
        raise ArgumentError("Arguments `observable` and `qubits` exclude each other, but both are given.")
    num_samples = check_count(num_samples, "num_samples", 1)
    program = unitary_program(circuit, Simulator(**settings), "fisher_spectrum")
    columns = data_columns(program.parameters, features)
    data = feature_matrix(X, columns)
    held = set(columns)
    if fixed:
        held |= set(columns_named(program.parameters, list(fixed), "fixed"))
    weights = [k for k in range(len(program.parameters)) if k not in held]
    if not weights:
        raise ArgumentError("Argument `circuit` must have weights beside its features, but has none.")
    values = draw_rows(program.parameters, num_samples, generator(seed), draw, fixed)
    if observable is not None:
        program = program.with_observables(observable)
        if not program._is_single:
            raise ArgumentError("Argument `observable` must be one observable, but is a list.")
    matrices = np.empty((num_samples, len(weights), len(weights)))
    at_once = max(1, _MATRIX_BYTES // (8 * len(data) * len(weights) * (1 if observable else len(weights))))
    for first in range(0, num_samples, at_once):
        part = values[first : first + at_once]
        rows = np.repeat(part, len(data), axis=0)
        rows[:, columns] = np.tile(data, (len(part), 1))
        matrices[first : first + at_once] = _averaged(program, rows, weights, observable, qubits, len(part))
    names = tuple(program.parameters[k].name for k in weights)
    return FisherSpectrum(matrices, np.clip(np.linalg.eigvalsh(matrices), 0.0, None), names)


def _averaged(
    program: Program, rows: FloatArray, weights: list[int], observable: Any, qubits: Any, draws: int
) -> FloatArray:
    """Fisher information of `draws` weights, each with all data in consecutive rows: (draws, P, P)."""
    chosen = [program.parameters[k] for k in weights]
    if observable is None:
        from qsim.gradients.metric import program_classical_fisher

        single = program_classical_fisher(program, rows, qubits, chosen)
        return np.asarray(single.reshape(draws, -1, len(weights), len(weights)).mean(axis=1))
    value, slope = program.value_and_gradient(rows, wrt=chosen)
    if np.abs(value).max() > 1 + 1e-6:
        found = value[np.abs(value).argmax()]
        raise ArgumentError(
            f"Argument `observable` must have values between -1 and 1, but has {found:.3g}. "
            "Divide it by its largest eigenvalue."
        )
    rest = 1 - value**2
    scale = np.sqrt(np.divide(1.0, rest, out=np.zeros_like(rest), where=rest > _EDGE))
    scaled = (slope * scale[:, None]).reshape(draws, -1, len(weights))
    return np.asarray(scaled.transpose(0, 2, 1) @ scaled / scaled.shape[1])


@dataclass(frozen=True, eq=False)
class EffectiveDimension:
    """What `effective_dimension` finds.

    Attributes
    ----------
    num_data : tuple of int
    values, low, high : ndarray, shape (len(num_data),)
        Effective dimensions, and their bootstrap intervals.
    num_weights : int
        What an effective dimension cannot exceed by much.
    spectrum : FisherSpectrum
    confidence : float
    """

    num_data: tuple[int, ...]
    values: FloatArray
    low: FloatArray
    high: FloatArray
    num_weights: int
    spectrum: FisherSpectrum
    confidence: float = 0.95

    @property
    def normalized(self) -> FloatArray:
        """Effective dimensions over the number of weights."""
        return self.values / self.num_weights

    def __str__(self) -> str:
        parts = zip(self.num_data, self.values, self.low, self.high, strict=True)
        listed = ", ".join(f"{v:.3g} [{a:.3g}, {b:.3g}] for {n} data" for n, v, a, b in parts)
        return f"effective dimension of {self.num_weights} weights: {listed}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_effective_dimension`."""
        from qsim.analysis.plots import plot_effective_dimension

        return plot_effective_dimension(self, ax)


def effective_dimension(
    circuit: Circuit,
    X: Any = None,
    num_data: Any = (1_000, 10_000, 100_000),
    *,
    gamma: float = 1.0,
    confidence: float = 0.95,
    seed: Any = None,
    **options: Any,
) -> EffectiveDimension:
    """The effective dimension of a model: how many weights matter at the resolution of so many data [1]_.

    ``d = 2 log(mean_theta sqrt(det(1 + kappa F'(theta)))) / log kappa``, ``kappa = gamma n / (2 pi log n)``,
    with F' the Fisher information scaled so that its mean trace is the number of weights.

    Parameters
    ----------
    circuit, X
        As for `fisher_spectrum`.
    num_data : int or sequence of int
        The n; such that kappa exceeds 1.
    gamma : float
        Of (0, 1].
    confidence : float
        Of the intervals, a bootstrap over the draws of the weights.
    seed, **options
        Further arguments of `fisher_spectrum`: observable, qubits, num_samples, draw, fixed, features,
        settings. With ``draw`` of weights near given ones it is the local effective dimension [2]_.

    Returns
    -------
    EffectiveDimension

    References
    ----------
    .. [1] A. Abbas et al., Nat. Comput. Sci. 1, 403 (2021), arXiv:2011.00027.
    .. [2] A. Abbas, D. Sutter, A. Figalli and S. Woerner, arXiv:2112.04807.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> t = ParameterVector("theta", 2)
    >>> circuit = Circuit(2).ry(t[0], 0).ry(t[1], 1)  # Fisher information 1
    >>> effective_dimension(circuit, num_data=1_000_000, num_samples=5, seed=1).values.round(3)
    array([2.])
    """
    sizes = check_sizes(num_data, "num_data", 2)
    confidence = check_confidence(confidence)
    if not 0 < gamma <= 1:
        raise ArgumentError(f"Argument `gamma` must be above 0 and at most 1, but is {gamma}.")
    kappas = [gamma * n / (2 * math.pi * math.log(n)) for n in sizes]
    if kappas[0] <= 1:
        raise ArgumentError(
            "Argument `num_data` must be such that gamma n / (2 pi log n) exceeds 1, but for "
            f"n = {sizes[0]} it is {kappas[0]:.3g}."
        )
    rng = generator(seed)
    spectrum = fisher_spectrum(circuit, X, seed=rng, **options)
    levels = spectrum.eigenvalues
    count = levels.shape[1]
    spectrum.normalized  # noqa: B018  refuses a Fisher information of zero
    draws = len(levels)
    weights = np.concatenate([np.full((1, draws), 1 / draws), bootstrap_weights(rng, draws, _RESAMPLES)])
    scales = count / np.maximum(weights @ levels.sum(axis=1), np.finfo(float).tiny)
    found = np.array([_dimension(levels, weights, scales, kappa) for kappa in kappas])
    tail = (1 - confidence) / 2
    low, high = np.quantile(found[:, 1:], [tail, 1 - tail], axis=1)
    return EffectiveDimension(tuple(sizes), found[:, 0], low, high, count, spectrum, confidence)


def _dimension(levels: FloatArray, weights: FloatArray, scales: FloatArray, kappa: float) -> FloatArray:
    """Effective dimensions of resamples, given by the weights of the draws: (resamples,)."""
    halves = np.array([0.5 * np.log1p(kappa * scale * levels).sum(axis=1) for scale in scales])
    largest = halves.max(axis=1)
    means = (weights * np.exp(halves - largest[:, None])).sum(axis=1)
    return np.asarray(2 * (largest + np.log(np.maximum(means, np.finfo(float).tiny))) / math.log(kappa))


@dataclass(frozen=True, eq=False)
class QFIMRank:
    """What `qfim_rank` finds; ``int(result)`` is the rank.

    Attributes
    ----------
    rank : int
        The largest rank over the draws: how many directions in the space of states the parameters move in.
    ranks : ndarray of int, shape (num_samples,)
    eigenvalues : ndarray, shape (num_samples, P)
        Ascending.
    num_parameters : int
    num_qubits : int
    """

    rank: int
    ranks: npt.NDArray[np.int64]
    eigenvalues: FloatArray
    num_parameters: int
    num_qubits: int

    @property
    def redundant(self) -> int:
        """Parameters that could be left out without a loss of directions."""
        return self.num_parameters - self.rank

    @property
    def largest_possible(self) -> int:
        """The real dimension of the space of states up to phase, ``2**(n + 1) - 2``."""
        return int((1 << (self.num_qubits + 1)) - 2)

    def __int__(self) -> int:
        return self.rank

    def __str__(self) -> str:
        return (
            f"rank of the quantum Fisher information {self.rank} of {self.num_parameters} parameters "
            f"({self.redundant} redundant; at most {self.largest_possible} directions)"
        )


def qfim_rank(
    circuit: Circuit,
    num_samples: int = 10,
    *,
    wrt: Any = None,
    draw: Draw = UNIFORM,
    fixed: Mapping[Any, Any] | None = None,
    tolerance: float = 1e-8,
    seed: Any = None,
    **settings: Any,
) -> QFIMRank:
    """The rank of the quantum Fisher information at random parameters.

    A circuit whose rank no longer grows with more parameters is overparametrised [1]_; parameters beyond the
    rank are redundant [2]_.

    Parameters
    ----------
    circuit, draw, fixed, seed, settings
        As for `qsim.analysis.expressibility`.
    num_samples : int
        Draws of the parameters; a few suffice, as almost all have the largest rank.
    wrt : name, Parameter, ParameterVector or several, optional
        Parameters that count; by default all weights that are not in `fixed`, and features only if there is
        nothing else.
    tolerance : float
        Eigenvalues above this share of the largest count.

    Returns
    -------
    QFIMRank

    References
    ----------
    .. [1] M. Larocca, N. Ju, D. Garcia-Martin, P. J. Coles and M. Cerezo, Nat. Comput. Sci. 3, 542 (2023),
       arXiv:2109.11676.
    .. [2] T. Haug, K. Bharti and M. S. Kim, PRX Quantum 2, 040309 (2021), arXiv:2102.01659.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> t = ParameterVector("theta", 4)
    >>> print(qfim_rank(Circuit(1).rx(t[0], 0).rz(t[1], 0).rx(t[2], 0).rz(t[3], 0), seed=1))
    rank of the quantum Fisher information 2 of 4 parameters (2 redundant; at most 2 directions)
    """
    num_samples = check_count(num_samples, "num_samples", 1)
    if not 0 < tolerance < 1:
        raise ArgumentError(f"Argument `tolerance` must lie between 0 and 1, but is {tolerance}.")
    program = unitary_program(circuit, Simulator(**settings), "qfim_rank")
    columns = counted_columns(program.parameters, wrt, fixed)
    if not columns:
        raise ArgumentError("Argument `circuit` must have parameters that count, but has none.")
    from qsim.gradients.metric import program_quantum_fisher

    values = draw_rows(program.parameters, num_samples, generator(seed), draw, fixed)
    matrices = program_quantum_fisher(program, values, [program.parameters[k] for k in columns], None)
    levels = np.clip(np.linalg.eigvalsh(matrices), 0.0, None)
    largest = levels[:, -1:]
    ranks = ((levels > tolerance * largest) & (levels > 1e-12)).sum(axis=1)
    return QFIMRank(int(ranks.max()), ranks, levels, len(columns), program.num_qubits)
