"""How evenly the states of a circuit cover the space: fidelities against those of Haar-random states."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.analysis._estimates import NUM_RESAMPLES, Estimate, check_confidence, normal_estimate
from qsim.analysis._inputs import (
    UNIFORM,
    Draw,
    check_sizes,
    draw_rows,
    generator,
    rows_per_chunk,
    unitary_program,
)
from qsim.circuit import Circuit
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Expressibility", "FramePotentials", "expressibility", "frame_potentials", "haar_frame_potential"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expressibility:
    """What `expressibility` finds; ``float(result)`` is the divergence.

    Attributes
    ----------
    estimate : Estimate
        The divergence in nats, 0 for Haar-random states.
    bias : float
        By how much the estimate exceeds the divergence in the mean, because samples are few: (occupied
        bins - 1) / (2 num_samples). A circuit that is Haar-random has an estimate of about this size.
    fidelities : ndarray, shape (num_samples,)
    edges : ndarray, shape (num_bins + 1,)
    frequencies, haar : ndarray, shape (num_bins,)
        Shares of the fidelities in each bin, and what they are for Haar-random states.
    """

    estimate: Estimate
    bias: float
    fidelities: FloatArray
    edges: FloatArray
    frequencies: FloatArray
    haar: FloatArray

    def __float__(self) -> float:
        return self.estimate.value

    def __str__(self) -> str:
        return f"expressibility {self.estimate} (of it, bias of few samples {self.bias:.2g})"

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_expressibility`."""
        from qsim.analysis.plots import plot_expressibility

        return plot_expressibility(self, ax)


def expressibility(
    circuit: Circuit,
    num_samples: int = 5000,
    *,
    num_bins: int = 75,
    draw: Draw = UNIFORM,
    fixed: Mapping[Any, Any] | None = None,
    seed: Any = None,
    confidence: float = 0.95,
    **settings: Any,
) -> Expressibility:
    """Divergence of a circuit's fidelities from those of Haar-random states; small is expressive [1]_.

    ``KL(P || P_Haar)`` of histograms of ``F = |<psi(a)|psi(b)>|**2`` for pairs of independent parameters,
    with ``P_Haar(F) = (N - 1) (1 - F)**(N - 2)`` integrated over each bin, ``N = 2**num_qubits``.

    Parameters
    ----------
    circuit : Circuit
        Of unitary gates.
    num_samples : int
        Pairs of states. The paper takes 5000.
    num_bins : int
        Of equal width between 0 and 1. The paper takes 75.
    draw : (low, high) or callable
        Parameters are drawn uniformly between two numbers, or by ``draw(generator, (rows, num_parameters))``.
    fixed : dict, optional
        Values of parameters that are not drawn, by name.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
    confidence : float
        Of the interval, a bootstrap over the pairs.
    **settings
        Backend, precision, threads: see `qsim.Simulator`.

    Returns
    -------
    Expressibility

    Raises
    ------
    CircuitError
        The circuit measures, resets or branches before its end, or is not unitary.
    ArgumentError, TypeError, ParameterError

    Notes
    -----
    O(num_samples * gates * 2**num_qubits) time, at most 64 MiB of states at once.

    References
    ----------
    .. [1] S. Sim, P. D. Johnson and A. Aspuru-Guzik, Adv. Quantum Technol. 2, 1900070 (2019),
       arXiv:1905.10876.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> idle = expressibility(Circuit(1))  # every pair has fidelity 1
    >>> round(float(idle), 2)  # log(75)
    4.32
    >>> line = expressibility(Circuit(1).h(0).rz(Parameter("t"), 0), seed=1)
    >>> 0.19 < float(line) < 0.25
    True
    """
    num_samples = check_count(num_samples, "num_samples", 2)
    num_bins = check_count(num_bins, "num_bins", 2)
    confidence = check_confidence(confidence)
    rng = generator(seed)
    fidelities = _fidelities(circuit, num_samples, rng, draw, fixed, Simulator(**settings))
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    counts = np.histogram(fidelities, edges)[0]
    log_haar = _log_haar_bins(circuit.num_qubits, edges)
    value = _divergence(counts / num_samples, log_haar)
    resampled = _divergence(
        rng.multinomial(num_samples, counts / num_samples, size=NUM_RESAMPLES) / num_samples, log_haar
    )
    # a resample has the bias of few samples twice, so only its spread is used
    tail = (1 - confidence) / 2
    low, high = value + np.quantile(resampled - resampled.mean(), [tail, 1 - tail])
    return Expressibility(
        Estimate(float(value), max(0.0, float(low)), float(high), confidence),
        (int((counts > 0).sum()) - 1) / (2 * num_samples),
        fidelities,
        edges,
        counts / num_samples,
        np.exp(log_haar),
    )


def _fidelities(
    circuit: Circuit, pairs: int, rng: np.random.Generator, draw: Any, fixed: Any, simulator: Simulator
) -> FloatArray:
    """Of pairs of states with independent parameters."""
    program = unitary_program(circuit, simulator, "expressibility")
    values = draw_rows(program.parameters, 2 * pairs, rng, draw, fixed)
    out = np.empty(pairs)
    at_once = rows_per_chunk(program.num_qubits + 1, program.dtype.itemsize)
    for first in range(0, pairs, at_once):
        part = slice(first, min(first + at_once, pairs))
        left = program.statevector(values[:pairs][part])
        right = program.statevector(values[pairs:][part])
        out[part] = np.abs(np.einsum("bi,bi->b", left.conj(), right)) ** 2
    return np.asarray(np.clip(out, 0.0, 1.0))


def _log_haar_bins(num_qubits: int, edges: FloatArray) -> FloatArray:
    """Logarithms of the probabilities of bins: of ``(1 - a)**(N - 1) - (1 - b)**(N - 1)``."""
    power = float((1 << num_qubits) - 1)
    if power == 0:  # there is one state, up to a phase
        return np.where(edges[1:] == 1.0, 0.0, -np.inf)
    upper = power * np.log1p(-edges[:-1])
    with np.errstate(divide="ignore"):
        lower = power * np.log1p(-edges[1:])
    return np.asarray(upper + np.log1p(-np.exp(lower - upper)))


def _divergence(frequencies: FloatArray, log_reference: FloatArray) -> Any:
    """KL of each row of frequencies from a reference given by its logarithms."""
    inside = frequencies > 0
    logs = np.log(frequencies, out=np.zeros_like(frequencies), where=inside)
    terms = np.where(inside, frequencies * (logs - np.where(inside, log_reference, 0.0)), 0.0)
    return terms.sum(axis=-1)


@dataclass(frozen=True, eq=False)
class FramePotentials:
    """What `frame_potentials` finds.

    Attributes
    ----------
    orders : tuple of int
    estimates : tuple of Estimate
        The potential of each order.
    haar : tuple of float
        Of Haar-random states, the least there is.
    """

    orders: tuple[int, ...]
    estimates: tuple[Estimate, ...]
    haar: tuple[float, ...]

    @property
    def values(self) -> FloatArray:
        return np.array([estimate.value for estimate in self.estimates])

    @property
    def ratios(self) -> FloatArray:
        """Potentials over those of Haar-random states: 1 for a state t-design."""
        return np.asarray(self.values / np.array(self.haar))

    def __str__(self) -> str:
        parts = zip(self.orders, self.estimates, self.haar, strict=True)
        return "frame potentials " + ", ".join(f"t={t}: {e} (Haar {h:.3g})" for t, e, h in parts)


def haar_frame_potential(num_qubits: int, order: int) -> float:
    """The frame potential of Haar-random states, ``1 / binomial(2**num_qubits + order - 1, order)``.

    Examples
    --------
    >>> haar_frame_potential(1, 2) == 1 / 3
    True
    """
    check_count(num_qubits, "num_qubits", 0)
    check_count(order, "order", 1)
    return 1 / math.comb((1 << num_qubits) + order - 1, order)


def frame_potentials(
    circuit: Circuit,
    orders: Any = (1, 2, 3),
    num_samples: int = 1000,
    *,
    draw: Draw = UNIFORM,
    fixed: Mapping[Any, Any] | None = None,
    seed: Any = None,
    confidence: float = 0.95,
    **settings: Any,
) -> FramePotentials:
    """Means of ``|<psi(a)|psi(b)>|**(2 t)`` over independent parameters a and b [1]_.

    They are at least those of Haar-random states, and equal to them just for a state t-design.

    Parameters
    ----------
    circuit, draw, fixed, seed, settings
        As for `expressibility`.
    orders : int or sequence of int
        The t.
    num_samples : int
        States; all pairs of different ones count, which is without bias.
    confidence : float
        Of the intervals, from the jackknife over the states.

    Returns
    -------
    FramePotentials

    Notes
    -----
    One product of matrices, O(num_samples**2 * 2**num_qubits), and all states are kept.

    References
    ----------
    .. [1] J. M. Renes, R. Blume-Kohout, A. J. Scott and C. M. Caves, J. Math. Phys. 45, 2171 (2004),
       arXiv:quant-ph/0310075.

    Examples
    --------
    >>> found = frame_potentials(Circuit(2), 1)  # always the same state
    >>> found.values, found.haar
    (array([1.]), (0.25,))
    """
    listed = check_sizes(orders, "orders", 1)
    num_samples = check_count(num_samples, "num_samples", 3)
    confidence = check_confidence(confidence)
    program = unitary_program(circuit, Simulator(**settings), "frame_potentials")
    rng = generator(seed)
    states = program.statevector(draw_rows(program.parameters, num_samples, rng, draw, fixed))
    overlaps = np.abs(states @ states.conj().T) ** 2
    np.fill_diagonal(overlaps, 0.0)
    estimates = []
    for order in listed:
        by_state = (overlaps**order).sum(axis=1) / (num_samples - 1)
        error = 2 * by_state.std(ddof=1) / math.sqrt(num_samples)
        estimates.append(normal_estimate(float(by_state.mean()), error, confidence))
    haar = tuple(haar_frame_potential(circuit.num_qubits, order) for order in listed)
    return FramePotentials(tuple(listed), tuple(estimates), haar)
