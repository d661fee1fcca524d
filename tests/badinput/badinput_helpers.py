"""One table of cases a file: what is called, which class it raises, what its message names."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from qsim.errors import QsimError

#: classes that an error of ours may have
DOCUMENTED = (QsimError, TypeError)
MAX_SECONDS = 1.0
MAX_GROWTH = 50 << 20


class Case(NamedTuple):
    """A call that must raise `error` itself, not a class derived from it, with `text` in its message."""

    name: str
    call: Callable[[], Any]
    error: type[Exception]
    text: str


def cases(*rows: tuple[str, Callable[[], Any], type[Exception], str]) -> list[Case]:
    """The table of a file; names must differ."""
    table = [Case(*row) for row in rows]
    names = [case.name for case in table]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    return table


def each_case(table: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", table, ids=lambda case: case.name)


def resident_bytes() -> int:
    """Memory of this process that is in use; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


def check_case(case: Case) -> None:
    """The documented class, a message in full sentences that names what is wrong, soon and for free."""
    memory, start = resident_bytes(), time.perf_counter()
    with pytest.raises(Exception) as caught:
        case.call()
    seconds, growth = time.perf_counter() - start, resident_bytes() - memory
    message = str(caught.value)
    assert caught.type is case.error, f"{caught.type.__name__}: {message}"
    assert issubclass(caught.type, DOCUMENTED)
    assert case.text in message, message
    assert message[0].isupper() or message.startswith(("`", "line ")), message
    assert message.rstrip().endswith((".", "?", ")", "`")), message
    assert seconds <= MAX_SECONDS, f"{seconds:.2f} s"
    assert growth <= MAX_GROWTH, f"{growth >> 20} MiB"
