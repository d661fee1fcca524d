"""The gate table for the C API: the tape that each gate becomes, as C++ text.

``csrc/capi/gate_table.inl`` holds what `table_text` gives, and a test compares the two. So the library that
needs no Python knows the same gates by the same names, lowered by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from qsim.gates import GATES, GateSpec, get_gate, unique_specs
from qsim.io.library import INCLUDES
from qsim.operations import GateOperation
from qsim.parameters import Parameter
from qsim.program.lower import TapeBuilder
from qsim.program.reverse import Reverser
from qsim.program.slots import SlotAllocator
from qsim.program.tape import Pattern, Tape

__all__ = ["table_text"]

_HEAD = """// Generated from the gate table by qsim.gate_tapes.table_text(); do not edit.
// What each record means stands in gate_table.hpp.
"""


def table_text() -> str:
    """The text of ``csrc/capi/gate_table.inl``."""
    table = _Table()
    known = dict(GATES)
    for spec in unique_specs():  # inverses at the same parameters have no names in the table
        inverse, _ = spec.inverse((Parameter("p"),) * spec.num_params)
        known.setdefault(inverse.name, get_gate(inverse.name))
    specs = list(dict.fromkeys(known.values()))
    gates = [table.gate(spec) for spec in specs]
    numbers = {spec: k for k, spec in enumerate(specs)}
    names = [(name, numbers[spec]) for name, spec in sorted(known.items())]
    includes = [
        (file, name, numbers[GATES[gate]])
        for file, library in INCLUDES.items()
        for name, gate in library.items()
    ]
    return _HEAD + "".join(
        (
            _array("Entry", "kEntries", table.entries),
            _array("std::int32_t", "kSources", table.sources),
            _array("Form", "kForms", table.forms),
            _array("std::int32_t", "kPlaces", table.places),
            _array("Part", "kParts", table.parts),
            _array("Gate", "kGates", gates),
            _array("Name", "kNames", [_braces(_quoted(name), number) for name, number in names]),
            _array(
                "Included",
                "kIncluded",
                [_braces(_quoted(file), _quoted(name), number) for file, name, number in includes],
            ),
        )
    )


class _Table:
    """Collects the pools; equal forms are kept once."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self.sources: list[str] = []
        self.forms: list[str] = []
        self.places: list[str] = []
        self.parts: list[str] = []
        self._known: dict[Any, int] = {}

    def gate(self, spec: GateSpec) -> str:
        params = [Parameter(f"p{k}") for k in range(spec.num_params)]
        slots = SlotAllocator(params)
        builder = TapeBuilder(spec.num_qubits, slots)
        builder.add(GateOperation(spec, tuple(params), tuple(range(spec.num_qubits))))
        tape = builder.finish(spec.num_params)
        assert slots.slot_map().num_slots == spec.num_params, "parts have angles affine in one parameter"
        first = len(self.parts)
        for record in tape.instructions:
            self._part(tape, record)
        return _braces(_quoted(spec.name), spec.num_params, spec.num_qubits, first, len(self.parts))

    def _part(self, tape: Tape, record: np.void) -> None:
        rotation = record["pattern"] == Pattern.PAULI_ROTATION
        generator = -1
        if record["slot"] >= 0 and not rotation:  # that of a Pauli rotation is known from its masks
            reverser = Reverser(tape)
            reverser.add_generator(record)
            made = reverser.finish().tape
            assert len(made.instructions) == 1, "a parameter that does something"
            generator = self._form(made, made.instructions[0])
        first = int(record["targets"])
        targets = [] if rotation else tape.integers[first : first + int(record["num_targets"])].tolist()
        place = len(self.places)
        self.places += map(str, targets)
        self.parts.append(
            _braces(
                self._form(tape, record),
                generator,
                int(record["slot"]),
                place,
                int(record["ctrl_mask"]),
                int(record["x_mask"]),
                int(record["z_mask"]),
                _number(record["scale"]),
                _number(record["shift"]),
            )
        )

    def _form(self, tape: Tape, record: np.void) -> int:
        pattern, k, terms = (int(record[name]) for name in ("pattern", "num_targets", "num_terms"))
        data = np.zeros(0, complex)
        sources: list[int] = []
        if pattern != Pattern.PAULI_ROTATION:
            size = 1 << (2 * k if pattern == Pattern.DENSE else k)
            first = int(record["data"])
            data = tape.constants[first : first + size + terms * (1 + 2 * size)]
        if pattern == Pattern.PERMUTATION:
            first = int(record["targets"]) + k
            sources = tape.integers[first : first + (1 << k)].tolist()
        key = (pattern, k, terms, data.tobytes(), tuple(sources))
        if key not in self._known:
            entry, source = len(self.entries), len(self.sources)
            self.sources += map(str, sources)
            for place in np.flatnonzero(data).tolist():
                self.entries.append(_braces(place, _number(data[place].real), _number(data[place].imag)))
            self._known[key] = len(self.forms)
            self.forms.append(_braces(pattern, k, terms, len(data), entry, len(self.entries), source))
        return self._known[key]


def _number(value: Any) -> str:
    text = repr(float(value) + 0.0)  # no negative zero
    return text.removesuffix(".0")


def _quoted(text: str) -> str:
    return f'"{text}"'


def _braces(*items: object) -> str:
    return "{" + ", ".join(map(str, items)) + "}"


def _array(kind: str, name: str, items: Sequence[str]) -> str:
    """An array of C++, lines filled to 118 columns."""
    return f"constexpr {kind} {name}[] = {{\n{_filled(items)}}};\n"


def _filled(items: Iterable[str]) -> str:
    lines, line = [], ""
    for item in items:
        if line and len(line) + len(item) + 2 > 118:
            lines.append(line + "\n")
            line = ""
        line += ("  " if not line else " ") + item + ","
    return "".join(lines) + line + "\n"
