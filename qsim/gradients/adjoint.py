"""Adjoint differentiation: one run forwards, one backwards (Jones and Gacon, arXiv:2009.02823)."""

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

__all__ = ["values_and_jacobian"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: States and cotangents that a thread holds at once: many rows of a small circuit, and no more than a cache.
_CHUNK_BYTES = 1 << 20


def values_and_jacobian(
    program: Program, values: FloatArray, columns: list[int], step: float | None
) -> tuple[FloatArray, FloatArray]:
    """Values (batch, num_observables) and derivatives (batch, num_observables, num_parameters)."""
    require_unitary(program, "adjoint")
    angles = program._slots.angles(values)
    reverse, handle = _reverse(program, columns)
    batch, count = len(values), len(program.observables)
    size = program.dtype.itemsize << program.num_qubits
    rows = max(1, min(batch, program.threads * _CHUNK_BYTES // (size * (count + 1))))
    check_state_memory(program.num_qubits, program.dtype.itemsize, batch=rows, copies=count + 2)
    out = np.empty((batch, count))
    by_slot = np.zeros((batch, count, program._slots.num_slots))
    for first in range(0, batch, rows):
        part = slice(first, min(batch, first + rows))
        states = program._run(angles, None, part.stop - first, first)
        out[part] = program._expectations(states)
        if reverse is None or handle is None:
            continue
        cotangents = _cotangents(program, states)
        by_slot[part] = program._backend.sweep_back(
            handle, reverse, states, cotangents, angles[part], program.threads
        )
    return out, to_parameters(program, values, by_slot, columns)


def _reverse(program: Program, columns: list[int]) -> tuple[Reverse | None, Any]:
    """The reverse tape and its handle; no handle where no gate depends on these parameters."""
    key = ("adjoint", tuple(columns))
    if key not in program._derived:
        tapes = program._code.tapes
        reverse = reverse_tape(tapes[0], wanted_slots(program, columns)) if tapes else None
        empty = reverse is None or not len(reverse.slots)
        handle = None if reverse is None or empty else program._backend.compile(reverse.tape, fuse=False)
        program._derived[key] = (reverse, handle)
    found: tuple[Reverse | None, Any] = program._derived[key]
    return found


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
