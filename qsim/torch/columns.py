"""How tensors named after parameters make rows of values, and derivatives by rows derivatives by them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from qsim.errors import ParameterError
from qsim.parameters import Parameter

__all__ = ["Columns"]


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
        self._chosen: dict[tuple[int, ...], Any] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a parameter or vector; no longer than the circuit needs if nothing else is known."""
        shape = self.shapes[name]
        return shape if not shape else (shape[0] or self.least[name],)  # type: ignore[return-value]

    def check(self, named: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
        """The tensors in their order here, if all are given and of the right length."""
        if named.keys() != self.shapes.keys():
            self._refuse(named)
        tensors = [named[name] for name in self.shapes]
        for (name, shape), value in zip(self.shapes.items(), tensors, strict=True):
            if shape and (value.ndim == 0 or not self._fits(name, value.shape[-1])):
                raise ParameterError(
                    f"Parameter `{name}` must have shape (..., {self.shape(name)[0]}), but has shape "
                    f"{tuple(value.shape)}."
                )
        return tensors

    def side_by_side(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """Rows (..., num_parameters) of tensors that were checked."""
        if not tensors:
            return torch.zeros(0, dtype=torch.float64)
        parts = [t if shape else t[..., None] for t, shape in zip(tensors, self.shapes.values(), strict=True)]
        batch = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        rows = parts[0] if len(parts) == 1 else torch.cat([part.expand(*batch, -1) for part in parts], dim=-1)
        chosen = self._choice(tuple(part.shape[-1] for part in parts))
        return rows if chosen is None else rows.index_select(-1, torch.from_numpy(chosen).to(rows.device))

    def rows(self, arrays: Sequence[Any]) -> Any:
        """The same of arrays, in double precision."""
        parts = [a if shape else a[..., None] for a, shape in zip(arrays, self.shapes.values(), strict=True)]
        lengths = tuple(part.shape[-1] for part in parts)
        batch = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        out, first = np.empty((*batch, sum(lengths))), 0
        for part, length in zip(parts, lengths, strict=True):
            out[..., first : first + length] = part
            first += length
        chosen = self._choice(lengths)
        return out if chosen is None else np.ascontiguousarray(out[..., chosen])

    def back(self, slopes: Any, tensors: Sequence[torch.Tensor], needed: Sequence[bool]) -> list[Any]:
        """Derivatives (rows, num_parameters) as derivatives by each tensor that needs them."""
        lengths = tuple(
            t.shape[-1] if shape else 1 for t, shape in zip(tensors, self.shapes.values(), strict=True)
        )
        chosen = self._choice(lengths)
        if chosen is not None:
            full = np.zeros((len(slopes), sum(lengths)))
            full[:, chosen] = slopes
            slopes = full
        shapes = [
            t.shape if shape else (*t.shape, 1)
            for t, shape in zip(tensors, self.shapes.values(), strict=True)
        ]
        batch = np.broadcast_shapes(*(shape[:-1] for shape in shapes))
        out: list[Any] = []
        first = 0
        for tensor, need, shape, length in zip(tensors, needed, shapes, lengths, strict=True):
            part = slopes[:, first : first + length].reshape(*batch, length)
            summed = _summed(part, shape).reshape(tensor.shape)
            out.append(torch.from_numpy(np.ascontiguousarray(summed)).to(tensor.dtype) if need else None)
            first += length
        return out

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


def _summed(array: Any, shape: Sequence[int]) -> Any:
    """The sum over the dimensions in which an array of `shape` was broadcast."""
    extra = array.ndim - len(shape)
    axes = [
        *range(extra),
        *(extra + k for k, size in enumerate(shape) if size == 1 and array.shape[extra + k] != 1),
    ]
    return array.sum(axis=tuple(axes), keepdims=True).reshape(shape) if axes else array
