"""The protocol both backends implement over the tape, and choosing one of them."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from qsim.errors import BackendError
from qsim.program.lanes import LaneProgram
from qsim.program.reverse import Reverse
from qsim.program.tape import Tape

__all__ = ["BACKENDS", "Backend", "available_backends", "get_backend"]

#: Every backend there is, the preferred one first.
BACKENDS = ("cpp", "numba")

States = npt.NDArray[np.complex64] | npt.NDArray[np.complex128]


class Backend(Protocol):
    """What a backend does. All arguments are NumPy arrays of exactly the stated dtypes.

    `states` is C-contiguous and writable, of shape (batch, 2**n), complex64 or complex128. `angles` is
    float64 of shape (batch, num_slots) or (1, num_slots). Handles are immutable, may be shared by threads,
    and are rebuilt from the tape rather than pickled. Sums are taken in double precision and in a fixed
    order, so that no result depends on `threads`.
    """

    @property
    def name(self) -> str:
        """Name of the backend, as in `BACKENDS`."""
        ...

    def compile(self, tape: Tape, *, fuse: bool = True) -> Any:
        """Check a tape and make a handle of it. O(size of the tape).

        With `fuse` a backend may run other instructions that make the same states up to rounding.
        """
        ...

    def run(self, handle: Any, states: States, angles: npt.NDArray[np.float64], threads: int) -> None:
        """Overwrite `states` with what a tape makes from ``|0...0>``."""
        ...

    def apply(self, handle: Any, states: States, angles: npt.NDArray[np.float64], threads: int) -> None:
        """Run a tape on `states` in place."""
        ...

    def set_basis_state(self, states: States, index: int, threads: int) -> None:
        """Overwrite all of `states` with the basis state `index`."""
        ...

    def compile_paulis(
        self,
        num_qubits: int,
        x_masks: npt.NDArray[np.uint64],
        z_masks: npt.NDArray[np.uint64],
        coefficients: npt.NDArray[np.float64],
        offsets: npt.NDArray[np.int64],
    ) -> Any:
        """Make a handle of observables; terms ``offsets[k]:offsets[k + 1]`` belong to observable k."""
        ...

    def expectation(self, paulis: Any, states: States, threads: int) -> npt.NDArray[np.float64]:
        """Values of all observables, shape (batch, num_observables)."""
        ...

    def run_expectation(
        self,
        handle: Any,
        paulis: Any,
        angles: npt.NDArray[np.float64],
        dtype: npt.DTypeLike,
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """Values of all observables in the states that a tape makes from ``|0...0>``.

        Shape (rows of angles, num_observables). Needs memory for a few states only, however many rows.
        """
        ...

    def apply_paulis(self, paulis: Any, states: States, out: States, threads: int) -> None:
        """Write every observable applied to every state to `out`, shape (batch, num_observables, 2**n)."""
        ...

    def sweep_back(
        self,
        handle: Any,
        reverse: Reverse,
        states: States,
        cotangents: States,
        angles: npt.NDArray[np.float64],
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """Derivatives ``2 Re <cotangent| d state / d slot>``, shape (batch, count, num_slots).

        `handle` is that of ``reverse.tape``. `states` are those at the end of the circuit; they and
        `cotangents`, shape (batch, count, 2**n), are overwritten.
        """
        ...

    def least_lane_rows(self, num_qubits: int, gradient: bool) -> int | None:
        """How many rows a batch needs to run faster as lanes than row by row; None: never.

        Measured. A function of these two alone, so that a result does not depend on chunks and threads.
        """
        ...

    def compile_lanes(self, program: LaneProgram) -> Any:
        """Check a lane program and make a handle of it."""
        ...

    def compile_lane_observables(
        self,
        num_qubits: int,
        num_observables: int,
        numbers: npt.NDArray[np.int32],
        x_masks: npt.NDArray[np.uint32],
        tables: npt.NDArray[np.complex128],
    ) -> Any:
        """Make a handle of what `qsim.program.lanes.lane_tables` gives."""
        ...

    def run_lanes(
        self,
        handle: Any,
        initial: States | None,
        out: States,
        angles: npt.NDArray[np.float64],
        threads: int,
    ) -> None:
        """Write the states a lane program makes from `initial`, one or one for each row, to `out`.

        None is ``|0...0>``, and then the program is one that starts there. Here and below, the bits of a
        row's result depend on that row alone.
        """
        ...

    def expectation_lanes(
        self,
        handle: Any,
        observables: Any,
        angles: npt.NDArray[np.float64],
        dtype: npt.DTypeLike,
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """Values (batch, num_observables) in the states a lane program makes from ``|0...0>``."""
        ...

    def gradient_lanes(
        self,
        handle: Any,
        observables: Any,
        wanted: npt.NDArray[np.uint8],
        angles: npt.NDArray[np.float64],
        dtype: npt.DTypeLike,
        threads: int,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The same values, and their derivatives, shape (batch, num_observables, num_slots).

        Those by slots that are not `wanted` may be anything.
        """
        ...

    def sweep_lanes(
        self,
        handle: Any,
        states: States,
        cotangents: States,
        wanted: npt.NDArray[np.uint8],
        angles: npt.NDArray[np.float64],
        threads: int,
    ) -> npt.NDArray[np.float64]:
        """As `sweep_back`, by slots that are `wanted`; `states` are those the lane program made, and stay."""
        ...

    def state_of_row(
        self, handle: Any, dtype: npt.DTypeLike, threads: int, largest: float
    ) -> Callable[[Any], States | None] | None:
        """A function of one row of angles, for circuits so small that checks and calls are what takes time.

        It takes anything. If that is a contiguous float64 array of shape (num_slots,) with no number beyond
        `largest`, it gives the state, shape (2**n,), that the tape makes from ``|0...0>``; else None. A
        backend may have none.
        """
        ...

    def expectation_of_row(
        self, handle: Any, paulis: Any, dtype: npt.DTypeLike, threads: int, largest: float
    ) -> Callable[[Any], float | None] | None:
        """The same for the value of one observable."""
        ...

    def gradient_of_row(
        self, handle: Any, observables: Any, dtype: npt.DTypeLike, threads: int, largest: float
    ) -> Callable[[Any], tuple[float, npt.NDArray[np.float64]] | None] | None:
        """The same for a value and its derivatives by all slots; handles as for `gradient_lanes`."""
        ...

    def probabilities(
        self, states: States, qubits: npt.NDArray[np.int32], threads: int
    ) -> npt.NDArray[np.float64]:
        """Probabilities, shape (batch, 2**len(qubits)); ``qubits[0]`` is the least significant bit."""
        ...

    def sample(self, state: States, key: int, shots: int, threads: int) -> npt.NDArray[np.int64]:
        """For each of ``uniforms(key, shots)`` the first index with a cumulative probability above it."""
        ...

    def norm_squared(self, states: States, threads: int) -> npt.NDArray[np.float64]:
        """Sum of squared absolute amplitudes, shape (batch,)."""
        ...

    def inner_products(self, a: States, b: States, threads: int) -> npt.NDArray[np.complex128]:
        """Sum of conj(a) * b, shape (batch,)."""
        ...

    def probability(self, state: States, mask: int, value: int, threads: int) -> float:
        """Sum of squared absolute amplitudes where ``index & mask == value``, of one state (2**n,)."""
        ...

    def collapse(self, state: States, mask: int, value: int, scale: float, threads: int) -> None:
        """Zero the amplitudes of one state where ``index & mask != value`` and scale the others."""
        ...


_loaded: dict[str, Backend] = {}
_failures: dict[str, str] = {}


def _load(name: str) -> Backend | None:
    """The backend's object, or None if it cannot be imported (why is kept for the message)."""
    if name not in _loaded:
        try:
            module = importlib.import_module(f"qsim.backends.{name}")
        except BackendError:
            raise  # a bad QSIM_ISA must not pass unnoticed
        except ImportError as error:
            _failures[name] = str(error)
            return None
        _loaded[name] = cast(Backend, module.BACKEND)
    return _loaded[name]


def available_backends() -> tuple[str, ...]:
    """Names of the backends this installation can run, the preferred one first.

    Looks for the modules without importing Numba.
    """
    needed = {"cpp": "qsim._core", "numba": "numba"}
    return tuple(name for name in BACKENDS if importlib.util.find_spec(needed[name]) is not None)


def get_backend(name: str | None = None) -> Backend:
    """Backend of that name.

    Parameters
    ----------
    name : {"cpp", "numba"}, optional
        Default: the environment variable ``QSIM_BACKEND``, else the first one available.

    Raises
    ------
    BackendError
        If the name is unknown or the backend cannot be used here.
    TypeError
        If the name is no str.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"Argument `backend` must be a str, but is {type(name).__name__}.")
    wanted = name if name is not None else os.environ.get("QSIM_BACKEND") or None
    if wanted is None:
        for candidate in BACKENDS:
            backend = _load(candidate)
            if backend is not None:
                return backend
        raise BackendError(
            "No backend is available: the compiled core is missing and Numba cannot be imported. "
            "Install Numba (pip install numba), or install qsim again with a C++17 compiler."
        )
    backend = _loaded.get(wanted)
    if backend is not None:
        return backend
    source = "Argument `backend`" if name is not None else "Environment variable QSIM_BACKEND"
    if wanted not in BACKENDS:
        raise BackendError(f"{source} must be one of {', '.join(BACKENDS)}, but is {wanted!r}.")
    backend = _load(wanted)
    if backend is None:
        usable = ", ".join(available_backends()) or "none"
        raise BackendError(
            f"{source} asks for {wanted!r}, which cannot be used here ({_failures[wanted]}). "
            f"Available: {usable}."
        )
    return backend
