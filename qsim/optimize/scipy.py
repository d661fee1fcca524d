"""SciPy's optimisers, with the history, callback, progress and time budget of `minimize`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._extras import require
from qsim.errors import ArgumentError
from qsim.optimize.loop import Objectives, Progress, Result, start_vector

__all__ = ["scipy_minimize"]

FloatArray = npt.NDArray[np.float64]
#: Methods that take no gradient.
_WITHOUT_GRADIENT = ("nelder-mead", "powell", "cobyla", "cobyqa")


class _Stopped(Exception):
    """Raised inside SciPy to leave it."""


def scipy_minimize(
    objective: Any,
    x0: Any,
    method: str = "L-BFGS-B",
    *,
    callback: Callable[[int, FloatArray, float], Any] | None = None,
    progress: bool = False,
    time_budget: float | None = None,
    **options: Any,
) -> Result:
    """Minimise an objective with `scipy.optimize.minimize`.

    Parameters
    ----------
    objective : Objective or callable
        As for `qsim.optimize.minimize`; of a function that gives ``(value, gradient)``, methods without
        gradients take the value.
    x0 : array_like, shape (num_parameters,)
    method : str
        Of SciPy; with gradients except for Nelder-Mead, Powell, COBYLA and COBYQA.
    callback, progress, time_budget
        As for `qsim.optimize.minimize`; a step is an evaluation of the objective.
    **options
        Further arguments of `scipy.optimize.minimize` (``bounds``, ``tol``, ``options``, ...).

    Returns
    -------
    Result
        The best of all evaluations; without a state to go on from.

    Raises
    ------
    ImportError
        SciPy is missing.

    Examples
    --------
    >>> import qsim
    >>> circuit = qsim.Circuit(1).ry(qsim.Parameter("t"), 0)
    >>> from qsim.optimize import Objective
    >>> result = scipy_minimize(Objective(circuit, "Z0"), [0.3])
    >>> round(result.value, 9)
    -1.0
    """
    optimize = require("scipy.optimize", extra="scipy", user="scipy_minimize", name="SciPy")
    if time_budget is not None and not time_budget > 0:
        raise ArgumentError(f"Argument `time_budget` must be positive, but is {time_budget}.")
    x = start_vector(x0)
    asked, bar, start = Objectives(objective), Progress(None, progress), time.perf_counter()
    with_gradient = str(method).lower() not in _WITHOUT_GRADIENT
    is_plain = not with_gradient and hasattr(objective, "value_and_gradient")
    values: list[float] = []
    best_value, best_x = np.inf, x.copy()
    message = ""

    def function(x: FloatArray) -> Any:
        nonlocal best_value, best_x, message
        if time_budget is not None and time.perf_counter() - start >= time_budget:
            message = "time budget used up"
            raise _Stopped
        if is_plain:
            value, slope = float(asked.values(x[None], len(values))[0]), None
        else:
            value, slope = asked.value_and_gradient(x, len(values))
        values.append(value)
        if value < best_value:
            best_value, best_x = value, x.copy()
        bar.show(len(values), value)
        if callback is not None and callback(len(values), x, value) is True:
            message = "ended by the callback"
            raise _Stopped
        return (value, slope) if with_gradient else value

    try:
        found = optimize.minimize(function, x, jac=True if with_gradient else None, method=method, **options)
        message = str(found.message)
    except _Stopped:
        pass
    bar.close()
    return Result(best_x, best_value, values, len(values), time.perf_counter() - start, message)
