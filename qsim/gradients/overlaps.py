"""Inner products of many states with many: matrix products in pieces too small for BLAS to share out.

BLAS has threads of its own, which ignore `threads` and, where other work keeps the processors busy, wait for
each other many times longer than the product takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["overlaps", "real_overlaps"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
#: OpenBLAS keeps to one thread up to 2**18 multiplications.
_TILE, _DEPTH = 64, 48


def overlaps(left: ComplexArray, right: ComplexArray) -> npt.NDArray[np.complex128]:
    """``<left[r, i]|right[r, j]>``, shape (rows, i, j), of states (rows, i, 2**n) and (rows, j, 2**n)."""
    real = real_overlaps(left, right)
    # the imaginary part of <a|b> is the real part of <a|-i b>
    turned = (right * right.dtype.type(-1j)).astype(right.dtype, copy=False)
    return np.asarray(real + 1j * real_overlaps(left, turned))


def real_overlaps(left: ComplexArray, right: ComplexArray) -> FloatArray:
    """The real parts of `overlaps`, as products of real vectors."""
    a = np.ascontiguousarray(left).view(left.real.dtype)
    # NumPy has another product for twice the same array
    b = np.array(right, order="C", copy=np.may_share_memory(left, right) or None).view(right.real.dtype)
    out = np.zeros((len(a), a.shape[1], b.shape[1]))
    for i in range(0, a.shape[1], _TILE):
        for j in range(0, b.shape[1], _TILE):
            tile = out[:, i : i + _TILE, j : j + _TILE]
            for k in range(0, a.shape[2], _DEPTH):
                piece = b[:, j : j + _TILE, k : k + _DEPTH]
                tile += a[:, i : i + _TILE, k : k + _DEPTH] @ piece.swapaxes(1, 2)
    return out
