"""Program: a circuit compiled once and run often, with other parameters, from many threads."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from qsim import entanglement
from qsim._checks import check_count, check_qubits, counted, is_list_of_qubits
from qsim.backends.base import get_backend
from qsim.binding import bind_values
from qsim.bitstrings import MAX_MASK_BITS, parse_bitstring
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, CircuitError, ParameterError, StateError
from qsim.memory import check_budget, check_free_memory, check_state_memory, parse_bytes
from qsim.observables import Diagonal, PauliSum, Projector
from qsim.parameters import Parameter
from qsim.program.execution import (
    ComplexArray,
    Execution,
    FloatArray,
    common_batch,
    pieces_shown,
    with_progress,
)
from qsim.program.explain import explain_program, measure_run
from qsim.program.flow import compile_flow
from qsim.program.short_way import batch_call, is_plain, plain_angles, row_call
from qsim.program.slots import SlotAllocator, SlotMap
from qsim.program.tape import Tape
from qsim.program.unroll import MAX_UNROLLED
from qsim.results import Samples
from qsim.rng import root_sequence, row_generator
from qsim.settings import resolve_dtype, resolve_threads

__all__ = ["Program", "compile"]


def compile(
    circuit: Circuit,
    observables: Any = None,
    *,
    backend: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    fuse: bool = True,
    max_memory: int | str | None = None,
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
    fuse : bool, default True
        Whether big states may run a fused program: the same up to rounding, in fewer passes. False is for
        checking.
    max_memory : int or str, optional
        Bytes, or text such as ``"256 MB"`` or ``"2 GiB"``, for the states that a call holds at once: batches
        go through in pieces that fit. No bit of an answer depends on it. See the guide to batches.

    Returns
    -------
    Program

    Examples
    --------
    >>> import numpy as np
    >>> from qsim.parameters import Parameter
    >>> theta = Parameter("theta")
    >>> program = compile(Circuit(1).ry(theta, 0), "Z0")
    >>> program.expectation([[0.0], [np.pi]]).round(12)
    array([ 1., -1.])
    """
    return Program(
        circuit,
        observables,
        backend=backend,
        precision=precision,
        threads=threads,
        fuse=fuse,
        max_memory=max_memory,
    )


class Program(Execution):
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
    fuse : bool
    max_memory : int or None
        In bytes.
    """

    def __init__(
        self,
        circuit: Circuit,
        observables: Any = None,
        *,
        backend: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        fuse: bool = True,
        max_memory: int | str | None = None,
    ) -> None:
        if not isinstance(circuit, Circuit):
            raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
        self.num_qubits = circuit.num_qubits
        self.num_clbits = circuit.num_clbits
        self.name = circuit.name
        self.dtype = resolve_dtype(precision)
        self.threads = resolve_threads(threads)
        if not isinstance(fuse, bool):
            raise TypeError(f"Argument `fuse` must be a bool, but is {type(fuse).__name__}.")
        self.fuse = fuse
        self.max_memory = parse_bytes(max_memory)
        self._backend_name = get_backend(backend).name
        # Nothing is built for a state that cannot exist: the tape's masks hold 64 bits.
        check_state_memory(self.num_qubits, self.dtype.itemsize)
        self.parameters: tuple[Parameter, ...] = circuit.parameters
        slots = SlotAllocator(self.parameters)
        self._code = compile_flow(circuit, slots)
        self._slots = slots.slot_map()
        self._registers = dict(circuit.classical_registers)
        self._scratch = circuit.scratch_clbits
        self._variables = _initial_values(circuit)
        self._connect()
        self._set_observables(observables)
        self._seal()

    @property
    def backend(self) -> str:
        return self._backend_name

    @property
    def precision(self) -> str:
        return "double" if self.dtype == np.complex128 else "single"

    @property
    def tapes(self) -> tuple[Tape, ...]:
        """What the kernels run; one tape if `is_static`."""
        return tuple(self._code.tapes)

    @property
    def is_static(self) -> bool:
        """Whether the circuit is gates followed by read-out, without branching in the middle."""
        return self._code.is_static

    def has_names_of(self, circuit: Circuit) -> bool:
        """Whether the circuit's classical registers and variables, plain data, are still those compiled."""
        return (
            self._registers == circuit.classical_registers
            and self._scratch == circuit.scratch_clbits
            and self._variables == _initial_values(circuit)
        )

    # -- answers ---------------------------------------------------------------------------------
    def with_observables(self, observables: Any) -> Program:
        """The same program with other observables; nothing of the circuit is compiled again."""
        other = Program.__new__(Program)
        other.__dict__.update(self.__dict__)
        del other.__dict__["_sealed"]
        other._set_observables(observables)
        other._seal()
        return other

    def _of_slots(self) -> Program:
        """The same program whose parameters are its slots; nothing of the circuit is compiled again.

        For frameworks that evaluate and differentiate the expressions of the parameters themselves.
        """
        if not self._slots.expressions:
            return self
        other = Program.__new__(Program)
        other.__dict__.update(self.__dict__)
        del other.__dict__["_sealed"]
        named = (Parameter(str(expression)) for expression in self._slots.expressions)
        other.parameters = (*self.parameters, *named)
        other._slots = SlotMap(other.parameters)
        other._derived, other._short_calls = self._derive("of slots", dict), {}
        other._is_plain = is_plain(other)
        other._seal()
        return other

    def statevector(
        self, params: Any = None, *, initial_state: Any = None, normalize: bool = False
    ) -> ComplexArray:
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
        if initial_state is None:
            state: ComplexArray | None = row_call(self, "state")(params)
            if state is not None:
                return state
        return self._statevector("A state vector", params, initial_state, normalize)

    def _statevector(
        self, what: str, params: Any, initial_state: Any = None, normalize: bool = False
    ) -> ComplexArray:
        """`statevector` for an answer that `what` calls by its name if the state is random."""
        self._require_static(what, "density_matrix() or distribution()")
        values, batched = bind_values(self.parameters, params)
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = common_batch(len(values), 1 if initial is None else len(initial))
        check_budget(
            self._state_bytes(batch) + (self._group_bytes() if batch > 1 else 0),
            self.max_memory,
            f"{what}, which is one answer of {counted(batch, 'row')} that cannot be made in pieces,",
        )
        check_state_memory(self.num_qubits, self.dtype.itemsize, batch=batch)
        states = self._run(self._slots.angles(values), initial, batch)
        return states if batched or batched_initial else states[0]

    def apply(self, states: ComplexArray, params: Any = None) -> None:
        """Apply the circuit to states in place; nothing is copied and no norm is checked.

        Parameters
        ----------
        states : ndarray, shape (2**num_qubits,) or (batch, 2**num_qubits)
            C-contiguous, writable, of the program's `dtype`.
        params : dict or array_like, optional
            One row, or one for each state.

        Raises
        ------
        CircuitError
            If the circuit measures, resets or branches before its end.
        StateError
            If `states` has another shape, dtype or memory layout.
        """
        self._require_static("A call of apply()", "sample() or distribution()")
        values, _ = bind_values(self.parameters, params)
        size = 1 << self.num_qubits
        good = isinstance(states, np.ndarray) and states.dtype == self.dtype and states.flags.c_contiguous
        if not good or not states.flags.writeable or states.ndim not in (1, 2) or states.shape[-1] != size:
            raise StateError(
                f"Argument `states` must be a C-contiguous, writable {self.dtype} array of shape "
                f"({size},) or "
                f"(batch, {size}), but is {_described(states)}."
            )
        rows = states.reshape(-1, size)
        if len(values) not in (1, len(rows)):
            raise ArgumentError(
                f"Parameters have a batch of {len(values)}, but there are {len(rows)} states."
            )
        if self._handles and len(rows):
            self._backend.apply(self._handles[0], rows, self._slots.angles(values), self.threads)

    def expectation(
        self,
        params: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
        progress: bool = False,
    ) -> Any:
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
        if initial_state is None:
            value = row_call(self, "expectation")(params)
            if value is not None:
                return value
        self._require_observables()
        values, batched = bind_values(self.parameters, params)
        if self._is_static_pauli() and initial_state is None:
            self._rows_at_once(1, 1)
            angles = self._slots.angles(values)
            if progress and len(angles):
                size = pieces_shown(self._rows_at_once(len(angles), 1), len(angles), progress)
                rows = [
                    self._pauli_values(angles[first : first + size], len(angles))
                    for first in with_progress(range(0, len(angles), size), progress, len(angles))
                ]
                out = np.concatenate(rows)
            else:
                out = self._pauli_values(angles, len(angles))
        else:
            out, batched = self._average(
                values,
                batched,
                initial_state,
                normalize,
                self._expectations,
                progress,
                copies=1
                if all(isinstance(o, PauliSum | Diagonal | Projector) for o in self.observables)
                else self._copies_held(),
            )
        return self._shaped(out, batched)

    def value_and_gradient(
        self,
        params: Any = None,
        *,
        wrt: Any = None,
        method: str = "adjoint",
        step: float | None = None,
        shots: int | None = None,
        seed: Any = None,
        directions: int | None = None,
        return_std: bool = False,
        measurement: Any = None,
    ) -> tuple[Any, ...]:
        """Expectation values of the program's observables, or another measurement, and their derivatives.

        Arguments and results as for `qsim.value_and_gradient`.
        """
        is_plain = wrt is None and measurement is None and step is None and shots is None and seed is None
        if is_plain and directions is None and method == "adjoint" and not return_std:
            is_batch = type(params) is np.ndarray and params.ndim == 2
            call = batch_call(self, len(params)) if is_batch else row_call(self, "gradient")
            found: tuple[Any, ...] | None = call(params)
            if found is not None:
                return found
        from qsim.gradients.evaluate import value_and_gradient

        return value_and_gradient(
            self,
            params,
            wrt,
            method,
            return_std,
            measurement,
            step=step,
            shots=shots,
            seed=seed,
            directions=directions,
        )

    def vjp(
        self,
        params: Any,
        cotangent: Any,
        *,
        wrt: Any = None,
        initial_state: Any = None,
        measurement: Any = None,
    ) -> tuple[Any, ...]:
        """A cotangent times the Jacobian; see `qsim.vjp`. By default of the program's observables."""
        from qsim.gradients.derivatives import vjp

        return vjp(self, self._measurement(measurement), params, cotangent, wrt, initial_state)

    def jvp(self, params: Any, tangent: Any, *, wrt: Any = None, measurement: Any = None) -> tuple[Any, Any]:
        """The Jacobian times a tangent; see `qsim.jvp`. By default of the program's observables."""
        from qsim.gradients.derivatives import jvp

        return jvp(self, self._measurement(measurement), params, tangent, wrt)

    def hvp(
        self, params: Any, vector: Any, *, wrt: Any = None, cotangent: Any = None, measurement: Any = None
    ) -> Any:
        """The Hessian times a vector; see `qsim.hvp`. By default of the program's observables."""
        from qsim.gradients.derivatives import hvp

        return hvp(self, self._measurement(measurement), params, vector, wrt, cotangent)

    def hessian(
        self, params: Any = None, *, wrt: Any = None, cotangent: Any = None, measurement: Any = None
    ) -> Any:
        """Second derivatives; see `qsim.hessian`. By default of the program's observables."""
        from qsim.gradients.derivatives import hessian

        return hessian(self, self._measurement(measurement), params, wrt, cotangent)

    def _measurement(self, measurement: Any) -> Any:
        from qsim.measurements import OwnObservables, as_measurement

        if measurement is not None:
            return as_measurement(measurement)
        self._require_observables()
        return OwnObservables()

    def variance(
        self,
        params: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
        progress: bool = False,
    ) -> Any:
        """Variances ``<O**2> - <O>**2`` of the program's observables; shapes as for `expectation`."""
        self._require_observables()
        values, batched = bind_values(self.parameters, params)
        copies = self._copies_held()
        if self._code.is_static:

            def variances(states: ComplexArray) -> FloatArray:
                return np.stack([o.variance(states) for o in self.observables], axis=1)

            out, batched = self._average(
                values, batched, initial_state, normalize, variances, progress, copies
            )
            return self._shaped(out, batched)

        def moments(states: ComplexArray) -> FloatArray:
            first = self._expectations(states)
            return np.concatenate(
                [first, np.stack([o.variance(states) for o in self.observables], axis=1) + first**2], axis=1
            )

        both, batched = self._average(values, batched, initial_state, normalize, moments, progress, copies)
        count = len(self.observables)
        return self._shaped(np.maximum(both[:, count:] - both[:, :count] ** 2, 0.0), batched)

    def probabilities(
        self,
        params: Any = None,
        qubits: Any = None,
        *,
        initial_state: Any = None,
        normalize: bool = False,
        progress: bool = False,
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
        plain = plain_angles(self, params) if initial_state is None else None
        if plain is not None:
            row: FloatArray = self._backend.probabilities(self._run(plain, None, 1), chosen, self.threads)[0]
            return row

        def probabilities(states: ComplexArray) -> FloatArray:
            return self._backend.probabilities(states, chosen, self.threads)

        try:
            values, batched = bind_values(self.parameters, params)
        except ParameterError as error:
            if qubits is None and is_list_of_qubits(params, self.num_qubits):
                raise ParameterError(
                    f"{error} These are values of parameters; to choose qubits, write "
                    f"`qubits={list(params)}`."
                ) from None
            raise
        copies = 2 if len(chosen) + 2 > self.num_qubits else 1
        out, batched = self._average(
            values,
            batched,
            initial_state,
            normalize,
            probabilities,
            progress,
            copies,
            answer=8 << len(chosen),
        )
        return np.asarray(out if batched else out[0])

    def density_matrix(
        self, params: Any = None, qubits: Any = None, *, initial_state: Any = None, normalize: bool = False
    ) -> ComplexArray:
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
        self._check_matrix_memory(chosen)

        def reduced(states: ComplexArray) -> ComplexArray:
            return entanglement.reduced_density_matrix(states, chosen)

        values, batched = bind_values(self.parameters, params)
        out, batched = self._average(
            values,
            batched,
            initial_state,
            normalize,
            reduced,
            copies=self._copies_held(),
            answer=16 << 2 * len(chosen),
        )
        return np.asarray(out if batched else out[0])

    def _of_reduced(self, params: Any, chosen: npt.NDArray[np.int32], function: Any) -> Any:
        """A function of the density matrices (rows, 2**k, 2**k) of some qubits: a number for each row."""
        self._check_matrix_memory(chosen)
        values, batched = bind_values(self.parameters, params)
        if self._code.is_static:  # a few matrices at a time

            def of_states(states: ComplexArray) -> Any:
                return function(entanglement.reduced_density_matrix(states, chosen))

            out, batched = self._average(values, batched, None, False, of_states, copies=self._copies_held())
        else:
            out = function(self.density_matrix(values, chosen))
        return out if batched else float(out[0])

    def amplitudes(
        self, bitstrings: Any, params: Any = None, *, initial_state: Any = None, normalize: bool = False
    ) -> ComplexArray:
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
        if isinstance(bitstrings, str | numbers.Integral):
            bitstrings = [bitstrings]
        elif not isinstance(bitstrings, Iterable):
            raise TypeError(
                f"Argument `bitstrings` must be one or several bitstrings or indices, but is "
                f"{type(bitstrings).__name__}."
            )
        index = [self._basis_index(b) for b in bitstrings]
        self._require_static("A list of amplitudes", "density_matrix() or distribution()")
        values, batched = bind_values(self.parameters, params)
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = common_batch(len(values), 1 if initial is None else len(initial))
        angles = self._slots.angles(values)
        out: ComplexArray = np.empty((batch, len(index)), dtype=self.dtype)
        for part in self._row_ranges(batch, 1):
            out[part] = self._run(angles, initial, part.stop - part.start, part.start)[:, index]
        return out if batched or batched_initial else out[0]

    def sample(
        self,
        params: Any = None,
        *,
        shots: int,
        seed: Any = None,
        initial_state: Any = None,
        normalize: bool = False,
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
        batch = common_batch(len(values), 1 if initial is None else len(initial))
        self._check_shots_memory(count, batch)
        angles = self._slots.angles(values)
        lanes = self._code.is_static and self._lanes(batch, initial is None) is not None
        at_once = pieces_shown(self._rows_at_once(batch if lanes else 1, 1), batch, progress)
        rows: list[npt.NDArray[np.int64]] = []
        for first in with_progress(range(0, batch, at_once), progress, batch):
            generators = [row_generator(root, row) for row in range(first, min(batch, first + at_once))]
            rows += self._sample_rows(angles, initial, first, count, generators)
        out = np.stack(rows) if batched or batched_initial else rows[0]
        if self._samples_qubits():
            return Samples._from_checked_ints(out, self.num_qubits, {})
        if self.num_clbits > MAX_MASK_BITS:
            return Samples.from_bits(out[..., self._visible()], registers=self._visible_registers())
        if self._scratch:
            kept = [(out >> c & 1) << k for k, c in enumerate(self._visible())]
            out = np.bitwise_or.reduce(kept)
        return Samples._from_checked_ints(out, len(self._visible()), self._visible_registers())

    def distribution(self, params: Any = None, *, initial_state: Any = None, normalize: bool = False) -> Any:
        """Exact distribution of the classical bits, following every branch.

        If the circuit has no measurement, of all qubits.

        Returns
        -------
        dict or list of dict
            Bitstring (bit 0 rightmost) to probability, the likeliest first, for outcomes with a
            probability above 1e-15; a list for a batch.
        """
        values, batched = bind_values(self.parameters, params)
        initial, batched_initial = self._initial(initial_state, normalize)
        batch = common_batch(len(values), 1 if initial is None else len(initial))
        angles = self._slots.angles(values)
        out = [self._distribution_row(angles, initial, row) for row in range(batch)]
        return out if batched or batched_initial else out[0]

    def explain(self, *, measure: bool = False, params: Any = None) -> str:
        """What running the program does: segments, passes over memory, arithmetic, predicted time.

        The prediction for a fused program is, for each pass, the longer of the time to move the bytes and
        that of the arithmetic at the machine's peak, as `qsim bench` measured them (else they are measured
        now, in 0.2 seconds). How much slower a run is shows what is lost elsewhere.

        Parameters
        ----------
        measure : bool
            Also time one run from ``|0...0>``, after one to warm up.
        params : dict or array_like, optional
            One row of values for these runs; all 0 by default.

        Returns
        -------
        str
            For people to read; its form may change.

        Raises
        ------
        CircuitError
            If `measure` is asked for but the circuit branches.
        """
        if measure:
            self._require_static("A measured time", "explain() without it")
        if not measure or not self._handles:
            return explain_program(self)
        zeros = np.zeros((1, len(self.parameters)))
        values = zeros if params is None else bind_values(self.parameters, params)[0]
        if len(values) != 1:
            raise ArgumentError(f"Argument `params` must be one row of values, but is {len(values)} rows.")
        return explain_program(self, measure_run(self, self._slots.angles(values)))

    def __repr__(self) -> str:
        count = sum(len(tape.instructions) for tape in self._code.tapes)
        return (
            f"<Program: {counted(self.num_qubits, 'qubit')}, {counted(count, 'instruction')}, "
            f"{counted(len(self.parameters), 'parameter')}, {self.backend}, {self.precision}>"
        )

    # -- small things ----------------------------------------------------------------------------
    def _is_static_pauli(self) -> bool:
        return (
            self._code.is_static
            and self._code.keeps_norm
            and bool(self._handles)
            and all(isinstance(o, PauliSum) for o in self.observables)
        )

    def _require_static(self, what: str, instead: str) -> None:
        if self._code.is_static:
            return
        if self._code.too_long:
            raise CircuitError(
                f"{what} needs a circuit that is one sequence of gates, but this one has a loop of more than "
                f"{MAX_UNROLLED} operations, which is not unrolled. Use fewer turns, or {instead}."
            )
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

    def _check_shots_memory(self, shots: int, batch: int) -> None:
        """Refuse what does not fit: uniform numbers and indices of one row, then the outcomes of all."""
        width = self._num_sampled_bits() if self._num_sampled_bits() > MAX_MASK_BITS else 8
        check_free_memory(
            shots * (16 + 2 * width * batch),
            f"Argument `shots` is {shots}, which",
            "Sample fewer shots at a time.",
        )

    def _check_matrix_memory(self, chosen: npt.NDArray[np.int32]) -> None:
        check_free_memory(
            (16 << 2 * len(chosen)) + self._state_bytes(),
            f"A density matrix of {len(chosen)} qubits",
            "Use fewer qubits.",
        )

    def _qubits(self, qubits: Any) -> npt.NDArray[np.int32]:
        chosen = range(self.num_qubits) if qubits is None else check_qubits(qubits, self.num_qubits)
        return np.array(chosen, dtype=np.int32)

    def _basis_index(self, bitstring: Any) -> int:
        if isinstance(bitstring, str):
            if len(bitstring) != self.num_qubits:
                raise ArgumentError(
                    f"A bitstring must have {self.num_qubits} characters, but {bitstring!r} has "
                    f"{len(bitstring)}."
                )
            return parse_bitstring(bitstring)
        index = check_count(bitstring, "bitstrings")
        if index >> self.num_qubits:
            raise ArgumentError(f"A basis state must be below {1 << self.num_qubits}, but is {index}.")
        return index


def _initial_values(circuit: Circuit) -> dict[str, Any]:
    """Variable name to initial value; a variable without one is left out."""
    return {variable.name: initial for variable, initial in circuit.variables.items() if initial is not None}


def _described(states: Any) -> str:
    if not isinstance(states, np.ndarray):
        return f"of type {type(states).__name__}"
    layout = "" if states.flags.c_contiguous else "not contiguous, "
    access = "" if states.flags.writeable else "read-only, "
    return f"{layout}{access}of dtype {states.dtype} and shape {states.shape}"
