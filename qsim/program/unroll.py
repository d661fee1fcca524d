"""Classical control that nothing measured decides: carried out before a circuit is lowered.

Classical bits are 0 and variables have their initial values until something is measured. As long as that
decides a loop, a condition or a gate's angle, the circuit holds the gates that are left and is static.
What depends on an outcome stays as it is, with the values it reads assigned in front of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from qsim.circuit import Circuit
from qsim.classical import (
    Bit,
    Bits,
    ClassicalType,
    Expression,
    Literal,
    Variable,
    bits_of,
    converted,
    evaluate,
    logical_or,
    variables_of,
)
from qsim.errors import ArgumentError
from qsim.operations import (
    Assign,
    Barrier,
    Break,
    Continue,
    Delay,
    ForLoop,
    GateOperation,
    IfElse,
    Measure,
    Operation,
    Switch,
    WhileLoop,
    _Structured,
)
from qsim.parameters import MAX_ANGLE, ParameterExpression

__all__ = ["MAX_UNROLLED", "Unrolled", "any_equal", "unroll"]

#: Operations one outermost loop may become, counting turns that do nothing; above, it stays a loop.
MAX_UNROLLED = 500_000


class Unrolled:
    """What `unroll` gives.

    Attributes
    ----------
    operations : sequence of Operation
    constant_bits : dict
        Classical bit -> its value, for bits that are assigned and neither measured nor read at run time.
    too_long : bool
        Whether a loop of known length was left because of `MAX_UNROLLED`.
    """

    __slots__ = ("constant_bits", "operations", "too_long")

    def __init__(self, operations: Sequence[Operation], constant_bits: dict[int, int], too_long: bool):
        self.operations = operations
        self.constant_bits = constant_bits
        self.too_long = too_long


def unroll(circuit: Circuit) -> Unrolled:
    """The operations of a circuit without the loops and conditions whose course is known."""
    operations = circuit.operations
    kinds = {type(operation) for operation in operations}
    if not any(issubclass(kind, _Structured) for kind in kinds) and not any(
        type(p) is not float and not isinstance(p, ParameterExpression)
        for op in operations
        if type(op) is GateOperation
        for p in op.params
    ):
        return Unrolled(operations, {}, False)
    walk = _Walk(circuit)
    walk.block(operations)
    return Unrolled(walk.out, walk.finish(), walk.too_long)


def any_equal(subject: Any, values: Sequence[int]) -> Any:
    """The condition under which a case of a switch is taken."""
    condition = subject.eq(values[0])
    for value in values[1:]:
        condition = logical_or(condition, subject.eq(value))
    return condition


class _Jump(Enum):
    """How a block that was carried out ended before its end."""

    BREAK = 0
    CONTINUE = 1


class _Unknown(Exception):
    """What happens is known only at run time."""


class _Walk:
    def __init__(self, circuit: Circuit) -> None:
        self.out: list[Operation] = []
        #: None for a bit whose value depends on an outcome
        self.bits: list[int | None] = [0] * circuit.num_clbits
        self.variables: dict[str, Any] = {v.name: x for v, x in circuit.variables.items() if x is not None}
        #: assignments that are known but not among the operations: bit or name of a variable -> its target
        self.pending: dict[Any, Bit | Variable] = {}
        #: bits that an operation which stays may write or read
        self.touched: set[int] = set()
        self.loops = 0
        self.steps = 0
        self.too_long = False

    # -- values ----------------------------------------------------------------------------------
    def known(self, expression: Any) -> bool:
        return all(self.bits[i] is not None for i in bits_of(expression)) and all(
            v.name in self.variables for v in variables_of(expression)
        )

    def value(self, expression: Any) -> Any:
        """The value of an expression; an error in it is left to the run, which may never reach it."""
        if not isinstance(expression, Expression):
            return expression
        if not self.known(expression):
            raise _Unknown
        try:
            return evaluate(expression, self.bits, self.variables)
        except ArgumentError:
            raise _Unknown from None

    def store(self, target: Any, value: Any) -> None:
        """Carry out an assignment of a known value."""
        try:
            if isinstance(target, Variable):
                kind = ClassicalType(target.kind, target.size)
                self.variables[target.name] = converted(value, kind, self.bits, self.variables)
                self.pending[target.name] = target
                return
            indices = (target.index,) if isinstance(target, Bit) else target.indices
            kind = ClassicalType("bit", None if isinstance(target, Bit) else len(indices))
            number = int(converted(value, kind, self.bits, self.variables))
        except ArgumentError:
            raise _Unknown from None
        for position, index in enumerate(indices):
            self.bits[index] = number >> position & 1
            self.pending[index] = Bit(index)

    # -- what stays ------------------------------------------------------------------------------
    def flush(self) -> None:
        """Make all pending assignments operations: what follows may read them."""
        for key, target in self.pending.items():
            if isinstance(target, Variable):
                value = Literal(self.variables[target.name], target.kind, target.size)
                self.out.append(Assign(target, value))
            else:
                self.out.append(Assign(target, Literal(self.bits[key], "bit")))
                self.touched.add(key)
        self.pending.clear()

    def keep(self, operation: Operation) -> None:
        """Leave an operation as it is; what it may write is not known any more."""
        self.flush()
        self.out.append(operation)
        self.touched.update(operation.clbits)
        self.forget(operation)

    def forget(self, operation: Operation) -> None:
        targets: list[Any] = []
        if isinstance(operation, Measure):
            targets.append(Bit(operation.clbit))
            self.touched.add(operation.clbit)
            self.pending.pop(operation.clbit, None)
        elif isinstance(operation, Assign):
            targets.append(operation.target)
        elif isinstance(operation, ForLoop) and operation.variable is not None:
            targets.append(operation.variable)
        for target in targets:
            if isinstance(target, Variable):
                self.variables.pop(target.name, None)
            else:
                for index in (target.index,) if isinstance(target, Bit) else target.indices:
                    self.bits[index] = None
        for body in operation.bodies:
            for inner in body.operations:
                self.forget(inner)

    def finish(self) -> dict[int, int]:
        """Values of bits that only constants were assigned to; other bits are assigned at the end."""
        constant: dict[int, int] = {}
        for key, target in self.pending.items():
            if isinstance(target, Bit):
                value = self.bits[key]
                assert value is not None
                if key in self.touched:
                    self.out.append(Assign(target, Literal(value, "bit")))
                else:
                    constant[key] = value
        return constant

    # -- operations ------------------------------------------------------------------------------
    def block(self, operations: Sequence[Operation]) -> _Jump | None:
        for operation in operations:
            jump = self.operation(operation)
            if jump is not None:
                return jump
        return None

    def operation(self, operation: Operation) -> _Jump | None:
        if self.loops:
            self.count()
        kind = type(operation)
        try:
            if kind is GateOperation:
                self.out.append(self.gate(operation))  # type: ignore[arg-type]
            elif kind is Barrier or kind is Delay:
                self.out.append(operation)
            elif isinstance(operation, Break | Continue) and self.loops:
                return _Jump.BREAK if isinstance(operation, Break) else _Jump.CONTINUE
            elif isinstance(operation, _Structured):
                return self.structured(operation)
            elif self.loops:
                raise _Unknown  # outcomes: at the head of a loop, branches that are equal join
            else:
                self.out.append(operation)
                self.forget(operation)
        except _Unknown:
            if self.loops:
                raise
            self.keep(operation)
        return None

    def count(self) -> None:
        """One more step of the outermost loop."""
        self.steps += 1
        if self.steps > MAX_UNROLLED:
            self.too_long = True
            raise _Unknown

    def gate(self, operation: GateOperation) -> GateOperation:
        if not operation.has_run_time_params:
            return operation
        params = tuple(float(self.value(p)) if isinstance(p, Expression) else p for p in operation.params)
        if not all(-MAX_ANGLE <= p <= MAX_ANGLE for p in params if isinstance(p, float)):
            raise _Unknown  # refused when it is reached
        return GateOperation(
            operation.gate, params, operation.targets, operation.controls, operation.control_values
        )

    def structured(self, operation: Operation) -> _Jump | None:
        if isinstance(operation, Assign):
            if not self.known(operation.value):
                raise _Unknown
            self.store(operation.target, operation.value)
        elif isinstance(operation, IfElse):
            chosen = operation.then_body if self.value(operation.condition) else operation.else_body
            return None if chosen is None else self.block(chosen.operations)
        elif isinstance(operation, Switch):
            for values, body in operation.cases:
                if self.value(any_equal(operation.subject, values)):
                    return self.block(body.operations)
            return None if operation.default is None else self.block(operation.default.operations)
        elif isinstance(operation, ForLoop | WhileLoop):
            self.loop(operation)
        else:
            raise _Unknown
        return None

    def loop(self, operation: ForLoop | WhileLoop) -> None:
        """Carry a loop out turn by turn, or change nothing and raise `_Unknown`."""
        saved = list(self.bits), dict(self.variables), dict(self.pending), len(self.out)
        if not self.loops:
            self.steps = 0
        self.loops += 1
        try:
            if isinstance(operation, ForLoop):
                self.turns(operation)
            else:
                while self.value(operation.condition):
                    self.count()
                    if self.block(operation.body.operations) is _Jump.BREAK:
                        break
        except _Unknown:
            self.bits, self.variables, self.pending, count = saved
            del self.out[count:]
            raise
        finally:
            self.loops -= 1

    def turns(self, operation: ForLoop) -> None:
        values = operation.values
        body = operation.body.operations
        if isinstance(values, Expression):
            number = int(self.value(values))
            width = len(values.indices) if isinstance(values, Bits) else number.bit_length()
            values = tuple(number >> k & 1 for k in range(width))
        elif isinstance(values, tuple):
            values = tuple(self.value(v) for v in values)
        if len(values) > MAX_UNROLLED:
            self.too_long = True
            raise _Unknown
        for value in values:
            self.count()
            if operation.variable is not None:
                self.store(operation.variable, value)
            if self.block(body) is _Jump.BREAK:
                break
