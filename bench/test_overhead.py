"""What is paid beside the arithmetic: calls, building, compiling, loading, importing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import qsim
from bench.circuits import many_gates
from bench.machine import median_seconds


def five_gates() -> qsim.Circuit:
    w = qsim.ParameterVector("w", 4)
    return qsim.Circuit(2).ry(w[0], 0).ry(w[1], 1).cx(0, 1).rz(w[2], 0).rx(w[3], 1)


@pytest.mark.parametrize("answer", ["expectation", "statevector", "probabilities"])
def test_call(benchmark: Any, answer: str, backend: str) -> None:
    """A compiled 2-qubit 5-gate Program with new parameters in every call."""
    program = qsim.compile(five_gates(), observables=qsim.PauliSum({"Z1": 1.0}), backend=backend, threads=1)
    run, points = getattr(program, answer), np.random.default_rng(0).uniform(0, 6, (64, 4))
    calls = 0

    def call() -> Any:
        nonlocal calls
        calls += 1
        return run(points[calls % 64])

    assert np.isfinite(call()).all()
    benchmark(call)


def test_build(benchmark: Any) -> None:
    """10,000 gates by the methods of Circuit; seconds per gate in `extra_info`."""
    circuit = benchmark(many_gates, 20, 10_000)
    assert len(circuit.operations) == 10_000
    benchmark.extra_info["seconds_per_gate"] = median_seconds(benchmark) / 10_000


def test_build_with_parameters(benchmark: Any) -> None:
    w = qsim.ParameterVector("w", 10_000)

    def build() -> qsim.Circuit:
        circuit = qsim.Circuit(20)
        for i in range(10_000):
            circuit.ry(w[i], i % 20)
        return circuit

    assert len(benchmark(build).operations) == 10_000
    benchmark.extra_info["seconds_per_gate"] = median_seconds(benchmark) / 10_000


def test_compile(benchmark: Any, backend: str) -> None:
    """Lowering and planning of 100,000 gates."""
    circuit = many_gates(20, 100_000)
    program = benchmark.pedantic(
        qsim.compile, (circuit,), {"backend": backend}, rounds=5, iterations=1, warmup_rounds=1
    )
    assert program.is_static


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("gates", [1_000, 100_000])
def test_load_qasm(benchmark: Any, gates: int, version: int) -> None:
    text = many_gates(20, gates).to_qasm(version=version)
    circuit = benchmark.pedantic(qsim.Circuit.from_qasm, (text,), rounds=3, iterations=1)
    assert sum(circuit.count_ops().values()) == gates


@pytest.mark.parametrize("names", ["", "qsim.Circuit, qsim.PauliSum, qsim.compile"], ids=["bare", "used"])
def test_import(benchmark: Any, names: str) -> None:
    """`import qsim` in a fresh interpreter; names, and NumPy with them, are loaded at first use."""
    code = f"import time; start = time.perf_counter(); import qsim; {names or None}; "
    code += "print(time.perf_counter() - start)"
    seconds = []

    def run() -> None:
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds.append(float(result.stdout))

    benchmark.pedantic(run, rounds=10, iterations=1, warmup_rounds=1)
    benchmark.extra_info["seconds_without_python_itself"] = float(np.median(seconds))
