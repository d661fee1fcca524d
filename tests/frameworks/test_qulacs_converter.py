"""`qsim.from_qulacs` and `qsim.to_qulacs` against Qulacs' own states; needs Qulacs."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, CircuitError

qulacs = pytest.importorskip("qulacs")
from qulacs import gate as g  # noqa: E402

RNG = np.random.default_rng(0)
MATRIX = np.linalg.qr(RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4)))[0]


def controlled():
    gate = g.to_matrix_gate(g.RY(1, 0.3))
    gate.add_control_qubit(0, 0)
    gate.add_control_qubit(2, 1)
    return gate


GATES = [
    *(g.Identity(0), g.X(1), g.Y(0), g.Z(2), g.H(1), g.S(0), g.Sdag(0), g.T(1), g.Tdag(2)),
    *(g.sqrtX(0), g.sqrtXdag(0), g.sqrtY(1), g.sqrtYdag(1)),
    *(g.RX(0, 0.3), g.RY(1, 0.4), g.RZ(2, 0.5), g.RotX(0, 0.3), g.RotY(0, 0.3), g.RotZ(1, 0.3)),
    *(g.RotInvX(0, 0.2), g.RotInvY(1, 0.2), g.RotInvZ(2, 0.2)),
    *(g.U1(0, 0.1), g.U2(1, 0.1, 0.2), g.U3(2, 0.1, 0.2, 0.3)),
    *(g.CNOT(2, 0), g.CZ(0, 1), g.SWAP(0, 2), g.TOFFOLI(2, 0, 1), g.FREDKIN(1, 0, 2), g.FusedSWAP(0, 1, 1)),
    *(g.Pauli([0, 2], [3, 2]), g.PauliRotation([2, 1], [1, 2], 0.7), g.PauliRotation([2, 1], [0, 2], 0.7)),
    *(g.DenseMatrix([2, 0], MATRIX), g.DiagonalMatrix([1, 0], np.exp(1j * np.arange(4))), controlled()),
    *(g.ParametricRX(0, 0.3), g.ParametricPauliRotation([0, 1], [1, 3], 0.2), g.merge(g.X(0), g.RY(2, 0.3))),
    *(g.P0(1), g.P1(0), g.ReversibleBoolean([2, 0], lambda value, size: (value + 1) % size)),
]


def states(circuit, count=3):
    """A random state, and what the circuit makes of it."""
    state = qulacs.QuantumState(count)
    state.set_Haar_random_state(3)
    before = state.get_vector()
    circuit.update_quantum_state(state)
    return before, state.get_vector()


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.get_name())
def test_gates_both_ways(gate):
    circuit = qulacs.QuantumCircuit(3)
    circuit.add_gate(gate)
    before, after = states(circuit)
    ours = qsim.from_qulacs(circuit)
    np.testing.assert_allclose(qsim.statevector(ours, initial_state=before), after, atol=1e-12)
    np.testing.assert_allclose(states(qsim.to_qulacs(ours))[1], after, atol=1e-12)


def test_parameters_keep_their_values():
    """Qulacs' RX(t) is exp(+i t X / 2)."""
    circuit = qulacs.ParametricQuantumCircuit(3)
    circuit.add_parametric_RX_gate(0, 0.1)
    circuit.add_H_gate(1)
    circuit.add_parametric_RY_gate(1, 0.2)
    circuit.add_parametric_RZ_gate(2, 0.3)
    circuit.add_parametric_multi_Pauli_rotation_gate([0, 2], [1, 3], 0.5)
    circuit.add_gate(g.ParametricRX(1, 0.9))  # not one of the circuit's parameters
    ours = qsim.from_qulacs(circuit)
    assert [p.name for p in ours.parameters] == [f"theta[{k}]" for k in range(4)]
    values = [circuit.get_parameter(k) for k in range(circuit.get_parameter_count())]
    before, after = states(circuit)
    np.testing.assert_allclose(qsim.statevector(ours, values, initial_state=before), after, atol=1e-12)
    back = qsim.to_qulacs(ours)
    assert back.get_parameter_count() == 4
    for k, value in enumerate(values):
        back.set_parameter(k, value)
    np.testing.assert_allclose(states(back)[1], after, atol=1e-12)


def test_every_gate_of_the_table_has_a_form_in_qulacs():
    for spec in qsim.gates.unique_specs():
        if spec.num_qubits > 4:
            continue
        circuit = qsim.Circuit(4).append(spec, RNG.uniform(-3, 3, spec.num_params), range(spec.num_qubits))
        circuit.append(spec, RNG.uniform(-3, 3, spec.num_params), range(spec.num_qubits)[::-1])
        if spec.num_qubits < 3:
            params = RNG.uniform(-3, 3, spec.num_params)
            circuit.append(spec, params, range(spec.num_qubits), controls=(3, 2), control_values=(0, 1))
        before, after = states(qsim.to_qulacs(circuit), 4)
        np.testing.assert_allclose(circuit.matrix() @ before, after, atol=1e-10, err_msg=spec.name)
    data = qsim.Circuit(4).diagonal(np.exp(1j * np.arange(4)), (3, 1), controls=0, control_values=[0])
    data.pauli_rotation(0.3, "XIY", (0, 3, 1), controls=2).exp_pauli_sum({"Z0 X1": 0.3, "Y2": 1.0}, 0.4)
    data.prepare([0.6, 0.8j], 2).append(qsim.Circuit(2).h(0).cx(0, 1), (), (3, 0)).barrier()
    before, after = states(qsim.to_qulacs(data), 4)
    np.testing.assert_allclose(data.matrix() @ before, after, atol=1e-10)


def test_channels_and_measurements_both_ways():
    circuit = qulacs.QuantumCircuit(2)
    for gate in (
        *(
            g.H(0),
            g.CNOT(0, 1),
            g.DepolarizingNoise(0, 0.2),
            g.AmplitudeDampingNoise(1, 0.3),
            g.BitFlipNoise(0, 0.1),
        ),
        g.TwoQubitDepolarizingNoise(1, 0, 0.2),
    ):
        circuit.add_gate(gate)
    density = qulacs.DensityMatrix(2)
    circuit.update_quantum_state(density)
    ours = qsim.from_qulacs(circuit)
    np.testing.assert_allclose(qsim.density_matrix(ours), density.get_matrix(), atol=1e-12)
    again = qulacs.DensityMatrix(2)
    back = qsim.to_qulacs(ours.reset(1))
    back.update_quantum_state(again)
    np.testing.assert_allclose(again.get_matrix(), qsim.density_matrix(ours), atol=1e-12)
    circuit.add_gate(g.Measurement(1, 2))
    measured = qsim.from_qulacs(circuit)
    assert measured.num_clbits == 3 and measured.operations[-1] == qsim.operations.Measure(1, 2)
    assert qsim.to_qulacs(measured).get_gate_count() == len(measured)


def test_what_has_no_form_is_refused_by_name():
    reflection = qulacs.QuantumCircuit(1)
    reflection.add_gate(g.StateReflection(qulacs.QuantumState(1)))
    with pytest.raises(CircuitError, match="Gate `Reflection` of Qulacs has no form here"):
        qsim.from_qulacs(reflection)
    theta = qsim.Parameter("t")
    for circuit in (qsim.Circuit(1).rx(theta, 0), qsim.Circuit(1).rx(-theta, 0).ry(-theta, 0)):
        with pytest.raises(CircuitError, match="Bind the parameters first"):
            qsim.to_qulacs(circuit)
    with pytest.raises(CircuitError, match="only in rotations without controls"):
        qsim.to_qulacs(qsim.Circuit(2).cp(theta, 0, 1))
    loop = qsim.Circuit(1, 1).measure(0, 0).while_loop((0, 1), qsim.Circuit(1, 1).x(0).measure(0, 0))
    with pytest.raises(CircuitError, match="`while_loop` has no form in Qulacs"):
        qsim.to_qulacs(loop)
    for call in (qsim.from_qulacs, qsim.to_qulacs):
        with pytest.raises(TypeError, match="Argument `obj` must be a"):
            call("circuit")


@pytest.mark.parametrize("probabilities", [[0.3], [0.3, 0.2], [0.25, 0.75]])
def test_random_gates_do_nothing_with_the_rest_of_the_probability(probabilities):
    theirs = qulacs.QuantumCircuit(2)
    for gate in (g.RY(0, 0.4), g.CNOT(0, 1), g.RX(1, 0.9)):
        theirs.add_gate(gate)
    theirs.add_gate(g.Probabilistic(probabilities, [g.X(1), g.RY(0, 0.7)][: len(probabilities)]))
    matrix = qulacs.DensityMatrix(2)
    theirs.update_quantum_state(matrix)
    found = qsim.density_matrix(qsim.from_qulacs(theirs))
    np.testing.assert_allclose(found, matrix.get_matrix(), atol=1e-12)


def test_random_gates_of_random_gates_are_refused():
    inner = g.Probabilistic([0.5, 0.5], [g.X(0), g.Y(0)])
    for gate in (inner, g.AmplitudeDampingNoise(0, 0.1)):
        theirs = qulacs.QuantumCircuit(1)
        theirs.add_gate(g.Probabilistic([0.5, 0.5], [g.Z(0), gate]))
        with pytest.raises(CircuitError, match="random themselves"):
            qsim.from_qulacs(theirs)


def test_observables_both_ways():
    theirs = qulacs.Observable(3)
    for value, label in ((0.5, "X 0 Y 2"), (2.0, "Z 1"), (1.0, "")):
        theirs.add_operator(value, label)
    ours = qsim.from_qulacs(theirs)
    assert ours == qsim.PauliSum([("X0 Y2", 0.5), ("Z1", 2), ("", 1)])
    back = qsim.to_qulacs(ours)
    assert isinstance(back, qulacs.Observable) and qsim.from_qulacs(back) == ours
    complex_sum = qsim.PauliSum({"X0": 1j, "Z1": 2})
    assert qsim.from_qulacs(qsim.to_qulacs(complex_sum, 4)) == complex_sum
    assert qsim.to_qulacs(qsim.PauliString("Y1", -1)).get_qubit_count() == 2
    assert qsim.from_qulacs(qulacs.PauliOperator("X 0 Z 3", 0.5)) == qsim.PauliString("X0 Z3", 0.5)
    with pytest.raises(ArgumentError, match="must be at least 2"):
        qsim.to_qulacs(complex_sum, 1)
