"""Circuits with classical control from and to Qiskit: distributions by hand, and round trips."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.errors import CircuitError

pytest.importorskip("qiskit", minversion="2.2")

from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types


def one(angle):
    """Probability of 1 after RX or RY of |0>."""
    return np.sin(angle / 2) ** 2


def spread(*bits):
    """The distribution of independent bits, given the probability of 1 of each."""
    out = {}
    for outcome in range(1 << len(bits)):
        p = np.prod([b if outcome >> k & 1 else 1 - b for k, b in enumerate(bits)])
        if p > 0:
            out[format(outcome, f"0{len(bits)}b")] = float(p)
    return out


def mixed(parts):
    """A sum of distributions with weights."""
    out: dict[str, float] = {}
    for weight, part in parts:
        for key, p in part.items():
            out[key] = out.get(key, 0) + weight * p
    return out


def check(circuit, wanted, values=None):
    found = qsim.from_qiskit(circuit)
    again = qsim.from_qiskit(qsim.to_qiskit(found))
    for own in (found, again):
        got = qsim.distribution(own.bind(values) if values else own)
        for key in {*got, *wanted}:
            assert got.get(key, 0.0) == pytest.approx(wanted.get(key, 0.0), abs=1e-12), key
    return found


def test_if_else_on_a_bit_and_on_a_register():
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.ry(0.7, 1)
    with otherwise:
        circuit.ry(1.9, 1)
    circuit.measure(1, 1)
    with circuit.if_test((circuit.cregs[0], 3)):
        circuit.x(2)
    circuit.measure(2, 2)
    wanted = {"000": 0.5 * (1 - one(1.9)), "010": 0.5 * one(1.9)}
    wanted |= {"001": 0.5 * (1 - one(0.7)), "111": 0.5 * one(0.7)}
    check(circuit, wanted)


def test_switch():
    circuit = QuantumCircuit(2, 3)
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    circuit.reset(0)
    register = ClassicalRegister(name="low", bits=circuit.clbits[:2])
    circuit.add_register(register)
    with circuit.switch(register) as case:
        with case(0):
            circuit.ry(0.3, 0)
        with case(1, 2):
            circuit.ry(1.3, 0)
        with case(case.DEFAULT):
            circuit.ry(2.3, 0)
    circuit.measure(0, 2)
    parts = [(0.25, spread(v & 1, v >> 1, one(a))) for v, a in enumerate((0.3, 1.3, 1.3, 2.3))]
    check(circuit, mixed(parts))


def test_while_loops():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.reset(0)
        circuit.ry(1.1, 0)
        circuit.measure(0, 0)
        circuit.rx(0.4, 1)
    circuit.measure(1, 1)
    p = one(1.1)
    parts = [(0.5, spread(0, 0))] + [(0.5 * p**k * (1 - p), spread(0, one(0.4 * (k + 1)))) for k in range(60)]
    check(circuit, mixed(parts))


def test_for_loops_with_their_parameter_in_expressions():
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(1, 4)) as k:
        circuit.rx(k / 2 + 0.1 + k.sin(), 0)
    circuit.measure(0, 0)
    found = check(circuit, spread(one(sum(k / 2 + 0.1 + np.sin(k) for k in (1, 2, 3)))))
    assert [op.name for op in found.operations] == ["for_loop", "measure"]


def test_for_loops_that_mix_parameters_are_unrolled():
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop((0, 3, 5)) as k:
        circuit.rx(k * theta, 0)
    circuit.measure(0, 0)
    found = check(circuit, spread(one(8 * 0.3)), {"theta": 0.3})
    assert found.count_ops()["rx"] == 3


def test_a_loop_that_mixes_parameters_and_breaks_is_refused():
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(3)) as k:
        circuit.rx(k * theta, 0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.break_loop()
    with pytest.raises(CircuitError, match="break or continue"):
        qsim.from_qiskit(circuit)
    bound = circuit.assign_parameters({theta: 0.3})
    # turns by 0, 0.3, 0.6; a turn that ends in 1 is the last
    stay = (1 - one(0.3)) * (1 - one(0.6))
    check(bound, {"0": stay, "1": 1 - stay})


def test_break_and_continue():
    circuit = QuantumCircuit(2, 2)
    with circuit.for_loop(range(2)):
        circuit.ry(0.5, 0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.break_loop()
        circuit.rx(0.3, 1)
        with circuit.if_test((circuit.clbits[0], 0)):
            circuit.continue_loop()
        circuit.x(1)
    circuit.measure(1, 1)
    p = one(0.5)
    parts = [(p, spread(1, 0)), ((1 - p) * p, spread(1, one(0.3))), ((1 - p) ** 2, spread(0, one(0.6)))]
    check(circuit, mixed(parts))


def test_variables_and_expressions():
    circuit = QuantumCircuit(3, 3)
    count = circuit.add_var("count", expr.lift(1, types.Uint(8)))
    flag = circuit.add_var("flag", False)
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    only_first = expr.logic_and(circuit.clbits[0], expr.logic_not(circuit.clbits[1]))
    with circuit.if_test(only_first):
        circuit.store(count, expr.add(count, expr.lift(2, types.Uint(8))))
    with circuit.if_test(expr.greater(expr.bit_xor(circuit.cregs[0], 2), 2)):
        circuit.store(flag, True)
    with circuit.if_test(expr.equal(count, 3)):
        circuit.ry(0.9, 2)
    with circuit.if_test(flag):
        circuit.ry(0.4, 2)
    with circuit.while_loop(expr.less(count, 6)):
        circuit.store(count, expr.add(count, 1))
        circuit.ry(0.2, 2)
    circuit.measure(2, 2)
    parts = []
    for value in range(4):
        steps = 3 if value == 1 else 5
        angle = 0.9 * (value == 1) + 0.4 * ((value ^ 2) > 2) + 0.2 * steps
        parts.append((0.25, spread(value & 1, value >> 1, one(angle))))
    found = check(circuit, mixed(parts))
    assert {v.name: (v.kind, v.size) for v in found.variables} == {
        "count": ("uint", 8),
        "flag": ("bool", None),
    }


def test_expressions_on_registers_bits_and_shifts():
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(3, "a"), ClassicalRegister(1, "b"))
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.store(circuit.clbits[1], expr.logic_not(circuit.clbits[0]))
    shifted = expr.shift_left(circuit.cregs[0], 1)
    with circuit.if_test(
        expr.logic_and(expr.index(shifted, 1), expr.equal(expr.cast(shifted, types.Uint(8)), 2))
    ):
        circuit.store(circuit.clbits[3], True)
    with circuit.if_test(expr.less_equal(expr.bit_not(circuit.cregs[0]), 5)):
        circuit.store(circuit.clbits[2], expr.bit_or(circuit.clbits[0], circuit.clbits[3]))
    # 1: shifted is 2; ~1 is 6, above 5. 0: a becomes 2, shifted 4; ~2 is 5
    check(circuit, {"1001": 0.5, "0010": 0.5})


def test_variables_of_blocks_with_the_same_name():
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        inner = circuit.add_var("v", expr.lift(2, types.Uint(4)))
        with circuit.if_test(expr.equal(inner, 2)):
            circuit.store(circuit.clbits[0], False)
    with otherwise:
        inner = circuit.add_var("v", True)
        circuit.store(circuit.clbits[0], inner)
    check(circuit, {"0": 0.5, "1": 0.5})


def test_bodies_over_other_bits():
    body = QuantumCircuit(2, 1)
    body.cx(1, 0)
    body.measure(0, 0)
    circuit = QuantumCircuit(3, 3)
    circuit.x(2)
    circuit.x(1)
    circuit.measure(2, 2)
    circuit.if_test((circuit.clbits[2], 1), body, [0, 1], [1])
    check(circuit, {"110": 1.0})


def test_boxes_are_their_body():
    circuit = QuantumCircuit(2, 2)
    with circuit.box():
        circuit.h(1)
        circuit.cx(1, 0)
    circuit.measure([0, 1], [0, 1])
    assert qsim.from_qiskit(circuit) == qsim.Circuit(2, 2).h(1).cx(1, 0).measure([0, 1], [0, 1])


def test_inputs_are_refused():
    circuit = QuantumCircuit(1, inputs=[expr.Var.new("given", types.Uint(3))])
    with pytest.raises(CircuitError, match="`given`"):
        qsim.from_qiskit(circuit)


def test_programs_of_qsim_with_variables():
    from qsim.classical import Literal

    circuit = qsim.Circuit(2, 2).h(0).measure(0, 0)
    turns = circuit.declare("turns", "uint", 4, 3)
    circuit.if_else((0, 1), qsim.Circuit(2, 2).assign(turns, turns + Literal(1, "uint", 4)))
    circuit.while_loop(turns > 1, qsim.Circuit(2, 2).ry(0.3, 1).assign(turns, turns - 1))
    circuit.if_else((0, 0), qsim.Circuit(2, 2).x(1))
    circuit.measure(1, 1)
    wanted = qsim.distribution(circuit)
    got = qsim.distribution(qsim.from_qiskit(qsim.to_qiskit(circuit)))
    assert set(got) == set(wanted)
    for key, p in wanted.items():
        assert got[key] == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda c: c.rx(c.declare("angle", "float"), 0), "known only while"),
        (lambda c: c.if_else(c.declare("i", "int", 8).eq(1), qsim.Circuit(1, 1).x(0)), "`int`"),
        (lambda c: c.for_loop([0.5, 1.5], qsim.Circuit(1, 1).x(0)), "integers"),
    ],
    ids=["angles", "signed integers", "loops over numbers"],
)
def test_what_qiskit_has_not(build, words):
    circuit = qsim.Circuit(1, 1)
    build(circuit)
    with pytest.raises(CircuitError, match=words):
        qsim.to_qiskit(circuit)
