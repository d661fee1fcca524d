"""Malformed and unsupported programs: each a QasmError with its place and its construct."""

from __future__ import annotations

import pickle

import pytest
from qasm_helpers import HEADER2, HEADER3

from qsim.errors import ArgumentError, QasmError
from qsim.io import dumps, load, loads

#: (text after a header of two lines, line, column, construct, part of the message)
VERSION_2 = [
    ("qreg q[1]", 3, 10, "end of file", "Expected `;` after the register, but found the end of the file"),
    ("qreg q[1]; h q[1];", 3, 16, "q", "Index 1 is out of range for register `q` (valid: 0 to 0)"),
    ("qreg q[1]; h q[-1];", 3, 16, "-", "Expected an index, but found `-`"),
    ("qreg q[1]; h q[0.5];", 3, 16, "0.5", "Expected an index, but found `0.5`"),
    ("qreg q[1]; h r;", 3, 14, "r", "Expected a quantum register, but `r` is not defined"),
    ("creg c[1]; h c;", 3, 14, "c", "`c` is a classical register"),
    ("qreg q[1];\n  foo q;", 4, 3, "foo", "Gate `foo` is not defined"),
    ("qreg q[2]; ising_xy(1) q[0],q[1];", 3, 12, "ising_xy", "declare it with `opaque ising_xy ...;`"),
    ("qreg q[2]; cnot q[0],q[1];", 3, 12, "cnot", "Gate `cnot` is not defined (did you mean `cx`?)"),
    ("qreg q[1]; PauliX q[0];", 3, 12, "PauliX", "is not defined (did you mean `x`?)"),
    ("qreg q[1]; qreg q[2];", 3, 17, "q", "Name `q` is defined already"),
    ("qreg q[1]; creg q[2];", 3, 17, "q", "Name `q` is defined already"),
    ("qreg gate[1];", 3, 6, "gate", "`gate` is a keyword"),
    ("qreg 1q[1];", 3, 6, "1", "Expected the name of a register, but found `1`"),
    ("qreg q[1000000000];", 3, 6, "qreg", "has 1000000000 qubits, but a program may have at most 100000"),
    ("creg c[99999999999999999999999];", 3, 6, "creg", "a program may have at most 1000000"),
    ("qreg q[" + "9" * 400 + "];", 3, 8, "integer", "more than 300 digits"),
    ("qreg q[1]; rx q;", 3, 12, "rx", "Gate `rx` takes 1 parameter, but got 0"),
    ("qreg q[1]; rx(1,2) q;", 3, 12, "rx", "takes 1 parameter, but got 2"),
    ("qreg q[1]; h(1) q;", 3, 12, "h", "takes 0 parameters, but got 1"),
    ("qreg q[1]; cx q;", 3, 12, "cx", "Gate `cx` takes 2 qubits, but got 1"),
    ("qreg q[2]; h q[0],q[1];", 3, 12, "h", "takes 1 qubit, but got 2"),
    ("qreg q[2]; cx q[0],q[0];", 3, 12, "cx", "Qubit 0 of the circuit is used twice"),
    ("qreg q[2]; cx q[1],q;", 3, 12, "cx", "used twice"),
    ("qreg q[2]; qreg r[3]; cx q,r;", 3, 23, "cx", "must have the same size, but have 2 and 3"),
    ("qreg q[1]; rx(1/0) q;", 3, 12, "/", "divides by zero"),
    ("qreg q[1]; rx(ln(0)) q;", 3, 12, "parameter", "not a finite real number"),
    ("qreg q[1]; rx((-1)^0.5) q;", 3, 12, "parameter", "not a finite real number"),
    ("qreg q[1]; rx(9^9^9^9) q;", 3, 12, "parameter", "not a finite real number"),
    ("qreg q[1]; rx(1e999) q;", 3, 15, "number", "too large"),
    ("qreg q[1]; rx(theta) q;", 3, 12, "theta", "Name `theta` is not a parameter"),
    ("qreg q[1]; rx(sin()) q;", 3, 15, "sin", "Function `sin` takes 1 argument, but got 0"),
    ("qreg q[1]; rx(-sin(1, 2)) q;", 3, 16, "sin", "Function `sin` takes 1 argument, but got 2"),
    ("qreg q[1]; rx(arc(1)) q;", 3, 15, "arc", "Unknown function `arc`"),
    ("qreg q[1]; rx(1+) q;", 3, 17, ")", "Expected an expression, but found `)`"),
    ("qreg q[1]; rx((1) q;", 3, 19, "q", "Expected `)`, but found `q`"),
    ("qreg q[1]; rx(" + "(" * 500 + "1" + ")" * 500 + ") q;", 3, 75, "expression", "nested more than"),
    ("qreg q[1]; rx(" + "-" * 500 + "1) q;", 3, 75, "expression", "nested more than"),
    ("qreg q[1]; rx(1" + "+1" * 5000 + ") q;", 3, 334, "expression", "nested operators"),
    ("qreg q[1]; rx(0x10) q;", 3, 15, "number", "`0x10` is not a number"),
    ("qreg q[1]; rx(1 2) q;", 3, 17, "2", "Expected `)`"),
    ("qreg q[1]; h q[0] q[0];", 3, 19, "q", "Expected `;` after a gate"),
    ("qreg q[2]; creg c[1]; measure q -> c;", 3, 23, "measure", "as many classical bits as qubits"),
    ("qreg q[1]; measure q;", 3, 21, ";", "Expected `->`"),
    ("qreg q[1]; measure q -> q;", 3, 25, "q", "Expected a classical register, but `q` is a quantum"),
    ("qreg q[1]; reset;", 3, 17, ";", "Expected a quantum register"),
    ("qreg q[2]; barrier q, q[0];", 3, 12, "barrier", "names a qubit twice"),
    ("qreg q[1]; creg c[1]; if (c[0]==1) x q;", 3, 27, "if", "must be on a whole register"),
    ("qreg q[1]; creg c[1]; if (c=1) x q;", 3, 28, "=", "Expected `==`"),
    ("qreg q[1]; creg c[1]; if (q==1) x q;", 3, 27, "q", "Expected a classical register"),
    ("qreg q[1]; creg c[1]; if (c==1) barrier q;", 3, 33, "if", "Expected a gate, measure or reset"),
    ("qreg q[1]; creg c[1]; if (c==1) if (c==1) x q;", 3, 33, "if", "Expected a gate, measure or reset"),
    ("gate g a { h b; }", 3, 14, "b", "`b` is not a qubit of gate `g`"),
    ("gate g a { h a[0]; }", 3, 15, "g", "cannot be indexed"),
    ("gate g a { g a; }", 3, 12, "g", "Gate `g` calls itself"),
    ("gate g a { later a; } gate later a { }", 3, 12, "later", "Gate `later` is not defined"),
    ("gate g a { reset a; }", 3, 12, "reset", "Expected a gate or `}` in gate `g`"),
    ("gate g(t) a { rx(u) a; }", 3, 18, "u", "Name `u` is not a parameter"),
    ("gate g(t) a { rx(sinh(t)) a; }", 3, 18, "sinh", "Unknown function `sinh` (known: cos, exp, ln"),
    ("gate g(t) a { rx(sin(t,t)) a; }", 3, 18, "sin", "takes 1 argument, but got 2"),
    ("gate g(t,t) a { }", 3, 6, "g", "two arguments named `t`"),
    ("gate g a,a { }", 3, 6, "g", "two arguments named `a`"),
    ("gate g a { cx a,a; }", 3, 12, "cx", "uses a qubit twice"),
    ("gate g a { h a; ", 3, 17, "", "but found the end of the file"),
    ("gate g a { } gate g b { }", 3, 19, "g", "Name `g` is defined already"),
    ("gate U a { }", 3, 6, "U", "Name `U` is defined already"),
    ("gate g(t) a { rx(1/t) a; } qreg q[1]; g(0) q;", 3, 39, "/", "divides by zero"),
    ('include "nowhere.inc";', 3, 9, "include", "text has no directory to look in"),
    ("include nowhere;", 3, 9, "nowhere", "Expected a file name in quotes"),
    ("OPENQASM 2.0;", 3, 1, "OPENQASM", "must be the first statement"),
    ("qreg q[1]; @h q;", 3, 12, "@", "Expected a statement, but found `@`"),
    ("qreg q[1]; h q; /* no end", 3, 17, "/", "Expected a statement"),
    ("qubit q;", 3, 1, "qubit", "Gate `qubit` is not defined"),
    ('"', 3, 1, '"', "Expected a statement"),
]

VERSION_3 = [
    ("qubit[2] q", 3, 11, "end of file", "Expected `;` after a declaration"),
    ("qubit[0] q;", 3, 10, "qubit", "at least 1 qubit, but has 0"),
    ("qubit[-1] q;", 3, 11, "qubit", "at least 1 qubit, but has -1"),
    ("qubit[2.5] q;", 3, 7, "integer", "A size must be an integer, but is 2.5"),
    ("qubit[10**9] q;", 3, 14, "qubit", "at most 100000"),
    ("qubit q; bit c; bit[c] d;", 3, 21, "constant", "must be known when the program is read"),
    ("qubit q; h r;", 3, 12, "r", "Name `r` is not defined"),
    ("qubit q; foo q;", 3, 10, "foo", "Name `foo` is not defined"),
    ("qubit[2] q; cnot q[0], q[1];", 3, 13, "cnot", "Name `cnot` is not defined (did you mean `cx`?)"),
    ("qubit q; Hadamard q;", 3, 10, "Hadamard", "is not defined (did you mean `h`?)"),
    ("qubit[2] q; rxx(1) q[0], q[1];", 3, 13, "rxx", 'add `include "qelib1.inc";`'),
    ("gate g a { sy2 a; } gate sy_2 a { } ", 3, 12, "sy2", "Name `sy2` is not defined"),
    ("qubit q; q q;", 3, 10, "q", "`q` is not a gate"),
    ("qubit[2] q; h q[2];", 3, 17, "index", "Index 2 is out of range for `q` (valid: -2 to 1)"),
    ("qubit[2] q; h q[-3];", 3, 17, "index", "Index -3 is out of range"),
    ("qubit[2] q; h q[0:2];", 3, 17, "index", "out of range"),
    ("qubit[2] q; h q[1:0];", 3, 17, "index", "selects nothing"),
    ("qubit[2] q; h q[0:0:1];", 3, 17, "range", "step of a range must not be zero"),
    ("qubit[2] q; h q[{}];", 3, 17, "set", "at least one member"),
    ("qubit[2] q; h q[0, 1];", 3, 16, "index", "one integer, range or set"),
    ("qubit q; h q[0];", 3, 13, "index", "single qubit and cannot be indexed"),
    ("qubit[2] q; cx q[0], q[0];", 3, 13, "cx", "used twice"),
    ("qubit[2] q; qubit[3] r; cx q, r;", 3, 25, "cx", "must have the same size"),
    ("qubit q; rx q;", 3, 10, "rx", "takes 1 parameter, but got 0"),
    ("qubit q; rx(true) q;", 3, 13, "parameter", "must be a number, but is a bool"),
    ("qubit q; rx(q) q;", 3, 13, "q", "`q` is a qubit, not a value"),
    ("qubit q; rx(h) q;", 3, 13, "h", "`h` is a gate, not a value"),
    ("qubit q; rx(1/0) q;", 3, 14, "/", "must not be zero"),
    ("qubit q; rx(1/2) q;", 3, 14, "/", "has a remainder"),
    ("qubit q; rx(sqrt(-1)) q;", 3, 13, "sqrt", "no real value"),
    ("qubit q; rx(foo(1)) q;", 3, 13, "foo", "Unknown function `foo`"),
    ("qubit q; rx(sin(1, 2)) q;", 3, 13, "sin", "takes 1 arguments, but got 2"),
    ("qubit q; rx(+1) q;", 3, 13, "+", "no unary `+`"),
    ("qubit q; rx(2**100) q;", 3, 14, "**", "overflows"),
    ("qubit q; rx(" + "(" * 200 + "1" + ")" * 200 + ") q;", 3, 73, "expression", "nested more than"),
    ("qubit q; rx(1" + "+1" * 500 + ") q;", 3, 332, "expression", "nested operators"),
    ("{" * 100, 3, 41, "block", "Blocks are nested more than 40"),
    ("qubit q; ctrl(0) @ x q;", 3, 10, "ctrl", "1 to 64 controls, but has 0"),
    ("qubit q; ctrl(1.5) @ x q;", 3, 15, "integer", "must be an integer"),
    ("qubit q; ctrl x q;", 3, 15, "x", "Expected `@` after the modifier"),
    ("qubit q; pow @ x q;", 3, 14, "pow", "needs an exponent"),
    ("qubit q; inv(2) @ x q;", 3, 17, "inv", "takes no argument"),
    ("qubit q; ctrl @ x q;", 3, 10, "x", "Gate `x` takes 2 qubits here, but got 1"),
    ("qubit q; h;", 3, 11, "h", "Expected qubits after `h`"),
    ("qubit q; pow(true) @ x q;", 3, 14, "pow", "must be a number, but is bool"),
    (
        "qubit q; bit c = measure q; pow(float(c)) @ h q;",
        3,
        33,
        "constant",
        "exponent of a gate that is not a rotation",
    ),
    ("int x = 1; int x = 2;", 3, 16, "x", "Name `x` is defined already"),
    ("int pi = 1;", 3, 5, "pi", "built in"),
    ("const int n;", 3, 12, "const", "Constant `n` needs a value"),
    ("const int n = 1; n = 2;", 3, 18, "n", "Constant `n` cannot be assigned"),
    ("int n; rx(n) q;", 3, 11, "n", "read before it has a value"),
    ("qubit q; q = 1;", 3, 10, "assignment", "Only variables and classical bits"),
    ("int n = 2.5;", 3, 5, "int", "A float does not become int by itself"),
    ("bit[2] c = 5;", 3, 8, "bit[2]", "Value 5 does not fit bit[2]"),
    ('bit[2] c = "101";', 3, 8, "bit[2]", "cannot be cast"),
    ("float[17] x = 1;", 3, 11, "float", "16, 32 or 64 bits"),
    ("int[0] x = 1;", 3, 8, "int", "must be 1 to"),
    ("int x = 1 & 2.0;", 3, 11, "&", "does not apply to int and float"),
    ("int x = 5; bit b = x[0];", 3, 21, "index", "has no bits to index"),
    ("bool b = true + ;", 3, 17, ";", "Expected an expression"),
    ("qubit[2] q; bit[3] c; c = measure q;", 3, 23, "measure", "as many classical bits as qubits"),
    ("qubit q; int n; measure q -> n;", 3, 30, "measure", "needs classical bits"),
    ("break;", 3, 1, "break", "outside of a loop"),
    ("continue;", 3, 1, "continue", "outside of a loop"),
    ("return 1;", 3, 1, "return", "outside of a subroutine"),
    ("if (1) x q", 3, 11, "end of file", "Expected `;`"),
    ("for int i in 5 { }", 3, 14, "for", "over a range, a set or a bit register"),
    ("for int i in [0:0:5] { }", 3, 15, "range", "must not be zero"),
    ("for int i in [0:1.5] { }", 3, 15, "range", "must be of integers"),
    ("for int i in [0:] { }", 3, 15, "range", "needs a start and a stop"),
    ("for qubit i in [0:1] { }", 3, 5, "qubit", "Expected a classical type"),
    ("switch (1) { case 1 { } case 1 { } }", 3, 30, "switch", "Case 1 occurs twice"),
    ("switch (1) { default { } case 1 { } }", 3, 26, "switch", "must be the last"),
    ("switch (1.5) { case 1 { } }", 3, 1, "switch", "needs an integer"),
    ("input int n;", 3, 11, "input", "Input of type int is not supported"),
    (
        "input float t; qubit q; if (t > 1) x q;",
        3,
        31,
        ">",
        "does not apply to a value that depends on an input",
    ),
    ("input float t; qubit q; bit c = measure q; rx(t * float(c)) q;", 3, 49, "*", "cannot be combined"),
    ("gate g a { qubit b; }", 3, 18, "gate definition", "Only gates and loops"),
    ("gate g a { g a; }", 3, 12, "g", "calls itself"),
    ("qubit q; gate g a { h q; } g q;", 3, 23, "q", "Global `q` cannot be used in a gate"),
    ("gate g a { bit b = measure a; } qubit q; g q;", 3, 16, "gate definition", "Only gates"),
    ("gate g(t) a { rx(t, t) a; } qubit q; g(1) q;", 3, 15, "rx", "takes 1 parameter, but got 2"),
    ("def f(int n) -> int { return; } int k = f(1);", 3, 23, "return", "needs a value"),
    ("def f(int n) { return 1; } f(1);", 3, 16, "return", "cannot have a value"),
    ("def f(int n) -> int { } int k = f(1);", 3, 33, "f", "returns no value"),
    ("def f(int n) { } f(1, 2);", 3, 18, "f", "takes 1 arguments, but got 2"),
    ("def f(qubit[2] r) { } qubit q; f(q);", 3, 34, "r", "needs 2 qubits, but gets 1"),
    ("def f(qubit a, qubit b) { } qubit q; f(q, q);", 3, 38, "f", "same qubit twice"),
    ("int n = 1; def f() { n = 2; } f();", 3, 22, "n", "Global `n` cannot be used in a subroutine"),
    ("def f() { f(); } f();", 3, 11, "f", "nested more than 20"),
    ("{ def f() { } }", 3, 7, "def", "only be defined at the top level"),
    ("let a = b;", 3, 9, "b", "Name `b` is not defined"),
    ("qubit[2] q; let a = q ++ q[0];", 3, 17, "let", "same (qu)bit twice"),
    ("qubit q; bit c; let a = q ++ c;", 3, 21, "let", "cannot join"),
    ("qubit q; delay[1] q;", 3, 16, "duration", "a number with a unit"),
    ("qubit q; delay[-1ns] q;", 3, 16, "duration", "a number with a unit"),
    ("qubit q; bit c; while (measure q) { x q; }", 3, 17, "while", "condition that measures"),
    (
        "qubit q; bit c = measure q; def f(qubit a) { while (measure a) { } } f(q);",
        3,
        46,
        "while",
        "condition that measures",
    ),
    ("cal { x }", 3, 1, "cal", "Pulse-level calibration (`cal`) is not supported"),
    ("defcal x $0 { }", 3, 1, "defcal", "not supported"),
    ('defcalgrammar "openpulse";', 3, 1, "defcalgrammar", "not supported"),
    ("extern f(int) -> int;", 3, 1, "extern", "An external function (`extern`) is not supported"),
    ("box { }", 3, 1, "box", "Timing of boxes (`box`) is not supported"),
    ("array[int, 3] a;", 3, 1, "array", "An array (`array`) is not supported"),
    ("complex[float] z;", 3, 1, "complex", "Type complex (`complex`) is not supported"),
    ("duration d = 1ns;", 3, 1, "duration", "Type duration (`duration`) is not supported"),
    ("stretch s;", 3, 1, "stretch", "Type stretch (`stretch`) is not supported"),
    ("def f(readonly array[int, 3] a) { }", 3, 7, "readonly", "not supported"),
    ("float x = 1.0im;", 3, 11, "complex", "Complex numbers are not supported"),
    ("float x = durationof({x $0;});", 3, 11, "durationof", "not supported"),
    ("int x = sizeof(c);", 3, 9, "sizeof", "`sizeof` is not supported"),
    ("int x = 1ns;", 3, 9, "duration", "can only be used in `delay`"),
    ("qubit q; h[100ns] q;", 3, 19, "q", "Expected an assignment"),
    ('include "nowhere.inc";', 3, 9, "include", "text has no directory"),
    ("{ include 'a'; }", 3, 3, "include", "must be at the top level"),
    ("OPENQASM 3.0;", 3, 1, "OPENQASM", "must be the first statement"),
    ("x ? y;", 3, 3, "?", "Expected a qubit or register"),
    ('int x = "012";', 3, 9, "bit string", "Expected a bit string"),
    ("def", 3, 4, "end of file", "Expected the name of a subroutine"),
]


def check(header, body, line, column, construct, text):
    with pytest.raises(QasmError) as caught:
        loads(header + body)
    error = caught.value
    assert text in str(error)
    assert (error.line, error.column, error.construct) == (line, column, construct)
    assert str(error).startswith(f"line {line}, column {column}: ")


@pytest.mark.parametrize(("body", "line", "column", "construct", "text"), VERSION_2)
def test_version_2(body, line, column, construct, text):
    check(HEADER2, body, line, column, construct, text)


@pytest.mark.parametrize(("body", "line", "column", "construct", "text"), VERSION_3)
def test_version_3(body, line, column, construct, text):
    check(HEADER3, body, line, column, construct, text)


def test_table_is_long_enough():
    assert len(VERSION_2) + len(VERSION_3) >= 60


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("OPENQASM 2.0; qreg q[1]; h q;", 1, 'add `include "qelib1.inc";`'),
        ("OPENQASM 3.0; qubit q; h q;", 1, 'add `include "stdgates.inc";`'),
        ("\n// x\nOPENQASM 4.0;", 3, "OpenQASM version 4 is not supported; versions 2 and 3 are"),
        ("OPENQASM 2.5;", 1, "Expected version 2.0, but found `2.5`"),
        ("OPENQASM 2.0 qreg q[1];", 1, "Expected `;` after the version"),
        ("OPENQASM;", 1, "Expected version 3"),
        ("OPENQASM 3.0", 1, "Expected `;`"),
        ("qubit", 1, "Expected the name"),
    ],
)
def test_headers(text, line, message):
    with pytest.raises(QasmError) as caught:
        loads(text)
    assert message in str(caught.value)
    assert caught.value.line == line


def test_deep_definitions():
    body = "gate g0 a { x a; }" + "".join(f"gate g{k} a {{ g{k - 1} a; }}" for k in range(1, 2000))
    for header in (HEADER2, HEADER3):
        with pytest.raises(QasmError, match="levels deep"):
            loads(header + body + "qreg q[1]; g1999 q[0];")


def test_error_survives_pickling():
    with pytest.raises(QasmError) as caught:
        loads(HEADER2 + "h q;")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value) and (copy.line, copy.column, copy.construct) == (3, 3, "q")


def test_wrong_types():
    with pytest.raises(TypeError, match="Argument `text` must be a str"):
        loads(b"OPENQASM 2.0;")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Argument `circuit` must be a Circuit"):
        dumps("x")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="Argument `version` must be 2 or 3, but is 4"):
        dumps(loads(HEADER3), 4)
    with pytest.raises(FileNotFoundError):
        load("/no/such/file.qasm")
