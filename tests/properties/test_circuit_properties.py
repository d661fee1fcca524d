"""Properties of circuits and of the states they prepare."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import reference
from conftest import BACKEND_NAMES
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import angles, circuits, pauli_labels, seeds

import qsim
from qsim.circuit import Circuit
from qsim.observables import PauliSum
from qsim.testing import assert_states_close, random_state

CLOSE = 1e-11
factors = st.complex_numbers(max_magnitude=3, allow_nan=False)


def dense_state(circuit: Circuit, initial: np.ndarray) -> np.ndarray:
    """The oracle: one dense matrix for each operation, from the gate's matrix alone."""
    state = initial.astype(complex)
    for op in circuit.operations:
        full = reference.embed(
            op.gate.matrix(*op.params), op.targets, op.controls, op.control_values, circuit.num_qubits
        )
        state = full @ state
    return state


@given(circuit=circuits(), seed=seeds)
def test_equals_dense_matrices(backend, precision, circuit, seed):
    initial = random_state(circuit.num_qubits, seed)
    out = qsim.statevector(circuit, initial_state=initial, backend=backend, precision=precision)
    assert out.dtype == (np.complex128 if precision == "double" else np.complex64)
    assert_states_close(out, dense_state(circuit, initial), atol=1e-12 if precision == "double" else 1e-4)


@given(circuit=circuits(max_qubits=7), seed=seeds)
def test_norm_is_kept(backend, circuit, seed):
    state = qsim.statevector(circuit, initial_state=random_state(circuit.num_qubits, seed), backend=backend)
    assert abs(np.linalg.norm(state) - 1) <= CLOSE


@given(circuit=circuits(), seed=seeds)
def test_inverse_undoes(backend, circuit, seed):
    initial = random_state(circuit.num_qubits, seed)
    both = circuit.compose(circuit.inverse())
    assert_states_close(qsim.statevector(both, initial_state=initial, backend=backend), initial, atol=CLOSE)


@given(circuit=circuits(), seed=seeds)
def test_inverse_of_inverse(circuit, seed):
    initial = random_state(circuit.num_qubits, seed)
    twice = qsim.statevector(circuit.inverse().inverse(), initial_state=initial)
    assert_states_close(twice, qsim.statevector(circuit, initial_state=initial), atol=CLOSE)


@given(circuit=circuits(), data=st.data())
def test_relabelling_qubits_permutes_amplitudes(backend, circuit, data):
    n = circuit.num_qubits
    places = data.draw(st.permutations(range(n)))
    index = np.arange(1 << n)
    moved = sum((index >> q & 1) << place for q, place in enumerate(places))
    relabelled = qsim.statevector(circuit.remap(places), backend=backend)
    assert_states_close(relabelled[moved], qsim.statevector(circuit, backend=backend), atol=CLOSE)


@given(circuit=circuits(max_qubits=3), data=st.data())
def test_remap_into_more_qubits(circuit, data):
    n = circuit.num_qubits
    places = data.draw(st.permutations(range(n + 2)))[:n]
    wide = circuit.remap(places, num_qubits=n + 2)
    index = np.arange(1 << n)
    moved = sum((index >> q & 1) << place for q, place in enumerate(places))
    wanted = np.zeros(4 << n, dtype=complex)
    wanted[moved] = qsim.statevector(circuit)
    assert_states_close(qsim.statevector(wide), wanted, atol=CLOSE)


@given(circuit=circuits(max_qubits=3), data=st.data())
def test_control_of_a_circuit_is_a_block_matrix(circuit, data):
    count = data.draw(st.integers(1, 2))
    values = data.draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    controlled = circuit.control(count, values).matrix()
    on = sum(v << q for q, v in enumerate(values))
    wanted = np.eye(len(controlled), dtype=complex)
    wanted[on :: 1 << count, on :: 1 << count] = circuit.matrix()
    np.testing.assert_allclose(controlled, wanted, atol=CLOSE)


@given(circuit=circuits(max_qubits=3, max_ops=5), exponent=st.integers(-3, 4))
def test_integer_powers(circuit, exponent):
    wanted = np.linalg.matrix_power(circuit.matrix(), exponent)
    np.testing.assert_allclose(circuit.power(exponent).matrix(), wanted, atol=CLOSE)
    if exponent >= 0:
        assert circuit.repeat(exponent) == circuit.power(exponent)


@given(circuit=circuits(max_qubits=3, max_ops=5), root=st.integers(2, 5))
def test_fractional_powers(circuit, root):
    part = circuit.power(1 / root).matrix()
    np.testing.assert_allclose(np.linalg.matrix_power(part, root), circuit.matrix(), atol=1e-9)


@given(data=st.data())
def test_compose_is_associative(data):
    n = data.draw(st.integers(1, 4))
    a, b, c = (data.draw(circuits(n, n, max_ops=4)) for _ in range(3))
    left, right = a.compose(b).compose(c), a.compose(b.compose(c))
    assert left == right
    np.testing.assert_allclose(left.matrix(), c.matrix() @ b.matrix() @ a.matrix(), atol=CLOSE)


@given(circuit=circuits(max_qubits=3), data=st.data())
def test_compose_on_chosen_qubits_is_remap(circuit, data):
    n = circuit.num_qubits
    places = data.draw(st.permutations(range(n + 1)))[:n]
    assert Circuit(n + 1).compose(circuit, places) == circuit.remap(places, num_qubits=n + 1)


@given(data=st.data())
def test_gates_on_other_qubits_commute(data):
    a, b = (data.draw(circuits(2, 2, max_ops=4)) for _ in range(2))
    first = Circuit(4).compose(a, [0, 2]).compose(b, [3, 1])
    second = Circuit(4).compose(b, [3, 1]).compose(a, [0, 2])
    assert_states_close(qsim.statevector(first), qsim.statevector(second), atol=CLOSE)


@given(
    circuit=circuits(),
    seed=seeds,
    a=st.complex_numbers(max_magnitude=3),
    b=st.complex_numbers(max_magnitude=3),
)
def test_linear_in_the_initial_state(backend, circuit, seed, a, b):
    rng = np.random.default_rng(seed)
    first, second = random_state(circuit.num_qubits, rng), random_state(circuit.num_qubits, rng)
    mixed = a * first + b * second
    norm = np.linalg.norm(mixed)
    assume(norm > 1e-3)
    out = [qsim.statevector(circuit, initial_state=s, backend=backend) for s in (first, second, mixed / norm)]
    assert_states_close(out[2] * norm, a * out[0] + b * out[1], atol=CLOSE)


@given(circuit=circuits(max_qubits=6))
def test_single_precision_is_close(backend, circuit):
    double = qsim.statevector(circuit, backend=backend)
    single = qsim.statevector(circuit, backend=backend, precision="single")
    assert_states_close(single, double, atol=1e-6 * (4 + 10 * len(circuit)))


@given(circuit=circuits(max_qubits=7), seed=seeds)
def test_threads_change_no_bit(backend, circuit, seed):
    initial = random_state(circuit.num_qubits, seed)
    runs = [
        qsim.statevector(circuit, initial_state=initial, backend=backend, threads=threads)
        for threads in (1, 2, 3)
    ]
    assert runs[0].tobytes() == runs[1].tobytes() == runs[2].tobytes()


@given(circuit=circuits(max_qubits=6), seed=seeds)
def test_backends_agree(circuit, seed):
    initial = random_state(circuit.num_qubits, seed)
    states = [qsim.statevector(circuit, initial_state=initial, backend=name) for name in BACKEND_NAMES]
    for state in states[1:]:
        assert_states_close(state, states[0], atol=1e-12)


@given(circuit=circuits(), phase=angles())
def test_global_phase_is_tracked(backend, circuit, phase):
    with_phase = qsim.statevector(circuit.copy().gphase(phase), backend=backend)
    assert_states_close(
        with_phase, np.exp(1j * phase) * qsim.statevector(circuit, backend=backend), atol=CLOSE
    )


@given(circuit=circuits(max_qubits=3), phase=angles())
def test_global_phase_is_seen_by_a_control(circuit, phase):
    controlled = circuit.copy().gphase(phase).control()
    np.testing.assert_allclose(
        controlled.matrix()[1::2, 1::2], np.exp(1j * phase) * circuit.matrix(), atol=CLOSE
    )


@given(circuit=circuits(max_qubits=3, parameters=2), seed=seeds)
def test_a_circuit_as_a_gate(circuit, seed):
    n, values = circuit.num_qubits, np.random.default_rng(seed).normal(size=len(circuit.parameters))
    wrapped = Circuit(n + 1).append(circuit, (), range(1, n + 1), controls=0)
    assert wrapped.parameters == circuit.parameters
    assert_states_close(
        qsim.statevector(wrapped, values), qsim.statevector(circuit.control(), values), atol=CLOSE
    )


@given(circuit=circuits(parameters=2))
def test_json_round_trip(circuit):
    again = Circuit.from_json(circuit.to_json())
    assert again == circuit
    assert again.to_json() == circuit.to_json()
    assert again.parameters == circuit.parameters


@given(circuit=circuits(parameters=2), seed=seeds)
def test_pickle_round_trip(circuit, seed):
    again = pickle.loads(pickle.dumps(circuit))
    assert again == circuit
    values = np.random.default_rng(seed).normal(size=len(circuit.parameters))
    assert qsim.statevector(again, values).tobytes() == qsim.statevector(circuit, values).tobytes()


@given(circuit=circuits(max_qubits=4, parameters=2), seed=seeds)
def test_program_pickle_round_trip(backend, circuit, seed):
    program = qsim.compile(circuit, ["Z0", {"X0": 0.5}], backend=backend)
    again = pickle.loads(pickle.dumps(program))
    values = np.random.default_rng(seed).normal(size=(3, len(circuit.parameters)))
    assert again.statevector(values).tobytes() == program.statevector(values).tobytes()
    assert again.expectation(values).tobytes() == program.expectation(values).tobytes()


@given(circuit=circuits(max_qubits=4, parameters=0))
def test_openqasm3_round_trip(circuit):
    again = Circuit.from_qasm(circuit.to_qasm(version=3))
    assert again.num_qubits == circuit.num_qubits
    assert_states_close(qsim.statevector(again), qsim.statevector(circuit), atol=1e-9)


@given(circuit=circuits(max_qubits=4, user=False, controls=False))
def test_openqasm2_round_trip(circuit):
    """Version 2 knows no global phase, so states are compared up to one."""
    again = Circuit.from_qasm(circuit.to_qasm(version=2))
    assert_states_close(
        qsim.statevector(again), qsim.statevector(circuit), atol=1e-9, up_to_global_phase=True
    )


@given(circuit=circuits(parameters=2))
def test_copies_are_equal_and_independent(circuit):
    for make in (Circuit.copy, copy.copy, copy.deepcopy):
        other = make(circuit)
        assert other == circuit
        other.x(0)
        assert other != circuit
        assert len(other) == len(circuit) + 1


@given(circuit=circuits())
def test_counts_and_depth(circuit):
    counts, depth = circuit.count_ops(), circuit.depth()
    assert sum(counts.values()) == len(circuit) == len(circuit.operations)
    assert 0 <= depth <= len(circuit)
    assert depth * circuit.num_qubits >= sum(bool(op.qubits) for op in circuit.operations)
    assert circuit.compose(circuit).depth() <= 2 * depth
    assert circuit.inverse().depth() == depth


@given(data=st.data(), time=angles(3))
def test_trotter_is_exact_where_terms_commute(data, time):
    """Strings of one letter commute, whatever their qubits."""
    n = data.draw(st.integers(1, 4))
    letter = data.draw(st.sampled_from("XYZ"))
    masks = data.draw(st.lists(st.integers(0, (1 << n) - 1), min_size=1, max_size=4, unique=True))
    labels = ["".join(letter if m >> q & 1 else "I" for q in range(n)) for m in masks]
    coefficients = data.draw(
        st.lists(st.floats(-2, 2, allow_nan=False), min_size=len(labels), max_size=len(labels))
    )
    h = PauliSum(list(zip(labels, coefficients, strict=True)))
    dense = sum(c * reference.pauli_matrix(label) for label, c in zip(labels, coefficients, strict=True))
    levels, vectors = np.linalg.eigh(dense)
    wanted = (vectors * np.exp(-1j * levels * time)) @ vectors.conj().T
    for order in (1, 2, 4):
        np.testing.assert_allclose(
            Circuit(n).exp_pauli_sum(h, time, order=order).matrix(), wanted, atol=1e-10
        )


@given(n=st.integers(1, 4), time=angles(), data=st.data())
def test_pauli_rotation_is_an_exponential(n, time, data):
    label = data.draw(pauli_labels(n))
    p = reference.pauli_matrix(label)
    wanted = np.cos(time / 2) * np.eye(len(p)) - 1j * np.sin(time / 2) * p
    np.testing.assert_allclose(Circuit(n).pauli_rotation(time, label, range(n)).matrix(), wanted, atol=1e-13)


@given(n=st.integers(1, 6), seed=seeds, data=st.data())
def test_prepare_makes_its_amplitudes(backend, n, seed, data):
    amplitudes = random_state(n, seed)
    order = data.draw(st.permutations(range(n)))
    index = np.arange(1 << n)
    moved = sum((index >> k & 1) << q for k, q in enumerate(order))
    out = qsim.statevector(Circuit(n).prepare(amplitudes, order), backend=backend)
    assert_states_close(out[moved], amplitudes, atol=1e-13)


def test_controls_of_several_gates_may_come_from_an_iterator():
    circuit = Circuit(3).x([0, 1], controls=iter([2]), control_values=iter([0]))
    assert circuit == Circuit(3).x([0, 1], controls=[2], control_values=[0])
