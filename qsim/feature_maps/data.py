"""Data on the way into a feature map: checks, and scaling into its domain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps.records import FeatureMap, get

__all__ = ["check_data", "scale"]

FloatArray = npt.NDArray[np.float64]
Source = FeatureMap | str | Circuit | Callable[..., Circuit]


def _as_rows(X: Any, name: str) -> FloatArray:
    """Finite real numbers, at least one row and one column."""
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different length
        array = np.array(None)
    if array.dtype.kind not in "iufb":
        raise TypeError(f"Argument `{name}` must be real numbers, but is of type {array.dtype}.")
    if array.ndim != 2 or 0 in array.shape:
        raise ArgumentError(
            f"Argument `{name}` must have shape (samples, features) with at least one of each, but has shape "
            f"{array.shape}."
        )
    out = array.astype(np.float64)
    if not np.isfinite(out).all():
        row, column = np.argwhere(~np.isfinite(out))[0]
        raise ArgumentError(
            f"Argument `{name}` must be finite, but is {out[row, column]} in row {row}, column {column}. "
            "Drop such rows, or fill them in."
        )
    return out


def check_data(X: Any, feature_map: Source | None = None, *, num_features: int | None = None) -> FloatArray:
    """Data as an array, after checking that a feature map can encode them.

    Parameters
    ----------
    X : array_like, shape (samples, features)
        Finite real numbers.
    feature_map : str, callable, Circuit or FeatureMap, optional
        Whose domain is looked at.
    num_features : int, optional
        How many columns there must be.

    Returns
    -------
    ndarray, shape (samples, features), float64

    Raises
    ------
    ArgumentError
        If values are not finite or lie outside the domain (the message says which, and how to scale), a row
        of zeros has no state, values must be integers, or the number of columns differs.
    TypeError
        If `X` holds no real numbers.

    Examples
    --------
    >>> check_data([[0.5, 2.0]], "chebyshev_tower")
    Traceback (most recent call last):
        ...
    qsim.errors.ArgumentError: Feature map `chebyshev_tower` needs data in [-1, 1], but row 0, ...
    """
    out = _as_rows(X, "X")
    if num_features is not None and out.shape[1] != num_features:
        raise ArgumentError(
            f"Argument `X` must have {num_features} columns, one for each feature, but has {out.shape[1]}."
        )
    if feature_map is None:
        return out
    record = get(feature_map)
    low, high = record.domain
    way_out = (
        f"qsim.feature_maps.scale(X, {record.name!r}) maps them there; test data by the range of "
        "the training data, with reference=X_train."
    )
    outside = (out < low) | (out > high)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ArgumentError(
            f"Feature map `{record.name}` needs data in [{low:g}, {high:g}], but row {row}, column "
            f"{column} is {out[row, column]}. {way_out}"
        )
    if record.integer and (out != np.round(out)).any():
        row, column = np.argwhere(out != np.round(out))[0]
        raise ArgumentError(
            f"Feature map `{record.name}` needs integers, but row {row}, column {column} is "
            f"{out[row, column]}. {way_out}"
        )
    if record.homogeneous and (out == 0).all(axis=1).any():
        row = int(np.argmax((out == 0).all(axis=1)))
        raise ArgumentError(
            f"Feature map `{record.name}` encodes the direction of each row, but row {row} is zero. "
            "Drop such rows, or append a constant column."
        )
    return out


def scale(
    X: Any,
    feature_map: Source,
    *,
    reference: Any = None,
    data_range: tuple[float, float] | None = None,
    clip: bool = True,
) -> FloatArray:
    """Data scaled column by column into the range a feature map advises.

    Parameters
    ----------
    X : array_like, shape (samples, features)
    feature_map : str, callable, Circuit or FeatureMap
    reference : array_like, shape (any, features), optional
        Whose smallest and largest values go to the ends of the range; `X` by default. Give the training data
        when scaling test data.
    data_range : (float, float), optional
        Instead of the one in the map's record.
    clip : bool
        Values beyond those of the reference go to the ends of the range too; else only into the domain.

    Returns
    -------
    ndarray, shape (samples, features), float64
        Constant columns are in the middle of the range. Maps of integers get rounded values; maps of
        directions get the data as they are.

    Examples
    --------
    >>> scale([[1.0, 7.0], [3.0, 7.0], [2.0, 7.0]], "angle", data_range=(0.0, 1.0))
    array([[0. , 0.5],
           [1. , 0.5],
           [0.5, 0.5]])
    """
    out = _as_rows(X, "X")
    record = get(feature_map)
    low, high = record.data_range if data_range is None else data_range
    if not math.isfinite(low) and data_range is None:
        return out
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ArgumentError(
            f"Argument `data_range` must be two finite numbers in order, but is {data_range}."
        )
    known = out if reference is None else _as_rows(reference, "reference")
    if known.shape[1] != out.shape[1]:
        raise ArgumentError(
            f"Argument `reference` must have {out.shape[1]} columns, as `X` has, but has {known.shape[1]}."
        )
    least, most = known.min(axis=0), known.max(axis=0)
    # halves, as the difference of two large numbers may overflow
    width = most / 2 - least / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(width > 0, (out / 2 - least / 2) / width, 0.5)
    if clip:
        share = np.clip(share, 0.0, 1.0)
    scaled = low + (high - low) * share
    if record.integer:
        scaled = np.round(scaled)
    result: FloatArray = np.clip(scaled, *record.domain)
    return result
