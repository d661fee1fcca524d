"""Expectation values as Qiskit's primitives define them: `QsimEstimator`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit.primitives import BaseEstimatorV2, DataBin, PrimitiveJob, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.providers import Options

from qsim.gradients.evaluations import Evaluations, Streams
from qsim.gradients.evaluations import Options as ShotOptions
from qsim.program.program import Program
from qsim.qiskit.programs import Compiled, blocks, compiled, observable_key, simulator_options, unique_rows
from qsim.rng import root_sequence

__all__ = ["QsimEstimator"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class QsimEstimator(BaseEstimatorV2):
    """Expectation values of observables in the states that circuits prepare.

    All bindings of a pub, and all pubs of one circuit in a run, are one batch of the compiled program, which
    is kept for the next run.

    Parameters
    ----------
    default_precision : float
        Standard error to aim at where neither the pub nor ``run()`` says one. 0, the default, is exact.
    seed : int, numpy.random.SeedSequence or numpy.random.Generator, optional
        Of the shots. With an int every run gives the same numbers.
    options : dict, optional
        Of the simulator: ``precision`` ("double" or "single"), ``threads``, ``backend`` ("cpp" or "numba"),
        ``fuse``, ``max_memory``; see `qsim.compile`.

    Notes
    -----
    With a precision p above 0, values are estimated from ``ceil(1 / p**2)`` shots of each group of Pauli
    strings that agree on every qubit, and ``stds`` are the standard errors of these estimates. A circuit that
    measures or branches in the middle is averaged over its outcomes exactly; with a precision the value then
    has normal noise of the standard error that so many shots of the observable would have.

    Examples
    --------
    >>> from qiskit.circuit import Parameter, QuantumCircuit
    >>> circuit = QuantumCircuit(1)
    >>> _ = circuit.ry(Parameter("t"), 0)
    >>> QsimEstimator().run([(circuit, "Z", [[0.0], [3.141592653589793]])]).result()[0].data.evs
    array([ 1., -1.])
    """

    def __init__(
        self,
        *,
        default_precision: float = 0.0,
        seed: Any = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._default_precision = default_precision
        self._seed = seed
        self._options = Options(**simulator_options(options))
        root_sequence(None if isinstance(seed, np.random.Generator) else seed)  # refuses what is no seed

    @property
    def default_precision(self) -> float:
        """Precision of pubs that have none."""
        return self._default_precision

    @property
    def seed(self) -> Any:
        """Seed of the shots."""
        return self._seed

    @property
    def options(self) -> Any:
        """Options of the simulator; ``options.update_options(threads=1)`` changes them."""
        return self._options

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> Any:
        """Estimate expectation values.

        Parameters
        ----------
        pubs : iterable of pub-like
            ``(circuit, observables[, parameter_values[, precision]])``.
        precision : float, optional

        Returns
        -------
        PrimitiveJob
            Of a PrimitiveResult, with ``data.evs`` and ``data.stds`` in the shape of each pub.
        """
        if precision is None:
            precision = self._default_precision
        coerced = [EstimatorPub.coerce(pub, precision) for pub in pubs]
        job = PrimitiveJob(self._run, coerced, root_sequence(self._seed))
        job._submit()
        return job

    def _run(self, pubs: list[Any], root: np.random.SeedSequence) -> Any:
        work: dict[tuple[int, float], _Work] = {}
        entries: dict[int, Compiled] = {}  # by the circuit, which a list of pubs often repeats
        options = simulator_options(self._options)
        for place, pub in enumerate(pubs):
            entry = entries.get(id(pub.circuit))
            if entry is None:
                entry = entries[id(pub.circuit)] = compiled(pub.circuit, options)
            job = work.setdefault((id(entry), pub.precision), _Work(entry, pub.precision))
            job.add(place, pub)
        results: dict[int, Any] = {}
        for number, job in enumerate(work.values()):
            seed = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, number))
            results.update(job.run(seed))
        return PrimitiveResult([results[place] for place in range(len(pubs))], metadata={"version": 2})


class _Work:
    """All pubs of one circuit and precision."""

    def __init__(self, entry: Compiled, precision: float) -> None:
        self.entry, self.precision = entry, precision
        self.pubs: list[tuple[int, Any]] = []
        self.known: dict[Any, int] = {}
        self.observables: list[tuple[Any, Any]] = []
        self.rows: list[FloatArray] = []
        self.pairs: list[tuple[IntArray, IntArray]] = []
        self.count = 0

    def add(self, place: int, pub: Any) -> None:
        """Take the pub at a place of the list: its rows follow those that are there."""
        numbers = np.empty(pub.observables.shape, dtype=np.int64)
        for index, observable in np.ndenumerate(pub.observables.sparse_observables_array()):
            key = observable_key(observable)
            if key not in self.known:
                self.known[key] = len(self.observables)
                self.observables.append((key, observable))
            numbers[index] = self.known[key]
        rows = self.entry.rows(pub.parameter_values.as_array(pub.circuit.parameters))
        which = np.arange(self.count, self.count + len(rows)).reshape(pub.parameter_values.shape)
        row_of, observable_of = np.broadcast_arrays(which, numbers)
        self.pubs.append((place, pub))
        self.rows.append(rows)
        self.pairs.append((row_of, observable_of))
        self.count += len(rows)

    def run(self, seed: np.random.SeedSequence) -> dict[int, Any]:
        """Results of the pubs, by their place in the list."""
        rows = self.rows[0] if len(self.rows) == 1 else np.concatenate(self.rows)
        which = np.arange(len(rows))
        if len(self.rows) > 1 and self.precision == 0:  # each estimate has shots of its own
            rows, which = unique_rows(rows)
        row_of = which[np.concatenate([r.ravel() for r, _ in self.pairs])]
        observable_of = np.concatenate([o.ravel() for _, o in self.pairs])
        values = np.empty((len(rows), len(self.observables)))
        errors = np.zeros_like(values)
        for number, (some, asked) in enumerate(blocks(row_of, observable_of)):
            program = self.entry.asked([self.observables[k] for k in asked])
            place = np.ix_(some, asked)
            if self.precision == 0:
                values[place] = program.expectation(rows[some])
            else:
                shots = math.ceil(1.0 / self.precision**2)
                own = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))
                values[place], errors[place] = estimate(program, rows[some], shots, own)
        out: dict[int, Any] = {}
        for (place_of_pub, pub), (r, o) in zip(self.pubs, self.pairs, strict=True):
            metadata: dict[str, Any] = {
                "target_precision": self.precision,
                "circuit_metadata": pub.circuit.metadata,
            }
            if self.precision:
                metadata["shots"] = math.ceil(1.0 / self.precision**2)
            evs, stds = (np.asarray(array[which[r], o]) for array in (values, errors))
            data = DataBin(evs=evs, stds=stds, shape=r.shape)
            out[place_of_pub] = PubResult(data, metadata=metadata)
        return out


def estimate(
    program: Program, rows: FloatArray, shots: int, seed: np.random.SeedSequence
) -> tuple[FloatArray, FloatArray]:
    """Means over shots and their standard errors, (rows, observables), for a program with a list of these."""
    if not program.is_static:
        values = np.asarray(program.expectation(rows))
        errors = np.sqrt(np.asarray(program.variance(rows)) / shots)
        return np.random.default_rng(seed).normal(values, errors), errors
    evaluations = Evaluations(program, ShotOptions(shots=shots, seed=seed), Streams(seed, len(rows)))
    numbers = np.arange(len(rows), dtype=np.int64)
    values, variances = evaluations(program._slots.angles(rows), numbers, np.zeros_like(numbers))
    if shots == 1:  # which has no spread
        variances = np.asarray(program.variance(rows))
    return values, np.sqrt(variances)
