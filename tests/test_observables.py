"""Dense and sparse matrices, projectors and diagonals as observables; conversion from what users pass."""

from __future__ import annotations

import copy
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pauli_oracle import (
    MAX_QUBITS,
    check_statistics,
    embed,
    random_hermitian,
    random_states,
)

from qsim.errors import ArgumentError, ObservableError, QubitError, StateError
from qsim.observables import (
    Diagonal,
    Hermitian,
    PauliString,
    PauliSum,
    Projector,
    SparseMatrix,
    StateProjector,
    as_observable,
    as_observables,
)
from qsim.observables.diagonal import diagonal_values

# ---- matrices, projectors, diagonals -------------------------------------------------------------

some_qubits = st.integers(1, 3).flatmap(
    lambda k: st.permutations(range(MAX_QUBITS)).map(lambda order: tuple(order[:k]))
)


@given(seed=st.integers(0, 2**32), qubits=some_qubits)
@settings(max_examples=40)
def test_hermitian(seed, qubits):
    matrix = random_hermitian(seed, len(qubits))
    observable = Hermitian(matrix, qubits)
    assert observable.qubits == qubits
    check_statistics(observable, embed(matrix, qubits, MAX_QUBITS), seed, MAX_QUBITS)
    assert Hermitian(matrix, qubits[::-1], order="big") == observable


@given(seed=st.integers(0, 2**32), qubits=some_qubits)
@settings(max_examples=40)
def test_diagonal(seed, qubits):
    values = np.random.default_rng(seed).normal(size=2 ** len(qubits))
    observable = Diagonal(values, qubits)
    check_statistics(observable, embed(np.diag(values), qubits, MAX_QUBITS), seed, MAX_QUBITS)
    assert Diagonal(values, qubits[::-1], order="big") == observable
    full = np.array([observable.to_matrix(MAX_QUBITS)[i, i].real for i in range(2**MAX_QUBITS)])
    outcomes = np.arange(2**MAX_QUBITS, dtype=np.uint64)
    np.testing.assert_array_equal(diagonal_values(observable, outcomes), full)
    np.testing.assert_allclose(diagonal_values(observable.to_pauli_sum(), outcomes), full, atol=1e-12)


@given(seed=st.integers(0, 2**32), qubits=some_qubits, data=st.data())
@settings(max_examples=40)
def test_projector(seed, qubits, data):
    bits = data.draw(st.lists(st.integers(0, 1), min_size=len(qubits), max_size=len(qubits)))
    local = np.zeros(2 ** len(qubits))
    local[sum(bit << place for place, bit in enumerate(bits))] = 1
    observable = Projector(bits, qubits)
    check_statistics(observable, embed(np.diag(local), qubits, MAX_QUBITS), seed, MAX_QUBITS)
    text = "".join(map(str, bits))
    assert Projector(text[::-1], qubits) == Projector(text, qubits, order="big") == observable
    assert Projector(dict(zip(qubits, bits, strict=True))) == observable == eval(repr(observable))
    outcomes = np.arange(2**MAX_QUBITS, dtype=np.uint64)
    np.testing.assert_array_equal(
        diagonal_values(observable, outcomes), observable.to_matrix(MAX_QUBITS).diagonal().real
    )
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(len(local)), size=2)
    np.testing.assert_array_equal(observable.from_probabilities(probabilities), probabilities @ local)


@given(seed=st.integers(0, 2**32), qubits=some_qubits)
@settings(max_examples=40)
def test_state_projector(seed, qubits):
    state = random_states(seed, len(qubits), batch=1)[0]
    observable = StateProjector(state, qubits)
    local = np.outer(state, state.conj())
    check_statistics(observable, embed(local, qubits, MAX_QUBITS), seed, MAX_QUBITS)
    assert StateProjector(3 * state, qubits, normalize=True).expectation(np.eye(16)[0]) == pytest.approx(
        embed(local, qubits, MAX_QUBITS)[0, 0].real
    )


@given(seed=st.integers(0, 2**32), num_qubits=st.integers(0, MAX_QUBITS), density=st.floats(0.0, 0.5))
@settings(max_examples=40)
def test_sparse_matrix(seed, num_qubits, density):
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(seed)
    matrix = random_hermitian(seed, num_qubits)
    keep = rng.random(matrix.shape) < density
    matrix = matrix * (keep | keep.T)
    full = embed(matrix, tuple(range(num_qubits)), MAX_QUBITS)
    observable = SparseMatrix(sparse.coo_matrix(matrix))
    check_statistics(observable, full, seed, MAX_QUBITS)
    assert SparseMatrix(matrix) == SparseMatrix(sparse.csc_array(matrix)) == observable
    np.testing.assert_array_equal(observable.to_sparse().toarray(), matrix)
    big = observable.to_matrix(order="big")
    assert SparseMatrix(sparse.csr_array(big), order="big") == SparseMatrix(big, order="big") == observable
    states = random_states(seed, num_qubits)
    without_scipy = observable._apply_with_numpy(states, observable.data)
    np.testing.assert_allclose(without_scipy, states @ matrix.T, atol=1e-12)


def test_sparse_product_in_pieces(monkeypatch):
    from qsim.observables import sparse_matrix

    monkeypatch.setattr(sparse_matrix, "_ENTRIES_AT_ONCE", 5)
    matrix = PauliSum({"X0": 1.0, "X1 Z3": 0.5, "Y2": 2.0}).to_matrix()
    matrix[3] = matrix[:, 3] = 0
    observable = SparseMatrix(matrix)
    states = random_states(5, 4)
    np.testing.assert_allclose(
        observable._apply_with_numpy(states, observable.data), states @ matrix.T, atol=1e-12
    )


def test_sparse_duplicates_add_up():
    sparse = pytest.importorskip("scipy.sparse")
    doubled = sparse.coo_array(([1.0, 1.0, 0.0], ([0, 0, 1], [0, 0, 0])), shape=(2, 2))
    assert SparseMatrix(doubled) == SparseMatrix([[2.0, 0.0], [0.0, 0.0]])
    assert SparseMatrix(doubled).nnz == 1


@pytest.mark.parametrize(
    "observable",
    [
        Hermitian([[1, 2j], [-2j, 0]], qubits=[3]),
        Hermitian(random_hermitian(0, 3)),
        Projector("011", qubits=[5, 0, 2]),
        StateProjector([0.6, 0.8j], qubits=[1]),
        Diagonal([0.5, -1.0, 2.0, 3.0], qubits=[2, 0]),
        Diagonal(np.arange(32.0)),
        SparseMatrix([[0, 1], [1, 0]]),
    ],
    ids=lambda observable: type(observable).__name__,
)
def test_equality_hash_and_pickle(observable):
    back = pickle.loads(pickle.dumps(observable))
    assert back == observable == copy.deepcopy(observable)
    assert hash(back) == hash(observable) and repr(back) == repr(observable)
    assert observable != PauliSum("Z0") and observable != "Z0"
    np.testing.assert_array_equal(back.to_matrix(), observable.to_matrix())


def test_reprs_of_small_observables_evaluate():
    for text in (
        "Hermitian([[1.0, 0.0], [0.0, -1.0]], qubits=[3])",
        "Diagonal([0.0, 1.0], qubits=[2])",
        "Projector('01', qubits=[4, 2])",
        "StateProjector([0.6, 0.8], qubits=[1])",
    ):
        assert repr(eval(text)) == text
    assert repr(Diagonal(np.arange(32.0))) == "Diagonal(<32 values>, qubits=[0, 1, 2, 3, 4])"
    assert repr(Hermitian(np.eye(8))) == "Hermitian(<8 x 8 matrix>, qubits=[0, 1, 2])"


def test_diagonal_from_function():
    cut = Diagonal.from_function(lambda bits: bits[:, 0] ^ bits[:, 1], [4, 1])
    assert cut.to_pauli_sum() == PauliSum({"": 0.5, "Z1 Z4": -0.5})


def test_projector_on_many_qubits_stays_cheap():
    projector = Projector([0] * 40)
    assert projector.num_qubits == 40 and projector.mask == 2**40 - 1 and projector.value == 0
    with pytest.raises(ObservableError, match=r"has 2\*\*40 Pauli terms; at most 24 qubits are expanded"):
        projector.to_pauli_sum()


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (
            lambda: Hermitian([[1, 0.1], [0, 1]]),
            ObservableError,
            r"Argument `matrix` must be Hermitian, but differs from its adjoint by up to 1.0e-01. Use \(M",
        ),
        (
            lambda: Hermitian([[1j, 0], [0, 1]]),
            ObservableError,
            "differs from its adjoint by up to 2.0e\\+00",
        ),
        (
            lambda: SparseMatrix([[1, 0.1], [0, 1]]),
            ObservableError,
            "must be Hermitian, but differs .* 1.0e-01",
        ),
        (
            lambda: SparseMatrix([[1, 0.1], [0.3, 1]]),
            ObservableError,
            "must be Hermitian, but differs .* 2.0e-01",
        ),
        (lambda: SparseMatrix(np.eye(3)), ObservableError, r"must have shape .* but has shape \(3, 3\)"),
        (
            lambda: Diagonal([1, 2, 3]),
            ObservableError,
            r"`values` must have shape \(2\*\*k,\) .* has shape \(3,\)",
        ),
        (lambda: Diagonal([[1, 2]]), ObservableError, r"has shape \(1, 2\)"),
        (
            lambda: Diagonal([1, 1j]),
            ObservableError,
            "`values` must be real, but has imaginary parts up to 1.0e",
        ),
        (lambda: Diagonal([1, np.nan]), ObservableError, r"`values` must be finite, but has nan at \[1\]"),
        (lambda: Diagonal([True, False]), TypeError, "`values` must hold numbers, but has dtype bool"),
        (lambda: Diagonal([1, 2], [0, 1]), ObservableError, "must have 1 entries"),
        (
            lambda: Diagonal([1, 2]).from_probabilities([1, 0, 0]),
            ObservableError,
            r"`probabilities` must have shape \(..., 2\), but has shape \(3,\)",
        ),
        (lambda: Projector("1").from_probabilities(0.5), ObservableError, r"but has shape \(\)"),
        (lambda: Projector("012"), ArgumentError, "Bitstring '012' has '2' at position 2"),
        (lambda: Projector([0, 2]), ArgumentError, "Each of `bits` must be 0 or 1, but one is 2"),
        (lambda: Projector(["0"]), ArgumentError, "Each of `bits` must be 0 or 1, but one is '0'"),
        (lambda: Projector([None]), ArgumentError, "but one is None"),
        (lambda: Projector(5), TypeError, "Argument `bits` must be a bitstring, a sequence"),
        (lambda: Projector("01", [1]), ObservableError, "must have 2 entries"),
        (lambda: Projector("01", [1, 1]), QubitError, "has qubit 1 twice"),
        (
            lambda: Projector({0: 1}, [0]),
            ObservableError,
            "Argument `qubits` must be left out when `bits` is a map",
        ),
        (lambda: Projector({-1: 1}), QubitError, "Qubit -1 is out of range"),
        (
            lambda: StateProjector([1, 1]),
            StateError,
            "must have norm 1, but has norm 1.41421. Pass normalize=True",
        ),
        (lambda: StateProjector([0, 0], normalize=True), StateError, "must have norm 1, but has norm 0.$"),
        (lambda: StateProjector([1, 0, 0]), StateError, r"must have shape \(2\*\*k,\) for k qubits"),
        (lambda: StateProjector([1, np.inf]), ObservableError, "must be finite"),
    ],
)
def test_errors_of_other_observables(build, error, text):
    with pytest.raises(error, match=text):
        build()


def test_sparse_errors():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(
        ObservableError, match=r"must have shape \(2\*\*n, 2\*\*n\) .* but has shape \(2, 4\)"
    ):
        SparseMatrix(sparse.csr_array((2, 4)))
    with pytest.raises(ObservableError, match="must be finite"):
        SparseMatrix(sparse.csr_array([[np.nan, 0], [0, 1]]))
    with pytest.raises(TypeError, match="must hold numbers, but has dtype bool"):
        SparseMatrix(sparse.csr_array(np.eye(2, dtype=bool)))


def test_rounding_in_the_matrix_is_forgiven_and_removed():
    matrix = np.array([[1.0, 0.3 + 1e-13], [0.3, 1.0]])
    observable = Hermitian(matrix)
    np.testing.assert_array_equal(observable.matrix, observable.matrix.conj().T)
    assert Hermitian(np.array([[0, 1e-7], [0, 0]], dtype=np.complex64)).num_qubits == 1
    with pytest.raises(ObservableError, match=r"differs from its adjoint by up to 1\.0e-07"):
        Hermitian(np.array([[0, 1e-7], [0, 0]]))


def test_missing_scipy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(
        ImportError, match=r'`PauliSum.to_sparse` needs SciPy: pip install "qsim-statevector\[scipy\]"'
    ):
        PauliSum("Z0").to_sparse()
    observable = SparseMatrix([[0, 1], [1, 0]])
    np.testing.assert_array_equal(observable.apply([0.6, 0.8]), [0.8, 0.6])
    with pytest.raises(ImportError, match="needs SciPy"):
        observable.to_sparse()


# ---- conversion ----------------------------------------------------------------------------------


def test_as_observable():
    sparse = pytest.importorskip("scipy.sparse")
    expected = PauliSum({"Z0": 1.0})
    assert as_observable("Z0") == as_observable({"Z0": 1.0}) == as_observable(PauliString("Z0")) == expected
    assert as_observable(np.diag([1, -1])) == Hermitian(np.diag([1, -1]), [0])
    assert as_observable(sparse.csr_array(np.diag([1, -1]))) == SparseMatrix(np.diag([1, -1]))
    for observable in (expected, Projector("0"), Diagonal([1, 2])):
        assert as_observable(observable) is observable
    assert as_observables(["Z0", Projector("0")]) == ((expected, Projector("0")), False)
    assert as_observables("Z0") == ((expected,), True)
    assert as_observables([]) == ((), False)


@pytest.mark.parametrize("wrong", [None, 3, True, [["Z0", 1.0]], object()])
def test_as_observable_of_something_else(wrong):
    with pytest.raises(
        TypeError, match=r"An observable must be a PauliSum, PauliString, Hermitian, .* but is "
    ):
        as_observable(wrong)


def test_what_observables_say_of_themselves():
    assert SparseMatrix([[0, 2], [2, 0]]).indices.tolist() == [1, 0]
    assert SparseMatrix([[0, 2], [2, 0]]).indptr.tolist() == [0, 1, 2]
    assert Projector([1, 0], [4, 2]).bits == (1, 0)
    np.testing.assert_array_equal(StateProjector([0.6, 0.8j]).amplitudes, [0.6, 0.8j])
    for values in (StateProjector([1, 0]).amplitudes, Hermitian(np.eye(2)).matrix, Diagonal([1, 2]).values):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


def test_a_qubit_beyond_the_state_is_named():
    for observable in (
        Hermitian(np.eye(2), [3]),
        Diagonal([1, 2], 3),
        Projector("1", 3),
        SparseMatrix(np.eye(16)),
    ):
        with pytest.raises(QubitError, match=r"Qubit 3 of the observable is out of range for 2 qubits"):
            observable.expectation([1, 0, 0, 0])
        with pytest.raises(QubitError, match=r"\(valid: 0 to 1\)"):
            observable.to_matrix(2)
