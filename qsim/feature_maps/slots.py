"""Features, the slots a circuit has for them, and frequencies: what many maps share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim._checks import check_count, counted
from qsim._templates import check_choice
from qsim.errors import ArgumentError
from qsim.parameters import ParameterValue, ParameterVector

__all__ = ["MISMATCHES", "data_vector", "fill_slots", "multiples", "uploads"]

MISMATCHES = ("error", "cycle", "pad")


def data_vector(num_features: Any, minimum: int = 1) -> ParameterVector:
    """``ParameterVector("x", num_features)`` for at least `minimum` features."""
    return ParameterVector("x", check_count(num_features, "num_features", minimum))


def fill_slots(x: Sequence[ParameterValue], slots: int, on_mismatch: str) -> list[ParameterValue]:
    """The features, one for each slot.

    Fewer features than slots are an error, start again from the first one ("cycle"), or are
    followed by zeros ("pad"). More features than slots are always an error, as some would be lost.
    """
    check_choice(on_mismatch, "on_mismatch", MISMATCHES)
    if len(x) > slots:
        raise ArgumentError(
            f"Argument `num_features` is {len(x)}, but the feature map has {counted(slots, 'slot')}: some "
            "features would be lost. Give it more qubits (or layers), or reduce the features."
        )
    if len(x) < slots and on_mismatch == "error":
        raise ArgumentError(
            f"Argument `num_features` must be {slots}, the slots of the feature map, but is {len(x)}. "
            "on_mismatch='cycle' repeats the features, on_mismatch='pad' appends zeros."
        )
    if on_mismatch == "cycle":
        return [x[i % len(x)] for i in range(slots)]
    return [*x, *[0.0] * (slots - len(x))]


def uploads(d: int, slots: int, on_mismatch: str) -> list[int]:
    """How often `fill_slots` uses each feature."""
    if on_mismatch == "cycle":
        return [len(range(i, slots, d)) for i in range(d)]
    return [1] * d


def multiples(count: int, unit: float = 1.0) -> tuple[float, ...]:
    """0, unit, ..., count * unit."""
    return tuple(unit * k for k in range(count + 1))
