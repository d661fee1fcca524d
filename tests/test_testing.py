"""The helpers of `qsim.testing` find what is wrong, and say where."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.errors import ArgumentError, UnknownGateError
from qsim.gates import GateSpec, Term, get_gate
from qsim.testing import assert_states_close, check_gate, random_circuit, random_state, random_unitary
from qsim.user_gates import GeneratorGate, UnitaryGate


def test_random_circuits_are_reproducible():
    first, second = (random_circuit(4, 30, seed=7, parameters=3) for _ in range(2))
    assert first == second
    assert first != random_circuit(4, 30, seed=8, parameters=3)
    assert len(first) == 30
    assert first.num_qubits == 4
    assert 0 < first.num_parameters <= 3


def test_random_circuits_draw_what_is_asked_for():
    circuit = random_circuit(3, 200, seed=1, gates=["h", "cx"], max_controls=0)
    assert set(circuit.count_ops()) == {"h", "cx"}
    everything = random_circuit(6, 3000, seed=2)
    found = {operation.gate.name for operation in everything.operations}
    assert found == {spec.name for spec in qsim.gates.unique_specs()}
    assert {len(operation.controls) for operation in everything.operations} == {0, 1}
    assert {v for operation in everything.operations for v in operation.control_values} == {0, 1}


def test_random_circuits_refuse_what_cannot_be_drawn():
    with pytest.raises(UnknownGateError, match="Unknown gate `nope`"):
        random_circuit(2, 3, gates=["nope"])
    with pytest.raises(ArgumentError, match=r"Argument `gates` must name a gate of at most 1 qubits"):
        random_circuit(1, 3, gates=["cx"])
    with pytest.raises(ArgumentError, match="Argument `num_gates` must be at least 0"):
        random_circuit(1, -3)


def test_random_states_and_unitaries():
    assert np.linalg.norm(random_state(5, 3)) == pytest.approx(1)
    assert random_state(0, 1).shape == (1,)
    np.testing.assert_array_equal(random_state(3, 4), random_state(3, 4))
    u = random_unitary(3, 3)
    np.testing.assert_allclose(u @ u.conj().T, np.eye(8), atol=1e-14)


def test_random_unitaries_are_haar():
    """The mean of |u_00|^4 is 2 / (d (d + 1)) for Haar; 1,000 draws, six standard deviations."""
    rng = np.random.default_rng(5)
    values = [abs(random_unitary(2, rng)[0, 0]) ** 4 for _ in range(1000)]
    assert abs(np.mean(values) - 0.1) <= 6 * np.std(values) / np.sqrt(1000)


def test_states_that_are_close_pass():
    state = random_state(3, 1)
    assert_states_close(state, state + 1e-14)
    assert_states_close(state.astype(np.complex64), state)
    assert_states_close([state, state], np.array([state, state]))
    assert_states_close(np.exp(0.3j) * state, state, up_to_global_phase=True)


@pytest.mark.parametrize(
    "actual, expected, options, text",
    [
        ([1, 0], [0, 1], {}, r"differ by 1\.41421 in the 2-norm \(allowed: 1e-12\), most at \|0>"),
        ([1, 0, 0, 0], [1, 0, 0, 1e-6], {}, r"most at \|11>: 0 instead of 1e-06"),
        ([[1, 0], [1, 0]], [[1, 0], [1, 1e-3]], {}, "in row 1, most at"),
        ([1, 0], [1, 0, 0, 0], {}, r"one shape, but have \(2,\) and \(4,\)"),
        ([1, 0, 0], [1, 0, 0], {}, r"must have shape \(2\*\*n,\)"),
        ([np.nan, 0], [1, 0], {}, "differ by nan"),
        ([1j, 0], [1, 0], {}, r"1j instead of 1"),
        ([1, 0], [0, 1], {"up_to_global_phase": True}, "differ by"),
        ([1, 0], [1, 1e-3], {"atol": 1e-4}, r"allowed: 0\.0001"),
    ],
)
def test_states_that_differ_fail(actual, expected, options, text):
    with pytest.raises(AssertionError, match=text):
        assert_states_close(actual, expected, **options)


class WrongInverse(UnitaryGate):
    def inverse(self, params):
        return self, ()


class WrongPower(GeneratorGate):
    def power(self, params, exponent):
        return self, params


def test_gates_that_are_right_pass():
    check_gate("rzz", [0.4])
    check_gate(get_gate("u"))
    check_gate(GeneratorGate(np.diag([1.0, 2.0, -1.0, 0.5])))


@pytest.mark.parametrize(
    "gate, text",
    [
        (
            UnitaryGate(np.diag([1, 2]), check=False),
            "Gate `unitary` is not unitary: entries differ by up to 3",
        ),
        (WrongInverse(np.diag([1, 1j])), "Gate `unitary` has a wrong inverse"),
        (WrongPower(np.diag([1.0, 0.3])), "Gate `generator` has a wrong power 1/2"),
        (
            GateSpec(
                "crooked",
                np.zeros((2, 2), complex),
                (Term(0.5, np.eye(2, dtype=complex), np.array([[0, 1], [1, 0]], dtype=complex)),),
                param_names=("t",),
                num_qubits=1,
            ),
            "Gate `crooked` is not unitary",
        ),
    ],
)
def test_gates_that_are_wrong_fail(gate, text):
    with pytest.raises(AssertionError, match=text):
        check_gate(gate)
