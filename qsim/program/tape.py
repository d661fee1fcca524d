"""The tape: the one contract between Python and the kernels.

An instruction knows an access pattern, never a gate name. The field order below is the layout the
C++ core declares in ``csrc/instruction.hpp``; a test compares the two.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

__all__ = [
    "INSTRUCTION",
    "INSTRUCTION_STRUCT",
    "SEGMENT",
    "TILE_ACTIVE_BITS",
    "TILE_LOW_BITS",
    "Pattern",
    "Tape",
    "qubits_of",
]

#: The lowest qubits are always inside a tile: a run of 2**6 amplitudes (1 KiB in double precision).
TILE_LOW_BITS = 6
#: At most this many qubits above the lowest ones are inside a tile together.
TILE_ACTIVE_BITS = 8


class Pattern(IntEnum):
    """Access pattern of an instruction."""

    DIAGONAL = 0
    PERMUTATION = 1
    DENSE = 2
    PAULI_ROTATION = 3
    PREPARE = 4


INSTRUCTION = np.dtype(
    [
        ("pattern", "<u1"),
        ("num_targets", "<u1"),
        ("num_terms", "<u2"),  # 0: constant; else const + sum of cos/sin terms of the angle
        ("slot", "<i4"),  # column of `angles`; -1: angle = shift
        ("ctrl_mask", "<u8"),
        ("ctrl_value", "<u8"),
        ("x_mask", "<u8"),  # PAULI_ROTATION only
        ("z_mask", "<u8"),
        ("targets", "<i4"),  # offset into Tape.integers
        ("reserved", "<i4"),
        ("data", "<i8"),  # offset into Tape.constants
        ("scale", "<f8"),  # angle = scale * angles[row, slot] + shift
        ("shift", "<f8"),
    ]
)

#: Packs one INSTRUCTION in the field order above; about ten times faster than filling a NumPy record.
INSTRUCTION_STRUCT = struct.Struct("<BBHiQQQQiiqdd")

SEGMENT = np.dtype(
    [
        ("start", "<i8"),
        ("stop", "<i8"),
        ("active", "<u8"),  # qubits that must be inside a tile
        ("whole", "<u1"),  # 1: one instruction that works on the whole state
        ("reserved", "<u1", (7,)),
    ]
)


@dataclass(frozen=True, eq=False)
class Tape:
    """Instructions, their pools of numbers, and the plan of segments.

    Attributes
    ----------
    num_qubits : int
    num_slots : int
        Columns of the array of angles the instructions refer to.
    instructions : ndarray of INSTRUCTION
    integers : ndarray of int32
        Targets of each instruction, and source indices of permutations.
    constants : ndarray of complex128
        Matrix and diagonal entries, phases, frequencies (in real parts).
    segments : ndarray of SEGMENT
        Consecutive runs of instructions, each executed in one pass over the state.
    """

    num_qubits: int
    num_slots: int
    instructions: npt.NDArray[np.void]
    integers: npt.NDArray[np.int32]
    constants: npt.NDArray[np.complex128]
    segments: npt.NDArray[np.void]


def qubits_of(tape: Tape, record: np.void) -> list[int]:
    """The qubits of an instruction, controls included, ascending."""
    mask = int(record["ctrl_mask"])
    if record["pattern"] == Pattern.PAULI_ROTATION:
        mask |= int(record["x_mask"]) | int(record["z_mask"])
    else:
        first = int(record["targets"])
        for q in tape.integers[first : first + int(record["num_targets"])].tolist():
            mask |= 1 << q
    return [q for q in range(tape.num_qubits) if mask >> q & 1]
