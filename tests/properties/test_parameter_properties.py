"""Properties of parameters: expressions, their derivatives, and the ways to give values."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import circuits, expressions, seeds

import qsim
from qsim.circuit import Circuit
from qsim.errors import GradientError, QasmError
from qsim.parameters import Parameter, ParameterExpression, ParameterVector, expression_from_json
from qsim.program.slots import SlotMap
from qsim.testing import assert_states_close

VECTOR = ParameterVector("x", 3)


def points(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2, 2, size=(rows, len(VECTOR)))


def by_name(row: np.ndarray) -> dict[str, float]:
    return {p.name: float(v) for p, v in zip(VECTOR, row, strict=True)}


def by_python(node, row: np.ndarray) -> float:
    """The value by walking the tree, with NumPy's functions and Python's arithmetic."""
    if isinstance(node, Parameter):
        return float(row[node.vector[1]])
    if not isinstance(node, ParameterExpression):
        return float(node)
    args = [by_python(a, row) for a in node._args]
    binary = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "**": lambda a, b: a**b,
    }
    if node._op in binary:
        return binary[node._op](*args)
    return -args[0] if node._op == "neg" else float(getattr(np, node._op)(args[0]))


@given(expression=expressions(VECTOR), seed=seeds)
def test_values_of_all_rows_at_once(expression, seed):
    values = points(seed, 4)
    angles = SlotMap(VECTOR, (expression,)).angles(values)
    assert angles.shape == (4, 4)
    np.testing.assert_array_equal(angles[:, :3], values)
    for row, value in zip(values, angles[:, 3], strict=True):
        assert abs(value - by_python(expression, row)) <= 1e-12 * (1 + abs(value))
        assert abs(value - expression.evaluate(by_name(row))) <= 1e-12 * (1 + abs(value))


@given(expression=expressions(VECTOR), seed=seeds)
def test_derivatives_are_slopes(expression, seed):
    values = points(seed, 2)
    mapping = SlotMap(VECTOR, (expression,))
    slots, columns, derivatives = mapping.jacobian(values)
    jacobian = np.zeros((2, 4, 3))
    for k, (slot, column) in enumerate(zip(slots, columns, strict=True)):
        jacobian[:, slot, column] = derivatives[:, k]
    np.testing.assert_array_equal(jacobian[:, :3], np.broadcast_to(np.eye(3), (2, 3, 3)))
    step = 1e-4
    for column in range(3):
        shift = np.zeros(3)
        shift[column] = step
        at = [mapping.angles(values + k * shift)[:, 3] for k in (-2, -1, 1, 2)]
        slope = (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step)
        np.testing.assert_allclose(jacobian[:, 3, column], slope, rtol=1e-6, atol=1e-6)


@given(expression=expressions(VECTOR), seed=seeds)
def test_derivatives_are_imaginary_parts(expression, seed):
    """The complex step: no cancellation, so the comparison is exact to rounding."""
    row = points(seed, 1)[0]
    slots, columns, derivatives = SlotMap(VECTOR, (expression,)).jacobian(row[None])
    got = {int(c): d for s, c, d in zip(slots, columns, derivatives[0], strict=True) if s == 3}
    for parameter in expression.parameters:
        column = parameter.vector[1]
        z = row.astype(complex)
        z[column] += 1e-30j
        slope = complex_value(expression, z).imag / 1e-30
        assert abs(got[column] - slope) <= 1e-11 * (1 + abs(slope))


@given(expression=expressions(VECTOR), seed=seeds)
def test_derivatives_are_expressions(expression, seed):
    row = points(seed, 1)[0]
    slots, columns, derivatives = SlotMap(VECTOR, (expression,)).jacobian(row[None])
    numeric = {int(c): d for s, c, d in zip(slots, columns, derivatives[0], strict=True) if s == 3}
    for column, parameter in enumerate(VECTOR):
        derivative = expression.derivative(parameter)
        assert derivative == expression.derivative(parameter.name)
        value = derivative if isinstance(derivative, float) else derivative.evaluate(by_name(row))
        expected = numeric.get(column, 0.0)
        assert abs(value - expected) <= 1e-11 * (1 + abs(expected))


def test_derivatives_by_hand():
    t, u = Parameter("t"), Parameter("u")
    assert t.derivative("t") == 1.0
    assert t.derivative(u) == 0.0
    assert (t * t * u).derivative(u) == t * t
    assert (t**2).derivative(t).derivative(t) == 2.0
    assert str((t**u).derivative(u)) == "t**u*log(t)"
    assert (t**0).derivative(t) == 0.0
    assert str((t / u).derivative(u)) == "-(t/u**2)"
    deep = t
    for _ in range(5000):
        deep = deep * 1.0001 + 0.1
    assert abs(deep.derivative(t) - 1.0001**5000) < 1e-9
    with pytest.raises(TypeError, match="`parameter` must be a Parameter or its name, but is int"):
        t.derivative(3)


def complex_value(node, row: np.ndarray) -> complex:
    if isinstance(node, Parameter):
        return complex(row[node.vector[1]])
    if not isinstance(node, ParameterExpression):
        return complex(node)
    args = [complex_value(a, row) for a in node._args]
    if node._op == "**":
        constant = node._args[1]
        if isinstance(constant, float) and constant == int(constant):  # no logarithm, no branch cut
            return args[0] ** int(constant)
        return np.exp(args[1] * np.log(args[0]))
    if node._op == "neg":
        return -args[0]
    names = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
    return complex(names.get(node._op, getattr(np, node._op, None))(*args))


@given(expression=expressions(VECTOR))
def test_expressions_round_trip(expression):
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert expression_from_json(json.loads(json.dumps(expression.to_json()))) == expression
    assert hash(pickle.loads(pickle.dumps(expression))) == hash(expression)


@given(expression=expressions(VECTOR), seed=seeds)
def test_text_is_python_of_the_expression(expression, seed):
    """What is printed evaluates to the same value."""
    row = points(seed, 1)[0]
    names = {
        name: getattr(np, name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log")
    }
    value = eval(str(expression), {**names, "sqrt": np.sqrt, "pi": np.pi, "x": row})
    assert abs(value - expression.evaluate(by_name(row))) <= 1e-9 * (1 + abs(value))


@given(circuit=circuits(parameters=3), seed=seeds)
def test_bind_then_run_is_run_with_values(backend, circuit, seed):
    values = np.random.default_rng(seed).uniform(-2, 2, size=len(circuit.parameters))
    bound = circuit.bind(values.tolist())
    assert bound.parameters == ()
    assert_states_close(
        qsim.statevector(bound, backend=backend),
        qsim.statevector(circuit, values, backend=backend),
        atol=1e-12,
    )


@given(circuit=circuits(parameters=3), seed=seeds)
def test_values_by_name_and_by_position(circuit, seed):
    rng = np.random.default_rng(seed)
    full = rng.uniform(-2, 2, size=3)
    by_position = [full[p.vector[1]] for p in circuit.parameters]
    state = qsim.statevector(circuit, by_position)
    if circuit.parameters:
        assert qsim.statevector(circuit, {"x": full}).tobytes() == state.tobytes()
        assert qsim.statevector(circuit, {VECTOR: full}).tobytes() == state.tobytes()
        each = {p: full[p.vector[1]] for p in circuit.parameters}
        assert qsim.statevector(circuit, each).tobytes() == state.tobytes()
        each = {p.name: full[p.vector[1]] for p in circuit.parameters}
        assert qsim.statevector(circuit, each).tobytes() == state.tobytes()


@given(circuit=circuits(parameters=3), seed=seeds, data=st.data())
def test_binding_in_two_steps(circuit, seed, data):
    values = dict(
        zip(circuit.parameters, np.random.default_rng(seed).uniform(-2, 2, 3).tolist(), strict=False)
    )
    first = data.draw(st.sets(st.sampled_from(circuit.parameters))) if circuit.parameters else set()
    partly = circuit.bind({p: values[p] for p in first})
    assert set(partly.parameters) == set(circuit.parameters) - set(first)
    twice = partly.bind({p: values[p] for p in partly.parameters})
    assert_states_close(qsim.statevector(twice), qsim.statevector(circuit.bind(values)), atol=1e-12)


@given(circuit=circuits(max_qubits=3, parameters=2), seed=seeds)
def test_binding_to_expressions(circuit, seed):
    """Parameters may be replaced by expressions of others."""
    y = Parameter("y")
    renamed = circuit.bind({p: qsim.sin(y) + 0.5 * k for k, p in enumerate(circuit.parameters)})
    assert renamed.parameters in ((), (y,))
    value = float(np.random.default_rng(seed).uniform(-2, 2))
    wanted = circuit.bind([np.sin(value) + 0.5 * k for k in range(len(circuit.parameters))])
    given_values = {"y": value} if renamed.parameters else None
    assert_states_close(qsim.statevector(renamed, given_values), qsim.statevector(wanted), atol=1e-12)


@given(data=st.data(), seed=seeds)
def test_broadcast_of_shared_and_batched_values(data, seed):
    """A batch of one vector with one value of another: (batch, n) beside (m,)."""
    rng = np.random.default_rng(seed)
    x, w = ParameterVector("x", 2), ParameterVector("w", 2)
    circuit = Circuit(2).rx(x[0], 0).ry(x[1] * w[0], 1).cx(0, 1).rz(w[1], 1).rx(w[0], 1)
    rows = data.draw(st.integers(1, 4))
    xs, ws = rng.uniform(-2, 2, size=(rows, 2)), rng.uniform(-2, 2, size=2)
    states = qsim.statevector(circuit, {"x": xs, "w": ws})
    for row in range(rows):
        assert_states_close(states[row], qsim.statevector(circuit, {"x": xs[row], "w": ws}), atol=1e-13)


ANGLES = [  # (y, x): every quadrant, both axes
    *((0.5, 1.0), (0.5, -1.0), (-0.5, -1.0), (-0.5, 1.0), (0.0, 2.0), (0.0, -2.0), (2.0, 0.0), (-2.0, 0.0)),
]


@pytest.mark.parametrize(("y", "x"), ANGLES)
def test_arctan2_and_its_derivatives(y, x):
    a, b = VECTOR[:2]
    expression = qsim.arctan2(2 * a, b - 1)
    values = np.array([[y / 2, x + 1, 0.0]])
    assert SlotMap(VECTOR, (expression,)).angles(values)[0, 3] == math.atan2(y, x)
    square = x * x + y * y
    slots, columns, derivatives = SlotMap(VECTOR, (expression,)).jacobian(values)
    found = {int(c): float(d) for s, c, d in zip(slots, columns, derivatives[0], strict=True) if s == 3}
    assert found == {0: pytest.approx(2 * x / square), 1: pytest.approx(-y / square)}
    for parameter, slope in zip((a, b), (2 * x / square, -y / square), strict=True):
        assert expression.derivative(parameter).evaluate(by_name(values[0])) == pytest.approx(slope)


def test_arctan2_is_an_expression_like_others():
    a, b = VECTOR[:2]
    expression = np.arctan2(a + 1, 3.0) - qsim.arctan2(1.0, b)
    assert str(expression) == "arctan2(x[0] + 1, 3) - arctan2(1, x[1])"
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert expression_from_json(json.loads(json.dumps(expression.to_json()))) == expression
    assert expression.bind({"x[0]": 2.0, "x[1]": -1.0}) == math.atan2(3, 3) - math.atan2(1, -1)
    assert qsim.arctan2(0.0, 0.0) == 0.0
    assert np.arctan2(a, np.array([1.0, 2.0]))[1] == qsim.arctan2(a, 2.0)


def test_arctan2_at_the_origin_has_a_value_and_no_derivative():
    circuit = Circuit(1).ry(qsim.arctan2(VECTOR[1], VECTOR[0]), 0)
    assert qsim.expectation(circuit, "Z0", {"x": [0.0, 0.0, 0.0]}) == 1.0
    with pytest.raises(GradientError, match="no finite derivative"):
        qsim.gradient(circuit, "Z0", {"x": [0.0, 0.0, 0.0]})


def test_arctan2_has_no_name_in_openqasm():
    with pytest.raises(QasmError, match="no function `arctan2`"):
        Circuit(1).ry(qsim.arctan2(VECTOR[1], VECTOR[0]), 0).to_qasm()
