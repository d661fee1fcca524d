"""Dense oracles for the tests of observables, and hypothesis strategies for Pauli strings and sums."""

from __future__ import annotations

from functools import reduce

import numpy as np
from hypothesis import strategies as st

from qsim.observables import PauliString, PauliSum

LETTERS = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}
MAX_QUBITS = 4


def dense(label: str) -> np.ndarray:
    """Kronecker product of a dense label, qubit 0 last."""
    return reduce(np.kron, [LETTERS[letter] for letter in label], np.eye(1)).astype(complex)


def oracle(operator: PauliString | PauliSum, num_qubits: int = MAX_QUBITS) -> np.ndarray:
    """Dense matrix, term by term, from labels alone."""
    strings = [operator] if isinstance(operator, PauliString) else list(operator)
    total = np.zeros((2**num_qubits, 2**num_qubits), dtype=complex)
    for string in strings:
        total += string.coefficient * dense(string.to_label(num_qubits))
    return total


def random_states(seed: int, num_qubits: int, batch: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(batch, 2**num_qubits)) + 1j * rng.normal(size=(batch, 2**num_qubits))
    return states / np.linalg.norm(states, axis=1, keepdims=True)


def random_hermitian(seed: int, num_qubits: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(2**num_qubits,) * 2) + 1j * rng.normal(size=(2**num_qubits,) * 2)
    return matrix + matrix.conj().T


def embed(matrix: np.ndarray, qubits: tuple[int, ...], num_qubits: int) -> np.ndarray:
    """Matrix on some qubits (first least significant) as a matrix on all of them, entry by entry."""
    size = 2**num_qubits
    mask = sum(1 << q for q in qubits)
    local = [sum((index >> q & 1) << place for place, q in enumerate(qubits)) for index in range(size)]
    full = np.zeros((size, size), dtype=complex)
    for row in range(size):
        for column in range(size):
            if row & ~mask == column & ~mask:
                full[row, column] = matrix[local[row], local[column]]
    return full


def check_statistics(observable, matrix, seed, num_qubits):
    """apply, expectation, variance and conversions of an observable against its dense matrix."""
    states = random_states(seed, num_qubits)
    copied = states.copy()
    np.testing.assert_allclose(observable.apply(states), states @ matrix.T, atol=1e-11)
    mean = np.einsum("bi,ij,bj->b", states.conj(), matrix, states).real
    square = np.einsum("bi,ij,bj->b", states.conj(), matrix @ matrix, states).real
    np.testing.assert_allclose(observable.expectation(states), mean, atol=1e-11)
    variance = observable.variance(states)
    np.testing.assert_allclose(variance, square - mean**2, atol=1e-9)
    assert np.all(variance >= 0) and variance.dtype == np.float64 and variance.shape == (len(states),)
    assert observable.expectation(states[0]).shape == ()
    assert observable.expectation(states.reshape(3, 1, -1)).shape == (3, 1)
    np.testing.assert_array_equal(states, copied)
    np.testing.assert_allclose(observable.to_matrix(num_qubits), matrix, atol=1e-12)
    np.testing.assert_allclose(observable.to_pauli_sum().to_matrix(num_qubits), matrix, atol=1e-12)
    assert observable.is_diagonal == (np.count_nonzero(matrix - np.diag(matrix.diagonal())) == 0)
    single = states.astype(np.complex64)
    assert observable.apply(single).dtype == np.complex64
    assert observable.expectation(single).dtype == np.float64
    np.testing.assert_allclose(observable.apply(single), states @ matrix.T, atol=1e-4)
    np.testing.assert_allclose(observable.expectation(single), mean, atol=1e-4)
    np.testing.assert_allclose(observable.variance(single), square - mean**2, atol=1e-3)


dense_labels = st.text("IXYZ", min_size=MAX_QUBITS, max_size=MAX_QUBITS)
halves = st.integers(-6, 6).map(lambda k: k / 2)  # exact in floating point, so == may be asked
exact_complex = st.builds(complex, halves, halves)
strings = st.builds(PauliString, dense_labels, exact_complex)
sums = st.lists(st.tuples(dense_labels, exact_complex), max_size=6).map(PauliSum)
real_sums = st.lists(st.tuples(dense_labels, halves), max_size=8).map(PauliSum)
