"""Feature maps: functions that return the circuit that encodes data, and what is known about each.

Each function takes the number of features and keywords, and returns a `Circuit` whose data are the elements
of ``ParameterVector("x", num_features)`` and whose weights, if it has any, are those of
``ParameterVector("theta", m)``. `FEATURE_MAPS` has a record for each: formula, qubits, domain, period,
Fourier spectrum, reference. `scale` and `check_data` bring data into the domain of a map.

Examples
--------
>>> import qsim
>>> circuit = zz(2, reps=1)
>>> circuit.num_qubits, circuit.num_parameters
(2, 2)
>>> FEATURE_MAPS["angle"].spectrum(2)
((0.0, 1.0), (0.0, 1.0))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from qsim.feature_maps.angles import angle, dense_angle, hardware_efficient_angle
from qsim.feature_maps.chebyshev import (
    chebyshev_pqc,
    chebyshev_rx,
    chebyshev_sparse,
    chebyshev_tower,
    product,
)
from qsim.feature_maps.data import check_data, scale
from qsim.feature_maps.data_reuploading import (
    high_dimensional,
    hubregtsen,
    multi_control,
    qaoa,
    reuploading,
    trainable_reuploading,
    yz_cx,
)
from qsim.feature_maps.diagonal import iqp, iqp_generative, param_z, pauli, z, zz
from qsim.feature_maps.evolution import covariant, hamiltonian, heisenberg
from qsim.feature_maps.fourier import (
    fourier_constant,
    fourier_exponential,
    fourier_ternary,
    fourier_tower,
)
from qsim.feature_maps.images import frqi, neqr, qpie
from qsim.feature_maps.loading import (
    amplitude,
    basis,
    hamming_weight,
    random_access_code,
    unary,
    weight_order,
)
from qsim.feature_maps.matrix_product import mps_amplitudes
from qsim.feature_maps.projected import projected_features
from qsim.feature_maps.records import FEATURE_MAPS, FeatureMap, data_parameters, get, weights
from qsim.feature_maps.structured import qcnn, random_layers

if TYPE_CHECKING:
    from qsim.feature_maps import presets as presets

__all__ = [
    "FEATURE_MAPS",
    "FeatureMap",
    "amplitude",
    "angle",
    "basis",
    "chebyshev_pqc",
    "chebyshev_rx",
    "chebyshev_sparse",
    "chebyshev_tower",
    "check_data",
    "covariant",
    "data_parameters",
    "dense_angle",
    "fourier_constant",
    "fourier_exponential",
    "fourier_ternary",
    "fourier_tower",
    "frqi",
    "get",
    "hamiltonian",
    "hamming_weight",
    "hardware_efficient_angle",
    "heisenberg",
    "high_dimensional",
    "hubregtsen",
    "iqp",
    "iqp_generative",
    "mps_amplitudes",
    "multi_control",
    "neqr",
    "param_z",
    "pauli",
    "presets",
    "product",
    "projected_features",
    "qaoa",
    "qcnn",
    "qpie",
    "random_access_code",
    "random_layers",
    "reuploading",
    "scale",
    "trainable_reuploading",
    "unary",
    "weight_order",
    "weights",
    "yz_cx",
    "z",
    "zz",
]


def __getattr__(name: str) -> Any:
    if name == "presets":  # forms of the maps above, so only when they are there
        return importlib.import_module("qsim.feature_maps.presets")
    hint = ""
    if not name.startswith("_"):
        from qsim.feature_maps.presets import PRESETS
        from qsim.feature_maps.records import name_hint

        # the names of presets as they are found from here
        known = {**FEATURE_MAPS, **{f"presets.{key}": record for key, record in PRESETS.items()}}
        hint = name_hint(name, known)
    raise AttributeError(f"module 'qsim.feature_maps' has no attribute {name!r}. {hint}".rstrip())
