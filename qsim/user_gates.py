"""Gates that are not in the table: with data of their own, or made of others."""

from __future__ import annotations

from qsim.composite_gates import (
    MAX_NESTING,
    CircuitGate,
    ControlledGate,
    PauliEvolutionGate,
    _ReversedEvolution,
)
from qsim.data_gates import (
    DiagonalGate,
    GeneratorGate,
    PauliRotationGate,
    PermutationGate,
    PhaseOnStatesGate,
    PrepareGate,
    UnitaryGate,
    UserGate,
)
from qsim.generator_sum import GeneratorSumGate

__all__ = [
    "MAX_NESTING",
    "USER_GATES",
    "CircuitGate",
    "ControlledGate",
    "DiagonalGate",
    "GeneratorGate",
    "GeneratorSumGate",
    "PauliEvolutionGate",
    "PauliRotationGate",
    "PermutationGate",
    "PhaseOnStatesGate",
    "PrepareGate",
    "UnitaryGate",
    "UserGate",
]

#: every class of gate that carries data, by name
USER_GATES: dict[str, type[UserGate]] = {
    cls.__name__: cls
    for cls in (
        UnitaryGate,
        DiagonalGate,
        PermutationGate,
        PauliRotationGate,
        PhaseOnStatesGate,
        GeneratorGate,
        GeneratorSumGate,
        PrepareGate,
        PauliEvolutionGate,
        CircuitGate,
        ControlledGate,
        _ReversedEvolution,
    )
}
