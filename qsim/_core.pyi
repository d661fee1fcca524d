from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

INSTRUCTION: np.dtype[np.void]
SEGMENT: np.dtype[np.void]

_States = npt.NDArray[np.complex64] | npt.NDArray[np.complex128]

class CompiledTape:
    @property
    def num_qubits(self) -> int: ...
    @property
    def num_slots(self) -> int: ...
    def plan(self, single: bool, from_zero: bool) -> list[dict[str, Any]]: ...
    def schedule(
        self, from_zero: bool
    ) -> tuple[list[tuple[str, int, int]], list[list[int]], list[tuple[int, bool, list[list[int]]]]]: ...
    def is_swept(self, slots: npt.NDArray[np.int32]) -> bool: ...

class CompiledPaulis:
    @property
    def num_qubits(self) -> int: ...
    @property
    def num_observables(self) -> int: ...

class CompiledLanes:
    @property
    def num_qubits(self) -> int: ...
    @property
    def num_slots(self) -> int: ...

class CompiledLaneObservables:
    @property
    def num_qubits(self) -> int: ...
    @property
    def num_observables(self) -> int: ...

def available_isas() -> list[str]: ...
def cpu_features() -> list[str]: ...
def isa() -> str: ...
def set_isa(name: str) -> None: ...
def copy_bandwidth(bytes: int, threads: int) -> float: ...
def peak_flops(single: bool, threads: int) -> float: ...
def compile(
    num_qubits: int,
    num_slots: int,
    instructions: npt.NDArray[Any],
    integers: npt.NDArray[np.int32],
    constants: npt.NDArray[np.complex128],
    segments: npt.NDArray[Any],
    fuse: bool = False,
    tile_low: int = ...,
    tile_active: int = ...,
) -> CompiledTape: ...
def apply(
    tape: CompiledTape,
    states: _States,
    angles: npt.NDArray[np.float64],
    threads: int,
    from_zero: bool = False,
) -> None: ...
def compile_paulis(
    num_qubits: int,
    x_masks: npt.NDArray[np.uint64],
    z_masks: npt.NDArray[np.uint64],
    coefficients: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.int64],
) -> CompiledPaulis: ...
def expectation(paulis: CompiledPaulis, states: _States, threads: int) -> npt.NDArray[np.float64]: ...
def run_expectation(
    tape: CompiledTape,
    paulis: CompiledPaulis,
    angles: npt.NDArray[np.float64],
    single: bool,
    threads: int,
) -> npt.NDArray[np.float64]: ...
def state_of_row(
    tape: CompiledTape, single: bool, threads: int, largest: float
) -> Callable[[object], _States | None]: ...
def expectation_of_row(
    tape: CompiledTape, paulis: CompiledPaulis, single: bool, threads: int, largest: float
) -> Callable[[object], float | None]: ...
def gradient_of_row(
    program: CompiledLanes, observables: CompiledLaneObservables, single: bool, threads: int, largest: float
) -> Callable[[object], tuple[float, npt.NDArray[np.float64]] | None]: ...
def apply_paulis(paulis: CompiledPaulis, states: _States, out: _States, threads: int) -> None: ...
def sweep_back(
    tape: CompiledTape,
    slots: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    states: _States,
    cotangents: _States,
    angles: npt.NDArray[np.float64],
    threads: int,
) -> npt.NDArray[np.float64]: ...

class BoundProgram: ...

def compile_lanes(
    num_qubits: int,
    num_slots: int,
    constants: npt.NDArray[np.float64],
    first: npt.NDArray[np.int32],
    slots: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    steps: npt.NDArray[np.int32],
    turns: npt.NDArray[np.uint32],
    phases: npt.NDArray[np.uint32],
    bases: npt.NDArray[np.uint32],
    matrices: npt.NDArray[np.int32],
    matrix_qubits: npt.NDArray[np.uint32],
    entries: npt.NDArray[np.complex128],
    columns: npt.NDArray[np.uint32],
    origin: int,
) -> CompiledLanes: ...
def compile_lane_observables(
    num_qubits: int,
    num_observables: int,
    observables: npt.NDArray[np.int32],
    x_masks: npt.NDArray[np.uint32],
    tables: npt.NDArray[np.complex128],
) -> CompiledLaneObservables: ...
def run_lanes(
    program: CompiledLanes,
    initial: _States | None,
    out: _States,
    angles: npt.NDArray[np.float64],
    threads: int,
) -> None: ...
def expectation_lanes(
    program: CompiledLanes,
    observables: CompiledLaneObservables,
    angles: npt.NDArray[np.float64],
    single: bool,
    threads: int,
) -> npt.NDArray[np.float64]: ...
def sweep_lanes(
    program: CompiledLanes,
    states: _States,
    cotangents: _States,
    wanted: npt.NDArray[np.uint8],
    angles: npt.NDArray[np.float64],
    threads: int,
) -> npt.NDArray[np.float64]: ...
def gradient_lanes(
    program: CompiledLanes,
    observables: CompiledLaneObservables,
    wanted: npt.NDArray[np.uint8],
    angles: npt.NDArray[np.float64],
    single: bool,
    threads: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
def set_basis_state(states: _States, index: int, threads: int) -> None: ...
def probabilities(
    states: _States, qubits: npt.NDArray[np.int32], threads: int
) -> npt.NDArray[np.float64]: ...
def sample(state: _States, key: int, shots: int, threads: int) -> npt.NDArray[np.int64]: ...
def norm_squared(states: _States, threads: int) -> npt.NDArray[np.float64]: ...
def inner_products(a: _States, b: _States, threads: int) -> npt.NDArray[np.complex128]: ...
def probability(state: _States, mask: int, value: int, threads: int) -> float: ...
def collapse(state: _States, mask: int, value: int, scale: float, threads: int) -> None: ...
def bound_program(
    number: int,
    tape: CompiledTape,
    paulis: CompiledPaulis,
    lanes: tuple[CompiledLanes, CompiledLaneObservables] | None,
    least_rows: int,
    least_rows_back: int,
    back: tuple[CompiledTape, npt.NDArray[np.int32], npt.NDArray[np.float64]] | None,
    second: tuple[Any, ...] | None,
    single: bool,
    threads: int,
    largest: float,
) -> BoundProgram: ...
def xla_handlers() -> dict[str, dict[str, object]]: ...
