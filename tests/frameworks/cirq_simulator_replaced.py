"""A plugin of pytest: ``cirq.Simulator`` is `QsimSimulator` in the tests it runs."""

import cirq

from qsim.cirq import QsimSimulator

cirq.Simulator = QsimSimulator
