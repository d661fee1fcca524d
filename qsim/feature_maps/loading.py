"""Maps that write data into basis states and amplitudes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qsim._checks import check_count
from qsim._templates import check_choice
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps.records import Frequencies, feature_map
from qsim.feature_maps.slots import data_vector, fill_slots, multiples
from qsim.parameters import ParameterVector, arccos, arctan2, sqrt

__all__ = ["amplitude", "basis", "hamming_weight", "random_access_code", "unary"]

FAMILY = "Basis states and amplitudes"
WITHOUT_NORM = "any; only the direction counts, so append the norm (or a constant) as a feature if it matters"


def _bits_spectrum(d: int, options: dict[str, Any]) -> tuple[Frequencies, ...]:
    return (multiples(1, math.pi),) * d


@feature_map(
    family=FAMILY,
    formula="|x_{d-1} ... x_0>, by exp(i pi x_i / 2) RX(pi x_i) = X^{x_i} on qubit i",
    qubits="d",
    domain=(0.0, 1.0),
    integer=True,
    scaling="0 and 1, by a threshold",
    data_range=(0.0, 1.0),
    period=2.0,
    spectrum_rule=_bits_spectrum,
    reference="M. Schuld, F. Petruccione, Supervised Learning with Quantum Computers (Springer, 2018)",
)
def basis(num_features: int, *, num_qubits: int | None = None) -> Circuit:
    """Basis encoding: bits become a basis state.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        As many as features by default; further qubits stay ``|0>``.

    Returns
    -------
    Circuit

    Notes
    -----
    Between 0 and 1 the qubit turns from one to the other; derivatives there mean nothing for bits.
    """
    x = data_vector(num_features)
    qubits = len(x) if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    fill_slots(x, qubits, "pad")  # refuses more features than qubits
    circuit = Circuit(qubits, name="basis")
    for q, value in enumerate(x):
        circuit.rx(math.pi * value, q).gphase(math.pi / 2 * value)
    return circuit


@feature_map(
    family=FAMILY,
    formula="sum_i x_i / ||x|| |i>, missing entries 0",
    qubits="max(ceil(log2(d)), 1)",
    homogeneous=True,
    scaling=WITHOUT_NORM,
    data_range=(-math.inf, math.inf),
    reference=(
        "M. Mottonen et al., Quantum Inf. Comput. 5, 467 (2005); M. Schuld, N. Killoran, "
        "Phys. Rev. Lett. 122, 040504 (2019)"
    ),
)
def amplitude(
    num_features: int, *, num_qubits: int | None = None, states: Sequence[int] | None = None
) -> Circuit:
    """Amplitude encoding: the data, normalised, are the amplitudes.

    Parameters
    ----------
    num_features : int
    num_qubits : int, optional
        By default the smallest number that has a basis state for each feature (at least 1).
    states : sequence of int, optional
        The basis state of each feature, for sparse vectors; 0, 1, 2, ... by default.

    Returns
    -------
    Circuit
        A tree of RY, from the most significant qubit down, behind controls for the path: O(num_features)
        gates, and a permutation of basis states if `states` are given.

    Notes
    -----
    The fidelity kernel is the squared cosine of the angle between data vectors. Where all features below a
    node of the tree are 0, its angle is 0 but has no derivative by them; of a row of zeros there is no state.
    """
    x = data_vector(num_features)
    if states is None:
        return amplitudes_of(x, num_qubits, "amplitude")
    places = [check_count(state, "states", 0) for state in states]
    if len(places) != len(x) or len(set(places)) != len(x):
        raise ArgumentError(f"Argument `states` must be {len(x)} different basis states, but is {places}.")
    least = max(max(places).bit_length(), (len(x) - 1).bit_length(), 1)
    qubits = least if num_qubits is None else check_count(num_qubits, "num_qubits", least)
    circuit = amplitudes_of(x, qubits, "amplitude")
    rest = sorted(set(range(2**qubits)) - set(places))
    return circuit.permutation(places + rest, range(qubits))


def amplitudes_of(x: ParameterVector, num_qubits: int | None, name: str) -> Circuit:
    """The circuit that prepares the amplitudes ``x / ||x||``."""
    least = max((len(x) - 1).bit_length(), 1)
    qubits = least if num_qubits is None else check_count(num_qubits, "num_qubits", 1)
    if qubits < least:
        raise ArgumentError(
            f"Argument `num_qubits` must be at least {least} for {len(x)} features, but is {qubits}."
        )
    circuit = Circuit(qubits, name=name)
    # squares[level][i]: sum of the squares of the features whose index begins with the bits of i
    squares: list[list[Any]] = [[value * value for value in x]]
    for _ in range(qubits):
        squares.append([total(squares[-1][i : i + 2]) for i in range(0, len(squares[-1]), 2)])
    for level in range(qubits, 0, -1):
        above = tuple(range(level, qubits))
        for node in range(len(squares[level])):
            children = squares[level - 1][2 * node : 2 * node + 2]
            if level == 1:
                left, right = [*x[2 * node : 2 * node + 2], 0.0][:2]
            elif len(children) == 2:
                left, right = sqrt(children[0]), sqrt(children[1])
            else:
                continue  # nothing on the right: the qubit stays |0>
            if len(circuit) == 0:
                left, right = normalised(left, right, squares[-1][0])
            values = [node >> k & 1 for k in range(len(above))]
            circuit.ry(2 * arctan2(right, left), level - 1, controls=above, control_values=values)
    return circuit


def normalised(left: Any, right: Any, square: Any) -> tuple[Any, Any]:
    """Two numbers over the norm: their angle is the same, but has no value where the norm is 0."""
    norm = sqrt(square)
    return left / norm, right if isinstance(right, float) else right / norm


def total(terms: Sequence[Any]) -> Any:
    """The sum, by halves: formulas stay shallow."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return total(terms[:middle]) + total(terms[middle:])


@feature_map(
    family=FAMILY,
    formula="sum_i x_i / ||x|| |2^i>, by a tree (or ladder) of RBS gates",
    qubits="max(d, 2)",
    homogeneous=True,
    scaling=WITHOUT_NORM,
    data_range=(-math.inf, math.inf),
    reference="S. Johri et al., npj Quantum Inf. 7, 122 (2021)",
)
def unary(num_features: int, *, structure: str = "tree") -> Circuit:
    """Unary loader: the data, normalised, are the amplitudes of the basis states with one 1.

    Parameters
    ----------
    num_features : int
    structure : {"tree", "ladder"}
        Depth O(log num_features) or O(num_features).

    Returns
    -------
    Circuit
        ``num_features - 1`` two-qubit gates.
    """
    x = data_vector(num_features)
    check_choice(structure, "structure", ("tree", "ladder"))
    circuit = Circuit(max(len(x), 2), name="unary").x(0)
    squares = [value * value for value in x]
    values: list[Any] = [*x, 0.0] if len(x) == 1 else list(x)
    pending = [(0, len(values))]
    while pending:
        low, high = pending.pop(0)
        if high - low == 1:
            continue
        middle = low + 1 if structure == "ladder" else (low + high) // 2
        left, right = (
            values[start] if stop - start == 1 else sqrt(total(squares[start:stop]))
            for start, stop in ((low, middle), (middle, high))
        )
        if len(circuit) == 1:
            left, right = normalised(left, right, total(squares))
        circuit.rbs(arctan2(right, left), low, middle)
        pending += [(low, middle), (middle, high)]
    return circuit


def _least_register(num_features: int, weight: int) -> int:
    qubits = max(weight, 2)
    while math.comb(qubits, weight) < num_features:
        qubits += 1
    return qubits


@feature_map(
    family=FAMILY,
    formula="sum_i x_i / ||x|| |S_i>, S_i the bit strings with k ones, each an exchange away from the next",
    qubits="ceil((1 + sqrt(1 + 8 * d)) / 2)",
    homogeneous=True,
    scaling=WITHOUT_NORM,
    data_range=(-math.inf, math.inf),
    reference="R. M. S. Farias et al., Phys. Rev. Appl. 23, 044014 (2025)",
)
def hamming_weight(num_features: int, *, weight: int = 2, num_qubits: int | None = None) -> Circuit:
    """Hamming-weight loader: the data, normalised, are the amplitudes of basis states with k ones.

    Parameters
    ----------
    num_features : int
    weight : int
        k, at least 1.
    num_qubits : int, optional
        The smallest n with ``comb(n, k) >= num_features`` by default (at least 2, at least k).

    Returns
    -------
    Circuit
        ``num_features - 1`` RBS gates behind up to ``k - 1`` controls.

    See Also
    --------
    weight_order : which basis state has which feature.
    """
    x = data_vector(num_features)
    check_count(weight, "weight", 1)
    least = _least_register(len(x), weight)
    qubits = least if num_qubits is None else check_count(num_qubits, "num_qubits", 2)
    order = weight_order(qubits, weight)
    if qubits < least:
        raise ArgumentError(
            f"Argument `num_qubits` must be at least {least} for {len(x)} features on states with {weight} "
            f"ones, but is {qubits}."
        )
    circuit = Circuit(qubits, name="hamming_weight")
    for q in order[0]:
        circuit.x(q)
    squares = [value * value for value in x]
    tails = squares[-1:]  # sums of squares from each feature to the last one
    for square in reversed(squares[:-1]):
        tails.insert(0, square + tails[0])
    if len(x) == 1:  # only its sign is left
        return circuit.gphase(arctan2(0.0, x[0] / sqrt(squares[0])))
    for i in range(len(x) - 1):
        here, there = set(order[i]), set(order[i + 1])
        (source,), (target,) = here - there, there - here
        left, right = x[i], x[i + 1] if i == len(x) - 2 else sqrt(tails[i + 1])
        if i == 0:
            left, right = normalised(left, right, tails[0])
        circuit.rbs(arctan2(right, left), source, target, controls=sorted(here & there))
    return circuit


def weight_order(num_qubits: int, weight: int) -> list[tuple[int, ...]]:
    """The sets of `weight` qubits in revolving-door order: each differs from the next by one exchange.

    Returns
    -------
    list of tuple of int
        O(comb(num_qubits, weight)) tuples, each increasing.
    """
    if weight == 0:
        return [()]
    if weight == num_qubits:
        return [tuple(range(num_qubits))]
    if weight > num_qubits:
        return []
    last = (num_qubits - 1,)
    without = weight_order(num_qubits - 1, weight)
    return without + [subset + last for subset in reversed(weight_order(num_qubits - 1, weight - 1))]


@feature_map(
    family=FAMILY,
    formula="prod_q RZ(phi) RY(theta) onto the corners of a cube (square) in the Bloch sphere, by 3 (2) bits",
    qubits="ceil(d / 3)",
    domain=(0.0, 1.0),
    integer=True,
    scaling="0 and 1, by a threshold",
    data_range=(0.0, 1.0),
    reference="H. Yano et al., IEEE Trans. Quantum Eng. 2, 3103115 (2021)",
)
def random_access_code(num_features: int, *, bits_per_qubit: int = 3) -> Circuit:
    """Quantum random access code: two or three bits for each qubit.

    Bit 0, 1, 2 of a qubit is the sign of <X>, <Y>, <Z>, each of size 1/sqrt(3); with two bits it is the sign
    of <X>, <Z>, each of size 1/sqrt(2).

    Parameters
    ----------
    num_features : int
        Bits missing for the last qubit are 0.
    bits_per_qubit : {2, 3}

    Returns
    -------
    Circuit
    """
    x = data_vector(num_features)
    size = check_count(bits_per_qubit, "bits_per_qubit", 2, 3)
    qubits = -(-len(x) // size)
    values: list[Any] = [*x, *[0.0] * (qubits * size - len(x))]
    circuit = Circuit(qubits, name="random_access_code")
    for q in range(qubits):
        first, second, *third = values[q * size : (q + 1) * size]
        if third:
            circuit.ry(arccos((1 - 2 * third[0]) / math.sqrt(3)), q)
            circuit.rz(math.pi / 4 * (1 - 2 * second) * (1 + 2 * first), q)
        else:
            circuit.ry(math.pi / 4 * (1 - 2 * first) * (1 + 2 * second), q)
    return circuit
