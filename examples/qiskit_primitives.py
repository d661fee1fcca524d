"""Qiskit's primitives on qsim: a ground state by the estimator, teleportation by the sampler.

    python examples/qiskit_primitives.py [--steps 120]

The ground state of a transverse-field Ising chain of six spins is found by gradient descent (Adam); the
shifted angles of each step are the bindings of one pub, so that a step is one batch of one compiled program.
The energy stands beside the exact one. Then a state is teleported: two measurements in the middle of a
circuit decide which gates come after them, and the sampler counts whether it has arrived. Needs Qiskit:
pip install ".[qiskit]".
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np

NUM_SPINS, NUM_LAYERS, FIELD = 6, 3, 1.0
STEPS, RATE = 120, 0.1
SHOTS = 4096
#: The largest relative error of the energy with which the example counts as a success.
LARGEST_ERROR = 0.01


@dataclass
class Outcome:
    """What came out."""

    energy: float
    exact: float
    seconds: float
    steps: int
    arrived: float
    expected: float

    @property
    def is_good(self) -> bool:
        error = abs(self.energy - self.exact) / abs(self.exact)
        spread = np.sqrt(self.expected * (1 - self.expected) / SHOTS)
        return error < LARGEST_ERROR and abs(self.arrived - self.expected) < 5 * spread

    def lines(self) -> list[str]:
        return [
            f"energy of {NUM_SPINS} spins: {self.energy:.4f} after {self.steps} steps in {self.seconds:.1f} s"
            f" (exact: {self.exact:.4f})",
            f"teleported qubit: 1 in {self.arrived:.3f} of {SHOTS} shots (expected: {self.expected:.3f})",
        ]


def chain():
    """The Hamiltonian, -sum Z Z - FIELD sum X."""
    from qiskit.quantum_info import SparsePauliOp

    bonds = [("ZZ", [k, k + 1], -1.0) for k in range(NUM_SPINS - 1)]
    fields = [("X", [k], -FIELD) for k in range(NUM_SPINS)]
    return SparsePauliOp.from_sparse_list(bonds + fields, num_qubits=NUM_SPINS)


def ansatz():
    """The Hamiltonian's own evolution, with an angle for each bond and spin of each layer."""
    from qiskit.circuit import ParameterVector, QuantumCircuit

    angles = iter(ParameterVector("angle", NUM_LAYERS * (2 * NUM_SPINS - 1)))
    circuit = QuantumCircuit(NUM_SPINS)
    circuit.h(range(NUM_SPINS))
    for _ in range(NUM_LAYERS):
        for k in range(NUM_SPINS - 1):
            circuit.rzz(next(angles), k, k + 1)
        for k in range(NUM_SPINS):
            circuit.rx(next(angles), k)
    return circuit


def ground_state(steps: int) -> tuple[float, float]:
    """The least energy found, and the exact one."""
    from qsim.qiskit import QsimEstimator

    estimator, circuit, hamiltonian = QsimEstimator(), ansatz(), chain()
    angles = np.random.default_rng(1).normal(0, 0.1, circuit.num_parameters)
    shifts = np.pi / 2 * np.eye(len(angles))
    mean, square, energy = np.zeros_like(angles), np.zeros_like(angles), np.inf
    for step in range(1, steps + 1):
        bindings = np.concatenate([angles[None], angles + shifts, angles - shifts])
        values = estimator.run([(circuit, hamiltonian, bindings)]).result()[0].data.evs
        energy = min(energy, float(values[0]))
        plus, minus = np.split(values[1:], 2)
        slope = (plus - minus) / 2
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        angles = angles - RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return energy, float(np.linalg.eigvalsh(hamiltonian.to_matrix())[0])


def teleportation(angle: float):
    """A circuit that takes RY(angle) of |0> from qubit 0 to qubit 2."""
    from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

    circuit = QuantumCircuit(
        QuantumRegister(3), ClassicalRegister(2, "told"), ClassicalRegister(1, "arrived")
    )
    circuit.ry(angle, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.z(2)
    circuit.measure(2, 2)
    return circuit


def run(steps: int = STEPS) -> Outcome:
    from qsim.qiskit import QsimSampler

    begun = time.perf_counter()
    energy, exact = ground_state(steps)
    seconds = time.perf_counter() - begun
    angle = 1.2
    result = QsimSampler(seed=1).run([teleportation(angle)], shots=SHOTS).result()[0]
    arrived = result.data.arrived.get_counts().get("1", 0) / SHOTS
    return Outcome(energy, exact, seconds, steps, arrived, float(np.sin(angle / 2) ** 2))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    outcome = run(options.steps)
    print("\n".join(outcome.lines()))
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
