"""What hypothesis draws: angles, gates, circuits and observables, all from the gate table.

Matrices come from seeds, so that an example stays small: shrinking takes gates away, not digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

import qsim
from qsim.circuit import Circuit
from qsim.gates import Gate, GateSpec, unique_specs
from qsim.observables import PauliSum
from qsim.parameters import ParameterVector
from qsim.testing import random_state, random_unitary
from qsim.user_gates import (
    CircuitGate,
    DiagonalGate,
    GeneratorGate,
    PauliEvolutionGate,
    PauliRotationGate,
    PermutationGate,
    PhaseOnStatesGate,
    PrepareGate,
    UnitaryGate,
)

__all__ = [
    "angles",
    "circuits",
    "expressions",
    "gates",
    "pauli_labels",
    "pauli_sums",
    "seeds",
    "specs",
    "user_gates",
]

seeds = st.integers(0, 2**32 - 1)
_NICE = [0.0, math.pi, -math.pi, math.pi / 2, -math.pi / 2, math.pi / 4, 2 * math.pi, 1e-8]


def angles(limit: float = 4 * math.pi) -> st.SearchStrategy[float]:
    """Finite angles, the special ones often."""
    return st.one_of(st.floats(-limit, limit, allow_nan=False), st.sampled_from(_NICE))


def specs(max_qubits: int, min_qubits: int = 0) -> st.SearchStrategy[GateSpec]:
    """Records of the table on at most `max_qubits` qubits."""
    return st.sampled_from([s for s in unique_specs() if min_qubits <= s.num_qubits <= max_qubits])


@st.composite
def user_gates(draw: st.DrawFn, max_qubits: int) -> Gate:
    """A gate with data of its own, on 1 to `max_qubits` qubits."""
    k = draw(st.integers(1, max_qubits))
    rng = np.random.default_rng(draw(seeds))
    kind = draw(st.integers(0, 8))
    if kind == 0:
        return UnitaryGate(random_unitary(min(k, 3), rng))
    if kind == 1:
        return DiagonalGate(np.exp(2j * np.pi * rng.random(1 << k)))
    if kind == 2:
        return PermutationGate(rng.permutation(1 << k))
    if kind == 3:
        return PauliRotationGate(draw(pauli_labels(k)))
    if kind == 4:
        return PhaseOnStatesGate(int(rng.integers((1 << k) + 1)), k)
    if kind == 5:
        m = random_unitary(min(k, 2), rng)
        return GeneratorGate((m + m.conj().T) / 2)
    if kind == 6:
        return PrepareGate(random_state(k, rng))
    if kind == 7:
        return PauliEvolutionGate(draw(pauli_sums(k, max_terms=3)), k, order=draw(st.sampled_from([1, 2, 4])))
    return CircuitGate(draw(circuits(k, k, max_ops=3, user=False)))


def gates(max_qubits: int, user: bool = True) -> st.SearchStrategy[Gate]:
    """Records of the table, or gates with data of their own."""
    table = specs(max_qubits)
    return st.one_of(table, table, user_gates(max_qubits)) if user and max_qubits else table


def expressions(vector: ParameterVector) -> st.SearchStrategy[Any]:
    """Parameters, and expressions of them that are finite and smooth everywhere."""
    leaf = st.sampled_from(list(vector))

    def extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        bounded = st.sampled_from([qsim.sin, qsim.cos, qsim.arctan])
        number = st.floats(-3, 3, allow_nan=False)
        return st.one_of(
            st.builds(lambda f, x: f(x), bounded, inner),
            st.builds(lambda x, y: x + y, inner, inner),
            st.builds(lambda x, y: x - y, number, inner),
            st.builds(lambda x, y: qsim.sin(x) * y, inner, inner),
            st.builds(lambda a, x: a * x, number.filter(bool), inner),
            st.builds(lambda x, y: qsim.cos(x) / (2 + qsim.sin(y)), inner, inner),
            st.builds(lambda x: qsim.sqrt(2 + qsim.cos(x)), inner),
            st.builds(lambda x: qsim.log(3 + qsim.sin(x)), inner),
            st.builds(lambda x: qsim.exp(-(qsim.sin(x) ** 2)), inner),
            st.builds(lambda x: qsim.arcsin(0.9 * qsim.cos(x)) + qsim.arccos(0.5 * qsim.sin(x)), inner),
            st.builds(lambda x: qsim.tan(qsim.sin(x)), inner),
            st.builds(lambda x, y: (1.5 + qsim.sin(x)) ** qsim.cos(y), inner, inner),
            st.builds(lambda x: -x, inner),
        )

    return st.recursive(leaf, extend, max_leaves=4)


@st.composite
def circuits(
    draw: st.DrawFn,
    min_qubits: int = 1,
    max_qubits: int = 5,
    max_ops: int = 8,
    parameters: int = 0,
    user: bool = True,
    controls: bool = True,
) -> Circuit:
    """A circuit of gates, some behind further controls of either value.

    With `parameters`, angles are numbers, elements of a vector ``x`` of that length, or expressions of them.
    """
    n = draw(st.integers(min_qubits, max_qubits))
    out = Circuit(n)
    vector = ParameterVector("x", parameters)
    angle = st.one_of(angles(), expressions(vector)) if parameters else angles()
    for _ in range(draw(st.integers(0, max_ops))):
        gate = draw(gates(n, user))
        order = draw(st.permutations(range(n)))
        free = order[gate.num_qubits :]
        count = draw(st.integers(0, min(2, len(free)))) if controls else 0
        values = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
        params = [draw(angle) for _ in range(gate.num_params)]
        out.append(gate, params, order[: gate.num_qubits], controls=free[:count], control_values=values)
    return out


def pauli_labels(num_qubits: int) -> st.SearchStrategy[str]:
    """Dense labels."""
    return st.text("IXYZ", min_size=num_qubits, max_size=num_qubits)


def pauli_sums(num_qubits: int, max_terms: int = 6) -> st.SearchStrategy[PauliSum]:
    """Hermitian sums of at least one term."""
    coefficient = st.floats(-2, 2, allow_nan=False, allow_subnormal=False)
    terms = st.dictionaries(pauli_labels(num_qubits), coefficient, min_size=1, max_size=max_terms)
    return terms.map(PauliSum)
