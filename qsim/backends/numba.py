"""The Numba backend: the protocol of `qsim.backends.base` in Python and compiled loops.

Importing this module imports Numba. Kernels that are not in the cache yet compile when they are first called.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.backends import numba_gradients, numba_kernels, numba_reductions
from qsim.backends.numba_calls import (
    CALL_BUDGET,
    DOUBLE,
    SINGLE,
    check_angles,
    check_cotangents,
    check_handle,
    check_mask,
    check_qubits_of,
    check_real,
    check_states,
    for_items,
)
from qsim.backends.numba_lane_batches import LaneBatches
from qsim.backends.numba_paulis import CompiledPaulis, compile_paulis
from qsim.backends.numba_tape import (
    CTRL,
    DATA,
    DENSE,
    DENSE1,
    DENSE2,
    FIXED,
    LOG2_UNITS,
    NUM_TARGETS,
    OPCODE,
    PREPARE,
    SLOT,
    TARGETS,
    TERMS,
    VALUE,
    CompiledTape,
    compile_tape,
)
from qsim.backends.numba_threads import parallel_for
from qsim.errors import ArgumentError, StateError
from qsim.program.reverse import Reverse
from qsim.program.tape import Tape
from qsim.rng import uniforms

__all__ = ["BACKEND", "NumbaBackend"]

Array = npt.NDArray[Any]

#: From this size on, threads share one statevector; below, a thread takes whole rows of the batch.
_LOG2_SHARED = 17
#: Preparations on more targets than this are cut into blocks of that many members.
_LOG2_PREPARE_BLOCK = 12
_LOG2_FILL = 22
_PARTIAL_ENTRIES = 1 << 22

_NO_PAULIS = (np.zeros((0, 5), np.int64), np.zeros((0, 3), np.int64), np.zeros(0))
_NO_VALUES = np.zeros((1, 0))


def _blocks(size: int) -> tuple[int, int]:
    """log2 of the block length of a sum over `size` amplitudes, and the number of blocks."""
    log2_block = min(size.bit_length() - 1, numba_reductions.LOG2_BLOCK)
    return log2_block, size >> log2_block


class NumbaBackend(LaneBatches):
    """Executes tapes with Numba; every function has the meaning given in `qsim.backends.base`.

    Notes
    -----
    Every instruction is one pass over the state, O(2**num_qubits) time (2**k times that for dense matrices on
    k targets); no second copy of a state is made.
    """

    name = "numba"

    # ---- tapes ----

    def compile(self, tape: Tape, *, fuse: bool = True) -> CompiledTape:
        """Check a tape and choose its loops; O(num_instructions). Runs it as it is, whatever `fuse` says."""
        return compile_tape(tape)

    def run(self, handle: CompiledTape, states: Array, angles: Array, threads: int = 1) -> None:
        """Overwrite each row of `states` (batch, 2**n) with what a tape makes from ``|0...0>``."""
        self.set_basis_state(states, 0, threads)
        self.apply(handle, states, angles, threads)

    def apply(self, handle: CompiledTape, states: Array, angles: Array, threads: int = 1) -> None:
        """Apply a tape to each row of `states` (batch, 2**n), in place; `angles` (batch or 1, num_slots)."""
        check_handle(handle, CompiledTape, "handle")
        states = check_states(states, "states", writes=True)
        check_qubits_of(states, handle.num_qubits)
        angles = check_angles(angles, handle, len(states))
        if handle.num_qubits < _LOG2_SHARED:
            self._run_rows(handle, states, angles, None, _NO_VALUES, len(states), threads)
        else:
            for row in range(len(states)):
                self._apply_shared(handle, states, angles, row, threads)

    def run_expectation(
        self,
        handle: CompiledTape,
        paulis: CompiledPaulis,
        angles: Array,
        dtype: npt.DTypeLike,
        threads: int = 1,
    ) -> npt.NDArray[np.float64]:
        """Expectation values (batch, num_observables) of the states a tape makes from |0...0>."""
        check_handle(handle, CompiledTape, "handle")
        check_handle(paulis, CompiledPaulis, "paulis")
        if handle.num_qubits != paulis.num_qubits:
            raise ArgumentError(
                f"Argument `paulis` must be on {handle.num_qubits} qubits like the tape, "
                f"but is on {paulis.num_qubits}."
            )
        dtype = np.dtype(dtype)
        if dtype != DOUBLE and dtype != SINGLE:
            raise ArgumentError(f"Argument `dtype` must be complex64 or complex128, but is {dtype}.")
        angles = check_angles(angles, handle, None)
        out = np.zeros((len(angles), paulis.num_observables))
        if handle.num_qubits < _LOG2_SHARED:
            self._run_rows(handle, dtype, angles, paulis, out, len(angles), threads)
            return out
        state = np.empty((1, 1 << handle.num_qubits), dtype)
        for row in range(len(angles)):
            self.set_basis_state(state, 0, threads)
            self._apply_shared(handle, state, angles[row : row + 1], 0, threads)
            out[row] = self.expectation(paulis, state, threads)[0]
        return out

    def _run_rows(
        self,
        handle: CompiledTape,
        states: Array | np.dtype[Any],
        angles: Array,
        paulis: CompiledPaulis | None,
        out: Array,
        batch: int,
        threads: int,
    ) -> None:
        """Whole rows, each by one thread; `states` a dtype: from |0...0>, in scratch that is not kept."""
        from_zero = not isinstance(states, np.ndarray)
        size = 1 << handle.num_qubits
        dtype = states if isinstance(states, np.dtype) else states.dtype
        entries = handle.entries(dtype)
        tables = _NO_PAULIS
        cost = handle.total_cost
        if paulis is not None:
            tables = (paulis.groups, paulis.terms, paulis.coefficients)
            cost += size * paulis.cost
        num_ops = len(handle.ops)

        def call(first: int, last: int) -> None:
            work = np.empty((1, size), dtype) if from_zero else states
            if (last - first) * cost <= 2 * CALL_BUDGET:
                numba_kernels.run_tape(
                    work, first, last, handle.ops, handle.reals, handle.integers, handle.constants, entries,
                    handle.buffer_size, angles, 0, num_ops, 0, 0, *tables, from_zero, out,
                )  # fmt: skip
                return
            for row in range(first, last):  # one row is long: stop for Ctrl-C between runs of instructions
                begin = True
                for first_op, last_op in self._op_ranges(handle):
                    numba_kernels.run_tape(
                        work, row, row + 1, handle.ops, handle.reals, handle.integers, handle.constants,
                        entries, handle.buffer_size, angles, first_op, last_op, 0, 0, *_NO_PAULIS,
                        from_zero and begin, out,
                    )  # fmt: skip
                    begin = False
                if paulis is not None:
                    out[row] = self.expectation(paulis, np.asarray(work), 1)[0]

        for_items(call, batch, cost, threads)

    @staticmethod
    def _op_ranges(handle: CompiledTape) -> list[tuple[int, int]]:
        """Runs of instructions within the budget of a call; at least one, so that rows are initialised."""
        bins = np.cumsum(handle.costs) // CALL_BUDGET
        edges = [0, *(np.flatnonzero(np.diff(bins)) + 1).tolist(), len(handle.ops)]
        return list(pairwise(edges))

    def _apply_shared(
        self,
        handle: CompiledTape,
        states: Array,
        angles: Array,
        row: int,
        threads: int,
        first_op: int = 0,
        last_op: int | None = None,
    ) -> None:
        """One big state: instruction by instruction, each cut into chunks that threads share."""
        entries = handle.entries(states.dtype)
        angles = angles[row : row + 1] if len(angles) > 1 else angles
        state = states[row : row + 1]
        log2_chunk = min(max(handle.num_qubits - 3, 14), 18)
        for i, op in enumerate(handle.ops[first_op:last_op], first_op):
            if op[OPCODE] == PREPARE and op[NUM_TARGETS] > _LOG2_PREPARE_BLOCK:
                self._prepare_shared(handle, op, state[0], threads)
                continue
            ops, index, pool, buffer_size = handle.ops, i, entries, handle.chunk_buffer_size
            if handle.big_entries[i]:
                pool = self._big_entries(handle, i, angles).astype(states.dtype, copy=False)
                ops, index = op[None, :].copy(), 0
                ops[0, TERMS] = ops[0, DATA] = 0
            log2_chunks = handle.num_qubits - log2_chunk
            if op[OPCODE] in (DENSE1, DENSE2, DENSE):
                log2_chunks += max(0, int(op[NUM_TARGETS]) - 4)
            log2_chunks = max(0, min(log2_chunks, int(op[LOG2_UNITS]) - 3))

            def call(
                chunk: int,
                ops: Array = ops,
                reals: Array = handle.reals[i : i + 1] if index != i else handle.reals,
                pool: Array = pool,
                buffer_size: int = buffer_size,
                index: int = index,
                log2_chunks: int = log2_chunks,
            ) -> None:
                numba_kernels.run_tape(
                    state, 0, 1, ops, reals, handle.integers, handle.constants, pool, buffer_size, angles,
                    index, index + 1, chunk, log2_chunks, *_NO_PAULIS, False, _NO_VALUES,
                )  # fmt: skip

            parallel_for(call, 1 << log2_chunks, threads)

    @staticmethod
    def _big_entries(handle: CompiledTape, index: int, angles: Array) -> npt.NDArray[np.complex128]:
        """const + sum of cos and sin terms of one instruction, computed once for all chunks."""
        op = handle.ops[index]
        scale, shift = handle.reals[index]
        slot = int(op[SLOT])
        angle = shift + (scale * angles[0, slot] if slot >= 0 else 0.0)
        size = 1 << int(op[NUM_TARGETS]) * (2 if op[OPCODE] in (DENSE1, DENSE2, DENSE) else 1)
        data = int(op[DATA])
        values = handle.constants[data : data + size].copy()
        for term in range(int(op[TERMS])):
            at = data + size + term * (1 + 2 * size)
            omega = handle.constants[at].real
            values += np.cos(omega * angle) * handle.constants[at + 1 : at + 1 + size]
            values += np.sin(omega * angle) * handle.constants[at + 1 + size : at + 1 + 2 * size]
        return values

    @staticmethod
    def _prepare_shared(handle: CompiledTape, op: Array, state: Array, threads: int) -> None:
        """A preparation on many targets: overlaps in fixed blocks, then the reflection."""
        first, data, k = int(op[TARGETS]), int(op[DATA]), int(op[NUM_TARGETS])
        targets = handle.integers[first : first + k]
        entries = handle.entries(state.dtype)
        w = entries[data + 1 : data + 1 + (1 << k)]
        blocks = 1 << (k - _LOG2_PREPARE_BLOCK)
        items = blocks << int(op[LOG2_UNITS])
        partial = np.empty(items, np.complex128)
        fixed, value, cost = int(op[FIXED]), int(op[VALUE]), 3.0 * (1 << _LOG2_PREPARE_BLOCK)
        for_items(
            lambda a, b: numba_kernels.prepare_overlaps(
                state, fixed, value, targets, w, _LOG2_PREPARE_BLOCK, a, b, partial
            ),
            items, cost, threads,
        )  # fmt: skip
        factors = (2 * partial.reshape(-1, blocks).sum(axis=1)).astype(state.dtype)
        for_items(
            lambda a, b: numba_kernels.prepare_reflect(
                state, fixed, value, targets, w, entries[data : data + 1], _LOG2_PREPARE_BLOCK, a, b, factors
            ),
            items, cost, threads,
        )  # fmt: skip

    # ---- gradients ----

    def apply_paulis(self, paulis: CompiledPaulis, states: Array, out: Array, threads: int = 1) -> None:
        """Write every observable applied to every state to `out`, (batch, num_observables, 2**n)."""
        check_handle(paulis, CompiledPaulis, "paulis")
        states = check_states(states, "states")
        check_qubits_of(states, paulis.num_qubits)
        out = check_cotangents(out, states, paulis.num_observables)
        log2_block, blocks = _blocks(states.shape[1])
        for_items(
            lambda a, b: numba_gradients.pauli_images(
                states, paulis.groups, paulis.terms, paulis.coefficients, log2_block, a, b, out
            ),
            len(states) * blocks, 1.5 * (1 << log2_block) * (1 + len(paulis.terms)), threads,
        )  # fmt: skip

    def sweep_back(
        self,
        handle: CompiledTape,
        reverse: Reverse,
        states: Array,
        cotangents: Array,
        angles: Array,
        threads: int = 1,
    ) -> npt.NDArray[np.float64]:
        """Derivatives by all slots (batch, count, num_slots); overwrites `states` and `cotangents`."""
        check_handle(handle, CompiledTape, "handle")
        states = check_states(states, "states", writes=True)
        check_qubits_of(states, handle.num_qubits)
        cotangents = check_cotangents(cotangents, states)
        angles = check_angles(angles, handle, len(states))
        slots, weights = np.array(reverse.slots), np.array(reverse.weights)
        if slots.shape != (len(handle.ops),) or weights.shape != slots.shape:
            raise ArgumentError("Argument `reverse` must be that of `handle`, but has another length.")
        if len(slots) and slots.max() >= handle.num_slots:
            raise ArgumentError(f"Argument `reverse` must have slots below {handle.num_slots}.")
        batch, count = cotangents.shape[:2]
        out = np.zeros((batch, count, handle.num_slots))
        if handle.num_qubits >= _LOG2_SHARED:
            scratch = np.empty((1, states.shape[1]), states.dtype)
            for row in range(batch):
                own = angles[row : row + 1] if len(angles) > 1 else angles
                for i, slot in enumerate(slots.tolist()):
                    if slot < 0:
                        self._apply_shared(handle, states, angles, row, threads, i, i + 1)
                        for k in range(count):
                            self._apply_shared(handle, cotangents[row], own, k, threads, i, i + 1)
                        continue
                    self._copy_where_on(handle, i, states[row], scratch[0], threads)
                    self._apply_shared(handle, scratch, own, 0, threads, i, i + 1)
                    for k in range(count):
                        overlap = self.inner_products(cotangents[row, k : k + 1], scratch, threads)[0]
                        out[row, k, slot] += 2 * weights[i] * overlap.real
            return out
        entries = handle.entries(states.dtype)
        cost = handle.total_cost * (1 + count)

        def call(first: int, last: int) -> None:
            whole = (last - first) * cost <= 2 * CALL_BUDGET
            rows = [(first, last)] if whole else [(row, row + 1) for row in range(first, last)]
            for a, b in rows:  # one row may be long: stop for Ctrl-C between runs of instructions
                for first_op, last_op in [(0, len(slots))] if whole else self._op_ranges(handle):
                    numba_gradients.sweep_rows(
                        states, cotangents, a, b, handle.ops, handle.reals, handle.integers, handle.constants,
                        entries, handle.buffer_size, angles, slots, weights, first_op, last_op, out,
                    )  # fmt: skip

        for_items(call, batch, cost, threads)
        return out

    @staticmethod
    def _copy_where_on(handle: CompiledTape, index: int, source: Array, target: Array, threads: int) -> None:
        mask, value = int(handle.ops[index, CTRL]), int(handle.ops[index, VALUE])
        log2_block, blocks = _blocks(source.size)
        for_items(
            lambda a, b: numba_gradients.copy_where_on(
                source, target, mask, value, a << log2_block, b << log2_block
            ),
            blocks, 1.0 * (1 << log2_block), threads,
        )  # fmt: skip

    # ---- states ----

    def set_basis_state(self, states: Array, index: int, threads: int = 1) -> None:
        """Set each row of `states` (batch, 2**n) to the basis state `index`."""
        states = check_states(states, "states", writes=True)
        index = int(index)
        if not 0 <= index < states.shape[1]:
            raise ArgumentError(f"Argument `index` must be 0 to {states.shape[1] - 1}, but is {index}.")
        flat = states.reshape(-1)

        def fill(chunk: int) -> None:
            flat[chunk << _LOG2_FILL : (chunk + 1) << _LOG2_FILL] = 0

        parallel_for(fill, -(-flat.size >> _LOG2_FILL), threads)
        states[:, index] = 1

    def collapse(self, state: Array, mask: int, value: int, scale: float, threads: int = 1) -> None:
        """Multiply the amplitudes with ``index & mask == value`` by `scale`; set the others to zero."""
        state = check_states(state, "state", 1, writes=True)
        mask, value = check_mask(mask, value, state.size)
        log2_block, blocks = _blocks(state.size)
        factor = np.full(1, scale, state.real.dtype)
        for_items(
            lambda a, b: numba_reductions.collapse_items(state, mask, value, factor, log2_block, a, b),
            blocks, float(1 << log2_block), threads,
        )  # fmt: skip

    # ---- reductions ----

    def compile_paulis(
        self, num_qubits: int, x_masks: Array, z_masks: Array, coefficients: Array, offsets: Array
    ) -> CompiledPaulis:
        """Check and group Pauli terms; observable k has the terms ``offsets[k]:offsets[k + 1]``."""
        return compile_paulis(num_qubits, x_masks, z_masks, coefficients, offsets)

    def expectation(self, paulis: CompiledPaulis, states: Array, threads: int = 1) -> npt.NDArray[np.float64]:
        """Expectation values (batch, num_observables)."""
        check_handle(paulis, CompiledPaulis, "paulis")
        states = check_states(states, "states")
        check_qubits_of(states, paulis.num_qubits)
        batch, size = states.shape
        out = np.zeros((batch, paulis.num_observables))
        chunk_blocks = max(1, min(size, 1 << 16) >> numba_reductions.LOG2_PAULI_BLOCK)
        chunks = max(1, size >> 16)
        rows = max(1, _PARTIAL_ENTRIES // max(1, chunks * paulis.num_observables))
        for first_row in range(0, batch, rows):
            some = states[first_row : first_row + rows]
            for first, last in paulis.batches:
                partial = np.zeros((len(some) * chunks, paulis.num_observables))
                cost = min(size, 1 << 16) * (
                    2.5 * (last - first) + len(paulis.terms) / len(paulis.batches) / 64
                )

                def call(
                    a: int,
                    b: int,
                    some: Array = some,
                    first: int = first,
                    last: int = last,
                    partial: Array = partial,
                ) -> None:
                    numba_reductions.pauli_items(
                        some,
                        paulis.groups,
                        first,
                        last,
                        paulis.terms,
                        paulis.coefficients,
                        chunk_blocks,
                        a,
                        b,
                        partial,
                    )

                for_items(call, len(partial), cost, threads)
                out[first_row : first_row + rows] += partial.reshape(len(some), chunks, -1).sum(axis=1)
        return out

    def state_of_row(self, handle: Any, dtype: npt.DTypeLike, threads: int, largest: float) -> None:
        """None: calls of compiled functions take longer than what a short way would save."""

    def expectation_of_row(
        self, handle: Any, paulis: Any, dtype: npt.DTypeLike, threads: int, largest: float
    ) -> None:
        """None, see `state_of_row`."""

    def gradient_of_row(
        self, handle: Any, observables: Any, dtype: npt.DTypeLike, threads: int, largest: float
    ) -> None:
        """None, see `state_of_row`."""

    def probabilities(self, states: Array, qubits: Array, threads: int = 1) -> npt.NDArray[np.float64]:
        """Probabilities (batch, 2**len(qubits)) of the outcomes of `qubits`, the first as the lowest bit."""
        states = check_states(states, "states")
        qubits = check_real(qubits, "qubits", 1, np.int64)
        batch, size = states.shape
        num_qubits = size.bit_length() - 1
        if ((qubits < 0) | (qubits >= num_qubits)).any() or len(set(qubits.tolist())) != len(qubits):
            raise ArgumentError(
                f"Argument `qubits` must be distinct and 0 to {num_qubits - 1}, but is {qubits.tolist()}."
            )
        order = np.argsort(qubits)
        if (order[1:] < order[:-1]).any():
            # Ascending qubits read memory in order; putting the (real, fewer) results in place is cheaper.
            ascending = self.probabilities(states, qubits[order], threads).reshape(batch, *(2,) * len(qubits))
            axes = len(qubits) - np.argsort(order)[::-1]
            return np.ascontiguousarray(ascending.transpose(0, *axes)).reshape(batch, 1 << len(qubits))
        log2_outcomes = min(len(qubits), numba_reductions.LOG2_OUTCOMES)
        log2_rest = min(num_qubits - len(qubits), 15 - log2_outcomes)
        chunks = 1 << (num_qubits - len(qubits) - log2_rest)
        blocks = 1 << (len(qubits) - log2_outcomes)
        out = np.empty((batch, 1 << len(qubits)))
        rows = max(1, _PARTIAL_ENTRIES // (chunks * out.shape[1]))
        for first_row in range(0, batch, rows):
            some = states[first_row : first_row + rows]
            here = out[first_row : first_row + rows]
            shape = (len(some) * chunks * blocks, 1 << log2_outcomes)
            partial = here.reshape(shape) if chunks == 1 else np.empty(shape)

            def call(a: int, b: int, some: Array = some, partial: Array = partial) -> None:
                numba_reductions.marginal_items(some, qubits, log2_outcomes, log2_rest, a, b, partial)

            for_items(call, len(partial), 2.0 * (1 << (log2_outcomes + log2_rest)), threads)
            if chunks > 1:
                partial.reshape(len(some), chunks, -1).sum(axis=1, out=here)
        return out

    def sample(self, state: Array, key: int, shots: int, threads: int = 1) -> npt.NDArray[np.int64]:
        """For each of ``uniforms(key, shots)`` the first index with a cumulative probability above it."""
        state = check_states(state, "state", 1)
        log2_block, blocks = _blocks(state.size)
        sums = np.empty(blocks)
        cost = 1.5 * (1 << log2_block)
        for_items(
            lambda a, b: numba_reductions.running_sums(state, log2_block, a, b, sums), blocks, cost, threads
        )
        starts = np.append(0.0, np.cumsum(sums))
        total = starts[-1]
        if not 0 < total < np.inf:
            raise StateError(
                f"Argument `state` must have a finite norm above zero to sample from, but has {total}."
            )
        goals = uniforms(key, shots) * total
        order = np.argsort(goals)
        goals = goals[order]
        splits = np.searchsorted(goals, starts)
        splits[-1] = shots
        found = np.empty(shots, np.int64)
        cost += shots / blocks
        for_items(
            lambda a, b: numba_reductions.sample_items(state, goals, starts, splits, log2_block, a, b, found),
            blocks, cost, threads,
        )  # fmt: skip
        out = np.empty(shots, np.int64)
        out[order] = found
        return out

    def norm_squared(self, states: Array, threads: int = 1) -> npt.NDArray[np.float64]:
        """Squared norms (batch,)."""
        return self._masked_norms(check_states(states, "states"), 0, 0, threads)

    def probability(self, state: Array, mask: int, value: int, threads: int = 1) -> float:
        """Sum of |amplitude|**2 where ``index & mask == value``."""
        state = check_states(state, "state", 1)
        mask, value = check_mask(mask, value, state.size)
        return float(self._masked_norms(state[None, :], mask, value, threads)[0])

    @staticmethod
    def _masked_norms(states: Array, mask: int, value: int, threads: int) -> npt.NDArray[np.float64]:
        log2_block, blocks = _blocks(states.shape[1])
        partial = np.empty(len(states) * blocks)
        for_items(
            lambda a, b: numba_reductions.norm_items(states, mask, value, log2_block, a, b, partial),
            len(partial), float(1 << log2_block), threads,
        )  # fmt: skip
        return np.asarray(partial.reshape(len(states), blocks).sum(axis=1))

    def inner_products(self, a: Array, b: Array, threads: int = 1) -> npt.NDArray[np.complex128]:
        """Sums of conj(a) * b, row by row (batch,)."""
        left, right = check_states(a, "a"), check_states(b, "b")
        if left.shape != right.shape or left.dtype != right.dtype:
            raise ArgumentError(
                f"Arguments `a` and `b` must have one shape and dtype, but have {left.shape} {left.dtype} "
                f"and {right.shape} {right.dtype}."
            )
        log2_block, blocks = _blocks(left.shape[1])
        partial = np.empty(len(left) * blocks, np.complex128)
        for_items(
            lambda first, last: numba_reductions.inner_items(left, right, log2_block, first, last, partial),
            len(partial), 1.5 * (1 << log2_block), threads,
        )  # fmt: skip
        return np.asarray(partial.reshape(len(left), blocks).sum(axis=1))


BACKEND = NumbaBackend()
