"""How tensors named after parameters make rows of values, and derivatives by rows derivatives by them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from qsim._columns import NamedColumns
from qsim.parameters import Parameter

__all__ = ["Columns"]

#: Shapes whose layouts are kept: a training loop has two, of its batches and of the last one.
_MAX_LAYOUTS = 16


class Columns(NamedColumns):
    """The columns of tensors."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__(parameters)
        self._layouts: dict[Any, Layout] = {}

    def side_by_side(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """Rows (..., num_parameters) of tensors that were checked."""
        if not tensors:
            return torch.zeros(0, dtype=torch.float64)
        parts = [t if shape else t[..., None] for t, shape in zip(tensors, self.shapes.values(), strict=True)]
        batch = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        rows = parts[0] if len(parts) == 1 else torch.cat([part.expand(*batch, -1) for part in parts], dim=-1)
        chosen = self._choice(tuple(part.shape[-1] for part in parts))
        return rows if chosen is None else rows.index_select(-1, torch.from_numpy(chosen).to(rows.device))

    def layout(self, tensors: Sequence[torch.Tensor]) -> Layout:
        """The layout of tensors that were checked, made once for their shapes."""
        shapes = tuple(t.shape for t in tensors)
        found = self._layouts.get(shapes)
        if found is None:
            if len(self._layouts) >= _MAX_LAYOUTS:
                self._layouts.clear()
            wide = [s if shape else (*s, 1) for s, shape in zip(shapes, self.shapes.values(), strict=True)]
            found = self._layouts[shapes] = Layout(shapes, wide, self._choice(tuple(s[-1] for s in wide)))
        return found


class Layout:
    """How arrays of fixed shapes make rows (rows, num_parameters), and derivatives go back to them.

    Parameters
    ----------
    shapes : sequence of tuple
        Shapes of the arrays.
    wide : sequence of tuple
        The same with an axis of their entries, which a parameter of its own does not have.
    chosen : ndarray or None
        Column of each parameter among the arrays side by side; None if they are in order.
    """

    def __init__(self, shapes: Sequence[Any], wide: Sequence[Any], chosen: Any) -> None:
        self.batch = np.broadcast_shapes(*(shape[:-1] for shape in wide))
        self.num_rows = math.prod(self.batch)
        self._chosen = chosen
        starts = list(itertools.accumulate((shape[-1] for shape in wide), initial=0))
        self._width = starts[-1]
        self._places = [slice(*pair) for pair in itertools.pairwise(starts)]
        self._shapes, self._wide = shapes, wide
        columns = np.arange(self._width)
        if chosen is not None:
            columns = np.full(self._width, -1)
            columns[chosen] = np.arange(len(chosen))
        #: for each array the columns of its entries among the parameters, -1 where the circuit has none
        self._columns = [_as_slice(columns[place]) for place in self._places]
        #: whether an array has values of its own for each row, or for some of them
        self.varies = [math.prod(shape[:-1]) > 1 for shape in wide]

    def rows(self, arrays: Sequence[Any]) -> Any:
        """Arrays side by side, in double precision."""
        out = np.empty((*self.batch, self._width))
        for array, place, shape, wide in zip(arrays, self._places, self._shapes, self._wide, strict=True):
            out[..., place] = array if len(shape) == len(wide) else array[..., None]
        flat = out.reshape(self.num_rows, self._width)
        return flat if self._chosen is None else np.ascontiguousarray(flat[:, self._chosen])

    def back(self, slopes: Any, index: int) -> Any:
        """The derivative by one array, of derivatives by rows (rows, num_parameters) or by their sum."""
        columns, wide = self._columns[index], self._wide[index]
        if isinstance(columns, slice):
            part = slopes[..., columns]
        else:
            part = np.where(columns < 0, 0.0, slopes[..., columns])
        if slopes.ndim == 2:
            part = part.reshape(*self.batch, wide[-1])
            extra = part.ndim - len(wide)
            repeated = (extra + k for k, size in enumerate(wide) if size == 1 != part.shape[extra + k])
            part = part.sum(axis=(*range(extra), *repeated))
        return part.reshape(self._shapes[index])


def _as_slice(columns: Any) -> Any:
    """The same columns as a slice, which takes no copy, if they are side by side."""
    if len(columns) and columns[0] >= 0 and (np.diff(columns) == 1).all():
        return slice(columns[0], columns[-1] + 1)
    return columns
