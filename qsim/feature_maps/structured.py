"""Maps drawn at random, and maps that halve the qubits as a convolutional network does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim._checks import check_count
from qsim._templates import Weights, check_choice
from qsim.ansatz.networks import append_convolution, append_pooling
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import data_vector, multiples
from qsim.parameters import arctan

__all__ = ["qcnn", "random_layers"]

FAMILY = "Random and convolutional maps"
_ENCODINGS = {"x": lambda x: x, "pi_x": lambda x: math.pi * x, "arctan_x": arctan}


@feature_map(
    family=FAMILY,
    formula="prod_l [CX on random pairs, prod_q R_P(x_k, pi x_k, arctan x_k or theta) at random]",
    qubits="d",
    scaling="[-1, 1]",
    data_range=(-1.0, 1.0),
    trainable=True,
    reference=(
        "random circuits as in PennyLane's RandomLayers and sQUlearn (D. A. Kreplin et al., arXiv:2311.08990)"
    ),
)
def random_layers(
    num_features: int,
    *,
    layers: int = 3,
    num_qubits: int | None = None,
    encodings: Sequence[str] = ("x", "pi_x", "arctan_x"),
    feature_probability: float = 0.5,
    seed: int = 0,
) -> Circuit:
    """Random layers: rotations about random axes by data or weights, CX on random pairs.

    Parameters
    ----------
    num_features : int
        Each is written at least once, and all about equally often.
    layers : int
    num_qubits : int, optional
        As many as features by default.
    encodings : sequence of {"x", "pi_x", "arctan_x"}
        What rotations by data are drawn from.
    feature_probability : float
        About which share of the rotations is by data; the others are by weights.
    seed : int
        The same seed and arguments make the same circuit.

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    qubits = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    if isinstance(encodings, str) or not encodings:
        raise ArgumentError(f"Argument `encodings` must be a sequence of names, but is {encodings!r}.")
    for name in encodings:
        check_choice(name, "encodings", tuple(_ENCODINGS))
    if not 0 <= feature_probability <= 1:
        raise ArgumentError(
            f"Argument `feature_probability` must be between 0 and 1, but is {feature_probability}."
        )
    slots = layers * qubits
    if len(x) > slots:
        raise ArgumentError(
            f"Argument `num_features` is {len(x)}, but {layers} layers of {qubits} qubits have {slots} "
            "rotations: some features would be lost. Give it more layers or qubits."
        )
    rng = np.random.default_rng(check_count(seed, "seed"))
    of_data = max(len(x), round(feature_probability * slots))
    places = rng.permutation(slots)[:of_data].tolist()
    features = [i for _ in range(-(-of_data // len(x))) for i in rng.permutation(len(x)).tolist()]
    feature_at = dict(zip(places, features, strict=False))
    theta = Weights()
    circuit = Circuit(qubits, name="random_layers")
    for layer in range(layers):
        for q in range(qubits):
            gate = ["rx", "ry", "rz"][rng.integers(3)]
            encoding = _ENCODINGS[encodings[int(rng.integers(len(encodings)))]]
            k = feature_at.get(layer * qubits + q)
            angle: Any = theta() if k is None else encoding(x[k])
            circuit.append(gate, (angle,), q)
        order = rng.permutation(qubits).tolist()
        for a, b in zip(order[::2], order[1::2], strict=False):
            circuit.cx(a, b)
    return theta.close(circuit)


def _qcnn_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return (multiples(2),) * d


@feature_map(
    family=FAMILY,
    formula="prod_levels pooling(theta) convolution(theta) [prod_i P(x_i) H]^2",
    qubits="d",
    scaling="[-pi, pi]",
    period=2 * math.pi,
    trainable=True,
    spectrum_rule=_qcnn_spectrum,
    reference="I. Cong, S. Choi, M. D. Lukin, Nat. Phys. 15, 1273 (2019)",
)
def qcnn(num_features: int) -> Circuit:
    """Quantum convolutional network behind a phase encoding; the last qubit left is qubit 0.

    Parameters
    ----------
    num_features : int
        Best a power of 2.

    Returns
    -------
    Circuit
        O(num_features) gates and weights, depth O(log num_features).

    See Also
    --------
    qsim.ansatz.qcnn : the network alone, and its blocks.
    """
    x = data_vector(num_features)
    circuit = Circuit(len(x), name="qcnn")
    for _ in range(2):
        for q, value in enumerate(x):
            circuit.h(q).p(value, q)
    theta = Weights()
    left = list(range(len(x)))
    while len(left) > 1:
        append_convolution(circuit, left, theta)
        left = append_pooling(circuit, left, theta)
    return theta.close(circuit)
