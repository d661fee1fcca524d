"""How tensors named after parameters make rows of values, and derivatives by rows derivatives by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from qsim._columns import NamedColumns

__all__ = ["Columns"]


class Columns(NamedColumns):
    """The columns of tensors."""

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


def _summed(array: Any, shape: Sequence[int]) -> Any:
    """The sum over the dimensions in which an array of `shape` was broadcast."""
    extra = array.ndim - len(shape)
    axes = [
        *range(extra),
        *(extra + k for k, size in enumerate(shape) if size == 1 and array.shape[extra + k] != 1),
    ]
    return array.sum(axis=tuple(axes), keepdims=True).reshape(shape) if axes else array
