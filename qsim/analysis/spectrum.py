"""Which frequencies a circuit has as a function of its features, read off its gates.

An angle that is affine in the features, ``c . x + const``, gives a gate the levels ``w (c . x)``; a path
through the circuit adds one level of each gate, and an expectation value is a sum over pairs of paths. So
its frequencies are the differences of sums of levels: the sums of the differences of each gate. Gates that
commute are taken together (`levels.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import counted
from qsim.analysis._inputs import data_columns, unitary_program
from qsim.analysis.levels import level_vectors
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, ParameterError
from qsim.parameters import Parameter, ParameterExpression
from qsim.program.program import Program
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FourierSpectrum", "fourier_spectrum", "gate_differences"]

FloatArray = npt.NDArray[np.float64]
#: Frequencies that agree to this share of the largest are one.
_SAME = 1e-9
#: More frequencies than this are no longer listed.
MAX_FREQUENCIES = 200_000


@dataclass(frozen=True, eq=False)
class FourierSpectrum:
    """What `fourier_spectrum` finds.

    Attributes
    ----------
    features : tuple of str
        Names of the d features.
    frequencies : ndarray, shape (count, d)
        All frequency vectors, in ascending order, with the negative ones and zero. ``f(x)`` is a sum of
        ``c * exp(1j * frequencies @ x)``; some c may be zero, whatever is measured.
    multiplicities : ndarray, shape (count,), float64
        Pairs of paths that give each frequency: the redundancy of [1]_. Equal levels of a gate count once.

    References
    ----------
    .. [1] E. Peters and M. Schuld, Quantum 7, 1210 (2023), arXiv:2209.05523.
    """

    features: tuple[str, ...]
    frequencies: FloatArray
    multiplicities: FloatArray

    def of_feature(self, feature: int | str) -> FloatArray:
        """The distinct frequencies of one feature, ascending."""
        if isinstance(feature, str):
            if feature not in self.features:
                raise ArgumentError(
                    f"Argument `feature` must be one of {', '.join(self.features)}, but is {feature!r}."
                )
            feature = self.features.index(feature)
        return _distinct(self.frequencies[:, feature])

    def degree(self, feature: int | str) -> float:
        """The largest frequency of one feature."""
        return float(self.of_feature(feature)[-1])

    def period(self, feature: int | str) -> float | None:
        """The period in one feature; infinite if it has no effect, None if frequencies share no unit."""
        unit = common_unit(self.of_feature(feature))
        return None if unit is None else float("inf") if unit == 0 else 2 * np.pi / unit

    def __len__(self) -> int:
        return len(self.frequencies)

    def __str__(self) -> str:
        lines = [f"{counted(len(self), 'frequency').replace('frequencys', 'frequencies')}"]
        for name in self.features:
            own = self.of_feature(name)
            shown = ", ".join(f"{w:.6g}" for w in own[own >= 0][:12])
            lines.append(f"  {name}: {shown}{', ...' if (own >= 0).sum() > 12 else ''} and their negatives")
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_fourier_spectrum`."""
        from qsim.analysis.plots import plot_fourier_spectrum

        return plot_fourier_spectrum(self, ax)


def fourier_spectrum(circuit: Circuit, features: Any = None, **settings: Any) -> FourierSpectrum:
    """All frequencies that expectation values can have as functions of a circuit's features [1]_.

    Parameters
    ----------
    circuit : Circuit
        Of unitary gates. Angles must be affine in the features.
    features : name, Parameter, ParameterVector or several, optional
        Default: ``"x"`` if the circuit has a parameter or a vector of that name, else all parameters.
    **settings
        See `qsim.Simulator`.

    Returns
    -------
    FourierSpectrum

    Raises
    ------
    ParameterError
        An angle is not affine in the features, so that no expectation value is a Fourier series with a
        spectrum of its own; or weights multiply features: bind them.
    ArgumentError
        There are more than 200,000 frequencies.

    Notes
    -----
    From the levels of the gates; those of gates one after the other that commute are taken together, on up to
    five qubits, or twelve if they are diagonal. No other frequency occurs. A coefficient vanishes where the
    observable does not see a gate, or gates undo each other; `fourier_coefficients` tells.

    References
    ----------
    .. [1] M. Schuld, R. Sweke and J. J. Meyer, Phys. Rev. A 103, 032430 (2021), arXiv:2008.08605.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> x = Parameter("x")
    >>> fourier_spectrum(Circuit(2).rx(x, 0).cx(0, 1).rx(x, 1)).frequencies.ravel()
    array([-2., -1.,  0.,  1.,  2.])
    """
    program = unitary_program(circuit, Simulator(**settings), "fourier_spectrum")
    columns = feature_columns(program, features)
    names = tuple(program.parameters[column].name for column in columns)
    frequencies = np.zeros((1, len(columns)))
    weights = np.ones(1)
    for steps, counts in gate_differences(program, columns):
        if len(frequencies) * len(steps) > 4 * MAX_FREQUENCIES:
            raise _too_many()
        moved = (frequencies[:, None] + steps).reshape(-1, len(columns))
        frequencies, weights = _merged(moved, np.multiply.outer(weights, counts).ravel())
        if len(frequencies) > MAX_FREQUENCIES:
            raise _too_many()
    return FourierSpectrum(names, frequencies, weights)


def _too_many() -> ArgumentError:
    return ArgumentError(
        f"The circuit must have at most {MAX_FREQUENCIES} frequencies, but has more. Ask for some of its "
        'features: features=["x[0]"].'
    )


def feature_columns(program: Program, features: Any) -> list[int]:
    """Columns of the features among a program's parameters; all of them where none is called ``x``."""
    return data_columns(program.parameters, features) or list(range(len(program.parameters)))


def gate_differences(program: Program, columns: Sequence[int]) -> list[tuple[FloatArray, FloatArray]]:
    """For each gate that depends on the features, or several that commute: the differences of its levels as
    vectors (count, features), and how many pairs of levels have each.
    """
    if not program.tapes:
        return []
    directions: dict[int, FloatArray] = {}

    def direction(record: np.void) -> FloatArray | None:
        slot = int(record["slot"])
        if slot < 0:
            return None
        if slot not in directions:
            directions[slot] = _direction(program, slot, columns)
        own = directions[slot] * float(record["scale"])
        return own if own.any() else None

    out = []
    for levels in level_vectors(program.tapes[0], direction, lambda rows: _merged(rows, None)[0]):
        out.append(_merged((levels[:, None] - levels[None, :]).reshape(-1, len(columns)), None))
    return out


def _direction(program: Program, slot: int, columns: Sequence[int]) -> FloatArray:
    """Coefficients of the features in a slot, which must be numbers."""
    count = len(program.parameters)
    if slot < count:
        return np.array([1.0 if column == slot else 0.0 for column in columns])
    expression: ParameterExpression = program._slots.expressions[slot - count]
    out = np.zeros(len(columns))
    chosen = {program.parameters[column] for column in columns}
    for k, column in enumerate(columns):
        feature: Parameter = program.parameters[column]
        if feature not in expression.parameters:
            continue
        slope = expression.derivative(feature)
        if isinstance(slope, ParameterExpression):
            others = [p.name for p in slope.parameters if p not in chosen]
            if len(others) == len(slope.parameters):
                raise ParameterError(
                    f"Angle `{expression}` must have a number in front of feature `{feature.name}`, but has "
                    f"`{slope}`. Bind {', '.join(f'`{name}`' for name in others)} first (Circuit.bind)."
                )
            raise ParameterError(
                f"Angle `{expression}` must be affine in feature `{feature.name}`, but is not: no "
                "expectation value is a Fourier series of it with frequencies of its own."
            )
        out[k] = float(slope)
    return out


def _merged(rows: FloatArray, weights: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """The distinct rows in ascending order, with the sums of their weights."""
    if not rows.shape[1]:  # no features: one constant
        return rows[:1], np.array([float(len(rows)) if weights is None else weights.sum()])
    unit = _SAME * max(1.0, float(np.abs(rows).max(initial=0.0)))
    keys = np.rint(rows / unit).astype(np.int64)
    # keys one apart are the two sides of a rounding: the second of them moves to the first
    for column in range(keys.shape[1]):
        listed, places = np.unique(keys[:, column], return_inverse=True)
        first = np.concatenate([[True], np.diff(listed) > 2])
        keys[:, column] = listed[np.flatnonzero(first)[np.cumsum(first) - 1]][places]
    _, where, places = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    distinct = np.where(np.abs(rows[where]) <= unit, 0.0, rows[where])
    return distinct, np.bincount(places.ravel(), weights=weights, minlength=len(where)).astype(float)


def _distinct(values: FloatArray) -> FloatArray:
    return _merged(values[:, None], None)[0][:, 0]


def common_unit(frequencies: FloatArray) -> float | None:
    """The largest number of which all frequencies are whole multiples; 0 if all are 0, None if none is."""
    unit = 0.0
    largest = float(np.abs(frequencies).max(initial=0.0))
    for w in np.abs(frequencies):
        a, b = max(unit, float(w)), min(unit, float(w))
        while b > 1e-7 * largest:  # Euclid's algorithm
            a, b = b, abs(a - b * round(a / b))
        unit = a
    if unit == 0.0:
        return 0.0
    return unit if largest / unit <= 1e4 else None
