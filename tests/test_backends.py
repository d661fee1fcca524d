"""Tapes on each backend, against the dense oracle; what backends read off states is in `test_reductions`."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import reference
from backend_cases import DTYPES, dtypes, property_test, seeds, thread_counts, tolerance
from conftest import BACKEND_NAMES
from hypothesis import given
from hypothesis import strategies as st
from random_tapes import (
    TapeBuilder,
    add_random_instruction,
    random_paulis,
    random_states,
    random_tape,
    random_unitary,
)

from qsim.backends.base import get_backend
from qsim.program.tape import Pattern, Tape


@pytest.fixture(params=BACKEND_NAMES, scope="module")
def backend(request):
    return get_backend(request.param)


def check_apply(
    backend, tape: Tape, rng, dtype, threads: int = 1, batch: int = 1, angle_rows: int | None = None
):
    states = random_states(batch, tape.num_qubits, dtype, rng)
    angles = rng.normal(size=(batch if angle_rows is None else angle_rows, tape.num_slots))
    wanted = [
        reference.apply_tape(tape, states[row], angles[row if len(angles) > 1 else 0]) for row in range(batch)
    ]
    assert backend.apply(backend.compile(tape), states, angles, threads) is None
    assert states.dtype == dtype
    wanted = np.reshape(wanted, states.shape)
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    steps = len(tape.instructions) + max([int(k) for k in tape.instructions["num_targets"]], default=0)
    np.testing.assert_allclose(states, wanted, rtol=0, atol=scale * tolerance(dtype, steps))


# ---- apply ----------------------------------------------------------------------------------------------


@property_test
@given(
    seed=seeds,
    num_qubits=st.integers(0, 8),
    num_ops=st.integers(0, 12),
    dtype=dtypes,
    threads=thread_counts,
    batch=st.integers(0, 4),
    shared_angles=st.booleans(),
)
def test_random_tapes(backend, seed, num_qubits, num_ops, dtype, threads, batch, shared_angles):
    rng = np.random.default_rng(seed)
    tape = random_tape(num_qubits, num_ops, rng)
    check_apply(backend, tape, rng, dtype, threads, batch, 1 if shared_angles else None)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("num_controls", [0, 1, 3])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 5, 6, 8, 11])
@pytest.mark.parametrize("pattern", list(Pattern), ids=lambda p: p.name.lower())
def test_each_pattern_on_k_targets(backend, pattern, k, num_controls, dtype):
    if k == 0 and pattern not in (Pattern.DIAGONAL, Pattern.PAULI_ROTATION):
        pytest.skip("this pattern has targets")
    if k > 6 and pattern is Pattern.DENSE and (num_controls or dtype == np.complex64):
        pytest.skip("big dense matrices once are enough")
    rng = np.random.default_rng([k, num_controls, pattern])
    for num_qubits in sorted({k + num_controls, 6, 11}):
        if num_qubits < k + num_controls or (k > 6 and pattern is Pattern.DENSE and num_qubits > k):
            continue
        builder = TapeBuilder(num_qubits, 2)
        for _ in range(3 if k <= 4 else 1):
            add_random_instruction(builder, rng, pattern, k, num_controls)
        check_apply(backend, builder.build(), rng, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("num_qubits", [5, 10])
def test_every_target_and_control(backend, num_qubits, dtype):
    """1-qubit gates on every (target, control) pair: each kernel branches on the positions of these bits."""
    rng = np.random.default_rng(num_qubits)
    for target in range(num_qubits):
        for control in range(num_qubits):
            builder = TapeBuilder(num_qubits)
            controls = {control: int(rng.integers(2))} if control != target else {}
            builder.dense([target], random_unitary(2, rng), controls=controls)
            builder.permutation([target], [1, 0], controls=controls)
            builder.permutation([target], [1, 0], [-1j, 1j], controls=controls)
            builder.diagonal([target], [1, np.exp(0.3j)], controls=controls)
            builder.diagonal([target], np.exp([0.3j, -0.7j]), controls=controls)
            builder.rotation(1 << target, 0, controls=controls, shift=0.3)
            builder.rotation(0, 1 << target, controls=controls, shift=0.7)
            if control != target:
                builder.permutation([target, control], [0, 2, 1, 3])
                builder.permutation([target, control], [0, 2, 1, 3], [1, 1j, 1j, -1])
                builder.permutation([target, control], [0, 3, 2, 1])
                builder.dense([target, control], random_unitary(4, rng))
                builder.diagonal([target, control], np.exp(1j * rng.normal(size=4)))
                builder.rotation(1 << target | 1 << control, 1 << control, shift=1.1)
            check_apply(backend, builder.build(), rng, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("num_controls", [0, 1, 2])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_dense_gates_on_low_qubits(backend, k, num_controls, dtype):
    """Sizes at which blocks of the lowest qubits are worked on side by side, with and without a rest."""
    rng = np.random.default_rng([k, num_controls])
    for num_qubits in (8, 10, 12):
        builder = TapeBuilder(num_qubits)
        for _ in range(4):
            order = [int(q) for q in rng.permutation(5)] + [num_qubits - 1, num_qubits - 2]
            targets, rest = order[:k], order[k:]
            controls = {q: int(rng.integers(2)) for q in rest[:num_controls]}
            builder.dense(targets, random_unitary(2**k, rng), controls=controls)
            mask = sum(1 << q for q in targets)
            builder.rotation(mask, int(rng.integers(1 << 5)) & mask, controls=controls, shift=0.4)
            builder.rotation(1 << targets[0], mask, controls=controls, shift=0.9)
        check_apply(backend, builder.build(), rng, dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_pauli_rotations_of_all_letters(backend, dtype):
    rng = np.random.default_rng(3)
    for num_qubits, count in ((1, 6), (3, 40), (7, 40), (10, 8)):
        builder = TapeBuilder(num_qubits, 1)
        for _ in range(count):
            x_mask, z_mask = (int(rng.integers(1 << num_qubits)) for _ in range(2))
            free = [q for q in range(num_qubits) if not (x_mask | z_mask) >> q & 1]
            controls = {q: int(rng.integers(2)) for q in free[: int(rng.integers(3))]}
            builder.rotation(x_mask, z_mask, controls=controls, slot=0, scale=rng.normal())
        check_apply(backend, builder.build(), rng, dtype)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_big_states(backend, dtype, threads):
    """Sizes at which states are cut into chunks and shared among threads."""
    rng = np.random.default_rng(17)
    for num_qubits in (15, 17):
        builder = TapeBuilder(num_qubits, 2)
        for pattern in Pattern:
            for k in (1, 2, 3):
                add_random_instruction(builder, rng, pattern, k, num_controls=k % 3)
        for target in (0, 1, 2, 3, num_qubits - 1):
            builder.dense([target], random_unitary(2, rng))
            builder.permutation([target], [1, 0])
            builder.diagonal([target], [1, 1j])
        check_apply(backend, builder.build(), rng, dtype, threads)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("num_qubits", [10, 17])
def test_instructions_on_all_qubits(backend, num_qubits, dtype, threads):
    """Each with its formula, since a matrix would be too big; targets in random order, then one control."""
    rng = np.random.default_rng(18)
    for num_controls in (0, 1):
        order = rng.permutation(num_qubits).tolist()
        targets, controls = order[num_controls:], dict.fromkeys(order[:num_controls], 1)
        index = np.arange(1 << num_qubits)
        active = (index >> order[0] & 1 == 1) if controls else index >= 0
        local = sum((index >> q & 1) << i for i, q in enumerate(targets))
        size = 1 << len(targets)
        where = np.empty(size, int)  # index of each local index, where the controls match
        where[local[active]] = index[active]
        state = random_states(1, num_qubits, np.dtype(complex), rng)[0]
        d, cosine, sine = np.exp(1j * rng.normal(size=(3, size))) / 2
        sources = rng.permutation(size)
        w = random_states(1, len(targets), np.dtype(complex), rng)[0]

        builder = TapeBuilder(num_qubits, 1)
        builder.diagonal(targets, 2 * d, controls=controls)
        builder.diagonal(targets, d, [(2.0, cosine, sine)], controls=controls, slot=0, scale=0.5, shift=0.25)
        builder.permutation(targets, sources, 2 * d, controls=controls)
        builder.prepare(targets, 1j, w, controls=controls)
        wanted = state.copy()
        wanted[where] *= 2 * d
        wanted[where] *= d + np.cos(2 * 0.75) * cosine + np.sin(2 * 0.75) * sine
        wanted[where] = 2 * d * wanted[where[sources]]
        wanted[where] = 1j * (wanted[where] - 2 * w * np.vdot(w, wanted[where]))

        states = state.astype(dtype)[None].copy()
        backend.apply(backend.compile(builder.build()), states, np.array([[1.0]]), threads)
        np.testing.assert_allclose(states[0], wanted, atol=tolerance(dtype, 4))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("num_qubits", [3, 17])
def test_threads_do_not_change_a_bit(backend, num_qubits, dtype):
    rng = np.random.default_rng(5)
    tape = random_tape(num_qubits, 30, rng)
    handle = backend.compile(tape)
    states = random_states(7 if num_qubits < 10 else 2, num_qubits, dtype, rng)
    angles = rng.normal(size=(len(states), tape.num_slots))
    paulis = backend.compile_paulis(num_qubits, *random_paulis(num_qubits, 20, 3, rng))
    answers = []
    for threads in (1, 2, 3):
        mine = states.copy()
        backend.apply(handle, mine, angles, threads)
        answers.append(
            [
                mine,
                backend.expectation(paulis, mine, threads),
                backend.run_expectation(handle, paulis, angles, dtype, threads),
                backend.norm_squared(mine, threads),
                backend.inner_products(mine, states, threads),
                backend.probabilities(mine, np.array([2, 0], np.int32), threads),
                backend.probability(mine[0], 5, 4, threads),
                backend.sample(mine[0], 7, 100_000, threads),
            ]
        )
    for other in answers[1:]:
        for first, second in zip(answers[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


def test_non_unitary_matrices(backend):
    """Kraus operators are dense instructions too."""
    rng = np.random.default_rng(1)
    builder = TapeBuilder(4)
    builder.dense([2], [[1, 0], [0, 0.5]])
    builder.dense([3, 1], rng.normal(size=(4, 4)), controls={0: 1})
    builder.diagonal([0], [0, 2j])
    check_apply(backend, builder.build(), rng, DTYPES[0])


def test_many_instructions(backend):
    """Far more work than one call may do without looking for Ctrl-C."""
    rng = np.random.default_rng(2)
    theta = 1e-4
    builder = TapeBuilder(9, 1)
    builder.dense([4], np.zeros((2, 2)), [(0.5, np.eye(2), [[0, -1], [1, 0]])], slot=0)
    one = builder.build()
    segments = one.segments.copy()
    segments["stop"] = 40_000
    tape = Tape(9, 1, np.repeat(one.instructions, 40_000), one.integers, one.constants, segments)
    states = random_states(3, 9, DTYPES[0], rng)
    wanted = np.array([rotate_y(state, 4, 40_000 * theta) for state in states])
    backend.apply(backend.compile(tape), states, np.array([[theta]]), 2)
    np.testing.assert_allclose(states, wanted, atol=1e-9)


def rotate_y(state, qubit, angle):
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    return reference.apply_matrix(state, np.array([[c, -s], [s, c]]), [qubit])


def test_nan_and_denormals_survive(backend):
    builder = TapeBuilder(4)
    builder.permutation([1], [1, 0])
    builder.diagonal([0], [1, -1])
    states = np.zeros((1, 16), complex)
    states[0, 0] = 5e-324
    states[0, 1] = complex(np.nan, 0)
    states[0, 8] = 1e-310j
    backend.apply(backend.compile(builder.build()), states, np.zeros((1, 0)), 1)
    assert states[0, 2] == 5e-324
    assert np.isnan(states[0, 3])
    assert states[0, 10] == 1e-310j
    assert np.count_nonzero(states) == 3
    assert np.isnan(backend.norm_squared(states, 1)).all()


def test_amplitudes_outside_the_controls_keep_every_bit(backend):
    builder = TapeBuilder(3)
    builder.dense([0], [[0, 1], [1, 0]], controls={2: 1})
    builder.diagonal([1], [1j, -1j], controls={2: 1})
    builder.rotation(3, 1, controls={2: 1}, shift=0.3)
    states = np.array([[5e-324, 1e308j, -1e-310, 0.1, 1, 2, 3, 4]])
    before = states.copy()
    backend.apply(backend.compile(builder.build()), states, np.zeros((1, 0)), 1)
    np.testing.assert_array_equal(states[0, :4], before[0, :4])
    assert not np.array_equal(states[0, 4:], before[0, 4:])


# ---- bad tapes and arrays -------------------------------------------------------------------------------


def one_gate(**changes) -> Tape:
    builder = TapeBuilder(3, 1)
    builder.dense([0], np.eye(2), slot=0)
    tape = builder.build()
    for field, value in changes.items():
        tape.instructions[field] = value
    return tape


@pytest.mark.parametrize(
    "changes",
    [
        {"pattern": 5},
        {"slot": 1},
        {"slot": -2},
        {"ctrl_mask": 8},
        {"ctrl_mask": 2**63},
        {"ctrl_mask": 2, "ctrl_value": 4},
        {"ctrl_mask": 1},
        {"num_targets": 0},
        {"num_targets": 4},
        {"num_targets": 255},
        {"targets": 1},
        {"targets": -1},
        {"targets": 2**31 - 1},
        {"data": 1},
        {"data": -1},
        {"data": 2**62},
        {"num_terms": 1},
        {"num_terms": 65535},
        {"pattern": Pattern.PERMUTATION},
        {"pattern": Pattern.PREPARE, "data": 2},
        {"pattern": Pattern.DIAGONAL, "data": 3},
        {"pattern": Pattern.PAULI_ROTATION},
        {"pattern": Pattern.PAULI_ROTATION, "num_targets": 0, "x_mask": 8},
        {"pattern": Pattern.PAULI_ROTATION, "num_targets": 0, "z_mask": 1, "ctrl_mask": 1},
    ],
    ids=str,
)
def test_bad_instructions_are_refused(backend, changes):
    with pytest.raises(ValueError):
        backend.compile(one_gate(**changes))


@pytest.mark.parametrize(
    ("num_targets", "integers"), [(1, [3]), (1, [-1]), (2, [1, 1]), (1, [2**31 - 1])], ids=str
)
def test_bad_targets_are_refused(backend, num_targets, integers):
    tape = one_gate(num_targets=num_targets)
    constants = np.zeros(16, complex)
    bad = Tape(3, 1, tape.instructions, np.array(integers, np.int32), constants, tape.segments)
    with pytest.raises(ValueError):
        backend.compile(bad)


@pytest.mark.parametrize("sources", [[0, 2], [0, 0], [-1, 0]], ids=str)
def test_sources_must_be_a_permutation(backend, sources):
    builder = TapeBuilder(2)
    builder.permutation([0], sources)
    with pytest.raises(ValueError):
        backend.compile(builder.build())


def test_segments_must_cover_the_instructions(backend):
    tape = one_gate()
    with pytest.raises(ValueError):
        backend.compile(Tape(3, 1, tape.instructions, tape.integers, tape.constants, tape.segments[:0]))


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("states", "angles"),
    [
        (np.zeros((1, 4), complex), np.zeros((1, 1))),
        (np.zeros((1, 8), float), np.zeros((1, 1))),
        (np.zeros((2, 8), complex)[:, ::2], np.zeros((1, 1))),
        (np.zeros((8, 8), complex).T, np.zeros((1, 1))),
        (np.zeros(8, complex), np.zeros((1, 1))),
        (np.zeros((1, 8), ">c16"), np.zeros((1, 1))),
        (read_only(np.zeros((1, 8), complex)), np.zeros((1, 1))),
        (np.zeros((3, 8), complex), np.zeros((2, 1))),
        (np.zeros((1, 8), complex), np.zeros((1, 2))),
        (np.zeros((1, 8), complex), np.zeros(1)),
    ],
)
def test_bad_arrays_are_refused(backend, states, angles):
    handle = backend.compile(one_gate())
    with pytest.raises((ValueError, TypeError)):
        backend.apply(handle, states, angles, 1)


# ---- concurrent callers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("num_qubits", [4, 17])
def test_one_handle_from_many_threads(backend, num_qubits):
    rng = np.random.default_rng(9)
    tape = random_tape(num_qubits, 12, rng)
    handle = backend.compile(tape)
    angles = rng.normal(size=(1, tape.num_slots))
    start = random_states(1, num_qubits, DTYPES[0], rng)
    wanted = start.copy()
    backend.apply(handle, wanted, angles, 1)
    results = [start.copy() for _ in range(8)]

    def work(states):
        backend.apply(handle, states, angles, 2)

    workers = [threading.Thread(target=work, args=(states,)) for states in results]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for states in results:
        np.testing.assert_array_equal(states, wanted)
