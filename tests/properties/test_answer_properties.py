"""Properties of what is read off a state: expectations, probabilities, entropies, samples."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import BACKEND_NAMES
from hypothesis import given
from hypothesis import strategies as st
from strategies import circuits, pauli_sums, seeds

import qsim
from qsim.circuit import Circuit
from qsim.observables import Diagonal, Hermitian, PauliSum, Projector, SparseMatrix
from qsim.parameters import ParameterVector
from qsim.testing import assert_states_close

CLOSE = 1e-11


def dense(observable: PauliSum, num_qubits: int) -> np.ndarray:
    return np.asarray(observable.to_matrix(num_qubits))


@st.composite
def circuit_and_sum(draw, max_qubits=4, **options):
    circuit = draw(circuits(max_qubits=max_qubits, **options))
    return circuit, draw(pauli_sums(circuit.num_qubits))


@st.composite
def circuit_and_qubits(draw, min_qubits=2, max_qubits=5):
    circuit = draw(circuits(min_qubits, max_qubits))
    order = draw(st.permutations(range(circuit.num_qubits)))
    return circuit, order[: draw(st.integers(1, circuit.num_qubits))]


@given(pair=circuit_and_sum())
def test_expectation_is_that_of_the_state(backend, precision, pair):
    circuit, h = pair
    state = qsim.statevector(circuit)
    wanted = np.vdot(state, dense(h, circuit.num_qubits) @ state).real
    scale = 1 + np.abs(h.coefficients).sum()
    value = qsim.expectation(circuit, h, backend=backend, precision=precision)
    assert isinstance(value, float)
    assert abs(value - wanted) <= scale * (1e-12 if precision == "double" else 1e-4)


@given(circuit=circuits(max_qubits=4), data=st.data(), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_expectation_is_linear_in_the_observable(backend, circuit, data, a, b):
    g, h = (data.draw(pauli_sums(circuit.num_qubits)) for _ in range(2))
    values = qsim.expectation(circuit, [g, h, a * g + b * h], backend=backend)
    assert values.shape == (3,)
    assert abs(values[2] - (a * values[0] + b * values[1])) <= 1e-10


@given(circuit=circuits(max_qubits=4), data=st.data())
def test_a_list_of_observables_is_each_of_them(backend, circuit, data):
    observables = [data.draw(pauli_sums(circuit.num_qubits)) for _ in range(3)]
    together = qsim.expectation(circuit, observables, backend=backend)
    for one, value in zip(observables, together, strict=True):
        assert abs(qsim.expectation(circuit, one, backend=backend) - value) <= 1e-12


@given(pair=circuit_and_sum(max_qubits=3))
def test_variance_is_the_second_moment(backend, pair):
    circuit, h = pair
    state, m = qsim.statevector(circuit), dense(h, circuit.num_qubits)
    mean, square = np.vdot(state, m @ state).real, np.vdot(state, m @ (m @ state)).real
    variance = qsim.variance(circuit, h, backend=backend)
    assert variance >= -1e-10
    assert abs(variance - (square - mean**2)) <= 1e-9


@given(pair=circuit_and_sum(max_qubits=3))
def test_kinds_of_observables_agree(backend, pair):
    circuit, h = pair
    n, m = circuit.num_qubits, dense(h, circuit.num_qubits)
    diagonal = np.real(np.diag(m))
    kinds = [h, Hermitian(m, range(n)), SparseMatrix(m)]
    values = qsim.expectation(circuit, kinds, backend=backend)
    np.testing.assert_allclose(values, values[0], atol=1e-10)
    kinds = [Diagonal(diagonal), Hermitian(np.diag(diagonal), range(n))]
    values = qsim.expectation(circuit, kinds, backend=backend)
    np.testing.assert_allclose(values, values[0], atol=1e-10)


@given(pair=circuit_and_qubits(), data=st.data())
def test_projector_is_a_probability(backend, pair, data):
    circuit, qubits = pair
    outcome = data.draw(st.integers(0, (1 << len(qubits)) - 1))
    bits = f"{outcome:0{len(qubits)}b}"
    value = qsim.expectation(circuit, Projector(bits, qubits), backend=backend)
    assert abs(value - qsim.probabilities(circuit, qubits=qubits, backend=backend)[outcome]) <= CLOSE


@given(circuit=circuits(max_qubits=3, max_ops=5), data=st.data())
def test_heisenberg_picture(circuit, data):
    """<0|U+ O U|0> by evolving the observable's matrix instead of the state."""
    h = data.draw(pauli_sums(circuit.num_qubits))
    u = circuit.matrix()
    evolved = Hermitian(u.conj().T @ dense(h, circuit.num_qubits) @ u, range(circuit.num_qubits))
    start = qsim.Circuit(circuit.num_qubits)
    assert abs(qsim.expectation(start, evolved) - qsim.expectation(circuit, h)) <= 1e-10


@given(pair=circuit_and_qubits())
def test_probabilities_are_squares_of_amplitudes(backend, precision, pair):
    circuit, qubits = pair
    p = qsim.probabilities(circuit, qubits=qubits, backend=backend, precision=precision)
    assert p.dtype == np.float64
    assert p.shape == (1 << len(qubits),)
    assert (p >= 0).all()
    wanted = np.zeros(len(p))
    index = np.arange(1 << circuit.num_qubits)
    small = sum((index >> q & 1) << k for k, q in enumerate(qubits))
    np.add.at(wanted, small, np.abs(qsim.statevector(circuit)) ** 2)
    np.testing.assert_allclose(p, wanted, atol=1e-12 if precision == "double" else 1e-4)


@given(pair=circuit_and_qubits(), data=st.data())
def test_marginals_are_consistent(backend, pair, data):
    circuit, qubits = pair
    kept = data.draw(st.lists(st.sampled_from(range(len(qubits))), min_size=1, unique=True))
    joint = qsim.probabilities(circuit, qubits=qubits, backend=backend)
    index = np.arange(len(joint))
    wanted = np.zeros(1 << len(kept))
    np.add.at(wanted, sum((index >> k & 1) << position for position, k in enumerate(kept)), joint)
    marginal = qsim.probabilities(circuit, qubits=[qubits[k] for k in kept], backend=backend)
    np.testing.assert_allclose(marginal, wanted, atol=CLOSE)


@given(pair=circuit_and_qubits())
def test_density_matrices_are_states(backend, pair):
    circuit, qubits = pair
    rho = qsim.density_matrix(circuit, qubits, backend=backend)
    assert rho.shape == (1 << len(qubits),) * 2
    assert abs(np.trace(rho) - 1) <= CLOSE
    np.testing.assert_allclose(rho, rho.conj().T, atol=CLOSE)
    assert np.linalg.eigvalsh(rho).min() >= -CLOSE
    p = qsim.probabilities(circuit, qubits=qubits, backend=backend)
    np.testing.assert_allclose(np.diag(rho).real, p, atol=CLOSE)


@given(pair=circuit_and_qubits())
def test_partial_trace_of_the_whole(pair):
    circuit, qubits = pair
    n, state = circuit.num_qubits, qsim.statevector(circuit)
    wanted = np.zeros((1 << len(qubits),) * 2, dtype=complex)
    index = np.arange(1 << n)
    small = sum((index >> q & 1) << k for k, q in enumerate(qubits))
    rest = index & ~sum(1 << q for q in qubits)
    for value in np.unique(rest):
        part = np.zeros(1 << len(qubits), dtype=complex)
        part[small[rest == value]] = state[rest == value]
        wanted += np.outer(part, part.conj())
    np.testing.assert_allclose(qsim.density_matrix(circuit, qubits), wanted, atol=CLOSE)


@given(pair=circuit_and_qubits())
def test_purity_and_entropy_ranges(backend, pair):
    circuit, qubits = pair
    rho = qsim.density_matrix(circuit, qubits)
    purity = qsim.purity(circuit, qubits, backend=backend)
    assert abs(purity - np.trace(rho @ rho).real) <= CLOSE
    assert 0.5 ** len(qubits) - CLOSE <= purity <= 1 + CLOSE
    entropy = qsim.von_neumann_entropy(circuit, qubits, backend=backend)
    assert -CLOSE <= entropy <= min(len(qubits), circuit.num_qubits - len(qubits)) + 1e-9
    assert abs(qsim.renyi_entropy(circuit, qubits, alpha=2) + np.log2(purity)) <= 1e-9
    natural = qsim.von_neumann_entropy(circuit, qubits, base=np.e)
    assert abs(natural - entropy * np.log(2)) <= 1e-9


@given(pair=circuit_and_qubits())
def test_entropy_of_both_sides_of_a_cut(pair):
    circuit, qubits = pair
    others = [q for q in range(circuit.num_qubits) if q not in qubits]
    if others:
        first = qsim.von_neumann_entropy(circuit, qubits)
        second = qsim.von_neumann_entropy(circuit, others)
        assert abs(first - second) <= 1e-9
        assert abs(qsim.mutual_information(circuit, qubits, others) - 2 * first) <= 1e-9
        assert qsim.mutual_information(circuit, qubits[:1], others[:1]) >= -1e-9


@given(pair=circuit_and_qubits(), low=st.floats(0.3, 3), high=st.floats(0.3, 3))
def test_renyi_entropy_falls_with_its_order(pair, low, high):
    circuit, qubits = pair
    low, high = sorted((low, high))
    a, b = (qsim.renyi_entropy(circuit, qubits, alpha=alpha) for alpha in (low, high))
    limit = qsim.renyi_entropy(circuit, qubits, alpha=np.inf)
    assert a >= b - 1e-6
    assert b >= limit - 1e-6


@given(circuit=circuits(), data=st.data())
def test_amplitudes_are_entries_of_the_state(backend, circuit, data):
    n = circuit.num_qubits
    index = data.draw(st.lists(st.integers(0, (1 << n) - 1), min_size=1, max_size=5))
    state = qsim.statevector(circuit, backend=backend)
    text = [f"{i:0{n}b}" for i in index]
    np.testing.assert_array_equal(qsim.amplitudes(circuit, text, backend=backend), state[index])
    np.testing.assert_array_equal(qsim.amplitudes(circuit, index, backend=backend), state[index])


@given(circuit=circuits())
def test_distribution_is_squares_of_amplitudes(backend, circuit):
    n, p = circuit.num_qubits, np.abs(qsim.statevector(circuit)) ** 2
    found = qsim.distribution(circuit, backend=backend)
    assert abs(sum(found.values()) - 1) <= 1e-10
    for outcome in range(1 << n):
        assert abs(found.get(f"{outcome:0{n}b}", 0.0) - p[outcome]) <= 1e-12


@given(data=st.data())
def test_inner_products(backend, data):
    n = data.draw(st.integers(1, 4))
    a, b, common = (data.draw(circuits(n, n, max_ops=5)) for _ in range(3))
    overlap = qsim.inner_product(a, b, backend=backend)
    assert isinstance(overlap, complex)
    assert abs(overlap - np.vdot(qsim.statevector(a), qsim.statevector(b))) <= CLOSE
    assert abs(overlap - np.conj(qsim.inner_product(b, a, backend=backend))) <= CLOSE
    fidelity = qsim.fidelity(a, b, backend=backend)
    assert -CLOSE <= fidelity <= 1 + CLOSE
    assert abs(fidelity - abs(overlap) ** 2) <= CLOSE
    assert abs(qsim.fidelity(a, a, backend=backend) - 1) <= CLOSE
    both = qsim.inner_product(a.compose(common), b.compose(common), backend=backend)
    assert abs(both - overlap) <= CLOSE  # a unitary after both changes nothing


@given(circuit=circuits(), seed=seeds)
def test_same_seed_same_samples(circuit, seed):
    runs = [
        qsim.sample(circuit, shots=50, seed=seed, backend=backend, threads=threads).ints.tolist()
        for backend in BACKEND_NAMES
        for threads in (1, 2, 3)
    ]
    assert all(run == runs[0] for run in runs)


@given(circuit=circuits(), seed=seeds, shots=st.integers(1, 200))
def test_samples_are_possible_outcomes(backend, circuit, seed, shots):
    samples = qsim.sample(circuit, shots=shots, seed=seed, backend=backend)
    counts, possible = samples.counts(), qsim.distribution(circuit, backend=backend)
    assert sum(counts.values()) == shots == len(samples)
    assert set(counts) <= set(possible)
    assert all(len(outcome) == circuit.num_qubits for outcome in counts)


@given(circuit=circuits(parameters=2), seed=seeds, rows=st.integers(1, 5))
def test_batch_is_a_loop(backend, circuit, seed, rows):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-3, 3, size=(rows, len(circuit.parameters)))
    states = qsim.statevector(circuit, values, backend=backend)
    p = qsim.probabilities(circuit, values, qubits=[0], backend=backend)
    z = qsim.expectation(circuit, ["Z0", Hermitian(np.eye(2), [0])], values, backend=backend)
    assert states.shape == (rows, 1 << circuit.num_qubits)
    for row, point in enumerate(values):
        assert_states_close(states[row], qsim.statevector(circuit, point, backend=backend), atol=1e-12)
        np.testing.assert_allclose(
            p[row], qsim.probabilities(circuit, point, qubits=[0], backend=backend), atol=1e-12
        )
        assert abs(z[row, 0] - qsim.expectation(circuit, "Z0", point, backend=backend)) <= 1e-12


@given(circuit=circuits(parameters=2), seed=seeds)
def test_batch_of_initial_states(backend, circuit, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(-3, 3, size=len(circuit.parameters))
    size = 1 << circuit.num_qubits
    initial = rng.normal(size=(3, size)) + 1j * rng.normal(size=(3, size))
    out = qsim.statevector(circuit, values, initial_state=initial, normalize=True, backend=backend)
    for row, state in enumerate(initial):
        one = qsim.statevector(circuit, values, initial_state=state / np.linalg.norm(state), backend=backend)
        assert_states_close(out[row], one, atol=1e-12)


def test_parameters_may_be_strided(backend):
    x = ParameterVector("x", 2)
    program = qsim.compile(Circuit(2).rx(x[0], 0).ry(x[1], 1), "Z0", backend=backend)
    for values in (np.array([1.0, 2.0])[::-1], np.array([2.0, 9.0, 1.0, 9.0])[::2]):
        assert program.expectation(values) == pytest.approx(np.cos(2.0))
        np.testing.assert_array_equal(program.statevector(values), program.statevector([2.0, 1.0]))
        np.testing.assert_array_equal(program.probabilities(values), program.probabilities([2.0, 1.0]))
