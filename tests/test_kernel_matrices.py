"""What is done with kernel matrices: alignment with labels, repairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsim.errors import ArgumentError
from qsim.quantum_kernels import (
    center_kernel,
    emulate_shots,
    kernel_polarity,
    kernel_target_alignment,
    mitigate_depolarizing,
    regularize,
    target_kernel,
)

RNG = np.random.default_rng(11)


def correlations(size=8, seed=0):
    """Ones on the diagonal, and numbers that nothing keeps positive beside it."""
    k = np.random.default_rng(seed).uniform(-1, 1, (size, size))
    k = (k + k.T) / 2
    np.fill_diagonal(k, 1)
    return k


# -- alignment --------------------------------------------------------------------------------------------
def test_alignment_is_a_cosine():
    k, y = RNG.normal(size=(6, 6)), np.array([1, -1, 1, 1, -1, 1])
    k = k @ k.T
    target = np.outer(y, y)
    assert kernel_polarity(k, y) == pytest.approx(float(y @ k @ y))
    cosine = (k * target).sum() / np.sqrt((k**2).sum() * (target**2).sum())
    assert kernel_target_alignment(k, y) == pytest.approx(cosine)
    assert kernel_target_alignment(k, target) == pytest.approx(cosine)
    h = np.eye(6) - 1 / 6
    one, two = h @ k @ h, h @ target @ h
    np.testing.assert_allclose(center_kernel(k), one, atol=1e-12)
    assert kernel_target_alignment(k, y, centered=True) == pytest.approx(
        (one * two).sum() / np.linalg.norm(one) / np.linalg.norm(two)
    )
    assert kernel_target_alignment(k + 5, y, centered=True) == pytest.approx(
        kernel_target_alignment(k, y, centered=True)
    )


def test_targets_of_labels():
    np.testing.assert_array_equal(target_kernel([0, 1]), [[1, -1], [-1, 1]])
    np.testing.assert_array_equal(target_kernel([True, False]), [[1, -1], [-1, 1]])
    np.testing.assert_array_equal(target_kernel(["a", "b", "c"])[0], [1, -0.5, -0.5])
    np.testing.assert_array_equal(target_kernel([0.5, -2.0]), [[0.25, -1], [-1, 4]])
    np.testing.assert_array_equal(target_kernel([1.0, -1.0]), [[1, -1], [-1, 1]])
    balanced = target_kernel([1, 1, -1], balanced=True)
    np.testing.assert_allclose(balanced, np.outer([0.5, 0.5, -1], [0.5, 0.5, -1]))


@given(seed=st.integers(0, 1000), size=st.integers(2, 9))
def test_alignment_is_between_minus_one_and_one(seed, size):
    rng = np.random.default_rng(seed)
    k = rng.normal(size=(size, size))
    y = np.arange(size) % 2
    for centered in (False, True):
        assert -1 - 1e-12 <= kernel_target_alignment(k + k.T, y, centered=centered) <= 1 + 1e-12
    assert kernel_target_alignment(target_kernel(y), y, centered=True) == pytest.approx(1)


@pytest.mark.parametrize(
    ("kernel", "y", "message"),
    [
        (np.ones((2, 3)), [0, 1], "must be a square matrix"),
        (np.empty((0, 0)), [], "must be a square matrix"),
        ([[1.0, 0.0], [1.0, 1.0]], [0, 1], "must be symmetric"),
        ([[1.0, np.nan], [np.nan, 1.0]], [0, 1], "must be finite"),
        (np.eye(2), [1, 1], "two classes or more, but all labels are 1:"),
        (np.eye(2), [0.5, np.nan], "`y` must be finite"),
        (np.eye(2), [0, 1, 0], "`y` must have 2 rows"),
        (np.eye(2), 3, r"`y` must have shape \(rows,\)"),
        (np.zeros((2, 2)), [0, 1], "must not be constant"),
    ],
)
def test_bad_alignments_are_refused(kernel, y, message):
    with pytest.raises(ArgumentError, match=message):
        kernel_target_alignment(kernel, y)


def test_matrices_of_other_things_are_refused():
    for kernel in ("kernel", None, [[1j]]):
        with pytest.raises(TypeError, match="must be a matrix of real numbers"):
            regularize(kernel)


# -- repairs ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["threshold", "shift", "flip", "nearest"])
@given(seed=st.integers(0, 500))
def test_repaired_matrices_are_positive(method, seed):
    k = correlations(6, seed)
    repaired = regularize(k, method)
    assert np.array_equal(repaired, repaired.T)
    assert np.linalg.eigvalsh(repaired)[0] > -1e-9
    np.testing.assert_allclose(regularize(repaired, method), repaired, atol=1e-8)


def test_each_method_does_what_it_says():
    k = correlations()
    levels, vectors = np.linalg.eigh(k)
    assert levels[0] < -0.1
    np.testing.assert_allclose(
        regularize(k, "threshold"), vectors * np.maximum(levels, 0) @ vectors.T, atol=1e-12
    )
    np.testing.assert_allclose(regularize(k, "flip"), vectors * np.abs(levels) @ vectors.T, atol=1e-12)
    np.testing.assert_allclose(regularize(k, "shift"), k - levels[0] * np.eye(8), atol=1e-12)
    np.testing.assert_allclose(regularize(k, "tikhonov", strength=0.5), k + 0.5 * np.eye(8), atol=1e-12)
    good = k @ k
    for method in ("threshold", "shift", "flip", "nearest"):
        np.testing.assert_allclose(regularize(good, method), good, atol=1e-12)


def test_nearest_correlation_matrix_of_higham():
    """The example of Higham's paper, section 4: a tridiagonal matrix of -1 and 2 has a known distance."""
    k = 2 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)
    np.fill_diagonal(k, 1)
    found = regularize(k, "nearest")
    np.testing.assert_allclose(found.diagonal(), 1, atol=1e-12)
    expected = np.array([1, -0.8084, 0.1916, 0.1068, 1, -0.6562, 0.1916, 1, -0.8084, 1])
    np.testing.assert_allclose(found[np.triu_indices(4)], expected, atol=5e-5)


def test_nearest_is_nearer_than_others_with_that_diagonal():
    k = correlations()
    assert np.linalg.eigvalsh(k)[0] < -0.1
    found = regularize(k, "nearest")
    np.testing.assert_allclose(found.diagonal(), 1, atol=1e-12)
    clipped = regularize(k, "threshold")
    scale = 1 / np.sqrt(clipped.diagonal())
    assert np.linalg.norm(found - k) < np.linalg.norm(clipped * scale[:, None] * scale - k)


def test_shots_are_repaired():
    a = RNG.normal(size=(30, 3))
    exact = np.exp(-((a[:, None] - a) ** 2).sum(axis=2) / 20)
    noisy = emulate_shots(exact, 50, seed=1)
    assert np.linalg.eigvalsh(noisy)[0] < 0
    assert np.linalg.norm(regularize(noisy) - exact) < np.linalg.norm(noisy - exact)


@pytest.mark.parametrize("method", ["single", "average", "split"])
def test_depolarising_noise_is_undone(method):
    y = RNG.normal(size=(5, 2))
    exact = np.exp(-((y[:, None] - y) ** 2).sum(axis=2))
    kept = np.array([0.9, 0.8, 0.95, 0.7, 0.85]) if method == "split" else np.full(5, 0.9)
    both = np.outer(kept, kept)
    noisy = both * exact + (1 - both) / 8
    np.testing.assert_allclose(mitigate_depolarizing(noisy, 3, method=method), exact, atol=1e-12)


def test_bad_repairs_are_refused():
    with pytest.raises(ArgumentError, match="`method` must be one of threshold, shift"):
        regularize(np.eye(2), "clip")
    with pytest.raises(ArgumentError, match="`strength` must be 0 or more"):
        regularize(np.eye(2), "tikhonov", strength=-1.0)
    with pytest.raises(ArgumentError, match="no negative number on its diagonal"):
        regularize(-np.eye(2), "nearest")
    with pytest.raises(ArgumentError, match="must have a diagonal above"):
        mitigate_depolarizing(np.eye(2) / 8, 3)
    with pytest.raises(ArgumentError, match="`method` must be 'single', 'average' or 'split'"):
        mitigate_depolarizing(np.eye(2), 3, method="none")
