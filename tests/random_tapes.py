"""Tapes built record by record, of every pattern; for tests of backends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qsim.program.schedule import plan_segments
from qsim.program.tape import INSTRUCTION, Pattern, Tape


class TapeBuilder:
    """Collects instructions and their pools."""

    def __init__(self, num_qubits: int, num_slots: int = 0) -> None:
        self.num_qubits = num_qubits
        self.num_slots = num_slots
        self.records: list[dict[str, float]] = []
        self.active: list[int] = []
        self.whole: set[int] = set()
        self.integers: list[int] = []
        self.constants: list[complex] = []

    def _add(
        self,
        pattern: Pattern,
        targets: Sequence[int] = (),
        data: Sequence[complex] = (),
        controls: dict[int, int] | None = None,
        extra: Sequence[int] = (),
        **fields: float,
    ) -> None:
        controls = controls or {}
        record: dict[str, float] = {
            "pattern": pattern,
            "num_targets": len(targets),
            "slot": -1,
            "ctrl_mask": sum(1 << q for q in controls),
            "ctrl_value": sum(v << q for q, v in controls.items()),
            "targets": len(self.integers),
            "data": len(self.constants),
            "scale": 1.0,
        }
        record.update(fields)
        self.records.append(record)
        self.integers += [*targets, *extra]
        self.constants += list(data)
        needs = pattern in (Pattern.DENSE, Pattern.PERMUTATION)
        self.active.append(sum(1 << q for q in targets) if needs else int(record.get("x_mask", 0)))
        if pattern is Pattern.PREPARE or (needs and len(targets) > 10):
            self.whole.add(len(self.records) - 1)

    def diagonal(self, targets, const, terms=(), **fields):
        self._add(Pattern.DIAGONAL, targets, self._with_terms(const, terms), num_terms=len(terms), **fields)

    def dense(self, targets, const, terms=(), **fields):
        self._add(Pattern.DENSE, targets, self._with_terms(const, terms), num_terms=len(terms), **fields)

    def permutation(self, targets, sources, phases=None, **fields):
        phases = np.ones(len(sources)) if phases is None else phases
        self._add(Pattern.PERMUTATION, targets, phases, extra=[int(s) for s in sources], **fields)

    def rotation(self, x_mask, z_mask, **fields):
        self._add(Pattern.PAULI_ROTATION, x_mask=x_mask, z_mask=z_mask, **fields)

    def prepare(self, targets, phase, w, **fields):
        self._add(Pattern.PREPARE, targets, [phase, *w], **fields)

    @staticmethod
    def _with_terms(const, terms):
        data = list(np.ravel(const))
        for omega, cosine, sine in terms:
            data += [omega, *np.ravel(cosine), *np.ravel(sine)]
        return data

    def build(self) -> Tape:
        instructions = np.zeros(len(self.records), INSTRUCTION)
        for i, record in enumerate(self.records):
            for field, value in record.items():
                instructions[field][i] = value
        return Tape(
            self.num_qubits,
            self.num_slots,
            instructions,
            np.array(self.integers, np.int32),
            np.array(self.constants, np.complex128),
            plan_segments(self.active, self.whole),
        )


def random_unitary(dim: int, rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(dim, dim)) + 1j * rng.normal(size=(dim, dim)))
    return q * (np.diag(r) / np.abs(np.diag(r)))


def random_phases(count: int, rng: np.random.Generator) -> np.ndarray:
    """Unit phases, a third of them exactly 1."""
    return np.where(rng.random(count) < 1 / 3, 1, np.exp(2j * np.pi * rng.random(count)))


def random_states(batch: int, num_qubits: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    states = rng.normal(size=(batch, 2**num_qubits)) + 1j * rng.normal(size=(batch, 2**num_qubits))
    return np.ascontiguousarray(states / np.linalg.norm(states, axis=1, keepdims=True), dtype=dtype)


def add_random_instruction(
    builder: TapeBuilder, rng: np.random.Generator, pattern: Pattern, k: int, num_controls: int
) -> None:
    """One instruction on random qubits, of a unitary's size (parametrised ones need not be unitary)."""
    n = builder.num_qubits
    order = [int(q) for q in rng.permutation(n)]
    targets, rest = order[:k], order[k:]
    fields: dict = {"controls": {q: int(rng.integers(2)) for q in rest[:num_controls]}}
    parametrised = builder.num_slots > 0 and rng.random() < 0.6
    if parametrised:
        fields |= {"slot": int(rng.integers(builder.num_slots)), "scale": rng.normal(), "shift": rng.normal()}
    else:
        fields["shift"] = rng.normal()
    dim = 2**k
    if pattern is Pattern.PAULI_ROTATION:
        letters = rng.integers(1, 4, size=k)
        x_mask = sum(1 << q for q, letter in zip(targets, letters, strict=True) if letter & 1)
        z_mask = sum(1 << q for q, letter in zip(targets, letters, strict=True) if letter & 2)
        builder.rotation(x_mask, z_mask, **fields)
    elif pattern is Pattern.PERMUTATION:
        sources = rng.permutation(dim) if rng.random() < 0.5 else np.arange(dim) ^ int(rng.integers(dim))
        builder.permutation(
            targets, sources, random_phases(dim, rng) if rng.random() < 0.5 else None, **fields
        )
    elif pattern is Pattern.PREPARE:
        w = random_states(1, k, np.dtype(complex), rng)[0] if rng.random() < 0.9 else np.zeros(dim)
        builder.prepare(targets, np.exp(1j * rng.normal()), w, **fields)
    elif pattern is Pattern.DIAGONAL:
        terms = [
            (rng.choice([0.5, 1.0, 2.0]), random_phases(dim, rng) / 2, random_phases(dim, rng) / 2)
            for _ in range(int(rng.integers(0, 3)))
        ]
        builder.diagonal(targets, random_phases(dim, rng), terms, **fields)
    else:
        terms = [
            (rng.choice([0.5, 1.0, 2.0]), random_unitary(dim, rng) / 2, random_unitary(dim, rng) / 2)
            for _ in range(int(rng.integers(0, 3)))
        ]
        builder.dense(targets, random_unitary(dim, rng), terms, **fields)


def random_tape(num_qubits: int, num_ops: int, rng: np.random.Generator, num_slots: int = 3) -> Tape:
    """Instructions of all patterns, mostly on few targets, with 0 to 3 controls."""
    builder = TapeBuilder(num_qubits, num_slots)
    for _ in range(num_ops):
        pattern = Pattern(int(rng.integers(5)))
        smallest = 0 if pattern in (Pattern.DIAGONAL, Pattern.PAULI_ROTATION) else 1
        if num_qubits < smallest:
            continue
        largest = min(num_qubits, 5 if pattern is Pattern.DENSE else num_qubits)
        k = int(min(largest, max(smallest, rng.geometric(0.4) - (1 - smallest))))
        num_controls = int(rng.integers(0, min(3, num_qubits - k) + 1))
        add_random_instruction(builder, rng, pattern, k, num_controls)
    return builder.build()


def random_paulis(num_qubits, num_terms, num_observables, rng):
    """Masks, coefficients and offsets of observables that share x_masks, some of them products of Z."""
    size = 1 << num_qubits
    x_masks = rng.choice(rng.integers(size, size=max(1, num_terms // 2)), size=num_terms).astype(np.uint64)
    x_masks[rng.random(num_terms) < 0.4] = 0
    z_masks = rng.integers(size, size=num_terms).astype(np.uint64)
    edges = np.sort(rng.integers(0, num_terms + 1, size=num_observables - 1)) if num_observables > 1 else []
    offsets = np.array([0, *edges, num_terms], np.int64)
    return x_masks, z_masks, rng.normal(size=num_terms), offsets
