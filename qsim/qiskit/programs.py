"""Compiled circuits, kept for the next call: what all classes here run.

A primitive is handed a circuit with every call, often the same. Its structure decides whether it is compiled
already: a copy is kept of each, and compared by Qiskit, in a tenth of a millisecond for a hundred gates.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit.providers import Options

import qsim
from qsim.converters._qiskit_observables import read_observable
from qsim.errors import ArgumentError
from qsim.observables.base import Observable
from qsim.operations import written_bits
from qsim.program.program import Program

__all__ = ["Compiled", "blocks", "compiled", "observable_key", "simulator_options", "unique_rows"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: What the options of all classes here may hold for the simulator; see `qsim.compile`.
_OPTIONS = ("precision", "threads", "backend", "fuse", "max_memory")
_MOST_CIRCUITS = 256
_MOST_OBSERVABLES = 256

_lock = threading.Lock()
_circuits: OrderedDict[Any, Compiled] = OrderedDict()


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
    qsim.compile(qsim.Circuit(0), **found)  # refuses values
    return found


class Compiled:
    """A circuit of Qiskit, compiled.

    Attributes
    ----------
    program : Program
        Without observables.
    operations : tuple of Operation
        Of the circuit in qsim.
    measured : frozenset of int
        Classical bits that are written.
    """

    def __init__(self, circuit: Any, options: Mapping[str, Any]) -> None:
        self._source = circuit.copy()
        self._phase = circuit.global_phase
        translated = qsim.from_qiskit(circuit)
        self.program = qsim.compile(translated, **options)
        #: names of Qiskit's parameters in Qiskit's order
        self.names = tuple(p.name for p in circuit.parameters)
        self.columns = np.array([self.names.index(p.name) for p in self.program.parameters], dtype=np.int64)
        self.in_order = np.array_equal(self.columns, np.arange(len(self.names)))
        self._asked: OrderedDict[Any, Program] = OrderedDict()
        self.operations = translated.operations
        self.measured = written_bits(self.operations)

    def is_of(self, circuit: Any) -> bool:
        """Whether this is the circuit."""
        return self._source.data == circuit.data and self._phase == circuit.global_phase

    def rows(self, values: Any) -> FloatArray:
        """Values (..., parameters) in Qiskit's order as rows in qsim's."""
        array = np.asarray(values, dtype=np.float64)
        array = array.reshape(math.prod(array.shape[:-1]), array.shape[-1])
        return array if self.in_order else np.ascontiguousarray(array[:, self.columns])

    def asked(self, observables: Sequence[tuple[Any, Any]]) -> Program:
        """The program with a list of observables, given as pairs of a key and Qiskit's observable."""
        key = tuple(k for k, _ in observables)
        with _lock:
            found = self._asked.get(key)
            if found is not None:
                self._asked.move_to_end(key)
        if found is None:
            found = self.program.with_observables([_read(o) for _, o in observables])
            with _lock:
                self._asked[key] = found
                while len(self._asked) > _MOST_OBSERVABLES:
                    self._asked.popitem(last=False)
        return found


def _read(observable: Any) -> Observable:
    if isinstance(observable, Observable):
        return observable
    return read_observable(observable)


def compiled(circuit: Any, options: Mapping[str, Any]) -> Compiled:
    """The compiled circuit, from the ones kept if it is one of them."""
    settings = tuple(sorted(options.items()))
    shape = (circuit.num_qubits, circuit.num_clbits, len(circuit.data), circuit.num_parameters)
    with _lock:
        near = [(key, entry) for key, entry in _circuits.items() if key[:2] == (settings, shape)]
    for key, entry in near:
        if entry.is_of(circuit):
            with _lock:
                if key in _circuits:
                    _circuits.move_to_end(key)
            return entry
    entry = Compiled(circuit, options)
    with _lock:
        _circuits[(settings, shape, object())] = entry
        while len(_circuits) > _MOST_CIRCUITS:
            _circuits.popitem(last=False)
    return entry


def observable_key(observable: Any) -> Any:
    """Something hashable that equal observables share: their arrays, byte by byte."""
    if hasattr(observable, "bit_terms"):
        arrays = (observable.coeffs, observable.bit_terms, observable.indices, observable.boundaries)
    elif hasattr(observable, "paulis"):
        arrays = (observable.coeffs, observable.paulis.x, observable.paulis.z)
    else:
        return id(observable)
    return (observable.num_qubits, *(np.asarray(a).tobytes() for a in arrays))


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
