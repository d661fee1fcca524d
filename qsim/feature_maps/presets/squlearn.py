"""Encoding circuits of sQUlearn (0.12); theta is its parameter vector.

Not here: its random circuits, which come from Python's generator, and circuits put together by the user.
"""

from __future__ import annotations

from typing import Any

from qsim._checks import check_count
from qsim._templates import Weights, check_choice
from qsim.ansatz.networks import append_convolution, append_pooling
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps import chebyshev, data_reuploading
from qsim.feature_maps.chebyshev import NONLINEARITIES
from qsim.feature_maps.presets._registry import preset
from qsim.feature_maps.slots import data_vector, fill_slots
from qsim.parameters import ParameterValue, ParameterVector, arccos, arcsin

__all__ = [
    "chebyshev_pqc",
    "chebyshev_rx",
    "chebyshev_tower",
    "high_dim",
    "hubregtsen",
    "kyriienko",
    "multi_control",
    "param_z",
    "qcnn",
    "yz_cx",
]


def _neighbour_cx(circuit: Circuit) -> None:
    """CX on the even neighbours, then on the odd ones."""
    for start in (0, 1):
        for q in range(start, circuit.num_qubits - 1, 2):
            circuit.cx(q, q + 1)


@preset(like="hubregtsen")
def hubregtsen(
    num_features: int,
    *,
    num_qubits: int | None = None,
    num_layers: int = 1,
    closed: bool = True,
    final_encoding: bool = False,
) -> Circuit:
    """``HubregtsenEncodingCircuit``: the final encoding has RZ on the first qubit only.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default.
    num_layers : int
    closed, final_encoding : bool

    Returns
    -------
    Circuit
    """
    circuit = data_reuploading.hubregtsen(
        num_features, layers=num_layers, num_qubits=num_qubits, closed=closed
    )
    circuit.name = "squlearn.hubregtsen"
    x, qubits = data_vector(num_features), circuit.num_qubits
    rows = -(-len(x) // qubits)
    for i in range(rows * qubits if final_encoding else 0):
        # rounded up, where the layers round down: a row begins one slot late
        gate = "rx" if -(-i // qubits) % 2 else "rz"
        circuit.append(gate, (x[i % len(x)],), i % qubits)
    return circuit


@preset(like="yz_cx")
def yz_cx(
    num_features: int,
    *,
    num_qubits: int | None = None,
    num_layers: int = 1,
    closed: bool = True,
    c: float = 1.0,
) -> Circuit:
    """``YZ_CX_EncodingCircuit``.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default (at least 2).
    num_layers : int
    closed : bool
    c : float

    Returns
    -------
    Circuit
    """
    return data_reuploading.yz_cx(
        num_features, layers=num_layers, num_qubits=num_qubits, scale=c, closed=closed
    )


@preset(like="high_dimensional")
def high_dim(
    num_features: int,
    *,
    num_qubits: int | None = None,
    cycling: bool = True,
    cycling_type: str = "saw",
    num_layers: int | None = None,
    layer_type: str = "rows",
    entangling_gate: str = "iswap",
) -> Circuit:
    """``HighDimEncodingCircuit``: its iswap is a square root of iSWAP.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        A third of the number of features, rounded up, by default.
    cycling : bool
        Whether slots that are left are filled again; else they stay empty.
    cycling_type : {"saw", "hat"}
        Start again from the first feature, or go up and down.
    num_layers : int, optional
        At least 2, and as many as the features fill.
    layer_type : {"rows", "columns"}
    entangling_gate : {"iswap", "cx"}

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_choice(cycling_type, "cycling_type", ("saw", "hat"))
    check_choice(layer_type, "layer_type", ("rows", "columns"))
    check_choice(entangling_gate, "entangling_gate", ("iswap", "cx"))
    qubits = -(-len(x) // 3) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    slots = 3 * qubits
    layers = max(len(x) // slots, 2) if num_layers is None else check_count(num_layers, "num_layers", 1)
    fill_slots(x, layers * slots, "pad")  # refuses more features than slots
    values: list[ParameterValue | None] = []
    for layer in range(layers):
        # without cycling the layer after the last feature starts from the first one
        first = layer * slots if cycling else layer % -(-len(x) // slots) * slots
        values += [_cycled(x, first + i, cycling, cycling_type) for i in range(slots)]
    gate = "siswap" if entangling_gate == "iswap" else "cx"
    circuit = data_reuploading.high_dimensional_circuit(qubits, values, gate, layer_type)
    circuit.name = "squlearn.high_dim"
    return circuit


def _cycled(x: ParameterVector, i: int, cycling: bool, cycling_type: str) -> ParameterValue | None:
    """The feature in slot i."""
    if not cycling:
        return tuple(x)[i] if i < len(x) else None
    if cycling_type == "saw":
        return tuple(x)[i % len(x)]
    way = i % max(2 * len(x) - 2, 1)
    return tuple(x)[way if way < len(x) else 2 * len(x) - 2 - way]


@preset(like="chebyshev_tower")
def chebyshev_tower(
    num_features: int,
    *,
    num_qubits: int | None = None,
    num_chebyshev: int = 2,
    alpha: float = 1.0,
    num_layers: int = 1,
    rotation_gate: str = "ry",
    hadamard_start: bool = True,
    arrangement: str = "block",
    nonlinearity: str = "arccos",
) -> Circuit:
    """``ChebyshevTower``: half the angle of the paper, and Hadamard gates first.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        ``num_features * num_chebyshev`` by default.
    num_chebyshev : int
    alpha : float
    num_layers : int
    rotation_gate : {"rx", "ry", "rz"}
    hadamard_start : bool
    arrangement : {"block", "alternating"}
    nonlinearity : {"arccos", "arctan"}

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_count(num_chebyshev, "num_chebyshev", 1)
    check_count(num_layers, "num_layers", 1)
    check_choice(rotation_gate, "rotation_gate", ("rx", "ry", "rz"))
    check_choice(arrangement, "arrangement", ("block", "alternating"))
    function = NONLINEARITIES[check_choice(nonlinearity, "nonlinearity", tuple(NONLINEARITIES))]
    slots = [(value, degree) for value in x for degree in range(1, num_chebyshev + 1)]
    if arrangement == "alternating":
        slots = [(value, degree) for degree in range(1, num_chebyshev + 1) for value in x]
    qubits = len(slots) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    circuit = Circuit(qubits, name="squlearn.chebyshev_tower")
    if hadamard_start:
        circuit.h(range(qubits))
    for layer in range(num_layers):
        if layer:
            _neighbour_cx(circuit)
        for k, (value, degree) in enumerate(slots):
            circuit.append(rotation_gate, (alpha * degree * function(value),), k % qubits)
    return circuit


@preset(like="chebyshev_pqc")
def chebyshev_pqc(
    num_features: int,
    *,
    num_qubits: int | None = None,
    num_layers: int = 1,
    closed: bool = True,
    entangling_gate: str = "crz",
    nonlinearity: str = "arccos",
) -> Circuit:
    """``ChebyshevPQC``.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default (at least 2).
    num_layers : int
    closed : bool
    entangling_gate : {"crz", "rzz"}
    nonlinearity : {"arccos", "arctan"}

    Returns
    -------
    Circuit
    """
    return chebyshev.chebyshev_pqc(
        num_features,
        layers=num_layers,
        num_qubits=num_qubits,
        entangler=entangling_gate,
        closed=closed,
        nonlinearity=nonlinearity,
    )


@preset(like="chebyshev_rx")
def chebyshev_rx(
    num_features: int,
    *,
    num_qubits: int | None = None,
    num_layers: int = 1,
    closed: bool = False,
    nonlinearity: str = "arccos",
) -> Circuit:
    """``ChebyshevRx``.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default.
    num_layers : int
    closed : bool
    nonlinearity : {"arccos", "arctan"}

    Returns
    -------
    Circuit
    """
    return chebyshev.chebyshev_rx(
        num_features, layers=num_layers, num_qubits=num_qubits, closed=closed, nonlinearity=nonlinearity
    )


@preset(like="param_z")
def param_z(
    num_features: int, *, num_qubits: int | None = None, num_layers: int = 2, entangling: bool = False
) -> Circuit:
    """``ParamZFeatureMap``: an odd number of layers has CX on odd neighbours only, in every layer.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default.
    num_layers : int
    entangling : bool

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_count(num_layers, "num_layers", 1)
    qubits = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    values = fill_slots(x, qubits, "cycle")
    theta = Weights()
    circuit = Circuit(qubits, name="squlearn.param_z")
    for _ in range(num_layers):
        for q, value in enumerate(values):
            circuit.h(q).p(theta() * value, q)
        pairs = range(1, qubits - 1, 2) if num_layers % 2 else range(qubits - 1)
        for q in pairs if entangling else ():
            circuit.cx(q, q + 1)
    return circuit


@preset(like="multi_control")
def multi_control(
    num_features: int,
    *,
    num_qubits: int | None = None,
    num_layers: int = 1,
    closed: bool = True,
    final_encoding: bool = False,
) -> Circuit:
    """``MultiControlEncodingCircuit``.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default (at least 2).
    num_layers : int
    closed, final_encoding : bool

    Returns
    -------
    Circuit
    """
    return data_reuploading.multi_control(
        num_features,
        layers=num_layers,
        num_qubits=num_qubits,
        closed=closed,
        final_encoding=final_encoding,
    )


@preset(like="chebyshev_tower", trainable=True)
def kyriienko(
    num_features: int,
    *,
    num_qubits: int | None = None,
    encoding_style: str = "chebyshev_tower",
    variational_arrangement: str = "HEA",
    num_encoding_layers: int = 1,
    num_variational_layers: int = 1,
    rotation_gate: str = "ry",
    block_width: int = 2,
    block_depth: int = 1,
) -> Circuit:
    """``KyriienkoEncodingCircuit``: encoding and trained layers.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default (at least 2).
    encoding_style : {"chebyshev_tower", "chebyshev_sparse", "chebyshev_product"}
    variational_arrangement : {"HEA", "ABA"}
        Layers over all qubits, or alternating blocks.
    num_encoding_layers, num_variational_layers : int
    rotation_gate : {"rx", "ry", "rz"}
    block_width, block_depth : int
        Of alternating blocks; the width divides the number of qubits.

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    styles = ("chebyshev_tower", "chebyshev_sparse", "chebyshev_product")
    check_choice(encoding_style, "encoding_style", styles)
    check_choice(rotation_gate, "rotation_gate", ("rx", "ry", "rz"))
    check_choice(variational_arrangement, "variational_arrangement", ("HEA", "ABA"))
    check_count(num_encoding_layers, "num_encoding_layers", 1)
    check_count(num_variational_layers, "num_variational_layers", 0)
    qubits = max(len(x), 2) if num_qubits is None else check_count(num_qubits, "num_qubits", 2)
    if variational_arrangement == "ABA" and qubits % check_count(block_width, "block_width", 1):
        raise ArgumentError(
            f"Argument `block_width` must divide the number of qubits, {qubits}, but is {block_width}."
        )
    check_count(block_depth, "block_depth", 1)
    if encoding_style == "chebyshev_product":
        if len(x) > num_encoding_layers * qubits:
            raise ArgumentError(
                f"Argument `num_features` must be at most {num_encoding_layers * qubits}, one for each qubit "
                f"and encoding layer, but is {len(x)}."
            )
        angles: list[Any] = [arcsin(x[k % len(x)]) for k in range(num_encoding_layers * qubits)]
    else:
        tower = encoding_style == "chebyshev_tower"
        angles = [2.0 * (k + 1 if tower else 1) * arccos(value) for k in range(qubits) for value in x]
        angles = angles * num_encoding_layers
    theta = Weights()
    circuit = Circuit(qubits, name="squlearn.kyriienko")
    per_layer = len(angles) // num_encoding_layers
    for k, angle in enumerate(angles):
        circuit.append(rotation_gate, (angle,), k % per_layer % qubits)
    for layer in range(num_variational_layers):
        if variational_arrangement == "HEA":
            _trained_block(circuit, list(range(qubits)), theta)
            continue
        shift = block_width // 2 if layer % 2 else 0
        for start in range(shift, shift + qubits, block_width):
            for _ in range(block_depth):
                _trained_block(circuit, [(start + k) % qubits for k in range(block_width)], theta)
    return circuit


def _trained_block(circuit: Circuit, qubits: list[int], theta: Weights) -> None:
    """RZ, RX, RZ on each qubit, then CX on the even neighbours and on the odd ones."""
    for q in qubits:
        circuit.rz(theta(), q).rx(theta(), q).rz(theta(), q)
    for start in (0, 1):
        for k in range(start, len(qubits) - 1, 2):
            circuit.cx(qubits[k], qubits[k + 1])


@preset(like="qcnn")
def qcnn(num_features: int, *, num_qubits: int | None = None) -> Circuit:
    """``QCNNEncodingCircuit(default=True)``: pooling stops at three qubits or fewer, which all meet.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default.

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    qubits = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    values = fill_slots(x, qubits, "cycle")
    circuit = Circuit(qubits, name="squlearn.qcnn")
    for _ in range(2):
        for q, value in enumerate(values):
            circuit.h(q).p(value, q)
    theta = Weights()
    left = list(range(qubits))
    rounds = 0
    while len(left) > (3 if rounds > 1 else 1):
        append_convolution(circuit, left, theta)
        left = append_pooling(circuit, left, theta)
        rounds += 1
    for q in left:
        circuit.rz(theta(), q)
    for a in left:
        for b in left:
            if a != b:
                circuit.cx(a, b)
    for q in left:
        circuit.ry(theta(), q)
    return circuit
