"""qsim behind Qiskit's interfaces: a backend, the two primitives, and gradients for qiskit-machine-learning.

They need Qiskit 2.2 or later: ``pip install "qsim-statevector[qiskit]"``; the gradients
qiskit-machine-learning as well: ``pip install "qsim-statevector[qiskit-machine-learning]"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qsim._extras import require

require("qiskit", extra="qiskit", user="qsim.qiskit", name="Qiskit", at_least="2.2")

from qsim.qiskit.backend import QsimBackend, QsimJob
from qsim.qiskit.estimator import QsimEstimator
from qsim.qiskit.sampler import QsimSampler

if TYPE_CHECKING:
    from qsim.qiskit.gradients import QsimEstimatorGradient as QsimEstimatorGradient
    from qsim.qiskit.gradients import QsimQGT as QsimQGT
    from qsim.qiskit.gradients import QsimSamplerGradient as QsimSamplerGradient

_GRADIENTS = ("QsimEstimatorGradient", "QsimQGT", "QsimSamplerGradient")

__all__ = ["QsimBackend", "QsimEstimator", "QsimJob", "QsimSampler"]


def __getattr__(name: str) -> Any:
    if name not in _GRADIENTS:
        raise AttributeError(f"module 'qsim.qiskit' has no attribute {name!r}")
    require(
        "qiskit_machine_learning",
        extra="qiskit-machine-learning",
        user=f"qsim.qiskit.{name}",
        name="qiskit-machine-learning",
        at_least="0.9",
    )
    from qsim.qiskit import gradients

    for known in _GRADIENTS:
        globals()[known] = getattr(gradients, known)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_GRADIENTS})
