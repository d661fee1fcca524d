"""Write docs/feature_map_gallery.md and its picture from the records: python docs/generate_feature_maps.py

A test generates the page again and compares, so it cannot fall behind the records.
"""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np

import qsim
from qsim.feature_maps import FEATURE_MAPS, FeatureMap
from qsim.feature_maps.presets import PRESETS
from qsim.visual import draw_text

PAGE = Path(__file__).parent / "feature_map_gallery.md"
PICTURE = Path(__file__).parent / "images" / "feature_map_kernels.png"

#: headings, in order, with what the maps below them have in common
FAMILIES = {
    "Rotation angles": (
        "Each feature is the angle of a rotation, or of a few: shallow and periodic, easy to train behind."
    ),
    "Phases between Hadamard gates": (
        "Features and their products are phases of computational states, which Hadamard gates make interfere."
    ),
    "Re-uploading": (
        "The data are written several times, with trained gates in between: each time adds a frequency."
    ),
    "Fourier maps": "Several qubits for each feature, whose frequencies grow in a chosen way.",
    "Polynomials of data in [-1, 1]": (
        "Through arc cosine and arc sine models become polynomials of the features."
    ),
    "Evolutions and groups": (
        "The data choose a Hamiltonian, or an element of a group, which acts on a state."
    ),
    "Basis states and amplitudes": "The data are the state: many features on few qubits, or bits.",
    "Images": "Intensities and positions of pixels in registers of their own.",
    "Random and convolutional maps": "Drawn at random, or shaped like a convolutional network.",
}
#: features and options of drawings where two features and the defaults would show too little or too much
DRAWN: dict[str, tuple[int, dict[str, Any]]] = {
    "angle": (3, {}),
    "dense_angle": (4, {}),
    "hardware_efficient_angle": (3, {}),
    "hubregtsen": (3, {}),
    "high_dimensional": (6, {}),
    "heisenberg": (2, {"steps": 1}),
    "hamiltonian": (3, {}),
    "covariant": (4, {}),
    "basis": (3, {}),
    "unary": (3, {}),
    "random_access_code": (3, {}),
    "iqp_generative": (3, {}),
    "random_layers": (4, {"layers": 2}),
    "qcnn": (4, {}),
}
#: maps in the picture, with the options that are not defaults
KERNELS: list[tuple[str, dict[str, Any]]] = [
    *(("angle", {}), ("hardware_efficient_angle", {"layers": 3}), ("z", {}), ("zz", {"reps": 2})),
    *(("iqp", {"reps": 2}), ("fourier_ternary", {}), ("chebyshev_tower", {}), ("heisenberg", {})),
]

INTRODUCTION = """# Gallery of feature maps

<!-- Written by docs/generate_feature_maps.py from the records; do not edit. -->

Every function of `qsim.feature_maps`, with its record; a test finds qubits, periods and the frequencies that
a feature brings to expectation values again in numbers. How to choose among them is in
[Choosing a feature map](feature_maps.md).

`d` is the number of features, `x_i` a feature, `theta` a weight; factors act from right to left. Weights,
periods and frequencies are those of the default options (frequencies for two features). A dash under
frequencies: no Fourier series with fixed frequencies.
"""


def gallery_page() -> str:
    """The text of docs/feature_map_gallery.md."""
    lines = [INTRODUCTION]
    for family, about in FAMILIES.items():
        records = [record for record in FEATURE_MAPS.values() if record.family == family]
        lines += [f"## {family}", "", about, "", *_overview(records), ""]
        for record in records:
            lines += _entry(record)
    lines += ["## Presets", "", *_presets()]
    return "\n".join(lines).rstrip() + "\n"


def _overview(records: list[FeatureMap]) -> list[str]:
    rows = ["| map | qubits | weights for d = 4 | data | period | frequencies |", "|---|---|---|---|---|---|"]
    for r in records:
        cells = [f"[`{r.name}`](#{r.name})", f"`{r.qubits}`", str(r.num_weights(4) or ""), _domain(r)]
        rows.append(
            "| " + " | ".join([*cells, _number(r.period) if r.period else "", _frequencies(r)]) + " |"
        )
    return rows


def _domain(record: FeatureMap) -> str:
    low, high = record.domain
    kind = "integers" if record.integer else "numbers"
    if math.isfinite(low):
        return f"{kind} in [{_number(low)}, {_number(high)}]"
    return "not all zero" if record.homogeneous else "any"


def _frequencies(record: FeatureMap) -> str:
    spectrum = record.spectrum(2)
    if spectrum is None:
        return "-"
    return " or ".join(_list_text([_number(f) for f in one]) for one in dict.fromkeys(spectrum))


def _list_text(items: list[str]) -> str:
    return ", ".join(items if len(items) <= 6 else [*items[:2], "...", items[-1]])


def _number(value: float) -> str:
    if value == 0:
        return "0"
    for divisor in (1, 2, 3, 4):
        multiple = value * divisor / math.pi
        if abs(multiple - round(multiple)) < 1e-9:
            head = {1: "pi", -1: "-pi"}.get(round(multiple), f"{round(multiple)} pi")
            return head if divisor == 1 else f"{head}/{divisor}"
    return f"{value:.4g}"


def _entry(record: FeatureMap) -> list[str]:
    options = ", ".join(
        parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"
        for parameter in inspect.signature(record.build).parameters.values()
    )
    d, chosen = DRAWN.get(record.name, (2, {}))
    call = ", ".join([str(d), *(f"{name}={value!r}" for name, value in chosen.items())])
    drawing = str(draw_text(record.build(d, **chosen), fold=100))
    return [
        f"### {record.name}",
        "",
        record.summary,
        "",
        "```text",
        f"{record.name}({options})",
        "",
        record.formula,
        "```",
        "",
        f"Scaling: {record.scaling}.",
        f"Source: {record.reference}.",
        "",
        "```text",
        f"{record.name}({call})",
        *(line.rstrip() for line in drawing.splitlines()),
        "```",
        "",
    ]


def _presets() -> list[str]:
    rows = [
        "`qsim.feature_maps.presets` has the maps of other libraries, amplitude for amplitude:",
        "",
        "| preset | there |",
        "|---|---|",
    ]
    return rows + [f"| `{name}` | {record.summary} |" for name, record in PRESETS.items()]


def draw_kernels(path: Path) -> None:
    """Fidelities with the state at the origin, over the plane of two features."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    figure, axes = plt.subplots(2, 4, figsize=(9, 4.8), layout="constrained")
    for ax, (name, options) in zip(axes.flat, KERNELS, strict=True):
        record = FEATURE_MAPS[name]
        low, high = record.domain if math.isfinite(record.domain[0]) else (-math.pi, math.pi)
        grid = np.linspace(low, high, 61)
        data = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
        circuit = record.build(2, **options)
        states = qsim.statevector(circuit, {"x": data})
        origin = qsim.statevector(circuit, {"x": np.zeros(2)})
        kernel = np.abs(states @ origin.conj()) ** 2
        picture = ax.imshow(
            kernel.reshape(61, 61),
            extent=(low, high, low, high),
            origin="lower",
            vmin=0,
            vmax=1,
            cmap="viridis",
        )
        ax.set_title(name + "".join(f", {k}={v}" for k, v in options.items()), fontsize=8)
        ax.set_xticks([low, 0, high], [_number(low), "0", _number(high)], fontsize=7)
        ax.set_yticks([low, 0, high], [_number(low), "0", _number(high)], fontsize=7)
    figure.colorbar(picture, ax=axes, shrink=0.7, label="|<phi(x)|phi(0)>|^2")
    figure.set_dpi(80)
    figure.canvas.draw()
    # few colours make a small file
    Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB").quantize(48).save(
        path, optimize=True
    )
    plt.close(figure)


if __name__ == "__main__":
    PAGE.write_text(gallery_page(), encoding="utf-8")
    draw_kernels(PICTURE)
    print(f"wrote {PAGE} and {PICTURE}")
