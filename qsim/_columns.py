"""How arrays named after parameters and vectors make rows of values, whatever library the arrays are of."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qsim.errors import ParameterError
from qsim.parameters import Parameter, ParameterVector

__all__ = ["NamedColumns", "name_of"]


class NamedColumns:
    """How named arrays make rows in the order of parameters: arrays side by side, then a choice."""

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
        self._chosen: dict[tuple[int, ...], Any] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a parameter or vector; no longer than the circuit needs if nothing else is known."""
        shape = self.shapes[name]
        return shape if not shape else (shape[0] or self.least[name],)  # type: ignore[return-value]

    def check(self, named: Mapping[str, Any]) -> list[Any]:
        """The arrays in their order here, if all are given and of the right length."""
        if named.keys() != self.shapes.keys():
            self._refuse(named)
        arrays = [named[name] for name in self.shapes]
        for (name, shape), value in zip(self.shapes.items(), arrays, strict=True):
            if shape and (value.ndim == 0 or not self._fits(name, value.shape[-1])):
                raise ParameterError(
                    f"Parameter `{name}` must have shape (..., {self.shape(name)[0]}), but has shape "
                    f"{tuple(value.shape)}."
                )
        return arrays

    def _fits(self, name: str, length: int) -> bool:
        (wanted,) = self.shapes[name]
        return length == wanted if wanted is not None else length >= self.least[name]

    def _choice(self, lengths: tuple[int, ...]) -> Any:
        """Column of each parameter; None if they are in order."""
        if lengths not in self._chosen:
            starts = dict(zip(self.shapes, itertools.accumulate(lengths, initial=0), strict=False))
            places = [
                starts[p.name] if p.vector is None else starts[p.vector[0]] + p.vector[1]
                for p in self._parameters
            ]
            is_all = places == list(range(sum(lengths)))
            self._chosen[lengths] = None if is_all else np.array(places)
        return self._chosen[lengths]

    def _refuse(self, named: Mapping[str, Any]) -> None:
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


def name_of(key: Any) -> str:
    """The name that a key of `params` stands for."""
    name = key.name if isinstance(key, Parameter | ParameterVector) else key
    if not isinstance(name, str):
        raise TypeError(
            f"Argument `params` must have names as keys, but has a key of type {type(key).__name__}."
        )
    return name
