"""Quantum kernels: similarities of data points by the states that a feature map makes of them.

Examples
--------
>>> import numpy as np
>>> import qsim
>>> x = qsim.ParameterVector("x", 1)
>>> kernel = FidelityKernel(qsim.Circuit(1).ry(x[0], 0))
>>> kernel(np.array([[0.0], [np.pi / 2]])).round(6)
array([[1. , 0.5],
       [0.5, 1. ]])
"""

from __future__ import annotations

from qsim.quantum_kernels.alignment import (
    center_kernel,
    kernel_polarity,
    kernel_target_alignment,
    target_kernel,
)
from qsim.quantum_kernels.base import QuantumKernel
from qsim.quantum_kernels.dataset import EncodedDataset
from qsim.quantum_kernels.encoding import Encoder
from qsim.quantum_kernels.fidelity import FidelityKernel
from qsim.quantum_kernels.nystroem import NystroemFeatures
from qsim.quantum_kernels.projected import ProjectedKernel
from qsim.quantum_kernels.regularization import mitigate_depolarizing, regularize
from qsim.quantum_kernels.shots import emulate_shots
from qsim.quantum_kernels.training import TrainedKernel, alignment_gradient, train_kernel

__all__ = [
    "EncodedDataset",
    "Encoder",
    "FidelityKernel",
    "NystroemFeatures",
    "ProjectedKernel",
    "QuantumKernel",
    "TrainedKernel",
    "alignment_gradient",
    "center_kernel",
    "emulate_shots",
    "kernel_polarity",
    "kernel_target_alignment",
    "mitigate_depolarizing",
    "regularize",
    "target_kernel",
    "train_kernel",
]
