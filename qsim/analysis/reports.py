"""One report: a quantum model and tuned classical ones on the same data, and what explains the difference."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim._extras import require
from qsim.analysis._estimates import Estimate, check_confidence
from qsim.analysis._inputs import data_columns, generator, target_columns
from qsim.analysis.baselines import (
    GAMMAS,
    Folds,
    Score,
    classical_scores,
    estimator_score,
    kernel_score,
    make_folds,
    paired_lead,
    rbf_matrix,
    small_fits,
)
from qsim.analysis.concentration import BANDWIDTHS as SCAN_BANDWIDTHS
from qsim.analysis.concentration import (
    BandwidthScan,
    KernelConcentration,
    bandwidth_scan,
    kernel_concentration,
)
from qsim.analysis.coverage import Expressibility, expressibility
from qsim.analysis.entangling import EntanglingCapability, entangling_capability
from qsim.analysis.fisher import EffectiveDimension, QFIMRank, effective_dimension, qfim_rank
from qsim.analysis.geometry import (
    GeometricDifference,
    ModelComplexity,
    geometric_difference,
    model_complexity,
)
from qsim.analysis.plateaus import GradientVariance, gradient_variance
from qsim.analysis.spectrum import fourier_spectrum
from qsim.analysis.subjects import Subject, read_data, read_subject
from qsim.analysis.surrogate import ClassicalSurrogate, classical_surrogate, stand_in
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Report", "report"]

FloatArray = npt.NDArray[np.float64]
#: Bandwidths among which the quantum kernels choose, as the classical one does among widths.
BANDWIDTHS = (1.0, 0.5, 0.25, 0.1)
#: Of the projected kernel, over the mean of the squared distances.
_PROJECTED_GAMMAS = (0.1, 0.3, 1.0)
#: Regularisations that the geometry chooses from, with traces of N; that of the decision function.
REGULARIZATIONS = (1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
_REGULARIZATION = 0.1
#: From these on the report says so.
_MANY_SHOTS, _GOOD_FIT, _LARGE_DIFFERENCE = 1e4, 0.99, 0.1


@dataclass(frozen=True, eq=False)
class Report:
    """What `report` finds; print it, show it in a notebook, save it by `to_html`, draw it by `plot`.

    Attributes
    ----------
    name : str
    circuit : Circuit
    num_samples, num_features : int
        Of the data that were used.
    classification : bool
    scores : tuple of Score
        Quantum ones first; accuracy, or R^2 where targets are numbers.
    chance : float
        The score of always guessing the most frequent class, or the mean.
    lead : Estimate
        Of the best quantum score over the best classical one.
    bandwidth : float
        What the fidelity kernel chose most often.
    kernel : KernelConcentration
        Of the fidelity kernel with that bandwidth.
    scan : BandwidthScan
    geometry : GeometricDifference
        Of the fidelity kernel from the RBF kernel whose width suits the targets best, with the regularisation
        that makes it least.
    quantum_complexity, classical_complexity : ModelComplexity
        Of the targets for these two kernels, each with the regularisation that gives the least bound.
    expressibility, entanglement
        Over the data, and weights at random.
    frequencies : dict of str to ndarray, or None
        Of each feature, not negative; None where angles are not affine in the features.
    surrogate : ClassicalSurrogate
        Of the quantum decision function, or of the model's expectation value.
    gradients, dimension, rank : GradientVariance, EffectiveDimension, QFIMRank or None
        Of the weights, where there are any.
    notes : tuple of str
    seconds : float
    confidence : float
    """

    name: str
    circuit: Circuit
    num_samples: int
    num_features: int
    classification: bool
    scores: tuple[Score, ...]
    chance: float
    lead: Estimate
    bandwidth: float
    kernel: KernelConcentration
    scan: BandwidthScan
    geometry: GeometricDifference
    quantum_complexity: ModelComplexity
    classical_complexity: ModelComplexity
    expressibility: Expressibility
    entanglement: EntanglingCapability
    frequencies: Mapping[str, FloatArray] | None
    surrogate: ClassicalSurrogate
    gradients: GradientVariance | None
    dimension: EffectiveDimension | None
    rank: QFIMRank | None
    notes: tuple[str, ...]
    seconds: float
    confidence: float

    def best(self, quantum: bool) -> Score:
        """The best score of either side."""
        return max((s for s in self.scores if s.is_quantum is quantum), key=lambda s: s.estimate.value)

    @property
    def winner(self) -> str:
        """``"quantum"``, ``"classical"``, ``"tie"`` if the interval of the lead holds 0, ``"chance"`` if no
        method is better than guessing.
        """
        if max(score.estimate.low for score in self.scores) <= self.chance:
            return "chance"
        if self.lead.low > 0:
            return "quantum"
        return "classical" if self.lead.high < 0 else "tie"

    @property
    def verdict(self) -> str:
        """The comparison in plain words."""
        quantum, classical = self.best(True), self.best(False)
        lead = f"{self.lead.value:+.3f} [{self.lead.low:+.3f}, {self.lead.high:+.3f}]"
        both = (
            f"{quantum.name} {quantum.estimate.value:.3f} against {classical.name} "
            f"{classical.estimate.value:.3f}, a lead of {lead}"
        )
        match self.winner:
            case "quantum":
                return (
                    f"The quantum model leads on these data: {both}. That says nothing about other data, "
                    "and it was simulated classically."
                )
            case "classical":
                return f"Classical methods win: {both}. The quantum part does not earn its place here."
            case "chance":
                return f"Nothing here is better than guessing ({self.chance:.3f}): {both}."
        return f"A tie within the interval: {both}. The classical method is the simpler choice."

    @property
    def findings(self) -> tuple[str, ...]:
        """What else matters, a sentence each."""
        out = []
        own, other = self.quantum_complexity.bound, self.classical_complexity.bound
        if self.geometry.relative < _LARGE_DIFFERENCE:
            out.append(
                "The geometric difference leaves hardly any advantage for these points, whatever the "
                f"targets: {self.geometry.relative:.2g} of sqrt(N)."
            )
        elif own < other:
            out.append(
                f"The targets are easier for the quantum kernel (bound of the error {own:.2g}) than for an "
                f"RBF kernel ({other:.2g})."
            )
        else:
            out.append(
                f"The targets are no easier for the quantum kernel (bound of the error {own:.2g}) than for "
                f"an RBF kernel ({other:.2g})."
            )
        if self.kernel.shots > _MANY_SHOTS:
            out.append(
                f"Kernel entries are concentrated: hardware would need {self.kernel.shots:.1e} shots for "
                "each."
            )
        fit = self.surrogate.best
        if fit.r2.low > _GOOD_FIT:
            out.append(
                f"A classical surrogate of {2 * len(fit.frequencies) - 1} numbers reproduces the quantum "
                f"model (R^2 {fit.r2}): its predictions need no quantum computer."
            )
        if self.rank is not None and self.rank.redundant:
            out.append(f"{self.rank.redundant} of {self.rank.num_parameters} weights are redundant.")
        return tuple(out)

    def __str__(self) -> str:
        from qsim.analysis.report_forms import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        from qsim.analysis.report_forms import to_html

        return to_html(self, plots=False)

    def to_html(self, path: str | Path | None = None, *, plots: bool = True) -> str:
        """The report as a page of HTML that stands alone.

        Parameters
        ----------
        path : path-like, optional
            Where to write it as well.
        plots : bool
            Whether it holds pictures; they need Matplotlib.
        """
        from qsim.analysis.report_forms import to_page

        page = to_page(self, plots)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page

    def plot(self) -> Figure:
        """All pictures in one figure of Matplotlib."""
        from qsim.analysis.report_forms import to_figure

        return to_figure(self)


def report(
    model: Any,
    X: Any,
    y: Any,
    *,
    observable: Any = "Z0",
    weights: Mapping[Any, Any] | None = None,
    task: str | None = None,
    bandwidths: Any = None,
    folds: int = 5,
    max_samples: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    **settings: Any,
) -> Report:
    """Whether a quantum model earns its place: its scores beside classical ones, and what explains them.

    On the same folds, with settings chosen inside the training part of each: support vector machines with the
    fidelity kernel and the projected kernel of the model's circuit (bandwidth, penalty, width), with an RBF
    kernel, a linear model, and random Fourier features. Intervals and the verdict are bootstraps over the
    points; they do not cover the choice of the training points.

    Parameters
    ----------
    model : str, callable, Circuit, FeatureMap, QuantumKernel, or estimator
        A feature map in any form that `qsim.feature_maps.get` takes, a kernel of `qsim.quantum_kernels`, or
        an estimator of `qsim.sklearn`, which is scored as it is, too.
    X : array_like, shape (rows, features)
        The quantum kernels take it as it is, times a bandwidth; the classical methods standardise it.
    y : array_like, shape (rows,)
        Labels or numbers.
    observable
        Of the quantities about weights; only where the circuit has any.
    weights : dict, optional
        Values of the circuit's weights; those not given are drawn.
    task : {"classification", "regression"}, optional
        By default classification of text, and of whole numbers of at most 20 kinds.
    bandwidths : sequence of float, optional
        By default 1, 0.5, 0.25 and 0.1; 1 alone for maps of integers, such as `qsim.feature_maps.basis`.
    folds : int
        Fewer where a class has fewer points.
    max_samples : int
        More data than this are thinned out at random, classes in proportion.
    confidence : float
    seed : int
        Of all that is drawn.
    **settings
        Backend, precision, threads: see `qsim.Simulator`.

    Returns
    -------
    Report

    Raises
    ------
    ArgumentError
        Data with NaN, infinity, equal rows only, one class, too few points of a class, or another number
        of features than the circuit has.

    Notes
    -----
    Needs scikit-learn. A few seconds for 8 qubits and 200 points.

    Examples
    --------
    >>> from qsim.datasets import ad_hoc
    >>> X, y = ad_hoc(60, seed=7)
    >>> found = report("zz", X, y)
    >>> found.winner
    'quantum'
    """
    start = time.perf_counter()
    require("sklearn", extra="sklearn", user="A report with its baselines", name="scikit-learn")
    unknown = sorted(set(settings) - {"backend", "precision", "threads"})
    if unknown:
        raise TypeError(
            f"report() has no argument `{unknown[0]}`; settings are `backend`, `precision` and `threads`. "
            "Options of a feature map go into a circuit, as in report(qsim.feature_maps.zz(2, reps=1), X, y),"
            " a seed into `seed`."
        )
    confidence = check_confidence(confidence)
    data, targets, classification, notes = read_data(X, y, task, max_samples, seed)
    split = make_folds(data, targets, classification, check_count(folds, "folds", 2), seed)
    subject = read_subject(model, data, targets, weights, seed, settings)
    if bandwidths is None:
        bandwidths = (1.0,) if subject.is_integer else BANDWIDTHS
    factors = [float(b) for b in np.atleast_1d(np.asarray(bandwidths, dtype=float))]
    if not factors or not all(0 < factor < np.inf for factor in factors):
        raise ArgumentError(
            f"Argument `bandwidths` must hold positive, finite numbers, but is {bandwidths!r}."
        )
    rng = generator(seed)
    with small_fits():
        scores = _scores(subject, factors, split, rng, confidence)
        lead = paired_lead(scores, split, rng, confidence)
        assert lead is not None
        bandwidth = _mode(scores[0], "bandwidth")
        scaled = bandwidth * data
        gram = subject.fidelity(scaled).astype(float)
        columns = target_columns(targets, classification)
        if not classification:
            columns = (columns - columns.mean()) / columns.std()
        complexity, rival, classical = _complexities(gram, data, columns)
        circuit = subject.circuit
        options: dict[str, Any] = {"seed": rng, "confidence": confidence}
        drawn = {"draw": subject.drawing(scaled), **options, **settings}
        gradients, dimension, rank = _about_weights(subject, scaled, observable, options, settings)
        return Report(
            name=subject.name,
            circuit=circuit,
            num_samples=len(data),
            num_features=data.shape[1],
            classification=classification,
            scores=tuple(scores),
            chance=_chance(targets, classification),
            lead=lead,
            bandwidth=bandwidth,
            kernel=kernel_concentration(gram, circuit.num_qubits, **options),
            scan=bandwidth_scan(
                subject.fidelity, data, targets, _within_domain(subject, data, bandwidth), **options
            ),
            geometry=min(
                (geometric_difference(classical, gram, shift) for shift in REGULARIZATIONS),
                key=lambda found: found.relative,
            ),
            quantum_complexity=complexity,
            classical_complexity=rival,
            expressibility=expressibility(circuit, 2000, **drawn),
            entanglement=entangling_capability(circuit, 500, **drawn),
            frequencies=_frequencies(subject, settings),
            surrogate=_surrogate(subject, scaled, gram, columns, observable, options, settings),
            gradients=gradients,
            dimension=dimension,
            rank=rank,
            notes=(*notes, *subject.notes),
            seconds=time.perf_counter() - start,
            confidence=confidence,
        )


def _scores(
    subject: Subject, factors: list[float], folds: Folds, rng: np.random.Generator, confidence: float
) -> list[Score]:
    def fidelities() -> Iterator[tuple[Mapping[str, Any], FloatArray]]:
        for factor in factors:
            yield {"bandwidth": factor}, subject.fidelity(factor * folds.X).astype(float)

    def projections() -> Iterator[tuple[Mapping[str, Any], FloatArray]]:
        for factor in factors:
            distances = -np.log(subject.projected(factor * folds.X).astype(float))
            mean = float(distances.mean()) or 1.0
            for gamma in _PROJECTED_GAMMAS:
                yield {"bandwidth": factor, "gamma": gamma / mean}, np.exp(-gamma / mean * distances)

    scores = [
        kernel_score("fidelity kernel SVM", fidelities(), folds, rng, confidence),
        kernel_score("projected kernel SVM", projections(), folds, rng, confidence),
    ]
    if subject.estimator is not None:
        name = f"{type(subject.estimator).__name__} as given"
        scores.append(estimator_score(name, subject.estimator, folds, rng, confidence))
    return [*scores, *classical_scores(folds, rng, confidence)]


def _within_domain(subject: Subject, data: FloatArray, known: float) -> list[float]:
    """The bandwidths of a scan with which a map can encode the data (arc cosines end at 1)."""
    if subject.is_integer:
        return [known]

    def fits(factor: float) -> bool:
        try:
            subject.fidelity.encoder.states(factor * data)
        except ParameterError:
            return False
        return True

    return [factor for factor in SCAN_BANDWIDTHS if fits(factor)] or [known]


def _mode(score: Score, setting: str) -> float:
    """What was chosen in most folds; the largest of those that were chosen as often."""
    counts = Counter(float(chosen[setting]) for chosen in score.chosen)
    return max(counts, key=lambda value: (counts[value], value))


def _complexities(
    gram: FloatArray, data: FloatArray, columns: FloatArray
) -> tuple[ModelComplexity, ModelComplexity, FloatArray]:
    """Of the quantum kernel, and of the RBF kernel of the width that suits the targets best; and that kernel.

    Each with the regularisation that gives the least bound of the error.
    """

    def least(kernel: FloatArray) -> ModelComplexity:
        found = (model_complexity(kernel, columns, shift) for shift in REGULARIZATIONS)
        return min(found, key=lambda each: each.bound)

    points = _standard(data)
    rivals = [rbf_matrix(points, gamma / points.shape[1]) for gamma in GAMMAS]
    bounds = [least(kernel) for kernel in rivals]
    best = int(np.argmin([each.bound for each in bounds]))
    return least(gram), bounds[best], rivals[best]


def _standard(data: FloatArray) -> FloatArray:
    width = data.std(axis=0)
    return np.asarray((data - data.mean(axis=0)) / np.where(width > 0, width, 1.0))


def _chance(y: npt.NDArray[Any], classification: bool) -> float:
    return float(np.unique(y, return_counts=True)[1].max() / len(y)) if classification else 0.0


def _frequencies(subject: Subject, settings: dict[str, Any]) -> dict[str, FloatArray] | None:
    """The frequencies of each feature from 0 upwards."""
    circuit = subject.circuit.bind(subject.weights) if subject.weights else subject.circuit
    names = [circuit.parameters[k].name for k in data_columns(circuit.parameters)]
    try:
        own = [fourier_spectrum(circuit, [name], **settings).of_feature(0) for name in names]
    except (ParameterError, ArgumentError):  # not affine, or too many to list
        return None
    return {name: found[found >= 0] for name, found in zip(names, own, strict=True)}


def _surrogate(
    subject: Subject,
    data: FloatArray,
    gram: FloatArray,
    columns: FloatArray,
    observable: Any,
    options: dict[str, Any],
    settings: dict[str, Any],
) -> ClassicalSurrogate:
    """Of the model's expectation value, or of what ridge regression with the kernel makes of the targets."""
    sizes = {"num_random_features": 200, "max_frequencies": 400, "confidence": options["confidence"]}
    rng = options["seed"]
    if subject.trainable:
        return classical_surrogate(
            subject.circuit, observable, subject.weights, data, seed=rng, **sizes, **settings
        )
    dual = np.linalg.solve(gram + _REGULARIZATION * np.eye(len(gram)), columns[:, 0])
    return stand_in(
        lambda points: subject.fidelity(points, data) @ dual, subject.circuit, data, rng, **sizes, **settings
    )


def _about_weights(
    subject: Subject, data: FloatArray, observable: Any, options: dict[str, Any], settings: dict[str, Any]
) -> tuple[GradientVariance | None, EffectiveDimension | None, QFIMRank | None]:
    if not subject.trainable:
        return None, None, None
    circuit, names = subject.circuit, list(subject.trainable)
    draw = subject.drawing(data)
    gradients = gradient_variance(circuit, observable, 500, wrt=names, draw=draw, **options, **settings)
    dimension = effective_dimension(
        circuit, data[:50], observable=observable, num_samples=50, **options, **settings
    )
    rank = qfim_rank(circuit, 5, wrt=names, draw=draw, seed=options["seed"], **settings)
    return gradients, dimension, rank
