"""Whether the entries of a kernel matrix still tell data points apart, and which bandwidth keeps them so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.analysis._estimates import Estimate, bootstrap_weights, check_confidence, spread
from qsim.analysis._inputs import check_data, check_kernel, check_targets, generator, target_columns
from qsim.errors import ArgumentError
from qsim.quantum_kernels import FidelityKernel, QuantumKernel, kernel_target_alignment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BandwidthScan", "KernelConcentration", "bandwidth_scan", "kernel_concentration"]

FloatArray = npt.NDArray[np.float64]
#: Bandwidths of a scan where none are given.
BANDWIDTHS = (0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)


@dataclass(frozen=True, eq=False)
class KernelConcentration:
    """What `kernel_concentration` finds; ``float(result)`` is the variance.

    Attributes
    ----------
    variance, mean : Estimate
        Of the entries beside the diagonal.
    eigenvalues : ndarray, shape (N,)
        Of the kernel matrix over its trace, descending.
    haar_mean, haar_variance : float or None
        What they are for Haar-random states, where the number of qubits was given.
    """

    variance: Estimate
    mean: Estimate
    eigenvalues: FloatArray
    haar_mean: float | None = None
    haar_variance: float | None = None

    @property
    def effective_rank(self) -> float:
        """``1 / sum(p**2)`` of the eigenvalues p: 1 where all points are alike, N where none are."""
        return float(1 / (self.eigenvalues**2).sum())

    @property
    def shots(self) -> float:
        """Shots at which the noise of an entry, ``mean (1 - mean) / shots``, is the spread of entries."""
        if self.variance.value <= 0:
            return math.inf
        return max(1.0, self.mean.value * (1 - self.mean.value) / self.variance.value)

    def __float__(self) -> float:
        return self.variance.value

    def __str__(self) -> str:
        haar = "" if self.haar_variance is None else f" (Haar {self.haar_variance:.3g})"
        return (
            f"kernel entries {self.mean}, variance {self.variance}{haar}, effective rank "
            f"{self.effective_rank:.3g} of {len(self.eigenvalues)}, {self.shots:.2g} shots to see an entry"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_kernel_concentration`."""
        from qsim.analysis.plots import plot_kernel_concentration

        return plot_kernel_concentration(self, ax)


def kernel_concentration(
    kernel: Any, num_qubits: int | None = None, *, confidence: float = 0.95, seed: Any = None
) -> KernelConcentration:
    """Mean and variance of the entries of a kernel matrix, its eigenvalues, and the shots it asks for [1]_.

    Where the variance falls exponentially with the number of qubits, exponentially many shots are needed.

    Parameters
    ----------
    kernel : array_like, shape (N, N)
        N at least 3.
    num_qubits : int, optional
        Of a fidelity kernel, for comparison with Haar-random states.
    confidence : float
        Of the intervals, a bootstrap over the data points.
    seed
        Of the bootstrap.

    Returns
    -------
    KernelConcentration

    References
    ----------
    .. [1] S. Thanasilp, S. Wang, M. Cerezo and Z. Holmes, Nat. Commun. 15, 5200 (2024), arXiv:2208.11060.

    Examples
    --------
    >>> found = kernel_concentration(np.eye(4), num_qubits=2, seed=1)
    >>> found.mean.value, found.variance.value, round(found.effective_rank, 6)
    (0.0, 0.0, 4.0)
    """
    matrix = check_kernel(kernel, "kernel")
    count = len(matrix)
    if count < 3:
        raise ArgumentError(f"Argument `kernel` must have at least 3 rows, but has {count}.")
    confidence = check_confidence(confidence)
    trace = float(np.trace(matrix))
    if trace <= 0:
        raise ArgumentError(f"Argument `kernel` must have a positive trace, but has {trace:.3g}.")
    centre = (matrix.sum() - trace) / (count * (count - 1))
    off = np.where(np.eye(count, dtype=bool), 0.0, matrix - centre)
    weights = np.concatenate([np.full((1, count), 1 / count), bootstrap_weights(generator(seed), count)])
    pairs = 1 - (weights**2).sum(axis=1)
    weights, pairs = weights[pairs > 0], pairs[pairs > 0]  # all but resamples of one point alone
    means = ((weights @ off) * weights).sum(axis=1) / pairs
    squares = ((weights @ off**2) * weights).sum(axis=1) / pairs
    variances = np.maximum(squares - means**2, 0.0)
    eigenvalues = np.clip(np.linalg.eigvalsh(matrix)[::-1] / trace, 0.0, None)
    haar_mean = haar_variance = None
    if num_qubits is not None:
        size = 2.0 ** check_count(num_qubits, "num_qubits", 0)
        haar_mean, haar_variance = 1 / size, (size - 1) / (size**2 * (size + 1))
    return KernelConcentration(
        spread(variances[0], variances[1:], confidence),
        spread(centre + means[0], centre + means[1:], confidence),
        eigenvalues,
        haar_mean,
        haar_variance,
    )


@dataclass(frozen=True, eq=False)
class BandwidthScan:
    """What `bandwidth_scan` finds, for each bandwidth.

    Attributes
    ----------
    bandwidths : ndarray, shape (B,)
    concentrations : tuple of KernelConcentration
    alignments : ndarray, shape (B,), or None
        Centred alignment of the kernel with the targets, where they were given.
    """

    bandwidths: FloatArray
    concentrations: tuple[KernelConcentration, ...]
    alignments: FloatArray | None

    @property
    def variances(self) -> FloatArray:
        """Of the entries beside the diagonal, shape (B,)."""
        return np.array([float(found) for found in self.concentrations])

    @property
    def effective_ranks(self) -> FloatArray:
        """Shape (B,)."""
        return np.array([found.effective_rank for found in self.concentrations])

    @property
    def best(self) -> float:
        """The bandwidth with the largest alignment; without targets, that with the largest variance."""
        scores = self.variances if self.alignments is None else self.alignments
        return float(self.bandwidths[int(np.argmax(scores))])

    def __str__(self) -> str:
        lines = [
            "bandwidth   variance   effective rank" + ("" if self.alignments is None else "   alignment")
        ]
        for k, bandwidth in enumerate(self.bandwidths):
            line = f"{bandwidth:9.3g}   {self.variances[k]:8.3g}   {self.effective_ranks[k]:14.3g}"
            lines.append(line + ("" if self.alignments is None else f"   {self.alignments[k]:9.3f}"))
        return "\n".join([*lines, f"best: {self.best:.3g}"])

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_bandwidth_scan`."""
        from qsim.analysis.plots import plot_bandwidth_scan

        return plot_bandwidth_scan(self, ax)


def bandwidth_scan(
    feature_map: Any,
    X: Any,
    y: Any = None,
    bandwidths: Any = BANDWIDTHS,
    *,
    params: Mapping[Any, Any] | None = None,
    confidence: float = 0.95,
    seed: Any = None,
    **settings: Any,
) -> BandwidthScan:
    """How a fidelity kernel changes as the data are multiplied by bandwidths [1]_.

    Parameters
    ----------
    feature_map, params, settings
        As for `qsim.quantum_kernels.FidelityKernel`; a kernel is taken as it is.
    X : array_like, shape (rows, features)
    y : array_like, shape (rows,), optional
        Numbers or labels, for the alignment.
    bandwidths : sequence of float
        Positive.
    confidence, seed
        As for `kernel_concentration`.

    Returns
    -------
    BandwidthScan

    References
    ----------
    .. [1] R. Shaydulin and S. M. Wild, Phys. Rev. A 106, 042407 (2022), arXiv:2111.05451; A. Canatar,
       E. Peters, C. Pehlevan, S. M. Wild and R. Shaydulin, arXiv:2206.06686.

    Examples
    --------
    >>> X = np.random.default_rng(1).normal(size=(20, 3))
    >>> scan = bandwidth_scan("angle", X, bandwidths=[0.1, 1.0, 10.0], seed=1)
    >>> (np.diff(scan.effective_ranks) > 0).tolist()
    [True, True]
    """
    data = check_data(X, least=3)
    targets = None
    if y is not None:
        columns = target_columns(check_targets(y, len(data)))
        targets = columns @ columns.T
    factors = np.array(sorted(np.atleast_1d(np.asarray(bandwidths, dtype=float)).ravel()))
    if not len(factors) or not (factors > 0).all() or not np.isfinite(factors).all():
        raise ArgumentError(
            f"Argument `bandwidths` must hold positive, finite numbers, but is {bandwidths!r}."
        )
    kernel = feature_map
    if not isinstance(kernel, QuantumKernel):
        kernel = FidelityKernel(feature_map, params, **settings)
    elif params is not None or settings:
        raise ArgumentError("Arguments `params` and settings must be left out where a kernel is given.")
    rng = generator(seed)
    found, alignments = [], []
    qubits = kernel.circuit(data.shape[1]).num_qubits if isinstance(kernel, FidelityKernel) else None
    for factor in factors:
        matrix = kernel(factor * data)
        found.append(kernel_concentration(matrix, qubits, confidence=confidence, seed=rng))
        if targets is not None:
            varies = np.ptp(matrix) > 0  # a constant kernel is aligned with nothing
            alignments.append(kernel_target_alignment(matrix, targets, centered=True) if varies else 0.0)
    return BandwidthScan(factors, tuple(found), None if targets is None else np.array(alignments))
