"""Simulator: answers about circuits with one choice of backend, precision, threads and seed."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim import entanglement
from qsim._checks import check_qubits
from qsim.binding import bind_values
from qsim.circuit import Circuit
from qsim.errors import ArgumentError
from qsim.memory import parse_bytes
from qsim.program.program import Program
from qsim.results import Samples
from qsim.rng import root_sequence
from qsim.settings import resolve_dtype, resolve_threads

__all__ = ["Simulator"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]


class Simulator:
    """Answers about circuits with one choice of backend, precision, threads and seed.

    The functions of the module are methods of a Simulator with the settings they are given. Programs
    are kept with the circuit, so asking again about an unchanged circuit compiles nothing.

    Parameters
    ----------
    backend : {"cpp", "numba"}, optional
        Default: ``QSIM_BACKEND``, then the C++ core if it was built, else Numba.
    precision : {"double", "single"}, optional
        complex128 or complex64 amplitudes. Default: ``QSIM_PRECISION``, then double.
    threads : int, optional
        Default: ``QSIM_NUM_THREADS``, ``OMP_NUM_THREADS``, then the processors available.
    seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
        Where calls of `sample` without a seed of their own take theirs from, one after the other.
    max_memory : int or str, optional
        Bytes, or text such as ``"256 MB"``, for the states that a call holds at once; see `qsim.compile`.

    Examples
    --------
    >>> simulator = Simulator(precision="single", seed=7)
    >>> bell = Circuit(2).h(0).cx(0, 1)
    >>> simulator.probabilities(bell).round(3)
    array([0.5, 0. , 0. , 0.5])
    """

    def __init__(
        self,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        seed: Any = None,
        max_memory: int | str | None = None,
    ) -> None:
        from qsim.backends.base import get_backend

        self.backend = get_backend(backend).name
        self.precision = "double" if resolve_dtype(precision) == np.complex128 else "single"
        self.threads = resolve_threads(threads)
        self.max_memory = parse_bytes(max_memory)
        self._seeds = None if seed is None else np.random.Generator(np.random.Philox(root_sequence(seed)))

    def __repr__(self) -> str:
        limit = "" if self.max_memory is None else f", max_memory={self.max_memory}"
        settings = f"backend={self.backend!r}, precision={self.precision!r}, threads={self.threads}"
        return f"Simulator({settings}{limit})"

    def compile(self, circuit: Circuit, observables: Any = None) -> Program:
        """A `Program` of the circuit with these settings, kept with the circuit until it changes."""
        if not isinstance(circuit, Circuit):
            raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
        key = ("program", self.backend, self.precision, self.threads, self.max_memory)
        program: Program | None = circuit._cache.get(key)
        if program is None or not program.has_names_of(circuit):
            program = Program(
                circuit,
                backend=self.backend,
                precision=self.precision,
                threads=self.threads,
                max_memory=self.max_memory,
            )
            circuit._cache[key] = program
        return program if observables is None else program.with_observables(observables)

    def statevector(
        self, circuit: Circuit, params: Any = None, *, initial_state: Any = None, normalize: bool = False
    ) -> ComplexArray:
        """See `qsim.statevector`."""
        return self.compile(circuit).statevector(params, initial_state=initial_state, normalize=normalize)

    def expectation(
        self,
        circuit: Circuit,
        observables: Any,
        params: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
        progress: bool = False,
    ) -> Any:
        """See `qsim.expectation`."""
        program = self.compile(circuit, _required(observables))
        return program.expectation(
            params, initial_state=initial_state, normalize=normalize, progress=progress
        )

    def value_and_gradient(
        self,
        circuit: Circuit,
        observables: Any,
        params: Any = None,
        *,
        wrt: Any = None,
        method: str = "adjoint",
        step: float | None = None,
        shots: int | None = None,
        seed: Any = None,
        directions: int | None = None,
        return_std: bool = False,
    ) -> tuple[Any, ...]:
        """See `qsim.value_and_gradient`."""
        program, measured = self._measured(circuit, observables)
        if seed is None and self._seeds is not None:
            from qsim.gradients.evaluate import RANDOM

            seed = self._seeds if shots is not None or method in RANDOM else None
        return program.value_and_gradient(
            params,
            wrt=wrt,
            method=method,
            step=step,
            shots=shots,
            seed=seed,
            directions=directions,
            return_std=return_std,
            measurement=measured,
        )

    def _measured(self, circuit: Circuit, measurement: Any) -> tuple[Program, Any]:
        """A program, and the measurement if it is not the program's own observables."""
        from qsim.measurements import Measurement

        if isinstance(measurement, Measurement):
            return self.compile(circuit), measurement
        return self.compile(circuit, _required(measurement)), None

    def vjp(
        self,
        circuit: Circuit,
        measurement: Any,
        params: Any,
        cotangent: Any,
        *,
        wrt: Any = None,
        initial_state: Any = None,
    ) -> tuple[Any, ...]:
        """See `qsim.vjp`."""
        program, measured = self._measured(circuit, measurement)
        return program.vjp(params, cotangent, wrt=wrt, initial_state=initial_state, measurement=measured)

    def jvp(
        self, circuit: Circuit, measurement: Any, params: Any, tangent: Any, *, wrt: Any = None
    ) -> tuple[Any, Any]:
        """See `qsim.jvp`."""
        program, measured = self._measured(circuit, measurement)
        return program.jvp(params, tangent, wrt=wrt, measurement=measured)

    def hvp(
        self,
        circuit: Circuit,
        measurement: Any,
        params: Any,
        vector: Any,
        *,
        wrt: Any = None,
        cotangent: Any = None,
    ) -> Any:
        """See `qsim.hvp`."""
        program, measured = self._measured(circuit, measurement)
        return program.hvp(params, vector, wrt=wrt, cotangent=cotangent, measurement=measured)

    def hessian(
        self,
        circuit: Circuit,
        measurement: Any,
        params: Any = None,
        *,
        wrt: Any = None,
        cotangent: Any = None,
    ) -> Any:
        """See `qsim.hessian`."""
        program, measured = self._measured(circuit, measurement)
        return program.hessian(params, wrt=wrt, cotangent=cotangent, measurement=measured)

    def geometric_tensor(
        self, circuit: Circuit, params: Any = None, *, wrt: Any = None, approximation: str | None = None
    ) -> Any:
        """See `qsim.geometric_tensor`."""
        from qsim.gradients.metric import program_geometric_tensor

        return program_geometric_tensor(self.compile(circuit), params, wrt, approximation)

    def quantum_fisher(
        self, circuit: Circuit, params: Any = None, *, wrt: Any = None, approximation: str | None = None
    ) -> Any:
        """See `qsim.quantum_fisher`."""
        from qsim.gradients.metric import program_quantum_fisher

        return program_quantum_fisher(self.compile(circuit), params, wrt, approximation)

    def classical_fisher(
        self, circuit: Circuit, params: Any = None, qubits: Any = None, *, wrt: Any = None
    ) -> Any:
        """See `qsim.classical_fisher`."""
        from qsim.gradients.metric import program_classical_fisher

        return program_classical_fisher(self.compile(circuit), params, qubits, wrt)

    def variance(
        self,
        circuit: Circuit,
        observables: Any,
        params: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
        progress: bool = False,
    ) -> Any:
        """See `qsim.variance`."""
        program = self.compile(circuit, _required(observables))
        return program.variance(params, initial_state=initial_state, normalize=normalize, progress=progress)

    def probabilities(
        self,
        circuit: Circuit,
        params: Any = None,
        qubits: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
        progress: bool = False,
    ) -> FloatArray:
        """See `qsim.probabilities`."""
        return self.compile(circuit).probabilities(
            params, qubits, initial_state=initial_state, normalize=normalize, progress=progress
        )

    def sample(
        self,
        circuit: Circuit,
        params: Any = None,
        *,
        shots: int,
        seed: Any = None,
        initial_state: Any = None,
        normalize: bool = False,
        progress: bool = False,
    ) -> Samples:
        """See `qsim.sample`."""
        return self.compile(circuit).sample(
            params,
            shots=shots,
            seed=self._seeds if seed is None else seed,
            initial_state=initial_state,
            normalize=normalize,
            progress=progress,
        )

    def distribution(
        self, circuit: Circuit, params: Any = None, *, initial_state: Any = None, normalize: bool = False
    ) -> Any:
        """See `qsim.distribution`."""
        return self.compile(circuit).distribution(params, initial_state=initial_state, normalize=normalize)

    def amplitudes(
        self,
        circuit: Circuit,
        bitstrings: Any,
        params: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
    ) -> ComplexArray:
        """See `qsim.amplitudes`."""
        return self.compile(circuit).amplitudes(
            bitstrings, params, initial_state=initial_state, normalize=normalize
        )

    def density_matrix(
        self,
        circuit: Circuit,
        qubits: Any = None,
        params: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
    ) -> ComplexArray:
        """See `qsim.density_matrix`."""
        return self.compile(circuit).density_matrix(
            params, qubits, initial_state=initial_state, normalize=normalize
        )

    def purity(self, circuit: Circuit, qubits: Any, params: Any = None) -> Any:
        """See `qsim.purity`."""
        return self._of_reduced(circuit, qubits, params, entanglement.purity_of)

    def von_neumann_entropy(
        self, circuit: Circuit, qubits: Any, params: Any = None, *, base: float = 2.0
    ) -> Any:
        """See `qsim.von_neumann_entropy`."""
        return self._of_reduced(
            circuit, qubits, params, lambda rho: entanglement.entropy_of(rho, _base(base))
        )

    def renyi_entropy(
        self, circuit: Circuit, qubits: Any, params: Any = None, *, alpha: float = 2.0, base: float = 2.0
    ) -> Any:
        """See `qsim.renyi_entropy`."""
        _check_real(alpha, "alpha")
        return self._of_reduced(
            circuit, qubits, params, lambda rho: entanglement.renyi_of(rho, alpha, _base(base))
        )

    def mutual_information(
        self, circuit: Circuit, first: Any, second: Any, params: Any = None, *, base: float = 2.0
    ) -> Any:
        """See `qsim.mutual_information`."""
        a, b = (check_qubits(q, self.compile(circuit).num_qubits) for q in (first, second))
        if set(a) & set(b):
            raise ArgumentError(
                f"Arguments `first` and `second` must share no qubit, but share {sorted(set(a) & set(b))}."
            )

        def entropy(qubits: Any) -> Any:
            return self.von_neumann_entropy(circuit, qubits, params, base=base)

        return entropy(a) + entropy(b) - entropy([*a, *b])

    def inner_product(
        self, first: Circuit, second: Circuit, first_params: Any = None, second_params: Any = None
    ) -> Any:
        """See `qsim.inner_product`."""
        return self._overlap("An inner product", first, second, first_params, second_params, False)

    def _overlap(
        self,
        what: str,
        first: Circuit,
        second: Circuit,
        first_params: Any,
        second_params: Any,
        normalize: bool,
    ) -> Any:
        for name, circuit in (("first", first), ("second", second)):
            if not isinstance(circuit, Circuit):
                raise TypeError(f"Argument `{name}` must be a Circuit, but is {type(circuit).__name__}.")
        if first.num_qubits != second.num_qubits:
            raise ArgumentError(
                f"Both circuits must have equally many qubits, but have {first.num_qubits} and "
                f"{second.num_qubits}."
            )
        program, other = self.compile(first), self.compile(second)
        counts = [
            len(bind_values(p.parameters, params)[0])
            for p, params in ((program, first_params), (other, second_params))
        ]
        if counts[0] != counts[1] and 1 not in counts:
            raise ArgumentError(
                f"Both circuits must have batches of equal size or 1, but have a batch of {counts[0]} and "
                f"one of {counts[1]}."
            )
        for made_by in (program, other):
            made_by._require_static(what, "density_matrix() or distribution()")
        rows = counts[0] if counts[1] == 1 else counts[1]
        sides, batched = [], False
        for made_by, params in ((program, first_params), (other, second_params)):
            values, own = bind_values(made_by.parameters, params)
            run = made_by._final if normalize else made_by._run
            sides.append(_Side(run, made_by._slots.angles(values), rows))
            batched = batched or own
        out = np.empty(rows, dtype=complex)
        a, b = sides
        held = program._state_bytes(sum(side.one is not None for side in sides))
        for part in program._row_ranges(rows, 2, held=held):
            out[part] = program._backend.inner_products(a.states(part), b.states(part), self.threads)
        return out if batched else complex(out[0])

    def fidelity(
        self, first: Circuit, second: Circuit, first_params: Any = None, second_params: Any = None
    ) -> Any:
        """See `qsim.fidelity`."""
        overlap = self._overlap("A fidelity", first, second, first_params, second_params, True)
        return np.abs(overlap) ** 2 if isinstance(overlap, np.ndarray) else abs(overlap) ** 2

    def _of_reduced(self, circuit: Circuit, qubits: Any, params: Any, function: Any) -> Any:
        """A function of the density matrix of some qubits; of the others where they are fewer."""
        program = self.compile(circuit)
        chosen = program._qubits(qubits)
        if program.is_static and 2 * len(chosen) > circuit.num_qubits:
            # a pure state has the same spectrum on both sides of a cut
            chosen = np.setdiff1d(np.arange(circuit.num_qubits, dtype=np.int32), chosen)
        return program._of_reduced(params, chosen, function)


class _Side:
    """The states of one side of inner products, those of a single row of angles made once."""

    def __init__(self, run: Any, angles: FloatArray, rows: int) -> None:
        self.run, self.angles = run, angles
        self.one = run(angles, None, 1) if len(angles) == 1 < rows else None

    def states(self, part: slice) -> ComplexArray:
        count = part.stop - part.start
        if self.one is None:
            states: ComplexArray = self.run(self.angles, None, count, part.start)
            return states
        return np.ascontiguousarray(np.broadcast_to(self.one, (count, self.one.shape[1])))


def _required(observables: Any) -> Any:
    if observables is None:
        raise TypeError("Argument `observable` must be an observable or a list of them, but is None.")
    return observables


def _base(base: Any) -> float:
    _check_real(base, "base")
    if not 0 < base < math.inf or base == 1:
        raise ArgumentError(f"Argument `base` must be positive, finite and not 1, but is {base}.")
    return float(base)


def _check_real(value: Any, name: str) -> None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"Argument `{name}` must be a real number, but is {type(value).__name__}.")
