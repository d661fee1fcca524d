"""How kernels are compiled: one decorator, a disk cache that cannot fail a run, and a notice on first use."""

# mypy: allow-untyped-calls, disable-error-code="attr-defined, misc", no-warn-unused-ignores
# How much of itself Numba types differs from version to version.

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import event
from numba.core.caching import FunctionCache

__all__ = ["fused", "jit"]

_NOTICE = "Compiling Numba kernels, once; later runs use the cache."


def _digest_of_sources() -> str:
    """Hash of all kernel sources.

    Numba's index knows only the file of the function it compiles; our kernels call each other across
    files, so an upgrade that changes a callee must not find the caller's old machine code.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("numba_*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


try:
    _DIGEST = _digest_of_sources()
except OSError:  # sources inside a zip file: Numba has its own locator for these
    _DIGEST = "unknown"


class _TolerantCache(FunctionCache):
    """Numba's cache, but a damaged, full or read-only directory means compiling again, not an exception."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a truncated file raises whatever unpickling met
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception:  # disk full, permission lost since the start
            self.disable()

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (super()._index_key(sig, codegen), _DIGEST)


def jit(function: Callable[..., Any]) -> Any:
    """Compile `function` without the GIL, IEEE arithmetic, cached on disk where that is possible."""
    return _compiled(function, False)


def fused(function: Callable[..., Any]) -> Any:
    """The same, but products may be added without being rounded first, as the C++ core does."""
    return _compiled(function, {"contract"})


def _compiled(function: Callable[..., Any], fastmath: Any) -> Any:
    dispatcher = numba.njit(nogil=True, error_model="numpy", fastmath=fastmath)(function)
    with contextlib.suppress(Exception):  # no directory can be written: compile in every process
        dispatcher._cache = _TolerantCache(dispatcher.py_func)
    _OWN.add(function)
    return dispatcher


_OWN: set[Callable[..., Any]] = set()


class _FirstUseNotice(event.Listener):
    """Warns once a process, before the first kernel that is not in the cache compiles."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said = False

    def on_start(self, event: Any) -> None:
        dispatcher = event.data.get("dispatcher") if isinstance(event.data, dict) else None
        if self._said or getattr(dispatcher, "py_func", None) not in _OWN:
            return
        with self._lock:
            first, self._said = not self._said, True
        if first:
            logging.getLogger("qsim").warning(_NOTICE)

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _FirstUseNotice())
