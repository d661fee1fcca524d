"""Numbers and symbolic parameters as OpenQASM text that reads back as the same floats."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from qsim._expression_rules import TWO_ARGUMENTS
from qsim.errors import QasmError
from qsim.parameters import Parameter, ParameterExpression

__all__ = ["number_text", "parameter_text"]

_DIVISORS = (1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 32, 64, 128, 256, 512, 1024)
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}


@lru_cache(maxsize=65536)
def number_text(value: float) -> str:
    """A float; as a fraction of pi only where that is exactly the same float."""
    if value and abs(value) < 64.0:
        for divisor in _DIVISORS:
            count = round(value * divisor / math.pi)
            if count and abs(count) <= 4 * divisor and count * math.pi / divisor == value:
                head = {1: "pi", -1: "-pi"}.get(count, f"{count}*pi")
                return head if divisor == 1 else f"{head}/{divisor}"
    return repr(float(value))


def parameter_text(expression: Any, name: Callable[[Parameter], str], outer: int = 0) -> str:
    """A parameter expression; numbers in it are floats, so that no division becomes one of integers."""
    if isinstance(expression, Parameter):
        return name(expression)
    if not isinstance(expression, ParameterExpression):
        text = number_text(float(expression))
        compound = 1 if text.startswith("-") else 2 if "/" in text or "*" in text else 9
        return f"({text})" if compound < outer or (compound < 9 and outer > 1) else text
    op, args = expression._op, expression._args
    if op in TWO_ARGUMENTS:
        raise QasmError(f"OpenQASM has no function `{op}`; bind the parameters of `{expression}` first.")
    if op not in _PRECEDENCE:
        return f"{op}({parameter_text(args[0], name)})"
    level = _PRECEDENCE[op]
    if op == "neg":
        text = f"-{parameter_text(args[0], name, level + 1)}"
    elif op == "**":
        text = f"{parameter_text(args[0], name, level + 1)}**{parameter_text(args[1], name, level)}"
    else:
        sign = f" {op} " if level == 1 else op
        left, right = parameter_text(args[0], name, level), parameter_text(args[1], name, level + 1)
        text = f"{left}{sign}{right}"
    return f"({text})" if level < outer else text
