"""The Numba backend's calls for batches in lanes, and the arrays its kernels take."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.backends.numba_calls import (
    DOUBLE,
    SINGLE,
    Array,
    check_angles,
    check_cotangents,
    check_handle,
    check_qubits_of,
    check_states,
    for_items,
)
from qsim.backends.numba_lanes import LANES, gradient_groups, state_groups, sweep_groups, value_groups
from qsim.errors import ArgumentError
from qsim.program.lanes import MAX_LANE_QUBITS, PHASES, LaneProgram, split_phases

__all__ = ["CompiledLaneObservables", "CompiledLanes", "LaneBatches"]

_NO_STATES = {DOUBLE: np.zeros((0, 1), DOUBLE), SINGLE: np.zeros((0, 1), SINGLE)}


class CompiledLanes:
    """A lane program as the arrays the kernels take; immutable once built.

    Attributes
    ----------
    num_qubits, num_slots, num_angles : int
    num_entries : int
        Rows of the tables of phases of a group.
    arrays : tuple of ndarray
        What every kernel takes: steps, turns, masks of phases, ..., parities of numbers.
    places : ndarray (2**n,), int64
        Where each amplitude of the state is at the end.
    """

    def __init__(self, program: LaneProgram) -> None:
        self.num_qubits, self.num_slots = program.num_qubits, program.num_slots
        self.num_angles = len(program.constants)
        lists: list[npt.NDArray[np.int64]] = []
        plans: list[tuple[int, ...]] = []
        parts: list[tuple[int, int, int]] = []
        length = entries = 0
        steps = program.steps.astype(np.int64)
        for step in steps:
            if step[0] != PHASES:
                continue
            masks = program.phases[step[1] : step[2]].tolist()
            low_bits, patterns = split_phases(masks, program.num_qubits)
            columns = program.bases[step[3]].astype(np.int64)
            low, high = _span(columns[:low_bits]), _span(columns[low_bits:])
            index = np.arange(len(high))
            variants = sum(
                (
                    (np.bitwise_count(index & pattern) & 1).astype(np.int64) << i
                    for i, pattern in enumerate(patterns)
                ),
                np.zeros(len(high), np.int64),
            )
            step[3] = len(plans)
            plans.append((low_bits, len(high), len(patterns), length, entries))
            lists += [low, high, variants]
            length += len(low) + 2 * len(high)
            entries += (len(low) << len(patterns)) + len(high)
            for mask in masks:
                high_part = mask >> low_bits
                own = patterns.index(high_part) if high_part in patterns and mask & (len(low) - 1) else -1
                parts.append((mask & (len(low) - 1), high_part, own))
        self.num_entries = entries
        #: nanoseconds of a group, roughly: decides how work is cut, never a result
        self.cost = (
            1e3
            + 20.0 * entries * LANES
            + 8.0 * (4 + len(program.turns) + 2 * len(plans)) * (LANES << self.num_qubits)
        )
        self.places = _span(program.columns.astype(np.int64)) ^ program.origin
        self.arrays = (
            program.constants.copy(),
            program.first.astype(np.int64),
            program.slots.astype(np.int64),
            program.weights.copy(),
            steps,
            program.turns.astype(np.int64),
            np.array(parts, np.int64).reshape(-1, 3),
            np.array(plans, np.int64).reshape(-1, 5),
            np.concatenate([np.zeros(0, np.int64), *lists]),
            program.matrices.astype(np.int64),
            program.matrix_qubits.astype(np.int64),
            program.entries.copy(),
            (np.bitwise_count(np.arange(1 << program.num_qubits)) & 1).astype(np.uint8),
        )

    def angles_of(self, slots: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Which angles depend on the slots that are not 0 here."""
        first, reads = self.arrays[1], self.arrays[2]
        counts = np.concatenate([[0], np.cumsum(slots[reads] != 0)])
        return np.asarray(counts[first[1:]] > counts[first[:-1]])


class CompiledLaneObservables:
    """Tables of observables: entry e belongs to observable ``numbers[e]`` and flips ``x_masks[e]``."""

    def __init__(
        self, num_qubits: int, num_observables: int, numbers: Any, x_masks: Any, tables: Any
    ) -> None:
        self.num_qubits, self.num_observables = num_qubits, num_observables
        self.arrays = (
            np.array(numbers, np.int64),
            np.array(x_masks, np.int64),
            np.ascontiguousarray(tables.real),
            np.ascontiguousarray(tables.imag),
        )


def _span(columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    out = np.zeros(1, np.int64)
    for column in columns:
        out = np.concatenate([out, out ^ column])
    return out


class LaneBatches:
    """Batches of small circuits, members as the innermost axis; see `qsim.backends.base`."""

    def least_lane_rows(self, num_qubits: int, gradient: bool) -> int | None:
        """Rows from which on lanes are faster: a group takes the time of 3 rows of 4 qubits, of 9 of 12."""
        return max(3, num_qubits - 3) if num_qubits <= MAX_LANE_QUBITS else None

    def compile_lanes(self, program: LaneProgram) -> CompiledLanes:
        """Lay a lane program out for the kernels."""
        return CompiledLanes(program)

    def compile_lane_observables(
        self, num_qubits: int, num_observables: int, numbers: Array, x_masks: Array, tables: Array
    ) -> CompiledLaneObservables:
        """Keep tables of observables."""
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < num_observables:
            raise ArgumentError(f"Argument `numbers` must be 0 to {num_observables - 1}.")
        return CompiledLaneObservables(num_qubits, num_observables, numbers, x_masks, tables)

    def run_lanes(
        self, handle: CompiledLanes, initial: Array | None, out: Array, angles: Array, threads: int = 1
    ) -> None:
        """Write the states made from `initial` (None: ``|0...0>``) to `out`."""
        check_handle(handle, CompiledLanes, "handle")
        out = check_states(out, "out", writes=True)
        check_qubits_of(out, handle.num_qubits)
        angles = check_angles(angles, handle, len(out))
        states = _NO_STATES[out.dtype]
        if initial is not None:
            states = check_states(initial, "initial")
            check_qubits_of(states, handle.num_qubits)
            if states.dtype != out.dtype or len(states) not in (1, len(out)):
                raise ArgumentError(f"Argument `initial` must have 1 or {len(out)} rows of {out.dtype}.")

        def call(first: int, last: int) -> None:
            state_groups(
                handle.arrays, handle.num_entries, states, angles, handle.places, first, last,
                _real(out.dtype), out,
            )  # fmt: skip

        for_items(call, -(-len(out) // LANES), handle.cost, threads)

    def expectation_lanes(
        self,
        handle: CompiledLanes,
        observables: CompiledLaneObservables,
        angles: Array,
        dtype: npt.DTypeLike,
        threads: int = 1,
    ) -> npt.NDArray[np.float64]:
        """Values of all observables, shape (batch, num_observables)."""
        dtype, angles = _checked(handle, observables, angles, dtype)
        out = np.empty((len(angles), observables.num_observables))

        def call(first: int, last: int) -> None:
            value_groups(
                handle.arrays, handle.num_entries, _NO_STATES[dtype], angles, observables.arrays, first, last,
                _real(dtype), 1 << handle.num_qubits, out,
            )  # fmt: skip

        for_items(call, -(-len(angles) // LANES), handle.cost, threads)
        return out

    def gradient_lanes(
        self,
        handle: CompiledLanes,
        observables: CompiledLaneObservables,
        wanted: npt.NDArray[np.uint8],
        angles: Array,
        dtype: npt.DTypeLike,
        threads: int = 1,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Values, and derivatives by all slots, shape (batch, num_observables, num_slots)."""
        dtype, angles = _checked(handle, observables, angles, dtype)
        count = observables.num_observables
        out = np.empty((len(angles), count))
        slopes = np.zeros((len(angles), count, handle.num_slots))
        chosen = handle.angles_of(wanted)

        def call(first: int, last: int) -> None:
            gradient_groups(
                handle.arrays, handle.num_entries, _NO_STATES[dtype], angles, observables.arrays, chosen,
                first, last, _real(dtype), 1 << handle.num_qubits, out, slopes,
            )  # fmt: skip

        for_items(call, -(-len(angles) // LANES), handle.cost * 3 * (1 + count), threads)
        return out, slopes

    def sweep_lanes(
        self,
        handle: CompiledLanes,
        states: Array,
        cotangents: Array,
        wanted: npt.NDArray[np.uint8],
        angles: Array,
        threads: int = 1,
    ) -> npt.NDArray[np.float64]:
        """Derivatives by all slots, shape (batch, count, num_slots)."""
        check_handle(handle, CompiledLanes, "handle")
        states = check_states(states, "states")
        check_qubits_of(states, handle.num_qubits)
        cotangents = check_cotangents(cotangents, states)
        angles = check_angles(angles, handle, len(states))
        slopes = np.zeros((*cotangents.shape[:2], handle.num_slots))
        chosen = handle.angles_of(wanted)

        def call(first: int, last: int) -> None:
            sweep_groups(
                handle.arrays, handle.num_entries, states, cotangents, angles, handle.places, chosen,
                first, last, _real(states.dtype), slopes,
            )  # fmt: skip

        for_items(call, -(-len(states) // LANES), handle.cost * 2 * (1 + cotangents.shape[1]), threads)
        return slopes


def _real(dtype: np.dtype[Any]) -> Array:
    """An array whose dtype is that of real parts: how kernels are told."""
    return np.empty(0, np.float64 if dtype == DOUBLE else np.float32)


def _checked(handle: Any, observables: Any, angles: Any, dtype: npt.DTypeLike) -> tuple[np.dtype[Any], Array]:
    check_handle(handle, CompiledLanes, "handle")
    check_handle(observables, CompiledLaneObservables, "observables")
    if handle.num_qubits != observables.num_qubits:
        raise ArgumentError(
            f"Argument `observables` must be on {handle.num_qubits} qubits like the program, "
            f"but is on {observables.num_qubits}."
        )
    checked = np.dtype(dtype)
    if checked not in (DOUBLE, SINGLE):
        raise ArgumentError(f"Argument `dtype` must be complex64 or complex128, but is {checked}.")
    return checked, check_angles(angles, handle, None)
