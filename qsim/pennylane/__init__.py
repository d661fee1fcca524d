"""The PennyLane device ``qsim.qubit``.

It needs PennyLane: ``pip install "qsim-statevector[pennylane]"``. Then ``qml.device("qsim.qubit")`` makes it.
"""

from __future__ import annotations

from qsim._extras import require

require("pennylane", extra="pennylane", user="qsim.pennylane", name="PennyLane", at_least="0.45")

from qsim.pennylane.device import QsimDevice

__all__ = ["QsimDevice"]
