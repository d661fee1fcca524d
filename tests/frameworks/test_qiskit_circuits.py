"""Circuits from and to Qiskit, against Qiskit's own matrices."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.errors import CircuitError, ParameterError, UnknownGateError
from qsim.gates import GATES

pytest.importorskip("qiskit", minversion="2.2")

from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    InverseModifier,
    Parameter,
    ParameterVector,
    PowerModifier,
    QuantumCircuit,
    QuantumRegister,
    library,
)
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Kraus, Operator, Pauli, SparsePauliOp, Statevector
from strategies import circuits, seeds

pytestmark = pytest.mark.filterwarnings("ignore:.*argument ``annotated``", "ignore:.*CSC format:Warning")

STANDARD = {
    name: gate.base_class
    for name, gate in get_standard_gate_name_mapping().items()
    if name not in ("delay", "measure", "reset")
}
ODD = np.random.default_rng(7)


def matrix_of(circuit: QuantumCircuit) -> np.ndarray:
    return np.asarray(Operator(circuit).data)


def check(circuit: QuantumCircuit) -> qsim.Circuit:
    """Both directions give the unitary, global phase included."""
    wanted = matrix_of(circuit)
    found = qsim.from_qiskit(circuit)
    np.testing.assert_allclose(found.matrix(), wanted, atol=1e-10)
    np.testing.assert_allclose(matrix_of(qsim.to_qiskit(found)), wanted, atol=1e-10)
    return found


def on_odd_qubits(gate: Gate) -> QuantumCircuit:
    """A gate on qubits in some other order, on a circuit with one more."""
    circuit = QuantumCircuit(gate.num_qubits + 1)
    circuit.append(gate, ODD.permutation(gate.num_qubits + 1)[: gate.num_qubits].tolist())
    return circuit


# -- gates ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", STANDARD)
def test_standard_gates(name):
    kind = STANDARD[name]
    gate = kind(*ODD.uniform(-3, 3, len(GATES[name].param_names)))
    found = check(on_odd_qubits(gate))
    assert [op.gate for op in found.operations] == [GATES[name]]
    for state in (0, 1) if gate.num_qubits in (1, 2) else ():
        check(on_odd_qubits(gate.control(1, ctrl_state=state)))
    if getattr(gate, "num_ctrl_qubits", 0):
        check(on_odd_qubits(kind(*gate.params, ctrl_state=0)))


def random_unitary(num_qubits, seed=1):
    return qsim.testing.random_unitary(num_qubits, np.random.default_rng(seed))


LIBRARY = {
    "unitary": library.UnitaryGate(random_unitary(3)),
    "diagonal": library.DiagonalGate(np.exp(1j * ODD.uniform(0, 6, 8)).tolist()),
    "hamiltonian": library.HamiltonianGate(np.array([[1, 2j], [-2j, 0.3]]), 0.7),
    "pauli": library.PauliGate("XIYZ"),
    "mcx": library.MCXGate(4),
    "mcx open": library.MCXGate(3, ctrl_state=2),
    "mcphase": library.MCPhaseGate(0.3, 3),
    "permutation": library.PermutationGate([2, 0, 1]),
    "qft": library.QFTGate(3),
    "rv": library.RVGate(0.1, 0.2, 0.3),
    "preparation on any state": library.StatePreparation(np.array([1, 2j, 3, -1]) / np.sqrt(15)),
    "preparation of a label": library.StatePreparation("0r"),
    "mcmt": library.MCMTGate(library.HGate(), 2, 2),
    "multiplexer": library.UCGate([random_unitary(1, seed) for seed in range(4)]),
    "ucrx": library.UCRXGate([0.1, 0.2, 0.3, 0.4]),
    "linear": library.LinearFunction([[1, 1], [0, 1]]),
    "or": library.OrGate(2),
    "comparator": library.IntegerComparatorGate(2, 3),
    "adder": library.HalfAdderGate(2),
    "controlled unitary": library.UnitaryGate(random_unitary(2)).control(2, ctrl_state=1),
    "controlled hamiltonian": library.HamiltonianGate(np.array([[1, 2j], [-2j, 0.3]]), 0.7).control(1),
    "annotated": AnnotatedOperation(library.SGate(), [PowerModifier(0.5), ControlModifier(2, 1)]),
    "inverse of an inverse": AnnotatedOperation(library.RYGate(0.3), [InverseModifier()]).inverse(),
}


if hasattr(library, "PauliProductRotationGate"):
    LIBRARY["pauli product"] = library.PauliProductRotationGate(Pauli("XYIZ"), 0.4)
    LIBRARY["minus pauli product"] = library.PauliProductRotationGate(Pauli("-XZ"), 0.4)


@pytest.mark.parametrize("name", LIBRARY)
def test_gates_of_the_library(name):
    gate = LIBRARY[name]
    circuit = QuantumCircuit(gate.num_qubits, global_phase=0.3)
    for qubit in range(gate.num_qubits):  # so that no two basis states are treated alike
        circuit.ry(0.3 + qubit, qubit)
    circuit.append(gate, ODD.permutation(gate.num_qubits).tolist())
    check(circuit)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gates_with_ancillas():
    check(on_odd_qubits(library.MCXVChain(3, dirty_ancillas=True)))


@pytest.mark.parametrize("order", [1, 2, 4])
def test_pauli_evolutions_are_their_product_formula(order):
    from qiskit.synthesis import LieTrotter, SuzukiTrotter

    operator = SparsePauliOp(["IXZ", "III", "YIX", "ZZI"], [1.0, 2.0, 0.5, -0.7])
    formula = LieTrotter(reps=2) if order == 1 else SuzukiTrotter(order, reps=1)
    gate = library.PauliEvolutionGate(operator, time=Parameter("t"), synthesis=formula)
    circuit = on_odd_qubits(gate)
    found = qsim.from_qiskit(circuit)
    assert {op.name for op in found.operations} <= {"pauli_rotation", "gphase"}
    wanted = matrix_of(circuit.assign_parameters([0.7]).decompose())  # itself it is the exact exponential
    np.testing.assert_allclose(found.bind([0.7]).matrix(), wanted, atol=1e-12)


def test_evolution_under_projectors_goes_by_the_definition():
    from qiskit.quantum_info import SparseObservable

    observable = SparseObservable.from_list([("+0", 0.4), ("ZX", 1.0)])
    circuit = QuantumCircuit(2)
    circuit.append(library.PauliEvolutionGate(observable, time=0.3), [1, 0])
    np.testing.assert_allclose(qsim.from_qiskit(circuit).matrix(), matrix_of(circuit.decompose()), atol=1e-12)


def test_custom_gates_keep_their_names_and_parameters():
    theta = Parameter("theta")
    inner = QuantumCircuit(2, name="mine", global_phase=0.2)
    inner.ry(2 * theta, 0)
    inner.cx(0, 1)
    outer = QuantumCircuit(2, name="h")  # a name that qsim has, for another gate
    outer.append(inner.to_gate(), [1, 0])
    circuit = QuantumCircuit(3)
    circuit.append(outer.to_gate(), [2, 0])
    circuit.append(inner.to_gate().control(1, ctrl_state=0), [1, 2, 0])
    found = qsim.from_qiskit(circuit)
    assert [op.name for op in found.operations] == ["h", "mine"]
    assert [p.name for p in found.parameters] == ["theta"]
    wanted = matrix_of(circuit.assign_parameters([0.7]))
    np.testing.assert_allclose(found.bind([0.7]).matrix(), wanted, atol=1e-12)
    back = qsim.to_qiskit(found, parameters=[theta])
    assert set(back.parameters) == {theta}
    np.testing.assert_allclose(matrix_of(back.assign_parameters([0.7])), wanted, atol=1e-12)


def test_a_gate_that_is_only_a_matrix():
    class Mine(Gate):
        def __array__(self, dtype=None, copy=None):
            return np.diag([1, 1j])

    circuit = QuantumCircuit(1)
    circuit.append(Mine("mine", 1, []), [0])
    np.testing.assert_allclose(qsim.from_qiskit(circuit).matrix(), np.diag([1, 1j]))


def test_gates_alone_are_circuits():
    assert qsim.from_qiskit(library.CXGate()) == qsim.Circuit(2).cx(0, 1)


@settings(max_examples=30)
@given(seed=seeds, num_qubits=st.integers(2, 4))
def test_random_circuits_of_qiskit(seed, num_qubits):
    check(random_circuit(num_qubits, 4, max_operands=num_qubits, seed=seed % 2**31))


@settings(max_examples=60)
@given(circuit=circuits(max_qubits=3, max_ops=6, parameters=2, user=False))
def test_random_circuits_of_qsim(circuit):
    values = {"x[0]": 0.3, "x[1]": 1.1}
    back = qsim.to_qiskit(circuit)
    bound = back.assign_parameters({name: values[name] for name in (p.name for p in back.parameters)})
    own = circuit.bind({p.name: values[p.name] for p in circuit.parameters})
    np.testing.assert_allclose(matrix_of(bound), own.matrix(), atol=1e-9)


def gates_with_data():
    t = qsim.Parameter("t")
    generator = np.array([[1, 2j], [-2j, 0.3]])
    sums = qsim.PauliSum({"X0 Y1": 0.3, "Z0": -1.0, "": 0.2})
    inner = qsim.Circuit(2, name="inner").rx(t, 1).cx(1, 0).p(0.3, 0, controls=1)
    return {
        "unitary": qsim.Circuit(3).unitary(random_unitary(2), (2, 0), controls=1, control_values=[0]),
        "diagonal": qsim.Circuit(2).diagonal(np.exp(1j * np.arange(4)), (1, 0)),
        "permutation": qsim.Circuit(2).permutation([2, 0, 3, 1], (1, 0)),
        "pauli": qsim.Circuit(3).pauli_rotation(2 * t, "XIZ", (1, 2, 0), controls=()),
        "controlled pauli": qsim.Circuit(3).pauli_rotation(0.3, "XZ", (1, 2), controls=0),
        "pcphase": qsim.Circuit(2).pcphase(t, 3, (1, 0)),
        "generator": qsim.Circuit(2).generator(generator, t, 1),
        "generator sum": qsim.Circuit(1).generator_sum(["X0", "Z0"], [0.3, 0.4], 0),
        "evolution": qsim.Circuit(3).exp_pauli_sum(sums, t, (2, 1), order=2, steps=2),
        "circuit": qsim.Circuit(3).append(inner, (), (2, 1)),
        "its inverse, controlled": qsim.Circuit(3).append(inner.inverse(), (), (2, 1), controls=0),
        "phase": qsim.Circuit(2).append("gphase", (t,), (), controls=(1, 0), control_values=[0, 1]),
    }


@pytest.mark.parametrize("name", gates_with_data())
def test_gates_of_qsim_with_data(name):
    circuit = gates_with_data()[name]
    back = qsim.to_qiskit(circuit)
    bound, own = back, circuit
    if circuit.parameters:
        bound, own = back.assign_parameters({"t": 0.7}), circuit.bind({"t": 0.7})
    np.testing.assert_allclose(matrix_of(bound), own.matrix(), atol=1e-9)
    again = qsim.from_qiskit(back)
    again = again.bind({"t": 0.7}) if again.parameters else again
    np.testing.assert_allclose(again.matrix(), own.matrix(), atol=1e-9)


# -- parameters ----------------------------------------------------------------------------------------
def test_expressions_of_parameters():
    a, v = Parameter("a"), ParameterVector("v", 12)
    expressions = [
        *(a + v[10], a - 1, 1 - a, a * v[2], v[2] / 3, 2 / a, a**2, 2**a, -a, a + a),
        *(a.sin(), a.cos(), a.tan(), (a / 9).arcsin(), (a / 9).arccos(), a.arctan(), a.exp(), a.log()),
        *(abs(-a), (-a).sign() * a, a.conjugate(), (a * v[2] - 0.3 * v[10]) ** 2 / (1 + a.exp())),
        (a + 1).assign(a, v[2] ** 2),
    ]
    circuit = QuantumCircuit(1, global_phase=0.5 * a)
    for expression in expressions:
        circuit.rx(expression, 0)
        circuit.t(0)
    found = qsim.from_qiskit(circuit)
    values = {"a": 1.3, "v[2]": -0.7, "v[10]": 2.2}
    assert {p.name for p in found.parameters} == set(values)
    assert next(p for p in found.parameters if p.vector).vector_length == 12
    wanted = matrix_of(circuit.assign_parameters(values))
    np.testing.assert_allclose(found.bind(values).matrix(), wanted, atol=1e-12)
    back = qsim.to_qiskit(found)
    assert [p.name for p in back.parameters] == [p.name for p in circuit.parameters]
    np.testing.assert_allclose(matrix_of(back.assign_parameters(values)), wanted, atol=1e-12)
    same = qsim.to_qiskit(found, parameters=circuit.parameters)
    assert set(same.parameters) == set(circuit.parameters)


def test_a_parameter_that_cancels_stays():
    a = Parameter("a")
    circuit = QuantumCircuit(1)
    circuit.rx(0 * a, 0)
    assert [p.name for p in qsim.from_qiskit(circuit).parameters] == ["a"]


def test_complex_parameters_are_refused():
    a = Parameter("a")
    circuit = QuantumCircuit(1)
    circuit.rx(1j * a, 0)
    with pytest.raises(ParameterError, match="real number"):
        qsim.from_qiskit(circuit)


def test_functions_that_qiskit_has_not():
    circuit = qsim.Circuit(1).rx(qsim.arctan2(qsim.Parameter("y"), qsim.Parameter("x")), 0)
    with pytest.raises(ParameterError, match="arctan2"):
        qsim.to_qiskit(circuit)


# -- what is no gate -----------------------------------------------------------------------------------
def test_registers_and_names():
    from qiskit.circuit import ClassicalRegister

    circuit = QuantumCircuit(
        QuantumRegister(2, "a"), QuantumRegister(1, "b"), ClassicalRegister(1, "c"), ClassicalRegister(2, "d")
    )
    circuit.name = "named"
    circuit.measure([0, 1, 2], [2, 0, 1])
    found = qsim.from_qiskit(circuit)
    assert found.name == "named"
    assert found.quantum_registers == {"a": (0, 1), "b": (2,)}
    assert found.classical_registers == {"c": (0,), "d": (1, 2)}
    assert qsim.to_qiskit(found) == circuit


def test_bits_outside_registers():
    from qiskit.circuit import ClassicalRegister, Clbit, Qubit

    bits = [Clbit() for _ in range(3)]
    circuit = QuantumCircuit(
        [Qubit(), Qubit()], bits, ClassicalRegister(name="some", bits=[bits[2], bits[0]])
    )
    circuit.measure([0, 1], [2, 1])
    found = qsim.from_qiskit(circuit)
    assert found.classical_registers == {"some": (2, 0)}
    again = qsim.from_qiskit(qsim.to_qiskit(found))
    assert again == found and again.classical_registers == found.classical_registers


def test_measurements_resets_barriers_delays():
    circuit = QuantumCircuit(2, 2)
    circuit.reset(1)
    circuit.barrier(1, 0)
    circuit.delay(10, 0, unit="ns")
    circuit.delay(5, 1, unit="ps")
    circuit.delay(7, 1)
    circuit.measure([1, 0], [0, 1])
    found = qsim.from_qiskit(circuit)
    wanted = qsim.Circuit(2, 2).reset(1).barrier(1, 0).delay(10, 0, "ns").delay(5e-3, 1, "ns")
    assert found == wanted.delay(7, 1, "dt").measure([1, 0], [0, 1])
    assert qsim.from_qiskit(qsim.to_qiskit(found)) == found


def test_preparations_on_fresh_qubits_are_reflections():
    amplitudes = np.array([1, 2j, 3, -1]) / np.sqrt(15)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.initialize(amplitudes, [2, 0])
    circuit.prepare_state([0.6, 0.8j], 1)
    found = qsim.from_qiskit(circuit)
    assert [op.name for op in found.operations] == ["h", "reset", "reset", "prepare", "prepare"]
    wanted = QuantumCircuit(3)
    wanted.initialize(amplitudes, [2, 0])
    wanted.initialize([0.6, 0.8j], 1)
    rho = qsim.density_matrix(found)
    psi = Statevector(wanted).data
    np.testing.assert_allclose(rho, np.outer(psi, psi.conj()), atol=1e-12)
    state = qsim.Circuit(3).prepare(amplitudes, [2, 0]).prepare([0.6, 0.8j], 1)
    np.testing.assert_allclose(Statevector(qsim.to_qiskit(state)).data, qsim.statevector(state), atol=1e-12)


def test_channels():
    damping = [np.diag([1, np.sqrt(0.7)]), np.array([[0, np.sqrt(0.3)], [0, 0]])]
    circuit = QuantumCircuit(2)
    circuit.append(Kraus(damping).to_instruction(), [1])
    found = qsim.from_qiskit(circuit)
    assert found == qsim.Circuit(2).kraus(damping, 1)
    assert qsim.from_qiskit(qsim.to_qiskit(found)) == found
    circuit.prepare_state([0.6, 0.8], 1)  # on a qubit that the channel may have left in |1>
    assert qsim.from_qiskit(circuit).operations[-1].name == "state_preparation"


def test_instructions_with_measurements_stand_in_the_circuit():
    inner = QuantumCircuit(2, 1)
    inner.h(1)
    inner.measure(1, 0)
    circuit = QuantumCircuit(3, 2)
    circuit.append(inner.to_instruction(), [2, 0], [1])
    assert qsim.from_qiskit(circuit) == qsim.Circuit(3, 2).h(0).measure(0, 1)


# -- errors --------------------------------------------------------------------------------------------
def test_what_has_no_counterpart_is_refused_by_name():
    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, []), [0])
    with pytest.raises(UnknownGateError, match="`mystery`"):
        qsim.from_qiskit(circuit)
    circuit = QuantumCircuit(1)
    circuit.delay(Parameter("t"), 0)
    with pytest.raises(CircuitError, match="delay"):
        qsim.from_qiskit(circuit)
    with pytest.raises(TypeError, match="`source`"):
        qsim.from_qiskit("bell")
    with pytest.raises(CircuitError, match="check=False"):
        qsim.to_qiskit(qsim.Circuit(1).unitary([[1, 1], [0, 1]], 0, check=False))
    with pytest.raises(TypeError, match="`num_qubits`"):
        qsim.to_qiskit(qsim.Circuit(1), num_qubits=2)
    thetas = [qsim.Parameter("a"), qsim.Parameter("b")]
    with pytest.raises(UnknownGateError, match="generator_sum"):
        qsim.to_qiskit(qsim.Circuit(1).generator_sum(["X0", "Z0"], thetas, 0))


def test_translated_circuits_pickle():
    circuit = qsim.from_qiskit(LIBRARY_CIRCUIT)
    assert pickle.loads(pickle.dumps(circuit)) == circuit


LIBRARY_CIRCUIT = QuantumCircuit(3)
LIBRARY_CIRCUIT.append(library.QFTGate(3), [2, 0, 1])
