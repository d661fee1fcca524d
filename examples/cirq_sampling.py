"""Sample a random circuit in Cirq, and score the samples by their cross entropy.

    python examples/cirq_sampling.py [--rows 4] [--columns 5] [--samples 100000]

The script is Cirq's; the one line of qsim is the simulator. Random circuits of this kind spread their
probabilities as those of random states, so samples drawn from them score about 1 in the linear cross entropy
(2^n times their mean probability, less 1), and bitstrings drawn at random score about 0. Depolarising noise
takes the score down. Needs Cirq: pip install ".[cirq]".
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import cirq
import numpy as np

from qsim.cirq import QsimSimulator

#: Scores must be as exact ones to this many standard deviations: a miss by chance once in 10^6 or more.
SIGMAS = 5.0
NOISE, NOISY_SAMPLES, NOISY_QUBITS = 0.002, 1000, (2, 4)


@dataclass
class Outcome:
    """Scores of samples, with the exact value and the standard deviation, and of the noisy ones."""

    num_qubits: int
    num_gates: int
    seconds: float
    score: float
    exact: float
    deviation: float
    uniform: float
    noisy: float
    noiseless: float

    @property
    def is_good(self) -> bool:
        right = abs(self.score - self.exact) <= SIGMAS * self.deviation
        return right and abs(self.uniform) <= SIGMAS * self.deviation and 0 < self.noisy < self.noiseless

    def lines(self) -> list[str]:
        return [
            f"random circuit of {self.num_gates} gates on {self.num_qubits} qubits, sampled in "
            f"{self.seconds:.2f} s",
            f"    cross entropy {self.score:.3f} +- {self.deviation:.3f}, exact {self.exact:.3f}; "
            f"uniform bitstrings {self.uniform:.3f}",
            f"    {NOISY_QUBITS[0] * NOISY_QUBITS[1]} qubits with noise {NOISE:.1%} a gate: {self.noisy:.3f} "
            f"instead of {self.noiseless:.3f}",
        ]


def random_circuit(rows: int, columns: int) -> cirq.Circuit:
    return cirq.experiments.random_rotations_between_grid_interaction_layers_circuit(
        cirq.GridQubit.rect(rows, columns), depth=14, seed=5
    )


def scores(probabilities: np.ndarray, integers: np.ndarray) -> np.ndarray:
    """2^n p(sample) - 1 of each sample."""
    return len(probabilities) * probabilities[integers] - 1


def run(rows: int = 4, columns: int = 5, samples: int = 100_000) -> Outcome:
    simulator = QsimSimulator(seed=1)  # was: cirq.Simulator(seed=1)
    circuit = random_circuit(rows, columns)
    qubits = sorted(circuit.all_qubits())
    measured = circuit + cirq.measure(*qubits, key="m")

    start = time.perf_counter()
    result = simulator.run(measured, repetitions=samples)
    seconds = time.perf_counter() - start
    integers = result.data["m"].to_numpy().astype(np.int64)

    probabilities = np.abs(simulator.simulate(circuit).final_state_vector.astype(complex)) ** 2
    each = scores(probabilities, integers)
    drawn = scores(probabilities, np.random.default_rng(1).integers(len(probabilities), size=samples))
    noisy, noiseless = noisy_score()
    return Outcome(
        num_qubits=len(qubits),
        num_gates=len(list(circuit.all_operations())),
        seconds=seconds,
        score=float(each.mean()),
        exact=float(len(probabilities) * np.sum(probabilities**2) - 1),
        deviation=float(each.std() / samples**0.5),
        uniform=float(drawn.mean()),
        noisy=noisy,
        noiseless=noiseless,
    )


def noisy_score() -> tuple[float, float]:
    """The score of samples under depolarising noise, and what it would be without."""
    circuit = random_circuit(*NOISY_QUBITS)
    qubits = sorted(circuit.all_qubits())
    probabilities = np.abs(QsimSimulator().simulate(circuit).final_state_vector.astype(complex)) ** 2
    simulator = QsimSimulator(seed=2, noise=cirq.ConstantQubitNoiseModel(cirq.depolarize(NOISE)))
    result = simulator.run(circuit + cirq.measure(*qubits, key="m"), repetitions=NOISY_SAMPLES)
    integers = result.data["m"].to_numpy().astype(np.int64)
    exact = len(probabilities) * np.sum(probabilities**2) - 1
    return float(scores(probabilities, integers).mean()), float(exact)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--samples", type=int, default=100_000)
    options = parser.parse_args(arguments)
    outcome = run(options.rows, options.columns, options.samples)
    print("\n".join(outcome.lines()))
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
