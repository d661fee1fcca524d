"""Fourier coefficients of a model, exact: from values on a grid that its frequencies decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.analysis._inputs import check_data, columns_named, generator, unitary_program
from qsim.analysis.spectrum import FourierSpectrum, common_unit, feature_columns, fourier_spectrum
from qsim.binding import bind_values
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, UnboundParameterError
from qsim.program.program import Program
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FourierSeries", "fourier_coefficients", "parted"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
#: Evaluations of the circuit, and frequencies of a least-squares fit, beyond which it is refused.
_MAX_POINTS, _MAX_FITTED = 2_000_000, 2_000


@dataclass(frozen=True, eq=False)
class FourierSeries:
    """A model as a Fourier series, ``f(x) = sum_k coefficients[k] exp(1j frequencies[k] . x)``.

    Attributes
    ----------
    features : tuple of str
    frequencies : ndarray, shape (count, d)
        As in `FourierSpectrum`.
    coefficients : ndarray, shape (count,) or (batch, count), complex128
        One row for each row of weights.
    """

    features: tuple[str, ...]
    frequencies: FloatArray
    coefficients: ComplexArray

    def __call__(self, X: Any) -> FloatArray:
        """The series at points, shape (points, d): (points,), or (batch, points)."""
        points = check_data(X, "X", least=0)
        if points.shape[1] != len(self.features):
            raise ArgumentError(
                f"Argument `X` must have {len(self.features)} columns, one for each feature, but has "
                f"{points.shape[1]}."
            )
        waves = np.exp(1j * self.frequencies @ points.T)
        values = self.coefficients @ waves
        return np.asarray(values.real, dtype=np.float64)

    @property
    def power(self) -> FloatArray:
        """Squared sizes of the coefficients, averaged over the rows of weights; shape (count,)."""
        sizes = np.abs(self.coefficients) ** 2
        out: FloatArray = sizes if sizes.ndim == 1 else sizes.mean(axis=0)
        return out

    def accessible(self, tolerance: float = 1e-9) -> FloatArray:
        """The frequencies with a coefficient above `tolerance` for some row of weights."""
        sizes = np.abs(np.atleast_2d(self.coefficients)).max(axis=0)
        out: FloatArray = self.frequencies[sizes > tolerance]
        return out

    def __str__(self) -> str:
        order = np.argsort(-self.power, kind="stable")[:8]
        lines = [f"Fourier series with {len(self.accessible())} of {len(self.frequencies)} coefficients"]
        for k in order:
            vector = ", ".join(f"{w:.4g}" for w in self.frequencies[k])
            lines.append(f"  ({vector}): |c| = {np.sqrt(self.power[k]):.4g}")
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_fourier_coefficients`."""
        from qsim.analysis.plots import plot_fourier_coefficients

        return plot_fourier_coefficients(self, ax)


def fourier_coefficients(
    circuit: Circuit,
    observable: Any,
    weights: Mapping[Any, Any] | None = None,
    *,
    features: Any = None,
    seed: Any = 0,
    **settings: Any,
) -> FourierSeries:
    """The Fourier coefficients of an expectation value as a function of features [1]_.

    Parameters
    ----------
    circuit, features, settings
        As for `fourier_spectrum`.
    observable
        One, as for `qsim.expectation`.
    weights : dict, optional
        Values of all other parameters by name; a batch of them gives a batch of coefficients.
    seed
        Of the points of a fit.

    Returns
    -------
    FourierSeries

    Raises
    ------
    UnboundParameterError
        A parameter is neither a feature nor in `weights`.
    ParameterError
        An angle is not affine in the features.
    ArgumentError
        The grid has more than 2,000,000 points: ask for some of the features and put the others in `weights`.

    Notes
    -----
    Where the frequencies of each feature are whole multiples of a unit, up to K of it, the model is evaluated
    on ``2 K + 1`` points over a period of each, as one batch, and the fast Fourier transform gives all
    coefficients to rounding. Other frequencies, up to 2,000 of them, are fitted by least squares to random
    points over the longest period. Weights that multiply features move the frequencies, so they cannot have a
    batch.

    References
    ----------
    .. [1] M. Schuld, R. Sweke and J. J. Meyer, Phys. Rev. A 103, 032430 (2021), arXiv:2008.08605.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> series = fourier_coefficients(Circuit(1).rx(Parameter("x"), 0), "Z0")  # cos(x)
    >>> np.abs(series.coefficients).round(12)
    array([0.5, 0. , 0.5])
    """
    simulator = Simulator(**settings)
    circuit, program, columns, held, batched = parted(circuit, observable, weights, features, simulator)
    spectrum = fourier_spectrum(circuit, [program.parameters[c] for c in columns], **settings)
    units = [common_unit(spectrum.of_feature(k)) for k in range(len(columns))]
    if all(unit is not None for unit in units):
        found = _on_grid(program, columns, held, spectrum, np.array(units, dtype=float))
    else:
        found = _by_fit(program, columns, held, spectrum, generator(seed))
    return FourierSeries(spectrum.features, spectrum.frequencies, found if batched else found[0])


def parted(
    circuit: Circuit, observable: Any, weights: Any, features: Any, simulator: Simulator
) -> tuple[Circuit, Program, list[int], FloatArray, bool]:
    """The circuit and its program, columns of the features, values of the others for each row of weights."""
    program = unitary_program(circuit, simulator, "fourier_coefficients")
    chosen = [program.parameters[c] for c in feature_columns(program, features)]
    if weights is not None and not isinstance(weights, Mapping):
        raise TypeError(f"Argument `weights` must map names to values, but is {type(weights).__name__}.")
    given = dict(weights or {})
    named = columns_named(program.parameters, list(given), "weights") if given else []
    chosen = [p for p in chosen if features is not None or program.parameters.index(p) not in named]
    missing = [p.name for k, p in enumerate(program.parameters) if k not in named and p not in chosen]
    if missing:
        raise UnboundParameterError(
            "Argument `weights` must give every parameter that is no feature a value, but has none for "
            + ", ".join(f"`{name}`" for name in missing[:8])
            + "."
        )
    own = [program.parameters[k] for k in named]
    values, batched = bind_values(own, given) if own else (np.zeros((1, 0)), False)
    if not batched and own:  # numbers instead of weights: those in front of features are fixed as well
        circuit = circuit.bind({p.name: float(v) for p, v in zip(own, values[0], strict=True)})
        program = simulator.compile(circuit)
        chosen = [p for p in chosen if p in program.parameters]
        named, values = [], np.zeros((1, 0))
    program = program.with_observables(observable)
    if not program._is_single:
        raise ArgumentError("Argument `observable` must be one observable, but is a list.")
    columns = [program.parameters.index(p) for p in chosen]
    held = np.zeros((len(values), len(program.parameters)))
    held[:, named] = values
    return circuit, program, columns, held, batched


def _evaluated(program: Program, columns: list[int], held: FloatArray, points: FloatArray) -> FloatArray:
    """Values for all rows of weights at all points, one batch: (weights, points)."""
    rows = np.repeat(held, len(points), axis=0)
    rows[:, columns] = np.tile(points, (len(held), 1))
    return np.asarray(program.expectation(rows)).reshape(len(held), len(points))


def _on_grid(
    program: Program,
    columns: list[int],
    held: FloatArray,
    spectrum: FourierSpectrum,
    units: FloatArray,
) -> ComplexArray:
    # a feature without effect has the unit 0: one point, at 0
    whole = np.rint(spectrum.frequencies / np.where(units > 0, units, 1.0)).astype(np.int64)
    sizes = 2 * np.abs(whole).max(axis=0, initial=0) + 1
    total = int(np.prod(sizes.astype(object))) if len(sizes) else 1
    if total * len(held) > _MAX_POINTS:
        raise ArgumentError(
            f"The grid must have at most {_MAX_POINTS} points, but has {total} for each row of weights. Ask "
            'for some of the features (features=["x[0]"]) and put the others in `weights`.'
        )
    axes = [
        2 * np.pi / unit * np.arange(size) / size if unit > 0 else np.zeros(1)
        for unit, size in zip(units, sizes.tolist(), strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) if axes else np.zeros((1, 0))
    values = _evaluated(program, columns, held, grid.reshape(total, len(columns)))
    shape = tuple(sizes.tolist())
    transformed = np.fft.fftn(values.reshape(-1, *shape), axes=tuple(range(1, 1 + len(shape)))) / total
    places = np.ravel_multi_index(tuple((whole % sizes).T), shape) if shape else np.zeros(1, dtype=int)
    return np.asarray(transformed.reshape(len(held), total)[:, places])


def _by_fit(
    program: Program,
    columns: list[int],
    held: FloatArray,
    spectrum: FourierSpectrum,
    rng: np.random.Generator,
) -> ComplexArray:
    count = len(spectrum)
    if count > _MAX_FITTED:
        raise ArgumentError(
            f"Frequencies that are no multiples of a unit must be at most {_MAX_FITTED}, but are {count}. "
            'Ask for some of the features: features=["x[0]"].'
        )
    widths = []
    for k in range(len(columns)):
        gaps = np.diff(spectrum.of_feature(k))
        widths.append(2 * np.pi / gaps.min() if len(gaps) else 1.0)
    points = rng.uniform(size=(4 * count, len(columns))) * np.array(widths)
    values = _evaluated(program, columns, held, points)
    waves = np.exp(1j * points @ spectrum.frequencies.T)
    return np.asarray(np.linalg.lstsq(waves, values.T.astype(complex), rcond=None)[0].T)
