"""Precision and number of threads: by argument, by environment, by default."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np

from qsim._checks import check_count
from qsim.errors import ArgumentError

__all__ = ["available_processors", "missing_core", "resolve_dtype", "resolve_threads"]

_DTYPES: dict[str, np.dtype[Any]] = {"double": np.dtype(np.complex128), "single": np.dtype(np.complex64)}
_NAMES = {"complex128": "double", "complex64": "single"}


def resolve_dtype(precision: str | None) -> np.dtype[Any]:
    """complex128 or complex64 for ``"double"`` or ``"single"``; None asks ``QSIM_PRECISION``, then double."""
    name = precision if precision is not None else os.environ.get("QSIM_PRECISION") or "double"
    source = "Argument `precision`" if precision is not None else "QSIM_PRECISION"
    if not isinstance(name, str):
        raise TypeError(f"{source} must be 'double' or 'single', but is {type(name).__name__}.")
    dtype = _DTYPES.get(_NAMES.get(name, name))
    if dtype is None:
        raise ArgumentError(f"{source} must be 'double' or 'single', but is {name!r}.")
    return dtype


def resolve_threads(threads: int | None) -> int:
    """Number of threads; None asks ``QSIM_NUM_THREADS``, ``OMP_NUM_THREADS``, then the machine."""
    if threads is not None:
        return check_count(threads, "threads", 1, 4096)
    for variable in ("QSIM_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable)
        if text:
            if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= 4096:
                if variable == "OMP_NUM_THREADS":
                    continue  # OpenMP allows more than a number here
                raise ArgumentError(f"{variable} must be a number from 1 to 4096, but is {text[:20]!r}.")
            return int(text)
    return available_processors()


@functools.cache
def available_processors() -> int:
    """Processors this process may use: its affinity, within the quota of its control group."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        count = os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return count


def missing_core() -> str:
    """Why there is no C++ core, and what to do about it where qsim is imported from its own sources."""
    place = Path(__file__).resolve().parents[1]
    if not ((place / "csrc").is_dir() and (place / "setup.py").is_file()):
        return "the C++ core is not built"
    return (
        f"the C++ core is not built in the source tree {place}, which is what Python imports; run "
        "`pip install -e .` there, or start Python in another directory to import an installed qsim"
    )
