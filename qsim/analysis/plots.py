"""Pictures of what the analysis finds; each takes Matplotlib axes, or makes some, and returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qsim._extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from qsim.analysis.concentration import BandwidthScan, KernelConcentration
    from qsim.analysis.coverage import Expressibility
    from qsim.analysis.entangling import EntanglingCapability
    from qsim.analysis.fisher import EffectiveDimension, FisherSpectrum
    from qsim.analysis.fourier import FourierSeries
    from qsim.analysis.plateaus import GradientScaling, GradientVariance
    from qsim.analysis.reports import Report
    from qsim.analysis.spectrum import FourierSpectrum
    from qsim.analysis.surrogate import ClassicalSurrogate

__all__ = [
    "plot_bandwidth_scan",
    "plot_effective_dimension",
    "plot_entangling_capability",
    "plot_expressibility",
    "plot_fisher_spectrum",
    "plot_fourier_coefficients",
    "plot_fourier_spectrum",
    "plot_gradient_scaling",
    "plot_gradient_variance",
    "plot_kernel_concentration",
    "plot_scores",
    "plot_surrogate",
]

_QUANTUM, _CLASSICAL = "tab:blue", "0.55"


def plot_expressibility(result: Expressibility, ax: Axes | None = None) -> Axes:
    """Histogram of fidelities beside that of Haar-random states.

    Parameters
    ----------
    result : Expressibility
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If `ax` is not given and Matplotlib is not installed; so do all plots.
    """
    ax = _axes(ax)
    width = np.diff(result.edges)
    ax.bar(result.edges[:-1], result.frequencies, width, align="edge", color=_QUANTUM, label="circuit")
    ax.step(result.edges, [*result.haar, result.haar[-1]], where="post", color="black", label="Haar-random")
    ax.set(
        xlabel="fidelity of two states", ylabel="share of pairs", title=f"Expressibility {result.estimate}"
    )
    ax.legend()
    return ax


def plot_entangling_capability(result: EntanglingCapability, ax: Axes | None = None) -> Axes:
    """Histogram of the Meyer-Wallach measure, with its mean and that of Haar-random states."""
    ax = _axes(ax)
    ax.hist(result.values, bins=30, range=(0.0, 1.0), color=_QUANTUM)
    ax.axvline(result.estimate.value, color="tab:orange", label="mean")
    ax.axvline(result.haar, color="black", linestyle="--", label="Haar-random")
    ax.set(xlabel="Meyer-Wallach measure", ylabel="states", title=f"Entangling capability {result.estimate}")
    ax.legend()
    return ax


def plot_fourier_spectrum(result: FourierSpectrum, ax: Axes | None = None) -> Axes:
    """Frequencies of each feature, as marks on a line of its own."""
    ax = _axes(ax)
    for k, _ in enumerate(result.features):
        own = result.of_feature(k)
        ax.plot(own, np.full(len(own), k), "|", markersize=14, color=_QUANTUM)
    ax.set_yticks(range(len(result.features)), result.features)
    ax.set(xlabel="frequency", title=f"Fourier spectrum, {len(result)} frequencies")
    ax.margins(y=0.2)
    return ax


def plot_fourier_coefficients(result: FourierSeries, ax: Axes | None = None) -> Axes:
    """Sizes of the coefficients: stems for one feature, a map for two, in order of frequency for more."""
    ax = _axes(ax)
    sizes = np.sqrt(result.power)
    if len(result.features) == 2:
        x, y = result.frequencies.T
        points = ax.scatter(x, y, c=sizes, marker="s", s=60, cmap="viridis")
        ax.figure.colorbar(points, ax=ax, label="|c|")
        ax.set(xlabel=f"frequency of {result.features[0]}", ylabel=f"frequency of {result.features[1]}")
    else:
        single = len(result.features) == 1
        places = result.frequencies[:, 0] if single else np.arange(len(sizes))
        ax.stem(places, sizes, basefmt=" ")
        ax.set(xlabel="frequency" if single else "number of the frequency", ylabel="|c|")
    ax.set_title("Fourier coefficients")
    return ax


def plot_fisher_spectrum(result: FisherSpectrum, ax: Axes | None = None) -> Axes:
    """Histogram of the normalised eigenvalues of the Fisher information over all draws of the weights."""
    ax = _axes(ax)
    ax.hist(result.normalized.ravel(), bins=30, color=_QUANTUM)
    ax.set(xlabel="eigenvalue, mean 1", ylabel="number", title="Fisher information spectrum")
    ax.set_yscale("log")
    return ax


def plot_effective_dimension(result: EffectiveDimension, ax: Axes | None = None) -> Axes:
    """Effective dimension over the number of weights, against the number of data."""
    ax = _axes(ax)
    count = result.num_weights
    errors = np.abs([result.values - result.low, result.high - result.values]) / count
    ax.errorbar(result.num_data, result.normalized, errors, marker="o", capsize=3, color=_QUANTUM)
    ax.set(xlabel="number of data", ylabel="share of the weights", title="Effective dimension")
    ax.set_xscale("log")
    return ax


def plot_gradient_variance(result: GradientVariance, ax: Axes | None = None) -> Axes:
    """Variance of the derivative by each parameter."""
    ax = _axes(ax)
    ax.bar(range(len(result.variances)), result.variances, color=_QUANTUM)
    ax.axhline(result.estimate.value, color="black", linestyle="--", label="mean")
    ax.set(xlabel="parameter", ylabel="variance of the derivative", title="Gradients over random weights")
    ax.legend()
    return ax


def plot_gradient_scaling(result: GradientScaling, ax: Axes | None = None) -> Axes:
    """Variances against the number of qubits, with the exponential and the power-law fit."""
    ax = _axes(ax)
    n = np.array(result.num_qubits, dtype=float)
    values = np.array([v.value for v in result.variances])
    errors = np.abs([[v.value - v.low, v.high - v.value] for v in result.variances]).T
    ax.errorbar(n, values, errors, fmt="o", capsize=3, color=_QUANTUM)
    dense = np.linspace(n[0], n[-1], 100)
    for name, x, own, slope in (
        ("exponential", dense, n, result.rate.value),
        ("power", np.log(dense), np.log(n), result.power.value),
    ):
        level = float((np.log(values) + slope * own).mean())
        ax.plot(dense, np.exp(level - slope * x), "-" if name == "exponential" else "--", label=name)
    ax.set(xlabel="qubits", ylabel="gradient variance", title="Scaling of gradients")
    ax.set_yscale("log")
    ax.legend()
    return ax


def plot_kernel_concentration(result: KernelConcentration, ax: Axes | None = None) -> Axes:
    """Eigenvalues of the kernel matrix over its trace, in descending order."""
    ax = _axes(ax)
    shown = np.maximum(result.eigenvalues, 1e-12)
    ax.semilogy(np.arange(1, len(shown) + 1), shown, color=_QUANTUM)
    ax.set(
        xlabel="number of the eigenvalue",
        ylabel="share of the trace",
        title=f"Kernel spectrum, effective rank {result.effective_rank:.3g}",
    )
    return ax


def plot_bandwidth_scan(result: BandwidthScan, ax: Axes | None = None) -> Axes:
    """Variance of the kernel's entries, and alignment with the targets, against the bandwidth."""
    ax = _axes(ax)
    ax.plot(result.bandwidths, result.variances, marker="o", color=_QUANTUM, label="variance of entries")
    if result.alignments is not None:
        ax.plot(result.bandwidths, result.alignments, marker="s", color="tab:orange", label="alignment")
    ax.axvline(result.best, color="black", linestyle="--", label=f"best {result.best:.3g}")
    ax.set(xlabel="bandwidth", title="Kernel against bandwidth")
    ax.set_xscale("log")
    ax.legend()
    return ax


def plot_surrogate(result: ClassicalSurrogate, ax: Axes | None = None) -> Axes:
    """The better surrogate against the model, at the points of the test."""
    ax = _axes(ax)
    ax.plot(result.test_values, result.test_fits, ".", color=_QUANTUM)
    ends = [float(result.test_values.min()), float(result.test_values.max())]
    ax.plot(ends, ends, color="black", linewidth=1)
    ax.set(xlabel="quantum model", ylabel="classical surrogate", title=f"Surrogate, R² {result.r2}")
    return ax


def plot_scores(result: Report, ax: Axes | None = None) -> Axes:
    """Scores of quantum and classical methods with their intervals, and that of guessing."""
    ax = _axes(ax)
    for place, score in enumerate(reversed(result.scores)):
        found = score.estimate
        ax.errorbar(
            found.value,
            place,
            xerr=np.abs([[found.value - found.low], [found.high - found.value]]),
            fmt="o",
            capsize=3,
            color=_QUANTUM if score.is_quantum else _CLASSICAL,
        )
    ax.axvline(result.chance, color="black", linestyle="--", label="guessing")
    ax.set_yticks(range(len(result.scores)), [score.name for score in reversed(result.scores)])
    ax.set(xlabel="accuracy" if result.classification else "R²", title="Scores on unseen points")
    ax.margins(y=0.15)
    ax.legend()
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    require("matplotlib", extra="viz", user="A plot", name="Matplotlib")
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(6.0, 3.6), layout="constrained")[1]
