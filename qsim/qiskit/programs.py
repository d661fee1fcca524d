"""Compiled circuits, kept for the next call: what all classes here run.

A primitive is handed a circuit with every call, often the same. Its structure decides whether it is compiled
already: a copy is kept of each, and compared by Qiskit, in a tenth of a millisecond for a hundred gates.
"""

from __future__ import annotations

import functools
import math
import operator
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit.circuit import Barrier, ControlFlowOp, Delay, Gate, Instruction, Reset
from qiskit.circuit import Measure as QiskitMeasure
from qiskit.providers import Options
from qiskit.quantum_info import Operator, Pauli, SparseObservable, SparsePauliOp

import qsim
from qsim.circuit import Circuit
from qsim.converters.qiskit_import import read_circuit
from qsim.converters.qiskit_observables import read_observable
from qsim.errors import ArgumentError
from qsim.observables import PauliSum
from qsim.observables.base import Observable
from qsim.operations import Measure, written_bits
from qsim.program.program import Program

__all__ = ["Compiled", "alike", "blocks", "compiled", "observable_key", "simulator_options", "unique_rows"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: What the options of all classes here may hold for the simulator; see `qsim.compile`.
_OPTIONS = ("precision", "threads", "backend", "fuse", "max_memory")
#: Qiskit's operations beside its standard gates whose equality is exact
_EXACT = (Barrier, Delay, QiskitMeasure, Reset)
_MOST_CIRCUITS = 256
_MOST_OBSERVABLES = 256

_lock = threading.Lock()
_circuits: OrderedDict[Any, list[Any]] = OrderedDict()


def simulator_options(options: Any) -> dict[str, Any]:
    """Checked options of the simulator, from a dict or Qiskit's `Options`.

    Raises
    ------
    ArgumentError
        For a name that is not known.
    """
    found = dict(options.__dict__ if isinstance(options, Options) else options or {})
    for name in found:
        if name not in _OPTIONS:
            raise ArgumentError(
                f"Argument `options` must name options of the simulator ({', '.join(_OPTIONS)}), but names "
                f"{name!r}."
            )
    _check_values(tuple(sorted(found.items())))
    return found


@functools.lru_cache(maxsize=64, typed=True)
def _check_values(options: tuple[tuple[str, Any], ...]) -> None:
    qsim.compile(qsim.Circuit(0), **dict(options))


class Compiled:
    """A circuit of Qiskit, compiled.

    Parameters
    ----------
    circuit : Circuit
        Its translation.
    names : sequence of str
        Of its parameters, in the order of columns that Qiskit has.
    options : dict
        Of the simulator.

    Attributes
    ----------
    circuit : Circuit
    program : Program
        Without observables.
    measured : frozenset of int
        Classical bits that are written.
    """

    def __init__(self, circuit: Circuit, names: Sequence[str], options: Mapping[str, Any]) -> None:
        self.circuit = circuit
        self.program = qsim.compile(circuit, **options)
        self.measured = written_bits(circuit.operations)
        place = {name: column for column, name in enumerate(names)}
        self._columns = np.array([place[p.name] for p in self.program.parameters], dtype=np.int64)
        self._in_order = np.array_equal(self._columns, np.arange(len(names)))
        self._asked: OrderedDict[Any, Program] = OrderedDict()

    def rows(self, values: Any) -> FloatArray:
        """Values (..., parameters) in Qiskit's order as rows in qsim's."""
        array = np.asarray(values, dtype=np.float64)
        array = array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
        return array if self._in_order else np.ascontiguousarray(array[:, self._columns])

    def asked(self, observables: Sequence[tuple[Any, Any]]) -> Program:
        """The program with a list of observables, given as pairs of a key and Qiskit's observable."""
        key = tuple(k for k, _ in observables)
        with _lock:
            found = self._asked.get(key)
            if found is not None:
                self._asked.move_to_end(key)
        if found is None:
            found = self.program.with_observables(
                [self._behind_read_out(read_observable(o)) for _, o in observables]
            )
            with _lock:
                self._asked[key] = found
                while len(self._asked) > _MOST_OBSERVABLES:
                    self._asked.popitem(last=False)
        return found

    def _behind_read_out(self, observable: Observable) -> Observable:
        """An observable before the measurements at the end whose mean is that of the given one behind them.

        Qiskit's primitives mean the state that the whole circuit leaves. There X and Y of a measured qubit
        have mean 0, whatever they are multiplied with on other qubits.
        """
        if not self.program.is_static or not isinstance(observable, PauliSum):
            return observable
        read_out = functools.reduce(
            operator.or_, (1 << op.qubit for op in self.circuit.operations if isinstance(op, Measure)), 0
        )
        terms = [string for string in observable if not string.x_mask & read_out]
        return observable if len(terms) == len(observable) else PauliSum(terms)


class _Kept:
    """A copy of a circuit of Qiskit, and what it was compiled to."""

    def __init__(self, circuit: Any, options: Mapping[str, Any]) -> None:
        self.source, self.phase = circuit.copy(), circuit.global_phase
        names = [p.name for p in circuit.parameters]
        self.entry = Compiled(read_circuit(circuit), names, options)
        self.is_exact = _is_compared_exactly(circuit)

    def is_of(self, circuit: Any) -> bool:
        source = self.source
        return (
            source.data == circuit.data
            and self.phase == circuit.global_phase
            # equal bits of registers in another order have other numbers
            and source.qubits == circuit.qubits
            and source.clbits == circuit.clbits
            and (self.is_exact or read_circuit(circuit) == self.entry.circuit)
        )


def _is_compared_exactly(circuit: Any) -> bool:
    """Whether operations that Qiskit calls equal are the same; matrices may differ by 1e-5 of themselves, and
    gates that have no definition by anything but their names and parameters."""
    for instruction in circuit.data:
        if instruction.is_standard_gate():
            continue
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            parts: Sequence[Any] = operation.blocks
        elif isinstance(operation, _EXACT):
            continue
        elif type(operation) in (Gate, Instruction) and operation.definition is not None:
            parts = (operation.definition,)
        else:
            return False
        if not all(map(_is_compared_exactly, parts)):
            return False
    return True


def compiled(circuit: Any, options: Mapping[str, Any]) -> Compiled:
    """The compiled circuit, from the ones kept if it is one of them."""
    shape = (circuit.num_qubits, circuit.num_clbits, len(circuit.data), circuit.num_parameters)
    key = (tuple(sorted(options.items())), shape)
    return _find(key, lambda kept: kept.is_of(circuit), lambda: _Kept(circuit, options)).entry


class _Alike:
    """Circuits that differ in numbers alone: the first of them, and what it was compiled to."""

    def __init__(self, circuit: Circuit, count: int, options: Mapping[str, Any]) -> None:
        self.entry = Compiled(circuit, [f"number[{k}]" for k in range(count)], options)


def alike(
    circuits: Sequence[Any], options: Mapping[str, Any]
) -> list[tuple[Compiled, FloatArray, list[int]]]:
    """Circuits without parameters, those that differ in the numbers of their gates alone together.

    Returns
    -------
    list of (Compiled, rows, places)
        What was compiled, values of its parameters, and the place of each row's circuit in the list.
    """
    if len(circuits) == 1:
        entry = compiled(circuits[0], options)
        return [(entry, np.zeros((1, 0)), [0])]
    groups: dict[Any, list[tuple[Circuit, list[list[float]], list[int]]]] = {}
    for place, circuit in enumerate(circuits):
        numbers: list[float] = []
        translated = read_circuit(circuit, numbers)
        similar = groups.setdefault(_signature(translated), [])
        for first, rows, places in similar:
            if first == translated:
                rows.append(numbers)
                places.append(place)
                break
        else:
            similar.append((translated, [numbers], [place]))
    out = []
    for signature, similar in groups.items():
        for first, rows, places in similar:
            if len(places) == 1:  # numbers are better known beforehand
                out.append((compiled(circuits[places[0]], options), np.zeros((1, 0)), places))
                continue
            key = (tuple(sorted(options.items())), signature)
            is_it = functools.partial(_is_alike, first)
            kept = _find(key, is_it, functools.partial(_Alike, first, len(rows[0]), options))
            out.append((kept.entry, kept.entry.rows(rows), places))
    return out


def _is_alike(circuit: Circuit, kept: _Alike) -> bool:
    return kept.entry.circuit == circuit


def _signature(circuit: Circuit) -> Any:
    """Something hashable that equal circuits share."""
    return circuit.num_qubits, circuit.num_clbits, tuple((op.name, op.qubits) for op in circuit.operations)


def _find(key: Any, is_it: Callable[[Any], bool], make: Callable[[], Any]) -> Any:
    """What is kept under a key and is the one wanted, or a new one, which is kept."""
    with _lock:
        near = list(_circuits.get(key, ()))
    for kept in near:
        if is_it(kept):
            with _lock:
                if key in _circuits:
                    _circuits.move_to_end(key)
            return kept
    made = make()
    with _lock:
        _circuits.setdefault(key, []).append(made)
        _circuits.move_to_end(key)
        while sum(map(len, _circuits.values())) > _MOST_CIRCUITS:
            oldest = next(iter(_circuits))
            _circuits[oldest].pop(0)
            if not _circuits[oldest]:
                del _circuits[oldest]
    return made


def observable_key(observable: Any) -> Any:
    """Something hashable that equal observables share: their arrays, byte by byte."""
    arrays: tuple[Any, ...]
    if isinstance(observable, Pauli):
        observable = SparsePauliOp(observable)
    if isinstance(observable, SparseObservable):
        arrays = (observable.coeffs, observable.bit_terms, observable.indices, observable.boundaries)
    elif isinstance(observable, SparsePauliOp):
        if observable.coeffs.dtype == object:
            read_observable(observable)  # refuses parameters
        arrays = (observable.coeffs, observable.paulis.x, observable.paulis.z)
    else:
        arrays = (Operator(observable).data,)
    return (len(arrays), observable.num_qubits, *(np.asarray(a).tobytes() for a in arrays))


def unique_rows(rows: FloatArray) -> tuple[FloatArray, IntArray]:
    """Rows that differ, in order of appearance, and which of them each row is."""
    numbers: dict[bytes, int] = {}
    which = np.empty(len(rows), dtype=np.int64)
    first: list[int] = []
    for place, row in enumerate(np.ascontiguousarray(rows)):
        number = numbers.setdefault(row.tobytes(), len(first))
        if number == len(first):
            first.append(place)
        which[place] = number
    return (rows if len(first) == len(rows) else rows[first]), which


def blocks(rows: IntArray, observables: IntArray) -> list[tuple[IntArray, IntArray]]:
    """Pairs of a row and an observable, as products of rows with observables that cover them.

    Rows that are asked the same observables make one product, so no state is computed twice, and nothing is
    computed that was not asked.
    """
    count = int(observables.max(initial=0)) + 1
    codes = np.unique(rows * count + observables)
    row, asked = codes // count, codes % count
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    if len(codes) == len(starts) * count:  # all rows are asked everything
        return [(row[starts], np.arange(count))] if len(codes) else []
    groups: dict[bytes, list[int]] = {}
    for start, end in zip(starts, [*starts[1:], len(codes)], strict=True):
        groups.setdefault(asked[start:end].tobytes(), []).append(int(row[start]))
    return [
        (np.array(members, dtype=np.int64), np.frombuffer(key, dtype=np.int64))
        for key, members in groups.items()
    ]
