"""Threads for kernels that release the GIL: one pool a process, work taken chunk by chunk."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["parallel_for"]

_MAX_THREADS = 256

_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()


def _forget_pool() -> None:
    """In a forked child the parent's threads are gone; the next loop starts new ones."""
    global _pool, _pool_lock
    _pool = None
    _pool_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


def _get_pool() -> ThreadPoolExecutor:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max_workers=_MAX_THREADS, thread_name_prefix="qsim-numba")
        return _pool


class _Loop:
    """Chunks 0 .. count-1 of one loop, handed out under a lock.

    The caller waits for chunks in work, not for tasks of the pool: a helper that the pool starts late
    (or never) finds no chunk left and touches nothing, so loops cannot wait for each other.
    """

    def __init__(self, body: Callable[[int], None], count: int) -> None:
        self._body = body
        self._count = count
        self._next = 0
        self._running = 0
        self._stopped = False
        self._error: BaseException | None = None
        self._condition = threading.Condition()

    def help(self) -> None:
        """Work until no chunk is left; an exception is kept for the caller."""
        while True:
            with self._condition:
                chunk = self._next
                if self._stopped or chunk >= self._count:
                    return
                self._next += 1
                self._running += 1
            error: BaseException | None = None
            try:
                self._body(chunk)
            except BaseException as exception:
                error = exception
            with self._condition:
                self._running -= 1
                if error is not None:
                    self._stopped = True
                    self._error = self._error or error
                self._condition.notify_all()

    def lead(self, helpers: int) -> None:
        """Work as the calling thread does: Ctrl-C ends the loop, after the helpers' present chunks."""
        interrupt: BaseException | None = None
        while True:
            try:
                if helpers:
                    wanted, helpers = helpers, 0
                    self._call_helpers(wanted)
                while True:
                    with self._condition:
                        chunk = self._next
                        if self._stopped or chunk >= self._count:
                            break
                        self._next += 1
                    self._body(chunk)
                with self._condition:
                    while self._running:
                        self._condition.wait()
                break
            except BaseException as exception:
                # The helpers write to the caller's arrays: they must have stopped before this returns.
                self._stopped = True
                interrupt = interrupt or exception
        if interrupt is not None:
            raise interrupt
        if self._error is not None:
            raise self._error

    def _call_helpers(self, count: int) -> None:
        try:
            pool = _get_pool()
            for _ in range(count):
                pool.submit(self.help)
        except RuntimeError:  # no more threads to be had, or the interpreter is shutting down
            pass


def parallel_for(body: Callable[[int], None], count: int, threads: int) -> None:
    """Call ``body(0)``, ..., ``body(count - 1)``, at most `threads` at a time.

    The chunks must be independent, and results must not depend on their order; `body` should take no
    longer than 0.2 s, since Ctrl-C is noticed between chunks. Safe to call from many threads at once.
    """
    if threads <= 1 or count <= 1:
        for chunk in range(count):
            body(chunk)
        return
    _Loop(body, count).lead(min(threads, count, _MAX_THREADS) - 1)
