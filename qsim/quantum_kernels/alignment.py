"""How well a kernel fits labels: alignment with the kernel the labels themselves make."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError

__all__ = [
    "alignment_and_slope",
    "center_kernel",
    "check_square",
    "kernel_polarity",
    "kernel_target_alignment",
    "target_kernel",
]

FloatArray = npt.NDArray[np.float64]


def check_square(kernel: Any, name: str = "kernel") -> FloatArray:
    """A kernel matrix: square, finite, symmetric to 1e-6, at least one row; as float64."""
    try:
        array = np.asarray(kernel)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iufb":
        raise TypeError(
            f"Argument `{name}` must be a matrix of real numbers, but is {type(kernel).__name__}."
        )
    k = np.asarray(array, dtype=np.float64)
    if k.ndim != 2 or k.shape[0] != k.shape[1] or not k.size:
        raise ArgumentError(f"Argument `{name}` must be a square matrix, but has shape {k.shape}.")
    if not np.isfinite(k).all():
        raise ArgumentError(f"Argument `{name}` must be finite, but holds NaN or infinity.")
    difference = float(np.abs(k - k.T).max())
    if difference > 1e-6 * max(1.0, float(np.abs(k).max())):
        raise ArgumentError(
            f"Argument `{name}` must be symmetric, but differs from its transpose by up to {difference:.3g}."
        )
    return k


def target_kernel(y: Any, *, balanced: bool = False) -> FloatArray:
    """The kernel that labels make: what an ideal kernel for them looks like.

    Parameters
    ----------
    y : array_like, shape (rows,)
        Labels of any type: 1 for a pair of one class, else ``-1 / (classes - 1)``, which is ``y y^T`` for two
        classes named 1 and -1 [1]_. Numbers that are not integers are targets of a regression: ``y y^T``.
    balanced : bool
        Divide each label by the number of rows of its class [2]_.

    Returns
    -------
    ndarray, shape (rows, rows)

    References
    ----------
    .. [1] J. E. Camargo and F. A. Gonzalez, CIARP 2009, for several classes.
    .. [2] T. Hubregtsen et al., Phys. Rev. A 106, 042431 (2022), arXiv:2105.02276.

    Examples
    --------
    >>> target_kernel(["a", "b", "a"])
    array([[ 1., -1.,  1.],
           [-1.,  1., -1.],
           [ 1., -1.,  1.]])
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or not len(labels):
        raise ArgumentError(f"Argument `y` must have shape (rows,), but has shape {labels.shape}.")
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise ArgumentError("Argument `y` must be finite, but holds NaN or infinity.")
        if (labels != np.round(labels)).any():
            if balanced:
                raise ArgumentError("Argument `balanced` must be False for the targets of a regression.")
            return np.outer(labels, labels)
    classes, group, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise ArgumentError(
            "Argument `y` must hold two classes or more, but all labels are "
            f"{classes.tolist()[0]!r}: there is nothing to align with."
        )
    out = np.where(group[:, None] == group, 1.0, -1.0 / (len(classes) - 1))
    if balanced:
        scale = 1 / counts[group]
        out *= scale[:, None] * scale
    return out


def center_kernel(kernel: Any) -> FloatArray:
    """``H K H`` with ``H = 1 - 1/rows``: the kernel of features whose mean is zero.

    Examples
    --------
    >>> import numpy as np
    >>> center_kernel(np.eye(2))
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    return _centered(check_square(kernel))


def _centered(k: FloatArray) -> FloatArray:
    means = k.mean(axis=0)
    return np.asarray(k - means - k.mean(axis=1)[:, None] + means.mean())


def kernel_polarity(kernel: Any, y: Any, *, balanced: bool = False) -> float:
    """``<K, T>``: the alignment without its denominator.

    Parameters
    ----------
    kernel : array_like, shape (rows, rows)
    y : array_like, shape (rows,), or (rows, rows)
        Labels, or the target kernel itself.
    balanced : bool
        See `target_kernel`.
    """
    k = check_square(kernel)
    return float(np.vdot(k, _target(y, balanced, len(k))))


def kernel_target_alignment(kernel: Any, y: Any, *, centered: bool = False, balanced: bool = False) -> float:
    """The cosine between a kernel matrix and the kernel that labels make.

    Parameters
    ----------
    kernel : array_like, shape (rows, rows)
    y : array_like, shape (rows,), or (rows, rows)
        Labels (see `target_kernel`), or the target kernel itself.
    centered : bool
        Of ``H K H`` and ``H T H`` [2]_ in place of ``K`` and ``T`` [1]_: a constant in the kernel then counts
        for nothing, and accuracy follows the alignment more closely.
    balanced : bool
        See `target_kernel`.

    Returns
    -------
    float
        ``<K, T> / (||K|| ||T||)``, between -1 and 1.

    References
    ----------
    .. [1] N. Cristianini et al., NIPS 2001.
    .. [2] C. Cortes, M. Mohri and A. Rostamizadeh, JMLR 13, 795 (2012).

    Examples
    --------
    >>> import numpy as np
    >>> y = [1, 1, -1]
    >>> [round(kernel_target_alignment(k, y), 6) for k in (np.outer(y, y), np.eye(3))]
    [1.0, 0.57735]
    """
    k = check_square(kernel)
    return alignment_and_slope(k, _target(y, balanced, len(k)), centered)[0]


def _target(y: Any, balanced: bool, rows: int) -> FloatArray:
    target = check_square(y, "y") if np.ndim(y) == 2 else target_kernel(y, balanced=balanced)
    if len(target) != rows:
        raise ArgumentError(f"Argument `y` must have {rows} rows, as the kernel has, but has {len(target)}.")
    return target


def alignment_and_slope(k: FloatArray, target: FloatArray, centered: bool) -> tuple[float, FloatArray]:
    """The alignment, and its derivative by the entries of the kernel, shape (rows, rows)."""
    if centered:
        k, target = _centered(k), _centered(target)
    size, other = float(np.linalg.norm(k)), float(np.linalg.norm(target))
    if size == 0 or other == 0:
        raise ArgumentError(
            "Arguments `kernel` and `y` must not be constant where they are centred, nor zero: they have no "
            "direction to compare."
        )
    value = float(np.vdot(k, target)) / (size * other)
    slope = target / (size * other) - value / size**2 * k
    return value, slope  # centring again changes nothing: both terms are centred
