"""Circuits of Cirq compiled once: the structure is the key, symbols are parameters."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cirq
import numpy as np
import numpy.typing as npt

from qsim.converters.cirq_import import read_circuit
from qsim.errors import QsimError
from qsim.operations import Barrier, GateOperation
from qsim.program.program import Program, compile

__all__ = [
    "Plan",
    "Settings",
    "gate_program",
    "plan_of",
    "resolvers_of",
    "row_ranges",
    "sampling_plan",
    "values_of",
]

#: Programs that are kept. Each is as large as its circuit.
_MAX_PLANS = 64
#: States of a sweep that are computed at once take about this many bytes.
_BYTES_AT_ONCE = 1 << 27


class Settings(NamedTuple):
    """How programs are compiled."""

    precision: str
    threads: int | None
    backend: str | None

    def compile(self, circuit: Any) -> Program:
        return compile(circuit, precision=self.precision, threads=self.threads, backend=self.backend)


class Plan(NamedTuple):
    """A compiled circuit.

    Attributes
    ----------
    program : Program
        Qubit 0 is Cirq's last qubit, so that indices agree.
    measurements : tuple of cirq.Operation
        What is measured after all gates, in order; not part of the program.
    keys : dict
        Measurement key -> the classical bits of each time it is measured, of a program that measures.
    """

    program: Program
    measurements: tuple[Any, ...]
    keys: dict[str, list[tuple[int, ...]]]


def plan_of(circuit: Any, qubits: tuple[Any, ...], settings: Settings) -> Plan | None:
    """The plan of a circuit of gates that is measured, if at all, at the end of each qubit; else None."""
    return _cached(_plan_of, circuit, qubits, settings)


def sampling_plan(circuit: Any, qubits: tuple[Any, ...], settings: Settings) -> Plan | None:
    """The plan of a circuit that may measure, reset and branch anywhere; None if it has no form in qsim."""
    return _cached(_sampling_plan, circuit, qubits, settings)


def gate_program(operation: Any, qubits: tuple[Any, ...], settings: Settings) -> Program | None:
    """The program of one operation in a state of some qubits, or None if it is no gate qsim knows."""
    if not _is_known(operation):
        return _gate_program.__wrapped__(operation, qubits, settings)
    try:
        return _gate_program(operation, qubits, settings)
    except TypeError:  # it has no hash
        return _gate_program.__wrapped__(operation, qubits, settings)


def _cached(function: Any, circuit: Any, *arguments: Any) -> Any:
    frozen = circuit.freeze()
    known = _known_circuits.get(id(frozen))
    if known is None or known() is not frozen:
        if not all(map(_is_known, frozen.all_operations())):
            return function.__wrapped__(frozen, *arguments)
        if len(_known_circuits) >= _MAX_PLANS:
            _known_circuits.clear()
        _known_circuits[id(frozen)] = weakref.ref(frozen)
    try:
        hash(frozen)
    except TypeError:  # it holds a gate without a hash
        return function.__wrapped__(frozen, *arguments)
    return function(frozen, *arguments)


#: Frozen circuits, by id, whose operations were all found to be `_is_known`.
_known_circuits: dict[int, weakref.ref[Any]] = {}


def _is_known(item: Any) -> bool:
    """Whether an operation or gate, with all it is made of, is of Cirq's own classes.

    Those are equal only if they do the same, and stay as they are; classes of others may change, or be equal
    to what they inherit from.
    """
    if not type(item).__module__.startswith("cirq."):
        return False
    if isinstance(item, cirq.CircuitOperation):
        return all(map(_is_known, item.circuit.all_operations()))
    inner: tuple[Any, ...] = ()
    if isinstance(item, cirq.Operation):
        plain = item.untagged.without_classical_controls()
        inner = (plain,) if plain is not item else (getattr(item, "sub_operation", None), item.gate)
    else:
        inner = (getattr(item, "sub_gate", None), getattr(item, "_original", None))
    return all(_is_known(part) for part in inner if part is not None)


@functools.lru_cache(_MAX_PLANS)
def _plan_of(circuit: Any, qubits: tuple[Any, ...], settings: Settings) -> Plan | None:
    if any(qubit.dimension != 2 for qubit in qubits):
        return None
    gates, measurements, measured = [], [], set()
    for operation in circuit.all_operations():
        if isinstance(operation.gate, cirq.MeasurementGate) and not operation.classical_controls:
            measurements.append(operation)
            measured.update(operation.qubits)
        elif measured.isdisjoint(operation.qubits):
            gates.append(operation)
        else:
            return None
    program = _program_of_gates([cirq.Moment(gate) for gate in gates], qubits, settings)
    return None if program is None else Plan(program, tuple(measurements), {})


@functools.lru_cache(_MAX_PLANS)
def _sampling_plan(circuit: Any, qubits: tuple[Any, ...], settings: Settings) -> Plan | None:
    if any(qubit.dimension != 2 for qubit in qubits):
        return None
    try:
        read, keys = read_circuit(circuit, qubits[::-1])
    except QsimError:
        return None
    return Plan(settings.compile(read), (), keys)


@functools.lru_cache(_MAX_PLANS * 16)
def _gate_program(operation: Any, qubits: tuple[Any, ...], settings: Settings) -> Program | None:
    return _program_of_gates([cirq.Moment(operation)], qubits, settings)


def _program_of_gates(moments: list[Any], qubits: tuple[Any, ...], settings: Settings) -> Program | None:
    try:
        read, _ = read_circuit(moments, qubits[::-1])
    except QsimError:
        return None
    if not all(isinstance(operation, GateOperation | Barrier) for operation in read.operations):
        return None
    return settings.compile(read)


def resolvers_of(params: Any) -> list[Any]:
    """The resolvers of a sweep, or of anything Cirq makes one of."""
    if isinstance(params, list) and all(isinstance(point, cirq.ParamResolver) for point in params):
        return list(params)  # which Cirq would take apart and build again
    return list(cirq.to_resolvers(params))


def values_of(program: Program, resolvers: Sequence[Any]) -> npt.NDArray[np.float64]:
    """The values of a program's parameters, shape (len(resolvers), number of parameters).

    Raises
    ------
    ValueError
        If a resolver leaves a symbol without a number.
    """
    names = [parameter.name for parameter in program.parameters]
    out = np.empty((len(resolvers), len(names)))
    for row, resolver in enumerate(resolvers):
        table = resolver.param_dict
        for column, name in enumerate(names):
            value = table.get(name)
            if type(value) is not float:
                value = resolver.value_of(name)
            try:
                out[row, column] = value
            except (TypeError, ValueError):
                raise ValueError(
                    f"Circuit contains ops whose symbols were not specified in parameter sweep: `{name}` is "
                    f"{value!r}."
                ) from None
    return out


def row_ranges(program: Program, rows: int) -> Iterator[slice]:
    """Pieces of a sweep whose states fit `_BYTES_AT_ONCE`, each of at least one row."""
    size = max(1, _BYTES_AT_ONCE // (program.dtype.itemsize << program.num_qubits))
    return (slice(first, min(rows, first + size)) for first in range(0, rows, size))
