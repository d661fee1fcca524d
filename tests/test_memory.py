"""Memory: sizes written with units, and no growth over many runs."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import qsim
from qsim.circuit import Circuit
from qsim.memory import format_bytes, free_memory
from qsim.testing import random_circuit

MEGABYTE = 1 << 20
needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")


def test_sizes_are_written_with_units():
    sizes = (0, 1023, 1 << 10, 1 << 30, 1 << 40)
    assert [format_bytes(s) for s in sizes] == ["0 bytes", "1023 bytes", "1 KiB", "1 GiB", "1 TiB"]


def test_free_memory_is_that_of_this_machine():
    free = free_memory()
    assert free is None or 1 << 20 < free < 1 << 60


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def growth(work: Callable[[], object], rounds: int) -> int:
    """Bytes that `rounds` calls add to those of a tenth of them."""
    for _ in range(max(1, rounds // 10)):
        work()
    before = resident()
    for _ in range(rounds):
        work()
    return resident() - before


@needs_proc
def test_memory_does_not_grow_over_100000_runs(backend):
    theta = qsim.Parameter("theta")
    program = qsim.compile(Circuit(3).ry(theta, 0).cx(0, 1).rzz(0.3, 1, 2), "Z0 Z1", backend=backend)
    row = np.array([0.1])
    assert growth(lambda: program.expectation(row), 100_000) <= 5 * MEGABYTE


@needs_proc
@pytest.mark.parametrize("answer", ["statevector", "probabilities", "sample", "batch", "build", "branches"])
def test_memory_does_not_grow_over_other_runs(backend, answer):
    theta = qsim.Parameter("theta")
    program = qsim.compile(Circuit(3).ry(theta, 0).cx(0, 1), "Z0 Z1", backend=backend)
    rows, row = np.zeros((50, 1)), np.array([0.1])
    dynamic = Circuit(2, 2).h(0).measure(0, 0).if_else((0, 1), Circuit(2, 2).x(1)).measure(1, 1)
    branching = qsim.compile(dynamic, backend=backend)
    work = {
        "statevector": lambda: program.statevector(row),
        "probabilities": lambda: program.probabilities(row, [0]),
        "sample": lambda: program.sample(row, shots=10, seed=1),
        "batch": lambda: program.expectation(rows),
        "build": lambda: qsim.statevector(random_circuit(3, 5, seed=1), backend=backend),
        "branches": lambda: branching.distribution(),
    }[answer]
    rounds = {"build": 1500, "branches": 1500, "sample": 4000}.get(answer, 8000)
    assert growth(work, rounds) <= 5 * MEGABYTE


@needs_proc
def test_refused_input_leaves_nothing_behind(backend):
    """Errors in the middle of a run must free what the run had."""
    circuit = Circuit(16).h(0)

    def refused() -> None:
        with pytest.raises(ValueError):
            qsim.statevector(circuit, initial_state=np.full(1 << 16, np.nan), backend=backend)

    assert growth(refused, 100) <= 5 * MEGABYTE


# What runs first starts the threads and loads or compiles all kernels.
PEAK = """
import resource, sys
import numpy as np
import qsim
from qsim.testing import random_circuit

n, backend, precision = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def program(num_qubits):
    circuit = qsim.Circuit(num_qubits)
    x = qsim.ParameterVector("x", num_qubits)
    for layer in range(3):
        for q in range(num_qubits):
            circuit.rx(x[q], q).rz(0.3, q)
        for q in range(num_qubits - 1):
            circuit.cx(q, q + 1) if layer == 1 else circuit.cp(0.2 * q, q, q + 1)
        circuit.rxx(0.4, 0, num_qubits - 1).swap(1, num_qubits - 2).ccx(0, 5, num_qubits - 1)
    return qsim.compile(circuit, "Z0 X3", backend=backend, precision=precision, threads=2)


def peak():
    # of this program: getrusage() would count what its parent had when it forked
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))


def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()


values = np.linspace(0, 1, n)
program(17).expectation(values[:17])
program(17).statevector(values[:17])
big = program(n)
before = resident()
assert peak() - before < 40 << 20
state = big.statevector(values)
size = state.nbytes
print((peak() - before) / size)
del state
big.expectation(values)
big.sample(values, shots=1000, seed=1)
print((peak() - before) / size)
"""


OBSERVED = (
    PEAK.split("values = ")[0]
    + """
calls = {
    "variance": lambda s, c: s.variance(c, {"X0 Z5": 1.0, "Y3": 0.5}),
    "variance of a matrix": lambda s, c: s.variance(c, qsim.Hermitian([[1, 2j], [-2j, 0.5]], qubits=[3])),
    "matrix": lambda s, c: s.expectation(c, qsim.Hermitian([[1, 2j], [-2j, 0.5]], qubits=[3])),
    "diagonal": lambda s, c: s.variance(c, qsim.Diagonal([0, 1, 2, 3], qubits=[1, 5])),
    "state": lambda s, c: s.expectation(c, qsim.StateProjector([0.6, 0.8], qubits=[2])),
    "density matrix": lambda s, c: s.density_matrix(c, [3, 1, 7]),
}
simulator = qsim.Simulator(backend, precision, 2)
circuits = [qsim.Circuit(k).h(range(k)).cz(0, k - 1).ry(0.3, 3) for k in (17, n)]
for name, call in calls.items():
    call(simulator, circuits[0])
    simulator.probabilities(circuits[1], qubits=[0])
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew
    before = resident()
    call(simulator, circuits[1])
    print((peak() - before) / (simulator.compile(circuits[1]).dtype.itemsize << n), name)
"""
)


@needs_proc
def test_what_is_read_off_a_state_needs_one_more(backend, precision):
    """Matrices, variances and density matrices go through a big state in pieces."""
    done = subprocess.run(
        [sys.executable, "-c", OBSERVED, "22", backend, precision],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"},  # nothing hides in what an earlier call left
    )
    assert done.returncode == 0, done.stderr
    ratios = {line.split(" ", 1)[1]: float(line.split()[0]) for line in done.stdout.splitlines()}
    assert len(ratios) == 6 and max(ratios.values()) < 2.2, ratios
    assert max(ratios["density matrix"], ratios["state"]) < 1.3, ratios


@needs_proc
def test_a_run_needs_the_memory_of_one_state(backend, precision):
    """No second copy, and little beside it: at most a twentieth, tiles and plans included."""
    num_qubits = 24 if backend == "cpp" else 23
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(num_qubits), backend, precision],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert all(0.99 <= float(ratio) <= 1.05 for ratio in done.stdout.split()), done.stdout
