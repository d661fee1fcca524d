"""An OpenQASM 2 file in the making."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from generator import oracle

CIRCUITS = Path(__file__).parents[1] / "circuits"


class Source:
    """An OpenQASM 2 file in the making: header, declarations, statements, and the gates for the oracle.

    The first line of `about` is the title; the others are one paragraph.
    """

    def __init__(self, name: str, about: str, source: str) -> None:
        self.name = name
        title, *paragraph = about.split("\n")
        text = [title, *textwrap.wrap(" ".join(paragraph), 104), f"Source: {source}"]
        self.header = [*(f"// {line}" for line in text), "//"]
        self.lines: list[str] = []
        self.gates: list[oracle.GateCall] = []
        self.labels: list[str] = []

    @property
    def num_qubits(self) -> int:
        return len(self.labels)

    def qreg(self, name: str, size: int) -> range:
        """Declare a quantum register; returns the indices of its qubits."""
        self.lines.append(f"qreg {name}[{size}];")
        start = len(self.labels)
        self.labels += [f"{name}[{i}]" for i in range(size)]
        return range(start, start + size)

    def creg(self, name: str, size: int) -> None:
        self.lines.append(f"creg {name}[{size}];")

    def text(self, *lines: str) -> None:
        """Lines as they are: definitions, comments, measurements."""
        self.lines += lines

    def gate(self, name: str, *qubits: int, params: Sequence[float] = ()) -> None:
        arguments = f"({', '.join(angle(p) for p in params)})" if params else ""
        self.lines.append(f"{name}{arguments} {', '.join(self.labels[q] for q in qubits)};")
        self.gates.append((name, tuple(params), tuple(qubits)))

    def outcome(self, bits: str, probability: float) -> None:
        self.header.append(f"// outcome: {bits} {probability:.12g}")

    def observable(self, terms: dict[str, float], value: float) -> None:
        for label, coefficient in terms.items():
            self.header.append(f"// observable: {coefficient:.12g}{' * ' + label if label else ''}")
        self.header.append(f"// value: {value:.12g}")

    def write(self) -> None:
        body = ["OPENQASM 2.0;", 'include "qelib1.inc";', *self.lines]
        (CIRCUITS / f"{self.name}.qasm").write_text("\n".join([*self.header, *body, ""]), encoding="utf-8")


def angle(value: float) -> str:
    """An angle as a fraction of pi where it is one, else with 12 digits."""
    ratio = Fraction(value / math.pi).limit_denominator(1 << 20)
    if abs(float(ratio) * math.pi - value) > 1e-15 or ratio == 0:
        return f"{value:.12g}"
    sign = "-" if ratio < 0 else ""
    top = "pi" if abs(ratio.numerator) == 1 else f"{abs(ratio.numerator)}*pi"
    return f"{sign}{top}" if ratio.denominator == 1 else f"{sign}{top}/{ratio.denominator}"


def bits(value: int, width: int) -> str:
    return format(value, f"0{width}b")
