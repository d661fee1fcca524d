"""Batches in lanes against the same rows one by one, on every kernel; and what lanes promise beside."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from mixtures import INGREDIENTS, mixture

import qsim
from qsim.backends.base import get_backend
from qsim.circuit import Circuit
from qsim.gates import unique_specs
from qsim.parameters import Parameter, ParameterVector
from qsim.program import execution, lanes
from qsim.program.lanes import MATRIX, MAX_LANE_QUBITS, MIX, PHASES, lane_program, lane_tables
from qsim.program.program import Program
from qsim.program.reverse import reverse_tape
from qsim.testing import random_state, random_unitary

BATCHES = (7, 8, 9, 64, 257)
FEW = settings(max_examples=30)
TOLERANCE = {"double": 1e-12, "single": 2e-5}


ROWS_WORTH = lanes._Planner._rows_worth


@pytest.fixture(autouse=True)
def always_lanes(monkeypatch):
    """Lanes wherever they can run, whether they pay or not."""
    monkeypatch.setattr(lanes._Planner, "_rows_worth", lambda *_: 0.0)


def ansatz(num_qubits: int, layers: int = 2) -> Circuit:
    """Turns, phases of one and two qubits, moves of bits, and a constant that is neither."""
    x = ParameterVector("x", 3 * num_qubits * layers)
    circuit, k = Circuit(num_qubits), 0
    for _ in range(layers):
        for q in range(num_qubits):
            circuit.ry(x[k], q).rz(x[k + 1], q)
            if num_qubits > 1:
                circuit.rzz(x[k + 2], q, (q + 1) % num_qubits).cx(q, (q + 1) % num_qubits)
            k += 3
        if num_qubits > 2:
            circuit.ccx(0, 1, 2)
    return circuit


def observables_of(num_qubits: int) -> list[qsim.PauliSum]:
    last = num_qubits - 1
    mixed = {"": 0.25, f"X{last}": 0.5, "Z0": -1.0} | ({f"Y0 X{last}": 0.75} if last else {"Y0": 0.5})
    return [qsim.PauliSum({"Z0": 1.0}), qsim.PauliSum(mixed), qsim.PauliSum({f"Z{last}": 2.0, "": 1.0})]


def values_for(program: Program, batch: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-7, 7, (batch, len(program.parameters)))


def uses_lanes(program: Program, batch: int) -> bool:
    return program._lanes(batch) is not None


def row_gradients(program: Program, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By the reverse tape, as circuits do that lanes do not run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Program, "_observed_lanes", lambda self, batch, gradient=False: None)
        answers = [program.value_and_gradient(row) for row in rows]
    return np.array([value for value, _ in answers]), np.array([slope for _, slope in answers])


def one_by_one(function, rows: np.ndarray) -> np.ndarray:
    return np.array([function(row) for row in rows])


@pytest.mark.parametrize("num_qubits", [1, 2, 3, 5, 8, 9, 11])
@pytest.mark.parametrize("batch", BATCHES)
def test_batch_is_loop(kernel, precision, num_qubits, batch):
    program = qsim.compile(
        ansatz(num_qubits), observables_of(num_qubits), backend=kernel.name, precision=precision, threads=1
    )
    batch = batch if num_qubits < 11 else 9
    rows = values_for(program, batch)
    assert uses_lanes(program, batch)
    tolerance = TOLERANCE[precision]
    some = np.unique(np.linspace(0, batch - 1, 12).astype(int))
    for answer in (program.statevector, program.expectation, program.probabilities, program.variance):
        np.testing.assert_allclose(
            answer(rows)[some], one_by_one(answer, rows[some]), rtol=0, atol=8 * tolerance
        )
    value, slope = program.value_and_gradient(rows)
    wanted, wanted_slope = row_gradients(program, rows[some[:4]])
    np.testing.assert_allclose(value[some[:4]], wanted, rtol=0, atol=8 * tolerance)
    np.testing.assert_allclose(slope[some[:4]], wanted_slope, rtol=0, atol=20 * tolerance)


@FEW
@given(
    circuit=strategies.circuits(max_qubits=6, max_ops=12, parameters=3),
    data=st.data(),
    batch=st.sampled_from((3, 7, 9, 17)),
)
def test_random_circuits(kernel, precision, circuit, data, batch):
    paulis = data.draw(strategies.pauli_sums(circuit.num_qubits))
    program = qsim.compile(circuit, [paulis, paulis], backend=kernel.name, precision=precision, threads=1)
    rows = values_for(program, batch, 3)
    tolerance = TOLERANCE[precision]
    np.testing.assert_allclose(
        program.statevector(rows), one_by_one(program.statevector, rows), rtol=0, atol=tolerance
    )
    size = max(1.0, float(np.abs(program.expectation(rows)).max()))
    np.testing.assert_allclose(
        program.expectation(rows), one_by_one(program.expectation, rows), rtol=0, atol=10 * tolerance * size
    )
    rng = np.random.default_rng(1)
    states = np.array([random_state(circuit.num_qubits, rng) for _ in range(batch)])
    for given_states in (states, states[0]):
        each = np.broadcast_to(given_states, states.shape)
        wanted = [program.statevector(row, initial_state=s) for row, s in zip(rows, each, strict=True)]
        got = program.statevector(rows, initial_state=given_states)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("spec", unique_specs(), ids=lambda spec: spec.name)
@pytest.mark.parametrize("num_controls", [0, 1, 2])
def test_every_gate(kernel, spec, num_controls):
    """Between gates that leave no amplitude zero, with and without controls, forwards and backwards."""
    n = spec.num_qubits + num_controls
    if n > 5 and num_controls:
        pytest.skip("the same code with fewer qubits is tested")
    params = [Parameter(f"p{k}") for k in range(spec.num_params)]
    more = ParameterVector("w", n)
    circuit = Circuit(n)
    for q in range(n):
        circuit.u(0.3 + q, 0.7, -0.4, q)
    order = list(range(n))[::-1]
    circuit.append(
        spec.name, params, order[: spec.num_qubits], controls=order[spec.num_qubits :],
        control_values=[k % 2 for k in range(num_controls)],
    )  # fmt: skip
    for q in range(n):
        circuit.rx(more[q], q)
    program = qsim.compile(
        circuit, observables_of(max(n, 1))[:2] if n else None, backend=kernel.name, threads=1
    )
    rows = values_for(program, 5)
    np.testing.assert_allclose(
        program.statevector(rows), one_by_one(program.statevector, rows), rtol=0, atol=1e-13
    )
    if n and program._code.keeps_norm:
        value, slope = program.value_and_gradient(rows)
        wanted, wanted_slope = row_gradients(program, rows)
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-12)
        np.testing.assert_allclose(slope, wanted_slope, rtol=0, atol=1e-12)


def test_gates_that_lanes_run():
    """All of the table but a few; those run row by row."""
    left_out = set()
    for spec in unique_specs():
        circuit = Circuit(spec.num_qubits)
        circuit.append(
            spec.name, [Parameter(f"p{k}") for k in range(spec.num_params)], range(spec.num_qubits)
        )
        tapes = qsim.compile(circuit).tapes
        if tapes and lane_program(tapes[0], from_zero=False) is None:
            left_out.add(spec.name)
    assert left_out <= {"gpi2", "pswap", "rcccx", "qubit_carry", "orbital_rotation", "fermionic_swap"}


@pytest.mark.parametrize("num_qubits", [3, 8])
def test_no_bit_depends_on_threads_chunks_or_neighbours(kernel, precision, monkeypatch, num_qubits):
    def answers(threads: int, rows: np.ndarray, **options: bool) -> list[np.ndarray]:
        program = qsim.compile(
            ansatz(num_qubits), observables_of(num_qubits), backend=kernel.name, precision=precision,
            threads=threads,
        )  # fmt: skip
        value, slope = program.value_and_gradient(rows)
        samples = program.sample(rows[:40], shots=20, seed=3).ints
        return [
            program.expectation(rows), program.probabilities(rows), program.variance(rows), value, slope,
            np.resize(samples, (len(rows), 20)),
        ]  # fmt: skip

    program = qsim.compile(ansatz(num_qubits))
    rows = values_for(program, 157)
    expected = answers(1, rows)
    for threads in (2, 3):
        for got, wanted in zip(answers(threads, rows), expected, strict=True):
            np.testing.assert_array_equal(got, wanted)
    order = np.random.default_rng(5).permutation(len(rows))
    for got, wanted in zip(answers(1, rows[order])[:-1], expected[:-1], strict=True):
        np.testing.assert_array_equal(got, wanted[order])
    for size in (1 << 10, 13 << 9, 1 << 14):
        monkeypatch.setattr(execution, "CHUNK_BYTES", size)
        for got, wanted in zip(answers(2, rows), expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


def lane_handles(kernel, program: Program) -> tuple:
    made = lane_program(program.tapes[0], from_zero=True)
    tables = lane_tables(made, program.observables)
    observables = kernel.compile_lane_observables(program.num_qubits, len(program.observables), *tables)
    return kernel.compile_lanes(made), observables


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    num_qubits=st.integers(5, 8),  # enough for all of the parts
    parts=st.lists(st.integers(0, len(INGREDIENTS) - 1), max_size=6),
    batch=st.sampled_from([1, 2, 7, 8, 9, 17]),
    count=st.integers(1, 3),
    from_zero=st.booleans(),
)
def test_sweeps_of_given_cotangents(kernel, dtype, seed, num_qubits, parts, batch, count, from_zero):
    """As the reverse tape does it, from states made from zero and from others, some slots wanted."""
    rng = np.random.default_rng(seed)
    circuit = mixture(num_qubits, [8, *parts], rng)
    program = qsim.compile(circuit, backend=kernel.name, fuse=False)
    tape = program.tapes[0]
    made = lane_program(tape, from_zero=from_zero)
    if made is None:
        return
    rows = program._slots.angles(rng.uniform(-3, 3, (batch, len(program.parameters))))
    size = (batch, 1 << num_qubits)
    states = np.zeros(size, dtype=dtype)
    states[:, 0] = 1
    if not from_zero:
        states[:] = rng.normal(size=size) + 1j * rng.normal(size=size)
    kernel.apply(kernel.compile(tape, fuse=False), states, rows, 1)
    cotangents = (
        rng.normal(size=(batch, count, size[1])) + 1j * rng.normal(size=(batch, count, size[1]))
    ).astype(dtype)
    wanted = (rng.random(tape.num_slots) < 0.8).astype(np.uint8)
    handle = kernel.compile_lanes(made)
    found = kernel.sweep_lanes(handle, states, cotangents, wanted, rows, 1)
    np.testing.assert_array_equal(found, kernel.sweep_lanes(handle, states, cotangents, wanted, rows, 3))
    reverse = reverse_tape(tape, range(tape.num_slots))
    if len(reverse.slots):
        back = kernel.compile(reverse.tape, fuse=False)
        expected = kernel.sweep_back(back, reverse, states, cotangents, rows, 1)
        scale = max(1.0, float(np.abs(expected).max()))
        limit = (1e-11 if dtype == np.complex128 else 1e-4) * scale
        np.testing.assert_allclose(found[..., wanted != 0], expected[..., wanted != 0], rtol=0, atol=limit)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_member(kernel, dtype, bad):
    program = qsim.compile(ansatz(4), observables_of(4), backend=kernel.name)
    handle, observables = lane_handles(kernel, program)
    rows = values_for(program, 19)
    wanted = np.ones(program._slots.num_slots, np.uint8)
    expected = kernel.gradient_lanes(handle, observables, wanted, rows, dtype, 1)
    for member in (0, 5, 18):
        for slot in (0, 1, 2, 20):
            changed = rows.copy()
            changed[member, slot] = bad
            got = kernel.gradient_lanes(handle, observables, wanted, changed, dtype, 1)
            others = np.delete(np.arange(19), member)
            for new, old in zip(got, expected, strict=True):
                np.testing.assert_array_equal(new[others], old[others])
            assert np.isnan(got[0][member]).any() and np.isnan(got[1][member]).any()
            values = kernel.expectation_lanes(handle, observables, changed, dtype, 1)
            assert np.isnan(values[member]).any() and np.isfinite(values[others]).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1.0, 50.0, 1e4, 1e6, 2e6, 1e9, 1e15])
def test_angles_of_every_size(kernel, scale):
    """Sines and cosines of one gate are right to a few units in the last place, its reduced angle given."""
    theta = Parameter("t")
    program = qsim.compile(Circuit(1).ry(theta, 0), "Z0", backend=kernel.name)
    rows = scale * np.concatenate([np.linspace(-1, 1, 201), np.pi * np.arange(-4, 5) / 4])[:, None]
    got = program.statevector(rows)
    half = rows[:, 0] / 2
    np.testing.assert_allclose(got[:, 0], np.cos(half), rtol=0, atol=5e-16)
    np.testing.assert_allclose(got[:, 1], np.sin(half), rtol=0, atol=5e-16)


def test_big_angles_of_many_gates(kernel):
    program = qsim.compile(ansatz(5), observables_of(5), backend=kernel.name)
    for scale in (1e3, 1e7):
        rows = scale * values_for(program, 9)
        np.testing.assert_allclose(
            program.expectation(rows), one_by_one(program.expectation, rows), rtol=0, atol=1e-9
        )


@pytest.mark.parametrize("turn", [np.pi, -np.pi, 3 * np.pi, np.pi / 2, np.pi * (1 - 1e-9)])
def test_turns_whose_cosines_vanish(kernel, precision, turn):
    """Tangents are infinite there; many of them in one group of turns."""
    n = 9
    x = ParameterVector("x", 2 * n)
    circuit = Circuit(n)
    for q in range(n):
        circuit.ry(x[q], q)
    for q in range(n):
        circuit.rx(x[n + q], q)
    program = qsim.compile(circuit, backend=kernel.name, precision=precision)
    rows = np.full((5, 2 * n), turn)
    rows[1:, :n] += np.arange(4)[:, None]
    np.testing.assert_allclose(
        program.statevector(rows), one_by_one(program.statevector, rows), rtol=0, atol=TOLERANCE[precision]
    )


@pytest.mark.parametrize("num_qubits", [2, 5])
def test_gradients_by_other_methods(kernel, num_qubits):
    program = qsim.compile(ansatz(num_qubits), observables_of(num_qubits), backend=kernel.name)
    rows = values_for(program, 7)
    value, slope = program.value_and_gradient(rows)
    for method, tolerance in (("parameter_shift", 1e-11), ("finite_difference", 1e-8)):
        other, other_slope = program.value_and_gradient(rows, method=method)
        np.testing.assert_allclose(value, other, rtol=0, atol=1e-12)
        np.testing.assert_allclose(slope, other_slope, rtol=0, atol=tolerance)
    for columns in ([0], [1], [0, 4]):
        names = [program.parameters[k].name for k in columns]
        part = program.value_and_gradient(rows, wrt=names)[1]
        np.testing.assert_allclose(part, slope[..., columns], rtol=0, atol=1e-13)


def test_gradients_through_expressions(kernel):
    a, b = Parameter("a"), Parameter("b")
    circuit = Circuit(2).ry(qsim.sin(a) * b, 0).rzz(a + 2 * b, 0, 1).crx(a * a, 0, 1).cp(b, 1, 0).rx(a, 0)
    program = qsim.compile(circuit, [qsim.PauliSum({"Y0": 1.0, "Z0 X1": 0.5})], backend=kernel.name)
    rows = values_for(program, 11)
    got = program.value_and_gradient(rows)[1]
    np.testing.assert_allclose(got, row_gradients(program, rows)[1], rtol=0, atol=1e-12)


def test_moves_of_bits_are_free():
    """A ring of CX makes no step; the layers of an ansatz are one of turns and one of phases each."""
    n = 6
    x = ParameterVector("x", 4 * n)
    circuit = Circuit(n)
    for layer in range(2):
        for q in range(n):
            circuit.ry(x[2 * (layer * n + q)], q).rz(x[2 * (layer * n + q) + 1], q)
        for q in range(n):
            circuit.cx(q, (q + 1) % n).swap(q, (q + 2) % n).x(q)
    made = lane_program(qsim.compile(circuit).tapes[0], from_zero=True)
    assert made.steps[:, 0].tolist() == [MIX, PHASES, MIX, PHASES]
    assert len(made.turns) == 2 * n and len(made.phases) == 2 * n
    toffoli = lane_program(qsim.compile(Circuit(3).h(0).h(1).ccx(0, 1, 2)).tapes[0], from_zero=True)
    assert toffoli.steps[-1, 0] == MATRIX


def test_few_rows_and_big_circuits_keep_the_row_path(backend):
    least = get_backend(backend).least_lane_rows
    assert least(4, False) == 3 and least(MAX_LANE_QUBITS + 1, False) is None
    program = qsim.compile(ansatz(4), "Z0", backend=backend)
    assert not uses_lanes(program, 2) and uses_lanes(program, 3)
    prepared = Circuit(2).prepare([0.6, 0, 0.8, 0], [0, 1]).ry(Parameter("t"), 0)
    program = qsim.compile(prepared, "Z0", backend=backend)
    assert not uses_lanes(program, 100)
    rows = values_for(program, 100)
    np.testing.assert_allclose(program.expectation(rows), one_by_one(program.expectation, rows), atol=1e-14)


def test_what_lanes_are_worth(monkeypatch):
    """An ansatz always is; matrices on two of few qubits for some rows, of many qubits never."""
    monkeypatch.setattr(lanes._Planner, "_rows_worth", ROWS_WORTH)

    def worth(circuit: Circuit) -> float:
        return lane_program(qsim.compile(circuit).tapes[0], from_zero=True).rows_worth

    def matrices(num_qubits: int) -> Circuit:
        rng = np.random.default_rng(0)
        circuit = Circuit(num_qubits)
        for k in range(20):
            circuit.unitary(random_unitary(2, rng), [k % num_qubits, (k + 1) % num_qubits])
        return circuit

    assert worth(ansatz(8, 4)) < 4
    assert 3 < worth(matrices(5)) < 7 and worth(matrices(12)) == np.inf
    program = qsim.compile(matrices(12), "Z0")
    assert not uses_lanes(program, 1000)
    program = qsim.compile(matrices(5), "Z0")
    assert not uses_lanes(program, 3) and uses_lanes(program, 7)


@pytest.mark.parametrize("num_rows", [1, 2, 4, 5])
def test_gradients_of_few_rows(kernel, precision, num_rows):
    """On narrow registers where there are any; against parameter shifts."""
    program = qsim.compile(ansatz(5), observables_of(5), backend=kernel.name, precision=precision)
    rows = values_for(program, num_rows)
    value, slope = program.value_and_gradient(rows)
    other, other_slope = program.value_and_gradient(rows, method="parameter_shift")
    np.testing.assert_allclose(value, other, rtol=0, atol=10 * TOLERANCE[precision])
    np.testing.assert_allclose(slope, other_slope, rtol=0, atol=20 * TOLERANCE[precision])
    for row, wanted in zip(rows, slope, strict=True):
        np.testing.assert_allclose(
            program.value_and_gradient(row)[1], wanted, rtol=0, atol=20 * TOLERANCE[precision]
        )


def broken() -> Iterator[tuple[str, object]]:
    yield "constants", np.zeros(1)
    yield "first", np.array([0, 5, 2, 3, 4, 5, 6, 7, 8], np.int32)
    yield "slots", np.full(6, 99, np.int32)
    yield "steps", np.array([[0, 0, 99, 0]], np.int32)
    yield "steps", np.array([[7, 0, 1, 0]], np.int32)
    yield "steps", np.array([[2, 0, 0, 3]], np.int32)
    yield "steps", np.array([[1, 0, 1, 9]], np.int32)
    yield "turns", np.full((4, 2), 1, np.uint32)
    yield "turns", np.full((4, 2), 1 << 20, np.uint32)
    yield "phases", np.full(4, 1 << 9, np.uint32)
    yield "columns", np.zeros(2, np.uint32)
    yield "columns", np.zeros(5, np.uint32)
    yield "origin", 1 << 9


@pytest.mark.parametrize(("name", "value"), list(broken()), ids=lambda v: v if isinstance(v, str) else "")
def test_the_core_checks_lane_programs(name, value):
    core = pytest.importorskip("qsim._core")
    x = ParameterVector("x", 6)
    circuit = Circuit(2).ry(x[0], 0).ry(x[1], 1).rz(x[2], 0).rzz(x[3], 0, 1).cx(0, 1).rx(x[4], 0).ry(x[5], 1)
    made = lane_program(qsim.compile(circuit).tapes[0], from_zero=True)
    fields = ("constants", "first", "slots", "weights", "steps", "turns", "phases", "bases", "matrices")
    fields += ("matrix_qubits", "entries", "columns", "origin")
    arrays = {field: getattr(made, field) for field in fields}
    core.compile_lanes(2, 6, *(v.ravel() if isinstance(v, np.ndarray) else v for v in arrays.values()))
    arrays[name] = value
    with pytest.raises(ValueError, match="A lane program"):
        core.compile_lanes(2, 6, *(v.ravel() if isinstance(v, np.ndarray) else v for v in arrays.values()))
