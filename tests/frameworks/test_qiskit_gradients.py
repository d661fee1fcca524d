"""Gradients for qiskit-machine-learning against its own rules, differences, and its networks."""

from __future__ import annotations

import numpy as np
import pytest

import qsim

pytest.importorskip("qiskit", minversion="2.2")
pytest.importorskip("qiskit_machine_learning", minversion="0.9")

from qiskit.circuit import Parameter, ParameterVector, QuantumCircuit
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_machine_learning.gradients import (
    DerivativeType,
    LinCombEstimatorGradient,
    ParamShiftEstimatorGradient,
)
from qiskit_machine_learning.neural_networks import EstimatorQNN, SamplerQNN

from qsim.errors import GradientError, ObservableError
from qsim.qiskit import QsimEstimator, QsimSampler
from qsim.qiskit.gradients import QsimEstimatorGradient, QsimQGT, QsimSamplerGradient


def circuit_of(num_qubits=3):
    """Shared parameters, expressions, and another order by name than by appearance."""
    v, z = ParameterVector("v", 11), Parameter("a")
    circuit = QuantumCircuit(num_qubits, global_phase=0.3 * z)
    for qubit in range(num_qubits):
        circuit.ry(v[10 - qubit] * 2, qubit)
        circuit.rz(v[3 + qubit] + z, qubit)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.rxx(v[10] * v[9], 0, 2)
    circuit.p(v[0], 1)
    circuit.rx(v[1], 2)
    return circuit


CIRCUIT = circuit_of()
ROWS = np.random.default_rng(0).uniform(-3, 3, (3, CIRCUIT.num_parameters))
FIRST, SECOND = SparsePauliOp(["XIZ", "IYI", "III"], [1.0, 0.5, 2.0]), SparsePauliOp("ZXI")


def state_of(values):
    return Statevector(CIRCUIT.assign_parameters(values)).data


def state_slopes(row, step=1e-5):
    """Derivatives of the state by central differences, (2**n, parameters)."""
    shifts = step * np.eye(len(row))
    return np.stack([(state_of(row + s) - state_of(row - s)) / (2 * step) for s in shifts], axis=1)


def same(found, wanted, atol=1e-9):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, atol=atol)


# -- expectation values --------------------------------------------------------------------------------
def test_gradients_are_those_of_the_shift_rule():
    circuits = [CIRCUIT] * 4
    observables, rows = [FIRST, SECOND, FIRST, SECOND], ROWS[[0, 1, 2, 2]]
    chosen = [None, [CIRCUIT.parameters[4], CIRCUIT.parameters[0]], None, CIRCUIT.parameters[3:5]]
    found = QsimEstimatorGradient().run(circuits, observables, rows, chosen).result()
    shift = ParamShiftEstimatorGradient(StatevectorEstimator())
    wanted = shift.run(circuits, observables, rows, chosen).result()
    same(found.gradients, wanted.gradients)
    assert [len(m["parameters"]) for m in found.metadata] == [
        CIRCUIT.num_parameters,
        2,
        CIRCUIT.num_parameters,
        2,
    ]


@pytest.mark.parametrize("kind", DerivativeType)
def test_real_and_imaginary_parts(kind):
    gradient = QsimEstimatorGradient(derivative_type=kind)
    found = gradient.run([CIRCUIT] * 2, [FIRST, SECOND], ROWS[:2]).result().gradients
    for observable, row, slopes in zip((FIRST, SECOND), ROWS, found, strict=False):
        overlaps = 2 * state_of(row).conj() @ observable.to_matrix() @ state_slopes(row)
        part = {DerivativeType.REAL: overlaps.real, DerivativeType.IMAG: overlaps.imag}.get(kind, overlaps)
        np.testing.assert_allclose(slopes, part, atol=1e-7)
        assert slopes.dtype == part.dtype


def test_derivative_types_agree_with_linear_combinations_where_phases_do():
    circuit = QuantumCircuit(2)
    v = ParameterVector("v", 3)
    circuit.ry(v[0], 0)
    circuit.cx(0, 1)
    circuit.rz(v[1] * v[0], 0)
    circuit.rx(v[2], 1)
    row = [[0.3, 0.7, 1.1]]
    for kind in DerivativeType:
        own = QsimEstimatorGradient()
        own.derivative_type = kind
        other = LinCombEstimatorGradient(StatevectorEstimator(), derivative_type=kind)
        observable = SparsePauliOp(["XI", "YZ"], [0.5, 1.0])
        jobs = [g.run([circuit], [observable], row).result().gradients for g in (own, other)]
        same(*jobs)


def test_a_parameter_that_a_loop_never_uses_has_no_slope():
    unused, used = Parameter("unused"), Parameter("used")
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(0)) as k:
        circuit.rx(unused * k, 0)
    circuit.ry(used, 0)
    found = QsimEstimatorGradient().run([circuit], [SparsePauliOp("X")], [[0.3, 0.4]]).result()
    np.testing.assert_allclose(found.gradients[0], [0.0, np.cos(0.4)])


def test_circuits_that_branch_are_refused():
    circuit = QuantumCircuit(1, 1)
    circuit.ry(Parameter("t"), 0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    with pytest.raises(GradientError):
        QsimEstimatorGradient().run([circuit], [SparsePauliOp("Z")], [[0.3]]).result()
    with pytest.raises(GradientError, match="before its end"):
        QsimSamplerGradient().run([circuit], [[0.3]]).result()


def test_observables_of_other_kinds():
    from qiskit.quantum_info import Operator, Pauli

    observables = [Pauli("XIZ"), Operator(SparsePauliOp("XIZ")), SparsePauliOp("XIZ")]
    found = QsimEstimatorGradient().run([CIRCUIT] * 3, observables, ROWS[[0, 0, 0]]).result().gradients
    same(found[:2], found[1:])
    with pytest.raises(ObservableError, match="parameters"):
        odd = SparsePauliOp(["XIZ"], np.array([Parameter("c")]))
        QsimEstimatorGradient().run([CIRCUIT], [odd], ROWS[:1]).result()


def test_other_primitives_are_refused():
    with pytest.raises(TypeError, match="QsimEstimator"):
        QsimEstimatorGradient(StatevectorEstimator())
    with pytest.raises(TypeError, match="QsimSampler"):
        QsimSamplerGradient(QsimEstimator())
    with pytest.raises(TypeError, match="QsimEstimator"):
        QsimQGT(StatevectorEstimator())


def test_options_of_the_primitive_are_the_simulators():
    single = QsimEstimatorGradient(QsimEstimator(options={"precision": "single"}))
    a, b = (
        g.run([CIRCUIT], [FIRST], ROWS[:1]).result().gradients[0] for g in (single, QsimEstimatorGradient())
    )
    assert not np.array_equal(a, b)
    np.testing.assert_allclose(a, b, atol=1e-4)
    assert single.options.precision == "single"


# -- probabilities -------------------------------------------------------------------------------------
@pytest.mark.parametrize("registers", ["meas", "c", "two"])
def test_slopes_of_probabilities(registers):
    """Against differences of exact distributions."""
    measured = CIRCUIT.copy()
    if registers == "meas":
        measured.measure_all()
    elif registers == "c":
        from qiskit.circuit import ClassicalRegister

        measured.add_register(ClassicalRegister(4, "c"))
        measured.measure([2, 0], [1, 3])
        measured.barrier()
    else:
        from qiskit.circuit import ClassicalRegister

        measured.add_register(ClassicalRegister(1, "x"), ClassicalRegister(2, "y"))
        measured.measure([1, 2, 1], [0, 1, 2])

    def probabilities(row):
        found = qsim.distribution(qsim.from_qiskit(measured.assign_parameters(row)))
        return np.array(
            [found.get(format(k, f"0{measured.num_clbits}b"), 0.0) for k in range(1 << measured.num_clbits)]
        )

    found = QsimSamplerGradient().run([measured] * 2, ROWS[:2]).result().gradients
    for row, slopes in zip(ROWS, found, strict=False):
        assert len(slopes) == measured.num_parameters
        for shift, own in zip(1e-5 * np.eye(len(row)), slopes, strict=True):
            wanted = (probabilities(row + shift) - probabilities(row - shift)) / 2e-5
            got = np.array([own.get(k, 0.0) for k in range(len(wanted))])
            np.testing.assert_allclose(got, wanted, atol=1e-8)


def test_unmeasured_circuits_have_outcomes_of_all_qubits():
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("t"), 1)
    (slopes,) = QsimSamplerGradient().run([circuit], [[0.7]]).result().gradients[0]
    assert slopes[0] == pytest.approx(-np.sin(0.7) / 2) and slopes[2] == pytest.approx(np.sin(0.7) / 2)


# -- geometry ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", DerivativeType)
@pytest.mark.parametrize("phase_fix", [True, False])
def test_geometric_tensors(kind, phase_fix):
    chosen = [None, [CIRCUIT.parameters[3], CIRCUIT.parameters[1]]]
    found = QsimQGT(phase_fix=phase_fix, derivative_type=kind).run([CIRCUIT] * 2, ROWS[:2], chosen).result()
    assert found.derivative_type == kind
    for row, columns, tensor in zip(ROWS, (slice(None), [3, 1]), found.qgts, strict=False):
        state, slopes = state_of(row), state_slopes(row)[:, columns]
        wanted = slopes.conj().T @ slopes
        if phase_fix:
            wanted = wanted - np.outer(slopes.conj().T @ state, state.conj() @ slopes)
        part = {DerivativeType.REAL: wanted.real, DerivativeType.IMAG: wanted.imag}.get(kind, wanted)
        np.testing.assert_allclose(tensor, part, atol=1e-8)


# -- networks ------------------------------------------------------------------------------------------
def network_parts():
    x, w = ParameterVector("x", 2), ParameterVector("w", 4)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.ry(x[1], 1)
    circuit.cx(0, 1)
    for k in range(2):
        circuit.ry(w[2 * k], k)
        circuit.rz(w[2 * k + 1], k)
    circuit.cx(1, 0)
    circuit.rx(x[0] * w[1], 0)
    rng = np.random.default_rng(2)
    return (
        {"circuit": circuit, "input_params": list(x), "weight_params": list(w)},
        rng.uniform(0, 1, (5, 2)),
        rng.uniform(0, 6, 4),
    )


@pytest.mark.parametrize("input_gradients", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_estimator_networks(input_gradients, count):
    parts, inputs, weights = network_parts()
    options = {**parts, "input_gradients": input_gradients, "default_precision": 0.0}
    options["observables"] = [SparsePauliOp("ZI"), SparsePauliOp(["XY", "IZ"], [0.5, 1.0])][:count]
    estimator = QsimEstimator()
    own = EstimatorQNN(estimator=estimator, gradient=QsimEstimatorGradient(estimator), **options)
    other = EstimatorQNN(estimator=StatevectorEstimator(), **options)
    np.testing.assert_allclose(own.forward(inputs, weights), other.forward(inputs, weights), atol=1e-12)
    for a, b in zip(own.backward(inputs, weights), other.backward(inputs, weights), strict=True):
        if b is None:
            assert a is None
        else:
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, atol=1e-10)


def test_sampler_networks():
    """Backwards against differences of exact probabilities, forwards within 5 standard errors."""
    parts, inputs, weights = network_parts()
    shots = 20_000
    network = SamplerQNN(
        sampler=QsimSampler(seed=1, default_shots=shots),
        gradient=QsimSamplerGradient(),
        interpret=lambda k: k.bit_count() % 2,
        output_shape=2,
        input_gradients=True,
        **parts,
    )
    own = qsim.from_qiskit(parts["circuit"])

    def probabilities(rows, weights):
        params = {"x": rows, "w": np.broadcast_to(weights, (len(rows), len(weights)))}
        p = qsim.probabilities(own, params)
        return np.stack([p[:, [0, 3]].sum(1), p[:, [1, 2]].sum(1)], axis=1)

    exact = probabilities(inputs, weights)
    assert (np.abs(network.forward(inputs, weights) - exact) < 5 * np.sqrt(0.25 / shots)).all()
    by_inputs, by_weights = network.backward(inputs, weights)
    for k in range(4):
        shift = 1e-5 * np.eye(4)[k]
        slope = (probabilities(inputs, weights + shift) - probabilities(inputs, weights - shift)) / 2e-5
        np.testing.assert_allclose(by_weights[..., k], slope, atol=1e-8)
    for k in range(2):
        shift = 1e-5 * np.eye(2)[k]
        slope = (probabilities(inputs + shift, weights) - probabilities(inputs - shift, weights)) / 2e-5
        np.testing.assert_allclose(by_inputs[..., k], slope, atol=1e-8)


def test_a_network_in_pytorch():
    torch = pytest.importorskip("torch")
    from qiskit_machine_learning.connectors import TorchConnector

    parts, inputs, weights = network_parts()
    estimator = QsimEstimator()
    network = EstimatorQNN(
        estimator=estimator,
        gradient=QsimEstimatorGradient(estimator),
        input_gradients=True,
        default_precision=0.0,
        **parts,
    )
    module = TorchConnector(network, initial_weights=weights)
    rows = torch.tensor(inputs, requires_grad=True)
    module(rows).sum().backward()
    wanted, slopes = qsim.value_and_gradient(
        qsim.from_qiskit(parts["circuit"]), "Z0 Z1", {"x": inputs, "w": np.broadcast_to(weights, (5, 4))}
    )
    np.testing.assert_allclose(rows.grad, slopes["x"], atol=1e-6)
    np.testing.assert_allclose(module.weight.grad, slopes["w"].sum(0), atol=1e-6)
    assert wanted.shape == (5,)
