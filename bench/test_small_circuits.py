"""Whole Programs on 2 to 14 qubits: where the cost of a call, the kernels and the batch meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import qsim
from bench.circuits import ansatz, ising

LAYERS = 3
SIZES = [2, 4, 6, 8, 10, 12, 14]


def program(num_qubits: int, backend: str, precision: str) -> tuple[qsim.Program, np.ndarray]:
    circuit = ansatz(num_qubits, LAYERS)
    compiled = qsim.compile(
        circuit, observables=ising(num_qubits), backend=backend, precision=precision, threads=1
    )
    return compiled, np.random.default_rng(0).uniform(0, 6, (64, len(circuit.parameters)))


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("num_qubits", SIZES)
@pytest.mark.parametrize("answer", ["statevector", "expectation", "probabilities"])
class TestOneCall:
    def test_one(self, benchmark: Any, answer: str, num_qubits: int, precision: str, backend: str) -> None:
        compiled, points = program(num_qubits, backend, precision)
        benchmark.group = f"{answer} n={num_qubits} {precision}"
        result = benchmark(getattr(compiled, answer), points[0])
        assert np.isfinite(result).all()

    def test_batch_of_64(
        self, benchmark: Any, answer: str, num_qubits: int, precision: str, backend: str
    ) -> None:
        compiled, points = program(num_qubits, backend, precision)
        benchmark.group = f"{answer} n={num_qubits} {precision}, batch of 64"
        result = benchmark(getattr(compiled, answer), points)
        assert len(result) == len(points)


@pytest.mark.parametrize("shots", [100, 100_000])
@pytest.mark.parametrize("num_qubits", [2, 8, 14])
def test_sample(benchmark: Any, num_qubits: int, shots: int, backend: str) -> None:
    compiled, points = program(num_qubits, backend, "double")
    benchmark.group = f"sample n={num_qubits}, {shots} shots"
    result = benchmark(lambda: compiled.sample(points[0], shots=shots, seed=1).ints)
    assert len(result) == shots
