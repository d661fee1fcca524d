"""Hadamard tests: the generator of each gate behind it, controlled by a qubit more that is measured too.

With the generator ``E = -i sum_p g_p P_p`` of a gate, a derivative is ``2 Re <psi|O E psi>``, each term of
which is the expectation value of ``X (x) O`` where the new qubit, in ``|+>``, controls ``-i P_p``. One
evaluation for each Pauli string of each generator, at the circuit's own angles (K. Mitarai and K. Fujii,
arXiv:1901.00015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qsim.errors import GradientError
from qsim.gates import get_gate
from qsim.gradients.evaluate import require_unitary, to_parameters, wanted_slots
from qsim.gradients.evaluations import Evaluations, Options, Streams, evaluation_ranges
from qsim.gradients.runner import Runner
from qsim.observables import Observable, PauliSum
from qsim.operations import GateOperation
from qsim.program.dual import real_terms
from qsim.program.lower import TapeBuilder
from qsim.program.reverse import Family, Pools, active_bits, generator_of
from qsim.program.schedule import plan_segments
from qsim.program.slots import SlotAllocator
from qsim.program.tape import INSTRUCTION, Pattern, Tape

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["estimate"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
#: Most qubits of a generator that is taken apart.
_MAX_TARGETS = 6


@dataclass(frozen=True, eq=False)
class _Tests:
    """The tape with all controlled strings, each switched on by an angle of pi in its own slot.

    Test k counts with ``2 scales[k] strengths[k] * function(levels[k] * angle)`` for slot ``slots[k]``.
    """

    runner: Runner
    slots: IntArray
    scales: FloatArray
    shifts: FloatArray
    levels: FloatArray
    is_sine: npt.NDArray[np.bool_]
    strengths: FloatArray

    def weights(self, angles: FloatArray, rows: IntArray, terms: IntArray) -> FloatArray:
        inner = self.levels[terms] * (
            self.scales[terms] * angles[rows, self.slots[terms]] + self.shifts[terms]
        )
        trig = np.where(self.is_sine[terms], np.sin(inner), np.cos(inner))
        return 2 * self.scales[terms] * self.strengths[terms] * trig


def estimate(
    program: Program, values: FloatArray, columns: list[int], options: Options
) -> tuple[Any, Any, FloatArray, FloatArray]:
    """See `qsim.gradients.evaluate.METHODS`."""
    require_unitary(program, "hadamard_test")
    if options.measurement is not None:
        raise GradientError(
            f"Method 'hadamard_test' is for observables, but not for {options.measurement!r}. Use "
            "method='adjoint' or 'finite_difference'."
        )
    angles = program._slots.angles(values)
    batch, num_slots = len(values), program._slots.num_slots
    streams = None if options.shots is None else Streams(options.seed, batch)
    evaluate = Evaluations(program, options, streams)
    out, out_variance = evaluate(angles, np.arange(batch), np.zeros(batch, dtype=np.int64))
    by_slot = np.zeros((*out.shape, num_slots))
    variance = np.zeros(by_slot.shape)
    tests = program._derive(("hadamard_test", *columns), lambda: _make_tests(program, columns))
    if tests is not None:
        n = program.num_qubits
        crossed = [_crossed(o, n) for o in program.observables]
        evaluate = Evaluations(program, options, streams, tests.runner, n + 1, crossed)
        num = len(tests.slots)
        for part in evaluation_ranges(program, batch * num, num_slots + num):
            rows, terms = np.divmod(np.arange(part.start, part.stop), num)
            switched = np.zeros((len(rows), num_slots + num))
            switched[:, :num_slots] = angles[rows]
            switched[np.arange(len(rows)), num_slots + terms] = np.pi
            found, noise = evaluate(switched, rows, 1 + terms, batch * num)
            weights = tests.weights(angles, rows, terms)[:, None]
            places = (rows, tests.slots[terms])
            np.add.at(by_slot.transpose(0, 2, 1), places, weights * found)
            np.add.at(variance.transpose(0, 2, 1), places, weights**2 * noise)
    jacobian = to_parameters(program, values, by_slot, columns)
    return out, jacobian, out_variance, to_parameters(program, values, variance, columns, squared=True)


def _crossed(observable: Observable, qubit: int) -> PauliSum:
    """``X (x) O`` with X on a further qubit."""
    own = observable if isinstance(observable, PauliSum) else observable.to_pauli_sum()
    x, z, c = own.real_terms()
    return PauliSum.from_masks(x | np.uint64(1 << qubit), z, c)


def _make_tests(program: Program, columns: list[int]) -> _Tests | None:
    """None where no gate depends on these parameters."""
    if not program._code.tapes:
        return None
    tape, wanted = program._code.tapes[0], wanted_slots(program, columns)
    extra = tape.num_qubits
    pools = Pools()
    pools.put_integers(tape.integers)
    pools.put_constants(tape.constants)
    builder = TapeBuilder(extra + 1, SlotAllocator(()))
    builder.add(GateOperation(get_gate("h"), (), (extra,)))
    start = builder.finish(0)
    first = start.instructions[0].copy()
    first["targets"], first["data"] = pools.put_integers(start.integers), pools.put_constants(start.constants)
    records = [first]
    kept: list[tuple[int, float, float, float, bool, float]] = []
    for place, record in enumerate(tape.instructions):
        records.append(record)
        if record["slot"] < 0 or int(record["slot"]) not in wanted:
            continue
        slot, scale, shift = (record[name].item() for name in ("slot", "scale", "shift"))
        if record["pattern"] == Pattern.DENSE and record["num_targets"] > _MAX_TARGETS:
            raise GradientError(
                f"Method 'hadamard_test' takes generators apart into Pauli strings, on at most "
                f"{_MAX_TARGETS} qubits, but {program._code.gate_text(place)} has a matrix on "
                f"{record['num_targets']}. Use method='adjoint', 'parameter_shift' or 'finite_difference'."
            )
        for level, is_sine, x, z, strength in _strings_of(tape, record):
            turn = record.copy()
            turn["pattern"], turn["num_targets"], turn["num_terms"] = int(Pattern.PAULI_ROTATION), 0, 0
            turn["ctrl_mask"] = turn["ctrl_value"] = 1 << extra
            turn["x_mask"], turn["z_mask"] = x, z
            turn["slot"], turn["scale"], turn["shift"] = tape.num_slots + len(kept), 1.0, 0.0
            records.append(turn)
            kept.append((slot, scale, shift, level, is_sine, strength))
    if not kept:
        return None
    array = np.array(records, dtype=INSTRUCTION)
    integers, constants = pools.arrays()
    whole = set(np.flatnonzero(array["pattern"] == Pattern.PREPARE).tolist())
    segments = plan_segments(active_bits(array, integers), whole)
    wide = Tape(extra + 1, tape.num_slots + len(kept), array, integers, constants, segments)
    slots, scales, shifts, levels, sines, strengths = (np.array(part) for part in zip(*kept, strict=True))
    return _Tests(Runner(program, wide), slots, scales, shifts, levels, sines, strengths)


def _strings_of(tape: Tape, record: np.void) -> list[tuple[float, bool, int, int, float]]:
    """``(level, is_sine, x_mask, z_mask, g)`` of a generator ``-i sum g function(level * angle) P``."""
    out: list[tuple[float, bool, int, int, float]] = []
    if record["pattern"] == Pattern.PAULI_ROTATION:
        strings = [(0.0, False, int(record["x_mask"]), int(record["z_mask"]), 0.5)]
    else:
        strings = _strings_of_matrix(tape, record)
    controls, values = int(record["ctrl_mask"]), int(record["ctrl_value"])
    qubits = [q for q in range(tape.num_qubits) if controls >> q & 1]
    for level, is_sine, x, z, strength in strings:
        # where the controls match is a product of (1 +- Z) / 2
        for chosen in range(1 << len(qubits)):
            mask = sum(1 << q for k, q in enumerate(qubits) if chosen >> k & 1)
            if not (x | z | mask):
                continue  # a phase
            sign = -1.0 if (mask & values).bit_count() & 1 else 1.0
            out.append((level, is_sine, x, z | mask, sign * strength / (1 << len(qubits))))
    return out


def _strings_of_matrix(tape: Tape, record: np.void) -> list[tuple[float, bool, int, int, float]]:
    first, k = int(record["targets"]), int(record["num_targets"])
    targets = tape.integers[first : first + k].tolist()
    made = generator_of(tape, record)
    if made is None:
        return []
    if isinstance(made, Family):
        parts = [
            (level, is_sine, part)
            for level, cos, sin in real_terms(made)
            for is_sine, part in ((False, cos), (True, sin))
        ]
    elif made.ndim == 1:
        return [(0.0, False, 0, _moved(z, targets), c) for z, c in _walsh((1j * made).real)]
    else:
        parts = [(0.0, False, made)]
    out = []
    for level, is_sine, part in parts:
        if not np.any(part) or (is_sine and not level):
            continue
        hermitian = 1j * part
        pauli_sum = PauliSum.from_matrix((hermitian + hermitian.conj().T) / 2)
        for x, z, c in zip(*(a.tolist() for a in pauli_sum.real_terms()), strict=True):
            out.append((level, is_sine, _moved(x, targets), _moved(z, targets), c))
    return out


def _moved(mask: int, targets: list[int]) -> int:
    return sum((mask >> j & 1) << q for j, q in enumerate(targets))


def _walsh(diagonal: FloatArray) -> list[tuple[int, float]]:
    """Strings of Z, as masks, and coefficients of a diagonal."""
    out = diagonal.copy()
    step = 1
    while step < len(out):
        pairs = out.reshape(-1, 2, step)
        out = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).ravel()
        step *= 2
    out /= len(out)
    kept = np.abs(out) > 1e-14 * np.abs(out).max(initial=0.0)
    return [(int(z), float(out[z])) for z in np.flatnonzero(kept)]
