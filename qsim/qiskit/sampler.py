"""Samples of classical registers as Qiskit's primitives define them: `QsimSampler`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit.primitives import (
    BaseSamplerV2,
    BitArray,
    DataBin,
    PrimitiveJob,
    PrimitiveResult,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import Options

from qsim.qiskit.programs import Compiled, compiled, simulator_options
from qsim.results import Samples
from qsim.rng import root_sequence

__all__ = ["QsimSampler"]


class QsimSampler(BaseSamplerV2):
    """Samples of the classical registers of circuits, measurements in the middle and control flow included.

    All bindings of a pub are one batch of the compiled program, which is kept for the next run.

    Parameters
    ----------
    default_shots : int
        Shots of pubs that say none, in ``run()`` neither.
    seed : int, numpy.random.SeedSequence or numpy.random.Generator, optional
        With an int every run gives the same samples.
    options : dict, optional
        Of the simulator: ``precision`` ("double" or "single"), ``threads``, ``backend`` ("cpp" or "numba"),
        ``fuse``, ``max_memory``; see `qsim.compile`.

    Examples
    --------
    >>> from qiskit.circuit import QuantumCircuit
    >>> bell = QuantumCircuit(2)
    >>> _ = bell.h(0), bell.cx(0, 1), bell.measure_all()
    >>> sorted(QsimSampler(seed=1).run([bell], shots=100).result()[0].data.meas.get_counts())
    ['00', '11']
    """

    def __init__(
        self, *, default_shots: int = 1024, seed: Any = None, options: Mapping[str, Any] | None = None
    ) -> None:
        self._default_shots = default_shots
        self._seed = seed
        self._options = Options(**simulator_options(options))
        root_sequence(None if isinstance(seed, np.random.Generator) else seed)  # refuses what is no seed

    @property
    def default_shots(self) -> int:
        """Shots of pubs that have none."""
        return self._default_shots

    @property
    def seed(self) -> Any:
        """Seed of the samples."""
        return self._seed

    @property
    def options(self) -> Any:
        """Options of the simulator; ``options.update_options(threads=1)`` changes them."""
        return self._options

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> Any:
        """Sample circuits.

        Parameters
        ----------
        pubs : iterable of pub-like
            ``circuit`` or ``(circuit[, parameter_values[, shots]])``.
        shots : int, optional

        Returns
        -------
        PrimitiveJob
            Of a PrimitiveResult, whose ``data`` has a BitArray for each classical register of the circuit.
        """
        if shots is None:
            shots = self._default_shots
        coerced = [SamplerPub.coerce(pub, shots) for pub in pubs]
        if any(len(pub.circuit.cregs) == 0 for pub in coerced):
            warnings.warn(
                "One of your circuits has no output classical registers and so the result will be empty. Did "
                "you mean to add measurement instructions?",
                UserWarning,
                stacklevel=2,
            )
        job = PrimitiveJob(self._run, coerced, root_sequence(self._seed))
        job._submit()
        return job

    def _run(self, pubs: list[Any], root: np.random.SeedSequence) -> Any:
        results = []
        for number, pub in enumerate(pubs):
            seed = np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, number))
            results.append(self._run_pub(pub, seed))
        return PrimitiveResult(results, metadata={"version": 2})

    def _run_pub(self, pub: Any, seed: np.random.SeedSequence) -> Any:
        circuit = pub.circuit
        entry = compiled(circuit, simulator_options(self._options))
        rows = entry.rows(pub.parameter_values.as_array(circuit.parameters))
        samples = sample(entry, rows, pub.shots, seed)
        data = {}
        for register in circuit.cregs:
            places = [circuit.find_bit(bit).index for bit in register]
            packed = register_bytes(samples, places)
            data[register.name] = BitArray(packed.reshape(*pub.shape, *packed.shape[1:]), len(places))
        return SamplerPubResult(
            DataBin(**data, shape=pub.shape),
            metadata={"shots": pub.shots, "circuit_metadata": circuit.metadata},
        )


def sample(entry: Compiled, rows: Any, shots: int, seed: Any) -> Samples:
    """Outcomes of all classical bits, as a batch; bits that nothing writes are 0."""
    bits = entry.program.num_clbits
    if not entry.measured or not len(rows):
        return Samples.from_bits(np.zeros((len(rows), shots, bits), dtype=np.uint8))
    found: Samples = entry.program.sample(rows, shots=shots, seed=seed)
    return found


def register_bytes(samples: Samples, places: Sequence[int]) -> npt.NDArray[np.uint8]:
    """The bytes of some bits of a batch of outcomes, (batch, shots, bytes), the most significant first."""
    width, count = (len(places) + 7) // 8, len(places)
    batch = samples.batch or 0
    if not count:
        return np.zeros((batch, samples.shots, 0), dtype=np.uint8)
    consecutive = list(places) == list(range(places[0], places[0] + count))
    if consecutive and samples.num_bits <= 63:
        values = samples.ints >> places[0] & ((1 << count) - 1)
        return np.ascontiguousarray(values.astype(">u8")[..., None].view(np.uint8)[..., 8 - width :])
    chosen = samples.bits[..., list(places)][..., ::-1]
    padding = np.zeros((*chosen.shape[:-1], -count % 8), dtype=np.uint8)
    return np.packbits(np.concatenate([padding, chosen], axis=-1), axis=-1)
