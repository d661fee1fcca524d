"""Circuits and observables to and from PennyLane, on states without symmetry; needs PennyLane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.errors import ArgumentError, CircuitError, ObservableError, UnboundParameterError

qml = pytest.importorskip("pennylane")

from qsim.converters.pennylane_gates import is_native, table_gate  # noqa: E402
from qsim.gates import unique_specs  # noqa: E402
from qsim.testing import random_circuit  # noqa: E402

NUM_WIRES = 4
RNG = np.random.default_rng(1)


def unitary(size):
    return np.linalg.qr(RNG.normal(size=(size, size)) + 1j * RNG.normal(size=(size, size)))[0]


def state(num_wires=NUM_WIRES):
    amplitudes = RNG.normal(size=2**num_wires) + 1j * RNG.normal(size=2**num_wires)
    return amplitudes / np.linalg.norm(amplitudes)


def named_gates():
    """An operation of every class that is a gate of the table, its wires not in order."""
    for name in sorted(dir(qml.ops)):
        cls = getattr(qml.ops, name)
        if isinstance(cls, type) and table_gate(cls) and cls.__name__ == name:
            wires = [2, 0, 3, 1][: cls.num_wires or 1]
            yield cls(*RNG.uniform(0.1, 3, cls.num_params), wires=wires)


OPERATIONS = [
    *named_gates(),
    qml.GlobalPhase(0.7),
    qml.MultiRZ(0.7, [0, 2, 1]),
    qml.PauliRot(0.7, "XYZ", [2, 0, 1]),
    qml.PauliRot(0.7, "II", [0, 1]),
    qml.PCPhase(0.7, 3, [1, 0]),
    qml.IntegerComparator(2, wires=[2, 0, 1], geq=True),
    qml.IntegerComparator(3, wires=[2, 0, 1], geq=False),
    qml.QubitUnitary(unitary(4), [2, 0]),
    qml.DiagonalQubitUnitary(np.exp(1j * RNG.uniform(size=4)), [2, 0]),
    qml.BlockEncode([[0.1, 0.2], [0.3, 0.4]], wires=[1, 0]),
    qml.SpecialUnitary(RNG.uniform(size=15), [2, 0]),
    qml.SpecialUnitary(RNG.uniform(size=63), [2, 0, 1]),
    qml.Identity([0, 1]),
    qml.Barrier([0, 1]),
    qml.adjoint(qml.S(0)),
    qml.adjoint(qml.Rot(0.1, 0.2, 0.3, 1)),
    qml.adjoint(qml.ctrl(qml.QubitUnitary(unitary(2), 1), [0])),
    qml.ctrl(qml.Rot(0.1, 0.2, 0.3, 1), [2, 0], control_values=[1, 0]),
    qml.ctrl(qml.GlobalPhase(0.3), [1, 2]),
    qml.ctrl(qml.adjoint(qml.IsingXY(0.3, [2, 0])), [1]),
    qml.ctrl(qml.PauliRot(0.4, "XY", [0, 1]), [2]),
    qml.MultiControlledX([0, 3, 1, 2], control_values=[1, 0, 1]),
    qml.ControlledQubitUnitary(unitary(2), [2, 0, 1], control_values=[0, 1]),
    qml.pow(qml.RX(0.3, 1), 1.7),
    qml.pow(qml.S(1), 0.5),
    qml.pow(qml.X(1), 3),
    qml.pow(qml.Rot(0.3, 0.1, 0.2, [2]), -2),
    qml.exp(qml.X(0) @ qml.Y(1), 0.3j),
    qml.evolve(qml.X(0) @ qml.Z(1) + qml.Y(0), 0.3),
    qml.prod(qml.X(0), qml.RX(0.3, 1)),
    qml.QFT([2, 0, 1]),
    qml.Select([qml.X(2), qml.RX(0.2, 2)], control=[0]),
]


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_operation_from_and_to(op):
    """On a random state, against PennyLane's own simulator: global phases are equal, too."""
    tape = qml.tape.QuantumScript([qml.StatePrep(state(), range(NUM_WIRES)), op], [qml.state()])
    [wanted] = qml.execute([tape], qml.device("default.qubit", wires=NUM_WIRES))
    order = list(reversed(range(NUM_WIRES)))  # then the index of a state is PennyLane's
    circuit = qsim.from_pennylane(tape, wire_order=order)
    np.testing.assert_allclose(qsim.statevector(circuit), wanted, atol=1e-12)
    back = qsim.to_pennylane(circuit, wires=order)
    matrix = qml.matrix(back, wire_order=range(NUM_WIRES))
    np.testing.assert_allclose(matrix[:, 0], wanted, atol=1e-12)


@pytest.mark.parametrize("spec", unique_specs(), ids=lambda spec: spec.name)
def test_every_gate_of_the_table_to_pennylane(spec):
    qubits = [3, 1, 4, 0, 2][: spec.num_qubits]
    params = list(RNG.uniform(-2, 2, spec.num_params))
    circuit = qsim.Circuit(6).append(spec, params, qubits, controls=[5], control_values=[0])
    tape = qsim.to_pennylane(circuit)
    found = qml.matrix(tape, wire_order=list(reversed(range(6))))
    np.testing.assert_allclose(found, circuit.matrix(), atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_random_circuits_round_trip(seed):
    circuit = random_circuit(4, 12, seed=seed)
    circuit = circuit.bind({p.name: 0.3 + 0.1 * k for k, p in enumerate(circuit.parameters)})
    back = qsim.from_pennylane(qsim.to_pennylane(circuit), wire_order=range(4))
    np.testing.assert_allclose(qsim.statevector(back), qsim.statevector(circuit), atol=1e-12)


OBSERVABLES = [
    qml.Z(0) @ qml.X(2),
    0.5 * qml.Y(1) - 1.5 * qml.Z(0) @ qml.Z(2) + 2 * qml.I(0),
    qml.Hadamard(1),
    qml.Hermitian(np.array([[1, 2j, 0, 0], [-2j, 0, 1, 0], [0, 1, -1, 3], [0, 0, 3, 0.5]]), [2, 0]),
    qml.Projector([1, 0], [2, 0]),
    qml.Projector(state(2), [2, 0]),
    qml.Hermitian([[1, 2], [2, 0]], 1) @ qml.Z(0),
    qml.sum(qml.Hermitian([[1, 2], [2, 0]], 1), 0.3 * qml.Projector([1], 2), qml.X(0)),
    qml.Hamiltonian([0.2, -0.3], [qml.X(0) @ qml.Y(1), qml.Z(2)]),
    qml.SparseHamiltonian(
        qml.Hamiltonian([0.2, -0.3], [qml.X(0) @ qml.Y(1), qml.Z(2)]).sparse_matrix(), [0, 1, 2]
    ),
]


@pytest.mark.parametrize("op", OBSERVABLES, ids=lambda op: op.name)
def test_observable_from_and_to(op):
    wanted = np.asarray(qml.matrix(op, wire_order=[2, 1, 0]))
    order = [0, 1, 2]
    found = qsim.from_pennylane(op, wire_order=order)
    np.testing.assert_allclose(found.to_matrix(3), wanted, atol=1e-12)
    back = qsim.to_pennylane(found)
    np.testing.assert_allclose(qml.matrix(back, wire_order=[2, 1, 0]), wanted, atol=1e-12)


@pytest.mark.parametrize(
    "observable",
    [
        qsim.PauliSum({"Z0 X1": 0.5, "Y2": 2.0, "": 1.0}),
        qsim.PauliString("X2", 0.5),
        qsim.Diagonal([1.0, 2.0, 3.0, 5.0], [2, 0]),
        qsim.Projector("10", [2, 0]),
    ],
    ids=lambda observable: type(observable).__name__,
)
def test_observables_of_ours(observable):
    op = qsim.to_pennylane(observable, wires=["a", "b", "c"])
    found = qml.matrix(op, wire_order=["c", "b", "a"])
    np.testing.assert_allclose(found, observable.to_matrix(3), atol=1e-12)


def test_measurements_and_conditions_go_both_ways():
    """Outcomes in the middle steer gates: the exact distribution of the other qubits is the same."""
    body = qsim.Circuit(3, 2).ry(1.1, 2).x(1)
    circuit = qsim.Circuit(3, 2).ry(0.7, 0).ry(1.9, 1).measure([0, 1], [0, 1])
    circuit.if_else(([0, 1], 2), body, qsim.Circuit(3, 2).rx(0.4, 2)).reset(1).ry(0.3, 1)
    tape = qsim.to_pennylane(circuit)
    back = qsim.from_pennylane(tape)
    wanted = qsim.probabilities(circuit)
    np.testing.assert_allclose(qsim.probabilities(back), wanted, atol=1e-12)
    asked = qml.tape.QuantumScript(tape.operations, [qml.probs(wires=[2, 1, 0])])
    [found] = qml.execute([asked], qml.device("default.qubit"), mcm_method="deferred")
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_nodes_and_labels():
    @qml.qnode(qml.device("default.qubit", wires=["a", "b"]))
    def node(angle):
        qml.RX(angle, wires="b")
        qml.CNOT(wires=["b", "a"])
        return qml.expval(qml.Z("a"))

    circuit = qsim.from_pennylane(node, 0.4, wire_order=["a", "b"])
    assert circuit == qsim.Circuit(2).rx(0.4, 1).cx(1, 0)
    assert qsim.from_pennylane(node, 0.4) == qsim.Circuit(2).rx(0.4, 0).cx(0, 1)


def test_parameters_are_bound_on_the_way():
    circuit = qsim.Circuit(1).rx(2 * qsim.Parameter("t"), 0)
    with pytest.raises(UnboundParameterError, match="t"):
        qsim.to_pennylane(circuit)
    assert qsim.to_pennylane(circuit, params={"t": 0.25}).operations == [qml.RX(0.5, 0)]


def test_refusals():
    with pytest.raises(CircuitError, match=r"batch of 2.*broadcast_expand"):
        qsim.from_pennylane(qml.tape.QuantumScript([qml.RX(np.array([0.1, 0.2]), 0)]))
    with pytest.raises(CircuitError, match="Displacement"):
        qsim.from_pennylane(qml.Displacement(0.1, 0.2, wires=0))
    with pytest.raises(CircuitError, match="postselect"):
        qsim.from_pennylane(qml.tape.QuantumScript([qml.ops.MidMeasure(0, postselect=1)]))
    with pytest.raises(CircuitError, match="while_loop"):
        qsim.to_pennylane(qsim.Circuit(1, 1).measure(0, 0).while_loop((0, 1), qsim.Circuit(1, 1).x(0)))
    with pytest.raises(ObservableError, match="Hermitian"):
        qsim.from_pennylane(1j * qml.Z(0))
    with pytest.raises(ArgumentError, match="wire_order"):
        qsim.from_pennylane(qml.CNOT([0, 1]), wire_order=[0])
    with pytest.raises(TypeError, match="int"):
        qsim.from_pennylane(3)


def test_other_modes_with_names_of_gates_are_no_gates():
    """PennyLane's ControlledPhase is a gate of continuous variables; ours of the same name is not meant."""
    assert not is_native(qml.ops.ControlledPhase(0.3, wires=[0, 1]))
