"""Names in exported OpenQASM: registers, classical bits, gates, inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from qsim.io.library import QELIB1, STDGATES
from qsim.io.parser3 import Parser3

__all__ = ["Names", "Registers"]

_BUILT_IN = (
    "U CX pi tau euler sin cos tan exp ln log sqrt floor ceiling arcsin arccos arctan mod pow popcount "
    "rotl rotr opaque barrier sizeof"
)
_RESERVED = Parser3.keywords | frozenset(_BUILT_IN.split())


class Names:
    """Hands out identifiers that are legal in both versions and each used once."""

    def __init__(self, version: int) -> None:
        library = QELIB1 if version == 2 else STDGATES
        self._taken: set[str] = {*_RESERVED, *library}

    def new(self, wish: str, fallback: str) -> str:
        """An unused identifier as near to `wish` as possible."""
        name = re.sub(r"[^A-Za-z0-9_]+", "_", wish).strip("_")
        if not re.match(r"[A-Za-z]", name):
            name = f"{fallback}_{name}" if name else fallback
        name = name[0].lower() + name[1:]  # OpenQASM 2 names start with a lower-case letter
        unique, count = name, 0
        while unique in self._taken:
            count += 1
            unique = f"{name}_{count}"
        self._taken.add(unique)
        return unique


class Registers:
    """The registers of one kind: as the circuit names them where that covers all bits, else one.

    Parameters
    ----------
    count : int
        Number of (qu)bits.
    given : mapping of str to sequence of int
        The circuit's own registers.
    names : Names
    default : str
        Name of the register if there is only one.
    groups : iterable of sequence of int
        Bits that must be a register of their own, used if `given` does not cover all bits.
    """

    def __init__(
        self,
        count: int,
        given: Mapping[str, Sequence[int]],
        names: Names,
        default: str,
        groups: Iterable[Sequence[int]] = (),
    ) -> None:
        covered = sorted(i for indices in given.values() for i in indices)
        self.registers: dict[str, tuple[int, ...]] = {}
        if covered == list(range(count)) and all(given.values()):
            for name, indices in given.items():
                self.registers[names.new(name, default)] = tuple(indices)
        elif count:
            self._invent(count, names, default, groups)
        self.places = {
            index: f"{name}[{position}]"
            for name, indices in self.registers.items()
            for position, index in enumerate(indices)
        }

    def _invent(self, count: int, names: Names, default: str, groups: Iterable[Sequence[int]]) -> None:
        distinct = sorted({tuple(group) for group in groups})
        members = [i for group in distinct for i in group]
        if not distinct or len(set(members)) != len(members):
            self.registers[names.new(default, default)] = tuple(range(count))
            return
        rest = sorted(set(range(count)) - set(members))
        for group in [*distinct, *((i,) for i in rest)]:
            self.registers[names.new(default, default)] = tuple(group)

    def whole(self, indices: Sequence[int]) -> str | None:
        """The register made of exactly these bits in this order."""
        wanted = tuple(indices)
        return next((name for name, own in self.registers.items() if own == wanted), None)
