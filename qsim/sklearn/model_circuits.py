"""Circuits of trainable models: data and weights in layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.ansatz import ANSATZE, name_hint
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.feature_maps import data_parameters, get, weights
from qsim.parameters import Parameter, ParameterVector
from qsim.sklearn.base import DEFAULT_QUBITS

__all__ = ["WEIGHTS", "model_circuit"]

FloatArray = npt.NDArray[np.float64]

#: The vector of all trainable parameters of a model.
WEIGHTS = "w"


class _Weights:
    """Hands out the elements of one vector, and remembers around which values they begin."""

    def __init__(self) -> None:
        self._vector: list[Parameter] = []
        self.centers: list[float] = []

    def take(self, center: float = 0.0) -> Parameter:
        self.centers.append(center)
        # a vector of known length would need the end before the beginning
        self._vector.append(Parameter(f"{WEIGHTS}[{len(self._vector)}]"))
        return self._vector[-1]


def model_circuit(
    feature_map: Any, ansatz: Any, num_features: int, num_layers: int
) -> tuple[Circuit, FloatArray]:
    """Layers of encodings and ansaetze, with data ``x`` and weights ``w``.

    Parameters
    ----------
    feature_map : str, Circuit, callable or None
        Repeated in each layer, with weights of its own. By default rotations ``RY(w x + w') RZ(w'')`` on at
        least 2 and at most 10 qubits, in as many rows as the features need, each behind a ring of CZ.
    ansatz : str, Circuit, callable or None
        Behind each encoding: the name of one of `qsim.ansatz`, a circuit, or a function of the number of
        qubits. By default none behind the default encoding, which has weights, and rotations RY and RZ on all
        qubits between rings of CZ behind others.
    num_features, num_layers : int

    Returns
    -------
    circuit : Circuit
    centers : ndarray, shape (number of weights,)
        Around which to draw first values: 1 for the factors of data, else 0.
    """
    drawn = _Weights()
    x = ParameterVector("x", num_features)
    layers: list[Circuit] = []
    for layer in range(num_layers):
        if feature_map is None:
            layers.append(_encoding(x, drawn, is_first=layer == 0))
        else:
            layers.append(_own_map(feature_map, x, drawn))
        if ansatz is not None or feature_map is not None:
            layers.append(_own_ansatz(ansatz, layers[-1].num_qubits, drawn))
    circuit = layers[0]
    for part in layers[1:]:
        if part.num_qubits != circuit.num_qubits:
            raise ArgumentError(
                f"Parameter `ansatz` must have {circuit.num_qubits} qubits, as the feature map has, but has "
                f"{part.num_qubits}."
            )
        circuit = circuit.compose(part)
    vector = ParameterVector(WEIGHTS, len(drawn.centers))
    return circuit.bind(dict(zip(drawn._vector, vector, strict=True))), np.array(drawn.centers)


def _ring(circuit: Circuit) -> None:
    n = circuit.num_qubits
    for q in range(n if n > 2 else n - 1):
        circuit.cz(q, (q + 1) % n)


def _encoding(x: ParameterVector, drawn: _Weights, is_first: bool) -> Circuit:
    n = max(2, min(len(x), DEFAULT_QUBITS))
    circuit = Circuit(n)
    for first in range(0, len(x), n):
        if first or not is_first:
            _ring(circuit)
        for q in range(n):
            circuit.ry(drawn.take(1.0) * x[(first + q) % len(x)] + drawn.take(), q).rz(drawn.take(), q)
    return circuit


def _own_map(feature_map: Any, x: ParameterVector, drawn: _Weights) -> Circuit:
    """A feature map with data `x` and weights of this layer."""
    circuit = get(feature_map).build(len(x))
    data = data_parameters(circuit)
    table: dict[Any, Any] = {p: drawn.take() for p in weights(circuit)}
    table |= {p: x[k if p.vector is None else p.vector[1]] for k, p in enumerate(data)}
    return circuit.bind(table)


def _own_ansatz(ansatz: Any, num_qubits: int, drawn: _Weights) -> Circuit:
    """An ansatz with weights of this layer."""
    if ansatz is None:
        circuit = Circuit(num_qubits)
        for q in range(num_qubits):
            circuit.ry(drawn.take(), q).rz(drawn.take(), q)
        _ring(circuit)
        return circuit
    if isinstance(ansatz, str):
        if ansatz not in ANSATZE:
            raise ArgumentError(
                f"Parameter `ansatz` must be the name of one of qsim.ansatz.ANSATZE, but is {ansatz!r}. "
                f"{name_hint(ansatz)}".rstrip()
            )
        ansatz = ANSATZE[ansatz]
    found = ansatz if isinstance(ansatz, Circuit) else ansatz(num_qubits)
    if not isinstance(found, Circuit):
        raise TypeError(
            "Parameter `ansatz` must be a name, a Circuit or a function that gives one for a number of "
            "qubits, but "
            f"gives {type(found).__name__}."
        )
    return found.bind({p: drawn.take() for p in found.parameters})
