"""Every gate of the table on every ordered choice of 6 qubits, on every set of kernels.

A case is one gate in one place, run with one precision, one set of kernels and one number of threads. It
starts from random states, two rows with their own angles, and is compared with the gate's dense matrix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, permutations, product

import numpy as np
import pytest
from conftest import KERNELS, select_kernel

from qsim.circuit import Circuit
from qsim.gates import GateSpec, unique_specs
from qsim.parameters import ParameterVector
from qsim.program.lower import TapeBuilder
from qsim.program.slots import SlotAllocator
from qsim.program.tape import Tape

NUM_QUBITS = 6
ROWS = 2
DTYPES = (np.complex128, np.complex64)
THREADS = (1, 2)
REQUIRED_CASES = 50_000

#: (targets, controls, values of the controls)
Place = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def most_controls(spec: GateSpec) -> int:
    """Further controls to try: gates of three qubits and more have placements enough without."""
    return max(0, 3 - max(spec.num_qubits, 1))


def places(spec: GateSpec) -> list[Place]:
    """All ordered choices of the gate's qubits; gates of one or two qubits also behind further controls."""
    out: list[Place] = []
    for targets in permutations(range(NUM_QUBITS), spec.num_qubits):
        out.append((targets, (), ()))
        free = [q for q in range(NUM_QUBITS) if q not in targets]
        for extra in range(1, most_controls(spec) + 1):
            for controls in combinations(free, extra):
                out.extend((targets, controls, values) for values in product((0, 1), repeat=extra))
    return out


def num_places(spec: GateSpec) -> int:
    """How many places there are, by counting instead of listing."""
    k = spec.num_qubits
    extra = range(most_controls(spec) + 1)
    return math.perm(NUM_QUBITS, k) * sum(math.comb(NUM_QUBITS - k, c) * 2**c for c in extra)


def full_matrices(matrices: np.ndarray, place: Place) -> np.ndarray:
    """The matrices on all 6 qubits: entry by entry from the definition, for all rows at once."""
    targets, controls, values = place
    size = 1 << NUM_QUBITS
    index = np.arange(size)
    small = sum((index >> q & 1) << position for position, q in enumerate(targets)) if targets else 0 * index
    others = index & ~sum(1 << q for q in (*targets,))
    on = np.ones(size, dtype=bool)
    for control, value in zip(controls, values, strict=True):
        on &= (index >> control & 1) == value
    same_rest = others[:, None] == others[None, :]
    inside = matrices[:, small[:, None], small[None, :]]
    return np.where(on[None, None, :], np.where(same_rest, inside, 0), np.eye(size))


def lowered(spec: GateSpec, vector: Sequence, place: Place) -> Tape:
    targets, controls, values = place
    circuit = Circuit(NUM_QUBITS).append(
        spec, tuple(vector), targets, controls=controls, control_values=values
    )
    builder = TapeBuilder(NUM_QUBITS, SlotAllocator(tuple(vector)))
    builder.add(circuit.operations[0])
    return builder.finish(len(vector))


@pytest.mark.parametrize("spec", unique_specs(), ids=lambda spec: spec.name)
def test_gate_in_every_place(spec, restored_isa, record_property):
    rng = np.random.default_rng(sum(map(ord, spec.name)))
    vector = ParameterVector("t", spec.num_params)
    angles = rng.uniform(-2 * np.pi, 2 * np.pi, size=(ROWS, spec.num_params))
    matrices = np.array([spec.matrix(*row) for row in angles])
    # exact in both precisions, so that one reference serves both
    initial = rng.normal(size=(ROWS, 1 << NUM_QUBITS)) + 1j * rng.normal(size=(ROWS, 1 << NUM_QUBITS))
    initial = (initial / np.linalg.norm(initial, axis=1, keepdims=True)).astype(np.complex64)
    columns = initial.astype(complex)[:, :, None]
    cases = []
    for place in places(spec):
        expected = (full_matrices(matrices, place) @ columns)[:, :, 0]
        cases.append((place, lowered(spec, vector, place), expected))
    done = 0
    for name in KERNELS:
        backend = select_kernel(name)
        for place, tape, expected in cases:
            handle = backend.compile(tape)
            gates = max(1, len(tape.instructions))
            for dtype in DTYPES:
                limit = 1e-14 * gates if dtype is np.complex128 else 1e-6
                for threads in THREADS:
                    states = initial.astype(dtype)
                    backend.apply(handle, states, angles, threads)
                    error = float(np.linalg.norm(states - expected, axis=1).max())
                    assert error <= limit, (
                        f"{spec.name} on (targets, controls, values) = {place} with {name}, "
                        f"{np.dtype(dtype)}, {threads} threads: error {error:.2e}, allowed {limit:.0e}"
                    )
                    done += 1
    assert done == num_places(spec) * len(KERNELS) * len(DTYPES) * len(THREADS)
    record_property("differential cases", done)


def test_number_of_cases():
    total = sum(map(num_places, unique_specs())) * len(KERNELS) * len(DTYPES) * len(THREADS)
    print(f"{total} cases")
    assert total >= REQUIRED_CASES
