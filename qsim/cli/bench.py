"""``qsim bench``: measure what this machine reaches, and keep it for `Program.explain`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from qsim.errors import BackendError
from qsim.machine import cache_file, cpu_model, measure, save
from qsim.settings import resolve_threads

__all__ = ["bench"]


def bench(args: argparse.Namespace) -> int:
    """Measure for one thread and for as many as are in use, print, and keep."""
    try:
        from qsim import _core
    except ImportError as error:
        raise BackendError("The measurement needs the C++ core, which is not built here.") from error
    counts = sorted({1, resolve_threads(args.threads)})
    found = [(threads, measure(threads)) for threads in counts]
    path = save(found)
    if args.json:
        rows = [{"threads": threads} | asdict(figures) for threads, figures in found]
        print(json.dumps({"cpu": cpu_model(), "isa": _core.isa(), "figures": rows}, indent=1))
        return 0
    print(f"{cpu_model()}, {_core.isa()}")
    for threads, figures in found:
        print(
            f"{threads} {'thread' if threads == 1 else 'threads'}: "
            f"copies {figures.bandwidth / 1e9:.1f} GB/s (read and written), "
            f"{figures.peak_single / 1e9:.0f} Gflop/s in single precision, "
            f"{figures.peak_double / 1e9:.0f} in double"
        )
    print(f"Kept in {path}." if path else f"Not kept: {cache_file()} cannot be written.")
    return 0
