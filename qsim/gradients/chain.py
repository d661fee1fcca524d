"""The chain rule between slots and parameters, of first and second order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from qsim.errors import GradientError
from qsim.parameters import ParameterExpression
from qsim.program.slots import SlotMap

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["second_derivatives", "slot_jacobian", "velocities_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def slot_jacobian(
    program: Program, values: FloatArray, columns: list[int]
) -> tuple[IntArray, IntArray, FloatArray]:
    """Slots, columns and derivatives of one by the other, (batch, nonzeros); for the columns wanted.

    Raises
    ------
    GradientError
        If a derivative of an expression is not finite.
    """
    slots, places, derivatives = program._slots.jacobian(values)
    chosen = np.isin(places, columns)
    slots, places, derivatives = slots[chosen], places[chosen], derivatives[:, chosen]
    _check_finite(program, slots, places, derivatives)
    return slots, places, derivatives


def _check_finite(program: Program, slots: IntArray, places: IntArray, derivatives: FloatArray) -> None:
    good = np.isfinite(derivatives)
    if not good.all():
        row, k = np.argwhere(~good)[0]
        expression = program._slots.expressions[slots[k] - len(program.parameters)]
        slot = int(slots[k])
        first = np.flatnonzero(program._code.tapes[0].instructions["slot"] == slot)
        raise GradientError(
            f"Parameter expression `{expression}` of {program._code.gate_text(int(first[0]))} has no finite "
            f"derivative by `{program.parameters[places[k]].name}` in row {row} of the values. Move the "
            "value away from there, or use method='finite_difference' of `value_and_gradient`."
        )


def velocities_of(
    program: Program, values: FloatArray, directions: FloatArray, columns: list[int]
) -> FloatArray:
    """Velocities of all slots, (batch, num_slots), along directions of the parameters."""
    if not program._slots.expressions:
        return directions
    slots, places, derivatives = slot_jacobian(program, values, columns)
    out = np.zeros((len(values), program._slots.num_slots))
    np.add.at(out.T, slots, (derivatives * directions[:, places]).T)
    return out


def second_derivatives(
    program: Program, values: FloatArray, columns: list[int]
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Second derivatives of the slots that are expressions, as coordinates of a sparse tensor.

    Returns
    -------
    slots, first, second : ndarray of int64, shape (nonzeros,)
    derivatives : ndarray, shape (batch, nonzeros)
        ``d2 slot[slots[k]] / d parameter[first[k]] d parameter[second[k]]``.
    """

    def make() -> tuple[list[int], list[int], SlotMap]:
        """The derivatives of every expression, as expressions."""
        slots, places, slopes = [], [], []
        place_of = {p: k for k, p in enumerate(program.parameters)}
        for slot, expression in enumerate(program._slots.expressions, len(program.parameters)):
            for parameter in expression.parameters:
                slope = expression.derivative(parameter)
                if isinstance(slope, ParameterExpression):
                    slots.append(slot)
                    places.append(place_of[parameter])
                    slopes.append(slope)
        return slots, places, SlotMap(program.parameters, slopes)

    slots, places, slopes = program._derive("second derivatives", make)
    count = len(program.parameters)
    which, second, derivatives = slopes.jacobian(values)
    own = which >= count
    which, second, derivatives = which[own] - count, second[own], derivatives[:, own]
    first = np.array(places, dtype=np.int64)[which]
    of = np.array(slots, dtype=np.int64)[which]
    chosen = np.isin(first, columns) & np.isin(second, columns)
    of, first, second, derivatives = of[chosen], first[chosen], second[chosen], derivatives[:, chosen]
    _check_finite(program, of, second, derivatives)
    return of, first, second, derivatives
