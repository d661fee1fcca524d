"""Batches of small circuits in lanes: circuits in a second, and gradients over values."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import qsim
from bench.circuits import ansatz
from bench.machine import median_seconds

LAYERS = 3
#: Circuits in a second and core of 8 qubits, 72 gates, 48 angles in double precision that are asked for ...
GOAL = 200_000
#: ... where the peak of a core is this many operations in a second.
PEAK = 90e9


def program_of(num_qubits: int, backend: str, precision: str, each: bool) -> qsim.Program:
    """Z of every qubit, or their sum."""
    zs = [f"Z{q}" for q in range(num_qubits)]
    observables = [qsim.PauliSum({z: 1.0}) for z in zs] if each else qsim.PauliSum(dict.fromkeys(zs, 1.0))
    return qsim.compile(
        ansatz(num_qubits, LAYERS), observables, backend=backend, precision=precision, threads=1
    )


def points(program: qsim.Program, batch: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 6, (batch, len(program.parameters)))


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("num_qubits", [4, 8, 12])
def test_values(benchmark: Any, num_qubits: int, precision: str, backend: str) -> None:
    """A batch of 1024; `extra_info` has circuits in a second and, for 8 qubits, the share of the goal."""
    program = program_of(num_qubits, backend, precision, each=True)
    rows = points(program, 1024)
    assert np.isfinite(benchmark(program.expectation, rows)).all()
    rate = len(rows) / median_seconds(benchmark)
    benchmark.extra_info["circuits_per_second"] = rate
    if backend == "cpp" and precision == "double" and num_qubits == 8:
        from qsim import _core

        benchmark.extra_info["over_the_goal"] = rate / (GOAL * _core.peak_flops(False, 1) / PEAK)


@pytest.mark.parametrize("num_qubits", [4, 8, 12])
@pytest.mark.parametrize("batch", [1, 256])
def test_gradient(benchmark: Any, num_qubits: int, batch: int, backend: str) -> None:
    """Values and all derivatives; `extra_info` has the time over that of the values alone."""
    program = program_of(num_qubits, backend, "double", each=False)
    rows = points(program, batch)
    forward = []
    program.expectation(rows)
    for _ in range(20):
        start = time.perf_counter()
        program.expectation(rows)
        forward.append(time.perf_counter() - start)
    _, slopes = benchmark(program.value_and_gradient, rows)
    assert np.isfinite(slopes).all()
    benchmark.extra_info["over_values"] = median_seconds(benchmark) / float(np.median(forward))
