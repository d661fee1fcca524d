"""Gates that are not unitary: what divides by the norm of a state, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from dynamic_helpers import distribution

import qsim
from qsim.circuit import Circuit
from qsim.errors import StateError

BELL = Circuit(2, 2).h(0).cx(0, 1)


SHRINK = np.diag([1.0, 0.5])  # on a Bell pair: weights 1 and 1/4


def shrunk(factor: float = 1.0) -> Circuit:
    return Circuit(2, 2).h(0).cx(0, 1).unitary(factor * SHRINK, 0, check=False)


@pytest.mark.parametrize("factor", [1.0, 3.0, 1e-170, 1e150])
def test_answers_divide_by_the_norm(backend, factor):
    circuit, options = shrunk(factor), {"backend": backend}
    state = np.array([1, 0, 0, 0.5]) * np.sqrt(0.5)
    np.testing.assert_allclose(qsim.statevector(circuit, **options), factor * state)
    np.testing.assert_allclose(qsim.amplitudes(circuit, ["11"], **options), factor * state[3:])
    np.testing.assert_allclose(qsim.inner_product(BELL, circuit, **options), factor * 0.75)
    np.testing.assert_allclose(qsim.fidelity(BELL, circuit, **options), 0.75**2 / 0.625)
    np.testing.assert_allclose(qsim.probabilities(circuit, **options), [0.8, 0, 0, 0.2])
    np.testing.assert_allclose(qsim.probabilities(circuit, np.empty(0), **options), [0.8, 0, 0, 0.2])
    observables = ["Z0", qsim.Projector("11"), qsim.Hermitian(np.diag([1, 2]), [0])]
    np.testing.assert_allclose(qsim.expectation(circuit, observables, **options), [0.6, 0.2, 1.2])
    np.testing.assert_allclose(qsim.expectation(circuit, "Z0", **options), 0.6)
    np.testing.assert_allclose(qsim.compile(circuit, "Z0", **options).expectation(np.empty(0)), 0.6)
    np.testing.assert_allclose(qsim.variance(circuit, "Z0", **options), 0.64)
    np.testing.assert_allclose(np.trace(qsim.density_matrix(circuit, [0], **options)), 1.0)
    np.testing.assert_allclose(qsim.purity(circuit, [1], **options), 0.68)
    assert distribution(circuit, backend) == {"00": 0.8, "11": 0.2}
    assert distribution(circuit.copy().measure([0, 1], [0, 1]), backend) == {"00": 0.8, "11": 0.2}
    ones = qsim.sample(circuit, shots=2000, seed=3, **options).counts()["11"]
    assert 320 < ones < 480
    middle = circuit.copy().measure(0, 0).reset(0).measure(1, 1)
    assert distribution(middle, backend) == {"00": 0.8, "11": 0.2}
    np.testing.assert_allclose(qsim.expectation(middle, "Z1", **options), 0.6)


def test_a_measurement_sees_the_norm_of_its_time(backend):
    circuit = BELL.copy().measure(0, 0).unitary(SHRINK, 1, check=False).measure(1, 1)
    assert distribution(circuit, backend) == {"00": 0.5, "11": 0.5}
    inside = BELL.copy().append(Circuit(1).unitary(SHRINK, 0, check=False).to_gate(), (), 1)
    assert distribution(inside, backend) == {"00": 0.8, "11": 0.2}
    controlled = BELL.copy().unitary(2 * np.eye(2), 0, controls=[1], check=False)
    assert distribution(controlled, backend) == {"11": 0.8, "00": 0.2}
    unitary = Circuit(1).unitary(np.eye(2)[::-1], 0, check=False)
    assert qsim.compile(unitary, backend=backend)._code.keeps_norm


def test_a_state_of_norm_zero_is_refused(backend):
    nothing = Circuit(1, 1).x(0).unitary(np.diag([1.0, 0.0]), 0, check=False)
    assert qsim.statevector(nothing, backend=backend).tolist() == [0, 0]
    twice = nothing.copy().measure(0, 0).reset(0)
    questions = [
        lambda c: qsim.probabilities(c, backend=backend),
        lambda c: qsim.expectation(c, "Z0", backend=backend),
        lambda c: qsim.variance(c, "Z0", backend=backend),
        lambda c: qsim.sample(c, shots=3, seed=1, backend=backend),
        lambda c: qsim.distribution(c, backend=backend),
        lambda c: qsim.density_matrix(c, backend=backend),
    ]
    for question in questions:
        for circuit in (nothing, twice):
            with pytest.raises(StateError, match=r"must have a norm to divide by, but .* it is zero"):
                question(circuit)
    with pytest.raises(StateError, match="it is zero"):
        qsim.fidelity(nothing, nothing, backend=backend)
    kraus = nothing.copy().kraus([np.eye(2)], [0])
    with pytest.raises(StateError, match="it is zero"):
        qsim.distribution(kraus, backend=backend)
