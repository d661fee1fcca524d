"""Geometric tensors and Fisher information against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, GradientError
from qsim.gradients.layers import layers_of
from qsim.testing import random_circuit

STEP = 2e-3


def slopes_of(function, values):
    columns = []
    for e in STEP * np.eye(len(values)):
        a, b, c, d = (function(values + k * e) for k in (1, -1, 2, -2))
        columns.append((8 * (a - b) - (c - d)) / (12 * STEP))
    return np.array(columns)


def tensor(circuit, values):
    """The definition, from differences of state vectors."""
    psi = qsim.statevector(circuit, values)
    t = slopes_of(lambda v: qsim.statevector(circuit, v), values)
    along = t.conj() @ psi
    return t.conj() @ t.T - np.outer(along, along.conj())


@pytest.fixture(scope="module")
def circuit():
    x = qsim.Parameter("x")
    return random_circuit(4, 24, seed=5, parameters=5).ry(qsim.sin(x), 0).crx(x, 0, 2).rz(0.3 * x, 1)


@pytest.fixture(scope="module")
def values(circuit):
    return np.random.default_rng(0).normal(size=(3, len(circuit.parameters)))


def test_tensor_is_its_definition(circuit, values, backend, precision):
    found = qsim.geometric_tensor(circuit, values, backend=backend, precision=precision)
    expected = np.array([tensor(circuit, row) for row in values])
    scale = max(1.0, np.abs(expected).max())
    tolerance = 1e-9 if precision == "double" else 1e-5
    np.testing.assert_allclose(found, expected, atol=tolerance * scale)
    assert np.array_equal(found, found.conj().swapaxes(1, 2))
    assert np.linalg.eigvalsh(found).min() > -10 * tolerance * scale
    information = qsim.quantum_fisher(circuit, values, backend=backend, precision=precision)
    np.testing.assert_allclose(information, 4 * expected.real, atol=4 * tolerance * scale)


def test_information_is_the_curvature_of_the_fidelity(circuit, values):
    """1 - |<psi(0)|psi(d)>|**2 = d F d / 4 to second order."""
    row = values[0]
    information = qsim.quantum_fisher(circuit, row)
    state = qsim.statevector(circuit, row)
    curvature = qsim.hessian(circuit, qsim.measurements.Fidelity(state), row)
    np.testing.assert_allclose(information, -2 * curvature, atol=1e-9)


def test_classical_information(circuit, values, backend):
    for qubits in (None, [2, 0], [1]):
        found = qsim.classical_fisher(circuit, values, qubits, backend=backend)
        for row, matrix in zip(values, found, strict=True):
            p = qsim.probabilities(circuit, row, qubits)
            t = slopes_of(lambda v, q=qubits: qsim.probabilities(circuit, v, q), row)
            np.testing.assert_allclose(matrix, np.einsum("ik,jk,k->ij", t, t, 1 / p), atol=1e-7)
            quantum = qsim.quantum_fisher(circuit, row)
            assert np.linalg.eigvalsh(quantum - matrix).min() > -1e-9


def test_outcomes_that_cannot_happen():
    circuit = qsim.Circuit(2).ry(qsim.Parameter("t"), 0)
    assert qsim.classical_fisher(circuit, [0.4]) == pytest.approx(np.ones((1, 1)))
    assert qsim.classical_fisher(circuit, [0.0]) == pytest.approx(np.zeros((1, 1)))


def test_approximations():
    t = qsim.ParameterVector("t", 6)
    circuit = qsim.Circuit(2).ry(t[0], 0).ry(t[1], 1).cx(0, 1).rx(t[2], 0).rz(t[3], 1).rzz(t[4], 0, 1)
    circuit.rx(t[0], 0).ry(t[5], 1)
    values = np.random.default_rng(1).normal(size=(2, 6))
    full = qsim.quantum_fisher(circuit, values)
    blocks = qsim.quantum_fisher(circuit, values, approximation="block_diagonal")
    diagonal = qsim.quantum_fisher(circuit, values, approximation="diagonal")
    layer = np.array([0, 0, 1, 1, 2, 3])
    np.testing.assert_allclose(blocks, np.where(layer[:, None] == layer, full, 0.0), atol=1e-14)
    assert (np.abs(full - blocks) > 1e-3).any()
    np.testing.assert_allclose(diagonal, full * np.eye(6), atol=1e-14)
    with pytest.raises(ArgumentError, match="`approximation` must be None, 'block_diagonal' or 'diagonal'"):
        qsim.quantum_fisher(circuit, values, approximation="layers")


@pytest.mark.parametrize("seed", range(4))
def test_blocks_are_those_of_the_full_tensor(seed, backend, precision):
    """Random circuits: controls, generators that depend on angles, shared parameters and expressions."""
    a, b = qsim.Parameter("a"), qsim.Parameter("b")
    circuit = random_circuit(4, 20, seed=seed, parameters=4).rx(a * b, 0).ry(a, 2, controls=[3])
    circuit.u(0.3, b, 0.1, 1).generator_sum(["X0", "Z0"], [qsim.sin(b), 0.4], 3)
    circuit = circuit.compose(random_circuit(4, 10, seed=seed + 10))
    values = np.random.default_rng(seed).normal(size=(3, len(circuit.parameters)))
    options = {"backend": backend, "precision": precision}
    full = qsim.geometric_tensor(circuit, values, **options)
    blocks = qsim.geometric_tensor(circuit, values, approximation="block_diagonal", **options)
    diagonal = qsim.geometric_tensor(circuit, values, approximation="diagonal", **options)
    layer = layers_of(qsim.compile(circuit), list(range(len(circuit.parameters)))).of_column
    expected = np.where(layer[:, None] == layer, full, 0.0)
    tolerance = 1e-12 if precision == "double" else 1e-5
    np.testing.assert_allclose(blocks, expected, atol=tolerance)
    np.testing.assert_allclose(diagonal, full * np.eye(len(layer)), atol=tolerance)
    wrt = [p.name for p in circuit.parameters[1::2]]
    some = qsim.quantum_fisher(circuit, values, wrt=wrt, approximation="diagonal", **options)
    np.testing.assert_allclose(some, (4 * full.real * np.eye(len(layer)))[:, 1::2, 1::2], atol=4 * tolerance)


def test_layers_need_no_dual_states(monkeypatch):
    """Two gates of a parameter in one layer, another of two parameters: one run, and products."""
    x, w = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 4)
    circuit = qsim.Circuit(4).ry(x[0], 0).ry(x[0], 1).rx(x[1] * w[0], 2).crz(w[1], 2, 3).cx(0, 2)
    circuit.rxx(w[2], 0, 1).p(w[3], 2)
    values = np.random.default_rng(0).normal(size=(2, 6))
    full = qsim.quantum_fisher(circuit, values)
    refused = "qsim.gradients.metric.tangent_states"
    monkeypatch.setattr(refused, lambda *args: pytest.fail("a dual state") if args[2] else iter(()))
    blocks = qsim.quantum_fisher(circuit, values, approximation="block_diagonal")
    layer = np.array([0, 0, 0, 1, 2, 2])  # in the order x[0], x[1], w[0], ...
    names = [p.name for p in circuit.parameters]
    order = [names.index(n) for n in ("x[0]", "x[1]", "w[0]", "w[1]", "w[2]", "w[3]")]
    found = blocks[:, order][:, :, order]
    np.testing.assert_allclose(
        found, np.where(layer[:, None] == layer, full[:, order][:, :, order], 0.0), atol=1e-13
    )
    diagonal = qsim.quantum_fisher(circuit, values, approximation="diagonal")
    np.testing.assert_allclose(diagonal, full * np.eye(6), atol=1e-13)


def test_forms(circuit, values):
    full = qsim.quantum_fisher(circuit, values)
    names = [p.name for p in circuit.parameters]
    some = qsim.quantum_fisher(circuit, values, wrt=["x", names[1]])
    places = [names.index("x"), 1]
    np.testing.assert_allclose(some, full[:, places][:, :, places], atol=1e-13)
    params = dict(zip(names, values[0], strict=True))
    found = qsim.geometric_tensor(circuit, params)
    assert isinstance(found["x"]["x"], complex) and found["x"]["x"].imag == 0
    assert 4 * found["x"][names[1]].real == pytest.approx(full[0, places[0], 1])
    assert qsim.geometric_tensor(qsim.Circuit(2).h(0)).shape == (0, 0)
    assert qsim.quantum_fisher(qsim.Circuit(1), approximation="block_diagonal").shape == (0, 0)


def test_pieces_change_no_bit(circuit, values, monkeypatch):
    kinds = (None, "block_diagonal", "diagonal")
    whole = [qsim.quantum_fisher(circuit, values, approximation=a) for a in kinds]
    monkeypatch.setattr("qsim.gradients.states._CHUNK_BYTES", 1)
    pieces = [qsim.quantum_fisher(circuit, values, approximation=a) for a in kinds]
    assert all(np.array_equal(a, b) for a, b in zip(whole, pieces, strict=True))


@pytest.mark.parametrize("call", ["geometric_tensor", "quantum_fisher", "classical_fisher"])
def test_refusals(call):
    measured = qsim.Circuit(1, 1).ry(qsim.Parameter("t"), 0).measure(0, 0).x(0)
    with pytest.raises(GradientError, match=rf"`{call}` needs a circuit of unitary gates"):
        getattr(qsim, call)(measured, [0.3])
