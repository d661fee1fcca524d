"""Bad input while a circuit is built."""

from __future__ import annotations

import numpy as np
import pytest
from refusal import assert_refused, cases

import qsim
from qsim import classical, user_gates
from qsim.circuit import Circuit
from qsim.errors import (
    ArgumentError,
    CircuitError,
    MemoryBudgetError,
    ObservableError,
    ParameterError,
    QubitError,
    StateError,
    UnknownGateError,
)
from qsim.parameters import Parameter, ParameterVector

NAN, INF = float("nan"), float("inf")
THETA = Parameter("theta")

# -- angles -------------------------------------------------------------------------------------------
#: bad value of an angle -> (error, text)
ANGLES = {
    "nan": (NAN, ParameterError, "must be finite, but is nan"),
    "inf": (INF, ParameterError, "must be finite, but is inf"),
    "-inf": (-INF, ParameterError, "must be finite, but is -inf"),
    "float32 nan": (np.float32("nan"), ParameterError, "must be finite, but is nan"),
    "None": (None, TypeError, "must be a real number or an expression, but is NoneType"),
    "str": ("0.3", TypeError, "must be a real number or an expression, but is str"),
    "bool": (True, TypeError, "must be a real number or an expression, but is bool"),
    "complex": (1j, TypeError, "must be a real number or an expression, but is complex"),
    "array": (np.zeros(2), TypeError, "must be a real number or an expression, but is ndarray"),
    "vector": (ParameterVector("v", 2), TypeError, r"but is ParameterVector .*one by one"),
}
#: place of an angle -> (call with the bad value, what the message names)
ANGLE_PLACES = {
    "rx": (lambda v: Circuit(2).rx(v, 0), "gate `rx`"),
    "crx": (lambda v: Circuit(2).crx(v, 0, 1), "gate `crx`"),
    "u 1st": (lambda v: Circuit(2).u(v, 0.1, 0.2, 0), "gate `u`"),
    "u 3rd": (lambda v: Circuit(2).u(0.1, 0.2, v, 0), "gate `u`"),
    "gphase": (lambda v: Circuit(2).gphase(v), "gate `gphase`"),
    "controlled rz": (lambda v: Circuit(2).rz(v, 0, controls=1), "gate `rz`"),
    "append": (lambda v: Circuit(2).append("rzz", (v,), (0, 1)), "gate `rzz`"),
    "multi_rz": (lambda v: Circuit(2).multi_rz(v, [0, 1]), "gate `pauli_rotation`"),
    "pauli_rotation": (lambda v: Circuit(2).pauli_rotation(v, "XY", [0, 1]), "gate `pauli_rotation`"),
    "generator": (lambda v: Circuit(2).generator(np.eye(2), v, 0), "gate `generator`"),
    "exp_pauli_sum": (lambda v: Circuit(2).exp_pauli_sum({"Z0": 1.0}, v), "gate `exp_pauli_sum`"),
    "mcp": (lambda v: Circuit(2).mcp(v, [0], 1), "gate `p`"),
}


@pytest.mark.parametrize("place", ANGLE_PLACES)
@pytest.mark.parametrize("bad", ANGLES)
def test_bad_angles(place, bad):
    value, error, text = ANGLES[bad]
    call, name = ANGLE_PLACES[place]
    assert_refused(lambda: call(value), error, f"{name}.*{text}")


# -- qubits -------------------------------------------------------------------------------------------
QUBITS = {
    "-1": (-1, QubitError, r"-1 is out of range .*\(valid: 0 to 2\)"),
    "n": (3, QubitError, r"3 is out of range for a circuit of 3 (qubits|classical bits)"),
    "2**31": (2**31, QubitError, "2147483648 is out of range"),
    "2**63": (2**63, QubitError, "9223372036854775808 is out of range"),
    "2**64": (2**64, QubitError, "18446744073709551616 is out of range"),
    "float": (1.0, TypeError, r"must be an int.*, but is float \(1\.0\)"),
    "numpy float": (np.float64(0), TypeError, r"must be an int.*, but is float64"),
    "str": ("0", TypeError, r"must be an int.*, but is str"),
    "None": (None, TypeError, r"must be an int.*, but is NoneType"),
    "bool": (True, TypeError, r"must be an int.*, but is bool"),
    "complex": (0j, TypeError, r"must be an int.*, but is complex"),
}
QUBIT_PLACES = {
    "x": lambda q: Circuit(3).x(q),
    "cx control": lambda q: Circuit(3).cx(q, 0),
    "cx target": lambda q: Circuit(3).cx(0, q),
    "controls": lambda q: Circuit(3).rx(0.1, 0, controls=[q]),
    "ccx": lambda q: Circuit(3).ccx(0, 1, q),
    "unitary": lambda q: Circuit(3).unitary(np.eye(2), [q]),
    "pauli_rotation": lambda q: Circuit(3).pauli_rotation(0.1, "XX", [0, q]),
    "measure qubit": lambda q: Circuit(3, 3).measure(q, 0),
    "measure clbit": lambda q: Circuit(3, 3).measure(0, q),
    "reset": lambda q: Circuit(3).reset(q),
    "barrier": lambda q: Circuit(3).barrier(q),
    "prepare": lambda q: Circuit(3).prepare([1, 0], [q]),
    "kraus": lambda q: Circuit(3).kraus([np.eye(2)], [q]),
    "compose": lambda q: Circuit(3).compose(Circuit(1), [q]),
    "remap": lambda q: Circuit(3).remap([0, 1, q]),
}


@pytest.mark.parametrize("place", QUBIT_PLACES)
@pytest.mark.parametrize("bad", QUBITS)
def test_bad_qubits(place, bad):
    value, error, text = QUBITS[bad]
    what = "Control qubit" if place == "controls" else "Classical bit" if "clbit" in place else "Qubit"
    assert_refused(lambda: QUBIT_PLACES[place](value), error, f"^{what}.* {text}|^{what} {text}")


@cases(
    {
        "cx": (lambda: Circuit(3).cx(1, 1), QubitError, "`cx` has qubit 1 both as control and as target"),
        "swap": (lambda: Circuit(3).swap(2, 2), QubitError, "`swap` has qubit 2 twice"),
        "ccx": (lambda: Circuit(3).ccx(0, 0, 1), QubitError, "`ccx` has qubit 0 twice"),
        "control": (
            lambda: Circuit(3).x(0, controls=[0]),
            QubitError,
            "qubit 0 both as control and as target",
        ),
        "controls": (lambda: Circuit(3).x(0, controls=[1, 1]), QubitError, "Control qubit 1 is named twice"),
        "cx and control": (
            lambda: Circuit(3).cx(0, 1, controls=0),
            QubitError,
            "both as control and as target",
        ),
        "unitary": (lambda: Circuit(3).unitary(np.eye(4), [1, 1]), QubitError, "`unitary` has qubit 1 twice"),
        "measure": (lambda: Circuit(3, 3).measure([0, 0], [0, 1]), QubitError, "Qubit 0 is named twice"),
        "clbits": (
            lambda: Circuit(3, 3).measure([0, 1], [2, 2]),
            QubitError,
            "Classical bit 2 is named twice",
        ),
        "reset": (lambda: Circuit(3).reset([1, 1]), QubitError, "Qubit 1 is named twice in `reset`"),
        "broadcast": (lambda: Circuit(3).h([0, 1, 0]), QubitError, "Qubit 0 is named twice in gate `h`"),
        "barrier": (lambda: Circuit(3).barrier(0, 0), QubitError, "Qubit 0 is named twice"),
        "remap": (lambda: Circuit(2).remap([1, 1]), QubitError, "Qubit 1 is named twice"),
        "compose": (lambda: Circuit(3).compose(Circuit(2), [2, 2]), QubitError, "Qubit 2 is named twice"),
    }
)
def test_duplicates(call, error, match):
    assert_refused(call, error, match)


# -- sizes and counts -----------------------------------------------------------------------------------
COUNTS = {
    "-1": (-1, ArgumentError, "must be at least 0, but is -1"),
    "float": (2.0, TypeError, "must be an int, but is float"),
    "str": ("2", TypeError, "must be an int, but is str"),
    "None": (None, TypeError, "must be an int, but is NoneType"),
    "bool": (True, TypeError, "must be an int, but is bool"),
    "nan": (NAN, TypeError, "must be an int, but is float"),
    "list": ([2], TypeError, "must be an int, but is list"),
}
COUNT_PLACES = {
    "num_qubits": lambda v: Circuit(v),
    "num_clbits": lambda v: Circuit(1, v) if v is not None else Circuit(1, num_clbits=v),
    "times": lambda v: Circuit(1).repeat(v),
    "dimension": lambda v: Circuit(1).pcphase(0.1, v, [0]),
}


@pytest.mark.parametrize("place", COUNT_PLACES)
@pytest.mark.parametrize("bad", COUNTS)
def test_bad_counts(place, bad):
    value, error, text = COUNTS[bad]
    assert_refused(lambda: COUNT_PLACES[place](value), error, f"Argument `{place}` {text}")


# -- matrices -----------------------------------------------------------------------------------------
def hole(value: complex) -> np.ndarray:
    m = np.eye(2, dtype=complex)
    m[0, 1] = value
    return m


SQUARE = r"must have shape \(2\*\*k, 2\*\*k\)"
MATRICES = {
    "nan": (hole(NAN), ArgumentError, "must be finite"),
    "inf": (hole(INF), ArgumentError, "must be finite"),
    "imaginary nan": (hole(1j * NAN), ArgumentError, "must be finite"),
    "3 x 3": (np.eye(3), ArgumentError, SQUARE),
    "2 x 4": (np.eye(4)[:2], ArgumentError, SQUARE),
    "1 x 1": (np.eye(1), ArgumentError, SQUARE),
    "vector": (np.ones(2), ArgumentError, SQUARE),
    "scalar": (1.0, ArgumentError, SQUARE),
    "empty": (np.zeros((0, 0)), ArgumentError, SQUARE),
    "three axes": (np.zeros((2, 2, 2)), ArgumentError, SQUARE),
    "str": ("eye", TypeError, "must be a matrix of numbers, but is str"),
    "None": (None, TypeError, "must be a matrix of numbers, but is NoneType"),
    "ragged": ([[1, 0], [0]], TypeError, "must be a matrix of numbers, but is list"),
    "objects": (np.array([[None, 1], [1, 2]]), TypeError, "must be a matrix of numbers"),
}
MATRIX_PLACES = {
    "matrix": lambda m: Circuit(2).unitary(m, 0),
    "generator": lambda m: Circuit(2).generator(m, 0.1, 0),
    "matrices": lambda m: Circuit(2).kraus([m], 0),
}


@pytest.mark.parametrize("place", MATRIX_PLACES)
@pytest.mark.parametrize("bad", MATRICES)
def test_bad_matrices(place, bad):
    value, error, text = MATRICES[bad]
    assert_refused(lambda: MATRIX_PLACES[place](value), error, f"Argument `{place}` {text}")


@cases(
    {
        "scaled": (
            lambda: Circuit(1).unitary(1.01 * np.eye(2), 0),
            ArgumentError,
            "`matrix` must be unitary",
        ),
        "projector": (
            lambda: Circuit(1).unitary(np.diag([1, 0]), 0),
            ArgumentError,
            "`matrix` must be unitary",
        ),
        "real": (lambda: Circuit(1).unitary([[1, 1], [1, -1]], 0), ArgumentError, "Pass check=False"),
        "wrong qubits": (
            lambda: Circuit(2).unitary(np.eye(4), 0),
            CircuitError,
            "acts on 2 qubits, but got 1",
        ),
        "generator": (
            lambda: Circuit(1).generator([[0, 1], [0, 0]], 0.1, 0),
            ArgumentError,
            "`generator` must be Hermitian",
        ),
        "kraus": (lambda: Circuit(1).kraus([np.diag([1, 0])], 0), ArgumentError, "must preserve the trace"),
        "no kraus": (lambda: Circuit(1).kraus([], 0), ArgumentError, "`matrices` must be one or more"),
        "kraus size": (lambda: Circuit(2).kraus([np.eye(2)], [0, 1]), ArgumentError, r"of shape \(4, 4\)"),
        "inverse of any matrix": (
            lambda: Circuit(1).unitary(np.diag([1, 2]), 0, check=False).inverse(),
            CircuitError,
            "made with check=False",
        ),
        "diagonal modulus": (lambda: Circuit(1).diagonal([1, 2], 0), ArgumentError, "entry 1 has 2"),
        "diagonal nan": (lambda: Circuit(1).diagonal([1, NAN], 0), ArgumentError, "`entries` must be finite"),
        "diagonal length": (
            lambda: Circuit(2).diagonal([1, 1, 1], [0, 1]),
            ArgumentError,
            "`entries` must have",
        ),
        "diagonal empty": (lambda: Circuit(2).diagonal([], 0), ArgumentError, "`entries` must have shape"),
        "diagonal 2-D": (
            lambda: Circuit(2).diagonal(np.eye(2), 0),
            ArgumentError,
            "`entries` must have shape",
        ),
        "diagonal str": (lambda: Circuit(2).diagonal("ab", 0), TypeError, "`entries` must be"),
        "permutation twice": (
            lambda: Circuit(1).permutation([0, 0], 0),
            ArgumentError,
            r"each of 0\.\.1 once",
        ),
        "permutation range": (
            lambda: Circuit(1).permutation([1, 2], 0),
            ArgumentError,
            r"each of 0\.\.1 once",
        ),
        "permutation float": (
            lambda: Circuit(1).permutation([0.0, 1.0], 0),
            ArgumentError,
            "2\\*\\*k integers",
        ),
        "permutation bool": (lambda: Circuit(1).permutation([False, True], 0), ArgumentError, "integers"),
        "permutation length": (lambda: Circuit(2).permutation([0, 1, 2], [0, 1]), ArgumentError, "integers"),
        "pcphase": (lambda: Circuit(1).pcphase(0.1, 3, 0), ArgumentError, "`dimension` must be 0 to 2"),
    }
)
def test_matrices_without_the_property(call, error, match):
    assert_refused(call, error, match)


# -- amplitudes ----------------------------------------------------------------------------------------
AMPLITUDES = {
    "norm": ([1, 1], StateError, "must have norm 1, but has norm 1.41421. Pass normalize=True"),
    "zero": ([0, 0], StateError, "must have norm 1, but is zero"),
    "nan": ([NAN, 1], StateError, "must be finite"),
    "inf": ([INF, 0], StateError, "must be finite"),
    "length": ([1, 0, 0], StateError, r"must have shape \(2\*\*k,\), but has shape \(3,\)"),
    "empty": ([], StateError, r"must have shape \(2\*\*k,\)"),
    "2-D": (np.eye(2), StateError, r"must have shape \(2\*\*k,\)"),
    "str": ("10", TypeError, "must be"),
    "None": (None, TypeError, "must be"),
}


@pytest.mark.parametrize("method", ["prepare", "initialize"])
@pytest.mark.parametrize("bad", AMPLITUDES)
def test_bad_amplitudes(method, bad):
    value, error, text = AMPLITUDES[bad]
    assert_refused(lambda: getattr(Circuit(1), method)(value, [0]), error, f"Argument `amplitudes` {text}")


# -- the rest of the methods ---------------------------------------------------------------------------
BODY = Circuit(1, 1)


@cases(
    {
        "unknown gate": (
            lambda: Circuit(2).append("cnott", (), (0, 1)),
            UnknownGateError,
            "Unknown gate `cnott`. Did you mean `cnot`",
        ),
        "gate type": (lambda: Circuit(2).append(3, (), 0), TypeError, "`gate` must be a gate, its name"),
        "gate None": (lambda: Circuit(2).append(None), TypeError, "`gate` must be a gate"),
        "too few qubits": (
            lambda: Circuit(2).append("cx", (), 0),
            CircuitError,
            "acts on 2 qubits, but got 1",
        ),
        "too many params": (
            lambda: Circuit(2).append("x", 0.1, 0),
            ParameterError,
            "takes 0 parameters, but got 1",
        ),
        "too few params": (
            lambda: Circuit(2).append("rx", (), 0),
            ParameterError,
            "takes 1 parameter, but got 0",
        ),
        "operation type": (
            lambda: Circuit(1).append_operation("x"),
            TypeError,
            "`operation` must be an Operation",
        ),
        "control values length": (
            lambda: Circuit(2).x(0, controls=[1], control_values=[1, 0]),
            CircuitError,
            "`control_values` must hold 1 values",
        ),
        "control values 2": (
            lambda: Circuit(2).x(0, controls=[1], control_values=[2]),
            CircuitError,
            "must hold only 0 and 1, but holds 2",
        ),
        "control values str": (
            lambda: Circuit(2).x(0, controls=[1], control_values="x"),
            CircuitError,
            "must hold only 0 and 1, but holds 'x'",
        ),
        "control values alone": (
            lambda: Circuit(2).x(0, control_values=[1]),
            CircuitError,
            "`control_values` must hold 0 values",
        ),
        "label letter": (
            lambda: Circuit(2).pauli_rotation(0.1, "XQ", [0, 1]),
            ArgumentError,
            "`label` must hold only I, X, Y, Z, but has 'Q' at 1",
        ),
        "label lower": (lambda: Circuit(1).pauli("x", 0), ArgumentError, "`label` must hold only I, X, Y, Z"),
        "label type": (lambda: Circuit(1).pauli(3, 0), TypeError, "`label` must be a str, but is int"),
        "label length": (
            lambda: Circuit(2).pauli("XYZ", [0, 1]),
            CircuitError,
            "`label` has 3 letters, but 2",
        ),
        "rotation length": (
            lambda: Circuit(2).pauli_rotation(0.1, "XYZ", [0, 1]),
            CircuitError,
            "acts on 3 qubits, but got 2",
        ),
        "measure counts": (
            lambda: Circuit(2, 2).measure([0, 1], [0]),
            CircuitError,
            "`qubits` and `clbits` must be equally many, but are 2 and 1",
        ),
        "measure no bits": (
            lambda: Circuit(1).measure(0, 0),
            QubitError,
            r"0 classical bits \(it has none\)",
        ),
        "measure_pauli I": (lambda: Circuit(1, 1).measure_pauli("I", [0], 0), CircuitError, "not all I"),
        "no qubits": (lambda: Circuit(0).x(0), QubitError, r"Qubit 0 .* circuit of 0 qubits \(it has none\)"),
        "order": (
            lambda: Circuit(1).exp_pauli_sum({"Z0": 1}, 0.1, order=3),
            ArgumentError,
            "must be 1, 2 or 4",
        ),
        "steps": (
            lambda: Circuit(1).exp_pauli_sum({"Z0": 1}, 0.1, steps=0),
            ArgumentError,
            "`steps` must be",
        ),
        "steps bool": (
            lambda: Circuit(1).exp_pauli_sum({"Z0": 1}, 0.1, steps=True),
            ArgumentError,
            "`steps` must be a positive int",
        ),
        "complex sum": (
            lambda: Circuit(1).exp_pauli_sum({"Z0": 1j}, 0.1),
            ArgumentError,
            "`pauli_sum` must be Hermitian",
        ),
        "wide sum": (
            lambda: Circuit(1).exp_pauli_sum({"Z3": 1}, 0.1),
            ArgumentError,
            "`pauli_sum` acts on 4",
        ),
        "sum label": (lambda: Circuit(1).exp_pauli_sum({"Q0": 1}, 0.1), ObservableError, "'Q' at position 0"),
        "delay negative": (
            lambda: Circuit(1).delay(-1, 0),
            ArgumentError,
            "`duration` must be a finite number",
        ),
        "delay nan": (lambda: Circuit(1).delay(NAN, 0), ArgumentError, "`duration` must be a finite number"),
        "delay unit": (lambda: Circuit(1).delay(1, 0, "h"), ArgumentError, "`unit` must be one of"),
        "power nan": (lambda: Circuit(1).power(NAN), ArgumentError, "`exponent` must be finite, but is nan"),
        "power str": (lambda: Circuit(1).power("2"), TypeError, "`exponent` must be a real number"),
        "power bool": (lambda: Circuit(1).power(True), TypeError, "`exponent` must be a real number"),
        "power of parameters": (lambda: Circuit(1).rx(THETA, 0).power(0.5), ParameterError, "theta are free"),
        "control 0": (lambda: Circuit(1).control(0), ArgumentError, "`num_controls` must be at least 1"),
        "control of measure": (
            lambda: Circuit(1, 1).measure(0, 0).control(),
            CircuitError,
            "cannot be controlled",
        ),
        "inverse of measure": (lambda: Circuit(1, 1).measure(0, 0).inverse(), CircuitError, "has no inverse"),
        "gate of measure": (
            lambda: Circuit(1, 1).measure(0, 0).to_gate(),
            CircuitError,
            "contains `measure`",
        ),
        "matrix of 11": (
            lambda: Circuit(11).matrix(),
            CircuitError,
            "at most 10 qubits, but the circuit has 11",
        ),
        "matrix of 1000": (lambda: Circuit(1000).matrix(), CircuitError, "at most 10 qubits"),
        "matrix of params": (lambda: Circuit(1).rx(THETA, 0).matrix(), ParameterError, "theta are free"),
        "matrix of reset": (lambda: Circuit(1).reset(0).matrix(), CircuitError, "has no matrix"),
        "compose type": (lambda: Circuit(1).compose("h"), TypeError, "`other` must be a Circuit, but is str"),
        "compose size": (lambda: Circuit(1).compose(Circuit(2)), QubitError, "Qubit 1 is out of range"),
        "compose places": (
            lambda: Circuit(3).compose(Circuit(2), [0]),
            CircuitError,
            "`qubits` must name 2 places, but names 1",
        ),
        "remap places": (lambda: Circuit(2).remap([0]), CircuitError, "`mapping` must name 2 places"),
        "remap key": (lambda: Circuit(2).remap({5: 0}), QubitError, "Qubit 5 is out of range"),
        "bind unknown": (
            lambda: Circuit(1).rx(THETA, 0).bind({"thta": 1}),
            ParameterError,
            "`thta` does not occur .* Did you mean `theta`",
        ),
        "bind length": (lambda: Circuit(1).rx(THETA, 0).bind([1, 2]), ParameterError, "`values` must hold 1"),
        "bind nan": (lambda: Circuit(1).rx(THETA, 0).bind({"theta": NAN}), ParameterError, "must be finite"),
        "bind str": (
            lambda: Circuit(1).rx(THETA, 0).bind({"theta": "1"}),
            TypeError,
            "must be a real number",
        ),
        "bind bool": (
            lambda: Circuit(1).rx(THETA, 0).bind({"theta": True}),
            TypeError,
            "must be a real number",
        ),
        "body type": (lambda: Circuit(1, 1).if_else((0, 1), "x"), TypeError, "body must be a Circuit"),
        "body size": (lambda: Circuit(1, 1).if_else((0, 1), Circuit(2)), CircuitError, "body has 2 qubits"),
        "condition bit": (
            lambda: Circuit(1, 1).if_else((3, 1), BODY),
            QubitError,
            "Classical bit 3 is out of",
        ),
        "condition value": (
            lambda: Circuit(1, 1).if_else((0, 2), BODY),
            ArgumentError,
            "must be 0 to 1, but is 2",
        ),
        "condition type": (lambda: Circuit(1, 1).if_else(0, BODY), TypeError, "condition must be"),
        "condition None": (lambda: Circuit(1, 1).while_loop(None, BODY), TypeError, "condition must be"),
        "assign bit": (lambda: Circuit(1, 1).assign(4, 1), QubitError, "Classical bit 4 is out of range"),
        "declared twice": (
            lambda: (c := Circuit(1), c.declare("n"), c.declare("n")),
            CircuitError,
            "`n` is declared already",
        ),
        "declare kind": (lambda: Circuit(1).declare("n", "complex"), ArgumentError, "complex"),
        "json text": (lambda: Circuit.from_json("{"), ArgumentError, "`text` must be JSON, but line 1"),
        "json list": (
            lambda: Circuit.from_json("[]"),
            ArgumentError,
            "`data` must be a circuit of JSON format",
        ),
        "json format": (lambda: Circuit.from_json('{"format": 99}'), ArgumentError, "of JSON format"),
        "draw output": (lambda: Circuit(1).draw("svg"), ArgumentError, "`output` must be 'text' or 'mpl'"),
        "qasm text": (
            lambda: Circuit.from_qasm("OPENQASM 2.0; qreg q[1]; nope q[0];"),
            qsim.QsimError,
            "nope",
        ),
    }
)
def test_other_methods(call, error, match):
    if error is qsim.QsimError:
        from qsim.errors import QasmError

        error = QasmError
    assert_refused(call, error, match)


# -- parameters and classical values -------------------------------------------------------------------
@cases(
    {
        "name type": (lambda: Parameter(3), TypeError, "`name` must be a str, but is int"),
        "name empty": (lambda: Parameter(""), ArgumentError, "`name` must not be empty"),
        "length negative": (lambda: ParameterVector("x", -1), ArgumentError, "`length` must not be negative"),
        "length float": (lambda: ParameterVector("x", 2.0), TypeError, "`length` must be an int"),
        "length bool": (lambda: ParameterVector("x", True), TypeError, "`length` must be an int"),
        "plus nan": (lambda: THETA + NAN, ParameterError, "must be finite, but is nan"),
        "times inf": (lambda: INF * THETA, ParameterError, "must be finite, but is inf"),
        "truth": (lambda: bool(THETA + 1), TypeError, "has no truth value"),
        "float": (lambda: float(THETA), TypeError, "has no numeric value: bind `theta` first"),
        "divided by 0": (lambda: (1 / THETA).bind({"theta": 0.0}), ParameterError, "must be finite"),
        "log of -1": (lambda: qsim.log(THETA).bind({"theta": -1.0}), ParameterError, "must be finite"),
        "missing": (
            lambda: (THETA + 1).evaluate({}),
            qsim.errors.UnboundParameterError,
            "has none for `theta`",
        ),
        "bit type": (lambda: classical.Bit("0"), TypeError, "must be an int, but is str"),
        "bit negative": (lambda: classical.Bit(-1), QubitError, "-1"),
        "json expression": (lambda: classical.from_json(["nope"]), ArgumentError, "`data` must be"),
    }
)
def test_parameters_and_values(call, error, match):
    assert_refused(call, error, match)


@cases(
    {
        "phase dimension": (
            lambda: user_gates.PhaseOnStatesGate(-1, 1),
            ArgumentError,
            "`dimension` must be 0 to 2",
        ),
        "rotation label": (lambda: user_gates.PauliRotationGate(b"X"), TypeError, "`label` must be a str"),
        "big comparator": (
            lambda: Circuit(3).integer_comparator(-1, [0, 1], 2),
            ArgumentError,
            "`value` must be at least 0",
        ),
    }
)
def test_gate_objects(call, error, match):
    assert_refused(call, error, match)


def test_errors_leave_the_circuit_as_it_was():
    circuit = Circuit(2, 2).h(0)
    before = circuit.copy()
    for bad in (
        lambda: circuit.rx(NAN, 0),
        lambda: circuit.cx(0, 0),
        lambda: circuit.h([0, 1, 0]),
        lambda: circuit.h([0, 7]),
        lambda: circuit.measure([0, 1], [1, 1]),
        lambda: circuit.reset([0, 5]),
        lambda: circuit.pauli("XX", [0, 9]),
        lambda: circuit.measure_pauli("XX", [0, 1], 9),
    ):
        with pytest.raises(ValueError):
            bad()
        assert circuit == before


def test_classes_are_those_documented():
    """Each is also the built-in class a caller would expect."""
    from qsim import errors

    assert issubclass(errors.QubitError, IndexError)
    assert issubclass(errors.CircuitError, ValueError)
    assert issubclass(errors.UnknownGateError, KeyError)
    assert issubclass(MemoryBudgetError, MemoryError)
    assert all(issubclass(getattr(errors, name), errors.QsimError) for name in errors.__all__)
