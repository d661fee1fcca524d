"""How arrays named after parameters make the angles of a program, in operations that JAX can follow."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from qsim._columns import NamedColumns
from qsim._expression_rules import FUNCTIONS, apply_operator
from qsim.program.slots import SlotMap

__all__ = ["Columns", "angles", "is_traceable"]


class Columns(NamedColumns):
    """The columns of JAX arrays."""

    def side_by_side(self, arrays: Sequence[Any]) -> Any:
        """Rows (..., num_parameters) of arrays that were checked, of their common dtype."""
        parts = [a if shape else a[..., None] for a, shape in zip(arrays, self.shapes.values(), strict=True)]
        dtype = functools.reduce(jnp.promote_types, (part.dtype for part in parts))
        batch = jnp.broadcast_shapes(*(part.shape[:-1] for part in parts))
        chosen = self._choice(tuple(part.shape[-1] for part in parts))
        wide = [jnp.broadcast_to(part.astype(dtype), (*batch, part.shape[-1])) for part in parts]
        rows = wide[0] if len(wide) == 1 else jnp.concatenate(wide, axis=-1)
        return rows if chosen is None else rows[..., chosen]


def is_traceable(slots: SlotMap) -> bool:
    """Whether JAX knows every operator of the expressions."""
    return all(isinstance(op, str) for op, _ in slots._plan)


def angles(slots: SlotMap, rows: Any) -> Any:
    """All slots (..., num_slots) of rows (..., num_parameters)."""
    if not slots.expressions:
        return rows
    nodes: list[Any] = []
    for op, args in slots._plan:
        if op == "param":
            nodes.append(rows[..., args[0]])
            continue
        given = tuple(a if isinstance(a, float) else nodes[a] for a in args)
        if op in FUNCTIONS or op == "arctan2":
            nodes.append(getattr(jnp, op)(*given))
        else:
            nodes.append(apply_operator(op, given))
    made = [jnp.asarray(nodes[place], rows.dtype) for place in slots._places]
    return jnp.concatenate([rows, jnp.stack(made, axis=-1)], axis=-1)
