"""Memory: sizes refused before anything is allocated, and no growth over many runs."""

from __future__ import annotations

import pytest

import qsim
from qsim.circuit import Circuit
from qsim.errors import MemoryBudgetError


def test_sizes_are_written_with_units():
    from qsim.memory import format_bytes

    assert [format_bytes(s) for s in (0, 1023, 1 << 10, 1 << 30, 1 << 40)] == [
        "0 bytes", "1023 bytes", "1 KiB", "1 GiB", "1 TiB",
    ]  # fmt: skip


@pytest.mark.parametrize("n", [50, 64, 1000])
def test_states_too_large_are_refused(n, backend):
    with pytest.raises(MemoryBudgetError, match=rf"{n} qubits in complex128 need .* Use"):
        qsim.statevector(Circuit(n), backend=backend)
