"""Numba kernels for dense matrices on one, two and more targets."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat `run_tape`.

from __future__ import annotations

import numpy as np

from qsim.backends.numba_bits import SHORT, deposit, low_run, spread
from qsim.backends.numba_jit import jit

# ---- one target, dense ----------------------------------------------------------------------------------


@jit
def dense1_run(x, y, m0, m1, m2, m3):
    for i in range(x.size):
        u = x[i]
        v = y[i]
        x[i] = m0 * u + m1 * v
        y[i] = m2 * u + m3 * v


@jit
def dense1_target0(x, m0, m1, m2, m3):
    for i in range(x.size // 2):
        u = x[2 * i]
        v = x[2 * i + 1]
        x[2 * i] = m0 * u + m1 * v
        x[2 * i + 1] = m2 * u + m3 * v


@jit
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
def apply_dense1(amplitudes, start, stop, fixed, value, target, m):
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
    elif target <= 2 and region >= 2 * SHORT and (start | stop) & (SHORT - 1) == 0:
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
    else:
        for _ in range(start, stop):
            first = base | value
            second = first | target
            u = amplitudes[first]
            v = amplitudes[second]
            amplitudes[first] = m0 * u + m1 * v
            amplitudes[second] = m2 * u + m3 * v
            base = ((base | fixed) + 1) & ~fixed


# ---- several targets, dense -----------------------------------------------------------------------------


@jit
def rows_of_four(out_re, out_im, re, im, c, m):
    """Add columns c ... c + 3 of one matrix row to `out`; real and imaginary parts apart, so no shuffles."""
    r0 = m[c].real
    i0 = m[c].imag
    r1 = m[c + 1].real
    i1 = m[c + 1].imag
    r2 = m[c + 2].real
    i2 = m[c + 2].imag
    r3 = m[c + 3].real
    i3 = m[c + 3].imag
    x0 = re[c]
    x1 = re[c + 1]
    x2 = re[c + 2]
    x3 = re[c + 3]
    y0 = im[c]
    y1 = im[c + 1]
    y2 = im[c + 2]
    y3 = im[c + 3]
    for i in range(out_re.size):
        out_re[i] += (r0 * x0[i] - i0 * y0[i] + r1 * x1[i] - i1 * y1[i]) + (
            r2 * x2[i] - i2 * y2[i] + r3 * x3[i] - i3 * y3[i]
        )
        out_im[i] += (r0 * y0[i] + i0 * x0[i] + r1 * y1[i] + i1 * x1[i]) + (
            r2 * y2[i] + i2 * x2[i] + r3 * y3[i] + i3 * x3[i]
        )


@jit
def gather(re, im, amplitudes, bases, offset, segment):
    """Copy one member of consecutive groups; `segment` of them are contiguous from each base on."""
    if segment < SHORT:
        i = 0
        for s in range(bases.size):
            for first in range(bases[s] | offset, (bases[s] | offset) + segment):
                amplitude = amplitudes[first]
                re[i] = amplitude.real
                im[i] = amplitude.imag
                i += 1
        return
    for s in range(bases.size):
        first = bases[s] | offset
        x = amplitudes[first : first + segment]
        for i in range(segment):
            re[s * segment + i] = x[i].real
            im[s * segment + i] = x[i].imag


@jit
def scatter(re, im, amplitudes, bases, offset, segment):
    if segment < SHORT:
        i = 0
        for s in range(bases.size):
            for first in range(bases[s] | offset, (bases[s] | offset) + segment):
                amplitudes[first] = complex(re[i], im[i])
                i += 1
        return
    for s in range(bases.size):
        first = bases[s] | offset
        x = amplitudes[first : first + segment]
        for i in range(segment):
            x[i] = complex(re[s * segment + i], im[s * segment + i])


@jit
def apply_dense(amplitudes, start, stop, fixed, value, targets, m):
    """Any number of targets >= 2: up to 128 groups at a time are gathered into rows, one row a member."""
    dim = 1 << targets.size
    offsets = np.empty(dim, np.int64)
    for j in range(dim):
        offsets[j] = spread(j, targets) | value
    base = deposit(start, fixed)
    if stop - start < SHORT:
        members = np.empty(dim, amplitudes.dtype)
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
        return
    # All three are powers of two, so segments fill the lanes and lanes the chunk without remainder.
    lanes = min(max(SHORT, min(128, 4096 >> targets.size)), stop - start)
    segment = min(low_run(fixed, amplitudes.size), lanes)
    bases = np.empty(lanes // segment, np.int64)
    part = amplitudes[:1].real.dtype
    re = np.empty((dim, lanes), part)
    im = np.empty((dim, lanes), part)
    out_re = np.empty(lanes, part)
    out_im = np.empty(lanes, part)
    for _ in range(start, stop, lanes):
        for s in range(bases.size):
            bases[s] = base
            base = ((base | fixed) + segment) & ~fixed
        for j in range(dim):
            gather(re[j], im[j], amplitudes, bases, offsets[j], segment)
        for j in range(dim):
            row = m[j * dim : (j + 1) * dim]
            out_re[:] = 0
            out_im[:] = 0
            for c in range(0, dim, 4):
                rows_of_four(out_re, out_im, re, im, c, row)
            scatter(out_re, out_im, amplitudes, bases, offsets[j], segment)


@jit
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
def dense2_target0(x, y, m):
    """The first target is qubit 0: x and y hold members 0, 1 and members 2, 3 side by side."""
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
    for i in range(x.size // 2):
        a = x[2 * i]
        b = x[2 * i + 1]
        c = y[2 * i]
        d = y[2 * i + 1]
        x[2 * i] = (m00 * a + m01 * b) + (m02 * c + m03 * d)
        x[2 * i + 1] = (m10 * a + m11 * b) + (m12 * c + m13 * d)
        y[2 * i] = (m20 * a + m21 * b) + (m22 * c + m23 * d)
        y[2 * i + 1] = (m30 * a + m31 * b) + (m32 * c + m33 * d)


@jit
def dense2_scattered(amplitudes, start, stop, fixed, value, first, second, m):
    """Members that lie closer than a vector are copied to rows, where they are contiguous."""
    lanes = min(64, stop - start)
    rows = np.empty((4, lanes), amplitudes.dtype)
    x0 = rows[0]
    x1 = rows[1]
    x2 = rows[2]
    x3 = rows[3]
    base = deposit(start, fixed)
    for _ in range(start, stop, lanes):
        begin = base
        for i in range(lanes):
            p = base | value
            x0[i] = amplitudes[p]
            x1[i] = amplitudes[p | first]
            x2[i] = amplitudes[p | second]
            x3[i] = amplitudes[p | first | second]
            base = ((base | fixed) + 1) & ~fixed
        dense2_run(x0, x1, x2, x3, m)
        base = begin
        for i in range(lanes):
            p = base | value
            amplitudes[p] = x0[i]
            amplitudes[p | first] = x1[i]
            amplitudes[p | second] = x2[i]
            amplitudes[p | first | second] = x3[i]
            base = ((base | fixed) + 1) & ~fixed


@jit
def apply_dense2(amplitudes, start, stop, fixed, value, targets, matrix):
    m = matrix[:16]
    low = targets[0]
    high = targets[1]
    if low > high:  # reorder the matrix so that its first target is the lower one
        low, high = high, low
        m = np.empty(16, matrix.dtype)
        for j in range(16):
            m[j] = matrix[(j & 5) << 1 | (j & 10) >> 1]
    first = 1 << low
    second = 1 << high
    size = amplitudes.size
    run = low_run(fixed, size)
    others = fixed & ~1
    region = low_run(others, size)
    base = deposit(start, fixed)
    group = start
    if run >= SHORT:
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
    elif low == 0 and region >= 2 * SHORT:
        half = region // 2
        while group < stop:
            count = min(half - (group & (half - 1)), stop - group)
            p0 = base | value
            p2 = p0 | second
            dense2_target0(amplitudes[p0 : p0 + 2 * count], amplitudes[p2 : p2 + 2 * count], m)
            group += count
            base = ((base | others) + 2 * count) & ~others
    elif stop - start >= SHORT:
        dense2_scattered(amplitudes, start, stop, fixed, value, first, second, m)
    else:
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
