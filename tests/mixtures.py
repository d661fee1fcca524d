"""Random circuits made of parts that compilers and planners like or dislike, by number; for hypothesis."""

from __future__ import annotations

import itertools

import numpy as np
from random_tapes import random_phases, random_unitary

from qsim.circuit import Circuit
from qsim.gates import get_gate
from qsim.parameters import ParameterVector
from qsim.program.flow import compile_flow
from qsim.program.slots import SlotAllocator
from qsim.program.tape import Tape
from qsim.testing import random_circuit, random_state

__all__ = ["INGREDIENTS", "bound_angles", "mixture", "random_order"]

ONE_QUBIT = ["rx", "ry", "rz", "p", "h", "sx", "sxdg", "sy", "t", "x", "y", "r", "u", "gpi"]
TWO_QUBITS = ["cz", "cx", "cp", "rzz", "swap", "iswap", "fswap", "crx"]


def random_order(num_qubits: int, rng: np.random.Generator) -> list[int]:
    return [int(q) for q in rng.permutation(num_qubits)]


def extend(circuit: Circuit, other: Circuit) -> None:
    for operation in other.operations:
        circuit.append_operation(operation)


def add_table(circuit, rng, x):
    n = circuit.num_qubits
    count = int(rng.integers(1, 9))
    extend(circuit, random_circuit(n, count, seed=rng, max_controls=int(rng.integers(3)), parameters=len(x)))


def add_layer(circuit, rng, x):
    """One-qubit gates of the bound parameters on all qubits, then gates that entangle them."""
    n = circuit.num_qubits
    for q in random_order(n, rng):
        name = str(rng.choice(ONE_QUBIT))
        angles = [x[int(rng.integers(len(x)))] for _ in range(get_gate(name).num_params)]
        circuit.append(name, angles, [q])
    order = random_order(n, rng)
    for a, b in itertools.pairwise(order[: int(rng.integers(2, n))]):
        name = str(rng.choice(TWO_QUBITS))
        angles = [x[int(rng.integers(len(x)))] for _ in range(get_gate(name).num_params)]
        circuit.append(name, angles, [a, b])


def add_user_gate(circuit, rng, x):
    order = random_order(circuit.num_qubits, rng)
    k = int(rng.integers(1, 5))
    circuit.unitary(random_unitary(1 << k, rng), order[:k], controls=order[k : k + int(rng.integers(3))])


def add_diagonal(circuit, rng, x):
    order = random_order(circuit.num_qubits, rng)
    k = int(rng.integers(1, circuit.num_qubits))
    controls = order[k : k + int(rng.integers(2))]
    values = [0] * len(controls)
    circuit.diagonal(random_phases(1 << k, rng), order[:k], controls=controls, control_values=values)


def add_permutation(circuit, rng, x):
    order = random_order(circuit.num_qubits, rng)
    k = int(rng.integers(1, circuit.num_qubits + 1))
    circuit.permutation(rng.permutation(1 << k), order[:k])


def add_pauli_rotation(circuit, rng, x):
    order = random_order(circuit.num_qubits, rng)
    k = int(rng.integers(1, circuit.num_qubits + 1))
    label = "".join(rng.choice(list("IXYZ"), size=k))
    circuit.pauli_rotation(x[int(rng.integers(len(x)))], label, order[:k], controls=order[k : k + 1])


def add_preparation(circuit, rng, x):
    order = random_order(circuit.num_qubits, rng)
    k = int(rng.integers(1, circuit.num_qubits + 1))
    circuit.prepare(random_state(k, rng), order[:k])


def add_many_controls(circuit, rng, x):
    order = random_order(circuit.num_qubits, rng)
    controls = order[1 : int(rng.integers(2, len(order) + 1))]
    values = rng.integers(0, 2, size=len(controls)).tolist()
    name = str(rng.choice(["x", "ry", "p", "z", "h", "gphase"]))
    spec = get_gate(name)
    angles = [x[int(rng.integers(len(x)))] for _ in range(spec.num_params)]
    circuit.append(name, angles, order[: spec.num_qubits], controls=controls, control_values=values)


def add_global_phase(circuit, rng, x):
    circuit.gphase(float(rng.normal()))
    circuit.gphase(x[0])


def add_swaps(circuit, rng, x):
    order = random_order(circuit.num_qubits, rng)
    for a, b in itertools.pairwise(order):
        circuit.append(str(rng.choice(["swap", "swap", "iswap", "fswap"])), [], [a, b])
    circuit.permutation([0, 2, 1, 3], order[:2]).cswap(*order[:3])


def add_inverse_pair(circuit, rng, x):
    part = random_circuit(circuit.num_qubits, int(rng.integers(1, 4)), seed=rng)
    extend(circuit, part)
    extend(circuit, part.inverse())


def add_conjugations(circuit, rng, x):
    """Rotations between a gate and its inverse: with a small angle the matrix is diagonal up to rounding."""
    for q in range(circuit.num_qubits):
        gate = random_unitary(2, rng)
        circuit.unitary(gate, q).rz(x[int(rng.integers(len(x)))], q).unitary(gate.conj().T, q)
        circuit.sx(q).p(x[int(rng.integers(len(x)))], q).sxdg(q)


def add_phases(circuit, rng, x):
    """Couplings of many pairs, near and far, between rotations of some qubits."""
    n = circuit.num_qubits
    for a, b in itertools.combinations(random_order(n, rng), 2):
        if rng.random() < 0.5:
            circuit.cp(x[int(rng.integers(len(x)))], a, b)
        elif rng.random() < 0.3:
            circuit.rzz(float(rng.normal()), a, b).rz(x[0], a).ry(0.3, int(rng.integers(n)))


def add_fourier_transform(circuit, rng, x):
    """A rotation, phases that couple its qubit to the next ones, the next rotation, and so on."""
    order = random_order(circuit.num_qubits, rng) if rng.random() < 0.5 else list(range(circuit.num_qubits))
    for k, q in enumerate(order):
        circuit.append(str(rng.choice(["h", "sx", "sy"])), [], [q])
        for distance, other in enumerate(order[k + 1 : k + int(rng.integers(2, 6))], 1):
            circuit.cp(x[int(rng.integers(len(x)))] / 2**distance, other, q)


def add_exchanges(circuit, rng, x):
    """X, CX and SWAP in a row, between few rotations."""
    for _ in range(int(rng.integers(3, 20))):
        a, b, c = random_order(circuit.num_qubits, rng)[:3]
        kind = int(rng.integers(6))
        if kind == 0:
            circuit.x(a)
        elif kind == 1:
            circuit.swap(a, b)
        elif kind == 2:
            circuit.x(a, controls=[b, c], control_values=rng.integers(0, 2, size=2).tolist())
        elif kind == 3 and rng.random() < 0.3:
            circuit.ry(x[0], a)
        else:
            circuit.x(a, controls=[b], control_values=[int(rng.integers(2))])


#: each adds some gates to a circuit: (circuit, rng, parameters)
INGREDIENTS = [
    add_fourier_transform,
    add_exchanges,
    add_conjugations,
    add_phases,
    add_table,
    add_table,
    add_layer,
    add_layer,
    add_layer,
    add_user_gate,
    add_diagonal,
    add_permutation,
    add_pauli_rotation,
    add_preparation,
    add_many_controls,
    add_global_phase,
    add_swaps,
    add_inverse_pair,
]


def mixture(num_qubits: int, parts: list[int], rng: np.random.Generator, num_parameters: int = 4) -> Circuit:
    """Some of INGREDIENTS one after the other; the parameters are a vector ``x``."""
    circuit = Circuit(num_qubits)
    x = ParameterVector("x", num_parameters)
    for part in parts:
        INGREDIENTS[part](circuit, rng, x)
    return circuit


def bound_angles(circuit: Circuit, values) -> tuple[Tape, np.ndarray]:
    """The tape, and its columns of angles for these parameters."""
    allocator = SlotAllocator(circuit.parameters)
    code = compile_flow(circuit, allocator)
    by_name = dict(zip(ParameterVector("x", len(values)), values, strict=True))
    row = np.array([[by_name[p] for p in circuit.parameters]], dtype=float)
    return code.tapes[0], allocator.slot_map().angles(row)
