"""Every record of the gate table: consistent with itself, and equal to independent definitions."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matrices import CLOSED_FORMS

import qsim
from qsim import foreign_names
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError, ParameterError, UnknownGateError
from qsim.gate_methods import GateMethods, qubit_names, stub_text
from qsim.gates import GATES, GateSpec, Term, expand_controls, get_gate, register, unique_specs
from qsim.gradients.parameter_shift import frequencies_of
from qsim.parameters import Parameter
from qsim.program.reverse import levels_of
from qsim.testing import check_gate

SPECS = unique_specs()
each_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
primitive_parametrised = pytest.mark.parametrize(
    "spec", [s for s in SPECS if s.terms], ids=lambda spec: spec.name
)
angles = st.floats(-4 * np.pi, 4 * np.pi, allow_nan=False)


def some_angles(spec: GateSpec, seed: int = 0) -> list[float]:
    return np.random.default_rng(seed).uniform(-3, 3, size=spec.num_params).tolist()


# -- the table as a whole ---------------------------------------------------------------------------
def test_names_and_aliases_are_unique():
    names = [name for spec in SPECS for name in (spec.name, *spec.aliases)]
    assert len(names) == len(set(names)) == len(GATES)
    assert set(names) == set(GATES)
    assert all(name.isidentifier() for name in names)


def test_table_holds_the_gates_of_openqasm_and_qiskit():
    stdgates = "p x y z h s sdg t tdg sx rx ry rz cx cy cz cp crx cry crz ch swap ccx cswap cu"
    version2 = "CX phase cphase id u1 u2 u3"
    qelib1 = "u0 u sxdg cu1 cu3 csx rxx rzz rccx rc3x c3x c3sqrtx c4x"
    assert not [name for name in f"{stdgates} {version2} {qelib1}".split() if name not in GATES]


def test_a_taken_name_is_refused():
    with pytest.raises(ArgumentError, match=r"Gate name `cx` is taken already\."):
        register(GateSpec("cx", np.eye(2, dtype=complex), num_qubits=1))


def test_a_new_record_works_at_once():
    """A gate is one record: nothing else has to know its name."""
    turn = np.array([[0, -1], [1, 0]], dtype=complex)
    spec = GateSpec(
        "fresh_gate",
        np.zeros((2, 2), complex),
        (Term(0.5, np.eye(2, dtype=complex), turn),),
        param_names=("theta",),
        num_qubits=1,
    )
    check_gate(spec)
    state = qsim.statevector(Circuit(1).append(spec, 0.6, 0))
    np.testing.assert_allclose(state, [np.cos(0.3), np.sin(0.3)], atol=1e-15)


def test_unknown_gates_name_the_nearest():
    with pytest.raises(UnknownGateError, match=r"Unknown gate `cnott`\. Did you mean `cnot`"):
        get_gate("cnott")
    with pytest.raises(TypeError, match=r"Argument `name` must be a str"):
        get_gate(3)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PauliX", "`x`"),
        ("Hadamard", "`h`"),
        ("CNOT", "`cx`"),
        ("Toffoli", "`ccx`"),
        ("IsingXX", "`rxx`"),
        ("RXGate", "`rx`"),
        ("add_X_gate", "`x`"),
        ("Sdag", "`sdg`"),
        ("XXPlusYYGate", "`xx_plus_yy`"),
        ("QubitUnitary", "`circuit.unitary(matrix, qubits)`"),
        ("MultiRZ", "`circuit.multi_rz(theta, qubits)`"),
        ("MultiControlledX", "`circuit.mcx(controls, target)`"),
    ],
)
def test_names_of_other_frameworks_lead_to_ours(name, meant):
    with pytest.raises(UnknownGateError) as by_name:
        Circuit(2).append(name, (), 0)
    assert f"Did you mean {meant}?" in str(by_name.value)
    with pytest.raises(AttributeError) as as_method:
        getattr(Circuit(2), name)
    assert str(as_method.value) == f"A Circuit has no attribute `{name}`. Did you mean {meant}?"


def test_foreign_names_point_at_what_there_is():
    for name in foreign_names._GATES.values():
        assert GATES[name].name == name
    for written in foreign_names._METHODS.values():
        assert hasattr(Circuit(1), written.split("(")[0])
    for name in ("mcx", "unitary"):  # methods, but no gates of the table
        with pytest.raises(UnknownGateError, match=rf"Did you mean `circuit\.{name}\("):
            Circuit(2).append(name, (), 0)
    assert not hasattr(Circuit(1), "_no_such_thing")
    with pytest.raises(AttributeError, match=r"Did you mean `measure_all`"):
        Circuit(1).measur_all  # noqa: B018


def test_stubs_are_up_to_date():
    path = Path(inspect.getfile(GateMethods)).with_suffix(".pyi")
    assert path.read_text(encoding="utf-8") == stub_text(), (
        "write qsim.gate_methods.stub_text() to gate_methods.pyi"
    )


# -- each record --------------------------------------------------------------------------------------
@each_spec
def test_record_is_consistent(spec):
    for seed in range(5):
        check_gate(spec, seed=seed)


@each_spec
@given(data=st.data())
def test_matrix_is_unitary(spec, data):
    m = spec.matrix(*(data.draw(angles) for _ in range(spec.num_params)))
    np.testing.assert_allclose(m @ m.conj().T, np.eye(len(m)), atol=1e-12)


@each_spec
def test_method_exists_under_every_name(spec):
    params, qubits = some_angles(spec), list(range(spec.num_qubits))
    wanted = Circuit(spec.num_qubits).append(spec.name, params, qubits)
    for name in (spec.name, *spec.aliases):
        method = getattr(Circuit, name)
        assert spec.name in method.__doc__
        assert getattr(Circuit(spec.num_qubits), name)(*params, *qubits) == wanted
        named = dict(zip((*spec.param_names, *qubit_names(spec)), (*params, *qubits), strict=True))
        assert getattr(Circuit(spec.num_qubits), name)(**named) == wanted
        assert get_gate(name) is spec


@each_spec
@given(data=st.data())
def test_inverse_undoes(spec, data):
    params = [data.draw(angles) for _ in range(spec.num_params)]
    gate, inverse_params = spec.inverse(params)
    product = gate.matrix(*inverse_params) @ spec.matrix(*params)
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)
    again, params_again = gate.inverse(inverse_params)
    np.testing.assert_allclose(again.matrix(*params_again), spec.matrix(*params), atol=1e-12)


@each_spec
@given(data=st.data(), exponent=st.sampled_from([-2, -1, 0, 1, 2, 3, 0.5, -0.5, 1 / 3]))
def test_powers(spec, data, exponent):
    params = [data.draw(angles) for _ in range(spec.num_params)]
    gate, power_params = spec.power(params, exponent)
    powered, m = gate.matrix(*power_params), spec.matrix(*params)
    if exponent == int(exponent):
        np.testing.assert_allclose(powered, np.linalg.matrix_power(m, int(exponent)), atol=1e-11)
    else:  # the root, raised to its inverse, is the gate again
        back = np.linalg.matrix_power(powered, round(1 / exponent))
        np.testing.assert_allclose(back, m, atol=1e-10)


@each_spec
def test_controls_are_the_high_rows(spec):
    """Built-in controls come first and must be 1; further ones have the value asked for."""
    params = some_angles(spec)
    m = spec.matrix(*params)
    low = (1 << spec.num_controls) - 1
    for column in range(len(m)):
        if column & low != low:
            np.testing.assert_array_equal(m[:, column], np.eye(len(m))[column])
    k = spec.num_qubits
    for value in (0, 1):
        circuit = Circuit(k + 1).append(spec, params, range(k), controls=[k], control_values=[value])
        blocks = [np.eye(len(m)), m] if value else [m, np.eye(len(m))]
        wanted = np.zeros((2 * len(m),) * 2, dtype=complex)
        wanted[: len(m), : len(m)], wanted[len(m) :, len(m) :] = blocks
        np.testing.assert_allclose(circuit.matrix(), wanted, atol=1e-14)


@primitive_parametrised
@given(theta=angles)
def test_derivative_is_the_slope(spec, theta):
    step = 1e-4
    # five points: the error is of the order step**4
    points = [spec.target_matrix(theta + k * step) for k in (-2, -1, 1, 2)]
    slope = (points[0] - 8 * points[1] + 8 * points[2] - points[3]) / (12 * step)
    np.testing.assert_allclose(spec.derivative(theta), slope, atol=1e-9)


@primitive_parametrised
def test_frequencies_are_those_of_an_expectation_value(spec):
    """Expectation values as functions of the angle hold the frequencies that shift rules take."""
    rng = np.random.default_rng(4)
    size = 1 << spec.num_qubits
    circuit = qsim.Circuit(spec.num_qubits).append(spec, [qsim.Parameter("t")], range(spec.num_qubits))
    (tape,) = qsim.compile(circuit).tapes
    frequencies = frequencies_of(levels_of(tape, tape.instructions[0]))
    if spec.name == "gphase":
        assert frequencies == ()  # a global phase moves no expectation value
        return
    period_units = 8  # all frequencies of the table are multiples of 1/4 at least
    points = 64
    thetas = 2 * np.pi * period_units / 2 * np.arange(points) / points
    matrices = [spec.matrix(theta) for theta in thetas]
    powers = np.zeros(points // 2 + 1)
    for _ in range(4):
        state = rng.normal(size=size) + 1j * rng.normal(size=size)
        h = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
        h = h + h.conj().T
        values = [np.vdot(m @ state, h @ (m @ state)).real for m in matrices]
        powers += np.abs(np.fft.rfft(values)) / points
    found = tuple(float(k) / (period_units / 2) for k in range(1, len(powers)) if powers[k] > 1e-9)
    scale = abs(tape.instructions[0]["scale"])
    assert tuple(scale * w for w in frequencies) == pytest.approx(found)


def test_gates_without_a_parameter_have_no_derivative():
    for name in ("x", "u"):
        with pytest.raises(ArgumentError, match="must have exactly one parameter of its own"):
            get_gate(name).derivative(0.3)


@each_spec
def test_runs_as_its_matrix(spec, backend):
    """What a circuit with the gate does to random states, on each backend."""
    params, k = some_angles(spec, seed=9), spec.num_qubits
    rng = np.random.default_rng(1)
    state = rng.normal(size=1 << k) + 1j * rng.normal(size=1 << k)
    state /= np.linalg.norm(state)
    out = qsim.statevector(Circuit(k).append(spec, params, range(k)), initial_state=state, backend=backend)
    np.testing.assert_allclose(out, spec.matrix(*params) @ state, atol=1e-13)


# -- independent definitions ------------------------------------------------------------------------
def qiskit_gate(spec: GateSpec):
    library = pytest.importorskip("qiskit.circuit.library", reason="needs Qiskit")
    known = library.get_standard_gate_name_mapping()
    found = [known[name] for name in (spec.name, *spec.aliases) if name in known]
    extra = {"c3x": library.C3XGate(), "c4x": library.C4XGate()}
    return found[0] if found else extra.get(spec.name)


def test_every_record_has_an_independent_definition():
    unchecked = [s.name for s in SPECS if qiskit_gate(s) is None and s.name not in CLOSED_FORMS]
    assert not unchecked


@each_spec
def test_equals_qiskit(spec):
    gate = qiskit_gate(spec)
    if gate is None:
        pytest.skip("Qiskit has no such gate; compared with a closed form")
    for seed in range(3):
        params = some_angles(spec, seed)
        other = type(gate)(*params) if params else gate
        np.testing.assert_allclose(spec.matrix(*params), other.to_matrix(), atol=1e-14)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_equals_closed_form(name):
    spec = get_gate(name)
    for seed in range(3):
        params = some_angles(spec, seed)
        np.testing.assert_allclose(spec.matrix(*params), CLOSED_FORMS[name](*params), atol=1e-14)


#: PennyLane's operation for a record, where its name is not the record's without underscores
PENNYLANE = {
    "id": "Identity",
    "x": "PauliX",
    "y": "PauliY",
    "z": "PauliZ",
    "h": "Hadamard",
    "p": "PhaseShift",
    "gphase": "GlobalPhase",
    "u": "U3",
    "cx": "CNOT",
    "ccx": "Toffoli",
    "cp": "ControlledPhaseShift",
    "cphase00": "CPhaseShift00",
    "cphase01": "CPhaseShift01",
    "cphase10": "CPhaseShift10",
    "rxx": "IsingXX",
    "ryy": "IsingYY",
    "rzz": "IsingZZ",
    "ising_xy": "IsingXY",
    "fermionic_swap": "FermionicSWAP",
}


@each_spec
def test_equals_pennylane(spec):
    """PennyLane's matrices take the first wire as the most significant bit: ours is its reverse."""
    qml = pytest.importorskip("pennylane", reason="needs PennyLane")
    plain = {name.lower(): name for name in dir(qml) if inspect.isclass(getattr(qml, name))}
    name = PENNYLANE.get(spec.name) or plain.get(spec.name.replace("_", ""))
    operation = getattr(qml, name) if name else None
    if operation is None or not issubclass(operation, qml.operation.Operation):
        pytest.skip("PennyLane has no such gate; compared with a closed form")
    for seed in range(3):
        params = some_angles(spec, seed)
        given_params = [-p for p in params] if spec.name == "gphase" else params  # exp(-i phi) there
        wires = list(range(spec.num_qubits))
        big = qml.matrix(operation(*given_params, wires=wires), wire_order=wires[::-1]) if wires else None
        if big is None:
            big = np.array([[np.exp(1j * params[0])]])
        np.testing.assert_allclose(spec.matrix(*params), big, atol=1e-14)


def test_control_values_as_text_are_a_bitstring():
    by_list = Circuit(4).x(3, controls=[0, 1, 2], control_values=[0, 0, 1])
    assert Circuit(4).x(3, controls=[0, 1, 2], control_values="100") == by_list
    assert Circuit(4).mcx([0, 1, 2], 3, "100") == by_list
    assert Circuit(4).append("x", (), 3, controls=(0, 1, 2), control_values="100") == by_list
    assert Circuit(1).x(0).control(3, "100").remap([0, 1, 2, 3]) == by_list
    np.testing.assert_array_equal(qsim.statevector(Circuit(4).x(2).compose(by_list)), np.eye(16)[0b1100])
    assert Circuit.from_qasm(by_list.to_qasm()).matrix().tolist() == by_list.matrix().tolist()


@pytest.mark.parametrize("name", ["p", "rx", "ry", "rz"])
def test_methods_for_many_controls_are_the_gate_behind_them(name):
    method = getattr(Circuit(3), f"mc{name}")
    expected = getattr(Circuit(3), name)(0.7, 1, controls=[0, 2], control_values=[1, 0])
    assert method(0.7, [0, 2], 1, control_values=[1, 0]) == expected


def test_other_names_of_methods():
    assert Circuit(2).perm([1, 0, 3, 2], [0, 1]) == Circuit(2).permutation([1, 0, 3, 2], [0, 1])
    assert Circuit(2).diag([1, -1], 1) == Circuit(2).diagonal([1, -1], 1)
    assert Circuit(2).pauli_rot(0.3, "XY", [0, 1]) == Circuit(2).pauli_rotation(0.3, "XY", [0, 1])


def test_control_values_as_text_are_those_of_qiskit():
    library = pytest.importorskip("qiskit.circuit.library")
    theirs = library.XGate().control(2, ctrl_state="10").to_matrix()
    ours = Circuit(3).x(2, controls=[0, 1], control_values="10").matrix()
    np.testing.assert_allclose(ours, theirs, atol=1e-14)


def test_expand_controls_by_hand():
    x = np.array([[0, 1], [1, 0]])
    cx = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]])
    np.testing.assert_array_equal(expand_controls(x, 1), cx)
    np.testing.assert_array_equal(expand_controls(x, 1, [0])[:, 0], [0, 0, 1, 0])
    assert expand_controls(x, 0) is x


@pytest.mark.parametrize("spec", unique_specs(), ids=lambda spec: spec.name)
def test_matrices_of_the_table_cannot_be_changed(spec):
    params = (0.3,) * spec.num_params
    matrix = spec.matrix(*params)
    wanted = matrix.copy()
    matrix *= 2
    np.testing.assert_array_equal(spec.matrix(*params), wanted)
    for array in (spec.const, *(m for term in spec.terms for m in term[1:])):
        assert array is None or not array.flags.writeable


def test_powers_that_need_too_large_a_matrix_or_values():
    with pytest.raises(CircuitError, match="at most 10 qubits"):
        Circuit(20).h(0).to_gate().power((), 0.5)
    with pytest.raises(CircuitError, match="at most 10 qubits"):
        Circuit(20).permutation(np.arange(1 << 12), range(12)).operations[0].power(0.5)
    with pytest.raises(ParameterError, match="needs numeric parameters"):
        Circuit(1).rx(Parameter("x"), 0).to_gate().power((), 0.5)


@pytest.mark.parametrize("num_qubits", [3, 16])
@pytest.mark.parametrize("angles", [None, np.pi / 2, np.pi, 0.0])
def test_gates_on_two_qubits_with_numbers_equal_those_with_parameters(angles, num_qubits, backend):
    """The former may become one matrix, or an exchange of qubits, when they are lowered."""
    rng = np.random.default_rng(0)
    numbers, symbols, values = Circuit(num_qubits), Circuit(num_qubits), {}
    for qubit in range(num_qubits):
        for circuit in (numbers, symbols):
            circuit.ry(0.3 + qubit, qubit).rz(0.2 * qubit, qubit)
    for spec in unique_specs():
        if spec.num_qubits != 2 or not spec.num_params:
            continue
        for qubits in ((2, 0), (num_qubits - 1, 1)):
            params = rng.uniform(-3, 3, spec.num_params) if angles is None else [angles] * spec.num_params
            names = [f"{spec.name}{len(values) + k}" for k in range(spec.num_params)]
            values |= dict(zip(names, map(float, params), strict=True))
            numbers.append(spec, [float(p) for p in params], qubits)
            symbols.append(spec, [Parameter(name) for name in names], qubits)
    expected = qsim.compile(symbols, backend=backend, fuse=False).statevector(values)
    np.testing.assert_allclose(qsim.compile(numbers, backend=backend).statevector(), expected, atol=1e-11)
