"""States, their tangents and their cotangents: the three sweeps that all derivatives are made of.

Rows are those of a batch; each call is one batch for the backend, cut into as many pieces as memory asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.gradients.adjoint import lanes_back, reverse_of, wanted_mask
from qsim.gradients.evaluate import wanted_slots
from qsim.program.dual import Velocities, dual_reverse_tape, dual_tape
from qsim.program.execution import empty_states
from qsim.program.reverse import Reverse, inverse_tape

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = [
    *("chunks", "chunks_back", "dual_of", "dual_reverse_of", "final_states"),
    *("pull_back", "push_forward", "second_pull_back", "undo"),
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: States, tangents and cotangents that are held at once.
_CHUNK_BYTES = 1 << 24


def chunks(program: Program, count: int, copies: int, held: int = 0) -> Iterator[slice]:
    """Slices of `count` rows of which each needs `copies` states at once, beside `held` bytes."""
    return program._row_ranges(count, copies, _CHUNK_BYTES, held)


def chunks_back(
    program: Program, batch: int, copies: int, count: int, held: int = 0, from_zero: bool = True
) -> Iterator[slice]:
    """The same, where `count` cotangents of each row are pulled back: lanes hold them, too."""
    if program.max_memory is not None and lanes_back(program, batch, count + 1, from_zero) is not None:
        held += max(0, program._group_bytes(count + 1) - program._group_bytes())
    return chunks(program, batch, copies, held)


def final_states(
    program: Program, angles: FloatArray, part: slice, initial: ComplexArray | None = None
) -> ComplexArray:
    """The states of a part of the rows of angles, (rows, 2**n), from one initial state or one for each."""
    return program._run(angles, initial, part.stop - part.start, part.start)


def undo(program: Program, angles: FloatArray, cotangents: ComplexArray) -> ComplexArray:
    """Cotangents (rows, 2**n) pulled back to the beginning of the circuit; a new array."""
    out = np.array(cotangents, dtype=program.dtype, order="C")
    if program._code.tapes:

        def make() -> Any:
            return program._backend.compile(inverse_tape(program._code.tapes[0]), fuse=program.fuse)

        handle = program._derive("inverse", make)
        program._backend.apply(handle, out, np.ascontiguousarray(angles), program.threads)
    return out


def pull_back(
    program: Program,
    angles: FloatArray,
    states: ComplexArray,
    cotangents: ComplexArray,
    columns: list[int],
    batch: int,
    from_zero: bool = True,
) -> FloatArray:
    """Derivatives ``2 Re <lambda|d psi / d slot>``, (rows, count, num_slots).

    `states`, made from ``|0...0>`` or from others, and `cotangents`, (rows, count, 2**n), are overwritten.
    Whether lanes serve is decided by the whole `batch`, of which these rows are a part.
    """
    lanes = lanes_back(program, batch, cotangents.shape[1] + 1, from_zero)
    if lanes is not None:
        wanted = program._derive(("wanted", *columns), lambda: wanted_mask(program, columns))
        return program._backend.sweep_lanes(
            lanes,
            states,
            np.ascontiguousarray(cotangents, dtype=program.dtype),
            wanted,
            np.ascontiguousarray(angles),
            program._threads_in_lanes(cotangents.shape[1] + 1),
        )
    made = reverse_of(program, columns)
    if made is None:
        return np.zeros((*cotangents.shape[:2], program._slots.num_slots))
    reverse, handle = made
    return program._backend.sweep_back(
        handle,
        reverse,
        states,
        np.ascontiguousarray(cotangents, dtype=program.dtype),
        np.ascontiguousarray(angles),
        program.threads,
    )


def _unit(velocities: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Velocities of at most 1, and what they were divided by, (rows,)."""
    size = np.abs(velocities).max(axis=1, initial=0.0)
    size[size == 0] = 1.0
    return velocities / size[:, None], size


def dual_of(program: Program, columns: list[int]) -> tuple[Any, Velocities]:
    """The handle of the dual tape for some parameters, and its angles."""

    def make() -> tuple[Any, Velocities]:
        tape, made = dual_tape(program._code.tapes[0], wanted_slots(program, columns))
        return program._backend.compile(tape, fuse=program.fuse), made

    made: tuple[Any, Velocities] = program._derive(("dual", *columns), make)
    return made


def dual_reverse_of(program: Program, columns: list[int]) -> tuple[Any, Reverse, Velocities]:
    """The handle of the reverse tape for second derivatives, what it is, and its angles."""

    def make() -> tuple[Any, Reverse, Velocities]:
        reverse, made = dual_reverse_tape(program._code.tapes[0], wanted_slots(program, columns))
        return program._backend.compile(reverse.tape, fuse=program.fuse), reverse, made

    made: tuple[Any, Reverse, Velocities] = program._derive(("second", *columns), make)
    return made


def _dual_states(
    program: Program, angles: FloatArray, velocities: FloatArray, columns: list[int]
) -> ComplexArray:
    """States and tangents along velocities of at most 1, (rows, 2, 2**n)."""
    count, size = len(angles), 1 << program.num_qubits

    out = empty_states(count, 2 * size, program.dtype)
    if not program._code.tapes:
        program._backend.set_basis_state(out, 0, program.threads)
        return out.reshape(count, 2, size)
    handle, columns_of = dual_of(program, columns)
    program._backend.run(handle, out, columns_of.angles(angles, velocities), program.threads)
    return out.reshape(count, 2, size)


def push_forward(
    program: Program, angles: FloatArray, velocities: FloatArray, columns: list[int]
) -> tuple[ComplexArray, ComplexArray]:
    """States and their derivatives along velocities of the slots, both (rows, 2**n)."""
    unit, size = _unit(velocities)
    dual = _dual_states(program, angles, unit, columns)
    tangents = dual[:, 1] * size.astype(dual.real.dtype)[:, None]
    return np.ascontiguousarray(dual[:, 0]), tangents


def second_pull_back(
    program: Program,
    angles: FloatArray,
    velocities: FloatArray,
    columns: list[int],
    cotangents_of: Callable[[ComplexArray, ComplexArray], tuple[ComplexArray, ComplexArray]],
) -> FloatArray:
    """Derivatives along velocities of ``2 Re <lambda|d psi / d slot>``, (rows, count, num_slots).

    `cotangents_of` makes ``lambda`` and its derivative, both (rows, count, 2**n), of states and tangents.
    """
    unit, size = _unit(velocities)
    dual = _dual_states(program, angles, unit, columns)
    first, second = cotangents_of(np.ascontiguousarray(dual[:, 0]), np.ascontiguousarray(dual[:, 1]))
    rows, count = first.shape[:2]
    num_slots = program._slots.num_slots
    if not program._code.tapes:
        return np.zeros((rows, count, num_slots))

    handle, reverse, columns_of = dual_reverse_of(program, columns)
    cotangents: ComplexArray = np.empty((rows, count, 2 * first.shape[2]), dtype=program.dtype)
    cotangents[..., : first.shape[2]], cotangents[..., first.shape[2] :] = first, second
    by_slot = program._backend.sweep_back(
        handle,
        reverse,
        dual.reshape(rows, -1),
        cotangents,
        columns_of.angles(angles, unit),
        program.threads,
    )
    return by_slot[..., :num_slots] * size[:, None, None]
