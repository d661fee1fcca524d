"""Expressibility, frame potentials and entanglement: published values, closed forms, other backends."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim import ansatz
from qsim.analysis import (
    Estimate,
    entangling_capability,
    expressibility,
    frame_potentials,
    haar_frame_potential,
    meyer_wallach,
)
from qsim.analysis import _inputs as inputs
from qsim.analysis.coverage import _log_haar_bins
from qsim.testing import random_state, random_unitary

T = qsim.ParameterVector("t", 3)


def turn(*gates: str) -> qsim.Circuit:
    """One qubit, H, and rotations with a parameter each."""
    circuit = qsim.Circuit(1).h(0)
    for gate, parameter in zip(gates, T, strict=False):
        circuit.append(gate, (parameter,), 0)
    return circuit


def euler() -> qsim.Circuit:
    return qsim.Circuit(1).rz(T[0], 0).ry(T[1], 0).rz(T[2], 0)


def haar_angles(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    """Angles with which `euler` makes Haar-random states."""
    values = rng.uniform(0, 2 * np.pi, shape)
    values[:, 1] = np.arccos(rng.uniform(-1, 1, len(values)))
    return values


def arcsine_divergence(bins: int) -> float:
    """KL of F = cos(d / 2)**2, d uniform, from the uniform distribution, which is Haar's for one qubit."""
    ends = 2 / np.pi * np.arcsin(np.sqrt(np.linspace(0, 1, bins + 1)))
    shares = np.diff(ends)
    return float((shares * np.log(shares * bins)).sum())


def test_published_values_of_one_qubit() -> None:
    """Sim et al. (2019), figure 1: 4.30, 0.22, 0.02 and 0.007; 5000 pairs and 75 bins."""
    assert float(expressibility(qsim.Circuit(1), seed=1)) == pytest.approx(4.30, abs=0.02)
    assert float(expressibility(turn("rz"), seed=1)) == pytest.approx(0.22, abs=0.03)
    assert float(expressibility(turn("rz", "rx"), seed=1)) == pytest.approx(0.02, abs=0.012)
    assert float(expressibility(euler(), draw=haar_angles, seed=1)) == pytest.approx(0.007, abs=0.005)


def test_an_idle_circuit_has_all_pairs_in_one_bin() -> None:
    assert float(expressibility(qsim.Circuit(1))) == pytest.approx(np.log(75), rel=1e-12)
    found = expressibility(qsim.Circuit(3), num_bins=10)
    assert float(found) == pytest.approx(-7 * np.log(0.1), rel=1e-12)  # the last bin has 0.1**7 of Haar's
    assert found.bias == 0.0


@pytest.mark.parametrize("bins", [5, 75])
def test_a_circle_of_states(bins: int) -> None:
    """The mean over seeds, less the bias of few samples, is the closed form."""
    found = [expressibility(turn("rz"), 4000, num_bins=bins, seed=seed) for seed in range(20)]
    values = np.array([float(each) - each.bias for each in found])
    assert abs(values.mean() - arcsine_divergence(bins)) < 4 * values.std() / np.sqrt(20)


def test_intervals_hold_the_mean() -> None:
    found = [expressibility(turn("rz"), 1000, num_bins=20, seed=seed) for seed in range(60)]
    truth = np.mean([float(each) for each in found])
    inside = [each.estimate.low <= truth <= each.estimate.high for each in found]
    assert 0.85 <= np.mean(inside) <= 1.0
    narrow = expressibility(turn("rz"), 1000, num_bins=20, seed=0, confidence=0.5).estimate
    wide = found[0].estimate
    assert wide.low < narrow.low < narrow.high < wide.high


def test_fidelities_are_those_of_the_pairs() -> None:
    drawn: list[Any] = []

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
        drawn.append(rng.uniform(-1, 1, shape))
        return drawn[-1]

    found = expressibility(qsim.Circuit(1).ry(T[0], 0), 50, draw=draw, seed=3)
    first, second = drawn[0][:50, 0], drawn[0][50:, 0]
    np.testing.assert_allclose(found.fidelities, np.cos((first - second) / 2) ** 2, atol=1e-12)
    np.testing.assert_allclose(
        found.frequencies, np.histogram(found.fidelities, found.edges)[0] / 50, atol=1e-15
    )


@pytest.mark.parametrize("num_qubits", [1, 2, 5])
def test_bins_of_haar_random_states(num_qubits: int) -> None:
    edges = np.linspace(0, 1, 8)
    power = 2**num_qubits - 1
    direct = [(1 - a) ** power - (1 - b) ** power for a, b in pairwise(edges)]
    np.testing.assert_allclose(np.exp(_log_haar_bins(num_qubits, edges)), direct, rtol=1e-10)


def test_bins_of_many_qubits_do_not_underflow() -> None:
    logs = _log_haar_bins(12, np.linspace(0, 1, 76))
    assert np.isfinite(logs).all() and logs[-1] == pytest.approx(-4095 * np.log(75))
    circuit = qsim.Circuit(12)
    assert np.isfinite(float(expressibility(circuit, 5)))


def test_seeds_chunks_backends_and_precision(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = ansatz.sim(3, circuit=14)
    found = expressibility(circuit, 300, seed=7)
    np.testing.assert_allclose(
        expressibility(circuit, 300, seed=7, backend=backend).fidelities, found.fidelities, atol=1e-12
    )
    single = expressibility(circuit, 300, seed=7, backend=backend, precision="single")
    np.testing.assert_allclose(single.fidelities, found.fidelities, atol=1e-5)
    monkeypatch.setattr(inputs, "_CHUNK_BYTES", 1 << 10)
    np.testing.assert_array_equal(expressibility(circuit, 300, seed=7).fidelities, found.fidelities)
    assert not np.array_equal(expressibility(circuit, 300, seed=8).fidelities, found.fidelities)


def test_fixed_parameters() -> None:
    circuit = qsim.Circuit(1).ry(T[0], 0).rz(T[1], 0)
    assert float(expressibility(circuit, 100, fixed={"t[0]": 0.0})) == pytest.approx(np.log(75))
    found = entangling_capability(
        qsim.Circuit(2).ry(T[0], 0).ry(T[1], 1).cx(0, 1), 50, fixed={T[0]: np.pi / 2, T[1]: 0.0}
    )
    np.testing.assert_allclose(found.values, 1.0, atol=1e-12)


# -- frame potentials ------------------------------------------------------------------------------


def test_frame_potentials_of_haar_random_states() -> None:
    found = frame_potentials(euler(), (1, 2, 3), 1500, draw=haar_angles, seed=2)
    for estimate, haar in zip(found.estimates, (1 / 2, 1 / 3, 1 / 4), strict=True):
        assert estimate.low <= haar <= estimate.high
        assert estimate.high - estimate.low < 0.01
    assert found.haar == (1 / 2, 1 / 3, 1 / 4)
    np.testing.assert_allclose(found.ratios, 1.0, atol=0.02)


@pytest.mark.parametrize(("num_qubits", "order"), [(1, 1), (2, 3), (4, 2)])
def test_haar_frame_potential(num_qubits: int, order: int) -> None:
    size = 2**num_qubits
    by_gamma = math.gamma(order + 1) * math.gamma(size) / math.gamma(size + order)
    assert haar_frame_potential(num_qubits, order) == pytest.approx(by_gamma)


def test_frame_potentials_of_a_circle() -> None:
    """Means of cos(d / 2)**(2 t): binomial(2 t, t) / 4**t; without bias even for few states."""
    expected = np.array([1 / 2, 3 / 8, 5 / 16])
    found = np.array(
        [frame_potentials(qsim.Circuit(1).ry(T[0], 0), (1, 2, 3), 5, seed=s).values for s in range(400)]
    )
    np.testing.assert_array_less(np.abs(found.mean(axis=0) - expected), 4 * found.std(axis=0) / 20)


def test_frame_potentials_exceed_those_of_haar() -> None:
    found = frame_potentials(ansatz.sim(3, circuit=1), 2, 400, seed=1)
    assert found.orders == (2,) and found.estimates[0].low > found.haar[0]
    assert "t=2" in str(found)


# -- entanglement ----------------------------------------------------------------------------------


def w_state(n: int) -> Any:
    state = np.zeros(2**n)
    state[[1 << q for q in range(n)]] = 1 / np.sqrt(n)
    return state


def test_meyer_wallach_of_known_states() -> None:
    bell = np.array([1, 0, 0, 1]) / np.sqrt(2)
    assert meyer_wallach(bell) == pytest.approx(1)
    assert meyer_wallach(np.eye(8)[5]) == pytest.approx(0)
    for n in (2, 3, 5):
        ghz = np.zeros(2**n)
        ghz[[0, -1]] = 1 / np.sqrt(2)
        assert meyer_wallach(ghz) == pytest.approx(1)
        purity = ((n - 1) ** 2 + 1) / n**2
        assert meyer_wallach(w_state(n)) == pytest.approx(2 * (1 - purity))
    np.testing.assert_allclose(meyer_wallach(np.stack([np.kron(bell, [1, 0]), w_state(3)])), [2 / 3, 8 / 9])


@given(n=st.integers(1, 5), seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_local_unitaries_do_not_change_entanglement(n: int, seed: int) -> None:
    state = random_state(n, seed)
    turned = state
    product = np.ones(1)
    for q in range(n):
        unitary = random_unitary(1, seed + 7 * q)
        full = np.kron(np.kron(np.eye(2 ** (n - 1 - q)), unitary), np.eye(2**q))
        turned = full @ turned
        product = np.kron(unitary[:, 0], product)
    assert meyer_wallach(turned) == pytest.approx(meyer_wallach(state), abs=1e-10)
    assert meyer_wallach(product) == pytest.approx(0, abs=1e-10)
    assert 0 <= meyer_wallach(state) <= 1


def test_haar_mean_of_the_measure() -> None:
    states = np.stack([random_state(3, seed) for seed in range(600)])
    values = meyer_wallach(states)
    haar = entangling_capability(qsim.Circuit(3), 2).haar
    assert haar == pytest.approx(6 / 9)
    assert abs(values.mean() - haar) < 4 * values.std() / np.sqrt(600)


def test_entangling_capability_is_the_mean_of_the_measure(backend: str) -> None:
    circuit = ansatz.sim(4, circuit=14)
    rows: list[Any] = []

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
        rows.append(rng.uniform(0, 2 * np.pi, shape))
        return rows[-1]

    found = entangling_capability(circuit, 30, draw=draw, seed=5, backend=backend)
    np.testing.assert_allclose(found.values, meyer_wallach(qsim.statevector(circuit, rows[0])), atol=1e-10)
    assert float(found) == pytest.approx(found.values.mean())
    assert found.estimate.low < float(found) < found.estimate.high


def test_circuits_of_sim_et_al() -> None:
    """Circuit 1 has no gate on two qubits; circuit 9 makes graph states, then turns single qubits."""
    assert float(entangling_capability(ansatz.sim(4, circuit=1), 20, seed=1)) == pytest.approx(0, abs=1e-12)
    assert float(entangling_capability(ansatz.sim(4, circuit=9), 20, seed=1)) == pytest.approx(1)
    rough = float(expressibility(ansatz.sim(4, circuit=9), 2000, seed=1))
    fine = float(expressibility(ansatz.sim(4, circuit=6), 2000, seed=1))
    assert fine < 0.03 < 0.4 < rough  # 0.68 and below 0.01 in their figure 3


def test_estimates_print_and_convert() -> None:
    estimate = Estimate(0.5, 0.25, 0.75)
    assert float(estimate) == 0.5 and str(estimate) == "0.5 [0.25, 0.75]"
    assert "bias" in str(expressibility(turn("rz"), 50, seed=0))
    assert "Haar" in str(entangling_capability(qsim.Circuit(2).h(0), 5))
