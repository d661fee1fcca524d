"""The short way to the core: values that are the angles already, of a circuit with nothing to plan.

A circuit of a few qubits takes less time than the questions asked before it runs. Where its parameters are
its angles, and the values an array as the core takes it, a function with all else bound answers at once. It
answers None to anything else, and to whatever is wrong, which the long way then reports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.parameters import MAX_ANGLE

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["MAX_CACHED_BYTES", "batch_call", "is_plain", "plain_angles", "row_call"]

Call = Callable[[Any], Any]

#: Smaller arrays of states are in cache wherever they begin.
MAX_CACHED_BYTES = 1 << 18
#: Up to here a state is too small for a question about free memory.
_MAX_QUBITS = 20
#: Functions that a program keeps, one for each size of a batch.
_MAX_CALLS = 32


def is_plain(program: Program) -> bool:
    """Whether the circuit is small, and of gates whose angles are the parameters."""
    return (
        program._code.is_static
        and bool(program._handles)
        and not program._slots.expressions
        and program.num_qubits <= _MAX_QUBITS
        and program._code.keeps_norm
        and (program.max_memory is None or program._state_bytes(2) <= program.max_memory)
    )


def plain_angles(program: Program, params: Any) -> npt.NDArray[np.float64] | None:
    """The angles, shape (1, num_slots), of one row given as an array."""
    if not program._is_plain or type(params) is not np.ndarray:
        return None
    if params.dtype != np.float64 or params.shape != (program._slots.num_slots,):
        return None
    if not params.flags.c_contiguous:
        return None
    return params.reshape(1, -1) if _are_angles(params) else None


def row_call(program: Program, answer: str) -> Call:
    """A function of `params` that knows the ``"state"``, ``"expectation"`` or ``"gradient"`` of one row."""
    return _kept(program, answer, _row_call)


def batch_call(program: Program, batch: int) -> Call:
    """A function of `params`, an array of so many rows, that knows their values and gradients."""
    return _kept(program, batch, _batch_call)


def _kept(program: Program, key: Any, make: Callable[[Program, Any], Call | None]) -> Call:
    call = program._short_calls.get(key)
    if call is None:
        if len(program._short_calls) >= _MAX_CALLS:
            program._short_calls.clear()
        call = program._short_calls[key] = (make(program, key) if program._is_plain else None) or _no_answer
    return call


def _are_angles(values: npt.NDArray[np.float64]) -> bool:
    """Whether none is above what an angle may be, nor NaN; the long way says which is."""
    with np.errstate(over="ignore"):
        return bool(values.dot(values) <= MAX_ANGLE)


def _no_answer(_: Any) -> None:
    return None


def _row_call(program: Program, answer: str) -> Call | None:
    backend, dtype, threads = program._backend, program.dtype, program.threads
    if answer == "state":
        is_cached = dtype.itemsize << program.num_qubits < MAX_CACHED_BYTES
        return backend.state_of_row(program._handles[0], dtype, threads, MAX_ANGLE) if is_cached else None
    if not program._is_one_sum:
        return None
    if answer == "expectation":
        return backend.expectation_of_row(program._handles[0], program._paulis, dtype, threads, MAX_ANGLE)
    lanes = program._observed_lanes(1, gradient=True)
    if lanes is None or (program.max_memory is not None and program._group_bytes(2) > program.max_memory):
        return None
    return backend.gradient_of_row(*lanes, dtype, threads, MAX_ANGLE)


def _batch_call(program: Program, batch: int) -> Call | None:
    from qsim.gradients.adjoint import observed_lanes, wanted_mask

    if not program.observables or program.max_memory is not None:
        return None
    lanes = observed_lanes(program, batch)
    if lanes is None:
        return None
    columns, is_single, dtype = program._slots.num_slots, program._is_single, program.dtype
    wanted = wanted_mask(program, list(range(columns)))
    threads = program._threads_in_lanes(len(program.observables) + 1)
    gradient = program._backend.gradient_lanes

    def call(rows: Any) -> Any:
        flags = rows.flags
        if rows.dtype != np.float64 or rows.shape[1] != columns or not (flags.c_contiguous and flags.aligned):
            return None
        if not _are_angles(rows.ravel()):
            return None
        means, slopes = gradient(*lanes, wanted, rows, dtype, threads)
        return (means[:, 0], slopes[:, 0]) if is_single else (means, slopes)

    return call
