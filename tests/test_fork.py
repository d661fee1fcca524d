"""Child processes, forked after a threaded run or started afresh, compute right results."""

from __future__ import annotations

import multiprocessing

import pytest

import qsim
from qsim.circuit import Circuit


def _expectation(backend: str) -> float:
    return qsim.expectation(Circuit(14).h(0).cx(0, 13), "Z0 Z13", backend=backend, threads=2)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_compute(backend, method):
    assert abs(_expectation(backend) - 1) < 1e-12
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert abs(pool.apply_async(_expectation, (backend,)).get(timeout=60) - 1) < 1e-12
