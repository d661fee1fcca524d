"""Child processes, forked after a threaded run or started afresh, compute right results."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable

import numpy as np
import pytest

import qsim
from qsim.circuit import Circuit
from qsim.testing import random_circuit

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SECONDS = 60


def big(backend: str, threads: int) -> bytes:
    """A run large enough for the kernels' own threads."""
    circuit = random_circuit(16, 30, seed=5)
    return qsim.statevector(circuit, backend=backend, threads=threads).tobytes()


def small(backend: str) -> float:
    return qsim.expectation(Circuit(2).h(0).cx(0, 1), "Z0 Z1", backend=backend)


def in_child(work: Callable[[], int]) -> int:
    """Exit code of a forked process: what `work` gives, 1 for an exception; killed if it takes too long."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    timer = threading.Timer(SECONDS, os.kill, (child, 9))
    timer.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        timer.cancel()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_compute(backend, method):
    wanted = big(backend, 2)  # starts the threads of the parent
    with multiprocessing.get_context(method).Pool(2) as pool:
        tasks = [pool.apply_async(big, (backend, threads)) for threads in (1, 2, 3)]
        for found in [task.get(timeout=SECONDS) for task in tasks]:
            if backend == "numba" and method == "spawn":
                # A process that compiles the kernels and one that finds some of them in the cache do not
                # link the same machine code: which product of a sum is rounded first may differ.
                np.testing.assert_allclose(np.frombuffer(found), np.frombuffer(wanted), rtol=0, atol=1e-14)
            else:
                assert found == wanted
        assert pool.apply_async(small, (backend,)).get(timeout=SECONDS) == pytest.approx(1)
    assert big(backend, 3) == wanted  # and the parent's threads still work


def test_fork_in_a_fork(backend):
    """A pool of workers that are themselves parents, as data loaders make them."""
    wanted = big(backend, 2)

    def work() -> int:
        grandchild = os.fork()
        if grandchild == 0:
            os._exit(0 if big(backend, 2) == wanted else 2)
        code = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])
        return code or (0 if big(backend, 2) == wanted else 3)

    assert in_child(work) == 0


def test_fork_while_another_thread_computes(backend):
    """The child has none of the parent's threads, whatever they were doing."""
    wanted = big(backend, 2)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            big(backend, 2)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(5):
            assert in_child(lambda: 0 if big(backend, 2) == wanted else 2) == 0
    finally:
        stop.set()
        thread.join()


def run_pickled(data: bytes) -> bytes:
    return pickle.loads(data).expectation(np.array([[0.1], [0.2]])).tobytes()


def test_programs_travel_to_other_processes(backend):
    theta = qsim.Parameter("theta")
    program = qsim.compile(Circuit(2).ry(theta, 0).cx(0, 1), "Z1", backend=backend)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply_async(run_pickled, (pickle.dumps(program),)).get(timeout=SECONDS)
    assert found == program.expectation([[0.1], [0.2]]).tobytes()
