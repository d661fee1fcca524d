"""Data for feature maps: what is refused, with which message, and how scaling brings data into a domain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import qsim
from qsim.errors import ArgumentError, ParameterError
from qsim.feature_maps import FEATURE_MAPS, FeatureMap, check_data, scale

RECORDS = [pytest.param(record, id=name) for name, record in FEATURE_MAPS.items()]


# -- out of the domain, at run time ---------------------------------------------------------------
@pytest.mark.parametrize("name", ["chebyshev_sparse", "chebyshev_tower", "chebyshev_rx", "product"])
def test_data_outside_minus_one_to_one_are_refused(name: str, backend: str) -> None:
    circuit = FEATURE_MAPS[name].build(2)
    given_values = {"x": [[0.1, 0.2], [0.3, 1.3]]}
    weights = qsim.feature_maps.weights(circuit)
    if weights:
        given_values["theta"] = np.ones((2, len(weights)))
    function = "arcsin" if name == "product" else "arccos"
    with pytest.raises(
        ParameterError,
        match=rf"nan in row 1 of the values. `{function}` takes numbers in \[-1, 1\], but `x\[1\]` is 1.3. "
        r"`qsim.feature_maps.scale` maps data into the domain",
    ):
        qsim.statevector(circuit, given_values, backend=backend)


def test_binding_outside_the_domain_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"`arccos\(-1.5\)` is nan. `arccos` takes numbers in \[-1, 1\]"):
        FEATURE_MAPS["chebyshev_tower"].build(1).bind({"x": [-1.5]})


@pytest.mark.parametrize("name", ["amplitude", "qpie", "unary", "hamming_weight"])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_a_row_of_zeros_has_no_direction(name: str, d: int) -> None:
    circuit = FEATURE_MAPS[name].build(d)
    with pytest.raises(
        ParameterError, match=r"nan in row 1 of the values. It divides by `sqrt\(.*\)`, which is 0"
    ):
        qsim.statevector(circuit, {"x": [np.ones(d), np.zeros(d)]})


@pytest.mark.parametrize("function", ["log", "sqrt"])
def test_other_functions_say_what_they_take(function: str) -> None:
    x = qsim.Parameter("x")
    circuit = qsim.Circuit(1).rx(1 + getattr(qsim, function)(2 * x), 0)
    with pytest.raises(ParameterError, match=rf"`{function}` takes numbers .*, but `2\*x` is -2.0"):
        qsim.statevector(circuit, [-1.0])


def test_derivatives_at_the_ends_of_the_domain_are_refused() -> None:
    circuit = FEATURE_MAPS["chebyshev_tower"].build(1)
    assert qsim.expectation(circuit, "Z0", {"x": [1.0]}) == pytest.approx(1)
    with pytest.raises(qsim.errors.GradientError, match="no finite derivative"):
        qsim.gradient(circuit, "Z0", {"x": [1.0]})


# -- check_data ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("X", "source", "error", "message"),
    [
        ([[0.5, np.nan]], "angle", ArgumentError, "must be finite, but is nan in row 0, column 1"),
        ([[0.5], [-np.inf]], None, ArgumentError, "must be finite, but is -inf in row 1, column 0"),
        ([0.5, 0.1], "angle", ArgumentError, r"must have shape \(samples, features\).* has shape \(2,\)"),
        (np.empty((0, 3)), "angle", ArgumentError, r"at least one of each, but has shape \(0, 3\)"),
        (np.empty((3, 0)), "angle", ArgumentError, r"at least one of each, but has shape \(3, 0\)"),
        ([["a"]], "angle", TypeError, "must be real numbers"),
        ([[1j]], "angle", TypeError, "must be real numbers"),
        ([[1.0], [1.0, 2.0]], "angle", TypeError, "must be real numbers"),
        (None, "angle", TypeError, "must be real numbers"),
        (
            [[0.0, 0.0], [0.0, -2.0]],
            "chebyshev_tower",
            ArgumentError,
            r"`chebyshev_tower` needs data in \[-1, 1\], but row 1, column 1 is -2.0. "
            r"qsim.feature_maps.scale\(X, 'chebyshev_tower'\) maps .*with reference=X_train",
        ),
        ([[0.5]], "basis", ArgumentError, "`basis` needs integers, but row 0, column 0 is 0.5"),
        ([[2]], "basis", ArgumentError, r"needs data in \[0, 1\]"),
        ([[1, 0], [0, 0]], "amplitude", ArgumentError, "`amplitude` encodes the direction .* row 1 is zero"),
        ([[1.0]], "nothing", ArgumentError, "Unknown feature map `nothing`"),
    ],
)
def test_data_a_map_cannot_encode_are_refused(X: object, source: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        check_data(X, source)


def test_data_that_are_fine_come_back_as_floats() -> None:
    out = check_data([[1, 0], [0, 1]], "basis", num_features=2)
    assert out.dtype == np.float64 and out.tolist() == [[1, 0], [0, 1]]
    assert check_data([[True]]).tolist() == [[1.0]]
    with pytest.raises(ArgumentError, match="must have 3 columns, one for each feature, but has 2"):
        check_data([[1, 0]], num_features=3)


# -- scale -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("record", RECORDS)
@settings(max_examples=20)
@given(X=arrays(float, st.tuples(st.integers(1, 5), st.just(3)), elements=st.floats(-1e6, 1e6)))
def test_scaled_data_can_be_encoded(record: FeatureMap, X: np.ndarray) -> None:
    scaled = scale(X, record)
    assert scaled.shape == X.shape
    low, high = record.data_range
    if math.isfinite(low):
        assert check_data(scaled, record).shape == X.shape
        assert low <= scaled.min() and scaled.max() <= high
        constant = X.min(axis=0) == X.max(axis=0)
        if not record.integer:
            np.testing.assert_allclose(scaled[:, constant], (low + high) / 2, atol=1e-12)
        assert (np.diff(scaled[np.argsort(X[:, 0], kind="stable"), 0]) >= 0).all()
    else:
        np.testing.assert_array_equal(scaled, X)


def test_scaling_by_a_reference() -> None:
    train, test = [[0.0, 1.0], [4.0, 1.0]], [[2.0, 1.0], [-1.0, 5.0], [9.0, -5.0]]
    expected = [[0.0, 0.0], [-0.95, 0.0], [0.95, 0.0]]
    expected[1][1] = expected[2][1] = 0.0  # the column is constant in the training data
    np.testing.assert_allclose(scale(test, "product", reference=train), expected, atol=1e-15)
    wide = scale(test, "angle", reference=train, clip=False)
    np.testing.assert_allclose(wide[:, 0], [0.0, -1.5 * math.pi, 3.5 * math.pi])
    beyond = scale(test, "product", reference=train, clip=False)
    assert beyond[1, 0] == -1.0 and beyond[2, 0] == 1.0  # the domain
    assert scale([[1.0], [3.0]], "zz", data_range=(0, 1)).tolist() == [[0.0], [1.0]]


def test_scaling_of_the_largest_numbers_does_not_overflow() -> None:
    top = np.finfo(float).max
    np.testing.assert_allclose(scale([[-top], [0.0], [top]], "angle")[:, 0], [-math.pi, 0, math.pi])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": [[1.0]], "data_range": (1, 1)}, "`data_range` must be two finite numbers in order"),
        ({"X": [[1.0]], "data_range": (0, math.inf)}, "`data_range` must be two finite numbers in order"),
        ({"X": [[1.0]], "reference": [[1.0, 2.0]]}, "`reference` must have 1 columns"),
        ({"X": [[1.0]], "reference": [[np.nan]]}, "`reference` must be finite"),
    ],
)
def test_scaling_that_cannot_be_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        scale(feature_map="angle", **arguments)
