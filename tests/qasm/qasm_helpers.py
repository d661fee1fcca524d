"""Helpers of the OpenQASM tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qsim import Circuit, distribution
from qsim.io import loads

SAMPLES = Path(__file__).parent / "samples"
HEADER2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEADER3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def assert_same_unitary(
    first: Circuit, second: Circuit, *, up_to_phase: bool = False, atol: float = 1e-12
) -> None:
    """Compare dense matrices, exactly or up to a global phase."""
    a, b = first.matrix(), second.matrix()
    assert a.shape == b.shape
    assert_same_matrix(a, b, up_to_phase=up_to_phase, atol=atol)


def assert_same_matrix(
    a: np.ndarray, b: np.ndarray, *, up_to_phase: bool = False, atol: float = 1e-12
) -> None:
    if up_to_phase:
        largest = np.argmax(np.abs(a))
        ratio = b.flat[largest] / a.flat[largest]
        a = a * (ratio / abs(ratio))
    np.testing.assert_allclose(a, b, rtol=0, atol=atol)


def outcome(body: str, header: str = HEADER3) -> dict[str, str]:
    """The one outcome of a deterministic program, by register."""
    circuit = loads(header + body)
    result = distribution(circuit)
    (bits,) = [key for key, probability in result.items() if probability > 1 - 1e-9]
    values = bits[::-1]
    return {
        name: "".join(values[i] for i in reversed(indices))
        for name, indices in circuit.classical_registers.items()
    }
