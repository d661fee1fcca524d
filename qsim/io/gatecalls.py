"""Gates of an OpenQASM 3 program: definitions, modifiers, broadcasting.

A call becomes a short list of operations on positions 0, 1, ... of its qubits (made once for each set
of parameters), is changed by its modifiers, and is then put onto the qubits of each application.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

from qsim._checks import counted
from qsim.circuit import Circuit
from qsim.classical import Cast, Expression, Literal, type_of
from qsim.errors import ArgumentError, CircuitError, ParameterError
from qsim.gates import GATES, Gate
from qsim.io import statements as st
from qsim.io.builder import MAX_OPERATIONS, broadcast
from qsim.io.scopes import DefinedGate, Frame, LibraryGate, Qubits, Var
from qsim.io.syntax import Node
from qsim.io.values import Values
from qsim.operations import GateOperation
from qsim.parameters import ParameterExpression

__all__ = ["BUILTIN_U", "LIBRARY_PHASES", "GateCalls"]

MAX_GATE_DEPTH = 40
MAX_CONTROLS = 64
_CACHE_LIMIT = 4096

#: OpenQASM 3 has U = exp(i theta/2) * u, and u2, u3 of determinant 1; qsim and Qiskit have u without it
BUILTIN_U = LibraryGate(GATES["u"], lambda theta, phi, lam: theta / 2.0)
LIBRARY_PHASES = {
    "u2": LibraryGate(GATES["u2"], lambda phi, lam: -(phi + lam) / 2.0),
    "u3": LibraryGate(GATES["u"], lambda theta, phi, lam: -(phi + lam) / 2.0),
}
#: gates whose controlled forms have a name of their own
_NAMED_CONTROLS = {
    "x": ("cx", "ccx", "c3x", "c4x"),
    "cx": ("ccx", "c3x", "c4x"),
    "ccx": ("c3x", "c4x"),
    "c3x": ("c4x",),
    "z": ("cz", "ccz"),
    "cz": ("ccz",),
    **{name: (f"c{name}",) for name in ("y", "h", "s", "sdg", "sx", "sxdg", "p", "rx", "ry", "rz", "swap")},
}


class GateCalls(Values):
    """Execution of gate calls; what runs the statements of a gate's body is the interpreter."""

    #: phase of all numeric U gates outside of control flow, made one operation at the end
    phase = 0.0

    @abstractmethod
    def run_gate_body(self, body: list[st.Statement]) -> None:
        """Carry out the statements of a gate's body."""

    def gate_call(self, statement: st.GateCall) -> None:
        """Append the operations of a gate call, with its modifiers, to the current block."""
        location, name = statement.location, statement.name
        if name == "gphase":
            symbol: Any = LibraryGate(GATES["gphase"])
        else:
            symbol = self.gate(name, location)
        if isinstance(symbol, st.Subroutine):
            if statement.modifiers:
                raise self.error(location, f"`{name}` is a subroutine, which takes no modifiers.", name)
            self.call_subroutine(symbol, [*statement.params, *statement.operands], location)
            return
        if not isinstance(symbol, LibraryGate | DefinedGate):
            raise self.error(location, f"`{name}` is not a gate.", name)
        params = self._gate_params(statement.params)
        operands = [self.select_qubits(node) for node in statement.operands]
        self.apply(symbol, name, params, operands, statement.modifiers, location)

    def apply(
        self,
        symbol: LibraryGate | DefinedGate,
        name: str,
        params: tuple[Any, ...],
        operands: list[Qubits],
        modifiers: list[tuple[str, Node | None]],
        location: int,
    ) -> None:
        """Append a gate on operands that may be registers."""
        if isinstance(symbol, LibraryGate):
            num_params, num_qubits = symbol.gate.num_params, symbol.gate.num_qubits
            num_qubits = 0 if name == "gphase" else num_qubits
        else:
            num_params, num_qubits = len(symbol.statement.params), len(symbol.statement.qubits)
        if len(params) != num_params:
            raise self.error(
                location,
                f"Gate `{name}` takes {counted(num_params, 'parameter')}, but got {len(params)}.",
                name,
            )
        plain = not modifiers and isinstance(symbol, LibraryGate)
        template = [] if plain else self._template(symbol, params, num_qubits, location)
        for kind, argument in reversed(modifiers):
            template, num_qubits = self._modify(template, num_qubits, kind, argument, location)
        if len(operands) != num_qubits:
            raise self.error(
                location,
                f"Gate `{name}` takes {counted(num_qubits, 'qubit')} here, but got {len(operands)}.",
                name,
            )
        qubits = tuple([o.indices[0] for o in operands if o.single])
        if len(qubits) == num_qubits == len(set(qubits)):
            applications = [qubits]
        else:
            try:
                applications = broadcast([(o.indices, o.single) for o in operands])
            except ArgumentError as error:
                raise self.error(location, str(error), name) from None
        out = self.builder.operations
        if len(out) + len(applications) * max(len(template), 1) > MAX_OPERATIONS:
            raise self.error(location, f"The program expands to more than {MAX_OPERATIONS} operations.", name)
        if plain:
            assert isinstance(symbol, LibraryGate)
            gate = symbol.gate
            out.extend([GateOperation(gate, params, qubits) for qubits in applications])
            if symbol.phase is not None:
                self._add_phase(symbol.phase(*params), len(applications))
            return
        if self.level == 0 and self.frame.kind != "gate":
            kept = [op for op in template if not _is_plain_phase(op)]
            self.phase += sum(op.params[0] for op in template if _is_plain_phase(op)) * len(applications)
            template = kept
        for qubits in applications:
            out.extend([_placed(op, qubits) for op in template])

    def _add_phase(self, phase: Any, times: int) -> None:
        if isinstance(phase, float) and self.level == 0 and self.frame.kind != "gate":
            self.phase += phase * times
        elif phase != 0.0:
            self.builder.operations.extend([GateOperation(GATES["gphase"], (phase,), ())] * times)

    # -- parameters --------------------------------------------------------------------------------
    def _gate_params(self, nodes: list[Node]) -> tuple[Any, ...]:
        if not nodes:
            return ()
        saved, self.division = self.division, "refuse"
        params = tuple([self.angle(self.evaluate(node), node.location) for node in nodes])
        self.division = saved
        return params

    def angle(self, value: Any, location: int) -> Any:
        """A gate parameter: a float, a ParameterExpression, or a run-time expression."""
        if isinstance(value, Literal):
            if value.kind in ("bool", "bit"):
                raise self.error(
                    location, f"A gate parameter must be a number, but is a {value.kind}.", "parameter"
                )
            return float(value.value)
        if isinstance(value, Expression):
            kind = type_of(value)
            if kind.kind in ("bool", "bit"):
                raise self.error(
                    location, "A gate parameter must be a number; cast it to float or angle.", "parameter"
                )
            if kind.is_integer:  # inside of gates a parameter is a real number: theta/2 must not truncate
                return Cast("float", None, value)
        return value

    # -- templates ---------------------------------------------------------------------------------
    def _template(
        self, symbol: LibraryGate | DefinedGate, params: tuple[Any, ...], num_qubits: int, location: int
    ) -> list[GateOperation]:
        """Operations on qubits 0, 1, ... that one call without modifiers becomes."""
        if isinstance(symbol, LibraryGate):
            out = [GateOperation(symbol.gate, params, tuple(range(num_qubits)))]
            phase = symbol.phase(*params) if symbol.phase is not None else 0.0
            if not (isinstance(phase, float) and phase == 0.0):
                out.append(GateOperation(GATES["gphase"], (phase,), ()))
            return out
        cached = symbol.cache.get(params)
        if cached is None:
            cached = self._expand(symbol, params, location)
            if len(symbol.cache) >= _CACHE_LIMIT:
                symbol.cache.clear()
            symbol.cache[params] = cached
        return cached

    def _expand(self, symbol: DefinedGate, params: tuple[Any, ...], location: int) -> list[GateOperation]:
        statement = symbol.statement
        if self.depth >= MAX_GATE_DEPTH:
            raise self.error(
                location, f"Gates are nested more than {MAX_GATE_DEPTH} levels deep.", statement.name
            )
        scope: dict[str, Any] = {}
        for name, value in zip(statement.params, params, strict=True):
            stored = Literal(value) if isinstance(value, float) else value
            scope[name] = Var(name, type_of(Literal(0.0)), stored, 0, statement.location, const=True)
        for position, name in enumerate(statement.qubits):
            scope[name] = Qubits((position,), True)
        saved = (self.scopes, self.frame, self.level, self.builder.operations, self.division)
        self.scopes, self.frame, self.level = [self.scopes[0], scope], Frame("gate", 0), 0
        self.builder.operations, self.division = [], "integer"
        self.depth += 1
        try:
            self.run_gate_body(statement.body)
            operations = self.builder.operations
        finally:
            self.scopes, self.frame, self.level, self.builder.operations, self.division = saved
            self.depth -= 1
        template = [op for op in operations if isinstance(op, GateOperation)]
        if len(template) != len(operations):
            raise self.error(
                location,
                f"Gate `{statement.name}` branches on run-time values, which a gate cannot.",
                statement.name,
            )
        return template

    # -- modifiers ---------------------------------------------------------------------------------
    def _modify(
        self, template: list[GateOperation], num_qubits: int, kind: str, argument: Node | None, location: int
    ) -> tuple[list[GateOperation], int]:
        try:
            if kind == "inv":
                return [op.inverse() for op in reversed(template)], num_qubits
            if kind == "pow":
                assert argument is not None
                return self._power(template, num_qubits, argument), num_qubits
        except (ArgumentError, CircuitError, ParameterError, TypeError) as error:
            raise self.error(location, str(error), kind) from None
        count = 1 if argument is None else self.constant_integer(argument, f"The argument of `{kind}`")
        if not 1 <= count <= MAX_CONTROLS:
            raise self.error(location, f"`{kind}` needs 1 to {MAX_CONTROLS} controls, but has {count}.", kind)
        values = (1 if kind == "ctrl" else 0,) * count
        controls = tuple(range(count))
        places = tuple(range(count, count + num_qubits))
        return [_controlled(_placed(op, places), controls, values) for op in template], num_qubits + count

    def _power(self, template: list[GateOperation], num_qubits: int, argument: Node) -> list[GateOperation]:
        saved, self.division = self.division, "real"  # stdgates.inc itself writes pow(1/2)
        exponent = self.evaluate(argument)
        self.division = saved
        if not isinstance(exponent, Literal):
            return [self._symbolic_power(template, exponent, argument.location)]
        if exponent.kind in ("bool", "bit", "angle"):
            raise self.error(
                argument.location, f"An exponent must be a number, but is {exponent.kind}.", "pow"
            )
        k = float(exponent.value)
        if len(template) == 1 and getattr(template[0].gate, "is_one_parameter_group", False):
            return [template[0].power(k)]
        if k == int(k):
            repeated = template if k >= 0 else [op.inverse() for op in reversed(template)]
            if abs(k) * len(template) > 64:
                if len(template) == 1:
                    return [template[0].power(k)]
                if abs(k) * len(template) > MAX_OPERATIONS:
                    raise self.error(argument.location, "A power repeats its gate too often.", "pow")
            return repeated * abs(int(k))
        if len(template) == 1:
            return [template[0].power(k)]
        circuit = Circuit(num_qubits)
        for op in template:
            circuit.append_operation(op)
        return [op for op in circuit.power(k).operations if isinstance(op, GateOperation)]

    def _symbolic_power(self, template: list[GateOperation], exponent: Any, location: int) -> GateOperation:
        op = template[0] if len(template) == 1 else None
        if op is None or not getattr(op.gate, "is_one_parameter_group", False):
            raise self.not_constant(location, "The exponent of a gate that is not a rotation or phase")
        angle = op.params[0]
        if isinstance(exponent, ParameterExpression) or not isinstance(angle, ParameterExpression):
            if isinstance(exponent, ParameterExpression) and isinstance(angle, Expression):
                raise self.error(location, "An input cannot be combined with a run-time value.", "pow")
            scaled: Any = exponent * angle if isinstance(angle, float) else angle * exponent
        else:
            raise self.error(location, "An input cannot be combined with a run-time value.", "pow")
        return GateOperation(op.gate, (scaled,), op.targets, op.controls, op.control_values)

    def finish_phase(self) -> None:
        """Append the phase of the U gates so far as one operation."""
        phase = math.remainder(self.phase, math.tau)
        if phase:
            self.builder.operations.append(GateOperation(GATES["gphase"], (phase,), ()))


def _is_plain_phase(op: GateOperation) -> bool:
    return op.gate is GATES["gphase"] and not op.controls and isinstance(op.params[0], float)


def _placed(op: GateOperation, qubits: tuple[int, ...]) -> GateOperation:
    """An operation on positions moved to actual qubits."""
    return GateOperation(
        op.gate,
        op.params,
        tuple([qubits[i] for i in op.targets]),
        tuple([qubits[i] for i in op.controls]),
        op.control_values,
    )


def _controlled(op: GateOperation, controls: tuple[int, ...], values: tuple[int, ...]) -> GateOperation:
    """An operation behind further controls, under its own name where it has one."""
    op = op.with_control(controls, values)
    gate: Gate = op.gate
    if gate.name == "gphase" and 1 in op.control_values:
        # a phase on one value of a control is a phase gate
        place = op.control_values.index(1)
        rest = op.controls[:place] + op.controls[place + 1 :]
        rest_values = op.control_values[:place] + op.control_values[place + 1 :]
        op = GateOperation(GATES["p"], op.params, (op.controls[place],), rest, rest_values)
        gate = op.gate
    names = _NAMED_CONTROLS.get(gate.name, ())
    count = len(op.controls)
    if 0 < count <= len(names) and all(op.control_values):
        return GateOperation(GATES[names[count - 1]], op.params, op.controls + op.targets)
    return op
