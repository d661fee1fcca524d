"""Pauli sums, inner products and marginals of random states against their definitions, on all kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tapes import random_states

THREADS = (1, 2, 3, 8)
EXAMPLES = settings(max_examples=25)


def string_value(state, x_mask, z_mask):
    """sum_b (-i)**popcount(x & z) (-1)**popcount(b & z) conj(psi[b]) psi[b ^ x], in double precision."""
    index = np.arange(len(state))
    psi = state.astype(complex)
    signs = 1.0 - 2.0 * (np.bitwise_count(index & z_mask) & 1)
    turn = (-1j) ** (x_mask & z_mask).bit_count()
    return float((turn * np.sum(signs * psi.conj() * psi[index ^ x_mask])).real)


def single_flips(n, rng):
    return [(1 << q, 0) for q in range(n)]


def products_of_z(n, rng):
    return [(0, int(z)) for z in rng.integers(1 << n, size=20)] + [(0, 0)]


def neighbours(n, rng):
    pairs = [3 << q for q in range(n - 1)]
    return (
        [(x, z) for x in pairs for z in (0, x)]
        + [(0, z) for z in pairs]
        + [(1 << q, 1 << q) for q in range(n)]
    )


def light_strings(n, rng):
    strings = []
    for _ in range(30):
        qubits = 1 << rng.choice(n, size=min(n, 4), replace=False)
        strings.append((int(qubits[rng.random(len(qubits)) < 0.6].sum()), int(qubits[::2].sum())))
    return strings


def heavy_strings(n, rng):
    return [(int(x), int(z)) for x, z in rng.integers(1 << n, size=(20, 2))]


def one_flip_pattern(n, rng):
    """Many strings with the same x_mask, with and without an even number of Y."""
    x_mask = int(rng.integers(1 << n))
    return [(x_mask, int(z)) for z in rng.integers(1 << n, size=30)]


KINDS = [single_flips, products_of_z, neighbours, light_strings, heavy_strings, one_flip_pattern]


def values_of(kernel, states, strings, threads):
    masks = np.array(strings, dtype=np.uint64).reshape(-1, 2)
    paulis = kernel.compile_paulis(
        int(np.log2(states.shape[1])), masks[:, 0].copy(), masks[:, 1].copy(), np.ones(len(masks)),
        np.arange(len(masks) + 1, dtype=np.int64),
    )  # fmt: skip
    return kernel.expectation(paulis, states, threads)


@EXAMPLES
@given(
    seed=st.integers(0, 2**32 - 1),
    num_qubits=st.integers(1, 16),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True),
    threads=st.sampled_from(THREADS),
)
def test_expectation(kernel, dtype, seed, num_qubits, kinds, threads):
    rng = np.random.default_rng(seed)
    states = random_states(1 if num_qubits > 10 else 2, num_qubits, dtype, rng)
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    strings = [string for kind in kinds for string in kind(num_qubits, rng)]
    got = values_of(kernel, states, strings, threads)
    wanted = [[string_value(state, *string) for string in strings] for state in states]
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13 if dtype == np.complex128 else 1e-6)


@pytest.mark.parametrize("num_qubits", [9, 15, 17])
def test_threads_change_no_bit(kernel, dtype, num_qubits):
    rng = np.random.default_rng(num_qubits)
    states = random_states(1, num_qubits, dtype, rng)
    strings = [string for kind in KINDS for string in kind(num_qubits, rng)]
    qubits = np.arange(0, num_qubits, 2, dtype=np.int32)
    answers = [
        (
            values_of(kernel, states, strings, threads),
            kernel.inner_products(states, states[:, ::-1].copy(), threads),
            kernel.probabilities(states, qubits, threads),
            kernel.sample(states[0], 3, 50_000, threads),
        )
        for threads in THREADS
    ]
    for answer in answers[1:]:
        for first, other in zip(answers[0], answer, strict=True):
            np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("num_qubits", [2, 11, 16])
def test_nan_is_seen(kernel, dtype, num_qubits):
    states = random_states(1, num_qubits, dtype, np.random.default_rng(1))
    states[0, -2] = np.nan
    every = (1 << num_qubits) - 1
    strings = [(0, 0), (0, every), (1, 0), (1 << (num_qubits - 1), 0), (every, 0), (every, every), (3, 1)]
    assert np.isnan(values_of(kernel, states, strings, 2)).all()


def test_states_that_no_register_is_aligned_to(kernel, dtype):
    """Callers' arrays begin anywhere an amplitude may."""
    rng = np.random.default_rng(5)
    strings = [string for kind in KINDS for string in kind(15, rng)]
    states = random_states(1, 15, dtype, rng)
    moved = np.empty(states.size + 1, dtype)[1:].reshape(states.shape)
    moved[:] = states
    np.testing.assert_array_equal(values_of(kernel, moved, strings, 1), values_of(kernel, states, strings, 1))


@EXAMPLES
@given(seed=st.integers(0, 2**32 - 1), num_qubits=st.integers(0, 16), threads=st.sampled_from(THREADS))
def test_inner_products_and_marginals(kernel, dtype, seed, num_qubits, threads):
    rng = np.random.default_rng(seed)
    a, b = (random_states(1, num_qubits, dtype, rng) for _ in range(2))
    scale = np.linalg.norm(a) * np.linalg.norm(b)
    wanted = np.vdot(a.astype(complex), b.astype(complex))
    np.testing.assert_allclose(kernel.inner_products(a, b, threads)[0], wanted, atol=1e-13 * scale)
    qubits = rng.permutation(num_qubits)[: rng.integers(num_qubits + 1)]
    weights = (np.abs(a[0].astype(complex)) ** 2).reshape((2,) * num_qubits)
    axes = [num_qubits - 1 - q for q in qubits[::-1]]
    rest = [axis for axis in range(num_qubits) if axis not in axes]
    wanted = weights.transpose(axes + rest).reshape(1 << len(axes), -1).sum(axis=1)
    got = kernel.probabilities(a, qubits.astype(np.int32), threads)[0]
    np.testing.assert_allclose(got, wanted, atol=1e-13 * np.linalg.norm(a) ** 2)
