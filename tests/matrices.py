"""Closed forms of gates, written down from the definitions and not from the gate table.

The literature takes the first qubit as the most significant bit of a matrix index; `little` turns such a
matrix around to qsim's order, in which the first qubit is the least significant one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

__all__ = ["CLOSED_FORMS", "little"]

I2, X, Y, Z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
S = np.diag([1, 1j])


def e(angle: float) -> complex:
    return complex(np.exp(1j * angle))


def little(matrix: np.ndarray) -> np.ndarray:
    """Reverses the order of the bits in both indices."""
    k = len(matrix).bit_length() - 1
    order = [int(f"{i:0{k}b}"[::-1], 2) for i in range(len(matrix))]
    return np.asarray(matrix)[np.ix_(order, order)]


def controlled(matrix: np.ndarray, controls: int = 1) -> np.ndarray:
    """Textbook form: the controls are the most significant bits, the matrix is the last block."""
    size = len(matrix)
    out = np.eye(size << controls, dtype=complex)
    out[-size:, -size:] = matrix
    return little(out)


def middle(block: list[list[complex]], outer: complex = 1.0, last: complex | None = None) -> np.ndarray:
    """A 4 x 4 matrix with `block` on |01>, |10> (first qubit leftmost) and phases on |00> and |11>."""
    out = np.diag([outer, 0, 0, outer if last is None else last]).astype(complex)
    out[1:3, 1:3] = block
    return little(out)


def turn(angle: float) -> list[list[complex]]:
    """cos, -sin; sin, cos."""
    return [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]


def rot(phi: float, theta: float, omega: float) -> np.ndarray:
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return np.array(
        [
            [e(-(phi + omega) / 2) * c, -e((phi - omega) / 2) * s],
            [e(-(phi - omega) / 2) * s, e((phi + omega) / 2) * c],
        ]
    )


def function_on_bits(count: int, function: Callable[..., tuple[int, ...]]) -> np.ndarray:
    """The permutation |bits> -> |function(bits)>, bit k being qubit k."""
    out = np.zeros((1 << count, 1 << count))
    for column in range(1 << count):
        result = function(*(column >> k & 1 for k in range(count)))
        out[sum(bit << k for k, bit in enumerate(result)), column] = 1
    return out


def double_excitation(phi: float, others: complex = 1.0) -> np.ndarray:
    """|0011> -> cos |0011> + sin |1100>, |1100> -> cos |1100> - sin |0011>, first qubit leftmost."""
    out = others * np.eye(16, dtype=complex)
    c, s = np.cos(phi / 2), np.sin(phi / 2)
    out[3, 3], out[12, 3], out[12, 12], out[3, 12] = c, s, c, -s
    return little(out)


def annihilator(mode: int, modes: int) -> np.ndarray:
    """Jordan-Wigner: Z on the modes before, |0><1| on the mode itself; first mode leftmost."""
    lower = np.array([[0, 1], [0, 0]])
    return reduce(np.kron, [Z] * mode + [lower] + [I2] * (modes - mode - 1), np.eye(1))


def orbital_rotation(phi: float) -> np.ndarray:
    """Rotation by phi/2 of the spatial orbitals (0, 1) into (2, 3), the same for both spins."""
    a = [annihilator(mode, 4) for mode in range(4)]
    hop = sum(a[down].T @ a[up] - a[up].T @ a[down] for down, up in ((0, 2), (1, 3)))
    levels, vectors = np.linalg.eigh(1j * hop)
    return little((vectors * np.exp(-1j * levels * phi / 2)) @ vectors.conj().T)


def fsim(theta: float, phi: float) -> np.ndarray:
    return middle([[np.cos(theta), -1j * np.sin(theta)], [-1j * np.sin(theta), np.cos(theta)]], 1, e(-phi))


def ms(phi0: float, phi1: float, theta: float) -> np.ndarray:
    c, s = np.cos(theta / 2), -1j * np.sin(theta / 2)
    plus, minus = phi0 + phi1, phi0 - phi1
    return little(
        np.array(
            [
                [c, 0, 0, e(-plus) * s],
                [0, c, e(-minus) * s, 0],
                [0, e(minus) * s, c, 0],
                [e(plus) * s, 0, 0, c],
            ]
        )
    )


def fermionic_swap(phi: float) -> np.ndarray:
    c, s = e(phi / 2) * np.cos(phi / 2), -1j * e(phi / 2) * np.sin(phi / 2)
    return middle([[c, s], [s, c]], 1, e(phi))


_HALF = 1 / np.sqrt(2)
SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
SY = (1 + 1j) / 2 * np.array([[1, -1], [1, 1]])

CLOSED_FORMS: dict[str, Callable[..., np.ndarray]] = {
    # one qubit
    "x": lambda: X,
    "y": lambda: Y,
    "h": lambda: (X + Z) * _HALF,
    "t": lambda: np.diag([1, (1 + 1j) * _HALF]),
    "sx": lambda: SX,
    "sy": lambda: SY,
    "sydg": lambda: SY.conj().T,
    "rx": lambda t: np.array([[np.cos(t / 2), -1j * np.sin(t / 2)], [-1j * np.sin(t / 2), np.cos(t / 2)]]),
    "ry": lambda t: np.array(turn(t / 2)),
    "rz": lambda t: np.diag([e(-t / 2), e(t / 2)]),
    "p": lambda t: np.diag([1, e(t)]),
    "gpi": lambda phi: np.array([[0, e(-phi)], [e(phi), 0]]),
    "gpi2": lambda phi: np.array([[1, -1j * e(-phi)], [-1j * e(phi), 1]]) * _HALF,
    "u0": lambda gamma: I2,
    "rot": rot,
    # two qubits
    "cx": lambda: controlled(X),
    "csxdg": lambda: controlled(SX.conj().T),
    "crot": lambda *p: controlled(rot(*p)),
    "cphase00": lambda phi: little(np.diag([e(phi), 1, 1, 1])),
    "cphase01": lambda phi: little(np.diag([1, e(phi), 1, 1])),
    "cphase10": lambda phi: little(np.diag([1, 1, e(phi), 1])),
    "swap": lambda: middle([[0, 1], [1, 0]]),
    "iswap": lambda: middle([[0, 1j], [1j, 0]]),
    "iswapdg": lambda: middle([[0, -1j], [-1j, 0]]),
    "siswap": lambda: middle([[_HALF, 1j * _HALF], [1j * _HALF, _HALF]]),
    "siswapdg": lambda: middle([[_HALF, -1j * _HALF], [-1j * _HALF, _HALF]]),
    "fswap": lambda: middle([[0, 1], [1, 0]], 1, -1),
    "syc": lambda: fsim(np.pi / 2, np.pi / 6),
    "fsim": fsim,
    "ising_xy": lambda phi: middle(
        [[np.cos(phi / 2), 1j * np.sin(phi / 2)], [1j * np.sin(phi / 2), np.cos(phi / 2)]]
    ),
    "pswap": lambda phi: middle([[0, e(phi)], [e(phi), 0]]),
    "fermionic_swap": fermionic_swap,
    "givens": lambda theta: middle(turn(theta)),
    "rbs": lambda theta: middle(turn(-theta)),
    "single_excitation": lambda phi: middle(turn(phi / 2)),
    "single_excitation_plus": lambda phi: middle(turn(phi / 2), e(phi / 2)),
    "single_excitation_minus": lambda phi: middle(turn(phi / 2), e(-phi / 2)),
    "rzx": lambda t: little(np.cos(t / 2) * np.eye(4) - 1j * np.sin(t / 2) * np.kron(Z, X)),
    "ms": ms,
    # three and more
    "ccx": lambda: controlled(X, 2),
    "c3x": lambda: controlled(X, 3),
    "c4x": lambda: controlled(X, 4),
    "deutsch": lambda t: controlled(1j * np.cos(t) * I2 + np.sin(t) * X, 2),
    "qubit_carry": lambda: function_on_bits(4, lambda a, b, c, d: (a, b, b ^ c, b & c ^ d ^ (b ^ c) & a)),
    "qubit_sum": lambda: function_on_bits(3, lambda a, b, c: (a, b, a ^ b ^ c)),
    "double_excitation": double_excitation,
    "double_excitation_plus": lambda phi: double_excitation(phi, e(phi / 2)),
    "double_excitation_minus": lambda phi: double_excitation(phi, e(-phi / 2)),
    "orbital_rotation": orbital_rotation,
}
