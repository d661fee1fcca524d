"""Products with Jacobians and Hessians: every gate and kind of parameter, against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.errors import ArgumentError, GradientError, ParameterError
from qsim.gates import unique_specs
from qsim.observables import PauliSum
from qsim.testing import random_circuit, random_state
from qsim.user_gates import (
    GeneratorGate,
    PauliEvolutionGate,
    PauliRotationGate,
    PhaseOnStatesGate,
    PrepareGate,
    UnitaryGate,
)

DIFFERENTIABLE = [spec for spec in unique_specs() if spec.num_params]
STEP = 2e-3


def differences(function, values):
    """Derivatives of a function of (..., parameters), of fourth order; the last axis is the parameter."""
    columns = []
    for e in STEP * np.eye(values.shape[-1]):
        a, b, c, d = (function(values + k * e) for k in (1, -1, 2, -2))
        columns.append((8 * (a - b) - (c - d)) / (12 * STEP))
    return np.stack(columns, axis=-1) if columns else np.zeros((*function(values).shape, 0))


def surrounded(num_qubits, rng, put):
    circuit = qsim.Circuit(num_qubits)
    for q in range(num_qubits):
        circuit.ry(rng.normal(), q).rz(rng.normal(), q)
    put(circuit)
    for q in range(num_qubits):
        circuit.rx(rng.normal(), q)
    return circuit


def check(circuit, rng, tolerance=1e-8, **options):
    n, count = circuit.num_qubits, len(circuit.parameters)
    observables = [PauliSum({"X" * n: 1.0, "Z" + "I" * (n - 1): 0.7}), PauliSum({"Y" + "Z" * (n - 1): 1.5})]
    values = rng.uniform(-3, 3, (2, count))
    vector = rng.normal(size=(2, count))
    program = qsim.compile(circuit, observables, **options)
    exact = qsim.compile(circuit, observables, backend=program.backend)
    first = exact.value_and_gradient(values)[1]
    expected = differences(lambda v: exact.value_and_gradient(v)[1], values)
    found = program.hessian(values)
    assert found.shape == (2, 2, count, count)
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    assert np.abs(found - expected).max(initial=0.0) <= tolerance * scale
    assert np.array_equal(found, found.swapaxes(-1, -2))
    product = program.hvp(values, vector)
    assert (
        np.abs(product - np.einsum("bopq,bq->bop", expected, vector)).max(initial=0.0)
        <= 5 * tolerance * scale
    )
    value, change = program.jvp(values, vector)
    np.testing.assert_allclose(value, exact.expectation(values), atol=tolerance)
    expected = np.einsum("bop,bp->bo", first, vector)
    assert np.abs(change - expected).max(initial=0.0) <= tolerance * scale


# -- gates -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", DIFFERENTIABLE, ids=lambda spec: spec.name)
def test_every_gate_of_the_table(spec, backend):
    rng = np.random.default_rng(len(spec.name))
    n = max(spec.num_qubits + 1, 2)
    order = rng.permutation(n).tolist()
    params = [qsim.Parameter(f"p{k}") for k in range(spec.num_params)]
    controls = order[spec.num_qubits : spec.num_qubits + 1]
    t = qsim.Parameter("t")
    circuit = surrounded(
        n,
        rng,
        lambda c: (
            c.append(spec, params, order[: spec.num_qubits], controls=controls, control_values=[0]).ry(t, 0)
        ).append(spec, params, order[: spec.num_qubits]),
    )
    check(circuit, rng, backend=backend)


@pytest.mark.parametrize(
    "gate",
    [
        PauliRotationGate("XIZY"),
        PhaseOnStatesGate(5, 3),
        PhaseOnStatesGate(40, 6),  # a table
        PauliEvolutionGate(PauliSum({"XX": 0.7, "ZI": -0.4}), 2, order=2),
        GeneratorGate([[0, 0], [0, 0]]),
        GeneratorGate(np.diag([1.0, 0.5, -0.3, 0.0])),
        GeneratorGate(np.diag(np.linspace(-1, 2, 64))),  # a table of phases that are not all moving alike
        GeneratorGate([[1, 2 - 1j], [2 + 1j, -0.5]]),
        GeneratorGate(PauliSum({"XYZ": 1.0, "ZZI": 0.5, "IXI": -0.3}).to_matrix()),
    ],
    ids=lambda gate: f"{gate.name}-{gate.num_qubits}",
)
def test_gates_with_data_of_their_own(gate, backend):
    rng = np.random.default_rng(5)
    order = rng.permutation(gate.num_qubits + 1).tolist()
    t, u = qsim.Parameter("t"), qsim.Parameter("u")
    circuit = surrounded(
        gate.num_qubits + 1,
        rng,
        lambda c: (
            c.append(gate, [t], order[:-1], controls=order[-1:], control_values=[0])
            .ry(u, order[0])
            .append(gate, [t], order[:-1])
        ),
    )
    check(circuit, rng, backend=backend)


@pytest.mark.parametrize("gate", [PrepareGate(random_state(2, 4)), UnitaryGate(np.eye(4)[[1, 0, 3, 2]])])
def test_constant_gates_in_between(gate, backend):
    t = qsim.ParameterVector("t", 4)
    circuit = qsim.Circuit(3).ry(t[0], 0).rx(t[1], 1)
    circuit.append(gate, (), [0, 2], controls=[1]).ry(t[2], 2).crz(t[3], 2, 0)
    check(circuit, np.random.default_rng(0), backend=backend)


def test_single_precision(backend):
    circuit = random_circuit(4, 20, seed=1, parameters=6)
    check(circuit, np.random.default_rng(1), 2e-4, backend=backend, precision="single")


@given(data=st.data())
@settings(max_examples=15)
def test_random_circuits(data, backend):
    circuit = data.draw(strategies.circuits(1, 4, 6, parameters=3))
    check(circuit, np.random.default_rng(data.draw(strategies.seeds)), 1e-6, backend=backend)


@pytest.mark.parametrize("num_qubits", [13, 15])
def test_big_states(num_qubits, backend, threads):
    circuit = random_circuit(num_qubits, 15, seed=num_qubits, parameters=2)
    t = qsim.Parameter("t")
    circuit.append(PauliRotationGate("XY" * (num_qubits // 2)), [t], range(num_qubits // 2 * 2)).rx(t, 0)
    program = qsim.compile(circuit, "Z0", backend=backend, threads=threads)
    values = np.random.default_rng(0).normal(size=len(circuit.parameters))
    found = program.hessian(values)
    expected = differences(lambda v: program.value_and_gradient(v)[1], values)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    one = qsim.compile(circuit, "Z0", backend=backend, threads=1).hessian(values)
    assert np.array_equal(found, one)


# -- parameters ------------------------------------------------------------------------------------
def test_a_formula(backend):
    x = qsim.Parameter("x")
    twice = qsim.exp(2 * (1.7 * x + 0.2))
    circuit = qsim.Circuit(1).rx((twice - 1) / (twice + 1), 0)  # tanh(1.7 x + 0.2)
    assert qsim.hessian(circuit, "Z0", [0.4], backend=backend)[0, 0] == pytest.approx(0.77603807, abs=1e-7)
    t = math.tanh(1.7 * 0.4 + 0.2)
    slope, bend = 1.7 * (1 - t * t), -2 * 1.7 * 1.7 * t * (1 - t * t)
    exact = -math.cos(t) * slope**2 - math.sin(t) * bend
    assert qsim.hessian(circuit, "Z0", [0.4], backend=backend)[0, 0] == pytest.approx(exact, abs=1e-14)


def test_shared_parameters_and_expressions(backend):
    x, y, z = (qsim.Parameter(name) for name in "xyz")
    circuit = qsim.Circuit(2).rx(qsim.arctan(1.7 * x + 0.2), 0).ry(x * y, 1).crx(2 * x + 1, 0, 1)
    circuit.rz(x, 0).rzz(qsim.exp(y) / 3, 0, 1).gpi2(x - y * z**2, 1).ry(x, 0).rx(z, 1)
    check(circuit, np.random.default_rng(0), 1e-6, backend=backend)  # what the differences are good for


def test_slopes_that_do_not_exist():
    x = qsim.Parameter("x")
    circuit = qsim.Circuit(1).ry(x**1.5, 0)  # the first derivative exists at 0, the second does not
    assert qsim.gradient(circuit, "Z0", [0.0]) == pytest.approx([0.0])
    with pytest.raises(GradientError, match="no finite derivative by `x` in row 1"):
        qsim.hessian(circuit, "Z0", [[0.3], [0.0]])


@pytest.mark.parametrize("batch", [0, 1, 7, 33])
def test_a_batch_is_a_loop(batch, backend):
    circuit = random_circuit(3, 12, seed=2, parameters=4)
    values = np.random.default_rng(1).normal(size=(batch, len(circuit.parameters)))
    vectors = np.random.default_rng(2).normal(size=values.shape)
    program = qsim.compile(circuit, ["Z0", "X1 Y2"], backend=backend)
    matrix, product = program.hessian(values), program.hvp(values, vectors)
    change = program.jvp(values, vectors)[1]
    assert matrix.shape == (batch, 2, values.shape[1], values.shape[1]) and change.shape == (batch, 2)
    for row in range(0, batch, 8):
        np.testing.assert_allclose(program.hessian(values[row]), matrix[row], atol=1e-12)
        np.testing.assert_allclose(program.hvp(values[row], vectors[row]), product[row], atol=1e-12)
        np.testing.assert_allclose(program.jvp(values[row], vectors[row])[1], change[row], atol=1e-12)


def test_pieces_of_a_batch_change_no_bit(monkeypatch, backend):
    circuit = random_circuit(3, 12, seed=2, parameters=4)
    values = np.random.default_rng(1).normal(size=(5, len(circuit.parameters)))
    program = qsim.compile(circuit, "Z0", backend=backend)
    whole = program.hessian(values)
    monkeypatch.setattr("qsim.gradients.states._CHUNK_BYTES", 1)
    assert np.array_equal(program.hessian(values), whole)


def test_dicts_and_wrt():
    x, w, t = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 3), qsim.Parameter("t")
    circuit = qsim.Circuit(2).ry(x[0], 0).ry(x[1] * w[0], 1).cx(0, 1).rx(w[0] * t, 0).rx(w[2], 1)
    data = np.random.default_rng(0).normal(size=(5, 2))
    params = {"x": data, w: [0.1, 0.2, 0.3], "t": 0.7}
    program = qsim.compile(circuit, "Z0 Z1")
    names = [p.name for p in circuit.parameters]
    flat = np.empty((5, len(names)))
    for k, name in enumerate(names):
        flat[:, k] = {"x[0]": data[:, 0], "x[1]": data[:, 1], "w[0]": 0.1, "w[2]": 0.3, "t": 0.7}[name]
    everything = program.hessian(flat)
    found = program.hessian(params)
    assert list(found) == ["x", w, "t"] and list(found["t"]) == ["x", w, "t"]
    assert (
        found["x"][w].shape == (5, 2, 3) and found[w]["t"].shape == (5, 3) and found["t"]["t"].shape == (5,)
    )
    at = {name: k for k, name in enumerate(names)}
    np.testing.assert_allclose(found["x"][w][:, 1, 0], everything[:, at["x[1]"], at["w[0]"]], atol=1e-14)
    np.testing.assert_allclose(found[w]["t"][:, 0], everything[:, at["w[0]"], at["t"]], atol=1e-14)
    assert not found[w][w][:, 1].any()
    single = program.hessian({"x": data[0], w: [0.1, 0.2, 0.3], "t": 0.7})
    assert isinstance(single["t"]["t"], float)
    some = program.hessian(flat, wrt=["t", "x"])
    places = [at["t"], at["x[0]"], at["x[1]"]]
    np.testing.assert_allclose(some, everything[:, places][:, :, places], atol=1e-14)
    # a vector as a dict, in all its parts
    product = program.hvp(params, {"t": 2.0, w: [1.0, 0.0, 0.0]}, wrt="x")
    expected = 2 * found["x"]["t"] + found["x"][w][:, :, 0]
    np.testing.assert_allclose(product["x"], expected, atol=1e-13)
    slopes = program.value_and_gradient(params)[1]
    change = program.jvp(params, {"t": np.arange(5.0)})[1]
    np.testing.assert_allclose(change, slopes["t"] * np.arange(5.0), atol=1e-14)
    change = program.jvp(flat, [1.0, 2.0, 3.0], wrt=["t", "x"])[1]
    np.testing.assert_allclose(change, slopes["t"] + slopes["x"] @ [2.0, 3.0], atol=1e-14)


def test_circuits_without_parameters_or_gates():
    assert qsim.hessian(qsim.Circuit(2).h(0), "X0").shape == (0, 0)
    assert qsim.hvp(qsim.Circuit(2), ["Z0", "Z1"], None, []).shape == (2, 0)
    value, change = qsim.jvp(qsim.Circuit(1), "Z0", None, [])
    assert value == pytest.approx(1.0) and change == 0.0
    program = qsim.compile(qsim.Circuit(0).gphase(qsim.Parameter("t")), PauliSum({"": 2.0}))
    assert program.hessian([0.3]) == pytest.approx(np.zeros((1, 1)), abs=1e-12)


# -- refusals --------------------------------------------------------------------------------------
@pytest.mark.parametrize("call", ["vjp", "jvp", "hvp", "hessian"])
def test_refusals(call):
    t = qsim.Parameter("t")
    arguments = () if call == "hessian" else (1.0,) if call == "vjp" else ([1.0],)
    measured = qsim.Circuit(2, 1).ry(t, 0).measure(0, 0).if_else((0, 1), qsim.Circuit(2, 1).x(1))
    with pytest.raises(GradientError, match=rf"`{call}`.*`measure` of qubit 0 before its end"):
        getattr(qsim, call)(measured, "Z1", [0.3], *arguments)
    leaky = qsim.Circuit(1).ry(t, 0).append(UnitaryGate([[1, 0], [0, 0.5]], "leak", check=False), (), [0])
    with pytest.raises(GradientError, match=rf"`{call}`.*`leak`, which is not unitary"):
        getattr(qsim, call)(leaky, "Z0", [0.3], *arguments)
    with pytest.raises(ArgumentError, match="compiled without observables"):
        getattr(qsim.compile(leaky), call)([0.3], *arguments)
    with pytest.raises(TypeError, match="None"):
        getattr(qsim, call)(leaky, None, [0.3], *arguments)


@pytest.mark.parametrize("call", ["jvp", "hvp"])
@pytest.mark.parametrize(
    ("vector", "error", "message"),
    [
        ([1.0, 2.0], ArgumentError, r"shape \(1,\) or \(batch, 1\)"),
        ([[1.0], [1.0]], ArgumentError, "shape"),
        ([np.nan], ArgumentError, "finite"),
        (["a"], TypeError, "real numbers"),
        ({"u": 1.0}, ParameterError, "`u` does not occur"),
        ({"t": [1.0, 2.0]}, ArgumentError, "shape"),
    ],
)
def test_bad_vectors(call, vector, error, message):
    circuit = qsim.Circuit(1).ry(qsim.Parameter("t"), 0)
    with pytest.raises(error, match=message):
        getattr(qsim, call)(circuit, "Z0", [0.3], vector)


# -- the two ways to a Hessian ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "observable", ["Z0", ["Z0 X1", {"Y2": 1.0, "Z1": 0.3}], qsim.measurements.Purity([1])]
)
def test_pairs_of_gates_and_dual_states_agree(observable, monkeypatch, backend):
    x = qsim.Parameter("x")
    t = qsim.ParameterVector("t", 5)
    circuit = qsim.Circuit(3).rx(t[0], 0).crx(2 * t[1], 0, 1).cp(t[2], 1, 2).rz(x * t[3], 2).rxx(t[0], 0, 2)
    circuit.append(GeneratorGate(np.diag([1.0, 0.5, -0.3, 0.0])), [x + 0.1], [1, 2]).ry(t[4], 1).rx(t[0], 2)
    values = np.random.default_rng(0).normal(size=(3, 6))
    found = qsim.hessian(circuit, observable, values, backend=backend)
    calls = []
    monkeypatch.setattr(
        "qsim.gradients.derivatives.second_by_slots", lambda *arguments: calls.append(arguments)
    )
    other = qsim.hessian(circuit, observable, values, backend=backend)
    assert len(calls) == 1
    np.testing.assert_allclose(found, other, atol=1e-12)


@pytest.mark.parametrize(
    ("circuit", "is_by_pairs"),
    [
        (qsim.Circuit(2).rx(qsim.Parameter("t"), 0).crz(qsim.Parameter("u"), 0, 1), True),
        (qsim.Circuit(2).gpi2(qsim.Parameter("t"), 0), False),  # a generator that depends on its angle
        (
            qsim.Circuit(2).append(GeneratorGate(np.diag([1.0, 2.7, 0.4, 5])), [qsim.Parameter("t")], [0, 1]),
            False,
        ),
    ],
)
def test_which_way_is_taken(circuit, is_by_pairs, monkeypatch):
    from qsim.gradients.pairs import second_by_slots
    from qsim.measurements import OwnObservables

    program = qsim.compile(circuit, "Z0")
    values = np.zeros((1, len(circuit.parameters)))
    columns = list(range(values.shape[1]))
    assert (second_by_slots(program, OwnObservables(), values, columns, None) is not None) == is_by_pairs
    monkeypatch.setattr("qsim.gradients.pairs._MAX_BYTES", 10)
    assert second_by_slots(program, OwnObservables(), values, columns, None) is None


def test_many_gates_of_one_parameter_are_dual_states():
    t = qsim.Parameter("t")
    circuit = qsim.Circuit(1)
    for _ in range(9):
        circuit.rx(t, 0)
    assert qsim.hessian(circuit, "Z0", [0.1])[0, 0] == pytest.approx(-81 * math.cos(0.9), abs=1e-11)


def test_directions_of_a_wrong_length_or_given_twice():
    v = qsim.ParameterVector("v", 2)
    circuit, values = qsim.Circuit(1).ry(v[0], 0).ry(v[1], 0), {"v": [0.1, 0.2]}
    with pytest.raises(ArgumentError, match=r"must have shape \(2,\)"):
        qsim.jvp(circuit, "Z0", values, {"v": [1.0, 2.0, 3.0]})
    with pytest.raises(ArgumentError, match=r"`v\[0\]` twice"):
        qsim.jvp(circuit, "Z0", values, {"v": [1.0, 2.0], "v[0]": 1.0})
    with pytest.raises(ParameterError, match=r"`v\[0\]` twice"):
        qsim.expectation(circuit, "Z0", {"v": [1.0, 2.0], "v[0]": 1.0})
