"""Encoding: rows of data to states, as batches of one compiled circuit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.circuit import Circuit
from qsim.errors import ArgumentError, ParameterError
from qsim.parameters import Parameter
from qsim.program.program import Program
from qsim.settings import resolve_dtype

__all__ = ["DATA", "Encoder", "check_data"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: The vector of parameters that takes the data.
DATA = "x"
#: Programs that an encoder keeps: one for each number of features.
_MAX_PROGRAMS = 8


def check_data(X: Any, name: str = "X") -> FloatArray:
    """Data as an array (rows, features) of finite numbers; at least one feature, any number of rows."""
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different lengths
        raise ArgumentError(
            f"Argument `{name}` must have rows of the same length, but is an irregular list."
        ) from None
    if array.dtype.kind not in "iufb":
        raise TypeError(
            f"Argument `{name}` must be real numbers, but is of type "
            f"{array.dtype if array.dtype != object else type(X).__name__}."
        )
    if array.ndim != 2 or not array.shape[1]:
        advice = " Reshape one feature with X.reshape(-1, 1), one row with X.reshape(1, -1)."
        raise ArgumentError(
            f"Argument `{name}` must have shape (rows, features), but has shape {array.shape}."
            + (advice if array.ndim == 1 else "")
        )
    values = np.ascontiguousarray(array, dtype=np.float64)
    good = np.isfinite(values)
    if not good.all():
        row, column = np.argwhere(~good)[0]
        raise ArgumentError(
            f"Argument `{name}` must be finite, but is {values[row, column]} in row {row}, column {column}. "
            "Fill or drop missing values first."
        )
    return values


class Encoder:
    """A feature map and the values of its trainable parameters: what turns data into states.

    Parameters
    ----------
    feature_map : Circuit, str or callable
        A circuit whose vector of parameters ``"x"`` takes the data; or a function that gives one for a number
        of features; or the name of one of `qsim.feature_maps`.
    params : dict, optional
        Values of all other parameters, as for `qsim.statevector`, without a batch axis.
    backend, precision, threads
        See `qsim.compile`.

    Notes
    -----
    Immutable but for the programs it keeps, one for each number of features; pickles.
    """

    def __init__(
        self,
        feature_map: Any,
        params: Mapping[Any, Any] | None = None,
        *,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        if not isinstance(feature_map, Circuit | str) and not callable(feature_map):
            raise TypeError(
                "Argument `feature_map` must be a Circuit, the name of a feature map, or a function of the "
                f"number of features, but is {type(feature_map).__name__}."
            )
        if params is not None and not isinstance(params, Mapping):
            raise TypeError(f"Argument `params` must be a dict by name, but is {type(params).__name__}.")
        self.feature_map = feature_map
        self.params: dict[Any, Any] = dict(params or {})
        self.backend, self.precision, self.threads = backend, precision, threads
        self.dtype = resolve_dtype(precision)
        self._programs: dict[int, Program] = {}
        if isinstance(feature_map, Circuit):
            data_length(feature_map)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_programs": {}}

    def with_params(self, params: Mapping[Any, Any]) -> Encoder:
        """The same map with other values of its trainable parameters."""
        other = Encoder.__new__(Encoder)
        other.__dict__.update(self.__dict__)
        other.params = dict(params)
        return other

    def circuit(self, num_features: int) -> Circuit:
        """The circuit for so many features."""
        if isinstance(self.feature_map, Circuit):
            found = self.feature_map
        else:
            found = _made(self.feature_map, num_features)
        length = data_length(found)
        if length != num_features:
            raise ArgumentError(
                f"Argument `X` must have {length} features for this feature map, but has {num_features}."
            )
        return found

    def program(self, num_features: int) -> Program:
        """The compiled circuit for so many features."""
        program = self._programs.get(num_features)
        if program is None:
            program = Program(
                self.circuit(num_features),
                backend=self.backend,
                precision=self.precision,
                threads=self.threads,
            )
            program._require_static("A quantum kernel", "a feature map of gates only")
            if len(self._programs) >= _MAX_PROGRAMS:
                self._programs.clear()
            self._programs[num_features] = program
        return program

    def bind(self, X: FloatArray) -> dict[Any, Any]:
        """Values of all parameters for the rows of data."""
        return {DATA: X, **self.params}

    def states(self, X: FloatArray) -> ComplexArray:
        """States (rows, 2**num_qubits) of checked data (rows, features), by one call."""
        return self.program(X.shape[1]).statevector(self.bind(X))


def _made(feature_map: str | Callable[[int], Any], num_features: int) -> Circuit:
    if isinstance(feature_map, str):
        from qsim import feature_maps

        return feature_maps.get(feature_map)(num_features)
    circuit = feature_map(num_features)
    if not isinstance(circuit, Circuit):
        raise TypeError(
            "Argument `feature_map` must give a Circuit for a number of features, but gives "
            f"{type(circuit).__name__}."
        )
    return circuit


def data_length(circuit: Circuit) -> int:
    """The number of features a circuit takes: the length of its vector ``"x"``."""
    mine = [p for p in circuit.parameters if p.vector is not None and p.vector[0] == DATA]
    if not mine:
        names = ", ".join(f"`{p.name}`" for p in circuit.parameters[:6]) or "none"
        raise ParameterError(
            f'Argument `feature_map` must take its data by a ParameterVector("{DATA}", features), but has none '
            f"of that name; its parameters are: {names}."
        )
    return _length(mine)


def _length(elements: list[Parameter]) -> int:
    for element in elements:
        if element.vector_length is not None:
            return element.vector_length
    return 1 + max(element.vector[1] for element in elements if element.vector is not None)
