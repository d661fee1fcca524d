"""What PennyLane's measurements ask of a state, as measurements of qsim that make one real vector."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pennylane.measurements import (
    ClassicalShadowMP,
    CountsMP,
    DensityMatrixMP,
    ExpectationMP,
    MeasurementProcess,
    MutualInfoMP,
    ProbabilityMP,
    PurityMP,
    SampleMP,
    ShadowExpvalMP,
    StateMP,
    VarianceMP,
    VnEntropyMP,
)
from pennylane.wires import Wires

from qsim.entanglement import entropy_of
from qsim.errors import GradientError
from qsim.measurements import (
    ComplexArray,
    DensityMatrix,
    Expectation,
    Measurement,
    Probabilities,
    Purity,
    RowArray,
    State,
    Variance,
)
from qsim.observables import Diagonal
from qsim.program.program import Program

__all__ = ["Entropies", "Field", "OfState", "Several", "is_known", "measurement_of"]

FloatArray = npt.NDArray[np.float64]


class Entropies(Measurement):
    """A sum of von Neumann entropies of some qubits, each with a weight, in units of the logarithm of a base.

    Parameters
    ----------
    parts : sequence of (float, sequence of int)
        Weights and qubits: of a mutual information 1, 1 and -1.
    base : float, optional
        e by default.

    Notes
    -----
    The derivative by a density matrix is ``-log rho - 1``. Where an eigenvalue vanishes it diverges, but such
    states have no change of the eigenvalue either: eigenvalues below 1e-15 count as that.
    """

    #: no polynomial of the amplitudes: there are no second derivatives
    degree = 0

    def __init__(self, parts: Sequence[tuple[float, Sequence[int]]], base: float | None = None) -> None:
        self.parts = [(weight, DensityMatrix(qubits)) for weight, qubits in parts]
        self.base = math.e if base is None else float(base)

    def shape(self, program: Program) -> tuple[int, ...]:
        return ()

    def copies(self, program: Program) -> int:
        return 6

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> FloatArray:
        out = np.zeros(len(states))
        for weight, reduced in self.parts:
            out += weight * entropy_of(reduced.evaluate(program, states, rows), self.base)
        return out

    def _slopes(self, matrices: ComplexArray) -> ComplexArray:
        levels, vectors = np.linalg.eigh(matrices)
        slopes = -(np.log(np.maximum(levels, 1e-15)) + 1) / math.log(self.base)
        return np.asarray((vectors * slopes[:, None, :]) @ np.conj(vectors).swapaxes(1, 2))

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: FloatArray
    ) -> ComplexArray:
        out = np.zeros_like(states)
        for weight, reduced in self.parts:
            slopes = self._slopes(reduced.evaluate(program, states, rows))
            out += reduced.pull(
                program, states, rows, weight * np.asarray(cotangents)[:, None, None] * slopes
            )
        return out

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> FloatArray:
        out = np.zeros(len(states))
        for weight, reduced in self.parts:
            slopes = self._slopes(reduced.evaluate(program, states, rows))
            change = reduced.push(program, states, rows, tangents)
            out += weight * np.real(np.einsum("bij,bji->b", slopes, change))
        return out

    def __repr__(self) -> str:
        return f"Entropies({self.parts!r}, {self.base!r})"


class OfState(Measurement):
    """A measurement that PennyLane itself reads off the amplitudes, such as a user's own; no derivatives.

    Parameters
    ----------
    mp : StateMeasurement
    wires : Wires
    """

    degree = 0

    def __init__(self, mp: Any, wires: Wires) -> None:
        self.mp, self.wires = mp, wires
        start = np.zeros(1 << len(wires), dtype=complex)
        start[0] = 1.0
        self._shape = np.shape(mp.process_state(start, wires))

    def shape(self, program: Program) -> tuple[int, ...]:
        return tuple(self._shape)

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> Any:
        found = [np.asarray(self.mp.process_state(state, self.wires)) for state in states]
        return np.stack(found) if found else np.empty((0, *self._shape))

    def pull(self, program: Program, states: ComplexArray, rows: RowArray, cotangents: Any) -> ComplexArray:
        raise GradientError(f"Measurement {self.mp} has no derivatives on this device.")

    def push(self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray) -> Any:
        raise GradientError(f"Measurement {self.mp} has no derivatives on this device.")


class Field(NamedTuple):
    """Where the value of one measurement stands among the numbers of `Several`."""

    start: int
    shape: tuple[int, ...]
    is_complex: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape) * (2 if self.is_complex else 1)

    @property
    def span(self) -> slice:
        return slice(self.start, self.start + self.size)

    def take(self, flat: Any) -> Any:
        """The value (rows, *shape) among numbers (rows, size of all)."""
        part = flat[:, self.span]
        if self.is_complex:
            half = self.size // 2
            part = part[:, :half] + 1j * part[:, half:]
        return part.reshape(len(part), *self.shape)

    def put(self, value: Any, flat: FloatArray, sign: int = 1) -> None:
        """Numbers of a value (rows, *shape); `sign` is -1 for a cotangent not to be conjugated."""
        part = np.asarray(value).reshape(len(flat), -1)
        if self.is_complex:
            part = np.concatenate([part.real, sign * part.imag], axis=1)
        flat[:, self.span] = np.real(part)


class Several(Measurement):
    """Several measurements of one state: all numbers in a row, complex ones as real and imaginary parts.

    Parameters
    ----------
    program : Program
    measurements : sequence of Measurement
    """

    def __init__(self, program: Program, measurements: Sequence[Measurement]) -> None:
        self._parts = [(m, m.attach(program)) for m in measurements]
        self.fields: list[Field] = []
        start = 0
        for m, attached in self._parts:
            self.fields.append(Field(start, m.shape(attached), m.is_complex))
            start += self.fields[-1].size
        self.size = start
        degrees = [m.degree for m in measurements]
        self.degree = max(degrees, default=1)
        self.is_polynomial = all(degrees)

    def shape(self, program: Program) -> tuple[int, ...]:
        return (self.size,)

    def copies(self, program: Program) -> int:
        return 1 + max((m.copies(attached) for m, attached in self._parts), default=1)

    def _gathered(self, states: ComplexArray, function: Callable[[Measurement, Program], Any]) -> FloatArray:
        out = np.empty((len(states), self.size))
        for field, (m, attached) in zip(self.fields, self._parts, strict=True):
            field.put(function(m, attached), out)
        return out

    def evaluate(self, program: Program, states: ComplexArray, rows: RowArray) -> FloatArray:
        return self._gathered(states, lambda m, attached: m.evaluate(attached, states, rows))

    def pull(
        self, program: Program, states: ComplexArray, rows: RowArray, cotangents: FloatArray
    ) -> ComplexArray:
        out = np.zeros_like(states)
        for field, (m, attached) in zip(self.fields, self._parts, strict=True):
            # as real numbers, dL/d(Re z) and dL/d(Im z) are the cotangent that pull() takes
            out += m.pull(attached, states, rows, field.take(cotangents))
        return out

    def push(
        self, program: Program, states: ComplexArray, rows: RowArray, tangents: ComplexArray
    ) -> FloatArray:
        return self._gathered(states, lambda m, attached: m.push(attached, states, rows, tangents))

    def __repr__(self) -> str:
        return f"Several({[m for m, _ in self._parts]!r})"


#: PennyLane's measurements that are all in their kind, wires and observable, and in `log_base`.
_KNOWN = (
    *(ExpectationMP, VarianceMP, ProbabilityMP, DensityMatrixMP, StateMP, PurityMP, VnEntropyMP),
    *(MutualInfoMP, SampleMP, CountsMP, ClassicalShadowMP, ShadowExpvalMP),
)


def is_known(mp: MeasurementProcess) -> bool:
    """Whether PennyLane's hash of a measurement says all that it asks of a state."""
    return type(mp) in _KNOWN


def measurement_of(
    mp: MeasurementProcess,
    wires: Wires,
    qubits: Callable[[Any], list[int]],
    observable: Callable[[Any], Any],
) -> Measurement | None:
    """The measurement of qsim that one of PennyLane is; None for probabilities that need a rotation first.

    Parameters
    ----------
    mp : MeasurementProcess
    wires : Wires
        All wires in their order.
    qubits : callable
        From wires to qubits, the last wire first: it is the least significant bit. No wires are all.
    observable : callable
        From an operator to an observable.
    """
    kind = type(mp)
    if kind in (ExpectationMP, VarianceMP) and mp.obs is None:
        diagonal = Diagonal(np.real(mp.eigvals()), qubits(mp.wires))
        return Expectation(diagonal) if kind is ExpectationMP else Variance(diagonal)
    if kind is ExpectationMP:
        return Expectation(observable(mp.obs))
    if kind is VarianceMP:
        return Variance(observable(mp.obs))
    if kind is ProbabilityMP:
        return Probabilities(qubits(mp.wires)) if mp.obs is None else None
    if kind is DensityMatrixMP:
        return DensityMatrix(qubits(mp.wires))
    if kind is StateMP:
        return State()
    if kind is PurityMP:
        return Purity(qubits(mp.wires))
    if kind is VnEntropyMP:
        return Entropies([(1.0, qubits(mp.wires))], mp.log_base)
    if kind is MutualInfoMP:
        left, right = (qubits(w) for w in mp.raw_wires)
        return Entropies([(1.0, left), (1.0, right), (-1.0, left + right)], mp.log_base)
    return OfState(mp, wires)
