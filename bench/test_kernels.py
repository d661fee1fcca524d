"""One gate at a time on a big state. `python -m bench.bandwidth` prints the same as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bench.kernels import KERNELS, Kernel, moved_share, place_qubits, prepare, random_state
from bench.machine import Copier, Spread, median_seconds


@pytest.fixture(
    scope="module",
    params=[(20, "single"), (20, "double"), (24, "single"), (24, "double")],
    ids=lambda p: f"n{p[0]}-{p[1]}",
)
def states(request: pytest.FixtureRequest) -> npt.NDArray[Any]:
    num_qubits, precision = request.param
    return random_state(num_qubits, precision)


@pytest.fixture(scope="module")
def scratch(states: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.ones(states.size, states.dtype)


@pytest.mark.parametrize("place", ["low", "mid", "high"])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_kernel(
    benchmark: Any,
    states: npt.NDArray[Any],
    scratch: npt.NDArray[Any],
    kernel: Kernel,
    place: str,
    threads: int,
    backend: str,
) -> None:
    num_qubits = states.shape[1].bit_length() - 1
    qubits = place_qubits(kernel, place, num_qubits)
    assert qubits is not None
    run = prepare(kernel, qubits, states, threads, backend)
    copier, copies = Copier(states, threads, scratch), []
    benchmark.group = f"{kernel.name}-{place} n={num_qubits} {states.dtype}"
    benchmark.pedantic(
        run, setup=lambda: copies.append(copier.bandwidth()), rounds=7, iterations=1, warmup_rounds=1
    )
    moved = copier.bytes_moved * moved_share(kernel, qubits, states.itemsize)
    seconds = median_seconds(benchmark)
    benchmark.extra_info.update(
        threads=threads,
        backend=backend,
        GB_per_s=moved / seconds / 1e9,
        ratio=moved / seconds / Spread(copies).median,
    )
