"""The reader of the C interface against Python's: the same circuits, the same refusals.

It reads no run-time decisions, and names of OpenQASM 2 only.
"""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from qasm_helpers import HEADER2, SAMPLES
from strategies import circuits
from test_errors import VERSION_2
from test_fuzz import PIECES

import qsim
from qsim.errors import ArgumentError, QasmError
from qsim.io.openqasm2 import loads2
from qsim.operations import Measure

pytest.importorskip("qsim._capi", reason="the C interface is not built here")
from qsim import capi

TEXTS = [path.read_text() for path in sorted(SAMPLES.glob("*2.qasm"))]
TEXTS += [HEADER2 + body for body, *_ in VERSION_2 if len(body) < 300]
TEXTS += [
    HEADER2 + "qreg q[3]; creg c[2]; u(pi/3,-.5e0,2^0.5) q; ccx q[0],q[1],q[2]; cu(1,2,3,.4) q[2],q[0];"
    "barrier q; measure q[2] -> c[1]; measure q[0]->c[0];",
    HEADER2 + "gate g(a,b) x,y { rx(a*b) x; cx x,y; barrier x; u3(-a,b/2,sin(b)) y; }"
    "gate f(t) y,x { g(t,1+t) x,y; h x; }"
    "qreg r[2]; qreg q[2]; f(ln(2)+exp(0.1)) q,r; f(.2) q[0],r; g(pi,cos(pi)) r[1],q[1];",
    "OPENQASM 2.0; opaque rzz(t) a,b; opaque blob a; gate pair a,b { U(1,2,3) a; CX a,b; } qreg q[4];"
    "pair q[0],q[3]; rzz(-0.3) q[1],q[2];",
]
#: What only the C interface refuses.
OWN = re.compile(r"C interface|at most 62|at most 1e\+100")
HINT = re.compile(r" \(did you mean .*?\)|; qsim knows a gate of this name.*|\. Load the program from.*|\.$")


def read(reader, text):
    try:
        return reader(text)
    except QasmError as error:
        return error


def compare(text: str) -> bool:
    """Whether both read it; they must find the same."""
    if "\0" in text:
        with pytest.raises(ArgumentError, match="null character"):
            capi.Program(text)
        return False
    found = read(capi.Program, text)
    if not text.isascii():  # names in other alphabets are no names of OpenQASM 2
        return False
    expected = read(loads2, text)
    if isinstance(found, QasmError):
        if OWN.search(str(found)):
            return False
        assert isinstance(expected, QasmError), (text, found)
        assert (found.line, found.column) == (expected.line, expected.column), (text, found, expected)
        # long messages are cut
        assert HINT.sub("", found.message)[:900] == HINT.sub("", expected.message)[:900]
        return False
    assert isinstance(expected, qsim.Circuit), (text, expected)
    assert found.num_qubits == expected.num_qubits
    measures = [op for op in expected.operations if isinstance(op, Measure)]
    assert found.num_bits == (expected.num_clbits if measures else expected.num_qubits)
    if expected.num_qubits > 8:
        return True
    np.testing.assert_allclose(found.state(), gates_only(expected).matrix()[:, 0], rtol=0, atol=1e-12)
    if 0 < found.num_bits < 60:
        samples = qsim.sample(expected, shots=20, seed=5)
        np.testing.assert_array_equal(found.sample(20, seed=5), samples.ints)
    return True


def gates_only(circuit: qsim.Circuit) -> qsim.Circuit:
    out = qsim.Circuit(circuit.num_qubits)
    for op in circuit.operations:
        if not isinstance(op, Measure):
            out.append_operation(op)
    return out


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_samples(text):
    compare(text)


def test_some_are_read():
    assert sum(compare(text) for text in TEXTS) >= 3


@settings(max_examples=60)
@given(circuit=circuits(max_qubits=4))
def test_what_python_writes(circuit):
    try:
        text = circuit.to_qasm(2)
    except QasmError:
        assume(False)
    assert compare(text)


@pytest.mark.parametrize(
    ("body", "line", "column", "message"),
    [
        ("qreg q[1]; creg c[1]; if (c==1) x q;", 3, 23, "`if` is not supported"),
        ("qreg q[1];\nreset q;", 4, 1, "`reset` is not supported"),
        (
            "qreg q[2]; creg c[2];\nmeasure q -> c; cx q[0],q[1];",
            4,
            17,
            "acts on qubit 0 of the circuit after its",
        ),
        ("qreg q[60]; qreg r[3];", 3, 18, "Register `r` has 3 qubits, but a program may have at most 62"),
        (
            "qreg q[1]; rx(1e200) q[0];",
            3,
            12,
            "must be at most 1e+100 in magnitude, but is 1e+200.",
        ),
        (
            'include "mine.inc";',
            3,
            9,
            "File `mine.inc` cannot be included: text has no directory",
        ),
        ("qreg q[1]; hh q[0];", 3, 12, "Gate `hh` is not defined (did you mean `ch`?)."),
        ("qreg \u00e9[1];", 3, 6, "Expected the name of a register, but found `\u00e9`."),
        ("/* \u00e9\u00e9 */ zz q;", 3, 10, "Gate `zz` is not defined"),
    ],
)
def test_what_only_the_c_interface_refuses(body, line, column, message):
    with pytest.raises(QasmError) as error:
        capi.Program(HEADER2 + body)
    assert (error.value.line, error.value.column) == (line, column)
    assert message in error.value.message


def test_gates_that_double_at_each_level_are_refused_at_once():
    for start in ("gate g0(t) a {}", "gate g0(t) a { rx(t) a; }"):
        text = HEADER2 + start
        for level in range(60):
            text += f"gate g{level + 1}(t) a {{ g{level}(t) a; g{level}(t) a; }}\n"
        for reader in (loads2, capi.Program):
            for call in ("qreg q[1]; g60(1) q[0];", "qreg q[0]; g60(1) q;"):
                error = read(reader, text + call)
                assert isinstance(error, QasmError) and "expands to more than 5000000" in error.message


def damaged(text: str, generator: random.Random) -> str:
    for _ in range(generator.randint(1, 4)):
        at = generator.randrange(len(text) + 1)
        kind = generator.randrange(4)
        if kind == 0:
            text = text[:at] + text[at + generator.randint(1, 5) :]
        elif kind == 1:
            text = text[:at] + " " + generator.choice(PIECES) + " " + text[at:]
        elif kind == 2:
            other = generator.choice(TEXTS)
            start = generator.randrange(len(other))
            text = text[:at] + other[start : start + generator.randint(1, 40)] + text[at:]
        else:
            text = text[:at] + chr(generator.randrange(1, 0x90)) + text[at + 1 :]
    return text


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_damaged(number):
    generator = random.Random(number)
    for _ in range(25):
        compare(damaged(TEXTS[number], generator))
    for _ in range(10):
        compare(TEXTS[number][: generator.randrange(len(TEXTS[number]))])


def test_token_soup():
    generator = random.Random(11)
    for _ in range(1000):
        compare(
            HEADER2
            + "qreg q[3]; creg c[3];"
            + " ".join(generator.choices(PIECES, k=generator.randint(1, 25)))
        )


def test_random_bytes():
    """Text that is no UTF-8: read or refused, and nothing else."""
    generator = random.Random(3)
    out = capi.ffi.new("qsim_program *")
    for _ in range(2000):
        data = bytes(generator.randrange(1, 256) for _ in range(generator.randint(0, 60)))
        text = generator.choice([b"", HEADER2.encode(), HEADER2.encode() + b"qreg q[2];"]) + data
        if capi.lib.qsim_program_from_qasm(text, capi.ffi.NULL, out) == capi.lib.QSIM_OK:
            assert capi.lib.qsim_program_free(out[0]) == capi.lib.QSIM_OK
        else:
            assert capi.lib.qsim_last_error_code() == capi.lib.QSIM_ERROR_QASM
            assert capi.lib.qsim_last_error_line() >= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "/*",
        "OPENQASM",
        "OPENQASM 2.0;" + "(" * 100_000,
        "OPENQASM 2.0; qreg q[1]; U(" + "1^" * 100_000 + "1,0,0) q[0];",
        "OPENQASM 2.0; qreg q[1]; U(" + "-" * 100_000 + "1,0,0) q[0];",
        "OPENQASM 2.0; qreg q[1]; U(" + "9" * 100_000 + ",0,0) q[0];",
        "OPENQASM 2.0; " + "/* */" * 20_000 + "qubit",
        "OPENQASM 2.0; " + '"' * 20_001,
        "OPENQASM 2.0; qreg q[" + "9" * 200 + "];",
        "OPENQASM 2.0; creg c[1000000]; creg d[1];",
        "OPENQASM 2.0; qreg q[0]; U(0,0,0) q; barrier q;",
        "OPENQASM 2.0; gate g a {} qreg q[62];" + "g q;" * 1000,
    ],
    ids=lambda text: text[:30],
)
def test_hostile(text):
    compare(text)
