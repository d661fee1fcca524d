"""Execution: the states of a compiled circuit, for the rows of a batch, and what is read off them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import counted
from qsim._extras import require
from qsim.backends.base import Backend, get_backend
from qsim.bitstrings import MAX_MASK_BITS
from qsim.distributions import distribution_from_outcomes
from qsim.errors import ArgumentError, ObservableError, StateError
from qsim.memory import (
    check_free_memory,
    check_state_memory,
    format_bytes,
    row_ranges,
    rows_at_once,
)
from qsim.observables import Diagonal, Observable, PauliSum, Projector, as_observables
from qsim.program.branches import Branch, exact_split, normalize_states, run_branches, shot_split
from qsim.program.flow import FlowCode
from qsim.program.lanes import MAX_LANE_QUBITS, LaneProgram, lane_program, lane_tables
from qsim.program.short_way import MAX_CACHED_BYTES, is_plain
from qsim.program.slots import SlotMap
from qsim.rng import stream_key

__all__ = ["Execution", "common_batch", "pieces_shown", "with_progress"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: States of a batch are computed in chunks of about this many bytes where only reductions are kept.
CHUNK_BYTES = 1 << 28
#: A progress bar moves at least this often, if there are so many rows.
PROGRESS_STEPS = 100
_CACHE_LINE = 64
#: A bitstring, a number and their place in a dictionary.
_BYTES_PER_OUTCOME = 300
#: Derived tapes that a program keeps: one for each choice of parameters and method.
_MAX_DERIVED = 32
#: Observables whose tables for lanes are bigger run row by row.
MAX_LANE_TABLES = 1 << 26
#: Rows that a group of lanes holds at most, in either backend and precision.
_MOST_LANES = 16
#: What `_connect_observables` makes.
_OF_OBSERVABLES = ("_paulis", "_lane_observables", "_short_calls", "_is_one_sum")
#: More than any batch has.
MANY_ROWS = 1 << 62


def _rows_worth(lanes: LaneProgram, gradient: bool) -> float:
    """Rows that take as long as a group of lanes; back and forth they take twice as long for each pass."""
    return lanes.rows_worth / 2 if gradient else lanes.rows_worth


class Execution:
    """Base of `Program`: holds the compiled code and the backend's handles, and makes states."""

    num_qubits: int
    num_clbits: int
    dtype: np.dtype[Any]
    threads: int
    fuse: bool
    max_memory: int | None
    observables: tuple[Observable, ...]
    _backend_name: str
    _code: FlowCode
    _slots: SlotMap
    _variables: dict[str, Any]
    _registers: dict[str, tuple[int, ...]]
    _scratch: frozenset[int]

    def _connect(self) -> None:
        """What is not pickled: the backend and its handles."""
        self._backend: Backend = get_backend(self._backend_name)
        self._handles = [self._backend.compile(tape, fuse=self.fuse) for tape in self._code.tapes]
        #: what gradients need of the tape, made when first asked for and shared by `with_observables`
        self._derived: dict[Any, Any] = {}
        self._is_plain = is_plain(self)  # type: ignore[arg-type]

    def _set_observables(self, observables: Any) -> None:
        texts: Any = observables if isinstance(observables, str) else None
        if isinstance(observables, list | tuple) and all(isinstance(o, str) for o in observables):
            texts = tuple(observables)
        kept = None if texts is None else self._derived.get(("observables", texts))
        if kept is not None:
            self.__dict__.update(kept)
            return
        self.observables, self._is_single = ((), True) if observables is None else as_observables(observables)
        if observables is not None and not self.observables:
            raise ObservableError("Argument `observable` must hold at least one observable, but is empty.")
        for observable in self.observables:
            observable.require_qubits(self.num_qubits)
        self._connect_observables()
        if texts is not None:  # texts are read once, as a training loop gives them in each step
            names = ("observables", "_is_single", *_OF_OBSERVABLES)
            self._derive(("observables", texts), lambda: {name: self.__dict__[name] for name in names})

    def _connect_observables(self) -> None:
        self._paulis = pauli_handle(self._backend, self.observables, self.num_qubits)
        self._lane_observables: list[Any] = []  # one handle, made when first asked for
        self._short_calls: dict[str | int, Callable[[Any], Any]] = {}
        self._is_one_sum = (
            self._is_single and len(self.observables) == 1 and isinstance(self.observables[0], PauliSum)
        )

    def __getstate__(self) -> dict[str, Any]:
        dropped = {"_sealed", "_backend", "_handles", "_derived", "_is_plain", *_OF_OBSERVABLES}
        return {name: value for name, value in self.__dict__.items() if name not in dropped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()
        self._connect_observables()
        self._seal()

    def _seal(self) -> None:
        """From now on nothing can be set: programs are shared by threads and kept with circuits."""
        self.__dict__["_sealed"] = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_sealed" in self.__dict__:
            raise AttributeError(
                f"A Program cannot change, so `{name}` cannot be set; compile the circuit anew."
            )
        super().__setattr__(name, value)

    def _derive(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, kept for the next time."""
        try:
            return self._derived[key]
        except KeyError:
            made = make()
        if len(self._derived) >= _MAX_DERIVED:
            self._derived.clear()
        self._derived[key] = made
        return made

    # -- lanes -----------------------------------------------------------------------------------
    def _lanes(
        self, batch: int, from_zero: bool = True, gradient: bool = False
    ) -> tuple[LaneProgram, Any] | None:
        """The lane program, and its handle, if so many rows are to run as lanes."""
        least = self._backend.least_lane_rows(self.num_qubits, gradient)
        if least is None or batch < least or not self._handles or not self._code.is_static:
            return None
        made: tuple[LaneProgram, Any] | None = self._derive(
            ("lanes", from_zero), lambda: self._make_lanes(from_zero)
        )
        if made is None:
            return None
        return made if batch >= _rows_worth(made[0], gradient) else None

    def _least_lane_rows(self, gradient: bool) -> int | None:
        """Rows from which on `_lanes` serve; None: never."""
        least = self._backend.least_lane_rows(self.num_qubits, gradient)
        made = None if least is None else self._lanes(MANY_ROWS, gradient=gradient)
        return None if made is None else max(least or 0, math.ceil(_rows_worth(made[0], gradient)))

    def _make_lanes(self, from_zero: bool) -> tuple[LaneProgram, Any] | None:
        program = lane_program(self._code.tapes[0], from_zero=from_zero)
        return None if program is None else (program, self._backend.compile_lanes(program))

    def _observed_lanes(self, batch: int, gradient: bool = False) -> tuple[Any, Any] | None:
        """Handles of lane program and observables, all Pauli sums, if so many rows are to run as lanes."""
        lanes = self._lanes(batch, gradient=gradient)
        if lanes is None:
            return None
        if not self._lane_observables:
            sums = [o for o in self.observables if isinstance(o, PauliSum)]
            flips = sum(len(np.unique(o.real_terms()[0])) for o in sums)
            handle = None
            if flips * 16 << self.num_qubits <= MAX_LANE_TABLES:
                tables = lane_tables(lanes[0], sums)
                handle = self._backend.compile_lane_observables(self.num_qubits, len(sums), *tables)
            self._lane_observables.append(handle)
        return None if self._lane_observables[0] is None else (lanes[1], self._lane_observables[0])

    def _pauli_values(self, angles: FloatArray, batch: int) -> FloatArray:
        """Values of all observables, all Pauli sums, for some rows of a batch that starts from |0...0>."""
        lanes = self._observed_lanes(batch)
        if lanes is not None:
            threads = self._threads_in_lanes()
            return self._backend.expectation_lanes(*lanes, angles, self.dtype, threads)
        return self._backend.run_expectation(self._handles[0], self._paulis, angles, self.dtype, self.threads)

    # -- states ----------------------------------------------------------------------------------
    def _run(
        self, angles: FloatArray, initial: ComplexArray | None, batch: int, first: int = 0
    ) -> ComplexArray:
        """States of rows `first` to `first + batch` of a static circuit."""
        states = empty_states(batch, 1 << self.num_qubits, self.dtype)
        rows = angles if len(angles) == 1 else np.ascontiguousarray(angles[first : first + batch])
        total = max(len(angles), 1 if initial is None else len(initial))
        lanes = self._lanes(total, initial is None)
        if lanes is not None:
            own = initial if initial is None or len(initial) == 1 else initial[first : first + batch]
            self._backend.run_lanes(lanes[1], own, states, rows, self._threads_in_lanes())
        elif initial is not None:
            states[:] = initial if len(initial) == 1 else initial[first : first + batch]
            if self._handles:
                self._backend.apply(self._handles[0], states, rows, self.threads)
        elif self._handles:
            self._backend.run(self._handles[0], states, rows, self.threads)
        else:
            self._backend.set_basis_state(states, 0, self.threads)
        return states

    def _final(
        self, angles: FloatArray, initial: ComplexArray | None, batch: int, first: int = 0
    ) -> ComplexArray:
        """States as `_run` gives them, normalised: what everything but amplitudes is read off."""
        states = self._run(angles, initial, batch, first)
        if not self._code.keeps_norm:
            normalize_states(states)
        return states

    def _initial_bits(self) -> list[int]:
        """Classical bits before anything runs: 0, or what the circuit makes of them in any case."""
        bits = [0] * self.num_clbits
        for index, value in self._code.constant_bits.items():
            bits[index] = value
        return bits

    def _branches(
        self, angles: FloatArray, initial: ComplexArray | None, row: int, split: Any, weight: float
    ) -> Iterator[Branch]:
        """Final branches of one row of a circuit that branches."""
        state = empty_states(1, 1 << self.num_qubits, self.dtype)
        if initial is None:
            self._backend.set_basis_state(state, 0, self.threads)
        else:
            state[0] = initial[row if len(initial) > 1 else 0]
        branch = Branch(state, self._initial_bits(), dict(self._variables), weight)
        own = angles if len(angles) == 1 else np.ascontiguousarray(angles[row : row + 1])
        return run_branches(self._code, self._handles, branch, own, split, self._backend, self.threads)

    def _average(
        self,
        values: FloatArray,
        batched: bool,
        initial_state: Any,
        normalize: bool,
        function: Any,
        progress: bool = False,
        copies: int = 1,
        answer: int = 0,
    ) -> tuple[Any, bool]:
        """`function` of the final states, averaged over branches; and whether the result has a batch axis.

        `copies` is the memory it takes at its peak, in states and with the state itself; `answer` the bytes
        of a row of the result, where they are many.
        """
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = common_batch(len(values), 1 if initial is None else len(initial))
        if not batch:
            return function(np.empty((0, 1 << self.num_qubits), dtype=self.dtype)), True
        angles = self._slots.angles(values)
        rows = self._rows_at_once(batch, copies, held=answer * batch)
        rows = pieces_shown(rows, batch, progress) if self._code.is_static else 1
        out: list[Any] = []
        for first in with_progress(range(0, batch, rows), progress, batch):
            count = min(rows, batch - first)
            if self._code.is_static:
                out.append(function(self._final(angles, initial, count, first)))
            else:
                branches = self._branches(angles, initial, first, exact_split, 1.0)
                total: Any = 0.0
                for branch in branches:
                    total = total + branch.weight * function(branch.state)
                out.append(total)
        return np.concatenate(out), batched or batched_initial

    def _expectations(self, states: ComplexArray) -> FloatArray:
        """All observables in all states, shape (batch, num_observables)."""
        paulis = [k for k, o in enumerate(self.observables) if isinstance(o, PauliSum)]
        if paulis and len(paulis) == len(self.observables):
            return self._backend.expectation(self._paulis, states, self.threads)
        out = np.empty((len(states), len(self.observables)))
        if paulis:
            out[:, paulis] = self._backend.expectation(self._paulis, states, self.threads)
        for k, observable in enumerate(self.observables):
            if isinstance(observable, Diagonal | Projector):
                qubits = np.array(observable.qubits, dtype=np.int32)
                out[:, k] = observable.from_probabilities(
                    self._backend.probabilities(states, qubits, self.threads)
                )
            elif not isinstance(observable, PauliSum):
                out[:, k] = observable.expectation(states)
        return out

    def _sample_rows(
        self,
        angles: FloatArray,
        initial: ComplexArray | None,
        first: int,
        shots: int,
        generators: Sequence[np.random.Generator],
    ) -> list[npt.NDArray[np.int64]]:
        """Samples of the rows from `first` on, one for each generator."""
        count = len(generators)
        states = self._final(angles, initial, count, first) if self._code.is_static else [None] * count
        return [
            self._sample_row(state, angles, initial, first + k, shots, generator)
            for k, (state, generator) in enumerate(zip(states, generators, strict=True))
        ]

    def _sample_row(
        self,
        state: ComplexArray | None,
        all_angles: FloatArray,
        initial: ComplexArray | None,
        row: int,
        shots: int,
        generator: np.random.Generator,
    ) -> npt.NDArray[np.int64]:
        """Samples of one row: of its final state, or by following branches."""
        if state is not None:
            return self._read_out(state, self._initial_bits(), shots, generator)
        angles = np.ascontiguousarray(all_angles[row : row + 1]) if len(all_angles) > 1 else all_angles
        own = None if initial is None else initial[row : row + 1] if len(initial) > 1 else initial
        parts = [
            self._read_out(branch.state[0], branch.bits, int(branch.weight), generator)
            for branch in self._branches(angles, own, 0, shot_split(generator), shots)
        ]
        out = np.concatenate(parts)
        if len(parts) > 1:
            generator.shuffle(out)  # the branches come one after the other
        return out

    def _read_out(
        self, state: ComplexArray, bits: Sequence[int], shots: int, generator: np.random.Generator
    ) -> npt.NDArray[Any]:
        """`shots` outcomes of the measurements at the end of the circuit.

        Integers, or rows of bits where there are too many for an integer.
        """
        if not self._samples_qubits() and not self._code.readout:
            index = np.zeros(shots, dtype=np.int64)  # every bit is known already
        else:
            index = self._backend.sample(state, stream_key(generator), shots, self.threads)
        if self._samples_qubits():
            return index
        if self.num_clbits > MAX_MASK_BITS:
            rows = np.tile(np.array(bits, dtype=np.uint8), (shots, 1))
            for step in self._code.readout:
                rows[:, step.clbit] = index >> step.qubit & 1
            return rows
        written = {step.clbit: step.qubit for step in self._code.readout}
        known = sum(bit << k for k, bit in enumerate(bits) if k not in written)
        masks: dict[int, int] = {}  # of the qubits whose bits move by the same distance
        for clbit, qubit in written.items():
            masks[clbit - qubit] = masks.get(clbit - qubit, 0) | 1 << qubit
        out = np.full(shots, known, dtype=np.int64)
        for distance, mask in masks.items():
            moved = index & mask
            out |= moved << distance if distance >= 0 else moved >> -distance
        return out

    def _distribution_row(
        self, all_angles: FloatArray, initial: ComplexArray | None, row: int
    ) -> dict[str, float]:
        angles = np.ascontiguousarray(all_angles[row : row + 1]) if len(all_angles) > 1 else all_angles
        own = None if initial is None else initial[row : row + 1] if len(initial) > 1 else initial
        self._rows_at_once(1, 2)  # and all probabilities
        width = self._num_sampled_bits()
        totals: dict[int, float] = {}
        if self._code.is_static:
            final = [Branch(self._final(angles, own, 1), self._initial_bits(), {}, 1.0)]
        else:
            final = self._branches(angles, own, 0, exact_split, 1.0)  # type: ignore[assignment]
        of_qubits = self._samples_qubits()
        written = {step.clbit: step.qubit for step in self._code.readout}
        if of_qubits:
            written = {q: q for q in range(self.num_qubits)}
        qubits = tuple(dict.fromkeys(written.values()))
        position = {q: k for k, q in enumerate(qubits)}
        for branch in final:
            known = () if of_qubits else branch.bits
            base = sum(bit << k for k, bit in enumerate(known) if k not in written)
            p = self._backend.probabilities(branch.state, np.array(qubits, dtype=np.int32), self.threads)[0]
            kept = np.flatnonzero(p * branch.weight > 1e-15)
            check_free_memory(
                2 * _BYTES_PER_OUTCOME * len(kept),
                f"A dictionary of {len(kept)} outcomes",
                "Use probabilities(), which is an array, or sample().",
            )
            index = kept.astype(object) if width > MAX_MASK_BITS else kept  # Python ints have no width
            outcomes = np.full(len(kept), base, dtype=index.dtype)
            for clbit, qubit in written.items():
                outcomes |= (index >> position[qubit] & 1) << clbit
            for outcome, probability in zip(
                outcomes.tolist(), (p[kept] * branch.weight).tolist(), strict=True
            ):
                totals[outcome] = totals.get(outcome, 0.0) + probability
        if self._scratch and not of_qubits:
            merged: dict[int, float] = {}
            for outcome, probability in totals.items():
                seen = sum((outcome >> c & 1) << k for k, c in enumerate(self._visible()))
                merged[seen] = merged.get(seen, 0.0) + probability
            return distribution_from_outcomes(merged, len(self._visible()))
        return distribution_from_outcomes(totals, width)

    def _samples_qubits(self) -> bool:
        """Whether samples are of the qubits: no operation writes a classical bit that counts."""
        return self._code.written_bits <= self._scratch

    def _visible(self) -> list[int]:
        """The classical bits that outcomes are made of."""
        return [c for c in range(self.num_clbits) if c not in self._scratch]

    def _visible_registers(self) -> dict[str, tuple[int, ...]]:
        if not self._scratch:
            return self._registers
        place = {c: k for k, c in enumerate(self._visible())}
        listed = {name: tuple(place[c] for c in bits if c in place) for name, bits in self._registers.items()}
        return {name: bits for name, bits in listed.items() if bits}

    def _num_sampled_bits(self) -> int:
        return self.num_qubits if self._samples_qubits() else self.num_clbits

    # -- memory ----------------------------------------------------------------------------------
    def _state_bytes(self, copies: int = 1) -> int:
        return copies * self.dtype.itemsize << self.num_qubits

    def _copies_held(self) -> int:
        """States that an observable or a density matrix needs at once, with that it is asked of.

        Those of more than 2**16 amplitudes are gone through in pieces.
        """
        return 2 if self.num_qubits > 16 else 3

    def _threads_in_lanes(self, copies: int = 1) -> int:
        """Threads that run lanes: those whose groups, `copies` states a row, take half of `max_memory`."""
        if self.max_memory is None:
            return self.threads
        return max(1, min(self.threads, self.max_memory // (2 * _MOST_LANES * self._state_bytes(copies))))

    def _group_bytes(self, copies: int = 1) -> int:
        """What the groups of all threads take if lanes run."""
        if self.num_qubits > MAX_LANE_QUBITS:
            return 0
        return self._threads_in_lanes(copies) * _MOST_LANES * self._state_bytes(copies)

    def _rows_at_once(self, batch: int, copies: int, usual: int = CHUNK_BYTES, held: int = 0) -> int:
        """Rows of a piece of a batch, each of `copies` states, beside an answer, say, of `held` bytes.

        As many as `usual` bytes hold, at least one, and no more than `max_memory` allows.

        Raises
        ------
        MemoryBudgetError
            One row is more than `max_memory` allows, or what would be held does not fit the free memory.
        """
        size, what = self._state_bytes(copies), "One row"
        if self.max_memory is not None:
            held += self._group_bytes()
            what = f"One row, of {counted(copies, 'state')} of {counted(self.num_qubits, 'qubit')}"
            if held:
                what += f", beside {format_bytes(held)} whatever the rows"
            what += ","
        rows = rows_at_once(max(1, batch), size, usual, self.max_memory, held, what)
        check_state_memory(self.num_qubits, self.dtype.itemsize, batch=rows, copies=copies)
        return rows

    def _row_ranges(
        self, batch: int, copies: int, usual: int = CHUNK_BYTES, held: int = 0
    ) -> Iterator[slice]:
        """Pieces of a batch; see `_rows_at_once`."""
        return row_ranges(batch, self._rows_at_once(batch, copies, usual, held))

    def _initial(self, initial_state: Any, normalize: bool) -> tuple[ComplexArray | None, bool]:
        """Checked initial states, shape (1 or batch, 2**num_qubits), and whether a batch axis was given."""
        if initial_state is None:
            return None, False
        try:
            states = np.asarray(initial_state)
        except ValueError as error:  # rows of different lengths
            raise StateError(f"Argument `initial_state` must be a regular array: {error}.") from None
        if states.dtype.kind not in "iufc":
            raise TypeError(
                f"Argument `initial_state` must be complex numbers, but is of type {states.dtype}."
            )
        size = 1 << self.num_qubits
        if states.ndim not in (1, 2) or states.shape[-1] != size or states.size == 0:
            raise StateError(
                f"Argument `initial_state` must have shape ({size},) or (batch, {size}), but has shape "
                f"{states.shape}."
            )
        rows = np.require(states.reshape(-1, size), self.dtype, ["C", "ALIGNED"])
        norms = self._backend.norm_squared(rows, self.threads)
        if not np.isfinite(norms).all():
            raise StateError("Argument `initial_state` must be finite, but holds NaN or infinity.")
        zeroed = self._code.zeroed
        for row, norm in zip(rows, norms, strict=True):
            if zeroed and self._backend.probability(row, zeroed, 0, self.threads) < norm * (1 - 1e-12):
                named = [q for q in range(self.num_qubits) if zeroed >> q & 1]
                raise StateError(
                    f"The circuit begins with a reset of qubits {named}, so argument `initial_state` must "
                    "have them in |0>, but has not. Put the reset behind a gate, or leave the argument out."
                )
        if normalize and (norms > 0).all():
            return rows / np.sqrt(norms).astype(rows.real.dtype)[:, None], states.ndim == 2
        if not (norms > 0).all():
            row = f" in row {int(np.argmin(norms))}" if states.ndim == 2 else ""
            raise StateError(f"Argument `initial_state` must have norm 1, but is zero{row}.")
        worst = int(np.argmax(np.abs(norms - 1)))
        if abs(norms[worst] - 1) > (1e-8 if self.dtype == np.complex128 else 1e-4):
            raise StateError(
                f"Argument `initial_state` must have norm 1, but has norm {np.sqrt(norms[worst]):.6g}. "
                "Pass normalize=True to divide it by its norm."
            )
        return rows, states.ndim == 2


def pauli_handle(backend: Backend, observables: Sequence[Observable], num_qubits: int) -> Any:
    """The Pauli sums among the observables, for the kernels."""
    terms = [o.real_terms() for o in observables if isinstance(o, PauliSum)]
    if not terms:
        return None
    offsets = np.cumsum([0, *(len(t[2]) for t in terms)], dtype=np.int64)
    x, z, c = (np.ascontiguousarray(np.concatenate([t[k] for t in terms])) for k in range(3))
    return backend.compile_paulis(
        num_qubits, x.astype(np.uint64), z.astype(np.uint64), c.astype(np.float64), offsets
    )


def empty_states(batch: int, size: int, dtype: np.dtype[Any]) -> ComplexArray:
    """An array (batch, size) that begins with a cache line if it is big; NumPy promises 16 bytes."""
    num_bytes = batch * size * dtype.itemsize
    if num_bytes < MAX_CACHED_BYTES:
        return np.empty((batch, size), dtype=dtype)
    raw = np.empty(num_bytes + _CACHE_LINE, dtype=np.uint8)
    first = -raw.ctypes.data % _CACHE_LINE
    states: ComplexArray = raw[first : first + num_bytes].view(dtype).reshape(batch, size)
    return states


def common_batch(first: int, second: int) -> int:
    if first != second and 1 not in (first, second):
        raise ArgumentError(f"Parameters have a batch of {first}, but initial states one of {second}.")
    return first if second == 1 else second


def pieces_shown(rows: int, batch: int, progress: bool) -> int:
    """Rows of a piece, few enough for a progress bar to move."""
    return min(rows, -(-batch // PROGRESS_STEPS)) if progress and batch else rows


def with_progress(starts: range, progress: bool, total: int) -> Iterable[int]:
    """The first rows of the chunks, with a bar that counts rows if `progress`."""
    if not progress:
        return starts
    tqdm = require("tqdm.auto", extra="progress", user="A progress bar", name="tqdm").tqdm

    def moving() -> Iterator[int]:
        with tqdm(total=total, unit="row") as bar:
            for start in starts:
                yield start
                bar.update(min(starts.step, total - start))

    return moving()
