"""Gates made of other gates: a sub-circuit, a product formula, a gate behind further controls."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim.data_gates import PauliRotationGate, UserGate, adjoint_name
from qsim.errors import ArgumentError, CircuitError
from qsim.gates import GATES, Gate, Matrix, Part
from qsim.parameters import ParameterValue

if TYPE_CHECKING:
    from qsim.circuit import Circuit
    from qsim.observables import PauliSum

__all__ = ["CircuitGate", "ControlledGate", "PauliEvolutionGate"]

#: Gates of gates of gates ...: what walks through them recurses.
MAX_NESTING = 64
#: A gate of gates becomes this many instructions at most; each level may double them.
MAX_PARTS = 5_000_000


class PauliEvolutionGate(UserGate):
    """exp(-i t H) for a Hermitian sum of Pauli strings, by a product formula.

    Exact where all terms commute (one factor per term); otherwise `order` 1, 2 or 4 of the
    Suzuki-Trotter formulas [1]_ with `steps` steps.

    References
    ----------
    .. [1] M. Suzuki, J. Math. Phys. 32, 400 (1991).
    """

    name = "exp_pauli_sum"
    num_params = 1
    _keywords = ("pauli_sum", "num_qubits", "order", "steps")

    def __init__(self, pauli_sum: PauliSum, num_qubits: int, order: int = 2, steps: int = 1) -> None:
        if order not in (1, 2, 4):
            raise ArgumentError(f"Argument `order` must be 1, 2 or 4, but is {order!r}.")
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ArgumentError(f"Argument `steps` must be a positive int, but is {steps!r}.")
        if not pauli_sum.is_hermitian():
            raise ArgumentError("Argument `pauli_sum` must be Hermitian, but has complex coefficients.")
        if pauli_sum.num_qubits > num_qubits:
            raise ArgumentError(
                f"Argument `pauli_sum` acts on {pauli_sum.num_qubits} qubits, but only {num_qubits} are "
                "given."
            )
        self.pauli_sum, self.order, self.steps, self.num_qubits = pauli_sum, order, steps, num_qubits

    @cached_property
    def _terms(self) -> list[tuple[Gate, float]]:
        """(gate, 2 * coefficient) for each term; the identity is a global phase."""
        out: list[tuple[Gate, float]] = []
        for x, z, coefficient in zip(*(a.tolist() for a in self.pauli_sum.real_terms()), strict=True):
            letters = ["IXZY"[(x >> q & 1) + 2 * (z >> q & 1)] for q in range(self.num_qubits)]
            gate: Gate = PauliRotationGate("".join(reversed(letters))) if x | z else GATES["gphase"]
            out.append((gate, 2 * coefficient if x | z else -coefficient))
        return out

    @cached_property
    def is_exact(self) -> bool:
        """Whether all terms commute."""
        x, z, _ = self.pauli_sum.real_terms()
        for i in range(len(x)):
            odd = np.bitwise_count(x & z[i]) + np.bitwise_count(z & x[i])
            if (odd & 1).any():
                return False
        return True

    def _schedule(self) -> list[tuple[int, float]]:
        """(term, share of the time of one step) for one step."""
        count = len(self._terms)
        if self.is_exact or self.order == 1:
            return [(k, 1.0) for k in range(count)]

        def second(share: float) -> list[tuple[int, float]]:
            half = [(k, share / 2) for k in range(count - 1)]
            return [*half, (count - 1, share), *reversed(half)]

        if self.order == 2:
            return second(1.0)
        outer = 1 / (4 - 4 ** (1 / 3))
        return second(outer) * 2 + second(1 - 4 * outer) + second(outer) * 2

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        if not self._terms:
            return []
        steps = 1 if self.is_exact else self.steps
        time, qubits = params[0] / steps, tuple(range(self.num_qubits))
        parts = []
        for term, share in self._schedule():
            gate, factor = self._terms[term]
            parts.append(Part(gate, (time * (factor * share),), qubits if gate.num_qubits else ()))
        return parts * steps

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        if not self.is_exact and self.order == 1:  # the reverse order of factors is another product
            return _ReversedEvolution(self), tuple(params)
        return self, (-params[0],)


class CircuitGate(UserGate):
    """A unitary circuit used as one gate; its parameters stay symbols of the circuit around it."""

    _keywords = ("circuit", "name")

    def __init__(self, circuit: Circuit, name: str | None = None) -> None:
        from qsim.operations import Barrier, GateOperation

        for operation in circuit.operations:
            if not isinstance(operation, GateOperation | Barrier):
                raise CircuitError(
                    f"A gate must be made of gates, but the circuit contains `{operation.name}`. "
                    "Use compose() to insert a circuit that measures, resets or branches."
                )
            if isinstance(operation, GateOperation) and operation.has_run_time_params:
                raise CircuitError(
                    f"A gate must not depend on run-time values, but `{operation.name}` in the circuit does. "
                    "Use compose() to insert such a circuit."
                )
            if isinstance(operation, GateOperation):
                self.nesting = max(self.nesting, operation.gate.nesting)
                self.keeps_norm &= operation.gate.keeps_norm
        self.num_parts = sum(
            operation.gate.num_parts
            for operation in circuit.operations
            if isinstance(operation, GateOperation)
        )
        if self.num_parts > MAX_PARTS:
            raise CircuitError(
                f"A gate must be made of at most {MAX_PARTS} gates, but this one is of {self.num_parts}, "
                "counted through all gates in it."
            )
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise CircuitError(
                f"Gates must be nested at most {MAX_NESTING} deep. Use compose() to insert a circuit's gates "
                "one by one."
            )
        self.circuit = circuit.frozen()
        self.name = name or circuit.name or "circuit"
        self.num_qubits = circuit.num_qubits

    @property
    def free_parameters(self) -> tuple[Any, ...]:
        return self.circuit.parameters

    def matrix(self, *params: float) -> Matrix:
        self._check_params(params)
        return self.circuit.matrix()

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        from qsim.operations import GateOperation

        parts = []
        for operation in self.circuit.operations:
            if isinstance(operation, GateOperation):
                gate, qubits = operation.with_controls_inside()
                parts.append(Part(gate, operation.params, qubits))
        return parts

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return CircuitGate(self.circuit.inverse(), adjoint_name(self.name)), ()


class ControlledGate(UserGate):
    """A gate behind further controls, with their values, as one gate (controls listed first)."""

    _keywords = ("gate", "control_values")

    def __init__(self, gate: Gate, control_values: Sequence[int]) -> None:
        self.gate = gate
        self.nesting, self.num_parts, self.keeps_norm = gate.nesting, gate.num_parts, gate.keeps_norm
        self.control_values = tuple(control_values)
        self.name = "c" * len(self.control_values) + "-" + gate.name
        self.num_params = gate.num_params
        self.num_qubits = len(self.control_values) + gate.num_qubits

    def target_matrix(self, *params: float) -> Matrix:
        from qsim.gates import expand_controls

        return expand_controls(self.gate.matrix(*params), len(self.control_values), self.control_values)

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        gate, inverse_params = self.gate.inverse(params)
        return ControlledGate(gate, self.control_values), inverse_params

    def power(
        self, params: Sequence[ParameterValue], exponent: float
    ) -> tuple[Gate, tuple[ParameterValue, ...]]:
        gate, power_params = self.gate.power(params, exponent)
        return ControlledGate(gate, self.control_values), power_params


class _ReversedEvolution(UserGate):
    """Inverse of a first-order product formula: its factors in reverse order, with negative time."""

    num_params = 1
    _keywords = ("gate",)

    def __init__(self, gate: PauliEvolutionGate) -> None:
        self.gate, self.name, self.num_qubits = gate, gate.name + "_dg", gate.num_qubits

    def decompose(self, params: Sequence[ParameterValue]) -> list[Part] | None:
        return list(reversed(self.gate.decompose((-params[0],)) or []))

    def inverse(self, params: Sequence[ParameterValue]) -> tuple[Gate, tuple[ParameterValue, ...]]:
        return self.gate, tuple(params)
