"""Expectation values as a function of tensors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from qsim.circuit import Circuit
from qsim.errors import ParameterError
from qsim.parameters import Parameter, ParameterVector
from qsim.program.program import Program, compile
from qsim.torch.compiled import values_of
from qsim.torch.functions import MAX_EAGER, Values

__all__ = ["Columns", "as_list", "evaluate", "expectation", "gather"]


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
        program = compile(circuit, as_list(observable), backend=backend, threads=threads)
        is_single = not isinstance(observable, list | tuple)
    values = evaluate(program, gather(program, params), None)
    return values[..., 0] if is_single else values


def as_list(observable: Any) -> list[Any]:
    return list(observable) if isinstance(observable, list | tuple) else [observable]


def evaluate(program: Program, values: torch.Tensor, number: int | None) -> torch.Tensor:
    """Values (..., observables) of rows (..., parameters), of the rows' dtype and device."""
    rows = values.reshape(-1, values.shape[-1]).to(device="cpu", dtype=torch.float64)
    size = len(program.observables)
    if number is not None and torch.compiler.is_compiling():
        found = values_of(rows, number, size)
    else:
        eager = size <= MAX_EAGER and torch.is_grad_enabled() and rows.requires_grad and program.is_static
        found = Values.apply(program, rows, eager)[0]
    return found.reshape(*values.shape[:-1], size).to(device=values.device, dtype=values.dtype)


def gather(program: Program, params: Any) -> torch.Tensor:
    """Rows (..., num_parameters) in the order of the program's parameters."""
    parameters = program.parameters
    if not isinstance(params, Mapping):
        values = _checked(params, "params")
        if values.ndim == 0 and len(parameters) == 1:
            values = values[None]
        if values.ndim == 0 or values.shape[-1] != len(parameters):
            raise ParameterError(
                f"Argument `params` must have shape (..., {len(parameters)}), but has shape "
                f"{tuple(values.shape)}."
            )
        return values
    named = {_name(key): _checked(value, _name(key)) for key, value in params.items()}
    return Columns(parameters).gather(named)


class Columns:
    """How named tensors make rows in the order of parameters: tensors side by side, then a choice."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        #: length of each vector, None where the circuit does not tell it; () for a parameter of its own
        self.shapes: dict[str, tuple[int | None, ...]] = {}
        self.least: dict[str, int] = {}
        self._parameters = tuple(parameters)
        for p in self._parameters:
            if p.vector is None:
                self.shapes[p.name] = ()
            else:
                name, index = p.vector[:2]
                self.shapes[name] = (p.vector_length,)
                self.least[name] = max(self.least.get(name, 0), index + 1)
        self._chosen: dict[tuple[int, ...], torch.Tensor | None] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a parameter or vector; no longer than the circuit needs if nothing else is known."""
        shape = self.shapes[name]
        return shape if not shape else (shape[0] or self.least[name],)  # type: ignore[return-value]

    def gather(self, named: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Rows (..., num_parameters)."""
        if named.keys() != self.shapes.keys():
            self._refuse(named)
        parts = []
        for name, shape in self.shapes.items():
            value = named[name]
            if not shape:
                value = value[..., None]
            elif value.ndim == 0 or not self._fits(name, value.shape[-1]):
                raise ParameterError(
                    f"Parameter `{name}` must have shape (..., {self.shape(name)[0]}), but has shape "
                    f"{tuple(value.shape)}."
                )
            parts.append(value)
        if not parts:
            return torch.zeros(0, dtype=torch.float64)
        batch = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        rows = parts[0] if len(parts) == 1 else torch.cat([part.expand(*batch, -1) for part in parts], dim=-1)
        chosen = self._choice(tuple(part.shape[-1] for part in parts))
        return rows if chosen is None else rows.index_select(-1, chosen.to(rows.device))

    def _fits(self, name: str, length: int) -> bool:
        (wanted,) = self.shapes[name]
        return length == wanted if wanted is not None else length >= self.least[name]

    def _choice(self, lengths: tuple[int, ...]) -> torch.Tensor | None:
        """Column of each parameter; None if they are in order."""
        if lengths not in self._chosen:
            starts = dict(zip(self.shapes, itertools.accumulate(lengths, initial=0), strict=False))
            places = [
                starts[p.name] if p.vector is None else starts[p.vector[0]] + p.vector[1]
                for p in self._parameters
            ]
            is_all = places == list(range(sum(lengths)))
            self._chosen[lengths] = None if is_all else torch.tensor(places)
        return self._chosen[lengths]

    def _refuse(self, named: Mapping[str, torch.Tensor]) -> None:
        known = ", ".join(f"`{name}`" for name in self.shapes) or "none"
        for name in named:
            if name not in self.shapes:
                raise ParameterError(
                    f"Argument `params` names `{name}`, which the circuit does not have; its parameters are "
                    f"{known}."
                )
        missing = next(name for name in self.shapes if name not in named)
        raise ParameterError(
            "Argument `params` must give every parameter of the circuit a value, but has none for "
            f"`{missing}`."
        )


def _checked(value: Any, name: str) -> torch.Tensor:
    if not isinstance(value, torch.Tensor) or not (
        value.is_floating_point() or value.dtype in (torch.int32, torch.int64)
    ):
        what = f"a tensor of {value.dtype}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise TypeError(f"Argument `params` must hold tensors of real numbers, but `{name}` is {what}.")
    return value if value.is_floating_point() else value.to(torch.get_default_dtype())


def _name(key: Any) -> str:
    name = key.name if isinstance(key, Parameter | ParameterVector) else key
    if not isinstance(name, str):
        raise TypeError(
            f"Argument `params` must have names as keys, but has a key of type {type(key).__name__}."
        )
    return name
