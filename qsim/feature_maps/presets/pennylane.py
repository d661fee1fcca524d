"""Embedding templates of PennyLane (0.40 and later); wire q is qubit q."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qsim._templates import check_choice
from qsim.circuit import Circuit
from qsim.feature_maps import data_reuploading, diagonal, loading
from qsim.feature_maps.presets._registry import preset
from qsim.feature_maps.slots import data_vector, fill_slots

__all__ = ["amplitude", "angle", "basis", "iqp", "qaoa"]


@preset(like="angle")
def angle(num_features: int, *, num_qubits: int | None = None, rotation: str = "X") -> Circuit:
    """``AngleEmbedding``: rotations about Z have no Hadamard gate before them.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        Wires; as many as features by default.
    rotation : {"X", "Y", "Z"}

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_choice(rotation, "rotation", ("X", "Y", "Z"))
    circuit = Circuit(len(x) if num_qubits is None else num_qubits, name="pennylane.angle")
    fill_slots(x, circuit.num_qubits, "pad")  # refuses more features than qubits
    for q, value in enumerate(x):
        circuit.append(f"r{rotation.lower()}", (value,), q)
    return circuit


@preset(like="amplitude")
def amplitude(num_features: int, *, num_qubits: int | None = None) -> Circuit:
    """``AmplitudeEmbedding(normalize=True, pad_with=0)``: wire 0 is the most significant bit.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        Wires; as few as possible by default.

    Returns
    -------
    Circuit
    """
    circuit = loading.amplitude(num_features, num_qubits=num_qubits)
    return circuit.remap(list(reversed(range(circuit.num_qubits))))


@preset(like="basis")
def basis(num_features: int) -> Circuit:
    """``BasisEmbedding``.

    Parameters
    ----------
    num_features : int

    Returns
    -------
    Circuit
    """
    return loading.basis(num_features)


@preset(like="iqp", qubits="d")
def iqp(
    num_features: int, *, n_repeats: int = 1, pattern: Iterable[tuple[int, int]] | None = None
) -> Circuit:
    """``IQPEmbedding``: the angle of Z Z is half of what its documentation says.

    Parameters
    ----------
    num_features, n_repeats : int
    pattern : sequence of pairs, optional
        All pairs by default.

    Returns
    -------
    Circuit
    """
    entanglement: Any = "full" if pattern is None else pattern
    return diagonal.iqp(num_features, reps=n_repeats, entanglement=entanglement)


@preset(like="qaoa")
def qaoa(
    num_features: int, *, num_qubits: int | None = None, layers: int = 1, local_field: str = "Y"
) -> Circuit:
    """``QAOAEmbedding``; theta is its `weights` row by row.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        Wires; as many as features by default.
    layers : int
        Rows of `weights`.
    local_field : {"X", "Y", "Z"}

    Returns
    -------
    Circuit
    """
    check_choice(local_field, "local_field", ("X", "Y", "Z"))
    return data_reuploading.qaoa(
        num_features, layers=layers, local_field=local_field.lower(), num_qubits=num_qubits
    )
