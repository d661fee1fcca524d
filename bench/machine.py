"""What belongs beside every result: the machine, the build, and how fast this machine copies memory."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Copier",
    "Spread",
    "commit",
    "cpu_model",
    "facts",
    "inner_loops",
    "machine_seconds",
    "median_seconds",
    "qsim_facts",
]

ROOT = Path(__file__).resolve().parent.parent


def cpu_model() -> str:
    """Name of the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit() -> str:
    """Commit of this checkout, with a mark if the tree has changes; empty outside of one."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def facts() -> dict[str, Any]:
    """Machine and commit, as recorded in every results file. Does not import qsim."""
    return {
        "started": time.strftime("%Y-%m-%d %H:%M:%S"),
        "commit": commit(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def qsim_facts() -> dict[str, Any]:
    """Version, backends and instruction set of the installed qsim."""
    import qsim

    result: dict[str, Any] = {"qsim": qsim.__version__, "backends": list(qsim.available_backends())}
    try:
        from qsim import _core
    except ImportError:
        return result
    return result | {"isa": _core.isa()}


def machine_seconds() -> float:
    """Busy processor time of the whole machine since it started; NaN where the system does not tell."""
    try:
        with open("/proc/stat") as stat:
            user, nice, system = stat.readline().split()[1:4]
    except OSError:
        return float("nan")
    return (int(user) + int(nice) + int(system)) / float(os.sysconf("SC_CLK_TCK"))


def inner_loops(run: Callable[[], object], minimum: float) -> int:
    """How often to call `run` so that the calls together take at least `minimum` seconds."""
    loops = 1
    while True:
        start = time.perf_counter()
        for _ in range(loops):
            run()
        seconds = time.perf_counter() - start
        if seconds >= minimum:
            return loops
        loops = max(2 * loops, int(1.2 * loops * minimum / max(seconds, 1e-9)))


def median_seconds(benchmark: Any) -> float:
    """Median of a pytest-benchmark fixture that has run; NaN under ``--benchmark-disable``."""
    return float(benchmark.stats.stats.median) if benchmark.stats else float("nan")


class Spread:
    """Median and extremes of the rounds of one measurement."""

    def __init__(self, values: Sequence[float]) -> None:
        self.median = statistics.median(values)
        self.min, self.max = min(values), max(values)

    def as_dict(self) -> dict[str, float]:
        return {"median": self.median, "min": self.min, "max": self.max}


class Copier:
    """The yardstick of memory-bound kernels: copying one array to another of its size.

    NumPy's copy is the C library's, which writes past the caches for arrays of this size; so bytes read
    plus bytes written is what moves, as it is for a gate applied in place.

    Parameters
    ----------
    source : ndarray
        Contiguous; never written to.
    threads : int
        Each copies its share, with the interpreter lock released.
    """

    def __init__(
        self, source: npt.NDArray[Any], threads: int, target: npt.NDArray[Any] | None = None
    ) -> None:
        flat = source.reshape(-1)
        self.target = np.ones_like(flat) if target is None else target  # written, so that its pages exist
        self.bytes_moved = 2 * flat.nbytes
        cuts = [flat.size * i // threads for i in range(threads + 1)]
        self._shares = [(self.target[start:stop], flat[start:stop]) for start, stop in pairwise(cuts)]
        self._pool = ThreadPoolExecutor(threads)
        self.loops = inner_loops(lambda: self._run(1), 0.005)

    def _run(self, loops: int) -> None:
        def copy(share: tuple[npt.NDArray[Any], npt.NDArray[Any]]) -> None:
            for _ in range(loops):
                np.copyto(*share)

        if len(self._shares) == 1:
            copy(self._shares[0])
        else:
            list(self._pool.map(copy, self._shares))

    def bandwidth(self) -> float:
        """Bytes read and written per second, in one round of at least 5 ms."""
        start = time.perf_counter()
        self._run(self.loops)
        return self.loops * self.bytes_moved / (time.perf_counter() - start)
