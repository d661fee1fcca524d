"""What memory a computation needs and what is free: refused before anything is allocated."""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Iterator
from typing import Any

from qsim.errors import ArgumentError, MemoryBudgetError

__all__ = [
    "check_budget",
    "check_free_memory",
    "check_state_memory",
    "format_bytes",
    "free_memory",
    "largest_num_qubits",
    "parse_bytes",
    "row_ranges",
    "rows_at_once",
]

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
#: Below this nothing can go wrong, and asking the system would take longer than the work.
_ALWAYS_FINE = 1 << 24
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b(?:ytes)?\s*", re.IGNORECASE | re.ASCII)


def format_bytes(size: int) -> str:
    """A size with a binary unit, e.g. ``16 GiB``."""
    if size >> 200:  # too many digits to read, and for a float
        return f"2**{size.bit_length() - 1} bytes"
    amount, unit = size, 0
    while amount >= 1 << 20 and unit < len(_UNITS) - 2:
        amount, unit = amount >> 10, unit + 1
    value = amount / 1024 if amount >= 1024 else float(amount)
    return f"{value:.4g} {_UNITS[unit + (amount >= 1024)]}"


def free_memory() -> int | None:
    """Bytes this process can still allocate; None where the system does not say.

    The least of what the system has available, what the control group leaves, and what the limit of
    the address space (``ulimit -v``) leaves.
    """
    found = [
        size for size in (_system_available(), _cgroup_available(), _address_space_left()) if size is not None
    ]
    return min(found) if found else None


def _system_available() -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not a POSIX system, or a name it does not know
        return None


def _cgroup_available() -> int | None:
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            with open(limit, encoding="ascii") as file:
                ceiling = int(file.read())
            with open(used, encoding="ascii") as file:
                return max(0, ceiling - int(file.read()))
        except (OSError, ValueError):  # no such group, or "max"
            continue
    return None


def _address_space_left() -> int | None:
    try:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft == resource.RLIM_INFINITY:
            return None
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
        return max(0, soft - pages * os.sysconf("SC_PAGE_SIZE"))
    except (ImportError, OSError, ValueError):
        return None


def largest_num_qubits(bytes_per_amplitude: int, copies: int = 1) -> int | None:
    """The largest number of qubits whose state fits `copies` times into the free memory."""
    free = free_memory()
    if free is None:
        return None
    return max(0, (free // (bytes_per_amplitude * copies)).bit_length() - 1)


def check_free_memory(needed: int, what: str, advice: str = "") -> None:
    """Raise `MemoryBudgetError` if `needed` bytes are not free; `what` is the subject of its sentence."""
    if needed <= _ALWAYS_FINE:
        return
    free = free_memory()
    if needed >> 62 or (free is not None and needed > free):
        raise MemoryBudgetError(
            f"{what} needs {format_bytes(needed)}, {format_bytes(free or 0)} is free."
            + (f" {advice}" if advice else "")
        )


def check_state_memory(num_qubits: int, bytes_per_amplitude: int, *, batch: int = 1, copies: int = 1) -> None:
    """Raise `MemoryBudgetError` if `copies` states for each of `batch` rows do not fit.

    Parameters
    ----------
    num_qubits : int
    bytes_per_amplitude : int
        16 in double precision, 8 in single.
    batch, copies : int
    """
    if num_qubits < 22 and batch * copies * bytes_per_amplitude << num_qubits <= _ALWAYS_FINE:
        return
    precision = "complex128" if bytes_per_amplitude == 16 else "complex64"
    if num_qubits > 10_000:
        raise MemoryBudgetError(
            f"{num_qubits} qubits in {precision} need 2**{num_qubits} amplitudes, more than any machine "
            "holds. "
            "Use fewer qubits."
        )
    needed = batch * copies * bytes_per_amplitude << num_qubits
    free = free_memory()
    if num_qubits <= 60 and (free is None or needed <= free):
        return
    rows = f" for a batch of {batch}" if batch > 1 else ""
    times = f" ({copies} copies)" if copies > 1 else ""
    fits = largest_num_qubits(bytes_per_amplitude, batch * copies)
    single = f", {largest_num_qubits(8, batch * copies)} in complex64" if bytes_per_amplitude == 16 else ""
    raise MemoryBudgetError(
        f"{num_qubits} qubits in {precision}{rows}{times} need {format_bytes(needed)}, "
        f"{format_bytes(free or 0)} is free; at most {fits} qubits fit{single}. "
        f"Use {_ways_out(bytes_per_amplitude, batch)}."
    )


def _ways_out(bytes_per_amplitude: int, batch: int) -> str:
    ways = ["precision='single'"] if bytes_per_amplitude == 16 else []
    ways += ["a smaller batch"] if batch > 1 else []
    return " or ".join([*ways, "fewer qubits"])


# -- a limit of the user's own ---------------------------------------------------------------------
def parse_bytes(size: Any, name: str = "max_memory") -> int | None:
    """Bytes from an int, or from text such as ``"256 MB"`` (of 10**6 bytes) or ``"1.5 GiB"``; None as it is.

    Examples
    --------
    >>> parse_bytes("256 MB"), parse_bytes("1.5 KiB"), parse_bytes(4096)
    (256000000, 1536, 4096)
    """
    if size is None:
        return None
    if isinstance(size, str):
        found = _SIZE.fullmatch(size)
        if found is None:
            raise ArgumentError(
                f"Argument `{name}` must be a number of bytes, or text such as '256 MB' or '2 GiB', but is "
                f"{size[:40]!r}."
            )
        number, prefix, binary = found.groups()
        out = int(float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " "))
    elif isinstance(size, bool) or not isinstance(size, numbers.Integral):
        raise TypeError(
            f"Argument `{name}` must be a number of bytes, or text such as '256 MB', but is "
            f"{type(size).__name__} ({size!r})."
        )
    else:
        out = int(size)
    if out < 1:
        raise ArgumentError(f"Argument `{name}` must be at least 1 byte, but is {size!r}.")
    return out


def check_budget(needed: int, max_memory: int | None, what: str) -> None:
    """Raise `MemoryBudgetError` if `needed` bytes are more than allowed; `what` begins the sentence."""
    if max_memory is not None and needed > max_memory:
        raise MemoryBudgetError(
            f"{what} needs {format_bytes(needed)}, but argument `max_memory` allows "
            f"{format_bytes(max_memory)}. Allow more."
        )


def rows_at_once(
    count: int,
    row_bytes: int,
    usual: int,
    max_memory: int | None = None,
    held: int = 0,
    what: str = "One row",
) -> int:
    """How many of `count` rows are worked on at once: what `usual` bytes hold, at least one.

    With `max_memory` never more than fit beside the `held` bytes that there are whatever the rows.

    Raises
    ------
    MemoryBudgetError
        If not one row fits `max_memory`; `what` begins the sentence.
    """
    if max_memory is not None:
        check_budget(held + row_bytes, max_memory, what)
        usual = min(usual, max_memory - held)
    return max(1, min(count, usual // max(1, row_bytes)))


def row_ranges(count: int, at_once: int) -> Iterator[slice]:
    """Slices of `count` rows, `at_once` each but the last."""
    for first in range(0, count, at_once):
        yield slice(first, min(count, first + at_once))
