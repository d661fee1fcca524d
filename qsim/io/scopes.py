"""Names and scopes of an OpenQASM 3 program while it is read, and what a name stands for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qsim import _classical_types as rules
from qsim.classical import Bit, Bits, ClassicalType, Expression, Literal, Variable
from qsim.errors import ArgumentError, QasmError
from qsim.gates import Gate
from qsim.io import statements as st
from qsim.io.builder import Builder
from qsim.io.lexer import SourceMap
from qsim.io.library import QELIB1, STDGATES, gate_hint
from qsim.operations import Assign
from qsim.parameters import ParameterExpression

__all__ = ["CONSTANTS", "Clbits", "DefinedGate", "Frame", "LibraryGate", "Qubits", "Scopes", "Var"]

CONSTANTS = {
    "pi": Literal(math.pi),
    "π": Literal(math.pi),
    "tau": Literal(math.tau),
    "τ": Literal(math.tau),
    "euler": Literal(math.e),
    "ℇ": Literal(math.e),
}


@dataclass(slots=True)
class Qubits:
    """Qubits under a name; `single` for a qubit that is not a register."""

    indices: tuple[int, ...]
    single: bool


@dataclass(slots=True)
class Clbits:
    """Classical bits under a name."""

    indices: tuple[int, ...]
    single: bool

    @property
    def type(self) -> ClassicalType:
        return rules.BIT if self.single else ClassicalType("bit", len(self.indices))

    @property
    def expression(self) -> Expression:
        return Bit(self.indices[0]) if self.single else Bits(self.indices)


@dataclass(slots=True)
class Var:
    """A classical variable or constant.

    `value` is a Literal as long as it is known while reading, the `Variable` itself once it is only known
    at run time, a ParameterExpression for what depends on an input, None before the first assignment.
    """

    name: str
    type: ClassicalType
    value: Any
    #: how many run-time bodies surround the declaration
    level: int
    location: int
    const: bool = False


@dataclass(slots=True)
class LibraryGate:
    """A gate of an include file; `phase` is what OpenQASM 3 multiplies it with, from its parameters."""

    gate: Gate
    phase: Callable[..., Any] | None = None


@dataclass(slots=True)
class DefinedGate:
    """A gate the program defines; `cache` holds its expansions by parameters."""

    statement: st.GateDefinition
    cache: dict[tuple[Any, ...], list[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Frame:
    """What surrounds a statement: the program, a gate's body (``gate``) or a subroutine's (``def``)."""

    kind: str
    level: int
    returns: ClassicalType | None = None
    result: Variable | None = None
    location: int = 0


class Scopes:
    """What names stand for, and the bits and variables behind them."""

    def __init__(self, sources: SourceMap) -> None:
        self.sources = sources
        self.builder = Builder()
        #: scopes from global to innermost; a subroutine or gate sees the first one and its own
        self.scopes: list[dict[str, Any]] = [{}]
        self.level = 0
        self.depth = 0
        self.frame = Frame("program", 0)
        #: by name, location and depth of calls; what a statement keeps for itself has its location, negative
        self._storage: dict[tuple[str, int, int], Variable] = {}
        self._clbits: dict[tuple[int, int, int], tuple[int, ...]] = {}

    def error(self, location: int, message: str, construct: str = "") -> QasmError:
        return self.sources.error(location, message, construct)

    def declare(self, name: str, symbol: Any, location: int) -> None:
        """A new name in the innermost scope."""
        scope = self.scopes[-1]
        if name in scope and not isinstance(scope[name], LibraryGate):
            raise self.error(location, f"Name `{name}` is defined already.", name)
        if name in CONSTANTS or name in rules.FUNCTIONS or name == "U":
            raise self.error(location, f"Name `{name}` is built in and cannot be defined anew.", name)
        scope[name] = symbol

    def find(self, name: str) -> Any:
        """What a name stands for, or None."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def gate(self, name: str, location: int) -> Any:
        """What a name stands for that is used as a gate."""
        if self.find(name) is None and name not in STDGATES and name not in QELIB1:
            gates = (
                known
                for scope in self.scopes
                for known, symbol in scope.items()
                if isinstance(symbol, LibraryGate | DefinedGate)
            )
            raise self.error(location, f"Name `{name}` is not defined{gate_hint(name, gates)}.", name)
        return self.lookup(name, location)

    def lookup(self, name: str, location: int) -> Any:
        """What a name stands for here."""
        symbol = self.find(name)
        if symbol is None:
            library = "stdgates" if name in STDGATES else "qelib1" if name in QELIB1 else ""
            hint = f'; add `include "{library}.inc";`' if library else ""
            raise self.error(location, f"Name `{name}` is not defined{hint}.", name)
        if self.frame.kind == "program" or any(name in scope for scope in self.scopes[1:]):
            return symbol
        in_gate = self.frame.kind == "gate"
        hidden = isinstance(symbol, Clbits) or (isinstance(symbol, Var) and not symbol.const)
        if hidden or (in_gate and isinstance(symbol, Qubits)):
            where = "a gate" if in_gate else "a subroutine"
            raise self.error(
                location, f"Global `{name}` cannot be used in {where}; pass it as an argument.", name
            )
        return symbol

    def storage(self, var: Var) -> Variable:
        """The run-time variable behind a name; the same each time a declaration is reached."""
        key = (var.name, var.location, self.depth)
        variable = self._storage.get(key)
        if variable is None:
            taken = {v.name for v in self._storage.values()}
            name, count = var.name, 0
            while (
                name in taken
                or name in self.builder.classical_registers
                or name in self.builder.quantum_registers
            ):
                count += 1
                name = f"{var.name}_{count}"
            variable = self._storage[key] = Variable(name, var.type.kind, var.type.size)
        return variable

    def to_run_time(self, var: Var) -> None:
        """From now on the variable's value is only known when the circuit runs."""
        if isinstance(var.value, Variable):
            return
        variable = self.storage(var)
        if isinstance(var.value, ParameterExpression):
            raise self.error(
                var.location,
                f"Variable `{var.name}` depends on an input and cannot change at run time.",
                var.name,
            )
        fresh = variable not in self.builder.variables
        self.builder.variables.setdefault(variable, 0)
        if var.value is not None:
            if fresh and self.level == 0:
                self.builder.variables[variable] = var.value.value
            else:
                self.builder.operations.append(Assign(variable, var.value))
        var.value = variable

    def new_clbits(
        self, name: str, size: int, location: int, scratch: bool = False
    ) -> tuple[tuple[int, ...], bool]:
        """Bits of a declaration and whether they are new; one declaration has the same bits each time.

        Bits without a name, and those of a subroutine or an inner block, are scratch: no outcomes.
        """
        key = (location, self.depth, size)
        indices = self._clbits.get(key)
        if indices is not None:
            return indices, False
        register, count = name, 0
        while register in self.builder.classical_registers or register in self.builder.quantum_registers:
            count += 1
            register = f"{name}_{count}"
        try:
            local = scratch or self.frame.kind == "def" or len(self.scopes) > 1
            indices = self._clbits[key] = self.builder.add_clbits(register, size, local)
        except ArgumentError as error:
            raise self.error(location, str(error), "bit") from None
        return indices, True
