"""The loop around all optimisers: history, callback, progress, time budget, saving and resuming."""

from __future__ import annotations

import inspect
import json
import sys
import time
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError

__all__ = ["Optimizer", "Result", "State", "minimize"]

#: A line of progress is not written more often.
_REFRESH_SECONDS = 0.1

FloatArray = npt.NDArray[np.float64]


class Optimizer(ABC):
    """One rule for a step. It keeps nothing itself: what it remembers is in the state it is given.

    Attributes
    ----------
    value_is_before : bool
        Whether a step's value is that of the vector before it, or of the one it leads to.
    """

    value_is_before = True

    def start(self, x: FloatArray) -> dict[str, FloatArray]:
        """What is remembered before the first step."""
        return {}

    @abstractmethod
    def step(
        self, objective: Objectives, x: FloatArray, memory: dict[str, FloatArray], number: int, seed: int
    ) -> tuple[FloatArray, float, dict[str, FloatArray]]:
        """The next vector, the value (see `value_is_before`), and what is remembered."""


class Objectives:
    """An objective, asked for its values and gradients in a given step."""

    def __init__(self, objective: Any) -> None:
        if not callable(objective):
            raise TypeError(
                f"Argument `objective` must be an Objective or a function, but is {type(objective).__name__}."
            )
        self.objective = objective
        self._gradient = getattr(objective, "value_and_gradient", objective)
        self._value_takes_step = _takes_step(objective)
        self._gradient_takes_step = _takes_step(self._gradient)

    def values(self, rows: FloatArray, number: int) -> FloatArray:
        """Values of the rows of an array, as one batch."""
        extra = {"step": number} if self._value_takes_step else {}
        out = real_array(self.objective(rows, **extra), "values")
        if out.shape != (len(rows),):
            raise ArgumentError(
                f"Argument `objective` must give values of shape ({len(rows)},) for vectors of shape "
                f"{rows.shape}, but gives shape {out.shape}."
            )
        return out

    def value_and_gradient(self, x: FloatArray, number: int) -> tuple[float, FloatArray]:
        extra = {"step": number} if self._gradient_takes_step else {}
        found = self._gradient(x, **extra)
        if not isinstance(found, tuple) or len(found) != 2:
            raise ArgumentError(
                f"Argument `objective` must give a value and a gradient, but gives {type(found).__name__}."
            )
        slope = real_array(found[1], "a gradient")
        if slope.shape != x.shape:
            raise ArgumentError(
                f"Argument `objective` must give a gradient of shape {x.shape}, but gives shape "
                f"{slope.shape}."
            )
        value = real_array(found[0], "a value")
        if value.size != 1:
            raise ArgumentError(
                f"Argument `objective` must give one number and its gradient, but gives values of shape "
                f"{value.shape}. Sum them, or take their mean, and the gradient of that."
            )
        return value.item(), slope


def real_array(value: Any, what: str) -> FloatArray:
    """What an objective gives, as real numbers."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iufb":
        found = f"an array of {array.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"Argument `objective` must give {what} of real numbers, but gives {found}.")
    return array.astype(float)


def start_vector(x0: Any) -> FloatArray:
    """Where an optimisation begins, checked."""
    if x0 is None:
        raise TypeError("Argument `x0` must be a vector to begin with, but is None.")
    try:
        x = np.array(x0)
    except ValueError:
        x = np.array(None)
    if x.dtype.kind not in "iuf":
        raise TypeError(f"Argument `x0` must be a vector of real numbers, but is {type(x0).__name__}.")
    if x.ndim != 1 or not np.isfinite(x).all():
        raise ArgumentError(f"Argument `x0` must be a finite vector, but has shape {x.shape}.")
    return x.astype(float)


def _takes_step(function: Any) -> bool:
    try:
        return "step" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


@dataclass
class State:
    """Where an optimisation is: all that the next step depends on.

    Attributes
    ----------
    x : ndarray
    step : int
        Steps made.
    optimizer : str
        Its kind and settings, so that nothing else goes on with it.
    seed : int
    memory : dict of ndarray
        What the optimiser remembers.
    values : list of float
        The history.
    best_x : ndarray
    best_value : float
    """

    x: FloatArray
    step: int
    optimizer: str
    seed: int
    memory: dict[str, FloatArray]
    values: list[float] = field(default_factory=list)
    best_x: FloatArray = field(default_factory=lambda: np.zeros(0))
    best_value: float = np.inf

    def save(self, path: str | Path) -> None:
        """Write to a file (npz); every bit comes back with `load`."""
        about = {"step": self.step, "optimizer": self.optimizer, "seed": self.seed}
        arrays = {f"memory_{name}": array for name, array in self.memory.items()}
        with open(path, "wb") as file:  # savez would add a suffix to a name
            np.savez(
                file,
                allow_pickle=False,
                about=np.array(json.dumps(about)),
                x=self.x,
                values=np.array(self.values),
                best_x=self.best_x,
                best_value=np.array(self.best_value),
                **arrays,
            )

    @classmethod
    def load(cls, path: str | Path) -> State:
        """Read what `save` wrote.

        Raises
        ------
        ArgumentError
            The file holds something else.
        """
        try:
            return cls._read(path)
        except (ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise ArgumentError(
                f"Argument `path` must be a file that State.save wrote, but {path} holds something else."
            ) from error

    @classmethod
    def _read(cls, path: str | Path) -> State:
        with np.load(path, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            return cls(
                x=stored["x"],
                memory={k.removeprefix("memory_"): stored[k] for k in stored if k.startswith("memory_")},
                values=stored["values"].tolist(),
                best_x=stored["best_x"],
                best_value=float(stored["best_value"]),
                **about,
            )


@dataclass
class Result:
    """What an optimisation found.

    Attributes
    ----------
    x : ndarray
        The vector with the least value seen.
    value : float
        That value (an estimate, if the objective gives estimates).
    values : list of float
        The value of each step.
    steps : int
        Steps made, with those before it was resumed.
    seconds : float
        Of this call.
    message : str
        Why it ended.
    state : State or None
        To go on from.
    """

    x: FloatArray
    value: float
    values: list[float]
    steps: int
    seconds: float
    message: str
    state: State | None = None


class Progress:
    """A line of text on stderr."""

    def __init__(self, total: int | None, is_shown: bool) -> None:
        self.total, self.is_shown, self.start = total, is_shown, time.perf_counter()
        self._width, self._shown = 0, -np.inf

    def show(self, step: int, value: float) -> None:
        now = time.perf_counter()
        if not self.is_shown or (step != self.total and now - self._shown < _REFRESH_SECONDS):
            return
        self._shown = now
        bar = ""
        if self.total:
            done = round(20 * step / self.total)
            bar = f" [{'#' * done}{'.' * (20 - done)}]"
        total = f"/{self.total}" if self.total else ""
        text = f"step {step}{total}{bar} value {value:.6g}, {time.perf_counter() - self.start:.1f} s"
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def close(self) -> None:
        if self.is_shown and self._width:
            sys.stderr.write("\n")


def minimize(
    objective: Any,
    x0: Any = None,
    optimizer: Optimizer | None = None,
    *,
    steps: int = 100,
    seed: int = 0,
    callback: Callable[[int, FloatArray, float], Any] | None = None,
    progress: bool = False,
    time_budget: float | None = None,
    tolerance: float | None = None,
    state: State | None = None,
) -> Result:
    """Minimise an objective, step by step.

    Parameters
    ----------
    objective : Objective or callable
        A function gives ``(value, gradient)`` of a vector, or, for optimisers that take values only, the
        values of the rows of an array. If it has an argument `step` it is told the number of the step, to
        choose a minibatch by, say.
    x0 : array_like, shape (num_parameters,)
        Where to begin; not with `state`.
    optimizer : Optimizer, optional
        ``Adam()`` by default.
    steps : int
        Steps to make, in all: a state that has made 30 of 100 makes 70 more.
    seed : int
        Of what the optimiser draws; not with `state`, which has its own.
    callback : callable, optional
        Called with the steps made, the vector and the value after each step; ends the loop if it returns
        True.
    progress : bool
        Show a line on stderr.
    time_budget : float, optional
        Seconds after which no further step begins.
    tolerance : float, optional
        End when ten steps in a row change the best value by less than this.
    state : State, optional
        Of an earlier result: go on from there, and come to the same bits as without the pause.

    Returns
    -------
    Result

    Raises
    ------
    ArgumentError
        An argument is out of range, or the state is of another optimiser.

    Examples
    --------
    >>> from qsim.optimize import GradientDescent
    >>> result = minimize(lambda x: ((x**2).sum(), 2 * x), [1.0], GradientDescent(0.25), steps=50)
    >>> round(result.value, 12), result.steps
    (0.0, 50)
    """
    from qsim.optimize.first_order import Adam

    chosen = Adam() if optimizer is None else optimizer
    if not isinstance(chosen, Optimizer):
        raise TypeError(f"Argument `optimizer` must be an Optimizer, but is {type(chosen).__name__}.")
    steps = check_count(steps, "steps")
    if time_budget is not None and not time_budget > 0:
        raise ArgumentError(f"Argument `time_budget` must be positive, but is {time_budget}.")
    now = _begin(chosen, x0, seed) if state is None else _resume(chosen, x0, state)
    asked = Objectives(objective)
    bar, start = Progress(steps, progress), time.perf_counter()
    message = f"{steps} steps made"
    while now.step < steps:
        if time_budget is not None and time.perf_counter() - start >= time_budget:
            message = "time budget used up"
            break
        here = now.x
        now.x, value, now.memory = chosen.step(asked, here, dict(now.memory), now.step, now.seed)
        if not np.isfinite(value) or not np.isfinite(now.x).all():
            now.x = here
            raise ArgumentError(
                f"Argument `objective` must stay finite, but step {now.step} gives {value}; a smaller "
                "learning rate may help."
            )
        now.step += 1
        now.values.append(value)
        if value < now.best_value:
            now.best_value, now.best_x = value, (here if chosen.value_is_before else now.x).copy()
        bar.show(now.step, value)
        if callback is not None and callback(now.step, now.x, value) is True:
            message = "ended by the callback"
            break
        if tolerance is not None and _is_flat(now.values, tolerance):
            message = f"the best value changed by less than {tolerance:g} in {_FLAT_STEPS} steps"
            break
    bar.close()
    seconds = time.perf_counter() - start
    return Result(now.best_x, now.best_value, list(now.values), now.step, seconds, message, now)


_FLAT_STEPS = 10


def _is_flat(values: list[float], tolerance: float) -> bool:
    if len(values) <= _FLAT_STEPS:
        return False
    return min(values[:-_FLAT_STEPS]) - min(values) < tolerance


def _begin(optimizer: Optimizer, x0: Any, seed: Any) -> State:
    x = start_vector(x0)
    return State(x, 0, repr(optimizer), check_count(seed, "seed"), optimizer.start(x), [], x.copy())


def _resume(optimizer: Optimizer, x0: Any, state: State) -> State:
    if x0 is not None:
        raise ArgumentError("Arguments `x0` and `state` exclude each other: the state has its vector.")
    if not isinstance(state, State):
        raise TypeError(f"Argument `state` must be a State, but is {type(state).__name__}.")
    if state.optimizer != repr(optimizer):
        raise ArgumentError(
            f"Argument `state` is of {state.optimizer}, so it cannot go on with {optimizer!r}."
        )
    memory = {name: array.copy() for name, array in state.memory.items()}
    return State(
        state.x.copy(),
        state.step,
        state.optimizer,
        state.seed,
        memory,
        list(state.values),
        state.best_x.copy(),
        state.best_value,
    )
