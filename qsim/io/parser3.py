"""Parser of OpenQASM 3: one method per statement, from tokens to `qsim.io.statements`."""

from __future__ import annotations

from typing import Any

from qsim.io import statements as st
from qsim.io.lexer import describe
from qsim.io.syntax import TYPE_NAMES, UNSUPPORTED_TYPES, Node, Parser

__all__ = ["Parser3"]

MAX_BLOCKS = 40

_UNSUPPORTED = {
    "cal": "Pulse-level calibration",
    "defcal": "Pulse-level calibration",
    "defcalgrammar": "Pulse-level calibration",
    "extern": "An external function",
    "box": "Timing of boxes",
    "array": "An array",
    "complex": "Type complex",
    "duration": "Type duration",
    "stretch": "Type stretch",
    "readonly": "An array",
    "mutable": "An array",
    "durationof": "Timing with durationof",
}
_RESERVED = (
    "OPENQASM include def gate extern box let break continue if else end return for while in switch case "
    "default nop pragma input output const readonly mutable qreg qubit creg void gphase inv pow ctrl negctrl "
    "delay reset measure barrier true false cal defcal defcalgrammar durationof"
)
_KEYWORDS = frozenset(_RESERVED.split()) | TYPE_NAMES | UNSUPPORTED_TYPES
_MODIFIERS = frozenset(("inv", "pow", "ctrl", "negctrl"))
_ASSIGNMENTS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "**=", "&=", "|=", "^=", "~=", "<<=", ">>="))


class Parser3(Parser):
    """Statements of one text of an OpenQASM 3 program."""

    keywords = _KEYWORDS
    version = 3
    _blocks = 0

    def _semicolon(self, what: str) -> None:
        self.expect(";", f" after {what}")

    def statement(self) -> st.Statement | None:
        """The next statement; None for an empty one."""
        token = self.token
        method = _STATEMENTS.get(token)
        if method is not None:
            result: st.Statement | None = method(self)
            return result
        if token in TYPE_NAMES:
            return self._declaration(const=False)
        if token in _MODIFIERS or token == "gphase":
            return self._gate_call()
        if token in _UNSUPPORTED:
            raise self.error(f"{_UNSUPPORTED[token]} (`{token}`) is not supported.", token)
        if token in ("pragma", "@"):
            raise self.error("A pragma or an annotation must be a line of its own.", token)
        if token[:1].isalpha() or token[:1] == "_":
            if token in self.keywords:
                raise self.error(f"`{token}` cannot start a statement.", token)
            return self._named_statement()
        raise self.error(f"Expected a statement, but found {describe(token)}.", token or "end of file")

    def block(self, context: str) -> list[st.Statement]:
        """Statements in braces, or a single one."""
        self._blocks += 1
        if self._blocks > MAX_BLOCKS:
            raise self.error(f"Blocks are nested more than {MAX_BLOCKS} levels deep.", "block")
        out: list[st.Statement] = []
        if self.accept("{"):
            while not self.accept("}"):
                if not self.token:
                    raise self.error(
                        f"Expected `}}` to close {context}, but found the end of the file.", "end of file"
                    )
                inner = self.statement()
                if inner is not None:
                    out.append(inner)
        else:
            inner = self.statement()
            if inner is not None:
                out.append(inner)
        self._blocks -= 1
        return out

    def _braced(self, context: str) -> list[st.Statement]:
        if self.token != "{":
            raise self.error(f"Expected `{{` before {context}, but found {describe(self.token)}.", self.token)
        return self.block(context)

    # -- gates and subroutine calls ----------------------------------------------------------------
    def _named_statement(self) -> st.Statement:
        """A gate call, an assignment, or the call of a subroutine."""
        following = self.tokens[self.index + 1]
        if following in _ASSIGNMENTS or following == "[":
            location = self.location
            target = self.operand()
            if self.token not in _ASSIGNMENTS:
                raise self.error(f"Expected an assignment, but found {describe(self.token)}.", self.token)
            return self._assignment(target, location)
        if following == "(":
            location = self.location
            name = self.token
            self.index += 2
            arguments = self.listed(self.expression, ")")
            if self.accept(";"):
                node = self._node("call", name, tuple(arguments), location)
                return st.Evaluation(location, node)
            if self.token == "->":
                raise self.error("A result must be assigned with `=`.", "->")
            return self._gate_tail(location, name, arguments, [])
        location = self.location
        name = self.token
        self.index += 1
        return self._gate_tail(location, name, [], [])

    def _gate_call(self) -> st.Statement:
        location = self.location
        modifiers: list[tuple[str, Node | None]] = []
        while self.token in _MODIFIERS:
            kind = self.token
            self.index += 1
            argument = None
            if self.accept("("):
                argument = self.expression()
                self.expect(")", f" after the argument of `{kind}`")
            elif kind == "pow":
                raise self.error("Modifier `pow` needs an exponent: pow(2) @ x q;", "pow")
            if kind == "inv" and argument is not None:
                raise self.error("Modifier `inv` takes no argument.", "inv")
            self.expect("@", f" after the modifier `{kind}`")
            modifiers.append((kind, argument))
        name = self.token
        if name == "gphase":
            self.index += 1
        else:
            self.identifier("the name of a gate")
        params: list[Node] = []
        if self.accept("("):
            params = self.listed(self.expression, ")")
        return self._gate_tail(location, name, params, modifiers)

    def _gate_tail(
        self, location: int, name: str, params: list[Node], modifiers: list[tuple[str, Node | None]]
    ) -> st.Statement:
        operands: list[Node] = []
        if self.token != ";":
            if self.token == "[":
                raise self.error("A duration on a gate is not supported.", "duration")
            operands = self.listed(self.operand, ";")
        elif name != "gphase":
            raise self.error(f"Expected qubits after `{name}`, but found `;`.", name)
        else:
            self.index += 1
        return st.GateCall(location, name, params, operands, modifiers)

    def operand(self) -> Node:
        """A (qu)bit, register, slice or physical qubit."""
        location = self.location
        token = self.token
        if token[:1] == "$" and token[1:].isdigit():
            return self._operand()
        name = self.identifier("a qubit or register")
        node = Node("name", name, (), location)
        while self.token == "[":
            node = self._indexed(node)
        return node

    # -- declarations ------------------------------------------------------------------------------
    def type_node(self) -> st.TypeNode:
        """A classical type."""
        kind = self.token
        if kind in UNSUPPORTED_TYPES:
            raise self.error(f"{_UNSUPPORTED[kind]} (`{kind}`) is not supported.", kind)
        if kind not in TYPE_NAMES:
            raise self.error(f"Expected a classical type, but found {describe(kind)}.", kind or "end of file")
        self.index += 1
        return st.TypeNode(kind, self._designator())

    def _designator(self) -> Node | None:
        if not self.accept("["):
            return None
        size = self.expression()
        self.expect("]", " after the size")
        return size

    def _declaration(self, const: bool) -> st.Statement:
        location = self.location
        kind = self.type_node()
        if self.token == "(" and not const:
            raise self.error("A cast is not a statement.", kind.kind)
        location, name = self.location, self.identifier("the name of a variable")
        value = None
        if self.accept("="):
            if self.token == "{":
                raise self.error("An array (`{`) is not supported.", "array")
            value = self.expression()
            if self.token == "++":
                raise self.error("Concatenation of values is not supported; use `let`.", "++")
        elif const:
            raise self.error(f"Constant `{name}` needs a value.", "const")
        self._semicolon("a declaration")
        return st.ClassicalDeclaration(location, kind, name, value, const)

    def _const(self) -> st.Statement:
        self.index += 1
        return self._declaration(const=True)

    def _qubit(self) -> st.Statement:
        self.index += 1
        size = self._designator()
        location, name = self.location, self.identifier("the name of a qubit register")
        self._semicolon("a declaration")
        return st.QubitDeclaration(location, name, size)

    def _old_register(self) -> st.Statement:
        kind = self.token
        self.index += 1
        location, name = self.location, self.identifier("the name of a register")
        size = self._designator()
        self._semicolon("a register")
        if kind == "qreg":
            return st.QubitDeclaration(location, name, size)
        return st.ClassicalDeclaration(location, st.TypeNode("bit", size), name, None)

    def _input_output(self) -> st.Statement:
        is_input = self.token == "input"
        self.index += 1
        kind = self.type_node()
        location, name = self.location, self.identifier("the name of a variable")
        self._semicolon("a declaration")
        return st.InputOutput(location, is_input, kind, name)

    def _let(self) -> st.Statement:
        self.index += 1
        location, name = self.location, self.identifier("the name of an alias")
        self.expect("=", " after the name of an alias")
        parts = [self.operand()]
        while self.accept("++"):
            parts.append(self.operand())
        self._semicolon("an alias")
        return st.Alias(location, name, parts)

    def _assignment(self, target: Node, location: int) -> st.Statement:
        op = self.token
        if op == "~=":
            raise self.error("Operator `~=` has no meaning; write x = ~x.", "~=")
        self.index += 1
        value = self.expression()
        if self.token == "++":
            raise self.error("Concatenation of values is not supported; use `let`.", "++")
        self._semicolon("an assignment")
        return st.Assignment(location, target, op[:-1], value)

    # -- definitions -------------------------------------------------------------------------------
    def _gate_definition(self) -> st.Statement:
        self.index += 1
        location, name = self.location, self.identifier("the name of a gate")
        params: list[str] = []
        if self.accept("("):
            params = self.listed(lambda: self.identifier("the name of a parameter"), ")")
        qubits = [self.identifier("the name of a qubit")]
        while self.accept(","):
            if self.token == "{":
                break
            qubits.append(self.identifier("the name of a qubit"))
        for names in (params, qubits):
            if len(set(names)) != len(names):
                twice = next(n for n in names if names.count(n) > 1)
                raise self.sources.error(location, f"Gate `{name}` has two arguments named `{twice}`.", name)
        return st.GateDefinition(location, name, params, qubits, self._braced(f"the body of gate `{name}`"))

    def _subroutine(self) -> st.Statement:
        self.index += 1
        location, name = self.location, self.identifier("the name of a subroutine")
        self.expect("(", " after the name of a subroutine")
        arguments: list[tuple[st.TypeNode, str]] = self.listed(self._argument, ")")
        names = [argument for _, argument in arguments]
        if len(set(names)) != len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise self.sources.error(
                location, f"Subroutine `{name}` has two arguments named `{twice}`.", name
            )
        returns = self.type_node() if self.accept("->") else None
        return st.Subroutine(
            location, name, arguments, returns, self._braced(f"the body of subroutine `{name}`")
        )

    def _argument(self) -> tuple[st.TypeNode, str]:
        token = self.token
        if token in ("readonly", "mutable"):
            raise self.error(f"An array (`{token}`) is not supported.", token)
        if token in ("qreg", "creg"):
            self.index += 1
            name = self.identifier("the name of an argument")
            return st.TypeNode("qubit" if token == "qreg" else "bit", self._designator()), name
        if token == "qubit":
            self.index += 1
            kind = st.TypeNode("qubit", self._designator())
        else:
            kind = self.type_node()
        return kind, self.identifier("the name of an argument")

    def _return(self) -> st.Statement:
        location = self.location
        self.index += 1
        value = None if self.token == ";" else self.expression()
        self._semicolon("`return`")
        return st.Return(location, value)

    # -- quantum statements --------------------------------------------------------------------------
    def _measure(self) -> st.Statement:
        location = self.location
        self.index += 1
        operand = self.operand()
        target = self.operand() if self.accept("->") else None
        self._semicolon("a measurement")
        return st.Measurement(location, operand, target)

    def _reset(self) -> st.Statement:
        location = self.location
        self.index += 1
        operand = self.operand()
        self._semicolon("a reset")
        return st.ResetStatement(location, operand)

    def _barrier(self) -> st.Statement:
        location = self.location
        self.index += 1
        return st.BarrierStatement(location, self.listed(self.operand, ";"))

    def _delay(self) -> st.Statement:
        location = self.location
        self.index += 1
        self.expect("[", " and a duration")
        duration = self.expression()
        self.expect("]", " after the duration")
        return st.DelayStatement(location, duration, self.listed(self.operand, ";"))

    def _nop(self) -> None:
        self.index += 1
        self.listed(self.operand, ";")

    # -- control flow --------------------------------------------------------------------------------
    def _condition(self, what: str) -> Node:
        self.expect("(", f" after `{what}`")
        condition = self.expression()
        self.expect(")", " after the condition")
        return condition

    def _if(self) -> st.Statement:
        location = self.location
        self.index += 1
        condition = self._condition("if")
        then_body = self.block("the body of `if`")
        else_body = None
        if self.accept("else"):
            # `else if` chains stay one level deep for the nesting limit's sake
            else_body = self.block("the body of `else`")
        return st.If(location, condition, then_body, else_body)

    def _while(self) -> st.Statement:
        location = self.location
        self.index += 1
        condition = self._condition("while")
        return st.While(location, condition, self.block("the body of `while`"))

    def _for(self) -> st.Statement:
        location = self.location
        self.index += 1
        if self.token not in TYPE_NAMES and self.tokens[self.index + 1] == "in":
            kind = st.TypeNode("int", None)  # drafts of OpenQASM 3 had no type here
        else:
            kind = self.type_node()
        name = self.identifier("the name of a loop variable")
        self.expect("in", " after the loop variable")
        if self.token == "{":
            values = self.set_expression()
        elif self.accept("["):
            values = self.range_or_expression()
            if values.kind != "range":
                raise self.sources.error(values.location, "A loop needs a range, as in [0:3].", "for")
            self.expect("]", " after the range")
        else:
            values = self.expression()
        return st.For(location, kind, name, values, self.block("the body of `for`"))

    def _switch(self) -> st.Statement:
        location = self.location
        self.index += 1
        subject = self._condition("switch")
        self.expect("{", " after `switch (...)`")
        cases: list[tuple[list[Node], list[st.Statement]]] = []
        default = None
        while not self.accept("}"):
            if default is not None:
                raise self.error("`default` must be the last case of a switch.", "switch")
            if self.accept("case"):
                values = [self.expression()]
                while self.accept(","):
                    if self.token == "{":
                        break
                    values.append(self.expression())
                cases.append((values, self._braced("the body of a case")))
            elif self.accept("default"):
                default = self._braced("the body of `default`")
            else:
                raise self.error(
                    f"Expected `case`, `default` or `}}`, but found {describe(self.token)}.", "switch"
                )
        return st.SwitchStatement(location, subject, cases, default)

    def _jump(self) -> st.Statement:
        location, kind = self.location, self.token
        self.index += 1
        self._semicolon(f"`{kind}`")
        return st.Jump(location, kind)

    def _scope(self) -> st.Statement:
        location = self.location
        return st.Block(location, self.block("a block"))

    def _empty(self) -> None:
        self.index += 1

    def _misplaced(self) -> None:
        token = self.token
        where = "the first statement" if token == "OPENQASM" else "at the top level"
        raise self.error(f"`{token}` must be {where}.", token)


_STATEMENTS: dict[str, Any] = {
    ";": Parser3._empty,
    "{": Parser3._scope,
    "OPENQASM": Parser3._misplaced,
    "include": Parser3._misplaced,
    "const": Parser3._const,
    "qubit": Parser3._qubit,
    "qreg": Parser3._old_register,
    "creg": Parser3._old_register,
    "input": Parser3._input_output,
    "output": Parser3._input_output,
    "let": Parser3._let,
    "gate": Parser3._gate_definition,
    "def": Parser3._subroutine,
    "return": Parser3._return,
    "measure": Parser3._measure,
    "reset": Parser3._reset,
    "barrier": Parser3._barrier,
    "delay": Parser3._delay,
    "nop": Parser3._nop,
    "if": Parser3._if,
    "while": Parser3._while,
    "for": Parser3._for,
    "switch": Parser3._switch,
    "break": Parser3._jump,
    "continue": Parser3._jump,
    "end": Parser3._jump,
}
