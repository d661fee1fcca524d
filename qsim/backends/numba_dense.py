"""Numba kernels for dense matrices on one, two and more targets."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat `run_tape`.

from __future__ import annotations

import numpy as np

from qsim.backends.numba_bits import SHORT, deposit, low_run, spread
from qsim.backends.numba_jit import fused, jit
from qsim.backends.numba_rows import (
    LANES,
    VECTOR,
    load_rows,
    mix_four,
    mix_two,
    store_rows,
    sum_rows,
    tile_layout,
)

# ---- any targets, tile by tile --------------------------------------------------------------------------


@jit
def apply_dense_rows(amplitudes, start, stop, fixed, value, targets, m):
    """Any number of targets, a tile at a time, members as rows; False (and nothing done) if a tile is cut."""
    dim = 1 << targets.size
    low, log2_groups, held, lanes = tile_layout(fixed, fixed, amplitudes.size)
    if (start | stop) & ((1 << log2_groups) - 1):
        return False
    controls = fixed & low & ~spread(dim - 1, targets)  # those that choose among the rows of a block
    row_of = np.empty(dim, np.int64)
    offsets = np.empty(dim, np.int64)  # of the members without low bits, a block of rows each
    blocks = 0
    for j in range(dim):
        member = spread(j, targets)
        if member & low == 0:
            offsets[blocks] = member
            blocks += 1
    for j in range(dim):
        member = spread(j, targets)
        for block in range(blocks):
            if offsets[block] == member & ~low:
                row_of[j] = block * (low + 1) + (member & low)
    part = amplitudes[:1].real.dtype
    rows = np.empty((blocks * (low + 1), 2 * LANES), part)
    out = np.empty((blocks * (low + 1), 2 * LANES), part) if dim > 4 else rows
    ones = np.ones((1, 2 * LANES), part)
    step = VECTOR // out.itemsize
    base = deposit(start >> log2_groups, held)
    for _ in range(start, stop, 1 << log2_groups):
        first = base | (value & ~low)
        for block in range(blocks):
            load_rows(amplitudes, lanes, first | offsets[block], rows, block * (low + 1), low)
        if dim > 4 and controls:
            out[:] = rows
        for r in range(low + 1):
            if r & fixed == value & low:
                for at in range(0, LANES, step):
                    if dim == 2:
                        mix_two(rows, row_of, r, m, 0, ones, 0, at)
                    elif dim == 4:
                        mix_four(rows, row_of, r, m, 0, at)
                    else:
                        for j in range(dim):
                            sum_rows(rows, row_of, r, m, j * dim, out, row_of[j] + r, at)
        for block in range(blocks):
            store_rows(amplitudes, lanes, first | offsets[block], out, block * (low + 1), low)
        base = ((base | held) + 1) & ~held
    return True


@jit
def apply_dense(amplitudes, start, stop, fixed, value, targets, m):
    """Any number of targets >= 2."""
    if stop - start >= LANES and apply_dense_rows(amplitudes, start, stop, fixed, value, targets, m):
        return
    dim = 1 << targets.size
    offsets = np.empty(dim, np.int64)
    for j in range(dim):
        offsets[j] = spread(j, targets) | value
    members = np.empty(dim, amplitudes.dtype)
    base = deposit(start, fixed)
    for _ in range(start, stop):
        for j in range(dim):
            members[j] = amplitudes[base | offsets[j]]
        for j in range(dim):
            row = m[j * dim : (j + 1) * dim]
            total = row[0] * members[0]
            for c in range(1, dim):
                total += row[c] * members[c]
            amplitudes[base | offsets[j]] = total
        base = ((base | fixed) + 1) & ~fixed


# ---- one target, dense ----------------------------------------------------------------------------------


@fused
def dense1_run(x, y, m0, m1, m2, m3):
    for i in range(x.size):
        u = x[i]
        v = y[i]
        x[i] = m0 * u + m1 * v
        y[i] = m2 * u + m3 * v


@fused
def dense1_target0(x, m0, m1, m2, m3):
    for i in range(x.size // 2):
        u = x[2 * i]
        v = x[2 * i + 1]
        x[2 * i] = m0 * u + m1 * v
        x[2 * i + 1] = m2 * u + m3 * v


@fused
def dense1_target1(x, m0, m1, m2, m3):
    for i in range(x.size // 4):
        u = x[4 * i]
        v = x[4 * i + 2]
        s = x[4 * i + 1]
        t = x[4 * i + 3]
        x[4 * i] = m0 * u + m1 * v
        x[4 * i + 2] = m2 * u + m3 * v
        x[4 * i + 1] = m0 * s + m1 * t
        x[4 * i + 3] = m2 * s + m3 * t


@jit
def apply_dense1(amplitudes, start, stop, fixed, value, targets, m):
    target = 1 << targets[0]
    m0 = m[0]
    m1 = m[1]
    m2 = m[2]
    m3 = m[3]
    size = amplitudes.size
    run = low_run(fixed, size)
    others = fixed & ~target
    region = low_run(others, size)
    base = deposit(start, fixed)
    group = start
    if run >= SHORT:
        while group < stop:
            count = min(run - (group & (run - 1)), stop - group)
            first = base | value
            second = first | target
            dense1_run(amplitudes[first : first + count], amplitudes[second : second + count], m0, m1, m2, m3)
            group += count
            base = ((base | fixed) + count) & ~fixed
    elif target <= 2 and region >= max(2 * SHORT, min(4 * LANES, size)) and (start | stop) & (SHORT - 1) == 0:
        half = region // 2
        while group < stop:
            count = min(half - (group & (half - 1)), stop - group)
            first = base | value
            x = amplitudes[first : first + 2 * count]
            if target == 1:
                dense1_target0(x, m0, m1, m2, m3)
            else:
                dense1_target1(x, m0, m1, m2, m3)
            group += count
            base = ((base | others) + 2 * count) & ~others
    elif stop - start < LANES or not apply_dense_rows(amplitudes, start, stop, fixed, value, targets, m):
        for _ in range(start, stop):
            first = base | value
            second = first | target
            u = amplitudes[first]
            v = amplitudes[second]
            amplitudes[first] = m0 * u + m1 * v
            amplitudes[second] = m2 * u + m3 * v
            base = ((base | fixed) + 1) & ~fixed


# ---- two targets, dense ---------------------------------------------------------------------------------


@fused
def dense2_run(x0, x1, x2, x3, m):
    m00 = m[0]
    m01 = m[1]
    m02 = m[2]
    m03 = m[3]
    m10 = m[4]
    m11 = m[5]
    m12 = m[6]
    m13 = m[7]
    m20 = m[8]
    m21 = m[9]
    m22 = m[10]
    m23 = m[11]
    m30 = m[12]
    m31 = m[13]
    m32 = m[14]
    m33 = m[15]
    for i in range(x0.size):
        a = x0[i]
        b = x1[i]
        c = x2[i]
        d = x3[i]
        x0[i] = (m00 * a + m01 * b) + (m02 * c + m03 * d)
        x1[i] = (m10 * a + m11 * b) + (m12 * c + m13 * d)
        x2[i] = (m20 * a + m21 * b) + (m22 * c + m23 * d)
        x3[i] = (m30 * a + m31 * b) + (m32 * c + m33 * d)


@jit
def apply_dense2(amplitudes, start, stop, fixed, value, targets, m):
    first = 1 << targets[0]
    second = 1 << targets[1]
    run = low_run(fixed, amplitudes.size)
    base = deposit(start, fixed)
    group = start
    if run >= LANES:
        while group < stop:
            count = min(run - (group & (run - 1)), stop - group)
            p0 = base | value
            p1 = p0 | first
            p2 = p0 | second
            p3 = p1 | second
            dense2_run(
                amplitudes[p0 : p0 + count],
                amplitudes[p1 : p1 + count],
                amplitudes[p2 : p2 + count],
                amplitudes[p3 : p3 + count],
                m,
            )
            group += count
            base = ((base | fixed) + count) & ~fixed
    elif stop - start < LANES or not apply_dense_rows(amplitudes, start, stop, fixed, value, targets, m):
        for _ in range(start, stop):
            p0 = base | value
            p1 = p0 | first
            p2 = p0 | second
            p3 = p1 | second
            a = amplitudes[p0]
            b = amplitudes[p1]
            c = amplitudes[p2]
            d = amplitudes[p3]
            amplitudes[p0] = (m[0] * a + m[1] * b) + (m[2] * c + m[3] * d)
            amplitudes[p1] = (m[4] * a + m[5] * b) + (m[6] * c + m[7] * d)
            amplitudes[p2] = (m[8] * a + m[9] * b) + (m[10] * c + m[11] * d)
            amplitudes[p3] = (m[12] * a + m[13] * b) + (m[14] * c + m[15] * d)
            base = ((base | fixed) + 1) & ~fixed
