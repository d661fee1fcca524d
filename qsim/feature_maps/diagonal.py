"""Maps that write features into commuting phases between layers of Hadamard gates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from qsim._checks import check_count
from qsim._templates import Weights, entangled_pairs
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import data_vector, fill_slots, multiples
from qsim.parameters import ParameterValue

__all__ = ["iqp", "iqp_generative", "param_z", "pauli", "z", "zz"]

FAMILY = "Phases between Hadamard gates"
HAVLICEK = "V. Havlicek et al., Nature 567, 209 (2019)"
BANDWIDTH = (
    "[0, 2 pi] or much less: the smaller the angles, the wider the kernel, and products of features grow fast"
)


def _z_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return (multiples(options["reps"], options["alpha"]),) * d


@feature_map(
    family=FAMILY,
    formula="[prod_i P(alpha x_i) H]^reps, alpha = 2",
    qubits="d",
    scaling="[0, pi]: the map has period pi",
    data_range=(0.0, math.pi),
    period=math.pi,
    spectrum_rule=_z_spectrum,
    reference=HAVLICEK,
)
def z(num_features: int, *, reps: int = 2, alpha: float = 2.0) -> Circuit:
    """Z feature map: phases of single features between Hadamard gates, no entanglement.

    Parameters
    ----------
    num_features : int
    reps : int
    alpha : float
        What features are multiplied by.

    Returns
    -------
    Circuit
        O(reps * num_features) gates.
    """
    circuit = pauli(num_features, paulis=("Z",), reps=reps, alpha=alpha)
    circuit.name = "z"
    return circuit


@feature_map(
    family=FAMILY,
    formula=(
        "[prod_{i<j} CX P(alpha (pi - x_i)(pi - x_j)) CX prod_i P(alpha x_i) H]^reps, alpha = 2; P and the "
        "inner CX on qubit j"
    ),
    qubits="d",
    scaling=BANDWIDTH,
    data_range=(0.0, 2 * math.pi),
    reference=HAVLICEK,
)
def zz(num_features: int, *, reps: int = 2, entanglement: Any = "full", alpha: float = 2.0) -> Circuit:
    """ZZ feature map: phases of single features and of products of two, between Hadamard gates.

    Parameters
    ----------
    num_features : int
    reps : int
        How often the block is repeated; not below 2 if states are to be hard to sample classically.
    entanglement : {"full", "linear", "reverse_linear", "circular", "pairwise"} or sequence of pairs
        Which pairs of features meet.
    alpha : float
        What phases are multiplied by.

    Returns
    -------
    Circuit
        O(reps * num_features**2) gates for full entanglement.
    """
    circuit = pauli(num_features, paulis=("Z", "ZZ"), reps=reps, entanglement=entanglement, alpha=alpha)
    circuit.name = "zz"
    return circuit


def _phase(alpha: float, values: Sequence[Any]) -> ParameterValue:
    """alpha x for one feature, alpha prod (pi - x_j) for several, as in Havlicek et al."""
    if len(values) == 1:
        return alpha * values[0]  # type: ignore[no-any-return]
    phase: Any = alpha
    for value in values:
        phase = phase * (math.pi - value)
    return phase  # type: ignore[no-any-return]


@feature_map(
    family=FAMILY,
    formula=(
        "[prod_S exp(-i alpha phi_S P_S / 2) H]^reps up to its phase; phi_i = x_i, phi_S = prod_{j in S} "
        "(pi - x_j), alpha = 2"
    ),
    qubits="d",
    scaling=BANDWIDTH,
    data_range=(0.0, 2 * math.pi),
    reference=HAVLICEK,
)
def pauli(
    num_features: int,
    *,
    paulis: Sequence[str] = ("Z", "XX"),
    reps: int = 2,
    entanglement: Any = "full",
    alpha: float = 2.0,
    data_map: Callable[[Sequence[Any]], Any] | None = None,
) -> Circuit:
    """Pauli feature map: evolutions by Pauli strings of features and their products.

    Parameters
    ----------
    num_features : int
    paulis : sequence of str
        Strings over X, Y and Z; one of k letters acts on every block of k qubits that `entanglement` lists,
        its last letter on the block's first qubit. Strings longer than `num_features` act nowhere.
    reps : int
    entanglement : {"full", "linear", "reverse_linear", "circular", "pairwise"} or sequence of pairs
        The blocks: all increasing ones, or consecutive qubits. Pairs are for strings of two letters only.
    alpha : float
        What phases are multiplied by.
    data_map : callable, optional
        Takes the block's features (parameters) and returns the phase; the product of ``pi - x`` by default,
        and x itself for one feature.

    Returns
    -------
    Circuit
        O(reps * num_features**k) gates for strings of up to k letters and full entanglement.
    """
    x = data_vector(num_features)
    check_count(reps, "reps", 1)
    if isinstance(paulis, str) or not paulis:
        raise ArgumentError(f"Argument `paulis` must be a sequence of Pauli strings, but is {paulis!r}.")
    circuit = Circuit(len(x), name="pauli")
    for _ in range(reps):
        circuit.h(range(len(x)))
        for word in paulis:
            for block in _blocks(len(x), _checked(word), entanglement):
                values = [x[q] for q in block]
                angle = _phase(alpha, values) if data_map is None else alpha * data_map(values)
                _evolve(circuit, word, block, angle)
    return circuit


def _checked(word: Any) -> int:
    """The length of a Pauli string without identities."""
    if not isinstance(word, str) or not word or set(word) - set("XYZ"):
        raise ArgumentError(f"Argument `paulis` must hold strings over X, Y and Z, but holds {word!r}.")
    return len(word)


def _blocks(num_qubits: int, size: int, entanglement: Any) -> list[tuple[int, ...]]:
    """The blocks of qubits a Pauli string of `size` letters acts on."""
    if size == 1:
        return [(q,) for q in range(num_qubits)]
    if size > num_qubits:
        return []
    if size == 2:
        return list(entangled_pairs(num_qubits, entanglement))
    if not isinstance(entanglement, str):
        raise ArgumentError(
            f"Argument `entanglement` must be a name for Pauli strings of {size} letters, but is a sequence."
        )
    if entanglement == "full":
        return list(itertools.combinations(range(num_qubits), size))
    entangled_pairs(num_qubits, entanglement)  # refuses other names
    runs = [tuple(range(q, q + size)) for q in range(num_qubits - size + 1)]
    if entanglement == "reverse_linear":
        return runs[::-1]
    if entanglement == "circular" and num_qubits > size:
        around = [
            tuple(range(num_qubits - k, num_qubits)) + tuple(range(size - k)) for k in range(size - 1, 0, -1)
        ]
        return around + runs
    if entanglement == "pairwise":
        raise ArgumentError("Argument `entanglement` may be 'pairwise' for two letters only.")
    return runs


def _evolve(circuit: Circuit, word: str, block: Sequence[int], phase: ParameterValue) -> None:
    """exp(-i phase P / 2) up to its phase: into the basis of Z, a chain of CX, P(phase), and back."""
    letters = list(zip(block, reversed(word), strict=True))
    for q, letter in letters:
        if letter == "X":
            circuit.h(q)
        elif letter == "Y":
            circuit.rx(math.pi / 2, q)
    chain = list(itertools.pairwise(block))
    for a, b in chain:
        circuit.cx(a, b)
    circuit.p(phase, block[-1])
    for a, b in reversed(chain):
        circuit.cx(a, b)
    for q, letter in letters:
        if letter == "X":
            circuit.h(q)
        elif letter == "Y":
            circuit.rx(-math.pi / 2, q)


@feature_map(
    family=FAMILY,
    formula="[prod_{i<j} exp(-i x_i x_j Z_i Z_j / 2) prod_i RZ(x_i) H]^reps",
    qubits="d",
    scaling=BANDWIDTH,
    reference=HAVLICEK + "; as in PennyLane's IQPEmbedding, whose text has twice this angle of Z_i Z_j",
)
def iqp(num_features: int, *, reps: int = 1, entanglement: Any = "full") -> Circuit:
    """IQP encoding: phases of features and of products of two, between Hadamard gates.

    Parameters
    ----------
    num_features : int
    reps : int
    entanglement : {"full", "linear", "reverse_linear", "circular", "pairwise"} or sequence of pairs
        Which pairs of features meet.

    Returns
    -------
    Circuit
        O(reps * num_features**2) gates for full entanglement.
    """
    x = data_vector(num_features)
    check_count(reps, "reps", 1)
    circuit = Circuit(len(x), name="iqp")
    for _ in range(reps):
        for q, value in enumerate(x):
            circuit.h(q).rz(value, q)
        for a, b in entangled_pairs(len(x), entanglement):
            circuit.rzz(x[a] * x[b], a, b)
    return circuit


@feature_map(
    family=FAMILY,
    formula="[(CX chain) prod_i P(theta_{li} x_i) H]^layers",
    qubits="d",
    scaling="any; the weights scale it, and start well near 1 for data in [0, pi]",
    data_range=(0.0, math.pi),
    trainable=True,
    reference="D. A. Kreplin et al., arXiv:2311.08990 (sQUlearn)",
)
def param_z(
    num_features: int,
    *,
    layers: int = 2,
    entangling: bool = True,
    num_qubits: int | None = None,
    on_mismatch: str = "error",
) -> Circuit:
    """Z feature map whose features are multiplied by weights, with CX gates in between.

    Parameters
    ----------
    num_features : int
    layers : int
    entangling : bool
        Whether a chain of CX gates ends each layer.
    num_qubits : int, optional
        As many as features by default.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than qubits: refuse, start again from the first feature, or append zeros.

    Returns
    -------
    Circuit
        O(layers * num_qubits) gates and as many weights as phases.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    qubits = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    values = fill_slots(x, qubits, on_mismatch)
    theta = Weights()
    circuit = Circuit(qubits, name="param_z")
    for _ in range(layers):
        for q, value in enumerate(values):
            circuit.h(q).p(theta() * value, q)
        for q in range(qubits - 1 if entangling else 0):
            circuit.cx(q, q + 1)
    return theta.close(circuit)


def _generative_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return (multiples(1),) * d


@feature_map(
    family=FAMILY,
    formula="H prod_S exp(-i theta_S Z_S / 2) prod_i RZ(x_i) H",
    qubits="d",
    scaling="[-pi, pi]; for generation x = 0, and the weights alone make the distribution",
    period=2 * math.pi,
    trainable=True,
    spectrum_rule=_generative_spectrum,
    reference="E. Recio-Armengol, S. Ahmed, J. Bowles, arXiv:2503.02934 (2025)",
)
def iqp_generative(num_features: int, *, max_weight: int = 2) -> Circuit:
    """Parametrised IQP circuit: weights on products of up to `max_weight` Z, data on single ones.

    Expectation values of products of Z at the end can be estimated classically, so it trains at any size.

    Parameters
    ----------
    num_features : int
    max_weight : int
        Longest product of Z that has a weight.

    Returns
    -------
    Circuit
        O(num_features**max_weight) gates and weights.
    """
    x = data_vector(num_features)
    check_count(max_weight, "max_weight", 1)
    theta = Weights()
    circuit = Circuit(len(x), name="iqp_generative").h(range(len(x)))
    for q, value in enumerate(x):
        circuit.rz(value, q)
    for size in range(1, min(max_weight, len(x)) + 1):
        for subset in itertools.combinations(range(len(x)), size):
            circuit.multi_rz(theta(), subset)
    return theta.close(circuit.h(range(len(x))))
