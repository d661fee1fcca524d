"""Derivatives of everything a state can be asked, against differences of dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, GradientError, QubitError, StateError
from qsim.measurements import (
    DensityMatrix,
    Expectation,
    Fidelity,
    Overlap,
    Probabilities,
    Purity,
    State,
    Variance,
)
from qsim.observables import PauliSum
from qsim.testing import random_circuit, random_state, random_unitary

N = 3
STEP = 2e-3
RNG = np.random.default_rng(11)
MATRIX = random_unitary(2, RNG)
MATRIX = (MATRIX + MATRIX.conj().T) / 2
OBSERVABLES = [
    PauliSum({"XYZ": 1.0, "ZZI": 0.4}),
    qsim.Hermitian(MATRIX, [2, 0]),
    qsim.Projector("10", [1, 2]),
    qsim.Diagonal(RNG.normal(size=4), [0, 2]),
    qsim.SparseMatrix(PauliSum({"XYZ": 1.0}).to_matrix()),
    qsim.StateProjector(random_state(N, RNG)),
]
TARGETS = np.array([random_state(N, k) for k in range(2)])


def reduced(psi, qubits):
    """The density matrix of some qubits, the first least significant, straight from the definition."""
    rho = np.zeros((1 << len(qubits),) * 2, dtype=complex)
    others = [q for q in range(N) if q not in qubits]

    def place(a, b):
        spread = sum((a >> k & 1) << q for k, q in enumerate(qubits))
        return spread + sum((b >> k & 1) << q for k, q in enumerate(others))

    for i in range(len(rho)):
        for j in range(len(rho)):
            rho[i, j] = sum(
                psi[place(i, rest)] * psi[place(j, rest)].conj() for rest in range(1 << len(others))
            )
    return rho


def variances(psi):
    matrices = [o.to_matrix(N) for o in OBSERVABLES]
    return np.array([(psi.conj() @ m @ m @ psi).real - (psi.conj() @ m @ psi).real ** 2 for m in matrices])


#: measurement, and the same as a function of a dense state and a row
CASES = {
    "expectation": (
        Expectation(OBSERVABLES),
        lambda psi, row: np.array([(psi.conj() @ o.to_matrix(N) @ psi).real for o in OBSERVABLES]),
    ),
    "one observable": (
        Expectation("Z0"),
        lambda psi, row: (psi.conj() @ PauliSum("IIZ").to_matrix(3) @ psi).real,
    ),
    "variance": (Variance(OBSERVABLES), lambda psi, row: variances(psi)),
    "one variance": (Variance(OBSERVABLES[1]), lambda psi, row: variances(psi)[1]),
    "probabilities": (Probabilities(), lambda psi, row: np.abs(psi) ** 2),
    "marginals": (Probabilities([2, 0]), lambda psi, row: np.diag(reduced(psi, [2, 0])).real),
    "marginal": (Probabilities(1), lambda psi, row: np.diag(reduced(psi, [1])).real),
    "state": (State(), lambda psi, row: psi),
    "density matrix": (DensityMatrix(), lambda psi, row: np.outer(psi, psi.conj())),
    "reduced": (DensityMatrix([2, 1]), lambda psi, row: reduced(psi, [2, 1])),
    "purity": (Purity([1]), lambda psi, row: np.trace(reduced(psi, [1]) @ reduced(psi, [1])).real),
    "purity of more": (Purity([0, 2]), lambda psi, row: np.trace(reduced(psi, [1]) @ reduced(psi, [1])).real),
    "fidelity": (Fidelity(TARGETS[0]), lambda psi, row: abs(TARGETS[0].conj() @ psi) ** 2),
    "fidelities": (Fidelity(TARGETS), lambda psi, row: abs(TARGETS[row].conj() @ psi) ** 2),
    "overlap": (Overlap(TARGETS), lambda psi, row: TARGETS[row].conj() @ psi),
}
X = qsim.Parameter("x")
CIRCUIT = random_circuit(N, 14, seed=3, parameters=4).rx(qsim.sin(2 * X), 1).ry(X, 0).cx(0, 1).crz(X, 1, 2)
VALUES = np.random.default_rng(4).normal(size=(2, len(CIRCUIT.parameters)))


def differences(function, values):
    columns = []
    for e in STEP * np.eye(len(values)):
        a, b, c, d = (function(values + k * e) for k in (1, -1, 2, -2))
        columns.append((8 * (a - b) - (c - d)) / (12 * STEP))
    return np.stack(columns, axis=-1)


def oracle(function, values, row):
    return np.asarray(function(qsim.statevector(CIRCUIT, values), row))


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def random_cotangent(rng, like):
    out = rng.normal(size=like.shape)
    return out + 1j * rng.normal(size=like.shape) if np.iscomplexobj(like) else out


def test_values_and_jacobians(case, backend, precision):
    measurement, function = case
    value, jacobian = qsim.value_and_gradient(
        CIRCUIT, measurement, VALUES, backend=backend, precision=precision
    )
    expected = np.array([oracle(function, v, r) for r, v in enumerate(VALUES)])
    slopes = np.array([differences(lambda w, r=r: oracle(function, w, r), v) for r, v in enumerate(VALUES)])
    tolerance = 1e-9 if precision == "double" else 2e-5
    assert value.shape == expected.shape and jacobian.shape == slopes.shape
    np.testing.assert_allclose(value, expected, atol=tolerance)
    np.testing.assert_allclose(jacobian, slopes, atol=tolerance)
    assert np.iscomplexobj(jacobian) == np.iscomplexobj(expected)


def test_products(case, backend, precision):
    measurement, _ = case
    rng = np.random.default_rng(0)
    program = qsim.compile(CIRCUIT, backend=backend, precision=precision)
    value, jacobian = qsim.value_and_gradient(CIRCUIT, measurement, VALUES, backend=backend)
    cotangent = random_cotangent(rng, value)
    tangent = rng.normal(size=VALUES.shape)
    tolerance = 1e-12 if precision == "double" else 2e-5
    found, pulled = program.vjp(VALUES, cotangent, measurement=measurement)
    np.testing.assert_allclose(found, value, atol=tolerance)
    axes = tuple(range(1, value.ndim))
    expected = (cotangent.conj()[..., None] * jacobian).real.sum(axis=axes)
    np.testing.assert_allclose(pulled, expected, atol=tolerance)
    found, pushed = program.jvp(VALUES, tangent, measurement=measurement)
    np.testing.assert_allclose(found, value, atol=tolerance)
    shape = (2,) + (1,) * len(axes) + (-1,)
    np.testing.assert_allclose(pushed, (jacobian * tangent.reshape(shape)).sum(-1), atol=tolerance)


def test_second_order(case, backend):
    measurement, _ = case
    rng = np.random.default_rng(1)
    program = qsim.compile(CIRCUIT, backend=backend)
    row = VALUES[0]
    if measurement in (CASES["fidelities"][0], CASES["overlap"][0]):
        measurement = type(measurement)(TARGETS[0])
    cotangent = random_cotangent(
        rng, np.asarray(program.vjp(row, _zeros(program, measurement, row), measurement=measurement)[0])
    )
    vector = rng.normal(size=row.shape)
    expected = differences(lambda v: program.vjp(v, cotangent, measurement=measurement)[1], row)
    found = program.hessian(row, measurement=measurement, cotangent=cotangent)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    product = program.hvp(row, vector, measurement=measurement, cotangent=cotangent)
    np.testing.assert_allclose(product, found @ vector, atol=1e-12)
    if not measurement.is_complex:
        every = program.hessian(row, measurement=measurement)
        summed = np.tensordot(cotangent, every, axes=np.ndim(cotangent))
        np.testing.assert_allclose(summed, found, atol=1e-12)


def _zeros(program, measurement, row):
    shape = measurement.shape(measurement.attach(program))
    return np.zeros(shape)


def test_a_loss_of_many_measurements(backend):
    """The chain rule over three measurements, as a framework would carry it out."""
    program = qsim.compile(CIRCUIT, backend=backend)

    def parts(values):
        p = program.vjp(values, np.zeros(4), measurement=Probabilities([0, 1]))[0]
        v = program.vjp(values, 0.0, measurement=Variance("Z2"))[0]
        psi = program.statevector(values)
        return p, v, psi

    def loss(values):
        p, v, psi = parts(values)
        return np.log(p + 0.1).sum() * v + np.abs(psi[3] ** 2 - 0.2j) ** 2

    row = VALUES[0]
    p, v, psi = parts(row)
    gradient = program.vjp(row, v / (p + 0.1), measurement=Probabilities([0, 1]))[1]
    gradient += program.vjp(row, np.log(p + 0.1).sum(), measurement=Variance("Z2"))[1]
    z = psi[3]
    cotangent = np.zeros(8, complex)
    cotangent[3] = 2 * (z**2 - 0.2j) * np.conj(2 * z)  # of |f|**2: 2 f conj(f')
    gradient += program.vjp(row, cotangent, measurement=State())[1]
    np.testing.assert_allclose(gradient, differences(loss, row), atol=1e-8)


def test_fidelity_of_two_circuits(backend):
    a, b = qsim.ParameterVector("a", 3), qsim.ParameterVector("b", 3)
    first = qsim.Circuit(2).ry(a[0], 0).crx(a[1], 0, 1).rz(a[2], 1)
    second = qsim.Circuit(2).ry(b[0], 1).rxx(b[1], 0, 1).rx(b[2], 1)
    both = first.compose(second.inverse())
    params = {"a": [0.3, 1.1, -0.4], "b": [0.9, 0.2, 0.5]}
    value, slopes = qsim.value_and_gradient(both, qsim.Projector("00"), params, backend=backend)
    assert value == pytest.approx(qsim.fidelity(first, second, {"a": params["a"]}, {"b": params["b"]}))
    other = qsim.statevector(second, {"b": params["b"]})
    fixed = qsim.gradient(first, Fidelity(other), {"a": params["a"]}, backend=backend)
    np.testing.assert_allclose(slopes["a"], fixed["a"], atol=1e-13)
    assert np.abs(slopes["b"]).min() > 1e-3


def test_one_row_and_dicts():
    circuit = qsim.Circuit(1).ry(X, 0)
    value, slopes = qsim.value_and_gradient(circuit, Probabilities(), {"x": 0.5})
    assert value.shape == (2,) and slopes["x"] == pytest.approx([-np.sin(0.5) / 2, np.sin(0.5) / 2])
    value, slopes = qsim.value_and_gradient(circuit, Purity([0]), {"x": 0.5})
    assert isinstance(value, float) and slopes["x"] == pytest.approx(0.0, abs=1e-12)
    value, slopes = qsim.vjp(circuit, Overlap([1, 0]), {"x": [0.5, 0.6]}, 1.0)
    assert value.shape == (2,) and slopes["x"] == pytest.approx([-np.sin(0.25) / 2, -np.sin(0.3) / 2])
    assert isinstance(qsim.vjp(circuit, Overlap([1, 0]), [0.5], 1.0)[0], complex)


# -- refusals --------------------------------------------------------------------------------------
def test_errors():
    circuit = qsim.Circuit(2).ry(X, 0)
    with pytest.raises(TypeError, match="`cotangent` must be real numbers"):
        qsim.vjp(circuit, "Z0", [0.3], 1j)
    with pytest.raises(TypeError, match="`cotangent` must be complex numbers, but is str"):
        qsim.vjp(circuit, State(), [0.3], "x")
    with pytest.raises(ArgumentError, match=r"shape of the value, \(4,\), but has shape \(2,\)"):
        qsim.vjp(circuit, State(), [0.3], [1.0, 2.0])
    with pytest.raises(ArgumentError, match="finite"):
        qsim.vjp(circuit, "Z0", [0.3], np.nan)
    with pytest.raises(QubitError, match="2 is out of range"):
        qsim.gradient(circuit, Probabilities([2]), [0.3])
    with pytest.raises(StateError, match=r"must have shape \(4,\)"):
        qsim.gradient(circuit, Fidelity([1, 0]), [0.3])
    with pytest.raises(StateError, match="a batch of 3, but the parameters have one of 2"):
        qsim.gradient(circuit, Fidelity(np.eye(4)[:3]), [[0.3], [0.2]])
    with pytest.raises(StateError, match="norm 1"):
        Fidelity([1.0, 1.0])
    with pytest.raises(TypeError, match="`states`"):
        Fidelity("x")
    with pytest.raises(GradientError, match=r"`hessian` needs a real value, but State\(\) is complex"):
        qsim.hessian(circuit, State(), [0.3])


# -- by the initial state --------------------------------------------------------------------------
def test_derivatives_by_the_initial_state(case, backend, precision):
    measurement, function = case
    rng = np.random.default_rng(5)
    states = np.array([random_state(N, k) for k in (7, 8)])
    program = qsim.compile(CIRCUIT, backend=backend, precision=precision)
    zeros = np.zeros((2, *measurement.shape(measurement.attach(program))))
    value, _, _ = program.vjp(VALUES, zeros, initial_state=states, measurement=measurement)
    cotangent = random_cotangent(rng, value)
    _, slopes, by_state = program.vjp(VALUES, cotangent, initial_state=states, measurement=measurement)
    for row in range(2):
        unitary = CIRCUIT.bind(dict(zip(CIRCUIT.parameters, VALUES[row], strict=True))).matrix()

        def loss(parts, row=row, unitary=unitary):  # real and imaginary parts of the amplitudes
            found = np.asarray(function(unitary @ (parts[: 1 << N] + 1j * parts[1 << N :]), row))
            return (cotangent[row].conj() * found).real.sum()

        parts = np.concatenate([states[row].real, states[row].imag])
        tangent = rng.normal(size=len(parts))
        tangent -= parts * (parts @ tangent)  # along the sphere: some answers suppose a norm of 1
        expected = differences(lambda s, r=row, p=parts, t=tangent: loss(p + s[0] * t), np.zeros(1))[0]
        found = np.concatenate([by_state[row].real, by_state[row].imag]) @ tangent
        assert found == pytest.approx(expected, abs=1e-8 if precision == "double" else 1e-4)

        def moved(v, row=row):
            state = qsim.statevector(CIRCUIT, v, initial_state=states[row])
            return (cotangent[row].conj() * np.asarray(function(state, row))).real.sum()

        tolerance = 1e-8 if precision == "double" else 1e-4
        np.testing.assert_allclose(slopes[row], differences(moved, VALUES[row]), atol=tolerance)


def test_batches_of_initial_states():
    circuit = qsim.Circuit(2).ry(X, 0).cx(0, 1)
    one = qsim.vjp(circuit, "Z0", [0.3], 1.0, initial_state=[1, 0, 0, 0])
    assert isinstance(one[0], float) and one[1].shape == (1,) and one[2].shape == (4,)
    many = qsim.vjp(circuit, "Z0", [0.3], 1.0, initial_state=np.eye(4))
    assert many[0].shape == (4,) and many[1].shape == (4, 1) and many[2].shape == (4, 4)
    np.testing.assert_allclose(many[2][0], one[2], atol=1e-15)
    np.testing.assert_allclose(many[2][0, :2].real, [2 * np.cos(0.3), -2 * np.sin(0.3)], atol=1e-12)
    rows = qsim.vjp(circuit, "Z0", {"x": [0.3, 0.4, 0.5]}, np.ones(3), initial_state=[1, 0, 0, 0])
    assert rows[1]["x"].shape == (3,) and rows[2].shape == (3, 4)
    assert qsim.vjp(qsim.Circuit(1), "Z0", None, 1.0, initial_state=[1, 0])[2] == pytest.approx([2, 0])
    with pytest.raises(ArgumentError, match="batch of 3"):
        qsim.vjp(circuit, "Z0", {"x": [0.3, 0.4, 0.5]}, np.ones(3), initial_state=np.eye(4))
    with pytest.raises(StateError, match="norm"):
        qsim.vjp(circuit, "Z0", [0.3], 1.0, initial_state=[1, 1, 0, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda c: qsim.compile(c, Probabilities),
            r"class of a measurement Probabilities. Give Probab.*measurem",
        ),
        (
            lambda c: qsim.compile(c, Probabilities([0])),
            r"is the measurement Probabilities. Give Probabilities\(",
        ),
        (
            lambda c: qsim.expectation(c, ["Z0", Purity([0])]),
            r"is the measurement Purity. Give Purity\(\[0\]\) to",
        ),
        (lambda c: qsim.compile(c, int), "is the class int"),
        (lambda c: qsim.compile(c, 3), "but is int"),
    ],
)
def test_where_measurements_belong(call, message):
    with pytest.raises(TypeError, match=message):
        call(qsim.Circuit(1).h(0))


def test_qubits_given_as_parameters():
    circuit = qsim.Circuit(20).h(0)
    with pytest.raises(qsim.errors.ParameterError, match=r"to choose qubits, write `qubits=\[18, 3, 5\]`"):
        qsim.probabilities(circuit, [18, 3, 5])
    for values in ([0.5, 3, 5], [18, 3, 3], [18, 3, 50]):  # these cannot be qubits
        with pytest.raises(qsim.errors.ParameterError, match=r"has shape \(3,\)\.$"):
            qsim.probabilities(circuit, values)
