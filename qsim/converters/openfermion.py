"""Operators of OpenFermion: `qsim.from_openfermion` and `qsim.to_openfermion`."""

from __future__ import annotations

import numbers
from typing import Any

from qsim._extras import require

require(
    "openfermion", extra="openfermion", user="The converter of OpenFermion's operators", name="OpenFermion"
)

import openfermion

from qsim.errors import ObservableError
from qsim.observables import PauliString, PauliSum

__all__ = ["from_openfermion", "to_openfermion"]


def from_openfermion(operator: Any) -> PauliSum:
    """A `QubitOperator` of OpenFermion as a Pauli sum on the same qubits.

    Parameters
    ----------
    operator : openfermion.QubitOperator

    Raises
    ------
    ObservableError
        If a coefficient is no number.
    TypeError
        If `operator` is of another kind. Operators of fermions need a transform first; the message names one.

    Examples
    --------
    >>> import openfermion
    >>> from_openfermion(openfermion.QubitOperator("X0 Y2", 0.5))
    PauliSum({'X0 Y2': 0.5})
    """
    if not isinstance(operator, openfermion.QubitOperator):
        way_out = (
            " Transform it first, for example with openfermion.jordan_wigner(operator)."
            if type(operator).__module__.startswith("openfermion.")
            else ""
        )
        raise TypeError(
            "Argument `operator` must be an openfermion.QubitOperator, but is "
            f"{type(operator).__name__}.{way_out}"
        )
    terms = []
    for factors, coefficient in operator.terms.items():
        if not isinstance(coefficient, numbers.Complex):
            raise ObservableError(
                f"An observable must have numbers as coefficients, but one is `{coefficient}`."
            )
        label = " ".join(f"{letter}{qubit}" for qubit, letter in factors)
        terms.append((label, complex(coefficient)))
    return PauliSum(terms)


def to_openfermion(operator: PauliString | PauliSum) -> Any:
    """A Pauli string or sum as a `QubitOperator` of OpenFermion on the same qubits.

    Examples
    --------
    >>> print(to_openfermion(PauliSum({"Z0 Z1": 1.0, "X2": -0.5})))
    1.0 [Z0 Z1] +
    -0.5 [X2]
    """
    if isinstance(operator, PauliString):
        operator = operator.to_pauli_sum()
    if not isinstance(operator, PauliSum):
        raise TypeError(
            f"Argument `operator` must be a PauliString or PauliSum, but is {type(operator).__name__}."
        )
    out = openfermion.QubitOperator()
    for string in operator:
        value = string.coefficient
        out += openfermion.QubitOperator(string.label, value.real if value.imag == 0 else value)
    return out
