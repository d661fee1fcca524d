"""qsim: statevector simulation for quantum machine learning on CPUs.

Names are loaded when first used, so that ``import qsim`` costs next to nothing.

Examples
--------
>>> import numpy as np
>>> import qsim
>>> theta = qsim.Parameter("theta")
>>> circuit = qsim.Circuit(2).ry(theta, 0).cx(0, 1)
>>> qsim.expectation(circuit, "Z0 Z1", {"theta": np.linspace(0, 1, 3)})
array([1., 1., 1.])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from qsim._version import __version__

if TYPE_CHECKING:
    from qsim import analysis as analysis
    from qsim import ansatz as ansatz
    from qsim import classical as classical
    from qsim import datasets as datasets
    from qsim import errors as errors
    from qsim import feature_maps as feature_maps
    from qsim import gates as gates
    from qsim import io as io
    from qsim import measurements as measurements
    from qsim import observables as observables
    from qsim import operations as operations
    from qsim import optimize as optimize
    from qsim import quantum_kernels as quantum_kernels
    from qsim import testing as testing
    from qsim import visual as visual
    from qsim.answers import amplitudes as amplitudes
    from qsim.answers import density_matrix as density_matrix
    from qsim.answers import distribution as distribution
    from qsim.answers import expectation as expectation
    from qsim.answers import fidelity as fidelity
    from qsim.answers import inner_product as inner_product
    from qsim.answers import mutual_information as mutual_information
    from qsim.answers import probabilities as probabilities
    from qsim.answers import purity as purity
    from qsim.answers import renyi_entropy as renyi_entropy
    from qsim.answers import sample as sample
    from qsim.answers import statevector as statevector
    from qsim.answers import variance as variance
    from qsim.answers import von_neumann_entropy as von_neumann_entropy
    from qsim.backends.base import available_backends as available_backends
    from qsim.circuit import Circuit as Circuit
    from qsim.converters.cirq import from_cirq as from_cirq
    from qsim.converters.cirq import to_cirq as to_cirq
    from qsim.converters.openfermion import from_openfermion as from_openfermion
    from qsim.converters.openfermion import to_openfermion as to_openfermion
    from qsim.converters.pennylane import from_pennylane as from_pennylane
    from qsim.converters.pennylane import to_pennylane as to_pennylane
    from qsim.converters.qiskit import from_qiskit as from_qiskit
    from qsim.converters.qiskit import to_qiskit as to_qiskit
    from qsim.converters.qulacs import from_qulacs as from_qulacs
    from qsim.converters.qulacs import to_qulacs as to_qulacs
    from qsim.errors import QsimError as QsimError
    from qsim.gradients import gradient as gradient
    from qsim.gradients import hessian as hessian
    from qsim.gradients import hvp as hvp
    from qsim.gradients import jacobian as jacobian
    from qsim.gradients import jvp as jvp
    from qsim.gradients import value_and_gradient as value_and_gradient
    from qsim.gradients import vjp as vjp
    from qsim.gradients.metric import classical_fisher as classical_fisher
    from qsim.gradients.metric import geometric_tensor as geometric_tensor
    from qsim.gradients.metric import quantum_fisher as quantum_fisher
    from qsim.io import load as load
    from qsim.native import get_include as get_include
    from qsim.native import get_library as get_library
    from qsim.observables import (
        Diagonal as Diagonal,
    )
    from qsim.observables import (
        Hermitian as Hermitian,
    )
    from qsim.observables import (
        PauliString as PauliString,
    )
    from qsim.observables import (
        PauliSum as PauliSum,
    )
    from qsim.observables import (
        Projector as Projector,
    )
    from qsim.observables import (
        SparseMatrix as SparseMatrix,
    )
    from qsim.observables import (
        StateProjector as StateProjector,
    )
    from qsim.parameters import (
        Parameter as Parameter,
    )
    from qsim.parameters import (
        ParameterVector as ParameterVector,
    )
    from qsim.parameters import arccos as arccos
    from qsim.parameters import arcsin as arcsin
    from qsim.parameters import arctan as arctan
    from qsim.parameters import arctan2 as arctan2
    from qsim.parameters import cos as cos
    from qsim.parameters import exp as exp
    from qsim.parameters import log as log
    from qsim.parameters import sin as sin
    from qsim.parameters import sqrt as sqrt
    from qsim.parameters import tan as tan
    from qsim.program.program import Program as Program
    from qsim.program.program import compile as compile
    from qsim.results import Samples as Samples
    from qsim.simulator import Simulator as Simulator
    from qsim.visual import plot_histogram as plot_histogram

_MODULES = {
    "qsim.backends.base": ("available_backends",),
    "qsim.circuit": ("Circuit",),
    "qsim.converters.cirq": ("from_cirq", "to_cirq"),
    "qsim.converters.openfermion": ("from_openfermion", "to_openfermion"),
    "qsim.converters.pennylane": ("from_pennylane", "to_pennylane"),
    "qsim.converters.qiskit": ("from_qiskit", "to_qiskit"),
    "qsim.converters.qulacs": ("from_qulacs", "to_qulacs"),
    "qsim.errors": ("QsimError",),
    "qsim.gradients": ("gradient", "hessian", "hvp", "jacobian", "jvp", "value_and_gradient", "vjp"),
    "qsim.gradients.metric": ("classical_fisher", "geometric_tensor", "quantum_fisher"),
    "qsim.io": ("load",),
    "qsim.native": ("get_include", "get_library"),
    "qsim.observables": (
        *("Diagonal", "Hermitian", "PauliString", "PauliSum", "Projector", "SparseMatrix"),
        "StateProjector",
    ),
    "qsim.visual": ("plot_histogram",),
    "qsim.parameters": (
        *("Parameter", "ParameterVector"),
        *("arccos", "arcsin", "arctan", "arctan2", "cos", "exp", "log", "sin", "sqrt", "tan"),
    ),
    "qsim.program.program": ("Program", "compile"),
    "qsim.results": ("Samples",),
    "qsim.simulator": ("Simulator",),
    "qsim.answers": (
        *("amplitudes", "density_matrix", "distribution", "expectation", "fidelity"),
        *("inner_product", "mutual_information", "probabilities", "purity", "renyi_entropy", "sample"),
        *("statevector", "variance", "von_neumann_entropy"),
    ),
}
#: Modules that are attributes without an import of their own.
_SUBMODULES = (
    *("analysis", "ansatz", "capi", "cirq", "classical", "datasets", "errors", "feature_maps", "gates", "io"),
    *("jax", "measurements", "observables", "operations", "optimize", "pennylane", "qiskit"),
    *("quantum_kernels", "sklearn", "testing", "torch", "visual"),
)
_SOURCES = {name: (module, name) for module, names in _MODULES.items() for name in names}

# ``from qsim import *`` must not ask for every framework that there are converters for
__all__ = ["__version__", *sorted(name for name in _SOURCES if not name.startswith(("from_", "to_")))]


def __getattr__(name: str) -> Any:
    source = _SOURCES.get(name)
    if name in _SUBMODULES:
        return importlib.import_module(f"qsim.{name}")
    if source is None:
        raise AttributeError(f"module 'qsim' has no attribute {name!r}")
    value = getattr(importlib.import_module(source[0]), source[1])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_SOURCES, *_SUBMODULES})
