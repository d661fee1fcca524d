"""Flow code: what a circuit becomes that measures in the middle, resets, or branches on results.

What nothing measured decides is carried out first (`unroll`). The other loops and conditions are
flattened into jumps, so that a branch of the execution is a position in the code, a state and the
classical values, and can be copied when a measurement splits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from qsim._checks import counted
from qsim.circuit import Circuit
from qsim.classical import Variable, bits_of
from qsim.errors import CircuitError
from qsim.operations import (
    Assign,
    Barrier,
    Break,
    Continue,
    Delay,
    ForLoop,
    GateOperation,
    IfElse,
    Kraus,
    Measure,
    Operation,
    Reset,
    Switch,
    WhileLoop,
)
from qsim.parameters import ParameterExpression
from qsim.program.lower import Gates, TapeBuilder, lower_matrices
from qsim.program.slots import SlotAllocator
from qsim.program.tape import Tape, qubits_of
from qsim.program.unroll import any_equal, unroll

__all__ = [
    "AssignStep",
    "ChannelStep",
    "FlowCode",
    "GateStep",
    "JumpStep",
    "LoopNextStep",
    "LoopStartStep",
    "MeasureStep",
    "ResetStep",
    "TapeStep",
    "compile_flow",
]


@dataclass(slots=True)
class TapeStep:
    """Apply a tape of gates."""

    tape: int


@dataclass(slots=True)
class GateStep:
    """Apply a gate one of whose parameters is a run-time classical value."""

    operation: GateOperation


@dataclass(slots=True)
class ChannelStep:
    """Apply one Kraus operator, chosen with its probability; `tapes` hold the operators."""

    tapes: tuple[int, ...]


@dataclass(slots=True)
class MeasureStep:
    qubit: int
    clbit: int


@dataclass(slots=True)
class ResetStep:
    qubit: int
    flip: int  # tape of an X on the qubit


@dataclass(slots=True)
class AssignStep:
    target: Any
    value: Any


@dataclass(slots=True)
class JumpStep:
    """Go to `target`, if there is no condition or the condition does not hold."""

    target: int
    unless: Any = None


@dataclass(slots=True)
class LoopStartStep:
    """Evaluate the values of a for loop and begin with the first."""

    loop: int
    values: Any


@dataclass(slots=True)
class LoopNextStep:
    """Take the loop's next value into `variable`, or go to `end` if there is none."""

    loop: int
    variable: Any
    end: int


Step = (
    TapeStep
    | GateStep
    | ChannelStep
    | MeasureStep
    | ResetStep
    | AssignStep
    | JumpStep
    | LoopStartStep
    | LoopNextStep
)


@dataclass
class FlowCode:
    """Steps and the tapes they refer to.

    Attributes
    ----------
    steps : list of step
    tapes : list of Tape
    tail : int
        From here on there are only measurements: they read the state out and need no branching.
    written_bits : frozenset of int
        The classical bits that any operation of the circuit writes, also one that is never reached.
    zeroed : int
        Mask of qubits whose reset at the very beginning was left out, as runs start in ``|0...0>``.
    constant_bits : dict
        Classical bit -> its value, for bits that only constants are assigned to.
    too_long : bool
        Whether a loop of known length was too long to be unrolled.
    non_unitary : (int, str) or None
        Number and name of a gate that is not unitary, if there is one: states are then normalised before
        anything is read off them.
    gates : list
        `Gates` of each tape; None of a Kraus operator.
    """

    steps: list[Step]
    tapes: list[Tape]
    tail: int
    written_bits: frozenset[int]
    zeroed: int = 0
    constant_bits: dict[int, int] = field(default_factory=dict)
    too_long: bool = False
    non_unitary: tuple[int, str] | None = None
    gates: list[Gates | None] = field(default_factory=list)

    @property
    def keeps_norm(self) -> bool:
        """Whether all gates are unitary."""
        return self.non_unitary is None

    @property
    def is_static(self) -> bool:
        """At most one tape, then read-out."""
        return self.tail == 0 or (self.tail == 1 and isinstance(self.steps[0], TapeStep))

    @property
    def readout(self) -> list[MeasureStep]:
        return [step for step in self.steps[self.tail :] if isinstance(step, MeasureStep)]

    def gate_text(self, instruction: int) -> str:
        """The gate an instruction of the first tape comes from: its number from 0, its name, qubits."""
        gates, tape = self.gates[0], self.tapes[0]
        assert gates is not None
        qubits = qubits_of(tape, tape.instructions[instruction])
        noun = "qubit" if len(qubits) == 1 else "qubits"
        return f"{gates.of_instruction(instruction)} on {noun} {', '.join(map(str, qubits))}"

    def obstacle(self) -> str:
        """What keeps the circuit from being unitary gates and a read-out, and where; empty for nothing."""
        before = 0
        for step in self.steps[: 0 if self.is_static else self.tail]:
            if not isinstance(step, TapeStep):
                return f"has {_step_text(step)} before its end, behind {counted(before, 'gate')}"
            gates = self.gates[step.tape]
            before += len(gates.names) if gates is not None else 0
        if self.non_unitary is not None:
            return "has gate {}, `{}`, which is not unitary".format(*self.non_unitary)
        return "" if self.is_static else "branches before its end"


def _step_text(step: Step) -> str:
    """A step as the circuit calls it."""
    if isinstance(step, MeasureStep | ResetStep):
        return f"`{'measure' if isinstance(step, MeasureStep) else 'reset'}` of qubit {step.qubit}"
    if isinstance(step, GateStep):
        return f"`{step.operation.name}` with a value of run time"
    names = {ChannelStep: "`kraus`", AssignStep: "`assign`", JumpStep: "a condition"}
    return names.get(type(step), "a loop")


class _Compiler:
    def __init__(self, circuit: Circuit, slots: SlotAllocator) -> None:
        self.num_qubits = circuit.num_qubits
        self.slots = slots
        self.steps: list[Step] = []
        self.builders: list[TapeBuilder | Tape] = []
        self.current: TapeBuilder | None = None
        self.flips: dict[int, int] = {}
        self.num_loops = 0
        self.loops: list[tuple[list[JumpStep], list[JumpStep]]] = []  # jumps of break, of continue

    def step(self, step: Step) -> Any:
        self.current = None
        self.steps.append(step)
        return step

    def gate(self, operation: GateOperation) -> None:
        for param in operation.params:
            if type(param) is not float and not isinstance(param, ParameterExpression):
                self.step(GateStep(operation))
                return
        if self.current is None:
            builder = TapeBuilder(self.num_qubits, self.slots)
            self.steps.append(TapeStep(len(self.builders)))
            self.builders.append(builder)
            self.current = builder
        self.current.add(operation)

    def flip(self, qubit: int) -> int:
        if qubit not in self.flips:
            builder = TapeBuilder(self.num_qubits, self.slots)
            for operation in Circuit(self.num_qubits).x(qubit).operations:
                builder.add(operation)  # type: ignore[arg-type]
            self.flips[qubit] = len(self.builders)
            self.builders.append(builder)
        return self.flips[qubit]

    def block(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            self.operation(operation)

    def operation(self, operation: Operation) -> None:
        if isinstance(operation, GateOperation):
            self.gate(operation)
        elif isinstance(operation, Barrier | Delay):
            return
        elif isinstance(operation, Measure):
            self.step(MeasureStep(operation.qubit, operation.clbit))
        elif isinstance(operation, Reset):
            self.step(ResetStep(operation.qubit, self.flip(operation.qubit)))
        elif isinstance(operation, Kraus):
            first = len(self.builders)
            self.builders.extend(lower_matrices(operation.matrices, operation.qubits, self.num_qubits))
            self.step(ChannelStep(tuple(range(first, len(self.builders)))))
        elif isinstance(operation, Assign):
            self.step(AssignStep(operation.target, operation.value))
        elif isinstance(operation, IfElse):
            self.branches([(operation.condition, operation.then_body)], operation.else_body)
        elif isinstance(operation, Switch):
            subject = operation.subject
            cases = [(any_equal(subject, values), body) for values, body in operation.cases]
            self.branches(cases, operation.default)
        elif isinstance(operation, WhileLoop):
            start = len(self.steps)
            leave = self.step(JumpStep(-1, operation.condition))
            self.loop_body(operation.body, start, [leave])
        elif isinstance(operation, ForLoop):
            loop = self.num_loops
            self.num_loops += 1
            self.step(LoopStartStep(loop, operation.values))
            start = len(self.steps)
            advance = self.step(LoopNextStep(loop, operation.variable, -1))
            self.loop_body(operation.body, start, [])
            advance.end = len(self.steps)
        elif isinstance(operation, Break | Continue):
            if not self.loops:
                raise CircuitError(f"Operation `{operation.name}` must stand inside a loop, but does not.")
            breaks, continues = self.loops[-1]
            (breaks if isinstance(operation, Break) else continues).append(self.step(JumpStep(-1)))
        else:
            raise CircuitError(
                f"Operation `{operation.name}` of type {type(operation).__name__} cannot be run."
            )

    def loop_body(self, body: Circuit, start: int, leave: list[JumpStep]) -> None:
        self.loops.append(([], []))
        self.block(body.operations)
        self.step(JumpStep(start))
        breaks, continues = self.loops.pop()
        for jump in continues:
            jump.target = start
        for jump in (*breaks, *leave):
            jump.target = len(self.steps)

    def branches(self, cases: Sequence[tuple[Any, Circuit]], default: Circuit | None) -> None:
        ends = []
        for position, (condition, body) in enumerate(cases):
            skip = self.step(JumpStep(-1, condition))
            self.block(body.operations)
            if position < len(cases) - 1 or default is not None:
                ends.append(self.step(JumpStep(-1)))
            self.current = None
            skip.target = len(self.steps)
        if default is not None:
            self.block(default.operations)
        self.current = None
        for jump in ends:
            jump.target = len(self.steps)


def _deferred(operations: Sequence[Operation]) -> Sequence[Operation]:
    """Terminal measurements moved to the end, if nothing after them touches what they touch.

    A measurement followed by gates on other qubits only is still read-out; moving it behind them
    lets most circuits run as one tape.
    """
    tail: list[Operation] = []
    rest: list[Operation] = []
    used: set[int] = set()
    used_bits: set[int] = set()
    kinds = {type(op) for op in operations}
    if Measure not in kinds or not kinds <= {GateOperation, Barrier, Delay, Measure}:
        return operations
    for op in reversed(operations):
        if isinstance(op, Measure):
            if op.qubit in used:
                rest.append(op)
                used.add(op.qubit)
                used_bits.add(op.clbit)
            elif op.clbit in used_bits:
                # a later measurement, which stays where it is, overwrites or has read this bit
                rest.append(op)
                used.add(op.qubit)
            else:
                tail.append(op)
        else:
            rest.append(op)
            if isinstance(op, GateOperation):
                used.update(op.qubits)
                if not op.gate.keeps_norm:
                    return operations  # a measurement before it would see another norm
                if any(not isinstance(p, float | ParameterExpression) for p in op.params):
                    return operations
    return rest[::-1] + tail[::-1]


def _without_first_resets(operations: Sequence[Operation]) -> tuple[Sequence[Operation], int]:
    """The operations without resets of qubits that nothing has touched, and the mask of those qubits."""
    if not any(type(operation) is Reset for operation in operations):
        return operations, 0
    kept: list[Operation] = []
    touched: set[int] = set()
    zeroed = 0
    for operation in operations:
        if isinstance(operation, Reset) and operation.qubit not in touched:
            zeroed |= 1 << operation.qubit
            continue
        kept.append(operation)
        if not isinstance(operation, Barrier | Delay):
            touched.update(operation.qubits)
    return kept, zeroed


def _written_bits(operations: Sequence[Operation]) -> frozenset[int]:
    found: set[int] = set()
    for operation in operations:
        if type(operation) is GateOperation:
            continue
        if isinstance(operation, Measure):
            found.add(operation.clbit)
        elif isinstance(operation, Assign) and not isinstance(operation.target, Variable):
            found.update(bits_of(operation.target))
        for body in operation.bodies:
            found |= _written_bits(body.operations)
    return frozenset(found)


def compile_flow(circuit: Circuit, slots: SlotAllocator) -> FlowCode:
    """Flatten a circuit into steps and lower its gates.

    Parameters
    ----------
    circuit : Circuit
    slots : SlotAllocator
        Collects the expressions the tapes refer to.
    """
    compiler = _Compiler(circuit, slots)
    unrolled = unroll(circuit)
    operations, zeroed = _without_first_resets(unrolled.operations)
    compiler.block(_deferred(operations))
    tail = len(compiler.steps)
    while tail and isinstance(compiler.steps[tail - 1], MeasureStep):
        tail -= 1
    targets = [s.target for s in compiler.steps if isinstance(s, JumpStep)]
    targets += [s.end for s in compiler.steps if isinstance(s, LoopNextStep)]
    tail = max([tail, *targets])  # a jump into the read-out would skip a part of it
    num_slots = slots.slot_map().num_slots
    tapes = [b if isinstance(b, Tape) else b.finish(num_slots) for b in compiler.builders]
    builders = [b if isinstance(b, TapeBuilder) else None for b in compiler.builders]
    found = (b.non_unitary for b in builders if b is not None and b.non_unitary is not None)
    return FlowCode(
        compiler.steps,
        tapes,
        tail,
        _written_bits(circuit.operations),
        zeroed,
        unrolled.constant_bits,
        unrolled.too_long,
        next(found, None),
        [None if b is None else b.gates() for b in builders],
    )
