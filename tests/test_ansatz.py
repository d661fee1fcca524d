"""Ansaetze: against other libraries, published gate counts, matrices, and what they promise to keep."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import qsim
from qsim import ansatz
from qsim.ansatz import ANSATZE
from qsim.errors import ArgumentError, CircuitError, ParameterError


def bound(circuit: qsim.Circuit, seed: int = 0) -> tuple[qsim.Circuit, np.ndarray]:
    theta = np.random.default_rng(seed).uniform(-3, 3, circuit.num_parameters)
    return circuit.bind({"theta": theta}) if len(theta) else circuit, theta


# -- all of them ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ANSATZE)
def test_weights_are_numbered_in_the_order_of_the_gates(name: str) -> None:
    for n in (1, 2, 3, 4, 5, 8):
        circuit = ANSATZE[name](n)
        assert circuit.num_qubits == n
        names = [
            p.name for op in circuit for v in op.params if hasattr(v, "parameters") for p in v.parameters
        ]
        if name == "identity_initialised":  # mirror images count backwards
            names.sort(key=lambda text: int(text[6:-1]))
        assert list(dict.fromkeys(names)) == [f"theta[{i}]" for i in range(circuit.num_parameters)]
        assert circuit.name in (name, "sim_14")
    assert getattr(ansatz, name) is ANSATZE[name]


@pytest.mark.parametrize("name", ANSATZE)
def test_every_weight_moves_something(name: str) -> None:
    """The quantum Fisher information of each weight is positive somewhere, or the unitary depends on it."""
    circuit = ANSATZE[name](4)
    base, theta = bound(circuit)
    matrix = base.matrix()
    for k in range(len(theta)):
        moved = theta + 0.3 * np.eye(len(theta))[k]
        other = circuit.bind({"theta": moved}).matrix()
        assert abs(np.trace(matrix.conj().T @ other)) / 16 < 1 - 1e-6, k


@pytest.mark.parametrize("name", ANSATZE)
@pytest.mark.parametrize(("count", "error"), [(0, ArgumentError), (-2, ArgumentError), (1.5, TypeError)])
def test_numbers_of_qubits_that_are_none(name: str, count: Any, error: type) -> None:
    with pytest.raises(error, match="Argument `num_qubits` must be"):
        ANSATZE[name](count)


# -- Qiskit's ------------------------------------------------------------------------------------
ENTANGLEMENTS = ["full", "linear", "reverse_linear", "circular", "pairwise", "sca"]


@pytest.mark.parametrize("entanglement", ENTANGLEMENTS)
@pytest.mark.parametrize("n", [2, 3, 5])
def test_local_circuits_are_qiskits(n: int, entanglement: str) -> None:
    library = pytest.importorskip("qiskit.circuit.library")
    from qiskit.quantum_info import Operator

    options: dict[str, Any] = {"reps": 3, "entanglement": entanglement}
    pairs = [
        (ansatz.real_amplitudes(n, **options), library.real_amplitudes(n, **options)),
        (ansatz.efficient_su2(n, **options), library.efficient_su2(n, **options)),
        (
            ansatz.n_local(n, rotations=["rx", "h", "rz"], entanglers=["crx", "cz"], **options),
            library.n_local(n, ["rx", "h", "rz"], ["crx", "cz"], **options),
        ),
        (
            ansatz.two_local(n, rotations="ry", final_rotations=False, **options),
            library.n_local(n, "ry", "cz", skip_final_rotation_layer=True, **options),
        ),
    ]
    for ours, theirs in pairs:
        circuit, theta = bound(ours)
        assert len(theta) == theirs.num_parameters
        np.testing.assert_allclose(
            circuit.matrix(), Operator(theirs.assign_parameters(theta)).data, atol=1e-12
        )


def test_entanglement_by_pairs_and_by_layer() -> None:
    pairs = ansatz.n_local(3, entanglement=[(0, 2), (2, 1)], reps=1)
    assert [op.qubits for op in pairs if op.name == "cx"] == [(0, 2), (2, 1)]
    layers = ansatz.n_local(3, entanglement=lambda layer: [(layer, layer + 1)], reps=2)
    assert [op.qubits for op in layers if op.name == "cx"] == [(0, 1), (1, 2)]


def test_reverse_linear_is_full() -> None:
    full, _ = bound(ansatz.real_amplitudes(4, entanglement="full"))
    reverse, _ = bound(ansatz.real_amplitudes(4))
    np.testing.assert_allclose(full.matrix(), reverse.matrix(), atol=1e-13)
    assert len(reverse) < len(full)
    assert not np.abs(full.matrix().imag).max()


# -- PennyLane's -----------------------------------------------------------------------------------
def big_endian(matrix: np.ndarray) -> np.ndarray:
    n = len(matrix).bit_length() - 1
    axes = [*reversed(range(n)), *reversed(range(n, 2 * n))]
    return matrix.reshape([2] * (2 * n)).transpose(axes).reshape(matrix.shape)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_layers_are_pennylanes(n: int) -> None:
    qml = pytest.importorskip("pennylane")
    wires = range(n)
    cases = [
        (
            ansatz.strongly_entangling(n, layers=5),
            lambda t: qml.StronglyEntanglingLayers(t.reshape(5, n, 3), wires),
        ),
        (
            ansatz.basic_entangler(n, layers=2, rotation="ry"),
            lambda t: qml.BasicEntanglerLayers(t.reshape(2, n), wires, rotation=qml.RY),
        ),
        (
            ansatz.simplified_two_design(n, layers=2),
            lambda t: qml.SimplifiedTwoDesign(t[:n], t[n:].reshape(2, n - 1, 2), wires),
        ),
    ]
    if n > 2:
        cases.append(
            (
                ansatz.strongly_entangling(n, layers=2, ranges=[2, 1], entangler="cz"),
                lambda t: qml.StronglyEntanglingLayers(
                    t.reshape(2, n, 3), wires, ranges=[2, 1], imprimitive=qml.CZ
                ),
            )
        )
    for ours, template in cases:
        circuit, theta = bound(ours)
        expected = qml.matrix(template, wire_order=list(wires))(theta)
        np.testing.assert_allclose(big_endian(circuit.matrix()), expected, atol=1e-12)


@pytest.mark.parametrize("n", [2, 4, 8])
def test_trees_and_chains_have_pennylanes_blocks(n: int) -> None:
    qml = pytest.importorskip("pennylane")

    def block(circuit: qsim.Circuit, pair: tuple[int, int], theta: Any) -> None:
        circuit.cz(*pair)

    for name, template in (("ttn", qml.TTN), ("mps", qml.MPS)):
        ours = [op.qubits for op in ANSATZE[name](n, block=block)]
        blocks = template(range(n), 2, lambda wires: qml.CZ(wires), 0).decomposition()
        theirs = [tuple(op.wires) for op in blocks]
        assert ours == theirs


def test_single_and_double_excitations_are_pennylanes() -> None:
    qml = pytest.importorskip("pennylane")
    singles, doubles = ansatz.excitations(6, 2)
    their_singles, their_doubles = qml.qchem.excitations(2, 6)
    assert [[i, a] for (i,), (a,) in singles] == their_singles
    assert sorted([*s, *t] for s, t in doubles) == sorted(their_doubles)


def test_uccsd_excitations_are_pennylanes() -> None:
    """PennyLane's turn by half the angle that their documentation says."""
    qml = pytest.importorskip("pennylane")
    n, particles = 4, 2
    singles, doubles = ansatz.excitations(n, particles)
    circuit, theta = bound(ansatz.uccsd(n))

    def template(weights: np.ndarray) -> None:
        for q in range(particles):
            qml.PauliX(q)
        values = iter(2 * weights)
        for (i, j), (a, b) in doubles:
            qml.FermionicDoubleExcitation(next(values), wires1=[i, j], wires2=[a, b])
        for (i,), (a,) in singles:
            qml.FermionicSingleExcitation(next(values), wires=list(range(i, a + 1)))

    expected = qml.matrix(template, wire_order=list(range(n)))(theta)
    np.testing.assert_allclose(big_endian(circuit.matrix()), expected, atol=1e-12)


def test_uccsd_is_made_of_fermions() -> None:
    """exp(theta (T - T^dagger)) with annihilators that anticommute, written out."""
    n = 5
    lower, z = np.array([[0, 1], [0, 0]]), np.diag([1.0, -1.0])

    def annihilate(orbital: int) -> np.ndarray:
        out = np.eye(1)
        for q in range(n):
            out = np.kron(lower if q == orbital else z if q < orbital else np.eye(2), out)
        return out

    singles, doubles = ansatz.excitations(n, 2)
    circuit, theta = bound(ansatz.uccsd(n, num_particles=2))
    expected = np.eye(2**n)[0b11].astype(complex)
    for weight, (source, target) in zip(theta, doubles + singles, strict=True):
        t = np.eye(2**n)
        for orbital in reversed(target):
            t = t @ annihilate(orbital).T
        for orbital in reversed(source):
            t = t @ annihilate(orbital)
        expected = exponential(1j * (t - t.T), weight) @ expected
    np.testing.assert_allclose(qsim.statevector(circuit), expected, atol=1e-12)


# -- Sim et al. --------------------------------------------------------------------------------------
#: circuit -> (parameters of a layer, two-qubit gates of a layer) for n qubits: the costs in the paper
SIM_COUNTS = {
    1: ("2*n", "0"),
    2: ("2*n", "n-1"),
    3: ("3*n-1", "n-1"),
    4: ("3*n-1", "n-1"),
    5: ("n**2+3*n", "n**2-n"),
    6: ("n**2+3*n", "n**2-n"),
    7: ("5*n-1", "n-1"),
    8: ("5*n-1", "n-1"),
    9: ("n", "n-1"),
    10: ("n", "n"),
    11: ("4*n-4", "n-1"),
    12: ("4*n-4", "n-1"),
    13: ("4*n", "2*n"),
    14: ("4*n", "2*n"),
    15: ("2*n", "2*n"),
    16: ("3*n-1", "n-1"),
    17: ("3*n-1", "n-1"),
    18: ("3*n", "n"),
    19: ("3*n", "n"),
}


@pytest.mark.parametrize("number", range(1, 20))
@pytest.mark.parametrize("layers", [1, 3])
def test_sim_circuits_have_the_published_counts(number: int, layers: int) -> None:
    for n in (4, 6, 8):
        circuit = ansatz.sim(n, circuit=number, layers=layers)
        parameters, twos = (eval(text, {"n": n}) for text in SIM_COUNTS[number])
        start = n if number == 10 else 0  # a layer of RY that is not repeated
        assert circuit.num_parameters == start + layers * parameters
        assert sum(len(op.qubits) == 2 for op in circuit) == layers * twos


#: two-qubit gates of one layer on four qubits, as (control, target): figure 2 of the paper
SIM_PAIRS = {
    2: "32 21 10",
    3: "32 21 10",
    4: "32 21 10",
    5: "32 31 30 23 21 20 13 12 10 03 02 01",
    6: "32 31 30 23 21 20 13 12 10 03 02 01",
    7: "10 32 21",
    8: "10 32 21",
    9: "32 21 10",
    10: "32 21 10 30",
    11: "10 32 21",
    12: "10 32 21",
    13: "30 23 12 01 32 03 10 21",
    14: "30 23 12 01 32 03 10 21",
    15: "30 23 12 01 32 03 10 21",
    16: "10 32 21",
    17: "10 32 21",
    18: "30 23 12 01",
    19: "30 23 12 01",
}


@pytest.mark.parametrize("number", SIM_PAIRS)
def test_sim_circuits_are_those_of_the_figure(number: int) -> None:
    circuit = ansatz.sim(4, circuit=number)
    pairs = "".join(f" {op.qubits[0]}{op.qubits[1]}" for op in circuit if len(op.qubits) == 2)
    assert pairs.strip() == SIM_PAIRS[number]
    entangler = {op.name for op in circuit if len(op.qubits) == 2}
    kind = "cx" if number in (2, 11, 15) else "cz" if number in (9, 10, 12) else None
    assert entangler == {kind or ("crz" if number in (3, 5, 7, 13, 16, 18) else "crx")}
    ones = {op.name for op in circuit if len(op.qubits) == 1}
    assert ones == (
        {"h", "rx"}
        if number == 9
        else {"ry"}
        if number in (10, 13, 14, 15)
        else {"ry", "rz"}
        if number in (11, 12)
        else {"rx", "rz"}
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RealAmplitudes", "real_amplitudes"),
        ("StronglyEntanglingLayers", "strongly_entangling"),
        ("hardware_eficient", "hardware_efficient"),
    ],
)
def test_wrong_names_lead_to_the_right_ones(name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'. Did you mean `{meant}`"):
        getattr(ansatz, name)
    assert not hasattr(ansatz, "__nothing__")


@pytest.mark.parametrize("number", [0, 20])
def test_other_sim_circuits_do_not_exist(number: int) -> None:
    with pytest.raises(ArgumentError, match="Argument `circuit` must be at"):
        ansatz.sim(4, circuit=number)


# -- blocks, networks, identities ----------------------------------------------------------------------
def test_alternating_blocks_are_shifted() -> None:
    circuit = ansatz.alternating(6, layers=2, block_size=4)
    pairs = [op.qubits for op in circuit if op.name == "cz"]
    assert pairs == [(0, 1), (1, 2), (2, 3), (4, 5), (0, 1), (2, 3), (3, 4), (4, 5)]
    assert circuit.num_parameters == 12


def test_hardware_efficient_layers() -> None:
    circuit = ansatz.hardware_efficient(3, layers=2)
    assert [op.name for op in circuit][:11] == ["rx"] * 3 + ["ry"] * 3 + ["rx"] * 3 + ["cx"] * 2
    assert circuit.num_parameters == 18


@pytest.mark.parametrize(("blocks", "layers"), [(1, 1), (2, 3)])
def test_identity_initialised_starts_as_the_identity(blocks: int, layers: int) -> None:
    circuit = ansatz.identity_initialised(3, blocks=blocks, layers=layers)
    values = ansatz.identity_values(3, blocks=blocks, layers=layers, seed=4)
    assert values.shape == (circuit.num_parameters,) == (12 * blocks * layers,)
    np.testing.assert_allclose(circuit.bind({"theta": values}).matrix(), np.eye(8), atol=1e-13)
    values[0] += 0.5
    assert np.abs(circuit.bind({"theta": values}).matrix() - np.eye(8)).max() > 0.1


def test_networks_gather_in_one_qubit() -> None:
    """The last block that a qubit meets leads to the one that is left, in a logarithm of steps."""
    for n in (2, 4, 8, 16):
        assert ansatz.ttn(n).depth() == 2 * math.log2(n)
        tree = [op.qubits for op in ansatz.ttn(n) if op.name == "cx"]
        assert len(tree) == n - 1 and tree[-1] == (n // 2 - 1, n - 1)
        mera = [op.qubits for op in ansatz.mera(n) if op.name == "cx"]
        assert len(mera) == n - 1 + sum(2**k // 2 - 1 for k in range(1, n.bit_length()))
        assert [pair for pair in mera if pair in tree] == tree
    assert [op.qubits for op in ansatz.mps(4, layers=2) if op.name == "cx"] == [(0, 1), (1, 2), (2, 3)] * 2


def test_qcnn_pools_to_qubit_0() -> None:
    for n, blocks in ((1, 0), (2, 2), (3, 5), (4, 8), (8, 20)):
        circuit = ansatz.qcnn(n)
        assert circuit.num_parameters == 3 * blocks
        assert n == 1 or 0 in circuit.operations[-1].qubits


def test_convolution_is_a_general_interaction() -> None:
    """Three weights make exp(-i (a XX + b YY + c ZZ)) up to one-qubit gates: Makhlin's invariants vary."""
    magic = np.array([[1, 0, 0, 1j], [0, 1j, 1, 0], [0, 1j, -1, 0], [1, 0, 0, -1j]]) / np.sqrt(2)
    invariants = []
    for seed in range(4):
        circuit = qsim.Circuit(2)
        theta = iter(np.random.default_rng(seed).uniform(-3, 3, 3).tolist())
        ansatz.networks.convolution_block(circuit, (0, 1), theta.__next__)
        u = magic.conj().T @ circuit.matrix() @ magic
        m, det = u.T @ u, np.linalg.det(u)
        invariants.append([np.trace(m) ** 2 / 16 / det, (np.trace(m) ** 2 - np.trace(m @ m)) / 4 / det])
    assert np.linalg.matrix_rank(np.diff(np.array(invariants), axis=0).view(float), tol=1e-3) == 3


# -- problems --------------------------------------------------------------------------------------------
def exponential(hamiltonian: np.ndarray, time: float) -> np.ndarray:
    levels, vectors = np.linalg.eigh(hamiltonian)
    return (vectors * np.exp(-1j * time * levels)) @ vectors.conj().T


def test_qaoa_is_the_product_of_its_evolutions() -> None:
    cost = qsim.PauliSum({"Z0 Z2": 0.7, "Z1": -1.2, "Z0 Z1 Z3": 0.4, "": 3.0})
    circuit, theta = bound(ansatz.qaoa(4, cost=cost, layers=2))
    c = (cost - 3.0 * qsim.PauliSum({"": 1.0})).to_matrix(4)
    mixer = qsim.PauliSum({f"X{q}": 1.0 for q in range(4)}).to_matrix(4)
    expected = np.full(16, 0.25, dtype=complex)
    for gamma, beta in theta.reshape(2, 2):
        expected = exponential(mixer, beta) @ exponential(c, gamma) @ expected
    np.testing.assert_allclose(qsim.statevector(circuit), expected, atol=1e-12)


def test_qaoa_of_many_angles_contains_the_plain_one() -> None:
    cost = {"Z0 Z1": 1.0, "Z1 Z2": 0.5}
    plain, many = ansatz.qaoa(3, cost=cost), ansatz.qaoa(3, cost=cost, multi_angle=True)
    assert (plain.num_parameters, many.num_parameters) == (2, 5)
    a, b = qsim.statevector(plain, [0.4, 0.9]), qsim.statevector(many, [0.4, 0.4, 0.9, 0.9, 0.9])
    np.testing.assert_allclose(a, b, atol=1e-14)


def test_the_xy_mixer_keeps_the_number_of_ones() -> None:
    circuit, _ = bound(ansatz.qaoa(5, layers=2, mixer="xy"))
    probabilities = np.abs(qsim.statevector(circuit)) ** 2
    ones = np.bitwise_count(np.arange(32))
    assert probabilities[ones == 3].sum() == pytest.approx(1)
    assert (probabilities[ones == 3] > 1e-6).sum() > 5


def test_hamiltonian_variational_evolves_by_the_parts_in_turn() -> None:
    groups = [{"Z0 Z1": 0.5, "Z1 Z2": -1.0}, {"X0": 1.0, "X1": 2.0, "X2": 1.0}]
    start = qsim.Circuit(3).h(0).cx(0, 2)
    circuit, theta = bound(ansatz.hamiltonian_variational(3, groups=groups, layers=2, initial_state=start))
    expected = qsim.statevector(start)
    for k, angle in enumerate(theta):
        expected = exponential(qsim.PauliSum(groups[k % 2]).to_matrix(3), angle) @ expected
    np.testing.assert_allclose(qsim.statevector(circuit), expected, atol=1e-12)
    assert len(start) == 2


def test_problems_that_cannot_be() -> None:
    with pytest.raises(ArgumentError, match="`cost` must be made of products of Z"):
        ansatz.qaoa(2, cost={"X0": 1.0})
    with pytest.raises(ArgumentError, match="`cost` acts on 4 qubits, but `num_qubits` is 2"):
        ansatz.qaoa(2, cost={"Z3": 1.0})
    with pytest.raises(ArgumentError, match="`groups` must be a sequence of Pauli sums"):
        ansatz.hamiltonian_variational(2, groups=qsim.PauliSum({"Z0": 1.0}))
    with pytest.raises(CircuitError, match="`initial_state` must have 2 qubits, but has 3"):
        ansatz.hamiltonian_variational(2, initial_state=qsim.Circuit(3))
    with pytest.raises(ArgumentError, match="`ranges` must be 2 numbers, none a multiple of 3"):
        ansatz.strongly_entangling(3, layers=2, ranges=[1, 3])
    with pytest.raises(ArgumentError, match="must name gates with at most one parameter, but `u` has 3"):
        ansatz.n_local(2, rotations="u")


# -- particles -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["givens", "uccsd"])
@pytest.mark.parametrize(("n", "particles"), [(4, 2), (5, 1), (6, 3), (4, 0), (4, 4)])
def test_excitations_keep_the_number_of_particles_and_their_spin(name: str, n: int, particles: int) -> None:
    circuit, _ = bound(ANSATZE[name](n, num_particles=particles, layers=2))
    occupied = np.flatnonzero(np.abs(qsim.statevector(circuit)) > 1e-12)
    up, down = (sum(1 << q for q in range(start, n, 2)) for start in (0, 1))
    start = (1 << particles) - 1
    for mask in (up, down):
        assert set(np.bitwise_count(occupied & mask).tolist()) == {(start & mask).bit_count()}
    reachable = math.comb(len(range(0, n, 2)), (start & up).bit_count())
    reachable *= math.comb(len(range(1, n, 2)), (start & down).bit_count())
    assert len(occupied) == reachable or (n, particles) == (6, 3)  # triples come by products only


def test_excitations_without_spin() -> None:
    singles, doubles = ansatz.excitations(4, 2, spin=False)
    assert singles == [((i,), (a,)) for i, a in itertools.product((0, 1), (2, 3))]
    assert doubles == [((0, 1), (2, 3))]
    with pytest.raises(ArgumentError, match="`num_particles` must be at most 4, but is 5"):
        ansatz.excitations(4, 5)


def test_more_weights_than_there_are_are_refused():
    circuit = ansatz.real_amplitudes(3)
    count = len(circuit.parameters)
    with pytest.raises(ParameterError, match=rf"`theta` must have shape \({count},\)"):
        qsim.expectation(circuit, "Z0", {"theta": np.zeros(count + 1)})
