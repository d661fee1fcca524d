"""Feature maps as transformers, and principal components of encoded data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.decomposition import KernelPCA
from sklearn.utils.validation import check_is_fitted, validate_data

from qsim.errors import ArgumentError
from qsim.quantum_kernels import FidelityKernel, QuantumKernel
from qsim.sklearn.base import KernelMachine, MapEstimator, check_bandwidth, check_no_map

__all__ = ["QuantumFeatureMap", "QuantumPCA"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

OUTPUTS = ("projected", "expectation", "probabilities", "state")


class QuantumFeatureMap(TransformerMixin, MapEstimator):  # type: ignore[misc]
    """Turns data into what can be read off its encoded states, for any classical model.

    Parameters
    ----------
    feature_map : str, Circuit or callable, optional
        As for `QSVC`.
    params : dict, optional
        Values of the feature map's trainable parameters; those not given are drawn with `random_state`.
    output : {"projected", "expectation", "probabilities", "state"}, default "projected"
        * "projected": expectation values of X, Y and Z of each qubit, ``3 n`` numbers;
        * "expectation": of `observables`;
        * "probabilities": of the ``2**n`` basis states;
        * "state": real parts of the ``2**n`` amplitudes, then imaginary parts.
    observables : list of observables, optional
        For "expectation": Z of each qubit and ZZ of each pair by default.
    bandwidth : float, default 1.0
        Data are multiplied by this before they are encoded.
    random_state : int, RandomState or None
    precision, threads
        See `qsim.compile`.

    Attributes
    ----------
    encoder_ : qsim.quantum_kernels.Encoder
    num_qubits_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> X = np.linspace(-3, 3, 40).reshape(-1, 1)
    >>> model = make_pipeline(QuantumFeatureMap(), Ridge(1e-6)).fit(X, np.sin(X[:, 0]))
    >>> model[0].get_feature_names_out().tolist()
    ['X0', 'Y0', 'Z0']
    >>> model.score(X, np.sin(X[:, 0])) > 0.999
    True
    """

    def __init__(
        self,
        feature_map: Any = None,
        *,
        params: Mapping[Any, Any] | None = None,
        output: str = "projected",
        observables: Any = None,
        bandwidth: float = 1.0,
        random_state: Any = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.feature_map = feature_map
        self.params = params
        self.output = output
        self.observables = observables
        self.bandwidth = bandwidth
        self.random_state = random_state
        self.precision = precision
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> QuantumFeatureMap:
        """Choose the circuit for the number of features; `y` is not used."""
        X = validate_data(self, X, dtype=np.float64)
        if self.output not in OUTPUTS:
            raise ArgumentError(
                f"Parameter `output` must be one of {', '.join(OUTPUTS)}, but is {self.output!r}."
            )
        check_bandwidth(self.bandwidth)
        self.encoder_ = self._make_encoder(X.shape[1])
        program = self.encoder_.program(X.shape[1])
        self.num_qubits_ = program.num_qubits
        self._program = program.with_observables(self._observables())
        return self

    def transform(self, X: Any) -> FloatArray:
        """Features of data, shape (rows, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False) * self.bandwidth
        params = self.encoder_.bind(self.encoder_.check(X))
        if self.output in ("projected", "expectation"):
            return np.asarray(self._program.expectation(params))
        if self.output == "probabilities":
            return np.asarray(self._program.probabilities(params), dtype=np.float64)
        states = self._program.statevector(params)
        return np.concatenate([states.real, states.imag], axis=1).astype(np.float64, copy=False)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the outputs: Pauli strings, or basis states with qubit 0 rightmost."""
        check_is_fitted(self)
        if self.output in ("projected", "expectation"):
            names = [_named(o, k) for k, o in enumerate(self._observables())]
        else:
            basis = [format(k, f"0{self.num_qubits_}b") for k in range(1 << self.num_qubits_)]
            parts = ("p",) if self.output == "probabilities" else ("re", "im")
            names = [f"{part}({bits})" for part in parts for bits in basis]
        return np.array(names, dtype=object)

    def _observables(self) -> list[Any]:
        qubits = range(self.num_qubits_)
        if self.output == "projected":
            return [f"{p}{q}" for q in qubits for p in "XYZ"]
        if self.observables is not None:
            given = self.observables
            return list(given) if isinstance(given, list | tuple) else [given]
        return [f"Z{q}" for q in qubits] + [f"Z{a} Z{b}" for a, b in combinations(qubits, 2)]


def _named(observable: Any, index: int) -> str:
    return observable if isinstance(observable, str) else f"observable{index}"


class QuantumPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, KernelMachine):  # type: ignore[misc]
    """Principal components of encoded data: of the kernel, or of the mixture of all states.

    Parameters
    ----------
    n_components : int, default 2
        At most the number of rows, and for "density" the dimension of the states.
    method : {"kernel", "density"}, default "kernel"
        * "kernel": kernel PCA [1]_, components of the centred kernel matrix;
        * "density": quantum PCA [2]_: the eigenvectors of ``rho = mean |psi(x)><psi(x)|``, and as features
          the probabilities ``|<e_k|psi(x)>|**2`` that phase estimation of ``rho`` finds.
    feature_map, params, bandwidth, random_state, precision, threads, max_memory
        As for `QSVC`.
    kernel, gamma
        As for `QSVC`, for the method "kernel". The method "density" is of the fidelity kernel's states.

    Attributes
    ----------
    kernel_ : QuantumKernel
    eigenvalues_ : ndarray, shape (n_components,)
        Of the centred kernel matrix, or of the density matrix.
    components_ : ndarray, shape (n_components, 2**num_qubits)
        For "density": the eigenvectors.

    References
    ----------
    .. [1] B. Schoelkopf, A. Smola and K.-R. Mueller, Neural Computation 10, 1299 (1998).
    .. [2] S. Lloyd, M. Mohseni and P. Rebentrost, Nature Physics 10, 631 (2014), arXiv:1307.0401.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> QuantumPCA(bandwidth=0.3).fit_transform(X).shape
    (150, 2)
    >>> bool(QuantumPCA(method="density", bandwidth=0.3).fit(X).eigenvalues_.sum() <= 1)
    True
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        method: str = "kernel",
        feature_map: Any = None,
        params: Mapping[Any, Any] | None = None,
        kernel: str | QuantumKernel = "fidelity",
        bandwidth: float = 1.0,
        gamma: float | str = 1.0,
        random_state: Any = None,
        precision: str | None = None,
        threads: int | None = None,
        max_memory: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.feature_map = feature_map
        self.params = params
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.gamma = gamma
        self.random_state = random_state
        self.precision = precision
        self.threads = threads
        self.max_memory = max_memory

    def fit(self, X: Any, y: Any = None) -> QuantumPCA:
        """Find the components of data (rows, features); `y` is not used."""
        check_no_map(self.n_components, "n_components")
        X = self._start_unsupervised(X)
        if self.method == "kernel":
            self._pca = KernelPCA(self.n_components, kernel="precomputed", eigen_solver="dense")
            self._pca.fit(self._gram(X))
            self.eigenvalues_ = self._pca.eigenvalues_
        elif self.method == "density":
            self._fit_density(X)
        else:
            raise ArgumentError(f"Parameter `method` must be 'kernel' or 'density', but is {self.method!r}.")
        self._n_features_out = len(self.eigenvalues_)
        return self

    def _fit_density(self, X: FloatArray) -> None:
        if not isinstance(self.kernel_, FidelityKernel):
            raise ArgumentError(
                "Parameter `kernel` must be 'fidelity' for the method 'density', which is of its states, "
                "but is "
                f"{self.kernel!r}."
            )
        states = self.kernel_.encoder.states(X).astype(np.complex128, copy=False)
        rows, size = states.shape
        count = min(self.n_components, rows, size)
        if rows < size:  # the matrix of overlaps has the same eigenvalues as the density matrix
            levels, vectors = np.linalg.eigh(states.conj() @ states.T / rows)
            levels, vectors = levels[::-1][:count], vectors[:, ::-1][:, :count]
            found = vectors.T @ states
            norms = np.linalg.norm(found, axis=1)
            found /= np.where(norms > 0, norms, 1)[:, None]
        else:
            levels, vectors = np.linalg.eigh(states.T @ states.conj() / rows)
            levels, found = levels[::-1][:count], vectors.T[::-1][:count]
        self.eigenvalues_ = np.maximum(levels, 0)
        self.components_ = found

    def transform(self, X: Any) -> FloatArray:
        """Features of data, shape (rows, n_components)."""
        check_is_fitted(self)
        if self.method == "kernel":
            return np.asarray(self._pca.transform(self._against(X)))
        states = self.kernel_.encoder.states(self._checked(X))
        return np.asarray(np.abs(states @ self.components_.conj().T) ** 2, dtype=np.float64)
