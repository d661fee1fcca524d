"""Circuits inside PyTorch: differentiable expectation values, and a layer.

They need PyTorch: ``pip install "qsim-statevector[torch]"``.
"""

from __future__ import annotations

try:
    import torch as torch
except ImportError as error:
    raise ImportError('qsim.torch needs PyTorch: pip install "qsim-statevector[torch]".') from error

from qsim.torch.layer import QuantumLayer
from qsim.torch.values import expectation

__all__ = ["QuantumLayer", "expectation"]
