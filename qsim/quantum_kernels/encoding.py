"""Encoding: rows of data to states, as batches of one compiled circuit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qsim._checks import counted
from qsim.binding import bind_values
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError, ParameterError
from qsim.feature_maps import check_data as check_domain
from qsim.feature_maps import data_parameters, get
from qsim.parameters import Parameter
from qsim.program.program import Program
from qsim.settings import resolve_dtype, resolve_threads

__all__ = ["Encoder", "check_data", "check_same_features"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: Compiled circuits that an encoder keeps: one for each number of features.
_MAX_ENCODINGS = 8


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


class _Encoding(NamedTuple):
    circuit: Circuit
    program: Program
    data: tuple[Parameter, ...]
    is_plain: bool


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
        get(feature_map)  # refuses what is none
        if params is not None and not isinstance(params, Mapping):
            raise TypeError(f"Argument `params` must be a dict by name, but is {type(params).__name__}.")
        self.feature_map = feature_map
        self.params: dict[Any, Any] = dict(params or {})
        self.backend, self.precision, self.threads = backend, precision, threads
        self.dtype, self.num_threads = resolve_dtype(precision), resolve_threads(threads)
        self._encodings: dict[int, _Encoding] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_encodings": {}}

    def with_params(self, params: Mapping[Any, Any]) -> Encoder:
        """The same map with other values of its trainable parameters."""
        other = Encoder.__new__(Encoder)
        other.__dict__.update(self.__dict__)
        other.params = dict(params)
        return other

    def circuit(self, num_features: int) -> Circuit:
        """The circuit for so many features."""
        return self._encoding(num_features).circuit

    def program(self, num_features: int) -> Program:
        """The compiled circuit for so many features."""
        return self._encoding(num_features).program

    def weights(self, num_features: int) -> tuple[Parameter, ...]:
        """The parameters that are not data, in the order of the circuit."""
        encoding = self._encoding(num_features)
        return tuple(p for p in encoding.program.parameters if p not in set(encoding.data))

    def fingerprint(self, num_features: int) -> str:
        """A text that two maps share only if their circuits and the values of their weights are the same."""
        encoding = self._encoding(num_features)
        gates = {key: value for key, value in encoding.circuit.to_dict().items() if key != "name"}
        values, _ = bind_values(encoding.program.parameters, self.bind(np.zeros((1, num_features))))
        return hashlib.sha256(json.dumps(gates).encode() + values.tobytes()).hexdigest()

    def bind(self, X: FloatArray) -> dict[Any, Any]:
        """Values of all parameters for the rows of data."""
        data = self._encoding(X.shape[1]).data
        if data[0].vector is not None:
            return {data[0].vector[0]: X, **self.params}
        return {**{p: X[:, column] for column, p in enumerate(data)}, **self.params}

    def _encoding(self, num_features: int) -> _Encoding:
        found = self._encodings.get(num_features)
        if found is None:
            circuit = _made(self.feature_map, num_features)
            data = _data_of(circuit, num_features)
            program = Program(circuit, backend=self.backend, precision=self.precision, threads=self.threads)
            program._require_static("A quantum kernel", "a feature map of gates only")
            if not program._code.keeps_norm:
                raise CircuitError(
                    "A quantum kernel needs a feature map that keeps the norm of states, but this one has "
                    "a matrix "
                    "that is not unitary."
                )
            if len(self._encodings) >= _MAX_ENCODINGS:
                self._encodings.clear()
            places = [p.vector and p.vector[1] for p in data]
            is_plain = program.parameters == data and places == list(range(num_features))
            found = self._encodings[num_features] = _Encoding(circuit, program, data, is_plain)
        return found

    def check(self, X: Any, name: str = "X") -> FloatArray:
        """Data as an array, finite and in the domain of the feature map."""
        values = check_data(X, name)
        if len(values) and not isinstance(self.feature_map, Circuit):  # a circuit does not say its domain
            check_domain(values, self.feature_map)
        return values

    def states(self, X: FloatArray) -> ComplexArray:
        """States (rows, 2**num_qubits) of checked data (rows, features), by one call."""
        encoding = self._encoding(X.shape[1])
        # values that are columns of the data already need no table of names
        return encoding.program.statevector(X if encoding.is_plain else self.bind(X))


def check_same_features(X: FloatArray, Y: FloatArray) -> None:
    """That two sets of data have as many features: a map can have as many qubits for others."""
    if X.shape[1] != Y.shape[1]:
        raise ArgumentError(
            f"Argument `Y` must have {counted(X.shape[1], 'feature')}, as `X` has, but has {Y.shape[1]}."
        )


def _made(feature_map: Any, num_features: int) -> Circuit:
    if isinstance(feature_map, Circuit):
        return feature_map
    circuit = get(feature_map).build(num_features)
    if not isinstance(circuit, Circuit):
        raise TypeError(
            "Argument `feature_map` must give a Circuit for a number of features, but gives "
            f"{type(circuit).__name__}."
        )
    return circuit


def _data_of(circuit: Circuit, num_features: int) -> tuple[Parameter, ...]:
    """The parameters that take data; refuses a circuit that takes another number of features."""
    data = data_parameters(circuit)
    if not data:
        names = ", ".join(f"`{p.name}`" for p in circuit.parameters[:6]) or "none"
        raise ParameterError(
            'Argument `feature_map` must take its data by a ParameterVector("x", features), but its '
            "parameters "
            f"are: {names}."
        )
    length = len(data)
    if data[0].vector is not None:  # of which some elements may not occur
        length = data[0].vector_length or 1 + max(p.vector[1] for p in data if p.vector is not None)
    if length != num_features:
        raise ArgumentError(
            f"Argument `X` must have {counted(length, 'feature')} for this feature map, but has "
            f"{num_features}."
        )
    return data
