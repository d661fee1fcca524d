"""Circuits inside JAX: differentiable expectation values that compile, map and batch.

They need JAX: ``pip install "qsim-statevector[jax]"``.
"""

from __future__ import annotations

from qsim._extras import require

require("jax", extra="jax", user="qsim.jax", name="JAX", at_least="0.5")

from qsim.jax.values import Function, expectation, function, probabilities, statevector

__all__ = ["Function", "expectation", "function", "probabilities", "statevector"]
