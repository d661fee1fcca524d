"""A simulator for Cirq: `QsimSimulator` stands where ``cirq.Simulator`` stood.

It needs Cirq: ``pip install "qsim-statevector[cirq]"``.
"""

from __future__ import annotations

from qsim._extras import require

require("cirq", extra="cirq", user="qsim.cirq", name="Cirq", at_least="1.5")

from qsim.cirq.simulator import QsimSimulator
from qsim.cirq.states import QsimTrialResult

__all__ = ["QsimSimulator", "QsimTrialResult"]
