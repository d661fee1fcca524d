"""The oracle of the tests: dense linear algebra, slow and obvious, straight from the definitions.

Nothing here shares code with a backend. Matrices act on column vectors; qubit 0 is the least significant bit
of an index; the first qubit listed for a matrix is the least significant bit of that matrix's index.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from qsim.program.tape import Pattern, Tape

I2 = np.eye(2, dtype=complex)
X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]], dtype=complex)
Z = np.array([[1, 0], [0, -1]], dtype=complex)
PAULIS = {"I": I2, "X": X, "Y": Y, "Z": Z}


def bit(index: int, position: int) -> int:
    return (index >> position) & 1


def embed(
    matrix: np.ndarray,
    qubits: Sequence[int],
    controls: Sequence[int] = (),
    control_values: Sequence[int] | None = None,
    num_qubits: int = 0,
) -> np.ndarray:
    """The 2**n x 2**n matrix of `matrix` on `qubits` where the controls have their values, else identity."""
    values = [1] * len(controls) if control_values is None else list(control_values)
    size = 2**num_qubits
    full = np.zeros((size, size), dtype=complex)
    for column in range(size):
        if any(bit(column, c) != v for c, v in zip(controls, values, strict=True)):
            full[column, column] = 1
            continue
        small_column = sum(bit(column, q) << i for i, q in enumerate(qubits))
        rest = column
        for q in qubits:
            rest &= ~(1 << q)
        for small_row in range(2 ** len(qubits)):
            row = rest | sum(bit(small_row, i) << q for i, q in enumerate(qubits))
            full[row, column] = matrix[small_row, small_column]
    return full


def apply_matrix(
    state: np.ndarray,
    matrix: np.ndarray,
    qubits: Sequence[int],
    controls: Sequence[int] = (),
    control_values: Sequence[int] | None = None,
) -> np.ndarray:
    """The same for states too big for `embed`: the state as a tensor with one axis a qubit."""
    n = int(np.log2(len(state)))
    values = [1] * len(controls) if control_values is None else list(control_values)
    tensor = np.array(state, dtype=complex).reshape((2,) * n)  # axis n - 1 - q is qubit q
    where = [slice(None)] * n
    for c, v in zip(controls, values, strict=True):
        where[n - 1 - c] = slice(v, v + 1)
    part = tensor[tuple(where)]
    k = len(qubits)
    axes = [n - 1 - q for q in reversed(qubits)]
    gate = np.asarray(matrix, dtype=complex).reshape((2,) * (2 * k))
    moved = np.tensordot(gate, part, axes=(range(k, 2 * k), axes))
    tensor[tuple(where)] = np.moveaxis(moved, range(k), axes)
    return tensor.reshape(-1)


def pauli_matrix(label: str) -> np.ndarray:
    """Dense matrix of a label such as "XIZ"; its rightmost letter acts on qubit 0."""
    return reduce(np.kron, (PAULIS[letter] for letter in label), np.eye(1, dtype=complex))


def pauli_label(x_mask: int, z_mask: int, num_qubits: int) -> str:
    letters = {(0, 0): "I", (1, 0): "X", (0, 1): "Z", (1, 1): "Y"}
    return "".join(letters[bit(x_mask, q), bit(z_mask, q)] for q in reversed(range(num_qubits)))


def instruction_matrix(tape: Tape, record: np.void, angles_row: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Matrix of one instruction and the qubits it is for (without its controls)."""
    n = tape.num_qubits
    k = int(record["num_targets"])
    offset, data = int(record["targets"]), int(record["data"])
    qubits = [int(q) for q in tape.integers[offset : offset + k]]
    slot = int(record["slot"])
    angle = float(record["shift"])
    if slot >= 0:
        angle += float(record["scale"]) * float(angles_row[slot])
    pattern = Pattern(int(record["pattern"]))
    dim = 2**k

    if pattern is Pattern.PAULI_ROTATION:
        involved = [q for q in range(n) if bit(int(record["x_mask"]) | int(record["z_mask"]), q)]
        x = sum(bit(int(record["x_mask"]), q) << i for i, q in enumerate(involved))
        z = sum(bit(int(record["z_mask"]), q) << i for i, q in enumerate(involved))
        pauli = pauli_matrix(pauli_label(x, z, len(involved)))
        return np.cos(angle / 2) * np.eye(len(pauli)) - 1j * np.sin(angle / 2) * pauli, involved
    if pattern is Pattern.PERMUTATION:
        matrix = np.zeros((dim, dim), dtype=complex)
        for j in range(dim):
            matrix[j, tape.integers[offset + k + j]] = tape.constants[data + j]
        return matrix, qubits
    if pattern is Pattern.PREPARE:
        w = tape.constants[data + 1 : data + 1 + dim].reshape(-1, 1)
        return tape.constants[data] * (np.eye(dim) - 2 * w @ w.conj().T), qubits
    entries = dim if pattern is Pattern.DIAGONAL else dim * dim
    values = tape.constants[data : data + entries].copy()
    position = data + entries
    for _ in range(int(record["num_terms"])):
        omega = tape.constants[position].real
        values += np.cos(omega * angle) * tape.constants[position + 1 : position + 1 + entries]
        values += np.sin(omega * angle) * tape.constants[position + 1 + entries : position + 1 + 2 * entries]
        position += 1 + 2 * entries
    return (np.diag(values) if pattern is Pattern.DIAGONAL else values.reshape(dim, dim)), qubits


def apply_tape(tape: Tape, state: np.ndarray, angles_row: np.ndarray) -> np.ndarray:
    """The state after all instructions, in complex128."""
    n = tape.num_qubits
    state = np.array(state, dtype=complex)
    for record in tape.instructions:
        matrix, qubits = instruction_matrix(tape, record, angles_row)
        controls = [q for q in range(n) if bit(int(record["ctrl_mask"]), q)]
        values = [bit(int(record["ctrl_value"]), q) for q in controls]
        if n <= 5:  # the plainest way; the tensor one is tested against it
            state = embed(matrix, qubits, controls, values, n) @ state
        else:
            state = apply_matrix(state, matrix, qubits, controls, values)
    return state


def pauli_expectation(state: np.ndarray, x_mask: int, z_mask: int) -> float:
    """<state| P |state> with the dense matrix of P."""
    n = int(np.log2(len(state)))
    return float(np.vdot(state, pauli_matrix(pauli_label(x_mask, z_mask, n)) @ state).real)


def expectation(state: np.ndarray, matrix: np.ndarray) -> complex:
    return complex(np.vdot(state, matrix @ state))


def probabilities(state: np.ndarray, qubits: Sequence[int] | None = None) -> np.ndarray:
    """Probabilities of the outcomes of `qubits` (all of them by default), the first as the lowest bit."""
    weights = np.abs(np.asarray(state, dtype=complex)) ** 2
    if qubits is None:
        return weights
    out = np.zeros(2 ** len(qubits))
    for index, weight in enumerate(weights):
        out[sum(bit(index, q) << i for i, q in enumerate(qubits))] += weight
    return out


def reduced_density_matrix(state: np.ndarray, qubits: Sequence[int]) -> np.ndarray:
    """Trace out all other qubits; the first of `qubits` is the lowest bit of the matrix index."""
    n = int(np.log2(len(state)))
    others = [q for q in range(n) if q not in qubits]
    out = np.zeros((2 ** len(qubits), 2 ** len(qubits)), dtype=complex)
    for rest in range(2 ** len(others)):
        base = sum(bit(rest, i) << q for i, q in enumerate(others))
        part = [
            state[base | sum(bit(j, i) << q for i, q in enumerate(qubits))] for j in range(2 ** len(qubits))
        ]
        out += np.outer(part, np.conj(part))
    return out


def sample_index(state: np.ndarray, uniform: float) -> int:
    """The first index whose cumulative probability exceeds `uniform` times the squared norm."""
    cumulative = np.cumsum(probabilities(state))
    return int(np.argmax(cumulative > uniform * cumulative[-1]))


def collapse(state: np.ndarray, mask: int, value: int, scale: float) -> np.ndarray:
    return np.array(
        [a * scale if index & mask == value else 0 for index, a in enumerate(state)], dtype=complex
    )
