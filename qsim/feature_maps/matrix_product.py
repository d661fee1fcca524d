"""One vector as amplitudes, approximately: a matrix product state, in a circuit of few qubits a gate."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qsim._checks import check_count, check_finite, check_numbers
from qsim.circuit import Circuit
from qsim.errors import ArgumentError

__all__ = ["mps_amplitudes"]

ComplexArray = npt.NDArray[np.complex128]


def mps_amplitudes(values: Any, *, max_bond: int = 2) -> Circuit:
    """A circuit that prepares a vector, or the matrix product state near it, by gates on few qubits.

    Unlike `amplitude` it is made for one vector and has no parameters; it has O(log n) gates for n values.

    Parameters
    ----------
    values : array_like, shape (n,)
        Real or complex, not all zero; normalised, and filled up with zeros to a power of 2.
    max_bond : int
        Largest rank kept at any cut between qubits, rounded up to a power of 2: the circuit is exact from
        ``2**(num_qubits // 2)`` on. Smooth functions need few.

    Returns
    -------
    Circuit
        On ``ceil(log2(n))`` qubits (at least 1): a staircase of unitaries on ``log2(max_bond) + 1`` qubits.

    Notes
    -----
    Singular value decompositions from the last qubit to the first, the largest values kept at each cut
    [1]_ [2]_: O(n * max_bond**2) time.

    References
    ----------
    .. [1] C. Schoen et al., Phys. Rev. Lett. 95, 110503 (2005).
    .. [2] S.-J. Ran, Phys. Rev. A 101, 032310 (2020).

    Examples
    --------
    >>> import numpy as np, qsim
    >>> bell_curve = np.exp(-np.linspace(-3, 3, 256) ** 2)
    >>> circuit = mps_amplitudes(bell_curve, max_bond=2)
    >>> round(abs(qsim.statevector(circuit) @ bell_curve) ** 2 / (bell_curve @ bell_curve), 3)
    0.999
    """
    vector = check_numbers(values, "values", "a vector of numbers")
    if vector.ndim != 1 or not vector.size:
        raise ArgumentError(
            f"Argument `values` must be a vector of at least one number, but has shape {vector.shape}."
        )
    check_finite(vector, "values")
    largest = np.abs(vector).max()
    if largest == 0:
        raise ArgumentError("Argument `values` must not be all zeros.")
    wires = (check_count(max_bond, "max_bond", 1) - 1).bit_length()  # qubits that carry a bond
    qubits = max((vector.size - 1).bit_length(), 1)
    state = np.zeros(2**qubits, dtype=complex)
    state[: vector.size] = vector / largest
    state /= np.linalg.norm(state)
    circuit = Circuit(qubits, name="mps_amplitudes")
    if qubits <= wires + 1:
        return circuit.prepare(state)
    # rows of a state and of all that is right of a cut: the qubits of a matrix's columns come last
    rest, gates = state.reshape([2] * qubits).transpose().reshape(-1, 1), []
    for site in range(qubits - max(wires, 1), 0, -1):
        # columns: the qubit at this site (for the last cut all that are left), then the bond on its right
        rows = 2**site
        left, kept, right = np.linalg.svd(rest.reshape(rows, -1), full_matrices=False)
        rank = min(2**wires, len(kept))
        gates.append((site, right[:rank]))
        rest = left[:, :rank] * kept[:rank]
    # `rest` is what is left on qubit 0 and the first bond
    first = rest.reshape(2, -1)
    start = np.zeros((2, 2**wires), dtype=complex)
    start[:, : first.shape[1]] = first
    circuit.prepare(start.transpose().ravel(), range(wires + 1), normalize=True)
    for site, isometry in reversed(gates):
        _append_site(circuit, site, isometry, wires)
    return circuit


def _append_site(circuit: Circuit, site: int, isometry: ComplexArray, wires: int) -> None:
    """The unitary that takes the bond on its qubits to the qubit at `site` and the next bond."""
    last = site + wires >= circuit.num_qubits
    places = range(site, circuit.num_qubits if last else site + wires + 1)
    size = 2 ** len(places)
    rank = len(isometry)
    columns = np.zeros((size, rank), dtype=complex)
    if last:  # the columns of the isometry number the qubits that are left, the first one slowest
        order = np.arange(size).reshape([2] * len(places)).transpose().ravel()
        columns[order] = isometry.transpose()
    else:
        bond = isometry.shape[1] // 2
        block = np.zeros((rank, 2, 2**wires), dtype=complex)
        block[:, :, :bond] = isometry.reshape(rank, 2, bond)
        columns[:] = block.transpose(2, 1, 0).reshape(size, rank)
    circuit.unitary(_completed(columns), places)


def _completed(columns: ComplexArray) -> ComplexArray:
    """A unitary whose first columns are the given orthonormal ones."""
    full, triangle = np.linalg.qr(columns, mode="complete")
    phases = np.diagonal(triangle)[: columns.shape[1]]
    full[:, : columns.shape[1]] *= phases / np.abs(phases)
    unitary: ComplexArray = full
    return unitary
