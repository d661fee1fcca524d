"""Circuits the benchmarks share."""

from __future__ import annotations

import qsim

__all__ = ["ansatz", "ising", "many_gates"]


def ansatz(num_qubits: int, layers: int) -> qsim.Circuit:
    """RY, RZ and a ring of CX per layer, every rotation with a parameter of its own."""
    circuit = qsim.Circuit(num_qubits)
    w = qsim.ParameterVector("w", 2 * layers * num_qubits)
    k = 0
    for _ in range(layers):
        for q in range(num_qubits):
            circuit.ry(w[k], q)
            circuit.rz(w[k + 1], q)
            k += 2
        for q in range(num_qubits if num_qubits > 2 else 1):
            circuit.cx(q, (q + 1) % num_qubits)
    return circuit


def ising(num_qubits: int) -> qsim.PauliSum:
    """Transverse-field Ising chain with open ends."""
    terms = {f"Z{q} Z{q + 1}": -1.0 for q in range(num_qubits - 1)}
    return qsim.PauliSum(terms | {f"X{q}": -0.7 for q in range(num_qubits)})


def many_gates(num_qubits: int, count: int) -> qsim.Circuit:
    """`count` gates of many kinds: constants, rotations, controlled gates."""
    circuit = qsim.Circuit(num_qubits)
    steps = [
        lambda q, r: circuit.h(q),
        lambda q, r: circuit.rx(0.1, q),
        lambda q, r: circuit.cx(q, r),
        lambda q, r: circuit.rz(0.2, q),
        lambda q, r: circuit.cp(0.3, q, r),
        lambda q, r: circuit.ry(0.4, q),
        lambda q, r: circuit.swap(q, r),
        lambda q, r: circuit.t(q),
    ]
    for i in range(count):
        steps[i % len(steps)](i % num_qubits, (i + 1 + i // num_qubits % (num_qubits - 1)) % num_qubits)
    return circuit
