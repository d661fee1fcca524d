"""Numba kernels for diagonals and Pauli rotations."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat `run_tape`.

from __future__ import annotations

import numpy as np

from qsim.backends.numba_bits import deposit, parity
from qsim.backends.numba_jit import fused, jit
from qsim.backends.numba_rows import LANES, VECTOR, load_rows, mix_two, store_rows, tile_layout

# ---- diagonals ------------------------------------------------------------------------------------------


@fused
def scale_run(x, factor):
    for i in range(x.size):
        x[i] *= factor


@fused
def multiply_run(x, factors):
    for i in range(x.size):
        x[i] *= factors[i]


@jit
def apply_diagonal_runs(amplitudes, start, stop, ctrl, value, targets, run, d):
    """A diagonal with all targets and controls above bit 3: a factor for each run; ones are skipped."""
    step = run
    base = deposit(start * step, ctrl)
    for _ in range(start, stop):
        first = base | value
        local = 0
        for t in range(targets.size):
            local |= ((first >> targets[t]) & 1) << t
        factor = d[local]
        if factor != 1:
            scale_run(amplitudes[first : first + run], factor)
        base = ((base | ctrl) + step) & ~ctrl


@jit
def diagonal_table(period, ctrl, value, targets, d, dtype_of):
    """Factors for the low index bits, one row for each value of the targets above them."""
    num_high = 0
    for t in range(targets.size):
        if targets[t] >= period:
            num_high += 1
    table = np.empty((1 << num_high, 1 << period), dtype_of.dtype)
    low_ctrl = ctrl & ((1 << period) - 1)
    for high in range(1 << num_high):
        for low in range(1 << period):
            local = 0
            seen = 0
            for t in range(targets.size):
                if targets[t] >= period:
                    local |= ((high >> seen) & 1) << t
                    seen += 1
                else:
                    local |= ((low >> targets[t]) & 1) << t
            table[high, low] = d[local] if low & low_ctrl == value & low_ctrl else 1
    return table


@jit
def rotation_table(period, ctrl, value, z_mask, cosine, sine, dtype_of):
    """exp(-i angle/2 Z..Z) on the low index bits; row 1 where the parity of the bits above is odd."""
    table = np.empty((2, 1 << period), dtype_of.dtype)
    low_ctrl = ctrl & ((1 << period) - 1)
    for high in range(2):
        for low in range(1 << period):
            sign = 1 - 2 * (parity(low & z_mask) ^ high)
            table[high, low] = complex(cosine, -sign * sine) if low & low_ctrl == value & low_ctrl else 1
    return table


@jit
def apply_table(amplitudes, start, stop, ctrl, value, targets, z_mask, table):
    """Multiply blocks of consecutive amplitudes by the row of `table` that their high bits choose.

    The row is the parity of the high bits in `z_mask`, or, where that is -1, the high targets' bits.
    """
    width = table.shape[1]
    high_ctrl = ctrl & ~(width - 1)
    high_value = value & ~(width - 1)
    base = deposit(start * width, high_ctrl)
    for _ in range(start, stop):
        first = base | high_value
        row = 0
        if z_mask >= 0:
            row = parity(first & z_mask)
        else:
            seen = 0
            for t in range(targets.size):
                if 1 << targets[t] >= width:
                    row |= ((first >> targets[t]) & 1) << seen
                    seen += 1
        multiply_run(amplitudes[first : first + width], table[row])
        base = ((base | high_ctrl) + width) & ~high_ctrl


@jit
def apply_diagonal(amplitudes, start, stop, fixed, value, targets, d):
    """Diagonals on many targets; blocks share a list of low bits. `fixed` are the controls."""
    period = 0
    while period < 9 and 2 << period <= amplitudes.size:
        period += 1
    width = 1 << period
    low_ctrl = fixed & (width - 1)
    high_ctrl = fixed & ~(width - 1)
    positions = np.empty(width, np.int64)
    locals_ = np.empty(width, np.int64)
    count = 0
    for low in range(width):
        if low & low_ctrl == value & low_ctrl:
            local = 0
            for t in range(targets.size):
                local |= ((low >> targets[t]) & 1) << t
            positions[count] = low
            locals_[count] = local
            count += 1
    base = deposit(start * width, high_ctrl)
    for _ in range(start, stop):
        first = base | (value & high_ctrl)
        high = 0
        for t in range(targets.size):
            high |= ((first >> targets[t]) & 1) << t
        for i in range(count):
            amplitudes[first + positions[i]] *= d[high | locals_[i]]
        base = ((base | high_ctrl) + width) & ~high_ctrl


# ---- Pauli rotations ------------------------------------------------------------------------------------


@jit
def rotate_tiles(amplitudes, start, stop, fixed, value, x_mask, z_mask, cosine, factors):
    """Pairs as rows, a tile at a time; False (and nothing done) if a tile is cut."""
    low, log2_groups, held, lanes = tile_layout(fixed, fixed | x_mask, amplitudes.size)
    if (start | stop) & ((1 << log2_groups) - 1):
        return False
    far = x_mask & ~low  # 0: both members of a pair lie in the same block
    other = 8 if far else 0
    lane_bits = lanes[LANES - 1]
    other_lanes = lanes ^ (far & lane_bits)
    part = amplitudes[:1].real
    step = VECTOR // amplitudes.real.itemsize
    signs = np.empty((2, 2 * LANES), part.dtype)
    for lane in range(LANES):
        signs[0, lane] = 1 - 2 * parity(lanes[lane] & z_mask)
        signs[1, lane] = -signs[0, lane]
    matrices = np.empty(8, amplitudes.dtype)
    for odd in range(2):
        matrices[4 * odd] = matrices[4 * odd + 3] = cosine
        matrices[4 * odd + 1] = factors[odd]
        matrices[4 * odd + 2] = factors[2 + odd]
    pair = np.empty(2, np.int64)
    rows = np.empty((16, 2 * LANES), part.dtype)
    base = deposit(start >> log2_groups, held)
    for _ in range(start, stop, 1 << log2_groups):
        first = base | (value & ~low)
        second = first ^ (far & ~lane_bits)
        odd = parity(first & z_mask)
        load_rows(amplitudes, lanes, first, rows, 0, low)
        if far:
            load_rows(amplitudes, other_lanes, second, rows, 8, low)
        for r in range(low + 1):
            if r & fixed == value & low:
                pair[0] = r
                pair[1] = other + (r ^ (x_mask & low))
                for at in range(0, LANES, step):
                    mix_two(rows, pair, 0, matrices, 4 * parity(r & z_mask), signs, odd, at)
        store_rows(amplitudes, lanes, first, rows, 0, low)
        if far:
            store_rows(amplitudes, other_lanes, second, rows, 8, low)
        base = ((base | held) + 1) & ~held
    return True


@jit
def apply_pauli_rotation(amplitudes, start, stop, fixed, value, x_mask, z_mask, entry):
    """exp(-i angle/2 P) with at least one X or Y; `entry` is cos(angle/2) + i sin(angle/2).

    A group is a pair b, b ^ x_mask; `fixed` are the controls and the highest bit of x_mask.
    """
    shared = x_mask & z_mask
    quarter_turns = 0
    while shared:
        shared &= shared - 1
        quarter_turns += 1
    # -i sin i^count and -i sin (-i)^count, the factors between the two members of a pair
    sine = entry.imag
    factors = np.empty(4, amplitudes.dtype)  # to x, even and odd parity of b & z_mask; to y, the same
    turn = quarter_turns & 3
    if turn == 0:
        factors[0] = complex(0.0, -sine)
    elif turn == 1:
        factors[0] = complex(-sine, 0.0)
    elif turn == 2:
        factors[0] = complex(0.0, sine)
    else:
        factors[0] = complex(sine, 0.0)
    factors[1] = -factors[0]
    factors[2] = factors[0] if turn & 1 == 0 else -factors[0]
    factors[3] = -factors[2]
    cosine = entry.real
    if stop - start >= LANES and rotate_tiles(
        amplitudes, start, stop, fixed, value, x_mask, z_mask, cosine, factors
    ):
        return
    base = deposit(start, fixed)
    for _ in range(start, stop):
        first = base | value
        second = first ^ x_mask
        odd = parity(first & z_mask)
        u = amplitudes[first]
        v = amplitudes[second]
        amplitudes[first] = cosine * u + factors[odd] * v
        amplitudes[second] = cosine * v + factors[2 + odd] * u
        base = ((base | fixed) + 1) & ~fixed
