"""Circuits as HTML, for notebooks."""

from __future__ import annotations

from html import escape

from qsim.circuit import Circuit
from qsim.visual.text import draw_text

__all__ = ["draw_html"]

MAX_QUBITS = 100
MAX_OPERATIONS = 500
_STYLE = (
    "font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 13px; line-height: 1.15; "
    "white-space: pre; overflow-x: auto; background: transparent; border: none; padding: 0.4em 0;"
)


def draw_html(
    circuit: Circuit, *, reverse_bits: bool = False, max_operations: int | None = MAX_OPERATIONS
) -> str:
    """HTML that shows the text drawing of a circuit on one long line that scrolls.

    Parameters
    ----------
    circuit : Circuit
    reverse_bits : bool
        Put the highest qubit on top.
    max_operations : int or None
        Operations to draw; a note tells how many follow. None: all.

    Returns
    -------
    str
        All text in it is escaped. A circuit of more than 100 qubits is described in one line.

    Examples
    --------
    >>> "⊕" in draw_html(Circuit(2).cx(0, 1))
    True
    """
    if not isinstance(circuit, Circuit):
        raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    if circuit.num_qubits > MAX_QUBITS:
        text = f"{circuit!r}\nToo many qubits to show here; draw() returns the whole drawing."
    else:
        text = draw_text(circuit, fold=-1, reverse_bits=reverse_bits, max_operations=max_operations)
    return f'<pre style="{_STYLE}">{escape(text)}</pre>'
