"""The ad-hoc data set: as in the paper, and separable by the ZZ feature map where an RBF kernel is lost."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from qsim.datasets import ad_hoc
from qsim.errors import ArgumentError
from qsim.quantum_kernels import FidelityKernel
from qsim.testing import random_unitary

SEEDS = range(4)


def paper_state(x: Any) -> Any:
    """U(x) H U(x) H |0...0> with U(x) = exp(i (sum_i x_i Z_i + sum_(i<j) (pi - x_i)(pi - x_j) Z_i Z_j))."""
    n = len(x)
    signs = np.array([[(-1) ** (k >> q & 1) for q in range(n)] for k in range(2**n)])
    phase = signs @ x
    for i, j in itertools.combinations(range(n), 2):
        phase = phase + (np.pi - x[i]) * (np.pi - x[j]) * signs[:, i] * signs[:, j]
    hadamard = np.ones((1, 1))
    for _ in range(n):
        hadamard = np.kron(hadamard, np.array([[1, 1], [1, -1]]) / np.sqrt(2))
    state = hadamard[:, 0].astype(complex)
    return np.exp(1j * phase) * (hadamard @ (np.exp(1j * phase) * state))


@pytest.mark.parametrize("num_features", [2, 3])
def test_the_map_is_that_of_the_paper(num_features: int) -> None:
    X, _ = ad_hoc(12, num_features=num_features, seed=1)
    states = np.array([paper_state(x) for x in X])
    np.testing.assert_allclose(FidelityKernel("zz")(X), np.abs(states @ states.conj().T) ** 2, atol=1e-12)


@pytest.mark.parametrize("gap", [0.1, 0.3, 0.6])
def test_labels_are_the_sign_of_the_parity_behind_the_unitary(gap: float) -> None:
    X, y = ad_hoc(60, gap=gap, seed=5)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(5)))
    turned = random_unitary(2, rng)  # the first that is drawn
    states = np.array([paper_state(x).conj() for x in X])  # ours is the complex conjugate
    values = np.abs(states @ turned.T) ** 2 @ np.array([1, -1, -1, 1])
    assert (y * values >= gap - 1e-12).all()


@pytest.mark.parametrize(("samples", "plus"), [(40, 20), (41, 20), (2, 1), (3000, 1500)])
def test_balance_and_range(samples: int, plus: int) -> None:
    X, y = ad_hoc(samples, seed=3)
    assert X.shape == (samples, 2) and y.shape == (samples,)
    assert (y == 1).sum() == plus and (y == -1).sum() == samples - plus
    assert (X > 0).all() and (X.max() <= 2 * np.pi)
    if samples > 10:  # everywhere, and in random order
        assert np.ptp(X, axis=0).min() > 4
        assert len(set(y[: samples // 2])) == 2


def test_seeds() -> None:
    first, again, other = ad_hoc(20, seed=1), ad_hoc(20, seed=1), ad_hoc(20, seed=2)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fidelity_kernel_separates_where_rbf_does_not(seed: int) -> None:
    """Twenty points of each label for training, as in the paper; the RBF machine is tuned on the same."""
    svm = pytest.importorskip("sklearn.svm")
    search = pytest.importorskip("sklearn.model_selection").GridSearchCV
    X, y = ad_hoc(140, seed=seed)
    train, test = slice(0, 40), slice(40, None)
    kernel = FidelityKernel("zz")
    machine = svm.SVC(kernel="precomputed", C=1000).fit(kernel(X[train]), y[train])
    assert machine.score(kernel(X[train]), y[train]) == 1.0
    quantum = machine.score(kernel(X[test], X[train]), y[test])
    grid = {"C": [0.1, 1, 10, 100, 1000], "gamma": np.geomspace(0.03, 30, 10)}
    classical = search(svm.SVC(), grid, cv=5).fit(X[train], y[train]).score(X[test], y[test])
    assert quantum >= 0.95
    assert classical <= 0.8 and quantum - classical >= 0.2


def test_messages() -> None:
    with pytest.raises(ArgumentError, match="below 1"):
        ad_hoc(gap=1.0)
    with pytest.raises(ArgumentError, match="Use a smaller gap"):
        ad_hoc(10, num_features=6, gap=0.9, seed=1)
    with pytest.raises(TypeError, match="`gap` must be a number"):
        ad_hoc(gap="wide")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="`num_samples` must be at least 2"):
        ad_hoc(1)
    with pytest.raises(ArgumentError, match="`num_features` must be at least 2"):
        ad_hoc(10, num_features=1)
