"""Feature maps of Qiskit's circuit library (2.x)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim.circuit import Circuit
from qsim.feature_maps import diagonal
from qsim.feature_maps.presets._registry import preset

__all__ = ["pauli", "z", "zz"]


@preset(like="z", qubits="d")
def z(feature_dimension: int, *, reps: int = 2, alpha: float = 2.0) -> Circuit:
    """``qiskit.circuit.library.z_feature_map``.

    Parameters
    ----------
    feature_dimension, reps : int
    alpha : float

    Returns
    -------
    Circuit
    """
    return diagonal.z(feature_dimension, reps=reps, alpha=alpha)


@preset(like="zz", qubits="d")
def zz(feature_dimension: int, *, reps: int = 2, entanglement: Any = "full", alpha: float = 2.0) -> Circuit:
    """``qiskit.circuit.library.zz_feature_map``.

    Parameters
    ----------
    feature_dimension, reps : int
    entanglement : {"full", "linear", "reverse_linear", "circular", "pairwise"} or sequence of pairs
    alpha : float

    Returns
    -------
    Circuit
    """
    return diagonal.zz(feature_dimension, reps=reps, entanglement=entanglement, alpha=alpha)


@preset(like="pauli", qubits="d")
def pauli(
    feature_dimension: int,
    *,
    reps: int = 2,
    entanglement: Any = "full",
    alpha: float = 2.0,
    paulis: Sequence[str] = ("Z", "ZZ"),
) -> Circuit:
    """``qiskit.circuit.library.pauli_feature_map``.

    Parameters
    ----------
    feature_dimension, reps : int
    entanglement : {"full", "linear", "reverse_linear", "circular", "pairwise"} or sequence of pairs
    alpha : float
    paulis : sequence of str

    Returns
    -------
    Circuit
    """
    return diagonal.pauli(feature_dimension, paulis=paulis, reps=reps, entanglement=entanglement, alpha=alpha)
