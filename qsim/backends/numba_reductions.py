"""Numba kernels that reduce statevectors to numbers.

Every reduction works on items: an item is a fixed block of one statevector and yields one partial result,
which the caller adds up in the order of the blocks. So the answer is the same to the last bit however the
items are shared out among threads. Inside a block, terms go to a buffer of doubles that is folded in halves:
pairwise summation, as vector instructions.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat `run_tape`.

from __future__ import annotations

import numpy as np

from qsim.backends.numba_bits import deposit, low_run, parity, spread
from qsim.backends.numba_jit import jit

#: Amplitudes of one block of a sum, as a power of two.
LOG2_BLOCK = 11
#: Amplitudes of one block of Pauli expectations: one Walsh-Hadamard transform.
LOG2_PAULI_BLOCK = 8
#: Terms of one x_mask for which sums with signs are quicker than one transform.
FEW_TERMS = 3
#: Marginal probabilities are summed for this many (2**8) outcomes side by side.
LOG2_OUTCOMES = 8


@jit
def add_run(x, y):
    for i in range(x.size):
        x[i] += y[i]


@jit
def fold(buffer, size):
    """Sum of the first `size` (a power of two) entries; overwrites them."""
    while size > 1:
        size >>= 1
        add_run(buffer[:size], buffer[size : 2 * size])
    return buffer[0]


@jit
def squares_run(out, x):
    for i in range(x.size):
        re = np.float64(x[i].real)
        im = np.float64(x[i].imag)
        out[i] = re * re + im * im


@jit
def products_run(re, im, x, y):
    """conj(x) y."""
    for i in range(x.size):
        a = np.float64(x[i].real)
        b = np.float64(x[i].imag)
        c = np.float64(y[i].real)
        d = np.float64(y[i].imag)
        re[i] = a * c + b * d
        im[i] = a * d - b * c


@jit
def norm_items(states, mask, value, log2_block, first_item, last_item, partial):
    """Squared norms of the amplitudes whose index has `value` in the bits of `mask`."""
    size = 1 << log2_block
    blocks = states.shape[1] >> log2_block
    buffer = np.empty(size, np.float64)
    low_mask = mask & (size - 1)
    low_value = value & (size - 1)
    for item in range(first_item, last_item):
        row = item // blocks
        first = (item - row * blocks) << log2_block
        if (first ^ value) & mask & ~(size - 1):
            partial[item] = 0.0
            continue
        squares_run(buffer, states[row, first : first + size])
        if low_mask:
            for i in range(size):
                if i & low_mask != low_value:
                    buffer[i] = 0.0
        partial[item] = fold(buffer, size)


@jit
def inner_items(left, right, log2_block, first_item, last_item, partial):
    """conj(left) . right, block by block."""
    size = 1 << log2_block
    blocks = left.shape[1] >> log2_block
    re = np.empty(size, np.float64)
    im = np.empty(size, np.float64)
    for item in range(first_item, last_item):
        row = item // blocks
        first = (item - row * blocks) << log2_block
        products_run(re, im, left[row, first : first + size], right[row, first : first + size])
        partial[item] = complex(fold(re, size), fold(im, size))


@jit
def collapse_items(state, mask, value, scale, log2_block, first_item, last_item):
    """Multiply the amplitudes whose index has `value` in the bits of `mask`; the rest becomes zero."""
    size = 1 << log2_block
    low_mask = mask & (size - 1)
    low_value = value & (size - 1)
    for item in range(first_item, last_item):
        block = state[item << log2_block : (item + 1) << log2_block]
        if ((item << log2_block) ^ value) & mask & ~(size - 1):
            block[:] = 0
        elif low_mask:
            for i in range(size):
                if i & low_mask == low_value:
                    block[i] *= scale[0]
                else:
                    block[i] = 0
        else:
            for i in range(size):
                block[i] *= scale[0]


# ---- marginal probabilities -----------------------------------------------------------------------------


@jit
def marginal_items(states, qubits, log2_outcomes, log2_rest, first_item, last_item, partial):
    """Probabilities of the outcomes of `qubits`.

    Item (row, chunk of the other qubits' patterns, block of outcomes) adds to its own row of `partial`,
    shape (items, 2**log2_outcomes); a chunk has 2**log2_rest patterns.
    """
    width = 1 << log2_outcomes
    mask = 0
    for t in range(qubits.size):
        mask |= 1 << qubits[t]
    blocks_log2 = qubits.size - log2_outcomes
    chunks = (states.shape[1] >> qubits.size) >> log2_rest
    low = np.empty(width, np.int64)
    consecutive = width >= 8
    for j in range(width):
        low[j] = spread(j, qubits)
        consecutive = consecutive and low[j] == j
    run = low_run(mask, 1 << log2_rest)
    buffer = np.empty(run if run >= 8 else width, np.float64)
    for item in range(first_item, last_item):
        block = item & ((1 << blocks_log2) - 1)
        chunk = (item >> blocks_log2) % chunks
        row = (item >> blocks_log2) // chunks
        out = partial[item]
        out[:] = 0.0
        state = states[row]
        offset = spread(block << log2_outcomes, qubits)
        # the first pattern of this chunk of the other qubits
        base = deposit(chunk << log2_rest, mask)
        if run >= 8:
            for _ in range(0, 1 << log2_rest, run):
                for j in range(width):
                    first = base | offset | low[j]
                    squares_run(buffer, state[first : first + run])
                    out[j] += fold(buffer, run)
                base = ((base | mask) + run) & ~mask
        else:
            for _ in range(1 << log2_rest):
                first = base | offset
                if consecutive:
                    squares_run(buffer, state[first : first + width])
                    add_run(out, buffer)
                else:
                    for j in range(width):
                        amplitude = state[first | low[j]]
                        re = np.float64(amplitude.real)
                        im = np.float64(amplitude.imag)
                        out[j] += re * re + im * im
                base = ((base | mask) + 1) & ~mask


# ---- sampling -------------------------------------------------------------------------------------------


@jit
def running_sums(state, log2_block, first_item, last_item, sums):
    """Block sums, term after term: `sample_items` adds in the same order and meets the same numbers."""
    for item in range(first_item, last_item):
        total = 0.0
        for i in range(item << log2_block, (item + 1) << log2_block):
            re = np.float64(state[i].real)
            im = np.float64(state[i].imag)
            total += re * re + im * im
        sums[item] = total


@jit
def sample_items(state, uniforms, starts, splits, log2_block, first_item, last_item, out):
    """Indices for ``uniforms[splits[b]:splits[b + 1]]`` (times the total), which all fall into block b."""
    for item in range(first_item, last_item):
        shot = splits[item]
        end = splits[item + 1]
        if shot == end:
            continue
        total = 0.0
        last = item << log2_block
        for i in range(item << log2_block, (item + 1) << log2_block):
            re = np.float64(state[i].real)
            im = np.float64(state[i].imag)
            weight = re * re + im * im
            total += weight
            reached = starts[item] + total
            if weight > 0.0:
                last = i
            while shot < end and uniforms[shot] < reached:
                out[shot] = i
                shot += 1
            if shot == end:
                break
        while shot < end:
            out[shot] = last
            shot += 1


# ---- Pauli sums -----------------------------------------------------------------------------------------


@jit
def butterflies(out_low, out_high, x):
    for i in range(out_low.size):
        u = x[2 * i]
        v = x[2 * i + 1]
        out_low[i] = u + v
        out_high[i] = u - v


@jit
def multiply_signs(out, x, signs):
    for i in range(out.size):
        out[i] = signs[i] * x[i]


@jit
def walsh_hadamard(buffer, scratch, size, wanted):
    """buffer[z] <- sum over i of (-1)**popcount(i & z) buffer[i], for all z within the bits `wanted`.

    Each stage transforms the lowest bit and moves it to the top, so that after as many stages as there are
    bits each is back in its place, and every stage is the same contiguous loop.
    """
    if not wanted:
        fold(buffer, size)
        return
    half = size >> 1
    stage = 1
    while stage < size:
        butterflies(scratch[:half], scratch[half:size], buffer)
        stage <<= 1
        if stage == size:
            buffer[:size] = scratch[:size]
        else:
            butterflies(buffer[:half], buffer[half:size], scratch)
            stage <<= 1


@jit
def add_pauli_terms(
    state, groups, first_group, last_group, terms, coefficients, first_block, last_block, out
):
    """Add the expectation values of Pauli terms over some blocks of one statevector to out[observable].

    ``groups[g]`` = x_mask, first term, end of terms, union of z_masks, parts needed (1 real, 2 imaginary);
    ``terms[t]`` = z_mask, observable,
    1 if the term needs the imaginary part of conj(state[b ^ x]) state[b] (its sign is in the coefficient).
    """
    size = min(1 << LOG2_PAULI_BLOCK, state.size)
    low_bits = size - 1
    re = np.empty(size, np.float64)
    im = np.empty(size, np.float64)
    scratch = np.empty(size, np.float64)
    signs = np.empty((FEW_TERMS, size), np.float64)
    for g in range(first_group, last_group):
        x_mask = groups[g, 0]
        wanted = groups[g, 3] & low_bits
        pivot = 0
        if x_mask > low_bits:
            pivot = 1
            while pivot <= x_mask >> 1:
                pivot <<= 1
        x_low = x_mask & low_bits
        # Up to FEW_TERMS sums of their own cost less than a transform that yields all.
        directly = wanted != 0 and groups[g, 2] - groups[g, 1] <= FEW_TERMS
        if directly:
            for t in range(groups[g, 1], groups[g, 2]):
                for i in range(size):
                    signs[t - groups[g, 1], i] = 1 - 2 * parity(i & terms[t, 0])
        for block in range(first_block, last_block):
            first = block * size
            if first & pivot:
                continue  # the other half of the pairs has the complex conjugate: counted twice below
            second = first ^ (x_mask - x_low)
            x = state[first : first + size]
            if x_mask == 0:
                squares_run(re, x)
            elif x_low == 0:
                products_run(re, im, state[second : second + size], x)
            else:
                y = state[second : second + size]
                for i in range(size):
                    a = np.complex128(y[i ^ x_low])
                    b = np.complex128(x[i])
                    re[i] = a.real * b.real + a.imag * b.imag
                    im[i] = a.real * b.imag - a.imag * b.real
            if groups[g, 4] & 1 and not directly:
                walsh_hadamard(re, scratch, size, wanted)
            if groups[g, 4] & 2 and not directly:
                walsh_hadamard(im, scratch, size, wanted)
            weight = 2.0 if pivot else 1.0
            for t in range(groups[g, 1], groups[g, 2]):
                z_mask = terms[t, 0]
                if directly:
                    multiply_signs(scratch, im if terms[t, 2] else re, signs[t - groups[g, 1]])
                    part = fold(scratch, size)
                else:
                    part = im[z_mask & low_bits] if terms[t, 2] else re[z_mask & low_bits]
                signed = -part if parity(z_mask & first) else part
                out[terms[t, 1]] += weight * coefficients[t] * signed


@jit
def pauli_items(
    states, groups, first_group, last_group, terms, coefficients, chunk_blocks, first_item, last_item, partial
):
    """Item (row, chunk of blocks) adds its terms to its own row of `partial` (items, observables)."""
    size = min(1 << LOG2_PAULI_BLOCK, states.shape[1])
    chunks = states.shape[1] // size // chunk_blocks
    for item in range(first_item, last_item):
        row = item // chunks
        block = (item - row * chunks) * chunk_blocks
        add_pauli_terms(
            states[row],
            groups,
            first_group,
            last_group,
            terms,
            coefficients,
            block,
            block + chunk_blocks,
            partial[item],
        )
