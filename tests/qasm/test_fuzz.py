"""Damaged programs: read, or refused with a QasmError; nothing else, and no hang."""

from __future__ import annotations

import random

import pytest
from qasm_helpers import HEADER2, HEADER3, SAMPLES
from test_errors import VERSION_2, VERSION_3

from qsim.errors import QasmError
from qsim.io import dumps, loads

TEXTS = [path.read_text() for path in sorted(SAMPLES.glob("*.qasm"))]
TEXTS += [HEADER2 + body for body, *_ in VERSION_2 if len(body) < 300]
TEXTS += [HEADER3 + body for body, *_ in VERSION_3 if len(body) < 300]
PIECES = [
    ";",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ":",
    "->",
    "=",
    "==",
    "+",
    "-",
    "*",
    "/",
    "**",
    "^",
    "++",
    "@",
    "$0",
    "$99999999",
    '"',
    "'",
    "//",
    "/*",
    "*/",
    "\\",
    "\x00",
    "é",
    "0",
    "1",
    "-1",
    "99999999999",
    "1e999",
    "0x",
    "0b2",
    "1ns",
    "qubit",
    "bit",
    "int[8]",
    "uint",
    "float",
    "angle",
    "const",
    "let",
    "if",
    "else",
    "while",
    "for",
    "switch",
    "case",
    "default",
    "in",
    "def",
    "gate",
    "return",
    "end",
    "break",
    "continue",
    "measure",
    "reset",
    "barrier",
    "delay",
    "input",
    "output",
    "include",
    "opaque",
    "qreg",
    "creg",
    "ctrl",
    "inv",
    "pow(2)",
    "negctrl",
    "gphase",
    "U",
    "pi",
    "true",
    "q",
    "c",
    "x",
    "h",
]


def survives(text: str) -> None:
    try:
        circuit = loads(text)
    except QasmError as error:
        assert error.line >= 1 or error.construct in ("nesting", "encoding")
        return
    try:
        dumps(circuit)
    except QasmError:
        return


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr("qsim.io.loops.MAX_STEPS", 5_000)


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_truncated(number):
    text = TEXTS[number]
    generator = random.Random(number)
    for cut in {generator.randrange(len(text)) for _ in range(25)}:
        survives(text[:cut])


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_mutated(number):
    text = TEXTS[number]
    generator = random.Random(1000 + number)
    for _ in range(30):
        mutated = text
        for _ in range(generator.randint(1, 4)):
            at = generator.randrange(len(mutated))
            kind = generator.randrange(4)
            if kind == 0:
                mutated = mutated[:at] + mutated[at + generator.randint(1, 5) :]
            elif kind == 1:
                mutated = mutated[:at] + " " + generator.choice(PIECES) + " " + mutated[at:]
            elif kind == 2:
                other = generator.choice(TEXTS)
                start = generator.randrange(len(other))
                mutated = mutated[:at] + other[start : start + generator.randint(1, 40)] + mutated[at:]
            else:
                mutated = mutated[:at] + chr(generator.randrange(1, 0x250)) + mutated[at + 1 :]
        survives(mutated or ";")


def test_token_soup():
    generator = random.Random(7)
    for number in range(1500):
        header = (HEADER2, HEADER3)[number % 2]
        prefix = ("qreg q[3]; creg c[3];", "qubit[3] q; bit[3] c; int n = 2;")[number % 2]
        survives(header + prefix + " ".join(generator.choices(PIECES, k=generator.randint(1, 25))))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\x00",
        "/*",
        "//",
        "OPENQASM",
        "OPENQASM 2.0;" + "(" * 100_000,
        "OPENQASM 3.0;" + "(" * 100_000,
        "OPENQASM 3.0;" + "{" * 100_000,
        "OPENQASM 3.0;" + "if(1)" * 100_000,
        "OPENQASM 3.0; qubit q; " + "inv @ " * 20_000 + "U(0,0,0) q;",
        "OPENQASM 3.0; int x = " + "!" * 100_000 + "1;",
        "OPENQASM 3.0; int x = a" + "[0" * 10_000,
        "OPENQASM 3.0; int x = " + "1+" * 100_000 + "1;",
        "OPENQASM 2.0; qreg q[1]; U(" + "1^" * 100_000 + "1,0,0) q[0];",
        "OPENQASM 3.0; int x = " + "9" * 100_000 + ";",
        "OPENQASM 3.0; float x = " + "9" * 100_000 + ".0;",
        'OPENQASM 3.0; bit[8] x = "' + "1" * 100_000 + '";',
        "OPENQASM 3.0; int x = 2**2**2**2**2**2;",
        "OPENQASM 3.0; uint[64] x = 3**99999999999;",
        "OPENQASM 3.0; int x = 1 << 99999999999;",
        "OPENQASM 3.0; uint[4096] x = 1; x = x << 4095; x = x * x;",
        "OPENQASM 3.0; for int i in [0:999999999999] { }",
        "OPENQASM 3.0; qubit q; for int i in [0:999999999999] { U(i, 0, 0) q; }",
        "OPENQASM 3.0; qubit q; pow(999999999999) @ U(0.1, 0.2, 0.3) q;",
        "OPENQASM 3.0; qubit q; $999999;",
        "OPENQASM 3.0; U(0, 0, 0) $99999999999999999999;",
        "OPENQASM 3.0; " + "/* */" * 20_000 + "qubit",
        "OPENQASM 3.0; " + '"' * 20_001,
    ],
    ids=lambda text: text[:30],
)
def test_hostile(text):
    survives(text)
