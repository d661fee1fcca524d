"""The fidelity kernel: how much the states of two data points overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count
from qsim.measurements import Measurement, State
from qsim.program.program import Program
from qsim.quantum_kernels.base import QuantumKernel
from qsim.quantum_kernels.dataset import as_rows
from qsim.quantum_kernels.gram import fidelities, fidelity_gram, symmetric_fidelities
from qsim.quantum_kernels.shots import check_test, emulate_shots

__all__ = ["FidelityKernel"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
RealArray = npt.NDArray[np.floating[Any]]


class FidelityKernel(QuantumKernel):
    """The fidelity kernel ``k(x, y) = |<psi(x)|psi(y)>|**2``.

    Every data point is encoded once, all of them by batched calls, and all overlaps are one matrix product.

    Parameters
    ----------
    feature_map : Circuit, str or callable
        A circuit whose ``ParameterVector("x", features)`` takes the data; a function that gives one for a
        number of features; or the name of one of `qsim.feature_maps`.
    params : dict, optional
        Values of the feature map's other parameters.
    shots : int, optional
        Emulate the estimate of each entry from so many shots; see `emulate_shots`. Exact by default.
    seed : None, int or numpy.random.SeedSequence
        Of the shots.
    test : {"inversion", "swap"}
        What the shots are taken of: the circuit of one point and the inverse of the other's, or the swap
        test.
    max_memory : int, optional
        Bytes for states and products beside the matrix, 256 MiB by default. What does not fit is computed in
        tiles.
    backend, precision, threads
        See `qsim.compile`. ``precision="single"`` halves memory and time, at errors of about 1e-6. `threads`
        are those of the encoding, and of the matrix product if threadpoolctl is installed; else BLAS decides
        on its own (``OPENBLAS_NUM_THREADS``).

    Notes
    -----
    Time: O(N) runs of the feature map and O(N**2 2**n) multiplications in BLAS for N points on n qubits; half
    of that where the matrix is symmetric.

    References
    ----------
    .. [1] V. Havlicek et al., Nature 567, 209 (2019), arXiv:1804.11326.
    .. [2] M. Schuld and N. Killoran, Phys. Rev. Lett. 122, 040504 (2019), arXiv:1803.07128.

    Examples
    --------
    >>> import numpy as np
    >>> import qsim
    >>> x = qsim.ParameterVector("x", 2)
    >>> kernel = FidelityKernel(qsim.Circuit(2).ry(x[0], 0).ry(x[1], 1))
    >>> X = np.array([[0.0, 0.0], [np.pi / 2, 0.0], [np.pi, 0.0]])
    >>> kernel(X).round(6)
    array([[1. , 0.5, 0. ],
           [0.5, 1. , 0.5],
           [0. , 0.5, 1. ]])
    >>> kernel(X, X[:1]).shape
    (3, 1)
    """

    def __init__(
        self,
        feature_map: Any,
        params: Mapping[Any, Any] | None = None,
        *,
        shots: int | None = None,
        seed: Any = None,
        test: str = "inversion",
        max_memory: int | None = None,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(
            feature_map,
            params,
            max_memory=max_memory,
            backend=backend,
            precision=precision,
            threads=threads,
        )
        self.shots = None if shots is None else check_count(shots, "shots", 1)
        self.seed = seed
        self.test = check_test(test)

    def _kernel(self, X: Any, Y: Any) -> RealArray:
        left, right = self._rows(X, Y)
        exact = fidelity_gram(left, right, self.max_memory, self.encoder.num_threads)
        if self.shots is None:
            return exact
        return emulate_shots(
            exact, self.shots, seed=self.seed, symmetric=right is None, test=self.test
        ).astype(exact.dtype, copy=False)

    def diag(self, X: Any) -> RealArray:
        """Ones, shape (rows,): a state's fidelity with itself."""
        rows = as_rows(self.encoder, X)
        return np.ones(rows.count, dtype=np.float32 if rows.dtype == np.complex64 else np.float64)

    # -- derivatives -----------------------------------------------------------------------------
    def _embedding(self, num_features: int) -> tuple[Program, Measurement, None]:
        return self.encoder.program(num_features), State(), None

    def _embed(self, X: FloatArray) -> ComplexArray:
        return self.encoder.states(X)

    def _value(self, a: ComplexArray, b: ComplexArray | None) -> RealArray:
        out = np.empty((len(a), len(a if b is None else b)), dtype=a.real.dtype)
        if b is None:
            symmetric_fidelities(a, out)
        else:
            fidelities(a, b, out)
        return out

    def _push(
        self, a: ComplexArray, da: ComplexArray, b: ComplexArray | None, db: ComplexArray | None
    ) -> FloatArray:
        left = a.conj()
        if b is None or db is None:  # what the change of the second point adds is the transpose
            half = (left @ a.T) * (da @ left.T)
            return np.asarray(2 * (half + half.T).real, dtype=np.float64)
        change = da.conj() @ b.T + left @ db.T
        return np.asarray(2 * ((left @ b.T).conj() * change).real, dtype=np.float64)

    def _pull(
        self, a: ComplexArray, b: ComplexArray | None, weights: FloatArray
    ) -> tuple[ComplexArray, ComplexArray | None]:
        # d|o|**2 = 2 Re conj(o) do with o = <a|b>; a cotangent c of a state stands for Re <c|d psi>
        overlaps = a.conj() @ (a if b is None else b).T
        if b is None:
            return 2 * ((weights + weights.T) * overlaps.conj()) @ a, None
        pulled = 2 * weights * overlaps
        return pulled.conj() @ b, pulled.T @ a

    def __repr__(self) -> str:
        shots = "" if self.shots is None else f", shots={self.shots}"
        return f"FidelityKernel({self.feature_map!r}{shots})"
