"""How much entanglement a circuit makes: the Meyer-Wallach measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.analysis._estimates import Estimate, check_confidence, mean_estimate
from qsim.analysis._inputs import UNIFORM, Draw, draw_rows, generator, unitary_program
from qsim.circuit import Circuit
from qsim.entanglement import purity_of, reduced_density_matrix
from qsim.errors import ArgumentError, StateError
from qsim.observables import PauliSum
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EntanglingCapability", "entangling_capability", "meyer_wallach"]

FloatArray = npt.NDArray[np.float64]


def meyer_wallach(states: Any) -> Any:
    """The Meyer-Wallach measure ``2 (1 - mean_k Tr rho_k**2)`` of pure states [1]_.

    `rho_k` is the state of qubit k alone. The measure is 0 for product states and 1 where every
    qubit is maximally entangled with the others.

    Parameters
    ----------
    states : array_like, shape (2**n,) or (batch, 2**n)
        Normalised, n at least 1.

    Returns
    -------
    float or ndarray, shape (batch,)

    References
    ----------
    .. [1] D. A. Meyer and N. R. Wallach, J. Math. Phys. 43, 4273 (2002), arXiv:quant-ph/0108104; in this
       form G. K. Brennen, arXiv:quant-ph/0305094.

    Examples
    --------
    >>> round(meyer_wallach(np.array([1, 0, 0, 1]) / np.sqrt(2)), 12)
    1.0
    """
    rows = np.asarray(states)
    if rows.dtype.kind not in "iufc":
        raise TypeError(f"Argument `states` must hold numbers, but is of type {rows.dtype}.")
    size = rows.shape[-1] if rows.ndim else 0
    if rows.ndim not in (1, 2) or size < 2 or size & (size - 1):
        raise StateError(
            f"Argument `states` must have shape (2**n,) or (batch, 2**n) with n >= 1, but has {rows.shape}."
        )
    table = np.atleast_2d(rows).astype(complex)
    norms = np.linalg.norm(table, axis=1)
    if not (np.abs(norms - 1) < 1e-6).all():  # False for NaN
        raise StateError("Argument `states` must be normalised and finite; divide each by its norm.")
    num_qubits = size.bit_length() - 1
    if not len(table):
        return np.zeros(0)
    purities = [purity_of(reduced_density_matrix(table, [q])) for q in range(num_qubits)]
    out = np.clip(2 * (1 - np.mean(purities, axis=0)), 0.0, 1.0)
    return out if rows.ndim == 2 else float(out[0])


@dataclass(frozen=True, eq=False)
class EntanglingCapability:
    """What `entangling_capability` finds; ``float(result)`` is the mean.

    Attributes
    ----------
    estimate : Estimate
        Mean of the Meyer-Wallach measure.
    values : ndarray, shape (num_samples,)
    haar : float
        Mean of Haar-random states, ``(2**n - 2) / (2**n + 1)``.
    """

    estimate: Estimate
    values: FloatArray
    haar: float

    def __float__(self) -> float:
        return self.estimate.value

    def __str__(self) -> str:
        return f"entangling capability {self.estimate} (Haar {self.haar:.3g})"

    def plot(self, ax: Axes | None = None) -> Axes:
        """See `qsim.analysis.plot_entangling_capability`."""
        from qsim.analysis.plots import plot_entangling_capability

        return plot_entangling_capability(self, ax)


def entangling_capability(
    circuit: Circuit,
    num_samples: int = 1000,
    *,
    draw: Draw = UNIFORM,
    fixed: Mapping[Any, Any] | None = None,
    seed: Any = None,
    confidence: float = 0.95,
    **settings: Any,
) -> EntanglingCapability:
    """The mean of the Meyer-Wallach measure over a circuit's parameters [1]_.

    Parameters
    ----------
    circuit, draw, fixed, seed, settings
        As for `qsim.analysis.expressibility`.
    num_samples : int
        States.
    confidence : float
        Of the interval, a bootstrap over the states.

    Returns
    -------
    EntanglingCapability

    Notes
    -----
    Purities follow from ``<X_k>``, ``<Y_k>`` and ``<Z_k>``; one batch, and no state is kept.

    References
    ----------
    .. [1] S. Sim, P. D. Johnson and A. Aspuru-Guzik, Adv. Quantum Technol. 2, 1900070 (2019),
       arXiv:1905.10876.

    Examples
    --------
    >>> float(entangling_capability(Circuit(3).h(0).cx(0, 1).cx(1, 2), num_samples=2))
    1.0
    """
    num_samples = check_count(num_samples, "num_samples", 2)
    confidence = check_confidence(confidence)
    program = unitary_program(circuit, Simulator(**settings), "entangling_capability")
    if not program.num_qubits:
        raise ArgumentError("Argument `circuit` must have at least 1 qubit, but has 0.")
    rng = generator(seed)
    values = draw_rows(program.parameters, num_samples, rng, draw, fixed)
    single = [PauliSum({f"{p}{q}": 1.0}) for q in range(program.num_qubits) for p in "XYZ"]
    bloch = program.with_observables(single).expectation(values)
    measure = np.clip(1 - (bloch**2).sum(axis=1) / program.num_qubits, 0.0, 1.0)
    size = 1 << program.num_qubits
    return EntanglingCapability(
        mean_estimate(measure, rng, confidence), measure, max(0.0, (size - 2) / (size + 1))
    )
