"""Numba kernels of batches whose members are the innermost axis of an array: lane programs.

A group of members is an array (2**n, 2 L): L real parts, then L imaginary parts of each amplitude. What a
member's result is made of is never mixed with another's.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat those of the drivers at the end.

from __future__ import annotations

import numpy as np

from qsim.backends.numba_jit import fused, jit
from qsim.program.lanes import MIX, PHASES

__all__ = ["LANES", "gradient_groups", "state_groups", "value_groups"]

#: Members of a group: two registers of the widest there are, in double precision.
LANES = 16
#: Angles up to here lose nothing that matters when they are added up.
_SMALL_ANGLE = 64.0


# ---- angles ----------------------------------------------------------------------------------------------


@jit
def lane_angles(program, angles, first_row, out):
    """The angles of the members from `first_row` on; the last row stands in for those beyond it."""
    constants, first, slots, weights = program[0], program[1], program[2], program[3]
    last = angles.shape[0] - 1
    for i in range(out.shape[0]):
        for lane in range(LANES):
            row = min(first_row + lane, last)
            total = constants[i]
            for t in range(first[i], first[i + 1]):
                total += weights[t] * angles[row, slots[t]]
            if not abs(total) < _SMALL_ANGLE:
                total = np.arctan2(np.sin(total), np.cos(total))
            out[i, lane] = total


@jit
def add_and_subtract(values, i, j):
    for lane in range(LANES):
        a, b = values[i, lane], values[j, lane]
        values[i, lane] = a + b
        values[j, lane] = a - b


@jit
def walsh(values):
    """Walsh-Hadamard transform of rows, in place."""
    half = 1
    while half < values.shape[0]:
        for high in range(0, values.shape[0], 2 * half):
            for i in range(high, high + half):
                add_and_subtract(values, i, i + half)
        half *= 2


@jit
def phase_tables(program, angles, tables, exponents):
    """exp(i sum of +- angles) over both lists of every phase step."""
    steps, turns, parts, plans = program[4], program[5], program[6], program[7]
    for s in range(steps.shape[0]):
        if steps[s, 0] != PHASES:
            continue
        low_bits, num_high, num_patterns, _, place = plans[steps[s, 3]]
        num_low, num_variants = 1 << low_bits, 1 << num_patterns
        count = num_low * num_variants + num_high
        exponents[:count] = 0.0
        for m in range(steps[s, 1], steps[s, 2]):
            low, high, own = parts[m]
            if low == 0 and high != 0:
                for lane in range(LANES):
                    exponents[num_low * num_variants + high, lane] += angles[turns.shape[0] + m, lane]
                continue
            for v in range(num_variants):
                sign = -1.0 if own >= 0 and (v >> own) & 1 else 1.0
                for lane in range(LANES):
                    exponents[v * num_low + low, lane] += sign * angles[turns.shape[0] + m, lane]
        for v in range(num_variants):
            walsh(exponents[v * num_low : (v + 1) * num_low])
        walsh(exponents[num_low * num_variants : count])
        for i in range(count):
            for lane in range(LANES):
                tables[place + i, lane] = np.cos(exponents[i, lane])
                tables[place + i, LANES + lane] = np.sin(exponents[i, lane])


@jit
def turn_table(angles, out):
    """cos and sin of turns, each twice: for real and for imaginary parts."""
    for i in range(out.shape[0]):
        for lane in range(LANES):
            c, s = np.cos(angles[i, lane]), np.sin(angles[i, lane])
            out[i, 0, lane] = out[i, 0, LANES + lane] = c
            out[i, 1, lane] = out[i, 1, LANES + lane] = s


# ---- gates -----------------------------------------------------------------------------------------------


# Rows are named by their numbers: a slice would be counted up and down as an object, which takes longer than
# what is done with it.


@fused
def turn_pair(state, a, b, cos_sin, t, sign):
    for i in range(2 * LANES):
        x, y = state[a, i], state[b, i]
        state[a, i] = cos_sin[t, 0, i] * x - sign * cos_sin[t, 1, i] * y
        state[b, i] = sign * cos_sin[t, 1, i] * x + cos_sin[t, 0, i] * y


@fused
def turn(state, parities, x, z, cos_sin, t, sign):
    for b in range(state.shape[0]):
        if not parities[b & z]:
            turn_pair(state, b, b ^ x, cos_sin, t, sign)


@fused
def phase_row(state, b, tables, f, t, sign):
    for lane in range(LANES):
        i = LANES + lane
        re = tables[f, lane] * tables[t, lane] - tables[f, i] * tables[t, i]
        im = sign * (tables[f, lane] * tables[t, i] + tables[f, i] * tables[t, lane])
        x, y = state[b, lane], state[b, i]
        state[b, lane] = re * x - im * y
        state[b, i] = re * y + im * x


@fused
def phases(state, plan, lists, tables, sign):
    low_bits, num_high, num_patterns, at, place = plan
    num_low = 1 << low_bits
    factors = place + (num_low << num_patterns)
    for h in range(num_high):
        first = place + lists[at + num_low + num_high + h] * num_low
        for l in range(num_low):  # noqa: E741
            index = lists[at + l] ^ lists[at + num_low + h]
            phase_row(state, index, tables, factors + h, first + l, sign)


@fused
def add_scaled(to, b, re, im, old, h):
    """Row b of `to` gains a complex number times row h of `old`."""
    for lane in range(LANES):
        i = LANES + lane
        to[b, lane] += re * old[h, lane] - im * old[h, i]
        to[b, i] += re * old[h, i] + im * old[h, lane]


@fused
def matrix_groups(state, parities, row, qubits, entries, inverse):
    """A constant matrix where all controls match; group members are gathered and written back."""
    k, num_controls = row[0], row[1]
    dim = 1 << k
    offsets = np.zeros(dim, np.int64)
    for g in range(dim):
        for i in range(k):
            if (g >> i) & 1:
                offsets[g] ^= qubits[row[2] + i, 0]
    old = np.empty((dim, state.shape[1]), state.dtype)
    for b in range(state.shape[0]):
        on = True
        for i in range(k + num_controls):
            on &= parities[b & qubits[row[2] + i, 1]] == qubits[row[2] + i, 2]
        if not on:
            continue
        for g in range(dim):
            old[g] = state[b ^ offsets[g]]
        for g in range(dim):
            new = b ^ offsets[g]
            state[new] = 0
            for h in range(dim):
                value = (
                    entries[row[3] + h * dim + g].conjugate() if inverse else entries[row[3] + g * dim + h]
                )
                re, im = state.dtype.type(value.real), state.dtype.type(value.imag)
                add_scaled(state, new, re, im, old, h)


@jit
def run_steps(state, program, cos_sin, tables):
    steps, turns, plans, lists = program[4], program[5], program[7], program[8]
    one = state.dtype.type(1)
    for s in range(steps.shape[0]):
        if steps[s, 0] == MIX:
            for t in range(steps[s, 1], steps[s, 2]):
                turn(state, program[12], turns[t, 0], turns[t, 1], cos_sin, t, one)
        elif steps[s, 0] == PHASES:
            phases(state, plans[steps[s, 3]], lists, tables, one)
        else:
            matrix_groups(state, program[12], program[9][steps[s, 3]], program[10], program[11], False)


@jit
def start(state, initial, first_row):
    """|0...0>, or rows of given states if there are any."""
    state[:] = 0
    if initial.shape[0] == 0:
        state[0, :LANES] = 1
        return
    last = initial.shape[0] - 1
    for lane in range(LANES):
        row = min(first_row + lane, last) if last else 0
        for b in range(state.shape[0]):
            state[b, lane] = initial[row, b].real
            state[b, LANES + lane] = initial[row, b].imag


@jit
def bind(program, angles, first_row, num_entries, real):
    """Coefficients of the members from `first_row` on: of turns, and of phases."""
    values = np.empty((program[0].size, LANES))
    lane_angles(program, angles, first_row, values)
    cos_sin = np.empty((program[5].shape[0], 2, 2 * LANES), real.dtype)
    turn_table(values, cos_sin)
    tables = np.empty((num_entries, 2 * LANES), real.dtype)
    phase_tables(program, values, tables, np.empty((num_entries, LANES)))
    return cos_sin, tables


# ---- what is read off ------------------------------------------------------------------------------------


@fused
def add_product(state, b, other, c, s, out, k):
    for lane in range(LANES):
        a, d = np.float64(state[b, lane]), np.float64(state[b, LANES + lane])
        e, f = np.float64(state[other, lane]), np.float64(state[other, LANES + lane])
        out[k, lane] += c * (a * e + d * f) - s * (a * f - d * e)


@jit
def group_values(state, observables, out):
    numbers, x_masks, re, im = observables
    out[:] = 0.0
    for e in range(numbers.size):
        for b in range(state.shape[0]):  # Re table[b] conj(psi_b) psi_{b ^ x}
            add_product(state, b, b ^ x_masks[e], re[e, b], im[e, b], out, numbers[e])


# ---- backwards -------------------------------------------------------------------------------------------


@fused
def add_turn_overlap(state, cotangent, a, b, out, t):
    """out[t] += Re <cotangent| d state / d angle>, of one pair."""
    for lane in range(LANES):
        i = LANES + lane
        re = cotangent[b, lane] * state[a, lane] - cotangent[a, lane] * state[b, lane]
        im = cotangent[b, i] * state[a, i] - cotangent[a, i] * state[b, i]
        out[t, lane] += np.float64(re + im)


@fused
def phase_overlap(state, cotangent, b, out, place):
    for lane in range(LANES):
        i = LANES + lane
        out[place, lane] = cotangent[b, lane] * state[b, i] - cotangent[b, i] * state[b, lane]


@fused
def phase_overlaps(state, cotangent, plan, lists, out):
    """Im(conj(cotangent) state) of every amplitude, in the order of the step's basis."""
    num_low, num_high, at = 1 << plan[0], plan[1], plan[3]
    for h in range(num_high):
        for l in range(num_low):  # noqa: E741
            phase_overlap(state, cotangent, lists[at + l] ^ lists[at + num_low + h], out, h * num_low + l)


@jit
def run_back(states, program, cos_sin, tables, wanted, sums):
    """`states` are that at the end and its cotangents; sums (cotangents, angles, members) gain half of every
    derivative that is wanted."""
    steps, turns, parts, plans, lists = program[4], program[5], program[6], program[7], program[8]
    minus = states.dtype.type(-1)
    overlaps = np.empty((states.shape[1], LANES))
    for s in range(steps.shape[0] - 1, -1, -1):
        kind, first, last, own = steps[s]
        if kind == MIX:
            for t in range(first, last):
                for k in range(states.shape[0]):
                    if k == 0 or not wanted[t]:
                        continue
                    for b in range(states.shape[1]):
                        if not program[12][b & turns[t, 1]]:
                            add_turn_overlap(states[0], states[k], b, b ^ turns[t, 0], sums[k - 1], t)
                for k in range(states.shape[0]):
                    turn(states[k], program[12], turns[t, 0], turns[t, 1], cos_sin, t, minus)
        elif kind == PHASES:
            offset = turns.shape[0]
            if wanted[offset + first : offset + last].any():
                for k in range(1, states.shape[0]):
                    phase_overlaps(states[0], states[k], plans[own], lists, overlaps)
                    walsh(overlaps)
                    for m in range(first, last):
                        mask = parts[m, 0] | parts[m, 1] << plans[own, 0]
                        for lane in range(LANES):
                            sums[k - 1, offset + m, lane] -= overlaps[mask, lane]
            for k in range(states.shape[0]):
                phases(states[k], plans[own], lists, tables, minus)
        else:
            for k in range(states.shape[0]):
                matrix_groups(states[k], program[12], program[9][own], program[10], program[11], True)


# ---- drivers: groups first_group ... last_group - 1 ------------------------------------------------------


@jit
def state_groups(program, num_entries, initial, angles, places, first_group, last_group, real, out):
    state = np.empty((out.shape[1], 2 * LANES), real.dtype)
    for group in range(first_group, last_group):
        first = group * LANES
        cos_sin, tables = bind(program, angles, first, num_entries, real)
        start(state, initial, first)
        run_steps(state, program, cos_sin, tables)
        for lane in range(min(LANES, out.shape[0] - first)):
            for b in range(out.shape[1]):
                out[first + lane, b] = complex(state[places[b], lane], state[places[b], LANES + lane])


@jit
def value_groups(program, num_entries, initial, angles, observables, first_group, last_group, real, dim, out):
    state = np.empty((dim, 2 * LANES), real.dtype)
    values = np.empty((out.shape[1], LANES))
    for group in range(first_group, last_group):
        first = group * LANES
        cos_sin, tables = bind(program, angles, first, num_entries, real)
        start(state, initial, first)
        run_steps(state, program, cos_sin, tables)
        group_values(state, observables, values)
        for lane in range(min(LANES, out.shape[0] - first)):
            out[first + lane] = values[:, lane]


@jit
def add_slopes(program, sums, first, slopes):
    first_terms, slots, weights = program[1], program[2], program[3]
    for lane in range(min(LANES, slopes.shape[0] - first)):
        for k in range(slopes.shape[1]):
            for i in range(program[0].size):
                for t in range(first_terms[i], first_terms[i + 1]):
                    slopes[first + lane, k, slots[t]] += 2.0 * weights[t] * sums[k, i, lane]


@jit
def gradient_groups(
    program,
    num_entries,
    initial,
    angles,
    observables,
    wanted,
    first_group,
    last_group,
    real,
    dim,
    out,
    slopes,
):
    count = out.shape[1]
    states = np.empty((count + 1, dim, 2 * LANES), real.dtype)
    values = np.empty((count, LANES))
    sums = np.empty((count, program[0].size, LANES))
    numbers, x_masks, re, im = observables
    for group in range(first_group, last_group):
        first = group * LANES
        cos_sin, tables = bind(program, angles, first, num_entries, real)
        start(states[0], initial, first)
        run_steps(states[0], program, cos_sin, tables)
        group_values(states[0], observables, values)
        states[1:] = 0
        for e in range(numbers.size):
            for b in range(dim):
                c, s = real.dtype.type(re[e, b]), real.dtype.type(im[e, b])
                add_scaled(states[numbers[e] + 1], b, c, s, states[0], b ^ x_masks[e])
        sums[:] = 0.0
        run_back(states, program, cos_sin, tables, wanted, sums)
        add_slopes(program, sums, first, slopes)
        for lane in range(min(LANES, out.shape[0] - first)):
            out[first + lane] = values[:, lane]


@jit
def sweep_groups(
    program, num_entries, ends, cotangents, angles, places, wanted, first_group, last_group, real, slopes
):
    count, dim = cotangents.shape[1], cotangents.shape[2]
    states = np.empty((count + 1, dim, 2 * LANES), real.dtype)
    sums = np.empty((count, program[0].size, LANES))
    for group in range(first_group, last_group):
        first = group * LANES
        cos_sin, tables = bind(program, angles, first, num_entries, real)
        for lane in range(LANES):
            row = min(first + lane, ends.shape[0] - 1)
            for b in range(dim):
                states[0, places[b], lane] = ends[row, b].real
                states[0, places[b], LANES + lane] = ends[row, b].imag
                for k in range(count):
                    states[k + 1, places[b], lane] = cotangents[row, k, b].real
                    states[k + 1, places[b], LANES + lane] = cotangents[row, k, b].imag
        sums[:] = 0.0
        run_back(states, program, cos_sin, tables, wanted, sums)
        add_slopes(program, sums, first, slopes)
