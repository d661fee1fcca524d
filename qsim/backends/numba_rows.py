"""Blocks of amplitudes as rows of reals, for instructions on the lowest bits of the index.

A tile is `LANES` groups of amplitudes. In memory, members that differ in a low bit are neighbours, which no
vector instruction can combine; as rows, one for each value of those bits, they are as good as far apart.
Row r has the real parts of its lanes, then the imaginary ones. Turning 8 runs of 8 amplitudes into 8 rows is
a transposition LLVM does not find in loops, so its shuffles are written out here.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="import-untyped"
# Numba infers the types of kernels; annotations would only repeat `run_tape`.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from qsim.backends.numba_bits import deposit, low_run
from qsim.backends.numba_jit import jit

#: Groups of a tile.
LANES = 32
#: Mask of the index bits that become rows.
LOW_BITS = 7


def _vector_code(define: Callable[..., Any]) -> Any:
    """`numba.extending.intrinsic`, for type checkers: its functions lose their first argument."""
    return intrinsic(define)


def _transpose(builder, vectors, width):
    """Shuffles that transpose 8 vectors of 8 elements, each of `width` numbers."""
    for step in (1, 2, 4):
        keep = [c if not c & step else 8 + c - step for c in range(8)]
        other = [c + step if not c & step else 8 + c for c in range(8)]
        for i in range(8):
            if not i & step:
                pair = vectors[i], vectors[i + step]
                vectors[i] = _shuffle(builder, *pair, [width * c + w for c in keep for w in range(width)])
                vectors[i + step] = _shuffle(
                    builder, *pair, [width * c + w for c in other for w in range(width)]
                )
    return vectors


def _shuffle(builder, a, b, indices):
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), list(indices))
    return builder.shuffle_vector(a, b, mask)


def _block_codegen(count, load):
    """Copy `count` rows: 8 from as many runs, transposed, or one from a run of 8 lanes."""

    def codegen(context, builder, signature, args):
        x_type, lanes_type, _, _, rows_type, _ = signature.args
        x, lanes, at, offset, rows, row = args
        data = context.make_array(x_type)(context, builder, x).data
        starts = context.make_array(lanes_type)(context, builder, lanes).data
        reals = context.make_array(rows_type)(context, builder, rows).data
        real = context.get_data_type(rows_type.dtype)
        size = rows_type.dtype.bitwidth // 8
        half = ir.VectorType(real, 8)
        # A complex64 travels as one double, a complex128 as two; neither is computed with.
        width = size // 4
        block = ir.VectorType(ir.DoubleType(), 8 * width)
        pairs = ir.VectorType(real, 16)
        int64 = ir.IntType(64)
        order = _ORDER[size] if count == 8 else list(range(8))

        def at_lane(lane):
            start = builder.load(builder.gep(starts, [builder.add(at, int64(lane))]))
            return builder.bitcast(builder.gep(data, [builder.add(start, offset)]), block.as_pointer())

        def at_row(j, part):
            index = builder.mul(builder.add(row, int64(j)), int64(2 * LANES))
            index = builder.add(builder.add(index, at), int64(part * LANES))
            return builder.bitcast(builder.gep(reals, [index]), half.as_pointer())

        if load:
            vectors = [builder.load(at_lane(order[i]), align=size) for i in range(count)]
            vectors = _transpose(builder, vectors, width) if count == 8 else vectors
            for j in range(count):
                numbers = builder.bitcast(vectors[j], pairs)
                for part in range(2):
                    half_row = _shuffle(
                        builder, numbers, numbers, [2 * order.index(q) + part for q in range(8)]
                    )
                    builder.store(half_row, at_row(j, part), align=size)
        else:
            vectors = []
            for j in range(count):
                re, im = (builder.load(at_row(j, part), align=size) for part in range(2))
                numbers = _shuffle(builder, re, im, [order[c // 2] + 8 * (c & 1) for c in range(16)])
                vectors.append(builder.bitcast(numbers, block))
            vectors = _transpose(builder, vectors, width) if count == 8 else vectors
            for i in range(count):
                builder.store(vectors[i], at_lane(order[i]), align=size)
        return context.get_dummy_value()

    return codegen


#: Which of 8 lanes each vector of a transposition takes, by size of a real: the order in which AVX2 parts
#: real from imaginary numbers within its halves, without moving them across.
_ORDER = {4: [0, 1, 4, 5, 2, 3, 6, 7], 8: [0, 2, 1, 3, 4, 6, 5, 7]}


def _block_signature(x, lanes, rows):
    return types.void(x, lanes, types.int64, types.int64, rows, types.int64)


@_vector_code
def load_eight(typingctx, x, lanes, at, offset, rows, row):
    """rows[row + j, at + lane] <- x[lanes[at + lane] + offset + j] for j, lane in range(8)."""
    return _block_signature(x, lanes, rows), _block_codegen(8, load=True)


@_vector_code
def store_eight(typingctx, x, lanes, at, offset, rows, row):
    """x[lanes[at + lane] + offset + j] <- rows[row + j, at + lane] for j, lane in range(8)."""
    return _block_signature(x, lanes, rows), _block_codegen(8, load=False)


@_vector_code
def load_one(typingctx, x, lanes, at, offset, rows, row):
    """rows[row, at + lane] <- x[lanes[at] + offset + lane] for lane in range(8)."""
    return _block_signature(x, lanes, rows), _block_codegen(1, load=True)


@_vector_code
def store_one(typingctx, x, lanes, at, offset, rows, row):
    """x[lanes[at] + offset + lane] <- rows[row, at + lane] for lane in range(8)."""
    return _block_signature(x, lanes, rows), _block_codegen(1, load=False)


@jit
def load_rows(x, lanes, offset, rows, row, low):
    """Rows `row` and following: 8 for the members in the bits `low`, or one where runs are long."""
    for at in range(0, LANES, 8):
        if low:
            load_eight(x, lanes, at, offset, rows, row)
        else:
            load_one(x, lanes, at, offset, rows, row)


@jit
def store_rows(x, lanes, offset, rows, row, low):
    for at in range(0, LANES, 8):
        if low:
            store_eight(x, lanes, at, offset, rows, row)
        else:
            store_one(x, lanes, at, offset, rows, row)


@jit
def tile_layout(fixed, active, size):
    """How the groups between `fixed` bits are cut into tiles; runs end at the lowest `active` bit.

    Returns
    -------
    low : LOW_BITS, or 0 where runs are as long as a tile is wide.
    log2_groups : groups of a tile, more than `LANES` where low bits are neither targets nor controls.
    held : `fixed`, `low` and the bits that tell lanes apart; the remaining ones tell tiles apart.
    lanes : index of each lane, relative to the tile.
    """
    low = 0 if low_run(active, size) >= LANES else LOW_BITS
    log2_groups = 0
    free = low & ~fixed
    while free:
        free &= free - 1
        log2_groups += 1
    held = fixed | low
    lanes = np.empty(LANES, np.int64)
    for lane in range(LANES):
        lanes[lane] = deposit(lane, held)
    return low, log2_groups + 5, held | lanes[LANES - 1], lanes


# ---- arithmetic on rows ---------------------------------------------------------------------------------

#: Bytes of the vectors below: several registers, so that as many sums run side by side.
VECTOR = 128


class _Rows:
    """Vectors of consecutive lanes of an array of rows, as LLVM values."""

    def __init__(self, context, builder, rows_type, rows, at):
        self.builder = builder
        self.real = context.get_data_type(rows_type.dtype)
        self.align = rows_type.dtype.bitwidth // 8
        self.type = ir.VectorType(self.real, VECTOR // self.align)
        self.data = context.make_array(rows_type)(context, builder, rows).data
        self.at = at

    def _pointer(self, row, part):
        index = self.builder.mul(row, ir.IntType(64)(2 * LANES))
        index = self.builder.add(self.builder.add(index, self.at), ir.IntType(64)(part * LANES))
        return self.builder.bitcast(self.builder.gep(self.data, [index]), self.type.as_pointer())

    def load(self, row):
        return [self.builder.load(self._pointer(row, part), align=self.align) for part in range(2)]

    def store(self, row, values):
        for part in range(2):
            self.builder.store(values[part], self._pointer(row, part), align=self.align)

    def splat(self, number):
        one = self.builder.insert_element(ir.Constant(self.type, ir.Undefined), number, ir.IntType(32)(0))
        return _shuffle(self.builder, one, one, [0] * self.type.count)

    def add_product(self, total, factor, vector, *, minus=False):
        """total + or - factor * vector, which may be fused."""
        product = self.builder.fmul(factor, vector, flags=("contract",))
        add = self.builder.fsub if minus else self.builder.fadd
        return add(total, product, flags=("contract",))


@_vector_code
def sum_rows(typingctx, rows, row_of, offset, m, first, out, row, at):
    """out[row] <- sum over c of m[first + c] rows[row_of[c] + offset], for some lanes from `at` on."""

    def codegen(context, builder, signature, args):
        rows, row_of, offset, m, first, out, row, at = args
        source = _Rows(context, builder, signature.args[0], rows, at)
        target = _Rows(context, builder, signature.args[5], out, at)
        members = context.make_array(signature.args[1])(context, builder, row_of)
        matrix = context.make_array(signature.args[3])(context, builder, m).data
        parts = builder.bitcast(matrix, source.real.as_pointer())
        zero = ir.Constant(source.type, None)
        totals = [cgutils.alloca_once(builder, source.type) for _ in range(2)]
        for total in totals:
            builder.store(zero, total)
        with cgutils.for_range(builder, members.nitems) as loop:
            x = source.load(builder.add(builder.load(builder.gep(members.data, [loop.index])), offset))
            at_real = builder.mul(builder.add(first, loop.index), ir.IntType(64)(2))
            re, im = (
                source.splat(builder.load(builder.gep(parts, [builder.add(at_real, ir.IntType(64)(part))])))
                for part in range(2)
            )
            sums = [builder.load(total) for total in totals]
            sums = [source.add_product(sums[0], re, x[0]), source.add_product(sums[1], re, x[1])]
            builder.store(source.add_product(sums[0], im, x[1], minus=True), totals[0])
            builder.store(source.add_product(sums[1], im, x[0]), totals[1])
        target.store(row, [builder.load(total) for total in totals])
        return context.get_dummy_value()

    integer = types.int64
    return types.void(rows, row_of, integer, m, integer, out, integer, integer), codegen


def _mix_codegen(count, at_signs):
    """In place: the rows of `count` members, multiplied by a matrix; all sums of some lanes at once."""

    def codegen(context, builder, signature, args):
        rows, row_of, offset, m, first, *signs, at = args
        vectors = _Rows(context, builder, signature.args[0], rows, at)
        members = context.make_array(signature.args[1])(context, builder, row_of).data
        matrix = context.make_array(signature.args[3])(context, builder, m).data
        parts = builder.bitcast(matrix, vectors.real.as_pointer())
        int64 = ir.IntType(64)

        def entry(index):
            at_real = builder.mul(builder.add(first, int64(index)), int64(2))
            return [
                vectors.splat(builder.load(builder.gep(parts, [builder.add(at_real, int64(part))])))
                for part in range(2)
            ]

        places = [builder.add(builder.load(builder.gep(members, [int64(c)])), offset) for c in range(count)]
        x = [vectors.load(place) for place in places]
        if signs:
            sign = _Rows(context, builder, signature.args[at_signs], signs[0], at).load(signs[1])[0]
            x[-1] = [builder.fmul(sign, part) for part in x[-1]]
        for j in range(count):
            for c in range(count):
                re, im = entry(count * j + c)
                if c == 0:
                    total = [builder.fmul(re, part, flags=("contract",)) for part in x[0]]
                else:
                    total = [vectors.add_product(total[part], re, x[c][part]) for part in range(2)]
                total[0] = vectors.add_product(total[0], im, x[c][1], minus=True)
                total[1] = vectors.add_product(total[1], im, x[c][0])
            if signs and j == count - 1:
                total = [builder.fmul(sign, part) for part in total]
            vectors.store(places[j], total)
        return context.get_dummy_value()

    return codegen


@_vector_code
def mix_two(typingctx, rows, row_of, offset, m, first, signs, sign_row, at):
    """(u, s v) <- (2, 2) matrix m[first:] times (u, s v), s = signs[sign_row]; some lanes from `at` on."""
    integer = types.int64
    arguments = rows, row_of, integer, m, integer, signs, integer, integer
    return types.void(*arguments), _mix_codegen(2, at_signs=5)


@_vector_code
def mix_four(typingctx, rows, row_of, offset, m, first, at):
    """Four rows <- (4, 4) matrix m[first:] times these, for some lanes from `at` on."""
    integer = types.int64
    return types.void(rows, row_of, integer, m, integer, integer), _mix_codegen(4, at_signs=None)
