"""Expectation values as a function of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from qsim._columns import name_of
from qsim.circuit import Circuit
from qsim.errors import ParameterError
from qsim.parameters import ParameterVector
from qsim.program.program import Program
from qsim.simulator import Simulator
from qsim.torch.columns import Columns
from qsim.torch.compiled import values_of
from qsim.torch.direct import Direct, is_direct
from qsim.torch.functions import MAX_EAGER, Values

__all__ = ["as_list", "as_real", "evaluate", "expectation"]


def expectation(
    circuit: Circuit | Program,
    observable: Any,
    params: Any,
    *,
    backend: str | None = None,
    threads: int | None = None,
) -> torch.Tensor:
    """Expectation values of one or several observables, differentiable by every tensor in `params`.

    Parameters
    ----------
    circuit : Circuit or Program
        A Program is used as it is, with its own observables if `observable` is None.
    observable : observable or list of observables
        As for `qsim.expectation`.
    params : Tensor or dict of Tensor
        Shape (..., num_parameters), in the order of ``circuit.parameters``; or for each parameter, its name
        or that of a vector a tensor of shape (...) or (..., length). Leading dimensions broadcast.
    backend, threads
        See `qsim.compile`.

    Returns
    -------
    Tensor
        The leading dimensions of `params`, then (num_observables,) for a list; of the dtype of `params`. The
        core computes in double precision.

    Raises
    ------
    ParameterError
        Values are missing, of the wrong shape, or not finite.
    TypeError
        `params` is no tensor of real numbers.
    GradientError
        When a derivative is taken of a circuit that measures before its end, or a third derivative.

    Notes
    -----
    Backward and forward mode, double backward, transforms of ``torch.func`` (``grad``, ``vmap``, ``jacrev``,
    ``jacfwd``, ``hessian``): a dimension of ``vmap`` becomes part of the batch. Cost as for `qsim.vjp`; up to
    two observables gradients are taken with the values, see `qsim.value_and_gradient`.

    Examples
    --------
    >>> import torch
    >>> theta = Parameter("theta")
    >>> angle = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    >>> value = expectation(Circuit(1).ry(theta, 0), "Z0", {"theta": angle})
    >>> value.backward()
    >>> bool(torch.isclose(value, torch.cos(angle))), bool(torch.isclose(angle.grad, -torch.sin(angle)))
    (True, True)
    """
    if isinstance(circuit, Program):
        program = circuit if observable is None else circuit.with_observables(as_list(observable))
        is_single = observable is not None and not isinstance(observable, list | tuple)
        if observable is None:
            program = circuit.with_observables(list(circuit.observables))
            is_single = circuit._is_single
    else:
        program = Simulator(backend, threads=threads).compile(circuit, as_list(observable))
        is_single = not isinstance(observable, list | tuple)
    values = evaluate(program, *gather(program, params))
    return values[..., 0] if is_single else values


def as_list(observable: Any) -> list[Any]:
    return list(observable) if isinstance(observable, list | tuple) else [observable]


def evaluate(
    program: Program, columns: Columns, tensors: Sequence[torch.Tensor], number: int | None = None
) -> torch.Tensor:
    """Values (..., observables) at tensors in the order of `columns`, of their dtype and device."""
    if not tensors:
        return torch.as_tensor(program.expectation(), dtype=torch.get_default_dtype())
    if is_direct() and all(t.is_cpu for t in tensors):
        out: torch.Tensor = Direct.apply(program, columns, *tensors)
        return out
    values = columns.side_by_side(tensors)
    rows = values.reshape(-1, values.shape[-1]).to(device="cpu", dtype=torch.float64)
    size = len(program.observables)
    if number is not None and torch.compiler.is_compiling():
        found = values_of(rows, number, size)
    else:
        eager = size <= MAX_EAGER and torch.is_grad_enabled() and rows.requires_grad and program.is_static
        found = Values.apply(program, rows, eager)[0]
    return found.reshape(*values.shape[:-1], size).to(device=values.device, dtype=values.dtype)


def gather(program: Program, params: Any) -> tuple[Columns, list[torch.Tensor]]:
    """Tensors, checked, and how they make rows of the program's parameters."""
    count = len(program.parameters)
    if not isinstance(params, Mapping):
        values = as_real(params, "params")
        if values.ndim == 0 and count == 1:
            values = values[None]
        if values.ndim == 0 or values.shape[-1] != count or not count:
            raise ParameterError(
                f"Argument `params` must have shape (..., {count}), but has shape {tuple(values.shape)}."
                + ("" if count else " The circuit has no parameters: pass {}.")
            )
        columns, named = Columns(list(ParameterVector("params", count))), {"params": values}
    else:
        columns = program._derive("torch columns", lambda: Columns(program.parameters))
        named = {name_of(key): as_real(value, name_of(key)) for key, value in params.items()}
    return columns, columns.check(named)


def as_real(value: Any, name: str) -> torch.Tensor:
    """A tensor of real numbers as it is, and integers as PyTorch's default dtype."""
    if not isinstance(value, torch.Tensor) or not (
        value.is_floating_point() or value.dtype in (torch.int32, torch.int64)
    ):
        what = f"a tensor of {value.dtype}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise TypeError(
            f"Parameter `{name}` must be a tensor of real numbers, but is {what}. Use torch.as_tensor, and "
            ".float() for truth values."
        )
    return value if value.is_floating_point() else value.to(torch.get_default_dtype())
