"""From operations to tapes: every gate becomes instructions that know patterns, not names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qsim.errors import CircuitError, ParameterError
from qsim.gates import Gate, GateSpec
from qsim.operations import GateOperation
from qsim.parameters import MAX_ANGLE, magnitude_text
from qsim.program.schedule import plan_segments
from qsim.program.slots import SlotAllocator
from qsim.program.tape import INSTRUCTION, INSTRUCTION_STRUCT, Pattern, Tape
from qsim.user_gates import (
    ControlledGate,
    DiagonalGate,
    GeneratorGate,
    PauliRotationGate,
    PermutationGate,
    PhaseOnStatesGate,
    PrepareGate,
    UnitaryGate,
)

__all__ = ["Gates", "TapeBuilder", "lower_matrices"]

Matrix = npt.NDArray[np.complex128]
_PAULI_1 = (
    np.eye(2),
    np.array([[0, 1], [1, 0]]),
    np.diag([1.0, -1.0]),
    np.array([[0, -1j], [1j, 0]]),
)  # I X Z Y
_NO_SOURCES: tuple[int, ...] = ()
_pack = INSTRUCTION_STRUCT.pack
_PREPARE = int(Pattern.PREPARE)
#: Parts of a gate have sums and multiples of its parameters, so they get more room than MAX_ANGLE.
_MAX_CONSTANT = MAX_ANGLE * 1e20
#: From here on, gates on two qubits with numbers for angles are matrices.
_LEAST_MATRIX_QUBITS = 16
_NOTHING = -1  # pattern of the identity, which becomes no instruction


@dataclass(slots=True)
class _Template:
    """What all instructions made from one gate share."""

    pattern: int  # a plain int: comparing members of an enumeration costs ten times as much
    num_targets: int
    num_terms: int = 0
    data: Matrix | None = None
    sources: Sequence[int] = _NO_SOURCES
    masks: tuple[int, int] | None = None
    offset: int = -1  # into the builder's constants, once it is there
    active: bool = False  # whether the targets must lie inside a tile


class Gates(NamedTuple):
    """The gates of a tape, in their order: where their instructions begin, and their names."""

    starts: npt.NDArray[np.int32]
    names: tuple[str, ...]

    def of_instruction(self, place: int) -> str:
        """``gate 3, `crx```, counted from 0, for the message of an error."""
        gate = int(np.searchsorted(self.starts, place, side="right")) - 1
        return f"gate {gate}, `{self.names[gate]}`"


class TapeBuilder:
    """Collects the instructions of one tape."""

    def __init__(self, num_qubits: int, slots: SlotAllocator) -> None:
        self.num_qubits = num_qubits
        self._slots = slots
        self._records = bytearray()
        self._integers: list[int] = []
        self._constants: list[Matrix] = []
        self._num_constants = 0
        self._active: list[int] = []
        self._whole: set[int] = set()
        # id(gate) -> (gate, template): the gate is kept so that its id stays its own
        self._templates: dict[int, tuple[Gate, _Template | None]] = {}
        # (name, numbers) of gates on two qubits -> template, or None if they are not made one matrix
        self._pairs: dict[tuple[Any, ...], _Template | None] = {}
        #: number and name of the first gate that is not unitary
        self.non_unitary: tuple[int, str] | None = None
        # of each gate operation: the instructions before it, and the gate's name
        self._starts: list[int] = []
        self._names: list[str] = []

    def __len__(self) -> int:
        return len(self._active)

    def add(self, operation: GateOperation) -> None:
        """Append a gate operation."""
        mask = value = 0
        if operation.controls:
            mask, value = _control_masks(operation.controls, operation.control_values)
        self._starts.append(len(self._active))
        self._names.append(operation.gate.name)
        self._gate(operation.gate, operation.params, operation.targets, mask, value)

    def _gate(
        self, gate: Gate, params: Sequence[Any], qubits: Sequence[int], ctrl_mask: int, ctrl_value: int
    ) -> None:
        if gate.num_qubits == 2 and params and not ctrl_mask and isinstance(gate, GateSpec):
            pair = self._pair(gate, tuple(params))
            if pair is not None:
                self._emit(pair, -1, 0.0, 0.0, qubits, 0, 0)
                return
        cached = self._templates.get(id(gate))
        if cached is None:
            cached = self._templates[id(gate)] = (gate, _template(gate))
            if self.non_unitary is None and not gate.keeps_norm:
                self.non_unitary = (len(self._names) - 1, gate.name)
        template = cached[1]
        if template is None:
            self._composite(gate, params, qubits, ctrl_mask, ctrl_value)
            return
        controls = gate.num_controls
        if controls:
            for q in qubits[:controls]:
                ctrl_mask |= 1 << q
                ctrl_value |= 1 << q
            qubits = qubits[controls:]
        if not params:
            self._emit(template, -1, 0.0, 0.0, qubits, ctrl_mask, ctrl_value)
        elif type(params[0]) is float:
            angle = params[0]
            if not -_MAX_CONSTANT <= angle <= _MAX_CONSTANT:
                raise ParameterError(f"A parameter of gate `{gate.name}` must be {magnitude_text(angle)}.")
            self._emit(template, -1, 0.0, angle, qubits, ctrl_mask, ctrl_value)
        else:
            slot, scale, shift = self._slots.angle(params[0])
            self._emit(template, slot, scale, shift, qubits, ctrl_mask, ctrl_value)

    def _pair(self, gate: GateSpec, params: tuple[Any, ...]) -> _Template | None:
        """A gate on two qubits whose angles are numbers as one matrix, or None if it is better as it is.

        What only exchanges qubits, as fsim(pi/2, phi) does, becomes a permutation. Any other matrix costs as
        much as the parts do, but in big states it takes the constant gates around it along when the program
        is fused. Gates with a control have cheaper parts.
        """
        if gate.num_controls or not all(type(p) is float for p in params):
            return None
        key = (gate.name, *params)
        if key not in self._pairs:
            self._pairs[key] = None
            kept = _template(gate)
            if kept is None or kept.pattern == Pattern.DENSE:
                matrix = _without_dust(gate.matrix(*params))
                template = _constant_template(matrix)
                is_controlled = not matrix[0::2, 1::2].any() and not matrix[1::2, 0::2].any()
                is_cheaper = self.num_qubits >= _LEAST_MATRIX_QUBITS and not is_controlled
                if is_cheaper or template.pattern != Pattern.DENSE:
                    self._pairs[key] = template
        return self._pairs[key]

    def _composite(
        self, gate: Gate, params: Sequence[Any], qubits: Sequence[int], ctrl_mask: int, ctrl_value: int
    ) -> None:
        if isinstance(gate, ControlledGate):
            count = len(gate.control_values)
            mask, value = _control_masks(qubits[:count], gate.control_values)
            self._gate(gate.gate, params, qubits[count:], ctrl_mask | mask, ctrl_value | value)
            return
        parts = gate.decompose(params)
        if parts is None:
            raise CircuitError(
                f"Gate `{gate.name}` of type {type(gate).__name__} has neither a matrix nor parts."
            )
        for part, part_params, positions in parts:
            self._gate(part, part_params, [qubits[k] for k in positions], ctrl_mask, ctrl_value)

    def _emit(
        self,
        template: _Template,
        slot: int,
        scale: float,
        shift: float,
        targets: Sequence[int],
        ctrl_mask: int,
        ctrl_value: int,
    ) -> None:
        if template.offset < 0:
            if template.pattern == _NOTHING:
                return
            template.offset = self._num_constants
            template.active = template.pattern in (Pattern.DENSE, Pattern.PERMUTATION)
            if template.data is not None:
                self._constants.append(template.data)
                self._num_constants += len(template.data)
        x_mask = z_mask = active = 0
        offset = len(self._integers)
        if template.masks is not None:
            for k, q in enumerate(targets):
                x_mask |= (template.masks[0] >> k & 1) << q
                z_mask |= (template.masks[1] >> k & 1) << q
            active = x_mask
        else:
            self._integers.extend(targets)
            if template.sources:
                self._integers.extend(template.sources)
            if template.active:
                for q in targets:
                    active |= 1 << q
        self._records += _pack(
            template.pattern,
            template.num_targets,
            template.num_terms,
            slot,
            ctrl_mask,
            ctrl_value,
            x_mask,
            z_mask,
            offset,
            0,
            template.offset,
            scale,
            shift,
        )
        self._active.append(active)
        if template.pattern == _PREPARE:
            self._whole.add(len(self._active) - 1)

    def add_matrix(self, matrix: Matrix, qubits: Sequence[int]) -> None:
        """Append a constant matrix, unitary or not (a Kraus operator)."""
        self._emit(_constant_template(matrix), -1, 0.0, 0.0, qubits, 0, 0)

    def gates(self) -> Gates:
        """Which gates the instructions come from."""
        return Gates(np.array(self._starts, dtype=np.int32), tuple(self._names))

    def finish(self, num_slots: int) -> Tape:
        """The tape of everything added."""
        constants = np.concatenate(self._constants) if self._constants else np.zeros(0, dtype=complex)
        arrays: list[npt.NDArray[Any]] = [
            np.frombuffer(bytes(self._records), dtype=INSTRUCTION),
            np.array(self._integers, dtype=np.int32),
            np.ascontiguousarray(constants),
            plan_segments(self._active, self._whole),
        ]
        for array in arrays:
            array.flags.writeable = False
        return Tape(self.num_qubits, num_slots, *arrays)


def lower_matrices(matrices: Iterable[Matrix], qubits: Sequence[int], num_qubits: int) -> list[Tape]:
    """One tape for each matrix of a channel."""
    tapes = []
    for matrix in matrices:
        builder = TapeBuilder(num_qubits, SlotAllocator(()))
        builder.add_matrix(matrix, qubits)
        tapes.append(builder.finish(0))
    return tapes


def _control_masks(qubits: Sequence[int], values: Sequence[int]) -> tuple[int, int]:
    mask = value = 0
    for q, v in zip(qubits, values, strict=True):
        mask |= 1 << q
        value |= v << q
    return mask, value


# -- templates -----------------------------------------------------------------------------------
def _template(gate: Gate) -> _Template | None:
    """The shared part of a gate's instructions; None for a gate made of others."""
    if isinstance(gate, DiagonalGate):
        return _Template(int(Pattern.DIAGONAL), gate.num_qubits, data=gate.entries)
    if isinstance(gate, PermutationGate):
        sources = np.argsort(gate.permutation).tolist()
        return _Template(
            int(Pattern.PERMUTATION), gate.num_qubits, data=np.ones(len(sources), complex), sources=sources
        )
    if isinstance(gate, PauliRotationGate):
        return _Template(int(Pattern.PAULI_ROTATION), 0, masks=gate.masks)
    if isinstance(gate, PhaseOnStatesGate):
        data = _with_terms(np.zeros(len(gate.signs)), [(1.0, np.ones(len(gate.signs)), 1j * gate.signs)])
        return _Template(int(Pattern.DIAGONAL), gate.num_qubits, 1, data)
    if isinstance(gate, PrepareGate):
        phase, w = gate.reflection
        return _Template(int(Pattern.PREPARE), gate.num_qubits, data=np.concatenate([[phase], w]))
    if isinstance(gate, GateSpec) and gate.const is None and not gate.num_params and gate.num_qubits <= 4:
        return _constant_template(
            _without_dust(gate.matrix())
        )  # a fixed sequence on few qubits is one matrix
    if isinstance(gate, GateSpec | UnitaryGate | GeneratorGate) and gate.const is not None:
        return _matrix_template(gate.const, [tuple(term) for term in gate.terms])
    return None


def _without_dust(matrix: Matrix) -> Matrix:
    """The matrix, changed in place, with the zeros its structure has: products leave dust there."""
    matrix.real[np.abs(matrix.real) < 1e-15] = 0.0
    matrix.imag[np.abs(matrix.imag) < 1e-15] = 0.0
    return matrix


def _matrix_template(const: Matrix, terms: list[Any]) -> _Template:
    if not terms:
        return _constant_template(const)
    num_targets = len(const).bit_length() - 1
    if all(_is_diagonal(m) for m in (const, *(m for term in terms for m in term[1:]))):
        pieces = [(omega, np.diag(cos), np.diag(sin)) for omega, cos, sin in terms]
        return _Template(int(Pattern.DIAGONAL), num_targets, len(terms), _with_terms(np.diag(const), pieces))
    masks = _pauli_rotation_masks(const, terms) if num_targets > 1 else None
    if masks is not None:
        return _Template(int(Pattern.PAULI_ROTATION), 0, masks=masks)
    pieces = [(omega, cos.ravel(), sin.ravel()) for omega, cos, sin in terms]
    return _Template(int(Pattern.DENSE), num_targets, len(terms), _with_terms(const.ravel(), pieces))


def _constant_template(matrix: Matrix) -> _Template:
    num_targets = len(matrix).bit_length() - 1
    if np.array_equal(matrix, np.eye(len(matrix))):
        return _Template(_NOTHING, num_targets)
    if _is_diagonal(matrix):
        return _Template(int(Pattern.DIAGONAL), num_targets, data=np.diag(matrix).astype(complex))
    nonzero = matrix != 0
    if (nonzero.sum(0) == 1).all() and (nonzero.sum(1) == 1).all():
        sources = nonzero.argmax(1)
        phases = matrix[np.arange(len(matrix)), sources]
        return _Template(
            int(Pattern.PERMUTATION), num_targets, data=phases.astype(complex), sources=sources.tolist()
        )
    return _Template(
        int(Pattern.DENSE), num_targets, data=np.ascontiguousarray(matrix, dtype=complex).ravel()
    )


def _with_terms(const: Any, terms: Sequence[tuple[float, Any, Any]]) -> Matrix:
    """The layout of the tape: const, then (omega, cos, sin) for each frequency."""
    pieces = [np.asarray(const, dtype=complex)]
    for omega, cos, sin in terms:
        pieces += [
            np.array([omega], dtype=complex),
            np.asarray(cos, dtype=complex),
            np.asarray(sin, dtype=complex),
        ]
    return np.concatenate(pieces)


def _is_diagonal(matrix: Matrix) -> bool:
    return not np.any(matrix[~np.eye(len(matrix), dtype=bool)])


def _pauli_rotation_masks(const: Matrix, terms: list[Any]) -> tuple[int, int] | None:
    """(x_mask, z_mask) if the matrix is cos(theta/2) - i sin(theta/2) P for a Pauli string P."""
    if (
        len(terms) != 1
        or np.any(const)
        or terms[0][0] != 0.5
        or not np.array_equal(terms[0][1], np.eye(len(const)))
    ):
        return None
    pauli = 1j * terms[0][2]
    num_targets = len(const).bit_length() - 1
    for letters in np.ndindex(*(4,) * num_targets):
        product = np.eye(1, dtype=complex)
        for letter in letters:
            product = np.kron(_PAULI_1[letter], product)  # later qubits are more significant
        if np.array_equal(product, pauli):
            x = sum((letter & 1) << k for k, letter in enumerate(letters))
            z = sum((letter >> 1) << k for k, letter in enumerate(letters))
            return x, z
    return None
