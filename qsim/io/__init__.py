"""Circuits as text: OpenQASM 2 and 3, in and out."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from qsim.errors import ArgumentError, QasmError

if TYPE_CHECKING:
    from qsim.circuit import Circuit

__all__ = ["dump", "dumps", "load", "loads"]

_SKIP = r"(?:\s++|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)"
_HEADER = re.compile(rf"{_SKIP}*+OPENQASM{_SKIP}++(\d++)")


def loads(text: str, path: str | os.PathLike[str] | None = None) -> Circuit:
    """A circuit from OpenQASM 2 or 3 text.

    Parameters
    ----------
    text : str
        The version is read from its ``OPENQASM`` header; text without one is OpenQASM 3, where the
        header is optional.
    path : path-like, optional
        Where the text came from: include files are looked for in its directory.

    Returns
    -------
    Circuit

    Raises
    ------
    QasmError
        With ``line``, ``column`` and ``construct``, if the text cannot be read or is not supported.

    Examples
    --------
    >>> circuit = loads('OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];')
    >>> dict(circuit.count_ops())
    {'h': 1, 'cx': 1}
    """
    if not isinstance(text, str):
        raise TypeError(f"Argument `text` must be a str, but is {type(text).__name__}.")
    where = None if path is None else os.fspath(path)
    header = _HEADER.match(text.lstrip("\ufeff"))
    version = header.group(1) if header else "3"
    try:
        if version == "2":
            from qsim.io.openqasm2 import loads2

            return loads2(text, where)
        if version == "3":
            from qsim.io.openqasm3 import loads3

            return loads3(text, where)
    except RecursionError:
        raise QasmError("The program is nested too deeply.", 0, 0, "nesting") from None
    line = text.count("\n", 0, header.start(1) if header else 0) + 1
    raise QasmError(
        f"OpenQASM version {version[:20]} is not supported; versions 2 and 3 are.", line, 1, "OPENQASM"
    )


def load(path: str | os.PathLike[str]) -> Circuit:
    """A circuit from an OpenQASM file; see `loads`.

    Raises
    ------
    OSError
        If the file cannot be read.
    QasmError
        If its text cannot be read or is not supported.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"Argument `path` must be a str or a path, but is {type(path).__name__}.")
    where = os.fspath(path)
    with open(where, "rb") as file:
        data = file.read()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise QasmError("The file is not UTF-8 text.", line, 1, "encoding") from None
    return loads(text, where)


def dumps(circuit: Circuit, version: int = 3) -> str:
    """OpenQASM text of a circuit.

    Parameters
    ----------
    circuit : Circuit
    version : {3, 2}

    Returns
    -------
    str

    Raises
    ------
    QasmError
        If the language has no words for an operation of the circuit; the message names it.

    Notes
    -----
    The text means the same unitary, exactly in version 3. Version 2 has no global phase, so one that
    cannot be observed is left out.
    """
    from qsim.circuit import Circuit

    if not isinstance(circuit, Circuit):
        raise TypeError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    if version not in (2, 3) or isinstance(version, bool):
        raise ArgumentError(f"Argument `version` must be 2 or 3, but is {version!r}.")
    from qsim.io.export import export

    try:
        return export(circuit, version)
    except RecursionError:
        raise QasmError("An expression or a body of the circuit is nested too deeply.") from None


def dump(circuit: Circuit, path: str | os.PathLike[str], version: int = 3) -> None:
    """Write the OpenQASM text of a circuit to a file; see `dumps`."""
    text = dumps(circuit, version)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
