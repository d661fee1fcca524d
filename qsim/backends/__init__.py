"""Backends: what executes a tape. `base` holds the protocol and the choice between them."""

from __future__ import annotations

from qsim.backends.base import BACKENDS, Backend, available_backends, get_backend

__all__ = ["BACKENDS", "Backend", "available_backends", "get_backend"]
