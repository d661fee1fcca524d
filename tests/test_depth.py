"""Long sums, shared sub-expressions and deep nesting: no walk over them may run out of stack or time."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest

import qsim
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError, ParameterError, QasmError
from qsim.parameters import Parameter, ParameterVector
from qsim.user_gates import MAX_NESTING

TERMS = 3000
X = ParameterVector("x", TERMS)
VALUES = np.linspace(-1, 1, TERMS)


def long_sum(function):
    total = 0.0
    for x in X:
        total = total + function(x)
    return total


SUMS = {
    "linear": (long_sum(lambda x: x), VALUES.sum()),
    "sines": (long_sum(qsim.sin), np.sin(VALUES).sum()),
    "one parameter": (sum([X[1]] * TERMS), TERMS * VALUES[1]),
}


@pytest.mark.parametrize("expression, wanted", SUMS.values(), ids=SUMS)
def test_long_sums(expression, wanted):
    circuit = Circuit(1).rx(expression, 0)
    values = {p.name: VALUES[p.vector[1]] for p in circuit.parameters}
    found = qsim.expectation(circuit, "Z0", np.array(list(values.values())))
    assert found == pytest.approx(np.cos(wanted), abs=1e-9)
    assert expression.evaluate(values) == pytest.approx(wanted, abs=1e-9)
    assert circuit.bind(values).operations[0].params[0] == pytest.approx(wanted, abs=1e-9)
    for again in (pickle.loads(pickle.dumps(circuit)), Circuit.from_json(circuit.to_json())):
        assert again == circuit
        assert again is not circuit
    assert pickle.loads(pickle.dumps(expression)).parameters[0].vector_length == TERMS
    assert str(expression).count("x[") == TERMS
    assert hash(expression) == hash(pickle.loads(pickle.dumps(expression)))
    assert expression != expression + X[0]
    with pytest.raises(QasmError, match="nested too deeply"):
        circuit.to_qasm()


def test_parameters_come_in_order_of_appearance():
    """The order of the columns of an array of values, whichever walk finds it."""
    a, b, c = (Parameter(name) for name in "bca")
    for expression in (a + b * c, (a * b) ** c, qsim.sin(a) - (b - 2 * c) + a):
        assert expression.parameters == (a, b, c)
        assert Circuit(1).rx(expression, 0).parameters == (a, b, c)
        long = expression
        for _ in range(200):
            long = 0.5 + long * 1.01
        assert long.parameters == (a, b, c)
        assert pickle.loads(pickle.dumps(long)).parameters == (a, b, c)


def test_affine_expressions_are_recognised_at_any_depth():
    x = Parameter("x")
    for turns in (1, 3, 10, 1000):
        expression, scale, shift = x, 1.0, 0.0
        for _ in range(turns):
            expression, scale, shift = (
                1.5 - (expression - 0.25) / 1.25,
                -scale / 1.25,
                1.5 - (shift - 0.25) / 1.25,
            )
        found = expression.affine()
        assert found[0] == x
        np.testing.assert_allclose(found[1:], (scale, shift), rtol=1e-12, atol=1e-300)
        assert (expression * qsim.sin(x)).affine() is None
    assert (x + Parameter("y")).affine() is None
    assert (x * x).affine() is None
    assert (1 / x).affine() is None


def test_long_sums_keep_their_derivatives():
    program = qsim.compile(Circuit(1).rx(SUMS["sines"][0], 0))
    slots, columns, derivatives = program._slots.jacobian(VALUES[None])
    np.testing.assert_allclose(derivatives[0][slots == TERMS], np.cos(VALUES), atol=1e-12)
    assert columns[slots == TERMS].tolist() == list(range(TERMS))


def test_shared_sub_expressions_are_visited_once():
    """Used twice, sixty times over: a walk along every path would never end."""
    start = time.perf_counter()
    expression = Parameter("t")
    for _ in range(60):
        expression = qsim.sin(expression) + expression * 0.0001 + qsim.cos(expression)
    circuit = Circuit(1).rx(expression, 0)
    again = pickle.loads(pickle.dumps(circuit))
    assert again == circuit == Circuit.from_json(circuit.to_json())
    assert len(str(expression)) < 100
    value = 0.3
    for _ in range(60):
        value = np.sin(value) + value * 0.0001 + np.cos(value)
    assert expression.evaluate({"t": 0.3}) == pytest.approx(value, abs=1e-12)
    assert qsim.expectation(again, "Z0", [0.3]) == pytest.approx(np.cos(value), abs=1e-9)
    assert time.perf_counter() - start < 10


def test_numbers_and_places_are_told_apart():
    """The second node of a plan and the number 1.0 are different arguments."""
    a, b = Parameter("a"), Parameter("b")
    circuit = Circuit(1).rx(a * b, 0).rz(qsim.sin(a + b), 0).ry(qsim.sin(a + 1.0), 0)
    values = {"a": 0.4, "b": 0.9}
    np.testing.assert_allclose(
        qsim.statevector(circuit, values), qsim.statevector(circuit.bind(values)), atol=1e-14
    )


@pytest.mark.parametrize(
    "data", [["nodes", []], ["nodes", [["node", 0]]], ["+", 1.0], ["sin"], ["node", 0], []]
)
def test_bad_json_of_expressions(data):
    text = Circuit(1).rx(qsim.sin(Parameter("a")), 0).to_json()
    import json

    circuit = json.loads(text)
    circuit["operations"][0]["params"] = [data]
    with pytest.raises(ArgumentError, match="must be a parameter expression"):
        Circuit.from_json(json.dumps(circuit))


def nested_gate(depth: int) -> Circuit:
    circuit = Circuit(1).h(0)
    for _ in range(depth):
        circuit = Circuit(1).append(circuit, (), 0)
    return circuit


def nested_body(depth: int) -> Circuit:
    circuit = Circuit(1, 1).x(0).measure(0, 0)
    for _ in range(depth):
        circuit = Circuit(1, 1).if_else((0, 0), circuit)
    return circuit


def test_nesting_up_to_the_limit():
    gate = nested_gate(MAX_NESTING)
    np.testing.assert_allclose(qsim.statevector(gate), [0.5**0.5] * 2, atol=1e-15)
    np.testing.assert_allclose(gate.inverse().matrix(), Circuit(1).h(0).matrix(), atol=1e-15)
    body = nested_body(MAX_NESTING)
    assert qsim.distribution(body) == {"1": 1.0}
    assert body.depth() == 1
    for circuit in (gate, body):
        assert pickle.loads(pickle.dumps(circuit)) == circuit
        assert Circuit.from_json(circuit.to_json()) == circuit
        assert str(circuit)


def test_nesting_beyond_the_limit_is_refused():
    with pytest.raises(CircuitError, match=r"Gates must be nested at most 64 deep\. Use compose"):
        nested_gate(MAX_NESTING + 1)
    with pytest.raises(CircuitError, match="Bodies must be nested at most 64 deep"):
        nested_body(MAX_NESTING + 1)
    with pytest.raises(ArgumentError, match="nested too deeply"):
        Circuit.from_json("[" * 100_000 + "]" * 100_000)


def test_expressions_that_overflow_name_themselves():
    tower = Parameter("t")
    for _ in range(10):
        tower = qsim.exp(tower)
    with pytest.raises(ParameterError, match=r"`exp\(exp\(.* must be finite, but is inf"):
        qsim.statevector(Circuit(1).rx(tower, 0), [1.0])


def test_division_by_zero_is_reported_when_the_values_are_bound():
    circuit = Circuit(1).rx(Parameter("x") / 0, 0)
    with pytest.raises(ParameterError, match="must be finite"):
        qsim.statevector(circuit, [1.0])
