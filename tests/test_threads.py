"""Programs shared by threads, and thread counts: the same bits as serial runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import qsim
from qsim.circuit import Circuit


def test_many_python_threads_share_one_program(backend):
    theta = qsim.Parameter("theta")
    program = qsim.compile(Circuit(3).ry(theta, 0).cx(0, 1).cx(1, 2), "Z0", backend=backend)
    values = [[k / 50] for k in range(200)]
    serial = [program.expectation(v) for v in values]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(program.expectation, values)) == serial
