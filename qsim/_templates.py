"""What templates of circuits share: weights one after the other, and pairs of qubits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qsim._checks import check_qubits
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.parameters import Parameter

__all__ = ["ENTANGLEMENTS", "Weights", "check_choice", "entangled_pairs", "ring_pairs"]

ENTANGLEMENTS = ("full", "linear", "reverse_linear", "circular", "pairwise")


class Weights:
    """The parameters ``theta[0]``, ``theta[1]``, ... one after the other: each call is the next one."""

    def __init__(self) -> None:
        self._made: list[Parameter] = []

    def __call__(self) -> Parameter:
        self._made.append(Parameter(f"theta[{len(self._made)}]"))
        return self._made[-1]

    def take(self, number: int) -> list[Parameter]:
        """The next `number` weights."""
        return [self() for _ in range(number)]

    def close(self, circuit: Circuit) -> Circuit:
        """The finished circuit, with weights that know how many they are."""
        for weight in self._made:
            weight.vector_length = len(self._made)
        return circuit


def check_choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """One of a few texts."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices[:-1])
        raise ArgumentError(f"Argument `{name}` must be {listed} or {choices[-1]!r}, but is {value!r}.")
    return str(value)


def entangled_pairs(num_qubits: int, entanglement: Any) -> list[tuple[int, int]]:
    """Pairs of qubits in order: a named pattern, or a sequence of pairs.

    "full": all pairs; "linear": neighbours; "reverse_linear": neighbours from the end; "circular":
    (n-1, 0), then neighbours; "pairwise": even neighbours, then odd ones.
    """
    if not isinstance(entanglement, str):
        pairs = [
            check_qubits(pair, num_qubits, context=" in a pair of `entanglement`") for pair in entanglement
        ]
        for pair in pairs:
            if len(pair) != 2:
                raise ArgumentError(f"Argument `entanglement` must hold pairs of qubits, but holds {pair}.")
        return [(a, b) for a, b in pairs]
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


def ring_pairs(num_qubits: int, closed: bool = True) -> list[tuple[int, int]]:
    """(q, q+1) for all q, and (n-1, 0) if `closed` and there are more than two qubits."""
    pairs = [(q, q + 1) for q in range(num_qubits - 1)]
    return [*pairs, (num_qubits - 1, 0)] if closed and num_qubits > 2 else pairs
