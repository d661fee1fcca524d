"""One tape and many rows of angles: states and expectation values, in lanes where the rows are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.observables import PauliSum
from qsim.program.execution import MAX_LANE_TABLES, empty_states, pauli_handle
from qsim.program.lanes import lane_program, lane_tables
from qsim.program.tape import Tape

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["Runner"]

FloatArray = npt.NDArray[np.float64]


class Runner:
    """Runs a tape derived from a program's, with the program's backend and precision.

    Whether rows run in lanes depends on `total`, how many there are in all, and not on the pieces they come
    in.

    Parameters
    ----------
    program : Program
    tape : Tape
        Runs from ``|0...0>``.
    """

    def __init__(self, program: Program, tape: Tape) -> None:
        self._backend, self._tape = program._backend, tape
        self._handle = program._backend.compile(tape, fuse=program.fuse)
        self._lanes: list[Any] = []  # the lane program and its handle, or None, once asked for
        self._observed: list[tuple[Any, Any, Any]] = []  # observables and their handles, those asked for last

    def _lane_program(self, total: int) -> Any:
        least = self._backend.least_lane_rows(self._tape.num_qubits, False)
        if least is None or total < least:
            return None
        if not self._lanes:
            made = lane_program(self._tape, from_zero=True)
            self._lanes.append(None if made is None else (made, self._backend.compile_lanes(made)))
        return self._lanes[0]

    def states(self, program: Program, angles: FloatArray, total: int) -> Any:
        """States (rows, 2**n)."""
        out = empty_states(len(angles), 1 << self._tape.num_qubits, program.dtype)
        lanes = self._lane_program(total)
        if lanes is not None:
            self._backend.run_lanes(lanes[1], None, out, angles, self._threads(program))
        else:
            self._backend.run(self._handle, out, angles, program.threads)
        return out

    def expectations(
        self, program: Program, sums: Sequence[PauliSum], angles: FloatArray, total: int
    ) -> FloatArray:
        """Values (rows, number of sums)."""
        lanes = self._lane_program(total)
        paulis, in_lanes = self._handles_of(sums, lanes)
        if in_lanes is not None:
            threads = self._threads(program)
            return self._backend.expectation_lanes(lanes[1], in_lanes, angles, program.dtype, threads)
        return self._backend.run_expectation(self._handle, paulis, angles, program.dtype, program.threads)

    def _threads(self, program: Program) -> int:
        return program._threads_in_lanes(1 << (self._tape.num_qubits - program.num_qubits))

    def _handles_of(self, sums: Sequence[PauliSum], lanes: Any) -> tuple[Any, Any]:
        for known, paulis, in_lanes in self._observed:
            same = len(known) == len(sums) and all(a is b for a, b in zip(known, sums, strict=True))
            if same and (lanes is None or in_lanes is not False):
                return paulis, in_lanes or None if lanes is not None else None
        n = self._tape.num_qubits
        made: Any = False  # not asked for
        if lanes is not None:
            flips = sum(len(np.unique(o.real_terms()[0])) for o in sums)
            made = None
            if flips * 16 << n <= MAX_LANE_TABLES:
                tables = lane_tables(lanes[0], list(sums))
                made = self._backend.compile_lane_observables(n, len(sums), *tables)
        paulis = pauli_handle(self._backend, sums, n)
        self._observed[:] = [(tuple(sums), paulis, made)]
        return paulis, made or None
