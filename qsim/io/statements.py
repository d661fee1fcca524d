"""Statements of OpenQASM 3 as the parser hands them to the interpreter."""

from __future__ import annotations

from dataclasses import dataclass, field

from qsim.io.syntax import Node

__all__ = [
    "Alias",
    "Assignment",
    "BarrierStatement",
    "Block",
    "ClassicalDeclaration",
    "DelayStatement",
    "Evaluation",
    "For",
    "GateCall",
    "GateDefinition",
    "If",
    "InputOutput",
    "Jump",
    "Measurement",
    "QubitDeclaration",
    "ResetStatement",
    "Return",
    "Statement",
    "Subroutine",
    "SwitchStatement",
    "TypeNode",
    "While",
]


@dataclass(slots=True)
class Statement:
    """Base; `location` is the number of the first token."""

    location: int


@dataclass(slots=True)
class TypeNode:
    """A classical type, or ``qubit``, with its size still an expression."""

    kind: str
    size: Node | None


@dataclass(slots=True)
class GateCall(Statement):
    name: str
    params: list[Node]
    operands: list[Node]
    #: (inv | pow | ctrl | negctrl, argument), outermost first
    modifiers: list[tuple[str, Node | None]] = field(default_factory=list)


@dataclass(slots=True)
class QubitDeclaration(Statement):
    name: str
    size: Node | None


@dataclass(slots=True)
class ClassicalDeclaration(Statement):
    type: TypeNode
    name: str
    value: Node | None
    const: bool = False


@dataclass(slots=True)
class InputOutput(Statement):
    is_input: bool
    type: TypeNode
    name: str


@dataclass(slots=True)
class Alias(Statement):
    name: str
    parts: list[Node]


@dataclass(slots=True)
class Assignment(Statement):
    """``target = value`` or, with `op`, ``target op= value``."""

    target: Node
    op: str
    value: Node


@dataclass(slots=True)
class Measurement(Statement):
    operand: Node
    target: Node | None


@dataclass(slots=True)
class ResetStatement(Statement):
    operand: Node


@dataclass(slots=True)
class BarrierStatement(Statement):
    operands: list[Node]


@dataclass(slots=True)
class DelayStatement(Statement):
    duration: Node
    operands: list[Node]


@dataclass(slots=True)
class Block(Statement):
    body: list[Statement]


@dataclass(slots=True)
class If(Statement):
    condition: Node
    then_body: list[Statement]
    else_body: list[Statement] | None


@dataclass(slots=True)
class For(Statement):
    type: TypeNode
    name: str
    values: Node
    body: list[Statement]


@dataclass(slots=True)
class While(Statement):
    condition: Node
    body: list[Statement]


@dataclass(slots=True)
class SwitchStatement(Statement):
    subject: Node
    cases: list[tuple[list[Node], list[Statement]]]
    default: list[Statement] | None


@dataclass(slots=True)
class Jump(Statement):
    """break, continue or end."""

    kind: str


@dataclass(slots=True)
class Return(Statement):
    value: Node | None


@dataclass(slots=True)
class Evaluation(Statement):
    """An expression for its effects: the call of a subroutine."""

    value: Node


@dataclass(slots=True)
class GateDefinition(Statement):
    name: str
    params: list[str]
    qubits: list[str]
    body: list[Statement]


@dataclass(slots=True)
class Subroutine(Statement):
    name: str
    arguments: list[tuple[TypeNode, str]]
    returns: TypeNode | None
    body: list[Statement]
