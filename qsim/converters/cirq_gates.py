"""Gates of Cirq in terms of qsim's gate table, exact with global phase.

A gate is a list of parts ``(name, parameters, positions, outer)``. Positions are among the gate's qubits;
those that the named gate does not take come first and are controls. Outer parts stand around the others as a
gate and its inverse, so they need no controls where the gate has some.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import cirq
import numpy as np
import sympy

from qsim.converters.sympy_formulas import from_sympy
from qsim.errors import CircuitError
from qsim.parameters import ParameterExpression

__all__ = ["Part", "diagonal_angles", "nearly_unitary", "parts_of", "turns"]

Part = tuple[str, tuple[Any, ...], tuple[int, ...], bool]


def turns(exponent: Any) -> Any:
    """``pi * exponent``: a float, or an expression of parameters."""
    if not isinstance(exponent, sympy.Basic):
        return math.pi * exponent
    if exponent.has(sympy.pi):  # cirq.rx(t) has the exponent t / pi
        return from_sympy(sympy.pi * exponent)
    return math.pi * from_sympy(exponent)


def _part(name: str, params: Any = (), *positions: int, outer: bool = False) -> Part:
    return name, params if isinstance(params, tuple) else (params,), positions, outer


def _phase(angle: Any) -> list[Part]:
    if not isinstance(angle, ParameterExpression):
        angle = math.remainder(angle, 2 * math.pi)
        if abs(angle) < 1e-15:
            return []
    return [_part("gphase", angle)]


#: powers with names, by exponent modulo 2
_NAMED: dict[str, dict[float, str]] = {
    "rx": {1: "x", 0.5: "sx", 1.5: "sxdg"},
    "ry": {1: "y", 0.5: "sy", 1.5: "sydg"},
    "p": {1: "z", 0.5: "s", 1.5: "sdg", 0.25: "t", 1.75: "tdg"},
    "crx": {1: "cx", 0.5: "csx", 1.5: "csxdg"},
    "cp": {1: "cz", 0.5: "cs", 1.5: "csdg"},
}


def _power(name: str, exponent: Any, positions: tuple[int, ...]) -> list[Part]:
    """The power of X, Y, Z, CX or CZ whose eigenvalues are 1 and exp(i pi exponent)."""
    if not isinstance(exponent, sympy.Basic):
        reduced = exponent % 2
        if reduced == 0:
            return []
        known = _NAMED[name].get(reduced)
        if known is not None:
            return [(known, (), positions, False)]
    angle = turns(exponent)
    parts = [_part(name, angle, *positions)]
    if name in ("rx", "ry"):
        parts += _phase(angle / 2)
    elif name == "crx":
        parts.append(_part("p", angle / 2, positions[0]))
    return parts


def _eigen(name: str, qubits: int) -> Callable[[Any], list[Part]]:
    """Powers with a global shift; -1/2 makes them rotations."""
    positions = tuple(range(qubits))

    def parts(gate: Any) -> list[Part]:
        exponent, shift = gate.exponent, gate.global_shift
        if shift == -0.5 and qubits == 1:
            return [_part("rz" if name == "p" else name, turns(exponent), *positions)]
        return _power(name, exponent, positions) + _shift(exponent, shift)

    return parts


def _shift(exponent: Any, shift: float) -> list[Part]:
    return _phase(turns(exponent) * shift) if shift else []


def _doubly_controlled(name: str) -> Callable[[Any], list[Part]]:
    """CCX and CCZ as names, or as CZ-like powers; for CCX between Hadamard gates."""

    def parts(gate: Any) -> list[Part]:
        exponent, shift = gate.exponent, gate.global_shift
        if not isinstance(exponent, sympy.Basic) and exponent % 2 == 1:
            return [_part(name, (), 0, 1, 2), *_shift(exponent, shift)]
        around = [_part("h", (), 2, outer=True)] if name == "ccx" else []
        inner = [_part("p", turns(exponent), 0, 1, 2)]
        return around + inner + around + _shift(exponent, shift)

    return parts


def _hadamard(gate: Any) -> list[Part]:
    exponent, shift = gate.exponent, gate.global_shift
    if not isinstance(exponent, sympy.Basic) and exponent % 2 == 1:
        return [_part("h", (), 0), *_shift(exponent, shift)]
    # H = RY(pi/4) Z RY(-pi/4)
    first, last = (_part("ry", sign * math.pi / 4, 0, outer=True) for sign in (-1, 1))
    return [first, *_power("p", exponent, (0,)), last, *_shift(exponent, shift)]


def _swap(gate: Any) -> list[Part]:
    exponent, shift = gate.exponent, gate.global_shift
    if not isinstance(exponent, sympy.Basic) and exponent % 2 == 1:
        return [_part("swap", (), 0, 1), *_shift(exponent, shift)]
    around = _part("cx", (), 0, 1, outer=True)
    return [around, *_power("crx", exponent, (1, 0)), around, *_shift(exponent, shift)]


def _iswap(gate: Any) -> list[Part]:
    exponent, shift = gate.exponent, gate.global_shift
    known = {1: "iswap", -1: "iswapdg", 0.5: "siswap", -0.5: "siswapdg"}
    name = None if isinstance(exponent, sympy.Basic) else known.get(exponent)
    part = _part("ising_xy", turns(exponent), 0, 1) if name is None else _part(name, (), 0, 1)
    return [part, *_shift(exponent, shift)]


def _parity(name: str) -> Callable[[Any], list[Part]]:
    def parts(gate: Any) -> list[Part]:
        angle = turns(gate.exponent)
        return [_part(name, angle, 0, 1), *_phase(angle * (gate.global_shift + 0.5))]

    return parts


def _phased_x(gate: Any) -> list[Part]:
    angle = turns(gate.exponent)
    return [_part("r", (angle, turns(gate.phase_exponent)), 0), *_phase(angle * (gate.global_shift + 0.5))]


def _phased_xz(gate: Any) -> list[Part]:
    angle = turns(gate.x_exponent)
    turned = _part("r", (angle, turns(gate.axis_phase_exponent)), 0)
    return [turned, *_phase(angle / 2), *_power("p", gate.z_exponent, (0,))]


def _phased_iswap(gate: Any) -> list[Part]:
    angle = turns(gate.phase_exponent)
    before, after = (
        [_part("rz", sign * angle, 0, outer=True), _part("rz", -sign * angle, 1, outer=True)]
        for sign in (1, -1)
    )
    return before + _iswap(gate) + after


def _fsim(gate: Any) -> list[Part]:
    return [_part("fsim", (from_sympy(gate.theta), from_sympy(gate.phi)), 0, 1)]


def _global_phase(gate: Any) -> list[Part]:
    coefficient = gate.coefficient
    if not isinstance(coefficient, sympy.Basic):
        return _phase(cmath.phase(coefficient))
    if isinstance(coefficient, sympy.exp):
        return _phase(from_sympy(sympy.expand(coefficient.args[0] / sympy.I)))
    raise CircuitError(
        f"A global phase with symbols must be sympy.exp(I * angle), but is `{coefficient}`. "
        "Give its symbols numbers first."
    )


def _identity(gate: Any) -> list[Part]:
    return []


_TABLE: dict[type, Callable[[Any], list[Part]]] = {
    cirq.XPowGate: _eigen("rx", 1),
    cirq.YPowGate: _eigen("ry", 1),
    cirq.ZPowGate: _eigen("p", 1),
    cirq.CXPowGate: _eigen("crx", 2),
    cirq.CZPowGate: _eigen("cp", 2),
    cirq.CCXPowGate: _doubly_controlled("ccx"),
    cirq.CCZPowGate: _doubly_controlled("ccz"),
    cirq.HPowGate: _hadamard,
    cirq.SwapPowGate: _swap,
    cirq.ISwapPowGate: _iswap,
    cirq.XXPowGate: _parity("rxx"),
    cirq.YYPowGate: _parity("ryy"),
    cirq.ZZPowGate: _parity("rzz"),
    cirq.PhasedXPowGate: _phased_x,
    cirq.PhasedXZGate: _phased_xz,
    cirq.PhasedISwapPowGate: _phased_iswap,
    cirq.FSimGate: _fsim,
    cirq.GlobalPhaseGate: _global_phase,
    cirq.CSwapGate: lambda gate: [_part("cswap", (), 0, 1, 2)],
    cirq.IdentityGate: _identity,
    cirq.WaitGate: _identity,
}


def parts_of(gate: Any) -> list[Part] | None:
    """The parts of a gate of Cirq, or None if the table has none.

    A class that somebody derived elsewhere may mean something else by the same attributes, so it has none.
    """
    kind = type(gate)
    if not kind.__module__.startswith("cirq."):
        return None
    for base in kind.__mro__:
        if base in _TABLE:
            return _TABLE[base](gate)
    return None


def diagonal_angles(gate: Any) -> Any:
    """The angles of a diagonal gate, floats or expressions; None for any other."""
    kinds = cirq.DiagonalGate | cirq.TwoQubitDiagonalGate | cirq.ThreeQubitDiagonalGate
    if not isinstance(gate, kinds):
        return None
    listed = getattr(gate, "diag_angles_radians", None)
    return [from_sympy(angle) for angle in (gate._diag_angles_radians if listed is None else listed)]


def nearly_unitary(matrix: Any) -> Any:
    """The unitary nearest to a matrix that is one to single precision; any other matrix as it is."""
    m = np.asarray(matrix, dtype=complex)
    distance = np.abs(m @ m.conj().T - np.eye(len(m))).max(initial=0.0)
    if not 1e-9 < distance < 1e-4:
        return m
    left, _, right = np.linalg.svd(m)
    return left @ right
