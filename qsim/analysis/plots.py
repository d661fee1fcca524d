"""Pictures of what the analysis finds; each takes Matplotlib axes, or makes some, and returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from qsim.analysis.coverage import Expressibility
    from qsim.analysis.entangling import EntanglingCapability
    from qsim.analysis.fourier import FourierSeries
    from qsim.analysis.spectrum import FourierSpectrum

__all__ = [
    "plot_entangling_capability",
    "plot_expressibility",
    "plot_fourier_coefficients",
    "plot_fourier_spectrum",
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
        points = ax.scatter(*result.frequencies.T, c=sizes, marker="s", s=60, cmap="viridis")
        ax.figure.colorbar(points, ax=ax, label="|c|")
        ax.set(xlabel=f"frequency of {result.features[0]}", ylabel=f"frequency of {result.features[1]}")
    else:
        single = len(result.features) == 1
        places = result.frequencies[:, 0] if single else np.arange(len(sizes))
        ax.stem(places, sizes, basefmt=" ")
        ax.set(xlabel="frequency" if single else "number of the frequency", ylabel="|c|")
    ax.set_title("Fourier coefficients")
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError('Plots need Matplotlib: pip install "qsim-statevector[viz]"') from error
    return plt.subplots(figsize=(6.0, 3.6), layout="constrained")[1]
