"""Metrics of layers: gates that act side by side, whose tangents need no run of the rest of the circuit.

What comes behind a layer is unitary and leaves inner products as they are. So the block of a layer of gates
``U_i``, with ``E_i = (dU_i/dangle) U_i^dagger``, is made of ``E_i psi`` for the state ``psi`` right behind
the layer: one run of the circuit, layer by layer, serves all blocks (Stokes, Izaac, Killoran and Carleo,
arXiv:1909.02108).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.gradients.chain import slot_jacobian
from qsim.gradients.evaluate import wanted_slots
from qsim.gradients.overlaps import overlaps
from qsim.gradients.states import chunks
from qsim.program.execution import empty_states
from qsim.program.reverse import Reverser, active_bits
from qsim.program.schedule import plan_segments
from qsim.program.tape import INSTRUCTION, Pattern, Tape, qubits_of

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["Layers", "layer_metrics", "layers_of"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True, eq=False)
class _Generator:
    """``weight * E`` of one gate: an instruction on the amplitudes where its controls match."""

    slot: int
    weight: float
    handle: Any
    ctrl_mask: int
    ctrl_value: int


@dataclass(frozen=True, eq=False)
class Layers:
    """A circuit cut into layers.

    Attributes
    ----------
    of_column : ndarray of int64
        The layer of every parameter, that of its first gate; -1 if no gate depends on it.
    is_local : ndarray of bool
        Whether all its gates are in that layer.
    handles : list
        Of the tape of each layer.
    generators : list of list
        Of each layer's gates whose angles move.
    """

    of_column: npt.NDArray[np.int64]
    is_local: npt.NDArray[np.bool_]
    handles: list[Any]
    generators: list[list[_Generator]]


def layers_of(program: Program, columns: list[int]) -> Layers:
    """The layers of a circuit whose gates with these parameters move."""
    made: Layers = program._derive(("layers", *columns), lambda: _make_layers(program, columns))
    return made


def layer_metrics(
    program: Program, layers: Layers, values: FloatArray, columns: list[int], out: ComplexArray
) -> None:
    """Write the geometric tensor (batch, P, P) between local parameters of one layer to `out`."""
    angles = program._slots.angles(values)
    slots, places, slopes = slot_jacobian(program, values, columns)
    widest = max(map(len, layers.generators), default=0)
    for part in chunks(program, len(values), 3 * widest + 2):
        own = np.ascontiguousarray(angles[part])
        states = empty_states(len(own), 1 << program.num_qubits, program.dtype)
        program._backend.set_basis_state(states, 0, program.threads)
        for layer, (handle, generators) in enumerate(zip(layers.handles, layers.generators, strict=True)):
            program._backend.apply(handle, states, own, program.threads)
            local = [c for c in columns if layers.of_column[c] == layer and layers.is_local[c]]
            if not local:
                continue
            gram = _gram(program, generators, states, own)
            chain = np.zeros((len(own), len(generators), len(local)))
            for k, generator in enumerate(generators):
                for j in np.flatnonzero(slots == generator.slot).tolist():
                    if places[j] in local:
                        chain[:, k, local.index(places[j])] += slopes[part, j]
            block = chain.swapaxes(1, 2) @ gram @ chain
            out[part, np.array(local)[:, None], local] = block


def _gram(
    program: Program, generators: Sequence[_Generator], states: ComplexArray, angles: FloatArray
) -> ComplexArray:
    """``<E_i psi|E_j psi> - <E_i psi|psi><psi|E_j psi>``, (rows, generators, generators)."""
    images: ComplexArray = np.empty((len(generators), *states.shape), dtype=states.dtype)
    index = np.arange(states.shape[1], dtype=np.uint64)
    for image, generator in zip(images, generators, strict=True):
        image[:] = states
        if generator.ctrl_mask:
            image[:, index & np.uint64(generator.ctrl_mask) != np.uint64(generator.ctrl_value)] = 0.0
        program._backend.apply(generator.handle, image, angles, program.threads)
        image *= image.real.dtype.type(generator.weight)
    tangents = np.ascontiguousarray(images.swapaxes(0, 1))
    del images
    gram = overlaps(tangents, tangents)
    along = np.einsum("bi,bpi->bp", states.conj(), tangents)
    gram = gram - along.conj()[:, :, None] * along[:, None, :]
    return np.asarray((gram + gram.conj().swapaxes(1, 2)) / 2)


def _make_layers(program: Program, columns: list[int]) -> Layers:
    count = len(program.parameters)
    first = np.full(count, -1)
    local = np.ones(count, dtype=bool)
    if not program._code.tapes:
        return Layers(first, local, [], [])
    tape = program._code.tapes[0]
    columns_of: dict[int, list[int]] = {}
    for column in columns:
        for slot in wanted_slots(program, [column]):
            columns_of.setdefault(slot, []).append(column)
    depth = [0] * program.num_qubits
    fixed: dict[int, list[np.void]] = {}
    moving: dict[int, list[np.void]] = {}
    for record in tape.instructions:
        qubits = qubits_of(tape, record)
        layer = max((depth[q] for q in qubits), default=0)
        own = columns_of.get(int(record["slot"]), ())
        (moving if own else fixed).setdefault(layer, []).append(record)
        for column in own:
            if first[column] < 0:
                first[column] = layer
            local[column] &= first[column] == layer
        for q in qubits:
            depth[q] = layer + bool(own)
    num_layers = 1 + max((*fixed, *moving), default=-1)
    pieces = [[*fixed.get(k, ()), *moving.get(k, ())] for k in range(num_layers)]
    handles = [program._backend.compile(_piece(tape, piece), fuse=program.fuse) for piece in pieces]
    generators = [
        [g for r in moving.get(k, ()) for g in _generators_of(program, tape, r)] for k in range(num_layers)
    ]
    return Layers(first, local, handles, generators)


def _piece(tape: Tape, records: list[np.void]) -> Tape:
    array = np.array(records, dtype=INSTRUCTION)
    whole = set(np.flatnonzero(array["pattern"] == Pattern.PREPARE).tolist())
    segments = plan_segments(active_bits(array, tape.integers), whole)
    return Tape(tape.num_qubits, tape.num_slots, array, tape.integers, tape.constants, segments)


def _generators_of(program: Program, tape: Tape, record: np.void) -> list[_Generator]:
    """The generator of one instruction; none where it is zero."""
    reverser = Reverser(tape)
    reverser.add_generator(record)
    made = reverser.finish()
    handle = program._backend.compile(made.tape, fuse=False)
    controls = int(record["ctrl_mask"]), int(record["ctrl_value"])
    return [
        _Generator(slot, weight, handle, *controls)
        for slot, weight in zip(made.slots.tolist(), made.weights.tolist(), strict=True)
    ]
