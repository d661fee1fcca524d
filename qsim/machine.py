"""What this machine reaches: bandwidth of memory and peak of arithmetic, measured once and kept.

`qsim bench` measures with care and writes a file in the user's cache directory; `figures` reads it, and
measures briefly where there is none.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Figures", "cache_file", "cpu_model", "figures", "measure", "save"]

#: Bytes of the two arrays that are copied: bigger than the caches; `figures` takes a fifth of a second.
_CAREFUL_BYTES, _QUICK_BYTES = 1 << 28, 1 << 26


@dataclass(frozen=True)
class Figures:
    """What some threads of one processor reach with one instruction set.

    Attributes
    ----------
    bandwidth : float
        Bytes read and written per second when copying.
    peak_single, peak_double : float
        Additions and multiplications per second in registers; a multiply-add counts as two.
    """

    bandwidth: float
    peak_single: float
    peak_double: float


_known: dict[str, Figures] = {}


def cpu_model() -> str:
    """Name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.lower().startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def cache_file() -> Path:
    """Where figures are kept: ``$XDG_CACHE_HOME/qsim/machine.json``, else below ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "qsim" / "machine.json"


def measure(threads: int, *, quick: bool = False) -> Figures:
    """Measure now, with the C++ core's current instruction set.

    Raises
    ------
    ImportError
        If the C++ core is not built.
    """
    from qsim import _core

    return Figures(
        bandwidth=_core.copy_bandwidth(_QUICK_BYTES if quick else _CAREFUL_BYTES, threads),
        peak_single=_core.peak_flops(True, threads),
        peak_double=_core.peak_flops(False, threads),
    )


def figures(threads: int) -> Figures:
    """Figures for so many threads: those that `qsim bench` kept, else measured within 0.2 seconds."""
    key = _key(threads)
    if key not in _known:
        _known.update(_read())
    if key not in _known:
        _known[key] = measure(threads, quick=True)
    return _known[key]


def save(found: Iterable[tuple[int, Figures]]) -> Path | None:
    """Keep figures for later processes; None if the cache directory cannot be written."""
    _known.update({_key(threads): values for threads, values in found})
    path = cache_file()
    entries = {key: asdict(values) for key, values in (_read() | _known).items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return None
    return path


def _key(threads: int) -> str:
    from qsim import _core

    return f"{cpu_model()}, {_core.isa()}, {threads} threads"


def _read() -> dict[str, Figures]:
    """What the file holds, as far as it makes sense."""
    out: dict[str, Figures] = {}
    with suppress(OSError, ValueError, AttributeError):
        for key, values in json.loads(cache_file().read_text(encoding="utf-8")).items():
            with suppress(TypeError, ValueError):
                found = Figures(**{name: float(value) for name, value in values.items()})
                if min(found.bandwidth, found.peak_single, found.peak_double) > 0:
                    out[key] = found
    return out
