"""Numbers of sections as results of PennyLane, and cotangents of results as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qsim.pennylane.plan import Plan

__all__ = ["Packed", "pack", "unpack"]

FloatArray = npt.NDArray[np.float64]


def unpack(plan: Plan, values: Sequence[FloatArray], batch: int | None) -> Any:
    """The result of a tape: for each measurement an array, with the batch in front if there is one."""
    by_section = dict(zip(map(id, plan.sections), values, strict=True))
    found = []
    for section, field in plan.fields():
        value = field.take(by_section[id(section)])
        found.append(value if batch is not None else value[0])
    return found[0] if len(found) == 1 else tuple(found)


class Packed(NamedTuple):
    """Cotangents as numbers: what `pack` makes of them."""

    #: for each section (cotangents, rows, size)
    weights: list[FloatArray]
    #: axes in front of those of a result
    leading: tuple[int, ...]
    #: False if the tape has a batch and the cotangent has none
    has_batch: bool


def pack(plan: Plan, cotangent: Any, batch: int | None, rows: int) -> Packed:
    """Numbers for each section, of a cotangent of the shape of a result or of many of them, stacked in front.

    PennyLane's cotangent of a complex number multiplies it without conjugation. JAX maps over cotangents
    (as for a Jacobian row by row) by a call with further axes in front of some or all of them; where it maps
    over parameters, the tape has the batch, but a cotangent that does not depend on them has not.
    """
    is_one = len(plan.measurements) == 1 and not isinstance(cotangent, tuple | list)
    parts = [_array(part) for part in ([cotangent] if is_one else cotangent)]
    fields = plan.fields()
    fronts = [
        part.shape[: max(part.ndim - len(field.shape), 0)]
        for (_, field), part in zip(fields, parts, strict=True)
    ]
    batched = [batch is not None and front[-1:] == (batch,) for front in fronts]
    extra = [front[:-1] if own else front for front, own in zip(fronts, batched, strict=True)]
    leading = np.broadcast_shapes(*extra)
    count = math.prod(leading)
    out = {id(section): np.zeros((count * rows, section.size)) for section in plan.sections}
    for (section, field), part, front, own in zip(fields, parts, extra, batched, strict=True):
        spread = part if own else np.expand_dims(part, len(front))
        value = np.broadcast_to(spread, (*leading, rows, *field.shape))
        field.put(value, out[id(section)], sign=-1)
    weights = [out[id(section)].reshape(count, rows, section.size) for section in plan.sections]
    return Packed(weights, leading, batch is None or any(batched))


def _array(value: Any) -> Any:
    array = np.asarray(value)
    return array if array.dtype.kind in "fc" else array.astype(float)
