"""The C interface from Python: the functions of ``qsim.h``, bound with cffi.

`Program` and `Observables` serve Python code. `lib` has the C functions themselves, and `ffi` makes pointers
for them; functions compiled by Numba may call them once ``register_module(qsim.capi.module)`` of
``numba.core.typing.cffi_utils`` was called. docs/c_api.md has examples.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.errors import (
    ArgumentError,
    BackendError,
    CircuitError,
    MemoryBudgetError,
    ObservableError,
    QasmError,
)
from qsim.gates import GATES, Gate, GateSpec, get_gate
from qsim.native import get_library
from qsim.observables import ObservableLike, PauliSum, as_observables
from qsim.operations import Barrier, GateOperation
from qsim.parameters import Parameter, ParameterExpression
from qsim.settings import resolve_dtype, resolve_threads
from qsim.user_gates import ControlledGate, DiagonalGate, PauliRotationGate

try:
    from qsim import _capi as module
except ImportError as error:
    get_library()  # says what is missing
    raise BackendError(f"The binding of the C interface cannot be loaded: {error}.") from error

__all__ = ["Observables", "Program", "check", "ffi", "gates_of", "lib", "module"]

ffi: Any = module.ffi
lib: Any = module.lib

if lib.qsim_abi_version() != lib.QSIM_ABI_VERSION:
    raise BackendError(
        f"{get_library()} has version {lib.qsim_abi_version()} of the C interface, but version "
        f"{lib.QSIM_ABI_VERSION} is needed: install qsim again."
    )

FloatArray = npt.NDArray[np.float64]

# -- errors and interruption ---------------------------------------------------------------------------
_pending = threading.local()


def _keep(_: Any, error: BaseException, __: Any) -> int:
    _pending.error = error
    return 1


def _goes_on() -> int:
    """Asked by the library now and then: a signal's handler runs before the first line, and may raise."""
    return 0


ffi.def_extern("interrupt_wanted", onerror=_keep)(_goes_on)
lib.qsim_set_interrupt_check(lib.interrupt_wanted)
atexit.register(lib.qsim_set_interrupt_check, ffi.NULL)


def check(code: int) -> None:
    """Raise what a function of `lib` has answered with a code that is not QSIM_OK.

    Raises
    ------
    ArgumentError, QasmError, MemoryBudgetError, BackendError, KeyboardInterrupt
    """
    if code == lib.QSIM_OK:
        return
    text = ffi.string(lib.qsim_last_error()).decode("utf-8", "replace")
    if code == lib.QSIM_ERROR_INTERRUPTED:
        raise _pending.__dict__.pop("error", KeyboardInterrupt())
    if code == lib.QSIM_ERROR_QASM:
        raise QasmError(text.split(": ", 1)[1], lib.qsim_last_error_line(), lib.qsim_last_error_column())
    errors = {lib.QSIM_ERROR_ARGUMENT: ArgumentError, lib.QSIM_ERROR_MEMORY: MemoryBudgetError}
    raise errors.get(code, BackendError)(text)


def _handle(kind: str, make: Callable[..., int], *args: Any) -> int:
    out = ffi.new(f"qsim_{kind} *")
    check(make(*args, out))
    return int(out[0])


# -- gates ---------------------------------------------------------------------------------------------
def gates_of(circuit: Circuit) -> tuple[Any, int, list[Any]]:
    """A circuit as an array of ``qsim_gate``.

    Parameters
    ----------
    circuit : Circuit
        Of gates only. Each parameter of a gate is a number or affine in one parameter of the circuit.

    Returns
    -------
    gates : cffi array of qsim_gate
    num_gates : int
    kept : list
        What the records point to: keep it as long as they are used.

    Raises
    ------
    CircuitError
        Naming the operation or expression that the C interface does not have.
    """
    columns = {p: k for k, p in enumerate(circuit.parameters)}
    records: list[dict[str, Any]] = []
    kept: list[Any] = []
    for operation in circuit.operations:
        if isinstance(operation, Barrier):
            continue
        if not isinstance(operation, GateOperation):
            raise CircuitError(
                f"The C interface makes programs of gates only, but the circuit has a {operation.name}. "
                "Text in OpenQASM 2 may have measurements at its end."
            )
        _add_gate(operation, columns, records, kept)
    gates = ffi.new("qsim_gate[]", records)
    return gates, len(records), kept


def _add_gate(
    operation: GateOperation, columns: dict[Parameter, int], records: list[dict[str, Any]], kept: list[Any]
) -> None:
    gate, targets = operation.gate, operation.targets
    controls, values = operation.controls, operation.control_values
    while isinstance(gate, ControlledGate):
        count = len(gate.control_values)
        controls, values = (*controls, *targets[:count]), (*values, *gate.control_values)
        gate, targets = gate.gate, targets[count:]
    parts = None if _is_known(gate) else gate.decompose(operation.params)
    if parts is not None:
        for part, params, places in parts:
            own = GateOperation(part, params, tuple(targets[k] for k in places), controls, values)
            _add_gate(own, columns, records, kept)
        return

    name = gate.name
    matrix = paulis = None
    if isinstance(gate, PauliRotationGate):
        name, paulis = "pauli_rotation", gate.label
    elif isinstance(gate, DiagonalGate):
        name, matrix = "diagonal", gate.entries
    elif not _is_known(gate):
        if not gate.keeps_norm or not all(isinstance(p, float) for p in operation.params):
            raise CircuitError(f"The C interface has no gate `{gate.name}`.")
        count = gate.num_controls
        controls, values, targets = (*controls, *targets[:count]), (*values, *(1,) * count), targets[count:]
        name, matrix = "unitary", gate.target_matrix(*operation.params)
    params = operation.params if matrix is None else ()

    def keep(kind: str, value: Any) -> Any:
        kept.append(ffi.new(kind, value))
        return kept[-1]

    record = {
        "size": ffi.sizeof("qsim_gate"),
        "name": keep("char[]", name.encode()),
        "qubits": keep("int32_t[]", targets),
        "angles": keep("qsim_angle[]", [_angle(p, columns, gate.name) for p in params]),
        "controls": keep("int32_t[]", controls),
        "control_values": keep("int32_t[]", values),
        "num_qubits": len(targets),
        "num_angles": len(params),
        "num_controls": len(controls),
    }
    if paulis is not None:
        record["paulis"] = keep("char[]", paulis.encode())
    if matrix is not None:
        numbers = np.ascontiguousarray(matrix, dtype=np.complex128).reshape(-1).view(np.float64)
        record["matrix"] = ffi.from_buffer("double[]", numbers)
        kept.append(record["matrix"])
    records.append(record)


def _is_known(gate: Gate) -> bool:
    """Whether the gate is a record of the table, as which the library knows it."""
    if not isinstance(gate, GateSpec):
        return False
    name = gate.name.removesuffix("_dg")
    return name in GATES and get_gate(gate.name) is gate


def _angle(param: Any, columns: dict[Parameter, int], name: str) -> dict[str, Any]:
    if isinstance(param, float):
        return {"shift": param, "scale": 0.0, "param": -1}
    affine = param.affine() if isinstance(param, ParameterExpression) else None
    if affine is None:
        raise CircuitError(
            f"Gate `{name}` has the parameter `{param}`, but the C interface takes numbers, and sums and "
            "multiples of one parameter. Use a parameter in its place, and compute its value."
        )
    return {"param": columns[affine[0]], "scale": affine[1], "shift": affine[2]}


# -- programs and observables --------------------------------------------------------------------------
class Observables:
    """Sums of Pauli strings, kept by the library.

    Parameters
    ----------
    observables : str, PauliString, PauliSum or mapping, or a list of them
        What `qsim.expectation` takes, but only Hermitian Pauli sums.
    num_qubits : int
        That of the programs they are for.

    Attributes
    ----------
    handle : int
        The number that stands for them in the functions of `lib`, as long as this object lives.
    num_observables : int

    Raises
    ------
    ObservableError, ArgumentError
    """

    def __init__(self, observables: ObservableLike | list[ObservableLike], num_qubits: int) -> None:
        sums, self.is_single = as_observables(observables)
        terms = []
        for observable in sums:
            if not isinstance(observable, PauliSum):
                raise ObservableError(
                    f"The C interface takes sums of Pauli strings, but not a {type(observable).__name__}."
                )
            terms.append(observable.real_terms())
        offsets = np.cumsum([0, *(len(t[2]) for t in terms)], dtype=np.int64)
        dtypes = (np.uint64, np.uint64, np.float64)
        arrays = [np.concatenate([t[k] for t in terms] or [np.zeros(0)]).astype(dtypes[k]) for k in range(3)]
        self.num_observables = len(sums)
        self.num_qubits = num_qubits
        self.handle = _handle(
            "observables",
            lib.qsim_observables_from_terms,
            ffi.from_buffer("uint64_t[]", arrays[0]),
            ffi.from_buffer("uint64_t[]", arrays[1]),
            ffi.from_buffer("double[]", arrays[2]),
            len(arrays[2]),
            ffi.from_buffer("int64_t[]", offsets),
            self.num_observables,
            num_qubits,
        )
        weakref.finalize(self, lib.qsim_observables_free, self.handle)


class Program:
    """A program of the C interface.

    Parameters
    ----------
    circuit : Circuit or str
        Gates (see `gates_of`), or text in OpenQASM 2, which the library reads itself.
    precision : {"double", "single"}, optional
        Of the amplitudes.
    threads : int, optional
    max_memory : int
        Bytes that one call may allocate; 0: what is free.

    Attributes
    ----------
    handle : int
        The number that stands for it in the functions of `lib`, as long as this object lives.
    num_qubits, num_params : int
    num_bits : int
        Bits of a sample.

    Raises
    ------
    CircuitError, QasmError, ArgumentError

    Notes
    -----
    Rows of `params` are in the order of ``circuit.parameters``: shape (num_params,) for one row, whose
    results have no batch axis, or (batch, num_params).
    """

    def __init__(
        self,
        circuit: Circuit | str,
        *,
        precision: str | None = None,
        threads: int | None = None,
        max_memory: int = 0,
    ) -> None:
        self.dtype = resolve_dtype(precision)
        options = {
            "size": ffi.sizeof("qsim_options"),
            "precision": lib.QSIM_SINGLE if self.dtype == np.complex64 else lib.QSIM_DOUBLE,
            "threads": resolve_threads(threads),
            "max_memory": max_memory,
        }
        given = ffi.new("qsim_options *", options)
        if isinstance(circuit, str):
            if "\0" in circuit:
                raise ArgumentError("Argument `circuit` must be text without a null character, but has one.")
            self.handle = _handle("program", lib.qsim_program_from_qasm, circuit.encode(), given)
        elif isinstance(circuit, Circuit):
            gates, count, _kept = gates_of(circuit)
            self.handle = _handle(
                "program",
                lib.qsim_program_from_gates,
                gates,
                count,
                circuit.num_qubits,
                circuit.num_parameters,
                given,
            )
        else:
            raise TypeError(
                f"Argument `circuit` must be a Circuit or a str, but is {type(circuit).__name__}."
            )
        weakref.finalize(self, lib.qsim_program_free, self.handle)
        numbers = ffi.new("int32_t[3]")
        check(lib.qsim_program_info(self.handle, *(numbers + k for k in range(3)), ffi.NULL, ffi.NULL))
        self.num_qubits, self.num_params, self.num_bits = numbers

    def _rows(self, params: npt.ArrayLike) -> tuple[FloatArray, bool]:
        """The parameters as rows, and whether they are one row without a batch axis."""
        values = np.asarray(params, dtype=np.float64)
        rows = np.ascontiguousarray(np.atleast_2d(values))
        if rows.ndim != 2 or rows.shape[1] != self.num_params:
            raise ArgumentError(
                f"Argument `params` must have shape ({self.num_params},) or (batch, {self.num_params}), but "
                f"has shape {values.shape}."
            )
        return rows, values.ndim < 2

    def _observables(self, observables: Any) -> Observables:
        if isinstance(observables, Observables):
            return observables
        return Observables(observables, self.num_qubits)

    def state(self, params: npt.ArrayLike = ()) -> npt.NDArray[np.complexfloating[Any, Any]]:
        """Amplitudes, shape (2**num_qubits,) or (batch, 2**num_qubits)."""
        rows, one = self._rows(params)
        out = np.empty((len(rows), 1 << self.num_qubits), dtype=self.dtype)
        if self.dtype == np.complex64:
            check(lib.qsim_state_single(self.handle, *_given(rows), *_written(out.view(np.float32))))
        else:
            check(lib.qsim_state(self.handle, *_given(rows), *_written(out.view(np.float64))))
        return out[0] if one else out

    def probabilities(self, params: npt.ArrayLike = (), qubits: Sequence[int] | None = None) -> FloatArray:
        """Probabilities, shape (2**k,) or (batch, 2**k), the first of k listed qubits the lowest bit."""
        rows, one = self._rows(params)
        listed = list(range(self.num_qubits) if qubits is None else qubits)
        out = np.empty((len(rows), 1 << len(listed)))
        check(lib.qsim_probabilities(self.handle, *_given(rows), listed, len(listed), *_written(out)))
        return out[0] if one else out

    def expectation(self, observables: Any, params: npt.ArrayLike = ()) -> Any:
        """Values: a float, or shape (num_observables,), with a batch axis before."""
        sums = self._observables(observables)
        rows, one = self._rows(params)
        out = np.empty((len(rows), sums.num_observables))
        check(lib.qsim_expectation(self.handle, sums.handle, *_given(rows), *_written(out)))
        return _shaped(out, sums.is_single, one)

    def value_and_gradient(self, observables: Any, params: npt.ArrayLike = ()) -> tuple[Any, FloatArray]:
        """Values, and derivatives by all parameters, with one more axis than the values."""
        sums = self._observables(observables)
        rows, one = self._rows(params)
        values = np.empty((len(rows), sums.num_observables))
        slopes = np.empty((*values.shape, self.num_params))
        check(
            lib.qsim_value_and_gradient(
                self.handle, sums.handle, *_given(rows), *_written(values), *_written(slopes)
            )
        )
        return _shaped(values, sums.is_single, one), _shaped(slopes, sums.is_single, one)

    def sample(self, shots: int, params: npt.ArrayLike = (), *, seed: int) -> npt.NDArray[np.int64]:
        """Outcomes as numbers, shape (shots,) or (batch, shots); those of `qsim.sample` for the same seed."""
        rows, one = self._rows(params)
        out = np.empty((len(rows), check_count(shots, "shots")), dtype=np.int64)
        check(lib.qsim_sample(self.handle, *_given(rows), shots, seed, *_written(out)))
        return out[0] if one else out


_KINDS = {"f8": "double[]", "f4": "float[]", "i8": "int64_t[]"}


def _given(rows: FloatArray) -> tuple[Any, int, int]:
    """``params``, ``num_params``, ``batch``."""
    return ffi.from_buffer("double[]", rows), rows.shape[1], rows.shape[0]


def _written(out: npt.NDArray[Any]) -> tuple[Any, int]:
    """An array of results and its length."""
    return ffi.from_buffer(_KINDS[out.dtype.str[1:]], out, require_writable=True), out.size


def _shaped(out: FloatArray, is_single: bool, one: bool) -> Any:
    """Without the axes of one observable and of one row that nobody asked for."""
    out = out[:, 0] if is_single else out
    return (float(out[0]) if out.ndim == 1 else out[0]) if one else out
