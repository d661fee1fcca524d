"""Circuits inside PyTorch: differentiable expectation values, and a layer.

They need PyTorch: ``pip install "qsim-statevector[torch]"``.
"""

from __future__ import annotations

from qsim._extras import require

require("torch", extra="torch", user="qsim.torch", name="PyTorch", at_least="2.4")

from qsim.torch.layer import QuantumLayer
from qsim.torch.values import expectation

__all__ = ["QuantumLayer", "expectation"]
