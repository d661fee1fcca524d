"""Reader of OpenQASM 2.

Hand-written: a table of operators and one method per statement, no dependency, around a second for
100,000 gates. Statements become operations as they are read; no syntax tree of the program is kept.
Calls of gates that the file defines are expanded into gates of qsim's table.

OpenQASM 2 defines gates up to a global phase, and so does this reader.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qsim._checks import counted
from qsim.circuit import Circuit
from qsim.classical import Binary, Bits, Literal
from qsim.errors import ArgumentError, QasmError
from qsim.gates import GATES, Gate
from qsim.io.builder import MAX_OPERATIONS, Builder, broadcast
from qsim.io.lexer import Source, SourceMap, describe
from qsim.io.library import INCLUDES, QELIB1, gate_hint
from qsim.io.syntax import OPERATORS_2, Node, Parser
from qsim.operations import Barrier, GateOperation, IfElse, Measure, Operation, Reset

__all__ = ["Parser2", "loads2"]

MAX_GATE_DEPTH = 100
MAX_INCLUDE_DEPTH = 20

_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
}
_KEYWORDS = frozenset(
    ("OPENQASM", "include", "qreg", "creg", "gate", "opaque", "if", "measure", "reset", "barrier")
)

Template = tuple[Any, tuple[Node, ...], tuple[int, ...]]


@dataclass(slots=True)
class _Definition:
    """A gate the file defines; `body` is a list of (gate or definition, parameters, qubit positions)."""

    name: str
    params: tuple[str, ...]
    num_qubits: int
    body: list[Template] = field(default_factory=list)
    #: gates of the table that one call becomes
    size: int = 0
    depth: int = 1
    #: expansion of a gate without parameters, made once
    constant: list[tuple[Gate, tuple[float, ...], tuple[int, ...]]] | None = None

    @property
    def num_params(self) -> int:
        return len(self.params)


@dataclass(slots=True)
class _Opaque:
    """A gate declared without a body, with no gate of that name in the table."""

    name: str
    num_params: int
    num_qubits: int


class Parser2(Parser):
    """One text (a file or an include) of an OpenQASM 2 program."""

    operators = OPERATORS_2
    keywords = _KEYWORDS
    version = 2

    def __init__(self, source: Source, sources: SourceMap, parent: Parser2 | None = None) -> None:
        super().__init__(source, sources)
        self.include_depth: int = parent.include_depth + 1 if parent else 0
        self.builder: Builder = parent.builder if parent else Builder()
        self.gates: dict[str, Any] = parent.gates if parent else {"U": GATES["u"], "CX": GATES["cx"]}
        #: names of gates that come from an include file and may be defined anew
        self.library: set[str] = parent.library if parent else set()
        self.qregs: dict[str, tuple[int, ...]] = self.builder.quantum_registers
        self.cregs: dict[str, tuple[int, ...]] = self.builder.classical_registers
        self.params: dict[tuple[str, ...], tuple[float, ...]] = parent.params if parent else {}

    # -- program ---------------------------------------------------------------------------------
    def program(self) -> None:
        """Read all statements into the builder."""
        if self.token == "OPENQASM":
            self._version()
        elif self.include_depth == 0:
            raise self.error("An OpenQASM 2 file must start with `OPENQASM 2.0;`.", "OPENQASM")
        tokens, gates = self.tokens, self.gates
        while True:
            token = tokens[self.index]
            if token in gates:
                self._gate_call(self.builder.operations)
            elif token == "":
                return
            else:
                self._statement()

    def _version(self) -> None:
        self.index += 1
        if self.token not in ("2.0", "2"):
            raise self.error(f"Expected version 2.0, but found {describe(self.token)}.", "OPENQASM")
        self.index += 1
        self.expect(";", " after the version")

    def _statement(self) -> None:
        token = self.token
        if token in ("qreg", "creg"):
            self._register(token)
        elif token in ("gate", "opaque"):
            self._definition(token == "opaque")
        elif token == "include":
            self._include()
        elif token == "if":
            self._conditional()
        elif token == "measure":
            self._measure(self.builder.operations)
        elif token == "reset":
            self._reset(self.builder.operations)
        elif token == "barrier":
            self._barrier()
        elif token == ";":
            self.index += 1
        elif token == "OPENQASM":
            raise self.error("The version must be the first statement.", "OPENQASM")
        else:
            self.identifier("a statement")
            self.index -= 1
            raise self._unknown_gate(token)

    def _unknown_gate(self, name: str) -> QasmError:
        if name in self.qregs or name in self.cregs:
            return self.error(f"`{name}` is a register, but a statement must start with a gate.", name)
        if name in QELIB1:
            return self.error(f'Gate `{name}` is not defined; add `include "qelib1.inc";` before it.', name)
        hint = gate_hint(name, self.gates)
        if not hint and name in GATES:
            hint = f"; qsim knows a gate of this name: declare it with `opaque {name} ...;`"
        return self.error(f"Gate `{name}` is not defined{hint}.", name)

    def _include(self) -> None:
        self.index += 1
        at = self.index
        name = self.string("a file name")
        self.expect(";", " after the file name")
        if name in INCLUDES:
            for qasm_name, gate in INCLUDES[name].items():
                self.gates.setdefault(qasm_name, GATES[gate])
                self.library.add(qasm_name)
            return
        source = open_include(self, name, at)
        Parser2(source, self.sources, self).program()

    def _register(self, kind: str) -> None:
        self.index += 1
        at = self.index
        name = self.identifier("the name of a register")
        if name in self.qregs or name in self.cregs or (name in self.gates and name not in self.library):
            raise self.error(f"Name `{name}` is defined already.", name, at)
        self.expect("[", " and the size of the register")
        size = self._integer("the size of the register")
        self.expect("]", " after the size")
        self.expect(";", " after the register")
        try:
            (self.builder.add_qubits if kind == "qreg" else self.builder.add_clbits)(name, size)
        except ArgumentError as error:
            raise self.error(str(error), kind, at) from None

    def _integer(self, what: str) -> int:
        token = self.token
        if not token.isdecimal():
            raise self.error(f"Expected {what}, but found {describe(token)}.", token or "end of file")
        if len(token) > 300:
            raise self.error("An integer has more than 300 digits.", "integer")
        self.index += 1
        return int(token)

    # -- operands --------------------------------------------------------------------------------
    def _argument(self, registers: dict[str, tuple[int, ...]], what: str) -> tuple[tuple[int, ...], bool]:
        """A register or one of its elements, as (indices, whether it is one element)."""
        name = self.token
        indices = registers.get(name)
        if indices is None:
            self.identifier(f"a {what} register")
            self.index -= 1
            other = "quantum" if name in self.qregs else "classical" if name in self.cregs else ""
            fact = f"is a {other} register" if other else "is not defined"
            raise self.error(f"Expected a {what} register, but `{name}` {fact}.", name)
        self.index += 1
        if not self.accept("["):
            return indices, False
        at = self.index
        position = self._integer("an index")
        if position >= len(indices):
            valid = f"valid: 0 to {len(indices) - 1}" if indices else "it is empty"
            raise self.error(f"Index {position} is out of range for register `{name}` ({valid}).", name, at)
        self.expect("]", " after the index")
        return (indices[position],), True

    def _arguments(self, registers: dict[str, tuple[int, ...]]) -> list[tuple[tuple[int, ...], bool]]:
        out = [self._argument(registers, "quantum")]
        while self.accept(","):
            out.append(self._argument(registers, "quantum"))
        return out

    # -- operations ------------------------------------------------------------------------------
    def _gate_call(self, out: list[Operation]) -> None:
        tokens, at = self.tokens, self.index
        gate = self.gates[tokens[at]]
        self.index = at + 1
        params: tuple[float, ...] = ()
        if tokens[self.index] == "(":
            params = self._call_params(at)
        operands = self._arguments(self.qregs)
        if tokens[self.index] != ";":
            self.expect(";", " after a gate")
        self.index += 1
        if len(params) != gate.num_params:
            raise self._wrong_count(gate, "parameter", gate.num_params, len(params), at)
        if len(operands) != gate.num_qubits:
            raise self._wrong_count(gate, "qubit", gate.num_qubits, len(operands), at)
        applications: list[tuple[int, ...]]
        if len(operands) == 1:
            applications = [(q,) for q in operands[0][0]]
        else:
            try:
                applications = broadcast(operands)
            except ArgumentError as error:
                raise self.error(str(error), gate.name, at) from None
        if isinstance(gate, Gate):
            out.extend([GateOperation(gate, params, qubits) for qubits in applications])
        else:
            self._expand(gate, params, applications, out, at)

    def _wrong_count(self, gate: Any, what: str, expected: int, found: int, at: int) -> QasmError:
        return self.error(
            f"Gate `{gate.name}` takes {counted(expected, what)}, but got {found}.", gate.name, at
        )

    def _call_params(self, at: int) -> tuple[float, ...]:
        """Values between parentheses; those seen before are not parsed again."""
        start = self.index
        try:
            key = tuple(self.tokens[start : self.tokens.index(")", start) + 1])
        except ValueError:
            key = ()
        known = self.params.get(key)
        if known is not None:
            self.index = start + len(key)
            return known
        self.index += 1
        nodes = self.listed(self.expression, ")")
        for node in nodes:
            _check_names(self, node, None)
        values = tuple([self._value(node, {}, at) for node in nodes])
        if self.index - start == len(key):
            self.params[key] = values
        return values

    def _value(self, node: Node, scope: dict[str, float], at: int) -> float:
        """Value of a parameter expression; an error points to the call `at` that needs it."""
        try:
            value = _evaluate(node, scope)
        except KeyError as error:
            raise self.error(f"Name `{error.args[0]}` is not a parameter.", error.args[0], at) from None
        except ZeroDivisionError:
            raise self.error("A parameter divides by zero.", "/", at) from None
        except (ValueError, OverflowError, TypeError):
            value = math.nan
        if value - value != 0.0:
            raise self.error("A parameter is not a finite real number.", "parameter", at)
        return value

    def _expand(
        self,
        gate: Any,
        params: tuple[float, ...],
        applications: list[tuple[int, ...]],
        out: list[Operation],
        at: int,
    ) -> None:
        if isinstance(gate, _Opaque):
            raise self._opaque(gate, at)
        # calls on an empty register are gone through once, to find what is wrong with them
        if len(out) + gate.size * max(1, len(applications)) > MAX_OPERATIONS:
            raise self.error(
                f"Gate `{gate.name}` expands to more than {MAX_OPERATIONS} operations.", gate.name, at
            )
        flat = self._flatten(gate, params, at)
        for qubits in applications:
            out.extend([GateOperation(g, p, tuple([qubits[i] for i in local])) for g, p, local in flat])

    def _opaque(self, gate: _Opaque, at: int) -> QasmError:
        return self.error(
            f"Gate `{gate.name}` is opaque: it has no definition, and qsim knows no gate of this name.",
            gate.name,
            at,
        )

    def _flatten(
        self, gate: _Definition, params: tuple[float, ...], at: int
    ) -> list[tuple[Gate, tuple[float, ...], tuple[int, ...]]]:
        """Gates of the table that make up one call, on positions among the call's qubits."""
        if gate.constant is not None:
            return gate.constant
        scope = dict(zip(gate.params, params, strict=True))
        flat: list[tuple[Gate, tuple[float, ...], tuple[int, ...]]] = []
        for callee, expressions, local in gate.body:
            values = tuple([self._value(e, scope, at) for e in expressions])
            if isinstance(callee, Gate):
                flat.append((callee, values, local))
            elif isinstance(callee, _Opaque):
                raise self._opaque(callee, at)
            else:
                inner = self._flatten(callee, values, at)
                flat.extend([(g, p, tuple([local[i] for i in positions])) for g, p, positions in inner])
        if not gate.params and gate.size < 100_000:
            gate.constant = flat
        return flat

    def _measure(self, out: list[Operation]) -> None:
        at = self.index
        self.index += 1
        qubits, _ = self._argument(self.qregs, "quantum")
        self.expect("->", " and a classical register")
        clbits, _ = self._argument(self.cregs, "classical")
        self.expect(";", " after a measurement")
        if len(qubits) != len(clbits):
            raise self.error(
                f"A measurement needs as many classical bits as qubits, but has {len(clbits)} "
                f"and {len(qubits)}.",
                "measure",
                at,
            )
        out.extend(Measure(q, c) for q, c in zip(qubits, clbits, strict=True))

    def _reset(self, out: list[Operation]) -> None:
        self.index += 1
        qubits, _ = self._argument(self.qregs, "quantum")
        self.expect(";", " after a reset")
        out.extend(map(Reset, qubits))

    def _barrier(self) -> None:
        at = self.index
        self.index += 1
        if self.token == ";":
            qubits = tuple(range(self.builder.num_qubits))
        else:
            qubits = tuple([q for indices, _ in self._arguments(self.qregs) for q in indices])
        self.expect(";", " after a barrier")
        if len(set(qubits)) != len(qubits):
            raise self.error("A barrier names a qubit twice.", "barrier", at)
        self.builder.operations.append(Barrier(qubits))

    def _conditional(self) -> None:
        self.index += 1
        self.expect("(", " after `if`")
        at = self.index
        indices, single = self._argument(self.cregs, "classical")
        if single:
            raise self.error("A condition of OpenQASM 2 must be on a whole register.", "if", at)
        self.expect("==", " in the condition")
        value = self._integer("an integer")
        self.expect(")", " after the condition")
        body: list[Operation] = []
        token = self.token
        if token in self.gates:
            self._gate_call(body)
        elif token == "measure":
            self._measure(body)
        elif token == "reset":
            self._reset(body)
        elif token in _KEYWORDS or not token or token == ";":
            raise self.error(
                f"Expected a gate, measure or reset after `if`, but found {describe(token)}.", "if"
            )
        else:
            raise self._unknown_gate(token)
        if value >> len(indices):
            return  # no value of the register is that large: the condition never holds
        if not indices:
            self.builder.operations.extend(body)
            return
        condition = Binary("==", Bits(indices), Literal(value, "uint", max(len(indices), 1)))
        self.builder.operations.append(IfElse(condition, self.builder.body(body)))

    # -- definitions -----------------------------------------------------------------------------
    def _definition(self, opaque: bool) -> None:
        self.index += 1
        at = self.index
        name = self.identifier("the name of a gate")
        taken = name in self.gates and name not in self.library
        if taken or name in self.qregs or name in self.cregs:
            raise self.error(f"Name `{name}` is defined already.", name, at)
        params: list[str] = []
        if self.accept("("):
            params = self.listed(lambda: self.identifier("the name of a parameter"), ")")
        qubits = [self.identifier("the name of a qubit")]
        while self.accept(","):
            qubits.append(self.identifier("the name of a qubit"))
        for names in (params, qubits):
            if len(set(names)) != len(names):
                twice = next(n for n in names if names.count(n) > 1)
                raise self.error(f"Gate `{name}` has two arguments named `{twice}`.", name, at)
        if opaque:
            self.expect(";", " after an opaque gate")
            self._declare_opaque(name, len(params), len(qubits), at)
            return
        gate = _Definition(name, tuple(params), len(qubits))
        places: dict[str, int] = {qubit: position for position, qubit in enumerate(qubits)}
        self.expect("{", " before the body of a gate")
        while not self.accept("}"):
            self._body_statement(gate, places)
        if gate.depth > MAX_GATE_DEPTH:
            raise self.error(
                f"Gate `{name}` is made of gates more than {MAX_GATE_DEPTH} levels deep.", name, at
            )
        self.library.discard(name)
        self.gates[name] = gate

    def _declare_opaque(self, name: str, num_params: int, num_qubits: int, at: int) -> None:
        known = GATES.get(QELIB1.get(name, name))
        self.library.discard(name)
        if known is None:
            self.gates[name] = _Opaque(name, num_params, num_qubits)
            return
        if (known.num_params, known.num_qubits) != (num_params, num_qubits):
            self.gates[name] = _Opaque(name, num_params, num_qubits)
            return
        self.gates[name] = known

    def _body_statement(self, gate: _Definition, places: dict[str, int]) -> None:
        name, at = self.token, self.index
        if name == "barrier":
            self.index += 1
            self._arguments_in_body(gate, places)
            self.expect(";", " after a barrier")
            return
        callee = self.gates.get(name)
        if callee is None:
            if name in _KEYWORDS or not name or not (name[0].isalpha() or name[0] == "_"):
                raise self.error(
                    f"Expected a gate or `}}` in gate `{gate.name}`, but found {describe(name)}.", name
                )
            if name == gate.name:
                raise self.error(f"Gate `{name}` calls itself.", name)
            raise self._unknown_gate(name)
        self.index += 1
        expressions: tuple[Node, ...] = ()
        if self.accept("("):
            expressions = tuple(self.listed(self.expression, ")"))
        local = self._arguments_in_body(gate, places)
        self.expect(";", " after a gate")
        if len(expressions) != callee.num_params:
            raise self._wrong_count(callee, "parameter", callee.num_params, len(expressions), at)
        if len(local) != callee.num_qubits:
            raise self._wrong_count(callee, "qubit", callee.num_qubits, len(local), at)
        if len(set(local)) != len(local):
            raise self.error(f"Gate `{name}` uses a qubit twice; they must differ.", name, at)
        for expression in expressions:
            _check_names(self, expression, gate.params)
        gate.body.append((callee, expressions, local))
        if isinstance(callee, _Definition):
            gate.depth = max(gate.depth, callee.depth + 1)
            gate.size += max(callee.size, 1)  # an empty gate takes time to expand, too
        else:
            gate.size += 1

    def _arguments_in_body(self, gate: _Definition, places: dict[str, int]) -> tuple[int, ...]:
        local = []
        while True:
            name = self.token
            if name not in places:
                self.identifier("a qubit")
                self.index -= 1
                raise self.error(f"`{name}` is not a qubit of gate `{gate.name}`.", name)
            local.append(places[name])
            self.index += 1
            if self.token == "[":
                raise self.error(f"Qubits of gate `{gate.name}` cannot be indexed in its body.", gate.name)
            if not self.accept(","):
                return tuple(local)


def _check_names(parser: Parser2, node: Node, names: tuple[str, ...] | None) -> None:
    """Refuse functions that there are not and, if names are given, other names than these."""
    if node.kind == "name" and names is not None and node.value != "pi" and node.value not in names:
        raise parser.sources.error(node.location, f"Name `{node.value}` is not a parameter.", node.value)
    if node.kind == "call" and (node.value not in _FUNCTIONS or len(node.children) != 1):
        raise parser.sources.error(node.location, _bad_call(node), node.value)
    for child in node.children:
        if child is not None:
            _check_names(parser, child, names)


def _bad_call(node: Node) -> str:
    if node.value in _FUNCTIONS:
        return f"Function `{node.value}` takes 1 argument, but got {len(node.children)}."
    return f"Unknown function `{node.value}` (known: {', '.join(sorted(_FUNCTIONS))})."


def _evaluate(node: Node, scope: dict[str, float]) -> float:
    kind = node.kind
    if kind == "number":
        return float(node.value)
    if kind == "name":
        name = node.value
        if name in scope:
            return scope[name]
        if name == "pi":
            return math.pi
        raise KeyError(name)
    a = _evaluate(node.children[0], scope)  # type: ignore[arg-type]
    if kind == "unary":
        return -a
    if kind == "call":
        return _FUNCTIONS[node.value](a)
    b = _evaluate(node.children[1], scope)  # type: ignore[arg-type]
    op = node.value
    if op == "*":
        return a * b
    if op == "/":
        return a / b
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    return math.pow(a, b)


def open_include(parser: Any, name: str, at: int) -> Source:
    """The text of an include file, looked for beside the file that names it."""
    path = parser.source.path
    if path is None:
        raise parser.error(
            f"File `{name}` cannot be included: text has no directory to look in. "
            "Load the program from a file, or pass `path`.",
            "include",
            at,
        )
    if parser.include_depth >= MAX_INCLUDE_DEPTH:
        raise parser.error(f"Includes are nested more than {MAX_INCLUDE_DEPTH} levels deep.", "include", at)
    full = os.path.join(os.path.dirname(path), name)
    try:
        with open(full, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise parser.error(f"File `{name}` cannot be included: {reason}.", "include", at) from None
    return Source(text, full, directives=parser.version == 3)


def loads2(text: str, path: str | None = None) -> Circuit:
    """A circuit from OpenQASM 2 text.

    Parameters
    ----------
    text : str
    path : str, optional
        Where the text came from; include files are looked for in its directory.

    Raises
    ------
    QasmError
        With line, column and the construct, if the text cannot be read.
    """
    parser = Parser2(Source(text, path), SourceMap())
    parser.program()
    return parser.builder.finish()
