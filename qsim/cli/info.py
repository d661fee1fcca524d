"""``qsim info``: the installation, the machine, and what fits."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
from pathlib import Path
from typing import Any

from qsim._version import __version__
from qsim.machine import cpu_model
from qsim.memory import format_bytes, free_memory, largest_num_qubits
from qsim.settings import available_processors, missing_core, resolve_dtype, resolve_threads

__all__ = ["describe", "info"]

_FLAGS = (
    "sse2",
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512dq",
    "avx512vl",
    "avx512bw",
    "asimd",
    "sve",
)


def describe() -> dict[str, Any]:
    """What `qsim info` reports.

    Returns
    -------
    dict
        Of numbers, texts and lists, ready for JSON.

    Raises
    ------
    BackendError
        If ``QSIM_BACKEND`` or ``QSIM_ISA`` asks for what is not available here.
    """
    from qsim.backends.base import available_backends, get_backend

    backend = get_backend()
    free = free_memory()
    out: dict[str, Any] = {
        "version": __version__,
        "location": str(Path(__file__).resolve().parents[1]),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "numpy": _version("numpy"),
        "numba": _version("numba"),
        "cpu": cpu_model(),
        "cpu_features": _cpu_features(),
        "processors": available_processors(),
        "threads": resolve_threads(None),
        "threads_from": _source("QSIM_NUM_THREADS", "OMP_NUM_THREADS", default="processors available"),
        "backend": backend.name,
        "backend_reason": _reason(backend.name),
        "backends": list(available_backends()),
        "isa": None,
        "isas": [],
        "precision": "double" if resolve_dtype(None).itemsize == 16 else "single",
        "memory_free": free,
        "largest_num_qubits": {"double": largest_num_qubits(16), "single": largest_num_qubits(8)},
    }
    if importlib.util.find_spec("qsim._core") is not None:
        try:
            from qsim import _core
        except (ImportError, RuntimeError):
            pass
        else:
            out["isa"], out["isas"] = _core.isa(), list(_core.available_isas())
    return out


def info(args: argparse.Namespace) -> int:
    """``qsim info``."""
    found = describe()
    if args.json:
        print(json.dumps(found, indent=1))
        return 0
    free = found["memory_free"]
    isa = "none (C++ core not in use)"
    if found["isa"] is not None:
        isa = f"{found['isa']} (available: {', '.join(found['isas'])}; QSIM_ISA chooses)"
    fits = found["largest_num_qubits"]
    rows = [
        ("qsim", f"{found['version']}, in {found['location']}"),
        ("Python", f"{found['python']}, {found['system']}"),
        ("NumPy", found["numpy"] or "not found"),
        ("Numba", found["numba"] or "not installed"),
        ("Processor", found["cpu"]),
        ("CPU features", ", ".join(found["cpu_features"]) or "unknown"),
        ("Backend", f"{found['backend']}: {found['backend_reason']}"),
        ("Instruction set", isa),
        ("Threads", f"{found['threads']} (from {found['threads_from']})"),
        ("Memory free", "unknown" if free is None else format_bytes(free)),
        ("Precision", f"{found['precision']} unless asked otherwise"),
        ("Largest state", _fits_text(fits)),
    ]
    width = max(len(name) for name, _ in rows)
    print("\n".join(f"{name:<{width}}  {value}" for name, value in rows))
    return 0


def _fits_text(fits: dict[str, int | None]) -> str:
    if fits["double"] is None:
        return "unknown"
    return f"{fits['double']} qubits in double precision, {fits['single']} in single"


def _version(package: str) -> str | None:
    """Version of a package, without importing it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _source(*variables: str, default: str) -> str:
    return next((v for v in variables if os.environ.get(v)), default)


def _reason(name: str) -> str:
    """Why this backend serves."""
    if os.environ.get("QSIM_BACKEND"):
        return "QSIM_BACKEND asks for it"
    if name == "cpp":
        return "the C++ core is built, and it is the faster one"
    if importlib.util.find_spec("qsim._core") is None:
        return f"{missing_core()}, so Numba serves"
    return f"the C++ core cannot be loaded ({_core_failure()}), so Numba serves"


def _core_failure() -> str:
    try:
        import qsim._core  # noqa: F401
    except (ImportError, RuntimeError) as error:
        return str(error)
    return "its backend failed"


def _cpu_features() -> list[str]:
    """Those flags of the processor that matter to the kernels."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.lower().startswith(("flags", "features")):
                    present = set(line.split(":", 1)[1].split())
                    return [flag for flag in _FLAGS if flag in present]
    except OSError:
        pass
    return []
