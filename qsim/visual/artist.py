"""The Matplotlib renderer: patches and lines for a layout. Only imported to draw."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Arc, Circle, FancyBboxPatch, Polygon, Rectangle
from matplotlib.textpath import TextPath

from qsim.visual.layout import Drawing, Element, Frame, chunks, column_widths

__all__ = ["Artist"]

# Lengths are in units of the distance between two wires.
UNIT_INCHES = 0.58
BOX = 0.68
GAP = 0.3
BORDER = 0.3  # of a column with nothing but a frame's border
LIFT, DROP = 0.44, 0.16  # room for each border of a frame above and below a row
FONT = "DejaVu Sans"  # comes with Matplotlib, so a drawing looks the same everywhere
SIZES = {"label": 11.0, "params": 7.8, "small": 7.0, "wire": 11.0, "frame": 8.2}

WIRE = "#6B7280"
INK = "#1F2937"


class Colours(NamedTuple):
    fill: str
    edge: str


COLOURS = {
    "permutation": Colours("#DDE9FB", "#2F68B4"),
    "phase": Colours("#D6F0E6", "#1F8A6D"),
    "rotation": Colours("#EAE0F8", "#7546B8"),
    "mixing": Colours("#FDE8CC", "#C8751A"),
    "custom": Colours("#E8EBF0", "#556170"),
    "measure": Colours("#F3F4F6", "#374151"),
    "noise": Colours("#FBDFE0", "#BC4149"),
    "idle": Colours("#FFFFFF", "#8A94A3"),
    "classical": Colours("#FFF6CF", "#9A8210"),
}
FRAME_EDGE = "#9A8210"
DASHES = (0, (4, 2.5))
FRAME_FILLS = ("#FFFCF0", "#FFF9E0")


class Artist:
    """Draws a layout; `limit` is the width at which it folds, None for never."""

    def __init__(self, drawing: Drawing, limit: float | None) -> None:
        self.drawing = drawing
        self.widths = column_widths(
            drawing, _element_width, BORDER, lambda label: _text_width(label, "frame", "bold") + 0.4
        )
        self.starts = [0.0]
        for width in self.widths:
            self.starts.append(self.starts[-1] + width)
        self.lines = chunks(drawing, self.widths, limit)
        self.names = [row.label for row in drawing.rows]
        self.margin = max((_text_width(name, "wire") for name in self.names), default=0.0) + 0.45
        self.length = max((self._length(columns) for columns in self.lines), default=0.0)
        # one (vertical places of rows, upper edge, lower edge) for each line of the fold
        self.bands: list[tuple[list[float], float, float]] = []
        y = 0.0
        for columns in self.lines:
            places, bottom = self._places(columns, y)
            self.bands.append((places, y, bottom))
            y = bottom - 0.25
        self.height = -(y + 0.25) + (0.5 if drawing.note else 0.0)

    def _length(self, columns: range) -> float:
        return self.starts[columns.stop] - self.starts[columns.start]

    def _places(self, columns: range, top: float) -> tuple[list[float], float]:
        """Vertical place of each row of one line, and where the line ends."""
        above, below = self.drawing.frame_borders(self.drawing.visible_frames(columns))
        places: list[float] = []
        y = top - 0.55
        for row, extra in enumerate(above):
            if row:
                y -= 1.0 + below[row - 1] * DROP
            y -= extra * LIFT
            places.append(y)
        last = below[-1] * DROP if below else 0.0
        return places, y - 0.55 - last

    def new_axes(self) -> Axes:
        """Axes that fill a new figure of the right size."""
        import matplotlib.pyplot as plt

        width = (self.margin + self.length + 0.5) * UNIT_INCHES
        figure = plt.figure(figsize=(max(1.0, width), max(0.6, self.height * UNIT_INCHES)))
        axes: Axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        return axes

    def draw(self, ax: Axes) -> None:
        """Add everything to the axes, and fit their limits to it."""
        self.ax = ax
        by_column: list[list[Element]] = [[] for _ in self.widths]
        for element in self.drawing.elements:
            by_column[element.column].append(element)
        for columns, (places, _, _) in zip(self.lines, self.bands, strict=True):
            self.y = places
            self.offset = self.starts[columns.start]
            self.end = self._length(columns)
            for row in range(len(self.drawing.rows)):
                self._wire(row)
            visible = self.drawing.visible_frames(columns)
            for frame in sorted(visible, key=lambda f: f.depth):
                self._frame(frame)
            for column in columns:
                middle = (self.starts[column] + self.starts[column + 1]) / 2 - self.offset
                for element in by_column[column]:
                    self._element(element, middle)
        if self.drawing.note:
            note = self.drawing.note
            ax.text(0.0, -self.height + 0.3, note, family=FONT, size=8, color=WIRE, style="italic")
        ax.set_xlim(-self.margin, self.length + 0.5)
        ax.set_ylim(-self.height, 0.0)
        ax.set_aspect("equal")
        ax.set_axis_off()

    # -- wires and frames --------------------------------------------------------------------------
    def _wire(self, row: int) -> None:
        record, y = self.drawing.rows[row], self.y[row]
        self._text(-0.28, y, self.names[row], "wire", INK, ha="right")
        start, stop = -0.16, self.end + 0.3
        if record.kind == "qubit":
            self._line([start, stop], [y, y], WIRE, 1.1, 1)
        elif record.kind != "phase":
            for shift in (-0.035, 0.035):
                self._line([start, stop], [y + shift, y + shift], WIRE, 0.9, 1)
            if record.size > 1:
                self._line([start + 0.06, start + 0.2], [y - 0.12, y + 0.12], WIRE, 0.9, 1)
                self._text(start + 0.13, y + 0.16, str(record.size), "small", WIRE, va="bottom")

    def _frame(self, frame: Frame) -> None:
        left = max(self.starts[frame.sections[0][0]] - self.offset + 0.1, -0.12)
        right = min(self.starts[frame.end] - self.offset + BORDER - 0.1, self.end + 0.2)
        top = self.y[frame.top] + 0.42 + LIFT * frame.lift - 0.06
        bottom = self.y[frame.bottom] - 0.44 - DROP * (frame.drop - 1)
        fill = FRAME_FILLS[frame.depth % len(FRAME_FILLS)]
        self._rounded(
            *(left, bottom, right - left, top - bottom, 0.12),
            facecolor=fill,
            edgecolor=FRAME_EDGE,
            linewidth=0.9,
            linestyle=DASHES,
            zorder=0.3 + 0.02 * frame.depth,
        )
        for number, (column, label) in enumerate(frame.sections):
            x = self.starts[column] - self.offset + 0.1
            if x < -0.12 or x > self.end:
                continue
            if number:
                self._line([x, x], [bottom, top], FRAME_EDGE, 0.9, 0.9, linestyle=DASHES)
            self._text(x + 0.12, top - 0.07, label, "frame", FRAME_EDGE, ha="left", va="top", weight="bold")

    # -- elements ----------------------------------------------------------------------------------
    def _element(self, element: Element, x: float) -> None:
        colours = COLOURS[element.family]
        if element.kind == "barrier":
            self._barrier(element, x)
            return
        if element.marks:
            ends = [self.y[element.top], self.y[element.bottom]]
            self._line([x, x], ends, colours.edge, 1.6, 2)
        if element.bit is not None:
            self._arrow(element, x)
        if element.box:
            self._box(element, x, colours)
        for row, mark in element.marks.items():
            self._mark(mark, x, self.y[row], colours)

    def _box(self, element: Element, x: float, colours: Colours) -> None:
        rows = range(element.box[0], element.box[-1] + 1)
        width = _element_width(element) - GAP
        left = x - width / 2
        bottom, top = self.y[rows[-1]] - BOX / 2, self.y[rows[0]] + BOX / 2
        self._rounded(
            *(left, bottom, width, top - bottom, 0.07),
            facecolor=colours.fill,
            edgecolor=colours.edge,
            linewidth=1.2,
            linestyle=DASHES if element.family == "idle" else "solid",
            zorder=3,
        )
        for row in rows:
            if row not in element.box:  # a wire that has no part in the gate shows through
                self._line([left, left + width], [self.y[row]] * 2, WIRE, 0.9, 3.2, alpha=0.45)
        for row, port in element.ports.items():
            if port in ("control", "open"):
                self._mark(port, left + 0.14, self.y[row], colours)
            else:
                self._text(left + 0.07, self.y[row], port, "small", colours.edge, ha="left")
        if element.kind == "measure":
            self._meter(x, self.y[rows[0]], colours.edge)
            return
        if element.kind == "reset":
            self._text(x, self.y[rows[0]], "|0⟩", "label", INK)
            return
        y = self._label_place(rows)
        if element.params:
            self._text(x, y + 0.13, element.label, "label", INK)
            self._text(x, y - 0.17, element.params, "params", INK)
        else:
            self._text(x, y, element.label, "label" if element.kind == "gate" else "frame", INK)

    def _label_place(self, rows: range) -> float:
        """The middle of a box, moved off the wire where a wire is there."""
        if len(rows) == 1:
            return self.y[rows[0]]
        upper = rows[(len(rows) - 1) // 2 - (len(rows) % 2)]
        return (self.y[upper] + self.y[upper + 1]) / 2

    def _mark(self, mark: str, x: float, y: float, colours: Colours) -> None:
        if mark in ("control", "dot", "open"):
            fill = "white" if mark == "open" else colours.edge
            self._patch(Circle((x, y), 0.11, facecolor=fill, edgecolor=colours.edge, linewidth=1.5, zorder=4))
        elif mark == "plus":
            self._patch(Circle((x, y), 0.23, facecolor=colours.edge, edgecolor=colours.edge, zorder=4))
            self._line([x - 0.13, x + 0.13], [y, y], "white", 1.7, 5)
            self._line([x, x], [y - 0.13, y + 0.13], "white", 1.7, 5)
        else:
            for sign in (1, -1):
                self._line([x - 0.13, x + 0.13], [y - 0.13 * sign, y + 0.13 * sign], colours.edge, 2.0, 4)

    def _meter(self, x: float, y: float, colour: str) -> None:
        self._patch(
            Arc((x, y - 0.13), 0.42, 0.42, theta1=0, theta2=180, color=colour, linewidth=1.2, zorder=4)
        )
        self._line([x, x + 0.15], [y - 0.13, y + 0.17], colour, 1.3, 4)

    def _arrow(self, element: Element, x: float) -> None:
        """The double line from a measurement to its classical bit."""
        assert element.bit is not None
        row, index = element.bit
        start, tip = self.y[element.box[0]] - BOX / 2, self.y[row] + 0.04
        for shift in (-0.035, 0.035):
            self._line([x + shift, x + shift], [start, tip + 0.13], WIRE, 0.9, 2)
        corners = [(x - 0.1, tip + 0.17), (x + 0.1, tip + 0.17), (x, tip - 0.02)]
        self._patch(Polygon(corners, closed=True, facecolor=WIRE, edgecolor="none", zorder=4))
        self._text(x, self.y[row] - 0.1, index, "small", INK, va="top")

    def _barrier(self, element: Element, x: float) -> None:
        for row in element.box:
            y = self.y[row]
            below = (y - self.y[row + 1]) / 2 if row + 1 in element.box else 0.5
            above = (self.y[row - 1] - y) / 2 if row - 1 in element.box else 0.5
            size = below + above
            self._patch(
                Rectangle((x - 0.11, y - below), 0.22, size, facecolor="#D5DAE1", alpha=0.75, zorder=1.5)
            )
            self._line([x, x], [y - below, y + above], "#7C8796", 1.0, 1.6, linestyle=(0, (3, 3)))

    # -- primitives ----------------------------------------------------------------------------------
    def _line(
        self, x: Sequence[float], y: Sequence[float], colour: str, width: float, zorder: float, **style: Any
    ) -> None:
        self.ax.plot(
            x, y, color=colour, linewidth=width, zorder=zorder, scalex=False, scaley=False,
            **({"solid_capstyle": "butt"} | style),
        )  # fmt: skip

    def _patch(self, patch: Any) -> None:
        self.ax.add_patch(patch)

    def _rounded(self, x: float, y: float, width: float, height: float, radius: float, **style: Any) -> None:
        box = f"round,pad=0,rounding_size={radius}"
        self._patch(FancyBboxPatch((x, y), width, height, boxstyle=box, mutation_aspect=1, **style))

    def _text(self, x: float, y: float, text: str, size: str, colour: str, **style: Any) -> None:
        place: dict[str, Any] = {"ha": "center", "va": "center_baseline"} | style
        self.ax.text(
            x,
            y,
            text,
            family=FONT,
            size=SIZES[size],
            color=colour,
            zorder=6,
            clip_on=True,
            parse_math=False,
            **place,
        )


# -- measures ----------------------------------------------------------------------------------------
@functools.lru_cache(maxsize=4096)
def _text_width(text: str, size: str, weight: str = "normal") -> float:
    """Width of a text in units."""
    if not text.strip():
        return 0.0
    # a dollar sign would start mathematics, and there is no switch for that here
    font = FontProperties(family=FONT, weight=weight)
    path = TextPath((0, 0), text.replace("$", "S"), size=SIZES[size], prop=font)
    return float(path.get_extents().width) / 72.0 / UNIT_INCHES


def _element_width(element: Element) -> float:
    if element.kind == "barrier":
        return 0.22 + GAP
    if not element.box:
        return 0.46 + GAP
    label = _text_width(element.label, "label" if element.kind == "gate" else "frame")
    content = max(label, _text_width(element.params, "params"))
    ports = max((_text_width(port, "small") for port in element.ports.values()), default=0.0)
    return max(BOX, content + 0.26, ports + 0.3) + GAP
