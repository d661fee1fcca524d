"""How compiled JAX functions call the core: foreign functions of XLA, which need no Python when they run."""

from __future__ import annotations

from typing import Any

__all__ = ["lower_to_core"]


def lower_to_core(name: str, otherwise: Any, ctx: Any, *operands: Any, program: Any) -> Any:
    """The lowering rule of the primitive `name`: a call of the core, or what `otherwise` makes of it."""
    return otherwise(ctx, *operands, program=program)
