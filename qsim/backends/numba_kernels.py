"""Numba kernels that apply instructions to one statevector.

Every kernel works on the groups ``start <= g < stop`` of one instruction, so that a caller may cut an
instruction into chunks. A group is the set of amplitudes that differ only in the target bits; its first
index has all `fixed` bits (targets and controls) zero. Where the lowest fixed bit allows, consecutive groups
are contiguous in memory and go to a helper that takes slices: LLVM vectorises those loops, and only those.
All indices are int64: mixed with unsigned ones Numba would make floats of them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat `run_tape`.

from __future__ import annotations

import numpy as np

from qsim.backends.numba_bits import SHORT, deposit, low_run, spread
from qsim.backends.numba_dense import apply_dense, apply_dense1, apply_dense2, dense1_run
from qsim.backends.numba_diagonal import (
    apply_diagonal,
    apply_diagonal_runs,
    apply_pauli_rotation,
    apply_table,
    diagonal_table,
    rotation_table,
    scale_run,
)
from qsim.backends.numba_jit import jit
from qsim.backends.numba_reductions import LOG2_PAULI_BLOCK, add_pauli_terms
from qsim.backends.numba_tape import (
    CTRL,
    DATA,
    DENSE,
    DENSE1,
    DENSE2,
    DIAGONAL_LIST,
    DIAGONAL_RUNS,
    DIAGONAL_TABLE,
    FIXED,
    INVOLUTION,
    LOG2_UNITS,
    NUM_TARGETS,
    OPCODE,
    PERMUTATION,
    PREPARE,
    ROTATION,
    ROTATION_Z,
    SLOT,
    TARGETS,
    TERMS,
    VALUE,
    WIDTH,
    X_MASK,
    Z_MASK,
)

# ---- permutations ---------------------------------------------------------------------------------------


@jit
def swap_run(x, y):
    for i in range(x.size):
        u = x[i]
        x[i] = y[i]
        y[i] = u


@jit
def swap_target0(x):
    for i in range(x.size // 2):
        u = x[2 * i]
        x[2 * i] = x[2 * i + 1]
        x[2 * i + 1] = u


@jit
def exchange(amplitudes, start, stop, fixed, offset_a, offset_b, phase_a, phase_b):
    """Two members of each group change places: new a = phase_a * old b, new b = phase_b * old a."""
    size = amplitudes.size
    plain = phase_a == 1 and phase_b == 1
    run = low_run(fixed, size)
    others = fixed & ~1
    region = low_run(others, size)
    base = deposit(start, fixed)
    group = start
    if run >= 2 * SHORT:
        zero = phase_a * 0
        while group < stop:
            count = min(run - (group & (run - 1)), stop - group)
            x = amplitudes[base | offset_a : (base | offset_a) + count]
            y = amplitudes[base | offset_b : (base | offset_b) + count]
            if plain:
                swap_run(x, y)
            else:
                dense1_run(x, y, zero, phase_a, phase_b, zero)
            group += count
            base = ((base | fixed) + count) & ~fixed
    elif plain and run == 1 and offset_a ^ offset_b == 1 and region >= 2 * SHORT:
        half = region // 2
        low = min(offset_a, offset_b)
        while group < stop:
            count = min(half - (group & (half - 1)), stop - group)
            swap_target0(amplitudes[base | low : (base | low) + 2 * count])
            group += count
            base = ((base | others) + 2 * count) & ~others
    else:
        for _ in range(start, stop):
            p = base | offset_a
            q = base | offset_b
            u = amplitudes[p]
            v = amplitudes[q]
            if not plain:
                u *= phase_b
                v *= phase_a
            amplitudes[p] = v
            amplitudes[q] = u
            base = ((base | fixed) + 1) & ~fixed


@jit
def scale_groups(amplitudes, start, stop, fixed, offset, factor):
    """Multiply one member of each group."""
    run = low_run(fixed, amplitudes.size)
    base = deposit(start, fixed)
    group = start
    while group < stop:
        count = min(run - (group & (run - 1)), stop - group)
        if count >= SHORT:
            scale_run(amplitudes[base | offset : (base | offset) + count], factor)
        else:
            for i in range(count):
                amplitudes[(base | offset) + i] *= factor
        group += count
        base = ((base | fixed) + count) & ~fixed


@jit
def apply_involution(amplitudes, start, stop, fixed, value, targets, sources, phases):
    """Permutations made of fixed points and exchanges (x, cx, swap, y, iswap): no copy of the group."""
    for j in range(sources.size):
        source = sources[j]
        here = spread(j, targets) | value
        if source == j:
            if phases[j] != 1:
                scale_groups(amplitudes, start, stop, fixed, here, phases[j])
        elif source > j:
            there = spread(source, targets) | value
            exchange(amplitudes, start, stop, fixed, here, there, phases[j], phases[source])


@jit
def apply_permutation(amplitudes, start, stop, fixed, value, targets, sources, phases):
    dim = sources.size
    offsets = np.empty(dim, np.int64)
    for j in range(dim):
        offsets[j] = spread(j, targets) | value
    members = np.empty(dim, amplitudes.dtype)
    base = deposit(start, fixed)
    for _ in range(start, stop):
        for j in range(dim):
            members[j] = amplitudes[base | offsets[j]]
        for j in range(dim):
            amplitudes[base | offsets[j]] = phases[j] * members[sources[j]]
        base = ((base | fixed) + 1) & ~fixed


# ---- preparation ----------------------------------------------------------------------------------------


@jit
def apply_prepare(amplitudes, start, stop, fixed, value, targets, entries):
    """psi <- phase (psi - 2 w (w^dagger psi)), group by group; entries are the phase, then w."""
    dim = 1 << targets.size
    offsets = np.empty(dim, np.int64)
    for j in range(dim):
        offsets[j] = spread(j, targets) | value
    phase = entries[0]
    w = entries[1 : 1 + dim]
    factor = entries[:1].copy()
    base = deposit(start, fixed)
    for _ in range(start, stop):
        overlap = 0j
        for j in range(dim):
            overlap += np.conj(np.complex128(w[j])) * np.complex128(amplitudes[base | offsets[j]])
        factor[0] = 2 * overlap
        for j in range(dim):
            index = base | offsets[j]
            amplitudes[index] = phase * (amplitudes[index] - w[j] * factor[0])
        base = ((base | fixed) + 1) & ~fixed


@jit
def prepare_overlaps(amplitudes, fixed, value, targets, w, log2_block, first_item, last_item, partial):
    """Overlaps w^dagger psi of big preparations: item (group, block of members), one partial sum each."""
    blocks_log2 = targets.size - log2_block
    low = np.empty(1 << log2_block, np.int64)
    for j in range(low.size):
        low[j] = spread(j, targets) | value
    for item in range(first_item, last_item):
        member = (item & ((1 << blocks_log2) - 1)) << log2_block
        base = deposit(item >> blocks_log2, fixed) | spread(member, targets)
        overlap = 0j
        for j in range(low.size):
            overlap += np.conj(np.complex128(w[member + j])) * np.complex128(amplitudes[base | low[j]])
        partial[item] = overlap


@jit
def prepare_reflect(amplitudes, fixed, value, targets, w, phase, log2_block, first_item, last_item, factors):
    """Second half of a big preparation: psi <- phase (psi - factor w), factor = 2 w^dagger psi."""
    blocks_log2 = targets.size - log2_block
    low = np.empty(1 << log2_block, np.int64)
    for j in range(low.size):
        low[j] = spread(j, targets) | value
    for item in range(first_item, last_item):
        group = item >> blocks_log2
        member = (item & ((1 << blocks_log2) - 1)) << log2_block
        base = deposit(group, fixed) | spread(member, targets)
        factor = factors[group]
        for j in range(low.size):
            index = base | low[j]
            amplitudes[index] = phase[0] * (amplitudes[index] - w[member + j] * factor)


# ---- whole tapes ----------------------------------------------------------------------------------------


@jit
def fill_entries(op, real, constants, angles, row, buffer):
    """Entries of a parametrised instruction: const + sum of cos and sin terms; cos and sin for a rotation."""
    angle = real[1]
    if op[SLOT] >= 0:
        angle += real[0] * angles[row, op[SLOT]]
    if op[OPCODE] == ROTATION or op[OPCODE] == ROTATION_Z:
        buffer[0] = complex(np.cos(0.5 * angle), np.sin(0.5 * angle))
        return
    size = 1 << op[NUM_TARGETS]
    if op[OPCODE] == DENSE1 or op[OPCODE] == DENSE2 or op[OPCODE] == DENSE:
        size *= size
    data = op[DATA]
    for term in range(op[TERMS]):
        at = data + size + term * (1 + 2 * size)
        cosine = np.cos(constants[at].real * angle)
        sine = np.sin(constants[at].real * angle)
        for j in range(size):
            before = constants[data + j] if term == 0 else np.complex128(buffer[j])
            buffer[j] = before + (cosine * constants[at + 1 + j] + sine * constants[at + 1 + size + j])


@jit
def apply_op(amplitudes, op, integers, entries, start, stop):
    """One instruction on its units (groups, or blocks of a diagonal) start <= u < stop."""
    opcode = op[OPCODE]
    fixed = op[FIXED]
    value = op[VALUE]
    k = op[NUM_TARGETS]
    first = op[TARGETS]
    targets = integers[first : first + k]
    if opcode == DENSE1:
        apply_dense1(amplitudes, start, stop, fixed, value, targets, entries)
    elif opcode == INVOLUTION:
        sources = integers[first + k : first + k + (1 << k)]
        apply_involution(amplitudes, start, stop, fixed, value, targets, sources, entries)
    elif opcode == DIAGONAL_RUNS:
        apply_diagonal_runs(amplitudes, start, stop, fixed, value, targets, 1 << op[WIDTH], entries)
    elif opcode in (DIAGONAL_TABLE, ROTATION_Z):
        z_mask = np.int64(-1)
        if opcode == ROTATION_Z:
            z_mask = op[Z_MASK] & ~((1 << op[WIDTH]) - 1)
            entry = entries[0]
            table = rotation_table(op[WIDTH], op[CTRL], value, op[Z_MASK], entry.real, entry.imag, amplitudes)
        else:
            table = diagonal_table(op[WIDTH], op[CTRL], value, targets, entries, amplitudes)
        apply_table(amplitudes, start, stop, op[CTRL], value, targets, z_mask, table)
    elif opcode == ROTATION:
        apply_pauli_rotation(amplitudes, start, stop, fixed, value, op[X_MASK], op[Z_MASK], entries[0])
    elif opcode == DENSE2:
        apply_dense2(amplitudes, start, stop, fixed, value, targets, entries)
    elif opcode == DENSE:
        apply_dense(amplitudes, start, stop, fixed, value, targets, entries)
    elif opcode == DIAGONAL_LIST:
        apply_diagonal(amplitudes, start, stop, fixed, value, targets, entries)
    elif opcode == PERMUTATION:
        sources = integers[first + k : first + k + (1 << k)]
        apply_permutation(amplitudes, start, stop, fixed, value, targets, sources, entries)
    elif opcode == PREPARE:
        apply_prepare(amplitudes, start, stop, fixed, value, targets, entries)


@jit
def run_tape(
    states,
    first_row,
    last_row,
    ops,
    reals,
    integers,
    constants,
    entries,
    buffer_size,
    angles,
    first_op,
    last_op,
    chunk,
    log2_chunks,
    groups,
    terms,
    coefficients,
    from_zero,
    out,
):
    """Instructions first_op ... last_op - 1 on states first_row ... last_row - 1, all in one call.

    Each instruction is cut into 2**log2_chunks chunks, of which this does one (0 of 1: all of it).
    `entries` are the constants in the states' precision. With `from_zero`, each row starts from |0...0>;
    where `states` has a single row, that is scratch for all. ``out[row]`` receives the expectation values of
    the Pauli terms in `groups`, if there are any.
    """
    buffer = np.empty(buffer_size, states.dtype)
    for row in range(first_row, last_row):
        amplitudes = states[row if states.shape[0] > 1 else 0]
        if from_zero:
            amplitudes[:] = 0
            amplitudes[0] = 1
        angles_row = row if angles.shape[0] > 1 else 0
        for i in range(first_op, last_op):
            op = ops[i]
            units = 1 << op[LOG2_UNITS]
            start = (units * chunk) >> log2_chunks
            stop = (units * (chunk + 1)) >> log2_chunks
            if op[TERMS] > 0 or op[OPCODE] == ROTATION or op[OPCODE] == ROTATION_Z:
                fill_entries(op, reals[i], constants, angles, angles_row, buffer)
                apply_op(amplitudes, op, integers, buffer, start, stop)
            else:
                apply_op(amplitudes, op, integers, entries[op[DATA] :], start, stop)
        if groups.shape[0]:
            out[row, :] = 0.0
            blocks = max(1, amplitudes.size >> LOG2_PAULI_BLOCK)
            add_pauli_terms(amplitudes, groups, 0, groups.shape[0], terms, coefficients, 0, blocks, out[row])
