"""Features and the slots a circuit has for them, pairs of qubits, frequencies: what many maps share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim._checks import check_count, counted
from qsim.errors import ArgumentError
from qsim.parameters import ParameterValue, ParameterVector

__all__ = ["MISMATCHES", "check_choice", "data_vector", "entangled_pairs", "fill_slots", "multiples"]

MISMATCHES = ("error", "cycle", "pad")
ENTANGLEMENTS = ("full", "linear", "reverse_linear", "circular", "pairwise")


def data_vector(num_features: Any, minimum: int = 1) -> ParameterVector:
    """``ParameterVector("x", num_features)`` for at least `minimum` features."""
    return ParameterVector("x", check_count(num_features, "num_features", minimum))


def check_choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """One of a few texts."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices[:-1])
        raise ArgumentError(f"Argument `{name}` must be {listed} or {choices[-1]!r}, but is {value!r}.")
    return str(value)


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


def entangled_pairs(num_qubits: int, entanglement: Any) -> list[tuple[int, int]]:
    """Pairs of qubits in order: a named pattern, or a sequence of pairs.

    "full": all pairs; "linear": neighbours; "reverse_linear": neighbours from the end; "circular":
    (n-1, 0), then neighbours; "pairwise": even neighbours, then odd ones.
    """
    if not isinstance(entanglement, str):
        return [(int(a), int(b)) for a, b in entanglement]
    check_choice(entanglement, "entanglement", ENTANGLEMENTS)
    neighbours = [(q, q + 1) for q in range(num_qubits - 1)]
    if entanglement == "full":
        return [(a, b) for a in range(num_qubits) for b in range(a + 1, num_qubits)]
    if entanglement == "reverse_linear":
        return neighbours[::-1]
    if entanglement == "circular":
        return [*([(num_qubits - 1, 0)] if num_qubits > 2 else []), *neighbours]
    if entanglement == "pairwise":
        return neighbours[::2] + neighbours[1::2]
    return neighbours


def multiples(count: int, unit: float = 1.0) -> tuple[float, ...]:
    """0, unit, ..., count * unit."""
    return tuple(unit * k for k in range(count + 1))
