"""Measurement, reset, channels and classical control: exact distributions worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from dynamic_helpers import body, distribution

import qsim
from qsim.circuit import Circuit
from qsim.classical import Bit, Bits, Literal
from qsim.errors import ArgumentError, CircuitError, QubitError, StateError
from qsim.parameters import Parameter

BELL = Circuit(2, 2).h(0).cx(0, 1)


# -- measurement and reset ------------------------------------------------------------------------------
def test_measurement_in_the_middle(backend):
    circuit = Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1)
    assert distribution(circuit, backend) == {"00": 0.25, "01": 0.25, "10": 0.25, "11": 0.25}
    repeated = Circuit(1, 2).h(0).measure(0, 0).x(0).measure(0, 1)
    assert distribution(repeated, backend) == {"01": 0.5, "10": 0.5}


def test_later_measurement_overwrites_a_bit(backend):
    assert distribution(Circuit(2, 1).x(0).measure(0, 0).measure(1, 0), backend) == {"0": 1.0}
    assert distribution(Circuit(2, 1).x(0).measure(1, 0).measure(0, 0), backend) == {"1": 1.0}
    late = Circuit(2, 1).x(0).measure(0, 0).h(0).measure(1, 0)
    assert distribution(late, backend) == {"0": 1.0}
    early = Circuit(2, 1).x(1).measure(1, 0).x(1).measure(0, 0)
    assert distribution(early, backend) == {"0": 1.0}


def test_one_qubit_into_several_bits(backend):
    circuit = Circuit(1, 3).h(0).measure(0, 0).measure(0, 2)
    assert distribution(circuit, backend) == {"000": 0.5, "101": 0.5}


def test_bits_that_are_not_written_are_zero(backend):
    assert distribution(Circuit(1, 3).x(0).measure(0, 1), backend) == {"010": 1.0}


def test_collapse_correlates(backend):
    circuit = BELL.copy().measure(0, 0).h(0).measure(1, 1)
    assert distribution(circuit, backend) == {"00": 0.5, "11": 0.5}


def test_reset(backend):
    circuit = Circuit(1, 1).h(0).reset(0).measure(0, 0)
    assert distribution(circuit, backend) == {"0": 1.0}
    entangled = BELL.copy().reset(0).measure([0, 1], [0, 1])
    assert distribution(entangled, backend) == {"00": 0.5, "10": 0.5}
    rho = qsim.density_matrix(BELL.copy().reset(0), [1], backend=backend)
    np.testing.assert_allclose(rho, np.eye(2) / 2, atol=1e-15)


def test_reset_and_use_again(backend):
    """One qubit serves as three coins."""
    circuit = Circuit(1, 3)
    for k in range(3):
        circuit.reset(0).ry(2 * np.arcsin(np.sqrt(0.25)), 0).measure(0, k)
    wanted = {f"{k:03b}": 0.25 ** k.bit_count() * 0.75 ** (3 - k.bit_count()) for k in range(8)}
    assert distribution(circuit, backend) == pytest.approx(wanted)


def test_measuring_a_product_of_paulis(backend):
    ghz = Circuit(3, 2).h(0).cx(0, 1).cx(1, 2)
    circuit = ghz.copy().measure_pauli("XXX", [0, 1, 2], 0).measure_pauli("IZZ", [0, 1, 2], 1)
    assert distribution(circuit, backend) == {"00": 1.0}
    other = ghz.copy().measure_pauli("XYY", [0, 1, 2], 0)
    assert distribution(other, backend) == {"01": 1.0}  # GHZ has X Y Y = -1


def test_a_random_state_has_no_statevector(backend):
    for circuit in (Circuit(1, 1).h(0).measure(0, 0).x(0), Circuit(1).h(0).reset(0)):
        with pytest.raises(CircuitError, match="needs a circuit whose state is not random"):
            qsim.statevector(circuit, backend=backend)
    ends = Circuit(1, 1).x(0).measure(0, 0)
    np.testing.assert_allclose(qsim.statevector(ends, backend=backend), [0, 1])


def test_expectation_is_the_average_over_outcomes(backend):
    circuit = Circuit(1, 1).ry(0.6, 0).measure(0, 0).if_else((0, 1), Circuit(1, 1).h(0))
    p = np.sin(0.3) ** 2
    values = qsim.expectation(circuit, ["Z0", "X0"], backend=backend)
    np.testing.assert_allclose(values, [1 - p, -p], atol=1e-14)
    variance = qsim.variance(circuit, "Z0", backend=backend)
    assert variance == pytest.approx(1 - (1 - p) ** 2)  # of the mixture, not the mean of variances


# -- if, switch -----------------------------------------------------------------------------------------
def test_if_else(backend):
    start = Circuit(2, 2).h(0).measure(0, 0)
    then, other = body(start).x(1), body(start).h(1)
    circuit = start.copy().if_else((0, 1), then, other).measure(1, 1)
    assert distribution(circuit, backend) == {"00": 0.25, "10": 0.25, "11": 0.5}
    assert distribution(start.copy().if_else((0, 0), then).measure(1, 1), backend) == {"01": 0.5, "10": 0.5}


def test_conditions_on_several_bits_and_expressions(backend):
    start = Circuit(3, 3).h([0, 1]).measure([0, 1], [0, 1])
    flip = body(start).x(2)
    for condition, outcomes in (
        (((0, 1), 2), [2]),
        (((1, 0), 2), [1]),
        (Bits((0, 1)) >= Literal(2), [2, 3]),
        (Bit(0) ^ Bit(1), [1, 2]),
        (~Bit(0), [0, 2]),
    ):
        circuit = start.copy().if_else(condition, flip).measure(2, 2)
        wanted = {f"{int(k in outcomes)}{k:02b}": 0.25 for k in range(4)}
        assert distribution(circuit, backend) == wanted, condition


def test_nested_ifs(backend):
    start = Circuit(3, 3).h([0, 1]).measure([0, 1], [0, 1])
    inner = body(start).if_else((1, 1), body(start).x(2))
    circuit = start.copy().if_else((0, 1), inner).measure(2, 2)
    assert distribution(circuit, backend) == {"000": 0.25, "001": 0.25, "010": 0.25, "111": 0.25}


def test_switch(backend):
    start = Circuit(4, 4).h([0, 1]).measure([0, 1], [0, 1])
    cases = {0: body(start).x(2), (1, 3): body(start).x(3)}
    circuit = start.copy().switch([0, 1], cases, body(start).x([2, 3])).measure([2, 3], [2, 3])
    assert distribution(circuit, backend) == {"0100": 0.25, "1001": 0.25, "1011": 0.25, "1110": 0.25}
    bare = start.copy().switch([0, 1], {2: body(start).x(2)}).measure(2, 2)
    assert distribution(bare, backend) == {"0000": 0.25, "0001": 0.25, "0011": 0.25, "0110": 0.25}


def test_feed_forward_keeps_the_right_qubit(backend):
    """A condition in a composed and remapped circuit follows its bits and qubits."""
    small = Circuit(2, 1).h(0).measure(0, 0)
    small.if_else((0, 1), Circuit(2, 1).x(1))
    wide = Circuit(4, 4).compose(small, [3, 1], [2]).measure(1, 1)
    assert distribution(wide, backend) == {"0000": 0.5, "0110": 0.5}


def test_run_time_parameters_follow_their_bits(backend):
    small = Circuit(1, 1).rx(Bit(0) * np.pi, 0)
    assert small.operations[0].clbits == (0,)
    wide = Circuit(2, 2).x(0).measure(0, 0).compose(small, [1], [1]).measure(1, 1)
    assert distribution(wide, backend) == {"01": 1.0}
    same = Circuit(2, 2).x(0).measure(0, 0).compose(small, [1], [0]).measure(1, 1)
    assert distribution(same, backend) == {"11": 1.0}
    with pytest.raises(QubitError, match="Classical bit 0 is out of range"):
        Circuit(1).append_operation(small.operations[0])
    with pytest.raises(CircuitError, match="must not depend on run-time values"):
        small.to_gate()


def test_inverse_of_a_gate_with_an_unsigned_run_time_parameter(backend):
    gate = Circuit(1, 3).rx(Bits((0, 1)), 0)
    circuit = Circuit(1, 3).x(0).measure(0, 0).compose(gate).compose(gate.inverse()).measure(0, 2)
    assert distribution(circuit, backend) == {"101": 1.0}


def test_a_body_is_taken_as_it_is_now(backend):
    flip = Circuit(1, 1).x(0)
    circuit = Circuit(1, 1).if_else((0, 0), flip)
    flip.x(0)
    assert distribution(circuit.measure(0, 0), backend) == {"1": 1.0}
    itself = Circuit(1, 1).x(0)
    itself.while_loop((0, 1), itself)
    assert len(itself.operations[1].body) == 1


# -- loops ----------------------------------------------------------------------------------------------
def test_for_loop_with_its_variable(backend):
    circuit = Circuit(1, 1)
    k = circuit.declare("k", "int", 8)
    circuit.for_loop(range(4), body(circuit).rx(k * 0.1, 0), k).measure(0, 0)
    p = np.sin(0.6 / 2) ** 2
    assert distribution(circuit, backend) == pytest.approx({"0": 1 - p, "1": p})


def test_loops_over_values_and_bits(backend):
    circuit = Circuit(1, 1)
    k = circuit.declare("k", "int", 8)
    circuit.for_loop([1, 5, -3], body(circuit).ry(k * 0.2, 0), k).measure(0, 0)
    p = np.sin(0.3) ** 2
    assert distribution(circuit, backend) == pytest.approx({"0": 1 - p, "1": p})
    bits = Circuit(2, 3).x(0).measure(0, 1)
    b = bits.declare("b", "bit", None)
    flip = body(bits).if_else(b.eq(1), body(bits).x(1))
    bits.for_loop(Bits((0, 1)), flip, b).measure(1, 2)
    assert distribution(bits, backend) == {"110": 1.0}


def test_loop_over_expressions_follows_its_bits(backend):
    small = Circuit(1, 1)
    k = small.declare("k", "int", 8)
    small.for_loop([Bit(0), 2], body(small).rx(k * np.pi, 0), k).measure(0, 0)
    assert small.operations[0].clbits == (0,)
    assert Circuit.from_json(small.to_json()) == small
    wide = Circuit(2, 2).x(0).measure(0, 0).compose(small, [1], [1])
    assert distribution(wide, backend) == {"01": 1.0}  # rx(0): the other bit is 0
    same = Circuit(2, 2).measure(0, 0).x(0).measure(0, 1).compose(small, [1], [1])
    assert distribution(same, backend) == {"10": 1.0}


def test_loop_values_of_numpy_are_written_as_json():
    circuit = Circuit(1).for_loop(np.arange(3), Circuit(1).x(0)).for_loop(np.array([0.5]), Circuit(1).x(0))
    assert Circuit.from_json(circuit.to_json()) == circuit


def test_branches_with_other_loop_values_stay_apart(backend):
    """Both have the same bits and the same state at the head of the loop, but other values to come."""
    circuit = Circuit(2, 2).h(0).measure(0, 1)
    b = circuit.declare("b", "bit", None)
    turn = body(circuit).reset(0).assign(1, 0).if_else(b.eq(1), body(circuit).x(1))
    circuit.for_loop(Bits((0, 1)), turn, b).measure(1, 0)
    assert distribution(circuit, backend) == {"00": 0.5, "01": 0.5}


def test_break_and_continue(backend):
    circuit = Circuit(1, 3)
    k, n = circuit.declare("k", "int", 8), circuit.declare("n", "int", 8)
    turn = body(circuit)
    turn.if_else(k.eq(1), body(circuit).continue_loop())
    turn.if_else(k.eq(4), body(circuit).break_loop())
    turn.assign(n, n + k)
    circuit.for_loop(range(10), turn, k).assign(Bits((0, 1, 2)), n)
    assert distribution(circuit, backend) == {"101": 1.0}  # 0 + 2 + 3


def test_break_leaves_only_the_inner_loop(backend):
    circuit = Circuit(1, 4)
    n = circuit.declare("n", "uint", 8)
    inner = body(circuit).assign(n, n + 1).break_loop()
    outer = body(circuit).for_loop(range(5), inner)
    circuit.for_loop(range(3), outer).assign(Bits((0, 1, 2, 3)), n)
    assert distribution(circuit, backend) == {"0011": 1.0}


def test_while_counts(backend):
    circuit = Circuit(1, 3)
    n = circuit.declare("n", "uint", 4, initial=2)
    circuit.while_loop(n < 5, body(circuit).assign(n, n + 1)).assign(Bits((0, 1, 2)), n)
    assert distribution(circuit, backend) == {"101": 1.0}


def test_repeat_until_success(backend):
    """The loop ends with probability 1; the last outcome is always 1."""
    attempt = Circuit(2, 2).reset(0).h(0).measure(0, 0).x(1)
    circuit = Circuit(2, 2).while_loop((0, 0), attempt).measure(1, 1)
    found = qsim.distribution(circuit, backend=backend)
    assert found["11"] == pytest.approx(2 / 3, abs=1e-12)  # an odd number of attempts
    assert found["01"] == pytest.approx(1 / 3, abs=1e-12)
    counts = qsim.sample(circuit, shots=1000, seed=3, backend=backend).counts()
    assert set(counts) == {"11", "01"}


def test_an_endless_loop_is_an_error(backend):
    circuit = Circuit(1, 1).while_loop((0, 0), Circuit(1, 1).x(0))
    for call in (
        lambda: qsim.distribution(circuit, backend=backend),
        lambda: qsim.sample(circuit, shots=3, seed=1, backend=backend),
    ):
        with pytest.raises(CircuitError, match=r"A loop must end, but after \d+ steps"):
            call()


def test_break_outside_a_loop_is_an_error():
    for circuit in (Circuit(1, 1).break_loop(), Circuit(1, 1).if_else((0, 0), Circuit(1, 1).continue_loop())):
        with pytest.raises(CircuitError, match="must stand inside a loop"):
            qsim.distribution(circuit)


# -- classical values -------------------------------------------------------------------------------------
def test_assignments_to_bits(backend):
    circuit = Circuit(2, 4).h([0, 1]).measure([0, 1], [0, 1])
    circuit.assign(2, Bit(0) & Bit(1)).assign(3, Bit(0) | Bit(1))
    assert distribution(circuit, backend) == {"0000": 0.25, "1001": 0.25, "1010": 0.25, "1111": 0.25}


def test_gate_angles_from_measured_values(backend):
    """Inverse QFT by feed-forward: one qubit measures a phase bit by bit."""
    phase, bits = 0b101, 3
    circuit = Circuit(2, bits).x(1)
    for k in range(bits):
        circuit.reset(0).h(0)
        circuit.cp(2 * np.pi * phase / 2**bits * 2 ** (bits - 1 - k), 0, 1)
        for j in range(k):
            circuit.if_else((j, 1), body(circuit).p(-np.pi / 2 ** (k - j), 0))
        circuit.h(0).measure(0, k)
    assert distribution(circuit, backend) == {"101": 1.0}


def test_wrap_around_of_unsigned_integers(backend):
    circuit = Circuit(1, 2)
    n = circuit.declare("n", "uint", 2, initial=3)
    circuit.assign(n, n + 2).assign(Bits((0, 1)), n)
    assert distribution(circuit, backend) == {"01": 1.0}


# -- channels ---------------------------------------------------------------------------------------------
def test_amplitude_damping(backend):
    gamma = 0.3
    operators = [np.diag([1, np.sqrt(1 - gamma)]), np.array([[0, np.sqrt(gamma)], [0, 0]])]
    circuit = Circuit(1, 1).x(0).kraus(operators, 0).measure(0, 0)
    assert distribution(circuit, backend) == pytest.approx({"0": gamma, "1": 1 - gamma})
    rho = qsim.density_matrix(Circuit(1).h(0).kraus(operators, 0), backend=backend)
    off = np.sqrt(1 - gamma) / 2
    np.testing.assert_allclose(rho, [[(1 + gamma) / 2, off], [off, (1 - gamma) / 2]], atol=1e-15)


def test_depolarising_two_qubits(backend):
    """Each of 16 Pauli pairs with equal probability leaves nothing of the state."""
    paulis = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
    operators = [np.kron(a, b) / 4 for a in paulis for b in paulis]
    rho = qsim.density_matrix(Circuit(2).h(0).cx(0, 1).kraus(operators, [0, 1]), backend=backend)
    np.testing.assert_allclose(rho, np.eye(4) / 4, atol=1e-14)


# -- batches, initial states ------------------------------------------------------------------------------
def test_batches_of_dynamic_circuits(backend):
    theta = Parameter("theta")
    circuit = Circuit(1, 2).ry(theta, 0).measure(0, 0).ry(theta, 0).measure(0, 1)
    thetas = np.array([0.0, np.pi, 0.4])
    found = qsim.distribution(circuit, {"theta": thetas}, backend=backend)
    assert len(found) == 3
    assert found[0] == pytest.approx({"00": 1.0})
    assert found[1] == pytest.approx({"01": 1.0})
    p = np.sin(0.2) ** 2
    wanted = {"00": (1 - p) ** 2, "10": (1 - p) * p, "11": p * (1 - p), "01": p * p}
    assert found[2] == pytest.approx(wanted)
    samples = qsim.sample(circuit, {"theta": thetas}, shots=7, seed=1, backend=backend)
    assert samples.batch == 3
    assert samples.counts()[0] == {"00": 7}


def test_initial_states_of_dynamic_circuits(backend):
    circuit = Circuit(1, 1).measure(0, 0).x(0)
    assert qsim.distribution(circuit, initial_state=[0, 1], backend=backend) == {"1": 1.0}
    both = qsim.distribution(circuit, initial_state=[[1, 0], [0, 1]], backend=backend)
    assert both == [{"0": 1.0}, {"1": 1.0}]


def test_many_measurements_keep_the_norm(backend):
    """A thousand measurements: probabilities still add up to 1."""
    circuit = Circuit(2, 2).h(0).cx(0, 1)
    for _ in range(500):
        circuit.measure(0, 0).rz(0.1, 0)
    circuit.measure(1, 1)
    found = qsim.distribution(circuit, backend=backend)
    assert set(found) == {"00", "11"}
    assert sum(found.values()) == pytest.approx(1, abs=1e-9)


def test_loop_of_failures_that_leave_one_state_stays_small(backend):
    """Three of four outcomes repeat the loop; their branches are equal by then and must join."""
    body = Circuit(3, 2).reset([0, 1]).h([0, 1]).ccx(0, 1, 2).x(2, controls=[0, 1]).measure([0, 1], [0, 1])
    circuit = Circuit(3, 2).ry(0.4, 2).x(0).measure(0, 0)
    circuit.while_loop(Bits((0, 1)).ne(Literal(0)), body)
    outcome = qsim.distribution(circuit, backend=backend)
    assert outcome.keys() == {"00"}
    assert outcome["00"] == pytest.approx(1, abs=1e-12)
    assert qsim.expectation(circuit, "Z2", backend=backend) == pytest.approx(np.cos(0.4), abs=1e-12)


def test_variables_of_one_name_and_two_types_do_not_compose():
    first, second = Circuit(1), Circuit(1)
    first.declare("n", "int", 8)
    second.declare("n", "uint", 8)
    with pytest.raises(CircuitError, match="`n` has different types"):
        first.compose(second)


def test_initial_values_have_the_type_of_their_variable(backend):
    circuit = Circuit(1, 1)
    n = circuit.declare("n", "uint", 4, np.int64(19))
    late = circuit.declare("late", "int", 8, None)
    assert circuit.variables == {n: 3, late: None}
    assert Circuit.from_json(circuit.to_json()) == circuit
    assert distribution(circuit.copy().if_else(n.eq(3), Circuit(1).x(0)).measure(0, 0), backend) == {"1": 1.0}
    with pytest.raises(ArgumentError, match="`late` is read before it has a value"):
        distribution(circuit.copy().if_else(late.eq(0), Circuit(1).x(0)), backend)
    late_but_there = circuit.copy().assign(late, 1).if_else(late.eq(1), Circuit(1).x(0)).measure(0, 0)
    assert distribution(late_but_there, backend) == {"1": 1.0}


def test_programs_follow_registers_and_variables(backend):
    circuit = Circuit(1, 2)
    n = circuit.declare("n", "uint", 4)
    circuit.if_else(n.eq(1), Circuit(1).x(0)).measure(0, 1)
    assert distribution(circuit, backend) == {"00": 1.0}
    circuit.variables[n] = 1
    circuit.classical_registers["c"] = (1,)
    assert distribution(circuit, backend) == {"10": 1.0}
    assert qsim.sample(circuit, shots=3, backend=backend).marginal("c").counts() == {"1": 3}


@pytest.mark.parametrize("width", [63, 64, 65])
def test_condition_on_many_bits(backend, width):
    for value in (1 << width - 1, 1 << width - 1 | 1):
        circuit = Circuit(1, width).assign(width - 1, 1)
        circuit.if_else((range(width), value), Circuit(1).x(0)).measure(0, 0)
        outcome = next(iter(distribution(circuit, backend)))
        assert outcome == "1" + "0" * (width - 2) + str(int(value == 1 << width - 1))


def test_a_case_has_a_value():
    with pytest.raises(CircuitError, match="at least one value"):
        Circuit(1, 1).switch(0, [((), Circuit(1))])


def test_initialize_resets_wherever_it_stands(backend):
    flip = Circuit(1).initialize([0, 1])
    assert qsim.distribution(Circuit(1).x(0).compose(flip), backend=backend) == {"1": pytest.approx(1)}
    looped = Circuit(1, 1).for_loop(range(2), Circuit(1).initialize([0.6, 0.8])).measure(0, 0)
    assert qsim.distribution(looped, backend=backend) == {"1": pytest.approx(0.64), "0": pytest.approx(0.36)}
    np.testing.assert_allclose(qsim.statevector(flip, backend=backend), [0, 1], atol=1e-15)


def test_reset_at_the_beginning_needs_no_branch_but_a_fitting_initial_state(backend):
    circuit = Circuit(2).reset([0]).h(0)
    np.testing.assert_allclose(
        qsim.statevector(circuit, initial_state=[0, 0, 1, 0], backend=backend),
        [0, 0, 0.5**0.5, 0.5**0.5],
        atol=1e-15,
    )
    with pytest.raises(StateError, match=r"begins with a reset of qubits \[0\]"):
        qsim.statevector(circuit, initial_state=[0, 1, 0, 0], backend=backend)


def test_the_answer_is_called_by_its_name():
    random = Circuit(1, 1).h(0).measure(0, 0).h(0)
    for function, what in ((qsim.fidelity, "A fidelity"), (qsim.inner_product, "An inner product")):
        with pytest.raises(CircuitError, match=rf"^{what} needs a circuit whose state is not random"):
            function(random, random)
    with pytest.raises(CircuitError, match=r"^A list of amplitudes needs"):
        qsim.amplitudes(random, ["0"])


def test_variables_have_a_size_that_fits_their_kind():
    circuit = Circuit(1)
    sizes = {
        kind: circuit.declare(kind, kind).size for kind in ("bool", "bit", "int", "uint", "float", "angle")
    }
    assert sizes == {"bool": None, "bit": None, "int": 32, "uint": 32, "float": 64, "angle": 64}
    assert circuit.declare("wide", "bit", 8).size == 8


def test_variables_of_bodies_are_those_of_the_circuit(backend):
    inner = Circuit(1, 1)
    n = inner.declare("n", "int", initial=2)
    inner.assign(n, n + 1).if_else(n.eq(5), Circuit(1, 1).x(0))
    circuit = Circuit(1, 1).for_loop(range(4), Circuit(1, 1).if_else((0, 0), inner)).measure(0, 0)
    assert circuit.variables == {n: 2}
    assert distribution(circuit, backend) == {"1": 1.0}
    other = Circuit(1, 1)
    other.declare("n", "uint")
    before = circuit.copy()
    with pytest.raises(CircuitError, match="`n` has different types"):
        circuit.if_else((0, 0), inner, other)
    assert circuit == before


def test_measuring_all_keeps_the_outcomes_there_are(backend):
    fresh = Circuit(2, 3).x(1).measure_all()
    assert (fresh.num_clbits, distribution(fresh, backend)) == (3, {"010": 1.0})
    used = Circuit(2, 1).x(0).measure(0, 0).x(0).x(1).measure_all()
    assert (used.num_clbits, distribution(used, backend)) == (3, {"101": 1.0})
    assert distribution(used.copy().measure_all(), backend) == {"10101": 1.0}
    read = Circuit(1, 1).if_else((0, 0), Circuit(1, 1).x(0)).measure_all()
    assert distribution(read, backend) == {"10": 1.0}
    named = Circuit.from_qasm("OPENQASM 3.0; qubit[2] q; bit c; c = measure q[0];").measure_all()
    assert named.classical_registers == {"c": (0,), "meas": (1, 2)}
    assert Circuit.from_qasm(named.to_qasm()) == named
    own = Circuit.from_qasm(
        'OPENQASM 3; include "stdgates.inc"; qubit[2] q; { bit b; } x q[1];'
    ).measure_all()
    assert (own.num_clbits, distribution(own, backend)) == (3, {"10": 1.0})


def test_measuring_all_changes_no_body():
    inside = Circuit(2, 1).if_else((0, 1), Circuit(2, 1).x(0)).operations[0].then_body
    before = inside.copy()
    with pytest.raises(CircuitError, match="cannot change"):
        inside.measure_all()
    assert (inside, inside.num_clbits) == (before, 1)


def test_channels_in_circuits_with_parameters(backend):
    """Kraus operators are constants beside gates that are not."""
    t, half = qsim.Parameter("t"), np.sqrt(0.5)
    dephased = Circuit(1).ry(t, 0).kraus([half * np.eye(2), half * np.diag([1, -1])], 0).ry(t, 0)
    values = np.linspace(0, 1, 3)[:, None]
    found = qsim.expectation(dephased, "Z0", values, backend=backend)
    np.testing.assert_allclose(found, np.cos(values[:, 0]) ** 2, atol=1e-12)
