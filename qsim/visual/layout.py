"""Where each operation stands: rows for wires, columns for time. Shared by all renderers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from qsim import classical
from qsim.circuit import Circuit
from qsim.operations import (
    Assign,
    Barrier,
    Break,
    Continue,
    Delay,
    ForLoop,
    GateOperation,
    IfElse,
    Kraus,
    Measure,
    Operation,
    Reset,
    Switch,
    WhileLoop,
)
from qsim.visual.labels import BitNames, clip, family_of, param_text, shape_of

__all__ = ["Drawing", "Element", "Frame", "Row", "chunks", "column_widths", "lay_out"]

#: Bodies nested deeper than this are drawn as a box.
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One horizontal line: a qubit, a classical register, the variables, or (no wire) global phases."""

    label: str
    kind: str  # "qubit", "phase", "bits" or "variables"
    size: int = 1


@dataclass(frozen=True, slots=True)
class Element:
    """One drawn operation.

    Attributes
    ----------
    kind : {"gate", "measure", "reset", "barrier", "assign", "jump"}
    column : int
    label, params, family : str
    box : tuple of int
        Rows the box takes part in, from the top; empty for an element without a box.
    ports : dict of int to str
        What stands at the left border of a box with several rows; controls that lie between the
        box's rows are ``"control"`` or ``"open"`` here.
    marks : dict of int to str
        Symbols outside the box: ``"control"``, ``"open"``, ``"plus"``, ``"dot"``, ``"cross"``.
    bit : (int, str) or None
        Row and index of the classical bit a measurement writes.
    """

    kind: str
    column: int
    label: str = ""
    params: str = ""
    family: str = "custom"
    box: tuple[int, ...] = ()
    ports: dict[int, str] = field(default_factory=dict)
    marks: dict[int, str] = field(default_factory=dict)
    bit: tuple[int, str] | None = None

    @property
    def text(self) -> str:
        """Label and parameters on one line."""
        return f"{self.label}({self.params})" if self.params else self.label

    @property
    def top(self) -> int:
        return min((*self.box, *self.marks))

    @property
    def bottom(self) -> int:
        return max((*self.box, *self.marks))


@dataclass(frozen=True, slots=True)
class Frame:
    """A border around the bodies of an if, a loop or a switch.

    `sections` are (column, label) of each body, the last column is `end`. `lift` and `drop` tell how
    many frames end at the same row at the top and at the bottom, this one outermost.
    """

    top: int
    bottom: int
    sections: tuple[tuple[int, str], ...]
    end: int
    lift: int = 1
    drop: int = 1
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything a renderer needs; frames stand after the frames inside them."""

    rows: tuple[Row, ...]
    elements: tuple[Element, ...]
    frames: tuple[Frame, ...]
    num_columns: int
    note: str = ""

    def visible_frames(self, columns: range) -> list[Frame]:
        """Frames that reach into some of the columns."""
        return [f for f in self.frames if f.sections[0][0] < columns.stop and f.end >= columns.start]

    def frame_borders(self, frames: Iterable[Frame]) -> tuple[list[int], list[int]]:
        """How many borders of frames stand just above and just below each row."""
        above, below = [0] * len(self.rows), [0] * len(self.rows)
        for frame in frames:
            above[frame.top] = max(above[frame.top], frame.lift)
            below[frame.bottom] = max(below[frame.bottom], frame.drop)
        return above, below


def lay_out(circuit: Circuit, *, reverse_bits: bool = False, max_operations: int | None = None) -> Drawing:
    """Place all operations, each as far left as its wires allow.

    Parameters
    ----------
    circuit : Circuit
    reverse_bits : bool
        Put the highest qubit on top.
    max_operations : int, optional
        Leave out what comes after so many operations and say so in the note.
    """
    return _Layout(circuit, reverse_bits, max_operations).drawing()


class _Layout:
    def __init__(self, circuit: Circuit, reverse_bits: bool, max_operations: int | None) -> None:
        self.circuit = circuit
        self.names = BitNames(circuit.classical_registers, circuit.num_clbits)
        self.budget = max_operations if max_operations is not None else 1 << 62
        count = circuit.num_qubits
        order = range(count - 1, -1, -1) if reverse_bits else range(count)
        labels = _qubit_labels(circuit)
        rows = [Row(clip(labels[q], 20), "qubit") for q in order]
        self.row_of_qubit = {q: row for row, q in enumerate(order)}
        seen = list(islice(_flatten(circuit.operations), self.budget))
        self.phase_row = len(rows)
        if any(isinstance(op, GateOperation) and not op.targets for op in seen):
            rows.append(Row("phase", "phase"))
        self.row_of_register: dict[str, int] = {}
        for name, bits in self.names.registers.items():
            self.row_of_register[name] = len(rows)
            rows.append(Row(clip(name, 20), "bits", len(bits)))
        self.variable_row: int | None = None
        if any(isinstance(op, Assign) and not classical.bits_of(op.target) for op in seen):
            self.variable_row = len(rows)
            rows.append(Row("vars", "variables"))
        if not rows and len(circuit):
            rows.append(Row("", "phase"))  # something to hold loops over nothing
        self.rows = rows
        self.frontier = [0] * len(rows)
        self.elements: list[Element] = []
        self.frames: list[Frame] = []

    def drawing(self) -> Drawing:
        done = self._body(self.circuit.operations, tuple(range(len(self.rows))), 0)
        left = len(self.circuit) - done
        note = ""
        if left:
            note = f"... and {left} more operations (max_operations=None or --all draws them too)"
        return Drawing(
            tuple(self.rows),
            tuple(self.elements),
            tuple(self.frames),
            max(self.frontier, default=0),
            note,
        )

    # -- placing -----------------------------------------------------------------------------------
    def _column(self, rows: Iterable[int], reads: Iterable[int] = ()) -> int:
        """Take the first column that is free in all `rows`, after everything that wrote to `reads`."""
        touched = [*rows, *reads]
        column = max((self.frontier[row] for row in touched), default=0)
        for row in touched:
            self.frontier[row] = column + 1
        return column

    def _body(self, operations: Sequence[Operation], scope: tuple[int, ...], depth: int) -> int:
        """Place operations one after the other; the number placed before the budget ended."""
        for number, op in enumerate(operations):
            if self.budget <= 0:
                if depth:
                    self._box("jump", "…", scope)
                return number
            self.budget -= 1
            self._place(op, scope, depth)
        return len(operations)

    def _place(self, op: Operation, scope: tuple[int, ...], depth: int) -> None:
        if isinstance(op, GateOperation):
            self._gate(op)
        elif isinstance(op, Measure):
            name, index = self.names.place(op.clbit)
            qubit, bits = self.row_of_qubit[op.qubit], self.row_of_register[name]
            column = self._column(range(qubit, bits + 1))
            text = str(index) if self.rows[bits].size > 1 else ""
            self.elements.append(
                Element("measure", column, "M", family="measure", box=(qubit,), bit=(bits, text))
            )
        elif isinstance(op, Reset):
            self._box("reset", "|0>", [self.row_of_qubit[op.qubit]], family="measure")
        elif isinstance(op, Barrier):
            rows = sorted(self.row_of_qubit[q] for q in op.qubits)
            if rows:
                self.elements.append(Element("barrier", self._column(rows), box=tuple(rows)))
        elif isinstance(op, Delay):
            for q in op.qubits:
                text = f"{op.duration:.4g} {op.unit}"
                self._box("gate", "Delay", [self.row_of_qubit[q]], text, family="idle")
        elif isinstance(op, Kraus):
            rows = [self.row_of_qubit[q] for q in op.qubits]
            ports = {row: str(k) for k, row in enumerate(rows)} if len(rows) > 1 else {}
            column = self._column(range(min(rows), max(rows) + 1))
            self.elements.append(Element("gate", column, "Kraus", "", "noise", tuple(sorted(rows)), ports))
        elif isinstance(op, Assign):
            text = f"{self.names.text(op.target)} = {self.names.text(op.value)}"
            rows = self._target_rows(op)
            self._box("assign", clip(text), rows, reads=self._reads_of(op), family="classical")
        elif isinstance(op, Break | Continue):
            self._box("jump", op.name, scope, family="classical")
        elif isinstance(op, IfElse | WhileLoop | ForLoop | Switch):
            self._block(op, scope, depth)
        else:
            self._box("gate", clip(op.name), self._span(op, scope, depth))

    def _box(
        self,
        kind: str,
        label: str,
        rows: Iterable[int],
        params: str = "",
        *,
        reads: Iterable[int] = (),
        family: str = "custom",
    ) -> None:
        listed = tuple(sorted(rows))
        if listed:
            column = self._column(range(listed[0], listed[-1] + 1), reads)
            self.elements.append(Element(kind, column, label, params, family, listed))

    def _gate(self, op: GateOperation) -> None:
        shape = shape_of(op.gate, len(op.controls))
        count = len(shape.controls)
        values = (*op.control_values, *shape.controls)
        qubits = (*op.controls, *op.targets[:count])
        controls = {
            self.row_of_qubit[q]: "control" if value else "open"
            for q, value in zip(qubits, values, strict=True)
        }
        targets = [self.row_of_qubit[q] for q in op.targets[count:]] or [self.phase_row]
        ports = shape.ports or ("",)
        params = clip(", ".join(param_text(p, self.names) for p in op.params))
        family = family_of(op.gate)
        reads = self._reads_of(op)
        span = range(min((*targets, *controls)), max((*targets, *controls)) + 1)
        column = self._column(span, reads)
        if shape.symbol != "box":
            marks = controls | dict.fromkeys(targets, shape.symbol)
            self.elements.append(Element("gate", column, shape.label, "", family, (), {}, marks))
            return
        low, high = min(targets), max(targets)
        texts = {row: port for row, port in zip(targets, ports, strict=True) if port}
        texts |= {row: mark for row, mark in controls.items() if low < row < high}
        marks = {row: mark for row, mark in controls.items() if not low < row < high}
        box = tuple(sorted({*targets, *texts}))
        self.elements.append(Element("gate", column, shape.label, params, family, box, texts, marks))

    # -- classical control -------------------------------------------------------------------------
    def _block(self, op: Operation, scope: tuple[int, ...], depth: int) -> None:
        bodies = self._sections(op)
        span = self._span(op, scope, depth)
        reads = self._reads_of(op)
        if depth >= MAX_DEPTH:
            self._box("jump", clip(bodies[0][0]), span, reads=reads, family="classical")
            return
        first_frame = len(self.frames)
        sections: list[tuple[int, str]] = []
        for label, body in bodies:
            column = self._column(span, reads if not sections else ())
            sections.append((column, label))
            self._body(body.operations if body is not None else (), span, depth + 1)
        end = self._column(span, reads)
        top, bottom = span[0], span[-1]
        inside = self.frames[first_frame:]
        self.frames.append(
            Frame(
                top,
                bottom,
                tuple(sections),
                end,
                1 + max((f.lift for f in inside if f.top == top), default=0),
                1 + max((f.drop for f in inside if f.bottom == bottom), default=0),
                depth,
            )
        )

    def _sections(self, op: Operation) -> list[tuple[str, Circuit | None]]:
        """(label, body) of each body, in words of OpenQASM."""
        text = self.names.text
        out: list[tuple[str, Circuit | None]]
        if isinstance(op, IfElse):
            out = [(f"if {text(op.condition)}", op.then_body)]
            if op.else_body is not None:
                out.append(("else", op.else_body))
        elif isinstance(op, WhileLoop):
            out = [(f"while {text(op.condition)}", op.body)]
        elif isinstance(op, ForLoop):
            variable = "_" if op.variable is None else text(op.variable)
            out = [(f"for {variable} in {self._values_text(op.values)}", op.body)]
        else:
            assert isinstance(op, Switch)
            subject = f"switch {text(op.subject)}"
            out = [(f"case {', '.join(map(str, values))}", body) for values, body in op.cases]
            if op.default is not None:
                out.append(("default", op.default))
            out = [(subject + " " * bool(out) + out[0][0], out[0][1]), *out[1:]] if out else [(subject, None)]
        return [(clip(label), body) for label, body in out]

    def _values_text(self, values: Any) -> str:
        if isinstance(values, range):
            if not len(values):
                return "{}"
            step = f"{values.step}:" if values.step != 1 else ""
            return f"[{values[0]}:{step}{values[-1]}]"
        if isinstance(values, tuple):
            return "{" + ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values[:16]) + "}"
        return self.names.text(values)

    def _span(self, op: Operation, scope: tuple[int, ...], depth: int) -> tuple[int, ...]:
        """All rows from the first to the last that an operation writes to; never empty.

        One that writes to nothing stands on the bits it reads, or inside a frame on all rows of that.
        """
        rows = self._written(op) or set(scope if depth else self._reads_of(op)) or set(scope[:1])
        return tuple(range(min(rows), max(rows) + 1))

    def _written(self, op: Operation) -> set[int]:
        """Rows that an operation or anything inside it acts on."""
        rows: set[int] = set()
        for inner in _inside(op):
            if isinstance(inner, Measure):
                rows |= {self.row_of_qubit[inner.qubit], self._bit_row(inner.clbit)}
            elif isinstance(inner, Assign):
                rows.update(self._target_rows(inner))
            elif not inner.bodies:
                rows.update(self.row_of_qubit[q] for q in inner.qubits)
                if isinstance(inner, GateOperation) and not inner.targets:
                    rows.add(self.phase_row)
        return rows

    def _target_rows(self, op: Assign) -> list[int]:
        bits = self._bit_rows(op.target)
        if bits:
            return bits
        return [self.variable_row if self.variable_row is not None else len(self.rows) - 1]

    def _reads_of(self, op: Operation) -> set[int]:
        """Rows that an operation or anything inside it reads, again and again if it is a loop."""
        return {
            row
            for inner in _inside(op)
            for expression in _expressions(inner)
            for row in self._reads(expression)
        }

    def _reads(self, expression: Any) -> list[int]:
        """Rows of the bits and variables that an expression reads."""
        if not isinstance(expression, classical.Expression):
            return []
        rows = self._bit_rows(expression)
        if self.variable_row is not None and classical.variables_of(expression):
            rows.append(self.variable_row)
        return rows

    def _bit_rows(self, expression: Any) -> list[int]:
        bits = classical.bits_of(expression)
        return sorted(set(map(self._bit_row, bits)))

    def _bit_row(self, bit: int) -> int:
        return self.row_of_register[self.names.place(bit)[0]]


def _expressions(op: Operation) -> Iterator[Any]:
    """Classical expressions that an operation reads: parameters, conditions, what it assigns."""
    if isinstance(op, GateOperation):
        yield from op.params
    elif isinstance(op, IfElse | WhileLoop):
        yield op.condition
    elif isinstance(op, ForLoop):
        yield op.values
    elif isinstance(op, Switch):
        yield op.subject
    elif isinstance(op, Assign):
        yield op.value


def _inside(op: Operation) -> Iterator[Operation]:
    """An operation and all operations inside it, however deep."""
    stack = [op]
    while stack:
        inner = stack.pop()
        yield inner
        for body in inner.bodies:
            stack.extend(body.operations)


def _flatten(operations: Sequence[Operation], depth: int = 0) -> Iterator[Operation]:
    for op in operations:
        yield op
        if depth < MAX_DEPTH:
            for body in op.bodies:
                yield from _flatten(body.operations, depth + 1)


def _qubit_labels(circuit: Circuit) -> list[str]:
    labels = [f"q{q}" for q in range(circuit.num_qubits)]
    registers = {name: qubits for name, qubits in circuit.quantum_registers.items() if qubits}
    if list(registers) == ["q"]:
        return labels
    for name, qubits in registers.items():
        for index, q in enumerate(qubits):
            labels[q] = name if len(qubits) == 1 else f"{name}[{index}]"
    return labels


# -- columns ---------------------------------------------------------------------------------------
def column_widths(
    drawing: Drawing, width: Callable[[Element], float], edge: float, label_width: Callable[[str], float]
) -> list[float]:
    """Width of each column, from a renderer's measures.

    Parameters
    ----------
    drawing : Drawing
    width : callable
        Of an element, with the space around it.
    edge : float
        Of a column that holds only the border of a frame.
    label_width : callable
        Room that the label of a frame's section needs.
    """
    widths = [0.0] * drawing.num_columns
    for element in drawing.elements:
        widths[element.column] = max(widths[element.column], width(element))
    for frame in drawing.frames:
        stops = [column for column, _ in frame.sections] + [frame.end]
        for column in stops:
            widths[column] = max(widths[column], edge)
        for (start, label), stop in zip(frame.sections, stops[1:], strict=True):
            missing = label_width(label) - sum(widths[start:stop])
            if missing > 0:
                widths[stop - 1] += missing
    return widths


def chunks(drawing: Drawing, widths: Sequence[float], limit: float | None) -> list[range]:
    """Columns of each line of a folded drawing; every line holds at least one column.

    The borders of frames stay with the columns inside.
    """
    if limit is None or not widths:
        return [range(len(widths))]
    tied = {frame.end for frame in drawing.frames}
    tied |= {column + 1 for frame in drawing.frames for column, _ in frame.sections}
    out, start, used = [], 0, 0.0
    column = 0
    while column < len(widths):
        stop = column + 1
        while stop in tied and stop < len(widths):
            stop += 1
        width = sum(widths[column:stop])
        if column > start and used + width > limit:
            out.append(range(start, column))
            start, used = column, 0.0
        used += width
        column = stop
    out.append(range(start, len(widths)))
    return out
