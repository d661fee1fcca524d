"""Programs shared by Python threads, threads inside the kernels, and the interpreter lock."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import qsim
from qsim.circuit import Circuit
from qsim.parameters import ParameterVector
from qsim.testing import random_circuit, random_state

PYTHON_THREADS = 16


def in_threads(function, items) -> list:
    with ThreadPoolExecutor(PYTHON_THREADS) as pool:
        return list(pool.map(function, items))


def as_bytes(value) -> bytes:
    return np.asarray(value).tobytes()


def test_many_python_threads_share_one_program(backend):
    x = ParameterVector("x", 3)
    circuit = Circuit(4).ry(x[0], 0).cx(0, 1).rzz(x[1] * x[0], 1, 2).crx(x[2], 2, 3).h(0)
    program = qsim.compile(circuit, [{"Z0": 1.0, "X3": 0.5}, "Y1 Z2"], backend=backend)
    values = np.random.default_rng(0).uniform(-3, 3, size=(300, 3))
    for method in (program.expectation, program.statevector, program.probabilities, program.variance):
        serial = [as_bytes(method(v)) for v in values]
        assert in_threads(lambda v, method=method: as_bytes(method(v)), values) == serial
    seeded = [program.sample(values[0], shots=20, seed=s).ints.tolist() for s in range(100)]
    shared = in_threads(lambda s: program.sample(values[0], shots=20, seed=s).ints.tolist(), range(100))
    assert shared == seeded


def test_python_threads_and_kernel_threads_together(backend):
    """States large enough for the kernels' own threads, from many callers at once."""
    circuit = random_circuit(15, 40, seed=3)
    program = qsim.compile(circuit, "Z0 Z14", backend=backend, threads=3)
    states = [random_state(15, seed) for seed in range(8)]
    serial = [as_bytes(program.statevector(initial_state=s)) for s in states]
    assert in_threads(lambda s: as_bytes(program.statevector(initial_state=s)), states) == serial


def test_python_threads_ask_about_one_circuit(backend):
    """The functions of the module keep programs with the circuit; that cache is shared as well."""
    circuits = [random_circuit(3, 12, seed=seed) for seed in range(20)]
    serial = [as_bytes(qsim.statevector(c.copy(), backend=backend)) for c in circuits]
    for _ in range(5):
        fresh = [c.copy() for c in circuits]
        found = in_threads(lambda c: as_bytes(qsim.statevector(c, backend=backend)), fresh * 8)
        assert found == serial * 8


def test_branching_circuits_in_threads(backend):
    circuit = Circuit(3, 3).h(0).measure(0, 0)
    circuit.if_else((0, 1), Circuit(3, 3).h(1).cx(1, 2)).measure([1, 2], [1, 2])
    program = qsim.compile(circuit, backend=backend)
    serial = [program.sample(shots=30, seed=s).ints.tolist() for s in range(60)]
    assert in_threads(lambda s: program.sample(shots=30, seed=s).ints.tolist(), range(60)) == serial
    exact = program.distribution()
    assert all(found == exact for found in in_threads(lambda _: program.distribution(), range(40)))


@pytest.mark.parametrize("num_qubits", [3, 12, 17])
def test_no_answer_depends_on_the_number_of_threads(backend, precision, num_qubits):
    circuit = random_circuit(num_qubits, 30, seed=num_qubits)
    answers = []
    for threads in (1, 2, 3, 4):
        options = {"backend": backend, "precision": precision, "threads": threads}
        state = qsim.statevector(circuit, **options)
        high = f"Z{num_qubits - 1}"
        answers.append(
            [
                state.tobytes(),
                as_bytes(qsim.expectation(circuit, [{"Z0": 1.0, "X1": 0.3}, high], **options)),
                as_bytes(qsim.variance(circuit, "X0", **options)),
                as_bytes(qsim.probabilities(circuit, qubits=[1, 0], **options)),
                as_bytes(qsim.inner_product(circuit, circuit, **options)),
                qsim.sample(circuit, shots=500, seed=1, **options).ints.tobytes(),
            ]
        )
    assert all(answer == answers[0] for answer in answers[1:])


def test_other_python_threads_go_on_during_a_run(backend):
    """A thread that ticks every millisecond is never held up for long by a run of about a second."""
    circuit = Circuit(18)
    for k in range(30):
        circuit.rx(0.1, k % 18)
    program = qsim.compile(circuit, backend=backend, threads=1)
    start = time.perf_counter()
    program.statevector()  # warm, and a measure of this machine
    rounds = min(200, max(1, round(1.0 / (time.perf_counter() - start))))
    program = qsim.compile(circuit.repeat(rounds), backend=backend, threads=1)
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    program.statevector()
    end = time.perf_counter()
    stop.set()
    thread.join()
    inside = [start, *(t for t in ticks if start <= t <= end), end]
    gap = float(np.diff(inside).max())
    assert gap <= max(0.05, 0.25 * (end - start)), f"held up for {gap:.3f} of {end - start:.3f} seconds"
