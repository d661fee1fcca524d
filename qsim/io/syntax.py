"""Expressions of OpenQASM 2 and 3: tree nodes and the parser that makes them.

One operator-precedence parser serves both languages; they differ in the table of operators. Every node
knows its token and its height, so that no input can nest deeper than the evaluator's recursion allows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qsim.errors import QasmError
from qsim.io.lexer import Source, SourceMap, describe

__all__ = ["Node", "Parser"]

MAX_HEIGHT = 160
MAX_PARENTHESES = 60

TYPE_NAMES = frozenset(("bool", "bit", "int", "uint", "float", "angle"))
UNSUPPORTED_TYPES = frozenset(("complex", "duration", "stretch", "array"))

#: (precedence, right-associative) of each binary operator
OPERATORS_3: dict[str, tuple[int, bool]] = {
    "**": (12, True),
    **dict.fromkeys(("*", "/", "%"), (10, False)),
    **dict.fromkeys(("+", "-"), (9, False)),
    **dict.fromkeys(("<<", ">>"), (8, False)),
    **dict.fromkeys(("<", "<=", ">", ">="), (7, False)),
    **dict.fromkeys(("==", "!="), (6, False)),
    "&": (5, False),
    "^": (4, False),
    "|": (3, False),
    "&&": (2, False),
    "||": (1, False),
}
OPERATORS_2: dict[str, tuple[int, bool]] = {
    "^": (12, True),
    **dict.fromkeys(("*", "/"), (10, False)),
    **dict.fromkeys(("+", "-"), (9, False)),
}
_UNARY_PRECEDENCE = 11


class Node:
    """An expression: `kind` says what `value` and `children` mean.

    ======== ============================== ==========================
    kind     value                          children
    ======== ============================== ==========================
    number   bool, int or float
    bits     (integer, width)
    timing   (number, unit)
    name     identifier
    qubit    number of a physical qubit
    unary    operator                       operand
    binary   operator                       left, right
    call     function                       arguments
    cast     (kind, size node or None)      operand
    index    None                           base, indices
    range    None                           start, step, stop or None
    set      None                           members
    measure  None                           operand
    ======== ============================== ==========================
    """

    __slots__ = ("children", "height", "kind", "location", "value")

    def __init__(self, kind: str, value: Any, children: tuple[Node | None, ...], location: int) -> None:
        self.kind = kind
        self.value = value
        self.children = children
        self.location = location
        height = 0
        for child in children:
            if child is not None and child.height > height:
                height = child.height
        self.height: int = height + 1


class Parser:
    """Reads tokens one by one; base of the parsers of both languages."""

    operators: dict[str, tuple[int, bool]] = OPERATORS_3
    keywords: frozenset[str] = frozenset()
    version = 3

    def __init__(self, source: Source, sources: SourceMap) -> None:
        self.sources = sources
        self.source = sources.add(source)
        self.tokens = self.source.tokens
        self.base = self.source.base
        self.index = 0
        self._parentheses = 0

    # -- tokens ----------------------------------------------------------------------------------
    def error(self, message: str, construct: str = "", index: int | None = None) -> QasmError:
        return self.sources.error(self.base + (self.index if index is None else index), message, construct)

    @property
    def token(self) -> str:
        return self.tokens[self.index]

    @property
    def location(self) -> int:
        return self.base + self.index

    def accept(self, token: str) -> bool:
        if self.tokens[self.index] == token:
            self.index += 1
            return True
        return False

    def expect(self, token: str, context: str = "") -> None:
        if self.tokens[self.index] != token:
            found = self.tokens[self.index]
            raise self.error(
                f"Expected `{token}`{context}, but found {describe(found)}.", found or "end of file"
            )
        self.index += 1

    def identifier(self, what: str) -> str:
        name = self.tokens[self.index]
        if not (name[:1].isalpha() or name[:1] == "_"):
            raise self.error(f"Expected {what}, but found {describe(name)}.", name or "end of file")
        if name in self.keywords:
            raise self.error(f"Expected {what}, but `{name}` is a keyword.", name)
        self.index += 1
        return name

    def string(self, what: str) -> str:
        token = self.tokens[self.index]
        if len(token) < 2 or token[0] not in "\"'" or token[-1] != token[0]:
            raise self.error(
                f"Expected {what} in quotes, but found {describe(token)}.", token or "end of file"
            )
        self.index += 1
        return token[1:-1]

    def listed(self, item: Callable[[], Any], close: str) -> list[Any]:
        """Items between commas up to the closing token, which is consumed; a trailing comma is fine."""
        items: list[Any] = []
        while not self.accept(close):
            items.append(item())
            if not self.accept(","):
                self.expect(close)
                break
        return items

    # -- expressions -----------------------------------------------------------------------------
    def expression(self, minimum: int = 0) -> Node:
        """An expression of operators that bind at least as tightly as `minimum`."""
        self._parentheses += 1
        if self._parentheses > MAX_PARENTHESES:
            raise self.error(f"Expression is nested more than {MAX_PARENTHESES} levels deep.", "expression")
        left = self._operand()
        tokens, operators = self.tokens, self.operators
        while True:
            op = tokens[self.index]
            entry = operators.get(op)
            if entry is None or entry[0] < minimum:
                break
            location = self.base + self.index
            self.index += 1
            right = self.expression(entry[0] + (not entry[1]))
            left = self._node("binary", op, (left, right), location)
        self._parentheses -= 1
        return left

    def _node(self, kind: str, value: Any, children: tuple[Node | None, ...], location: int) -> Node:
        node = Node(kind, value, children, location)
        if node.height > MAX_HEIGHT:
            raise self.sources.error(
                location, f"Expression has more than {MAX_HEIGHT} nested operators.", "expression"
            )
        return node

    def _operand(self) -> Node:
        token, location = self.token, self.location
        first = token[:1]
        if token == "(":
            self.index += 1
            node = self.expression()
            self.expect(")", " to close the parenthesis")
        elif token == "-" or token == "+" or (token in ("~", "!") and self.version == 3):
            self.index += 1
            operand = self.expression(_UNARY_PRECEDENCE)
            if token == "+":
                if self.version == 3:
                    raise self.sources.error(location, "OpenQASM 3 has no unary `+`.", "+")
                return operand
            return self._node("unary", token, (operand,), location)
        elif first.isdigit() or (first == "." and len(token) > 1):
            self.index += 1
            node = self._number(token, location)
        elif first.isalpha() or first == "_":
            node = self._named(token, location)
        elif first == "$" and len(token) > 1 and self.version == 3:
            self.index += 1
            node = Node("qubit", _small_int(token[1:]), (), location)
        elif first == '"' and self.version == 3:
            node = self._bit_string(token, location)
        else:
            raise self.error(f"Expected an expression, but found {describe(token)}.", token or "end of file")
        while self.tokens[self.index] == "[" and self.version == 3:
            node = self._indexed(node)
        return node

    def _number(self, token: str, location: int) -> Node:
        text = token.replace("_", "")
        try:
            if text.isdigit():
                if len(text) > 400:
                    raise self.sources.error(location, "An integer has more than 400 digits.", "integer")
                return Node("number", int(text), (), location)
            if text[:2].lower() in ("0x", "0b", "0o") and len(text) > 2:
                if self.version == 2 or len(text) > 400:
                    raise self.sources.error(
                        location, f"Integer `{token[:40]}` is not one OpenQASM knows.", "integer"
                    )
                return Node("number", int(text, 0), (), location)
            value = float(text)
        except ValueError:
            return self._unit_number(text, token, location)
        if value - value != 0.0:
            raise self.sources.error(location, f"Number `{token}` is too large for a float.", "number")
        return Node("number", value, (), location)

    def _unit_number(self, text: str, token: str, location: int) -> Node:
        number = text.rstrip("dtnuµμmsi \t")
        unit = text[len(number) :].strip()
        if unit == "im":
            raise self.sources.error(location, "Complex numbers are not supported.", "complex")
        if self.version == 3 and unit in ("dt", "ns", "us", "µs", "μs", "ms", "s"):
            return Node("timing", (float(number), unit), (), location)
        raise self.sources.error(location, f"`{token}` is not a number.", "number")

    def _bit_string(self, token: str, location: int) -> Node:
        digits = token[1:-1].replace("_", "")
        if len(token) < 3 or token[-1] != '"' or not digits or set(digits) - {"0", "1"}:
            raise self.error(f"Expected a bit string of 0 and 1, but found {describe(token)}.", "bit string")
        self.index += 1
        return Node("bits", (int(digits, 2), len(digits)), (), location)

    def _named(self, token: str, location: int) -> Node:
        following = self.tokens[self.index + 1]
        if self.version == 3:
            if token in ("true", "false"):
                self.index += 1
                return Node("number", token == "true", (), location)
            if token in UNSUPPORTED_TYPES or token == "durationof":
                raise self.error(f"`{token}` is not supported.", token)
            if token in TYPE_NAMES and following in ("(", "["):
                return self._cast(token, location)
            if token == "measure":
                self.index += 1
                return self._node("measure", None, (self._operand(),), location)
        if token in self.keywords and token != "pow":
            raise self.error(f"Expected an expression, but `{token}` is a keyword.", token)
        self.index += 1
        if following == "(":
            self.index += 1
            arguments = tuple(self.listed(self.expression, ")"))
            return self._node("call", token, arguments, location)
        return Node("name", token, (), location)

    def _cast(self, kind: str, location: int) -> Node:
        self.index += 1
        size = None
        if self.accept("["):
            size = self.expression()
            self.expect("]", " after the size")
        self.expect("(", f" after the type `{kind}`")
        operand = self.expression()
        self.expect(")", " to close the cast")
        return self._node("cast", (kind, size), (operand,), location)

    def _indexed(self, base: Node) -> Node:
        location = self.location
        number = self.tokens[self.index + 1]
        if self.tokens[self.index + 2] == "]" and number.isdecimal() and len(number) < 10:
            self.index += 3
            return self._node("index", None, (base, Node("number", int(number), (), location + 1)), location)
        self.expect("[")
        if self.token == "{":
            indices: list[Node] = [self.set_expression()]
            self.expect("]", " after the index")
        else:
            indices = self.listed(self.range_or_expression, "]")
        if len(indices) != 1:
            raise self.sources.error(location, "An index must be one integer, range or set.", "index")
        return self._node("index", None, (base, indices[0]), location)

    def set_expression(self) -> Node:
        location = self.location
        self.expect("{")
        members = tuple(self.listed(self.expression, "}"))
        if not members:
            raise self.sources.error(location, "A set must have at least one member.", "set")
        return self._node("set", None, members, location)

    def range_or_expression(self) -> Node:
        location = self.location
        start = None if self.token == ":" else self.expression()
        if not self.accept(":"):
            assert start is not None
            return start
        second = None if self.token in (":", "]", ",") else self.expression()
        if not self.accept(":"):
            return self._node("range", None, (start, None, second), location)
        third = None if self.token in ("]", ",") else self.expression()
        return self._node("range", None, (start, second, third), location)


def _small_int(text: str) -> int:
    return int(text) if len(text) < 10 else 10**9
