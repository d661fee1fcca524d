"""Jumps that are carried out while an OpenQASM 3 program is read."""

from __future__ import annotations

from typing import Any

__all__ = [
    "BreakSignal",
    "ContinueSignal",
    "EndSignal",
    "Loop",
    "NeedLoop",
    "ReturnSignal",
    "Signal",
    "StopSignal",
]


class Signal(Exception):
    """A jump carried out while reading."""


class BreakSignal(Signal):
    pass


class ContinueSignal(Signal):
    pass


class EndSignal(Signal):
    pass


class StopSignal(Signal):
    """Nothing after a run-time jump is reached in its block."""


class ReturnSignal(Signal):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class NeedLoop(Signal):
    """A loop that was being unrolled is left by a run-time jump: it must be kept as a loop."""


class Loop:
    __slots__ = ("kept", "level")

    def __init__(self, level: int, kept: bool) -> None:
        self.level = level
        self.kept = kept
