"""Reading OpenQASM 2."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from qasm_helpers import HEADER2, SAMPLES, assert_same_unitary, outcome

from qsim import Circuit, distribution, load
from qsim.classical import Binary, Bits, Literal
from qsim.errors import QasmError
from qsim.gates import GATES
from qsim.io import loads
from qsim.io.library import QELIB1
from qsim.operations import Barrier, IfElse, Measure, Reset


def read(body: str) -> Circuit:
    return loads(HEADER2 + body)


def angle(expression: str) -> float:
    (op,) = read(f"qreg q[1]; rz({expression}) q[0];").operations
    return op.params[0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("2-3-4", -5.0),
        ("8/4/2", 1.0),
        ("-2*-3", 6.0),
        ("+2", 2.0),
        ("1/2", 0.5),
        ("2--3", 5.0),
        ("(1+2)*3", 9.0),
        ("1+2*3", 7.0),
        ("pi/4", math.pi / 4),
        ("-pi", -math.pi),
        ("sin(pi/6)", math.sin(math.pi / 6)),
        ("cos(1)^2+sin(1)^2", math.cos(1) ** 2 + math.sin(1) ** 2),
        ("tan(0.5)", math.tan(0.5)),
        ("exp(2)", math.exp(2)),
        ("ln(2)", math.log(2)),
        ("sqrt(2)", math.sqrt(2)),
        ("1e-3", 1e-3),
        ("1.5E+2", 150.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("((((1))))", 1.0),
    ],
)
def test_parameter_expression(expression, expected):
    assert angle(expression) == expected


@pytest.mark.parametrize("name", sorted(QELIB1))
def test_each_gate_of_qelib1_is_the_gate_of_the_table(name):
    gate = GATES[QELIB1[name]]
    params = [0.1 * (k + 1) for k in range(gate.num_params)]
    listed = f"({','.join(map(str, params))})" if params else ""
    qubits = ",".join(f"q[{k}]" for k in range(gate.num_qubits))
    circuit = read(f"qreg q[{gate.num_qubits}]; {name}{listed} {qubits};")
    assert circuit == Circuit(gate.num_qubits).append(gate, params, range(gate.num_qubits))


def test_built_in_gates_need_no_include():
    circuit = loads("OPENQASM 2.0; qreg q[2]; U(0.1,0.2,0.3) q[0]; CX q[0],q[1];")
    assert circuit == Circuit(2).u(0.1, 0.2, 0.3, 0).cx(0, 1)


def test_registers_are_kept():
    circuit = read("qreg a[2]; creg x[1]; qreg b[1]; creg y[3];")
    assert circuit.quantum_registers == {"a": (0, 1), "b": (2,)}
    assert circuit.classical_registers == {"x": (0,), "y": (1, 2, 3)}


def test_broadcasting():
    circuit = read(
        "qreg a[2]; qreg b[2]; qreg c[1]; h a; cx a,b; cx c[0],a; cx a,c[0]; ccx a,b,c[0]; reset b;"
    )
    expected = Circuit(5).h(0).h(1).cx(0, 2).cx(1, 3).cx(4, 0).cx(4, 1).cx(0, 4).cx(1, 4)
    expected.ccx(0, 2, 4).ccx(1, 3, 4).reset([2, 3])
    assert circuit == expected


def test_a_register_of_one_is_no_single_qubit_in_a_broadcast():
    with pytest.raises(QasmError, match="same size, but have 1 and 2"):
        read("qreg a[1]; qreg b[2]; cx a,b;")


def test_empty_register():
    assert read("qreg a[0]; creg c[0]; h a; barrier a; measure a -> c;").operations == (Barrier(()),)


def test_measure_reset_barrier():
    circuit = read(
        "qreg q[2]; creg c[2]; measure q -> c; measure q[1] -> c[0]; reset q[0]; barrier q[1], q[0]; barrier;"
    )
    assert circuit.operations == (
        Measure(0, 0),
        Measure(1, 1),
        Measure(1, 0),
        Reset(0),
        Barrier((1, 0)),
        Barrier((0, 1)),
    )


def test_condition():
    circuit = read(
        "qreg q[2]; creg c[2]; if (c==2) x q; if(c==1) measure q[0]->c[0]; if(c==0) reset q; if(c==4) y q;"
    )
    assert [type(op) for op in circuit.operations] == [IfElse] * 3
    first = circuit.operations[0]
    assert first.condition == Binary("==", Bits((0, 1)), Literal(2, "uint", 2))
    assert first.then_body.operations == Circuit(2).x(0).x(1).operations
    assert first.then_body.num_qubits == 2 and first.then_body.num_clbits == 2


def test_condition_runs():
    body = "qreg q[2]; creg c[2]; creg d[2]; x q[1]; measure q->c; "
    body += "if(c==2) x q[0]; if(c==1) x q[1]; measure q->d;"
    assert outcome(body, HEADER2) == {"c": "10", "d": "11"}


def test_defined_gate():
    circuit = read(
        "gate g(a,b) x,y { rx(a/2) x; cx x,y; rz(-b^2) y; } "
        "gate twice(t) p,q { g(t,2*t) p,q; g(-t,pi) q,p; } "
        "qreg q[3]; twice(0.5) q[2],q[0];"
    )
    expected = Circuit(3).rx(0.25, 2).cx(2, 0).rz(-1.0, 0).rx(-0.25, 0).cx(0, 2).rz(-(math.pi**2), 2)
    assert circuit == expected


def test_defined_gate_takes_the_place_of_a_library_gate():
    circuit = read("gate h a { x a; } qreg q[1]; h q[0];")
    assert circuit == Circuit(1).x(0)
    circuit = loads('OPENQASM 2.0; gate h a { U(0,0,0) a; } include "qelib1.inc"; qreg q[1]; h q[0];')
    assert circuit == Circuit(1).u(0.0, 0.0, 0.0, 0)


def test_a_definition_does_not_see_what_comes_after_it():
    circuit = read("gate g a { h a; } gate h a { x a; } qreg q[1]; g q[0];")
    assert circuit == Circuit(1).h(0)


def test_gate_without_body_or_parameters():
    assert (
        len(
            read(
                "gate none a,b {} gate empty() a { barrier a; "
                "} qreg q[2]; none q[0],q[1]; empty q; empty() q;"
            )
        )
        == 0
    )


def test_opaque():
    circuit = read("opaque iswap a,b; opaque secret(x) a; qreg q[2]; iswap q[0],q[1];")
    assert circuit == Circuit(2).iswap(0, 1)
    with pytest.raises(QasmError, match="Gate `secret` is opaque"):
        read("opaque secret(x) a; qreg q[1]; secret(1) q[0];")
    with pytest.raises(QasmError, match="Gate `iswap` is opaque"):  # not the gate we know: other arguments
        read("opaque iswap a,b,c; qreg q[3]; iswap q[0],q[1],q[2];")
    with pytest.raises(QasmError, match="Gate `secret` is opaque"):
        read("opaque secret a; gate g a { secret a; } qreg q[1]; g q[0];")


def test_comments_and_layout():
    text = "// first\nOPENQASM/* a */2.0;\r\ninclude\n'qelib1.inc' ;\tqreg q [ 2 ] ; "
    text += "/* multi\nline * / */h q[ 0 ];//end"
    assert loads(text) == Circuit(2).h(0)
    assert loads("\ufeff" + text) == Circuit(2).h(0)


def test_include_from_the_directory_of_the_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "inner.inc").write_text("gate inner a { h a; }")
    (tmp_path / "outer.inc").write_text('include "sub/inner.inc"; gate outer a { inner a; x a; }')
    (tmp_path / "main.qasm").write_text(HEADER2 + 'include "outer.inc"; qreg q[1]; outer q[0];')
    assert load(tmp_path / "main.qasm") == Circuit(1).h(0).x(0)
    text = (tmp_path / "main.qasm").read_text()
    assert loads(text, path=tmp_path / "main.qasm") == Circuit(1).h(0).x(0)


def test_include_errors_name_the_file(tmp_path):
    (tmp_path / "bad.inc").write_text("gate g a {\n  nonsense a;\n}")
    main = tmp_path / "main.qasm"
    main.write_text('OPENQASM 2.0;\ninclude "bad.inc";')
    with pytest.raises(QasmError, match=r"`nonsense` is not defined.*bad\.inc") as caught:
        load(main)
    assert (caught.value.line, caught.value.column) == (2, 3)
    main.write_text('OPENQASM 2.0;\ninclude "missing.inc";')
    with pytest.raises(QasmError, match=r"File `missing\.inc` cannot be included: No such file"):
        load(main)
    main.write_text('OPENQASM 2.0;\ninclude "main.inc";')
    (tmp_path / "main.inc").write_text('include "main.inc";')
    with pytest.raises(QasmError, match="nested more than"):
        load(main)


def test_file_that_is_no_text(tmp_path):
    path = tmp_path / "image.qasm"
    path.write_bytes(b"OPENQASM 2.0;\n\xff\xfe\x00")
    with pytest.raises(QasmError, match="not UTF-8") as caught:
        load(path)
    assert caught.value.line == 2
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.qasm")


def test_sample_adder():
    assert distribution(load(SAMPLES / "adder2.qasm")) == pytest.approx({"10000": 1.0})


def test_sample_with_everything():
    circuit = load(SAMPLES / "everything2.qasm")
    assert circuit.num_qubits == 5 and len(circuit) > 50
    state = circuit.matrix()[:, 0]
    assert np.linalg.norm(state) == pytest.approx(1.0)


def test_exponential_definitions_are_refused_quickly():
    body = "gate g0 a { x a; }" + "".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}" for k in range(1, 60))
    start = time.perf_counter()
    with pytest.raises(QasmError, match="expands to more than"):
        read(body + "qreg q[1]; g59 q[0];")
    assert time.perf_counter() - start < 5
    assert_same_unitary(read(body + "qreg q[1]; g3 q[0];"), Circuit(1).id(0))


def test_definitions_of_many_levels():
    body = "gate g0 a { x a; }" + "".join(f"gate g{k} a {{ g{k - 1} a; }}" for k in range(1, 90))
    assert read(body + "qreg q[1]; g89 q[0];") == Circuit(1).x(0)


def test_file_of_many_gates_is_linear():
    lines = "".join(f"rz({k}.5) q[{k % 5}]; cx q[{k % 5}],q[{(k + 1) % 5}];" for k in range(5000))
    assert len(read("qreg q[5];" + lines)) == 10_000
