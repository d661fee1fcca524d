"""Optimisers: they find what theory says, stop when told to, and resume to the same bits."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, GradientError
from qsim.optimize import (
    QNSPSA,
    SPSA,
    Adam,
    GradientDescent,
    Objective,
    QuantumNaturalGradient,
    Result,
    Rotoselect,
    Rotosolve,
    State,
    minimize,
    scipy_minimize,
)
from qsim.optimize.rotations import curve_points, minimum_of_curve

ENERGY = qsim.PauliSum({"Z0 Z1": 1.0, "X0": 0.5, "Z1": 0.3})
LEAST = np.linalg.eigvalsh(ENERGY.to_matrix(2))[0]


def ansatz():
    t = qsim.ParameterVector("t", 4)
    return qsim.Circuit(2).ry(t[0], 0).ry(t[1], 1).cx(0, 1).ry(t[2], 0).ry(t[3], 1)


@pytest.fixture(scope="module")
def objective():
    return Objective(ansatz(), ENERGY)


START = np.array([0.3, -0.2, 0.5, 0.9])
OPTIMIZERS = [
    GradientDescent(0.2),
    GradientDescent(0.05, momentum=0.9),
    Adam(0.1),
    QuantumNaturalGradient(0.3),
    QuantumNaturalGradient(0.2, approximation="diagonal"),
    QuantumNaturalGradient(0.2, approximation="block_diagonal"),
    SPSA(0.3),
    QNSPSA(0.05),
    Rotosolve(),
    Rotoselect([[0, 2], [1, 3]]),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:9], ids=repr)
def test_they_find_the_ground_state(optimizer, objective):
    result = minimize(objective, START, optimizer, steps=150, seed=3)
    assert isinstance(result, Result) and result.steps == len(result.values) == 150
    noisy = isinstance(optimizer, SPSA)
    assert result.value == pytest.approx(LEAST, abs=0.05 if noisy else 1e-3)
    assert objective(result.x) == pytest.approx(result.value, abs=1e-12)
    assert result.value == min(result.values)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_resumed_from_a_file_to_the_same_bits(optimizer, objective, tmp_path):
    whole = minimize(objective, START, optimizer, steps=12, seed=5)
    part = minimize(objective, START, optimizer, steps=5, seed=5)
    assert part.message == "5 steps made"
    path = tmp_path / "state"
    part.state.save(path)
    loaded = State.load(path)
    kept = loaded.x.copy()
    rest = minimize(objective, optimizer=optimizer, steps=12, state=loaded)
    assert rest.steps == 12 and rest.values == whole.values and rest.value == whole.value
    assert np.array_equal(rest.state.x, whole.state.x) and np.array_equal(rest.x, whole.x)
    assert np.array_equal(loaded.x, kept) and loaded.step == 5  # nobody else's state changes


def test_a_resumed_run_with_shots(tmp_path):
    noisy = Objective(ansatz(), ENERGY, method="parameter_shift", shots=200, seed=4)
    whole = minimize(noisy, START, Adam(0.1), steps=6)
    part = minimize(noisy, START, Adam(0.1), steps=3)
    rest = minimize(noisy, optimizer=Adam(0.1), steps=6, state=part.state)
    assert rest.values == whole.values
    assert len(set(whole.values)) == 6
    assert noisy(START, step=1) != noisy(START, step=2)
    assert abs(noisy(START) - Objective(ansatz(), ENERGY)(START)) < 0.5


# -- rules of a step -------------------------------------------------------------------------------
def test_adam_is_the_papers():
    def function(x):
        return float((x**4).sum()), 4 * x**3

    x, m, v, path = np.array([1.0, -0.5]), 0.0, 0.0, []
    for t in range(1, 6):
        g = 4 * x**3
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - 0.2 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        path.append(x)
    seen = []
    minimize(function, [1.0, -0.5], Adam(0.2), steps=5, callback=lambda step, x, value: seen.append(x.copy()))
    np.testing.assert_allclose(seen, path, rtol=1e-12)


def test_natural_gradient_solves_with_the_metric(objective):
    value, slope = objective.value_and_gradient(START)
    metric = qsim.quantum_fisher(ansatz(), START) / 4
    np.testing.assert_allclose(objective.metric(START), metric, atol=1e-14)
    expected = START - 0.1 * np.linalg.solve(metric + 0.01 * np.eye(4), slope)
    result = minimize(objective, START, QuantumNaturalGradient(0.1, 0.01), steps=1)
    np.testing.assert_allclose(result.state.x, expected, atol=1e-12)
    own = QuantumNaturalGradient(0.1, 0.01, metric=lambda x: metric)
    plain = minimize(lambda x: (value, slope), START, own, steps=1)
    np.testing.assert_allclose(plain.state.x, expected, atol=1e-12)


def test_metric_from_fidelities(objective):
    """What QNSPSA averages is the metric."""
    rng = np.random.default_rng(0)
    metric, width, total = objective.metric(START), 1e-3, np.zeros((4, 4))
    for _ in range(400):
        one, two = width * (2.0 * rng.integers(0, 2, (2, 4)) - 1)
        points = np.array([START + one + two, START + one, START - one + two, START - one])
        a, b, c, d = objective.fidelities(START, points)
        outer = np.outer(one, two) / width**2
        total += -0.5 * (a - b - c + d) / (2 * width**2) * (outer + outer.T) / 2
    assert np.abs(total / 400 - metric).max() < 0.1


@pytest.mark.parametrize("frequencies", [[1.0], [0.5], [0.5, 1.0], [1.0, 2.0, 3.0], [0.7, 1.0, 2.3], []])
def test_minimum_of_a_curve(frequencies):
    w = np.array(frequencies)
    rng = np.random.default_rng(len(w))
    for _ in range(10):
        a, b = rng.normal(size=(2, len(w)))

        def curve(s, a=a, b=b):
            inner = np.multiply.outer(s, w)
            return 0.3 + np.cos(inner) @ a + np.sin(inner) @ b

        shift, value = minimum_of_curve(w, curve(curve_points(w)))
        assert value == pytest.approx(curve(np.array(shift)), abs=1e-9)
        half = np.pi / w[0] if len(w) else 1.0
        assert value <= curve(np.linspace(-half, half, 20001)).min() + 1e-9
    assert minimum_of_curve(w, np.full(2 * len(w) + 1, 2.0))[1] == pytest.approx(2.0)


def test_rotosolve_needs_one_pass_where_parameters_do_not_interact():
    t = qsim.ParameterVector("t", 3)
    circuit = qsim.Circuit(3).ry(t[0], 0).rx(2 * t[1] + 0.3, 1).ry(t[2], 2).ry(t[2], 2)
    objective = Objective(circuit, {"Z0": 1.0, "Z1": 0.5, "Z2": -2.0})
    np.testing.assert_allclose(np.concatenate(objective.frequencies()), [1, 2, 1, 2], atol=1e-12)
    result = minimize(objective, [0.1, 0.2, 0.3], Rotosolve(), steps=1)
    assert result.value == pytest.approx(-3.5, abs=1e-12)
    same = minimize(objective, [0.1, 0.2, 0.3], Rotosolve([[1], [2], [1, 2]]), steps=1)
    assert same.value == pytest.approx(-3.5, abs=1e-12)


def test_rotoselect_chooses_the_axis():
    t = qsim.ParameterVector("t", 3)
    circuit = qsim.Circuit(1).rx(0.7, 0).rx(t[0], 0).ry(t[1], 0).rz(t[2], 0)
    tilted = qsim.PauliSum({"Y0": 1.0})
    result = minimize(Objective(circuit, tilted), [0.1, 0.1, 0.1], Rotoselect([[0, 1, 2]]), steps=1)
    assert result.value == pytest.approx(-1.0, abs=1e-12)
    assert np.flatnonzero(result.x).tolist() == [0]


# -- objectives ------------------------------------------------------------------------------------
def test_an_objective_is_a_mean_over_data():
    x, w = qsim.ParameterVector("x", 2), qsim.ParameterVector("w", 2)
    circuit = qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1).cx(0, 1).ry(w[1], 1).rx(w[0], 0)
    data = np.random.default_rng(0).normal(size=(5, 2))
    weights = np.array([0.1, -0.2, 0.3, 0.4, 0.5])
    objective = Objective(circuit, "Z1", fixed={"x": data}, weights=weights)
    assert sorted(objective.names) == ["w[0]", "w[1]"] and objective.num_parameters == 2
    place = {name: k for k, name in enumerate(objective.names)}

    def value(v):
        w = [v[place["w[0]"]], v[place["w[1]"]]]
        return weights @ qsim.expectation(circuit, "Z1", {"x": data, "w": w})

    rows = np.random.default_rng(1).normal(size=(3, 2))
    np.testing.assert_allclose(objective(rows), [value(v) for v in rows], atol=1e-14)
    found, slope = objective.value_and_gradient(rows[0])
    assert found == pytest.approx(value(rows[0])) and isinstance(objective(rows[0]), float)
    h = 1e-5
    expected = [(value(rows[0] + h * e) - value(rows[0] - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(slope, expected, atol=1e-9)
    mean = Objective(circuit, "Z1", fixed={"x": data}).metric(rows[0])
    every = [Objective(circuit, "Z1", fixed={"x": row}).metric(rows[0]) for row in data]
    np.testing.assert_allclose(mean, np.mean(every, axis=0), atol=1e-14)


def test_a_function_can_choose_its_minibatch():
    steps = []

    def function(x, step):
        steps.append(step)
        return float(x @ x), 2 * x

    minimize(function, [1.0], steps=3)
    assert steps == [0, 1, 2]


# -- the loop --------------------------------------------------------------------------------------
def test_callback_progress_budget_and_tolerance(objective, capsys, monkeypatch):
    seen = []

    def callback(step, x, value):
        seen.append((step, value))
        return step == 4

    monkeypatch.setattr("qsim.optimize.loop._REFRESH_SECONDS", 0.0)
    result = minimize(objective, START, Adam(), callback=callback, progress=True)
    assert result.message == "ended by the callback" and [s for s, _ in seen] == [1, 2, 3, 4]
    assert [v for _, v in seen] == result.values
    shown = capsys.readouterr().err
    assert "step 4/100 [#" in shown and shown.endswith("s\n")
    result = minimize(objective, START, Adam(), steps=10**6, time_budget=0.05)
    assert result.message == "time budget used up" and 0 < result.steps < 10**6 and result.seconds < 5
    result = minimize(objective, START, GradientDescent(0.3), steps=10**5, tolerance=1e-10)
    assert "changed by less than 1e-10" in result.message and result.steps < 10**4
    assert minimize(objective, START, steps=0).values == []


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "SLSQP", "COBYLA", "Nelder-Mead"])
def test_scipy(method, objective):
    pytest.importorskip("scipy")
    seen = []
    result = scipy_minimize(objective, START, method, callback=lambda step, x, value: seen.append(value))
    assert result.value == pytest.approx(LEAST, abs=1e-5) and result.values == seen
    assert result.state is None and result.steps == len(seen)
    value = ENERGY.to_matrix(2)
    assert np.linalg.eigvalsh(value)[0] - 1e-9 <= result.value


def test_scipy_stops_when_told_to(objective, capsys, monkeypatch):
    pytest.importorskip("scipy")
    monkeypatch.setattr("qsim.optimize.loop._REFRESH_SECONDS", 0.0)
    result = scipy_minimize(objective, START, callback=lambda step, x, value: step == 3, progress=True)
    assert result.steps == 3 and result.message == "ended by the callback"
    assert "step 3 value" in capsys.readouterr().err
    result = scipy_minimize(objective, START, time_budget=1e-9)
    assert result.steps == 0 and result.message == "time budget used up"
    bounded = scipy_minimize(lambda x: (float(x @ x), 2 * x), [3.0], bounds=[(1.0, 4.0)])
    assert bounded.x == pytest.approx([1.0])
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match="pip install"):
        scipy_minimize(objective, START)


# -- refusals --------------------------------------------------------------------------------------
def test_errors(objective):
    t = qsim.Parameter("t")
    with pytest.raises(TypeError, match="`x0`"):
        minimize(objective)
    with pytest.raises(ArgumentError, match="finite vector"):
        minimize(objective, [[1.0]])
    with pytest.raises(TypeError, match="`optimizer`"):
        minimize(objective, START, "adam")
    with pytest.raises(TypeError, match="`objective`"):
        minimize("Z0", START)
    with pytest.raises(ArgumentError, match="`time_budget`"):
        minimize(objective, START, time_budget=0)
    state = minimize(objective, START, Adam(), steps=1).state
    with pytest.raises(ArgumentError, match="cannot go on with Adam"):
        minimize(objective, optimizer=Adam(0.3), state=state)
    with pytest.raises(ArgumentError, match="exclude"):
        minimize(objective, START, Adam(), state=state)
    with pytest.raises(TypeError, match="`state`"):
        minimize(objective, optimizer=Adam(), state={})
    with pytest.raises(ArgumentError, match=r"gradient of shape \(4,\)"):
        minimize(lambda x: (1.0, [1.0]), START)
    with pytest.raises(ArgumentError, match="a value and a gradient"):
        minimize(lambda x: 1.0, START)
    with pytest.raises(ArgumentError, match=r"values of shape \(3,\)"):
        minimize(lambda x: 1.0, START, SPSA())
    with pytest.raises(ArgumentError, match="stay finite"):
        minimize(lambda x: (np.nan, x), START)
    with pytest.raises(
        GradientError, match="QuantumNaturalGradient needs an objective with a method `metric`"
    ):
        minimize(lambda x: (1.0, x), START, QuantumNaturalGradient())
    with pytest.raises(GradientError, match="QNSPSA needs"):
        minimize(lambda x: np.ones(len(x)), START, QNSPSA())
    with pytest.raises(GradientError, match="Rotosolve needs"):
        minimize(lambda x: np.ones(len(x)), START, Rotosolve())
    with pytest.raises(GradientError, match="`t` stands in an expression that is not affine"):
        minimize(Objective(qsim.Circuit(1).ry(t * t, 0), "Z0"), [0.1], Rotosolve())
    for bad in (
        lambda: Adam(0),
        lambda: Adam(beta1=1.0),
        lambda: SPSA(perturbation=-1),
        lambda: Rotosolve([[0]]),
    ):
        with pytest.raises(ArgumentError):
            bad()
    for groups in ([[0, 0]], [[]], [[-1]]):
        with pytest.raises(ArgumentError, match="`groups`"):
            Rotoselect(groups)
    with pytest.raises(ArgumentError, match="positions below 4"):
        minimize(objective, START, Rotoselect([[0, 7]]))
    with pytest.raises(ArgumentError, match="one observable"):
        Objective(ansatz(), ["Z0", "Z1"])
    with pytest.raises(ArgumentError, match="`shots` is not for method 'adjoint'"):
        Objective(ansatz(), "Z0", shots=10)
    with pytest.raises(ArgumentError, match="`weights`"):
        Objective(ansatz(), "Z0", weights=[1.0, 2.0])
    with pytest.raises(ArgumentError, match=r"`x` must have shape \(4,\)"):
        objective([1.0])


@pytest.mark.parametrize(
    ("objective", "error", "message"),
    [
        (lambda x: (x, x), ArgumentError, r"one number and its gradient, but gives values of shape \(2,\)"),
        (lambda x: x, ArgumentError, "must give a value and a gradient, but gives ndarray"),
        (lambda x: ("low", x), TypeError, "must give a value of real numbers, but gives str"),
        (lambda x: (1.0, "down"), TypeError, "must give a gradient of real numbers, but gives str"),
        (lambda x: (1j, x), TypeError, "must give a value of real numbers, but gives complex"),
        (lambda x: (1.0, 1j * x), TypeError, "a gradient of real numbers, but gives an array of complex128"),
        (lambda x: (1.0, [[1.0], [1.0, 2.0]]), TypeError, "a gradient of real numbers, but gives list"),
        (lambda x: (1.0, 1.0), ArgumentError, r"a gradient of shape \(2,\), but gives shape \(\)"),
    ],
)
def test_objectives_that_give_something_else(objective, error, message):
    with pytest.raises(error, match=message):
        minimize(objective, [1.0, 2.0], Adam())
    pytest.importorskip("scipy")
    with pytest.raises(error, match=message):
        scipy_minimize(objective, [1.0, 2.0])


def test_values_that_are_no_numbers():
    with pytest.raises(TypeError, match="must give values of real numbers, but gives str"):
        minimize(lambda rows: "low", [1.0, 2.0], SPSA(0.1))
    result = minimize(lambda x: (np.array([(x**2).sum()]), 2 * x), [1.0], GradientDescent(0.25), steps=3)
    assert isinstance(result.value, float)


@pytest.mark.parametrize(
    ("x0", "error", "message"),
    [
        ("abc", TypeError, "`x0` must be a vector of real numbers, but is str"),
        ([[1.0], [1.0, 2.0]], TypeError, "`x0` must be a vector of real numbers, but is list"),
        ([[1.0]], ArgumentError, r"finite vector, but has shape \(1, 1\)"),
        ([np.nan], ArgumentError, "finite vector"),
    ],
)
def test_bad_starts(x0, error, message):
    with pytest.raises(error, match=message):
        minimize(lambda x: (0.0, x), x0, Adam())
    with pytest.raises(TypeError, match=r"`learning_rate` must be a real number, but is str \('fast'\)"):
        Adam("fast")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken", "npz", "npy", "json"])
def test_files_that_hold_something_else(content, tmp_path):
    path = tmp_path / "state.npz"
    if content == "npz":
        np.savez(path, x=np.zeros(2))
    elif content == "json":
        np.savez(
            path, about=np.array("{}"), x=np.zeros(2), values=np.zeros(1), best_x=np.zeros(2), best_value=1
        )
    elif content == "npy":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(ArgumentError, match=r"must be a file that State.save wrote, but .*state.npz holds"):
        State.load(path)
    with pytest.raises(FileNotFoundError):
        State.load(tmp_path / "nothing")
