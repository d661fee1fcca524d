"""The operations a circuit is a list of: gates, measurement, reset, channels, classical control."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from qsim._checks import check_square_power_of_two
from qsim.errors import ArgumentError, CircuitError
from qsim.gates import Gate
from qsim.parameters import ParameterExpression
from qsim.user_gates import CircuitGate, ControlledGate

if TYPE_CHECKING:
    from qsim.circuit import Circuit

__all__ = [
    "Assign",
    "Barrier",
    "Break",
    "Continue",
    "Delay",
    "ForLoop",
    "GateOperation",
    "IfElse",
    "Kraus",
    "Measure",
    "Operation",
    "Reset",
    "Switch",
    "WhileLoop",
    "written_bits",
]

Self = TypeVar("Self", bound="Operation")


class Operation:
    """Base of all operations. Immutable; equal if type and fields are equal."""

    __slots__: tuple[str, ...] = ()
    name: str = ""
    #: True if the operation is a unitary or does nothing to the state
    is_unitary = False

    @property
    def qubits(self) -> tuple[int, ...]:
        """Qubits the operation touches."""
        return ()

    @property
    def clbits(self) -> tuple[int, ...]:
        """Classical bits the operation reads or writes."""
        return ()

    @property
    def bodies(self) -> tuple[Circuit, ...]:
        """Circuits inside a classically controlled operation."""
        return ()

    def inverse(self) -> Operation:
        raise CircuitError(f"Operation `{self.name}` has no inverse; only circuits of gates can be inverted.")

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> Operation:
        """The same operation on other qubits and classical bits."""
        raise CircuitError(f"Operation `{self.name}` cannot be put on other qubits.")

    def map_params(self, function: Callable[[Any], Any]) -> Operation:
        """The operation with `function` applied to each symbolic parameter in it."""
        return self

    def fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, slot) for slot in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.fields() == other.fields()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.qubits, self.clbits))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self.fields())

    def __repr__(self) -> str:
        inside = ", ".join(f"{slot.lstrip('_')}={getattr(self, slot)!r}" for slot in self.__slots__)
        return f"{type(self).__name__}({inside})"


class GateOperation(Operation):
    """A gate with its parameters on given qubits, behind any number of additional controls.

    Attributes
    ----------
    gate : Gate
    params : tuple of float or ParameterExpression or classical expression
    targets : tuple of int
        The gate's own qubits: its built-in controls first.
    controls, control_values : tuple of int
        Further controls, and the value (0 or 1) each must have.
    """

    __slots__ = ("control_values", "controls", "gate", "params", "targets")
    is_unitary = True

    def __init__(
        self,
        gate: Gate,
        params: tuple[Any, ...],
        targets: tuple[int, ...],
        controls: tuple[int, ...] = (),
        control_values: tuple[int, ...] = (),
    ) -> None:
        self.gate = gate
        self.params = params
        self.targets = targets
        self.controls = controls
        self.control_values = control_values

    def fields(self) -> tuple[Any, ...]:
        return (self.gate, self.params, self.targets, self.controls, self.control_values)

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.gate.name

    @property
    def qubits(self) -> tuple[int, ...]:
        return self.controls + self.targets

    @property
    def clbits(self) -> tuple[int, ...]:
        if not self.has_run_time_params:
            return ()
        from qsim.classical import Expression, bits_of

        return tuple(sorted({c for p in self.params if isinstance(p, Expression) for c in bits_of(p)}))

    @property
    def has_run_time_params(self) -> bool:
        """Whether a parameter is a classical expression, whose value is known only while a circuit runs."""
        return not all(isinstance(p, float | ParameterExpression) for p in self.params)

    def inverse(self) -> GateOperation:
        gate, params = self.gate.inverse(self._real_params())
        return GateOperation(gate, params, self.targets, self.controls, self.control_values)

    def power(self, exponent: float) -> GateOperation:
        gate, params = self.gate.power(self._real_params(), exponent)
        return GateOperation(gate, params, self.targets, self.controls, self.control_values)

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> GateOperation:
        targets, controls = tuple(map(qubits, self.targets)), tuple(map(qubits, self.controls))
        params = self._map_run_time(lambda p: _map_bits(p, clbits))
        return GateOperation(self.gate, params, targets, controls, self.control_values)

    def _real_params(self) -> tuple[Any, ...]:
        """The parameters, with run-time values as real numbers: minus an unsigned integer wraps around."""
        from qsim.classical import Cast

        return self._map_run_time(lambda p: p if p.type.kind == "float" else Cast("float", None, p))

    def _map_run_time(self, function: Callable[[Any], Any]) -> tuple[Any, ...]:
        if not self.has_run_time_params:
            return self.params
        return tuple(p if isinstance(p, float | ParameterExpression) else function(p) for p in self.params)

    def with_control(self, controls: tuple[int, ...], values: tuple[int, ...]) -> GateOperation:
        """The same gate behind further controls."""
        return GateOperation(
            self.gate, self.params, self.targets, controls + self.controls, values + self.control_values
        )

    def with_controls_inside(self) -> tuple[Gate, tuple[int, ...]]:
        """The gate with its additional controls made part of it, and all its qubits."""
        gate = ControlledGate(self.gate, self.control_values) if self.controls else self.gate
        return gate, self.qubits

    def map_params(self, function: Callable[[Any], Any]) -> GateOperation:
        params = tuple(function(p) if isinstance(p, ParameterExpression) else p for p in self.params)
        gate = self.gate
        if isinstance(gate, CircuitGate) and gate.free_parameters:
            gate = CircuitGate(gate.circuit.map_params(function), gate.name)
        return GateOperation(gate, params, self.targets, self.controls, self.control_values)

    def __repr__(self) -> str:
        params = f"({', '.join(map(str, self.params))})" if self.params else ""
        controls = "".join(
            f"{q}{'' if v else '!'} " for q, v in zip(self.controls, self.control_values, strict=True)
        )
        control = f"ctrl[{controls.strip()}] " if controls else ""
        return f"{control}{self.name}{params} {', '.join(map(str, self.targets))}".rstrip()


def _map_bits(expression: Any, clbits: Callable[[int], int]) -> Any:
    from qsim.classical import map_bits

    return map_bits(expression, clbits)


class Measure(Operation):
    """Measure one qubit in the computational basis into a classical bit."""

    __slots__ = ("clbit", "qubit")
    name = "measure"

    def __init__(self, qubit: int, clbit: int) -> None:
        self.qubit, self.clbit = qubit, clbit

    def fields(self) -> tuple[Any, ...]:
        return (self.qubit, self.clbit)

    @property
    def qubits(self) -> tuple[int, ...]:
        return (self.qubit,)

    @property
    def clbits(self) -> tuple[int, ...]:
        return (self.clbit,)

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> Measure:
        return Measure(qubits(self.qubit), clbits(self.clbit))


class Reset(Operation):
    """Put one qubit into |0>, discarding what it was."""

    __slots__ = ("qubit",)
    name = "reset"

    def __init__(self, qubit: int) -> None:
        self.qubit = qubit

    @property
    def qubits(self) -> tuple[int, ...]:
        return (self.qubit,)

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> Reset:
        return Reset(qubits(self.qubit))


class Barrier(Operation):
    """A line in drawings and in counts of depth; nothing moves across it, nothing happens."""

    __slots__ = ("_qubits",)
    name = "barrier"
    is_unitary = True

    def __init__(self, qubits: tuple[int, ...]) -> None:
        self._qubits = qubits

    @property
    def qubits(self) -> tuple[int, ...]:
        return self._qubits

    def inverse(self) -> Barrier:
        return self

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> Barrier:
        return Barrier(tuple(map(qubits, self._qubits)))


class Delay(Operation):
    """Wait; the identity on an ideal machine, kept for noise models and for OpenQASM."""

    __slots__ = ("_qubits", "duration", "unit")
    name = "delay"
    is_unitary = True

    def __init__(self, duration: float, unit: str, qubits: tuple[int, ...]) -> None:
        self.duration, self.unit, self._qubits = duration, unit, qubits

    def fields(self) -> tuple[Any, ...]:
        return (self.duration, self.unit, self._qubits)

    @property
    def qubits(self) -> tuple[int, ...]:
        return self._qubits

    def inverse(self) -> Delay:
        return self

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> Delay:
        return Delay(self.duration, self.unit, tuple(map(qubits, self._qubits)))


class Kraus(Operation):
    """A channel ``rho -> sum_k K_k rho K_k^dagger`` on some qubits.

    Parameters
    ----------
    matrices : sequence of array_like, shape (2**k, 2**k)
        With ``sum_k K_k^dagger K_k = 1`` within 1e-8.
    qubits : tuple of int
        The first is the least significant bit of the matrix index.
    """

    __slots__ = ("_qubits", "matrices")
    name = "kraus"

    def __init__(self, matrices: Sequence[Any], qubits: tuple[int, ...]) -> None:
        if isinstance(matrices, str) or not isinstance(matrices, Iterable):
            raise TypeError(
                f"Argument `matrices` must be several matrices, but is {type(matrices).__name__}."
            )
        self.matrices = tuple(check_square_power_of_two(m, "matrices") for m in matrices)
        self._qubits = qubits
        size = 1 << len(qubits)
        if not self.matrices or any(len(m) != size for m in self.matrices):
            raise ArgumentError(f"Argument `matrices` must be one or more of shape ({size}, {size}).")
        total = sum(m.conj().T @ m for m in self.matrices)
        distance = float(np.abs(total - np.eye(size)).max())
        if distance > 1e-8:
            raise ArgumentError(
                "Argument `matrices` must preserve the trace, but the sum of K^dagger K differs from "
                "the identity "
                f"by up to {distance:.1e}."
            )

    def fields(self) -> tuple[Any, ...]:
        return (self.matrices, self._qubits)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Kraus)
            and self._qubits == other._qubits
            and len(self.matrices) == len(other.matrices)
            and all(map(np.array_equal, self.matrices, other.matrices))
        )

    __hash__ = Operation.__hash__

    @property
    def qubits(self) -> tuple[int, ...]:
        return self._qubits

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> Kraus:
        return Kraus(self.matrices, tuple(map(qubits, self._qubits)))


class _Structured(Operation):
    """Base of operations with bodies and run-time classical values.

    The bodies are copies that cannot change, so what happens to a user's circuit later is not meant here.
    """

    __slots__ = ()

    @property
    def qubits(self) -> tuple[int, ...]:
        return tuple(sorted({q for body in self.bodies for op in body.operations for q in op.qubits}))

    @property
    def expressions(self) -> tuple[Any, ...]:
        """Classical expressions the operation itself reads."""
        return ()

    @property
    def clbits(self) -> tuple[int, ...]:
        from qsim.classical import bits_of

        inside = {c for body in self.bodies for op in body.operations for c in op.clbits}
        return tuple(sorted(inside.union(*(bits_of(e) for e in self.expressions))))

    def _rebuild(self, bodies: Sequence[Circuit], expression: Callable[[Any], Any]) -> Operation:
        """The same operation with other bodies, and `expression` applied to its values; it may have none."""
        return self

    def remap(self, qubits: Callable[[int], int], clbits: Callable[[int], int]) -> Operation:
        return self._rebuild(
            [body.map_operations(lambda op: op.remap(qubits, clbits)) for body in self.bodies],
            lambda expression: _map_bits(expression, clbits),
        )

    def resized(self, num_qubits: int, num_clbits: int) -> Operation:
        """The same operation with bodies declared over another number of qubits and bits."""
        return self._rebuild([body.resized(num_qubits, num_clbits) for body in self.bodies], lambda e: e)

    def map_params(self, function: Callable[[Any], Any]) -> Operation:
        return self._rebuild([body.map_params(function) for body in self.bodies], lambda e: e)


def _frozen(body: Circuit) -> Circuit:
    if not hasattr(body, "frozen"):
        raise TypeError(f"A body must be a Circuit, but is {type(body).__name__}.")
    return body.frozen()


class IfElse(_Structured):
    """Run `then_body` if the condition holds, else `else_body` (or nothing)."""

    __slots__ = ("condition", "else_body", "then_body")
    name = "if_else"

    def __init__(self, condition: Any, then_body: Circuit, else_body: Circuit | None = None) -> None:
        self.condition = condition
        self.then_body = _frozen(then_body)
        self.else_body = None if else_body is None else _frozen(else_body)

    def fields(self) -> tuple[Any, ...]:
        return (self.condition, self.then_body, self.else_body)

    @property
    def bodies(self) -> tuple[Circuit, ...]:
        return (self.then_body,) if self.else_body is None else (self.then_body, self.else_body)

    @property
    def expressions(self) -> tuple[Any, ...]:
        return (self.condition,)

    def _rebuild(self, bodies: Sequence[Circuit], expression: Callable[[Any], Any]) -> IfElse:
        return IfElse(expression(self.condition), *bodies)


class WhileLoop(_Structured):
    """Repeat `body` as long as the condition holds."""

    __slots__ = ("body", "condition")
    name = "while_loop"

    def __init__(self, condition: Any, body: Circuit) -> None:
        self.condition, self.body = condition, _frozen(body)

    def fields(self) -> tuple[Any, ...]:
        return (self.condition, self.body)

    @property
    def bodies(self) -> tuple[Circuit, ...]:
        return (self.body,)

    @property
    def expressions(self) -> tuple[Any, ...]:
        return (self.condition,)

    def _rebuild(self, bodies: Sequence[Circuit], expression: Callable[[Any], Any]) -> WhileLoop:
        return WhileLoop(expression(self.condition), bodies[0])


class ForLoop(_Structured):
    """Run `body` once for each value; `variable` (or None) holds it meanwhile.

    `values` is a range, a tuple of numbers and classical expressions, or one classical expression (whose
    bits are visited, the least significant first).
    """

    __slots__ = ("body", "values", "variable")
    name = "for_loop"

    def __init__(self, variable: Any, values: Any, body: Circuit) -> None:
        self.variable, self.values, self.body = variable, values, _frozen(body)

    def fields(self) -> tuple[Any, ...]:
        return (self.variable, self.values, self.body)

    @property
    def bodies(self) -> tuple[Circuit, ...]:
        return (self.body,)

    @property
    def expressions(self) -> tuple[Any, ...]:
        if isinstance(self.values, tuple):
            return tuple(v for v in self.values if not isinstance(v, int | float))
        return () if isinstance(self.values, range) else (self.values,)

    def _rebuild(self, bodies: Sequence[Circuit], expression: Callable[[Any], Any]) -> ForLoop:
        values = self.values
        if isinstance(values, tuple):
            values = tuple(v if isinstance(v, int | float) else expression(v) for v in values)
        elif not isinstance(values, range):
            values = expression(values)
        return ForLoop(self.variable, values, bodies[0])


class Switch(_Structured):
    """Run the body of the first case that holds the subject's value, else `default` (or nothing)."""

    __slots__ = ("cases", "default", "subject")
    name = "switch"

    def __init__(
        self, subject: Any, cases: Sequence[tuple[tuple[int, ...], Circuit]], default: Circuit | None = None
    ) -> None:
        self.subject = subject
        self.cases = tuple((tuple(values), _frozen(body)) for values, body in cases)
        self.default = None if default is None else _frozen(default)

    def fields(self) -> tuple[Any, ...]:
        return (self.subject, self.cases, self.default)

    @property
    def bodies(self) -> tuple[Circuit, ...]:
        inside = tuple(body for _, body in self.cases)
        return inside if self.default is None else (*inside, self.default)

    @property
    def expressions(self) -> tuple[Any, ...]:
        return (self.subject,)

    def _rebuild(self, bodies: Sequence[Circuit], expression: Callable[[Any], Any]) -> Switch:
        count = len(self.cases)
        cases = [(values, body) for (values, _), body in zip(self.cases, bodies[:count], strict=True)]
        return Switch(expression(self.subject), cases, bodies[count] if self.default is not None else None)


class Assign(_Structured):
    """Give a classical variable or classical bits the value of a classical expression."""

    __slots__ = ("target", "value")
    name = "assign"

    def __init__(self, target: Any, value: Any) -> None:
        self.target, self.value = target, value

    def fields(self) -> tuple[Any, ...]:
        return (self.target, self.value)

    @property
    def expressions(self) -> tuple[Any, ...]:
        return (self.target, self.value)

    def _rebuild(self, bodies: Sequence[Circuit], expression: Callable[[Any], Any]) -> Assign:
        return Assign(expression(self.target), expression(self.value))


class Break(_Structured):
    """Leave the innermost loop."""

    __slots__ = ()
    name = "break"


class Continue(_Structured):
    """Go on with the next turn of the innermost loop."""

    __slots__ = ()
    name = "continue"


def written_bits(operations: Sequence[Operation]) -> frozenset[int]:
    """The classical bits that some operation writes, also one that is never reached."""
    from qsim.classical import Variable, bits_of

    found: set[int] = set()
    for operation in operations:
        if type(operation) is GateOperation:
            continue
        if isinstance(operation, Measure):
            found.add(operation.clbit)
        elif isinstance(operation, Assign) and not isinstance(operation.target, Variable):
            found.update(bits_of(operation.target))
        for body in operation.bodies:
            found |= written_bits(body.operations)
    return frozenset(found)
