"""The short way of a batch: one autograd node from the named tensors to the values, all else in NumPy.

Transforms of ``torch.func`` and ``torch.compile`` go by `functions` and `compiled`; so does a backward pass
that is itself to be differentiated.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.autograd import Function

from qsim.program.program import Program
from qsim.torch.functions import MAX_EAGER, Products, Pushed

if TYPE_CHECKING:
    from qsim.torch.columns import Columns

__all__ = ["Direct", "is_direct"]

#: Whether a transform of torch.func is at work; where PyTorch does not tell, it may be.
_transforms_active = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def is_direct() -> bool:
    """Whether `Direct` may serve: no transform of torch.func or torch.compile is at work."""
    return not _transforms_active() and not torch.compiler.is_compiling()


class Direct(Function):
    """Values (..., observables) of tensors in the order of `columns`, of their common dtype."""

    @staticmethod
    def forward(ctx: Any, program: Program, columns: Columns, *tensors: torch.Tensor) -> torch.Tensor:
        layout = columns.layout(tensors)
        rows = layout.rows([t.detach().numpy() for t in tensors])
        size = len(program.observables)
        slopes = None
        if any(ctx.needs_input_grad) and size <= MAX_EAGER and program.is_static:
            values, slopes = program.value_and_gradient(rows)
        else:
            values = program.expectation(rows)
        ctx.program, ctx.columns, ctx.layout, ctx.rows, ctx.slopes = program, columns, layout, rows, slopes
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)
        return _tensor(values.reshape(*layout.batch, size), _common_dtype(tensors))

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        tensors, needed = ctx.saved_tensors, ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():  # this pass is to be differentiated
            return None, None, *_differentiable(ctx, tensors, needed, cotangent)
        layout, slopes = ctx.layout, ctx.slopes
        flat = cotangent.numpy().reshape(layout.num_rows, -1).astype(np.float64, copy=False)
        if slopes is None:
            slopes = ctx.program.vjp(ctx.rows, flat)[1]
        elif any(itertools.compress(layout.varies, needed)):
            slopes = np.einsum("bo,bop->bp", flat, slopes)
        else:
            slopes = flat.reshape(-1) @ slopes.reshape(flat.size, slopes.shape[-1])
        gradients = (
            _tensor(layout.back(slopes, k), t.dtype) if need else None
            for k, (t, need) in enumerate(zip(tensors, needed, strict=True))
        )
        return None, None, *gradients

    @staticmethod
    def jvp(ctx: Any, _: Any, __: Any, *tangents: Any) -> torch.Tensor:
        tensors = ctx.saved_tensors
        given = [torch.zeros_like(t) if d is None else d for t, d in zip(tensors, tangents, strict=True)]
        gather = ctx.columns.side_by_side
        rows, moved = gather(tensors), gather(given)
        flat = [r.reshape(-1, r.shape[-1]).to(torch.float64) for r in (rows, moved)]
        out = Pushed.apply(ctx.program, *flat)
        return out.reshape(*rows.shape[:-1], -1).to(_common_dtype(tensors))


def _tensor(array: Any, dtype: torch.dtype) -> torch.Tensor:
    out = torch.from_numpy(array)
    return out if dtype is torch.float64 else out.to(dtype)


def _common_dtype(tensors: Any) -> torch.dtype:
    dtypes = {t.dtype for t in tensors}
    return dtypes.pop() if len(dtypes) == 1 else functools.reduce(torch.promote_types, dtypes)


def _differentiable(ctx: Any, tensors: Any, needed: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
    rows = ctx.columns.side_by_side(tensors)
    values = rows.reshape(-1, rows.shape[-1]).to(torch.float64)
    flat = cotangent.reshape(len(values), -1).to(torch.float64)
    slopes = None if ctx.slopes is None else torch.from_numpy(ctx.slopes)
    products = Products.apply(ctx.program, values, flat, slopes)
    chosen = [t for t, need in zip(tensors, needed, strict=True) if need]
    found = iter(torch.autograd.grad(values, chosen, products, create_graph=True))
    return tuple(next(found) if need else None for need in needed)
