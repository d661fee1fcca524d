"""Values of a program and their derivatives as functions that PyTorch differentiates and batches.

Rows ``values`` (batch, parameters) become values ``E`` (batch, observables). With ``c`` a cotangent of E and
``t`` a tangent of the rows, four functions are closed under two derivatives:

* `Values`: ``E``;
* `Products`: ``c . dE/dx``, the backward step;
* `Pushed`: ``dE/dx . t``, the forward step;
* `Curvature`: ``c . d2E/dx2 . t``, which ends the chain.

Each folds a dimension of ``torch.vmap`` into its batch, so that the core sees one batch whatever is
transformed.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from torch.autograd import Function

from qsim.errors import GradientError
from qsim.program.program import Program

__all__ = ["Curvature", "Products", "Pushed", "Values"]

#: Up to so many observables their gradients are taken in the forward step: one sweep in lanes gives both.
MAX_EAGER = 2


def _with_signature(function: Any) -> Any:
    """``Function.apply`` asks for the signature in each call, which takes as long as a small circuit."""
    function.__signature__ = inspect.signature(function)
    return function


def _array(tensor: torch.Tensor) -> Any:
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float64)


def _tensor(array: Any) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def _folded(info: Any, in_dims: tuple[Any, ...], tensors: tuple[Any, ...]) -> list[Any]:
    """The mapped dimension in front of all tensors and part of their batch."""
    out: list[Any] = []
    for dim, tensor in zip(in_dims, tensors, strict=True):
        if tensor is None:
            out.append(None)
            continue
        moved = tensor.expand(info.batch_size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
        out.append(moved.reshape(-1, *moved.shape[2:]))
    return out


def _unfolded(info: Any, tensor: torch.Tensor) -> torch.Tensor:
    return tensor.reshape(info.batch_size, len(tensor) // info.batch_size, *tensor.shape[1:])


class Values(Function):
    """``E`` (batch, observables); if `eager`, also ``dE/dx`` (batch, observables, parameters)."""

    @staticmethod
    @_with_signature
    def forward(program: Program, values: torch.Tensor, eager: bool) -> tuple[torch.Tensor, torch.Tensor]:
        if eager:
            found, slopes = program.value_and_gradient(_array(values))
            return _tensor(found), _tensor(slopes)
        return _tensor(program.expectation(_array(values))), values.new_empty((len(values), 0, 0))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        program, values, eager = inputs
        ctx.program, ctx.eager = program, eager
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(values, output[1])
        ctx.save_for_forward(values)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor, _: Any) -> tuple[Any, ...]:
        values, slopes = ctx.saved_tensors
        return None, Products.apply(ctx.program, values, cotangent, slopes if ctx.eager else None), None

    @staticmethod
    def jvp(ctx: Any, _: Any, tangent: torch.Tensor, __: Any) -> tuple[Any, ...]:
        (values,) = ctx.saved_tensors[:1]
        return Pushed.apply(ctx.program, values, tangent), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], program: Program, values: torch.Tensor, eager: bool) -> Any:
        (rows,) = _folded(info, in_dims[1:2], (values,))
        found, slopes = Values.apply(program, rows, eager)
        return (_unfolded(info, found), _unfolded(info, slopes)), (0, 0)


class Products(Function):
    """``c . dE/dx`` (batch, parameters); `slopes` is ``dE/dx`` if it is known."""

    @staticmethod
    @_with_signature
    def forward(program: Program, values: torch.Tensor, cotangent: torch.Tensor, slopes: Any) -> torch.Tensor:
        if slopes is not None:
            return torch.einsum("bo,bop->bp", cotangent, slopes)
        return _tensor(program.vjp(_array(values), _array(cotangent))[1])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.program = inputs[0]
        ctx.save_for_backward(*inputs[1:3])
        ctx.save_for_forward(*inputs[1:3])

    @staticmethod
    def backward(ctx: Any, vector: torch.Tensor) -> tuple[Any, ...]:
        values, cotangent = ctx.saved_tensors
        by_values = by_cotangent = None
        if ctx.needs_input_grad[1]:
            by_values = Curvature.apply(ctx.program, values, vector, cotangent)
        if ctx.needs_input_grad[2]:
            by_cotangent = Pushed.apply(ctx.program, values, vector)
        return None, by_values, by_cotangent, None

    @staticmethod
    def jvp(ctx: Any, _: Any, values_t: Any, cotangent_t: Any, __: Any) -> torch.Tensor:
        values, cotangent = ctx.saved_tensors
        out = torch.zeros_like(values)
        if values_t is not None:
            out = out + Curvature.apply(ctx.program, values, values_t, cotangent)
        if cotangent_t is not None:
            out = out + Products.apply(ctx.program, values, cotangent_t, None)
        return out

    @staticmethod
    def vmap(info: Any, in_dims: Any, program: Program, values: Any, cotangent: Any, slopes: Any) -> Any:
        rows = _folded(info, in_dims[1:], (values, cotangent, slopes))
        return _unfolded(info, Products.apply(program, *rows)), 0


class Pushed(Function):
    """``dE/dx . t`` (batch, observables)."""

    @staticmethod
    @_with_signature
    def forward(program: Program, values: torch.Tensor, tangent: torch.Tensor) -> torch.Tensor:
        return _tensor(program.jvp(_array(values), _array(tangent))[1])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.program = inputs[0]
        ctx.save_for_backward(*inputs[1:])
        ctx.save_for_forward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        values, tangent = ctx.saved_tensors
        by_values = by_tangent = None
        if ctx.needs_input_grad[1]:
            by_values = Curvature.apply(ctx.program, values, tangent, cotangent)
        if ctx.needs_input_grad[2]:
            by_tangent = Products.apply(ctx.program, values, cotangent, None)
        return None, by_values, by_tangent

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        raise _too_high("forward over forward")

    @staticmethod
    def vmap(info: Any, in_dims: Any, program: Program, values: Any, tangent: Any) -> Any:
        rows = _folded(info, in_dims[1:], (values, tangent))
        return _unfolded(info, Pushed.apply(program, *rows)), 0


class Curvature(Function):
    """``c . d2E/dx2 . t`` (batch, parameters)."""

    @staticmethod
    @_with_signature
    def forward(
        program: Program, values: torch.Tensor, tangent: torch.Tensor, cotangent: torch.Tensor
    ) -> torch.Tensor:
        return _tensor(program.hvp(_array(values), _array(tangent), cotangent=_array(cotangent)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Nothing is kept: there is no third derivative."""

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise _too_high("a third derivative")

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:
        raise _too_high("a third derivative")

    @staticmethod
    def vmap(info: Any, in_dims: Any, program: Program, values: Any, tangent: Any, cotangent: Any) -> Any:
        rows = _folded(info, in_dims[1:], (values, tangent, cotangent))
        return _unfolded(info, Curvature.apply(program, *rows)), 0


def _too_high(what: str) -> GradientError:
    return GradientError(
        f"Expectation values in PyTorch have first and second derivatives, but {what} was asked for. For "
        "second derivatives use backward of backward, or torch.func.jacfwd of torch.func.grad."
    )
