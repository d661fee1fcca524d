"""Write the generated files of examples/circuits; run it after a change and commit what it writes.

Every file begins with comments that say what the circuit is, where it comes from, and what must come
out. `run_all.py` reads these lines of the header and checks them:

    // outcome: BITS PROBABILITY     exact probability of an outcome (bit 0 rightmost)
    // observable: SUM               Pauli sum, as 0.5 * Z0 Z1 - X2 + 3; several lines add up
    // value: NUMBER                 its expectation value before the final measurements
    // cross entropy: NUMBER         linear cross-entropy of the samples (random circuits)

The expected figures are closed forms, or come from `generator/oracle.py`, which shares no code with
qsim. The files with loops and feed-forward (OpenQASM 3) are written by hand and are not touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from generator.algorithms import adder, bernstein_vazirani, ghz, grover, hidden_shift, phase_estimation, qft
from generator.random_circuits import random_circuit
from generator.source import Source
from generator.variational import qaoa_maxcut, vqe_hydrogen, vqe_ising


def sources(max_qubits: int = 64) -> Iterator[Source]:
    """Every generated file of at most so many qubits; deterministic."""
    yield adder(6, a=43, b=29)
    yield bernstein_vazirani(16, secret=0b1011001110001101)
    yield grover(5, marked=0b10110)
    yield hidden_shift(12, shift=0b110100101101)
    yield phase_estimation(8, Fraction(181, 256), "phase_estimation_exact_8")
    yield phase_estimation(8, Fraction(1, 3), "phase_estimation_third_8")
    yield qaoa_maxcut()
    yield qft(12, period_bits=4, offset=5)
    yield vqe_hydrogen()
    yield vqe_ising()
    yield random_circuit(16, columns=4, cycles=16, seed=16, cross_entropy=True)
    if max_qubits >= 20:
        yield ghz(20)
        yield random_circuit(20, columns=5, cycles=16, seed=20, cross_entropy=True)
    if max_qubits >= 26:
        yield random_circuit(24, columns=6, cycles=8, seed=24, cross_entropy=False)
        yield random_circuit(26, columns=6, cycles=8, seed=26, cross_entropy=False)


def main() -> None:
    for source in sources():
        source.write()
        print(f"wrote circuits/{source.name}.qasm")


if __name__ == "__main__":
    main()
