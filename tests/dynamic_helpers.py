"""What tests of circuits with classical control share."""

from __future__ import annotations

import qsim
from qsim.circuit import Circuit


def distribution(circuit: Circuit, backend: str, params=None) -> dict[str, float]:
    """The exact distribution, rounded."""
    return {k: round(p, 12) for k, p in qsim.distribution(circuit, params, backend=backend).items()}


def body(circuit: Circuit) -> Circuit:
    """An empty body of the circuit's size."""
    return Circuit(circuit.num_qubits, circuit.num_clbits)
