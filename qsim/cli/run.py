"""``qsim run``: run a circuit file and report what comes out."""

from __future__ import annotations

import argparse
import ast
import json
import math
import operator
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import qsim
from qsim._checks import check_count
from qsim.bitstrings import format_bitstring
from qsim.circuit import Circuit
from qsim.cli.files import check_picture, read_circuit
from qsim.errors import ArgumentError, ObservableError, ParameterError, UnboundParameterError
from qsim.operations import Measure, Operation
from qsim.program.program import Program

__all__ = ["run"]

DEFAULT_SHOTS = 1000
_CHUNK = 1 << 20
_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
#: A term of a sum: sign, coefficient, Pauli label.
_TERM = re.compile(
    r"\s*([+-]?)\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)?\s*\*?\s*((?:[IXYZ][0-9]*\s*)*)(?=[+-]|$)"
)


@dataclass
class Report:
    """Everything a run tells, in text or as JSON."""

    circuit: Circuit
    program: Program
    shots: int | None
    seed: int | None
    outcomes: dict[str, float] = field(default_factory=dict)
    expectations: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def run(args: argparse.Namespace) -> int:
    """``qsim run``."""
    check_count(args.top, "--top", 1)
    if args.shots is not None:
        check_count(args.shots, "--shots", 1)
    if args.histogram is not None:
        check_picture(args.histogram, "--histogram")
    clock = _Clock()
    circuit = read_circuit(args.file)
    clock.lap("load")
    params = _params(args.param)
    program = qsim.compile(
        circuit,
        [_observable(text) for text in args.observable] or None,
        backend=args.backend,
        precision=args.precision,
        threads=args.threads,
    )
    clock.lap("compile")
    missing = [p.name for p in program.parameters] if params is None else []
    if missing:
        raise UnboundParameterError(
            f"The circuit has parameters without values: {', '.join(missing)}. "
            "Give them with --param NAME=VALUE."
        )
    shots = args.shots
    if shots is None and _measures(circuit.operations):
        shots = DEFAULT_SHOTS
    report = Report(circuit, program, shots, args.seed, seconds=clock.seconds)
    if shots is None:
        report.outcomes = _exact(program, params, args.top)
    else:
        samples = program.sample(params, shots=shots, seed=args.seed)
        report.outcomes = dict(samples.most_common())
    if args.observable:
        values = program.expectation(params)
        report.expectations = dict(zip(args.observable, values.tolist(), strict=True))
    clock.lap("run")
    if args.histogram is not None:
        _save_histogram(report, args.histogram)
    print(json.dumps(_as_dict(report), indent=1) if args.json else _as_text(report, args))
    return 0


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name], self._last = now - self._last, now


def _measures(operations: tuple[Operation, ...]) -> bool:
    return any(
        isinstance(op, Measure) or any(_measures(body.operations) for body in op.bodies) for op in operations
    )


# -- parameters ------------------------------------------------------------------------------------
def _params(texts: list[str]) -> dict[str, Any] | None:
    """From ``name=value`` and ``name=value,value,...``."""
    if not texts:
        return None
    out: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ParameterError(f"Option --param must be NAME=VALUE, but is {text!r}.")
        if name in out:
            raise ParameterError(f"Option --param gives parameter `{name}` twice.")
        parts = [_number(part, name) for part in value.split(",")]
        out[name] = parts[0] if len(parts) == 1 else parts
    return out


def _number(text: str, name: str) -> float:
    """A number, or arithmetic with numbers and pi."""

    def value(node: ast.AST) -> float:
        if isinstance(node, ast.Expression):
            return value(node.body)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return float(node.value)  # type: ignore[arg-type]
        if isinstance(node, ast.Name) and node.id in ("pi", "π"):
            return math.pi
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](value(node.operand))
        raise SyntaxError

    try:
        number = value(ast.parse(text.strip(), mode="eval"))
        if isinstance(number, float) and math.isfinite(number):
            return number
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        pass
    raise ParameterError(
        f"The value of parameter `{name}` must be a number such as 0.3 or pi/4, but is {text.strip()!r}."
    )


def _observable(text: str) -> Any:
    """A label such as ``Z0 Z1``, or a sum such as ``0.5 Z0 Z1 - X2``."""
    if not re.search(r"[-+.*]|^\s*[0-9]", text):
        return text
    terms: dict[str, float] = {}
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TERM.match(text, position)
        if found is None or found.end() == position or not (found[2] or found[3]):
            raise ObservableError(
                f"Observable {text!r} cannot be read at character {position + 1}; "
                "write labels as 'Z0 Z1' and sums as '0.5 Z0 Z1 - X2'."
            )
        sign, coefficient, label = found.groups()
        value = float(coefficient or 1) * (-1 if sign == "-" else 1)
        terms[label.strip()] = terms.get(label.strip(), 0.0) + value
        position = found.end()
    return terms


# -- exact outcomes --------------------------------------------------------------------------------
def _exact(program: Program, params: Any, top: int) -> dict[str, float]:
    """The likeliest basis states and their probabilities."""
    if not program.is_static:
        best = _largest(program.probabilities(params), top, 0)
    else:  # never more than the state itself and one chunk of probabilities
        state = program.statevector(params)
        best = []
        for start in range(0, len(state), _CHUNK):
            amplitudes = state[start : start + _CHUNK].astype(np.complex128)
            best += _largest(amplitudes.real**2 + amplitudes.imag**2, top, start)
    digits = 12 if program.precision == "double" else 6
    best.sort(key=lambda pair: (-round(pair[1], digits), pair[0]))
    return {
        format_bitstring(index, program.num_qubits): value for index, value in best[:top] if value > 1e-15
    }


def _largest(values: np.ndarray[Any, np.dtype[np.float64]], top: int, start: int) -> list[tuple[int, float]]:
    """(index, value) of the `top` largest values, equal ones by index."""
    rounded = values.round(12)
    if len(values) > top:
        least = np.partition(rounded, len(values) - top)[len(values) - top]
        chosen = np.concatenate([np.flatnonzero(rounded > least), np.flatnonzero(rounded == least)[:top]])
    else:
        chosen = np.arange(len(values))
    order = np.lexsort((chosen, -rounded[chosen]))[:top]
    return [(start + int(chosen[k]), float(values[chosen[k]])) for k in order]


# -- reports ---------------------------------------------------------------------------------------
def _as_dict(report: Report) -> dict[str, Any]:
    circuit, program = report.circuit, report.program
    key = "counts" if report.shots is not None else "probabilities"
    return {
        "circuit": {
            "name": circuit.name,
            "num_qubits": circuit.num_qubits,
            "num_clbits": circuit.num_clbits,
            "num_operations": len(circuit),
            "depth": circuit.depth(),
            "operations": dict(circuit.count_ops().most_common()),
        },
        "backend": program.backend,
        "precision": program.precision,
        "threads": program.threads,
        "seconds": report.seconds,
        "shots": report.shots,
        "seed": report.seed,
        key: report.outcomes,
        "expectations": report.expectations,
    }


def _as_text(report: Report, args: argparse.Namespace) -> str:
    circuit, program, seconds = report.circuit, report.program, report.seconds
    counts = circuit.count_ops().most_common()
    kinds = ", ".join(f"{count} {name}" for name, count in counts[:6]) + (", ..." if len(counts) > 6 else "")
    bits = f", {circuit.num_clbits} classical bits" if circuit.num_clbits else ""
    lines = [
        f"Circuit   {circuit.name or '(no name)'}",
        f"Qubits    {circuit.num_qubits}{bits}",
        f"Gates     {len(circuit)} operations, depth {circuit.depth()}" + (f" ({kinds})" if kinds else ""),
        f"Engine    {_engine(program)}, {program.precision} precision, {_plural(program.threads, 'thread')}",
        "Time      " + ", ".join(f"{name} {_duration(value)}" for name, value in seconds.items()),
        "",
    ]
    shown = list(report.outcomes.items())[: args.top]
    if report.shots is None:
        lines.append(f"Probabilities of the likeliest outcomes (qubit 0 rightmost), {len(shown)} shown")
        total = 1.0
    else:
        seed = "" if report.seed is None else f", seed {report.seed}"
        lines.append(
            f"Outcomes of {_plural(report.shots, 'shot')}{seed} (bit 0 rightmost), "
            f"{len(shown)} of {len(report.outcomes)} shown"
        )
        total = float(report.shots)
    lines += _bars(shown, total, report.shots is None)
    if report.expectations:
        width = max(map(len, report.expectations))
        lines += ["", "Expectation values"]
        # a zero that rounding made negative would look like a figure
        lines += [
            f"  {label:<{width}}  {round(value, 10) + 0.0: .10f}"
            for label, value in report.expectations.items()
        ]
    if args.histogram is not None:
        lines += ["", f"Wrote {args.histogram}."]
    return "\n".join(lines)


def _bars(shown: list[tuple[str, float]], total: float, exact: bool) -> list[str]:
    """One line for each outcome, with a bar as long as its share."""
    small = min((value for _, value in shown), default=1.0) < 1e-3
    form = ("{:.4e}" if small else "{:.6f}") if exact else "{:d}"
    figures = [form.format(value) for _, value in shown]
    width = max(map(len, figures), default=0)
    bits = max((len(label) for label, _ in shown), default=0)
    room = max(8, min(40, shutil.get_terminal_size().columns - bits - width - 16))
    largest = max((value for _, value in shown), default=1.0)
    lines = []
    for (label, value), figure in zip(shown, figures, strict=True):
        share = "" if exact else f"{100 * value / total:6.2f} %  "
        lines.append(f"  {label}  {figure:>{width}}  {share}{_bar(value / largest * room)}")
    return lines


def _bar(length: float) -> str:
    """A bar in eighths of a character."""
    eighths = round(length * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _engine(program: Program) -> str:
    if program.backend != "cpp":
        return program.backend
    from qsim import _core

    return f"cpp ({_core.isa()})"


def _duration(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


# -- histogram -------------------------------------------------------------------------------------
def _save_histogram(report: Report, path: str) -> None:
    from matplotlib.figure import Figure

    from qsim.visual import plot_histogram

    if not report.outcomes:
        raise ArgumentError("There is no outcome to plot.")
    bars = min(len(report.outcomes), 20)
    figure = Figure(figsize=(min(16.0, max(4.8, 0.4 * bars)), 3.6), layout="constrained")
    plot_histogram(report.outcomes, figure.subplots(), title=report.circuit.name)
    figure.savefig(path, dpi=150)
