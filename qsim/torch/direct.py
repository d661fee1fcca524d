"""The short way of a batch: one autograd node from the named tensors to the values, all else in NumPy.

Transforms of ``torch.func`` and ``torch.compile`` go by `functions` and `compiled`; so does a backward pass
that is itself to be differentiated.
"""

from __future__ import annotations

import functools
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
        rows = columns.rows([t.detach().numpy() for t in tensors])
        ctx.program, ctx.columns, ctx.slopes = program, columns, None
        batch = rows.shape[:-1]
        flat = rows.reshape(-1, rows.shape[-1])
        size = len(program.observables)
        if any(ctx.needs_input_grad) and size <= MAX_EAGER and program.is_static:
            values, ctx.slopes = program.value_and_gradient(flat)
        else:
            values = program.expectation(flat)
        ctx.rows = flat
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)
        return torch.from_numpy(values.reshape(*batch, size)).to(_common_dtype(tensors))

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        tensors, needed = ctx.saved_tensors, ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():  # this pass is to be differentiated
            return None, None, *_differentiable(ctx, tensors, needed, cotangent)
        flat = cotangent.detach().numpy().reshape(len(ctx.rows), -1).astype(np.float64)
        if ctx.slopes is not None:
            slopes = np.einsum("bo,bop->bp", flat, ctx.slopes)
        else:
            slopes = ctx.program.vjp(ctx.rows, flat)[1]
        return None, None, *ctx.columns.back(slopes, tensors, needed)

    @staticmethod
    def jvp(ctx: Any, _: Any, __: Any, *tangents: Any) -> torch.Tensor:
        tensors = ctx.saved_tensors
        given = [torch.zeros_like(t) if d is None else d for t, d in zip(tensors, tangents, strict=True)]
        gather = ctx.columns.side_by_side
        rows, moved = gather(tensors), gather(given)
        flat = [r.reshape(-1, r.shape[-1]).to(torch.float64) for r in (rows, moved)]
        out = Pushed.apply(ctx.program, *flat)
        return out.reshape(*rows.shape[:-1], -1).to(_common_dtype(tensors))


def _common_dtype(tensors: Any) -> torch.dtype:
    return functools.reduce(torch.promote_types, (t.dtype for t in tensors))


def _differentiable(ctx: Any, tensors: Any, needed: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
    rows = ctx.columns.side_by_side(tensors)
    values = rows.reshape(-1, rows.shape[-1]).to(torch.float64)
    flat = cotangent.reshape(len(values), -1).to(torch.float64)
    slopes = None if ctx.slopes is None else torch.from_numpy(ctx.slopes)
    products = Products.apply(ctx.program, values, flat, slopes)
    chosen = [t for t, need in zip(tensors, needed, strict=True) if need]
    found = iter(torch.autograd.grad(values, chosen, products, create_graph=True))
    return tuple(next(found) if need else None for need in needed)
