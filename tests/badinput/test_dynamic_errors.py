"""Bad arguments of measurement, reset, channels and classical control."""

from __future__ import annotations

import math

import numpy as np
from badinput_helpers import Case, cases, check_case, each_case

import qsim
from qsim.circuit import Circuit
from qsim.classical import Bit
from qsim.errors import ArgumentError, CircuitError, MemoryBudgetError, ParameterError, QubitError
from qsim.operations import Delay, IfElse, Kraus

NAN, INF = math.nan, math.inf


def two() -> Circuit:
    return Circuit(2, 2)


def flip() -> Circuit:
    return Circuit(2, 2).x(0)


def loop(body=None) -> Circuit:
    return two().while_loop((0, 0), flip() if body is None else body)


def declared(**options):
    return lambda: Circuit(1).declare("n", **options)


MEASURE = cases(
    ("measure-2d", lambda: two().measure(np.zeros((1, 2), int), [0, 1]), TypeError, "Qubit must be an int"),
    ("measure-str", lambda: two().measure("0", 0), TypeError, "Qubit must be an int"),
    ("measure-dict", lambda: two().measure({"a": 0}, [0]), TypeError, "Qubit must be an int"),
    ("measure-clbits-none", lambda: two().measure(0, None), TypeError, "Classical bit must be an int"),
    ("measure-clbits-long", lambda: two().measure(0, [0, 1]), CircuitError, "must be equally many"),
    ("measure-pauli-letters", lambda: two().measure_pauli("AB", [0, 1], 0), ArgumentError, "only I, X, Y, Z"),
    ("measure-pauli-length", lambda: two().measure_pauli("X", [0, 1], 0), CircuitError, "`label` must be 2"),
    ("measure-pauli-type", lambda: two().measure_pauli(5, [0, 1], 0), TypeError, "`label` must be a str"),
    ("measure-pauli-bit", lambda: two().measure_pauli("X", 0, 7), QubitError, "Classical bit 7 is out"),
    ("measure-all-huge", lambda: Circuit(10**9).measure_all(), ArgumentError, "`num_qubits` must be at most"),
    ("reset-none", lambda: two().reset(None), TypeError, "Qubit must be an int"),
    ("reset-float", lambda: two().reset(0.5), TypeError, "Qubit must be an int"),
    ("barrier-twice", lambda: two().barrier([1, 1]), QubitError, "Qubit 1 is named twice"),
    ("barrier-none", lambda: two().barrier(None), TypeError, "Qubit must be an int"),
    ("delay-str", lambda: two().delay("1", 0), TypeError, "Argument `duration` must be"),
    ("delay-bool", lambda: two().delay(True, 0), TypeError, "Argument `duration` must be"),
    ("delay-none", lambda: two().delay(None, 0), TypeError, "Argument `duration` must be"),
    ("delay-inf", lambda: two().delay(INF, 0), ArgumentError, "Argument `duration` must be"),
    ("delay-unit-none", lambda: two().delay(1, 0, None), ArgumentError, "Argument `unit` must be one of"),
    ("delay-qubit", lambda: two().delay(1, 9), QubitError, "Qubit 9 is out of range"),
    ("delay-operation", lambda: two().append_operation(Delay(1.0, "s", (4,))), QubitError, "Qubit 4 is out"),
    ("kraus-none", lambda: two().kraus(None, 0), TypeError, "Argument `matrices` must be"),
    ("kraus-number", lambda: two().kraus(1.0, 0), TypeError, "Argument `matrices` must be"),
    ("kraus-str", lambda: two().kraus("ab", 0), TypeError, "Argument `matrices` must be"),
    ("kraus-nan", lambda: two().kraus([[[NAN, 0], [0, 1]]], 0), ArgumentError, "`matrices` must be finite"),
    ("kraus-qubits", lambda: two().kraus([np.eye(4)], [0, 0]), QubitError, "Qubit 0 is named twice"),
    ("kraus-too-much", lambda: two().kraus([np.eye(2), np.eye(2)], 0), ArgumentError, "preserve the trace"),
    ("kraus-operation", lambda: Circuit(1).append_operation(Kraus([np.eye(2)], (3,))), QubitError, "Qubit 3"),
    ("initialize-qubit", lambda: two().initialize([1, 0], 5), QubitError, "Qubit 5 is out of range"),
)

CONTROL = cases(
    ("if-none", lambda: two().if_else(None, flip()), TypeError, "condition must be"),
    ("if-str", lambda: two().if_else("c == 1", flip()), TypeError, "condition must be"),
    ("if-bool", lambda: two().if_else(True, flip()), TypeError, "condition must be"),
    ("if-compared", lambda: two().if_else(Bit(0) == 1, flip()), TypeError, "write a.eq(b) or a.ne(b)"),
    ("if-short", lambda: two().if_else((0,), flip()), TypeError, "condition must be"),
    (
        "if-float-value",
        lambda: two().if_else((0, 1.0), flip()),
        TypeError,
        "value of a condition must be an int",
    ),
    ("if-none-value", lambda: two().if_else((0, None), flip()), TypeError, "value of a condition must be"),
    ("if-negative", lambda: two().if_else(([0, 1], -1), flip()), ArgumentError, "0 to 3, but is -1"),
    ("if-large", lambda: two().if_else(([0, 1], 4), flip()), ArgumentError, "0 to 3, but is 4"),
    (
        "if-bits-none-there",
        lambda: Circuit(1).if_else((0, 1), Circuit(1)),
        QubitError,
        "Classical bit 0 is out",
    ),
    ("if-body-none", lambda: two().if_else((0, 1), None), TypeError, "body must be a Circuit"),
    ("if-else-int", lambda: two().if_else((0, 1), flip(), 3), TypeError, "body must be a Circuit"),
    ("if-else-large", lambda: two().if_else((0, 1), flip(), Circuit(3)), CircuitError, "body has 3 qubits"),
    (
        "if-operation",
        lambda: Circuit(1).append_operation(IfElse(Bit(0), 3)),
        TypeError,
        "body must be a Circuit",
    ),
    ("while-body", lambda: two().while_loop((0, 1), None), TypeError, "body must be a Circuit"),
    ("while-condition", lambda: two().while_loop(1.5, flip()), TypeError, "condition must be"),
    ("for-none", lambda: two().for_loop(None, flip()), TypeError, "Argument `values` must be"),
    ("for-int", lambda: two().for_loop(3, flip()), TypeError, "Argument `values` must be"),
    ("for-str", lambda: two().for_loop("ab", flip()), TypeError, "Argument `values` must"),
    ("for-nan", lambda: two().for_loop([0, NAN], flip()), ArgumentError, "Argument `values` must"),
    ("for-objects", lambda: two().for_loop([None], flip()), TypeError, "Argument `values` must"),
    ("for-variable", lambda: two().for_loop([0], flip(), "n"), TypeError, "Argument `variable` must be"),
    ("for-body", lambda: two().for_loop([0], None), TypeError, "body must be a Circuit"),
    ("switch-bit", lambda: two().switch(5, {0: flip()}), QubitError, "Classical bit 5 is out of range"),
    ("switch-none", lambda: two().switch(None, {0: flip()}), TypeError, "Classical bit must be an int"),
    ("switch-cases-none", lambda: two().switch(0, None), TypeError, "Argument `cases` must be"),
    ("switch-cases-int", lambda: two().switch(0, 3), TypeError, "Argument `cases` must be"),
    ("switch-cases-list", lambda: two().switch(0, [3]), TypeError, "Argument `cases` must be"),
    ("switch-value", lambda: two().switch(0, {"a": flip()}), TypeError, "case must be an int"),
    ("switch-float", lambda: two().switch(0, {0.5: flip()}), TypeError, "case must be an int"),
    (
        "switch-twice",
        lambda: two().switch(0, [(0, flip()), (0, flip())]),
        CircuitError,
        "Case 0 is named twice",
    ),
    ("switch-body", lambda: two().switch(0, {0: None}), TypeError, "body must be a Circuit"),
    ("switch-default", lambda: two().switch(0, {0: flip()}, 3), TypeError, "body must be a Circuit"),
    ("assign-target", lambda: two().assign("n", 1), TypeError, "Argument `target` must be"),
    ("assign-none", lambda: two().assign(None, 1), TypeError, "Argument `target` must be"),
    ("assign-bool", lambda: two().assign(True, 1), TypeError, "must be"),
    ("assign-value", lambda: two().assign(0, "a"), TypeError, "must be"),
    ("assign-nan", lambda: two().assign(0, NAN), ArgumentError, "must be finite"),
    (
        "break-outside",
        lambda: qsim.compile(two().break_loop()),
        CircuitError,
        "`break` must stand inside a loop",
    ),
    ("continue-outside", lambda: qsim.compile(two().continue_loop()), CircuitError, "`continue` must stand"),
    (
        "declare-name-int",
        lambda: Circuit(1).declare(3),
        TypeError,
        "Argument `name` must be a str, but is int",
    ),
    ("declare-name-empty", lambda: Circuit(1).declare(""), ArgumentError, "name"),
    ("declare-kind-none", declared(kind=None), TypeError, "Argument `kind` must be a str"),
    ("declare-bool-size", declared(kind="bool", size=32), ArgumentError, "A bool has no size"),
    ("declare-size-zero", declared(size=0), ArgumentError, "must be 1 to"),
    ("declare-size-huge", declared(size=10**9), ArgumentError, "must be 1 to"),
    ("declare-size-float", declared(size=1.5), TypeError, "size of a classical type must be an int"),
    ("declare-initial-nan", declared(kind="float", size=64, initial=NAN), ArgumentError, "must be finite"),
    ("declare-initial-str", declared(initial="a"), TypeError, "must be"),
    ("declare-initial-none", declared(initial=[1]), TypeError, "must be"),
)


RUN = cases(
    (
        "sample-clbits-memory",
        lambda: qsim.sample(Circuit(1, 10**6).h(0).measure(0, 5), shots=10**7),
        MemoryBudgetError,
        "Argument `shots` is 10000000",
    ),
    (
        "run-time-overflow",
        lambda: qsim.distribution(run_time_angle(1e308)),
        ParameterError,
        "A parameter of gate `rx` must be at most 1e+100",
    ),
)


def run_time_angle(value: float) -> Circuit:
    circuit = Circuit(1, 1)
    angle = circuit.declare("a", "float", 64, initial=value)
    return circuit.rx(angle * 1.0, 0).measure(0, 0)


CASES = MEASURE + CONTROL + RUN


@each_case(CASES)
def test_refused(case: Case) -> None:
    check_case(case)
