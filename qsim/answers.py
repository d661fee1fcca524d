"""What users call: answers about a circuit, each a method of a `Simulator` with the settings given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim.circuit import Circuit
from qsim.results import Samples
from qsim.simulator import Simulator

__all__ = [
    "amplitudes",
    "density_matrix",
    "distribution",
    "expectation",
    "fidelity",
    "inner_product",
    "mutual_information",
    "probabilities",
    "purity",
    "renyi_entropy",
    "sample",
    "statevector",
    "variance",
    "von_neumann_entropy",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]


def statevector(
    circuit: Circuit,
    params: Any = None,
    *,
    initial_state: Any = None,
    normalize: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> ComplexArray:
    """Amplitudes of the state a circuit prepares, before its final measurements.

    Parameters
    ----------
    circuit : Circuit
    params : dict or array_like, optional
        A dict from name (or `Parameter`, `ParameterVector`) to a value: scalar or (batch,) for a
        parameter, (length,) or (batch, length) for a vector. Or one array in the order of
        ``circuit.parameters``, shape (num_parameters,) or (batch, num_parameters); or a number for the only
        parameter. Radians.
    initial_state : array_like, shape (2**num_qubits,) or (batch, 2**num_qubits), optional
        ``|0...0>`` by default.
    normalize : bool
        Divide `initial_state` by its norm instead of refusing a norm other than 1.
    backend, precision, threads, max_memory
        See `Simulator`.

    Returns
    -------
    ndarray, shape (2**num_qubits,) or (batch, 2**num_qubits)
        complex128, or complex64 in single precision. Qubit 0 is the least significant bit of the index.

    Raises
    ------
    UnboundParameterError, ParameterError
        Values are missing, unknown, of the wrong shape, or not finite.
    StateError
        The initial state has the wrong shape or norm.
    CircuitError
        The circuit measures, resets or branches before its end, so that its state is random.
    MemoryBudgetError
        The state does not fit; nothing has been allocated.

    Notes
    -----
    O(gates * 2**num_qubits) time; no memory beyond the state itself.

    Examples
    --------
    >>> statevector(Circuit(2).h(0).cx(0, 1)).real.round(3)
    array([0.707, 0.   , 0.   , 0.707])
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).statevector(
        circuit, params, initial_state=initial_state, normalize=normalize
    )


def expectation(
    circuit: Circuit,
    observable: Any,
    params: Any = None,
    *,
    initial_state: Any = None,
    normalize: bool = False,
    progress: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """Expectation value of one or several observables in the state a circuit prepares.

    Parameters
    ----------
    circuit : Circuit
        Where it measures, resets or branches before its end, the average over all branches is taken.
    observable : observable or list of observables
        `PauliSum`, `PauliString`, a label such as ``"Z0 Z1"``, a dict of labels, `Hermitian`,
        `Projector`, `Diagonal` or `SparseMatrix`.
    params, initial_state, normalize, backend, precision, threads, max_memory
        See `statevector`.
    progress : bool
        Show a progress bar over the batch (needs tqdm).

    Returns
    -------
    float or ndarray, float64
        Shape () for one observable and one parameter set; (batch,) in front for a batch;
        (num_observables,) behind for a list of observables.

    Raises
    ------
    ObservableError
        An observable is not Hermitian or does not fit the circuit.

    Notes
    -----
    Sums of Pauli strings take one pass over the state for each distinct set of flipped qubits.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> theta = Parameter("theta")
    >>> expectation(Circuit(1).ry(theta, 0), "Z0", [0.0])
    1.0
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).expectation(
        circuit, observable, params, initial_state=initial_state, normalize=normalize, progress=progress
    )


def variance(
    circuit: Circuit,
    observable: Any,
    params: Any = None,
    *,
    initial_state: Any = None,
    normalize: bool = False,
    progress: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """Variance ``<O**2> - <O>**2`` of one or several observables; arguments and shapes as `expectation`.

    Examples
    --------
    >>> round(variance(Circuit(1).h(0), "Z0"), 12)
    1.0
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).variance(
        circuit, observable, params, initial_state=initial_state, normalize=normalize, progress=progress
    )


def probabilities(
    circuit: Circuit,
    params: Any = None,
    qubits: Any = None,
    *,
    initial_state: Any = None,
    normalize: bool = False,
    progress: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> FloatArray:
    """Probabilities of the basis states of some qubits, before the final measurements.

    Parameters
    ----------
    circuit, params, initial_state, normalize, progress, backend, precision, threads, max_memory
        See `expectation`.
    qubits : int or sequence of int, optional
        The first is the least significant bit of the result's index; all by default.

    Returns
    -------
    ndarray, shape (2**k,) or (batch, 2**k), float64

    Examples
    --------
    >>> probabilities(Circuit(2).h(0).cx(0, 1), qubits=[1]).round(3)
    array([0.5, 0.5])
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).probabilities(
        circuit, params, qubits, initial_state=initial_state, normalize=normalize, progress=progress
    )


def sample(
    circuit: Circuit,
    params: Any = None,
    *,
    shots: int,
    seed: Any = None,
    initial_state: Any = None,
    normalize: bool = False,
    progress: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Samples:
    """Samples of the classical bits if the circuit measures, else of all qubits.

    Parameters
    ----------
    circuit, params, initial_state, normalize, progress, backend, precision, threads, max_memory
        See `expectation`.
    shots : int
        At least 1, for each row of a batch.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
        The same seed gives the same samples, whatever the backend and the number of threads.

    Returns
    -------
    Samples
        ``.counts()`` maps bitstrings (bit 0 rightmost) to int; ``.bits`` and ``.ints`` are arrays.

    Examples
    --------
    >>> sample(Circuit(1).x(0), shots=5, seed=1).counts()
    {'1': 5}
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).sample(
        circuit,
        params,
        shots=shots,
        seed=seed,
        initial_state=initial_state,
        normalize=normalize,
        progress=progress,
    )


def distribution(
    circuit: Circuit,
    params: Any = None,
    *,
    initial_state: Any = None,
    normalize: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """Exact distribution of the classical bits, following every branch of measurements and conditions.

    If the circuit has no measurement, of all qubits.

    Returns
    -------
    dict or list of dict
        Bitstring (bit 0 rightmost) to probability; a list for a batch of parameters. Outcomes with a
        probability of at most 1e-15 are left out.

    Examples
    --------
    >>> {k: round(p, 6) for k, p in distribution(Circuit(2).h(0).cx(0, 1)).items()}
    {'00': 0.5, '11': 0.5}
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).distribution(
        circuit, params, initial_state=initial_state, normalize=normalize
    )


def amplitudes(
    circuit: Circuit,
    bitstrings: Any,
    params: Any = None,
    *,
    initial_state: Any = None,
    normalize: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> ComplexArray:
    """Amplitudes of chosen basis states, given as bitstrings (qubit 0 rightmost) or indices.

    Returns
    -------
    ndarray, shape (len(bitstrings),) or (batch, len(bitstrings))

    Examples
    --------
    >>> amplitudes(Circuit(2).h(0).cx(0, 1), ["11", "01"]).real.round(3)
    array([0.707, 0.   ])
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).amplitudes(
        circuit, bitstrings, params, initial_state=initial_state, normalize=normalize
    )


def density_matrix(
    circuit: Circuit,
    qubits: Any = None,
    params: Any = None,
    *,
    initial_state: Any = None,
    normalize: bool = False,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> ComplexArray:
    """Reduced density matrix of some qubits, averaged over outcomes of measurements before the end.

    Parameters
    ----------
    circuit, params, initial_state, normalize, backend, precision, threads, max_memory
        See `statevector`.
    qubits : int or sequence of int, optional
        The first is the least significant bit of the indices; all by default.

    Returns
    -------
    ndarray, shape (2**k, 2**k) or (batch, 2**k, 2**k), complex128

    Examples
    --------
    >>> density_matrix(Circuit(2).h(0).cx(0, 1), [0]).real.round(3)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).density_matrix(
        circuit, qubits, params, initial_state=initial_state, normalize=normalize
    )


def purity(circuit: Circuit, qubits: Any, params: Any = None, **settings: Any) -> Any:
    """Tr rho**2 of the reduced state of some qubits: float, or (batch,) for a batch.

    Examples
    --------
    >>> round(purity(Circuit(2).h(0).cx(0, 1), [0]), 12)
    0.5
    """
    return Simulator(**settings).purity(circuit, qubits, params)


def von_neumann_entropy(
    circuit: Circuit, qubits: Any, params: Any = None, *, base: float = 2.0, **settings: Any
) -> Any:
    """Entropy -Tr rho log rho of the reduced state of some qubits, in bits by default.

    Examples
    --------
    >>> round(von_neumann_entropy(Circuit(2).h(0).cx(0, 1), [0]), 12)
    1.0
    """
    return Simulator(**settings).von_neumann_entropy(circuit, qubits, params, base=base)


def renyi_entropy(
    circuit: Circuit,
    qubits: Any,
    params: Any = None,
    *,
    alpha: float = 2.0,
    base: float = 2.0,
    **settings: Any,
) -> Any:
    """Renyi entropy log(Tr rho**alpha) / (1 - alpha) of the reduced state of some qubits, in bits by default.

    Examples
    --------
    >>> round(renyi_entropy(Circuit(2).h(0).cx(0, 1), [0], alpha=2), 12)
    1.0
    """
    return Simulator(**settings).renyi_entropy(circuit, qubits, params, alpha=alpha, base=base)


def mutual_information(
    circuit: Circuit, first: Any, second: Any, params: Any = None, *, base: float = 2.0, **settings: Any
) -> Any:
    """Mutual information S(A) + S(B) - S(AB) of two disjoint sets of qubits, in bits by default.

    Examples
    --------
    >>> round(mutual_information(Circuit(2).h(0).cx(0, 1), [0], [1]), 12)
    2.0
    """
    return Simulator(**settings).mutual_information(circuit, first, second, params, base=base)


def inner_product(
    first: Circuit, second: Circuit, first_params: Any = None, second_params: Any = None, **settings: Any
) -> Any:
    """``<first|second>`` of the states two circuits prepare: complex, or (batch,) complex128.

    Examples
    --------
    >>> round(inner_product(Circuit(1).h(0), Circuit(1)).real, 6)
    0.707107
    """
    return Simulator(**settings).inner_product(first, second, first_params, second_params)


def fidelity(
    first: Circuit, second: Circuit, first_params: Any = None, second_params: Any = None, **settings: Any
) -> Any:
    """``|<first|second>|**2`` of the states two circuits prepare: float, or (batch,) float64.

    Examples
    --------
    >>> round(fidelity(Circuit(1).h(0), Circuit(1)), 6)
    0.5
    """
    return Simulator(**settings).fidelity(first, second, first_params, second_params)
