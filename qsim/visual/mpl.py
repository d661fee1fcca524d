"""Circuits drawn with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qsim._checks import check_count
from qsim._extras import require
from qsim.circuit import Circuit
from qsim.visual.layout import lay_out
from qsim.visual.text import MAX_OPERATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_mpl"]


def draw_mpl(
    circuit: Circuit,
    ax: Axes | None = None,
    *,
    fold: int | None = None,
    reverse_bits: bool = False,
    max_operations: int | None = MAX_OPERATIONS,
    title: str | None = None,
) -> Axes:
    """Draw a circuit with Matplotlib; colours tell what a gate does to basis states.

    Diagonal gates are green, gates that move basis states blue, constant mixtures of them orange, rotations
    violet, and gates that are not in the table grey.

    Parameters
    ----------
    circuit : Circuit
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure of the size the drawing needs.
    fold : int, optional
        Width of a line, in units of the distance between two wires, before the drawing continues
        below. Default: 20; -1: never.
    reverse_bits : bool
        Put the highest qubit on top; by default qubit 0 is.
    max_operations : int or None
        Operations to draw; a note tells how many follow. None: all.
    title : str, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If Matplotlib is not installed.

    Examples
    --------
    >>> ax = draw_mpl(Circuit(2).h(0).cx(0, 1), title="Bell pair")
    >>> ax.get_title()
    'Bell pair'
    """
    if not isinstance(circuit, Circuit):
        raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    width = 20 if fold is None else check_count(fold, "fold", -1)
    if max_operations is not None:
        check_count(max_operations, "max_operations")
    require("matplotlib", extra="viz", user="A picture of a circuit", name="Matplotlib")
    from qsim.visual.artist import Artist

    drawing = lay_out(circuit, reverse_bits=reverse_bits, max_operations=max_operations)
    artist = Artist(drawing, None if width < 0 else float(max(1, width)))
    if ax is None:
        ax = artist.new_axes()
    artist.draw(ax)
    if title is not None:
        ax.set_title(title)
    return ax
