"""Tokens of OpenQASM 2 and 3, and where they stand.

Parser and interpreter handle tokens by number. Line and column are only worked out for an error, by
reading the text again: a file of a million tokens loads without a million position objects.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from qsim.errors import QasmError

__all__ = ["Source", "SourceMap", "describe"]

_SKIP = r"(?:\s++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+"
_TOKEN = re.compile(
    _SKIP
    + r"""(
        [^\W\d]\w*+
      | 0[xX][0-9a-fA-F_]++ | 0[oO][0-7_]++ | 0[bB][01_]++
      | (?:\d[\d_]*+(?:\.[\d_]*+)?+|\.\d[\d_]*+)(?:[eE][+-]?\d[\d_]*+)?+
            (?:[ \t]*+(?:dt|ns|us|µs|μs|ms|s|im)\b)?
      | "[^"\n]*+" | '[^'\n]*+'
      | \$\d++
      | \*\*= | <<= | >>= | \*\* | << | >> | -> | == | != | <= | >= | && | \|\| | \+\+ | [-+*/%&|^~]=
      | \S
      | \Z
    )""",
    re.VERBOSE,
)
_LINE_DIRECTIVE = re.compile(r"(?m)^[ \t]*(?:@[^\W\d][^\n]*|\#?pragma\b[^\n]*)")


class Source:
    """One text and its tokens; the last tokens are empty strings.

    Parameters
    ----------
    text : str
    path : str, optional
        Where the text came from, for includes and messages.
    directives : bool
        Skip pragma and annotation lines (OpenQASM 3).
    """

    __slots__ = ("base", "path", "text", "tokens")

    def __init__(self, text: str, path: str | None = None, *, directives: bool = False) -> None:
        if text.startswith("\ufeff"):
            text = text[1:]
        if directives and ("@" in text or "pragma" in text):
            text = _LINE_DIRECTIVE.sub(_blank, text)
        self.text = text
        self.path = path
        #: number of this text's first token among those of all texts
        self.base = 0
        # some more at the end, so that looking a few tokens ahead needs no check
        self.tokens: list[str] = [*_TOKEN.findall(text), "", "", "", ""]

    def position(self, index: int) -> tuple[int, int]:
        """Line and column of a token, both from 1."""
        offset = len(self.text)
        for number, match in enumerate(_TOKEN.finditer(self.text)):
            if number == index:
                offset = match.start(1)
                break
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - self.text.rfind("\n", 0, offset)


def _blank(match: re.Match[str]) -> str:
    # a line inside a block comment may look like a directive; only its end must not be lost
    return match.group() if "*/" in match.group() else " " * len(match.group())


class SourceMap:
    """All texts of one program: the file and what it includes."""

    __slots__ = ("_bases", "_sources")

    def __init__(self) -> None:
        self._bases: list[int] = []
        self._sources: list[Source] = []

    def add(self, source: Source) -> Source:
        last = self._sources[-1] if self._sources else None
        source.base = last.base + len(last.tokens) + 1 if last else 0
        self._bases.append(source.base)
        self._sources.append(source)
        return source

    def error(self, location: int, message: str, construct: str = "") -> QasmError:
        """An error that points to a token by its number among all texts."""
        number = max(bisect_right(self._bases, location) - 1, 0)
        source = self._sources[number]
        line, column = source.position(location - source.base)
        if number and source.path:
            message = f"{message} (in {source.path})"
        return QasmError(message, line, column, construct)


def describe(token: str) -> str:
    """A token as an error names it."""
    return f"`{token}`" if token else "the end of the file"
