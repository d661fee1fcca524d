"""Properties of circuits that measure, reset and branch."""

from __future__ import annotations

import numpy as np
from conftest import BACKEND_NAMES
from hypothesis import given
from hypothesis import strategies as st
from strategies import circuits, seeds

import qsim
from qsim.circuit import Circuit
from qsim.testing import random_unitary


def with_bits(circuit: Circuit, num_clbits: int) -> Circuit:
    return Circuit(circuit.num_qubits, num_clbits).compose(circuit)


def assert_same_distribution(first: dict[str, float], second: dict[str, float]) -> None:
    for outcome in first.keys() | second.keys():
        assert abs(first.get(outcome, 0.0) - second.get(outcome, 0.0)) <= 1e-10, outcome


@given(circuit=circuits(max_qubits=4))
def test_deferred_measurement(backend, circuit):
    """Measuring all qubits at the end, or each into another qubit's place in time, is the same."""
    n = circuit.num_qubits
    measured = circuit.copy().measure_all()
    p = qsim.probabilities(circuit, backend=backend)
    wanted = {f"{k:0{n}b}": p[k] for k in range(1 << n)}
    assert_same_distribution(qsim.distribution(measured, backend=backend), wanted)
    reverse = with_bits(circuit, n)
    for q in reversed(range(n)):
        reverse.measure(q, q)
        reverse.z(q)  # makes it a measurement in the middle; a phase changes no outcome
    assert_same_distribution(qsim.distribution(reverse, backend=backend), wanted)


@given(before=circuits(3, 3, max_ops=5), gate=circuits(1, 1, max_ops=3), after=circuits(1, 1, max_ops=3))
def test_classical_control_is_coherent_control(backend, before, gate, after):
    """Measure, then act if 1: the distribution is that of a controlled gate and a measurement at the end."""
    coherent = with_bits(before, 3)
    coherent = coherent.compose(gate.control(), [0, 1], []).compose(after, [1], [])
    coherent.measure([0, 1, 2], [0, 1, 2])
    dynamic = with_bits(before, 3).measure(0, 0)
    dynamic.if_else((0, 1), Circuit(3, 3).compose(gate, [1], []))
    dynamic = dynamic.compose(after, [1], []).measure([1, 2], [1, 2])
    assert_same_distribution(
        qsim.distribution(dynamic, backend=backend), qsim.distribution(coherent, backend=backend)
    )


@given(circuit=circuits(2, 3, max_ops=6), data=st.data())
def test_reset_traces_out(backend, circuit, data):
    n = circuit.num_qubits
    q = data.draw(st.integers(0, n - 1))
    others = [k for k in range(n) if k != q]
    before = qsim.density_matrix(circuit, others)
    rho = qsim.density_matrix(circuit.copy().reset(q), [q, *others], backend=backend)
    wanted = np.kron(before, np.diag([1, 0]))  # qubit q is the least significant index
    np.testing.assert_allclose(rho, wanted, atol=1e-10)


@given(circuit=circuits(2, 3, max_ops=5), seed=seeds, data=st.data())
def test_channels_average(backend, circuit, seed, data):
    n = circuit.num_qubits
    rng = np.random.default_rng(seed)
    q = data.draw(st.integers(0, n - 1))
    isometry = np.linalg.qr(rng.normal(size=(6, 2)) + 1j * rng.normal(size=(6, 2)))[0]
    operators = [isometry[2 * k : 2 * k + 2] for k in range(3)]
    order = [q, *(k for k in range(n) if k != q)]
    rho = qsim.density_matrix(circuit, order)
    wanted = np.zeros_like(rho)
    for k in operators:
        full = np.kron(np.eye(1 << (n - 1)), k)
        wanted += full @ rho @ full.conj().T
    noisy = circuit.copy().kraus(operators, q)
    np.testing.assert_allclose(qsim.density_matrix(noisy, order, backend=backend), wanted, atol=1e-10)


@given(circuit=circuits(2, 2, max_ops=4), times=st.integers(0, 4))
def test_for_loop_is_repetition(backend, circuit, times):
    looped = Circuit(2, 2).for_loop(range(times), with_bits(circuit, 2)).measure([0, 1], [0, 1])
    plain = with_bits(circuit.repeat(times), 2).measure([0, 1], [0, 1])
    assert_same_distribution(
        qsim.distribution(looped, backend=backend), qsim.distribution(plain, backend=backend)
    )


@given(circuit=circuits(2, 2, max_ops=4), bodies=st.tuples(*[circuits(2, 2, max_ops=2)] * 3))
def test_switch_is_a_chain_of_ifs(circuit, bodies):
    start = with_bits(circuit, 4).measure([0, 1], [0, 1])
    wide = [with_bits(body, 4) for body in bodies]
    switched = start.copy().switch([0, 1], {0: wide[0], (1, 2): wide[1]}, wide[2])
    chained = start.copy()
    for values, body in (((0,), wide[0]), ((1, 2), wide[1]), ((3,), wide[2])):
        for value in values:
            chained.if_else(((0, 1), value), body)
    for out in (switched, chained):
        out.measure([0, 1], [2, 3])
    assert_same_distribution(qsim.distribution(switched), qsim.distribution(chained))


@given(circuit=circuits(3, 3, max_ops=5), seed=seeds)
def test_samples_of_branches_are_reproducible(circuit, seed):
    dynamic = with_bits(circuit, 3).measure(0, 0)
    dynamic.if_else((0, 1), Circuit(3, 3).h(1).cx(1, 2), Circuit(3, 3).x(2)).reset(0).h(0)
    dynamic.measure([0, 1, 2], [0, 1, 2])
    runs = [
        qsim.sample(dynamic, shots=40, seed=seed, backend=backend, threads=threads)
        for backend in BACKEND_NAMES
        for threads in (1, 2)
    ]
    assert all(run.ints.tolist() == runs[0].ints.tolist() for run in runs)
    assert set(runs[0].counts()) <= set(qsim.distribution(dynamic))


@given(seed=seeds, data=st.data())
def test_teleportation_of_any_state(backend, seed, data):
    u = random_unitary(1, seed)
    circuit = Circuit(3, 2).unitary(u, 0).h(1).cx(1, 2).cx(0, 1).h(0)
    circuit.measure([0, 1], [0, 1])
    circuit.if_else((1, 1), Circuit(3, 2).x(2)).if_else((0, 1), Circuit(3, 2).z(2))
    rho = qsim.density_matrix(circuit, [2], backend=backend)
    np.testing.assert_allclose(rho, np.outer(u[:, 0], u[:, 0].conj()), atol=1e-12)
    values = qsim.expectation(circuit, ["X2", "Y2", "Z2"], backend=backend)
    alone = qsim.expectation(Circuit(1).unitary(u, 0), ["X0", "Y0", "Z0"], backend=backend)
    np.testing.assert_allclose(values, alone, atol=1e-12)


@given(circuit=circuits(3, 3, max_ops=5))
def test_outcomes_of_one_measurement_are_repeatable(backend, circuit):
    """A qubit measured twice gives the same bit twice."""
    twice = with_bits(circuit, 2).measure(1, 0).h(0).measure(1, 1)
    assert set(qsim.distribution(twice, backend=backend)) <= {"00", "11"}
