"""`qsim.from_cirq` and `qsim.to_cirq` against Cirq's own unitaries and sampling; needs Cirq."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim.errors import ArgumentError, CircuitError, ObservableError, ParameterError, QubitError

cirq = pytest.importorskip("cirq")
import sympy  # noqa: E402

QUBITS = cirq.LineQubit.range(4)
POWERS = (1, 0.5, -0.5, 0.25, 1.5, 2, 0.37)
ONE_EXPONENT = (
    *(cirq.XPowGate, cirq.YPowGate, cirq.ZPowGate, cirq.HPowGate, cirq.CXPowGate, cirq.CZPowGate),
    *(cirq.CCXPowGate, cirq.CCZPowGate, cirq.SwapPowGate, cirq.ISwapPowGate),
    *(cirq.XXPowGate, cirq.YYPowGate, cirq.ZZPowGate),
)
UNITARY = cirq.testing.random_unitary(8, random_state=1)


class OwnGate(cirq.Gate):
    """Known to Cirq by a decomposition alone."""

    def _num_qubits_(self):
        return 3

    def _decompose_(self, qubits):
        yield cirq.CZ(*qubits[:2]) ** 0.3
        yield cirq.Y(qubits[2]) ** 0.2


class OwnPower(cirq.XPowGate):
    """A class derived elsewhere may mean something else by the same attributes."""

    def _eigen_components(self):
        return [(0, np.diag([1.0, 0.0])), (0.5, np.diag([0.0, 1.0]))]


CONSTANT = [
    *(gate(exponent=t) for gate in ONE_EXPONENT for t in POWERS),
    *(gate(exponent=t, global_shift=s) for gate in ONE_EXPONENT for t in (1, 0.37) for s in (-0.5, 0.3)),
    *(cirq.PhasedXPowGate(exponent=t, phase_exponent=0.3, global_shift=0.2) for t in POWERS),
    *(cirq.PhasedISwapPowGate(exponent=t, phase_exponent=0.3) for t in POWERS),
    cirq.PhasedXZGate(x_exponent=0.2, z_exponent=0.7, axis_phase_exponent=0.4),
    *(cirq.FSimGate(0.4, 0.7), cirq.PhasedFSimGate(0.1, 0.2, 0.3, 0.4, 0.5), cirq.rx(0.3), cirq.ms(0.3)),
    *(cirq.givens(0.3), cirq.CSWAP, cirq.IdentityGate(3), cirq.WaitGate(cirq.Duration(nanos=3))),
    *(cirq.MatrixGate(UNITARY), cirq.MatrixGate(UNITARY.astype(np.complex64), unitary_check=False)),
    *(cirq.DiagonalGate(list(range(8))), cirq.TwoQubitDiagonalGate([1, 2, 3, 4])),
    cirq.ThreeQubitDiagonalGate(list(range(8))),
    *(cirq.QuantumFourierTransformGate(3), cirq.QubitPermutationGate([2, 0, 1]), cirq.GlobalPhaseGate(1j)),
    *(cirq.PhaseGradientGate(num_qubits=3, exponent=0.4), cirq.ParallelGate(cirq.Y**0.3, 3)),
    *(cirq.DensePauliString("XYZ", coefficient=-1j), cirq.SingleQubitCliffordGate.X_sqrt, OwnGate()),
    *(cirq.PauliInteractionGate(cirq.X, True, cirq.Z, False), OwnPower(exponent=0.3)),
    cirq.PauliStringPhasorGate(cirq.DensePauliString("XYZ"), exponent_neg=0.3, exponent_pos=0.6),
]
A, B = sympy.symbols("a b")
VALUES = {"a": 0.3, "b": 0.7}
SYMBOLIC = [
    *(gate(exponent=2 * A + B / 3, global_shift=s) for gate in ONE_EXPONENT for s in (0, -0.5, 0.3)),
    *(cirq.rx(A), cirq.ry(sympy.sin(A) * B**2), cirq.rz(sympy.sqrt(A) - sympy.pi), cirq.FSimGate(A, B)),
    cirq.PhasedXPowGate(exponent=A, phase_exponent=B),
    cirq.PhasedXZGate(x_exponent=A, z_exponent=B, axis_phase_exponent=A * B),
    cirq.PhasedISwapPowGate(phase_exponent=A, exponent=B),
    *(cirq.PhasedFSimGate(A, B, 0.2, A, 0.4), cirq.TwoQubitDiagonalGate([A, B, 0.1, 0.2])),
    cirq.PauliStringPhasorGate(cirq.DensePauliString("XZ"), exponent_neg=A, exponent_pos=B),
    cirq.GlobalPhaseGate(sympy.exp(sympy.I * A * B)),
]


def unitary(circuit):
    return circuit.unitary(qubit_order=QUBITS, qubits_that_should_be_present=QUBITS)


def check(circuit, values=None):
    """Equal with global phase, both ways."""
    bound = circuit if values is None else cirq.resolve_parameters(circuit, values)
    expected = unitary(bound)
    reverse = qsim.from_cirq(circuit, qubit_order=QUBITS[::-1])
    here = {p.name: values[p.name] for p in reverse.parameters} if values else {}
    np.testing.assert_allclose(reverse.bind(here).matrix(), expected, atol=1e-6)
    back = qsim.to_cirq(qsim.from_cirq(circuit, qubit_order=QUBITS))
    back = back if values is None else cirq.resolve_parameters(back, values)
    np.testing.assert_allclose(unitary(back), expected, atol=1e-6)


CONTROL_VALUES = ([[0, 1], 0], [1, 0], cirq.SumOfProducts([[0, 1], [1, 0]]))


@pytest.mark.parametrize(
    ("gates", "values"), [(CONSTANT, None), (SYMBOLIC, VALUES)], ids=["numbers", "symbols"]
)
def test_gates_on_qubits_in_any_order_and_behind_controls(gates, values):
    rng = np.random.default_rng(0)
    for number, gate in enumerate(gates):
        count = cirq.num_qubits(gate)
        places = rng.permutation(4)
        on, free = [QUBITS[k] for k in places[:count]], [QUBITS[k] for k in places[count:]]
        operation = gate.on(*on)
        check(cirq.Circuit(operation.with_tags("tag")), values)
        which = number % 5
        if which == 3:
            wrapped = cirq.ControlledGate(gate, 1, control_values=[0]).on(free[0], *on)
        elif which == 4 or count == 3:
            wrapped = operation.controlled_by(free[0], control_values=[number % 2])
        else:
            wrapped = operation.controlled_by(*free[:2], control_values=CONTROL_VALUES[which])
        check(cirq.Circuit(wrapped), values)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 20), density=st.floats(0.3, 1))
def test_random_circuits(seed, density):
    check(cirq.testing.random_circuit(QUBITS, 8, density, random_state=seed))


@pytest.mark.parametrize("letters", ["XIZ", "IYI", "III"])
def test_phasors_with_identities(letters):
    """Against the definition: Cirq's own decomposition takes letters I for others."""
    string = cirq.DensePauliString(letters)
    gate = cirq.PauliStringPhasorGate(string, exponent_neg=0.6, exponent_pos=0.3)
    pauli = cirq.unitary(string)
    plus, minus = ((np.eye(8) + sign * pauli) / 2 for sign in (1, -1))
    expected = np.exp(0.3j * np.pi) * plus + np.exp(0.6j * np.pi) * minus
    circuit = qsim.from_cirq(cirq.Circuit(gate.on(*QUBITS[:3])), qubit_order=QUBITS[2::-1])
    np.testing.assert_allclose(circuit.matrix(), expected, atol=1e-12)


def test_pauli_strings_as_operations():
    check(cirq.Circuit(-1j * cirq.X(QUBITS[0]) * cirq.Y(QUBITS[2])))
    check(cirq.Circuit(np.exp(0.3j * np.pi * cirq.X(QUBITS[0]) * cirq.Z(QUBITS[3]))))
    with pytest.raises(CircuitError, match="is no unitary: its coefficient is"):
        qsim.from_cirq(cirq.Circuit(cirq.DensePauliString("X", coefficient=2).on(QUBITS[0])))


def test_default_order_of_qubits():
    asymmetric = cirq.Circuit(cirq.X(QUBITS[3]), cirq.H(QUBITS[1]))
    circuit = qsim.from_cirq(asymmetric)
    assert circuit.num_qubits == 4 and [op.targets for op in circuit] == [(3,), (1,)]
    assert qsim.expectation(circuit, qsim.from_cirq(cirq.Z(QUBITS[3]))) == pytest.approx(-1)
    named = cirq.NamedQubit.range(2, prefix="q")
    assert qsim.from_cirq(cirq.Circuit(cirq.CX(named[1], named[0]))).operations[0].targets == (1, 0)
    back = qsim.to_cirq(circuit, named + cirq.NamedQubit.range(2, prefix="z"))
    assert back == cirq.Circuit(cirq.X(cirq.NamedQubit("z1")), cirq.H(named[1]))
    assert qsim.from_cirq(cirq.Circuit()).num_qubits == 0
    assert qsim.from_cirq(asymmetric.freeze(), qubit_order=cirq.QubitOrder.sorted_by(lambda q: -q.x)) == (
        qsim.Circuit(2).x(0).h(1)
    )


# -- symbols -----------------------------------------------------------------------------------------
def test_formulas_both_ways():
    x, y = qsim.Parameter("x"), qsim.ParameterVector("y", 2)
    formulas = [
        *(2 * x - y[0] / 3, -x, x**2.5 * y[1], qsim.sin(x) + qsim.cos(y[0]), qsim.exp(-x) * qsim.log(y[1])),
        *(qsim.arctan2(x, y[0]), qsim.arcsin(x), qsim.arccos(x), qsim.arctan(x), qsim.tan(x), qsim.sqrt(x)),
    ]
    circuit = qsim.Circuit(1)
    for formula in formulas:
        circuit.ry(formula, 0).rz(0.3, 0)
    values = {"x": 0.4, "y[0]": 0.7, "y[1]": 1.3}
    theirs = cirq.resolve_parameters(qsim.to_cirq(circuit), values)
    np.testing.assert_allclose(cirq.unitary(theirs), circuit.bind(values).matrix(), atol=1e-12)
    again = qsim.from_cirq(qsim.to_cirq(circuit))
    assert set(again.parameters) == set(circuit.parameters)
    np.testing.assert_allclose(again.bind(values).matrix(), circuit.bind(values).matrix(), atol=1e-12)


@pytest.mark.parametrize(
    ("formula", "named"), [(sympy.Abs(A), "Abs"), (A * sympy.I, "`I` is none"), (sympy.floor(A), "floor")]
)
def test_formulas_without_a_form_are_refused(formula, named):
    with pytest.raises(ParameterError, match=named):
        qsim.from_cirq(cirq.Circuit(cirq.rx(formula).on(QUBITS[0])))


# -- what is not a gate --------------------------------------------------------------------------------
def distribution(circuit, order):
    """Exact, by key: from qsim's branches."""
    return qsim.distribution(qsim.from_cirq(circuit, qubit_order=order))


def test_measurement_keys_are_registers():
    a, b, c = QUBITS[:3]
    circuit = cirq.Circuit(
        cirq.X(a),
        cirq.X(c),
        cirq.measure(a, b, c, key="m", invert_mask=(False, True)),
        cirq.measure(b, key="n"),
    )
    ours = qsim.from_cirq(circuit)
    assert ours.classical_registers == {"m": (0, 1, 2), "n": (3,)}
    assert qsim.distribution(ours) == {"0111": 1.0}
    circuit = cirq.Circuit(cirq.measure(a, key="m", invert_mask=(True,)), cirq.X(a), cirq.measure(a, key="m"))
    ours = qsim.from_cirq(circuit)
    assert ours.classical_registers == {"m": (0,), "m_1": (1,)}
    assert qsim.distribution(ours) == {"11": 1.0}
    inner = cirq.FrozenCircuit(cirq.measure(a, key="m", invert_mask=(True,)), cirq.CX(a, b))
    circuit = cirq.Circuit(cirq.CircuitOperation(inner), cirq.measure(b, key="n"))
    assert qsim.distribution(qsim.from_cirq(circuit)) == {"01": 1.0}  # a is as it was


KEY = cirq.MeasurementKey("m")
CONDITIONS = [
    *("m", cirq.KeyCondition(KEY, index=0), cirq.BitMaskKeyCondition("m", bitmask=2)),
    cirq.BitMaskKeyCondition("m", bitmask=3, target_value=2, equal_target=True),
    cirq.BitMaskKeyCondition.create_not_equal_mask("m", 1),
    *(sympy.Eq(sympy.Symbol("m"), 2), sympy.Symbol("m") > sympy.Symbol("n"), sympy.Symbol("m") * 2 - 3 >= 1),
    sympy.And(sympy.Eq(sympy.Symbol("m"), 1), sympy.Not(sympy.Eq(sympy.Symbol("n"), 1))),
    *(
        sympy.Or(sympy.Eq(sympy.Symbol("m"), 0), sympy.Ne(sympy.Symbol("n"), 0)),
        sympy.Ne(sympy.Symbol("m"), 3),
    ),
    sympy.Xor(sympy.IndexedBase("m")[0], sympy.IndexedBase("m")[1]),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_classical_control(condition):
    """Every basis state is measured, so each outcome of the condition shows."""
    a, b, c, d = QUBITS
    for bits in itertools.product((0, 1), repeat=3):
        flips = [cirq.X(q) for q, bit in zip((a, b, c), bits, strict=True) if bit]
        circuit = cirq.Circuit(
            flips,
            [cirq.measure(a, b, key="m"), cirq.measure(c, key="n")],
            cirq.X(d).with_classical_controls(condition),
            cirq.measure(d, key="out"),
        )
        expected = cirq.Simulator().run(circuit).measurements["out"][0, 0]
        (outcome,) = distribution(circuit, QUBITS)
        assert int(outcome[0]) == expected


def test_conditions_go_back():
    circuit = qsim.Circuit(3, 3)
    circuit.classical_registers["m"] = (0, 1)
    flip, flip_back = qsim.Circuit(3).x(2), qsim.Circuit(3).h(2).t(2)
    circuit.h(0).h(1).measure([0, 1], [0, 1])
    circuit.if_else(((0, 1), 2), flip, flip_back).if_else((0, 1), flip).if_else((2, 0), flip).reset(0)
    circuit.if_else((2, 1), flip_back, flip).measure([0, 2], [0, 2])
    theirs = qsim.to_cirq(circuit)
    assert sorted(str(key) for key in theirs.all_measurement_key_objs()) == ["c[2]", "m", "m[0]"]
    again = qsim.from_cirq(theirs)
    counts = [
        {key: sum(p for s, p in d.items() if s[-1 - bit] == key) for key in "01" for bit in [place]}
        for d, place in ((qsim.distribution(circuit), 2), (qsim.distribution(again), again.num_clbits - 1))
    ]
    assert counts[0] == pytest.approx(counts[1])


def test_channels_and_resets_both_ways():
    a, b = QUBITS[:2]
    circuit = cirq.Circuit(
        *(cirq.H(a), cirq.CX(a, b), cirq.depolarize(0.2).on(b), cirq.amplitude_damp(0.3).on(a)),
        *(cirq.reset(a), cirq.asymmetric_depolarize(0.1, 0.2, 0.3).on(b), cirq.X(a) ** 0.3),
        cirq.KrausChannel([np.kron(np.eye(2), m) for m in cirq.kraus(cirq.phase_damp(0.4))]).on(b, a),
        cirq.StatePreparationChannel(np.array([0.6, 0.8j])).on(b),
        cirq.RandomGateChannel(sub_gate=cirq.ISWAP, probability=0.3).on(a, b),
    )
    expected = cirq.DensityMatrixSimulator(dtype=np.complex128).simulate(circuit).final_density_matrix
    ours = qsim.from_cirq(circuit, qubit_order=[b, a])
    np.testing.assert_allclose(qsim.density_matrix(ours), expected, atol=1e-6)
    back = qsim.to_cirq(ours, [b, a])
    simulator = cirq.DensityMatrixSimulator(dtype=np.complex128, split_untangled_states=False)
    again = simulator.simulate(back, qubit_order=[a, b])
    np.testing.assert_allclose(again.final_density_matrix, expected, atol=1e-6)


def test_subcircuits_are_unrolled():
    inner = cirq.FrozenCircuit(cirq.X(QUBITS[0]) ** A, cirq.CX(*QUBITS[:2]), cirq.measure(QUBITS[1], key="k"))
    circuit = cirq.Circuit(cirq.CircuitOperation(inner, repetitions=2, use_repetition_ids=True))
    ours = qsim.from_cirq(circuit)
    assert set(ours.classical_registers) == {"0:k", "1:k"} and [p.name for p in ours.parameters] == ["a"]


REFUSED = [
    (
        cirq.CircuitOperation(
            cirq.FrozenCircuit(cirq.H(QUBITS[0]), cirq.measure(QUBITS[0], key="k")),
            use_repetition_ids=False,
            repeat_until=cirq.KeyCondition(cirq.MeasurementKey("k")),
        ),
        "repeats until a condition holds",
    ),
    (cirq.X(QUBITS[0]).with_classical_controls("k"), "depends on `k`, which is not measured before it"),
    (cirq.measure(QUBITS[0], key="k", confusion_map={(0,): np.eye(2)}), "has a confusion map"),
    (cirq.KrausChannel([np.eye(2)], key="k").on(QUBITS[0]), "has no form here"),
    (cirq.XPowGate(dimension=3).on(cirq.LineQid(0, 3)), "has 3. qsim has no qudits"),
    (cirq.GlobalPhaseGate(A).on(), "A global phase with symbols must be sympy.exp"),
]


@pytest.mark.parametrize(("operation", "message"), REFUSED, ids=lambda value: str(value)[:20])
def test_what_has_no_form_is_refused_by_name(operation, message):
    with pytest.raises(CircuitError, match=message):
        qsim.from_cirq(cirq.Circuit(operation))


def test_what_cirq_lacks_is_refused_by_name():
    loop = qsim.Circuit(1, 1).measure(0, 0).while_loop((0, 1), qsim.Circuit(1, 1).x(0).measure(0, 0))
    with pytest.raises(CircuitError, match="`while_loop` has no form in Cirq"):
        qsim.to_cirq(loop)
    measured = qsim.Circuit(1, 2).measure(0, 0).if_else((0, 1), qsim.Circuit(1, 2).measure(0, 1))
    with pytest.raises(CircuitError, match="`measure` under a condition has no form in Cirq"):
        qsim.to_cirq(measured)
    split = qsim.Circuit(1, 2).measure(0, 0).measure(0, 1)
    split.if_else(((0, 1), 3), qsim.Circuit(1, 2).x(0), qsim.Circuit(1, 2).h(0))
    with pytest.raises(CircuitError, match="Measure them into one register"):
        qsim.to_cirq(split)
    for call in (qsim.from_cirq, qsim.to_cirq):
        with pytest.raises(TypeError, match="Argument `obj` must be a"):
            call("circuit")


def test_every_gate_of_the_table_has_a_form_in_cirq():
    rng = np.random.default_rng(1)
    for spec in qsim.gates.unique_specs():
        if spec.num_qubits > 4:
            continue
        circuit = qsim.Circuit(4).append(spec, rng.uniform(-3, 3, spec.num_params), range(spec.num_qubits))
        expected = unitary(qsim.to_cirq(circuit, QUBITS[::-1]))
        np.testing.assert_allclose(circuit.matrix(), expected, atol=1e-7, err_msg=spec.name)
    names = [f"p{k}" for k in range(4)]
    for spec in qsim.gates.unique_specs():
        if spec.num_params and spec.num_qubits <= 4:
            symbols = [qsim.Parameter(name) for name in names[: spec.num_params]]
            circuit = qsim.Circuit(4).append(spec, symbols, range(spec.num_qubits))
            values = dict(zip(names, rng.uniform(-3, 3, spec.num_params), strict=False))
            theirs = cirq.resolve_parameters(qsim.to_cirq(circuit, QUBITS[::-1]), values)
            values = {p.name: values[p.name] for p in circuit.parameters}
            np.testing.assert_allclose(
                circuit.bind(values).matrix(), unitary(theirs), atol=1e-7, err_msg=spec.name
            )


def test_gates_with_data_have_a_form_in_cirq():
    theta = qsim.Parameter("t")
    circuit = qsim.Circuit(4).unitary(UNITARY, (2, 0, 3), controls=1, control_values=[0])
    circuit.diagonal(np.exp(1j * np.arange(4)), (3, 1)).permutation([2, 0, 3, 1], (0, 2), controls=1)
    circuit.pauli_rotation(theta, "XIY", (0, 3, 1)).exp_pauli_sum({"Z0 X1": 0.3, "Y2": 1.0}, theta)
    circuit.prepare([0.6, 0.8j], 2).pcphase(0.3, 3, (0, 1)).append(qsim.Circuit(2).h(0).cx(0, 1), (), (3, 0))
    circuit.barrier().delay(3, 0, "ns")
    theirs = cirq.resolve_parameters(qsim.to_cirq(circuit, QUBITS[::-1]), {"t": 0.4})
    np.testing.assert_allclose(circuit.bind({"t": 0.4}).matrix(), unitary(theirs), atol=1e-7)


# -- observables ---------------------------------------------------------------------------------------
def test_observables_both_ways():
    a, b, c = QUBITS[:3]
    ours = qsim.from_cirq(2 * cirq.Z(a) * cirq.X(c) - 0.5j * cirq.Y(b) + 3)
    assert ours == qsim.PauliSum([("Z0 X2", 2), ("Y1", -0.5j), ("", 3)])
    assert qsim.from_cirq(qsim.to_cirq(ours)) == ours
    string = qsim.from_cirq(cirq.PauliString({a: cirq.X, c: cirq.Y}, coefficient=-1))
    assert string == qsim.PauliString("X0 Y2", -1) and qsim.from_cirq(qsim.to_cirq(string)) == string
    named = cirq.NamedQubit.range(3, prefix="q")
    observable = cirq.PauliString({named[2]: cirq.Z})
    assert qsim.from_cirq(observable, qubit_order=named) == qsim.PauliString("Z2")
    with pytest.raises(ArgumentError, match="must name the circuit's qubits"):
        qsim.from_cirq(observable)
    with pytest.raises(QubitError, match="must name every qubit, but lacks"):
        qsim.from_cirq(observable, qubit_order=named[:2])
    with pytest.raises(ObservableError, match="has symbols"):
        qsim.from_cirq(cirq.PauliString({a: cirq.X}, coefficient=A))
    with pytest.raises(ArgumentError, match="must name 3 different qubits"):
        qsim.to_cirq(ours, [a, a, b])
