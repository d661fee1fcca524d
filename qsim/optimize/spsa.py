"""Optimisers that move all parameters at once in random directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qsim.optimize.first_order import check_positive
from qsim.optimize.loop import Objectives, Optimizer
from qsim.optimize.objective import require_objective

__all__ = ["QNSPSA", "SPSA"]

FloatArray = npt.NDArray[np.float64]
Memory = dict[str, FloatArray]


def _directions(seed: int, number: int, count: int, size: int) -> FloatArray:
    """Random signs of a step: a stream for each, so that a resumed run draws the same."""
    sequence = np.random.SeedSequence(seed, spawn_key=(number,))
    generator = np.random.Generator(np.random.Philox(sequence))
    return np.asarray(2.0 * generator.integers(0, 2, (count, size)) - 1.0, dtype=float)


class SPSA(Optimizer):
    """Simultaneous perturbation stochastic approximation: three evaluations a step, as one batch [1]_.

    Parameters
    ----------
    learning_rate : float
        ``a`` of the gain ``a / (k + 1 + stability)**alpha`` of step k.
    perturbation : float
        ``c`` of the perturbation ``c / (k + 1)**gamma``.
    alpha, gamma, stability : float
        As in the paper.

    References
    ----------
    .. [1] J. C. Spall, "Implementation of the simultaneous perturbation algorithm for stochastic
       optimization", IEEE Trans. Aerosp. Electron. Syst. 34, 817 (1998).
    """

    def __init__(
        self,
        learning_rate: float = 0.2,
        perturbation: float = 0.1,
        alpha: float = 0.602,
        gamma: float = 0.101,
        stability: float = 10.0,
    ) -> None:
        self.learning_rate = check_positive(learning_rate, "learning_rate")
        self.perturbation = check_positive(perturbation, "perturbation")
        self.alpha = check_positive(alpha, "alpha", zero=True)
        self.gamma = check_positive(gamma, "gamma", zero=True)
        self.stability = check_positive(stability, "stability", zero=True)

    def _gains(self, number: int) -> tuple[float, float]:
        rate = self.learning_rate / ((number + 1 + self.stability) ** self.alpha)
        return rate * (1 + self.stability) ** self.alpha, self.perturbation / (number + 1) ** self.gamma

    def step(
        self, objective: Objectives, x: FloatArray, memory: Memory, number: int, seed: int
    ) -> tuple[FloatArray, float, Memory]:
        rate, width = self._gains(number)
        sign = _directions(seed, number, 1, len(x))[0]
        here, up, down = objective.values(np.array([x, x + width * sign, x - width * sign]), number)
        return x - rate * (up - down) / (2 * width) * sign, float(here), {}

    def __repr__(self) -> str:
        settings = (self.learning_rate, self.perturbation, self.alpha, self.gamma, self.stability)
        return f"{type(self).__name__}{settings}"


class QNSPSA(SPSA):
    """Quantum natural SPSA: the metric too from random directions, four fidelities a step [1]_.

    Parameters
    ----------
    learning_rate, perturbation, alpha, gamma, stability : float
        As for `SPSA`.
    regularization : float
        Added to the diagonal of the metric.

    References
    ----------
    .. [1] J. Gacon, C. Zoufal, G. Carleo and S. Woerner, "Simultaneous perturbation stochastic approximation
    of
       the quantum Fisher information", Quantum 5, 567 (2021), arXiv:2103.09232.
    """

    def __init__(
        self,
        learning_rate: float = 0.1,
        perturbation: float = 0.1,
        alpha: float = 0.602,
        gamma: float = 0.101,
        stability: float = 10.0,
        regularization: float = 0.1,
    ) -> None:
        super().__init__(learning_rate, perturbation, alpha, gamma, stability)
        self.regularization = check_positive(regularization, "regularization")

    def start(self, x: FloatArray) -> Memory:
        return {"metric": np.eye(len(x))}

    def step(
        self, objective: Objectives, x: FloatArray, memory: Memory, number: int, seed: int
    ) -> tuple[FloatArray, float, Memory]:
        rate, width = self._gains(number)
        sign, first, second = _directions(seed, number, 3, len(x))
        here, up, down = objective.values(np.array([x, x + width * sign, x - width * sign]), number)
        slope = (up - down) / (2 * width) * sign
        fidelities = require_objective(objective.objective, "fidelities", "QNSPSA")
        one, two = width * first, width * second
        a, b, c, d = fidelities(x, np.array([x + one + two, x + one, x - one + two, x - one]))
        # the metric is minus half the second derivative of the fidelity
        strength = -0.5 * (a - b - c + d) / (2 * width**2)
        sample = strength * (np.outer(first, second) + np.outer(second, first)) / 2
        metric = (number + 1) / (number + 2) * memory["metric"] + sample / (number + 2)
        levels, vectors = np.linalg.eigh(metric)
        scaled = (vectors.T @ slope) / (np.abs(levels) + self.regularization)
        return x - rate * (vectors @ scaled), float(here), {"metric": metric}

    def __repr__(self) -> str:
        return super().__repr__()[:-1] + f", {self.regularization})"
