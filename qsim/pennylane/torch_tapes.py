"""Tapes with tensors of PyTorch: the values of a tape are one node of its graph, twice differentiable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.autograd import Function

from qsim.errors import GradientError
from qsim.pennylane.plan import Plan
from qsim.pennylane.results import unpack
from qsim.pennylane.target import Target
from qsim.torch.direct import is_direct
from qsim.torch.functions import Products, Values

__all__ = ["execute"]

#: Up to so many numbers their gradients are taken in the forward step.
MAX_EAGER = 2


def execute(plan: Plan, tape: Any) -> Any:
    """The results of a tape, as tensors."""
    data = [d for op in tape.operations for d in op.data]
    state = _state(plan, tape)
    if state is not None and state.requires_grad:
        return _from_trainable_state(plan, tape, data, state)
    initial = None if state is None else state.numpy(force=True)
    values = []
    for section in plan.sections:
        target = Target(plan, section, initial)
        if is_direct():
            values.append(Direct.apply(target, plan, *data))
        else:
            batch = _batch(plan, data, initial)
            values.append(Values.apply(target, rows_of(plan, data, batch), False)[0])
    return unpack(plan, values, tape.batch_size)


class Direct(Function):
    """Values (rows, size) of the numbers of a tape, all between in NumPy."""

    @staticmethod
    def forward(ctx: Any, target: Target, plan: Plan, *data: Any) -> torch.Tensor:
        rows = plan.full_rows([_array(d) for d in data])
        ctx.target, ctx.plan, ctx.rows, ctx.slopes = target, plan, rows, None
        ctx.is_tensor = [isinstance(d, torch.Tensor) for d in data]
        ctx.others = [d for d in data if not isinstance(d, torch.Tensor)]
        ctx.save_for_backward(*(d for d in data if isinstance(d, torch.Tensor)))
        if any(ctx.needs_input_grad) and target.size <= MAX_EAGER:
            values, ctx.slopes = target.value_and_gradient(rows)
        else:
            values = target.expectation(rows)
        return torch.from_numpy(np.ascontiguousarray(values))

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        if torch.is_grad_enabled():  # this pass is to be differentiated
            return None, None, *_differentiable(ctx, cotangent)
        weights = cotangent.numpy(force=True).astype(np.float64, copy=False)
        if ctx.slopes is not None:
            slopes = np.einsum("bs,bsp->bp", weights, ctx.slopes)
        else:
            slopes = ctx.target.vjp(ctx.rows, np.ascontiguousarray(weights))[1]
        return None, None, *_by_datum(ctx, slopes)


def _data(ctx: Any) -> list[Any]:
    tensors, others = iter(ctx.saved_tensors), iter(ctx.others)
    return [next(tensors if is_tensor else others) for is_tensor in ctx.is_tensor]


def _by_datum(ctx: Any, slopes: Any) -> list[Any]:
    """Derivatives (rows, parameters) as one for each number of the tape that needs it."""
    needed = ctx.needs_input_grad[2:]
    sums = torch.from_numpy(slopes.sum(axis=0)).unbind()
    by_row = torch.from_numpy(np.ascontiguousarray(slopes.T)) if len(slopes) > 1 else None
    out: list[Any] = []
    for need, datum, column in zip(needed, _data(ctx), ctx.plan.columns, strict=True):
        if not need or column is None:
            out.append(None)
            continue
        if column.shape:
            part = torch.from_numpy(np.ascontiguousarray(slopes[:, column.start : column.stop]))
            part = part if datum.ndim > 1 else part.sum(0)
        elif datum.ndim == 0:
            part = sums[column.start]
        else:
            part = by_row[column.start] if by_row is not None else sums[column.start].reshape(1)
        out.append(part if datum.dtype == torch.float64 else part.to(datum.dtype))
    return out


def _differentiable(ctx: Any, cotangent: torch.Tensor) -> list[Any]:
    needed, data = ctx.needs_input_grad[2:], _data(ctx)
    rows = rows_of(ctx.plan, data, len(ctx.rows))
    slopes = None if ctx.slopes is None else torch.from_numpy(ctx.slopes)
    products = Products.apply(ctx.target, rows, cotangent.to(torch.float64), slopes)
    chosen = [d for d, need in zip(data, needed, strict=True) if need]
    found = iter(torch.autograd.grad(rows, chosen, products, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]


def rows_of(plan: Plan, data: Sequence[Any], batch: int) -> torch.Tensor:
    """Rows (batch, parameters) that remember what they are made of."""
    columns = []
    for datum, column in zip(data, plan.columns, strict=True):
        if column is None:
            continue
        tensor = torch.as_tensor(datum).to(torch.float64)
        columns.append(tensor.expand(batch, *column.shape).reshape(batch, -1))
    return torch.cat(columns, dim=1) if columns else torch.zeros(batch, 0, dtype=torch.float64)


def _batch(plan: Plan, data: Sequence[Any], initial: Any) -> int:
    found = plan.batch_of(data)
    if found is not None:
        return found
    return len(initial) if initial is not None and initial.ndim > 1 else 1


def _array(datum: Any) -> Any:
    return datum.numpy(force=True) if isinstance(datum, torch.Tensor) else datum


def _state(plan: Plan, tape: Any) -> Any:
    """The amplitudes a tape starts from, as a tensor."""
    if not plan.has_state:
        return None
    op = tape.operations[0]
    state = torch.as_tensor(op.state_vector(wire_order=list(plan.wires))).to(torch.complex128)
    return state.reshape(-1) if op.batch_size is None else state.reshape(op.batch_size, -1)


# -- a state that is itself differentiated by --------------------------------------------------------
class FromState(Function):
    """Values (rows, size) of rows of parameters and of the states they start from."""

    @staticmethod
    def forward(ctx: Any, plan: Plan, section: Any, rows: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        ctx.plan, ctx.section = plan, section
        ctx.save_for_backward(rows, state)
        target = Target(plan, section, state.numpy(force=True))
        return torch.from_numpy(target.expectation(rows.numpy(force=True)))

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        if torch.is_grad_enabled():
            raise GradientError(
                "A circuit that starts from a prepared state has no second derivatives on this device."
            )
        rows, state = ctx.saved_tensors
        own, plan = rows.numpy(force=True), ctx.plan
        own = own if plan.chosen is None else np.ascontiguousarray(own[:, plan.chosen])
        weights = np.ascontiguousarray(cotangent.numpy(force=True), dtype=np.float64)
        _, slopes, before = ctx.section.vjp(own, weights, state.numpy(force=True))
        by_state = torch.from_numpy(before)
        if state.ndim == 1:
            by_state = by_state.sum(0)
        by_rows = torch.from_numpy(plan.full(slopes))
        return None, None, by_rows if len(rows) > 1 or len(by_rows) == 1 else by_rows.sum(0, True), by_state


def _from_trainable_state(plan: Plan, tape: Any, data: Sequence[Any], state: torch.Tensor) -> Any:
    rows = rows_of(plan, data, _batch(plan, data, state))
    values = [FromState.apply(plan, section, rows, state) for section in plan.sections]
    return unpack(plan, values, tape.batch_size)
