"""Unusual input that is right and must work: other memory layouts, read-only arrays, empty things."""

from __future__ import annotations

import numpy as np
import pytest

import qsim
from qsim.circuit import Circuit
from qsim.observables import PauliSum
from qsim.parameters import ParameterVector
from qsim.program.slots import SlotMap
from qsim.testing import assert_states_close, random_state, random_unitary

U = random_unitary(2, 1)
STATE = random_state(3, 2)
X = ParameterVector("x", 3)
ANSATZ = Circuit(3).rx(X[0], 0).ry(X[1] * X[2], 1).cx(0, 2).rz(X[2], 2)
VALUES = np.random.default_rng(3).normal(size=(4, 3))


def read_only(array: np.ndarray) -> np.ndarray:
    out = array.copy()
    out.flags.writeable = False
    return out


def strided(array: np.ndarray) -> np.ndarray:
    """The same values, every second element of a larger array."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


LAYOUTS = {
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a.tolist())) if a.ndim == 2 else tuple(a.tolist()),
    "Fortran order": np.asfortranarray,
    "not contiguous": strided,
    "reversed": lambda a: a[..., ::-1][..., ::-1],
    "read-only": read_only,
    "big endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "unaligned": lambda a: (
        np.frombuffer(b"\0" + a.tobytes(), dtype=np.uint8)[1:].view(a.dtype).reshape(a.shape)
    ),
    "subclass": lambda a: np.ma.masked_array(a),
}
each_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


@each_layout
def test_layouts_of_matrices(layout):
    np.testing.assert_array_equal(Circuit(2).unitary(layout(U), [0, 1]).matrix(), U)


@each_layout
def test_layouts_of_states(backend, precision, layout):
    wanted = qsim.statevector(Circuit(3).h(0), initial_state=STATE)
    found = qsim.statevector(
        Circuit(3).h(0), initial_state=layout(STATE), backend=backend, precision=precision
    )
    assert_states_close(found, wanted, atol=1e-14 if precision == "double" else 1e-6)


@each_layout
def test_layouts_of_values(backend, layout):
    wanted = qsim.expectation(ANSATZ, ["Z0", "X2"], VALUES)
    for params in (layout(VALUES), {"x": layout(VALUES)}):
        found = qsim.expectation(ANSATZ, ["Z0", "X2"], params, backend=backend)
        np.testing.assert_array_equal(found, wanted if backend == qsim.available_backends()[0] else found)
        np.testing.assert_allclose(found, wanted, atol=1e-14)


@each_layout
def test_layouts_of_amplitudes_and_diagonals(layout):
    assert_states_close(qsim.statevector(Circuit(3).prepare(layout(STATE))), STATE, atol=1e-14)
    phases = np.exp(1j * np.arange(4))
    np.testing.assert_array_equal(Circuit(2).diagonal(layout(phases), [0, 1]).matrix(), np.diag(phases))


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint16, np.float16, np.float32, np.longdouble])
def test_kinds_of_numbers(kind):
    values = np.array([[1, 0, 2], [0, 1, 1]], dtype=kind)
    np.testing.assert_array_equal(
        qsim.expectation(ANSATZ, "Z0", values), qsim.expectation(ANSATZ, "Z0", values.astype(float))
    )
    circuit = Circuit(1).rx(kind(1), 0)
    assert circuit == Circuit(1).rx(1.0, 0)


@pytest.mark.parametrize("kind", [int, np.int8, np.int64, np.uint8, np.uint64, np.intp])
def test_kinds_of_qubits(kind):
    circuit = Circuit(kind(3), kind(2)).cx(kind(0), kind(2)).measure([kind(1)], [kind(1)])
    assert circuit == Circuit(3, 2).cx(0, 2).measure(1, 1)
    assert Circuit(3).h(np.arange(3)) == Circuit(3).h([0, 1, 2]) == Circuit(3).h(range(3))
    assert Circuit(3).h(q for q in range(3)) == Circuit(3).h((0, 1, 2))


def test_input_is_not_changed(backend):
    initial, values = STATE.copy(), VALUES.copy()
    out = qsim.statevector(ANSATZ, values, initial_state=initial, backend=backend)
    np.testing.assert_array_equal(initial, STATE)
    np.testing.assert_array_equal(values, VALUES)
    assert not np.shares_memory(out, initial)
    out[:] = 0  # the result is the caller's own
    again = qsim.statevector(ANSATZ, values, initial_state=initial, backend=backend)
    assert abs(np.linalg.norm(again[0]) - 1) < 1e-12


def test_later_changes_of_an_array_do_not_reach_a_gate():
    m, d = U.copy(), np.ones(2, dtype=complex)
    circuit = Circuit(2).unitary(m, [0, 1]).diagonal(d, 0)
    m[:] = 0
    d[:] = 0
    np.testing.assert_array_equal(circuit.matrix(), U)


def test_no_qubits(backend, precision):
    """A state of no qubits is one amplitude."""
    options = {"backend": backend, "precision": precision}
    empty = Circuit(0).gphase(0.5)
    state = qsim.statevector(empty, **options)
    assert state.shape == (1,)
    np.testing.assert_allclose(state, [np.exp(0.5j)], atol=1e-7)
    assert qsim.expectation(Circuit(0), {"": 2.5}, **options) == 2.5
    np.testing.assert_array_equal(qsim.probabilities(Circuit(0), **options), [1.0])
    assert qsim.distribution(Circuit(0), **options) == {"": 1.0}
    assert qsim.sample(Circuit(0), shots=3, seed=1, **options).counts() == {"": 3}
    assert qsim.inner_product(Circuit(0), empty, **options) == pytest.approx(np.exp(0.5j), abs=1e-6)
    np.testing.assert_array_equal(qsim.density_matrix(Circuit(0), **options), [[1.0]])


def test_no_gates(backend):
    np.testing.assert_array_equal(qsim.statevector(Circuit(2), backend=backend), [1, 0, 0, 0])
    assert qsim.expectation(Circuit(2), ["Z0", "X1"], backend=backend).tolist() == [1.0, 0.0]
    assert qsim.sample(Circuit(2), shots=2, seed=1, backend=backend).counts() == {"00": 2}


def test_empty_batches(backend):
    assert qsim.statevector(ANSATZ, np.zeros((0, 3)), backend=backend).shape == (0, 8)
    assert qsim.expectation(ANSATZ, ["Z0", "X1"], np.zeros((0, 3)), backend=backend).shape == (0, 2)
    assert qsim.expectation(ANSATZ, "Z0", np.zeros((0, 3)), backend=backend).shape == (0,)
    assert qsim.variance(ANSATZ, "Z0", np.zeros((0, 3)), backend=backend).shape == (0,)
    assert qsim.probabilities(ANSATZ, np.zeros((0, 3)), [0], backend=backend).shape == (0, 2)


def test_empty_lists(backend):
    assert qsim.expectation(Circuit(1), PauliSum(), backend=backend) == 0.0
    assert qsim.probabilities(Circuit(2), qubits=[], backend=backend).tolist() == [1.0]
    assert qsim.amplitudes(Circuit(2), [], backend=backend).shape == (0,)
    assert Circuit(2).h([]) == Circuit(2)
    assert Circuit(2, 2).measure([], []) == Circuit(2, 2)
    assert Circuit(2).append("x", [], [0], controls=[]) == Circuit(2).x(0)


def test_values_of_no_parameters(backend):
    for params in (None, [], {}, np.zeros(0)):
        assert qsim.statevector(Circuit(1).x(0), params, backend=backend).shape == (2,)
    assert qsim.statevector(Circuit(1).x(0), np.zeros((3, 0)), backend=backend).shape == (3, 2)


def test_denormal_and_huge_numbers(backend):
    """Angles and amplitudes at the ends of what their type holds."""
    tiny = qsim.statevector(Circuit(1).ry(5e-324, 0), backend=backend)
    np.testing.assert_allclose(tiny, [1, 0], atol=0)
    state = qsim.statevector(Circuit(1).rx(1e9, 0).rz(-1e9, 0), backend=backend)
    assert abs(np.linalg.norm(state) - 1) < 1e-14
    denormal = np.array([1.0, 1e-310])
    kept = qsim.statevector(Circuit(1), initial_state=denormal, backend=backend)
    assert kept[1] == 1e-310


def test_unicode_names(backend):
    size = qsim.Parameter("Größe 1")
    assert qsim.expectation(Circuit(1).rx(size, 0), "Z0", {"Größe 1": 0.0}, backend=backend) == 1.0


def test_a_number_is_the_value_of_the_one_parameter():
    circuit = Circuit(1).rx(X[0], 0)
    for value in (0.3, np.float64(0.3), np.array(0.3)):
        assert_states_close(qsim.statevector(circuit, value), qsim.statevector(circuit, [0.3]))
    assert isinstance(qsim.expectation(circuit, "Z0", 0.3), float)


def test_a_circuit_is_iterated_over_by_its_operations():
    assert list(ANSATZ) == list(ANSATZ.operations)
    assert len(list(ANSATZ)) == len(ANSATZ)


def test_one_of_something_is_singular():
    assert repr(Circuit(1, 1).x(0)) == "<Circuit: 1 qubit, 1 classical bit, 1 operation, 0 parameters>"
    assert repr(qsim.compile(Circuit(1).x(0))).startswith("<Program: 1 qubit, 1 instruction, 0 parameters")


def test_derivatives_of_powers_at_zero():
    slots = SlotMap(tuple(X)[:2], (X[0] ** 0, X[0] ** X[1], X[0] ** 2))
    _, columns, values = slots.jacobian(np.array([[0.0, 2.0]]))
    assert values[0].tolist() == [1, 1, 0, 0, 0, 0]
    assert columns.tolist() == [0, 1, 0, 0, 1, 0]
    with np.errstate(all="raise"):
        assert slots.jacobian(np.array([[2.0, 0.0]]))[2][0, 3] == 0.0


def test_progress_counts_rows_and_moves(monkeypatch):
    tqdm_module = pytest.importorskip("tqdm.auto")
    moves = []

    class Bar(tqdm_module.tqdm):
        def update(self, n=1):
            moves.append(n)
            return super().update(n)

    monkeypatch.setattr(tqdm_module, "tqdm", Bar)
    batch = np.zeros((250, 3))
    plain = qsim.expectation(ANSATZ, "Z0", batch)
    for question in (
        lambda: qsim.expectation(ANSATZ, "Z0", batch, progress=True),
        lambda: qsim.variance(ANSATZ, "Z0", batch, progress=True),
        lambda: qsim.probabilities(ANSATZ, batch, progress=True),
        lambda: qsim.sample(ANSATZ, batch, shots=1, seed=1, progress=True),
    ):
        moves.clear()
        answer = question()
        assert len(answer) == 250
        assert sum(moves) == 250
        assert len(moves) >= 80
    np.testing.assert_array_equal(qsim.expectation(ANSATZ, "Z0", batch, progress=True), plain)
