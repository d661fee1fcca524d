"""What a feature map, a kernel or a model can do, and whether its quantum part earns its place.

Functions take a `qsim.Circuit`, a kernel matrix or data, and return small objects with numbers, intervals,
a text (`str`) and a plot. `report` puts them together. Names are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qsim.analysis._estimates import Estimate as Estimate
    from qsim.analysis.coverage import Expressibility as Expressibility
    from qsim.analysis.coverage import FramePotentials as FramePotentials
    from qsim.analysis.coverage import expressibility as expressibility
    from qsim.analysis.coverage import frame_potentials as frame_potentials
    from qsim.analysis.coverage import haar_frame_potential as haar_frame_potential
    from qsim.analysis.entangling import EntanglingCapability as EntanglingCapability
    from qsim.analysis.entangling import entangling_capability as entangling_capability
    from qsim.analysis.entangling import meyer_wallach as meyer_wallach
    from qsim.analysis.fourier import FourierSeries as FourierSeries
    from qsim.analysis.fourier import fourier_coefficients as fourier_coefficients
    from qsim.analysis.plots import plot_entangling_capability as plot_entangling_capability
    from qsim.analysis.plots import plot_expressibility as plot_expressibility
    from qsim.analysis.plots import plot_fourier_coefficients as plot_fourier_coefficients
    from qsim.analysis.plots import plot_fourier_spectrum as plot_fourier_spectrum
    from qsim.analysis.spectrum import FourierSpectrum as FourierSpectrum
    from qsim.analysis.spectrum import fourier_spectrum as fourier_spectrum

_MODULES = {
    "_estimates": ("Estimate",),
    "entangling": ("EntanglingCapability", "entangling_capability", "meyer_wallach"),
    "coverage": (
        *("Expressibility", "FramePotentials", "expressibility", "frame_potentials"),
        "haar_frame_potential",
    ),
    "fourier": ("FourierSeries", "fourier_coefficients"),
    "plots": (
        *("plot_entangling_capability", "plot_expressibility", "plot_fourier_coefficients"),
        "plot_fourier_spectrum",
    ),
    "spectrum": ("FourierSpectrum", "fourier_spectrum"),
}
_SOURCES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_SOURCES)


def __getattr__(name: str) -> Any:
    if name not in _SOURCES:
        raise AttributeError(f"module 'qsim.analysis' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"qsim.analysis.{_SOURCES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
