"""qsim as a backend of Qiskit: `QsimBackend`, with what `transpile` has to know of it."""

from __future__ import annotations

import time
import uuid
import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import numpy as np
from qiskit.circuit import (
    BreakLoopOp,
    ContinueLoopOp,
    ForLoopOp,
    IfElseOp,
    Parameter,
    QuantumCircuit,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
    library,
)
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.providers import BackendV2, JobError, JobStatus, JobV1, Options
from qiskit.result import Result
from qiskit.transpiler import Target

import qsim
from qsim.errors import ArgumentError
from qsim.gates import GATES
from qsim.qiskit.programs import alike, compiled, simulator_options
from qsim.qiskit.sampler import sample
from qsim.results import Samples
from qsim.rng import root_sequence

__all__ = ["QsimBackend", "QsimJob"]

_SIMULATOR = ("precision", "threads", "backend", "fuse", "max_memory")
#: instructions of any width, beside the gates of the table
_WIDE = {
    **{"unitary": library.UnitaryGate, "diagonal": library.DiagonalGate, "pauli": library.PauliGate},
    **{"mcx": library.MCXGate, "mcphase": library.MCPhaseGate, "PauliEvolution": library.PauliEvolutionGate},
    **{"initialize": library.Initialize, "state_preparation": library.StatePreparation},
    **{"hamiltonian": library.HamiltonianGate, "store": Store},
    **{"if_else": IfElseOp, "while_loop": WhileLoopOp, "for_loop": ForLoopOp, "switch_case": SwitchCaseOp},
    **{"break_loop": BreakLoopOp, "continue_loop": ContinueLoopOp},
}


class QsimJob(JobV1):
    """A run of a `QsimBackend`, in a thread of its own."""

    def __init__(self, backend: Any, function: Any, *arguments: Any) -> None:
        super().__init__(backend, str(uuid.uuid4()))
        self._call = (function, *arguments)
        self._future: Future[Any] | None = None

    def submit(self) -> None:
        """Start the run.

        Raises
        ------
        JobError
            If it was started already.
        """
        if self._future is not None:
            raise JobError("The job has been submitted already.")
        executor = ThreadPoolExecutor(max_workers=1)
        self._future = executor.submit(self._call[0], self.job_id(), *self._call[1:])
        executor.shutdown(wait=False)

    def result(self, timeout: float | None = None) -> Any:
        """The result, waited for at most `timeout` seconds."""
        return self._submitted().result(timeout)

    def cancel(self) -> bool:
        """Whether the job was stopped before it began."""
        return self._submitted().cancel()

    def status(self) -> Any:
        """What the job does."""
        future = self._submitted()
        if future.running():
            return JobStatus.RUNNING
        if future.cancelled():
            return JobStatus.CANCELLED
        if future.done():
            return JobStatus.DONE if future.exception() is None else JobStatus.ERROR
        return JobStatus.INITIALIZING

    def _submitted(self) -> Future[Any]:
        if self._future is None:
            raise JobError("The job has not been submitted yet.")
        return self._future


class QsimBackend(BackendV2):
    """A backend that samples circuits with qsim.

    Parameters
    ----------
    **options
        Defaults of what ``run()`` takes:

        ``shots`` : int, 1024.

        ``memory`` : bool, False. Whether the result has the outcome of each shot, in their order.

        ``seed_simulator`` : int, optional. With it every run gives the same counts.

        ``precision`` : {"double", "single"}, optional.

        ``threads``, ``backend``, ``fuse``, ``max_memory`` : optional. See `qsim.compile`.

        ``parameter_binds`` : sequence of dict, optional. For each circuit, parameter to a sequence of values;
        the circuit is run for each. One dict serves all circuits.

    Notes
    -----
    Circuits that differ in the numbers of their gates alone are compiled once, and run as one batch.

    Examples
    --------
    >>> from qiskit import QuantumCircuit, transpile
    >>> bell = QuantumCircuit(2)
    >>> _ = bell.h(0), bell.cx(0, 1), bell.measure_all()
    >>> backend = QsimBackend(seed_simulator=1)
    >>> counts = backend.run(transpile(bell, backend), shots=1000).result().get_counts()
    >>> sorted(counts), sum(counts.values())
    (['00', '11'], 1000)
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            name="qsim",
            description="Statevector simulator on CPUs",
            backend_version=qsim.__version__,
        )
        self._check_options(options)
        self.options.update_options(**options)
        self._target = _target()

    @property
    def target(self) -> Any:
        """What the backend runs, for the transpiler: any number of qubits, each connected with each."""
        return self._target

    @property
    def max_circuits(self) -> None:
        """Circuits of a job: any number."""
        return None

    @classmethod
    def _default_options(cls) -> Any:
        return Options(
            shots=1024,
            memory=False,
            seed_simulator=None,
            parameter_binds=None,
            **dict.fromkeys(_SIMULATOR),
        )

    def _check_options(self, options: Mapping[str, Any]) -> None:
        known = list(self._default_options().__dict__)
        for name in options:
            if name not in known:
                raise ArgumentError(f"QsimBackend has no option {name!r}; it has {', '.join(known)}.")

    def run(self, run_input: Any, **options: Any) -> QsimJob:
        """Sample one or several circuits.

        Parameters
        ----------
        run_input : QuantumCircuit or sequence of QuantumCircuit
        **options
            In place of the backend's; see the class.

        Returns
        -------
        QsimJob
        """
        if not isinstance(run_input, QuantumCircuit | Iterable):
            raise TypeError(f"Argument `run_input` must be circuits, but is {type(run_input).__name__}.")
        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        for circuit in circuits:
            if not isinstance(circuit, QuantumCircuit):
                raise TypeError(
                    f"Argument `run_input` must be circuits, but holds a {type(circuit).__name__}."
                )
            if not circuit.num_clbits:
                warnings.warn(
                    f"No classical registers in circuit '{circuit.name}', counts will be empty.",
                    stacklevel=2,
                )
        self._check_options(options)
        settings = {**self.options.__dict__, **options}
        shots = settings["shots"]
        if isinstance(shots, bool) or not isinstance(shots, int | np.integer) or shots < 1:
            raise ArgumentError(f"Option `shots` must be an int of at least 1, but is {shots!r}.")
        root_sequence(settings["seed_simulator"])
        simulator = {name: settings[name] for name in _SIMULATOR if settings[name] is not None}
        simulator_options(simulator)  # refuses values
        work = _bound(circuits, settings["parameter_binds"])
        job = QsimJob(self, self._run, work, settings, simulator)
        job.submit()
        return job

    def _run(
        self,
        job_id: str,
        work: list[tuple[Any, Any]],
        settings: Mapping[str, Any],
        simulator: Mapping[str, Any],
    ) -> Any:
        begun = time.perf_counter()
        root = root_sequence(settings["seed_simulator"])
        results: dict[tuple[int, int], dict[str, Any]] = {}
        plain = [place for place, (circuit, _) in enumerate(work) if not circuit.num_parameters]
        groups = [
            (entry, rows, [(plain[p], 0) for p in places])
            for entry, rows, places in alike([work[place][0] for place in plain], simulator)
        ]
        for place, (circuit, values) in enumerate(work):
            if circuit.num_parameters:
                entry = compiled(circuit, simulator)
                groups.append((entry, entry.rows(values), [(place, row) for row in range(len(values))]))
        for number, (entry, rows, places) in enumerate(groups):
            started = time.perf_counter()
            seed = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, number))
            samples = sample(entry, rows, int(settings["shots"]), seed)
            share = (time.perf_counter() - started) / max(1, len(rows))
            for key, own in zip(places, samples, strict=True):
                results[key] = _experiment(work[key[0]][0], own, settings, share)
        return Result.from_dict(
            {
                "backend_name": self.name,
                "backend_version": self.backend_version,
                "job_id": job_id,
                "qobj_id": None,
                "success": True,
                "status": "COMPLETED",
                "date": datetime.now().astimezone().isoformat(),
                "time_taken": time.perf_counter() - begun,
                "results": [results[place] for place in sorted(results)],
            }
        )


def _target() -> Any:
    target = Target(description="qsim", num_qubits=None)
    for name, instruction in get_standard_gate_name_mapping().items():
        if name in GATES or name in ("measure", "reset", "delay"):
            target.add_instruction(instruction, properties=None, name=name)
    for name, kind in _WIDE.items():
        target.add_instruction(kind, name=name)
    return target


def _bound(circuits: Sequence[Any], binds: Any) -> list[tuple[Any, Any]]:
    """(circuit, values of its parameters) of each circuit; values (rows, parameters) in Qiskit's order."""
    if isinstance(binds, Mapping):
        binds = [binds]
    if binds is None:
        binds = [{}] * len(circuits)
    elif len(binds) == 1:
        binds = list(binds) * len(circuits)
    if len(binds) != len(circuits):
        raise ArgumentError(
            f"Option `parameter_binds` must hold 1 or {len(circuits)} dicts, one for each circuit, but holds "
            f"{len(binds)}."
        )
    return [(circuit, _values(circuit, bind)) for circuit, bind in zip(circuits, binds, strict=True)]


def _values(circuit: Any, bind: Mapping[Any, Any]) -> Any:
    named = {key.name if isinstance(key, Parameter) else key: value for key, value in bind.items()}
    missing = [p.name for p in circuit.parameters if p.name not in named]
    if missing:
        raise ArgumentError(
            f"Circuit '{circuit.name}' has no value for {', '.join(f'`{name}`' for name in missing)}: use "
            "assign_parameters(), or the option `parameter_binds`."
        )
    columns = [np.atleast_1d(np.asarray(named[p.name], dtype=float)) for p in circuit.parameters]
    if not columns:
        return np.zeros((1, 0))
    try:
        return np.stack(np.broadcast_arrays(*columns), axis=1)
    except ValueError:
        raise ArgumentError(
            f"Option `parameter_binds` must have equally many values for each parameter of circuit "
            f"'{circuit.name}', but has {', '.join(f'{len(c)}' for c in columns)}."
        ) from None


def _experiment(
    circuit: Any, samples: Samples, settings: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """What a Result holds of one circuit."""
    data: dict[str, Any] = {"counts": {}}
    if circuit.num_clbits:
        values, counts = samples._distinct()
        data["counts"] = {hex(v): int(c) for v, c in zip(values, counts, strict=True)}
        if settings["memory"]:
            data["memory"] = [hex(int(v)) for v in samples.ints]
    return {
        "shots": int(settings["shots"]),
        "success": True,
        "status": "DONE",
        "seed": settings["seed_simulator"],
        "time_taken": seconds,
        "header": {
            "name": circuit.name,
            "n_qubits": circuit.num_qubits,
            "memory_slots": circuit.num_clbits,
            "qreg_sizes": [[r.name, r.size] for r in circuit.qregs],
            "creg_sizes": [[r.name, r.size] for r in circuit.cregs],
            "global_phase": float(circuit.global_phase) if not circuit.parameters else 0.0,
            "metadata": circuit.metadata,
        },
        "data": data,
    }
