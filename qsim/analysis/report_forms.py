"""The forms of a report: text, HTML, and a figure."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

from qsim._checks import counted
from qsim._extras import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qsim.analysis.geometry import ModelComplexity
    from qsim.analysis.reports import Report

__all__ = ["to_figure", "to_html", "to_page", "to_text"]

#: A heading, and lines of (what, number).
_Section = tuple[str, list[tuple[str, str]]]


def _title(report: Report) -> str:
    kind = "classes" if report.classification else "numbers"
    return (
        f"Report on {report.name}: {counted(report.circuit.num_qubits, 'qubit')}, "
        f"{counted(report.num_samples, 'point')} of {counted(report.num_features, 'feature')}, {kind}"
    )


def _sections(report: Report) -> list[_Section]:
    """Everything but the verdict."""
    measure = "accuracy" if report.classification else "R^2"
    scores = [
        (("quantum    " if s.is_quantum else "classical  ") + s.name, f"{s.estimate}") for s in report.scores
    ]
    guess = "the most frequent class" if report.classification else "the mean"
    scores.append((f"guessing   {guess}", f"{report.chance:.3g}"))
    kernel = report.kernel
    haar = f" (Haar-random {kernel.haar_variance:.2g})"
    parts: list[_Section] = [
        (f"Scores: {measure} on unseen points, {100 * report.confidence:.3g} % intervals", scores),
        (
            f"Fidelity kernel, bandwidth {report.bandwidth:.3g}",
            [
                ("mean entry", str(kernel.mean)),
                ("variance of entries", f"{kernel.variance}{haar}"),
                ("effective rank", f"{kernel.effective_rank:.3g} of {len(kernel.eigenvalues)}"),
                ("shots to see an entry", f"{kernel.shots:.2g}"),
                ("best aligned bandwidth", f"{report.scan.best:.3g}"),
                (
                    "geometric difference from RBF",
                    f"{report.geometry.value:.3g} + {report.geometry.training:.3g} in training, "
                    f"{report.geometry.relative:.2g} of sqrt(N)",
                ),
                ("model complexity, quantum", _complexity(report.quantum_complexity)),
                ("model complexity, RBF", _complexity(report.classical_complexity)),
            ],
        ),
        (
            "Circuit, over the data" + (" and random weights" if report.rank is not None else ""),
            [
                ("expressibility (KL from Haar)", str(report.expressibility.estimate)),
                (
                    "entangling capability",
                    f"{report.entanglement.estimate} (Haar {report.entanglement.haar:.3g})",
                ),
                ("Fourier frequencies", _frequencies(report)),
                ("surrogate, trigonometric R^2", _trigonometric(report)),
                ("surrogate, random features R^2", str(report.surrogate.random.r2)),
            ],
        ),
    ]
    if report.gradients is not None and report.dimension is not None and report.rank is not None:
        dimension = report.dimension
        parts.append(
            (
                f"Weights, {report.rank.num_parameters}",
                [
                    ("gradient variance", str(report.gradients.estimate)),
                    *(
                        (f"effective dimension, {n} data", f"{v:.3g} [{low:.3g}, {high:.3g}]")
                        for n, v, low, high in zip(
                            dimension.num_data, dimension.values, dimension.low, dimension.high, strict=True
                        )
                    ),
                    ("rank of the quantum Fisher information", str(report.rank.rank)),
                ],
            )
        )
    return parts


def _complexity(found: ModelComplexity) -> str:
    return f"{found.value:.3g}, bound of the error {found.bound:.2g}"


def _frequencies(report: Report) -> str:
    if report.frequencies is None:
        return "none of its own: angles are not affine in the features, or frequencies too many"
    largest = max((float(own[-1]) for own in report.frequencies.values()), default=0.0)
    counts = [len(own) for own in report.frequencies.values()]
    each = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    return f"{each} for each feature, up to {largest:.3g}"


def _trigonometric(report: Report) -> str:
    fit = report.surrogate.trigonometric
    return "no fit" if fit is None else f"{fit.r2} with {2 * len(fit.frequencies) - 1} numbers"


def to_text(report: Report) -> str:
    """Lines for a terminal."""
    lines = [_title(report), "", report.verdict, *(f"  - {text}" for text in report.findings)]
    for heading, rows in _sections(report):
        width = max(len(what) for what, _ in rows)
        lines += ["", heading, *(f"  {what:<{width}}  {number}" for what, number in rows)]
    if report.notes:
        lines += ["", "Notes", *(f"  {note}" for note in report.notes)]
    return "\n".join([*lines, "", f"{report.seconds:.1f} s"])


_COLOURS = {"quantum": "#1a7f37", "classical": "#9a3412", "tie": "#6b7280", "chance": "#6b7280"}
_CELL = "padding: 0.15em 1.2em 0.15em 0; text-align: left; border-bottom: 1px solid #ddd;"


def to_html(report: Report, plots: bool) -> str:
    """A fragment of HTML, all text in it escaped."""
    out = [
        f"<h3>{escape(_title(report))}</h3>",
        f'<p style="border-left: 4px solid {_COLOURS[report.winner]}; padding-left: 0.8em;">'
        f"<strong>{escape(report.verdict)}</strong></p>",
    ]
    if report.findings:
        out.append("<ul>" + "".join(f"<li>{escape(text)}</li>" for text in report.findings) + "</ul>")
    for heading, rows in _sections(report):
        out.append(f"<h4>{escape(heading)}</h4><table style='border-collapse: collapse;'>")
        for what, number in rows:
            out.append(
                f'<tr><td style="{_CELL}">{escape(what)}</td><td style="{_CELL}">{escape(number)}</td></tr>'
            )
        out.append("</table>")
    if report.notes:
        out.append("<p>" + "<br>".join(escape(note) for note in report.notes) + "</p>")
    if plots:
        picture = io.BytesIO()
        to_figure(report).savefig(picture, format="png", dpi=90)
        data = base64.b64encode(picture.getvalue()).decode("ascii")
        out.append(
            f'<img alt="plots of the report" style="max-width: 100%;" src="data:image/png;base64,{data}">'
        )
    return "\n".join(out)


def to_page(report: Report, plots: bool) -> str:
    """A page that stands alone."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(_title(report))}</title></head>\n"
        '<body style="font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em;">\n'
        f"{to_html(report, plots)}\n</body></html>\n"
    )


def to_figure(report: Report) -> Figure:
    """All pictures, two beside each other."""
    require("matplotlib", extra="viz", user="A plot", name="Matplotlib")
    from matplotlib.figure import Figure

    from qsim.analysis.plots import plot_scores

    parts: list[Any] = [
        report.kernel,
        report.scan,
        report.expressibility,
        report.entanglement,
        report.surrogate,
        report.gradients,
        report.dimension,
    ]
    shown = [part for part in parts if part is not None]
    rows = (len(shown) + 2) // 2
    figure = Figure(figsize=(11.0, 3.4 * rows), layout="constrained")
    axes = figure.subplots(rows, 2).ravel()
    plot_scores(report, axes[0])
    for part, ax in zip(shown, axes[1:], strict=False):
        part.plot(ax)
    for ax in axes[1 + len(shown) :]:
        ax.remove()
    return figure
