"""Maps that write each feature into the angle of a rotation."""

from __future__ import annotations

import math
from typing import Any

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import check_choice, data_vector, fill_slots, multiples

__all__ = ["angle"]


def _once_per_upload(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    slots = options["num_qubits"] or d
    if options["on_mismatch"] == "cycle":
        return tuple(multiples(len(range(i, slots, d))) for i in range(d))
    return (multiples(1),) * d


@feature_map(
    family="Angles",
    formula="prod_i R_P(x_i) on qubit i, P = X, Y or Z",
    qubits="d",
    scaling="to [-pi, pi], or [0, pi] where the ends of the range must differ",
    period=2 * math.pi,
    spectrum_rule=_once_per_upload,
    reference="M. Schuld and F. Petruccione, Supervised Learning with Quantum Computers (Springer, 2018)",
)
def angle(
    num_features: int, *, rotation: str = "y", num_qubits: int | None = None, on_mismatch: str = "error"
) -> Circuit:
    """Angle encoding: one rotation per feature.

    Parameters
    ----------
    num_features : int
    rotation : {"x", "y", "z"}
        Rotations about Z stand behind a Hadamard gate, as they do nothing to |0> otherwise.
    num_qubits : int, optional
        As many as features by default.
    on_mismatch : {"error", "cycle", "pad"}
        What to do with fewer features than qubits: refuse, repeat the features, or append zeros.

    Returns
    -------
    Circuit
        O(num_qubits) gates, no entanglement.
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
