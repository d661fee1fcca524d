"""A slow and obvious simulator in NumPy: expected values for the circuits' headers come from here.

It shares no code with qsim. Gates are matrices whose first qubit is the least significant bit, states
have qubit 0 as the least significant bit of the index, as everywhere in this project.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

State = npt.NDArray[np.complex128]
#: (name, parameters, qubits)
GateCall = tuple[str, tuple[float, ...], tuple[int, ...]]

PAULIS = {
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0 + 0j, -1.0]),
}


def gate_matrix(name: str, params: Sequence[float]) -> npt.NDArray[np.complex128]:
    """Matrix of the gates the generated circuits use."""
    x, y, z = (PAULIS[letter] for letter in "XYZ")
    if name in ("x", "y", "z"):
        return PAULIS[name.upper()]
    if name == "h":
        return (x + z) / np.sqrt(2)
    if name == "s":
        return np.diag([1, 1j])
    if name == "sdg":
        return np.diag([1, -1j])
    if name == "u1":
        return np.diag([1, np.exp(1j * params[0])])
    if name in ("rx", "ry", "rz"):
        return rotation(PAULIS[name[1].upper()], params[0])
    if name in ("sqrt_x", "sqrt_y", "sqrt_w"):  # up to a phase, as the files define them
        return rotation({"x": x, "y": y, "w": (x + y) / np.sqrt(2)}[name[-1]], np.pi / 2)
    if name == "cx":
        return np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]], dtype=complex)
    if name == "cz":
        return np.diag([1, 1, 1, -1]).astype(complex)
    if name == "rzz":
        return rotation(np.kron(z, z), params[0])
    raise KeyError(f"The oracle does not know the gate {name!r}.")


def rotation(pauli: npt.NDArray[np.complex128], theta: float) -> npt.NDArray[np.complex128]:
    """exp(-i theta P / 2) for an operator whose square is the identity."""
    return np.cos(theta / 2) * np.eye(len(pauli)) - 1j * np.sin(theta / 2) * pauli


def apply(state: State, matrix: npt.NDArray[np.complex128], qubits: Sequence[int]) -> State:
    """The state after a gate on some of its qubits."""
    num_qubits = len(state).bit_length() - 1
    k = len(qubits)
    axes = [num_qubits - 1 - q for q in reversed(qubits)]
    operator, tensor = matrix.reshape((2,) * (2 * k)), state.reshape((2,) * num_qubits)
    tensor = np.tensordot(operator, tensor, (range(k, 2 * k), axes))
    return np.moveaxis(tensor, range(k), axes).reshape(-1)


def run(num_qubits: int, gates: Sequence[GateCall]) -> State:
    """The state a list of gates prepares from |0...0>."""
    state = np.zeros(1 << num_qubits, dtype=complex)
    state[0] = 1
    for name, params, qubits in gates:
        state = apply(state, gate_matrix(name, params), qubits)
    return state


def expectation(state: State, terms: dict[str, float]) -> float:
    """Expectation value of a sum of Pauli strings such as ``{"Z0 Z1": 0.5, "": 1.0}``."""
    total = 0.0
    for label, coefficient in terms.items():
        image = state
        for factor in label.split():
            image = apply(image, PAULIS[factor[0]], [int(factor[1:])])
        total += coefficient * float(np.vdot(state, image).real)
    return total


def ground_energy(num_qubits: int, terms: dict[str, float]) -> float:
    """The lowest eigenvalue of a sum of Pauli strings, by exact diagonalisation."""
    matrix = np.zeros((1 << num_qubits,) * 2, dtype=complex)
    for label, coefficient in terms.items():
        factors = {int(factor[1:]): PAULIS[factor[0]] for factor in label.split()}
        product = np.eye(1, dtype=complex)
        for q in range(num_qubits):
            product = np.kron(factors.get(q, np.eye(2)), product)
        matrix += coefficient * product
    return float(np.linalg.eigvalsh(matrix)[0])


def light_cone(gates: Sequence[GateCall], qubit: int) -> list[GateCall]:
    """The gates that the reduced state of one qubit depends on, in order."""
    needed, kept = {qubit}, []
    for call in reversed(gates):
        if needed & set(call[2]):
            needed |= set(call[2])
            kept.append(call)
    return kept[::-1]


def expectation_z(gates: Sequence[GateCall], qubit: int) -> float:
    """<Z> of one qubit, computed on the qubits of its light cone alone."""
    cone = light_cone(gates, qubit)
    place = {q: k for k, q in enumerate(sorted({qubit, *(q for call in cone for q in call[2])}))}
    moved = [(name, params, tuple(place[q] for q in qubits)) for name, params, qubits in cone]
    return expectation(run(len(place), moved), {f"Z{place[qubit]}": 1.0})
