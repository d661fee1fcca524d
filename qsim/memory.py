"""What memory a computation needs and what is free: refused before anything is allocated."""

from __future__ import annotations

import os

from qsim.errors import MemoryBudgetError

__all__ = ["check_free_memory", "check_state_memory", "format_bytes", "free_memory", "largest_num_qubits"]

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
#: Below this nothing can go wrong, and asking the system would take longer than the work.
_ALWAYS_FINE = 1 << 24


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
