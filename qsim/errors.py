"""The exceptions qsim raises for bad input; each is also the built-in class a caller would expect."""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "BackendError",
    "CircuitError",
    "GradientError",
    "MemoryBudgetError",
    "ObservableError",
    "ParameterError",
    "QasmError",
    "QsimError",
    "QubitError",
    "StateError",
    "UnboundParameterError",
    "UnknownGateError",
]


class QsimError(Exception):
    """Base class of every error that qsim itself raises (wrong types are a plain `TypeError`)."""


class ArgumentError(QsimError, ValueError):
    """An argument has a value outside what the function accepts."""


class CircuitError(QsimError, ValueError):
    """A circuit or an operation in it cannot be built."""


class QubitError(CircuitError, IndexError):
    """A qubit or classical bit is out of range or named twice."""


class ParameterError(QsimError, ValueError):
    """Parameter values have the wrong name, shape or value (NaN, infinite)."""


class UnboundParameterError(ParameterError):
    """A circuit was run without values for all of its parameters."""


class ObservableError(QsimError, ValueError):
    """An observable is not Hermitian, does not fit the circuit, or its label cannot be read."""


class StateError(QsimError, ValueError):
    """A state has the wrong length, is not normalised, or holds NaN or infinity."""


class GradientError(QsimError, ValueError):
    """A derivative does not exist, or not by the method asked for; the message names the methods that can."""


class UnknownGateError(QsimError, KeyError):
    """No gate has this name; the message lists the nearest names."""

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0]) if self.args else ""


class MemoryBudgetError(QsimError, MemoryError):
    """A computation needs more memory than there is; raised before anything is allocated."""


class BackendError(QsimError, RuntimeError):
    """The backend or instruction set that was asked for is not available here."""


class QasmError(QsimError, ValueError):
    """OpenQASM text that cannot be read or is not supported.

    Attributes
    ----------
    line, column : int
        Position of the construct, both counted from 1 (0: unknown).
    construct : str
        Name of the construct, e.g. ``"cal"`` or ``"gate definition"``.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, construct: str = "") -> None:
        where = f"line {line}, column {column}: " if line else ""
        super().__init__(where + message)
        self.message = message
        self.line = line
        self.column = column
        self.construct = construct

    def __reduce__(self) -> tuple[type[QasmError], tuple[str, int, int, str]]:
        return (type(self), (self.message, self.line, self.column, self.construct))
