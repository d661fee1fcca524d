"""OpenQASM 3 programs that depend on measurements: what they do when they run."""

from __future__ import annotations

import numpy as np
import pytest
from qasm_helpers import HEADER3, SAMPLES, outcome

from qsim import Circuit, distribution, load, sample
from qsim.classical import Bit
from qsim.io import dumps, loads
from qsim.operations import IfElse, Switch, WhileLoop


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("qubit[2] q; bit[2] c; x q[0]; c = measure q; if (c[0]) x q[1]; c = measure q;", {"c": "11"}),
        ("qubit q; bit c; bit d; c = measure q; if (!c) { x q; } else { h q; } d = measure q;", {"d": "1"}),
        (
            "qubit q; bit c; bit d; x q; c = measure q; if (c == 0) { h q; } else x q; d = measure q;",
            {"d": "0"},
        ),
        (
            "qubit q; bit[2] c; x q; c[1] = measure q; bit d; if (c == 2 && c[1:1] == 1) { d = 1; }",
            {"d": "1"},
        ),
        ('qubit q; bit[2] c; x q; c[1] = measure q; bit d; if (c == "10") d = 1;', {"d": "1"}),
        (
            "qubit q; bit m; x q; m = measure q; int[4] n = 6; if (m) { n += 5; } bit[4] r = bit[4](n);",
            {"r": "1011"},
        ),
        (
            "qubit q; bit m; m = measure q; int[4] n = 6; if (m) { n += 5; } bit[4] r = bit[4](n);",
            {"r": "0110"},
        ),
        (
            "qubit q; bit m; x q; "
            "m = measure q; uint[4] n = 0; "
            "while (n < 5) { n += 1; "
            "if (n == 3 && m) break; } "
            "bit[4] r = bit[4](n);",
            {"r": "0011"},
        ),
        (
            "qubit q; bit m; x q; m = measure q; uint[4] n = 0; uint[4] k = 0; while (n < 5) { n += 1; "
            "if (n == 3 && m) { continue; } k += n; } bit[4] r = bit[4](k);",
            {"r": "1100"},
        ),
        (
            "qubit[3] q; bit[3] c; x q[1]; "
            "for int i in [0:2] { c[i] = measure q[i]; "
            "if (c[i] == 1) break; x q[i]; } "
            "bit[3] d = measure q;",
            {"c": "010", "d": "011"},
        ),
        (
            "qubit[3] q; bit[3] c; x q; "
            "for int i in [0:2] { c[i] = measure q[i]; "
            "if (c[i] && i == 1) { continue; } "
            "x q[i]; } bit[3] d = measure q;",
            {"c": "111", "d": "010"},
        ),
        (
            "qubit q; bit c; int n = 0; x q; "
            "for int i in [1:6] { c = measure q; "
            "if (c && i > 3) break; n += i; } "
            "uint[4] w; w = n; bit[4] r = bit[4](w);",
            {"r": "0110"},
        ),
        (
            "qubit[2] q; bit[2] c; x q[1]; c = measure q; "
            "switch (c) { case 0, 1 { x q[0]; "
            "} case 2 { x q[0]; x q[1]; } "
            "default { } } bit[2] d = measure q;",
            {"d": "01"},
        ),
        (
            "qubit q; bit c; x q; c = measure q; "
            "int n = 5; if (c) n = 9; "
            "bit d; switch (n) { case 5 { "
            "} default { d = 1; } }",
            {"d": "1"},
        ),
        ("qubit q; bit c; bit d; x q; c = measure q; if (c) { end; } x q; d = 1;", {"d": "0"}),
        ("qubit q; bit c; bit d; c = measure q; if (c) { end; } x q; d = measure q;", {"d": "1"}),
        (
            "qubit q; bit c; bit d; "
            "c = measure q; if (c) { end; "
            "} qubit extra; "
            "gate g a { x a; } g extra; "
            "d = measure extra;",
            {"d": "1"},
        ),
        (
            "def f(qubit a) -> bit { bit r; r = measure a; if (r) { return false; } x a; return true; } "
            "qubit[2] q; bit[2] c; x q[0]; c[0] = f(q[0]); c[1] = f(q[1]); bit[2] d = measure q;",
            {"c": "10", "d": "11"},
        ),
        (
            "def f(qubit a, int[8] n) -> int[8] { bit r = measure a; n += 1; if (r) { n *= 2; } return n; } "
            "qubit[2] q; x q[1]; bit[8] c = bit[8](f(q[0], 5) + f(q[1], 5));",
            {"c": "00010010"},
        ),
        (
            "def f(qubit a, int[8] n) -> int[8] { if (n > 6) { return n; } bit r = measure a; "
            "if (r) { if (n == 5) { return 1; } else { n = 2; } } return n + 10; } "
            "qubit[2] q; x q[1]; bit[8] c = bit[8](f(q[0], 5)); bit[8] d = bit[8](f(q[1], 5)); "
            "bit[8] e = bit[8](f(q[1], 6)); bit[8] g_ = bit[8](f(q[1], 7));",
            {"c": "00001111", "d": "00000001", "e": "00001100", "g_": "00000111"},
        ),
        (
            'qubit q; bit[3] c = "101"; '
            "bit m; x q; m = measure q; "
            "uint[3] k = 1; if (m) k = 2; "
            "c[k] = 0; bit e = c[k-2];",
            {"c": "001", "e": "1"},
        ),
        (
            "qubit q; bit m; x q; "
            "m = measure q; angle[4] a = 0; "
            "if (m) { a = 9*(pi/8); "
            "} bit[4] b = bit[4](a << 2);",
            {"b": "0100"},
        ),
        (
            "qubit q; bit m; x q; m = measure q; int[8] z = -7; if (m) z = z / 2; bit[8] b = bit[8](z);",
            {"b": "11111101"},
        ),
        (
            "qubit q; uint[4] u = 9; "
            "bit m = measure q; if (m) { u = 0; "
            '} u[0] = 0; u[1:2] = "11"; bit[4] b = bit[4](u);',
            {"b": "1110"},
        ),
        (
            "qubit q; int[4] u = 3; "
            "bit m = measure q; if (m) { u = 0; "
            "} u[3] = 1; bit[2] b = u[2:3]; "
            "bit[4] w = bit[4](u);",
            {"b": "10", "w": "1011"},
        ),
        (
            "qubit q; uint[4] start = 0; bit c; x q; c = measure q; if (c) start = 1; int total = 0; "
            "for int i in [start:2:7] { total += i; if (i == 5) continue; total += 1; } "
            "uint[8] w; w = total; bit[8] m = bit[8](w);",
            {"m": "00010011"},
        ),
        (
            "qubit[2] q; x q[0]; "
            "bit[2] c = measure q; int n = 0; "
            "for bit b in c { if (b) { n += 1; } n += 2; } "
            "uint[4] w; w = n; bit[4] o = bit[4](w);",
            {"o": "0101"},
        ),
        (
            "qubit q; x q; "
            "bit c = measure q; float f = 0.25; "
            "if (c) { f = f * 2; "
            "} rx(2 * pi * f) q; bit d = measure q;",
            {"d": "0"},
        ),
        (
            "gate turn(t) a { rx(t/2) a; "
            "rx(t/2) a; } qubit q; x q; "
            "bit c = measure q; int n = 1; if (c) { n = 2; } "
            "turn(pi * n / 2) q; bit d = measure q;",
            {"d": "0"},
        ),
        ("qubit q; x q; bit c = measure q; pow(float(c)) @ rx(pi) q; bit d = measure q;", {"d": "0"}),
        ("qubit q; x q; if (measure q) { x q; } bit d = measure q;", {"d": "0"}),
        ("qubit[2] q; x q; int n = int(measure q); bit[8] d = bit[8](uint[8](n));", {"d": "00000011"}),
        ("qubit q; x q; bool b; b = measure q; bit d; if (b) d = 1;", {"d": "1"}),
        (
            "qubit[2] q; bit[4] c; "
            "x q[0]; let part = c[1:2]; "
            "part = measure q; "
            'let ends = c[0] ++ c[3]; ends = "11"; '
            "bit d; if (part == 1) d = 1;",
            {"c": "1011", "d": "1"},
        ),
        (
            "qubit q; bit[3] r; for int i in [0:2] { bit t = measure q; r[i] = t; x q; }",
            {"r": "010"},
        ),
        (
            "qubit[2] q; x q[0]; bit[2] c = measure q; uint[4] b = 0; "
            "for bit t in c { b = 2 * b + t; if (c[1]) { continue; } b = b + 4; } bit[4] r = bit[4](b);",
            {"r": "1110"},
        ),
    ],
)
def test_outcome(body, expected):
    result = outcome(body)
    assert {name: result[name] for name in expected} == expected
    # and once more after a trip through our own writer
    circuit = loads(HEADER3 + body)
    again = loads(dumps(circuit))
    first, second = (_by_register(c, distribution(c)) for c in (circuit, again))
    assert list(second.values()) == list(first.values())  # a name may be written another way


def _by_register(circuit, result):
    (bits,) = [key for key, probability in result.items() if probability > 1 - 1e-9]
    values = bits[::-1]
    return {
        name: "".join(values[i] for i in indices) for name, indices in circuit.classical_registers.items()
    }


def test_only_what_depends_on_measurements_stays():
    circuit = loads(
        HEADER3
        + "qubit q; bit c; int n = 3; int k = 0; c = measure q; if (c) { n += 1; } k = 2; rz(k) q; rz(n) q; "
        "while (n > 3) { n -= 1; c = measure q; } switch (n) { case 3 { x q; } default { k = 5; } } rz(k) q;"
    )
    kinds = [type(op) for op in circuit.operations]
    assert kinds[1] is IfElse and WhileLoop in kinds and Switch in kinds
    assert {v.name for v in circuit.variables} == {"n", "k"}
    assert circuit.operations[2].params == (2.0,)  # k was still known there


def test_variables_of_one_name_are_kept_apart():
    circuit = loads(
        HEADER3 + "qubit q; bit c = measure q; "
        "int n = 1; if (c) { n = 2; "
        "} { int n = 3; if (c) { n = 4; "
        "} rz(n) q; } rz(n) q;"
    )
    assert sorted(v.name for v in circuit.variables) == ["n", "n_1"]
    assert [op.params[0].operand.name for op in circuit.operations if op.name == "rz"] == ["n_1", "n"]


def test_sample_teleportation():
    result = distribution(load(SAMPLES / "teleport3.qasm"))
    assert all(bits[0] == "0" for bits in result)  # the state arrives: undoing it gives |0>
    assert sum(result.values()) == pytest.approx(1.0)


def test_sample_phase_estimation():
    circuit = load(SAMPLES / "subroutines3.qasm")
    assert distribution(circuit) == pytest.approx({"0101": 1.0})


def test_sample_with_classical_values():
    circuit = load(SAMPLES / "classical3.qasm")
    ((bits, probability),) = distribution(circuit).items()
    assert probability == pytest.approx(1.0)
    values = bits[::-1]
    registers = {
        k: "".join(values[i] for i in reversed(own)) for k, own in circuit.classical_registers.items()
    }
    assert registers == {"c": "10", "word": "01111000", "s": "00111000", "p": "01"}


@pytest.mark.parametrize(
    "body",
    [
        "qubit q; h q; bit c = measure q; if (c) { x q; } bit d = measure q;",
        "qubit q; bit c; h q; c = measure q; while (c) { h q; c = measure q; }",
        "qubit[2] q; bit[2] c; h q; c = measure q; "
        "switch (c) { case 1, 2 { h q; "
        "} default { x q; } } c = measure q;",
        "qubit[2] q; bit[2] c; int[4] n = 2; h q[0]; "
        "c[0] = measure q[0]; "
        "if (c[0]) { n += 1; } ry(0.3 * n) q[1]; "
        "c[1] = measure q[1];",
        "qubit[2] q; bit[2] c; h q; "
        "for int i in [0:1] { c[i] = measure q[i]; "
        "if (c[i]) { break; } } reset q[0];",
    ],
)
def test_distribution_survives_a_round_trip(body):
    circuit = loads(HEADER3 + body)
    expected = distribution(circuit)
    assert distribution(loads(dumps(circuit))) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("body", "outcomes", "registers"),
    [
        ("qubit[2] q; bit c; x q[0]; measure q[1]; c = measure q[0];", {"1"}, {"c": (0,)}),
        ("qubit[2] q; x q[1]; measure q[0]; bit[2] c; c = measure q;", {"10"}, {"c": (0, 1)}),
        (
            "def f(qubit a) -> bit { bit b; b = measure a; x a; return b; } "
            "qubit[2] q; x q[1]; bit[2] c; c[0] = f(q[1]); if (f(q[1])) { x q[0]; } c[1] = measure q[0];",
            {"01"},
            {"c": (0, 1)},
        ),
        ("qubit q; x q; if (measure q) { x q; } bit d; d = measure q;", {"0"}, {"d": (0,)}),
        ("qubit[2] q; h q[0]; if (true) { bit b; b = measure q[0]; if (b) { x q[1]; } }", {"00", "11"}, {}),
        ("qubit[2] q; h q[0]; measure q[0];", {"00", "01"}, {}),
        ("qubit q; { bit a; bit b; h q; b = measure q; if (b) { x q; } }", {"0"}, {}),
        ("qubit[2] q; h q[0]; measure q[0]; cx q[0], q[1];", {"00", "11"}, {}),
    ],
)
def test_what_a_program_measures_for_itself_is_no_outcome(body, outcomes, registers):
    circuit = loads(HEADER3 + body)
    assert circuit.scratch_clbits
    assert circuit.classical_registers == registers
    for again in (circuit, loads(dumps(circuit)), Circuit.from_json(circuit.to_json()), circuit.copy()):
        assert set(distribution(again)) == outcomes
        samples = sample(again, shots=50, seed=1)
        assert set(samples.counts()) == outcomes
        assert samples.registers == registers or not registers


def test_registers_of_any_name_stay_beside_a_programs_own():
    body = "qubit q; bit scratch; bit scratch_bits; bit unused; { bit b; b = measure q; if (b) { x q; } }"
    circuit = loads(HEADER3 + body + " measure q; scratch_bits = measure q;")
    again = loads(dumps(circuit))
    assert again.classical_registers == circuit.classical_registers
    assert again.scratch_clbits == circuit.scratch_clbits == {3, 4}
    assert distribution(again) == distribution(circuit) == {"000": 1.0}


def test_loops_over_run_time_values_are_written():
    circuit = Circuit(1, 3).h(0).measure(0, 0)
    n, total = circuit.declare("n", "int", 8, initial=2), circuit.declare("total", "int", 8)
    circuit.if_else((0, 1), Circuit(1, 3).assign(n, 4))
    circuit.for_loop([n, 1, Bit(0)], Circuit(1, 3).assign(total, total + n), n).assign(1, total.eq(6))
    circuit.for_loop([0.5, n / 1.0], Circuit(1, 3).rx(np.pi, 0)).assign(2, n.eq(1))
    expected = {"000": 0.5, "111": 0.5}  # 2 + 1 + 0 and 4 + 1 + 1
    assert distribution(circuit) == pytest.approx(expected)
    assert distribution(loads(dumps(circuit))) == pytest.approx(expected)


def test_many_bits_of_its_own():
    circuit = loads(
        HEADER3 + "qubit q; x q; bit c; for int i in [0:69] { bit[2] b; } c = measure q; measure q;"
    )
    wide = Circuit(1, 70).x(0).measure(0, 69).measure(0, 0)
    wide.scratch_clbits = frozenset(range(1, 70))
    assert (
        set(sample(circuit, shots=3, seed=1).counts()) == set(sample(wide, shots=3, seed=1).counts()) == {"1"}
    )
    assert distribution(wide) == {"1": 1.0}
