"""Feature maps as other libraries build them, with their names, options and quirks.

Each is a function in the module of its library, takes the number of features and the library's own keywords,
and prepares the same amplitudes, phases included. `qsim.feature_maps.get` finds them as ``"library.name"``.
Wire or qubit q of the other library is qubit q here; for PennyLane the bits of an amplitude's index are in
the opposite order.

Examples
--------
>>> import qsim
>>> from qsim.feature_maps import presets
>>> presets.qiskit.zz(3) == qsim.feature_maps.zz(3)
True
>>> qsim.feature_maps.get("pennylane.iqp").num_qubits(4)
4
"""

from __future__ import annotations

from qsim.feature_maps.presets import pennylane, qiskit, squlearn
from qsim.feature_maps.presets._registry import PRESETS

__all__ = ["PRESETS", "pennylane", "qiskit", "squlearn"]
