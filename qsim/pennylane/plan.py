"""A tape compiled once for all tapes of its structure: programs, and where each number of the tape goes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pennylane.measurements import ExpectationMP, MeasurementProcess, StateMP
from pennylane.operation import StatePrepBase
from pennylane.ops import Conditional, MidMeasure
from pennylane.tape import QuantumScript
from pennylane.wires import Wires

from qsim.circuit import Circuit
from qsim.converters.pennylane_gates import append, content, num_columns, signature, table_gate
from qsim.converters.pennylane_observables import key_of_observable, observable_from
from qsim.errors import ArgumentError, GradientError
from qsim.measurements import Expectation, Measurement, Probabilities
from qsim.parameters import Parameter
from qsim.pennylane.readings import Field, Several, is_known, measurement_of
from qsim.program.program import Program, compile

__all__ = ["Plan", "Plans", "Section", "wire_order"]

FloatArray = npt.NDArray[np.float64]
#: States of a batch that are held at once where their numbers are read off one by one, in bytes.
_PIECE = 1 << 28


class Column(NamedTuple):
    """Where a number of the tape (or a vector of them) stands among the parameters."""

    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        return self.start + (self.shape[0] if self.shape else 1)


class Section:
    """A program and what is asked of it: a vector of real numbers for each row of parameters."""

    def __init__(self, program: Program, measurements: Sequence[Measurement], places: Sequence[int]) -> None:
        #: which of the tape's measurements these are
        self.places = tuple(places)
        self.several = Several(program, measurements)
        self.is_plain = program.is_static and all(type(m) is Expectation for m in measurements)
        if self.is_plain:  # the short way of the core: all observables at once
            self.program = program.with_observables([m.observables for m in measurements])  # type: ignore[attr-defined]
        else:
            self.program = program

    @property
    def size(self) -> int:
        return self.several.size

    @property
    def measurement(self) -> Several | None:
        return None if self.is_plain else self.several

    def values(self, rows: FloatArray, initial: Any = None) -> FloatArray:
        """Values (rows, size)."""
        program = self.program
        if self.is_plain:
            return np.asarray(program.expectation(rows, initial_state=initial))
        batch = max(len(rows), 1 if initial is None or initial.ndim == 1 else len(initial))
        out = np.empty((batch, self.size))
        step = max(1, _PIECE >> (program.num_qubits + 4))
        for first in range(0, batch, step):
            part = slice(first, min(first + step, batch))
            states = program.statevector(
                rows[part] if len(rows) > 1 else rows,
                initial_state=initial[part] if initial is not None and initial.ndim > 1 else initial,
            )
            if not program._code.keeps_norm:  # a postselected measurement that was deferred
                norms = np.linalg.norm(states, axis=1, keepdims=True)
                with np.errstate(invalid="ignore", divide="ignore"):
                    states = states / norms
            found = np.arange(part.start, part.stop)
            out[part] = self.several.evaluate(program, np.ascontiguousarray(states), found)
        return out

    def vjp(self, rows: FloatArray, cotangents: FloatArray, initial: Any = None) -> tuple[Any, ...]:
        """Values, their product with cotangents (rows, size), and that by the initial states if given."""
        return self.program.vjp(rows, cotangents, initial_state=initial, measurement=self.measurement)

    def jvp(self, rows: FloatArray, tangents: FloatArray) -> tuple[Any, Any]:
        return self.program.jvp(rows, tangents, measurement=self.measurement)

    def hvp(self, rows: FloatArray, vectors: FloatArray, cotangents: FloatArray) -> Any:
        """The Hessian of the product with cotangents, times a vector, (rows, parameters)."""
        if not self.several.is_polynomial:
            raise GradientError(
                "An entropy has no second derivative on this device. Take it from the density matrix, or use "
                "diff_method='parameter-shift' and max_diff=2."
            )
        return self.program.hvp(rows, vectors, cotangent=cotangents, measurement=self.measurement)

    def jacobian(self, rows: FloatArray) -> tuple[Any, Any]:
        """Values (rows, size) and derivatives (rows, size, parameters)."""
        return self.program.value_and_gradient(rows, measurement=self.measurement)


class Plan:
    """A tape's structure, compiled.

    Parameters
    ----------
    tape : QuantumScript
        With NumPy's numbers; what they are does not matter, but for matrices and bits.
    wires : sequence
        All wires; the first is the most significant bit of a state's index.
    options : dict
        Of `qsim.compile`.
    """

    def __init__(self, tape: QuantumScript, wires: Sequence[Any], options: dict[str, Any]) -> None:
        self.wires = tuple(wires)
        count = len(self.wires)
        self.qubit_of = {w: count - 1 - k for k, w in enumerate(self.wires)}
        self.options = options
        operations = tape.operations
        self.has_state = bool(operations) and is_state(operations[0])
        self.clbits = clbits_of(operations)
        self.circuit, self.columns, self.parameters = self._circuit(operations)
        self.program: Program = compile(self.circuit, **options)
        order = {p: k for k, p in enumerate(self.parameters)}
        found = [order[p] for p in self.program.parameters]
        #: the program's parameters among all; gates that ignore theirs have no columns
        self.chosen = None if found == list(range(len(self.parameters))) else np.array(found, dtype=np.intp)
        self._is_scalar = all(c is not None and not c.shape for c in self.columns)
        self.num_data = sum(len(op.data) for op in operations)
        self.measurements = list(tape.measurements)
        self._sections: list[Section] | None = None
        #: what other modules make once for a plan
        self.memo: dict[str, Any] = {}

    @property
    def keeps_norm(self) -> bool:
        """False if a postselected measurement was deferred to a projector."""
        return self.program._code.keeps_norm

    def _circuit(self, operations: Sequence[Any]) -> tuple[Circuit, list[Column | None], list[Parameter]]:
        circuit = Circuit(len(self.wires), len(self.clbits))
        columns: list[Column | None] = []
        parameters: list[Parameter] = []
        for position, op in enumerate(operations):
            if position == 0 and self.has_state:
                columns += [None] * len(op.data)
                continue
            params: list[Any] = []
            for value, width in zip(op.data, num_columns(op), strict=True):
                if width is None:
                    columns.append(None)
                    params.append(value)
                    continue
                is_vector = _is_vector(op)
                columns.append(Column(len(parameters), (width,) if is_vector else ()))
                own = [Parameter(f"p{len(parameters) + k}") for k in range(width)]
                parameters += own
                params.append(own if is_vector else own[0])
            append(circuit, op, params, self.qubit_of, self.clbits)
        return circuit, columns, parameters

    # -- numbers ------------------------------------------------------------------------------------
    def batch_of(self, data: Sequence[Any]) -> int | None:
        """The batch of the tape's numbers; None if none of them has one."""
        for value, column in zip(data, self.columns, strict=False):
            if column is not None:
                shape: Any = getattr(value, "shape", ())
                if len(shape) > len(column.shape):
                    return int(shape[0])
        return None

    def full_rows(self, data: Sequence[Any]) -> FloatArray:
        """Rows (1 or batch, parameters) of the tape's numbers."""
        batch, count = self.batch_of(data), len(self.parameters)
        if batch is None and self._is_scalar:
            return np.array(data[: self.num_data], dtype=np.float64).reshape(1, count)
        rows = np.empty((1 if batch is None else batch, count))
        for value, column in zip(data, self.columns, strict=False):
            if column is None:
                continue
            if column.shape:
                rows[:, column.start : column.stop] = value
            else:
                rows[:, column.start] = value
        return rows

    def rows(self, data: Sequence[Any]) -> tuple[FloatArray, int | None]:
        """Rows of the program's parameters; and the batch, None if there is none."""
        rows = self.full_rows(data)
        batch = self.batch_of(data)
        return (rows if self.chosen is None else np.ascontiguousarray(rows[:, self.chosen])), batch

    def full(self, slopes: FloatArray) -> FloatArray:
        """Derivatives by the program's parameters (..., found) as those by all, (..., parameters)."""
        if self.chosen is None:
            return slopes
        out = np.zeros((*slopes.shape[:-1], len(self.parameters)))
        out[..., self.chosen] = slopes
        return out

    def amplitudes(self, tape: QuantumScript) -> Any:
        """The amplitudes a tape starts from, as its interface has them; None for ``|0...0>``."""
        if not self.has_state:
            return None
        state = tape.operations[0].state_vector(wire_order=list(self.wires))
        batch = tape.operations[0].batch_size
        return state.reshape(-1) if batch is None else state.reshape(batch, -1)

    def initial(self, tape: QuantumScript) -> Any:
        """The amplitudes a tape starts from, (2**n,) or (batch, 2**n); None for ``|0...0>``."""
        state = self.amplitudes(tape)
        return None if state is None else np.asarray(state, dtype=complex)

    # -- what is asked ------------------------------------------------------------------------------
    @property
    def sections(self) -> list[Section]:
        """Programs for exact values: one for all measurements of the state itself, one for each rotated."""
        if self._sections is None:
            self._sections = self._make_sections()
        return self._sections

    def _make_sections(self) -> list[Section]:
        direct: list[Measurement] = []
        places: list[int] = []
        out: list[Section] = []
        for place, mp in enumerate(self.measurements):
            if type(mp) is StateMP and len(mp.wires) and tuple(mp.wires) != self.wires:
                raise ArgumentError(
                    f"A state must be asked for in the order of the wires, {list(self.wires)}, but is asked "
                    f"for in the order {list(mp.wires)}."
                )
            found = measurement_of(mp, Wires(self.wires), self.qubits, self.observable)
            if found is not None:
                direct.append(found)
                places.append(place)
                continue
            rotated = self.rotated([mp])
            bare = Probabilities(self.qubits(mp.wires))
            out.append(Section(rotated, [bare], [place]))
        if direct or not out:
            out.insert(0, Section(self.program, direct, places))
        return out

    def qubits(self, wires: Any) -> list[int]:
        """Qubits of wires, the last first; of all wires if there are none."""
        labels = tuple(wires) or self.wires
        return [self.qubit_of[w] for w in reversed(labels)]

    def observable(self, op: Any) -> Any:
        return observable_from(op, self.qubit_of, len(self.wires))

    def rotation(self, gates: Sequence[Any]) -> Circuit:
        """Constant operations as a circuit."""
        circuit = Circuit(len(self.wires))
        for op in gates:
            append(circuit, op, op.data, self.qubit_of, {})
        return circuit

    def rotated(self, mps: Sequence[MeasurementProcess]) -> Program:
        """The circuit with the gates behind it that make measurements diagonal."""
        gates = [g for mp in mps for g in mp.diagonalizing_gates()]
        circuit = self.circuit.copy()
        for operation in self.rotation(gates).operations:
            circuit.append_operation(operation)
        return compile(circuit, **self.options)

    # -- all together -------------------------------------------------------------------------------
    def fields(self) -> list[tuple[Section, Field]]:
        """Where each measurement's value is, in the order of the tape."""
        found: dict[int, tuple[Section, Field]] = {}
        for section in self.sections:
            for place, field in zip(section.places, section.several.fields, strict=True):
                found[place] = (section, field)
        return [found[k] for k in range(len(self.measurements))]


def is_state(op: Any) -> bool:
    """Whether an operation that starts a tape gives amplitudes; bits are gates."""
    return isinstance(op, StatePrepBase) and type(op).__name__ != "BasisState"


def _is_vector(op: Any) -> bool:
    while hasattr(op, "base"):
        op = op.base
    return type(op).__name__ == "SpecialUnitary"


def clbits_of(operations: Sequence[Any]) -> dict[Any, int]:
    """The classical bit of each mid-circuit measurement."""
    return {op: k for k, op in enumerate(o for o in operations if isinstance(o, MidMeasure))}


def wire_order(tape: QuantumScript, wires: Any) -> tuple[Any, ...]:
    """The order of a tape's wires: the device's, else that of a state asked for, else PennyLane's."""
    if wires is not None:
        return tuple(wires)
    for mp in tape.measurements:
        if type(mp) is StateMP and len(mp.wires) == len(tape.wires):
            return tuple(mp.wires)
    labels = tape.wires
    if set(labels) == set(range(len(labels))):
        return tuple(range(len(labels)))
    return tuple(labels)


def key_of(tape: QuantumScript, wires: tuple[Any, ...]) -> Any:
    """What a plan depends on."""
    operations = tape.operations
    parts: list[Any] = [wires]
    clbits: dict[Any, int] | None = None
    for position, op in enumerate(operations):
        cls = type(op)
        if table_gate(cls) is not None:
            parts.append(cls)
            parts.append(op.wires.labels)
            continue
        if position == 0 and is_state(op):
            parts.append("state")
            continue
        if clbits is None and isinstance(op, MidMeasure | Conditional):
            clbits = clbits_of(operations)
        parts.append(signature(op, clbits or {}))
    parts.append(None)
    for mp in tape.measurements:
        parts.append(_key_of_measurement(mp, clbits or {}))
    return tuple(parts)


def _key_of_measurement(mp: MeasurementProcess, clbits: dict[Any, int]) -> Any:
    obs = mp.obs
    if obs is not None and mp.mv is None and type(mp) is ExpectationMP:
        name = type(obs).__name__
        if name in ("PauliX", "PauliY", "PauliZ"):
            return name, obs.wires.labels
    if mp.mv is None or not clbits:
        # PennyLane's hash says what kind it is; it rounds numbers, and leaves some of a long array out
        numbers = key_of_observable(obs) if obs is not None else content(mp._eigvals)
        # of a kind that is a user's own nothing is known: it is itself, which the plan keeps alive
        return type(mp), mp.hash, numbers, None if is_known(mp) else id(mp)
    listed = mp.mv if isinstance(mp.mv, Sequence) else [mp.mv]
    return type(mp), tuple(
        (tuple(clbits[m] for m in v.measurements), tuple(map(float, v.branches.values()))) for v in listed
    )


class Plans:
    """Plans by structure, the latest of them kept.

    Parameters
    ----------
    options : dict
        Of `qsim.compile`.
    """

    #: a plan holds a compiled program, of a few times 100 bytes for each gate
    MOST = 128

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._plans: OrderedDict[Any, Plan] = OrderedDict()
        self._lock = Lock()

    def find(self, tape: QuantumScript, wires: Any) -> Plan:
        """The plan of a tape, made now if there is none."""
        order = wire_order(tape, wires)
        key = key_of(tape, order)
        with self._lock:
            plan = self._plans.get(key)
            if plan is not None:
                self._plans.move_to_end(key)
                return plan
        plan = Plan(tape, order, self._options)
        with self._lock:
            self._plans[key] = plan
            if len(self._plans) > self.MOST:
                self._plans.popitem(last=False)
        return plan

    def __getstate__(self) -> dict[str, Any]:
        return {"_options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["_options"])  # type: ignore[misc]
