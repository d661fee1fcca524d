"""The text of `Program.explain`."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from qsim.machine import Figures, figures
from qsim.memory import check_state_memory, format_bytes
from qsim.program.execution import empty_states
from qsim.program.lanes import MATRIX, PHASES
from qsim.program.tape import TILE_ACTIVE_BITS, TILE_LOW_BITS, Pattern

if TYPE_CHECKING:
    from qsim.program.program import Program

__all__ = ["explain_program", "measure_run"]

_SHOWN = 12
_MANY = 1 << 30  # rows for which lanes pay if they ever do
_RESIDENT = "  the state fits one tile; all instructions run there"


def explain_program(program: Program, measured: float | None = None) -> str:
    """Sizes, counts of instructions by pattern, and the segments of each tape.

    `measured` is the time of a run in seconds.
    """
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
    fused = program.backend == "cpp"
    fits = program.num_qubits <= TILE_LOW_BITS + TILE_ACTIVE_BITS
    for number, tape in enumerate(code.tapes):
        counts = {
            pattern.name.lower(): int((tape.instructions["pattern"] == pattern).sum()) for pattern in Pattern
        }
        listed = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        start = f"tape {number}: {len(tape.instructions)} instructions ({listed or 'none'}); "
        single = program.dtype.itemsize == 8
        plan = program._handles[number].plan(single, code.is_static) if fused else []
        if plan:
            body = _fused_lines(program, plan)
        elif fits:
            body = [f"{_passes(1)}, {format_bytes(2 * state)} moved", _RESIDENT]
        else:
            count = len(tape.segments)
            body = [f"{_passes(count)}, {format_bytes(2 * state * count)} moved"]
            body += _listed([_segment_line(program, segment) for segment in tape.segments])
        lines += [start + body[0], *body[1:]]
    if code.is_static and code.tapes:
        lines.append(_lanes_line(program))
    if measured is not None:
        lines.append(f"measured: {_time(measured)}")
    return "\n".join(lines)


def _lanes_line(program: Program) -> str:
    """How batches run."""
    least = program._backend.least_lane_rows(program.num_qubits, False)
    if least is None:
        return "batches: row by row (too big for lanes)"
    made = program._lanes(_MANY)
    if made is None:
        return "batches: row by row (lanes do not run these gates, or gain nothing)"
    least = max(least, ceil(made[0].rows_worth))
    lanes = made[0]
    kinds = lanes.steps[:, 0]
    matrices = int((kinds == MATRIX).sum())
    phases = int((kinds == PHASES).sum())
    return (
        f"batches of {least} rows or more: a row in each lane, {len(lanes.turns)} turns, {len(lanes.phases)} "
        f"phases in {phases} {'pass' if phases == 1 else 'passes'}, {matrices} "
        f"{'matrix' if matrices == 1 else 'matrices'}"
    )


def measure_run(program: Program, angles: Any) -> float:
    """Seconds that the states of one row of angles take from ``|0...0>``, after a run to warm up."""
    check_state_memory(program.num_qubits, program.dtype.itemsize)
    states = empty_states(1, 1 << program.num_qubits, program.dtype)
    seconds = 0.0
    for _ in range(2):
        start = time.perf_counter()
        program._backend.run(program._handles[0], states, angles, program.threads)
        seconds = time.perf_counter() - start
    return seconds


def _fused_lines(program: Program, plan: list[dict[str, Any]]) -> list[str]:
    """What is moved and computed, the time it should take, and each segment's share."""
    state = program.dtype.itemsize << program.num_qubits
    machine = figures(program.threads)
    peak = machine.peak_single if program.dtype.itemsize == 8 else machine.peak_double
    # the first pass of a static circuit writes the state without reading it
    first = 1 if program.is_static else 2
    moved = [state * (first if k == 0 else 2) for k in range(len(plan))]
    flops = [2 * segment["multiply_adds"] * (1 << program.num_qubits) for segment in plan]
    times = [max(b / machine.bandwidth, f / peak) for b, f in zip(moved, flops, strict=True)]
    total = sum(segment["multiply_adds"] for segment in plan)
    return [
        f"fused: {_passes(len(plan))}, {format_bytes(sum(moved))} moved, "
        f"{total:.4g} multiply-adds per amplitude",
        f"  predicted: {_time(sum(times))}, of which {_time(sum(moved) / machine.bandwidth)} for memory and "
        f"{_time(sum(flops) / peak)} for arithmetic if alone ({_machine_text(machine, peak)})",
        *_listed(
            [
                f"{_inside(program, segment)}: {_steps(segment)}; "
                f"{segment['multiply_adds']:.4g} multiply-adds per amplitude, {_time(seconds)}"
                for segment, seconds in zip(plan, times, strict=True)
            ]
        ),
    ]


def _machine_text(machine: Figures, peak: float) -> str:
    return f"{machine.bandwidth / 1e9:.3g} GB/s, {peak / 1e9:.3g} Gflop/s"


def _inside(program: Program, segment: dict[str, Any]) -> str:
    if segment["whole"]:
        return "whole state"
    return _qubits_text([q for q in range(program.num_qubits) if segment["inside"] >> q & 1])


def _qubits_text(qubits: list[int]) -> str:
    """The lowest qubits, which are always inside a tile, and the active ones above them."""
    above = [q for q in qubits if q >= TILE_LOW_BITS]
    return f"qubits 0-{TILE_LOW_BITS - 1} and {above or 'no others'}"


def _steps(segment: dict[str, Any]) -> str:
    generic = [Pattern(pattern).name.lower() for pattern in segment["generic"]]
    counts = {
        "rotation": segment["rotations"] + segment["lane_rotations"],
        "phase step": segment["phases"],
        "index map": segment["permutes"],
        **{name: generic.count(name) for name in dict.fromkeys(generic)},
    }
    names = {name: name if count == 1 or name in generic else f"{name}s" for name, count in counts.items()}
    return ", ".join(f"{count} {names[name]}" for name, count in counts.items() if count) or "product state"


def _segment_line(program: Program, segment: np.void) -> str:
    active = [q for q in range(program.num_qubits) if int(segment["active"]) >> q & 1]
    inside = "whole state" if segment["whole"] else _qubits_text(active)
    return f"instructions {segment['start']}-{segment['stop'] - 1}, {inside}"


def _listed(segments: list[str]) -> list[str]:
    lines = [f"  segment {k}: {text}" for k, text in enumerate(segments[:_SHOWN])]
    if len(segments) > _SHOWN:
        lines.append(f"  ... {len(segments) - _SHOWN} more segments")
    return lines


def _passes(count: int) -> str:
    return f"{count} {'pass' if count == 1 else 'passes'} over the state"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"
