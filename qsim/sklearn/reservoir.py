"""Quantum reservoir computing: a random circuit that data drive, and a trained linear read-out."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.parameters import ParameterVector
from qsim.program.program import Program
from qsim.program.program import compile as compile_circuit
from qsim.sklearn.base import check_bandwidth, row_weights

__all__ = ["QuantumReservoirRegressor", "reservoir_circuit"]

FloatArray = npt.NDArray[np.float64]

READ_OUTS = ("z", "zz", "xyz")


def reservoir_circuit(
    num_features: int,
    num_qubits: int,
    *,
    coupling: float = 1.0,
    field: float = 1.0,
    time: float = 1.0,
    trotter_steps: int = 2,
    seed: Any = None,
) -> Circuit:
    """A random transverse-field Ising model that a sequence of numbers kicks.

    For each number of the sequence: ``RY(w x_t + b)`` on every qubit, with random `w` and `b`, then
    ``exp(-i time H)`` with ``H = sum J_ij X_i X_j + field sum Z_i``, ``J_ij`` uniform in ``[-coupling/2,
    coupling/2]`` [1]_, as `trotter_steps` products of its two parts.

    Parameters
    ----------
    num_features : int
        Length of the sequence.
    num_qubits : int
    coupling, field, time : float
    trotter_steps : int
    seed : None, int or numpy.random.Generator
        Of couplings and input weights.

    Returns
    -------
    Circuit
        With data ``ParameterVector("x", num_features)``.

    Notes
    -----
    The state stays pure: numbers come in by rotations, and no qubit is reset as in [1]_.

    References
    ----------
    .. [1] K. Fujii and K. Nakajima, Phys. Rev. Applied 8, 024030 (2017), arXiv:1602.08159.
    """
    generator = np.random.default_rng(seed)
    x = ParameterVector("x", num_features)
    couplings = generator.uniform(-coupling / 2, coupling / 2, (num_qubits, num_qubits))
    inputs = generator.uniform(0.5, 1.5, num_qubits)
    offsets = generator.uniform(0, np.pi, num_qubits)
    step = time / trotter_steps
    circuit = Circuit(num_qubits, name="reservoir")
    for value in x:
        for q in range(num_qubits):
            circuit.ry(float(inputs[q]) * value + float(offsets[q]), q)
        for _ in range(trotter_steps):
            for a, b in combinations(range(num_qubits), 2):
                circuit.rxx(2 * step * float(couplings[a, b]), a, b)
            for q in range(num_qubits):
                circuit.rz(2 * step * field, q)
    return circuit


class QuantumReservoirRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Ridge regression on what a random quantum system does with a sequence.

    The features of a row are a sequence in time: a window of a time series, say, which
    `numpy.lib.stride_tricks.sliding_window_view` makes of one. Nothing in the circuit is trained.

    Parameters
    ----------
    num_qubits : int, default 6
    read_out : {"z", "zz", "xyz"}, default "xyz"
        What is measured at the end: Z of each qubit; also ZZ of each pair; or X, Y, Z of each qubit and ZZ of
        each pair.
    coupling, field, time, trotter_steps
        Of the reservoir; see `reservoir_circuit`.
    bandwidth : float, default 0.1
        Data are multiplied by this before they are encoded. Small angles keep a memory of all steps.
    alpha : float, default 1e-3
        Of the ridge regression, on features of variance 1.
    random_state : int, RandomState or None
        Of the reservoir.
    precision, threads
        See `qsim.compile`.

    Attributes
    ----------
    circuit_ : Circuit
    observables_ : list of str
    ridge_ : sklearn.linear_model.Ridge

    Examples
    --------
    >>> import numpy as np
    >>> series = np.sin(0.3 * np.arange(200)) * np.cos(0.11 * np.arange(200))
    >>> windows = np.lib.stride_tricks.sliding_window_view(series, 6)[:-1]
    >>> model = QuantumReservoirRegressor(random_state=0).fit(windows[:150], series[6:156])
    >>> model.score(windows[150:], series[156:]) > 0.99
    True
    """

    def __init__(
        self,
        num_qubits: int = 6,
        *,
        read_out: str = "xyz",
        coupling: float = 1.0,
        field: float = 1.0,
        time: float = 1.0,
        trotter_steps: int = 2,
        bandwidth: float = 0.1,
        alpha: float = 1e-3,
        random_state: Any = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.num_qubits = num_qubits
        self.read_out = read_out
        self.coupling = coupling
        self.field = field
        self.time = time
        self.trotter_steps = trotter_steps
        self.bandwidth = bandwidth
        self.alpha = alpha
        self.random_state = random_state
        self.precision = precision
        self.threads = threads

    _program: Program

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> QuantumReservoirRegressor:
        """Fit to sequences (rows, steps) and targets (rows,) or (rows, targets)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, multi_output=True)
        check_bandwidth(self.bandwidth)
        qubits = check_count(self.num_qubits, "num_qubits", 1)
        self.circuit_ = reservoir_circuit(
            X.shape[1],
            qubits,
            coupling=self.coupling,
            field=self.field,
            time=self.time,
            trotter_steps=check_count(self.trotter_steps, "trotter_steps", 1),
            seed=int(check_random_state(self.random_state).randint(2**31)),
        )
        self.observables_ = _read_out(self.read_out, qubits)
        options: dict[str, Any] = {"precision": self.precision, "threads": self.threads}
        self._program = compile_circuit(self.circuit_, self.observables_, **options)
        weights = None if sample_weight is None else row_weights(sample_weight, X)
        features = self._features(X)
        self._scaler = StandardScaler().fit(features, sample_weight=weights)
        self.ridge_ = Ridge(self.alpha).fit(self._scaler.transform(features), y, weights)
        return self

    def predict(self, X: Any) -> FloatArray:
        """Targets (rows,) or (rows, targets) of sequences."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.ridge_.predict(self._scaler.transform(self._features(X))))

    def _features(self, X: FloatArray) -> FloatArray:
        return np.asarray(self._program.expectation({"x": X * self.bandwidth}))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _read_out(name: str, num_qubits: int) -> list[str]:
    if name not in READ_OUTS:
        raise ArgumentError(f"Parameter `read_out` must be 'z', 'zz' or 'xyz', but is {name!r}.")
    out = [f"{p}{q}" for q in range(num_qubits) for p in ("XYZ" if name == "xyz" else "Z")]
    if name != "z":
        out += [f"Z{a} Z{b}" for a, b in combinations(range(num_qubits), 2)]
    return out
