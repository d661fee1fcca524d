"""Run-time classical values: types, arithmetic, conditions, text and JSON."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsim.classical import (
    Binary,
    Bit,
    Bits,
    Call,
    Cast,
    ClassicalType,
    Expression,
    Literal,
    Unary,
    Variable,
    as_condition,
    as_expression,
    bits_of,
    evaluate,
    from_json,
    logical_and,
    logical_not,
    logical_or,
    map_bits,
    to_json,
    to_text,
    type_of,
    variables_of,
)
from qsim.errors import ArgumentError, QubitError

X = Variable("x", "uint", 4)
Y = Variable("y", "int", 8)
A = Variable("a", "angle", 4)
F = Variable("f", "float")
B = Variable("b", "bool")
W = Variable("w", "bit", 4)


def value(expression, **variables):
    return evaluate(expression, [1, 0, 1, 1], variables)


@pytest.mark.parametrize(
    ("expression", "variables", "expected"),
    [
        (Bit(0), {}, 1),
        (Bits((0, 1, 2)), {}, 0b101),
        (Bits((2, 1, 0)), {}, 0b101),
        (Bits((1, 3)), {}, 0b10),
        (Cast("uint", 4, X + 15), {"x": 2}, 1),
        (X + 15, {"x": 2}, 17),
        (Binary("+", X, Literal(15, "uint", 4)), {"x": 2}, 1),
        (Cast("int", 8, Y - 100), {"y": -100}, 56),
        (Binary("*", Y, Literal(2, "int", 8)), {"y": 100}, -56),
        (Y / 2, {"y": -7}, -3),
        (Y % 4, {"y": -7}, -3),
        (Y**2, {"y": -7}, 49),
        (2**X, {"x": 5}, 32),
        (-Y, {"y": -128}, -128),
        (~X, {"x": 0b0101}, 0b1010),
        (~W, {"w": 0b0101}, 0b1010),
        (~Bit(0), {}, 0),
        (X << 2, {"x": 0b0111}, 0b1100),
        (X << 100, {"x": 1}, 0),
        (Y >> 1, {"y": -3}, -2),
        (W >> 1, {"w": 0b1010}, 0b0101),
        (W & Literal(0b0110, "bit", 4), {"w": 0b1010}, 0b0010),
        (W | Literal(0b0110, "bit", 4), {"w": 0b1010}, 0b1110),
        (W ^ Literal(0b0110, "bit", 4), {"w": 0b1010}, 0b1100),
        (Bit(0) ^ Bit(1), {}, 1),
        (Bit(0) + Bit(2), {}, 2),
        (Y < 0, {"y": -1}, True),
        (X >= 3, {"x": 3}, True),
        (Binary("<", Y, X), {"y": -1, "x": 3}, True),
        (Binary("<", Variable("s", "int", 4), X), {"s": -1, "x": 3}, False),  # as in C: -1 becomes 15
        (X.eq(3), {"x": 3}, True),
        (X.ne(3), {"x": 3}, False),
        (F.eq(0.5), {"f": 0.5}, True),
        (logical_and(B, X < 2), {"b": True, "x": 5}, False),
        (logical_or(B, X < 2), {"b": False, "x": 1}, True),
        (logical_not(B), {"b": False}, True),
        (X[0], {"x": 0b0110}, 0),
        (X[-2], {"x": 0b0110}, 1),
        (Bits((0, 1, 2))[2], {}, 1),
        (Call("popcount", (W,)), {"w": 0b1011}, 3),
        (Call("rotl", (W, Literal(1))), {"w": 0b1001}, 0b0011),
        (Call("rotr", (W, Literal(1))), {"w": 0b1001}, 0b1100),
        (Call("rotl", (X, Literal(-1))), {"x": 0b1001}, 0b1100),
        (Call("mod", (Y, Literal(5))), {"y": 13}, 3),
        (Call("pow", (F, Literal(0.5))), {"f": 4.0}, 2.0),
        (Call("floor", (F,)), {"f": -1.5}, -2.0),
        (Call("ceiling", (F,)), {"f": -1.5}, -1.0),
        (Cast("bool", None, X), {"x": 2}, True),
        (Cast("int", 8, F), {"f": -2.9}, -2),
        (Cast("uint", 8, Y), {"y": -1}, 255),
        (Cast("float", 32, F), {"f": 0.1}, float(np.float32(0.1))),
        (Cast("bit", 4, Cast("uint", 4, Y)), {"y": -1}, 15),
        (X * 1.5, {"x": 3}, 4.5),
        (1 / F, {"f": 4.0}, 0.25),
    ],
)
def test_value(expression, variables, expected):
    result = value(expression, **variables)
    assert result == expected
    assert isinstance(result, float) == isinstance(expected, float)


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        (A + math.pi, 9 + 8),
        (A - math.pi, 9 - 8),
        (-A, -9),
        (A * 2, 18),
        (Literal(3) * A, 27),
        (A / 2, 4),
        (A << 2, 0b0100),
        (A >> 2, 0b0010),
        (~A, ~9),
        (Binary("|", A, Literal(math.pi / 2, "angle", 4)), 13),
        (Call("rotl", (A, Literal(1))), 0b0011),
        (Cast("angle", 4, Literal(0b1001, "bit", 4)), 9),
        (Cast("angle", 4, Literal(2.0 * math.pi + 0.01)), 0),
    ],
)
def test_angles_are_fixed_point_numbers_on_a_circle(expression, ticks):
    assert value(expression, a=9 * math.pi / 8) == (ticks % 16) * math.pi / 8


def test_angle_of_no_size_keeps_its_value_and_wraps():
    assert value(Cast("angle", None, F), f=0.3) == 0.3
    assert value(Cast("angle", None, F), f=-0.5) == pytest.approx(2 * math.pi - 0.5, abs=1e-15)
    assert 0.0 <= value(Cast("angle", None, F), f=-1e-30) < 2 * math.pi


def test_angle_rounds_ties_to_even():
    half_tick = math.pi / 16
    assert value(Cast("angle", 4, F), f=half_tick) == 0.0
    assert value(Cast("angle", 4, F), f=3 * half_tick) == math.pi / 4


def test_angle_ratio_and_bits():
    assert value(Binary("/", A, Literal(math.pi / 8, "angle", 4)), a=10 * math.pi / 8) == 10
    assert type_of(A / Literal(1.0, "angle", 4)) == ClassicalType("uint", 4)
    assert value(Cast("bit", 4, A), a=9 * math.pi / 8) == 0b1001
    assert value(Call("sin", (A,)), a=math.pi / 2) == 1.0


@given(st.integers(), st.integers(), st.integers(1, 70), st.sampled_from("+-*&|^"))
def test_sized_integers_equal_python_modulo_their_range(a, b, size, op):
    left, right = Literal(a, "uint", size), Literal(b, "uint", size)
    python = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[op]
    assert evaluate(Binary(op, left, right), []) == python % (1 << size)
    signed = evaluate(Binary(op, Literal(a, "int", size), Literal(b, "int", size)), [])
    assert (signed - python) % (1 << size) == 0 and -(1 << size) <= 2 * signed < 1 << size


@given(st.integers(-1000, 1000), st.integers(-1000, 1000).filter(bool))
def test_division_truncates_and_the_remainder_fits(a, b):
    quotient = evaluate(Binary("/", Literal(a), Literal(b)), [])
    remainder = evaluate(Binary("%", Literal(a), Literal(b)), [])
    assert quotient == math.trunc(a / b) and quotient * b + remainder == a


@given(st.floats(-50, 50), st.integers(1, 40))
def test_cast_to_a_sized_angle_is_the_nearest_one(x, size):
    result = evaluate(Cast("angle", size, Literal(x)), [])
    assert 0.0 <= result < 2 * math.pi
    distance = abs(math.remainder(result - x, 2 * math.pi))
    assert distance <= math.pi / (1 << size) + 1e-12


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (X / 0, "must not be zero"),
        (X % Literal(0), "must not be zero"),
        (F / 0.0, "must not be zero"),
        (A / 0, "must not be zero"),
        (X << -1, "shift of at least 0"),
        (Y ** Literal(-1), "exponent of at least 0"),
        (Literal(2) ** Literal(64), "overflows"),
        (Literal(2**62) + Literal(2**62), "overflows"),
        (Literal(2**62) * Literal(4), "overflows"),
        (Literal(1) << Literal(63), "overflows"),
        (Call("sqrt", (F * -1.0,)), "no real value"),
        (Call("log", (F * 0.0,)), "no real value"),
        (Call("exp", (F * 1000.0,)), "no real value"),
        (F**0.5 * 1e308 * 1e308, "finite"),
        (X[4], "out of range"),
        (X[-5], "out of range"),
        (Variable("unset", "int") + 1, "before it has a value"),
        (Cast("bit", None, X), "must be 0 or 1"),
        (Cast("float", 16, F * 1e6), "too large"),
    ],
)
def test_values_that_do_not_exist(expression, text):
    with pytest.raises(ArgumentError, match=text):
        value(expression, x=2, y=3, f=1.0, a=1.0)


@pytest.mark.parametrize(
    "expression",
    [
        F & 1,
        B << 1,
        A & X,
        A * A,
        A + W,
        A + 1,
        ~F,
        ~Variable("n", "int"),
        Cast("int", 8, A),
        Cast("bit", 4, F),
        Cast("bit", 5, A),
        Binary("&", W, Bits((0, 1))),
        Variable("n", "int")[0],
        X[F],
        F[0],
        X << F,
        A % 2,
        Call("popcount", (F,)),
        Call("rotl", (W, F)),
    ],
    ids=str,
)
def test_types_that_do_not_fit(expression):
    with pytest.raises(ArgumentError):
        type_of(expression)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Bit(-1), QubitError),
        (lambda: Bit(1.5), TypeError),
        (lambda: Bit(True), TypeError),
        (lambda: Bits(()), ArgumentError),
        (lambda: Variable("", "int"), ArgumentError),
        (lambda: Variable("x", "short"), ArgumentError),
        (lambda: Variable("x", "int", 0), ArgumentError),
        (lambda: Variable("x", "float", 13), ArgumentError),
        (lambda: Variable("x", "bool", 3), ArgumentError),
        (lambda: Variable("x", "int", 2.0), TypeError),
        (lambda: Literal("1"), TypeError),
        (lambda: Literal(math.nan), ArgumentError),
        (lambda: Literal(2**64), ArgumentError),
        (lambda: Unary("+", X), ArgumentError),
        (lambda: Binary("<>", X, X), ArgumentError),
        (lambda: Binary("+", X, "1"), TypeError),
        (lambda: Call("sinh", (F,)), ArgumentError),
        (lambda: Call("mod", (F,)), ArgumentError),
        (lambda: as_expression(None), TypeError),
        (lambda: X + "1", TypeError),
        (lambda: bool(X), TypeError),
        (lambda: list(X), TypeError),
        (lambda: from_json(["bit"]), ArgumentError),
        (lambda: from_json({"a": 1}), ArgumentError),
    ],
)
def test_nodes_that_cannot_be_made(make, error):
    with pytest.raises(error):
        make()


@pytest.mark.parametrize(
    ("condition", "expected", "bits"),
    [
        ((0, 1), Bit(0), [1]),
        ((0, 0), Unary("!", Bit(0)), [1]),
        ((np.int64(1), True), Bit(1), [0, 1]),
        (((0, 1), 2), Binary("==", Bits((0, 1)), Literal(2)), [0, 1]),
        (([0, 1], 2), Binary("==", Bits((0, 1)), Literal(2)), [0, 1]),
        ((Bit(1), 1), Bit(1), [0, 1]),
        (Bit(1), Bit(1), [0, 1]),
        (X > 3, X > 3, []),
    ],
)
def test_condition(condition, expected, bits):
    assert as_condition(condition, 2) == expected


@pytest.mark.parametrize(
    ("condition", "error", "text"),
    [
        (
            (2, 1),
            QubitError,
            "bit 2 is out of range for a circuit of 2 classical bits .valid: 0 to 1",
        ),
        (Bit(7), QubitError, "out of range"),
        ((0, 2), ArgumentError, "must be 0 to 1, but is 2"),
        (((0, 1), 4), ArgumentError, "must be 0 to 3, but is 4"),
        ((0, -1), ArgumentError, "but is -1"),
        ((0, 1.0), TypeError, "must be an int"),
        (("0", 1), TypeError, "must be an int"),
        ((X, 1), TypeError, "write x.eq"),
        (True, TypeError, "A condition must be"),
        (F & 1, ArgumentError, "does not apply"),
    ],
)
def test_condition_that_is_refused(condition, error, text):
    with pytest.raises(error, match=text):
        as_condition(condition, 2)


EXPRESSIONS: list[Expression] = [
    Bit(3),
    Bits((2, 0, 1)),
    X,
    Literal(3),
    Literal(True),
    Literal(2.5),
    Literal(5, "uint", 3),
    Literal(1, "bit"),
    Literal(5, "bit", 4),
    -(X + 1) * 2,
    logical_or(logical_and(B, Bit(1)), logical_not(X < 3)),
    Cast("angle", 8, F / 3),
    Call("rotl", (W, X)),
    W[X + 1],
    (X & 3) | (X ^ 1),
    2 ** (-Y) % 5,
    (F**2) ** 0.5,
    F ** (F**2),
    -(F**2),
    (-F) ** 2,
    X - (X - 1),
    X << (1 + X),
    ~(W & W),
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_json_pickle_copy_and_hash(expression):
    assert from_json(to_json(expression)) == expression
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert copy.deepcopy(expression) == expression
    assert hash(from_json(to_json(expression))) == hash(expression)
    assert expression.type == type_of(expression)


def test_constants_of_different_types_differ():
    assert len({Literal(1), Literal(True), Literal(1.0), Literal(1, "uint", 4)}) == 4


def test_text():
    assert to_text(X + 2 * Y) == "x + 2 * y"
    assert to_text((X + 2) * Y) == "(x + 2) * y"
    assert to_text(X - (Y - 1)) == "x - (y - 1)"
    assert to_text((F**2) ** 0.5) == "(f ** 2) ** 0.5"
    assert to_text(logical_not(Bits((0, 2)).eq(3))) == "!(c[{0, 2}] == 3)"
    assert to_text(Literal(5, "bit", 4)) == '"0101"'
    assert to_text(Bit(1), bit=lambda i: f"m{i}") == "m1"


def test_walking():
    expression = logical_and(Bits((3, 1)).eq(2), Bit(1)) ^ (
        Cast("int", 4, Call("popcount", (Bits((5,)),))) > X
    )
    assert bits_of(expression) == (3, 1, 5)
    assert variables_of(expression) == (X,)
    assert bits_of(map_bits(expression, lambda i: i + 10)) == (13, 11, 15)
    assert variables_of(map_bits(expression, lambda i: i + 10)) == (X,)


def test_right_side_of_a_decided_condition_is_not_evaluated():
    undefined = Variable("u", "int") / 0
    assert value(logical_and(Bit(1), undefined)) is False
    assert value(logical_or(Bit(0), undefined)) is True
