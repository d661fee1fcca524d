"""How bad input is refused: a documented class, a message that names the argument, soon, for free."""

from __future__ import annotations

import gc
import re
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

from qsim.errors import QsimError

__all__ = ["assert_refused", "cases"]

BUILT_IN = (TypeError, ValueError, IndexError, KeyError, MemoryError, RuntimeError)


def peak_memory() -> int:
    """Largest resident size so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def assert_refused(call: Callable[[], Any], error: type[Exception], match: str) -> None:
    """The call raises exactly this documented class, with this text, in a second and 50 MB."""
    gc.collect()
    memory, start = peak_memory(), time.perf_counter()
    with pytest.raises(error) as caught:
        call()
    elapsed, grown = time.perf_counter() - start, peak_memory() - memory
    assert type(caught.value) is error, f"{type(caught.value).__name__}, not {error.__name__}: {caught.value}"
    assert isinstance(caught.value, BUILT_IN)
    assert isinstance(caught.value, QsimError) or type(caught.value) is TypeError
    message = str(caught.value)
    assert re.search(match, message), message
    assert message.endswith((".", "?", ")")), f"not a sentence: {message}"
    assert elapsed <= 1.0
    assert grown <= 50 << 20


def cases(table: dict[str, tuple[Callable[[], Any], type[Exception], str]]) -> pytest.MarkDecorator:
    """The decorator that runs a test on each row of a table of (call, error, text)."""
    return pytest.mark.parametrize("call, error, match", list(table.values()), ids=list(table))
