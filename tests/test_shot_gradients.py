"""Gradients from shots and from random directions: unbiased, as exact as promised, the same everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, GradientError
from qsim.gradients.shots import ShotPlan
from qsim.measurements import Probabilities
from qsim.observables import PauliSum
from qsim.testing import random_circuit, random_state, random_unitary

SAMPLED = ("parameter_shift", "hadamard_test", "finite_difference")
MATRIX = random_unitary(2, 3)
OBSERVABLES = [
    PauliSum({"XYZ": 1.0, "ZZI": 0.4, "IXI": -0.7, "": 2.0}),
    qsim.Projector("10", [1, 2]),
    qsim.Diagonal([0.3, -1.0, 0.5, 2.0], [0, 2]),
    qsim.Hermitian((MATRIX + MATRIX.conj().T) / 2, [2, 0]),
]


def circuit_of(seed=3):
    circuit = random_circuit(3, 14, seed=seed, parameters=4)
    x = qsim.Parameter("x")
    return circuit.ry(x, 0).rx(qsim.sin(x), 1).crx(x, 0, 2)


def z_limit(count):
    """What the largest of so many normal deviates exceeds once in a million."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - 5e-7 / count)


@pytest.mark.parametrize("method", ["parameter_shift", "hadamard_test"])
def test_unbiased_and_as_good_as_promised(method):
    circuit = circuit_of()
    values = np.random.default_rng(0).normal(size=len(circuit.parameters))
    program = qsim.compile(circuit, OBSERVABLES)
    exact_value, exact = program.value_and_gradient(values)
    repeats = 200
    many = np.tile(values, (repeats, 1))
    value, slope, value_std, slope_std = program.value_and_gradient(
        many, method=method, shots=50, seed=1, return_std=True
    )
    assert value.shape == value_std.shape == (repeats, 4) and slope.shape == slope_std.shape
    for found, std, truth in ((value, value_std, exact_value), (slope, slope_std, exact)):
        random = std.max(axis=0) > 0
        np.testing.assert_allclose(found.mean(0)[~random], truth[~random], atol=1e-12)
        error = found.std(axis=0, ddof=1)[random]
        z = (found.mean(0) - truth)[random] / (error / math.sqrt(repeats))
        assert np.abs(z).max() < z_limit(z.size)
        # the promised variance is that of the estimates, which 200 of them tell within a few times 10 percent
        ratio = (std**2).mean(axis=0)[random] / error**2
        assert (ratio > 0.6).all() and (ratio < 1.6).all()


@pytest.mark.parametrize("method", [*SAMPLED, "spsa"])
def test_the_same_seed_gives_the_same_numbers(method, monkeypatch):
    circuit = circuit_of()
    values = np.random.default_rng(0).normal(size=(3, len(circuit.parameters)))

    def found(seed=5, **options):
        program = qsim.compile(circuit, OBSERVABLES, **options)
        return program.value_and_gradient(values, method=method, shots=100, seed=seed)

    first = found(threads=1)
    backends = qsim.available_backends()
    for options in [{"threads": 2}, {"threads": 3}, *({"backend": name} for name in backends)]:
        for a, b in zip(first, found(**options), strict=True):
            assert np.array_equal(a, b), options
    monkeypatch.setattr("qsim.gradients.evaluations._CHUNK_BYTES", 1)
    monkeypatch.setattr("qsim.gradients.evaluations._ROWS", 5)
    for a, b in zip(first, found(), strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(first[1], found(seed=6)[1])
    # a row has its own numbers, whatever rows come behind it
    program = qsim.compile(circuit, OBSERVABLES)
    alone = program.value_and_gradient(values[:1], method=method, shots=100, seed=5)
    assert np.array_equal(alone[1], first[1][:1])


def test_a_simulator_seeds_its_gradients():
    circuit = qsim.Circuit(1).ry(qsim.Parameter("t"), 0)

    def two(seed):
        simulator = qsim.Simulator(seed=seed)
        run = [
            simulator.value_and_gradient(circuit, "Z0", [0.5], method="parameter_shift", shots=100)[1]
            for _ in range(2)
        ]
        return np.ravel(run)

    assert np.array_equal(two(1), two(1)) and not np.array_equal(two(1), two(2))
    assert two(1)[0] != two(1)[1]
    assert qsim.Simulator(seed=1).value_and_gradient(circuit, "Z0", [0.5])[0] == pytest.approx(math.cos(0.5))


@pytest.mark.parametrize("method", SAMPLED)
def test_a_dict_and_one_observable(method):
    w = qsim.ParameterVector("w", 3)
    circuit = qsim.Circuit(2).ry(w[0], 0).crx(w[2], 0, 1)
    value, slopes, value_std, stds = qsim.value_and_gradient(
        circuit, "Z0 Z1", {"w": [0.3, 0.1, 0.7]}, method=method, shots=2000, seed=2, return_std=True
    )
    exact = qsim.gradient(circuit, "Z0 Z1", {"w": [0.3, 0.1, 0.7]})
    assert isinstance(value, float) and isinstance(value_std, float) and value_std > 0
    assert stds["w"].shape == (3,) and stds["w"][1] == 0 and slopes["w"][1] == 0
    assert (np.abs(slopes["w"] - exact["w"]) <= 6 * stds["w"] + 2e-3).all()
    both = qsim.gradient(
        circuit, "Z0 Z1", {"w": [0.3, 0.1, 0.7]}, method=method, shots=2000, seed=2, return_std=True
    )
    assert np.array_equal(both[0]["w"], slopes["w"]) and np.array_equal(both[1]["w"], stds["w"])


def test_the_chain_rule_of_standard_errors():
    x = qsim.Parameter("x")
    options = {"method": "parameter_shift", "shots": 500, "seed": 3, "return_std": True}
    plain = qsim.value_and_gradient(qsim.Circuit(1).ry(x, 0), "Z0", [2.0 * 0.7**2], **options)
    square = qsim.value_and_gradient(qsim.Circuit(1).ry(2 * x * x, 0), "Z0", [0.7], **options)
    np.testing.assert_allclose(square[1], plain[1] * 4 * 0.7)
    np.testing.assert_allclose(square[3], plain[3] * 4 * 0.7)


# -- bases -----------------------------------------------------------------------------------------
def test_commuting_strings_share_their_samples(monkeypatch):
    program = qsim.compile(
        qsim.Circuit(2).ry(qsim.Parameter("t"), 0), ["Z0", "Z1", "Z0 Z1", qsim.Projector("1", [0]), "X0 Z1"]
    )
    backend = program._backend
    plan = ShotPlan(backend, program.observables, 2)
    assert len(plan.bases) == 2
    calls = []
    original = type(backend).sample
    monkeypatch.setattr(
        type(backend), "sample", lambda self, *a: calls.append(1) or original(self, *a), raising=True
    )
    program.value_and_gradient([0.3], method="parameter_shift", shots=10, seed=0)
    assert len(calls) == 2 * 3  # bases times circuits: at the point, and two shifted ones


@pytest.mark.parametrize("num_qubits", [3, 13])
def test_means_and_variances(num_qubits, backend):
    """Against the definition; 13 qubits are too many for a table."""
    state = random_state(num_qubits, 1)
    observables = [
        PauliSum({"X0 Y2": 1.0, "Z0": 0.5, "Z1 Z2": -0.3, "": 0.2}),
        qsim.Projector("01", [0, 2]),
        PauliSum({"": 3.0}),
    ]
    kernels = qsim.compile(qsim.Circuit(1), backend=backend)._backend
    plan = ShotPlan(kernels, observables, num_qubits)
    keys = np.arange(200 * len(plan.bases), dtype=np.uint64).reshape(200, -1) * np.uint64(7919)
    means, variances = plan.estimate(np.tile(state, (200, 1)), keys, 100, 1)
    exact = np.array([o.expectation(state) for o in observables])
    assert (means[:, 2] == 3.0).all() and not variances[:, 2].any()
    error = means.std(axis=0, ddof=1)[:2]
    assert (np.abs(means.mean(0) - exact)[:2] < 5.2 * error / math.sqrt(200)).all()
    spread = qsim.PauliSum({"X0 Y2": 1.0}).variance(state)  # strings of different bases are independent
    spread += qsim.PauliSum({"Z0": 0.5, "Z1 Z2": -0.3}).variance(state)
    assert variances[:, 0].mean() == pytest.approx(spread / 100, rel=0.1)
    assert np.isnan(plan.estimate(state[None], keys[:1], 1, 1)[1][0, 0])


# -- random directions -----------------------------------------------------------------------------
def test_spsa_averages_to_the_gradient():
    circuit = circuit_of()
    values = np.random.default_rng(0).normal(size=len(circuit.parameters))
    program = qsim.compile(circuit, OBSERVABLES)
    exact = program.value_and_gradient(values)[1]
    value, mean, _, std = program.value_and_gradient(
        values, method="spsa", directions=4000, seed=2, return_std=True
    )
    np.testing.assert_allclose(value, program.expectation(values), atol=1e-12)
    moving = std > 0
    z = (mean - exact)[moving] / std[moving]
    assert np.abs(z).max() < z_limit(z.size)
    assert std.max() < 0.2


def test_spsa_of_one_parameter_is_a_difference():
    t = qsim.Parameter("t")
    slope = qsim.gradient(qsim.Circuit(1).ry(t, 0), "Z0", [0.5], method="spsa", seed=0)
    assert slope == pytest.approx([-math.sin(0.5)], abs=1e-8)
    fixed = qsim.Circuit(1).ry(t, 0).rx(qsim.Parameter("u"), 0)
    assert qsim.gradient(fixed, "Z0", [0.5, 0.1], method="spsa", wrt="t", seed=0).shape == (1,)


# -- refusals --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shots": 10}, "`shots` is for method"),
        ({"seed": 1}, "`seed` is for method"),
        ({"directions": 2, "method": "parameter_shift"}, "`directions` is for method 'spsa'"),
        ({"step": 0.1, "method": "hadamard_test"}, "`step` is for method"),
        ({"shots": 0, "method": "parameter_shift"}, "`shots` must be at least 1"),
        ({"directions": 0, "method": "spsa"}, "`directions` must be at least 1"),
        ({"return_std": True}, "`return_std` needs `shots`"),
        ({"return_std": True, "method": "parameter_shift"}, "`return_std` needs `shots`"),
        ({"return_std": True, "method": "parameter_shift", "shots": 1}, "at least 2 shots"),
        ({"return_std": True, "method": "spsa"}, "at least 2 directions"),
    ],
)
def test_errors(options, message):
    circuit = qsim.Circuit(1).ry(qsim.Parameter("t"), 0)
    with pytest.raises(ArgumentError, match=message):
        qsim.value_and_gradient(circuit, "Z0", [0.3], **options)


def test_more_errors():
    t = qsim.Parameter("t")
    circuit = qsim.Circuit(1, 1).ry(t, 0)
    with pytest.raises(TypeError, match="`return_std`"):
        qsim.value_and_gradient(circuit, "Z0", [0.3], method="spsa", return_std="yes")
    with pytest.raises(TypeError, match="`shots`"):
        qsim.value_and_gradient(circuit, "Z0", [0.3], method="spsa", shots=1.5)
    with pytest.raises(GradientError, match="Shots estimate expectation values, but not Probabilities"):
        qsim.gradient(circuit, Probabilities(), [0.3], method="parameter_shift", shots=10)
    circuit.measure(0, 0).x(0)
    for method in ("finite_difference", "spsa"):
        with pytest.raises(GradientError, match="unitary gates up to its read-out"):
            qsim.gradient(circuit, "Z0", [0.3], method=method, shots=10)
