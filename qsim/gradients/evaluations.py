"""Many circuits evaluated as one batch, exactly or from shots: what all methods but adjoint are made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.errors import GradientError
from qsim.gradients.runner import Runner
from qsim.gradients.shots import ShotPlan
from qsim.memory import row_ranges, rows_at_once
from qsim.observables import Observable, PauliSum
from qsim.program.execution import empty_states
from qsim.rng import numbered_keys, root_sequence, row_generator, stream_key

if TYPE_CHECKING:
    from qsim.measurements import Measurement
    from qsim.program.program import Program

__all__ = ["Evaluations", "Options", "Streams", "evaluation_ranges"]

FloatArray = npt.NDArray[np.float64]
RowArray = npt.NDArray[np.int64]
#: States held at once; with what sampling and observables need at the most, so many copies.
_CHUNK_BYTES, _COPIES = 1 << 24, 3
#: Evaluations whose angles are made at once, the bytes of these, and their share of `max_memory`.
_ROWS, _ANGLE_BYTES, _SHARE = 1 << 14, 1 << 26, 16


@dataclass(frozen=True, eq=False)
class Options:
    """What a method may be told.

    Attributes
    ----------
    step : float, optional
        Of differences.
    shots : int, optional
        For each circuit and basis; None: exact values.
    seed
        Of shots and random directions.
    directions : int
        Random directions of SPSA.
    measurement : Measurement, optional
        None: the program's observables.
    """

    step: float | None = None
    shots: int | None = None
    seed: Any = None
    directions: int = 1
    measurement: Measurement | None = None


def evaluation_ranges(program: Program, count: int, numbers: int) -> Iterator[slice]:
    """Pieces of so many evaluations, of which each has a row of so many angles."""
    usual = _ANGLE_BYTES if program.max_memory is None else program.max_memory // _SHARE
    return row_ranges(count, min(_ROWS, rows_at_once(count, 8 * numbers, min(usual, _ANGLE_BYTES))))


class Streams:
    """One stream of random numbers for each row of the batch."""

    def __init__(self, seed: Any, batch: int) -> None:
        root = root_sequence(seed)
        self.generators = [row_generator(root, row) for row in range(batch)]
        self.keys = np.array([stream_key(g) for g in self.generators], dtype=np.uint64)


class Evaluations:
    """Values of the same measurement for a tape with many rows of angles.

    Parameters
    ----------
    program : Program
    options : Options
    streams : Streams or None
        For shots.
    runner : Runner, optional
        Of another tape than the program's.
    num_qubits : int, optional
        Of that tape.
    observables : sequence of PauliSum, optional
        Instead of the program's.
    """

    def __init__(
        self,
        program: Program,
        options: Options,
        streams: Streams | None,
        runner: Runner | None = None,
        num_qubits: int | None = None,
        observables: Sequence[Observable] | None = None,
    ) -> None:
        self._program, self._options, self._streams = program, options, streams
        if runner is None and program._handles:
            runner = program._derive("own runner", lambda: Runner(program, program._code.tapes[0]))
        self._runner = runner
        self._num_qubits = program.num_qubits if num_qubits is None else num_qubits
        self._own = observables is None
        self._observables = tuple(program.observables if observables is None else observables)
        backend = program._backend
        measurement = options.measurement
        self.shape = (len(self._observables),) if measurement is None else measurement.shape(program)
        self.size = math.prod(self.shape)
        self.dtype: Any = complex if measurement is not None and measurement.is_complex else float
        self._plan = None
        if options.shots is not None:
            if measurement is not None:
                raise GradientError(
                    f"Shots estimate expectation values, but not {measurement!r}. Leave out `shots`, or ask "
                    "for observables."
                )
            self._plan = ShotPlan(backend, self._observables, self._num_qubits)

    def __call__(
        self, angles: FloatArray, rows: RowArray, numbers: RowArray, total: int | None = None
    ) -> tuple[Any, FloatArray]:
        """Values (count, size) and their variances.

        Parameters
        ----------
        angles : ndarray, shape (count, number of slots of the tape)
        rows : ndarray, shape (count,)
            Of the batch of parameters.
        numbers : ndarray, shape (count,)
            Which evaluation of its row each is: with the row it decides about the random numbers.
        total : int, optional
            How many there are in all, where these are a piece of them.
        """
        program, count = self._program, len(angles)
        total = count if total is None else total
        variances = np.zeros((count, self.size))
        angles = np.ascontiguousarray(angles)
        wider = 1 << (self._num_qubits - program.num_qubits)
        program._rows_at_once(1, wider, held=angles.nbytes)
        sums = [o for o in self._observables if isinstance(o, PauliSum)]
        is_pauli = self._options.measurement is None and len(sums) == len(self._observables)
        if self._plan is None and is_pauli and self._runner is not None:
            return self._runner.expectations(program, sums, angles, total), variances
        out = np.empty((count, self.size), dtype=self.dtype)
        copies = _COPIES * wider
        if self._options.measurement is not None:
            copies = 1 + self._options.measurement.copies(program)
        for part in program._row_ranges(count, copies, copies * _CHUNK_BYTES, angles.nbytes + out.nbytes):
            states = self._states(angles[part], total)
            if self._plan is not None:
                assert self._streams is not None and self._options.shots is not None
                bases = max(1, len(self._plan.bases))
                places = numbers[part, None] * bases + np.arange(bases)
                keys = numbered_keys(self._streams.keys[rows[part], None], places)
                out[part], variances[part] = self._plan.estimate(
                    states, keys, self._options.shots, program.threads
                )
            elif self._options.measurement is not None:
                found = self._options.measurement.evaluate(program, states, rows[part])
                out[part] = found.reshape(len(found), -1)
            else:
                out[part] = self._expectations(states)
        return out, variances

    def _states(self, angles: FloatArray, total: int) -> Any:
        program = self._program
        if self._runner is not None:
            return self._runner.states(program, angles, total)
        states = empty_states(len(angles), 1 << self._num_qubits, program.dtype)
        program._backend.set_basis_state(states, 0, program.threads)
        return states

    def _expectations(self, states: Any) -> FloatArray:
        if self._own:
            return self._program._expectations(states)
        return np.stack([o.expectation(states) for o in self._observables], axis=1)
