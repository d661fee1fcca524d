"""Bad arguments of Circuit and of its methods."""

from __future__ import annotations

import math

import numpy as np
import pytest
from badinput_helpers import Case, cases, check_case, each_case

import qsim
from qsim.circuit import Circuit
from qsim.classical import Bit
from qsim.errors import (
    ArgumentError,
    CircuitError,
    MemoryBudgetError,
    ParameterError,
    QubitError,
    UnboundParameterError,
    UnknownGateError,
)
from qsim.operations import Measure

NAN, INF = math.nan, math.inf
THETA = qsim.Parameter("theta")
VECTOR = qsim.ParameterVector("x", 3)


def two() -> Circuit:
    return Circuit(2, 2)


def doubled(levels: int) -> Circuit:
    circuit = Circuit(1).h(0)
    for _ in range(levels):
        gate = circuit.to_gate()
        circuit = Circuit(1).append(gate, (), 0).append(gate, (), 0)
    return circuit


def measured() -> Circuit:
    return Circuit(1, 1).measure(0, 0)


def symbolic() -> Circuit:
    return Circuit(1).rx(THETA, 0)


def vectorial() -> Circuit:
    return Circuit(1).u(*VECTOR, 0)


CONSTRUCTOR = cases(
    ("circuit-negative", lambda: Circuit(-1), ArgumentError, "Argument `num_qubits` must be at least 0"),
    ("circuit-bool", lambda: Circuit(True), TypeError, "Argument `num_qubits` must be an int, but is bool"),
    ("circuit-float", lambda: Circuit(2.0), TypeError, "Argument `num_qubits` must be an int"),
    ("circuit-nan", lambda: Circuit(NAN), TypeError, "Argument `num_qubits` must be an int"),
    ("circuit-str", lambda: Circuit("2"), TypeError, "Argument `num_qubits` must be an int"),
    ("circuit-none", lambda: Circuit(None), TypeError, "Argument `num_qubits` must be an int"),
    ("circuit-list", lambda: Circuit([2]), TypeError, "Argument `num_qubits` must be an int"),
    ("circuit-array", lambda: Circuit(np.array([1, 2])), TypeError, "Argument `num_qubits` must be an int"),
    ("circuit-2**31", lambda: Circuit(2**31), ArgumentError, "Argument `num_qubits` must be at most"),
    ("circuit-2**63", lambda: Circuit(2**63), ArgumentError, "Argument `num_qubits` must be at most"),
    ("clbits-negative", lambda: Circuit(1, -1), ArgumentError, "Argument `num_clbits` must be at least 0"),
    ("clbits-bool", lambda: Circuit(1, False), TypeError, "Argument `num_clbits` must be an int"),
    ("clbits-str", lambda: Circuit(1, "1"), TypeError, "Argument `num_clbits` must be an int"),
    ("clbits-2**63", lambda: Circuit(1, 2**63), ArgumentError, "Argument `num_clbits` must be at most"),
    ("name-int", lambda: Circuit(1, 0, 7), TypeError, "Argument `name` must be a str"),
    ("name-list", lambda: Circuit(1, name=["a"]), TypeError, "Argument `name` must be a str"),
)

QUBITS = cases(
    ("qubit-negative", lambda: two().h(-1), QubitError, "Qubit -1 is out of range for a circuit of 2 qubits"),
    ("qubit-large", lambda: two().h(2), QubitError, "Qubit 2 is out of range for a circuit of 2 qubits"),
    ("qubit-huge", lambda: two().h(2**64), QubitError, "Qubit 18446744073709551616 is out of range"),
    ("qubit-numpy", lambda: two().h(np.int64(9)), QubitError, "Qubit 9 is out of range"),
    ("qubit-none-there", lambda: Circuit(0).h(0), QubitError, "Qubit 0 is out of range for a circuit of 0"),
    ("qubit-bool", lambda: two().h(True), TypeError, "Qubit must be an int, but is bool"),
    ("qubit-numpy-bool", lambda: two().h(np.True_), TypeError, "Qubit must be an int"),
    ("qubit-float", lambda: two().h(0.0), TypeError, "Qubit must be an int, but is float"),
    ("qubit-nan", lambda: two().h(NAN), TypeError, "Qubit must be an int"),
    ("qubit-str", lambda: two().h("0"), TypeError, "Qubit must be an int"),
    ("qubit-none", lambda: two().h(None), TypeError, "Qubit must be an int, but is NoneType"),
    ("qubits-nested", lambda: two().h([[0, 1]]), TypeError, "Qubit must be an int"),
    ("qubits-float-array", lambda: two().h(np.array([0.0, 1.0])), TypeError, "Qubit must be an int"),
    ("qubits-2d-array", lambda: two().h(np.array([[0, 1]])), TypeError, "Qubit must be an int"),
    ("qubits-twice", lambda: two().h([0, 0]), QubitError, "Qubit 0 is named twice in gate `h`"),
    (
        "control-is-target",
        lambda: two().cx(1, 1),
        QubitError,
        "Gate `cx` has qubit 1 both as control and as target",
    ),
    ("targets-equal", lambda: two().swap(0, 0), QubitError, "Gate `swap` has qubit 0 twice"),
    ("cx-large", lambda: two().cx(0, 2), QubitError, "Qubit 2 is out of range"),
    ("cx-list", lambda: two().cx([0], 1), TypeError, "Qubit must be an int"),
    (
        "extra-control-is-target",
        lambda: two().x(0, controls=[0]),
        QubitError,
        "Gate `x` has qubit 0 both as control and as target",
    ),
    ("extra-control-large", lambda: two().x(0, controls=5), QubitError, "Control qubit 5 is out of range"),
    ("extra-control-negative", lambda: two().x(0, controls=[-1]), QubitError, "Control qubit -1 is out of"),
    (
        "extra-control-twice",
        lambda: Circuit(3).x(0, controls=[1, 1]),
        QubitError,
        "Control qubit 1 is named twice in gate `x`",
    ),
    ("extra-control-none", lambda: two().x(0, controls=None), TypeError, "Control qubit must be an int"),
    ("extra-control-str", lambda: two().x(0, controls="1"), TypeError, "Control qubit must be an int"),
    (
        "control-values-long",
        lambda: two().x(0, controls=[1], control_values=[1, 0]),
        CircuitError,
        "Argument `control_values` must hold 1 values",
    ),
    (
        "control-values-two",
        lambda: two().x(0, controls=[1], control_values=[2]),
        CircuitError,
        "Argument `control_values` must hold only 0 and 1, but holds 2",
    ),
    (
        "control-values-letter",
        lambda: two().x(0, controls=[1], control_values="a"),
        CircuitError,
        "Argument `control_values` must hold only 0 and 1, but holds 'a'",
    ),
    (
        "control-values-float",
        lambda: two().x(0, controls=[1], control_values=1.5),
        TypeError,
        "Argument `control_values` must be",
    ),
    (
        "control-values-alone",
        lambda: two().x(0, control_values=[1]),
        CircuitError,
        "Argument `control_values` must hold 0 values",
    ),
)

PARAMETERS = cases(
    ("angle-nan", lambda: two().rx(NAN, 0), ParameterError, "A parameter of gate `rx` must be finite"),
    ("angle-inf", lambda: two().rz(INF, 0), ParameterError, "A parameter of gate `rz` must be finite"),
    ("angle-minus-inf", lambda: two().p(-INF, 0), ParameterError, "A parameter of gate `p` must be finite"),
    ("angle-numpy-nan", lambda: two().ry(np.float32(NAN), 0), ParameterError, "gate `ry` must be finite"),
    ("angle-second-nan", lambda: two().u(0.1, NAN, 0.2, 0), ParameterError, "gate `u` must be finite"),
    ("angle-str", lambda: two().rx("0.1", 0), TypeError, "A parameter of gate `rx` must be a real number"),
    ("angle-none", lambda: two().rx(None, 0), TypeError, "A parameter of gate `rx` must be a real number"),
    ("angle-bool", lambda: two().rx(True, 0), TypeError, "gate `rx` must be a real number"),
    ("angle-complex", lambda: two().rx(1j, 0), TypeError, "gate `rx` must be a real number"),
    ("angle-list", lambda: two().rx([0.1], 0), TypeError, "Pass its elements one by one"),
    ("angle-array", lambda: two().rx(np.zeros(2), 0), TypeError, "Pass its elements one by one"),
    ("angle-vector", lambda: two().rx(VECTOR, 0), TypeError, "Pass its elements one by one"),
    ("angle-huge-int", lambda: two().rx(10**400, 0), ParameterError, "gate `rx` must be finite"),
    ("gphase-nan", lambda: two().gphase(NAN), ParameterError, "gate `gphase` must be finite"),
    ("crx-inf", lambda: two().crx(INF, 0, 1), ParameterError, "gate `crx` must be finite"),
)

APPEND = cases(
    (
        "param-name",
        lambda: two().rx("theta", 0),
        TypeError,
        "Pass Parameter('theta') for a parameter of that name",
    ),
    (
        "matrix-run-time",
        lambda: Circuit(1, 1).rx(Bit(0) * 0.3, 0).matrix(),
        CircuitError,
        "is a classical value, known only while the circuit runs. Use numbers, or a Parameter and bind()",
    ),
    ("gates-doubled", lambda: doubled(40), CircuitError, "at most 5000000 gates, but this one is of 8388608"),
    ("one-qubit", lambda: Circuit(1).x(1), QubitError, "a circuit of 1 qubit (valid: 0 to 0)"),
    ("append-unknown", lambda: two().append("cnott", (), (0, 1)), UnknownGateError, "Did you mean `cnot`"),
    ("append-empty-name", lambda: two().append("", (), 0), UnknownGateError, "Unknown gate ``"),
    ("append-none", lambda: two().append(None, (), 0), TypeError, "Argument `gate` must be a gate"),
    ("append-int", lambda: two().append(3, (), 0), TypeError, "Argument `gate` must be a gate"),
    ("append-matrix", lambda: two().append(np.eye(2), (), 0), TypeError, "Argument `gate` must be a gate"),
    ("append-few-qubits", lambda: two().append("cx", (), 0), CircuitError, "Gate `cx` acts on 2 qubits"),
    ("append-many-qubits", lambda: two().append("h", (), (0, 1)), CircuitError, "Gate `h` acts on 1 qubit"),
    ("append-qubits-none", lambda: two().append("h", (), None), TypeError, "Qubit must be an int"),
    ("append-qubits-str", lambda: two().append("h", (), "0"), TypeError, "Qubit must be an int"),
    ("append-few-params", lambda: two().append("rx", (), 0), ParameterError, "Gate `rx` takes 1 parameter"),
    (
        "append-many-params",
        lambda: two().append("rx", (1.0, 2.0), 0),
        ParameterError,
        "Gate `rx` takes 1 parameter, but got 2",
    ),
    ("append-params-none", lambda: two().append("rx", None, 0), TypeError, "gate `rx` must be a real number"),
    ("append-params-str", lambda: two().append("rx", "a", 0), TypeError, "gate `rx` must be a real number"),
    ("operation-none", lambda: two().append_operation(None), TypeError, "Argument `operation` must be"),
    ("operation-str", lambda: two().append_operation("h"), TypeError, "Argument `operation` must be"),
    ("operation-qubit", lambda: two().append_operation(Measure(7, 0)), QubitError, "Qubit 7 is out of range"),
    (
        "operation-clbit",
        lambda: two().append_operation(Measure(0, 7)),
        QubitError,
        "Classical bit 7 is out of range",
    ),
    ("sub-circuit-measures", lambda: two().append(measured(), (), 0), CircuitError, "contains `measure`"),
    (
        "sub-circuit-size",
        lambda: Circuit(1).append(two(), (), 0),
        CircuitError,
        "acts on 2 qubits, but got 1",
    ),
)

WHOLE = cases(
    ("compose-none", lambda: two().compose(None), TypeError, "Argument `other` must be a Circuit"),
    ("compose-larger", lambda: Circuit(1).compose(two()), QubitError, "Qubit 1 is out of range"),
    ("compose-few", lambda: two().compose(two(), qubits=[0]), CircuitError, "Argument `qubits` must name 2"),
    ("compose-twice", lambda: two().compose(two(), qubits=[1, 1]), QubitError, "Qubit 1 is named twice"),
    (
        "compose-clbits",
        lambda: two().compose(two(), clbits=[0, 9]),
        QubitError,
        "Classical bit 9 is out of range",
    ),
    ("compose-str", lambda: two().compose(two(), qubits="01"), TypeError, "Qubit must be an int or several"),
    ("inverse-measured", lambda: measured().inverse(), CircuitError, "Operation `measure` has no inverse"),
    ("inverse-reset", lambda: two().reset(0).inverse(), CircuitError, "Operation `reset` has no inverse"),
    ("repeat-negative", lambda: two().h(0).repeat(-1), ArgumentError, "Argument `times` must be at least 0"),
    ("repeat-float", lambda: two().h(0).repeat(1.5), TypeError, "Argument `times` must be an int"),
    ("repeat-none", lambda: two().h(0).repeat(None), TypeError, "Argument `times` must be an int"),
    ("repeat-huge", lambda: two().h(0).repeat(10**12), MemoryBudgetError, "Argument `times`"),
    ("repeat-2**70", lambda: two().h(0).repeat(2**70), MemoryBudgetError, "Argument `times`"),
    ("power-nan", lambda: two().h(0).power(NAN), ArgumentError, "Argument `exponent` must be"),
    ("power-inf", lambda: two().h(0).power(INF), ArgumentError, "Argument `exponent` must be"),
    ("power-bool", lambda: two().h(0).power(True), TypeError, "Argument `exponent` must be"),
    ("power-str", lambda: two().h(0).power("2"), TypeError, "Argument `exponent` must be"),
    ("power-none", lambda: two().h(0).power(None), TypeError, "Argument `exponent` must be"),
    ("power-complex", lambda: two().h(0).power(1j), TypeError, "Argument `exponent` must be"),
    ("power-root-large", lambda: Circuit(11).h(0).power(0.5), CircuitError, "at most 10 qubits"),
    ("power-root-free", lambda: symbolic().power(0.5), ParameterError, "theta"),
    ("power-huge", lambda: two().h(0).power(10**15), MemoryBudgetError, "Argument `times`"),
    ("control-zero", lambda: two().control(0), ArgumentError, "Argument `num_controls` must be at least 1"),
    ("control-negative", lambda: two().control(-2), ArgumentError, "Argument `num_controls`"),
    ("control-float", lambda: two().control(1.0), TypeError, "Argument `num_controls` must be an int"),
    ("control-huge", lambda: two().h(0).control(2**40), ArgumentError, "Argument `num_controls` must be at"),
    ("control-values", lambda: two().control(1, [1, 1]), CircuitError, "Argument `control_values`"),
    ("control-measured", lambda: measured().control(), CircuitError, "A circuit with `measure` cannot be"),
    ("remap-few", lambda: two().remap([0]), CircuitError, "Argument `mapping` must name 2 places"),
    ("remap-twice", lambda: two().remap([1, 1]), QubitError, "Qubit 1 is named twice"),
    ("remap-large", lambda: two().remap([0, 2]), QubitError, "Qubit 2 is out of range"),
    ("remap-key", lambda: two().remap({5: 0}), QubitError, "Qubit 5 is out of range"),
    ("remap-value", lambda: two().remap({0: "a"}), TypeError, "Qubit must be an int"),
    ("remap-none", lambda: two().remap(None), TypeError, "Argument `mapping` must be"),
    ("remap-size", lambda: two().remap([0, 1], num_qubits=-1), ArgumentError, "Argument `num_qubits`"),
    ("to-gate-measured", lambda: measured().to_gate(), CircuitError, "contains `measure`"),
    ("matrix-large", lambda: Circuit(11).matrix(), CircuitError, "at most 10 qubits"),
    ("matrix-free", lambda: symbolic().matrix(), ParameterError, "theta"),
    ("matrix-measured", lambda: measured().matrix(), CircuitError, "A circuit with `measure` has no matrix"),
    ("draw-output", lambda: two().draw("svg"), ArgumentError, "Argument `output` must be"),
    ("draw-none", lambda: two().draw(None), ArgumentError, "Argument `output` must be"),
    ("qasm-version", lambda: two().to_qasm(4), ArgumentError, "Argument `version` must be 2 or 3"),
    ("qasm-version-str", lambda: two().to_qasm("3"), ArgumentError, "Argument `version` must be 2 or 3"),
)

BIND = cases(
    ("bind-nan", lambda: symbolic().bind({"theta": NAN}), ParameterError, "Parameter `theta` must be finite"),
    ("bind-inf", lambda: symbolic().bind([INF]), ParameterError, "Parameter `theta` must be finite"),
    ("bind-str", lambda: symbolic().bind({"theta": "a"}), TypeError, "Parameter `theta` must be a real"),
    ("bind-none", lambda: symbolic().bind({"theta": None}), TypeError, "Parameter `theta` must be a real"),
    ("bind-all-none", lambda: symbolic().bind(None), TypeError, "Argument `values` must"),
    ("bind-text", lambda: symbolic().bind("a"), TypeError, "Parameter `theta` must be a real"),
    ("bind-bool", lambda: symbolic().bind({"theta": True}), TypeError, "Parameter `theta` must be a real"),
    ("bind-unknown", lambda: symbolic().bind({"thta": 1.0}), ParameterError, "Did you mean `theta`?"),
    ("bind-key", lambda: symbolic().bind({0: 1.0}), ParameterError, "Parameter `0` does not occur"),
    ("bind-few", lambda: vectorial().bind([1.0]), ParameterError, "Argument `values` must hold 3 values"),
    ("bind-array", lambda: symbolic().bind({"theta": np.zeros(2)}), TypeError, "Parameter `theta` must be"),
    ("bind-vector-scalar", lambda: vectorial().bind({"x": 1.0}), ParameterError, "Parameter `x` must"),
    ("bind-vector-long", lambda: vectorial().bind({"x": [1.0] * 4}), ParameterError, "Parameter `x` must"),
    ("bind-vector-short", lambda: vectorial().bind({"x": [1.0] * 2}), ParameterError, "Parameter `x` must"),
    (
        "bind-vector-nan",
        lambda: vectorial().bind({"x": [0, NAN, 0]}),
        ParameterError,
        "Parameter `x[1]` must",
    ),
    ("bind-expression", lambda: Circuit(1).rx(1 / THETA, 0).bind([0.0]), ParameterError, "must be finite"),
    ("parameter-empty", lambda: qsim.Parameter(""), ArgumentError, "Argument `name` must not be empty"),
    ("parameter-int", lambda: qsim.Parameter(1), TypeError, "Argument `name` must be a str"),
    ("parameter-none", lambda: qsim.Parameter(None), TypeError, "Argument `name` must be a str"),
    ("vector-negative", lambda: qsim.ParameterVector("x", -1), ArgumentError, "Argument `length` must not"),
    ("vector-float", lambda: qsim.ParameterVector("x", 2.0), TypeError, "Argument `length` must be an int"),
    ("vector-bool", lambda: qsim.ParameterVector("x", True), TypeError, "Argument `length` must be an int"),
    ("vector-huge", lambda: qsim.ParameterVector("x", 10**12), MemoryBudgetError, "Argument `length` is 10"),
    ("vector-name", lambda: qsim.ParameterVector(None, 2), TypeError, "Argument `name` must be a str"),
    ("expression-nan", lambda: THETA * NAN, ParameterError, "constant in a parameter expression"),
    ("expression-inf", lambda: THETA + INF, ParameterError, "constant in a parameter expression"),
    ("expression-bool", lambda: bool(THETA + 1), TypeError, "`theta + 1` has no truth value"),
    ("expression-float", lambda: float(THETA), TypeError, "bind `theta` first"),
    ("evaluate-missing", lambda: (THETA + 1).evaluate({}), UnboundParameterError, "none for `theta`"),
    ("evaluate-log", lambda: qsim.log(THETA).evaluate({"theta": -1.0}), ParameterError, "must be finite"),
    ("evaluate-division", lambda: (1 / THETA).evaluate({"theta": 0.0}), ParameterError, "must be finite"),
)

CASES = CONSTRUCTOR + QUBITS + PARAMETERS + APPEND + WHOLE + BIND


@each_case(CASES)
def test_refused(case: Case) -> None:
    check_case(case)


@pytest.mark.parametrize("append", [lambda c: c.rx(math.nan, 0), lambda c: c.cx(0, 0), lambda c: c.h([0, 9])])
def test_a_refused_gate_leaves_the_circuit_as_it_was(append):
    circuit = two().h(0)
    with pytest.raises(qsim.QsimError):
        append(circuit)
    assert circuit == two().h(0)
