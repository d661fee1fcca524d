"""Bad arguments of Circuit and of its methods: each a clear error of a documented class."""

from __future__ import annotations

import pytest

from qsim.circuit import Circuit
from qsim.errors import QubitError


@pytest.mark.parametrize("qubit", [-1, 2, 1 << 40])
def test_qubits_out_of_range(qubit):
    with pytest.raises(QubitError, match=rf"Qubit {qubit} is out of range for a circuit of 2 qubits"):
        Circuit(2).h(qubit)
