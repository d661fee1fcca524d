"""Histograms of outcomes, drawn with Matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from qsim._checks import check_count
from qsim._extras import require
from qsim.errors import ArgumentError
from qsim.results import Samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_histogram"]

#: One series of bars.
HistogramData: TypeAlias = "Samples | Mapping[str, float]"

_OTHER = "other"


def plot_histogram(
    data: HistogramData | Sequence[HistogramData],
    ax: Axes | None = None,
    *,
    top: int | None = 20,
    sort: Literal["label", "value"] = "label",
    normalize: bool = False,
    legend: Sequence[str] | None = None,
    title: str | None = None,
) -> Axes:
    """Bar chart of counts or probabilities of outcomes.

    Parameters
    ----------
    data : Samples, dict of bitstring to count or probability, or sequence of those
        Several series, and the rows of a batch of samples, stand side by side.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.
    top : int or None, default 20
        Only the outcomes with the largest totals get their own bars; the others share one bar.
        None: all of them.
    sort : {"label", "value"}
        Order of the bars: by bitstring, or largest first.
    normalize : bool, default False
        Divide each series by its sum.
    legend : sequence of str, optional
        Names of the series.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If `ax` is not given and Matplotlib is not installed.
    ArgumentError
        If there is nothing to draw, or as many names as series are not given.

    Examples
    --------
    >>> ax = plot_histogram({"00": 490, "11": 510}, title="Bell pair")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['00', '11']
    """
    series = _series(data)
    if legend is not None and len(legend) != len(series):
        raise ArgumentError(f"Argument `legend` must have {len(series)} names, but has {len(legend)}.")
    if sort not in ("label", "value"):
        raise ArgumentError(f"Argument `sort` must be 'label' or 'value', but is {sort!r}.")
    counted = all(isinstance(value, int) for values in series for value in values.values())
    if normalize:
        series = [_relative(values) for values in series]
    labels, series = _choose(series, None if top is None else check_count(top, "top", 1), sort)
    if ax is None:
        ax = _new_axes(len(labels) * len(series))
    width = 0.8 / len(series)
    for place, values in enumerate(series):
        offset = (place - (len(series) - 1) / 2) * width
        ax.bar(
            [position + offset for position in range(len(labels))],
            [values.get(label, 0) for label in labels],
            width=width,
            label=None if legend is None else legend[place],
        )
    wide = sum(map(len, labels)) > 40  # side by side, the bitstrings would run into each other
    ax.set_xticks(range(len(labels)), labels, rotation=70 if wide else 0, ha="right" if wide else "center")
    if wide:
        for text in ax.get_xticklabels():
            text.set_rotation_mode("anchor")
    ax.set_xlabel("outcome (bit 0 rightmost)")
    ax.set_ylabel("shots" if counted and not normalize else "probability")
    if legend is not None:
        ax.legend()
    if title is not None:
        ax.set_title(title)
    return ax


def _series(data: Any) -> list[dict[str, float]]:
    """One dictionary per series."""
    if isinstance(data, Samples):
        counts = data.counts()
        series = [counts] if data.batch is None else counts
    elif isinstance(data, Mapping):
        series = [dict(data)]
    elif isinstance(data, Sequence) and not isinstance(data, str):
        series = [values for item in data for values in _series(item)]
    else:
        raise TypeError(
            f"Argument `data` must be Samples, a dictionary of bitstrings and numbers, or a sequence of "
            f"those, but is {type(data).__name__}."
        )
    if not any(series):
        raise ArgumentError("Argument `data` must hold at least one outcome, but is empty.")
    return series


def _relative(values: dict[str, float]) -> dict[str, float]:
    total = sum(values.values()) or 1.0  # an empty series stays empty
    return {label: value / total for label, value in values.items()}


def _choose(
    series: list[dict[str, float]], top: int | None, sort: str
) -> tuple[list[str], list[dict[str, float]]]:
    """The labels to show, in order, and the series with all others summed in one bar."""
    totals: dict[str, float] = {}
    for values in series:
        for label, value in values.items():
            totals[label] = totals.get(label, 0) + value
    ranked = sorted(totals, key=lambda label: (-totals[label], label))
    labels, rest = ranked[:top], ranked[top:] if top is not None else []
    if sort == "label":
        labels = sorted(labels)
    if rest:
        labels = [*labels, f"{_OTHER} ({len(rest)})"]
        series = [{**values, labels[-1]: sum(values.get(label, 0) for label in rest)} for values in series]
    return labels, series


def _new_axes(num_bars: int) -> Axes:
    require("matplotlib", extra="viz", user="A plot", name="Matplotlib")
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(min(16.0, max(4.8, 0.4 * num_bars)), 3.6), layout="constrained")
    return ax
