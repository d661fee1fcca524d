"""The algebra of Pauli sums: construction, arithmetic, groups, size."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pauli_oracle import (
    MAX_QUBITS,
    oracle,
    real_sums,
    strings,
    sums,
)

from qsim.errors import ArgumentError, ObservableError, QubitError
from qsim.observables import (
    PauliString,
    PauliSum,
)

# ---- sums ----------------------------------------------------------------------------------------


@given(a=sums, b=sums)
def test_sum_algebra_is_matrix_algebra(a, b):
    left, right = oracle(a), oracle(b)
    np.testing.assert_array_equal(oracle(a + b), left + right)
    np.testing.assert_array_equal(oracle(a - b), left - right)
    np.testing.assert_array_equal(oracle(a @ b), left @ right)
    np.testing.assert_array_equal(oracle(a.commutator(b)), left @ right - right @ left)
    np.testing.assert_array_equal(oracle(a.anticommutator(b)), left @ right + right @ left)
    np.testing.assert_array_equal(oracle(a.adjoint()), left.conj().T)
    np.testing.assert_array_equal(oracle(2j * a), 2j * left)
    np.testing.assert_array_equal(oracle(a / 4 + 1), left / 4 + np.eye(2**MAX_QUBITS))
    np.testing.assert_array_equal(oracle(a**2), left @ left)
    assert (a == b) == np.array_equal(left, right)
    assert a.equals(b) == np.allclose(left, right, atol=1e-12)


@given(a=sums)
def test_simplify_keeps_the_operator_and_names_each_string_once(a):
    simple = a.simplify()
    np.testing.assert_array_equal(oracle(simple), oracle(a))
    masks = list(zip(simple.x_masks.tolist(), simple.z_masks.tolist(), strict=True))
    assert masks == sorted(set(masks))
    assert np.all(np.abs(simple.coefficients) > 1e-12)
    shuffled = PauliSum(list(a)[::-1])
    assert repr(shuffled.simplify()) == repr(simple)
    assert shuffled == a
    assert hash(shuffled) == hash(a)


def test_simplify_tolerance():
    small = PauliSum({"X0": 1e-3, "Z0": 1.0})
    assert small.simplify(1e-2) == PauliSum("Z0")
    assert small.simplify(0.0) == small
    with pytest.raises(ObservableError, match="Argument `atol` must be at least 0, but is nan"):
        small.simplify(float("nan"))
    with pytest.raises(TypeError, match="Argument `atol` must be a real number, but is str"):
        small.simplify("small")


@given(a=sums)
def test_hermitian_check_agrees_with_the_matrix(a):
    matrix = oracle(a)
    assert a.is_hermitian() == np.array_equal(matrix, matrix.conj().T)
    if a.is_hermitian():
        x, z, c = a.real_terms()
        assert c.dtype == np.float64
        np.testing.assert_array_equal(oracle(PauliSum.from_masks(x, z, c)), matrix)
    else:
        with pytest.raises(
            ObservableError, match=r"The observable must be Hermitian, but term '.*' has the coef"
        ):
            a.real_terms()


def test_terms_that_cancel_leave_a_hermitian_sum():
    assert PauliSum([("X0", 1 + 1j), ("X0", -1j)]).is_hermitian()
    assert PauliSum([("X0", 1 + 1j), ("X0", -1j)]).real_terms()[2].tolist() == [1.0]


def test_what_a_sum_is_built_from():
    expected = PauliSum({"Z0 Z1": 1.0, "X2": -0.5})
    assert PauliSum([("Z0 Z1", 1.0), ("X2", -0.5)]) == expected
    assert PauliSum(["Z0 Z1", PauliString("X2", -0.5)]) == expected
    assert PauliSum({"IZZ": 1.0, "XII": -0.5}) == expected
    assert PauliSum({"ZZI": 1.0, "IIX": -0.5}, order="big") == expected
    assert PauliSum({PauliString("Z0 Z1", 2.0): 0.5, "X2": -0.5}) == expected
    assert PauliSum(expected) == expected
    assert PauliSum("Z0 Z1") - 0.5 * PauliString("X2") == expected
    assert PauliSum.from_masks([0, 4], [3, 0], [1.0, -0.5]) == expected
    assert PauliSum(iter([("Z0 Z1", np.float32(1)), ("X2", np.complex64(-0.5))])) == expected
    assert len(PauliSum()) == PauliSum().num_qubits == 0
    assert not PauliSum()


def test_arrays_of_a_sum():
    h = PauliSum({"Z0 Y1": 1.0, "X2": -0.5})
    assert h.x_masks.tolist() == [2, 4] and h.z_masks.tolist() == [3, 0]
    assert h.x_masks.dtype == h.z_masks.dtype == np.uint64 and h.coefficients.dtype == np.complex128
    assert (h.qubits, h.num_qubits, len(h), h.labels) == ((0, 1, 2), 3, 2, ["Z0 Y1", "X2"])
    for values in (h.x_masks, h.z_masks, h.coefficients):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0
    assert h[-1] == PauliString("X2", -0.5) and h[:1] == PauliSum("Z0 Y1")
    assert h[np.abs(h.coefficients) > 0.7] == PauliSum("Z0 Y1")
    assert list(h) == [PauliString("Z0 Y1"), PauliString("X2", -0.5)]
    with pytest.raises(IndexError, match="Term 2 is out of range for a PauliSum of 2 terms"):
        h[2]


def test_constructor_does_not_share_the_caller_s_arrays():
    coefficients = np.array([1.0 + 0j])
    h = PauliSum.from_masks([1], [0], coefficients)
    coefficients[0] = 7
    assert h.coefficients[0] == 1 and coefficients.flags.writeable


@pytest.mark.parametrize(
    ("terms", "error", "text"),
    [
        (5, TypeError, "Argument `terms` must be a dictionary of labels and coefficients, .* but is int"),
        (None, TypeError, "but is NoneType"),
        ([3], TypeError, r"A term must be a label, a PauliString or a pair \(label, coefficient\), but is 3"),
        ([("Z0", 1, 2)], TypeError, "A term must be"),
        ({0: 1.0}, TypeError, "A Pauli label must be a string"),
        (
            {"Z0": None},
            TypeError,
            "The coefficient of 'Z0' must be a real or complex number, but is NoneType",
        ),
        ({"Z0": "1"}, TypeError, r"but is str \('1'\)"),
        ({"Z0": False}, TypeError, r"but is bool \(False\)"),
        ({"Z0": np.nan}, ObservableError, "The coefficient of 'Z0' must be finite, but is nan"),
        (
            {"ZZ": 1, "XII": 1},
            ObservableError,
            "must have the same length, but 'ZZ' has 2 letters and 'XII' has 3",
        ),
        ({"Q0": 1}, ObservableError, "has 'Q' at position 0"),
        ({"Z0 Z0": 1}, QubitError, "names qubit 0 twice"),
    ],
)
def test_sum_errors(terms, error, text):
    with pytest.raises(error, match=text):
        PauliSum(terms)


@pytest.mark.parametrize(
    ("arrays", "error", "text"),
    [
        (
            ([1], [0, 1], [1.0]),
            ObservableError,
            r"must have the same shape \(num_terms,\), but have shapes \(1,\)",
        ),
        (([-1], [0], [1.0]), QubitError, r"Argument `x_masks` must hold masks in \[0, 2\*\*63\)"),
        (([0], np.array([2**63], np.uint64), [1.0]), QubitError, "Argument `z_masks`"),
        (([0.5], [0], [1.0]), TypeError, "Argument `x_masks` must hold integers, but has dtype float64"),
        (
            ([1], [0], [np.inf]),
            ObservableError,
            r"Argument `coefficients` must be finite, but has inf at \[0\]",
        ),
        (([1], [0], ["a"]), TypeError, "Argument `coefficients` must hold numbers"),
        (([1], [0], [True]), TypeError, "Argument `coefficients` must hold numbers, but has dtype bool"),
    ],
)
def test_mask_array_errors(arrays, error, text):
    with pytest.raises(error, match=text):
        PauliSum.from_masks(*arrays)


def test_num_qubits_limits_a_sum():
    assert PauliSum({"Z0": 1.0}, num_qubits=1).num_qubits == 1
    with pytest.raises(ObservableError, match="must have 4 letters"):
        PauliSum({"ZZ": 1.0}, num_qubits=4)
    with pytest.raises(
        QubitError, match=r"Qubit 5 of the observable is out of range for 3 qubits \(valid: 0 to 2\)"
    ):
        PauliSum([PauliString("Z5")], num_qubits=3)
    with pytest.raises(
        QubitError, match=r"Qubit 5 of the observable is out of range for 1 qubit \(valid: 0 to 0\)"
    ):
        PauliSum("Z5").to_matrix(1)


def test_repr_is_stable_and_evaluates():
    h = PauliSum({"Z0 Z1": 1.0, "X2": -0.5, "": 0.5 + 1j})
    assert repr(h) == "PauliSum({'Z0 Z1': 1.0, 'X2': -0.5, '': (0.5+1j)})"
    assert repr(PauliSum([("Z0", 1), ("Z0", 2)])) == "PauliSum([('Z0', 1.0), ('Z0', 2.0)])"
    many = PauliSum({f"Z{q}": 1.0 for q in range(30)})
    assert repr(many) == "<PauliSum of 30 terms on 30 qubits: {'Z0': 1.0, 'Z1': 1.0, 'Z2': 1.0, ...}>"


@given(a=sums, b=strings)
def test_repr_pickle_and_json_round_trips(a, b):
    assert eval(repr(a)) == a
    assert eval(repr(b)) == b
    for value in (a, b):
        assert pickle.loads(pickle.dumps(value)) == value == copy.deepcopy(value)
        assert hash(pickle.loads(pickle.dumps(value))) == hash(value)
    back = PauliSum.from_dict(json.loads(json.dumps(a.to_dict())))
    assert back.labels == a.labels
    assert PauliSum.from_json(a.to_json()).coefficients.tobytes() == a.coefficients.tobytes()
    assert not pickle.loads(pickle.dumps(a)).coefficients.flags.writeable


@pytest.mark.parametrize("data", [{}, {"type": "PauliSum"}, {"type": "Other", "terms": []}, [], None])
def test_from_dict_of_something_else(data):
    with pytest.raises(ObservableError, match=r"must be a dictionary made by PauliSum.to_dict\(\)"):
        PauliSum.from_dict(data)


def test_from_json_of_something_else():
    with pytest.raises(ObservableError, match=r"must be JSON made by PauliSum\.to_json"):
        PauliSum.from_json("{")


def test_a_string_is_not_a_sum():
    assert PauliString("Z0") != PauliSum("Z0")
    assert PauliSum("Z0") != "Z0"


@given(a=sums, qubits=st.permutations(range(MAX_QUBITS)))
def test_remap_moves_the_letters(a, qubits):
    moved = a.remap(qubits)
    for before, after in zip(a, moved, strict=True):
        letters = before.to_label(MAX_QUBITS, order="big")
        moved_letters = after.to_label(MAX_QUBITS, order="big")
        assert all(moved_letters[qubits[q]] == letters[q] for q in range(MAX_QUBITS))
    assert a.remap(dict(enumerate(qubits))) == moved


def test_remap_errors():
    h = PauliSum({"Z0 Z2": 1.0})
    assert h.remap({0: 62}).qubits == (2, 62)
    assert h.remap({1: 0, 0: 1}) == PauliSum("Z1 Z2")
    with pytest.raises(QubitError, match="must be one to one, but two qubits would go to qubit 2"):
        h.remap({0: 2})
    with pytest.raises(
        QubitError, match="must have 3 entries, one for each qubit of the observable, but has 2"
    ):
        h.remap([0, 1])
    with pytest.raises(QubitError, match="must be distinct, but has qubit 1 twice"):
        h.remap([1, 1, 2])
    with pytest.raises(QubitError, match="Qubit -1 is out of range"):
        h.remap({0: -1})


# ---- groups --------------------------------------------------------------------------------------


@given(a=real_sums, method=st.sampled_from(["qubit_wise", "general"]))
def test_groups_commute_and_add_up(a, method):
    groups = a.group_commuting(method)
    assert sum(map(len, groups)) == len(a)
    assert sum(groups, PauliSum()) == a
    for group in groups:
        for left in group:
            for right in group:
                assert left.commutes_with(right)
                if method == "qubit_wise":
                    letters = zip(left.to_label(MAX_QUBITS), right.to_label(MAX_QUBITS), strict=True)
                    assert all("I" in pair or pair[0] == pair[1] for pair in letters)


def test_groups_in_closed_form():
    bell = PauliSum({"X0 X1": 1.0, "Y0 Y1": 1.0, "Z0 Z1": 1.0})
    assert len(bell.group_commuting()) == 3
    assert len(bell.group_commuting("general")) == 1
    assert PauliSum().group_commuting() == []
    with pytest.raises(ArgumentError, match="must be 'qubit_wise' or 'general', but is 'all'"):
        bell.group_commuting("all")


# ---- size and speed ------------------------------------------------------------------------------


def test_large_sums_stay_fast():
    """10^5 terms add, multiply and simplify well under a second (the bound leaves room for busy machines)."""
    rng = np.random.default_rng(3)
    count = 100_000
    big = PauliSum.from_masks(
        rng.integers(0, 1 << 40, count), rng.integers(0, 1 << 40, count), rng.normal(size=count)
    )
    start = time.perf_counter()
    total = big + big
    product = big @ PauliString("X0 Y7")
    simple = total.simplify()
    elapsed = time.perf_counter() - start
    assert elapsed < 2.0
    assert len(total) == len(product) == len(simple) == len(big.simplify(0.0))
    assert simple == 2 * big
    assert (product @ PauliString("X0 Y7")).equals(big)


def test_products_larger_than_one_piece(monkeypatch):
    from qsim.observables import algebra

    monkeypatch.setattr(algebra, "_PAIRS_AT_ONCE", 7)
    rng = np.random.default_rng(4)
    a, b = (PauliSum.from_masks(*rng.integers(0, 16, (2, 12)), rng.integers(-3, 4, 12)) for _ in range(2))
    np.testing.assert_array_equal(oracle(a @ b), oracle(a) @ oracle(b))
    np.testing.assert_array_equal(oracle(a.commutator(b)), oracle(a) @ oracle(b) - oracle(b) @ oracle(a))


def test_import_is_light():
    heavy = "{'scipy', 'numba', 'matplotlib'}"
    code = f"import sys, qsim.observables, qsim.results; print({heavy} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "set()"


def test_numbers_beside_a_sum():
    h = PauliSum({"Z0": 2.0})
    assert 1 + h == h + 1 == PauliSum({"": 1, "Z0": 2})
    assert 1 - h == PauliSum({"": 1, "Z0": -2}) == -(h - 1)
    assert +h is h
    assert sum([h, h]) == 2 * h
    assert h**0 == PauliSum("")
    with pytest.raises(ArgumentError, match="The exponent of a PauliSum must not be negative, but is -1"):
        h**-1
    with pytest.raises(TypeError):
        "Z0" @ h
    with pytest.raises(TypeError):
        "Z0" - h


def test_a_single_pair_is_not_a_sum():
    with pytest.raises(TypeError, match=r"A term must be a label, a PauliString or a pair .* but is 2\.0"):
        PauliSum(("Z0", 2.0))
    with pytest.raises(TypeError, match=r"Argument `terms` must be a dictionary .* but is ndarray"):
        PauliSum(np.eye(2))
    with pytest.raises(TypeError, match="but is bytes"):
        PauliSum(b"Z0")
