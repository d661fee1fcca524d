"""States around the size of a tile and above it: segments, whole-state instructions, threads.

Sizes go from below one SIMD vector to states of several tiles; targets are low (inside a vector or the
lowest bits that are always in a tile), middle and high.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import reference

from qsim.backends.base import Backend
from qsim.circuit import Circuit
from qsim.program.flow import compile_flow
from qsim.program.slots import SlotAllocator
from qsim.program.tape import TILE_ACTIVE_BITS, TILE_LOW_BITS, Tape
from qsim.testing import random_state, random_unitary

SIZES = (1, 2, 3, 5, 6, 7, 13, 14, 15, 16, 17)
BIG = TILE_LOW_BITS + TILE_ACTIVE_BITS + 3


def lowered(circuit: Circuit) -> Tape:
    code = compile_flow(circuit, SlotAllocator(()))
    assert code.is_static
    return code.tapes[0]


def run(kernel: Backend, circuit: Circuit, initial: np.ndarray, dtype, threads: int) -> np.ndarray:
    states = initial.astype(dtype)[None]
    kernel.apply(kernel.compile(lowered(circuit)), states, np.zeros((1, 0)), threads)
    return states[0]


def expected(circuit: Circuit, initial: np.ndarray) -> np.ndarray:
    """Gate after gate, each a small matrix on a tensor with one axis for each qubit."""
    state = initial.astype(complex)
    for operation in circuit.operations:
        matrix = operation.gate.matrix(*operation.params)
        state = reference.apply_matrix(
            state, matrix, operation.targets, operation.controls, operation.control_values
        )
    return state


def assert_close(actual: np.ndarray, wanted: np.ndarray, gates: int) -> None:
    limit = 1e-14 * gates if actual.dtype == np.complex128 else 3e-7 * max(4, gates)
    error = float(np.linalg.norm(actual - wanted))
    assert error <= limit, f"error {error:.2e}, allowed {limit:.0e}"


def spread(num_qubits: int) -> list[int]:
    """Low, middle and high qubits, without repetition."""
    wanted = [0, 1, 2, 3, TILE_LOW_BITS - 1, TILE_LOW_BITS, num_qubits // 2, num_qubits - 2, num_qubits - 1]
    return sorted({q for q in wanted if 0 <= q < num_qubits})


@functools.cache
def spread_case(num_qubits: int) -> tuple[Circuit, np.ndarray, np.ndarray]:
    """A circuit over low, middle and high qubits, a state exact in both precisions, and the result."""
    rng = np.random.default_rng(num_qubits)
    initial = random_state(num_qubits, rng).astype(np.complex64)
    places = spread(num_qubits)
    circuit = Circuit(num_qubits)
    for q in places:
        circuit.unitary(random_unitary(1, rng), q).h(q).ry(0.3, q).x(q).y(q).t(q).rz(1.1, q).sx(q)
    for a in places[:: 2 if num_qubits > 8 else 1]:
        for b in places:
            if a != b:
                circuit.cx(a, b).swap(a, b).cp(0.4, a, b).rxx(0.7, a, b).rzx(-0.2, a, b)
                circuit.ry(0.9, b, controls=a, control_values=[0]).unitary(random_unitary(2, rng), (b, a))
    return circuit, initial, expected(circuit, initial)


@pytest.mark.parametrize("num_qubits", SIZES)
def test_gates_on_low_middle_and_high_qubits(kernel, dtype, num_qubits):
    circuit, initial, wanted = spread_case(num_qubits)
    for threads in (1, 2, 3):
        assert_close(run(kernel, circuit, initial, dtype, threads), wanted, len(circuit))


@functools.cache
def dense_case(num_qubits: int, k: int) -> tuple[Circuit, np.ndarray, np.ndarray]:
    rng = np.random.default_rng([num_qubits, k])
    initial = random_state(num_qubits, rng).astype(np.complex64)
    circuit = Circuit(num_qubits)
    circuit.unitary(random_unitary(k, rng), range(k))
    circuit.unitary(random_unitary(k, rng), range(num_qubits - k, num_qubits))
    order = rng.permutation(num_qubits).tolist()
    circuit.unitary(random_unitary(k, rng), order[:k], controls=order[k : k + 2])
    return circuit, initial, expected(circuit, initial)


@pytest.mark.parametrize(
    "num_qubits, k", [(n, k) for n in SIZES if n in (5, 6, 7, 14, 16) for k in range(3, 7) if k <= n]
)
def test_dense_blocks(kernel, dtype, num_qubits, k):
    circuit, initial, wanted = dense_case(num_qubits, k)
    assert_close(run(kernel, circuit, initial, dtype, 2), wanted, 2 * len(circuit))


@functools.cache
def segments_case() -> tuple[Circuit, np.ndarray, np.ndarray]:
    """Layers whose active qubits do not fit one tile, so that the plan has to cut."""
    rng = np.random.default_rng(3)
    circuit = Circuit(BIG)
    for layer in range(3):
        for q in rng.permutation(BIG).tolist():
            circuit.unitary(random_unitary(1, rng), q)
        for q in range(layer % 2, BIG - 1, 2):
            circuit.cx(q, q + 1)
            circuit.rzz(0.1 * q, q, (q + 5) % BIG)
        circuit.cx(BIG - 1, 0).swap(0, BIG - 1).ccx(1, BIG - 2, 7).cswap(BIG - 1, 2, 9)
    initial = random_state(BIG, rng).astype(np.complex64)
    return circuit, initial, expected(circuit, initial)


def test_many_segments(kernel, dtype):
    circuit, initial, wanted = segments_case()
    assert len(lowered(circuit).segments) >= 5
    for threads in (1, 2, 3):
        assert_close(run(kernel, circuit, initial, dtype, threads), wanted, len(circuit))


def pauli_on_state(state: np.ndarray, label: str) -> np.ndarray:
    """P|b> = i^(number of Y) (-1)^popcount(b & z) |b ^ x>, on all amplitudes at once."""
    letters = label[::-1]
    x = sum(1 << q for q, letter in enumerate(letters) if letter in "XY")
    z = sum(1 << q for q, letter in enumerate(letters) if letter in "YZ")
    index = np.arange(len(state))
    phases = 1j ** (letters.count("Y") % 4) * (1 - 2 * (np.bitwise_count(index & z) & 1).astype(int))
    out = np.empty(len(state), dtype=complex)
    out[index ^ x] = phases * state
    return out


@pytest.mark.parametrize(
    "label",
    [
        "X" * BIG,
        "Y" * BIG,
        "Z" * BIG,
        ("XYZ" * BIG)[:BIG],
        ("IX" * BIG)[:BIG],
        "X" * (BIG - 6) + "I" * 6,
        "Y" * (BIG - 7) + "IZZIZX" + "Y",
        "X" + "I" * (BIG - 2) + "X",
        "Z" + "I" * (BIG - 2) + "X",
    ],
)
def test_wide_pauli_rotations(kernel, dtype, label):
    rng = np.random.default_rng(7)
    initial = random_state(BIG, rng).astype(np.complex64)
    free = [q for q in range(BIG) if label[::-1][q] == "I"]
    for controls in ([], free[:1], free[:2]):
        values = [0, 1][: len(controls)]
        qubits = [q for q in range(BIG) if q not in controls]
        inside = "".join(label[::-1][q] for q in qubits)[::-1]
        circuit = Circuit(BIG).pauli_rotation(0.9, inside, qubits, controls=controls, control_values=values)
        index = np.arange(1 << BIG)
        on = np.ones(1 << BIG, dtype=bool)
        for q, v in zip(controls, values, strict=True):
            on &= (index >> q & 1) == v
        rotated = np.cos(0.45) * initial - 1j * np.sin(0.45) * pauli_on_state(initial.astype(complex), label)
        wanted = np.where(on, rotated, initial)
        for threads in (1, 2):
            assert_close(run(kernel, circuit, initial, dtype, threads), wanted, 1)


def test_whole_state_instructions(kernel, dtype):
    """Between gates that fit a tile: nine-qubit matrices, diagonals and permutations over all qubits."""
    rng = np.random.default_rng(11)
    size = 1 << BIG
    initial = random_state(BIG, rng).astype(np.complex64)
    block = random_unitary(9, rng)
    high = [*range(BIG - 1, BIG - 9, -1), 0]
    phases = np.exp(2j * np.pi * rng.random(size))
    shuffled = rng.permutation(size)
    cycle = rng.permutation(1 << 9)
    circuit = Circuit(BIG).h(0).h(BIG - 1)
    circuit.unitary(block, high)
    circuit.diagonal(phases, range(BIG))
    circuit.permutation(shuffled, range(BIG))
    circuit.rx(0.3, 8)
    circuit.permutation(cycle, list(reversed(high)), controls=[2, 3], control_values=[1, 0])
    amplitudes = random_state(BIG, rng)
    circuit.prepare(amplitudes)
    circuit.ry(0.2, BIG - 1)
    h, angles = reference.X / np.sqrt(2) + reference.Z / np.sqrt(2), (0.3, 0.2)
    state = reference.apply_matrix(initial.astype(complex), h, [0])
    state = reference.apply_matrix(state, h, [BIG - 1])
    state = reference.apply_matrix(state, block, high)
    state = phases * state
    moved = np.empty_like(state)
    moved[shuffled] = state
    c, s = np.cos(angles[0] / 2), np.sin(angles[0] / 2)
    state = reference.apply_matrix(moved, np.array([[c, -1j * s], [-1j * s, c]]), [8])
    matrix = np.zeros((1 << 9, 1 << 9))
    matrix[cycle, np.arange(1 << 9)] = 1
    state = reference.apply_matrix(state, matrix, list(reversed(high)), [2, 3], [1, 0])
    phase, w = circuit.operations[-2].gate.reflection
    state = phase * (state - 2 * w * np.vdot(w, state))
    c, s = np.cos(angles[1] / 2), np.sin(angles[1] / 2)
    state = reference.apply_matrix(state, np.array([[c, -s], [s, c]]), [BIG - 1])
    for threads in (1, 2, 3):
        assert_close(run(kernel, circuit, initial, dtype, threads), state, 3 * len(circuit))


@pytest.mark.parametrize("num_qubits", SIZES)
def test_prepare_on_all_qubits(kernel, dtype, num_qubits):
    amplitudes = random_state(num_qubits, num_qubits)
    state = np.zeros(1 << num_qubits, dtype=dtype)
    state[0] = 1
    order = np.random.default_rng(num_qubits).permutation(num_qubits)
    circuit = Circuit(num_qubits).prepare(amplitudes, order.tolist())
    index = np.arange(1 << num_qubits)
    moved = sum((index >> k & 1) << int(q) for k, q in enumerate(order))
    wanted = np.empty(1 << num_qubits, dtype=complex)
    wanted[moved] = amplitudes
    assert_close(run(kernel, circuit, state, dtype, 2), wanted, 1)


def test_batches_of_every_length(kernel, dtype):
    """Rows that do and do not fill a vector or a chunk, with angles of their own."""
    from qsim.parameters import ParameterVector

    vector = ParameterVector("x", 4)
    circuit = Circuit(4).rx(vector[0], 0).ry(vector[1], 1).cx(0, 2).rzz(vector[2], 1, 3).crx(vector[3], 3, 0)
    code = compile_flow(circuit, SlotAllocator(circuit.parameters))
    rng = np.random.default_rng(2)
    handle = kernel.compile(code.tapes[0])
    for rows in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100):
        angles = rng.uniform(-3, 3, size=(rows, 4))
        initial = np.array([random_state(4, rng) for _ in range(rows)]).astype(np.complex64)
        wanted = [expected(circuit.bind(a.tolist()), state) for a, state in zip(angles, initial, strict=True)]
        for threads in (1, 2, 3):
            states = initial.astype(dtype)
            kernel.apply(handle, states, angles, threads)
            for actual, row in zip(states, wanted, strict=True):
                assert_close(actual, row, len(circuit))


@pytest.mark.parametrize("num_qubits", [4, 6])
@pytest.mark.parametrize(
    "name, params, controls, targets",
    [
        ("ry", (0.3,), [0], [1]),
        ("x", (), [0], [1]),
        ("y", (), [0], [2]),
        ("rz", (0.2,), [0], [1]),
        ("rxx", (0.3,), [0], [1, 2]),
        ("swap", (), [0, 1], [2, 3]),
    ],
)
def test_not_a_number_stays_where_the_controls_match(
    kernel, dtype, num_qubits, name, params, controls, targets
):
    circuit = Circuit(num_qubits).append(name, params, targets, controls=controls)
    initial = np.full(1 << num_qubits, 0.125, complex)
    initial[5], initial[11] = np.nan, np.inf
    result = run(kernel, circuit, initial, dtype, 1)
    off = (np.arange(len(initial)) & 1) == 0
    np.testing.assert_array_equal(result[off], initial.astype(dtype)[off])
