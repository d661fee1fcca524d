"""Bad arguments: answer."""

from __future__ import annotations

from badinput_helpers import Case, cases, check_case, each_case

from qsim.circuit import Circuit
from qsim.errors import QubitError

CASES = cases(("qubit", lambda: Circuit(1).h(1), QubitError, "Qubit 1 is out of range"))


@each_case(CASES)
def test_refused(case: Case) -> None:
    check_case(case)
