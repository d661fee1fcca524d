"""Drawings of circuits and plots of results; Matplotlib is imported when something is drawn with it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qsim.visual.histogram import plot_histogram as plot_histogram
    from qsim.visual.html import draw_html as draw_html
    from qsim.visual.mpl import draw_mpl as draw_mpl
    from qsim.visual.text import draw_text as draw_text

_SOURCES = {
    "draw_html": "qsim.visual.html",
    "draw_mpl": "qsim.visual.mpl",
    "draw_text": "qsim.visual.text",
    "plot_histogram": "qsim.visual.histogram",
}

__all__ = ["draw_html", "draw_mpl", "draw_text", "plot_histogram"]


def __getattr__(name: str) -> Any:
    if name not in _SOURCES:
        raise AttributeError(f"module 'qsim.visual' has no attribute {name!r}")
    value = getattr(importlib.import_module(_SOURCES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
