"""What is written reads back as the same unitary, parameters and classical behaviour."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qasm_helpers import assert_same_unitary

import qsim
from qsim import Circuit, Parameter, ParameterVector, distribution
from qsim.classical import Bit, Bits, Call, Cast, Literal, Variable, logical_and, logical_not
from qsim.errors import QasmError
from qsim.gates import GATES, unique_specs
from qsim.io import dump, dumps, load, loads
from qsim.io.numbers import number_text
from qsim.operations import Delay, ForLoop, Measure
from qsim.user_gates import UnitaryGate

VERSIONS = (3, 2)
rng = np.random.default_rng(20)


def same(circuit: Circuit, version: int) -> None:
    again = loads(dumps(circuit, version))
    assert_same_unitary(again, circuit, up_to_phase=version == 2)
    assert again.num_qubits == circuit.num_qubits and again.num_clbits == circuit.num_clbits


def unitary(size: int) -> np.ndarray:
    q, _ = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    return q


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("num_controls", [0, 1, 2])
@pytest.mark.parametrize("spec", unique_specs(), ids=lambda spec: spec.name)
def test_each_gate_of_the_table(spec, num_controls, version):
    size = max(spec.num_qubits + num_controls, 1)
    places = [int(q) for q in rng.permutation(size)]
    circuit = Circuit(size).append(
        spec,
        [float(x) for x in rng.uniform(-7, 7, spec.num_params)],
        places[: spec.num_qubits],
        controls=places[spec.num_qubits :][:num_controls],
        control_values=[int(v) for v in rng.integers(0, 2, num_controls)],
    )
    same(circuit, version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "spec", [s for s in unique_specs() if not s.is_one_parameter_group], ids=lambda s: s.name
)
def test_each_inverse(spec, version):
    params = [float(x) for x in rng.uniform(-3, 3, spec.num_params)]
    same(Circuit(max(spec.num_qubits, 1)).append(spec, params, range(spec.num_qubits)).inverse(), version)


@pytest.mark.parametrize(
    "spec", [s for s in unique_specs() if s.num_params and s.name != "u0"], ids=lambda s: s.name
)
def test_each_gate_with_symbols(spec):
    symbols = [Parameter(f"a{k}") for k in range(spec.num_params)]
    shifted = [2 * s - 0.5 for s in symbols]
    circuit = Circuit(spec.num_qubits + 1).append(
        spec, shifted, range(spec.num_qubits), controls=spec.num_qubits
    )
    again = loads(dumps(circuit))
    values = {s.name: float(x) for s, x in zip(symbols, rng.uniform(-3, 3, len(symbols)), strict=True)}
    assert_same_unitary(again.bind(values), circuit.bind(values))


angles = st.floats(-10, 10) | st.sampled_from(
    [0.0, math.pi, -math.pi / 2, math.pi / 3, 3 * math.pi / 4, 1e-9, 1e6]
)


@st.composite
def circuits(draw: st.DrawFn) -> Circuit:
    num_qubits = draw(st.integers(1, 4))
    circuit = Circuit(num_qubits)
    specs = [s for s in unique_specs() if s.num_qubits <= num_qubits]
    for _ in range(draw(st.integers(0, 8))):
        spec = draw(st.sampled_from(specs))
        places = draw(st.permutations(range(num_qubits)))
        free = places[spec.num_qubits :]
        controls = free[: draw(st.integers(0, len(free)))]
        values = [draw(st.integers(0, 1)) for _ in controls]
        params = [draw(angles) for _ in range(spec.num_params)]
        circuit.append(spec, params, places[: spec.num_qubits], controls=controls, control_values=values)
    return circuit


@given(circuits(), st.sampled_from(VERSIONS))
def test_random_circuit(circuit, version):
    same(circuit, version)


@given(st.floats(allow_nan=False, allow_infinity=False) | angles)
def test_numbers_are_read_back_exactly(value):
    text = number_text(value)
    op = loads(f'OPENQASM 3; include "stdgates.inc"; qubit q; rz({text}) q;').operations[0]
    assert op.params == (value,)
    op = loads(f'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; rz({text}) q[0];').operations[0]
    assert op.params == (value,)


def test_fractions_of_pi_only_where_exact():
    assert number_text(math.pi / 4) == "pi/4"
    assert number_text(-3 * math.pi / 2) == "-3*pi/2"
    assert number_text(math.nextafter(math.pi, 4)) == repr(math.nextafter(math.pi, 4))


USER_GATES = {
    "unitary on 1": lambda: Circuit(1).unitary(unitary(2), 0),
    "unitary on 2": lambda: Circuit(3).unitary(unitary(4), [2, 0]),
    "unitary on 3": lambda: Circuit(3).unitary(unitary(8), [2, 0, 1]),
    "unitary on 4": lambda: Circuit(4).unitary(unitary(16), [0, 1, 2, 3]),
    "controlled unitary": lambda: Circuit(4).unitary(
        unitary(4), [2, 0], controls=[3, 1], control_values=[0, 1]
    ),
    "unitary with built-in controls": lambda: Circuit(3).append(
        UnitaryGate(unitary(2), "mine", num_controls=2), (), [2, 0, 1]
    ),
    "identity": lambda: Circuit(2).unitary(np.eye(4), [0, 1]),
    "permuting unitary": lambda: Circuit(2).unitary(np.eye(4)[[0, 2, 1, 3]], [0, 1]),
    "pauli matrices": lambda: Circuit(1).unitary([[0, -1j], [1j, 0]], 0).unitary([[1, 0], [0, -1]], 0),
    "diagonal": lambda: Circuit(3).diagonal(np.exp(1j * rng.uniform(-3, 3, 8)), [2, 0, 1]),
    "controlled diagonal": lambda: Circuit(3).diagonal(
        np.exp(1j * rng.uniform(-3, 3, 4)), [2, 0], controls=[1]
    ),
    "permutation": lambda: Circuit(3).permutation(rng.permutation(8), [1, 2, 0]),
    "controlled permutation": lambda: Circuit(4).permutation(rng.permutation(8), [1, 2, 0], controls=[3]),
    "pauli rotation": lambda: Circuit(4).pauli_rotation(0.7, "XYIZ", [3, 1, 0, 2]),
    "controlled pauli rotation": lambda: Circuit(4).pauli_rotation(
        0.7, "XYZ", [3, 1, 0], controls=[2], control_values=[0]
    ),
    "identity rotation": lambda: Circuit(3).pauli_rotation(0.7, "II", [1, 0], controls=[2]),
    "multi_rz": lambda: Circuit(3).multi_rz(0.3, [0, 2]),
    "pcphase": lambda: Circuit(3).pcphase(0.3, 5, [0, 2, 1]),
    "generator": lambda: Circuit(2).generator(_hermitian(4), 0.4, [1, 0]),
    "preparation": lambda: Circuit(3).prepare(unitary(8)[0]),
    "undone preparation": lambda: Circuit(2).prepare(unitary(4)[0]).inverse(),
    "evolution": lambda: Circuit(3).exp_pauli_sum({"X0 X1": 0.3, "Z1 Z2": 0.2, "Y0": 1.0}, 0.5),
    "undone evolution": lambda: Circuit(3).exp_pauli_sum({"X0 X1": 0.3, "Y0": 1.0}, 0.5, order=1).inverse(),
    "sub-circuit": lambda: (
        Circuit(3).append(_sub(), (), [2, 0]).append(_sub().to_gate(), (), [1, 0], controls=[2])
    ),
    "power": lambda: Circuit(2).append(_sub(), (), [0, 1]).power(0.5),
    "controlled circuit": lambda: _sub().control(2, [0, 1]),
}


def _hermitian(size: int) -> np.ndarray:
    m = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    return m + m.conj().T


def _sub() -> Circuit:
    return (
        Circuit(2, name="My Sub!").h(0).cx(0, 1).rx(0.3, 1).gphase(0.2).x(1, controls=[0], control_values=[0])
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", USER_GATES.values(), ids=USER_GATES.keys())
def test_user_gates(make, version):
    same(make(), version)


def test_symbols_in_user_gates():
    theta, x = Parameter("theta"), ParameterVector("x", 2)
    sub = Circuit(1, name="s").ry(theta, 0).rz(x[1] / 3, 0)
    circuit = Circuit(3).rx(2 * theta + 1, 0).crz(-(theta**2) / 3, 0, 1)
    circuit.append("fsim", (x[0] * (np.pi - x[1]), qsim.sin(theta)), (0, 1)).append(sub.to_gate(), (), 1)
    circuit.generator(_hermitian(4), theta / 2, [0, 1]).pauli_rotation(theta, "XZ", [2, 0]).pcphase(
        theta, 3, [0, 1]
    )
    circuit.exp_pauli_sum({"X0": 1.0, "Z0 Z1": 0.5}, theta).multi_rz(-theta, [0, 1, 2], controls=())
    again = loads(dumps(circuit))
    assert sorted(p.name for p in again.parameters) == ["theta", "x_0", "x_1"]
    expected = circuit.bind({"theta": 0.3, "x": [0.2, 0.5]})
    assert_same_unitary(again.bind({"theta": 0.3, "x_0": 0.2, "x_1": 0.5}), expected, atol=1e-11)


def test_names_that_are_not_legal_are_replaced():
    circuit = Circuit(2, 1).rx(Parameter("θ"), 0).ry(Parameter("if"), 1).rz(Parameter("h"), 0)
    circuit.append(Circuit(1, name="gate").h(0).to_gate(), (), 0).append(
        Circuit(1, name="gate").x(0).to_gate(), (), 0
    )
    circuit.quantum_registers = {"measure": (0,), "B": (1,)}
    circuit.classical_registers = {"c": (0,)}
    again = loads(dumps(circuit))
    assert len(again.parameters) == 3 and again.quantum_registers == {"measure_1": (0,), "b": (1,)}
    assert again.classical_registers == {"c": (0,)}


def test_registers_survive():
    circuit = Circuit(3, 2).h(0).measure([0, 1], [1, 0])
    circuit.quantum_registers = {"a": (0, 2), "b": (1,)}
    circuit.classical_registers = {"m": (0,), "n": (1,)}
    for version in VERSIONS:
        text = dumps(circuit, version)
        again = loads(text)
        assert "h a[0];" in text
        # the registers lie one after another when they are read
        assert again.quantum_registers == {"a": (0, 1), "b": (2,)}
        assert again.classical_registers == circuit.classical_registers


@pytest.mark.parametrize("version", VERSIONS)
def test_measure_reset_barrier(version):
    circuit = Circuit(2, 2).h(0).barrier(0).measure(0, 1).reset(1).barrier().measure([0, 1], [0, 1])
    again = loads(dumps(circuit, version))
    assert again.operations == circuit.operations


def test_delay():
    circuit = Circuit(2).delay(1.5, [0, 1], "us").delay(100, 1, "dt")
    again = loads(dumps(circuit))
    assert again.operations == (Delay(1.5, "us", (0, 1)), Delay(100.0, "dt", (1,)))


def test_condition_in_version_2():
    circuit = Circuit(2, 3).x(0).measure(0, 1)
    circuit.if_else(((0, 1), 2), Circuit(2).x(1).h(0)).if_else((2, 0), Circuit(2, 3).measure(1, 2))
    circuit.if_else((2, 1), Circuit(2).append("iswap", (), (0, 1)))
    text = dumps(circuit, 2)
    assert (
        "creg c[2];" in text and "if(c==2) x q[1];" in text and "if(c_1==0) measure q[1] -> c_1[0];" in text
    )
    assert distribution(loads(text)) == pytest.approx(distribution(circuit))


def _run_time_circuit() -> Circuit:
    circuit = Circuit(3, 4)
    n = circuit.declare("n", "int", 8, 3)
    flag = circuit.declare("flag", "bool", None, False)
    turns = circuit.declare("turns", "uint", 4, 0)
    total = circuit.declare("total", "float", None, 0.25)
    slope = circuit.declare("slope", "angle", 8, math.pi)
    word = circuit.declare("word", "uint", 4, 9)
    circuit.h(0).measure(0, 0)
    circuit.if_else((0, 1), Circuit(3, 4).x(1).assign(n, n + 1), Circuit(3, 4).assign(flag, True))
    body = Circuit(3, 4).assign(n, Cast("int", 8, n - 1)).h(2).measure(2, 2)
    body.if_else(logical_and(Bit(2), logical_not(flag)), Circuit(3, 4).break_loop())
    circuit.while_loop(n > 0, body)
    turn = (
        Circuit(3, 4).assign(total, total + turns * 0.125).if_else(turns.eq(2), Circuit(3, 4).continue_loop())
    )
    circuit.for_loop(range(0, 6, 2), turn.x(1), turns)
    circuit.for_loop((5, 3), Circuit(3, 4).assign(word, Call("rotl", (word, turns))), turns)
    circuit.for_loop(Bits((2, 0)), Circuit(3, 4).x(2))
    circuit.ry(total * 2 + slope, 1).rx(word * 0.1, 0)
    circuit.switch(Bits((0, 2)), {0: Circuit(3, 4).x(0), (1, 2): Circuit(3, 4).y(0)}, Circuit(3, 4).h(0))
    circuit.assign(Bits((3, 1)), Literal(2, "bit", 2)).measure([0, 1], [2, 3])
    circuit.if_else(Bits((2, 3, 0)).eq(5), Circuit(3, 4).assign(Bit(1), 1))
    return circuit


def test_classical_control():
    circuit = _run_time_circuit()
    text = dumps(circuit)
    assert text.startswith("OPENQASM 3.1;")  # for the switch
    again = loads(text)
    expected = distribution(circuit)
    assert len(expected) > 4
    assert distribution(again) == pytest.approx(expected)


def test_values_of_variables_after_a_loop():
    circuit = Circuit(1, 4)
    k = circuit.declare("k", "uint", 4, 0)
    circuit.for_loop(range(3, 8), Circuit(1, 4).x(0), k).assign(Bits((0, 1, 2, 3)), k)
    assert distribution(circuit) == {"0111": 1.0}
    assert distribution(loads(dumps(circuit))) == {"0111": 1.0}


def test_run_time_angle_in_a_definition():
    circuit = Circuit(2, 1)
    t = circuit.declare("t", "float", None, 0.0)
    circuit.x(0).measure(0, 0).if_else((0, 1), Circuit(2, 1).assign(t, 0.7)).append(
        "xx_plus_yy", (t * 2, t), (0, 1)
    )
    circuit.measure(1, 0)
    assert distribution(loads(dumps(circuit))) == pytest.approx(distribution(circuit))


def _bad() -> dict[str, tuple[Circuit, int, str]]:
    kraus = Circuit(1).kraus([np.eye(2)], 0)
    branch = Circuit(1, 2).if_else((0, 1), Circuit(1).x(0))
    branch.classical_registers = {"c": (0, 1)}
    loop = Circuit(1, 1).while_loop((0, 1), Circuit(1, 1).h(0).measure(0, 0))
    both = Circuit(1, 1).if_else((0, 1), Circuit(1).x(0), Circuit(1).h(0))
    rewritten = Circuit(1, 1).if_else((0, 1), Circuit(1, 1).measure(0, 0).x(0))
    variable = Circuit(1, 1)
    variable.assign(variable.declare("n"), 1)
    unknown = Circuit(1, 1).assign(Bit(0), Variable("ghost", "bit"))
    return {
        "channel": (kraus, 3, "Operation `kraus` cannot be written as OpenQASM"),
        "channel 2": (kraus, 2, "Operation `kraus`"),
        "part of a register": (branch, 2, "Operation `if_else` cannot be written"),
        "else": (both, 2, "Use version=3"),
        "body that writes": (rewritten, 2, "changes the register it depends on"),
        "loop": (loop, 2, "Operation `while_loop`"),
        "assignment": (variable, 2, "Operation `assign`"),
        "unknown variable": (unknown, 3, "`ghost` is not declared"),
        "delay": (Circuit(1).delay(1.0, 0), 2, "Operation `delay`"),
        "symbol": (Circuit(1).rx(Parameter("theta"), 0), 2, "free parameters: theta. Bind them"),
        "large matrix": (Circuit(7).unitary(np.eye(128), list(range(7))), 3, "at most 6"),
        "large diagonal": (Circuit(13).diagonal(np.ones(1 << 13), list(range(13))), 3, "at most 12"),
        "not unitary": (Circuit(1).unitary([[1, 0], [0, 2]], 0, check=False), 3, "check=False"),
        "many controls": (Circuit(14).ry(0.1, 13, controls=list(range(13))), 2, "more than 10 controls"),
    }


@pytest.mark.parametrize("name", _bad())
def test_what_cannot_be_written(name):
    circuit, version, text = _bad()[name]
    with pytest.raises(QasmError) as caught:
        dumps(circuit, version)
    assert text in str(caught.value) and caught.value.construct


def test_dump_and_load(tmp_path):
    circuit = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
    for version in VERSIONS:
        path = tmp_path / f"bell{version}.qasm"
        dump(circuit, path, version)
        assert load(path).operations == circuit.operations
        assert qsim.load(str(path)).operations == circuit.operations
    assert Circuit.from_qasm(circuit.to_qasm()).operations == circuit.operations
    assert circuit.to_qasm(version=2).splitlines()[0] == "OPENQASM 2.0;"


def test_text_of_a_bell_pair():
    circuit = Circuit(2, 2).h(0).cx(0, 1).measure([0, 1], [0, 1])
    assert circuit.to_qasm() == (
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\n'
        "c[0] = measure q[0];\nc[1] = measure q[1];\n"
    )
    assert circuit.to_qasm(version=2) == (
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\n'
        "measure q[0] -> c[0];\nmeasure q[1] -> c[1];\n"
    )


def test_empty_circuits():
    for version in VERSIONS:
        assert loads(dumps(Circuit(0), version)).num_qubits == 0
        assert loads(dumps(Circuit(2, 1), version)).num_clbits == 1
    assert loads(dumps(Circuit(1).for_loop(range(0), Circuit(1).x(0)))).operations == ()


def test_operations_stay_structured_where_they_depend_on_measurements():
    circuit = Circuit(1, 2).measure(0, 0).for_loop(Bits((0, 1)), Circuit(1, 2).x(0), None)
    assert any(isinstance(op, ForLoop) for op in circuit.operations)
    assert isinstance(loads(dumps(circuit)).operations[0], Measure)
    assert GATES["x"] is loads(dumps(Circuit(1).x(0))).operations[0].gate
