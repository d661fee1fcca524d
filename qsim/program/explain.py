"""The text of `Program.explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qsim.memory import format_bytes
from qsim.program.tape import TILE_ACTIVE_BITS, TILE_LOW_BITS, Pattern

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["explain_program"]

_SHOWN = 12


def explain_program(program: Program) -> str:
    """Sizes, counts of instructions by pattern, and the segments of each tape."""
    state = program.dtype.itemsize << program.num_qubits
    code = program._code
    kind = "gates and read-out" if code.is_static else "branches on measurements"
    lines = [
        f"Program on {program.num_qubits} qubits: {kind}; backend {program.backend}, {program.precision} "
        "precision, "
        f"{program.threads} threads",
        f"state {format_bytes(state)}; {len(program.parameters)} parameters, "
        f"{program._slots.num_slots} angle columns; {len(program.observables)} observables",
    ]
    if not code.is_static:
        lines.append(f"{len(code.steps)} steps, {len(code.tapes)} tapes")
    fits = program.num_qubits <= TILE_LOW_BITS + TILE_ACTIVE_BITS
    for number, tape in enumerate(code.tapes):
        counts = {
            pattern.name.lower(): int((tape.instructions["pattern"] == pattern).sum()) for pattern in Pattern
        }
        listed = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        passes = 1 if fits else len(tape.segments)
        lines.append(
            f"tape {number}: {len(tape.instructions)} instructions ({listed or 'none'}); "
            f"{passes} {'pass' if passes == 1 else 'passes'} over the state, "
            f"{format_bytes(2 * state * passes)} moved"
        )
        if fits:
            lines.append("  the state fits one tile; all instructions run there")
            continue
        for k, segment in enumerate(tape.segments[:_SHOWN]):
            active = [q for q in range(TILE_LOW_BITS, program.num_qubits) if int(segment["active"]) >> q & 1]
            inside = (
                "whole state"
                if segment["whole"]
                else f"qubits 0-{TILE_LOW_BITS - 1} and {active or 'no others'}"
            )
            lines.append(f"  segment {k}: instructions {segment['start']}-{segment['stop'] - 1}, {inside}")
        if len(tape.segments) > _SHOWN:
            lines.append(f"  ... {len(tape.segments) - _SHOWN} more segments")
    return "\n".join(lines)
