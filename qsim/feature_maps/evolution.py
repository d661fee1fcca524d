"""Maps that let a Hamiltonian or a group, chosen by the data, act on a state."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim._checks import check_count
from qsim._templates import Weights, check_choice, entangled_pairs
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import data_vector, multiples

__all__ = ["covariant", "hamiltonian", "heisenberg"]

FAMILY = "Evolutions and groups"
HUANG = "H.-Y. Huang et al., Nat. Commun. 12, 2631 (2021)"


def _random_product_state(circuit: Circuit, seed: int) -> None:
    """A Haar random state on each qubit."""
    rng = np.random.default_rng(check_count(seed, "seed"))
    for q in range(circuit.num_qubits):
        height, azimuth = rng.random(2)
        circuit.ry(math.acos(1 - 2 * height), q).rz(2 * math.pi * azimuth, q)


def _heisenberg_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    time = d / 3 if options["time"] is None else options["time"]
    return (multiples(options["steps"], 4 * time / options["steps"]),) * d


@feature_map(
    family=FAMILY,
    formula=(
        "[prod_j exp(-i (t / T) x_j (X_j X_{j+1} + Y_j Y_{j+1} + Z_j Z_{j+1}))]^T prod_q |psi_q>, t = d / 3, "
        "T = 20"
    ),
    qubits="d + 1",
    scaling="about unit variance (standardised features)",
    data_range=(-1.0, 1.0),
    spectrum_rule=_heisenberg_spectrum,
    reference=HUANG,
)
def heisenberg(num_features: int, *, time: float | None = None, steps: int = 20, seed: int = 0) -> Circuit:
    """Heisenberg evolution: features are the couplings of a spin chain that evolves from random spins.

    Parameters
    ----------
    num_features : int
    time : float, optional
        t; a third of the number of features by default, as in the paper.
    steps : int
        T, steps of the product formula.
    seed : int
        Of the Haar random states the spins start in.

    Returns
    -------
    Circuit
        O(steps * num_features) gates.
    """
    x = data_vector(num_features)
    check_count(steps, "steps", 1)
    circuit = Circuit(len(x) + 1, name="heisenberg")
    _random_product_state(circuit, seed)
    duration = len(x) / 3 if time is None else float(time)
    for _ in range(steps):
        for j, value in enumerate(x):
            for gate in ("rxx", "ryy", "rzz"):
                circuit.append(gate, (2 * duration / steps * value,), (j, j + 1))
    return circuit


def _words(num_features: int) -> list[str]:
    """The first Pauli words on as few qubits as have enough of them, after the identity."""
    qubits = 1
    while 4**qubits - 1 < num_features:
        qubits += 1
    words = ("".join(letters) for letters in itertools.product("IXYZ", repeat=qubits))
    return list(itertools.islice(words, 1, num_features + 1))


def _hamiltonian_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    steps, gap = options["steps"], 2 * options["time"] / options["steps"]
    if options["order"] == 1:
        return (multiples(steps, gap),) * d
    return (multiples(2 * steps, gap / 2),) * (d - 1) + (multiples(steps, gap),)


@feature_map(
    family=FAMILY,
    formula="exp(-i t sum_k x_k P_k) prod_q |psi_q>, by a product formula",
    qubits="ceil(log2(d + 1) / 2)",
    scaling="about unit variance; smaller, or more steps, where the product formula must be close",
    data_range=(-1.0, 1.0),
    period=math.pi,
    spectrum_rule=_hamiltonian_spectrum,
    reference="S. Lloyd, Science 273, 1073 (1996); " + HUANG,
)
def hamiltonian(
    num_features: int,
    *,
    paulis: Sequence[str] | None = None,
    time: float = 1.0,
    steps: int = 1,
    order: int = 1,
    seed: int = 0,
) -> Circuit:
    """Evolution under a Hamiltonian whose coefficients in the Pauli basis are the data.

    With the default words and ``4**n - 1`` features the data are a Hermitian matrix without trace, expanded
    in the Pauli basis.

    Parameters
    ----------
    num_features : int
    paulis : sequence of str, optional
        A Pauli word for each feature, all of one length, qubit 0 rightmost; by default the first ones in
        alphabetical order, without the identity, on as few qubits as have enough of them.
    time : float
        t.
    steps : int
    order : {1, 2}
        Of the product formula, Lie-Trotter or Strang.
    seed : int
        Of the Haar random states the qubits start in.

    Returns
    -------
    Circuit
        O(order * steps * num_features) gates.
    """
    x = data_vector(num_features)
    check_count(steps, "steps", 1)
    check_count(order, "order", 1, 2)
    words = _words(len(x)) if paulis is None else list(paulis)
    if len(words) != len(x) or len({len(word) for word in words}) != 1:
        raise ArgumentError(
            f"Argument `paulis` must be {len(x)} words of one length, one for each feature, but is {words}."
        )
    circuit = Circuit(len(words[0]), name="hamiltonian")
    _random_product_state(circuit, seed)
    step = 2 * float(time) / steps
    terms = list(zip(words, x, strict=True))
    for _ in range(steps):
        if order == 1:
            sequence = [(word, step * value) for word, value in terms]
        else:
            halves = [(word, step / 2 * value) for word, value in terms[:-1]]
            sequence = [*halves, (terms[-1][0], step * terms[-1][1]), *reversed(halves)]
        for word, angle in sequence:
            circuit.pauli_rotation(angle, word, range(circuit.num_qubits))
    return circuit


def _covariant_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return (multiples(1, 2.0),) * d


@feature_map(
    family=FAMILY,
    formula="prod_q exp(i x_{2q} X) exp(i x_{2q+1} Z) prod_edges CZ prod_q RY(theta_q)",
    qubits="ceil(d / 2)",
    scaling="angles of the group elements, [-pi/2, pi/2]",
    data_range=(-math.pi / 2, math.pi / 2),
    period=math.pi,
    trainable=True,
    spectrum_rule=_covariant_spectrum,
    reference="J. R. Glick et al., Nat. Phys. 20, 479 (2024)",
)
def covariant(num_features: int, *, entanglement: Any = "linear", fiducial: str = "each") -> Circuit:
    """Covariant map: the data are elements of a group of rotations, acting on a trained graph state.

    The fidelity kernel of two data points depends on their quotient in the group only.

    Parameters
    ----------
    num_features : int
        Two for each qubit; an odd number leaves the last rotation about Z out.
    entanglement : {"full", "linear", "reverse_linear", "circular", "pairwise"} or sequence of pairs
        The edges of the graph.
    fiducial : {"each", "shared"}
        A weight for each qubit, or one for all.

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_choice(fiducial, "fiducial", ("each", "shared"))
    qubits = -(-len(x) // 2)
    theta = Weights()
    circuit = Circuit(qubits, name="covariant")
    shared = theta() if fiducial == "shared" else None
    for q in range(qubits):
        circuit.ry(shared if shared is not None else theta(), q)
    for a, b in entangled_pairs(qubits, entanglement):
        circuit.cz(a, b)
    for q in range(qubits):
        if 2 * q + 1 < len(x):
            circuit.rz(-2 * x[2 * q + 1], q)
        circuit.rx(-2 * x[2 * q], q)
    return theta.close(circuit)
