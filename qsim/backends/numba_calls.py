"""What calls of the Numba backend have in common: checks of arguments, and how work is cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.backends.numba_threads import parallel_for
from qsim.errors import ArgumentError

__all__ = [
    "CALL_BUDGET",
    "DOUBLE",
    "SINGLE",
    "THREAD_BUDGET",
    "check_angles",
    "check_cotangents",
    "check_handle",
    "check_mask",
    "check_qubits_of",
    "check_real",
    "check_states",
    "for_items",
]

Array = npt.NDArray[Any]

#: Nanoseconds of work (estimated) for which one kernel call may ignore Ctrl-C ...
CALL_BUDGET = 3e7
#: ... and below which a second thread does not pay.
THREAD_BUDGET = 1e5

DOUBLE = np.dtype(np.complex128)
SINGLE = np.dtype(np.complex64)


# ---- checks ---------------------------------------------------------------------------------------------


class Borrowed:
    """A read-only array's memory without that flag, so that kernels need not be compiled twice."""

    def __init__(self, array: Array) -> None:
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}
        self.owner = array


def check_states(states: Array, name: str, ndim: int = 2, *, writes: bool = False) -> Array:
    """A C-contiguous complex array of 2**n amplitudes (a row), of the type kernels are compiled for."""
    if not isinstance(states, np.ndarray):
        raise TypeError(f"Argument `{name}` must be an ndarray, but is {type(states).__name__}.")
    if states.dtype != DOUBLE and states.dtype != SINGLE:
        raise ArgumentError(
            f"Argument `{name}` must be complex64 or complex128, but has dtype {states.dtype}."
        )
    shape = states.shape
    if len(shape) != ndim or shape[-1] == 0 or shape[-1] & (shape[-1] - 1):
        wanted = "(batch, 2**n)" if ndim == 2 else "(2**n,)"
        raise ArgumentError(f"Argument `{name}` must have shape {wanted}, but has shape {shape}.")
    flags = states.flags
    if not flags.c_contiguous or not flags.aligned:
        raise ArgumentError(f"Argument `{name}` must be C-contiguous and aligned; use np.ascontiguousarray.")
    if not flags.writeable:
        if writes:
            raise ArgumentError(f"Argument `{name}` must be writable, but is read-only; pass a copy.")
        return np.asarray(Borrowed(states))
    return states if type(states) is np.ndarray else states.view(np.ndarray)


def check_real(array: Any, name: str, ndim: int, dtype: Any) -> Array:
    """A C-contiguous writable array of `dtype`; copied only where it is not one yet."""
    result = np.asarray(array)
    if result.ndim != ndim:
        raise ArgumentError(f"Argument `{name}` must have {ndim} dimensions, but has shape {result.shape}.")
    if not np.can_cast(result.dtype, dtype, "same_kind") and result.size:
        raise ArgumentError(
            f"Argument `{name}` must be {np.dtype(dtype).name}, but has dtype {result.dtype}."
        )
    return np.require(result, dtype, ["C", "A", "W", "E"])


def check_angles(angles: Any, handle: Any, batch: int | None) -> Array:
    """`angles` (batch or 1, num_slots) in float64; `batch` None: any number of rows."""
    if (
        type(angles) is not np.ndarray
        or angles.dtype != np.float64
        or angles.ndim != 2
        or not angles.flags.carray  # C-contiguous, aligned, writable
    ):
        angles = check_real(angles, "angles", 2, np.float64)
    rows, slots = angles.shape
    if slots != handle.num_slots or (batch is not None and rows != batch and rows != 1):
        raise ArgumentError(
            f"Argument `angles` must have shape ({'batch' if batch is None else batch} or 1, "
            f"{handle.num_slots}), but has shape {angles.shape}."
        )
    return np.asarray(angles)


def check_handle(handle: Any, kind: type, name: str) -> None:
    if not isinstance(handle, kind):
        raise TypeError(f"Argument `{name}` must come from this backend, but is {type(handle).__name__}.")


def check_qubits_of(states: Array, num_qubits: int) -> None:
    if states.shape[-1] != 1 << num_qubits:
        raise ArgumentError(
            f"Argument `states` must have 2**{num_qubits} amplitudes in a row, but has {states.shape[-1]}."
        )


def check_cotangents(cotangents: Array, states: Array, count: int | None = None) -> Array:
    """A writable array (batch, count, 2**n) of the dtype of `states`."""
    batch, size = states.shape
    if (
        not isinstance(cotangents, np.ndarray)
        or cotangents.dtype != states.dtype
        or cotangents.ndim != 3
        or cotangents.shape != (batch, cotangents.shape[1] if count is None else count, size)
        or not cotangents.flags.carray
    ):
        raise ArgumentError(
            f"Cotangents must be a C-contiguous, writable array of {states.dtype} and shape "
            f"({batch}, {'count' if count is None else count}, {size})."
        )
    return cotangents


def check_mask(mask: int, value: int, size: int) -> tuple[int, int]:
    mask, value = int(mask), int(value)
    if not 0 <= mask < size:
        raise ArgumentError(f"Argument `mask` must be 0 to {size - 1}, but is {mask}.")
    if value < 0 or value & ~mask:
        raise ArgumentError(
            f"Argument `value` must be a subset of the bits of `mask` ({mask}), but is {value}."
        )
    return mask, value


# ---- cutting work ---------------------------------------------------------------------------------------


def for_items(call: Callable[[int, int], None], count: int, cost: float, threads: int) -> None:
    """``call(first, last)`` over all of range(count), `cost` ns each; results must not depend on the cuts."""
    if count * cost <= THREAD_BUDGET:
        if count:
            call(0, count)
        return
    step = max(1, int(CALL_BUDGET / cost))
    if threads > 1:
        step = min(step, max(1, count // (4 * threads), int(THREAD_BUDGET / cost / 4)))
    parallel_for(lambda c: call(c * step, min(count, (c + 1) * step)), -(-count // step), threads)
