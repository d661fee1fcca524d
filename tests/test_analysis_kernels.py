"""Geometric difference, model complexity, concentration and bandwidths: definitions and known kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

import qsim
from qsim.analysis import (
    bandwidth_scan,
    geometric_difference,
    kernel_concentration,
    model_complexity,
)
from qsim.errors import ArgumentError
from qsim.quantum_kernels import FidelityKernel, ProjectedKernel, kernel_target_alignment
from qsim.testing import random_state


def random_kernel(size: int, seed: int, rank: int | None = None) -> Any:
    points = np.random.default_rng(seed).normal(size=(size, rank or size + 2))
    return points @ points.T


def normed(kernel: Any) -> Any:
    return kernel * len(kernel) / np.trace(kernel)


@given(size=st.integers(1, 12), seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_geometric_difference_is_its_definition(size: int, seed: int) -> None:
    """g = sqrt(|| sqrt(K_Q) K_C^-1 sqrt(K_Q) ||), Huang et al., equation 5."""
    classical, quantum = random_kernel(size, seed), random_kernel(size, seed + 1)
    root = np.real(sqrtm(normed(quantum)))
    expected = np.sqrt(np.linalg.norm(root @ np.linalg.inv(normed(classical)) @ root, 2))
    found = geometric_difference(classical, quantum)
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert found.training == 0 and found.relative == pytest.approx(found.value / np.sqrt(size))
    scaled = geometric_difference(3 * classical, 0.1 * quantum)
    assert scaled.value == pytest.approx(found.value, rel=1e-6)


@given(size=st.integers(2, 10), seed=st.integers(0, 10_000), shift=st.floats(1e-3, 10))
@settings(max_examples=60)
def test_regularised_geometric_difference_is_its_definition(size: int, seed: int, shift: float) -> None:
    classical, quantum = random_kernel(size, seed, 1 + size // 2), random_kernel(size, seed + 1)
    k_c, root_q = normed(classical), np.real(sqrtm(normed(quantum)))
    root_c = np.real(sqrtm(k_c + 1e-14 * np.eye(size)))
    inverse = np.linalg.inv(k_c + shift * np.eye(size))
    middle = root_q @ root_c @ inverse @ inverse @ root_c @ root_q
    found = geometric_difference(classical, quantum, shift)
    assert found.value == pytest.approx(np.sqrt(np.linalg.norm(middle, 2)), rel=1e-4)
    rest = shift * np.sqrt(np.linalg.norm(root_q @ inverse @ inverse @ root_q, 2))
    assert found.training == pytest.approx(rest, rel=1e-6)
    assert found.relative == pytest.approx((found.value + found.training) / np.sqrt(size))
    # the bound that the sum stands for
    y = np.random.default_rng(seed).normal(size=size)
    own = model_complexity(quantum, y).bound
    assert model_complexity(classical, y, shift).bound <= (found.value + found.training) * own * (1 + 1e-6)


def test_geometric_difference_of_known_kernels() -> None:
    kernel = random_kernel(8, 3)
    assert float(geometric_difference(kernel, kernel)) == pytest.approx(1)
    assert float(geometric_difference(np.eye(9), np.ones((9, 9)))) == pytest.approx(3)  # the largest: sqrt(N)
    assert "sqrt(9)" in str(geometric_difference(np.eye(9), np.eye(9)))


@given(size=st.integers(1, 10), outputs=st.integers(0, 3), seed=st.integers(0, 1000), shift=st.floats(0, 5))
@settings(max_examples=60)
def test_model_complexity_is_its_definition(size: int, outputs: int, seed: int, shift: float) -> None:
    kernel = random_kernel(size, seed)
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(size, outputs) if outputs else size)
    k = normed(kernel)
    inverse = np.linalg.inv(k + shift * np.eye(size))
    columns = y.reshape(size, -1)
    expected = np.trace(columns.T @ inverse @ k @ inverse @ columns)
    found = model_complexity(kernel, y, shift)
    assert found.value == pytest.approx(expected, rel=1e-4)
    left = shift * np.sqrt(((inverse @ columns) ** 2).sum() / size)
    assert found.training == pytest.approx(left, rel=1e-4, abs=1e-12)
    assert found.bound == pytest.approx(np.sqrt(found.value / size) + found.training)


def test_complexities_and_the_geometric_difference() -> None:
    """s_C <= g**2 s_Q for any targets (Huang et al., equation 6), and some targets reach it."""
    classical, quantum = random_kernel(10, 1), random_kernel(10, 2)
    g = float(geometric_difference(classical, quantum))
    rng = np.random.default_rng(0)
    for _ in range(50):
        y = rng.normal(size=10)
        s_c, s_q = (model_complexity(k, y).value for k in (classical, quantum))
        assert s_c <= g**2 * s_q * (1 + 1e-8)
    root = np.real(sqrtm(normed(quantum)))
    _, vectors = np.linalg.eigh(root @ np.linalg.inv(normed(classical)) @ root)
    y = root @ vectors[:, -1]
    s_c, s_q = (model_complexity(k, y).value for k in (classical, quantum))
    assert s_c == pytest.approx(g**2 * s_q, rel=1e-6)


def test_messages_of_the_geometry() -> None:
    eye = np.eye(3)
    singular = np.ones((3, 3))
    with pytest.raises(ArgumentError, match="must have an inverse"):
        geometric_difference(singular, eye)
    assert float(geometric_difference(singular, eye, 0.1)) > 0
    with pytest.raises(ArgumentError, match="must have an inverse"):
        model_complexity(singular, [1, 1, 1])
    with pytest.raises(ArgumentError, match="of the same data"):
        geometric_difference(eye, np.eye(4))
    with pytest.raises(ArgumentError, match="`quantum` must be a square matrix"):
        geometric_difference(eye, np.ones((3, 2)))
    with pytest.raises(ArgumentError, match="`quantum` must be symmetric"):
        geometric_difference(eye, np.triu(np.ones((3, 3))))
    with pytest.raises(ArgumentError, match="`classical` must be finite"):
        geometric_difference(np.full((3, 3), np.nan), eye)
    with pytest.raises(ArgumentError, match="positive semidefinite"):
        geometric_difference(eye, np.diag([1.0, 1.0, -0.5]))
    with pytest.raises(ArgumentError, match="positive trace"):
        geometric_difference(eye, np.zeros((3, 3)))
    with pytest.raises(ArgumentError, match="finite and not negative"):
        geometric_difference(eye, eye, -1.0)
    with pytest.raises(TypeError, match="`regularization` must be a number"):
        geometric_difference(eye, eye, "much")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"must have shape \(3,\)"):
        model_complexity(eye, [1, 2])
    with pytest.raises(TypeError, match="must hold numbers"):
        model_complexity(eye, ["a", "b", "c"])
    with pytest.raises(ArgumentError, match="`targets` must be finite"):
        model_complexity(eye, [1, 2, np.inf])


# -- concentration ---------------------------------------------------------------------------------


def test_concentration_is_that_of_the_entries() -> None:
    kernel = np.corrcoef(np.random.default_rng(1).normal(size=(12, 5))) ** 2
    found = kernel_concentration(kernel, seed=1)
    entries = kernel[~np.eye(12, dtype=bool)]
    assert found.mean.value == pytest.approx(entries.mean())
    assert found.variance.value == pytest.approx(entries.var())
    assert found.mean.low < found.mean.value < found.mean.high
    levels = np.linalg.eigvalsh(kernel)[::-1] / 12
    np.testing.assert_allclose(found.eigenvalues, levels, atol=1e-12)
    assert found.effective_rank == pytest.approx(1 / (levels**2).sum())
    assert found.shots == pytest.approx(entries.mean() * (1 - entries.mean()) / entries.var())
    assert "effective rank" in str(found)


def test_concentration_of_haar_random_states() -> None:
    states = np.stack([random_state(4, seed) for seed in range(150)])
    found = kernel_concentration(np.abs(states @ states.conj().T) ** 2, 4, seed=1)
    assert found.haar_mean == 1 / 16 and found.haar_variance == pytest.approx(15 / (256 * 17))
    assert found.mean.low < 1 / 16 < found.mean.high
    assert found.variance.low < found.haar_variance < found.variance.high


def test_kernels_without_spread() -> None:
    alike = kernel_concentration(np.ones((5, 5)), seed=0)
    assert alike.effective_rank == pytest.approx(1) and alike.shots == np.inf
    apart = kernel_concentration(np.eye(5), seed=0)
    assert apart.effective_rank == pytest.approx(5) and apart.mean.value == 0
    with pytest.raises(ArgumentError, match="at least 3 rows"):
        kernel_concentration(np.eye(2))
    with pytest.raises(ArgumentError, match="positive trace"):
        kernel_concentration(np.zeros((3, 3)))


def test_variance_shrinks_with_qubits() -> None:
    rng = np.random.default_rng(0)
    variances = [
        float(kernel_concentration(FidelityKernel("angle")(rng.uniform(0, 2 * np.pi, (60, n))), n, seed=0))
        for n in (1, 3, 6)
    ]
    assert variances[0] > 3 * variances[1] > 9 * variances[2]
    # a product of cos(d / 2)**2: mean 2**-n, mean square (3/8)**n
    np.testing.assert_allclose(variances, [(3 / 8) ** n - 4.0**-n for n in (1, 3, 6)], rtol=0.3)


def test_bandwidth_scan_is_a_kernel_for_each() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(25, 3))
    y = np.where(X[:, 0] > 0, "up", "down")
    scan = bandwidth_scan("zz", X, y, [1.0, 0.1, 0.3], seed=1)
    np.testing.assert_array_equal(scan.bandwidths, [0.1, 0.3, 1.0])
    kernel = FidelityKernel("zz")
    for k, bandwidth in enumerate(scan.bandwidths):
        matrix = kernel(bandwidth * X)
        assert scan.variances[k] == pytest.approx(matrix[~np.eye(25, dtype=bool)].var())
        expected = kernel_target_alignment(matrix, y, centered=True)
        assert scan.alignments is not None and scan.alignments[k] == pytest.approx(expected)
        assert scan.effective_ranks[k] == pytest.approx(scan.concentrations[k].effective_rank)
    assert scan.best == scan.bandwidths[np.argmax(scan.alignments)]
    assert "alignment" in str(scan)


def test_bandwidth_scan_of_kernels_numbers_and_no_targets() -> None:
    X = np.random.default_rng(3).normal(size=(15, 2))
    plain = bandwidth_scan(FidelityKernel("angle"), X, bandwidths=[0.1, 0.5], seed=1)
    assert plain.alignments is None and plain.best == 0.5 and "alignment" not in str(plain)
    projected = bandwidth_scan(ProjectedKernel("angle"), X, X[:, 0] + 0.1, [0.5], seed=1)
    assert projected.concentrations[0].haar_mean is None and projected.alignments is not None
    # numbers: the alignment is with their centred products
    columns = (X[:, 0] - X[:, 0].mean())[:, None]
    expected = kernel_target_alignment(ProjectedKernel("angle")(0.5 * X), columns @ columns.T, centered=True)
    assert projected.alignments[0] == pytest.approx(expected)
    weighted = qsim.Circuit(1).ry(qsim.ParameterVector("x", 1)[0], 0).rz(qsim.Parameter("w"), 0)
    assert bandwidth_scan(weighted, X[:, :1], bandwidths=1.0, params={"w": 0.3}).best == 1.0
    constant = bandwidth_scan("angle", np.ones((5, 2)), [0, 1, 0, 1, 1], [1.0])
    assert constant.alignments is not None and constant.alignments[0] == 0


def test_messages_of_bandwidth_scans() -> None:
    X = np.random.default_rng(3).normal(size=(15, 2))
    for bad in ([], [0.0], [-1.0], [np.nan]):
        with pytest.raises(ArgumentError, match="positive, finite"):
            bandwidth_scan("angle", X, bandwidths=bad)
    with pytest.raises(ArgumentError, match="left out where a kernel is given"):
        bandwidth_scan(FidelityKernel("angle"), X, params={"w": 1.0})
    with pytest.raises(ArgumentError, match="at least 2 classes"):
        bandwidth_scan("angle", X, np.zeros(15, dtype=int))
    with pytest.raises(ArgumentError, match=r"`y` must have shape \(15,\)"):
        bandwidth_scan("angle", X, [0, 1])
    with pytest.raises(ArgumentError, match="at least 3 rows"):
        bandwidth_scan("angle", X[:2])
