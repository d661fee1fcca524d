"""Circuit: operations in order, on numbered qubits and classical bits."""

from __future__ import annotations

import difflib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from qsim._checks import check_count, check_index, check_qubits, counted
from qsim._gate_arguments import check_control_values, check_param
from qsim.binding import values_by_name
from qsim.errors import ArgumentError, CircuitError, ParameterError, QubitError
from qsim.gates import Gate, Matrix, apply_to_columns, get_gate
from qsim.memory import check_free_memory
from qsim.operation_methods import OperationMethods
from qsim.operations import Barrier, GateOperation, Operation, _Structured, written_bits
from qsim.parameters import MAX_ANGLE, Parameter, ParameterExpression
from qsim.user_gates import MAX_NESTING, CircuitGate

__all__ = ["Circuit"]

#: Far above any state that fits a machine; keeps a mistyped size from filling the memory with indices.
MAX_WIRES = 1_000_000


class Circuit(OperationMethods):
    """A list of operations on `num_qubits` qubits and `num_clbits` classical bits.

    Qubit 0 is the least significant bit of the amplitude index. There is a method for each gate of
    the table, with parameters first and then qubits: ``circuit.rx(theta, 0)``; every gate method takes
    ``controls=`` and ``control_values=``. Methods that append return the circuit, so they chain.

    Parameters
    ----------
    num_qubits, num_clbits : int
        At most 1,000,000 each.
    name : str, optional

    Examples
    --------
    >>> bell = Circuit(2).h(0).cx(0, 1)
    >>> bell.depth(), dict(bell.count_ops())
    (2, {'h': 1, 'cx': 1})
    """

    __slots__ = ("classical_registers", "name", "quantum_registers", "scratch_clbits")
    name: str | None

    def __init__(self, num_qubits: int, num_clbits: int = 0, name: str | None = None) -> None:
        self.num_qubits = check_count(num_qubits, "num_qubits", 0, MAX_WIRES)
        self.num_clbits = check_count(num_clbits, "num_clbits", 0, MAX_WIRES)
        if name is not None and not isinstance(name, str):
            raise TypeError(f"Argument `name` must be a str, but is {type(name).__name__}.")
        self.name = name
        #: register name -> indices, kept for OpenQASM; may be empty
        self.quantum_registers: dict[str, tuple[int, ...]] = {}
        self.classical_registers: dict[str, tuple[int, ...]] = {}
        #: classical bits that are no part of samples and distributions: what a program measures for itself
        self.scratch_clbits: frozenset[int] = frozenset()
        self.variables = {}
        self._operations = []
        self._cache = {}

    if not TYPE_CHECKING:  # a type checker shall know which methods there are

        def __getattr__(self, name: str) -> Any:
            """Called for what is not there: the error names what other frameworks' names are called here."""
            message = f"A Circuit has no attribute `{name}`."
            if not name.startswith("_"):
                from qsim.foreign_names import hint

                near = difflib.get_close_matches(name, [n for n in dir(type(self)) if n[0] != "_"], n=2)
                meant = hint(name) or (f"Did you mean {' or '.join(f'`{n}`' for n in near)}?" if near else "")
                message = f"{message} {meant}".rstrip()
            raise AttributeError(message, name=None, obj=None)

    # -- what it holds ---------------------------------------------------------------------------
    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations in order."""
        cached = self._cache.get("operations")
        if cached is None:
            cached = self._cache["operations"] = tuple(self._operations)
        return cached

    def __len__(self) -> int:
        return len(self._operations)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Free parameters: in order of first appearance, the elements of a vector together and sorted.

        This is the order of the columns of an array of values.
        """
        cached = self._cache.get("parameters")
        if cached is None:
            cached = self._cache["parameters"] = self._find_parameters()
        return cached

    def _find_parameters(self) -> tuple[Parameter, ...]:
        groups: dict[Any, dict[Parameter, None]] = {}

        def visit(expression: ParameterExpression) -> ParameterExpression:
            for parameter in expression.parameters:
                key = parameter.vector[0] if parameter.vector else parameter
                groups.setdefault(key, {})[parameter] = None
            return expression

        for operation in self._operations:
            if isinstance(operation, GateOperation):
                for p in operation.params:
                    if isinstance(p, ParameterExpression):
                        visit(p)
                if isinstance(operation.gate, CircuitGate):
                    for parameter in operation.gate.free_parameters:
                        visit(parameter)
            else:
                operation.map_params(visit)
        return tuple(
            parameter
            for group in groups.values()
            for parameter in sorted(group, key=lambda p: (p.vector or ("", 0))[1])
        )

    @property
    def num_parameters(self) -> int:
        return len(self.parameters)

    # -- appending -------------------------------------------------------------------------------
    def append(
        self,
        gate: Gate | Operation | Circuit | str,
        params: Any = (),
        qubits: Any = (),
        *,
        controls: Any = (),
        control_values: Any = None,
    ) -> Circuit:
        """Append a gate by name or object, an operation, or a circuit as one gate.

        Parameters
        ----------
        gate : str, Gate, Operation or Circuit
        params : float, expression, or a sequence of them
        qubits : int or sequence of int
            The gate's own qubits, built-in controls first.
        controls : int or sequence of int
            Further controls.
        control_values : sequence of 0 and 1, or str of them, optional
            The value each of `controls` must have; 1 by default. In a str, as in every bitstring, the first
            control's is rightmost.

        Raises
        ------
        UnknownGateError, QubitError, ParameterError, CircuitError
        """
        if isinstance(gate, Operation):
            return self.append_operation(gate)
        if isinstance(gate, str):
            gate = get_gate(gate)
        elif isinstance(gate, Circuit):
            gate = gate.to_gate()
        elif not isinstance(gate, Gate):
            raise TypeError(
                f"Argument `gate` must be a gate, its name, an operation or a circuit, but is "
                f"{type(gate).__name__}."
            )
        param_tuple = tuple(params) if isinstance(params, Sequence | np.ndarray) else (params,)
        qubit_tuple = tuple(qubits) if isinstance(qubits, Iterable) else (qubits,)
        self._check_gate_qubits(gate, qubit_tuple)
        return self._gate(gate, param_tuple, qubit_tuple, controls, control_values)

    def _check_gate_qubits(self, gate: Gate, qubits: tuple[Any, ...]) -> None:
        if len(qubits) != gate.num_qubits:
            raise CircuitError(
                f"Gate `{gate.name}` acts on {counted(gate.num_qubits, 'qubit')}, but got {len(qubits)}."
            )

    def append_operation(self, operation: Operation) -> Circuit:
        """Append an operation object after checking its qubits and classical bits."""
        if isinstance(operation, GateOperation):
            self._check_gate_qubits(operation.gate, operation.targets)
            return self._gate(
                operation.gate,
                operation.params,
                operation.targets,
                operation.controls,
                operation.control_values,
            )
        if not isinstance(operation, Operation):
            raise TypeError(f"Argument `operation` must be an Operation, but is {type(operation).__name__}.")
        for body in operation.bodies:
            self._check_body(body)
        check_qubits(operation.qubits, self.num_qubits, context=f" in `{operation.name}`")
        check_qubits(operation.clbits, self.num_clbits, "Classical bit", "classical bits")
        return self._push(operation)

    def _push(self, operation: Operation) -> Circuit:
        if operation.bodies:
            self._adopt_variables(operation.bodies)
        self._operations.append(operation)
        if self._cache:
            self._cache = {}
        return self

    def _gate(
        self,
        gate: Gate,
        params: tuple[Any, ...],
        qubits: tuple[Any, ...],
        controls: Any = (),
        control_values: Any = None,
    ) -> Circuit:
        # The common case in as few steps as possible: building costs at most 2 microseconds a gate.
        limit = self.num_qubits
        for q in qubits:
            if type(q) is not int or not 0 <= q < limit:
                return self._gate_slow(gate, params, qubits, controls, control_values)
        count = len(qubits)
        if count == 2:
            if qubits[0] == qubits[1]:
                return self._gate_slow(gate, params, qubits, controls, control_values)
        elif count > 2 and len(set(qubits)) != count:
            return self._gate_slow(gate, params, qubits, controls, control_values)
        if controls != () or control_values is not None or len(params) != gate.num_params:
            return self._gate_slow(gate, params, qubits, controls, control_values)
        for p in params:
            if not (
                (type(p) is float and -MAX_ANGLE <= p <= MAX_ANGLE) or isinstance(p, ParameterExpression)
            ):
                return self._gate_slow(gate, params, qubits, controls, control_values)
        self._operations.append(GateOperation(gate, params, qubits))
        if self._cache:
            self._cache = {}
        return self

    def _gate_slow(
        self, gate: Gate, params: tuple[Any, ...], qubits: tuple[Any, ...], controls: Any, control_values: Any
    ) -> Circuit:
        """Everything but the common case: other types, controls, broadcasting, and the errors."""
        if len(params) != gate.num_params:
            raise ParameterError(
                f"Gate `{gate.name}` takes {counted(gate.num_params, 'parameter')}, but got {len(params)}."
            )
        checked_params = tuple(check_param(gate, p, self.num_clbits) for p in params)
        if (
            gate.num_qubits == 1
            and isinstance(qubits[0], Iterable)
            and not isinstance(qubits[0], str | bytes)
        ):
            controls, control_values = (
                tuple(v) if isinstance(v, Iterable) and not isinstance(v, str) else v
                for v in (controls, control_values)
            )  # an iterator would be empty after the first
            for q in check_qubits(qubits[0], self.num_qubits, context=f" in gate `{gate.name}`"):
                self._gate(gate, checked_params, (q,), controls, control_values)
            return self
        own = tuple(check_index(q, self.num_qubits) for q in qubits)
        extra = check_qubits(controls, self.num_qubits, "Control qubit", context=f" in gate `{gate.name}`")
        values = check_control_values(control_values, len(extra))
        for position, q in enumerate(own):
            if q in own[:position]:
                first = own.index(q)
                role = "both as control and as target" if first < gate.num_controls <= position else "twice"
                raise QubitError(f"Gate `{gate.name}` has qubit {q} {role}; they must differ.")
            if q in extra:
                raise QubitError(
                    f"Gate `{gate.name}` has qubit {q} both as control and as target; they must differ."
                )
        return self._push(GateOperation(gate, checked_params, own, extra, values))

    # -- bodies of classical control -----------------------------------------------------------------
    def _condition(self, condition: Any) -> Any:
        from qsim import classical

        return classical.as_condition(condition, self.num_clbits)

    def _check_body(self, body: Circuit) -> None:
        if not isinstance(body, Circuit):
            raise TypeError(f"A body must be a Circuit, but is {type(body).__name__}.")
        if body.num_qubits > self.num_qubits or body.num_clbits > self.num_clbits:
            raise CircuitError(
                f"A body has {body.num_qubits} qubits and {body.num_clbits} classical bits, more than "
                "the circuit's "
                f"{self.num_qubits} and {self.num_clbits}."
            )
        if _nesting(body) >= MAX_NESTING:
            raise CircuitError(f"Bodies must be nested at most {MAX_NESTING} deep.")

    def _adopt_variables(self, others: Iterable[Circuit]) -> None:
        """Declare the classical variables of other circuits here, or refuse them all."""
        merged = dict(self.variables)
        types = {variable.name: variable for variable in merged}
        for other in others:
            for variable, initial in other.variables.items():
                if types.setdefault(variable.name, variable) != variable:
                    raise CircuitError(f"Classical variable `{variable.name}` has different types.")
                if merged.setdefault(variable, initial) != initial:
                    raise CircuitError(f"Classical variable `{variable.name}` has different initial values.")
        self.variables = merged

    def _body(self, body: Circuit) -> Circuit:
        self._check_body(body)
        return body.resized(self.num_qubits, self.num_clbits)

    # -- whole circuits --------------------------------------------------------------------------
    def _empty(self, num_qubits: int | None = None, num_clbits: int | None = None) -> Circuit:
        """A circuit of the same size, name, registers and variables without operations."""
        out = Circuit(
            self.num_qubits if num_qubits is None else num_qubits,
            self.num_clbits if num_clbits is None else num_clbits,
            self.name,
        )
        out.variables = dict(self.variables)
        out.scratch_clbits = frozenset(c for c in self.scratch_clbits if c < out.num_clbits)
        if num_qubits is None or num_qubits == self.num_qubits:
            out.quantum_registers = dict(self.quantum_registers)
        if num_clbits is None or num_clbits == self.num_clbits:
            out.classical_registers = dict(self.classical_registers)
        return out

    def map_operations(self, function: Callable[[Operation], Operation]) -> Circuit:
        """A circuit of the same size with `function` applied to each operation."""
        out = self._empty()
        out._operations = [function(operation) for operation in self._operations]
        return out

    def map_params(self, function: Callable[[Any], Any]) -> Circuit:
        """A circuit with `function` applied to each symbolic parameter of a gate, bodies included."""
        return self.map_operations(lambda operation: operation.map_params(function))

    def resized(self, num_qubits: int, num_clbits: int) -> Circuit:
        """The same operations declared over more qubits and classical bits."""
        if (num_qubits, num_clbits) == (self.num_qubits, self.num_clbits):
            return self
        out = self._empty(num_qubits, num_clbits)
        out._operations = [
            op.resized(num_qubits, num_clbits) if isinstance(op, _Structured) else op
            for op in self._operations
        ]
        return out

    def copy(self) -> Circuit:
        """An independent circuit with the same operations (which are immutable and shared)."""
        out = self._empty()
        out._operations = list(self._operations)
        return out

    __copy__ = copy

    def frozen(self) -> Circuit:
        """A copy that nothing can be appended to, or this circuit if it is one."""
        if type(self._operations) is _FrozenOperations:
            return self
        out = self.copy()
        out._operations = _FrozenOperations(out._operations)
        return out

    def compose(self, other: Circuit, qubits: Any = None, clbits: Any = None) -> Circuit:
        """A new circuit: this one followed by `other`.

        Parameters
        ----------
        other : Circuit
        qubits, clbits : sequence of int, optional
            Where qubit 0, 1, ... and classical bit 0, 1, ... of `other` lie in this circuit.
        """
        if not isinstance(other, Circuit):
            raise TypeError(f"Argument `other` must be a Circuit, but is {type(other).__name__}.")
        places = range(other.num_qubits) if qubits is None else qubits
        bits = range(other.num_clbits) if clbits is None else clbits
        to_qubit = check_qubits(places, self.num_qubits)
        to_clbit = check_qubits(bits, self.num_clbits, "Classical bit", "classical bits")
        for given, needed, what in (
            (to_qubit, other.num_qubits, "qubits"),
            (to_clbit, other.num_clbits, "clbits"),
        ):
            if len(given) != needed:
                raise CircuitError(f"Argument `{what}` must name {needed} places, but names {len(given)}.")
        out = self.copy()
        out._adopt_variables((other,))
        if other.scratch_clbits or self.scratch_clbits:
            # a bit is of interest if either circuit writes it and does not call it scratch
            scratch = self.scratch_clbits | {to_clbit[c] for c in other.scratch_clbits}
            shown = written_bits(self._operations) - self.scratch_clbits
            shown |= {to_clbit[c] for c in written_bits(other._operations) - other.scratch_clbits}
            out.scratch_clbits = frozenset(scratch - shown)
        if to_qubit == tuple(range(self.num_qubits)) and to_clbit == tuple(range(self.num_clbits)):
            out._operations.extend(other._operations)
        else:
            out._operations.extend(
                _resize(op.remap(to_qubit.__getitem__, to_clbit.__getitem__), self)
                for op in other._operations
            )
        return out

    def inverse(self) -> Circuit:
        """The circuit that undoes this one; it must be made of gates."""
        out = self._empty()
        out._operations = [operation.inverse() for operation in reversed(self._operations)]
        return out

    def repeat(self, times: int) -> Circuit:
        """This circuit `times` times in a row."""
        out = self._empty()
        count = check_count(times, "times")
        check_free_memory(8 * count * len(self), f"Argument `times` is {count}, so the circuit")
        out._operations = self._operations * count if self._operations else []
        return out

    def power(self, exponent: float) -> Circuit:
        """This circuit raised to a power.

        An integer repeats it (or its inverse); any other number takes the principal root of its
        matrix, which needs numeric parameters and at most 10 qubits.
        """
        if isinstance(exponent, bool) or not isinstance(exponent, int | float | np.integer | np.floating):
            raise TypeError(f"Argument `exponent` must be a real number, but is {exponent!r}.")
        if isinstance(exponent, float | np.floating) and not math.isfinite(exponent):
            raise ArgumentError(f"Argument `exponent` must be finite, but is {exponent}.")
        if exponent == int(exponent):
            return (self if exponent >= 0 else self.inverse()).repeat(abs(int(exponent)))
        from qsim.gates import unitary_power

        out = self._empty()
        if self.num_qubits == 0:
            phase = np.angle(self.matrix()[0, 0]) * exponent
            return out.append("gphase", (float(phase),), ())
        return out.unitary(unitary_power(self.matrix(), exponent), tuple(range(self.num_qubits)))

    def control(self, num_controls: int = 1, control_values: Any = None) -> Circuit:
        """This circuit behind new control qubits, which come first (qubits 0 to num_controls - 1)."""
        count = check_count(num_controls, "num_controls", 1, MAX_WIRES - self.num_qubits)
        values = check_control_values(control_values, count)
        out = self._empty(self.num_qubits + count)
        for operation in self._operations:
            moved = operation.remap(lambda q: q + count, lambda c: c)
            if isinstance(moved, GateOperation):
                moved = moved.with_control(tuple(range(count)), values)
            elif not moved.is_unitary:
                raise CircuitError(f"A circuit with `{operation.name}` cannot be controlled; only gates can.")
            out._operations.append(moved)
        return out

    def remap(self, mapping: Any, num_qubits: int | None = None) -> Circuit:
        """The same circuit with qubit q moved to ``mapping[q]``.

        Parameters
        ----------
        mapping : dict or sequence of int
            New place of each qubit; a dict may leave out qubits that stay.
        num_qubits : int, optional
            Size of the new circuit; at least the present one by default.
        """
        size = self.num_qubits if num_qubits is None else check_count(num_qubits, "num_qubits")
        if isinstance(mapping, Mapping):
            for q in mapping:
                check_index(q, self.num_qubits)
            places = [mapping.get(q, q) for q in range(self.num_qubits)]
        elif isinstance(mapping, Iterable):
            places = list(mapping)
        else:
            raise TypeError(
                f"Argument `mapping` must be a dict or a sequence of qubits, but is {type(mapping).__name__}."
            )
        targets = check_qubits(places, size)
        if len(targets) != self.num_qubits:
            raise CircuitError(
                f"Argument `mapping` must name {self.num_qubits} places, but names {len(targets)}."
            )
        out = self._empty(size)
        out.quantum_registers = {}
        out._operations = [
            _resize(op.remap(targets.__getitem__, lambda c: c), out) for op in self._operations
        ]
        return out

    def bind(self, values: Mapping[Any, Any] | Any) -> Circuit:
        """A circuit with parameters replaced by numbers or expressions.

        Parameters
        ----------
        values : dict or array_like
            Name, `Parameter` or `ParameterVector` to a number, an expression or (for a vector) a
            sequence of them; or all values in the order of `parameters`. A dict may leave some free.
        """
        table = values_by_name(self.parameters, values)

        def bound(expression: ParameterExpression) -> Any:
            return expression.bind(table)

        return self.map_params(bound)

    def to_gate(self, name: str | None = None) -> CircuitGate:
        """This circuit, which must be made of gates, as one gate."""
        return CircuitGate(self, name)

    # -- numbers about it ------------------------------------------------------------------------
    def depth(self) -> int:
        """Length of the longest path of operations over qubits and classical bits (barriers not counted)."""
        levels = [0] * (self.num_qubits + self.num_clbits)
        for operation in self._operations:
            wires = [*operation.qubits, *(self.num_qubits + c for c in operation.clbits)]
            if not wires:
                continue
            level = max(levels[w] for w in wires) + (not isinstance(operation, Barrier))
            for w in wires:
                levels[w] = level
        return max(levels, default=0)

    def count_ops(self) -> Counter[str]:
        """How often each operation occurs, by name; extra controls are prefixed as ``c-``."""
        return Counter(
            "c" * len(op.controls) + "-" + op.name
            if isinstance(op, GateOperation) and op.controls
            else op.name
            for op in self._operations
        )

    def matrix(self) -> Matrix:
        """The unitary of a circuit of gates with numeric parameters, at most 10 qubits.

        Returns
        -------
        ndarray, shape (2**num_qubits, 2**num_qubits), complex128
        """
        if self.num_qubits > 10:
            raise CircuitError(
                f"A matrix is made for at most 10 qubits, but the circuit has {self.num_qubits}."
            )
        if self.parameters:
            names = ", ".join(p.name for p in self.parameters)
            raise ParameterError(f"A matrix needs numeric parameters, but {names} are free; bind them first.")
        out: Matrix = np.eye(1 << self.num_qubits, dtype=complex)
        for operation in self._operations:
            if isinstance(operation, GateOperation):
                if operation.has_run_time_params:
                    raise CircuitError(
                        f"A matrix needs numeric parameters, but one of `{operation.name}` is a classical "
                        "value, known only while the circuit runs. Use numbers, or a Parameter and bind()."
                    )
                gate, qubits = operation.with_controls_inside()
                out = apply_to_columns(gate.matrix(*operation.params), qubits, out)
            elif not operation.is_unitary:
                raise CircuitError(f"A circuit with `{operation.name}` has no matrix; only gates have one.")
        return out

    # -- comparison, text, files -----------------------------------------------------------------
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Circuit):
            return NotImplemented
        return (
            (self.num_qubits, self.num_clbits) == (other.num_qubits, other.num_clbits)
            and self.variables == other.variables
            and self.scratch_clbits == other.scratch_clbits
            and self._operations == other._operations
        )

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        slots = Circuit.__slots__ + OperationMethods.__slots__
        return {slot: getattr(self, slot) for slot in slots if slot != "_cache"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for slot, value in state.items():
            setattr(self, slot, value)
        self._cache = {}

    def __repr__(self) -> str:
        label = f" {self.name!r}" if self.name else ""
        return (
            f"<Circuit{label}: {counted(self.num_qubits, 'qubit')}, "
            f"{counted(self.num_clbits, 'classical bit')}, {counted(len(self), 'operation')}, "
            f"{counted(self.num_parameters, 'parameter')}>"
        )

    def to_dict(self) -> dict[str, Any]:
        """The circuit as dicts, lists and numbers (format `qsim.serialization.JSON_FORMAT`)."""
        from qsim.serialization import circuit_to_json

        return circuit_to_json(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Circuit:
        """The inverse of `to_dict`."""
        from qsim.serialization import circuit_from_json

        return circuit_from_json(data, cls)

    def to_json(self, **options: Any) -> str:
        """The circuit as JSON text; `options` go to `json.dumps`."""
        return json.dumps(self.to_dict(), **options)

    @classmethod
    def from_json(cls, text: str) -> Circuit:
        """The inverse of `to_json`."""
        if not isinstance(text, str | bytes):
            raise TypeError(f"Argument `text` must be a str, but is {type(text).__name__}.")
        try:
            data = json.loads(text)
            return cls.from_dict(data)
        except json.JSONDecodeError as error:
            raise ArgumentError(
                f"Argument `text` must be JSON, but line {error.lineno} is not: {error.msg}."
            ) from error
        except RecursionError:
            raise ArgumentError("Argument `text` must be a circuit, but is nested too deeply.") from None

    def to_qasm(self, version: int = 3) -> str:
        """The circuit as OpenQASM 2 or 3 text."""
        from qsim.io import dumps

        return dumps(self, version)

    @classmethod
    def from_qasm(cls, text: str) -> Circuit:
        """A circuit from OpenQASM 2 or 3 text; the header says which."""
        from qsim.io import loads

        return loads(text)

    def draw(self, output: str = "text", **options: Any) -> Any:
        """Draw the circuit as text or with matplotlib.

        Parameters
        ----------
        output : {"text", "mpl"}
        **options
            Go to `qsim.visual.draw_text` or `qsim.visual.draw_mpl`.

        Returns
        -------
        str-like or matplotlib Axes
            ``circuit.draw("mpl").figure.savefig("circuit.png")`` saves a picture, of the type the name says.
        """
        from qsim import visual

        if output == "text":
            return visual.draw_text(self, **options)
        if output == "mpl":
            return visual.draw_mpl(self, **options)
        raise ArgumentError(f"Argument `output` must be 'text' or 'mpl', but is {output!r}.")

    def __str__(self) -> str:
        return str(self.draw("text"))

    def _repr_html_(self) -> str:
        from qsim import visual

        return visual.draw_html(self)


class _FrozenOperations(list[Operation]):
    """The operations of a circuit inside an operation or a gate."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise CircuitError(
            "A circuit inside an operation or a gate cannot change; change a copy() of it and use that."
        )

    append = extend = insert = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (_FrozenOperations, (list(self),))


def _nesting(body: Circuit) -> int:
    """How many bodies lie one within the other below this one."""
    return max((1 + _nesting(inner) for op in body.operations for inner in op.bodies), default=0)


def _resize(operation: Operation, circuit: Circuit) -> Operation:
    if isinstance(operation, _Structured):
        return operation.resized(circuit.num_qubits, circuit.num_clbits)
    return operation
