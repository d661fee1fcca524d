"""Labels and the algebra of Pauli strings, against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pauli_oracle import (
    LETTERS,
    MAX_QUBITS,
    dense,
    dense_labels,
    exact_complex,
    oracle,
    strings,
)

from qsim.errors import ArgumentError, ObservableError, QubitError
from qsim.observables import (
    PauliString,
    PauliSum,
)

# ---- labels --------------------------------------------------------------------------------------


@given(label=dense_labels, order=st.sampled_from(["little", "big"]))
def test_dense_label_round_trip(label, order):
    string = PauliString(label, order=order)
    assert string.to_label(MAX_QUBITS, order=order) == label
    other = "big" if order == "little" else "little"
    assert string.to_label(MAX_QUBITS, order=other) == label[::-1]
    assert PauliString(string.label) == string


@given(x=st.integers(0, 2**63 - 1), z=st.integers(0, 2**63 - 1))
def test_mask_and_label_round_trip_up_to_63_qubits(x, z):
    string = PauliString.from_masks(x, z, -0.5)
    assert (string.x_mask, string.z_mask) == (x, z)
    assert PauliString(string.label, -0.5) == string
    assert PauliString(string.to_label(63), -0.5) == string
    assert PauliString.from_masks(np.uint64(x), np.uint64(z), -0.5) == string
    assert string.weight == len(string.qubits) == len(string.label.split())
    assert string.num_qubits == max(string.qubits, default=-1) + 1


@pytest.mark.parametrize(
    ("label", "same"),
    [
        ("Z0 Z1", "ZZ"),
        ("Z1  Z0", "Z0 Z1"),
        ("Z0Z1", "Z0 Z1"),
        ("X2", "XII"),
        (" X2 ", "X2"),
        ("I3", ""),
        ("  ", "I"),
    ],
)
def test_spellings_of_one_string(label, same):
    assert PauliString(label) == PauliString(same)


def test_qubit_zero_is_rightmost_and_least_significant():
    assert PauliString("IZZX").label == "X0 Z1 Z2"
    assert PauliString("IZZX", order="big").label == "Z1 Z2 X3"
    np.testing.assert_array_equal(PauliString("Z0").to_matrix(2).diagonal(), [1, -1, 1, -1])
    np.testing.assert_array_equal(PauliString("Z0").to_matrix(2, order="big").diagonal(), [1, 1, -1, -1])


@pytest.mark.parametrize("label", ["I", "X", "Y", "Z"])
def test_single_letters_are_the_pauli_matrices(label):
    np.testing.assert_array_equal(PauliString(label).to_matrix(1), LETTERS[label])


@pytest.mark.parametrize(
    ("label", "kwargs", "error", "text"),
    [
        (
            "IZQX",
            {},
            ObservableError,
            "Label 'IZQX' has 'Q' at position 2, but a Pauli label holds the letters I, X",
        ),
        ("Z0 q1", {}, ObservableError, "has 'q' at position 3"),
        ("z0", {}, ObservableError, "has 'z' at position 0.* Letters are upper case"),
        ("Z0 X", {}, ObservableError, "has the letter 'X' at position 3 without a qubit after it"),
        ("Z 0", {}, ObservableError, "has the letter 'Z' at position 0 without a qubit"),
        ("Z0,X1", {}, ObservableError, "has ',' at position 2"),
        ("Z-1", {}, ObservableError, "has the letter 'Z' at position 0 without a qubit"),
        ("X Y", {}, ObservableError, "has the letter 'Y' at position 2 without a qubit"),
        ("Z0 X0", {}, QubitError, "names qubit 0 twice"),
        ("Z63", {}, QubitError, r"Qubit 63 in label 'Z63' is out of range .* \(valid: 0 to 62\)"),
        ("Z99999999999999999999", {}, QubitError, "is out of range"),
        ("I" * 64, {}, QubitError, "Dense label of 64 letters is too long"),
        (
            "ZZ",
            {"num_qubits": 3},
            ObservableError,
            "must have 3 letters, one per qubit, but has 2. Write 'Z0 Z1'",
        ),
        (
            "Z3",
            {"num_qubits": 3},
            QubitError,
            r"Qubit 3 in label 'Z3' is out of range .* 3 qubits \(valid: 0 to 2\)",
        ),
        (
            "Z3",
            {"num_qubits": True},
            TypeError,
            r"Argument `num_qubits` must be an int, but is bool \(True\)",
        ),
        ("Z3", {"num_qubits": -1}, ObservableError, "must not be negative, but is -1"),
        ("Z3", {"num_qubits": 64}, ObservableError, "must be at most 63 here, but is 64"),
        ("ZZ", {"order": "middle"}, ArgumentError, "Argument `order` must be 'little' .* but is 'middle'"),
        (None, {}, TypeError, "A Pauli label must be a string such as 'Z0 X3' or 'XIIZ', but is NoneType"),
        (3, {}, TypeError, "but is int"),
        (
            "Z0",
            {"coefficient": "1"},
            TypeError,
            r"`coefficient` must be a real or complex number, but is str \('1'\)",
        ),
        ("Z0", {"coefficient": None}, TypeError, "but is NoneType"),
        ("Z0", {"coefficient": True}, TypeError, r"but is bool \(True\)"),
        ("Z0", {"coefficient": float("nan")}, ObservableError, "must be finite, but is nan"),
        ("Z0", {"coefficient": complex(0, np.inf)}, ObservableError, "must be finite"),
    ],
)
def test_label_errors(label, kwargs, error, text):
    with pytest.raises(error, match=text):
        PauliString(label, **kwargs)


@pytest.mark.parametrize(
    ("masks", "error", "text"),
    [
        ((1 << 63, 0), QubitError, r"Argument `x_mask` must be in \[0, 2\*\*63\)"),
        ((0, -1), QubitError, "Argument `z_mask`"),
        ((True, 0), TypeError, "must be an int, but is bool"),
        ((0, 1.0), TypeError, "must be an int, but is float"),
    ],
)
def test_mask_errors(masks, error, text):
    with pytest.raises(error, match=text):
        PauliString.from_masks(*masks)


# ---- algebra of strings --------------------------------------------------------------------------


@given(a=strings, b=strings)
def test_string_products_are_matrix_products(a, b):
    np.testing.assert_array_equal(oracle(a @ b), oracle(a) @ oracle(b))
    assert a.commutator(b) == a @ b - b @ a
    assert a.anticommutator(b) == a @ b + b @ a
    left, right = dense(a.to_label(MAX_QUBITS)), dense(b.to_label(MAX_QUBITS))
    assert a.commutes_with(b) == np.array_equal(left @ right, right @ left)


@pytest.mark.parametrize(
    ("a", "b", "product"),
    [
        ("X", "Y", PauliString("Z", 1j)),
        ("Y", "X", PauliString("Z", -1j)),
        ("Y", "Z", PauliString("X", 1j)),
        ("Z", "X", PauliString("Y", 1j)),
        ("Y", "Y", PauliString("")),
        ("XY", "YX", PauliString("ZZ")),
    ],
)
def test_products_in_closed_form(a, b, product):
    assert PauliString(a) @ PauliString(b) == product


@given(a=strings, factor=exact_complex)
def test_string_scalar_algebra(a, factor):
    for result in (a * factor, factor * a, np.complex128(factor) * a):
        np.testing.assert_array_equal(oracle(result), factor * oracle(a))
    np.testing.assert_array_equal(oracle(-a), -oracle(a))
    np.testing.assert_array_equal(oracle(a.adjoint()), oracle(a).conj().T)
    np.testing.assert_array_equal(oracle(a / 2), oracle(a) / 2)
    assert +a == a


@given(label=dense_labels, exponent=st.integers(0, 5))
def test_string_powers(label, exponent):
    string = PauliString(label, 2j)
    np.testing.assert_array_equal(oracle(string**exponent), np.linalg.matrix_power(oracle(string), exponent))


def test_string_inverse():
    string = PauliString("X0 Y1", 2j)
    assert string**-1 @ string == PauliString("")
    with pytest.raises(ObservableError, match="coefficient 0 has no inverse"):
        PauliString("X", 0) ** -1


def test_string_sums_and_numbers():
    assert PauliString("Z0") + PauliString("Z0") == PauliSum({"Z0": 2.0})
    assert PauliString("Z0") - PauliString("Z0") == PauliSum()
    assert 1 - PauliString("Z0") == PauliSum({"": 1, "Z0": -1})
    assert PauliString("Z0") + 1.5 == PauliSum({"Z0": 1, "": 1.5})
    assert sum([PauliString("X0"), PauliString("Z1")]) == PauliSum({"X0": 1, "Z1": 1})
    assert 2 * PauliString("X0") @ PauliSum({"Y0": 3}) == PauliSum({"Z0": 6j})


@pytest.mark.parametrize("wrong", ["2", None, [1.0], np.array([1.0, 2.0])])
def test_scalars_of_the_wrong_kind_are_refused(wrong):
    for operator in (PauliString("Z0"), PauliSum({"Z0": 1.0})):
        for operation in ("__mul__", "__add__", "__sub__", "__truediv__"):
            assert getattr(operator, operation)(wrong) is NotImplemented
        with pytest.raises(TypeError):
            operator * wrong
        with pytest.raises(TypeError):
            wrong * operator
        with pytest.raises(TypeError):
            operator + wrong


def test_operators_are_multiplied_with_matmul():
    for a in (PauliString("Z0"), PauliSum("Z0")):
        for b in (PauliString("X0"), PauliSum("X0")):
            with pytest.raises(TypeError, match="multiplied with `@`; `\\*` takes a number"):
                a * b
        with pytest.raises(TypeError, match="must be a real or complex number, but is bool"):
            a * True
        with pytest.raises(ObservableError, match="must be finite"):
            a * float("inf")
        with pytest.raises(ZeroDivisionError):
            a / 0
        with pytest.raises(TypeError):
            a @ 2.0
        with pytest.raises(TypeError):
            a**0.5
        for overflow in (
            lambda a=a: (a * 1e200) @ (a * 1e200j),
            lambda a=a: a * 1e308 * 10,
            lambda a=a: a * 1e308 + a * 1e308,
        ):
            with pytest.raises(ObservableError, match="must be finite"):
                overflow()


def test_strings_move_and_compare():
    assert PauliString("X0 Y2", 3j).remap([1, 0, 5]) == PauliString("X1 Y5", 3j)
    assert PauliString("Z0", 2).is_diagonal and not PauliString("Y0").is_diagonal
    assert PauliString("X0", 0).is_diagonal
    with pytest.raises(TypeError, match="Argument `other` must be a PauliString, but is PauliSum"):
        PauliString("Z0").commutes_with(PauliSum("Z0"))
    with pytest.raises(TypeError, match="Argument `other` must be a PauliSum or a PauliString, but is str"):
        PauliString("Z0").commutator("X0")
    with pytest.raises(ObservableError, match="The coefficient of the power must be finite"):
        PauliString("Z0", 1e200) ** 2
