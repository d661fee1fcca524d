"""What is asked of a program, and the answers in NumPy: what eager calls and callbacks run.

An answer is a list of real numbers; of complex ones the real parts, then the imaginary parts. Angles have
shape (..., slots) with the same leading dimensions in all arguments; results have the dtype of the first one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qsim.gradients.derivatives import measured_values
from qsim.measurements import Measurement
from qsim.program.program import Program

__all__ = ["FUNCTIONS", "Question"]


#: Up to so many real numbers `slopes` serves instead of `products` and `pushed`.
MAX_EAGER = 2


class Question:
    """A program and what is asked: its observables, if no measurement is given.

    Attributes
    ----------
    program : Program
    measurement : Measurement or None
    shape : tuple of int
        Of an answer.
    size : int
        How many real numbers it has.
    is_eager : bool
        Whether gradients are taken with the values: one sweep gives both if the numbers are few.
    """

    def __init__(self, program: Program, measurement: Measurement | None = None) -> None:
        self.program, self.measurement = program, measurement
        self.is_complex = measurement is not None and measurement.is_complex
        shape = (len(program.observables),) if measurement is None else measurement.shape(program)
        self.shape = tuple(int(length) for length in shape)
        self.size = math.prod(self.shape) * (2 if self.is_complex else 1)
        self.is_eager = self.size <= MAX_EAGER and not self.is_complex

    def __repr__(self) -> str:
        return f"{self.program!r}" + ("" if self.measurement is None else f".{self.measurement!r}")

    def numbers(self, found: Any) -> Any:
        """The real numbers (batch, size) of answers (batch, *shape)."""
        flat = np.asarray(found).reshape(len(found), math.prod(self.shape))
        return np.concatenate([flat.real, flat.imag], axis=1) if self.is_complex else flat

    def answers(self, numbers: Any) -> Any:
        """The other way."""
        if self.is_complex:
            numbers = numbers[:, : self.size // 2] + 1j * numbers[:, self.size // 2 :]
        return numbers.reshape(len(numbers), *self.shape)


def values(question: Question, x: Any) -> Any:
    """``E`` (..., size)."""
    if question.measurement is None:
        return question.program.expectation(x)
    return question.numbers(measured_values(question.program, question.measurement, x))


def slopes(question: Question, x: Any) -> Any:
    """``E``, and ``dE/dx`` (..., size, slots), of real answers."""
    found, by_angle = question.program.value_and_gradient(x, measurement=question.measurement)
    return question.numbers(found), by_angle.reshape(len(x), question.size, x.shape[1])


def products(question: Question, x: Any, cotangent: Any) -> Any:
    """``c . dE/dx`` (..., slots)."""
    return question.program.vjp(x, question.answers(cotangent), measurement=question.measurement)[1]


def pushed(question: Question, x: Any, tangent: Any) -> Any:
    """``dE/dx . t`` (..., size)."""
    return question.numbers(question.program.jvp(x, tangent, measurement=question.measurement)[1])


def curvature(question: Question, x: Any, tangent: Any, cotangent: Any) -> Any:
    """``c . d2E/dx2 . t`` (..., slots)."""
    weights = question.answers(cotangent)
    return question.program.hvp(x, tangent, cotangent=weights, measurement=question.measurement)


def bent(question: Question, x: Any, first: Any, second: Any) -> Any:
    """``s . d2E/dx2 . t`` (..., size), by one product for each number."""
    size = question.size
    each = np.tile(np.eye(size), (len(x), 1))
    found = curvature(question, np.repeat(x, size, axis=0), np.repeat(first, size, axis=0), each)
    return np.einsum("bop,bp->bo", found.reshape(len(x), size, x.shape[1]), second)


def _in_rows(function: Any) -> Any:
    """The function of one batch of rows, for any leading dimensions and dtypes."""

    def call(question: Question, *arrays: Any) -> Any:
        first = np.asarray(arrays[0])
        batch = first.shape[:-1]
        rows = [
            np.ascontiguousarray(a, dtype=np.float64).reshape(math.prod(batch), a.shape[-1]) for a in arrays
        ]
        found = function(question, *rows)

        def shaped(out: Any) -> Any:
            return np.asarray(out, dtype=first.dtype).reshape(*batch, *out.shape[1:])

        return tuple(map(shaped, found)) if isinstance(found, tuple) else (shaped(found),)

    return call


FUNCTIONS = {f.__name__: _in_rows(f) for f in (values, slopes, products, pushed, curvature, bent)}
