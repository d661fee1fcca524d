"""Pauli sums to and from matrices, and their action on states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pauli_oracle import (
    MAX_QUBITS,
    check_statistics,
    dense,
    oracle,
    random_states,
    real_sums,
    sums,
)

from qsim.errors import MemoryBudgetError, ObservableError, QubitError, StateError
from qsim.observables import (
    Hermitian,
    PauliString,
    PauliSum,
    transforms,
)
from qsim.observables.transforms import walsh_hadamard

# ---- matrices ------------------------------------------------------------------------------------


@given(a=sums)
def test_matrices_agree_with_kronecker_products(a):
    matrix = oracle(a)
    np.testing.assert_array_equal(a.to_matrix(MAX_QUBITS), matrix)
    np.testing.assert_array_equal(a.to_sparse(MAX_QUBITS).toarray(), matrix)
    mirrored = PauliSum([(PauliString(s.to_label(MAX_QUBITS)[::-1]), s.coefficient) for s in a])
    np.testing.assert_array_equal(a.to_matrix(MAX_QUBITS, order="big"), oracle(mirrored))
    np.testing.assert_array_equal(a.to_sparse(MAX_QUBITS, order="big").toarray(), oracle(mirrored))


@given(a=sums)
def test_from_matrix_inverts_to_matrix(a):
    assert PauliSum.from_matrix(a.to_matrix()).equals(a)
    assert PauliSum.from_matrix(a.to_sparse()).equals(a)
    assert PauliSum.from_matrix(a.to_matrix(MAX_QUBITS, order="big"), order="big").equals(a)
    assert PauliSum.from_matrix(a.to_sparse(MAX_QUBITS, order="big"), order="big").equals(a)


@given(seed=st.integers(0, 2**32), num_qubits=st.integers(0, 5))
def test_to_matrix_inverts_from_matrix(seed, num_qubits):
    rng = np.random.default_rng(seed)
    size = 2**num_qubits
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    np.testing.assert_allclose(PauliSum.from_matrix(matrix).to_matrix(num_qubits), matrix, atol=1e-13)
    hermitian = PauliSum.from_matrix(matrix + matrix.conj().T)
    assert not np.any(hermitian.coefficients.imag)
    # Orthogonality of Pauli strings: the coefficients carry the matrix's norm.
    np.testing.assert_allclose(
        np.sum(np.abs(hermitian.coefficients) ** 2) * size, np.linalg.norm(matrix + matrix.conj().T) ** 2
    )


def test_from_matrix_on_other_qubits_and_its_tolerance():
    matrix = dense("XZ") + 1e-9 * dense("YY")
    assert PauliSum.from_matrix(matrix, qubits=[4, 2], atol=1e-6) == PauliSum("X2 Z4")
    assert PauliSum.from_matrix(matrix, qubits=[2, 4], order="big", atol=1e-6) == PauliSum("X2 Z4")
    assert len(PauliSum.from_matrix(matrix)) == 2
    tiny = PauliSum.from_matrix(1e-20 * dense("XZ"))
    assert tiny.labels == ["Z0 X1"] and tiny.coefficients[0] == pytest.approx(1e-20)
    assert len(PauliSum.from_matrix(np.zeros((4, 4)))) == 0


@pytest.mark.parametrize(
    ("matrix", "kwargs", "error", "text"),
    [
        (
            np.eye(3),
            {},
            ObservableError,
            r"must have shape \(2\*\*k, 2\*\*k\) for k qubits, but has shape \(3, 3\)",
        ),
        (np.ones((2, 4)), {}, ObservableError, r"but has shape \(2, 4\)"),
        (np.ones(4), {}, ObservableError, r"but has shape \(4,\)"),
        (1.0, {}, ObservableError, r"but has shape \(\)"),
        ([[1, np.nan], [0, 1]], {}, ObservableError, r"must be finite, but has nan at \[0, 1\]"),
        ([["a", "b"], ["c", "d"]], {}, TypeError, "must hold numbers, but has dtype"),
        ([[True, False], [False, True]], {}, TypeError, "must hold numbers, but has dtype bool"),
        ([[1, 2], [3]], {}, ObservableError, "must be a regular array of numbers"),
        (np.eye(4), {"qubits": [0]}, ObservableError, "must have 2 entries, as many as the operator acts on"),
        (np.eye(4), {"qubits": [0, 0]}, QubitError, r"must be distinct, but has qubit 0 twice: \(0, 0\)"),
        (
            np.eye(4),
            {"qubits": [0, -1]},
            QubitError,
            r"Qubit -1 is out of range for an observable \(valid: 0 to 62\)",
        ),
        (np.eye(4), {"qubits": [0, 63]}, QubitError, "Qubit 63 is out of range"),
        (
            np.eye(4),
            {"qubits": [0, 1.0]},
            TypeError,
            r"Each of `qubits` must be an int, but is float \(1.0\)",
        ),
        (np.eye(4), {"qubits": "01"}, TypeError, "must be an int, but is str"),
        (np.eye(2), {"qubits": True}, TypeError, "must be an int, but is bool"),
    ],
)
@pytest.mark.parametrize("build", [PauliSum.from_matrix, Hermitian])
def test_matrix_errors(build, matrix, kwargs, error, text):
    with pytest.raises(error, match=text):
        build(matrix, **kwargs)


def test_dense_matrices_that_do_not_fit_are_refused():
    with pytest.raises(
        MemoryBudgetError, match=r"A dense matrix on 30 qubits needs 32 EiB, .* is free \(at most"
    ):
        PauliSum("Z29").to_matrix()
    with pytest.raises(MemoryBudgetError, match="A sparse matrix on 50 qubits with 2 entries per row needs"):
        PauliSum({"Z49": 1.0, "X0": 1.0}).to_sparse()


def test_walsh_hadamard_against_its_definition():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 16))
    index = np.arange(16)
    signs = (-1.0) ** np.bitwise_count(index[:, None] & index)
    np.testing.assert_allclose(walsh_hadamard(values.copy()), values @ signs, atol=1e-12)


# ---- action on states ----------------------------------------------------------------------------


@given(a=sums, seed=st.integers(0, 2**32))
def test_apply_is_matrix_times_state(a, seed):
    states = random_states(seed, MAX_QUBITS)
    np.testing.assert_allclose(a.apply(states), states @ oracle(a).T, atol=1e-12)
    np.testing.assert_allclose(a.apply(states[0]), oracle(a) @ states[0], atol=1e-12)


@given(a=real_sums, seed=st.integers(0, 2**32))
def test_expectation_and_variance_against_matrices(a, seed):
    check_statistics(a, oracle(a), seed, MAX_QUBITS)


@pytest.mark.parametrize("num_terms", [1, 3, 40])
def test_apply_across_blocks(num_terms, monkeypatch):
    """States longer than a block, sums shorter and longer than what switches to a transform."""
    monkeypatch.setattr(transforms, "_BLOCK_BITS", 3)
    rng = np.random.default_rng(num_terms)
    num_qubits = 6
    x = rng.choice([0, 5, 40, 63], num_terms)
    h = PauliSum.from_masks(x, rng.integers(0, 64, num_terms), rng.normal(size=num_terms))
    matrix = oracle(h, num_qubits)
    states = random_states(1, num_qubits)
    np.testing.assert_allclose(h.apply(states), states @ matrix.T, atol=1e-12)
    np.testing.assert_allclose(h.to_matrix(num_qubits), matrix, atol=1e-12)
    np.testing.assert_allclose(h.to_sparse(num_qubits).toarray(), matrix, atol=1e-12)


def test_variance_of_an_eigenstate_is_zero():
    plus = np.full(8, 8**-0.5)
    h = PauliSum({"X0": 1e6, "X1": 3e6})
    assert h.expectation(plus) == pytest.approx(4e6)
    assert h.variance(plus) == pytest.approx(0.0, abs=1e-15)


def test_empty_sum_is_zero():
    assert PauliSum().expectation([0.6, 0.8]) == PauliSum().variance([0.6, 0.8]) == 0.0
    np.testing.assert_array_equal(PauliSum().to_matrix(1), np.zeros((2, 2)))


def test_state_errors():
    z = PauliSum("Z2")
    with pytest.raises(
        StateError, match=r"must have shape \(2\*\*n,\) or \(batch, 2\*\*n\), but has shape \(6,\)"
    ):
        z.apply(np.zeros(6))
    with pytest.raises(StateError, match=r"but has shape \(\)"):
        z.apply(1.0)
    with pytest.raises(TypeError, match="Argument `states` must hold numbers, but has dtype"):
        z.apply(["a", "b"])
    with pytest.raises(QubitError, match="Qubit 2 of the observable is out of range for 2 qubits"):
        z.expectation(np.eye(4))
    for non_hermitian in (PauliSum({"Z0": 1j}), PauliString("Z0", 1j)):
        with pytest.raises(ObservableError, match=r"term 'Z0' has the coefficient 1j, which is not real"):
            non_hermitian.expectation([1, 0])
        with pytest.raises(ObservableError, match=r"Use \(a \+ a.adjoint\(\)\) / 2 for its Hermitian part"):
            non_hermitian.variance([1, 0])
        np.testing.assert_array_equal(non_hermitian.apply([1, 0]), [1j, 0])
