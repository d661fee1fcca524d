"""The same values as operators that ``torch.compile`` takes whole: tensors, and the number of a program."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import torch

from qsim.program.program import Program
from qsim.torch.functions import Curvature, Products, Pushed, Values

__all__ = ["program_number", "values_of"]

_numbers = itertools.count()
_programs: weakref.WeakValueDictionary[int, Program] = weakref.WeakValueDictionary()


def program_number(program: Program) -> int:
    """A number by which the operators find a program, as long as somebody holds it."""
    number = next(_numbers)
    _programs[number] = program
    return number


@torch.library.custom_op("qsim::values", mutates_args=())
def values_of(values: torch.Tensor, number: int, size: int) -> torch.Tensor:
    """``E`` (batch, size) of program `number`."""
    return Values.apply(_programs[number], values, False)[0].clone()


@torch.library.custom_op("qsim::products", mutates_args=())
def products_of(values: torch.Tensor, cotangent: torch.Tensor, number: int) -> torch.Tensor:
    """``c . dE/dx`` (batch, parameters)."""
    return Products.apply(_programs[number], values, cotangent, None).clone()


@torch.library.custom_op("qsim::pushed", mutates_args=())
def pushed_of(values: torch.Tensor, tangent: torch.Tensor, number: int, size: int) -> torch.Tensor:
    """``dE/dx . t`` (batch, size)."""
    return Pushed.apply(_programs[number], values, tangent).clone()


@torch.library.custom_op("qsim::curvature", mutates_args=())
def curvature_of(
    values: torch.Tensor, tangent: torch.Tensor, cotangent: torch.Tensor, number: int
) -> torch.Tensor:
    """``c . d2E/dx2 . t`` (batch, parameters)."""
    return Curvature.apply(_programs[number], values, tangent, cotangent).clone()


@values_of.register_fake
def _(values: torch.Tensor, number: int, size: int) -> torch.Tensor:
    return values.new_empty((values.shape[0], size))


@products_of.register_fake
def _(values: torch.Tensor, cotangent: torch.Tensor, number: int) -> torch.Tensor:
    return torch.empty_like(values, memory_format=torch.contiguous_format)


@pushed_of.register_fake
def _(values: torch.Tensor, tangent: torch.Tensor, number: int, size: int) -> torch.Tensor:
    return values.new_empty((values.shape[0], size))


@curvature_of.register_fake
def _(values: torch.Tensor, tangent: torch.Tensor, cotangent: torch.Tensor, number: int) -> torch.Tensor:
    return torch.empty_like(values, memory_format=torch.contiguous_format)


def _keep_values(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    values, ctx.number, ctx.size = inputs
    ctx.save_for_backward(values)


def _values_back(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
    (values,) = ctx.saved_tensors
    return products_of(values, cotangent, ctx.number), None, None


def _keep_products(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    values, cotangent, ctx.number = inputs
    ctx.save_for_backward(values, cotangent)


def _products_back(ctx: Any, vector: torch.Tensor) -> tuple[Any, ...]:
    values, cotangent = ctx.saved_tensors
    return (
        curvature_of(values, vector, cotangent, ctx.number),
        pushed_of(values, vector, ctx.number, cotangent.shape[1]),
        None,
    )


values_of.register_autograd(_values_back, setup_context=_keep_values)
products_of.register_autograd(_products_back, setup_context=_keep_products)
