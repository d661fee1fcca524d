"""Circuit files: reading, drawing and converting them."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from qsim._extras import require
from qsim.circuit import Circuit
from qsim.errors import ArgumentError, QasmError, QsimError

__all__ = ["check_picture", "convert", "draw", "read_circuit"]


def read_circuit(path: str) -> Circuit:
    """A circuit from an OpenQASM or JSON file; errors name the file."""
    from qsim import io

    shown = "<stdin>" if path == "-" else path
    try:
        if path == "-":
            text = sys.stdin.read()
            circuit = _from_json(text) if text.lstrip().startswith("{") else io.loads(text)
        elif path.endswith(".json"):
            circuit = _from_json(Path(path).read_text(encoding="utf-8"))
        else:
            circuit = io.load(path)
    except QasmError as error:
        raise QasmError(f"{shown}: {error}", 0, 0, error.construct) from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{shown}: The file is not UTF-8 text.") from error
    except QsimError as error:
        raise ArgumentError(f"{shown}: {error}") from error
    if circuit.name is None and path != "-":
        circuit.name = Path(path).stem
    return circuit


def _from_json(text: str) -> Circuit:
    try:
        return Circuit.from_json(text)
    except QsimError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ArgumentError(f"The file is not a circuit in JSON: {what}.") from error


def draw(args: argparse.Namespace) -> int:
    """``qsim draw``."""
    circuit = read_circuit(args.file)
    options = {"reverse_bits": args.reverse_bits, "fold": args.fold}
    if args.all:
        options["max_operations"] = None
    if args.mpl is None:
        print(circuit.draw("text", **options))
        return 0
    check_picture(args.mpl, "--mpl")
    figure = circuit.draw("mpl", **options).figure
    figure.savefig(args.mpl, dpi=150)
    print(f"Wrote {args.mpl}.")
    return 0


def check_picture(path: str, option: str) -> None:
    """Refuse a picture that cannot be written before any work is done for it.

    Raises
    ------
    ImportError
        If Matplotlib is not installed.
    ArgumentError
        If it does not know the format that the file's name asks for.
    """
    if "matplotlib" not in sys.modules:
        os.environ.setdefault("MPLBACKEND", "Agg")  # files need no display
    require("matplotlib", extra="viz", user=f"Option {option}", name="Matplotlib")
    from matplotlib.figure import Figure

    known = Figure().canvas.get_supported_filetypes()
    if Path(path).suffix.lower().lstrip(".") not in known:
        raise ArgumentError(
            f"Option {option} must name a picture file (.png, .svg, .pdf, ...), but is {path!r}."
        )
    if not Path(path).resolve().parent.is_dir():
        raise ArgumentError(f"Option {option} names a file in a directory that does not exist: {path!r}.")


def convert(args: argparse.Namespace) -> int:
    """``qsim convert``."""
    circuit = read_circuit(args.input)
    form = args.to or {".json": "json", ".qasm2": "2"}.get(Path(args.output).suffix, "3")
    text = circuit.to_json(indent=1) if form == "json" else circuit.to_qasm(int(form))
    text = text if text.endswith("\n") else text + "\n"
    if args.output == "-":
        sys.stdout.write(text)
    else:
        Path(args.output).write_text(text, encoding="utf-8", newline="\n")
    return 0
