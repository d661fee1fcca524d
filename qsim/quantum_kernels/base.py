"""What all quantum kernels share: a feature map, parameters, and the call that gives a matrix."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.quantum_kernels.encoding import Encoder

__all__ = ["MAX_MEMORY", "QuantumKernel"]

RealArray = npt.NDArray[np.floating[Any]]
Kernel = TypeVar("Kernel", bound="QuantumKernel")

#: Bytes for states and products beside the matrix, where nothing else is asked for.
MAX_MEMORY = 1 << 28


class QuantumKernel(ABC):
    """Base of the kernels: a similarity of data points by the states that a feature map makes of them.

    Attributes
    ----------
    encoder : Encoder
        The feature map with the values of its parameters.
    max_memory : int
    """

    def __init__(
        self,
        feature_map: Any,
        params: Mapping[Any, Any] | None = None,
        *,
        max_memory: int | None = None,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.encoder = Encoder(feature_map, params, backend=backend, precision=precision, threads=threads)
        self.max_memory = MAX_MEMORY if max_memory is None else check_count(max_memory, "max_memory", 1)

    @property
    def feature_map(self) -> Any:
        return self.encoder.feature_map

    @property
    def params(self) -> dict[Any, Any]:
        """Values of the trainable parameters, by name."""
        return dict(self.encoder.params)

    def with_params(self: Kernel, params: Mapping[Any, Any]) -> Kernel:
        """The same kernel with other values of the feature map's trainable parameters."""
        other = copy.copy(self)
        other.encoder = self.encoder.with_params(params)
        return other

    def circuit(self, num_features: int) -> Circuit:
        """The circuit that encodes data of so many features."""
        return self.encoder.circuit(num_features)

    def __call__(self, X: Any, Y: Any = None) -> RealArray:
        """The kernel matrix.

        Parameters
        ----------
        X : array_like, shape (rows, features), or EncodedDataset
        Y : the same, optional
            `X` by default: the matrix is symmetric, and one half of it is computed.

        Returns
        -------
        ndarray, shape (rows of X, rows of Y)
            float64; float32 in single precision.

        Raises
        ------
        ArgumentError
            Data with NaN, infinity, or another number of features than the feature map has.
        MemoryBudgetError
            `max_memory` does not hold three states.
        """
        return self._kernel(X, Y)

    @abstractmethod
    def _kernel(self, X: Any, Y: Any) -> RealArray: ...

    @abstractmethod
    def diag(self, X: Any) -> RealArray:
        """The diagonal of ``kernel(X)``, shape (rows,)."""
