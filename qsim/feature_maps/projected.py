"""What single qubits of an encoded state show: the features of projected quantum kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps.data import check_data
from qsim.feature_maps.records import FeatureMap, data_parameters, get, weights

__all__ = ["projected_features"]


def projected_features(
    X: Any,
    feature_map: FeatureMap | str | Circuit | Callable[..., Circuit],
    *,
    theta: Any = None,
    **options: Any,
) -> npt.NDArray[np.float64]:
    """The Bloch vectors of all qubits in the states that encode the data [1]_.

    A kernel ``exp(-gamma |f(x) - f(y)|^2)`` of these features is a projected quantum kernel: the squared
    distance is twice the sum of the squared Frobenius distances of the one-qubit density matrices.

    Parameters
    ----------
    X : array_like, shape (samples, features)
    feature_map : str, callable, Circuit or FeatureMap
    theta : array_like, shape (num_weights,), optional
        Weights of the map, if it has any.
    **options
        Go to the map.

    Returns
    -------
    ndarray, shape (samples, 3 * num_qubits), float64
        <X>, <Y>, <Z> of qubit 0, then of qubit 1, ...

    Notes
    -----
    One simulation for each sample.

    References
    ----------
    .. [1] H.-Y. Huang et al., Nat. Commun. 12, 2631 (2021).

    Examples
    --------
    >>> projected_features([[0.0], [3.141592653589793]], "angle").round(6) + 0.0
    array([[ 0.,  0.,  1.],
           [ 0.,  0., -1.]])
    """
    import qsim

    record = get(feature_map)
    data = check_data(X, record)
    circuit = record.build(data.shape[1], **options)
    trained = weights(circuit)
    given = np.asarray([] if theta is None else theta, dtype=float)
    if given.shape != (len(trained),):
        raise ArgumentError(
            f"Argument `theta` must have shape ({len(trained)},), one number for each weight of feature map "
            f"`{record.name}`, but has shape {given.shape}."
        )
    values: dict[Any, Any] = dict(zip(data_parameters(circuit), data.T, strict=True))
    values.update(zip(trained, given.tolist(), strict=True))
    observables = [f"{letter}{q}" for q in range(circuit.num_qubits) for letter in "XYZ"]
    out: npt.NDArray[np.float64] = qsim.expectation(circuit, observables, values)
    return out
