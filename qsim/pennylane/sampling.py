"""Shots: which measurements share a basis, what is sampled, and how samples become PennyLane's results."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pennylane.measurements import (
    ClassicalShadowMP,
    CountsMP,
    ExpectationMP,
    ProbabilityMP,
    SampleMP,
    ShadowExpvalMP,
)
from pennylane.ops import CompositeOp, Prod, SProd
from pennylane.tape import QuantumScript
from pennylane.transforms.dynamic_one_shot import fill_in_value, gather_mcm
from pennylane.wires import Wires

from qsim.circuit import Circuit
from qsim.pennylane.plan import Plan, clbits_of
from qsim.program.program import Program, compile

__all__ = ["sampled"]

FloatArray = npt.NDArray[np.float64]
BitArray = npt.NDArray[np.uint8]
#: Letters by wire: a product of Paulis.
Word = dict[Any, str]


class Basis:
    """Measurements that one set of samples answers.

    Attributes
    ----------
    word : dict
        The Pauli letter in whose basis each wire is read; others are read as they are.
    gates : list of Operator
        Further gates before the read-out, of an observable that is no product of Paulis.
    asked : list of (int, dict or None, float)
        Place of a measurement on the tape; the term of its sum and its coefficient, or None for all of it.
    """

    def __init__(self, word: Word, gates: Sequence[Any] = ()) -> None:
        self.word = dict(word)
        self.gates = list(gates)
        self.asked: list[tuple[int, Word | None, float]] = []
        self._programs: dict[str, Program] = {}

    def takes(self, word: Word) -> bool:
        """Whether a product of Paulis can be read in this basis; then it is made to fit."""
        if self.gates or any(self.word.get(w, letter) != letter for w, letter in word.items()):
            return False
        self.word.update(word)
        return True

    def program(self, plan: Plan, kind: str) -> Program:
        """What is sampled: the whole circuit in this basis, or for ``"states"`` the change of basis alone."""
        if kind not in self._programs:
            before = () if kind == "states" else plan.circuit.operations
            first = len(plan.clbits)
            circuit = Circuit(len(plan.wires), first + len(plan.wires) if first else 0)
            for operation in (*before, *self._change(plan).operations):
                circuit.append_operation(operation)
            if first:  # the read-out has bits of its own, behind those of measurements in the middle
                circuit.measure(range(len(plan.wires)), range(first, first + len(plan.wires)))
            self._programs[kind] = compile(circuit, **plan.options)
        return self._programs[kind]

    def _change(self, plan: Plan) -> Circuit:
        circuit = plan.rotation(self.gates)
        for wire, letter in self.word.items():
            qubit = plan.qubit_of[wire]
            if letter == "Y":
                circuit.sdg(qubit)
            if letter != "Z":
                circuit.h(qubit)
        return circuit


def _bases_of(plan: Plan, measurements: Sequence[Any]) -> list[Basis]:
    """Bases for all measurements that are read off samples: the first that fits takes each, or a new one."""
    out: list[Basis] = []

    def place(index: int, word: Word, term: Word | None = None, coefficient: float = 1.0) -> None:
        basis = next((b for b in out if b.takes(word)), None)
        if basis is None:
            basis = Basis(word)
            out.append(basis)
        basis.asked.append((index, term, coefficient))

    for index, mp in enumerate(measurements):
        if isinstance(mp, ClassicalShadowMP | ShadowExpvalMP):
            continue
        if mp.mv is not None or mp.obs is None:
            outcomes_only = mp.mv is not None and plan.clbits
            wires = () if outcomes_only else (tuple(mp.wires) or plan.wires)
            place(index, dict.fromkeys(wires, "Z"))
            continue
        sentence = mp.obs.pauli_rep
        if sentence is not None and type(mp) is ExpectationMP:
            if not len(sentence):
                place(index, {}, {}, 0.0)
            for word, coefficient in sentence.items():
                place(index, dict(word), dict(word), float(np.real(coefficient)))
        elif sentence is not None and _is_word(mp.obs):
            place(index, dict(next(iter(sentence))))
        else:
            basis = Basis({}, mp.diagonalizing_gates())
            basis.asked.append((index, None, 1.0))
            out.append(basis)
    return out


def _is_word(obs: Any) -> bool:
    """Whether an observable is written as letters on different wires, so that PennyLane's eigenvalues are in
    the order of their bits; those of any other sum or product are sorted."""
    if isinstance(obs, SProd):
        return _is_word(obs.base)
    if isinstance(obs, Prod):
        return not obs.has_overlapping_wires and all(map(_is_word, obs.operands))
    return not isinstance(obs, CompositeOp)


def sampled(
    plan: Plan,
    tape: QuantumScript,
    rows: FloatArray,
    batch: int | None,
    rng: np.random.Generator,
    postselect_mode: str | None,
) -> Any:
    """Results of a tape with shots: for each entry of the shot vector, of each measurement."""
    measurements, initial = tape.measurements, plan.initial(tape)
    bases = plan.memo.setdefault("bases", None) or _bases_of(plan, measurements)
    plan.memo["bases"] = bases
    clbits = clbits_of(tape.operations)
    shadows = [k for k, mp in enumerate(measurements) if isinstance(mp, ClassicalShadowMP | ShadowExpvalMP)]
    total, bins = tape.shots.total_shots, list(tape.shots.bins())
    states: Any = None
    if not clbits and (len(bases) > 1 or shadows or not plan.keeps_norm):
        states = plan.program.statevector(rows, initial_state=initial)
        if not plan.keeps_norm and postselect_mode != "fill-shots":
            total, bins = _surviving(states[0], bins, rng)
    entries: list[list[Any]] = [[None] * len(measurements) for _ in bins]
    for basis in bases:
        bits, outcomes = _draw(plan, basis, rows, initial, states, total, rng)
        for index, term, coefficient in basis.asked:
            for entry, (low, high) in zip(entries, bins, strict=True):
                found = [
                    _process(
                        measurements[index], b[low:high], o[low:high], plan, clbits, term, postselect_mode
                    )
                    for b, o in zip(bits, outcomes, strict=True)
                ]
                value = _joined(found, batch)
                if term is not None:
                    value = coefficient * value + (0.0 if entry[index] is None else entry[index])
                entry[index] = value
    for index in shadows:
        for entry, (low, high) in zip(entries, bins, strict=True):
            found = [_shadow(measurements[index], state, plan, high - low, rng) for state in states]
            entry[index] = _joined(found, batch)
    results = [entry[0] if len(entry) == 1 else tuple(entry) for entry in entries]
    return tuple(results) if tape.shots.has_partitioned_shots else results[0]


def _joined(found: list[Any], batch: int | None) -> Any:
    if batch is None:
        return found[0]
    return found if isinstance(found[0], dict) else np.stack(found)


def _surviving(
    state: Any, bins: list[tuple[int, int]], rng: np.random.Generator
) -> tuple[int, list[tuple[int, int]]]:
    """How many shots a postselection that was deferred leaves, and where each entry of the shot vector is."""
    weight = min(1.0, float(np.linalg.norm(state)) ** 2)
    counts = [int(rng.binomial(high - low, weight)) for low, high in bins]
    ends = [0, *itertools.accumulate(counts)]
    return ends[-1], list(itertools.pairwise(ends))


def _draw(
    plan: Plan,
    basis: Basis,
    rows: FloatArray,
    initial: Any,
    states: Any,
    shots: int,
    rng: np.random.Generator,
) -> tuple[BitArray, BitArray]:
    """Samples (rows, shots, wires), in the order of the wires, and of the mid-circuit measurements."""
    first = len(plan.clbits)
    if not shots:
        return np.zeros((1, 0, len(plan.wires)), np.uint8), np.zeros((1, 0, first), np.uint8)
    if states is None:
        samples = basis.program(plan, "whole").sample(rows, shots=shots, seed=rng, initial_state=initial)
    else:
        samples = basis.program(plan, "states").sample(
            shots=shots, seed=rng, initial_state=states, normalize=True
        )
    bits = samples.bits
    return bits[..., first:][..., ::-1], bits[..., :first]


def _process(
    mp: Any,
    bits: BitArray,
    outcomes: BitArray,
    plan: Plan,
    clbits: Mapping[Any, int],
    term: Word | None,
    postselect_mode: str | None,
) -> Any:
    """The result of one measurement, or of a term of its sum, from the samples of one row."""
    valid = np.ones(len(bits), dtype=bool)
    for op, bit in clbits.items():
        if op.postselect is not None:
            valid &= outcomes[:, bit] == op.postselect
    if not valid.any() and not isinstance(mp, SampleMP | CountsMP):
        return np.full(2 ** len(mp.wires), np.nan) if isinstance(mp, ProbabilityMP) else np.float64(np.nan)
    if mp.mv is not None and clbits:  # else it was deferred to wires
        arrays = {op: outcomes[:, bit : bit + 1].astype(np.int64) for op, bit in clbits.items()}
        return gather_mcm(mp, arrays, valid, postselect_mode=postselect_mode)
    if term is not None:
        places = [plan.wires.index(w) for w in term]
        return 1.0 - 2.0 * np.mean(bits[valid][:, places].sum(axis=1) % 2)
    if postselect_mode == "pad-invalid-samples" and isinstance(mp, SampleMP):
        found = np.asarray(mp.process_samples(bits.astype(np.int64), Wires(plan.wires)))
        return np.where(valid.reshape(-1, *(1,) * (found.ndim - 1)), found, fill_in_value)
    return mp.process_samples(bits[valid].astype(np.int64), Wires(plan.wires))


def _shadow(mp: Any, state: Any, plan: Plan, shots: int, rng: np.random.Generator) -> Any:
    tensor = np.asarray(state).reshape((2,) * len(plan.wires))
    return mp.process_state_with_shots(tensor, Wires(plan.wires), shots, rng=rng)
