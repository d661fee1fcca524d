"""Numbers of sections as results of PennyLane, and cotangents of results as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.pennylane.plan import Plan

__all__ = ["pack", "unpack"]

FloatArray = npt.NDArray[np.float64]


def unpack(plan: Plan, values: Sequence[FloatArray], batch: int | None) -> Any:
    """The result of a tape: for each measurement an array, with the batch in front if there is one."""
    by_section = dict(zip(map(id, plan.sections), values, strict=True))
    found = []
    for section, field in plan.fields():
        value = field.take(by_section[id(section)])
        found.append(value if batch is not None else value[0])
    return found[0] if len(found) == 1 else tuple(found)


def pack(plan: Plan, cotangent: Any, rows: int) -> list[FloatArray]:
    """Numbers (rows, size) for each section, of a cotangent of the shape of a result.

    PennyLane's cotangent of a complex number multiplies it without conjugation.
    """
    parts = (
        [cotangent] if len(plan.measurements) == 1 and not isinstance(cotangent, tuple | list) else cotangent
    )
    out = {id(section): np.zeros((rows, section.size)) for section in plan.sections}
    for (section, field), part in zip(plan.fields(), parts, strict=True):
        field.put(np.broadcast_to(_array(part), (rows, *field.shape)), out[id(section)], sign=-1)
    return [out[id(section)] for section in plan.sections]


def _array(value: Any) -> Any:
    array = np.asarray(value)
    return array if array.dtype.kind in "fc" else array.astype(float)
