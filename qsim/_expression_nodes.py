"""Walks over the nodes of parameter expressions without recursion, so that no sum is too long.

A node has an operator ``_op`` and arguments ``_args``, which are floats or nodes; the leaves are
parameters, with the operator ``"param"``. An expression is a graph: a node may be used many times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["PRECEDENCE", "children_first", "fold", "same_structure", "to_text", "tree_size"]

PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}
#: Longer texts would help nobody, and a node used twice, again and again, has a text of any length.
_LONGEST_TEXT_NODES = 100_000


def children_first(roots: Iterable[Any]) -> list[Any]:
    """Every node under `roots` once, arguments before what they are arguments of, from left to right."""
    out: list[Any] = []
    seen: set[int] = set()
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if id(node) in seen:
            continue
        if ready or node._op == "param":
            seen.add(id(node))
            out.append(node)
            continue
        stack.append((node, True))
        stack.extend((arg, False) for arg in reversed(node._args) if not isinstance(arg, float))
    return out


def fold(root: Any, function: Callable[[Any, list[Any]], Any]) -> Any:
    """``function(node, results of its arguments)`` from the leaves up; floats stand for themselves."""
    results: dict[int, Any] = {}
    for node in children_first([root]):
        leaf = node._op == "param"
        inner = [] if leaf else [a if isinstance(a, float) else results[id(a)] for a in node._args]
        results[id(node)] = function(node, inner)
    return results[id(root)]


def tree_size(root: Any) -> tuple[int, int]:
    """Number of nodes, counted as often as they are used, and depth."""

    def size(node: Any, inner: list[Any]) -> tuple[int, int]:
        parts = [i for i in inner if isinstance(i, tuple)]
        return 1 + sum(p[0] for p in parts), 1 + max((p[1] for p in parts), default=0)

    found: tuple[int, int] = fold(root, size)
    return found


def same_structure(first: Any, second: Any) -> bool:
    """Whether two expressions are built alike."""
    stack, seen = [(first, second)], set()
    while stack:
        a, b = stack.pop()
        if a is b or (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        if isinstance(a, float) or isinstance(b, float):
            if not (isinstance(a, float) and isinstance(b, float) and a == b):
                return False
            continue
        if a._hash != b._hash or a._op != b._op or len(a._args) != len(b._args):
            return False
        if a._op == "param":
            if a._args != b._args:
                return False
            continue
        stack.extend(zip(a._args, b._args, strict=True))
    return True


def to_text(node: Any) -> str:
    """As it would be typed, with the brackets it needs and multiples of pi recognised."""
    if isinstance(node, float):
        return _number_text(node)
    nodes, _ = tree_size(node)
    if nodes > _LONGEST_TEXT_NODES:
        return f"<expression of {nodes} operations>"
    text: str = fold(node, _node_text)[0]
    return text


def _node_text(node: Any, inner: list[Any]) -> tuple[str, int]:
    """Text, and how tightly it binds (5: nothing needs brackets around it)."""
    op = node._op
    if op == "param":
        return node.name, 5
    if op not in PRECEDENCE:
        return f"{op}({', '.join(_bracketed(arg, 0) for arg in inner)})", 5
    level = PRECEDENCE[op]
    if op == "neg":
        return f"-{_bracketed(inner[0], level)}", level
    if op == "**":
        return f"{_bracketed(inner[0], level + 1)}**{_bracketed(inner[1], level)}", level
    spaced = f" {op} " if level == 1 else op
    return f"{_bracketed(inner[0], level)}{spaced}{_bracketed(inner[1], level + 1)}", level


def _bracketed(part: Any, outer: int) -> str:
    if isinstance(part, float):
        text = _number_text(part)
        return f"({text})" if text.startswith("-") and outer else text
    text, level = part
    return f"({text})" if level < outer else text


def _number_text(value: float) -> str:
    if value and abs(value) < 1e3:
        for divisor in (1, 2, 3, 4, 6, 8):
            multiple = value * divisor / math.pi
            if abs(multiple) >= 1 - 1e-15 and multiple == round(multiple):
                count = round(multiple)
                head = {1: "pi", -1: "-pi"}.get(count, f"{count}*pi")
                return head if divisor == 1 else f"{head}/{divisor}"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
