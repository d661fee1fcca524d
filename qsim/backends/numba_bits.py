"""Index arithmetic that all Numba kernels share. All indices are int64."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba infers the types of kernels; annotations would only repeat `run_tape`.

from __future__ import annotations

from qsim.backends.numba_jit import jit

#: Shorter contiguous runs than this are looped over amplitude by amplitude.
SHORT = 8


@jit
def low_run(mask, size):
    """Length of the contiguous runs between set bits of `mask` (a power of two, at most `size`)."""
    return min(mask & -mask, size) if mask else size


@jit
def deposit(group, fixed):
    """Spread the bits of `group` over the positions that are zero in `fixed`."""
    index = 0
    bit = 1
    while group:
        if not fixed & bit:
            index |= (group & 1) * bit
            group >>= 1
        bit <<= 1
    return index


@jit
def spread(local, targets):
    """Index bits of member `local` of a group."""
    index = 0
    for t in range(targets.size):
        index |= ((local >> t) & 1) << targets[t]
    return index


@jit
def parity(bits):
    """1 if an odd number of bits is set."""
    bits ^= bits >> 32
    bits ^= bits >> 16
    bits ^= bits >> 8
    bits ^= bits >> 4
    bits ^= bits >> 2
    bits ^= bits >> 1
    return bits & 1
