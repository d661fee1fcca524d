"""Bad files and texts: OpenQASM and JSON readers, whatever they are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from badinput_helpers import Case, cases, check_case, each_case

import qsim
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, QasmError, UnknownGateError

HEAD3 = 'OPENQASM 3.0; include "stdgates.inc"; '


def qasm(text):
    return lambda: Circuit.from_qasm(text)


def read(**changes):
    """A good circuit in JSON with some fields replaced."""
    data = {**Circuit(1, 1).h(0).to_dict(), **changes}
    return lambda: Circuit.from_json(json.dumps(data))


def without(name):
    data = Circuit(1, 1).h(0).to_dict()
    del data[name]
    return lambda: Circuit.from_json(json.dumps(data))


def operation(data):
    return read(operations=[data])


TEXTS = cases(
    ("qasm-none", qasm(None), TypeError, "Argument `text` must be a str"),
    ("qasm-bytes", qasm(b"OPENQASM 3.0;"), TypeError, "Argument `text` must be a str"),
    ("qasm-path", qasm(Path("a.qasm")), TypeError, "Argument `text` must be a str"),
    ("qasm-version", qasm("OPENQASM 4.0;"), QasmError, "OpenQASM version 4 is not supported"),
    ("qasm-huge-register", qasm(HEAD3 + "qubit[4000000000] q;"), QasmError, "4000000000"),
    ("qasm2-huge-register", qasm("OPENQASM 2.0; qreg q[4000000000];"), QasmError, "4000000000"),
    ("qasm-huge-bits", qasm(HEAD3 + "bit[4000000000] c;"), QasmError, "4000000000"),
    ("qasm-negative-register", qasm(HEAD3 + "qubit[-1] q;"), QasmError, "-1"),
    ("qasm-index", qasm(HEAD3 + "qubit[2] q; h q[2];"), QasmError, "out of range"),
    ("qasm-twice", qasm(HEAD3 + "qubit[2] q; cx q[0], q[0];"), QasmError, "used twice"),
    ("qasm-division", qasm(HEAD3 + "qubit q; rx(1/0) q;"), QasmError, "zero"),
    ("qasm-overflow", qasm(HEAD3 + "qubit q; rx(1e200*1e200) q;"), QasmError, "finite"),
    ("qasm-nul", qasm("OPENQASM 3.0;\0"), QasmError, "line 1"),
    ("qasm-huge-power", qasm(HEAD3 + "qubit q; rx(9**9**9**9) q;"), QasmError, "line 1"),
    ("qasm-huge-shift", qasm(HEAD3 + "qubit q; rx(1 << 99999999999) q;"), QasmError, "line 1"),
    ("qasm-nested", qasm("OPENQASM 3.0; " + "(" * 100_000), QasmError, ""),
    ("load-none", lambda: qsim.load(None), TypeError, "path"),
    ("load-int", lambda: qsim.load(3.5), TypeError, "path"),
)

JSON = cases(
    ("json-none", lambda: Circuit.from_json(None), TypeError, "Argument `text` must be a str"),
    ("json-dict", lambda: Circuit.from_json({}), TypeError, "Argument `text` must be a str"),
    ("json-empty", lambda: Circuit.from_json(""), ArgumentError, "must be JSON, but line 1"),
    ("json-number", lambda: Circuit.from_json("3"), ArgumentError, "must be a circuit of JSON format 1"),
    ("json-null", lambda: Circuit.from_json("null"), ArgumentError, "must be a circuit of JSON format 1"),
    ("json-no-operations", without("operations"), ArgumentError, "`operations`"),
    ("json-no-qubits", without("num_qubits"), ArgumentError, "`num_qubits`"),
    ("json-qubits-str", read(num_qubits="1"), ArgumentError, "Argument `num_qubits` must be an int"),
    ("json-qubits-huge", read(num_qubits=10**12), ArgumentError, "Argument `num_qubits` must be at most"),
    ("json-operations-int", read(operations=3), ArgumentError, "`data`"),
    ("json-operation-int", operation(3), ArgumentError, "An operation in JSON must"),
    ("json-operation-empty", operation({}), ArgumentError, "An operation in JSON must"),
    ("json-operation-unknown", operation({"op": "jump"}), ArgumentError, "'jump'"),
    ("json-gate-unknown", operation({"gate": "cnott", "qubits": [0]}), UnknownGateError, "cnott"),
    ("json-gate-type", operation({"gate": {"type": "Evil"}, "qubits": [0]}), ArgumentError, "'Evil'"),
    (
        "json-gate-fields",
        operation({"gate": {"type": "UnitaryGate"}, "qubits": [0]}),
        ArgumentError,
        "`data`",
    ),
    ("json-no-qubits-of-gate", operation({"gate": "h"}), ArgumentError, "`data`"),
    ("json-qubit-range", operation({"gate": "h", "qubits": [5]}), qsim.errors.QubitError, "Qubit 5 is out"),
    ("json-qubit-float", operation({"gate": "h", "qubits": [0.0]}), ArgumentError, "Qubit must be an int"),
    ("json-qubit-count", operation({"gate": "h", "qubits": [0, 0]}), qsim.errors.CircuitError, "acts on 1"),
    ("json-params-missing", operation({"gate": "rx", "qubits": [0]}), qsim.errors.ParameterError, "takes 1"),
    (
        "json-param-nan",
        operation({"gate": "rx", "qubits": [0], "params": [float("nan")]}),
        qsim.errors.ParameterError,
        "must be finite",
    ),
    (
        "json-param-str",
        operation({"gate": "rx", "qubits": [0], "params": ["a"]}),
        ArgumentError,
        "must be a real number",
    ),
    (
        "json-control-values",
        operation({"gate": "x", "qubits": [0], "controls": [], "control_values": [1]}),
        qsim.errors.CircuitError,
        "Argument `control_values`",
    ),
    ("json-measure", operation({"op": "measure", "qubit": 0, "clbit": 9}), qsim.errors.QubitError, "bit 9"),
    ("json-measure-missing", operation({"op": "measure"}), ArgumentError, "`data`"),
    ("json-body", operation({"op": "while_loop", "condition": 3, "bodies": []}), ArgumentError, "`data`"),
    ("json-registers", read(quantum_registers=[1]), ArgumentError, "`data`"),
    ("json-register-range", read(quantum_registers={"q": [7]}), qsim.errors.QubitError, "Qubit 7 is out"),
    ("json-variables", read(variables=[[3, 0]]), ArgumentError, "`data`"),
    ("json-name", read(name=3), ArgumentError, "Argument `name` must be a str"),
    ("dict-none", lambda: Circuit.from_dict(None), ArgumentError, "must be a circuit of JSON format 1"),
)

CASES = TEXTS + JSON


@each_case(CASES)
def test_refused(case: Case) -> None:
    check_case(case)


def test_missing_files_are_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        qsim.load(tmp_path / "missing.qasm")
    with pytest.raises(IsADirectoryError):
        qsim.load(tmp_path)


def test_binary_files_are_refused(tmp_path):
    path = tmp_path / "a.qasm"
    path.write_bytes(b"OPENQASM 3.0;\n\xff\xfe")
    with pytest.raises(QasmError, match="line 2, column 1: The file is not UTF-8 text"):
        qsim.load(path)
