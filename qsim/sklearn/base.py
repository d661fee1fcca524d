"""What the estimators share: a kernel made in `fit` from plain parameters, and checked data."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from qsim.quantum_kernels import FidelityKernel, ProjectedKernel, QuantumKernel

__all__ = ["KernelMachine", "make_kernel"]


def make_kernel(estimator: Any) -> QuantumKernel:
    """The kernel that an estimator's parameters describe."""
    if isinstance(estimator.kernel, QuantumKernel):
        return estimator.kernel
    options = {
        "max_memory": estimator.max_memory,
        "precision": estimator.precision,
        "threads": estimator.threads,
    }
    if estimator.kernel == "fidelity":
        return FidelityKernel(estimator.feature_map, estimator.params, **options)
    if estimator.kernel == "projected":
        return ProjectedKernel(estimator.feature_map, estimator.params, **options)
    raise ValueError(
        "Parameter `kernel` must be 'fidelity', 'projected' or a kernel of qsim.quantum_kernels, but is "
        f"{estimator.kernel!r}."
    )
