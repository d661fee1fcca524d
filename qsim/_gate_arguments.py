"""Checks of what a gate in a circuit is given: parameters and control values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim._checks import check_qubits, to_float
from qsim.errors import CircuitError, ParameterError
from qsim.parameters import MAX_ANGLE, ParameterExpression, ParameterVector, magnitude_text

if TYPE_CHECKING:
    from qsim.gate_spec import Gate

__all__ = ["check_control_values", "check_param"]


def check_param(gate: Gate, value: Any, num_clbits: int) -> Any:
    from qsim import classical

    if isinstance(value, ParameterExpression):
        return value
    if isinstance(value, classical.Expression):
        check_qubits(classical.bits_of(value), num_clbits, "Classical bit", "classical bits")
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        hint = ""
        if isinstance(value, str):
            hint = f" Pass Parameter({value!r}) for a parameter of that name."
        elif isinstance(value, ParameterVector | Sequence | np.ndarray):
            hint = " Pass its elements one by one."
        raise TypeError(
            f"A parameter of gate `{gate.name}` must be a real number or an expression, but is "
            f"{type(value).__name__} ({value!r}).{hint}"
        )
    number = to_float(value)
    if not -MAX_ANGLE <= number <= MAX_ANGLE:
        raise ParameterError(f"A parameter of gate `{gate.name}` must be {magnitude_text(number)}.")
    return number


def check_control_values(values: Any, count: int) -> tuple[int, ...]:
    if values is None:
        return (1,) * count
    if isinstance(values, int | np.integer) and not isinstance(values, bool):
        values = (int(values),)
    if not isinstance(values, Iterable):
        raise TypeError(
            f"Argument `control_values` must be several of 0 and 1, but is {type(values).__name__}."
        )
    if isinstance(values, str):
        values = reversed(values)  # as in every bitstring, the first is rightmost
    listed = tuple(int(v) if v in ("0", "1") else v for v in values)
    if len(listed) != count:
        raise CircuitError(
            f"Argument `control_values` must hold {count} values, one for each control, but holds "
            f"{len(listed)}."
        )
    for v in listed:
        if v not in (0, 1):
            raise CircuitError(f"Argument `control_values` must hold only 0 and 1, but holds {v!r}.")
    return tuple(int(v) for v in listed)
