"""From a tape to the flat tables the Numba kernels read, with everything checked that they do not check.

Compiled kernels index without bounds checks, so whatever a tape says must be proved here: offsets inside the
pools, qubits inside the register, targets and controls apart.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from qsim.errors import ArgumentError
from qsim.program.tape import INSTRUCTION, SEGMENT, Pattern, Tape

__all__ = ["CompiledTape", "compile_tape", "count_bits"]

Integers = npt.NDArray[np.int64]

# Columns of the table of operations; the kernels use these names.
OPCODE, TERMS, SLOT, CTRL, VALUE, FIXED, DATA, TARGETS, NUM_TARGETS, X_MASK, Z_MASK, LOG2_UNITS, WIDTH = (
    range(13)
)
NUM_COLUMNS = 13

# Opcodes: one loop each.
DENSE1, DENSE2, DENSE, DIAGONAL_RUNS, DIAGONAL_TABLE, DIAGONAL_LIST = range(6)
INVOLUTION, PERMUTATION, ROTATION_Z, ROTATION, PREPARE = range(6, 11)

_SINGLE = np.dtype(np.complex64)

MAX_QUBITS = 60  # index masks are non-negative int64
MAX_TARGETS = 31  # permutations name their sources in int32
MAX_DENSE = 14  # 4 GiB of matrix
LOG2_PERIOD = 6
LOG2_LIST = 9
LOG2_RUN = 10
MIN_RUN = 16  # shorter runs of a diagonal cost more to call than to multiply by ones
MAX_HIGH_TARGETS = 5
#: Entries of a parametrised instruction up to which every chunk computes them for itself.
MAX_CHUNK_ENTRIES = 1 << 12


def count_bits(masks: Integers) -> Integers:
    """Number of set bits of each mask."""
    return np.bitwise_count(masks).astype(np.int64)


class CompiledTape:
    """A checked tape as the arrays kernels take; immutable once built.

    Attributes
    ----------
    ops : ndarray (num_ops, 13), int64
        One row an instruction; the columns are this module's OPCODE ... WIDTH.
    reals : ndarray (num_ops, 2), float64
        Scale and shift of the angle.
    integers : ndarray, int64
        The tape's pool, widened once for indexing.
    constants : ndarray, complex128
    big_entries : ndarray (num_ops,), bool
        Parametrised instructions with so many entries that they are computed once and not by every chunk.
    buffer_size, chunk_buffer_size : int
        Entries of the largest parametrised instruction; the same without the big ones.
    costs : ndarray (num_ops,), float64
        Nanoseconds per instruction, roughly: decides how work is cut, never a result.
    """

    def __init__(
        self,
        num_qubits: int,
        num_slots: int,
        ops: Integers,
        reals: npt.NDArray[np.float64],
        integers: Integers,
        constants: npt.NDArray[np.complex128],
    ) -> None:
        self.num_qubits = num_qubits
        self.num_slots = num_slots
        self.ops = ops
        self.reals = reals
        self.integers = integers
        self.constants = constants
        opcodes, num_targets = ops[:, OPCODE], ops[:, NUM_TARGETS]
        dense = (opcodes == DENSE1) | (opcodes == DENSE2) | (opcodes == DENSE)
        entries = np.where(opcodes == PREPARE, 1, 0) + (1 << np.where(dense, 2 * num_targets, num_targets))
        parametrised = ops[:, TERMS] > 0
        self.big_entries = parametrised & (entries > MAX_CHUNK_ENTRIES)
        self.buffer_size = int(entries[parametrised].max(initial=1))
        self.chunk_buffer_size = int(entries[parametrised & ~self.big_entries].max(initial=1))
        amplitudes = 2.0 ** (num_qubits - count_bits(ops[:, CTRL]))
        per_amplitude = np.where(dense, 1.0 + 2.0**num_targets / 2, 2.0)
        self.costs = 50.0 + amplitudes * per_amplitude + 20.0 * entries * ops[:, TERMS]
        self.total_cost = float(self.costs.sum())

    @cached_property
    def single_constants(self) -> npt.NDArray[np.complex64]:
        """The constants as single precision states need them."""
        return self.constants.astype(np.complex64)

    def entries(self, dtype: npt.DTypeLike) -> npt.NDArray[np.complexfloating]:
        """The constants in the states' own dtype."""
        return self.single_constants if dtype == _SINGLE else self.constants


def _fail(index: int, what: str) -> None:
    raise ArgumentError(f"Argument `tape` must be a valid tape, but instruction {index} {what}.")


def _require(valid: npt.NDArray[np.bool_], what: str, where: Integers | None = None) -> None:
    if not valid.all():
        index = int(np.argmin(valid))
        _fail(index if where is None else int(where[index]), what)


def _check_pools(tape: Tape) -> None:
    if not isinstance(tape, Tape):
        raise TypeError(f"Argument `tape` must be a Tape, but is {type(tape).__name__}.")
    if not 0 <= tape.num_qubits <= MAX_QUBITS:
        raise ArgumentError(f"Argument `tape` must have 0 to {MAX_QUBITS} qubits, but has {tape.num_qubits}.")
    if tape.num_slots < 0:
        raise ArgumentError(f"Argument `tape` must have `num_slots` >= 0, but has {tape.num_slots}.")
    for name, dtype in (("instructions", INSTRUCTION), ("integers", np.int32), ("constants", np.complex128)):
        array = getattr(tape, name)
        if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype != dtype:
            raise ArgumentError(
                f"Argument `tape` must have `{name}` as a 1-D array of {np.dtype(dtype).name}."
            )


def _check_segments(tape: Tape) -> None:
    """Segments cover the instructions in order; these kernels need to know no more about them."""
    segments = tape.segments
    if not isinstance(segments, np.ndarray) or segments.ndim != 1 or segments.dtype != SEGMENT:
        raise ArgumentError("Argument `tape` must have `segments` as a 1-D array of SEGMENT.")
    edges = np.append(0, segments["stop"])
    if (
        (segments["start"] != edges[:-1]).any()
        or (np.diff(edges) < 0).any()
        or edges[-1] != len(tape.instructions)
    ):
        raise ArgumentError("Argument `tape` must have segments that cover all instructions in their order.")


def compile_tape(tape: Tape) -> CompiledTape:
    """Check `tape` and choose a loop for each instruction.

    Raises
    ------
    ArgumentError
        If an offset, qubit, mask or slot is out of range, or targets and controls overlap.
    """
    _check_pools(tape)
    _check_segments(tape)
    num_qubits = tape.num_qubits
    records = tape.instructions
    integers = tape.integers.astype(np.int64)
    constants = np.array(tape.constants, dtype=np.complex128)
    size = np.uint64(1 << num_qubits)
    for name in ("ctrl_mask", "ctrl_value", "x_mask", "z_mask"):
        _require(records[name] < size, f"has a bit in `{name}` that is not one of its {num_qubits} qubits")

    ops = np.zeros((len(records), NUM_COLUMNS), np.int64)
    pattern = records["pattern"].astype(np.int64)
    ops[:, NUM_TARGETS] = records["num_targets"]
    ops[:, TERMS] = records["num_terms"]
    ops[:, SLOT] = records["slot"]
    ctrl = ops[:, CTRL] = records["ctrl_mask"].astype(np.int64)
    ops[:, VALUE] = records["ctrl_value"]
    ops[:, DATA] = records["data"]
    ops[:, TARGETS] = records["targets"]
    x_mask = ops[:, X_MASK] = records["x_mask"].astype(np.int64)
    ops[:, Z_MASK] = records["z_mask"]
    k = ops[:, NUM_TARGETS]
    reals = np.stack([records["scale"], records["shift"]], axis=1)

    rotation = pattern == Pattern.PAULI_ROTATION
    _require(pattern <= Pattern.PREPARE, "has an unknown pattern")
    _require((ops[:, SLOT] >= -1) & (ops[:, SLOT] < tape.num_slots), "has a slot that `angles` does not have")
    _require(ops[:, VALUE] & ~ctrl == 0, "has a control value outside its controls")
    _require(k <= num_qubits, "has more targets than there are qubits")
    _require(~rotation | (k == 0), "is a Pauli rotation with targets; it takes masks")
    _require(~rotation | ((x_mask | ops[:, Z_MASK]) & ctrl == 0), "has a qubit both as target and as control")
    _require((k >= 1) | rotation | (pattern == Pattern.DIAGONAL), "has no target")
    _require(k <= MAX_TARGETS, f"has more than {MAX_TARGETS} targets")
    _require(
        (pattern != Pattern.DENSE) | (k <= MAX_DENSE), f"is a dense matrix on more than {MAX_DENSE} qubits"
    )
    ops[rotation | (pattern == Pattern.PERMUTATION) | (pattern == Pattern.PREPARE), TERMS] = 0

    target_masks, lowest, involution = _check_targets(pattern, ops, integers, num_qubits)
    _check_data(pattern, ops, len(constants))
    _choose_loops(pattern, ops, target_masks, lowest, involution, integers, num_qubits)
    return CompiledTape(num_qubits, tape.num_slots, ops, reals, integers, constants)


def _check_targets(
    pattern: Integers, ops: Integers, integers: Integers, num_qubits: int
) -> tuple[Integers, Integers, npt.NDArray[np.bool_]]:
    """Masks of targets, number of targets above the period, and which permutations undo themselves."""
    masks = np.zeros(len(ops), np.int64)
    high = np.zeros(len(ops), np.int64)
    involution = np.zeros(len(ops), np.bool_)
    for k in np.unique(ops[:, NUM_TARGETS]):
        if k == 0:
            continue
        rows = np.flatnonzero(ops[:, NUM_TARGETS] == k)
        offsets = ops[rows, TARGETS]
        _require((offsets >= 0) & (offsets <= len(integers) - k), "has targets outside `integers`", rows)
        targets = integers[offsets[:, None] + np.arange(k)]
        _require(((targets >= 0) & (targets < num_qubits)).all(axis=1), "has a target out of range", rows)
        bits = np.left_shift(np.int64(1), targets)
        masks[rows] = np.bitwise_or.reduce(bits, axis=1)
        _require(masks[rows] == bits.sum(axis=1), "has a target twice", rows)
        _require(masks[rows] & ops[rows, CTRL] == 0, "has a qubit both as target and as control", rows)
        high[rows] = (targets >= min(num_qubits, LOG2_PERIOD)).sum(axis=1)
        rows = rows[pattern[rows] == Pattern.PERMUTATION]
        if len(rows) == 0:
            continue
        dim = 1 << int(k)
        offsets = ops[rows, TARGETS] + k
        _require(offsets <= len(integers) - dim, "has sources outside `integers`", rows)
        step = max(1, (1 << 20) // dim)  # bounds the memory of the two index arrays
        for begin in range(0, len(rows), step):
            some = rows[begin : begin + step]
            sources = integers[offsets[begin : begin + step, None] + np.arange(dim)]
            is_permutation = (np.sort(sources, axis=1) == np.arange(dim)).all(axis=1)
            _require(is_permutation, "has sources that are not a permutation", some)
            involution[some] = (np.take_along_axis(sources, sources, axis=1) == np.arange(dim)).all(axis=1)
    return masks, high, involution


def _check_data(pattern: Integers, ops: Integers, num_constants: int) -> None:
    """Every entry an instruction reads lies inside `constants`."""
    # In floating point: 4**k overflows int64, and such an instruction is refused here anyway.
    k = ops[:, NUM_TARGETS].astype(np.float64)
    entries = np.where(pattern == Pattern.DENSE, 4.0**k, 2.0**k)
    needed = entries + ops[:, TERMS] * (1 + 2 * entries)
    needed[pattern == Pattern.PREPARE] += 1
    needed[pattern == Pattern.PAULI_ROTATION] = 0
    inside = (ops[:, DATA] >= 0) & (ops[:, DATA] + needed <= num_constants)
    _require(inside | (needed == 0), "has data outside `constants`")


def _choose_loops(
    pattern: Integers,
    ops: Integers,
    target_masks: Integers,
    high_targets: Integers,
    involution: npt.NDArray[np.bool_],
    integers: Integers,
    num_qubits: int,
) -> None:
    """Fill OPCODE, FIXED, WIDTH and LOG2_UNITS."""
    size = 1 << num_qubits
    k, ctrl, x_mask = ops[:, NUM_TARGETS], ops[:, CTRL], ops[:, X_MASK]
    fixed = ctrl | target_masks
    run = np.where(fixed == 0, size, fixed & -fixed)

    diagonal = pattern == Pattern.DIAGONAL
    rotation = pattern == Pattern.PAULI_ROTATION
    by_runs = diagonal & (run >= min(MIN_RUN, size))
    by_table = diagonal & ~by_runs & (high_targets <= MAX_HIGH_TARGETS)
    by_table_z = rotation & (x_mask == 0)
    ops[:, OPCODE] = np.select(
        [
            pattern == Pattern.PREPARE,
            by_runs,
            by_table,
            diagonal,
            by_table_z,
            rotation,
            (pattern == Pattern.PERMUTATION) & involution & (k <= 3),
            pattern == Pattern.PERMUTATION,
            k == 1,
            k == 2,
        ],
        [
            PREPARE,
            DIAGONAL_RUNS,
            DIAGONAL_TABLE,
            DIAGONAL_LIST,
            ROTATION_Z,
            ROTATION,
            INVOLUTION,
            PERMUTATION,
            DENSE1,
            DENSE2,
        ],
        DENSE,
    )
    # Diagonals work on blocks of 2**WIDTH amplitudes, controlled by the bits above; the rest on groups.
    log2_run = count_bits(np.minimum(run, 1 << LOG2_RUN) - 1)
    width = np.select(
        [by_runs, by_table | by_table_z, diagonal],
        [log2_run, min(num_qubits, LOG2_PERIOD), min(num_qubits, LOG2_LIST)],
        0,
    )
    pivot = x_mask.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        pivot |= pivot >> shift
    pivot ^= pivot >> 1  # the highest bit alone
    fixed = np.where(diagonal | rotation, ctrl | pivot, fixed)
    ops[:, FIXED] = fixed
    ops[:, WIDTH] = width
    ops[:, LOG2_UNITS] = num_qubits - width - count_bits(fixed >> width)
