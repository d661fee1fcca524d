"""How gradients shrink: their variance over random parameters, and how it scales with the qubits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.analysis._estimates import Estimate, bootstrap_weights, check_confidence, spread
from qsim.analysis._inputs import (
    UNIFORM,
    Draw,
    check_sizes,
    counted_columns,
    draw_rows,
    generator,
    unitary_program,
)
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GradientScaling", "GradientVariance", "gradient_variance", "gradient_variance_scaling"]

FloatArray = npt.NDArray[np.float64]
#: Variances below this are rounding: the parameter has no effect.
_NOTHING = 1e-28


@dataclass(frozen=True, eq=False)
class GradientVariance:
    """What `gradient_variance` finds; ``float(result)`` is the mean variance.

    Attributes
    ----------
    estimate : Estimate
        Variance of a derivative, averaged over the parameters.
    variances : ndarray, shape (P,)
        Of the derivative by each parameter.
    gradients : ndarray, shape (num_samples, P)
    parameters : tuple of str
    """

    estimate: Estimate
    variances: FloatArray
    gradients: FloatArray
    parameters: tuple[str, ...]

    def __float__(self) -> float:
        return self.estimate.value

    def __str__(self) -> str:
        idle = int((self.variances <= _NOTHING).sum())
        without = f"; {idle} without effect" if idle else ""
        return f"gradient variance {self.estimate}, mean of {len(self.parameters)} parameters{without}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_gradient_variance`."""
        from qsim.analysis.plots import plot_gradient_variance

        return plot_gradient_variance(self, ax)


def gradient_variance(
    circuit: Circuit,
    observable: Any,
    num_samples: int = 500,
    *,
    wrt: Any = None,
    draw: Draw = UNIFORM,
    fixed: Mapping[Any, Any] | None = None,
    seed: Any = None,
    confidence: float = 0.95,
    **settings: Any,
) -> GradientVariance:
    """Variance of the derivatives of an expectation value over random parameters [1]_.

    Parameters
    ----------
    circuit, draw, fixed, seed, settings
        As for `qsim.analysis.expressibility`.
    observable
        One, as for `qsim.expectation`.
    num_samples : int
    wrt : name, Parameter, ParameterVector or several, optional
        What to differentiate by; by default all weights that are not in `fixed`, and features only if there
        is nothing else.
    confidence : float
        Of the interval, a bootstrap over the samples.

    Returns
    -------
    GradientVariance

    Notes
    -----
    One batch of adjoint gradients.

    References
    ----------
    .. [1] J. R. McClean, S. Boixo, V. N. Smelyanskiy, R. Babbush and H. Neven, Nat. Commun. 9, 4812 (2018),
       arXiv:1803.11173.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> found = gradient_variance(Circuit(1).ry(Parameter("t"), 0), "Z0", num_samples=4000, seed=1)
    >>> round(float(found), 1)  # of -sin(t): 1/2
    0.5
    """
    num_samples = check_count(num_samples, "num_samples", 2)
    confidence = check_confidence(confidence)
    program = unitary_program(circuit, Simulator(**settings), "gradient_variance").with_observables(
        observable
    )
    if not program._is_single:
        raise ArgumentError("Argument `observable` must be one observable, but is a list.")
    columns = counted_columns(program.parameters, wrt, fixed)
    if not columns:
        raise ArgumentError("Argument `circuit` must have parameters to differentiate by, but has none.")
    rng = generator(seed)
    values = draw_rows(program.parameters, num_samples, rng, draw, fixed)
    chosen = [program.parameters[k] for k in columns]
    _, gradients = program.value_and_gradient(values, wrt=chosen)
    resampled = _mean_variances(gradients, bootstrap_weights(rng, num_samples))
    variances = gradients.var(axis=0, ddof=1)
    estimate = spread(float(variances.mean()), resampled, confidence)
    return GradientVariance(estimate, variances, gradients, tuple(p.name for p in chosen))


def _mean_variances(gradients: FloatArray, weights: FloatArray) -> FloatArray:
    """The mean over parameters of the variance over samples, for each row of weights of the samples."""
    samples = len(gradients)
    centred = gradients - gradients.mean(axis=0)
    moments = weights @ centred**2 - (weights @ centred) ** 2
    return np.asarray(moments.mean(axis=1) * samples / (samples - 1))


@dataclass(frozen=True, eq=False)
class GradientScaling:
    """What `gradient_variance_scaling` finds.

    Attributes
    ----------
    num_qubits : tuple of int
    variances : tuple of Estimate
    rate : Estimate
        b of the exponential fit ``variance = a * exp(-b * num_qubits)``.
    power : Estimate
        p of the fit ``variance = a * num_qubits**(-p)``.
    exponential_error, power_error : float
        Root mean square distance of the logarithms from each fit.
    """

    num_qubits: tuple[int, ...]
    variances: tuple[Estimate, ...]
    rate: Estimate
    power: Estimate
    exponential_error: float
    power_error: float

    @property
    def is_exponential(self) -> bool:
        """Whether the variance falls, and an exponential describes that better than a power."""
        return self.rate.low > 0 and self.exponential_error < self.power_error

    @property
    def verdict(self) -> str:
        """What the fits say, in a sentence."""
        if self.rate.low <= 0:
            return "The variance of gradients does not fall over these numbers of qubits."
        if self.is_exponential:
            return (
                f"The variance falls exponentially, by a factor of {math.exp(self.rate.value):.3g} "
                f"[{math.exp(self.rate.low):.3g}, {math.exp(self.rate.high):.3g}] for each qubit: a barren "
                "plateau."
            )
        return f"The variance falls like num_qubits**-{self.power}: no barren plateau in this range."

    def __str__(self) -> str:
        listed = "\n".join(f"  {n} qubits: {v}" for n, v in zip(self.num_qubits, self.variances, strict=True))
        return f"gradient variance\n{listed}\n{self.verdict}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_gradient_scaling`."""
        from qsim.analysis.plots import plot_gradient_scaling

        return plot_gradient_scaling(self, ax)


def gradient_variance_scaling(
    make: Callable[[int], Any],
    num_qubits: Any = (2, 4, 6, 8),
    *,
    observable: Any = None,
    num_samples: int = 500,
    confidence: float = 0.95,
    seed: Any = None,
    **options: Any,
) -> GradientScaling:
    """How the variance of gradients scales with the number of qubits: exponential and power-law fits [1]_.

    Parameters
    ----------
    make : callable
        ``make(n)`` gives the circuit on n qubits, or the circuit and its observable.
    num_qubits : sequence of int
        At least three.
    observable : optional
        One for all sizes, if `make` gives none.
    num_samples, confidence, seed, **options
        As for `gradient_variance`.

    Returns
    -------
    GradientScaling

    References
    ----------
    .. [1] J. R. McClean et al., Nat. Commun. 9, 4812 (2018), arXiv:1803.11173; M. Cerezo, A. Sone,
       T. Volkoff, L. Cincio and P. J. Coles, Nat. Commun. 12, 1791 (2021), arXiv:2001.00550.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> def make(n):  # a product: the variance is 2**-n
    ...     t = ParameterVector("t", n)
    ...     circuit = Circuit(n)
    ...     for q in range(n):
    ...         _ = circuit.ry(t[q], q)
    ...     return circuit, " ".join(f"Z{q}" for q in range(n))
    >>> found = gradient_variance_scaling(make, num_samples=4000, seed=1)
    >>> found.is_exponential, round(float(np.exp(found.rate.value)), 1)
    (True, 2.0)
    """
    sizes = check_sizes(num_qubits, "num_qubits", 1)
    if len(sizes) < 3:
        raise ArgumentError(
            f"Argument `num_qubits` must hold at least 3 sizes, as a fit has 2 numbers, but holds "
            f"{len(sizes)}."
        )
    confidence = check_confidence(confidence)
    num_samples = check_count(num_samples, "num_samples", 2)
    rng = generator(seed)
    found = []
    for size in sizes:
        made = make(size)
        circuit, measured = made if isinstance(made, tuple) else (made, observable)
        if measured is None:
            raise ArgumentError("Argument `observable` must be given, or come from `make` with the circuit.")
        found.append(
            gradient_variance(circuit, measured, num_samples, seed=rng, confidence=confidence, **options)
        )
    values = np.array([float(result) for result in found])
    if (values <= _NOTHING).any():
        raise ArgumentError(
            f"All gradients vanish for {sizes[int(np.argmin(values))]} qubits: no parameter has an effect."
        )
    resampled = np.array([_mean_variances(r.gradients, bootstrap_weights(rng, num_samples)) for r in found])
    logs = np.log(np.maximum(np.column_stack([values, resampled]), _NOTHING))
    n = np.array(sizes, dtype=float)
    rates, exponential_error = _fit(n, logs)
    powers, power_error = _fit(np.log(n), logs)
    return GradientScaling(
        tuple(sizes),
        tuple(result.estimate for result in found),
        spread(rates[0], rates[1:], confidence),
        spread(powers[0], powers[1:], confidence),
        exponential_error,
        power_error,
    )


def _fit(x: FloatArray, logs: FloatArray) -> tuple[FloatArray, float]:
    """Negative slopes of straight lines through the columns of `logs`, and the error of the first."""
    design = np.column_stack([x, np.ones_like(x)])
    solution = np.linalg.lstsq(design, logs, rcond=None)[0]
    rest = logs[:, 0] - design @ solution[:, 0]
    return -solution[0], float(np.sqrt((rest**2).mean()))
