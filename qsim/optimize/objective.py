"""What is minimised: an expectation value as a function of a flat vector of parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.binding import bind_values
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, GradientError
from qsim.gradients.evaluate import read_request
from qsim.gradients.metric import program_fisher
from qsim.gradients.parameter_shift import parameter_frequencies
from qsim.simulator import Simulator

__all__ = ["Objective"]

FloatArray = npt.NDArray[np.float64]


class Objective:
    """The expectation value of an observable, averaged over data, as a function of a vector of parameters.

    Parameters
    ----------
    circuit : Circuit
    observable : observable
        One, not a list.
    fixed : dict, optional
        Values of parameters that are not optimised, as for `qsim.expectation`. With a batch axis the
        objective is the mean over its rows.
    weights : array_like, shape (batch,), optional
        Of the rows of the batch, instead of ``1 / batch`` each.
    method, shots, seed, step
        How gradients are taken, as for `qsim.value_and_gradient`. With `shots` values are estimated too; the
        numbers follow from `seed` and the step of the optimiser.
    backend, precision, threads, max_memory
        See `qsim.Simulator`.

    Attributes
    ----------
    names : tuple of str
        Of the parameters optimised: the order of the vector.

    Examples
    --------
    >>> import qsim
    >>> circuit = qsim.Circuit(1).ry(qsim.Parameter("x"), 0).ry(qsim.Parameter("w"), 0)
    >>> objective = Objective(circuit, "Z0", fixed={"x": [0.1, 0.3]})
    >>> objective.names, round(objective([0.2]), 6)
    (('w',), 0.91646)
    """

    def __init__(
        self,
        circuit: Circuit,
        observable: Any,
        *,
        fixed: Mapping[Any, Any] | None = None,
        weights: Any = None,
        method: str = "adjoint",
        shots: int | None = None,
        seed: Any = None,
        step: float | None = None,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        max_memory: int | str | None = None,
    ) -> None:
        self.program = Simulator(backend, precision, threads, max_memory=max_memory).compile(
            circuit, observable
        )
        if not self.program._is_single:
            raise ArgumentError("Argument `observable` must be one observable, but is a list of them.")
        if shots is not None and method == "adjoint":
            raise ArgumentError("Argument `shots` is not for method 'adjoint'; use 'parameter_shift', say.")
        self._options = {"method": method, "step": step, "shots": shots}
        self._seed = seed if seed is not None or shots is None else 0
        parameters = self.program.parameters
        base, places = _bound(parameters, {} if fixed is None else fixed)
        self._base = base
        self._columns = [k for k in range(len(parameters)) if k not in places]
        self.names = tuple(parameters[k].name for k in self._columns)
        if weights is None:
            self._weights = np.full(len(base), 1.0 / max(1, len(base)))
        else:
            self._weights = np.asarray(weights, dtype=float)
            if self._weights.shape != (len(base),) or not np.isfinite(self._weights).all():
                raise ArgumentError(
                    f"Argument `weights` must be finite numbers of shape ({len(base)},), but has shape "
                    f"{self._weights.shape}."
                )

    @property
    def num_parameters(self) -> int:
        return len(self._columns)

    def __call__(self, x: Any, step: int = 0) -> Any:
        """Values: a float, or (rows,) for vectors (rows, num_parameters), all of them as one batch."""
        array = self._checked(x)
        rows = np.atleast_2d(array)
        values = self._values(rows)
        if self._options["shots"] is None:
            found = self.program.expectation(values)
        else:
            found = self._estimated(values, step, ())[0]
        out = np.asarray(found).reshape(len(rows), -1) @ self._weights
        return out if array.ndim == 2 else float(out[0])

    def value_and_gradient(self, x: Any, step: int = 0) -> tuple[float, FloatArray]:
        """The value and the gradient, (num_parameters,), at one vector."""
        values = self._values(np.atleast_2d(self._checked(x)))
        found, slopes = self._estimated(values, step, [self.program.parameters[k] for k in self._columns])
        return float(found @ self._weights), self._weights @ slopes

    def _estimated(self, values: FloatArray, step: int, wrt: Any) -> tuple[FloatArray, FloatArray]:
        options: dict[str, Any] = dict(self._options)
        if self._seed is not None:
            options["seed"] = np.random.SeedSequence(self._seed, spawn_key=(step,))
        found, slopes = self.program.value_and_gradient(values, wrt=wrt, **options)
        return found, slopes

    def metric(self, x: Any, approximation: str | None = None) -> FloatArray:
        """The Fubini-Study metric, a quarter of `qsim.quantum_fisher`; its mean over data."""
        values = self._values(np.atleast_2d(self._checked(x)))
        request = read_request(self.program, values, [self.program.parameters[k] for k in self._columns])
        full = program_fisher(self.program, request, approximation) / 4
        chosen = full[:, np.array(self._columns)[:, None], self._columns]
        return np.asarray(np.tensordot(self._weights, chosen, 1))

    def fidelities(self, x: Any, others: Any) -> FloatArray:
        """``|<psi(x)|psi(y)>|**2`` for each row y of `others`, (rows,); their mean over data."""
        rows = np.vstack([np.atleast_2d(self._checked(x)), np.atleast_2d(self._checked(others))])
        states = self.program.statevector(self._values(rows)).reshape(len(rows), len(self._base), -1)
        overlaps = np.einsum("bi,rbi->rb", states[0].conj(), states[1:])
        return np.asarray(np.abs(overlaps) ** 2 @ self._weights, dtype=float)

    def frequencies(self) -> list[FloatArray]:
        """For each parameter the frequencies of the objective as a function of it.

        Raises
        ------
        GradientError
            Where that is no trigonometric polynomial of few terms.
        """
        return [parameter_frequencies(self.program, column) for column in self._columns]

    def _checked(self, x: Any) -> FloatArray:
        array = np.asarray(x, dtype=float)
        if array.ndim not in (1, 2) or array.shape[-1] != len(self._columns):
            raise ArgumentError(
                f"Argument `x` must have shape ({len(self._columns)},) or (rows, {len(self._columns)}), but "
                f"has shape {array.shape}."
            )
        return array

    def _values(self, rows: FloatArray) -> FloatArray:
        """All parameters for all rows, each with all data."""
        out = np.tile(self._base, (len(rows), 1))
        out[:, self._columns] = np.repeat(rows, len(self._base), axis=0)
        return out


def _bound(parameters: Any, fixed: Mapping[Any, Any]) -> tuple[FloatArray, set[int]]:
    """Values of all parameters (free ones 0) for the rows of the data, and the columns given."""
    names = {key if isinstance(key, str) else key.name for key in fixed}
    given = {k for k, p in enumerate(parameters) if p.name in names or (p.vector and p.vector[0] in names)}
    free = {p.name: 0.0 for k, p in enumerate(parameters) if k not in given}
    values, _ = bind_values(parameters, {**fixed, **free})
    if not len(values):
        raise ArgumentError("Argument `fixed` must have at least one row, but has none.")
    return values, given


def require_objective(objective: Any, method: str, what: str) -> Any:
    """A method of an `Objective`, for optimisers that need more than values and gradients."""
    if not hasattr(objective, method):
        raise GradientError(
            f"{what} needs an objective with a method `{method}`, as qsim.optimize.Objective has, but got "
            f"{type(objective).__name__}."
        )
    return getattr(objective, method)
