"""Program: a circuit compiled once and run often, with other parameters, from many threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim import entanglement
from qsim._checks import check_count, check_qubits
from qsim.backends.base import Backend, get_backend
from qsim.binding import bind_values
from qsim.bitstrings import format_bitstring, parse_bitstring
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError, StateError
from qsim.memory import check_state_memory
from qsim.observables import Observable, PauliSum, as_observables
from qsim.parameters import Parameter
from qsim.program.branches import Branch, exact_split, run_branches, shot_split
from qsim.program.explain import explain_program
from qsim.program.flow import compile_flow
from qsim.program.lower import SlotAllocator
from qsim.results import Samples
from qsim.rng import root_sequence, row_generator
from qsim.settings import resolve_dtype, resolve_threads

__all__ = ["Program", "compile_circuit"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]

#: States of a batch are computed in chunks of about this many bytes where only reductions are kept.
CHUNK_BYTES = 1 << 28


def compile_circuit(
    circuit: Circuit,
    observables: Any = None,
    *,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> Program:
    """Compile a circuit, once, into a Program that runs many times.

    Parameters
    ----------
    circuit : Circuit
    observables : observable or list of observables, optional
        What `Program.expectation` and `Program.variance` give; see `qsim.observables`.
    backend : {"cpp", "numba"}, optional
        Default: ``QSIM_BACKEND``, then the C++ core if it was built, else Numba.
    precision : {"double", "single"}, optional
        complex128 or complex64 amplitudes. Default: ``QSIM_PRECISION``, then double.
    threads : int, optional
        Default: ``QSIM_NUM_THREADS``, ``OMP_NUM_THREADS``, then the processors available.

    Returns
    -------
    Program

    Examples
    --------
    >>> import numpy as np
    >>> from qsim.parameters import Parameter
    >>> theta = Parameter("theta")
    >>> program = compile_circuit(Circuit(1).ry(theta, 0), "Z0")
    >>> program.expectation([[0.0], [np.pi]]).round(12)
    array([ 1., -1.])
    """
    return Program(circuit, observables, backend=backend, precision=precision, threads=threads)


class Program:
    """An immutable compiled circuit. Made by `qsim.compile`; pickles; may be shared by threads.

    Attributes
    ----------
    num_qubits, num_clbits : int
    parameters : tuple of Parameter
        Order of the columns of an array of values.
    observables : tuple of Observable
    backend : str
    precision : {"double", "single"}
    threads : int
    """

    def __init__(
        self,
        circuit: Circuit,
        observables: Any = None,
        *,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        if not isinstance(circuit, Circuit):
            raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
        self.num_qubits = circuit.num_qubits
        self.num_clbits = circuit.num_clbits
        self.name = circuit.name
        self.dtype = resolve_dtype(precision)
        self.threads = resolve_threads(threads)
        self._backend_name = get_backend(backend).name
        # Nothing is built for a state that cannot exist: the tape's masks hold 64 bits.
        check_state_memory(self.num_qubits, self.dtype.itemsize)
        self.parameters: tuple[Parameter, ...] = circuit.parameters
        slots = SlotAllocator(self.parameters)
        self._code = compile_flow(circuit, slots)
        self._slots = slots.slot_map()
        self._variables = {variable.name: initial for variable, initial in circuit.variables.items()}
        self._connect()
        self._set_observables(observables)

    def _connect(self) -> None:
        """What is not pickled: the backend and its handles."""
        self._backend: Backend = get_backend(self._backend_name)
        self._handles = [self._backend.compile(tape) for tape in self._code.tapes]

    def _set_observables(self, observables: Any) -> None:
        self.observables, self._is_single = ((), True) if observables is None else as_observables(observables)
        for observable in self.observables:
            observable.require_qubits(self.num_qubits)
        self._connect_observables()

    def _connect_observables(self) -> None:
        self._paulis = _pauli_handle(self._backend, self.observables, self.num_qubits)
        self._fast = (
            self._code.is_static
            and bool(self._handles)
            and not self._slots.expressions
            and len(self.observables) == 1
            and isinstance(self.observables[0], PauliSum)
        )

    def __getstate__(self) -> dict[str, Any]:
        dropped = {"_backend", "_handles", "_paulis", "_fast"}
        return {name: value for name, value in self.__dict__.items() if name not in dropped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()
        self._connect_observables()

    @property
    def backend(self) -> str:
        return self._backend_name

    @property
    def precision(self) -> str:
        return "double" if self.dtype == np.complex128 else "single"

    @property
    def is_static(self) -> bool:
        """Whether the circuit is gates followed by read-out, without branching in the middle."""
        return self._code.is_static

    # -- answers ---------------------------------------------------------------------------------
    def with_observables(self, observables: Any) -> Program:
        """The same program with other observables; nothing of the circuit is compiled again."""
        other = Program.__new__(Program)
        other.__dict__.update(self.__dict__)
        other._set_observables(observables)
        return other

    def statevector(self, params: Any = None, *, initial_state: Any = None, normalize: bool = False) -> ComplexArray:
        """Amplitudes of the state before the final measurements.

        Parameters
        ----------
        params : dict or array_like, optional
            Values of the parameters; see `qsim.binding.bind_values`.
        initial_state : array_like, shape (2**num_qubits,) or (batch, 2**num_qubits), optional
            ``|0...0>`` by default.
        normalize : bool
            Divide `initial_state` by its norm instead of refusing a norm other than 1.

        Returns
        -------
        ndarray, shape (2**num_qubits,) or (batch, 2**num_qubits)
            complex128 or complex64.

        Raises
        ------
        CircuitError
            If the circuit measures, resets or branches before its end, so that its state is random.
        """
        self._require_static("A state vector", "density_matrix() or distribution()")
        values, batched = bind_values(self.parameters, params)
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = _common_batch(len(values), 1 if initial is None else len(initial))
        check_state_memory(self.num_qubits, self.dtype.itemsize, batch=batch)
        states = self._run(self._slots.angles(values), initial, batch)
        return states if batched or batched_initial else states[0]

    def expectation(self, params: Any = None, *, initial_state: Any = None, normalize: bool = False, progress: bool = False) -> Any:
        """Expectation values of the program's observables.

        Parameters
        ----------
        params, initial_state, normalize
            As for `statevector`.
        progress : bool
            Show a progress bar (needs tqdm).

        Returns
        -------
        float or ndarray of float64
            Shape () for one observable and one parameter set, with (batch,) in front for a batch and
            (num_observables,) behind for a list of observables.
        """
        if self._fast and self._is_single and initial_state is None and type(params) is np.ndarray:
            # One parameter set of a compiled program: the shortest way into the core. The product is
            # finite unless a value is not (or overflows), and the long way below then says which.
            if params.dtype == np.float64 and params.shape == (len(self.parameters),):
                square = params.dot(params)
                if square - square == 0.0:
                    return self._backend.run_expectation(
                        self._handles[0], self._paulis, params.reshape(1, -1), self.dtype, self.threads
                    ).item()
        self._require_observables()
        values, batched = bind_values(self.parameters, params)
        if self._is_static_pauli() and initial_state is None:
            check_state_memory(self.num_qubits, self.dtype.itemsize)
            angles = self._slots.angles(values)
            if progress:
                rows = [
                    self._backend.run_expectation(self._handles[0], self._paulis, chunk, self.dtype, self.threads)
                    for chunk in _with_progress(_chunks(angles, self._rows_per_chunk()), progress)
                ]
                out = np.concatenate(rows)
            else:
                out = self._backend.run_expectation(self._handles[0], self._paulis, angles, self.dtype, self.threads)
        else:
            out, batched = self._average(values, batched, initial_state, normalize, self._expectations, progress)
        return self._shaped(out, batched)

    def variance(self, params: Any = None, *, initial_state: Any = None, normalize: bool = False, progress: bool = False) -> Any:
        """Variances ``<O**2> - <O>**2`` of the program's observables; shapes as for `expectation`."""
        self._require_observables()
        values, batched = bind_values(self.parameters, params)
        if self._code.is_static:

            def variances(states: ComplexArray) -> FloatArray:
                return np.stack([o.variance(states) for o in self.observables], axis=1)

            out, batched = self._average(values, batched, initial_state, normalize, variances, progress)
            return self._shaped(out, batched)

        def moments(states: ComplexArray) -> FloatArray:
            first = self._expectations(states)
            return np.concatenate(
                [first, np.stack([o.variance(states) for o in self.observables], axis=1) + first**2], axis=1
            )

        both, batched = self._average(values, batched, initial_state, normalize, moments, progress)
        count = len(self.observables)
        return self._shaped(both[:, count:] - both[:, :count] ** 2, batched)

    def probabilities(
        self, params: Any = None, qubits: Any = None, *, initial_state: Any = None, normalize: bool = False, progress: bool = False
    ) -> FloatArray:
        """Probabilities of the basis states of some qubits, before the final measurements.

        Parameters
        ----------
        params, initial_state, normalize
            As for `statevector`.
        qubits : sequence of int, optional
            The first is the least significant bit of the result's index; all by default.

        Returns
        -------
        ndarray, shape (2**k,) or (batch, 2**k), float64
        """
        chosen = self._qubits(qubits)

        def probabilities(states: ComplexArray) -> FloatArray:
            return self._backend.probabilities(states, chosen, self.threads)

        values, batched = bind_values(self.parameters, params)
        out, batched = self._average(values, batched, initial_state, normalize, probabilities, progress)
        return out if batched else out[0]

    def density_matrix(self, params: Any = None, qubits: Any = None, *, initial_state: Any = None, normalize: bool = False) -> ComplexArray:
        """Reduced density matrix of some qubits, averaged over the outcomes of measurements in the middle.

        Parameters
        ----------
        params, initial_state, normalize
            As for `statevector`.
        qubits : sequence of int, optional
            The first is the least significant bit of the indices; all by default.

        Returns
        -------
        ndarray, shape (2**k, 2**k) or (batch, 2**k, 2**k), complex128
        """
        chosen = self._qubits(qubits)
        check_state_memory(2 * len(chosen), 16)

        def reduced(states: ComplexArray) -> ComplexArray:
            return entanglement.reduced_density_matrix(states, chosen)

        values, batched = bind_values(self.parameters, params)
        out, batched = self._average(values, batched, initial_state, normalize, reduced)
        return out if batched else out[0]

    def amplitudes(self, bitstrings: Any, params: Any = None, *, initial_state: Any = None, normalize: bool = False) -> ComplexArray:
        """Amplitudes of chosen basis states.

        Parameters
        ----------
        bitstrings : sequence of str or int
            ``"011"`` (qubit 0 rightmost) or the index.
        params, initial_state, normalize
            As for `statevector`.

        Returns
        -------
        ndarray, shape (len(bitstrings),) or (batch, len(bitstrings))
        """
        index = [self._basis_index(b) for b in ([bitstrings] if isinstance(bitstrings, str | int) else bitstrings)]
        return self.statevector(params, initial_state=initial_state)[..., index]

    def sample(
        self,
        params: Any = None,
        *,
        shots: int,
        seed: Any = None,
        initial_state: Any = None, normalize: bool = False,
        progress: bool = False,
    ) -> Samples:
        """Samples of the classical bits if the circuit measures, else of all qubits.

        Parameters
        ----------
        params, initial_state, normalize
            As for `statevector`.
        shots : int
            At least 1.
        seed : None, int, numpy.random.SeedSequence or numpy.random.Generator
            The same seed gives the same samples whatever the backend, threads or size of the batch's
            chunks.

        Returns
        -------
        Samples
            With a leading batch axis if `params` has one.
        """
        count = check_count(shots, "shots", 1)
        root = root_sequence(seed)
        values, batched = bind_values(self.parameters, params)
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = _common_batch(len(values), 1 if initial is None else len(initial))
        width = self._num_sampled_bits()
        if width > 63:
            raise ArgumentError(f"Samples hold at most 63 bits, but the circuit measures into {width}.")
        out = np.empty((batch, count), dtype=np.int64)
        for row in _with_progress(range(batch), progress):
            generator = row_generator(root, row)
            out[row] = self._sample_row(values, initial, row, count, generator)
        return Samples(out if batched or batched_initial else out[0], width)

    def distribution(self, params: Any = None, *, initial_state: Any = None, normalize: bool = False) -> Any:
        """Exact distribution of the classical bits, following every branch.

        If the circuit has no measurement, of all qubits.

        Returns
        -------
        dict or list of dict
            Bitstring (bit 0 rightmost) to probability, for outcomes with a probability above 1e-15;
            a list for a batch.
        """
        values, batched = bind_values(self.parameters, params)
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = _common_batch(len(values), 1 if initial is None else len(initial))
        out = [self._distribution_row(values, initial, row) for row in range(batch)]
        return out if batched or batched_initial else out[0]

    def explain(self) -> str:
        """What running the program does: segments, passes over memory, bytes."""
        return explain_program(self)

    def __repr__(self) -> str:
        count = sum(len(tape.instructions) for tape in self._code.tapes)
        return (
            f"<Program: {self.num_qubits} qubits, {count} instructions, {len(self.parameters)} parameters, "
            f"{self.backend}, {self.precision}>"
        )

    # -- states ----------------------------------------------------------------------------------
    def _run(self, angles: FloatArray, initial: ComplexArray | None, batch: int, first: int = 0) -> ComplexArray:
        """States of rows `first` to `first + batch` of a static circuit."""
        states: ComplexArray = np.empty((batch, 1 << self.num_qubits), dtype=self.dtype)
        if initial is None:
            self._backend.set_basis_state(states, 0, self.threads)
        else:
            states[:] = initial if len(initial) == 1 else initial[first : first + batch]
        if self._handles:
            rows = angles if len(angles) == 1 else np.ascontiguousarray(angles[first : first + batch])
            self._backend.apply(self._handles[0], states, rows, self.threads)
        return states

    def _branches(
        self, angles: FloatArray, initial: ComplexArray | None, row: int, split: Any, weight: float
    ) -> Iterator[Branch]:
        """Final branches of one row of a circuit that branches."""
        state: ComplexArray = np.empty((1, 1 << self.num_qubits), dtype=self.dtype)
        if initial is None:
            self._backend.set_basis_state(state, 0, self.threads)
        else:
            state[0] = initial[row if len(initial) > 1 else 0]
        branch = Branch(state, [0] * self.num_clbits, dict(self._variables), weight)
        own = angles if len(angles) == 1 else np.ascontiguousarray(angles[row : row + 1])
        return run_branches(self._code, self._handles, branch, own, split, self._backend, self.threads)

    def _average(
        self,
        values: FloatArray,
        batched: bool,
        initial_state: Any,
        normalize: bool,
        function: Any,
        progress: bool = False,
    ) -> tuple[Any, bool]:
        """`function` of the final states, averaged over branches; and whether the result has a batch axis."""
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = _common_batch(len(values), 1 if initial is None else len(initial))
        angles = self._slots.angles(values)
        rows = self._rows_per_chunk() if self._code.is_static else 1
        check_state_memory(self.num_qubits, self.dtype.itemsize, batch=min(rows, batch))
        out: list[Any] = []
        for first in _with_progress(range(0, batch, rows), progress):
            count = min(rows, batch - first)
            if self._code.is_static:
                out.append(function(self._run(angles, initial, count, first)))
            else:
                branches = self._branches(angles, initial, first, exact_split, 1.0)
                total: Any = 0.0
                for branch in branches:
                    total = total + branch.weight * function(branch.state)
                out.append(total)
        return np.concatenate(out), batched or batched_initial

    def _expectations(self, states: ComplexArray) -> FloatArray:
        """All observables in all states, shape (batch, num_observables)."""
        out = np.empty((len(states), len(self.observables)))
        paulis = [k for k, o in enumerate(self.observables) if isinstance(o, PauliSum)]
        if paulis:
            out[:, paulis] = self._backend.expectation(self._paulis, states, self.threads)
        for k, observable in enumerate(self.observables):
            if not isinstance(observable, PauliSum):
                out[:, k] = observable.expectation(states)
        return out

    def _sample_row(
        self, values: FloatArray, initial: ComplexArray | None, row: int, shots: int, generator: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        angles = self._slots.angles(values[row : row + 1] if len(values) > 1 else values)
        own = None if initial is None else initial[row : row + 1] if len(initial) > 1 else initial
        check_state_memory(self.num_qubits, self.dtype.itemsize)
        if self._code.is_static:
            state = self._run(angles, own, 1)[0]
            out = self._read_out(state, [0] * self.num_clbits, shots, generator)
        else:
            parts = [
                self._read_out(branch.state[0], branch.bits, int(branch.weight), generator)
                for branch in self._branches(angles, own, 0, shot_split(generator), shots)
            ]
            out = np.concatenate(parts)
        generator.shuffle(out)  # drawn in order of the basis states, and of the branches
        return out

    def _read_out(
        self, state: ComplexArray, bits: Sequence[int], shots: int, generator: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """`shots` outcomes of the measurements at the end of the circuit, in order of basis states."""
        readout = self._code.readout
        base = sum(bit << k for k, bit in enumerate(bits))
        if not readout and not self._samples_qubits():
            return np.full(shots, base, dtype=np.int64)
        uniforms = generator.random(shots)
        uniforms.sort()
        index = self._backend.sample(state, uniforms, self.threads)
        if self._samples_qubits():
            return index
        out = np.full(shots, base, dtype=np.int64)
        for step in readout:
            out &= ~np.int64(1 << step.clbit)
            out |= (index >> step.qubit & 1) << step.clbit
        return out

    def _distribution_row(self, values: FloatArray, initial: ComplexArray | None, row: int) -> dict[str, float]:
        angles = self._slots.angles(values[row : row + 1] if len(values) > 1 else values)
        own = None if initial is None else initial[row : row + 1] if len(initial) > 1 else initial
        check_state_memory(self.num_qubits, self.dtype.itemsize)
        width = self._num_sampled_bits()
        totals: dict[int, float] = {}
        if self._code.is_static:
            final = [Branch(self._run(angles, own, 1), [0] * self.num_clbits, {}, 1.0)]
        else:
            final = self._branches(angles, own, 0, exact_split, 1.0)  # type: ignore[assignment]
        written = {step.clbit: step.qubit for step in self._code.readout}
        qubits = tuple(dict.fromkeys(written.values()))
        if self._samples_qubits():
            qubits = tuple(range(self.num_qubits))
            written = dict(zip(qubits, qubits, strict=True))
        position = {q: k for k, q in enumerate(qubits)}
        for branch in final:
            base = sum(bit << k for k, bit in enumerate(branch.bits) if k not in written)
            p = self._backend.probabilities(branch.state, np.array(qubits, dtype=np.int32), self.threads)[0]
            kept = np.flatnonzero(p * branch.weight > 1e-15)
            outcomes = np.full(len(kept), base, dtype=object if width > 62 else np.int64)
            for clbit, qubit in written.items():
                outcomes |= (kept >> position[qubit] & 1) << clbit
            for outcome, probability in zip(outcomes.tolist(), (p[kept] * branch.weight).tolist(), strict=True):
                totals[outcome] = totals.get(outcome, 0.0) + probability
        return {format_bitstring(outcome, width): totals[outcome] for outcome in sorted(totals)}

    # -- small things ----------------------------------------------------------------------------
    def _is_static_pauli(self) -> bool:
        return (
            self._code.is_static and bool(self._handles) and all(isinstance(o, PauliSum) for o in self.observables)
        )

    def _samples_qubits(self) -> bool:
        """Whether samples are of the qubits: no operation writes a classical bit."""
        return self._code.is_static and not self._code.readout

    def _num_sampled_bits(self) -> int:
        return self.num_qubits if self._samples_qubits() else self.num_clbits

    def _rows_per_chunk(self) -> int:
        return max(1, CHUNK_BYTES // (self.dtype.itemsize << self.num_qubits))

    def _require_static(self, what: str, instead: str) -> None:
        if not self._code.is_static:
            raise CircuitError(
                f"{what} needs a circuit whose state is not random, but this one measures, resets or branches "
                f"before its end. Use {instead}."
            )

    def _require_observables(self) -> None:
        if not self.observables:
            raise ArgumentError("The program was compiled without observables; pass them to qsim.compile().")

    def _shaped(self, out: FloatArray, batched: bool) -> Any:
        if self._is_single:
            out = out[:, 0]
        if batched:
            return out
        return out[0] if out.ndim > 1 else float(out[0])

    def _qubits(self, qubits: Any) -> npt.NDArray[np.int32]:
        chosen = range(self.num_qubits) if qubits is None else check_qubits(qubits, self.num_qubits)
        return np.array(chosen, dtype=np.int32)

    def _basis_index(self, bitstring: Any) -> int:
        if isinstance(bitstring, str):
            if len(bitstring) != self.num_qubits:
                raise ArgumentError(
                    f"A bitstring must have {self.num_qubits} characters, but {bitstring!r} has {len(bitstring)}."
                )
            return parse_bitstring(bitstring)
        index = check_count(bitstring, "bitstrings")
        if index >> self.num_qubits:
            raise ArgumentError(f"A basis state must be below {1 << self.num_qubits}, but is {index}.")
        return index

    def _initial(self, initial_state: Any, normalize: bool) -> tuple[ComplexArray | None, bool]:
        """Checked initial states, shape (1 or batch, 2**num_qubits), and whether a batch axis was given."""
        if initial_state is None:
            return None, False
        states = np.asarray(initial_state)
        if states.dtype.kind not in "iufc":
            raise TypeError(f"Argument `initial_state` must be complex numbers, but is of type {states.dtype}.")
        size = 1 << self.num_qubits
        if states.ndim not in (1, 2) or states.shape[-1] != size or states.size == 0:
            raise StateError(
                f"Argument `initial_state` must have shape ({size},) or (batch, {size}), but has shape {states.shape}."
            )
        rows = np.ascontiguousarray(states.reshape(-1, size), dtype=self.dtype)
        norms = self._backend.norm_squared(rows, self.threads)
        if not np.isfinite(norms).all():
            raise StateError("Argument `initial_state` must be finite, but holds NaN or infinity.")
        if normalize and (norms > 0).all():
            return rows / np.sqrt(norms).astype(rows.real.dtype)[:, None], states.ndim == 2
        worst = int(np.argmax(np.abs(norms - 1)))
        if abs(norms[worst] - 1) > (1e-8 if self.dtype == np.complex128 else 1e-4):
            raise StateError(
                f"Argument `initial_state` must have norm 1, but has norm {np.sqrt(norms[worst]):.6g}. "
                "Pass normalize=True to divide it by its norm."
            )
        return rows, states.ndim == 2


def _pauli_handle(backend: Backend, observables: Sequence[Observable], num_qubits: int) -> Any:
    """The Pauli sums among the observables, for the kernels."""
    terms = [o.real_terms() for o in observables if isinstance(o, PauliSum)]
    if not terms:
        return None
    offsets = np.cumsum([0, *(len(t[2]) for t in terms)], dtype=np.int64)
    x, z, c = (np.ascontiguousarray(np.concatenate([t[k] for t in terms])) for k in range(3))
    return backend.compile_paulis(num_qubits, x.astype(np.uint64), z.astype(np.uint64), c.astype(np.float64), offsets)


def _common_batch(first: int, second: int) -> int:
    if first != second and 1 not in (first, second):
        raise ArgumentError(f"Parameters have a batch of {first}, but initial states one of {second}.")
    return first if second == 1 else second


def _chunks(rows: FloatArray, size: int) -> list[FloatArray]:
    return [rows[k : k + size] for k in range(0, len(rows), size)]


def _with_progress(items: Any, progress: bool) -> Any:
    if not progress:
        return items
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError('A progress bar needs tqdm: pip install "qsim-statevector[progress]".') from error
    return tqdm(items)
