"""Gradients: every gate, every method and backend, against differences of dense linear algebra."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.errors import ArgumentError, GradientError, ParameterError, UnboundParameterError
from qsim.gates import GateSpec, Term, unique_specs
from qsim.gradients.evaluate import METHODS as ALL_METHODS
from qsim.gradients.parameter_shift import shift_rule
from qsim.observables import PauliSum
from qsim.program.reverse import Reverse, levels_of, reverse_tape
from qsim.program.tape import Pattern
from qsim.testing import random_circuit, random_state, random_unitary
from qsim.user_gates import (
    DiagonalGate,
    GeneratorGate,
    PauliEvolutionGate,
    PauliRotationGate,
    PermutationGate,
    PhaseOnStatesGate,
    PrepareGate,
    UnitaryGate,
)

EXACT = ("adjoint", "parameter_shift", "hadamard_test")
METHODS = tuple(name for name in ALL_METHODS if name != "spsa")  # which is random
DIFFERENTIABLE = [spec for spec in unique_specs() if spec.num_params]
STEP = 1e-3


def oracle_values(circuit, matrices, values):
    """Expectation values by dense matrices of the gates."""
    state = np.zeros(1 << circuit.num_qubits, dtype=complex)
    state[0] = 1
    for op in circuit.bind(values).operations if circuit.parameters else circuit.operations:
        matrix = op.gate.matrix(*op.params)
        state = reference.apply_matrix(state, matrix, op.targets, op.controls, op.control_values)
    return np.array([reference.expectation(state, m).real for m in matrices])


def oracle_jacobian(circuit, matrices, values):
    """Differences of fourth order, good to about 1e-11."""
    columns = []
    for e in STEP * np.eye(len(values)):
        a, b, c, d = (oracle_values(circuit, matrices, values + k * e) for k in (1, -1, 2, -2))
        columns.append((8 * (a - b) - (c - d)) / (12 * STEP))
    return np.array(columns).reshape(len(values), len(matrices)).T


def observables_of(n, rng):
    """Pauli sums that notice everything, and what they are as matrices."""
    matrix = random_unitary(n, rng)
    matrix = (matrix + matrix.conj().T) / 2
    sums = [PauliSum.from_matrix(matrix), PauliSum({"Z" * n: 0.5, "X" + "I" * (n - 1): -1.5})]
    return sums, [o.to_matrix(n) for o in sums]


def surrounded(num_qubits, rng, put):
    """A circuit with a gate between layers that leave no symmetry."""
    circuit = qsim.Circuit(num_qubits)
    for q in range(num_qubits):
        circuit.ry(rng.normal(), q).rz(rng.normal(), q)
    put(circuit)
    for q in range(num_qubits):
        circuit.rx(rng.normal(), q)
    return circuit


def check(circuit, backend, rng, precision="double", methods=EXACT, tolerance=1e-9):
    sums, matrices = observables_of(circuit.num_qubits, rng)
    values = rng.uniform(-3, 3, (2, len(circuit.parameters)))
    expected = np.array([oracle_jacobian(circuit, matrices, row) for row in values])
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    program = qsim.compile(circuit, sums, backend=backend, precision=precision)
    found = {}
    for method in methods:
        value, found[method] = program.value_and_gradient(values, method=method)
        np.testing.assert_allclose(value, program.expectation(values), atol=tolerance)
        assert np.abs(found[method] - expected).max(initial=0.0) <= tolerance * scale, method
    if len(methods) == 3 and precision == "double":
        assert np.abs(found["adjoint"] - found["parameter_shift"]).max(initial=0.0) <= 1e-10 * scale


# -- gates -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("extra", [0, 1, 2])
@pytest.mark.parametrize("spec", DIFFERENTIABLE, ids=lambda spec: spec.name)
def test_every_gate_of_the_table(spec, extra, backend):
    rng = np.random.default_rng(len(spec.name) + extra)
    n = max(spec.num_qubits + extra, 2)
    order = rng.permutation(n).tolist()
    params = [qsim.Parameter(f"p{k}") for k in range(spec.num_params)]
    controls = order[spec.num_qubits : spec.num_qubits + extra]
    values = rng.integers(0, 2, extra).tolist()
    circuit = surrounded(
        n,
        rng,
        lambda c: c.append(spec, params, order[: spec.num_qubits], controls=controls, control_values=values),
    )
    check(circuit, backend, rng)


@pytest.mark.parametrize("spec", DIFFERENTIABLE, ids=lambda spec: spec.name)
def test_every_gate_in_single_precision(spec, backend):
    rng = np.random.default_rng(3)
    params = [qsim.Parameter(f"p{k}") for k in range(spec.num_params)]
    n = max(spec.num_qubits, 2)
    circuit = surrounded(n, rng, lambda c: c.append(spec, params, range(spec.num_qubits)))
    check(circuit, backend, rng, "single", tolerance=2e-5)


@pytest.mark.parametrize(
    "gate",
    [
        PauliRotationGate("XIZY"),
        PauliRotationGate("ZZIZ"),
        PhaseOnStatesGate(5, 3),
        PhaseOnStatesGate(70, 7),  # a table
        PauliEvolutionGate(PauliSum({"XX": 0.7, "ZI": -0.4}), 2, order=2),
        GeneratorGate([[0, 0], [0, 0]]),
        GeneratorGate(np.diag([1.0, 0.5, -0.3, 0.0])),
        GeneratorGate([[1, 2 - 1j], [2 + 1j, -0.5]]),
        GeneratorGate(PauliSum({"XYZ": 1.0, "ZZI": 0.5, "IXI": -0.3}).to_matrix()),
    ],
    ids=lambda gate: f"{gate.name}-{gate.num_qubits}",
)
def test_gates_with_data_of_their_own(gate, backend):
    rng = np.random.default_rng(5)
    order = rng.permutation(gate.num_qubits + 1).tolist()
    t = qsim.Parameter("t")
    circuit = surrounded(
        gate.num_qubits + 1,
        rng,
        lambda c: c.append(gate, [t], order[:-1], controls=order[-1:], control_values=[0]),
    )
    check(circuit, backend, rng)


@pytest.mark.parametrize("angle", [1.3, 1e4])
def test_a_generator_that_turns_at_an_odd_frequency(angle, backend):
    # exp(-i a t Z / 2) exp(-i t X / 2): no one-parameter group, so the generator depends on the angle
    a = math.sqrt(2)
    one, x, z = np.eye(2), np.array([[0, 1], [1, 0]]), np.diag([1, -1])
    terms = (
        Term((a + 1) / 2, (one + z @ x) / 2, -0.5j * (z + x)),
        Term((a - 1) / 2, (one - z @ x) / 2, -0.5j * (z - x)),
    )
    gate = GateSpec("zx", np.zeros((2, 2)), terms, param_names=("t",), num_qubits=1)
    circuit = qsim.Circuit(1).ry(0.4, 0).append(gate, (qsim.Parameter("t"),), 0)
    turn = np.cos(a * angle / 2) * one - 1j * np.sin(a * angle / 2) * z
    state = turn @ (np.cos(angle / 2) * one - 1j * np.sin(angle / 2) * x) @ [math.cos(0.2), math.sin(0.2)]
    slope = -0.5j * (a * z + turn @ x @ turn.conj().T) @ state
    expected = [2 * (state.conj() @ pauli @ slope).real for pauli in (x, z)]
    for method in EXACT:
        found = qsim.gradient(circuit, ["X0", "Z0"], [angle], method=method, backend=backend)
        np.testing.assert_allclose(found[:, 0], expected, rtol=0, atol=2e-15 * angle + 1e-14)


@pytest.mark.parametrize(
    "gate",
    [
        UnitaryGate(random_unitary(3, 1)),
        UnitaryGate(random_unitary(6, 1)),
        DiagonalGate(np.exp(1j * np.arange(128))),
        PermutationGate(np.random.default_rng(0).permutation(64)),
        PrepareGate(random_state(3, 4)),
    ],
    ids=lambda gate: f"{gate.name}-{gate.num_qubits}",
)
def test_gates_without_parameters_are_undone(gate, backend):
    rng = np.random.default_rng(6)
    n = gate.num_qubits + 1
    t = qsim.ParameterVector("t", n)
    circuit = qsim.Circuit(n)
    for q in range(n):
        circuit.ry(t[q], q)
    order = rng.permutation(n).tolist()
    circuit.append(gate, (), order[:-1], controls=order[-1:])
    check(circuit, backend, rng)


@given(data=st.data())
@settings(max_examples=30)
def test_random_circuits(data, backend):
    circuit = data.draw(strategies.circuits(1, 4, 6, parameters=3))
    check(circuit, backend, np.random.default_rng(data.draw(strategies.seeds)), tolerance=1e-7)


@pytest.mark.parametrize("num_qubits", [1, 2, 3, 6, 15, 17])
def test_sizes(num_qubits, backend, threads):
    """Smaller than a register, resident, tiled, shared by threads."""
    inner = random_circuit(num_qubits, 12, seed=num_qubits, parameters=4, max_controls=2)

    def put(circuit):
        for op in inner.operations:
            circuit.append(
                op.gate, op.params, op.targets, controls=op.controls, control_values=op.control_values
            )
        circuit.append(PauliRotationGate("XY" * (num_qubits // 2)), [t], range(num_qubits // 2 * 2))

    t = qsim.Parameter("t")
    circuit = surrounded(num_qubits, np.random.default_rng(num_qubits), put)
    sums = [PauliSum("Z0"), PauliSum({f"X{num_qubits - 1}": 1.0, "Y0": 0.5})]
    values = np.random.default_rng(0).normal(size=len(circuit.parameters))
    program = qsim.compile(circuit, sums, backend=backend, threads=threads)
    exact = program.value_and_gradient(values)[1]
    shifted = program.value_and_gradient(values, method="parameter_shift")[1]
    np.testing.assert_allclose(exact, shifted, atol=1e-10)
    assert np.abs(exact).max() > 1e-3
    one = qsim.compile(circuit, sums, backend=backend, threads=1).value_and_gradient(values)[1]
    assert np.array_equal(exact, one)


def test_instruction_sets(isa, precision):
    circuit = random_circuit(5, 30, seed=2, parameters=8, max_controls=2)
    values = np.random.default_rng(0).normal(size=(3, len(circuit.parameters)))
    matrix = PauliSum({"XYZII": 1.0, "ZZIII": 0.4})
    found = qsim.gradient(circuit, matrix, values, backend="cpp", precision=precision)
    shifted = qsim.gradient(circuit, matrix, values, backend="numba", method="parameter_shift")
    np.testing.assert_allclose(found, shifted, atol=1e-10 if precision == "double" else 1e-4)


# -- parameters ------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_expressions_and_shared_parameters(method, backend):
    x, y = qsim.Parameter("x"), qsim.Parameter("y")
    circuit = qsim.Circuit(2).rx(qsim.arctan(1.7 * x + 0.2), 0).ry(x * y, 1).crx(2 * x + 1, 0, 1)
    circuit.rz(x, 0).rzz(qsim.exp(y) / 3, 0, 1).gpi2(x - y, 1).ry(x, 0)
    matrices = [PauliSum({"ZX": 1.0, "YI": 0.5}).to_matrix()]
    values = np.array([0.4, -0.7])
    expected = oracle_jacobian(circuit, matrices, values)[0]
    found = qsim.gradient(circuit, PauliSum({"ZX": 1.0, "YI": 0.5}), values, method=method, backend=backend)
    np.testing.assert_allclose(found, expected, atol=1e-10 if method in EXACT else 1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_a_formula(method):
    theta = qsim.Parameter("theta")
    value, slope = qsim.value_and_gradient(qsim.Circuit(1).ry(theta, 0), "Z0", [0.3], method=method)
    assert value == pytest.approx(math.cos(0.3), abs=1e-12)
    assert slope == pytest.approx(-math.sin(0.3), abs=1e-9)
    assert isinstance(value, float)


@pytest.mark.parametrize("batch", [0, 1, 7, 64, 257])
def test_a_batch_is_a_loop(batch, backend, threads):
    circuit = random_circuit(4, 20, seed=9, parameters=5)
    values = np.random.default_rng(1).normal(size=(batch, len(circuit.parameters)))
    program = qsim.compile(circuit, ["Z0", "X1 Y2"], backend=backend, threads=threads)
    value, slope = program.value_and_gradient(values)
    assert value.shape == (batch, 2) and slope.shape == (batch, 2, values.shape[1])
    for row in range(0, batch, 16):
        one_value, one_slope = program.value_and_gradient(values[row])
        assert np.array_equal(value[row], one_value) and np.array_equal(slope[row], one_slope)


@pytest.mark.parametrize("method", METHODS)
def test_shapes_of_dicts(method):
    x, w, t = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 3), qsim.Parameter("t")
    circuit = qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1).cx(0, 1).rx(w[0] * t, 0).rx(w[2], 1)
    data = np.random.default_rng(0).normal(size=(5, 2))
    params = {"x": data, w: [0.1, 0.2, 0.3], "t": 0.7}
    value, slopes = qsim.value_and_gradient(circuit, "Z0 Z1", params, method=method)
    assert value.shape == (5,) and list(slopes) == ["x", w, "t"]
    assert {str(k): v.shape for k, v in slopes.items()} == {"x": (5, 2), str(w): (5, 3), "t": (5,)}
    assert not slopes[w][:, 1].any()  # not in the circuit
    _, several = qsim.value_and_gradient(circuit, ["Z0 Z1", "X0"], params, method=method)
    assert several["t"].shape == (5, 2) and several[w].shape == (5, 2, 3)
    np.testing.assert_allclose(several[w][:, 0], slopes[w], atol=1e-12)
    single = qsim.gradient(circuit, "Z0 Z1", {"x": data[0], "w": [0.1, 0.2, 0.3], "t": 0.7}, method=method)
    assert isinstance(single["t"], float) and single["w"].shape == (3,)
    np.testing.assert_allclose(single["w"], slopes[w][0], atol=1e-12)
    both = qsim.jacobian(circuit, "Z0 Z1", params, method=method, wrt=["t", w])
    assert list(both) == ["t", w] and both["t"].shape == (5, 1)


@pytest.mark.parametrize("method", METHODS)
def test_wrt_of_an_array(method):
    circuit = random_circuit(3, 15, seed=4, parameters=6)
    values = np.random.default_rng(0).normal(size=(2, len(circuit.parameters)))
    program = qsim.compile(circuit, "Z0")
    everything = program.value_and_gradient(values, method=method)[1]
    p = circuit.parameters
    for wrt, columns in [(p[1], [1]), (p[2].name, [2]), ([p[3], p[0].name], [3, 0]), ([], [])]:
        some = program.value_and_gradient(values, wrt=wrt, method=method)[1]
        np.testing.assert_allclose(some, everything[:, columns], atol=1e-12)
    vector = program.value_and_gradient(values, wrt=p[0].vector[0], method=method)[1]
    indices = [q.vector[1] for q in p]
    np.testing.assert_allclose(vector[:, indices], everything, atol=1e-12)


def test_circuits_without_parameters_or_gates():
    value, slope = qsim.value_and_gradient(qsim.Circuit(2).h(0), "X0")
    assert value == pytest.approx(1.0) and slope.shape == (0,)
    assert qsim.value_and_gradient(qsim.Circuit(2), ["Z0", "Z1"])[1].shape == (2, 0)
    program = qsim.compile(qsim.Circuit(0).gphase(qsim.Parameter("t")), PauliSum({"": 2.0}))
    for method in METHODS:
        value, slope = program.value_and_gradient([0.3], method=method)
        assert value == pytest.approx(2.0) and slope == pytest.approx([0.0], abs=1e-9)


# -- observables -----------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_all_kinds_of_observables(method, backend):
    rng = np.random.default_rng(8)
    m = random_unitary(2, rng)
    observables = [
        PauliSum({"Z0": 1.0}),
        qsim.Hermitian((m + m.conj().T) / 2, [2, 0]),
        qsim.Projector("10", [1, 2]),
        qsim.Diagonal(rng.normal(size=4), [0, 2]),
        qsim.SparseMatrix(PauliSum({"XYZ": 1.0}).to_matrix()),
        qsim.StateProjector(random_state(3, rng)),
    ]
    circuit = random_circuit(3, 12, seed=8, parameters=4)
    values = rng.normal(size=(2, len(circuit.parameters)))
    matrices = [o.to_matrix(3) for o in observables]
    expected = [oracle_jacobian(circuit, matrices, row) for row in values]
    found = qsim.gradient(circuit, observables, values, method=method, backend=backend)
    np.testing.assert_allclose(found, expected, atol=1e-9 if method in EXACT else 1e-7)


# -- rules -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "frequencies",
    [[1.0], [0.5, 1.0], [1.0, 2.0, 3.0], [0.3, 1.0, 1.7], [0.1, 0.11, 2.0], [2.0, 4.0, 5.0, 9.0]],
)
def test_shift_rules_are_exact(frequencies):
    w = np.array(frequencies)
    shifts, coefficients = shift_rule(w)
    assert len(shifts) == 2 * len(w)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, len(w)))
    terms = zip(shifts, coefficients, strict=True)
    x = 0.7
    found = sum(c * (a @ np.cos(w * (x + s)) + b @ np.sin(w * (x + s))) for s, c in terms)
    assert found == pytest.approx(w @ (b * np.cos(w * x) - a * np.sin(w * x)), abs=1e-9)


def test_controlled_rotations_have_four_terms():
    circuit = qsim.Circuit(2).crx(qsim.Parameter("t"), 0, 1)
    (tape,) = qsim.compile(circuit).tapes
    assert sorted(levels_of(tape, tape.instructions[0])) == [-0.5, 0.0, 0.5]


def test_rules_that_amplify_rounding_are_refused():
    with pytest.raises(GradientError, match="no parameter-shift rule that keeps its accuracy"):
        shift_rule(1.0 + 1e-7 * np.arange(12))


def test_generators_of_rotations_are_constant_and_cheap():
    t = qsim.ParameterVector("t", 3)
    (tape,) = qsim.compile(qsim.Circuit(2).rx(t[0], 0).rz(t[1], 0).rxx(t[2], 0, 1).h(0)).tapes
    reverse = reverse_tape(tape, {0, 1, 2})
    generators = reverse.tape.instructions[reverse.slots >= 0]
    kinds = [Pattern(p) for p in generators["pattern"]]
    assert kinds == [Pattern.PAULI_ROTATION, Pattern.DIAGONAL, Pattern.PERMUTATION]
    assert reverse.slots[-1] == 0  # nothing behind the last generator
    assert (generators["num_terms"] == 0).all()


# -- refusals --------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", EXACT)
def test_refuses_what_it_cannot_differentiate(method):
    t = qsim.Parameter("t")
    measured = qsim.Circuit(2, 1).ry(t, 0).measure(0, 0)
    measured.if_else((0, 1), qsim.Circuit(2, 1).x(1))
    with pytest.raises(GradientError, match=r"`measure` of qubit 0 before its end.*finite_difference"):
        qsim.gradient(measured, "Z1", [0.3], method=method)
    leaky = qsim.Circuit(1).ry(t, 0).append(UnitaryGate([[1, 0], [0, 0.5]], "leak", check=False), (), [0])
    with pytest.raises(GradientError, match=r"`leak`, which is not unitary.*finite_difference"):
        qsim.gradient(leaky, "Z0", [0.3], method=method)


def test_finite_differences_of_what_the_others_refuse():
    t = qsim.Parameter("t")
    leaky = qsim.Circuit(1).ry(t, 0).append(UnitaryGate([[1, 0], [0, 0.5]], "leak", check=False), (), [0])
    c, s = math.cos(0.15) ** 2, math.sin(0.15) ** 2 / 4  # weights of 0 and 1
    slope = math.sin(0.3) / 2
    expected = 2 * (-slope * s - c * slope / 4) / (c + s) ** 2
    assert qsim.gradient(leaky, "Z0", [0.3], method="finite_difference") == pytest.approx(
        [expected], abs=1e-8
    )


def test_errors():
    t, circuit = qsim.Parameter("t"), qsim.Circuit(1)
    circuit.ry(t, 0)
    with pytest.raises(ArgumentError, match="Did you mean 'adjoint'"):
        qsim.gradient(circuit, "Z0", [0.3], method="adjiont")
    with pytest.raises(ParameterError, match="`u` does not occur"):
        qsim.gradient(circuit, "Z0", [0.3], wrt="u")
    with pytest.raises(TypeError, match="`wrt`"):
        qsim.gradient(circuit, "Z0", [0.3], wrt=3)
    with pytest.raises(UnboundParameterError):
        qsim.gradient(circuit, "Z0")
    with pytest.raises(ArgumentError, match="compiled without observables"):
        qsim.compile(circuit).value_and_gradient([0.3])
    with pytest.raises(ArgumentError, match="`step`"):
        qsim.gradient(circuit, "Z0", [0.3], step=0.1)
    with pytest.raises(ArgumentError, match="positive"):
        qsim.gradient(circuit, "Z0", [0.3], method="finite_difference", step=0.0)
    root = qsim.Circuit(1).ry(qsim.sqrt(t), 0)
    with pytest.raises(GradientError, match="no finite derivative by `t`"):
        qsim.gradient(root, "Z0", [0.0])


def test_what_is_derived_is_bounded():
    t = qsim.ParameterVector("t", 40)
    circuit = qsim.Circuit(1)
    for angle in t:
        circuit.rx(angle, 0)
    program = qsim.compile(circuit, "Z0")
    values = np.linspace(0, 1, 40)
    for element in t:
        slope = program.value_and_gradient(values, wrt=element)[1]
        assert slope == pytest.approx([-math.sin(values.sum())], abs=1e-12)
    assert len(program._derived) <= 32


def test_checks_of_the_kernels(kernel):
    t = qsim.Parameter("t")
    (tape,) = qsim.compile(qsim.Circuit(1).ry(t, 0)).tapes
    reverse = reverse_tape(tape, {0})
    handle = kernel.compile(reverse.tape)
    one = np.array([1], np.uint64)
    paulis = kernel.compile_paulis(1, 0 * one, one, np.array([1.0]), np.array([0, 1]))
    angles, states, good = np.zeros((1, 1)), np.ones((2, 2), complex), np.ones((2, 1, 2), complex)
    for bad in (good[:1].copy(), good.astype(np.complex64), good[:, 0].copy(), np.ones((2, 1, 4), complex)):
        with pytest.raises(ValueError):
            kernel.apply_paulis(paulis, states, bad, 1)
        with pytest.raises(ValueError):
            kernel.sweep_back(handle, reverse, states, bad, angles, 1)
    with pytest.raises(ValueError):
        kernel.apply_paulis(paulis, states, np.ones((2, 2, 2), complex), 1)
    with pytest.raises(ValueError):
        kernel.sweep_back(handle, reverse, states, good, np.zeros((3, 1)), 1)
    for wrong in (
        Reverse(reverse.tape, np.zeros(3, np.int32), np.zeros(3)),
        Reverse(reverse.tape, reverse.slots + np.int32(7), reverse.weights),
    ):
        with pytest.raises(ValueError):
            kernel.sweep_back(handle, wrong, states, good, angles, 1)


def test_programs_with_gradients_pickle():
    import pickle

    program = qsim.compile(qsim.Circuit(1).ry(qsim.Parameter("t"), 0), "Z0")
    before = program.value_and_gradient([0.3])
    after = pickle.loads(pickle.dumps(program)).value_and_gradient([0.3])
    assert before[0] == after[0] and np.array_equal(before[1], after[1])
