"""Estimators for scikit-learn, made of feature maps and circuits.

They need scikit-learn: ``pip install "qsim-statevector[sklearn]"``.
"""

from __future__ import annotations

from qsim._extras import require

require("sklearn", extra="sklearn", user="qsim.sklearn", name="scikit-learn", at_least="1.6")

from qsim.sklearn.gaussian_process import (
    Covariance,
    QuantumGaussianProcessClassifier,
    QuantumGaussianProcessRegressor,
)
from qsim.sklearn.kernel_machines import QSVC, QSVR, QuantumKernelRidge
from qsim.sklearn.networks import QNNClassifier, QNNRegressor
from qsim.sklearn.reservoir import QuantumReservoirRegressor, reservoir_circuit
from qsim.sklearn.transformers import QuantumFeatureMap, QuantumPCA

__all__ = [
    "QSVC",
    "QSVR",
    "Covariance",
    "QNNClassifier",
    "QNNRegressor",
    "QuantumFeatureMap",
    "QuantumGaussianProcessClassifier",
    "QuantumGaussianProcessRegressor",
    "QuantumKernelRidge",
    "QuantumPCA",
    "QuantumReservoirRegressor",
    "reservoir_circuit",
]
