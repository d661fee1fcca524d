"""Adjoint differentiation: one run forwards, one backwards (Jones and Gacon, arXiv:2009.02823).

Small circuits do both in lanes of registers; otherwise states and cotangents are arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.gradients.evaluate import require_unitary, to_parameters, wanted_slots
from qsim.memory import check_state_memory
from qsim.observables import PauliSum
from qsim.program.reverse import Reverse, reverse_tape

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["is_too_big", "lanes_back", "observed_lanes", "reverse_of", "values_and_jacobian", "wanted_mask"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: States and cotangents that a thread holds at once: many rows of a small circuit, and no more than a cache.
_CHUNK_BYTES = 1 << 20
#: Most rows that a thread takes at once in lanes, and the bytes of their states and cotangents.
_LANES = 16
_GROUP_BYTES = 1 << 27


def values_and_jacobian(
    program: Program, values: FloatArray, columns: list[int], step: float | None
) -> tuple[FloatArray, FloatArray]:
    """Values (batch, num_observables) and derivatives (batch, num_observables, num_parameters)."""
    require_unitary(program, "adjoint")
    angles = program._slots.angles(values)
    lanes = observed_lanes(program, len(values))
    if lanes is not None:
        wanted = program._derive(("wanted", *columns), lambda: wanted_mask(program, columns))
        threads = program._threads_in_lanes(len(program.observables) + 1)
        means, slopes = program._backend.gradient_lanes(*lanes, wanted, angles, program.dtype, threads)
        return means, to_parameters(program, values, slopes, columns)
    made = reverse_of(program, columns)
    batch, count = len(values), len(program.observables)
    out = np.empty((batch, count))
    by_slot = np.zeros((batch, count, program._slots.num_slots))
    for part in program._row_ranges(batch, count + 2, program.threads * _CHUNK_BYTES):
        states = program._run(angles, None, part.stop - part.start, part.start)
        out[part] = program._expectations(states)
        if made is None:
            continue
        reverse, handle = made
        cotangents = _cotangents(program, states)
        by_slot[part] = program._backend.sweep_back(
            handle, reverse, states, cotangents, angles[part], program.threads
        )
    return out, to_parameters(program, values, by_slot, columns)


def observed_lanes(program: Program, batch: int) -> tuple[Any, Any] | None:
    """Handles of lane program and observables, if the gradient is to be taken in lanes."""
    copies = len(program.observables) + 1
    if not program._is_static_pauli() or is_too_big(program, copies):
        return None
    if program.max_memory is not None and program._group_bytes(copies) > program.max_memory:
        return None  # row by row they may fit
    lanes = program._observed_lanes(batch, gradient=True)
    if lanes is not None:
        rows = min(batch, _LANES * program.threads)
        check_state_memory(program.num_qubits, program.dtype.itemsize, batch=rows, copies=copies)
    return lanes


def lanes_back(program: Program, batch: int, copies: int, from_zero: bool) -> Any:
    """Handle of the lane program, if `copies` states and cotangents in a row are to be swept in lanes."""
    if batch == 1 or is_too_big(program, copies):
        return None
    lanes = program._lanes(batch, from_zero, gradient=True)
    return None if lanes is None else lanes[1]


def is_too_big(program: Program, copies: int) -> bool:
    """Whether so many states and cotangents in a row are too much for groups of lanes."""
    return bool(copies * _LANES * program.dtype.itemsize << program.num_qubits > _GROUP_BYTES)


def wanted_mask(program: Program, columns: list[int]) -> npt.NDArray[np.uint8]:
    """1 for each slot that depends on some of the parameters, else 0."""
    out = np.zeros(program._slots.num_slots, dtype=np.uint8)
    out[list(wanted_slots(program, columns))] = 1
    return out


def reverse_of(program: Program, columns: list[int]) -> tuple[Reverse, Any] | None:
    """The reverse tape and its handle; None where no gate depends on these parameters."""
    made: tuple[Reverse, Any] | None = program._derive(
        ("adjoint", *columns), lambda: _make_reverse(program, columns)
    )
    return made


def _make_reverse(program: Program, columns: list[int]) -> tuple[Reverse, Any] | None:
    if not program._code.tapes:
        return None
    reverse = reverse_tape(program._code.tapes[0], wanted_slots(program, columns))
    if not len(reverse.slots):
        return None
    return reverse, program._backend.compile(reverse.tape, fuse=program.fuse)


def _cotangents(program: Program, states: ComplexArray) -> ComplexArray:
    """Every observable applied to every state, (batch, num_observables, 2**n)."""
    observables = program.observables
    shape = (len(states), len(observables), states.shape[1])
    out: ComplexArray = np.empty(shape, dtype=program.dtype)
    paulis = [k for k, o in enumerate(observables) if isinstance(o, PauliSum)]
    if len(paulis) == len(observables):
        program._backend.apply_paulis(program._paulis, states, out, program.threads)
        return out
    if paulis:
        part: ComplexArray = np.empty((shape[0], len(paulis), shape[2]), dtype=program.dtype)
        program._backend.apply_paulis(program._paulis, states, part, program.threads)
        out[:, paulis] = part
    for k, observable in enumerate(observables):
        if not isinstance(observable, PauliSum):
            out[:, k] = observable.apply(states)
    return out
