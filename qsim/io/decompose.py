"""Every gate in terms of the few that OpenQASM's standard include files define.

`parts_of` takes one step; all decompositions are exact, global phase included, so that they stay right
behind controls. Matrices are split into two-level rotations along a Gray code (QR decomposition),
diagonals into products of Z rotations (Walsh transform), permutations into multi-controlled X.
"""

from __future__ import annotations

import cmath
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError
from qsim.gates import GATES, Gate, GateSpec
from qsim.operations import GateOperation
from qsim.parameters import ParameterExpression
from qsim.user_gates import (
    CircuitGate,
    ControlledGate,
    DiagonalGate,
    GeneratorGate,
    GeneratorSumGate,
    PauliRotationGate,
    PermutationGate,
    PhaseOnStatesGate,
    UnitaryGate,
)

__all__ = ["MAX_MATRIX_QUBITS", "parts_of", "two_level_parts", "zyz_angles"]

ComplexArray = npt.NDArray[np.complex128]
FloatArray = npt.NDArray[np.float64]

#: a matrix on k qubits becomes about 2 * 4**k rotations
MAX_MATRIX_QUBITS = 6
#: a diagonal on k qubits becomes up to 2**k rotations
MAX_DIAGONAL_QUBITS = 12
_NEGLIGIBLE = 1e-15

Entry = tuple[str, tuple[Any, ...], tuple[int, ...]]


def _excitation(angle: Any) -> list[Entry]:
    """Rotation in the plane of |01> and |10>."""
    return [("cx", (), (0, 1)), ("cry", (angle,), (1, 0)), ("cx", (), (0, 1))]


def _even_phase(phi: Any) -> list[Entry]:
    """exp(i phi/2) on |00> and |11>."""
    return [("gphase", (phi / 4,), ()), ("rzz", (-phi / 2,), (0, 1))]


#: gates of the table that have a matrix of their own and are in neither include file
_TABLE: dict[str, Callable[..., list[Entry]]] = {
    "sxdg": lambda: [("gphase", (-math.pi / 4,), ()), ("rx", (-math.pi / 2,), (0,))],
    "sy": lambda: [("gphase", (math.pi / 4,), ()), ("ry", (math.pi / 2,), (0,))],
    "sydg": lambda: [("gphase", (-math.pi / 4,), ()), ("ry", (-math.pi / 2,), (0,))],
    "gpi": lambda phi: [("p", (-phi,), (0,)), ("x", (), (0,)), ("p", (phi,), (0,))],
    "gpi2": lambda phi: [("rz", (-phi,), (0,)), ("rx", (math.pi / 2,), (0,)), ("rz", (phi,), (0,))],
    "cs": lambda: [("cp", (math.pi / 2,), (0, 1))],
    "csdg": lambda: [("cp", (-math.pi / 2,), (0, 1))],
    "csx": lambda: [("p", (math.pi / 4,), (0,)), ("crx", (math.pi / 2,), (0, 1))],
    "csxdg": lambda: [("p", (-math.pi / 4,), (0,)), ("crx", (-math.pi / 2,), (0, 1))],
    "cphase00": lambda phi: [
        ("x", (), (0,)),
        ("x", (), (1,)),
        ("cp", (phi,), (0, 1)),
        ("x", (), (0,)),
        ("x", (), (1,)),
    ],
    "cphase01": lambda phi: [("x", (), (0,)), ("cp", (phi,), (0, 1)), ("x", (), (0,))],
    "cphase10": lambda phi: [("x", (), (1,)), ("cp", (phi,), (0, 1)), ("x", (), (1,))],
    "iswap": lambda: [("s", (), (0,)), ("s", (), (1,)), ("cz", (), (0, 1)), ("swap", (), (0, 1))],
    "iswapdg": lambda: [("sdg", (), (0,)), ("sdg", (), (1,)), ("cz", (), (0, 1)), ("swap", (), (0, 1))],
    "siswap": lambda: [("rxx", (-math.pi / 4,), (0, 1)), ("ryy", (-math.pi / 4,), (0, 1))],
    "siswapdg": lambda: [("rxx", (math.pi / 4,), (0, 1)), ("ryy", (math.pi / 4,), (0, 1))],
    "fswap": lambda: [("swap", (), (0, 1)), ("cz", (), (0, 1))],
    "ecr": lambda: [("rzx", (math.pi / 4,), (0, 1)), ("x", (), (0,)), ("rzx", (-math.pi / 4,), (0, 1))],
    "rzz": lambda theta: [("cx", (), (0, 1)), ("rz", (theta,), (1,)), ("cx", (), (0, 1))],
    "rxx": lambda theta: [
        ("h", (), (0,)),
        ("h", (), (1,)),
        ("rzz", (theta,), (0, 1)),
        ("h", (), (0,)),
        ("h", (), (1,)),
    ],
    "ryy": lambda theta: [
        ("rx", (math.pi / 2,), (0,)),
        ("rx", (math.pi / 2,), (1,)),
        ("rzz", (theta,), (0, 1)),
        ("rx", (-math.pi / 2,), (0,)),
        ("rx", (-math.pi / 2,), (1,)),
    ],
    "rzx": lambda theta: [("h", (), (1,)), ("rzz", (theta,), (0, 1)), ("h", (), (1,))],
    "ising_xy": lambda phi: [("rxx", (-phi / 2,), (0, 1)), ("ryy", (-phi / 2,), (0, 1))],
    "pswap": lambda phi: [("swap", (), (0, 1)), ("cx", (), (0, 1)), ("p", (phi,), (1,)), ("cx", (), (0, 1))],
    "fermionic_swap": lambda phi: [
        ("gphase", (phi / 4,), ()),
        ("rxx", (phi / 2,), (0, 1)),
        ("ryy", (phi / 2,), (0, 1)),
        ("rzz", (phi / 2,), (0, 1)),
        ("cp", (phi,), (0, 1)),
    ],
    "givens": lambda theta: _excitation(2 * theta),
    "rbs": lambda theta: _excitation(-2 * theta),
    "single_excitation": lambda phi: _excitation(phi),
    "single_excitation_plus": lambda phi: [*_excitation(phi), *_even_phase(phi)],
    "single_excitation_minus": lambda phi: [*_excitation(phi), *_even_phase(-phi)],
    "ccz": lambda: [("h", (), (2,)), ("ccx", (), (0, 1, 2)), ("h", (), (2,))],
    "deutsch": lambda theta: [
        ("cp", (math.pi / 2,), (0, 1)),
        ("crx", (theta,), (1, 2)),
        ("cx", (), (0, 1)),
        ("crx", (-theta,), (1, 2)),
        ("cx", (), (0, 1)),
        ("crx", (theta,), (0, 2)),
    ],
}


def _double_excitation(sign: int, phi: Any) -> list[GateOperation]:
    """Rotation in the plane of |0011> and |1100>, and exp(i sign phi/2) outside of it."""
    fold = [GateOperation(GATES["cx"], (), (0, q)) for q in (1, 2, 3)]
    controls, values = (1, 2, 3), (0, 1, 1)
    inside = [GateOperation(GATES["ry"], (phi,), (0,), controls, values)]
    if sign:
        inside.append(GateOperation(GATES["gphase"], (-sign * phi / 2,), (), controls, values))
        inside.append(GateOperation(GATES["gphase"], (sign * phi / 2,), ()))
    return [*fold, *inside, *fold]


_DOUBLE = {"double_excitation": 0, "double_excitation_plus": 1, "double_excitation_minus": -1}
_MULTI_CONTROLLED = {
    "ccx": ("x", 2),
    "c3x": ("x", 3),
    "c4x": ("x", 4),
    "c3sx": ("sx", 3),
    "cswap": ("swap", 1),
}


def parts_of(gate: Gate, params: Sequence[Any]) -> list[GateOperation]:
    """Operations on positions 0, 1, ... of the gate's qubits that together are the gate.

    Raises
    ------
    ArgumentError
        If no decomposition is known; the message says why.
    """
    if isinstance(gate, GateSpec):
        return _spec_parts(gate, tuple(params))
    if isinstance(gate, CircuitGate):
        return [op for op in gate.circuit.operations if isinstance(op, GateOperation)]
    if isinstance(gate, ControlledGate):
        count = len(gate.control_values)
        own = tuple(range(count, gate.num_qubits))
        return [GateOperation(gate.gate, tuple(params), own, tuple(range(count)), gate.control_values)]
    if isinstance(gate, PauliRotationGate):
        return _pauli_parts(gate.label, params[0])
    if isinstance(gate, DiagonalGate):
        return _diagonal_parts(np.angle(gate.entries), 1.0)
    if isinstance(gate, PermutationGate):
        return _permutation_parts(gate.permutation.tolist())
    if isinstance(gate, PhaseOnStatesGate):
        return _diagonal_parts(np.asarray(gate.signs, dtype=float), params[0])
    if isinstance(gate, UnitaryGate):
        return _unitary_gate_parts(gate)
    if isinstance(gate, GeneratorGate) and isinstance(params[0], ParameterExpression):
        return _generator_parts(gate, params[0])
    if isinstance(gate, GeneratorSumGate) and any(isinstance(p, ParameterExpression) for p in params):
        raise ArgumentError("its angles are no formulas of its parameters, which must be bound")
    parts = gate.decompose(tuple(params))
    if parts is not None:
        return [GateOperation(part.gate, part.params, part.qubits) for part in parts]
    _check_size(gate, MAX_MATRIX_QUBITS)
    return two_level_parts(gate.target_matrix(*_numbers(gate, params)))


def _spec_parts(gate: GateSpec, params: tuple[Any, ...]) -> list[GateOperation]:
    name = gate.name
    if GATES.get(name) is gate:
        if name in _TABLE:
            return [GateOperation(GATES[n], p, q) for n, p, q in _TABLE[name](*params)]
        if name in _DOUBLE:
            return _double_excitation(_DOUBLE[name], params[0])
        if name in _MULTI_CONTROLLED:
            inner, count = _MULTI_CONTROLLED[name]
            own = tuple(range(count, gate.num_qubits))
            return [GateOperation(GATES[inner], params, own, tuple(range(count)), (1,) * count)]
    elif name.endswith("_dg") and name[:-3] in GATES:
        return [op.inverse() for op in reversed(_spec_parts(GATES[name[:-3]], params))]
    parts = gate.decompose(params)
    if parts is not None:
        return [GateOperation(part.gate, part.params, part.qubits) for part in parts]
    matrix = gate.target_matrix(*_numbers(gate, params))
    return _unitary_gate_parts(UnitaryGate(matrix, name, num_controls=gate.num_controls))


def _numbers(gate: Gate, params: Sequence[Any]) -> list[float]:
    if not all(isinstance(p, int | float) for p in params):
        raise ArgumentError(
            f"gate `{gate.name}` can only be written with numeric parameters; bind them first"
        )
    return [float(p) for p in params]


def _check_size(gate: Gate, limit: int) -> None:
    own = gate.num_qubits - gate.num_controls
    if own > limit:
        raise ArgumentError(
            f"gate `{gate.name}` is a matrix on {own} qubits, and at most {limit} can be decomposed"
        )


# -- matrices --------------------------------------------------------------------------------------
def zyz_angles(matrix: ComplexArray) -> tuple[float, float, float, float]:
    """``(alpha, beta, gamma, delta)`` with matrix = exp(i alpha) RZ(beta) RY(gamma) RZ(delta)."""
    a, b, c, d = (complex(x) for x in matrix.ravel().tolist())
    gamma = 2 * math.atan2(abs(c), abs(a))
    alpha = cmath.phase(a * d - b * c) / 2
    plus = 2 * (cmath.phase(d) - alpha) if abs(d) > _NEGLIGIBLE else 0.0
    minus = 2 * (cmath.phase(c) - alpha) if abs(c) > _NEGLIGIBLE else 0.0
    return alpha, (plus + minus) / 2, gamma, (plus - minus) / 2


def _single_qubit_parts(
    matrix: ComplexArray, target: int, controls: tuple[int, ...], values: tuple[int, ...]
) -> list[GateOperation]:
    alpha, beta, gamma, delta = zyz_angles(matrix)
    out = []
    if abs(gamma) <= _NEGLIGIBLE:
        beta, delta = beta + delta, 0.0
    for name, angle in (("rz", delta), ("ry", gamma), ("rz", beta)):
        if abs(angle) > _NEGLIGIBLE:
            out.append(GateOperation(GATES[name], (angle,), (target,), controls, values))
    if abs(alpha) > _NEGLIGIBLE:
        out.append(GateOperation(GATES["gphase"], (alpha,), (), controls, values))
    return out


def _unitary_gate_parts(gate: UnitaryGate) -> list[GateOperation]:
    if not gate.check:
        raise ArgumentError(f"gate `{gate.name}` was made with check=False and may not be unitary")
    _check_size(gate, MAX_MATRIX_QUBITS)
    count = gate.num_controls
    parts = two_level_parts(gate.target_matrix())
    if not count:
        return parts
    controls = tuple(range(count))
    moved = [op.remap(lambda q: q + count, lambda c: c) for op in parts]
    return [op.with_control(controls, (1,) * count) for op in moved]


def two_level_parts(matrix: ComplexArray) -> list[GateOperation]:
    """A unitary matrix as rotations of one qubit each, controlled by all others.

    Notes
    -----
    Entries below the diagonal are zeroed one by one with rotations of rows that are neighbours in a
    Gray code, which differ in one qubit; at most 2**k (2**k - 1) / 2 rotations, then a diagonal.
    """
    size = len(matrix)
    num_qubits = size.bit_length() - 1
    if num_qubits == 1:
        return _single_qubit_parts(matrix, 0, (), ())
    gray = [i ^ (i >> 1) for i in range(size)]
    work = np.array(matrix)[np.ix_(gray, gray)]
    undone: list[list[GateOperation]] = []
    for column in range(size - 1):
        for row in range(size - 1, column, -1):
            upper, lower = work[row - 1, column], work[row, column]
            length = math.hypot(abs(upper), abs(lower))
            if abs(lower) <= _NEGLIGIBLE * 10:
                continue
            rotation = np.array([[upper.conjugate(), lower.conjugate()], [-lower, upper]]) / length
            work[row - 1 : row + 1] = rotation @ work[row - 1 : row + 1]
            work[row, column] = 0.0
            bit = gray[row - 1] ^ gray[row]
            target = bit.bit_length() - 1
            inverse: ComplexArray = rotation.conj().T.astype(complex)
            if gray[row - 1] & bit:  # the matrix is written with the qubit's value 1 first
                inverse = inverse[::-1, ::-1]
            controls = tuple(q for q in range(num_qubits) if q != target)
            values = tuple(gray[row] >> q & 1 for q in controls)
            undone.append(_single_qubit_parts(inverse, target, controls, values))
    phases = np.empty(size)
    phases[gray] = np.angle(np.diag(work))
    out = _diagonal_parts(phases, 1.0)
    for parts in reversed(undone):
        out.extend(parts)
    return out


# -- diagonals, rotations, permutations ------------------------------------------------------------
def _diagonal_parts(phases: FloatArray, factor: Any) -> list[GateOperation]:
    """``exp(i * factor * phases[j])`` on basis state j, as a product of Z rotations."""
    num_qubits = len(phases).bit_length() - 1
    if num_qubits > MAX_DIAGONAL_QUBITS:
        raise ArgumentError(
            f"a diagonal on {num_qubits} qubits cannot be decomposed; at most {MAX_DIAGONAL_QUBITS} are"
        )
    transformed = np.array(phases, dtype=float)
    step = 1
    while step < len(transformed):  # Walsh-Hadamard transform
        pairs = transformed.reshape(-1, 2, step)
        transformed = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).ravel()
        step *= 2
    transformed /= len(transformed)
    out: list[GateOperation] = []
    for mask, coefficient in enumerate(transformed.tolist()):
        if abs(coefficient) <= _NEGLIGIBLE:
            continue
        if mask == 0:
            out.append(GateOperation(GATES["gphase"], (coefficient * factor,), ()))
        else:
            qubits = [q for q in range(num_qubits) if mask >> q & 1]
            out.extend(_z_rotation(qubits, -2 * coefficient * factor))
    return out


def _z_rotation(qubits: Sequence[int], angle: Any) -> list[GateOperation]:
    """exp(-i angle/2 Z...Z)."""
    ladder = [GateOperation(GATES["cx"], (), pair) for pair in itertools.pairwise(qubits)]
    return [*ladder, GateOperation(GATES["rz"], (angle,), (qubits[-1],)), *reversed(ladder)]


def _pauli_parts(label: str, angle: Any) -> list[GateOperation]:
    letters = [(q, letter) for q, letter in enumerate(reversed(label)) if letter != "I"]
    if not letters:
        return [GateOperation(GATES["gphase"], (angle / -2,), ())]
    before: list[GateOperation] = []
    after: list[GateOperation] = []
    for q, letter in letters:
        if letter == "X":
            before.append(GateOperation(GATES["h"], (), (q,)))
            after.append(GateOperation(GATES["h"], (), (q,)))
        elif letter == "Y":
            before.append(GateOperation(GATES["rx"], (math.pi / 2,), (q,)))
            after.append(GateOperation(GATES["rx"], (-math.pi / 2,), (q,)))
    return [*before, *_z_rotation([q for q, _ in letters], angle), *after]


def _generator_parts(gate: GeneratorGate, angle: ParameterExpression) -> list[GateOperation]:
    """exp(-i angle G) with a symbol for the angle: in the basis of G's eigenvectors it is diagonal."""
    _check_size(gate, MAX_MATRIX_QUBITS)
    levels, vectors = np.linalg.eigh(np.asarray(gate.generator, dtype=complex))
    forward = two_level_parts(vectors)
    return [
        *(op.inverse() for op in reversed(forward)),
        *_diagonal_parts(-levels, angle),
        *forward,
    ]


def _permutation_parts(images: list[int]) -> list[GateOperation]:
    """Multi-controlled X gates that take basis state j to ``images[j]``.

    The images are brought to the identity one after another; each step leaves the states before it
    alone, since its controls are not all set in a smaller number (transformation-based synthesis of
    reversible functions).
    """
    size = len(images)
    num_qubits = size.bit_length() - 1
    steps: list[tuple[int, int]] = []

    def flip(controls: int, target: int) -> None:
        steps.append((controls, target))
        for j, image in enumerate(images):
            if image & controls == controls:
                images[j] = image ^ (1 << target)

    for j in range(size):
        missing = j & ~images[j]
        for q in range(num_qubits):
            if missing >> q & 1:
                flip(images[j], q)
        extra = images[j] & ~j
        for q in range(num_qubits):
            if extra >> q & 1:
                flip(j, q)
    out = []
    for controls, target in reversed(steps):
        qubits = tuple(q for q in range(num_qubits) if controls >> q & 1)
        out.append(GateOperation(GATES["x"], (), (target,), qubits, (1,) * len(qubits)))
    return out
