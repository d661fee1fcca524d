"""Metrics on the parameters: the quantum geometric tensor, and quantum and classical Fisher information."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.gradients.derivatives import measured_jacobian, tangent_states
from qsim.gradients.evaluate import Request, read_request, require_unitary
from qsim.gradients.layers import layer_metrics, layers_of
from qsim.gradients.overlaps import overlaps
from qsim.gradients.states import chunks
from qsim.measurements import Probabilities
from qsim.simulator import Simulator

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = [
    "classical_fisher",
    "geometric_tensor",
    "program_classical_fisher",
    "program_fisher",
    "program_geometric_tensor",
    "program_quantum_fisher",
    "quantum_fisher",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
APPROXIMATIONS = (None, "block_diagonal", "diagonal")
#: Outcomes less likely than this give no classical information.
_SMALLEST_PROBABILITY = 1e-14


def geometric_tensor(
    circuit: Circuit,
    params: Any = None,
    *,
    wrt: Any = None,
    approximation: str | None = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """The quantum geometric tensor of the state a circuit prepares.

    ``G_ij = <d_i psi|d_j psi> - <d_i psi|psi><psi|d_j psi>``: its real part is the Fubini-Study metric, its
    imaginary part half the Berry curvature, up to sign [1]_.

    Parameters
    ----------
    circuit, params, wrt, backend, precision, threads, max_memory
        As for `qsim.hessian`.
    approximation : {"block_diagonal", "diagonal"}, optional
        As for `quantum_fisher`.

    Returns
    -------
    ndarray or dict
        Hermitian, complex, in the form of `qsim.hessian` of a single observable.

    Raises
    ------
    GradientError
        The circuit is not a sequence of unitary gates and a read-out.

    Notes
    -----
    One dual state for each parameter, all of them as one batch, and their inner products: O(P) runs of the
    circuit and O(P**2 * 2**n) for the products, in the memory of P + 2 states for a row.

    References
    ----------
    .. [1] J. P. Provost and G. Vallee, Commun. Math. Phys. 76, 289 (1980).

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> t = ParameterVector("t", 2)
    >>> circuit = Circuit(1).ry(t[0], 0).rz(t[1], 0)
    >>> tensor = geometric_tensor(circuit, [0.5, 0.1])
    >>> tensor.diagonal().real.round(6), tensor[0, 1].imag.round(6)
    (array([0.25    , 0.057462]), np.float64(0.119856))
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).geometric_tensor(
        circuit, params, wrt=wrt, approximation=approximation
    )


def quantum_fisher(
    circuit: Circuit,
    params: Any = None,
    *,
    wrt: Any = None,
    approximation: str | None = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """The quantum Fisher information of the state a circuit prepares, ``4 Re G`` of the geometric tensor.

    Parameters
    ----------
    circuit, params, wrt, backend, precision, threads, max_memory
        As for `qsim.hessian`.
    approximation : {"block_diagonal", "diagonal"}, optional
        Leave out all entries but those between parameters of one layer (gates that act side by side, [1]_),
        or but the diagonal. A parameter belongs to the layer of its first gate.

    Returns
    -------
    ndarray or dict
        Symmetric, in the form of `qsim.hessian` of a single observable.

    Notes
    -----
    As `geometric_tensor`. The approximations take one run of the circuit, a generator for each gate with a
    parameter and the products of each layer, and hold as many states as a layer has gates: E of the gates
    of a layer act on the state right behind it, and what follows is unitary. Only parameters with gates in
    several layers need a dual state each.

    References
    ----------
    .. [1] J. Stokes, J. Izaac, N. Killoran and G. Carleo, "Quantum natural gradient", Quantum 4, 269 (2020),
       arXiv:1909.02108.

    Examples
    --------
    >>> from qsim.parameters import ParameterVector
    >>> t = ParameterVector("t", 2)
    >>> circuit = Circuit(1).ry(t[0], 0).rz(t[1], 0)
    >>> np.abs(quantum_fisher(circuit, [0.5, 0.1])).round(6)
    array([[1.      , 0.      ],
           [0.      , 0.229849]])
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).quantum_fisher(
        circuit, params, wrt=wrt, approximation=approximation
    )


def classical_fisher(
    circuit: Circuit,
    params: Any = None,
    qubits: Any = None,
    *,
    wrt: Any = None,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    max_memory: int | str | None = None,
) -> Any:
    """The Fisher information of the outcomes of measuring qubits, ``F_ij = sum_k d_i p_k d_j p_k / p_k``.

    Parameters
    ----------
    circuit, params, wrt, backend, precision, threads, max_memory
        As for `qsim.hessian`.
    qubits : sequence of int, optional
        Those measured; all by default.

    Returns
    -------
    ndarray or dict
        Symmetric, in the form of `qsim.hessian` of a single observable; at most the quantum Fisher
        information.

    Notes
    -----
    Outcomes with a probability below 1e-14 are left out.

    Examples
    --------
    >>> from qsim.parameters import Parameter
    >>> circuit = Circuit(1).ry(Parameter("t"), 0)
    >>> classical_fisher(circuit, [0.5]).round(6)
    array([[1.]])
    """
    return Simulator(backend, precision, threads, max_memory=max_memory).classical_fisher(
        circuit, params, qubits, wrt=wrt
    )


def program_geometric_tensor(
    program: Program, params: Any, wrt: Any, approximation: str | None = None
) -> Any:
    """See `geometric_tensor`."""
    request = _request(program, params, wrt, "geometric_tensor")
    return request.matrix(_tensor(program, request, approximation))


def program_quantum_fisher(program: Program, params: Any, wrt: Any, approximation: str | None) -> Any:
    """See `quantum_fisher`."""
    request = _request(program, params, wrt, "quantum_fisher")
    return request.matrix(program_fisher(program, request, approximation))


def program_classical_fisher(program: Program, params: Any, qubits: Any, wrt: Any) -> Any:
    """See `classical_fisher`."""
    request = _request(program, params, wrt, "classical_fisher")
    measurement = Probabilities(qubits)
    measurement.attach(program)
    p, slopes = measured_jacobian(program, measurement, request)
    kept = p > _SMALLEST_PROBABILITY
    weights = np.divide(1.0, p, out=np.zeros_like(p), where=kept)
    return request.matrix(np.einsum("bk,bki,bkj->bij", weights, slopes, slopes))


def program_fisher(program: Program, request: Request, approximation: str | None = None) -> FloatArray:
    """Quantum Fisher information by all parameters, (batch, P, P); zero for those not in the request."""
    return np.asarray(4 * _tensor(program, request, approximation).real)


def _request(program: Program, params: Any, wrt: Any, what: str) -> Request:
    require_unitary(program, what)
    return read_request(program, params, wrt)


def _tensor(program: Program, request: Request, approximation: str | None) -> ComplexArray:
    """The geometric tensor by all parameters, (batch, P, P)."""
    if approximation not in APPROXIMATIONS:
        raise ArgumentError(
            "Argument `approximation` must be None, 'block_diagonal' or 'diagonal', but is "
            f"{approximation!r}."
        )
    values, columns = request.values, request.columns
    batch, count = values.shape
    out = np.zeros((batch, count, count), dtype=complex)
    if not columns:
        return out
    if approximation is None:
        _write_tensor(program, values, columns, out)
        return out
    layers = layers_of(program, columns)
    layer_metrics(program, layers, values, columns, out)
    # parameters with gates in several layers need their tangents at the end of the circuit
    others = [c for c in columns if not layers.is_local[c]]
    if approximation == "diagonal":
        for rows, places, states, tangents in tangent_states(program, values, others):
            own = np.einsum("ri,ri->r", tangents.conj(), tangents)
            along = np.einsum("ri,ri->r", states.conj(), tangents)
            out[rows, places, places] = own.real - np.abs(along) ** 2
        out *= np.eye(count)
        return out
    for layer in sorted({int(layers.of_column[c]) for c in others}):
        _write_tensor(program, values, [c for c in columns if layers.of_column[c] == layer], out)
    return out


def _write_tensor(program: Program, values: FloatArray, columns: list[int], out: ComplexArray) -> None:
    """Write the entries between some parameters: all their tangents, and the inner products of these."""
    place_of = np.zeros(values.shape[1], dtype=np.int64)
    place_of[columns] = np.arange(len(columns))
    # all tangents twice for their products; and at least one row of those being made
    for part in chunks(program, len(values), 2 * len(columns) + 2, program._state_bytes(5)):
        size = 1 << program.num_qubits
        every: ComplexArray = np.empty((part.stop - part.start, len(columns), size), dtype=program.dtype)
        here: ComplexArray = np.empty((len(every), size), dtype=program.dtype)
        held = every.nbytes + here.nbytes
        for rows, places, some, directions in tangent_states(program, values[part], columns, held):
            every[rows, place_of[places]] = directions
            here[rows] = some
        gram = overlaps(every, every)
        along = np.einsum("bi,bpi->bp", here.conj(), every)  # <psi|d_p psi>
        gram = gram - along.conj()[:, :, None] * along[:, None, :]
        out[part, np.array(columns)[:, None], columns] = (gram + gram.conj().swapaxes(1, 2)) / 2
