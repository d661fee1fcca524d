"""Matrix products on several threads, each of one BLAS thread.

BLAS has threads of its own, which neither know `threads` nor of the core's: both wait actively, so products
right after an encoding, or beside other work, take many times longer. threadpoolctl, which scikit-learn
brings along, can keep BLAS to one thread; where it is not installed, BLAS shares its work as it likes and
nothing is done here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

__all__ = ["one_blas_thread", "run_all"]


@cache
def _controller() -> Any:
    """What knows the BLAS libraries of this process; None without threadpoolctl."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Keeps BLAS to one thread for a while; tells whether it can."""
    controller = _controller()
    if controller is None:
        yield False
        return
    with controller.limit(limits=1, user_api="blas"):
        yield True


def run_all(tasks: Sequence[Callable[[], None]], threads: int) -> None:
    """Run tasks, the first ones first, on up to `threads` threads of which this is one."""
    with one_blas_thread() as alone:
        waiting = list(reversed(tasks))
        errors: list[BaseException] = []

        def work() -> None:
            while True:
                try:
                    task = waiting.pop()
                except IndexError:
                    return
                try:
                    task()
                except BaseException as error:
                    errors.append(error)
                    waiting.clear()

        helpers = [
            threading.Thread(target=work, daemon=True)
            for _ in range(min(threads, len(tasks)) - 1 if alone else 0)
        ]
        for helper in helpers:
            helper.start()
        work()
        for helper in helpers:
            helper.join()
    if errors:
        raise errors[0]
