"""Numba kernels of adjoint differentiation: observables applied to states, the sweep over a reverse tape."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat `sweep_rows`.

from __future__ import annotations

import numpy as np

from qsim.backends.numba_bits import parity
from qsim.backends.numba_jit import jit
from qsim.backends.numba_kernels import apply_op, fill_entries
from qsim.backends.numba_reductions import LOG2_BLOCK, fold
from qsim.backends.numba_tape import CTRL, DATA, LOG2_UNITS, OPCODE, ROTATION, ROTATION_Z, TERMS, VALUE


@jit
def pauli_images(states, groups, terms, coefficients, log2_block, first_item, last_item, out):
    """Every observable applied to every state; an item is a block of amplitudes of a row."""
    size = 1 << log2_block
    blocks = states.shape[1] >> log2_block
    for item in range(first_item, last_item):
        row = item // blocks
        first = (item - row * blocks) << log2_block
        for observable in range(out.shape[1]):
            out[row, observable, first : first + size] = 0
        for g in range(groups.shape[0]):
            x_mask = groups[g, 0]
            for t in range(groups[g, 1], groups[g, 2]):
                factor = complex(0.0, coefficients[t]) if terms[t, 2] else complex(coefficients[t], 0.0)
                image = out[row, terms[t, 1]]
                for b in range(first, first + size):
                    sign = 1.0 - 2.0 * parity(b & terms[t, 0])
                    image[b] += sign * factor * states[row, b ^ x_mask]


@jit
def copy_where_on(source, target, mask, value, start, stop):
    """Amplitudes whose index has `value` in the bits of `mask`; zero elsewhere."""
    for i in range(start, stop):
        target[i] = source[i] if i & mask == value else 0


@jit
def real_products_run(out, x, y):
    for i in range(out.size):
        out[i] = np.float64(x[i].real) * np.float64(y[i].real) + np.float64(x[i].imag) * np.float64(y[i].imag)


@jit
def real_overlap(x, y, buffer):
    """Re <x|y>, summed block by block."""
    total = 0.0
    for first in range(0, x.size, buffer.size):
        real_products_run(buffer, x[first : first + buffer.size], y[first : first + buffer.size])
        total += fold(buffer, buffer.size)
    return total


@jit
def sweep_rows(
    states,
    cotangents,
    first_row,
    last_row,
    ops,
    reals,
    integers,
    constants,
    entries,
    buffer_size,
    angles,
    slots,
    weights,
    first_op,
    last_op,
    out,
):
    """Instructions first_op ... last_op - 1 of a reverse tape on whole rows.

    An inverse (slot -1) is applied to the state and its cotangents; a generator to a copy of the state, whose
    overlaps with the cotangents are the derivatives.
    """
    buffer = np.empty(buffer_size, states.dtype)
    scratch = np.empty(states.shape[1], states.dtype)
    products = np.empty(min(states.shape[1], 1 << LOG2_BLOCK), np.float64)
    for row in range(first_row, last_row):
        angles_row = row if angles.shape[0] > 1 else 0
        for i in range(first_op, last_op):
            op = ops[i]
            units = 1 << op[LOG2_UNITS]
            own = entries[op[DATA] :]
            if op[TERMS] > 0 or op[OPCODE] == ROTATION or op[OPCODE] == ROTATION_Z:
                fill_entries(op, reals[i], constants, angles, angles_row, buffer)
                own = buffer
            is_generator = slots[i] >= 0
            if is_generator:
                copy_where_on(states[row], scratch, op[CTRL], op[VALUE], 0, scratch.size)
            # one call for all: each call site of `apply_op` would compile all its loops once more
            for k in range(-1, 0 if is_generator else cotangents.shape[1]):
                target = scratch if is_generator else states[row] if k < 0 else cotangents[row, k]
                apply_op(target, op, integers, own, 0, units)
            if is_generator:
                for k in range(cotangents.shape[1]):
                    overlap = real_overlap(cotangents[row, k], scratch, products)
                    out[row, k, slots[i]] += 2.0 * weights[i] * overlap
