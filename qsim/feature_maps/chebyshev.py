"""Maps of data in [-1, 1] through arc cosine and arc sine: polynomials of the features."""

from __future__ import annotations

from qsim._checks import check_count
from qsim._templates import Weights, check_choice, ring_pairs
from qsim.circuit import Circuit
from qsim.feature_maps.records import feature_map
from qsim.feature_maps.slots import data_vector, fill_slots
from qsim.parameters import arccos, arcsin, arctan

__all__ = ["chebyshev_pqc", "chebyshev_rx", "chebyshev_sparse", "chebyshev_tower", "product"]

FAMILY = "Polynomials of data in [-1, 1]"
KYRIIENKO = "O. Kyriienko, A. E. Paine, V. E. Elfving, Phys. Rev. A 103, 052416 (2021)"
SCALING = "[-0.95, 0.95]: at -1 and 1 the derivative is infinite, beyond them there is no state"
RANGE = (-0.95, 0.95)
NONLINEARITIES = {"arccos": arccos, "arctan": arctan}


@feature_map(
    family=FAMILY,
    formula="prod_i RY(arcsin x_i) on qubit i",
    qubits="d",
    domain=(-1.0, 1.0),
    scaling=SCALING,
    data_range=RANGE,
    reference="K. Mitarai et al., Phys. Rev. A 98, 032309 (2018); " + KYRIIENKO + ", equation 5",
)
def product(
    num_features: int, *, rotation: str = "y", num_qubits: int | None = None, on_mismatch: str = "error"
) -> Circuit:
    """Product encoding: <X> is the feature itself, <Z> is sqrt(1 - x^2); products of qubits are polynomials.

    Parameters
    ----------
    num_features : int
    rotation : {"x", "y"}
    num_qubits : int, optional
        As many as features by default.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than qubits: refuse, start again from the first feature (higher degrees), or
        append zeros.

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    check_choice(rotation, "rotation", ("x", "y"))
    qubits = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    circuit = Circuit(qubits, name="product")
    for q, value in enumerate(fill_slots(x, qubits, on_mismatch)):
        circuit.append(f"r{rotation}", (arcsin(value),), q)
    return circuit


@feature_map(
    family=FAMILY,
    formula="prod_i prod_{j<m} RY(2 arccos x_i) on qubit i m + j",
    qubits="2 * d",
    domain=(-1.0, 1.0),
    scaling=SCALING,
    data_range=RANGE,
    reference=KYRIIENKO + ", equation 14",
)
def chebyshev_sparse(num_features: int, *, qubits_per_feature: int = 2) -> Circuit:
    """Sparse Chebyshev encoding: amplitudes are products of T_1(x) = x and sqrt(1 - x^2) U_0(x).

    Parameters
    ----------
    num_features : int
    qubits_per_feature : int
        m; the highest degree is that of T_m products.

    Returns
    -------
    Circuit
    """
    return _chebyshev("chebyshev_sparse", num_features, qubits_per_feature, tower=False)


@feature_map(
    family=FAMILY,
    formula="prod_i prod_{j<m} RY(2 (j + 1) arccos x_i) on qubit i m + j",
    qubits="2 * d",
    domain=(-1.0, 1.0),
    scaling=SCALING,
    data_range=RANGE,
    reference=KYRIIENKO + ", equation 15",
)
def chebyshev_tower(num_features: int, *, qubits_per_feature: int = 2) -> Circuit:
    """Chebyshev tower: the amplitude of |0> on qubit j is T_{j+1}(x), degrees grow with the qubit.

    Parameters
    ----------
    num_features : int
    qubits_per_feature : int
        m.

    Returns
    -------
    Circuit
    """
    return _chebyshev("chebyshev_tower", num_features, qubits_per_feature, tower=True)


def _chebyshev(name: str, num_features: int, per_feature: int, tower: bool) -> Circuit:
    x = data_vector(num_features)
    count = check_count(per_feature, "qubits_per_feature", 1)
    circuit = Circuit(len(x) * count, name=name)
    for i, value in enumerate(x):
        for j in range(count):
            circuit.ry(2.0 * (j + 1 if tower else 1) * arccos(value), i * count + j)
    return circuit


@feature_map(
    family=FAMILY,
    formula="prod_q RY(theta) [CRZ(theta) ring, prod_q RX(theta_{lq} arccos x_k)]^layers prod_q RY(theta)",
    qubits="max(d, 2)",
    domain=(-1.0, 1.0),
    scaling=SCALING,
    data_range=RANGE,
    trainable=True,
    reference="D. A. Kreplin, M. Roth, Quantum 8, 1385 (2024)",
)
def chebyshev_pqc(
    num_features: int,
    *,
    layers: int = 1,
    num_qubits: int | None = None,
    entangler: str = "crz",
    closed: bool = True,
    nonlinearity: str = "arccos",
    on_mismatch: str = "cycle",
) -> Circuit:
    """Chebyshev circuit with trained degrees: RX by weight times arccos of the data.

    Parameters
    ----------
    num_features : int
    layers : int
    num_qubits : int, optional
        As many as features by default (at least 2). There are ``layers * num_qubits`` slots.
    entangler : {"crz", "rzz"}
    closed : bool
        Whether the last qubit meets the first one (for more than two qubits).
    nonlinearity : {"arccos", "arctan"}
        arctan takes all real numbers.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than slots: refuse, start again from the first feature, or append zeros.

    Returns
    -------
    Circuit
        Weights: RY at the start; in each layer those of RX, then of the pairs (even ones first); RY at the
        end.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    check_choice(entangler, "entangler", ("crz", "rzz"))
    function = NONLINEARITIES[check_choice(nonlinearity, "nonlinearity", tuple(NONLINEARITIES))]
    qubits = max(len(x), 2) if num_qubits is None else check_count(num_qubits, "num_qubits", 2)
    values = iter(fill_slots(x, layers * qubits, on_mismatch))
    theta = Weights()
    circuit = Circuit(qubits, name="chebyshev_pqc")
    for q in range(qubits):
        circuit.ry(theta(), q)
    for _ in range(layers):
        for q in range(qubits):
            circuit.rx(theta() * function(next(values)), q)
        for a, b in _alternating_ring(qubits, closed):
            circuit.append(entangler, (theta(),), (a, b))
    for q in range(qubits):
        circuit.ry(theta(), q)
    return theta.close(circuit)


@feature_map(
    family=FAMILY,
    formula="[CX chain, prod_q RX(theta'_{lq}) RX(theta_{lq} arccos x_k)]^layers",
    qubits="d",
    domain=(-1.0, 1.0),
    scaling=SCALING,
    data_range=RANGE,
    trainable=True,
    reference="D. A. Kreplin et al., arXiv:2311.08990 (sQUlearn)",
)
def chebyshev_rx(
    num_features: int,
    *,
    layers: int = 1,
    num_qubits: int | None = None,
    closed: bool = False,
    nonlinearity: str = "arccos",
    on_mismatch: str = "cycle",
) -> Circuit:
    """Chebyshev circuit of RX only: weight times arccos of the data, then a weight, then CX gates.

    Parameters
    ----------
    num_features : int
    layers : int
    num_qubits : int, optional
        As many as features by default. There are ``layers * num_qubits`` slots.
    closed : bool
        Whether the last qubit meets the first one (for more than two qubits).
    nonlinearity : {"arccos", "arctan"}
        arctan takes all real numbers.
    on_mismatch : {"error", "cycle", "pad"}
        With fewer features than slots: refuse, start again from the first feature, or append zeros.

    Returns
    -------
    Circuit
        ``2 * num_qubits * layers`` weights: in each layer those of the data, then the others.
    """
    x = data_vector(num_features)
    check_count(layers, "layers", 1)
    function = NONLINEARITIES[check_choice(nonlinearity, "nonlinearity", tuple(NONLINEARITIES))]
    qubits = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    values = iter(fill_slots(x, layers * qubits, on_mismatch))
    theta = Weights()
    circuit = Circuit(qubits, name="chebyshev_rx")
    for _ in range(layers):
        for q in range(qubits):
            circuit.rx(theta() * function(next(values)), q)
        for q in range(qubits):
            circuit.rx(theta(), q)
        for a, b in _alternating_ring(qubits, closed):
            circuit.cx(a, b)
    return theta.close(circuit)


def _alternating_ring(qubits: int, closed: bool) -> list[tuple[int, int]]:
    """Neighbours that start at even qubits, then those that start at odd ones, around a ring if closed."""
    pairs = ring_pairs(qubits, closed)
    return [p for p in pairs if p[0] % 2 == 0] + [p for p in pairs if p[0] % 2]
