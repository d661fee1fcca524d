"""Samples follow the distribution they are drawn from, with a stated rate of false alarms.

Seeds are fixed, so a test that passes passes always; the rates say how likely a correct simulator was to
fail when the seeds were chosen. Each of the fewer than 100 p-values here is compared with 1e-9, the one
test of uniformity with 1e-7, so the whole file had a false-alarm rate below 1e-6. Nothing is retried.
"""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.backends.base import available_backends
from qsim.circuit import Circuit
from qsim.parameters import Parameter
from qsim.testing import random_circuit

stats = pytest.importorskip("scipy.stats", reason="needs SciPy")
ALPHA = 1e-9
SHOTS = 200_000


def p_value(counts: dict[str, int], probabilities: dict[str, float]) -> float:
    """Of Pearson's chi-square; outcomes expected fewer than ten times are taken together."""
    shots = sum(counts.values())
    assert set(counts) <= set(probabilities), "an impossible outcome"
    observed, expected, rare = [], [], [0.0, 0.0]
    for outcome, p in probabilities.items():
        if p * shots >= 10:
            observed.append(counts.get(outcome, 0))
            expected.append(p * shots)
        else:
            rare[0] += counts.get(outcome, 0)
            rare[1] += p * shots
    if rare[1] >= 10:
        observed.append(rare[0])
        expected.append(rare[1])
    else:  # too few for a class of their own: a bound on a Poisson number
        assert stats.poisson.sf(rare[0] - 1, rare[1]) >= ALPHA if rare[0] else True
        expected = [e * sum(observed) / sum(expected) for e in expected]
    return 1.0 if len(observed) < 2 else float(stats.chisquare(observed, expected).pvalue)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("num_qubits", [1, 3, 6, 10])
def test_static_circuits(backend, num_qubits, seed):
    circuit = random_circuit(num_qubits, 8 * num_qubits, seed=seed)
    counts = qsim.sample(circuit, shots=SHOTS, seed=seed, backend=backend).counts()
    assert p_value(counts, qsim.distribution(circuit)) >= ALPHA


def test_single_precision(backend):
    circuit = random_circuit(6, 60, seed=8)
    counts = qsim.sample(circuit, shots=SHOTS, seed=8, backend=backend, precision="single").counts()
    assert p_value(counts, qsim.distribution(circuit)) >= ALPHA


def test_measured_bits_in_another_order(backend):
    circuit = random_circuit(5, 40, seed=9)
    measured = Circuit(5, 4).compose(circuit).measure([3, 0, 4], [0, 1, 3])
    counts = qsim.sample(measured, shots=SHOTS, seed=2, backend=backend).counts()
    assert p_value(counts, qsim.distribution(measured)) >= ALPHA


@pytest.mark.parametrize("seed", range(3))
def test_branching_circuits(backend, seed):
    """Shots are split at every measurement; the sum over branches must be right."""
    circuit = Circuit(3, 5).compose(random_circuit(3, 15, seed=seed)).measure(0, 0)
    circuit.if_else((0, 1), Circuit(3, 5).h(1).cx(1, 2), Circuit(3, 5).ry(0.7, 2)).measure(1, 1).reset(1)
    circuit.h(1).switch([0, 1], {2: Circuit(3, 5).x(0), 3: Circuit(3, 5).rx(0.4, 0)})
    circuit.measure([0, 1, 2], [2, 3, 4])
    counts = qsim.sample(circuit, shots=SHOTS, seed=seed, backend=backend).counts()
    assert p_value(counts, qsim.distribution(circuit)) >= ALPHA


def test_channels(backend):
    p = 0.23
    flips = [np.sqrt(1 - p) * np.eye(2), np.sqrt(p) * np.array([[0, 1], [1, 0]])]
    circuit = Circuit(2, 2).h(0).cx(0, 1).kraus(flips, 1).measure([0, 1], [0, 1])
    counts = qsim.sample(circuit, shots=SHOTS, seed=4, backend=backend).counts()
    wanted = {"00": (1 - p) / 2, "11": (1 - p) / 2, "01": p / 2, "10": p / 2}
    assert p_value(counts, wanted) >= ALPHA


def test_repeat_until_success(backend):
    """The number of attempts is geometric."""
    circuit = Circuit(1, 4)
    n = circuit.declare("n", "uint", 8)
    attempt = Circuit(1, 4).reset(0).ry(2 * np.arcsin(np.sqrt(0.3)), 0).measure(0, 0)
    attempt.assign(n, n + 1)
    circuit.while_loop((0, 0), attempt)
    from qsim.classical import Bits

    circuit.if_else(n < 7, Circuit(1, 4).assign(Bits((1, 2, 3)), n), Circuit(1, 4).assign(Bits((1, 2, 3)), 7))
    counts = qsim.sample(circuit, shots=50_000, seed=6, backend=backend).counts()
    wanted = {f"{k:03b}1": 0.3 * 0.7 ** (k - 1) for k in range(1, 7)}
    wanted["1111"] = 0.7**6
    assert p_value(counts, wanted) >= ALPHA


def test_rows_of_a_batch_are_independent(backend):
    """Pairs of shots of two rows: the joint counts are products."""
    theta = Parameter("t")
    samples = qsim.sample(
        Circuit(1).ry(theta, 0), [[np.pi / 2], [np.pi / 2]], shots=SHOTS, seed=5, backend=backend
    )
    pairs = samples.ints[0] + 2 * samples.ints[1]
    counts = {f"{k}": int((pairs == k).sum()) for k in range(4)}
    assert p_value(counts, dict.fromkeys("0123", 0.25)) >= ALPHA


def test_order_of_shots_is_random(backend):
    """Neighbouring shots are independent: samples are not left in order of the outcomes."""
    ints = qsim.sample(Circuit(2).h([0, 1]), shots=SHOTS, seed=12, backend=backend).ints
    pairs = 4 * ints[0::2] + ints[1::2]
    counts = {str(k): int((pairs == k).sum()) for k in range(16)}
    assert p_value(counts, {str(k): 1 / 16 for k in range(16)}) >= ALPHA


def test_p_values_are_uniform():
    """Over 2,000 seeds; a generator that is too regular would fail here, not above."""
    circuit = Circuit(2).ry(1.1, 0).ry(0.7, 1).cx(0, 1)
    probabilities = qsim.distribution(circuit)
    simulator = qsim.Simulator()
    values = [
        p_value(simulator.sample(circuit, shots=2000, seed=seed).counts(), probabilities)
        for seed in range(2000)
    ]
    assert stats.kstest(values, "uniform").pvalue >= 1e-7


def test_a_bias_of_one_percent_is_found():
    """The power of the test above: 1 % more of one outcome at a million shots."""
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        biased = np.array([0.25 * 1.01, *[(1 - 0.25 * 1.01) / 3] * 3])
        counts = dict(zip("0123", rng.multinomial(1_000_000, biased).tolist(), strict=True))
        found += p_value(counts, dict.fromkeys("0123", 0.25)) < 1e-3
    assert found == 20


def test_more_shots_begin_with_the_same():
    circuit = random_circuit(12, 60, seed=3)
    some, more = (qsim.sample(circuit, shots=shots, seed=5).ints for shots in (1000, 30_000))
    np.testing.assert_array_equal(more[:1000], some)


def test_backends_draw_the_same():
    circuit = random_circuit(12, 60, seed=4)
    drawn = [qsim.sample(circuit, shots=30_000, seed=6, backend=name).ints for name in available_backends()]
    for ints in drawn[1:]:
        np.testing.assert_array_equal(ints, drawn[0])
