"""Values of a program and their derivatives in NumPy: what eager calls and callbacks run.

Angles have shape (..., slots) with the same leading dimensions in all arguments; results have the dtype of the
first one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qsim.program.program import Program

__all__ = ["FUNCTIONS"]


def values(program: Program, x: Any) -> Any:
    """``E`` (..., observables)."""
    return program.expectation(x)


def slopes(program: Program, x: Any) -> Any:
    """``E``, and ``dE/dx`` (..., observables, slots)."""
    return program.value_and_gradient(x)


def products(program: Program, x: Any, cotangent: Any) -> Any:
    """``c . dE/dx`` (..., slots)."""
    return program.vjp(x, cotangent)[1]


def pushed(program: Program, x: Any, tangent: Any) -> Any:
    """``dE/dx . t`` (..., observables)."""
    return program.jvp(x, tangent)[1]


def curvature(program: Program, x: Any, tangent: Any, cotangent: Any) -> Any:
    """``c . d2E/dx2 . t`` (..., slots)."""
    return program.hvp(x, tangent, cotangent=cotangent)


def bent(program: Program, x: Any, first: Any, second: Any) -> Any:
    """``s . d2E/dx2 . t`` (..., observables)."""
    return np.einsum("bop,bp->bo", program.hvp(x, first), second)


def _in_rows(function: Any) -> Any:
    """The function of one batch of rows, for any leading dimensions and dtypes."""

    def call(program: Program, *arrays: Any) -> Any:
        first = np.asarray(arrays[0])
        batch = first.shape[:-1]
        rows = [
            np.ascontiguousarray(a, dtype=np.float64).reshape(math.prod(batch), a.shape[-1]) for a in arrays
        ]
        found = function(program, *rows)

        def shaped(out: Any) -> Any:
            return np.asarray(out, dtype=first.dtype).reshape(*batch, *out.shape[1:])

        return tuple(map(shaped, found)) if isinstance(found, tuple) else (shaped(found),)

    return call


FUNCTIONS = {f.__name__: _in_rows(f) for f in (values, slopes, products, pushed, curvature, bent)}
