"""`QsimSimulator`: what ``cirq.Simulator`` does, by compiled programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cirq
import numpy as np

from qsim.cirq.plans import Plan, Settings, plan_of, resolvers_of, row_ranges, sampling_plan, values_of
from qsim.cirq.sampling import records_of_bits, records_of_measurements
from qsim.cirq.states import FinalState, QsimSimulationState, QsimTrialResult
from qsim.converters.cirq import from_cirq

__all__ = ["QsimSimulator"]

#: From this many repetitions on, a circuit that measures before its end runs in qsim, which simulates the
#: repetitions that agree together, and not step by step in Cirq.
MANY_REPETITIONS = 100
#: Up to this many measured qubits, samples are drawn from all probabilities with Cirq's random numbers.
_MAX_TABLE_QUBITS = 16
#: Up to this many qubits, what X**t leaves of an amplitude of 0 at t = 1, because no number is exactly pi, is
#: made 0, as it is in Cirq.
_MAX_CLEAN_QUBITS = 12


class QsimSimulator(
    cirq.SimulatesIntermediateStateVector[cirq.SparseSimulatorStep], cirq.SimulatesExpectationValues
):
    """A state vector simulator with the methods of ``cirq.Simulator``.

    Circuits of gates, measured at their end or not, are compiled once and run as a batch for all points of a
    sweep: `simulate`, `run`, `compute_amplitudes`, `simulate_expectation_values` and their sweeps. Other
    circuits are sampled by following the branches of their outcomes, or go step by step.

    Parameters
    ----------
    dtype : {numpy.complex64, numpy.complex128}
    noise : cirq.NOISE_MODEL_LIKE, optional
    seed : None, int or numpy.random.RandomState
    split_untangled_states : bool
        Of circuits that go step by step, simulate qubits that are not entangled apart, as Cirq does.
    threads : int, optional
        See `qsim.compile`.
    backend : {"cpp", "numba"}, optional

    Raises
    ------
    ValueError
        If `dtype` is another.

    Examples
    --------
    >>> import cirq
    >>> a, b = cirq.LineQubit.range(2)
    >>> bell = cirq.Circuit(cirq.H(a), cirq.CNOT(a, b), cirq.measure(a, b, key="m"))
    >>> QsimSimulator(seed=1).run(bell, repetitions=100).histogram(key="m")
    Counter({3: 53, 0: 47})
    """

    def __init__(
        self,
        *,
        dtype: Any = np.complex64,
        noise: Any = None,
        seed: Any = None,
        split_untangled_states: bool = True,
        threads: int | None = None,
        backend: str | None = None,
    ) -> None:
        kinds = {np.dtype(np.complex64): "single", np.dtype(np.complex128): "double"}
        if np.dtype(dtype) not in kinds:
            raise ValueError(f"Argument `dtype` must be numpy.complex64 or complex128, but is {dtype}.")
        super().__init__(dtype=dtype, noise=noise, seed=seed, split_untangled_states=split_untangled_states)
        self._settings = Settings(kinds[np.dtype(dtype)], threads, backend)

    # -- what Cirq's own simulation is made of -----------------------------------------------------
    def _create_partial_simulation_state(
        self, initial_state: Any, qubits: Sequence[Any], classical_data: Any
    ) -> Any:
        if isinstance(initial_state, cirq.StateVectorSimulationState):
            return initial_state
        return QsimSimulationState(
            settings=self._settings,
            qubits=qubits,
            prng=self._prng,
            classical_data=classical_data,
            initial_state=initial_state,
            dtype=self._dtype,
        )

    def _create_step_result(self, sim_state: Any) -> Any:
        return cirq.SparseSimulatorStep(sim_state=sim_state, dtype=self._dtype)

    # -- final states --------------------------------------------------------------------------------
    def simulate_sweep_iter(
        self,
        program: Any,
        params: Any,
        qubit_order: Any = cirq.QubitOrder.DEFAULT,
        initial_state: Any = None,
    ) -> Iterator[Any]:
        """As ``cirq.Simulator.simulate_sweep_iter``."""
        qubits = _ordered(program, qubit_order)
        plan = self._plan(program, qubits, initial_state)
        if plan is None:
            yield from super().simulate_sweep_iter(program, params, qubit_order, initial_state)
            return
        after = cirq.Circuit(plan.measurements)
        for resolver, vector in self._vectors(plan, params, qubits, initial_state):
            state = FinalState(vector, qubits, self._settings, self._prng)
            if plan.measurements:
                merged = state.create_merged_state()
                yield from super().simulate_sweep_iter(after, resolver, qubits, merged)
            else:
                yield QsimTrialResult(params=resolver, measurements={}, final_simulator_state=state)

    def _plan(self, program: Any, qubits: tuple[Any, ...], initial_state: Any = None) -> Plan | None:
        if self.noise != cirq.NO_NOISE or isinstance(initial_state, cirq.SimulationStateBase):
            return None
        return plan_of(program, qubits, self._settings)

    def _initial(self, initial_state: Any, qubits: Sequence[Any]) -> Any:
        """An array, or None for |0...0>."""
        if initial_state is None or (isinstance(initial_state, int) and initial_state == 0):
            return None
        shape = (2,) * len(qubits)
        vector = cirq.to_valid_state_vector(
            initial_state, len(qubits), qid_shape=shape, dtype=np.dtype(self._dtype).type
        )
        return vector.reshape(-1)

    def _vectors(
        self, plan: Plan, params: Any, qubits: Sequence[Any], initial_state: Any
    ) -> Iterator[tuple[Any, Any]]:
        """Each resolver of a sweep with the state it gives."""
        resolvers = resolvers_of(params)
        values = values_of(plan.program, resolvers)
        initial = self._initial(initial_state, qubits)
        for rows in row_ranges(plan.program, len(resolvers)):
            states = plan.program.statevector(values[rows], initial_state=initial)
            if len(qubits) <= _MAX_CLEAN_QUBITS:
                parts = states.view(states.real.dtype)
                parts[np.abs(parts) < 1e-15] = 0
            yield from zip(resolvers[rows], states.reshape(-1, 1 << len(qubits)), strict=True)

    # -- samples -------------------------------------------------------------------------------------
    def run_sweep_iter(self, program: Any, params: Any, repetitions: int = 1) -> Iterator[Any]:
        """As ``cirq.Simulator.run_sweep_iter``."""
        if not program.has_measurements() or repetitions == 0:
            yield from super().run_sweep_iter(program, params, repetitions)
            return
        resolvers = resolvers_of(params)
        for resolver, records in zip(resolvers, self._records(program, resolvers, repetitions), strict=True):
            yield cirq.ResultDict(params=resolver, records=records)

    def _run(self, circuit: Any, param_resolver: Any, repetitions: int) -> dict[str, Any]:
        return next(self._records(circuit, [param_resolver], repetitions))

    def _records(self, circuit: Any, resolvers: Sequence[Any], repetitions: int) -> Iterator[dict[str, Any]]:
        """Measurement key -> bits, shape (repetitions, times measured, qubits), for each resolver."""
        qubits = tuple(sorted(circuit.all_qubits()))
        plan = self._plan(circuit, qubits)
        if plan is not None:
            for rows in row_ranges(plan.program, len(resolvers)):
                for bits in self._sampled(
                    plan, values_of(plan.program, resolvers[rows]), qubits, repetitions
                ):
                    yield records_of_measurements(plan.measurements, bits, self._prng)
            return
        if repetitions >= MANY_REPETITIONS:
            noisy = circuit
            if self.noise != cirq.NO_NOISE:
                noisy = cirq.Circuit(self.noise.noisy_moments(circuit, list(qubits)))
            plan = sampling_plan(noisy, qubits, self._settings)
        if plan is None:
            for resolver in resolvers:
                yield super()._run(circuit, resolver, repetitions)
            return
        values = values_of(plan.program, resolvers)
        for row in values:
            samples = plan.program.sample(row, shots=repetitions, seed=self._seed())
            yield records_of_bits(plan.keys, samples.bits)

    def _sampled(
        self, plan: Plan, values: Any, qubits: tuple[Any, ...], repetitions: int
    ) -> Iterator[dict[Any, Any]]:
        """Measured qubit -> its bits, shape (repetitions,), for each row of values."""
        measured = list(dict.fromkeys(q for op in plan.measurements for q in op.qubits))
        places = {qubit: len(qubits) - 1 - k for k, qubit in enumerate(qubits)}
        chosen = [places[qubit] for qubit in measured]
        if len(measured) <= _MAX_TABLE_QUBITS:
            for p in plan.program.probabilities(values, chosen[::-1]).reshape(len(values), -1):
                outcomes = self._prng.choice(len(p), size=repetitions, p=p / p.sum())
                last = len(measured) - 1
                yield {qubit: outcomes >> last - k & 1 for k, qubit in enumerate(measured)}
            return
        for row in values:
            bits = plan.program.sample(row, shots=repetitions, seed=self._seed()).bits
            yield {qubit: bits[:, place] for qubit, place in zip(measured, chosen, strict=True)}

    def _seed(self) -> int:
        return int(self._prng.randint(0, 1 << 62, dtype=np.int64))

    # -- expectation values --------------------------------------------------------------------------
    def simulate_expectation_values_sweep_iter(
        self,
        program: Any,
        observables: Any,
        params: Any,
        qubit_order: Any = cirq.QubitOrder.DEFAULT,
        initial_state: Any = None,
        permit_terminal_measurements: bool = False,
    ) -> Iterator[list[float]]:
        """As ``cirq.Simulator.simulate_expectation_values_sweep_iter``."""
        if not permit_terminal_measurements and program.are_any_measurements_terminal():
            raise ValueError(
                "Provided circuit has terminal measurements, which may skew expectation values. If this is "
                "intentional, set permit_terminal_measurements=True."
            )
        qubits = _ordered(program, qubit_order)
        given = observables if isinstance(observables, list) else [observables]
        sums = [cirq.PauliSum.wrap(observable) for observable in given]
        plan = self._plan(program, qubits, initial_state)
        if plan is None or plan.measurements:
            places = {qubit: k for k, qubit in enumerate(qubits)}
            for result in self.simulate_sweep_iter(program, params, qubit_order, initial_state):
                vector = result.final_state_vector
                yield [float(s.expectation_from_state_vector(vector, places).real) for s in sums]
            return
        resolvers = resolvers_of(params)
        if not sums:
            yield from ([] for _ in resolvers)
            return
        translated = [from_cirq(s, qubit_order=qubits[::-1]) for s in sums]
        compiled = plan.program.with_observables(translated)
        values = values_of(compiled, resolvers)
        initial = self._initial(initial_state, qubits)
        for row in compiled.expectation(values, initial_state=initial).reshape(len(resolvers), len(sums)):
            yield row.tolist()


def _ordered(circuit: Any, qubit_order: Any) -> tuple[Any, ...]:
    return tuple(cirq.QubitOrder.as_qubit_order(qubit_order).order_for(circuit.all_qubits()))
