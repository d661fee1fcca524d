"""The compiled backend: a thin layer over the extension `qsim._core`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.errors import BackendError
from qsim.program.lanes import MAX_LANE_QUBITS, LaneProgram
from qsim.program.reverse import Reverse
from qsim.program.tape import Tape

try:
    from qsim import _core
except ImportError as error:
    if "QSIM_ISA" in str(error):  # the core refuses to load for an instruction set this CPU lacks
        raise BackendError(str(error)) from None
    raise

if TYPE_CHECKING:
    from qsim.backends.base import Backend, States

__all__ = ["BACKEND", "CppBackend"]

_SINGLE = np.dtype(np.complex64)


class CppBackend:
    """Runs tapes in C++, with kernels for the instruction set chosen at import."""

    name = "cpp"

    def compile(self, tape: Tape, *, fuse: bool = True) -> _core.CompiledTape:
        """Check a tape and make a handle of it."""
        return _core.compile(
            tape.num_qubits,
            tape.num_slots,
            tape.instructions,
            tape.integers,
            tape.constants,
            tape.segments,
            fuse=fuse,
        )

    def run(
        self, handle: _core.CompiledTape, states: States, angles: npt.NDArray[np.float64], threads: int
    ) -> None:
        """Overwrite `states` with what a tape makes from ``|0...0>``."""
        _core.apply(handle, states, angles, threads, from_zero=True)

    def apply(
        self, handle: _core.CompiledTape, states: States, angles: npt.NDArray[np.float64], threads: int
    ) -> None:
        """Run a tape on `states` in place."""
        _core.apply(handle, states, angles, threads)

    def set_basis_state(self, states: States, index: int, threads: int) -> None:
        """Overwrite all of `states` with the basis state `index`."""
        _core.set_basis_state(states, index, threads)

    def compile_paulis(
        self,
        num_qubits: int,
        x_masks: npt.NDArray[np.uint64],
        z_masks: npt.NDArray[np.uint64],
        coefficients: npt.NDArray[np.float64],
        offsets: npt.NDArray[np.int64],
    ) -> _core.CompiledPaulis:
        """Make a handle of observables."""
        return _core.compile_paulis(num_qubits, x_masks, z_masks, coefficients, offsets)

    def expectation(
        self, paulis: _core.CompiledPaulis, states: States, threads: int
    ) -> npt.NDArray[np.float64]:
        """Values of all observables, shape (batch, num_observables)."""
        return _core.expectation(paulis, states, threads)

    def run_expectation(
        self,
        handle: _core.CompiledTape,
        paulis: _core.CompiledPaulis,
        angles: npt.NDArray[np.float64],
        dtype: npt.DTypeLike,
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """Values of all observables in the states that a tape makes from ``|0...0>``."""
        return _core.run_expectation(handle, paulis, angles, dtype == _SINGLE, threads)

    def apply_paulis(self, paulis: _core.CompiledPaulis, states: States, out: States, threads: int) -> None:
        """Write every observable applied to every state to `out`, shape (batch, num_observables, 2**n)."""
        _core.apply_paulis(paulis, states, out, threads)

    def sweep_back(
        self,
        handle: _core.CompiledTape,
        reverse: Reverse,
        states: States,
        cotangents: States,
        angles: npt.NDArray[np.float64],
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """Derivatives by all slots, shape (batch, count, num_slots)."""
        return _core.sweep_back(handle, reverse.slots, reverse.weights, states, cotangents, angles, threads)

    def least_lane_rows(self, num_qubits: int, gradient: bool) -> int | None:
        """Rows from which on lanes are faster.

        A group of lanes takes the time of about one row up to 8 qubits, of two or three on 10 to 14, whether
        all its lanes are used or not; in single precision with the widest registers up to twice that. Back
        and forth it takes less than one row up to 9 qubits, if a narrow register serves a few rows, and less
        than two up to 12.
        """
        if num_qubits > MAX_LANE_QUBITS:
            return None
        if gradient and num_qubits <= 12:
            return 1 if num_qubits <= 9 else 2
        return max(3, num_qubits // 2)

    def compile_lanes(self, program: LaneProgram) -> _core.CompiledLanes:
        """Check a lane program and make a handle of it."""
        return _core.compile_lanes(
            program.num_qubits,
            program.num_slots,
            program.constants,
            program.first,
            program.slots,
            program.weights,
            program.steps.ravel(),
            program.turns.ravel(),
            program.phases,
            program.bases.ravel(),
            program.matrices.ravel(),
            program.matrix_qubits.ravel(),
            program.entries,
            program.columns,
            program.origin,
        )

    def compile_lane_observables(
        self,
        num_qubits: int,
        num_observables: int,
        numbers: npt.NDArray[np.int32],
        x_masks: npt.NDArray[np.uint32],
        tables: npt.NDArray[np.complex128],
    ) -> _core.CompiledLaneObservables:
        """Make a handle of observables' tables."""
        return _core.compile_lane_observables(num_qubits, num_observables, numbers, x_masks, tables.ravel())

    def run_lanes(
        self,
        handle: _core.CompiledLanes,
        initial: States | None,
        out: States,
        angles: npt.NDArray[np.float64],
        threads: int,
    ) -> None:
        """Write the states made from `initial` (None: ``|0...0>``) to `out`."""
        _core.run_lanes(handle, initial, out, angles, threads)

    def expectation_lanes(
        self,
        handle: _core.CompiledLanes,
        observables: _core.CompiledLaneObservables,
        angles: npt.NDArray[np.float64],
        dtype: npt.DTypeLike,
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """Values of all observables, shape (batch, num_observables)."""
        return _core.expectation_lanes(handle, observables, angles, dtype == _SINGLE, threads)

    def gradient_lanes(
        self,
        handle: _core.CompiledLanes,
        observables: _core.CompiledLaneObservables,
        wanted: npt.NDArray[np.uint8],
        angles: npt.NDArray[np.float64],
        dtype: npt.DTypeLike,
        threads: int,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Values, and derivatives by all slots, shape (batch, num_observables, num_slots)."""
        return _core.gradient_lanes(handle, observables, wanted, angles, dtype == _SINGLE, threads)

    def sweep_lanes(
        self,
        handle: _core.CompiledLanes,
        states: States,
        cotangents: States,
        wanted: npt.NDArray[np.uint8],
        angles: npt.NDArray[np.float64],
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """Derivatives by all slots, shape (batch, count, num_slots)."""
        return _core.sweep_lanes(handle, states, cotangents, wanted, angles, threads)

    def state_of_row(
        self, handle: _core.CompiledTape, dtype: npt.DTypeLike, threads: int, largest: float
    ) -> Callable[[Any], States | None] | None:
        """The state of one row, for circuits of few qubits."""
        return _core.state_of_row(handle, dtype == _SINGLE, threads, largest)

    def expectation_of_row(
        self,
        handle: _core.CompiledTape,
        paulis: _core.CompiledPaulis,
        dtype: npt.DTypeLike,
        threads: int,
        largest: float,
    ) -> Callable[[Any], float | None] | None:
        """The value of one observable for one row."""
        return _core.expectation_of_row(handle, paulis, dtype == _SINGLE, threads, largest)

    def gradient_of_row(
        self,
        handle: _core.CompiledLanes,
        observables: _core.CompiledLaneObservables,
        dtype: npt.DTypeLike,
        threads: int,
        largest: float,
    ) -> Callable[[Any], tuple[float, npt.NDArray[np.float64]] | None] | None:
        """The same, and its derivatives by all slots."""
        return _core.gradient_of_row(handle, observables, dtype == _SINGLE, threads, largest)

    def probabilities(
        self, states: States, qubits: npt.NDArray[np.int32], threads: int
    ) -> npt.NDArray[np.float64]:
        """Probabilities, shape (batch, 2**len(qubits))."""
        return _core.probabilities(states, qubits, threads)

    def sample(self, state: States, key: int, shots: int, threads: int) -> npt.NDArray[np.int64]:
        """Indices drawn by the stream of numbers `key`."""
        return _core.sample(state, key, shots, threads)

    def norm_squared(self, states: States, threads: int) -> npt.NDArray[np.float64]:
        """Sum of squared absolute amplitudes, shape (batch,)."""
        return _core.norm_squared(states, threads)

    def inner_products(self, a: States, b: States, threads: int) -> npt.NDArray[np.complex128]:
        """Sum of conj(a) * b, shape (batch,)."""
        return _core.inner_products(a, b, threads)

    def probability(self, state: States, mask: int, value: int, threads: int) -> float:
        """Sum of squared absolute amplitudes where ``index & mask == value``."""
        return _core.probability(state, mask, value, threads)

    def collapse(self, state: States, mask: int, value: int, scale: float, threads: int) -> None:
        """Zero the amplitudes where ``index & mask != value`` and scale the others."""
        _core.collapse(state, mask, value, scale, threads)


#: For `qsim.backends.base.get_backend`.
BACKEND: Backend = CppBackend()
