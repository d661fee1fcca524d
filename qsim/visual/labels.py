"""What drawings write: names of gates, parameters and conditions, short enough for a box."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from typing import Any, NamedTuple

import numpy as np

from qsim import classical
from qsim.gates import GATES, Gate, GateSpec, expand_controls, unique_specs
from qsim.parameters import ParameterExpression
from qsim.user_gates import ControlledGate, PauliRotationGate, PrepareGate

__all__ = ["Shape", "clip", "family_of", "number_text", "param_text", "shape_of", "text_width"]

#: Names that read better in another spelling than capitals (short names) or as they are (long ones).
_SPELLING = {
    "id": "I",
    "sx": "√X",
    "sy": "√Y",
    "rot": "Rot",
    "iswap": "iSWAP",
    "siswap": "√iSWAP",
    "fswap": "fSWAP",
    "pswap": "pSWAP",
    "fsim": "fSim",
    "gpi": "GPi",
    "gpi2": "GPi2",
    "gphase": "phase",
    "ising_xy": "XY",
    "xx_plus_yy": "XX+YY",
    "xx_minus_yy": "XX-YY",
}
_LONGEST = 40
#: The powers of two are those of Fourier transforms.
_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 12, *(1 << k for k in range(4, 17)))
_MULTIPLE_OF_PI = re.compile(r"(?<![\w.])(\d+)\*pi\b")
_PI = re.compile(r"(?<![\w.\[])pi\b(?!\[)")
_DECIMAL = re.compile(r"(?<![\w.\[])\d+(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+)(?![\w.\]])")


class Shape(NamedTuple):
    """How a gate is drawn.

    `symbol` is what stands on the targets: ``"box"``, ``"plus"``, ``"dot"`` or ``"cross"``; `controls`
    are the values of the controls that come first among its qubits, `ports` texts for the others.
    """

    symbol: str
    label: str
    controls: tuple[int, ...]
    ports: tuple[str, ...]


def shape_of(gate: Gate, extra_controls: int = 0) -> Shape:
    """The drawing of a gate that has `extra_controls` more controls than its own."""
    controls: tuple[int, ...] = ()
    base = gate
    while isinstance(base, ControlledGate):
        controls += base.control_values
        base = base.gate
    count, name = base.num_controls, base.name
    if isinstance(base, GateSpec):
        found = _controlled_form(base)
        if found is not None:
            count, name = found
    controls += (1,) * count
    targets = base.num_qubits - count
    symbol = "box"
    if isinstance(base, GateSpec) and (controls or extra_controls):
        symbol = {"x": "plus", "z": "dot"}.get(name, symbol)
    if isinstance(base, GateSpec) and name == "swap":
        symbol = "cross"
    ports = tuple(map(str, range(targets))) if targets > 1 else ("",) * targets
    label = _gate_label(name)
    if isinstance(base, PauliRotationGate):
        if targets > 1:
            label, ports = "PauliRot", tuple(reversed(base.label))
        else:
            label = "R" + base.label
    elif isinstance(base, PrepareGate) and base.inverted:
        label += "†"
    return Shape(symbol, clip(label), controls, ports)


@functools.cache
def _controlled_form(spec: GateSpec) -> tuple[int, str] | None:
    """(number of controls, name of the gate behind them) of a record, found from its matrices.

    Gates made of others say nothing about controls; comparing with each gate of one qubit fewer at generic
    parameters finds those that are another gate behind a control.
    """
    values = tuple(0.7310585 + 0.61 * k for k in range(spec.num_params))
    candidates = [
        other for other in unique_specs() if other.num_params == spec.num_params and not other.num_controls
    ]
    if spec.num_controls:
        target = spec.target_matrix(*values)
        for other in candidates:
            if other.num_qubits == spec.num_qubits - spec.num_controls and np.allclose(
                other.matrix(*values), target
            ):
                return spec.num_controls, other.name
        return spec.num_controls, spec.name
    if spec.decomposition is not None and spec.num_qubits == 2:
        for other in candidates:
            if other.num_qubits == 1 and np.allclose(
                expand_controls(other.matrix(*values), 1), spec.matrix(*values)
            ):
                return 1, other.name
    return None


def family_of(gate: Gate) -> str:
    """Family by what a gate does to basis states, for colours.

    ``"phase"`` (diagonal), ``"permutation"`` (moves basis states), ``"rotation"`` (mixes them by an angle),
    ``"mixing"`` (mixes them by a constant) or ``"custom"`` (not of the table).
    """
    while isinstance(gate, ControlledGate):
        gate = gate.gate
    return _family_of_spec(gate) if isinstance(gate, GateSpec) else "custom"


@functools.cache
def _family_of_spec(spec: GateSpec) -> str:
    matrix = spec.matrix(*(0.7310585 + 0.61 * k for k in range(spec.num_params)))
    occupied = np.abs(matrix) > 1e-12
    if (occupied == np.eye(len(matrix), dtype=bool)).all():
        return "phase"
    if (occupied.sum(axis=0) == 1).all():
        return "permutation"
    return "rotation" if spec.num_params else "mixing"


def _gate_label(name: str) -> str:
    head, caret, exponent = name.partition("^")
    if caret:
        return f"{_gate_label(head)}^{exponent}"
    if name.endswith("_dg"):
        return _gate_label(name[:-3]) + "†"
    if name.endswith("dg") and name[:-2] in GATES:
        return _gate_label(name[:-2]) + "†"
    if name in _SPELLING:
        return _SPELLING[name]
    return name.upper() if name in GATES and len(name) <= 4 else name


# -- parameters ------------------------------------------------------------------------------------
def number_text(value: float) -> str:
    """A fraction of π where `value` is one, else three significant digits.

    Examples
    --------
    >>> number_text(math.pi / 2), number_text(-3 * math.pi / 4), number_text(0.123456)
    ('π/2', '-3π/4', '0.123')
    """
    for divisor in _DENOMINATORS if value else ():
        multiple = value * divisor / math.pi
        count = round(multiple) if abs(multiple) < 100 else 0
        if count and abs(multiple - count) < 1e-9:
            head = {1: "π", -1: "-π"}.get(count, f"{count}π")
            return head if divisor == 1 else f"{head}/{divisor}"
    return f"{value:.3g}"


def param_text(value: Any, bits: BitNames) -> str:
    """A parameter: a number, an expression of parameters, or a run-time classical value."""
    if isinstance(value, ParameterExpression):
        text = _DECIMAL.sub(lambda found: number_text(float(found.group())), str(value))
        return clip(_PI.sub("π", _MULTIPLE_OF_PI.sub(r"\1π", text)))
    if isinstance(value, classical.Expression):
        return clip(bits.text(value))
    return number_text(float(value))


class BitNames:
    """How classical bits are called, by the registers of a circuit."""

    def __init__(self, registers: dict[str, tuple[int, ...]], num_clbits: int) -> None:
        self.registers = {name: tuple(bits) for name, bits in registers.items() if bits}
        named = {bit for bits in self.registers.values() for bit in bits}
        rest = tuple(bit for bit in range(num_clbits) if bit not in named)
        if rest:
            free = "c" if "c" not in self.registers else "clbits"
            self.registers[free] = rest
        self._place: dict[int, tuple[str, int]] = {}
        for name, bits in self.registers.items():
            for index, bit in enumerate(bits):
                self._place.setdefault(bit, (name, index))

    def place(self, bit: int) -> tuple[str, int]:
        """Register and index in it."""
        return self._place[bit]

    def bit(self, bit: int) -> str:
        """``name[index]``, or the name alone for a register of one bit."""
        name, index = self._place[bit]
        return name if len(self.registers[name]) == 1 else f"{name}[{index}]"

    def bits(self, indices: tuple[int, ...]) -> str:
        """The register's name where the bits are a whole register, else all their names."""
        if len(indices) == 1:
            return self.bit(indices[0])
        name, _ = self._place[indices[0]]
        if self.registers[name] == tuple(indices):
            return name
        return "{" + ", ".join(map(self.bit, indices)) + "}"

    def text(self, expression: Any) -> str:
        """A classical expression with these names."""
        return classical.to_text(expression, bit=self.bit, bits=self.bits)


# -- width -----------------------------------------------------------------------------------------
def clip(text: str, longest: int = _LONGEST) -> str:
    """`text` on one line, without control characters, and at most `longest` characters."""
    shown = "".join(c if c.isprintable() else " " for c in text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def text_width(text: str) -> int:
    """Columns a terminal needs for `text`."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def _char_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
