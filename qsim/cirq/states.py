"""What Cirq's simulation steps and results are made of: states that qsim's kernels act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import cirq
import numpy as np

from qsim.cirq.plans import Settings, gate_program

__all__ = ["FinalState", "QsimSimulationState", "QsimTrialResult"]

#: States of fewer qubits are left to NumPy, which needs less time for a gate than a call of a program.
_LEAST_QUBITS = 10


class QsimSimulationState(cirq.StateVectorSimulationState):
    """Cirq's state vector, with gates on more than a few qubits applied by qsim, in place.

    Measurements, channels and gates on qudits are Cirq's own, with its stream of random numbers.
    """

    def __init__(self, *, settings: Settings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._settings = settings

    def add_qubits(self, qubits: Sequence[Any]) -> Any:
        if not qubits:
            return self
        more = type(self)(settings=self._settings, qubits=qubits, dtype=self.target_tensor.dtype)
        return self.kronecker_product(more, inplace=True)

    def _act_on_fallback_(self, action: Any, qubits: Sequence[Any], allow_decompose: bool = True) -> Any:
        tensor = self.target_tensor
        if tensor.ndim >= _LEAST_QUBITS and all(length == 2 for length in tensor.shape):
            operation = action if isinstance(action, cirq.Operation) else action.on(*qubits)
            program = gate_program(operation, self.qubits, self._settings)
            if program is not None:
                flat = np.ascontiguousarray(tensor).reshape(-1)
                program.apply(flat)
                if not np.shares_memory(flat, tensor):
                    tensor[...] = flat.reshape(tensor.shape)
                return True
        return super()._act_on_fallback_(action, qubits, allow_decompose)


class FinalState(cirq.SimulationStateBase):
    """The state at the end of a compiled circuit; one for Cirq to go on with is made when asked for."""

    def __init__(self, vector: Any, qubits: Sequence[Any], settings: Settings, prng: Any) -> None:
        super().__init__(qubits=qubits)
        self.vector = vector
        self._arguments = {"settings": settings, "prng": prng}

    @cached_property
    def _state(self) -> QsimSimulationState:
        return QsimSimulationState(
            initial_state=self.vector.reshape((2,) * len(self.qubits)),
            qubits=self.qubits,
            dtype=self.vector.dtype,
            classical_data=self._classical_data,
            **self._arguments,
        )

    def create_merged_state(self) -> QsimSimulationState:
        return self._state

    def _act_on_fallback_(self, action: Any, qubits: Sequence[Any], allow_decompose: bool = True) -> Any:
        return self._state._act_on_fallback_(action, qubits, allow_decompose)

    def copy(self, deep_copy_buffers: bool = True) -> Any:
        return self._state.copy(deep_copy_buffers)

    def sample(self, qubits: Any, repetitions: int = 1, seed: Any = None) -> Any:
        return self._state.sample(qubits, repetitions, seed)

    def __getitem__(self, item: Any) -> Any:
        return self._state[item]

    def __len__(self) -> int:
        return len(self.qubits)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.qubits)

    def __repr__(self) -> str:
        return repr(self._state)


class QsimTrialResult(cirq.StateVectorTrialResult):
    """A result of `QsimSimulator.simulate`: the state vector is the one that qsim made, not a copy."""

    @property
    def final_state_vector(self) -> Any:
        """The state at the end, in Cirq's order of indices; shape (2**n,)."""
        return self._final_simulator_state.vector
