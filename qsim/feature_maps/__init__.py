"""Feature maps: functions that return the circuit that encodes data, and what is known about each.

Each function takes the number of features and keywords, and returns a `Circuit` whose data are the elements
of ``ParameterVector("x", num_features)`` and whose weights, if it has any, are
``ParameterVector("theta", m)``.
`FEATURE_MAPS` has a record for each: formula, qubits, domain, period, Fourier spectrum, reference.

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

from qsim.feature_maps.angles import angle
from qsim.feature_maps.diagonal import zz
from qsim.feature_maps.records import FEATURE_MAPS, FeatureMap, data_parameters, get, weights

__all__ = ["FEATURE_MAPS", "FeatureMap", "angle", "data_parameters", "get", "weights", "zz"]
