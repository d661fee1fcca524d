"""Reading OpenQASM 3: registers, gates, modifiers, inputs; what is decided while reading."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qasm_helpers import HEADER3, assert_same_matrix, assert_same_unitary

import qsim
from qsim import Circuit, Parameter
from qsim.errors import QasmError
from qsim.gates import GATES, expand_controls
from qsim.io import loads
from qsim.io.library import QELIB1, STDGATES
from qsim.operations import Barrier, Delay, Measure, Reset


def read(body: str) -> Circuit:
    return loads(HEADER3 + body)


def angle(expression: str, before: str = "") -> float:
    op = read(f"{before} qubit q; rz({expression}) q;").operations[-1]
    return op.params[0]


def matrix(body: str, num_qubits: int = 1) -> np.ndarray:
    return read(f"qubit[{num_qubits}] q; {body}").matrix()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("pi", math.pi),
        ("π", math.pi),
        ("tau", math.tau),
        ("τ", math.tau),
        ("euler", math.e),
        ("ℇ", math.e),
        ("-pi/2", -math.pi / 2),
        ("2*pi/3", 2 * math.pi / 3),
        ("2**3**2", 512.0),
        ("-2**2", -4.0),
        ("2.0**-1.0", 0.5),
        ("7/7", 1.0),
        ("7.0/2", 3.5),
        ("7%4", 3.0),
        ("1_000.5", 1000.5),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("5.", 5.0),
        ("0xff", 255.0),
        ("0b1_01", 5.0),
        ("0o17", 15.0),
        ("1 << 4 | 3", 19.0),
        ("6 & 3 ^ 8", 10.0),
        ("float(3 > 2)", 1.0),
        ("float(true && !false || false)", 1.0),
        ("float(2 + 3 == 5)", 1.0),
        ("sin(pi/6)", math.sin(math.pi / 6)),
        ("arccos(0.5)", math.acos(0.5)),
        ("arcsin(0.5) + arctan(2.0)", math.asin(0.5) + math.atan(2)),
        ("cos(1.0) * tan(0.5) - exp(0.25)", math.cos(1) * math.tan(0.5) - math.exp(0.25)),
        ("log(2.0)", math.log(2)),
        ("sqrt(2)", math.sqrt(2)),
        ("ceiling(1.2) + floor(-1.2)", 0.0),
        ("mod(7, 4)", 3.0),
        ("mod(-7, 4)", -3.0),
        ("pow(2, 5)", 32.0),
        ("pow(2.0, 0.5)", 2.0**0.5),
        ("popcount(uint[8](13))", 3.0),
        ("float(int[8](200))", -56.0),
        ("float(uint[4](17))", 1.0),
        ("int[8](2.9)", 2.0),
        ("float[32](0.1)", float(np.float32(0.1))),
        ("angle[4](9*pi/8) << 2", math.pi / 2),
        ("angle(pi) + pi", 0.0),
        ("angle[20](pi/2) * 2", math.pi),
        ("float(rotl(uint[4](9), 1))", 3.0),
        ("float(~uint[4](5))", 10.0),
    ],
)
def test_constant_expression(expression, expected):
    assert angle(expression) == expected


def test_integer_division_is_no_silent_zero():
    assert angle("2.0*n", "const int n = 7/2;") == 6.0
    with pytest.raises(QasmError, match=r"Integer division 1/2 has a remainder.*write 1\.0/2"):
        angle("1/2")
    assert_same_matrix(matrix("pow(1/2) @ z q[0];"), matrix("s q[0];"))  # as stdgates.inc itself writes it


@pytest.mark.parametrize("name", sorted(STDGATES))
def test_each_gate_of_stdgates(name):
    gate = GATES[STDGATES[name]]
    params = [0.1 * (k + 1) for k in range(gate.num_params)]
    listed = f"({', '.join(map(str, params))})" if params else ""
    qubits = ", ".join(f"q[{k}]" for k in range(gate.num_qubits))
    circuit = read(f"qubit[{gate.num_qubits}] q; {name}{listed} {qubits};")
    expected = Circuit(gate.num_qubits).append(gate, params, range(gate.num_qubits))
    if name in ("u2", "u3"):  # these have determinant 1 in OpenQASM 3
        expected.gphase(-(params[-1] + params[-2]) / 2)
    assert_same_unitary(circuit, expected)
    assert circuit.operations[0].gate is gate


@pytest.mark.parametrize("name", sorted(QELIB1))
def test_names_of_openqasm2(name):
    gate = GATES[QELIB1[name]]
    params = [0.1 * (k + 1) for k in range(gate.num_params)]
    listed = f"({', '.join(map(str, params))})" if params else ""
    qubits = ", ".join(f"q[{k}]" for k in range(gate.num_qubits))
    circuit = loads(f'OPENQASM 3; include "qelib1.inc"; qreg q[{gate.num_qubits}]; {name}{listed} {qubits};')
    expected = Circuit(gate.num_qubits).append(gate, params, range(gate.num_qubits))
    assert_same_unitary(circuit, expected, up_to_phase=True)


def test_the_built_in_gate_has_the_phase_of_the_specification():
    theta, phi, lam = 0.3, 0.5, 0.7
    e = np.exp
    u = np.array(
        [
            [1 + e(1j * theta), -1j * e(1j * lam) * (1 - e(1j * theta))],
            [1j * e(1j * phi) * (1 - e(1j * theta)), e(1j * (phi + lam)) * (1 + e(1j * theta))],
        ]
    )
    assert_same_matrix(matrix(f"U({theta}, {phi}, {lam}) q[0];"), u / 2)
    assert_same_matrix(matrix(f"ctrl @ U({theta}, {phi}, {lam}) q[0], q[1];", 2), expand_controls(u / 2, 1))
    assert_same_matrix(matrix("U(pi, 0, pi) q[0]; gphase(-pi/2);"), matrix("x q[0];"))
    assert_same_matrix(matrix("inv @ U(1, 2, 3) q[0]; U(1, 2, 3) q[0];"), np.eye(2))


def test_phases_of_built_in_gates_are_one_operation():
    circuit = read("qubit[2] q; U(0.1, 0, 0) q; U(0.2, 0, 0) q[0]; U(-0.4, 0, 0) q[1];")
    assert [op.name for op in circuit.operations] == ["u", "u", "u", "u"]  # they cancel
    circuit = read("qubit q; U(0.1, 0, 0) q; U(0.3, 0, 0) q;")
    assert circuit.operations[-1].name == "gphase" and circuit.operations[-1].params == (0.2,)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ctrl @ x q[0], q[1];", lambda c: c.cx(0, 1)),
        ("ctrl @ ctrl @ x q[0], q[1], q[2];", lambda c: c.ccx(0, 1, 2)),
        ("ctrl(2) @ x q[0], q[1], q[2];", lambda c: c.ccx(0, 1, 2)),
        ("ctrl @ cx q[0], q[1], q[2];", lambda c: c.ccx(0, 1, 2)),
        ("negctrl @ x q[0], q[1];", lambda c: c.x(1, controls=0, control_values=[0])),
        (
            "negctrl @ ctrl @ z q[0], q[1], q[2];",
            lambda c: c.z(2, controls=[0, 1], control_values=[0, 1]),
        ),
        ("ctrl @ gphase(0.3) q[1];", lambda c: c.p(0.3, 1)),
        ("negctrl @ gphase(0.3) q[1];", lambda c: c.x(1).p(0.3, 1).x(1)),
        ("ctrl(2) @ gphase(0.3) q[1], q[2];", lambda c: c.cp(0.3, 1, 2)),
        ("gphase(0.3);", lambda c: c.gphase(0.3)),
        ("inv @ s q[0];", lambda c: c.sdg(0)),
        ("inv @ inv @ t q[0];", lambda c: c.t(0)),
        ("inv @ rx(0.3) q[0];", lambda c: c.rx(-0.3, 0)),
        ("inv @ ctrl @ sx q[0], q[1];", lambda c: c.csxdg(0, 1)),
        ("ctrl @ inv @ sx q[0], q[1];", lambda c: c.csxdg(0, 1)),
        ("pow(2) @ s q[0];", lambda c: c.z(0)),
        ("pow(-2) @ t q[0];", lambda c: c.sdg(0)),
        ("pow(0) @ h q[0];", lambda c: c),
        ("pow(0.5) @ x q[0];", lambda c: c.sx(0)),
        ("pow(-0.5) @ x q[0];", lambda c: c.sxdg(0)),
        ("pow(1/2) @ swap q[0], q[1];", lambda c: c.unitary(_sqrt_swap(), [0, 1])),
        ("pow(3) @ rz(0.2) q[0];", lambda c: c.rz(0.6, 0)),
        ("pow(0.25) @ p(0.8) q[0];", lambda c: c.p(0.2, 0)),
        ("pow(1000001) @ x q[0];", lambda c: c.x(0)),
        ("ctrl @ pow(0.5) @ z q[0], q[1];", lambda c: c.cs(0, 1)),
        ("pow(2) @ ctrl @ s q[0], q[1];", lambda c: c.cz(0, 1)),
        ("ctrl @ swap q[0], q[1], q[2];", lambda c: c.cswap(0, 1, 2)),
        ("ctrl @ x q[0:1], q[2];", lambda c: c.cx(0, 2).cx(1, 2)),
        ("ctrl @ rx(0.1) q[0], q[{2, 1}];", lambda c: c.crx(0.1, 0, 2).crx(0.1, 0, 1)),
    ],
)
def test_modifier(statement, expected):
    assert_same_unitary(read(f"qubit[3] q; {statement}"), expected(Circuit(3)))


def _sqrt_swap() -> np.ndarray:
    a, b = (1 + 1j) / 2, (1 - 1j) / 2
    return np.array([[1, 0, 0, 0], [0, a, b, 0], [0, b, a, 0], [0, 0, 0, 1]])


GATE = "gate g(t, u) a, b { rx(t/2) a; ctrl @ rz(u*pi) a, b; gphase(t); h b; } "


def g(circuit: Circuit, t: float, u: float, a: int, b: int) -> Circuit:
    return circuit.rx(t / 2, a).crz(u * math.pi, a, b).gphase(t).h(b)


def test_defined_gate():
    body = GATE + "qubit[3] q; g(0.5, 2) q[2], q[0];"
    assert_same_unitary(read(body), g(Circuit(3), 0.5, 2, 2, 0))


def test_defined_gate_with_modifiers():
    base = g(Circuit(2), 0.5, 1, 0, 1)
    body = GATE + "qubit[3] q;"
    inverse = Circuit(3).compose(base.inverse(), [0, 1])
    assert_same_unitary(read(body + "inv @ g(0.5, 1) q[0], q[1];"), inverse)
    twice = Circuit(3).compose(base, [0, 1]).compose(base, [0, 1])
    assert_same_unitary(read(body + "pow(2) @ g(0.5, 1) q[0], q[1];"), twice)
    assert_same_unitary(read(body + "pow(-1) @ g(0.5, 1) q[0], q[1];"), inverse)
    assert_same_unitary(read(body + "ctrl @ g(0.5, 1) q[0], q[1], q[2];"), base.control())
    root = read(body + "pow(0.5) @ g(0.5, 1) q[0], q[1];")
    assert_same_unitary(Circuit(3).compose(root).compose(root), Circuit(3).compose(base, [0, 1]), atol=1e-10)


def test_gate_with_loops_and_gates_in_it():
    body = "gate many(t) a, b { for int i in [1:3] { rz(t*i) a; cx a, b; } if (1 < 2) { x b; } barrier a; } "
    circuit = read(
        body + "gate outer a, b { many(0.1) b, a; inv @ many(0.2) a, b; } qubit[2] q; outer q[0], q[1];"
    )
    many = Circuit(2)
    for i in (1, 2, 3):
        many.rz(0.1 * i, 0).cx(0, 1)
    many.x(1)
    other = Circuit(2)
    for i in (1, 2, 3):
        other.rz(0.2 * i, 0).cx(0, 1)
    other.x(1)
    expected = Circuit(2).compose(many, [1, 0]).compose(other.inverse(), [0, 1])
    assert_same_unitary(circuit, expected)


def test_a_parameter_of_a_gate_is_a_real_number():
    assert read("gate h2(n) a { rz(n/2) a; } qubit q; h2(1) q;") == Circuit(1).rz(0.5, 0)


def test_defined_gate_takes_the_place_of_a_library_gate():
    assert read("gate h a { x a; } qubit q; h q;") == Circuit(1).x(0)
    assert read("qubit[2] s; bit t; h s;") == Circuit(2, 1).h(0).h(1)  # so may a register


def test_registers_slices_sets_and_aliases():
    circuit = read(
        "qubit[5] q; qubit one; qreg old[2]; let mix = q[1:3] ++ one ++ old; let odd = mix[1:2:-1]; "
        "h q[-1]; x q[0:2:4]; y q[{3, 1}]; z mix[3]; s odd; t q[4:-1:3]; sdg mix[0:5][4]; "
    )
    expected = Circuit(8).h(4).x(0).x(2).x(4).y(3).y(1).z(5).s(2).s(5).s(7).t(4).t(3).sdg(6)
    assert circuit == expected
    assert circuit.quantum_registers == {"q": (0, 1, 2, 3, 4), "one": (5,), "old": (6, 7)}


def test_physical_qubits():
    circuit = loads('OPENQASM 3; include "stdgates.inc"; bit c; h $0; cx $0, $2; c = measure $2; reset $1;')
    assert circuit.num_qubits == 3
    assert circuit.operations[1:] == (*Circuit(3).cx(0, 2).operations, Measure(2, 0), Reset(1))


def test_measurement_forms():
    circuit = read(
        "qubit[2] q; bit[2] c; bit d; c = measure q; d = measure q[1]; measure q -> c; measure q[0] -> c[1]; "
        "bit e = measure q[0]; bit[2] f = measure q; "
        "c[0] = measure q[1]; "
        "c[{1, 0}] = measure q; measure q[0];"
    )
    pairs = [(op.qubit, op.clbit) for op in circuit.operations]
    assert pairs[:6] == [(0, 0), (1, 1), (1, 2), (0, 0), (1, 1), (0, 1)]
    assert pairs[6:] == [(0, 3), (0, 4), (1, 5), (1, 0), (0, 1), (1, 0), (0, 6)]


def test_reset_barrier_delay():
    circuit = read(
        "qubit[2] q; reset q; barrier q[1]; "
        "barrier; delay[100ns] q; "
        "delay[2 * 1.5us] q[0]; delay[3dt]; nop q;"
    )
    assert circuit.operations == (
        Reset(0),
        Reset(1),
        Barrier((1,)),
        Barrier((0, 1)),
        Delay(100.0, "ns", (0, 1)),
        Delay(3.0, "us", (0,)),
        Delay(3.0, "dt", (0, 1)),
    )


def test_inputs_become_parameters():
    circuit = read(
        "input float[64] theta; input angle phi; gate g(x) a { rx(x/2) a; } qubit q; "
        "rz(2*theta + pi) q; g(-phi) q; ry(sin(theta)*phi**2) q; float copy = theta; p(copy) q; "
    )
    theta, phi = Parameter("theta"), Parameter("phi")
    assert circuit.parameters == (theta, phi)
    expected = Circuit(1).rz(2 * theta + math.pi, 0).rx(-phi / 2, 0)
    expected.ry(qsim.sin(theta) * phi**2, 0).p(theta, 0)
    values = {"theta": 0.3, "phi": -0.7}
    assert_same_unitary(circuit.bind(values), expected.bind(values))
    with_modifiers = read(
        "input float a; input float b; qubit[2] q; pow(b) @ inv @ rx(a) q[0]; ctrl @ U(a, b, 1) q[0], q[1];"
    )
    assert len(with_modifiers.parameters) == 2


def test_constants_and_variables_known_while_reading_leave_no_trace():
    circuit = read(
        "const int n = 3; const float step = pi / 2**n; int k; k = n - 1; float t = step; bool on = k == 2; "
        "uint[2] small = 3; small += 1; int[4] i = 7; i += 1; angle[3] a = 3 * pi; a *= 3; qubit[n] q; "
        "if (on) { rz(t * k) q[k]; } else { x q; } t *= 2; rz(t) q[small]; rz(i) q[0]; rz(a) q[1]; "
    )
    step = math.pi / 8
    assert circuit == Circuit(3).rz(step * 2, 2).rz(step * 2, 0).rz(-8.0, 0).rz(math.pi, 1)
    assert circuit.variables == {}


def test_loops_known_while_reading_are_unrolled():
    circuit = read(
        "qubit[4] q; for int i in [0:3] { if (i == 1) continue; x q[i]; if (i == 2) { break; } } "
        "for uint i in {3, 0} y q[i]; "
        "for int i in [3:-2:0] { z q[i]; "
        "} for float t in {0.1, 0.2} rz(t) q[0]; "
        "int k = 0; while (true) { h q[k]; k += 1; if (k == 2) break; } for int i in [2:1] { x q; } "
        "for int i in [0:1] for int j in [i:1] { cx q[i], q[j + 2]; }"
    )
    expected = Circuit(4).x(0).x(2).y(3).y(0).z(3).z(1).rz(0.1, 0).rz(0.2, 0).h(0).h(1)
    expected.cx(0, 2).cx(0, 3).cx(1, 3)
    assert circuit == expected


def test_switch_known_while_reading():
    cases = "case 0 {{ x q[0]; }} case 1, 2 {{ y q[i]; }}"
    body = "qubit[3] q; for int i in [0:3] {{ switch (i) {{ " + cases + " {} }} }}"
    assert read(body.format("default { z q[0]; }")) == Circuit(3).x(0).y(1).y(2).z(0)
    assert read(body.format("")) == Circuit(3).x(0).y(1).y(2)


def test_subroutine_known_while_reading():
    circuit = read(
        "def fill(int n, qubit[3] r) -> int { for int i in [0:n-1] { h r[i]; } return n * 2; } "
        "def nothing(qubit a) { if (true) { return; } x a; } def half(float x) -> float { return x / 2; } "
        "qubit[3] q; "
        "int m = fill(2, q) + fill(1, q); rz(m) q[0]; "
        "nothing(q[0]); nothing q[1]; rz(half(3)) q[1];"
    )
    assert circuit == Circuit(3).h(0).h(1).h(0).rz(6.0, 0).rz(1.5, 1)


def test_end_stops_the_program():
    assert read("qubit q; x q; end; y q;") == Circuit(1).x(0)
    assert read("qubit q; x q; if (1 == 1) { end; } y q;") == Circuit(1).x(0)
    assert read("qubit q; x q; if (1 == 2) { end; } y q;") == Circuit(1).x(0).y(0)


def test_scopes():
    circuit = read(
        "qubit q; int x_ = 1; { int x_ = 2; rz(x_) q; } rz(x_) q; for int x_ in {5} { rz(x_) q; } rz(x_) q; "
        "if (true) { x_ = 7; int y_ = 3; } rz(x_) q; { int y_ = 4; rz(y_) q; }"
    )
    assert [op.params[0] for op in circuit.operations] == [2.0, 1.0, 5.0, 1.0, 7.0, 4.0]


def test_pragmas_annotations_comments_and_missing_header():
    text = """
    // no version, which OpenQASM 3 allows
    include "stdgates.inc";
    #pragma vendor thing { [ (
    pragma vendor "another
    @reversible @twice(3) {
    qubit q; /* block
    with @line in it */
      @bound
    h q;
    """
    assert loads(text) == Circuit(1).h(0)


@pytest.mark.parametrize(
    "header", ["OPENQASM 3;", "OPENQASM 3.0;", "OPENQASM 3.1;", "/* x */ OPENQASM  3.1 ;", ""]
)
def test_headers(header):
    assert loads(header + "qubit q; U(0, 0, 0) q;") == Circuit(1).u(0.0, 0.0, 0.0, 0)


def test_include_from_the_directory_of_the_file(tmp_path):
    (tmp_path / "mine.inc").write_text("gate mine a { h a; } const int n = 2;")
    (tmp_path / "main.qasm").write_text(HEADER3 + 'include "mine.inc"; qubit[n] q; mine q;')
    assert qsim.load(tmp_path / "main.qasm") == Circuit(2).h(0).h(1)


def test_many_turns_stay_a_loop():
    circuit = read("qubit q; for int i in [1:1000000] { h q; }")
    assert [op.name for op in circuit.operations] == ["for_loop"]
    with pytest.raises(QasmError, match="needs its index while it is read"):
        read("qubit[2] q; for int i in [1:1000000] { h q[i % 2]; }")


def test_endless_loops_are_refused(monkeypatch):
    monkeypatch.setattr("qsim.io.loops.MAX_STEPS", 10_000)
    with pytest.raises(QasmError, match="does not end within"):
        read("int i = 0; while (true) { i = 1; }")
