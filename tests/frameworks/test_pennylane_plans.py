"""Tapes that look alike to PennyLane's hashes, and are not: each has a plan of its own; needs PennyLane."""

from __future__ import annotations

import numpy as np
import pytest

qml = pytest.importorskip("pennylane")

from qsim.pennylane import QsimDevice  # noqa: E402


def prepare():
    for wire in range(5):
        qml.RY(0.3 + 0.4 * wire, wire)
        qml.RX(0.2 + 0.3 * wire, wire)


def expectation(device, obs):
    @qml.qnode(device)
    def circuit():
        prepare()
        return qml.expval(obs)

    return float(circuit())


def dense(matrix, wires=range(5)):
    """The mean by matrices, as PennyLane's own simulator takes some of these observables for the same."""

    @qml.qnode(qml.device("default.qubit", wires=5))
    def circuit():
        prepare()
        return qml.density_matrix(wires)

    return np.trace(circuit() @ matrix).real


def test_observables_are_told_apart_by_all_their_digits():
    device = QsimDevice(wires=5)
    matrix = np.diag(np.arange(32.0))
    other = matrix.copy()
    other[10, 10] += 3.0  # where the text of an array has dots
    sparse = pytest.importorskip("scipy.sparse").csr_matrix
    hadamard = np.kron([[1, 1], [1, -1]] / np.sqrt(2), np.eye(16))
    cases = [
        (lambda m: qml.Hermitian(m, range(5)), lambda m: m),
        (lambda m: qml.SparseHamiltonian(sparse(m), range(5)), lambda m: m),
        (lambda m: qml.Hermitian(m, range(5)) + qml.Hadamard(0), lambda m: m + hadamard),
        (lambda m: 2.0 * qml.Hermitian(m, range(5)), lambda m: 2.0 * m),
    ]
    for make, meant in cases:
        found = [expectation(device, make(m)) for m in (matrix, other)]
        np.testing.assert_allclose(found, [dense(meant(m)) for m in (matrix, other)], rtol=1e-12)


def test_small_differences_of_matrices_count():
    device = QsimDevice(wires=5)
    levels = [np.diag([1.0, 2.0 + step]) for step in (0.0, 1e-9)]
    found = [expectation(device, qml.Hermitian(m, 0)) for m in levels]
    assert found[1] - found[0] == pytest.approx(dense(levels[1] - levels[0], [0]), rel=1e-5)


def test_tensors_in_observables_are_told_apart_by_all_their_digits():
    torch = pytest.importorskip("torch")
    device = QsimDevice(wires=5)
    for make in (lambda c: c * qml.Z(0) + qml.X(1), lambda c: qml.s_prod(c, qml.Hadamard(0))):
        values = [
            expectation(device, make(torch.tensor(0.5 + step, dtype=torch.float64))) for step in (0.0, 1e-6)
        ]
        unit = expectation(device, make(1.5)) - expectation(device, make(0.5))
        assert values[1] - values[0] == pytest.approx(1e-6 * unit, rel=1e-6)


class Scaled(qml.measurements.StateMeasurement):
    """A user's measurement, with a number that PennyLane's hash does not know."""

    def __init__(self, factor):
        self.factor = factor
        super().__init__()

    numeric_type = float

    def shape(self, shots=None, num_device_wires=0):
        return ()

    def process_state(self, state, wire_order):
        return self.factor * np.real(state[0])

    def process_density_matrix(self, density_matrix, wire_order):
        raise NotImplementedError


def test_measurements_of_a_user_are_told_apart():
    device = QsimDevice(wires=1)

    @qml.qnode(device)
    def circuit(factor):
        qml.RX(0.3, 0)
        return Scaled(factor)

    np.testing.assert_allclose([circuit(1.0), circuit(2.0)], np.cos(0.15) * np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    "obs",
    [
        qml.s_prod(1j, qml.s_prod(-1j, qml.Hadamard(0) @ qml.Z(1))),
        qml.pow(qml.Hadamard(0), 3),
        qml.adjoint(qml.Hadamard(0)),
        qml.pow(qml.Hermitian(np.array([[1.0, 2j], [-2j, 0.5]]), 0), 2),
    ],
    ids=["complex factors", "odd power", "inverse", "square"],
)
def test_observables_made_of_others(obs):
    matrix = qml.matrix(obs, wire_order=obs.wires)
    assert expectation(QsimDevice(wires=5), obs) == pytest.approx(dense(matrix, obs.wires), abs=1e-12)
