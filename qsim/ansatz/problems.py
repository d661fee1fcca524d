"""Circuits made from the Hamiltonian of a problem."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qsim._checks import check_count
from qsim._templates import Weights, check_choice, ring_pairs
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError
from qsim.observables import PauliSum

__all__ = ["hamiltonian_variational", "qaoa"]


def _as_sum(value: Any, name: str, num_qubits: int) -> PauliSum:
    """A Hermitian Pauli sum on at most that many qubits, without its constant."""
    pauli_sum = value if isinstance(value, PauliSum) else PauliSum(value)
    if pauli_sum.num_qubits > num_qubits:
        raise ArgumentError(
            f"Argument `{name}` acts on {pauli_sum.num_qubits} qubits, but `num_qubits` is {num_qubits}."
        )
    return pauli_sum


def _terms(pauli_sum: PauliSum, num_qubits: int) -> list[tuple[str, float]]:
    """(dense label, coefficient) of each term but the identity, which is a global phase."""
    out = []
    for x, z, coefficient in zip(*(a.tolist() for a in pauli_sum.real_terms()), strict=True):
        if x | z:
            letters = ["IXZY"[(x >> q & 1) + 2 * (z >> q & 1)] for q in reversed(range(num_qubits))]
            out.append(("".join(letters), coefficient))
    return out


def _rotate(circuit: Circuit, label: str, angle: Any) -> None:
    """exp(-i angle P / 2) on the qubits where the label is not I."""
    places = [q for q, letter in enumerate(reversed(label)) if letter != "I"]
    circuit.pauli_rotation(angle, "".join(label[::-1][q] for q in reversed(places)), places)


def qaoa(
    num_qubits: int,
    *,
    cost: Any = None,
    layers: int = 1,
    mixer: str = "x",
    multi_angle: bool = False,
) -> Circuit:
    """Quantum approximate optimisation ansatz [1]_: evolutions by the cost and by a mixer, in turn.

    Parameters
    ----------
    num_qubits : int
    cost : PauliSum or anything it can be made of, optional
        Of Z only; Z Z on the neighbours of a ring (its maximum cut) by default.
    layers : int
    mixer : {"x", "xy"}
        Sum of X, which starts from the uniform state; or ``(X X + Y Y) / 2`` on the neighbours of a ring,
        which keeps the number of ones and starts from alternating bits.
    multi_angle : bool
        A weight for each term of cost and mixer [2]_, not only one for each sum.

    Returns
    -------
    Circuit
        Weights gamma, beta of each layer: ``exp(-i gamma cost)``, then ``exp(-i beta mixer)``.

    References
    ----------
    .. [1] E. Farhi, J. Goldstone, S. Gutmann, arXiv:1411.4028 (2014); S. Hadfield et al., Algorithms 12, 34
       (2019).
    .. [2] R. Herrman et al., Sci. Rep. 12, 6781 (2022).
    """
    check_count(num_qubits, "num_qubits", 1)
    check_count(layers, "layers", 1)
    check_choice(mixer, "mixer", ("x", "xy"))
    ring = ring_pairs(num_qubits)
    default = PauliSum({f"Z{a} Z{b}": 1.0 for a, b in ring} or {"Z0": 1.0})
    terms = _terms(default if cost is None else _as_sum(cost, "cost", num_qubits), num_qubits)
    if any(set(label) & set("XY") for label, _ in terms):
        raise ArgumentError("Argument `cost` must be made of products of Z, but holds X or Y.")
    theta = Weights()
    circuit = Circuit(num_qubits, name="qaoa")
    if mixer == "x":
        circuit.h(range(num_qubits))
    elif num_qubits > 1:
        circuit.x(range(0, num_qubits, 2))
    for _ in range(layers):
        weight: Any = None if multi_angle else theta()
        for label, coefficient in terms:
            _rotate(circuit, label, 2 * coefficient * (theta() if multi_angle else weight))
        weight = None if multi_angle else theta()
        if mixer == "x":
            for q in range(num_qubits):
                circuit.rx(2 * (theta() if multi_angle else weight), q)
        else:
            for a, b in ring:
                angle = theta() if multi_angle else weight
                circuit.rxx(angle, a, b).ryy(angle, a, b)
    return theta.close(circuit)


def hamiltonian_variational(
    num_qubits: int,
    *,
    groups: Sequence[Any] | None = None,
    layers: int = 1,
    initial_state: Circuit | None = None,
) -> Circuit:
    """Hamiltonian variational ansatz [1]_: evolutions by the parts of a Hamiltonian, in turn.

    Parameters
    ----------
    num_qubits : int
    groups : sequence of PauliSum or anything they can be made of, optional
        The parts, each best of terms that commute; ``Z Z`` on neighbours and then X, the transverse-field
        Ising chain, by default.
    layers : int
    initial_state : Circuit, optional
        Without parameters named theta. By default Hadamard gates for the Ising chain, and nothing for
        `groups` of yours.

    Returns
    -------
    Circuit
        A weight for each part and layer: ``exp(-i theta H_part)``, by one step of a product formula.

    References
    ----------
    .. [1] D. Wecker, M. B. Hastings, M. Troyer, Phys. Rev. A 92, 042303 (2015).
    """
    check_count(num_qubits, "num_qubits", 1)
    check_count(layers, "layers", 1)
    if groups is None:
        chain = {f"Z{q} Z{q + 1}": 1.0 for q in range(num_qubits - 1)}
        groups = [*([chain] if chain else []), {f"X{q}": 1.0 for q in range(num_qubits)}]
        start = Circuit(num_qubits).h(range(num_qubits))
    else:
        start = Circuit(num_qubits)
    if isinstance(groups, str | PauliSum) or not isinstance(groups, Iterable):
        raise ArgumentError("Argument `groups` must be a sequence of Pauli sums, but is a single one.")
    parts = [_terms(_as_sum(group, "groups", num_qubits), num_qubits) for group in groups]
    first = initial_state if initial_state is not None else start
    if first.num_qubits != num_qubits:
        raise CircuitError(
            f"Argument `initial_state` must have {num_qubits} qubits, but has {first.num_qubits}."
        )
    theta = Weights()
    circuit = first.copy()
    circuit.name = "hamiltonian_variational"
    for _ in range(layers):
        for terms in parts:
            weight = theta()
            for label, coefficient in terms:
                _rotate(circuit, label, 2 * coefficient * weight)
    return theta.close(circuit)
