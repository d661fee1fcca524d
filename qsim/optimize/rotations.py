"""Optimisers that solve for one parameter after the other: along each the objective is a known curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError
from qsim.optimize.loop import Objectives, Optimizer
from qsim.optimize.objective import require_objective

__all__ = ["Rotoselect", "Rotosolve", "minimum_of_curve"]

FloatArray = npt.NDArray[np.float64]
Memory = dict[str, FloatArray]
#: Points of the grid that finds the valley of a curve, in half a wave of its highest frequency.
_GRID = 32


def curve_points(frequencies: FloatArray) -> FloatArray:
    """Shifts at which a curve with these frequencies and a constant is determined, 0 first."""
    count = 2 * len(frequencies) + 1
    # equidistant over a period of the mean spacing: exact and well conditioned for 1, 2, ..., R times a unit
    unit = frequencies[-1] / max(1, len(frequencies)) if len(frequencies) else 1.0
    return np.asarray(2 * np.pi * np.arange(count) / (count * unit))


def minimum_of_curve(frequencies: FloatArray, values: FloatArray) -> tuple[float, float]:
    """Shift and value of the least point of the curve through `values` at `curve_points`.

    The curve is ``c + sum_k a_k cos(w_k s) + b_k sin(w_k s)``. One frequency has a closed form; for more the
    best point of a grid is refined by Newton's method.
    """
    points = curve_points(frequencies)
    inner = np.multiply.outer(points, frequencies)
    matrix = np.hstack([np.ones((len(points), 1)), np.cos(inner), np.sin(inner)])
    coefficients = np.linalg.lstsq(matrix, values, rcond=None)[0]
    count = len(frequencies)
    constant, a, b = coefficients[0], coefficients[1 : count + 1], coefficients[count + 1 :]
    if not count:
        return 0.0, float(constant)
    if count == 1:
        size = np.hypot(a[0], b[0])
        if size == 0:
            return 0.0, float(constant)
        return float(np.arctan2(-b[0], -a[0]) / frequencies[0]), float(constant - size)

    def curve(s: Any, order: int = 0) -> Any:
        inner = np.multiply.outer(s, frequencies) + order * np.pi / 2
        scale = frequencies**order
        return (constant if order == 0 else 0.0) + np.cos(inner) @ (a * scale) + np.sin(inner) @ (b * scale)

    half = np.pi / frequencies[0]
    grid = np.linspace(-half, half, 2 * int(np.ceil(_GRID * frequencies[-1] / frequencies[0])) + 1)
    here = float(grid[int(np.argmin(curve(grid)))])
    for _ in range(20):
        bend = curve(here, 2)
        if bend <= 0:
            break
        move = -curve(here, 1) / bend
        if curve(here + move) > curve(here):
            break
        here += float(move)
        if abs(move) < 1e-15 * half:
            break
    return here, float(curve(here))


class Rotosolve(Optimizer):
    """Each parameter in turn to the least point of the curve along it, all others held [1]_, [2]_.

    A step is a pass over all parameters, and its value the one it leads to. Exact for an exact objective; the
    points of a curve are one batch.

    Parameters
    ----------
    frequencies : sequence of sequences of float, optional
        Of the objective along each parameter; else the objective's own.

    References
    ----------
    .. [1] M. Ostaszewski, E. Grant and M. Benedetti, "Structure optimization for parameterized quantum
       circuits", Quantum 5, 391 (2021), arXiv:1905.09692.
    .. [2] D. Wierichs, J. Izaac, C. Wang and C. Y.-Y. Lin, Quantum 6, 677 (2022), arXiv:2107.12390.
    """

    value_is_before = False

    def __init__(self, frequencies: Sequence[Any] | None = None) -> None:
        self.frequencies = None if frequencies is None else [_ascending(w) for w in frequencies]

    def _curves(self, objective: Objectives, x: FloatArray) -> list[FloatArray]:
        found = self.frequencies
        if found is None:
            found = require_objective(objective.objective, "frequencies", type(self).__name__)()
        if len(found) != len(x):
            raise ArgumentError(
                f"Argument `frequencies` must have an entry for each of {len(x)} parameters, but has "
                f"{len(found)}."
            )
        return found

    def step(
        self, objective: Objectives, x: FloatArray, memory: Memory, number: int, seed: int
    ) -> tuple[FloatArray, float, Memory]:
        curves, x, value = self._curves(objective, x), x.copy(), np.nan
        if not len(x):
            return x, float(objective.values(x[None], number)[0]), {}
        for k, frequencies in enumerate(curves):
            points = curve_points(frequencies)
            rows = np.tile(x, (len(points), 1))
            rows[:, k] += points
            shift, value = minimum_of_curve(frequencies, objective.values(rows, number))
            x[k] = _wrapped(x[k] + shift, frequencies)
        return x, value, {}

    def __repr__(self) -> str:
        listed = None if self.frequencies is None else [w.tolist() for w in self.frequencies]
        return f"Rotosolve({listed})"


class Rotoselect(Rotosolve):
    """Rotosolve that also chooses which of several gates acts: of each group one parameter is not zero [1]_.

    A place whose axis is to be chosen is written as ``rx``, ``ry`` and ``rz`` in a row, each with a
    parameter of its own; where a parameter is zero its gate is the identity. A step tries all members of
    each group and keeps the best.

    Parameters
    ----------
    groups : sequence of sequences of int
        Positions in the vector; those in no group are solved for as by `Rotosolve`.
    frequencies : sequence of sequences of float, optional
        As for `Rotosolve`.

    References
    ----------
    .. [1] M. Ostaszewski, E. Grant and M. Benedetti, Quantum 5, 391 (2021), arXiv:1905.09692.
    """

    def __init__(self, groups: Sequence[Sequence[int]], frequencies: Sequence[Any] | None = None) -> None:
        super().__init__(frequencies)
        self.groups = [[int(k) for k in group] for group in groups]
        members = [k for group in self.groups for k in group]
        if len(set(members)) != len(members) or any(k < 0 for k in members) or not all(self.groups):
            raise ArgumentError(
                "Argument `groups` must name each position at most once, in groups not empty."
            )

    def step(
        self, objective: Objectives, x: FloatArray, memory: Memory, number: int, seed: int
    ) -> tuple[FloatArray, float, Memory]:
        curves, x, value = self._curves(objective, x), x.copy(), np.nan
        grouped = {k for group in self.groups for k in group}
        if max(grouped, default=-1) >= len(x):
            raise ArgumentError(
                f"Argument `groups` must hold positions below {len(x)}, but holds {max(grouped)}."
            )
        places = sorted([*self.groups, *([k] for k in range(len(x)) if k not in grouped)])
        if not places:
            return x, float(objective.values(x[None], number)[0]), {}
        for group in places:
            start = x.copy()
            if len(group) > 1:
                start[group] = 0.0
            pieces = []
            for k in group:
                rows = np.tile(start, (2 * len(curves[k]) + 1, 1))
                rows[:, k] += curve_points(curves[k])
                pieces.append(rows)
            values = objective.values(np.vstack(pieces), number)
            ends = np.cumsum([0, *(len(piece) for piece in pieces)])
            best = [
                minimum_of_curve(curves[k], values[a:b])
                for k, a, b in zip(group, ends[:-1], ends[1:], strict=True)
            ]
            chosen = int(np.argmin([found for _, found in best]))
            shift, value = best[chosen]
            x, k = start, group[chosen]
            x[k] = _wrapped(x[k] + shift, curves[k])
        return x, value, {}

    def __repr__(self) -> str:
        return f"Rotoselect({self.groups}, {super().__repr__()})"


def _ascending(frequencies: Any) -> FloatArray:
    out = np.sort(np.asarray(frequencies, dtype=float))
    if out.ndim != 1 or not (out > 0).all() or not np.isfinite(out).all():
        raise ArgumentError("Argument `frequencies` must hold vectors of positive numbers.")
    return out


def _wrapped(angle: float, frequencies: FloatArray) -> float:
    """Within a period around 0, if the frequencies have one in common."""
    if not len(frequencies):
        return angle
    ratios = frequencies / frequencies[0]
    if not np.allclose(ratios, ratios.round(), rtol=0, atol=1e-9):
        return angle
    period = 2 * np.pi / frequencies[0]
    return float(angle - period * np.round(angle / period))
