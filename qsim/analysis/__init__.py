"""What a feature map, a kernel or a model can do, and whether its quantum part earns its place.

Functions take a `qsim.Circuit`, a kernel matrix or data, and return small objects with numbers, intervals,
a text (`str`) and a plot. `report` puts them together. Names are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qsim.analysis._estimates import Estimate as Estimate
    from qsim.analysis.concentration import BandwidthScan as BandwidthScan
    from qsim.analysis.concentration import KernelConcentration as KernelConcentration
    from qsim.analysis.concentration import bandwidth_scan as bandwidth_scan
    from qsim.analysis.concentration import kernel_concentration as kernel_concentration
    from qsim.analysis.coverage import Expressibility as Expressibility
    from qsim.analysis.coverage import FramePotentials as FramePotentials
    from qsim.analysis.coverage import expressibility as expressibility
    from qsim.analysis.coverage import frame_potentials as frame_potentials
    from qsim.analysis.coverage import haar_frame_potential as haar_frame_potential
    from qsim.analysis.entangling import EntanglingCapability as EntanglingCapability
    from qsim.analysis.entangling import entangling_capability as entangling_capability
    from qsim.analysis.entangling import meyer_wallach as meyer_wallach
    from qsim.analysis.fisher import EffectiveDimension as EffectiveDimension
    from qsim.analysis.fisher import FisherSpectrum as FisherSpectrum
    from qsim.analysis.fisher import QFIMRank as QFIMRank
    from qsim.analysis.fisher import effective_dimension as effective_dimension
    from qsim.analysis.fisher import fisher_spectrum as fisher_spectrum
    from qsim.analysis.fisher import qfim_rank as qfim_rank
    from qsim.analysis.fourier import FourierSeries as FourierSeries
    from qsim.analysis.fourier import fourier_coefficients as fourier_coefficients
    from qsim.analysis.geometry import GeometricDifference as GeometricDifference
    from qsim.analysis.geometry import ModelComplexity as ModelComplexity
    from qsim.analysis.geometry import geometric_difference as geometric_difference
    from qsim.analysis.geometry import model_complexity as model_complexity
    from qsim.analysis.plateaus import GradientScaling as GradientScaling
    from qsim.analysis.plateaus import GradientVariance as GradientVariance
    from qsim.analysis.plateaus import gradient_variance as gradient_variance
    from qsim.analysis.plateaus import gradient_variance_scaling as gradient_variance_scaling
    from qsim.analysis.plots import plot_bandwidth_scan as plot_bandwidth_scan
    from qsim.analysis.plots import plot_effective_dimension as plot_effective_dimension
    from qsim.analysis.plots import plot_entangling_capability as plot_entangling_capability
    from qsim.analysis.plots import plot_expressibility as plot_expressibility
    from qsim.analysis.plots import plot_fisher_spectrum as plot_fisher_spectrum
    from qsim.analysis.plots import plot_fourier_coefficients as plot_fourier_coefficients
    from qsim.analysis.plots import plot_fourier_spectrum as plot_fourier_spectrum
    from qsim.analysis.plots import plot_gradient_scaling as plot_gradient_scaling
    from qsim.analysis.plots import plot_gradient_variance as plot_gradient_variance
    from qsim.analysis.plots import plot_kernel_concentration as plot_kernel_concentration
    from qsim.analysis.plots import plot_scores as plot_scores
    from qsim.analysis.plots import plot_surrogate as plot_surrogate
    from qsim.analysis.reports import Report as Report
    from qsim.analysis.reports import report as report
    from qsim.analysis.spectrum import FourierSpectrum as FourierSpectrum
    from qsim.analysis.spectrum import fourier_spectrum as fourier_spectrum
    from qsim.analysis.surrogate import ClassicalSurrogate as ClassicalSurrogate
    from qsim.analysis.surrogate import SurrogateFit as SurrogateFit
    from qsim.analysis.surrogate import classical_surrogate as classical_surrogate

_MODULES = {
    "_estimates": ("Estimate",),
    "concentration": (
        *("BandwidthScan", "KernelConcentration", "bandwidth_scan"),
        *("kernel_concentration",),
    ),
    "coverage": (
        *("Expressibility", "FramePotentials", "expressibility"),
        *("frame_potentials", "haar_frame_potential"),
    ),
    "entangling": ("EntanglingCapability", "entangling_capability", "meyer_wallach"),
    "fisher": (
        *("EffectiveDimension", "FisherSpectrum", "QFIMRank"),
        *("effective_dimension", "fisher_spectrum", "qfim_rank"),
    ),
    "fourier": ("FourierSeries", "fourier_coefficients"),
    "geometry": (
        *("GeometricDifference", "ModelComplexity", "geometric_difference"),
        *("model_complexity",),
    ),
    "plateaus": (
        *("GradientScaling", "GradientVariance", "gradient_variance"),
        *("gradient_variance_scaling",),
    ),
    "plots": (
        *("plot_bandwidth_scan", "plot_effective_dimension", "plot_entangling_capability"),
        *("plot_expressibility", "plot_fisher_spectrum", "plot_fourier_coefficients"),
        *("plot_fourier_spectrum", "plot_gradient_scaling", "plot_gradient_variance"),
        *("plot_kernel_concentration", "plot_scores", "plot_surrogate"),
    ),
    "reports": ("Report", "report"),
    "spectrum": ("FourierSpectrum", "fourier_spectrum"),
    "surrogate": ("ClassicalSurrogate", "SurrogateFit", "classical_surrogate"),
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
