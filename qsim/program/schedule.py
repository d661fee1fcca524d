"""The plan of segments: which consecutive instructions share one pass over the state.

A segment keeps the lowest `TILE_LOW_BITS` qubits and up to `TILE_ACTIVE_BITS` others inside a tile.
Diagonals, controls and Z parts of Pauli strings need nothing inside, so they join any segment. The
order of instructions is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from qsim.program.tape import SEGMENT, TILE_ACTIVE_BITS, TILE_LOW_BITS

__all__ = ["plan_segments"]

_LOW = (1 << TILE_LOW_BITS) - 1


def plan_segments(active: Sequence[int], whole: Collection[int]) -> npt.NDArray[np.void]:
    """Cut a list of instructions into segments.

    Parameters
    ----------
    active : sequence of int
        For each instruction the mask of qubits it needs inside a tile.
    whole : collection of int
        Positions of instructions that work on the whole state whatever their qubits (state preparation).

    Returns
    -------
    ndarray of SEGMENT
    """
    rows: list[tuple[int, int, int, int, bytes]] = []
    start, mask = 0, 0
    pad = np.zeros(7, dtype=np.uint8)
    for index, needed in enumerate(active):
        if index in whole or (needed & ~_LOW).bit_count() > TILE_ACTIVE_BITS:
            if start < index:
                rows.append((start, index, mask, 0, pad))  # type: ignore[arg-type]
            rows.append((index, index + 1, needed, 1, pad))  # type: ignore[arg-type]
            start, mask = index + 1, 0
            continue
        if ((mask | needed) & ~_LOW).bit_count() > TILE_ACTIVE_BITS:
            rows.append((start, index, mask, 0, pad))  # type: ignore[arg-type]
            start, mask = index, 0
        mask |= needed
    if start < len(active):
        rows.append((start, len(active), mask, 0, pad))  # type: ignore[arg-type]
    return np.array(rows, dtype=SEGMENT) if rows else np.zeros(0, dtype=SEGMENT)
