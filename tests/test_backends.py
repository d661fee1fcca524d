"""Every function of the backend protocol, on each backend, against the dense oracle."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
import reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_tapes import TapeBuilder, add_random_instruction, random_states, random_tape, random_unitary

from qsim.backends.base import available_backends, get_backend
from qsim.program.tape import Pattern, Tape
from qsim.rng import uniforms


@pytest.fixture(params=available_backends(), scope="module")
def backend(request):
    return get_backend(request.param)


DTYPES = [np.dtype(np.complex128), np.dtype(np.complex64)]
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(DTYPES)
thread_counts = st.integers(1, 3)
# Function-scoped fixtures do not change between examples here: the backend is a module's constant.
property_test = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tolerance(dtype: np.dtype, steps: int = 1) -> float:
    return (3e-15 if dtype == np.complex128 else 2e-6) * (1 + steps)


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


def test_reductions_refuse_bad_arguments(backend):
    state = np.full(4, 0.5, complex)
    with pytest.raises(ValueError):
        backend.probabilities(state[None], np.array([2], np.int32), 1)
    with pytest.raises(ValueError):
        backend.probabilities(state[None], np.array([0, 0], np.int32), 1)
    with pytest.raises(ValueError):
        backend.probability(state, 4, 0, 1)
    with pytest.raises(ValueError):
        backend.collapse(state, 1, 2, 1.0, 1)
    with pytest.raises(ValueError):
        backend.set_basis_state(state[None].copy(), 4, 1)
    with pytest.raises(ValueError):
        backend.inner_products(state[None], state[None, :2].copy(), 1)
    one = np.ones(1, np.uint64)
    with pytest.raises(ValueError):
        backend.compile_paulis(2, 4 * one, one, np.ones(1), np.array([0, 1]))
    with pytest.raises(ValueError):
        backend.compile_paulis(2, one, one, np.ones(1), np.array([0, 2]))


def test_read_only_states_can_be_reduced(backend):
    state = read_only(np.full((1, 4), 0.5, complex))
    assert backend.norm_squared(state, 1)[0] == 1.0
    np.testing.assert_array_equal(backend.probabilities(state, np.array([1], np.int32), 1), [[0.5, 0.5]])
    assert state.flags.writeable is False


# ---- reductions -----------------------------------------------------------------------------------------


def random_paulis(num_qubits, num_terms, num_observables, rng):
    size = 1 << num_qubits
    x_masks = rng.choice(rng.integers(size, size=max(1, num_terms // 2)), size=num_terms).astype(np.uint64)
    x_masks[rng.random(num_terms) < 0.4] = 0
    z_masks = rng.integers(size, size=num_terms).astype(np.uint64)
    edges = np.sort(rng.integers(0, num_terms + 1, size=num_observables - 1)) if num_observables > 1 else []
    offsets = np.array([0, *edges, num_terms], np.int64)
    return x_masks, z_masks, rng.normal(size=num_terms), offsets


def pauli_values(state, paulis):
    x_masks, z_masks, coefficients, offsets = paulis
    values = [
        coefficient * reference.pauli_expectation(state.astype(complex), int(x), int(z))
        for x, z, coefficient in zip(x_masks, z_masks, coefficients, strict=True)
    ]
    return [sum(values[a:b]) for a, b in pairwise(offsets)]


@property_test
@given(
    seed=seeds,
    num_qubits=st.integers(0, 7),
    num_terms=st.integers(0, 12),
    num_observables=st.integers(1, 4),
    dtype=dtypes,
    threads=thread_counts,
    batch=st.integers(0, 3),
)
def test_expectation(backend, seed, num_qubits, num_terms, num_observables, dtype, threads, batch):
    rng = np.random.default_rng(seed)
    states = random_states(batch, num_qubits, dtype, rng)
    paulis = random_paulis(num_qubits, num_terms, num_observables, rng)
    got = backend.expectation(backend.compile_paulis(num_qubits, *paulis), states, threads)
    assert got.shape == (batch, num_observables)
    assert got.dtype == np.float64
    for row in range(batch):
        np.testing.assert_allclose(
            got[row], pauli_values(states[row], paulis), atol=tolerance(dtype, num_terms)
        )


@pytest.mark.parametrize("num_qubits", [10, 17])
def test_expectation_of_big_states(backend, num_qubits):
    """X parts below, above and across the blocks of a kernel; wanted values by the action on indices."""
    rng = np.random.default_rng(num_qubits)
    states = random_states(1, num_qubits, DTYPES[0], rng)
    paulis = random_paulis(num_qubits, 12, 2, rng)
    paulis[0][:4] = [1, 1 << (num_qubits - 1), 255, 256]
    index = np.arange(1 << num_qubits)
    values = []
    for x, z, coefficient in zip(paulis[0].tolist(), paulis[1].tolist(), paulis[2], strict=True):
        image = np.empty_like(states[0])  # P|b> = i**popcount(x & z) (-1)**popcount(b & z) |b ^ x>
        image[index ^ x] = 1j ** (x & z).bit_count() * (-1.0) ** np.bitwise_count(index & z) * states[0]
        values.append(coefficient * np.vdot(states[0], image).real)
    wanted = [sum(values[a:b]) for a, b in pairwise(paulis[3])]
    got = backend.expectation(backend.compile_paulis(num_qubits, *paulis), states, 2)
    np.testing.assert_allclose(got[0], wanted, atol=1e-12)


@property_test
@given(
    seed=seeds,
    num_qubits=st.integers(0, 6),
    num_ops=st.integers(0, 8),
    dtype=dtypes,
    threads=thread_counts,
    batch=st.integers(1, 20),
)
def test_run_expectation(backend, seed, num_qubits, num_ops, dtype, threads, batch):
    rng = np.random.default_rng(seed)
    tape = random_tape(num_qubits, num_ops, rng)
    paulis = random_paulis(num_qubits, 5, 2, rng)
    angles = rng.normal(size=(batch, tape.num_slots))
    zero = np.eye(1, 2**num_qubits)[0]
    got = backend.run_expectation(
        backend.compile(tape), backend.compile_paulis(num_qubits, *paulis), angles, dtype, threads
    )
    assert got.shape == (batch, 2)
    for row in range(batch):
        state = reference.apply_tape(tape, zero, angles[row])
        scale = 1 + np.linalg.norm(state) ** 2
        np.testing.assert_allclose(
            got[row], pauli_values(state, paulis), atol=10 * scale * tolerance(dtype, num_ops)
        )


@pytest.mark.parametrize("num_qubits", [12, 17])
def test_run_expectation_of_big_states(backend, num_qubits):
    builder = TapeBuilder(num_qubits, 1)
    for q in range(num_qubits):
        builder.rotation(1 << q, 1 << q, slot=0)
    paulis = backend.compile_paulis(
        num_qubits, np.zeros(2, "u8"), np.array([1, 3], "u8"), np.ones(2), np.array([0, 1, 2])
    )
    angles = np.array([[0.3], [1.7]])
    got = backend.run_expectation(backend.compile(builder.build()), paulis, angles, complex, 2)
    np.testing.assert_allclose(got, np.hstack([np.cos(angles), np.cos(angles) ** 2]), atol=1e-13)


@property_test
@given(seed=seeds, num_qubits=st.integers(0, 9), dtype=dtypes, threads=thread_counts, batch=st.integers(0, 3))
def test_probabilities(backend, seed, num_qubits, dtype, threads, batch):
    rng = np.random.default_rng(seed)
    states = random_states(batch, num_qubits, dtype, rng)
    qubits = rng.permutation(num_qubits)[: int(rng.integers(num_qubits + 1))].astype(np.int32)
    got = backend.probabilities(states, qubits, threads)
    assert got.shape == (batch, 2 ** len(qubits))
    for row in range(batch):
        np.testing.assert_allclose(got[row], reference.probabilities(states[row], qubits), atol=1e-14)


@pytest.mark.parametrize(
    "qubits",
    [
        [],
        [0],
        [16],
        [3, 9],
        range(17),
        range(16, -1, -1),
        range(5, 17),
        [*range(9), 16],
        [12, 0, 7, 1, 8, 2, 9, 3, 15],
    ],
    ids=str,
)
def test_probabilities_of_big_states(backend, qubits):
    rng = np.random.default_rng(4)
    states = random_states(2, 17, DTYPES[0], rng)
    weights = (np.abs(states) ** 2).reshape((2,) + (2,) * 17)
    axes = [17 - q for q in reversed(list(qubits))]
    others = tuple(a for a in range(1, 18) if a not in axes)
    kept = [a for a in range(1, 18) if a in axes]
    wanted = weights.sum(axis=others).transpose([0, *(1 + kept.index(a) for a in axes)]).reshape(2, -1)
    np.testing.assert_allclose(
        backend.probabilities(states, np.array(qubits, np.int32), 2), wanted, atol=1e-14
    )


@property_test
@given(seed=seeds, num_qubits=st.integers(0, 9), dtype=dtypes, threads=thread_counts, batch=st.integers(0, 3))
def test_norms_products_and_collapse(backend, seed, num_qubits, dtype, threads, batch):
    rng = np.random.default_rng(seed)
    size = 2**num_qubits
    states = random_states(batch, num_qubits, dtype, rng) * dtype.type(1.5)
    others = random_states(batch, num_qubits, dtype, rng)
    exact, exact_others = states.astype(complex), others.astype(complex)
    norms = backend.norm_squared(states, threads)
    assert norms.shape == (batch,)
    np.testing.assert_allclose(norms, np.sum(np.abs(exact) ** 2, axis=1), rtol=1e-14)
    products = backend.inner_products(states, others, threads)
    assert products.dtype == np.complex128
    np.testing.assert_allclose(products, np.sum(exact.conj() * exact_others, axis=1), atol=1e-14)
    mask = int(rng.integers(size))
    value = int(rng.integers(size)) & mask
    for row in range(batch):
        wanted = sum(abs(a) ** 2 for i, a in enumerate(exact[row]) if i & mask == value)
        got = backend.probability(states[row], mask, value, threads)
        assert isinstance(got, float)
        assert got == pytest.approx(wanted, abs=1e-14)
        backend.collapse(states[row], mask, value, 1.25, threads)
        np.testing.assert_allclose(
            states[row], reference.collapse(exact[row], mask, value, 1.25), atol=tolerance(dtype)
        )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_norms_products_and_collapse_of_big_states(backend, dtype):
    rng = np.random.default_rng(6)
    states = random_states(2, 16, dtype, rng)
    exact = states.astype(complex)
    np.testing.assert_allclose(
        backend.norm_squared(states, 2), np.sum(np.abs(exact) ** 2, axis=1), rtol=1e-13
    )
    product = backend.inner_products(states[:1], states[1:], 2)
    np.testing.assert_allclose(product, [np.vdot(exact[0], exact[1])], atol=1e-14)
    for mask, value in ((1, 1), (1 << 15, 0), (1 << 15 | 4, 4), (0xFFFF, 77), (0, 0)):
        kept = np.arange(1 << 16) & mask == value
        assert backend.probability(states[0], mask, value, 2) == pytest.approx(
            np.sum(np.abs(exact[0, kept]) ** 2)
        )
        state = states[1].copy()
        backend.collapse(state, mask, value, 2.0, 2)
        np.testing.assert_allclose(state, np.where(kept, 2 * exact[1], 0), atol=tolerance(dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("num_qubits", [0, 1, 5, 13])
def test_set_basis_state(backend, num_qubits, dtype):
    states = random_states(3, num_qubits, dtype, np.random.default_rng(0))
    index = (1 << num_qubits) - 1
    backend.set_basis_state(states, index, 2)
    np.testing.assert_array_equal(states, np.eye(1 << num_qubits)[[index] * 3])


@property_test
@given(
    seed=seeds, num_qubits=st.integers(0, 9), dtype=dtypes, threads=thread_counts, shots=st.integers(0, 60)
)
def test_sample(backend, seed, num_qubits, dtype, threads, shots):
    rng = np.random.default_rng(seed)
    state = random_states(1, num_qubits, dtype, rng)[0] * dtype.type(2.5)
    state[rng.random(len(state)) < 0.5] = 0
    state[int(rng.integers(len(state)))] = 1
    got = backend.sample(state, seed, shots, threads)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, [reference.sample_index(state, u) for u in uniforms(seed, shots)])


def key_of(uniform):
    """The stream whose first number this is: SplitMix64 backwards."""
    z = int(uniform * 2**53) << 11
    z = (z ^ z >> 31 ^ z >> 62) * pow(0x94D049BB133111EB, -1, 1 << 64) % (1 << 64)
    z = (z ^ z >> 27 ^ z >> 54) * pow(0xBF58476D1CE4E5B9, -1, 1 << 64) % (1 << 64)
    return ((z ^ z >> 30 ^ z >> 60) - 0x9E3779B97F4A7C15) % (1 << 64)


def test_sample_at_the_ends(backend):
    state = np.zeros(1 << 14, complex)
    state[[3, 5000, 16000]] = [0.5, 0.5j, 0.5]
    below_one = np.nextafter(1.0, 0.0)
    for uniform, index in [(0.0, 3), (0.3, 3), (0.34, 5000), (0.6, 5000), (0.7, 16000), (below_one, 16000)]:
        assert uniform - 2.0**-53 < uniforms(key_of(uniform), 1) <= uniform
        np.testing.assert_array_equal(backend.sample(state, key_of(uniform), 1, 2), [index])


@pytest.mark.parametrize("num_qubits", [3, 16])
@pytest.mark.parametrize("kind", ["dense", "one_peak", "empty_blocks"])
def test_sample_many(backend, num_qubits, kind):
    rng = np.random.default_rng(8)
    state = random_states(1, num_qubits, DTYPES[0], rng)[0]
    if kind == "one_peak":
        state[len(state) // 3] = 1e6
    elif kind == "empty_blocks":
        state[: len(state) // 2] = state[-len(state) // 8 :] = 0
    drawn = uniforms(5, 200_000)
    got = backend.sample(state, 5, 200_000, 2)
    cumulative = np.cumsum(np.abs(state) ** 2)
    slack = 1e-12 * cumulative[-1]
    assert (np.abs(state[got]) > 0).all()
    assert (cumulative[got] > drawn * cumulative[-1] - slack).all()
    assert ((cumulative - np.abs(state) ** 2)[got] <= drawn * cumulative[-1] + slack).all()


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
