"""Maps that write the data again and again, with trained gates in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qsim._checks import check_count
from qsim._templates import Weights, check_choice, ring_pairs
from qsim.circuit import Circuit
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import data_vector, fill_slots, multiples, uploads
from qsim.parameters import ParameterValue

__all__ = [
    *("high_dimensional", "hubregtsen", "multi_control", "qaoa", "reuploading", "trainable_reuploading"),
    "yz_cx",
]

FAMILY = "Re-uploading"
SCHULD = "M. Schuld, R. Sweke, J. J. Meyer, Phys. Rev. A 103, 032430 (2021)"


def _register(num_features: int, num_qubits: int | None, minimum: int = 1) -> int:
    return (
        max(num_features, minimum) if num_qubits is None else check_count(num_qubits, "num_qubits", minimum)
    )


def _reuploading_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    counts = uploads(d, options["num_qubits"] or d, options["on_mismatch"])
    return tuple(multiples(options["layers"] * count) for count in counts)


@feature_map(
    family=FAMILY,
    formula="W(theta_L) prod_i RX(x_i) ... W(theta_1) prod_i RX(x_i) W(theta_0); W = CX ring, prod_i Rot",
    qubits="d",
    scaling="[-pi, pi]: wider data are beyond the period",
    period=2 * math.pi,
    trainable=True,
    spectrum_rule=_reuploading_spectrum,
    reference="A. Perez-Salinas et al., Quantum 4, 226 (2020); " + SCHULD,
)
def reuploading(
    num_features: int,
    *,
    layers: int = 2,
    rotation: str = "x",
    num_qubits: int | None = None,
    on_mismatch: str = "error",
) -> Circuit:
    """Hardware-efficient re-uploading: rotations by the data between trained, entangling layers.

    Parameters
    ----------
    num_features : int
    layers : int
        How often the data are written; the largest frequency of a feature that stands on one qubit.
    rotation : {"x", "y", "z"}
    num_qubits : int, optional
        As many as features by default.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than qubits: refuse, start again from the first feature, or append zeros.

    Returns
    -------
    Circuit
        ``3 * num_qubits * (layers + 1)`` weights.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    check_choice(rotation, "rotation", ("x", "y", "z"))
    qubits = _register(len(x), num_qubits)
    values = fill_slots(x, qubits, on_mismatch)
    theta = Weights()
    circuit = Circuit(qubits, name="reuploading")

    def trained_layer() -> None:
        for q in range(qubits):
            circuit.append("rot", theta.take(3), q)
        for a, b in ring_pairs(qubits):
            circuit.cx(a, b)

    trained_layer()
    for _ in range(layers):
        for q, value in enumerate(values):
            circuit.append(f"r{rotation}", (value,), q)
        trained_layer()
    return theta.close(circuit)


@feature_map(
    family=FAMILY,
    formula="prod_l [CX ring, prod_q U3(theta) RZ(w_{lq} x_{k(l,q)} + b_{lq})] prod_q U3(theta)",
    qubits="d",
    scaling="any: the map learns scale and shift; start from features of about unit size",
    data_range=(-1.0, 1.0),
    trainable=True,
    reference=(
        "A. Perez-Salinas et al., Quantum 4, 226 (2020); B. Jaderberg et al., Phys. Rev. A 109, 042421 (2024)"
    ),
)
def trainable_reuploading(
    num_features: int, *, layers: int = 2, num_qubits: int | None = None, on_mismatch: str = "cycle"
) -> Circuit:
    """Re-uploading whose features are scaled and shifted by weights: the frequencies are trained.

    Parameters
    ----------
    num_features : int
    layers : int
    num_qubits : int, optional
        As many as features by default. Slots are counted over all layers, so one qubit is enough for as many
        features as layers.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than ``layers * num_qubits`` slots: refuse, start again from the first feature, or
        append zeros.

    Returns
    -------
    Circuit
        ``num_qubits * (5 * layers + 3)`` weights; in each layer w and b of a qubit, then its U3.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    qubits = _register(len(x), num_qubits)
    values = iter(fill_slots(x, layers * qubits, on_mismatch))
    theta = Weights()
    circuit = Circuit(qubits, name="trainable_reuploading")
    for q in range(qubits):
        circuit.append("u", theta.take(3), q)
    for _ in range(layers):
        for q in range(qubits):
            weight, shift = theta.take(2)
            circuit.rz(weight * next(values) + shift, q)
            circuit.append("u", theta.take(3), q)
        for a, b in ring_pairs(qubits):
            circuit.cx(a, b)
    return theta.close(circuit)


def _qaoa_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return (multiples(options["layers"] + 1),) * d


@feature_map(
    family=FAMILY,
    formula=(
        "prod_i RX(x_i) [prod_i RY(theta'_{li}) prod_i exp(-i theta_{li} Z_i Z_{i+1} / 2) "
        "prod_i RX(x_i)]^layers"
    ),
    qubits="d",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    trainable=True,
    spectrum_rule=_qaoa_spectrum,
    reference="S. Lloyd et al., arXiv:2001.03622 (2020)",
)
def qaoa(
    num_features: int, *, layers: int = 1, local_field: str = "y", num_qubits: int | None = None
) -> Circuit:
    """QAOA-inspired embedding: rotations by the data, trained ZZ interactions and local fields.

    Parameters
    ----------
    num_features : int
    layers : int
    local_field : {"x", "y", "z"}
    num_qubits : int, optional
        As many as features by default. Qubits without a feature have a Hadamard gate instead of RX.

    Returns
    -------
    Circuit
        ``2 * num_qubits * layers`` weights (one qubit: 1, two: 3 for each layer): the interactions around the
        ring, then the fields.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    check_choice(local_field, "local_field", ("x", "y", "z"))
    qubits = _register(len(x), num_qubits)
    fill_slots(x, qubits, "pad")  # refuses more features than qubits
    theta = Weights()
    circuit = Circuit(qubits, name="qaoa")

    def write_data() -> None:
        for q in range(qubits):
            if q < len(x):
                circuit.rx(x[q], q)
            else:
                circuit.h(q)

    for _ in range(layers):
        write_data()
        for a, b in ring_pairs(qubits):
            circuit.rzz(theta(), a, b)
        for q in range(qubits):
            circuit.append(f"r{local_field}", (theta(),), q)
    write_data()
    return theta.close(circuit)


def _hubregtsen_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    qubits = options["num_qubits"] or d
    counts = uploads(d, -(-d // qubits) * qubits, "cycle")
    layers = options["layers"] + bool(options["final_encoding"])
    return tuple(multiples(layers * count) for count in counts)


@feature_map(
    family=FAMILY,
    formula="[CRZ(theta) ring, prod_i RY(theta_{li}) prod_i RZ(x_i)]^layers prod_i H",
    qubits="d",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    trainable=True,
    spectrum_rule=_hubregtsen_spectrum,
    reference="T. Hubregtsen et al., Phys. Rev. A 106, 042431 (2022)",
)
def hubregtsen(
    num_features: int,
    *,
    layers: int = 1,
    num_qubits: int | None = None,
    closed: bool = True,
    final_encoding: bool = False,
    hadamards: str = "first",
) -> Circuit:
    """Quantum embedding kernel circuit: RZ by the data, trained RY and a ring of trained CRZ.

    Parameters
    ----------
    num_features : int
        More features than qubits are written in rows, alternately by RZ and RX; the last row is filled up
        from the first feature.
    layers : int
    num_qubits : int, optional
        As many as features by default.
    closed : bool
        Whether the ring is closed (for more than two qubits).
    final_encoding : bool
        Write the data once more at the end, so that a fidelity kernel depends on the last weights.
    hadamards : {"first", "every"}
        Hadamard gates before the first layer only, or before every one (as in the authors' demonstration).

    Returns
    -------
    Circuit
        Weights of each layer: those of RY, then those of CRZ (none for two qubits or fewer).
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    check_choice(hadamards, "hadamards", ("first", "every"))
    qubits = _register(len(x), num_qubits)
    rows = -(-len(x) // qubits)
    theta = Weights()
    circuit = Circuit(qubits, name="hubregtsen")

    def write_data() -> None:
        for row in range(rows):
            for q in range(qubits):
                value = x[(row * qubits + q) % len(x)]
                circuit.append("rx" if row % 2 else "rz", (value,), q)

    for layer in range(layers):
        if not layer or hadamards == "every":
            circuit.h(range(qubits))
        write_data()
        for q in range(qubits):
            circuit.ry(theta(), q)
        for a, b in ring_pairs(qubits, closed) if qubits > 2 else ():
            circuit.crz(theta(), a, b)
    if final_encoding:
        write_data()
    return theta.close(circuit)


def _yz_cx_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    qubits = options["num_qubits"] or max(d, 2)
    counts = uploads(d, qubits * options["layers"], options["on_mismatch"])
    return tuple(multiples(2 * count, options["scale"]) for count in counts)


@feature_map(
    family=FAMILY,
    formula=(
        "prod_l [CX on alternate pairs, prod_q RZ(theta'_{lq} + c x_k) RY(theta_{lq} + c x_k)], k = l n + q"
    ),
    qubits="max(d, 2)",
    scaling="c is the bandwidth: c |x - y| of order 1 for neighbours",
    period=2 * math.pi,
    trainable=True,
    spectrum_rule=_yz_cx_spectrum,
    reference="T. Haug, C. N. Self, M. S. Kim, Mach. Learn.: Sci. Technol. 4, 015005 (2023)",
)
def yz_cx(
    num_features: int,
    *,
    layers: int = 2,
    num_qubits: int | None = None,
    scale: float = 1.0,
    closed: bool = True,
    on_mismatch: str = "cycle",
) -> Circuit:
    """YZ-CX encoding: RY and RZ by weight plus data on each qubit, CX on alternate pairs.

    Parameters
    ----------
    num_features : int
    layers : int
    num_qubits : int, optional
        As many as features by default (at least 2). There are ``layers * num_qubits`` slots.
    scale : float
        The factor c of the data.
    closed : bool
        Whether the last qubit meets the first one.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than slots: refuse, start again from the first feature, or append zeros.

    Returns
    -------
    Circuit
        ``2 * num_qubits * layers`` weights: RY and RZ of qubit 0, of qubit 1, ...
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    qubits = _register(len(x), num_qubits, 2)
    values = iter(fill_slots(x, layers * qubits, on_mismatch))
    theta = Weights()
    circuit = Circuit(qubits, name="yz_cx")
    for layer in range(layers):
        for q in range(qubits):
            data: Any = scale * next(values)
            circuit.ry(theta() + data, q).rz(theta() + data, q)
        for q in range(layer % 2, qubits + closed - 1, 2):
            circuit.cx(q, (q + 1) % qubits)
    return theta.close(circuit)


def _high_dimensional_layers(num_features: int, qubits: int) -> int:
    return max(-(-num_features // (3 * qubits)), 2)


def _high_dimensional_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    qubits = options["num_qubits"] or -(-d // 3)
    layers = options["layers"] or _high_dimensional_layers(d, qubits)
    return tuple(multiples(count) for count in uploads(d, 3 * qubits * layers, options["on_mismatch"]))


@feature_map(
    family=FAMILY,
    formula=(
        "[prod_q RZ(x_{k+2}) RY(x_{k+1}) RZ(x_k), sqrt(iSWAP) on neighbours]^layers prod_q H, k counts on; "
        "no sqrt(iSWAP) in the first layer"
    ),
    qubits="ceil(d / 3)",
    scaling="[-pi, pi] or less; smaller for more uploads, so that kernels do not vanish",
    period=2 * math.pi,
    spectrum_rule=_high_dimensional_spectrum,
    reference="E. Peters et al., npj Quantum Inf. 7, 161 (2021)",
)
def high_dimensional(
    num_features: int,
    *,
    num_qubits: int | None = None,
    layers: int | None = None,
    entangler: str = "siswap",
    order: str = "rows",
    on_mismatch: str = "cycle",
) -> Circuit:
    """High-dimensional encoding: three features for each qubit and layer, sqrt(iSWAP) or CX in between.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        A third of the number of features, rounded up, by default.
    layers : int, optional
        As many as the features need, and at least 2, by default.
    entangler : {"siswap", "cx"}
    order : {"rows", "columns"}
        Whether features go along a qubit first, or across the qubits first.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than ``3 * num_qubits * layers`` slots: refuse, start again from the first
        feature, or append zeros.

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_choice(entangler, "entangler", ("siswap", "cx"))
    check_choice(order, "order", ("rows", "columns"))
    qubits = -(-len(x) // 3) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    count = _high_dimensional_layers(len(x), qubits) if layers is None else check_count(layers, "layers", 1)
    values = fill_slots(x, 3 * qubits * count, on_mismatch)
    return high_dimensional_circuit(qubits, values, entangler, order)


def high_dimensional_circuit(
    qubits: int, values: Sequence[ParameterValue | None], entangler: str, order: str
) -> Circuit:
    """The circuit with a value in each of its slots, ``3 * qubits`` for a layer; None for no gate."""
    circuit = Circuit(qubits, name="high_dimensional").h(range(qubits))
    for first in range(0, len(values), 3 * qubits):
        if first:
            for start in (0, 1):
                for q in range(start, qubits - 1, 2):
                    circuit.append(entangler, (), (q, q + 1))
        of_layer = values[first : first + 3 * qubits]
        for q in range(qubits):
            three = of_layer[3 * q : 3 * q + 3] if order == "rows" else of_layer[q::qubits]
            for gate, value in zip(("rz", "ry", "rz"), three, strict=True):
                if value is not None:
                    circuit.append(gate, (value,), q)
    return circuit


def _multi_control_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    slots = (options["num_qubits"] or max(d, 2)) * (options["layers"] + bool(options["final_encoding"]))
    return tuple(multiples(count) for count in uploads(d, slots, options["on_mismatch"]))


@feature_map(
    family=FAMILY,
    formula="[prod_pairs CRZ(theta) CRY(theta) CRX(theta) prod_q RZ(x_k) H]^layers",
    qubits="max(d, 2)",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    trainable=True,
    spectrum_rule=_multi_control_spectrum,
    reference="D. A. Kreplin et al., arXiv:2311.08990 (sQUlearn)",
)
def multi_control(
    num_features: int,
    *,
    layers: int = 1,
    num_qubits: int | None = None,
    closed: bool = True,
    final_encoding: bool = False,
    on_mismatch: str = "cycle",
) -> Circuit:
    """Phases by the data behind Hadamard gates, then trained controlled rotations about all three axes.

    Parameters
    ----------
    num_features : int
    layers : int
    num_qubits : int, optional
        As many as features by default (at least 2).
    closed : bool
        Whether the last qubit controls the first one.
    final_encoding : bool
        Write the data once more at the end.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than slots (qubits times writings of data): refuse, start again from the first
        feature, or append zeros.

    Returns
    -------
    Circuit
        Three weights for each pair and layer.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    qubits = _register(len(x), num_qubits, 2)
    values = iter(fill_slots(x, qubits * (layers + bool(final_encoding)), on_mismatch))
    theta = Weights()
    circuit = Circuit(qubits, name="multi_control")
    for _ in range(layers):
        for q in range(qubits):
            circuit.h(q).rz(next(values), q)
        for start in (0, 1):
            for a in range(start, qubits if closed else qubits - 1, 2):
                for gate in ("crx", "cry", "crz"):
                    circuit.append(gate, (theta(),), (a, (a + 1) % qubits))
    if final_encoding:
        for q in range(qubits):
            circuit.rz(next(values), q)
    return theta.close(circuit)
