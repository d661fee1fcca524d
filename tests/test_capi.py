"""The C interface against that of Python: programs, observables, values, gradients, samples."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import circuits, pauli_sums, seeds

import qsim
from qsim.errors import (
    ArgumentError,
    CircuitError,
    ObservableError,
)
from qsim.gate_tapes import table_text
from qsim.gates import GATES, get_gate

pytest.importorskip("qsim._capi", reason="the C interface is not built here")
from qsim import capi

lib, ffi = capi.lib, capi.ffi
ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "csrc" / "capi" / "gate_table.inl"
HEADER = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
PRECISIONS = {"double": 1e-12, "single": 2e-5}
needs_table = pytest.mark.skipif(not TABLE.exists(), reason="no sources here (installed from a wheel)")


def convertible(circuit: qsim.Circuit, **options: object) -> capi.Program:
    """The program, if the C interface has all gates of a circuit that hypothesis has drawn."""
    try:
        return capi.Program(circuit, **options)
    except CircuitError:
        assume(False)
        raise


# -- the gate table -------------------------------------------------------------------------------------
@needs_table
def test_the_table_of_the_library_is_that_of_python():
    assert TABLE.read_text() == table_text(), (
        "write qsim.gate_tapes.table_text() to csrc/capi/gate_table.inl, and build again"
    )


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_name_is_the_same_gate(name):
    spec = GATES[name]
    rng = np.random.default_rng(len(name))
    angles = rng.normal(size=spec.num_params)
    order = rng.permutation(spec.num_qubits + 1)
    circuit = qsim.Circuit(spec.num_qubits + 1)
    for q in range(spec.num_qubits + 1):
        circuit.ry(0.3 + q, q).rz(0.7 * q, q)
    before = circuit.matrix()[:, 0]
    circuit.append(
        spec, angles.tolist(), order[:-1].tolist(), controls=order[-1:].tolist(), control_values=[0]
    )
    oracle = qsim.Circuit(spec.num_qubits + 1)
    oracle.append(
        spec, angles.tolist(), order[:-1].tolist(), controls=order[-1:].tolist(), control_values=[0]
    )
    gates, count, kept = capi.gates_of(circuit)
    text = ffi.new("char[]", name.encode())  # an alias where it is one
    gates[count - 1].name = text
    program = capi._handle(
        "program", lib.qsim_program_from_gates, gates, count, circuit.num_qubits, 0, ffi.NULL
    )
    state = np.empty(2 << spec.num_qubits, dtype=complex)
    capi.check(lib.qsim_state(program, ffi.NULL, 0, 1, ffi.from_buffer("double[]", state), 2 * state.size))
    capi.check(lib.qsim_program_free(program))
    np.testing.assert_allclose(state, oracle.matrix() @ before, rtol=0, atol=1e-14)
    assert kept


@pytest.mark.parametrize(
    "name", ["gpi2_dg", "dcx_dg", "syc_dg", "pswap_dg", "c3sx_dg", "deutsch_dg", "rcccx_dg"]
)
def test_inverses_that_have_no_name_of_their_own(name):
    spec = get_gate(name)
    circuit = qsim.Circuit(4).h(range(4)).t(range(4))
    params = [qsim.Parameter("a")] * spec.num_params
    circuit.append(spec, params, list(range(spec.num_qubits)))
    program = capi.Program(circuit)
    angles = [0.6] * spec.num_params
    np.testing.assert_allclose(
        program.state(angles),
        circuit.bind(angles).matrix()[:, 0] if angles else circuit.matrix()[:, 0],
        atol=1e-14,
    )


# -- against the Python interface -----------------------------------------------------------------------
@settings(max_examples=50)
@given(circuit=circuits(max_qubits=5, max_ops=10), data=st.data())
@pytest.mark.parametrize("precision", PRECISIONS)
def test_states_values_and_probabilities(circuit, data, precision):
    program = convertible(circuit, precision=precision)
    observables = data.draw(st.lists(pauli_sums(circuit.num_qubits), min_size=1, max_size=3))
    state = circuit.matrix()[:, 0]
    tolerance = PRECISIONS[precision]
    found = program.state()
    assert found.dtype == (np.complex128 if precision == "double" else np.complex64)
    np.testing.assert_allclose(found, state, rtol=0, atol=tolerance)
    values = [np.vdot(state, o.to_matrix(circuit.num_qubits) @ state).real for o in observables]
    np.testing.assert_allclose(program.expectation(observables), values, rtol=0, atol=20 * tolerance)
    listed = data.draw(st.permutations(range(circuit.num_qubits)))[
        : data.draw(st.integers(0, circuit.num_qubits))
    ]
    np.testing.assert_allclose(
        program.probabilities(qubits=listed),
        qsim.probabilities(circuit, qubits=listed) if listed else [1.0],
        rtol=0,
        atol=tolerance,
    )


@settings(max_examples=50)
@given(circuit=circuits(max_qubits=4, max_ops=8, parameters=3), seed=seeds, data=st.data())
@pytest.mark.parametrize("precision", PRECISIONS)
def test_gradients_of_batches(circuit, seed, data, precision):
    program = convertible(circuit, precision=precision)
    observables = data.draw(st.lists(pauli_sums(circuit.num_qubits), min_size=1, max_size=2))
    batch = data.draw(st.integers(0, 5))
    params = np.random.default_rng(seed).normal(size=(batch, circuit.num_parameters))
    values, slopes = program.value_and_gradient(observables, params)
    assert values.shape == (batch, len(observables))
    assert slopes.shape == (batch, len(observables), circuit.num_parameters)
    expected, derivatives = qsim.value_and_gradient(circuit, observables, params)
    np.testing.assert_allclose(values, expected, rtol=0, atol=20 * PRECISIONS[precision])
    np.testing.assert_allclose(slopes, derivatives, rtol=1e-9, atol=300 * PRECISIONS[precision])


def ansatz(num_qubits: int, layers: int) -> qsim.Circuit:
    angles = iter(qsim.ParameterVector("t", 2 * num_qubits * layers))
    circuit = qsim.Circuit(num_qubits)
    for _ in range(layers):
        for q in range(num_qubits):
            circuit.ry(next(angles), q).crx(2 * next(angles) + 0.1, q, (q + 1) % num_qubits)
    return circuit


@pytest.mark.parametrize("num_qubits", [9, 11, 15, 16])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_big_states_run_fused_and_forward_differences_agree(num_qubits, precision):
    circuit = ansatz(num_qubits, 1)
    program = capi.Program(circuit, precision=precision, threads=2)
    params = np.random.default_rng(num_qubits).normal(size=(2, program.num_params))
    observables = ["Z0 X1", {"Y2": 0.5, "Z3": 2.0}]
    values, slopes = program.value_and_gradient(observables, params)
    step = 1e-5 if precision == "double" else 1e-2
    direction = np.random.default_rng(1).normal(size=params.shape)
    ahead, behind = (program.expectation(observables, params + sign * step * direction) for sign in (1, -1))
    tolerance = 1e-8 if precision == "double" else 3e-3
    np.testing.assert_allclose(
        np.einsum("bop,bp->bo", slopes, direction), (ahead - behind) / (2 * step), atol=tolerance, rtol=1e-3
    )
    np.testing.assert_allclose(values, qsim.expectation(circuit, observables, params), atol=1e-5)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**64 - 1), batch=st.integers(0, 4), shots=st.integers(0, 50))
def test_the_same_seed_gives_the_same_samples_as_in_python(seed, batch, shots):
    circuit = ansatz(3, 1)
    params = np.random.default_rng(5).normal(size=(batch, circuit.num_parameters))
    found = capi.Program(circuit).sample(shots, params, seed=seed)
    assert found.shape == (batch, shots)
    for row, samples in enumerate(
        qsim.sample(circuit, params, shots=shots, seed=seed) if batch and shots else []
    ):
        np.testing.assert_array_equal(found[row], samples.ints)


def test_results_do_not_depend_on_threads():
    circuit = ansatz(16, 1)
    params = np.linspace(0, 1, circuit.num_parameters)
    found = []
    for threads in (1, 2, 5):
        program = capi.Program(circuit, threads=threads)
        found.append((program.value_and_gradient("Z0 Z1", params), program.sample(100, params, seed=3)))
    for (value, slopes), samples in found[1:]:
        assert value == found[0][0][0]
        np.testing.assert_array_equal(slopes, found[0][0][1])
        np.testing.assert_array_equal(samples, found[0][1])


@pytest.mark.parametrize("num_qubits", [0, 1, 3, 16])
def test_circuits_without_gates(num_qubits):
    program = capi.Program(qsim.Circuit(num_qubits))
    state = program.state()
    assert state[0] == 1 and not state[1:].any()
    assert program.expectation({"": 2.0}) == 2.0
    np.testing.assert_array_equal(program.sample(5, seed=1), 0)


def test_shapes_follow_what_was_asked():
    program = capi.Program(ansatz(2, 1))
    row, rows = np.zeros(4), np.zeros((3, 4))
    observables = capi.Observables(["Z0", "X1"], 2)
    assert isinstance(program.expectation("Z0", row), float)
    assert program.expectation("Z0", rows).shape == (3,)
    assert program.expectation(observables, row).shape == (2,)
    assert program.expectation(observables, rows).shape == (3, 2)
    assert program.value_and_gradient("Z0", row)[1].shape == (4,)
    assert program.value_and_gradient(observables, rows)[1].shape == (3, 2, 4)
    assert program.state(row).shape == (4,) and program.state(rows).shape == (3, 4)
    assert program.probabilities(rows, [1]).shape == (3, 2)


# -- gates with data of their own -----------------------------------------------------------------------
def test_matrices_on_many_qubits_with_controls():
    from qsim.testing import random_unitary

    rng = np.random.default_rng(3)
    circuit = qsim.Circuit(5).h(range(5)).t(range(5))
    circuit.unitary(random_unitary(3, rng), [4, 0, 2], controls=[1], control_values=[0])
    circuit.diagonal(np.exp(1j * rng.normal(size=8)), [1, 3, 0])
    circuit.permutation(rng.permutation(8), [2, 4, 1])
    circuit.pauli_rotation(0.4, "XYZ", [3, 0, 2], controls=[4])
    circuit.pauli_rotation(qsim.Parameter("a") * 3 - 1, "ZY", [1, 2])
    np.testing.assert_allclose(
        capi.Program(circuit).state([0.2]), circuit.bind([0.2]).matrix()[:, 0], rtol=0, atol=1e-13
    )


@pytest.mark.parametrize(
    ("circuit", "words"),
    [
        (qsim.Circuit(1, 1).measure(0, 0), "has a measure"),
        (qsim.Circuit(1).reset(0), "has a reset"),
        (qsim.Circuit(1).unitary([[1, 0], [0, 2]], 0, check=False), "no gate `unitary`"),
        (
            qsim.Circuit(1).rx(qsim.sin(qsim.Parameter("a")), 0),
            r"Gate `rx` has the parameter `sin\(a\)`, but the C interface takes numbers",
        ),
    ],
)
def test_what_the_interface_lacks_is_refused_by_name(circuit, words):
    with pytest.raises(CircuitError, match=words):
        capi.Program(circuit)


# -- observables ----------------------------------------------------------------------------------------
def value_of_text(text: str, num_qubits: int = 3) -> float:
    texts = [ffi.new("char[]", text.encode())]
    handle = capi._handle(
        "observables", lib.qsim_observables_from_text, ffi.new("char *[]", texts), 1, num_qubits
    )
    program = capi.Program(ansatz(3, 2))
    params = np.linspace(-1, 2, program.num_params)
    out = np.empty(1)
    code = lib.qsim_expectation(
        program.handle, handle, *capi._given(params[None]), ffi.from_buffer("double[]", out), 1
    )
    capi.check(lib.qsim_observables_free(handle))
    capi.check(code)
    return float(out[0])


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Z0", {"Z0": 1.0}),
        ("  XIZ ", {"XIZ": 1.0}),
        ("0.5 * X0 Y1 - 2 * Z2 + 0.25", {"X0 Y1": 0.5, "Z2": -2.0, "": 0.25}),
        ("-1.5e-1 X0Y1+.5*III\n+ YYX", {"X0 Y1": -0.15, "": 0.5, "YYX": 1.0}),
        ("Z0 + Z0", {"Z0": 2.0}),
        ("1", {"": 1.0}),
    ],
)
def test_text_of_observables(text, terms):
    circuit = ansatz(3, 2)
    params = np.linspace(-1, 2, circuit.num_parameters)
    assert value_of_text(text) == pytest.approx(qsim.expectation(circuit, terms, params), abs=1e-13)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "`texts[0]` holds no term"),
        ("Q0", "must have a number or one of the letters I, X, Y, Z at position 0, but has `Q`"),
        ("é", "but has `é`"),
        ("Z3", "names qubit 3, but there are 3 qubits"),
        ("Z99999999999999999999", "names qubit"),
        ("Z0 Z0", "names qubit 0 twice"),
        ("ZZ", "has the string `ZZ` of 2 letters, but one for each of 3 qubits"),
        ("Z0 X", "must have the number of a qubit at position 4, but ends there"),
        ("XZ0", "not both"),
        ("2 *", "must have a Pauli string behind `*` at position 3, but ends there"),
        ("Z0 +", "must have a number"),
        ("Z0 3", "must have `+`, `-` or the end at position 3"),
        ("1e999 Z0", "has the coefficient `1e999`, which is no finite number"),
        ("1.2.3 Z0", "no finite number"),
        ("nan", "letters I, X, Y, Z at position 0, but has `n`"),
    ],
)
def test_bad_text_of_observables(text, words):
    with pytest.raises(ArgumentError) as error:
        value_of_text(text)
    assert words in str(error.value)


@given(text=st.text("IXYZ0123 +-*.e\n", max_size=12))
def test_any_text_is_an_observable_or_refused(text):
    try:
        value = value_of_text(text)
    except ArgumentError as error:
        assert "`texts[0]`" in str(error)
    else:
        assert math.isfinite(value)


def test_other_observables_are_refused_by_name():
    with pytest.raises(ObservableError, match="but not a Hermitian"):
        capi.Observables(qsim.Hermitian(np.eye(2), [0]), 1)
    with pytest.raises(ObservableError, match="must be Hermitian"):
        capi.Observables({"X0": 1j}, 1)
    with pytest.raises(ArgumentError, match="must be of 2 qubits like the program, but is of 3"):
        capi.Program(qsim.Circuit(2)).expectation(capi.Observables("Z0", 3))
