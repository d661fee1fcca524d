"""Optimisers that follow the gradient."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError
from qsim.optimize.loop import Objectives, Optimizer
from qsim.optimize.objective import require_objective

__all__ = ["Adam", "GradientDescent", "QuantumNaturalGradient", "check_positive"]

FloatArray = npt.NDArray[np.float64]
Memory = dict[str, FloatArray]


def check_positive(value: Any, name: str, below: float = np.inf, zero: bool = False) -> float:
    """A real number above 0 (or at least 0) and below a limit."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"Argument `{name}` must be a real number, but is {type(value).__name__} ({value!r})."
        )
    number = float(value)
    if not (0 < number < below or (zero and number == 0)):
        limit = f" and below {below:g}" if np.isfinite(below) else ""
        least = "at least 0" if zero else "positive"
        raise ArgumentError(f"Argument `{name}` must be {least}{limit}, but is {value}.")
    return number


class GradientDescent(Optimizer):
    """Steps of ``learning_rate`` times the gradient, with momentum if asked for.

    Parameters
    ----------
    learning_rate : float
    momentum : float
        Share of the last step that is made again.
    """

    def __init__(self, learning_rate: float = 0.1, momentum: float = 0.0) -> None:
        self.learning_rate = check_positive(learning_rate, "learning_rate")
        self.momentum = check_positive(momentum, "momentum", 1.0, zero=True)

    def start(self, x: FloatArray) -> Memory:
        return {"velocity": np.zeros_like(x)}

    def step(
        self, objective: Objectives, x: FloatArray, memory: Memory, number: int, seed: int
    ) -> tuple[FloatArray, float, Memory]:
        value, slope = objective.value_and_gradient(x, number)
        velocity = self.momentum * memory["velocity"] - self.learning_rate * slope
        return x + velocity, value, {"velocity": velocity}

    def __repr__(self) -> str:
        return f"GradientDescent({self.learning_rate}, {self.momentum})"


class Adam(Optimizer):
    """Adaptive moments [1]_.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float
        As in the paper.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980.
    """

    def __init__(
        self,
        learning_rate: float = 0.05,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.learning_rate = check_positive(learning_rate, "learning_rate")
        self.beta1 = check_positive(beta1, "beta1", 1.0, zero=True)
        self.beta2 = check_positive(beta2, "beta2", 1.0, zero=True)
        self.epsilon = check_positive(epsilon, "epsilon")

    def start(self, x: FloatArray) -> Memory:
        return {"mean": np.zeros_like(x), "square": np.zeros_like(x)}

    def step(
        self, objective: Objectives, x: FloatArray, memory: Memory, number: int, seed: int
    ) -> tuple[FloatArray, float, Memory]:
        value, slope = objective.value_and_gradient(x, number)
        mean = self.beta1 * memory["mean"] + (1 - self.beta1) * slope
        square = self.beta2 * memory["square"] + (1 - self.beta2) * slope**2
        unbiased = mean / (1 - self.beta1 ** (number + 1))
        scale = np.sqrt(square / (1 - self.beta2 ** (number + 1))) + self.epsilon
        return x - self.learning_rate * unbiased / scale, value, {"mean": mean, "square": square}

    def __repr__(self) -> str:
        return f"Adam({self.learning_rate}, {self.beta1}, {self.beta2}, {self.epsilon})"


class QuantumNaturalGradient(Optimizer):
    """Gradient descent in the Fubini-Study metric of the state [1]_.

    Parameters
    ----------
    learning_rate : float
    regularization : float
        Added to the diagonal of the metric.
    approximation : {"block_diagonal", "diagonal"}, optional
        Of the metric, as for `qsim.quantum_fisher`.
    metric : callable, optional
        From a vector to its metric; else the objective's own.

    References
    ----------
    .. [1] J. Stokes, J. Izaac, N. Killoran and G. Carleo, Quantum 4, 269 (2020), arXiv:1909.02108.
    """

    def __init__(
        self,
        learning_rate: float = 0.1,
        regularization: float = 1e-3,
        approximation: str | None = None,
        metric: Callable[[FloatArray], Any] | None = None,
    ) -> None:
        self.learning_rate = check_positive(learning_rate, "learning_rate")
        self.regularization = check_positive(regularization, "regularization", zero=True)
        self.approximation, self.metric = approximation, metric

    def step(
        self, objective: Objectives, x: FloatArray, memory: Memory, number: int, seed: int
    ) -> tuple[FloatArray, float, Memory]:
        value, slope = objective.value_and_gradient(x, number)
        if self.metric is not None:
            metric = np.asarray(self.metric(x), dtype=float)
        else:
            of = require_objective(objective.objective, "metric", "QuantumNaturalGradient")
            metric = of(x, self.approximation)
        metric = metric + self.regularization * np.eye(len(x))
        move = np.linalg.lstsq(metric, slope, rcond=None)[0]  # a metric may be singular
        return x - self.learning_rate * move, value, {}

    def __repr__(self) -> str:
        return f"QuantumNaturalGradient({self.learning_rate}, {self.regularization}, {self.approximation!r})"
