"""Exact results of circuits that measure in their middle: averages over all outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pennylane.exceptions import DeviceError
from pennylane.measurements import (
    DensityMatrixMP,
    ExpectationMP,
    ProbabilityMP,
    PurityMP,
    VarianceMP,
    VnEntropyMP,
)
from pennylane.tape import QuantumScript

from qsim.entanglement import entropy_of, purity_of
from qsim.pennylane.plan import Plan, clbits_of

__all__ = ["averaged"]

FloatArray = npt.NDArray[np.float64]


def averaged(plan: Plan, tape: QuantumScript, rows: FloatArray, batch: int | None) -> Any:
    """Results of a tape without shots whose circuit branches, every outcome followed."""
    initial = plan.initial(tape)
    clbits = clbits_of(tape.operations)
    found: list[Any] = []
    for mp in tape.measurements:
        if mp.mv is not None:
            value = _of_outcomes(plan, mp, rows, initial, clbits)
        else:
            value = _of_states(plan, mp, rows, initial)
        found.append(value if batch is not None else value[0])
    return found[0] if len(found) == 1 else tuple(found)


def _of_states(plan: Plan, mp: Any, rows: FloatArray, initial: Any) -> Any:
    kind, program = type(mp), plan.program
    if kind is ExpectationMP:
        return program.with_observables(plan.observable(mp.obs)).expectation(rows, initial_state=initial)
    if kind is VarianceMP:
        return program.with_observables(plan.observable(mp.obs)).variance(rows, initial_state=initial)
    if kind is ProbabilityMP:
        chosen = program if mp.obs is None else plan.rotated([mp])
        return chosen.probabilities(rows, plan.qubits(mp.wires), initial_state=initial)
    if kind in (DensityMatrixMP, PurityMP, VnEntropyMP):
        matrices = program.density_matrix(rows, plan.qubits(mp.wires), initial_state=initial)
        if kind is VnEntropyMP:
            return entropy_of(matrices, np.e if mp.log_base is None else mp.log_base)
        return purity_of(matrices) if kind is PurityMP else matrices
    raise DeviceError(
        f"Measurement {mp} has no exact value on a circuit that measures in its middle with mcm_method="
        "'tree-traversal'; use mcm_method='deferred'."
    )


def _of_outcomes(plan: Plan, mp: Any, rows: FloatArray, initial: Any, clbits: Mapping[Any, int]) -> Any:
    """A measurement of the outcomes themselves, from their distribution."""
    distributions = plan.program.distribution(rows, initial_state=initial)
    values = mp.mv if isinstance(mp.mv, Sequence) else [mp.mv]
    out: list[Any] = []
    for distribution in distributions:
        outcomes = [([int(b) for b in text[::-1]], weight) for text, weight in distribution.items()]
        if type(mp) is ProbabilityMP:
            out.append(_probabilities(values, outcomes, clbits))
            continue
        numbers = np.array([_value(values[0], bits, clbits) for bits, _ in outcomes])
        weights = np.array([weight for _, weight in outcomes])
        mean = float(numbers @ weights)
        out.append(mean if type(mp) is ExpectationMP else float((numbers - mean) ** 2 @ weights))
    return np.array(out)


def _value(value: Any, bits: Sequence[int], clbits: Mapping[Any, int]) -> float:
    return float(value.processing_fn(*(bits[clbits[m]] for m in value.measurements)))


def _probabilities(values: Sequence[Any], outcomes: Any, clbits: Mapping[Any, int]) -> FloatArray:
    """Probabilities of all outcomes of the measurements, the first of them most significant."""
    measured = list(dict.fromkeys(m for v in values for m in v.measurements))
    out = np.zeros(1 << len(measured))
    for bits, weight in outcomes:
        index = 0
        for m in measured:
            index = index << 1 | bits[clbits[m]]
        out[index] += weight
    return out
