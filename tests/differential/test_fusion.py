"""Fused programs, with tiles so small that few qubits need many segments: they make the same states as the
tape run gate after gate and as the dense oracle, and move gates only past those they commute with.
"""

from __future__ import annotations

import itertools
import math
import pickle

import numpy as np
import pytest
import reference
from conftest import ISAS
from hypothesis import given, settings
from hypothesis import strategies as st
from mixtures import INGREDIENTS, bound_angles, mixture, random_order
from random_tapes import TapeBuilder, random_tape, random_unitary

import qsim
from qsim.circuit import Circuit
from qsim.gates import GATES
from qsim.parameters import ParameterVector
from qsim.program.dual import dual_reverse_tape, dual_tape
from qsim.program.flow import compile_flow
from qsim.program.reverse import Reverse, reverse_tape
from qsim.program.slots import SlotAllocator
from qsim.program.tape import Pattern, Tape
from qsim.testing import random_circuit, random_state

pytestmark = pytest.mark.skipif(not ISAS, reason="the C++ core is not built")
if ISAS:
    from qsim import _core

TILE_LOW = 4
#: where trigonometric functions, and quotients of them, are exact, vanish, nearly vanish or need many digits
SPECIAL = [0.0, math.pi / 2, math.pi, 2 * math.pi, 4 * math.pi, -math.pi, math.pi / 4, 1e-9, math.pi - 1e-9]
SPECIAL += [math.pi / 2 + 1e-9, 1e-6, -1e-12, 1e-17, 5e-324, 1e-310, 2.0**30, -1e6, 1e15]
seeds = st.integers(0, 2**32 - 1)
#: qubits, and how many above the lowest ones fit a tile: always fewer than there are
shapes = st.sampled_from([(n, k) for n in range(6, 11) for k in range(1, 5) if n > TILE_LOW + k])
some = settings(max_examples=60)


# ---- what is compared ----------------------------------------------------------------------------------


def lowered(circuit: Circuit):
    code = compile_flow(circuit, SlotAllocator(circuit.parameters))
    assert code.is_static
    return code.tapes[0]


def compiled(tape: Tape, fuse: bool = True, active: int = 2):
    pools = (tape.instructions, tape.integers, tape.constants, tape.segments)
    return _core.compile(
        tape.num_qubits, tape.num_slots, *pools, fuse=fuse, tile_low=TILE_LOW, tile_active=active
    )


def ran(handle, initial: np.ndarray | None, angles, dtype, threads: int = 1) -> np.ndarray:
    """The state a handle makes; None: from |0...0>, in memory that holds something else."""
    if initial is None:
        states = np.full((1, 1 << handle.num_qubits), np.nan, dtype=dtype)
    else:
        states = np.array(initial, dtype=dtype)[None]
    _core.apply(handle, states, np.reshape(angles, (1, -1)), threads, from_zero=initial is None)
    return states[0]


def zero_state(num_qubits: int) -> np.ndarray:
    state = np.zeros(1 << num_qubits, dtype=complex)
    state[0] = 1
    return state


def assert_same(actual: np.ndarray, wanted: np.ndarray, what: str) -> None:
    limit = 1e-12 if actual.dtype == np.complex128 else 1e-5
    error = float(np.linalg.norm(actual - wanted))
    assert error <= limit * max(1.0, float(np.linalg.norm(wanted))), f"{what}: error {error:.2e}"


def check(tape: Tape, angles, active: int, initial: np.ndarray) -> None:
    """Fused, unfused and oracle: each instruction set, both precisions, from |0...0> and from a state."""
    angles = np.ravel(np.asarray(angles, dtype=float))
    before = _core.isa()
    fused, plain = compiled(tape, True, active), compiled(tape, False)
    assert_schedule(fused, tape.num_qubits, active)
    initial = initial.astype(np.complex64)  # exact in both precisions
    try:
        for start in (None, initial):
            first = zero_state(tape.num_qubits) if start is None else start
            wanted = reference.apply_tape(tape, first, angles)
            for isa, dtype in itertools.product(ISAS, (np.complex128, np.complex64)):
                _core.set_isa(isa)
                what = f"{isa}, {np.dtype(dtype)}, {'from zero' if start is None else 'from a state'}"
                assert_same(ran(fused, start, angles, dtype), wanted, f"fused, {what}")
            assert_same(ran(plain, first, angles, complex), wanted, "unfused")
    finally:
        _core.set_isa(before)


def assert_schedule(handle, num_qubits: int, active: int) -> None:
    """Every node is done once, inside its tile, and after all before it that it does not commute with."""
    low = (1 << min(TILE_LOW, num_qubits)) - 1
    for from_zero in (True, False):
        nodes, product, segments = handle.schedule(from_zero)
        assert from_zero or not any(product)
        order = [i for qubit in product for i in qubit]
        for qubit, members in enumerate(product):
            assert members == sorted(members)
            assert all(nodes[i][1] | nodes[i][2] == 1 << qubit for i in members)
        for mask, whole, steps in segments:
            assert len(steps) == 1 if whole else (mask & ~low).bit_count() <= active
            for step in steps:
                order += step
                kinds = {nodes[i][0] for i in step}
                assert len(kinds) == 1
                acting = [nodes[i][1] for i in step]
                assert sum(acting) == np.bitwise_or.reduce([0, *acting])  # no two on one qubit
                assert all(a & ~mask == 0 for a in acting)
                assert kinds <= {"mix", "phase"} or len(step) == 1
                assert whole or kinds != {"whole"}
        assert sorted(order) == list(range(len(nodes)))
        for later, i in enumerate(order):
            _, i_active, i_diagonal = nodes[i]
            for j in order[:later]:
                _, j_active, j_diagonal = nodes[j]
                if j > i:  # i has passed j
                    assert not i_active & (j_active | j_diagonal), (nodes[i], nodes[j])
                    assert not j_active & (i_active | i_diagonal), (nodes[i], nodes[j])


# ---- random circuits -----------------------------------------------------------------------------------


parts = st.lists(st.integers(0, len(INGREDIENTS) - 1), max_size=8)
angles = st.lists(st.one_of(st.sampled_from(SPECIAL), st.floats(-7, 7)), min_size=4, max_size=4)


@settings(max_examples=500)
@given(seed=seeds, shape=shapes, parts=parts, values=angles)
def test_random_circuits(seed, shape, parts, values):
    num_qubits, active = shape
    rng = np.random.default_rng(seed)
    circuit = mixture(num_qubits, parts, rng)
    if not len(circuit):
        circuit.id(0).h(0)
    tape, row = bound_angles(circuit, values)
    check(tape, row, active, random_state(num_qubits, rng))


@some
@given(seed=seeds, active=st.integers(7, 10), parts=parts, values=angles, from_zero=st.booleans())
def test_tiles_of_several_blocks(seed, active, parts, values, from_zero):
    """A tile bigger than a first-level cache is worked on block by block."""
    num_qubits = TILE_LOW + active + 1
    rng = np.random.default_rng(seed)
    tape, row = bound_angles(mixture(num_qubits, [2, *parts], rng), values)
    start = None if from_zero else random_state(num_qubits, rng).astype(np.complex64)
    plain = ran(compiled(tape, False), zero_state(num_qubits) if from_zero else start, row, complex)
    fused = compiled(tape, True, active)
    before = _core.isa()
    try:
        for isa, dtype in itertools.product(ISAS, (np.complex128, np.complex64)):
            _core.set_isa(isa)
            assert_same(ran(fused, start, row, dtype), plain, f"{isa}, {np.dtype(dtype)}")
    finally:
        _core.set_isa(before)


@some
@given(seed=seeds, shape=shapes, num_ops=st.integers(0, 20))
def test_tapes_of_any_pattern(seed, shape, num_ops):
    """Matrices that depend on angles need not be unitary here, which only the angles show."""
    num_qubits, active = shape
    rng = np.random.default_rng(seed)
    tape = random_tape(num_qubits, num_ops, rng)
    check(tape, rng.normal(size=tape.num_slots), active, random_state(num_qubits, rng))


# ---- sweeps back -----------------------------------------------------------------------------------------


def swept(handle, reverse, state, cotangents, row, dtype, threads: int = 1) -> np.ndarray:
    """Derivatives (count, num_slots)."""
    states, images = state[None].astype(dtype), cotangents[None].astype(dtype)
    angles = np.reshape(row, (1, -1))
    return _core.sweep_back(handle, reverse.slots, reverse.weights, states, images, angles, threads)[0]


def check_sweep(tape: Tape, row, active: int, rng, count: int = 2) -> None:
    """Fused as unfused, whose generators are applied one by one; each instruction set, both precisions."""
    reverse = reverse_tape(tape, range(tape.num_slots))
    if not len(reverse.slots):
        return
    state = random_state(tape.num_qubits, rng).astype(np.complex64)
    cotangents = np.array([3 * random_state(tape.num_qubits, rng) for _ in range(count)], dtype=np.complex64)
    wanted = swept(compiled(reverse.tape, False), reverse, state, cotangents, row, complex)
    size = max(1.0, np.abs(wanted).max(initial=0.0), float(np.abs(reverse.weights).max()))
    fused = compiled(reverse.tape, True, active)
    before = _core.isa()
    try:
        for isa, dtype in itertools.product(ISAS, (np.complex128, np.complex64)):
            _core.set_isa(isa)
            found = swept(fused, reverse, state, cotangents, row, dtype)
            limit = 1e-11 if dtype == np.complex128 else 1e-4
            assert np.abs(found - wanted).max() <= limit * size, f"{isa}, {np.dtype(dtype)}"
            np.testing.assert_array_equal(found, swept(fused, reverse, state, cotangents, row, dtype, 3))
    finally:
        _core.set_isa(before)


@settings(max_examples=300)
@given(seed=seeds, shape=shapes, parts=parts, values=angles, count=st.integers(1, 3))
def test_sweeps_of_random_circuits(seed, shape, parts, values, count):
    num_qubits, active = shape
    rng = np.random.default_rng(seed)
    tape, row = bound_angles(mixture(num_qubits, [8, *parts], rng), values)
    check_sweep(tape, row, active, rng, count)


@settings(max_examples=30)
@given(seed=seeds, active=st.integers(7, 10), parts=parts, values=angles)
def test_sweeps_in_tiles_of_several_blocks(seed, active, parts, values):
    rng = np.random.default_rng(seed)
    tape, row = bound_angles(mixture(TILE_LOW + active + 1, [8, *parts], rng), values)
    check_sweep(tape, row, active, rng, 1)


@pytest.mark.parametrize("controls", [0, 1, 2])
@pytest.mark.parametrize("spec", [s for s in GATES.values() if s.num_params], ids=lambda s: s.name)
def test_sweeps_of_every_gate(spec, controls):
    """With two matrix targets at most, generators are few strings, and so are those of Pauli rotations."""
    rng = np.random.default_rng(len(spec.name))
    num_qubits = 9
    circuit, x = Circuit(num_qubits), ParameterVector("x", 4)
    for _ in range(4):
        order = random_order(num_qubits, rng)
        angles = [x[int(rng.integers(4))] for _ in range(spec.num_params)]
        circuit.h(range(num_qubits)).append(
            spec, angles, order[: spec.num_qubits], controls=order[spec.num_qubits :][:controls]
        )
        circuit.ry(x[0], order[0]).cz(order[0], order[-1]).rx(x[1], order[-1])
    tape, row = bound_angles(circuit, rng.uniform(-3, 3, 4))
    reverse = reverse_tape(tape, range(tape.num_slots))
    assert compiled(reverse.tape, True, 3).is_swept(reverse.slots) or spec.num_qubits > 2
    check_sweep(tape, row, 3, rng)


def test_sweeps_of_tapes_that_are_not_unitary():
    """Their generators are more than strings: they run unfused, to the same derivatives."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        tape = random_tape(8, 6, rng)
        if (tape.instructions["pattern"] != Pattern.PREPARE).all():
            check_sweep(tape, rng.normal(size=tape.num_slots), 2, rng)


def test_sweeps_of_one_tape_with_other_slots():
    """What is kept with a tape serves the slots it was made for; others are swept all the same."""
    circuit, x = Circuit(8), ParameterVector("x", 3)
    for q in range(8):
        circuit.rx(x[q % 3], q).rzz(x[2], q, (q + 1) % 8)
    tape, row = bound_angles(circuit, [0.1, 0.2, 0.3])
    reverse = reverse_tape(tape, range(3))
    fused, plain = compiled(reverse.tape, True, 3), compiled(reverse.tape, False)
    assert fused.is_swept(reverse.slots)
    none = np.full_like(reverse.slots, -1)
    for slots in (none, np.where(reverse.slots == 1, -1, reverse.slots), (reverse.slots + 1) % 3, none):
        other = Reverse(reverse.tape, slots.astype(np.int32), reverse.weights)
        state, cotangents = random_state(8, 1), random_state(8, 2)[None]
        found = [swept(handle, other, state, cotangents, row, complex) for handle in (fused, plain)]
        np.testing.assert_allclose(*found, atol=1e-12)


def test_nudges_of_dual_tapes_are_no_rotations():
    """Else no binding would be unitary, and all would run unfused."""
    x, circuit = ParameterVector("x", 2), Circuit(7)
    for q in range(7):
        circuit.ry(x[0], q).rz(x[1], q).cz(q, (q + 1) % 7)
    dual, _ = dual_tape(bound_angles(circuit, [0.1, 0.2])[0], range(2))
    dense = sum(part["generic"].count(int(Pattern.DENSE)) for part in compiled(dual).plan(False, True))
    assert dense == 7 + 14  # the generator of `rz` has two entries


@some
@given(seed=seeds, shape=shapes, parts=parts, values=angles)
def test_dual_tapes(seed, shape, parts, values):
    """Their nudges are not unitary: they act as they are, between what is fused."""
    num_qubits, active = shape
    rng = np.random.default_rng(seed)
    circuit = mixture(num_qubits, [8, *parts], rng).ry(ParameterVector("x", len(values))[0], 0)
    tape, row = bound_angles(circuit, values)
    velocities = rng.uniform(-1, 1, (1, tape.num_slots))
    dual, columns = dual_tape(tape, range(tape.num_slots))
    handle, angles = compiled(dual, True, active), columns.angles(np.reshape(row, (1, -1)), velocities)
    wanted = ran(compiled(dual, False), zero_state(num_qubits + 1), angles, complex)
    assert np.abs(ran(handle, None, angles, complex) - wanted).max() <= 1e-11 * max(1.0, np.abs(wanted).max())
    reverse, columns = dual_reverse_tape(tape, range(tape.num_slots))
    angles = columns.angles(np.reshape(row, (1, -1)), velocities)
    cotangents = random_state(num_qubits + 1, rng)[None]
    plain, fused = (
        swept(compiled(reverse.tape, fuse, active), reverse, wanted, cotangents, angles, complex)
        for fuse in (False, True)
    )
    assert np.abs(fused - plain).max() <= 1e-11 * max(1.0, np.abs(plain).max())


# ---- where gates degenerate ----------------------------------------------------------------------------


def one_qubit_words(x) -> dict[str, Circuit]:
    """Runs of gates on qubit 0 whose product is diagonal, or a flip, at some angle."""
    gate = random_unitary(2, np.random.default_rng(4))
    words = {
        "between inverse matrices": Circuit(6).unitary(gate, 0).rz(x, 0).unitary(gate.conj().T, 0),
        "between inverse roots": Circuit(6).sx(0).rz(x, 0).sxdg(0).p(0.4, 0).sx(0).rz(x, 0).sxdg(0),
        "h p h": Circuit(6).h(0).p(x, 0).h(0),
        "rotations": Circuit(6).rx(1.0, 0).ry(x, 0).rx(-1.0, 0),
        "u": Circuit(6).u(x, 0.3, -0.8, 0),
        "controlled": Circuit(6).h(0).crx(x, 1, 0).h(0),
    }
    for word in words.values():  # a phase on both sides, and something to do on every qubit
        word.cz(0, 5).h(range(6)).rzz(0.3, 0, 4).h(0)
    return words


@pytest.mark.parametrize("name", one_qubit_words(0.0))
def test_angles_at_which_a_product_degenerates(name):
    circuit = one_qubit_words(ParameterVector("x", 1)[0])[name]
    small = [0.0, 5e-324, 1e-310, 1e-300, 1e-160, 1e-120, 1e-80, *10.0 ** np.arange(-18, -2)]
    for place, distance in itertools.product([0, math.pi / 2, math.pi, -math.pi, 2 * math.pi], small):
        tape, row = bound_angles(circuit, [place + distance])
        fused, plain = compiled(tape, True, 1), compiled(tape, False)
        for start in (None, random_state(6, 3)):
            wanted = ran(plain, zero_state(6) if start is None else start, row, complex)
            assert_same(ran(fused, start, row, complex), wanted, f"{name} at {place} + {distance}")


EDGES = {
    "nothing": Circuit(7),
    "an identity": Circuit(7).id(0),
    "a global phase": Circuit(7).gphase(0.7),
    "a phase on |0>": Circuit(7).p(0.3, 6),
    "only phases": Circuit(7).rz(0.3, 0).cz(0, 6).rzz(0.4, 5, 6).cp(0.1, 1, 2).t(6).ccz(1, 3, 6).gphase(1.0),
    "only X": Circuit(7).x(range(7)),
    "X twice": Circuit(7).x(range(7)).x(range(7)),
    "only Y": Circuit(7).y([0, 5, 6]),
    "only CX": Circuit(7).x(0).cx(0, 6).cx(6, 5).cx(5, 1).cx(1, 0),
    "CX twice": Circuit(7).h(0).cx(0, 6).cx(0, 6).cx(0, 6).cx(6, 0).cx(6, 0),
    "only SWAP": Circuit(7).x(0).swap(0, 6).swap(6, 3).swap(0, 6).iswap(2, 3).fswap(1, 2),
    "SWAP of phases": Circuit(7).h(0).h(6).t(6).swap(0, 6).s(6).swap(0, 6).ry(0.3, 6).swap(5, 6).cz(5, 6),
    "one qubit often": Circuit(7).h(6).t(6).repeat(50),
    "H everywhere": Circuit(7).h(range(7)),
    "rotations and their inverses": Circuit(7).rx(0.3, 6).rx(-0.3, 6).ry(0.2, 5).ry(-0.2, 5),
    "a preparation": Circuit(7).prepare(random_state(7, 1)),
    "a preparation of one qubit": Circuit(7).h(6).prepare([0.6, 0.8j], [6]).h(6),
    "phases before a preparation": Circuit(7).h(range(7)).cz(0, 6).prepare(random_state(2, 1), [0, 6]),
    "a wide matrix": Circuit(7).h(6).t(6).unitary(random_unitary(64, np.random.default_rng(1)), range(1, 7)),
    "a wide string": Circuit(7).h(6).cz(5, 6).pauli_rotation(0.3, "XXYYXXY", range(7)).cz(5, 6).h(6),
    "a wide diagonal": Circuit(7).h(range(7)).multi_rz(0.7, range(7)).h(range(7)),
    "many controls": Circuit(7).h(range(7)).mcx(range(6), 6).mcp(0.3, range(1, 7), 0).h(range(7)),
}


@pytest.mark.parametrize("active", [1, 2])
@pytest.mark.parametrize("name", EDGES)
def test_edges(name, active):
    circuit = EDGES[name]
    tape, row = bound_angles(circuit, []) if len(circuit) else (TapeBuilder(7).build(), np.zeros((1, 0)))
    check(tape, row, active, random_state(7, 5))


def test_what_cancels_is_left_out():
    """Inverse pairs, SWAPs and gates on |0> need no pass but the one that writes the state."""
    circuit = Circuit(9).h(range(9)).swap(0, 8).cx(8, 3).cx(8, 3).x(5).swap(8, 2).h(1).h(1)
    nodes, product, segments = compiled(lowered(circuit), True, 1).schedule(True)
    assert sorted(i for qubit in product for i in qubit) == list(range(len(nodes)))
    assert segments == [(0, False, [])]
    plan = compiled(lowered(circuit), True, 1).plan(False, True)
    assert len(plan) == 1 and not plan[0]["rotations"] and not plan[0]["generic"]


@settings(max_examples=100)
@given(seed=seeds, active=st.sampled_from([1, 2, 3]))
def test_constant_matrices_merge(seed, active):
    """Matrices on the same few qubits, in any order of them, with what stands in between."""
    rng = np.random.default_rng(seed)
    circuit = Circuit(8)
    for _ in range(int(rng.integers(3, 12))):
        qubits = rng.permutation(4)[: int(rng.integers(2, 4))].tolist()
        kind = rng.integers(7)
        if kind < 3:
            circuit.unitary(random_unitary(2 ** len(qubits), rng), qubits)
        elif kind == 3:
            circuit.ry(float(rng.uniform(0, 6)), qubits[0]).t(qubits[0]).h(qubits[1])
        elif kind == 4:
            circuit.cx(qubits[0], qubits[1])
        elif kind == 5:
            circuit.rzz(float(rng.uniform(0, 6)), qubits[0], qubits[1])
        else:
            circuit.rx(qsim.Parameter("t"), qubits[0])
    tape = lowered(circuit)
    check(tape, [0.7] if circuit.parameters else [], active, random_state(8, seed))


def test_one_matrix_for_all_that_act_on_its_qubits():
    rng = np.random.default_rng(3)
    a, b = random_unitary(4, rng), random_unitary(8, rng)
    circuit = Circuit(9).h(range(9)).t(2).unitary(a, [2, 7]).sx(7).unitary(a, [7, 2])
    assert sum(len(step["generic"]) for step in compiled(lowered(circuit), True, 1).plan(False, True)) == 1
    undone = Circuit(9).unitary(b, [2, 7, 4]).unitary(b.conj().T, [2, 7, 4])
    assert sum(len(step["generic"]) for step in compiled(lowered(undone), True, 3).plan(False, True)) == 0


def test_matrices_that_overflow_together_stay_apart():
    """Each gate's result is a number; the product of the two matrices is none."""
    big = 1e170 * (np.eye(4) + 0.1)
    circuit = Circuit(8).h(range(8)).unitary(1e-150 * np.eye(4), [3, 4], check=False)
    circuit.unitary(big, [3, 5], check=False).unitary(big, [3, 5], check=False)
    tape = lowered(circuit)
    fused, plain = (ran(compiled(tape, fuse), None, np.zeros(0), complex) for fuse in (True, False))
    assert np.isfinite(plain).all()
    np.testing.assert_allclose(fused, plain, rtol=1e-12)


@pytest.mark.parametrize("active", [1, 3])
def test_networks_of_swaps(active):
    rng = np.random.default_rng(active)
    circuit = Circuit(8)
    for _ in range(40):
        a, b, c = random_order(8, rng)[:3]
        circuit.swap(a, b).ry(0.3, c).cx(b, c).iswap(a, c).cp(0.2, a, b).permutation([0, 2, 1, 3], [c, b])
    check(lowered(circuit), [], active, random_state(8, rng))


@pytest.mark.parametrize("angle", [0.1, math.pi / 2, math.pi / 2 + 1e-3, 3.0])
def test_thousands_of_rotations_keep_their_scale(angle):
    """Each leaves a factor of up to sqrt(2) for later; there are no phases to take it."""
    x = ParameterVector("x", 2)
    circuit = Circuit(7)
    for k in range(1500):
        circuit.ry(x[0], 4 + k % 3).ry(x[0], 5).cx(4 + k % 3, 4 + (k + 1) % 3)
    tape, row = bound_angles(circuit, [angle, 0.0])
    initial = random_state(7, 1)
    wanted = ran(compiled(tape, False), initial, row, complex)
    for active, start in itertools.product((1, 2), (initial, None)):
        goal = wanted if start is not None else ran(compiled(tape, False), zero_state(7), row, complex)
        handle = compiled(tape, True, active)
        assert np.linalg.norm(ran(handle, start, row, complex) - goal) < 1e-11
        assert np.linalg.norm(ran(handle, start, row, np.complex64) - goal) < 2e-4


# ---- what may not be fused -----------------------------------------------------------------------------


def test_matrices_that_are_not_unitary():
    """Known at once or only with the angles: they act as they are."""
    rng = np.random.default_rng(8)
    for at_run_time in (False, True):
        builder = TapeBuilder(7, 1)
        fields = {"slot": 0} if at_run_time else {}
        for q in range(7):
            builder.dense([q], random_unitary(2, rng))
            terms = [(0.5, rng.normal(size=(2, 2)), rng.normal(size=(2, 2)))] if at_run_time else []
            builder.dense([q], rng.normal(size=(2, 2)), terms, **fields)
            builder.diagonal([q], [1, 2j], [(0.5, [0, 1], [1j, 0])] if at_run_time else [], **fields)
            builder.diagonal([q, (q + 1) % 7], rng.normal(size=4))
            builder.permutation([q, (q + 2) % 7], [0, 2, 1, 3], [1, 2, 3, 4j])
            builder.dense([q, (q + 3) % 7], rng.normal(size=(4, 4)), controls={(q + 1) % 7: 0})
        check(builder.build(), [0.3], 2, random_state(7, rng))


def test_matrices_a_little_off_unitary():
    """User gates with check=False, and those that a looser check lets pass."""
    for scale in (1 + 1e-14, 1 + 1e-12, 1 + 1e-9, 0.5, 1e-30, 0.0):
        circuit = Circuit(7).h(range(7))
        for q in range(7):
            circuit.unitary(scale * random_unitary(2, np.random.default_rng(q)), q, check=False)
            circuit.cz(q, (q + 1) % 7).h(q)
        check(lowered(circuit), [], 2, random_state(7, 1))


# ---- promises ------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(seed=seeds, parts=parts)
def test_threads_do_not_change_a_bit(seed, parts):
    rng = np.random.default_rng(seed)
    tape, row = bound_angles(mixture(10, [2, *parts], rng), [0.3, 1.0, -2.0, math.pi])
    start = random_state(10, rng)
    for active, dtype, initial in itertools.product((1, 3), (np.complex128, np.complex64), (None, start)):
        handle = compiled(tape, True, active)
        first = ran(handle, initial, row, dtype)
        for threads in (2, 3, 8):
            assert first.tobytes() == ran(handle, initial, row, dtype, threads).tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_spread_to_what_the_gates_reach(value):
    """What they spoil without fusion they spoil with it, as products do, and nothing out of reach."""
    circuit = Circuit(8).ry(0.3, 7).cx(7, 6).rz(0.2, 6).cz(6, 3).x(2).swap(0, 1)
    beyond = 0b00111000  # qubits on which all gates are diagonal
    tape = lowered(circuit)
    for place, dtype, active in itertools.product((0, 5, 200), (np.complex128, np.complex64), (1, 2)):
        start = random_state(8, 1)
        start[place] = value
        plain = ran(compiled(tape, False), start, [], dtype)
        fused = ran(compiled(tape, True, active), start, [], dtype)
        spoilt = ~np.isfinite(fused)
        assert spoilt[~np.isfinite(plain)].all()
        assert not spoilt[(np.arange(256) ^ place) & beyond != 0].any()
        np.testing.assert_allclose(fused[~spoilt], plain[~spoilt], atol=1e-6)


def test_tiny_amplitudes_are_not_flushed():
    """Denormal numbers are moved exactly, and mixed to about their own precision."""
    moved = lowered(Circuit(8).x(range(8)).cx(7, 0).swap(0, 6))
    mixed = lowered(Circuit(8).h(range(8)).ry(0.4, 7).cz(0, 7).h(7))
    for dtype, bits in ((np.complex128, 1074), (np.complex64, 149)):

        def scaled(state: np.ndarray, power: int) -> np.ndarray:
            """Times 2**power, in steps that overflow nowhere."""
            return state.astype(complex) * 2.0 ** (power // 2) * 2.0 ** (power - power // 2)

        start = np.arange(256) * (1 + 2j)
        tiny = scaled(start, -bits).astype(dtype)
        assert np.count_nonzero(tiny) == 255
        wanted = ran(compiled(moved, False), tiny, [], dtype)
        np.testing.assert_array_equal(ran(compiled(moved, True, 1), tiny, [], dtype), wanted)
        tiny = scaled(1000 * start, -bits).astype(dtype)
        wanted = ran(compiled(mixed, False), 1000 * start, [], complex)
        found = scaled(ran(compiled(mixed, True, 1), tiny, [], dtype), bits)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=60)


# ---- programs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_qubits", [15, 16, 17])
def test_answers_of_programs(num_qubits, precision):
    """Real tiles: every answer with and without fusion."""
    rng = np.random.default_rng(num_qubits)
    circuit = mixture(num_qubits, [2, 3, 4, 5, 6, 7, 8, 10], rng)
    observables = ["Z0", qsim.PauliSum({"X0 X1": 0.5, "Z3 Y14": -2.0}), qsim.Projector("01", [14, 2])]
    options = {"precision": precision, "threads": 2}
    programs = [qsim.compile(circuit, observables, fuse=fuse, **options) for fuse in (True, False)]
    values = rng.uniform(-3, 3, size=(2, len(circuit.parameters)))
    initial = random_state(num_qubits, rng)
    limit = 1e-12 if precision == "double" else 1e-5
    answers = []
    for program in programs:
        state = program.statevector(values[0])
        again = state.copy()
        program.apply(again, values[1])
        answers.append(
            [
                state,
                again,
                program.statevector(values),
                program.statevector(values[0], initial_state=initial.astype(program.dtype), normalize=True),
                program.expectation(values),
                program.expectation(values[0], initial_state=initial, normalize=True),
                program.variance(values[0]),
                program.probabilities(values[0], [14, 0]),
            ]
        )
    for fused, plain in zip(*answers, strict=True):
        assert float(np.linalg.norm(fused - plain)) <= 8 * limit
    first, second = (program.sample(values[0], shots=1000, seed=3) for program in programs)
    assert np.mean(np.asarray(first) != np.asarray(second)) < 0.01


def test_samples_depend_on_the_seed_alone():
    """Not on threads, nor on fusion, whose rounding is far below what a sample could tell."""
    circuit = mixture(16, [2, 0, 4], np.random.default_rng(1))
    values = np.linspace(-1, 2, len(circuit.parameters))
    found = [
        qsim.compile(circuit, threads=threads, fuse=fuse).sample(values, shots=500, seed=7).ints.tolist()
        for threads, fuse in [(1, True), (2, True), (3, True), (4, True), (8, True), (16, True), (2, False)]
    ]
    assert all(samples == found[0] for samples in found)


def test_programs_that_branch():
    circuit = Circuit(15, 2)
    circuit.h(range(15)).ry(0.7, 14).cx(14, 0).measure(0, 0)
    then_body = Circuit(15, 2).ry(0.3, 14).swap(3, 14).rxx(0.4, 0, 13)
    circuit.if_else((0, 1), then_body, Circuit(15, 2).h(14).t(14).h(14))
    circuit.reset(5).h(5).rz(0.2, 5).ry(0.3, 5).cz(5, 14).measure(14, 1)
    fused, plain = (qsim.compile(circuit, ["Z14", "X5"], fuse=fuse) for fuse in (True, False))
    assert not fused.is_static
    np.testing.assert_allclose(fused.expectation(), plain.expectation(), atol=1e-12)
    wanted = plain.distribution()
    found = fused.distribution()
    assert found.keys() == wanted.keys()
    assert all(abs(found[key] - wanted[key]) < 1e-12 for key in wanted)


def test_programs_pickle_with_their_fusion():
    circuit = random_circuit(15, 30, seed=2)
    for fuse in (True, False):
        program = qsim.compile(circuit, fuse=fuse)
        copy = pickle.loads(pickle.dumps(program))
        assert copy.fuse is fuse
        np.testing.assert_array_equal(copy.statevector(), program.statevector())
        assert bool(copy._handles[0].plan(False, True)) is fuse


@pytest.mark.parametrize("wrong", [0, 1, None, "yes", np.True_])
def test_fuse_must_be_a_bool(wrong):
    with pytest.raises(TypeError, match=f"Argument `fuse` must be a bool, but is {type(wrong).__name__}"):
        qsim.compile(Circuit(1), fuse=wrong)


@pytest.mark.parametrize(("low", "active"), [(3, 2), (4, -1), (4, 13), (16, 1), (-1, 2)])
def test_tiles_that_cannot_be(low, active):
    tape = lowered(Circuit(7).h(6))
    pools = (tape.instructions, tape.integers, tape.constants, tape.segments)
    with pytest.raises(ValueError, match="A tile must hold"):
        _core.compile(7, 0, *pools, fuse=True, tile_low=low, tile_active=active)


def test_small_states_are_not_fused():
    assert compiled(lowered(Circuit(6).h(5)), True, 2).plan(False, True) == []
    assert compiled(lowered(Circuit(7).h(5)), False, 2).plan(False, True) == []
    assert compiled(lowered(Circuit(7).h(5)), True, 2).plan(False, True) != []
    assert compiled(lowered(Circuit(6).h(5)), True, 2).schedule(True) == ([], [], [])
