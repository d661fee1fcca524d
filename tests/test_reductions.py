"""What each backend reads off states, against the dense oracle: values, probabilities, norms, samples."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import reference
from backend_cases import DTYPES, dtypes, property_test, seeds, thread_counts, tolerance
from conftest import BACKEND_NAMES
from hypothesis import given
from hypothesis import strategies as st
from random_tapes import TapeBuilder, random_paulis, random_states, random_tape

from qsim.backends.base import get_backend
from qsim.rng import uniforms


@pytest.fixture(params=BACKEND_NAMES, scope="module")
def backend(request):
    return get_backend(request.param)


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


def test_samples_where_probabilities_are_lost_in_the_sum(backend):
    """A tail too small to move the cumulative sum, of which every second amplitude is zero."""
    state = np.zeros(2**13, complex)
    state[0], state[2**12 + 1 :: 2] = 1, 3e-9
    for uniform in (1 - 2.0**-53, 0.5):
        (index,) = backend.sample(state, key_of(uniform), 1, 1)
        assert state[index] != 0


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


# ---- bad arguments ----------------------------------------------------------------------------------------


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
    state = np.full((1, 4), 0.5, complex)
    state.flags.writeable = False
    assert backend.norm_squared(state, 1)[0] == 1.0
    np.testing.assert_array_equal(backend.probabilities(state, np.array([1], np.int32), 1), [[0.5, 0.5]])
    assert state.flags.writeable is False
