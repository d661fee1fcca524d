"""Shift rules of whole parameters, and what methods other than adjoint do with measurements."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.errors import GradientError
from qsim.gradients.parameter_shift import _make_plan
from qsim.measurements import DensityMatrix, Fidelity, Probabilities, Purity, State, Variance
from qsim.testing import random_circuit, random_state
from qsim.user_gates import GeneratorGate, PhaseOnStatesGate


def evaluations(circuit):
    """How many circuits a parameter-shift gradient takes."""
    program = qsim.compile(circuit, "Z0")
    plan = _make_plan(program, list(range(len(circuit.parameters))))
    return len(plan.coefficients)


def agree(circuit, observable, seed=0):
    values = np.random.default_rng(seed).normal(size=(2, len(circuit.parameters)))
    program = qsim.compile(circuit, observable)
    exact = program.value_and_gradient(values)[1]
    shifted = program.value_and_gradient(values, method="parameter_shift")[1]
    np.testing.assert_allclose(shifted, exact, atol=1e-10)
    assert np.abs(exact).max() > 1e-3


def layers(num_qubits, edges, depth, weight=lambda i, j: 1.0):
    circuit = qsim.Circuit(num_qubits).h(range(num_qubits))
    for layer in range(depth):
        gamma, beta = qsim.Parameter(f"g{layer}"), qsim.Parameter(f"b{layer}")
        for i, j in edges:
            circuit.rzz(weight(i, j) * gamma, i, j)
        for q in range(num_qubits):
            circuit.rx(beta, q)
    return circuit


def test_a_ring_of_phases_is_shifted_as_one():
    n = 6
    circuit = layers(n, [(i, (i + 1) % n) for i in range(n)], 2)
    # a cut of a ring has an even number of edges: frequencies 2, 4, 6 instead of six single gates
    assert evaluations(circuit) == 2 * (2 * 3 + 2 * n)
    agree(circuit, "Z0 Z1")


def test_where_one_by_one_is_cheaper_gates_stay_alone():
    n = 5
    circuit = layers(n, [(i, i + 1) for i in range(n - 1)], 1, lambda i, j: np.sqrt(i + 2))
    assert evaluations(circuit) == 2 * (n - 1) + 2 * n
    agree(circuit, "Z0 Z1")


def test_gates_that_cancel_need_nothing():
    t = qsim.Parameter("t")
    circuit = qsim.Circuit(2).h(0).rzz(t, 0, 1).rzz(-t, 0, 1).ry(qsim.Parameter("u"), 0)
    assert evaluations(circuit) == 2
    agree(circuit, "Z0")


@pytest.mark.parametrize("seed", range(5))
def test_random_diagonals(seed):
    """Diagonal gates of one parameter, with other diagonals and controls in between, and mixing ones."""
    rng = np.random.default_rng(seed)
    t, u = qsim.Parameter("t"), qsim.Parameter("u")
    circuit = qsim.Circuit(4).h(range(4))
    for _ in range(14):
        a, b, c = rng.permutation(4)[:3].tolist()
        scale = float(rng.integers(1, 3)) * rng.choice([-1, 1])
        circuit = [
            lambda c_, a=a, b=b, s=scale: c_.rzz(s * t, a, b),
            lambda c_, a=a, b=b, s=scale: c_.rzz(s * t + 0.3, a, b),
            lambda c_, a=a, s=scale: c_.rz(s * t, a),
            lambda c_, a=a, b=b: c_.cp(t, a, b),
            lambda c_, a=a, b=b, k=c: c_.append("rzz", [t], [a, b], controls=[k]),
            lambda c_, a=a, b=b: c_.cz(a, b),
            lambda c_, a=a: c_.rx(u, a),
            lambda c_, a=a, b=b: c_.append(PhaseOnStatesGate(3, 2), [t], [a, b]),
        ][rng.choice(8, p=[0.3, 0.1, 0.15, 0.1, 0.05, 0.1, 0.1, 0.1])](circuit)
    circuit.rx(u, 0).ry(u, 1).cx(0, 2)
    agree(circuit, qsim.PauliSum({"X0 Z1": 1.0, "Y2 X3": 0.5, "Z0 Z3": 0.7}), seed)


def test_too_many_levels_fall_back():
    t = qsim.Parameter("t")
    gate = GeneratorGate(np.diag([0.0, 1.0, 2.7, 7.1]))
    circuit = qsim.Circuit(2).h([0, 1])
    for k in range(5):
        circuit.append(gate, [float(np.sqrt(k + 1)) * t], [0, 1]).ry(0.3, 0)
    agree(circuit, "X0")


LINEAR = [Probabilities([1, 0]), DensityMatrix([2]), Fidelity(random_state(3, 1))]
OTHERS = [Variance("Z0 X1"), Purity([0]), State()]


@pytest.mark.parametrize("measurement", LINEAR, ids=repr)
@pytest.mark.parametrize("method", ["parameter_shift", "finite_difference"])
def test_measurements_by_other_methods(measurement, method, backend):
    circuit = random_circuit(3, 12, seed=1, parameters=4)
    values = np.random.default_rng(0).normal(size=(2, len(circuit.parameters)))
    exact = qsim.value_and_gradient(circuit, measurement, values, backend=backend)
    found = qsim.value_and_gradient(circuit, measurement, values, method=method, backend=backend)
    np.testing.assert_allclose(found[0], exact[0], atol=1e-12)
    np.testing.assert_allclose(found[1], exact[1], atol=1e-11 if method == "parameter_shift" else 1e-8)


@pytest.mark.parametrize("measurement", OTHERS, ids=repr)
def test_measurements_that_are_not_linear(measurement):
    circuit = random_circuit(3, 12, seed=1, parameters=4)
    values = np.random.default_rng(0).normal(size=len(circuit.parameters))
    exact = qsim.gradient(circuit, measurement, values)
    found = qsim.gradient(circuit, measurement, values, method="finite_difference")
    np.testing.assert_allclose(found, exact, atol=1e-8)
    with pytest.raises(GradientError, match=r"'parameter_shift' needs what is linear.*'adjoint' or 'finite"):
        qsim.gradient(circuit, measurement, values, method="parameter_shift")
    with pytest.raises(GradientError, match="'hadamard_test' is for observables"):
        qsim.gradient(circuit, measurement, values, method="hadamard_test")


def test_generators_too_big_for_hadamard_tests():
    generator = np.diag(np.arange(128.0)) + np.eye(128)[::-1]
    circuit = qsim.Circuit(7).append(GeneratorGate(generator), [qsim.Parameter("t")], range(7))
    with pytest.raises(
        GradientError,
        match=r"at most 6 qubits, but gate 0, `generator` on .* has a matrix on 7\. Use method='adjoint'",
    ):
        qsim.gradient(circuit, "Z0", [0.1], method="hadamard_test")
