"""Loops and conditions that nothing measured decides: carried out before a circuit is lowered."""

from __future__ import annotations

import numpy as np
import pytest
from dynamic_helpers import body, distribution

import qsim
from qsim.circuit import Circuit
from qsim.classical import Bit, logical_and
from qsim.errors import ArgumentError, CircuitError


def ry_ladder() -> Circuit:
    """A loop over an index that turns by it, leaves out one turn and ends early."""
    circuit = Circuit(1, 1)
    k = circuit.declare("k", "int", 32)
    angle = circuit.declare("angle", "float", 64, initial=0.0)
    inner = body(circuit).if_else(k.eq(1), body(circuit).continue_loop())
    inner.if_else(k.eq(5), body(circuit).break_loop()).assign(angle, angle + 0.1 * k).ry(angle, 0)
    return circuit.for_loop(range(100), inner, k).rz(0.2 * k, 0)


def test_control_of_known_course_is_a_sequence_of_gates(backend):
    plain, angle = Circuit(1), 0.0
    for k in (0, 2, 3, 4):
        angle += 0.1 * k
        plain.ry(angle, 0)
    plain.rz(0.2 * 5, 0)
    circuit = ry_ladder()
    assert qsim.compile(circuit, backend=backend).is_static
    np.testing.assert_allclose(
        qsim.statevector(circuit, backend=backend), qsim.statevector(plain, backend=backend), atol=1e-14
    )
    np.testing.assert_allclose(qsim.fidelity(circuit, plain, backend=backend), 1.0)


def test_conditions_on_what_is_known_are_decided(backend):
    circuit = Circuit(2, 3).if_else((0, 0), body(Circuit(2, 3)).x(0), body(Circuit(2, 3)).x(1))
    circuit.assign(1, 1).switch([0, 1], {2: body(circuit).x(1), 0: body(circuit).x(0)})
    circuit.while_loop(Bit(1), body(circuit).assign(1, 0).assign(2, 1).h([0, 1]))
    assert qsim.compile(circuit, backend=backend).is_static
    np.testing.assert_allclose(qsim.statevector(circuit, backend=backend), [0.5, -0.5, -0.5, 0.5], atol=1e-15)
    assert distribution(circuit, backend) == {"100": 1.0}
    assert qsim.sample(circuit, shots=3, seed=1, backend=backend).counts() == {"100": 3}


def test_known_values_reach_what_depends_on_outcomes(backend):
    circuit = Circuit(2, 3)
    n = circuit.declare("n", "int", 32, initial=1)
    circuit.for_loop(range(3), body(circuit).assign(n, n * 2).x(1)).assign(2, 1).h(0).measure(0, 0)
    circuit.if_else(Bit(0), body(circuit).if_else(n.eq(8), body(circuit).x(1)).assign(n, 0))
    circuit.assign(2, n.eq(8)).measure(1, 1)
    assert distribution(circuit, backend) == {"001": 0.5, "110": 0.5}
    overwritten = Circuit(1, 1).h(0).measure(0, 0).assign(0, 1)
    assert distribution(overwritten, backend) == {"1": 1.0}
    measured_later = Circuit(1, 1).assign(0, 1).measure(0, 0)
    assert distribution(measured_later, backend) == {"0": 1.0}
    read_before = (
        Circuit(1, 2).h(0).measure(0, 0).if_else(logical_and(Bit(0), Bit(1)), body(Circuit(1, 2)).x(0))
    )
    assert distribution(read_before.assign(1, 1).measure(0, 0), backend) == {"10": 0.5, "11": 0.5}


def test_loops_with_outcomes_stay_loops(backend):
    circuit = Circuit(1, 1).for_loop(range(30), Circuit(1, 1).h(0).reset(0)).measure(0, 0)
    assert not qsim.compile(circuit, backend=backend).is_static
    assert distribution(circuit, backend) == {"0": 1.0}  # 2**30 branches, did they not join


def test_a_loop_too_long_to_unroll_says_so():
    circuit = Circuit(1).for_loop(range(10**9), Circuit(1).x(0))
    with pytest.raises(CircuitError, match=r"A state vector needs .* a loop of more than 500000 operations"):
        qsim.statevector(circuit)
    nested = Circuit(1).for_loop(range(10**5), Circuit(1).for_loop(range(10**5), Circuit(1).x(0)))
    with pytest.raises(CircuitError, match=r"a loop of more than 500000 operations"):
        qsim.statevector(nested)
    with pytest.raises(ArgumentError, match=r"fewer than 2\*\*63 elements"):
        Circuit(1).for_loop(range(10**30), Circuit(1).x(0))


def test_errors_of_values_are_those_of_the_run():
    circuit = Circuit(1, 1)
    n = circuit.declare("n", "int", 32)
    circuit.if_else((1 / n).eq(1), body(circuit).x(0))
    program = qsim.compile(circuit)  # a branch that is never reached may hold such a thing
    with pytest.raises(ArgumentError, match="zero"):
        program.distribution()


def test_openqasm_of_known_course(backend):
    text = """OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit c;
    int n = 0; for uint i in [0:200000] { n += 1; } if (c == 0) { x q[0]; } rx(0.1 * n) q[1];"""
    circuit = Circuit.from_qasm(text)
    state = qsim.statevector(circuit, backend=backend)
    expected = qsim.statevector(Circuit(2).x(0).rx(0.1 * 200001, 1), backend=backend)
    np.testing.assert_allclose(abs(state), abs(expected), atol=1e-9)


def test_bits_that_are_never_reached_are_outcomes_too(backend):
    measured = body(Circuit(2, 3)).measure(0, 0)
    for circuit in (
        Circuit(2, 3).x(1).if_else((0, 1), measured),
        Circuit(2, 3).x(1).for_loop(range(0), measured),
        Circuit(2, 3).x(1).while_loop(Bit(2), body(Circuit(2, 3)).assign(2, 0)),
    ):
        assert distribution(circuit, backend) == {"000": 1.0}
        assert qsim.sample(circuit, shots=2, seed=1, backend=backend).counts() == {"000": 2}
