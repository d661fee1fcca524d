"""Training of a feature map's weights, for a kernel that fits its labels better."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.errors import ArgumentError
from qsim.optimize import Adam, Optimizer, Result, minimize
from qsim.quantum_kernels.alignment import alignment_and_slope, target_kernel
from qsim.quantum_kernels.base import QuantumKernel
from qsim.quantum_kernels.encoding import check_data

__all__ = ["TrainedKernel", "alignment_gradient", "train_kernel"]

FloatArray = npt.NDArray[np.float64]
#: The loss of a kernel matrix for labels, and its derivative by the matrix.
Loss = Callable[[FloatArray, npt.NDArray[Any]], tuple[float, FloatArray]]
#: Slopes below this are rounding.
_FLAT = 1e-12


@dataclass
class TrainedKernel:
    """What `train_kernel` found.

    Attributes
    ----------
    kernel : QuantumKernel
        With the best weights seen.
    before, after : float
        The alignment (or loss) on all rows, with the weights at first and at last.
    result : qsim.optimize.Result
        The optimiser's own: its history, and a state to go on from.
    """

    kernel: QuantumKernel
    before: float
    after: float
    result: Result


def alignment_gradient(
    kernel: QuantumKernel,
    X: Any,
    y: Any,
    *,
    centered: bool = True,
    balanced: bool = False,
    wrt: Any = None,
) -> tuple[float, dict[str, FloatArray]]:
    """The kernel-target alignment, and its exact derivatives by the feature map's weights.

    Parameters
    ----------
    kernel : QuantumKernel
    X : array_like, shape (rows, features)
    y : array_like, shape (rows,)
        Labels; see `target_kernel`.
    centered, balanced : bool
        See `kernel_target_alignment`.
    wrt : str or sequence of str, optional
        Names of weights. All by default.

    Returns
    -------
    alignment : float
    gradient : dict
        Name to a float, or an array (length,) for a vector.

    Warns
    -----
    UserWarning
        If all derivatives are 0; see `train_kernel`.
    """
    target = target_kernel(y, balanced=balanced)
    found = [0.0]

    def slope(matrix: FloatArray) -> FloatArray:
        if matrix.shape != target.shape:
            raise ArgumentError(
                f"Argument `y` must have {len(matrix)} rows, as `X` has, but has {len(target)}."
            )
        found[0], out = alignment_and_slope(np.asarray(matrix, dtype=np.float64), target, centered)
        return out

    _, gradient = kernel.vjp(X, slope, wrt=wrt)
    _warn_if_flat(list(gradient), [float(np.abs(slopes).max()) for slopes in gradient.values()])
    return found[0], gradient


def train_kernel(
    kernel: QuantumKernel,
    X: Any,
    y: Any,
    *,
    wrt: Any = None,
    loss: str | Loss = "alignment",
    centered: bool = True,
    balanced: bool = False,
    optimizer: Optimizer | None = None,
    steps: int = 50,
    batch_size: int | None = None,
    seed: int = 0,
    **options: Any,
) -> TrainedKernel:
    """Choose the weights of a kernel's feature map so that its matrix agrees with labels [1]_.

    Parameters
    ----------
    kernel : QuantumKernel
        Whose `params` give every weight a value to begin with.
    X : array_like, shape (rows, features)
    y : array_like, shape (rows,)
    wrt : str or sequence of str, optional
        Names of the weights to train. All by default.
    loss : "alignment" or callable
        What is minimised: minus the kernel-target alignment, or what a function ``loss(matrix, labels)``
        gives, with its derivative by the entries of the matrix: ``(value, slope)``.
    centered, balanced : bool
        See `kernel_target_alignment`.
    optimizer : qsim.optimize.Optimizer, optional
        ``Adam(0.1)`` by default.
    steps : int
    batch_size : int, optional
        Rows drawn for each step; all by default. A batch has at least one row of each of two classes.
    seed : int
        Of the batches and the optimiser.
    **options
        To `qsim.optimize.minimize`: callback, progress, time_budget, tolerance.

    Returns
    -------
    TrainedKernel

    Warns
    -----
    UserWarning
        If no weight changed the kernel. Those behind the last encoding of the data cancel in fidelities: maps
        as `qsim.feature_maps.hubregtsen` need two layers.

    References
    ----------
    .. [1] T. Hubregtsen et al., Phys. Rev. A 106, 042431 (2022), arXiv:2105.02276.

    Examples
    --------
    >>> import numpy as np
    >>> import qsim
    >>> from qsim.quantum_kernels import FidelityKernel
    >>> x, w = qsim.ParameterVector("x", 1), qsim.Parameter("w")
    >>> kernel = FidelityKernel(qsim.Circuit(1).ry(w * x[0], 0), {"w": 0.5})
    >>> X, y = np.array([[0.0], [0.2], [1.0], [1.2]]), [0, 0, 1, 1]
    >>> trained = train_kernel(kernel, X, y, steps=30)
    >>> round(trained.before, 3), round(trained.after, 3), round(trained.kernel.params["w"], 1)
    (0.963, 0.995, 3.0)
    """
    data, labels = check_data(X), np.asarray(y)
    if labels.shape != (len(data),):
        raise ArgumentError(f"Argument `y` must have shape ({len(data)},), but has shape {labels.shape}.")
    measured = _alignment_loss(centered, balanced) if isinstance(loss, str) else loss
    if isinstance(loss, str) and loss != "alignment":
        raise ArgumentError(f"Argument `loss` must be 'alignment' or a function, but is {loss!r}.")
    batch = len(data) if batch_size is None else check_count(batch_size, "batch_size", 2, len(data))
    names = list(kernel._groups(data.shape[1], wrt))
    sizes = {name: np.shape(_value_of(kernel, name)) for name in names}

    def with_weights(x: FloatArray) -> QuantumKernel:
        parts = np.split(x, np.cumsum([int(np.prod(sizes[name])) for name in names])[:-1])
        own = {n: p.reshape(sizes[n]) if sizes[n] else float(p[0]) for n, p in zip(names, parts, strict=True)}
        return kernel.with_params({**kernel.params, **own})

    steepest: list[float] = []

    def value_and_gradient(x: FloatArray, step: int) -> tuple[float, FloatArray]:
        rows = _drawn_rows(labels, batch, [seed, step])
        found = [0.0]

        def slope(matrix: FloatArray) -> FloatArray:
            found[0], out = measured(np.asarray(matrix, dtype=np.float64), labels[rows])
            return out

        _, gradient = with_weights(x).vjp(data[rows], slope, wrt=names)
        slopes = np.concatenate([np.ravel(gradient[name]) for name in names])
        steepest.append(float(np.abs(slopes).max()))
        return found[0], slopes

    first = np.concatenate([np.ravel(_value_of(kernel, name)) for name in names]).astype(np.float64)
    chosen = Adam(0.1) if optimizer is None else optimizer
    result = minimize(value_and_gradient, first, chosen, steps=steps, seed=seed, **options)
    assert result.state is not None
    _warn_if_flat(names, steepest)
    # values of different batches cannot be compared, so then the last vector is the answer
    last = with_weights(result.x if batch == len(data) else result.state.x)
    sign = -1 if isinstance(loss, str) else 1

    def on_all_rows(some: QuantumKernel) -> float:
        return sign * measured(np.asarray(some._value(some._embed(data), None), dtype=np.float64), labels)[0]

    return TrainedKernel(last, on_all_rows(kernel), on_all_rows(last), result)


def _warn_if_flat(names: list[str], slopes: list[float]) -> None:
    if slopes and max(slopes) < _FLAT:
        warnings.warn(
            f"The kernel does not change with its weights: all slopes by "
            f"{', '.join(f'`{name}`' for name in names)} are 0. Weights behind the last encoding of the data "
            "cancel in every overlap of states; give the map another layer (as in "
            "qsim.feature_maps.hubregtsen(2, layers=2)), or begin at other values.",
            stacklevel=3,
        )


def _value_of(kernel: QuantumKernel, name: str) -> Any:
    values = {key if isinstance(key, str) else key.name: value for key, value in kernel.params.items()}
    if name not in values:
        raise ArgumentError(
            f"Argument `kernel` must have a value of `{name}` to begin with in its params, but has none."
        )
    return values[name]


def _alignment_loss(centered: bool, balanced: bool) -> Loss:
    def loss(matrix: FloatArray, labels: npt.NDArray[Any]) -> tuple[float, FloatArray]:
        value, slope = alignment_and_slope(matrix, target_kernel(labels, balanced=balanced), centered)
        return -value, -slope

    return loss


def _drawn_rows(labels: npt.NDArray[Any], count: int, seed: list[int]) -> npt.NDArray[np.int64]:
    """Rows of a batch, sorted: any rows, but of two classes if there are."""
    if count == len(labels):
        return np.arange(count)
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(labels), count, replace=False)
    if (labels[rows] == labels[rows[0]]).all():
        others = np.flatnonzero(labels != labels[rows[0]])
        if len(others):
            rows[-1] = generator.choice(others)
    return np.sort(rows)
