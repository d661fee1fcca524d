"""The stochastic parameter-shift rule: unbiased, with its promised error, from the same seed the same."""

from __future__ import annotations

import numpy as np
import pytest
from test_generator_sum import circuit_of, hermitian

import qsim
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, GradientError
from qsim.measurements import Probabilities, Purity

OBSERVABLE = {"Z0 Z3": 1.0, "X1": 0.5}
A, B = qsim.Parameter("a"), qsim.Parameter("b")


def some_circuit(k: int) -> Circuit:
    rng = np.random.default_rng(k)
    return circuit_of([hermitian(k, rng), hermitian(k, rng) / 2], k)


def scores(circuit, measurement, values, **options):
    exact = qsim.gradient(circuit, measurement, values)
    found = qsim.value_and_gradient(
        circuit, measurement, values, method="stochastic_shift", seed=3, return_std=True, **options
    )
    return (found[1] - exact) / np.where(found[3] > 1e-12, found[3], 1.0), found[3]


@pytest.mark.parametrize("k", [1, 2])
def test_it_is_unbiased(k, backend):
    """A z-score above 5 among 6 has a probability below 1e-5."""
    values = np.random.default_rng(0).normal(size=(3, 2))
    z, std = scores(some_circuit(k), OBSERVABLE, values, directions=300, backend=backend)
    assert (np.abs(z) < 5).all() and (std < 0.05).all() and (std > 1e-4).all()


def test_it_is_unbiased_with_shots():
    values = np.random.default_rng(1).normal(size=(3, 2))
    z, _ = scores(some_circuit(2), OBSERVABLE, values, directions=200, shots=10)
    assert (np.abs(z) < 5).all()


def test_the_standard_error_is_the_spread_of_repetitions():
    values = np.repeat(np.random.default_rng(2).normal(size=(1, 2)), 300, axis=0)
    circuit = some_circuit(1)
    for shots in (None, 20):
        _, slope, _, std = qsim.value_and_gradient(
            circuit,
            OBSERVABLE,
            values,
            method="stochastic_shift",
            directions=5,
            seed=4,
            shots=shots,
            return_std=True,
        )
        ratio = slope.std(axis=0, ddof=1) / np.sqrt((std**2).mean(axis=0))
        assert (ratio > 0.75).all() and (ratio < 1.3).all()


def test_other_gates_have_their_shift_rules():
    """Nothing is random about them; a parameter in both kinds has both parts."""
    circuit = Circuit(2).ry(A, 0).crx(0.5 * A, 0, 1).rz(qsim.sin(B), 1)
    values = np.random.default_rng(3).normal(size=(4, 2))
    exact = qsim.gradient(circuit, "Z0 X1", values, method="parameter_shift")
    found = qsim.gradient(circuit, "Z0 X1", values, method="stochastic_shift")
    assert np.array_equal(found, exact)
    mixed = Circuit(2).ry(A, 0).generator_sum(["X0", "Z0"], [B, 0.4], 1).cx(0, 1)
    found = qsim.gradient(mixed, "Z0 Z1", values, method="stochastic_shift", seed=1)
    exact = qsim.gradient(mixed, "Z0 Z1", values)
    np.testing.assert_allclose(found[:, 0], exact[:, 0], atol=1e-12)
    assert np.abs(found[:, 1] - exact[:, 1]).min() > 1e-6
    some = qsim.gradient(mixed, "Z0 Z1", values, method="stochastic_shift", wrt="a")
    np.testing.assert_allclose(some[:, 0], exact[:, 0], atol=1e-12)


def test_a_generator_that_commutes_needs_no_luck():
    circuit = Circuit(2).h(0).generator_sum(["Z0 Z1", "Z0", "I"], [A, B, 0.4], [0, 1], controls=[]).h(0)
    values = np.array([0.3, 0.9])
    found = qsim.gradient(circuit, "Z0", values, method="stochastic_shift", seed=1)
    np.testing.assert_allclose(found, qsim.gradient(circuit, "Z0", values), atol=1e-12)


def test_the_identity_behind_a_control_is_a_phase():
    circuit = Circuit(2).h(0).generator_sum(["I", "X0"], [A, 0.3], 1, controls=[0]).h(0)
    found = qsim.gradient(circuit, "Z0", [0.7], method="stochastic_shift", seed=1)
    np.testing.assert_allclose(found, qsim.gradient(circuit, "Z0", [0.7]), atol=1e-12)


def test_probabilities_too():
    values = np.random.default_rng(5).normal(size=(2, 2))
    z, _ = scores(some_circuit(1), Probabilities([0, 3]), values, directions=200)
    assert z.shape == (2, 4, 2) and (np.abs(z) < 5).all()


def test_the_same_seed_gives_the_same_numbers(monkeypatch):
    circuit, values = some_circuit(1), np.random.default_rng(6).normal(size=(3, 2))

    def found(seed=5, rows=3, **options):
        program = qsim.compile(circuit, OBSERVABLE, **options)
        return program.value_and_gradient(
            values[:rows], method="stochastic_shift", directions=3, shots=20, seed=seed
        )[1]

    first = found(threads=1)
    for options in ({"threads": 3}, {"max_memory": "60 kB"}, {"backend": qsim.available_backends()[-1]}):
        np.testing.assert_allclose(found(**options), first, atol=1e-12)
    monkeypatch.setattr("qsim.gradients.evaluations._ROWS", 5)
    assert np.array_equal(found(), first)
    assert np.array_equal(found(rows=1), first[:1])
    assert not np.array_equal(found(seed=6), first)

    def two(seed):
        simulator = qsim.Simulator(seed=seed)
        call = simulator.value_and_gradient
        return [call(circuit, OBSERVABLE, values, method="stochastic_shift")[1] for _ in range(2)]

    assert np.array_equal(two(1), two(1)) and not np.array_equal(*two(1))


def test_refusals():
    circuit = some_circuit(1)
    with pytest.raises(ArgumentError, match="at least 2 directions"):
        qsim.gradient(circuit, "Z0", [0.1, 0.2], method="stochastic_shift", return_std=True)
    with pytest.raises(GradientError, match="'stochastic_shift' needs what is linear in the density matrix"):
        qsim.gradient(circuit, Purity([0]), [0.1, 0.2], method="stochastic_shift")
    measured = Circuit(1, 1).generator_sum(["X0", "Z0"], [A, 0.5], 0).measure(0, 0).x(0)
    with pytest.raises(GradientError, match="'stochastic_shift' needs a circuit of unitary gates"):
        qsim.gradient(measured, "Z0", [0.1], method="stochastic_shift")
