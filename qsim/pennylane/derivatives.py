"""Products with Jacobians, and these themselves, by the trainable parameters of a tape."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pennylane.tape import QuantumScript

from qsim.errors import GradientError
from qsim.pennylane.plan import Plan
from qsim.pennylane.results import pack, unpack

__all__ = ["VJP", "jacobian", "jvp", "vjp"]

FloatArray = npt.NDArray[np.float64]


class VJP(tuple):  # type: ignore[type-arg]
    """Derivatives by the trainable parameters, each of its parameter's shape.

    PennyLane's interface for PyTorch calls ``np.squeeze`` on it, to see whether there are any; NumPy can only
    make an array of parts of one shape, and asks a method of this name first.
    """

    def squeeze(self, axis: Any = None) -> Any:
        return np.empty(len(self))


def vjp(plan: Plan, tape: QuantumScript, cotangent: Any) -> tuple[Any, VJP]:
    """Results, and the product of a cotangent of theirs with the Jacobian."""
    rows, batch, initial = _point(plan, tape)
    count = _num_rows(rows, initial)
    values, slopes, before = [], 0.0, None
    for section, part in zip(plan.sections, pack(plan, cotangent, count), strict=True):
        value, slope, *rest = section.vjp(rows, part, initial)
        values.append(value)
        slopes = slopes + slope
        before = rest[0] if before is None and rest else before
    by_parameter = plan.full(np.asarray(slopes))
    out = [_parameter_slope(plan, tape, k, by_parameter, batch) for k in tape.trainable_params]
    return unpack(plan, values, batch), VJP(out)


def _parameter_slope(plan: Plan, tape: QuantumScript, index: int, slopes: FloatArray, batch: int | None) -> Any:
    """Derivatives (rows, parameters) as one by a number of the tape, summed over rows that share it."""
    column = _column(plan, tape, index)
    if column is None:
        return np.zeros(np.shape(_datum(tape, index)))
    shape = np.shape(_datum(tape, index))
    part = slopes[:, column.start : column.stop].reshape(len(slopes), *column.shape)
    return part if len(shape) > len(column.shape) else part.sum(axis=0)


def jvp(plan: Plan, tape: QuantumScript, tangents: Any) -> tuple[Any, Any]:
    """Results, and the product of the Jacobian with tangents of the trainable parameters."""
    rows, batch, initial = _point(plan, tape)
    moved = np.zeros((_num_rows(rows, initial), len(plan.parameters)))
    for index, tangent in zip(tape.trainable_params, tangents, strict=True):
        column = _column(plan, tape, index)
        if column is not None:
            target = moved[:, column.start : column.stop]
            target += np.asarray(tangent, dtype=float).reshape(-1, target.shape[1])
    if plan.chosen is not None:
        moved = moved[:, plan.chosen]
    if initial is None:
        pairs = [section.jvp(rows, moved) for section in plan.sections]
    else:
        pairs = [_with_states(section, rows, initial) for section in plan.sections]
        pairs = [(value, np.einsum("bsp,bp->bs", slopes, moved)) for value, slopes in pairs]
    return unpack(plan, [p[0] for p in pairs], batch), unpack(plan, [p[1] for p in pairs], batch)


def jacobian(plan: Plan, tape: QuantumScript) -> tuple[Any, Any]:
    """Results, and for each measurement and trainable parameter the derivative, as PennyLane nests them.

    With a batch the derivative of value b by entry b of a batched parameter is entry b: rows do not mix.
    """
    rows, batch, initial = _point(plan, tape)
    if initial is None:
        pairs = [section.jacobian(rows) for section in plan.sections]
    else:
        pairs = [_with_states(section, rows, initial) for section in plan.sections]
    results = unpack(plan, [p[0] for p in pairs], batch)
    slopes = dict(zip(map(id, plan.sections), (plan.full(p[1]) for p in pairs), strict=True))
    out = []
    for section, field in plan.fields():
        by_parameter = []
        for index in tape.trainable_params:
            column = _column(plan, tape, index)
            whole = slopes[id(section)]
            if column is None:
                part = np.zeros((len(whole), section.size))
            elif column.shape:
                raise GradientError(
                    "A Jacobian by a parameter that is a vector, as SpecialUnitary has, is not available; "
                    "products with it are: pass device_vjp=True."
                )
            else:
                part = whole[:, :, column.start]
            value = field.take(part)
            by_parameter.append(value if batch is not None else value[0])
        out.append(by_parameter[0] if len(by_parameter) == 1 else tuple(by_parameter))
    return results, out[0] if len(out) == 1 else tuple(out)


# -- small things ----------------------------------------------------------------------------------------
def _point(plan: Plan, tape: QuantumScript) -> tuple[FloatArray, int | None, Any]:
    rows, batch = plan.rows([d for op in tape.operations for d in op.data])
    return rows, tape.batch_size if batch is None else batch, plan.initial(tape)


def _num_rows(rows: FloatArray, initial: Any) -> int:
    return max(len(rows), len(initial) if initial is not None and initial.ndim > 1 else 1)


def _with_states(section: Any, rows: FloatArray, initial: Any) -> tuple[FloatArray, FloatArray]:
    """Values and Jacobians (rows, size, parameters) from given states: one cotangent for each number."""
    count = _num_rows(rows, initial)
    values, found = None, []
    for k in range(section.size):
        unit = np.zeros((count, section.size))
        unit[:, k] = 1.0
        values, slope, _ = section.vjp(rows, unit, initial)
        found.append(slope)
    return np.asarray(values), np.stack(found, axis=1)


def _datum(tape: QuantumScript, index: int) -> Any:
    info = tape.par_info[index]
    op = info["op"]
    return op.data[info["p_idx"]]


def _column(plan: Plan, tape: QuantumScript, index: int) -> Any:
    """Where a number of the tape stands; None for that of an observable, whose derivative is taken as zero."""
    if index >= len(plan.columns):
        return None
    column = plan.columns[index]
    if column is None:
        raise GradientError(
            f"Parameter {index} of the tape, of `{tape.par_info[index]['op'].name}`, is a matrix or a state; there is no "
            "derivative by it on this device."
        )
    return column
