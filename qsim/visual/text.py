"""Circuits as text, with Unicode's box-drawing characters."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from qsim._checks import check_count
from qsim.circuit import Circuit
from qsim.visual.labels import text_width
from qsim.visual.layout import Drawing, Element, Frame, chunks, column_widths, lay_out

__all__ = ["TextDrawing", "draw_text"]

#: Operations a drawing shows unless told otherwise; beyond this nobody reads it.
MAX_OPERATIONS = 2000

# Arms of a box-drawing character: light lines in the low four bits, double lines in the next four.
_N, _E, _S, _W = 1, 2, 4, 8
_NN, _EE, _SS, _WW = 16, 32, 64, 128
_CHARACTERS = {
    0: " ",
    _N: "╵",
    _E: "╶",
    _S: "╷",
    _W: "╴",
    _N | _S: "│",
    _E | _W: "─",
    _E | _S: "┌",
    _S | _W: "┐",
    _N | _E: "└",
    _N | _W: "┘",
    _N | _E | _S: "├",
    _N | _S | _W: "┤",
    _E | _S | _W: "┬",
    _N | _E | _W: "┴",
    _N | _E | _S | _W: "┼",
    _NN | _SS: "║",
    _EE | _WW: "═",
    _NN | _SS | _E | _W: "╫",
    _N | _S | _EE | _WW: "╪",
    _NN | _SS | _EE | _WW: "╬",
    _SS | _E | _W: "╥",
    _NN | _E | _W: "╨",
    _SS | _EE | _WW: "╦",
    _NN | _EE | _WW: "╩",
    _N | _S | _WW: "╡",
    _N | _S | _EE: "╞",
    _S | _EE | _WW: "╤",
    _N | _EE | _WW: "╧",
}
_SYMBOLS = {"control": "●", "open": "○", "plus": "⊕", "dot": "●", "cross": "×"}  # noqa: RUF001


class TextDrawing(str):
    """A drawing; prints as itself in the console and in notebooks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def draw_text(
    circuit: Circuit,
    *,
    fold: int | None = None,
    reverse_bits: bool = False,
    max_operations: int | None = MAX_OPERATIONS,
) -> TextDrawing:
    """Draw a circuit with box-drawing characters.

    Parameters
    ----------
    circuit : Circuit
    fold : int, optional
        Characters in a line before the drawing continues below. Default: the width of the terminal;
        -1: never.
    reverse_bits : bool
        Put the highest qubit on top; by default qubit 0 is.
    max_operations : int or None
        Operations to draw; a note tells how many follow. None: all.

    Returns
    -------
    TextDrawing
        A str that prints itself.

    Examples
    --------
    >>> draw_text(Circuit(2, 1).h(0).cx(0, 1).measure(1, 0))
        ┌───┐
    q0: ┤ H ├──●──────
        └───┘  │  ┌─┐
    q1: ───────⊕──┤M├─
                  └╥┘
     c: ═══════════▼══
    """
    if not isinstance(circuit, Circuit):
        raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    width = shutil.get_terminal_size().columns if fold is None else check_count(fold, "fold", -1)
    if max_operations is not None:
        check_count(max_operations, "max_operations")
    drawing = lay_out(circuit, reverse_bits=reverse_bits, max_operations=max_operations)
    return TextDrawing(_Renderer(drawing, width).text())


class _Renderer:
    """Lines of a drawing, chunk by chunk. `wire[r]` is the line of row r; frames push rows apart."""

    def __init__(self, drawing: Drawing, width: int) -> None:
        self.drawing = drawing
        names = [_row_label(row.label, row.kind, row.size) for row in drawing.rows]
        margin = max(map(text_width, names), default=0)
        self.names = [" " * (margin - text_width(name)) + name for name in names]
        self.margin = margin
        widths = column_widths(drawing, _element_width, 2, lambda label: text_width(label) + 4)
        self.widths = [int(width) for width in widths]
        self.starts = [0]
        for column_width in self.widths:
            self.starts.append(self.starts[-1] + column_width)
        self.limit = None if width < 0 else max(1, width - margin - 3)
        self.above: list[int] = []  # line of the upper border of a box in row r
        self.wire: list[int] = []
        self.below: list[int] = []

    def _set_lines(self, frames: Iterable[Frame]) -> int:
        """Give each row its lines, with room for the borders of frames; the number of lines."""
        above, below = self.drawing.frame_borders(frames)
        self.above, self.wire, self.below = [], [], []
        line = 0
        for row, extra in enumerate(above):
            line += extra
            if row and (extra or below[row - 1]):
                line += 1  # no line is shared between this row's boxes and those above
            self.above.append(line)
            self.wire.append(line + 1)
            self.below.append(line + 2)
            line += 2 + below[row]
        return line + 1 if above else 0

    def text(self) -> str:
        by_column: list[list[Element]] = [[] for _ in self.widths]
        for element in self.drawing.elements:
            by_column[element.column].append(element)
        parts = []
        lines = chunks(self.drawing, self.widths, self.limit)
        for number, columns in enumerate(lines):
            parts.extend(self._chunk(columns, by_column, number > 0, number < len(lines) - 1))
            parts.append("")
        if self.drawing.note:
            parts.append(self.drawing.note)
        return "\n".join(parts).rstrip("\n")

    def _chunk(
        self, columns: range, by_column: list[list[Element]], continues: bool, continued: bool
    ) -> list[str]:
        """One line of a folded drawing."""
        start, stop = self.starts[columns.start], self.starts[columns.stop]
        stop = max(stop, start + 3)  # wires without any operation
        frames = self.drawing.visible_frames(columns)
        canvas = _Canvas(start, stop, self._set_lines(frames))
        for row, record in enumerate(self.drawing.rows):
            if record.kind != "phase":
                canvas.horizontal(self.wire[row], start, stop - 1, double=record.kind != "qubit")
        for frame in frames:
            self._frame(canvas, frame)
        for column in columns:
            for element in by_column[column]:
                self._element(canvas, element)
        row_at = {line: row for row, line in enumerate(self.wire)}
        out = []
        for line, body in enumerate(canvas.lines()):
            at = row_at.get(line)
            wired = at is not None and self.drawing.rows[at].kind != "phase"
            name = " " * self.margin if at is None else self.names[at]
            left = "«" if continues and wired else " "
            right = "»" if continued and wired else ""
            out.append((name + left + body + right).rstrip())
        return _without_blank_ends(out)

    # -- elements ----------------------------------------------------------------------------------
    def _element(self, canvas: _Canvas, element: Element) -> None:
        left, width = self.starts[element.column], self.widths[element.column] - 1
        centre = left + (width - 1) // 2
        if element.kind == "barrier":
            self._barrier(canvas, element, centre)
            return
        if element.kind == "reset":
            canvas.write(self.wire[element.box[0]], centre - 1, element.text)
            return
        size = _box_width(element) if element.box else 1
        x0 = left + (width - size) // 2
        if element.box:
            self._box(canvas, element, x0, x0 + size - 1)
            first, last = element.box[0], element.box[-1]
            if element.top < first:
                canvas.vertical(centre, self.wire[element.top], self.above[first])
            if element.bottom > last:
                canvas.vertical(centre, self.below[last], self.wire[element.bottom])
        else:
            canvas.vertical(centre, self.wire[element.top], self.wire[element.bottom])
        if element.bit is not None:
            row, index = element.bit
            canvas.vertical(centre, self.below[element.box[0]], self.wire[row], double=True)
            canvas.write(self.wire[row], centre, "▼")
            canvas.write(self.below[row], centre - (len(index) - 1) // 2, index)
        for row, mark in element.marks.items():
            canvas.write(self.wire[row], centre, _SYMBOLS[mark])

    def _box(self, canvas: _Canvas, element: Element, x0: int, x1: int) -> None:
        first, last = element.box[0], element.box[-1]
        top, bottom = self.above[first], self.below[last]
        through = {self.wire[row] for row in range(first, last + 1)} - {self.wire[r] for r in element.box}
        canvas.box(x0, x1, top, bottom, through)
        for row, port in element.ports.items():
            canvas.write(self.wire[row], x0 + 1, _SYMBOLS.get(port, port))
        room = x1 - x0 - 1 - text_width(element.text)
        canvas.write(self._label_line(first, last), x0 + 1 + room // 2, element.text)

    def _label_line(self, first: int, last: int) -> int:
        """The line for a box's label: the wire of a single row, else the most central line without one."""
        if first == last:
            return self.wire[first]
        middle = (self.above[first] + self.below[last]) / 2
        wires = set(self.wire[first : last + 1])
        free = [line for line in range(self.wire[first] + 1, self.wire[last]) if line not in wires]
        return min(free, key=lambda line: (abs(line - middle), line))

    def _barrier(self, canvas: _Canvas, element: Element, x: int) -> None:
        rows = set(element.box)
        for row in rows:
            canvas.write(self.above[row], x, "░")
            canvas.write(self.wire[row], x, "░")
            if row + 1 in rows:
                for line in range(self.below[row], self.above[row + 1] + 1):
                    canvas.write(line, x, "░")
            else:
                canvas.write(self.below[row], x, "░")

    def _frame(self, canvas: _Canvas, frame: Frame) -> None:
        top = self.above[frame.top] - frame.lift
        bottom = self.below[frame.bottom] + frame.drop
        x0, x1 = self.starts[frame.sections[0][0]], self.starts[frame.end]
        for line, ends in ((top, "╭╮"), (bottom, "╰╯")):
            canvas.write(line, x0, ends[0] + "╌" * (x1 - x0 - 1) + ends[1])
        for line in range(top + 1, bottom):
            canvas.write(line, x1, "╎")
            for column, _ in frame.sections:
                canvas.write(line, self.starts[column], "╎")
        for column, label in frame.sections:
            canvas.write(top, self.starts[column] + 1, f" {label} ")


class _Canvas:
    """Characters between two columns of the whole drawing; what falls outside is dropped."""

    def __init__(self, start: int, stop: int, num_lines: int) -> None:
        self.start, self.width = start, stop - start
        self.arms = [[0] * self.width for _ in range(num_lines)]
        self.texts: list[dict[int, str]] = [{} for _ in range(num_lines)]

    def join(self, x: int, line: int, arms: int) -> None:
        if 0 <= x - self.start < self.width:
            self.arms[line][x - self.start] |= arms

    def horizontal(self, line: int, x0: int, x1: int, *, double: bool = False) -> None:
        arms = (_EE | _WW) if double else (_E | _W)
        for x in range(x0, x1 + 1):
            self.join(x, line, arms)

    def vertical(self, x: int, first: int, last: int, *, double: bool = False) -> None:
        """A line from the lower half of one line to the upper half of another."""
        north, south = (_NN, _SS) if double else (_N, _S)
        self.join(x, first, south)
        for line in range(first + 1, last):
            self.join(x, line, north | south)
        self.join(x, last, north)

    def box(self, x0: int, x1: int, top: int, bottom: int, through: Iterable[int]) -> None:
        """A border over whatever is there; wires on the lines `through` stay visible inside."""
        passing = set(through)
        for line in range(top + 1, bottom):
            for x in range(x0, x1 + 1) if line not in passing else ():
                if 0 <= x - self.start < self.width:
                    kept = _W | _WW if x == x0 else _E | _EE if x == x1 else 0
                    self.arms[line][x - self.start] &= kept
            self.join(x0, line, _N | _S)
            self.join(x1, line, _N | _S)
        for line, inward in ((top, _S), (bottom, _N)):
            self.join(x0, line, _E | inward)
            self.join(x1, line, _W | inward)
            for x in range(x0 + 1, x1):
                self.join(x, line, _E | _W)

    def write(self, line: int, x: int, text: str) -> None:
        """Text over the lines; a wide character takes two cells."""
        for character in text:
            if 0 <= x - self.start < self.width:
                self.texts[line][x - self.start] = character
            size = text_width(character)
            if size == 2 and 0 <= x + 1 - self.start < self.width:
                self.texts[line][x + 1 - self.start] = ""
            x += size

    def lines(self) -> list[str]:
        return [
            "".join(texts.get(x, "") if x in texts else _CHARACTERS.get(a, "┼") for x, a in enumerate(arms))
            for arms, texts in zip(self.arms, self.texts, strict=True)
        ]


# -- measures ----------------------------------------------------------------------------------------
def _box_width(element: Element) -> int:
    label = text_width(element.text)
    if element.kind == "measure":
        return label + 2
    ports = max((text_width(_SYMBOLS.get(port, port)) for port in element.ports.values()), default=0)
    return max(label, ports) + 4


def _element_width(element: Element) -> int:
    """Columns an element needs, with one of wire behind it."""
    if element.kind == "barrier":
        return 2
    if element.kind == "reset":
        return 5
    size = _box_width(element) if element.box else 3
    if element.bit is not None:
        size = max(size, len(element.bit[1]))
    return size + 1


def _row_label(label: str, kind: str, size: int) -> str:
    if kind == "bits" and size > 1:
        return f"{label}/{size}:"
    return f"{label}:" if label else ""


def _without_blank_ends(lines: list[str]) -> list[str]:
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines
