"""The gate table: the only place that knows a gate's name.

A gate with at most one parameter is a matrix ``const + sum_t cos_t*cos(omega_t*theta) +
sin_t*sin(omega_t*theta)`` on its targets, with any number of leading control qubits that are never
matrix rows. A gate with several parameters is a list of such gates. From these records come the
methods of `Circuit`, the kernels' access pattern, derivatives, shift rules, inverses, OpenQASM
definitions, the table in the docs and the tests.

Matrix index: the first listed qubit of a gate is the least significant bit (as in Qiskit).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from qsim.gate_spec import (
    GATES,
    Gate,
    GateSpec,
    Matrix,
    Part,
    Term,
    apply_to_columns,
    expand_controls,
    get_gate,
    register,
    unique_specs,
    unitary_power,
)

__all__ = [
    "GATES",
    "Gate",
    "GateSpec",
    "Matrix",
    "Part",
    "Term",
    "apply_to_columns",
    "expand_controls",
    "get_gate",
    "register",
    "unique_specs",
    "unitary_power",
]


def _constant(name: str, matrix: Any, controls: int = 0, aliases: Iterable[str] = ()) -> None:
    m = np.asarray(matrix, dtype=complex)
    targets = len(m).bit_length() - 1
    register(GateSpec(name, m, (), controls, tuple(aliases), num_qubits=targets + controls))


def _single(
    name: str,
    const: Any,
    cos: Any,
    sin: Any,
    omega: float = 1.0,
    controls: int = 0,
    aliases: Iterable[str] = (),
    param: str = "theta",
) -> None:
    c = np.asarray(const, dtype=complex)
    term = Term(omega, np.asarray(cos, dtype=complex), np.asarray(sin, dtype=complex))
    targets = len(c).bit_length() - 1
    register(GateSpec(name, c, (term,), controls, tuple(aliases), (param,), num_qubits=targets + controls))


def _rotation(name: str, pauli: Matrix, controls: int = 0, aliases: Iterable[str] = ()) -> None:
    """exp(-i theta P / 2)."""
    eye = np.eye(len(pauli), dtype=complex)
    _single(name, 0 * eye, eye, -1j * pauli, 0.5, controls, aliases)


def _phase(
    name: str,
    projector: Any,
    controls: int = 0,
    aliases: Iterable[str] = (),
    param: str = "theta",
    sign: int = 1,
) -> None:
    """exp(i sign theta) on the states of `projector`, 1 elsewhere (`projector`: a list of 0 and 1)."""
    p = np.diag(np.asarray(projector, dtype=complex))
    eye = np.eye(len(p))
    _single(name, eye - p, p, sign * 1j * p, 1.0, controls, aliases, param)


def _composite(
    name: str,
    num_qubits: int,
    decomposition: Callable[..., list[tuple[str, tuple[Any, ...], tuple[int, ...]]]],
    inverse_map: Callable[..., tuple[Any, ...]] | None = None,
    aliases: Iterable[str] = (),
) -> None:
    names = tuple(inspect.signature(decomposition).parameters)
    register(
        GateSpec(
            name,
            aliases=tuple(aliases),
            param_names=names,
            decomposition=decomposition,
            inverse_map=inverse_map,
            num_qubits=num_qubits,
        )
    )


def _two_level(size: int, low: int, high: int) -> tuple[Matrix, Matrix, Matrix]:
    """(identity outside, identity inside, |high><low| - |low><high|) of the plane of two basis states."""
    outside, inside, turn = (
        np.eye(size, dtype=complex),
        np.zeros((size, size), complex),
        np.zeros((size, size), complex),
    )
    for level in (low, high):
        outside[level, level], inside[level, level] = 0, 1
    turn[high, low], turn[low, high] = 1, -1
    return outside, inside, turn


def _fill_table() -> None:
    eye, x, y, z = np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
    h, s, t = (x + z) / np.sqrt(2), np.diag([1, 1j]), np.diag([1, np.exp(0.25j * np.pi)])
    sx = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
    sy = np.array([[1 + 1j, -1 - 1j], [1 + 1j, 1 + 1j]]) / 2
    swap = np.eye(4)[[0, 2, 1, 3]]

    # one qubit, constant
    _constant("id", eye, aliases=("i", "iden"))
    _constant("x", x)
    _constant("y", y)
    _constant("z", z)
    _constant("h", h)
    _constant("s", s)
    _constant("sdg", s.conj())
    _constant("t", t)
    _constant("tdg", t.conj())
    _constant("sx", sx, aliases=("v",))
    _constant("sxdg", sx.conj().T, aliases=("vdg",))
    _constant("sy", sy)
    _constant("sydg", sy.conj().T)

    # one qubit, rotations and phases
    _rotation("rx", x)
    _rotation("ry", y)
    _rotation("rz", z)
    _phase("p", [0, 1], aliases=("u1", "phase", "phase_shift"), param="lam")
    _phase("gphase", [1], aliases=("global_phase",), param="phi")
    _single("gpi", 0 * x, x, y, 1.0, param="phi")
    _single("gpi2", eye / np.sqrt(2), -1j * x / np.sqrt(2), -1j * y / np.sqrt(2), 1.0, param="phi")
    _composite("u0", 1, lambda gamma: [], lambda gamma: (gamma,))
    _composite(
        "u",
        1,
        lambda theta, phi, lam: [("p", (lam,), (0,)), ("ry", (theta,), (0,)), ("p", (phi,), (0,))],
        lambda theta, phi, lam: (-theta, -lam, -phi),
        ("u3",),
    )
    _composite(
        "u2",
        1,
        lambda phi, lam: [("p", (lam,), (0,)), ("ry", (np.pi / 2,), (0,)), ("p", (phi,), (0,))],
        lambda phi, lam: (-lam - np.pi, np.pi - phi),
    )
    _composite(
        "r",
        1,
        lambda theta, phi: [("rz", (-phi,), (0,)), ("rx", (theta,), (0,)), ("rz", (phi,), (0,))],
        lambda theta, phi: (-theta, phi),
        ("prx", "u1q"),
    )
    _composite(
        "rot",
        1,
        lambda phi, theta, omega: [("rz", (phi,), (0,)), ("ry", (theta,), (0,)), ("rz", (omega,), (0,))],
        lambda phi, theta, omega: (-omega, -theta, -phi),
    )

    # controlled gates of one target
    _constant("cx", x, 1, ("cnot", "CX"))
    _constant("cy", y, 1)
    _constant("cz", z, 1)
    _constant("ch", h, 1)
    _constant("cs", s, 1)
    _constant("csdg", s.conj(), 1)
    _constant("csx", sx, 1)
    _constant("csxdg", sx.conj().T, 1)
    _rotation("crx", x, 1)
    _rotation("cry", y, 1)
    _rotation("crz", z, 1)
    _phase("cp", [0, 1], 1, ("cu1", "cphase", "controlled_phase_shift"), "lam")
    _phase("cphase00", [1, 0, 0, 0], aliases=("cphaseshift00",), param="phi")
    _phase("cphase01", [0, 0, 1, 0], aliases=("cphaseshift01",), param="phi")
    _phase("cphase10", [0, 1, 0, 0], aliases=("cphaseshift10",), param="phi")
    _composite(
        "cu",
        2,
        lambda theta, phi, lam, gamma: [
            ("p", (gamma,), (0,)),
            ("cp", (lam,), (0, 1)),
            ("cry", (theta,), (0, 1)),
            ("cp", (phi,), (0, 1)),
        ],
        lambda theta, phi, lam, gamma: (-theta, -lam, -phi, -gamma),
    )
    _composite(
        "cu3",
        2,
        lambda theta, phi, lam: [("cp", (lam,), (0, 1)), ("cry", (theta,), (0, 1)), ("cp", (phi,), (0, 1))],
        lambda theta, phi, lam: (-theta, -lam, -phi),
    )
    _composite(
        "crot",
        2,
        lambda phi, theta, omega: [
            ("crz", (phi,), (0, 1)),
            ("cry", (theta,), (0, 1)),
            ("crz", (omega,), (0, 1)),
        ],
        lambda phi, theta, omega: (-omega, -theta, -phi),
    )

    # two qubits, constant
    root = 1 / np.sqrt(2)
    iswap = np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]])
    siswap = np.array([[1, 0, 0, 0], [0, root, 1j * root, 0], [0, 1j * root, root, 0], [0, 0, 0, 1]])
    ecr = np.array([[0, 1, 0, 1j], [1, 0, -1j, 0], [0, 1j, 0, 1], [-1j, 0, 1, 0]]) * root
    _constant("swap", swap)
    _constant("iswap", iswap)
    _constant("iswapdg", iswap.conj())
    _constant("siswap", siswap, aliases=("sqisw", "sqrt_iswap"))
    _constant("siswapdg", siswap.conj())
    _constant("fswap", swap @ np.diag([1, 1, 1, -1]))
    _constant("ecr", ecr)
    _composite("dcx", 2, lambda: [("cx", (), (0, 1)), ("cx", (), (1, 0))])
    _composite("syc", 2, lambda: [("fsim", (np.pi / 2, np.pi / 6), (0, 1))], aliases=("sycamore",))

    # two qubits, parametrised
    xx, yy, zz = (np.asarray(np.kron(m, m), dtype=complex) for m in (x, y, z))
    _rotation("rxx", xx, aliases=("ising_xx",))
    _rotation("ryy", yy, aliases=("ising_yy",))
    _rotation("rzz", zz, aliases=("ising_zz",))
    _rotation("rzx", np.kron(x, z))  # Z on the first qubit, X on the second
    flip = (xx + yy).real / 2  # |01><10| + |10><01|
    outer, inner = np.diag([1, 0, 0, 1]), np.diag([0, 1, 1, 0])
    _single("ising_xy", outer, inner, 1j * flip, 0.5, param="phi")
    _single("pswap", outer, flip, 1j * flip, 1.0, param="phi")
    # exp(i phi/2) cos(phi/2) = (1 + exp(i phi)) / 2, and likewise for the sine
    plus = np.diag([0, 0, 0, 1]) + (inner - flip) / 2
    _single("fermionic_swap", np.diag([1, 0, 0, 0]) + (inner + flip) / 2, plus, 1j * plus, 1.0, param="phi")
    outside, inside, turn = _two_level(4, 1, 2)
    _single("givens", outside, inside, -turn, 1.0)
    _single("rbs", outside, inside, turn, 1.0)
    _single("single_excitation", outside, inside, -turn, 0.5, param="phi")
    for name, sign in (("single_excitation_plus", 1), ("single_excitation_minus", -1)):
        _single(name, 0 * outside, outside + inside, -turn + sign * 1j * outside, 0.5, param="phi")
    _composite(
        "xx_plus_yy",
        2,
        lambda theta, beta: [("rz", (beta,), (0,)), ("ising_xy", (-theta,), (0, 1)), ("rz", (-beta,), (0,))],
        lambda theta, beta: (-theta, beta),
    )
    _composite(
        "xx_minus_yy",
        2,
        lambda theta, beta: [
            ("rz", (-beta,), (1,)),
            ("rxx", (theta / 2,), (0, 1)),
            ("ryy", (-theta / 2,), (0, 1)),
            ("rz", (beta,), (1,)),
        ],
        lambda theta, beta: (-theta, beta),
    )
    _composite(
        "fsim",
        2,
        lambda theta, phi: [("ising_xy", (-2 * theta,), (0, 1)), ("cp", (-phi,), (0, 1))],
        lambda theta, phi: (-theta, -phi),
    )
    _composite(
        "ms",
        2,
        lambda phi0, phi1, theta: [
            ("rz", (-phi0,), (0,)),
            ("rz", (-phi1,), (1,)),
            ("rxx", (theta,), (0, 1)),
            ("rz", (phi0,), (0,)),
            ("rz", (phi1,), (1,)),
        ],
        lambda phi0, phi1, theta: (phi0, phi1, -theta),
    )

    # three and more qubits
    _constant("ccx", x, 2, ("toffoli",))
    _constant("ccz", z, 2)
    _constant("cswap", swap, 1, ("fredkin",))
    _constant("c3x", x, 3)
    _constant("c4x", x, 4)
    _constant("c3sx", sx, 3, ("c3sqrtx",))
    _single("deutsch", 0 * x, 1j * eye, x, 1.0, 2)
    _composite(
        "rccx",
        3,
        lambda: [
            ("h", (), (2,)),
            ("t", (), (2,)),
            ("cx", (), (1, 2)),
            ("tdg", (), (2,)),
            ("cx", (), (0, 2)),
            ("t", (), (2,)),
            ("cx", (), (1, 2)),
            ("tdg", (), (2,)),
            ("h", (), (2,)),
        ],
    )
    _composite(
        "rcccx",
        4,
        lambda: [
            ("h", (), (3,)),
            ("t", (), (3,)),
            ("cx", (), (2, 3)),
            ("tdg", (), (3,)),
            ("h", (), (3,)),
            ("cx", (), (0, 3)),
            ("t", (), (3,)),
            ("cx", (), (1, 3)),
            ("tdg", (), (3,)),
            ("cx", (), (0, 3)),
            ("t", (), (3,)),
            ("cx", (), (1, 3)),
            ("tdg", (), (3,)),
            ("h", (), (3,)),
            ("t", (), (3,)),
            ("cx", (), (2, 3)),
            ("tdg", (), (3,)),
            ("h", (), (3,)),
        ],
        aliases=("rc3x",),
    )
    _composite("qubit_carry", 4, lambda: [("ccx", (), (1, 2, 3)), ("cx", (), (1, 2)), ("ccx", (), (0, 2, 3))])
    _composite("qubit_sum", 3, lambda: [("cx", (), (1, 2)), ("cx", (), (0, 2))])
    outside, inside, turn = _two_level(16, 12, 3)  # |0011> <-> |1100>, first qubit leftmost
    _single("double_excitation", outside, inside, turn, 0.5, param="phi")
    for name, sign in (("double_excitation_plus", 1), ("double_excitation_minus", -1)):
        _single(name, 0 * outside, outside + inside, turn + sign * 1j * outside, 0.5, param="phi")
    _composite(
        "orbital_rotation",
        4,
        lambda phi: [
            ("fermionic_swap", (np.pi,), (1, 2)),
            ("single_excitation", (phi,), (0, 1)),
            ("single_excitation", (phi,), (2, 3)),
            ("fermionic_swap", (np.pi,), (1, 2)),
        ],
        lambda phi: (-phi,),
    )


_fill_table()
