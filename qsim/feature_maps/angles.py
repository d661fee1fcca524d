"""Maps that write each feature into the angle of one rotation."""

from __future__ import annotations

import math
from typing import Any

from qsim._checks import check_count
from qsim._templates import check_choice, ring_pairs
from qsim.circuit import Circuit
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import data_vector, fill_slots, multiples, uploads

__all__ = ["angle", "dense_angle", "hardware_efficient_angle"]

FAMILY = "Rotation angles"


def _angle_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    counts = uploads(d, options["num_qubits"] or d, options["on_mismatch"])
    return tuple(multiples(count) for count in counts)


@feature_map(
    family=FAMILY,
    formula="prod_i R_P(x_i) on qubit i, P = X, Y or Z (behind H)",
    qubits="d",
    scaling="[-pi, pi]; [0, pi] if the ends of the range must be far apart",
    period=2 * math.pi,
    spectrum_rule=_angle_spectrum,
    reference="M. Schuld, F. Petruccione, Supervised Learning with Quantum Computers (Springer, 2018)",
)
def angle(
    num_features: int, *, rotation: str = "y", num_qubits: int | None = None, on_mismatch: str = "error"
) -> Circuit:
    """Angle encoding: one rotation for each feature, no entanglement.

    Parameters
    ----------
    num_features : int
    rotation : {"x", "y", "z"}
        Rotations about Z stand behind a Hadamard gate, as they do nothing to ``|0>`` otherwise.
    num_qubits : int, optional
        As many as features by default.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than qubits: refuse, start again from the first feature, or append zeros.

    Returns
    -------
    Circuit
        O(num_qubits) gates.

    Notes
    -----
    The fidelity kernel is ``prod_i cos^2((x_i - y_i) / 2)``.
    """
    x = data_vector(num_features)
    check_choice(rotation, "rotation", ("x", "y", "z"))
    slots = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    circuit = Circuit(slots, name="angle")
    for q, value in enumerate(fill_slots(x, slots, on_mismatch)):
        if rotation == "z":
            circuit.h(q)
        circuit.append(f"r{rotation}", (value,), q)
    return circuit


def _dense_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return tuple(
        multiples(count)
        for count in uploads(d, 2 * (options["num_qubits"] or -(-d // 2)), options["on_mismatch"])
    )


@feature_map(
    family=FAMILY,
    formula="prod_i RZ(x_{2i+1}) RY(x_{2i}) on qubit i",
    qubits="ceil(d / 2)",
    scaling="[0, pi] for even features (polar angles), [0, 2 pi) for odd ones (azimuths)",
    data_range=(0.0, math.pi),
    period=2 * math.pi,
    spectrum_rule=_dense_spectrum,
    reference="R. LaRose, B. Coyle, Phys. Rev. A 102, 032420 (2020)",
)
def dense_angle(num_features: int, *, num_qubits: int | None = None, on_mismatch: str = "pad") -> Circuit:
    """Dense angle encoding: two features for each qubit, its polar angle and its azimuth.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        Half as many as features, rounded up, by default.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than two for each qubit: refuse, start again from the first feature, or append
        zeros.

    Returns
    -------
    Circuit
        O(num_qubits) gates, no entanglement.
    """
    x = data_vector(num_features)
    qubits = -(-len(x) // 2) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    circuit = Circuit(qubits, name="dense_angle")
    values = fill_slots(x, 2 * qubits, on_mismatch)
    for q in range(qubits):
        circuit.ry(values[2 * q], q).rz(values[2 * q + 1], q)
    return circuit


def _layered_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    counts = uploads(d, options["num_qubits"] or d, options["on_mismatch"])
    return tuple(multiples(options["layers"] * count) for count in counts)


@feature_map(
    family=FAMILY,
    formula="[CZ ring, prod_i R_P(x_i)]^layers",
    qubits="d",
    scaling="[-pi, pi], or less for more layers",
    period=2 * math.pi,
    spectrum_rule=_layered_spectrum,
    reference="S. Thanasilp et al., Nat. Commun. 15, 5200 (2024), figure 4",
)
def hardware_efficient_angle(
    num_features: int,
    *,
    layers: int = 2,
    rotation: str = "x",
    num_qubits: int | None = None,
    on_mismatch: str = "error",
) -> Circuit:
    """Hardware-efficient embedding: layers of rotations by the data, then CZ around a ring.

    Parameters
    ----------
    num_features : int
    layers : int
    rotation : {"x", "y"}
    num_qubits : int, optional
        As many as features by default.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than qubits: refuse, start again from the first feature, or append zeros.

    Returns
    -------
    Circuit
        O(layers * num_qubits) gates.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    check_choice(rotation, "rotation", ("x", "y"))
    slots = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    values = fill_slots(x, slots, on_mismatch)
    circuit = Circuit(slots, name="hardware_efficient_angle")
    for _ in range(layers):
        for q, value in enumerate(values):
            circuit.append(f"r{rotation}", (value,), q)
        for a, b in ring_pairs(slots):
            circuit.cz(a, b)
    return circuit
