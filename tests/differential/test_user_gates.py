"""Gates with data of their own on random qubits, behind controls with values 0 and 1, on every kernel."""

from __future__ import annotations

import copy
import pickle
from itertools import product

import numpy as np
import pytest
import reference
from conftest import KERNELS, select_kernel

from qsim.circuit import Circuit
from qsim.classical import Bit, Bits
from qsim.errors import CircuitError
from qsim.gates import Gate
from qsim.observables import PauliSum
from qsim.operations import ForLoop, GateOperation, IfElse, Switch, WhileLoop
from qsim.program.lower import TapeBuilder
from qsim.program.slots import SlotAllocator
from qsim.testing import random_state, random_unitary
from qsim.user_gates import (
    CircuitGate,
    ControlledGate,
    DiagonalGate,
    GeneratorGate,
    GeneratorSumGate,
    PauliEvolutionGate,
    PauliRotationGate,
    PermutationGate,
    PhaseOnStatesGate,
    PrepareGate,
    UnitaryGate,
)

NUM_QUBITS = 7


def hermitian(num_qubits: int, rng: np.random.Generator) -> np.ndarray:
    m = rng.normal(size=(2, 1 << num_qubits, 1 << num_qubits))
    return (m[0] + 1j * m[1]) + (m[0] + 1j * m[1]).conj().T


def exp_i(h: np.ndarray, angle: float) -> np.ndarray:
    """exp(-i angle H) from the eigenvalues of H."""
    levels, vectors = np.linalg.eigh(h)
    return (vectors * np.exp(-1j * angle * levels)) @ vectors.conj().T


def unitary(k, rng):
    m = random_unitary(k, rng)
    return UnitaryGate(m), (), m


def real_unitary(k, rng):
    m = np.linalg.qr(rng.normal(size=(1 << k, 1 << k)))[0]
    return UnitaryGate(m), (), m


def sparse_unitary(k, rng):
    """A permutation with phases, given as a matrix: another pattern than `unitary`."""
    m = np.zeros((1 << k, 1 << k), dtype=complex)
    m[np.arange(1 << k), rng.permutation(1 << k)] = np.exp(2j * np.pi * rng.random(1 << k))
    return UnitaryGate(m), (), m


def controlled_unitary(k, rng):
    m = random_unitary(k, rng)
    full = np.eye(4 << k, dtype=complex)
    full[2::4, 2::4] = m  # first control 0, second control 1
    return ControlledGate(UnitaryGate(m), (0, 1)), (), full


def diagonal(k, rng):
    d = np.exp(2j * np.pi * rng.random(1 << k))
    return DiagonalGate(d), (), np.diag(d)


def permutation(k, rng):
    p = rng.permutation(1 << k)
    m = np.zeros((1 << k, 1 << k))
    m[p, np.arange(1 << k)] = 1
    return PermutationGate(p), (), m


def xor_permutation(k, rng):
    p = np.arange(1 << k) ^ int(rng.integers(1 << k))
    m = np.zeros((1 << k, 1 << k))
    m[p, np.arange(1 << k)] = 1
    return PermutationGate(p), (), m


def phase_on_states(k, rng):
    dimension, angle = int(rng.integers((1 << k) + 1)), float(rng.uniform(-3, 3))
    signs = np.where(np.arange(1 << k) < dimension, 1, -1)
    return PhaseOnStatesGate(dimension, k), (angle,), np.diag(np.exp(1j * angle * signs))


def generator(k, rng):
    h, angle = hermitian(k, rng), float(rng.uniform(-2, 2))
    return GeneratorGate(h), (angle,), exp_i(h, angle)


def degenerate_generator(k, rng):
    """Eigenvalues -1, 0 and 1, each many times."""
    u, angle = random_unitary(k, rng), float(rng.uniform(-2, 2))
    h = (u * rng.integers(-1, 2, size=1 << k)) @ u.conj().T
    return GeneratorGate((h + h.conj().T) / 2), (angle,), exp_i((h + h.conj().T) / 2, angle)


def generator_sum(k, rng):
    parts, angles = [hermitian(min(k, 4), rng) for _ in range(2)], rng.normal(size=2)
    return GeneratorSumGate(parts), tuple(angles.tolist()), exp_i(np.tensordot(angles, parts, 1), 1.0)


def prepare(k, rng):
    """Householder: its action on all basis states is compared, not only on |0...0>."""
    gate = PrepareGate(random_state(k, rng))
    phase, w = gate.reflection
    m = phase * (np.eye(1 << k) - 2 * np.outer(w, w.conj()))
    np.testing.assert_allclose(m[:, 0], gate.amplitudes, atol=1e-15)
    return gate, (), m


def evolution(k, rng):
    chosen = rng.choice(4**k, size=3, replace=False)  # equal strings would be added up first
    letters = ["".join("IXYZ"[c >> 2 * q & 3] for q in range(k)) for c in chosen.tolist()]
    h = PauliSum([(label, float(rng.normal())) for label in letters])
    angle = float(rng.uniform(-1, 1))
    gate = PauliEvolutionGate(h, k, order=1, steps=2)
    step = np.eye(1 << k, dtype=complex)
    for label, coefficient in zip(letters, h.coefficients.real, strict=True):
        step = exp_i(reference.pauli_matrix(label), coefficient * angle / 2) @ step
    return gate, (angle,), step @ step


MAKERS = [
    unitary,
    real_unitary,
    sparse_unitary,
    controlled_unitary,
    diagonal,
    permutation,
    xor_permutation,
    phase_on_states,
    generator,
    degenerate_generator,
    generator_sum,
    prepare,
    evolution,
]


def check(
    gate: Gate,
    params: tuple,
    matrix: np.ndarray,
    rng: np.random.Generator,
    rounds: int,
    largest_controls: int = 3,
) -> int:
    """Random placements of one gate; returns the number of cases."""
    initial = random_state(NUM_QUBITS, rng).astype(np.complex64)
    cases = []
    for _ in range(rounds):
        order = [int(q) for q in rng.permutation(NUM_QUBITS)]
        targets, free = order[: gate.num_qubits], order[gate.num_qubits :]
        count = int(rng.integers(0, min(largest_controls, len(free)) + 1))
        values = [int(v) for v in rng.integers(0, 2, size=count)]
        circuit = Circuit(NUM_QUBITS).append(
            gate, params, targets, controls=free[:count], control_values=values
        )
        builder = TapeBuilder(NUM_QUBITS, SlotAllocator(()))
        builder.add(circuit.operations[0])
        full = reference.embed(matrix, targets, free[:count], values, NUM_QUBITS)
        cases.append((repr(circuit.operations[0]), builder.finish(0), full @ initial.astype(complex)))
    done = 0
    angles = np.zeros((1, 0))
    for name in KERNELS:
        backend = select_kernel(name)
        for what, tape, expected in cases:
            handle = backend.compile(tape)
            gates = max(1, len(tape.instructions))
            for dtype, threads in product((np.complex128, np.complex64), (1, 2)):
                states = initial.astype(dtype)[None]
                backend.apply(handle, states, angles, threads)
                error = float(np.linalg.norm(states[0] - expected))
                # 1e-14 for the gate, and for each matrix product the reference itself is made of
                limit = 1e-14 * (gates + 1) if dtype is np.complex128 else 1e-6
                assert error <= limit, (
                    f"{what} with {name}, {np.dtype(dtype)}, {threads} threads: {error:.2e}"
                )
                done += 1
    return done


@pytest.mark.parametrize("k", range(1, 7))
@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_gate_with_data(maker, k, restored_isa, record_property):
    if maker is controlled_unitary and k > NUM_QUBITS - 2:
        k = NUM_QUBITS - 2
    rng = np.random.default_rng([MAKERS.index(maker), k])
    done = 0
    for _ in range(3):
        done += check(*maker(k, rng), rng, rounds=8)
    record_property("differential cases", done)


@pytest.mark.parametrize("controls", [0, 1, 2])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_pauli_rotations_of_every_mask(k, controls, restored_isa, record_property):
    rng = np.random.default_rng([k, controls])
    done = 0
    for letters in product("IXYZ", repeat=k):
        label, angle = "".join(letters), float(rng.uniform(-3, 3))
        pauli = reference.pauli_matrix(label)
        matrix = np.cos(angle / 2) * np.eye(1 << k) - 1j * np.sin(angle / 2) * pauli
        done += check(
            PauliRotationGate(label),
            (angle,),
            matrix,
            rng,
            rounds=2 if k < 3 else 1,
            largest_controls=controls,
        )
    record_property("differential cases", done)


def test_prepare_every_kind_of_state():
    """Phases and zeros of the first amplitude are where a Householder vector can lose its digits."""
    rng = np.random.default_rng(5)
    states = [np.eye(8)[k] * phase for k in range(8) for phase in (1, -1, 1j, np.exp(0.3j))]
    almost = np.array([1, 1e-9, 0, 0, 1e-12, 0, 0, 1e-15], dtype=complex)
    states += [almost / np.linalg.norm(almost), -1j * almost / np.linalg.norm(almost), np.full(8, 8**-0.5)]
    for amplitudes in [*states, *(random_state(3, rng) for _ in range(20))]:
        gate = PrepareGate(amplitudes)
        np.testing.assert_allclose(gate.matrix()[:, 0], amplitudes, rtol=0, atol=1e-15)
        np.testing.assert_allclose(gate.matrix() @ gate.matrix().conj().T, np.eye(8), atol=1e-14)


def test_data_of_gates_is_a_copy_that_cannot_change():
    matrix, entries, order = np.eye(2, dtype=complex), np.ones(2, dtype=complex), np.arange(2)
    amplitudes = np.array([1.0, 0.0], dtype=complex)
    circuit = Circuit(1).unitary(matrix, 0).diagonal(entries, 0).permutation(order, 0)
    circuit.generator(matrix, 0.3, 0).prepare(amplitudes, 0).kraus([matrix], 0)
    before = circuit.to_json()
    matrix[0, 0] = entries[0] = amplitudes[0] = -1
    order[:] = [1, 0]
    assert circuit.to_json() == before
    unitary, diagonal, permutation, generator, prepare, kraus = circuit.operations
    arrays = [unitary.gate.const, diagonal.gate.entries, permutation.gate.permutation]
    arrays += [generator.gate.generator, generator.gate.const, *generator.gate.terms[0][1:]]
    arrays += [prepare.gate.amplitudes, *kraus.matrices]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_circuits_inside_of_others_are_copies_that_cannot_change():
    body = Circuit(1, 1).x(0)
    operations = [
        IfElse(Bit(0), body, body),
        WhileLoop(Bit(0), body),
        ForLoop(None, range(2), body),
        Switch(Bits((0,)), [((0,), body)], body),
        GateOperation(CircuitGate(body), (), (0,)),
    ]
    circuit = Circuit(1, 1)
    for operation in operations:
        circuit.append_operation(operation)
    before = circuit.to_json()
    body.x(0)
    assert circuit.to_json() == before
    inside = [inner for operation in circuit.operations for inner in operation.bodies]
    inside.append(circuit.operations[-1].gate.circuit)
    assert len(inside) == 7
    for inner in inside:
        for change in (lambda c: c.x(0), lambda c: c.measure(0, 0), lambda c: c.append("x", (), 0)):
            with pytest.raises(CircuitError, match="cannot change"):
                change(inner)
        assert len(inner.copy().x(0)) == 2
    assert pickle.loads(pickle.dumps(circuit)) == circuit == copy.deepcopy(circuit)
    assert circuit.to_json() == before
