"""What all quantum kernels share: a feature map, parameters, and the call that gives a matrix."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count, check_finite
from qsim.binding import unknown_parameter
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, GradientError
from qsim.measurements import Measurement
from qsim.parameters import Parameter, ParameterVector
from qsim.program.program import Program
from qsim.quantum_kernels.dataset import EncodedDataset, Rows, as_rows
from qsim.quantum_kernels.encoding import Encoder, check_same_features

__all__ = ["MAX_MEMORY", "QuantumKernel"]

FloatArray = npt.NDArray[np.float64]
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

    # -- derivatives -----------------------------------------------------------------------------
    def gradient(self, X: Any, Y: Any = None, *, wrt: Any = None) -> tuple[RealArray, dict[str, FloatArray]]:
        """The exact kernel matrix, and its derivatives by the feature map's weights.

        Parameters
        ----------
        X : array_like, shape (rows, features)
        Y : the same, optional
            `X` by default.
        wrt : str or sequence of str, optional
            Names of weights, or of vectors of them. All by default.

        Returns
        -------
        kernel : ndarray, shape (rows of X, rows of Y)
        gradient : dict
            Name to an array (rows of X, rows of Y), with (length,) behind for a vector.

        Notes
        -----
        One tangent of all states, and one matrix product, for each weight. `vjp` contracts with a cotangent,
        at a cost that does not grow with their number.
        """
        left, right = self._points(X, Y)
        groups = self._groups(left.shape[1], wrt)
        a, b = self._embed(left), None if right is None else self._embed(right)
        value = self._value(a, b)
        out: dict[str, FloatArray] = {}
        for name, members in groups.items():
            slopes = [np.zeros(value.shape) for _ in members]
            for place, member in enumerate(members):
                if member is not None:
                    da = self._embed_tangent(left, member)
                    db = None if right is None else self._embed_tangent(right, member)
                    slopes[place] = self._push(a, da, b, db)
            out[name] = slopes[0] if members == [name] else np.stack(slopes, axis=-1)
        return value, out

    def vjp(
        self, X: Any, cotangent: Any, Y: Any = None, *, wrt: Any = None
    ) -> tuple[RealArray, dict[str, FloatArray]]:
        """The exact kernel matrix, and a cotangent times its derivatives by the feature map's weights.

        Parameters
        ----------
        X, Y, wrt
            As for `gradient`.
        cotangent : array_like, shape (rows of X, rows of Y)
            The derivative of a loss by the entries of the matrix; or a function that gives it for the matrix.

        Returns
        -------
        kernel : ndarray, shape (rows of X, rows of Y)
        gradient : dict
            Name to the derivatives of the loss: a float, or an array (length,) for a vector.

        Notes
        -----
        The overlaps are pulled back to the states by one matrix product, and these to the weights by one
        sweep through the circuit for each row.
        """
        left, right = self._points(X, Y)
        groups = self._groups(left.shape[1], wrt)
        a, b = self._embed(left), None if right is None else self._embed(right)
        value = self._value(a, b)
        weights = np.asarray(cotangent(value) if callable(cotangent) else cotangent, dtype=np.float64)
        if weights.shape != value.shape:
            raise ArgumentError(
                f"Argument `cotangent` must have the shape of the matrix, {value.shape}, but has shape "
                f"{weights.shape}."
            )
        check_finite(weights, "cotangent")
        pulled, other = self._pull(a, b, weights)
        out = self._embed_vjp(left, pulled, list(groups))
        if right is not None and other is not None:
            for name, slope in self._embed_vjp(right, other, list(groups)).items():
                out[name] = out[name] + slope
        return value, out

    def _rows(self, X: Any, Y: Any) -> tuple[Rows, Rows | None]:
        """Sources of states, encoded or to be encoded."""
        left = as_rows(self.encoder, X)
        if Y is None:
            return left, None
        right = as_rows(self.encoder, Y, "Y")
        check_same_features(left.X, right.X)
        return left, right

    def _points(self, X: Any, Y: Any) -> tuple[FloatArray, FloatArray | None]:
        """Data, as encoded states have no derivatives."""
        left = self.encoder.check(X.X if isinstance(X, EncodedDataset) else X)
        if Y is None:
            return left, None
        right = self.encoder.check(Y.X if isinstance(Y, EncodedDataset) else Y, "Y")
        check_same_features(left, right)
        return left, right

    def _groups(self, num_features: int, wrt: Any) -> dict[str, list[str | None]]:
        """Names to differentiate by, and the weights of each; None for an element that does not occur."""
        single = {p.name: p for p in self.encoder.weights(num_features)}
        every: dict[str, list[str | None]] = {}
        for p in single.values():
            if p.vector is None:
                every[p.name] = [p.name]
                continue
            name, place = p.vector
            members = every.setdefault(name, [None] * (p.vector_length or 0))
            members += [None] * (place + 1 - len(members))
            members[place] = p.name
        if wrt is None:
            if not every:
                raise GradientError(
                    "The kernel's feature map has no weights, so there is nothing to differentiate by. Use a "
                    "trainable map."
                )
            return every
        out: dict[str, list[str | None]] = {}
        for key in [wrt] if isinstance(wrt, str | Parameter | ParameterVector) else wrt:
            name = key if isinstance(key, str) else key.name
            if name not in every and name not in single:
                raise unknown_parameter(name, list(single.values()))
            out[name] = every.get(name) or [name]
        return out

    @abstractmethod
    def _embedding(self, num_features: int) -> tuple[Program, Measurement | None, FloatArray | None]:
        """The program and what is read off its states, times factors: the kernel is a function of these."""

    @abstractmethod
    def _value(self, a: Any, b: Any) -> RealArray:
        """The matrix of embedded points; `b` is None where it is `a`."""

    @abstractmethod
    def _push(self, a: Any, da: Any, b: Any, db: Any) -> FloatArray:
        """The change of the matrix with changes of the embedded points."""

    @abstractmethod
    def _pull(self, a: Any, b: Any, weights: FloatArray) -> tuple[Any, Any]:
        """Cotangents of the embedded points, from those of the matrix."""

    @abstractmethod
    def _embed(self, X: FloatArray) -> Any:
        """Embedded points, (rows, dimensions)."""

    def _embed_tangent(self, X: FloatArray, weight: str) -> Any:
        program, measurement, scale = self._embedding(X.shape[1])
        _, change = program.jvp(self.encoder.bind(X), {weight: 1.0}, wrt=weight, measurement=measurement)
        return change if scale is None else change * scale

    def _embed_vjp(self, X: FloatArray, cotangents: Any, names: list[str]) -> dict[str, FloatArray]:
        program, measurement, scale = self._embedding(X.shape[1])
        _, slopes = program.vjp(
            self.encoder.bind(X),
            cotangents if scale is None else cotangents * scale,
            wrt=names,
            measurement=measurement,
        )
        return {name: slopes[name].sum(axis=0) for name in names}

    @abstractmethod
    def diag(self, X: Any) -> RealArray:
        """The diagonal of ``kernel(X)``, shape (rows,)."""
