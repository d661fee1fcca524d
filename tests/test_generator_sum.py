"""exp(-i sum theta_j G_j) of generators that do not commute, against matrices and differences."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError, ParameterError, QasmError
from qsim.testing import random_circuit
from qsim.user_gates import GeneratorSumGate

X = np.array([[0, 1], [1, 0]])
Z = np.diag([1.0, -1.0])
A, B = qsim.Parameter("a"), qsim.Parameter("b")


def hermitian(num_qubits: int, rng: np.random.Generator) -> np.ndarray:
    m = rng.normal(size=(2, 1 << num_qubits, 1 << num_qubits))
    return (m[0] + 1j * m[1]) + (m[0] + 1j * m[1]).conj().T


def exponential(generators, thetas) -> np.ndarray:
    """By the series, after halving often enough."""
    h = -1j * sum(t * np.asarray(g) for t, g in zip(thetas, generators, strict=True)) / 1024
    out = term = np.eye(len(h), dtype=complex)
    for k in range(1, 12):
        term = term @ h / k
        out = out + term
    for _ in range(10):
        out = out @ out
    return out


def slopes(function, values, step=4e-3):
    """Central differences of sixth order, on a new last axis."""
    columns = []
    for e in step * np.eye(len(values)):
        up = [function(values + k * e) - function(values - k * e) for k in (1, 2, 3)]
        columns.append((45 * up[0] - 9 * up[1] + up[2]) / (60 * step))
    return np.stack(columns, axis=-1)


def circuit_of(generators, k: int) -> Circuit:
    """The gate with shared parameters and expressions among others, and behind a control."""
    circuit = Circuit(4).h(range(4)).rx(A * B, 1)
    circuit.generator_sum(generators, [A, 1.3 * B, 0.5][: len(generators)], list(range(k)))
    circuit.ry(B, 0).cx(0, 3).rz(0.4, 2)
    return circuit.generator_sum(["X0", "Z0", "Y0"], [A, 0.5, qsim.sin(B)], 3, controls=[2])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0.01, 1.0, 20.0]))
def test_matrix_is_the_exponential(seed, k, count, size):
    rng = np.random.default_rng(seed)
    generators = [hermitian(k, rng) for _ in range(count)]
    thetas = size * rng.normal(size=count) / (1 << k)
    gate = GeneratorSumGate(generators)
    expected = exponential(generators, thetas)
    np.testing.assert_allclose(gate.matrix(*thetas), expected, atol=1e-10)
    names = [qsim.Parameter(f"p{j}") for j in range(count)]
    symbolic = Circuit(k).append(gate, names, range(k))
    columns = [qsim.statevector(symbolic, thetas, initial_state=e) for e in np.eye(1 << k)]
    np.testing.assert_allclose(np.transpose(columns), expected, atol=1e-10)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_values_gradients_and_curvature(k, backend):
    rng = np.random.default_rng(k)
    generators = [hermitian(k, rng) / 2, hermitian(k, rng) / 3, hermitian(k, rng)]
    circuit = circuit_of(generators, k)
    values = rng.normal(size=(5, 2))
    observables = ["Z0 Z3", {"X1": 0.5, "Y2": 0.3}]
    found, gradients = qsim.value_and_gradient(circuit, observables, values, backend=backend)
    curvature = qsim.hessian(circuit, observables, values, backend=backend)
    for row, value, gradient, second in zip(values, found, gradients, curvature, strict=True):

        def dense(v):
            numbers = Circuit(4).h(range(4)).rx(v[0] * v[1], 1)
            numbers.unitary(exponential(generators, [v[0], 1.3 * v[1], 0.5]), list(range(k)))
            numbers.ry(v[1], 0).cx(0, 3).rz(0.4, 2)
            last = exponential([X, Z, [[0, -1j], [1j, 0]]], [v[0], 0.5, np.sin(v[1])])
            return qsim.expectation(numbers.unitary(last, 3, controls=[2]), observables, backend=backend)

        np.testing.assert_allclose(value, dense(row), atol=1e-12)
        np.testing.assert_allclose(gradient, slopes(dense, row), atol=1e-8)
        expected = slopes(lambda v: qsim.gradient(circuit, observables, v, backend=backend), row)
        np.testing.assert_allclose(second, expected, atol=1e-7)
    for method in ("parameter_shift", "hadamard_test"):
        again = qsim.gradient(circuit, observables, values, method=method, backend=backend)
        np.testing.assert_allclose(again, gradients, atol=1e-11)
    direction = np.array([0.3, -1.2])
    _, change = qsim.jvp(circuit, observables, values, direction, backend=backend)
    np.testing.assert_allclose(change, gradients @ direction, atol=1e-11)
    along = qsim.hvp(circuit, observables, values, direction, backend=backend)
    np.testing.assert_allclose(along, curvature @ direction, atol=1e-10)


def test_single_precision(backend):
    rng = np.random.default_rng(0)
    circuit = circuit_of([hermitian(2, rng), hermitian(2, rng)], 2)
    values = rng.normal(size=(9, 2))
    single = qsim.value_and_gradient(circuit, "Z0 Z3", values, backend=backend, precision="single")
    double = qsim.value_and_gradient(circuit, "Z0 Z3", values, backend=backend)
    np.testing.assert_allclose(single[0], double[0], atol=1e-5)
    np.testing.assert_allclose(single[1], double[1], atol=1e-4)


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_a_batch_is_a_loop(batch, backend):
    rng = np.random.default_rng(3)
    circuit = circuit_of([hermitian(2, rng), hermitian(2, rng)], 2)
    values = rng.normal(size=(batch, 2))
    found, gradients = qsim.value_and_gradient(circuit, "Z0 Z3", values, backend=backend)
    for row, value, gradient in zip(values, found, gradients, strict=True):
        one, slope = qsim.value_and_gradient(circuit, "Z0 Z3", row, backend=backend)
        assert abs(one - value) < 1e-12 and np.abs(slope - gradient).max() < 1e-12


@pytest.mark.parametrize(
    ("generators", "thetas"),
    [
        ([X, Z], [0.0, 0.0]),  # all levels equal
        ([X, Z], [0.0, 0.7]),
        ([X, Z], [1e-9, 1e-9]),
        ([Z, Z @ Z], [0.4, 0.3]),  # they commute
        ([np.kron(X, np.eye(2)), np.kron(Z, Z)], [0.2, 40.0]),
        ([np.kron(X, X), np.kron(Z, Z), np.kron(X, Z)], [0.5, 0.5, 0.0]),  # levels twice
    ],
)
def test_special_values(generators, thetas):
    k = len(generators[0]).bit_length() - 1
    names = qsim.ParameterVector("p", len(generators))
    circuit = random_circuit(k, 5, seed=1).generator_sum(generators, list(names), range(k))
    circuit = circuit.compose(random_circuit(k, 5, seed=2))
    values = np.array(thetas)

    def dense(v):
        numbers = random_circuit(k, 5, seed=1).unitary(exponential(generators, v), range(k))
        return qsim.expectation(numbers.compose(random_circuit(k, 5, seed=2)), "X0", [])

    value, gradient = qsim.value_and_gradient(circuit, "X0", values)
    assert value == pytest.approx(dense(values), abs=1e-12)
    np.testing.assert_allclose(gradient, slopes(dense, values), atol=1e-8)
    expected = slopes(lambda v: qsim.gradient(circuit, "X0", v), values)
    np.testing.assert_allclose(qsim.hessian(circuit, "X0", values), expected, atol=1e-7)


def test_one_generator_is_the_generator_gate():
    rng = np.random.default_rng(5)
    g = hermitian(2, rng)
    sums = Circuit(2).h([0, 1]).generator_sum([g], [A], [1, 0])
    single = Circuit(2).h([0, 1]).generator(g, A, [1, 0])
    for call in (qsim.expectation, qsim.gradient, qsim.hessian):
        np.testing.assert_allclose(call(sums, "Z0 X1", [0.3]), call(single, "Z0 X1", [0.3]), atol=1e-11)
    np.testing.assert_allclose(
        qsim.quantum_fisher(sums, [0.3]), qsim.quantum_fisher(single, [0.3]), atol=1e-11
    )


def test_pauli_sums_are_matrices_on_the_qubits_given():
    sums = [qsim.PauliSum({"X0": 0.5, "Z1": 0.2}), "Z0 Z1", {"Y1": 1.0}]
    matrices = [qsim.PauliSum(s).to_matrix(2) for s in sums]
    first = Circuit(3).h(range(3)).generator_sum(sums, [A, B, 0.3], [2, 0])
    second = Circuit(3).h(range(3)).generator_sum(matrices, [A, B, 0.3], [2, 0])
    assert first == second
    expected = qsim.statevector(
        Circuit(3).h(range(3)).unitary(exponential(matrices, [0.1, 0.2, 0.3]), [2, 0])
    )
    np.testing.assert_allclose(qsim.statevector(first, [0.1, 0.2]), expected, atol=1e-13)


def test_shots_are_unbiased_with_the_promised_error():
    rng = np.random.default_rng(7)
    circuit = circuit_of([hermitian(1, rng), hermitian(1, rng)], 1)
    values = np.repeat(rng.normal(size=(1, 2)), 200, axis=0)
    exact = qsim.gradient(circuit, {"Z0 Z3": 1.0, "X1": 0.5}, values[0])
    _, slope, _, std = qsim.value_and_gradient(
        circuit,
        {"Z0 Z3": 1.0, "X1": 0.5},
        values,
        method="parameter_shift",
        shots=50,
        seed=1,
        return_std=True,
    )
    z = (slope.mean(axis=0) - exact) / (std.mean(axis=0) / np.sqrt(len(values)))
    assert (np.abs(z) < 5).all(), z
    spread = slope.std(axis=0, ddof=1) / np.sqrt((std**2).mean(axis=0))
    assert (spread > 0.75).all() and (spread < 1.3).all(), spread


def test_inverse_power_and_copies():
    rng = np.random.default_rng(9)
    gate = GeneratorSumGate([hermitian(2, rng), hermitian(2, rng)], "drive")
    inverse, params = gate.inverse((0.3, -0.2))
    np.testing.assert_allclose(inverse.matrix(*params) @ gate.matrix(0.3, -0.2), np.eye(4), atol=1e-13)
    half, params = gate.power((0.3, -0.2), 0.5)
    np.testing.assert_allclose(
        half.matrix(*params) @ half.matrix(*params), gate.matrix(0.3, -0.2), atol=1e-13
    )
    circuit = Circuit(2).append(gate, [A, 2 * B], [1, 0])
    both = circuit.copy().compose(circuit.inverse())
    np.testing.assert_allclose(qsim.probabilities(both, [0.4, 0.6]), [1, 0, 0, 0], atol=1e-13)
    for again in (Circuit.from_json(circuit.to_json()), pickle.loads(pickle.dumps(circuit))):
        assert again == circuit
    program = pickle.loads(pickle.dumps(qsim.compile(circuit, "Z0")))
    assert program.expectation([0.1, 0.2]) == qsim.expectation(circuit, "Z0", [0.1, 0.2])
    bound = circuit.bind({"a": 0.1})
    assert qsim.expectation(bound, "Z0", [0.2]) == pytest.approx(qsim.expectation(circuit, "Z0", [0.1, 0.2]))


def test_openqasm_takes_numbers_only():
    circuit = Circuit(2).h(0).generator_sum(["X0", "Z0 Z1"], [A, 0.5], [0, 1])
    with pytest.raises(QasmError, match=r"generator_sum.*must be bound"):
        circuit.to_qasm()
    bound = circuit.bind({"a": 0.3})
    for version in (2, 3):
        again = qsim.io.loads(bound.to_qasm(version))
        assert abs(np.vdot(qsim.statevector(again), qsim.statevector(bound))) == pytest.approx(1)


@pytest.mark.parametrize(
    ("generators", "message"),
    [
        ([], "must hold at least one matrix"),
        ([[[0, 1], [2, 0]]], r"`generators\[0\]` must be Hermitian"),
        ([X, np.eye(4)], "one size on at most 4 qubits, but they are on 1, 2 qubits"),
        ([np.eye(32)], "one size on at most 4 qubits"),
        ([X, [[np.nan, 0], [0, 1]]], r"`generators\[1\]` must be finite"),
        ([X, np.ones((2, 3))], r"`generators\[1\]` must have shape"),
        ([1e200 * X], r"`generators\[0\]` must have entries of at most"),
    ],
)
def test_bad_generators(generators, message):
    with pytest.raises(ArgumentError, match=message):
        GeneratorSumGate(generators)


def test_bad_numbers_of_parameters_and_qubits():
    with pytest.raises(ParameterError, match="takes 2 parameters, but got 1"):
        Circuit(1).generator_sum([X, Z], [A], 0)
    with pytest.raises(CircuitError, match="qubit"):
        Circuit(2).generator_sum([X, Z], [A, B], [0, 1])
