"""Ansaetze: functions that return circuits of weights, to be trained or to stand behind a feature map.

Each function takes the number of qubits and keywords with defaults, and returns a `Circuit` whose parameters
are those of ``ParameterVector("theta", m)``, numbered in the order of the gates (in `identity_initialised`
mirror images count backwards). `ANSATZE` lists the functions by name.

All raise an `ArgumentError` (a TypeError for what is no number) that names the argument, what it must be and
what was given.

Examples
--------
>>> import qsim
>>> circuit = real_amplitudes(3, reps=1)
>>> circuit.num_parameters
6
>>> model = qsim.feature_maps.angle(3).compose(circuit)
>>> model.num_parameters
9
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from qsim.ansatz.excitations import excitations, givens, uccsd
from qsim.ansatz.layered import (
    alternating,
    basic_entangler,
    efficient_su2,
    hardware_efficient,
    identity_initialised,
    identity_values,
    n_local,
    real_amplitudes,
    simplified_two_design,
    strongly_entangling,
    two_local,
)
from qsim.ansatz.networks import mera, mps, qcnn, ttn
from qsim.ansatz.problems import hamiltonian_variational, qaoa
from qsim.ansatz.sim_circuits import sim
from qsim.circuit import Circuit

__all__ = [
    "ANSATZE",
    "alternating",
    "basic_entangler",
    "efficient_su2",
    "excitations",
    "givens",
    "hamiltonian_variational",
    "hardware_efficient",
    "identity_initialised",
    "identity_values",
    "mera",
    "mps",
    "n_local",
    "qaoa",
    "qcnn",
    "real_amplitudes",
    "sim",
    "simplified_two_design",
    "strongly_entangling",
    "ttn",
    "two_local",
    "uccsd",
]

#: name -> function; each takes a number of qubits, and options that have defaults
ANSATZE: dict[str, Callable[..., Circuit]] = {
    function.__name__: function
    for function in (
        *(n_local, two_local, real_amplitudes, efficient_su2, strongly_entangling, basic_entangler),
        *(simplified_two_design, hardware_efficient, alternating, identity_initialised),
        *(qaoa, hamiltonian_variational, qcnn, mps, ttn, mera, givens, uccsd, sim),
    )
}


def name_hint(name: str) -> str:
    """A question with the names that may be meant; names of other libraries' classes are near to ours."""

    def plain(text: str) -> str:
        return text.replace("_", "").lower()

    spelled = {plain(key): key for key in ANSATZE}
    near = [spelled[found] for found in difflib.get_close_matches(plain(name), spelled, n=2)]
    return f"Did you mean {' or '.join(f'`{key}`' for key in near)}?" if near else ""


def __getattr__(name: str) -> Any:
    hint = "" if name.startswith("_") else name_hint(name)
    raise AttributeError(f"module 'qsim.ansatz' has no attribute {name!r}. {hint}".rstrip())
