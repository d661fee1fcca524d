"""Products with Jacobians, and these themselves, by the trainable parameters of a tape in NumPy's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pennylane.tape import QuantumScript

from qsim.errors import GradientError
from qsim.pennylane.plan import Column, Plan
from qsim.pennylane.results import pack, unpack
from qsim.pennylane.target import Target

__all__ = ["VJP", "jacobian", "jvp", "vjp"]

FloatArray = npt.NDArray[np.float64]


class VJP(tuple):  # type: ignore[type-arg]
    """Derivatives by the trainable parameters, each of its parameter's shape.

    PennyLane's interface for PyTorch calls ``np.squeeze`` on it, to see whether there are any; NumPy can only
    make an array of parts of one shape, and asks a method of this name first.
    """

    def squeeze(self, axis: Any = None) -> Any:
        return np.empty(len(self))


class _Point:
    """A plan at the numbers of a tape."""

    def __init__(self, plan: Plan, tape: QuantumScript) -> None:
        self.plan, self.tape = plan, tape
        self.data = [d for op in tape.operations for d in op.data]
        initial = plan.initial(tape)
        rows = plan.full_rows(self.data)
        count = max(len(rows), len(initial) if initial is not None and initial.ndim > 1 else 1)
        self.rows = rows if len(rows) == count else np.repeat(rows, count, axis=0)
        self.batch = tape.batch_size
        self.targets = [Target(plan, section, initial) for section in plan.sections]

    def results(self, values: Sequence[FloatArray]) -> Any:
        return unpack(self.plan, values, self.batch)

    def column(self, index: int) -> Column:
        """Where a trainable number of the tape stands."""
        column = self.plan.columns[index] if index < len(self.plan.columns) else None
        if column is None:
            name = self.tape.par_info[index]["op"].name
            raise GradientError(
                f"Parameter {index} of the tape, of `{name}`, is a matrix, a state or part of an observable; "
                "there is no derivative by it on this device."
            )
        return column


def vjp(plan: Plan, tape: QuantumScript, cotangent: Any) -> tuple[Any, VJP]:
    """Results, and the product of a cotangent of theirs with the Jacobian.

    Axes of a cotangent in front of those of a result stand for many cotangents, and are in front of each
    derivative. A batch that the cotangent has not is JAX's map over parameters: each derivative, also that by
    a parameter without the batch, then has the batch in front of all.
    """
    point = _Point(plan, tape)
    columns = [point.column(index) for index in tape.trainable_params]
    weights, leading, has_batch = pack(plan, cotangent, point.batch, len(point.rows))
    pairs = [t.vjps(point.rows, part) for t, part in zip(point.targets, weights, strict=True)]
    slopes = np.add.reduce([p[1] for p in pairs])
    out = []
    for index, column in zip(tape.trainable_params, columns, strict=True):
        part = slopes[..., column.start : column.stop].reshape(*leading, len(point.rows), *column.shape)
        if not has_batch:
            part = np.moveaxis(part, len(leading), 0)
        elif np.ndim(point.data[index]) <= len(column.shape):
            part = part.sum(axis=len(leading))
        out.append(part)
    return point.results([p[0] for p in pairs]), VJP(out)


def jvp(plan: Plan, tape: QuantumScript, tangents: Any) -> tuple[Any, Any]:
    """Results, and the product of the Jacobian with tangents of the trainable parameters."""
    point = _Point(plan, tape)
    moved = np.zeros_like(point.rows)
    for index, tangent in zip(tape.trainable_params, tangents, strict=True):
        column = point.column(index)
        target = moved[:, column.start : column.stop]
        target += np.asarray(tangent, dtype=float).reshape(-1, target.shape[1])
    pairs = [t.jvp(point.rows, moved) for t in point.targets]
    return point.results([p[0] for p in pairs]), point.results([p[1] for p in pairs])


def jacobian(plan: Plan, tape: QuantumScript) -> tuple[Any, Any]:
    """Results, and for each measurement and trainable parameter the derivative, as PennyLane nests them.

    With a batch the derivative of value b by entry b of a batched parameter is entry b: rows do not mix.
    """
    point = _Point(plan, tape)
    columns = [point.column(index) for index in tape.trainable_params]
    if any(column.shape for column in columns):
        raise GradientError(
            "A Jacobian by a parameter that is a vector, as SpecialUnitary has, is not available on this "
            "device; products with it are."
        )
    pairs = [t.value_and_gradient(point.rows) for t in point.targets]
    slopes = dict(zip(map(id, plan.sections), (p[1] for p in pairs), strict=True))
    out = []
    for section, field in plan.fields():
        parts = [field.take(slopes[id(section)][:, :, column.start]) for column in columns]
        found = [part if point.batch is not None else part[0] for part in parts]
        out.append(found[0] if len(found) == 1 else tuple(found))
    return point.results([p[0] for p in pairs]), out[0] if len(out) == 1 else tuple(out)
