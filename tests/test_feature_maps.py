"""Feature maps: what their records declare, found again in numbers; states against written-out formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

import qsim
from qsim import feature_maps
from qsim.errors import ArgumentError
from qsim.feature_maps import FEATURE_MAPS

RECORDS = [pytest.param(record, id=name) for name, record in FEATURE_MAPS.items()]


def states(circuit: qsim.Circuit, x: np.ndarray, theta: np.ndarray | None = None) -> np.ndarray:
    """State vectors for rows of data, the same weights for all."""
    values = {"x": np.atleast_2d(x)}
    if theta is not None and len(theta):
        values["theta"] = np.tile(theta, (len(values["x"]), 1))
    return np.atleast_2d(qsim.statevector(circuit, values))


@pytest.mark.parametrize("record", RECORDS)
def test_qubits_are_what_the_record_says(record: feature_maps.FeatureMap) -> None:
    for d in (1, 2, 3, 4, 8):
        says = eval(record.qubits, {"d": d, "ceil": math.ceil, "log2": math.log2})
        assert record.num_qubits(d) == says


def test_angle_states_are_products() -> None:
    x = np.array([0.3, -1.2, 2.5])
    expected = np.array([1.0])
    for value in x:
        expected = np.kron([np.cos(value / 2), np.sin(value / 2)], expected)
    np.testing.assert_allclose(states(feature_maps.angle(3), x)[0], expected, atol=1e-14)


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(ArgumentError, match=r"Unknown feature map `zzz`. Did you mean `zz`"):
        feature_maps.get("zzz")
