"""Derivatives for qiskit-machine-learning, by adjoint differentiation instead of circuits run many times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit.providers import Options
from qiskit_machine_learning.gradients import (
    BaseEstimatorGradient,
    BaseSamplerGradient,
    DerivativeType,
    EstimatorGradientResult,
    SamplerGradientResult,
)
from qiskit_machine_learning.gradients.base.base_qgt import BaseQGT
from qiskit_machine_learning.gradients.base.qgt_result import QGTResult

from qsim.errors import GradientError
from qsim.gradients.metric import program_geometric_tensor
from qsim.measurements import Probabilities, State, images_of
from qsim.operations import Measure
from qsim.program.program import Program
from qsim.qiskit.estimator import QsimEstimator
from qsim.qiskit.programs import Compiled, blocks, compiled, observable_key, simulator_options, unique_rows
from qsim.qiskit.sampler import QsimSampler

__all__ = ["QsimEstimatorGradient", "QsimQGT", "QsimSamplerGradient"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
#: Derivatives of states that are held at once.
_STATE_BYTES = 1 << 26


class QsimEstimatorGradient(BaseEstimatorGradient):
    """Gradients of expectation values, exact; for `EstimatorQNN`, VQE and their like.

    Parameters
    ----------
    estimator : QsimEstimator, optional
        Whose options the simulator has. Its precision has no meaning here.
    options : optional
        What results carry as their options.
    derivative_type : DerivativeType
        ``REAL`` (the default) for the gradient ``2 Re <psi|O|d psi>``, ``IMAG`` for the imaginary part,
        ``COMPLEX`` for both.

    Notes
    -----
    All rows of all circuits of one structure are one batch, one adjoint sweep for each observable. The
    imaginary part takes a dual state for each parameter.

    Examples
    --------
    >>> from qiskit.circuit import Parameter, QuantumCircuit
    >>> from qiskit.quantum_info import SparsePauliOp
    >>> circuit = QuantumCircuit(1)
    >>> _ = circuit.ry(Parameter("t"), 0)
    >>> job = QsimEstimatorGradient().run([circuit], [SparsePauliOp("Z")], [[1.5707963267948966]])
    >>> job.result().gradients
    [array([-1.])]
    """

    def __init__(
        self,
        estimator: QsimEstimator | None = None,
        options: Any = None,
        derivative_type: Any = DerivativeType.REAL,
    ) -> None:
        own = QsimEstimator() if estimator is None else estimator
        _check_primitive(self, own, QsimEstimator)
        super().__init__(own, options=options, derivative_type=derivative_type)

    @BaseEstimatorGradient.derivative_type.setter
    def derivative_type(self, derivative_type: Any) -> None:
        """Which part of the derivative is asked for."""
        self._derivative_type = derivative_type

    def _run(
        self,
        circuits: Sequence[Any],
        observables: Sequence[Any],
        parameter_values: Any,
        parameters: Sequence[Any],
        **options: Any,
    ) -> Any:
        gradients: list[Any] = [None] * len(circuits)
        for entry, names, places in _groups(circuits, parameters, self._estimator.options):
            known: dict[Any, int] = {}
            found: list[tuple[Any, Any]] = []
            of_place = np.empty(len(places), dtype=np.int64)
            keys: dict[int, Any] = {}
            for number, place in enumerate(places):
                observable = observables[place]
                key = keys.get(id(observable))
                if key is None:
                    key = keys[id(observable)] = observable_key(observable)
                if key not in known:
                    known[key] = len(found)
                    found.append((key, observable))
                of_place[number] = known[key]
            rows, row_of = unique_rows(entry.rows([parameter_values[p] for p in places]))
            out = np.zeros(
                (len(rows), len(found), len(names)),
                dtype=float if self.derivative_type != DerivativeType.COMPLEX else complex,
            )
            for some, asked in blocks(row_of, of_place):
                program = entry.asked([found[k] for k in asked])
                out[np.ix_(some, asked)] = self._slopes(program, rows[some], names)
            for number, place in enumerate(places):
                gradients[place] = out[row_of[number], of_place[number]]
        metadata = [{"parameters": p, "derivative_type": self.derivative_type} for p in parameters]
        return EstimatorGradientResult(gradients=gradients, metadata=metadata, options=Options(**options))

    def _slopes(self, program: Program, rows: FloatArray, names: Sequence[str]) -> Any:
        """Derivatives (rows, observables, names)."""
        wrt, columns = _known(program, names)
        shape = (len(rows), len(program.observables), len(names))
        if self.derivative_type == DerivativeType.REAL:
            out = np.zeros(shape)
            out[..., columns] = program.value_and_gradient(rows, wrt=wrt)[1]
            return out
        found: ComplexArray = np.zeros(shape, dtype=complex)
        for part, states, slopes in _state_slopes(program, rows, wrt):
            images = images_of(program, states)
            found[part][..., columns] = 2 * np.einsum("boi,bip->bop", images.conj(), slopes)
        return found.imag if self.derivative_type == DerivativeType.IMAG else found


class QsimSamplerGradient(BaseSamplerGradient):
    """Gradients of the probabilities of outcomes, exact; for `SamplerQNN` and its like.

    Parameters
    ----------
    sampler : QsimSampler, optional
        Whose options the simulator has. Its shots have no meaning here.
    options : optional
        What results carry as their options.

    Notes
    -----
    Outcomes are those of the register ``meas`` if there is one, else of ``c``, else of all classical bits; of
    all qubits if nothing is measured.
    """

    def __init__(self, sampler: QsimSampler | None = None, options: Any = None) -> None:
        own = QsimSampler() if sampler is None else sampler
        _check_primitive(self, own, QsimSampler)
        super().__init__(own, options=options)

    def _run(
        self, circuits: Sequence[Any], parameter_values: Any, parameters: Sequence[Any], **options: Any
    ) -> Any:
        gradients: list[Any] = [None] * len(circuits)
        for entry, names, places in _groups(circuits, parameters, self._sampler.options):
            qubits, outcomes = _outcomes(entry, circuits[places[0]])
            rows, row_of = unique_rows(entry.rows([parameter_values[p] for p in places]))
            wrt, columns = _known(entry.program, names)
            slopes = np.zeros((len(rows), len(outcomes), len(names)))
            slopes[..., columns] = entry.program.value_and_gradient(
                rows, wrt=wrt, measurement=Probabilities(qubits)
            )[1]
            for number, place in enumerate(places):
                own = slopes[row_of[number]].T.tolist()
                gradients[place] = [dict(zip(outcomes, row, strict=True)) for row in own]
        metadata = [{"parameters": p} for p in parameters]
        return SamplerGradientResult(gradients=gradients, metadata=metadata, options=Options(**options))


class QsimQGT(BaseQGT):
    """Quantum geometric tensors, exact: ``<d_i psi|d_j psi> - <d_i psi|psi><psi|d_j psi>``.

    Parameters
    ----------
    estimator : QsimEstimator, optional
        Whose options the simulator has.
    phase_fix : bool
        Whether to subtract the second term. Without it the result depends on the global phase, which is that
        of the circuit with all phases of its gates.
    derivative_type : DerivativeType
        ``COMPLEX`` (the default), ``REAL`` or ``IMAG`` part.
    """

    def __init__(
        self,
        estimator: QsimEstimator | None = None,
        phase_fix: bool = True,
        derivative_type: Any = DerivativeType.COMPLEX,
    ) -> None:
        own = QsimEstimator() if estimator is None else estimator
        _check_primitive(self, own, QsimEstimator)
        super().__init__(own, phase_fix, derivative_type)

    def _run(
        self,
        circuits: Sequence[Any],
        parameter_values: Sequence[Any],
        parameters: Sequence[Any],
        *,
        precision: Any = None,
    ) -> Any:
        tensors: list[Any] = [None] * len(circuits)
        for entry, names, places in _groups(circuits, parameters, self._estimator.options):
            rows, row_of = unique_rows(entry.rows([parameter_values[p] for p in places]))
            wrt, columns = _known(entry.program, names)
            out: ComplexArray = np.zeros((len(rows), len(names), len(names)), dtype=complex)
            if self._phase_fix:
                out[:, np.array(columns)[:, None], columns] = program_geometric_tensor(
                    entry.program, rows, wrt
                )
            else:
                for part, _, slopes in _state_slopes(entry.program, rows, wrt):
                    out[part][:, np.array(columns)[:, None], columns] = np.einsum(
                        "bip,biq->bpq", slopes.conj(), slopes
                    )
            for number, place in enumerate(places):
                tensors[place] = self._part(out[row_of[number]])
        return QGTResult(
            qgts=tensors,
            derivative_type=self.derivative_type,
            metadata=[{"parameters": p} for p in parameters],
            precision=0.0,
        )

    def _part(self, tensor: ComplexArray) -> Any:
        if self.derivative_type == DerivativeType.REAL:
            return tensor.real
        return tensor.imag if self.derivative_type == DerivativeType.IMAG else tensor


def _check_primitive(owner: Any, primitive: Any, kind: type) -> None:
    if not isinstance(primitive, kind):
        raise TypeError(
            f"{type(owner).__name__} needs a {kind.__name__}, whose program it differentiates, but got a "
            f"{type(primitive).__name__}."
        )


def _groups(
    circuits: Sequence[Any], parameters: Sequence[Any], options: Any
) -> list[tuple[Compiled, tuple[str, ...], list[int]]]:
    """Places in the lists that share a compiled circuit and the parameters asked for."""
    settings = simulator_options(options)
    entries: dict[int, Compiled] = {}
    names: dict[int, tuple[str, ...]] = {}
    found: dict[tuple[int, tuple[str, ...]], tuple[Compiled, tuple[str, ...], list[int]]] = {}
    for place, (circuit, chosen) in enumerate(zip(circuits, parameters, strict=True)):
        if id(circuit) not in entries:
            entries[id(circuit)] = compiled(circuit, settings)
        if id(chosen) not in names:
            names[id(chosen)] = tuple(p.name for p in chosen)
        entry, own = entries[id(circuit)], names[id(chosen)]
        found.setdefault((id(entry), own), (entry, own, []))[2].append(place)
    return list(found.values())


def _known(program: Program, names: Sequence[str]) -> tuple[list[str], list[int]]:
    """Names that are parameters of the program, and their places; what drops out of a circuit is not."""
    own = {p.name for p in program.parameters}
    places = [k for k, name in enumerate(names) if name in own]
    return [names[k] for k in places], places


def _state_slopes(program: Program, rows: FloatArray, wrt: Sequence[str]) -> Iterator[tuple[slice, Any, Any]]:
    """Pieces of the rows, with states (rows, 2**n) and their derivatives (rows, 2**n, parameters)."""
    size = max(1, _STATE_BYTES // ((16 << program.num_qubits) * max(1, len(wrt))))
    for first in range(0, len(rows), size):
        part = slice(first, min(len(rows), first + size))
        states, slopes = program.value_and_gradient(rows[part], wrt=list(wrt), measurement=State())
        yield part, np.asarray(states), np.asarray(slopes)


def _outcomes(entry: Compiled, circuit: Any) -> tuple[list[int], list[int]]:
    """Qubits that are measured, and the outcome that each of their basis states gives."""
    program = entry.program
    if not program.is_static:
        raise GradientError(
            f"Circuit '{circuit.name}' measures or branches before its end; probabilities have adjoint "
            "gradients only where all measurements come last."
        )
    measured = {op.clbit: op.qubit for op in entry.circuit.operations if isinstance(op, Measure)}
    if not measured:
        return list(range(program.num_qubits)), list(range(1 << program.num_qubits))
    registers = {register.name: register for register in circuit.cregs}
    register = registers.get("meas") or registers.get("c")
    bits = [circuit.find_bit(bit).index for bit in register] if register else range(circuit.num_clbits)
    sources = [measured.get(bit) for bit in bits]
    qubits = list(dict.fromkeys(q for q in sources if q is not None))
    index = np.arange(1 << len(qubits))
    outcomes = np.zeros_like(index)
    for position, qubit in enumerate(sources):
        if qubit is not None:
            outcomes |= (index >> qubits.index(qubit) & 1) << position
    return qubits, outcomes.tolist()
