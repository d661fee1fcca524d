"""The 19 circuits whose expressibility and entangling capability Sim et al. compared."""

from __future__ import annotations

from collections.abc import Iterable

from qsim._checks import check_count
from qsim._templates import Weights
from qsim.circuit import Circuit

__all__ = ["sim"]

Pairs = list[tuple[int, int]]


class _Builder:
    """A circuit with its weights; pairs are (control, target)."""

    def __init__(self, num_qubits: int, name: str) -> None:
        self.circuit = Circuit(num_qubits, name=name)
        self.theta = Weights()
        self.qubits = range(num_qubits)

    def rotate(self, *gates: str, on: Iterable[int] | None = None) -> None:
        """Each gate on all the qubits before the next gate."""
        chosen = self.qubits if on is None else on
        for gate in gates:
            for q in chosen:
                self.circuit.append(gate, (self.theta(),), q)

    def entangle(self, gate: str, pairs: Pairs) -> None:
        for pair in pairs:
            self.circuit.append(gate, (self.theta(),) if gate in ("crx", "crz") else (), pair)


def _down(n: int) -> Pairs:
    """(n-1, n-2), ..., (1, 0)."""
    return [(q + 1, q) for q in reversed(range(n - 1))]


def _all(n: int) -> Pairs:
    """Each qubit as control of all others, from the last one."""
    return [(a, b) for a in reversed(range(n)) for b in reversed(range(n)) if a != b]


def _bricks(n: int, start: int) -> Pairs:
    """(start + 1, start), (start + 3, start + 2), ..."""
    return [(q + 1, q) for q in range(start, n - 1, 2)]


def _ring(n: int) -> Pairs:
    """(n-1, 0), (n-2, n-1), ..., (0, 1)."""
    return [(q, (q + 1) % n) for q in reversed(range(n))] if n > 1 else []


def _ring_back(n: int) -> Pairs:
    """(n-1, n-2), (0, n-1), (1, 0), ..., (n-2, n-3)."""
    return [(q % n, (q - 1) % n) for q in range(n - 1, 2 * n - 1)] if n > 1 else []


def sim(num_qubits: int, *, circuit: int = 14, layers: int = 1) -> Circuit:
    """One of the 19 circuits of Sim et al. [1]_.

    Parameters
    ----------
    num_qubits : int
        Four in the paper; the others follow its tables of gate counts.
    circuit : int
        1 to 19. The most expressible ones for their cost are 13, 14, 5 and 6.
    layers : int

    Returns
    -------
    Circuit

    References
    ----------
    .. [1] S. Sim, P. D. Johnson, A. Aspuru-Guzik, Adv. Quantum Technol. 2, 1900070 (2019), figure 2 and
       its table of costs.
    """
    check_count(num_qubits, "num_qubits", 1)
    check_count(circuit, "circuit", 1, 19)
    check_count(layers, "layers", 1)
    build = _Builder(num_qubits, f"sim_{circuit}")
    if circuit == 10:
        build.rotate("ry")
    for _ in range(layers):
        _layer(build, circuit, num_qubits)
    return build.theta.close(build.circuit)


def _layer(build: _Builder, circuit: int, n: int) -> None:
    if circuit == 9:
        build.circuit.h(range(n))
        build.entangle("cz", _down(n))
        build.rotate("rx")
    elif circuit == 10:
        build.entangle("cz", _down(n) + ([(n - 1, 0)] if n > 2 else []))
        build.rotate("ry")
    elif circuit in (11, 12):
        gate = "cx" if circuit == 11 else "cz"
        build.rotate("ry", "rz")
        build.entangle(gate, _bricks(n, 0))
        inner = [q for pair in _bricks(n, 1) for q in reversed(pair)]
        build.rotate("ry", "rz", on=inner)
        build.entangle(gate, _bricks(n, 1))
    elif circuit in (13, 14, 15):
        gate = {13: "crz", 14: "crx", 15: "cx"}[circuit]
        build.rotate("ry")
        build.entangle(gate, _ring(n))
        build.rotate("ry")
        build.entangle(gate, _ring_back(n))
    else:
        gate = "cx" if circuit == 2 else "crz" if circuit in (3, 5, 7, 16, 18) else "crx"
        build.rotate("rx", "rz")
        if circuit in (2, 3, 4):
            build.entangle(gate, _down(n))
        elif circuit in (5, 6):
            build.entangle(gate, _all(n))
            build.rotate("rx", "rz")
        elif circuit in (7, 8):
            build.entangle(gate, _bricks(n, 0))
            build.rotate("rx", "rz")
            build.entangle(gate, _bricks(n, 1))
        elif circuit in (16, 17):
            build.entangle(gate, _bricks(n, 0) + _bricks(n, 1))
        elif circuit in (18, 19):
            build.entangle(gate, _ring(n))
